/* planning.c - PlanResourceChange of an instance that was just read: what would an apply make of
 * what is live, and, where that is a change and live is not what was recorded, of what was
 * recorded?
 *
 * A plan that cannot be had never costs the reading: the result says why there is none. A type
 * whose planning crashes the provider, or is not answered PLAN_TIMEOUTS_MAX times, is not planned
 * again. */
#include "live/reader_provider/pool_parts.h"
#include "live/reader_provider/tfplugin.h"
#include "live/reader_provider/throttle.h"
#include "model/resource.h"
#include "wire/msgpack.h"

static void plan_next(struct reading *reading);
static void learn(struct reading *reading, const struct live_plan *plan);

static void plan_failed(struct reading *reading, struct str why)
{
    reading->plans[reading->planning] = (struct live_plan){
        .status = LIVE_PLAN_FAILED, .reason = why.len ? why : STR("no reason was given")};
    plan_next(reading);
}

/* --- the answer --- */

static bool decode_planned(struct reading *reading, const struct tf_plan_reply *got,
                           struct live_plan *ret, struct err *err)
{
    const struct type *type = reading->type->schema->block.type;
    if (!got->planned.ptr)
        return err_set(err, ERR_REMOTE, "the provider answered without a plan");
    if (!msgpack_decode(&reading->arena, type, got->planned, &ret->planned, err))
        return err_wrap(err, "the plan of the provider is not what its schema promises");
    if (ret->planned.kind == VALUE_NULL)
        return err_set(err, ERR_REMOTE, "the plan of the provider is null");
    ret->status = LIVE_PLANNED;
    ret->legacy = got->legacy;
    ret->requires_replace = got->requires_replace;
    ret->nrequires_replace = got->nrequires_replace;
    return true;
}

/* Why there is no plan, or nothing. */
static struct str take_plan(struct reading *reading, struct str bytes, struct live_plan *ret)
{
    struct tf_plan_reply got = {0};
    struct err err = {0};
    if (!tf_decode_plan(&reading->arena, bytes, &got, &err))
        return reading_error(reading, &err);
    if (got.diagnostics.nerrors)
        return tf_diagnostics_text(&reading->arena, &got.diagnostics);
    if (got.deferred != TF_NOT_DEFERRED)
        return str_from(tf_deferred_text(got.deferred));
    return decode_planned(reading, &got, ret, &err) ? (struct str){0}
                                                    : reading_error(reading, &err);
}

static void timed_out(struct reading *reading, struct str why)
{
    struct provider_type *shared = reading->shared;
    if (++shared->plan_timeouts >= PLAN_TIMEOUTS_MAX && !shared->no_plan.len)
        shared->no_plan = arena_printf(&reading->worker->provider->arena,
                                       "planning it is not answered: %.*s", STR_ARG(why));
    plan_failed(reading, why);
}

/* Nothing of the instance's own: the process or the connection is gone, or ends. */
static bool is_interrupted(const struct reading *reading, const struct plugin_reply *reply)
{
    return !reply->ok && (reading->worker->gave_up.len || reply->down || reply->not_processed);
}

static void on_planned(void *ctx, const struct plugin_reply *reply)
{
    struct reading *reading = ctx;
    struct live_plan plan = {0};
    if (is_interrupted(reading, reply)) {
        (void)reading_answered(reading, reply);
        return;
    }
    if (!reply->ok) {
        struct str text = arena_dup(&reading->arena, reply->text);
        if (reply->status == GRPC_DEADLINE_EXCEEDED)
            timed_out(reading, text);
        else
            plan_failed(reading, text);
        return;
    }
    reading->shared->plan_timeouts = 0;
    reading->plan_bodies[reading->planning] = *reply->body;
    *reply->body = (struct buf){0};
    struct str why = take_plan(reading, reply->bytes, &plan);
    if (why.len && throttle_is(why) && reading_back_off(reading))
        return;
    if (why.len) {
        plan_failed(reading, why);
        return;
    }
    learn(reading, &plan);
    reading->plans[reading->planning] = plan;
    plan_next(reading);
}

