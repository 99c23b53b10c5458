/* test_pathname.c - file names as text. */
#include "base/test.h"

#include "base/arena.h"
#include "base/pathname.h"

static const struct {
    const char *path, *clean;
} cleaned[] = {
    {"", "."},
    {".", "."},
    {"./", "."},
    {"a//b/", "a/b"},
    {"./a/../b", "b"},
    {"a/..", "."},
    {"../a", "../a"},
    {"../../a/..", "../.."},
    {"/", "/"},
    {"/..", "/"},
    {"/a/./b/", "/a/b"},
    {"/a/../../b", "/b"},
    {"a/../../b", "../b"},
};

static void clean_is_lexical(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cleaned / sizeof *cleaned; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        print_message("  '%s'\n", cleaned[i].path);
        struct str got = pathname_clean(&arena, str_from(cleaned[i].path));
        assert_string_equal(got.ptr, cleaned[i].clean);
    }
}

static const struct {
    const char *base, *path, *below;
} relatives[] = {
    {"/a", "/a", "."}, {"/a", "/a/b/c", "b/c"}, {"/a", "/ab", NULL},
    {"/", "/a", "a"},  {".", "a/b", "a/b"},     {".", "../a", NULL},
    {".", "/a", NULL}, {"..", "../x", "x"},     {".", ".", "."},
};

static void below_cuts_the_base_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof relatives / sizeof *relatives; i++) {
        print_message("  %s %s\n", relatives[i].base, relatives[i].path);
        struct str got = pathname_below(str_from(relatives[i].base), str_from(relatives[i].path));
        assert_int_equal(got.ptr == NULL, relatives[i].below == NULL);
        assert_true(str_equal(got, str_from(relatives[i].below)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_is_lexical),
        cmocka_unit_test(below_cuts_the_base_off),
    };
    return cmocka_run_group_tests_name("base/pathname", tests, NULL, NULL);
}
