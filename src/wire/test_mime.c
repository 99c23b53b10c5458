/* test_mime.c - headers, bodies and dates of mails: a behaviour is a row. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "wire/mime.h"

static const struct {
    const char *says;
    struct str text;
    const char *want;
} headers[] = {
    {"plain text stays", STR_INIT("all is well"), "S: all is well\r\n"},
    {"nothing is nothing", STR_INIT(""), "S: \r\n"},
    {"UTF-8 is encoded", STR_INIT("Größe: 5"), "S: =?UTF-8?Q?Gr=C3=B6=C3=9Fe=3A_5?=\r\n"},
    {"a line break is no line break", STR_INIT("a\r\nBcc: x@y"),
     "S: =?UTF-8?Q?a=0D=0ABcc=3A_x=40y?=\r\n"},
    {"what looks encoded is encoded", STR_INIT("=?UTF-8?Q?x?="),
     "S: =?UTF-8?Q?=3D=3FUTF-8=3FQ=3Fx=3F=3D?=\r\n"},
    {"bad bytes become U+FFFD", STR_INIT("a\xff"), "S: =?UTF-8?Q?a=EF=BF=BD?=\r\n"},
    {"long text is folded between characters", STR_INIT("ääääääääääääääää"),
     "S: =?UTF-8?Q?=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4?=\r\n"
     " =?UTF-8?Q?=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4=C3=A4?=\r\n"},
};

static void headers_hold_any_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        AUTO_BUF out = {.limit = 1 << 16};
        print_message("  %s\n", headers[i].says);
        mime_header(&out, "S", headers[i].text);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, headers[i].want);
    }
}

static const struct {
    const char *says;
    struct str text;
    const char *want;
} bodies[] = {
    {"lines end in CRLF", STR_INIT("a\nb\n"), "a\r\nb\r\n"},
    {"the last line too", STR_INIT("a"), "a\r\n"},
    {"a carriage return is a character", STR_INIT("a\rb\n"), "a=0Db\r\n"},
    {"blanks at an end are kept", STR_INIT("a \n-- \n"), "a=20\r\n--=20\r\n"},
    {"equals signs and UTF-8", STR_INIT("ä=1\n"), "=C3=A4=3D1\r\n"},
    {"no line is a dot, none begins with From", STR_INIT(".\nFrom x\n"), "=2E\r\n=46rom x\r\n"},
    {"long lines are broken softly",
     STR_INIT("0123456789012345678901234567890123456789012345678901234567890123456789012345\n"),
     "012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n5\r\n"},
};

static void bodies_hold_any_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        AUTO_BUF out = {.limit = 1 << 16};
        print_message("  %s\n", bodies[i].says);
        mime_quoted(&out, bodies[i].text);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, bodies[i].want);
    }
}

static void dates_are_those_of_mail(void **state)
{
    char out[MIME_DATE];
    (void)state;
    assert_string_equal(mime_date(0, out), "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_string_equal(mime_date(1795362957123, out), "Sun, 22 Nov 2026 15:55:57 +0000");
    assert_string_equal(mime_date(951782400000, out), "Tue, 29 Feb 2000 00:00:00 +0000");
    assert_string_equal(mime_date(-1, out), "Wed, 31 Dec 1969 23:59:59 +0000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headers_hold_any_text),
                                       cmocka_unit_test(bodies_hold_any_text),
                                       cmocka_unit_test(dates_are_those_of_mail)};
    return cmocka_run_group_tests_name("wire/mime", tests, NULL, NULL);
}
