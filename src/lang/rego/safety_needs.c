/* safety_needs.c - which variables each literal of a body waits for, and what it binds once it has
 * them.
 *
 * A literal has its variables; clauses say which of them it binds when others are known: `x = y`
 * is two, x by y and y by x. A variable that is bound, or given by a clause, counts down what waits
 * for it: all of it together costs as much as the body is long.
 */
#include <stdlib.h>
#include <string.h>

#include "lang/rego/safety.h"

/* --- walks --- */

static bool walk_body(struct rego_walk_vars *w, const struct rego_body *body);

bool rego_walk_term_vars(struct rego_walk_vars *w, const struct rego_term *t)
{
    bool ok = true;
    if (!t || ++w->depth > REGO_DEPTH_MAX)
        return true;
    w->steps++;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        break;
    case REGO_TERM_VAR:
        ok = t->slot == REGO_NO_SLOT || !(w->what & REGO_VARS_OWN) || w->visit(w->ctx, t);
        break;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = rego_walk_term_vars(w, t->pairs.item[i].key) &&
                 rego_walk_term_vars(w, t->pairs.item[i].value);
        break;
    case REGO_TERM_REF:
    case REGO_TERM_CALL:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n && ok; i++)
            ok = rego_walk_term_vars(w, t->parts.item[i]);
        break;
    default:
        w->closures = true;
        if (w->what & REGO_VARS_CLOSURES) {
            unsigned before = w->what;
            w->what = REGO_VARS_OWN | REGO_VARS_CLOSURES;
            ok = rego_walk_term_vars(w, t->compr.key) && rego_walk_term_vars(w, t->compr.value) &&
                 walk_body(w, t->compr.body);
            w->what = before;
        }
        break;
    }
    w->depth--;
    return ok;
}

static bool walk_closure(struct rego_walk_vars *w, const struct rego_body *body)
{
    w->closures = true;
    if (!(w->what & REGO_VARS_CLOSURES))
        return true;
    unsigned before = w->what;
    w->what = REGO_VARS_OWN | REGO_VARS_CLOSURES;
    bool ok = walk_body(w, body);
    w->what = before;
    return ok;
}

bool rego_walk_expr_vars(struct rego_walk_vars *w, const struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++)
        if (!rego_walk_term_vars(w, e->with[i].value))
            return false;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        if (e->some.symbol[0]->kind != REGO_TERM_CALL)
            return true;
        return rego_walk_term_vars(w, e->some.symbol[0]);
    case REGO_EXPR_EVERY:
        return rego_walk_term_vars(w, e->every.domain) && walk_closure(w, e->every.body);
    case REGO_EXPR_LOGIC:
        return walk_closure(w, e->logic.left) && walk_closure(w, e->logic.right);
    case REGO_EXPR_NOT_BODY:
        return walk_closure(w, e->body);
    default:
        return rego_walk_term_vars(w, e->term);
    }
}

static bool walk_body(struct rego_walk_vars *w, const struct rego_body *body)
{
    for (size_t i = 0; i < body->n; i++)
        if (!rego_walk_expr_vars(w, body->expr[i]))
            return false;
    return true;
}

/* --- what is bound --- */

static bool no_memory(struct rego_safety *s)
{
    s->c->out_of_memory = true;
    return false;
}

/* Room for one more on a stack of the state. */
#define PUSH(s, stack, n, room) \
    (((n) < (room) || \
      ((s)->stack = arena_grow(&(s)->scratch, (s)->stack, (n), &(room), (n) + 1))) || \
     no_memory(s))

struct rego_undone rego_safety_mark(const struct rego_safety *s)
{
    return (struct rego_undone){s->nundo};
}

void rego_safety_undo(struct rego_safety *s, struct rego_undone to)
{
    while (s->nundo > to.n) {
        const struct rego_undo_entry *e = &s->undo[--s->nundo];
        struct rego_safety_slot *slot = &s->slot[e->slot];
        if (e->what == REGO_UNDO_BOUND)
            slot->bound = false;
        else if (e->what == REGO_UNDO_OUTER)
            slot->outer = false;
        else
            slot->out = e->was;
    }
}

