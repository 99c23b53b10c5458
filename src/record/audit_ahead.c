/* audit_ahead.c - three batches in turn, and the thread that hashes them. */
#include "record/audit_ahead.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"

enum { BATCHES = 3, BATCH_ROWS = 1024, BATCH_BYTES = 1 << 20, BATCH_BYTES_MAX = 1 << 28 };

/* While a batch is filled its texts are places in `text`, which may move. */
struct batch {
    struct audit_row row[BATCH_ROWS];
    size_t n;
    struct buf text;
    bool failed; /* SHA-256 */
};

struct audit_ahead {
    bool (*take)(void *ctx, const struct audit_row *row, struct err *err);
    void *ctx;
    struct hasher *hasher; /* the thread's */
    struct batch batch[BATCHES];
    struct batch *filling; /* what is before it in turn is hashed, if anything is */
    size_t turn;
    pthread_t thread;
    bool started;
    /* under the mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct batch *work; /* to be hashed; NULL: it is done */
    bool closing;
};

static void hash(struct hasher *hasher, struct batch *batch)
{
    for (size_t i = 0; i < batch->n && !batch->failed; i++) {
        struct audit_row *row = &batch->row[i];
        batch->failed = !audit_verify_read(hasher, row->line, &row->read);
    }
}

static void *work(void *ctx)
{
    struct audit_ahead *a = ctx;
    pthread_mutex_lock(&a->mutex);
    for (;;) {
        while (!a->work && !a->closing)
            pthread_cond_wait(&a->changed, &a->mutex);
        if (a->closing)
            break;
        struct batch *batch = a->work;
        pthread_mutex_unlock(&a->mutex);
        hash(a->hasher, batch);
        pthread_mutex_lock(&a->mutex);
        a->work = NULL;
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->mutex);
    return NULL;
}

bool audit_ahead_open(struct audit_ahead **ret,
                      bool (*take)(void *ctx, const struct audit_row *row, struct err *err),
                      void *ctx, struct err *err)
{
    struct audit_ahead *a = calloc(1, sizeof *a);
    if (!a)
        return err_set(err, ERR_LIMIT, "no memory for the lines of the log");
    *a = (struct audit_ahead){.take = take,
                              .ctx = ctx,
                              .mutex = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    for (size_t i = 0; i < BATCHES; i++)
        a->batch[i].text.limit = BATCH_BYTES_MAX;
    a->filling = &a->batch[0];
    a->hasher = hasher_open(err);
    if (!a->hasher) {
        audit_ahead_close(a);
        return false;
    }
    a->started = pthread_create(&a->thread, NULL, work, a) == 0;
    *ret = a;
    return true;
}

void audit_ahead_close(struct audit_ahead *a)
{
    if (!a)
        return;
    if (a->started) {
        pthread_mutex_lock(&a->mutex);
        a->closing = true;
        pthread_cond_broadcast(&a->changed);
        pthread_mutex_unlock(&a->mutex);
        pthread_join(a->thread, NULL);
    }
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->mutex);
    for (size_t i = 0; i < BATCHES; i++)
        buf_free(&a->batch[i].text);
    hasher_close(a->hasher);
    free(a);
}

/* --- a batch goes on --- */

static void view(const struct batch *batch, struct str *text, size_t *at)
{
    *text = str_sub(buf_view(&batch->text), *at, *at + text->len);
    *at += text->len;
}

static void settle(struct batch *batch)
{
    size_t at = 0;
    for (size_t i = 0; i < batch->n; i++) {
        struct audit_row *row = &batch->row[i];
        view(batch, &row->line, &at);
        view(batch, &row->type, &at);
        view(batch, &row->stack, &at);
        view(batch, &row->actor, &at);
    }
}

/* To the thread, once it has done what it was given before. */
static void give(struct audit_ahead *a, struct batch *batch)
{
    settle(batch);
    if (!a->started) {
        hash(a->hasher, batch);
        return;
    }
    pthread_mutex_lock(&a->mutex);
    while (a->work)
        pthread_cond_wait(&a->changed, &a->mutex);
    a->work = batch;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
}

static void wait_for_all(struct audit_ahead *a)
{
    if (!a->started)
        return;
    pthread_mutex_lock(&a->mutex);
    while (a->work)
        pthread_cond_wait(&a->changed, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
}

static bool look(struct audit_ahead *a, struct batch *batch, struct err *err)
{
    if (batch->failed)
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    for (size_t i = 0; i < batch->n; i++)
        if (!a->take(a->ctx, &batch->row[i], err))
            return false;
    return true;
}

/* The one that is full goes to the thread, the one before it is looked at, and the one before that,
 * whose last line was needed until now, is filled anew. */
static bool next_batch(struct audit_ahead *a, struct err *err)
{
    struct batch *before = &a->batch[(a->turn + BATCHES - 1) % BATCHES];
    give(a, a->filling);
    if (!look(a, before, err))
        return false;
    a->turn = (a->turn + 1) % BATCHES;
    a->filling = &a->batch[a->turn];
    a->filling->n = 0;
    a->filling->text.len = 0;
    return true;
}

bool audit_ahead_add(struct audit_ahead *a, const struct audit_row *row, struct err *err)
{
    if ((a->filling->n == BATCH_ROWS || a->filling->text.len >= BATCH_BYTES) && !next_batch(a, err))
        return false;
    struct batch *batch = a->filling;
    const struct str text[] = {row->line, row->type, row->stack, row->actor};
    batch->row[batch->n++] = *row;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        buf_str(&batch->text, text[i]);
    return buf_ok(&batch->text, err);
}

bool audit_ahead_end(struct audit_ahead *a, struct err *err)
{
    struct batch *last = a->filling;
    if (!next_batch(a, err))
        return false;
    wait_for_all(a);
    return look(a, last, err);
}
