/* reading.c - one instance: UpgradeResourceState or ImportResourceState, its identity,
 * ReadResource, and what came of it. */
#include <stdlib.h>
#include <string.h>

#include "live/budget.h"
#include "live/reader_provider/blank.h"
#include "live/reader_provider/identity.h"
#include "live/reader_provider/pool_parts.h"
#include "live/reader_provider/rawstate.h"
#include "live/reader_provider/tfplugin.h"
#include "live/reader_provider/throttle.h"
#include "model/resource.h"
#include "value/type.h"
#include "wire/json.h"
#include "wire/msgpack.h"

enum { READING_ARENA = 512 << 20, WARNINGS_MAX = 20 };

static void send_read(struct reading *reading);
static void send_upgrade(struct reading *reading);
static void send_confirm(struct reading *reading);

/* --- memory --- */

static struct reading *reading_new(struct worker *worker, struct job *job)
{
    struct pool *pool = worker->pool;
    struct reading *reading = pool->spare;
    if (reading)
        pool->spare = reading->next;
    else
        reading = calloc(1, sizeof *reading);
    if (!reading)
        return NULL;
    struct arena arena = reading->arena;
    *reading = (struct reading){.worker = worker, .job = job, .arena = arena};
    reading->arena.limit = READING_ARENA;
    return reading;
}

static void drop_bodies(struct reading *reading)
{
    buf_free(&reading->upgrade);
    buf_free(&reading->read);
    buf_free(&reading->generate);
    reading->upgrade = reading->read = reading->generate = (struct buf){0};
    reading->generated = value_null();
    reading->desired = reading->live = (struct str){0};
    reading->live_known = false;
    for (int i = 0; i < LIVE_SIDES; i++) {
        buf_free(&reading->plan_bodies[i]);
        reading->plan_bodies[i] = (struct buf){0};
        reading->plans[i] = (struct live_plan){0};
    }
}

void reading_free(struct reading *reading)
{
    drop_bodies(reading);
    arena_free(&reading->arena);
    free(reading);
}

static void recycle(struct reading *reading)
{
    struct pool *pool = reading->worker->pool;
    drop_bodies(reading);
    arena_reset(&reading->arena);
    reading->next = pool->spare;
    pool->spare = reading;
}

struct str reading_error(struct reading *reading, const struct err *err)
{
    char text[2048];
    struct str kept = arena_dup(&reading->arena, str_from(err_text(err, text, sizeof text)));
    return kept.ptr ? kept : STR("out of memory");
}

/* --- the end of a reading --- */

static void emit(struct reading *reading, const struct live_result *result)
{
    pool_emit(reading->worker, result);
    worker_wake(reading->worker);
    recycle(reading);
}

void reading_unreadable(struct reading *reading, struct str reason)
{
    probing_target_lost(reading);
    struct live_result result = {.resource = reading->job->resource,
                                 .status = LIVE_UNREADABLE,
                                 .reason = reason.len ? reason : STR("no reason was given"),
                                 .desired = value_null(),
                                 .live = value_null(),
                                 .schema = reading->type ? reading->type->schema : NULL,
                                 .warnings = reading->warnings,
                                 .nwarnings = reading->nwarnings};
    emit(reading, &result);
}

static bool decode(struct reading *reading, const char *what, struct str bytes, struct value *ret,
                   struct err *err)
{
    const struct type *type = reading->type->schema->block.type;
    if (!msgpack_decode(&reading->arena, type, bytes, ret, err))
        return err_wrap(err, "%s of the provider is not what its schema promises", what);
    if (ret->kind == VALUE_NULL)
        return err_set(err, ERR_REMOTE, "%s of the provider is null", what);
    if (value_any_unknown(ret))
        return err_set(err, ERR_REMOTE,
                       "%s of the provider has unknown values in it (a bug of the provider)", what);
    return true;
}

static bool decode_desired(struct reading *reading, struct value *ret, struct err *err)
{
    if (reading->straight || reading->imported) {
        *ret = reading->imported ? value_null() : reading->recorded;
        return true;
    }
    return decode(reading, "the upgraded state", reading->desired, ret, err);
}

