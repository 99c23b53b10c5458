/* cmd_check.c - `plumb check`: what is wrong with the code before anything runs. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/root.h"
#include "cli/rows.h"
#include "cli/setup.h"
#include "desired/stacks.h"
#include "scan/check.h"

enum { OUTPUT = ROOT_OPTION_COUNT, STRICT, NO_COLOR, OPTION_COUNT };

static const struct option options[] = {
    ROOT_OPTIONS,
    [OUTPUT] = ROW_OUTPUTS,
    [STRICT] = {.name = "strict", .kind = OPTION_FLAG, .text = "warnings fail as errors do"},
    [NO_COLOR] = ROW_NO_COLOR,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct outputs outputs;
    struct check_options check;
};

static bool given(const struct job *job, size_t row)
{
    return job->in->value[row].set;
}

static bool fill_options(struct job *job, struct err *err)
{
    const struct option_value *value = job->in->value;
    job->check = (struct check_options){.no_providers = value[ROOT_NO_PROVIDERS].set,
                                        .reader = root_reader(job->app, job->arena, job->in),
                                        .env = job->app->env,
                                        .now_utc_ms = job->app->now_ms(job->app->clock)};
    return root_inputs(job->arena, job->in, &job->check.inputs, &job->check.ninputs, err) &&
           outputs_parse(job->arena, &value[OUTPUT], STR("text"), &job->outputs, err);
}

/* One root module once, whatever workspaces it has. */
static size_t drop_workspaces(struct stack *stacks, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < kept && !str_equal(stacks[k].path, stacks[i].path))
            k++;
        if (k == kept)
            stacks[kept++] = stacks[i];
    }
    return kept;
}

static bool check_all(struct job *job, struct check_result *ret, struct err *err)
{
    struct stacks found = {0};
    const struct stacks_query query = {.dirs = job->in->args,
                                       .ndirs = job->in->nargs,
                                       .config_file = job->in->value[ROOT_CONFIG].text,
                                       .workspaces = &job->in->value[ROOT_WORKSPACE].text,
                                       .nworkspaces = given(job, ROOT_WORKSPACE),
                                       .env = job->app->env};
    if (!stacks_find(job->arena, &query, &found, err))
        return false;
    struct stack *stacks = arena_new(job->arena, struct stack, found.n);
    struct check_subject *subjects = arena_new(job->arena, struct check_subject, found.n);
    if (!stacks || !subjects)
        return arena_full(job->arena, err);
    if (found.n)
        memcpy(stacks, found.stack, found.n * sizeof *stacks);
    size_t n = drop_workspaces(stacks, found.n);
    for (size_t i = 0; i < n; i++)
        if (!check_code(job->arena, &stacks[i], &job->check, &subjects[i], err))
            return err_wrap(err, "%.*s", STR_ARG(stacks[i].name));
    *ret = (struct check_result){subjects, n};
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 36};
    struct job job = {.app = app, .in = in, .arena = &arena};
    struct check_result result = {0};
    const struct report_options report = {.colour = setup_colour(app, in->value[NO_COLOR].set),
                                          .tool_version = STR(PLUMB_VERSION)};
    if (!fill_options(&job, err) || !check_all(&job, &result, err) ||
        !outputs_write_issues(&job.outputs, app->out, &result, &report, err))
        return false;
    *ret_exit = check_exit_code(&result, given(&job, STRICT));
    return true;
}

const struct command cmd_check = {
    .name = "check",
    .usage = "plumb check [DIR...] [options]",
    .summary = "find what is wrong with the code before anything runs",
    .help =
        "Each DIR is a root module, a folder of root modules, a glob, or the name of a stack in "
        "plumb.yaml. Without one, the stacks of plumb.yaml (found here or above) are checked, or "
        "what is here.\n\n"
        "All errors are told in one run: files that cannot be read, references to what is not "
        "there, values of the wrong type, arguments that the installed provider does not know. "
        "Warnings are names that nobody uses and syntax of older days. Nothing is changed, no "
        "state is read, and providers are asked for their schemas only. Variables without a value "
        "are unknown, not errors.\n\n"
        "Exit codes: 0 no errors, 1 errors (with --strict warnings too), 3 a policy rule "
        "objects.\n\n"
        "  plumb check\n"
        "  plumb check infra/prod --strict\n"
        "  plumb check --output text --output sarif=check.sarif",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
