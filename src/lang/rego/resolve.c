/* resolve.c - names of Rego: locals get registers, rules and imports become refs below data.
 *
 * Source: facts/rego.md 5.4; OPA's stages "resolve refs" and "rewrite locals"
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "lang/rego/policy.h"
#include "lang/rego/safety.h"

enum local_kind { LOCAL_ARGUMENT, LOCAL_DECLARED, LOCAL_ASSIGNED, LOCAL_SEEN };
struct local {
    struct str name;
    uint32_t slot;
    enum local_kind kind;
};
struct scope {
    struct scope *parent;
    struct local *local;
    size_t n, room;
    uint32_t *slot; /* by hash of the name: 1 + where it is, once there are many */
    size_t nslots;
};
enum { FEW_NAMES = 8 };
struct resolving {
    struct rego_compiler *c;
    struct scope implicit;   /* names that nobody declares, of the whole rule */
    struct scope *arguments; /* of the rule: its bodies must not declare them again */
    struct scope *scope;
    const struct rego_term *patterns; /* of `some ... in` this: may stay unused */
    size_t first;                     /* of their variables in the scope */
    unsigned depth;
};

static bool term(struct resolving *r, struct rego_term *t);
static bool body(struct resolving *r, struct rego_body *b);
static bool variable(struct resolving *r, struct rego_term *t, struct rego_term *whole);

/* --- scopes --- */

static bool out_of_memory(struct resolving *r)
{
    r->c->out_of_memory = true;
    return false;
}

/* The slot of a name, or the free one where it would be. */
static uint32_t *name_slot(const struct scope *scope, struct str name)
{
    size_t at = hash_bytes(name, 0) & (scope->nslots - 1);
    while (scope->slot[at] && !str_equal(scope->local[scope->slot[at] - 1].name, name))
        at = (at + 1) & (scope->nslots - 1);
    return &scope->slot[at];
}

static struct local *find_in(const struct scope *scope, struct str name)
{
    if (scope->nslots) {
        uint32_t at = *name_slot(scope, name);
        return at ? &scope->local[at - 1] : NULL;
    }
    for (size_t i = 0; i < scope->n; i++)
        if (str_equal(scope->local[i].name, name))
            return &scope->local[i];
    return NULL;
}

/* The last name gets its slot; all of them where there must be more slots. */
static bool index_last(struct resolving *r, struct scope *scope)
{
    size_t from = scope->n - 1;
    if (scope->n <= FEW_NAMES)
        return true;
    if (scope->n * 2 > scope->nslots) {
        scope->nslots = scope->nslots ? scope->nslots * 2 : 4 * FEW_NAMES;
        scope->slot = arena_new(r->c->arena, uint32_t, scope->nslots);
        from = 0;
        if (!scope->slot)
            return out_of_memory(r);
    }
    for (size_t i = from; i < scope->n; i++) {
        uint32_t *slot = name_slot(scope, scope->local[i].name);
        *slot = *slot ? *slot : (uint32_t)i + 1;
    }
    return true;
}

/* The nearest declaration; names merely seen do not count. */
static const struct local *find(const struct resolving *r, struct str name)
{
    for (const struct scope *s = r->scope; s; s = s->parent) {
        const struct local *local = find_in(s, name);
        if (local && local->kind != LOCAL_SEEN)
            return local;
    }
    return NULL;
}

static bool push(struct resolving *r, struct scope *scope, struct str name, uint32_t slot,
                 enum local_kind kind)
{
    struct local *grown =
        arena_grow(r->c->arena, scope->local, scope->n, &scope->room, scope->n + 1);
    if (!grown)
        return out_of_memory(r);
    scope->local = grown;
    grown[scope->n++] = (struct local){name, slot, kind};
    return index_last(r, scope);
}

static bool is_wildcard(struct str name)
{
    return name.len && name.ptr[0] == '$';
}

static bool is_root(struct str name)
{
    return str_equal(name, STR("input")) || str_equal(name, STR("data"));
}

struct named {
    struct str name;
    bool found;
};

