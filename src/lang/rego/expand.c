/* expand.c - calls within a literal as literals of their own, before it.
 *
 * For the order of a body it then counts what each call needs, not what the whole literal does, and
 * what an equation binds before the call is known is compared with it: [x, f(y)] = [y, 1]. Where
 * every literal can be taken as it comes and nothing in it is bound by another part of it this
 * makes no difference, and safety.c leaves the body as it is. Source: OPA's stages "rewrite
 * expression terms" and "rewrite with values"
 */
#include "lang/rego/safety.h"

#include <string.h>

struct expanding {
    struct rego_compiler *c;
    struct rego_expr **list;
    size_t n, room, pulled;
    const struct rego_expr *of; /* what is taken apart */
    bool with;                  /* what is pulled is evaluated under its `with` */
};

static bool out_of_memory(struct rego_compiler *c)
{
    c->out_of_memory = true;
    return false;
}

struct rego_expr *rego_make_equation(struct rego_compiler *c, struct rego_term *var,
                                     struct rego_term *value)
{
    struct rego_term **parts = arena_new(c->arena, struct rego_term *, 3);
    struct rego_expr *expr = arena_new(c->arena, struct rego_expr, 1);
    struct rego_term *term = arena_new(c->arena, struct rego_term, 2);
    if (!parts || !expr || !term) {
        c->out_of_memory = true;
        return NULL;
    }
    term[0] = (struct rego_term){.kind = REGO_TERM_VAR, .place = value->place};
    term[0].name = STR("eq");
    term[0].slot = REGO_NO_SLOT;
    parts[0] = &term[0];
    parts[1] = var;
    parts[2] = value;
    term[1] = (struct rego_term){.kind = REGO_TERM_CALL, .place = value->place};
    term[1].parts.item = parts;
    term[1].parts.n = 3;
    *expr = (struct rego_expr){
        .kind = REGO_EXPR_CALL, .place = value->place, .index = REGO_NO_INDEX, .term = &term[1]};
    return expr;
}

static bool add(struct expanding *q, struct rego_expr *expr)
{
    q->list = arena_grow(q->c->arena, q->list, q->n, &q->room, q->n + 1);
    if (!q->list || !expr)
        return out_of_memory(q->c);
    q->list[q->n++] = expr;
    return rego_afford(q->c, 1);
}

/* The term becomes a variable, which a literal of its own gives its value. */
static bool pull_out(struct expanding *q, struct rego_term **t)
{
    struct rego_term *var = arena_new(q->c->arena, struct rego_term, 1);
    if (!var)
        return out_of_memory(q->c);
    *var = (struct rego_term){.kind = REGO_TERM_VAR, .place = (*t)->place};
    var->name = STR(REGO_LOCAL_NAME);
    var->slot = rego_new_slot(q->c, var->name, var->place, true);
    struct rego_expr *expr = rego_make_equation(q->c, var, *t);
    if (expr && q->with) {
        expr->with = q->of->with;
        expr->nwith = q->of->nwith;
    }
    *t = var;
    q->pulled++;
    return add(q, expr);
}

static bool is_list(const struct rego_term *t)
{
    return t->kind == REGO_TERM_REF || t->kind == REGO_TERM_CALL || t->kind == REGO_TERM_ARRAY ||
           t->kind == REGO_TERM_SET;
}

/* Calls within it, those within calls first; bodies within are taken apart by themselves. */
static bool pull_within(struct expanding *q, struct rego_term *t, unsigned depth_left);

static bool pull(struct expanding *q, struct rego_term **t, unsigned depth_left)
{
    return pull_within(q, *t, depth_left) &&
           (((*t)->kind != REGO_TERM_CALL && (*t)->kind != REGO_TERM_TEMPLATE) || pull_out(q, t));
}

static bool pull_within(struct expanding *q, struct rego_term *t, unsigned depth_left)
{
    bool ok = depth_left > 0;
    for (size_t i = t->kind == REGO_TERM_CALL; is_list(t) && i < t->parts.n && ok; i++)
        ok = pull(q, &t->parts.item[i], depth_left - 1);
    for (size_t i = 0; t->kind == REGO_TERM_OBJECT && i < t->pairs.n && ok; i++)
        ok = pull(q, &t->pairs.item[i].key, depth_left - 1) &&
             pull(q, &t->pairs.item[i].value, depth_left - 1);
    if (t->kind == REGO_TERM_REF && ok && t->parts.item[0]->kind != REGO_TERM_VAR)
        ok = pull_out(q, &t->parts.item[0]);
    return ok;
}

