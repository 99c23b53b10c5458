/* statelock.h - may this state be locked, given back, written? Facts in, an answer out.
 *
 * Pure:    no I/O, no clock, no globals; statelock_store.h gathers the facts and does what is said
 * Rules:   a plan may always lock, and may not write. Everything else needs that nothing stands
 *          against it: undecided drift, a freeze, a missing approval, a scan that is too old. A
 *          breakglass turns that into warnings
 * Zero:    no answer, which is no
 * Source:  docs/state-lock.md
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "desired/lockinfo.h"
#include "model/token.h"
#include "record/states.h"

struct arena;
struct buf;

enum lock_answer {
    LOCK_NO_ANSWER = 0,
    LOCK_HELD = 1,    /* by another */
    LOCK_REFUSED = 2, /* by policy: the reasons say why */
    LOCK_FORBIDDEN = 3,
    LOCK_CONFLICT = 4, /* no live lock of that id, another lineage, an old serial */
    LOCK_GIVEN = 0x54a5c396,
    LOCK_AGAIN = 0x2b5a3c69, /* done before: the same request came twice */
};
static inline bool lock_is_given(enum lock_answer answer)
{
    return answer == LOCK_GIVEN || answer == LOCK_AGAIN;
}

/* X(constant, name in events and answers) */
#define LOCK_REASONS(X) \
    X(LOCK_BECAUSE_FINDING, "finding") \
    X(LOCK_BECAUSE_FREEZE, "freeze") \
    X(LOCK_BECAUSE_APPROVAL, "approval") \
    X(LOCK_BECAUSE_STALE, "stale") \
    X(LOCK_BECAUSE_ROLE, "role")

#define X(constant, name) constant,
enum lock_because { LOCK_REASONS(X) LOCK_BECAUSE_COUNT };
#undef X
const char *lock_because_name(enum lock_because because);

/* One thing that stands against it, in words. */
struct lock_reason {
    enum lock_because because;
    struct str address;     /* of a finding */
    struct str what;        /* "differs from the code, high" */
    struct str who;         /* changed it; or empty = not known */
    struct str fingerprint; /* of a finding */
    struct str todo;        /* the next step, a command */
};

struct lock_caller {
    enum role role;
    int64_t token;
    struct str name; /* of the token, or of who typed the command */
    struct str how;  /* that is known (model/event.h); empty = by the token */
};

struct lock_facts {
    const struct state_row *row;
    const struct lockinfo *info;
    struct lock_caller caller;
    const struct lock_reason *reason; /* against anything but a plan */
    size_t nreasons;
    struct str breakglass; /* "B1" that covers the stack; or empty */
};

/* What a lock for it is kept as: "plan" or "write". */
struct str statelock_kind(const struct lockinfo *info);
/* LOCK. ret_warned: only a breakglass let it through. */
enum lock_answer statelock_may_lock(const struct lock_facts *facts, bool *ret_warned);
/* UNLOCK. forced: the body was empty or held nothing but an ID. */
enum lock_answer statelock_may_unlock(const struct lock_facts *facts, bool forced);

struct write_facts {
    const struct state_row *row;
    struct str lock_id; /* what the writer says it holds; empty = nothing */
    struct lock_caller caller;
    struct state_head head;
    bool same_bytes; /* as the current version */
};
/* ret_why: a sentence for an answer that is no. */
enum lock_answer statelock_may_write(const struct write_facts *facts, const char **ret_why);

/* --- what the user's terminal shows --- */

/*
 * The LockInfo of a refusal: its ID, which all clients print, is the whole message; its Info, which
 * OpenTofu prints, is one sentence and the reasons.
 */
void statelock_print_refusal(struct arena *arena, struct buf *out, struct str stack,
                             struct str operation, int64_t now_utc_ms,
                             const struct lock_reason *reason, size_t n);
/* The LockInfo of who holds it, with a line about that behind the ID. */
void statelock_print_holder(struct arena *arena, struct buf *out, const struct state_row *row);
/* "2 changes that nobody has decided on; a freeze" */
struct str statelock_summary(struct arena *arena, const struct lock_reason *reason, size_t n);
