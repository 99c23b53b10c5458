/* builtin_collection.c - Rego's functions of arrays, sets, objects; walk; graphs. */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/builtin.h"

static bool spend(const struct rego_call *call, uint64_t n)
{
    return call->spend(call->spend_ctx, n);
}

static enum rego_outcome whole_number(struct rego_call *call, size_t i, int64_t *ret)
{
    if (rego_index_int64(&call->arg[i], ret))
        return REGO_DEFINED;
    call->why = arena_printf(
        call->arena, "operand %zu must be integer number but got floating-point number", i + 1);
    call->type_error = true;
    return REGO_FAILED;
}

/* --- arrays --- */

static enum rego_outcome array_concat(struct rego_call *call, struct value *ret)
{
    const struct value *a = &call->arg[0], *b = &call->arg[1];
    size_t n = (size_t)a->len + b->len;
    struct value *items = arena_new_raw(call->arena, struct value, n);
    if (!items || n > VALUE_LEN_MAX)
        return REGO_HALT;
    if (a->len)
        memcpy(items, a->items, a->len * sizeof *items);
    if (b->len)
        memcpy(items + a->len, b->items, b->len * sizeof *items);
    *ret = value_items(VALUE_TUPLE, items, n);
    return REGO_DEFINED;
}

static enum rego_outcome array_slice(struct rego_call *call, struct value *ret)
{
    const struct value *a = call->arg;
    int64_t from, to;
    if (whole_number(call, 1, &from) == REGO_FAILED || whole_number(call, 2, &to) == REGO_FAILED)
        return REGO_FAILED;
    if (from < 0)
        from = 0;
    if (to > a->len)
        to = a->len;
    *ret = from < to ? value_items(VALUE_TUPLE, a->items + from, (size_t)(to - from))
                     : value_items(VALUE_TUPLE, NULL, 0);
    return REGO_DEFINED;
}

static enum rego_outcome array_reverse(struct rego_call *call, struct value *ret)
{
    const struct value *a = call->arg;
    struct value *items = arena_new_raw(call->arena, struct value, a->len);
    if (!items)
        return REGO_HALT;
    for (uint32_t i = 0; i < a->len; i++)
        items[i] = a->items[a->len - 1 - i];
    *ret = value_items(VALUE_TUPLE, items, a->len);
    return REGO_DEFINED;
}

static enum rego_outcome array_flatten(struct rego_call *call, struct value *ret)
{
    const struct value *a = call->arg;
    size_t n = 0;
    for (uint32_t i = 0; i < a->len; i++)
        n += rego_is_array(&a->items[i]) ? a->items[i].len : 1;
    struct value *items = arena_new_raw(call->arena, struct value, n);
    if (!items || n > VALUE_LEN_MAX)
        return REGO_HALT;
    n = 0;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value *item = &a->items[i];
        if (!rego_is_array(item))
            items[n++] = *item;
        else
            for (uint32_t k = 0; k < item->len; k++)
                items[n++] = item->items[k];
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return REGO_DEFINED;
}

/* --- sets of sets --- */

static enum rego_outcome sets_of(struct rego_call *call)
{
    for (uint32_t i = 0; i < call->arg->len; i++)
        if (call->arg->items[i].kind != VALUE_SET) {
            call->why =
                arena_printf(call->arena, "operand 1 must be set of sets but got set containing %s",
                             rego_type_name(&call->arg->items[i]));
            call->type_error = true;
            return REGO_FAILED;
        }
    return REGO_DEFINED;
}

static enum rego_outcome union_(struct rego_call *call, struct value *ret)
{
    size_t n = 0;
    if (sets_of(call) == REGO_FAILED)
        return REGO_FAILED;
    for (uint32_t i = 0; i < call->arg->len; i++)
        n += call->arg->items[i].len;
    struct value *items = arena_new_raw(call->arena, struct value, n);
    if (!items)
        return REGO_HALT;
    n = 0;
    for (uint32_t i = 0; i < call->arg->len; i++)
        for (uint32_t k = 0; k < call->arg->items[i].len; k++)
            items[n++] = call->arg->items[i].items[k];
    *ret = rego_make_set(items, n);
    return REGO_DEFINED;
}

static enum rego_outcome intersection(struct rego_call *call, struct value *ret)
{
    const struct value *all = call->arg;
    size_t n = 0;
    if (sets_of(call) == REGO_FAILED)
        return REGO_FAILED;
    *ret = value_items(VALUE_SET, NULL, 0);
    if (!all->len)
        return REGO_DEFINED;
    const struct value *first = &all->items[0];
    struct value *items = arena_new_raw(call->arena, struct value, first->len);
    if (!items)
        return REGO_HALT;
    for (uint32_t k = 0; k < first->len; k++) {
        bool everywhere = true;
        for (uint32_t i = 1; i < all->len && everywhere; i++)
            everywhere = rego_get(&all->items[i], &first->items[k]) != NULL;
        if (everywhere)
            items[n++] = first->items[k];
    }
    *ret = value_items(VALUE_SET, items, n);
    return REGO_DEFINED;
}

