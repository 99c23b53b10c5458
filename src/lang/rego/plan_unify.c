/* plan_unify.c - a = b where either side may bind: which one gives and which one is taken apart. */
#include "lang/rego/plan.h"

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

/* Keys that tell by themselves which values go together: constants, or one variable. */
static bool constant_keys(const struct rego_term *object)
{
    size_t n = object->pairs.n;
    for (size_t i = 0; i < n; i++)
        if (object->pairs.item[i].key->kind != REGO_TERM_VALUE &&
            (n > 1 || object->pairs.item[i].key->kind != REGO_TERM_VAR))
            return false;
    return true;
}

/* --- pairs --- */

/* What is left of an equation: pairs of terms, those first of which one side waits for nothing. */
struct pair {
    const struct rego_term *a, *b;
    bool done;
};
struct pairs {
    struct planning *p;
    struct pair *item;
    size_t n, room, left;
};

static bool add_pair(struct pairs *w, const struct rego_term *a, const struct rego_term *b)
{
    struct pair *grown = arena_grow(w->p->c->arena, w->item, w->n, &w->room, w->n + 1);
    if (!grown)
        return !(w->p->c->out_of_memory = true);
    w->item = grown;
    grown[w->n++] = (struct pair){a, b, false};
    w->left++;
    return true;
}

static bool never(struct pairs *w)
{
    return rego_plan_emit(w->p, REGO_STEP_FAIL) != NULL;
}

static bool add_arrays(struct pairs *w, const struct rego_term *a, const struct rego_term *b)
{
    bool ok = true;
    if (a->parts.n != b->parts.n)
        return never(w);
    for (size_t i = 0; i < a->parts.n && ok; i++)
        ok = add_pair(w, a->parts.item[i], b->parts.item[i]);
    return ok;
}

static bool add_objects(struct pairs *w, const struct rego_term *a, const struct rego_term *b)
{
    size_t n = a->pairs.n, before = w->n;
    bool ok = true, match = n == b->pairs.n;
    for (size_t i = 0; i < n && ok && match; i++) {
        const struct rego_term *other = value_of(b, a->pairs.item[i].key);
        match = other;
        ok = !other || add_pair(w, a->pairs.item[i].value, other);
    }
    if (match || !ok)
        return ok;
    w->left -= w->n - before;
    w->n = before;
    return never(w);
}

/* --- taking apart --- */

static struct rego_term *copy_of(struct planning *p, const struct rego_term *t)
{
    struct rego_term *copy = arena_new(p->c->arena, struct rego_term, 1);
    if (copy)
        *copy = *t;
    else
        p->c->out_of_memory = true;
    return copy;
}

/* A register in the place of a part that waits for what the pattern itself binds: [x, x + 1]. The
 * part is another pair, for afterwards. */
static struct rego_term *stand_in(struct pairs *w, const struct rego_term *part)
{
    struct rego_term *var = arena_new(w->p->c->arena, struct rego_term, 1);
    if (!var)
        return NULL;
    *var = (struct rego_term){
        .kind = REGO_TERM_VAR, .place = part->place, .name = STR(REGO_LOCAL_NAME)};
    var->slot = rego_new_slot(w->p->c, var->name, part->place, true);
    return add_pair(w, var, part) ? var : NULL;
}

/* A ref within a pattern is gone through before, for keys of the pattern may be what it binds:
 * {x: xs[x]}. */
static const struct rego_term *gone_through(struct planning *p, const struct rego_term *ref)
{
    struct rego_operand o;
    struct rego_term *copy = copy_of(p, ref);
    if (!copy || !rego_plan_operand(p, ref, &o))
        return NULL;
    copy->kind = REGO_TERM_VAR;
    copy->name = STR(REGO_LOCAL_NAME);
    copy->slot = o.slot;
    return copy;
}

static bool has_free_key(const struct planning *p, const struct rego_term *object)
{
    for (size_t i = 0; i < object->pairs.n; i++)
        if (rego_plan_waits(p, object->pairs.item[i].key, REGO_DEPTH_MAX))
            return true;
    return false;
}

