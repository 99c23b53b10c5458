/* append.c - fills an audit log, and times durable appends against the bare database.
 *
 *   append fill URL N              N events, 1,000 a transaction
 *   append rate URL SECONDS        rounds in turn: bare commits, audit_write, audit_writer with
 *                                  THREADS callers; prints each rate and the ratios
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/record.h"

enum { BATCH = 1000, THREADS = 8, ROUNDS = 5, NWAYS = 3 };

static const char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static void die(const struct err *err)
{
    char text[2000];
    (void)fprintf(stderr, "append: %s\n", err_text(err, text, sizeof text));
    exit(1);
}

static struct event decision(void)
{
    static const struct event_input input[] = {
        {STR_INIT("state"),
         STR_INIT("sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0")},
        {STR_INIT("plan"),
         STR_INIT("sha256:f0e1d2c3b4a5968778695a4b3c2d1e0ff0e1d2c3b4a5968778695a4b3c2d1e0f")}};
    return (struct event){.type = EVENT_GATE_DECISION,
                          .actor = {STR("alice@example.org"), STR("oidc")},
                          .stack = STR("prod/network"),
                          .subject = STR("module.network.aws_security_group.internal[0]"),
                          .outcome = STR("allow"),
                          .reason = STR("no open finding, and the plan was made after the scan"),
                          .input = input,
                          .ninputs = 2};
}

static void fill(struct record *record, long n)
{
    static struct event event[BATCH];
    struct err err = {0};
    for (size_t i = 0; i < BATCH; i++)
        event[i] = decision();
    for (long done = 0; done < n; done += BATCH)
        if (!db_begin(record->db, DB_WRITE, &err) ||
            !audit_append_many(record, event, BATCH, NULL, &err) || !db_commit(record->db, &err))
            die(&err);
}

struct round {
    struct record *record;
    struct audit_writer *writer;
    int64_t until_ms;
    long n;
    pthread_mutex_t mutex;
};

/* A row of as many bytes as an event's line, committed alone. */
static void bare(struct round *r)
{
    static char line[600];
    struct err err = {0};
    memset(line, 'x', sizeof line);
    struct db_value row = DB_PARAM_TEXT(((struct str){line, sizeof line}));
    for (; clock_monotonic_ms() < r->until_ms; r->n++)
        if (!db_begin(r->record->db, DB_WRITE, &err) ||
            !db_run(r->record->db, "INSERT INTO bench_bare (line) VALUES ($1)", &row, 1, &err) ||
            !db_commit(r->record->db, &err))
            die(&err);
}

static void alone(struct round *r)
{
    struct err err = {0};
    struct event event = decision();
    for (; clock_monotonic_ms() < r->until_ms; r->n++)
        if (!audit_write(r->record, &event, NULL, &err))
            die(&err);
}

static void *call(void *ctx)
{
    struct round *r = ctx;
    struct err err = {0};
    struct event event = decision();
    long n = 0;
    for (; clock_monotonic_ms() < r->until_ms; n++)
        if (!audit_writer_write(r->writer, &event, NULL, &err))
            die(&err);
    pthread_mutex_lock(&r->mutex);
    r->n += n;
    pthread_mutex_unlock(&r->mutex);
    return NULL;
}

static void together(struct round *r)
{
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, call, r) != 0)
            exit(1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void rate(struct record *record, const struct record_options *options, double seconds)
{
    static void (*const ways[NWAYS])(struct round *) = {bare, alone, together};
    double got[NWAYS][ROUNDS];
    struct err err = {0};
    struct round r = {.record = record};
    pthread_mutex_init(&r.mutex, NULL);
    if (!db_script(record->db, "CREATE TABLE bench_bare (line TEXT NOT NULL)", &err) ||
        !audit_writer_open(&r.writer, options, &err))
        die(&err);
    for (int i = 0; i < ROUNDS; i++)
        for (int w = 0; w < NWAYS; w++) {
            int64_t start = clock_monotonic_ms();
            r.n = 0;
            r.until_ms = start + (int64_t)(seconds * 1000 / (ROUNDS * NWAYS));
            ways[w](&r);
            got[w][i] = (double)r.n * 1000 / (double)(clock_monotonic_ms() - start);
        }
    audit_writer_close(r.writer);
    for (int w = 0; w < NWAYS; w++)
        qsort(got[w], ROUNDS, sizeof(double), compare);
    double base = got[0][ROUNDS / 2];
    (void)printf("%.0f %.0f %.0f %.3f %.3f\n", base, got[1][ROUNDS / 2], got[2][ROUNDS / 2],
                 got[1][ROUNDS / 2] / base, got[2][ROUNDS / 2] / base);
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct record record;
    struct err err = {0};
    if (argc != 4)
        return 1;
    const struct record_options options = {.url = str_from(argv[2]), .env = no_env};
    if (!record_open(&arena, &options, &record, &err))
        die(&err);
    if (strcmp(argv[1], "fill") == 0)
        fill(&record, atol(argv[3]));
    else
        rate(&record, &options, atof(argv[3]));
    record_close(&record);
    return 0;
}
