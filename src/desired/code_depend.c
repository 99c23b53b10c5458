/* code_depend.c - the evaluator's graph with only its resources left. */
#include "desired/code_depend.h"

#include <stdlib.h>
#include <string.h>

#include "desired/code_parts.h"

struct reduction {
    struct code *code;
    struct code_vertex *vertex;
    struct code_node **node; /* of each vertex */
    size_t n;
    uint32_t *index; /* by node id: the vertex + 1, or 0 */
    uint32_t *seen;  /* by node id, then by vertex: the round that came by */
    uint32_t round;
    uint32_t *stack; /* node ids or vertices still to be looked at */
    uint64_t steps;
};

/* --- vertices --- */

static unsigned mode_order(enum code_mode mode)
{
    return mode == CODE_DATA ? 0 : mode == CODE_MANAGED ? 1 : 2;
}

static int compare_vertices(const void *a, const void *b)
{
    const struct code_vertex *x = a, *y = b;
    int order = str_compare(x->module, y->module);
    unsigned m = mode_order(x->resource->mode), n = mode_order(y->resource->mode);
    if (!order)
        order = (m > n) - (m < n);
    if (!order)
        order = str_compare(x->resource->type, y->resource->type);
    return order ? order : str_compare(x->resource->name, y->resource->name);
}

static struct str address_of(struct arena *arena, struct str module, const struct code_resource *r)
{
    static const char *const prefixes[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    return arena_printf(arena, "%.*s%s%s%.*s.%.*s", STR_ARG(module), module.len ? "." : "",
                        prefixes[r->mode], STR_ARG(r->type), STR_ARG(r->name));
}

static struct code_node *node_of(struct code *code, const struct code_vertex *vertex)
{
    for (size_t i = 0; i < code->nconfigs; i++) {
        struct code_config *config = code->config[i];
        if (str_equal(config->path, vertex->module))
            return &config->resources[vertex->resource - config->module->resources];
    }
    return NULL;
}

static bool gather(struct reduction *r, struct err *err)
{
    struct code *code = r->code;
    for (size_t i = 0; i < code->nconfigs; i++)
        r->n += code->config[i]->module->nresources;
    r->vertex = arena_new(&code->arena, struct code_vertex, r->n);
    r->node = arena_new(&code->arena, struct code_node *, r->n);
    if (!r->vertex || !r->node)
        return arena_full(&code->arena, err);
    r->n = 0;
    for (size_t i = 0; i < code->nconfigs; i++) {
        const struct code_config *config = code->config[i];
        for (size_t k = 0; k < config->module->nresources; k++) {
            const struct code_resource *resource = &config->module->resources[k];
            struct str address = address_of(&code->arena, config->path, resource);
            if (!address.ptr)
                return arena_full(&code->arena, err);
            r->vertex[r->n++] = (struct code_vertex){.resource = resource,
                                                     .in = config->module,
                                                     .module = config->path,
                                                     .address = address};
        }
    }
    if (r->n)
        qsort(r->vertex, r->n, sizeof *r->vertex, compare_vertices);
    return true;
}

/* Vertices of one module stand together: its configuration is looked for once. */
static void find_nodes(struct reduction *r)
{
    const struct code_config *config = NULL;
    for (size_t i = 0; i < r->n; i++) {
        bool same = config && str_equal(config->path, r->vertex[i].module);
        struct code_node *node =
            same ? &config->resources[r->vertex[i].resource - config->module->resources]
                 : node_of(r->code, &r->vertex[i]);
        if (!node)
            continue;
        config = node->in;
        r->node[i] = node;
        r->index[node->id] = (uint32_t)i + 1;
    }
}

/* --- edges --- */

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Resources that the vertex comes to without passing another one. */
static bool collect(struct reduction *r, size_t at, struct err *err)
{
    struct code *code = r->code;
    uint32_t *need = NULL;
    size_t n = 0, room = 0, depth = 0;
    if (!r->node[at])
        return true;
    r->round++;
    r->stack[depth++] = r->node[at]->id;
    r->seen[r->node[at]->id] = r->round;
    while (depth) {
        struct code_node *node = code->node[r->stack[--depth]];
        if (!code_link_node(code, node))
            return arena_full(&code->arena, err);
        for (size_t i = 0; i < node->ndeps; i++) {
            uint32_t id = node->dep[i]->id;
            if (r->seen[id] == r->round)
                continue;
            r->seen[id] = r->round;
            if (!r->index[id]) {
                r->stack[depth++] = id;
                continue;
            }
            need = arena_grow(&code->arena, need, n, &room, n + 1);
            if (!need)
                return arena_full(&code->arena, err);
            need[n++] = r->index[id] - 1;
        }
    }
    if (n)
        qsort(need, n, sizeof *need, compare_numbers);
    r->vertex[at].need = need;
    r->vertex[at].nneeds = n;
    return true;
}

/* --- transitive reduction --- */

/* Mark all that is needed by what `from` needs. */
static void mark_below(struct reduction *r, uint32_t from)
{
    size_t depth = 0;
    r->stack[depth++] = from;
    while (depth) {
        const struct code_vertex *v = &r->vertex[r->stack[--depth]];
        for (size_t i = 0; i < v->nneeds; i++, r->steps++)
            if (r->seen[v->need[i]] != r->round) {
                r->seen[v->need[i]] = r->round;
                r->stack[depth++] = v->need[i];
            }
    }
}

/* The reduced edges go to `kept`: what others have is still looked through as it was. */
static bool reduce(struct reduction *r, size_t at, uint32_t **kept, size_t *ret_n)
{
    const struct code_vertex *v = &r->vertex[at];
    uint32_t *out = arena_new(&r->code->arena, uint32_t, v->nneeds);
    size_t n = 0;
    if (!out)
        return false;
    r->round++;
    for (size_t i = 0; i < v->nneeds; i++)
        if (r->seen[v->need[i]] != r->round)
            mark_below(r, v->need[i]);
    for (size_t i = 0; i < v->nneeds; i++)
        if (r->seen[v->need[i]] != r->round || r->steps > CODE_REDUCTION_STEPS_MAX)
            out[n++] = v->need[i];
    *kept = out;
    *ret_n = n;
    return true;
}

static bool reduce_all(struct reduction *r, struct err *err)
{
    uint32_t **kept = arena_new(&r->code->arena, uint32_t *, r->n);
    size_t *counts = arena_new(&r->code->arena, size_t, r->n);
    if (!kept || !counts)
        return arena_full(&r->code->arena, err);
    for (size_t i = 0; i < r->n; i++)
        if (!reduce(r, i, &kept[i], &counts[i]))
            return arena_full(&r->code->arena, err);
    for (size_t i = 0; i < r->n; i++) {
        r->vertex[i].need = kept[i];
        r->vertex[i].nneeds = counts[i];
    }
    return true;
}

bool code_dependencies(struct code *code, struct code_dependencies *ret, struct err *err)
{
    struct reduction r = {.code = code};
    r.index = arena_new(&code->arena, uint32_t, code->nnodes + 1);
    r.seen = arena_new(&code->arena, uint32_t, code->nnodes + 1);
    r.stack = arena_new(&code->arena, uint32_t, code->nnodes + 1);
    if (!r.index || !r.seen || !r.stack)
        return arena_full(&code->arena, err);
    if (!gather(&r, err))
        return false;
    find_nodes(&r);
    for (size_t i = 0; i < r.n; i++)
        if (!collect(&r, i, err))
            return false;
    if (!reduce_all(&r, err))
        return false;
    *ret = (struct code_dependencies){r.vertex, r.n};
    return true;
}
