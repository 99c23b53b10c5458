/* cmd_conftest_test.c - `plumb conftest test`: configuration files against policies, as conftest
 * does.
 */
#include <assert.h>
#include <fnmatch.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/conftest_output.h"
#include "cli/conftest_setup.h"
#include "cli/explain.h"
#include "cli/policy_setup.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "model/finding.h"
#include "policy/inputs.h"
#include "policy/load.h"
#include "policy/schemas.h"

enum {
    POLICY,
    DATA,
    NAMESPACE,
    ALL_NAMESPACES,
    PARSER,
    IGNORE,
    COMBINE,
    FAIL_ON_WARN,
    NO_FAIL,
    REGO_VERSION,
    SUPPRESS_EXCEPTIONS,
    SHOW_BUILTIN_ERRORS,
    QUIET,
    STDIN_FILENAME,
    OUTPUT,
    JUNIT_HIDE_MESSAGE,
    GITHUB_HIDE_PASSED,
    NO_COLOR,
    STRICT,
    SCHEMA,
    CAPABILITIES,
    TRACE,
    UPDATE,
    PROTO_FILE_DIRS,
    TLS,
    CONFIG_FILE,
    POLICY_TIMEOUT,
    OPTION_COUNT
};

static const struct option options[] = {
    [POLICY] = ROW_POLICY,
    [DATA] = {.name = "data",
              .letter = 'd',
              .kind = OPTION_LIST,
              .arg = "PATH",
              .text = "data files or folders; data without it, if there is one; may be repeated"},
    [NAMESPACE] = ROW_NAMESPACES,
    [ALL_NAMESPACES] = ROW_ALL_NAMESPACES,
    [PARSER] = {.name = "parser",
                .kind = OPTION_STRING,
                .arg = "NAME",
                .choices = policy_parser_names,
                .open = true,
                .text = "what all files are read as, whatever their endings"},
    [IGNORE] = {.name = "ignore",
                .kind = OPTION_STRING,
                .arg = "REGEX",
                .text = "pass over files whose paths match"},
    [COMBINE] = {.name = "combine",
                 .kind = OPTION_FLAG,
                 .text = "one input of all files: an array of path and contents"},
    [FAIL_ON_WARN] = {.name = "fail-on-warn",
                      .kind = OPTION_FLAG,
                      .text = "exit with 2 on failures and with 1 on warnings alone"},
    [NO_FAIL] = {.name = "no-fail", .kind = OPTION_FLAG, .text = "exit with 0 whatever is found"},
    [REGO_VERSION] = ROW_REGO_VERSION,
    [SUPPRESS_EXCEPTIONS] = {.name = "suppress-exceptions",
                             .kind = OPTION_FLAG,
                             .text = "count exceptions without showing them"},
    [SHOW_BUILTIN_ERRORS] = {.name = "show-builtin-errors",
                             .kind = OPTION_FLAG,
                             .text = "errors in built-in functions end the run"},
    [QUIET] = {.name = "quiet",
               .kind = OPTION_FLAG,
               .text = "print nothing where nothing failed or warned"},
    [STDIN_FILENAME] = {.name = "stdin-filename",
                        .kind = OPTION_STRING,
                        .arg = "NAME",
                        .text = "what standard input is called; its ending chooses the parser"},
    [OUTPUT] = ROW_CONFTEST_OUTPUT,
    [JUNIT_HIDE_MESSAGE] = ROW_JUNIT_HIDE_MESSAGE,
    [GITHUB_HIDE_PASSED] = ROW_GITHUB_HIDE_PASSED,
    [NO_COLOR] = ROW_NO_COLOR_ACCEPTED,
    [SCHEMA] = ROW_SCHEMA,
    [STRICT] = ROW_STRICT_REGO,
    [CAPABILITIES] = ROW_CAPABILITIES,
    [TRACE] = ROW_TRACE,
    [UPDATE] = {.name = "update",
                .letter = 'u',
                .kind = OPTION_LIST,
                .arg = "URL",
                .text = "not there: refused; nothing is downloaded"},
    [PROTO_FILE_DIRS] = ROW_PROTO_FILE_DIRS,
    [TLS] = {.name = "tls", .kind = OPTION_FLAG, .text = "accepted; nothing is downloaded"},
    [CONFIG_FILE] = ROW_CONFTEST_CONFIG,
    [POLICY_TIMEOUT] = ROW_POLICY_TIMEOUT,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { MEMORY_MAX_SHIFT = 34 };

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct regex *ignore;
    struct rego_policy *policy;
    struct value data;
    struct policy_inputs inputs;
    struct str *space;
    size_t nspaces;
    struct conftest_check *check;
    size_t nchecks;
    struct capabilities capabilities;
    struct explain explain;
};