bool reading_decode_live(struct reading *reading, struct value *ret, struct err *err)
{
    if (!reading->live_known &&
        !decode(reading, "the answer", reading->live, &reading->live_value, err))
        return false;
    reading->live_known = true;
    *ret = reading->live_value;
    return true;
}

/* Equal bytes are equal values: decoded once. */
static bool decode_both(struct reading *reading, struct value *desired, struct value *live,
                        struct err *err)
{
    if (!decode_desired(reading, desired, err))
        return false;
    if (!reading->imported && str_equal(reading->desired, reading->live)) {
        *live = *desired;
        return true;
    }
    return reading_decode_live(reading, live, err);
}

static void emit_read(struct reading *reading)
{
    struct live_result result = {.resource = reading->job->resource,
                                 .status = LIVE_READ,
                                 .desired = reading->desired_value,
                                 .live = reading->live_value,
                                 .from_live = reading->plans[LIVE_SIDE_LIVE],
                                 .from_state = reading->plans[LIVE_SIDE_STATE],
                                 .generated = reading->generated,
                                 .schema = reading->type->schema,
                                 .not_observed = reading->shared->not_observed,
                                 .nnot_observed = reading->shared->n,
                                 .warnings = reading->warnings,
                                 .nwarnings = reading->nwarnings};
    emit(reading, &result);
}

static void emit_gone(struct reading *reading)
{
    struct err err = {0};
    struct value desired;
    struct str unknown = reading->worker->incomplete;
    if (unknown.len) { /* it may have looked in another region, account or host */
        struct str why = arena_printf(
            &reading->arena,
            "the provider says that it does not exist, but plumb could not give it all of its "
            "settings (%.*s): set them under `providers` in plumb.yaml",
            STR_ARG(unknown));
        reading_unreadable(reading, why);
        return;
    }
    if (!decode_desired(reading, &desired, &err)) {
        reading_unreadable(reading, reading_error(reading, &err));
        return;
    }
    probing_target_lost(reading);
    struct live_result result = {.resource = reading->job->resource,
                                 .status = LIVE_GONE,
                                 .desired = desired,
                                 .live = value_null(),
                                 .from_live = reading->plans[LIVE_SIDE_LIVE],
                                 .from_state = reading->plans[LIVE_SIDE_STATE],
                                 .schema = reading->type->schema,
                                 .warnings = reading->warnings,
                                 .nwarnings = reading->nwarnings};
    emit(reading, &result);
}

void reading_release(struct reading *reading)
{
    emit_read(reading);
}

/* --- between calls --- */

static void push(struct reading **list, struct reading *reading)
{
    reading->next = *list;
    *list = reading;
}

void reading_landed(struct reading *reading)
{
    struct worker *worker = reading->worker;
    worker->in_flight--;
    if (worker->budget)
        budget_done(worker->budget, 1);
    worker_wake(worker);
}

static void back_to_work(void *ctx)
{
    struct reading *reading = ctx;
    struct worker *worker = reading->worker;
    struct reading **at = &worker->waiting;
    while (*at && *at != reading)
        at = &(*at)->next;
    if (*at) {
        *at = reading->next;
        worker->nwaiting--;
    }
    push(reading->job->crashes ? &worker->suspects : &worker->again, reading);
    worker_wake(worker);
}

/* "Slow down": fewer at once, and this one later. False: it was tried often enough. */
bool reading_back_off(struct reading *reading)
{
    struct worker *worker = reading->worker;
    pace_throttled(&worker->pace, pool_now_us());
    if (++reading->job->tries >= THROTTLE_TRIES_MAX)
        return false;
    int wait = throttle_wait_ms(reading->job->tries, pool_random(worker->pool));
    reading_landed(reading);
    push(&worker->waiting, reading);
    worker->nwaiting++;
    reading->timer = (struct loop_timer){.on_time = back_to_work, .ctx = reading};
    loop_timer_set(&worker->pool->loop, &reading->timer, worker->pool->loop.now_ms + wait);
    return true;
}