static enum rego_outcome set_diff(struct rego_call *call, struct value *ret)
{
    return rego_builtin_find(STR("minus"))->run(call, ret);
}

/* --- objects --- */

static enum rego_outcome object_get(struct rego_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0], *key = &call->arg[1];
    if (rego_is_array(key)) {
        for (uint32_t i = 0; v && i < key->len; i++)
            v = rego_get(v, &key->items[i]);
    } else {
        v = rego_get(v, key);
    }
    *ret = v ? *v : call->arg[2];
    return REGO_DEFINED;
}

static enum rego_outcome object_keys(struct rego_call *call, struct value *ret)
{
    const struct value *v = call->arg;
    struct value *items = arena_new_raw(call->arena, struct value, v->len), item;
    size_t n = 0;
    if (!items)
        return REGO_HALT;
    for (size_t at = 0; rego_next(v, &at, &items[n], &item);)
        n++;
    *ret = value_items(VALUE_SET, items, n);
    return REGO_DEFINED;
}

/* Is the key among those that the second operand lists: array or set of them, or object's keys? */
static bool listed(const struct value *keys, const struct value *key)
{
    if (!rego_is_array(keys))
        return rego_get(keys, key) != NULL;
    for (uint32_t i = 0; i < keys->len; i++)
        if (rego_equal(&keys->items[i], key))
            return true;
    return false;
}

static enum rego_outcome pick(struct rego_call *call, bool keep, struct value *ret)
{
    const struct value *v = &call->arg[0], *keys = &call->arg[1];
    struct rego_pair *pairs = arena_new_raw(call->arena, struct rego_pair, v->len);
    struct value key, item, sorted = *keys;
    size_t n = 0, clash;
    if (rego_is_array(keys)) { /* many keys: as a set */
        struct value *copy = arena_new_raw(call->arena, struct value, keys->len);
        if (!copy)
            return REGO_HALT;
        if (keys->len)
            memcpy(copy, keys->items, keys->len * sizeof *copy);
        sorted = rego_make_set(copy, keys->len);
    }
    if (!pairs)
        return REGO_HALT;
    for (size_t at = 0; rego_next(v, &at, &key, &item);)
        if (listed(&sorted, &key) == keep)
            pairs[n++] = (struct rego_pair){key, item};
    (void)rego_make_object(pairs, n, ret, &clash);
    return REGO_DEFINED;
}
static enum rego_outcome object_remove(struct rego_call *call, struct value *ret)
{
    return pick(call, false, ret);
}
static enum rego_outcome object_filter(struct rego_call *call, struct value *ret)
{
    return pick(call, true, ret);
}

/* b over a; objects on both sides merge. */
static bool merge(struct rego_call *call, const struct value *a, const struct value *b,
                  unsigned depth_left, struct value *ret)
{
    if (!rego_is_object(a) || !rego_is_object(b)) {
        *ret = *b;
        return true;
    }
    size_t room = (size_t)a->len + b->len, n = 0, clash;
    struct rego_pair *pairs = arena_new_raw(call->arena, struct rego_pair, room);
    struct value key, item;
    if (!pairs || depth_left == 0 || !spend(call, room))
        return false;
    for (size_t at = 0; rego_next(a, &at, &key, &item);)
        if (!rego_get(b, &key))
            pairs[n++] = (struct rego_pair){key, item};
    for (size_t at = 0; rego_next(b, &at, &key, &item);) {
        const struct value *old = rego_get(a, &key);
        pairs[n] = (struct rego_pair){key, item};
        if (old && !merge(call, old, &item, depth_left - 1, &pairs[n].value))
            return false;
        n++;
    }
    return rego_make_object(pairs, n, ret, &clash);
}

static enum rego_outcome object_union(struct rego_call *call, struct value *ret)
{
    return merge(call, &call->arg[0], &call->arg[1], REGO_NESTING_MAX, ret) ? REGO_DEFINED
                                                                            : REGO_HALT;
}

