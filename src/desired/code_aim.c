/* code_aim.c - from a wish for an expression to the edits of what is written out behind it. */
#include "desired/code_aim.h"

#include <string.h>

#include "lang/hcl/edit_assign.h"

/* --- small things --- */

bool code_aim_fail(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, const char *why)
{
    uint32_t line, column;
    if (!f->aim->failed && !f->aim->why.len && source->file) {
        hcl_place(source->file->text, expr->range.start, &line, &column);
        f->aim->why =
            arena_printf(f->arena, "%s at %.*s:%u", why, STR_ARG(source->file->name), line);
    }
    f->aim->failed = true;
    return false;
}

size_t code_aim_choose(struct code_follow *f, size_t n)
{
    return code_choose(f->aim->choices, n);
}

size_t code_choose(struct code_choices *c, size_t n)
{
    if (n < 2 || c->at == CODE_CHOICES_MAX || n > UINT32_MAX)
        return 0;
    if (c->at == c->n) {
        c->digit[c->n] = 0;
        c->of[c->n++] = (uint32_t)n;
    }
    return c->digit[c->at++] % n;
}

bool code_choose_again(struct code_choices *c)
{
    c->n = c->at < c->n ? c->at : c->n;
    while (c->n && c->digit[c->n - 1] + 1 >= c->of[c->n - 1])
        c->n--;
    c->at = 0;
    if (c->n)
        c->digit[c->n - 1]++;
    return c->n > 0;
}

struct path code_aim_path(struct code_follow *f, struct path_step step, struct path rest)
{
    struct path_step *steps = arena_new(f->arena, struct path_step, rest.n + 1);
    if (!steps) {
        f->full = true;
        return rest;
    }
    steps[0] = step;
    if (rest.n)
        memcpy(steps + 1, rest.step, rest.n * sizeof *steps);
    return (struct path){steps, rest.n + 1};
}

bool code_aim_text(struct code_follow *f, const struct value *v, struct str *ret)
{
    struct value text;
    struct str why;
    if (!hcl_convert(f->arena, v, &type_string, &text, &why) || text.kind != VALUE_STRING)
        return false;
    *ret = value_text(&text);
    return true;
}

static bool is_scalar(const struct value *v)
{
    return v->kind == VALUE_STRING || v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL;
}

static bool alike_at(const struct value *a, const struct value *b, unsigned depth_left);

static bool alike_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !alike_at(&a->members[i].value, &b->members[i].value, depth_left))
            return false;
    return true;
}

static bool alike_at(const struct value *a, const struct value *b, unsigned depth_left)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    struct value x, y;
    struct str why;
    if (edit_same(a, b) || (a->kind == VALUE_NULL && b->kind == VALUE_NULL))
        return true;
    if (depth_left-- == 0)
        return false;
    if (value_is_object_like(a) && value_is_object_like(b) && a->len == b->len)
        return alike_members(a, b, depth_left);
    if (value_is_list_like(a) && value_is_list_like(b) && a->len == b->len &&
        a->kind != VALUE_SET && b->kind != VALUE_SET) {
        for (uint32_t i = 0; i < a->len; i++)
            if (!alike_at(&a->items[i], &b->items[i], depth_left))
                return false;
        return true;
    }
    return is_scalar(a) && is_scalar(b) && a->kind != b->kind &&
           hcl_convert(&scratch, a, &type_string, &x, &why) &&
           hcl_convert(&scratch, b, &type_string, &y, &why) && value_equal(&x, &y);
}

bool code_aim_alike(const struct value *a, const struct value *b)
{
    return a && b && alike_at(a, b, VALUE_DEPTH_MAX);
}

bool code_aim_has(const struct value *list, const struct value *v)
{
    for (uint32_t i = 0; i < list->len; i++)
        if (code_aim_alike(&list->items[i], v))
            return true;
    return false;
}

bool code_aim_written(const struct hcl_expr *expr)
{
    expr = edit_inner(expr);
    if (expr->kind == HCL_EXPR_CALL && expr->call.nargs == 1 &&
        (edit_is_call(expr, STR("toset")) || edit_is_call(expr, STR("tolist")) ||
         edit_is_call(expr, STR("tomap"))))
        expr = edit_inner(expr->call.arg[0]);
    return expr->kind == HCL_EXPR_TUPLE || expr->kind == HCL_EXPR_OBJECT || hcl_is_literal(expr);
}

