/* feed_states.c - the thread that looks whether states that are kept elsewhere than in a file were
 * written: one after the other, each so often, never more requests a second than it may. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/backend.h"
#include "desired/desired.h"
#include "desired/remote.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "record/remote_state.h"
#include "serve/feeds_parts.h"
#include "serve/log.h"
#include "serve/server.h"

enum {
    EVERY_MS = 60000,
    PULL_EVERY_MS = 900000,
    REQUESTS = 10,   /* a second */
    LIST_MS = 60000, /* which stacks there are is asked anew */
    LATER_MOST = 5,  /* times that the wait doubles where it cannot be looked at */
    JITTER = 10,     /* each wait is shorter or longer by so many per cent at most */
    LIST_BYTES = 512 << 20,
    LOOK_BYTES = 64 << 20
};

/* A stack whose state is watched. */
struct watched {
    const struct stack *stack;
    enum remote_kind kind;
    int64_t due_ms;  /* monotonic */
    int failures;    /* one after the other */
    struct str mark; /* in its own arena */
    struct arena arena;
};

struct feed_states {
    struct server *server;
    int64_t every_ms[REMOTE_KIND_COUNT], gap_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool closing;
    volatile int cancel; /* of a pull */
    struct arena list_arena;
    struct feed_store store;
    struct watched *list; /* sorted by name */
    size_t n;
    int64_t listed_ms;
    uint64_t looks;
};

static void trouble(const struct feed_states *f, const char *what, struct str stack,
                    const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    LOG(f->server->options.log, LOG_WARN, "feeds", what, LOG_TEXT("stack", stack),
        LOG_TEXT("error", str_from(err_text(err, text, sizeof text))));
}

/* --- which stacks --- */

static void free_list(struct watched *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        arena_free(&list[i].arena);
}

