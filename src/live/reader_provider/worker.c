/* worker.c - the life of one provider process: start, schema, configuration, reads, crash, stop. */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "live/budget.h"
#include "live/reader_provider/pool_parts.h"
#include "live/reader_provider/tfplugin.h"
#include "model/resource.h"
#include "wire/msgpack.h"

/* Providers put it into user agents; some refuse very old ones. */
static const struct str terraform_version = STR_INIT("1.11.4");
static const struct str health = STR_INIT("\n\006plugin"); /* whose: HealthCheckRequest.service */
enum { HEALTH_MS = 2000, LATE_MS = 500 };                  /* of a process that was kept */

static void ask_schema(struct worker *worker);
static void ask_identity(struct worker *worker);
static void validate(struct worker *worker);
static void configure(struct worker *worker);

int worker_timeout_ms(const struct worker *worker)
{
    int given = pool_options(worker)->timeout_ms;
    return given > 0 ? given : PLUGIN_CALL_MS;
}

/* --- the end --- */

static void unreadable_job(struct worker *worker, const struct job *job)
{
    struct live_result result = {.resource = job->resource,
                                 .status = LIVE_UNREADABLE,
                                 .reason = worker->gave_up,
                                 .desired = value_null(),
                                 .live = value_null()};
    pool_emit(worker, &result);
}

static void unreadable_list(struct worker *worker, struct reading **list)
{
    while (*list) {
        struct reading *reading = *list;
        *list = reading->next;
        loop_timer_stop(&worker->pool->loop, &reading->timer);
        reading_unreadable(reading, worker->gave_up);
    }
}

static void not_busy(struct worker *worker)
{
    if (worker->counted)
        warm_lost(pool_options(worker)->warm);
    worker->counted = false;
}

static void close_process(struct worker *worker)
{
    struct plugin *plugin = worker->plugin;
    worker->plugin = NULL;
    loop_timer_stop(&worker->pool->loop, &worker->late);
    if (plugin)
        worker->pool->in->backend->close(plugin);
    not_busy(worker);
}

void worker_give_up(struct worker *worker, const char *fmt, ...)
{
    if (worker->gave_up.len || worker->stage == WORKER_DONE)
        return;
    va_list args;
    va_start(args, fmt);
    worker->gave_up = arena_vprintf(&worker->pool->arena, fmt, args);
    va_end(args);
    if (!worker->gave_up.len)
        worker->gave_up = STR("out of memory");

    close_process(worker); /* answers what is in flight, which sees gave_up */
    worker->nwaiting = 0;
    unreadable_list(worker, &worker->lost);
    unreadable_list(worker, &worker->doubted);
    unreadable_list(worker, &worker->again);
    unreadable_list(worker, &worker->waiting);
    unreadable_list(worker, &worker->suspects);
    while (worker->next_job < worker->njobs && !worker->pool->failed)
        unreadable_job(worker, &worker->jobs[worker->next_job++]);
    worker->stage = WORKER_STOPPING;
    worker_wake(worker);
}

static struct plugin_spec spec_of(struct worker *worker)
{
    struct plugin_spec spec = provider_spec(worker->provider, worker->pool->in->locator,
                                            &worker->pool->arena, &worker->pool->loop);
    spec.nowhere = worker->shared;
    return spec;
}

/* The name that it is kept under: the one that it was asked for by, where it was. */
static bool make_key(struct worker *worker)
{
    if (worker->keyed)
        return true;
    struct plugin_spec spec = spec_of(worker);
    return warm_key_make(worker->provider, &spec, worker->provider_config, worker->config,
                         &worker->key_kept);
}

/* What waits between scans is well, and was told everything that the next would tell it. */
static bool give_back(struct worker *worker)
{
    struct warm *warm = pool_options(worker)->warm;
    struct plugin *plugin = worker->plugin;
    if (!warm || !worker->counted || !plugin || worker->timeouts || !make_key(worker) ||
        !plugin_leave(plugin))
        return false;
    worker->plugin = NULL;
    worker->counted = false;
    loop_timer_stop(&worker->pool->loop, &worker->late);
    warm_give(warm, &worker->key_kept, plugin, worker->since_ms);
    return true;
}

