/* server.c - the parts of one configuration, and the table of what is served. */
#include "serve/server.h"
#include "respond/routes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/warm.h"
#include "model/config.h"
#include "record/audit_checkpoint.h"
#include "record/tokens.h"
#include "serve/alerter.h"
#include "serve/committer.h"
#include "serve/feeds.h"
#include "serve/heartbeat.h"
#include "serve/log.h"
#include "serve/run_task.h"
#include "serve/scheduler.h"
#include "serve/streams.h"

enum { WHY_BYTES = 16 << 10, BEAT_MS = 60000 };

static void answer_well(struct request *request)
{
    const struct answer answer = {
        .status = 200, .type = "application/json", .body = STR("{\"status\":\"ok\"}\n")};
    request_answer(request, &answer);
}

static void health(void *service, struct request *request)
{
    const struct server *server = service;
    AUTO_BUF why = {.limit = WHY_BYTES};
    if (hub_is_alive(server->hub, &why))
        answer_well(request);
    else
        request_problem(request, 503, "not-alive", "%.*s", STR_ARG(buf_view(&why)));
}

static void ready(void *service, struct request *request)
{
    const struct server *server = service;
    AUTO_BUF why = {.limit = WHY_BYTES};
    bool alive = hub_is_alive(server->hub, &why);
    bool store = committer_is_well(server->committer);
    if (!store)
        buf_printf(&why, "%sthe store cannot be written", why.len ? "; " : "");
    if (hub_is_well(server->hub, &why) && alive && store)
        answer_well(request);
    else
        request_problem(request, 503, store ? "not-ready" : "store", "%.*s",
                        STR_ARG(buf_view(&why)));
}

#define LOCK_BODY LOCKINFO_BYTES_MAX
#define STATE "/v1/states/*"
#define PLAN_BODY (256u << 20)
#define EVENTS_BODY (8u << 20)
#define RUN_TASK_BODY (64u << 10)
#define PUSH_BODY (1u << 20)

static const struct route_parameter state_parameters[] = {
    {.name = "version", .text = "this version instead of the current one"}, {0}};
static const struct route_parameter lock_parameters[] = {
    {.name = "approval", .text = "a one-time approval of the gate"}, {0}};
static const struct route_parameter write_parameters[] = {
    {.name = "ID", .required = true, .text = "of the lock that it is written under"}, {0}};
static const struct route_parameter gate_parameters[] = {
    {.name = "stack", .required = true, .text = "the stack that the plan is of"},
    {.name = "format", .text = "of the answer: json, text or markdown"},
    {0}};

static const struct route_parameter finding_parameters[] = {
    {.name = "stack", .many = true, .text = "only of this stack; may be repeated"},
    {.name = "class", .text = "only these classes, with commas between"},
    {.name = "severity", .text = "only of this severity or worse"},
    {.name = "status",
     .text =
         "only these, with commas between; open (new, recurring, changed, reopened) without it; "
         "also overdue and all"},
    {.name = "since", .text = "what became what it is since then, newest first: 24h, 2026-11-22"},
    {.name = "limit", .text = "at most so many, 1 to 1000; 100 without it"},
    {.name = "offset", .text = "leave out the first; the Link header has the next page"},
    {0}};
static const struct route_parameter one_finding_parameters[] = {
    {.name = "stack", .text = "of this stack, where several have one of that name"}, {0}};
static const struct route_parameter run_parameters[] = {
    {.name = "stack", .text = "only of this stack"},
    {.name = "limit", .text = "at most so many, 1 to 1000; 100 without it"},
    {.name = "offset", .text = "leave out the first; the Link header has the next page"},
    {0}};
static const struct route_parameter event_parameters[] = {
    {.name = "type", .text = "only these, globs with commas between: finding.*,scan.end"},
    {.name = "stack", .text = "only of this stack; a glob"},
    {.name = "after", .text = "go on behind this event's number, as Last-Event-ID does"},
    {0}};

