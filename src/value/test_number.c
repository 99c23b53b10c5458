/* test_number.c - exact numbers: which spellings are equal, order, doubles, plain digits. */
#include "base/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/number.h"
#include "value/value.h"

static void json_numbers_only(void **state)
{
    (void)state;
    static const char *const good[] = {"0",   "-0",   "1",    "10",     "-12.5",
                                       "1e5", "1E+5", "1e-5", "0.1e01", "1e99999999999999999999"};
    static const char *const bad[] = {"",   "-",   "+1",    "01",  "-01",   "1.",
                                      ".5", "1e",  "1e+",   "0x1", "NaN",   "1 ",
                                      " 1", "1,5", "1e5.5", "--1", "1e5e5", "1.5.5"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(number_is_valid(str_from(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(number_is_valid(str_from(bad[i])));
}

/* In ascending order; what stands in one row is one number. */
static const char *const rows[][6] = {
    {"-1e9999999999999999999"},
    {"-1e999999999999999999", "-10e999999999999999998"},
    {"-1e999999999", "-10e999999998", "-0.1e1000000000"},
    {"-9223372036854775809"},
    {"-9223372036854775808", "-9223372036854775808.0", "-9.223372036854775808e18"},
    {"-100", "-1e2", "-1E+2", "-100.00", "-0.1e3"},
    {"-99.99"},
    {"-1e-999999999"},
    {"0", "-0", "0.0", "-0.0", "0e5", "0e-99999999999999999999"},
    {"1e-99999999999999999999"},
    {"1e-400"},
    {"0.001", "1e-3", "0.0010", "100e-5"},
    {"0.1", "1e-1", "0.10", "0.0001e3", "1000e-4"},
    {"0.1000000000000000055511151231257827021181583404541015625"}, /* what the double 0.1 is */
    {"1", "1.0", "10e-1", "0.1e1", "1e0", "1e-0"},
    {"1.5", "15e-1"},
    {"9"},
    {"10", "1e1"},
    {"9223372036854775807", "9223372036854775807.0"},
    {"9223372036854775808", "9.223372036854775808e18"},
    {"123456789012345678901234567890", "1.2345678901234567890123456789e29"},
    {"123456789012345678901234567890.5", "1234567890123456789012345678905e-1"},
    {"123456789012345678901234567891"},
    {"1e400", "10e399"},
    {"1e999999999", "0.01e1000000001"},
    {"9e999999999"},
    {"1e9999999999999999999", "1e+09999999999999999999"},
    {"1e99999999999999999999"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void order_and_equality_are_by_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++)
            for (size_t x = 0; x < 6 && rows[i][x]; x++)
                for (size_t y = 0; y < 6 && rows[j][y]; y++) {
                    struct value a = value_number(str_from(rows[i][x]));
                    struct value b = value_number(str_from(rows[j][y]));
                    int got = number_compare(&a, &b), want = (i > j) - (i < j);
                    if (got != want)
                        fail_msg("%s against %s: %d", rows[i][x], rows[j][y], got);
                    assert_int_equal(value_equal(&a, &b), i == j);
                    if (i == j)
                        assert_int_equal(number_hash(&a, 7), number_hash(&b, 7));
                    else
                        assert_int_not_equal(number_hash(&a, 7), number_hash(&b, 7));
                }
}

static void ints_and_texts_compare_alike(void **state)
{
    (void)state;
    static const int64_t ints[] = {INT64_MIN, -10, -1, 0, 1, 10, 100, INT64_MAX};
    for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) {
        char text[40];
        int64_t back;
        struct value a = value_int(ints[i]);
        (void)snprintf(text, sizeof text, "%lld.0e0", (long long)ints[i]);
        struct value b = value_number(str_from(text));
        assert_int_equal(b.form, NUMBER_TEXT);
        assert_int_equal(number_compare(&a, &b), 0);
        assert_int_equal(number_compare(&b, &a), 0);
        assert_int_equal(number_hash(&a, 1), number_hash(&b, 1));
        assert_true(value_to_int64(&b, &back) && back == ints[i]);
    }
}

static void int64_where_it_fits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits;
        int64_t want;
    } cases[] = {
        {"1e3", true, 1000},
        {"5.0", true, 5},
        {"-0", true, 0},
        {"0.00e9", true, 0},
        {"12.5e1", true, 125},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"-922337203685477580.8e1", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"1e19", false, 0},
        {"1e99999999999999999999", false, 0},
        {"0.5", false, 0},
        {"1e-1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 42;
        assert_int_equal(number_to_int64(str_from(cases[i].text), &got), cases[i].fits);
        assert_int_equal(got, cases[i].fits ? cases[i].want : 42);
    }
}

static void the_form_is_int_only_where_nothing_is_lost(void **state)
{
    (void)state;
    assert_int_equal(value_number(STR("12")).form, NUMBER_INT);
    assert_int_equal(value_number(STR("-9223372036854775808")).form, NUMBER_INT);
    assert_int_equal(value_number(STR("-0")).form, NUMBER_TEXT);
    assert_int_equal(value_number(STR("1.0")).form, NUMBER_TEXT);
    assert_int_equal(value_number(STR("1e2")).form, NUMBER_TEXT);
    assert_int_equal(value_number(STR("9223372036854775808")).form, NUMBER_TEXT);
}

static void doubles_are_nearest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double want;
        bool exact;
    } cases[] = {
        {"0", 0, true},
        {"1", 1, true},
        {"0.5", 0.5, true},
        {"0.1", 0.1, false},
        {"-2.5e3", -2500, true},
        {"9007199254740993", 9007199254740992.0, false},
        {"9007199254740993.00000000000000000000000000001", 9007199254740994.0, false},
        {"9223372036854775808", 0x1p63, true},
        {"9223372036854775807", 0x1p63, false},
        {"1e23", 1e23, false},
        {"99999999999999991611392", 1e23, true},
        {"0.1000000000000000055511151231257827021181583404541015625", 0.1, true},
        {"1e400", INFINITY, false},
        {"-1e400", -INFINITY, false},
        {"1e999999999", INFINITY, false},
        {"1e-400", 0, false},
        {"1e99999999999999999999", INFINITY, false},
        {"1e-99999999999999999999", 0, false},
        {"4.9e-324", 0x1p-1074, false},
        {"1.7976931348623157e308", 0x1.fffffffffffffp1023, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool exact;
        struct value v = value_number(str_from(cases[i].text));
        double got = number_to_double(&v, &exact);
        if (got != cases[i].want || exact != cases[i].exact)
            fail_msg("%s: %.17g %d", cases[i].text, got, exact);
    }
}

