/* guard.h - who is asked before a provider changes something: the last place where a change can be
 * stopped, whatever locks were skipped on the way.
 *
 * Shape:   one question per change, as it is about to happen, with all addresses that it may be of:
 *          a provider is told a type and values, never an address. Which one it is not known means
 *          all of them, and the strictest answer counts
 * Answer:  zeroed = deny. What is allowed was written to the audit log before it is answered
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

enum guard_kind {
    GUARD_UNKNOWN = 0, /* a method that plumb does not know, or one that is no resource's */
    GUARD_CREATE,
    GUARD_UPDATE,
    GUARD_DELETE
};
const char *guard_kind_name(enum guard_kind kind);

struct guard_change {
    enum guard_kind kind;
    struct str provider; /* HOST/NAMESPACE/TYPE */
    struct str method;   /* as it is called: "ApplyResourceChange" */
    struct str type;     /* of the resource; empty for GUARD_UNKNOWN */
    /* msgpack as the provider gets it; ptr NULL = none. prior and planned are null values where
     * there is nothing before or after. */
    struct str prior, planned, config;
};
struct guard_answer {
    bool allow;
    struct str summary, detail; /* deny: for the terminal; detail may have many lines */
    struct str address;         /* which one, where it is known */
};
struct guard {
    /* Strings of the answer live in `arena`. */
    void (*ask)(void *ctx, struct arena *arena, const struct guard_change *change,
                struct guard_answer *ret);
    void *ctx;
};
