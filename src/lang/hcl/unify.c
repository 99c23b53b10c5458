/* unify.c - which types convert to which, and the one type that several have in common (cty unify).
 */
#include "base/arena.h"
#include "lang/hcl/eval.h"
#include "lang/hcl/types.h"

static bool converts_at(struct arena *arena, const struct type *from, const struct type *to,
                        unsigned depth_left);

static bool is_primitive(const struct type *t)
{
    return t->kind == TYPE_STRING || t->kind == TYPE_NUMBER || t->kind == TYPE_BOOL;
}

static const struct type *unify_parts(struct arena *arena, const struct type *t,
                                      unsigned depth_left);

/* tuple or object -> collection of elem: all parts convert; elem dynamic = they have a common type.
 */
static bool parts_convert(struct arena *arena, const struct type *from, const struct type *elem,
                          unsigned depth_left)
{
    if (elem->kind == TYPE_DYNAMIC) {
        const struct type *common = from->n ? unify_parts(arena, from, depth_left) : &type_dynamic;
        if (!common || common->kind != TYPE_DYNAMIC || from->kind != TYPE_TUPLE)
            return common;
    }
    for (uint32_t i = 0; elem->kind == TYPE_DYNAMIC && i < from->n; i++)
        if (from->items[i]->kind != TYPE_DYNAMIC)
            return false; /* it could turn out to be of another type */
    for (uint32_t i = 0; i < from->n; i++) {
        const struct type *part = from->kind == TYPE_TUPLE ? from->items[i] : from->members[i].type;
        if (!converts_at(arena, part, elem, depth_left))
            return false;
    }
    return true;
}

static bool object_to_object(struct arena *arena, const struct type *from, const struct type *to,
                             unsigned depth_left)
{
    for (uint32_t i = 0; i < to->n; i++) {
        const struct type_member *want = &to->members[i];
        const struct type_member *have = type_find_member(from, key_str(want->key));
        if (have ? !converts_at(arena, have->type, want->type, depth_left) : !want->optional)
            return false;
    }
    return true;
}

static bool map_to_object(struct arena *arena, const struct type *from, const struct type *to,
                          unsigned depth_left)
{
    for (uint32_t i = 0; i < to->n; i++) /* a map may lack what is optional: its values tell */
        if (!to->members[i].optional &&
            !converts_at(arena, from->elem, to->members[i].type, depth_left))
            return false;
    return true;
}

static bool tuple_to_tuple(struct arena *arena, const struct type *from, const struct type *to,
                           unsigned depth_left)
{
    if (from->n != to->n)
        return false;
    for (uint32_t i = 0; i < to->n; i++)
        if (!converts_at(arena, from->items[i], to->items[i], depth_left))
            return false;
    return true;
}

static bool converts_at(struct arena *arena, const struct type *from, const struct type *to,
                        unsigned depth_left)
{
    if (to->kind == TYPE_DYNAMIC || from->kind == TYPE_DYNAMIC)
        return true;
    if (depth_left == 0)
        return false;
    depth_left--;
    bool sequence = from->kind == TYPE_LIST || from->kind == TYPE_SET;
    switch (to->kind) {
    case TYPE_STRING:
        return is_primitive(from);
    case TYPE_NUMBER:
    case TYPE_BOOL:
        return from->kind == to->kind || from->kind == TYPE_STRING;
    case TYPE_LIST:
    case TYPE_SET:
        return sequence
                   ? converts_at(arena, from->elem, to->elem, depth_left)
                   : from->kind == TYPE_TUPLE && parts_convert(arena, from, to->elem, depth_left);
    case TYPE_MAP:
        return from->kind == TYPE_MAP
                   ? converts_at(arena, from->elem, to->elem, depth_left)
                   : from->kind == TYPE_OBJECT && parts_convert(arena, from, to->elem, depth_left);
    case TYPE_TUPLE:
        return from->kind == TYPE_TUPLE && tuple_to_tuple(arena, from, to, depth_left);
    case TYPE_OBJECT:
        return from->kind == TYPE_OBJECT
                   ? object_to_object(arena, from, to, depth_left)
                   : from->kind == TYPE_MAP && map_to_object(arena, from, to, depth_left);
    default:
        return type_equal(from, to);
    }
}

bool hcl_type_converts(struct arena *arena, const struct type *from, const struct type *to)
{
    return converts_at(arena, from, to, TYPE_DEPTH_MAX);
}

/* --- preference (cty sortTypes) --- */

