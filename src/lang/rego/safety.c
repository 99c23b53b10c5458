/* safety.c - the order in which the literals of a body can be evaluated: each after what binds its
 * variables.
 *
 * Source: facts/rego.md 5.5; OPA's safety check
 */
#include <string.h>

#include "lang/rego/policy.h"

struct checking {
    struct rego_compiler *c;
    struct rego_slots *bound;       /* so far */
    const struct rego_slots *outer; /* variables of this body and of those around it */
    struct rego_slots out;          /* of the literal looked at */
    unsigned depth;
};

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
        size_t n = slot / 64 + 4;
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

static bool copy(struct rego_compiler *c, struct rego_slots *ret, const struct rego_slots *from)
{
    if (!rego_slots_make(c, ret))
        return false;
    for (size_t i = 0; i < from->nwords && i < ret->nwords; i++)
        ret->word[i] = from->word[i];
    return true;
}

static void merge(struct rego_slots *into, const struct rego_slots *from)
{
    for (size_t i = 0; i < from->nwords && i < into->nwords; i++)
        into->word[i] |= from->word[i];
}

/* --- which variables --- */

typedef bool visit_fn(void *ctx, const struct rego_term *var);

enum { OWN = 1, CLOSURES = 2 };
struct walk {
    visit_fn *visit;
    void *ctx;
    unsigned what; /* variables of the literal itself, of the bodies within it */
    unsigned depth;
};
static bool walk_body(struct walk *w, const struct rego_body *body);

static bool walk_term(struct walk *w, const struct rego_term *t)
{
    bool ok = true;
    if (!t || ++w->depth > REGO_DEPTH_MAX)
        return true;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        break;
    case REGO_TERM_VAR:
        ok = t->slot == REGO_NO_SLOT || !(w->what & OWN) || w->visit(w->ctx, t);
        break;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = walk_term(w, t->pairs.item[i].key) && walk_term(w, t->pairs.item[i].value);
        break;
    case REGO_TERM_REF:
    case REGO_TERM_CALL:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n && ok; i++)
            ok = walk_term(w, t->parts.item[i]);
        break;
    default:
        if (w->what & CLOSURES) {
            unsigned before = w->what;
            w->what = OWN | CLOSURES;
            ok = walk_term(w, t->compr.key) && walk_term(w, t->compr.value) &&
                 walk_body(w, t->compr.body);
            w->what = before;
        }
        break;
    }
    w->depth--;
    return ok;
}

static bool walk_closure(struct walk *w, const struct rego_body *body)
{
    if (!(w->what & CLOSURES))
        return true;
    unsigned before = w->what;
    w->what = OWN | CLOSURES;
    bool ok = walk_body(w, body);
    w->what = before;
    return ok;
}

static bool walk_expr(struct walk *w, const struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++)
        if (!walk_term(w, e->with[i].value))
            return false;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        if (e->some.symbol[0]->kind != REGO_TERM_CALL)
            return true;
        return walk_term(w, e->some.symbol[0]);
    case REGO_EXPR_EVERY:
        return walk_term(w, e->every.domain) && walk_closure(w, e->every.body);
    case REGO_EXPR_LOGIC:
        return walk_closure(w, e->logic.left) && walk_closure(w, e->logic.right);
    case REGO_EXPR_NOT_BODY:
        return walk_closure(w, e->body);
    default:
        return walk_term(w, e->term);
    }
}

static bool walk_body(struct walk *w, const struct rego_body *body)
{
    for (size_t i = 0; i < body->n; i++)
        if (!walk_expr(w, body->expr[i]))
            return false;
    return true;
}

static bool add_bound(void *ctx, const struct rego_term *var)
{
    struct checking *k = ctx;
    return rego_slots_add(k->c, &k->out, var->slot);
}

static bool known(const struct checking *k, uint32_t slot)
{
    return rego_slots_has(k->bound, slot) || rego_slots_has(&k->out, slot);
}

static bool is_known(void *ctx, const struct rego_term *var)
{
    return known(ctx, var->slot);
}

