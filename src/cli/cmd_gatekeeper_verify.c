/* cmd_gatekeeper_verify.c - `plumb gatekeeper verify`: suites of ConstraintTemplates. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "lang/rego/rego.h"
#include "model/finding.h"
#include "policy/document.h"
#include "policy/gatekeeper_suite.h"

enum { VERBOSE, CAPABILITIES, POLICY_TIMEOUT, OPTION_COUNT };
enum { FOLDERS_DEEP = 64, FILES_MAX = 100000 };

static const struct option options[] = {
    [VERBOSE] = {.name = "verbose",
                 .letter = 'v',
                 .kind = OPTION_FLAG,
                 .text = "show the cases that pass, too"},
    [CAPABILITIES] = ROW_CAPABILITIES,
    [POLICY_TIMEOUT] = ROW_POLICY_TIMEOUT,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    int64_t timeout_ms;
    struct capabilities capabilities;
    struct arena *arena;
    struct suite_cases cases;
    size_t nsuites;
};

static bool add_suite(struct job *job, struct str path, struct err *err)
{
    const struct rego_eval_options how = {.host = {.now_utc_ns = INT64_MIN},
                                          .deadline_ms = job->timeout_ms,
                                          .cancel = job->app->cancel};
    const struct rego_capabilities capabilities = capabilities_of(&job->capabilities);
    job->nsuites++;
    return gatekeeper_suite(job->arena, path, &how, &capabilities, &job->cases, err);
}

/* In folders every YAML file that is a suite. What is no YAML may be a template; what cannot be
 * read may be one. */
static bool add_if_suite(struct job *job, struct str path, struct err *err)
{
    struct documents documents;
    struct err why = {0};
    if (!str_ends(path, STR(".yaml")) && !str_ends(path, STR(".yml")))
        return true;
    if (documents_read(job->arena, path, &documents, &why))
        return !documents.n || !gatekeeper_is_suite(documents.item[0].root) ||
               add_suite(job, path, err);
    if (why.kind == ERR_IO && err)
        *err = why;
    return why.kind != ERR_IO;
}

static bool add_folder(struct job *job, struct str path, unsigned depth_left, struct err *err)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(path),
                       FOLDERS_DEEP);
    if (!io_list_dir(job->arena, path.ptr, FILES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str below = io_join(job->arena, path, names[i]);
        if (!below.ptr)
            return arena_full(job->arena, err);
        bool ok = io_is_loop(below.ptr)  ? true
                  : io_is_dir(below.ptr) ? add_folder(job, below, depth_left - 1, err)
                                         : add_if_suite(job, below, err);
        if (!ok)
            return false;
    }
    return true;
}

static int report(const struct job *job, bool verbose)
{
    static const char *const words[] = {
        [SUITE_FAILED] = "FAIL", [SUITE_PASSED] = "PASS", [SUITE_SKIPPED] = "SKIP"};
    size_t count[3] = {0};
    for (size_t i = 0; i < job->cases.n; i++) {
        const struct suite_case *c = &job->cases.item[i];
        count[c->outcome]++;
        if (c->outcome == SUITE_PASSED && !verbose)
            continue;
        (void)fprintf(job->app->out, "%s %.*s:%u: %.*s/%.*s", words[c->outcome], STR_ARG(c->suite),
                      c->line, STR_ARG(c->test), STR_ARG(c->name));
        (void)fprintf(job->app->out, c->why.len ? ": %.*s\n" : "%.*s\n", STR_ARG(c->why));
    }
    (void)fprintf(job->app->out, "%zu suite%s, %zu case%s: %zu passed, %zu failed, %zu skipped\n",
                  job->nsuites, job->nsuites == 1 ? "" : "s", job->cases.n,
                  job->cases.n == 1 ? "" : "s", count[SUITE_PASSED], count[SUITE_FAILED],
                  count[SUITE_SKIPPED]);
    return count[SUITE_FAILED] ? EXIT_VIOLATION : 0;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 36};
    struct job job = {
        .app = app, .timeout_ms = policy_timeout(&in->value[POLICY_TIMEOUT]), .arena = &arena};
    if (!capabilities_read(&arena, in->value[CAPABILITIES].text, &job.capabilities, err))
        return false;
    for (size_t i = 0; i < in->nargs; i++) {
        struct str path = arena_dup(&arena, in->args[i]);
        if (!path.ptr)
            return arena_full(&arena, err);
        bool ok = io_is_dir(path.ptr) ? add_folder(&job, path, FOLDERS_DEEP, err)
                                      : add_suite(&job, path, err);
        if (!ok)
            return false;
    }
    if (!job.cases.n)
        return err_set(err, ERR_USAGE,
                       "no case: no suite (apiVersion test.gatekeeper.sh/..., kind Suite) is here");
    *ret_exit = report(&job, in->value[VERBOSE].set);
    return true;
}

const struct command cmd_gatekeeper_verify = {
    .name = "gatekeeper verify",
    .usage = "plumb gatekeeper verify PATH... [options]",
    .summary = "run suites of Gatekeeper's ConstraintTemplates, as gator verify does",
    .help = "PATH is a suite (kind Suite of test.gatekeeper.sh), or a folder whose suites are run. "
            "Each case asks a template with its constraint about an object, or about the request "
            "of an AdmissionReview, and counts the violations. Templates with CEL alone are not "
            "evaluated: their cases fail.\n\n"
            "Exit codes: 0 all cases pass, 1 a suite cannot be read or there is none, 3 a case "
            "fails.\n\n"
            "  plumb gatekeeper verify suite.yaml\n"
            "  plumb gatekeeper verify library -v",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = SIZE_MAX,
    .run = run};
