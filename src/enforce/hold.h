/* hold.h - the lock object that Terraform's and OpenTofu's own backends keep beside a state, made
 * and taken away: s3 with use_lockfile, gcs.
 *
 * Atomic:  it is made only where it is not there, as the clients make it: who comes second gets 412
 * Ours:    its ID begins with LOCKINFO_HOLD_ID; nothing else is ever deleted
 * Writes:  therefore for `plumb hold` alone: who scans looks by desired/object.h
 * Secrets: keys and tokens are in no error
 * Source:  S3 API, conditional writes; Cloud Storage JSON API v1, ifGenerationMatch; the backends'
 *          documentation
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "wire/bucket.h"

struct arena;
struct err;
struct lockinfo;
struct object_store;

struct http_answer;
struct hold_kind;
struct hold_place {
    const struct hold_kind *kind;
    struct bucket_place at; /* of the lock: "net/prod.tfstate.tflock" */
};
/* What differs from store to store: requests, and nothing that decides. */
struct hold_kind {
    const struct object_store *store; /* how it is looked at */
    /* Only where it is not there: 412 or 409 else. */
    bool (*put)(struct arena *arena, const struct hold_place *place, struct str body,
                struct http_answer *ret, struct err *err);
    /* version: of what was looked at */
    bool (*remove)(struct arena *arena, const struct hold_place *place, struct str version,
                   struct http_answer *ret, struct err *err);
};
extern const struct hold_kind hold_s3, hold_gcs;
enum { HOLD_ANSWER_BYTES = 256 << 10 };

/* X(constant, name, what it tells the reader) */
#define HOLD_STATES(X) \
    X(HOLD_FREE, "free", "nobody holds the lock") \
    X(HOLD_OURS, "held", "plumb holds it") \
    X(HOLD_OTHER, "locked", "a client holds it: it is at work")

#define X(constant, name, meaning) constant,
enum hold_state { HOLD_STATES(X) HOLD_STATE_COUNT };
#undef X
const char *hold_state_name(enum hold_state state);

/* ret_info: of who holds it, in the arena. ERR_REMOTE with the status for anything but an answer.
 */
bool hold_look(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
               struct lockinfo *ret_info, struct err *err);
/* *ret HOLD_OTHER: somebody was faster. */
bool hold_take(struct arena *arena, const struct hold_place *place, const struct lockinfo *info,
               enum hold_state *ret, struct err *err);
/* Only where it is ours. */
bool hold_release(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
                  struct err *err);
