/* test_term.c - Rego's values: order, lookup, sets and objects, text, arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/term.h"
#include "wire/json.h"

static struct value parse(struct arena *arena, const char *text)
{
    struct value v;
    assert_true(json_parse(arena, str_from(text), "test", JSON_DEFAULT, &v, NULL));
    return v;
}

static void assert_text(const struct value *v, const char *want)
{
    AUTO_BUF out = {.limit = 1 << 20};
    rego_text(&out, v);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, want);
}

static void test_order(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    static const char *const sorted[] = {
        "null",     "false", "true", "-1",    "0.5", "1",  "1e1",       "\"\"",
        "\"a\"",    "[]",    "[1]",  "[1,2]", "[2]", "{}", "{\"a\":1}", "{\"a\":1,\"b\":0}",
        "{\"a\":2}"};
    for (size_t i = 0; i < sizeof sorted / sizeof *sorted; i++)
        for (size_t j = 0; j < sizeof sorted / sizeof *sorted; j++) {
            struct value a = parse(&arena, sorted[i]), b = parse(&arena, sorted[j]);
            int c = rego_compare(&a, &b);
            assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
            assert_int_equal(rego_equal(&a, &b), i == j);
        }
}

static void test_numbers_by_value(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value items[] = {parse(&arena, "1.0"), parse(&arena, "2"), parse(&arena, "10e-1")};
    assert_true(rego_hash(&items[0]) == rego_hash(&items[2]));
    struct value set = rego_make_set(items, 3);
    assert_int_equal(set.len, 2);
    struct value one = value_int(1), three = value_int(3);
    assert_non_null(rego_get(&set, &one));
    assert_null(rego_get(&set, &three));
}

static void test_objects_of_both_forms(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value members = parse(&arena, "{\"b\":[1,2.50],\"a\":null}"), pairs;
    assert_true(rego_copy(&arena, &members, &pairs));
    assert_int_equal(pairs.kind, REGO_PAIRS);
    assert_true(rego_equal(&members, &pairs));
    assert_true(rego_hash(&members) == rego_hash(&pairs));
    assert_text(&pairs, "{\"a\": null, \"b\": [1, 2.50]}");
    struct value b = value_string(STR("b")), index = parse(&arena, "1.0");
    assert_text(rego_get(rego_get(&members, &b), &index), "2.50");
    assert_text(rego_get(rego_get(&pairs, &b), &index), "2.50");
}

static void test_clash(void **state)
{
    (void)state;
    struct rego_pair same[] = {
        {value_int(2), value_int(1)}, {value_int(1), value_int(3)}, {value_int(2), value_int(1)}};
    struct rego_pair other[] = {{value_int(2), value_int(1)}, {value_int(2), value_int(3)}};
    struct value object;
    size_t clash;
    assert_true(rego_make_object(same, 3, &object, &clash));
    assert_text(&object, "{1: 3, 2: 1}");
    assert_false(rego_make_object(other, 2, &object, &clash));
    assert_int_equal(clash, 1);
}

static void test_json(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = 1 << 20};
    struct value items[] = {value_int(3), value_string(STR("<\xe2\x80\xa8"))};
    struct value set = rego_make_set(items, 2), object;
    struct rego_pair pair[] = {{set, value_null()}};
    size_t clash;
    assert_true(rego_make_object(pair, 1, &object, &clash));
    rego_json(&out, &object);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, "{\"[3,\\\"\\\\u003c\\\\u2028\\\"]\":null}");
}

static void test_arithmetic(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        enum rego_op op;
        const char *b, *want;
    } cases[] = {
        {"0.1", REGO_ADD, "0.2", "0.3"},
        {"1", REGO_DIV, "3", "0.33333333333333333334"},
        {"2", REGO_DIV, "3", "0.6666666666666666667"},
        {"100", REGO_MUL, "1.1", "110"},
        {"1234567.5", REGO_ADD, "0", "1.2345675e+06"},
        {"123456.5", REGO_ADD, "0", "123456.5"},
        {"0.00001", REGO_ADD, "0", "1e-05"},
        {"0.0001", REGO_ADD, "0", "0.0001"},
        {"10", REGO_DIV, "2", "5"},
        {"1e5", REGO_ADD, "0", "100000"},
        {"1.50", REGO_ADD, "0", "1.5"},
        {"123456789012345678901234567890", REGO_ADD, "1", "123456789012345678901234567891"},
        {"123456789012345678901234567890.5", REGO_MUL, "3", "370370367037037036700000000000"},
        {"0.000001", REGO_MUL, "0.1", "1.00000000000000000005e-07"},
        {"9223372036854775807", REGO_ADD, "1", "9223372036854775808"},
        {"-9223372036854775808", REGO_DIV, "-1", "9223372036854775808"},
        {"-7", REGO_REM, "2", "-1"},
        {"1", REGO_DIV, "0", NULL},
        {"1", REGO_REM, "0", NULL},
        {"1.5", REGO_REM, "1", NULL},
    };
    AUTO_ARENA arena = {.limit = 1 << 20};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct value a = parse(&arena, cases[i].a), b = parse(&arena, cases[i].b), r;
        const char *why = NULL;
        bool ok = rego_arith(&arena, cases[i].op, &a, &b, &r, &why);
        assert_int_equal(ok, cases[i].want != NULL);
        if (ok)
            assert_text(&r, cases[i].want);
        else
            assert_non_null(why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_numbers_by_value),
        cmocka_unit_test(test_objects_of_both_forms),
        cmocka_unit_test(test_clash),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