static int prefer(const struct type *a, const struct type *b)
{
    bool dynamic_a = a->kind == TYPE_DYNAMIC, dynamic_b = b->kind == TYPE_DYNAMIC;
    if (dynamic_a || dynamic_b)
        return (int)dynamic_a - (int)dynamic_b;
    if (is_primitive(a) && is_primitive(b))
        return (int)(b->kind == TYPE_STRING) - (int)(a->kind == TYPE_STRING);
    if (a->kind == b->kind && (a->kind == TYPE_LIST || a->kind == TYPE_SET || a->kind == TYPE_MAP))
        return prefer(a->elem, b->elem);
    if (a->kind == TYPE_LIST && (b->kind == TYPE_TUPLE || b->kind == TYPE_SET))
        return -1;
    if (b->kind == TYPE_LIST && (a->kind == TYPE_TUPLE || a->kind == TYPE_SET))
        return 1;
    if (a->kind == TYPE_TUPLE && b->kind == TYPE_SET)
        return -1;
    if (b->kind == TYPE_TUPLE && a->kind == TYPE_SET)
        return 1;
    return (int)(b->kind == TYPE_MAP && a->kind == TYPE_OBJECT) -
           (int)(a->kind == TYPE_MAP && b->kind == TYPE_OBJECT);
}

static bool all_convert(struct arena *arena, const struct type *const *types, size_t n,
                        const struct type *to, unsigned depth_left)
{
    for (size_t i = 0; i < n; i++)
        if (!converts_at(arena, types[i], to, depth_left))
            return false;
    return true;
}

/* Preferred ones first, in order of appearance among equals: the first that all convert to. */
static const struct type *choose(struct arena *arena, const struct type *const *types, size_t n,
                                 unsigned depth_left)
{
    bool *tried = arena_new(arena, bool, n);
    if (!tried)
        return NULL;
    for (size_t round = 0; round < n; round++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            bool beaten = tried[i];
            for (size_t j = 0; j < n && !beaten; j++)
                beaten = !tried[j] && prefer(types[j], types[i]) < 0;
            if (!beaten) {
                best = i;
                break;
            }
        }
        if (best == n) /* preferences in a circle: take them as they come */
            for (best = 0; tried[best]; best++) {}
        tried[best] = true;
        if (all_convert(arena, types, n, types[best], depth_left))
            return types[best];
    }
    return NULL;
}

/* --- by structure --- */

static const struct type *unify_at(struct arena *arena, const struct type *const *types, size_t n,
                                   unsigned depth_left);

static const struct type *unify_parts(struct arena *arena, const struct type *t,
                                      unsigned depth_left)
{
    if (t->kind == TYPE_TUPLE)
        return unify_at(arena, t->items, t->n, depth_left);
    const struct type **parts = arena_new(arena, const struct type *, t->n);
    for (uint32_t i = 0; parts && i < t->n; i++)
        parts[i] = t->members[i].type;
    return parts ? unify_at(arena, parts, t->n, depth_left) : NULL;
}

/* The collection, if each of the types converts to it; NULL: not, or elem is NULL. */
static const struct type *collection_of_all(struct arena *arena, const struct type *const *types,
                                            size_t n, enum type_kind kind, const struct type *elem,
                                            unsigned depth_left)
{
    const struct type *whole = elem ? type_collection(arena, kind, elem) : NULL;
    return whole && all_convert(arena, types, n, whole, depth_left) ? whole : NULL;
}

/* Every type's element type in common, as `kind`. */
static const struct type *unify_elements(struct arena *arena, const struct type *const *types,
                                         size_t n, enum type_kind kind, unsigned depth_left)
{
    const struct type **elems = arena_new(arena, const struct type *, n);
    for (size_t i = 0; elems && i < n; i++)
        elems[i] = types[i]->elem;
    const struct type *elem = elems ? unify_at(arena, elems, n, depth_left) : NULL;
    return collection_of_all(arena, types, n, kind, elem, depth_left);
}

/* The parts of all these tuples or objects in common, as a list or map. NULL: they have none. */
static const struct type *unify_all_parts(struct arena *arena, const struct type *const *types,
                                          size_t n, unsigned depth_left)
{
    const struct type **parts = NULL;
    size_t count = 0, room = 0;
    bool tuple = types[0]->kind == TYPE_TUPLE;
    for (size_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < types[i]->n; k++) {
            parts = arena_grow(arena, parts, count, &room, count + 1);
            if (!parts)
                return NULL;
            parts[count++] = tuple ? types[i]->items[k] : types[i]->members[k].type;
        }
    const struct type *elem = count ? unify_at(arena, parts, count, depth_left) : NULL;
    return collection_of_all(arena, types, n, tuple ? TYPE_LIST : TYPE_MAP, elem, depth_left);
}

