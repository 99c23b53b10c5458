/* refs.c - which names an expression uses that are not bound inside it. */
#include "base/arena.h"
#include "lang/hcl/eval.h"

struct bound {
    const struct bound *outer;
    struct str key, value;
};

struct walk {
    struct arena *arena;
    bool (*visit)(void *ctx, const struct hcl_traversal *traversal);
    void *ctx;
};

static bool walk_expr(const struct walk *w, const struct hcl_expr *expr, const struct bound *bound,
                      unsigned depth_left);

static bool is_bound(const struct bound *bound, struct str name)
{
    for (; bound; bound = bound->outer)
        if (str_equal(bound->value, name) || (bound->key.len && str_equal(bound->key, name)))
            return true;
    return false;
}

/* The named root of x.a[0]...; keys inside the brackets are walked on the way. */
static bool walk_reference(const struct walk *w, const struct hcl_expr *expr,
                           const struct bound *bound, unsigned depth_left)
{
    const struct hcl_expr *at = expr;
    while (at->kind == HCL_EXPR_ATTRIBUTE || at->kind == HCL_EXPR_INDEX) {
        if (at->kind == HCL_EXPR_INDEX && !walk_expr(w, at->index.key, bound, depth_left))
            return false;
        at = at->kind == HCL_EXPR_ATTRIBUTE ? at->get.source : at->index.source;
    }
    struct hcl_traversal traversal;
    if (at->kind != HCL_EXPR_VARIABLE)
        return walk_expr(w, at, bound, depth_left);
    if (is_bound(bound, at->name))
        return true;
    if (!hcl_static_traversal(w->arena, expr, &traversal))
        traversal =
            (struct hcl_traversal){.root = at->name, .root_range = at->range, .range = expr->range};
    if (bound)
        traversal.key = NULL;
    return w->visit(w->ctx, &traversal);
}

static bool walk_for(const struct walk *w, const struct hcl_expr *expr, const struct bound *bound,
                     unsigned depth_left)
{
    struct bound inner = {
        .outer = bound, .key = expr->for_->key_name, .value = expr->for_->value_name};
    return walk_expr(w, expr->for_->source, bound, depth_left) &&
           (!expr->for_->condition || walk_expr(w, expr->for_->condition, &inner, depth_left)) &&
           (!expr->for_->key || walk_expr(w, expr->for_->key, &inner, depth_left)) &&
           walk_expr(w, expr->for_->value, &inner, depth_left);
}

static bool walk_list(const struct walk *w, const struct hcl_expr *const *list, size_t n,
                      const struct bound *bound, unsigned depth_left)
{
    for (size_t i = 0; i < n; i++)
        if (!walk_expr(w, list[i], bound, depth_left))
            return false;
    return true;
}

static bool walk_items(const struct walk *w, const struct hcl_expr *expr, const struct bound *bound,
                       unsigned depth_left)
{
    for (size_t i = 0; i < expr->items.n; i++)
        if (!walk_expr(w, expr->items.item[i].key, bound, depth_left) ||
            !walk_expr(w, expr->items.item[i].value, bound, depth_left))
            return false;
    return true;
}

static bool walk_expr(const struct walk *w, const struct hcl_expr *expr, const struct bound *bound,
                      unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    depth_left--;
    switch (expr->kind) {
    case HCL_EXPR_VARIABLE:
    case HCL_EXPR_ATTRIBUTE:
    case HCL_EXPR_INDEX:
        return walk_reference(w, expr, bound, depth_left);
    case HCL_EXPR_WRAP:
    case HCL_EXPR_PAREN:
        return walk_expr(w, expr->operand, bound, depth_left);
    case HCL_EXPR_TEMPLATE:
    case HCL_EXPR_TUPLE:
        return walk_list(w, expr->parts.part, expr->parts.n, bound, depth_left);
    case HCL_EXPR_OBJECT:
        return walk_items(w, expr, bound, depth_left);
    case HCL_EXPR_FOR:
        return walk_for(w, expr, bound, depth_left);
    case HCL_EXPR_SPLAT:
        return walk_expr(w, expr->splat.source, bound, depth_left) &&
               walk_expr(w, expr->splat.each, bound, depth_left);
    case HCL_EXPR_CALL:
        return walk_list(w, expr->call.arg, expr->call.nargs, bound, depth_left);
    case HCL_EXPR_UNARY:
    case HCL_EXPR_BINARY:
        return walk_expr(w, expr->binary.left, bound, depth_left) &&
               (!expr->binary.right || walk_expr(w, expr->binary.right, bound, depth_left));
    case HCL_EXPR_CONDITIONAL:
    case HCL_EXPR_IF:
        return walk_expr(w, expr->cond.condition, bound, depth_left) &&
               walk_expr(w, expr->cond.yes, bound, depth_left) &&
               (!expr->cond.no || walk_expr(w, expr->cond.no, bound, depth_left));
    default:
        return true;
    }
}

bool hcl_each_reference(struct arena *arena, const struct hcl_expr *expr,
                        bool (*visit)(void *ctx, const struct hcl_traversal *traversal), void *ctx)
{
    struct walk w = {.arena = arena, .visit = visit, .ctx = ctx};
    return walk_expr(&w, expr, NULL, HCL_DEPTH_MAX * 4);
}