static bool is_equation(const struct rego_term *call)
{
    const struct rego_term *op = call->parts.item[0];
    return call->parts.n == 3 && op->kind == REGO_TERM_VAR &&
           (str_equal(op->name, STR("eq")) || str_equal(op->name, STR("assign")));
}

static bool is_plain(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR || t->kind == REGO_TERM_VALUE;
}

static bool pull_call(struct expanding *q, const struct rego_expr *e)
{
    struct rego_term *t = e->term, **part = t->parts.item;
    bool ok = true;
    if (part[0]->kind == REGO_TERM_VAR && str_equal(part[0]->name, STR("print")))
        return true;
    /* x = f(y) is what the others become. */
    if (!e->negated && is_equation(t) && (is_plain(part[1]) || is_plain(part[2])))
        return pull_within(q, part[1], REGO_DEPTH_MAX) && pull_within(q, part[2], REGO_DEPTH_MAX);
    for (size_t i = 1; i < t->parts.n && ok; i++)
        ok = pull(q, &part[i], REGO_DEPTH_MAX);
    return ok;
}

/* What `with` puts in place is evaluated before, but for names of functions. */
static bool pull_with(struct expanding *q, struct rego_with *with)
{
    struct rego_term *t = with->value;
    bool keys = false;
    if (!pull(q, &with->value, REGO_DEPTH_MAX))
        return false;
    for (size_t i = 1; t->kind == REGO_TERM_REF && i < t->parts.n; i++)
        keys |= t->parts.item[i]->kind != REGO_TERM_VALUE;
    return is_plain(with->value) || (t->kind == REGO_TERM_REF && !keys) ||
           pull_out(q, &with->value);
}

static bool expand_literal(struct expanding *q, struct rego_expr *e)
{
    bool ok = true;
    q->of = e;
    q->with = false;
    for (size_t i = 0; i < e->nwith && ok; i++)
        ok = pull_with(q, &e->with[i]);
    q->with = e->nwith > 0;
    if (ok && e->kind == REGO_EXPR_TERM)
        ok = pull_within(q, e->term, REGO_DEPTH_MAX);
    else if (ok && e->kind == REGO_EXPR_CALL)
        ok = pull_call(q, e);
    else if (ok && e->kind == REGO_EXPR_EVERY)
        ok = pull(q, &e->every.domain, REGO_DEPTH_MAX);
    else if (ok && e->kind == REGO_EXPR_SOME && e->some.symbol[0]->kind == REGO_TERM_CALL)
        ok = pull_within(q, e->some.symbol[0], REGO_DEPTH_MAX);
    return ok && add(q, e);
}

bool rego_expand_rest(struct rego_compiler *c, struct rego_body *body, size_t from, bool *ret_any)
{
    struct expanding q = {.c = c};
    for (size_t i = 0; i < body->n; i++)
        if (!(i < from ? add(&q, body->expr[i]) : expand_literal(&q, body->expr[i])))
            return false;
    *ret_any = q.pulled > 0;
    if (q.pulled) {
        body->expr = q.list;
        body->n = q.n;
    }
    return true;
}

bool rego_expand_heads(struct rego_compiler *c, struct rego_body *body,
                       struct rego_term **const *place, size_t n, bool *ret_any)
{
    struct expanding q = {.c = c};
    bool ok = true;
    for (size_t i = 0; i < body->n && ok; i++)
        ok = add(&q, body->expr[i]);
    for (size_t i = 0; i < n && ok; i++)
        if (place[i] && *place[i] && !is_plain(*place[i]))
            ok = pull(&q, place[i], REGO_DEPTH_MAX) &&
                 (is_plain(*place[i]) || pull_out(&q, place[i]));
    *ret_any = q.pulled > 0;
    if (ok && q.pulled) {
        body->expr = q.list;
        body->n = q.n;
    }
    return ok;
}
