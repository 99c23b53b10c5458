/* warm.c - the thread that keeps providers between scans, and starts them. */
#include "live/warm.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/loop.h"
#include "live/reader_provider/launch.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/provider.h"
#include "live/reader_provider/warm_parts.h"

enum { LOOK_MS = 1000, MOST = 16, IDLE_MS = 600000, AGE_MS = 1800000, CALLS = 5000 };
enum { FRESH_MS = 1000 };
static const uint64_t memory_default = 1u << 30, schemas_default = 32u << 20;

/* A process that waits. */
struct kept {
    struct warm *warm;
    struct warm_key key;
    struct plugin *plugin;
    int64_t since_ms, given_ms;
    bool ending;
    struct kept *next;
};
/* What was parsed: what of struct provider is the binary's alone. */
struct parsed {
    struct provider provider;
    int64_t given_ms;
    struct parsed *next;
};
/* Something for the thread to do while its sender waits. */
struct errand {
    void (*run)(struct warm *warm, struct errand *errand);
    bool done;
    struct errand *next;
};

struct warm {
    struct warm_options options;
    pthread_t thread;
    struct loop loop;        /* the thread's */
    struct loop_timer timer; /* the thread's */
    struct kept *first;      /* the thread's; the last that was given first */

    pthread_mutex_t mutex;
    pthread_cond_t done;
    struct errand *errands;
    struct parsed *parsed;
    struct kept *fresh;      /* anybody's, given a moment ago: on no loop yet; the last first */
    struct warm_tally tally; /* waiting and memory: as the thread saw them last */
    bool closing;
};

/* --- the thread's --- */

static void publish(struct warm *warm, uint64_t memory)
{
    size_t n = 0;
    for (const struct kept *kept = warm->first; kept; kept = kept->next)
        n += !kept->ending;
    pthread_mutex_lock(&warm->mutex);
    for (const struct kept *kept = warm->fresh; kept; kept = kept->next)
        n++;
    warm->tally.waiting = n;
    warm->tally.memory = memory;
    pthread_mutex_unlock(&warm->mutex);
}

static void unlink_kept(struct kept *kept)
{
    struct kept **at = &kept->warm->first;
    while (*at != kept)
        at = &(*at)->next;
    *at = kept->next;
}

/* It ended: by itself, or because it was told to. */
static void on_down(void *ctx, const struct err *why)
{
    (void)why;
    struct kept *kept = ctx;
    unlink_kept(kept);
    plugin_close(kept->plugin);
    free(kept);
}

/* What nobody took at once, or all of it, waits on the thread's loop. */
static void settle_down(struct warm *warm, bool all)
{
    int64_t until = clock_monotonic_ms() - warm->options.fresh_ms;
    pthread_mutex_lock(&warm->mutex);
    struct kept **at = &warm->fresh; /* the last that was given first */
    while (*at && !all && (*at)->given_ms > until)
        at = &(*at)->next;
    struct kept *old = *at;
    *at = NULL;
    pthread_mutex_unlock(&warm->mutex);
    for (struct kept **to = &warm->first; old;) {
        struct kept *kept = old;
        old = kept->next;
        kept->next = *to;
        *to = kept;
        if (plugin_join(kept->plugin, &warm->loop, on_down, kept, NULL))
            to = &kept->next;
        else
            on_down(kept, NULL);
    }
}

static void count_ended(struct warm *warm)
{
    pthread_mutex_lock(&warm->mutex);
    warm->tally.ended++;
    pthread_mutex_unlock(&warm->mutex);
}

/* `kept` may be gone afterwards. */
static void end(struct kept *kept)
{
    kept->ending = true;
    count_ended(kept->warm);
    plugin_stop(kept->plugin);
}

static struct kept *first_of(struct warm *warm, bool (*is)(const struct kept *, const void *),
                             const void *arg)
{
    for (struct kept *kept = warm->first; kept; kept = kept->next)
        if (!kept->ending && is(kept, arg))
            return kept;
    return NULL;
}

static void end_all(struct warm *warm, bool (*is)(const struct kept *, const void *),
                    const void *arg)
{
    for (struct kept *kept; (kept = first_of(warm, is, arg));)
        end(kept);
}

static bool is_any(const struct kept *kept, const void *arg)
{
    return kept && !arg;
}