/* All has a result: an orderly end. on_down follows. */
static void stop(struct worker *worker)
{
    if (give_back(worker)) {
        worker->stage = WORKER_DONE;
        return;
    }
    worker->stage = worker->plugin ? WORKER_STOPPING : WORKER_DONE;
    if (worker->plugin)
        worker->pool->in->backend->stop(worker->plugin);
}

/* --- reads --- */

static struct reading *pop(struct reading **list)
{
    struct reading *first = *list;
    if (first)
        *list = first->next;
    return first;
}

/* Waiting ones count for half: who was told to slow down must not just ask for something else. */
static bool has_room(const struct worker *worker)
{
    return worker->in_flight < worker->pace.limit &&
           worker->in_flight + worker->nwaiting / 2 < worker->pace.limit;
}

static void budget_again(void *ctx)
{
    struct worker *worker = ctx;
    worker->budget_waits = false;
    worker_wake(worker);
}

/* One more read may be begun, as far as other scans of the process leave room for it. */
static bool in_budget(struct worker *worker)
{
    struct loop *loop = &worker->pool->loop;
    int wait = worker->budget ? budget_take(worker->budget, pool_now_us()) : 0;
    if (wait == 0 || worker->budget_waits)
        return wait == 0;
    worker->budget_waits = true;
    worker->budget_timer = (struct loop_timer){.on_time = budget_again, .ctx = worker};
    loop_timer_set(loop, &worker->budget_timer, loop->now_ms + wait);
    return false;
}

static bool start_one(struct worker *worker)
{
    bool suspect = worker->suspects && !worker->in_flight && !worker->nwaiting;
    if ((!worker->again && worker->next_job >= worker->njobs && !suspect) || !in_budget(worker))
        return false;
    struct reading *reading = pop(&worker->again);
    if (reading) {
        reading_resume(reading);
        return true;
    }
    if (worker->next_job < worker->njobs) {
        reading_begin(worker, &worker->jobs[worker->next_job++]);
        return true;
    }
    reading_resume(pop(&worker->suspects)); /* alone: whatever happens now is its doing */
    return true;
}

/* A kept process has said what it can: what is in doubt is asked of a new one, what it must not be
 * told of one that runs elsewhere. */
static bool ask_anew(struct worker *worker)
{
    if (!worker->doubted || worker->in_flight || worker->nwaiting || worker->again ||
        worker->suspects || worker->nprobings || worker->next_job < worker->njobs)
        return false;
    worker->again = worker->doubted;
    worker->doubted = NULL;
    bool moves = worker->shared && !worker->may_share;
    if (moves)
        worker->asked_for_kept = false;
    if (!moves || !give_back(worker))
        close_process(worker);
    worker->timeouts = 0;
    pace_restart(&worker->pace);
    worker_start(worker);
    return true;
}

static void doubt(struct worker *worker, struct reading *reading)
{
    reading->next = worker->doubted;
    worker->doubted = reading;
    reading_landed(reading);
}

bool worker_doubts(struct worker *worker, struct reading *reading)
{
    if (worker->kept)
        doubt(worker, reading);
    return worker->kept;
}

bool worker_moves(struct worker *worker, struct reading *reading, const struct value *const *told,
                  size_t n)
{
    for (size_t i = 0; worker->shared && i < n; i++)
        if (folder_named_in_value(&worker->folder, told[i])) {
            worker->may_share = false;
            doubt(worker, reading);
            return true;
        }
    return false;
}

void worker_run(void *ctx)
{
    struct worker *worker = ctx;
    struct pool *pool = worker->pool;
    if (worker->stage == WORKER_STOPPING && !worker->plugin && worker->left == 0)
        worker->stage = WORKER_DONE;
    if (worker->stage != WORKER_READING || worker->falling)
        return;
    bool last_alone = worker->next_job == worker->njobs && !worker->again;
    while (!pool->failed && worker->stage == WORKER_READING && worker->plugin && !worker->falling &&
           (has_room(worker) || (last_alone && !worker->in_flight)) && start_one(worker)) {}
    if (worker->stage != WORKER_READING || (worker->plugin && ask_anew(worker)))
        return;
    if (worker->left == 0 && worker->nprobings == 0)
        stop(worker);
}

