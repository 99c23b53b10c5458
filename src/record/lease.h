/* lease.h - which process scans which stack now, and when there is work on it: any number of
 * services share one store.
 *
 * Lease:   a row a stack. Who takes it has it for lease_ms, and renews it while it works; who does
 *          not, loses it to whoever comes next. Each taking has the next number (`fence`): what is
 *          written under a number that is not the newest fails (ERR_CONFLICT), in the transaction
 *          that would have written it. A clock that jumps can therefore make somebody scan in
 *          vain, and never make two record
 * Clock:   of PostgreSQL's server, the same for all; on SQLite the record's own. A lease that ends
 *          later than it could is one of before a jump, and free
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct record;

bool lease_now(struct record *record, int64_t *ret_utc_ms, struct err *err);
/* Wakes whoever waits for work, at the commit: PostgreSQL's NOTIFY (db_listen). Elsewhere they
 * look. to_scan: only those who wait for something to scan; hundreds a second may come. */
bool lease_tell(struct record *record, bool to_scan, struct err *err);

struct lease {
    struct str stack, owner;
    int64_t fence, lease_ms;
    int64_t run;          /* of who had it before and did not end it; 0 = none */
    int64_t attempts;     /* that came to no result, one after the other */
    int64_t waits_utc_ms; /* since when an apply is waited for; 0 = none is */
    int64_t due_utc_ms;   /* since when there is work */
};
struct lease_ask {
    struct str owner; /* of this taking alone */
    int64_t lease_ms;
    bool urgent;                                /* only what was touched */
    bool (*known)(void *ctx, struct str stack); /* stacks of others are passed over */
    void *ctx;
};
/* The stack whose work is due for the longest, of those that nobody has. */
bool lease_take(struct record *record, struct arena *arena, const struct lease_ask *ask,
                struct lease *ret, bool *ret_taken, struct err *err);
/* *ret_held false: it is somebody else's. Outside a transaction. */
bool lease_renew(struct record *record, const struct lease *lease, bool *ret_held, struct err *err);
/* The clock (lease_now) went back by that much: what was to come later than now comes as much
 * earlier; on PostgreSQL, whose clock is the server's, what is not planned by the clock comes now.
 */
bool lease_shift(struct record *record, int64_t by_ms, struct err *err);
/* Stacks whose work is due and that nobody has; leases that hold. */
bool lease_count(struct record *record, int64_t *ret_due, int64_t *ret_held, struct err *err);

/* --- within a DB_WRITE transaction; ERR_CONFLICT where the lease is somebody else's --- */

/* A scan begins: one attempt more, and if this process ends before it does, the next comes no
 * earlier than again_utc_ms. */
bool lease_begin(struct record *record, const struct lease *lease, int64_t run,
                 int64_t again_utc_ms, struct err *err);
struct lease_end {
    int64_t attempts, waits_utc_ms;
    int64_t not_before_utc_ms; /* whatever is due */
};
/* Given back, with what is due next: of the stack's schedules and touches as they are now. */
bool lease_end(struct record *record, const struct lease *lease, const struct lease_end *end,
               struct err *err);
/* The stack has a row, and what is due is as its schedules and touches say. */
bool lease_make(struct record *record, struct str stack, struct err *err);
