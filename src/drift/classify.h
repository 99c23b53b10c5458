/* classify.h - what a resource's changes amount to: class, severity, one sentence. */
#pragma once
#include <stdbool.h>

#include "drift/drift.h"
#include "drift/ignore.h"

struct arena;
struct err;

/*
 * finding->changes are filled, with `configurable` and `ignored_by`. Sets class, severity, reason
 * and what the ignore rules make of it.
 * Ignored changes have no part in the class. The finding is ignored when no change is left, or only
 * computed ones beside an ignored one that the code can set; its class is then that of all changes.
 */
bool classify_changes(struct arena *arena, const struct ignore_rule *const *rule_of,
                      struct finding *finding, struct err *err);
/* The same for a resource that is gone; id: what identified it, or empty. */
bool classify_missing(struct arena *arena, const struct ignore_set *ignores, struct str id,
                      struct finding *finding, struct err *err);