/* Collections with constructors among them: these become a collection first, all together. */
static const struct type *unify_mixed(struct arena *arena, const struct type *const *types,
                                      size_t n, enum type_kind kind, unsigned depth_left)
{
    enum type_kind partner = kind == TYPE_MAP ? TYPE_OBJECT : TYPE_TUPLE;
    const struct type **parts = arena_new(arena, const struct type *, n);
    const struct type **all = arena_new(arena, const struct type *, n);
    size_t count = 0;
    for (size_t i = 0; parts && all && i < n; i++)
        if (types[i]->kind == partner)
            parts[count++] = types[i];
    const struct type *whole =
        parts && all ? unify_all_parts(arena, parts, count, depth_left) : NULL;
    for (size_t i = 0; whole && i < n; i++)
        all[i] = types[i]->kind == partner ? whole : types[i];
    const struct type *common = whole ? unify_at(arena, all, n, depth_left) : NULL;
    return common && common->kind == kind ? common : NULL;
}

static bool same_names(const struct type *const *types, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (types[i]->n != types[0]->n)
            return false;
        for (uint32_t k = 0; k < types[0]->n; k++)
            if (!key_equal(types[i]->members[k].key, types[0]->members[k].key))
                return false;
    }
    return true;
}

static const struct type *unify_objects(struct arena *arena, const struct type *const *types,
                                        size_t n, unsigned depth_left)
{
    if (!same_names(types, n))
        return unify_all_parts(arena, types, n, depth_left);
    struct type_member *members = arena_new(arena, struct type_member, types[0]->n);
    const struct type **column = arena_new(arena, const struct type *, n);
    if (!members || !column)
        return NULL;
    for (uint32_t k = 0; k < types[0]->n; k++) {
        for (size_t i = 0; i < n; i++)
            column[i] = types[i]->members[k].type;
        members[k].key = types[0]->members[k].key;
        members[k].type = unify_at(arena, column, n, depth_left);
        if (!members[k].type)
            return NULL;
    }
    return type_object(arena, members, types[0]->n);
}

static const struct type *unify_tuples(struct arena *arena, const struct type *const *types,
                                       size_t n, unsigned depth_left)
{
    for (size_t i = 1; i < n; i++)
        if (types[i]->n != types[0]->n)
            return unify_all_parts(arena, types, n, depth_left);
    const struct type **items = arena_new(arena, const struct type *, types[0]->n);
    const struct type **column = arena_new(arena, const struct type *, n);
    if (!items || !column)
        return NULL;
    for (uint32_t k = 0; k < types[0]->n; k++) {
        for (size_t i = 0; i < n; i++)
            column[i] = types[i]->items[k];
        items[k] = unify_at(arena, column, n, depth_left);
        if (!items[k])
            return NULL;
    }
    return type_tuple(arena, items, types[0]->n);
}

static const struct type *unify_at(struct arena *arena, const struct type *const *types, size_t n,
                                   unsigned depth_left)
{
    size_t count[TYPE_CAPSULE + 1] = {0};
    if (n == 0)
        return &type_dynamic;
    if (depth_left == 0)
        return NULL;
    for (size_t i = 0; i < n; i++)
        count[types[i]->kind]++;
    size_t dynamic = count[TYPE_DYNAMIC];
    const struct type *common = NULL;
    static const enum type_kind collections[] = {TYPE_MAP, TYPE_LIST, TYPE_SET};
    for (size_t i = 0; i < 3; i++) {
        enum type_kind kind = collections[i];
        enum type_kind partner = kind == TYPE_MAP ? TYPE_OBJECT : TYPE_TUPLE;
        if (!count[kind])
            continue;
        if (count[kind] + dynamic == n)
            return dynamic ? &type_dynamic : unify_elements(arena, types, n, kind, depth_left - 1);
        if (kind != TYPE_SET && count[kind] + count[partner] + dynamic == n &&
            (common = unify_mixed(arena, types, n, kind, depth_left - 1)))
            return common;
    }
    if (count[TYPE_OBJECT] && count[TYPE_OBJECT] + dynamic == n)
        return dynamic ? &type_dynamic : unify_objects(arena, types, n, depth_left - 1);
    if (count[TYPE_TUPLE] && count[TYPE_TUPLE] + dynamic == n)
        return dynamic ? &type_dynamic : unify_tuples(arena, types, n, depth_left - 1);
    if (count[TYPE_OBJECT] && count[TYPE_TUPLE])
        return NULL;
    return choose(arena, types, n, depth_left - 1);
}

const struct type *hcl_unify(struct arena *arena, const struct type *const *types, size_t n)
{
    return unify_at(arena, types, n, TYPE_DEPTH_MAX);
}

/* --- a target's gaps filled from the source (cty dynamicReplace) --- */