static bool given(const struct job *job, size_t row)
{
    return job->in->value[row].set;
}

static bool load(struct job *job, struct err *err)
{
    static const struct str policy_folder = STR_INIT("policy"), data_folder = STR_INIT("data");
    const struct option_value *policies = &job->in->value[POLICY], *data = &job->in->value[DATA];
    bool v0 = str_equal(job->in->value[REGO_VERSION].text, STR("v0"));
    struct policy_load_options rego = {.what = POLICY_LOAD_REGO, .v0 = v0};
    struct policy_load_options documents = {.what = POLICY_LOAD_DATA};
    struct rego_diags diags = {.arena = job->arena};
    struct rego_compile_options how = {.keep_print = true,
                                       .strict = given(job, STRICT),
                                       .coverage = given(job, TRACE),
                                       .deadline_ms =
                                           policy_timeout(&job->in->value[POLICY_TIMEOUT]),
                                       .cancel = job->app->cancel};
    struct policy_files files, facts;
    capabilities_apply(&job->capabilities, &how);
    bool here = data->nlist == 0 && io_is_dir(data_folder.ptr);
    if (!policy_load_schemas(job->arena, job->in->value[SCHEMA].text, &how, err) ||
        !policy_load(job->arena, policies->nlist ? policies->list : &policy_folder,
                     policies->nlist ? policies->nlist : 1, &rego, &files, err) ||
        !policy_load(job->arena, here ? &data_folder : data->list, here ? 1 : data->nlist,
                     &documents, &facts, err))
        return false;
    if (!files.nsources)
        return err_set(err, ERR_USAGE, "no policies found: no .rego file in the policy folders");
    job->data = facts.data;
    if (!rego_compile(files.source, files.nsources, &job->data, &how, &diags, &job->policy, err)) {
        policy_print_diags(job->app->err, &diags);
        return policy_refuse(&diags, err);
    }
    job->capabilities.own = true;
    return conftest_check_rules(job->policy, err);
}

static bool is_wanted(const struct job *job, struct str space)
{
    const struct option_value *wanted = &job->in->value[NAMESPACE];
    if (given(job, ALL_NAMESPACES))
        return true;
    for (size_t i = 0; i < wanted->nlist; i++)
        if (fnmatch(wanted->list[i].ptr, space.ptr, 0) == 0)
            return true;
    return !wanted->nlist && str_equal(space, STR("main"));
}

/* A name without wildcards counts though no policy has it: nothing is found in it, and said so. */
static bool choose_spaces(struct job *job, struct err *err)
{
    const struct option_value *wanted = &job->in->value[NAMESPACE];
    static const struct str main_space = STR_INIT("main");
    struct str *all;
    size_t n;
    if (!conftest_namespaces(job->arena, job->policy, &all, &n, err))
        return false;
    job->space = arena_new(job->arena, struct str, n + wanted->nlist + 1);
    if (!job->space)
        return arena_full(job->arena, err);
    for (size_t i = 0; i < n; i++)
        if (is_wanted(job, all[i]))
            job->space[job->nspaces++] = all[i];
    if (!job->nspaces && !given(job, ALL_NAMESPACES))
        job->space[job->nspaces++] = wanted->nlist ? wanted->list[0] : main_space;
    return true;
}

static bool read_inputs(struct job *job, struct err *err)
{
    const struct policy_inputs_options how = {.parser = job->in->value[PARSER].text,
                                              .stdin_name = job->in->value[STDIN_FILENAME].text,
                                              .ignore = job->ignore};
    struct value *all;
    if (!policy_inputs_read(job->arena, job->in->args, job->in->nargs, &how, &job->inputs, err))
        return false;
    if (!given(job, COMBINE))
        return true;
    all = arena_new(job->arena, struct value, 1);
    struct policy_input *one = arena_new(job->arena, struct policy_input, 1);
    if (!all || !one)
        return arena_full(job->arena, err);
    if (!policy_inputs_combine(job->arena, &job->inputs, all, err))
        return false;
    *one = (struct policy_input){.path = STR("Combined"), .doc = all, .n = 1};
    job->inputs = (struct policy_inputs){one, 1};
    return true;
}

