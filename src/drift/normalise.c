/* normalise.c - the walk that asks the rules at every place where two trees differ. */
#include "drift/normalise.h"

#include "base/arena.h"
#include "base/err.h"
#include "value/path.h"

struct walk {
    struct arena *arena;
    bool explain;
    struct considered_equal *list;
    size_t n, room;
    size_t work_left; /* for trying list and set elements with each other */
};

/* What came out at one place. */
struct outcome {
    struct value live; /* of which a part may have the desired spelling now */
    bool equal;        /* all of it is */
};

static bool is_container(const struct value *v)
{
    return (value_is_list_like(v) || value_is_object_like(v)) && v->len;
}

static bool walk_at(struct walk *w, struct cursor at, const struct path_link *link,
                    const struct value *desired, const struct value *live, unsigned depth_left,
                    struct outcome *ret, struct err *err);

static bool note_rule(struct walk *w, const struct path_link *link,
                      const struct normalise_rule *rule, struct err *err)
{
    struct path path;
    if (!w->explain)
        return true;
    w->list = arena_grow(w->arena, w->list, w->n, &w->room, w->n + 1);
    if (!w->list || !path_from_link(w->arena, link, &path))
        return arena_full(w->arena, err);
    struct str text = path_text(w->arena, path);
    if (!text.ptr)
        return arena_full(w->arena, err);
    w->list[w->n++] = (struct considered_equal){
        .path = text, .rule = str_from(rule->name), .why = str_from(rule->why)};
    return true;
}

static bool walk_members(struct walk *w, struct cursor at, const struct path_link *link,
                         const struct value *desired, const struct value *live, unsigned depth_left,
                         struct outcome *ret, struct err *err)
{
    bool in_map = live->kind == VALUE_MAP, equal = desired->len == live->len;
    struct value_member *members = arena_new(w->arena, struct value_member, live->len);
    if (!members)
        return arena_full(w->arena, err);
    for (uint32_t i = 0, j = 0; j < live->len; j++) {
        const struct value_member *l = &live->members[j];
        struct str key = key_str(l->key);
        members[j] = *l;
        while (i < desired->len && str_compare(key_str(desired->members[i].key), key) < 0)
            i++;
        if (i == desired->len || !str_equal(key_str(desired->members[i].key), key)) {
            equal = false;
            continue;
        }
        struct path_link here = path_link_key(link, key);
        struct outcome inner;
        if (!walk_at(w, cursor_member(&at, key, in_map), &here, &desired->members[i].value,
                     &l->value, depth_left, &inner, err))
            return false;
        members[j].value = inner.live;
        equal &= inner.equal;
    }
    *ret = (struct outcome){*live, equal};
    ret->live.members = live->len ? members : live->members;
    return true;
}

/* --- may two elements be called equal? Nothing is kept, the first difference ends it --- */

static bool same_at(struct walk *w, struct cursor at, const struct value *desired,
                    const struct value *live, unsigned depth_left);

static bool same_members(struct walk *w, struct cursor at, const struct value *desired,
                         const struct value *live, unsigned depth_left)
{
    if (desired->len != live->len)
        return false;
    for (uint32_t i = 0; i < live->len; i++) {
        const struct value_member *d = &desired->members[i], *l = &live->members[i];
        if (!key_equal(d->key, l->key) ||
            !same_at(w, cursor_member(&at, key_str(l->key), live->kind == VALUE_MAP), &d->value,
                     &l->value, depth_left))
            return false;
    }
    return true;
}

/* A set inside of a tried element: only in the order in which both are sorted. */
static bool same_items(struct walk *w, struct cursor at, const struct value *desired,
                       const struct value *live, unsigned depth_left)
{
    if (desired->len != live->len)
        return false;
    for (uint32_t i = 0; i < live->len; i++)
        if (!same_at(w, cursor_element(&at), &desired->items[i], &live->items[i], depth_left))
            return false;
    return true;
}

static bool same_at(struct walk *w, struct cursor at, const struct value *desired,
                    const struct value *live, unsigned depth_left)
{
    size_t work = 1 + (live->kind == VALUE_STRING ? live->len / 256 : 0);
    if (depth_left == 0)
        return false;
    if (w->work_left < work)
        work = w->work_left;
    w->work_left -= work;
    if (work == 0)
        return false;
    if (is_container(desired) && is_container(live) && desired->kind == live->kind) {
        if (value_is_object_like(live) ? same_members(w, at, desired, live, depth_left - 1)
                                       : same_items(w, at, desired, live, depth_left - 1))
            return true;
    } else if (value_equal(desired, live)) {
        return true;
    }
    return normalise_place(&at, desired, live) != NULL;
}

/* --- lists and sets --- */

/* *ret_equal: the live element may take the desired spelling. */
static bool try_pair(struct walk *w, struct cursor at, const struct path_link *link,
                     const struct value *desired, const struct value *live, unsigned depth_left,
                     bool *ret_equal, struct err *err)
{
    struct outcome inner;
    *ret_equal = same_at(w, at, desired, live, depth_left);
    if (!*ret_equal || !w->explain)
        return true;
    return walk_at(w, at, link, desired, live, depth_left, &inner, err); /* notes the rules */
}

/*
 * Two lists of one length: place by place. Else each live element takes the spelling of the first
 * desired one, in order, that the rules make it equal to.
 */
