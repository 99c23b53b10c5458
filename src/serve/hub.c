/* hub.c - the wake, and how each part is. */
#include "serve/hub.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "serve/metrics.h"

struct state {
    int fd;
    bool looked_at;   /* somebody waits for it */
    int64_t until_ms; /* monotonic; INT64_MAX: no promise */
    char trouble[ERR_TEXT_MAX];
};
struct waiters {
    pthread_cond_t woken;
    uint64_t wakes;
};
struct hub {
    struct metrics *metrics;
    pthread_mutex_t lock;
    struct waiters waiters[HUB_WAITERS];
    struct state part[PART_COUNT];
};

#define X(constant, type, member, open, close, until) #type,
static const char *const names[] = {PARTS(X)};
#undef X

const char *part_name(enum part part)
{
    return part < PART_COUNT ? names[part] : "";
}

bool hub_open(struct hub **ret, struct err *err)
{
    pthread_condattr_t monotonic;
    struct hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return err_set(err, ERR_LIMIT, "out of memory");
    (void)pthread_mutex_init(&hub->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (size_t i = 0; i < HUB_WAITERS; i++)
        (void)pthread_cond_init(&hub->waiters[i].woken, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    hub->metrics = metrics_open();
    bool ok = hub->metrics != NULL;
    for (size_t i = 0; i < PART_COUNT; i++) {
        hub->part[i] =
            (struct state){.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .until_ms = INT64_MAX};
        ok &= hub->part[i].fd >= 0;
    }
    if (!ok) {
        hub_close(hub);
        return err_set(err, ERR_LIMIT, "no memory, or no descriptors left");
    }
    *ret = hub;
    return true;
}

void hub_close(struct hub *hub)
{
    if (!hub)
        return;
    for (size_t i = 0; i < PART_COUNT; i++)
        if (hub->part[i].fd >= 0)
            (void)close(hub->part[i].fd);
    metrics_close(hub->metrics);
    for (size_t i = 0; i < HUB_WAITERS; i++)
        (void)pthread_cond_destroy(&hub->waiters[i].woken);
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub);
}

struct metrics *hub_metrics(struct hub *hub)
{
    return hub->metrics;
}

/* Under the lock. */
static void wake(struct hub *hub, enum hub_waiter what)
{
    hub->waiters[what].wakes++;
    (void)pthread_cond_broadcast(&hub->waiters[what].woken);
}

void hub_wake(struct hub *hub)
{
    const uint64_t one = 1;
    (void)pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < PART_COUNT; i++)
        if (hub->part[i].looked_at && write(hub->part[i].fd, &one, sizeof one) < 0)
            continue; /* full: it is readable already */
    for (int what = 0; what < HUB_WAITERS; what++)
        wake(hub, (enum hub_waiter)what);
    (void)pthread_mutex_unlock(&hub->lock);
}

void hub_wake_for_touch(struct hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->waiters[HUB_SCANS].wakes++;
    (void)pthread_cond_signal(&hub->waiters[HUB_SCANS].woken);
    wake(hub, HUB_STREAMS);
    (void)pthread_mutex_unlock(&hub->lock);
}

void hub_wake_for_touches(struct hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    wake(hub, HUB_SCANS);
    wake(hub, HUB_STREAMS);
    (void)pthread_mutex_unlock(&hub->lock);
}

void hub_wake_for_finding(struct hub *hub)
{
    (void)pthread_mutex_lock(&hub->lock);
    wake(hub, HUB_ALERTS);
    wake(hub, HUB_STREAMS);
    (void)pthread_mutex_unlock(&hub->lock);
}

uint64_t hub_wait(struct hub *hub, enum hub_waiter what, uint64_t seen, int timeout_ms)
{
    struct waiters *w = &hub->waiters[what];
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&hub->lock);
    for (int late = 0; w->wakes == seen && !late;)
        late = timeout_ms < 0 ? pthread_cond_wait(&w->woken, &hub->lock)
                              : pthread_cond_timedwait(&w->woken, &hub->lock, &until);
    uint64_t wakes = w->wakes;
    (void)pthread_mutex_unlock(&hub->lock);
    return wakes;
}

int hub_wake_fd(struct hub *hub, enum part part)
{
    (void)pthread_mutex_lock(&hub->lock);
    hub->part[part].looked_at = true;
    (void)pthread_mutex_unlock(&hub->lock);
    return hub->part[part].fd;
}

void hub_beat(struct hub *hub, enum part part, int within_ms)
{
    int64_t until = within_ms > 0 ? clock_monotonic_ms() + within_ms : INT64_MAX;
    (void)pthread_mutex_lock(&hub->lock);
    hub->part[part].until_ms = until;
    (void)pthread_mutex_unlock(&hub->lock);
}

void hub_trouble(struct hub *hub, enum part part, const char *text)
{
    struct str said = str_from(text);
    size_t n = said.len < ERR_TEXT_MAX ? said.len : ERR_TEXT_MAX - 1;
    (void)pthread_mutex_lock(&hub->lock);
    if (n)
        memcpy(hub->part[part].trouble, said.ptr, n);
    hub->part[part].trouble[n] = '\0';
    (void)pthread_mutex_unlock(&hub->lock);
}

bool hub_part_is_up(struct hub *hub, enum part part)
{
    int64_t now = clock_monotonic_ms();
    (void)pthread_mutex_lock(&hub->lock);
    bool up = hub->part[part].until_ms >= now && !*hub->part[part].trouble;
    (void)pthread_mutex_unlock(&hub->lock);
    return up;
}

static void add(struct buf *why, size_t part, const char *text)
{
    if (why)
        buf_printf(why, "%s%s: %s", why->len ? "; " : "", names[part], text);
}

bool hub_is_alive(struct hub *hub, struct buf *ret_why)
{
    bool alive = true;
    int64_t now = clock_monotonic_ms();
    (void)pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < PART_COUNT; i++)
        if (hub->part[i].until_ms < now) {
            alive = false;
            add(ret_why, i, "it does not answer");
        }
    (void)pthread_mutex_unlock(&hub->lock);
    return alive;
}

bool hub_is_well(struct hub *hub, struct buf *ret_why)
{
    bool well = true;
    (void)pthread_mutex_lock(&hub->lock);
    for (size_t i = 0; i < PART_COUNT; i++)
        if (*hub->part[i].trouble) {
            well = false;
            add(ret_why, i, hub->part[i].trouble);
        }
    (void)pthread_mutex_unlock(&hub->lock);
    return well;
}
