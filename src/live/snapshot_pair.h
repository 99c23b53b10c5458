/* snapshot_pair.h - one resource and what the snapshot says of it, as the reader's result (inside
 * live/ only). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "live/reader.h"
#include "live/snapshot.h"

/*
 * Both sides parsed into `arena`; what cannot be parsed is LIVE_UNREADABLE with the parser's words.
 * *ret_same: LIVE_READ and equal, leaf by leaf (*ret_leaves of them).
 * False only with ERR_LIMIT where the arena is too small for anything at all.
 */
bool snapshot_pair(const struct snapshot *snapshot, struct arena *arena,
                   const struct resource *resource, struct live_result *ret, bool *ret_same,
                   uint64_t *ret_leaves, struct err *err);