static bool is_old(const struct kept *kept, const void *now_ms)
{
    const struct warm_options *options = &kept->warm->options;
    int64_t now = *(const int64_t *)now_ms;
    return now - kept->given_ms >= options->idle_ms || now - kept->since_ms >= options->age_ms;
}

static bool is_worn(const struct kept *kept, const void *arg)
{
    return !arg && plugin_calls(kept->plugin) >= kept->warm->options.most_calls;
}

static bool is_outdated(const struct kept *kept, const void *arg)
{
    const struct warm_key *key = arg;
    return !kept->key.shared && digest_equal(&kept->key.place, &key->place) &&
           !digest_equal(&kept->key.process, &key->process);
}

static bool is_wanted(const struct kept *kept, const void *arg)
{
    const struct warm_key *key = arg;
    return digest_equal(&kept->key.process, &key->process);
}

/* Until the rest is within bounds: what is the oldest where they are too many, the biggest where
 * they are too large. */
static void keep_bounds(struct warm *warm)
{
    uint64_t memory;
    for (;;) {
        struct kept *biggest = NULL, *last = NULL;
        uint64_t most = 0;
        size_t n = 0;
        memory = 0;
        for (struct kept *kept = warm->first; kept; kept = kept->next) {
            if (kept->ending)
                continue;
            uint64_t bytes = plugin_memory(kept->plugin);
            memory += bytes;
            n++;
            last = kept;
            if (!biggest || bytes > most) {
                biggest = kept;
                most = bytes;
            }
        }
        if (n > warm->options.most)
            end(last);
        else if (n && memory > warm->options.most_memory)
            end(biggest);
        else
            break;
    }
    publish(warm, memory);
}

/* --- schemas --- */

static void free_parsed(struct warm *warm, struct parsed **at)
{
    struct parsed *parsed = *at;
    *at = parsed->next;
    warm->tally.schemas--;
    warm->tally.schema_bytes -= parsed->provider.arena.used;
    provider_close(&parsed->provider);
    free(parsed);
}

static void end_schemas(struct warm *warm, int64_t given_before_ms)
{
    pthread_mutex_lock(&warm->mutex);
    for (struct parsed **at = &warm->parsed; *at;)
        if ((*at)->given_ms < given_before_ms)
            free_parsed(warm, at);
        else
            at = &(*at)->next;
    pthread_mutex_unlock(&warm->mutex);
}

void warm_take_schema(struct warm *warm, struct provider *provider)
{
    static const struct digest none;
    if (!warm || provider->refused.len || digest_equal(&provider->digest, &none))
        return;
    pthread_mutex_lock(&warm->mutex);
    struct parsed **at = &warm->parsed;
    while (*at && (!digest_equal(&(*at)->provider.digest, &provider->digest) ||
                   (provider->whole && !(*at)->provider.whole)))
        at = &(*at)->next;
    struct parsed *found = *at;
    if (found) {
        *at = found->next;
        warm->tally.schemas--;
        warm->tally.schema_bytes -= found->provider.arena.used;
    }
    pthread_mutex_unlock(&warm->mutex);
    if (!found)
        return;
    arena_free(&provider->arena);
    provider->arena = found->provider.arena;
    provider->schema = found->provider.schema;
    provider->types = found->provider.types;
    provider->protocol = found->provider.protocol;
    provider->has_identity = found->provider.has_identity;
    provider->whole = found->provider.whole;
    free(found);
}

/* What was learnt of types in one scan is not for the next, but for what the provider echoes. */
static bool forget(struct provider *provider)
{
    for (size_t i = 0; i < provider->schema.nresources; i++) {
        struct provider_type *type = &provider->types[i];
        if (type->no_plan.len)
            return false; /* it may have been once: to be tried again, and its text is here */
        type->plan_timeouts = 0;
        type->fresh = false;
    }
    return true;
}