static bool safe(struct checking *k, const struct rego_term *t)
{
    struct walk w = {is_known, k, OWN, 0};
    return walk_term(&w, t);
}

static bool add_all(struct checking *k, const struct rego_term *t)
{
    struct walk w = {add_bound, k, OWN, 0};
    return walk_term(&w, t);
}

/* --- outputs of a literal --- */

/* Refs bind the variables among their keys, once their head is known. */
static void ref_outputs(struct checking *k, const struct rego_term *t)
{
    if (!t || ++k->depth > REGO_DEPTH_MAX)
        return;
    if (t->kind == REGO_TERM_REF) {
        const struct rego_term *head = t->parts.item[0];
        ref_outputs(k, head);
        for (size_t i = 1; i < t->parts.n; i++)
            ref_outputs(k, t->parts.item[i]);
        if (safe(k, head))
            for (size_t i = 1; i < t->parts.n; i++)
                if (t->parts.item[i]->kind != REGO_TERM_CALL)
                    (void)add_all(k, t->parts.item[i]);
    } else if (t->kind == REGO_TERM_OBJECT) {
        for (size_t i = 0; i < t->pairs.n; i++) {
            ref_outputs(k, t->pairs.item[i].key);
            ref_outputs(k, t->pairs.item[i].value);
        }
    } else if (t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_SET ||
               t->kind == REGO_TERM_CALL) {
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n; i++)
            ref_outputs(k, t->parts.item[i]);
    }
    k->depth--;
}

static bool is_pattern(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR || t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_OBJECT;
}

/* Variables that a pattern binds: not those in keys of objects, in sets, refs or calls. */
static void pattern_outputs(struct checking *k, const struct rego_term *t)
{
    if (++k->depth > REGO_DEPTH_MAX)
        return;
    if (t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT)
        (void)rego_slots_add(k->c, &k->out, t->slot);
    if (t->kind == REGO_TERM_ARRAY)
        for (size_t i = 0; i < t->parts.n; i++)
            pattern_outputs(k, t->parts.item[i]);
    if (t->kind == REGO_TERM_OBJECT)
        for (size_t i = 0; i < t->pairs.n; i++)
            pattern_outputs(k, t->pairs.item[i].value);
    k->depth--;
}

static const struct rego_term *value_of(const struct rego_term *object, const struct rego_term *key)
{
    for (size_t i = 0; i < object->pairs.n; i++) {
        const struct rego_term *other = object->pairs.item[i].key;
        bool same = other->kind == REGO_TERM_VALUE && key->kind == REGO_TERM_VALUE
                        ? rego_equal(&other->value, &key->value)
                        : other->kind == REGO_TERM_VAR && key->kind == REGO_TERM_VAR &&
                              other->slot == key->slot;
        if (same)
            return object->pairs.item[i].value;
    }
    return NULL;
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

static void unify(struct checking *k, const struct rego_term *a, const struct rego_term *b)
{
    if (++k->depth > REGO_DEPTH_MAX)
        return;
    if (a->kind == REGO_TERM_ARRAY && b->kind == REGO_TERM_ARRAY && a->parts.n == b->parts.n) {
        for (size_t i = 0; i < a->parts.n; i++)
            unify(k, a->parts.item[i], b->parts.item[i]);
    } else if (a->kind == REGO_TERM_OBJECT && b->kind == REGO_TERM_OBJECT &&
               a->pairs.n == b->pairs.n) {
        for (size_t i = 0; i < a->pairs.n; i++) {
            const struct rego_term *other = value_of(b, a->pairs.item[i].key);
            if (other)
                unify(k, a->pairs.item[i].value, other);
        }
    } else {
        if (may_bind(a, b, true) && safe(k, b))
            pattern_outputs(k, a);
        if (may_bind(b, a, false) && safe(k, a))
            pattern_outputs(k, b);
    }
    k->depth--;
}

static size_t count_bits(const struct rego_slots *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->nwords; i++)
        n += (size_t)__builtin_popcountll(set->word[i]);
    return n;
}

