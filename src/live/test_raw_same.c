/* test_raw_same.c - what two texts are called the same by their bytes, and that it is never wrong.
 */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "live/raw_same.h"
#include "value/value.h"
#include "wire/json.h"

static const struct {
    const char *a, *b;
    bool same;
    uint64_t leaves;
} cases[] = {
    {"{}", "{}", true, 1},
    {"{}", "{ }", true, 1},
    {"[]", "[\n]", true, 1},
    {"1", "1", true, 1},
    {"1", "10", false, 0},
    {"10", "1", false, 0},
    {"true", "true", true, 1},
    {"null", "false", false, 0},
    {"{\"a\":1}", " { \"a\" : 1 } ", true, 1},
    {"{\"a\":[1,2,{\"b\":[],\"c\":{}}],\"d\":\"x\"}",
     "{\n  \"a\": [\n    1,\n    2,\n    {\n      \"b\": [],\n      \"c\": {}\n    }\n  ],\n"
     "  \"d\": \"x\"\n}",
     true, 5},
    {"{\"a\":\"a string of more than sixteen bytes\"}",
     "{\"a\":\"a string of more than sixteen bytes\"}", true, 1},
    {"{\"a\":\"a string of more than sixteen bytes\"}",
     "{\"a\":\"a string of more than sixteen Bytes\"}", false, 0},
    {"\"a \\\" b \\\\\"", "\"a \\\" b \\\\\"", true, 1},
    {"\"a\\\\\"", "\"a\\\\ \"", false, 0},
    {"\"\xc3\xa4\"", "\"\\u00e4\"", false, 0}, /* spelling: whoever parses both sees it */
    {"1.0", "1", false, 0},
    {"1e2", "1e2", true, 1},
    {"{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}", false,
     0}, /* not ascending: could hide a duplicate */
    {"{\"a\":1,\"a\":1}", "{\"a\":1,\"a\":1}", false, 0},
    {"{\"a\":{\"a\":{\"a\":1}}}", "{\"a\":{\"a\":{\"a\":1}}}", true, 1},
    {"{\"a\":{\"z\":1},\"b\":2}", "{\"a\":{\"z\":1},\"b\":2}", true, 2},
    {"{\"\\u0061\":1}", "{\"\\u0061\":1}", false, 0}, /* escaped keys have another order */
    {"{\"a\":1}", "{\"a\":1,\"b\":2}", false, 0},
    {"[1]", "[1,2]", false, 0},
    {"[[1],2]", "[[1,2]]", false, 0},
    {"[1,[2]]", "[1,[2]]", true, 2},
    {"[]", "{}", false, 0},
    {"[1]", "[]", false, 0},
    {"[]", "[1]", false, 0},
    {"{\"a\":\"x\"} trailing", "{\"a\":\"x\"}, other", true, 1},
};

static void each_case(void **state)
{
    (void)state;
    struct raw_scratch *scratch = malloc(sizeof *scratch);
    assert_non_null(scratch);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int turn = 0; turn < 2; turn++) {
            uint64_t leaves = 0;
            struct str a = str_from(turn ? cases[i].b : cases[i].a);
            struct str b = str_from(turn ? cases[i].a : cases[i].b);
            if (raw_same(scratch, a, b, &leaves) != cases[i].same || leaves != cases[i].leaves)
                fail_msg("%s | %s: leaves %d", cases[i].a, cases[i].b, (int)leaves);
        }
    }
    free(scratch);
}

/* A small generator of values with hard strings; the same seed gives the same text. */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void generate(struct buf *out, uint32_t *seed, unsigned depth_left)
{
    static const char *const scalars[] = {"1", "1.0",       "-0",       "true", "null", "\"\"",
                                          "2", "\"a\\\"\"", "\"\\\\\"", "1e2",  "100"};
    uint32_t kind = next(seed) % (depth_left ? 4 : 2);
    if (kind == 0) {
        buf_str(out, str_from(scalars[next(seed) % 11]));
    } else if (kind == 1) {
        buf_char(out, '"');
        for (uint32_t n = next(seed) % 40; n; n--)
            buf_char(out, "abc xyz"[next(seed) % 7]);
        buf_char(out, '"');
    } else {
        buf_char(out, kind == 2 ? '[' : '{');
        uint32_t n = next(seed) % 4;
        for (uint32_t i = 0; i < n; i++) {
            buf_str(out, i ? STR(", ") : STR(" "));
            if (kind == 3)
                buf_printf(out, "\"%c\":", "abbcdd"[(i + next(seed) % 3) % 6]);
            generate(out, seed, depth_left - 1);
        }
        buf_char(out, kind == 2 ? ']' : '}');
    }
}

/* Whatever raw_same() calls the same, the tree does too, with as many leaves. */
static void it_is_never_wrong(void **state)
{
    (void)state;
    struct raw_scratch *scratch = malloc(sizeof *scratch);
    uint32_t seed = 7;
    size_t same = 0;
    assert_non_null(scratch);
    for (int i = 0; i < 20000; i++) {
        AUTO_BUF a = {.limit = 1 << 20}, b = {.limit = 1 << 20};
        AUTO_ARENA arena = {.limit = 1 << 20};
        uint32_t from = next(&seed), other = i % 3 ? from : next(&seed);
        struct value x, y;
        uint64_t leaves;
        generate(&a, &from, 3);
        generate(&b, &other, 3);
        if (b.len > 2 && i % 3 == 1) /* one byte of it changed */
            b.ptr[1 + next(&seed) % (b.len - 2)] = '1';
        bool ok = json_parse(&arena, buf_view(&a), "a", 0, &x, NULL) &&
                  json_parse(&arena, buf_view(&b), "b", 0, &y, NULL);
        if (!ok || !raw_same(scratch, buf_view(&a), buf_view(&b), &leaves))
            continue;
        assert_true(value_equal(&x, &y));
        same++;
    }
    print_message("  %zu pairs were the same\n", same);
    assert_true(same > 1000);
    free(scratch);
}

static void deep_values(void **state)
{
    (void)state;
    struct raw_scratch *scratch = malloc(sizeof *scratch);
    AUTO_BUF text = {.limit = 1 << 20};
    uint64_t leaves;
    assert_non_null(scratch);
    for (int i = 0; i < JSON_DEPTH_MAX; i++)
        buf_str(&text, i % 2 ? STR("{\"k\":") : STR("["));
    buf_char(&text, '1');
    for (int i = JSON_DEPTH_MAX; i-- > 0;)
        buf_char(&text, i % 2 ? '}' : ']');
    assert_true(raw_same(scratch, buf_view(&text), buf_view(&text), &leaves));
    assert_int_equal(leaves, 1);
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(it_is_never_wrong),
        cmocka_unit_test(deep_values),
    };
    return cmocka_run_group_tests_name("live/raw_same", tests, NULL, NULL);
}
