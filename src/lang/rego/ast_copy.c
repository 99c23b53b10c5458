/* ast_copy.c - a term of Rego once more, so that two rules can each have their own. */
#include "base/arena.h"
#include "lang/rego/ast.h"

static struct rego_term *copy(struct arena *arena, const struct rego_term *term,
                              unsigned depth_left);

static bool copy_terms(struct arena *arena, struct rego_term ***item, size_t n, unsigned depth_left)
{
    struct rego_term **ret = arena_new(arena, struct rego_term *, n);
    for (size_t i = 0; ret && i < n; i++)
        if (!(ret[i] = copy(arena, (*item)[i], depth_left)))
            return false;
    *item = ret;
    return ret != NULL;
}

static bool copy_one(struct arena *arena, struct rego_term **term, unsigned depth_left)
{
    if (*term)
        *term = copy(arena, *term, depth_left);
    return true;
}

static struct rego_body *copy_body(struct arena *arena, const struct rego_body *body,
                                   unsigned depth_left);

static bool copy_expr_parts(struct arena *arena, struct rego_expr *expr, unsigned depth_left)
{
    switch (expr->kind) {
    case REGO_EXPR_SOME:
        return copy_terms(arena, &expr->some.symbol, expr->some.n, depth_left);
    case REGO_EXPR_EVERY:
        expr->every.body = copy_body(arena, expr->every.body, depth_left);
        return copy_one(arena, &expr->every.key, depth_left) &&
               copy_one(arena, &expr->every.value, depth_left) &&
               copy_one(arena, &expr->every.domain, depth_left) && expr->every.value &&
               expr->every.domain && expr->every.body;
    case REGO_EXPR_LOGIC:
        expr->logic.left = copy_body(arena, expr->logic.left, depth_left);
        expr->logic.right = copy_body(arena, expr->logic.right, depth_left);
        return expr->logic.left && expr->logic.right;
    case REGO_EXPR_NOT_BODY:
        expr->body = copy_body(arena, expr->body, depth_left);
        return expr->body != NULL;
    default:
        expr->term = copy(arena, expr->term, depth_left);
        return expr->term != NULL;
    }
}

static struct rego_expr *copy_expr(struct arena *arena, const struct rego_expr *expr,
                                   unsigned depth_left)
{
    struct rego_expr *ret = depth_left ? arena_new(arena, struct rego_expr, 1) : NULL;
    struct rego_with *with = arena_new(arena, struct rego_with, expr->nwith);
    if (!ret || !with)
        return NULL;
    *ret = *expr;
    ret->with = with;
    for (size_t i = 0; i < expr->nwith; i++) {
        with[i] = expr->with[i];
        with[i].target = copy(arena, expr->with[i].target, depth_left - 1);
        with[i].value = copy(arena, expr->with[i].value, depth_left - 1);
        if (!with[i].target || !with[i].value)
            return NULL;
    }
    return copy_expr_parts(arena, ret, depth_left - 1) ? ret : NULL;
}

static struct rego_body *copy_body(struct arena *arena, const struct rego_body *body,
                                   unsigned depth_left)
{
    struct rego_body *ret = arena_new(arena, struct rego_body, 1);
    struct rego_expr **expr = arena_new(arena, struct rego_expr *, body->n);
    if (!ret || !expr)
        return NULL;
    *ret = *body;
    ret->expr = expr;
    for (size_t i = 0; i < body->n; i++)
        if (!(expr[i] = copy_expr(arena, body->expr[i], depth_left)))
            return NULL;
    return ret;
}

static bool copy_pairs(struct arena *arena, struct rego_term *term, unsigned depth_left)
{
    struct rego_term_pair *ret = arena_new(arena, struct rego_term_pair, term->pairs.n);
    for (size_t i = 0; ret && i < term->pairs.n; i++) {
        ret[i].key = copy(arena, term->pairs.item[i].key, depth_left);
        ret[i].value = copy(arena, term->pairs.item[i].value, depth_left);
        if (!ret[i].key || !ret[i].value)
            return false;
    }
    term->pairs.item = ret;
    return ret != NULL;
}

static bool copy_parts(struct arena *arena, struct rego_term *term, unsigned depth_left)
{
    switch (term->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_VAR:
        return true;
    case REGO_TERM_OBJECT:
        return copy_pairs(arena, term, depth_left);
    case REGO_TERM_ARRAY_COMPREHENSION:
    case REGO_TERM_SET_COMPREHENSION:
    case REGO_TERM_OBJECT_COMPREHENSION:
        term->compr.body = copy_body(arena, term->compr.body, depth_left);
        return copy_one(arena, &term->compr.key, depth_left) &&
               copy_one(arena, &term->compr.value, depth_left) && term->compr.value &&
               term->compr.body;
    default:
        return copy_terms(arena, &term->parts.item, term->parts.n, depth_left);
    }
}

static struct rego_term *copy(struct arena *arena, const struct rego_term *term,
                              unsigned depth_left)
{
    struct rego_term *ret = depth_left ? arena_new(arena, struct rego_term, 1) : NULL;
    if (!ret)
        return NULL;
    *ret = *term;
    return copy_parts(arena, ret, depth_left - 1) ? ret : NULL;
}

bool rego_copy_head(struct arena *arena, struct rego_head *head)
{
    unsigned depth = 4 * REGO_DEPTH_MAX;
    const struct rego_term *key = head->key, *value = head->value;
    return copy_terms(arena, &head->ref, head->nref, depth) &&
           copy_terms(arena, &head->arg, head->narg, depth) && copy_one(arena, &head->key, depth) &&
           copy_one(arena, &head->value, depth) && (!key || head->key) && (!value || head->value);
}
