/* test_builtin_globs.c - regex.globs_match: pairs of patterns that share a text, and that do not.
 * glob.match: both of its ways give the same.
 */
#include "lang/rego/test_call.h"

#include "lang/rego/caches.h"

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

static bool glob(struct arena *arena, struct rego_caches *caches, struct str pattern,
                 const struct value *delimiters, struct str text)
{
    struct value ret = value_null(),
                 args[] = {value_string(pattern), *delimiters, value_string(text)};
    struct rego_call call = {
        .arena = arena, .caches = caches, .arg = args, .n = 3, .name = STR("glob.match")};
    assert_int_equal(rego_builtin_find(call.name)->run(&call, &ret), REGO_DEFINED);
    assert_int_equal(ret.kind, VALUE_BOOL);
    return ret.truth;
}

enum { PIECES = 7, CHARACTERS = 4 };

/* The i-th text of up to `most` of those pieces; false behind the last one. */
static bool nth(const char *const *piece, size_t npieces, size_t most, size_t i, struct buf *ret)
{
    ret->len = 0;
    size_t n = 0;
    for (size_t of_length = 1; n <= most && i >= of_length; of_length *= npieces, n++)
        i -= of_length;
    for (size_t k = 0; k < n && n <= most; k++, i /= npieces)
        buf_str(ret, str_from(piece[i % npieces]));
    return n <= most;
}

/* A glob in braces is the same glob, and goes by an automaton. */
static void globs_are_the_same_by_both_ways(void **state)
{
    (void)state;
    static const char *const piece[PIECES] = {"*", "?", "a", "/", "\xc3\xa9", "\\*", "**"};
    static const char *const character[CHARACTERS] = {"a", "/", "\xc3\xa9", "*"};
    AUTO_BUF pattern = {.limit = 1 << 10}, text = {.limit = 1 << 10};
    struct value slash = value_string(STR("/")), one = value_items(VALUE_TUPLE, &slash, 1);
    struct value null = value_null();
    size_t matches = 0;
    for (size_t i = 0; nth(piece, PIECES, 4, i, &pattern); i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct rego_caches *caches = rego_caches_open(&arena, NULL);
        struct str braced = arena_printf(&arena, "{%.*s}", STR_ARG(buf_view(&pattern)));
        for (size_t k = 0; nth(character, CHARACTERS, 3, k, &text); k++) {
            const struct value *delimiters = i % 3 ? &one : &null;
            bool plain = glob(&arena, caches, buf_view(&pattern), delimiters, buf_view(&text));
            if (plain != glob(&arena, caches, braced, delimiters, buf_view(&text)))
                fail_msg("%.*s, %.*s: %d", STR_ARG(buf_view(&pattern)), STR_ARG(buf_view(&text)),
                         plain);
            matches += plain;
        }
        rego_caches_close(caches);
    }
    assert_true(matches > 1000);
}

static void long_globs_end(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    AUTO_BUF pattern = {.limit = 1 << 20}, text = {.limit = 1 << 20};
    struct rego_caches *caches = rego_caches_open(&arena, NULL);
    struct value null = value_null();
    for (int i = 0; i < 60; i++)
        buf_str(&pattern, STR("**a*a"));
    for (int i = 0; i < 50000; i++)
        buf_char(&text, 'a');
    assert_true(glob(&arena, caches, buf_view(&pattern), &null, buf_view(&text)));
    assert_true(glob(&arena, caches, buf_view(&pattern), &null, str_sub(buf_view(&text), 0, 130)));
    assert_false(glob(&arena, caches, buf_view(&pattern), &null, str_sub(buf_view(&text), 0, 119)));
    buf_char(&text, 'b');
    assert_false(glob(&arena, caches, buf_view(&pattern), &null, buf_view(&text)));
    rego_caches_close(caches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs),
                                       cmocka_unit_test(globs_are_the_same_by_both_ways),
                                       cmocka_unit_test(long_globs_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
