/* metadata.c - rego.metadata.rule() and .chain(): what annotations say of the rule around a call.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "lang/rego/annotation.h"
#include "lang/rego/policy.h"
#include "lang/rego/walk.h"

enum { NAME_BYTES = 1 << 12 };

/* --- values as terms --- */

static struct rego_term *term_of(struct arena *arena, const struct value *v,
                                 struct rego_place place, unsigned depth_left)
{
    struct rego_term *term = depth_left ? arena_new(arena, struct rego_term, 1) : NULL;
    struct value key, item;
    if (!term)
        return NULL;
    term->place = place;
    bool array = rego_is_array(v);
    if (!array && !rego_is_object(v)) {
        term->kind = REGO_TERM_VALUE;
        term->value = *v;
        return term;
    }
    struct rego_term **items = arena_new(arena, struct rego_term *, v->len + 1);
    struct rego_term_pair *pairs = arena_new(arena, struct rego_term_pair, v->len + 1);
    size_t n = 0;
    for (size_t at = 0; items && pairs && rego_next(v, &at, &key, &item); n++) {
        items[n] = pairs[n].value = term_of(arena, &item, place, depth_left - 1);
        pairs[n].key = term_of(arena, &key, place, depth_left - 1);
        if (!pairs[n].key || !items[n])
            return NULL;
    }
    term->kind = array ? REGO_TERM_ARRAY : REGO_TERM_OBJECT;
    if (array) {
        term->parts.item = items;
        term->parts.n = n;
    } else {
        term->pairs.item = pairs;
        term->pairs.n = n;
    }
    return items && pairs ? term : NULL;
}

/* --- chains --- */

/* Package and as much of the rule's ref as is constant: ["a", "b", "p"]. */
static bool rule_path(struct arena *arena, const struct rego_rule *rule, struct value *ret)
{
    const struct rego_term *package = rule->module->package;
    size_t np = package->parts.n - 1, n = 0;
    struct value *item = arena_new(arena, struct value, np + rule->head.nref);
    if (!item)
        return false;
    for (; n < np; n++)
        item[n] = package->parts.item[n + 1]->value;
    item[n++] = value_string(rule->head.ref[0]->name);
    for (size_t i = 1; i < rule->head.nref && rule->head.ref[i]->kind == REGO_TERM_VALUE; i++)
        item[n++] = rule->head.ref[i]->value;
    *ret = value_items(VALUE_TUPLE, item, n);
    return true;
}

static bool package_path(struct arena *arena, const struct rego_module *module, struct value *ret)
{
    const struct rego_term *package = module->package;
    struct value *item = arena_new(arena, struct value, package->parts.n);
    if (!item)
        return false;
    for (size_t i = 1; i < package->parts.n; i++)
        item[i - 1] = package->parts.item[i]->value;
    *ret = value_items(VALUE_TUPLE, item, package->parts.n - 1);
    return true;
}

