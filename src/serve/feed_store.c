/* feed_store.c - the store as the threads of feeds have it: opened when there is something to
 * write. */
#include "base/err.h"
#include "serve/feeds_parts.h"
#include "serve/server.h"

enum { STORE_ARENA = 64 << 20 };

bool feed_store_open(struct feed_store *store, const struct server *server, struct err *err)
{
    if (store->open)
        return true;
    arena_free(&store->arena);
    store->arena = (struct arena){.limit = STORE_ARENA};
    store->open = record_open(&store->arena, &server->options.record, &store->record, err);
    return store->open;
}

void feed_store_forget(struct feed_store *store)
{
    if (store->open)
        record_close(&store->record);
    store->open = false;
}

void feed_store_close(struct feed_store *store)
{
    feed_store_forget(store);
    arena_free(&store->arena);
}
