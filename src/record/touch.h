/* touch.h - what somebody should look at again soon: an address, or a whole stack.
 *
 * Row:     one for (stack, address); of several touches the earliest due stays, and the last reason
 * Taken:   by the scheduler (serve/scheduler.h), which scans exactly these addresses. A row goes in
 *          the transaction that records the scan; one that was touched again since the scan began
 *          has another `serial` and stays
 * Wakes:   on PostgreSQL whoever listens (NOTIFY at the commit); elsewhere they look twice a second
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct record;

struct touch {
    struct str stack, address; /* exact; empty = the whole stack */
    struct str why;            /* "event", "file", "code", "apply", "request", "unchecked 1" */
    int64_t due_utc_ms;        /* 0 = now */
    struct str trace;          /* traceparent of what it comes from, or empty; the last one stays */
};
/* Joins a DB_WRITE transaction that is open, else makes its own. */
bool touch_add(struct record *record, const struct touch *touch, size_t n, struct err *err);

struct touched {
    struct touch touch;
    int64_t serial;
};
/* Those of a stack that are due, by address, `most` of them; in `arena`. */
bool touch_due(struct record *record, struct arena *arena, struct str stack, int64_t now_utc_ms,
               size_t most, struct touched **ret, size_t *ret_n, struct err *err);
/* They were looked at. In a transaction. */
bool touch_done(struct record *record, const struct touched *touched, size_t n, struct err *err);
/* When the earliest touch of a stack is due; INT64_MAX = there is none. */
bool touch_next(struct record *record, struct str stack, int64_t *ret_utc_ms, struct err *err);
