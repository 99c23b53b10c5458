/* unicode.c - all from libunistring's one table of categories: one of each would be 5 kB apiece. */
#include "base/unicode.h"

#include <unicase.h>
#include <unictype.h>

bool unicode_is_letter(uint32_t c)
{
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L);
}

bool unicode_is_digit(uint32_t c)
{
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_Nd);
}

bool unicode_prints(uint32_t c)
{
    if (c < 0x80)
        return c >= ' ' && c != 0x7f;
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
                                                   UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_P |
                                                   UC_CATEGORY_MASK_S);
}

/* As in upper case, but for two kinds; a whole table of it, uc_totitle's, would be 22 kB. */
uint32_t unicode_title(uint32_t c)
{
    if (c >= 0x1c4 && c <= 0x1cc) /* DŽ Dž dž, LJ Lj lj, NJ Nj nj: the one in the middle */
        return c - (c - 0x1c4) % 3 + 1;
    if (c >= 0x1f1 && c <= 0x1f3) /* DZ Dz dz */
        return 0x1f2;
    uint32_t upper = uc_toupper(c);
    bool georgian = upper >= 0x1c90 && upper <= 0x1cbf; /* has no title case */
    return georgian ? c : upper;
}
