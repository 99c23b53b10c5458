/* actor.h - a person or a machine that does something, and whether two names mean the same one.
 *
 * Names:   "uid 1000 (alice)" with how "os-user"; "octocat" with how "ci:github"; what a token or a
 *          cloud's log says. `via` is the account beneath, where another name stands on top: a
 *          job that says octocat, run by uid 1001 (runner)
 * Pattern: how configuration names somebody: "alice", "@alice" (a forge's user), "HOW:NAME" such as
 *          "os-user:alice" and "ci:github:octocat"; `*` and `?` as in base/glob.h
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "model/event.h"

struct actor {
    struct str name, how;
    struct str via; /* or empty */
};

/* The names that people use: "alice", "1000" within "uid 1000 (alice)"; else the name itself. */
struct str actor_login(struct str name);
/* Does the pattern mean this actor? Users of forges (how "ci:...") and whom events name are
 * compared without case. */
bool actor_is(struct str pattern, const struct actor *actor);
/* One name for both: without case, whatever how; and the account beneath one is the other. */
bool actor_same(const struct actor *a, const struct actor *b);
struct event_actor actor_of_event(const struct actor *actor);
