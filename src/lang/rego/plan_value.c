/* plan_value.c - steps and registers, values known while planning, patterns. */
#include "lang/rego/plan.h"

/* --- making --- */

void rego_plan_start(struct chain *chain)
{
    chain->first = NULL;
    chain->tail = &chain->first;
    for (size_t i = 0; i < LAST_STEPS; i++)
        chain->last[i] = NULL;
}

struct rego_step *rego_plan_emit(struct planning *p, enum rego_step_kind kind)
{
    struct rego_step *step = arena_new(p->c->arena, struct rego_step, 1);
    if (!step) {
        p->c->out_of_memory = true;
        return NULL;
    }
    step->kind = kind;
    step->place = p->place;
    step->module = p->c->unit ? p->c->unit->module : NULL;
    *p->chain->tail = step;
    p->chain->tail = &step->next;
    for (size_t i = LAST_STEPS - 1; i > 0; i--)
        p->chain->last[i] = p->chain->last[i - 1];
    p->chain->last[0] = step;
    return step;
}

/* A fresh register that a step fills. */
bool rego_plan_fresh(struct planning *p, struct rego_operand *ret, struct rego_pattern *ret_match)
{
    uint32_t i = rego_new_slot(p->c, STR(REGO_LOCAL_NAME), p->place, true);
    *ret = rego_plan_slot(i);
    *ret_match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = *ret};
    return rego_plan_bind(p, i);
}

/* --- values known now --- */

bool rego_plan_fold(struct planning *p, const struct rego_term *t, struct value *ret,
                    unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        *ret = t->value;
        return true;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET: {
        struct value *items = arena_new(p->c->arena, struct value, t->parts.n);
        if (!items)
            return false;
        for (size_t i = 0; i < t->parts.n; i++)
            if (!rego_plan_fold(p, t->parts.item[i], &items[i], depth_left - 1))
                return false;
        *ret = t->kind == REGO_TERM_SET ? rego_make_set(items, t->parts.n)
                                        : value_items(VALUE_TUPLE, items, t->parts.n);
        return true;
    }
    case REGO_TERM_OBJECT: {
        struct rego_pair *pairs = arena_new(p->c->arena, struct rego_pair, t->pairs.n);
        if (!pairs)
            return false;
        for (size_t i = 0; i < t->pairs.n; i++)
            if (!rego_plan_fold(p, t->pairs.item[i].key, &pairs[i].key, depth_left - 1) ||
                !rego_plan_fold(p, t->pairs.item[i].value, &pairs[i].value, depth_left - 1))
                return false;
        *ret = rego_make_written(pairs, t->pairs.n);
        return true;
    }
    default:
        return false;
    }
}

bool rego_plan_is_constant(const struct rego_term *t, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        return true;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
        for (size_t i = 0; i < t->parts.n; i++)
            if (!rego_plan_is_constant(t->parts.item[i], depth_left - 1))
                return false;
        return true;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n; i++)
            if (!rego_plan_is_constant(t->pairs.item[i].key, depth_left - 1) ||
                !rego_plan_is_constant(t->pairs.item[i].value, depth_left - 1))
                return false;
        return true;
    default:
        return false;
    }
}

bool rego_plan_bind(struct planning *p, uint32_t slot)
{
    if (rego_slots_has(&p->bound, slot))
        return true;
    uint32_t *log = arena_grow(p->c->arena, p->log, p->nlog, &p->log_room, p->nlog + 1);
    if (!log)
        return !(p->c->out_of_memory = true);
    p->log = log;
    log[p->nlog++] = slot;
    return rego_slots_add(p->c, &p->bound, slot);
}

void rego_plan_unbind(struct planning *p, size_t nlog)
{
    while (p->nlog > nlog) {
        uint32_t slot = p->log[--p->nlog];
        p->bound.word[slot / 64] &= ~((uint64_t)1 << (slot % 64));
    }
}

/* A variable that nothing has bound yet. */
bool rego_plan_is_free(const struct planning *p, const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT &&
           !rego_slots_has(&p->bound, t->slot);
}

/* Does the term hold a free variable outside the keys of refs and inner bodies? */
bool rego_plan_waits(const struct planning *p, const struct rego_term *t, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (t->kind) {
    case REGO_TERM_VAR:
        return rego_plan_is_free(p, t);
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n; i++)
            if (rego_plan_waits(p, t->pairs.item[i].key, depth_left - 1) ||
                rego_plan_waits(p, t->pairs.item[i].value, depth_left - 1))
                return true;
        return false;
    case REGO_TERM_REF:
        if (rego_plan_waits(p, t->parts.item[0], depth_left - 1))
            return true;
        for (size_t i = 1; i < t->parts.n; i++) {
            const struct rego_term *part = t->parts.item[i];
            if (part->kind != REGO_TERM_VAR && part->kind != REGO_TERM_ARRAY &&
                part->kind != REGO_TERM_OBJECT && rego_plan_waits(p, part, depth_left - 1))
                return true;
        }
        return false;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_CALL:
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n; i++)
            if (rego_plan_waits(p, t->parts.item[i], depth_left - 1))
                return true;
        return false;
    default:
        return false;
    }
}

