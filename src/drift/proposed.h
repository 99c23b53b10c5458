/* proposed.h - what a provider is asked to plan: configuration, with the prior values of what the
 * configuration leaves to the provider.
 *
 * In:      a schema's block, a prior object (null = there is none) and a configuration, both of the
 *          block's implied type; the configuration may have unknowns in it
 * Out:     the proposed new state of PlanResourceChange, as Terraform makes it: computed attributes
 *          that the configuration does not set keep their prior value, blocks and nested attributes
 *          are matched by position (list), key (map), or by what is not computed in them (set)
 * Uses:    value/, model/; no I/O, no globals: same input, same value
 * Source:  Terraform 1.11 and OpenTofu, plans/objchange; facts/terraform.md 2.3
 */
#pragma once
#include <stdbool.h>

#include "model/schema.h"
#include "value/value.h"

struct arena;
struct err;

/* ret shares what it can with prior and config. Fails only with ERR_LIMIT (arena full). */
bool proposed_new(struct arena *arena, const struct schema_block *block, const struct value *prior,
                  const struct value *config, struct value *ret, struct err *err);

/* What an empty configuration block decodes to: attributes null, repeated blocks empty. */
bool proposed_empty(struct arena *arena, const struct schema_block *block, struct value *ret,
                    struct err *err);

/*
 * A state as the legacy SDK gives it with its repeated blocks empty where they were null, as
 * Terraform does before it plans.
 */
bool proposed_fill_blocks(struct arena *arena, const struct schema_block *block,
                          const struct value *state, struct value *ret, struct err *err);
