/* zone.h - time zones from the system's files: the offset from UTC at a moment, and its name.
 *
 * Source: RFC 8536 (TZif), POSIX TZ strings
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct zone;

/* "", "UTC" and "Local" are UTC. NULL: no such zone, or a file that is none. Lives in the arena. */
const struct zone *zone_open(struct arena *arena, struct str name);
/* Seconds to add to UTC at that moment (Unix seconds); *ret_name "CET". */
int zone_offset(const struct zone *zone, int64_t utc, struct str *ret_name);

/* --- the calendar: proleptic Gregorian --- */

struct civil {
    int64_t year;
    int month, day, hour, minute, second; /* month and day from 1 */
    int weekday;                          /* 0 = Sunday */
};
struct civil civil_from(int64_t seconds);
/* Any values: they carry over (month 13 is January of the next year). */
int64_t civil_seconds(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                      int64_t second);
