/* plan.c - bodies of Rego to chains of steps. */
#include <string.h>

#include "lang/rego/policy.h"

struct chain {
    const struct rego_step **tail; /* where the next step goes */
    const struct rego_step *first;
};
struct planning {
    struct rego_compiler *c;
    struct rego_slots bound;
    struct chain *chain;
    struct rego_place place;
};

static bool plan_body(struct planning *p, const struct rego_body *body);
static bool operand(struct planning *p, const struct rego_term *t, struct rego_operand *ret);
static bool into(struct planning *p, const struct rego_term *t, struct rego_pattern match);

/* --- making --- */

static void start(struct chain *chain)
{
    chain->first = NULL;
    chain->tail = &chain->first;
}

static struct rego_step *emit(struct planning *p, enum rego_step_kind kind)
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
    return step;
}

static struct rego_operand constant(struct value v)
{
    return (struct rego_operand){REGO_NO_SLOT, v};
}

static struct rego_operand slot(uint32_t i)
{
    return (struct rego_operand){.slot = i};
}

static struct rego_pattern any(void)
{
    return (struct rego_pattern){.kind = REGO_MATCH_ANY};
}

static struct rego_pattern equal(struct rego_operand o)
{
    return (struct rego_pattern){.kind = REGO_MATCH_EQUAL, .operand = o};
}

/* A fresh register that a step fills. */
static bool fresh(struct planning *p, struct rego_operand *ret, struct rego_pattern *ret_match)
{
    uint32_t i = rego_new_slot(p->c, STR("__local"), p->place, true);
    *ret = slot(i);
    *ret_match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = *ret};
    return rego_slots_add(p->c, &p->bound, i);
}

/* --- values known now --- */

static bool fold(struct planning *p, const struct rego_term *t, struct value *ret,
                 unsigned depth_left)
{
    size_t clash;
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
            if (!fold(p, t->parts.item[i], &items[i], depth_left - 1))
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
            if (!fold(p, t->pairs.item[i].key, &pairs[i].key, depth_left - 1) ||
                !fold(p, t->pairs.item[i].value, &pairs[i].value, depth_left - 1))
                return false;
        return rego_make_object(pairs, t->pairs.n, ret, &clash);
    }
    default:
        return false;
    }
}

static bool is_constant(const struct rego_term *t, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        return true;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
        for (size_t i = 0; i < t->parts.n; i++)
            if (!is_constant(t->parts.item[i], depth_left - 1))
                return false;
        return true;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n; i++)
            if (!is_constant(t->pairs.item[i].key, depth_left - 1) ||
                !is_constant(t->pairs.item[i].value, depth_left - 1))
                return false;
        return true;
    default:
        return false;
    }
}

/* A variable that nothing has bound yet. */
static bool is_free(const struct planning *p, const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT &&
           !rego_slots_has(&p->bound, t->slot);
}

/* Does the term hold a free variable outside the keys of refs and inner bodies? */
static bool waits(const struct planning *p, const struct rego_term *t, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (t->kind) {
    case REGO_TERM_VAR:
        return is_free(p, t);
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n; i++)
            if (waits(p, t->pairs.item[i].key, depth_left - 1) ||
                waits(p, t->pairs.item[i].value, depth_left - 1))
                return true;
        return false;
    case REGO_TERM_REF:
        if (waits(p, t->parts.item[0], depth_left - 1))
            return true;
        for (size_t i = 1; i < t->parts.n; i++) {
            const struct rego_term *part = t->parts.item[i];
            if (part->kind != REGO_TERM_VAR && part->kind != REGO_TERM_ARRAY &&
                part->kind != REGO_TERM_OBJECT && waits(p, part, depth_left - 1))
                return true;
        }
        return false;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_CALL:
        for (size_t i = t->kind == REGO_TERM_CALL; i < t->parts.n; i++)
            if (waits(p, t->parts.item[i], depth_left - 1))
                return true;
        return false;
    default:
        return false;
    }
}

/* --- patterns --- */

static bool pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret);

static bool array_pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret)
{
    struct rego_pattern *item = arena_new(p->c->arena, struct rego_pattern, t->parts.n);
    if (!item)
        return false;
    for (size_t i = 0; i < t->parts.n; i++)
        if (!pattern(p, t->parts.item[i], &item[i]))
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
        if (!operand(p, t->pairs.item[i].key, &key[i]) ||
            !pattern(p, t->pairs.item[i].value, &item[i]))
            return false;
    *ret =
        (struct rego_pattern){.kind = REGO_MATCH_OBJECT, .item = item, .key = key, .n = t->pairs.n};
    return true;
}

