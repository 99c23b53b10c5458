/* cmd_policy_test.c - `plumb policy test`: the tests that stand beside policies. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/regex_re2.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/policy_cover.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "lang/rego/cover.h"
#include "model/finding.h"
#include "policy/load.h"
#include "policy/plain.h"
#include "policy/rule_testing.h"
#include "policy/schemas.h"
#include "policy/testing.h"
#include "report/parts.h"
#include "wire/json.h"

enum { JOBS_MAX = 64, TESTS_A_JOB = 8 };
static const char *const formats[] = {"text", "json", "junit", NULL};

enum {
    RUN,
    OUTPUT,
    VERBOSE,
    COVERAGE,
    THRESHOLD,
    JOBS,
    IGNORE,
    REGO_V0,
    SCHEMA,
    CAPABILITIES,
    STRICT,
    TIMEOUT,
    OPTION_COUNT
};

static const struct option options[] = {
    [RUN] = {.name = "run",
             .letter = 'r',
             .kind = OPTION_STRING,
             .arg = "REGEX",
             .text = "only tests whose names (data.PACKAGE.test_NAME) match"},
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FORMAT",
                .choices = formats,
                .text = "text (as without it), json or junit"},
    [VERBOSE] = {.name = "verbose",
                 .letter = 'v',
                 .kind = OPTION_FLAG,
                 .text = "passing tests, too, with what they print"},
    [COVERAGE] = {.name = "coverage",
                  .letter = 'c',
                  .kind = OPTION_FLAG,
                  .text = "how many lines of the policies the tests have evaluated, and which they "
                          "have not; with --output json as opa test writes it, in place of the "
                          "tests"},
    [THRESHOLD] = {.name = "threshold",
                   .kind = OPTION_INT,
                   .arg = "PERCENT",
                   .least = 0,
                   .most = 100,
                   .text = "with --coverage: exit with 3 where fewer percent of the lines are "
                           "covered"},
    [JOBS] = {.name = "jobs",
              .letter = 'j',
              .kind = OPTION_INT,
              .arg = "N",
              .least = 1,
              .most = JOBS_MAX,
              .text = "tests at the same time; without it as many as there are processors"},
    [IGNORE] = {.name = "ignore",
                .kind = OPTION_STRING,
                .arg = "REGEX",
                .text = "pass over files and folders whose paths match"},
    [SCHEMA] = ROW_SCHEMA,
    [CAPABILITIES] = ROW_CAPABILITIES,
    [REGO_V0] = ROW_REGO_V0,
    [STRICT] = {.name = "strict",
                .kind = OPTION_FLAG,
                .text = "unused variables, arguments and imports are errors"},
    [TIMEOUT] = {.name = "timeout",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1,
                 .most = 86400000,
                 .text = "the longest that one test may take (5s without it), and compiling the "
                         "policies (60s)"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { MEMORY_MAX_SHIFT = 34, TEST_TIME_MS = 5000 };

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct regex *ignore, *run;
    struct capabilities capabilities;
    struct rego_policy *policy;
    struct rules rules;
    struct policy_tests tests;
    size_t count[4]; /* by outcome */
    struct policy_cover cover;
    struct worker *worker;
    size_t nworkers;
};

static bool given(const struct job *job, size_t row)
{
    return job->in->value[row].set;
}

static const char *const outcome_text[] = {
    [POLICY_TEST_FAILED] = "FAIL",
    [POLICY_TEST_PASSED] = "PASS",
    [POLICY_TEST_ERROR] = "ERROR",
    [POLICY_TEST_SKIPPED] = "SKIPPED",
};

/* --- text --- */

static void print_indented(FILE *out, struct str lines)
{
    struct str line;
    if (!lines.len)
        return;
    (void)fputc('\n', out);
    for (bool more = true; more && lines.len;) {
        more = str_cut(&lines, '\n', &line);
        (void)fprintf(out, "  %.*s\n", STR_ARG(line));
    }
    (void)fputc('\n', out);
}