bool rego_safety_set(struct rego_safety *s, uint32_t at, enum rego_undo what)
{
    struct rego_safety_slot *slot = &s->slot[at];
    if (what == REGO_UNDO_BOUND   ? slot->bound
        : what == REGO_UNDO_OUTER ? slot->outer
                                  : slot->out == s->out)
        return true;
    if (!PUSH(s, undo, s->nundo, s->undo_room))
        return false;
    s->undo[s->nundo++] = (struct rego_undo_entry){at, slot->out, what};
    if (what == REGO_UNDO_BOUND)
        slot->bound = true;
    else if (what == REGO_UNDO_OUTER)
        slot->outer = true;
    else
        slot->out = s->out;
    return true;
}

bool rego_bind_pattern(struct rego_safety *s, const struct rego_term *t)
{
    bool ok = true;
    if (t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT)
        return rego_safety_set(s, t->slot, REGO_UNDO_BOUND);
    for (size_t i = 0; t->kind == REGO_TERM_ARRAY && i < t->parts.n && ok; i++)
        ok = rego_bind_pattern(s, t->parts.item[i]);
    for (size_t i = 0; t->kind == REGO_TERM_OBJECT && i < t->pairs.n && ok; i++)
        ok = rego_bind_pattern(s, t->pairs.item[i].value);
    return ok;
}

/* --- clauses --- */

/* A variable of the literal that is read: .own of its slot is where it is. */
static bool waits_for(void *ctx, const struct rego_term *t)
{
    struct rego_safety *s = ctx;
    struct rego_var *var = &s->var[s->slot[t->slot].own];
    if (!PUSH(s, edge, s->nedges, s->edge_room))
        return false;
    s->edge[s->nedges++] = (struct rego_edge){(uint32_t)s->nclauses - 1, var->waiting};
    var->waiting = (uint32_t)s->nedges;
    s->clause[s->nclauses - 1].unmet++;
    return true;
}

static bool gives(void *ctx, const struct rego_term *t)
{
    struct rego_safety *s = ctx;
    if (!PUSH(s, given, s->ngiven, s->given_room))
        return false;
    s->given[s->ngiven++] = s->slot[t->slot].own;
    s->clause[s->nclauses - 1].n++;
    return true;
}

/* The last clause waits for all variables of a term. */
static bool waits_for_all(struct rego_safety *s, const struct rego_term *t)
{
    struct rego_walk_vars w = {.visit = waits_for, .ctx = s, .what = REGO_VARS_OWN};
    return rego_walk_term_vars(&w, t);
}

/* What stands under `with` gives nothing before what is put in place is known. */
static bool new_clause(struct rego_safety *s)
{
    if (!PUSH(s, clause, s->nclauses, s->clause_room))
        return false;
    s->clause[s->nclauses++] = (struct rego_clause){.first = (uint32_t)s->ngiven};
    for (size_t i = 0; s->under && i < s->under->nwith; i++)
        if (!waits_for_all(s, s->under->with[i].value))
            return false;
    return true;
}

static bool gives_all(struct rego_safety *s, const struct rego_term *t)
{
    struct rego_walk_vars w = {.visit = gives, .ctx = s, .what = REGO_VARS_OWN};
    return rego_walk_term_vars(&w, t) && rego_afford(s->c, w.steps);
}

static bool gives_pattern(struct rego_safety *s, const struct rego_term *t)
{
    bool ok = true;
    if (t->kind == REGO_TERM_VAR)
        return t->slot == REGO_NO_SLOT || gives(s, t);
    for (size_t i = 0; t->kind == REGO_TERM_ARRAY && i < t->parts.n && ok; i++)
        ok = gives_pattern(s, t->parts.item[i]);
    for (size_t i = 0; t->kind == REGO_TERM_OBJECT && i < t->pairs.n && ok; i++)
        ok = gives_pattern(s, t->pairs.item[i].value);
    return ok;
}

/* Refs bind the variables among their keys, once their head is known. */
static bool ref_clauses(struct rego_safety *s, const struct rego_term *t)
{
    bool ok = true;
    if (t->kind == REGO_TERM_OBJECT) {
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = ref_clauses(s, t->pairs.item[i].key) && ref_clauses(s, t->pairs.item[i].value);
    } else if (t->kind == REGO_TERM_REF || t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_SET ||
               t->kind == REGO_TERM_CALL) {
        bool keys = false;
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n && ok; i++) {
            ok = ref_clauses(s, t->parts.item[i]);
            keys |= i > 0 && t->parts.item[i]->kind != REGO_TERM_VALUE;
        }
        if (t->kind != REGO_TERM_REF || !keys)
            return ok;
        ok = ok && new_clause(s) && waits_for_all(s, t->parts.item[0]);
        for (size_t i = 1; i < t->parts.n && ok; i++)
            ok = t->parts.item[i]->kind == REGO_TERM_CALL || gives_all(s, t->parts.item[i]);
    }
    return ok;
}

