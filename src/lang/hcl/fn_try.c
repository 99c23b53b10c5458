/* fn_try.c - try and can: evaluation errors as values. */
#include "base/arena.h"
#include "lang/hcl/eval_parts.h"

static bool attempt(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                    struct value *ret)
{
    struct hcl_diags *outer = ev->diags, own = {.arena = ev->arena};
    ev->diags = &own;
    bool ok = hcl_eval_expr(ev, expr, scope, ret);
    ev->diags = outer;
    return ok;
}

static bool special_try(struct hcl_eval *ev, const struct hcl_expr *call,
                        const struct hcl_scope *scope, struct value *ret)
{
    if (call->call.nargs == 0)
        return hcl_fail(ev, call->range, "Error in function call",
                        "Call to function \"try\" failed: at least one argument is required.");
    for (size_t i = 0; i < call->call.nargs; i++) {
        if (!attempt(ev, call->call.arg[i], scope, ret))
            continue;               /* what is not known yet will not mend an error */
        if (value_any_unknown(ret)) /* once known, it may fail, or have another type */
            *ret = hcl_any();
        return true;
    }
    return hcl_fail(ev, call->range, "Error in function call",
                    "Call to function \"try\" failed: no expression succeeded. At least one "
                    "expression must produce a successful result.");
}

static bool special_can(struct hcl_eval *ev, const struct hcl_expr *call,
                        const struct hcl_scope *scope, struct value *ret)
{
    struct value v;
    *ret = value_bool(attempt(ev, call->call.arg[0], scope, &v));
    if (ret->truth && value_any_unknown(&v))
        *ret = hcl_unknown(ev->arena, &type_bool);
    return true;
}

static const struct hcl_function functions[] = {
    {.name = "try", .rest = {"expressions", NULL, 0}, .special = special_try},
    {.name = "can", .param = {{"expression", NULL, 0}}, .special = special_can},
};

const struct hcl_function_family fn_try = {functions, sizeof functions / sizeof *functions};
