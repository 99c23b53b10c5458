/* test_clirc.c - CLI configuration files in HCL 1 and HCL 2 clothes. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/clirc.h"

static const char *env(const char *name)
{
    return strcmp(name, "HOME") == 0 ? "/home/a" : NULL;
}

static const char text[] = "disable_checkpoint = true\n"
                           "plugin_cache_dir   = \"$HOME/cache/${NOT_SET}x\"\n"
                           "credentials \"app.terraform.io\" {\n  token = \"xxxxxx\"\n}\n"
                           "host \"example.com\" {\n  services = {\n    \"modules.v1\" = "
                           "\"https://x/\"\n    list = [1, 2]\n  }\n}\n"
                           "provider_installation {\n"
                           "  dev_overrides {\n"
                           "    \"hashicorp/null\" = \"/dev/null-dir\"\n"
                           "    \"example.com/a/b\" = \"${HOME}/b\" # here\n"
                           "  }\n"
                           "  filesystem_mirror {\n"
                           "    path    = \"/usr/share/terraform/providers\"\n"
                           "    include = [\"example.com/*/*\", \"ns/type\"]\n"
                           "    exclude = [\"example.com/x/y\"]\n"
                           "  }\n"
                           "  network_mirror { url = \"https://example.com/\" }\n"
                           "  direct {\n    exclude = [\"example.com/*/*\"]\n  }\n"
                           "}\n";

static void what_providers_need_is_taken(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct clirc rc = {0};
    char why[1024];
    if (!clirc_parse(&arena, str_from(text), "rc", env, &rc, &err))
        fail_msg("%s", err_text(&err, why, sizeof why));
    assert_true(str_equal(rc.plugin_cache_dir, STR("/home/a/cache/x")));
    assert_int_equal(rc.noverrides, 2);
    assert_true(str_equal(rc.overrides[0].source, STR("hashicorp/null")));
    assert_true(str_equal(rc.overrides[1].dir, STR("/home/a/b")));
    assert_int_equal(rc.nmirrors, 1);
    assert_true(str_equal(rc.mirrors[0].path, STR("/usr/share/terraform/providers")));
    assert_int_equal(rc.mirrors[0].ninclude, 2);
    assert_int_equal(rc.mirrors[0].nexclude, 1);
    /* a second file adds to the first */
    assert_true(clirc_parse(&arena, STR("plugin_cache_dir = \"/c\"\n"), "rc2", env, &rc, &err));
    assert_true(str_equal(rc.plugin_cache_dir, STR("/c")));
    assert_int_equal(rc.noverrides, 2);
}

static const char *const broken[] = {
    "plugin_cache_dir = \"/x",
    "provider_installation {",
    "a = [1, 2",
    "= 3",
    "a b c",
    "provider_installation { dev_overrides { \"a\" \"b\" } }",
};

static void broken_files_are_errors_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct clirc rc = {0};
        char why[1024];
        print_message("  %s\n", broken[i]);
        assert_false(clirc_parse(&arena, str_from(broken[i]), "rc", env, &rc, &err));
        assert_int_equal(strncmp(err_text(&err, why, sizeof why), "rc:1:", 5), 0);
    }
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct clirc rc = {0};
    char deep[400] = "";
    for (int i = 0; i < 100; i++)
        strcat(deep, "a{");
    assert_false(clirc_parse(&arena, str_from(deep), "rc", env, &rc, &err));
}

static const struct {
    const char *pattern, *source;
    bool matches;
} patterns[] = {
    {"example.com/*/*", "example.com/a/b", true},
    {"*/*/*", "example.com/a/b", true},
    {"example.com/a/b", "example.com/a/b", true},
    {"a/b", "example.com/a/b", true},
    {"a/*", "example.com/a/b", true},
    {"a/c", "example.com/a/b", false},
    {"other.com/*/*", "example.com/a/b", false},
    {"example.com/a/b/c", "example.com/a/b", false},
    {"", "example.com/a/b", false},
};

static void patterns_match_by_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        print_message("  %s ~ %s\n", patterns[i].pattern, patterns[i].source);
        assert_int_equal(
            clirc_source_matches(str_from(patterns[i].pattern), str_from(patterns[i].source)),
            patterns[i].matches);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_providers_need_is_taken),
                                       cmocka_unit_test(broken_files_are_errors_with_a_place),
                                       cmocka_unit_test(nesting_is_bounded),
                                       cmocka_unit_test(patterns_match_by_part)};
    return cmocka_run_group_tests_name("live/reader_provider/clirc", tests, NULL, NULL);
}
