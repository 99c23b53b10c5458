/* undo.h - would a change set back what somebody made live? One answer, for the gate of plans and
 * for the guard before providers.
 *
 * Rule:    path by path. What the change leaves as it is live is not set back; what cannot be
 *          compared is
 * Pure:    no I/O, no clock, no globals
 */
#pragma once
#include <stdbool.h>

#include "desired/plan_doc.h"
#include "model/finding.h"

struct arena;
struct value;

/* What is about to be done to a resource. Any value NULL: not known. */
struct undo_deed {
    enum plan_action action;
    /* What is live now, what the change takes for it, and what it makes of it. `live` may have only
     * those attributes that are not as recorded; of the others the finding says what is live. */
    const struct value *live, *before, *after;
    const struct value *unknown; /* true where `after` is not known yet; NULL: nothing is */
};
/* Does it make, change or remove something? */
bool undo_acts(enum plan_action action);
/* change: one of the finding's. Unknown values within `after` count as in `unknown`. */
bool undo_sets_back(struct arena *arena, const struct undo_deed *deed, enum finding_class class_,
                    const struct change *change);
/* Does this tree have the live value that the change was found with? Then it was read since. */
bool undo_shows(struct arena *arena, const struct value *tree, const struct change *change);