static bool is_named(void *ctx, const struct rego_term *var)
{
    struct named *in = ctx;
    in->found |= str_equal(var->name, in->name);
    return !in->found;
}

/* Does the name stand in what `some ... in` goes through? That declares no such variable. */
static bool is_in(struct resolving *r, const struct rego_term *domain, struct str name)
{
    struct named in = {.name = name};
    struct rego_walk_vars w = {
        .visit = is_named, .ctx = &in, .what = REGO_VARS_OWN | REGO_VARS_CLOSURES};
    rego_walk_term_vars(&w, domain);
    rego_afford(r->c, w.steps);
    return in.found;
}

/* A new variable of this scope. */
static bool declare(struct resolving *r, struct rego_term *t, enum local_kind kind)
{
    static const char *const why[] = {[LOCAL_ARGUMENT] = "declared above",
                                      [LOCAL_DECLARED] = "declared above",
                                      [LOCAL_ASSIGNED] = "assigned above",
                                      [LOCAL_SEEN] = "referenced above"};
    struct local *before = is_wildcard(t->name) ? NULL : find_in(r->scope, t->name);
    bool v0 = r->c->unit && r->c->unit->module->v0;
    if (is_root(t->name) && !v0) {
        rego_complain(r->c, "rego_compile_error", t->place,
                      "%s must not shadow %.*s (use a different variable name)",
                      kind == LOCAL_ARGUMENT ? "args" : "variables", STR_ARG(t->name));
        return true;
    }
    if (r->patterns && !is_wildcard(t->name) && is_in(r, r->patterns, t->name))
        return !r->c->out_of_memory && variable(r, t, t); /* some x in xs[x] */
    bool same = before && r->patterns && before >= r->scope->local + r->first;
    if (same || (before && before->kind == LOCAL_ARGUMENT && kind == LOCAL_ARGUMENT)) {
        t->slot = before->slot; /* f(x, x); some x, x in xs */
        return true;
    }
    if (!before && r->arguments && r->scope->parent == r->arguments)
        before = find_in(r->arguments, t->name);
    if (before && before->kind == LOCAL_ARGUMENT) {
        rego_complain(r->c, "rego_compile_error", t->place, "arg %.*s redeclared",
                      STR_ARG(t->name));
        return true;
    }
    if (before) {
        rego_complain(r->c, "rego_compile_error", t->place, "var %.*s %s", STR_ARG(t->name),
                      why[before->kind]);
        return true;
    }
    t->slot = rego_new_slot(r->c, t->name, t->place, false);
    if (r->c->out_of_memory)
        return false;
    struct rego_variable *made = &r->c->variables.item[t->slot];
    bool strict = r->c->policy->options.strict;
    if (is_wildcard(t->name) || (r->c->rule && r->c->rule->is_default))
        made->must = REGO_MAY_BE_UNUSED;
    else if (kind == LOCAL_ARGUMENT)
        made->must = strict ? REGO_ARGUMENT : REGO_MAY_BE_UNUSED;
    else if (kind == LOCAL_ASSIGNED)
        made->must = strict ? REGO_ASSIGNED : REGO_MAY_BE_UNUSED;
    else
        made->must = r->patterns ? REGO_MAY_BE_UNUSED : REGO_DECLARED;
    return push(r, r->scope, t->name, t->slot, kind);
}

/* Every variable of a pattern. */
static bool declare_all(struct resolving *r, struct rego_term *t, enum local_kind kind)
{
    if (++r->depth > REGO_DEPTH_MAX)
        return false;
    bool ok = true;
    switch (t->kind) {
    case REGO_TERM_VAR:
        ok = declare(r, t, kind);
        break;
    case REGO_TERM_ARRAY:
        for (size_t i = 0; i < t->parts.n && ok; i++)
            ok = declare_all(r, t->parts.item[i], kind);
        break;
    case REGO_TERM_OBJECT:
        for (size_t i = 0; i < t->pairs.n && ok; i++)
            ok = term(r, t->pairs.item[i].key) && declare_all(r, t->pairs.item[i].value, kind);
        break;
    default:
        ok = term(r, t);
        break;
    }
    r->depth--;
    return ok;
}

