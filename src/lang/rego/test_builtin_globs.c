/* test_builtin_globs.c - regex.globs_match: pairs of patterns that share a text, and that do not.
 */
#include "lang/rego/test_call.h"

static void test_pairs(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"regex.globs_match", "[\"\",\"\"]", "true"},
        {"regex.globs_match", "[\"a.a.[0-9]+z\",\".b.b2359825792*594823z\"]", "true"},
        {"regex.globs_match", "[\"[a-z]+\",\"[0-9]*\"]", "false"},
        {"regex.globs_match", "[\"[a-z]*\",\"[0-9]*\"]", "true"},
        {"regex.globs_match", "[\"a*b\",\"a+\"]", "false"},
        {"regex.globs_match", "[\"a*\",\"a+b*\"]", "true"},
        {"regex.globs_match", "[\"\\\\.\",\"a\"]", "false"},
        {"regex.globs_match", "[\"\xc3\xa9+\",\"[\xc3\xa0-\xc3\xbf]\"]", "true"},
        {"regex.globs_match", "[\"[a\",\"a\"]",
         "error: found [ without matching ]: the input provided is invalid"},
        {"regex.globs_match", "[\"*\",\"a\"]",
         "error: flag must be preceded by a non-flag: the input provided is invalid"},
        {"regex.globs_match", "[\"a\",\"\\\\\"]",
         "error: input ends with a \\ (escape) character: the input provided is invalid"},
        {"regex.globs_match", "[\"[z-a]\",\"a\"]",
         "error: range is out of order: the input provided is invalid"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