static enum rego_outcome object_union_n(struct rego_call *call, struct value *ret)
{
    const struct value *list = call->arg;
    *ret = (struct value){.kind = REGO_PAIRS};
    for (uint32_t i = 0; i < list->len; i++)
        if (!rego_is_object(&list->items[i])) {
            call->why = arena_printf(
                call->arena, "operand 1 must be array of objects but got array containing %s",
                rego_type_name(&list->items[i]));
            call->type_error = true;
            return REGO_FAILED;
        }
    for (uint32_t i = 0; i < list->len; i++) {
        struct value before = *ret;
        if (!merge(call, &before, &list->items[i], REGO_NESTING_MAX, ret))
            return REGO_HALT;
    }
    return REGO_DEFINED;
}

/* Is b part of a? */
static bool covers(const struct value *a, const struct value *b, unsigned depth_left);

static bool array_covers(const struct value *a, const struct value *b)
{
    for (uint32_t from = 0; from + (uint64_t)b->len <= a->len; from++) {
        uint32_t i = 0;
        while (i < b->len && rego_equal(&a->items[from + i], &b->items[i]))
            i++;
        if (i == b->len)
            return true;
    }
    return false;
}

static bool covers(const struct value *a, const struct value *b, unsigned depth_left)
{
    struct value key, item;
    if (depth_left == 0)
        return false;
    if (rego_is_object(a) && rego_is_object(b)) {
        for (size_t at = 0; rego_next(b, &at, &key, &item);) {
            const struct value *mine = rego_get(a, &key);
            if (!mine || !covers(mine, &item, depth_left - 1))
                return false;
        }
        return true;
    }
    if (rego_is_array(a) && rego_is_array(b))
        return array_covers(a, b);
    if (b->kind == VALUE_SET && (a->kind == VALUE_SET || rego_is_array(a))) {
        for (uint32_t i = 0; i < b->len; i++)
            if (!listed(a, &b->items[i]))
                return false;
        return true;
    }
    return rego_equal(a, b);
}

static enum rego_outcome object_subset(struct rego_call *call, struct value *ret)
{
    const struct value *a = &call->arg[0], *b = &call->arg[1];
    bool fits = (rego_is_object(a) && rego_is_object(b)) ||
                (rego_is_array(a) && rego_is_array(b)) ||
                (b->kind == VALUE_SET && (a->kind == VALUE_SET || rego_is_array(a)));
    if (!fits)
        return rego_fail(call,
                         "both arguments object.subset must be of the same type or array and set");
    *ret = value_bool(covers(a, b, REGO_NESTING_MAX));
    return REGO_DEFINED;
}

/* --- walk --- */

struct walking {
    struct rego_call *call;
    struct value *found; /* [path, value] each */
    size_t n, room;
    struct value *path;
    size_t npath, path_room;
};

static bool walk_at(struct walking *w, const struct value *v)
{
    struct value *grown = arena_grow(w->call->arena, w->found, w->n, &w->room, w->n + 1);
    struct value *pair = arena_new_raw(w->call->arena, struct value, 2);
    struct value *path = arena_new_raw(w->call->arena, struct value, w->npath);
    struct value key, item;
    if (!grown || !pair || !path || w->npath >= REGO_NESTING_MAX || !spend(w->call, 1))
        return false;
    w->found = grown;
    if (w->npath)
        memcpy(path, w->path, w->npath * sizeof *path);
    pair[0] = value_items(VALUE_TUPLE, path, w->npath);
    pair[1] = *v;
    grown[w->n++] = value_items(VALUE_TUPLE, pair, 2);
    for (size_t at = 0; rego_next(v, &at, &key, &item);) {
        struct value *more =
            arena_grow(w->call->arena, w->path, w->npath, &w->path_room, w->npath + 1);
        if (!more)
            return false;
        w->path = more;
        more[w->npath++] = key;
        if (!walk_at(w, &item))
            return false;
        w->npath--;
    }
    return true;
}

static enum rego_outcome walk(struct rego_call *call, struct value *ret)
{
    struct walking w = {.call = call};
    if (!walk_at(&w, call->arg))
        return REGO_HALT;
    *ret = value_items(VALUE_TUPLE, w.found, w.n);
    return REGO_DEFINED;
}

/* --- graphs: an object of node to array or set of nodes --- */

static const struct value *edges(const struct value *graph, const struct value *node)
{
    const struct value *list = rego_get(graph, node);
    return list && (rego_is_array(list) || list->kind == VALUE_SET) ? list : NULL;
}

struct queue {
    struct value *item;
    size_t n, room;
};

static bool add(struct rego_call *call, struct queue *q, const struct value *v)
{
    struct value *grown = arena_grow(call->arena, q->item, q->n, &q->room, q->n + 1);
    if (!grown)
        return false;
    q->item = grown;
    grown[q->n++] = *v;
    return true;
}

static bool has(const struct queue *q, const struct value *v)
{
    for (size_t i = 0; i < q->n; i++)
        if (rego_equal(&q->item[i], v))
            return true;
    return false;
}