/* --- globals --- */

static bool has_name(const struct rego_node *package, struct str name)
{
    return bsearch(&name, package->name, package->nnames, sizeof name, str_compare_qsort) != NULL;
}

static struct rego_term *make(struct resolving *r, enum rego_term_kind kind,
                              struct rego_place place)
{
    struct rego_term *t = arena_new(r->c->arena, struct rego_term, 1);
    if (t) {
        t->kind = kind;
        t->place = place;
        if (kind == REGO_TERM_VAR)
            t->slot = REGO_NO_SLOT;
    } else {
        r->c->out_of_memory = true;
    }
    return t;
}

/* What an import of input or data is called; ptr NULL for others. */
static struct str import_name(const struct rego_import *import)
{
    const struct rego_term *path = import->path;
    bool whole = path->kind == REGO_TERM_VAR;
    if (!is_root(whole ? path->name : path->parts.item[0]->name))
        return (struct str){0};
    return import->alias.len ? import->alias
           : whole           ? path->name
                             : value_text(&path->parts.item[path->parts.n - 1]->value);
}

/* The first one of that name wins. */
static int compare_imports(const void *a, const void *b)
{
    const struct rego_named_import *x = a, *y = b;
    int c = str_compare(x->name, y->name);
    return c ? c : (x->import > y->import) - (x->import < y->import);
}

static bool sort_imports(struct resolving *r, struct rego_unit *unit)
{
    const struct rego_module *module = unit->module;
    struct rego_named_import *import =
        arena_new(r->c->arena, struct rego_named_import, module->nimports);
    if (!import)
        return out_of_memory(r);
    for (size_t i = 0; i < module->nimports; i++) {
        struct str name = import_name(&module->imports[i]);
        if (name.ptr)
            import[unit->nimports++] = (struct rego_named_import){name, &module->imports[i]};
    }
    if (unit->nimports > 1)
        qsort(import, unit->nimports, sizeof *import, compare_imports);
    unit->import = import;
    return true;
}

