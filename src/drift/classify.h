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
/* How changes came about, where the code was asked. */
enum classify_group {
    CLASSIFY_CONTRADICTS, /* an apply would take them back */
    CLASSIFY_ACCEPTED,    /* it would, but for ignore_changes */
    CLASSIFY_UNAPPLIED,   /* the code was changed, not what is live */
    CLASSIFY_LEFT,        /* live was changed, and an apply leaves it so */
    CLASSIFY_GROUPS
};
/* The same for changes of one group; the class is the group's. */
bool classify_changes_of(struct arena *arena, enum classify_group group,
                         const struct ignore_rule *const *rule_of, struct finding *finding,
                         struct err *err);
/* A finding of the whole resource, with no changes: an apply would do what `reason` says, because
 * the code is ahead, or because something drifted. */
bool classify_whole(struct arena *arena, const struct ignore_set *ignores, struct str reason,
                    bool by_drift, struct finding *finding, struct err *err);
/* The same for a resource that is gone; id: what identified it, or empty. unasked: the code does
 * not ask for it any more. */
bool classify_missing(struct arena *arena, const struct ignore_set *ignores, struct str id,
                      bool unasked, struct finding *finding, struct err *err);