/* --- the question --- */

static bool encode_question(struct reading *reading, const struct live_question *question,
                            struct buf *out, struct err *err)
{
    const struct type *type = reading->type->schema->block.type;
    const struct provider *provider = reading->worker->provider;
    bool live = reading->planning == LIVE_SIDE_LIVE;
    bool made = question->prior.kind == VALUE_NULL; /* there is nothing: it would be made */
    AUTO_BUF prior = {.limit = BUF_DEFAULT_LIMIT}, proposed = {.limit = BUF_DEFAULT_LIMIT};
    AUTO_BUF config = {.limit = BUF_DEFAULT_LIMIT};
    if (!msgpack_encode(&prior, type, &question->prior, err) || !buf_ok(&prior, err) ||
        !msgpack_encode(&proposed, type, &question->proposed, err) || !buf_ok(&proposed, err) ||
        !msgpack_encode(&config, type, &question->config, err) || !buf_ok(&config, err))
        return err_wrap(err, "configuration of the code");
    struct tf_plan_request request = {.type_name = reading->job->resource->type,
                                      .prior = buf_view(&prior),
                                      .proposed = buf_view(&proposed),
                                      .config = buf_view(&config),
                                      .private_bytes = made   ? (struct str){0}
                                                       : live ? reading->private_answered
                                                              : reading->private_bytes,
                                      .identity = live && reading->identity_answered.ptr
                                                      ? reading->identity_answered
                                                      : reading->identity};
    if (provider->schema.provider_meta) /* none, as with the read */
        request.provider_meta = STR("\xc0");
    tf_encode_plan(out, &request);
    return buf_ok(out, err);
}

static void plan_send(struct reading *reading, const struct live_question *question)
{
    struct worker *worker = reading->worker;
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct err err = {0};
    reading->step = READING_PLAN;
    if (encode_question(reading, question, &out, &err) &&
        worker_call(worker, PLUGIN_PLAN, buf_view(&out), worker_timeout_ms(worker), on_planned,
                    reading, &err))
        return;
    if (err.kind == ERR_UNAVAILABLE && !worker->gave_up.len) {
        reading_landed(reading);
        worker->falling = true;
        reading->next = worker->again;
        worker->again = reading;
        return;
    }
    plan_failed(reading, reading_error(reading, &err));
}

/* Not known before an apply because the provider decides it: the code says nothing of it. */
static bool is_made_anew(const struct schema_block *block, const struct value_member *planned,
                         const struct value *config)
{
    const struct schema_attribute *a = schema_find_attribute(block, key_str(planned->key));
    const struct value *said = value_get(config, key_str(planned->key));
    return planned->value.kind == VALUE_UNKNOWN && a && a->computed &&
           (!said || said->kind == VALUE_NULL);
}

/* What was recorded, but for what the provider makes anew with each change. */
static bool is_as_recorded(const struct reading *reading, const struct value *config,
                           bool *ret_anew)
{
    const struct value *planned = &reading->plans[LIVE_SIDE_LIVE].planned;
    const struct value *recorded = &reading->desired_value;
    *ret_anew = false;
    if (value_equal(planned, recorded))
        return true;
    if (planned->kind != VALUE_OBJECT || recorded->kind != VALUE_OBJECT ||
        planned->len != recorded->len)
        return false;
    *ret_anew = true;
    for (uint32_t i = 0; i < planned->len; i++) {
        const struct value_member *p = &planned->members[i], *r = &recorded->members[i];
        if (!key_equal(p->key, r->key) || (!value_equal(&p->value, &r->value) &&
                                           !is_made_anew(&reading->type->schema->block, p, config)))
            return false;
    }
    return true;
}

