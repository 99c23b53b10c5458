/* test_blank.c - where null and empty are one, and where they are not. */
#include "base/test.h"

#include "base/arena.h"
#include "live/reader_provider/blank.h"
#include "value/type.h"
#include "value/value.h"
#include "wire/json.h"

#define TYPE \
    "[\"object\",{\"s\":\"string\",\"n\":\"number\",\"l\":[\"list\",\"string\"]," \
    "\"m\":[\"map\",\"string\"],\"b\":[\"list\",[\"object\",{\"x\":\"string\"}]]," \
    "\"e\":[\"set\",[\"object\",{\"x\":\"string\",\"y\":\"string\"}]]}]"

static const struct {
    const char *a, *b;
    bool equal;
} rows[] = {
    {"{}", "{}", true},
    {"{\"s\":\"\"}", "{}", true},
    {"{\"l\":[]}", "{}", true},
    {"{\"m\":{},\"b\":[],\"e\":[]}", "{\"s\":\"\"}", true},
    {"{\"b\":[{\"x\":\"\"}]}", "{\"b\":[{\"x\":null}]}", true},
    {"{\"e\":[{\"x\":\"1\",\"y\":\"\"}]}", "{\"e\":[{\"x\":\"1\",\"y\":null}]}", true},
    {"{\"l\":[\"a\"],\"n\":1}", "{\"l\":[\"a\"],\"n\":1.0}", true},
    {"{\"s\":\"a\"}", "{}", false},
    {"{\"s\":\"a\"}", "{\"s\":\"\"}", false},
    {"{\"n\":0}", "{}", false},
    {"{\"l\":[\"\"]}", "{\"l\":[null]}", false},
    {"{\"l\":[\"\"]}", "{\"l\":[]}", false},
    {"{\"m\":{\"k\":\"\"}}", "{\"m\":{\"k\":null}}", false},
    {"{\"m\":{\"k\":\"\"}}", "{\"m\":{\"j\":\"\"}}", false},
    {"{\"b\":[{\"x\":\"\"}]}", "{\"b\":[]}", false},
    {"{\"b\":[{\"x\":\"\"}]}", "{}", false},
    {"{\"l\":[\"a\",\"b\"]}", "{\"l\":[\"b\",\"a\"]}", false},
    {"null", "{}", false},
};

static struct value make(struct arena *arena, const char *text)
{
    struct value raw, typed;
    const struct type *type = NULL;
    assert_true(json_parse(arena, STR(TYPE), "type", JSON_DEFAULT, &raw, NULL));
    assert_true(type_from_value(arena, &raw, &type, NULL));
    assert_true(json_parse(arena, str_from(text), "value", JSON_DEFAULT, &raw, NULL));
    assert_true(type_apply(arena, type, &raw, true, &typed, NULL));
    return typed;
}

static void null_and_empty_are_one_in_fields_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct value a = make(&arena, rows[i].a), b = make(&arena, rows[i].b);
        print_message("  %s %s %s\n", rows[i].a, rows[i].equal ? "=" : "is not", rows[i].b);
        assert_int_equal(blank_apart_equal(&a, &b), rows[i].equal);
        assert_int_equal(blank_apart_equal(&b, &a), rows[i].equal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(null_and_empty_are_one_in_fields_only)};
    return cmocka_run_group_tests_name("live/reader_provider/blank", tests, NULL, NULL);
}
