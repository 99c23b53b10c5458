/* lint_conditions.c - conditions of one thing by its text, compared with each other. */
#include "lang/rego/lint_conditions.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/term.h"
#include "lang/rego/walk.h"

/* Of one thing, each condition is compared with so many before it; longer lists with none. */
enum { TEXT_MAX = 1 << 12, CONDITIONS_MAX = 64, MEMBERS_MAX = 1000 };

static const struct {
    const char *name;
    enum rego_lint_test test, turned, negated; /* turned: with its sides exchanged */
} tests[] = {
    {"equal", REGO_LINT_TEST_EQUAL, REGO_LINT_TEST_EQUAL, REGO_LINT_TEST_UNEQUAL},
    {"eq", REGO_LINT_TEST_EQUAL, REGO_LINT_TEST_EQUAL, REGO_LINT_TEST_UNEQUAL},
    {"assign", REGO_LINT_TEST_EQUAL, REGO_LINT_TEST_EQUAL, REGO_LINT_TEST_NONE},
    {"neq", REGO_LINT_TEST_UNEQUAL, REGO_LINT_TEST_UNEQUAL, REGO_LINT_TEST_EQUAL},
    {"lt", REGO_LINT_TEST_LESS, REGO_LINT_TEST_MORE, REGO_LINT_TEST_LEAST},
    {"lte", REGO_LINT_TEST_MOST, REGO_LINT_TEST_LEAST, REGO_LINT_TEST_MORE},
    {"gt", REGO_LINT_TEST_MORE, REGO_LINT_TEST_LESS, REGO_LINT_TEST_MOST},
    {"gte", REGO_LINT_TEST_LEAST, REGO_LINT_TEST_MOST, REGO_LINT_TEST_LESS},
    {"internal.member_2", REGO_LINT_TEST_IN, REGO_LINT_TEST_NONE, REGO_LINT_TEST_NONE},
};

/* What the text of a term does not tell: any value that fits, the insides of these. */
static enum rego_walk_next on_untold(struct rego_walker *walker, struct rego_term *term)
{
    (void)walker;
    bool untold = term->kind == REGO_TERM_TEMPLATE || term->kind == REGO_TERM_ARRAY_COMPREHENSION ||
                  term->kind == REGO_TERM_SET_COMPREHENSION ||
                  term->kind == REGO_TERM_OBJECT_COMPREHENSION ||
                  (term->kind == REGO_TERM_VAR && str_starts(term->name, STR("$")));
    return untold ? REGO_WALK_END : REGO_WALK_IN;
}

/* The same text is the same value wherever it stands in a body. */
static bool is_one_thing(const struct rego_term *term)
{
    struct rego_walker walker = {.term = on_untold};
    return (term->kind == REGO_TERM_REF || term->kind == REGO_TERM_VAR ||
            term->kind == REGO_TERM_CALL) &&
           rego_walk_term(&walker, (struct rego_term *)(uintptr_t)term);
}

static bool is_constant(const struct rego_term *term, bool list)
{
    if (!list)
        return term->kind == REGO_TERM_VALUE;
    if ((term->kind != REGO_TERM_SET && term->kind != REGO_TERM_ARRAY) ||
        term->parts.n > MEMBERS_MAX)
        return false;
    for (size_t i = 0; i < term->parts.n; i++)
        if (term->parts.item[i]->kind != REGO_TERM_VALUE)
            return false;
    return true;
}

/* The test of that operator; REGO_LINT_TEST_NONE: it is none. */
static size_t row_of(const struct rego_term *call)
{
    AUTO_BUF name = {.limit = TEXT_MAX};
    size_t i = 0, n = sizeof tests / sizeof *tests;
    rego_term_text(&name, call->parts.item[0]);
    while (i < n && !str_equal(buf_view(&name), str_from(tests[i].name)))
        i++;
    return call->parts.n == 3 ? i : n;
}

/* The sides of an expression that compares; the constant one is `to`, if there is one. */
struct rego_lint_condition rego_lint_condition_of(const struct rego_expr *expr)
{
    struct rego_lint_condition c = {REGO_LINT_TEST_NONE};
    size_t row = expr->kind == REGO_EXPR_CALL && !expr->nwith ? row_of(expr->term) : SIZE_MAX;
    if (row >= sizeof tests / sizeof *tests)
        return c;
    const struct rego_term *a = expr->term->parts.item[1], *b = expr->term->parts.item[2];
    if (is_constant(b, tests[row].test == REGO_LINT_TEST_IN))
        c = (struct rego_lint_condition){tests[row].test, a, b};
    else if (a->kind == REGO_TERM_VALUE)
        c = (struct rego_lint_condition){tests[row].turned, b, a};
    else
        return c;
    /* `not x == 1` is true of an x that is not there, too: it says less than x != 1 does. */
    if (expr->negated)
        c.test = c.of->kind == REGO_TERM_VALUE ? tests[row].negated : REGO_LINT_TEST_NONE;
    return c;
}

