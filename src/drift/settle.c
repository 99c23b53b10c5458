/* settle.c - unknowns filled from a second tree. */
#include "drift/settle.h"

#include "base/arena.h"
#include "base/err.h"

static bool matches(const struct value *a, const struct value *b, unsigned depth_left);

static bool match_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !matches(&a->members[i].value, &b->members[i].value, depth_left))
            return false;
    return true;
}

/* Sets side by side, in the order that both are in: unknowns may have changed it, so that a match
 * can be missed, but none is invented. */
static bool match_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!matches(&a->items[i], &b->items[i], depth_left))
            return false;
    return true;
}

static bool matches(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->kind == VALUE_UNKNOWN)
        return true;
    bool items = value_is_list_like(a), members = value_is_object_like(a);
    if (a->kind != b->kind || depth_left == 0)
        return false;
    if (!items && !members)
        return value_equal(a, b);
    if (a->len != b->len)
        return false;
    return items ? match_items(a, b, depth_left - 1) : match_members(a, b, depth_left - 1);
}

bool settle_matches(const struct value *a, const struct value *b)
{
    return matches(a, b, VALUE_DEPTH_MAX);
}

static bool settle(struct arena *arena, const struct value *planned, const struct value *now,
                   unsigned depth_left, struct value *ret, struct err *err);

static bool settle_members(struct arena *arena, const struct value *planned,
                           const struct value *now, unsigned depth_left, struct value *ret,
                           struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, planned->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < planned->len; i++) {
        members[i] = planned->members[i];
        const struct value *other = value_get(now, key_str(members[i].key));
        if (other &&
            !settle(arena, &planned->members[i].value, other, depth_left, &members[i].value, err))
            return false;
    }
    *ret = *planned;
    ret->members = members;
    return true;
}

/* The element that it was made of: equal but for what is unknown, and not taken yet. */
static const struct value *counterpart(const struct value *element, const struct value *now,
                                       bool *used)
{
    for (uint32_t i = 0; i < now->len; i++) {
        if (used[i] || !settle_matches(element, &now->items[i]))
            continue;
        used[i] = true;
        return &now->items[i];
    }
    return NULL;
}

static bool settle_set(struct arena *arena, const struct value *planned, const struct value *now,
                       struct value *ret, struct err *err)
{
    struct value *items = arena_new(arena, struct value, planned->len);
    bool *used = arena_new(arena, bool, now->kind == VALUE_SET ? now->len : 0);
    if (!items || !used)
        return arena_full(arena, err);
    for (int unknown = 0; unknown < 2;
         unknown++) /* what is known takes its own counterpart first */
        for (uint32_t i = 0; i < planned->len; i++) {
            const struct value *element = &planned->items[i];
            if (value_any_unknown(element) != (unknown == 1))
                continue;
            const struct value *other =
                now->kind == VALUE_SET ? counterpart(element, now, used) : NULL;
            items[i] = other ? *other : *element;
        }
    *ret = *planned;
    ret->items = items;
    ret->len = (uint32_t)value_set_normalise(items, planned->len);
    return true;
}

static bool settle_list(struct arena *arena, const struct value *planned, const struct value *now,
                        unsigned depth_left, struct value *ret, struct err *err)
{
    struct value *items = arena_new(arena, struct value, planned->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < planned->len; i++) {
        items[i] = planned->items[i];
        if (value_is_list_like(now) && i < now->len &&
            !settle(arena, &planned->items[i], &now->items[i], depth_left, &items[i], err))
            return false;
    }
    *ret = *planned;
    ret->items = items;
    return true;
}

static bool settle(struct arena *arena, const struct value *planned, const struct value *now,
                   unsigned depth_left, struct value *ret, struct err *err)
{
    bool stays = planned->kind != VALUE_UNKNOWN || planned->marks & VALUE_PENDING;
    *ret = stays ? *planned : *now;
    if (planned->len == 0 || depth_left == 0 || planned->kind == VALUE_UNKNOWN ||
        !value_any_unknown(planned))
        return true;
    if (value_is_object_like(planned))
        return settle_members(arena, planned, now, depth_left - 1, ret, err);
    if (planned->kind == VALUE_SET)
        return settle_set(arena, planned, now, ret, err);
    if (value_is_list_like(planned))
        return settle_list(arena, planned, now, depth_left - 1, ret, err);
    return true;
}