static const struct listener_route routes[] = {
    {.method = "GET",
     .path = "/healthz",
     .open = true,
     .quick = true,
     .answer = health,
     .text = "Does the process live, with all of its parts?"},
    {.method = "GET",
     .path = "/readyz",
     .open = true,
     .quick = true,
     .answer = ready,
     .text = "Can it do its work: can the store be written, and what do its parts say?"},
    {.method = "GET",
     .path = "/v1/states",
     .role = ROLE_READ,
     .answer = states_get_list,
     .text = "All states with their versions and locks"},
    {.method = "GET",
     .path = STATE,
     .role = ROLE_READ,
     .answer = states_get_state,
     .text = "The state of a stack, or one version of it",
     .parameter = state_parameters},
    {.method = "GET",
     .path = "/v1/versions/*",
     .role = ROLE_READ,
     .answer = states_get_versions,
     .text = "The versions of a stack's state"},
    {.method = "LOCK",
     .path = STATE,
     .role = ROLE_PLAN,
     .quick = true,
     .body_max = LOCK_BODY,
     .answer = states_lock,
     .text = "Lock the state, as Terraform and OpenTofu do",
     .parameter = lock_parameters},
    {.method = "UNLOCK",
     .path = STATE,
     .role = ROLE_PLAN,
     .quick = true,
     .body_max = LOCK_BODY,
     .answer = states_unlock,
     .text = "Give the lock back"},
    {.method = "POST",
     .path = STATE,
     .role = ROLE_APPLY,
     .body_max = STATE_BYTES_MAX,
     .answer = states_post,
     .text = "Write the state, under the lock whose ID is a parameter",
     .parameter = write_parameters},
    {.method = "PUT",
     .path = STATE,
     .role = ROLE_APPLY,
     .body_max = STATE_BYTES_MAX,
     .answer = states_post,
     .text = "The same, for update_method = PUT",
     .parameter = write_parameters},
    {.method = "DELETE",
     .path = STATE,
     .role = ROLE_ADMIN,
     .quick = true,
     .answer = states_remove,
     .text = "Delete the state; its versions stay"},
    {.method = "POST",
     .path = "/v1/gate",
     .open = true,
     .body_max = PLAN_BODY,
     .answer = gate_post,
     .signs = "bearer,basic,X-Hub-Signature-256",
     .parameter = gate_parameters,
     .text = "May this plan (JSON) be applied? By token of role plan, or signed"},
    {.method = "POST",
     .path = "/v1/events",
     .open = true,
     .body_max = EVENTS_BODY,
     .answer = events_post,
     .kept = 202,
     .signs = "bearer,basic,X-Hub-Signature-256,webhook-signature,X-Api-Key",
     .takes = "application/json,application/cloudevents+json,application/cloudevents-batch+json,"
              "application/x-ndjson,application/gzip,*/*",
     .body = "Told by what it is, not by its type: one event, an array, lines of JSON, a file of "
             "CloudTrail, an envelope of a cloud or of CloudEvents (in binary mode its headers "
             "say what it is), or gzip of these, also as Content-Encoding",
     .text = "Events of a cloud's log; 202: they are kept. By token of role events, or signed"},
    {.method = "OPTIONS",
     .path = "/v1/events",
     .open = true,
     .quick = true,
     .answer = events_options,
     .text = "The handshake of CloudEvents' webhooks"},
    {.method = "POST",
     .path = "/v1/run-tasks",
     .open = true,
     .body_max = RUN_TASK_BODY,
     .answer = run_task_post,
     .signs = "X-Tfc-Task-Signature",
     .text = "A run task of HCP Terraform, signed; stack = workspace_name"},
    {.method = "POST",
     .path = "/v1/run-tasks/*",
     .open = true,
     .body_max = RUN_TASK_BODY,
     .answer = run_task_post,
     .signs = "X-Tfc-Task-Signature",
     .text = "A run task of HCP Terraform, signed, for that stack"},
    {.method = "GET",
     .path = "/v1/stacks",
     .role = ROLE_READ,
     .answer = api_get_stacks,
     .schema = "status",
     .text = "How every stack stands, as plumb status tells"},
    {.method = "GET",
     .path = "/v1/stacks/*",
     .role = ROLE_READ,
     .answer = api_get_stack,
     .schema = "stack_show",
     .text = "How a stack stands"},
    {.method = "GET",
     .path = "/v1/findings",
     .role = ROLE_READ,
     .answer = api_get_findings,
     .parameter = finding_parameters,
     .schema = "findings",
     .text = "Findings, open and most severe first, as plumb findings tells"},
    {.method = "GET",
     .path = "/v1/findings/*",
     .role = ROLE_READ,
     .answer = api_get_finding,
     .parameter = one_finding_parameters,
     .schema = "finding_show",
     .rest = "fingerprint",
     .text = "A finding with its history, as plumb finding show tells"},
    {.method = "GET",
     .path = "/v1/runs",
     .role = ROLE_READ,
     .answer = api_get_runs,
     .parameter = run_parameters,
     .schema = "runs",
     .text = "Scans, newest first"},
    {.method = "GET",
     .path = "/v1/events",
     .role = ROLE_READ,
     .answer = streams_get,
     .parameter = event_parameters,
     .gives = "text/event-stream",
     .text = "The audit log as it grows: server-sent events"},
    {.method = "GET",
     .path = "/metrics",
     .role = ROLE_READ,
     .answer = metrics_get,
     .gives = "text/plain",
     .text = "Figures for Prometheus, as text 0.0.4 or OpenMetrics 1.0 (by Accept)"},
    {.method = "POST",
     .path = "/v1/push",
     .open = true,
     .body_max = PUSH_BODY,
     .answer = feeds_push,
     .kept = 202,
     .signs = "X-Hub-Signature-256,X-Gitlab-Token,webhook-signature",
     .text = "A webhook of GitHub, GitLab and others, signed: the branch is fetched"},
    {.method = "GET",
     .path = "/v1/openapi.json",
     .open = true,
     .quick = true,
     .answer = openapi_get,
     .text = "This description"},
};

