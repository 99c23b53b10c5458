/* safety.c - the order in which the literals of a body can be evaluated: each after what binds its
 * variables.
 *
 * A literal waits for the variables that nothing binds yet, and for those of the bodies within it;
 * what it binds itself is a list of clauses (safety_needs.c). Of those that wait for nothing the
 * next one behind the last that was taken comes first, and the body is gone through again from its
 * start once there is none: OPA's order. All of it is undone at the end of a body, so that a body
 * within costs what it has, not what stands around it. Source: facts/rego.md 5.5; OPA's safety
 * check
 */
#include "lang/rego/safety.h"

#include <string.h>

bool rego_slots_make(struct rego_compiler *c, struct rego_slots *ret)
{
    ret->nwords = (c->variables.n + 63) / 64 + 1;
    ret->word = arena_new(c->arena, uint64_t, ret->nwords);
    c->out_of_memory |= !ret->word;
    return ret->word != NULL;
}

/* Steps of plans make more registers than there were. */
bool rego_slots_add(struct rego_compiler *c, struct rego_slots *set, uint32_t slot)
{
    if (slot / 64 >= set->nwords) {
        size_t n = slot / 64 + 4 > set->nwords * 2 ? slot / 64 + 4 : set->nwords * 2;
        uint64_t *grown = arena_new(c->arena, uint64_t, n);
        if (!grown) {
            c->out_of_memory = true;
            return false;
        }
        memcpy(grown, set->word, set->nwords * sizeof *grown);
        set->word = grown;
        set->nwords = n;
    }
    set->word[slot / 64] |= (uint64_t)1 << (slot % 64);
    return true;
}

/* --- complaints --- */

struct complaining {
    struct rego_safety *s;
    struct rego_slots told;
    bool any;
};

static bool known(const struct rego_safety *s, uint32_t slot)
{
    return s->slot[slot].bound || (s->out && s->slot[slot].out == s->out);
}

static bool complain(void *ctx, const struct rego_term *var)
{
    struct complaining *q = ctx;
    if (known(q->s, var->slot))
        return true;
    if (!q->told.word && !rego_slots_make(q->s->c, &q->told))
        return false;
    if (rego_slots_has(&q->told, var->slot))
        return true;
    struct str name = var->name;
    if (str_equal(name, STR(REGO_LOCAL_NAME)))
        return true;
    rego_complain(q->s->c, "rego_unsafe_var_error", var->place, "var %.*s is unsafe",
                  name.len && name.ptr[0] == '$' ? 1 : (int)name.len,
                  name.len && name.ptr[0] == '$' ? "_" : name.ptr);
    q->any = true;
    return rego_slots_add(q->s->c, &q->told, var->slot);
}

static bool complain_closure(void *ctx, const struct rego_term *var)
{
    struct complaining *q = ctx;
    return !q->s->slot[var->slot].outer || complain(ctx, var);
}

/* Of the literals that were never taken. */
static bool unsafe(struct rego_safety *s, const struct rego_body *body, size_t from,
                   uint32_t first_literal)
{
    struct complaining q = {.s = s};
    const struct rego_expr *any = NULL;
    for (size_t i = from; i < body->n; i++) {
        size_t literal = first_literal + i - from;
        struct rego_walk_vars own = {.visit = complain, .ctx = &q, .what = REGO_VARS_OWN},
                              closures = {
                                  .visit = complain_closure, .ctx = &q, .what = REGO_VARS_CLOSURES};
        if (s->literal[literal].taken)
            continue;
        any = any ? any : body->expr[i];
        if (!rego_needs_mark(s, literal) || !rego_walk_expr_vars(&own, body->expr[i]) ||
            !rego_walk_expr_vars(&closures, body->expr[i]))
            return false;
        s->out = 0;
    }
    if (any && !q.any)
        rego_complain(s->c, "rego_unsafe_var_error", any->place, "expression is unsafe");
    return true;
}

/* --- bodies within --- */

struct heads { /* where the parts of the head stand that a body is for */
    struct rego_term **const *place;
    size_t n;
};
static bool order(struct rego_safety *s, struct rego_body *body, struct heads heads);
static bool descend_term(struct rego_safety *s, struct rego_term *t);

static bool add_outer(void *ctx, const struct rego_term *var)
{
    return rego_safety_set(ctx, var->slot, REGO_UNDO_OUTER);
}

