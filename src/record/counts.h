/* counts.h - how many findings each stack has, by class and lane: kept, so that nobody counts them.
 *
 * Rules:   who changes a finding's status or decision changes its count in the same transaction:
 *          counts_tally for many of a stack, counts_one around a statement for one. `plumb db
 *          check` counts anew and compares
 */
#pragma once
#include "model/finding.h"
#include "record/db.h"
#include "record/findings.h"

/* decision_is_violation */
#define COUNTS_VIOLATION "CASE WHEN decision IN ('review', 'revert', 'block') THEN 1 ELSE 0 END"
#define COUNTS_ALL \
    "SELECT stack, class, lane, " COUNTS_VIOLATION ", count(*) FROM finding" \
    " GROUP BY stack, class, lane, " COUNTS_VIOLATION

enum { COUNTS_LANES = 5 };
struct counts_tally {
    int64_t n[CLASS_COUNT][COUNTS_LANES][2];
};

void counts_add(struct counts_tally *tally, enum finding_class class_, enum finding_status status,
                struct str decision, int64_t n);
bool counts_write(struct db *db, struct str stack, const struct counts_tally *tally,
                  struct err *err);

/* n: -1 before the statement that changes it, 1 behind it. */
bool counts_one(struct db *db, int64_t finding, int64_t n, struct err *err);
/* Those that retention takes out: resolved before. */
bool counts_forget(struct db *db, int64_t before_utc_ms, struct err *err);
/* All anew, from the findings. */
bool counts_rebuild(struct db *db, struct err *err);