/* The pattern with stand-ins; NULL: memory is out. */
static const struct rego_term *split(struct pairs *w, const struct rego_term *t)
{
    struct planning *p = w->p;
    if (!rego_plan_waits(p, t, REGO_DEPTH_MAX) || t->kind == REGO_TERM_VAR)
        return t;
    if (t->kind == REGO_TERM_ARRAY) {
        struct rego_term *copy = copy_of(p, t);
        struct rego_term **item = arena_new(p->c->arena, struct rego_term *, t->parts.n);
        for (size_t i = 0; copy && item && i < t->parts.n; i++)
            if (!(item[i] = (struct rego_term *)(uintptr_t)split(w, t->parts.item[i])))
                return NULL;
        if (copy)
            copy->parts.item = item;
        return item ? copy : NULL;
    }
    if (t->kind == REGO_TERM_OBJECT) {
        struct rego_term *copy = copy_of(p, t);
        struct rego_term_pair *pair = arena_new(p->c->arena, struct rego_term_pair, t->pairs.n);
        bool free_key = has_free_key(p, t);
        for (size_t i = 0; copy && pair && i < t->pairs.n; i++) {
            pair[i] = t->pairs.item[i];
            const struct rego_term *value = pair[i].value->kind == REGO_TERM_REF && free_key
                                                ? gone_through(p, pair[i].value)
                                                : split(w, pair[i].value);
            if (!(pair[i].value = (struct rego_term *)(uintptr_t)value))
                return NULL;
        }
        if (copy)
            copy->pairs.item = pair;
        return pair ? copy : NULL;
    }
    return stand_in(w, t);
}

/* The value in a register first, then what it must be: steps of parts of the pattern come before
 * the match, which binds its variables. */
static bool match_value(struct planning *p, const struct rego_term *from,
                        const struct rego_term *to)
{
    struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1), o;
    struct rego_pattern match;
    if (!one || !rego_plan_operand(p, from, &o) || !rego_plan_pattern(p, to, &match))
        return false;
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_MATCH);
    if (!step)
        return false;
    *one = o;
    step->arg = one;
    step->narg = 1;
    step->match = match;
    return true;
}

static bool is_pattern(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR || t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_OBJECT;
}

/* from's value must match `to`, which it may take apart. */
static bool take_apart(struct pairs *w, const struct rego_term *from, const struct rego_term *to)
{
    struct planning *p = w->p;
    struct rego_pattern match;
    struct rego_operand o;
    if (rego_plan_waits(p, to, REGO_DEPTH_MAX) && to->kind != REGO_TERM_VAR) {
        to = is_pattern(to) ? split(w, to) : to; /* w[0] = xs[w] */
        return to && match_value(p, from, to);
    }
    if (rego_plan_is_free(p, to)) {
        if (rego_plan_binds(p, from, to)) /* x = xs[x] */
            return match_value(p, from, to);
        match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = rego_plan_slot(to->slot)};
        return rego_plan_into(p, from, match) && rego_plan_bind(p, to->slot);
    }
    return rego_plan_operand(p, to, &o) && rego_plan_into(p, from, rego_plan_equal(o));
}

/* --- the way --- */

/* One pair, unless it has to wait for another: *ret_done. */
static bool unify_pair(struct pairs *w, const struct rego_term *a, const struct rego_term *b,
                       bool collections, bool *ret_done)
{
    struct planning *p = w->p;
    bool a_waits = rego_plan_is_stuck(p, a, collections),
         b_waits = rego_plan_is_stuck(p, b, collections);
    *ret_done = true;
    if (a_waits && b_waits) {
        if (a->kind == REGO_TERM_ARRAY && b->kind == REGO_TERM_ARRAY)
            return add_arrays(w, a, b);
        if (a->kind == REGO_TERM_OBJECT && b->kind == REGO_TERM_OBJECT && constant_keys(a) &&
            constant_keys(b))
            return add_objects(w, a, b);
        *ret_done = a->kind == REGO_TERM_VAR && b->kind == REGO_TERM_VAR && a->slot == b->slot;
        return true;
    }
    const struct rego_term *from = b_waits ? a : b, *to = b_waits ? b : a;
    if (!b_waits && !a_waits && (b->kind == REGO_TERM_VALUE || b->kind == REGO_TERM_VAR)) {
        from = a;
        to = b;
    }
    *ret_done = (!a_waits && !b_waits) || is_pattern(to) || rego_plan_frees(p, from, to);
    return !*ret_done || take_apart(w, from, to);
}

bool rego_plan_unify(struct planning *p, const struct rego_term *a, const struct rego_term *b)
{
    struct pairs w = {.p = p};
    bool whole; /* as most are */
    if (!unify_pair(&w, a, b, false, &whole) || (!whole && !add_pair(&w, a, b)))
        return false;
    bool collections = false; /* gone through as a whole where nothing else is left */
    for (bool more = true; w.left && (more || !collections);) {
        collections = !more;
        more = false;
        for (size_t i = 0; i < w.n; i++) {
            const struct pair pair = w.item[i]; /* the list may grow */
            bool done = false;
            if (pair.done)
                continue;
            if (!rego_afford(p->c, 1) || !unify_pair(&w, pair.a, pair.b, collections, &done))
                return false;
            w.item[i].done = done;
            w.left -= done;
            more |= done;
        }
    }
    if (!w.left)
        return true;
    rego_complain(p->c, "rego_unsafe_var_error", a->place, "expression is unsafe");
    return false;
}
