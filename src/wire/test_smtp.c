/* test_smtp.c - what a mail server's replies mean for each recipient; addresses; what is refused
 * before anything is sent. Real servers: tests/live/mailing.py. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/smtp.h"

/* A talk as "C: sent" and "S: got" lines; of: T taken, L later, N never, ? not decided. */
static const struct {
    const char *says, *talk, *of, *said;
    bool done;
} talks[] = {
    {"two taken",
     "S:220 hi\nC:EHLO x\nS:250-x\nS:250 SIZE\nC:MAIL FROM:<a@b>\nS:250 ok\nC:RCPT TO:<c@d>\n"
     "S:250 ok\nC:RCPT TO:<e@f>\nS:251 elsewhere\nC:DATA\nS:354 go\nS:250 queued\nC:QUIT\nS:221 "
     "bye",
     "TT", "", true},
    {"one of two refused",
     "C:MAIL FROM:<a@b>\nS:250 ok\nC:RCPT TO:<c@d>\nS:550 no such user\nC:RCPT TO:<e@f>\n"
     "S:250 ok\nC:DATA\nS:354 go\nS:250 queued",
     "NT", "550 no such user", true},
    {"one not now, one never",
     "C:MAIL FROM:<a@b>\nS:250 ok\nC:RCPT TO:<c@d>\nS:450 greylisted\nC:RCPT TO:<e@f>\n"
     "S:550-no\nS:550 never",
     "LN", "550 never", false},
    {"the sender is refused", "C:MAIL FROM:<a@b>\nS:553 not you", "NN", "553 not you", true},
    {"the content is refused",
     "C:MAIL FROM:<a@b>\nS:250 ok\nC:RCPT TO:<c@d>\nS:250 ok\nC:RCPT TO:<e@f>\nS:450 later\n"
     "C:DATA\nS:354 go\nS:554 spam",
     "NL", "554 spam", true},
    {"the queue is full",
     "C:MAIL FROM:<a@b>\nS:250 ok\nC:RCPT TO:<c@d>\nS:250 ok\nC:RCPT TO:<e@f>\nS:250 ok\n"
     "C:DATA\nS:452 full",
     "LL", "452 full", true},
    {"an EHLO refused and tried otherwise is forgotten",
     "S:220 hi\nC:EHLO x\nS:502 what\nC:HELO x\nS:250 x\nC:MAIL FROM:<a@b>\nS:250 ok\n"
     "C:RCPT TO:<c@d>\nS:250 ok\nC:RCPT TO:<e@f>\nS:250 ok\nC:DATA\nS:354 go\nS:250 ok",
     "TT", "", true},
    {"no greeting", "S:554 go away", "??", "554 go away", false},
    {"cut before the end",
     "C:MAIL FROM:<a@b>\nS:250 ok\nC:RCPT TO:<c@d>\nS:250 ok\nC:DATA\nS:354 go", "T?", "", false},
    {"garbage is no reply", "C:MAIL FROM:<a@b>\nS:hello\nS:25\nS:999 x\nS:-50 x\nS:", "??", "",
     false},
    {"more replies than recipients", "C:RCPT TO:<c@d>\nS:250 ok\nS:250 ok\nS:550 no\nS:250 ok",
     "TT", "550 no", false},
    {"controls in a reply are not kept", "S:421 a\x1b[31mb\x07", "??", "421 a?[31mb?", false},
};

static void replies_decide_of_each_recipient(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof talks / sizeof *talks; i++) {
        enum smtp_fate of[2] = {SMTP_UNKNOWN, SMTP_UNKNOWN};
        struct smtp_reply reply[2] = {0};
        struct smtp_talk talk = {.nto = 2, .of = of, .reply = reply};
        struct str rest = str_from(talks[i].talk), line;
        print_message("  %s\n", talks[i].says);
        while (rest.len) {
            (void)str_cut(&rest, '\n', &line);
            struct str text = str_sub(line, 2, line.len);
            if (line.ptr[0] == 'C')
                smtp_talk_sent(&talk, text);
            else
                smtp_talk_got(&talk, text);
        }
        for (size_t j = 0; j < 2; j++)
            assert_int_equal("?TLN"[of[j]], talks[i].of[j]);
        if (strcmp(talks[i].says, "one not now, one never") == 0) { /* each has its own */
            assert_string_equal(reply[0].text, "450 greylisted");
            assert_string_equal(reply[1].text, "550 never");
        }
        assert_string_equal(talk.said, talks[i].said);
        assert_int_equal(talk.step == SMTP_DONE, talks[i].done);
    }
}

static void addresses_cannot_leave_their_brackets(void **state)
{
    static const struct {
        struct str address;
        bool ok;
    } rows[] = {
        {STR_INIT("a@b"), true},
        {STR_INIT("first.last+tag@mail.example.org"), true},
        {STR_INIT("o'neil@example.org"), true},
        {STR_INIT(""), false},
        {STR_INIT("@b"), false},
        {STR_INIT("a@"), false},
        {STR_INIT("a"), false},
        {STR_INIT("a@b@c"), false},
        {STR_INIT("a b@c"), false},
        {STR_INIT("a@b\r\nRCPT TO:<x@y>"), false},
        {STR_INIT("a@b> SIZE=1"), false},
        {STR_INIT("a@b,c"), false},
        {STR_INIT("a@b\0"), false},
        {STR_INIT("ä@b"), false},
        {STR_INIT("0123456789012345678901234567890123456789012345678901234567890123x@b"), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(smtp_address_ok(rows[i].address), rows[i].ok);
}

static void what_is_no_mail_is_refused(void **state)
{
    static const struct str to[] = {STR_INIT("c@d"), STR_INIT("c@d\r\n")};
    static const struct {
        struct str url, from;
        size_t nto;
        enum err_kind kind;
    } rows[] = {
        {STR_INIT("http://127.0.0.1:1"), STR_INIT("a@b"), 1, ERR_USAGE},
        {STR_INIT("file:///etc/passwd"), STR_INIT("a@b"), 1, ERR_USAGE},
        {STR_INIT("smtp://127.0.0.1:1/x\r\nQUIT"), STR_INIT("a@b"), 1, ERR_USAGE},
        {STR_INIT("smtp://127.0.0.1:1"), STR_INIT("a"), 1, ERR_USAGE},
        {STR_INIT("smtp://127.0.0.1:1"), STR_INIT("a@b"), 2, ERR_USAGE},
        {STR_INIT("smtp://127.0.0.1:1"), STR_INIT("a@b"), 0, ERR_USAGE},
        {STR_INIT("smtp://127.0.0.1:1"), STR_INIT("a@b"), 1, ERR_UNAVAILABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct smtp_talk talk;
        struct smtp_mail mail = {.url = rows[i].url,
                                 .password = STR("secret"),
                                 .from = rows[i].from,
                                 .to = to,
                                 .nto = rows[i].nto,
                                 .message = STR("Subject: x\r\n\r\nx\r\n")};
        char text[ERR_TEXT_MAX];
        assert_false(smtp_send(&arena, &mail, &talk, &err));
        assert_int_equal(err.kind, rows[i].kind);
        assert_null(strstr(err_text(&err, text, sizeof text), "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(replies_decide_of_each_recipient),
                                       cmocka_unit_test(addresses_cannot_leave_their_brackets),
                                       cmocka_unit_test(what_is_no_mail_is_refused)};
    return cmocka_run_group_tests_name("wire/smtp", tests, NULL, NULL);
}
