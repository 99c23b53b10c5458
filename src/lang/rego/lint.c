/* lint.c - silent failures of policies: undefined refs, contradictions, dead branches, near names.
 */
#include "lang/rego/lint.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/lint_conditions.h"
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

struct unit { /* a module, ready to be asked often */
    struct rego_module *module;
    const struct rego_rule **rule; /* sorted by name, then by place */
    size_t package;                /* equal ones have equal numbers */
};
/* A name that some ref says, of a package; empty: all of the package. */
struct said {
    size_t package;
    struct str name;
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
    bool *asked;    /* by package: is it asked for what it finds? */
    struct said *said;
    size_t nsaid, said_room;
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
    /* What Gatekeeper and conftest put there while they run, whatever a package beside it mocks. */
    if (str_equal(path->part[0], STR("inventory")) || str_equal(path->part[0], STR("conftest")))
        return false;
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

static const struct str entries[] = {STR_INIT("deny"), STR_INIT("warn"), STR_INIT("violation"),
                                     STR_INIT("decision"), STR_INIT("exception")};
enum { ENTRIES = sizeof entries / sizeof *entries };

/* The name up to its first _, and what it is nearly; empty where it is an entry point, or nowhere
 * near one. */
static struct str stem_of(struct str name)
{
    size_t cut = str_find_char(name, '_', 0);
    return cut == SIZE_MAX ? name : str_sub(name, 0, cut);
}

static struct str near_entry(struct str name)
{
    enum { NAME_MAX_BYTES = 40 };
    struct str stem = stem_of(name);
    for (size_t i = 0; i < ENTRIES; i++)
        if (str_equal(entries[i], stem))
            return (struct str){0};
    return stem.len > NAME_MAX_BYTES ? (struct str){0} : str_nearest(stem, entries, ENTRIES);
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

static void say(struct linter *l, size_t package, struct str name)
{
    struct said *grown = arena_grow(l->arena, l->said, l->nsaid, &l->said_room, l->nsaid + 1);
    l->out_of_memory |= !grown;
    if (!grown)
        return;
    l->said = grown;
    grown[l->nsaid++] = (struct said){package, name};
}

/* Which rules with names like those of entry points others use: these are no entry points. */
static void say_term(struct linter *l, const struct rego_term *term)
{
    struct path path;
    if (term->kind == REGO_TERM_VAR && near_entry(term->name).len)
        say(l, l->package, term->name);
    if (term->kind != REGO_TERM_REF || !path_of(l, term, &path))
        return;
    for (size_t m = 0; m < l->nunits; m++) {
        size_t n = in_package(l->unit[m].module, &path);
        if (n == SIZE_MAX || (n < path.n && !near_entry(path.part[n]).len))
            continue;
        say(l, l->unit[m].package, n < path.n ? path.part[n] : STR(""));
    }
}

static enum rego_walk_next on_term(struct rego_walker *walker, struct rego_term *term)
{
    struct linter *l = (struct linter *)(void *)walker;
    struct path path;
    struct str name;
    if (!l->tests) /* they name a misspelt rule as it is */
        say_term(l, term);
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

static void tell_contradiction(struct linter *l, const struct rego_body *body, size_t i, size_t k)
{
    AUTO_BUF name = {.limit = TEXT_MAX}, x = {.limit = TEXT_MAX}, y = {.limit = TEXT_MAX};
    struct rego_lint_condition c = rego_lint_condition_of(body->expr[i]),
                               other = rego_lint_condition_of(body->expr[k]);
    rego_term_text(&name, c.of);
    rego_term_text(&x, other.to);
    rego_term_text(&y, c.to);
    if (c.test == REGO_LINT_TEST_EQUAL && other.test == REGO_LINT_TEST_EQUAL)
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
    struct rego_lint_condition c = rego_lint_condition_of(expr);
    return c.test != REGO_LINT_TEST_NONE && c.of->kind == REGO_TERM_VALUE &&
           !rego_lint_condition_passes(&c.of->value, &c);
}

static void check_body(struct linter *l, const struct rego_body *body)
{
    AUTO_ARENA arena = {.limit = l->arena->limit};
    struct rego_lint_clash *clash = arena_new_raw(&arena, struct rego_lint_clash, body->n + 1);
    l->out_of_memory |= !clash || !rego_lint_clashes(&arena, body, clash);
    if (l->out_of_memory)
        return;
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *expr = body->expr[i];
        if (is_constant_false(expr))
            tell(l, REGO_LINT_NEVER_TRUE, expr->place, "this is never true, and so is the body");
        if (clash[i].against != REGO_LINT_BOTH_HOLD)
            tell_contradiction(l, body, i, (size_t)clash[i].against);
        if (clash[i].denied != REGO_LINT_BOTH_HOLD)
            tell(l, REGO_LINT_NEVER_TRUE, expr->place,
                 "this and line %u cannot both hold: one is the negation of the other",
                 line_of(l, body->expr[clash[i].denied]->place));
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

/* deny_, deny__x: those that ask do not see it. */
static void check_open_name(struct linter *l, const struct rego_rule *rule)
{
    struct str name = name_of(rule), stem = stem_of(name);
    bool open = str_ends(name, STR("_")) || str_find(name, STR("__"), 0) != SIZE_MAX;
    if (rule->head.kind != REGO_HEAD_SET && rule->head.nref != 2)
        return;
    for (size_t i = 0; open && i < 3; i++)
        if (str_equal(entries[i], stem))
            tell(l, REGO_LINT_ENTRY_NAME, rule->place,
                 "nobody asks for %.*s: each _ wants a word of letters and digits behind it",
                 STR_ARG(name));
}

static int compare_said(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    return x->package != y->package ? (x->package < y->package ? -1 : 1)
                                    : str_compare(x->name, y->name);
}

static bool is_said(const struct linter *l, size_t package, struct str name)
{
    const struct said one = {package, name}, all = {package, STR("")};
    return l->nsaid && (bsearch(&one, l->said, l->nsaid, sizeof one, compare_said) ||
                        bsearch(&all, l->said, l->nsaid, sizeof all, compare_said));
}

/*
 * A set whose name is nearly deny, warn, violation, decision, with _NAME behind them, and that no
 * rule uses. It is an error where its package is known to be asked: others of its rules are entry
 * points, or it is main. Elsewhere somebody else may ask for just that name: a hint, and only where
 * it is near enough to be a typing error.
 */
static void check_name(struct linter *l, const struct rego_rule *rule)
{
    enum { TYPING_ERROR = 2 };
    struct str name = name_of(rule), stem = stem_of(name), near = near_entry(name);
    size_t longer = stem.len > near.len ? stem.len - near.len : near.len - stem.len;
    bool known = l->asked[l->package];
    /* name["x"] if ... is meant to be a set where it is v0, whatever it is read as. */
    if (!near.len || (rule->head.kind != REGO_HEAD_SET && rule->head.nref != 2) ||
        (!known && longer > TYPING_ERROR) || is_said(l, l->package, name))
        return;
    tell(l, known ? REGO_LINT_ENTRY_NAME : REGO_LINT_ENTRY_HINT, rule->place,
         "nobody asks for %.*s: is it meant to be %.*s?", STR_ARG(name), STR_ARG(near));
}

/* Once all refs have been seen. */
static void check_names(struct linter *l)
{
    if (l->nsaid)
        qsort(l->said, l->nsaid, sizeof *l->said, compare_said);
    for (size_t m = 0; m < l->nunits; m++) {
        l->now = l->unit[m].module;
        l->package = l->unit[m].package;
        for (size_t i = 0; i < l->now->nrules; i++)
            check_name(l, l->now->rules[i]);
    }
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
        check_open_name(l, rule);
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

static bool find_asked(struct linter *l)
{
    l->asked = arena_new(l->arena, bool, l->nunits + 1);
    for (size_t m = 0; l->asked && m < l->nunits; m++) {
        const struct rego_module *module = l->unit[m].module;
        bool *asked = &l->asked[l->unit[m].package];
        AUTO_BUF text = {.limit = TEXT_MAX};
        rego_term_text(&text, module->package);
        *asked = *asked || str_equal(buf_view(&text), STR("data.main"));
        for (size_t i = 0; i < module->nrules && !*asked; i++)
            for (size_t k = 0; k < ENTRIES; k++)
                *asked = *asked || str_equal(entries[k], stem_of(name_of(module->rules[i])));
    }
    return l->asked != NULL;
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
        struct rego_parse_options how = {.v0 = sources[i].v0, .words = options->words};
        struct rego_module *module;
        if (rego_parse_module(arena, sources[i].text, sources[i].file, &how, &ignored, &module) &&
            !add_unit(&l, module))
            return arena_full(arena, err);
    }
    if (!number_packages(&l) || !find_asked(&l))
        return arena_full(arena, err);
    for (size_t i = 0; i < l.nunits; i++)
        check_module(&l, &l.unit[i]);
    check_names(&l);
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
