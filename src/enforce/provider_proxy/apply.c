/* apply.c - a change on its way to a provider: asked about, then passed on or refused. */
#include <string.h>

#include "base/err.h"
#include "enforce/provider_proxy/message.h"
#include "enforce/provider_proxy/parts.h"

enum { JUDGE_MEMORY = 1 << 30, PERMISSION_DENIED = 7, INVALID_ARGUMENT = 3 };

static bool is_null(struct str msgpack)
{
    return !msgpack.len || msgpack.ptr[0] == '\xc0';
}

static void refuse(struct call *call, const struct apply_request *request,
                   const struct guard_answer *answer)
{
    AUTO_BUF out = {.limit = PROXY_REQUEST_MAX};
    struct str summary = answer->summary.len ? answer->summary : STR("Refused by plumb");
    struct str detail = answer->detail.len ? answer->detail
                                           : STR("plumb could not decide whether this change may "
                                                 "be made, and so it may not.");
    call->relay->service->proxy->counts.refused++;
    if (!request) {
        buf_printf(&out, "%.*s: %.*s", STR_ARG(summary), STR_ARG(detail));
        call_fail(call, PERMISSION_DENIED, buf_view(&out));
        return;
    }
    apply_refuse(&out, request, summary, detail);
    if (out.failed)
        call_fail(call, PERMISSION_DENIED, summary);
    else
        call_answer(call, buf_view(&out));
}

static bool ask(struct call *call, struct arena *arena, const struct apply_request *request,
                struct guard_answer *ret)
{
    struct proxy *proxy = call->relay->service->proxy;
    const struct guard *guard = proxy->options.guard;
    struct guard_change change = {.provider = call->relay->service->provider->source,
                                  .method = call_name(call)};
    proxy->counts.changes++;
    if (!guard)
        return true;
    if (request) {
        bool before = !is_null(request->prior), after = !is_null(request->planned);
        change.kind = !before ? GUARD_CREATE : after ? GUARD_UPDATE : GUARD_DELETE;
        change.type = request->type;
        change.prior = request->prior;
        change.planned = request->planned;
        change.config = request->config;
    }
    guard->ask(guard->ctx, arena, &change, ret);
    return ret->allow;
}

void apply_judge(struct call *call)
{
    AUTO_ARENA arena = {.limit = JUDGE_MEMORY};
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    struct apply_request request;
    struct guard_answer answer = {0};
    struct str message;
    bool resource = call->method.kind == METHOD_APPLY;
    call->judged = true;
    if (resource && (!message_of_body(buf_view(&call->held), &message, &err) ||
                     !apply_parse(&arena, message, &request, &err))) {
        call_fail(call, INVALID_ARGUMENT, str_from(err_text(&err, text, sizeof text)));
        return;
    }
    if (!ask(call, &arena, resource ? &request : NULL, &answer)) {
        refuse(call, resource ? &request : NULL, &answer);
        return;
    }
    call->relay->service->proxy->counts.allowed++;
    call_begin(call);
}