static bool add_out(void *ctx, const struct rego_term *var)
{
    return rego_safety_set(ctx, var->slot, REGO_UNDO_OUT);
}

/* The part of a head, its refs' outputs being known: what is not bound, and bodies within it. */
static bool head_part(struct rego_safety *s, struct complaining *q, const struct rego_term *t)
{
    struct rego_walk_vars check = {.visit = complain, .ctx = q, .what = REGO_VARS_OWN};
    return !t ||
           (rego_walk_term_vars(&check, t) && descend_term(s, (struct rego_term *)(uintptr_t)t));
}

/* Refs bind the variables among their keys, once their head is known. */
static bool ref_outputs(struct rego_safety *s, const struct rego_term *t)
{
    bool ok = true;
    if (!t)
        return true;
    if (t->kind == REGO_TERM_REF) {
        struct rego_walk_vars safe = {.visit = rego_is_known_var, .ctx = s, .what = REGO_VARS_OWN},
                              add = {.visit = add_out, .ctx = s, .what = REGO_VARS_OWN};
        for (size_t i = 0; i < t->parts.n && ok; i++)
            ok = ref_outputs(s, t->parts.item[i]);
        if (ok && rego_walk_term_vars(&safe, t->parts.item[0]))
            for (size_t i = 1; i < t->parts.n && ok; i++)
                ok = t->parts.item[i]->kind == REGO_TERM_CALL ||
                     rego_walk_term_vars(&add, t->parts.item[i]);
    } else if (t->kind == REGO_TERM_OBJECT) {
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = ref_outputs(s, t->pairs.item[i].key) && ref_outputs(s, t->pairs.item[i].value);
    } else if (t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_SET ||
               t->kind == REGO_TERM_CALL) {
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n && ok; i++)
            ok = ref_outputs(s, t->parts.item[i]);
    }
    return ok;
}

bool rego_is_known_var(void *ctx, const struct rego_term *var)
{
    return known(ctx, var->slot);
}

static bool inner_body(struct rego_safety *s, struct rego_body *body, struct rego_term **key_at,
                       struct rego_term **value_at)
{
    struct rego_term **const place[] = {key_at, value_at};
    struct rego_undone before = rego_safety_mark(s);
    size_t ndiags = s->c->diags->n;
    uint32_t out = s->out;
    s->out = 0;
    /* The variables of the head belong to the body's own. */
    struct rego_walk_vars own = {.visit = add_outer, .ctx = s, .what = REGO_VARS_OWN};
    if ((key_at && !rego_walk_term_vars(&own, *key_at)) ||
        (value_at && !rego_walk_term_vars(&own, *value_at)) ||
        !order(s, body, (struct heads){place, 2}))
        return false;
    const struct rego_term *key = key_at ? *key_at : NULL, *value = value_at ? *value_at : NULL;
    if (s->c->diags->n == ndiags) {
        struct complaining q = {.s = s};
        s->out = ++s->outs;
        if (!ref_outputs(s, key) || !head_part(s, &q, key) || !ref_outputs(s, value) ||
            !head_part(s, &q, value))
            return false;
    }
    rego_safety_undo(s, before);
    s->out = out;
    return true;
}

static bool descend_term(struct rego_safety *s, struct rego_term *t)
{
    bool ok = true;
    if (!t || ++s->depth > REGO_DEPTH_MAX)
        return true;
    switch (t->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_VAR:
        break;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = descend_term(s, t->pairs.item[i].key) && descend_term(s, t->pairs.item[i].value);
        break;
    case REGO_TERM_REF:
    case REGO_TERM_CALL:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        for (size_t i = 0; i < t->parts.n && ok; i++)
            ok = descend_term(s, t->parts.item[i]);
        break;
    default:
        ok = inner_body(s, t->compr.body, &t->compr.key, &t->compr.value);
        break;
    }
    s->depth--;
    return ok;
}

static bool descend_every(struct rego_safety *s, struct rego_expr *e)
{
    struct rego_undone before = rego_safety_mark(s);
    bool ok = descend_term(s, e->every.domain) &&
              rego_safety_set(s, e->every.value->slot, REGO_UNDO_BOUND) &&
              (!e->every.key || rego_safety_set(s, e->every.key->slot, REGO_UNDO_BOUND)) &&
              inner_body(s, e->every.body, NULL, NULL);
    rego_safety_undo(s, before);
    return ok;
}

