/* plan_term.c - terms to steps: refs, calls, collections, comprehensions, templates. */
#include <string.h>

#include "lang/rego/plan.h"

/* --- refs --- */

bool rego_plan_is_name(const struct rego_term *t, const char *name)
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
    if (rego_plan_is_name(head, "input")) {
        step->ref.base = REGO_BASE_INPUT;
        return true;
    }
    if (rego_plan_is_name(head, "data")) {
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
    return rego_plan_operand(p, head, &step->ref.of);
}

/* A key that no step is needed for. */
static bool is_simple(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VALUE || (t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT);
}

/* One way through a plain value needs no walk. */
static bool is_lookup(const struct rego_step *step)
{
    for (size_t i = 0; i < step->ref.n; i++)
        if (step->ref.at[i].kind != REGO_MATCH_EQUAL)
            return false;
    return step->ref.base != REGO_BASE_DATA;
}

static bool emit_ref(struct planning *p, const struct rego_step *made, struct rego_pattern *at,
                     size_t n, struct rego_pattern match)
{
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_REF);
    if (!step)
        return false;
    for (size_t i = 0; i < n; i++)
        if (at[i].kind == REGO_MATCH_EQUAL && at[i].operand.slot == REGO_NO_SLOT &&
            at[i].operand.constant.kind == VALUE_STRING)
            at[i].hint = ++*p->c->nhints;
    step->ref = made->ref;
    step->ref.at = at;
    step->ref.n = n;
    step->match = match;
    if (is_lookup(step))
        step->kind = REGO_STEP_GET;
    rego_plan_select(p);
    return true;
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
        if (!is_simple(part) && !rego_plan_is_constant(part, REGO_DEPTH_MAX) && binds) {
            /* Its steps use what the keys before bind: the ref goes in two halves. */
            struct rego_pattern half;
            struct rego_operand o;
            if (!rego_plan_fresh(p, &o, &half) || !emit_ref(p, &made, at, nat, half))
                return false;
            made.ref.base = REGO_BASE_OPERAND;
            made.ref.of = o;
            at = arena_new(p->c->arena, struct rego_pattern, n - i);
            nat = 0;
            binds = false;
            if (!at)
                return false;
        }
        binds |= rego_plan_waits(p, part, REGO_DEPTH_MAX);
        if (!rego_plan_pattern(p, part, &at[nat++]))
            return false;
    }
    return emit_ref(p, &made, at, nat, match);
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
        if (!rego_afford(p->c, n))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (done[i] || rego_plan_is_stuck(p, t[i], true))
                continue;
            if (!rego_plan_operand(p, t[i], &list[i]))
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
    step->call.builtin = builtin;
    step->call.signature = rego_signature_of(p->c, builtin->signature);
    if (!step->call.signature)
        return false;
    if (builtin->flags & REGO_RELATION)
        step->kind = REGO_STEP_RELATION;
    return true;
}

size_t rego_plan_arity(const struct rego_node *node, const struct rego_builtin *builtin,
                       struct rego_compiler *c)
{
    if (node)
        return node->narg;
    const struct rego_signature *signature = rego_signature_of(c, builtin->signature);
    return signature ? signature->nargs : 0;
}

/* A call whose result goes to match; with one argument more than it takes, that is what it must be.
 */
bool rego_plan_call(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    const struct rego_term *op = t->parts.item[0];
    const struct rego_node *node = rego_operator_node(p->c, op);
    const struct rego_builtin *builtin =
        node ? NULL : rego_known_builtin(p->c, rego_operator_name(p->c, op));
    const struct rego_operand *args;
    size_t n = t->parts.n - 1;
    struct rego_pattern result = match;
    if (!node && !builtin)
        return false; /* complained of before */
    size_t arity = rego_plan_arity(node, builtin, p->c);
    bool more = n == arity + 1 && !(builtin && builtin->flags & REGO_VOID);
    if (!operands(p, t->parts.item + 1, more ? n - 1 : n, &args))
        return false;
    if (more && !rego_plan_pattern(p, t->parts.item[n], &result))
        return false;
    struct rego_step *step = rego_plan_emit(p, node ? REGO_STEP_FUNCTION : REGO_STEP_BUILTIN);
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
        struct rego_step *set = rego_plan_emit(p, REGO_STEP_MATCH);
        struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
        if (!set || !one)
            return false;
        *one = rego_plan_constant(value_bool(true));
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
    struct rego_step *step =
        rego_plan_emit(p, t->kind == REGO_TERM_SET ? REGO_STEP_SET : REGO_STEP_ARRAY);
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
    /* Of equal keys the last one counts, and one that is only known now comes after those written.
     */
    size_t n = 0;
    for (int written = 1; written >= 0; written--)
        for (size_t i = 0; i < t->pairs.n; i++)
            if (rego_plan_is_constant(t->pairs.item[i].key, REGO_DEPTH_MAX) == (written == 1)) {
                parts[n++] = t->pairs.item[i].key;
                parts[n++] = t->pairs.item[i].value;
            }
    if (!operands(p, parts, n, &args))
        return false;
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_OBJECT);
    if (!step)
        return false;
    step->arg = args;
    step->narg = n;
    step->match = match;
    return true;
}

