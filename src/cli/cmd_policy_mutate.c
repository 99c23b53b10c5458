/* cmd_policy_mutate.c - `plumb policy mutate`: what no test of a rule would notice. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/regex_re2.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_text.h"
#include "model/finding.h"
#include "policy/load.h"
#include "policy/mutate.h"
#include "policy/rule_testing.h"

enum { RUN, VERBOSE, IGNORE, OPTION_COUNT };

static const struct option options[] = {
    [RUN] = {.name = "run",
             .letter = 'r',
             .kind = OPTION_STRING,
             .arg = "REGEX",
             .text = "only rules whose names match"},
    [VERBOSE] = {.name = "verbose",
                 .letter = 'v',
                 .kind = OPTION_FLAG,
                 .text = "the changes that a test notices, too"},
    [IGNORE] = {.name = "ignore",
                .kind = OPTION_STRING,
                .arg = "REGEX",
                .text = "pass over files and folders whose paths match"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { MEMORY_MAX_SHIFT = 34 };

struct job {
    const struct app *app;
    struct arena *arena;
    const struct regex *run;
    bool verbose;
    struct rules rules;
    struct rule_mutants mutants;
};

static bool load(struct job *job, const struct invocation *in, const struct regex *ignore,
                 struct rule_tests *ret, struct err *err)
{
    static const struct str here = STR_INIT(".");
    const struct policy_load_options how = {
        .what = POLICY_LOAD_DATA, .rules = true, .ignore = ignore};
    struct rule_problems problems = {.arena = job->arena};
    struct policy_files files;
    struct policy_tests tests = {0};
    if (!policy_load(job->arena, in->nargs ? in->args : &here, in->nargs ? in->nargs : 1, &how,
                     &files, err))
        return false;
    if (!rule_testing_find(job->arena, &files, NULL, &job->rules, &problems, &tests, err)) {
        policy_print_problems(job->app->err, &problems);
        return false;
    }
    if (!job->rules.n)
        return err_set(err, ERR_USAGE, "no YAML rule here");
    ret->test = arena_new(job->arena, struct rule_test, tests.n);
    if (!ret->test)
        return arena_full(job->arena, err);
    for (size_t i = 0; i < tests.n; i++)
        ret->test[ret->n++] = *tests.test[i].rule;
    return true;
}

static bool is_wanted(const struct job *job, const struct rule *rule)
{
    return !job->run || regex_match(job->run, rule->name, 0, NULL, 0);
}

/* The number of changes that nobody notices. */
static size_t tell(const struct job *job)
{
    FILE *out = job->app->out;
    size_t noticed = 0, all = 0, nrules = 0;
    for (size_t i = 0; i < job->mutants.n; i++) {
        const struct rule_mutant *one = &job->mutants.item[i];
        if (!is_wanted(job, one->rule))
            continue;
        all++;
        noticed += one->noticed;
        nrules += i == 0 || job->mutants.item[i - 1].rule != one->rule;
        if (!one->noticed || job->verbose)
            (void)fprintf(out, "%.*s:%u:%u: %.*s: %.*s: %s\n", STR_ARG(one->at.file), one->at.line,
                          one->at.column, STR_ARG(one->rule->name), STR_ARG(one->text),
                          one->noticed ? "noticed" : "no test notices");
    }
    (void)fprintf(out, "%zu change%s of %zu rule%s: %zu noticed, %zu not\n", all,
                  all == 1 ? "" : "s", nrules, nrules == 1 ? "" : "s", noticed, all - noticed);
    return all - noticed;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    struct job job = {.app = app, .arena = &arena, .verbose = in->value[VERBOSE].set};
    struct regex *ignore = NULL, *only = NULL;
    struct rule_tests tests = {0};
    bool ok = policy_regex("ignore", in->value[IGNORE].text, &ignore, err) &&
              policy_regex("run", in->value[RUN].text, &only, err) &&
              load(&job, in, ignore, &tests, err) &&
              rule_mutants_run(&arena, &job.rules, &tests, &job.mutants, err);
    job.run = only;
    if (ok)
        *ret_exit = tell(&job) ? EXIT_VIOLATION : EXIT_IN_SYNC;
    rules_close(&job.rules);
    regex_close(ignore);
    regex_close(only);
    return ok;
}

const struct command cmd_policy_mutate = {
    .name = "policy mutate",
    .usage = "plumb policy mutate [PATH...] [options]",
    .summary = "what the tests of YAML rules would not notice",
    .help = "Changes each YAML rule in each way that matters and runs its tests again: a "
            "condition negated or left out, a path, a value or a type of a list left out, a bound "
            "moved by one. A change that no test notices is told with its place; a test is "
            "missing there.\n\n"
            "Exit codes: 0 every change is noticed, 1 rules that cannot be read, or whose tests "
            "fail as they are, 3 a change is not noticed.\n\n"
            "  plumb policy mutate policy\n"
            "  plumb policy mutate policy --run s3 -v",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
