/* plan.c - rules, queries and the literals of their bodies to chains of steps. */
#include "lang/rego/plan.h"

/* --- literals --- */

static bool is_operator(const struct rego_term *call, const char *name)
{
    const struct rego_term *op = call->parts.item[0];
    return op->kind == REGO_TERM_VAR && op->slot == REGO_NO_SLOT &&
           str_equal(op->name, str_from(name)) && call->parts.n == 3;
}

static bool test(struct planning *p, struct rego_operand o)
{
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_TEST);
    struct rego_operand *one = arena_new(p->c->arena, struct rego_operand, 1);
    if (!step || !one)
        return false;
    *one = o;
    step->arg = one;
    step->narg = 1;
    rego_plan_select(p);
    return true;
}

static bool plan_print(struct planning *p, const struct rego_term *call)
{
    const struct rego_part *part;
    if (!p->c->policy->options.keep_print)
        return true;
    if (!rego_plan_each(p, call->parts.item + 1, call->parts.n - 1, &part))
        return false;
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_PRINT);
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
            return rego_plan_unify(p, t->parts.item[1], t->parts.item[2]);
        const struct rego_term *op = t->parts.item[0];
        if (rego_plan_is_name(op, "print"))
            return plan_print(p, t);
        const struct rego_node *node = rego_operator_node(p->c, op);
        const struct rego_builtin *builtin =
            node ? NULL : rego_known_builtin(p->c, rego_operator_name(p->c, op));
        if (!node && !builtin)
            return false;
        if (t->parts.n - 1 == rego_plan_arity(node, builtin, p->c) + 1)
            return rego_plan_call(p, t, rego_plan_any());
    }
    struct rego_operand o;
    return rego_plan_operand(p, t, &o) && test(p, o);
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
        node ? NULL : rego_known_builtin(p->c, rego_operator_name(p->c, t->parts.item[0]));
    if (is_operator(t, "eq") || is_operator(t, "assign") || (!node && !builtin) ||
        (builtin && builtin->flags & REGO_VOID))
        return false;
    return t->parts.n - 1 <= rego_plan_arity(node, builtin, p->c);
}

static bool plan_wanted(struct planning *p, const struct rego_term *t, const struct wanted *wanted)
{
    return rego_plan_operand(p, t, wanted->value) &&
           (wanted->may_be_false || test(p, *wanted->value));
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
            if (part->kind == REGO_TERM_VALUE || rego_plan_is_free(p, part))
                continue;
            if (!rego_plan_operand(p, part, &o))
                return false;
            copies[i] = (struct rego_term){.kind = REGO_TERM_VAR, .place = part->place};
            copies[i].name = STR(REGO_LOCAL_NAME);
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
    if (!rego_plan_operand(p, t, &o))
        return false;
    if (o.slot == REGO_NO_SLOT) {
        ret->kind = REGO_TERM_VALUE;
        ret->value = o.constant;
    } else {
        ret->kind = REGO_TERM_VAR;
        ret->name = STR(REGO_LOCAL_NAME);
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
            if (!rego_plan_operand(p, arg, &o))
                return false;
            copies[i] = (struct rego_term){.kind = REGO_TERM_VAR, .place = arg->place};
            copies[i].name = STR(REGO_LOCAL_NAME);
            copies[i].slot = o.slot;
        }
        inner.parts.item = parts;
    } else if (!hoist(p, t, &inner)) {
        return false;
    }
    rego_plan_enter(p, &in);
    bool ok = plan_statement(p, &inner);
    rego_plan_leave(p, &in);
    struct rego_step *step = ok ? rego_plan_emit(p, REGO_STEP_NOT) : NULL;
    if (step)
        step->sub.body = in.chain.first;
    return step != NULL;
}

static bool plan_some(struct planning *p, const struct rego_expr *e)
{
    const struct rego_term *member = e->some.symbol[0];
    struct rego_operand domain;
    struct rego_pattern key = rego_plan_any(), value;
    if (member->kind != REGO_TERM_CALL)
        return true;
    size_t n = member->parts.n;
    if (!rego_plan_operand(p, member->parts.item[n - 1], &domain) ||
        (n == 4 && !rego_plan_pattern(p, member->parts.item[1], &key)) ||
        !rego_plan_pattern(p, member->parts.item[n - 2], &value))
        return false;
    struct rego_step *step = rego_plan_emit(p, REGO_STEP_REF);
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
    struct rego_pattern key = rego_plan_any(), value;
    struct inside in;
    if (!domain || !rego_plan_operand(p, e->every.domain, domain))
        return false;
    rego_plan_enter(p, &in);
    bool ok = (!e->every.key || rego_plan_pattern(p, e->every.key, &key)) &&
              rego_plan_pattern(p, e->every.value, &value) && rego_plan_body(p, e->every.body);
    rego_plan_leave(p, &in);
    struct rego_step *step = ok ? rego_plan_emit(p, REGO_STEP_EVERY) : NULL;
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
    rego_plan_enter(p, &in);
    bool ok = rego_plan_body(p, body);
    rego_plan_leave(p, &in);
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
        struct rego_step *step = rego_plan_emit(p, !logic           ? REGO_STEP_NOT
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
        const struct rego_builtin *builtin = local ? NULL : rego_known_builtin(p->c, name);
        if (builtin && !node) {
            change->by_builtin = builtin;
            change->by_signature = rego_signature_of(p->c, builtin->signature);
            return change->by_signature != NULL;
        }
    }
    return rego_plan_operand(p, value, &change->value);
}

