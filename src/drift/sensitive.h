/* sensitive.h - which parts of a resource are secret: marks on its values.
 *
 * Secret is what the schema says, what the state's `sensitive_attributes` say, what is marked in
 * the value already, and everything below such a place. An index in such a path stands for every
 * element of the list: after a reordering the secret may be at any of them.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "model/schema.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct err;

enum { SENSITIVE_PATHS_MAX = 4096 }; /* a resource that names more is secret as a whole */

struct sensitive_input {
    const struct schema *schema; /* or NULL */
    const struct path *paths;
    size_t npaths;
};
/* Is there anything that could mark a part of v? */
bool sensitive_any(const struct sensitive_input *in, const struct value *v);
/* v with VALUE_SENSITIVE on every secret node; what has none is shared, not copied. */
bool sensitive_mark(struct arena *arena, const struct sensitive_input *in, const struct value *v,
                    struct value *ret, struct err *err);
/* The places of v's own marks; an element of a set or a list is any of them. */
bool sensitive_places(struct arena *arena, const struct value *v, const struct path **ret,
                      size_t *ret_n, struct err *err);
