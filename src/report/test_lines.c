/* test_lines.c - changes as people see them: a row is a change and the lines that it gives. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

#define TEN "1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n"
#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *says;
    const char *before, *after; /* JSON, NULL: not there */
    const char *text;           /* width 80 */
    const char *markdown;       /* NULL: the same */
} cases[] = {
    {"short values stand on one line", "1", "2", "~ p  1 -> 2\n", "- p = 1\n+ p = 2\n"},
    {"null is a value", "null", "[]", "~ p  null -> []\n", "- p = null\n+ p = []\n"},
    {"added", NULL, "true", "+ p  true\n", "+ p = true\n"},
    {"removed", "\"x\"", NULL, "- p  \"x\"\n", "- p = \"x\"\n"},
    {"numbers keep their spelling", "1.10", "1e400", "~ p  1.10 -> 1e400\n",
     "- p = 1.10\n+ p = 1e400\n"},
    {"a line of a text", "\"a\\nb\\nc\\n\"", "\"a\\nB\\nc\\n\"",
     "~ p\n      a\n    - b\n    + B\n      c\n", "! p\n      a\n-     b\n+     B\n      c\n"},
    {"far lines are left out", "\"" TEN "x\\n" TEN "\"", "\"" TEN "y\\n" TEN "\"",
     "~ p\n      ... 7 unchanged lines\n      8\n      9\n    - x\n    + y\n      1\n      2\n"
     "      ... 7 unchanged lines\n",
     "! p\n      ... 7 unchanged lines\n      8\n      9\n-     x\n+     y\n      1\n      2\n"
     "      ... 7 unchanged lines\n"},
    {"one left-out line is no gain", "\"1\\n2\\n3\\nx\\n\"", "\"1\\n2\\n3\\ny\\n\"",
     "~ p\n      1\n      2\n      3\n    - x\n    + y\n",
     "! p\n      1\n      2\n      3\n-     x\n+     y\n"},
    {"an inserted line is one line", "\"a\\nb\\n\"", "\"a\\nnew\\nb\\n\"",
     "~ p\n      a\n    + new\n      b\n", "! p\n      a\n+     new\n      b\n"},
    {"the last newline only", "\"a\\nb\\n\"", "\"a\\nb\"",
     "~ p\n      ... 2 unchanged lines\n      (live ends without a newline)\n", NULL},
    {"JSON inside of a string", "\"{\\\"a\\\":1,\\\"b\\\":\\\"" LONG "\\\"}\"",
     "\"{\\\"a\\\":2,\\\"b\\\":\\\"" LONG "\\\"}\"",
     "~ p\n      {\n    -   \"a\": 1,\n    +   \"a\": 2,\n        \"b\": \"" LONG "\"\n      }\n",
     "! p\n      {\n-       \"a\": 1,\n+       \"a\": 2,\n        \"b\": \"" LONG "\"\n      }\n"},
    {"what two long strings share is cut", "\"" LONG "1" LONG "\"", "\"" LONG "2" LONG "\"",
     "~ p\n    - ...\"aaaaaaaaaaaaaaaa1aaaaaaaaaaaaaaaa\"...\n"
     "    + ...\"aaaaaaaaaaaaaaaa2aaaaaaaaaaaaaaaa\"...\n",
     "! p\n-     ...\"aaaaaaaaaaaaaaaa1aaaaaaaaaaaaaaaa\"...\n"
     "+     ...\"aaaaaaaaaaaaaaaa2aaaaaaaaaaaaaaaa\"...\n"},
    {"a wide object has a line for each member, none for null", NULL,
     "{\"a\":\"" LONG "\",\"b\":null,\"c\":[1,2]}",
     "+ p  {\n    + a = \"" LONG "\"\n    + c = [1, 2]\n+ }\n",
     "+ p = {\n+     a = \"" LONG "\"\n+     c = [1, 2]\n+ }\n"},
    {"a small object stands on one line", NULL, "{\"a b\":1}", "+ p  {\"a b\" = 1}\n",
     "+ p = {\"a b\" = 1}\n"},
};

static const struct value *parse(struct arena *arena, const char *text)
{
    struct value *v = arena_new(arena, struct value, 1);
    if (!text)
        return NULL;
    assert_true(json_parse(arena, str_from(text), "case", JSON_COPY, v, NULL));
    return v;
}

