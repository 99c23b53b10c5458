/* test_json.c - json_parse() and ndjson_next(): what is taken, what is refused and where. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "wire/json.h"

enum { LIMIT = 64 << 20 };

static struct str written(struct arena *arena, const struct value *v)
{
    AUTO_BUF buf = {.limit = LIMIT};
    struct jsonw w = {.out = &buf};
    jsonw_value(&w, v);
    return arena_dup(arena, buf_view(&buf));
}

static const struct {
    const char *text, *out;
} taken[] = {
    {"null", "null"},
    {" true ", "true"},
    {"\t\r\nfalse", "false"},
    {"0", "0"},
    {"-0", "-0"},
    {"1.0", "1.0"},
    {"1E5", "1E5"},
    {"0.1", "0.1"},
    {"1e400", "1e400"},
    {"-1e-400", "-1e-400"},
    {"9223372036854775807", "9223372036854775807"},
    {"[999999999999999999,-999999999999999999, 12,-7]                    ",
     "[999999999999999999,-999999999999999999,12,-7]"},
    {"[-0,0,0.5,10e2,1234567890123456789]                    ",
     "[-0,0,0.5,10e2,1234567890123456789]"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775808", "9223372036854775808"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"\"\"", "\"\""},
    {"\"a\\u0000b\"", "\"a\\u0000b\""},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"\"\\u00e4\\uD83D\\ude00\"", "\"\xc3\xa4\xf0\x9f\x98\x80\""},
    {"\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 and sixteen more\"",
     "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 and sixteen more\""},
    {"\"\x7f\"", "\"\x7f\""},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[ ]", "[]"},
    {"{\n}", "{}"},
    {"[1,[2,[]],{}]", "[1,[2,[]],{}]"},
    {"{\"b\":1,\"a\":[{\"x\":null}]}", "{\"a\":[{\"x\":null}],\"b\":1}"},
    {"{\"\":0}", "{\"\":0}"},
    {"{\"\\u0061b\":0}", "{\"ab\":0}"},
    {"[\n                                   1,\n\n                 2\n]", "[1,2]"},
};

static void takes_what_the_grammar_allows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        for (unsigned flags = 0; flags < 8; flags++) {
            AUTO_ARENA arena = {.limit = LIMIT};
            struct err err = {0};
            struct value v;
            if (!json_parse(&arena, str_from(taken[i].text), "t", flags, &v, &err))
                fail_msg("%s: %s", taken[i].text, err.frame[0]);
            assert_string_equal(written(&arena, &v).ptr, taken[i].out);
        }
    }
}

#define TEXT(literal) \
    { \
        literal, sizeof(literal) - 1 \
    }
static const struct {
    struct {
        const char *ptr;
        size_t len;
    } text;
    const char *message;
} refused[] = {
    {TEXT(""), "t:1:1: empty: a JSON value was expected"},
    {TEXT(" \n "), "t:2:2: empty: a JSON value was expected"},
    {TEXT("\xef\xbb\xbf{}"),
     "t:1:1: begins with a byte order mark (BOM): save it as UTF-8 without"},
    {TEXT("{} {}"), "t:1:4: more text behind the end of the value"},
    {TEXT("1 2"), "t:1:3: more text behind the end of the value"},
    {TEXT("01"), "t:1:1: a number must not begin with 0"},
    {TEXT("-01"), "t:1:2: a number must not begin with 0"},
    {TEXT("1."), "t:1:3: a number wants a digit behind its point"},
    {TEXT("-"), "t:1:2: a number wants a digit here"},
    {TEXT("1e"), "t:1:3: a number wants a digit in its exponent"},
    {TEXT("1e+"), "t:1:4: a number wants a digit in its exponent"},
    {TEXT("+1"), "t:1:1: a number begins with a digit or '-'"},
    {TEXT(".5"), "t:1:1: a number begins with a digit or '-'"},
    {TEXT("NaN"), "t:1:1: NaN and Infinity are not JSON"},
    {TEXT("-Infinity"), "t:1:2: a number wants a digit here"},
    {TEXT("nul"), "t:1:1: not a JSON value"},
    {TEXT("truee"), "t:1:5: more text behind the end of the value"},
    {TEXT("'a'"), "t:1:1: a string wants double quotes"},
    {TEXT("[1,]"), "t:1:4: a comma with nothing behind it"},
    {TEXT("[,1]"), "t:1:2: a comma with nothing before it"},
    {TEXT("{\"a\":1,}"), "t:1:8: a comma with nothing behind it"},
    {TEXT("{\"a\" 1}"), "t:1:6: expected ':' behind a key"},
    {TEXT("{a:1}"), "t:1:2: expected a key in quotes"},
    {TEXT("[1 2]"), "t:1:4: expected ',' or ']'"},
    {TEXT("[1}"), "t:1:3: expected ',' or ']'"},
    {TEXT("{\"a\":1]"), "t:1:7: expected ',' or '}'"},
    {TEXT("// x\n1"), "t:1:1: comments are not JSON"},
    {TEXT("[1, /* x */ 2]"), "t:1:5: comments are not JSON"},
    {TEXT("]"), "t:1:1: a closing bracket where a value should be"},
    {TEXT("\"a\nb\""), "t:1:3: a control character in a string wants an escape (\\n, \\u001f)"},
    {TEXT("\"a\0b\""), "t:1:3: a control character in a string wants an escape (\\n, \\u001f)"},
    {TEXT("\"\\x\""), "t:1:2: unknown escape in a string"},
    {TEXT("\"\\\0\""), "t:1:2: unknown escape in a string"},
    {TEXT("\"\\u12g4\""), "t:1:2: \\u wants four hexadecimal digits"},
    {TEXT("\"\\ud800\""), "t:1:2: half of a surrogate pair in a string"},
    {TEXT("\"\\udc00\\ud800\""), "t:1:2: half of a surrogate pair in a string"},
    {TEXT("\"\\ud800\\u0041\""), "t:1:2: half of a surrogate pair in a string"},
    {TEXT("\"\xc3\xa4\xff\""), "t:1:3: not UTF-8"},
    {TEXT("\"\xc0\x80\""), "t:1:2: not UTF-8"},
    {TEXT("\"\xc1\xbf\""), "t:1:2: not UTF-8"},
    {TEXT("\"\xe0\x9f\xbf\""), "t:1:2: not UTF-8"},
    {TEXT("\"\xed\xa0\x80\""), "t:1:2: not UTF-8"},
    {TEXT("\"\xf0\x8f\xbf\xbf\""), "t:1:2: not UTF-8"},
    {TEXT("\"\xf4\x90\x80\x80\""), "t:1:2: not UTF-8"},
    {TEXT("\"\xf5\x80\x80\x80\""), "t:1:2: not UTF-8"},
    {TEXT("\"a much longer string \xe2\x82\""), "t:1:23: not UTF-8"},
    {TEXT("\xc3\xa4"), "t:1:1: not a JSON value"},
    {TEXT("{\n  \"\xc3\xa4\": 1, \"b\": 2,\n  \"c\": 1, \"\xc3\xa4\": 3\n}"),
     "t:3:11: duplicate key \"\xc3\xa4\""},
    {TEXT("{\"a\":{\"x\":1},\"\\u0061\":2}"), "t:1:14: duplicate key \"a\""},
};

