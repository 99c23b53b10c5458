/* events_call.c - POST /v1/events: events of clouds' logs, durable before they are answered.
 *
 * Who:     a token of role events, or of plan and above; or who has events.key:
 *          X-Hub-Signature-256, Standard Webhooks, or the key itself as X-Api-Key (EventBridge's
 *          API destinations); or a token of events.oidc (Pub/Sub's push subscriptions)
 * Source:  CloudEvents HTTP webhook 1.0.2; Standard Webhooks; Event Grid's validation handshake
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/err.h"
#include "live/feed.h"
#include "model/config.h"
#include "record/activity.h"
#include "serve/committer.h"
#include "serve/feeds_parts.h"
#include "serve/log.h"
#include "serve/oidc.h"
#include "serve/server.h"
#include "wire/json.h"

enum {
    EVENTS_MOST = 1000,       /* of one request: they are one transaction */
    WAITING_MOST = 64,        /* requests */
    READ_BYTES = 128 << 20,   /* what a body takes when it is read: EVENTS_BODY of small values */
    WAITING_BYTES = 384 << 20 /* of all that wait */
};

/* --- who --- */

/* Bearer: of Google's Pub/Sub, and of others whose issuer has keys. */
static bool has_token(const struct server *server, struct request *request, int64_t now)
{
    struct str header = str_trim(request_header(request, "authorization")), scheme, email;
    struct err why = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (!server->oidc || !str_cut(&header, ' ', &scheme) || scheme.len != 6 ||
        strncasecmp(scheme.ptr, "bearer", 6) != 0)
        return false;
    if (oidc_check(server->oidc, &request->arena, str_trim(header), now, &email, &why)) {
        request->who.name = email;
        return true;
    }
    LOG(server->options.log, LOG_WARN, "auth", "refused",
        LOG_TEXT("error", str_from(err_text(&why, text, sizeof text))),
        LOG_TEXT("peer", request->peer));
    return false;
}

static bool may_send(const struct server *server, struct request *request)
{
    const struct record_options *options = &server->options.record;
    const struct push_headers headers = {
        .github = request_header(request, "x-hub-signature-256"),
        .gitlab = request_header(request, "x-api-key"), /* the key itself, as X-Gitlab-Token is */
        .id = request_header(request, "webhook-id"),
        .timestamp = request_header(request, "webhook-timestamp"),
        .signature = request_header(request, "webhook-signature")};
    int64_t now = options->now_ms ? options->now_ms(options->clock) : clock_wall_ms();
    return request->who.role == ROLE_EVENTS || request->who.role >= ROLE_PLAN ||
           push_is_signed(&headers, server->options.events_key, request->body, now) ||
           has_token(server, request, now);
}

/* --- recording --- */

struct events_job {
    struct commit_job job;
    struct server *server;
    struct request *request;
    struct activity_rules rules;
    size_t bytes; /* of the request's arena, in events_bytes */
    struct feed feed;
    struct activity_done done;
};

static bool on_run(struct commit_job *commit, struct record *record, struct event *ret_event,
                   bool *ret_has_event, struct err *err)
{
    struct events_job *job = (struct events_job *)(void *)commit;
    (void)ret_event;
    *ret_has_event = false;
    job->done = (struct activity_done){0}; /* it may be the second time */
    return activity_add(record, &job->rules, job->feed.event, job->feed.n, &job->done, err);
}

static void count(struct events_job *job)
{
    struct metrics *metrics = server_metrics(job->server);
    struct str source = job->feed.n ? job->feed.event[0].source : STR("");
    for (int i = 0; i < ACTIVITY_RESULT_COUNT; i++)
        if (job->done.count[i])
            metrics_add(metrics, METRIC_EVENTS,
                        LABELS(source, str_from(activity_result_name((enum activity_result)i))),
                        (double)job->done.count[i]);
    int64_t lag = clock_wall_ms() - job->done.newest_utc_ms;
    if (job->done.newest_utc_ms && lag >= 0)
        metrics_observe(metrics, METRIC_EVENT_LAG, LABELS(source), (double)lag / 1000.0);
}

static void answer_done(struct events_job *job)
{
    struct buf body = {.limit = 4096};
    struct jsonw w = {.out = &body};
    jsonw_object_open(&w);
    for (int i = 0; i < ACTIVITY_RESULT_COUNT; i++)
        jsonw_member_int(&w, str_from(activity_result_name((enum activity_result)i)),
                         (int64_t)job->done.count[i]);
    jsonw_member_int(&w, STR("unknown"), (int64_t)job->feed.unknown);
    jsonw_member_int(&w, STR("touched"), (int64_t)job->done.touched);
    jsonw_member_int(&w, STR("stacks"), (int64_t)job->done.whole);
    jsonw_member_int(&w, STR("cut"), (int64_t)job->done.cut);
    jsonw_object_close(&w);
    buf_char(&body, '\n');
    const struct answer answer = {
        .status = 202, .type = "application/json", .body = buf_view(&body), .take_body = body.ptr};
    request_answer(job->request, &answer);
}

static void stop_waiting(struct server *server, size_t bytes)
{
    atomic_fetch_sub(&server->events_waiting, 1);
    atomic_fetch_sub(&server->events_bytes, bytes);
}

