/* hold_s3.h - the lock object that Terraform's and OpenTofu's s3 backend keeps beside a state
 * (use_lockfile), made and taken away.
 *
 * Atomic:  it is made with If-None-Match: *, as the clients make it: who comes second gets 412
 * Ours:    its ID begins with HOLD_ID; nothing else is ever deleted
 * Secrets: the key is in no error
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct lockinfo;

#define HOLD_ID "plumb-hold-"

struct hold_place {
    struct str endpoint;    /* "https://s3.eu-central-1.amazonaws.com" */
    struct str bucket, key; /* of the state; the lock is KEY.tflock */
    struct str region, key_id, secret, token;
    int64_t now_utc_ms;
};
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