static void refuses_everything_else_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct value v = value_int(7);
        struct str text = {refused[i].text.ptr, refused[i].text.len};
        assert_false(json_parse(&arena, text, "t", 0, &v, &err));
        assert_string_equal(err.frame[0], refused[i].message);
        assert_int_equal(err.kind, ERR_SYNTAX);
        assert_int_equal(v.integer, 7);
    }
}

static void keeps_the_last_of_duplicates_where_asked(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct err err = {0};
    struct value v;
    assert_true(json_parse(&arena, STR("{\"b\":1,\"a\":2,\"b\":3,\"a\":4,\"c\":5,\"a\":6}"), "t",
                           JSON_DUPLICATES_LAST, &v, &err));
    assert_string_equal(written(&arena, &v).ptr, "{\"a\":6,\"b\":3,\"c\":5}");
}

static void strings_are_views_or_copies_as_asked(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct err err = {0};
    struct value view, copy;
    char text[] = "[\"abc\", 1.50]";
    struct str s = {text, sizeof text - 1};
    assert_true(json_parse(&arena, s, "t", 0, &view, &err));
    assert_true(json_parse(&arena, s, "t", JSON_COPY, &copy, &err));
    assert_ptr_equal(view.items[0].text, text + 2);
    memset(text, 'x', sizeof text - 1);
    assert_string_equal(written(&arena, &copy).ptr, "[\"abc\",1.50]");
}

