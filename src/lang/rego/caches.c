/* caches.c - objects of built-ins by kind and text, closed at the end of the evaluation. */
#include "lang/rego/caches.h"

#include "base/arena.h"
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

struct kept {
    const char *kind;
    struct str key;
    void *object;
    void (*close)(void *object);
};
struct rego_caches {
    struct arena *arena;
    struct kept *slot; /* open addressing */
    size_t nslots, n;
};

enum { SLOTS_FIRST = 64, KEPT_MAX = 10000 };

struct rego_caches *rego_caches_open(struct arena *arena)
{
    struct rego_caches *caches = arena_new(arena, struct rego_caches, 1);
    if (!caches)
        return NULL;
    caches->arena = arena;
    caches->nslots = SLOTS_FIRST;
    caches->slot = arena_new(arena, struct kept, SLOTS_FIRST);
    return caches->slot ? caches : NULL;
}

void rego_caches_close(struct rego_caches *caches)
{
    for (size_t i = 0; caches && i < caches->nslots; i++)
        if (caches->slot[i].object && caches->slot[i].close)
            caches->slot[i].close(caches->slot[i].object);
}

static struct kept *place(struct kept *slot, size_t nslots, const char *kind, struct str key)
{
    size_t at = XXH3_64bits_withSeed(key.ptr, key.len, (unsigned char)kind[0]) & (nslots - 1);
    while (slot[at].object && (strcmp(slot[at].kind, kind) != 0 || !str_equal(slot[at].key, key)))
        at = (at + 1) & (nslots - 1);
    return &slot[at];
}

void *rego_cache_find(const struct rego_caches *caches, const char *kind, struct str key)
{
    return place(caches->slot, caches->nslots, kind, key)->object;
}

bool rego_cache_keep(struct rego_caches *caches, const char *kind, struct str key, void *object,
                     void (*close)(void *object))
{
    if (caches->n >= KEPT_MAX)
        return false;
    if (caches->n * 2 >= caches->nslots) {
        struct kept *grown = arena_new(caches->arena, struct kept, caches->nslots * 2);
        if (!grown)
            return false;
        for (size_t i = 0; i < caches->nslots; i++)
            if (caches->slot[i].object)
                *place(grown, caches->nslots * 2, caches->slot[i].kind, caches->slot[i].key) =
                    caches->slot[i];
        caches->slot = grown;
        caches->nslots *= 2;
    }
    struct str kept_key = arena_dup(caches->arena, key);
    if (!kept_key.ptr)
        return false;
    *place(caches->slot, caches->nslots, kind, key) = (struct kept){kind, kept_key, object, close};
    caches->n++;
    return true;
}
