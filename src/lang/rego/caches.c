/* caches.c - objects of built-ins by kind and text, closed with their owner. */
#include "lang/rego/caches.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
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
    struct rego_shared *shared;
    struct kept *slot; /* open addressing */
    size_t nslots, n;
};

struct rego_shared {
    pthread_rwlock_t lock;
    struct arena arena;
    struct rego_caches *caches;
};

enum { SLOTS_FIRST = 64, KEPT_MAX = 10000, SHARED_MAX = 128, SHARED_TEXT_MAX = 512 };

struct rego_shared *rego_shared_open(void)
{
    struct rego_shared *shared = calloc(1, sizeof *shared);
    if (!shared)
        return NULL;
    shared->arena.limit = 1 << 20;
    shared->caches = rego_caches_open(&shared->arena, NULL);
    if (shared->caches && pthread_rwlock_init(&shared->lock, NULL) == 0)
        return shared;
    arena_free(&shared->arena);
    free(shared);
    return NULL;
}

void rego_shared_close(struct rego_shared *shared)
{
    if (!shared)
        return;
    rego_caches_close(shared->caches);
    (void)pthread_rwlock_destroy(&shared->lock);
    arena_free(&shared->arena);
    free(shared);
}

struct rego_caches *rego_caches_open(struct arena *arena, struct rego_shared *shared)
{
    struct rego_caches *caches = arena_new(arena, struct rego_caches, 1);
    if (!caches)
        return NULL;
    caches->arena = arena;
    caches->shared = shared;
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
    void *object = place(caches->slot, caches->nslots, kind, key)->object;
    if (object || !caches->shared)
        return object;
    (void)pthread_rwlock_rdlock(&caches->shared->lock);
    object = rego_cache_find(caches->shared->caches, kind, key);
    (void)pthread_rwlock_unlock(&caches->shared->lock);
    return object;
}

/* False: there is no room, or another thread was first. */
static bool keep_shared(struct rego_shared *shared, const char *kind, struct str key, void *object,
                        void (*close)(void *object))
{
    if (!shared || key.len > SHARED_TEXT_MAX)
        return false;
    (void)pthread_rwlock_wrlock(&shared->lock);
    bool kept = shared->caches->n < SHARED_MAX && !rego_cache_find(shared->caches, kind, key) &&
                rego_cache_keep(shared->caches, kind, key, object, close);
    (void)pthread_rwlock_unlock(&shared->lock);
    return kept;
}

bool rego_cache_keep(struct rego_caches *caches, const char *kind, struct str key, void *object,
                     void (*close)(void *object))
{
    if (keep_shared(caches->shared, kind, key, object, close))
        return true;
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
