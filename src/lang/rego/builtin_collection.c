/* builtin_collection.c - Rego's functions of arrays, sets, objects; walk; graphs. */
#include <stdlib.h>
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
    struct value *items = rego_join_items(call->arena, a, b);
    if (!items)
        return REGO_HALT;
    *ret = value_items(VALUE_TUPLE, items, (size_t)a->len + b->len);
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

/* A member of one of several objects; `at` is which. */
struct entry {
    struct value key, item;
    size_t at;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = rego_compare(&x->key, &y->key);
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static bool merge(struct rego_call *call, const struct value *v, size_t n, unsigned depth_left,
                  struct value *ret);

/* Entries in order, those of one key beside each other: what each key has in the end. */
static bool merge_entries(struct rego_call *call, const struct entry *entry, size_t n,
                          unsigned depth_left, struct value *ret)
{
    struct rego_pair *pairs = arena_new_raw(call->arena, struct rego_pair, n);
    size_t made = 0, clash;
    for (size_t from = 0, to; pairs && from < n; from = to) {
        for (to = from + 1; to < n && rego_compare(&entry[to].key, &entry[from].key) == 0;)
            to++;
        pairs[made] = (struct rego_pair){entry[to - 1].key, entry[to - 1].item};
        if (to - from > 1) {
            struct value *items = arena_new_raw(call->arena, struct value, to - from);
            for (size_t i = from; items && i < to; i++)
                items[i - from] = entry[i].item;
            if (!items || !merge(call, items, to - from, depth_left, &pairs[made].value))
                return false;
        }
        made++;
    }
    return pairs && rego_make_object(pairs, made, ret, &clash);
}

/* Each over those before it; objects merge, what is none takes the place of all before it. */
static bool merge(struct rego_call *call, const struct value *v, size_t n, unsigned depth_left,
                  struct value *ret)
{
    size_t from = n, room = 0, made = 0;
    while (from > 0 && rego_is_object(&v[from - 1]))
        room += v[--from].len;
    *ret = v[n - 1];
    if (n - from < 2)
        return true;
    struct entry *entry = arena_new_raw(call->arena, struct entry, room);
    if (!entry || depth_left == 0 || !spend(call, room + (n - from)))
        return false;
    for (; from < n; from++)
        for (size_t at = 0; rego_next(&v[from], &at, &entry[made].key, &entry[made].item);)
            entry[made++].at = from;
    if (made)
        qsort(entry, made, sizeof *entry, compare_entries);
    return merge_entries(call, entry, made, depth_left - 1, ret);
}

static enum rego_outcome object_union(struct rego_call *call, struct value *ret)
{
    return merge(call, call->arg, 2, REGO_NESTING_MAX, ret) ? REGO_DEFINED : REGO_HALT;
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
    return !list->len || merge(call, list->items, list->len, REGO_NESTING_MAX, ret) ? REGO_DEFINED
                                                                                    : REGO_HALT;
}

/* Is b part of a? *halted: nobody knows. */
static bool covers(const struct rego_call *call, const struct value *a, const struct value *b,
                   unsigned depth_left, bool *halted);

static bool array_covers(const struct rego_call *call, const struct value *a, const struct value *b,
                         bool *halted)
{
    for (uint32_t from = 0; from + (uint64_t)b->len <= a->len && !*halted; from++) {
        uint32_t i = 0;
        while (i < b->len && rego_equal(&a->items[from + i], &b->items[i]))
            i++;
        *halted = !spend(call, i / 4 + 1);
        if (i == b->len)
            return true;
    }
    return false;
}

static bool covers(const struct rego_call *call, const struct value *a, const struct value *b,
                   unsigned depth_left, bool *halted)
{
    struct value key, item;
    if (depth_left == 0)
        return false;
    if (rego_is_object(a) && rego_is_object(b)) {
        for (size_t at = 0; rego_next(b, &at, &key, &item);) {
            const struct value *mine = rego_get(a, &key);
            if (!mine || !covers(call, mine, &item, depth_left - 1, halted))
                return false;
        }
        return true;
    }
    if (rego_is_array(a) && rego_is_array(b))
        return array_covers(call, a, b, halted);
    if (b->kind == VALUE_SET && (a->kind == VALUE_SET || rego_is_array(a))) {
        for (uint32_t i = 0; i < b->len && !*halted; i++) {
            *halted = !spend(call, rego_is_array(a) ? a->len / 4 + 1 : 1);
            if (!listed(a, &b->items[i]))
                return false;
        }
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
    bool halted = false;
    *ret = value_bool(covers(call, a, b, REGO_NESTING_MAX, &halted));
    return halted ? REGO_HALT : REGO_DEFINED;
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

/* Which member of the graph a node is; its length for what it does not know. */
static size_t node_of(const struct value *graph, const struct value *node)
{
    const struct value *list = rego_get(graph, node);
    if (!list)
        return graph->len;
    if (graph->kind == REGO_PAIRS)
        return (size_t)((const char *)list - (const char *)&rego_pairs(graph)->value) /
               sizeof(struct rego_pair);
    return (size_t)((const char *)list - (const char *)&graph->members->value) /
           sizeof *graph->members;
}

static const struct value *node_edges(const struct value *graph, size_t node)
{
    const struct value *list =
        graph->kind == REGO_PAIRS ? &rego_pairs(graph)[node].value : &graph->members[node].value;
    return rego_is_array(list) || list->kind == VALUE_SET ? list : NULL;
}

struct graph {
    struct rego_call *call;
    const struct value *graph;
    bool *seen;         /* by node */
    size_t *node;       /* nodes in turn, as many as there are at most */
    struct value *name; /* of each of them, as an edge has it */
    size_t n;
};

static bool open_graph(struct graph *g, struct rego_call *call)
{
    *g = (struct graph){.call = call, .graph = call->arg};
    g->seen = arena_new(call->arena, bool, call->arg->len + 1);
    g->node = arena_new_raw(call->arena, size_t, call->arg->len + 2);
    g->name = arena_new_raw(call->arena, struct value, call->arg->len + 2);
    return g->seen && g->node && g->name;
}

/* Another node, where the graph knows it and it has not been seen, or is that one. */
static bool enter(struct graph *g, const struct value *name, size_t seen)
{
    size_t node = node_of(g->graph, name);
    if (node == g->graph->len || (g->seen[node] && node != seen))
        return false;
    g->seen[node] = true;
    g->node[g->n] = node;
    g->name[g->n++] = *name;
    return true;
}

static enum rego_outcome reachable(struct rego_call *call, struct value *ret)
{
    const struct value *start = &call->arg[1];
    struct graph g;
    if (!open_graph(&g, call))
        return REGO_HALT;
    for (uint32_t i = 0; i < start->len; i++)
        (void)enter(&g, &start->items[i], SIZE_MAX);
    for (size_t i = 0; i < g.n; i++) {
        const struct value *next = node_edges(g.graph, g.node[i]);
        if (!spend(call, 1 + (next ? next->len : 0)))
            return REGO_HALT;
        for (uint32_t k = 0; next && k < next->len; k++)
            (void)enter(&g, &next->items[k], SIZE_MAX);
    }
    *ret = rego_make_set(g.name, g.n);
    return REGO_DEFINED;
}

struct paths {
    struct value *item;
    size_t n, room;
};

static bool keep_path(const struct graph *g, struct paths *found)
{
    struct arena *arena = g->call->arena;
    struct value *items = arena_new_raw(arena, struct value, g->n);
    struct value *grown = arena_grow(arena, found->item, found->n, &found->room, found->n + 1);
    if (!items || !grown || !spend(g->call, g->n))
        return false;
    memcpy(items, g->name, g->n * sizeof *items);
    found->item = grown;
    grown[found->n++] = value_items(VALUE_TUPLE, items, g->n);
    return true;
}

/*
 * Paths from the one node that is there. One is kept where it ends: at a node without edges, and
 * before one that it has or that the graph does not know, whatever other edges there are. As OPA
 * has it, only an edge from the first node to itself is gone along.
 * edge    by place in the path, how many of its node's edges have been gone through
 * kept    the path up to that place is among those found
 */
static bool go_on(struct graph *g, uint32_t *edge, bool *kept, struct paths *found)
{
    edge[0] = 0;
    kept[0] = false;
    while (g->n) {
        size_t at = g->n - 1;
        const struct value *next = node_edges(g->graph, g->node[at]);
        bool more = next && edge[at] < next->len, ends = !next || !next->len;
        if (!spend(g->call, 1))
            return false;
        if (more && enter(g, &next->items[edge[at]], at ? SIZE_MAX : g->node[0])) {
            edge[at + 1] = 0;
            kept[at + 1] = false;
        } else if ((more || ends) && !kept[at]) {
            if (!keep_path(g, found))
                return false;
            kept[at] = true;
        }
        edge[at] += more;
        if (!more) {
            g->seen[g->node[at]] = at > 0 && g->node[at] == g->node[0];
            g->n--;
        }
    }
    return true;
}

static enum rego_outcome reachable_paths(struct rego_call *call, struct value *ret)
{
    const struct value *start = &call->arg[1];
    uint32_t *edge = arena_new_raw(call->arena, uint32_t, call->arg->len + 2);
    bool *kept = arena_new_raw(call->arena, bool, call->arg->len + 2);
    struct paths found = {0};
    struct graph g;
    if (!edge || !kept || !open_graph(&g, call))
        return REGO_HALT;
    for (uint32_t i = 0; i < start->len; i++)
        if (enter(&g, &start->items[i], SIZE_MAX) && !go_on(&g, edge, kept, &found))
            return REGO_HALT;
    *ret = rego_make_set(found.item, found.n);
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