void worker_wake(struct worker *worker)
{
    loop_task_add(&worker->pool->loop, &worker->task);
}

/* --- configuration --- */

/* A call before the reads failed: nothing can be read. A dying process is on_down's business. */
static bool stage_answered(struct worker *worker, const struct plugin_reply *reply,
                           const char *doing)
{
    if (reply->ok)
        return true;
    if (!reply->down && !worker->gave_up.len && worker->plugin)
        worker_give_up(worker, "%s: %.*s", doing, STR_ARG(reply->text));
    return false;
}

/* What a schema is, whether it lives and that it is to stop, a process answers by itself. */
static bool asks_others(enum plugin_method method)
{
    return method == PLUGIN_CONFIGURE || method == PLUGIN_UPGRADE_STATE ||
           method == PLUGIN_UPGRADE_IDENTITY || method == PLUGIN_READ || method == PLUGIN_PLAN ||
           method == PLUGIN_IMPORT || method == PLUGIN_VALIDATE_RESOURCE ||
           method == PLUGIN_VALIDATE_CONFIG || method == PLUGIN_GENERATE_CONFIG;
}

bool worker_call(struct worker *worker, enum plugin_method method, struct str request,
                 int timeout_ms, plugin_done on_done, void *ctx, struct err *err)
{
    if (asks_others(method))
        budget_spend(worker->budget);
    return worker->pool->in->backend->call(worker->plugin, method, request, timeout_ms, on_done,
                                           ctx, err);
}

static void stage_call(struct worker *worker, enum plugin_method method, struct str request,
                       plugin_done on_done)
{
    struct err err = {0};
    char text[1024];
    int patience = worker_timeout_ms(worker); /* a short one is meant for reads, not for a schema */
    if (patience < PLUGIN_START_MS)
        patience = PLUGIN_START_MS;
    if (!worker_call(worker, method, request, patience, on_done, worker, &err) &&
        err.kind != ERR_UNAVAILABLE)
        worker_give_up(worker, "%s: %s", plugin_method_name(method),
                       err_text(&err, text, sizeof text));
}

static void refused(struct worker *worker, struct str words)
{
    bool incomplete = worker->incomplete.len > 0;
    worker_give_up(worker, "the provider refused its configuration (from %.*s): %.*s%s%.*s%s",
                   STR_ARG(worker->config_from), STR_ARG(words), incomplete ? "; not known: " : "",
                   STR_ARG(worker->incomplete),
                   incomplete ? ": set them under `providers` in plumb.yaml" : "");
}

static void on_configured(void *ctx, const struct plugin_reply *reply)
{
    struct worker *worker = ctx;
    struct pool *pool = worker->pool;
    struct tf_diagnostics diagnostics = {0};
    struct err err = {0};
    char text[1024];
    if (!stage_answered(worker, reply, "the provider could not be configured"))
        return;
    if (!tf_decode_configure(&pool->arena, reply->bytes, &diagnostics, &err)) {
        worker_give_up(worker, "ConfigureProvider: %s", err_text(&err, text, sizeof text));
        return;
    }
    struct str words = tf_diagnostics_text(&pool->arena, &diagnostics);
    if (diagnostics.nerrors) {
        refused(worker, words);
        return;
    }
    if (words.len)
        pool_note(pool, arena_printf(&pool->arena, "provider %.*s: %.*s",
                                     STR_ARG(worker->provider->source), STR_ARG(words)));
    worker->stage = WORKER_READING;
    worker->since_ms = pool->loop.now_ms;
    worker_wake(worker);
}

static void configure(struct worker *worker)
{
    AUTO_BUF out = {.limit = 64 << 20};
    worker->stage = WORKER_CONFIGURE;
    tf_encode_configure(&out, terraform_version, worker->config);
    stage_call(worker, PLUGIN_CONFIGURE, buf_view(&out), on_configured);
}