static bool bind_pattern(struct planning *p, const struct rego_term *t, unsigned depth_left)
{
    bool ok = depth_left > 0;
    if (rego_plan_is_free(p, t))
        return rego_plan_bind(p, t->slot);
    for (size_t i = 0; t->kind == REGO_TERM_ARRAY && i < t->parts.n && ok; i++)
        ok = bind_pattern(p, t->parts.item[i], depth_left - 1);
    for (size_t i = 0; t->kind == REGO_TERM_OBJECT && i < t->pairs.n && ok; i++)
        ok = bind_pattern(p, t->pairs.item[i].value, depth_left - 1);
    return ok;
}

/* What refs bind once they are gone through, those within keys first. */
static bool bind_keys(struct planning *p, const struct rego_term *t, unsigned depth_left)
{
    bool ok = depth_left > 0;
    bool list = t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_SET || t->kind == REGO_TERM_CALL;
    for (size_t i = t->kind == REGO_TERM_CALL; list && i < t->parts.n && ok; i++)
        ok = bind_keys(p, t->parts.item[i], depth_left - 1);
    for (size_t i = 0; t->kind == REGO_TERM_OBJECT && i < t->pairs.n && ok; i++)
        ok = bind_keys(p, t->pairs.item[i].key, depth_left - 1) &&
             bind_keys(p, t->pairs.item[i].value, depth_left - 1);
    if (t->kind != REGO_TERM_REF || rego_plan_waits(p, t, depth_left))
        return ok;
    for (size_t i = 1; i < t->parts.n && ok; i++)
        ok = bind_keys(p, t->parts.item[i], depth_left - 1) &&
             bind_pattern(p, t->parts.item[i], depth_left - 1);
    return ok;
}

bool rego_plan_is_stuck(struct planning *p, const struct rego_term *t, bool collections)
{
    size_t before = p->nlog;
    if (!rego_plan_waits(p, t, REGO_DEPTH_MAX))
        return false;
    bool may = t->kind == REGO_TERM_CALL || (collections && t->kind != REGO_TERM_VAR);
    bool stuck = !may || !bind_keys(p, t, REGO_DEPTH_MAX) || rego_plan_waits(p, t, REGO_DEPTH_MAX);
    rego_plan_unbind(p, before);
    return stuck;
}

bool rego_plan_binds(struct planning *p, const struct rego_term *t, const struct rego_term *var)
{
    size_t before = p->nlog;
    bool binds = t->kind != REGO_TERM_VALUE && t->kind != REGO_TERM_VAR &&
                 bind_keys(p, t, REGO_DEPTH_MAX) && !rego_plan_is_free(p, var);
    rego_plan_unbind(p, before);
    return binds;
}

bool rego_plan_frees(struct planning *p, const struct rego_term *t, const struct rego_term *other)
{
    size_t before = p->nlog;
    bool frees = t->kind != REGO_TERM_VALUE && t->kind != REGO_TERM_VAR &&
                 bind_keys(p, t, REGO_DEPTH_MAX) && !rego_plan_is_stuck(p, other, false);
    rego_plan_unbind(p, before);
    return frees;
}

/* --- patterns --- */

static bool array_pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret)
{
    struct rego_pattern *item = arena_new(p->c->arena, struct rego_pattern, t->parts.n);
    if (!item)
        return false;
    for (size_t i = 0; i < t->parts.n; i++)
        if (!rego_plan_pattern(p, t->parts.item[i], &item[i]))
            return false;
    *ret = (struct rego_pattern){.kind = REGO_MATCH_ARRAY, .item = item, .n = t->parts.n};
    return true;
}

static bool object_pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret)
{
    struct rego_pattern *item = arena_new(p->c->arena, struct rego_pattern, t->pairs.n);
    struct rego_operand *key = arena_new(p->c->arena, struct rego_operand, t->pairs.n);
    if (!item || !key)
        return false;
    for (size_t i = 0; i < t->pairs.n; i++)
        if (!rego_plan_operand(p, t->pairs.item[i].key, &key[i]) ||
            !rego_plan_pattern(p, t->pairs.item[i].value, &item[i]))
            return false;
    *ret =
        (struct rego_pattern){.kind = REGO_MATCH_OBJECT, .item = item, .key = key, .n = t->pairs.n};
    return true;
}

/* What a value must be to match t; free variables become bound by it, in the order of reading. */
bool rego_plan_pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret)
{
    if (rego_plan_is_free(p, t)) {
        *ret = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = rego_plan_slot(t->slot)};
        return rego_plan_bind(p, t->slot);
    }
    /* Taken apart even where all is bound by now: parts may be bound by this very pattern. */
    if (!rego_plan_is_constant(t, REGO_DEPTH_MAX)) {
        if (t->kind == REGO_TERM_ARRAY)
            return array_pattern(p, t, ret);
        if (t->kind == REGO_TERM_OBJECT)
            return object_pattern(p, t, ret);
    }
    struct rego_operand o;
    if (!rego_plan_operand(p, t, &o))
        return false;
    *ret = rego_plan_equal(o);
    return true;
}
