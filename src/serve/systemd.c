/* systemd.c - datagrams to NOTIFY_SOCKET, and the watchdog's thread. */
#include "serve/systemd.h"

#include <inttypes.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "serve/hub.h"

enum { STATUS_MAX = 400, PATIENCE_S = 10 };

struct systemd {
    struct sockaddr_un address;
    socklen_t length;
    struct hub *hub;
    int64_t every_us; /* half of what the watchdog waits; 0 = nobody watches */
    pthread_mutex_t lock;
    pthread_cond_t end;
    bool closing, watching;
    pthread_t watchdog;
};

/* A manager that does not read: its queue holds ten messages or so, then whoever sends waits. Not
 * for ever, or the service could neither reload nor end; with MSG_DONTWAIT not at all. */
static void send_text(const struct systemd *s, const char *text, int how)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (!s)
        return;
    AUTO_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* Nobody to tell that the manager could not be told. */
    (void)!(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
            sendto(fd, text, strlen(text), MSG_NOSIGNAL | how, (const struct sockaddr *)&s->address,
                   s->length) > 0);
}

/* "/run/systemd/notify", or "@name" of the abstract space. */
static bool take_address(struct systemd *s, struct str path, struct err *err)
{
    bool good = path.len > 1 && path.len < sizeof s->address.sun_path &&
                (path.ptr[0] == '/' || path.ptr[0] == '@');
    if (!good)
        return err_set(err, ERR_USAGE, "NOTIFY_SOCKET is no address: %.*s", STR_ARG(path));
    s->address.sun_family = AF_UNIX;
    memcpy(s->address.sun_path, path.ptr, path.len);
    if (path.ptr[0] == '@')
        s->address.sun_path[0] = '\0';
    s->length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + (path.ptr[0] == '/'));
    return true;
}

static void *watch(void *ctx)
{
    struct systemd *s = ctx;
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    (void)pthread_mutex_lock(&s->lock);
    while (!s->closing) {
        at.tv_sec += s->every_us / 1000000;
        at.tv_nsec += s->every_us % 1000000 * 1000;
        at.tv_sec += at.tv_nsec / 1000000000L;
        at.tv_nsec %= 1000000000L;
        while (!s->closing && pthread_cond_timedwait(&s->end, &s->lock, &at) == 0)
            ;
        (void)pthread_mutex_unlock(&s->lock);
        if (hub_is_alive(s->hub, NULL))
            send_text(s, "WATCHDOG=1", MSG_DONTWAIT); /* where there is no room, others wait */
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void take_watchdog(struct systemd *s, struct str usec, struct str pid)
{
    int64_t us = 0, whom = 0;
    bool ours = pid.len == 0 || (str_to_int64(pid, &whom) && whom == getpid());
    if (ours && str_to_int64(usec, &us) && us > 1)
        s->every_us = us / 2;
}

bool systemd_open(struct systemd **ret, const char *(*env)(const char *name), struct hub *hub,
                  struct err *err)
{
    struct str path = str_from(env("NOTIFY_SOCKET"));
    pthread_condattr_t monotonic;
    *ret = NULL;
    if (path.len == 0)
        return true;
    struct systemd *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_LIMIT, "out of memory");
    s->hub = hub;
    if (!take_address(s, path, err)) {
        free(s);
        return false;
    }
    take_watchdog(s, str_from(env("WATCHDOG_USEC")), str_from(env("WATCHDOG_PID")));
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&s->end, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    s->watching = s->every_us && pthread_create(&s->watchdog, NULL, watch, s) == 0;
    *ret = s;
    if (s->every_us && !s->watching) {
        systemd_close(s);
        *ret = NULL;
        return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    return true;
}

void systemd_close(struct systemd *s)
{
    if (!s)
        return;
    (void)pthread_mutex_lock(&s->lock);
    s->closing = true;
    (void)pthread_cond_signal(&s->end);
    (void)pthread_mutex_unlock(&s->lock);
    if (s->watching)
        (void)pthread_join(s->watchdog, NULL);
    (void)pthread_cond_destroy(&s->end);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

static void send_status(struct systemd *s, const char *before, const char *status)
{
    char text[STATUS_MAX + 80];
    (void)snprintf(text, sizeof text, "%sSTATUS=%.*s", before, STATUS_MAX, status);
    send_text(s, text, 0);
}

void systemd_ready(struct systemd *s, const char *status)
{
    send_status(s, "READY=1\n", status);
}

void systemd_reloading(struct systemd *s)
{
    char text[100];
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    send_text(s, text, 0);
}

void systemd_stopping(struct systemd *s)
{
    send_status(s, "STOPPING=1\n", "stopping");
}

void systemd_status(struct systemd *s, const char *status)
{
    send_status(s, "", status);
}
