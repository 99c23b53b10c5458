/* proposed.c - proposed_new(): prior and configuration merged by the schema. Recursion goes down
 * the schema, which is never deeper than its decoder allows. */
#include "drift/proposed.h"

#include "base/arena.h"
#include "base/err.h"
#include "drift/setorder.h"

struct merge {
    struct arena *arena;
    bool failed; /* the arena is full */
};

static const struct value nothing = {.kind = VALUE_NULL};

static bool is_null(const struct value *v)
{
    return v->kind == VALUE_NULL;
}

static bool is_unknown(const struct value *v)
{
    return v->kind == VALUE_UNKNOWN;
}

static bool is_container(const struct value *v)
{
    return value_is_list_like(v) || value_is_object_like(v);
}

static struct value typed_null(const struct type *type)
{
    return (struct value){.kind = VALUE_NULL, .type = type};
}

static struct value typed_unknown(struct merge *m, const struct type *type)
{
    struct value_unknown *known = arena_new(m->arena, struct value_unknown, 1);
    m->failed |= !known;
    if (known)
        *known = (struct value_unknown){.type = type, .len_least = -1, .len_most = -1};
    return value_unknown(known);
}

/* The member of that key, looked for first where it is in a value of the type. */
static const struct value *member(const struct value *v, uint32_t at, const struct value_key *key)
{
    if (!value_is_object_like(v))
        return &nothing;
    if (at < v->len && key_equal(v->members[at].key, key))
        return &v->members[at].value;
    const struct value *found = value_get(v, key_str(key));
    return found ? found : &nothing;
}

static struct value_member *new_members(struct merge *m, const struct type *type)
{
    struct value_member *members = arena_new(m->arena, struct value_member, type->n);
    m->failed |= !members;
    for (uint32_t i = 0; members && i < type->n; i++)
        members[i].key = type->members[i].key;
    return members;
}

static struct value object_of(const struct value_member *members, uint32_t n)
{
    return (struct value){.kind = VALUE_OBJECT, .len = n, .members = n ? members : NULL};
}

/* --- empty values --- */

static struct value empty_object(struct merge *m, const struct schema_block *block);

static struct value empty_block(struct merge *m, const struct schema_nested_block *nested)
{
    const struct type *type = nested->block->type;
    bool dynamic = type_has_dynamic(type);
    struct value v = {.type = type};
    switch (nested->nesting) {
    case NESTING_GROUP:
        return empty_object(m, nested->block);
    case NESTING_LIST:
        v.kind = dynamic ? VALUE_TUPLE : VALUE_LIST;
        break;
    case NESTING_MAP:
        v.kind = dynamic ? VALUE_OBJECT : VALUE_MAP;
        break;
    case NESTING_SET:
        v.kind = VALUE_SET;
        break;
    default:
        return typed_null(type);
    }
    if (dynamic && v.kind != VALUE_SET)
        v.type = NULL;
    return v;
}

static struct value empty_object(struct merge *m, const struct schema_block *block)
{
    struct value_member *members = new_members(m, block->type);
    for (uint32_t i = 0; members && i < block->type->n; i++) {
        const struct schema_nested_block *nested =
            schema_find_block(block, key_str(members[i].key));
        members[i].value =
            nested ? empty_block(m, nested) : typed_null(block->type->members[i].type);
    }
    return members ? object_of(members, block->type->n) : value_null();
}

/* --- is a set element what became of this configuration? --- */

/*
 * Could `prior` have come from `config`, with computed attributes filled in? Where Terraform can
 * not look inside (sets) both must be equal.
 */
static bool may_come_from(const struct schema_block *block, const struct value *prior,
                          const struct value *config);

static bool elements_may_come_from(const struct schema_block *block, const struct value *prior,
                                   const struct value *config)
{
    if (value_is_object_like(prior) != value_is_object_like(config))
        return false;
    if (value_is_object_like(prior)) {
        for (uint32_t i = 0; i < prior->len; i++) {
            const struct value *c = value_get(config, key_str(prior->members[i].key));
            if (!c || !may_come_from(block, &prior->members[i].value, c))
                return false;
        }
        return true;
    }
    for (uint32_t i = 0; i < prior->len; i++)
        if (i >= config->len || !may_come_from(block, &prior->items[i], &config->items[i]))
            return false;
    return true;
}