/* What a value must be to match t; free variables become bound by it, in the order of reading. */
static bool pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret)
{
    if (is_free(p, t)) {
        *ret = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = slot(t->slot)};
        return rego_slots_add(p->c, &p->bound, t->slot);
    }
    /* Taken apart even where all is bound by now: parts may be bound by this very pattern. */
    if (!is_constant(t, REGO_DEPTH_MAX)) {
        if (t->kind == REGO_TERM_ARRAY)
            return array_pattern(p, t, ret);
        if (t->kind == REGO_TERM_OBJECT)
            return object_pattern(p, t, ret);
    }
    struct rego_operand o;
    if (!operand(p, t, &o))
        return false;
    *ret = equal(o);
    return true;
}

/* --- refs --- */

static bool is_name(const struct rego_term *t, const char *name)
{
    return t->kind == REGO_TERM_VAR && t->slot == REGO_NO_SLOT &&
           str_equal(t->name, str_from(name));
}

/* What the head of a ref is; *ret_from: the first part that is a key. */
static bool ref_base(struct planning *p, const struct rego_term *t, struct rego_step *step,
                     size_t *ret_from)
{
    const struct rego_term *head = t->kind == REGO_TERM_REF ? t->parts.item[0] : t;
    size_t n = t->kind == REGO_TERM_REF ? t->parts.n : 1;
    *ret_from = 1;
    if (is_name(head, "input")) {
        step->ref.base = REGO_BASE_INPUT;
        return true;
    }
    if (is_name(head, "data")) {
        const struct rego_node *node = p->c->policy->root;
        step->ref.base = REGO_BASE_DATA;
        for (; *ret_from < n; ++*ret_from) {
            const struct rego_term *part = t->parts.item[*ret_from];
            const struct rego_node *child = part->kind == REGO_TERM_VALUE && !node->dynamic
                                                ? rego_child(node, &part->value)
                                                : NULL;
            if (!child)
                break;
            node = child;
        }
        step->ref.node = node;
        step->ref.nskip = *ret_from - 1;
        return true;
    }
    step->ref.base = REGO_BASE_OPERAND;
    return operand(p, head, &step->ref.of);
}

/* A key that no step is needed for. */
static bool is_simple(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VALUE || (t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT);
}

static bool plan_ref(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    struct rego_step made = {.kind = REGO_STEP_REF};
    size_t from, n = t->kind == REGO_TERM_REF ? t->parts.n : 1, nat = 0;
    if (!ref_base(p, t, &made, &from))
        return false;
    struct rego_pattern *at = arena_new(p->c->arena, struct rego_pattern, n - from);
    bool binds = false;
    if (!at)
        return false;
    for (size_t i = from; i < n; i++) {
        const struct rego_term *part = t->parts.item[i];
        if (!is_simple(part) && !is_constant(part, REGO_DEPTH_MAX) && binds) {
            /* Its steps use what the keys before bind: the ref goes in two halves. */
            struct rego_pattern half;
            struct rego_operand o;
            if (!fresh(p, &o, &half))
                return false;
            struct rego_step *step = emit(p, REGO_STEP_REF);
            if (!step)
                return false;
            step->ref = made.ref;
            step->ref.at = at;
            step->ref.n = nat;
            step->match = half;
            made.ref.base = REGO_BASE_OPERAND;
            made.ref.of = o;
            at = arena_new(p->c->arena, struct rego_pattern, n - i);
            nat = 0;
            binds = false;
            if (!at)
                return false;
        }
        binds |= waits(p, part, REGO_DEPTH_MAX);
        if (!pattern(p, part, &at[nat++]))
            return false;
    }
    struct rego_step *step = emit(p, REGO_STEP_REF);
    if (!step)
        return false;
    step->ref = made.ref;
    step->ref.at = at;
    step->ref.n = nat;
    step->match = match;
    return true;
}

/* --- calls --- */

static bool operands(struct planning *p, struct rego_term *const *t, size_t n,
                     const struct rego_operand **ret)
{
    struct rego_operand *list = arena_new(p->c->arena, struct rego_operand, n);
    bool *done = arena_new(p->c->arena, bool, n);
    if (!list || !done)
        return false;
    /* First what waits for nothing: it may bind what the others wait for. */
    for (size_t left = n, before = n + 1; left && left != before;) {
        before = left;
        for (size_t i = 0; i < n; i++) {
            if (done[i] || waits(p, t[i], REGO_DEPTH_MAX))
                continue;
            if (!operand(p, t[i], &list[i]))
                return false;
            done[i] = true;
            left--;
        }
        if (left == before) {
            rego_complain(p->c, "rego_unsafe_var_error", t[0]->place, "expression is unsafe");
            return false;
        }
    }
    *ret = list;
    return true;
}

