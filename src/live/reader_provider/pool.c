/* pool.c - resources grouped by provider configuration, processes started in turn, one loop. */
#include "live/reader_provider/pool.h"
#include "live/budget.h"

#include <stdlib.h>
#include <time.h>

#include "live/reader_provider/pool_parts.h"
#include "model/resource.h"

enum { PROVIDERS_DEFAULT = 8, TURN_MS = 500, PROGRESS_MS = 100, MEMORY_MS = 1000 };

const struct pool_backend pool_real_processes = {.start = plugin_start,
                                                 .stop = plugin_stop,
                                                 .close = plugin_close,
                                                 .call = plugin_call,
                                                 .protocol = plugin_protocol,
                                                 .memory = plugin_memory};

int64_t pool_now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* xorshift64*: for jitter only. */
uint64_t pool_random(struct pool *pool)
{
    uint64_t x = pool->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    pool->random = x;
    return x * 0x2545f4914f6cdd1du;
}

void pool_fail(struct pool *pool, const struct err *err)
{
    if (!pool->failed)
        pool->failure = *err;
    pool->failed = true;
}

void pool_note(struct pool *pool, struct str text)
{
    const struct reader_options *options = pool->in->options;
    if (options->note && text.len)
        options->note(options->ctx, text);
}

void pool_emit(struct worker *worker, const struct live_result *result)
{
    struct pool *pool = worker->pool;
    const struct reader_options *options = pool->in->options;
    struct err err = {0};
    worker->left--;
    pool->done++;
    if (!pool->failed && !pool->in->on_result(pool->in->sink_ctx, result, &err))
        pool_fail(pool, &err);
    int64_t now = pool->loop.now_ms;
    if (options->progress && !pool->failed &&
        (now >= pool->progress_at_ms || pool->done == pool->in->n)) {
        struct reader_progress progress = {pool->done, pool->in->n, worker->provider->source};
        pool->progress_at_ms = now + PROGRESS_MS;
        options->progress(options->ctx, &progress);
    }
}

/* --- groups --- */

struct item {
    const struct resource *resource;
    size_t at; /* in the input */
};

