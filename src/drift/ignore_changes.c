/* ignore_changes.c - the configuration with the prior state's values at ignored places. */
#include "drift/ignore_changes.h"

#include "base/arena.h"
#include "base/err.h"

/* One step as Terraform takes it: an attribute of an object, a map's key, a position of a list. */
static const struct value *step_into(const struct value *v, const struct path_step *step,
                                     bool is_index)
{
    if (step->kind == PATH_INDEX) {
        bool list = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
        return list && step->index >= 0 && step->index < v->len ? &v->items[step->index] : NULL;
    }
    return v->kind == (is_index ? VALUE_MAP : VALUE_OBJECT) ? value_get(v, step->key) : NULL;
}

static const struct value *find(const struct value *v, const struct ignored_path *at, size_t n)
{
    for (size_t i = 0; i < n && v; i++)
        v = step_into(v, &at->path.step[i], at->is_index[i]);
    return v;
}

/* The same map without the key, or with the prior value of it. */
static bool with_key(struct arena *arena, const struct value *map, const struct value_key *key,
                     struct str text, const struct value *to, struct value *ret, struct err *err)
{
    uint32_t n = 0, old = map->kind == VALUE_NULL ? 0 : map->len;
    struct value_member *members = arena_new(arena, struct value_member, (size_t)old + 1);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < old; i++)
        if (!str_equal(key_str(map->members[i].key), text))
            members[n++] = map->members[i];
    if (to)
        members[n++] = (struct value_member){key, *to};
    if (n)
        return value_members(VALUE_MAP, members, n, ret, NULL, err);
    *ret = *map;
    if (map->kind == VALUE_MAP)
        *ret = (struct value){.kind = VALUE_MAP, .marks = map->marks};
    return true;
}

static const struct value_member *member_of(const struct value *map, struct str key)
{
    for (uint32_t i = 0; map->kind == VALUE_MAP && i < map->len; i++)
        if (str_equal(key_str(map->members[i].key), key))
            return &map->members[i];
    return NULL;
}

/* A copy of v in which the node at the first n steps is `to`. The place is there. */
static bool put(struct arena *arena, const struct value *v, const struct path_step *step, size_t n,
                const struct value *to, struct value *ret, struct err *err)
{
    struct value inner = *to;
    size_t at = 0;
    if (n == 0) {
        *ret = *to;
        return true;
    }
    *ret = *v;
    if (value_is_list_like(v)) {
        struct value *items = arena_new(arena, struct value, v->len);
        if (!items)
            return arena_full(arena, err);
        for (uint32_t i = 0; i < v->len; i++)
            items[i] = v->items[i];
        ret->items = items;
        at = (size_t)step->index;
        return put(arena, &v->items[at], step + 1, n - 1, to, &inner, err) &&
               (items[at] = inner, true);
    }
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++) {
        members[i] = v->members[i];
        if (str_equal(key_str(members[i].key), step->key))
            at = i;
    }
    ret->members = members;
    return put(arena, &v->members[at].value, step + 1, n - 1, to, &inner, err) &&
           (members[at].value = inner, true);
}

static bool is_map(const struct value *v, const struct value *other)
{
    if (v->kind == VALUE_UNKNOWN && v->unknown && v->unknown->type)
        return v->unknown->type->kind == TYPE_MAP;
    return v->kind == VALUE_MAP ||
           ((v->kind == VALUE_NULL || v->kind == VALUE_UNKNOWN) && other->kind == VALUE_MAP);
}

/* One ignored place: what is there in the prior state. A map that is not known stays unknown. */
static bool apply_one(struct arena *arena, const struct ignored_path *at, const struct value *prior,
                      struct value *config, struct err *err)
{
    size_t n = at->path.n;
    const struct path_step *last = &at->path.step[n - 1];
    bool by_key = last->kind == PATH_KEY && at->is_index[n - 1];
    n -= by_key;
    const struct value *p = find(prior, at, n), *c = find(config, at, n);
    if (!p || !c || value_equal(p, c))
        return true;
    struct value to = *p;
    if (is_map(c, p)) {
        if (c->kind == VALUE_UNKNOWN)
            return true;
        const struct value_member *kept = by_key ? member_of(p, last->key) : NULL;
        if (by_key && !with_key(arena, c, kept ? kept->key : NULL, last->key,
                                kept ? &kept->value : NULL, &to, err))
            return false;
    }
    struct value from = *config;
    return put(arena, &from, at->path.step, n, &to, config, err);
}

