/* audit_witness.h - giving checkpoints to places that who can write the store cannot reach.
 *
 * Kinds:   a file (or a folder, that keeps every one); a commit in a git repository's
 *          refs/plumb/audit; one RFC 5424 message to syslog; HTTP: a C2SP witness
 *          (POST PREFIX/add-checkpoint, its cosignature is checked and kept), or any URL that takes
 *          the note as text/plain
 * Once:    who was given a checkpoint is not given it again
 * Errors:  one that fails does not keep the others from it; the first failure is returned
 */
#pragma once
#include <stdbool.h>

struct arena;
struct audit_signed;
struct err;
struct record;

bool audit_witness_all(struct record *record, struct arena *arena, const struct audit_signed *made,
                       struct err *err);