/* 2^-1074 has 751 digits, and half of it, the hardest case of rounding, one more. */
static void doubles_of_many_digits(void **state)
{
    (void)state;
    char text[1200];
    bool exact;
    (void)snprintf(text, sizeof text, "%.1074f", 0x1p-1074);
    struct value v = value_number(str_from(text));
    assert_true(number_to_double(&v, &exact) == 0x1p-1074);
    assert_true(exact);
    (void)snprintf(text, sizeof text, "%.1074f", 3 * 0x1p-1074);
    text[strlen(text) - 1]++;
    v = value_number(str_from(text));
    assert_true(number_to_double(&v, &exact) == 3 * 0x1p-1074);
    assert_false(exact);
}

static void plain_digits_as_terraform_prints(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* NULL: too long */
    } cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"0e99999999999999999999", "0"},
        {"1e30", "1000000000000000000000000000000"},
        {"1.50", "1.5"},
        {"-1.50e1", "-15"},
        {"1.5e-7", "0.00000015"},
        {"0.05", "0.05"},
        {"12.34e1", "123.4"},
        {"12.34e2", "1234"},
        {"12.34e3", "12340"},
        {"12.34e-1", "1.234"},
        {"12.34e-2", "0.1234"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"18446744073709551615", "18446744073709551615"},
        {"123456789012345678901234567890.5", "123456789012345678901234567890.5"},
        {"1e50", NULL},
        {"1e-50", NULL},
        {"1e999999999", NULL},
        {"1e-999999999", NULL},
        {"1e99999999999999999999", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 12};
        struct err err = {0};
        struct str got = {0};
        struct value v = value_number(str_from(cases[i].text));
        bool ok = number_print_plain(&arena, &v, 50, &got, &err);
        assert_int_equal(ok, cases[i].want != NULL);
        if (ok)
            assert_string_equal(got.ptr, cases[i].want);
        else
            assert_int_equal(err.kind, ERR_LIMIT);
    }
}