static void on_validated(void *ctx, const struct plugin_reply *reply)
{
    struct worker *worker = ctx;
    struct pool *pool = worker->pool;
    struct tf_validate_reply got = {0};
    struct err err = {0};
    char text[1024];
    if (!reply->ok && reply->status == GRPC_UNIMPLEMENTED && worker->plugin) {
        configure(worker);
        return;
    }
    if (!stage_answered(worker, reply, "the provider's configuration could not be validated"))
        return;
    if (!tf_decode_validate_config(&pool->arena, worker->provider->protocol, reply->bytes, &got,
                                   &err)) {
        worker_give_up(worker, "ValidateProviderConfig: %s", err_text(&err, text, sizeof text));
        return;
    }
    if (got.diagnostics.nerrors) {
        struct str words = tf_diagnostics_text(&pool->arena, &got.diagnostics);
        refused(worker, words);
        return;
    }
    configure(worker);
}

/* Once: it is the same after a restart. */
static bool make_config(struct worker *worker, struct err *err)
{
    struct pool *pool = worker->pool;
    const struct schema *schema = worker->provider->schema.provider;
    struct settings settings = {0};
    AUTO_BUF out = {.limit = 64 << 20};
    if (worker->config.ptr)
        return true;
    if (!pool->in->settings.get(pool->in->settings.ctx, &pool->arena, &worker->key, schema,
                                &settings, err))
        return false;
    bool ok =
        settings.typed
            ? settings_encode_typed(&pool->arena, schema, &settings.values, &out, err)
            : settings_encode(&pool->arena, schema, &settings.values, pool->in->env, &out, err);
    if (!ok || !buf_ok(&out, err))
        return false;
    worker->budget = budgets_find(pool->in->options->budgets, worker->provider->source,
                                  worker->key.alias, &settings.values);
    worker->config_from = settings.from;
    worker->incomplete = settings.incomplete;
    if (settings.incomplete.len)
        pool_note(pool,
                  arena_printf(&pool->arena,
                               "provider %.*s: plumb does not know all of its settings (%.*s)",
                               STR_ARG(worker->provider->source), STR_ARG(settings.incomplete)));
    worker->config = arena_dup(&pool->arena, buf_view(&out));
    return worker->config.ptr || arena_full(&pool->arena, err);
}

static void validate(struct worker *worker)
{
    AUTO_BUF out = {.limit = 64 << 20};
    struct err err = {0};
    char text[1024];
    worker->stage = WORKER_VALIDATE;
    if (!make_config(worker, &err)) {
        worker_give_up(worker, "%s", err_text(&err, text, sizeof text));
        return;
    }
    tf_encode_validate_config(&out, worker->config);
    stage_call(worker, PLUGIN_VALIDATE_CONFIG, buf_view(&out), on_validated);
}

/* --- schema --- */

static void on_identity(void *ctx, const struct plugin_reply *reply)
{
    struct worker *worker = ctx;
    if (reply->down || !worker->plugin)
        return;
    if (reply->ok)
        provider_take_identity(worker->provider, pool_options(worker), reply->bytes);
    else
        worker->provider->has_identity = true; /* older providers have none */
    validate(worker);
}

static void ask_identity(struct worker *worker)
{
    worker->stage = WORKER_IDENTITY;
    if (!worker->wants_identity || worker->provider->has_identity ||
        provider_cached_identity(worker->provider, pool_options(worker)))
        validate(worker);
    else
        stage_call(worker, PLUGIN_GET_IDENTITY_SCHEMAS, STR(""), on_identity);
}

static void on_schema(void *ctx, const struct plugin_reply *reply)
{
    struct worker *worker = ctx;
    struct str refused = {0};
    struct err err = {0};
    char text[1024];
    if (!stage_answered(worker, reply, "the provider's schema could not be had"))
        return;
    int protocol = worker->pool->in->backend->protocol(worker->plugin);
    if (!provider_take_schema(worker->provider, pool_options(worker), protocol, reply->bytes,
                              &refused, &err))
        worker_give_up(worker, "the provider's schema cannot be read: %s",
                       err_text(&err, text, sizeof text));
    else if (refused.len)
        worker_give_up(worker, "the provider gave no schema: %.*s", STR_ARG(refused));
    else
        ask_identity(worker);
}

static void ask_schema(struct worker *worker)
{
    int protocol = worker->pool->in->backend->protocol(worker->plugin);
    worker->stage = WORKER_SCHEMA;
    if (provider_cached_schema(worker->provider, pool_options(worker), protocol) &&
        worker->provider->schema.schema_optional)
        ask_identity(worker);
    else
        stage_call(worker, PLUGIN_GET_SCHEMA, STR(""), on_schema);
}