static bool descend(struct rego_safety *s, struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++)
        if (!descend_term(s, e->with[i].value))
            return false;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        return e->some.symbol[0]->kind != REGO_TERM_CALL || descend_term(s, e->some.symbol[0]);
    case REGO_EXPR_EVERY:
        return descend_every(s, e);
    case REGO_EXPR_LOGIC:
        return inner_body(s, e->logic.left, NULL, NULL) &&
               inner_body(s, e->logic.right, NULL, NULL);
    case REGO_EXPR_NOT_BODY:
        return inner_body(s, e->body, NULL, NULL);
    default:
        return descend_term(s, e->term);
    }
}

/* --- order --- */

/* The literals as they are taken; the body's own list is left alone as long as it is the same. */
struct taking {
    struct rego_body *body;
    struct rego_expr **ordered; /* NULL: as written */
    size_t n;
};

static bool put(struct rego_safety *s, struct taking *t, size_t i)
{
    if (!t->ordered && i != t->n) {
        t->ordered = arena_new_raw(s->c->arena, struct rego_expr *, t->body->n);
        if (!t->ordered)
            return !(s->c->out_of_memory = true);
        memcpy(t->ordered, t->body->expr, t->n * sizeof *t->ordered);
    }
    if (t->ordered)
        t->ordered[t->n] = t->body->expr[i];
    t->n++;
    return true;
}

/* Variables that were made since. */
static bool more_slots(struct rego_safety *s)
{
    size_t n = s->c->variables.n;
    struct rego_safety_slot *grown =
        arena_grow(&s->scratch, s->slot, s->nslots, &s->slot_room, n + 1);
    if (!grown)
        return !(s->c->out_of_memory = true);
    memset(grown + s->nslots, 0, (n - s->nslots) * sizeof *grown);
    s->slot = grown;
    s->nslots = n;
    return true;
}

/* From the literal at `from` on calls stand by themselves, and are looked at again. */
static bool look_again(struct rego_safety *s, struct rego_body *body, size_t from,
                       struct rego_needs *needs, bool *ret_again)
{
    if (!rego_expand_rest(s->c, body, from, ret_again))
        return false;
    if (!*ret_again)
        return true;
    struct rego_body rest = {body->expr + from, body->n - from, body->place};
    rego_needs_forget(s, needs);
    return more_slots(s) && rego_needs_read(s, &rest, needs);
}

/*
 * What is left needs more than the body gives: refs of the head are literals of it, too, and bind
 * what they go through: xs[i] if i > 1. Those taken so far stand before.
 */
static bool look_at_heads(struct rego_safety *s, struct taking *taking, size_t first,
                          struct rego_needs *needs, struct heads heads, bool *ret_again)
{
    struct rego_body *body = taking->body;
    struct rego_body all = {arena_new(s->c->arena, struct rego_expr *, body->n), taking->n,
                            body->place};
    if (!all.expr)
        return !(s->c->out_of_memory = true);
    memcpy(all.expr, taking->ordered ? taking->ordered : body->expr, all.n * sizeof *all.expr);
    for (size_t i = first; i < body->n; i++)
        if (!s->literal[needs->first_literal + i - first].taken)
            all.expr[all.n++] = body->expr[i];
    if (!rego_expand_heads(s->c, &all, heads.place, heads.n, ret_again) || !*ret_again)
        return !s->c->out_of_memory;
    *body = all;
    taking->ordered = NULL;
    struct rego_body rest = {body->expr + taking->n, body->n - taking->n, body->place};
    rego_needs_forget(s, needs);
    return more_slots(s) && rego_needs_read(s, &rest, needs);
}