/* False: there are enough already. */
static bool begin_waiting(struct server *server, size_t bytes)
{
    unsigned n = atomic_fetch_add(&server->events_waiting, 1);
    size_t held = atomic_fetch_add(&server->events_bytes, bytes);
    if (n < WAITING_MOST && (!n || held + bytes <= WAITING_BYTES))
        return true;
    stop_waiting(server, bytes);
    return false;
}

static void on_done(struct commit_job *commit, const struct err *failed)
{
    struct events_job *job = (struct events_job *)(void *)commit;
    struct server *server = job->server;
    uint64_t touched = failed ? 0 : job->done.touched + job->done.whole;
    bool all = touched > 1; /* somebody scans, perhaps several at once; or tells of an attack */
    for (size_t i = 0; !failed && i < job->feed.n; i++)
        all |= job->feed.event[i].attack;
    stop_waiting(server, job->bytes);
    if (failed) {
        request_failed(job->request, failed);
    } else {
        count(job);
        if (job->done.whole || job->done.cut)
            LOG(server->options.log, LOG_WARN, "events",
                "more than can be told one by one: stacks are scanned in whole",
                LOG_NUMBER("stacks", (int64_t)job->done.whole),
                LOG_NUMBER("events_cut", (int64_t)job->done.cut));
        answer_done(job);
    }
    if (all) /* the job went with its request */
        server_wake(server);
    else if (touched)
        hub_wake_for_touch(server->hub);
}

/* --- the request --- */

static struct str header_of(const void *ctx, const char *name)
{
    return request_header(ctx, name);
}

/* Event Grid asks once whether somebody is there who wants its events. */
static void answer_validation(struct request *request, struct str code)
{
    struct buf body = {.limit = 4096};
    struct jsonw w = {.out = &body};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("validationResponse"), code);
    jsonw_object_close(&w);
    const struct answer answer = {
        .status = 200, .type = "application/json", .body = buf_view(&body), .take_body = body.ptr};
    request_answer(request, &answer);
}

/* gzip is known by its first bytes, said or not. What else a body may be packed in is told from
 * one that is damaged. */
static bool is_readable(struct request *request)
{
    static const char *const known[] = {"identity", "gzip", "x-gzip"};
    struct str coding = str_trim(request_header(request, "content-encoding"));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!coding.len ||
            (coding.len == strlen(known[i]) && strncasecmp(coding.ptr, known[i], coding.len) == 0))
            return true;
    request_problem(request, 415, "encoding",
                    "bodies are read as they are, or in gzip: no other Content-Encoding");
    return false;
}

void events_post(void *service, struct request *request)
{
    struct server *server = service;
    struct err err = {0};
    char why[ERR_TEXT_MAX];
    const struct feed_from from = {.name = "body", .header = header_of, .ctx = request};
    if (!may_send(server, request)) {
        request_problem(request, 401, "credential",
                        "a token of role events is needed, or a signature with events.key "
                        "(webhook-signature, X-Hub-Signature-256), that key as X-Api-Key, or an "
                        "OpenID Connect token as events.oidc has it");
        return;
    }
    request->arena.limit = READ_BYTES;
    struct events_job *job = arena_new(&request->arena, struct events_job, 1);
    if (!job) {
        request_problem(request, 503, "busy", "out of memory");
        return;
    }
    if (!is_readable(request))
        return;
    if (!feed_read(&request->arena, request->body, &from, &job->feed, &err)) {
        if (err.kind == ERR_LIMIT) /* nothing that the same request can wait for */
            request_problem(request, 413, "events", "%s: send them in parts",
                            err_text(&err, why, sizeof why));
        else
            request_failed(request, &err);
        return;
    }
    if (job->feed.validation.len) {
        answer_validation(request, job->feed.validation);
        return;
    }
    if (job->feed.n > EVENTS_MOST) {
        request_problem(request, 413, "events",
                        "more than %d events: send them in parts, or give "
                        "the file to plumb events add",
                        EVENTS_MOST);
        return;
    }
    job->bytes = request->arena.used;
    if (!begin_waiting(server, job->bytes)) {
        request_problem(request, 429, "busy",
                        "events come faster than they are written: send it again");
        return;
    }
    job->job = (struct commit_job){.run = on_run, .done = on_done};
    job->server = server;
    job->request = request;
    if (server->options.config)
        job->rules = activity_rules_of(&server->options.config->events);
    job->rules.stacks = request->who.stacks;
    char trace[TELEMETRY_PARENT];
    job->rules.trace = arena_dup(&request->arena, telemetry_traceparent(&request->span, trace));
    committer_add(server->committer, &job->job);
}

/* CloudEvents: may this origin send here? Whoever has a credential may. */
void events_options(void *service, struct request *request)
{
    struct str origin = request_header(request, "webhook-request-origin");
    char kept[256];
    (void)service;
    (void)snprintf(kept, sizeof kept, "%.*s", STR_ARG(origin.len ? origin : STR("*")));
    const struct answer answer = {.status = 200,
                                  .header = {{"Allow", "POST, OPTIONS"},
                                             {"WebHook-Allowed-Origin", kept},
                                             {"WebHook-Allowed-Rate", "*"}}};
    request_answer(request, &answer);
}
