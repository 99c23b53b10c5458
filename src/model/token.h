/* token.h - who may ask the service what: roles, and bearer tokens, kept as digests only.
 *
 * Shape:   a token is "plumb_" and 43 characters (32 random bytes, base64url); what is kept is its
 *          SHA-256, so that who reads the store cannot use it
 * Zero:    ROLE_NONE, which may do nothing
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct err;

/* X(constant, name, what it may) each may what those before it may; but who reads sends no events
 */
#define ROLES(X) \
    X(ROLE_NONE, "none", "nothing") \
    X(ROLE_EVENTS, "events", "send events of a cloud's log") \
    X(ROLE_READ, "read", "read states, findings and what is going on") \
    X(ROLE_PLAN, "plan", "lock a state for a plan, ask the gate") \
    X(ROLE_APPLY, "apply", "lock and write a state, as far as policy lets it") \
    X(ROLE_ADMIN, "admin", "take a lock away from somebody else, delete a state")

#define X(constant, name, meaning) constant,
enum role { ROLES(X) ROLE_COUNT };
#undef X

const char *role_name(enum role role);
const char *role_meaning(enum role role);
bool role_from(struct str name, enum role *ret);

enum { TOKENS_MAX = 10000, TOKEN_TEXT = 6 + 43 };

struct token {
    int64_t id; /* 1 and up, per store */
    struct digest hash;
    struct str name;   /* whom it is for: "ci prod", "alice"; stands in events */
    struct str stacks; /* glob over names of stacks; empty = any */
    enum role role;
    int64_t created_utc_ms, expires_utc_ms, revoked_utc_ms; /* 0 = never */
    struct str created_by;
    struct str certificate; /* SHA-256 in hex of the one that stands for its text; or empty */
};

/* Does it count at that time? */
bool token_is_live(const struct token *token, int64_t now_utc_ms);
/* The digest that a token's text is found by. */
bool token_hash(struct str text, struct digest *ret, struct err *err);
