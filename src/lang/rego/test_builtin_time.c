/* test_builtin_time.c - moments at both ends of what 64 bits of nanoseconds hold. */
#include "lang/rego/test_call.h"

static void test_ends(void **state)
{
    (void)state;
    static const struct test_row rows[] = {
        {"time.date", "[-9223372036854775808]", "[1677,9,21]"},
        {"time.clock", "[-9223372036854775808]", "[0,12,43]"},
        {"time.weekday", "[-9223372036854775808]", "\"Tuesday\""},
        {"time.date", "[9223372036854775807]", "[2262,4,11]"},
        {"time.clock", "[9223372036854775807]", "[23,47,16]"},
        {"time.date", "[-1]", "[1969,12,31]"},
        {"time.clock", "[-1]", "[23,59,59]"},
        {"time.format", "[-1]", "\"1969-12-31T23:59:59.999999999Z\""},
        {"time.date", "[9223372036854775808]", "error: timestamp too big"},
        {"time.date", "[0.5]", "error: timestamp is not an integer"},
    };
    test_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
