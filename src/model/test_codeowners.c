/* test_codeowners.c - the examples of GitHub's documentation, and what they leave open. */
#include "base/test.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/codeowners.h"

static const struct {
    const char *pattern, *path;
    bool matches;
} cases[] = {
    {"*", "a.tf", true},
    {"*", "infra/prod/main.tf", true},
    {"*.js", "src/a.js", true},
    {"*.js", "src/a.jsx", false},
    {"/build/logs/", "build/logs/a/b.txt", true},
    {"/build/logs/", "x/build/logs/a.txt", false},
    {"docs/*", "docs/getting-started.md", true},
    {"docs/*", "docs/build-app/troubleshooting.md", false},
    {"docs/*", "a/docs/b.md", false},
    {"apps/", "apps/a.tf", true},
    {"apps/", "x/apps/y/a.tf", true},
    {"apps/", "apps", false},
    {"/docs/", "docs/a/b", true},
    {"/docs/", "x/docs/a", false},
    {"/scripts", "scripts/run.sh", true},
    {"/scripts", "scripts", true},
    {"/scripts", "a/scripts", false},
    {"**/logs", "build/logs/x", true},
    {"**/logs", "logs", true},
    {"**/logs", "deeply/nested/logs/x.txt", true},
    {"/apps/github", "apps/github/main.tf", true},
    {"/apps/github", "apps/github2/main.tf", false},
    {"infra/**", "infra/a/b.tf", true},
    {"infra/**", "infra", false},
    {"a/**/b", "a/b", true},
    {"a/**/b", "a/x/y/b/c", true},
    {"a/**/b", "a/x/y/c", false},
    {"/infra/*/network", "infra/prod/network/main.tf", true},
    {"/infra/*/network", "infra/prod/eu/network/main.tf", false},
    {"infra/pro?", "infra/prod/main.tf", true},
    {"main.tf", "infra/prod/main.tf", true},
    {"my\\ dir/", "my dir/a.tf", true},
    {"/", "a.tf", false},
};

static void a_pattern_matches_what_github_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct codeowners owners = {0};
        struct err err = {0};
        print_message("  %s  %s\n", cases[i].pattern, cases[i].path);
        struct str text = arena_printf(&arena, "%s @x\n", cases[i].pattern);
        assert_true(codeowners_parse(&arena, text, &owners, &err));
        struct str got = codeowners_match(&owners, str_from(cases[i].path));
        assert_true(str_equal(got, cases[i].matches ? STR("@x") : STR("")));
    }
}

static void the_last_match_wins_and_sections_have_defaults(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct codeowners owners = {0};
    struct err err = {0};
    assert_true(codeowners_parse(&arena,
                                 STR("# all\n* @all\n/infra/ @platform @ops # both\n"
                                     "/infra/none/\n\n^[Data][2] @data\ninfra/db/ \n"
                                     "infra/db/x @x\r\n"),
                                 &owners, &err));
    assert_int_equal(owners.n, 5);
    assert_true(str_equal(codeowners_match(&owners, STR("README")), STR("@all")));
    assert_true(str_equal(codeowners_match(&owners, STR("infra/a.tf")), STR("@platform @ops")));
    assert_true(str_equal(codeowners_match(&owners, STR("infra/none/a.tf")), STR("")));
    assert_true(str_equal(codeowners_match(&owners, STR("infra/db/a.tf")), STR("@data")));
    assert_true(str_equal(codeowners_match(&owners, STR("infra/db/x/a.tf")), STR("@x")));
    assert_true(str_equal(codeowners_match(&owners, STR("")), STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_what_github_says),
        cmocka_unit_test(the_last_match_wins_and_sections_have_defaults),
    };
    return cmocka_run_group_tests_name("model/codeowners", tests, NULL, NULL);
}
