/* progress.c - done/total, rate, provider, time to go. */
#include "cli/progress.h"

void progress_open(struct progress *progress, FILE *out, bool terminal, int64_t (*now_ms)(void))
{
    *progress = (struct progress){.out = out, .terminal = terminal, .now_ms = now_ms};
    progress->started_ms = now_ms();
    (void)pthread_mutex_init(&progress->lock, NULL);
}

void progress_stack(struct progress *progress, struct str name, size_t nth, size_t nstacks)
{
    (void)pthread_mutex_lock(&progress->lock);
    progress->stack = name;
    progress->nth = nth;
    progress->nstacks = nstacks;
    progress->done_before += progress->done;
    progress->done = 0;
    (void)pthread_mutex_unlock(&progress->lock);
}

/* With the lock held. */
static void clear(struct progress *progress)
{
    if (progress->drawn)
        (void)fputs("\r\033[K", progress->out);
    progress->drawn = false;
}

static void print_time_to_go(FILE *out, int64_t seconds)
{
    if (seconds >= 3600)
        (void)fprintf(out, ", %lld h %02lld min to go", (long long)(seconds / 3600),
                      (long long)(seconds % 3600 / 60));
    else if (seconds >= 60)
        (void)fprintf(out, ", %lld min %02lld s to go", (long long)(seconds / 60),
                      (long long)(seconds % 60));
    else
        (void)fprintf(out, ", %lld s to go", (long long)seconds);
}

static void draw(struct progress *progress, uint64_t total, struct str what, int64_t now)
{
    int64_t elapsed_ms = now - progress->started_ms;
    uint64_t all = progress->done_before + progress->done;
    uint64_t rate = elapsed_ms > 0 ? all * 1000 / (uint64_t)elapsed_ms : 0;
    clear(progress);
    if (progress->nstacks > 1)
        (void)fprintf(progress->out, "[%zu/%zu] ", progress->nth, progress->nstacks);
    (void)fprintf(progress->out, "%.*s: %llu/%llu resources, %llu/s", STR_ARG(progress->stack),
                  (unsigned long long)progress->done, (unsigned long long)total,
                  (unsigned long long)rate);
    if (what.len)
        (void)fprintf(progress->out, ", %.*s", STR_ARG(what));
    if (rate > 0 && total > progress->done)
        print_time_to_go(progress->out, (int64_t)((total - progress->done) / rate));
    if (!progress->terminal)
        (void)fputc('\n', progress->out);
    (void)fflush(progress->out);
    progress->drawn = progress->terminal;
    progress->drawn_ms = now;
}

void progress_report(struct progress *progress, uint64_t done, uint64_t total, struct str what)
{
    if (!progress->out)
        return;
    (void)pthread_mutex_lock(&progress->lock);
    int64_t now = progress->now_ms();
    int64_t pause = progress->terminal ? PROGRESS_TERMINAL_MS : PROGRESS_PLAIN_MS;
    progress->done = done;
    int64_t due =
        progress->drawn_ms ? progress->drawn_ms + pause : progress->started_ms + PROGRESS_FIRST_MS;
    if (now >= due)
        draw(progress, total, what, now);
    (void)pthread_mutex_unlock(&progress->lock);
}

void progress_clear(struct progress *progress)
{
    if (!progress->out)
        return;
    (void)pthread_mutex_lock(&progress->lock);
    clear(progress);
    (void)pthread_mutex_unlock(&progress->lock);
}

void progress_close(struct progress *progress)
{
    progress_clear(progress);
    if (progress->out)
        (void)fflush(progress->out);
    (void)pthread_mutex_destroy(&progress->lock);
}
