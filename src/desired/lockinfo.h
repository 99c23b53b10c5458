/* lockinfo.h - the JSON that Terraform and OpenTofu send with LOCK and UNLOCK, and what a state
 * says of itself.
 *
 * In:      at most LOCKINFO_BYTES_MAX bytes; members that are not known are passed over
 * Owner:   views into the text or the arena
 * Source:  HTTP backend of Terraform 1.5 to 1.14 and OpenTofu; state format version 4
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;

enum { LOCKINFO_BYTES_MAX = 64 << 10, LOCKINFO_ID_MAX = 1024 };

/* What IDs of `plumb hold` begin with: its lock is no apply. */
#define LOCKINFO_HOLD_ID "plumb-hold-"

struct lockinfo {
    struct str id, operation, info, who, version, created, path;
};

/* ERR_SYNTAX: no object, no ID, a member that is no string, control characters in the ID. */
bool lockinfo_parse(struct arena *arena, struct str text, struct lockinfo *ret, struct err *err);
/* One compact object with all of them; `created` is left out where it is empty, for clients parse
 * it. */
void lockinfo_print(struct buf *out, const struct lockinfo *info);

/* What an operation is for. Zero: LOCK_WRITE, the strictest. */
enum lock_kind { LOCK_WRITE, LOCK_PLAN };
enum lock_kind lockinfo_kind(struct str operation);
/* "apply", "plan", "import or console", "state rm": as people call it. */
struct str lockinfo_operation(struct str operation);

struct state_head {
    struct str lineage;
    int64_t serial;
    bool encrypted; /* by OpenTofu: only lineage and serial are readable */
};
/* The whole text is checked to be one JSON object. ERR_SYNTAX with the place; ERR_UNSUPPORTED for a
 * version before 4. */
bool state_head_parse(struct arena *arena, struct str text, struct state_head *ret,
                      struct err *err);
