/* cmd_conftest_verify.c - `plumb conftest verify`: the tests of policies, as conftest runs them. */
#include <assert.h>
#include <fnmatch.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/conftest_output.h"
#include "cli/conftest_setup.h"
#include "cli/explain.h"
#include "cli/policy_setup.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "policy/load.h"
#include "policy/schemas.h"
#include "policy/testing.h"

enum {
    POLICY,
    DATA,
    NAMESPACE,
    REGO_VERSION,
    SHOW_BUILTIN_ERRORS,
    QUIET,
    OUTPUT,
    NO_COLOR,
    STRICT,
    SCHEMA,
    CAPABILITIES,
    TRACE,
    REPORT,
    VAR_VALUES,
    JUNIT_HIDE_MESSAGE,
    GITHUB_HIDE_PASSED,
    PROTO_FILE_DIRS,
    CONFIG_FILE,
    POLICY_TIMEOUT,
    OPTION_COUNT
};

static const char *const reports[] = {"full", "notes", "fails", NULL};

static const struct option options[] = {
    [POLICY] = ROW_POLICY,
    [DATA] = {.name = "data",
              .letter = 'd',
              .kind = OPTION_LIST,
              .arg = "PATH",
              .text = "data files or folders; may be repeated"},
    [NAMESPACE] = {.name = "namespace",
                   .letter = 'n',
                   .kind = OPTION_LIST,
                   .arg = "NAME",
                   .text = "only tests of these packages, with wildcards; may be repeated"},
    [REGO_VERSION] = ROW_REGO_VERSION,
    [SHOW_BUILTIN_ERRORS] = {.name = "show-builtin-errors",
                             .kind = OPTION_FLAG,
                             .text = "errors in built-in functions are errors of the test"},
    [QUIET] = {.name = "quiet", .kind = OPTION_FLAG, .text = "print nothing where all pass"},
    [OUTPUT] = ROW_CONFTEST_OUTPUT,
    [NO_COLOR] = ROW_NO_COLOR_ACCEPTED,
    [SCHEMA] = ROW_SCHEMA,
    [STRICT] = ROW_STRICT_REGO,
    [CAPABILITIES] = ROW_CAPABILITIES,
    [TRACE] = ROW_TRACE,
    [REPORT] = {.name = "report",
                .kind = OPTION_STRING,
                .arg = "full|notes|fails",
                .choices = reports,
                .text = "tell before the results how they came about: everything, what trace() was "
                        "given, or expressions without a solution"},
    [VAR_VALUES] = {.name = "var-values",
                    .kind = OPTION_FLAG,
                    .text = "not there: refused; see --report"},
    [JUNIT_HIDE_MESSAGE] = ROW_JUNIT_HIDE_MESSAGE,
    [GITHUB_HIDE_PASSED] = ROW_GITHUB_HIDE_PASSED,
    [PROTO_FILE_DIRS] = ROW_PROTO_FILE_DIRS,
    [CONFIG_FILE] = ROW_CONFTEST_CONFIG,
    [POLICY_TIMEOUT] = ROW_POLICY_TIMEOUT,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { MEMORY_MAX_SHIFT = 34 };

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct rego_policy *policy;
    struct policy_tests tests;
    struct value data;
    struct capabilities capabilities;
    struct explain explain;
};

static bool is_told(const struct job *job)
{
    return job->in->value[TRACE].set || job->in->value[REPORT].set;
}

static bool load(struct job *job, struct err *err)
{
    static const struct str folder = STR_INIT("policy");
    const struct option_value *policies = &job->in->value[POLICY], *data = &job->in->value[DATA];
    bool v0 = str_equal(job->in->value[REGO_VERSION].text, STR("v0"));
    struct policy_load_options rego = {.what = POLICY_LOAD_REGO, .v0 = v0};
    struct policy_load_options documents = {.what = POLICY_LOAD_DATA};
    struct rego_diags diags = {.arena = job->arena};
    struct rego_compile_options how = {.keep_print = true,
                                       .strict = job->in->value[STRICT].set,
                                       .coverage = is_told(job),
                                       .deadline_ms =
                                           policy_timeout(&job->in->value[POLICY_TIMEOUT]),
                                       .cancel = job->app->cancel};
    const struct policy_tests_options tests = {
        .words = job->capabilities.words, .timeout_ms = how.deadline_ms, .cancel = how.cancel};
    struct policy_files files, facts;
    capabilities_apply(&job->capabilities, &how);
    if (!policy_load_schemas(job->arena, job->in->value[SCHEMA].text, &how, err) ||
        !policy_load(job->arena, policies->nlist ? policies->list : &folder,
                     policies->nlist ? policies->nlist : 1, &rego, &files, err) ||
        !policy_load(job->arena, data->list, data->nlist, &documents, &facts, err) ||
        !policy_tests_find(job->arena, files.source, files.nsources, &tests, &job->tests, err))
        return false;
    if (!files.nsources)
        return err_set(err, ERR_USAGE, "no policies found: no .rego file in the policy folders");
    job->data = facts.data;
    if (rego_compile(files.source, files.nsources, &job->data, &how, &diags, &job->policy, err))
        return true;
    policy_print_diags(job->app->err, &diags);
    return policy_refuse(&diags, err);
}

