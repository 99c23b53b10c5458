/* lint.c - silent failures of policies: undefined refs, contradictions, dead branches, near names.
 */
#include "lang/rego/lint.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/walk.h"

static const struct {
    const char *name, *meaning;
    bool error;
} kinds[] = {
#define X(constant, name, error, meaning) [constant] = {name, meaning, error},
    REGO_LINTS(X)
#undef X
};

const char *rego_lint_name(enum rego_lint_kind kind)
{
    return kinds[kind].name;
}
const char *rego_lint_meaning(enum rego_lint_kind kind)
{
    return kinds[kind].meaning;
}
bool rego_lint_is_error(enum rego_lint_kind kind)
{
    return kinds[kind].error;
}

enum { MODULES_MAX = 100000, TEXT_MAX = 1 << 12, LINTS_MAX = 100000 };
/* Of one thing, each condition is compared with so many before it; longer lists with none. */
enum { CONDITIONS_MAX = 64, MEMBERS_MAX = 1000 };

struct unit { /* a module, ready to be asked often */
    struct rego_module *module;
    const struct rego_rule **rule; /* sorted by name, then by place */
    size_t package;                /* equal ones have equal numbers */
};

struct linter {
    struct rego_walker walker;
    struct arena *arena;
    const struct rego_lint_options *options;
    const struct rego_source *sources;
    size_t nsources;
    struct unit *unit;
    size_t nunits;
    const struct rego_module *now;
    size_t package; /* of that one */
    bool negated;
    bool tests; /* a rule that is a test: it may ask what it knows to be undefined */
    struct rego_lint *item;
    size_t n, room;
    bool out_of_memory;
};