/* What is asked of another backend is waited for: never on the thread that moves bytes. */
static const struct {
    const char *method;
    void (*answer)(void *service, struct request *request);
} behind[] = {{"GET", upstream_get},    {"LOCK", upstream_lock}, {"UNLOCK", upstream_unlock},
              {"POST", upstream_write}, {"PUT", upstream_write}, {"DELETE", upstream_delete}};

static void make_routes(struct server *server)
{
    static_assert(sizeof routes / sizeof *routes <= SERVER_ROUTES_MAX, "room for all routes");
    size_t n = sizeof routes / sizeof *routes;
    for (size_t i = 0; i < n; i++) {
        struct listener_route *route = &server->route[i];
        *route = routes[i];
        if (route->answer == gate_post && server->options.gate_key.len == 0) {
            route->open = false; /* nothing is signed: a token is asked for before the body */
            route->role = ROLE_PLAN;
        }
        if (route->answer == events_post && server->options.events_key.len == 0 &&
            server->options.events_oidc.audience.len == 0) {
            route->open = false;
            route->role = ROLE_EVENTS;
        }
        route->open |= route->answer == metrics_get && server->options.metrics_open;
        if (server->options.upstream.address.len == 0 || strcmp(route->path, STATE) != 0)
            continue;
        for (size_t k = 0; k < sizeof behind / sizeof *behind; k++)
            if (strcmp(route->method, behind[k].method) == 0)
                route->answer = behind[k].answer;
        route->quick = false;
    }
    server->nroutes = n;
}

static struct token_set *read_tokens(struct record *record, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct token *token = NULL;
    size_t n = 0;
    if (!token_list(&arena, record->db, &token, &n, err))
        return NULL;
    struct token_set *set = token_set_make(token, n, record_now(record));
    if (!set)
        (void)err_set(err, ERR_LIMIT, "out of memory");
    return set;
}

