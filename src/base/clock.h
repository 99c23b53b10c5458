/* clock.h - milliseconds and RFC 3339 text; code that decides takes its clock from struct app. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { CLOCK_TEXT = 32 };

int64_t clock_wall_ms(void);      /* since 1970-01-01T00:00:00Z */
int64_t clock_monotonic_ms(void); /* for durations and deadlines */
/* "2026-11-22T01:41:00Z" (with .mmm where not zero); years 0000 to 9999, times
 * beyond as the first or last moment of those. Returns out. */
const char *clock_format(int64_t utc_ms, char out[CLOCK_TEXT]);
/* RFC 3339 date-time, or a plain date "2026-12-31" = its first moment in UTC. */
bool clock_parse(struct str text, int64_t *ret_utc_ms);
/* Days of the Gregorian calendar (no zone), counted from 1970-01-01 = 0, a Thursday. */
struct clock_day {
    int64_t year;
    int month, day;
};
struct clock_day clock_day_at(int64_t days);
int64_t clock_days(int64_t year, int64_t month, int64_t day);