static bool is_operator(const struct rego_term *call, const char *name)
{
    const struct rego_term *op = call->parts.item[0];
    return op->kind == REGO_TERM_VAR && str_equal(op->name, str_from(name));
}

/* The number of arguments that the called thing takes; SIZE_MAX if there is no such thing. */
static size_t arity(struct checking *k, const struct rego_term *operator_)
{
    const struct rego_node *node = rego_operator_node(k->c, operator_);
    if (node)
        return node->narg;
    const struct rego_builtin *builtin =
        rego_known_builtin(k->c, rego_operator_name(k->c, operator_));
    const struct rego_signature *signature =
        builtin ? rego_signature_of(k->c, builtin->signature) : NULL;
    return !signature || signature->variadic ? SIZE_MAX : signature->nargs;
}

static void call_outputs(struct checking *k, const struct rego_term *call)
{
    size_t n = call->parts.n;
    if ((is_operator(call, "eq") || is_operator(call, "assign") || is_operator(call, "equal")) &&
        n == 3) {
        if (is_operator(call, "eq"))
            unify(k, call->parts.item[1], call->parts.item[2]);
        else if (is_operator(call, "assign") && safe(k, call->parts.item[2]))
            unify(k, call->parts.item[1], call->parts.item[2]);
        return;
    }
    if (n < 2 || arity(k, call->parts.item[0]) != n - 2)
        return;
    for (size_t i = 1; i + 1 < n; i++)
        if (!safe(k, call->parts.item[i]))
            return;
    pattern_outputs(k, call->parts.item[n - 1]);
}

static void some_outputs(struct checking *k, const struct rego_term *member)
{
    size_t n = member->parts.n;
    if (safe(k, member->parts.item[n - 1]))
        for (size_t i = 1; i + 1 < n; i++)
            pattern_outputs(k, member->parts.item[i]);
}

static void outputs_once(struct checking *k, const struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++)
        ref_outputs(k, e->with[i].value);
    switch (e->kind) {
    case REGO_EXPR_SOME:
        if (e->some.symbol[0]->kind == REGO_TERM_CALL) {
            ref_outputs(k, e->some.symbol[0]);
            some_outputs(k, e->some.symbol[0]);
        }
        break;
    case REGO_EXPR_EVERY:
        ref_outputs(k, e->every.domain);
        break;
    case REGO_EXPR_TERM:
        ref_outputs(k, e->term);
        break;
    case REGO_EXPR_CALL:
        ref_outputs(k, e->term);
        call_outputs(k, e->term);
        break;
    default:
        break;
    }
}

static void outputs(struct checking *k, const struct rego_expr *e)
{
    memset(k->out.word, 0, k->out.nwords * sizeof *k->out.word);
    if (e->negated)
        return;
    for (size_t before = SIZE_MAX; before != count_bits(&k->out);) {
        before = count_bits(&k->out);
        outputs_once(k, e);
    }
}

/* --- order --- */

/* A variable of a body within the literal: needed if the bodies around know it too. */
static bool closure_is_known(void *ctx, const struct rego_term *var)
{
    struct checking *k = ctx;
    return !rego_slots_has(k->outer, var->slot) || known(k, var->slot);
}

static bool ready(struct checking *k, const struct rego_expr *e)
{
    outputs(k, e);
    struct walk own = {is_known, k, OWN, 0}, closures = {closure_is_known, k, CLOSURES, 0};
    if (!walk_expr(&own, e))
        return false;
    /* Bodies within the literal see what was bound before it. */
    struct rego_slots out = k->out;
    struct checking before = *k;
    if (!rego_slots_make(k->c, &before.out))
        return false;
    closures.ctx = e->kind == REGO_EXPR_EVERY ? k : &before;
    bool ok = walk_expr(&closures, e);
    k->out = out;
    return ok;
}

struct complaining {
    struct checking *k;
    struct rego_slots told;
    bool any;
};