static void print_test(const struct job *job, const struct policy_test *test)
{
    FILE *out = job->app->out;
    (void)fprintf(out, "%.*s:%u:%u: %.*s%s%.*s: %s\n", STR_ARG(test->file), test->row, test->col,
                  STR_ARG(test->package), test->rule ? ": " : ".", STR_ARG(test->name),
                  outcome_text[test->outcome]);
    if (test->rule && test->outcome == POLICY_TEST_FAILED)
        (void)fprintf(out, "  %.*s\n", STR_ARG(test->rule->failure));
    for (size_t i = 0; i < test->ncases; i++)
        if (given(job, VERBOSE) || !test->item[i].passed)
            (void)fprintf(out, "  %.*s: %s\n", STR_ARG(test->item[i].name),
                          test->item[i].passed ? "PASS" : "FAIL");
    if (test->error.code) {
        (void)fputs("  ", out);
        policy_print_error(out, &test->error);
    }
    print_indented(out, test->output);
}

static bool give_text(const struct job *job, struct err *err)
{
    static const enum policy_test_outcome order[] = {POLICY_TEST_PASSED, POLICY_TEST_FAILED,
                                                     POLICY_TEST_ERROR, POLICY_TEST_SKIPPED};
    (void)err;
    for (size_t i = 0; i < job->tests.n; i++)
        if (given(job, VERBOSE) || job->tests.test[i].outcome != POLICY_TEST_PASSED)
            print_test(job, &job->tests.test[i]);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (job->count[order[i]] || order[i] == POLICY_TEST_PASSED)
            (void)fprintf(job->app->out, "%s: %zu/%zu\n", outcome_text[order[i]],
                          job->count[order[i]], job->tests.n);
    return true;
}

/* --- JSON: what `opa test --format json` has, with the output as text --- */

