/* test_handshake.c - the handshake line: good ones, bad ones, every truncation, in pieces; and what
 * of a provider's last lines is told. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/handshake.h"
#include "live/reader_provider/tail.h"
#include "live/reader_provider/words.h"

#define CERT "MIICRTCCAaagAwIBAgIRAN7lHxv4cVg5bNlK6Q2T0q0wCgYIKoZIzj0EAwQwKDES"
static const struct {
    struct str line;
    const char *error; /* NULL = good */
    int protocol;
    bool tcp;
    struct str address, certificate;
} lines[] = {
    {STR_INIT("1|5|unix|/tmp/plugin3311846051|grpc|"), NULL, 5, false,
     STR_INIT("/tmp/plugin3311846051"), STR_INIT("")},
    {STR_INIT("1|6|unix|/tmp/p|grpc"), NULL, 6, false, STR_INIT("/tmp/p"), STR_INIT("")},
    {STR_INIT("1|6|unix|/tmp/p|grpc|" CERT), NULL, 6, false, STR_INIT("/tmp/p"), STR_INIT(CERT)},
    {STR_INIT("1|6|unix|/tmp/p|grpc|" CERT "|true"), NULL, 6, false, STR_INIT("/tmp/p"),
     STR_INIT(CERT)},
    {STR_INIT("1|6|unix|/tmp/p|grpc|junk of an old server\r"), NULL, 6, false, STR_INIT("/tmp/p"),
     STR_INIT("")},
    {STR_INIT(" 1|6|tcp|127.0.0.1:4711|grpc| "), NULL, 6, true, STR_INIT("127.0.0.1:4711"),
     STR_INIT("")},
    {STR_INIT("1|6|tcp|[::1]:4711|grpc|"), NULL, 6, true, STR_INIT("[::1]:4711"), STR_INIT("")},
    {STR_INIT("1|6|tcp|10.0.0.1:4711|grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|tcp|127.0.0.1:0|grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|tcp|127.0.0.1:99999|grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|unix||grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|unix|relative|grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|unix|/tmp/\0x|grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|pipe|/tmp/p|grpc|"), "not an address", 0, 0, {0}, {0}},
    {STR_INIT("1|6|unix|/tmp/p|netrpc|"), "does not speak gRPC", 0, 0, {0}, {0}},
    {STR_INIT("1|6|unix|/tmp/p"), "does not speak gRPC", 0, 0, {0}, {0}},
    {STR_INIT("1|4|unix|/tmp/p|grpc|"), "provider protocol 4", 0, 0, {0}, {0}},
    {STR_INIT("1|55|unix|/tmp/p|grpc|"), "provider protocol 55", 0, 0, {0}, {0}},
    {STR_INIT("1||unix|/tmp/p|grpc|"), "provider protocol , want", 0, 0, {0}, {0}},
    {STR_INIT("2|6|unix|/tmp/p|grpc|"), "core protocol 2", 0, 0, {0}, {0}},
    {STR_INIT("1|6|unix"), "3 fields", 0, 0, {0}, {0}},
    {STR_INIT(""), "1 fields", 0, 0, {0}, {0}},
};

static void a_line_is_good_or_says_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct handshake got = {0};
        struct err err = {0};
        print_message("  %.*s\n", STR_ARG(lines[i].line));
        assert_int_equal(handshake_parse(lines[i].line, &got, &err), !lines[i].error);
        if (lines[i].error) {
            assert_non_null(strstr(err.frame[0], lines[i].error));
            continue;
        }
        assert_int_equal(got.protocol, lines[i].protocol);
        assert_int_equal(got.tcp, lines[i].tcp);
        assert_true(str_equal(got.address, lines[i].address));
        assert_true(str_equal(got.certificate, lines[i].certificate));
    }
}

static void no_truncation_is_taken_for_something_else(void **state)
{
    (void)state;
    const struct str whole = STR("1|6|unix|/tmp/plumb/plugin12|grpc|" CERT);
    for (size_t n = 0; n < whole.len; n++) {
        AUTO_ARENA arena = {.limit = 1000};
        struct handshake got;
        struct str cut = arena_dup(&arena, str_sub(whole, 0, n));
        bool ok = handshake_parse(cut, &got, NULL);
        assert_int_equal(ok, n >= STR("1|6|unix|/tmp/plumb/plugin12|grpc").len);
        if (ok)
            assert_true(str_equal(got.address, STR("/tmp/plumb/plugin12")));
    }
}

