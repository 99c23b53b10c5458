/* audit_settler.c - a thread that makes the checkpoints that are due, for a process that stays. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit_checkpoint.h"
#include "record/record.h"

enum { LOOK_S = 5, STORE_ARENA = 64 << 20 };

struct audit_settler {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    pthread_t thread;
    bool closing;
    struct arena arena;
    struct record record;
    void (*warn)(void *ctx, const char *text);
    void *ctx;
    char told[ERR_TEXT_MAX]; /* the same trouble is told once */
};

/* False: it is to end. */
static bool wait_a_little(struct audit_settler *s)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_S;
    pthread_mutex_lock(&s->mutex);
    while (!s->closing && pthread_cond_timedwait(&s->wake, &s->mutex, &until) == 0)
        ;
    bool on = !s->closing;
    pthread_mutex_unlock(&s->mutex);
    return on;
}

static void settle(struct audit_settler *s)
{
    struct err err = {0};
    char text[ERR_TEXT_MAX] = "";
    if (!audit_settle(&s->record, &err))
        (void)err_text(&err, text, sizeof text);
    if (*text && strcmp(text, s->told) != 0)
        s->warn(s->ctx, text);
    memcpy(s->told, text, sizeof text);
}

static void *settle_on(void *ctx)
{
    struct audit_settler *s = ctx;
    while (wait_a_little(s))
        settle(s);
    settle(s); /* what was written since */
    return NULL;
}

static void dispose(struct audit_settler *s)
{
    record_close(&s->record);
    arena_free(&s->arena);
    free(s);
}

bool audit_settler_open(struct audit_settler **ret, const struct record_options *options,
                        void (*warn)(void *ctx, const char *text), void *ctx, struct err *err)
{
    pthread_condattr_t monotonic;
    struct audit_settler *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, ERR_LIMIT, "out of memory");
    s->arena.limit = STORE_ARENA;
    s->warn = warn;
    s->ctx = ctx;
    if (!record_open(&s->arena, options, &s->record, err)) {
        dispose(s);
        return false;
    }
    pthread_mutex_init(&s->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&s->thread, NULL, settle_on, s) != 0) {
        dispose(s);
        return err_set(err, ERR_LIMIT, "the thread of checkpoints cannot be started");
    }
    *ret = s;
    return true;
}

void audit_settler_close(struct audit_settler *settler)
{
    if (!settler)
        return;
    pthread_mutex_lock(&settler->mutex);
    settler->closing = true;
    pthread_cond_signal(&settler->wake);
    pthread_mutex_unlock(&settler->mutex);
    pthread_join(settler->thread, NULL);
    pthread_mutex_destroy(&settler->mutex);
    pthread_cond_destroy(&settler->wake);
    dispose(settler);
}