/* An apply of what is live makes just what was recorded, which is what is asked for: of what was
 * recorded it makes nothing else, and nobody asks. It is the dearer half of a difference. Where
 * computed attributes are made anew with the change, a type is asked once whether it leaves them
 * where there is none. */
static bool is_settled(struct reading *reading, const struct live_question *question)
{
    const struct live_plan *first = &reading->plans[LIVE_SIDE_LIVE];
    const struct value *recorded = &reading->desired_value;
    bool anew = false;
    if (reading->planning != LIVE_SIDE_STATE || pool_options(reading->worker)->ask_apart ||
        reading->gone || first->status != LIVE_PLANNED || first->nrequires_replace ||
        !value_equal(&question->prior, recorded) || !value_equal(&question->proposed, recorded) ||
        !is_as_recorded(reading, &question->config, &anew))
        return false;
    reading->settles = anew && reading->shared->settled == SETTLED_UNKNOWN;
    if (anew && reading->shared->settled != SETTLED_SURE)
        return false;
    reading->plans[LIVE_SIDE_STATE] = *first;
    reading->plans[LIVE_SIDE_STATE].planned = *recorded;
    return true;
}

/* What was asked of the type that once. */
static void learn(struct reading *reading, const struct live_plan *plan)
{
    struct provider_type *shared = reading->shared;
    shared->not_legacy = !plan->legacy;
    if (reading->planning == LIVE_SIDE_STATE && reading->settles)
        shared->settled =
            value_equal(&plan->planned, &reading->desired_value) && plan->nrequires_replace == 0
                ? SETTLED_SURE
                : SETTLED_NOT;
}

static void plan(struct reading *reading, const struct value *prior)
{
    const struct reader_options *options = pool_options(reading->worker);
    struct live_question question;
    struct err err = {0};
    if (options->ask(options->ctx, &reading->arena, reading->job->resource, reading->type->schema,
                     reading->planning, prior, &reading->desired_value, &question, &err)) {
        const struct value *told[] = {&question.prior, &question.config, &question.proposed};
        if (is_settled(reading, &question))
            plan_next(reading);
        else if (!worker_moves(reading->worker, reading, told, sizeof told / sizeof *told))
            plan_send(reading, &question);
    } else if (err.kind != ERR_NONE)
        plan_failed(reading, reading_error(reading, &err));
    else
        plan_next(reading);
}

/* One was planned, or could not be: the other, where it may be different. */
static void plan_next(struct reading *reading)
{
    const struct live_plan *first = &reading->plans[LIVE_SIDE_LIVE];
    bool recorded = reading->desired_value.kind != VALUE_NULL;
    bool apart = pool_options(reading->worker)->ask_apart;
    bool useless = first->status != LIVE_PLANNED && !reading->gone;
    if (reading->planning == LIVE_SIDE_STATE || useless || !recorded) {
        reading_planned(reading);
    } else if (!apart && value_equal(&reading->desired_value, &reading->live_value)) {
        reading->plans[LIVE_SIDE_STATE] = *first;
        reading_planned(reading);
    } else if (!apart && !reading->gone && value_equal(&first->planned, &reading->live_value)) {
        reading_planned(reading); /* nothing is to change: nobody asks what asked for it */
    } else {
        reading->planning = LIVE_SIDE_STATE;
        plan(reading, &reading->desired_value);
    }
}

void planning_begin(struct reading *reading)
{
    if (!pool_options(reading->worker)->ask || reading->worker->gave_up.len) {
        reading_planned(reading);
        return;
    }
    reading->planning = LIVE_SIDE_LIVE;
    if (reading->shared->no_plan.len)
        plan_failed(reading, reading->shared->no_plan);
    else
        plan(reading, &reading->live_value);
}

void planning_crashed(struct reading *reading, struct str why)
{
    if (!reading->shared->no_plan.len)
        reading->shared->no_plan = arena_printf(&reading->worker->provider->arena,
                                                "planning a %.*s crashes the provider: %.*s",
                                                STR_ARG(reading->type->name), STR_ARG(why));
}