static struct watched *find(struct watched *list, size_t n, struct str name)
{
    size_t from = 0, to = n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_compare(list[middle].stack->name, name);
        if (order == 0)
            return &list[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* Spread over the whole time by name, as schedules are: all do not come at once. */
static int64_t first_due(const struct feed_states *f, const struct watched *w, int64_t now)
{
    uint64_t every = (uint64_t)f->every_ms[w->kind];
    return now + (int64_t)(hash_bytes(w->stack->name, 1) % every);
}

/* What was seen of those that stay goes along. The first look of a stack is spread, too. */
static bool take_stacks(struct feed_states *f, struct arena *arena, const struct stacks *found,
                        struct err *err)
{
    struct watched *list = arena_new(arena, struct watched, found->n);
    int64_t now = clock_monotonic_ms();
    size_t n = 0;
    if (!list)
        return arena_full(arena, err);
    for (size_t i = 0; i < found->n; i++) {
        struct err why = {0};
        struct watched w = {.stack = &found->stack[i]};
        if (!remote_kind(arena, w.stack, &w.kind, &why) || w.kind == REMOTE_NONE)
            continue; /* what cannot be read is told by the scan */
        struct watched *old = find(f->list, f->n, w.stack->name);
        w.due_ms = first_due(f, &w, now);
        if (old && old->kind == w.kind && str_equal(old->stack->path, w.stack->path)) {
            w.due_ms = old->due_ms;
            w.failures = old->failures;
            w.mark = old->mark;
            w.arena = old->arena;
            old->arena = (struct arena){0};
        }
        list[n++] = w;
    }
    free_list(f->list, f->n);
    arena_free(&f->list_arena);
    f->list = list;
    f->n = n;
    return true;
}

static bool list_all(struct feed_states *f, struct err *err)
{
    const struct config *config = f->server->options.config;
    const struct stacks_query query = {.config = config,
                                       .env = f->server->options.record.env,
                                       .none_is_fine = true,
                                       .twice_is_fine = true};
    struct arena arena = {.limit = LIST_BYTES};
    struct stacks found = {0};
    f->listed_ms = clock_monotonic_ms();
    bool ok = stacks_find(&arena, &query, &found, err) && take_stacks(f, &arena, &found, err);
    if (!ok) {
        arena_free(&arena);
        return false;
    }
    f->list_arena = arena;
    metrics_set(server_metrics(f->server), METRIC_WATCHED_STATES, NULL, (double)f->n);
    return true;
}

/* --- a look --- */

/* Every look of every stack has its own place within the jitter, the same on every machine. */
static int64_t next_due(struct feed_states *f, const struct watched *w)
{
    int64_t every = f->every_ms[w->kind] << (w->failures < LATER_MOST ? w->failures : LATER_MOST);
    uint64_t span = (uint64_t)(every * JITTER / 100) * 2 + 1;
    uint64_t at = hash_bytes(w->stack->name, ++f->looks) % span;
    return clock_monotonic_ms() + every - (int64_t)(span / 2) + (int64_t)at;
}

static bool keep(struct watched *w, struct str mark, struct err *err)
{
    arena_free(&w->arena);
    w->arena = (struct arena){.limit = 1 << 16};
    w->mark = arena_dup(&w->arena, mark);
    return w->mark.ptr || arena_full(&w->arena, err);
}

/* Nobody has looked yet, but scans may have: was it written since the last one read it? The mark
 * was taken before, so that what is written from here on has another one. What cannot be read is
 * told by a scan. */
static bool is_other(struct feed_states *f, const struct watched *w, bool *ret, struct err *err)
{
    struct record *record = &f->store.record;
    struct backend_state state = {0};
    struct desired *desired = NULL;
    struct str none = STR("");
    if (!remote_state_is_other(record, w->stack->name, none, none, ret, err) || !*ret)
        return !*ret && !err->kind; /* no scan, nothing to compare with */
    if (!backend_load(w->stack, &state, NULL))
        return true;
    struct str text = state.at.missing ? none : state.at.text;
    bool ok = true, open = text.len && desired_open_state_text(text, state.at.name, &desired, NULL);
    if (open || !text.len)
        ok = remote_state_is_other(record, w->stack->name, text,
                                   open ? desired_info(desired)->label : state.at.why, ret, err);
    desired_close(desired);
    backend_release(&state);
    return ok;
}

static bool settle(struct feed_states *f, struct watched *w, struct str before, struct str mark,
                   struct err *err)
{
    bool touched = false, other = false;
    if (str_equal(mark, w->mark))
        return true;
    if (!feed_store_open(&f->store, f->server, err) ||
        (!before.len && !is_other(f, w, &other, err)) ||
        !remote_state_seen(&f->store.record, w->stack->name, mark, other, &touched, err)) {
        feed_store_forget(&f->store);
        return false;
    }
    if (touched) {
        LOG(f->server->options.log, LOG_INFO, "feeds", "a remote state changed",
            LOG_TEXT("stack", w->stack->name));
        metrics_add(server_metrics(f->server), METRIC_FEED_TOUCHES, LABELS(STR("state")), 1);
        server_wake(f->server);
    }
    return keep(w, mark, err);
}

static bool look_at(struct feed_states *f, struct watched *w, struct err *err)
{
    AUTO_ARENA arena = {.limit = LOOK_BYTES};
    struct str before = w->mark, mark;
    if (!before.len &&
        (!feed_store_open(&f->store, f->server, err) ||
         !remote_state_get(&f->store.record, &arena, w->stack->name, &before, err))) {
        feed_store_forget(&f->store);
        return false;
    }
    return remote_mark(&arena, w->stack, before, clock_wall_ms(), &f->cancel, &mark, err) &&
           settle(f, w, before, mark, err);
}

static void look(struct feed_states *f, struct watched *w)
{
    struct err err = {0};
    bool ok = look_at(f, w, &err);
    metrics_add(server_metrics(f->server), METRIC_STATE_LOOKS,
                LABELS(ok ? STR("ok") : STR("failed")), 1);
    if (!ok && !w->failures && !f->cancel)
        trouble(f, "whether a remote state changed cannot be seen", w->stack->name, &err);
    w->failures = ok ? 0 : w->failures + 1;
    w->due_ms = next_due(f, w);
}

/* --- the thread --- */

static struct watched *earliest(const struct feed_states *f)
{
    struct watched *first = NULL;
    for (size_t i = 0; i < f->n; i++)
        if (!first || f->list[i].due_ms < first->due_ms)
            first = &f->list[i];
    return first;
}

/* False: it is to end. */
static bool wait_until(struct feed_states *f, int64_t at_ms)
{
    struct timespec until = {at_ms / 1000, (long)(at_ms % 1000) * 1000000};
    (void)pthread_mutex_lock(&f->lock);
    while (!f->closing && clock_monotonic_ms() < at_ms)
        (void)pthread_cond_timedwait(&f->change, &f->lock, &until);
    bool on = !f->closing;
    (void)pthread_mutex_unlock(&f->lock);
    return on;
}

static void *work(void *ctx)
{
    struct feed_states *f = ctx;
    int64_t free_ms = 0; /* the next request may be made then */
    for (bool on = true; on;) {
        struct err err = {0};
        if ((!f->listed_ms || clock_monotonic_ms() - f->listed_ms >= LIST_MS) && !list_all(f, &err))
            trouble(f, "remote states cannot be listed", STR(""), &err);
        struct watched *w = earliest(f);
        int64_t at = f->listed_ms + LIST_MS;
        if (w && w->due_ms < at)
            at = w->due_ms > free_ms ? w->due_ms : free_ms;
        on = wait_until(f, at);
        if (on && w && w->due_ms <= clock_monotonic_ms()) {
            free_ms = clock_monotonic_ms() + f->gap_ms;
            look(f, w);
        }
    }
    return NULL;
}

static bool start(struct feed_states *f, struct err *err)
{
    pthread_condattr_t attr;
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&f->change, &attr);
    (void)pthread_condattr_destroy(&attr);
    return pthread_create(&f->thread, NULL, work, f) == 0 ||
           err_set(err, ERR_LIMIT, "the thread of remote states cannot be started");
}

bool feed_states_open(struct feed_states **ret, struct server *server, struct err *err)
{
    const struct config *config = server->options.config;
    if (!config || !config->path.len || config->serve.feeds.watch_off ||
        config->serve.feeds.states_off)
        return true;
    const struct config_feeds *given = &config->serve.feeds;
    struct feed_states *f = calloc(1, sizeof *f);
    if (!f)
        return err_set(err, ERR_LIMIT, "out of memory");
    f->server = server;
    for (size_t i = 0; i < REMOTE_KIND_COUNT; i++)
        f->every_ms[i] = given->states_every_ms ? given->states_every_ms : EVERY_MS;
    f->every_ms[REMOTE_PULL] = given->states_pull_ms ? given->states_pull_ms : PULL_EVERY_MS;
    f->gap_ms = 1000 / (given->states_requests ? given->states_requests : REQUESTS);
    if (!start(f, err)) {
        free(f);
        return false;
    }
    *ret = f;
    return true;
}

void feed_states_close(struct feed_states *f)
{
    if (!f)
        return;
    (void)pthread_mutex_lock(&f->lock);
    f->closing = true;
    f->cancel = 1;
    (void)pthread_cond_broadcast(&f->change);
    (void)pthread_mutex_unlock(&f->lock);
    (void)pthread_join(f->thread, NULL);
    free_list(f->list, f->n);
    arena_free(&f->list_arena);
    feed_store_close(&f->store);
    (void)pthread_mutex_destroy(&f->lock);
    (void)pthread_cond_destroy(&f->change);
    free(f);
}
