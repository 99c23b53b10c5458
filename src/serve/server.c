/* server.c - starting, stopping, and the table of what is served. */
#include "serve/server.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/tokens.h"
#include "serve/committer.h"
#include "serve/log.h"

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
     .text = "The state of a stack, or one version of it"},
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
     .text = "Lock the state, as Terraform and OpenTofu do"},
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
     .text = "Write the state, under the lock whose ID is a parameter"},
    {.method = "PUT",
     .path = STATE,
     .role = ROLE_APPLY,
     .body_max = STATE_BYTES_MAX,
     .answer = states_post,
     .text = "The same, for update_method = PUT"},
    {.method = "DELETE",
     .path = STATE,
     .role = ROLE_ADMIN,
     .quick = true,
     .answer = states_remove,
     .text = "Delete the state; its versions stay"},
};

const struct listener_route *server_routes(size_t *ret_n)
{
    *ret_n = sizeof routes / sizeof *routes;
    return routes;
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

bool server_start(struct server *ret, const struct server_options *options, struct err *err)
{
    *ret = (struct server){.options = *options};
    struct listener *listener = NULL;
    struct listener_options listening = options->listener;
    struct committer_options committing = {
        .record = &ret->options.record, .tick = refresh_tokens, .ctx = ret};
    listening.route = server_routes(&listening.nroutes);
    listening.service = ret;
    listening.log = options->log;
    listening.tokens = first_tokens(ret, err);
    if (!listening.tokens)
        return false;
    ret->ntokens = listening.tokens->n;
    if (!committer_open(&ret->committer, &committing, err)) {
        token_set_free(listening.tokens);
        return false;
    }
    if (!listener_start(&listener, &listening, err)) {
        committer_close(ret->committer);
        return false;
    }
    ret->listener = listener;
    return true;
}

bool server_stop(struct server *server, int wait_ms)
{
    struct listener *listener = server->listener;
    bool done = listener_drain(listener, wait_ms);
    committer_close(server->committer);
    listener_stop(listener);
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
