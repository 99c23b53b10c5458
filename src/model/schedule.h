/* schedule.h - when a stack is due: words, durations, cron in a time zone; windows. Arithmetic
 * only.
 *
 * Texts:  hourly daily weekly monthly yearly (also with @), a duration ("15m", "@every 15m"), five
 *         fields of cron, each of these with "CRON_TZ=Europe/Berlin " before it
 * Jitter: every due time of a stack is its slot plus a share of `jitter_ms` that is a hash of the
 *         stack's name: the same on every machine and after every start, spread over the stacks.
 *         Words and durations spread over their whole period, cron keeps its minute; `jitter:` says
 *         otherwise
 * Change of the clocks (as Vixie cron): cron whose minute or hour starts with `*` follows the wall
 *         as it goes; a fixed time that is skipped is due at the moment of the change, one that is
 *         there twice is due the first time
 * Units:  milliseconds since 1970-01-01T00:00:00Z
 * Source: crontab(5) of Debian's cron 3.0pl1; docs/scheduling.md
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/zone.h"

struct arena;
struct config;
struct err;
struct stack;
struct value;

#define SCHEDULE_NEVER INT64_MAX
enum { SCHEDULE_JITTER_DEFAULT = -1 }; /* the period of a word or duration, none for cron */

enum schedule_kind { SCHEDULE_NONE = 0, SCHEDULE_PERIOD, SCHEDULE_CRON };

struct schedule {
    enum schedule_kind kind; /* SCHEDULE_NONE: never due by the clock */
    struct str text;         /* as written */
    int64_t period_ms;       /* PERIOD: exactly; CRON: about (a word's: its own; cron: 0) */
    int64_t jitter_ms;       /* shares are in [0, jitter_ms) */
    uint64_t minutes;        /* CRON: bit n = minute n, and so on */
    uint32_t hours, days;    /* days: bits 1-31 */
    uint16_t months;         /* bits 1-12 */
    uint8_t weekdays;        /* bits 0-6, 0 = Sunday */
    bool either_day;         /* both days are restricted: one of them is enough */
    bool follows_wall;       /* minute or hour starts with `*` */
    const struct zone *zone; /* NULL: UTC */
};

/* time_zone: empty = UTC, or what CRON_TZ= says (both: an error). Views live in arena. ERR_USAGE
 * says what is wrong and what may be written; ERR_UNAVAILABLE as zone_load. */
bool schedule_parse(struct arena *arena, struct str text, struct str time_zone, int64_t jitter_ms,
                    struct schedule *ret, struct err *err);

/* The first due time after `after_utc_ms`, or SCHEDULE_NEVER. seed: the stack's name. */
int64_t schedule_next(const struct schedule *schedule, struct str seed, int64_t after_utc_ms);

/* --- what plumb.yaml says of one stack --- */

/* How often which part of a stack is scanned. */
struct schedule_tier {
    struct str name; /* empty: the whole stack; else as in plumb.yaml, or made of types and tags;
                        stays the same over starts, so that it may be a key in the store */
    struct schedule schedule;
    int64_t grace_ms;        /* so long after its due time a scan is late, then overdue */
    const struct str *types; /* globs; none: any */
    const struct str *tags;  /* globs "key" or "key=value"; none: any */
    size_t ntypes, ntags;
};
/* tiers[0] is always the whole stack (the slow sweep; kind SCHEDULE_NONE where nothing is said);
 * hot tiers follow in the order of plumb.yaml. */
struct schedule_set {
    const struct schedule_tier *tiers;
    size_t n;
};
/* The stack's own `schedule`, else the first of `schedules:` that fits. Lives in arena. */
bool schedule_of_stack(struct arena *arena, const struct config *config, const struct stack *stack,
                       struct schedule_set *ret, struct err *err);
/* A tier's schedule and grace as one line for the store ("CRON_TZ=Europe/Berlin 0 3 * * *;
 * jitter 1800000ms; grace 0ms; type=aws_iam_*"), and back (types and tags are not read). Empty:
 * SCHEDULE_NONE. What another process planned is so known without plumb.yaml (record/freshness.h).
 */
struct str schedule_tier_spec(struct arena *arena, const struct schedule_tier *tier);
bool schedule_tier_from_spec(struct arena *arena, struct str spec, struct schedule_tier *ret,
                             struct err *err);
/* Is a resource in a hot tier? attributes: its recorded ones (tags, tags_all, labels are asked). */
bool schedule_tier_covers(const struct schedule_tier *tier, struct str type,
                          const struct value *attributes);

/* --- windows: when something may be changed --- */

struct schedule_window {
    bool open;            /* no window is about the stack: always open */
    int64_t until_utc_ms; /* when that ends; SCHEDULE_NEVER: it does not */
};
bool schedule_window_at(struct arena *arena, const struct config *config, const struct stack *stack,
                        int64_t now_utc_ms, struct schedule_window *ret, struct err *err);
