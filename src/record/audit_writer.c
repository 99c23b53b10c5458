/* audit_writer.c - one thread writes for many: what waits together is committed together. */
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/record.h"

enum { BATCH_MAX = 256 };

/* One caller's event, on the caller's stack until it is done. */
struct job {
    struct job *next;
    const struct event *event;
    int64_t seq;
    bool done, ok;
    struct err err;
};

struct audit_writer {
    pthread_mutex_t mutex;
    pthread_cond_t work, finished;
    struct job *first, **last; /* in the order they came */
    bool closing;
    pthread_t thread;
    struct arena arena;
    struct record record;
};

/* At most BATCH_MAX jobs off the list; blocks until there is one, 0 = the end. */
static size_t take(struct audit_writer *w, struct job *ret[BATCH_MAX])
{
    size_t n = 0;
    pthread_mutex_lock(&w->mutex);
    while (!w->first && !w->closing)
        pthread_cond_wait(&w->work, &w->mutex);
    for (; w->first && n < BATCH_MAX; n++) {
        ret[n] = w->first;
        w->first = w->first->next;
    }
    if (!w->first)
        w->last = &w->first;
    pthread_mutex_unlock(&w->mutex);
    return n;
}

static bool append_all(struct audit_writer *w, struct job *job[], size_t n, struct err *err)
{
    struct event event[BATCH_MAX];
    int64_t first = 0;
    for (size_t i = 0; i < n; i++)
        event[i] = *job[i]->event;
    if (!db_begin(w->record.db, DB_WRITE, err))
        return false;
    if (!audit_append_many(&w->record, event, n, &first, err) || !db_commit(w->record.db, err)) {
        db_rollback(w->record.db);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        job[i]->seq = first + (int64_t)i;
    return true;
}

/* An event that cannot be written must not take the others with it: then one at a time. */
static void write_batch(struct audit_writer *w, struct job *job[], size_t n)
{
    struct err err = {0};
    bool ok = append_all(w, job, n, &err);
    bool alone = !ok && n > 1 && (err.kind == ERR_SYNTAX || err.kind == ERR_LIMIT);
    for (size_t i = 0; i < n; i++) {
        job[i]->ok = ok;
        job[i]->err = err;
        if (alone) {
            job[i]->err = (struct err){0};
            job[i]->ok = append_all(w, &job[i], 1, &job[i]->err);
        }
    }
}

static void *write_for_all(void *ctx)
{
    struct audit_writer *w = ctx;
    struct job *job[BATCH_MAX];
    for (size_t n; (n = take(w, job)) > 0;) {
        write_batch(w, job, n);
        pthread_mutex_lock(&w->mutex);
        for (size_t i = 0; i < n; i++)
            job[i]->done = true;
        pthread_cond_broadcast(&w->finished);
        pthread_mutex_unlock(&w->mutex);
    }
    return NULL;
}

bool audit_writer_open(struct audit_writer **ret, const struct record_options *options,
                       struct err *err)
{
    struct audit_writer *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, ERR_LIMIT, "out of memory");
    w->arena.limit = 64 << 20;
    w->last = &w->first;
    if (!record_open(&w->arena, options, &w->record, err)) {
        arena_free(&w->arena);
        free(w);
        return false;
    }
    pthread_mutex_init(&w->mutex, NULL);
    pthread_cond_init(&w->work, NULL);
    pthread_cond_init(&w->finished, NULL);
    if (pthread_create(&w->thread, NULL, write_for_all, w) != 0) {
        record_close(&w->record);
        arena_free(&w->arena);
        free(w);
        return err_set(err, ERR_LIMIT, "the audit log's thread cannot be started");
    }
    *ret = w;
    return true;
}

bool audit_writer_write(struct audit_writer *writer, const struct event *event, int64_t *ret_seq,
                        struct err *err)
{
    struct job job = {.event = event};
    pthread_mutex_lock(&writer->mutex);
    *writer->last = &job;
    writer->last = &job.next;
    pthread_cond_signal(&writer->work);
    while (!job.done)
        pthread_cond_wait(&writer->finished, &writer->mutex);
    pthread_mutex_unlock(&writer->mutex);
    if (!job.ok && err)
        *err = job.err;
    if (job.ok && ret_seq)
        *ret_seq = job.seq;
    return job.ok;
}

void audit_writer_close(struct audit_writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->mutex);
    writer->closing = true;
    pthread_cond_signal(&writer->work);
    pthread_mutex_unlock(&writer->mutex);
    pthread_join(writer->thread, NULL);
    pthread_mutex_destroy(&writer->mutex);
    pthread_cond_destroy(&writer->work);
    pthread_cond_destroy(&writer->finished);
    record_close(&writer->record);
    arena_free(&writer->arena);
    free(writer);
}
