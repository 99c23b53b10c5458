/* service.c - the proxy itself: sockets, who may connect, what Terraform is told. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "enforce/provider_proxy/parts.h"
#include "wire/json.h"

enum { BACKLOG = 64, ACCEPTS = 16, GRACE_MS = 3000, OWN_MEMORY = 64 << 20 };

void proxy_note(struct proxy *proxy, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (proxy->options.on_note && !proxy->closing)
        proxy->options.on_note(proxy->options.ctx, str_from(text));
}

/* --- sockets --- */

/* The directory is ours alone; so is who connects. */
static bool is_own(int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == geteuid();
}

static void on_connection(void *ctx, uint32_t events)
{
    (void)events;
    struct service *service = ctx;
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept4(service->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        if (!is_own(fd))
            close(fd);
        else if (!relay_open(service, fd, &err))
            proxy_note(service->proxy, "%s", err_text(&err, text, sizeof text));
    }
}

static bool listen_at(struct service *service, struct err *err)
{
    struct proxy *proxy = service->proxy;
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    service->path = arena_printf(&proxy->arena, "%s/%zu", proxy->dir, service->row);
    if (!service->path.ptr || service->path.len >= sizeof at.sun_path)
        return err_set(err, ERR_LIMIT, "no room for a socket's path");
    memcpy(at.sun_path, service->path.ptr, service->path.len);
    service->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (service->fd < 0 || bind(service->fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        listen(service->fd, BACKLOG) < 0)
        return err_set(err, ERR_IO, "socket %s: %s", service->path.ptr, strerror(errno));
    service->watch =
        (struct loop_watch){.fd = service->fd, .on_ready = on_connection, .ctx = service};
    return loop_watch_set(proxy->loop, &service->watch, EPOLLIN, err);
}

/* --- opening --- */

static bool open_service(struct proxy *proxy, size_t row, const struct provider_row *provider,
                         struct err *err)
{
    struct service *service = &proxy->services[proxy->nservices++];
    *service = (struct service){.proxy = proxy, .row = row, .provider = provider, .fd = -1};
    if (provider->refused.len)
        return err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(provider->refused));
    if (provider->note.len)
        proxy_note(proxy, "%.*s", STR_ARG(provider->note));
    return listen_at(service, err) && upstream_start(service, NULL, err);
}

bool proxy_open(const struct proxy_options *options, struct proxy **ret, struct err *err)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    size_t n = 0;
    if (!proxy)
        return err_set(err, ERR_LIMIT, "no memory for a proxy");
    proxy->options = *options;
    proxy->loop = options->loop;
    proxy->lock_fd = -1;
    proxy->arena.limit = OWN_MEMORY;
    bool ok = provider_set_open(options->stack, options->reader, options->env, &proxy->set, err) &&
              provider_dir_make(proxy->dir, &proxy->lock_fd, err);
    const struct provider_row *rows = ok ? provider_set_rows(proxy->set, &n) : NULL;
    proxy->services = ok ? arena_new(&proxy->arena, struct service, n) : NULL;
    if (ok && !proxy->services)
        ok = arena_full(&proxy->arena, err);
    for (size_t i = 0; ok && i < n; i++)
        ok = open_service(proxy, i, &rows[i], err);
    if (!ok) {
        proxy_close(proxy);
        return false;
    }
    *ret = proxy;
    return true;
}

bool proxy_wait_ready(struct proxy *proxy, struct err *err)
{
    int64_t until = clock_monotonic_ms() + PROXY_START_MS;
    for (size_t i = 0; i < proxy->nservices; i++) {
        struct service *service = &proxy->services[i];
        while (!service->protocol && !service->failed) {
            int64_t left = until - clock_monotonic_ms();
            if (left <= 0)
                return err_set(err, ERR_TIMEOUT, "provider %.*s does not start",
                               STR_ARG(service->provider->source));
            if (!loop_turn(proxy->loop, (int)left, err))
                return false;
        }
        if (service->failed) {
            if (err)
                *err = service->why;
            return false;
        }
    }
    return true;
}

size_t proxy_providers(const struct proxy *proxy)
{
    return proxy->nservices;
}

struct str proxy_dir(const struct proxy *proxy)
{
    return str_from(proxy->dir);
}

bool proxy_reattach(const struct proxy *proxy, struct buf *out, struct err *err)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    for (size_t i = 0; i < proxy->nservices; i++) {
        const struct service *service = &proxy->services[i];
        jsonw_key(&w, service->provider->source);
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("Protocol"), STR("grpc"));
        jsonw_member_int(&w, STR("ProtocolVersion"), service->protocol);
        jsonw_member_int(&w, STR("Pid"), getpid());
        jsonw_member_bool(&w, STR("Test"), true);
        jsonw_key(&w, STR("Addr"));
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("Network"), STR("unix"));
        jsonw_member_string(&w, STR("String"), service->path);
        jsonw_object_close(&w);
        jsonw_object_close(&w);
    }
    jsonw_object_close(&w);
    return buf_ok(out, err);
}

struct proxy_counts proxy_counts(const struct proxy *proxy)
{
    return proxy->counts;
}

size_t proxy_connections(const struct proxy *proxy)
{
    size_t n = 0;
    for (size_t i = 0; i < proxy->nservices; i++)
        for (const struct relay *relay = proxy->services[i].relays; relay; relay = relay->next)
            n++;
    return n;
}

/* --- the end --- */

static bool has_processes(const struct proxy *proxy)
{
    for (size_t i = 0; i < proxy->nservices; i++)
        if (proxy->services[i].upstreams)
            return true;
    return false;
}

void proxy_shutdown(struct proxy *proxy)
{
    int64_t until = clock_monotonic_ms() + GRACE_MS;
    proxy->closing = true;
    for (size_t i = 0; i < proxy->nservices; i++) {
        struct service *service = &proxy->services[i];
        loop_watch_remove(proxy->loop, &service->watch);
        while (service->relays)
            relay_free(service->relays);
        for (struct upstream *u = service->upstreams, *next; u; u = next) {
            next = u->next;
            upstream_stop(u);
        }
    }
    while (has_processes(proxy) && clock_monotonic_ms() < until)
        if (!loop_turn(proxy->loop, 100, NULL))
            break;
}

void proxy_close(struct proxy *proxy)
{
    if (!proxy)
        return;
    proxy->closing = true;
    for (size_t i = 0; i < proxy->nservices; i++) {
        struct service *service = &proxy->services[i];
        loop_watch_remove(proxy->loop, &service->watch);
        while (service->upstreams)
            upstream_free(service->upstreams);
        while (service->relays)
            relay_free(service->relays);
        io_close_auto(&service->fd);
    }
    if (proxy->dir[0])
        provider_dir_remove(proxy->dir, &proxy->lock_fd);
    provider_set_close(proxy->set);
    arena_free(&proxy->arena);
    free(proxy);
}