bool settle_unknown(struct arena *arena, const struct value *planned, const struct value *now,
                    struct value *ret, struct err *err)
{
    return settle(arena, planned, now, VALUE_DEPTH_MAX, ret, err);
}

/* --- what an apply decides --- */

static bool mark(struct arena *arena, const struct value *config, const struct value *planned,
                 unsigned depth_left, struct value *ret, struct err *err);

static bool any_pending(const struct value *v, unsigned depth_left)
{
    if (v->kind == VALUE_UNKNOWN)
        return v->marks & VALUE_PENDING;
    bool items = value_is_list_like(v), members = value_is_object_like(v);
    for (uint32_t i = 0; depth_left && (items || members) && i < v->len; i++)
        if (any_pending(items ? &v->items[i] : &v->members[i].value, depth_left - 1))
            return true;
    return false;
}

static bool mark_members(struct arena *arena, const struct value *config,
                         const struct value *planned, unsigned depth_left, struct value *ret,
                         struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, planned->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < planned->len; i++) {
        members[i] = planned->members[i];
        const struct value *from = value_get(config, key_str(members[i].key));
        if (from &&
            !mark(arena, from, &planned->members[i].value, depth_left, &members[i].value, err))
            return false;
    }
    *ret = *planned;
    ret->members = members;
    return true;
}

/* Elements of a set have no counterpart: whatever is pending in the set may be in any of them. */
static bool mark_items(struct arena *arena, const struct value *config, const struct value *planned,
                       unsigned depth_left, struct value *ret, struct err *err)
{
    struct value *items = arena_new(arena, struct value, planned->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < planned->len; i++) {
        items[i] = planned->items[i];
        const struct value *from = NULL;
        if (planned->kind != VALUE_SET)
            from = i < config->len ? &config->items[i] : NULL;
        else
            for (uint32_t k = 0; k < config->len && !from; k++)
                if (value_any_unknown(&config->items[k]) &&
                    settle_matches(&config->items[k], &planned->items[i]))
                    from = &config->items[k];
        if (from && !mark(arena, from, &planned->items[i], depth_left, &items[i], err))
            return false;
    }
    *ret = *planned;
    ret->items = items;
    return true;
}

static bool mark(struct arena *arena, const struct value *config, const struct value *planned,
                 unsigned depth_left, struct value *ret, struct err *err)
{
    *ret = *planned;
    if (planned->kind == VALUE_UNKNOWN && any_pending(config, depth_left))
        ret->marks |= VALUE_PENDING; /* legacy providers: a map with an unknown entry is unknown */
    if (depth_left == 0 || planned->len == 0 || !value_any_unknown(config) ||
        !value_any_unknown(planned))
        return true;
    if (value_is_object_like(planned) && value_is_object_like(config))
        return mark_members(arena, config, planned, depth_left - 1, ret, err);
    if (value_is_list_like(planned) && value_is_list_like(config))
        return mark_items(arena, config, planned, depth_left - 1, ret, err);
    return true;
}

bool settle_pending(struct arena *arena, const struct value *config, const struct value *planned,
                    struct value *ret, struct err *err)
{
    return mark(arena, config, planned, VALUE_DEPTH_MAX, ret, err);
}

static bool any_untold(const struct value *v, unsigned depth_left)
{
    if (v->kind == VALUE_UNKNOWN)
        return !(v->marks & VALUE_PENDING);
    bool items = value_is_list_like(v), members = value_is_object_like(v);
    for (uint32_t i = 0; depth_left && (items || members) && i < v->len; i++)
        if (any_untold(items ? &v->items[i] : &v->members[i].value, depth_left - 1))
            return true;
    return false;
}

bool settle_any_untold(const struct value *v)
{
    return any_untold(v, VALUE_DEPTH_MAX);
}