static bool plan_builtin(struct planning *p, const struct rego_builtin *builtin,
                         struct rego_step *step)
{
    struct rego_signature *signature = arena_new(p->c->arena, struct rego_signature, 1);
    if (!signature || !rego_signature_parse(p->c->arena, builtin->signature, signature)) {
        p->c->out_of_memory = true;
        return false;
    }
    step->call.builtin = builtin;
    step->call.signature = signature;
    step->call.id = (*p->c->ncalls)++;
    return true;
}

static size_t arity_of(const struct rego_node *node, const struct rego_builtin *builtin,
                       struct rego_compiler *c)
{
    struct rego_signature signature = {0};
    if (node)
        return node->narg;
    return rego_signature_parse(c->arena, builtin->signature, &signature) ? signature.nargs : 0;
}

/* A call whose result goes to match; with one argument more than it takes, that is what it must be.
 */
static bool plan_call(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    const struct rego_term *op = t->parts.item[0];
    const struct rego_node *node = rego_operator_node(p->c, op);
    const struct rego_builtin *builtin =
        node ? NULL : rego_builtin_find(rego_operator_name(p->c, op));
    const struct rego_operand *args;
    size_t n = t->parts.n - 1;
    struct rego_pattern result = match;
    if (!node && !builtin)
        return false; /* complained of before */
    size_t arity = arity_of(node, builtin, p->c);
    bool more = n == arity + 1 && !(builtin && builtin->flags & REGO_VOID);
    if (!operands(p, t->parts.item + 1, more ? n - 1 : n, &args))
        return false;
    if (more && !pattern(p, t->parts.item[n], &result))
        return false;
    struct rego_step *step = emit(p, node ? REGO_STEP_FUNCTION : REGO_STEP_BUILTIN);
    if (!step)
        return false;
    step->place = t->place;
    step->arg = args;
    step->narg = more ? n - 1 : n;
    step->match = result;
    if (node) {
        step->function.node = node;
    } else if (!plan_builtin(p, builtin, step)) {
        return false;
    }
    /* p(x, y) as a value is what it gives: true where y is what it must be. */
    if (more && match.kind == REGO_MATCH_BIND) {
        struct rego_step *set = emit(p, REGO_STEP_MATCH);
        struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
        if (!set || !one)
            return false;
        *one = constant(value_bool(true));
        set->arg = one;
        set->narg = 1;
        set->match = match;
    }
    return true;
}

/* --- collections --- */

static bool plan_parts(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    const struct rego_operand *args;
    if (!operands(p, t->parts.item, t->parts.n, &args))
        return false;
    struct rego_step *step = emit(p, t->kind == REGO_TERM_SET ? REGO_STEP_SET : REGO_STEP_ARRAY);
    if (!step)
        return false;
    step->arg = args;
    step->narg = t->parts.n;
    step->match = match;
    return true;
}

static bool plan_object(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    struct rego_term **parts = arena_new(p->c->arena, struct rego_term *, 2 * t->pairs.n);
    const struct rego_operand *args;
    if (!parts)
        return false;
    for (size_t i = 0; i < t->pairs.n; i++) {
        parts[2 * i] = t->pairs.item[i].key;
        parts[2 * i + 1] = t->pairs.item[i].value;
    }
    if (!operands(p, parts, 2 * t->pairs.n, &args))
        return false;
    struct rego_step *step = emit(p, REGO_STEP_OBJECT);
    if (!step)
        return false;
    step->arg = args;
    step->narg = 2 * t->pairs.n;
    step->match = match;
    return true;
}

/* --- bodies within --- */

struct inside {
    struct chain chain, *before;
    struct rego_slots bound;
};

static bool enter(struct planning *p, struct inside *in)
{
    in->before = p->chain;
    in->bound = p->bound;
    start(&in->chain);
    p->chain = &in->chain;
    return rego_slots_make(p->c, &p->bound) &&
           (memcpy(p->bound.word, in->bound.word,
                   (in->bound.nwords < p->bound.nwords ? in->bound.nwords : p->bound.nwords) *
                       sizeof *p->bound.word),
            true);
}

/* What was bound inside is free again outside. */
static void leave(struct planning *p, struct inside *in)
{
    p->chain = in->before;
    p->bound = in->bound;
}