static bool is_pattern(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR || t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_OBJECT;
}

/* What a pattern stands beside may bind its variables. Collections as written are taken apart
 * instead; of comprehensions OPA takes some and not others, by the side that they are on. */
static bool may_bind(const struct rego_term *pattern, const struct rego_term *other, bool left)
{
    switch (other->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_SET:
    case REGO_TERM_ARRAY:
    case REGO_TERM_OBJECT:
        return pattern->kind == REGO_TERM_VAR;
    case REGO_TERM_ARRAY_COMPREHENSION:
        return pattern->kind == REGO_TERM_VAR || pattern->kind == REGO_TERM_ARRAY;
    case REGO_TERM_SET_COMPREHENSION:
        return pattern->kind == REGO_TERM_VAR || (left && pattern->kind == REGO_TERM_ARRAY);
    case REGO_TERM_OBJECT_COMPREHENSION:
        return pattern->kind == REGO_TERM_VAR ||
               pattern->kind == (left ? REGO_TERM_ARRAY : REGO_TERM_OBJECT);
    default:
        return is_pattern(pattern);
    }
}

/* The pairs of an object by key, those of one key as written; only constants and variables. */
struct keyed {
    const struct rego_term_pair *pair;
};

static bool is_key(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VALUE || t->kind == REGO_TERM_VAR;
}

static int compare_keys(const struct rego_term *a, const struct rego_term *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == REGO_TERM_VALUE)
        return rego_compare(&a->value, &b->value);
    return (a->slot > b->slot) - (a->slot < b->slot);
}

static int compare_keyed(const void *a, const void *b)
{
    const struct rego_term_pair *x = ((const struct keyed *)a)->pair,
                                *y = ((const struct keyed *)b)->pair;
    int c = compare_keys(x->key, y->key);
    return c ? c : (x > y) - (x < y);
}

static const struct rego_term *value_of(const struct keyed *keyed, size_t n,
                                        const struct rego_term *key)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(keyed[middle].pair->key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && compare_keys(keyed[low].pair->key, key) == 0 ? keyed[low].pair->value : NULL;
}

static bool unify(struct rego_safety *s, const struct rego_term *a, const struct rego_term *b,
                  bool assign);

static bool unify_objects(struct rego_safety *s, const struct rego_term *a,
                          const struct rego_term *b, bool assign)
{
    size_t n = 0;
    bool ok = true;
    struct keyed *keyed = arena_new_raw(&s->scratch, struct keyed, b->pairs.n);
    if (!keyed)
        return no_memory(s);
    for (size_t i = 0; i < b->pairs.n; i++)
        if (is_key(b->pairs.item[i].key))
            keyed[n++].pair = &b->pairs.item[i];
    if (n > 1)
        qsort(keyed, n, sizeof *keyed, compare_keyed);
    for (size_t i = 0; i < a->pairs.n && ok; i++) {
        const struct rego_term_pair *pair = &a->pairs.item[i];
        const struct rego_term *other = is_key(pair->key) ? value_of(keyed, n, pair->key) : NULL;
        ok = !other || unify(s, pair->value, other, assign);
    }
    return ok && rego_afford(s->c, n);
}

/* assign: the last clause waits for all of b, and a alone is given. */
static bool unify(struct rego_safety *s, const struct rego_term *a, const struct rego_term *b,
                  bool assign)
{
    bool ok = true;
    if (a->kind == REGO_TERM_ARRAY && b->kind == REGO_TERM_ARRAY && a->parts.n == b->parts.n) {
        for (size_t i = 0; i < a->parts.n && ok; i++)
            ok = unify(s, a->parts.item[i], b->parts.item[i], assign);
        return ok;
    }
    if (a->kind == REGO_TERM_OBJECT && b->kind == REGO_TERM_OBJECT && a->pairs.n == b->pairs.n)
        return unify_objects(s, a, b, assign);
    if (may_bind(a, b, true))
        ok = (assign || (new_clause(s) && waits_for_all(s, b))) && gives_pattern(s, a);
    if (ok && !assign && may_bind(b, a, false))
        ok = new_clause(s) && waits_for_all(s, a) && gives_pattern(s, b);
    return ok;
}