void warm_give_schema(struct warm *warm, struct provider *provider)
{
    static const struct digest none;
    struct parsed *parsed =
        warm && provider->protocol && !digest_equal(&provider->digest, &none) && forget(provider)
            ? calloc(1, sizeof *parsed)
            : NULL;
    if (!parsed)
        return;
    parsed->provider = *provider;
    parsed->given_ms = clock_monotonic_ms();
    provider->arena = (struct arena){0};
    provider->schema = (struct provider_schema){0};
    provider->types = NULL;
    provider->protocol = 0;
    pthread_mutex_lock(&warm->mutex);
    parsed->next = warm->parsed;
    warm->parsed = parsed;
    warm->tally.schemas++;
    warm->tally.schema_bytes += parsed->provider.arena.used;
    while (warm->tally.schema_bytes > warm->options.most_schemas) {
        struct parsed **biggest = &warm->parsed;
        for (struct parsed **at = &warm->parsed; *at; at = &(*at)->next)
            if ((*at)->provider.arena.used > (*biggest)->provider.arena.used)
                biggest = at;
        free_parsed(warm, biggest);
    }
    pthread_mutex_unlock(&warm->mutex);
}

/* --- the thread --- */

static void on_look(void *ctx)
{
    struct warm *warm = ctx;
    int64_t now = clock_monotonic_ms();
    settle_down(warm, false);
    end_all(warm, is_worn, NULL);
    end_all(warm, is_old, &now);
    end_schemas(warm, now - warm->options.idle_ms);
    keep_bounds(warm);
    loop_timer_set(&warm->loop, &warm->timer, now + LOOK_MS);
}

/* False: it is to end. */
static bool run_errands(struct warm *warm)
{
    pthread_mutex_lock(&warm->mutex);
    while (warm->errands) {
        struct errand *errand = warm->errands;
        warm->errands = errand->next;
        pthread_mutex_unlock(&warm->mutex);
        errand->run(warm, errand);
        pthread_mutex_lock(&warm->mutex);
        errand->done = true;
        pthread_cond_broadcast(&warm->done);
    }
    bool on = !warm->closing;
    pthread_mutex_unlock(&warm->mutex);
    return on;
}

static void *keep(void *ctx)
{
    struct warm *warm = ctx;
    struct err err = {0};
    while (run_errands(warm))
        (void)loop_turn(&warm->loop, LOOK_MS, &err);
    settle_down(warm, true);
    end_all(warm, is_any, NULL);
    int64_t until = clock_monotonic_ms() + PLUGIN_GRACE_MS;
    while (warm->first && clock_monotonic_ms() < until)
        (void)loop_turn(&warm->loop, LOOK_MS, &err);
    while (warm->first)
        on_down(warm->first, NULL);
    return NULL;
}

static void send(struct warm *warm, struct errand *errand)
{
    pthread_mutex_lock(&warm->mutex);
    struct errand **at = &warm->errands;
    while (*at)
        at = &(*at)->next;
    *at = errand;
    loop_wake(&warm->loop);
    while (!errand->done)
        pthread_cond_wait(&warm->done, &warm->mutex);
    pthread_mutex_unlock(&warm->mutex);
}

bool warm_open(const struct warm_options *options, struct warm **ret, struct err *err)
{
    struct warm *warm = calloc(1, sizeof *warm);
    if (!warm)
        return err_set(err, ERR_LIMIT, "out of memory");
    struct warm_options *o = &warm->options;
    *o = *options;
    o->most = o->most ? o->most : MOST;
    o->most_memory = o->most_memory ? o->most_memory : memory_default;
    o->most_schemas = o->most_schemas ? o->most_schemas : schemas_default;
    o->idle_ms = o->idle_ms ? o->idle_ms : IDLE_MS;
    o->age_ms = o->age_ms ? o->age_ms : AGE_MS;
    o->most_calls = o->most_calls ? o->most_calls : CALLS;
    o->fresh_ms = o->fresh_ms ? o->fresh_ms : FRESH_MS;
    if (!loop_open(&warm->loop, err)) {
        free(warm);
        return false;
    }
    warm->timer = (struct loop_timer){.on_time = on_look, .ctx = warm};
    loop_timer_set(&warm->loop, &warm->timer, warm->loop.now_ms + LOOK_MS);
    pthread_mutex_init(&warm->mutex, NULL);
    pthread_cond_init(&warm->done, NULL);
    if (pthread_create(&warm->thread, NULL, keep, warm) == 0) {
        *ret = warm;
        return true;
    }
    pthread_mutex_destroy(&warm->mutex);
    pthread_cond_destroy(&warm->done);
    loop_close(&warm->loop);
    free(warm);
    return err_set(err, ERR_LIMIT, "the thread of providers cannot be started");
}

