/* alerter.c - the threads that make alerts and send them. */
#include "serve/alerter.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "respond/outbox.h"
#include "serve/log.h"
#include "serve/server.h"

enum {
    LOOK_MS = 500,
    BEAT_MS = 120000,
    ROUTES_ARENA = 16 << 20,
    STORE_ARENA = 64 << 20,
    SENDING_SHIFT = 28,
    SENT_IN_A_ROW = 100
};

struct sender {
    struct alerter *alerter;
    pthread_t thread;
    bool started, wanted; /* wanted: under the alerter's lock */
    struct str owner;
};
struct alerter {
    struct server *server;
    struct arena arena;
    struct routes routes;
    struct outbox_breaker *breaker; /* by route; its sender's alone */
    uint64_t *told;                 /* the same: hash of the trouble that was told last; 0 = none */
    atomic_bool closing;
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    bool started;
    struct str place; /* where process ids mean something: this boot of this machine's kernel, and
                         the namespace in it; empty = not known */
    struct sender sender[ALERTER_SENDERS_MOST];
    size_t nsenders;
    atomic_size_t at_work;      /* senders that have not ended */
    char trouble[ERR_TEXT_MAX]; /* told last; the maker's alone */
};

static const struct log *log_of(const struct alerter *a)
{
    return a->server->options.log;
}

static bool open_store(struct alerter *a, struct arena *arena, struct record *ret, struct err *err)
{
    *arena = (struct arena){.limit = STORE_ARENA};
    return record_open(arena, &a->server->options.record, ret, err);
}

static void close_store(struct arena *arena, struct record *record)
{
    record_close(record);
    *record = (struct record){0};
    arena_free(arena);
}

/* --- sending --- */

static void tell_sent(struct alerter *a, const struct route *route, const struct outbox_sent *sent,
                      const struct telemetry_span *span)
{
    static const char *const results[] = {[NOTIFY_TAKEN] = "taken",
                                          [NOTIFY_LATER] = "later",
                                          [NOTIFY_REFUSED] = "refused",
                                          [NOTIFY_GONE] = "gone"};
    const char *result = results[sent->result];
    const struct log_field attribute[] = {
        LOG_TEXT("plumb.receiver", route->name),
        LOG_TEXT("plumb.receiver.kind", str_from(route->kind->name)),
        LOG_TEXT("plumb.alert.id", sent->id), LOG_NUMBER("plumb.attempts", sent->attempts),
        LOG_TEXT("plumb.result", str_from(result))};
    telemetry_end(server_telemetry(a->server), span, "send", SPAN_CLIENT, attribute,
                  sizeof attribute / sizeof *attribute,
                  sent->result == NOTIFY_TAKEN ? NULL : result);
    metrics_add(server_metrics(a->server), METRIC_NOTIFICATIONS,
                LABELS(str_from(route->kind->name), str_from(result)), 1);
    if (!sent->id.len && sent->result == NOTIFY_TAKEN)
        return; /* what is told each minute */
    LOG(log_of(a),
        sent->dead                                      ? LOG_ERROR
        : sent->result == NOTIFY_TAKEN && !sent->partly ? LOG_INFO
                                                        : LOG_WARN,
        "alerts",
        sent->result == NOTIFY_TAKEN ? "sent"
        : sent->dead                 ? "given up"
                                     : "not taken, will be tried again",
        LOG_TEXT("receiver", route->name), LOG_TEXT("id", sent->id),
        LOG_TEXT("status", str_from(alert_status_name(sent->status))),
        LOG_NUMBER("attempts", sent->attempts), LOG_TEXT("said", sent->said),
        LOG_TEXT("trace", str_from(span->trace)), LOG_TEXT("span", str_from(span->id)));
}

