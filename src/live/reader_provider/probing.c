/* probing.c - the echo probe beside the reads: which instance, which values, and the verdict. */
#include <stdlib.h>

#include "live/reader_provider/pool_parts.h"
#include "live/reader_provider/probe.h"
#include "live/reader_provider/tfplugin.h"
#include "live/reader_provider/throttle.h"
#include "model/resource.h"
#include "wire/msgpack.h"

enum { PROBING_ARENA = 256 << 20, PROBE_LEAST_MS = 2000 };

static void probing_send(struct probing *probing);

static void probing_free(struct probing *probing)
{
    struct probing **at = &probing->worker->probings;
    while (*at && *at != probing)
        at = &(*at)->next;
    if (*at) {
        *at = probing->next;
        probing->worker->nprobings--;
    }
    arena_free(&probing->arena);
    free(probing);
}

/* The verdict stands: what waited for it goes out, in the order in which it was read. */
static void conclude(struct provider_type *probe, bool fresh)
{
    struct reading *held = probe->held, *ordered = NULL;
    probe->state = PROBE_DONE;
    probe->fresh = fresh;
    probe->target = NULL;
    probe->held = NULL;
    probe->nheld = 0;
    while (held) {
        struct reading *next = held->next;
        held->next = ordered;
        ordered = held;
        held = next;
    }
    while (ordered) {
        struct reading *next = ordered->next;
        reading_release(ordered);
        ordered = next;
    }
}

static void finish(struct probing *probing, bool fresh)
{
    struct worker *worker = probing->worker;
    struct provider_type *probe = probing->shared;
    probing_free(probing);
    conclude(probe, fresh);
    worker_wake(worker);
}

/* Other values, round by round. False where there is nothing (more) to be asked. */
static bool next_round(struct probing *probing)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct err err = {0};
    size_t n = 0;
    while (n == 0) {
        if (++probing->round > PROBE_ROUNDS ||
            !probe_perturb(&probing->arena, probing->type, &probing->live, probing->round,
                           &probing->sent, &n, &err))
            return false;
    }
    if (!msgpack_encode(&out, probing->type->schema->block.type, &probing->sent, &err) ||
        !buf_ok(&out, &err))
        return false;
    probing->sent_bytes = arena_dup(&probing->arena, buf_view(&out));
    return probing->sent_bytes.ptr != NULL;
}

/* What was echoed, into the provider's arena. False: the answer says nothing. */
static bool judge(struct probing *probing, const struct tf_read_reply *got)
{
    struct err err = {0};
    struct value answer;
    struct path *paths = NULL;
    size_t n = 0;
    if (got->diagnostics.nerrors || got->deferred != TF_NOT_DEFERRED || !got->state.ptr ||
        tf_is_null(got->state))
        return false;
    if (!msgpack_decode(&probing->arena, probing->type->schema->block.type, got->state, &answer,
                        &err) ||
        !probe_echoed(&probing->worker->provider->arena, probing->type, &probing->live,
                      &probing->sent, &answer, &paths, &n, &err))
        return false;
    probing->shared->not_observed = paths;
    probing->shared->n = n;
    return true;
}

static void on_probed(void *ctx, const struct plugin_reply *reply)
{
    struct probing *probing = ctx;
    struct tf_read_reply got = {.deferred = TF_NOT_DEFERRED};
    struct err err = {0};
    if (!reply->ok) {
        if (reply->down)
            probing->worker->probe_suspected = true;
        finish(probing, false);
    } else if (!tf_decode_read(&probing->arena, reply->bytes, &got, &err)) {
        finish(probing, false);
    } else if (judge(probing, &got)) {
        finish(probing, true);
    } else if (got.diagnostics.nerrors &&
               throttle_is(tf_diagnostics_text(&probing->arena, &got.diagnostics))) {
        finish(probing, false); /* another run may have more luck */
    } else if (next_round(probing)) {
        probing_send(probing);
    } else {
        finish(probing, true);
    }
}

