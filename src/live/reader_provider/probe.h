/* probe.h - the echo probe: does a provider look at an attribute, or only hand back the old value?
 *
 * One more read of an instance that was just read, with other values in attributes that do not say
 * which object it is. What comes back as it was sent is not observed (design.md 4.3).
 *
 * Round 1: every attribute and nested block that is set, except identity-like names (id, *_id, arn,
 *          name, region, path ...), the identity schema's own and write-only ones
 * Round 2: when the provider could not make sense of that (gone, error): only optional attributes
 *          that are neither required nor computed
 * Values:  keep their shape: the last digit of a text changes, numbers move by one, bools flip
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "model/schema.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct err;

enum { PROBE_ROUNDS = 2 };

/* ret is `live` with other values; *ret_n how many attributes differ (0: nothing to probe). */
bool probe_perturb(struct arena *arena, const struct schema_named *type, const struct value *live,
                   unsigned round, struct value *ret, size_t *ret_n, struct err *err);
/* Patterns (value/path.h: path_covered) of what came back as it was sent; sorted by path. */
bool probe_echoed(struct arena *arena, const struct schema_named *type, const struct value *live,
                  const struct value *sent, const struct value *answer, struct path **ret,
                  size_t *ret_n, struct err *err);
/* Does the name of an attribute say which object it is? */
bool probe_is_identity_name(struct str name);
