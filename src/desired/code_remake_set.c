/* code_remake_set.c - what an expression is to give, set where that is written; conditions made
 * true or false. */
#include "desired/code_remake.h"
#include "lang/hcl/edit_path.h"

/* --- what try() and its like looked for --- */

/* try([x.a], []), try(flatten([x.a]), []): what is asked for is the element itself. */
static const struct hcl_expr *asked_for(const struct hcl_expr *expr, bool *ret_one)
{
    static const char *const passing[] = {"flatten", "toset", "tolist", "compact", NULL};
    *ret_one = false;
    for (;;) {
        expr = code_remake_inner(expr);
        if (code_remake_one_of(code_remake_call(expr), passing) && expr->call.nargs == 1) {
            expr = expr->call.arg[0];
        } else if (expr->kind == HCL_EXPR_TUPLE && expr->parts.n == 1) {
            expr = expr->parts.part[0];
            *ret_one = true;
        } else {
            return expr;
        }
    }
}

bool code_remake_absent(struct remake *r, const struct code_follow *f, struct code_follow *ret,
                        bool *ret_one)
{
    const struct hcl_expr *expr = asked_for(f->absent, ret_one);
    code_remake_follow(r, ret);
    code_follow_expr(ret, &f->absent_at, expr, f->absent_rest, CODE_FOLLOW_DEPTH);
    return ret->reached && ret->reached_at.file && ret->left.n &&
           code_remake_inner(ret->reached)->kind == HCL_EXPR_OBJECT;
}

/* --- single values --- */

bool code_remake_argument(struct remake *r, struct code_module_instance *module, struct str name,
                          const struct value *v)
{
    const struct code_module_call *call = module->config->call;
    for (size_t i = 0; i < r->n; i++)
        if (r->edit[i].call == call && str_equal(r->edit[i].key, name)) {
            r->edit[i].value = *v;
            return true;
        }
    return code_remake_edit(r, (struct code_edit){.kind = CODE_EDIT_ARGUMENT,
                                                  .file = call->place.file,
                                                  .key = name,
                                                  .value = *v,
                                                  .call = call});
}

bool code_remake_set(struct remake *r, const struct code_source *source,
                     const struct hcl_expr *expr, struct path path, const struct value *v)
{
    struct code_follow f, g;
    struct value said = code_strip(r, v, VALUE_DEPTH_MAX);
    code_remake_follow(r, &f);
    code_follow_expr(&f, source, expr, path, CODE_FOLLOW_DEPTH);
    if (code_remake_outside(r, &f))
        return false;
    if (!f.reached || f.why.len || !f.reached_at.file)
        return f.why.len ? code_remake_cannot(r, "%.*s", STR_ARG(f.why))
                         : code_remake_blocked(r, source, expr);
    if (f.unset && f.variable_rest.n == 0)
        return code_remake_argument(r, f.unset, f.variable->name, &said);
    bool one;
    if (f.absent && code_remake_absent(r, &f, &g, &one)) /* say it where it was looked for */
        f = g;
    const struct hcl_expr *at = code_remake_inner(f.reached);
    bool whole = f.left.n == 0 &&
                 (hcl_is_literal(at) || at->kind == HCL_EXPR_OBJECT || at->kind == HCL_EXPR_TUPLE);
    if (!whole && !(f.left.n && at->kind == HCL_EXPR_OBJECT))
        return code_remake_blocked(r, &f.reached_at, at);
    return code_remake_edit(r, (struct code_edit){.kind = CODE_EDIT_SET,
                                                  .file = f.reached_at.file,
                                                  .expr = at,
                                                  .path = f.left,
                                                  .value = said});
}

/* The type lets the member be left out, or whoever asks for it does not mind. */
static bool may_go(const struct code_follow *f, struct path_step step, bool asked)
{
    const struct type *type = f->variable ? f->variable->type : NULL;
    for (size_t i = 0; type && i <= f->variable_rest.n; i++) {
        const struct path_step *at = i < f->variable_rest.n ? &f->variable_rest.step[i] : &step;
        if (type->kind == TYPE_OBJECT && i == f->variable_rest.n) {
            const struct type_member *member = type_find_member(type, step.key);
            return member && member->optional;
        }
        type = hcl_type_below(type, at);
    }
    return asked;
}

bool code_remake_unset(struct remake *r, const struct code_source *source,
                       const struct hcl_expr *expr, const struct path_step *step, bool asked)
{
    struct code_follow f;
    code_remake_follow(r, &f);
    code_follow_expr(&f, source, expr, (struct path){0}, CODE_FOLLOW_DEPTH);
    return !f.why.len && f.reached && f.left.n == 0 && !f.unset && f.reached_at.file &&
           code_remake_inner(f.reached)->kind == HCL_EXPR_OBJECT && may_go(&f, *step, asked) &&
           code_remake_edit(r, (struct code_edit){.kind = CODE_EDIT_SET,
                                                  .file = f.reached_at.file,
                                                  .expr = code_remake_inner(f.reached),
                                                  .path = {step, 1},
                                                  .unset = true});
}

