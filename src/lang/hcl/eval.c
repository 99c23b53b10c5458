/* eval.c - the evaluator: limits, references, operators; constructors and templates are in
 * eval_*.c. */
#include "lang/hcl/eval.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/types.h"
#include "value/number.h"

/* --- references --- */

/* x.a["b"][0]... as nodes from the root outwards. */
struct chain {
    const struct hcl_expr *node[HCL_STEPS_MAX];
    size_t n; /* node[0] is what stands innermost */
};

static const struct hcl_expr *inner_of(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_ATTRIBUTE ? expr->get.source
           : expr->kind == HCL_EXPR_INDEX   ? expr->index.source
                                            : NULL;
}

static bool is_literal_key(const struct hcl_expr *key)
{
    return key->kind == HCL_EXPR_STRING ||
           (key->kind == HCL_EXPR_LITERAL && key->value.kind == VALUE_NUMBER);
}

/* From the root on. False where expr has no named root. */
static bool chain_of(const struct hcl_expr *expr, struct chain *chain)
{
    const struct hcl_expr *outward[HCL_STEPS_MAX];
    size_t n = 0;
    for (const struct hcl_expr *at = expr; at; at = inner_of(at)) {
        if (n == HCL_STEPS_MAX)
            return false;
        outward[n++] = at;
    }
    for (size_t i = 0; i < n; i++)
        chain->node[i] = outward[n - 1 - i];
    chain->n = n;
    return chain->node[0]->kind == HCL_EXPR_VARIABLE;
}

/* The steps behind the root, as far as they are static. */
static bool traversal_of(struct arena *arena, const struct chain *chain, struct hcl_traversal *ret)
{
    const struct hcl_expr *root = chain->node[0];
    struct hcl_step *steps = arena_new(arena, struct hcl_step, chain->n);
    *ret = (struct hcl_traversal){
        .root = root->name, .root_range = root->range, .range = root->range, .step = steps};
    for (size_t i = 1; steps && i < chain->n; i++) {
        const struct hcl_expr *node = chain->node[i];
        bool attribute = node->kind == HCL_EXPR_ATTRIBUTE;
        if (!attribute && !is_literal_key(node->index.key)) {
            ret->key = node->index.key;
            break;
        }
        steps[ret->n++] = (struct hcl_step){
            .index = !attribute,
            .key = attribute ? value_string(node->get.name) : node->index.key->value,
            .range = attribute ? node->get.name_range : node->index.key->range};
        ret->range = node->range;
    }
    return steps;
}

bool hcl_static_traversal(struct arena *arena, const struct hcl_expr *expr,
                          struct hcl_traversal *ret)
{
    struct chain chain;
    return chain_of(expr, &chain) && traversal_of(arena, &chain, ret);
}

static bool find_local(const struct hcl_scope *scope, struct str name, struct value *ret)
{
    for (; scope; scope = scope->parent)
        for (size_t i = 0; i < scope->n; i++)
            if (str_equal(scope->name[i], name)) {
                *ret = scope->value[i];
                return true;
            }
    return false;
}

/* A name that is no local one. */
static bool resolve(struct hcl_eval *ev, const struct hcl_scope *scope,
                    const struct hcl_traversal *traversal, struct value *ret, size_t *ret_steps)
{
    *ret_steps = 0;
    struct str near = {0};
    bool has_names = false;
    for (; scope; scope = scope->parent) {
        if (scope->resolve)
            return scope->resolve(scope->ctx, ev, traversal, ret, ret_steps);
        has_names |= scope->n > 0;
        near = near.ptr ? near : str_nearest(traversal->root, scope->name, scope->n);
    }
    if (!has_names)
        return hcl_fail(ev, traversal->root_range, "Variables not allowed",
                        "Variables may not be used here.");
    return hcl_fail(ev, traversal->root_range, "Unknown variable",
                    "There is no variable named \"%.*s\".%s%.*s%s", STR_ARG(traversal->root),
                    near.ptr ? " Did you mean \"" : "", STR_ARG(near), near.ptr ? "\"?" : "");
}

