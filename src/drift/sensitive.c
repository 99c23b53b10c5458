/* sensitive.c - put the marks on, from the schema's flags and the state's paths. */
#include "drift/sensitive.h"

#include "base/arena.h"
#include "base/err.h"
#include "drift/cursor.h"

/* The paths that still lead somewhere below the present node, all of them `depth` steps in. */
struct alive {
    const struct path **path;
    size_t n;
};

static bool mark_at(struct arena *arena, struct cursor at, struct alive alive, bool secret,
                    const struct value *v, unsigned depth_left, struct value *ret, struct err *err);

bool sensitive_any(const struct sensitive_input *in, const struct value *v)
{
    return in->npaths || (in->schema && schema_any_sensitive(&in->schema->block)) ||
           value_any_sensitive(v);
}

/* Those of `alive` that take this step; key NULL = an element of a list or a set. */
static bool narrow(struct arena *arena, struct alive alive, unsigned depth, const struct str *key,
                   struct alive *ret, struct err *err)
{
    *ret = (struct alive){0};
    if (alive.n == 0)
        return true;
    ret->path = arena_new(arena, const struct path *, alive.n);
    if (!ret->path)
        return arena_full(arena, err);
    for (size_t i = 0; i < alive.n; i++) {
        if (alive.path[i]->n <= depth)
            continue;
        const struct path_step *step = &alive.path[i]->step[depth];
        bool takes =
            step->kind == PATH_ELEMENT ||
            (key ? step->kind == PATH_KEY && str_equal(step->key, *key) : step->kind == PATH_INDEX);
        if (takes)
            ret->path[ret->n++] = alive.path[i];
    }
    return true;
}

static bool ends_here(struct alive alive, unsigned depth)
{
    for (size_t i = 0; i < alive.n; i++)
        if (alive.path[i]->n == depth)
            return true;
    return false;
}

static bool mark_items(struct arena *arena, struct cursor at, struct alive alive, bool secret,
                       const struct value *v, unsigned depth_left, struct value *ret,
                       struct err *err)
{
    struct alive inside;
    struct value *items = arena_new(arena, struct value, v->len);
    if (!items)
        return arena_full(arena, err);
    if (!narrow(arena, alive, at.depth, NULL, &inside, err))
        return false;
    for (uint32_t i = 0; i < v->len; i++)
        if (!mark_at(arena, cursor_element(&at), inside, secret, &v->items[i], depth_left,
                     &items[i], err))
            return false;
    ret->items = items;
    return true;
}

static bool mark_members(struct arena *arena, struct cursor at, struct alive alive, bool secret,
                         const struct value *v, unsigned depth_left, struct value *ret,
                         struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++) {
        struct alive inside;
        struct str key = key_str(v->members[i].key);
        members[i].key = v->members[i].key;
        if (!narrow(arena, alive, at.depth, &key, &inside, err) ||
            !mark_at(arena, cursor_member(&at, key, v->kind == VALUE_MAP), inside, secret,
                     &v->members[i].value, depth_left, &members[i].value, err))
            return false;
    }
    ret->members = members;
    return true;
}

static bool mark_at(struct arena *arena, struct cursor at, struct alive alive, bool secret,
                    const struct value *v, unsigned depth_left, struct value *ret, struct err *err)
{
    *ret = *v;
    secret = secret || at.sensitive || (v->marks & VALUE_SENSITIVE) || ends_here(alive, at.depth);
    if (secret)
        ret->marks |= VALUE_SENSITIVE;
    if (depth_left == 0 || v->len == 0)
        return true;
    if (value_is_list_like(v))
        return mark_items(arena, at, alive, secret, v, depth_left - 1, ret, err);
    if (value_is_object_like(v))
        return mark_members(arena, at, alive, secret, v, depth_left - 1, ret, err);
    return true;
}

bool sensitive_mark(struct arena *arena, const struct sensitive_input *in, const struct value *v,
                    struct value *ret, struct err *err)
{
    bool all = in->npaths > SENSITIVE_PATHS_MAX;
    struct alive alive = {.n = all ? 0 : in->npaths};
    alive.path = arena_new(arena, const struct path *, alive.n);
    if (!alive.path)
        return arena_full(arena, err);
    for (size_t i = 0; i < alive.n; i++)
        alive.path[i] = &in->paths[i];
    return mark_at(arena, cursor_root(in->schema), alive, all, v, VALUE_DEPTH_MAX, ret, err);
}

/* --- the places of marks --- */

struct places {
    struct arena *arena;
    struct path *paths;
    size_t n, room;
};

static bool find_marks(struct places *p, const struct path_link *link, const struct value *v,
                       unsigned depth_left, struct err *err)
{
    struct path_link element = path_link_index(link, 0);
    element.step.kind = PATH_ELEMENT;
    if (v->marks & VALUE_SENSITIVE) {
        p->paths = arena_grow(p->arena, p->paths, p->n, &p->room, p->n + 1);
        if (!p->paths || !path_from_link(p->arena, link, &p->paths[p->n]))
            return arena_full(p->arena, err);
        p->n++;
        return true;
    }
    if (depth_left == 0 || p->n >= SENSITIVE_PATHS_MAX)
        return true;
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        if (!find_marks(p, &element, &v->items[i], depth_left - 1, err))
            return false;
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        struct path_link member = path_link_key(link, key_str(v->members[i].key));
        if (!find_marks(p, &member, &v->members[i].value, depth_left - 1, err))
            return false;
    }
    return true;
}

bool sensitive_places(struct arena *arena, const struct value *v, const struct path **ret,
                      size_t *ret_n, struct err *err)
{
    struct places p = {.arena = arena};
    *ret = NULL;
    *ret_n = 0;
    if (!value_any_sensitive(v))
        return true;
    if (!find_marks(&p, NULL, v, VALUE_DEPTH_MAX, err))
        return false;
    *ret = p.paths;
    *ret_n = p.n;
    return true;
}