bool code_remake_nothing(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr, bool asked, const struct value *v)
{
    struct path_step *step = arena_new(r->arena, struct path_step, 1);
    expr = code_remake_inner(expr);
    if (!step)
        return false;
    if (expr->kind == HCL_EXPR_ATTRIBUTE) {
        *step = (struct path_step){.kind = PATH_KEY, .key = expr->get.name};
        if (code_remake_unset(r, source, expr->get.source, step, asked))
            return true;
    }
    return code_remake_set(r, source, expr, (struct path){0}, v);
}

bool code_remake_is_true(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr, bool *ret)
{
    struct value v, truth;
    struct str why;
    if (!code_remake_eval(r, source, expr, &v) ||
        !hcl_convert(r->arena, &v, &type_bool, &truth, &why) || truth.kind != VALUE_BOOL)
        return false;
    *ret = truth.truth;
    return true;
}

/* Both sides of && or ||: all that stand in the way, or one that suffices, the last first. */
static bool set_sides(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, bool truth, unsigned depth_left)
{
    const struct hcl_expr *side[2] = {expr->binary.right, expr->binary.left};
    bool all = (expr->binary.op == HCL_AND) == truth, now;
    for (size_t i = 0; i < 2; i++) {
        size_t before = r->n;
        if (!code_remake_is_true(r, source, side[i], &now))
            return code_remake_blocked(r, source, side[i]);
        if (now == truth)
            continue;
        if (code_remake_truth(r, source, side[i], truth, depth_left)) {
            if (!all)
                return true;
            continue;
        }
        if (all)
            return false;
        r->n = before;
        if (i == 0)
            r->why = (struct str){0};
    }
    return all;
}

/* length(x) > 0, != 0 that is to be false; == 0 that is to be true: x is to be empty. */
static bool asks_length(const struct hcl_expr *expr, bool truth)
{
    const struct hcl_expr *left = expr->binary.left, *right = expr->binary.right;
    int64_t n;
    return str_equal(code_remake_call(left), STR("length")) && left->call.nargs == 1 &&
           right->kind == HCL_EXPR_LITERAL && value_to_int64(&right->value, &n) && n == 0 &&
           (truth ? expr->binary.op == HCL_EQ
                  : expr->binary.op == HCL_GT || expr->binary.op == HCL_NE);
}

static bool set_empty(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr)
{
    struct value now;
    if (!code_remake_eval(r, source, expr, &now))
        return code_remake_blocked(r, source, expr);
    struct value v = {.kind = value_is_object_like(&now) ? VALUE_OBJECT : VALUE_TUPLE};
    return code_remake_set(r, source, expr, (struct path){0}, &v);
}

bool code_remake_truth(struct remake *r, const struct code_source *source,
                       const struct hcl_expr *expr, bool truth, unsigned depth_left)
{
    static const char *const passing[] = {"try", "lookup", "coalesce", "tobool", NULL};
    struct value v = value_bool(truth);
    expr = code_remake_inner(expr);
    if (depth_left-- == 0)
        return false;
    if (expr->kind == HCL_EXPR_UNARY && expr->binary.op == HCL_BANG)
        return code_remake_truth(r, source, expr->binary.left, !truth, depth_left);
    if (expr->kind == HCL_EXPR_BINARY && (expr->binary.op == HCL_AND || expr->binary.op == HCL_OR))
        return set_sides(r, source, expr, truth, depth_left);
    if (expr->kind == HCL_EXPR_BINARY && expr->binary.op == (truth ? HCL_EQ : HCL_NE) &&
        !asks_length(expr, truth)) {
        const struct hcl_expr *left = expr->binary.left, *right = expr->binary.right;
        bool swap = hcl_is_literal(left);
        if (hcl_is_literal(right) != swap && code_remake_eval(r, source, swap ? left : right, &v))
            return code_remake_set(r, source, swap ? right : left, (struct path){0}, &v);
    }
    if (expr->kind == HCL_EXPR_BINARY && asks_length(expr, truth))
        return set_empty(r, source, expr->binary.left->call.arg[0]);
    if (expr->kind == HCL_EXPR_VARIABLE || expr->kind == HCL_EXPR_ATTRIBUTE ||
        expr->kind == HCL_EXPR_INDEX || code_remake_one_of(code_remake_call(expr), passing))
        return code_remake_set(r, source, expr, (struct path){0}, &v);
    return code_remake_blocked(r, source, expr);
}