/* --- bodies within --- */

void rego_plan_enter(struct planning *p, struct inside *in)
{
    in->before = p->chain;
    in->nlog = p->nlog;
    rego_plan_start(&in->chain);
    p->chain = &in->chain;
}

/* What was bound inside is free again outside. */
void rego_plan_leave(struct planning *p, struct inside *in)
{
    p->chain = in->before;
    rego_plan_unbind(p, in->nlog);
}

static bool plan_comprehension(struct planning *p, const struct rego_term *t,
                               struct rego_pattern match)
{
    struct inside in;
    struct rego_operand key = {.slot = REGO_NO_SLOT}, value = key;
    rego_plan_enter(p, &in);
    bool ok = rego_plan_body(p, t->compr.body) &&
              (!t->compr.key || rego_plan_operand(p, t->compr.key, &key)) &&
              rego_plan_operand(p, t->compr.value, &value);
    rego_plan_leave(p, &in);
    struct rego_step *step = ok ? rego_plan_emit(p, REGO_STEP_COMPREHENSION) : NULL;
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
bool rego_plan_each(struct planning *p, struct rego_term *const *t, size_t n,
                    const struct rego_part **ret)
{
    struct rego_part *part = arena_new(p->c->arena, struct rego_part, n);
    if (!part)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct inside in;
        bool wrapped = t[i]->kind == REGO_TERM_SET_COMPREHENSION && t[i]->wrapped;
        rego_plan_enter(p, &in);
        bool ok = (!wrapped || rego_plan_body(p, t[i]->compr.body)) &&
                  rego_plan_operand(p, wrapped ? t[i]->compr.value : t[i], &part[i].value);
        rego_plan_leave(p, &in);
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
    if (!rego_plan_each(p, t->parts.item, t->parts.n, &part))
        return false;
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_TEMPLATE);
    if (!step)
        return false;
    step->parts.part = part;
    step->parts.n = t->parts.n;
    step->match = match;
    return true;
}

/* --- terms --- */

bool rego_plan_into(struct planning *p, const struct rego_term *t, struct rego_pattern match)
{
    if (++p->c->depth > REGO_DEPTH_MAX || !rego_afford(p->c, 1))
        return false;
    bool ok = false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_OBJECT:
    case REGO_TERM_VAR: {
        if (rego_plan_is_name(t, "input") || rego_plan_is_name(t, "data")) {
            ok = plan_ref(p, t, match);
            break;
        }
        if (!rego_plan_is_constant(t, REGO_DEPTH_MAX) && t->kind != REGO_TERM_VAR) {
            ok = t->kind == REGO_TERM_OBJECT ? plan_object(p, t, match) : plan_parts(p, t, match);
            break;
        }
        struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
        if (!one || !rego_plan_operand(p, t, one))
            break;
        struct rego_step *step = rego_plan_emit(p, REGO_STEP_MATCH);
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
        ok = rego_plan_call(p, t, match);
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
bool rego_plan_operand(struct planning *p, const struct rego_term *t, struct rego_operand *ret)
{
    struct rego_pattern match;
    struct value v;
    if (t->kind == REGO_TERM_VAR && t->slot != REGO_NO_SLOT) {
        if (rego_plan_is_free(p, t)) {
            rego_complain(p->c, "rego_unsafe_var_error", t->place, "var %.*s is unsafe",
                          STR_ARG(t->name));
            return false;
        }
        *ret = rego_plan_slot(t->slot);
        return true;
    }
    if (rego_plan_is_constant(t, REGO_DEPTH_MAX)) {
        if (!rego_plan_fold(p, t, &v, REGO_DEPTH_MAX))
            return false;
        *ret = rego_plan_constant(v);
        return true;
    }
    /* The register only counts as bound once it is filled. */
    uint32_t i = rego_new_slot(p->c, STR(REGO_LOCAL_NAME), t->place, true);
    match = (struct rego_pattern){.kind = REGO_MATCH_BIND, .operand = rego_plan_slot(i)};
    *ret = rego_plan_slot(i);
    return rego_plan_into(p, t, match) && rego_plan_bind(p, i);
}
