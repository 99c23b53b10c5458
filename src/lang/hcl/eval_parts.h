/* eval_parts.h - what the files of the evaluator share. */
#pragma once
#include "lang/hcl/function.h"
#include "lang/hcl/ops.h"

/* A limit was hit, which fmt names: said once, and everything fails from here on. Always false. */
bool hcl_exhausted(struct hcl_eval *ev, const struct hcl_expr *expr, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Elements or members of a known collection, one at a time in iteration order. */
struct hcl_iteration {
    const struct value *collection;
    const struct value *items; /* of a list-like one */
    uint32_t at;
};
/* False (reported) for null or a thing that does not iterate. v must be known. */
bool hcl_iterate(struct hcl_eval *ev, const struct value *v, struct hcl_range subject,
                 struct hcl_iteration *ret);
/* False (reported) for an unknown that will never iterate. */
bool hcl_may_iterate(struct hcl_eval *ev, const struct value *v, struct hcl_range subject);
/* The next key and value; false at the end. A set's key is its element. */
bool hcl_iteration_next(struct hcl_iteration *it, struct value *ret_key, struct value *ret_value);

bool hcl_eval_template(struct hcl_eval *ev, const struct hcl_expr *expr,
                       const struct hcl_scope *scope, struct value *ret);
bool hcl_eval_template_if(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret);
bool hcl_eval_template_for(struct hcl_eval *ev, const struct hcl_expr *expr,
                           const struct hcl_scope *scope, struct value *ret);
bool hcl_eval_for(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                  struct value *ret);
bool hcl_eval_splat(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct value *ret);
bool hcl_eval_tuple(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct value *ret);
bool hcl_eval_object(struct hcl_eval *ev, const struct hcl_expr *expr,
                     const struct hcl_scope *scope, struct value *ret);
bool hcl_eval_conditional(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret);
/* A JSON string that is no template here (no scope), or one with faults, which are reported. */
bool hcl_eval_json_string(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret);
/* Names are templates; one that comes twice is a fault. */
bool hcl_eval_json_object(struct hcl_eval *ev, const struct hcl_expr *expr,
                          const struct hcl_scope *scope, struct value *ret);

/* Evaluate with diagnostics of its own: *diags instead of ev's; and hand them on where they count.
 */
bool hcl_eval_aside(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct hcl_diags *diags, struct value *ret);
void hcl_pass_on(struct hcl_eval *ev, const struct hcl_diags *from);
/* && and || as Terraform 1.12 has them: one side may decide alone. */
bool hcl_eval_short_circuit(struct hcl_eval *ev, const struct hcl_expr *expr,
                            const struct hcl_scope *scope, struct value *ret);
