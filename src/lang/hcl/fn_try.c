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

struct dependence {
    struct hcl_eval *ev;
    const struct hcl_scope *scope;
    bool unknown;
};

/* The traversal's own value, as far as it is static: a reference that fails is no unknown. */
static bool look(void *ctx, const struct hcl_traversal *traversal)
{
    struct dependence *d = ctx;
    struct hcl_expr *node = arena_new(d->ev->arena, struct hcl_expr, traversal->n + 1);
    struct hcl_expr *keys = arena_new(d->ev->arena, struct hcl_expr, traversal->n + 1);
    struct value v;
    if (!node || !keys)
        return false;
    node[0] = (struct hcl_expr){
        .kind = HCL_EXPR_VARIABLE, .range = traversal->root_range, .name = traversal->root};
    for (size_t i = 0; i < traversal->n; i++) {
        const struct hcl_step *step = &traversal->step[i];
        node[i + 1].range = step->range;
        node[i + 1].kind = step->index ? HCL_EXPR_INDEX : HCL_EXPR_ATTRIBUTE;
        if (step->index) {
            keys[i] = (struct hcl_expr){.kind = step->key.kind == VALUE_STRING ? HCL_EXPR_STRING
                                                                               : HCL_EXPR_LITERAL,
                                        .range = step->range,
                                        .value = step->key};
            node[i + 1].index.source = &node[i];
            node[i + 1].index.key = &keys[i];
        } else {
            node[i + 1].get.source = &node[i];
            node[i + 1].get.name = value_text(&step->key);
            node[i + 1].get.name_range = step->range;
        }
    }
    if (attempt(d->ev, &node[traversal->n], d->scope, &v) && value_any_unknown(&v))
        d->unknown = true;
    return !d->unknown;
}

static bool depends_on_unknown(struct hcl_eval *ev, const struct hcl_expr *expr,
                               const struct hcl_scope *scope)
{
    struct dependence d = {.ev = ev, .scope = scope};
    (void)hcl_each_reference(ev->arena, expr, look, &d);
    return d.unknown;
}

static bool special_try(struct hcl_eval *ev, const struct hcl_expr *call,
                        const struct hcl_scope *scope, struct value *ret)
{
    if (call->call.nargs == 0)
        return hcl_fail(ev, call->range, "Error in function call",
                        "Call to function \"try\" failed: at least one argument is required.");
    for (size_t i = 0; i < call->call.nargs; i++) {
        if (depends_on_unknown(ev, call->call.arg[i], scope)) {
            *ret = hcl_any();
            return true;
        }
        if (attempt(ev, call->call.arg[i], scope, ret))
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
    if (call->call.nargs != 1)
        return hcl_fail(ev, call->range,
                        call->call.nargs ? "Too many function arguments"
                                         : "Not enough function arguments",
                        "Function \"can\" expects exactly 1 argument.");
    if (depends_on_unknown(ev, call->call.arg[0], scope))
        *ret = hcl_unknown_not_null(ev->arena, &type_bool);
    else
        *ret = value_bool(attempt(ev, call->call.arg[0], scope, &v));
    return true;
}

static const struct hcl_function functions[] = {
    {.name = "try", .special = special_try},
    {.name = "can", .special = special_can},
};

const struct hcl_function_family fn_try = {functions, sizeof functions / sizeof *functions};
