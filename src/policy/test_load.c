/* test_load.c - merging documents, and JSON spread over lines. */
#include "base/arena.h"
#include "base/err.h"
#include "base/test.h"
#include "policy/load.h"
#include "policy/plain.h"
#include "wire/json.h"

static const struct {
    const char *says, *a, *b, *want, *clash;
} merges[] = {
    {"nothing and something", "{}", "{\"a\":1}", "{\"a\":1}", NULL},
    {"beside each other, in order", "{\"b\":1,\"d\":2}", "{\"a\":3,\"c\":4}",
     "{\"a\":3,\"b\":1,\"c\":4,\"d\":2}", NULL},
    {"objects below each other", "{\"a\":{\"b\":{\"x\":1}}}", "{\"a\":{\"b\":{\"y\":2},\"c\":3}}",
     "{\"a\":{\"b\":{\"x\":1,\"y\":2},\"c\":3}}", NULL},
    {"equal values clash, too", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}", NULL, "a.b"},
    {"an object and a number", "{\"a\":{\"b\":1}}", "{\"a\":1}", NULL, "a"},
    {"lists are not joined", "{\"a\":[1]}", "{\"a\":[2]}", NULL, "a"},
};

static void documents_are_merged_or_clash(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 16};
        struct value a, b, got;
        struct str clash;
        print_message("  %s\n", merges[i].says);
        assert_true(json_parse(&arena, str_from(merges[i].a), "a", 0, &a, NULL));
        assert_true(json_parse(&arena, str_from(merges[i].b), "b", 0, &b, NULL));
        bool ok = policy_merge(&arena, &a, &b, &got, &clash);
        assert_int_equal(ok, merges[i].want != NULL);
        if (!ok) {
            assert_string_equal(arena_printf(&arena, "%.*s", STR_ARG(clash)).ptr, merges[i].clash);
            continue;
        }
        struct jsonw w = {.out = &out};
        jsonw_value(&w, &got);
        assert_true(str_equal(buf_view(&out), str_from(merges[i].want)));
    }
}

static void a_full_arena_is_no_clash(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20}, full = {0};
    struct value a, b, got;
    struct str clash;
    assert_true(json_parse(&arena, STR("{\"a\":1}"), "a", 0, &a, NULL));
    assert_true(json_parse(&arena, STR("{\"b\":1}"), "b", 0, &b, NULL));
    assert_false(policy_merge(&full, &a, &b, &got, &clash));
    assert_null(clash.ptr);
}

static const struct {
    const char *json, *want;
} layouts[] = {
    {"1", "1"},
    {"{}", "{}"},
    {"[[],{}]", "[\n  [],\n  {}\n]"},
    {"{\"a\":[1,\"x\"]}", "{\n  \"a\": [\n    1,\n    \"x\"\n  ]\n}"},
    {"{\"a{,:\\\"}\":\"[\\\\\"}", "{\n  \"a{,:\\\"}\": \"[\\\\\"\n}"},
};

static void json_is_spread_over_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        AUTO_BUF out = {.limit = 1 << 16};
        print_message("  %s\n", layouts[i].json);
        policy_json_indent(&out, str_from(layouts[i].json), STR("  "));
        assert_true(str_equal(buf_view(&out), str_from(layouts[i].want)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_merged_or_clash),
        cmocka_unit_test(a_full_arena_is_no_clash),
        cmocka_unit_test(json_is_spread_over_lines),
    };
    return cmocka_run_group_tests_name("policy/load", tests, NULL, NULL);
}