/* The call failed for a reason that is the provider's or the network's own. */
static void failed(struct reading *reading, struct str reason)
{
    if (throttle_is(reason) && reading_back_off(reading))
        return;
    pace_done(&reading->worker->pace, pool_now_us(), 0);
    if (worker_doubts(reading->worker, reading))
        return;
    reading_landed(reading);
    reading_unreadable(reading, reason);
}

static void timed_out(struct reading *reading, struct str reason)
{
    struct worker *worker = reading->worker;
    bool hangs = ++worker->timeouts >= WORKER_TIMEOUTS_MAX;
    failed(reading, reason);
    if (hangs)
        worker_give_up(worker, "the provider did not answer %u calls in a row within %d ms each",
                       worker->timeouts, worker_timeout_ms(worker));
}

/* Is there an answer to look at? All else is dealt with here. */
bool reading_answered(struct reading *reading, const struct plugin_reply *reply)
{
    struct worker *worker = reading->worker;
    if (reply->ok) {
        worker->timeouts = 0;
        worker->heard = true;
        return true;
    }
    if (worker->gave_up.len) {
        reading_landed(reading);
        reading_unreadable(reading, worker->gave_up);
    } else if (reply->down) {
        reading_landed(reading);
        worker->falling = true;
        push(&worker->lost, reading);
    } else if (reply->not_processed && ++reading->job->tries < THROTTLE_TRIES_MAX) {
        reading_landed(reading);
        push(&worker->again, reading);
    } else {
        struct str text = arena_dup(&reading->arena, reply->text);
        if (reply->status == GRPC_DEADLINE_EXCEEDED)
            timed_out(reading, text);
        else
            failed(reading, text);
    }
    return false;
}

static void send(struct reading *reading, enum plugin_method method, const struct buf *request,
                 plugin_done on_done)
{
    struct worker *worker = reading->worker;
    struct err err = {0};
    if (buf_ok(request, &err) && worker_call(worker, method, buf_view(request),
                                             worker_timeout_ms(worker), on_done, reading, &err))
        return;
    reading_landed(reading);
    if (err.kind == ERR_UNAVAILABLE && !worker->gave_up.len) {
        worker->falling = true;
        push(reading->job->crashes ? &worker->suspects : &worker->again, reading);
    } else {
        reading_unreadable(reading, reading_error(reading, &err));
    }
}

/* The first error in the provider's words; warnings are kept. Empty: no error. */
static struct str take_diagnostics(struct reading *reading, const struct tf_diagnostics *all)
{
    if (all->nerrors)
        return tf_diagnostics_text(&reading->arena, all);
    size_t n = all->n < WARNINGS_MAX ? all->n : WARNINGS_MAX;
    struct str *warnings = arena_new(&reading->arena, struct str, reading->nwarnings + n);
    if (n == 0 || !warnings)
        return (struct str){0};
    for (size_t i = 0; i < reading->nwarnings; i++)
        warnings[i] = reading->warnings[i];
    for (size_t i = 0; i < n; i++) {
        struct tf_diagnostics one = {&all->items[i], 1, 0};
        warnings[reading->nwarnings + i] = tf_diagnostics_text(&reading->arena, &one);
    }
    reading->warnings = warnings;
    reading->nwarnings += n;
    return (struct str){0};
}

/* --- GenerateResourceConfig: what was imported, as code --- */

/* Where it fails, what was read will do. */
static void on_generated(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    struct tf_upgrade_reply got = {0};
    struct value config;
    bool refused = !reply->ok && !reply->down && !reading->worker->gave_up.len;
    if (refused) {
        planning_begin(reading);
        return;
    }
    if (!reading_answered(reading, reply))
        return;
    buf_free(&reading->generate);
    reading->generate = *reply->body;
    *reply->body = (struct buf){0};
    if (tf_decode_upgrade_state(&reading->arena, reply->bytes, &got, NULL) &&
        !got.diagnostics.nerrors && got.state.ptr &&
        decode(reading, "the configuration", got.state, &config, NULL))
        reading->generated = config;
    planning_begin(reading);
}

