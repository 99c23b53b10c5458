/* lenient.h - what an apply would make of a resource, where no provider can be asked.
 *
 * In:      a prior value (live, or the last state) and the configuration as the code has it,
 *          typed by a schema or not at all
 * Out:     prior, with another value at each place where the configuration says something else
 * Lenient: "5" is 5 and "true" is true; what the code leaves out or can not know says nothing;
 *          lists match in any order; one block may stand for a list of one; inside of a list,
 *          members that the code does not name are the provider's own
 * Source:  facts/hcl.md 8 "Resource body -> object", 12.5
 */
#pragma once
#include <stdbool.h>

#include "value/value.h"

struct arena;
struct err;

/* Both are objects. ret shares what it can. Fails only with ERR_LIMIT (arena full). */
bool lenient_plan(struct arena *arena, const struct value *prior, const struct value *config,
                  struct value *ret, struct err *err);
