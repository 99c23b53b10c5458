/* call.c - one call: a stream of Terraform's and one to the provider, each passed on to the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enforce/provider_proxy/message.h"
#include "enforce/provider_proxy/parts.h"

enum { HEAD_MAX = 320 << 10, CONFIG_MAX = 4 << 20 };

static void ask_sweep(struct relay *relay)
{
    loop_task_add(relay->service->proxy->loop, &relay->sweep);
}

/* --- the request's head, kept until there is somebody to send it to --- */

static void keep_head(struct call *call, const struct h2_header *headers, size_t n)
{
    call->head.limit = HEAD_MAX;
    for (size_t i = 0; i < n; i++) { /* HTTP/2 allows no NUL in either */
        buf_str(&call->head, headers[i].name);
        buf_char(&call->head, '\0');
        buf_str(&call->head, headers[i].value);
        buf_char(&call->head, '\0');
    }
}

static size_t kept_head(const struct call *call, bool tls, struct h2_header ret[H2_HEADERS_MAX])
{
    struct str rest = buf_view(&call->head);
    size_t n = 0;
    while (n < H2_HEADERS_MAX && rest.len) {
        (void)str_cut(&rest, '\0', &ret[n].name);
        (void)str_cut(&rest, '\0', &ret[n].value);
        if (str_equal(ret[n].name, STR(":scheme")))
            ret[n].value = tls ? STR("https") : STR("http");
        n++;
    }
    return n;
}

struct call *call_open(struct relay *relay, struct h2_stream *down, const struct h2_header *headers,
                       size_t n)
{
    struct call *call = calloc(1, sizeof *call);
    struct str path = {0};
    if (!call)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (str_equal(headers[i].name, STR(":path")))
            path = headers[i].value;
    keep_head(call, headers, n);
    call->held.limit = PROXY_REQUEST_MAX + GRPC_PREFIX;
    call->config.limit = CONFIG_MAX;
    call->relay = relay;
    call->down = down;
    call->method = method_of(path);
    call->next = relay->calls;
    if (relay->calls)
        relay->calls->back = call;
    relay->calls = call;
    relay->service->proxy->counts.calls++;
    return call;
}

struct str call_name(const struct call *call)
{
    struct str rest = buf_view(&call->head), name, value;
    while (str_cut(&rest, '\0', &name)) {
        (void)str_cut(&rest, '\0', &value);
        if (str_equal(name, STR(":path")))
            return method_of(value).name;
    }
    return STR("?");
}

bool call_prime(struct relay *relay)
{
    bool six = relay->service->protocol == 6;
    const struct h2_header headers[] = {
        {STR_INIT(":method"), STR_INIT("POST")},
        {STR_INIT(":scheme"), STR_INIT("http")},
        {STR_INIT(":path"),
         six ? STR("/tfplugin6.Provider/GetProviderSchema") : STR("/tfplugin5.Provider/GetSchema")},
        {STR_INIT(":authority"), STR_INIT("localhost")},
        {STR_INIT("content-type"), STR_INIT("application/grpc")},
        {STR_INIT("te"), STR_INIT("trailers")}};
    struct call *call = call_open(relay, NULL, headers, sizeof headers / sizeof *headers);
    if (!call)
        return false;
    call->priming = true;
    call->request_ended = true;
    (void)message_open(&call->held);
    call_pass_on(call);
    return call->up != NULL;
}

void call_free(struct call *call)
{
    struct relay *relay = call->relay;
    *(call->back ? &call->back->next : &relay->calls) = call->next;
    if (call->next)
        call->next->back = call->back;
    relay->service->proxy->held -= call->whole;
    if (call->up)
        h2_forget(call->up);
    if (call->down)
        h2_forget(call->down);
    if (call->counted_busy)
        call->upstream->busy--;
    buf_free(&call->head);
    buf_wipe(&call->held);
    buf_wipe(&call->config);
    free(call);
}

bool call_has_ended(const struct call *call)
{
    return !call->down && !call->up;
}

/* --- to the provider --- */

