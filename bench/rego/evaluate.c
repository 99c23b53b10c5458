/* evaluate.c - one query over one input, evaluated again and again: the best time, and how threads scale.
 *
 *   evaluate POLICY INPUT QUERY RUNS            "SECONDS RESULT" of the best evaluation; RESULT is JSON
 *   evaluate POLICY INPUT QUERY RUNS THREADS    evaluations per second of so many threads at once, RUNS each
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/rego/rego.h"
#include "wire/json.h"

enum { TEXT_MAX = 1 << 28, THREADS_MAX = 64 };

struct job { /* of one thread: on lines of the cache that no other one writes */
    _Alignas(64) const struct rego_query *query;
    const struct value *input;
    long runs;
    double best; /* seconds */
    struct buf result;
};

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void stop(const char *why)
{
    (void)fprintf(stderr, "evaluate: %s\n", why);
    exit(1);
}

static void *run(void *ctx)
{
    struct job *job = ctx;
    const struct rego_eval_options options = {.host = {.now_utc_ns = INT64_MIN}, .plain_input = true};
    job->best = 1e9;
    for (long i = 0; i < job->runs; i++) {
        AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
        struct err err = {0};
        struct rego_result result;
        double start = seconds();
        if (!rego_eval(job->query, job->input, &options, &arena, &result, &err))
            stop(err.frame[0]);
        double took = seconds() - start;
        if (result.error.code || !result.values.len)
            stop("the query has no answer");
        job->best = took < job->best ? took : job->best;
        if (i == 0)
            rego_json(&job->result, &result.values.items[0].items[0]);
    }
    return NULL;
}

static void run_threads(const struct job *job, size_t n)
{
    pthread_t thread[THREADS_MAX];
    struct job jobs[THREADS_MAX];
    double start = seconds();
    if (n == 0 || n > THREADS_MAX)
        stop("between 1 and 64 threads");
    for (size_t i = 0; i < n; i++) {
        jobs[i] = *job;
        jobs[i].result = (struct buf){.limit = TEXT_MAX};
        if (pthread_create(&thread[i], NULL, run, &jobs[i]) != 0)
            stop("no thread");
    }
    for (size_t i = 0; i < n; i++) {
        (void)pthread_join(thread[i], NULL);
        buf_free(&jobs[i].result);
    }
    (void)printf("%.0f\n", (double)n * (double)job->runs / (seconds() - start));
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct err err = {0};
    struct str policy_text, input_text;
    struct value input;
    struct rego_diags diags = {.arena = &arena};
    struct rego_policy *policy = NULL;
    struct rego_query *query = NULL;
    if (argc != 5 && argc != 6)
        stop("wants POLICY INPUT QUERY RUNS [THREADS]");
    if (!io_read_file(&arena, argv[1], TEXT_MAX, &policy_text, &err) ||
        !io_read_file(&arena, argv[2], TEXT_MAX, &input_text, &err) ||
        !json_parse(&arena, input_text, argv[2], JSON_DUPLICATES_LAST, &input, &err))
        stop(err.frame[0]);
    const struct rego_source source = {.file = str_from(argv[1]), .text = policy_text};
    if (!rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags, &policy, &err) ||
        !rego_prepare(policy, str_from(argv[3]), &diags, &query, &err))
        stop(diags.n ? diags.diag[0].message.ptr : err.frame[0]);
    struct job job = {.query = query, .input = &input, .runs = strtol(argv[4], NULL, 10), .result = {.limit = TEXT_MAX}};
    if (argc == 6) {
        run_threads(&job, strtoul(argv[5], NULL, 10));
    } else {
        (void)run(&job);
        (void)printf("%.9f %.*s\n", job.best, STR_ARG(buf_view(&job.result)));
    }
    buf_free(&job.result);
    rego_query_close(query);
    rego_close(policy);
    return 0;
}
