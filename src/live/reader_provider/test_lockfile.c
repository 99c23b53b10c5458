/* test_lockfile.c - .terraform.lock.hcl as Terraform writes it, and broken ones. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/lockfile.h"

static const char good[] =
    "# This file is maintained automatically by \"terraform init\".\n"
    "# Manual edits may be lost in future updates.\n\n"
    "provider \"example.com/plumb/fake\" {\n"
    "  version     = \"1.0.0\"\n"
    "  constraints = \"~> 1.0\"\n"
    "  hashes = [\n"
    "    \"h1:r4Os8h3sexxOiFRSCk3EdXg6y0L+CJk7fqsny3TEDYA=\",\n"
    "    \"zh:0000000000000000000000000000000000000000000000000000000000000000\",\n"
    "    \"h9:future\",\n"
    "  ]\n"
    "}\n\n"
    "provider \"registry.opentofu.org/hashicorp/local\" {\n"
    "  version = \"2.5.1\"\n"
    "}\n";

static void entries_are_found_with_their_hashes(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct lockfile lock;
    assert_true(lockfile_parse(&arena, str_from(good), "l", &lock, &err));
    assert_int_equal(lock.n, 2);
    const struct lock_entry *fake = lockfile_find(&lock, STR("example.com/plumb/fake"));
    assert_non_null(fake);
    assert_true(str_equal(fake->version, STR("1.0.0")));
    assert_true(lock_entry_has(fake, STR("h1:r4Os8h3sexxOiFRSCk3EdXg6y0L+CJk7fqsny3TEDYA=")));
    assert_false(lock_entry_has(fake, STR("h1:other")));
    assert_int_equal(lock_entry_count(fake, STR("h1:")), 1);
    assert_int_equal(lock_entry_count(fake, STR("zh:")), 1);
    assert_null(lockfile_find(&lock, STR("example.com/plumb/other")));
    assert_int_equal(lockfile_find(&lock, STR("registry.opentofu.org/hashicorp/local"))->nhashes,
                     0);
}

static const struct {
    const char *says, *text, *err;
} bad[] = {
    {"no version", "provider \"a/b/c\" {\n}\n", "l:1:1: a provider needs its version, a string"},
    {"a version that is computed", "provider \"a/b/c\" {\n  version = var.x\n}\n",
     "l:2:3: a provider needs its version, a string"},
    {"no label", "provider {\n  version = \"1\"\n}\n",
     "l:1:1: a provider block has one label, its source address"},
    {"hashes not a list", "provider \"a/b/c\" {\n  version = \"1\"\n  hashes = \"h1:x\"\n}\n",
     "l:3:3: hashes must be a list of strings"},
    {"a number among the hashes", "provider \"a/b/c\" {\n  version = \"1\"\n  hashes = [1]\n}\n",
     "l:3:3: hashes must be a list of strings"},
    {"cut short", "provider \"a/b/c\" {\n  version = \"1", "l:"},
};

static void faults_have_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct lockfile lock;
        char text[1024];
        print_message("  %s\n", bad[i].says);
        assert_false(lockfile_parse(&arena, str_from(bad[i].text), "l", &lock, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
        assert_non_null(strstr(err_text(&err, text, sizeof text), bad[i].err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_are_found_with_their_hashes),
                                       cmocka_unit_test(faults_have_a_place)};
    return cmocka_run_group_tests_name("live/reader_provider/lockfile", tests, NULL, NULL);
}