static void write_cases(struct jsonw *w, const struct policy_test *test)
{
    jsonw_key(w, STR("sub_results"));
    jsonw_object_open(w);
    for (size_t i = 0; i < test->ncases; i++) {
        jsonw_key(w, test->item[i].name);
        jsonw_object_open(w);
        jsonw_member_string(w, STR("name"), test->item[i].name);
        if (!test->item[i].passed)
            jsonw_member_bool(w, STR("fail"), true);
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
}

static void write_test(struct jsonw *w, const struct policy_test *test)
{
    jsonw_object_open(w);
    jsonw_key(w, STR("location"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("file"), test->file);
    jsonw_member_int(w, STR("row"), test->row);
    jsonw_member_int(w, STR("col"), test->col);
    jsonw_object_close(w);
    jsonw_member_string(w, STR("package"), test->package);
    jsonw_member_string(w, STR("name"), test->name);
    if (test->outcome == POLICY_TEST_FAILED)
        jsonw_member_bool(w, STR("fail"), true);
    if (test->outcome == POLICY_TEST_SKIPPED)
        jsonw_member_bool(w, STR("skip"), true);
    if (test->outcome == POLICY_TEST_ERROR) {
        jsonw_key(w, STR("error"));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("code"), str_from(test->error.code));
        jsonw_member_string(w, STR("message"), test->error.message);
        jsonw_object_close(w);
    }
    if (test->rule && test->outcome == POLICY_TEST_FAILED)
        jsonw_member_string(w, STR("message"), test->rule->failure);
    jsonw_member_int(w, STR("duration"), test->duration_ms * 1000000);
    if (test->output.len)
        jsonw_member_string(w, STR("output"), test->output);
    if (test->ncases)
        write_cases(w, test);
    jsonw_object_close(w);
}

static bool give_json(const struct job *job, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &out, .indent = 2};
    jsonw_array_open(&w);
    for (size_t i = 0; i < job->tests.n; i++)
        write_test(&w, &job->tests.test[i]);
    jsonw_array_close(&w);
    buf_char(&out, '\n');
    if (!buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

/* --- JUnit: a suite for each file --- */

static void write_case(struct buf *out, const struct policy_test *test)
{
    static const char *const element[] = {[POLICY_TEST_FAILED] = "failure",
                                          [POLICY_TEST_ERROR] = "error",
                                          [POLICY_TEST_SKIPPED] = "skipped"};
    buf_str(out, STR("    <testcase"));
    junit_attribute(out, "classname", test->package);
    junit_attribute(out, "name", test->name);
    buf_str(out, STR(">\n"));
    if (test->outcome != POLICY_TEST_PASSED) {
        buf_printf(out, "      <%s", element[test->outcome]);
        if (test->outcome != POLICY_TEST_SKIPPED)
            junit_attribute(out, "message",
                            test->error.code ? test->error.message
                            : test->rule     ? test->rule->failure
                                             : STR("the test is not true"));
        buf_str(out, STR("/>\n"));
    }
    if (test->output.len) {
        buf_str(out, STR("      <system-out>"));
        junit_text(out, test->output, false);
        buf_str(out, STR("</system-out>\n"));
    }
    buf_str(out, STR("    </testcase>\n"));
}

static void write_suite(struct buf *out, const struct policy_test *test, size_t n)
{
    size_t count[4] = {0};
    for (size_t i = 0; i < n; i++)
        count[test[i].outcome]++;
    buf_str(out, STR("  <testsuite"));
    junit_attribute(out, "name", test->file);
    buf_printf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", n,
               count[POLICY_TEST_FAILED], count[POLICY_TEST_ERROR], count[POLICY_TEST_SKIPPED]);
    for (size_t i = 0; i < n; i++)
        write_case(out, &test[i]);
    buf_str(out, STR("  </testsuite>\n"));
}

static bool give_junit(const struct job *job, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    const struct policy_test *test = job->tests.test;
    buf_str(&out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"));
    for (size_t i = 0, end; i < job->tests.n; i = end) {
        for (end = i + 1; end < job->tests.n && str_equal(test[i].file, test[end].file);)
            end++;
        write_suite(&out, &test[i], end - i);
    }
    buf_str(&out, STR("</testsuites>\n"));
    if (!buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

static bool give(const struct job *job, struct err *err)
{
    struct str output = job->in->value[OUTPUT].text;
    if (str_equal(output, STR("json")))
        return give_json(job, err);
    return str_equal(output, STR("junit")) ? give_junit(job, err) : give_text(job, err);
}

/* --- the run --- */

/* A thread takes the next test until there is none; what it finds lives in its own arena. */
struct worker {
    struct job *job;
    pthread_t thread;
    bool started, ok;
    struct arena *arena;
    struct arena own;
    uint64_t *counters;
    atomic_size_t *next;
    struct err err;
};

static bool run_next(struct worker *w, const struct rego_eval_options *how, size_t i)
{
    struct policy_test *test = &w->job->tests.test[i];
    if (test->outcome == POLICY_TEST_SKIPPED || test->rule ||
        policy_test_run(w->arena, w->job->policy, how, test, &w->err))
        return true;
    return err_wrap(&w->err, "%.*s", STR_ARG(test->name));
}

static void *work(void *arg)
{
    struct worker *w = arg;
    int64_t time = w->job->in->value[TIMEOUT].number;
    const struct rego_eval_options how = {.host = {.now_utc_ns = INT64_MIN},
                                          .deadline_ms = time ? time : TEST_TIME_MS,
                                          .coverage = given(w->job, COVERAGE) ? w->counters : NULL,
                                          .cancel = w->job->app->cancel};
    w->ok = true;
    for (size_t i; w->ok && (i = atomic_fetch_add(w->next, 1)) < w->job->tests.n;)
        w->ok = run_next(w, &how, i);
    return NULL;
}

static size_t count_workers(const struct job *job)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = (job->tests.n + TESTS_A_JOB - 1) / TESTS_A_JOB;
    size_t n = given(job, JOBS) ? (size_t)job->in->value[JOBS].number
               : processors > 0 ? (size_t)processors
                                : 1;
    n = !given(job, JOBS) && n > most ? most : n;
    return n > JOBS_MAX ? JOBS_MAX : n ? n : 1;
}

/* Tests of YAML rules are few and quick: they run on this thread. */
static bool run_rule_tests(struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->tests.n; i++) {
        struct policy_test *test = &job->tests.test[i];
        if (test->rule && test->outcome != POLICY_TEST_SKIPPED &&
            !rule_testing_run(job->arena, test, err))
            return err_wrap(err, "%.*s", STR_ARG(test->name));
    }
    return true;
}

static bool start_workers(struct job *job, size_t n, size_t ncovers, atomic_size_t *next,
                          struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct worker *w = &job->worker[i];
        *w = (struct worker){.job = job, .own = {.limit = job->arena->limit}, .next = next};
        w->arena = &w->own;
        w->counters = arena_new(&w->own, uint64_t, ncovers + 1);
        if (!w->counters)
            return arena_full(&w->own, err);
        w->started = i > 0 && pthread_create(&w->thread, NULL, work, w) == 0;
    }
    (void)work(&job->worker[0]);
    return true;
}

static bool join_workers(struct job *job, size_t n, size_t ncovers, struct err *err)
{
    uint64_t *sum = job->worker[0].counters;
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        struct worker *w = &job->worker[i];
        if (w->started)
            (void)pthread_join(w->thread, NULL);
        if (!w->ok && (i == 0 || w->started) && ok) {
            *err = w->err;
            ok = false;
        }
        for (size_t k = 0; i > 0 && sum && w->counters && k < ncovers; k++)
            sum[k] += w->counters[k];
    }
    return ok;
}