struct rooted {
    struct str one, other;
    bool any;
};

static bool is_another(void *ctx, const struct hcl_traversal *traversal)
{
    struct rooted *r = ctx;
    r->any |= str_equal(traversal->root, r->one) || str_equal(traversal->root, r->other);
    return !r->any;
}

static bool refers(struct code_follow *f, const struct hcl_expr *expr, struct str one,
                   struct str other)
{
    struct rooted rooted = {one, other, false};
    (void)hcl_each_reference(f->arena, expr, is_another, &rooted);
    return rooted.any;
}

unsigned char code_aim_rank(struct code_follow *f, const struct code_source *source,
                            const struct hcl_expr *expr)
{
    bool own = refers(f, expr, STR("each"), STR("count"));
    if (source->scope->module->parent)
        return own ? 0 : refers(f, expr, STR("var"), STR("var")) ? 1 : 2;
    return code_aim_written(expr) ? 0 : own ? 1 : 2;
}

bool code_aim_on(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct path rest, const struct value *want,
                 unsigned depth_left)
{
    struct code_aiming *a = f->aim;
    struct value value = a->value;
    bool unset = a->unset;
    size_t hits = a->hits;
    a->unset = !want;
    if (want)
        a->value = *want;
    if (depth_left)
        code_follow_expr(f, source, expr, rest, depth_left - 1);
    a->value = value;
    a->unset = unset;
    a->failed |= a->hits == hits;
    return !a->failed;
}

/* --- what is written out --- */

static const char too_many[] = "there are too many places to edit";

static struct code_target *add_target(struct code_follow *f)
{
    struct code_aiming *a = f->aim;
    struct code_target *grown =
        a->n < CODE_TARGETS_MAX ? arena_grow(f->arena, a->target, a->n, &a->room, a->n + 1) : NULL;
    f->full |= !grown && a->n < CODE_TARGETS_MAX;
    a->target = grown ? grown : a->target;
    return grown ? &grown[a->n++] : NULL;
}

bool code_aim_at(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct path rest, enum code_target_part part,
                 const struct value *value)
{
    struct code_aiming *a = f->aim;
    if (a->template && source->file == a->template)
        return part == CODE_TARGET_TEXT && code_aim_file_text(f, source, expr, value_text(value));
    struct value *now = arena_new(f->arena, struct value, 1);
    const struct value *old =
        now && code_follow_eval(f, source, expr, now) ? path_find(now, rest) : NULL;
    struct code_target *target = add_target(f);
    if (!target)
        return code_aim_fail(f, source, expr, too_many);
    *target = (struct code_target){.source = source->file,
                                   .expr = expr,
                                   .rest = rest,
                                   .unset = a->unset && rest.n,
                                   .part = part,
                                   .value = *value,
                                   .old = old && old->kind != VALUE_NULL ? old : NULL};
    a->hits++;
    return true;
}

bool code_aim_whole_file(struct code_follow *f, const struct hcl_file *file, struct str text)
{
    struct code_target *target = add_target(f);
    if (!target)
        return !(f->aim->failed = true);
    *target =
        (struct code_target){.source = file, .part = CODE_TARGET_FILE, .value = value_string(text)};
    f->aim->hits++;
    return true;
}

static bool with_part(struct code_follow *f, const struct value *now, struct path rest,
                      const struct value *v, struct value *ret, unsigned depth_left);

static bool with_item(struct code_follow *f, const struct value *now, struct path rest,
                      const struct value *v, struct value *ret, unsigned depth_left)
{
    int64_t at = rest.step[0].index;
    struct value *items = arena_new(f->arena, struct value, now->len);
    struct path below = {rest.step + 1, rest.n - 1};
    if (!items || rest.step[0].kind != PATH_INDEX || at < 0 || at >= now->len ||
        now->kind == VALUE_SET)
        return false;
    memcpy(items, now->items, now->len * sizeof *items);
    *ret = value_items(VALUE_TUPLE, items, now->len);
    return with_part(f, &now->items[at], below, v, &items[at], depth_left);
}