static void check(const struct finding *finding, bool sign_first, const char *want)
{
    struct line_style style = {.width = 80, .sign_first = sign_first};
    struct report_options options = {0};
    AUTO_BUF out = {.limit = 1 << 20};
    lines_of_finding(&out, finding, &options, &style);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, want);
}

static void changes_read_as_each_case_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct change change = {.path = STR("p"),
                                .before = parse(&arena, cases[i].before),
                                .after = parse(&arena, cases[i].after),
                                .configurable = true};
        struct finding finding = {.changes = &change, .nchanges = 1};
        print_message("  %s\n", cases[i].says);
        check(&finding, false, cases[i].text);
        if (cases[i].markdown)
            check(&finding, true, cases[i].markdown);
    }
}

static void a_secret_says_only_that_it_changed(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct change change = {.path = STR("p"),
                            .before = parse(&arena, "\"old\\nlines\\n\""),
                            .after = parse(&arena, "\"new\\nlines\\n\""),
                            .sensitive = true,
                            .configurable = true};
    struct finding finding = {.changes = &change, .nchanges = 1};
    check(&finding, false, "~ p  (sensitive) changed\n");
    check(&finding, true, "! p  (sensitive) changed\n");
    change.before = NULL;
    check(&finding, false, "+ p  (sensitive)\n");
}

static void numbers_have_commas(void **state)
{
    (void)state;
    static const struct {
        uint64_t n;
        const char *text;
    } rows[] = {{0, "0"},
                {999, "999"},
                {1000, "1,000"},
                {1234567, "1,234,567"},
                {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_BUF out = {.limit = 100};
        text_number(&out, rows[i].n);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, rows[i].text);
    }
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    struct str s = STR("a\xc3\xa9\xe2\x82\xac");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6};
    for (size_t n = 0; n < sizeof want / sizeof *want; n++)
        assert_int_equal(text_cut(s, n).len, want[n]);
    assert_int_equal(text_columns(s), 3);
}

static void advice_is_for_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *reason, *advice;
    } rows[] = {
        {"provider x is not installed in .terraform", "terraform init"},
        {"AccessDenied: Access Denied", "let the scanning identity"},
        {"the file cannot be read: Permission denied", "let the scanning user"},
        {"no state and no import block: nobody can say which object it is",
         "apply the stack first"},
        {"something else", "remove this reason"},
        {"", "remove this reason"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_non_null(strstr(unchecked_advice(str_from(rows[i].reason)), rows[i].advice));
}

/* Each side of the difference, put together again, is the text that went in. */
struct sides {
    struct str rest; /* of the text before: what a skipped run is taken from */
    struct buf side[2];
};

static bool put_back(void *ctx, char sign, struct str line, size_t skipped)
{
    struct sides *sides = ctx;
    for (size_t n = sign == '@' ? skipped : 1; n > 0; n--) {
        struct str from = line;
        if (sign != '+')
            str_cut(&sides->rest, '\n', &from);
        for (int i = 0; i < 2; i++)
            if (sign != "+-"[i]) {
                buf_str(&sides->side[i], sign == '@' ? from : line);
                buf_char(&sides->side[i], '\n');
            }
    }
    return true;
}

static void line_differences_lose_nothing(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (unsigned round = 0; round < 500; round++) {
        AUTO_BUF a = {.limit = 1 << 16}, b = {.limit = 1 << 16};
        struct buf *const texts[] = {&a, &b};
        for (unsigned i = 0; i < 30; i++)
            for (int side = 0; side < 2; side++) {
                seed = seed * 1664525u + 1013904223u;
                if (seed >> 30)
                    buf_printf(texts[side], "%u\n", round % 2 ? seed >> 29 : i);
            }
        struct sides sides = {.rest = buf_view(&a),
                              .side = {{.limit = 1 << 16}, {.limit = 1 << 16}}};
        linediff(buf_view(&a), buf_view(&b), put_back, &sides);
        for (int side = 0; side < 2; side++) {
            assert_true(str_equal(buf_view(&sides.side[side]), buf_view(texts[side])));
            buf_free(&sides.side[side]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_read_as_each_case_says),
        cmocka_unit_test(a_secret_says_only_that_it_changed),
        cmocka_unit_test(numbers_have_commas),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(advice_is_for_the_reason),
        cmocka_unit_test(line_differences_lose_nothing),
    };
    return cmocka_run_group_tests_name("report/lines", tests, NULL, NULL);
}
