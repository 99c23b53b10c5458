/* upstream.c - a process of the real provider and the connection to it: started, waiting, in use by
 * one relay, stopped. */
#include <stdlib.h>

#include "base/err.h"
#include "enforce/provider_proxy/message.h"
#include "enforce/provider_proxy/parts.h"

static void ended(struct upstream *u, const struct err *why)
{
    struct relay *owner = u->owner;
    struct service *service = u->service;
    char text[ERR_TEXT_MAX * 2];
    bool crashed = !u->stopping;
    if (crashed && (owner || !u->ready)) {
        service->proxy->counts.crashes++;
        proxy_note(service->proxy, "%s", err_text(why, text, sizeof text));
    }
    u->lost = true;
    h2_close(u->conn); /* what it left open is lost from here on */
    u->conn = NULL;
    relay_answer_lost(service, u, why);
    if (owner)
        owner->upstream = NULL;
    u->owner = NULL;
    if (owner)
        relay_failed(owner, why);
    if (!service->protocol) {
        service->failed = true;
        service->why = *why;
    }
    upstream_free(u);
}

void upstream_on_up(void *ctx)
{
    struct upstream *u = ctx;
    u->ready = true;
    if (u->owner)
        relay_ready(u->owner);
}

void upstream_on_down(void *ctx, const struct err *why)
{
    (void)why; /* the process says it better */
    struct upstream *u = ctx;
    u->lost = true;
    provider_process_lost(u->process);
}

static void on_ready(void *ctx, const struct provider_socket *socket, const struct err *why)
{
    struct upstream *u = ctx;
    struct service *service = u->service;
    struct err err = {0};
    if (!socket) {
        ended(u, why);
        return;
    }
    const struct h2_options options = {.loop = service->proxy->loop,
                                       .fd = socket->fd,
                                       .connecting = socket->connecting,
                                       .tls = socket->tls,
                                       .events = &call_up_events,
                                       .ctx = u};
    if (!h2_open(&options, &u->conn, &err)) {
        ended(u, &err);
        return;
    }
    if (service->protocol && service->protocol != socket->protocol) {
        (void)err_set(&err, ERR_CONFLICT, "provider %.*s speaks protocol %d now, and spoke %d",
                      STR_ARG(service->provider->source), socket->protocol, service->protocol);
        ended(u, &err);
        return;
    }
    service->protocol = socket->protocol;
}

static void on_end(void *ctx, const struct err *why)
{
    ended(ctx, why);
}

static void on_output(void *ctx, struct str bytes)
{
    const struct upstream *u = ctx;
    const struct proxy_options *options = &u->service->proxy->options;
    if (options->on_output)
        options->on_output(options->ctx, u->service->provider->source, bytes);
}

bool upstream_start(struct service *service, struct relay *owner, struct err *err)
{
    struct proxy *proxy = service->proxy;
    struct upstream *u = calloc(1, sizeof *u);
    if (!u)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    const struct provider_process_spec spec = {.loop = proxy->loop,
                                               .set = proxy->set,
                                               .row = service->row,
                                               .logs = proxy->options.logs,
                                               .on_ready = on_ready,
                                               .on_end = on_end,
                                               .on_output = proxy->options.logs ? on_output : NULL,
                                               .ctx = u};
    u->service = service;
    u->pristine = true;
    if (!provider_process_start(&spec, &u->process, err)) {
        free(u);
        return false;
    }
    proxy->counts.processes++;
    u->owner = owner;
    if (owner)
        owner->upstream = u;
    u->next = service->upstreams;
    if (service->upstreams)
        service->upstreams->back = u;
    service->upstreams = u;
    return true;
}

void upstream_free(struct upstream *u)
{
    if (u->owner)
        u->owner->upstream = NULL;
    h2_close(u->conn);
    provider_process_close(u->process);
    *(u->back ? &u->back->next : &u->service->upstreams) = u->next;
    if (u->next)
        u->next->back = u->back;
    free(u);
}

/* --- which process a connection gets --- */

static bool is_usable(const struct upstream *u)
{
    return !u->lost && !u->stopping && u->pristine && !u->priming && u->busy == 0 &&
           (!u->ready || h2_is_up(u->conn));
}

void upstream_take(struct relay *relay)
{
    struct service *service = relay->service;
    struct upstream *found = NULL;
    struct err err = {0};
    for (struct upstream *u = service->upstreams; u; u = u->next)
        if (is_usable(u) && (!u->owner || (u->ready && relay_is_idle(u->owner))) &&
            (!found || (!u->owner && found->owner)))
            found = u;
    if (found) {
        if (found->owner)
            found->owner->upstream = NULL;
        found->owner = relay;
        relay->upstream = found;
        return;
    }
    if (!upstream_start(service, relay, &err))
        relay_failed(relay, &err);
}

void upstream_give_back(struct upstream *u)
{
    bool another = false;
    if (u->owner)
        u->owner->upstream = NULL;
    u->owner = NULL;
    for (const struct upstream *it = u->service->upstreams; it; it = it->next)
        another = another || (it != u && !it->owner && !it->stopping && !it->lost);
    if (!is_usable(u) || another || u->service->proxy->closing)
        upstream_stop(u);
}

void upstream_send_shutdown(struct upstream *u)
{
    static const struct h2_header headers[] = {
        {STR_INIT(":method"), STR_INIT("POST")},
        {STR_INIT(":scheme"), STR_INIT("http")},
        {STR_INIT(":path"), STR_INIT("/plugin.GRPCController/Shutdown")},
        {STR_INIT(":authority"), STR_INIT("localhost")},
        {STR_INIT("content-type"), STR_INIT("application/grpc")},
        {STR_INIT("te"), STR_INIT("trailers")}};
    struct h2_stream *stream =
        u->ready ? h2_request(u->conn, headers, sizeof headers / sizeof *headers, NULL) : NULL;
    if (!stream)
        return;
    h2_send(stream, (struct str){"\0\0\0\0\0", GRPC_PREFIX});
    h2_finish(stream, NULL, 0);
}

void upstream_stop(struct upstream *u)
{
    if (u->stopping)
        return;
    u->stopping = true;
    if (!u->ready || u->lost) {
        upstream_free(u);
        return;
    }
    upstream_send_shutdown(u);
    provider_process_stop(u->process);
}