static bool order(struct rego_safety *s, struct rego_body *body, struct heads heads)
{
    if (++s->c->depth > REGO_DEPTH_MAX)
        return false;
    struct rego_needs needs;
    struct taking taking = {.body = body};
    size_t i, first = 0; /* first: of those that `needs` is about */
    bool again, expanded = false;
    if (!rego_needs_read(s, body, &needs))
        return false;
    while (taking.n < body->n) {
        bool any = rego_needs_next(s, &needs, &i);
        if (!expanded && (!any || i != taking.n || rego_needs_itself(s, &needs, i))) {
            expanded = true;
            if (!look_again(s, body, taking.n, &needs, &again))
                return false;
            first = again ? taking.n : 0;
            if (again)
                continue;
        }
        if (!any && heads.n) {
            if (!look_at_heads(s, &taking, first, &needs, heads, &again))
                return false;
            heads.n = 0;
            first = again ? taking.n : first;
            if (again)
                continue;
        }
        if (!any)
            break;
        if (!put(s, &taking, first + i) || !descend(s, body->expr[first + i]) ||
            !rego_needs_take(s, &needs, i))
            return false;
    }
    if (s->c->out_of_memory)
        return false;
    if (taking.n < body->n && !unsafe(s, body, first, needs.first_literal))
        return false;
    if (taking.n == body->n && taking.ordered)
        body->expr = taking.ordered;
    rego_needs_forget(s, &needs);
    s->c->depth--;
    return true;
}

/* What the head of a rule needs beyond what is bound; it may bind by its own refs. */
static bool safe_head(struct rego_safety *s, const struct rego_head *head)
{
    struct complaining q = {.s = s};
    s->out = ++s->outs;
    for (size_t i = 1; i < head->nref; i++)
        if (!ref_outputs(s, head->ref[i]))
            return false;
    if (!ref_outputs(s, head->key) || !ref_outputs(s, head->value))
        return false;
    for (size_t i = 1; i < head->nref; i++)
        if (!head_part(s, &q, head->ref[i]))
            return false;
    struct rego_walk_vars check = {.visit = complain, .ctx = &q, .what = REGO_VARS_OWN};
    return rego_walk_term_vars(&check, head->key) && rego_walk_term_vars(&check, head->value) &&
           descend_term(s, head->key) && descend_term(s, head->value);
}

static bool safe_one(struct rego_safety *s, struct rego_rule *rule)
{
    struct rego_head *head = &rule->head;
    size_t nplaces = head->nref + 2;
    struct rego_term ***place = arena_new(&s->scratch, struct rego_term **, nplaces);
    struct rego_undone before = rego_safety_mark(s);
    /* Variables of the head belong to the body: bodies within it see them. */
    struct rego_walk_vars own = {.visit = add_outer, .ctx = s, .what = REGO_VARS_OWN};
    bool ok = true;
    for (size_t i = 0; i < head->narg && ok; i++)
        ok = rego_bind_pattern(s, head->arg[i]) && rego_walk_term_vars(&own, head->arg[i]);
    for (size_t i = 1; i < head->nref && ok; i++)
        ok = rego_walk_term_vars(&own, head->ref[i]);
    ok = ok && rego_walk_term_vars(&own, head->key) && rego_walk_term_vars(&own, head->value);
    s->c->depth = 0;
    size_t ndiags = s->c->diags->n;
    if (!place)
        return !(s->c->out_of_memory = true);
    place[0] = &head->key;
    place[1] = &head->value;
    for (size_t i = 1; i < head->nref; i++)
        place[i + 1] = &head->ref[i];
    ok = ok && (!rule->body || order(s, rule->body, (struct heads){place, nplaces})) &&
         (s->c->diags->n > ndiags || safe_head(s, head));
    rego_safety_undo(s, before);
    s->out = 0;
    return ok;
}

static bool start(struct rego_safety *s, struct rego_compiler *c)
{
    *s = (struct rego_safety){.c = c, .scratch = {.limit = c->arena->limit}};
    s->slot = arena_new(&s->scratch, struct rego_safety_slot, c->variables.n);
    s->nslots = s->slot_room = c->variables.n;
    c->out_of_memory |= !s->slot;
    return s->slot != NULL;
}

bool rego_safe_rule(struct rego_compiler *c, struct rego_rule *rule)
{
    struct rego_safety s;
    bool ok = start(&s, c);
    for (; rule && ok; rule = rule->else_) {
        c->rule = rule;
        ok = safe_one(&s, rule);
    }
    arena_free(&s.scratch);
    return ok;
}

bool rego_safe_query(struct rego_compiler *c, struct rego_body *body, struct rego_slots *ret_bound)
{
    struct rego_safety s;
    bool ok = start(&s, c) && order(&s, body, (struct heads){0}) && rego_slots_make(c, ret_bound);
    for (uint32_t i = 0; i < c->variables.n && ok; i++)
        if (s.slot[i].bound)
            ok = rego_slots_add(c, ret_bound, i);
    arena_free(&s.scratch);
    return ok;
}
