/* audit_proof.h - that one event is in the log, as a C2SP .tlog-proof file.
 *
 * Shape:   "c2sp.org/tlog-proof@v1", "extra BASE64" with the event's line, "index N", the inclusion
 *          proof's hashes, an empty line, a signed checkpoint
 * Source:  C2SP tlog-proof
 */
#pragma once
#include "record/audit_export.h"

/* By the newest checkpoint, or a new one where none covers the event yet. */
bool audit_proof_write(struct record *record, struct arena *arena, int64_t seq, struct str *ret,
                       struct err *err);
/* Is the text one at all? */
bool audit_proof_is(struct str text);
/* As audit_export_check. Without a pinned key nothing vouches for it, which is a fault. */
bool audit_proof_check(struct arena *arena, struct str text,
                       const struct audit_check_options *options, struct audit_check *ret,
                       struct err *err);
