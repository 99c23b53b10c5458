/* door.c - daemons of the library on one socket, one after the other, and what answers behind them.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "serve/listener_parts.h"

/* TLS 1.2 and 1.3 with what the library holds to be good. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
/* A connection that was just taken is known only a moment later. */
enum { LEFT_MS = 2000 };

static size_t as_it_is(void *ctx, struct MHD_Connection *connection, char *text)
{
    (void)ctx, (void)connection;
    return strlen(text); /* decoded by routing.c, strictly */
}

/* trial: without the socket */
static bool start(struct listener *l, struct door *door, bool trial, struct err *err)
{
    const struct listener_options *o = &l->options;
    bool tls = door->cert != NULL;
    char priorities[] = TLS_PRIORITIES; /* the library's type has no const */
    struct MHD_OptionItem all[16];
    size_t n = 0;
    if (!trial)
        all[n++] = (struct MHD_OptionItem){MHD_OPTION_LISTEN_SOCKET, l->fd, NULL};
    all[n++] =
        (struct MHD_OptionItem){MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections_max, NULL};
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                       (intptr_t)o->per_address_max, NULL};
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_TIMEOUT,
                                       (intptr_t)((o->idle_ms + 999) / 1000), NULL};
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES, NULL};
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL};
    all[n++] =
        (struct MHD_OptionItem){MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)listener_on_completed, l};
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_NOTIFY_CONNECTION,
                                       (intptr_t)listener_on_connection, door};
    all[n++] =
        (struct MHD_OptionItem){MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)listener_on_target, l};
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)as_it_is, NULL};
    if (tls) {
        all[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, door->cert};
        all[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, door->key};
        all[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities};
    }
    all[n++] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     (tls ? MHD_USE_TLS : 0) | (trial ? MHD_USE_NO_LISTEN_SOCKET : 0);
    door->daemon = l->mhd.start_daemon(flags, 0, NULL, NULL, listener_on_request, l,
                                       MHD_OPTION_ARRAY, all, MHD_OPTION_END);
    return door->daemon || err_set(err, ERR_IO, "listen on %s: libmicrohttpd cannot serve it%s",
                                   l->address, tls ? " (with this certificate)" : "");
}

/* --- certificates --- */

static char *pem_copy(struct str pem)
{
    char *copy = malloc(pem.len + 1);
    if (copy) {
        memcpy(copy, pem.ptr, pem.len);
        copy[pem.len] = '\0';
    }
    return copy;
}

static bool take_certificate(struct listener *l, struct door *door,
                             const struct listener_options *o, struct err *err)
{
    if (!o->tls_cert.len)
        return true;
    if (l->mhd.is_feature_supported(MHD_FEATURE_SSL) != MHD_YES)
        return err_set(err, ERR_UNAVAILABLE, "this libmicrohttpd was built without TLS");
    if (!l->has_gnutls && !gnutls_load(&l->gnutls, err))
        return false;
    l->has_gnutls = true;
    door->cert = pem_copy(o->tls_cert);
    door->key = pem_copy(o->tls_key);
    return (door->cert && door->key) || err_set(err, ERR_LIMIT, "out of memory");
}

/* --- one door after the other --- */

static void dispose(struct door *door)
{
    free(door->cert);
    free(door->key);
    free(door);
}

/* The socket stays open; without the lock, for the library waits for its thread. */
static void leave(struct listener *l, struct door *door)
{
    (void)l->mhd.quiesce_daemon(door->daemon);
    (void)pthread_mutex_lock(&l->lock);
    door->left = true;
    door->left_ms = clock_monotonic_ms();
    (void)pthread_mutex_unlock(&l->lock);
}

bool door_open(struct listener *l, const struct listener_options *options, struct err *err)
{
    struct door *door = calloc(1, sizeof *door), *before = l->door;
    if (!door)
        return err_set(err, ERR_LIMIT, "out of memory");
    door->listener = l;
    if (!take_certificate(l, door, options, err) || !start(l, door, false, err)) {
        dispose(door);
        return false;
    }
    (void)pthread_mutex_lock(&l->lock);
    door->next = before;
    l->door = door;
    (void)pthread_mutex_unlock(&l->lock);
    if (before)
        leave(l, before);
    return true;
}

bool door_try(struct listener *l, const struct listener_options *options, struct err *err)
{
    struct door *door = calloc(1, sizeof *door);
    if (!door)
        return err_set(err, ERR_LIMIT, "out of memory");
    door->listener = l;
    bool ok = take_certificate(l, door, options, err) && start(l, door, true, err);
    if (door->daemon)
        l->mhd.stop_daemon(door->daemon);
    dispose(door);
    return ok;
}

void door_shut(struct listener *l)
{
    if (l->door && !l->door->left)
        leave(l, l->door);
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}

static struct door *take_old(struct listener *l, bool all)
{
    int64_t before = clock_monotonic_ms() - LEFT_MS;
    struct door *found = NULL;
    (void)pthread_mutex_lock(&l->lock);
    for (struct door **at = &l->door; *at && !found; at = &(*at)->next)
        if (all ||
            ((*at)->left && at != &l->door && !(*at)->connections && (*at)->left_ms < before)) {
            found = *at;
            *at = found->next;
            break;
        }
    (void)pthread_mutex_unlock(&l->lock);
    return found;
}

void door_tidy(struct listener *l, bool all)
{
    for (struct door *door; (door = take_old(l, all));) {
        l->mhd.stop_daemon(door->daemon);
        dispose(door);
    }
}

/* --- what answers --- */

struct served *served_take(struct listener *l)
{
    l->served->users++;
    return l->served;
}

/* Out of the list where nobody has it and it is not the newest. */
static void drop_unused(struct listener *l)
{
    for (struct served **at = &l->served->next; *at;) {
        struct served *served = *at;
        if (served->users) {
            at = &served->next;
            continue;
        }
        *at = served->next;
        free(served);
    }
}

void served_give(struct listener *l, struct served *served)
{
    if (!served)
        return;
    served->users--;
    drop_unused(l);
}

bool served_set(struct listener *l, const struct listener_options *options, struct err *err)
{
    struct served *served = calloc(1, sizeof *served);
    if (!served)
        return err_set(err, ERR_LIMIT, "out of memory");
    *served = (struct served){.route = options->route,
                              .nroutes = options->nroutes,
                              .service = options->service,
                              .anonymous = options->anonymous};
    (void)pthread_mutex_lock(&l->lock);
    served->next = l->served;
    l->served = served;
    drop_unused(l);
    (void)pthread_mutex_unlock(&l->lock);
    return true;
}