void call_pass_on(struct call *call)
{
    struct h2_header headers[H2_HEADERS_MAX];
    struct upstream *upstream = call->relay->upstream;
    call->waiting = false;
    size_t n = kept_head(call, h2_is_tls(upstream->conn), headers);
    call->up = call->head.failed ? NULL : h2_request(upstream->conn, headers, n, call);
    if (!call->up) {
        call_fail(call, 14, STR("plumb: the provider takes no more calls"));
        return;
    }
    call->upstream = upstream;
    if (call->method.kind != METHOD_STREAM) {
        call->counted_busy = true;
        upstream->busy++;
    }
    if (call->method.kind > METHOD_SCHEMA)
        upstream->pristine = false;
    if (call->method.kind == METHOD_SCHEMA)
        upstream->schema_asked = call->relay->schema_seen = true;
    if (call->held.len)
        h2_send_buf(call->up, &call->held);
    if (call->request_ended)
        h2_finish(call->up, NULL, 0);
}

void call_begin(struct call *call)
{
    struct relay *relay = call->relay;
    call->waiting = true;
    if (!relay->upstream)
        upstream_take(relay);
    if (relay->upstream)
        relay_ready(relay);
}

static void no_upstream(struct call *call)
{
    struct upstream *upstream = call->upstream;
    call->up = NULL;
    if (call->counted_busy)
        upstream->busy--;
    call->counted_busy = false;
    if (call->priming)
        upstream->priming = false;
    ask_sweep(call->relay);
}

/* --- answers that are ours --- */

void call_fail(struct call *call, int status, struct str text)
{
    char number[12];
    AUTO_BUF encoded = {.limit = 64 << 10};
    if (!call->down || call->answered)
        return;
    message_text(&encoded, text.len < 4096 ? text : str_sub(text, 0, 4096));
    (void)snprintf(number, sizeof number, "%d", status);
    const struct h2_header all[] = {{STR_INIT(":status"), STR_INIT("200")},
                                    {STR_INIT("content-type"), STR_INIT("application/grpc")},
                                    {STR_INIT("grpc-status"), str_from(number)},
                                    {STR_INIT("grpc-message"), buf_view(&encoded)}};
    call->answered = true;
    if (call->answered_head)
        h2_finish(call->down, all + 2, 2);
    else
        (void)h2_respond(call->down, all, 4, true);
}

void call_answer(struct call *call, struct str message)
{
    static const struct h2_header head[] = {
        {STR_INIT(":status"), STR_INIT("200")},
        {STR_INIT("content-type"), STR_INIT("application/grpc")}};
    static const struct h2_header trailers[] = {{STR_INIT("grpc-status"), STR_INIT("0")},
                                                {STR_INIT("grpc-message"), STR_INIT("")}};
    if (!call->down || call->answered)
        return;
    AUTO_BUF out = {.limit = PROXY_REQUEST_MAX + GRPC_PREFIX};
    size_t mark = message_open(&out);
    buf_str(&out, message);
    message_close(&out, mark);
    if (out.failed) {
        call_fail(call, 8, STR("plumb: no memory for the answer"));
        return;
    }
    if (!h2_respond(call->down, head, 2, false))
        return;
    call->answered_head = call->answered = true;
    h2_send_buf(call->down, &out);
    h2_finish(call->down, trailers, 2);
}

/* --- Terraform's stream --- */

static void *down_stream(void *ctx, struct h2_stream *stream, const struct h2_header *headers,
                         size_t n)
{
    struct relay *relay = ctx;
    struct call *call = call_open(relay, stream, headers, n);
    char text[ERR_TEXT_MAX];
    if (!call) {
        h2_reset(stream, H2_REFUSED);
        return NULL;
    }
    if (relay->doomed) {
        call_fail(call, 14, str_from(err_text(&relay->why, text, sizeof text)));
        return call;
    }
    if (call->method.kind > METHOD_CONFIGURE && call->method.kind != METHOD_STOP &&
        call->method.kind != METHOD_SHUTDOWN)
        relay_used(relay);
    if (call->method.kind == METHOD_CHANGE)
        apply_judge(call);
    if (call->method.kind >= METHOD_SHUTDOWN) /* the others begin when the request is whole */
        return call;
    if (call->method.kind == METHOD_STOP && !relay->upstream)
        return call;
    call_begin(call);
    return call;
}

