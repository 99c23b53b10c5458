/* test_unicode.c - unicode.c against libunistring's tables, over all code points. */
#include "base/test.h"

#include <unicase.h>
#include <unictype.h>

#include "base/unicode.h"

enum { CODE_POINTS = 0x110000 };

static void title_case_is_that_of_the_table(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < CODE_POINTS; c++)
        if (unicode_title(c) != uc_totitle(c))
            fail_msg("U+%04X: U+%04X, not U+%04X", c, unicode_title(c), uc_totitle(c));
}

static void letters_and_digits_are_those_of_the_tables(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < CODE_POINTS; c++) {
        if (unicode_is_letter(c) != uc_is_general_category(c, UC_CATEGORY_L))
            fail_msg("U+%04X: letter", c);
        if (unicode_is_digit(c) != uc_is_general_category(c, UC_CATEGORY_Nd))
            fail_msg("U+%04X: digit", c);
    }
}

static void what_prints_is_what_go_prints(void **state)
{
    (void)state;
    static const uint32_t shown[] = {' ', '~', 0xa1, 0x300, 0x2020, 0x20ac, 0x1f600};
    static const uint32_t hidden[] = {0,      '\n',   0x7f,   0x85,    0xa0,    0xad,
                                      0x200b, 0x200d, 0x2028, 0x202e,  0x3000,  0xd800,
                                      0xe000, 0xfeff, 0xffff, 0xe0001, 0x10ffff};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (!unicode_prints(shown[i]))
            fail_msg("U+%04X is not shown", shown[i]);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (unicode_prints(hidden[i]))
            fail_msg("U+%04X is shown", hidden[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(title_case_is_that_of_the_table),
        cmocka_unit_test(letters_and_digits_are_those_of_the_tables),
        cmocka_unit_test(what_prints_is_what_go_prints),
    };
    return cmocka_run_group_tests_name("base/unicode", tests, NULL, NULL);
}
