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

enum { MODULES_MAX = 100000, TEXT_MAX = 1 << 12, SCHEMA_HOPS = 50 };

struct linter {
    struct rego_walker walker;
    struct arena *arena;
    const struct rego_lint_options *options;
    struct rego_module **module;
    size_t nmodules;
    const struct rego_module *now;
    bool negated;
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

/* data.a.b, or what an import stands for; false for other refs. *root: "data" or "input". */
static bool path_of(const struct linter *l, const struct rego_term *ref, const char *root,
                    struct path *ret)
{
    struct str head =
        ref->parts.item[0]->kind == REGO_TERM_VAR ? ref->parts.item[0]->name : (struct str){0};
    const struct rego_import *import = import_of(l, head);
    ret->n = 0;
    if (import && import->path->kind == REGO_TERM_REF) {
        const struct rego_term *p = import->path;
        if (!str_equal(p->parts.item[0]->name, str_from(root)))
            return false;
        for (size_t i = 1; i < p->parts.n; i++)
            add_part(ret, part_text(p->parts.item[i]));
    } else if (!str_equal(head, str_from(root))) {
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

static bool has_rule(const struct rego_module *module, struct str name)
{
    for (size_t i = 0; i < module->nrules; i++)
        if (str_equal(module->rules[i]->head.ref[0]->name, name))
            return true;
    return false;
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
    for (size_t m = 0; m < l->nmodules; m++) {
        size_t n = in_package(l->module[m], path);
        if (n == SIZE_MAX)
            continue;
        if (n == path->n || has_rule(l->module[m], path->part[n]))
            return false; /* a package or above one; or a rule */
        package = true;
        longest = n > longest ? n : longest;
    }
    *ret_name = package ? path->part[longest] : (struct str){0};
    return package && !in_data(l->options->data, path);
}

/* --- input --- */

static const struct value *follow(const struct value *root, const struct value *schema)
{
    for (unsigned hops = 0; schema && hops < SCHEMA_HOPS; hops++) {
        struct str ref = value_get_string(schema, STR("$ref")), part;
        if (!str_starts(ref, STR("#/")))
            return schema;
        ref = str_sub(ref, 2, ref.len);
        schema = root;
        for (bool more = true; more && schema;) {
            more = str_cut(&ref, '/', &part);
            schema = value_get(schema, part);
        }
    }
    return NULL;
}

/* Does the schema lack the path for certain? What it does not say much about, it does not. */
static bool schema_lacks(const struct value *root, const struct path *path, size_t *ret_at)
{
    const struct value *schema = follow(root, root);
    for (size_t i = 0; schema && i < path->n; i++) {
        const struct value *properties = value_get(schema, STR("properties"));
        const struct value *rest = value_get(schema, STR("additionalProperties"));
        bool loose = !properties || value_get(schema, STR("anyOf")) ||
                     value_get(schema, STR("oneOf")) || value_get(schema, STR("allOf")) ||
                     value_get(schema, STR("patternProperties")) ||
                     (rest && !(rest->kind == VALUE_BOOL && !rest->truth));
        const struct value *next = properties ? value_get(properties, path->part[i]) : NULL;
        *ret_at = i;
        if (!next)
            return !loose;
        schema = follow(root, next);
    }
    return false;
}

static void check_input(struct linter *l, const struct rego_term *ref)
{
    struct path path;
    size_t at = 0;
    if (!l->options->schema || !path_of(l, ref, "input", &path) ||
        !schema_lacks(l->options->schema, &path, &at))
        return;
    AUTO_BUF text = {.limit = TEXT_MAX};
    buf_str(&text, STR("input"));
    for (size_t i = 0; i <= at; i++)
        buf_printf(&text, ".%.*s", STR_ARG(path.part[i]));
    tell(l, REGO_LINT_UNKNOWN_INPUT, ref->place, "the schema of input has no %.*s",
         STR_ARG(buf_view(&text)));
}

static enum rego_walk_next on_term(struct rego_walker *walker, struct rego_term *term)
{
    struct linter *l = (struct linter *)(void *)walker;
    struct path path;
    struct str name;
    if (term->kind != REGO_TERM_REF)
        return REGO_WALK_IN;
    check_input(l, term);
    if (path_of(l, term, "data", &path) && path.n && is_missing(l, &path, &name)) {
        AUTO_BUF text = {.limit = TEXT_MAX};
        rego_term_text(&text, term);
        tell(l, l->negated ? REGO_LINT_NOT_UNDEFINED : REGO_LINT_UNDEFINED_REF, term->place,
             "%.*s: its package has no rule %.*s, so that this is always %s",
             STR_ARG(buf_view(&text)), STR_ARG(name), l->negated ? "true" : "undefined");
    }
    return REGO_WALK_IN;
}

/* --- conditions --- */

static bool is_call(const struct rego_expr *expr, const char *name)
{
    return expr->kind == REGO_EXPR_CALL && !expr->negated && !expr->nwith &&
           expr->term->parts.n == 3 && expr->term->parts.item[0]->kind == REGO_TERM_VAR &&
           str_equal(expr->term->parts.item[0]->name, str_from(name));
}

/* The two sides of ref == constant, in this order; false for anything else. */
static bool equation(const struct rego_expr *expr, const struct rego_term **ret_ref,
                     const struct value **ret_value)
{
    if (!is_call(expr, "equal") && !is_call(expr, "eq"))
        return false;
    const struct rego_term *a = expr->term->parts.item[1], *b = expr->term->parts.item[2];
    if (a->kind == REGO_TERM_VALUE) {
        const struct rego_term *swap = a;
        a = b;
        b = swap;
    }
    if (b->kind != REGO_TERM_VALUE || a->kind != REGO_TERM_REF)
        return false;
    for (size_t i = 1; i < a->parts.n; i++)
        if (a->parts.item[i]->kind != REGO_TERM_VALUE)
            return false;
    *ret_ref = a;
    *ret_value = &b->value;
    return a->parts.item[0]->kind == REGO_TERM_VAR;
}

static bool same_ref(const struct rego_term *a, const struct rego_term *b)
{
    AUTO_BUF x = {.limit = TEXT_MAX}, y = {.limit = TEXT_MAX};
    rego_term_text(&x, a);
    rego_term_text(&y, b);
    return !x.failed && str_equal(buf_view(&x), buf_view(&y));
}

static void contradiction(struct linter *l, const struct rego_body *body, size_t i)
{
    const struct rego_term *ref, *other;
    const struct value *v, *w;
    if (!equation(body->expr[i], &ref, &v))
        return;
    for (size_t k = 0; k < i; k++)
        if (equation(body->expr[k], &other, &w) && same_ref(ref, other) && !rego_equal(v, w)) {
            AUTO_BUF name = {.limit = TEXT_MAX}, x = {.limit = TEXT_MAX}, y = {.limit = TEXT_MAX};
            rego_term_text(&name, ref);
            rego_text(&x, w);
            rego_text(&y, v);
            tell(l, REGO_LINT_NEVER_TRUE, body->expr[i]->place,
                 "%.*s cannot be both %.*s and %.*s (line %u)", STR_ARG(buf_view(&name)),
                 STR_ARG(buf_view(&y)), STR_ARG(buf_view(&x)), body->expr[k]->place.row);
            return;
        }
}

static bool is_constant_false(const struct rego_expr *expr)
{
    if (expr->kind == REGO_EXPR_TERM && expr->term->kind == REGO_TERM_VALUE &&
        expr->term->value.kind == VALUE_BOOL && !expr->nwith)
        return expr->term->value.truth == expr->negated;
    if ((!is_call(expr, "equal") && !is_call(expr, "neq")) ||
        expr->term->parts.item[1]->kind != REGO_TERM_VALUE ||
        expr->term->parts.item[2]->kind != REGO_TERM_VALUE)
        return false;
    bool equal = rego_equal(&expr->term->parts.item[1]->value, &expr->term->parts.item[2]->value);
    return is_call(expr, "equal") ? !equal : equal;
}

static void check_body(struct linter *l, const struct rego_body *body)
{
    for (size_t i = 0; i < body->n; i++) {
        const struct rego_expr *expr = body->expr[i];
        if (is_constant_false(expr))
            tell(l, REGO_LINT_NEVER_TRUE, expr->place, "this is never true, and so is the body");
        contradiction(l, body, i);
        l->negated = expr->negated || expr->kind == REGO_EXPR_NOT_BODY;
        if (!rego_walk_expr(&l->walker, body->expr[i]))
            l->out_of_memory = true;
        l->negated = false;
    }
}

/* --- rules --- */

static bool is_open(const struct rego_rule *rule)
{
    const struct rego_expr *expr = rule->body && rule->body->n == 1 ? rule->body->expr[0] : NULL;
    return !rule->body || (expr && expr->kind == REGO_EXPR_TERM && !expr->negated && !expr->nwith &&
                           expr->term->kind == REGO_TERM_VALUE &&
                           expr->term->value.kind == VALUE_BOOL && expr->term->value.truth);
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

static void check_default(struct linter *l, const struct rego_rule *rule)
{
    struct str name = rule->head.ref[0]->name;
    for (size_t i = 0; rule->is_default && rule->head.nref == 1 && i < l->now->nrules; i++) {
        const struct rego_rule *other = l->now->rules[i];
        if (!other->is_default && other->head.nref == 1 && other->head.narg == rule->head.narg &&
            other->head.kind == rule->head.kind && is_open(other) && plain_args(&other->head) &&
            str_equal(other->head.ref[0]->name, name))
            tell(l, REGO_LINT_SHADOWED_DEFAULT, rule->place,
                 "never used: %.*s has a definition without conditions (line %u)", STR_ARG(name),
                 other->place.row);
    }
}

/* deny, warn, violation, decision, with _NAME behind them. */
static void check_name(struct linter *l, const struct rego_rule *rule)
{
    static const struct str entries[] = {STR_INIT("deny"), STR_INIT("warn"), STR_INIT("violation"),
                                         STR_INIT("decision"), STR_INIT("exception")};
    enum { ENTRIES = sizeof entries / sizeof *entries };
    struct str name = rule->head.ref[0]->name, head = name;
    size_t cut = str_find_char(name, '_', 0);
    if (rule->head.kind != REGO_HEAD_SET)
        return;
    if (cut != SIZE_MAX)
        head = str_sub(name, 0, cut);
    for (size_t i = 0; i < ENTRIES; i++)
        if (str_equal(entries[i], head))
            return;
    struct str near = str_nearest(head, entries, ENTRIES);
    if (near.len)
        tell(l, REGO_LINT_ENTRY_NAME, rule->place, "nobody asks for %.*s: is it meant to be %.*s?",
             STR_ARG(name), STR_ARG(near));
}

static void check_module(struct linter *l, struct rego_module *module)
{
    l->now = module;
    for (size_t i = 0; i < module->nrules; i++) {
        const struct rego_rule *rule = module->rules[i];
        check_name(l, rule);
        check_default(l, rule);
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

/* What OPA's strict mode finds unused; other errors of it are for compiling to tell. */
static void check_unused(struct linter *l, const struct rego_source *sources, size_t n)
{
    struct rego_compile_options how = {.strict = true, .keep_print = true};
    struct rego_diags diags = {.arena = l->arena};
    struct rego_policy *policy = NULL;
    struct rego_module place = {0};
    struct err err = {0};
    if (rego_compile(sources, n, l->options->data, &how, &diags, &policy, &err))
        rego_close(policy);
    for (size_t i = 0; i < diags.n; i++) {
        const struct rego_diag *d = &diags.diag[i];
        if (str_find(d->message, STR("unused"), 0) == SIZE_MAX)
            continue;
        place.file = d->file;
        l->now = &place;
        tell(l, REGO_LINT_UNUSED, (struct rego_place){.row = d->row, .col = d->col}, "%.*s",
             STR_ARG(d->message));
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

bool rego_lint(struct arena *arena, const struct rego_source *sources, size_t n,
               const struct rego_lint_options *options, struct rego_lint **ret, size_t *ret_n,
               struct err *err)
{
    struct linter l = {.walker = {.term = on_term}, .arena = arena, .options = options};
    l.module = arena_new(arena, struct rego_module *, n + 1);
    if (!l.module || n > MODULES_MAX)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        struct rego_diags ignored = {.arena = arena}; /* compiling has told them */
        struct rego_parse_options how = {.v0 = sources[i].v0};
        if (rego_parse_module(arena, sources[i].text, sources[i].file, &how, &ignored,
                              &l.module[l.nmodules]))
            l.nmodules++;
    }
    for (size_t i = 0; i < l.nmodules; i++)
        check_module(&l, l.module[i]);
    check_unused(&l, sources, n);
    if (l.out_of_memory)
        return arena_full(arena, err);
    if (l.n)
        qsort(l.item, l.n, sizeof *l.item, compare_lints);
    *ret = l.item;
    *ret_n = l.n;
    return true;
}