static bool is_operator(const struct rego_term *call, const char *name)
{
    const struct rego_term *op = call->parts.item[0];
    return op->kind == REGO_TERM_VAR && str_equal(op->name, str_from(name));
}

/* The number of arguments that the called thing takes; SIZE_MAX if there is no such thing. */
static size_t arity(struct rego_compiler *c, const struct rego_term *operator_)
{
    const struct rego_node *node = rego_operator_node(c, operator_);
    if (node)
        return node->narg;
    const struct rego_builtin *builtin = rego_known_builtin(c, rego_operator_name(c, operator_));
    const struct rego_signature *signature =
        builtin ? rego_signature_of(c, builtin->signature) : NULL;
    return !signature || signature->variadic ? SIZE_MAX : signature->nargs;
}

static bool call_clauses(struct rego_safety *s, const struct rego_term *call)
{
    size_t n = call->parts.n;
    bool ok = true;
    if (n == 3 && is_operator(call, "eq"))
        return unify(s, call->parts.item[1], call->parts.item[2], false);
    if (n == 3 && is_operator(call, "assign"))
        return new_clause(s) && waits_for_all(s, call->parts.item[2]) &&
               unify(s, call->parts.item[1], call->parts.item[2], true);
    if (n < 2 || !is_pattern(call->parts.item[n - 1]) || (n == 3 && is_operator(call, "equal")) ||
        arity(s->c, call->parts.item[0]) != n - 2)
        return true;
    ok = new_clause(s);
    for (size_t i = 1; i + 1 < n && ok; i++)
        ok = waits_for_all(s, call->parts.item[i]);
    return ok && gives_pattern(s, call->parts.item[n - 1]);
}

/* some k, v in xs */
static bool some_clauses(struct rego_safety *s, const struct rego_term *member)
{
    size_t n = member->parts.n;
    bool ok =
        ref_clauses(s, member) && new_clause(s) && waits_for_all(s, member->parts.item[n - 1]);
    for (size_t i = 1; i + 1 < n && ok; i++)
        ok = gives_pattern(s, member->parts.item[i]);
    return ok;
}

static bool clauses(struct rego_safety *s, const struct rego_expr *e)
{
    if (e->negated)
        return true;
    for (size_t i = 0; i < e->nwith; i++)
        if (!ref_clauses(s, e->with[i].value))
            return false;
    s->under = e->nwith ? e : NULL;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        return e->some.symbol[0]->kind != REGO_TERM_CALL || some_clauses(s, e->some.symbol[0]);
    case REGO_EXPR_EVERY:
        return ref_clauses(s, e->every.domain);
    case REGO_EXPR_TERM:
        return ref_clauses(s, e->term);
    case REGO_EXPR_CALL:
        return ref_clauses(s, e->term) && call_clauses(s, e->term);
    default:
        return true;
    }
}

/* --- literals --- */

static bool add_var(struct rego_safety *s, uint32_t at, struct rego_var var)
{
    struct rego_safety_slot *slot = &s->slot[at];
    if (!PUSH(s, var, s->nvars, s->var_room))
        return false;
    slot->stamp = s->stamps;
    slot->own = (uint32_t)s->nvars;
    var.slot = at;
    var.next = slot->var;
    s->var[s->nvars++] = var;
    slot->var = (uint32_t)s->nvars;
    return true;
}

/* Of the literal that was added last. */
static bool own_var(void *ctx, const struct rego_term *t)
{
    struct rego_safety *s = ctx;
    struct rego_safety_slot *slot = &s->slot[t->slot];
    uint32_t literal = (uint32_t)s->nliterals - 1;
    if (slot->stamp == s->stamps)
        return s->var[slot->own].repeated = true;
    s->literal[literal].own++;
    bool made_outer = !slot->outer;
    slot->outer = true;
    return add_var(s, t->slot,
                   (struct rego_var){.literal = literal, .own = true, .made_outer = made_outer});
}

struct closures {
    struct rego_safety *s;
    uint32_t literal;
};

