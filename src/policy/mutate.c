/* mutate.c - mutants of rules: made one by one, and judged by the tests of their rule. */
#include "policy/mutate.h"

#include <stdlib.h>

#include "base/err.h"
#include "policy/rule_judge.h"

/* X(constant, words) */
#define MUTATIONS(X) \
    X(MUTATION_NEGATED, "negated") \
    X(MUTATION_DROPPED, "left out") \
    X(MUTATION_VALUE, "a value left out") \
    X(MUTATION_UP, "one more") \
    X(MUTATION_DOWN, "one less")

#define X(constant, words) constant,
enum mutation { MUTATIONS(X) MUTATION_COUNT };
#undef X

struct mutator {
    struct arena *arena; /* of what is kept */
    struct arena *each;  /* emptied for each mutant */
    const struct rule *rule;
    struct rule_test *test; /* those of the rule */
    size_t ntests;
    const struct condition **node; /* of the rule, one for each text */
    size_t nnodes, room;
    struct rule_mutants *ret;
};

/* What is changed: all conditions that are the same text as `node`. */
struct edit {
    const struct condition *node;
    enum mutation how;
    size_t value; /* MUTATION_VALUE: which one of the operand */
};

/* Of `path: [a, b]` all copies, whose operand is one text. */
static bool same_place(const struct condition *a, const struct condition *b)
{
    return a->at.line == b->at.line && a->at.column == b->at.column && a->kind == b->kind &&
           a->op == b->op;
}

static bool same_text(const struct condition *a, const struct condition *b)
{
    return same_place(a, b) && str_equal(a->path_text, b->path_text);
}

static bool is_hit(const struct edit *edit, const struct condition *c)
{
    bool whole = edit->how == MUTATION_NEGATED || edit->how == MUTATION_DROPPED;
    return whole ? same_text(c, edit->node) : same_place(c, edit->node);
}

/* --- what there is to change --- */

static bool collect(struct mutator *m, const struct condition *c)
{
    bool known = false;
    for (size_t i = 0; i < m->nnodes && !known; i++)
        known = same_text(m->node[i], c);
    if (!known) {
        const struct condition **grown =
            arena_grow(m->arena, m->node, m->nnodes, &m->room, m->nnodes + 1);
        if (!grown)
            return false;
        m->node = grown;
        m->node[m->nnodes++] = c;
    }
    for (size_t i = 0; i < c->nparts; i++)
        if (!collect(m, &c->part[i]))
            return false;
    return true;
}

/* --- making one --- */

static void change_operand(const struct edit *edit, struct arena *arena, struct condition *c,
                           bool *ok)
{
    int64_t n;
    if (edit->how == MUTATION_UP || edit->how == MUTATION_DOWN) {
        if (value_to_int64(&c->operand, &n))
            c->operand = value_int(edit->how == MUTATION_UP ? n + 1 : n - 1);
        return;
    }
    struct value *items = arena_new(arena, struct value, c->operand.len);
    size_t left = 0;
    *ok &= items != NULL;
    for (size_t i = 0; items && i < c->operand.len; i++)
        if (i != edit->value)
            items[left++] = c->operand.items[i];
    if (items)
        c->operand = value_items((enum value_kind)c->operand.kind, items, left);
}

static bool copy(struct arena *arena, const struct condition *c, const struct edit *edit,
                 struct condition *ret)
{
    bool hit = is_hit(edit, c), ok = true;
    struct condition *parts = c->nparts ? arena_new(arena, struct condition, c->nparts) : NULL;
    if (c->nparts && !parts)
        return false;
    *ret = *c;
    ret->part = parts;
    ret->nparts = 0;
    for (size_t i = 0; i < c->nparts && ok; i++)
        if (edit->how != MUTATION_DROPPED || !same_text(&c->part[i], edit->node))
            ok = copy(arena, &c->part[i], edit, &parts[ret->nparts++]);
    if (!ok || !hit || edit->how == MUTATION_DROPPED)
        return ok;
    if (edit->how != MUTATION_NEGATED) {
        change_operand(edit, arena, ret, &ok);
        return ok;
    }
    struct condition *inner = arena_new(arena, struct condition, 1);
    if (!inner)
        return false;
    *inner = *ret;
    *ret = (struct condition){.kind = CONDITION_NONE, .part = inner, .nparts = 1, .at = c->at};
    return true;
}

/* --- judging one --- */