static bool walk_list(struct walk *w, struct cursor at, const struct path_link *link,
                      const struct value *desired, const struct value *live, unsigned depth_left,
                      struct outcome *ret, struct err *err)
{
    struct cursor inside = cursor_element(&at);
    struct value *items = arena_new(w->arena, struct value, live->len);
    bool equal = desired->len == live->len;
    if (!items)
        return arena_full(w->arena, err);
    for (uint32_t j = 0, next = 0; j < live->len; j++) {
        struct path_link here = path_link_index(link, j);
        struct outcome inner = {live->items[j], false};
        if (desired->len == live->len) {
            if (!walk_at(w, inside, &here, &desired->items[j], &live->items[j], depth_left, &inner,
                         err))
                return false;
        } else {
            for (uint32_t i = next; i < desired->len && w->work_left && !inner.equal; i++) {
                if (!try_pair(w, inside, &here, &desired->items[i], &live->items[j], depth_left,
                              &inner.equal, err))
                    return false;
                if (inner.equal) {
                    inner.live = desired->items[i];
                    next = i + 1;
                }
            }
        }
        items[j] = inner.live;
        equal &= inner.equal;
    }
    *ret = (struct outcome){*live, equal};
    ret->live.items = live->len ? items : live->items;
    return true;
}

/* The elements of `from` that `other` lacks; both are sorted. */
static size_t only_in(const struct value *from, const struct value *other, uint32_t *ret_index)
{
    size_t n = 0;
    for (uint32_t i = 0, j = 0; i < from->len;) {
        int side = j == other->len ? -1 : value_compare(&from->items[i], &other->items[j]);
        if (side < 0)
            ret_index[n++] = i;
        i += side <= 0;
        j += side >= 0;
    }
    return n;
}

/*
 * Every live element that no desired one equals is tried with the desired ones left over, that of
 * the same rank first: spelling seldom changes the order.
 */
static bool pair_set(struct walk *w, struct cursor inside, const struct path_link *here,
                     const struct value *desired, const struct value *live, struct value *items,
                     unsigned depth_left, struct err *err)
{
    uint32_t *d = arena_new(w->arena, uint32_t, desired->len);
    uint32_t *l = arena_new(w->arena, uint32_t, live->len);
    if (!d || !l)
        return arena_full(w->arena, err);
    size_t nd = only_in(desired, live, d), nl = only_in(live, desired, l);
    bool *used = arena_new(w->arena, bool, nd);
    if (!used)
        return arena_full(w->arena, err);
    for (size_t j = 0; j < nl; j++) {
        bool equal = false;
        for (size_t i = 0; i < nd && w->work_left && !equal; i++) {
            size_t rank = (j + i) % nd;
            if (used[rank])
                continue;
            if (!try_pair(w, inside, here, &desired->items[d[rank]], &live->items[l[j]], depth_left,
                          &equal, err))
                return false;
            if (equal) {
                used[rank] = true;
                items[l[j]] = desired->items[d[rank]];
            }
        }
    }
    return true;
}

static bool walk_set(struct walk *w, struct cursor at, const struct path_link *link,
                     const struct value *desired, const struct value *live, unsigned depth_left,
                     struct outcome *ret, struct err *err)
{
    struct path_link here = path_link_index(link, 0);
    struct value *items = arena_new(w->arena, struct value, live->len);
    here.step.kind = PATH_ELEMENT;
    if (!items)
        return arena_full(w->arena, err);
    for (uint32_t i = 0; i < live->len; i++)
        items[i] = live->items[i];
    if (!pair_set(w, cursor_element(&at), &here, desired, live, items, depth_left, err))
        return false;
    ret->live = *live;
    ret->live.len = (uint32_t)value_set_normalise(items, live->len);
    ret->live.items = live->len ? items : live->items;
    ret->equal = value_equal(&ret->live, desired);
    return true;
}

/* --- one place --- */

static bool descend(struct walk *w, struct cursor at, const struct path_link *link,
                    const struct value *desired, const struct value *live, unsigned depth_left,
                    struct outcome *ret, struct err *err)
{
    if (value_is_object_like(live))
        return walk_members(w, at, link, desired, live, depth_left, ret, err);
    if (live->kind == VALUE_SET)
        return walk_set(w, at, link, desired, live, depth_left, ret, err);
    return walk_list(w, at, link, desired, live, depth_left, ret, err);
}

static bool walk_at(struct walk *w, struct cursor at, const struct path_link *link,
                    const struct value *desired, const struct value *live, unsigned depth_left,
                    struct outcome *ret, struct err *err)
{
    bool inside = is_container(desired) && is_container(live) && desired->kind == live->kind;
    *ret = (struct outcome){*live, !inside && value_equal(desired, live)};
    if (ret->equal || depth_left == 0)
        return true;
    const struct normalise_rule *rule = normalise_place(&at, desired, live);
    if (rule) {
        *ret = (struct outcome){*desired, true};
        return value_equal(desired, live) || note_rule(w, link, rule, err);
    }
    return !inside || descend(w, at, link, desired, live, depth_left - 1, ret, err);
}

bool normalise_live(struct arena *arena, const struct schema *schema, const struct value *desired,
                    const struct value *live, bool explain, struct normalised *ret, struct err *err)
{
    struct walk w = {.arena = arena, .explain = explain, .work_left = NORMALISE_WORK_MAX};
    struct outcome whole;
    if (!walk_at(&w, cursor_root(schema), NULL, desired, live, VALUE_DEPTH_MAX, &whole, err))
        return false;
    *ret = (struct normalised){whole.live, whole.equal, w.list, w.n};
    return true;
}