/* --- start and crash --- */

static void on_ready(void *ctx, const struct err *why)
{
    struct worker *worker = ctx;
    char text[2048];
    if (why)
        worker_give_up(worker, "the provider could not be started: %s",
                       err_text(why, text, sizeof text));
    else
        ask_schema(worker);
}

/*
 * Who was in flight when the process died? With a probe among them nobody is blamed, and there are
 * no more probes. One that was being planned costs its type the planning. One that was alone, or
 * dies for the second time, has done it.
 */
static void sort_the_lost(struct worker *worker, struct str why, bool *ret_planned)
{
    struct reading *lost = worker->lost;
    *ret_planned = false;
    worker->lost = NULL;
    while (lost) {
        struct reading *next = lost->next;
        if (lost->step == READING_PLAN) {
            planning_crashed(lost, why);
            *ret_planned = true;
            lost->next = worker->again;
            worker->again = lost;
            lost = next;
            continue;
        }
        lost->job->crashes = (uint8_t)(lost->job->crashes + !worker->probe_blamed);
        if (lost->job->crashes >= 2) {
            struct str reason =
                arena_printf(&lost->arena, "reading it crashes the provider: %.*s", STR_ARG(why));
            reading_unreadable(lost, reason);
        } else {
            struct reading **list = lost->job->crashes ? &worker->suspects : &worker->again;
            lost->next = *list;
            *list = lost;
        }
        lost = next;
    }
}

static void crashed(struct worker *worker, struct str why)
{
    bool reading = worker->stage == WORKER_READING;
    if (worker->kept) { /* of old age, perhaps: nobody is blamed */
        while (worker->lost) {
            struct reading *lost = worker->lost;
            worker->lost = lost->next;
            lost->next = worker->again;
            worker->again = lost;
        }
        pace_restart(&worker->pace);
        worker_start(worker);
        return;
    }
    worker->probe_blamed = worker->probe_suspected && !worker->probe_was_suspected;
    worker->probe_was_suspected = worker->probe_suspected;
    bool planned;
    sort_the_lost(worker, why, &planned);
    worker->restarts +=
        !planned; /* a type that is blamed is not planned again: it comes to an end */
    if (worker->restarts > (reading ? WORKER_RESTARTS_MAX : 1)) {
        worker_give_up(worker, "the provider crashed %u times, the last time with: %.*s",
                       worker->restarts, STR_ARG(why));
        return;
    }
    pace_restart(&worker->pace);
    worker_start(worker);
}

static void on_down(void *ctx, const struct err *why)
{
    struct worker *worker = ctx;
    AUTO_ARENA arena = {.limit = 1 << 16};
    char text[2048];
    close_process(worker);
    if (worker->stage == WORKER_STOPPING) {
        worker_wake(worker);
        return;
    }
    crashed(worker, why ? arena_dup(&arena, str_from(err_text(why, text, sizeof text)))
                        : STR("it ended by itself"));
}

static void on_healthy(void *ctx, const struct plugin_reply *reply)
{
    struct worker *worker = ctx;
    if (reply->down || worker->gave_up.len || !worker->plugin)
        return; /* on_down's business, or nobody's */
    if (reply->ok || reply->status == GRPC_UNIMPLEMENTED) {
        worker->stage = WORKER_READING;
        worker_wake(worker);
        return;
    }
    close_process(worker);
    worker_start(worker);
}

/* It was not asked, and answers late: now it is. What is in flight goes to a new one. */
static void on_late_health(void *ctx, const struct plugin_reply *reply)
{
    struct worker *worker = ctx;
    if (!reply->down && !worker->gave_up.len && worker->plugin && !reply->ok &&
        reply->status != GRPC_UNIMPLEMENTED)
        plugin_kill(worker->plugin);
}

static void on_late(void *ctx)
{
    struct worker *worker = ctx;
    if (worker->plugin && !worker->heard)
        (void)plugin_call(worker->plugin, PLUGIN_HEALTH, health, HEALTH_MS, on_late_health, worker,
                          NULL);
}

