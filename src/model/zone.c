/* zone.c - the arithmetic of a zone: segments of one offset, from its table and from its footer. */
#include "model/zone.h"

#include "base/clock.h"

enum { DAY = 86400, FOOTER_YEARS = 3 };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Seconds of the wall at which a change happens in `year`. */
static int64_t change_wall(const struct zone_change *change, int64_t year)
{
    int64_t first = clock_days(year, 1, 1), day;
    if (change->kind == ZONE_DAY_WEEK) {
        static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        int month = change->month, length = lengths[month - 1] + (month == 2 && is_leap(year));
        int64_t start = clock_days(year, month, 1);
        int64_t weekday = ((start + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        int64_t offset = (change->day - weekday + 7) % 7 + (int64_t)(change->week - 1) * 7;
        day = start + (offset >= length ? offset - 7 : offset);
    } else if (change->kind == ZONE_DAY_JULIAN) {
        day = first + change->day - 1 + (change->day >= 60 && is_leap(year));
    } else {
        day = first + change->day;
    }
    return day * DAY + change->time_s;
}

struct turn {
    int64_t at;
    int32_t offset_s;
};

/* The footer's changes in the year of utc_s and in those beside it, in order. */
static size_t footer_turns(const struct zone_footer *f, int64_t utc_s,
                           struct turn turns[2 * FOOTER_YEARS])
{
    int64_t year = clock_day_at(floor_div(utc_s, DAY)).year;
    size_t n = 0;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        struct turn pair[2] = {{change_wall(&f->to_standard, y) - f->dst_s, f->standard_s},
                               {change_wall(&f->to_dst, y) - f->standard_s, f->dst_s}};
        for (size_t i = 0; i < 2; i++) {
            size_t k = n++;
            for (; k && turns[k - 1].at > pair[i].at; k--)
                turns[k] = turns[k - 1];
            turns[k] = pair[i];
        }
    }
    return n;
}

static struct zone_segment footer_segment(const struct zone *zone, int64_t start, int64_t utc_s)
{
    const struct zone_footer *f = &zone->footer;
    struct zone_segment ret = {start, INT64_MAX, f->standard_s};
    if (!f->has_dst)
        return ret;
    struct turn turns[2 * FOOTER_YEARS];
    size_t n = footer_turns(f, utc_s, turns);
    for (size_t i = 0; i < n; i++) {
        if (turns[i].at > utc_s) {
            ret.until = turns[i].at;
            break;
        }
        ret.offset_s = turns[i].offset_s;
        ret.from = turns[i].at > start ? turns[i].at : start;
    }
    return ret;
}

struct zone_segment zone_segment_at(const struct zone *zone, int64_t utc_s)
{
    struct zone_segment ret = {INT64_MIN, INT64_MAX, 0};
    if (!zone)
        return ret;
    size_t low = 0, high = zone->nat; /* how many changes are not after utc_s */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low)
        ret.from = zone->at[low - 1];
    if (low == zone->nat && zone->footer.present)
        return footer_segment(zone, ret.from, utc_s);
    if (low < zone->nat)
        ret.until = zone->at[low];
    ret.offset_s = zone->offsets[low];
    return ret;
}

int64_t zone_utc_from_wall(const struct zone *zone, int64_t wall_s)
{
    enum { FURTHEST = 26 * 3600, SEGMENTS_MAX = 64 }; /* offsets are within 26 hours: RFC 9636 */
    int64_t at = wall_s - FURTHEST;
    for (int i = 0; zone && i < SEGMENTS_MAX; i++) {
        struct zone_segment s = zone_segment_at(zone, at);
        int64_t utc = wall_s - s.offset_s;
        if (utc < s.until)
            return utc > s.from ? utc : s.from;
        at = s.until;
    }
    return zone ? at : wall_s;
}