/* A variable of a body within the literal: needed if the bodies around know it too. */
static bool closure_var(void *ctx, const struct rego_term *t)
{
    struct closures *in = ctx;
    struct rego_safety *s = in->s;
    struct rego_safety_slot *slot = &s->slot[t->slot];
    if (!slot->outer)
        return true;
    if (slot->stamp != s->stamps)
        return ++s->literal[in->literal].closure &&
               add_var(s, t->slot, (struct rego_var){.literal = in->literal, .closure = true});
    s->literal[in->literal].closure += !s->var[slot->own].closure;
    s->var[slot->own].closure = s->var[slot->own].repeated = true;
    return true;
}

static bool read_closures(struct rego_safety *s, uint32_t literal, const struct rego_expr *e)
{
    const struct rego_literal *l = &s->literal[literal];
    struct closures in = {s, literal};
    struct rego_walk_vars w = {.visit = closure_var, .ctx = &in, .what = REGO_VARS_CLOSURES};
    s->stamps++;
    for (uint32_t i = l->first_var; i < l->first_var + l->nvars; i++) {
        s->slot[s->var[i].slot].stamp = s->stamps;
        s->slot[s->var[i].slot].own = i;
    }
    return rego_walk_expr_vars(&w, e) && rego_afford(s->c, w.steps);
}

static bool read_literal(struct rego_safety *s, const struct rego_expr *e, bool *closures)
{
    struct rego_walk_vars own = {.visit = own_var, .ctx = s, .what = REGO_VARS_OWN};
    if (!PUSH(s, literal, s->nliterals, s->literal_room))
        return false;
    s->stamps++;
    s->literal[s->nliterals++] =
        (struct rego_literal){.first_var = (uint32_t)s->nvars, .every = e->kind == REGO_EXPR_EVERY};
    if (!rego_walk_expr_vars(&own, e))
        return false;
    struct rego_literal *l = &s->literal[s->nliterals - 1];
    l->nvars = (uint32_t)s->nvars - l->first_var;
    *closures |= own.closures;
    bool ok = clauses(s, e) && rego_afford(s->c, own.steps + 1);
    s->under = NULL;
    return ok;
}

/* --- what becomes known --- */

static bool before(const struct rego_ready *a, const struct rego_ready *b)
{
    return a->pass != b->pass ? a->pass < b->pass : a->literal < b->literal;
}