/* Gives the mutant its place among the results. */
static bool judge(struct mutator *m, const struct rule *mutant, struct location at, struct str text,
                  struct err *err)
{
    struct rule_mutants *all = m->ret;
    struct rule_mutant *grown = arena_grow(m->arena, all->item, all->n, &all->room, all->n + 1);
    if (!grown || !text.ptr)
        return arena_full(m->arena, err);
    if (all->n == MUTANTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d mutants", MUTANTS_MAX);
    all->item = grown;
    struct rule_mutant *one = &all->item[all->n++];
    *one = (struct rule_mutant){.rule = m->rule, .at = at, .text = text};
    for (size_t i = 0; i < m->ntests && !one->noticed; i++) {
        struct rule_test test = m->test[i];
        test.of = mutant;
        if (!rule_test_run(&test, m->each, err))
            return false;
        one->noticed = !test.passed;
    }
    return true;
}

/* "from_port at_most 22" */
static struct str node_text(struct arena *arena, const struct condition *c)
{
    static const char *const operators[] = {
#define X(constant, key, want) [constant] = key,
        CONDITION_OPERATORS(X)
#undef X
    };
    static const char *const groups[] = {[CONDITION_ALL] = "all",
                                         [CONDITION_ANY] = "any",
                                         [CONDITION_NONE] = "none",
                                         [CONDITION_EVERY] = "every",
                                         [CONDITION_JSON] = "json"};
    const char *blank = c->has_path ? " " : "";
    if (c->kind != CONDITION_TEST)
        return arena_printf(arena, "%.*s%s%s of %zu", STR_ARG(c->path_text), blank, groups[c->kind],
                            c->nparts);
    struct str operand = rule_value_text(arena, &c->operand);
    if (!operand.ptr)
        return operand;
    return arena_printf(arena, "%.*s%s%s %.*s", STR_ARG(c->path_text), blank, operators[c->op],
                        STR_ARG(operand));
}

static bool judge_condition(struct mutator *m, struct edit edit, struct err *err)
{
    static const char *const words[] = {
#define X(constant, text) [constant] = text,
        MUTATIONS(X)
#undef X
    };
    struct rule mutant = *m->rule;
    struct condition *when = arena_new(m->each, struct condition, 1);
    struct str text = node_text(m->arena, edit.node);
    bool ok = when && text.ptr;
    mutant.when = when;
    if (edit.how == MUTATION_DROPPED && same_text(m->rule->when, edit.node))
        mutant.when = NULL;
    else
        ok = ok && copy(m->each, m->rule->when, &edit, when);
    if (!ok)
        return arena_full(m->arena, err);
    struct str value = edit.how == MUTATION_VALUE
                           ? rule_value_text(m->arena, &edit.node->operand.items[edit.value])
                           : (struct str){0};
    text = arena_printf(m->arena, "%.*s: %s%s%.*s", STR_ARG(text), words[edit.how],
                        value.len ? ", " : "", STR_ARG(value));
    ok = judge(m, &mutant, edit.node->at, text, err);
    arena_reset(m->each);
    return ok;
}

static bool has_values(const struct condition *c)
{
    return c->kind == CONDITION_TEST && value_is_list_like(&c->operand) && c->operand.len > 1 &&
           (c->op == OPERATOR_IN || c->op == OPERATOR_NOT_IN || c->op == OPERATOR_WITHIN ||
            c->op == OPERATOR_OVERLAPS);
}

static bool has_bound(const struct condition *c)
{
    return c->kind == CONDITION_TEST &&
           (c->op == OPERATOR_AT_MOST || c->op == OPERATOR_AT_LEAST || c->op == OPERATOR_LESS ||
            c->op == OPERATOR_MORE || c->op == OPERATOR_SPANS);
}

static bool mutate_condition(struct mutator *m, size_t node, struct err *err)
{
    const struct condition *c = m->node[node];
    if (!judge_condition(m, (struct edit){c, MUTATION_NEGATED, 0}, err) ||
        !judge_condition(m, (struct edit){c, MUTATION_DROPPED, 0}, err))
        return false;
    for (size_t i = 0; i < node; i++)
        if (same_place(m->node[i], c))
            return true;
    for (size_t i = 0; has_values(c) && i < c->operand.len; i++)
        if (!judge_condition(m, (struct edit){c, MUTATION_VALUE, i}, err))
            return false;
    return !has_bound(c) || (judge_condition(m, (struct edit){c, MUTATION_UP, 0}, err) &&
                             judge_condition(m, (struct edit){c, MUTATION_DOWN, 0}, err));
}

/* --- match --- */

static bool mutate_types(struct mutator *m, struct err *err)
{
    const struct rule_strs *types = &m->rule->match.type;
    struct str *left = arena_new(m->arena, struct str, types->n);
    if (!left)
        return arena_full(m->arena, err);
    for (size_t i = 0; types->n > 1 && i < types->n; i++) {
        struct rule mutant = *m->rule;
        size_t n = 0;
        for (size_t k = 0; k < types->n; k++)
            if (k != i)
                left[n++] = types->item[k];
        mutant.match.type = (struct rule_strs){left, n};
        if (!judge(m, &mutant, m->rule->at,
                   arena_printf(m->arena, "match.type: %.*s left out", STR_ARG(types->item[i])),
                   err))
            return false;
    }
    return true;
}

/* Each key of `match` left out in turn. */
static bool mutate_match(struct mutator *m, struct err *err)
{
    enum { KEYS = 10 };
    const struct rule_match *match = &m->rule->match;
    struct rule mutant[KEYS];
    struct {
        const char *name;
        bool given;
    } keys[KEYS] = {{"type", match->type.n > 0},
                    {"address", match->address.n > 0},
                    {"env", match->env.n > 0},
                    {"stack", match->stack.n > 0},
                    {"class", match->classes != 0},
                    {"path", match->path_text.n > 0},
                    {"tags", match->ntags > 0},
                    {"source", match->sources != 0},
                    {"actor", match->actor_kind.n > 0 || match->actor_principal.n > 0},
                    {"action", match->action.n > 0}};
    for (size_t i = 0; i < KEYS; i++)
        mutant[i] = *m->rule;
    mutant[0].match.type.n = mutant[1].match.address.n = 0;
    mutant[2].match.env.n = mutant[3].match.stack.n = 0;
    mutant[4].match.classes = 0;
    mutant[5].match.path_text.n = 0;
    mutant[6].match.ntags = 0;
    mutant[7].match.sources = 0;
    mutant[8].match.actor_kind.n = mutant[8].match.actor_principal.n = 0;
    mutant[9].match.action.n = 0;
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].given &&
            !judge(m, &mutant[i], m->rule->at,
                   arena_printf(m->arena, "match.%s: left out", keys[i].name), err))
            return false;
    return mutate_types(m, err);
}

