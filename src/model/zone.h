/* zone.h - what a clock on the wall shows in a time zone: the offsets of a TZif file and its
 * footer.
 *
 * Shape:  a zone is a run of segments of UTC, each with one offset; before the first the first type
 *         counts, behind the last the footer's rule (a POSIX TZ text) or the last type
 * Units:  seconds since 1970-01-01T00:00:00; "wall" = the same count read off a local clock
 * Bounds: a file of at most ZONE_FILE_MAX bytes, every count checked against it; leap seconds
 *         ("right/") are refused
 * I/O:    zone_load reads one file below ZONE_DIR; everything else is arithmetic
 * Source: RFC 9636 (TZif), POSIX.1-2017 section 8.3 (TZ)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

enum { ZONE_FILE_MAX = 1 << 16, ZONE_NAME_MAX = 64 };
#define ZONE_DIR "/usr/share/zoneinfo"

/* A day of the year at which a footer changes the offset. */
struct zone_change {
    enum { ZONE_DAY_JULIAN, ZONE_DAY_ZERO, ZONE_DAY_WEEK } kind; /* J1-J365, 0-365, Mm.w.d */
    int day, month, week;                                        /* Mm.w.d: day 0 = Sunday */
    int32_t time_s;                                              /* wall, -167 h to 167 h */
};
struct zone_footer {
    bool present, has_dst;
    int32_t standard_s, dst_s; /* east of UTC */
    struct zone_change to_dst, to_standard;
};
struct zone {
    struct str name;
    const int64_t *at;      /* ascending: from when offset[i + 1] counts */
    const int32_t *offsets; /* nat + 1: [0] before the first */
    size_t nat;
    struct zone_footer footer;
};

/* Seconds east of UTC, and the segment [from, until) in which it counts. */
struct zone_segment {
    int64_t from, until; /* INT64_MIN, INT64_MAX: no end */
    int32_t offset_s;
};
struct zone_segment zone_segment_at(const struct zone *zone, int64_t utc_s); /* NULL: UTC */
/* The first moment at which the wall shows at least wall_s: of a time that is there twice the
 * first, of one that is skipped the moment of the change. */
int64_t zone_utc_from_wall(const struct zone *zone, int64_t wall_s);

/* The bytes of a TZif file (version 1 to 4). All of it is copied into arena. ERR_SYNTAX. */
bool zone_parse(struct arena *arena, struct str bytes, struct str name, struct zone *ret,
                struct err *err);
/* "Europe/Berlin"; *ret NULL for UTC, Etc/UTC, GMT, Z. ERR_USAGE: there is no such zone;
 * ERR_UNAVAILABLE: this machine has no time zone data (tzdata is not installed). */
bool zone_load(struct arena *arena, struct str name, const struct zone **ret, struct err *err);
