/* cmd_check.c - `plumb check`: what is wrong with code, plans, states and manifests before anything
 * runs.
 */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/check_rules.h"
#include "cli/check_targets.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/policy_setup.h"
#include "cli/policy_text.h"
#include "cli/root.h"
#include "cli/rows.h"
#include "cli/setup.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "policy/policy.h"
#include "scan/check.h"
#include "scan/plan_code.h"

enum {
    POLICY = ROOT_OPTION_COUNT,
    DATA,
    NAMESPACE,
    ALL_NAMESPACES,
    REGO_V0,
    SCHEMA,
    POLICY_TIMEOUT,
    WAIVERS,
    CAPABILITIES,
    CODE,
    IGNORE,
    OUTPUT,
    STRICT,
    EXPLAIN,
    NO_COLOR,
    OPTION_COUNT
};

static const struct option options[] = {
    ROOT_OPTIONS,
    [POLICY] = {.name = "policy",
                .letter = 'p',
                .kind = OPTION_LIST,
                .arg = "PATH",
                .text =
                    "a file or a folder of rules for documents: Rego, rules in YAML, "
                    "templates and constraints of Gatekeeper, or builtin:PACK; may be repeated"},
    [DATA] = {.name = "data",
              .letter = 'd',
              .kind = OPTION_LIST,
              .arg = "PATH",
              .text = "data of the rules: files or folders of JSON or YAML; may be repeated"},
    [NAMESPACE] = ROW_NAMESPACES,
    [ALL_NAMESPACES] = ROW_ALL_NAMESPACES,
    [REGO_V0] = {.name = "rego-v0",
                 .kind = OPTION_FLAG,
                 .text = "rules are in the language before OPA 1.0"},
    [SCHEMA] = {.name = "schema",
                .kind = OPTION_STRING,
                .arg = "PATH",
                .text = "as of plumb policy eval: a JSON Schema of what rules in Rego are asked "
                        "about, or a folder of those that METADATA names"},
    [POLICY_TIMEOUT] = ROW_POLICY_TIMEOUT,
    [WAIVERS] = ROW_WAIVERS,
    [CAPABILITIES] = ROW_CAPABILITIES,
    [CODE] = {.name = "code",
              .kind = OPTION_STRING,
              .arg = "DIR",
              .text = "the root module that plans were made of, for places in the code; without "
                      "it the plan's folder, or what is here, if it is one; - for none"},
    [IGNORE] = {.name = "ignore",
                .kind = OPTION_STRING,
                .arg = "REGEX",
                .text = "pass over documents of folders whose paths match"},
    [OUTPUT] = ROW_OUTPUTS,
    [STRICT] = {.name = "strict", .kind = OPTION_FLAG, .text = "warnings fail as errors do"},
    [EXPLAIN] = {.name = "explain",
                 .kind = OPTION_FLAG,
                 .text = "what each rule did: how many documents or resources it was asked about, "
                         "how many matched, and which paths it looked for that none of them has; "
                         "and what a waiver of each issue is bound to"},
    [NO_COLOR] = ROW_NO_COLOR,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct outputs outputs;
    struct check_options check;
    struct check_targets targets;
    struct regex *ignore;
    struct capabilities capabilities;
    struct check_rules rules;
    struct policy *policy; /* of plumb.yaml, or NULL */
    struct policy *asked;  /* the same, where it has more than waivers */
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

static bool find_stacks(struct job *job, struct stack **ret, size_t *ret_n, struct err *err)
{
    struct stacks found = {0};
    const struct stacks_query query = {.dirs = job->targets.module,
                                       .ndirs = job->targets.nmodules,
                                       .config_file = job->in->value[ROOT_CONFIG].text,
                                       .workspaces = &job->in->value[ROOT_WORKSPACE].text,
                                       .nworkspaces = given(job, ROOT_WORKSPACE),
                                       .env = job->app->env};
    *ret_n = 0;
    if (job->targets.nfiles && !job->targets.nmodules)
        return true;
    if (!stacks_find(job->arena, &query, &found, err))
        return false;
    *ret = arena_new(job->arena, struct stack, found.n);
    if (!*ret)
        return arena_full(job->arena, err);
    if (found.n)
        memcpy(*ret, found.stack, found.n * sizeof **ret);
    *ret_n = drop_workspaces(*ret, found.n);
    return true;
}

/* --- rules --- */

static bool load_rules(struct job *job, struct err *err)
{
    const struct option_value *value = job->in->value;
    struct check_rules_options how = {.paths = value[POLICY].list,
                                      .npaths = value[POLICY].nlist,
                                      .data = value[DATA].list,
                                      .ndata = value[DATA].nlist,
                                      .spaces = value[NAMESPACE].list,
                                      .nspaces = value[NAMESPACE].nlist,
                                      .all_spaces = given(job, ALL_NAMESPACES),
                                      .v0 = given(job, REGO_V0),
                                      .schema = value[SCHEMA].text,
                                      .files = job->targets.file,
                                      .nfiles = job->targets.nfiles,
                                      .now_utc_ms = job->check.now_utc_ms,
                                      .waiver_key = str_from(job->app->env("PLUMB_WAIVER_KEY")),
                                      .timeout_ms = value[POLICY_TIMEOUT].number,
                                      .cancel = job->app->cancel,
                                      .explain = given(job, EXPLAIN)};
    const struct option_value none = {0};
    struct policy_source *sources;
    struct str *waivers = NULL;
    size_t nsources;
    struct config config;
    if (!policy_find_config(job->arena, job->app, &value[ROOT_CONFIG], &config, err) ||
        !capabilities_read(job->arena, value[CAPABILITIES].text, &job->capabilities, err))
        return false;
    how.capabilities = capabilities_of(&job->capabilities);
    const struct judges judges = policy_judges(&config, &none, &value[WAIVERS]);
    if (!judges_list_waivers(job->arena, &judges, &waivers, &how.nwaivers, err) ||
        !judges_list(job->arena, &judges, &sources, &nsources, err))
        return false;
    how.waivers = waivers;
    bool ok = policy_setup(job->arena, job->app, &config, &none, &value[WAIVERS], true,
                           &how.capabilities, &job->policy, err) &&
              check_rules_open(job->arena, &how, job->app->err, &job->rules, err);
    job->asked = nsources ? job->policy : NULL;
    job->check.policy[0] = job->asked;
    job->check.policy[1] = job->rules.policies;
    return ok;
}

static void print_line(void *ctx, struct str text, struct str file, uint32_t row)
{
    (void)fprintf(ctx, "%.*s:%u: %.*s\n", STR_ARG(file), row, STR_ARG(text));
}

/* --- documents --- */

static bool check_file(struct job *job, struct str file, struct check_subject *ret, struct err *err)
{
    struct plan_code *code = NULL;
    const struct plan_code_options of = {
        .dir = check_targets_code(job->arena, file, job->in->value[CODE].text),
        .env = job->app->env,
        .now_utc_ms = job->check.now_utc_ms};
    if (of.dir.len && !plan_code_make(job->arena, &of, &code, err))
        return false;
    const struct check_document_options how = {
        .entries = job->rules.entries,
        .gatekeeper = &job->rules.gatekeeper,
        .policy = {job->asked, job->rules.policies},
        .waiving = job->rules.waiving,
        .eval = {.host = {.now_utc_ns = INT64_MIN, .print = print_line, .ctx = job->app->err},
                 .deadline_ms = policy_timeout(&job->in->value[POLICY_TIMEOUT]),
                 .cancel = job->app->cancel},
        .code = code};
    bool ok = check_documents(job->arena, file, &how, ret, err);
    plan_code_close(code);
    return ok;
}

static bool check_all(struct job *job, struct check_result *ret, struct err *err)
{
    struct stack *stacks = NULL;
    size_t n, nfiles = job->targets.nfiles;
    if (!find_stacks(job, &stacks, &n, err))
        return false;
    struct check_subject *subjects = arena_new(job->arena, struct check_subject, n + nfiles);
    if (!subjects)
        return arena_full(job->arena, err);
    for (size_t i = 0; i < n; i++)
        if (!check_code(job->arena, &stacks[i], &job->check, &subjects[i], err))
            return err_wrap(err, "%.*s", STR_ARG(stacks[i].name));
    for (size_t i = 0; i < nfiles; i++)
        if (!check_file(job, job->targets.file[i], &subjects[n + i], err))
            return err_wrap(err, "%.*s", STR_ARG(job->targets.file[i]));
    *ret = (struct check_result){.subject = subjects, .n = n + nfiles};
    return check_rules_report(&job->rules, job->arena, job->policy, &ret->policy, err);
}

static bool find_targets(struct job *job, struct err *err)
{
    const struct option_value *policies = &job->in->value[POLICY];
    const struct check_targets_options how = {.documents = policies->nlist > 0,
                                              .ignore = job->ignore,
                                              .skip = policies->list,
                                              .nskip = policies->nlist};
    return check_targets_find(job->arena, job->in->args, job->in->nargs, &how, &job->targets, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 36};
    struct job job = {.app = app, .in = in, .arena = &arena};
    struct check_result result = {0};
    const struct report_options report = {.colour = setup_colour(app, in->value[NO_COLOR].set),
                                          .explain = in->value[EXPLAIN].set,
                                          .tool_version = STR(PLUMB_VERSION)};
    bool ok = policy_regex("ignore", in->value[IGNORE].text, &job.ignore, err) &&
              fill_options(&job, err) && find_targets(&job, err) && load_rules(&job, err) &&
              check_all(&job, &result, err) &&
              outputs_write_issues(&job.outputs, app->out, &result, &report, err);
    if (ok)
        *ret_exit = check_exit_code(&result, given(&job, STRICT));
    check_rules_close(&job.rules);
    policy_close(job.policy);
    regex_close(job.ignore);
    return ok;
}

const struct command cmd_check = {
    .name = "check",
    .usage = "plumb check [PATH...] [options]",
    .summary = "find what is wrong with code, plans and manifests before anything runs",
    .help =
        "Each PATH is a root module, a folder of root modules, a glob, the name of a stack in "
        "plumb.yaml, or a file of JSON or YAML: a plan or a state (terraform show -json), a state "
        "file, manifests of Kubernetes, an AdmissionReview, any other document; - is standard "
        "input. What a file is, is told by what is in it. Without a PATH, the stacks of plumb.yaml "
        "(found here or above) are checked, or what is here.\n\n"
        "Of code, all errors are told in one run: files that cannot be read, references to what is "
        "not there, values of the wrong type, arguments that the installed provider does not know. "
        "Warnings are names that nobody uses and syntax of older days. Nothing is changed, no "
        "state is read, and providers are asked for their schemas only. Variables without a value "
        "are unknown, not errors.\n\n"
        "With --policy, documents are judged by rules written in Rego, in conftest's convention: "
        "deny and violation object, warn warns; and each resource of theirs by rules written in "
        "YAML "
        "and by `decision` of Rego. Each result has the place of the value that the "
        "rule objects to, found by watching what the rule read; for a plan whose code is at hand, "
        "the place in the code. Manifests and AdmissionReviews are also judged by the constraints "
        "of "
        "Gatekeeper that are there. Folders are then searched for documents, too. The policy of "
        "plumb.yaml judges the resources of code and documents as well.\n\n"
        "Exit codes: 0 no errors, 1 errors (with --strict warnings too), 3 a policy rule "
        "objects.\n\n"
        "  plumb check\n"
        "  plumb check infra/prod --strict\n"
        "  plumb check plan.json manifests --policy policy\n"
        "  plumb check --output text --output sarif=check.sarif",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