/* --- all rules --- */

static bool check_tests(struct mutator *m, struct err *err)
{
    for (size_t i = 0; i < m->ntests; i++) {
        struct rule_test test = m->test[i];
        if (!rule_test_run(&test, m->each, err))
            return false;
        if (!test.passed)
            return err_set(err, ERR_CONFLICT, "%.*s:%u:%u: %.*s: %.*s: %.*s", STR_ARG(test.at.file),
                           test.at.line, test.at.column, STR_ARG(m->rule->name), STR_ARG(test.name),
                           STR_ARG(test.failure));
    }
    arena_reset(m->each);
    return true;
}

static bool mutate_rule(struct mutator *m, struct err *err)
{
    m->nnodes = 0;
    if (!check_tests(m, err) || !mutate_match(m, err))
        return false;
    if (m->rule->when && !collect(m, m->rule->when))
        return arena_full(m->arena, err);
    for (size_t i = 0; i < m->nnodes; i++)
        if (!mutate_condition(m, i, err))
            return false;
    return true;
}

static int by_rule(const void *a, const void *b)
{
    const struct rule_test *x = a, *y = b;
    return (x->of > y->of) - (x->of < y->of);
}

bool rule_mutants_run(struct arena *arena, const struct rules *rules,
                      const struct rule_tests *tests, struct rule_mutants *ret, struct err *err)
{
    AUTO_ARENA each = {.limit = ARENA_DEFAULT_LIMIT};
    struct rule_test *sorted = arena_new(arena, struct rule_test, tests->n);
    struct mutator m = {.arena = arena, .each = &each, .ret = ret};
    size_t at = 0;
    if (!sorted)
        return arena_full(arena, err);
    for (size_t i = 0; i < tests->n; i++)
        sorted[i] = tests->test[i];
    qsort(sorted, tests->n, sizeof *sorted, by_rule);
    *ret = (struct rule_mutants){0};
    for (size_t i = 0; i < rules->n; i++) {
        m.rule = &rules->rule[i];
        m.test = sorted + at;
        for (m.ntests = 0; at < tests->n && sorted[at].of == m.rule; at++)
            m.ntests++;
        if (!mutate_rule(&m, err))
            return false;
    }
    return true;
}