static bool run_tests(struct job *job, struct err *err)
{
    size_t n = count_workers(job), ncovers = rego_cover_count(job->policy);
    atomic_size_t next = 0;
    job->worker = arena_new(job->arena, struct worker, n);
    if (!job->worker)
        return arena_full(job->arena, err);
    job->nworkers = n;
    bool ok = start_workers(job, n, ncovers, &next, err);
    if (!join_workers(job, n, ncovers, err) || !ok || !run_rule_tests(job, err))
        return false;
    for (size_t i = 0; i < job->tests.n; i++)
        job->count[job->tests.test[i].outcome]++;
    return !given(job, COVERAGE) ||
           policy_cover_make(job->arena, job->policy, job->worker[0].counters, &job->cover, err);
}

static bool give_coverage(const struct job *job, struct err *err)
{
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT}, out = {.limit = BUF_DEFAULT_LIMIT};
    policy_cover_json(&compact, &job->cover);
    policy_json_indent(&out, buf_view(&compact), STR("  "));
    buf_char(&out, '\n');
    if (!buf_ok(&compact, err) || !buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

/* The tests, and their coverage; JSON of both would be no document: a failing run gives the tests.
 */
static bool give_all(const struct job *job, int exit_code, struct err *err)
{
    bool json = str_equal(job->in->value[OUTPUT].text, STR("json"));
    bool junit = str_equal(job->in->value[OUTPUT].text, STR("junit"));
    if (given(job, COVERAGE) && json && exit_code == EXIT_IN_SYNC)
        return give_coverage(job, err);
    if (!give(job, err))
        return false;
    if (given(job, COVERAGE) && !json)
        policy_cover_print(junit ? job->app->err : job->app->out, &job->cover);
    return true;
}

static bool below_threshold(const struct job *job)
{
    double percent = policy_cover_percent(job->cover.covered, job->cover.missed);
    if (!given(job, COVERAGE) || !given(job, THRESHOLD) ||
        percent >= (double)job->in->value[THRESHOLD].number)
        return false;
    (void)fprintf(job->app->err,
                  "plumb policy test: coverage is %.1f %%, --threshold asks for %lld %%\n", percent,
                  (long long)job->in->value[THRESHOLD].number);
    return true;
}

/* Tests of YAML rules, behind those of Rego. */
static bool find_rule_tests(struct job *job, const struct policy_files *files, struct err *err)
{
    struct rule_problems problems = {.arena = job->arena};
    if (rule_testing_find(job->arena, files, job->run, &job->rules, &problems, &job->tests, err))
        return true;
    policy_print_problems(job->app->err, &problems);
    return false;
}

static bool test_all(struct job *job, int *ret_exit, struct err *err)
{
    const struct policy_load_options load = {
        .v0 = given(job, REGO_V0), .rules = true, .ignore = job->ignore};
    struct rego_compile_options how = {.keep_print = true,
                                       .strict = given(job, STRICT),
                                       .coverage = given(job, COVERAGE),
                                       .deadline_ms = job->in->value[TIMEOUT].number,
                                       .cancel = job->app->cancel};
    capabilities_apply(&job->capabilities, &how);
    const struct policy_tests_options tests = {
        .run = job->run, .words = how.words, .timeout_ms = how.deadline_ms, .cancel = how.cancel};
    struct rego_diags diags = {.arena = job->arena};
    struct policy_files files;
    static const struct str here = STR_INIT(".");
    bool named = job->in->nargs > 0;
    if (!policy_load_schemas(job->arena, job->in->value[SCHEMA].text, &how, err) ||
        !policy_load(job->arena, named ? job->in->args : &here, named ? job->in->nargs : 1, &load,
                     &files, err) ||
        !policy_tests_find(job->arena, files.source, files.nsources, &tests, &job->tests, err))
        return false;
    if (!rego_compile(files.source, files.nsources, &files.data, &how, &diags, &job->policy, err)) {
        policy_print_diags(job->app->err, &diags);
        return policy_refuse(&diags, err);
    }
    if (!find_rule_tests(job, &files, err))
        return false;
    if (!job->tests.n)
        return err_set(err, ERR_USAGE, "no test%s in %zu file%s of Rego and rules",
                       given(job, RUN) ? " of that name" : "",
                       files.nsources + files.nrule_test_files,
                       files.nsources + files.nrule_test_files == 1 ? "" : "s");
    if (!run_tests(job, err))
        return false;
    *ret_exit = job->count[POLICY_TEST_FAILED] || job->count[POLICY_TEST_ERROR] ? EXIT_VIOLATION
                                                                                : EXIT_IN_SYNC;
    if (!give_all(job, *ret_exit, err))
        return false;
    if (below_threshold(job))
        *ret_exit = EXIT_VIOLATION;
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    struct job job = {.app = app, .in = in, .arena = &arena};
    bool ok = policy_regex("ignore", in->value[IGNORE].text, &job.ignore, err) &&
              policy_regex("run", in->value[RUN].text, &job.run, err) &&
              capabilities_read(&arena, in->value[CAPABILITIES].text, &job.capabilities, err) &&
              test_all(&job, ret_exit, err);
    for (size_t i = 0; i < job.nworkers; i++)
        arena_free(&job.worker[i].own);
    rego_close(job.policy);
    rules_close(&job.rules);
    regex_close(job.ignore);
    regex_close(job.run);
    return ok;
}

const struct command cmd_policy_test = {
    .name = "policy test",
    .usage = "plumb policy test [PATH...] [options]",
    .summary = "run the tests of policies",
    .help = "PATH is a file or a folder with policies and data; without one, what is here. Each "
            "rule whose name starts with test_ is a test, which passes if it is true; todo_test_ "
            "ones are skipped. Rules test_name[case] have a case for each value that the body "
            "gives. Tests of YAML rules stand in files that end in _test.yaml.\n\n"
            "Exit codes: 0 all tests pass, 1 policies that cannot be read, or no test at all, 3 a "
            "test fails.\n\n"
            "  plumb policy test policy\n"
            "  plumb policy test policy --run 'deny' -v",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