static void nfc_where_asked(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct err err = {0};
    struct value v;
    struct str text = STR("{\"e\xcc\x81\":\"a\\u0301\"}");
    assert_true(json_parse(&arena, text, "t", 0, &v, &err));
    assert_string_equal(written(&arena, &v).ptr, "{\"e\xcc\x81\":\"a\xcc\x81\"}");
    assert_true(json_parse(&arena, text, "t", JSON_NFC, &v, &err));
    assert_string_equal(written(&arena, &v).ptr, "{\"\xc3\xa9\":\"\xc3\xa1\"}");
}

/* `levels` of opening, then of closing brackets around a number. */
static struct str nested(struct arena *arena, size_t levels, const char *open, const char *close)
{
    AUTO_BUF buf = {.limit = LIMIT};
    for (size_t i = 0; i < levels; i++)
        buf_str(&buf, str_from(open));
    buf_str(&buf, STR("1"));
    for (size_t i = 0; i < levels; i++)
        buf_str(&buf, str_from(close));
    return arena_dup(arena, buf_view(&buf));
}

static void depth_is_bounded(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"[", "]"}, {"{\"a\":", "}"}};
    for (size_t i = 0; i < 2; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct value v, same;
        struct str most = nested(&arena, JSON_DEPTH_MAX, pairs[i][0], pairs[i][1]);
        assert_true(json_parse(&arena, most, "t", 0, &v, &err));
        assert_string_equal(written(&arena, &v).ptr, most.ptr);
        assert_true(value_copy(&arena, &v, &same, &err));
        assert_true(value_equal(&v, &same));

        char *other = strdup(most.ptr);
        assert_non_null(other);
        *strchr(other, '1') = '2';
        assert_true(json_parse(&arena, str_from(other), "t", 0, &same, &err));
        assert_false(value_equal(&v, &same)); /* the innermost counts too */
        free(other);

        struct str more = nested(&arena, JSON_DEPTH_MAX + 1, pairs[i][0], pairs[i][1]);
        assert_false(json_parse(&arena, more, "t", 0, &v, &err));
        assert_non_null(strstr(err.frame[0], "nested deeper than 1000 levels"));
        struct str far = nested(&arena, 1000000, pairs[i][0], "");
        assert_false(json_parse(&arena, far, "t", 0, &v, &err));
        assert_non_null(strstr(err.frame[0], "nested deeper than 1000 levels"));
    }
}

static const char document[] =
    "{\n  \"name\": \"na\\u00efve \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\",\n"
    "  \"list\": [1, -2.5e-3, true, false, null, {\"deep\": [[[]], {}]}],\n"
    "  \"esc\": \"\\\"\\\\\\ud83d\\ude00\", \"n\": 1e400\n}";

/* The text is in a block of its very size, so that ASan sees any read past its end. */
static void every_truncation_is_an_error(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof document - 1; len++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct err err = {0};
        struct value v;
        char *text = malloc(len + 1);
        assert_non_null(text);
        char *exact = realloc(text, len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, document, len);
        assert_false(json_parse(&arena, (struct str){exact, len}, "t", 0, &v, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
        assert_memory_equal(err.frame[0], "t:", 2);
        free(exact);
    }
}

static void every_flipped_byte_is_survived(void **state)
{
    (void)state;
    static const unsigned char flips[] = {0x01, 0x80, 0xff, 0x20, 0x5c ^ 0x22};
    for (size_t at = 0; at < sizeof document - 1; at++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            AUTO_ARENA arena = {.limit = LIMIT};
            char text[sizeof document];
            struct err err = {0};
            struct value v;
            memcpy(text, document, sizeof text);
            text[at] = (char)((unsigned char)text[at] ^ flips[f]);
            if (json_parse(&arena, (struct str){text, sizeof text - 1}, "t", 0, &v, &err))
                assert_int_equal(v.kind, VALUE_OBJECT);
            else
                assert_int_equal(err.kind, ERR_SYNTAX);
        }
    }
}

