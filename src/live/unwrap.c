/* unwrap.c - a walk over both trees that takes wrapped values out where only one side has them. */
#include "live/unwrap.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"

/* {"value": any, "type": "string" or ["list", ...]}, as a state keeps a dynamic value. */
static bool is_wrapped(const struct value *v)
{
    if (v->kind != VALUE_OBJECT || v->len != 2)
        return false;
    const struct value *type = value_get(v, STR("type"));
    return type && value_get(v, STR("value")) &&
           (type->kind == VALUE_STRING || (type->kind == VALUE_TUPLE && type->len == 2));
}

static bool unwrap_at(struct arena *arena, const struct value *wrapped, const struct value *plain,
                      struct value *ret, unsigned depth_left, struct err *err);

static bool unwrap_items(struct arena *arena, const struct value *wrapped,
                         const struct value *plain, struct value *ret, unsigned depth_left,
                         struct err *err)
{
    struct value *items = arena_new(arena, struct value, wrapped->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < wrapped->len; i++) {
        const struct value *other = i < plain->len ? &plain->items[i] : &wrapped->items[i];
        if (!unwrap_at(arena, &wrapped->items[i], other, &items[i], depth_left, err))
            return false;
    }
    ret->items = items;
    return true;
}

static bool unwrap_members(struct arena *arena, const struct value *wrapped,
                           const struct value *plain, struct value *ret, unsigned depth_left,
                           struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, wrapped->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < wrapped->len; i++) {
        const struct value_member *member = &wrapped->members[i];
        const struct value *other = value_get(plain, key_str(member->key));
        members[i].key = member->key;
        if (!unwrap_at(arena, &member->value, other ? other : &member->value, &members[i].value,
                       depth_left, err))
            return false;
    }
    ret->members = members;
    return true;
}

static bool unwrap_at(struct arena *arena, const struct value *wrapped, const struct value *plain,
                      struct value *ret, unsigned depth_left, struct err *err)
{
    if (is_wrapped(wrapped) && !is_wrapped(plain))
        wrapped = value_get(wrapped, STR("value"));
    *ret = *wrapped;
    if (wrapped->len == 0 || wrapped->kind != plain->kind || depth_left == 0)
        return true;
    if (wrapped->kind == VALUE_TUPLE)
        return unwrap_items(arena, wrapped, plain, ret, depth_left - 1, err);
    if (wrapped->kind == VALUE_OBJECT)
        return unwrap_members(arena, wrapped, plain, ret, depth_left - 1, err);
    return true;
}

bool unwrap_dynamic(struct arena *arena, const struct value *wrapped, const struct value *plain,
                    struct value *ret, struct err *err)
{
    return unwrap_at(arena, wrapped, plain, ret, VALUE_DEPTH_MAX, err);
}
