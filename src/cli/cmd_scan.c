/* cmd_scan.c - `plumb scan`: what is live against what the code asks for. */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/fail_on.h"
#include "cli/notifying.h"
#include "cli/output.h"
#include "cli/policy_setup.h"
#include "cli/progress.h"
#include "cli/rows.h"
#include "cli/scan_record.h"
#include "cli/setup.h"
#include "desired/remote.h"
#include "desired/stacks.h"
#include "model/decision.h"
#include "policy/policy.h"
#include "scan/places.h"
#include "scan/scan.h"

enum { PLAN_BYTES_MAX = 2000 << 20, CONCURRENCY_MAX = 1000 };

static const char *const desired_words[] = {"auto", "code", "state", NULL};

enum {
    OUTPUT,
    STREAM,
    LIVE,
    PLAN,
    STATE,
    DESIRED,
    VAR,
    VAR_FILE,
    NO_GIT,
    CONFIG,
    WORKSPACE,
    TARGET,
    CONCURRENCY,
    MAX_PROVIDERS,
    MAX_MEMORY,
    TIMEOUT,
    NO_PROBE,
    ALLOW_MISMATCH,
    SHOW_IGNORED,
    EXPLAIN,
    FAIL_ON,
    EXIT_ZERO,
    POLICY,
    WAIVERS,
    CAPABILITIES,
    STORE,
    NO_STORE,
    BASELINE,
    REASON,
    NOTIFY,
    NO_COLOR,
    NO_CACHE,
    CACHE_DIR,
    QUIET,
    VERBOSE,
    OPTION_COUNT
};

