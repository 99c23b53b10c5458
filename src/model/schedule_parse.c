/* schedule_parse.c - "hourly", "15m", "CRON_TZ=Europe/Berlin 30 2 * * mon-fri" to a schedule. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/quantity.h"
#include "model/schedule.h"

enum { TEXT_MAX = 512, SECOND_MS = 1000 };
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define LONGEST_MS (3660 * DAY_MS)

/* --- the five fields --- */

struct cron_field {
    const char *what;
    unsigned least, most;
    const char *names; /* three letters each, the first is `least` */
};
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };
static const struct cron_field fields[FIELDS] = {
    [MINUTE] = {"minute", 0, 59, ""},
    [HOUR] = {"hour", 0, 23, ""},
    [DAY] = {"day of the month", 1, 31, ""},
    [MONTH] = {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    [WEEKDAY] = {"day of the week", 0, 7, "sunmontuewedthufrisat"}, /* 7 is Sunday, too */
};

static bool number(const struct cron_field *field, struct str text, unsigned *ret)
{
    int64_t n;
    if (text.len && text.len <= 2 && text.ptr[0] >= '0' && text.ptr[0] <= '9') {
        if (!str_to_int64(text, &n) || n < field->least || n > field->most)
            return false;
        *ret = (unsigned)n;
        return true;
    }
    for (unsigned i = 0; text.len == 3 && field->names[i * 3]; i++)
        if (strncasecmp(text.ptr, field->names + i * 3L, 3) == 0) {
            *ret = field->least + i;
            return true;
        }
    return false;
}

static bool bad_field(const struct cron_field *field, struct str text, const char *why,
                      struct err *err)
{
    return err_set(err, ERR_USAGE, "%s '%.*s': %s", field->what, STR_ARG(text), why);
}

/* One part of a list: * or N or N-M, with /STEP behind a star or a range. */
static bool parse_part(const struct cron_field *field, struct str part, uint64_t *bits,
                       struct err *err)
{
    struct str rest = part, range, first;
    unsigned from = field->least, to = field->most - (field == &fields[WEEKDAY]);
    int64_t step = 1;
    bool steps = str_cut(&rest, '/', &range);
    if (steps && (!rest.len || rest.ptr[0] < '0' || rest.ptr[0] > '9' ||
                  !str_to_int64(rest, &step) || step < 1 || step > 59))
        return bad_field(field, part, "a step is a number from 1", err);
    if (!str_equal(range, STR("*"))) {
        struct str last = range;
        bool two = str_cut(&last, '-', &first);
        if (!number(field, first, &from) || (two && !number(field, last, &to))) {
            char why[96] = "";
            (void)snprintf(why, sizeof why, "want %u to %u%s, *, a range 1-5 or a list 1,3",
                           field->least, field->most, *field->names ? " or a name" : "");
            return bad_field(field, part, why, err);
        }
        if (two && to == 0 && from && field == &fields[WEEKDAY])
            to = 7; /* sat-sun */
        if (!two && steps)
            return bad_field(field, part, "a step stands behind * or a range", err);
        to = two ? to : from;
        if (from > to)
            return bad_field(field, part, "the range ends before it begins", err);
    }
    for (unsigned i = from; i <= to; i += (unsigned)step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool parse_field(const struct cron_field *field, struct str text, uint64_t *ret,
                        struct err *err)
{
    bool more = true;
    *ret = 0;
    while (more) {
        struct str part;
        more = str_cut(&text, ',', &part);
        if (!parse_part(field, part, ret, err))
            return false;
    }
    return true;
}

/* Is there any day that is meant? 30 February never comes. */
static bool can_happen(const struct schedule *s)
{
    static const unsigned char lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (unsigned month = 1; month <= 12; month++)
        for (unsigned day = 1; s->months >> month & 1 && day <= lengths[month - 1]; day++)
            if (s->either_day || s->days >> day & 1)
                return true;
    return false;
}

static bool parse_cron(struct str text, struct schedule *ret, struct err *err)
{
    struct str words[FIELDS] = {0}, rest = str_trim(text);
    uint64_t bits[FIELDS];
    size_t n = 0;
    for (; rest.len && n < FIELDS; n++) {
        size_t end = 0;
        while (end < rest.len && rest.ptr[end] != ' ' && rest.ptr[end] != '\t')
            end++;
        words[n] = str_sub(rest, 0, end);
        rest = str_trim(str_sub(rest, end, rest.len));
    }
    if (n != FIELDS || rest.len)
        return err_set(err, ERR_USAGE,
                       "'%.*s' is no schedule: hourly, daily, weekly, monthly, yearly, a duration "
                       "such as 15m, or five cron fields (minute hour day month weekday)",
                       STR_ARG(text));
    for (size_t i = 0; i < FIELDS; i++)
        if (!parse_field(&fields[i], words[i], &bits[i], err))
            return false;
    ret->kind = SCHEDULE_CRON;
    ret->minutes = bits[MINUTE];
    ret->hours = (uint32_t)bits[HOUR];
    ret->days = (uint32_t)bits[DAY];
    ret->months = (uint16_t)bits[MONTH];
    ret->weekdays = (uint8_t)((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f);
    ret->either_day = words[DAY].ptr[0] != '*' && words[WEEKDAY].ptr[0] != '*';
    ret->follows_wall = words[MINUTE].ptr[0] == '*' || words[HOUR].ptr[0] == '*';
    return can_happen(ret) ||
           err_set(err, ERR_USAGE, "'%.*s' never comes: no such day", STR_ARG(text));
}

/* --- words and durations --- */

static const struct {
    struct str name, cron;
    int64_t period_ms;
} words[] = {
    {STR_INIT("hourly"), STR_INIT("0 * * * *"), HOUR_MS},
    {STR_INIT("daily"), STR_INIT("0 0 * * *"), DAY_MS},
    {STR_INIT("midnight"), STR_INIT("0 0 * * *"), DAY_MS},
    {STR_INIT("weekly"), STR_INIT("0 0 * * 0"), 7 * DAY_MS},
    {STR_INIT("monthly"), STR_INIT("0 0 1 * *"), 30 * DAY_MS},
    {STR_INIT("yearly"), STR_INIT("0 0 1 1 *"), 365 * DAY_MS},
    {STR_INIT("annually"), STR_INIT("0 0 1 1 *"), 365 * DAY_MS},
};

static bool parse_word(struct str text, struct schedule *ret, bool *ret_known, struct err *err)
{
    struct str name = str_starts(text, STR("@")) ? str_sub(text, 1, text.len) : text;
    *ret_known = true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(name, words[i].name)) {
            ret->period_ms = words[i].period_ms;
            return parse_cron(words[i].cron, ret, err);
        }
    *ret_known = name.len != text.len; /* nothing else may begin with @, but: */
    if (str_starts(text, STR("@every ")))
        text = str_trim(str_sub(text, 7, text.len));
    if (quantity_parse_duration(text, &ret->period_ms)) {
        *ret_known = true;
        ret->kind = SCHEDULE_PERIOD;
        return (ret->period_ms >= SECOND_MS && ret->period_ms <= LONGEST_MS) ||
               err_set(err, ERR_USAGE, "a duration is from 1s to 3660d, not '%.*s'", STR_ARG(text));
    }
    return !*ret_known || err_set(err, ERR_USAGE,
                                  "'%.*s' is no schedule: after @ stands hourly, daily, weekly, "
                                  "monthly, yearly or every 15m",
                                  STR_ARG(text));
}

/* "CRON_TZ=Europe/Berlin rest" or "TZ=..."; false: there is no zone before it. */
static bool cut_zone(struct str *text, struct str *ret_zone)
{
    static const struct str marks[] = {STR_INIT("CRON_TZ="), STR_INIT("TZ=")};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_starts(*text, marks[i])) {
            struct str rest = str_sub(*text, marks[i].len, text->len);
            (void)str_cut(&rest, ' ', ret_zone);
            *text = str_trim(rest);
            return true;
        }
    return false;
}

bool schedule_parse(struct arena *arena, struct str text, struct str time_zone, int64_t jitter_ms,
                    struct schedule *ret, struct err *err)
{
    struct schedule schedule = {.text = arena_dup(arena, text)};
    struct str rest = str_trim(text), own;
    bool known;
    if (!schedule.text.ptr)
        return arena_full(arena, err);
    if (text.len > TEXT_MAX || memchr(text.len ? text.ptr : "", '\n', text.len))
        return err_set(err, ERR_USAGE, "a schedule is one line of at most %d bytes", TEXT_MAX);
    if (cut_zone(&rest, &own)) {
        if (time_zone.len && !str_equal(time_zone, own))
            return err_set(err, ERR_USAGE, "two time zones: %.*s before it, and time_zone %.*s",
                           STR_ARG(own), STR_ARG(time_zone));
        if (!own.len)
            return err_set(err, ERR_USAGE, "CRON_TZ= without a time zone, such as Europe/Berlin");
        time_zone = own;
    }
    if (!parse_word(rest, &schedule, &known, err) || (!known && !parse_cron(rest, &schedule, err)))
        return false;
    if (time_zone.len && !zone_load(arena, time_zone, &schedule.zone, err))
        return false;
    schedule.jitter_ms = jitter_ms >= 0 ? jitter_ms : schedule.period_ms;
    if (schedule.kind == SCHEDULE_PERIOD && schedule.jitter_ms > schedule.period_ms)
        schedule.jitter_ms = schedule.period_ms;
    *ret = schedule;
    return true;
}