/* A nested attribute or block; one = an object, else a collection of them. */
static bool nested_may_come_from(const struct schema_block *block, bool one, bool set,
                                 const struct value *prior, const struct value *config)
{
    if (value_equal(config, prior))
        return true;
    if (set)
        return false;
    if (is_null(prior)) /* there is nothing below it to be different */
        return true;
    if (one)
        return may_come_from(block, prior, config);
    return prior->len == 0 ||
           (is_container(config) && elements_may_come_from(block, prior, config));
}

static bool attribute_may_come_from(const struct schema_attribute *attribute,
                                    const struct value *prior, const struct value *config)
{
    bool set = attribute->type->kind == TYPE_SET || config->kind == VALUE_SET;
    if (attribute->nested)
        return nested_may_come_from(attribute->nested, attribute->nesting == NESTING_SINGLE, set,
                                    prior, config);
    return value_equal(config, prior) || (!set && attribute->computed && is_null(config));
}

static bool may_come_from(const struct schema_block *block, const struct value *prior,
                          const struct value *config)
{
    if (value_equal(config, prior))
        return true;
    if (is_null(prior))
        return true;
    if (!value_is_object_like(config)) /* null or unknown: no attribute of it can be looked at */
        return block->type->n == 0;
    for (uint32_t i = 0; i < block->type->n; i++) {
        const struct value_key *key = block->type->members[i].key;
        const struct value *p = member(prior, i, key), *c = member(config, i, key);
        const struct schema_attribute *attribute = schema_find_attribute(block, key_str(key));
        const struct schema_nested_block *nested =
            attribute ? NULL : schema_find_block(block, key_str(key));
        if (attribute && !attribute_may_come_from(attribute, p, c))
            return false;
        if (nested && !nested_may_come_from(nested->block,
                                            nested->nesting == NESTING_SINGLE ||
                                                nested->nesting == NESTING_GROUP,
                                            nested->nesting == NESTING_SET, p, c))
            return false;
    }
    return true;
}

/* --- merging --- */

static struct value merge_block(struct merge *m, const struct schema_block *block,
                                const struct value *prior, const struct value *config);
static struct value merge_object(struct merge *m, const struct schema_block *block,
                                 const struct value *prior, const struct value *config);

/* How the objects of a collection are merged: those of a nested block, or of a nested attribute. */
typedef struct value merge_fn(struct merge *m, const struct schema_block *block,
                              const struct value *prior, const struct value *config);

static struct value with_items(const struct value *like, struct value *items, uint32_t n)
{
    struct value v = *like;
    v.len = n;
    v.items = items;
    return v;
}

static struct value merge_list(struct merge *m, merge_fn *one, const struct schema_block *block,
                               const struct value *prior, const struct value *config)
{
    struct value *items = arena_new(m->arena, struct value, config->len);
    m->failed |= !items;
    for (uint32_t i = 0; items && i < config->len; i++)
        items[i] = value_is_list_like(prior) && i < prior->len
                       ? one(m, block, &prior->items[i], &config->items[i])
                       : config->items[i];
    return items ? with_items(config, items, config->len) : *config;
}

static struct value merge_map(struct merge *m, merge_fn *one, const struct schema_block *block,
                              const struct value *prior, const struct value *config)
{
    struct value_member *members = arena_new(m->arena, struct value_member, config->len);
    m->failed |= !members;
    for (uint32_t i = 0; members && i < config->len; i++) {
        const struct value_member *from = &config->members[i];
        const struct value *p = value_get(prior, key_str(from->key));
        members[i] = *from;
        if (p)
            members[i].value = one(m, block, p, &from->value);
    }
    struct value v = *config;
    v.members = members;
    return members ? v : *config;
}

/* The first prior element, as Terraform walks them, that is not taken yet and could have come from
 * this configuration. */
static const struct value *prior_of_element(const struct schema_block *block,
                                            const struct value *prior, const uint32_t *order,
                                            bool *used, const struct value *config)
{
    for (uint32_t i = 0; prior->kind == VALUE_SET && i < prior->len; i++) {
        if (used[i] || !may_come_from(block, &prior->items[order[i]], config))
            continue;
        used[i] = true;
        return &prior->items[order[i]];
    }
    return &nothing;
}

