/* reader_snapshot.c - live values from the stack's snapshot document, resource by resource.
 *
 * Scan goes through snapshot_match() instead, which is faster; this is for whoever has resources.
 */
#include "base/arena.h"
#include "base/err.h"
#include "live/reader.h"
#include "live/snapshot.h"
#include "live/snapshot_pair.h"
#include "model/stack.h"

enum { ROOM_LEAST = 64 << 20, ROOM_PER_BYTE = 40 };

static bool claims(const struct stack *stack, const struct resource *resource,
                   struct library *library)
{
    (void)library;
    (void)resource;
    return stack->snapshot.len > 0;
}

static bool give(const struct snapshot *snapshot, const struct resource *resource, live_sink sink,
                 void *sink_ctx, struct err *err)
{
    AUTO_ARENA arena = {.limit = ROOM_LEAST + ROOM_PER_BYTE * resource->attributes_json.len};
    struct live_result result;
    bool same;
    uint64_t leaves;
    return snapshot_pair(snapshot, &arena, resource, &result, &same, &leaves, err) &&
           sink(sink_ctx, &result, err);
}

static bool read_all(const struct stack *stack, const struct resource *const *resources, size_t n,
                     const struct reader_options *options, live_sink on_result, void *sink_ctx,
                     struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct snapshot *snapshot;
    struct str path = arena_dup(&arena, stack->snapshot);
    if (!path.ptr)
        return arena_full(&arena, err);
    if (!snapshot_open(path.ptr, &snapshot, err))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        if (options->cancel && *options->cancel)
            ok = err_set(err, ERR_CANCELLED, "cancelled");
        else
            ok = give(snapshot, resources[i], on_result, sink_ctx, err);
        if (ok && options->progress)
            options->progress(options->ctx, &(struct reader_progress){i + 1, n, STR("snapshot")});
    }
    snapshot_close(snapshot);
    return ok;
}

const struct reader reader_snapshot = {
    .name = "snapshot",
    .summary = "live values from a JSON or NDJSON document",
    .claims = claims,
    .read = read_all,
};
