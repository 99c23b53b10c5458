/* timespan_at.c - is it one of these times of the week, and until when? */
#include "model/timespan.h"
#include "model/zone.h"

enum { DAY_S = 86400, DAY_MIN = 1440 };

static int64_t floor_day(int64_t wall_s)
{
    return wall_s >= 0 ? wall_s / DAY_S : -((-wall_s + DAY_S - 1) / DAY_S);
}

static unsigned weekday(int64_t day)
{
    return (unsigned)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static int64_t floor_s(int64_t utc_ms)
{
    return utc_ms >= 0 ? utc_ms / 1000 : -((-utc_ms + 999) / 1000);
}

/* The wall's second at which the stretch that holds wall_s ends, or INT64_MIN. */
static int64_t end_of(const struct timespan *span, int64_t wall_s)
{
    int64_t today = floor_day(wall_s);
    for (int64_t day = today - 1; day <= today; day++) {
        int64_t from = day * DAY_S + span->from * INT64_C(60);
        int64_t to =
            day * DAY_S + (span->to + (span->to <= span->from ? DAY_MIN : 0)) * INT64_C(60);
        if (span->days & 1u << weekday(day) && wall_s >= from && wall_s < to)
            return to;
    }
    return INT64_MIN;
}

bool timespan_covers(const struct timespan *span, size_t n, const struct zone *zone, int64_t utc_ms,
                     int64_t *ret_until_utc_ms)
{
    enum { JOINED_MAX = 64 };
    int64_t wall_s = floor_s(utc_ms) + zone_segment_at(zone, floor_s(utc_ms)).offset_s;
    int64_t until = wall_s;
    bool more = true;
    for (unsigned k = 0; more && k < JOINED_MAX; k++) { /* one may go on where another ends */
        more = false;
        for (size_t i = 0; i < n; i++) {
            int64_t end = end_of(&span[i], until);
            more |= end != INT64_MIN;
            until = end != INT64_MIN ? end : until;
        }
    }
    if (ret_until_utc_ms)
        *ret_until_utc_ms = zone_utc_from_wall(zone, until) * 1000;
    return until != wall_s;
}

int64_t timespan_digest_next(const struct timespan_digest *digest, const struct zone *zone,
                             int64_t after_utc_ms)
{
    int64_t after_s = floor_s(after_utc_ms);
    int64_t today = floor_day(after_s + zone_segment_at(zone, after_s).offset_s);
    for (int64_t day = today; day <= today + 8; day++) {
        int64_t at = zone_utc_from_wall(zone, day * DAY_S + digest->at * INT64_C(60));
        if (digest->days & 1u << weekday(day) && at * 1000 > after_utc_ms)
            return at * 1000;
    }
    return after_utc_ms + 7 * (int64_t)DAY_S * 1000;
}