static struct rego_import *find_import(struct resolving *r, struct str name)
{
    struct rego_unit *unit = r->c->unit;
    if (!unit->import && !sort_imports(r, unit))
        return NULL;
    size_t low = 0, high = unit->nimports;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(unit->import[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < unit->nimports && str_equal(unit->import[low].name, name)
               ? unit->import[low].import
               : NULL;
}

/* The ref that a name stands for: an import, or a rule of this package; NULL if neither. */
static bool global(struct resolving *r, struct str name, struct rego_place place,
                   struct rego_term ***ret, size_t *ret_n)
{
    const struct rego_unit *unit = r->c->unit;
    *ret_n = 0;
    if (!unit)
        return true;
    const struct rego_module *module = unit->module;
    struct rego_import *import = find_import(r, name);
    if (r->c->out_of_memory)
        return false;
    if (import && import->path->kind == REGO_TERM_VAR) {
        struct rego_term **one = arena_new(r->c->arena, struct rego_term *, 1);
        if (!one)
            return out_of_memory(r);
        one[0] = import->path;
        *ret = one;
        *ret_n = 1;
    } else if (import) {
        *ret = import->path->parts.item;
        *ret_n = import->path->parts.n;
    }
    if (import) {
        import->used = true;
        return true;
    }
    if (!has_name(unit->package, name))
        return true;
    const struct rego_term *package = module->package;
    size_t n = package->kind == REGO_TERM_REF ? package->parts.n : 1;
    struct rego_term **parts = arena_new(r->c->arena, struct rego_term *, n + 1);
    struct rego_term *last = make(r, REGO_TERM_VALUE, place);
    if (!parts || !last)
        return out_of_memory(r);
    memcpy(parts, package->parts.item, n * sizeof *parts);
    last->value = value_string(name);
    parts[n] = last;
    *ret = parts;
    *ret_n = n + 1;
    return true;
}

/* t, whose head stands for prefix, as one ref. */
static bool substitute(struct resolving *r, struct rego_term *t, struct rego_term **prefix,
                       size_t n)
{
    size_t rest = t->kind == REGO_TERM_REF ? t->parts.n - 1 : 0;
    struct rego_term *head = make(r, REGO_TERM_VAR, t->place);
    struct rego_term **parts = arena_new(r->c->arena, struct rego_term *, n + rest);
    if (!head || !parts)
        return out_of_memory(r);
    memcpy(parts, prefix, n * sizeof *parts);
    if (rest)
        memcpy(parts + n, t->parts.item + 1, rest * sizeof *parts);
    head->name = prefix[0]->name;
    parts[0] = head;
    if (n + rest == 1) {
        *t = *head;
        return true;
    }
    t->kind = REGO_TERM_REF;
    t->parts.item = parts;
    t->parts.n = n + rest;
    return true;
}

/* --- terms --- */

/* A name where a value is wanted. whole: the term to change, t itself or the ref that it heads. */
static bool variable(struct resolving *r, struct rego_term *t, struct rego_term *whole)
{
    struct rego_term **prefix;
    size_t n;
    const struct local *local = find(r, t->name);
    if (local) {
        t->slot = local->slot;
        r->c->variables.item[t->slot].used = true;
        return true;
    }
    if (!is_wildcard(t->name) && !global(r, t->name, t->place, &prefix, &n))
        return false;
    if (!is_wildcard(t->name) && n)
        return substitute(r, whole, prefix, n);
    if (is_root(t->name))
        return true;
    struct local *seen = find_in(&r->implicit, t->name);
    if (!seen) {
        uint32_t slot = rego_new_slot(r->c, t->name, t->place, false);
        if (!push(r, &r->implicit, t->name, slot, LOCAL_SEEN))
            return false;
        seen = &r->implicit.local[r->implicit.n - 1];
    }
    t->slot = seen->slot;
    for (const struct scope *s = r->scope; s; s = s->parent)
        if (s == &r->implicit || find_in(s, t->name))
            return true; /* one seen further out may be declared here */
    return push(r, r->scope, t->name, t->slot, LOCAL_SEEN);
}

const struct rego_builtin *rego_known_builtin(const struct rego_compiler *c, struct str name)
{
    const struct rego_builtin *found = rego_builtin_find(name);
    const struct rego_family *host = c->policy->options.host;
    return found || !host ? found : rego_family_find(host, name);
}

struct rego_read_signature {
    const char *text;
    struct rego_signature signature;
    struct rego_read_signature *next;
};

const struct rego_signature *rego_signature_of(struct rego_compiler *c, const char *text)
{
    enum { BUCKETS = sizeof c->signature / sizeof *c->signature };
    struct rego_read_signature **bucket = &c->signature[((uintptr_t)text >> 4) % BUCKETS], *found;
    for (found = *bucket; found && found->text != text; found = found->next)
        ;
    if (found)
        return &found->signature;
    found = arena_new(c->arena, struct rego_read_signature, 1);
    if (!found || !rego_signature_parse(c->arena, text, &found->signature)) {
        c->out_of_memory = true;
        return NULL;
    }
    found->text = text;
    found->next = *bucket;
    *bucket = found;
    return &found->signature;
}

struct str rego_operator_name(struct rego_compiler *c, const struct rego_term *operator_)
{
    AUTO_BUF out = {.limit = 1 << 12};
    if (operator_->kind == REGO_TERM_VAR)
        return operator_->name;
    if (operator_->kind != REGO_TERM_REF || operator_->parts.item[0]->kind != REGO_TERM_VAR)
        return (struct str){0};
    buf_str(&out, operator_->parts.item[0]->name);
    for (size_t i = 1; i < operator_->parts.n; i++) {
        const struct rego_term *part = operator_->parts.item[i];
        if (part->kind != REGO_TERM_VALUE || !value_is_string(&part->value))
            return (struct str){0};
        buf_char(&out, '.');
        buf_str(&out, value_text(&part->value));
    }
    return arena_dup(c->arena, buf_view(&out));
}

/* A call's operator: a rule, an import, or left as the name of a built-in. */
static bool operator_(struct resolving *r, struct rego_term *t)
{
    struct rego_term *head = t->kind == REGO_TERM_REF ? t->parts.item[0] : t;
    struct rego_term **prefix;
    size_t n;
    if (head->kind != REGO_TERM_VAR)
        return term(r, t);
    if (find(r, head->name)) {
        rego_complain(r->c, "rego_type_error", t->place, "undefined function %.*s",
                      STR_ARG(head->name));
        return true;
    }
    if (!global(r, head->name, head->place, &prefix, &n))
        return false;
    return !n || substitute(r, t, prefix, n);
}

/* f() of v0, where f has no arguments: a rule. Templates of Gatekeeper call such ones. */
static void called_rule(struct resolving *r, struct rego_term *t)
{
    const struct rego_node *node =
        t->parts.n == 1 ? rego_operator_node(r->c, t->parts.item[0]) : NULL;
    bool v0 = r->c->unit && r->c->unit->module->v0;
    if (v0 && node && node->kind == REGO_HEAD_COMPLETE && node->narg == 0)
        *t = *t->parts.item[0];
}

static bool list(struct resolving *r, struct rego_term *t, size_t from)
{
    for (size_t i = from; i < t->parts.n; i++)
        if (!term(r, t->parts.item[i]))
            return false;
    return true;
}

static bool comprehension(struct resolving *r, struct rego_term *t)
{
    struct scope scope = {.parent = r->scope};
    r->scope = &scope;
    bool ok = body(r, t->compr.body) && (!t->compr.key || term(r, t->compr.key)) &&
              term(r, t->compr.value);
    r->scope = scope.parent;
    return ok;
}

static bool ref(struct resolving *r, struct rego_term *t)
{
    struct rego_term *head = t->parts.item[0];
    if (!list(r, t, 1))
        return false;
    return head->kind == REGO_TERM_VAR ? variable(r, head, t) : term(r, head);
}

static bool object(struct resolving *r, struct rego_term *t)
{
    for (size_t i = 0; i < t->pairs.n; i++)
        if (!term(r, t->pairs.item[i].key) || !term(r, t->pairs.item[i].value))
            return false;
    return true;
}

static bool term(struct resolving *r, struct rego_term *t)
{
    if (++r->depth > REGO_DEPTH_MAX) {
        rego_complain(r->c, "rego_compile_error", t->place, "nested too deep");
        return false;
    }
    bool ok = rego_afford(r->c, 1);
    if (!ok)
        return false;
    switch (t->kind) {
    case REGO_TERM_VALUE:
        break;
    case REGO_TERM_VAR:
        ok = variable(r, t, t);
        break;
    case REGO_TERM_REF:
        ok = ref(r, t);
        break;
    case REGO_TERM_OBJECT:
        ok = object(r, t);
        break;
    case REGO_TERM_CALL:
        ok = operator_(r, t->parts.item[0]) && list(r, t, 1);
        if (ok)
            called_rule(r, t);
        break;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
    case REGO_TERM_TEMPLATE:
        ok = list(r, t, 0);
        break;
    default:
        ok = comprehension(r, t);
        break;
    }
    r->depth--;
    return ok;
}

/* --- bodies --- */

static bool is_operator(const struct rego_term *call, const char *name)
{
    const struct rego_term *op = call->parts.item[0];
    return op->kind == REGO_TERM_VAR && str_equal(op->name, str_from(name));
}

static const char *not_a_pattern(const struct rego_term *t)
{
    static const char *const names[] = {[REGO_TERM_REF] = "ref",
                                        [REGO_TERM_SET] = "set",
                                        [REGO_TERM_CALL] = "call",
                                        [REGO_TERM_ARRAY_COMPREHENSION] = "arraycomprehension",
                                        [REGO_TERM_SET_COMPREHENSION] = "setcomprehension",
                                        [REGO_TERM_OBJECT_COMPREHENSION] = "objectcomprehension",
                                        [REGO_TERM_TEMPLATE] = "templatestring"};
    if (t->kind == REGO_TERM_VAR || t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_OBJECT)
        return NULL;
    return t->kind == REGO_TERM_VALUE ? rego_type_name(&t->value) : names[t->kind];
}

static bool assign(struct resolving *r, const struct rego_expr *expr, struct rego_term *call)
{
    struct rego_term *left = call->parts.item[1];
    const char *bad = not_a_pattern(left);
    if (bad) {
        rego_complain(r->c, "rego_compile_error", expr->place, "cannot assign to %s", bad);
        return true;
    }
    if (expr->negated) {
        rego_complain(r->c, "rego_compile_error", expr->place,
                      "cannot assign vars inside negated expression");
        return true;
    }
    return term(r, call->parts.item[2]) && declare_all(r, left, LOCAL_ASSIGNED);
}

static bool some(struct resolving *r, struct rego_expr *expr)
{
    struct rego_term *first = expr->some.symbol[0];
    if (first->kind != REGO_TERM_CALL) {
        for (size_t i = 0; i < expr->some.n; i++)
            if (!declare(r, expr->some.symbol[i], LOCAL_DECLARED))
                return false;
        return true;
    }
    size_t n = first->parts.n;
    if (!term(r, first->parts.item[n - 1]))
        return false;
    r->patterns = first->parts.item[n - 1];
    r->first = r->scope->n;
    bool ok = true;
    for (size_t i = 1; i + 1 < n && ok; i++)
        ok = declare_all(r, first->parts.item[i], LOCAL_DECLARED);
    r->patterns = NULL;
    return ok;
}

static bool every(struct resolving *r, struct rego_expr *expr)
{
    struct scope scope = {.parent = r->scope};
    if (!term(r, expr->every.domain))
        return false;
    r->scope = &scope;
    bool ok = (!expr->every.key || declare(r, expr->every.key, LOCAL_DECLARED)) &&
              declare(r, expr->every.value, LOCAL_DECLARED) && body(r, expr->every.body);
    r->scope = scope.parent;
    return ok;
}

static bool inner(struct resolving *r, struct rego_body *b)
{
    struct scope scope = {.parent = r->scope};
    r->scope = &scope;
    bool ok = body(r, b);
    r->scope = scope.parent;
    return ok;
}

static bool with(struct resolving *r, struct rego_expr *expr)
{
    for (size_t i = 0; i < expr->nwith; i++) {
        struct rego_term *target = expr->with[i].target, *value = expr->with[i].value;
        struct rego_term *head = target->kind == REGO_TERM_REF ? target->parts.item[0] : target;
        bool plain = value->kind == REGO_TERM_VAR || value->kind == REGO_TERM_REF;
        if (head->kind == REGO_TERM_VAR && find(r, head->name)) {
            rego_complain(r->c, "rego_type_error", target->place,
                          "with keyword target must reference existing input, data, or a function");
            return true;
        }
        if (head->kind == REGO_TERM_VAR && !operator_(r, target))
            return false;
        struct str name = plain ? rego_operator_name(r->c, value) : (struct str){0};
        if (name.len && rego_known_builtin(r->c, name) &&
            !find(r, value->kind == REGO_TERM_REF ? value->parts.item[0]->name : value->name)) {
            if (!operator_(r, value))
                return false;
        } else if (!term(r, value)) {
            return false;
        }
    }
    return true;
}

static bool literal(struct resolving *r, struct rego_expr *expr)
{
    switch (expr->kind) {
    case REGO_EXPR_SOME:
        return some(r, expr);
    case REGO_EXPR_EVERY:
        return every(r, expr);
    case REGO_EXPR_LOGIC:
        return inner(r, expr->logic.left) && inner(r, expr->logic.right);
    case REGO_EXPR_NOT_BODY:
        return inner(r, expr->body);
    case REGO_EXPR_CALL:
        if (is_operator(expr->term, "assign") && expr->term->parts.n == 3)
            return assign(r, expr, expr->term);
        if (!term(r, expr->term))
            return false;
        if (expr->term->kind != REGO_TERM_CALL)
            expr->kind = REGO_EXPR_TERM;
        return true;
    default:
        return term(r, expr->term);
    }
}

static bool body(struct resolving *r, struct rego_body *b)
{
    if (++r->depth > REGO_DEPTH_MAX)
        return false;
    for (size_t i = 0; i < b->n; i++)
        if (!with(r, b->expr[i]) || !literal(r, b->expr[i]))
            return false;
    r->depth--;
    return true;
}

/* --- rules --- */

static bool head(struct resolving *r, struct rego_head *h)
{
    for (size_t i = 1; i < h->nref; i++)
        if (!term(r, h->ref[i]))
            return false;
    return (!h->key || term(r, h->key)) && (!h->value || term(r, h->value));
}

/* An argument that must be evaluated becomes a variable that the body compares with it. */
static bool argument_into_body(struct resolving *r, struct rego_rule *rule, size_t i)
{
    struct rego_term *given = rule->head.arg[i];
    size_t n = rule->body ? rule->body->n : 0;
    struct rego_body *with_it = arena_new(r->c->arena, struct rego_body, 1);
    struct rego_expr **list = arena_new(r->c->arena, struct rego_expr *, n + 1);
    struct rego_term *var = make(r, REGO_TERM_VAR, given->place);
    struct rego_expr *expr = var ? rego_make_equation(r->c, var, given) : NULL;
    if (!with_it || !list || !expr)
        return out_of_memory(r);
    var->name = STR("__arg");
    var->slot = rego_new_slot(r->c, var->name, given->place, true);
    if (n)
        memcpy(list, rule->body->expr, n * sizeof *list);
    list[n] = expr;
    *with_it = (struct rego_body){list, n + 1, rule->place};
    rule->body = with_it;
    rule->head.arg[i] = var;
    return true;
}

static bool is_evaluated(const struct rego_term *t)
{
    return t->kind == REGO_TERM_TEMPLATE || t->kind == REGO_TERM_REF;
}

/* Variables that had to be used. */
static void complain_unused(struct rego_compiler *c, const struct rego_rule *rule)
{
    for (uint32_t i = 0; i < c->variables.n; i++) {
        const struct rego_variable *v = &c->variables.item[i];
        if (v->used || v->must == REGO_MAY_BE_UNUSED)
            continue;
        if (v->must == REGO_ARGUMENT)
            rego_complain(c, "rego_compile_error", rule->place,
                          "unused argument %.*s. (hint: use _ (wildcard variable) instead)",
                          STR_ARG(v->name));
        else
            rego_complain(c, "rego_compile_error", v->place, "%s var %.*s unused",
                          v->must == REGO_DECLARED ? "declared" : "assigned", STR_ARG(v->name));
    }
}

bool rego_resolve_rule(struct rego_compiler *c, struct rego_rule *rule)
{
    struct scope arguments = {0};
    struct resolving r = {.c = c, .scope = &arguments, .arguments = &arguments};
    const struct rego_rule *whole = rule;
    size_t before = c->diags->n;
    c->rule = rule;
    for (size_t i = 0; i < rule->head.narg; i++)
        if (!declare_all(&r, rule->head.arg[i], LOCAL_ARGUMENT))
            return false;
    for (const struct rego_rule *first = rule; rule; rule = rule->else_) {
        struct scope scope = {.parent = &arguments};
        if (rule != first)
            r.implicit = (struct scope){0};
        r.scope = &scope;
        c->rule = rule;
        for (size_t i = 0; i < rule->head.narg && rule == first; i++)
            if (is_evaluated(rule->head.arg[i]) && !argument_into_body(&r, rule, i))
                return false;
        if ((rule->body && !body(&r, rule->body)) || !head(&r, &rule->head))
            return false;
    }
    if (c->diags->n == before)
        complain_unused(c, whole);
    return true;
}

bool rego_resolve_body(struct rego_compiler *c, struct rego_body *b)
{
    struct resolving r = {.c = c};
    r.scope = &r.implicit;
    return body(&r, b);
}