static void send_generate(struct reading *reading)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    tf_encode_generate(&out, reading->job->resource->type, reading->live);
    reading->step = READING_GENERATE;
    send(reading, PLUGIN_GENERATE_CONFIG, &out, on_generated);
}

static bool wants_generated(const struct reading *reading)
{
    const struct worker *worker = reading->worker;
    return reading->imported && worker->pool->in->options->generate &&
           worker->provider->schema.generates_config;
}

/* --- ReadResource --- */

/* What was read stands. */
static void take_answer(struct reading *reading)
{
    struct err err = {0};
    pace_done(&reading->worker->pace, pool_now_us(), reading->read_us);
    reading->gone = tf_is_null(reading->live);
    if (reading->gone && worker_doubts(reading->worker, reading))
        return;
    if (reading->gone) {
        reading->live_value = value_null();
        reading->live_known = false;
        if (decode_desired(reading, &reading->desired_value, NULL)) {
            planning_begin(reading);
            return;
        }
        reading_landed(reading);
        emit_gone(reading); /* which says why not */
    } else if (decode_both(reading, &reading->desired_value, &reading->live_value, &err)) {
        if (wants_generated(reading))
            send_generate(reading);
        else
            planning_begin(reading);
    } else {
        reading_landed(reading);
        reading_unreadable(reading, reading_error(reading, &err));
    }
}

void reading_planned(struct reading *reading)
{
    reading_landed(reading);
    if (reading->gone)
        emit_gone(reading);
    else if (!probing_hold(reading, &reading->live_value))
        emit_read(reading);
}

/* The same value as was sent, or as good as the same? */
static bool came_back(struct reading *reading)
{
    struct value live;
    if (str_equal(reading->desired, reading->live))
        return true;
    if (!reading_decode_live(reading, &live, NULL))
        return false;
    return value_equal(&reading->recorded, &live) || (schema_is_legacy(reading->type->schema) &&
                                                      blank_apart_equal(&reading->recorded, &live));
}

/* A value whose type only the instance has: what an upgrade makes of it is the instance's, too. */
static bool has_dynamic(const struct reading *reading)
{
    const struct value *v = &reading->recorded;
    const struct type *type = reading->type->schema->block.type;
    if (!type_has_dynamic(type))
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct type_member *m = type_find_member(type, key_str(v->members[i].key));
        if (v->members[i].value.kind != VALUE_NULL && (!m || type_has_dynamic(m->type)))
            return true;
    }
    return false;
}

/* The framework gives back a state of the schema's own version as it is, whatever is in it; SDKv2
 * goes through each. One answer that differed was confirmed all the same. */
static bool is_sure(const struct reading *reading)
{
    const struct provider_type *shared = reading->shared;
    return shared->confirmed && shared->not_legacy && !schema_is_legacy(reading->type->schema) &&
           !has_dynamic(reading);
}

/* Once more in the full order, with the provider's own upgrade. */
static void not_straight(struct reading *reading)
{
    drop_bodies(reading);
    reading->straight = false;
    reading->not_straight = true;
    send_upgrade(reading);
}

static void on_read(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    struct tf_read_reply got = {0};
    struct err err = {0};
    struct str why = {0};
    if (!reading_answered(reading, reply))
        return;
    reading->read_us = pool_now_us() - reading->started_us;
    buf_free(&reading->read); /* of an answer that said "slow down" */
    reading->read = *reply->body;
    *reply->body = (struct buf){0};
    if (!tf_decode_read(&reading->arena, reply->bytes, &got, &err))
        why = reading_error(reading, &err);
    else
        why = take_diagnostics(reading, &got.diagnostics);
    if (!why.len && got.deferred != TF_NOT_DEFERRED)
        why = str_from(tf_deferred_text(got.deferred));
    if (!why.len && !got.state.ptr)
        why = STR("the provider answered without a state");
    if (why.len && reading->straight && !throttle_is(why)) {
        not_straight(reading);
        return;
    }
    if (why.len) {
        failed(reading, why);
        return;
    }
    reading->live = got.state;
    reading->live_known = false;
    reading->private_answered = got.private_bytes;
    reading->identity_answered = got.identity;
    if (reading->straight && !is_sure(reading) && !came_back(reading))
        send_confirm(reading);
    else
        take_answer(reading);
}

