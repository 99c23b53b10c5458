/* freshness.h - what is known too late, or not wholly: the one place that says so, for status,
 * gate, metrics, alerts and the heartbeat.
 *
 * Due:     the first time of a stack's schedule (model/schedule.h) after its last complete scan
 *          ended; of one that never was complete, after plumb first heard of it
 * Late:    due and grace: what the schedule says, else a quarter of the time to the due time after
 *          it, at least 5 minutes and at most 6 hours. Past it the stack is overdue, until a
 *          complete scan has ended
 * Whose:   schedules are those of plumb.yaml where the caller has it (ask.config), else those that
 * a service has planned (table `schedule`, tier '': schedule_tier_spec)
 */
#pragma once
#include "record/listing.h"

struct arena;
struct config;
struct err;
struct stack;

struct freshness {
    struct stack_row row; /* last_run 0: scheduled, and no scan began yet */
    struct str schedule;  /* as written, with its time zone; empty = none */
    int64_t next_utc_ms;  /* when the next scan begins; 0 = not by the clock */
    int64_t due_utc_ms;   /* 0 = none */
    int64_t late_utc_ms;  /* overdue from then on; it names the incident; 0 = never */
    bool overdue;         /* the scan is: row.overdue counts findings */
    bool incomplete;      /* never scanned completely, or the last scan was not complete */
};

struct freshness_ask {
    int64_t now_utc_ms, max_age_ms; /* max_age: late that long after the last complete scan; 0 */
    const struct config *config;    /* with the stacks that it has; NULL: as planned */
    const struct stack *stack;
    size_t nstacks;
    bool judged; /* with row.violations and row.classes */
};
/* Every stack that was scanned or is scheduled, by name; in arena. */
bool freshness_list(struct record *record, struct arena *arena, const struct freshness_ask *ask,
                    struct freshness **ret, size_t *ret_n, struct err *err);

/* Is a complete scan of then too old now? scanned 0: never, which is; max_age 0: it is not asked.
 */
bool freshness_is_old(int64_t scanned_utc_ms, int64_t max_age_ms, int64_t now_utc_ms);

/* Write down what became overdue: an event scan.overdue, once for each incident whoever looks, and
 * forget what is fresh again. Takes a lock only where there is something. Outside a transaction. */
bool freshness_tell(struct record *record, const struct freshness *all, size_t n, size_t *ret_told,
                    struct err *err);