static bool complain(void *ctx, const struct rego_term *var)
{
    struct complaining *q = ctx;
    bool needed = !known(q->k, var->slot);
    if (!needed || rego_slots_has(&q->told, var->slot))
        return true;
    struct str name = var->name;
    rego_complain(q->k->c, "rego_unsafe_var_error", var->place, "var %.*s is unsafe",
                  name.len && name.ptr[0] == '$' ? 1 : (int)name.len,
                  name.len && name.ptr[0] == '$' ? "_" : name.ptr);
    q->any = true;
    return rego_slots_add(q->k->c, &q->told, var->slot);
}

static bool complain_closure(void *ctx, const struct rego_term *var)
{
    struct complaining *q = ctx;
    return !rego_slots_has(q->k->outer, var->slot) || complain(ctx, var);
}

static void unsafe(struct checking *k, struct rego_expr *const *rest, size_t n)
{
    struct complaining q = {.k = k};
    if (!rego_slots_make(k->c, &q.told))
        return;
    for (size_t i = 0; i < n; i++) {
        struct walk own = {complain, &q, OWN, 0}, closures = {complain_closure, &q, CLOSURES, 0};
        outputs(k, rest[i]);
        (void)walk_expr(&own, rest[i]);
        (void)walk_expr(&closures, rest[i]);
    }
    if (!q.any && n)
        rego_complain(k->c, "rego_unsafe_var_error", rest[0]->place, "expression is unsafe");
}

/* --- bodies within --- */

static bool descend_term(struct checking *k, struct rego_term *t);

static bool inner_body(struct checking *k, struct rego_body *body, const struct rego_term *key,
                       const struct rego_term *value)
{
    struct rego_slots bound, outer;
    if (!copy(k->c, &bound, k->bound) || !copy(k->c, &outer, k->outer))
        return false;
    /* The variables of the head belong to the body's own. */
    struct checking own = {.c = k->c, .bound = &bound, .outer = &outer};
    own.out = outer;
    struct walk w = {add_bound, &own, OWN, 0};
    if (!walk_term(&w, key) || !walk_term(&w, value))
        return false;
    outer = own.out;
    size_t before = k->c->diags->n;
    if (!rego_reorder(k->c, body, &bound, &outer))
        return false;
    if (k->c->diags->n > before)
        return true;
    struct checking after = {.c = k->c, .bound = &bound, .outer = &outer};
    if (!rego_slots_make(k->c, &after.out))
        return false;
    const struct rego_term *head[] = {key, value};
    struct complaining q = {.k = &after};
    if (!rego_slots_make(k->c, &q.told))
        return false;
    for (int i = 0; i < 2; i++) {
        struct walk check = {complain, &q, OWN, 0};
        ref_outputs(&after, head[i]);
        if (head[i] && (!walk_term(&check, head[i]) ||
                        !descend_term(&after, (struct rego_term *)(uintptr_t)head[i])))
            return false;
    }
    return true;
}

static bool descend_term(struct checking *k, struct rego_term *t)
{
    bool ok = true;
    if (!t || ++k->depth > REGO_DEPTH_MAX)
        return true;
    switch (t->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_VAR:
        break;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = descend_term(k, t->pairs.item[i].key) && descend_term(k, t->pairs.item[i].value);
        break;
    case REGO_TERM_REF:
    case REGO_TERM_CALL:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        for (size_t i = 0; i < t->parts.n && ok; i++)
            ok = descend_term(k, t->parts.item[i]);
        break;
    default:
        ok = inner_body(k, t->compr.body, t->compr.key, t->compr.value);
        break;
    }
    k->depth--;
    return ok;
}

static bool descend(struct checking *k, struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++)
        if (!descend_term(k, e->with[i].value))
            return false;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        return e->some.symbol[0]->kind != REGO_TERM_CALL || descend_term(k, e->some.symbol[0]);
    case REGO_EXPR_EVERY: {
        struct rego_slots bound;
        struct checking inside = *k;
        if (!descend_term(k, e->every.domain) || !copy(k->c, &bound, k->bound))
            return false;
        inside.bound = &bound;
        return rego_slots_add(k->c, &bound, e->every.value->slot) &&
               (!e->every.key || rego_slots_add(k->c, &bound, e->every.key->slot)) &&
               inner_body(&inside, e->every.body, NULL, NULL);
    }
    case REGO_EXPR_LOGIC:
        return inner_body(k, e->logic.left, NULL, NULL) &&
               inner_body(k, e->logic.right, NULL, NULL);
    case REGO_EXPR_NOT_BODY:
        return inner_body(k, e->body, NULL, NULL);
    default:
        return descend_term(k, e->term);
    }
}

