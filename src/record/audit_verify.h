/* audit_verify.h - is this the log that was written? Lines go in, what is wrong comes out.
 *
 * Proof:   each line holds the digest of the one before, so what was changed, taken out or moved
 *          is named by its number; the tree over all of them has the roots that checkpoints
 *          signed, so nothing holds together by accident or by whoever recomputed the digests
 * Keys:    the log's keys are in its own events (log.start, log.key, each signed by the one
 *          before); who verifies pins one of them, else the keys are only the log's own word
 * Shape:   one pass; a struct audit_verify may be copied and gone on with from there
 * Owner:   texts of faults live in the arena; a line must stay where it is until the next was
 *          fed
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/audit_line.h"
#include "record/note.h"
#include "record/tree.h"

struct arena;
struct err;

enum { AUDIT_FAULTS_MAX = 1000, AUDIT_KEYS_MAX = 64 };

struct audit_fault {
    int64_t seq; /* the event; -1: none in particular */
    struct str text;
};
struct audit_faults {
    struct arena *arena;
    struct audit_fault *fault;
    size_t n, room, lost; /* lost: past AUDIT_FAULTS_MAX */
};
/* seq -1: not of an event. */
void audit_fault_add(struct audit_faults *faults, int64_t seq, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A key of the log and where it begins to count. */
struct audit_key {
    struct note_key key;
    int64_t from;  /* checkpoints of more events than this */
    bool promised; /* signed by the key before, or the first */
};

/* A checkpoint to meet on the way. */
struct audit_sealed {
    struct str note; /* as signed */
    struct checkpoint checkpoint;
    struct note read;
};

struct audit_pending {
    bool there, readable;
    struct audit_line line;
    struct digest sha, leaf;
    bool leaf_known;
    struct digest known; /* what the tree says of this event */
};

struct audit_verify {
    struct arena *arena;
    struct audit_faults *faults, *warnings;
    struct hasher *hasher;
    struct str origin;                 /* of the log */
    const struct audit_sealed *sealed; /* by size */
    size_t nsealed, next_sealed;
    const struct note_key *witness; /* whose signatures may stand on a checkpoint besides */
    size_t nwitnesses;
    const struct note_key *pinned; /* or NULL: the key the reader trusts */
    int64_t until;                 /* events that there should be, counted from 0; 0 = not known */
    bool strict; /* every signature must be known: nothing of an export is left unchecked */

    /* where we are */
    int64_t expected;
    struct merkle_range range;
    bool tree_lost;   /* an event is missing: roots say nothing any more */
    bool chain_known; /* `last` is the digest of event expected - 1 */
    struct digest last;
    int64_t blamed;     /* the newest event that was named; -1 = none */
    int64_t good_until; /* size of the last checkpoint that fitted, or the beginning */
    int64_t unmet; /* size of a checkpoint that did not fit, until the next line says why; or 0 */
    size_t checkpoints; /* that fitted */
    struct audit_key key[AUDIT_KEYS_MAX];
    size_t nkeys;
    bool pin_met;
    struct audit_pending pending;
};

/* range: over the events before the first. The rest of the struct is the caller's to fill. */
void audit_verify_begin(struct audit_verify *v, const struct merkle_range *range);
/* The part of it that needs no other line: any thread, with a hasher of its own. False only where
 * SHA-256 fails; a line that is none is one that cannot be read. */
bool audit_verify_read(struct hasher *hasher, struct str line, struct audit_pending *ret);
/* The rest. known: the leaf hash that the tree has for it, or NULL. False only for ERR_LIMIT. */
bool audit_verify_next(struct audit_verify *v, const struct audit_pending *read,
                       const struct digest *known, struct err *err);
/* Both. */
bool audit_verify_line(struct audit_verify *v, struct str line, const struct digest *known,
                       struct err *err);
/* after: the digest that the last line must have, or NULL. */
bool audit_verify_end(struct audit_verify *v, const struct digest *after, struct err *err);
/* A log.start or log.key event from outside the range; its place in the tree is proven already. */
void audit_verify_key_event(struct audit_verify *v, const struct audit_line *line);
/* Signatures and origin of a checkpoint, by the keys known by now; a fault where they are wrong. */
bool audit_verify_note(struct audit_verify *v, const struct audit_sealed *sealed);
bool audit_sealed_read(struct arena *arena, struct str note, struct audit_sealed *ret,
                       struct err *err);

/* What the old key and the new one sign when a key is replaced. ptr NULL: arena full. */
struct str audit_key_promise(struct arena *arena, struct str origin, struct str vkey);