/* What answered a moment ago is well: it is asked only if the answers are late. */
static void trust(struct worker *worker)
{
    struct loop *loop = &worker->pool->loop;
    worker->heard = false;
    worker->late = (struct loop_timer){.on_time = on_late, .ctx = worker};
    loop_timer_set(loop, &worker->late, loop->now_ms + LATE_MS);
    worker->stage = WORKER_READING;
    worker_wake(worker);
}

/* --- shared with other stacks --- */

static bool is_named(const struct worker *worker)
{
    const char *const *env = (const char *const *)environ;
    const struct schema *schema = worker->provider->schema.provider;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct value config;
    if (!schema || !msgpack_decode(&arena, schema->block.type, worker->config, &config, NULL) ||
        folder_named_in_value(&worker->folder, &config) ||
        folder_named_in_environment(&worker->folder, env))
        return true;
    for (size_t i = 0; i < worker->njobs; i++)
        if (folder_named_in_resource(&worker->folder, worker->jobs[i].resource))
            return true;
    return false;
}

/* May it run nowhere? Once: the answer can only become a no (worker_moves). */
static void look_at_folder(struct worker *worker)
{
    const struct locator *locator = worker->pool->in->locator;
    const struct warm *warm = pool_options(worker)->warm;
    static const struct digest none;
    if (worker->looked)
        return;
    worker->looked = true;
    worker->may_share =
        !warm_is_apart(warm) && !digest_equal(&worker->provider->digest, &none) &&
        provider_cached_schema(worker->provider, pool_options(worker), 0) &&
        make_config(worker, NULL) &&
        folder_look(&worker->pool->arena, locator->root, locator->data_dir, &worker->folder) &&
        (!worker->folder.other || warm_shares(warm, worker->provider->source)) && !is_named(worker);
}

/* A process that was kept, and is well: nothing has to be said to it before the reads. */
static bool start_kept(struct worker *worker, const struct plugin_spec *spec)
{
    struct warm *warm = pool_options(worker)->warm;
    struct provider *provider = worker->provider;
    bool first = !worker->asked_for_kept, fresh = false;
    worker->asked_for_kept = true;
    worker->kept = false;
    if (!first || !provider_cached_schema(provider, pool_options(worker), 0) ||
        (worker->wants_identity && !provider_cached_identity(provider, pool_options(worker))) ||
        !make_config(worker, NULL) ||
        !warm_key_make(provider, spec, worker->provider_config, worker->config, &worker->key_kept))
        return false;
    worker->keyed = true;
    worker->plugin = warm_take(warm, &worker->key_kept, &worker->since_ms, &fresh);
    if (!worker->plugin)
        return false;
    worker->counted = worker->kept = true;
    if (plugin_join(worker->plugin, spec->loop, on_down, worker, NULL) &&
        plugin_protocol(worker->plugin) == provider->protocol &&
        (fresh ||
         plugin_call(worker->plugin, PLUGIN_HEALTH, health, HEALTH_MS, on_healthy, worker, NULL))) {
        if (fresh)
            trust(worker);
        return true;
    }
    close_process(worker);
    worker->kept = false;
    return false;
}

void worker_start(struct worker *worker)
{
    struct warm *warm = pool_options(worker)->warm;
    struct err err = {0};
    char text[2048];
    worker->stage = WORKER_STARTING;
    worker->falling = worker->keyed = false;
    if (worker->provider->refused.len) {
        worker_give_up(worker, "%.*s", STR_ARG(worker->provider->refused));
        return;
    }
    bool stays = warm && worker->provider->found.origin != LOCATE_REATTACH;
    if (stays)
        look_at_folder(worker);
    worker->shared = stays && worker->may_share;
    struct plugin_spec spec = spec_of(worker);
    spec.on_ready = on_ready;
    spec.on_down = on_down;
    spec.ctx = worker;
    if (stays) {
        if (start_kept(worker, &spec))
            return;
        warm_start(warm, &spec);
        worker->counted = true;
    }
    if (!worker->pool->in->backend->start(&spec, &worker->plugin, &err)) {
        not_busy(worker);
        worker_give_up(worker, "the provider could not be started: %s",
                       err_text(&err, text, sizeof text));
    }
}
