/* lease.h - which process scans which stack now, and when it is to be scanned next: any number of
 * services share one store.
 *
 * Lease:   a row a stack. Who takes it has it for lease_ms, and renews it while it works; who does
 *          not, loses it to whoever comes next. Each taking has the next number (`fence`): what is
 *          written under a number that is not the newest fails (ERR_CONFLICT), in the transaction
 *          that would have written it. A clock that jumps can therefore make somebody scan in
 *          vain, and never make two record
 * Clock:   of PostgreSQL's server, the same for all; on SQLite the record's own
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
/* Wakes whoever waits for work, at the commit: PostgreSQL's NOTIFY. Elsewhere they look. */
bool lease_tell(struct record *record, struct err *err);
