/* select.c - elements of a collection by what they hold at a path, so that ten rules over ten
 * thousand resources do not look at all of them ten times.
 *
 * A table is made when a collection is gone through by the same path for the second time. What it
 * leaves out could not have passed the step behind it; the order of the rest stays.
 */
#include <stdlib.h>
#include <string.h>

#include "lang/rego/machine.h"

enum { WORTH_IT = 16, TABLES_MAX = 4096, TABLES_FIRST = 64, VALUES_FIRST = 64 };

struct group { /* elements with one value at the path */
    uint64_t hash;
    const struct value *value; /* NULL: an empty slot */
    uint32_t from, n;          /* of positions */
};
struct selection {
    const void *items; /* of the collection; NULL: an empty slot */
    uint32_t len, path;
    struct group *group; /* NULL: met once */
    size_t ngroups;      /* slots, a power of two */
    uint32_t *position;  /* by group, ascending */
};
struct rego_selections {
    struct selection *slot;
    size_t nslots, n;
};

static struct selection *place(struct selection *slot, size_t nslots, const void *items,
                               uint32_t len, uint32_t path)
{
    uint64_t h = ((uintptr_t)items >> 4) * 0x9e3779b97f4a7c15U + path * 0xc2b2ae3d27d4eb4fU;
    size_t at = (h ^ h >> 31) & (nslots - 1);
    while (slot[at].items &&
           (slot[at].items != items || slot[at].len != len || slot[at].path != path))
        at = (at + 1) & (nslots - 1);
    return &slot[at];
}

static bool grow(struct rego_machine *m, struct rego_selections *s)
{
    size_t nslots = s->nslots ? s->nslots * 2 : TABLES_FIRST;
    struct selection *slot = arena_new(m->arena, struct selection, nslots);
    if (!slot)
        return false;
    for (size_t i = 0; i < s->nslots; i++)
        if (s->slot[i].items)
            *place(slot, nslots, s->slot[i].items, s->slot[i].len, s->slot[i].path) = s->slot[i];
    s->slot = slot;
    s->nslots = nslots;
    return true;
}

/* The table of a collection and a path; NULL where there is none (yet). */
static struct selection *find(struct rego_machine *m, const struct value *collection, uint32_t path)
{
    struct rego_selections *s = m->selections;
    if (!s) {
        s = m->selections = arena_new(m->arena, struct rego_selections, 1);
        if (!s)
            return NULL;
    }
    if (s->n * 2 >= s->nslots && (s->n >= TABLES_MAX || !grow(m, s)))
        return NULL;
    struct selection *at = place(s->slot, s->nslots, collection->items, collection->len, path);
    if (at->items)
        return at;
    *at = (struct selection){.items = collection->items, .len = collection->len, .path = path};
    s->n++;
    return NULL;
}

static struct group *group_of(struct group *group, size_t n, const struct value *v, uint64_t hash)
{
    size_t at = (hash ^ hash >> 32) & (n - 1);
    while (group[at].value && (group[at].hash != hash || !rego_equal(group[at].value, v)))
        at = (at + 1) & (n - 1);
    return &group[at];
}

static struct group *grow_groups(struct rego_machine *m, const struct group *old, size_t n)
{
    struct group *group = arena_new(m->arena, struct group, n * 2);
    for (size_t i = 0; group && i < n; i++)
        if (old[i].value)
            *group_of(group, n * 2, old[i].value, old[i].hash) = old[i];
    return group;
}

static const struct value *value_at_path(struct rego_machine *m, const struct value *element,
                                         const struct rego_select *by)
{
    for (size_t i = 0; element && i < by->n; i++)
        element = rego_get_hinted(m, element, &by->at[i]);
    return element;
}

/* Elements counted by value; then each group gets its stretch of positions. */
static bool count(struct rego_machine *m, const struct value *collection,
                  const struct rego_select *by, struct selection *s)
{
    size_t n = VALUES_FIRST, used = 0;
    struct group *group = arena_new(m->arena, struct group, n);
    for (uint32_t i = 0; group && i < s->len; i++) {
        const struct value *v = value_at_path(m, rego_item(collection, i), by);
        if (!v)
            continue;
        uint64_t hash = rego_hash(v);
        struct group *at = group_of(group, n, v, hash);
        used += !at->value;
        *at = (struct group){hash, v, 0, at->n + 1};
        if (used * 2 >= n) {
            group = grow_groups(m, group, n);
            n *= 2;
        }
    }
    s->group = group;
    s->ngroups = n;
    return group != NULL;
}

static bool fill(struct rego_machine *m, const struct value *collection,
                 const struct rego_select *by, struct selection *s)
{
    uint32_t from = 0;
    if (!count(m, collection, by, s))
        return false;
    s->position = arena_new_raw(m->arena, uint32_t, s->len);
    if (!s->position)
        return false;
    for (size_t i = 0; i < s->ngroups; i++) {
        s->group[i].from = from;
        from += s->group[i].n;
        s->group[i].n = 0;
    }
    for (uint32_t i = 0; i < s->len; i++) {
        const struct value *v = value_at_path(m, rego_item(collection, i), by);
        if (!v)
            continue;
        struct group *at = group_of(s->group, s->ngroups, v, rego_hash(v));
        s->position[at->from + at->n++] = i;
    }
    return true;
}

static int compare_positions(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Positions of all values that are wanted, each once, in order. */
static bool gather(struct rego_machine *m, const struct selection *s, const struct value *wanted,
                   const uint32_t **ret, size_t *ret_n)
{
    size_t n = 0, kept = 0;
    for (uint32_t i = 0; i < wanted->len; i++)
        n += group_of(s->group, s->ngroups, &wanted->items[i], rego_hash(&wanted->items[i]))->n;
    uint32_t *position = arena_new_raw(m->arena, uint32_t, n);
    if (!position)
        return false;
    n = 0;
    for (uint32_t i = 0; i < wanted->len; i++) {
        const struct group *g =
            group_of(s->group, s->ngroups, &wanted->items[i], rego_hash(&wanted->items[i]));
        if (g->n)
            memcpy(position + n, s->position + g->from, g->n * sizeof *position);
        n += g->n;
    }
    qsort(position, n, sizeof *position, compare_positions);
    for (size_t i = 0; i < n; i++)
        if (!kept || position[kept - 1] != position[i])
            position[kept++] = position[i];
    *ret = position;
    *ret_n = kept;
    return true;
}

enum rego_flow rego_select(struct rego_machine *m, const struct rego_select *by,
                           const struct value *collection, const uint32_t **ret, size_t *ret_n)
{
    const struct value *wanted = rego_operand(m, &by->wanted);
    *ret = NULL;
    if (collection->len < WORTH_IT || m->options->coverage)
        return REGO_GO;
    struct selection *s = find(m, collection, by->path);
    if (!s)
        return REGO_GO;
    if (!s->group && !(rego_spend(m, s->len) && fill(m, collection, by, s)))
        return m->error.code ? REGO_BAD : rego_no_memory(m);
    if (by->any)
        return gather(m, s, wanted, ret, ret_n) ? REGO_GO : rego_no_memory(m);
    const struct group *g = group_of(s->group, s->ngroups, wanted, rego_hash(wanted));
    *ret = s->position + g->from;
    *ret_n = g->n;
    return REGO_GO;
}