static struct value merge_set(struct merge *m, merge_fn *one, const struct schema_block *block,
                              const struct value *prior, const struct value *config)
{
    const struct value *old = prior->kind == VALUE_SET ? prior : &nothing;
    struct value *items = arena_new(m->arena, struct value, config->len);
    bool *used = arena_new(m->arena, bool, old->len);
    const uint32_t *old_order = set_order(m->arena, old), *order = set_order(m->arena, config);
    m->failed |= !items || !used || !old_order || !order;
    if (!items || !used || !old_order || !order)
        return *config;
    for (uint32_t i = 0; i < config->len; i++) {
        const struct value *element = &config->items[order[i]];
        items[i] = one(m, block, prior_of_element(block, old, old_order, used, element), element);
    }
    return with_items(config, items, (uint32_t)value_set_normalise(items, config->len));
}

/* One object or a collection of them; null, unknown and empty stay what the configuration says. */
static struct value merge_nested(struct merge *m, merge_fn *one, const struct schema_block *block,
                                 enum schema_nesting nesting, const struct value *prior,
                                 const struct value *config)
{
    if (is_unknown(config))
        return *config;
    if (nesting == NESTING_GROUP || (nesting == NESTING_SINGLE && !is_null(config)))
        return one(m, block, prior, config);
    if (!is_container(config) || config->len == 0)
        return *config;
    if (nesting == NESTING_LIST && value_is_list_like(config))
        return merge_list(m, one, block, prior, config);
    if (nesting == NESTING_MAP && value_is_object_like(config))
        return merge_map(m, one, block, prior, config);
    if (nesting == NESTING_SET && config->kind == VALUE_SET)
        return merge_set(m, one, block, prior, config);
    return *config;
}

/*
 * Is there anything in it that only a configuration can have set? Then an absent configuration
 * means that it is to be taken away.
 */
static bool has_set_by_code(const struct schema_block *block, const struct value *v);

static bool elements_set_by_code(const struct schema_attribute *attribute, const struct value *v)
{
    if (attribute->nesting == NESTING_SINGLE)
        return has_set_by_code(attribute->nested, v);
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        if (has_set_by_code(attribute->nested, &v->items[i]))
            return true;
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        if (has_set_by_code(attribute->nested, &v->members[i].value))
            return true;
    return false;
}

static bool has_set_by_code(const struct schema_block *block, const struct value *v)
{
    if (!value_is_object_like(v))
        return false;
    for (size_t i = 0; i < block->nattributes; i++) {
        const struct schema_attribute *attribute = &block->attributes[i];
        const struct value *inner = value_get(v, attribute->name);
        if (!inner || is_null(inner))
            continue;
        if (!attribute->computed || (attribute->nested && elements_set_by_code(attribute, inner)))
            return true;
    }
    return false;
}

static struct value merge_attribute(struct merge *m, const struct schema_attribute *attribute,
                                    const struct value *prior, const struct value *config)
{
    if (attribute->computed && is_null(config)) {
        bool leftover =
            attribute->optional && attribute->nested && elements_set_by_code(attribute, prior);
        return leftover ? *config : *prior;
    }
    if (attribute->nested)
        return merge_nested(m, merge_object, attribute->nested, attribute->nesting, prior, config);
    return *config;
}

static struct value merge_members(struct merge *m, const struct schema_block *block,
                                  const struct value *prior, const struct value *config)
{
    const struct type *type = block->type;
    struct value_member *members = new_members(m, type);
    for (uint32_t i = 0; members && i < type->n; i++) {
        const struct value_key *key = members[i].key;
        const struct schema_attribute *attribute = schema_find_attribute(block, key_str(key));
        const struct value *p = member(prior, i, key), *c = member(config, i, key);
        if (attribute) {
            members[i].value = merge_attribute(m, attribute, p, c);
        } else {
            const struct schema_nested_block *nested = schema_find_block(block, key_str(key));
            members[i].value = merge_nested(m, merge_block, nested->block, nested->nesting, p, c);
        }
    }
    return members ? object_of(members, type->n) : value_null();
}