static bool is_prefix(const struct value *a, const struct value *b)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (i >= b->len || !rego_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

struct chain {
    struct arena *arena;
    const struct rego_policy *policy;
    const struct rego_rule *rule;
    struct value path, package;
    struct value *item;
    size_t n, room;
};

static bool link_to(struct chain *chain, const struct value *path, const struct value *annotations)
{
    struct rego_pair *pairs = arena_new(chain->arena, struct rego_pair, 2);
    struct value *grown =
        arena_grow(chain->arena, chain->item, chain->n, &chain->room, chain->n + 1);
    size_t clash;
    if (!pairs || !grown)
        return false;
    chain->item = grown;
    pairs[0] = (struct rego_pair){value_string(STR("path")), *path};
    if (annotations)
        pairs[1] = (struct rego_pair){value_string(STR("annotations")), *annotations};
    return rego_make_object(pairs, annotations ? 2 : 1, &grown[chain->n++], &clash);
}

/* The rule's own, the nearest first; at least an entry without any. */
static bool rule_links(struct chain *chain)
{
    const struct rego_module *module = chain->rule->module;
    bool any = false;
    for (size_t i = module->nannotations; i-- > 0;) {
        const struct rego_annotation *a = &module->annotations[i];
        if (a->scope != REGO_SCOPE_RULE || a->rule != chain->rule)
            continue;
        any = true;
        if (!link_to(chain, &chain->path, &a->value))
            return false;
    }
    return any || link_to(chain, &chain->path, NULL);
}

/* Of all modules: the document's, or the package's. */
static bool shared_links(struct chain *chain, enum rego_scope scope)
{
    for (size_t u = 0; u < chain->policy->nunits; u++) {
        const struct rego_module *module = chain->policy->unit[u].module;
        for (size_t i = 0; i < module->nannotations; i++) {
            const struct rego_annotation *a = &module->annotations[i];
            struct value path;
            if (a->scope != scope)
                continue;
            if (!(a->rule ? rule_path(chain->arena, a->rule, &path)
                          : package_path(chain->arena, module, &path)))
                return false;
            if (rego_equal(&path, a->rule ? &chain->path : &chain->package) &&
                !link_to(chain, &path, &a->value))
                return false;
        }
    }
    return true;
}

/* Those of the packages around it, from the inside out. */
static bool subpackage_links(struct chain *chain)
{
    for (uint32_t len = chain->package.len + 1; len-- > 0;)
        for (size_t u = 0; u < chain->policy->nunits; u++) {
            const struct rego_module *module = chain->policy->unit[u].module;
            struct value path;
            if (module->nannotations && !package_path(chain->arena, module, &path))
                return false;
            for (size_t i = 0; i < module->nannotations; i++)
                if (module->annotations[i].scope == REGO_SCOPE_SUBPACKAGES && path.len == len &&
                    is_prefix(&path, &chain->package) &&
                    !link_to(chain, &path, &module->annotations[i].value))
                    return false;
        }
    return true;
}

static bool chain_value(struct rego_compiler *c, const struct rego_rule *rule, struct value *ret)
{
    struct chain chain = {.arena = c->arena, .policy = c->policy, .rule = rule};
    if (!rule_path(c->arena, rule, &chain.path) ||
        !package_path(c->arena, rule->module, &chain.package) || !rule_links(&chain) ||
        !shared_links(&chain, REGO_SCOPE_DOCUMENT) || !shared_links(&chain, REGO_SCOPE_PACKAGE) ||
        !subpackage_links(&chain))
        return false;
    *ret = value_items(VALUE_TUPLE, chain.item, chain.n);
    return true;
}

static bool own_value(struct rego_compiler *c, const struct rego_rule *rule, struct value *ret)
{
    const struct rego_module *module = rule->module;
    size_t clash;
    for (size_t i = module->nannotations; i-- > 0;)
        if (module->annotations[i].scope == REGO_SCOPE_RULE &&
            module->annotations[i].rule == rule) {
            *ret = module->annotations[i].value;
            return true;
        }
    struct rego_pair *none = arena_new(c->arena, struct rego_pair, 1);
    return none && rego_make_object(none, 0, ret, &clash);
}

/* --- calls --- */

struct putting {
    struct rego_walker walker;
    struct rego_compiler *c;
    const struct rego_rule *rule;
    bool failed;
};

static bool is_metadata_call(const struct rego_term *term, bool *ret_chain)
{
    const struct rego_term *name = term->kind == REGO_TERM_CALL ? term->parts.item[0] : NULL;
    if (!name || name->kind != REGO_TERM_REF || name->parts.n != 3 || term->parts.n > 2 ||
        name->parts.item[0]->kind != REGO_TERM_VAR ||
        !str_equal(name->parts.item[0]->name, STR("rego")))
        return false;
    AUTO_BUF text = {.limit = NAME_BYTES};
    rego_term_text(&text, name);
    *ret_chain = str_equal(buf_view(&text), STR("rego.metadata.chain"));
    return *ret_chain || str_equal(buf_view(&text), STR("rego.metadata.rule"));
}

static struct rego_term *metadata_of(struct putting *putting, const struct rego_term *call,
                                     bool chain)
{
    struct value v;
    bool ok = chain ? chain_value(putting->c, putting->rule, &v)
                    : own_value(putting->c, putting->rule, &v);
    struct rego_term *ret = ok ? term_of(putting->c->arena, &v, call->place, REGO_DEPTH_MAX) : NULL;
    putting->failed |= !ret;
    return ret;
}

static enum rego_walk_next put_term(struct rego_walker *walker, struct rego_term *term)
{
    struct putting *putting = (struct putting *)(void *)walker;
    bool chain;
    if (!is_metadata_call(term, &chain) || term->parts.n != 1)
        return REGO_WALK_IN;
    struct rego_term *value = metadata_of(putting, term, chain);
    if (!value)
        return REGO_WALK_END;
    *term = *value;
    return REGO_WALK_PAST;
}

/* rego.metadata.rule(x) is x = rego.metadata.rule(). */
static enum rego_walk_next put_expr(struct rego_walker *walker, struct rego_expr *expr)
{
    struct putting *putting = (struct putting *)(void *)walker;
    bool chain;
    if (expr->kind != REGO_EXPR_CALL || !is_metadata_call(expr->term, &chain))
        return REGO_WALK_IN;
    struct rego_term *call = expr->term, *value = metadata_of(putting, call, chain);
    if (!value)
        return REGO_WALK_END;
    if (call->parts.n == 1) {
        expr->kind = REGO_EXPR_TERM;
        expr->term = value;
        return REGO_WALK_IN;
    }
    struct rego_term **part = arena_new(putting->c->arena, struct rego_term *, 3);
    struct rego_term *eq = arena_new(putting->c->arena, struct rego_term, 1);
    putting->failed |= !part || !eq;
    if (!part || !eq)
        return REGO_WALK_END;
    *eq = (struct rego_term){.kind = REGO_TERM_VAR, .place = call->place};
    eq->name = STR("eq");
    eq->slot = REGO_NO_SLOT;
    part[0] = eq;
    part[1] = call->parts.item[1];
    part[2] = value;
    call->parts.item = part;
    call->parts.n = 3;
    return REGO_WALK_IN;
}

static bool put_in_rule(struct rego_compiler *c, const struct rego_rule *rule)
{
    for (const struct rego_rule *at = rule; at; at = at->else_) {
        struct putting putting = {
            .walker = {.term = put_term, .expr = put_expr}, .c = c, .rule = rule};
        if (!rego_walk_rule(&putting.walker, at))
            return false;
    }
    return true;
}

/* Two documents' or two packages' annotations: which of them would hold? */
static bool check_twice(struct rego_compiler *c, const struct rego_unit *unit,
                        const struct rego_annotation *a, struct value *path)
{
    for (size_t u = 0; u < c->policy->nunits; u++) {
        const struct rego_module *module = c->policy->unit[u].module;
        for (size_t i = 0; i < module->nannotations; i++) {
            const struct rego_annotation *other = &module->annotations[i];
            struct value theirs;
            if (&c->policy->unit[u] == unit && other == a)
                return true;
            if (other->scope != a->scope)
                continue;
            if (!(other->rule ? rule_path(c->arena, other->rule, &theirs)
                              : package_path(c->arena, module, &theirs)))
                return false;
            if (rego_equal(path, &theirs)) {
                rego_complain(c, "rego_type_error", a->place, "%s annotation redeclared: %.*s:%u",
                              a->scope == REGO_SCOPE_DOCUMENT  ? "document"
                              : a->scope == REGO_SCOPE_PACKAGE ? "package"
                                                               : "subpackages",
                              STR_ARG(module->file), other->place.row);
                return true;
            }
        }
    }
    return true;
}

/* Whether an annotation of that scope, in that module, holds for a rule of that path. */
static bool holds(struct rego_compiler *c, const struct rego_annotation *a,
                  const struct rego_module *module, const struct rego_rule *rule,
                  const struct value paths[2])
{
    struct value path;
    if (a->scope == REGO_SCOPE_RULE)
        return a->rule == rule;
    if (!(a->rule ? rule_path(c->arena, a->rule, &path) : package_path(c->arena, module, &path))) {
        c->out_of_memory = true;
        return false;
    }
    if (a->scope == REGO_SCOPE_SUBPACKAGES)
        return is_prefix(&path, &paths[0]);
    return rego_equal(&path, &paths[a->scope == REGO_SCOPE_DOCUMENT]);
}

bool rego_annotations_of(struct rego_compiler *c, const struct rego_rule *rule,
                         bool (*give)(void *ctx, const struct rego_annotation *a), void *ctx)
{
    static const enum rego_scope widest_first[] = {REGO_SCOPE_SUBPACKAGES, REGO_SCOPE_PACKAGE,
                                                   REGO_SCOPE_DOCUMENT, REGO_SCOPE_RULE};
    struct value paths[2];
    if (!package_path(c->arena, rule->module, &paths[0]) || !rule_path(c->arena, rule, &paths[1]))
        return false;
    for (size_t s = 0; s < sizeof widest_first / sizeof *widest_first; s++)
        for (size_t u = 0; u < c->policy->nunits; u++) {
            const struct rego_module *module = c->policy->unit[u].module;
            for (size_t i = 0; i < module->nannotations; i++) {
                const struct rego_annotation *a = &module->annotations[i];
                if (a->scope == widest_first[s] && holds(c, a, module, rule, paths) &&
                    !give(ctx, a))
                    return false;
            }
        }
    return !c->out_of_memory;
}

bool rego_put_metadata(struct rego_compiler *c)
{
    for (size_t u = 0; u < c->policy->nunits; u++) {
        struct rego_unit *unit = &c->policy->unit[u];
        c->unit = unit;
        for (size_t i = 0; i < unit->module->nannotations; i++) {
            const struct rego_annotation *a = &unit->module->annotations[i];
            struct value path;
            if (a->scope == REGO_SCOPE_RULE)
                continue;
            if (!(a->rule ? rule_path(c->arena, a->rule, &path)
                          : package_path(c->arena, unit->module, &path)) ||
                !check_twice(c, unit, a, &path))
                return false;
        }
        for (size_t i = 0; i < unit->module->nrules && unit->module->calls_rego; i++)
            if (!put_in_rule(c, unit->module->rules[i]))
                return false;
    }
    c->unit = NULL;
    return true;
}