static void send_read(struct reading *reading)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    const struct provider *provider = reading->worker->provider;
    struct tf_read_request request = {.type_name = reading->job->resource->type,
                                      .state = reading->desired,
                                      .private_bytes = reading->private_bytes,
                                      .identity = reading->identity};
    if (provider->schema.provider_meta) /* what the module says is not known: none, as Terraform */
        request.provider_meta = STR("\xc0");
    tf_encode_read(&out, &request);
    reading->step = READING_READ;
    reading->started_us = pool_now_us();
    send(reading, PLUGIN_READ, &out, on_read);
}

/* --- identity --- */

static void on_identity(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    struct tf_upgrade_reply got = {0};
    struct err err = {0};
    if (!reading_answered(reading, reply))
        return;
    if (!tf_decode_upgrade_identity(&reading->arena, reply->bytes, &got, &err)) {
        failed(reading, reading_error(reading, &err));
        return;
    }
    struct str why = take_diagnostics(reading, &got.diagnostics);
    if (why.len) {
        failed(reading, why);
        return;
    }
    if (got.state.ptr)
        reading->identity = arena_dup(&reading->arena, got.state);
    send_read(reading);
}

static bool encode_identity(struct reading *reading, struct err *err)
{
    const struct type *type = reading->type->identity->block.type;
    struct value raw, typed;
    AUTO_BUF out = {.limit = 16 << 20};
    if (!json_parse(&reading->arena, reading->job->resource->identity_json, "identity",
                    JSON_DEFAULT, &raw, err) ||
        !type_apply(&reading->arena, type, &raw, true, &typed, err) ||
        !msgpack_encode(&out, type, &typed, err) || !buf_ok(&out, err))
        return err_wrap(err, "recorded identity");
    reading->identity = arena_dup(&reading->arena, buf_view(&out));
    return reading->identity.ptr || arena_full(&reading->arena, err);
}

/* What the state recorded of its identity goes along with the read; upgraded where it is older. */
static void with_identity(struct reading *reading)
{
    const struct resource *resource = reading->job->resource;
    const struct schema *identity = reading->type->identity;
    struct err err = {0};
    bool recorded = resource->identity_json.len && !str_equal(resource->identity_json, STR("null"));
    if (!recorded || !identity) {
        send_read(reading);
    } else if (resource->identity_schema_version < identity->version) {
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        struct tf_raw_state raw = {.type_name = resource->type,
                                   .version = resource->identity_schema_version,
                                   .json = resource->identity_json};
        tf_encode_upgrade(&out, &raw);
        reading->step = READING_IDENTITY;
        send(reading, PLUGIN_UPGRADE_IDENTITY, &out, on_identity);
    } else if (encode_identity(reading, &err)) {
        send_read(reading);
    } else {
        failed(reading, reading_error(reading, &err));
    }
}

/* --- UpgradeResourceState --- */

/* The upgraded state out of a reply, or why there is none. */
static struct str take_upgraded(struct reading *reading, const struct plugin_reply *reply,
                                struct str *ret)
{
    struct tf_upgrade_reply got = {0};
    struct err err = {0};
    if (!tf_decode_upgrade_state(&reading->arena, reply->bytes, &got, &err))
        return reading_error(reading, &err);
    struct str why = take_diagnostics(reading, &got.diagnostics);
    if (!why.len && (!got.state.ptr || tf_is_null(got.state)))
        return STR("UpgradeResourceState gave no state");
    *ret = got.state;
    return why;
}

