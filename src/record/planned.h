/* planned.h - when which part of a stack is scanned next, in the store: model/schedule.h says how
 * often, this says how far it is.
 *
 * Rule:    a row a stack and tier (empty: the whole stack). It moves on in the transaction that
 *          records the scan: a due scan is done once, whoever does it
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct record;

struct planned {
    struct str stack, tier;
    struct str spec;                    /* what it was planned from: another one is planned anew */
    int64_t next_utc_ms;                /* INT64_MAX: never by the clock */
    int64_t began_utc_ms, ended_utc_ms; /* of the last scan that came to a result; 0 = none */
    struct str progress;                /* of a sweep in slices that is under way; or empty */
};
/* By stack and tier. stack empty: of all. In `arena`. */
bool planned_load(struct record *record, struct arena *arena, struct str stack,
                  struct planned **ret, size_t *ret_n, struct err *err);
/* In a transaction. */
bool planned_store(struct record *record, const struct planned *planned, size_t n, struct err *err);
bool planned_drop(struct record *record, const struct planned *planned, struct err *err);
