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
    SLOTS_FIRST = 16,
    KEPT_MAX = 10000,
    SHARED_MAX = 128,
    SHARED_FIRST = 16,
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

struct table {
    size_t nslots;
    struct kept slot[];
};
/* Who reads takes no lock: slots are only ever filled, each once, and a table that gave way to a
 * larger one stays for those who look at it. A lock for readers slowed two threads by a twentieth,
 * for its word went to and fro between them. */
struct rego_shared {
    pthread_mutex_t filling;
    struct arena arena;
    size_t n;
    _Atomic(struct table *) table; /* NULL: nothing is kept yet */
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
    struct table *table = atomic_load_explicit(&shared->table, memory_order_relaxed);
    if (table)
        close_all(table->slot, table->nslots);
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
    struct table *table = NULL;
    if (!object && caches->shared)
        table = atomic_load_explicit(&caches->shared->table, memory_order_acquire);
    if (table)
        (void)place(table->slot, table->nslots, at, kind, key, &object);
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

/* All of `slot` into a larger table. */
static void rehash(const struct kept *slot, size_t nslots, struct kept *grown, size_t ngrown)
{
    void *none;
    for (size_t i = 0; i < nslots; i++) {
        const struct kept *kept = &slot[i];
        if (kept->object)
            *place(grown, ngrown, hash(kept->kind, kept->key), kept->kind, kept->key, &none) =
                *kept;
    }
}

/* The table, with room for one more; NULL: there is none. By who holds the lock. */
static struct table *shared_table(struct rego_shared *shared)
{
    struct table *table = atomic_load_explicit(&shared->table, memory_order_relaxed);
    size_t before = table ? table->nslots : 0, nslots = before ? before * 2 : SHARED_FIRST;
    if (shared->n >= SHARED_MAX)
        return NULL;
    if (shared->n * 2 < before)
        return table;
    struct table *grown = arena_alloc(
        &shared->arena, 1, sizeof *grown + nslots * sizeof(struct kept), _Alignof(struct table));
    if (!grown)
        return NULL;
    grown->nslots = nslots;
    rehash(table ? table->slot : NULL, before, grown->slot, nslots);
    atomic_store_explicit(&shared->table, grown, memory_order_release);
    return grown;
}

/* False: there is no room, or another thread was first. */
static bool keep_shared(struct rego_shared *shared, const char *kind, struct str key, void *object,
                        void (*close)(void *object))
{
    void *there = NULL;
    if (!shared || key.len > SHARED_TEXT_MAX)
        return false;
    (void)pthread_mutex_lock(&shared->filling);
    struct table *table = shared_table(shared);
    struct kept *kept =
        table ? place(table->slot, table->nslots, hash(kind, key), kind, key, &there) : NULL;
    bool ok = table && !there && fill(&shared->arena, kept, kind, key, object, close);
    shared->n += ok;
    (void)pthread_mutex_unlock(&shared->filling);
    return ok;
}

static bool grow(struct rego_caches *caches)
{
    size_t nslots = caches->nslots ? caches->nslots * 2 : SLOTS_FIRST;
    struct kept *grown = arena_new(caches->arena, struct kept, nslots);
    if (!grown)
        return false;
    rehash(caches->slot, caches->nslots, grown, nslots);
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
