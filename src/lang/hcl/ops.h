/* ops.h - operations on values that eval.c and the functions of the language share. */
#pragma once
#include "lang/hcl/eval.h"

/* A problem at a place of the expression; always false. */
bool hcl_fail(struct hcl_eval *ev, struct hcl_range subject, const char *summary, const char *fmt,
              ...) __attribute__((format(printf, 4, 5)));
/* What to give back after a problem. */
static inline struct value hcl_any(void)
{
    return value_unknown(NULL);
}
/* Unknown of a type and known not to be null. */
struct value hcl_unknown_not_null(struct arena *arena, const struct type *type);
/* Unknown of a collection type, not null, with least to most elements (-1 = no idea). What that
 * decides is known: the empty collection, a list of n unknowns, a set of one. */
struct value hcl_unknown_length(struct arena *arena, const struct type *type, int64_t least,
                                int64_t most);
bool hcl_is_null(const struct value *v);
/* Can it never be null, known or not? */
bool hcl_never_null(const struct value *v);
/* x.name with marks and Terraform's problems. */
bool hcl_get_attribute(struct hcl_eval *ev, const struct value *v, struct str name,
                       struct hcl_range subject, struct value *ret);
/* x[key] */
bool hcl_index(struct hcl_eval *ev, const struct value *v, const struct value *key,
               struct hcl_range subject, struct value *ret);
/* Elements in the order that iteration sees (cty's set order); NULL where memory is out. n =
 * v->len. */
const struct value *hcl_elements(struct arena *arena, const struct value *v);
/* One of < <= > >=: a bool, unknown where bounds do not decide. */
struct value hcl_compare(struct arena *arena, enum hcl_token_kind op, const struct value *a,
                         const struct value *b);
/* An object of the members, sorted by key; the last one of a key stays. */
bool hcl_last_wins(struct arena *arena, const struct value_member *members, size_t count,
                   struct value *ret);
/* Without any mark, at any depth; *ret_marks gathers them. */
bool hcl_unmark_deep(struct arena *arena, const struct value *v, struct value *ret,
                     uint8_t *ret_marks);
/* Known, and no part unknown. */
static inline bool hcl_wholly_known(const struct value *v)
{
    return !value_any_unknown(v);
}
