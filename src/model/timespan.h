/* timespan.h - times of the week on a wall clock: "mon-fri 08:00-18:00", and when a digest is due.
 *
 * Text:   days (mon, mon-fri, sat,sun) and HH:MM-HH:MM, or one of both; 24:00 is the day's end; an
 *         end that is not behind its start is on the next day, and the days are those of the start
 * Zone:   what the wall shows is zone.h's business, summer time included; NULL = UTC
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct zone;

struct timespan {
    uint8_t days;      /* bits 0-6, 0 = Sunday */
    uint16_t from, to; /* minutes of the day; to <= from: of the next day */
};
bool timespan_parse(struct str text, struct timespan *ret);
/* Is the moment within one of them? ret_until: then the first moment that is in none; may be NULL.
 */
bool timespan_covers(const struct timespan *span, size_t n, const struct zone *zone, int64_t utc_ms,
                     int64_t *ret_until_utc_ms);

/* "daily", "daily 09:00", "weekly", "weekly mon 09:00"; 09:00 and mon without them. */
struct timespan_digest {
    uint8_t days;
    uint16_t at;
};
bool timespan_digest_parse(struct str text, struct timespan_digest *ret);
/* The first one behind that moment. */
int64_t timespan_digest_next(const struct timespan_digest *digest, const struct zone *zone,
                             int64_t after_utc_ms);