static void memory_is_bounded(void **state)
{
    (void)state;
    AUTO_BUF buf = {.limit = LIMIT};
    buf_char(&buf, '[');
    for (int i = 0; i < 1000000; i++)
        buf_str(&buf, STR("0,"));
    buf_str(&buf, STR("0]"));
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct value v;
    assert_false(json_parse(&arena, buf_view(&buf), "t", 0, &v, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_true(arena.used <= arena.limit);
}

static void reads_ndjson_line_by_line(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct err err = {0};
    struct value v;
    struct ndjson in = {.rest = STR("{\"a\":1}\r\n\n  \n[2]\n{\"x\":\n3"), .name = "n"};
    assert_true(ndjson_next(&in, &arena, 0, &v, &err));
    assert_string_equal(written(&arena, &v).ptr, "{\"a\":1}");
    assert_true(ndjson_next(&in, &arena, 0, &v, &err));
    assert_string_equal(written(&arena, &v).ptr, "[2]");
    assert_false(ndjson_next(&in, &arena, 0, &v, &err));
    assert_string_equal(err.frame[0], "n:5:6: the text ends too early");
    err_clear(&err);
    assert_true(ndjson_next(&in, &arena, 0, &v, &err));
    assert_int_equal(v.integer, 3);
    assert_false(ndjson_next(&in, &arena, 0, &v, &err));
    assert_int_equal(err.kind, ERR_NONE);
}

static void counts_places_in_characters(void **state)
{
    (void)state;
    static const struct {
        size_t at, line, column;
    } rows[] = {{0, 1, 1}, {1, 1, 2}, {3, 1, 3}, {4, 2, 1}, {5, 2, 2}, {6, 3, 1}, {99, 3, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t line, column;
        json_place(STR("a\xc3\xa4\nb\nc"), rows[i].at, &line, &column);
        assert_int_equal(line, rows[i].line);
        assert_int_equal(column, rows[i].column);
    }
}

static void keys_of_one_table_are_the_same_pointer(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct key_table keys;
    struct err err = {0};
    struct value a, b;
    key_table_init(&keys, &arena, 1);
    assert_true(json_parse_with(&arena, &keys, STR("{\"k\":1}"), "t", 0, &a, &err));
    assert_true(json_parse_with(&arena, &keys, STR("{\"\\u006b\":1}"), "t", 0, &b, &err));
    assert_ptr_equal(a.members[0].key, b.members[0].key);
}

/* A window must give what the whole text gives, or nothing. */
static bool same_by_window(struct str text, size_t room, unsigned flags)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    struct value whole, piecewise;
    AUTO_FD fd = memfd_create("json", MFD_CLOEXEC);
    assert_true(fd >= 0 && io_write_all(fd, text, NULL) && lseek(fd, 0, SEEK_SET) == 0);
    size_t used = arena.used;
    if (!json_parse_window(&arena, fd, text.len, room, flags, &piecewise)) {
        assert_int_equal(arena.used, used);
        return false;
    }
    assert_true(json_parse(&arena, text, "t", flags, &whole, NULL));
    assert_true(value_equal(&whole, &piecewise));
    return true;
}

static struct str many_users(struct buf *buf, size_t n)
{
    buf_str(buf, STR("{\"users\": {"));
    for (size_t i = 0; i < n; i++)
        buf_printf(
            buf,
            "%s\"user-%06zu\": {\"id\": %zu, \"active\": %s, \"roles\": [\"a\\u00e4\", \"%zu\"],"
            " \"score\": -1.5e%zu, \"id\": %zu, \"note\": \"%s\"}",
            i ? ", " : "", (i * 7919) % n, i, i % 3 ? "true" : "null", i % 40, i % 9, i * 3,
            i % 50 ? "\xc3\xa4 short"
                   : "longer than what is kept to be shared, by far: 0123456789");
    buf_str(buf, STR("}}\n"));
    return buf_view(buf);
}

static void a_window_gives_what_the_whole_gives(void **state)
{
    (void)state;
    AUTO_BUF buf = {.limit = LIMIT};
    struct str text = many_users(&buf, 9973);
    for (size_t room = 1 << 9; room <= 1 << 22; room = room * 3 + 1)
        assert_true(same_by_window(text, room, JSON_DUPLICATES_LAST));
    /* a token that does not fit, a duplicate, and each truncation of a small text */
    assert_false(same_by_window(text, 32, JSON_DUPLICATES_LAST));
    assert_false(same_by_window(text, 1 << 20, 0));
    struct str small = STR("[{\"a\": -12.5e3, \"b\": \"x\\n\"}, 1234567890123456789012, 17]  \n");
    for (size_t room = 0; room < 120; room++)
        for (size_t len = 0; len <= small.len; len++)
            assert_true(!same_by_window(str_sub(small, 0, len), room, 0) || len >= small.len - 3);
    assert_true(same_by_window(small, 100, 0));
}

static void a_large_file_is_read_by_a_window(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    AUTO_BUF buf = {.limit = LIMIT};
    struct err err = {0};
    struct value whole, read;
    char path[] = "/tmp/plumb-json-XXXXXX";
    AUTO_FD fd = mkstemp(path);
    struct str text = many_users(&buf, 20000);
    assert_true(text.len > 1 << 20 && fd >= 0 && io_write_all(fd, text, &err));
    assert_true(json_parse(&arena, text, "t", JSON_DUPLICATES_LAST, &whole, &err));
    size_t used = arena.used;
    assert_true(json_read_file(&arena, path, LIMIT, JSON_DUPLICATES_LAST, &read, &err));
    assert_true(value_equal(&whole, &read));
    assert_true(arena.used - used < used + text.len);
    const struct value *users = value_get(&read, STR("users"));
    const struct value *one = value_get(value_get(users, STR("user-000001")), STR("note"));
    const struct value *two = value_get(value_get(users, STR("user-000002")), STR("note"));
    assert_ptr_equal(one->text, two->text);
    /* an error is told with its place */
    assert_true(io_write_all(fd, STR("\n  x"), &err));
    assert_false(json_read_file(&arena, path, LIMIT, JSON_DUPLICATES_LAST, &read, &err));
    assert_non_null(strstr(err.frame[0], ":3:3: more text behind the end of the value"));
    err = (struct err){0};
    assert_false(json_read_file(&arena, path, 1000, JSON_DUPLICATES_LAST, &read, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_int_equal(unlink(path), 0);
    assert_false(json_read_file(&arena, path, LIMIT, JSON_DUPLICATES_LAST, &read, &err));
    assert_int_equal(err.kind, ERR_IO);
}

/* The order of keys that was met before is no more than a guess. */
static void objects_of_like_keys_keep_their_own(void **state)
{
    (void)state;
    static const struct {
        const char *text, *out;
    } rows[] = {
        {"[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]", "[{\"a\":1,\"b\":2},{\"a\":3,\"b\":4}]"},
        {"[{\"a\":1,\"b\":2},{\"a\":3,\"bc\":4},{\"a\":3}]",
         "[{\"a\":1,\"b\":2},{\"a\":3,\"bc\":4},{\"a\":3}]"},
        {"[{\"b\":1,\"a\":2},{\"b\":3,\"a\":4}]", "[{\"a\":2,\"b\":1},{\"a\":4,\"b\":3}]"},
        {"[{\"a\\\"\":1,\"b\":2},{\"a\\\"\":3}]", "[{\"a\\\"\":1,\"b\":2},{\"a\\\"\":3}]"},
        {"[{\"a\":1},{\"a\" : 3},{\"a\"\n:4}]", "[{\"a\":1},{\"a\":3},{\"a\":4}]"},
        {"{\"a\":{\"a\":{\"b\":1},\"c\":2},\"c\":{\"a\":5}}",
         "{\"a\":{\"a\":{\"b\":1},\"c\":2},\"c\":{\"a\":5}}"},
        {"[{\"long enough for words\":1},{\"long enough for wordz\":2}]",
         "[{\"long enough for words\":1},{\"long enough for wordz\":2}]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct value v;
        assert_true(json_parse(&arena, str_from(rows[i].text), "t", 0, &v, NULL));
        assert_string_equal(written(&arena, &v).ptr, rows[i].out);
    }
    AUTO_ARENA arena = {.limit = LIMIT};
    struct err err = {0};
    struct value v;
    assert_false(json_parse(&arena, STR("[{\"a\":1,\"a\":2}]"), "t", 0, &v, &err));
    assert_string_equal(err.frame[0], "t:1:9: duplicate key \"a\"");
    assert_false(
        json_parse(&arena, STR("[{\"a\":1,\"b\":1},{\"a\":1,\"a\":2}]"), "t", 0, &v, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_grammar_allows),
        cmocka_unit_test(refuses_everything_else_with_its_place),
        cmocka_unit_test(keeps_the_last_of_duplicates_where_asked),
        cmocka_unit_test(strings_are_views_or_copies_as_asked),
        cmocka_unit_test(nfc_where_asked),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(every_flipped_byte_is_survived),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(reads_ndjson_line_by_line),
        cmocka_unit_test(counts_places_in_characters),
        cmocka_unit_test(keys_of_one_table_are_the_same_pointer),
        cmocka_unit_test(a_window_gives_what_the_whole_gives),
        cmocka_unit_test(a_large_file_is_read_by_a_window),
        cmocka_unit_test(objects_of_like_keys_keep_their_own),
    };
    return cmocka_run_group_tests_name("wire/json", tests, NULL, NULL);
}
