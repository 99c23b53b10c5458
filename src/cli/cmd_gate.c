/* cmd_gate.c - `plumb gate`: may this plan be applied? */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/check_targets.h"
#include "cli/command.h"
#include "cli/gating.h"
#include "cli/output.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "cli/setup.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "enforce/gate_record.h"
#include "enforce/gate_report.h"
#include "policy/policy.h"
#include "scan/places.h"
#include "scan/plan_code.h"

enum {
    PLAN,
    STACK,
    STATE,
    LIVE,
    FROM_PLAN,
    PLAN_COMMIT,
    APPROVE_TOKEN,
    OUTPUT,
    CONFIG,
    WORKSPACE,
    VAR,
    VAR_FILE,
    POLICY,
    WAIVERS,
    STORE,
    NO_STORE,
    NO_GIT,
    TIMEOUT,
    ALLOW_MISMATCH,
    NO_COLOR,
    NO_CACHE,
    CACHE_DIR,
    OPTION_COUNT
};

static const struct option options[] = {
    [PLAN] = {.name = "plan",
              .letter = 'p',
              .kind = OPTION_STRING,
              .arg = "FILE",
              .text =
                  "the saved plan (-out FILE), or its JSON (terraform show -json); - reads JSON "
                  "from standard input"},
    [STACK] = {.name = "stack",
               .kind = OPTION_STRING,
               .arg = "STACK",
               .env = "PLUMB_STACK",
               .text = "the root module that the plan is for, or the name of a stack in "
                       "plumb.yaml; without it what is here"},
    [STATE] = ROW_STATE,
    [LIVE] = ROW_LIVE,
    [FROM_PLAN] = {.name = "from-plan",
                   .kind = OPTION_FLAG,
                   .text = "read nothing now: what the plan saw while it was made counts as live"},
    [PLAN_COMMIT] = {.name = "plan-commit",
                     .kind = OPTION_STRING,
                     .arg = "HASH",
                     .text = "the commit that the plan was made from; another one checked out is "
                             "an objection"},
    [APPROVE_TOKEN] = {.name = "approve-token",
                       .kind = OPTION_STRING,
                       .arg = "FILE",
                       .text = "where to write a one-time approval of exactly this plan, if it is "
                               "allowed; - puts it into the JSON report"},
    [OUTPUT] = ROW_OUTPUTS,
    [CONFIG] = ROW_CONFIG,
    [WORKSPACE] = ROW_WORKSPACE,
    [VAR] = ROW_VAR,
    [VAR_FILE] = ROW_VAR_FILE,
    [POLICY] = ROW_POLICIES,
    [WAIVERS] = ROW_WAIVERS,
    [STORE] = ROW_STORE,
    [NO_STORE] = ROW_NO_STORE,
    [NO_GIT] = {.name = "no-git",
                .kind = OPTION_FLAG,
                .env = "PLUMB_NO_GIT",
                .text = "do not ask git: commits, branches and signatures are not looked at"},
    [TIMEOUT] = ROW_TIMEOUT,
    [ALLOW_MISMATCH] = ROW_ALLOW_MISMATCH,
    [NO_COLOR] = ROW_NO_COLOR,
    [NO_CACHE] = ROW_NO_CACHE,
    [CACHE_DIR] = ROW_CACHE_DIR,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct outputs outputs;
    const struct config *config;
    struct stack stack;
    struct gating_plan plan;
    struct places_repos repos;
    struct gate_asking asking;
    struct record record; /* db NULL: there is no store */
    struct gate_writing writing;
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

static bool find_stack(struct job *job, struct err *err)
{
    const struct gating_stack ask = {.named = text_of(job, STACK),
                                     .config_file = text_of(job, CONFIG),
                                     .workspace = text_of(job, WORKSPACE),
                                     .state = text_of(job, STATE)};
    return gating_find_stack(job->arena, job->app, &ask, &job->stack, &job->config, err);
}

static bool fill_scan(struct job *job, struct err *err)
{
    static const struct config nothing;
    const struct config *c = job->config ? job->config : &nothing;
    struct scan_options *scan = &job->asking.scan;
    *scan = (struct scan_options){
        .config = job->config,
        .reader = {.concurrency = (unsigned)c->concurrency,
                   .max_providers = (unsigned)c->max_providers,
                   .max_memory = (uint64_t)c->max_memory,
                   .timeout_ms = given(job, TIMEOUT) ? (int)job->in->value[TIMEOUT].number
                                                     : (int)c->timeout_ms,
                   .no_probe = c->no_probe,
                   .allow_hash_mismatch = given(job, ALLOW_MISMATCH),
                   .cache_dir = given(job, NO_CACHE) ? STR("")
                                                     : setup_cache_dir(job->arena, job->app,
                                                                       text_of(job, CACHE_DIR)),
                   .cancel = job->app->cancel},
        .snapshot = text_of(job, LIVE),
        .env = job->app->env,
        .no_git = given(job, NO_GIT),
        .repos = &job->repos,
        .configured = &job->record,
        .now_utc_ms = job->app->now_ms(job->app->clock)};
    return setup_inputs(job->arena, &job->in->value[VAR_FILE], &job->in->value[VAR], &scan->inputs,
                        &scan->ninputs, err) &&
           policy_setup(job->arena, job->app, job->config, &job->in->value[POLICY],
                        &job->in->value[WAIVERS], true, NULL, &scan->policy, err);
}

static bool fill_code(struct job *job, struct err *err)
{
    const struct plan_code_options of = {
        .dir = job->stack.path, .env = job->app->env, .now_utc_ms = job->asking.scan.now_utc_ms};
    return plan_code_make(job->arena, &of, &job->asking.code, err);
}

static bool fill_asking(struct job *job, struct err *err)
{
    if (!given(job, PLAN))
        return err_set(err, ERR_USAGE, "which plan? --plan FILE (terraform plan -out FILE)");
    if (given(job, FROM_PLAN) && given(job, LIVE))
        return err_set(err, ERR_USAGE, "--from-plan and --live exclude each other");
    if (!outputs_parse(job->arena, &job->in->value[OUTPUT], STR("text"), &job->outputs, err) ||
        !find_stack(job, err) ||
        !gating_open_plan(job->arena, job->app, &job->stack, text_of(job, PLAN), &job->plan, err) ||
        !fill_scan(job, err) || !fill_code(job, err))
        return false;
    job->asking.stack = &job->stack;
    job->asking.plan = job->plan.json;
    job->asking.plan_name = job->plan.name.ptr;
    job->asking.saved = job->plan.saved;
    job->asking.from_plan = given(job, FROM_PLAN);
    job->asking.plan_commit = text_of(job, PLAN_COMMIT);
    return true;
}

/* --- the way --- */

static bool write_report(void *ctx, const struct format *format, struct buf *out,
                         const struct report_options *how, struct err *err)
{
    return gate_report_write(out, ctx, str_from(format->name), how, err);
}

/* A store that is configured and not there denies: an allow must be on record. */
static bool open_store(struct job *job, struct err *err)
{
    const struct judges judges =
        policy_judges(job->config, &job->in->value[POLICY], &job->in->value[WAIVERS]);
    struct store_choice choice;
    struct actor actor;
    bool approve = given(job, APPROVE_TOKEN), none = given(job, NO_STORE);
    if (!none &&
        !store_choose(job->arena, job->app, job->config, &job->in->value[STORE], &choice, err))
        return false;
    if (none || (!choice.chosen && !choice.there))
        return !approve ||
               err_set(err, ERR_USAGE, "--approve-token needs a store: set `store` in plumb.yaml");
    if (!who_am_i(job->app, job->arena, &actor, err) ||
        !judges_digest(job->arena, &judges, &job->writing.policy, err))
        return false;
    job->writing.actor = actor_of_event(&actor);
    job->writing.approve = approve;
    job->writing.token_ms = job->config ? job->config->gate.token_ms : 0;
    return store_open(job->arena, job->app, &choice, STORE_WRITE, &job->record, err) ||
           err_wrap(err, "nothing is allowed without the store");
}

static bool add_note(struct job *job, struct gate_seen *seen, struct str note, struct err *err)
{
    struct str *list = arena_new(job->arena, struct str, seen->nnotes + 1);
    if (!list)
        return arena_full(job->arena, err);
    if (seen->nnotes)
        memcpy(list, seen->note, seen->nnotes * sizeof *list);
    list[seen->nnotes++] = note;
    seen->note = list;
    return true;
}

static bool ask_record(struct job *job, struct gate_seen *seen, struct err *err)
{
    if (job->record.db)
        return gate_add_record(job->arena, &job->record, seen, err);
    return add_note(job, seen,
                    STR("there is no store: reviews, freezes and findings on record do "
                        "not count, and the decision is not written down"),
                    err);
}

/* For the apply step alone: nobody else may read it. */
static bool hand_out(const struct job *job, struct gate_report *report, struct err *err)
{
    struct str file = text_of(job, APPROVE_TOKEN);
    if (!report->token.text.len || str_equal(file, STR("-")))
        return true;
    struct str path = arena_dup(job->arena, file);
    struct str line = arena_printf(job->arena, "%.*s\n", STR_ARG(report->token.text));
    if (!path.ptr || !line.ptr)
        return arena_full(job->arena, err);
    if (!io_write_file_atomic(path.ptr, line, 0600, err))
        return err_wrap(err, "write the approval");
    report->token.in_file = true;
    return true;
}

static bool decide(struct job *job, struct gate_report *report, struct gate_decision *decision,
                   struct gate_seen *seen, struct err *err)
{
    if (!ask_record(job, seen, err) ||
        !gate_decide(job->arena, &seen->facts, job->config ? &job->config->gate : NULL, decision,
                     err))
        return false;
    if (!job->record.db)
        return true;
    report->store = db_shown(job->record.db);
    return gate_write_decision(job->arena, &job->record, &job->writing, report, err) &&
           hand_out(job, report, err);
}

static bool run_job(struct job *job, int *ret_exit, struct err *err)
{
    struct gate_seen seen;
    struct gate_decision decision = {0};
    const struct report_options how = {.colour = setup_colour(job->app, given(job, NO_COLOR)),
                                       .tool_version = STR(PLUMB_VERSION)};
    if (!fill_asking(job, err) || !open_store(job, err) ||
        !gate_gather(job->arena, &job->asking, &seen, err))
        return false;
    struct gate_report report = {.seen = &seen,
                                 .decision = &decision,
                                 .plan = text_of(job, PLAN),
                                 .digest = job->plan.digest,
                                 .event = -1};
    if (!decide(job, &report, &decision, &seen, err) ||
        !outputs_write_with(&job->outputs, job->app->out, write_report, &report, &how, err))
        return false;
    *ret_exit = decision.exit_code;
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 36};
    struct job job = {.app = app, .in = in, .arena = &arena};
    bool ok = run_job(&job, ret_exit, err);
    plan_code_close(job.asking.code);
    policy_close(job.asking.scan.policy);
    gating_close_plan(&job.plan);
    store_close(app, &job.record);
    return ok;
}

const struct command cmd_gate = {
    .name = "gate",
    .usage = "plumb gate --plan FILE [options]",
    .summary = "say whether a plan may be applied, and why not",
    .help =
        "Reads exactly the addresses that the plan touches, as they are now, and joins them with "
        "the plan, with what is on record of the stack, with its code and with policy. Denied is a "
        "plan that would undo drift that nobody reviewed, that passes over drift that policy wants "
        "decided first, whose values violate policy, that is stale, whose code is not what "
        "plumb.yaml asks for, or while a freeze is in effect. What each of these does is set in "
        "`gate` of plumb.yaml.\n\n"
        "A saved plan is opened with the stack's own tofu or terraform; it says which state and "
        "which code it was made from, which its JSON does not.\n\n"
        "Exit codes: 0 allowed, 2 denied by drift, 3 denied by policy, 1 it could not be told "
        "(which denies as well).\n\n"
        "  tofu plan -out plan.tfplan && plumb gate --plan plan.tfplan && tofu apply plan.tfplan\n"
        "  plumb gate --plan plan.json --stack infra/prod --output text --output markdown=gate.md",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