static bool plan_change(struct planning *p, const struct rego_with *with,
                        struct rego_change *change)
{
    const struct rego_term *target = with->target;
    const struct rego_term *head = target->kind == REGO_TERM_REF ? target->parts.item[0] : target;
    struct rego_node *node = rego_operator_node(p->c, target);
    if (rego_plan_is_name(head, "input") ||
        (rego_plan_is_name(head, "data") && !(node && node->kind == REGO_HEAD_FUNCTION))) {
        change->kind = rego_plan_is_name(head, "input") ? REGO_CHANGE_INPUT : REGO_CHANGE_DATA;
        if (!constant_path(p, target, change))
            return false;
        change->node = change->kind == REGO_CHANGE_DATA ? p->c->policy->root : NULL;
        for (size_t i = 0; i < change->npath && change->node; i++)
            change->node = rego_child(change->node, &change->path[i]);
        return rego_plan_operand(p, with->value, &change->value);
    }
    change->kind = REGO_CHANGE_FUNCTION;
    change->node = node;
    change->builtin = node ? NULL : rego_known_builtin(p->c, rego_operator_name(p->c, target));
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
    rego_plan_start(&chain);
    p->chain = &chain;
    bool ok = plan_plain(p, e, wanted);
    p->chain = before;
    struct rego_step *step = ok ? rego_plan_emit(p, REGO_STEP_WITH) : NULL;
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

/* With coverage: a counter for a place, which the steps behind it are of. */
static bool plan_cover(struct planning *p, struct rego_place place, bool optional, bool head)
{
    struct rego_policy *policy = p->c->policy;
    if (!policy->options.coverage || !p->c->unit)
        return true;
    struct rego_cover *grown = arena_grow(&policy->arena, policy->cover, policy->ncovers,
                                          &policy->cover_room, policy->ncovers + 1);
    struct rego_step *step = grown ? rego_plan_emit(p, REGO_STEP_COVER) : NULL;
    if (!step)
        return false;
    policy->cover = grown;
    step->cover.counter = (uint32_t)policy->ncovers;
    grown[policy->ncovers++] = (struct rego_cover){p->c->unit->module, place, optional, head};
    return true;
}

bool rego_plan_body(struct planning *p, const struct rego_body *body)
{
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *e = body->expr[i];
        p->place = e->place;
        bool some = e->kind == REGO_EXPR_SOME;
        bool declares = some && e->some.symbol[0]->kind != REGO_TERM_CALL; /* nothing to evaluate */
        if ((!declares && !plan_cover(p, e->place, some, false)) || !plan_expr(p, e, NULL))
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
        if (!rego_plan_operand(p, head->ref[head->nref - ntail + i], &tail[i]))
            return false;
    d->tail = tail;
    d->ntail = ntail;
    d->key = d->value = rego_plan_constant(value_bool(true));
    if (head->key && !rego_plan_operand(p, head->key, &d->key))
        return false;
    if (head->value && !rego_plan_operand(p, head->value, &d->value))
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
        if (!rego_plan_pattern(p, rule->head.arg[i], &arg[i]))
            return false;
    d->arg = arg;
    d->narg = rule->head.narg;
    return true;
}

/* The head of a further body, `{...} {...}`, is that body. */
static struct rego_place cover_head(const struct rego_rule *rule)
{
    struct rego_place head = rule->head.place;
    return rule->place.start > head.end ? rule->place : head;
}

bool rego_plan_rule(struct rego_compiler *c, struct rego_rule *rule,
                    struct rego_definition *definition)
{
    uint32_t most = 0;
    struct rego_definition *first = definition;
    size_t ntail = definition->ntail;
    struct planning p = {.c = c};
    if (!rego_slots_make(c, &p.bound))
        return false;
    for (; rule; rule = rule->else_) {
        struct inside in;
        p.place = rule->place;
        rego_plan_enter(&p, &in);
        definition->rule = rule;
        definition->node = first->node;
        if (!plan_args(&p, rule, definition) || (rule->body && !rego_plan_body(&p, rule->body)) ||
            !plan_head(&p, rule, definition, ntail) ||
            !plan_cover(&p, cover_head(rule), false, true))
            return false;
        rego_plan_leave(&p, &in);
        definition->body = in.chain.first;
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
static bool plan_statements(struct planning *p, const struct rego_body *body, size_t n,
                            struct rego_operand *value)
{
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *e = body->expr[i];
        p->place = e->place;
        struct wanted wanted = {&value[e->index], n == 1};
        if (e->index != REGO_NO_INDEX)
            value[e->index] = rego_plan_constant(value_bool(true));
        if (!plan_expr(p, e, e->index == REGO_NO_INDEX ? NULL : &wanted))
            return false;
    }
    return true;
}

bool rego_plan_query(struct rego_compiler *c, struct rego_body *body, struct rego_query *query)
{
    struct chain chain;
    struct planning p = {.c = c, .chain = &chain};
    struct rego_operand *value = arena_new(c->arena, struct rego_operand, body->n);
    size_t n = 0; /* as written */
    for (size_t i = 0; i < body->n; i++)
        n += body->expr[i]->index != REGO_NO_INDEX;
    rego_plan_start(&chain);
    if (!value || !rego_slots_make(c, &p.bound) || !plan_statements(&p, body, n, value))
        return false;
    query->body = chain.first;
    query->nslots = c->variables.n;
    query->value = value;
    query->nvalues = n;
    return true;
}
