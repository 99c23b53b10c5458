/* gate_call.c - POST /v1/gate, and the way to a decision that it shares with run tasks. */
#include "serve/gate_call.h"

#include <string.h>

#include "base/err.h"
#include "enforce/gate_record.h"
#include "record/record.h"
#include "serve/secrets.h"
#include "serve/server.h"

enum { GATE_ARENA_BYTES = 2000 << 20, ANSWER_BYTES = 64 << 20 };

/* What the last scan of the stack knew; nobody else may say which environment it is. */
static bool find_stack(struct arena *arena, struct record *record, struct stack *stack,
                       struct err *err)
{
    struct db_value param[] = {DB_PARAM_TEXT(stack->name)};
    return db_one_text(record->db, arena, "SELECT environment FROM stack WHERE name = $1", param, 1,
                       &stack->environment, err) ||
           (err->kind == ERR_NONE);
}

static bool decide(struct server *server, struct arena *arena, struct record *record,
                   const struct gate_call *call, struct gate_called *ret, struct err *err)
{
    const struct server_options *options = &server->options;
    struct stack stack = {.name = call->stack};
    struct gate_asking asking = {.stack = &stack,
                                 .plan = call->plan,
                                 .plan_name = "plan",
                                 .from_plan = true,
                                 .scan = {.config = options->config,
                                          .no_git = true,
                                          .policy = options->policy,
                                          .now_utc_ms = record_now(record)}};
    const struct gate_writing how = {.actor = call->actor};
    if (!find_stack(arena, record, &stack, err) || !gate_gather(arena, &asking, &ret->seen, err) ||
        !gate_add_record(arena, record, &ret->seen, err) ||
        !gate_decide(arena, &ret->seen.facts, options->config ? &options->config->gate : NULL,
                     &ret->decision, err))
        return false;
    ret->report = (struct gate_report){.seen = &ret->seen,
                                       .decision = &ret->decision,
                                       .plan = STR("request"),
                                       .store = arena_dup(arena, db_shown(record->db)),
                                       .event = -1};
    return digest_text_of(arena, call->plan, &ret->report.digest, err) &&
           gate_write_decision(arena, record, &how, &ret->report, err);
}

bool gate_call(struct server *server, struct arena *arena, const struct gate_call *call,
               struct gate_called *ret, struct err *err)
{
    struct record record = {0};
    *ret = (struct gate_called){0};
    if (!record_open(arena, &server->options.record, &record, err))
        return false;
    (void)pthread_mutex_lock(&server->gate_lock); /* a policy counts what it was asked */
    bool ok = decide(server, arena, &record, call, ret, err);
    (void)pthread_mutex_unlock(&server->gate_lock);
    record_close(&record);
    return ok;
}

/* --- the route --- */

/* A token of role plan, or the signature of who knows serve.gate.key. */
static bool known(const struct server *server, const struct request *request,
                  struct event_actor *ret)
{
    struct str key = server->options.gate_key;
    struct str signature = request_header(request, "x-hub-signature-256");
    if (request->who.role >= ROLE_PLAN) {
        *ret = (struct event_actor){request->who.name,
                                    request->who.token ? STR("token") : STR("none")};
        return true;
    }
    if (key.len == 0 || !str_starts(signature, STR("sha256=")) ||
        !secret_signed(SECRET_SHA256, key, request->body, str_sub(signature, 7, signature.len)))
        return false;
    *ret = (struct event_actor){STR("webhook"), STR("signature")};
    return true;
}

static void answer_decision(struct request *request, const struct gate_called *called,
                            struct str format)
{
    static const struct report_options how = {.tool_version = STR_INIT(PLUMB_VERSION)};
    struct buf body = {.limit = ANSWER_BYTES};
    struct err err = {0};
    bool json = str_equal(format, STR("json"));
    if (!gate_report_write(&body, &called->report, format, &how, &err) || !buf_ok(&body, &err)) {
        buf_free(&body);
        request_failed(request, &err);
        return;
    }
    struct answer answer = {.status = 200,
                            .type = json ? "application/json" : "text/plain; charset=utf-8",
                            .body = buf_view(&body),
                            .take_body = body.ptr};
    request_answer(request, &answer);
}

void gate_post(void *service, struct request *request)
{
    struct server *server = service;
    AUTO_ARENA arena = {.limit = GATE_ARENA_BYTES};
    struct gate_call call = {.plan = request->body};
    struct gate_called called;
    struct str format = STR("json");
    struct err err = {0};
    if (!known(server, request, &call.actor)) {
        request_problem(request, 401, "credential",
                        "a token of role plan is needed, or X-Hub-Signature-256 with the key "
                        "serve.gate.key");
        return;
    }
    (void)request_param(request, "format", &format);
    if (!request_param(request, "stack", &call.stack) || !state_name_good(call.stack)) {
        request_problem(request, 400, "stack", "?stack=NAME: of which stack is the plan?");
        return;
    }
    if (!request_may_touch(request, call.stack)) {
        request_problem(request, 403, "scope", "this token is not for that stack");
        return;
    }
    if (gate_call(server, &arena, &call, &called, &err))
        answer_decision(request, &called, format);
    else
        request_failed(request, &err);
}