bool rego_lint_condition_passes(const struct value *v, const struct rego_lint_condition *c)
{
    if (c->test == REGO_LINT_TEST_IN) {
        for (size_t i = 0; i < c->to->parts.n; i++)
            if (rego_equal(v, &c->to->parts.item[i]->value))
                return true;
        return false;
    }
    int order = rego_compare(v, &c->to->value);
    bool equal = rego_equal(v, &c->to->value);
    return c->test == REGO_LINT_TEST_EQUAL     ? equal
           : c->test == REGO_LINT_TEST_UNEQUAL ? !equal
           : c->test == REGO_LINT_TEST_LESS    ? order < 0
           : c->test == REGO_LINT_TEST_MOST    ? order <= 0
           : c->test == REGO_LINT_TEST_MORE    ? order > 0
                                               : order >= 0;
}

/* No value passes both: of those that one allows none passes the other; or they part ways. */
static bool exclude(const struct rego_lint_condition *a, const struct rego_lint_condition *b)
{
    bool below = a->test == REGO_LINT_TEST_LESS || a->test == REGO_LINT_TEST_MOST;
    bool above = b->test == REGO_LINT_TEST_MORE || b->test == REGO_LINT_TEST_LEAST;
    if (a->test == REGO_LINT_TEST_EQUAL)
        return !rego_lint_condition_passes(&a->to->value, b);
    for (size_t i = 0; a->test == REGO_LINT_TEST_IN && i < a->to->parts.n; i++)
        if (rego_lint_condition_passes(&a->to->parts.item[i]->value, b))
            return false;
    if (a->test == REGO_LINT_TEST_IN)
        return true;
    int order = below && above ? rego_compare(&a->to->value, &b->to->value) : 1;
    return order < 0 ||
           (order == 0 && (a->test == REGO_LINT_TEST_LESS || b->test == REGO_LINT_TEST_MORE));
}

/* An expression and what it is about, by its text. */
struct asked {
    struct str text;
    size_t at; /* in the body */
    struct rego_lint_condition condition;
};

static int compare_asked(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    int order = str_compare(x->text, y->text);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

/* ptr NULL: too long to be compared, or memory is out. */
static struct str text_of(struct arena *arena, const struct rego_term *term)
{
    AUTO_BUF text = {.limit = TEXT_MAX};
    rego_term_text(&text, term);
    return text.failed ? (struct str){0} : arena_dup(arena, buf_view(&text));
}

/* Where those end that are about the same as the one at `from`. */
static size_t run_end(const struct asked *asked, size_t n, size_t from)
{
    size_t to = from + 1;
    while (to < n && str_equal(asked[to].text, asked[from].text))
        to++;
    return to;
}

static void find_contradictions(struct arena *arena, const struct rego_body *body,
                                struct asked *asked, struct rego_lint_clash *clash)
{
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++) {
        struct rego_lint_condition c = rego_lint_condition_of(body->expr[i]);
        clash[i].against = REGO_LINT_BOTH_HOLD;
        if (c.test == REGO_LINT_TEST_NONE || !is_one_thing(c.of))
            continue;
        asked[n] = (struct asked){text_of(arena, c.of), i, c};
        n += asked[n].text.ptr != NULL;
    }
    if (n)
        qsort(asked, n, sizeof *asked, compare_asked);
    for (size_t from = 0, to; from < n; from = to) {
        to = run_end(asked, n, from);
        for (size_t i = from; i < to; i++) {
            const struct rego_lint_condition *c = &asked[i].condition;
            for (size_t k = from; k < i && k < from + CONDITIONS_MAX; k++) {
                const struct rego_lint_condition *other = &asked[k].condition;
                if (!exclude(c, other) && !exclude(other, c))
                    continue;
                clash[asked[i].at].against = (int64_t)asked[k].at;
                break;
            }
        }
    }
}

static void find_denials(struct arena *arena, const struct rego_body *body, struct asked *asked,
                         struct rego_lint_clash *clash)
{
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *e = body->expr[i];
        bool plain = e->kind == REGO_EXPR_TERM || e->kind == REGO_EXPR_CALL;
        clash[i].denied = REGO_LINT_BOTH_HOLD;
        if (!plain || e->nwith || !is_one_thing(e->term))
            continue;
        asked[n] = (struct asked){.text = text_of(arena, e->term), .at = i};
        n += asked[n].text.ptr != NULL;
    }
    if (n)
        qsort(asked, n, sizeof *asked, compare_asked);
    for (size_t from = 0, to; from < n; from = to) {
        int64_t first[2][2]; /* by kind, and by being negated */
        to = run_end(asked, n, from);
        for (size_t i = 0; i < 4; i++)
            first[i / 2][i % 2] = REGO_LINT_BOTH_HOLD;
        for (size_t i = from; i < to; i++) {
            const struct rego_expr *e = body->expr[asked[i].at];
            int64_t *of = first[e->kind == REGO_EXPR_CALL];
            clash[asked[i].at].denied = of[!e->negated];
            if (of[e->negated] == REGO_LINT_BOTH_HOLD)
                of[e->negated] = (int64_t)asked[i].at;
        }
    }
}

bool rego_lint_clashes(struct arena *arena, const struct rego_body *body,
                       struct rego_lint_clash *ret)
{
    struct asked *asked = arena_new_raw(arena, struct asked, body->n + 1);
    if (!asked)
        return false;
    find_contradictions(arena, body, asked, ret);
    find_denials(arena, body, asked, ret);
    return true;
}
