/* against.h - live against the code, with the last state to tell who made a difference.
 *
 * contradicts-code  an apply would change it back: live is not what the code asks for, and it is
 *                   not what was applied last either
 * unapplied         an apply would change it, and live is what was applied last: the code is ahead
 * state-only        live is not what was applied last, and an apply leaves it as it is
 * Source:           facts/terraform.md 3.2; docs/drift.md
 */
#pragma once
#include <stdbool.h>

struct arena;
struct drift_input;
struct err;
struct observation;

/* in->code is set and in->live is there. Fails as drift_observe. */
bool against_observe(struct arena *arena, const struct drift_input *in, struct observation *ret,
                     struct err *err);
