/* committer.c - batches of changes, one transaction each. */
#include "serve/committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/record.h"

enum { BATCH_MAX = 128, TICK_MS = 1000 };

struct committer {
    struct committer_options options;
    struct record_options record_options;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct commit_job *first, *last;
    bool closing, well, started;
    pthread_t thread;

    /* the thread's own */
    struct arena arena;
    struct record record;
    bool open;
    int64_t ticked_ms;
};

/* A server that went away takes its connection with it: the next batch has another. */
static bool ensure_open(struct committer *c, struct err *err)
{
    if (c->open)
        return true;
    arena_free(&c->arena);
    c->arena = (struct arena){.limit = ARENA_DEFAULT_LIMIT};
    c->open = record_open(&c->arena, &c->record_options, &c->record, err);
    return c->open;
}

static void close_record(struct committer *c)
{
    if (c->open)
        record_close(&c->record);
    c->open = false;
}

static bool run_all(struct committer *c, struct commit_job *const job[], size_t n, struct err *err)
{
    struct event event[BATCH_MAX];
    size_t nevents = 0;
    int64_t first = 0;
    for (size_t i = 0; i < n; i++) {
        bool has_event = false;
        if (!job[i]->run(job[i], &c->record, &event[nevents], &has_event, err))
            return false;
        nevents += has_event;
    }
    return nevents == 0 || audit_append_many(&c->record, event, nevents, &first, err);
}

static bool commit_batch(struct committer *c, struct commit_job *const job[], size_t n,
                         struct err *err)
{
    if (!ensure_open(c, err))
        return false;
    if (db_begin(c->record.db, DB_WRITE, err) && run_all(c, job, n, err) &&
        db_commit(c->record.db, err))
        return true;
    db_rollback(c->record.db);
    if (err->kind == ERR_UNAVAILABLE)
        close_record(c);
    return false;
}

static void set_well(struct committer *c, bool well)
{
    (void)pthread_mutex_lock(&c->lock);
    c->well = well;
    (void)pthread_mutex_unlock(&c->lock);
}

static void do_batch(struct committer *c, struct commit_job *const job[], size_t n)
{
    struct err err = {0};
    bool ok = commit_batch(c, job, n, &err);
    set_well(c, ok || n > 1);
    for (size_t i = 0; i < n; i++) {
        if (!ok && n > 1) {
            struct err alone = {0};
            bool done = commit_batch(c, &job[i], 1, &alone);
            set_well(c, done);
            job[i]->done(job[i], done ? NULL : &alone);
        } else {
            job[i]->done(job[i], ok ? NULL : &err);
        }
    }
}

static void tick(struct committer *c)
{
    int64_t now = clock_monotonic_ms();
    struct err err = {0};
    if (!c->options.tick || now - c->ticked_ms < TICK_MS)
        return;
    c->ticked_ms = now;
    if (ensure_open(c, &err))
        c->options.tick(c->options.ctx, &c->record);
}

/* At most BATCH_MAX jobs off the list; waits until there is one, or it is time to tick. */
static size_t take(struct committer *c, struct commit_job *ret[BATCH_MAX], bool *ret_end)
{
    struct timespec until;
    size_t n = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TICK_MS / 1000;
    (void)pthread_mutex_lock(&c->lock);
    while (!c->first && !c->closing)
        if (pthread_cond_timedwait(&c->work, &c->lock, &until) == ETIMEDOUT)
            break;
    for (; c->first && n < BATCH_MAX; n++) {
        ret[n] = c->first;
        c->first = c->first->next;
    }
    if (!c->first)
        c->last = NULL;
    *ret_end = n == 0 && c->closing;
    (void)pthread_mutex_unlock(&c->lock);
    return n;
}

static void *work(void *ctx)
{
    struct committer *c = ctx;
    struct commit_job *job[BATCH_MAX];
    for (bool end = false; !end;) {
        size_t n = take(c, job, &end);
        if (n)
            do_batch(c, job, n);
        if (!end)
            tick(c);
    }
    return NULL;
}

bool committer_open(struct committer **ret, const struct committer_options *options,
                    struct err *err)
{
    struct committer *c = calloc(1, sizeof *c);
    pthread_condattr_t monotonic;
    if (!c)
        return err_set(err, ERR_LIMIT, "out of memory");
    c->options = *options;
    c->record_options = *options->record;
    c->well = true;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->work, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (!ensure_open(c, err)) {
        committer_close(c);
        return false;
    }
    tick(c);
    c->started = pthread_create(&c->thread, NULL, work, c) == 0;
    if (!c->started) {
        committer_close(c);
        return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    *ret = c;
    return true;
}

void committer_add(struct committer *c, struct commit_job *job)
{
    (void)pthread_mutex_lock(&c->lock);
    job->next = NULL;
    *(c->last ? &c->last->next : &c->first) = job;
    c->last = job;
    (void)pthread_cond_signal(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
}

bool committer_is_well(struct committer *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool well = c->well;
    (void)pthread_mutex_unlock(&c->lock);
    return well;
}

void committer_close(struct committer *c)
{
    if (!c)
        return;
    (void)pthread_mutex_lock(&c->lock);
    c->closing = true;
    (void)pthread_cond_signal(&c->work);
    (void)pthread_mutex_unlock(&c->lock);
    if (c->started)
        (void)pthread_join(c->thread, NULL);
    close_record(c);
    arena_free(&c->arena);
    (void)pthread_cond_destroy(&c->work);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}