static bool plan_comprehension(struct planning *p, const struct rego_term *t,
                               struct rego_pattern match)
{
    struct inside in;
    struct rego_operand key = {.slot = REGO_NO_SLOT}, value = key;
    bool ok = enter(p, &in) && plan_body(p, t->compr.body) &&
              (!t->compr.key || operand(p, t->compr.key, &key)) &&
              operand(p, t->compr.value, &value);
    leave(p, &in);
    struct rego_step *step = ok ? emit(p, REGO_STEP_COMPREHENSION) : NULL;
    if (!step)
        return false;
    step->compr.kind = t->kind;
    step->compr.body = in.chain.first;
    step->compr.key = key;
    step->compr.value = value;
    step->match = match;
    step->place = t->place;
    return true;
}

/* Terms of a template or of print: each a body of its own, undefined or not. */
static bool plan_each(struct planning *p, struct rego_term *const *t, size_t n,
                      const struct rego_part **ret)
{
    struct rego_part *part = arena_new(p->c->arena, struct rego_part, n);
    if (!part)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct inside in;
        bool ok;
        if (t[i]->kind == REGO_TERM_SET_COMPREHENSION && t[i]->wrapped)
            ok = enter(p, &in) && plan_body(p, t[i]->compr.body) &&
                 operand(p, t[i]->compr.value, &part[i].value);
        else
            ok = enter(p, &in) && operand(p, t[i], &part[i].value);
        leave(p, &in);
        if (!ok)
            return false;
        part[i].body = in.chain.first;
    }
    *ret = part;
    return true;
}

static bool plan_template(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    const struct rego_part *part;
    if (!plan_each(p, t->parts.item, t->parts.n, &part))
        return false;
    struct rego_step *step = emit(p, REGO_STEP_TEMPLATE);
    if (!step)
        return false;
    step->parts.part = part;
    step->parts.n = t->parts.n;
    step->match = match;
    return true;
}

/* --- terms --- */

static bool into(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    if (++p->c->depth > REGO_DEPTH_MAX)
        return false;
    bool ok = false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_OBJECT:
    case REGO_TERM_VAR: {
        if (is_name(t, "input") || is_name(t, "data")) {
            ok = plan_ref(p, t, match);
            break;
        }
        if (!is_constant(t, REGO_DEPTH_MAX) && t->kind != REGO_TERM_VAR) {
            ok = t->kind == REGO_TERM_OBJECT ? plan_object(p, t, match) : plan_parts(p, t, match);
            break;
        }
        struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
        if (!one || !operand(p, t, one))
            break;
        struct rego_step *step = emit(p, REGO_STEP_MATCH);
        if (!step)
            break;
        step->arg = one;
        step->narg = 1;
        step->match = match;
        ok = true;
        break;
    }
    case REGO_TERM_REF:
        ok = plan_ref(p, t, match);
        break;
    case REGO_TERM_CALL:
        ok = plan_call(p, t, match);
        break;
    case REGO_TERM_TEMPLATE:
        ok = plan_template(p, t, match);
        break;
    default:
        ok = plan_comprehension(p, t, match);
        break;
    }
    p->c->depth--;
    return ok;
}

/* A term as a constant or a register, with the steps that fill it. */
static bool operand(struct planning *p, const struct rego_term *t, struct rego_operand *ret)
{
    struct rego_pattern match;
    struct value v;
    if (t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT) {
        if (is_free(p, t)) {
            rego_complain(p->c, "rego_unsafe_var_error", t->place, "var %.*s is unsafe",
                          STR_ARG(t->name));
            return false;
        }
        *ret = slot(t->slot);
        return true;
    }
    if (is_constant(t, REGO_DEPTH_MAX)) {
        if (!fold(p, t, &v, REGO_DEPTH_MAX)) {
            rego_complain(p->c, "rego_compile_error", t->place, "object keys must be unique");
            return false;
        }
        *ret = constant(v);
        return true;
    }
    /* The register only counts as bound once it is filled. */
    uint32_t i = rego_new_slot(p->c, STR("__local"), t->place, true);
    match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = slot(i)};
    *ret = slot(i);
    return into(p, t, match) && rego_slots_add(p->c, &p->bound, i);
}

/* --- unification --- */

static bool unify(struct planning *p, const struct rego_term *a, const struct rego_term *b);

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
            if (done[i] || (waits(p, a[i], REGO_DEPTH_MAX) && waits(p, b[i], REGO_DEPTH_MAX) &&
                            !(a[i]->kind == b[i]->kind && a[i]->kind != REGO_TERM_VAR)))
                continue;
            if (!unify(p, a[i], b[i]))
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
        return emit(p, REGO_STEP_FAIL) != NULL;
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
            return emit(p, REGO_STEP_FAIL) != NULL;
    }
    if (n != b->pairs.n)
        return emit(p, REGO_STEP_FAIL) != NULL;
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