static bool evaluate(struct job *job, struct err *err)
{
    const struct rego_trace trace = {explain_event, &job->explain};
    const struct rego_eval_options how = {
        .trace = given(job, TRACE) ? &trace : NULL,
        .plain_input = true,
        .host = {.now_utc_ns = INT64_MIN, .configuration = conftest_configuration},
        .strict_builtin_errors = given(job, SHOW_BUILTIN_ERRORS),
        .deadline_ms = policy_timeout(&job->in->value[POLICY_TIMEOUT]),
        .cancel = job->app->cancel};
    job->check = arena_new(job->arena, struct conftest_check, job->nspaces * job->inputs.n);
    if (!job->check)
        return arena_full(job->arena, err);
    for (size_t i = 0; i < job->nspaces; i++)
        for (size_t k = 0; k < job->inputs.n; k++)
            if (!conftest_run(job->arena, job->policy, job->space[i], &job->inputs.input[k], &how,
                              &job->check[job->nchecks++], err))
                return err_wrap(err, "%.*s", STR_ARG(job->inputs.input[k].path));
    return true;
}

static int exit_code(const struct job *job, bool *ret_quiet)
{
    size_t failures = 0, warnings = 0;
    for (size_t i = 0; i < job->nchecks; i++) {
        failures += job->check[i].failures.n;
        warnings += job->check[i].warnings.n;
    }
    int code = !given(job, FAIL_ON_WARN) ? failures > 0 : failures ? 2 : warnings > 0;
    *ret_quiet = given(job, QUIET) && code == 0;
    return given(job, NO_FAIL) ? 0 : code;
}

/* What is not there is not passed over in silence. */
static bool refuse(const struct job *job, struct err *err)
{
    if (given(job, UPDATE))
        return err_set(err, ERR_UNSUPPORTED,
                       "--update: nothing is downloaded; fetch the policies first");
    return true;
}

static bool output(struct job *job, int *ret_exit, struct err *err)
{
    const struct conftest_results results = {.check = job->check,
                                             .n = job->nchecks,
                                             .suppress_exceptions = given(job, SUPPRESS_EXCEPTIONS),
                                             .hide_passed = given(job, GITHUB_HIDE_PASSED),
                                             .hide_message = given(job, JUNIT_HIDE_MESSAGE)};
    bool quiet;
    *ret_exit = exit_code(job, &quiet);
    explain_print(&job->explain, job->app->err);
    return quiet || conftest_output(job->app->out, job->in->value[OUTPUT].text, &results, err);
}

static bool run(const struct app *app, const struct invocation *given_in, int *ret_exit,
                struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    struct invocation in;
    struct job job = {
        .app = app, .in = &in, .arena = &arena, .explain = {.arena = &arena, .what = STR("full")}};
    if (!conftest_setup(&arena, app, options, OPTION_COUNT, given_in, CONFIG_FILE, &in, err))
        return false;
    bool ok = refuse(&job, err) &&
              capabilities_read(&arena, in.value[CAPABILITIES].text, &job.capabilities, err) &&
              policy_regex("ignore", in.value[IGNORE].text, &job.ignore, err) &&
              read_inputs(&job, err) && load(&job, err) && choose_spaces(&job, err) &&
              evaluate(&job, err) && output(&job, ret_exit, err);
    rego_close(job.policy);
    regex_close(job.ignore);
    return ok;
}

const struct command cmd_conftest_test = {
    .name = "conftest test",
    .usage = "plumb conftest test PATH... [options]",
    .summary = "configuration files against policies, with conftest's rules and options",
    .help = "PATH is a file, a folder, or - for standard input. The rules deny, violation and warn "
            "(and those whose names go on, such as deny_public) of the package main are asked for "
            "each file; exceptions are honoured.\n\n"
            "Exit codes are conftest's: 0 no failure, 1 a failure or an error; with --fail-on-warn "
            "2 a failure and 1 warnings alone.\n\n"
            "  plumb conftest test deployment.yaml\n"
            "  plumb conftest test manifests -p policies --all-namespaces -o junit",
    .options = options,
    .noptions = OPTION_COUNT,
    .pflag = true,
    .args_least = 1,
    .args_most = SIZE_MAX,
    .run = run};
