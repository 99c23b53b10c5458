/* eval_logic.c - && and || of newer versions: a side that decides alone makes faults of the other
 * side nobody's business.
 *
 * Source:  hcl 2.24 (Terraform 1.12, OpenTofu 1.10), BinaryOpExpr and its ShortCircuit
 */
#include "lang/hcl/eval_parts.h"

struct side {
    bool ok; /* evaluated without errors */
    struct value v;
    struct hcl_diags diags;
};

/* False (reported to ev): not a bool at all. */
static bool eval_side(struct hcl_eval *ev, const struct hcl_expr *expr, const char *which,
                      const struct hcl_scope *scope, struct side *ret)
{
    struct value v;
    struct str why;
    ret->ok = hcl_eval_aside(ev, expr, scope, &ret->diags, &v);
    if (hcl_convert(ev->arena, &v, &type_bool, &ret->v, &why))
        return true;
    return hcl_fail(ev, expr->range, "Invalid operand", "Unsuitable value for %s operand: %.*s.",
                    which, STR_ARG(why));
}

static bool is(const struct side *side, bool truth)
{
    return side->v.kind == VALUE_BOOL && side->v.truth == truth;
}

static bool is_unknown(const struct side *side)
{
    return side->v.kind == VALUE_UNKNOWN;
}

/* The side that decides, or NULL. `decisive`: true for ||, false for &&. */
static const struct side *deciding(const struct side *a, const struct side *b, bool decisive)
{
    if (is_unknown(a) && is_unknown(b))
        return a->ok ? a : NULL; /* a fault of the left may be one of the right too: tell both */
    if (is(a, decisive))
        return a;
    if (is(b, decisive))
        return b;
    if (is_unknown(a) && is(b, !decisive))
        return a;
    if (is_unknown(b) && is(a, !decisive))
        return b;
    return NULL;
}

bool hcl_eval_short_circuit(struct hcl_eval *ev, const struct hcl_expr *expr,
                            const struct hcl_scope *scope, struct value *ret)
{
    struct side a, b;
    bool any = expr->binary.op == HCL_OR;
    bool good = eval_side(ev, expr->binary.left, "left", scope, &a);
    good = eval_side(ev, expr->binary.right, "right", scope, &b) && good;
    const struct side *side = good ? deciding(&a, &b, any) : NULL;
    if (!side) {
        hcl_pass_on(ev, &a.diags);
        hcl_pass_on(ev, &b.diags);
        if (!good || !a.ok || !b.ok)
            return false;
        const struct side *null = a.v.kind == VALUE_NULL ? &a : &b;
        if (null->v.kind == VALUE_NULL)
            return hcl_fail(ev, null == &a ? expr->binary.left->range : expr->binary.right->range,
                            "Operation failed",
                            "Error during operation: argument must not be null.");
        *ret = value_bool(any ? a.v.truth || b.v.truth : a.v.truth && b.v.truth);
        ret->marks = a.v.marks | b.v.marks;
        return true;
    }
    hcl_pass_on(ev, &side->diags);
    if (!side->ok)
        return false;
    *ret =
        is_unknown(side) ? hcl_unknown_not_null(ev->arena, &type_bool) : value_bool(side->v.truth);
    ret->marks = a.v.marks | b.v.marks;
    return true;
}