static bool eval_step(struct hcl_eval *ev, const struct hcl_expr *node,
                      const struct hcl_scope *scope, const struct value *v, struct value *ret)
{
    if (node->kind == HCL_EXPR_ATTRIBUTE)
        return hcl_get_attribute(
            ev, v, node->get.name,
            (struct hcl_range){node->get.name_range.start - 1, node->get.name_range.end}, ret);
    struct value key;
    bool ok = hcl_eval_expr(ev, node->index.key, scope, &key);
    struct hcl_range subject = {node->index.source->range.end, node->range.end};
    return hcl_index(ev, v, &key, subject, ret) && ok;
}

static bool eval_reference(struct hcl_eval *ev, const struct hcl_expr *expr,
                           const struct hcl_scope *scope, struct value *ret)
{
    struct chain chain;
    struct hcl_traversal traversal;
    size_t done = 0;
    bool ok = true;
    struct value v = hcl_any();
    if (chain_of(expr, &chain)) {
        ok = find_local(scope, chain.node[0]->name, &v) ||
             (traversal_of(ev->arena, &chain, &traversal) &&
              resolve(ev, scope, &traversal, &v, &done));
    } else {
        const struct hcl_expr *inner = inner_of(expr);
        if (!inner)
            return hcl_fail(ev, expr->range, "Expression nested too deeply",
                            "A reference has more than %d steps.", HCL_STEPS_MAX);
        ok = hcl_eval_expr(ev, inner, scope, &v);
        return eval_step(ev, expr, scope, &v, ret) && ok;
    }
    for (size_t i = done + 1; i < chain.n; i++) {
        struct value next = hcl_any();
        if (!ok) /* of what has failed nothing is known, but the keys behind it have faults too */
            v = hcl_any();
        ok = eval_step(ev, chain.node[i], scope, &v, &next) && ok;
        v = next;
    }
    *ret = v;
    return ok;
}

/* --- operators --- */

static bool operand(struct hcl_eval *ev, const struct hcl_expr *expr, const struct value *v,
                    const struct type *type, const char *which, struct value *ret)
{
    struct str why;
    if (hcl_convert(ev->arena, v, type, ret, &why))
        return true;
    *ret = hcl_unknown(ev->arena, type);
    return hcl_fail(ev, expr->range, "Invalid operand", "Unsuitable value for %s operand: %.*s.",
                    which, STR_ARG(why));
}

static bool no_null(struct hcl_eval *ev, const struct hcl_expr *expr, const struct value *v)
{
    if (v->kind != VALUE_NULL)
        return true;
    return hcl_fail(ev, expr->range, "Operation failed",
                    "Error during operation: argument must not be null.");
}

static bool eval_unary(struct hcl_eval *ev, const struct hcl_expr *expr,
                       const struct hcl_scope *scope, struct value *ret)
{
    struct value v, converted;
    bool minus = expr->binary.op == HCL_MINUS;
    const struct type *type = minus ? &type_number : &type_bool;
    bool ok = hcl_eval_expr(ev, expr->binary.left, scope, &v);
    *ret = hcl_unknown(ev->arena, type);
    if (!operand(ev, expr->binary.left, &v, type, "unary", &converted) || !ok ||
        !no_null(ev, expr, &converted))
        return false;
    if (converted.kind == VALUE_UNKNOWN) {
        *ret = hcl_unknown_not_null(ev->arena, type);
    } else if (!minus) {
        *ret = value_bool(!converted.truth);
    } else if (converted.form == NUMBER_INT && converted.integer &&
               converted.integer != INT64_MIN) {
        *ret = value_int(-converted.integer);
        ret->precision = converted.precision;
    } else {
        struct str text = hcl_is_infinite(&converted) ? value_text(&converted)
                                                      : number_text(ev->arena, &converted);
        bool negative = text.len && text.ptr[0] == '-';
        *ret = value_number(negative ? str_sub(text, 1, text.len)
                                     : arena_printf(ev->arena, "-%.*s", STR_ARG(text)));
        ret->precision = converted.precision;
    }
    ret->marks = ret->kind == VALUE_UNKNOWN ? 0 : v.marks; /* cty forgets them then */
    return true;
}