void warm_close(struct warm *warm)
{
    if (!warm)
        return;
    pthread_mutex_lock(&warm->mutex);
    warm->closing = true;
    pthread_mutex_unlock(&warm->mutex);
    loop_wake(&warm->loop);
    pthread_join(warm->thread, NULL);
    end_schemas(warm, INT64_MAX);
    pthread_mutex_destroy(&warm->mutex);
    pthread_cond_destroy(&warm->done);
    loop_close(&warm->loop);
    free(warm);
}

static void run_drop(struct warm *warm, struct errand *errand)
{
    (void)errand;
    settle_down(warm, true);
    end_all(warm, is_any, NULL);
    end_schemas(warm, INT64_MAX);
    publish(warm, 0);
}

void warm_drop(struct warm *warm)
{
    struct errand errand = {.run = run_drop};
    if (warm)
        send(warm, &errand);
}

void warm_tally(struct warm *warm, struct warm_tally *ret)
{
    pthread_mutex_lock(&warm->mutex);
    *ret = warm->tally;
    pthread_mutex_unlock(&warm->mutex);
}

/* --- for the worker --- */

bool warm_shares(const struct warm *warm, struct str source)
{
    for (size_t i = 0; i < warm->options.nshare; i++)
        if (glob_match(warm->options.share[i], source, '/'))
            return true;
    return false;
}

bool warm_is_apart(const struct warm *warm)
{
    return warm->options.apart;
}

bool warm_key_make(const struct provider *provider, const struct plugin_spec *spec,
                   struct str provider_config, struct str config, struct warm_key *ret)
{
    const char *const *env = spec->env ? spec->env : (const char *const *)environ;
    struct sha256 *process = sha256_open(NULL), *place = sha256_open(NULL);
    ret->shared = spec->nowhere;
    if (process) {
        sha256_add_field(process, (struct str){(const char *)provider->digest.byte, DIGEST_SIZE});
        sha256_add_field(process, spec->nowhere ? provider->source : spec->path);
        sha256_add_field(process, spec->nowhere ? provider->found.version : spec->dir);
        sha256_add_field(process, spec->nowhere ? STR("nowhere") : STR("there"));
        sha256_add_field(process, config);
        for (; *env; env++)
            sha256_add_field(process, str_from(*env));
    }
    if (place) {
        sha256_add_field(place, spec->dir);
        sha256_add_field(place, provider->source);
        sha256_add_field(place, provider_config);
    }
    bool ok = process && sha256_close(process, &ret->process, NULL);
    return place && sha256_close(place, &ret->place, NULL) && ok;
}

struct launching {
    struct errand errand;
    const char *path, *dir;
    const char *const *env;
    struct launch_child child;
    struct err err;
    bool ok;
};

static void run_launch(struct warm *warm, struct errand *errand)
{
    (void)warm;
    struct launching *it = (struct launching *)errand;
    it->ok = launch_start(it->path, it->env, it->dir, &it->child, &it->err);
}

static bool launch(void *ctx, const char *path, const char *const *env, const char *dir,
                   struct launch_child *ret, struct err *err)
{
    struct launching it = {.errand = {.run = run_launch}, .path = path, .dir = dir, .env = env};
    send(ctx, &it.errand);
    if (it.ok)
        *ret = it.child;
    else if (err)
        *err = it.err;
    return it.ok;
}

void warm_start(struct warm *warm, struct plugin_spec *spec)
{
    spec->launch = launch;
    spec->launch_ctx = warm;
    pthread_mutex_lock(&warm->mutex);
    warm->tally.started++;
    warm->tally.busy++;
    pthread_mutex_unlock(&warm->mutex);
}

void warm_lost(struct warm *warm)
{
    pthread_mutex_lock(&warm->mutex);
    warm->tally.busy--;
    pthread_mutex_unlock(&warm->mutex);
}

struct moving {
    struct errand errand;
    const struct warm_key *key;
    struct plugin *plugin;
    int64_t since_ms;
};

