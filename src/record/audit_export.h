/* audit_export.h - a part of the log as one file that proves itself, without the store.
 *
 * Shape:   lines of canonical JSON. First a head: what it holds, the log's name, the tree's edge
 *          before the first event, the events that announced keys (with inclusion proofs). Then the
 *          events, byte for byte as they were hashed. Then an end: the digest of the last event,
 * the checkpoints, and the proof that leads from the last event to the newest of them
 *          (docs/audit.md, docs/schema/audit-export.schema.json)
 * Strict:  no byte of it is free: what the checks do not cover is not there
 * Limits:  AUDIT_EXPORT_MAX bytes to read; written as it is read from the store
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "record/audit_verify.h"

struct arena;
struct err;
struct record;

#define AUDIT_EXPORT_MAX ((size_t)16 << 30)

struct audit_export {
    int64_t since_utc_ms, until_utc_ms; /* INT64_MIN and INT64_MAX: no bound */
    int64_t first, last;                /* narrower still; last -1 = to the end */
    const struct str *former;           /* checkpoints to prove consistency from */
    size_t nformer;
};

/*
 * write  gets the bytes in order
 * Makes a checkpoint where none covers the last event and the key is there; ERR_USAGE where there
 * is nothing to export, or nothing that can vouch for it; ERR_CONFLICT for a log that contradicts
 * itself.
 */
bool audit_export_write(struct record *record, const struct audit_export *what,
                        bool (*write)(void *ctx, struct str bytes, struct err *err), void *ctx,
                        struct err *err);

struct audit_check_options {
    const struct note_key *pinned; /* or NULL */
    const struct str *former;      /* checkpoints that were kept: the log must continue them */
    size_t nformer;
};
/* What was found; sound = no faults. */
struct audit_check {
    struct audit_faults faults, warnings;
    int64_t first, last;    /* of the events that were read; last < first: none */
    size_t checkpoints;     /* that fitted */
    struct checkpoint seal; /* the newest; size 0: none */
    struct note_key key;    /* that signed it */
    struct str origin;
};
/* False only where it could not be looked at; everything wrong with the bytes is a fault. */
bool audit_export_check(struct arena *arena, struct str text,
                        const struct audit_check_options *options, struct audit_check *ret,
                        struct err *err);
