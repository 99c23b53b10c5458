/* schedule.c - the next due time: a walk over days of the wall, a step of a period. */
#include "model/schedule.h"

#include "base/clock.h"
#include "base/digest.h"

enum {
    DAY = 86400,
    MINUTE = 60,
    HORIZON_DAYS = 9 * 366,           /* 29 February: at most 8 years */
    SHOWN_TWICE_MAX = 2 * 26 * 60 + 1 /* minutes: offsets are within 26 hours */
};

/* Years 1 to 9990: what arithmetic below cannot leave. */
#define FIRST_MS INT64_C(-62135596800000)
#define LAST_MS INT64_C(253117958400000)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool day_fits(const struct schedule *s, const struct clock_day *day, int64_t days)
{
    bool of_month = s->days >> day->day & 1;
    bool of_week = s->weekdays >> (((days + 4) % 7 + 7) % 7) & 1;
    if (!(s->months >> day->month & 1))
        return false;
    return s->either_day ? of_month || of_week : of_month && of_week;
}

/* The first minute of a day, at or after `minute`, that fits; -1: none. */
static int minute_from(const struct schedule *s, int minute)
{
    for (int hour = minute / 60, from = minute % 60; hour < 24; hour++, from = 0) {
        uint64_t left = s->hours >> hour & 1 ? s->minutes >> from : 0;
        if (left)
            return hour * 60 + from + __builtin_ctzll(left);
    }
    return -1;
}

/* The first time of the wall in [from_s, until_s) that fits, INT64_MAX: none. */
static int64_t wall_next(const struct schedule *s, int64_t from_s, int64_t until_s)
{
    int64_t minute = floor_div(from_s + MINUTE - 1, MINUTE), day = floor_div(minute, 1440);
    int start = (int)(minute - day * 1440);
    for (int64_t last = day + HORIZON_DAYS; day <= last && day * DAY < until_s; start = 0) {
        struct clock_day date = clock_day_at(day);
        if (!(s->months >> date.month & 1)) {
            day = clock_days(date.year + date.month / 12, date.month % 12 + 1, 1);
            continue;
        }
        int found = day_fits(s, &date, day) ? minute_from(s, start) : -1;
        if (found >= 0) {
            int64_t at = day * DAY + (int64_t)found * MINUTE;
            return at < until_s ? at : INT64_MAX;
        }
        day++;
    }
    return INT64_MAX;
}

/* Cron with a star: every moment whose wall fits, segment by segment. */
static int64_t follow_wall(const struct schedule *s, int64_t from_s)
{
    int64_t last = from_s + (int64_t)HORIZON_DAYS * DAY;
    while (from_s < last) {
        struct zone_segment segment = zone_segment_at(s->zone, from_s);
        int64_t until = segment.until < last ? segment.until : last, offset = segment.offset_s;
        int64_t at = wall_next(s, from_s + offset, until + offset);
        if (at != INT64_MAX)
            return at - offset;
        from_s = until;
    }
    return INT64_MAX;
}

/* A fixed time: each time of the wall once. A wall that went back shows times again that were due.
 */
static int64_t fixed_wall(const struct schedule *s, int64_t from_s)
{
    /* One second back: what was skipped is due at the moment of the change itself. */
    int64_t wall = from_s - 1 + zone_segment_at(s->zone, from_s - 1).offset_s;
    wall = floor_div(wall, MINUTE) * MINUTE;
    for (int tries = 0; tries < SHOWN_TWICE_MAX; tries++, wall += MINUTE) {
        wall = wall_next(s, wall, INT64_MAX);
        if (wall == INT64_MAX)
            break;
        int64_t at = zone_utc_from_wall(s->zone, wall);
        if (at >= from_s)
            return at;
    }
    return INT64_MAX;
}

int64_t schedule_next(const struct schedule *schedule, struct str seed, int64_t after_utc_ms)
{
    int64_t jitter = schedule->jitter_ms, period = schedule->period_ms;
    int64_t share = jitter > 0 ? (int64_t)(hash_bytes(seed, 0) % (uint64_t)jitter) : 0;
    int64_t after = after_utc_ms < FIRST_MS ? FIRST_MS : after_utc_ms;
    if (schedule->kind == SCHEDULE_NONE || after > LAST_MS || share > LAST_MS - FIRST_MS)
        return SCHEDULE_NEVER;
    after -= share;
    if (schedule->kind == SCHEDULE_PERIOD)
        return (floor_div(after, period) + 1) * period + share;
    int64_t from_s = floor_div(after, 1000) + 1;
    int64_t at =
        schedule->follows_wall ? follow_wall(schedule, from_s) : fixed_wall(schedule, from_s);
    return at == INT64_MAX ? SCHEDULE_NEVER : at * 1000 + share;
}