static void run_take(struct warm *warm, struct errand *errand)
{
    struct moving *it = (struct moving *)errand;
    int64_t now = clock_monotonic_ms();
    settle_down(warm, false);
    end_all(warm, is_old, &now);
    if (!it->key->shared)
        end_all(warm, is_outdated, it->key);
    for (struct kept *kept; !it->plugin && (kept = first_of(warm, is_wanted, it->key));) {
        if (!plugin_leave(kept->plugin)) { /* it is ending: that was not heard of yet */
            end(kept);
            continue;
        }
        it->plugin = kept->plugin;
        it->since_ms = kept->since_ms;
        unlink_kept(kept);
        free(kept);
    }
}

/* What was given back a moment ago, without the thread's help. What is one place's own may be
 * outdated: that is the thread's to end. */
static void take_fresh(struct warm *warm, struct moving *it)
{
    const struct warm_options *options = &warm->options;
    int64_t now = clock_monotonic_ms();
    if (!it->key->shared)
        return;
    pthread_mutex_lock(&warm->mutex);
    struct kept **at = &warm->fresh;
    while (*at &&
           (!digest_equal(&(*at)->key.process, &it->key->process) ||
            now - (*at)->given_ms >= options->fresh_ms ||
            now - (*at)->given_ms >= options->idle_ms || now - (*at)->since_ms >= options->age_ms))
        at = &(*at)->next;
    struct kept *kept = *at;
    if (kept) {
        *at = kept->next;
        it->plugin = kept->plugin;
        it->since_ms = kept->since_ms;
    }
    pthread_mutex_unlock(&warm->mutex);
    free(kept);
}

struct plugin *warm_take(struct warm *warm, const struct warm_key *key, int64_t *ret_since_ms,
                         bool *ret_fresh)
{
    struct moving it = {.errand = {.run = run_take}, .key = key};
    take_fresh(warm, &it);
    *ret_fresh = it.plugin != NULL;
    if (!it.plugin)
        send(warm, &it.errand);
    pthread_mutex_lock(&warm->mutex);
    warm->tally.fresh += *ret_fresh;
    warm->tally.busy += it.plugin != NULL;
    warm->tally.reused += it.plugin != NULL;
    warm->tally.waiting -= it.plugin != NULL && warm->tally.waiting;
    pthread_mutex_unlock(&warm->mutex);
    *ret_since_ms = it.since_ms;
    return it.plugin;
}

static void run_give(struct warm *warm, struct errand *errand)
{
    struct moving *it = (struct moving *)errand;
    struct kept *kept = calloc(1, sizeof *kept);
    if (!kept) {
        plugin_close(it->plugin);
        return;
    }
    *kept = (struct kept){.warm = warm,
                          .key = *it->key,
                          .plugin = it->plugin,
                          .since_ms = it->since_ms,
                          .given_ms = clock_monotonic_ms(),
                          .next = warm->first};
    warm->first = kept;
    if (!plugin_join(kept->plugin, &warm->loop, on_down, kept, NULL)) {
        on_down(kept, NULL);
        return;
    }
    end_all(warm, is_worn, NULL);
    keep_bounds(warm);
}

/* As long as others want it at once, the thread need not know of it. */
static bool give_fresh(struct warm *warm, const struct warm_key *key, struct plugin *plugin,
                       int64_t since_ms)
{
    bool worn = plugin_calls(plugin) >= warm->options.most_calls;
    struct kept *kept = key->shared && !worn ? calloc(1, sizeof *kept) : NULL;
    if (!kept)
        return false;
    *kept = (struct kept){.warm = warm,
                          .key = *key,
                          .plugin = plugin,
                          .since_ms = since_ms,
                          .given_ms = clock_monotonic_ms()};
    pthread_mutex_lock(&warm->mutex);
    kept->next = warm->fresh;
    warm->fresh = kept;
    warm->tally.waiting++;
    warm->tally.busy--;
    pthread_mutex_unlock(&warm->mutex);
    return true;
}

void warm_give(struct warm *warm, const struct warm_key *key, struct plugin *plugin,
               int64_t since_ms)
{
    if (give_fresh(warm, key, plugin, since_ms))
        return;
    struct moving it = {
        .errand = {.run = run_give}, .key = key, .plugin = plugin, .since_ms = since_ms};
    send(warm, &it.errand);
    warm_lost(warm);
}