static bool one(struct job *job, struct policy_test *test, struct conftest_check *ret,
                struct err *err)
{
    const struct rego_trace trace = {explain_event, &job->explain};
    const struct rego_eval_options how = {
        .trace = is_told(job) ? &trace : NULL,
        .host = {.now_utc_ns = INT64_MIN, .configuration = conftest_configuration},
        .strict_builtin_errors = job->in->value[SHOW_BUILTIN_ERRORS].set,
        .deadline_ms = policy_timeout(&job->in->value[POLICY_TIMEOUT]),
        .cancel = job->app->cancel};
    struct conftest_item *item = arena_new(job->arena, struct conftest_item, 1);
    if (!item)
        return arena_full(job->arena, err);
    if (test->outcome != POLICY_TEST_SKIPPED &&
        !policy_test_run(job->arena, job->policy, &how, test, err))
        return false;
    *ret = (struct conftest_check){.file = test->file,
                                   .successes = test->outcome == POLICY_TEST_PASSED};
    item->message =
        arena_printf(job->arena, "%.*s.%.*s%s%.*s", STR_ARG(test->package), STR_ARG(test->name),
                     test->error.code ? ": " : "", STR_ARG(test->error.message));
    if (!item->message.ptr)
        return arena_full(job->arena, err);
    if (test->outcome == POLICY_TEST_FAILED || test->outcome == POLICY_TEST_ERROR)
        ret->failures = (struct conftest_items){item, 1, 1};
    if (test->outcome == POLICY_TEST_SKIPPED)
        ret->skipped = (struct conftest_items){item, 1, 1};
    return true;
}

static bool is_wanted(const struct job *job, struct str space)
{
    const struct option_value *wanted = &job->in->value[NAMESPACE];
    for (size_t i = 0; i < wanted->nlist; i++)
        if (fnmatch(wanted->list[i].ptr, space.ptr, 0) == 0)
            return true;
    return !wanted->nlist;
}

static bool run_all(struct job *job, int *ret_exit, struct err *err)
{
    struct conftest_check *check = arena_new(job->arena, struct conftest_check, job->tests.n);
    struct conftest_results results = {.check = check,
                                       .verify = true,
                                       .hide_message = job->in->value[JUNIT_HIDE_MESSAGE].set,
                                       .hide_passed = job->in->value[GITHUB_HIDE_PASSED].set};
    if (!check)
        return arena_full(job->arena, err);
    *ret_exit = 0;
    for (size_t i = 0; i < job->tests.n; i++) {
        struct str package = job->tests.test[i].package, prefix = STR("data.");
        if (!is_wanted(job, str_sub(package, prefix.len, package.len)))
            continue;
        if (!one(job, &job->tests.test[i], &check[results.n], err))
            return false;
        if (check[results.n++].failures.n)
            *ret_exit = 1;
    }
    explain_print(&job->explain, job->in->value[REPORT].set ? job->app->out : job->app->err);
    if (job->in->value[QUIET].set && *ret_exit == 0)
        return true;
    return conftest_output(job->app->out, job->in->value[OUTPUT].text, &results, err);
}

/* What is not there is not passed over in silence. */
static bool refuse(const struct job *job, struct err *err)
{
    const struct option_value *value = job->in->value;
    if (value[VAR_VALUES].set)
        return err_set(err, ERR_UNSUPPORTED,
                       "--var-values: not printed here; --report fails tells what had no solution");
    if (value[REPORT].set && value[OUTPUT].set && !str_equal(value[OUTPUT].text, STR("stdout")))
        return err_set(err, ERR_USAGE, "--report: only with --output stdout");
    return true;
}

static bool run(const struct app *app, const struct invocation *given, int *ret_exit,
                struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    struct invocation in;
    struct job job = {.app = app, .in = &in, .arena = &arena, .explain = {.arena = &arena}};
    if (!conftest_setup(&arena, app, options, OPTION_COUNT, given, CONFIG_FILE, &in, err))
        return false;
    job.explain.what = in.value[REPORT].set ? in.value[REPORT].text : STR("full");
    bool ok = refuse(&job, err) &&
              capabilities_read(&arena, in.value[CAPABILITIES].text, &job.capabilities, err) &&
              load(&job, err) && run_all(&job, ret_exit, err);
    rego_close(job.policy);
    return ok;
}

const struct command cmd_conftest_verify = {
    .name = "conftest verify",
    .usage = "plumb conftest verify [options]",
    .summary = "run the tests of policies, with conftest's rules and options",
    .help = "The rules test_* of all policies are run, whatever their files are called; todo_test_ "
            "ones are skipped.\n\nExit codes are conftest's: 0 all pass, 1 a test fails or an "
            "error.\n\n"
            "  plumb conftest verify\n"
            "  plumb conftest verify -p policies -d data",
    .options = options,
    .noptions = OPTION_COUNT,
    .pflag = true,
    .args_most = SIZE_MAX, /* as there: files are taken, and no test asks for them */
    .run = run};
