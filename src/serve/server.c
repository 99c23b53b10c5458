/* server.c - starting, stopping, and the table of what is served. */
#include "serve/server.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit_checkpoint.h"
#include "record/tokens.h"
#include "serve/committer.h"
#include "serve/log.h"
#include "serve/run_task.h"

static void health(void *service, struct request *request)
{
    struct answer answer = {
        .status = 200, .type = "application/json", .body = STR("{\"status\":\"ok\"}\n")};
    (void)service;
    request_answer(request, &answer);
}

static void ready(void *service, struct request *request)
{
    const struct server *server = service;
    if (!committer_is_well(server->committer)) {
        request_problem(request, 503, "store", "the store cannot be written");
        return;
    }
    health(service, request);
}

#define LOCK_BODY LOCKINFO_BYTES_MAX
#define STATE "/v1/states/*"
#define PLAN_BODY (256u << 20)
#define RUN_TASK_BODY (64u << 10)

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

static const struct listener_route routes[] = {
    {.method = "GET",
     .path = "/healthz",
     .open = true,
     .quick = true,
     .answer = health,
     .text = "Is the process there?"},
    {.method = "GET",
     .path = "/readyz",
     .open = true,
     .quick = true,
     .answer = ready,
     .text = "Can it do its work: can the store be written?"},
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
     .parameter = gate_parameters,
     .text = "May this plan (JSON) be applied? By token of role plan, or signed"},
    {.method = "POST",
     .path = "/v1/run-tasks",
     .open = true,
     .body_max = RUN_TASK_BODY,
     .answer = run_task_post,
     .text = "A run task of HCP Terraform, signed; stack = workspace_name"},
    {.method = "POST",
     .path = "/v1/run-tasks/*",
     .open = true,
     .body_max = RUN_TASK_BODY,
     .answer = run_task_post,
     .text = "A run task of HCP Terraform, signed, for that stack"},
    {.method = "GET",
     .path = "/metrics",
     .role = ROLE_READ,
     .answer = metrics_get,
     .gives = "text/plain",
     .text = "Figures for Prometheus, as text 0.0.4 or OpenMetrics 1.0 (by Accept)"},
    {.method = "GET",
     .path = "/v1/openapi.json",
     .open = true,
     .quick = true,
     .answer = openapi_get,
     .text = "This description"},
};

const struct listener_route *server_routes(size_t *ret_n)
{
    *ret_n = sizeof routes / sizeof *routes;
    return routes;
}

/* What is asked of another backend is waited for: never on the thread that moves bytes. */
static const struct {
    const char *method;
    void (*answer)(void *service, struct request *request);
} behind[] = {{"GET", upstream_get},    {"LOCK", upstream_lock}, {"UNLOCK", upstream_unlock},
              {"POST", upstream_write}, {"PUT", upstream_write}, {"DELETE", upstream_delete}};

static size_t make_routes(struct server *server)
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
        route->open |= route->answer == metrics_get && server->options.metrics_open;
        if (server->options.upstream.address.len == 0 || strcmp(route->path, STATE) != 0)
            continue;
        for (size_t k = 0; k < sizeof behind / sizeof *behind; k++)
            if (strcmp(route->method, behind[k].method) == 0)
                route->answer = behind[k].answer;
        route->quick = false;
    }
    return n;
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

static struct token_set *first_tokens(struct server *server, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    if (!record_open(&arena, &server->options.record, &record, err))
        return NULL;
    struct token_set *set = read_tokens(&record, err);
    record_close(&record);
    return set;
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

#define X(constant, type, member, open, close, until) \
    static bool open_##member(struct server *server, struct err *err) \
    { \
        return open(&server->member, server, err); \
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
    void (*close)(struct server *server);
    enum part_until until;
} parts[] = {
#define X(constant, type, member, open, close, until) {open_##member, close_##member, until},
    PARTS(X)
#undef X
};

static void close_parts(struct server *server, enum part_until until)
{
    for (size_t i = PART_COUNT; i-- > 0;)
        if (parts[i].until == until)
            parts[i].close(server);
}

static void dispose(struct server *server)
{
    close_parts(server, PART_WORKS);
    close_parts(server, PART_SERVES);
    (void)pthread_mutex_destroy(&server->gate_lock);
    hub_close(server->hub);
    server->hub = NULL;
}

static bool open_parts(struct server *server, struct err *err)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        if (!parts[i].open(server, err))
            return false;
    return true;
}

bool server_start(struct server *ret, const struct server_options *options, struct err *err)
{
    *ret = (struct server){.options = *options};
    struct listener *listener = NULL;
    struct listener_options listening = options->listener;
    listening.route = ret->route;
    listening.nroutes = make_routes(ret);
    listening.service = ret;
    listening.log = options->log;
    listening.tokens = first_tokens(ret, err);
    if (!listening.tokens)
        return false;
    ret->ntokens = listening.tokens->n;
    (void)pthread_mutex_init(&ret->gate_lock, NULL);
    if (!hub_open(&ret->hub, err) || !open_parts(ret, err)) {
        token_set_free(listening.tokens);
        dispose(ret);
        return false;
    }
    if (!listener_start(&listener, &listening, err)) {
        dispose(ret);
        return false;
    }
    ret->listener = listener;
    return true;
}

bool server_stop(struct server *server, int wait_ms)
{
    struct listener *listener = server->listener;
    bool done = listener_drain(listener, wait_ms);
    listener_halt(listener); /* nothing comes to the parts any more */
    close_parts(server, PART_WORKS);
    close_parts(server, PART_SERVES);
    listener_stop(listener); /* counts until its last connection ends */
    dispose(server);
    return done;
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
