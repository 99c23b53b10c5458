/* types.h - what convert.c and unify.c share with the functions of the language. */
#pragma once
#include "lang/hcl/eval.h"

/* Is there a conversion (cty's unsafe ones included)? */
bool hcl_type_converts(struct arena *arena, const struct type *from, const struct type *to);
/* `to` with what is dynamic in it as `from` has it, where one converts to the other. */
const struct type *hcl_type_fill(struct arena *arena, const struct type *from,
                                 const struct type *to);
/* The type of values that have become `type`: nothing in it is optional any more. */
const struct type *hcl_type_of_values(struct arena *arena, const struct type *type);
/* As much of what a text begins with as nothing that follows can change (cty SafeKnownPrefix). */
struct str hcl_safe_prefix(struct str text);
/* Why there is none: "string required", "element 0: number required" ... */
struct str hcl_type_mismatch(struct arena *arena, const struct type *got, const struct type *want);
/* Why the branches of a conditional have no type in common. */
struct str hcl_branch_mismatch(struct arena *arena, const struct type *yes, const struct type *no);
/* "string", "list of number", "object" ... as messages call a type. */
struct str hcl_type_name(struct arena *arena, const struct type *type);
/* Text to number as Go's big.ParseFloat reads it (facts 4): "1.", ".5", "1e5", "1p4", "Inf". */
bool hcl_parse_number(struct arena *arena, struct str text, struct value *ret);
