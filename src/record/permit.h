/* permit.h - one-time approvals of an apply: the gate issues them, the apply uses them up.
 *
 * Token:   "plumb_apply_" and 43 characters (32 random bytes, base64url). The store has its SHA-256
 *          only; whoever reads the store cannot apply with it
 * Bound:   to the stack, the plan file's digest, the state's lineage and serial, and a time
 * Once:    permit_use takes the token and writes its event in one DB_WRITE transaction: of two that
 *          come at once one is refused
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/event.h"

struct arena;
struct err;
struct record;

enum { PERMIT_DEFAULT_MS = 3600000 };

/* What an approval is for. */
struct permit_terms {
    struct str stack;
    struct str plan;    /* "sha256:..." of the file; to check: empty = not known here */
    struct str lineage; /* of the state; to check: empty = it is a new one, or not known */
    uint64_t serial;
    bool any_state; /* to check: neither lineage nor serial is known here */
};

/* X(constant, name in events, what it tells the reader) */
#define PERMIT_ANSWERS(X) \
    X(PERMIT_NONE, "unknown", "no such approval was issued here") \
    X(PERMIT_USED, "used", "it was used already") \
    X(PERMIT_EXPIRED, "expired", "its time has passed") \
    X(PERMIT_OTHER_STACK, "other-stack", "it is for another stack") \
    X(PERMIT_OTHER_PLAN, "other-plan", "it is for another plan file") \
    X(PERMIT_OTHER_STATE, "other-state", "the state is not the one that it was issued for") \
    X(PERMIT_GOOD, "good", "it is good")

#define X(constant, name, meaning) constant,
enum permit_answer { PERMIT_ANSWERS(X) PERMIT_ANSWER_COUNT };
#undef X
const char *permit_answer_name(enum permit_answer answer);
const char *permit_answer_meaning(enum permit_answer answer);

/* Within an open DB_WRITE transaction, with its approval.issued event. ret_token in `arena`. */
bool permit_issue(struct record *record, struct arena *arena, const struct permit_terms *terms,
                  int64_t expires_utc_ms, const struct event_actor *actor, struct str *ret_token,
                  struct err *err);
/* Would permit_use take it? Nothing is written. */
bool permit_check(struct record *record, struct str token, const struct permit_terms *terms,
                  enum permit_answer *ret, struct err *err);
/*
 * Use it up. Durable when this returns; the approval.used event says allow or deny. Anything but
 * PERMIT_GOOD, and any false, is a denial. In a transaction of its own.
 */
bool permit_use(struct record *record, struct str token, const struct permit_terms *terms,
                const struct event_actor *actor, enum permit_answer *ret, struct err *err);
/* The same within an open DB_WRITE transaction: counts when that was committed. */
bool permit_use_within(struct record *record, struct str token, const struct permit_terms *terms,
                       const struct event_actor *actor, enum permit_answer *ret, struct err *err);