static bool unify(struct planning *p, const struct rego_term *a, const struct rego_term *b)
{
    bool a_waits = waits(p, a, REGO_DEPTH_MAX), b_waits = waits(p, b, REGO_DEPTH_MAX);
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
    if (waits(p, to, REGO_DEPTH_MAX) && to->kind != REGO_TERM_VAR) {
        /* Steps of parts of the pattern come first, its variables are bound by the match. */
        struct rego_operand o;
        struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
        if (!one || !operand(p, from, &o) || !pattern(p, to, &match))
            return false;
        struct rego_step *step = emit(p, REGO_STEP_MATCH);
        if (!step)
            return false;
        *one = o;
        step->arg = one;
        step->narg = 1;
        step->match = match;
        return true;
    }
    if (is_free(p, to)) {
        match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = slot(to->slot)};
        return into(p, from, match) && rego_slots_add(p->c, &p->bound, to->slot);
    }
    struct rego_operand o;
    return operand(p, to, &o) && into(p, from, equal(o));
}

/* --- literals --- */

static bool is_operator(const struct rego_term *call, const char *name)
{
    const struct rego_term *op = call->parts.item[0];
    return op->kind == REGO_TERM_VAR && op->slot == REGO_NO_SLOT &&
           str_equal(op->name, str_from(name)) && call->parts.n == 3;
}

static bool test(struct planning *p, struct rego_operand o)
{
    struct rego_step *step = emit(p, REGO_STEP_TEST);
    struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
    if (!step || !one)
        return false;
    *one = o;
    step->arg = one;
    step->narg = 1;
    return true;
}

static bool plan_print(struct planning *p, const struct rego_term *call)
{
    const struct rego_part *part;
    if (!p->c->policy->options.keep_print)
        return true;
    if (!plan_each(p, call->parts.item + 1, call->parts.n - 1, &part))
        return false;
    struct rego_step *step = emit(p, REGO_STEP_PRINT);
    if (!step)
        return false;
    step->parts.part = part;
    step->parts.n = call->parts.n - 1;
    return true;
}

/* A call or term as a statement: defined and not false. */
static bool plan_statement(struct planning *p, const struct rego_term *t)
{
    if (t->kind == REGO_TERM_CALL) {
        if (is_operator(t, "eq") || is_operator(t, "assign") || is_operator(t, "equal"))
            return unify(p, t->parts.item[1], t->parts.item[2]);
        const struct rego_term *op = t->parts.item[0];
        if (is_name(op, "print"))
            return plan_print(p, t);
        const struct rego_node *node = rego_operator_node(p->c, op);
        const struct rego_builtin *builtin =
            node ? NULL : rego_builtin_find(rego_operator_name(p->c, op));
        if (!node && !builtin)
            return false;
        if (t->parts.n - 1 == arity_of(node, builtin, p->c) + 1)
            return plan_call(p, t, any());
    }
    struct rego_operand o;
    return operand(p, t, &o) && test(p, o);
}

/* The value of a statement of a query: `may_be_false` where it is the only one. */
struct wanted {
    struct rego_operand *value;
    bool may_be_false;
};

/* Is it more than true or undefined: not =, print(), or a call with its result behind the operands?
 */
static bool gives_value(struct planning *p, const struct rego_term *t)
{
    if (t->kind != REGO_TERM_CALL)
        return true;
    const struct rego_node *node = rego_operator_node(p->c, t->parts.item[0]);
    const struct rego_builtin *builtin =
        node ? NULL : rego_builtin_find(rego_operator_name(p->c, t->parts.item[0]));
    if (is_operator(t, "eq") || is_operator(t, "assign") || (!node && !builtin) ||
        (builtin && builtin->flags & REGO_VOID))
        return false;
    return t->parts.n - 1 <= arity_of(node, builtin, p->c);
}

static bool plan_wanted(struct planning *p, const struct rego_term *t, const struct wanted *wanted)
{
    return operand(p, t, wanted->value) && (wanted->may_be_false || test(p, *wanted->value));
}

/*
 * A negated statement: what its operands need is evaluated outside of the negation, but for refs
 * that are the statement itself or an operand of = (facts 5.7).
 */