/* The same trouble is told once, however often it is tried. */
static void tell_error(struct alerter *a, size_t i, const struct err *err)
{
    char room[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    struct str text = str_from(err_text(err, room, sizeof room));
    uint64_t hash = hash_bytes(text, 0);
    if (hash != a->told[i])
        LOG(log_of(a), LOG_ERROR, "alerts", "cannot be sent now",
            LOG_TEXT("receiver", a->routes.item[i].name), LOG_TEXT("error", text));
    a->told[i] = hash;
}

static bool send_route(struct alerter *a, struct record *record, size_t i, struct str owner,
                       struct err *err)
{
    const struct route *route = &a->routes.item[i];
    AUTO_ARENA secrets = {.limit = 1 << 20};
    AUTO_ARENA arena = {.limit = (size_t)1 << SENDING_SHIFT};
    struct notify_target target;
    struct outbox_sent sent;
    struct telemetry_span span;
    if (!route_target(&secrets, route, a->server->options.config->root,
                      a->server->options.record.env, &target, err))
        return false;
    target.out = stdout;
    for (size_t n = 0; n < SENT_IN_A_ROW && !a->closing; n++) {
        telemetry_begin(server_telemetry(a->server), NULL, STR(""), &span);
        if (!outbox_send(record, &arena, &a->routes, route, &target, owner, &a->breaker[i], &sent,
                         err))
            return false;
        if (!sent.some)
            break;
        telemetry_caused(&span, sent.trace);
        tell_sent(a, route, &sent, &span);
        arena_reset(&arena);
    }
    if (a->closing)
        return true;
    telemetry_begin(server_telemetry(a->server), NULL, STR(""), &span);
    if (!outbox_resend(record, &arena, &a->routes, route, &target, &a->breaker[i], &sent, err))
        return false;
    if (sent.some)
        tell_sent(a, route, &sent, &span);
    return true;
}

static void send_mine(struct alerter *a, size_t mine, struct str owner)
{
    struct arena arena = {0};
    struct record record = {0};
    struct err err = {0};
    if (!open_store(a, &arena, &record, &err)) {
        tell_error(a, mine, &err);
        close_store(&arena, &record);
        return;
    }
    for (size_t i = mine; i < a->routes.n && !a->closing; i += a->nsenders) {
        err_clear(&err);
        if (!outbox_breaker_open(&a->breaker[i], record_now(&record)))
            continue;
        if (send_route(a, &record, i, owner, &err)) {
            a->told[i] = 0;
            continue;
        }
        tell_error(a, i, &err);
        /* as after a failure: not twice a second */
        a->breaker[i].set_utc_ms = record_now(&record);
        a->breaker[i].until_utc_ms = a->breaker[i].set_utc_ms + 10 * (int64_t)LOOK_MS;
    }
    close_store(&arena, &record);
}

static void *send_on(void *ctx)
{
    struct sender *s = ctx;
    struct alerter *a = s->alerter;
    (void)pthread_mutex_lock(&a->lock);
    while (!a->closing) {
        if (!s->wanted) {
            (void)pthread_cond_wait(&a->work, &a->lock);
            continue;
        }
        s->wanted = false;
        (void)pthread_mutex_unlock(&a->lock);
        send_mine(a, (size_t)(s - a->sender), s->owner);
        (void)pthread_mutex_lock(&a->lock);
    }
    (void)pthread_mutex_unlock(&a->lock);
    a->at_work--;
    return NULL;
}

/* --- making --- */

static bool look(struct alerter *a, struct record *record, bool *due, struct err *err)
{
    struct outbox_done done = {.more = true};
    while (done.more && !a->closing)
        if (!outbox_step(record, &a->routes, &done, err))
            return false;
    if (done.made)
        LOG(log_of(a), LOG_DEBUG, "alerts", "made", LOG_NUMBER("messages", (int64_t)done.made));
    if (!outbox_due(record, &a->routes, due, err))
        return false;
    bool any = false;
    (void)pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->routes.n; i++) {
        a->sender[i % a->nsenders].wanted |= due[i];
        any |= due[i];
    }
    if (any)
        (void)pthread_cond_broadcast(&a->work);
    (void)pthread_mutex_unlock(&a->lock);
    return true;
}

/* The same trouble is told once; and when it is over. */
static void tell_trouble(struct alerter *a, const struct err *err)
{
    char text[ERR_TEXT_MAX] = "";
    if (err->kind)
        (void)err_text(err, text, sizeof text);
    if (strcmp(text, a->trouble) == 0)
        return;
    memcpy(a->trouble, text, sizeof text);
    hub_trouble(a->server->hub, PART_ALERTER, *text ? text : NULL);
    if (*text)
        LOG(log_of(a), LOG_ERROR, "alerts", "no alerts can be made now",
            LOG_TEXT("error", str_from(text)));
    else
        LOG(log_of(a), LOG_INFO, "alerts", "alerts can be made again",
            LOG_NUMBER("receivers", (int64_t)a->routes.n));
}

/* Is it of a process that was here and is not any more? */
static bool is_gone(struct str owner, const void *ctx)
{
    const struct alerter *a = ctx;
    struct str rest = str_sub(owner, a->place.len, owner.len), number;
    int64_t pid = 0;
    return a->place.len && str_starts(owner, a->place) && str_cut(&rest, '/', &number) &&
           str_to_int64(number, &pid) && pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) != 0 &&
           errno == ESRCH;
}

static bool open_making(struct alerter *a, struct arena *arena, struct record *record,
                        struct err *err)
{
    return record->db ||
           (open_store(a, arena, record, err) && outbox_release(record, is_gone, a, err));
}

