/* unwrap.h - dynamic values of a state ({"value":...,"type":...}) as `show -json` prints them.
 *
 * Needed only where a state is compared with such output and no schema tells which attributes are
 * dynamic: what is wrapped on one side and not on the other is taken out of its wrapping.
 */
#pragma once
#include <stdbool.h>

#include "value/value.h"

struct arena;
struct err;

/* wrapped: from a state; plain: the same place from show -json. ret may share nodes with wrapped.
 */
bool unwrap_dynamic(struct arena *arena, const struct value *wrapped, const struct value *plain,
                    struct value *ret, struct err *err);