static void probing_send(struct probing *probing)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct worker *worker = probing->worker;
    struct err err = {0};
    struct tf_read_request request = {.type_name = probing->type->name,
                                      .state = probing->sent_bytes,
                                      .private_bytes = probing->private_bytes,
                                      .identity = probing->identity};
    if (worker->provider->schema.provider_meta)
        request.provider_meta = STR("\xc0");
    tf_encode_read(&out, &request);
    if (!buf_ok(&out, &err) || !worker_call(worker, PLUGIN_READ, buf_view(&out),
                                            probing->timeout_ms, on_probed, probing, &err))
        finish(probing, false);
}

/* A probe may take four times as long as the read that it follows. */
static int probe_timeout_ms(const struct reading *reading)
{
    int64_t took = (pool_now_us() - reading->started_us) / 1000 * 4;
    int most = worker_timeout_ms(reading->worker);
    if (took < PROBE_LEAST_MS)
        took = PROBE_LEAST_MS;
    return took < most ? (int)took : most;
}

/* False: there is nothing to be asked. The probe is sent from the worker's task. */
static struct probing *probing_new(struct reading *reading, const struct value *live)
{
    struct worker *worker = reading->worker;
    struct err err = {0};
    struct probing *probing = calloc(1, sizeof *probing);
    if (!probing)
        return NULL;
    *probing = (struct probing){.worker = worker,
                                .type = reading->type,
                                .shared = reading->shared,
                                .arena = {.limit = PROBING_ARENA},
                                .timeout_ms = probe_timeout_ms(reading)};
    struct str private_bytes =
        reading->private_answered.ptr ? reading->private_answered : reading->private_bytes;
    struct str identity =
        reading->identity_answered.ptr ? reading->identity_answered : reading->identity;
    probing->private_bytes = arena_dup(&probing->arena, private_bytes);
    if (identity.ptr)
        probing->identity = arena_dup(&probing->arena, identity);
    if (!value_copy(&probing->arena, live, &probing->live, &err) || !next_round(probing)) {
        arena_free(&probing->arena);
        free(probing);
        return NULL;
    }
    return probing;
}

static bool may_probe(const struct reading *reading)
{
    const struct worker *worker = reading->worker;
    return worker->plugin && worker->stage == WORKER_READING && !worker->probe_suspected &&
           !worker->gave_up.len && !worker->pool->failed;
}

/* From a reading whose value is good. False: no verdict is to be had from it. */
static bool probing_start(struct reading *reading, const struct value *live)
{
    struct worker *worker = reading->worker;
    struct probing *probing = may_probe(reading) ? probing_new(reading, live) : NULL;
    if (!probing)
        return false;
    reading->shared->state = PROBE_RUNNING;
    probing->next = worker->probings;
    worker->probings = probing;
    worker->nprobings++;
    probing_send(probing);
    return true;
}

static void hold(struct reading *reading)
{
    struct provider_type *probe = reading->shared;
    reading->step = READING_HELD;
    reading->next = probe->held;
    probe->held = reading;
    probe->nheld++;
}

bool probing_hold(struct reading *reading, const struct value *live)
{
    struct provider_type *probe = reading->shared;
    if (probe->state == PROBE_DONE || pool_options(reading->worker)->no_probe)
        return false;
    /* Whoever was to be probed was lost when this one had begun and nobody was held yet: none may
     * begin any more. */
    if (probe->state == PROBE_NEEDED && !probe->target)
        probe->target = reading;
    if (probe->target != reading) {
        if (probe->nheld >= HELD_MAX)
            return false;
        hold(reading);
        return true;
    }
    hold(reading);
    if (!probing_start(reading, live))
        conclude(probe, may_probe(reading));
    return true;
}

/* Of the held ones the first in the order of the input, so that runs are alike. */
static struct reading *first_held(const struct provider_type *probe)
{
    struct reading *first = NULL;
    for (struct reading *r = probe->held; r; r = r->next)
        if (may_probe(r) && (!first || r->job < first->job))
            first = r;
    return first;
}

void probing_target_lost(struct reading *reading)
{
    struct provider_type *probe = reading->shared;
    struct err err = {0};
    struct value live;
    if (!probe || probe->target != reading || probe->state != PROBE_NEEDED)
        return;
    probe->target = NULL;
    struct reading *next = first_held(probe);
    if (!next && !probe->held)
        return; /* the next one that begins */
    probe->target = next;
    if (!next || !reading_decode_live(next, &live, &err) || !probing_start(next, &live))
        conclude(probe, false);
}
