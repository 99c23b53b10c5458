/* settle.h - a planned state in which what is not known yet is as it is now.
 *
 * A provider marks what it will compute anew as unknown, in many cases every computed attribute as
 * soon as anything changes. That says nothing about what is there: each unknown takes the value of
 * `now` at its place; an element of a set that of the element which is equal but for unknowns. What
 * has no counterpart stays unknown.
 */
#pragma once
#include <stdbool.h>

#include "value/value.h"

struct arena;
struct err;

/* What is marked VALUE_PENDING stays unknown. ret shares what it can. Fails only with ERR_LIMIT
 * (arena full). */
bool settle_unknown(struct arena *arena, const struct value *planned, const struct value *now,
                    struct value *ret, struct err *err);
/* Unknown parts of a plan that are pending in the configuration, marked so: an apply changes them.
 * ret shares what it can. Fails only with ERR_LIMIT (arena full). */
bool settle_pending(struct arena *arena, const struct value *config, const struct value *planned,
                    struct value *ret, struct err *err);
/* Is there an unknown part that is not pending: one that nobody can tell? */
bool settle_any_untold(const struct value *v);
/* Equal wherever `a` is known? */
bool settle_matches(const struct value *a, const struct value *b);