/* Is that what our own encoding of the recorded attributes says? */
static bool is_plain(struct reading *reading, struct str upgraded)
{
    const struct schema *schema = reading->type->schema;
    struct value ours, theirs;
    return rawstate_value(&reading->arena, reading->job->resource, schema, &ours, NULL) &&
           msgpack_decode(&reading->arena, schema->block.type, upgraded, &theirs, NULL) &&
           value_equal(&ours, &theirs);
}

static void on_upgraded(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    if (!reading_answered(reading, reply))
        return;
    reading->upgrade = *reply->body;
    *reply->body = (struct buf){0};
    struct str why = take_upgraded(reading, reply, &reading->desired);
    if (why.len) {
        reading->desired = (struct str){0};
        failed(reading, why);
        return;
    }
    if (reading->shared->upgrade == UPGRADE_UNKNOWN &&
        reading->job->resource->schema_version == reading->type->schema->version)
        reading->shared->upgrade =
            is_plain(reading, reading->desired) ? UPGRADE_PLAIN : UPGRADE_CHANGES;
    with_identity(reading);
}

/* A difference was found from our own encoding: does the provider agree with that encoding? */
static void on_confirmed(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    struct str upgraded = {0};
    if (!reading_answered(reading, reply))
        return;
    struct str why = take_upgraded(reading, reply, &upgraded);
    if (!why.len && is_plain(reading, upgraded)) {
        reading->shared->confirmed = true;
        take_answer(reading);
        return;
    }
    if (!why.len)
        reading->shared->upgrade = UPGRADE_CHANGES;
    not_straight(reading);
}

static void call_upgrade(struct reading *reading, enum reading_step step, plugin_done on_done)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct tf_raw_state raw = {0};
    struct err err = {0};
    if (!rawstate_make(&reading->arena, reading->job->resource, reading->type->schema, &raw,
                       &err)) {
        reading_landed(reading);
        reading_unreadable(reading, reading_error(reading, &err));
        return;
    }
    tf_encode_upgrade(&out, &raw);
    reading->step = step;
    reading->started_us = pool_now_us();
    send(reading, PLUGIN_UPGRADE_STATE, &out, on_done);
}

static void send_upgrade(struct reading *reading)
{
    call_upgrade(reading, READING_UPGRADE, on_upgraded);
}

static void send_confirm(struct reading *reading)
{
    call_upgrade(reading, READING_CONFIRM, on_confirmed);
}

/* Our own encoding of what is recorded. False: the full order. */
static bool go_straight(struct reading *reading)
{
    const struct schema *schema = reading->type->schema;
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    if (reading->shared->upgrade != UPGRADE_PLAIN || reading->not_straight ||
        !rawstate_value(&reading->arena, reading->job->resource, schema, &reading->recorded,
                        NULL) ||
        reading->recorded.kind == VALUE_NULL ||
        !msgpack_encode(&out, schema->block.type, &reading->recorded, NULL) || !buf_ok(&out, NULL))
        return false;
    reading->upgrade = out;
    out = (struct buf){0};
    reading->desired = buf_view(&reading->upgrade);
    reading->straight = true;
    return true;
}

static bool take_private(struct reading *reading, struct err *err)
{
    const struct resource *resource = reading->job->resource;
    if (!resource->private_base64.len)
        return true;
    if (!base64_decode(&reading->arena, resource->private_base64, &reading->private_bytes, err))
        return err_wrap(err, "recorded private data");
    return true;
}

/* --- ImportResourceState --- */

/* The object of that type among what was imported (providers may add related ones). */
static struct str take_import(struct reading *reading, const struct plugin_reply *reply)
{
    struct tf_import_reply got = {0};
    struct err err = {0};
    if (!tf_decode_import(&reading->arena, reply->bytes, &got, &err))
        return reading_error(reading, &err);
    struct str why = take_diagnostics(reading, &got.diagnostics);
    if (!why.len && got.deferred != TF_NOT_DEFERRED)
        why = str_from(tf_deferred_text(got.deferred));
    for (size_t i = 0; i < got.n && !why.len; i++) {
        const struct tf_imported *item = &got.items[i];
        if (!str_equal(item->type_name, reading->job->resource->type) || !item->state.ptr)
            continue;
        reading->desired = item->state;
        reading->private_bytes = item->private_bytes;
        reading->identity = item->identity;
        return why;
    }
    return why.len ? why : STR("the import gave no such object");
}