static bool hoist(struct planning *p, const struct rego_term *t, struct rego_term *ret)
{
    struct rego_operand o;
    *ret = *t;
    if (t->kind == REGO_TERM_REF) { /* its keys outside, itself inside */
        struct rego_term **parts = arena_new(p->c->arena, struct rego_term *, t->parts.n);
        struct rego_term *copies = arena_new(p->c->arena, struct rego_term, t->parts.n);
        if (!parts || !copies)
            return false;
        for (size_t i = 0; i < t->parts.n; i++) {
            const struct rego_term *part = t->parts.item[i];
            copies[i] = *part;
            parts[i] = &copies[i];
            if (i == 0 && part->kind == REGO_TERM_VAR)
                continue;
            if (part->kind == REGO_TERM_VALUE || is_free(p, part))
                continue;
            if (!operand(p, part, &o))
                return false;
            copies[i] = (struct rego_term){.kind = REGO_TERM_VAR, .place = part->place};
            copies[i].name = STR("__local");
            copies[i].slot = o.slot;
            if (o.slot == REGO_NO_SLOT) {
                copies[i].kind = REGO_TERM_VALUE;
                copies[i].value = o.constant;
            }
        }
        ret->parts.item = parts;
        return true;
    }
    if (t->kind == REGO_TERM_VAR || t->kind == REGO_TERM_VALUE)
        return true;
    if (!operand(p, t, &o))
        return false;
    if (o.slot == REGO_NO_SLOT) {
        ret->kind = REGO_TERM_VALUE;
        ret->value = o.constant;
    } else {
        ret->kind = REGO_TERM_VAR;
        ret->name = STR("__local");
        ret->slot = o.slot;
    }
    return true;
}

static bool plan_negated(struct planning *p, const struct rego_term *t)
{
    struct rego_term inner = *t;
    struct inside in;
    if (t->kind == REGO_TERM_CALL) {
        bool equality = is_operator(t, "eq") || is_operator(t, "equal");
        struct rego_term **parts = arena_new(p->c->arena, struct rego_term *, t->parts.n);
        struct rego_term *copies = arena_new(p->c->arena, struct rego_term, t->parts.n);
        if (!parts || !copies)
            return false;
        parts[0] = t->parts.item[0];
        for (size_t i = 1; i < t->parts.n; i++) {
            const struct rego_term *arg = t->parts.item[i];
            parts[i] = &copies[i];
            if (equality || arg->kind != REGO_TERM_REF) {
                if (!hoist(p, arg, &copies[i]))
                    return false;
                continue;
            }
            struct rego_operand o;
            if (!operand(p, arg, &o))
                return false;
            copies[i] = (struct rego_term){.kind = REGO_TERM_VAR, .place = arg->place};
            copies[i].name = STR("__local");
            copies[i].slot = o.slot;
        }
        inner.parts.item = parts;
    } else if (!hoist(p, t, &inner)) {
        return false;
    }
    bool ok = enter(p, &in) && plan_statement(p, &inner);
    leave(p, &in);
    struct rego_step *step = ok ? emit(p, REGO_STEP_NOT) : NULL;
    if (step)
        step->sub.body = in.chain.first;
    return step != NULL;
}

static bool plan_some(struct planning *p, const struct rego_expr *e)
{
    const struct rego_term *member = e->some.symbol[0];
    struct rego_operand domain;
    struct rego_pattern key = any(), value;
    if (member->kind != REGO_TERM_CALL)
        return true;
    size_t n = member->parts.n;
    if (!operand(p, member->parts.item[n - 1], &domain) ||
        (n == 4 && !pattern(p, member->parts.item[1], &key)) ||
        !pattern(p, member->parts.item[n - 2], &value))
        return false;
    struct rego_step *step = emit(p, REGO_STEP_REF);
    struct rego_pattern *at = arena_new(p->c->arena, struct rego_pattern, 1);
    if (!step || !at)
        return false;
    at[0] = key;
    step->ref.base = REGO_BASE_OPERAND;
    step->ref.of = domain;
    step->ref.at = at;
    step->ref.n = 1;
    step->match = value;
    return true;
}

static bool plan_every(struct planning *p, const struct rego_expr *e)
{
    struct rego_operand *domain = arena_new(p->c->arena, struct rego_operand, 1);
    struct rego_pattern key = any(), value;
    struct inside in;
    if (!domain || !operand(p, e->every.domain, domain))
        return false;
    bool ok = enter(p, &in) && (!e->every.key || pattern(p, e->every.key, &key)) &&
              pattern(p, e->every.value, &value) && plan_body(p, e->every.body);
    leave(p, &in);
    struct rego_step *step = ok ? emit(p, REGO_STEP_EVERY) : NULL;
    if (!step)
        return false;
    step->arg = domain;
    step->narg = 1;
    step->sub.body = in.chain.first;
    step->sub.key = key;
    step->sub.value = value;
    return true;
}

