/* quantity.c - a number and a unit from a table. */
#include "base/quantity.h"

struct unit {
    struct str name;
    int64_t factor;
};

static const struct unit sizes[] = {
    {STR_INIT(""), 1},         {STR_INIT("B"), 1},         {STR_INIT("K"), 1 << 10},
    {STR_INIT("KB"), 1 << 10}, {STR_INIT("KiB"), 1 << 10}, {STR_INIT("M"), 1 << 20},
    {STR_INIT("MB"), 1 << 20}, {STR_INIT("MiB"), 1 << 20}, {STR_INIT("G"), 1 << 30},
    {STR_INIT("GB"), 1 << 30}, {STR_INIT("GiB"), 1 << 30}, {STR_INIT("T"), (int64_t)1 << 40},
};
static const struct unit durations[] = {
    {STR_INIT(""), 1000},
    {STR_INIT("ms"), 1},
    {STR_INIT("s"), 1000},
    {STR_INIT("m"), 60 * 1000},
    {STR_INIT("h"), 3600 * 1000},
    {STR_INIT("d"), 24 * 3600 * 1000},
    {STR_INIT("w"), 7 * 24 * 3600 * 1000},
};

static bool parse(struct str text, const struct unit *units, size_t n, int64_t *ret)
{
    size_t digits = 0;
    int64_t number = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (!digits || !str_to_int64(str_sub(text, 0, digits), &number))
        return false;
    struct str unit = str_trim(str_sub(text, digits, text.len));
    for (size_t i = 0; i < n; i++)
        if (str_equal(unit, units[i].name))
            return !__builtin_mul_overflow(number, units[i].factor, ret);
    return false;
}

bool quantity_parse_bytes(struct str text, int64_t *ret_bytes)
{
    return parse(text, sizes, sizeof sizes / sizeof *sizes, ret_bytes);
}

bool quantity_parse_duration(struct str text, int64_t *ret_ms)
{
    return parse(text, durations, sizeof durations / sizeof *durations, ret_ms);
}
