/* walk.c - every term and expression of a piece of Rego, in the order of the text. */
#include "lang/rego/walk.h"

static bool terms(struct rego_walker *walker, struct rego_term *const *item, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!rego_walk_term(walker, item[i]))
            return false;
    return true;
}

static bool pairs(struct rego_walker *walker, const struct rego_term *term)
{
    for (size_t i = 0; i < term->pairs.n; i++)
        if (!rego_walk_term(walker, term->pairs.item[i].key) ||
            !rego_walk_term(walker, term->pairs.item[i].value))
            return false;
    return true;
}

static bool term_parts(struct rego_walker *walker, struct rego_term *term)
{
    switch (term->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_VAR:
        return true;
    case REGO_TERM_OBJECT:
        return pairs(walker, term);
    case REGO_TERM_ARRAY_COMPREHENSION:
    case REGO_TERM_SET_COMPREHENSION:
    case REGO_TERM_OBJECT_COMPREHENSION:
        return (!term->compr.key || rego_walk_term(walker, term->compr.key)) &&
               rego_walk_term(walker, term->compr.value) &&
               rego_walk_body(walker, term->compr.body);
    default:
        return terms(walker, term->parts.item, term->parts.n);
    }
}

bool rego_walk_term(struct rego_walker *walker, struct rego_term *term)
{
    enum rego_walk_next next = walker->term ? walker->term(walker, term) : REGO_WALK_IN;
    if (next != REGO_WALK_IN)
        return next == REGO_WALK_PAST;
    if (++walker->depth > REGO_WALK_DEPTH)
        return false;
    bool ok = term_parts(walker, term);
    walker->depth--;
    return ok;
}

static bool expr_parts(struct rego_walker *walker, const struct rego_expr *expr)
{
    switch (expr->kind) {
    case REGO_EXPR_SOME:
        return terms(walker, expr->some.symbol, expr->some.n);
    case REGO_EXPR_EVERY:
        return (!expr->every.key || rego_walk_term(walker, expr->every.key)) &&
               rego_walk_term(walker, expr->every.value) &&
               rego_walk_term(walker, expr->every.domain) &&
               rego_walk_body(walker, expr->every.body);
    case REGO_EXPR_LOGIC:
        return rego_walk_body(walker, expr->logic.left) &&
               rego_walk_body(walker, expr->logic.right);
    case REGO_EXPR_NOT_BODY:
        return rego_walk_body(walker, expr->body);
    default:
        return rego_walk_term(walker, expr->term);
    }
}

bool rego_walk_expr(struct rego_walker *walker, struct rego_expr *expr)
{
    enum rego_walk_next next = walker->expr ? walker->expr(walker, expr) : REGO_WALK_IN;
    if (next != REGO_WALK_IN)
        return next == REGO_WALK_PAST;
    if (++walker->depth > REGO_WALK_DEPTH)
        return false;
    bool ok = expr_parts(walker, expr);
    for (size_t i = 0; i < expr->nwith && ok; i++)
        ok = rego_walk_term(walker, expr->with[i].target) &&
             rego_walk_term(walker, expr->with[i].value);
    walker->depth--;
    return ok;
}

bool rego_walk_body(struct rego_walker *walker, const struct rego_body *body)
{
    for (size_t i = 0; i < body->n; i++)
        if (!rego_walk_expr(walker, body->expr[i]))
            return false;
    return true;
}

bool rego_walk_rule(struct rego_walker *walker, const struct rego_rule *rule)
{
    const struct rego_head *head = &rule->head;
    return (head->nref < 2 || terms(walker, head->ref + 1, head->nref - 1)) &&
           terms(walker, head->arg, head->narg) &&
           (!head->key || rego_walk_term(walker, head->key)) &&
           (!head->value || rego_walk_term(walker, head->value)) &&
           (!rule->body || rego_walk_body(walker, rule->body));
}
