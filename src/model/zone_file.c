/* zone_file.c - TZif: the header, the block of 64-bit times, the footer. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "model/zone.h"

enum { HEADER = 44, TIMES_MAX = 4096, TYPES_MAX = 256, TYPE_SIZE = 6, WIDEST_S = 26 * 3600 - 1 };

struct counts {
    size_t isut, isstd, leap, time, type, chars;
};
struct reader {
    struct str bytes, name;
    struct err *err;
};

static bool broken(const struct reader *r, const char *what)
{
    return err_set(r->err, ERR_SYNTAX, "time zone %.*s: %s", STR_ARG(r->name), what);
}

static uint64_t big(const char *at, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

/* --- the footer: "CET-1CEST,M3.5.0,M10.5.0/3" --- */

static bool number(struct str *s, int most, int *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < s->len && n < 4 && s->ptr[n] >= '0' && s->ptr[n] <= '9')
        *ret = *ret * 10 + (s->ptr[n++] - '0');
    *s = str_sub(*s, n, s->len);
    return n && *ret <= most;
}

static bool eat(struct str *s, char c)
{
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool time_of(struct str *s, int hours_most, int32_t *ret)
{
    int h, m = 0, sec = 0;
    int sign = eat(s, '-') ? -1 : 1;
    if (sign == 1)
        (void)eat(s, '+');
    if (!number(s, hours_most, &h) ||
        (eat(s, ':') && (!number(s, 59, &m) || (eat(s, ':') && !number(s, 59, &sec)))))
        return false;
    *ret = sign * ((h * 60 + m) * 60 + sec);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool designation(struct str *s)
{
    size_t n = 0;
    if (eat(s, '<')) {
        size_t end = str_find_char(*s, '>', 0);
        if (end == SIZE_MAX || end < 3)
            return false;
        *s = str_sub(*s, end + 1, s->len);
        return true;
    }
    while (n < s->len && is_letter(s->ptr[n]))
        n++;
    *s = str_sub(*s, n, s->len);
    return n >= 3;
}

static bool change(struct str *s, struct zone_change *ret)
{
    *ret = (struct zone_change){.time_s = 2 * 3600};
    if (eat(s, 'M')) {
        ret->kind = ZONE_DAY_WEEK;
        if (!number(s, 12, &ret->month) || !ret->month || !eat(s, '.') ||
            !number(s, 5, &ret->week) || !ret->week || !eat(s, '.') || !number(s, 6, &ret->day))
            return false;
    } else {
        ret->kind = eat(s, 'J') ? ZONE_DAY_JULIAN : ZONE_DAY_ZERO;
        if (!number(s, 365, &ret->day) || (ret->kind == ZONE_DAY_JULIAN && !ret->day))
            return false;
    }
    return !eat(s, '/') || time_of(s, 167, &ret->time_s);
}

/* POSIX counts west of UTC, plumb east. */
static bool footer(struct str s, struct zone_footer *ret)
{
    if (!designation(&s) || !time_of(&s, 24, &ret->standard_s))
        return false;
    ret->standard_s = -ret->standard_s;
    ret->dst_s = ret->standard_s + 3600;
    ret->present = true;
    if (!s.len)
        return true;
    ret->has_dst = true;
    if (!designation(&s) || !s.len)
        return false;
    if (s.ptr[0] != ',') {
        if (!time_of(&s, 24, &ret->dst_s))
            return false;
        ret->dst_s = -ret->dst_s;
    }
    return eat(&s, ',') && change(&s, &ret->to_dst) && eat(&s, ',') &&
           change(&s, &ret->to_standard) && !s.len;
}

/* --- the blocks --- */

static bool header(const struct reader *r, size_t at, struct counts *ret, char *ret_version)
{
    if (r->bytes.len - at < HEADER || memcmp(r->bytes.ptr + at, "TZif", 4) != 0)
        return broken(r, "not a TZif file");
    const char *p = r->bytes.ptr + at;
    size_t n[6];
    for (size_t i = 0; i < 6; i++)
        n[i] = (size_t)big(p + 20 + i * 4, 4);
    *ret = (struct counts){n[0], n[1], n[2], n[3], n[4], n[5]};
    *ret_version = p[4];
    if (ret->leap)
        return broken(r, "it counts leap seconds (right/), which plumb does not");
    if (ret->time > TIMES_MAX || !ret->type || ret->type > TYPES_MAX || ret->chars > TYPES_MAX ||
        ret->isut > TYPES_MAX || ret->isstd > TYPES_MAX)
        return broken(r, "more times or types than a time zone has");
    return true;
}

static size_t block_size(const struct counts *c, size_t width)
{
    return c->time * (width + 1) + c->type * TYPE_SIZE + c->chars + c->isstd + c->isut;
}

static bool block(const struct reader *r, struct arena *arena, size_t at, const struct counts *c,
                  size_t width, struct zone *zone)
{
    if (r->bytes.len - at < block_size(c, width))
        return broken(r, "cut short");
    const char *times = r->bytes.ptr + at, *index = times + c->time * width;
    const char *types = index + c->time;
    int64_t *when = arena_new(arena, int64_t, c->time);
    int32_t *offsets = arena_new(arena, int32_t, c->time + 1);
    if (!when || !offsets)
        return arena_full(arena, r->err);
    for (size_t i = 0; i <= c->time; i++) {
        size_t type = i ? (unsigned char)index[i - 1] : 0;
        if (type >= c->type)
            return broken(r, "a time of no type");
        offsets[i] = (int32_t)big(types + type * TYPE_SIZE, 4);
        if (offsets[i] < -WIDEST_S || offsets[i] > WIDEST_S)
            return broken(r, "an offset of more than a day");
        if (i)
            when[i - 1] = width == 8 ? (int64_t)big(times + (i - 1) * 8, 8)
                                     : (int32_t)big(times + (i - 1) * 4, 4);
        if (i > 1 && when[i - 1] <= when[i - 2])
            return broken(r, "its times are not in order");
    }
    zone->at = when;
    zone->offsets = offsets;
    zone->nat = c->time;
    return true;
}

bool zone_parse(struct arena *arena, struct str bytes, struct str name, struct zone *ret,
                struct err *err)
{
    struct reader r = {bytes, name, err};
    struct zone zone = {.name = arena_dup(arena, name)};
    struct counts c;
    char version;
    if (!zone.name.ptr)
        return arena_full(arena, err);
    if (!header(&r, 0, &c, &version))
        return false;
    if (version < '2') {
        if (!block(&r, arena, HEADER, &c, 4, &zone))
            return false;
        *ret = zone;
        return true;
    }
    size_t at = HEADER + block_size(&c, 4);
    if (at > bytes.len)
        return broken(&r, "cut short");
    if (!header(&r, at, &c, &version) || !block(&r, arena, at + HEADER, &c, 8, &zone))
        return false;
    at += HEADER + block_size(&c, 8);
    size_t end = str_find_char(bytes, '\n', at + 1);
    if (at >= bytes.len || bytes.ptr[at] != '\n' || end == SIZE_MAX)
        return broken(&r, "no footer");
    if (end > at + 1 && !footer(str_sub(bytes, at + 1, end), &zone.footer))
        return broken(&r, "a footer that is no POSIX TZ text");
    *ret = zone;
    return true;
}

/* --- by name --- */

/* Letters, digits and _ + - in parts with a slash between: nothing that leaves the folder. */
static bool name_ok(struct str name)
{
    if (!name.len || name.len > ZONE_NAME_MAX || name.ptr[0] == '/' || str_ends(name, STR("/")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && !(c && strchr("_+-/", c)))
            return false;
        if (c == '/' && name.ptr[i - 1] == '/')
            return false;
    }
    return true;
}

static bool is_utc(struct str name)
{
    static const struct str names[] = {STR_INIT("UTC"), STR_INIT("Etc/UTC"), STR_INIT("GMT"),
                                       STR_INIT("Z")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

bool zone_load(struct arena *arena, struct str name, const struct zone **ret, struct err *err)
{
    if (is_utc(name)) {
        *ret = NULL;
        return true;
    }
    if (!name_ok(name))
        return err_set(err, ERR_USAGE, "'%.*s' is no time zone; one is named Europe/Berlin or UTC",
                       STR_ARG(name));
    if (!io_is_dir(ZONE_DIR))
        return err_set(err, ERR_UNAVAILABLE,
                       "time zone %.*s: there is no " ZONE_DIR "; install tzdata", STR_ARG(name));
    AUTO_ARENA scratch = {.limit = 4 * ZONE_FILE_MAX};
    struct str path = io_join(&scratch, STR(ZONE_DIR), name), bytes;
    if (!path.ptr || io_is_dir(path.ptr) || !io_exists(path.ptr))
        return err_set(err, ERR_USAGE, "there is no time zone '%.*s' below " ZONE_DIR,
                       STR_ARG(name));
    struct zone *zone = arena_new(arena, struct zone, 1);
    if (!zone)
        return arena_full(arena, err);
    if (!io_read_file(&scratch, path.ptr, ZONE_FILE_MAX, &bytes, err) ||
        !zone_parse(arena, bytes, name, zone, err))
        return false;
    *ret = zone;
    return true;
}
