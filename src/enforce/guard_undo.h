/* guard_undo.h - would a provider's change set back what drifted? The rule of undo.h, on what is
 * seen on the wire and what the store has of a finding.
 *
 * Strict:  what cannot be read (no schema, no values kept) is set back by any change
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "value/value.h"

struct arena;
struct err;
struct guard_change;
struct record;
struct schema;
struct standing_finding;

/* What the provider is told, as values. */
struct guard_values {
    const struct guard_change *change;
    struct value prior, planned;
    bool known; /* both were read; else nothing is known of them */
};
/* schema: of the change's type, or NULL. */
void guard_values_of(struct arena *arena, const struct guard_change *change,
                     const struct schema *schema, struct guard_values *ret);

struct guard_undone {
    bool any;
    struct str paths; /* the first of those that are set back: "size, tags.owner"; or empty */
};
/* False: the store could not be asked. */
bool guard_undoes(struct arena *arena, struct record *record, const struct guard_values *values,
                  const struct standing_finding *finding, struct guard_undone *ret,
                  struct err *err);
/* Drift that a change may set back? */
bool guard_is_drift(const struct standing_finding *finding);
/* A rule wants it put back, or takes it out. */
bool guard_agreed(const struct standing_finding *finding);
