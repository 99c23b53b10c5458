/* zone.c - reads TZif files and the POSIX rule behind their tables. */
#include "lang/rego/zone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/io.h"

/* --- the calendar (days from civil, after Howard Hinnant's description of the algorithm) --- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_of(int64_t year, int month, int64_t day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400), of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t civil_seconds(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                      int64_t second)
{
    year += floor_div(month - 1, 12);
    int in_year = (int)(month - 1 - floor_div(month - 1, 12) * 12) + 1;
    return (days_of(year, in_year, 1) + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
}

struct civil civil_from(int64_t seconds)
{
    int64_t days = floor_div(seconds, 86400), rest = seconds - days * 86400;
    int64_t z = days + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    struct civil c = {.day = (int)(of_year - (153 * shifted + 2) / 5 + 1)};
    c.month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    c.year = year + era * 400 + (c.month <= 2);
    c.hour = (int)(rest / 3600);
    c.minute = (int)(rest / 60 % 60);
    c.second = (int)(rest % 60);
    c.weekday = (int)(((days + 4) % 7 + 7) % 7);
    return c;
}

/* --- files --- */

struct rule {  /* of a POSIX string: Mm.w.d/time, Jn, n */
    char kind; /* 'M', 'J', 'N' */
    int month, week, day;
    int at; /* seconds into the day */
};
struct zone {
    struct str text; /* of the 64-bit part: transitions, types, names */
    uint32_t ntimes, ntypes, nchars;
    bool has_rule, has_summer;
    struct str name[2];
    int offset[2]; /* standard, summer */
    struct rule begin, end;
};

static uint32_t be32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static int64_t be64(const char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

enum { HEADER = 44, FILE_MAX = 1 << 20 };

static bool rule_number(struct str *s, int *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < s->len && isdigit((unsigned char)s->ptr[n]) && *ret < 100000)
        *ret = *ret * 10 + (s->ptr[n++] - '0');
    *s = str_sub(*s, n, s->len);
    return n > 0;
}

static bool skip(struct str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool rule_time(struct str *s, int *ret)
{
    int sign = skip(s, '-') ? -1 : 1, part;
    if (sign > 0)
        (void)skip(s, '+');
    *ret = 0;
    for (int unit = 3600; unit; unit /= 60) {
        if (unit < 3600 && !skip(s, ':'))
            break;
        if (!rule_number(s, &part))
            return false;
        *ret += part * unit;
    }
    *ret *= sign;
    return true;
}

static bool rule_name(struct str *s, struct str *ret)
{
    size_t n = 0;
    if (skip(s, '<')) {
        while (n < s->len && s->ptr[n] != '>')
            n++;
        *ret = str_sub(*s, 0, n);
        *s = str_sub(*s, n + 1, s->len);
        return n > 0;
    }
    while (n < s->len && isalpha((unsigned char)s->ptr[n]))
        n++;
    *ret = str_sub(*s, 0, n);
    *s = str_sub(*s, n, s->len);
    return n > 0;
}

static bool rule_date(struct str *s, struct rule *ret)
{
    if (!skip(s, ','))
        return false;
    ret->kind = skip(s, 'M') ? 'M' : skip(s, 'J') ? 'J' : 'N';
    if (ret->kind == 'M') {
        if (!rule_number(s, &ret->month) || !skip(s, '.') || !rule_number(s, &ret->week) ||
            !skip(s, '.') || !rule_number(s, &ret->day))
            return false;
    } else if (!rule_number(s, &ret->day)) {
        return false;
    }
    ret->at = 7200;
    return !skip(s, '/') || rule_time(s, &ret->at);
}

/* CET-1CEST,M3.5.0,M10.5.0/3 */
static void read_rule(struct zone *zone, struct str s)
{
    int west;
    if (!rule_name(&s, &zone->name[0]) || !rule_time(&s, &west))
        return;
    zone->offset[0] = -west;
    zone->has_rule = true;
    if (!s.len || !rule_name(&s, &zone->name[1]))
        return;
    zone->offset[1] = zone->offset[0] + 3600;
    if (s.len && s.ptr[0] != ',') {
        if (!rule_time(&s, &west))
            return;
        zone->offset[1] = -west;
    }
    zone->has_summer = rule_date(&s, &zone->begin) && rule_date(&s, &zone->end);
}

/* Bytes of a part of the file with these counts. */
static uint64_t part_size(const char *header, unsigned time_size)
{
    uint64_t isut = be32(header + 20), isstd = be32(header + 24), leap = be32(header + 28);
    uint64_t times = be32(header + 32), types = be32(header + 36), chars = be32(header + 40);
    return times * time_size + times + types * 6 + chars + leap * (time_size + 4) + isstd + isut;
}

static bool read_file(struct zone *zone, struct str file)
{
    if (file.len < HEADER || memcmp(file.ptr, "TZif", 4) != 0 || file.ptr[4] < '2')
        return false;
    uint64_t first = part_size(file.ptr, 4);
    if (first + 2 * HEADER > file.len)
        return false;
    struct str rest = str_sub(file, HEADER + (size_t)first, file.len);
    uint64_t size = part_size(rest.ptr, 8);
    if (memcmp(rest.ptr, "TZif", 4) != 0 || size + HEADER > rest.len)
        return false;
    zone->ntimes = be32(rest.ptr + 32);
    zone->ntypes = be32(rest.ptr + 36);
    zone->nchars = be32(rest.ptr + 40);
    zone->text = str_sub(rest, HEADER, HEADER + (size_t)size);
    struct str tail = str_sub(rest, HEADER + (size_t)size, rest.len), line;
    if (skip(&tail, '\n') && str_cut(&tail, '\n', &line))
        read_rule(zone, line);
    return zone->ntypes > 0;
}

static bool safe_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && !strchr("/_+-", name.ptr[i]))
            return false;
    return name.len > 0 && name.len < 100 && name.ptr[0] != '/';
}