static void *make_on(void *ctx)
{
    struct alerter *a = ctx;
    struct arena arena = {0};
    struct record record = {0};
    bool *due = arena_new(&a->arena, bool, a->routes.n);
    uint64_t seen = 0;
    while (due && !a->closing) {
        struct err err = {0};
        hub_beat(a->server->hub, PART_ALERTER, BEAT_MS);
        bool ok = open_making(a, &arena, &record, &err) && look(a, &record, due, &err);
        if (!ok) /* the connection may be what is wrong */
            close_store(&arena, &record);
        tell_trouble(a, &err);
        if (!a->closing)
            seen = hub_wait(a->server->hub, HUB_ALERTS, seen, LOOK_MS);
    }
    close_store(&arena, &record);
    return NULL;
}

/* --- opening --- */

/* What it lacks is said before anything is to be sent: that may be in a month. */
static void tell_lacking(struct alerter *a)
{
    const struct server_options *o = &a->server->options;
    for (size_t i = 0; i < a->routes.n; i++) {
        struct err err = {0};
        bool absent;
        if (!route_check(&a->routes, &a->routes.item[i], o->config->root, o->record.env, &absent,
                         &err))
            tell_error(a, i, &err);
    }
}

static bool find_place(struct alerter *a, struct err *err)
{
    struct stat space;
    struct str boot = STR("");
    if (stat("/proc/self/ns/pid", &space) != 0 ||
        !io_read_file(&a->arena, "/proc/sys/kernel/random/boot_id", 64, &boot, NULL))
        return true;
    a->place = arena_printf(&a->arena, "%.*s.%llu/", STR_ARG(str_trim(boot)),
                            (unsigned long long)space.st_ino);
    return a->place.ptr || arena_full(&a->arena, err);
}

static bool start(struct alerter *a, struct err *err)
{
    if (!find_place(a, err))
        return false;
    a->nsenders = a->routes.n < ALERTER_SENDERS_MOST ? a->routes.n : ALERTER_SENDERS_MOST;
    for (size_t i = 0; i < a->nsenders; i++) {
        struct sender *s = &a->sender[i];
        s->alerter = a;
        s->owner = arena_printf(&a->arena, "%.*s%lld/%zu/%lld/%lld", STR_ARG(a->place),
                                (long long)getpid(), i, (long long)clock_wall_ms(),
                                (long long)clock_monotonic_ms());
        if (!s->owner.ptr)
            return arena_full(&a->arena, err);
        a->at_work++;
        s->started = pthread_create(&s->thread, NULL, send_on, s) == 0;
        a->at_work -= !s->started;
        if (!s->started)
            return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    a->started = pthread_create(&a->thread, NULL, make_on, a) == 0;
    return a->started || err_set(err, ERR_LIMIT, "a thread cannot be started");
}

bool alerter_open(struct alerter **ret, struct server *server, struct err *err)
{
    *ret = NULL;
    if (!server->options.config || server->options.config->nnotify == 0)
        return true;
    struct alerter *a = calloc(1, sizeof *a);
    if (!a)
        return err_set(err, ERR_LIMIT, "out of memory");
    a->server = server;
    a->arena.limit = ROUTES_ARENA;
    if (!routes_open(&a->arena, server->options.config, &a->routes, err)) {
        arena_free(&a->arena);
        free(a);
        return false;
    }
    (void)pthread_mutex_init(&a->lock, NULL);
    (void)pthread_cond_init(&a->work, NULL);
    a->breaker = arena_new(&a->arena, struct outbox_breaker, a->routes.n);
    a->told = arena_new(&a->arena, uint64_t, a->routes.n);
    if (a->breaker && a->told)
        tell_lacking(a);
    if (((a->breaker && a->told) || arena_full(&a->arena, err)) && start(a, err)) {
        *ret = a;
        return true;
    }
    alerter_close(a);
    return false;
}

void alerter_rest(struct alerter *a)
{
    if (!a)
        return;
    (void)pthread_mutex_lock(&a->lock);
    a->closing = true;
    (void)pthread_cond_broadcast(&a->work);
    (void)pthread_mutex_unlock(&a->lock);
    hub_wake(a->server->hub);
    if (!a->started)
        return;
    (void)pthread_join(a->thread, NULL);
    a->started = false;
    hub_beat(a->server->hub, PART_ALERTER, 0);
    hub_trouble(a->server->hub, PART_ALERTER, NULL);
}

bool alerter_is_done(const struct alerter *a)
{
    return !a || a->at_work == 0;
}

void alerter_close(struct alerter *a)
{
    if (!a)
        return;
    alerter_rest(a);
    for (size_t i = 0; i < a->nsenders; i++)
        if (a->sender[i].started)
            (void)pthread_join(a->sender[i].thread, NULL);
    (void)pthread_cond_destroy(&a->work);
    (void)pthread_mutex_destroy(&a->lock);
    arena_free(&a->arena);
    free(a);
}
