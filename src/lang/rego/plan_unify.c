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

/* Pairs of terms, those first whose one side waits for nothing. */
static bool unify_pairs(struct planning *p, const struct rego_term *const *a,
                        const struct rego_term *const *b, size_t n)
{
    bool *done = arena_new(p->c->arena, bool, n);
    if (!done)
        return false;
    for (size_t left = n, before = n + 1; left && left != before;) {
        before = left;
        for (size_t i = 0; i < n; i++) {
            if (done[i] || (rego_plan_waits(p, a[i], REGO_DEPTH_MAX) &&
                            rego_plan_waits(p, b[i], REGO_DEPTH_MAX) &&
                            !(a[i]->kind == b[i]->kind && a[i]->kind != REGO_TERM_VAR)))
                continue;
            if (!rego_plan_unify(p, a[i], b[i]))
                return false;
            done[i] = true;
            left--;
        }
        if (left == before) {
            rego_complain(p->c, "rego_unsafe_var_error", a[0]->place, "expression is unsafe");
            return false;
        }
    }
    return true;
}

static bool unify_arrays(struct planning *p, const struct rego_term *a, const struct rego_term *b)
{
    if (a->parts.n != b->parts.n)
        return rego_plan_emit(p, REGO_STEP_FAIL) != NULL;
    return unify_pairs(p, (const struct rego_term *const *)a->parts.item,
                       (const struct rego_term *const *)b->parts.item, a->parts.n);
}

static bool unify_objects(struct planning *p, const struct rego_term *a, const struct rego_term *b)
{
    size_t n = a->pairs.n;
    const struct rego_term **left = arena_new(p->c->arena, const struct rego_term *, n);
    const struct rego_term **right = arena_new(p->c->arena, const struct rego_term *, n);
    if (!left || !right)
        return false;
    for (size_t i = 0; i < n; i++) {
        left[i] = a->pairs.item[i].value;
        right[i] = value_of(b, a->pairs.item[i].key);
        if (!right[i])
            return rego_plan_emit(p, REGO_STEP_FAIL) != NULL;
    }
    if (n != b->pairs.n)
        return rego_plan_emit(p, REGO_STEP_FAIL) != NULL;
    return unify_pairs(p, left, right, n);
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

bool rego_plan_unify(struct planning *p, const struct rego_term *a, const struct rego_term *b)
{
    bool a_waits = rego_plan_waits(p, a, REGO_DEPTH_MAX),
         b_waits = rego_plan_waits(p, b, REGO_DEPTH_MAX);
    if (a_waits && b_waits && a->kind == REGO_TERM_ARRAY && b->kind == REGO_TERM_ARRAY)
        return unify_arrays(p, a, b);
    if (a_waits && b_waits && a->kind == REGO_TERM_OBJECT && b->kind == REGO_TERM_OBJECT &&
        constant_keys(a) && constant_keys(b))
        return unify_objects(p, a, b);
    if (a_waits && b_waits && a->kind == REGO_TERM_VAR && b->kind == REGO_TERM_VAR &&
        a->slot == b->slot)
        return true;
    /* b's value must match a, which may take it apart; or the other way round. */
    const struct rego_term *from = b_waits ? a : b, *to = b_waits ? b : a;
    struct rego_pattern match;
    if (!b_waits && !a_waits && (b->kind == REGO_TERM_VALUE || b->kind == REGO_TERM_VAR)) {
        from = a;
        to = b;
    }
    if (rego_plan_waits(p, to, REGO_DEPTH_MAX) && to->kind != REGO_TERM_VAR) {
        /* Steps of parts of the pattern come first, its variables are bound by the match. */
        struct rego_operand o;
        struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
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
    if (rego_plan_is_free(p, to)) {
        match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = rego_plan_slot(to->slot)};
        return rego_plan_into(p, from, match) && rego_plan_bind(p, to->slot);
    }
    struct rego_operand o;
    return rego_plan_operand(p, to, &o) && rego_plan_into(p, from, rego_plan_equal(o));
}