bool rego_reorder(struct rego_compiler *c, struct rego_body *body, struct rego_slots *bound,
                  const struct rego_slots *outer)
{
    struct rego_slots all;
    if (++c->depth > REGO_DEPTH_MAX || !copy(c, &all, outer))
        return false;
    struct checking k = {.c = c, .bound = bound, .outer = &all};
    k.out = all;
    struct walk own = {add_bound, &k, OWN, 0};
    struct rego_expr **rest = arena_new(c->arena, struct rego_expr *, body->n);
    struct rego_expr **ordered = arena_new(c->arena, struct rego_expr *, body->n);
    if (!walk_body(&own, body) || !rest || !ordered)
        return false;
    all = k.out;
    if (!rego_slots_make(c, &k.out))
        return false;
    size_t nrest = body->n, n = 0;
    memcpy(rest, body->expr, body->n * sizeof *rest);
    for (size_t before = SIZE_MAX; nrest && nrest != before;) {
        size_t kept = 0;
        before = nrest;
        for (size_t i = 0; i < nrest; i++) {
            if (!ready(&k, rest[i])) {
                rest[kept++] = rest[i];
                continue;
            }
            ordered[n++] = rest[i];
            if (!descend(&k, rest[i]))
                return false;
            /* descend may have used k.out: the outputs again */
            outputs(&k, rest[i]);
            merge(bound, &k.out);
        }
        nrest = kept;
    }
    if (nrest)
        unsafe(&k, rest, nrest);
    else
        body->expr = ordered;
    c->depth--;
    return true;
}

/* What the head of a rule needs beyond what is bound; it may bind by its own refs. */
static bool safe_head(struct checking *k, const struct rego_head *head)
{
    struct complaining q = {.k = k};
    struct walk own = {complain, &q, OWN, 0};
    if (!rego_slots_make(k->c, &q.told) || !rego_slots_make(k->c, &k->out))
        return false;
    for (size_t i = 1; i < head->nref; i++)
        ref_outputs(k, head->ref[i]);
    ref_outputs(k, head->key);
    ref_outputs(k, head->value);
    for (size_t i = 1; i < head->nref; i++)
        if (!walk_term(&own, head->ref[i]) || !descend_term(k, head->ref[i]))
            return false;
    return walk_term(&own, head->key) && walk_term(&own, head->value) &&
           descend_term(k, head->key) && descend_term(k, head->value);
}

bool rego_safe_rule(struct rego_compiler *c, struct rego_rule *rule, struct rego_slots *bound,
                    struct rego_slots *outer)
{
    struct checking k = {.c = c, .bound = bound, .outer = outer};
    const struct rego_head *head = &rule->head;
    k.out = *bound;
    for (size_t i = 0; i < head->narg; i++)
        pattern_outputs(&k, head->arg[i]);
    *bound = k.out;
    /* Variables of the head belong to the body: bodies within it see them. */
    k.out = *outer;
    struct walk own = {add_bound, &k, OWN, 0};
    for (size_t i = 0; i < head->narg; i++)
        (void)walk_term(&own, head->arg[i]);
    for (size_t i = 1; i < head->nref; i++)
        (void)walk_term(&own, head->ref[i]);
    (void)walk_term(&own, head->key);
    (void)walk_term(&own, head->value);
    *outer = k.out;
    c->depth = 0;
    size_t before = c->diags->n;
    if (rule->body && !rego_reorder(c, rule->body, bound, outer))
        return false;
    return c->diags->n > before || safe_head(&k, head);
}