/* Both sides known, of the operator's operand type. */
static bool apply_binary(struct hcl_eval *ev, const struct hcl_expr *expr, const struct value *a,
                         const struct value *b, struct value *ret)
{
    struct str why = {0};
    switch (expr->binary.op) {
    case HCL_AND:
        *ret = value_bool(a->truth && b->truth);
        return true;
    case HCL_OR:
        *ret = value_bool(a->truth || b->truth);
        return true;
    case HCL_LT:
    case HCL_LE:
    case HCL_GT:
    case HCL_GE:
        *ret = hcl_compare(ev->arena, expr->binary.op, a, b);
        return true;
    default:
        if (hcl_arith(ev->arena, expr->binary.op, a, b, ret, &why))
            return true;
        *ret = hcl_unknown(ev->arena, &type_number);
        return hcl_fail(ev, expr->range, "Operation failed", "Error during operation: %.*s.",
                        STR_ARG(why));
    }
}

static bool eval_binary(struct hcl_eval *ev, const struct hcl_expr *expr,
                        const struct hcl_scope *scope, struct value *ret)
{
    const struct hcl_expr *left = expr->binary.left, *right = expr->binary.right;
    enum hcl_token_kind op = expr->binary.op;
    struct value a, b, x, y;
    if ((op == HCL_AND || op == HCL_OR) && ev->world && ev->world->short_circuit)
        return hcl_eval_short_circuit(ev, expr, scope, ret);
    bool logic = op == HCL_AND || op == HCL_OR;
    bool compares = op == HCL_LT || op == HCL_LE || op == HCL_GT || op == HCL_GE;
    bool equality = op == HCL_EQ || op == HCL_NE;
    bool ok = hcl_eval_expr(ev, left, scope, &a);
    ok = hcl_eval_expr(ev, right, scope, &b) && ok;
    *ret = hcl_unknown(ev->arena, logic || compares || equality ? &type_bool : &type_number);
    if (equality && !ok)
        return false;
    if (equality) {
        *ret = hcl_equals(ev->arena, &a, &b);
        if (op == HCL_NE && ret->kind == VALUE_BOOL)
            ret->truth = !ret->truth;
        return true;
    }
    const struct type *type = logic ? &type_bool : &type_number;
    ok = operand(ev, left, &a, type, "left", &x) && ok;
    ok = operand(ev, right, &b, type, "right", &y) && ok;
    if (!ok || !no_null(ev, expr, &x) || !no_null(ev, expr, &y))
        return false;
    uint8_t marks = x.marks | y.marks;
    bool unknown = x.kind == VALUE_UNKNOWN || y.kind == VALUE_UNKNOWN;
    if (compares && unknown)
        *ret = hcl_compare(ev->arena, op, &x, &y);
    else if (unknown)
        *ret = hcl_unknown_not_null(ev->arena, logic || compares ? &type_bool : &type_number);
    else if (!apply_binary(ev, expr, &x, &y, ret))
        return false;
    ret->marks = logic && unknown ? 0 : marks; /* cty forgets them then */
    return true;
}

/* --- the walk --- */

bool hcl_exhausted(struct hcl_eval *ev, const struct hcl_expr *expr, const char *fmt, ...)
{
    if (ev->exhausted)
        return false;
    ev->exhausted = true;
    va_list args;
    va_start(args, fmt);
    struct str what = arena_vprintf(ev->diags->arena, fmt, args);
    va_end(args);
    return hcl_fail(ev, expr->range, "Evaluation too large",
                    "The evaluation was given up: %.*s. Raise the limit or simplify the "
                    "expression.",
                    STR_ARG(what));
}

/* Nodes of a value, those that are in it twice counted twice; no further than `most`. */
static uint64_t parts_of(const struct value *v, uint64_t most, unsigned depth_left)
{
    uint64_t n = 1;
    bool items = value_is_list_like(v);
    if (depth_left == 0 || (!items && !value_is_object_like(v)))
        return n;
    for (uint32_t i = 0; i < v->len && n < most; i++)
        n += parts_of(items ? &v->items[i] : &v->members[i].value, most - n, depth_left - 1);
    return n;
}

/*
 * Values share what they are made of, so that 60 lists of twice the one before are small, and more
 * than anybody can walk over. What makes new ones counts them.
 */
static bool is_bounded(struct hcl_eval *ev, const struct hcl_expr *expr, const struct value *v)
{
    bool makes = expr->kind == HCL_EXPR_TUPLE || expr->kind == HCL_EXPR_OBJECT ||
                 expr->kind == HCL_EXPR_FOR || expr->kind == HCL_EXPR_SPLAT ||
                 expr->kind == HCL_EXPR_CALL;
    if (!makes || (!value_is_list_like(v) && !value_is_object_like(v)))
        return true;
    uint64_t parts = parts_of(v, HCL_PARTS_MAX + 1, VALUE_DEPTH_MAX);
    ev->steps += parts / 8;
    return parts <= HCL_PARTS_MAX ||
           hcl_exhausted(ev, expr, "a value of more than %d parts", HCL_PARTS_MAX);
}

