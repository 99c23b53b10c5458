/* test_utf8.c - which bytes are UTF-8, code points there and back, NFC. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"

static void bad_bytes_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bad; /* SIZE_MAX: none */
    } cases[] = {
        {"", SIZE_MAX},
        {"plain ASCII, longer than eight bytes", SIZE_MAX},
        {"\x7f", SIZE_MAX},
        {"\xc2\x80 \xdf\xbf", SIZE_MAX},
        {"\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", SIZE_MAX},
        {"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", SIZE_MAX},
        {"12345678\x80", 8},
        {"a\xbf", 1},
        {"\xc0\x80", 0}, /* overlong */
        {"\xc1\xbf", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xed\xa0\x80", 0}, /* a surrogate */
        {"\xed\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0}, /* past U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"ab\xc3", 2}, /* cut off */
        {"ab\xe2\x82", 2},
        {"ab\xf0\x9f\x98", 2},
        {"\xc3(", 0},
        {"\xe2(\xa1", 0},
        {"\xe2\x82(", 0},
        {"\xf0\x9f\x98(", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t pad = 0; pad < 9; pad++) { /* wherever the eight-byte steps fall */
            char text[64] = "xxxxxxxxx";
            strcpy(text + pad, cases[i].text);
            size_t want = cases[i].bad == SIZE_MAX ? SIZE_MAX : cases[i].bad + pad;
            assert_true(utf8_bad_at(str_from(text)) == want);
        }
    assert_true(utf8_bad_at((struct str){0}) == SIZE_MAX);
    assert_true(utf8_bad_at((struct str){"a\0b", 3}) == SIZE_MAX);
}

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        char bytes[4];
        size_t len = utf8_put(c, bytes), at = 0;
        bool real = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);
        struct str s = {bytes, len};
        if (utf8_bad_at(s) != SIZE_MAX || utf8_next(s, &at) != (real ? c : 0xfffd) || at != len)
            fail_msg("U+%04X", (unsigned)c);
    }
    struct str bad = STR("\xff"
                         "a");
    size_t at = 0;
    assert_int_equal(utf8_next(bad, &at), 0xfffd);
    assert_int_equal(at, 1);
    assert_int_equal(utf8_next(bad, &at), 'a');
}

static void text_becomes_nfc(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xc3\xa9", "\xc3\xa9"},
        {"e\xcc\x81", "\xc3\xa9"},
        {"\xe2\x84\xab", "\xc3\x85"},                             /* ANGSTROM SIGN */
        {"\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", "\xed\x95\x9c"}, /* Hangul */
        {"q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87"},               /* marks in order */
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"a\xff"
         "e\xcc\x81",
         "a\xff"
         "e\xcc\x81"}, /* not UTF-8: as it is */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 12};
        struct str in = str_from(cases[i].in), out = utf8_nfc(&arena, in);
        assert_true(str_equal(out, str_from(cases[i].out)));
        if (strcmp(cases[i].in, cases[i].out) == 0)
            assert_ptr_equal(out.ptr, in.ptr); /* no copy */
    }
    AUTO_ARENA none = {0};
    assert_null(utf8_nfc(&none, STR("e\xcc\x81")).ptr);
    assert_non_null(utf8_nfc(&none, STR("\xc3\xa9")).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_bytes_are_found),
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(text_becomes_nfc),
    };
    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