static void down_data(void *ctx, struct str bytes)
{
    struct call *call = ctx;
    if (call->method.kind == METHOD_CONFIGURE && call->relay->service->proxy->options.on_configured)
        buf_str(&call->config, bytes);
    if (call->up && !call->held.len) {
        call->owed += bytes.len;
        h2_send(call->up, bytes);
        return;
    }
    if (call->answered || (!call->waiting && call->method.kind < METHOD_STOP)) {
        h2_consume(call->down, bytes.len);
        return;
    }
    buf_str(&call->held, bytes);
    if (call->waiting) { /* within the stream's window */
        call->owed += bytes.len;
        return;
    }
    struct proxy *proxy = call->relay->service->proxy;
    call->whole += bytes.len;
    proxy->held += bytes.len;
    h2_consume(call->down, bytes.len);
    if (call->held.failed || proxy->held > PROXY_HELD_MAX)
        call_fail(call, 8, STR("plumb: the request of this change is too large to be judged"));
}

static void down_end(void *ctx)
{
    struct call *call = ctx;
    struct relay *relay = call->relay;
    call->request_ended = true;
    if (call->config.len)
        relay_configure(relay, &call->config);
    if (call->up) {
        h2_finish(call->up, NULL, 0);
    } else if (call->answered || call->waiting || call->judged) {
        return;
    } else if (call->method.kind == METHOD_SHUTDOWN) {
        call_answer(call, STR(""));
        if (relay->upstream)
            upstream_give_back(relay->upstream);
    } else if (call->method.kind == METHOD_STOP) {
        call_answer(call, STR("")); /* there is nothing to be stopped */
    } else {
        apply_judge(call);
    }
}

static void down_sent(void *ctx, size_t n)
{
    struct call *call = ctx;
    size_t done = n < call->owed_up ? n : call->owed_up;
    call->owed_up -= done;
    if (call->up)
        h2_consume(call->up, done);
}

static void down_closed(void *ctx, uint32_t code, bool whole)
{
    struct call *call = ctx;
    call->down = NULL;
    if (call->up && !(whole && call->answered))
        h2_reset(call->up, code == H2_NO_ERROR ? H2_CANCEL : code);
    call->waiting = false;
    ask_sweep(call->relay);
}

static void down_lost(void *ctx, const struct err *why)
{
    (void)why;
    struct relay *relay = ctx;
    relay->gone = true;
    ask_sweep(relay);
}

const struct h2_events call_down_events = {.on_stream = down_stream,
                                           .on_data = down_data,
                                           .on_end = down_end,
                                           .on_sent = down_sent,
                                           .on_close = down_closed,
                                           .on_down = down_lost};

/* --- the provider's stream --- */

static void up_head(void *ctx, const struct h2_header *headers, size_t n, bool end)
{
    struct call *call = ctx;
    if (!call->down || call->answered)
        return;
    call->answered_head = h2_respond(call->down, headers, n, end);
    call->answered = end;
}

static void up_data(void *ctx, struct str bytes)
{
    struct call *call = ctx;
    if (!call->down || call->answered) {
        h2_consume(call->up, bytes.len);
        return;
    }
    call->owed_up += bytes.len;
    h2_send(call->down, bytes);
}

static void up_trailers(void *ctx, const struct h2_header *headers, size_t n)
{
    struct call *call = ctx;
    if (!call->down || call->answered)
        return;
    call->answered = true;
    h2_finish(call->down, headers, n);
}

static void up_end(void *ctx)
{
    struct call *call = ctx;
    if (!call->down || call->answered)
        return;
    call->answered = true;
    h2_finish(call->down, NULL, 0);
}

static void up_sent(void *ctx, size_t n)
{
    struct call *call = ctx;
    size_t done = n < call->owed ? n : call->owed;
    call->owed -= done;
    if (call->down)
        h2_consume(call->down, done);
}

static void up_closed(void *ctx, uint32_t code, bool whole)
{
    (void)whole;
    struct call *call = ctx;
    bool crashed = h2_is_down(call->upstream->conn);
    no_upstream(call);
    if (!call->down || call->answered)
        return;
    if (crashed) /* how it ended is soon known */
        call->lost = true;
    else
        h2_reset(call->down, code == H2_NO_ERROR ? H2_INTERNAL : code);
}

const struct h2_events call_up_events = {.on_head = up_head,
                                         .on_data = up_data,
                                         .on_trailers = up_trailers,
                                         .on_end = up_end,
                                         .on_sent = up_sent,
                                         .on_close = up_closed,
                                         .on_up = upstream_on_up,
                                         .on_down = upstream_on_down};