static bool plan_inner(struct planning *p, const struct rego_body *body,
                       const struct rego_step **ret)
{
    struct inside in;
    bool ok = enter(p, &in) && plan_body(p, body);
    leave(p, &in);
    *ret = in.chain.first;
    return ok;
}

/* wanted: what the value goes to; or NULL */
static bool plan_plain(struct planning *p, const struct rego_expr *e, const struct wanted *wanted)
{
    const struct rego_step *left, *right = NULL;
    switch (e->kind) {
    case REGO_EXPR_SOME:
        return plan_some(p, e);
    case REGO_EXPR_EVERY:
        return plan_every(p, e);
    case REGO_EXPR_LOGIC:
    case REGO_EXPR_NOT_BODY: {
        bool logic = e->kind == REGO_EXPR_LOGIC;
        if (!plan_inner(p, logic ? e->logic.left : e->body, &left) ||
            (logic && !plan_inner(p, e->logic.right, &right)))
            return false;
        struct rego_step *step = emit(p, !logic           ? REGO_STEP_NOT
                                         : e->logic.is_or ? REGO_STEP_OR
                                                          : REGO_STEP_AND);
        if (!step)
            return false;
        step->sub.body = left;
        step->sub.other = right;
        return true;
    }
    default:
        if (wanted && !e->negated && gives_value(p, e->term))
            return plan_wanted(p, e->term, wanted);
        return e->negated ? plan_negated(p, e->term) : plan_statement(p, e->term);
    }
}

/* --- with --- */

static bool constant_path(struct planning *p, const struct rego_term *t, struct rego_change *change)
{
    size_t n = t->kind == REGO_TERM_REF ? t->parts.n - 1 : 0;
    struct value *path = arena_new(p->c->arena, struct value, n);
    if (!path)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (t->parts.item[i + 1]->kind != REGO_TERM_VALUE) {
            rego_complain(p->c, "rego_type_error", t->place,
                          "with keyword target must be a ref of constants");
            return false;
        }
        path[i] = t->parts.item[i + 1]->value;
    }
    change->path = path;
    change->npath = n;
    return true;
}

/* A function as the replacement of another. */
static bool replacement(struct planning *p, const struct rego_term *value,
                        struct rego_change *change)
{
    if (value->kind == REGO_TERM_REF || value->kind == REGO_TERM_VAR) {
        struct rego_node *node = rego_operator_node(p->c, value);
        if (node && node->kind == REGO_HEAD_FUNCTION) {
            change->by_node = node;
            return true;
        }
        struct str name = rego_operator_name(p->c, value);
        bool local = value->kind == REGO_TERM_VAR && value->slot != REGO_NO_SLOT;
        const struct rego_builtin *builtin = local ? NULL : rego_builtin_find(name);
        if (builtin && !node) {
            struct rego_signature *signature = arena_new(p->c->arena, struct rego_signature, 1);
            change->by_builtin = builtin;
            change->by_signature = signature;
            return signature && rego_signature_parse(p->c->arena, builtin->signature, signature);
        }
    }
    return operand(p, value, &change->value);
}

static bool plan_change(struct planning *p, const struct rego_with *with,
                        struct rego_change *change)
{
    const struct rego_term *target = with->target;
    const struct rego_term *head = target->kind == REGO_TERM_REF ? target->parts.item[0] : target;
    struct rego_node *node = rego_operator_node(p->c, target);
    if (is_name(head, "input") ||
        (is_name(head, "data") && !(node && node->kind == REGO_HEAD_FUNCTION))) {
        change->kind = is_name(head, "input") ? REGO_CHANGE_INPUT : REGO_CHANGE_DATA;
        if (!constant_path(p, target, change))
            return false;
        change->node = change->kind == REGO_CHANGE_DATA ? p->c->policy->root : NULL;
        for (size_t i = 0; i < change->npath && change->node; i++)
            change->node = rego_child(change->node, &change->path[i]);
        return operand(p, with->value, &change->value);
    }
    change->kind = REGO_CHANGE_FUNCTION;
    change->node = node;
    change->builtin = node ? NULL : rego_builtin_find(rego_operator_name(p->c, target));
    if (!node && !change->builtin) {
        rego_complain(p->c, "rego_type_error", target->place,
                      "with keyword target must reference existing input, data, or a function");
        return false;
    }
    return replacement(p, with->value, change);
}

