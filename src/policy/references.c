/* references.c - the catalogues: numbers that each category or family has. */
#include "policy/references.h"

#include <stdint.h>

#include "base/arena.h"

enum { NUMBER_MAX = 99, TEXT_MAX = 32 };

/* Subcategories as bits: 2.0 leaves out numbers of what it moved. */
#define UPTO(n) ((1u << ((n) + 1)) - 2)
#define BIT(n) (1u << (n))

static const struct {
    char name[6];
    uint32_t numbers;
} categories[] = {
    {"GV.OC", UPTO(5)},
    {"GV.RM", UPTO(7)},
    {"GV.RR", UPTO(4)},
    {"GV.PO", UPTO(2)},
    {"GV.OV", UPTO(3)},
    {"GV.SC", UPTO(10)},
    {"ID.AM", UPTO(5) | BIT(7) | BIT(8)},
    {"ID.RA", UPTO(10)},
    {"ID.IM", UPTO(4)},
    {"PR.AA", UPTO(6)},
    {"PR.AT", UPTO(2)},
    {"PR.DS", UPTO(2) | BIT(10) | BIT(11)},
    {"PR.PS", UPTO(6)},
    {"PR.IR", UPTO(4)},
    {"DE.CM", UPTO(3) | BIT(6) | BIT(9)},
    {"DE.AE", BIT(2) | BIT(3) | BIT(4) | BIT(6) | BIT(7) | BIT(8)},
    {"RS.MA", UPTO(5)},
    {"RS.AN", BIT(3) | BIT(6) | BIT(7) | BIT(8)},
    {"RS.CO", BIT(2) | BIT(3)},
    {"RS.MI", UPTO(2)},
    {"RC.RP", UPTO(6)},
    {"RC.CO", BIT(3) | BIT(4)},
};

static const struct {
    char name[3];
    unsigned char last;
} families[] = {
    {"AC", 25}, {"AT", 6},  {"AU", 16}, {"CA", 9},  {"CM", 14}, {"CP", 13}, {"IA", 13},
    {"IR", 10}, {"MA", 7},  {"MP", 8},  {"PE", 23}, {"PL", 11}, {"PM", 32}, {"PS", 9},
    {"PT", 8},  {"RA", 10}, {"SA", 24}, {"SC", 51}, {"SI", 23}, {"SR", 12},
};

/* A number in front of the text, which is cut off it; 0 = none. */
static unsigned take_number(struct str *text)
{
    unsigned n = 0;
    size_t i = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9' && n <= NUMBER_MAX; i++)
        n = n * 10 + (unsigned)(text->ptr[i] - '0');
    *text = str_sub(*text, i, text->len);
    return n <= NUMBER_MAX ? n : 0;
}

/* The right spelling of a CSF identifier; empty: there is none. */
static struct str csf_spelling(struct arena *arena, struct str text)
{
    enum { FUNCTION = 2, CATEGORY = 5 };
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        struct str name = str_from(categories[i].name);
        if (text.len == FUNCTION && str_starts(name, text))
            return text;
        if (!str_starts(text, name))
            continue;
        struct str rest = str_sub(text, CATEGORY, text.len);
        if (!rest.len)
            return name;
        if (!str_starts(rest, STR("-")))
            return STR("");
        rest = str_sub(rest, 1, rest.len);
        unsigned n = take_number(&rest);
        bool is = n > 0 && n < 32 && rest.len == 0 && (categories[i].numbers >> n & 1);
        return is ? arena_printf(arena, "%.*s-%02u", STR_ARG(name), n) : STR("");
    }
    return STR("");
}

static struct str control_spelling(struct arena *arena, struct str text)
{
    enum { FAMILY = 2 };
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        struct str name = str_from(families[i].name), rest = str_sub(text, FAMILY + 1, text.len);
        if (!str_starts(text, name) || !str_starts(str_sub(text, FAMILY, text.len), STR("-")))
            continue;
        unsigned n = take_number(&rest), enhancement = 0;
        if (n == 0 || n > families[i].last)
            return STR("");
        if (!rest.len)
            return arena_printf(arena, "%.*s-%u", STR_ARG(name), n);
        rest = str_trim(rest);
        if (!str_starts(rest, STR("(")) || !str_ends(rest, STR(")")))
            return STR("");
        rest = str_sub(rest, 1, rest.len - 1);
        enhancement = take_number(&rest);
        return enhancement && !rest.len
                   ? arena_printf(arena, "%.*s-%u(%u)", STR_ARG(name), n, enhancement)
                   : STR("");
    }
    return STR("");
}

bool reference_known(struct arena *arena, enum reference kind, struct str text,
                     struct str *ret_meant)
{
    char upper[TEXT_MAX];
    struct str plain = {upper, text.len};
    *ret_meant = STR("");
    if (text.len > sizeof upper)
        return false;
    for (size_t i = 0; i < text.len; i++)
        upper[i] =
            (char)(text.ptr[i] >= 'a' && text.ptr[i] <= 'z' ? text.ptr[i] & ~0x20 : text.ptr[i]);
    struct str right =
        kind == REFERENCE_CSF ? csf_spelling(arena, plain) : control_spelling(arena, plain);
    if (right.len && str_equal(right, text))
        return true;
    *ret_meant = right.len ? arena_dup(arena, right) : STR("");
    return false;
}

const char *reference_name(enum reference kind)
{
    return kind == REFERENCE_CSF ? "CSF 2.0" : "800-53 revision 5";
}
