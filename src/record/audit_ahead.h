/* audit_ahead.h - lines of the log, read and hashed by a thread of its own while others are
 * fetched.
 *
 * Order:   what was added comes back in the same order, in the caller's thread; some thousand lines
 *          later, or at the end
 * Bounded: three batches: one is filled, one is hashed, one is looked at
 */
#pragma once
#include "record/audit_verify.h"

/* A row of the store: the line, and what it is filed under. */
struct audit_row {
    int64_t seq, utc_ms;
    struct str line, type, stack, actor;
    struct audit_pending read; /* filled here */
};

struct audit_ahead;
/* take  gets each row; its texts stay until the row behind it has been taken
 * Without room for a thread the caller's own does it. */
bool audit_ahead_open(struct audit_ahead **ret,
                      bool (*take)(void *ctx, const struct audit_row *row, struct err *err),
                      void *ctx, struct err *err);
/* Texts are copied. False as `take` is, and where there is no memory. */
bool audit_ahead_add(struct audit_ahead *ahead, const struct audit_row *row, struct err *err);
bool audit_ahead_end(struct audit_ahead *ahead, struct err *err);
void audit_ahead_close(struct audit_ahead *ahead); /* NULL is fine */