/* Tokens that were made or revoked elsewhere count within a second. */
static void refresh_tokens(void *ctx, struct record *record)
{
    struct server *server = ctx;
    struct listener *listener = server->listener;
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    struct token_set *set = listener ? read_tokens(record, &err) : NULL;
    hub_beat(server->hub, PART_COMMITTER, BEAT_MS);
    hub_trouble(server->hub, PART_COMMITTER,
                listener && !set ? "tokens cannot be read from the store" : NULL);
    if (set)
        listener_set_tokens(listener, set);
    else if (listener) /* those that are known stay; they end by their own time */
        LOG(server->options.log, LOG_ERROR, "auth", "tokens cannot be read",
            LOG_TEXT("error", str_from(err_text(&err, text, sizeof text))));
}

static void warn_of_log(void *ctx, const char *text)
{
    const struct server *server = ctx;
    LOG(server->options.log, LOG_WARN, "audit", "no checkpoint, or a witness did not get it",
        LOG_TEXT("error", str_from(text)));
}

struct token_set *server_tokens(struct server *server, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    if (!record_open(&arena, &server->options.record, &record, err))
        return NULL;
    struct token_set *set = read_tokens(&record, err);
    record_close(&record);
    return set;
}

/* --- traces --- */

void server_began(void *service, struct request *request)
{
    struct server *server = service;
    telemetry_begin(server_telemetry(server), NULL, request_header(request, "traceparent"),
                    &request->span);
}

void server_done(void *service, const struct request *request, unsigned status)
{
    struct server *server = service;
    const struct listener_route *route = request->route;
    AUTO_BUF name = {.limit = 200};
    if (!telemetry_is_on(server_telemetry(server)))
        return;
    const struct log_field attribute[] = {
        LOG_TEXT("http.request.method", request->method),
        LOG_TEXT("http.route", str_from(route ? route->path : "")),
        LOG_TEXT("url.path", request->path),
        LOG_TEXT("url.scheme", listener_has_tls(server->listener) ? STR("https") : STR("http")),
        LOG_NUMBER("http.response.status_code", status),
        LOG_TEXT("client.address", request->peer),
        LOG_TEXT("enduser.id", request->who.name),
    };
    buf_printf(&name, "%s %s", route ? route->method : "HTTP", route ? route->path : "other");
    buf_char(&name, '\0');
    telemetry_end(server_telemetry(server), &request->span, name.failed ? "HTTP" : name.ptr,
                  SPAN_SERVER, attribute, sizeof attribute / sizeof *attribute,
                  status >= 500 ? "the service failed"
                  : status == 0 ? "broken off before an answer"
                                : NULL);
}

/* --- parts --- */

static bool part_committer_open(struct committer **ret, struct server *server, struct err *err)
{
    const struct committer_options options = {
        .record = &server->options.record, .tick = refresh_tokens, .ctx = server};
    return committer_open(ret, &options, err);
}

static bool part_settler_open(struct audit_settler **ret, struct server *server, struct err *err)
{
    return audit_settler_open(ret, &server->options.record, warn_of_log, server, err);
}

static bool part_warm_open(struct warm **ret, struct server *server, struct err *err)
{
    const struct config_feeds none = {0};
    const struct config_feeds *given =
        server->options.config ? &server->options.config->serve.feeds : &none;
    const struct warm_options options = {.most = (unsigned)given->warm_processes,
                                         .most_memory = (uint64_t)given->warm_memory,
                                         .apart = given->warm_apart,
                                         .share = given->warm_share,
                                         .nshare = given->nwarm_share,
                                         .idle_ms = given->warm_idle_ms,
                                         .age_ms = given->warm_age_ms};
    return given->warm_off || warm_open(&options, ret, err);
}

#define X(constant, type, member, open, close, until) \
    static bool open_##member(struct server *server, struct err *err) \
    { \
        return open(&server->member, server, err); \
    } \
    static bool has_##member(const struct server *server) \
    { \
        return server->member != NULL; \
    } \
    static void close_##member(struct server *server) \
    { \
        close(server->member); \
        server->member = NULL; \
    }
PARTS(X)
#undef X