static int by_group(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = str_compare(x->resource->provider, y->resource->provider);
    if (!order)
        order = str_compare(x->resource->provider_config, y->resource->provider_config);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static bool same_group(const struct item *a, const struct item *b)
{
    return str_equal(a->resource->provider, b->resource->provider) &&
           str_equal(a->resource->provider_config, b->resource->provider_config);
}

static void fill_worker(struct pool *pool, struct worker *worker, const struct item *items,
                        size_t n, struct job *jobs)
{
    const struct resource *first = items[0].resource;
    *worker = (struct worker){.pool = pool,
                              .provider = pool->providers[pool->nproviders - 1],
                              .provider_config = first->provider_config,
                              .jobs = jobs,
                              .njobs = n,
                              .left = n,
                              .task = {.run = worker_run, .ctx = worker}};
    for (size_t i = 0; i < n; i++) {
        jobs[i] = (struct job){.resource = items[i].resource};
        worker->wants_identity |=
            items[i].resource->identity_json.len > 0 || items[i].resource->import_identity;
    }
    pace_init(&worker->pace, pool->in->options->concurrency);
    if (!settings_parse_key(first->provider_config, first->provider, &worker->key))
        worker->key = (struct settings_key){.source = first->provider};
}

static struct provider *open_provider(struct pool *pool, struct str source)
{
    const struct pool_input *in = pool->in;
    struct provider *borrowed = in->borrow ? in->borrow(in->borrow_ctx, source) : NULL;
    if (borrowed)
        return borrowed;
    struct provider *provider = &pool->own[pool->nown++];
    provider_open(provider, in->locator, source, in->options);
    warm_take_schema(in->options->warm, provider);
    return provider;
}

/* Sorted by provider and configuration: neighbours are a group, groups of a provider neighbours. */
static bool make_groups(struct pool *pool, struct err *err)
{
    const struct pool_input *in = pool->in;
    AUTO_ARENA scratch = {.limit = SIZE_MAX};
    struct item *items = arena_new(&scratch, struct item, in->n);
    struct job *jobs = arena_new(&pool->arena, struct job, in->n);
    size_t nproviders = 0, nworkers = 0;
    if (!items || !jobs)
        return arena_full(&pool->arena, err);
    for (size_t i = 0; i < in->n; i++)
        items[i] = (struct item){in->resources[i], i};
    qsort(items, in->n, sizeof *items, by_group);
    for (size_t i = 0; i < in->n; i++) {
        nproviders +=
            i == 0 || !str_equal(items[i].resource->provider, items[i - 1].resource->provider);
        nworkers += i == 0 || !same_group(&items[i], &items[i - 1]);
    }
    pool->providers = arena_new(&pool->arena, struct provider *, nproviders);
    pool->own = arena_new(&pool->arena, struct provider, nproviders);
    pool->workers = arena_new(&pool->arena, struct worker, nworkers);
    if (!pool->providers || !pool->own || !pool->workers)
        return arena_full(&pool->arena, err);

    for (size_t i = 0, end; i < in->n; i = end) {
        for (end = i + 1; end < in->n && same_group(&items[i], &items[end]);)
            end++;
        if (i == 0 || !str_equal(items[i].resource->provider, items[i - 1].resource->provider))
            pool->providers[pool->nproviders++] = open_provider(pool, items[i].resource->provider);
        fill_worker(pool, &pool->workers[pool->nworkers++], &items[i], end - i, &jobs[i]);
    }
    return true;
}

/* --- running --- */

/* A reattached process has one configuration at a time: its workers go one after another. */
static bool must_wait(const struct pool *pool, const struct worker *worker)
{
    if (worker->provider->found.origin != LOCATE_REATTACH)
        return false;
    for (size_t i = 0; i < pool->nworkers; i++) {
        const struct worker *other = &pool->workers[i];
        if (other->provider == worker->provider && other->stage != WORKER_WAITING &&
            other->stage != WORKER_DONE)
            return true;
    }
    return false;
}

/* The count of workers that are not done. */
static size_t start_workers(struct pool *pool)
{
    unsigned most = pool->in->options->max_providers;
    size_t busy = 0, open = 0;
    if (most == 0)
        most = PROVIDERS_DEFAULT;
    for (size_t i = 0; i < pool->nworkers; i++)
        busy += pool->workers[i].stage != WORKER_WAITING && pool->workers[i].stage != WORKER_DONE;
    for (size_t i = 0; i < pool->nworkers; i++) {
        struct worker *worker = &pool->workers[i];
        if (worker->stage == WORKER_WAITING && busy < most && !must_wait(pool, worker)) {
            busy++;
            worker_start(worker);
        }
        open += worker->stage != WORKER_DONE;
    }
    return open;
}

static void watch_memory(struct pool *pool)
{
    const struct reader_options *options = pool->in->options;
    uint64_t total = 0;
    if (!options->max_memory || pool->memory_noted || pool->loop.now_ms < pool->memory_at_ms)
        return;
    pool->memory_at_ms = pool->loop.now_ms + MEMORY_MS;
    for (size_t i = 0; i < pool->nworkers; i++)
        if (pool->workers[i].plugin)
            total += pool->in->backend->memory(pool->workers[i].plugin);
    if (total <= options->max_memory)
        return;
    pool->memory_noted = true;
    pool_note(pool, arena_printf(&pool->arena,
                                 "provider processes use %llu MiB, more than the %llu MiB of "
                                 "--max-memory: fewer at once with --max-providers",
                                 (unsigned long long)(total >> 20),
                                 (unsigned long long)(options->max_memory >> 20)));
}

static bool run_loop(struct pool *pool, struct err *err)
{
    while (start_workers(pool) > 0 && !pool->failed) {
        if (!loop_turn(&pool->loop, TURN_MS, err))
            return false;
        watch_memory(pool);
    }
    if (pool->failed && err)
        *err = pool->failure;
    return !pool->failed;
}

static void free_list(struct reading *list)
{
    while (list) {
        struct reading *next = list->next;
        reading_free(list);
        list = next;
    }
}

/* Whatever happened: no process, no memory left. */
static void close_all(struct pool *pool)
{
    struct err err = {0};
    (void)err_set(&err, ERR_CANCELLED, "cancelled");
    pool_fail(pool, &err); /* nothing more reaches the sink */
    for (size_t i = 0; i < pool->nworkers; i++) {
        struct worker *worker = &pool->workers[i];
        worker_give_up(worker, "cancelled");
        if (worker->budget)
            budget_done(worker->budget, worker->in_flight);
    }
    for (size_t i = 0; i < pool->nproviders; i++)
        for (size_t j = 0; j < pool->providers[i]->schema.nresources; j++) {
            struct provider_type *type = &pool->providers[i]->types[j];
            free_list(type->held);
            type->held = NULL; /* a borrowed provider goes on: nothing of this run is left in it */
            type->target = NULL;
            type->nheld = 0;
            if (type->state == PROBE_RUNNING)
                type->state = PROBE_NEEDED;
        }
    free_list(pool->spare);
}

bool pool_run(const struct pool_input *in, struct err *err)
{
    struct pool pool = {.in = in, .arena = {.limit = SIZE_MAX}};
    if (in->n == 0)
        return true;
    if (!loop_open(&pool.loop, err))
        return false;
    pool.loop.cancel = in->options->cancel;
    pool.random = (uint64_t)pool_now_us() | 1;
    bool ok = make_groups(&pool, err) && run_loop(&pool, err);
    if (ok)
        for (size_t i = 0; i < pool.nproviders; i++)
            provider_save_probes(pool.providers[i], in->options);
    close_all(&pool);
    for (size_t i = 0; i < pool.nown; i++) {
        warm_give_schema(in->options->warm, &pool.own[i]);
        provider_close(&pool.own[i]);
    }
    loop_close(&pool.loop);
    arena_free(&pool.arena);
    return ok;
}
