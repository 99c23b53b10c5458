/* pool.h - all resources of a stack read through their providers: one process per provider
 * configuration, at most max_providers at once, each with its own adaptive concurrency.
 *
 * Shape:   one thread, one loop. pool.c groups and runs the loop, worker.c is the life of a
 *          process, reading.c the calls of one instance, probing.c the echo probe beside them
 * Promise: every resource gets exactly one result; a crash, hang, refusal or garbage is
 *          LIVE_UNREADABLE with the reason; when pool_run() returns no process is left
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "live/reader.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/settings.h"

struct err;
struct locator;
struct provider;
struct stack;

/* What the pool does with processes; a test brings its own. */
struct pool_backend {
    bool (*start)(const struct plugin_spec *spec, struct plugin **ret, struct err *err);
    void (*stop)(struct plugin *plugin);
    void (*close)(struct plugin *plugin);
    bool (*call)(struct plugin *plugin, enum plugin_method method, struct str request,
                 int timeout_ms, plugin_done on_done, void *ctx, struct err *err);
    int (*protocol)(const struct plugin *plugin);
    uint64_t (*memory)(const struct plugin *plugin);
};
extern const struct pool_backend pool_real_processes;

struct pool_input {
    const struct resource *const *resources; /* managed, each with a provider */
    size_t n;
    const struct reader_options *options;
    live_sink on_result;
    void *sink_ctx;
    const struct locator *locator;
    struct settings_source settings;
    const char *(*env)(const char *name);
    const struct pool_backend *backend;
    /* Optional: a provider that is open already, and closed by its owner. NULL: not this one. */
    struct provider *(*borrow)(void *ctx, struct str source);
    void *borrow_ctx;
};
/* False when cancelled, when the sink failed or where memory ends. */
bool pool_run(const struct pool_input *in, struct err *err);