/* A literal that waits for nothing more: looked at in this pass if it lies ahead. */
static void queue(struct rego_safety *s, struct rego_needs *needs, uint32_t literal)
{
    struct rego_literal *l = &s->literal[literal];
    if (l->own || l->closure || l->queued)
        return;
    l->queued = true;
    struct rego_ready *heap = s->ready + needs->first_ready, one = {needs->pass, literal};
    one.pass += literal - needs->first_literal < needs->after;
    size_t at = needs->nready++;
    for (; at > 0 && before(&one, &heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
    heap[at] = one;
}

static bool push_todo(struct rego_safety *s, uint32_t var)
{
    if (!PUSH(s, todo, s->ntodo, s->todo_room))
        return false;
    s->todo[s->ntodo++] = var;
    return true;
}

static bool fire(struct rego_safety *s, const struct rego_clause *clause)
{
    for (uint32_t i = clause->first; i < clause->first + clause->n; i++)
        if (!s->var[s->given[i]].known && !push_todo(s, s->given[i]))
            return false;
    return true;
}

static bool spread(struct rego_safety *s, struct rego_needs *needs)
{
    while (s->ntodo) {
        struct rego_var *var = &s->var[s->todo[--s->ntodo]];
        struct rego_literal *l = &s->literal[var->literal];
        if (var->known)
            continue;
        var->known = true;
        l->own -= var->own;
        l->closure -= var->closure && l->every;
        for (uint32_t e = var->waiting; e; e = s->edge[e - 1].next) {
            struct rego_clause *clause = &s->clause[s->edge[e - 1].clause];
            if (--clause->unmet == 0 && !fire(s, clause))
                return false;
        }
        queue(s, needs, var->literal);
    }
    return true;
}

/* A variable is bound: the bodies within a literal see that, what the literal itself binds only
 * those of `every`. */
static bool arrive(struct rego_safety *s, struct rego_needs *needs, uint32_t at)
{
    struct rego_var *var = &s->var[at];
    struct rego_literal *l = &s->literal[var->literal];
    if (var->closure && !l->every) {
        l->closure--;
        queue(s, needs, var->literal);
    }
    return var->known || push_todo(s, at);
}

bool rego_needs_read(struct rego_safety *s, const struct rego_body *body, struct rego_needs *ret)
{
    bool closures = false;
    *ret = (struct rego_needs){
        .first_literal = (uint32_t)s->nliterals,
        .nliterals = (uint32_t)body->n,
        .first_var = (uint32_t)s->nvars,
        .first_edge = (uint32_t)s->nedges,
        .first_clause = (uint32_t)s->nclauses,
        .first_given = (uint32_t)s->ngiven,
        .first_ready = (uint32_t)s->nready,
    };
    s->ready =
        arena_grow(&s->scratch, s->ready, s->nready, &s->ready_room, s->nready + body->n + 1);
    if (!s->ready)
        return no_memory(s);
    s->nready += body->n;
    for (size_t i = 0; i < body->n; i++)
        if (!read_literal(s, body->expr[i], &closures))
            return false;
    for (size_t i = 0; i < body->n && closures; i++)
        if (!read_closures(s, ret->first_literal + (uint32_t)i, body->expr[i]))
            return false;
    for (size_t i = ret->first_clause; i < s->nclauses; i++)
        if (!s->clause[i].unmet && !fire(s, &s->clause[i]))
            return false;
    for (uint32_t i = ret->first_var; i < s->nvars; i++)
        if (s->slot[s->var[i].slot].bound && !arrive(s, ret, i))
            return false;
    for (uint32_t i = ret->first_literal; i < s->nliterals; i++)
        queue(s, ret, i);
    return spread(s, ret);
}

bool rego_needs_itself(const struct rego_safety *s, const struct rego_needs *needs, size_t literal)
{
    const struct rego_literal *l = &s->literal[needs->first_literal + literal];
    for (uint32_t i = l->first_var; i < l->first_var + l->nvars; i++)
        if (s->var[i].repeated && !s->slot[s->var[i].slot].bound)
            return true;
    return false;
}

bool rego_needs_next(struct rego_safety *s, struct rego_needs *needs, size_t *ret)
{
    struct rego_ready *heap = s->ready + needs->first_ready;
    if (!needs->nready)
        return false;
    needs->pass = heap[0].pass;
    *ret = heap[0].literal - needs->first_literal;
    needs->after = (uint32_t)*ret + 1;
    s->literal[heap[0].literal].taken = true;
    struct rego_ready one = heap[--needs->nready];
    size_t at = 0, child;
    for (; (child = 2 * at + 1) < needs->nready; at = child) {
        child += child + 1 < needs->nready && before(&heap[child + 1], &heap[child]);
        if (!before(&heap[child], &one))
            break;
        heap[at] = heap[child];
    }
    heap[at] = one;
    return true;
}

bool rego_needs_take(struct rego_safety *s, struct rego_needs *needs, size_t literal)
{
    const struct rego_literal *l = &s->literal[needs->first_literal + literal];
    for (uint32_t i = l->first_var; i < l->first_var + l->nvars; i++) {
        uint32_t slot = s->var[i].slot;
        if (s->slot[slot].bound)
            continue;
        if (!rego_safety_set(s, slot, REGO_UNDO_BOUND))
            return false;
        for (uint32_t v = s->slot[slot].var; v > needs->first_var; v = s->var[v - 1].next)
            if (!arrive(s, needs, v - 1))
                return false;
        if (!spread(s, needs))
            return false;
    }
    return true;
}

bool rego_needs_mark(struct rego_safety *s, size_t literal)
{
    const struct rego_literal *l = &s->literal[literal];
    s->out = ++s->outs;
    for (uint32_t i = l->first_var; i < l->first_var + l->nvars; i++)
        if (s->var[i].known && !rego_safety_set(s, s->var[i].slot, REGO_UNDO_OUT))
            return false;
    return true;
}

void rego_needs_forget(struct rego_safety *s, const struct rego_needs *needs)
{
    while (s->nvars > needs->first_var) {
        const struct rego_var *var = &s->var[--s->nvars];
        s->slot[var->slot].var = var->next;
        if (var->made_outer)
            s->slot[var->slot].outer = false;
    }
    s->nliterals = needs->first_literal;
    s->nedges = needs->first_edge;
    s->nclauses = needs->first_clause;
    s->ngiven = needs->first_given;
    s->nready = needs->first_ready;
}
