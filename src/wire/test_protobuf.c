/* test_protobuf.c - fields in and out, limits and what must be refused. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/protobuf.h"

struct sample {
    int64_t number;
    bool flag;
    struct str text, raw, inner;
    struct pb_list many;
};
static const struct pb_rule sample_rules[] = {
    PB_RULE(1, PB_INT64, struct sample, number),  PB_RULE(2, PB_BOOL, struct sample, flag),
    PB_RULE(3, PB_STRING, struct sample, text),   PB_RULE(4, PB_BYTES, struct sample, raw),
    PB_RULE(5, PB_MESSAGE, struct sample, inner), PB_RULE(6, PB_MANY, struct sample, many),
};
static const struct pb_message sample_message = {"Sample", sample_rules,
                                                 sizeof sample_rules / sizeof *sample_rules};

static const struct {
    const char *says;
    struct str bytes;
    const char *error; /* NULL = decodes */
    int64_t number;
    struct str text, inner;
    size_t nmany;
} rows[] = {
    {"nothing", STR_INIT(""), NULL, 0, {0}, {0}, 0},
    {"a number", STR_INIT("\x08\x96\x01"), NULL, 150, {0}, {0}, 0},
    {"-1 takes ten bytes",
     STR_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     NULL,
     -1,
     {0},
     {0},
     0},
    {"the last scalar wins", STR_INIT("\x08\x01\x08\x02"), NULL, 2, {0}, {0}, 0},
    {"an overlong number", STR_INIT("\x08\x81\x80\x00"), NULL, 1, {0}, {0}, 0},
    {"a string with a NUL",
     STR_INIT("\x1a\x03"
              "a\0b"),
     NULL,
     0,
     STR_INIT("a\0b"),
     {0},
     0},
    {"a message that comes twice is merged",
     STR_INIT("\x2a\x02\x08\x01\x2a\x02\x10\x01"),
     NULL,
     0,
     {0},
     STR_INIT("\x08\x01\x10\x01"),
     0},
    {"a message that is there and empty", STR_INIT("\x2a\x00"), NULL, 0, {0}, STR_INIT(""), 0},
    {"repeated, with others between",
     STR_INIT("\x32\x01"
              "a\x08\x01\x32\x00\x32\x01"
              "b"),
     NULL,
     1,
     {0},
     {0},
     3},
    {"unknown fields of every wire type",
     STR_INIT("\x78\x05\x7a\x01x\x79"
              "12345678\x7d"
              "1234\x08\x07"),
     NULL,
     7,
     {0},
     {0},
     0},
    {"a key cut short", STR_INIT("\x80"), "byte 0: a number is cut short", 0, {0}, {0}, 0},
    {"a number cut short", STR_INIT("\x08\x80"), "byte 1: a number is cut short", 0, {0}, {0}, 0},
    {"11 bytes of number",
     STR_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     "byte 1: a number of more than 64 bits",
     0,
     {0},
     {0},
     0},
    {"65 bits",
     STR_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
     "more than 64 bits",
     0,
     {0},
     {0},
     0},
    {"a length past the end",
     STR_INIT("\x1a\x05"
              "abc"),
     "byte 2: a length that goes past the end",
     0,
     {0},
     {0},
     0},
    {"a length of 2^63",
     STR_INIT("\x1a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"
              "abc"),
     "past the end",
     0,
     {0},
     {0},
     0},
    {"fixed32 cut short",
     STR_INIT("\x7d"
              "123"),
     "cut short",
     0,
     {0},
     {0},
     0},
    {"fixed64 cut short",
     STR_INIT("\x79"
              "1234567"),
     "cut short",
     0,
     {0},
     {0},
     0},
    {"a group", STR_INIT("\x0b\x08\x01\x0c"), "wire type that cannot be", 0, {0}, {0}, 0},
    {"wire type 7", STR_INIT("\x0f"), "wire type that cannot be", 0, {0}, {0}, 0},
    {"field number 0", STR_INIT("\x00\x01"), "field number that cannot be", 0, {0}, {0}, 0},
    {"field number 2^29",
     STR_INIT("\x80\x80\x80\x80\x10\x01"),
     "field number that cannot be",
     0,
     {0},
     {0},
     0},
    {"a number where a string belongs", STR_INIT("\x18\x01"), "field 3", 0, {0}, {0}, 0},
    {"a string where a number belongs", STR_INIT("\x0a\x01x"), "field 1", 0, {0}, {0}, 0},
    {"not UTF-8", STR_INIT("\x1a\x02\xc0\x80"), "not UTF-8", 0, {0}, {0}, 0},
};

