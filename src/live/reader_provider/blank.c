/* blank.c - two trees of one type side by side. */
#include "live/reader_provider/blank.h"

#include "value/value.h"

static bool is_blank(const struct value *v)
{
    bool can_be = v->kind == VALUE_STRING || value_is_list_like(v) || value_is_object_like(v);
    return v->kind == VALUE_NULL || (can_be && v->len == 0);
}

static bool same(const struct value *a, const struct value *b, bool field, unsigned depth_left);

static bool same_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!same(&a->items[i], &b->items[i], false, depth_left))
            return false;
    return true;
}

static bool same_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value_member *x = &a->members[i], *y = &b->members[i];
        if (!key_equal(x->key, y->key) ||
            !same(&x->value, &y->value, a->kind == VALUE_OBJECT, depth_left))
            return false;
    }
    return true;
}

static bool same(const struct value *a, const struct value *b, bool field, unsigned depth_left)
{
    if (field && (a->kind == VALUE_NULL || b->kind == VALUE_NULL))
        return is_blank(a) && is_blank(b);
    bool items = value_is_list_like(a), members = value_is_object_like(a);
    if (a->kind != b->kind || !(items || members))
        return value_equal(a, b);
    if (a->len != b->len || depth_left == 0)
        return false;
    return items ? same_items(a, b, depth_left - 1) : same_members(a, b, depth_left - 1);
}

bool blank_apart_equal(const struct value *a, const struct value *b)
{
    return same(a, b, false, VALUE_DEPTH_MAX);
}