static bool plan_with(struct planning *p, const struct rego_expr *e, const struct wanted *wanted)
{
    struct rego_change *change = arena_new(p->c->arena, struct rego_change, e->nwith);
    if (!change)
        return false;
    for (size_t i = 0; i < e->nwith; i++)
        if (!plan_change(p, &e->with[i], &change[i]))
            return false;
    /* What the literal binds stays bound behind it: the chain alone is a new one. */
    struct chain chain, *before = p->chain;
    start(&chain);
    p->chain = &chain;
    bool ok = plan_plain(p, e, wanted);
    p->chain = before;
    struct rego_step *step = ok ? emit(p, REGO_STEP_WITH) : NULL;
    if (!step)
        return false;
    step->with.body = chain.first;
    step->with.change = change;
    step->with.n = e->nwith;
    return true;
}

static bool plan_expr(struct planning *p, const struct rego_expr *e, const struct wanted *wanted)
{
    return e->nwith ? plan_with(p, e, wanted) : plan_plain(p, e, wanted);
}

static bool plan_body(struct planning *p, const struct rego_body *body)
{
    for (size_t i = 0; i < body->n; i++) {
        p->place = body->expr[i]->place;
        if (!plan_expr(p, body->expr[i], NULL))
            return false;
    }
    return true;
}

/* --- rules and queries --- */

static bool plan_head(struct planning *p, const struct rego_rule *rule, struct rego_definition *d,
                      size_t ntail)
{
    const struct rego_head *head = &rule->head;
    struct rego_operand *tail = arena_new(p->c->arena, struct rego_operand, ntail);
    if (!tail)
        return false;
    for (size_t i = 0; i < ntail; i++)
        if (!operand(p, head->ref[head->nref - ntail + i], &tail[i]))
            return false;
    d->tail = tail;
    d->ntail = ntail;
    d->key = d->value = constant(value_bool(true));
    if (head->key && !operand(p, head->key, &d->key))
        return false;
    if (head->value && !operand(p, head->value, &d->value))
        return false;
    d->constant = head->kind != REGO_HEAD_SET && !ntail && d->value.slot == REGO_NO_SLOT;
    return true;
}

static bool plan_args(struct planning *p, const struct rego_rule *rule, struct rego_definition *d)
{
    struct rego_pattern *arg = arena_new(p->c->arena, struct rego_pattern, rule->head.narg);
    if (!arg)
        return false;
    for (size_t i = 0; i < rule->head.narg; i++)
        if (!pattern(p, rule->head.arg[i], &arg[i]))
            return false;
    d->arg = arg;
    d->narg = rule->head.narg;
    return true;
}

bool rego_plan_rule(struct rego_compiler *c, struct rego_rule *rule,
                    struct rego_definition *definition)
{
    uint32_t most = 0;
    struct rego_definition *first = definition;
    size_t ntail = definition->ntail;
    for (; rule; rule = rule->else_) {
        struct chain chain;
        struct planning p = {.c = c, .chain = &chain, .place = rule->place};
        start(&chain);
        definition->rule = rule;
        definition->node = first->node;
        if (!rego_slots_make(c, &p.bound) || !plan_args(&p, rule, definition) ||
            (rule->body && !plan_body(&p, rule->body)) || !plan_head(&p, rule, definition, ntail))
            return false;
        definition->body = chain.first;
        if (c->variables.n > most)
            most = c->variables.n;
        if (rule->else_) {
            struct rego_definition *next = arena_new(c->arena, struct rego_definition, 1);
            if (!next)
                return false;
            definition->else_ = next;
            definition = next;
        }
    }
    for (struct rego_definition *d = first; d; d = (struct rego_definition *)(uintptr_t)d->else_)
        d->nslots = most;
    return true;
}

/* The statements of a query: what each gives is part of the answer; a term may be false. */
static bool plan_statements(struct planning *p, const struct rego_body *body,
                            struct rego_operand *value)
{
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *e = body->expr[i];
        p->place = e->place;
        struct wanted wanted = {&value[e->index], body->n == 1};
        value[e->index] = constant(value_bool(true));
        if (!plan_expr(p, e, &wanted))
            return false;
    }
    return true;
}

bool rego_plan_query(struct rego_compiler *c, struct rego_body *body, struct rego_query *query)
{
    struct chain chain;
    struct planning p = {.c = c, .chain = &chain};
    struct rego_operand *value = arena_new(c->arena, struct rego_operand, body->n);
    start(&chain);
    if (!value || !rego_slots_make(c, &p.bound) || !plan_statements(&p, body, value))
        return false;
    query->body = chain.first;
    query->nslots = c->variables.n;
    query->value = value;
    query->nvalues = body->n;
    return true;
}
