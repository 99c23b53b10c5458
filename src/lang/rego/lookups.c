/* lookups.c - counts by the address of a ref's keys, told by its text. */
#include "lang/rego/lookups.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/policy.h"

enum { TEXT_MAX = 1 << 12 };

struct lookup {
    const struct rego_pattern *at; /* NULL = free */
    size_t n;
    bool had;
};
struct rego_lookups {
    struct arena *arena;
    struct lookup *slot; /* open addressing */
    size_t n, nslots;
};

struct rego_lookups *rego_lookups_make(struct arena *arena)
{
    struct rego_lookups *lookups = arena_new(arena, struct rego_lookups, 1);
    if (lookups)
        lookups->arena = arena;
    return lookups;
}

static struct lookup *slot_of(struct lookup *slot, size_t nslots, const struct rego_pattern *at)
{
    uint64_t h = (uint64_t)(uintptr_t)at * 0x9e3779b97f4a7c15U;
    size_t i = (size_t)(h ^ h >> 29) & (nslots - 1);
    while (slot[i].at && slot[i].at != at)
        i = (i + 1) & (nslots - 1);
    return &slot[i];
}

static bool grow(struct rego_lookups *lookups)
{
    size_t nslots = lookups->nslots ? lookups->nslots * 2 : 64;
    struct lookup *grown = arena_new(lookups->arena, struct lookup, nslots);
    if (!grown)
        return false;
    for (size_t i = 0; i < lookups->nslots; i++)
        if (lookups->slot[i].at)
            *slot_of(grown, nslots, lookups->slot[i].at) = lookups->slot[i];
    lookups->slot = grown;
    lookups->nslots = nslots;
    return true;
}

void rego_lookups_count(struct rego_lookups *lookups, const struct rego_pattern *at, size_t n,
                        bool had)
{
    if (lookups->n * 2 >= lookups->nslots && !grow(lookups))
        return;
    struct lookup *lookup = slot_of(lookups->slot, lookups->nslots, at);
    lookups->n += !lookup->at;
    *lookup = (struct lookup){at, n, lookup->had || had};
}

struct told {
    struct str path;
    bool had;
};

static int compare_told(const void *a, const void *b)
{
    return str_compare(((const struct told *)a)->path, ((const struct told *)b)->path);
}

static struct str path_text(struct arena *arena, const struct lookup *lookup)
{
    AUTO_BUF text = {.limit = TEXT_MAX};
    buf_str(&text, STR("input"));
    for (size_t i = 0; i < lookup->n; i++) {
        const struct rego_pattern *p = &lookup->at[i];
        bool known = p->kind == REGO_MATCH_EQUAL && p->operand.slot == REGO_NO_SLOT;
        if (!known)
            buf_str(&text, STR("[_]"));
        else if (p->operand.constant.kind == VALUE_STRING)
            buf_printf(&text, ".%.*s", STR_ARG(value_text(&p->operand.constant)));
        else
            buf_char(&text, '['), rego_text(&text, &p->operand.constant), buf_char(&text, ']');
    }
    return text.failed ? STR("input...") : arena_dup(arena, buf_view(&text));
}

bool rego_lookups_never_had(const struct rego_lookups *lookups, struct arena *arena,
                            struct str **ret, size_t *ret_n)
{
    struct told *told = arena_new_raw(arena, struct told, lookups->n + 1);
    struct str *never = arena_new(arena, struct str, lookups->n + 1);
    size_t n = 0;
    *ret_n = 0;
    *ret = never;
    for (size_t i = 0; told && never && i < lookups->nslots; i++) {
        if (!lookups->slot[i].at)
            continue;
        told[n] = (struct told){path_text(arena, &lookups->slot[i]), lookups->slot[i].had};
        if (!told[n++].path.ptr)
            return false;
    }
    if (n)
        qsort(told, n, sizeof *told, compare_told);
    /* several refs may have one path, and one of them be in a place that is not come to */
    for (size_t from = 0, to; from < n; from = to) {
        bool had = false;
        for (to = from; to < n && str_equal(told[to].path, told[from].path); to++)
            had |= told[to].had;
        if (!had)
            never[(*ret_n)++] = told[from].path;
    }
    return told && never;
}