static bool eval_node(struct hcl_eval *ev, const struct hcl_expr *expr,
                      const struct hcl_scope *scope, struct value *ret)
{
    if (expr->raw && (!scope || expr->kind == HCL_EXPR_ERROR))
        return hcl_eval_json_string(ev, expr, scope, ret);
    switch (expr->kind) {
    case HCL_EXPR_LITERAL:
    case HCL_EXPR_STRING:
        *ret = expr->value;
        return true;
    case HCL_EXPR_TEMPLATE:
        return hcl_eval_template(ev, expr, scope, ret);
    case HCL_EXPR_WRAP:
    case HCL_EXPR_PAREN:
        return hcl_eval_expr(ev, expr->operand, scope, ret);
    case HCL_EXPR_TUPLE:
        return hcl_eval_tuple(ev, expr, scope, ret);
    case HCL_EXPR_OBJECT:
        return expr->json ? hcl_eval_json_object(ev, expr, scope, ret)
                          : hcl_eval_object(ev, expr, scope, ret);
    case HCL_EXPR_FOR:
        return expr->for_->in_template ? hcl_eval_template_for(ev, expr, scope, ret)
                                       : hcl_eval_for(ev, expr, scope, ret);
    case HCL_EXPR_VARIABLE:
    case HCL_EXPR_ATTRIBUTE:
    case HCL_EXPR_INDEX:
        return eval_reference(ev, expr, scope, ret);
    case HCL_EXPR_SPLAT:
        return hcl_eval_splat(ev, expr, scope, ret);
    case HCL_EXPR_SPLAT_ITEM:
        return find_local(scope, STR("*"), ret);
    case HCL_EXPR_CALL:
        return hcl_eval_call(ev, expr, scope, ret);
    case HCL_EXPR_UNARY:
        return eval_unary(ev, expr, scope, ret);
    case HCL_EXPR_BINARY:
        return eval_binary(ev, expr, scope, ret);
    case HCL_EXPR_CONDITIONAL:
        return hcl_eval_conditional(ev, expr, scope, ret);
    case HCL_EXPR_IF:
        return hcl_eval_template_if(ev, expr, scope, ret);
    default:
        return false; /* the parser has said why */
    }
}

/* What failed in such a one leaves a value behind whose type is known, and which what stands around
 * it may object to as well. */
static bool keeps_its_type(const struct hcl_expr *expr)
{
    switch (expr->kind) {
    case HCL_EXPR_TEMPLATE:
    case HCL_EXPR_WRAP:
    case HCL_EXPR_PAREN:
    case HCL_EXPR_TUPLE:
    case HCL_EXPR_OBJECT:
    case HCL_EXPR_FOR:
    case HCL_EXPR_SPLAT:
    case HCL_EXPR_UNARY:
    case HCL_EXPR_BINARY:
    case HCL_EXPR_CONDITIONAL:
    case HCL_EXPR_IF:
        return true;
    default:
        return false;
    }
}

bool hcl_eval_expr(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                   struct value *ret)
{
    uint64_t most = ev->limits.steps ? ev->limits.steps : 50000000;
    unsigned deepest = ev->limits.depth ? ev->limits.depth : HCL_DEPTH_MAX * 2;
    *ret = hcl_any();
    if (ev->exhausted)
        return false;
    if (++ev->steps > most)
        return hcl_exhausted(ev, expr, "more than %llu steps", (unsigned long long)most);
    if (ev->depth >= deepest)
        return hcl_exhausted(ev, expr, "nested deeper than %u", deepest);
    if (ev->arena->used > ev->arena->limit / 2)
        return hcl_exhausted(ev, expr, "more than %zu bytes", ev->arena->limit / 2);
    ev->depth++;
    struct value v = hcl_any();
    bool ok = eval_node(ev, expr, scope, &v) && is_bounded(ev, expr, &v);
    ev->depth--;
    *ret = ok || (keeps_its_type(expr) && !ev->exhausted) ? v : hcl_any();
    return ok;
}