static enum rego_outcome reachable(struct rego_call *call, struct value *ret)
{
    const struct value *graph = &call->arg[0], *start = &call->arg[1];
    struct queue seen = {0};
    for (uint32_t i = 0; i < start->len; i++)
        if (rego_get(graph, &start->items[i]) && !has(&seen, &start->items[i]) &&
            !add(call, &seen, &start->items[i]))
            return REGO_HALT;
    for (size_t i = 0; i < seen.n; i++) {
        const struct value *next = edges(graph, &seen.item[i]);
        for (uint32_t k = 0; next && k < next->len; k++) {
            if (!spend(call, seen.n))
                return REGO_HALT;
            if (rego_get(graph, &next->items[k]) && !has(&seen, &next->items[k]) &&
                !add(call, &seen, &next->items[k]))
                return REGO_HALT;
        }
    }
    *ret = rego_make_set(seen.item, seen.n);
    return REGO_DEFINED;
}

struct paths {
    struct rego_call *call;
    const struct value *graph;
    struct queue path, found;
};

static bool keep_path(struct paths *p)
{
    struct value *items = arena_new_raw(p->call->arena, struct value, p->path.n);
    if (!items)
        return false;
    memcpy(items, p->path.item, p->path.n * sizeof *items);
    struct value path = value_items(VALUE_TUPLE, items, p->path.n);
    return add(p->call, &p->found, &path);
}

/* Paths from the last node on; one that goes no further is kept. */
static bool extend(struct paths *p)
{
    const struct value *next = edges(p->graph, &p->path.item[p->path.n - 1]);
    bool further = false;
    if (p->path.n >= REGO_NESTING_MAX || !spend(p->call, p->path.n))
        return false;
    for (uint32_t k = 0; next && k < next->len; k++) {
        /* Nodes that the graph does not know end the path before them. */
        if (has(&p->path, &next->items[k]) || !rego_get(p->graph, &next->items[k]))
            continue;
        further = true;
        if (!add(p->call, &p->path, &next->items[k]) || !extend(p))
            return false;
        p->path.n--;
    }
    return further || keep_path(p);
}

static enum rego_outcome reachable_paths(struct rego_call *call, struct value *ret)
{
    struct paths p = {.call = call, .graph = &call->arg[0]};
    const struct value *start = &call->arg[1];
    for (uint32_t i = 0; i < start->len; i++) {
        p.path.n = 0;
        if (!rego_get(p.graph, &start->items[i]))
            continue;
        if (!add(call, &p.path, &start->items[i]) || !extend(&p))
            return REGO_HALT;
    }
    *ret = rego_make_set(p.found.item, p.found.n);
    return REGO_DEFINED;
}

#define KEYS "array[any] | object[any: any] | set[any]"
#define LISTED "object[any: any] | set[any] | array[any]"
#define GRAPH "object[any: array[any] | set[any]], array[any] | set[any]"
static const struct rego_builtin table[] = {
    {"array.concat", NULL, "(array[any], array[any]) => array[any]", array_concat, 0},
    {"array.slice", NULL, "(array[any], number, number) => array[any]", array_slice, 0},
    {"array.reverse", NULL, "(array[any]) => array[any]", array_reverse, 0},
    {"array.flatten", NULL, "(array[any]) => array[any]", array_flatten, 0},
    {"union", NULL, "(set[set[any]]) => set[any]", union_, 0},
    {"intersection", NULL, "(set[set[any]]) => set[any]", intersection, 0},
    {"set_diff", NULL, "(set[any], set[any]) => set[any]", set_diff, REGO_DEPRECATED},
    {"object.get", NULL, "(object[any: any], any, any) => any", object_get, 0},
    {"object.keys", NULL, "(object[any: any]) => set[any]", object_keys, 0},
    {"object.remove", NULL, "(object[any: any], " LISTED ") => object[any: any]", object_remove, 0},
    {"object.filter", NULL, "(object[any: any], " LISTED ") => object[any: any]", object_filter, 0},
    {"object.union", NULL, "(object[any: any], object[any: any]) => object[any: any]", object_union,
     0},
    {"object.union_n", NULL, "(array[object[any: any]]) => object[any: any]", object_union_n, 0},
    {"object.subset", NULL, "(" KEYS ", " KEYS ") => boolean", object_subset, 0},
    {"walk", NULL, "(any) => array<array[any], any>", walk, REGO_RELATION},
    {"graph.reachable", NULL, "(" GRAPH ") => set[any]", reachable, 0},
    {"graph.reachable_paths", NULL, "(" GRAPH ") => set[array[any]]", reachable_paths, 0},
};
const struct rego_family builtin_collection = {table, sizeof table / sizeof *table};