static const struct type *fill_at(struct arena *arena, const struct type *from,
                                  const struct type *to, unsigned depth_left);

static const struct type *fill_collection(struct arena *arena, const struct type *from,
                                          const struct type *to, unsigned depth_left)
{
    const struct type *elem = from->elem;
    if (from->kind == TYPE_TUPLE || from->kind == TYPE_OBJECT)
        elem = from->n ? unify_parts(arena, from, depth_left) : NULL;
    elem = elem ? fill_at(arena, elem, to->elem, depth_left) : to->elem;
    return elem ? type_collection(arena, to->kind, elem) : NULL;
}

static const struct type *fill_object(struct arena *arena, const struct type *from,
                                      const struct type *to, unsigned depth_left)
{
    struct type_member *members = arena_new(arena, struct type_member, to->n);
    for (uint32_t i = 0; members && i < to->n; i++) {
        const struct type_member *have =
            from->kind == TYPE_OBJECT ? type_find_member(from, key_str(to->members[i].key)) : NULL;
        const struct type *source = from->kind == TYPE_MAP ? from->elem : have ? have->type : NULL;
        members[i] = to->members[i];
        if (source && !(members[i].type = fill_at(arena, source, members[i].type, depth_left)))
            return NULL;
    }
    return members ? type_object(arena, members, to->n) : NULL;
}

static const struct type *fill_tuple(struct arena *arena, const struct type *from,
                                     const struct type *to, unsigned depth_left)
{
    const struct type **items = arena_new(arena, const struct type *, to->n);
    for (uint32_t i = 0; items && i < to->n; i++)
        if (!(items[i] = fill_at(arena, from->items[i], to->items[i], depth_left)))
            return NULL;
    return items ? type_tuple(arena, items, to->n) : NULL;
}

static const struct type *fill_at(struct arena *arena, const struct type *from,
                                  const struct type *to, unsigned depth_left)
{
    if (from->kind == TYPE_DYNAMIC || depth_left == 0 || !type_has_dynamic(to))
        return to;
    switch (to->kind) {
    case TYPE_DYNAMIC:
        return from;
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP:
        return fill_collection(arena, from, to, depth_left - 1);
    case TYPE_OBJECT:
        return fill_object(arena, from, to, depth_left - 1);
    case TYPE_TUPLE:
        return from->kind == TYPE_TUPLE && from->n == to->n
                   ? fill_tuple(arena, from, to, depth_left - 1)
                   : to;
    default:
        return to;
    }
}

const struct type *hcl_type_fill(struct arena *arena, const struct type *from,
                                 const struct type *to)
{
    return fill_at(arena, from, to, TYPE_DEPTH_MAX);
}

/* --- without optional attributes --- */

static bool has_optional(const struct type *t, unsigned depth_left)
{
    bool collection = t->kind == TYPE_LIST || t->kind == TYPE_SET || t->kind == TYPE_MAP;
    if (depth_left == 0)
        return false;
    if (collection)
        return has_optional(t->elem, depth_left - 1);
    for (uint32_t i = 0; t->kind == TYPE_TUPLE && i < t->n; i++)
        if (has_optional(t->items[i], depth_left - 1))
            return true;
    for (uint32_t i = 0; t->kind == TYPE_OBJECT && i < t->n; i++)
        if (t->members[i].optional || has_optional(t->members[i].type, depth_left - 1))
            return true;
    return false;
}

static const struct type *required_at(struct arena *arena, const struct type *t,
                                      unsigned depth_left)
{
    if (!has_optional(t, depth_left))
        return t;
    if (t->kind == TYPE_OBJECT) {
        struct type_member *members = arena_new(arena, struct type_member, t->n);
        for (uint32_t i = 0; members && i < t->n; i++) {
            members[i].key = t->members[i].key;
            members[i].type = required_at(arena, t->members[i].type, depth_left - 1);
            if (!members[i].type)
                return NULL;
        }
        return members ? type_object(arena, members, t->n) : NULL;
    }
    if (t->kind == TYPE_TUPLE) {
        const struct type **items = arena_new(arena, const struct type *, t->n);
        for (uint32_t i = 0; items && i < t->n; i++)
            if (!(items[i] = required_at(arena, t->items[i], depth_left - 1)))
                return NULL;
        return items ? type_tuple(arena, items, t->n) : NULL;
    }
    const struct type *elem = required_at(arena, t->elem, depth_left - 1);
    return elem ? type_collection(arena, t->kind, elem) : NULL;
}

const struct type *hcl_type_of_values(struct arena *arena, const struct type *type)
{
    return required_at(arena, type, TYPE_DEPTH_MAX);
}
