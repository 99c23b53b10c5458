/* ignore_changes.c - the configuration with the prior state's values at ignored places. */
#include "desired/ignore_changes.h"

#include "base/arena.h"
#include "base/err.h"
#include "desired/module.h"
#include "lang/hcl/eval.h"

/* --- as it is written --- */

static bool take_path(struct arena *arena, const struct hcl_traversal *from, bool typed,
                      struct ignored_path *ret, struct err *err)
{
    struct path_step *steps = arena_new(arena, struct path_step, from->n + 1);
    bool *is_index = arena_new(arena, bool, from->n + 1);
    if (!steps || !is_index)
        return arena_full(arena, err);
    steps[0] = (struct path_step){.kind = PATH_KEY, .key = from->root};
    for (size_t i = 0; i < from->n; i++) {
        const struct value *key = &from->step[i].key;
        is_index[i + 1] = typed && from->step[i].index;
        if (key->kind == VALUE_STRING)
            steps[i + 1] = (struct path_step){.kind = PATH_KEY, .key = value_text(key)};
        else if (value_to_int64(key, &steps[i + 1].index))
            steps[i + 1].kind = PATH_INDEX;
        else
            steps[i + 1] = (struct path_step){.kind = PATH_INDEX, .index = -1};
    }
    *ret = (struct ignored_path){{steps, from->n + 1}, is_index};
    return true;
}

bool ignore_changes_of(struct arena *arena, const struct code_resource *resource, bool typed,
                       struct ignore_changes *ret, struct err *err)
{
    *ret = (struct ignore_changes){.all = resource->ignore_all};
    if (!resource->ignore_all && resource->nignore_changes == 0)
        return true;
    struct ignored_path *paths = arena_new(arena, struct ignored_path, resource->nignore_changes);
    const struct code_place *place = &resource->ignore_place;
    if (!paths)
        return arena_full(arena, err);
    for (size_t i = 0; i < resource->nignore_changes; i++)
        if (!take_path(arena, &resource->ignore_changes[i], typed, &paths[i], err))
            return false;
    ret->paths = paths;
    ret->n = resource->nignore_changes;
    ret->reason = place->file ? arena_printf(arena, "ignore_changes at %.*s:%u",
                                             STR_ARG(place->file->name), place->line)
                              : STR("ignore_changes");
    return ret->reason.ptr || arena_full(arena, err);
}

/* --- one place --- */

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
    *ret = *map;
    if (n && !value_members(VALUE_MAP, members, n, ret, NULL, err))
        return false;
    if (n == 0 && map->kind == VALUE_MAP) {
        const struct type *type = hcl_type_of(arena, map);
        *ret = (struct value){.kind = VALUE_MAP, .type = type ? type->elem : NULL};
    }
    ret->marks = map->marks;
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