static void tell(struct linter *l, enum rego_lint_kind kind, struct rego_place place,
                 const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void tell(struct linter *l, enum rego_lint_kind kind, struct rego_place place,
                 const char *fmt, ...)
{
    struct rego_lint *grown = arena_grow(l->arena, l->item, l->n, &l->room, l->n + 1);
    va_list args;
    va_start(args, fmt);
    struct str text = arena_vprintf(l->arena, fmt, args);
    va_end(args);
    l->out_of_memory |= !grown || !text.ptr;
    if (l->out_of_memory)
        return;
    l->item = grown;
    grown[l->n++] = (struct rego_lint){kind, l->now->file, text, place.row, place.col};
}

/* The line of the file, for messages that name one. */
static uint32_t line_of(const struct linter *l, struct rego_place place)
{
    for (size_t i = 0; l->options->before && i < l->nsources; i++)
        if (str_equal(l->sources[i].file, l->now->file))
            return l->options->before[i] + place.row;
    return place.row;
}

/* --- refs to rules --- */

static struct str part_text(const struct rego_term *part)
{
    return part->kind == REGO_TERM_VAR ? part->name
           : part->kind == REGO_TERM_VALUE && part->value.kind == VALUE_STRING
               ? value_text(&part->value)
               : (struct str){0};
}

/* The constant parts of a ref to data, imports put in; behind `data`. */
struct path {
    struct str part[64];
    size_t n;
};

static void add_part(struct path *path, struct str part)
{
    if (path->n < sizeof path->part / sizeof *path->part)
        path->part[path->n++] = part;
}

static const struct rego_import *import_of(const struct linter *l, struct str name)
{
    for (size_t i = 0; i < l->now->nimports; i++) {
        const struct rego_import *import = &l->now->imports[i];
        const struct rego_term *p = import->path;
        struct str last =
            p->kind == REGO_TERM_VAR ? p->name : part_text(p->parts.item[p->parts.n - 1]);
        if (str_equal(import->alias.len ? import->alias : last, name))
            return import;
    }
    return NULL;
}

/* data.a.b, or what an import stands for; false for other refs. */
static bool path_of(const struct linter *l, const struct rego_term *ref, struct path *ret)
{
    struct str head =
        ref->parts.item[0]->kind == REGO_TERM_VAR ? ref->parts.item[0]->name : (struct str){0};
    const struct rego_import *import = import_of(l, head);
    ret->n = 0;
    if (import && import->path->kind == REGO_TERM_REF) {
        const struct rego_term *p = import->path;
        if (!str_equal(p->parts.item[0]->name, STR("data")))
            return false;
        for (size_t i = 1; i < p->parts.n; i++)
            add_part(ret, part_text(p->parts.item[i]));
    } else if (!str_equal(head, STR("data"))) {
        return false;
    }
    for (size_t i = 1; i < ref->parts.n && part_text(ref->parts.item[i]).len &&
                       ref->parts.item[i]->kind == REGO_TERM_VALUE;
         i++)
        add_part(ret, part_text(ref->parts.item[i]));
    return true;
}

/* How many parts of the path are the module's package; SIZE_MAX if they part ways. */
static size_t in_package(const struct rego_module *module, const struct path *path)
{
    size_t n = module->package->parts.n - 1, i = 0;
    while (i < n && i < path->n &&
           str_equal(path->part[i], value_text(&module->package->parts.item[i + 1]->value)))
        i++;
    return i == n || i == path->n ? i : SIZE_MAX;
}

static struct str name_of(const struct rego_rule *rule)
{
    return rule->head.ref[0]->name;
}

/* The first of the rules with that name; the others stand behind it. NULL: there is none. */
static const struct rego_rule *const *find_rules(const struct unit *unit, struct str name,
                                                 const struct rego_rule *const **ret_end)
{
    size_t from = 0, to = unit->module->nrules;
    *ret_end = unit->rule + to;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (str_compare(name_of(unit->rule[middle]), name) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from < unit->module->nrules && str_equal(name_of(unit->rule[from]), name)
               ? unit->rule + from
               : NULL;
}

static bool has_rule(const struct unit *unit, struct str name)
{
    const struct rego_rule *const *end;
    return find_rules(unit, name, &end) != NULL;
}

static bool in_data(const struct value *data, const struct path *path)
{
    for (size_t i = 0; data && i < path->n; i++) {
        struct value key = value_string(path->part[i]);
        data = rego_get(data, &key);
    }
    return data != NULL;
}

/* A package of that path is there, and nothing in it has the next name. */
static bool is_missing(const struct linter *l, const struct path *path, struct str *ret_name)
{
    bool package = false;
    size_t longest = 0;
    for (size_t m = 0; m < l->nunits; m++) {
        size_t n = in_package(l->unit[m].module, path);
        if (n == SIZE_MAX)
            continue;
        if (n == path->n || has_rule(&l->unit[m], path->part[n]))
            return false; /* a package or above one; or a rule */
        package = true;
        longest = n > longest ? n : longest;
    }
    *ret_name = package ? path->part[longest] : (struct str){0};
    return package && !in_data(l->options->data, path);
}

/* --- calls --- */

/* Does a definition take these arguments, as far as constants tell? */
static bool takes(const struct rego_rule *rule, const struct rego_term *call)
{
    for (size_t i = 0; i < rule->head.narg && i + 1 < call->parts.n; i++) {
        const struct rego_term *want = rule->head.arg[i], *have = call->parts.item[i + 1];
        if (want->kind == REGO_TERM_VALUE && have->kind == REGO_TERM_VALUE &&
            !rego_equal(&want->value, &have->value))
            return false;
    }
    return true;
}

/* A function that is there, and none of its definitions is for these arguments. */
static void check_call(struct linter *l, const struct rego_term *call)
{
    const struct rego_term *called = call->parts.item[0];
    struct path path = {.n = 0};
    bool here = called->kind == REGO_TERM_VAR, found = false;
    if (!here && (called->kind != REGO_TERM_REF || !path_of(l, called, &path) || !path.n))
        return;
    struct str name = here ? called->name : path.part[path.n - 1];
    for (size_t m = 0; m < l->nunits; m++) {
        const struct unit *unit = &l->unit[m];
        const struct rego_rule *const *rule, *const *end;
        if (here ? unit->package != l->package : in_package(unit->module, &path) != path.n - 1)
            continue;
        rule = find_rules(unit, name, &end);
        for (; rule && rule < end && str_equal(name_of(*rule), name); rule++) {
            if ((*rule)->head.kind != REGO_HEAD_FUNCTION || (*rule)->head.nref != 1)
                continue;
            found = true;
            if (takes(*rule, call))
                return;
        }
    }
    if (!found)
        return;
    AUTO_BUF text = {.limit = TEXT_MAX};
    rego_term_text(&text, call);
    tell(l, l->negated ? REGO_LINT_NOT_UNDEFINED : REGO_LINT_UNDEFINED_REF, call->place,
         "%.*s: no definition is for these arguments, so that this is always %s",
         STR_ARG(buf_view(&text)), l->negated ? "true" : "undefined");
}

static enum rego_walk_next on_term(struct rego_walker *walker, struct rego_term *term)
{
    struct linter *l = (struct linter *)(void *)walker;
    struct path path;
    struct str name;
    if (term->kind == REGO_TERM_CALL && !l->tests)
        check_call(l, term);
    if (term->kind != REGO_TERM_REF)
        return REGO_WALK_IN;
    if (path_of(l, term, &path) && path.n && is_missing(l, &path, &name)) {
        AUTO_BUF text = {.limit = TEXT_MAX};
        rego_term_text(&text, term);
        tell(l, l->negated ? REGO_LINT_NOT_UNDEFINED : REGO_LINT_UNDEFINED_REF, term->place,
             "%.*s: its package has no rule %.*s, so that this is always %s",
             STR_ARG(buf_view(&text)), STR_ARG(name), l->negated ? "true" : "undefined");
    }
    return REGO_WALK_IN;
}

/* --- conditions --- */

enum test {
    TEST_NONE,
    TEST_EQUAL,
    TEST_UNEQUAL,
    TEST_LESS,
    TEST_MOST,
    TEST_MORE,
    TEST_LEAST,
    TEST_IN
};
static const struct {
    const char *name;
    enum test test, turned, negated; /* turned: with its sides exchanged */
} tests[] = {
    {"equal", TEST_EQUAL, TEST_EQUAL, TEST_UNEQUAL},
    {"eq", TEST_EQUAL, TEST_EQUAL, TEST_UNEQUAL},
    {"assign", TEST_EQUAL, TEST_EQUAL, TEST_NONE},
    {"neq", TEST_UNEQUAL, TEST_UNEQUAL, TEST_EQUAL},
    {"lt", TEST_LESS, TEST_MORE, TEST_LEAST},
    {"lte", TEST_MOST, TEST_LEAST, TEST_MORE},
    {"gt", TEST_MORE, TEST_LESS, TEST_MOST},
    {"gte", TEST_LEAST, TEST_MOST, TEST_LESS},
    {"internal.member_2", TEST_IN, TEST_NONE, TEST_NONE},
};

/* What an expression asks of one thing: of `of` that it is equal to, less than, one of ... `to`. */
struct condition {
    enum test test;
    const struct rego_term *of, *to; /* `to` is a constant, or a list of them for TEST_IN */
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

/* The test of that operator; TEST_NONE: it is none. */
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
static struct condition condition_of(const struct rego_expr *expr)
{
    struct condition c = {TEST_NONE};
    size_t row = expr->kind == REGO_EXPR_CALL && !expr->nwith ? row_of(expr->term) : SIZE_MAX;
    if (row >= sizeof tests / sizeof *tests)
        return c;
    const struct rego_term *a = expr->term->parts.item[1], *b = expr->term->parts.item[2];
    if (is_constant(b, tests[row].test == TEST_IN))
        c = (struct condition){tests[row].test, a, b};
    else if (a->kind == REGO_TERM_VALUE)
        c = (struct condition){tests[row].turned, b, a};
    else
        return c;
    /* `not x == 1` is true of an x that is not there, too: it says less than x != 1 does. */
    if (expr->negated)
        c.test = c.of->kind == REGO_TERM_VALUE ? tests[row].negated : TEST_NONE;
    return c;
}

/* Does a value pass the test? */
static bool passes(const struct value *v, const struct condition *c)
{
    if (c->test == TEST_IN) {
        for (size_t i = 0; i < c->to->parts.n; i++)
            if (rego_equal(v, &c->to->parts.item[i]->value))
                return true;
        return false;
    }
    int order = rego_compare(v, &c->to->value);
    bool equal = rego_equal(v, &c->to->value);
    return c->test == TEST_EQUAL     ? equal
           : c->test == TEST_UNEQUAL ? !equal
           : c->test == TEST_LESS    ? order < 0
           : c->test == TEST_MOST    ? order <= 0
           : c->test == TEST_MORE    ? order > 0
                                     : order >= 0;
}

/* No value passes both: of those that one allows none passes the other; or they part ways. */
static bool exclude(const struct condition *a, const struct condition *b)
{
    bool below = a->test == TEST_LESS || a->test == TEST_MOST;
    bool above = b->test == TEST_MORE || b->test == TEST_LEAST;
    if (a->test == TEST_EQUAL)
        return !passes(&a->to->value, b);
    for (size_t i = 0; a->test == TEST_IN && i < a->to->parts.n; i++)
        if (passes(&a->to->parts.item[i]->value, b))
            return false;
    if (a->test == TEST_IN)
        return true;
    int order = below && above ? rego_compare(&a->to->value, &b->to->value) : 1;
    return order < 0 || (order == 0 && (a->test == TEST_LESS || b->test == TEST_MORE));
}

/* An expression and what it is about, by its text. */
struct asked {
    struct str text;
    size_t at; /* in the body */
    struct condition condition;
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

/* against[i]: the first condition that cannot hold beside that of expression i; or SIZE_MAX. */
static void find_contradictions(struct arena *arena, const struct rego_body *body,
                                struct asked *asked, size_t *against)
{
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++) {
        struct condition c = condition_of(body->expr[i]);
        against[i] = SIZE_MAX;
        if (c.test == TEST_NONE || !is_one_thing(c.of))
            continue;
        asked[n] = (struct asked){text_of(arena, c.of), i, c};
        n += asked[n].text.ptr != NULL;
    }
    if (n)
        qsort(asked, n, sizeof *asked, compare_asked);
    for (size_t from = 0, to; from < n; from = to) {
        to = run_end(asked, n, from);
        for (size_t i = from; i < to; i++) {
            const struct condition *c = &asked[i].condition;
            for (size_t k = from; k < i && k < from + CONDITIONS_MAX; k++) {
                const struct condition *other = &asked[k].condition;
                if (!exclude(c, other) && !exclude(other, c))
                    continue;
                against[asked[i].at] = asked[k].at;
                break;
            }
        }
    }
}

/* against[i]: the first expression that is the negation of expression i, before it. */
static void find_denials(struct arena *arena, const struct rego_body *body, struct asked *asked,
                         size_t *against)
{
    size_t n = 0;
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *e = body->expr[i];
        bool plain = e->kind == REGO_EXPR_TERM || e->kind == REGO_EXPR_CALL;
        against[i] = SIZE_MAX;
        if (!plain || e->nwith || !is_one_thing(e->term))
            continue;
        asked[n] = (struct asked){.text = text_of(arena, e->term), .at = i};
        n += asked[n].text.ptr != NULL;
    }
    if (n)
        qsort(asked, n, sizeof *asked, compare_asked);
    for (size_t from = 0, to; from < n; from = to) {
        size_t first[2][2]; /* by kind, and by being negated */
        to = run_end(asked, n, from);
        for (size_t i = 0; i < 4; i++)
            first[i / 2][i % 2] = SIZE_MAX;
        for (size_t i = from; i < to; i++) {
            const struct rego_expr *e = body->expr[asked[i].at];
            size_t *of = first[e->kind == REGO_EXPR_CALL];
            against[asked[i].at] = of[!e->negated];
            if (of[e->negated] == SIZE_MAX)
                of[e->negated] = asked[i].at;
        }
    }
}

static void tell_contradiction(struct linter *l, const struct rego_body *body, size_t i, size_t k)
{
    AUTO_BUF name = {.limit = TEXT_MAX}, x = {.limit = TEXT_MAX}, y = {.limit = TEXT_MAX};
    struct condition c = condition_of(body->expr[i]), other = condition_of(body->expr[k]);
    rego_term_text(&name, c.of);
    rego_term_text(&x, other.to);
    rego_term_text(&y, c.to);
    if (c.test == TEST_EQUAL && other.test == TEST_EQUAL)
        tell(l, REGO_LINT_NEVER_TRUE, body->expr[i]->place,
             "%.*s cannot be both %.*s and %.*s (line %u)", STR_ARG(buf_view(&name)),
             STR_ARG(buf_view(&y)), STR_ARG(buf_view(&x)), line_of(l, body->expr[k]->place));
    else
        tell(l, REGO_LINT_NEVER_TRUE, body->expr[i]->place,
             "what is asked of %.*s here and in line %u cannot both hold", STR_ARG(buf_view(&name)),
             line_of(l, body->expr[k]->place));
}

static bool is_constant_false(const struct rego_expr *expr)
{
    if (expr->kind == REGO_EXPR_TERM && expr->term->kind == REGO_TERM_VALUE &&
        expr->term->value.kind == VALUE_BOOL && !expr->nwith)
        return expr->term->value.truth == expr->negated;
    struct condition c = condition_of(expr);
    return c.test != TEST_NONE && c.of->kind == REGO_TERM_VALUE && !passes(&c.of->value, &c);
}

static void check_body(struct linter *l, const struct rego_body *body)
{
    AUTO_ARENA arena = {.limit = l->arena->limit};
    struct asked *asked = arena_new_raw(&arena, struct asked, body->n + 1);
    size_t *against = arena_new_raw(&arena, size_t, body->n + 1);
    size_t *denied = arena_new_raw(&arena, size_t, body->n + 1);
    l->out_of_memory |= !asked || !against || !denied;
    if (l->out_of_memory)
        return;
    find_contradictions(&arena, body, asked, against);
    find_denials(&arena, body, asked, denied);
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *expr = body->expr[i];
        if (is_constant_false(expr))
            tell(l, REGO_LINT_NEVER_TRUE, expr->place, "this is never true, and so is the body");
        if (against[i] != SIZE_MAX)
            tell_contradiction(l, body, i, against[i]);
        if (denied[i] != SIZE_MAX)
            tell(l, REGO_LINT_NEVER_TRUE, expr->place,
                 "this and line %u cannot both hold: one is the negation of the other",
                 line_of(l, body->expr[denied[i]]->place));
        l->negated = expr->negated || expr->kind == REGO_EXPR_NOT_BODY;
        if (!rego_walk_expr(&l->walker, body->expr[i]))
            l->out_of_memory = true;
        l->negated = false;
    }
}

/* --- rules --- */

static enum rego_walk_next on_uncertain(struct rego_walker *walker, struct rego_term *term)
{
    (void)walker;
    return term->kind == REGO_TERM_REF || term->kind == REGO_TERM_CALL ? REGO_WALK_END
                                                                       : REGO_WALK_IN;
}

/* A head whose value may be undefined (input.x) has a condition, too. */
static bool has_value(const struct rego_rule *rule)
{
    struct rego_walker walker = {.term = on_uncertain};
    return !rule->head.value || rego_walk_term(&walker, rule->head.value);
}

static bool is_open(const struct rego_rule *rule)
{
    const struct rego_expr *expr = rule->body && rule->body->n == 1 ? rule->body->expr[0] : NULL;
    bool open = !rule->body || (expr && expr->kind == REGO_EXPR_TERM && !expr->negated &&
                                !expr->nwith && expr->term->kind == REGO_TERM_VALUE &&
                                expr->term->value.kind == VALUE_BOOL && expr->term->value.truth);
    return open && has_value(rule);
}

static bool plain_args(const struct rego_head *head)
{
    for (size_t i = 0; i < head->narg; i++)
        if (head->arg[i]->kind != REGO_TERM_VAR)
            return false;
    return true;
}

static void check_else(struct linter *l, const struct rego_rule *rule)
{
    bool open = is_open(rule) && plain_args(&rule->head);
    for (; rule->else_; rule = rule->else_) {
        if (open)
            tell(l, REGO_LINT_UNREACHABLE_ELSE, rule->else_->place,
                 "never reached: what stands before it is always true");
        open = open || is_open(rule->else_);
    }
}

static void check_default(struct linter *l, const struct unit *unit, const struct rego_rule *rule)
{
    struct str name = name_of(rule);
    const struct rego_rule *const *end, *const *at = find_rules(unit, name, &end);
    if (!rule->is_default || rule->head.nref != 1)
        return;
    for (; at && at < end && str_equal(name_of(*at), name); at++) {
        const struct rego_rule *other = *at;
        if (!other->is_default && other->head.nref == 1 && other->head.narg == rule->head.narg &&
            other->head.kind == rule->head.kind && is_open(other) && plain_args(&other->head))
            tell(l, REGO_LINT_SHADOWED_DEFAULT, rule->place,
                 "never used: %.*s has a definition without conditions (line %u)", STR_ARG(name),
                 line_of(l, other->place));
    }
}

static const struct str entries[] = {STR_INIT("deny"), STR_INIT("warn"), STR_INIT("violation"),
                                     STR_INIT("decision"), STR_INIT("exception")};
enum { ENTRIES = sizeof entries / sizeof *entries };

/* warning is warn by another name where a package has an entry point; else it may be anything. */
static bool is_certain(const struct linter *l, struct str name, struct str near)
{
    enum { TYPING_ERROR = 2 };
    size_t longer = name.len > near.len ? name.len - near.len : near.len - name.len;
    for (size_t m = 0; m < l->nunits && longer > TYPING_ERROR; m++)
        for (size_t i = 0; i < ENTRIES; i++)
            if (l->unit[m].package == l->package && has_rule(&l->unit[m], entries[i]))
                return true;
    return longer <= TYPING_ERROR;
}

/* deny, warn, violation, decision, with _NAME behind them. */
static void check_name(struct linter *l, const struct rego_rule *rule)
{
    struct str name = rule->head.ref[0]->name, head = name;
    size_t cut = str_find_char(name, '_', 0);
    /* name["x"] if ... is meant to be a set where it is v0, whatever it is read as. */
    if (rule->head.kind != REGO_HEAD_SET && rule->head.nref != 2)
        return;
    if (cut != SIZE_MAX)
        head = str_sub(name, 0, cut);
    bool open = str_ends(name, STR("_")) || str_find(name, STR("__"), 0) != SIZE_MAX;
    for (size_t i = 0; i < ENTRIES; i++)
        if (str_equal(entries[i], head)) {
            if (open && i < 3)
                tell(l, REGO_LINT_ENTRY_NAME, rule->place,
                     "nobody asks for %.*s: each _ wants a word of letters and digits behind it",
                     STR_ARG(name));
            return;
        }
    struct str near = str_nearest(head, entries, ENTRIES);
    if (near.len && is_certain(l, head, near))
        tell(l, REGO_LINT_ENTRY_NAME, rule->place, "nobody asks for %.*s: is it meant to be %.*s?",
             STR_ARG(name), STR_ARG(near));
}

static void check_module(struct linter *l, const struct unit *unit)
{
    const struct rego_module *module = unit->module;
    l->now = module;
    l->package = unit->package;
    for (size_t i = 0; i < module->nrules; i++) {
        const struct rego_rule *rule = module->rules[i];
        l->tests = str_starts(rule->head.ref[0]->name, STR("test_")) ||
                   str_starts(rule->head.ref[0]->name, STR("todo_test_"));
        check_name(l, rule);
        check_default(l, unit, rule);
        check_else(l, rule);
        for (const struct rego_rule *at = rule; at; at = at->else_) {
            struct rego_rule head = *at;
            head.body = NULL;
            if (!rego_walk_rule(&l->walker, &head))
                l->out_of_memory = true;
            if (at->body)
                check_body(l, at->body);
        }
    }
}

/* --- all of it --- */

static void tell_diag(struct linter *l, enum rego_lint_kind kind, const struct rego_diag *d,
                      struct str text)
{
    struct rego_module module = {.file = d->file};
    l->now = &module;
    tell(l, kind, (struct rego_place){.row = d->row, .col = d->col}, "%.*s", STR_ARG(text));
}

/* What the compiler says that others pass over; what it says of all is not asked for here. */
static struct rego_diags compile(struct linter *l, const struct rego_source *sources, size_t n,
                                 const struct rego_compile_options *how)
{
    struct rego_diags diags = {.arena = l->arena, .most = LINTS_MAX};
    struct rego_policy *policy = NULL;
    struct err err = {0};
    if (rego_compile(sources, n, l->options->data, how, &diags, &policy, &err))
        rego_close(policy);
    l->out_of_memory |= err.kind == ERR_LIMIT;
    return diags;
}

/* What OPA's strict mode finds unused; other errors of it are for compiling to tell. */
static void check_unused(struct linter *l, const struct rego_source *sources, size_t n)
{
    const struct rego_compile_options how = {.strict = true, .keep_print = true};
    struct rego_diags diags = compile(l, sources, n, &how);
    for (size_t i = 0; i < diags.n; i++)
        if (str_find(diags.diag[i].message, STR("unused"), 0) != SIZE_MAX)
            tell_diag(l, REGO_LINT_UNUSED, &diags.diag[i], diags.diag[i].message);
}

static bool sees_schema(const struct linter *l, const struct rego_source *sources, size_t n,
                        struct str file)
{
    for (size_t i = 0; l->options->sees_schema && i < n; i++)
        if (str_equal(sources[i].file, file))
            return l->options->sees_schema[i];
    return true;
}

/*
 * The types that follow from the schema tell what input cannot have, also of variables that hold a
 * part of it. That a comparison does not fit is no matter here: of what may be null, a schema's
 * type is the other one alone.
 */
static void check_input(struct linter *l, const struct rego_source *sources, size_t n)
{
    const struct value name = value_string(STR("schema"));
    const struct rego_schema schema = {value_items(VALUE_TUPLE, &name, 1),
                                       l->options->schema ? *l->options->schema : value_null()};
    const struct rego_compile_options how = {.keep_print = true, .schema = &schema, .nschemas = 1};
    struct str prefix = STR("undefined ref: ");
    if (!l->options->schema)
        return;
    struct rego_diags diags = compile(l, sources, n, &how);
    for (size_t i = 0; i < diags.n; i++) {
        struct str text = diags.diag[i].message;
        if (!str_starts(text, prefix) || !sees_schema(l, sources, n, diags.diag[i].file))
            continue;
        text = str_sub(text, prefix.len, text.len); /* REF: "key" is no key of a long type */
        size_t colon = str_find(text, STR(": "), 0);
        size_t end = str_find(text, STR(" is no key of "), 0);
        if (colon == SIZE_MAX || end == SIZE_MAX || end < colon + 2)
            continue;
        text = arena_printf(l->arena, "%.*s: the input never has %.*s", (int)colon, text.ptr,
                            (int)(end - colon - 2), text.ptr + colon + 2);
        tell_diag(l, REGO_LINT_UNKNOWN_INPUT, &diags.diag[i], text);
    }
}

static int compare_lints(const void *a, const void *b)
{
    const struct rego_lint *x = a, *y = b;
    int order = str_compare(x->file, y->file);
    if (order)
        return order;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->col != y->col ? (x->col < y->col ? -1 : 1) : (int)x->kind - (int)y->kind;
}

static int compare_rules(const void *a, const void *b)
{
    const struct rego_rule *x = *(const struct rego_rule *const *)a;
    const struct rego_rule *y = *(const struct rego_rule *const *)b;
    int order = str_compare(name_of(x), name_of(y));
    return order ? order : x->place.start < y->place.start ? -1 : x->place.start > y->place.start;
}

struct package {
    struct str text;
    size_t unit;
};

static int compare_packages(const void *a, const void *b)
{
    return str_compare(((const struct package *)a)->text, ((const struct package *)b)->text);
}

static bool number_packages(struct linter *l)
{
    struct package *package = arena_new_raw(l->arena, struct package, l->nunits + 1);
    for (size_t i = 0; package && i < l->nunits; i++) {
        AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
        rego_term_text(&text, l->unit[i].module->package);
        package[i] = (struct package){arena_dup(l->arena, buf_view(&text)), i};
        if (text.failed || !package[i].text.ptr)
            return false;
    }
    if (package && l->nunits)
        qsort(package, l->nunits, sizeof *package, compare_packages);
    for (size_t i = 0; package && i < l->nunits; i++)
        l->unit[package[i].unit].package = i && str_equal(package[i].text, package[i - 1].text)
                                               ? l->unit[package[i - 1].unit].package
                                               : i;
    return package != NULL;
}

static bool add_unit(struct linter *l, struct rego_module *module)
{
    const struct rego_rule **rules =
        arena_new_raw(l->arena, const struct rego_rule *, module->nrules + 1);
    for (size_t i = 0; rules && i < module->nrules; i++)
        rules[i] = module->rules[i];
    if (rules && module->nrules)
        qsort((void *)rules, module->nrules, sizeof *rules, compare_rules);
    l->unit[l->nunits++] = (struct unit){.module = module, .rule = rules};
    return rules != NULL;
}

bool rego_lint(struct arena *arena, const struct rego_source *sources, size_t n,
               const struct rego_lint_options *options, struct rego_lint **ret, size_t *ret_n,
               struct err *err)
{
    struct linter l = {.walker = {.term = on_term},
                       .arena = arena,
                       .options = options,
                       .sources = sources,
                       .nsources = n};
    l.unit = arena_new(arena, struct unit, n + 1);
    if (!l.unit || n > MODULES_MAX)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        struct rego_diags ignored = {.arena = arena}; /* compiling has told them */
        struct rego_parse_options how = {.v0 = sources[i].v0};
        struct rego_module *module;
        if (rego_parse_module(arena, sources[i].text, sources[i].file, &how, &ignored, &module) &&
            !add_unit(&l, module))
            return arena_full(arena, err);
    }
    if (!number_packages(&l))
        return arena_full(arena, err);
    for (size_t i = 0; i < l.nunits; i++)
        check_module(&l, &l.unit[i]);
    check_unused(&l, sources, n);
    check_input(&l, sources, n);
    if (l.out_of_memory)
        return arena_full(arena, err);
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, compare_lints);
    *ret = l.item;
    *ret_n = l.n;
    return true;
}
