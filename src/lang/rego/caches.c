/* caches.c - objects of built-ins by kind and text, closed with their owner. */
#include "lang/rego/caches.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    SLOTS_FIRST = 64,
    KEPT_MAX = 10000,
    SHARED_MAX = 128,
    SHARED_SLOTS = 2 * SHARED_MAX,
    SHARED_TEXT_MAX = 512
};

struct kept {
    const char *kind;
    struct str key;
    void (*close)(void *object);
    _Atomic(void *) object; /* NULL: a free slot; set last, so that who sees it sees the rest */
};
struct rego_caches {
    struct arena *arena;
    struct rego_shared *shared;
    struct kept *slot; /* open addressing; none until something is kept */
    size_t nslots, n;
};

/* Who reads takes no lock: slots are only ever filled, each once. A lock for readers slowed two
 * threads by a twentieth, for its word went to and fro between them. */
struct rego_shared {
    pthread_mutex_t filling;
    struct arena arena;
    size_t n;
    struct kept slot[SHARED_SLOTS];
};

struct rego_shared *rego_shared_open(void)
{
    struct rego_shared *shared = calloc(1, sizeof *shared);
    if (!shared)
        return NULL;
    shared->arena.limit = 1 << 20;
    if (pthread_mutex_init(&shared->filling, NULL) == 0)
        return shared;
    free(shared);
    return NULL;
}

static void close_all(struct kept *slot, size_t nslots)
{
    for (size_t i = 0; i < nslots; i++)
        if (slot[i].object && slot[i].close)
            slot[i].close(slot[i].object);
}

void rego_shared_close(struct rego_shared *shared)
{
    if (!shared)
        return;
    close_all(shared->slot, SHARED_SLOTS);
    (void)pthread_mutex_destroy(&shared->filling);
    arena_free(&shared->arena);
    free(shared);
}

struct rego_caches *rego_caches_open(struct arena *arena, struct rego_shared *shared)
{
    struct rego_caches *caches = arena_new(arena, struct rego_caches, 1);
    if (caches) {
        caches->arena = arena;
        caches->shared = shared;
    }
    return caches;
}

void rego_caches_close(struct rego_caches *caches)
{
    if (caches)
        close_all(caches->slot, caches->nslots);
}

static size_t hash(const char *kind, struct str key)
{
    return XXH3_64bits_withSeed(key.ptr, key.len, (unsigned char)kind[0]);
}

/* The slot of kind and key, or the free one where it would be; what it holds. */
static struct kept *place(struct kept *slot, size_t nslots, size_t at, const char *kind,
                          struct str key, void **ret_object)
{
    for (;; at++) {
        struct kept *kept = &slot[at & (nslots - 1)];
        *ret_object = atomic_load_explicit(&kept->object, memory_order_acquire);
        if (!*ret_object || (strcmp(kept->kind, kind) == 0 && str_equal(kept->key, key)))
            return kept;
    }
}

void *rego_cache_find(const struct rego_caches *caches, const char *kind, struct str key)
{
    size_t at = hash(kind, key);
    void *object = NULL;
    if (caches->nslots)
        (void)place(caches->slot, caches->nslots, at, kind, key, &object);
    if (!object && caches->shared)
        (void)place(caches->shared->slot, SHARED_SLOTS, at, kind, key, &object);
    return object;
}

/* False: out of memory. */
static bool fill(struct arena *arena, struct kept *kept, const char *kind, struct str key,
                 void *object, void (*close)(void *object))
{
    kept->key = arena_dup(arena, key);
    kept->kind = kind;
    kept->close = close;
    if (kept->key.ptr)
        atomic_store_explicit(&kept->object, object, memory_order_release);
    return kept->key.ptr != NULL;
}

/* False: there is no room, or another thread was first. */
static bool keep_shared(struct rego_shared *shared, const char *kind, struct str key, void *object,
                        void (*close)(void *object))
{
    void *there = NULL;
    if (!shared || key.len > SHARED_TEXT_MAX)
        return false;
    (void)pthread_mutex_lock(&shared->filling);
    struct kept *kept = place(shared->slot, SHARED_SLOTS, hash(kind, key), kind, key, &there);
    bool ok =
        !there && shared->n < SHARED_MAX && fill(&shared->arena, kept, kind, key, object, close);
    shared->n += ok;
    (void)pthread_mutex_unlock(&shared->filling);
    return ok;
}

static bool grow(struct rego_caches *caches)
{
    size_t nslots = caches->nslots ? caches->nslots * 2 : SLOTS_FIRST;
    struct kept *grown = arena_new(caches->arena, struct kept, nslots);
    void *none;
    if (!grown)
        return false;
    for (size_t i = 0; i < caches->nslots; i++) {
        const struct kept *kept = &caches->slot[i];
        if (kept->object)
            *place(grown, nslots, hash(kept->kind, kept->key), kept->kind, kept->key, &none) =
                *kept;
    }
    caches->slot = grown;
    caches->nslots = nslots;
    return true;
}

bool rego_cache_keep(struct rego_caches *caches, const char *kind, struct str key, void *object,
                     void (*close)(void *object))
{
    void *there;
    if (keep_shared(caches->shared, kind, key, object, close))
        return true;
    if (caches->n >= KEPT_MAX || (caches->n * 2 >= caches->nslots && !grow(caches)))
        return false;
    struct kept *kept = place(caches->slot, caches->nslots, hash(kind, key), kind, key, &there);
    if (!fill(caches->arena, kept, kind, key, object, close))
        return false;
    caches->n++;
    return true;
}