/* --- all --- */

/* A whole object is in `items` or `members` of a collection; each is worked on alone. */
static bool without_computed(struct arena *arena, const struct schema_block *block,
                             const struct value *v, struct value *ret, struct err *err);

static bool elements_without_computed(struct arena *arena, const struct schema_block *block,
                                      const struct value *v, struct value *ret, struct err *err)
{
    *ret = *v;
    if (v->len == 0 || (!value_is_list_like(v) && !value_is_object_like(v)))
        return true;
    if (value_is_object_like(v)) {
        struct value_member *members = arena_new(arena, struct value_member, v->len);
        if (!members)
            return arena_full(arena, err);
        for (uint32_t i = 0; i < v->len; i++) {
            members[i].key = v->members[i].key;
            if (!without_computed(arena, block, &v->members[i].value, &members[i].value, err))
                return false;
        }
        ret->members = members;
        return true;
    }
    struct value *items = arena_new(arena, struct value, v->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++)
        if (!without_computed(arena, block, &v->items[i], &items[i], err))
            return false;
    ret->items = items;
    if (v->kind == VALUE_SET)
        ret->len = (uint32_t)value_set_normalise(items, v->len);
    return true;
}

static bool member_without_computed(struct arena *arena, const struct schema_block *block,
                                    struct value_member *member, struct err *err)
{
    const struct schema_attribute *attribute = schema_find_attribute(block, key_str(member->key));
    const struct schema_nested_block *nested = schema_find_block(block, key_str(member->key));
    const struct value v = member->value;
    if (attribute && attribute->computed && !attribute->optional) {
        member->value = (struct value){.kind = VALUE_NULL, .type = attribute->type};
        return true;
    }
    const struct schema_block *inner = attribute ? attribute->nested
                                       : nested  ? nested->block
                                                 : NULL;
    enum schema_nesting nesting = attribute ? attribute->nesting
                                  : nested  ? nested->nesting
                                            : NESTING_INVALID;
    if (!inner)
        return true;
    if (nesting == NESTING_SINGLE || nesting == NESTING_GROUP)
        return without_computed(arena, inner, &v, &member->value, err);
    return elements_without_computed(arena, inner, &v, &member->value, err);
}

static bool without_computed(struct arena *arena, const struct schema_block *block,
                             const struct value *v, struct value *ret, struct err *err)
{
    *ret = *v;
    if (!value_is_object_like(v) || v->len == 0)
        return true;
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++) {
        members[i] = v->members[i];
        if (!member_without_computed(arena, block, &members[i], err))
            return false;
    }
    ret->members = members;
    return true;
}

bool ignore_changes_apply(struct arena *arena, const struct ignore_changes *ignored,
                          const struct schema_block *block, const struct value *prior,
                          const struct value *config, struct value *ret, struct err *err)
{
    struct value v = *config;
    if (!ignore_changes_any(ignored) || prior->kind == VALUE_NULL) {
        *ret = v;
        return true;
    }
    if (ignored->all && block)
        return without_computed(arena, block, prior, ret, err);
    if (ignored->all) {
        *ret = *prior;
        return true;
    }
    for (size_t i = 0; i < ignored->n; i++)
        if (!apply_one(arena, &ignored->paths[i], prior, &v, err))
            return false;
    *ret = v;
    return true;
}

/* An attribute step and a key step are told apart only where a value is at hand. */
static bool covers(const struct ignored_path *at, struct path path)
{
    return path.n >= at->path.n && path_starts(path, at->path);
}

bool ignore_changes_cover(const struct ignore_changes *ignored, struct path path)
{
    if (!ignore_changes_any(ignored))
        return false;
    for (size_t i = 0; i < ignored->n && !ignored->all; i++)
        if (covers(&ignored->paths[i], path))
            return true;
    return ignored->all;
}
