/* raw_same.h - are two JSON texts the same value? Answered from the bytes, without a tree.
 *
 * In:   two values that json_scan_value() has accepted; white space may differ
 * Out:  yes with the number of leaves, or "not so simple": they differ, or only their spelling does
 *       (escapes, numbers, order of keys), or the keys of an object are not strictly ascending, so
 *       that a duplicate could hide. Whoever gets that answer parses both
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "wire/json.h"

/* One per thread, used again and again, never cleared. */
struct raw_scratch {
    struct str key[JSON_DEPTH_MAX + 1]; /* the last key of each open object */
    uint64_t object[JSON_DEPTH_MAX / 64 + 1];
};

/* a, b: from the first byte of the value on; more text may stand behind it. *ret_leaves: scalars
 * and empty containers. */
bool raw_same(struct raw_scratch *scratch, struct str a, struct str b, uint64_t *ret_leaves);
