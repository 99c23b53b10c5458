/* setorder.h - the order in which Terraform walks the elements of a set.
 *
 * It decides which prior element a block of a set is matched with where several would do. Objects
 * are ordered by a text that cty makes of them; nulls come last.
 * Source: go-cty 1.18, cty/set_internals.go
 */
#pragma once
#include <stdint.h>

#include "value/value.h"

struct arena;

/* Indices into set->items in that order; NULL where the arena is full. */
const uint32_t *set_order(struct arena *arena, const struct value *set);
