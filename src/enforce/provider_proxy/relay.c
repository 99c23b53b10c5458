/* relay.c - one connection of Terraform's. */
#include <stdlib.h>

#include "base/err.h"
#include "enforce/provider_proxy/message.h"
#include "enforce/provider_proxy/parts.h"

static void on_sweep(void *ctx)
{
    struct relay *relay = ctx;
    for (struct call *call = relay->calls, *next; call; call = next) {
        next = call->next;
        if (call_has_ended(call))
            call_free(call);
    }
    if (!relay->gone && relay->upstream)
        relay_ready(relay); /* what a priming has kept waiting */
    if (relay->gone && relay->upstream)
        upstream_give_back(relay->upstream);
    if (relay->gone && !relay->calls)
        relay_free(relay);
}

bool relay_open(struct service *service, int fd, struct err *err)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return err_set(err, ERR_LIMIT, "no memory for a connection");
    const struct h2_options options = {.loop = service->proxy->loop,
                                       .fd = fd,
                                       .server = true,
                                       .events = &call_down_events,
                                       .ctx = relay};
    if (!h2_open(&options, &relay->conn, err)) {
        free(relay);
        return false;
    }
    relay->service = service;
    relay->sweep = (struct loop_task){.run = on_sweep, .ctx = relay};
    relay->next = service->relays;
    if (service->relays)
        service->relays->back = relay;
    service->relays = relay;
    service->proxy->counts.connections++;
    return true;
}

void relay_free(struct relay *relay)
{
    struct service *service = relay->service;
    if (relay->upstream)
        upstream_give_back(relay->upstream);
    h2_close(relay->conn);
    while (relay->calls)
        call_free(relay->calls);
    loop_task_remove(service->proxy->loop, &relay->sweep);
    *(relay->back ? &relay->back->next : &service->relays) = relay->next;
    if (relay->next)
        relay->next->back = relay->back;
    buf_wipe(&relay->config);
    free(relay);
    const struct proxy_options *options = &service->proxy->options;
    if (options->on_idle && !service->proxy->closing && !proxy_connections(service->proxy))
        options->on_idle(options->ctx);
}

void relay_configure(struct relay *relay, struct buf *request)
{
    buf_wipe(&relay->config);
    relay->config = *request;
    *request = (struct buf){.limit = request->limit};
}

/* Terraform goes on only where the provider took it. */
void relay_used(struct relay *relay)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct proxy_options *options = &relay->service->proxy->options;
    struct str message, config;
    if (!relay->config.len)
        return;
    if (!relay->config.failed && message_of_body(buf_view(&relay->config), &message, NULL) &&
        configure_parse(&arena, message, &config, NULL) && config.len)
        options->on_configured(options->ctx, relay->service->provider->source, config);
    buf_wipe(&relay->config);
}

bool relay_is_idle(const struct relay *relay)
{
    for (const struct call *call = relay->calls; call; call = call->next)
        if (call->method.kind != METHOD_STREAM && !call_has_ended(call))
            return false;
    return true;
}

void relay_ready(struct relay *relay)
{
    struct upstream *u = relay->upstream;
    if (!u->ready || u->priming || u->lost || u->stopping)
        return;
    if (relay->schema_seen && !u->schema_asked) { /* Terraform asked another process for it */
        u->priming = true;
        if (call_prime(relay))
            return;
        u->priming = false;
    }
    for (struct call *call = relay->calls, *next; call; call = next) {
        next = call->next;
        if (call->waiting)
            call_pass_on(call);
    }
}

void relay_failed(struct relay *relay, const struct err *why)
{
    char text[ERR_TEXT_MAX * 2];
    relay->doomed = true;
    relay->why = *why;
    for (struct call *call = relay->calls; call; call = call->next) {
        if (!call->waiting)
            continue;
        call->waiting = false;
        call_fail(call, 14, str_from(err_text(why, text, sizeof text)));
    }
}

void relay_answer_lost(struct service *service, struct upstream *upstream, const struct err *why)
{
    char text[ERR_TEXT_MAX * 2];
    for (struct relay *relay = service->relays; relay; relay = relay->next) {
        for (struct call *call = relay->calls; call; call = call->next) {
            if (!call->lost || call->upstream != upstream)
                continue;
            call->lost = false;
            call_fail(call, 14, str_from(err_text(why, text, sizeof text)));
        }
    }
}