static void failed_import(struct reading *reading, struct str why)
{
    const struct resource *resource = reading->job->resource;
    const char *by = resource->import_identity ? "its identity " : "\"";
    failed(reading, arena_printf(&reading->arena, "importing it by %s%.*s%s: %.*s", by,
                                 STR_ARG(resource->import_id),
                                 resource->import_identity ? "" : "\"", STR_ARG(why)));
}

static void on_imported(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    if (!reading_answered(reading, reply))
        return;
    reading->upgrade = *reply->body;
    *reply->body = (struct buf){0};
    struct str why = take_import(reading, reply);
    if (why.len) {
        reading->desired = (struct str){0};
        failed_import(reading, why);
        return;
    }
    send_read(reading);
}

static void send_import(struct reading *reading)
{
    const struct resource *resource = reading->job->resource;
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct err err = {0};
    reading->imported = true;
    reading->step = READING_IMPORT;
    if (resource->import_identity && !reading->type->identity) {
        failed_import(reading, STR("its provider gives resources of this type no identity: the "
                                   "import block wants an id"));
        return;
    }
    if (resource->import_identity &&
        !identity_encode(&reading->arena, reading->type->identity, resource->import_id,
                         &reading->identity, &err)) {
        failed_import(reading, reading_error(reading, &err));
        return;
    }
    tf_encode_import(&out, resource->type,
                     resource->import_identity ? (struct str){0} : resource->import_id,
                     reading->identity);
    reading->started_us = pool_now_us();
    send(reading, PLUGIN_IMPORT, &out, on_imported);
}

/* From the start, with an arena that has nothing in it. */
static void send_first(struct reading *reading)
{
    struct err err = {0};
    if (!take_private(reading, &err)) {
        reading_landed(reading);
        reading_unreadable(reading, reading_error(reading, &err));
    } else if (reading->job->resource->import_id.len) {
        send_import(reading);
    } else if (go_straight(reading)) {
        with_identity(reading);
    } else {
        send_upgrade(reading);
    }
}

void reading_begin(struct worker *worker, struct job *job)
{
    const struct provider_schema *schema = &worker->provider->schema;
    struct reading *reading = reading_new(worker, job);
    if (!reading) {
        struct err err = {0};
        (void)err_set(&err, ERR_LIMIT, "out of memory");
        pool_fail(worker->pool, &err);
        return;
    }
    reading->type = schema_find_resource(schema, job->resource->type);
    if (!reading->type) {
        const struct provider *provider = worker->provider;
        struct str why =
            arena_printf(&reading->arena, "provider %.*s%s%.*s has no resource type %.*s",
                         STR_ARG(provider->source), provider->found.version.len ? " " : "",
                         STR_ARG(provider->found.version), STR_ARG(job->resource->type));
        if (worker->budget)
            budget_done(worker->budget, 1); /* nobody is asked */
        reading_unreadable(reading, why);
        return;
    }
    reading->shared = &worker->provider->types[reading->type - schema->resources];
    if (reading->shared->state == PROBE_NEEDED && !reading->shared->target)
        reading->shared->target = reading;
    worker->in_flight++;
    send_first(reading);
}

void reading_resume(struct reading *reading)
{
    reading->worker->in_flight++;
    if (reading->desired.ptr && reading->step != READING_PLAN) {
        with_identity(reading);
        return;
    }
    drop_bodies(reading);
    arena_reset(&reading->arena);
    reading->private_bytes = reading->identity = (struct str){0};
    reading->straight = reading->imported = false;
    reading->warnings = NULL;
    reading->nwarnings = 0;
    send_first(reading);
}
