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

/* --- annotations by what they are of --- */

struct note {
    const struct rego_annotation *annotation;
    const struct rego_module *module;
    struct value path;          /* of the document or the package; RULE: none */
    size_t at;                  /* in the order of modules */
    struct note *next, *before; /* of one path, or rule: the later one, the earlier one */
    struct note *last;          /* of the first: the last */
};
struct rego_notes {
    struct note *note;
    size_t n;
    struct note **slot; /* the first of its scope and path, or rule */
    size_t nslots;
};

static struct note **note_slot(const struct rego_notes *notes, enum rego_scope scope,
                               const struct rego_rule *rule, const struct value *path)
{
    uint64_t hash = scope == REGO_SCOPE_RULE ? (uintptr_t)rule / 16 * 0x9e3779b97f4a7c15U >> 20
                                             : rego_hash(path) + scope;
    for (;; hash++) {
        struct note **slot = &notes->slot[hash & (notes->nslots - 1)];
        const struct rego_annotation *a = *slot ? (*slot)->annotation : NULL;
        if (!a || (a->scope == scope &&
                   (scope == REGO_SCOPE_RULE ? a->rule == rule : rego_equal(&(*slot)->path, path))))
            return slot;
    }
}

static bool add_note(struct rego_compiler *c, struct rego_notes *notes,
                     const struct rego_module *module, const struct rego_annotation *a)
{
    struct note *note = &notes->note[notes->n];
    *note = (struct note){.annotation = a, .module = module, .at = notes->n};
    if (a->scope != REGO_SCOPE_RULE && !(a->rule ? rule_path(c->arena, a->rule, &note->path)
                                                 : package_path(c->arena, module, &note->path)))
        return false;
    struct note **slot = note_slot(notes, a->scope, a->rule, &note->path);
    if (*slot) {
        note->before = (*slot)->last;
        note->before->next = note;
    } else {
        *slot = note;
    }
    (*slot)->last = note;
    notes->n++;
    return rego_afford(c, 1);
}

static bool read_notes(struct rego_compiler *c)
{
    struct rego_notes *notes = arena_new(c->arena, struct rego_notes, 1);
    size_t n = 0;
    for (size_t u = 0; u < c->policy->nunits; u++)
        n += c->policy->unit[u].module->nannotations;
    if (!notes)
        return false;
    for (notes->nslots = 4; notes->nslots < 2 * n; notes->nslots *= 2)
        ;
    notes->note = arena_new(c->arena, struct note, n);
    notes->slot = arena_new(c->arena, struct note *, notes->nslots);
    if (!notes->note || !notes->slot)
        return false;
    c->notes = notes;
    for (size_t u = 0; u < c->policy->nunits; u++) {
        const struct rego_module *module = c->policy->unit[u].module;
        for (size_t i = 0; i < module->nannotations; i++)
            if (!add_note(c, notes, module, &module->annotations[i]))
                return false;
    }
    return true;
}

/* The first of them; .next are the others. */
static const struct note *find_notes(struct rego_compiler *c, enum rego_scope scope,
                                     const struct rego_rule *rule, const struct value *path)
{
    return *note_slot(c->notes, scope, rule, path);
}

struct chain {
    struct arena *arena;
    struct rego_compiler *c;
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
    const struct note *first = find_notes(chain->c, REGO_SCOPE_RULE, chain->rule, NULL);
    for (const struct note *n = first ? first->last : NULL; n; n = n->before)
        if (!link_to(chain, &chain->path, &n->annotation->value))
            return false;
    return first || link_to(chain, &chain->path, NULL);
}

/* Of all modules: the document's, or the package's. */
static bool shared_links(struct chain *chain, enum rego_scope scope)
{
    const struct value *path = scope == REGO_SCOPE_DOCUMENT ? &chain->path : &chain->package;
    for (const struct note *n = find_notes(chain->c, scope, NULL, path); n; n = n->next)
        if (!link_to(chain, &n->path, &n->annotation->value))
            return false;
    return true;
}

/* Those of the packages around it, from the inside out. */
static bool subpackage_links(struct chain *chain)
{
    struct value path = chain->package;
    for (path.len++; path.len-- > 0;)
        for (const struct note *n = find_notes(chain->c, REGO_SCOPE_SUBPACKAGES, NULL, &path); n;
             n = n->next)
            if (!link_to(chain, &n->path, &n->annotation->value))
                return false;
    return true;
}

static bool chain_value(struct rego_compiler *c, const struct rego_rule *rule, struct value *ret)
{
    struct chain chain = {.arena = c->arena, .c = c, .rule = rule};
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
    const struct note *note = find_notes(c, REGO_SCOPE_RULE, rule, NULL);
    size_t clash;
    if (note) {
        *ret = note->last->annotation->value;
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
static void check_twice(struct rego_compiler *c)
{
    for (size_t i = 0; i < c->notes->n; i++) {
        const struct note *note = &c->notes->note[i];
        const struct rego_annotation *a = note->annotation;
        const struct note *first = find_notes(c, a->scope, a->rule, &note->path);
        if (a->scope == REGO_SCOPE_RULE || first == note)
            continue;
        c->unit = &c->policy->unit[note->module->unit];
        rego_complain(c, "rego_type_error", a->place, "%s annotation redeclared: %.*s:%u",
                      a->scope == REGO_SCOPE_DOCUMENT  ? "document"
                      : a->scope == REGO_SCOPE_PACKAGE ? "package"
                                                       : "subpackages",
                      STR_ARG(first->module->file), first->annotation->place.row);
    }
}

bool rego_annotations_of(struct rego_compiler *c, const struct rego_rule *rule,
                         bool (*give)(void *ctx, const struct rego_annotation *a), void *ctx)
{
    struct value package, path;
    const struct note *found[REGO_DEPTH_MAX], *n;
    size_t nfound = 0;
    if (!package_path(c->arena, rule->module, &package) || !rule_path(c->arena, rule, &path))
        return false;
    struct value around = package;
    for (around.len++; around.len-- > 0 && nfound < REGO_DEPTH_MAX;)
        if ((n = find_notes(c, REGO_SCOPE_SUBPACKAGES, NULL, &around)))
            found[nfound++] = n;
    for (size_t i = 1; i < nfound; i++) /* in the order of modules */
        for (size_t k = i; k > 0 && found[k - 1]->at > found[k]->at; k--) {
            n = found[k];
            found[k] = found[k - 1];
            found[k - 1] = n;
        }
    for (size_t i = 0; i < nfound; i++)
        if (!give(ctx, found[i]->annotation))
            return false;
    const struct note *const nearer[] = {find_notes(c, REGO_SCOPE_PACKAGE, NULL, &package),
                                         find_notes(c, REGO_SCOPE_DOCUMENT, NULL, &path),
                                         find_notes(c, REGO_SCOPE_RULE, rule, NULL)};
    for (size_t i = 0; i < sizeof nearer / sizeof *nearer; i++)
        for (n = nearer[i]; n; n = n->next)
            if (!give(ctx, n->annotation))
                return false;
    return !c->out_of_memory;
}

bool rego_put_metadata(struct rego_compiler *c)
{
    if (!read_notes(c))
        return false;
    check_twice(c);
    for (size_t u = 0; u < c->policy->nunits; u++) {
        struct rego_unit *unit = &c->policy->unit[u];
        c->unit = unit;
        for (size_t i = 0; i < unit->module->nrules && unit->module->calls_rego; i++)
            if (!put_in_rule(c, unit->module->rules[i]))
                return false;
    }
    c->unit = NULL;
    return true;
}