static void decodes_or_names_the_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct sample got = {0};
        struct err err = {0};
        char text[ERR_TEXT_MAX];
        print_message("  %s\n", rows[i].says);
        bool ok = pb_decode(&arena, &sample_message, rows[i].bytes, &got, &err);
        assert_int_equal(ok, !rows[i].error);
        if (!ok) {
            assert_int_equal(err.kind, ERR_SYNTAX);
            assert_non_null(strstr(err_text(&err, text, sizeof text), rows[i].error));
            continue;
        }
        assert_true(got.number == rows[i].number);
        assert_true(str_equal(got.text, rows[i].text));
        assert_true(str_equal(got.inner, rows[i].inner));
        assert_int_equal(!got.inner.ptr, !rows[i].inner.ptr);
        assert_int_equal(got.many.n, rows[i].nmany);
    }
}

static void every_truncation_is_refused_or_a_shorter_message(void **state)
{
    (void)state;
    const struct str whole = STR("\x08\x96\x01\x1a\x03"
                                 "abc\x2a\x02\x08\x01\x32\x01"
                                 "a\x32\x00");
    for (size_t n = 0; n <= whole.len; n++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct str cut = arena_dup(&arena, str_sub(whole, 0, n)); /* of that size: for ASan */
        struct sample got = {0};
        bool boundary = n == 0 || n == 3 || n == 8 || n == 12 || n == 15 || n == 17;
        assert_int_equal(pb_decode(&arena, &sample_message, cut, &got, NULL), boundary);
    }
}

static void lists_stop_at_the_arenas_limit(void **state)
{
    (void)state;
    char many[4000];
    for (size_t i = 0; i < sizeof many; i += 2)
        memcpy(many + i, "\x32\x00", 2);
    AUTO_ARENA arena = {.limit = 1000};
    struct sample got = {0};
    struct err err = {0};
    assert_false(pb_decode(&arena, &sample_message, (struct str){many, sizeof many}, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 127, 128, 129, 16383, 16384, 100000};
    static char big[100000];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO_BUF out = {.limit = 1 << 20};
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct sample got = {0}, inner = {0};
        pb_put_int(&out, 1, INT64_MIN);
        pb_put_bool(&out, 2, true);
        size_t outer = pb_open(&out, 5);
        size_t middle = pb_open(&out, 5);
        pb_put_bytes(&out, 4, (struct str){big, sizes[i]});
        pb_close(&out, middle);
        pb_put_bytes(&out, 3, STR("behind"));
        pb_close(&out, outer);
        pb_put_message(&out, 6, STR(""));
        pb_put_bool(&out, 2, false); /* not written */
        assert_true(pb_decode(&arena, &sample_message, buf_view(&out), &got, NULL));
        assert_true(got.number == INT64_MIN && got.flag && got.many.n == 1);
        assert_true(pb_decode(&arena, &sample_message, got.inner, &inner, NULL));
        assert_true(str_equal(inner.text, STR("behind")));
        struct sample innermost = {0};
        assert_true(pb_decode(&arena, &sample_message, inner.inner, &innermost, NULL));
        assert_int_equal(innermost.raw.len, sizes[i]);
    }
    AUTO_BUF small = {.limit = 100};
    size_t mark = pb_open(&small, 1);
    pb_put_bytes(&small, 4, (struct str){big, 200});
    pb_close(&small, mark);
    assert_false(buf_ok(&small, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_or_names_the_byte),
        cmocka_unit_test(every_truncation_is_refused_or_a_shorter_message),
        cmocka_unit_test(lists_stop_at_the_arenas_limit),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests_name("wire/protobuf", tests, NULL, NULL);
}