static const struct {
    bool (*open)(struct server *server, struct err *err);
    bool (*is_open)(const struct server *server);
    void (*close)(struct server *server);
    enum part_until until;
} parts[] = {
#define X(constant, type, member, open, close, until) \
    {open_##member, has_##member, close_##member, until},
    PARTS(X)
#undef X
};

static void close_parts(struct server *server, enum part_until until)
{
    for (size_t i = PART_COUNT; i-- > 0;)
        if (parts[i].until == until && parts[i].is_open(server)) {
            parts[i].close(server);
            hub_trouble(server->hub, (enum part)i, NULL);
            hub_beat(server->hub, (enum part)i, 0);
        }
}

static bool open_parts(struct server *server, struct err *err)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (!parts[i].is_open(server) && !parts[i].open(server, err))
            return err_wrap(err, "%s", part_name((enum part)i));
    return true;
}

void server_release(const struct server_options *options)
{
    if (options->release)
        options->release(options->owner);
}

static bool open_oidc(struct oidc **ret, const struct server_options *options, struct err *err)
{
    const struct config none = {0}, *config = options->config ? options->config : &none;
    return !options->events_oidc.audience.len || oidc_open(ret, &options->events_oidc, err) ||
           config_blame(config, "events.oidc.keys", err);
}

/* Once, by the first. What is gone later (a disk that is not mounted any more) comes back, or a
 * person says what is to become of it: no empty store takes its place. */
static bool open_store(struct server *server, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record;
    server->options.record.there = server->listener != NULL;
    if (!record_open(&arena, &server->options.record, &record, err))
        return false;
    record_close(&record);
    server->options.record.there = true;
    return true;
}

bool server_open(struct server **ret, struct hub *hub, struct listener *listener,
                 const struct server_options *options, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        server_release(options);
        return err_set(err, ERR_LIMIT, "out of memory");
    }
    server->options = *options;
    server->hub = hub;
    server->listener = listener;
    (void)pthread_mutex_init(&server->gate_lock, NULL);
    (void)pthread_mutex_init(&server->write_turn, NULL);
    server->options.record.turn = &server->write_turn;
    make_routes(server);
    if (!open_store(server, err) || !open_oidc(&server->oidc, options, err) ||
        !open_parts(server, err)) {
        server_close(server);
        return false;
    }
    *ret = server;
    return true;
}

bool server_check_oidc(const struct server_options *options, struct err *err)
{
    struct oidc *oidc = NULL;
    if (!open_oidc(&oidc, options, err))
        return false;
    oidc_close(oidc);
    return true;
}

static bool check_receivers(const struct server_options *options, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct routes to;
    bool absent;
    if (!routes_open(&arena, options->config, &to, err))
        return false;
    for (size_t i = 0; i < to.n; i++)
        if (!route_check(&to, &to.item[i], options->config->root, options->record.env, &absent,
                         err))
            return false;
    return true;
}

bool server_check(const struct server_options *options, struct err *err)
{
    return (!options->config || check_receivers(options, err)) && server_check_oidc(options, err);
}

void server_close_parts(struct server *server)
{
    close_parts(server, PART_WORKS);
    close_parts(server, PART_SERVES);
}

void server_close(struct server *server)
{
    if (!server)
        return;
    server_close_parts(server);
    alerter_close(server->sending);
    oidc_close(server->oidc);
    (void)pthread_mutex_destroy(&server->gate_lock);
    (void)pthread_mutex_destroy(&server->write_turn);
    server_release(&server->options);
    free(server);
}

void server_rest(struct server *server)
{
    server->leaving = true;
    server->resting = true;
    server->rests++;
    server_wake(server);
    if (server->alerter) {
        alerter_rest(server->alerter);
        alerter_close(server->sending); /* of a rest before, with the same configuration */
        server->sending = server->alerter;
        server->alerter = NULL;
    }
    close_parts(server, PART_WORKS);
}

bool server_is_done(const struct server *server)
{
    return alerter_is_done(server->sending);
}

bool server_resume(struct server *server, struct err *err)
{
    server->leaving = false;
    server->resting = !open_parts(server, err);
    return !server->resting;
}

bool server_read(struct server *server, struct request *request, struct record *ret)
{
    struct err err = {0};
    struct record_options options = server->options.record;
    options.read_only = true;
    if (record_open(&request->arena, &options, ret, &err))
        return true;
    request_failed(request, &err);
    return false;
}