static void shortest_text_of_a_double(void **state)
{
    (void)state;
    static const struct {
        double x;
        const char *want;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {0.1, "0.1"},
        {-0.1, "-0.1"},
        {1, "1"},
        {1e21, "1e+21"},
        {1e300, "1e+300"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e-6, "0.000001"},
        {1e-7, "1e-7"},
        {0x1p-1074, "5e-324"},
        {0x1p-1022, "2.2250738585072014e-308"},
        {0x1p-44, "5.684341886080802e-14"}, /* nearest of 16 digits: ...801 reads as another */
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {9007199254740993.0, "9007199254740992"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    AUTO_ARENA arena = {.limit = 1 << 16};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str got = number_from_double(&arena, cases[i].x);
        assert_string_equal(got.ptr, cases[i].want);
        assert_true(number_is_valid(got));
        assert_true(strtod(got.ptr, NULL) == cases[i].x);
    }
    assert_null(number_from_double(&arena, INFINITY).ptr);
    assert_null(number_from_double(&arena, NAN).ptr);
}

static void random_doubles_come_back(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (unsigned i = 0; i < 20000; i++) {
        AUTO_ARENA arena = {.limit = 1 << 12};
        double x;
        bool exact;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memcpy(&x, &seed, sizeof x);
        if (!isfinite(x))
            continue;
        struct str text = number_from_double(&arena, x);
        struct value v = value_number(text);
        assert_true(number_is_valid(text));
        assert_true(number_to_double(&v, &exact) == x);
        struct str whole = arena_printf(&arena, "%.766e", x);
        v = value_number(whole);
        assert_true(number_to_double(&v, &exact) == x);
        assert_true(exact);
    }
}

static void other_spellings(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 12};
    struct value v = value_number(STR("-0.001204500e7"));
    assert_string_equal(number_print_scientific(&arena, &v).ptr, "-1.2045e+4");
    assert_int_equal(number_digits(&v), 5);
    assert_true(number_is_integer(&v));
    v = value_number(STR("1e-999999999"));
    assert_string_equal(number_print_scientific(&arena, &v).ptr, "1e-999999999");
    assert_false(number_is_integer(&v));
    v = value_number(STR("1.0"));
    assert_true(str_equal(number_text(&arena, &v), STR("1.0")));
    v = value_int(INT64_MIN);
    assert_true(str_equal(number_text(&arena, &v), STR("-9223372036854775808")));
    v = value_int(0);
    assert_true(str_equal(number_text(&arena, &v), STR("0")));
    assert_int_equal(number_digits(&v), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_numbers_only),
        cmocka_unit_test(order_and_equality_are_by_value),
        cmocka_unit_test(ints_and_texts_compare_alike),
        cmocka_unit_test(int64_where_it_fits),
        cmocka_unit_test(the_form_is_int_only_where_nothing_is_lost),
        cmocka_unit_test(doubles_are_nearest),
        cmocka_unit_test(doubles_of_many_digits),
        cmocka_unit_test(plain_digits_as_terraform_prints),
        cmocka_unit_test(shortest_text_of_a_double),
        cmocka_unit_test(random_doubles_come_back),
        cmocka_unit_test(other_spellings),
    };
    return cmocka_run_group_tests_name("value/number", tests, NULL, NULL);
}