static void comes_in_pieces_behind_junk(void **state)
{
    (void)state;
    const struct str text =
        STR("warning: \033[1mold\033[0m\n\n|||\n1 2 3\n1|6|unix|/p|grpc|\nrest\n");
    for (size_t piece = 1; piece <= text.len; piece++) {
        static struct handshake_reader reader;
        struct handshake got;
        enum handshake_progress progress = HANDSHAKE_MORE;
        reader = (struct handshake_reader){0};
        for (size_t at = 0; at < text.len && progress == HANDSHAKE_MORE; at += piece)
            progress = handshake_feed(&reader, str_sub(text, at, at + piece), &got, NULL);
        assert_int_equal(progress, HANDSHAKE_DONE);
        assert_true(str_equal(got.address, STR("/p")));
        assert_memory_equal(reader.shown, "warning: [1mold [0m", reader.nshown);
    }
}

static void is_bounded(void **state)
{
    (void)state;
    static char text[HANDSHAKE_LINE_MAX + 1];
    static struct handshake_reader reader;
    struct handshake got;
    struct err err = {0};
    memset(text, 'x', sizeof text);
    assert_int_equal(handshake_feed(&reader, (struct str){text, sizeof text}, &got, &err),
                     HANDSHAKE_BAD);
    assert_int_equal(err.kind, ERR_LIMIT);
    reader = (struct handshake_reader){0};
    err = (struct err){0};
    enum handshake_progress progress = HANDSHAKE_MORE;
    size_t lines_read = 0;
    for (; progress == HANDSHAKE_MORE; lines_read++)
        progress = handshake_feed(&reader, STR("a line of junk\n"), &got, &err);
    assert_int_equal(progress, HANDSHAKE_BAD);
    assert_int_equal(lines_read, HANDSHAKE_JUNK_MAX / 15 + 1);
    assert_non_null(strstr(err.frame[0], "a line of junk"));
}

static const struct {
    const char *says;
    struct str text;
    const char *reason;
} tails[] = {
    {"nothing", STR_INIT(""), ""},
    {"a panic before a long trace",
     STR_INIT("note\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/x.go:1\n"),
     "panic: boom"},
    {"the message of a log record",
     STR_INIT("{\"@level\":\"error\",\"@message\":\"no \\\"x\\\"\",\"@module\":\"m\"}\n"
              "{\"@level\":\"debug\",\"@message\":\"quiet\"}\n"),
     "no \\\"x\\\""},
    {"the last plain line, not ended", STR_INIT("first\nlast \x1b[31m words"), "last [31m words"},
    {"bad UTF-8",
     STR_INIT("a\xff"
              "b\n"),
     "a\xef\xbf\xbd"
     "b"},
};

static void the_reason_is_the_panic_or_the_last_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        static struct tail tail;
        AUTO_BUF out = {.limit = 1000};
        tail = (struct tail){0};
        for (size_t at = 0; at < tails[i].text.len; at += 3)
            tail_add(&tail, 0, str_sub(tails[i].text, at, at + 3));
        for (int j = 0; i == 1 && j < 1000; j++)
            tail_add(&tail, 0, STR("\tand on and on\n"));
        tail_end(&tail);
        tail_reason(&tail, &out);
        buf_char(&out, '\0');
        print_message("  %s\n", tails[i].says);
        assert_string_equal(out.ptr, tails[i].reason);
    }
}

static void the_tail_keeps_the_last_lines_of_two_sources_apart(void **state)
{
    (void)state;
    static struct tail tail;
    static char wide[3 * TAIL_LINE];
    AUTO_ARENA arena = {.limit = 1 << 20};
    tail_add(&tail, 0, STR("one "));
    tail_add(&tail, 1, STR("other\n"));
    tail_add(&tail, 0, STR("line\n"));
    assert_true(str_equal(tail_text(&tail, &arena), STR("other\none line\n")));
    memset(wide, 'w', sizeof wide);
    tail_add(&tail, 0, (struct str){wide, sizeof wide});
    tail_add(&tail, 0, STR("\n"));
    assert_int_equal(tail_text(&tail, &arena).len, 15 + TAIL_LINE + 1);
    for (int i = 0; i < 500; i++)
        tail_add(&tail, 0, STR("x\n"));
    assert_int_equal(tail_text(&tail, &arena).len, 2 * TAIL_LINES);
}

static void words_are_cut_at_a_character(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = 100};
    words_put(&out, STR("  \xc3\xa9\xc3\xa9\n\n\xc3\xa9\xc3\xa9  "), 8);
    assert_true(str_equal(buf_view(&out), STR("\xc3\xa9\xc3\xa9 \xc3\xa9\xe2\x80\xa6")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_good_or_says_why_not),
        cmocka_unit_test(no_truncation_is_taken_for_something_else),
        cmocka_unit_test(comes_in_pieces_behind_junk),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(the_reason_is_the_panic_or_the_last_words),
        cmocka_unit_test(the_tail_keeps_the_last_lines_of_two_sources_apart),
        cmocka_unit_test(words_are_cut_at_a_character),
    };
    return cmocka_run_group_tests_name("live/handshake", tests, NULL, NULL);
}