/* A value with the part at `rest` as v, or without it. */
static bool with_part(struct code_follow *f, const struct value *now, struct path rest,
                      const struct value *v, struct value *ret, unsigned depth_left)
{
    uint32_t old = value_is_object_like(now) ? now->len : 0;
    size_t n = 0;
    struct value none = value_null();
    if (rest.n == 0 || depth_left-- == 0) {
        *ret = v ? *v : none;
        return v && rest.n == 0;
    }
    if (value_is_list_like(now))
        return with_item(f, now, rest, v, ret, depth_left);
    struct value_member *members = arena_new(f->arena, struct value_member, (size_t)old + 1);
    if (!members || rest.step[0].kind != PATH_KEY ||
        (now->kind != VALUE_NULL && !value_is_object_like(now)))
        return false;
    for (uint32_t i = 0; i < old; i++)
        if (!str_equal(key_str(now->members[i].key), rest.step[0].key))
            members[n++] = now->members[i];
    if (rest.n > 1 || v) {
        const struct value *member = value_get(now, rest.step[0].key);
        struct path below = {rest.step + 1, rest.n - 1};
        if (!with_part(f, member ? member : &none, below, v, &members[n].value, depth_left) ||
            !(members[n++].key = key_make(f->arena, rest.step[0].key)))
            return false;
    }
    return value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

bool code_aim_argument(struct code_follow *f, const struct code_source *source,
                       const struct code_module_call *call, struct str name,
                       const struct hcl_expr *otherwise, struct path rest)
{
    struct code_aiming *a = f->aim;
    struct value now = value_null(), v;
    if (call->file->json || (otherwise && !code_follow_eval(f, source, otherwise, &now)) ||
        value_any_unknown(&now) ||
        !with_part(f, &now, rest, a->unset ? NULL : &a->value, &v, VALUE_DEPTH_MAX) ||
        code_aim_choose(f, 2) != 0)
        return false;
    struct code_target *target = add_target(f);
    if (!target)
        return code_aim_fail(f, source, otherwise ? otherwise : call->source_expr.expr, too_many);
    *target =
        (struct code_target){.source = call->file, .body = call->body, .name = name, .value = v};
    a->hits++;
    return true;
}

/* Can the wish be edited into the expression as it is written? Then that is a target. */
static bool here(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct path rest)
{
    struct code_aiming *a = f->aim;
    struct hcl_edit edit;
    struct hcl_obstacle obstacle;
    struct str why;
    struct value now, *v = arena_new(f->arena, struct value, 1), same;
    const struct value *old = NULL;
    if (!source->file || !v)
        return false;
    if (a->template && source->file == a->template) {
        struct str text;
        return expr->kind == HCL_EXPR_STRING && rest.n == 0 && !a->unset &&
               code_aim_text(f, &a->value, &text) && code_aim_file_text(f, source, expr, text);
    }
    if (code_follow_eval(f, source, expr, &now))
        old = path_find(&now, rest);
    if (old && old->kind == VALUE_NULL)
        old = NULL;
    *v = a->unset ? value_null() : a->value;
    /* 5 stays a number where text is wanted that is made of it, and so on. */
    if (old && is_scalar(old) && is_scalar(v) && old->kind != v->kind &&
        hcl_convert(f->arena, v, hcl_type_of(f->arena, old), &same, &why) && is_scalar(&same))
        *v = same;
    hcl_edit_start(&edit, f->arena, source->file);
    struct hcl_known known = {old, NULL};
    bool ok = a->unset && rest.n ? hcl_edit_unset(&edit, expr, rest, known, &obstacle)
                                 : hcl_edit_set(&edit, expr, rest, v, known, &obstacle);
    if (!ok || edit.full || edit.why.ptr)
        return false;
    if (edit.n)
        return code_aim_at(f, source, expr, rest, CODE_TARGET_VALUE, v);
    a->hits++;
    return true;
}

/* --- part by part --- */

static bool aim_member(struct code_follow *f, const struct code_source *source,
                       const struct hcl_expr *expr, struct str key, const struct value *old,
                       const struct value *want, unsigned depth_left)
{
    bool had = old && old->kind != VALUE_NULL, has = want && want->kind != VALUE_NULL;
    if ((!had && !has) || (had && has && code_aim_alike(old, want)))
        return true;
    struct path_step step = {.kind = PATH_KEY, .key = key};
    struct path rest = code_aim_path(f, step, (struct path){0});
    return code_aim_on(f, source, expr, rest, want, depth_left);
}

static void aim_members(struct code_follow *f, const struct code_source *source,
                        const struct hcl_expr *expr, const struct value *old, unsigned depth_left)
{
    const struct value want = f->aim->value;
    for (uint32_t i = 0; i < old->len; i++) {
        struct str key = key_str(old->members[i].key);
        if (!aim_member(f, source, expr, key, &old->members[i].value, value_get(&want, key),
                        depth_left))
            return;
    }
    for (uint32_t i = 0; i < want.len; i++) {
        struct str key = key_str(want.members[i].key);
        if (!value_get(old, key) &&
            !aim_member(f, source, expr, key, NULL, &want.members[i].value, depth_left))
            return;
    }
    f->aim->hits++;
}

static void aim_items(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, const struct value *old, unsigned depth_left)
{
    const struct value want = f->aim->value;
    for (uint32_t i = 0; i < old->len; i++) {
        if (code_aim_alike(&old->items[i], &want.items[i]))
            continue;
        struct path_step step = {.kind = PATH_INDEX, .index = i};
        struct path rest = code_aim_path(f, step, (struct path){0});
        if (!code_aim_on(f, source, expr, rest, &want.items[i], depth_left))
            return;
    }
    f->aim->hits++;
}

bool code_aim_parts(struct code_follow *f, const struct code_source *source,
                    const struct hcl_expr *expr, const struct value *old, unsigned depth_left)
{
    const struct value *want = &f->aim->value;
    bool ordered = old->kind != VALUE_SET && want->kind != VALUE_SET;
    if (f->aim->unset || depth_left == 0)
        return false;
    if (value_is_object_like(old) && value_is_object_like(want))
        aim_members(f, source, expr, old, depth_left - 1);
    else if (ordered && value_is_list_like(old) && value_is_list_like(want) &&
             old->len == want->len)
        aim_items(f, source, expr, old, depth_left - 1);
    else
        return false;
    return true;
}

/* --- constructors --- */

static bool has_item(struct code_follow *f, const struct code_source *source,
                     const struct hcl_expr *expr, const struct path_step *step)
{
    struct value key;
    if (expr->kind == HCL_EXPR_TUPLE)
        return step->kind == PATH_INDEX && step->index >= 0 &&
               (uint64_t)step->index < expr->parts.n;
    for (size_t i = 0; i < expr->items.n; i++)
        if (code_follow_key(f, source, &expr->items.item[i], &key) && step->kind == PATH_KEY &&
            str_equal(value_text(&key), step->key))
            return true;
    return false;
}

static bool aim_constructor(struct code_follow *f, const struct code_source *source,
                            const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct value old;
    bool deeper = rest.n > 1 || (rest.n == 1 && !f->aim->unset);
    if (deeper && has_item(f, source, expr, &rest.step[0]))
        return false;
    if (here(f, source, expr, rest) || f->aim->failed || rest.n)
        return true;
    if (code_follow_eval(f, source, expr, &old))
        (void)code_aim_parts(f, source, expr, &old, depth_left);
    return true;
}

/* --- operations --- */

static bool is_number_literal(const struct hcl_expr *expr)
{
    expr = edit_inner(expr);
    if (expr->kind == HCL_EXPR_UNARY && expr->binary.op == HCL_MINUS)
        expr = expr->binary.left;
    return expr->kind == HCL_EXPR_LITERAL && expr->value.kind == VALUE_NUMBER;
}

/* What one operand must be for `want`, given the other one. */
static bool operand_for(struct code_follow *f, enum hcl_token_kind op, bool left,
                        const struct value *other, const struct value *want, struct value *ret)
{
    struct value back;
    struct str why;
    const struct value *a = want, *b = other;
    enum hcl_token_kind inverse = op == HCL_PLUS    ? HCL_MINUS
                                  : op == HCL_MINUS ? HCL_PLUS
                                  : op == HCL_STAR  ? HCL_SLASH
                                                    : HCL_STAR;
    if (!left && (op == HCL_MINUS || op == HCL_SLASH)) {
        a = other;
        b = want;
        inverse = op;
    }
    if (!hcl_arith(f->arena, inverse, a, b, ret, &why) || hcl_is_infinite(ret) ||
        !hcl_arith(f->arena, op, left ? ret : other, left ? other : ret, &back, &why))
        return false;
    return value_equal(&back, want);
}

static bool is_whole(const struct value *v)
{
    int64_t whole;
    return value_to_int64(v, &whole);
}

/* The operand that is a literal; of a product (5 * 1024) first the other one, if that comes out
 * even. */
static void aim_arithmetic(struct code_follow *f, const struct code_source *source,
                           const struct hcl_expr *expr, unsigned depth_left)
{
    const struct hcl_expr *operand[2] = {expr->binary.left, expr->binary.right};
    struct value v[2], want, made;
    struct str why;
    bool product = expr->binary.op == HCL_STAR || expr->binary.op == HCL_SLASH;
    bool literal = is_number_literal(operand[0]);
    if (literal == is_number_literal(operand[1])) {
        (void)code_aim_fail(f, source, expr,
                            literal ? "both operands are literals, and either could be edited,"
                                    : "neither operand is a literal: either could be edited,");
        return;
    }
    if (!hcl_convert(f->arena, &f->aim->value, &type_number, &want, &why) ||
        want.kind != VALUE_NUMBER)
        return;
    for (size_t i = 0; i < 2; i++)
        if (!code_follow_eval(f, source, operand[i], &made) ||
            !hcl_convert(f->arena, &made, &type_number, &v[i], &why) || v[i].kind != VALUE_NUMBER)
            return;
    size_t first = literal ? 0 : 1; /* the literal */
    if (product && operand_for(f, expr->binary.op, first == 1, &v[first], &want, &made) &&
        is_whole(&made) == is_whole(&v[1 - first]))
        first = 1 - first;
    size_t at = code_aim_choose(f, 2) == 0 ? first : 1 - first;
    if (operand_for(f, expr->binary.op, at == 0, &v[1 - at], &want, &made) &&
        (is_whole(&made) || !is_whole(&v[at])))
        (void)code_aim_on(f, source, operand[at], (struct path){0}, &made, depth_left);
}

static void aim_operation(struct code_follow *f, const struct code_source *source,
                          const struct hcl_expr *expr, unsigned depth_left)
{
    struct value want = f->aim->value, zero = value_int(0), made;
    struct str why;
    enum hcl_token_kind op = expr->binary.op;
    if (expr->kind == HCL_EXPR_BINARY) {
        if (op == HCL_PLUS || op == HCL_MINUS || op == HCL_STAR || op == HCL_SLASH)
            aim_arithmetic(f, source, expr, depth_left);
        return;
    }
    if (op == HCL_BANG && want.kind == VALUE_BOOL)
        made = value_bool(!want.truth);
    else if (op != HCL_MINUS || want.kind != VALUE_NUMBER ||
             !hcl_arith(f->arena, HCL_MINUS, &zero, &want, &made, &why))
        return;
    (void)code_aim_on(f, source, expr->binary.left, (struct path){0}, &made, depth_left);
}

/* --- all of them --- */

static void aim_branch(struct code_follow *f, const struct code_source *source,
                       const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    struct value v, truth;
    struct str why;
    if (!code_follow_eval(f, source, expr->cond.condition, &v) ||
        !hcl_convert(f->arena, &v, &type_bool, &truth, &why) || truth.kind != VALUE_BOOL)
        return;
    const struct hcl_expr *branch = truth.truth ? expr->cond.yes : expr->cond.no;
    if (branch)
        code_follow_expr(f, source, branch, rest, depth_left - 1);
}

bool code_aim_expr(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    if (f->aim->failed)
        return true;
    switch (expr->kind) {
    case HCL_EXPR_LITERAL:
    case HCL_EXPR_STRING:
        (void)here(f, source, expr, rest);
        return true;
    case HCL_EXPR_OBJECT:
    case HCL_EXPR_TUPLE:
        return aim_constructor(f, source, expr, rest, depth_left);
    case HCL_EXPR_TEMPLATE:
        return code_aim_template(f, source, expr, rest, depth_left);
    case HCL_EXPR_IF:
        aim_branch(f, source, expr, rest, depth_left);
        return true;
    case HCL_EXPR_UNARY:
    case HCL_EXPR_BINARY:
        if (hcl_is_literal(expr))
            (void)here(f, source, expr, rest);
        else if (!f->aim->unset && rest.n == 0)
            aim_operation(f, source, expr, depth_left);
        return true;
    case HCL_EXPR_CALL:
        return code_aim_call(f, source, expr, rest, depth_left);
    case HCL_EXPR_FOR:
    case HCL_EXPR_SPLAT:
        return code_aim_for(f, source, expr, rest, depth_left);
    default:
        return false;
    }
}
