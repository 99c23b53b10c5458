/* service.c - starting, reloading and stopping. */
#include "serve/service.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "record/audit.h"
#include "serve/log.h"

enum { AGAIN_MS = 1000 };

static struct listener_options listening(const struct service *service, struct server *server)
{
    struct listener_options options = server->options.listener;
    options.route = server->route;
    options.nroutes = server->nroutes;
    options.service = server;
    options.log = server->options.log;
    options.metrics = hub_metrics(service->hub);
    options.began = server_began;
    options.done = server_done;
    return options;
}

static bool start(struct service *service, struct err *err)
{
    struct listener_options options = listening(service, service->server);
    options.tokens = server_tokens(service->server, err);
    if (!options.tokens)
        return false;
    service->server->ntokens = options.tokens->n;
    if (!listener_start(&service->listener, &options, err))
        return false;
    service->server->listener = service->listener;
    return true;
}

static void tell_loaded(const struct service *service)
{
    const struct server_options *options = &service->server->options;
    if (options->telemetry)
        (void)telemetry_set(options->telemetry, &options->telemetry_settings, NULL);
    metrics_set(hub_metrics(service->hub), METRIC_CONFIG_AT, NULL, (double)clock_wall_ms() / 1000);
}

bool service_start(struct service *ret, const struct server_options *options, struct err *err)
{
    *ret = (struct service){0};
    if (!hub_open(&ret->hub, err)) {
        server_release(options);
        return false;
    }
    if (server_open(&ret->server, ret->hub, NULL, options, err) && start(ret, err)) {
        tell_loaded(ret);
        return true;
    }
    server_close(ret->server);
    hub_close(ret->hub);
    return false;
}

/* --- reload --- */

static bool may_change(const struct server_options *before, const struct server_options *after,
                       struct err *err)
{
    if (!str_equal(before->listener.address, after->listener.address))
        return err_set(err, ERR_USAGE,
                       "the address to listen on is %.*s now, and was %.*s: that needs a restart",
                       STR_ARG(after->listener.address), STR_ARG(before->listener.address));
    if (!str_equal(before->record.url, after->record.url))
        return err_set(err, ERR_USAGE, "the store is another one: that needs a restart");
    return listener_check(&after->listener, err);
}

static struct str or_none(struct str digest)
{
    return digest.len ? digest : STR("none");
}

/* rehearse: as if, and nothing of it stays. */
static bool tell(const struct server_options *before, const struct server_options *after,
                 bool rehearse, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    const struct event_input input[] = {{STR("config"), after->config_digest},
                                        {STR("policy"), after->policy_digest}};
    const struct event event = {
        .type = EVENT_CONFIG,
        .actor = {STR("plumb"), STR("service")},
        .subject = STR("serve"),
        .outcome = STR("reloaded"),
        .reason = arena_printf(&arena, "before: configuration %.*s, policy %.*s",
                               STR_ARG(or_none(before->config_digest)),
                               STR_ARG(or_none(before->policy_digest))),
        .policy = after->policy_digest,
        .input = after->config_digest.len ? input : &input[1],
        .ninputs = (after->config_digest.len ? 1u : 0u) + (after->policy_digest.len ? 1u : 0u)};
    struct record_options options = after->record;
    options.there = true;
    if (!record_open(&arena, &options, &record, err))
        return false;
    bool ok = rehearse
                  ? db_begin(record.db, DB_WRITE, err) && audit_append(&record, &event, NULL, err)
                  : audit_write(&record, &event, NULL, err);
    if (rehearse)
        db_rollback(record.db);
    record_close(&record);
    return ok;
}

/* The server in use works again by itself; where it cannot, service_tend tries on. */
static void go_on(struct service *service)
{
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    service->tried_ms = clock_monotonic_ms();
    if (!server_resume(service->server, &err))
        LOG(service->server->options.log, LOG_ERROR, "serve", "a part cannot be opened again",
            LOG_TEXT("error", str_from(err_text(&err, text, sizeof text))));
}

static bool take_over(struct service *service, struct server *next, struct err *err)
{
    struct listener_options options = listening(service, next);
    return tell(&service->server->options, &next->options, false, err) &&
           listener_change(service->listener, &options, err);
}

bool service_reload(struct service *service, const struct server_options *options, struct err *err)
{
    struct server *before = service->server, *next = NULL;
    /* What is wrong with the new one is found before anything of the old one is closed. */
    if (!may_change(&before->options, options, err) || !server_check(options, err) ||
        !listener_try(service->listener, &options->listener, err) ||
        !tell(&before->options, options, true, err)) {
        server_release(options);
        return false;
    }
    server_rest(before);
    if (!server_open(&next, service->hub, service->listener, options, err) ||
        !take_over(service, next, err)) {
        server_close(next);
        go_on(service);
        return false;
    }
    next->ntokens = before->ntokens;
    service->server = next;
    before->next = service->leaving;
    service->leaving = before;
    tell_loaded(service);
    return true;
}

void service_tend(struct service *service)
{
    for (struct server **at = &service->leaving; *at;) {
        struct server *server = *at;
        if (listener_uses(service->listener, server) || !server_is_done(server)) {
            at = &server->next;
            continue;
        }
        *at = server->next;
        server_close(server);
    }
    if (service->server->resting && clock_monotonic_ms() - service->tried_ms > AGAIN_MS)
        go_on(service);
}

bool service_stop(struct service *service, int wait_ms)
{
    service->server->next = service->leaving;
    server_rest(service->server);
    bool done = listener_drain(service->listener, wait_ms);
    listener_halt(service->listener); /* nothing comes to the parts any more */
    for (struct server *server = service->server; server; server = server->next)
        server_close_parts(server);
    listener_stop(service->listener); /* its last connections know their routes to the end */
    for (struct server *server = service->server, *next; server; server = next) {
        next = server->next;
        server_close(server);
    }
    hub_close(service->hub);
    return done;
}
