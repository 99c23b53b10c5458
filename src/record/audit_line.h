/* audit_line.h - one event as the line of canonical JSON that is hashed, and back.
 *
 * Shape:   {"actor":{"how","name"},"detail","inputs":[{"digest","name"}],"outcome","policy","prev",
 *          "reason","seq","stack","subject","time","type","v":1}; what is empty is left out; no
 *          white space, no LF. `prev` is "sha256:" and the digest of the line before (event 0 has
 *          none); times are RFC 3339 in UTC. docs/schema/event.schema.json
 * Speed:   reading is a walk over the members, without a tree: verify reads a million of them
 * Source:  RFC 8785 for the bytes
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct buf;
struct err;
struct event;

/* prev NULL: the first. What is not UTF-8 becomes U+FFFD. */
bool audit_line_print(struct buf *out, const struct event *event, int64_t seq,
                      const struct digest *prev, struct err *err);

/* Views of what stands between the quotes, as it stands there (escapes and all). */
struct audit_line {
    struct str text; /* the line */
    int64_t seq;
    bool has_prev;
    struct digest prev;
    int64_t utc_ms;
    struct str type, stack, subject, outcome, reason, policy, actor, how;
    struct str inputs, detail; /* JSON text, or empty */
};
/* ERR_SYNTAX where it is not of that shape: members other than these, or in another order. */
bool audit_line_read(struct str text, struct audit_line *ret, struct err *err);