const struct zone *zone_open(struct arena *arena, struct str name)
{
    struct zone *zone = arena_new(arena, struct zone, 1);
    char path[200];
    struct str file;
    if (!zone)
        return NULL;
    if (!name.len || str_equal(name, STR("UTC")) || str_equal(name, STR("Local"))) {
        zone->has_rule = true;
        zone->name[0] = STR("UTC");
        return zone;
    }
    if (!safe_name(name))
        return NULL;
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", STR_ARG(name));
    return io_read_file(arena, path, FILE_MAX, &file, NULL) && read_file(zone, file) ? zone : NULL;
}

/* --- offsets --- */

static int64_t rule_moment(const struct rule *rule, int64_t year)
{
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (rule->kind == 'J')
        return civil_seconds(year, 1, rule->day + (leap && rule->day > 59), 0, 0, rule->at);
    if (rule->kind == 'N')
        return civil_seconds(year, 1, rule->day + 1, 0, 0, rule->at);
    int64_t first = civil_seconds(year, rule->month, 1, 0, 0, 0);
    int64_t next = civil_seconds(year, rule->month + 1, 1, 0, 0, 0);
    int ahead = (rule->day - civil_from(first).weekday + 7) % 7;
    int64_t day = first + (int64_t)ahead * 86400 + (int64_t)(rule->week - 1) * 7 * 86400;
    while (day >= next)
        day -= INT64_C(7) * 86400;
    return day + rule->at;
}

static int by_rule(const struct zone *zone, int64_t utc, struct str *ret_name)
{
    int summer = 0;
    if (zone->has_summer) {
        int64_t year = civil_from(utc + zone->offset[0]).year;
        int64_t begin = rule_moment(&zone->begin, year) - zone->offset[0];
        int64_t end = rule_moment(&zone->end, year) - zone->offset[1];
        summer = begin < end ? utc >= begin && utc < end : utc >= begin || utc < end;
    }
    *ret_name = zone->name[summer];
    return zone->offset[summer];
}

static int by_type(const struct zone *zone, uint32_t type, struct str *ret_name)
{
    const char *types = zone->text.ptr + (size_t)zone->ntimes * 9;
    const char *names = types + (size_t)zone->ntypes * 6;
    if (type >= zone->ntypes)
        type = 0;
    unsigned char at = (unsigned char)types[type * 6 + 5];
    *ret_name = at < zone->nchars ? (struct str){names + at, strnlen(names + at, zone->nchars - at)}
                                  : STR("");
    return (int)(int32_t)be32(types + type * 6);
}

int zone_offset(const struct zone *zone, int64_t utc, struct str *ret_name)
{
    const char *times = zone->text.ptr;
    uint32_t low = 0, high = zone->ntimes;
    while (low < high) { /* the first transition behind that moment */
        uint32_t middle = low + (high - low) / 2;
        if (be64(times + (size_t)middle * 8) <= utc)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->ntimes && zone->has_rule)
        return by_rule(zone, utc, ret_name);
    if (low == 0)
        return by_type(zone, 0, ret_name);
    unsigned char type = (unsigned char)times[(size_t)zone->ntimes * 8 + low - 1];
    return by_type(zone, type, ret_name);
}