/* The object of a nested attribute. Of an unknown one each attribute is unknown. */
static struct value merge_object(struct merge *m, const struct schema_block *block,
                                 const struct value *prior, const struct value *config)
{
    if (is_null(config))
        return *config;
    if (!is_unknown(config))
        return merge_members(m, block, prior, config);
    struct value_member *members = new_members(m, block->type);
    for (uint32_t i = 0; members && i < block->type->n; i++)
        members[i].value = typed_unknown(m, block->type->members[i].type);
    return members ? object_of(members, block->type->n) : value_null();
}

static struct value merge_block(struct merge *m, const struct schema_block *block,
                                const struct value *prior, const struct value *config)
{
    struct value empty;
    if (is_null(config) && is_null(prior))
        return *prior;
    if (is_null(prior)) {
        empty = empty_object(m, block);
        prior = &empty;
    }
    if (is_null(config) || is_unknown(config))
        return *prior;
    return merge_members(m, block, prior, config);
}

static bool merged(const struct merge *m, struct value v, struct value *ret, struct err *err)
{
    if (m->failed)
        return arena_full(m->arena, err);
    *ret = v;
    return true;
}

bool proposed_new(struct arena *arena, const struct schema_block *block, const struct value *prior,
                  const struct value *config, struct value *ret, struct err *err)
{
    struct merge m = {.arena = arena};
    return merged(&m, merge_block(&m, block, prior, config), ret, err);
}

bool proposed_empty(struct arena *arena, const struct schema_block *block, struct value *ret,
                    struct err *err)
{
    struct merge m = {.arena = arena};
    return merged(&m, empty_object(&m, block), ret, err);
}

/* --- blocks that are never null --- */

static struct value fill_object(struct merge *m, const struct schema_block *block,
                                const struct value *v);

static struct value fill_items(struct merge *m, const struct schema_block *block,
                               const struct value *v)
{
    struct value *items = arena_new(m->arena, struct value, v->len);
    m->failed |= !items;
    for (uint32_t i = 0; items && i < v->len; i++)
        items[i] = fill_object(m, block, &v->items[i]);
    if (!items)
        return *v;
    uint32_t n = v->len;
    if (v->kind == VALUE_SET)
        n = (uint32_t)value_set_normalise(items, n);
    return with_items(v, items, n);
}

static struct value fill_block(struct merge *m, const struct schema_nested_block *nested,
                               const struct value *v)
{
    bool one = nested->nesting == NESTING_SINGLE || nested->nesting == NESTING_GROUP;
    if (type_has_dynamic(nested->block->type) || nested->nesting == NESTING_MAP)
        return *v;
    if (is_null(v))
        return nested->nesting == NESTING_SINGLE ? *v : empty_block(m, nested);
    if (one)
        return fill_object(m, nested->block, v);
    return value_is_list_like(v) && v->len ? fill_items(m, nested->block, v) : *v;
}

/* Is there a block below that has to be looked at? Most schemas have none that is null. */
static bool is_full(const struct schema_block *block, const struct value *v)
{
    for (size_t i = 0; i < block->nblocks; i++) {
        const struct schema_nested_block *nested = &block->blocks[i];
        const struct value *inner = value_get(v, nested->name);
        if (inner && ((is_null(inner) && nested->nesting != NESTING_SINGLE) ||
                      (inner->len && nested->block->nblocks)))
            return false;
    }
    return true;
}

static struct value fill_object(struct merge *m, const struct schema_block *block,
                                const struct value *v)
{
    if (!value_is_object_like(v) || is_full(block, v))
        return *v;
    struct value_member *members = arena_new(m->arena, struct value_member, v->len);
    m->failed |= !members;
    for (uint32_t i = 0; members && i < v->len; i++) {
        const struct schema_nested_block *nested =
            schema_find_block(block, key_str(v->members[i].key));
        members[i] = v->members[i];
        if (nested)
            members[i].value = fill_block(m, nested, &v->members[i].value);
    }
    return members ? object_of(members, v->len) : *v;
}

bool proposed_fill_blocks(struct arena *arena, const struct schema_block *block,
                          const struct value *state, struct value *ret, struct err *err)
{
    struct merge m = {.arena = arena};
    return merged(&m, fill_object(&m, block, state), ret, err);
}
