/* remote.h - a state that is kept elsewhere than in a file of the stack: which version of it is
 * there, and who holds its lock.
 *
 * Reads:   GET and HEAD alone (desired/object.h), or `state pull`; nothing is ever locked or
 *          written
 * Settings: as `init` wrote them down, else the environment (AWS_*, GOOGLE_*, TF_HTTP_*), else the
 *          shared credentials file of AWS. Roles, SSO and the machine's own account of AWS are not
 *          asked: ERR_UNAVAILABLE
 * Source:  documentation of the s3, gcs and http backends of Terraform and OpenTofu
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct stack;

/* X(constant, what it tells the reader) */
#define REMOTE_KINDS(X) \
    X(REMOTE_NONE, "a file, or nothing that is known of") \
    X(REMOTE_HTTP, "a conditional GET tells whether it is another one") \
    X(REMOTE_S3, "HEAD tells its ETag") \
    X(REMOTE_GCS, "its metadata tell its generation") \
    X(REMOTE_PULL, "any other backend: its own binary reads all of it")

#define X(constant, meaning) constant,
enum remote_kind { REMOTE_KINDS(X) REMOTE_KIND_COUNT };
#undef X

/* Files of the stack alone are asked. */
bool remote_kind(struct arena *arena, const struct stack *stack, enum remote_kind *ret,
                 struct err *err);
/* What another version of the state would have another one of; "none" where there is no state.
 * before: the last one, or empty. REMOTE_NONE: empty. */
bool remote_mark(struct arena *arena, const struct stack *stack, struct str before,
                 int64_t now_utc_ms, const volatile int *cancel, struct str *ret, struct err *err);

/* Who holds the lock of a state, for something that writes: a plan changes nothing, and what
 * `plumb hold` holds keeps others from it. */
struct lock_holder {
    bool held;
    struct str who, operation; /* "alice@laptop", "apply"; or empty */
    struct str since;          /* as its client wrote it, RFC 3339; or empty */
};
/* Terraform's file beside a local state; the lock object of s3 with use_lockfile and of gcs. Other
 * locks (DynamoDB, http) cannot be looked at: nobody holds them. */
bool lock_look(struct arena *arena, const struct stack *stack, int64_t now_utc_ms,
               struct lock_holder *ret, struct err *err);