static const struct option options[] = {
    [OUTPUT] = ROW_OUTPUTS,
    [STREAM] = {.name = "stream",
                .kind = OPTION_FLAG,
                .text = "print findings as they come: NDJSON, one event a line"},
    [LIVE] = ROW_LIVE,
    [PLAN] = {.name = "plan",
              .letter = 'p',
              .kind = OPTION_STRING,
              .arg = "FILE",
              .text = "report the drift in a plan (terraform show -json), offline; - reads it from "
                      "standard input"},
    [STATE] = ROW_STATE,
    [DESIRED] = {.name = "desired",
                 .kind = OPTION_STRING,
                 .arg = "WHAT",
                 .choices = desired_words,
                 .env = "PLUMB_DESIRED",
                 .text = "what live is compared with: code (evaluated, with the last state beside "
                         "it), state (what was applied last) or auto (the code, where it can be "
                         "evaluated)"},
    [VAR] = ROW_VAR,
    [VAR_FILE] = ROW_VAR_FILE,
    [NO_GIT] = {.name = "no-git",
                .kind = OPTION_FLAG,
                .env = "PLUMB_NO_GIT",
                .text = "do not ask git for commits, authors and branches"},
    [CONFIG] = ROW_CONFIG,
    [WORKSPACE] = ROW_WORKSPACES,
    [TARGET] = {.name = "target",
                .letter = 't',
                .kind = OPTION_LIST,
                .arg = "GLOB",
                .text = "only resources whose address matches; may be repeated"},
    [CONCURRENCY] = {.name = "concurrency",
                     .letter = 'j',
                     .kind = OPTION_INT,
                     .arg = "N",
                     .least = 1,
                     .most = CONCURRENCY_MAX,
                     .env = "PLUMB_CONCURRENCY",
                     .text = "most reads at once in one provider process; without it adaptive"},
    [MAX_PROVIDERS] = {.name = "max-providers",
                       .kind = OPTION_INT,
                       .arg = "N",
                       .least = 1,
                       .most = CONCURRENCY_MAX,
                       .env = "PLUMB_MAX_PROVIDERS",
                       .text = "most provider processes at once"},
    [MAX_MEMORY] = {.name = "max-memory",
                    .kind = OPTION_SIZE,
                    .arg = "SIZE",
                    .least = 1,
                    .env = "PLUMB_MAX_MEMORY",
                    .text = "warn when plumb and its providers need more, such as 4G"},
    [TIMEOUT] = ROW_TIMEOUT,
    [NO_PROBE] = {.name = "no-probe",
                  .kind = OPTION_FLAG,
                  .env = "PLUMB_NO_PROBE",
                  .text = "do not look for attributes that a provider only echoes"},
    [ALLOW_MISMATCH] = ROW_ALLOW_MISMATCH,
    [SHOW_IGNORED] = {.name = "show-ignored",
                      .kind = OPTION_FLAG,
                      .text = "list the differences that ignore rules cover"},
    [EXPLAIN] = {.name = "explain",
                 .kind = OPTION_FLAG,
                 .text = "list the differences that were considered equal, and why"},
    [FAIL_ON] = ROW_FAIL_ON,
    [EXIT_ZERO] = ROW_EXIT_ZERO,
    [POLICY] = ROW_POLICIES,
    [WAIVERS] = ROW_WAIVERS,
    [CAPABILITIES] = ROW_CAPABILITIES,
    [STORE] = ROW_STORE,
    [NO_STORE] = ROW_NO_STORE,
    [BASELINE] = {.name = "baseline",
                  .kind = OPTION_FLAG,
                  .text = "accept everything that is found, by address and values, and record it; "
                          "with --reason"},
    [REASON] = {.name = "reason",
                .kind = OPTION_STRING,
                .arg = "TEXT",
                .text = "why that is right: one sentence, recorded with who said so"},
    [NOTIFY] = {.name = "notify",
                .kind = OPTION_FLAG,
                .text = "then make and send the alerts that are due, as `plumb notify send` does"},
    [NO_COLOR] = ROW_NO_COLOR,
    [NO_CACHE] = ROW_NO_CACHE,
    [CACHE_DIR] = ROW_CACHE_DIR,
    [QUIET] = {.name = "quiet",
               .letter = 'q',
               .kind = OPTION_FLAG,
               .text = "no progress on standard error"},
    [VERBOSE] = {.name = "verbose",
                 .letter = 'v',
                 .kind = OPTION_FLAG,
                 .text = "tell of each stack as it is scanned, on standard error"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* All of one run. */
struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct outputs outputs;
    struct report_options report;
    struct scan_options scan;
    struct progress progress;
    struct places_repos repos;
    unsigned fail_on;
    struct scan_record record;
    const struct config *config;
    struct capabilities capabilities;
};

static bool given(const struct job *job, size_t row)
{
    return job->in->value[row].set;
}

static struct str text_of(const struct job *job, size_t row)
{
    return job->in->value[row].text;
}

/* --- what the options mean --- */

static struct str cache_dir(const struct job *job)
{
    return given(job, NO_CACHE) ? STR("")
                                : setup_cache_dir(job->arena, job->app, text_of(job, CACHE_DIR));
}

/* An option, else plumb.yaml, else 0 = the default. */
static int64_t number_of(const struct job *job, size_t row, int64_t configured)
{
    return given(job, row) ? job->in->value[row].number : configured;
}

static void on_progress(void *ctx, const struct reader_progress *progress)
{
    struct job *job = ctx;
    progress_report(&job->progress, progress->done, progress->total, progress->what);
}

/* Findings as they come, for --stream. */
static bool on_finding(void *ctx, const struct finding *finding, struct err *err)
{
    struct job *job = ctx;
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct finding marked = *finding;
    if (!recording_mark(&job->record.to, &marked, err))
        return false;
    if (marked.ignored && !job->report.show_ignored)
        return true;
    if (!job->outputs.on_stdout->stream_finding(&buf, &marked, &job->report, err) ||
        !buf_ok(&buf, err))
        return false;
    progress_clear(&job->progress);
    if (fwrite(buf.ptr, 1, buf.len, job->app->out) != buf.len || fflush(job->app->out) != 0)
        return err_set(err, ERR_IO, "write a finding to standard output");
    return true;
}

static bool parse_reporting(struct job *job, struct err *err)
{
    bool stream = given(job, STREAM);
    if (!outputs_parse(job->arena, &job->in->value[OUTPUT], stream ? STR("json") : STR("text"),
                       &job->outputs, err) ||
        !fail_on_parse(&job->in->value[FAIL_ON], &job->fail_on, err))
        return false;
    if (stream && (!job->outputs.on_stdout || !job->outputs.on_stdout->stream_finding))
        return err_set(err, ERR_USAGE, "--stream needs a format that can: --output json");
    job->report = (struct report_options){.colour = setup_colour(job->app, given(job, NO_COLOR)),
                                          .show_ignored = given(job, SHOW_IGNORED),
                                          .explain = given(job, EXPLAIN),
                                          .stream = stream,
                                          .tool_version = STR(PLUMB_VERSION)};
    return true;
}

static enum scan_desired desired_of(const struct job *job)
{
    struct str word = text_of(job, DESIRED);
    return str_equal(word, STR("code"))    ? SCAN_DESIRED_CODE
           : str_equal(word, STR("state")) ? SCAN_DESIRED_STATE
                                           : SCAN_DESIRED_AUTO;
}

static bool fill_scan_options(struct job *job, const struct config *config, struct err *err)
{
    static const struct config nothing;
    const struct config *c = config ? config : &nothing;
    job->scan = (struct scan_options){
        .config = config,
        .reader = {.concurrency = (unsigned)number_of(job, CONCURRENCY, c->concurrency),
                   .max_providers = (unsigned)number_of(job, MAX_PROVIDERS, c->max_providers),
                   .max_memory = (uint64_t)number_of(job, MAX_MEMORY, c->max_memory),
                   .timeout_ms = (int)number_of(job, TIMEOUT, c->timeout_ms),
                   .no_probe = given(job, NO_PROBE) || c->no_probe,
                   .allow_hash_mismatch = given(job, ALLOW_MISMATCH),
                   .cache_dir = cache_dir(job),
                   .cancel = job->app->cancel,
                   .progress = on_progress,
                   .ctx = job},
        .snapshot = text_of(job, LIVE),
        .targets = job->in->value[TARGET].list,
        .ntargets = job->in->value[TARGET].nlist,
        .explain = given(job, EXPLAIN),
        .desired = desired_of(job),
        .env = job->app->env,
        .no_git = given(job, NO_GIT),
        .repos = &job->repos,
        .now_utc_ms = job->app->now_ms(job->app->clock),
        .on_finding = given(job, STREAM) ? on_finding : NULL,
        .ctx = job};
    bool partial =
        job->in->nargs || given(job, TARGET) || given(job, WORKSPACE) || given(job, PLAN);
    if (!capabilities_read(job->arena, text_of(job, CAPABILITIES), &job->capabilities, err))
        return false;
    const struct rego_capabilities capabilities = capabilities_of(&job->capabilities);
    return policy_setup(job->arena, job->app, config, &job->in->value[POLICY],
                        &job->in->value[WAIVERS], partial, &capabilities, &job->scan.policy, err);
}

/* --- the two ways --- */

static bool read_plan(struct job *job, struct str *ret, struct str *ret_name, struct err *err)
{
    struct str file = text_of(job, PLAN);
    if (str_equal(file, STR("-"))) {
        *ret_name = STR("standard input");
        return io_read_fd(job->arena, STDIN_FILENO, "standard input", PLAN_BYTES_MAX, ret, err);
    }
    *ret_name = arena_dup(job->arena, file);
    if (!ret_name->ptr)
        return arena_full(job->arena, err);
    return io_read_file(job->arena, ret_name->ptr, PLAN_BYTES_MAX, ret, err);
}

/* plumb.yaml's ignore rules count for a plan as well. */
static bool plan_config(struct job *job, const struct config **ret, struct err *err)
{
    struct str path = given(job, CONFIG) ? text_of(job, CONFIG) : config_find(job->arena, STR("."));
    struct config *config = arena_new(job->arena, struct config, 1);
    if (!config)
        return arena_full(job->arena, err);
    *ret = NULL;
    if (!path.len || str_equal(path, STR("-")))
        return true;
    struct str ended = arena_dup(job->arena, path);
    if (!ended.ptr || !config_load(job->arena, ended.ptr, config, err))
        return ended.ptr ? false : arena_full(job->arena, err);
    *ret = config;
    return true;
}

static bool run_plan(struct job *job, struct scan_result *ret, struct err *err)
{
    struct str text, name;
    const struct config *config = NULL;
    struct stack_result *result = arena_new(job->arena, struct stack_result, 1);
    if (job->in->nargs || given(job, STATE) || given(job, LIVE) || given(job, WORKSPACE))
        return err_set(err, ERR_USAGE,
                       "--plan stands alone: no DIR, --state, --live or "
                       "--workspace beside it");
    if (given(job, BASELINE))
        return err_set(err, ERR_USAGE,
                       "--plan is not recorded: a plan tells what was live when it was made; no "
                       "--baseline beside it");
    if (!result)
        return arena_full(job->arena, err);
    if (!plan_config(job, &config, err) || !read_plan(job, &text, &name, err))
        return false;
    if (!fill_scan_options(job, config, err))
        return false;
    if (!scan_plan(job->arena, text, name.ptr, &job->scan, result, err))
        return false;
    *ret = (struct scan_result){.stacks = result, .nstacks = 1};
    return true;
}

static void tell_stack(const struct job *job, const struct stack_result *result, int64_t took_ms)
{
    const struct coverage *c = &result->coverage;
    if (!given(job, VERBOSE))
        return;
    (void)fprintf(job->app->err, "%.*s: %.*s, %llu resources, %llu compared, %lld.%01lld s\n",
                  STR_ARG(result->name), STR_ARG(result->source), (unsigned long long)c->resources,
                  (unsigned long long)c->compared, (long long)(took_ms / 1000),
                  (long long)(took_ms % 1000 / 100));
}

static bool open_record(struct job *job, const struct config *config, struct err *err)
{
    struct str reason = str_trim(text_of(job, REASON));
    const struct scan_record_ask ask = {.config = config,
                                        .store = &job->in->value[STORE],
                                        .policies = &job->in->value[POLICY],
                                        .waivers = &job->in->value[WAIVERS],
                                        .no_store = given(job, NO_STORE),
                                        .baseline =
                                            given(job, BASELINE) ? reason : (struct str){0}};
    if (given(job, BASELINE) && !reason.len)
        return err_set(err, ERR_USAGE,
                       "--baseline needs --reason TEXT: why what is there is right");
    if (!given(job, BASELINE) && given(job, REASON))
        return err_set(err, ERR_USAGE, "--reason goes with --baseline");
    job->record.app = job->app;
    return scan_record_open(&job->record, job->arena, &job->scan, &ask, err);
}

/* Whether somebody is at work can be looked at or not: what was found is told all the same. */
static bool note_apply(struct job *job, const struct stack *stack, struct stack_result *result,
                       struct err *err)
{
    struct lock_holder holder = {0};
    if (!result->nfindings ||
        !lock_look(job->arena, stack, job->app->now_ms(job->app->clock), &holder, NULL) ||
        !holder.held)
        return true;
    return scan_note_apply(job->arena, &holder, result, err);
}

static bool scan_one(struct job *job, const struct stack *stack, struct stack_result *ret,
                     struct err *err)
{
    if (!recording_begin(&job->record.to, stack, err))
        return false;
    if (!scan_stack(job->arena, stack, &job->scan, ret, err)) {
        recording_fail(&job->record.to, err);
        return false;
    }
    return note_apply(job, stack, ret, err) && scan_record_warn(&job->record, ret, err) &&
           recording_end(&job->record.to, stack, ret, err);
}

static bool run_stacks(struct job *job, struct scan_result *ret, struct err *err)
{
    struct stacks stacks = {0};
    const struct stacks_query query = {.dirs = job->in->args,
                                       .ndirs = job->in->nargs,
                                       .config_file = text_of(job, CONFIG),
                                       .workspaces = job->in->value[WORKSPACE].list,
                                       .nworkspaces = job->in->value[WORKSPACE].nlist,
                                       .state = text_of(job, STATE),
                                       .env = job->app->env};
    if (!stacks_find(job->arena, &query, &stacks, err))
        return false;
    struct stack_result *results = arena_new(job->arena, struct stack_result, stacks.n);
    if (!results)
        return arena_full(job->arena, err);
    if (!fill_scan_options(job, stacks.config, err) ||
        !setup_inputs(job->arena, &job->in->value[VAR_FILE], &job->in->value[VAR],
                      &job->scan.inputs, &job->scan.ninputs, err))
        return false;
    job->config = stacks.config;
    if (!open_record(job, stacks.config, err))
        return false;
    if (job->record.to.record && !stacks_stand_alone(job->arena, &query, &stacks, err))
        return err_wrap(err, "nothing was scanned, for it could not be recorded (--no-store scans "
                             "without)");
    for (size_t i = 0; i < stacks.n; i++) {
        int64_t start = clock_monotonic_ms();
        progress_stack(&job->progress, stacks.stack[i].name, i + 1, stacks.n);
        if (!scan_one(job, &stacks.stack[i], &results[i], err))
            return err_wrap(err, "stack %.*s", STR_ARG(stacks.stack[i].name));
        progress_clear(&job->progress);
        tell_stack(job, &results[i], clock_monotonic_ms() - start);
    }
    recording_settle(&job->record.to);
    *ret = (struct scan_result){.stacks = results, .nstacks = stacks.n};
    return true;
}

/* A report for machines alone would leave a person without the reason of exit code 1. */
static void tell_failures(const struct job *job, const struct scan_result *result)
{
    const struct format *shown = job->outputs.on_stdout;
    if (shown && strcmp(shown->name, "text") == 0)
        return;
    for (size_t i = 0; i < result->nstacks; i++)
        if (result->stacks[i].failed.len)
            (void)fprintf(job->app->err, "plumb scan: %.*s: %.*s\n",
                          STR_ARG(result->stacks[i].name), STR_ARG(result->stacks[i].failed));
}

static bool report_policy(const struct job *job, struct scan_result *result, struct err *err)
{
    struct policy_report *report = arena_new(job->arena, struct policy_report, 1);
    if (!job->scan.policy)
        return true;
    result->policy = report;
    return report ? policy_report(job->scan.policy, job->arena, report, err)
                  : arena_full(job->arena, err);
}

/* For those without a service: what is due goes now. */
static bool send_alerts(const struct job *job, struct err *err)
{
    struct notifying n = {.app = job->app, .arena = job->arena};
    int64_t left = 0;
    if (!given(job, NOTIFY))
        return true;
    if (!job->record.record.db || !job->config)
        return err_set(err, ERR_USAGE,
                       "--notify: nothing was recorded, so there is nothing to "
                       "tell (it needs a store)");
    n.config = *job->config;
    struct record record = job->record.record;
    if (!routes_open(job->arena, &n.config, &n.routes, err) ||
        !notifying_send(&n, &record, &left, err))
        return false;
    return !left || err_set(err, ERR_UNAVAILABLE, "not all alerts were taken: plumb notify list");
}

static bool run_job(struct job *job, int *ret_exit, struct err *err)
{
    struct scan_result result = {0};
    FILE *progress_to = given(job, QUIET) ? NULL : job->app->err;
    if (!parse_reporting(job, err))
        return false;
    progress_open(&job->progress, progress_to, job->app->err_tty, clock_monotonic_ms);
    bool ok = given(job, PLAN) ? run_plan(job, &result, err) : run_stacks(job, &result, err);
    progress_close(&job->progress);
    if (!ok || !report_policy(job, &result, err))
        return false;
    if (!outputs_write(&job->outputs, job->app->out, &result, &job->report, err))
        return false;
    tell_failures(job, &result);
    if (progress_to)
        scan_record_tell(&job->record, job->app->err);
    *ret_exit = fail_on_exit(scan_exit_code(&result, job->fail_on), given(job, EXIT_ZERO));
    if (job->record.to.failed.kind && err)
        *err = job->record.to.failed;
    return !job->record.to.failed.kind && send_alerts(job, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 36};
    struct job job = {.app = app, .in = in, .arena = &arena};
    bool ok = run_job(&job, ret_exit, err);
    scan_record_close(&job.record);
    policy_close(job.scan.policy);
    return ok;
}

const struct command cmd_scan = {
    .name = "scan",
    .usage = "plumb scan [DIR...] [options]",
    .summary = "compare what is live with what the code asks for",
    .help =
        "Each DIR is a root module, a folder of root modules, a glob, a state file, or the name of "
        "a stack in plumb.yaml. Without one, the stacks of plumb.yaml (found here or above) are "
        "scanned, or what is here.\n\n"
        "The stack's own providers are asked, as the last init installed them; they are opened "
        "for reading only. What cannot be compared is reported as unchecked.\n\n"
        "With a store (store: in plumb.yaml, PLUMB_STORE, --store) the scan is recorded: what is "
        "new, "
        "what changed, what is resolved; `plumb findings` tells. A scan that cannot be recorded "
        "fails. --baseline accepts what a first scan finds, so that exit code 0 means something "
        "from "
        "then on.\n\n"
        "Exit codes: 0 in sync, 1 error, 2 drift, 3 policy wants something reviewed, reverted or "
        "blocked, 4 something could not be checked; the worst over all stacks.\n\n"
        "  plumb scan\n"
        "  plumb scan infra/prod 'infra/staging-*' --output json\n"
        "  plumb scan --output text --output sarif=drift.sarif\n"
        "  terraform show -json plan.out | plumb scan --plan -",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
