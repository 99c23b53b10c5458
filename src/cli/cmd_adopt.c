/* cmd_adopt.c - `plumb adopt`: the smallest edit of the code that makes it say what is live. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/adopting.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/setup.h"
#include "model/finding.h"
#include "scan/code_setup.h"
#include "scan/look.h"

enum { EXIT_REFUSED = EXIT_VIOLATION };

static const struct option options[] = {
    [ADOPT_ADDRESS] = {.name = "address",
                       .letter = 'a',
                       .kind = OPTION_STRING,
                       .arg = "ADDRESS",
                       .text = "the instance, with module and index, instead of a finding"},
    [ADOPT_PATH] = {.name = "path",
                    .letter = 'p',
                    .kind = OPTION_STRING,
                    .arg = "PATH",
                    .text = "only this part of it, such as tags[\"env\"]; without it all that "
                            "differs"},
    [ADOPT_VALUE] = {.name = "value",
                     .kind = OPTION_STRING,
                     .arg = "VALUE",
                     .text = "this value instead of the live one: a literal such as 5, true or "
                             "[\"a\"], else text; needs --path"},
    [ADOPT_UNSET] = {.name = "unset",
                     .kind = OPTION_FLAG,
                     .text = "take the part out of the code; needs --path"},
    [ADOPT_ID] = {.name = "id",
                  .kind = OPTION_STRING,
                  .arg = "ID",
                  .text = "what the provider imports it by: for a resource that is in no code"},
    [ADOPT_FILE] = {.name = "file",
                    .kind = OPTION_STRING,
                    .arg = "NAME",
                    .text = "the file of the root module that new blocks are put into; without it "
                            "where resources of the type are, else main.tf"},
    [ADOPT_ORIGIN] = {.name = "origin",
                      .kind = OPTION_FLAG,
                      .text = "where the value comes from a variable, a local, a module's argument "
                              "or a for_each map, edit the literal there"},
    [ADOPT_FORGET] = {.name = "forget",
                      .kind = OPTION_FLAG,
                      .text = "of a resource that is not there any more: a removed block with "
                              "destroy = false takes the place of its own"},
    [ADOPT_WRITE] = {.name = "write", .kind = OPTION_FLAG, .text = "write the files"},
    [ADOPT_BRANCH] = {.name = "branch",
                      .kind = OPTION_STRING,
                      .arg = "NAME",
                      .text = "commit the edit to a new git branch; the working tree stays as it "
                              "is"},
    [ADOPT_REPORT] = {.name = "report",
                      .kind = OPTION_STRING,
                      .arg = "FILE",
                      .text = "the JSON report that FINDING is in; without it a scan is made"},
    [ADOPT_LIVE] = ROW_LIVE,
    [ADOPT_STATE] = ROW_STATE,
    [ADOPT_CONFIG] = ROW_CONFIG,
    [ADOPT_WORKSPACE] = ROW_WORKSPACE,
    [ADOPT_VAR] = ROW_VAR,
    [ADOPT_VAR_FILE] = ROW_VAR_FILE,
    [ADOPT_ALLOW_MISMATCH] = ROW_ALLOW_MISMATCH,
    [ADOPT_TIMEOUT] = ROW_TIMEOUT,
    [ADOPT_NO_CACHE] = ROW_NO_CACHE,
    [ADOPT_CACHE_DIR] = ROW_CACHE_DIR,
};
static_assert(sizeof options / sizeof *options == ADOPT_OPTION_COUNT, "one row per option");

/* --- the command line --- */

static bool split_args(const struct invocation *in, struct str *ret_finding, struct str *ret_dir,
                       struct err *err)
{
    for (size_t i = 0; i < in->nargs; i++) {
        bool finding = !in->value[ADOPT_ADDRESS].set && ret_finding->len == 0 &&
                       adopting_is_fingerprint(in->args[i]);
        struct str *into = finding ? ret_finding : ret_dir;
        if (into->len)
            return err_set(err, ERR_USAGE, "one finding and one folder, not '%.*s' and '%.*s'",
                           STR_ARG(*into), STR_ARG(in->args[i]));
        *into = in->args[i];
    }
    if (ret_finding->len == 0 && !in->value[ADOPT_ADDRESS].set)
        return err_set(err, ERR_USAGE,
                       "what is to be adopted? Give the fingerprint of a finding, "
                       "or --address");
    return true;
}

static bool check_options(const struct invocation *in, struct err *err)
{
    static const struct {
        unsigned char one, other;
        const char *why;
    } rows[] = {
        {ADOPT_WRITE, ADOPT_BRANCH, "--write and --branch: one of them"},
        {ADOPT_VALUE, ADOPT_UNSET, "--value and --unset: one of them"},
        {ADOPT_FORGET, ADOPT_PATH, "--forget is of a whole resource; --path does not go with it"},
        {ADOPT_FORGET, ADOPT_ID, "--id adds a resource to the code; --forget does not go with it"},
        {ADOPT_ID, ADOPT_PATH, "--id makes a whole resource; --path does not go with it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (in->value[rows[i].one].set && in->value[rows[i].other].set)
            return err_set(err, ERR_USAGE, "%s", rows[i].why);
    return true;
}

/* --- the code --- */

/* What the provider that reads is configured with, as a scan has it. */
static bool provider_config(void *ctx, struct str name, struct value *ret, struct str *ret_from,
                            struct str *ret_unknown)
{
    struct adopting *a = ctx;
    const struct code_provider_instance *of = scan_code_find_provider(a->code, name);
    if (!of)
        return false;
    *ret = of->config;
    *ret_unknown = a->open_settings = of->unknown_because;
    return scan_code_provider_place(a->arena, of, ret_from);
}

static bool open_code(struct adopting *a, struct err *err)
{
    const struct option_value *value = a->in->value;
    struct look_options look = {.stack = &a->stack,
                                .reader = a->reader,
                                .env = a->app->env,
                                .now_utc_ms = a->app->now_ms(a->app->clock)};
    if (!setup_inputs(a->arena, &value[ADOPT_VAR_FILE], &value[ADOPT_VAR], &look.inputs,
                      &look.ninputs, err) ||
        !look_open(&look, &a->look, err))
        return false;
    a->options = look_code_options(a->look, CODE_EXPLORE);
    a->reader.provider_config = provider_config;
    a->reader.ctx = a;
    return code_open(&a->options, &a->code, err) && code_evaluate(a->code, err);
}

/* --- planning --- */

static void say_refused(struct adopting *a, const struct adopt_change *change,
                        const struct adopt_result *result)
{
    struct str path = change ? path_text(a->arena, change->path) : STR("");
    a->refused = true;
    if (str_starts(result->reason, path)) /* it is of that path, or of a part of it, by itself */
        path.len = 0;
    adopting_say(a, "%.*s%s%.*s: %.*s", STR_ARG(a->address), path.len ? ": " : "", STR_ARG(path),
                 STR_ARG(result->reason));
    if (result->has_other_way && !a->in->value[ADOPT_ORIGIN].set)
        adopting_say(a, "--origin edits it there, if nothing else depends on it");
}

/* Each alone; those that cannot be made are said and left out. */
static bool try_each(struct adopting *a, const struct adopt_change *change, size_t n,
                     struct adopt_change *kept, size_t *ret_kept, struct err *err)
{
    *ret_kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct adopt_result result;
        if (!adopt_plan(a->arena, &a->options, a->code, &change[i], 1, &result, err))
            return false;
        if (result.refused)
            say_refused(a, &change[i], &result);
        else
            kept[(*ret_kept)++] = change[i];
    }
    return true;
}

static bool plan(struct adopting *a, const struct adopt_change *change, size_t n,
                 struct adopt_result *ret, struct err *err)
{
    struct adopt_change *kept = arena_new(a->arena, struct adopt_change, n);
    if (!kept)
        return arena_full(a->arena, err);
    if (!adopt_plan(a->arena, &a->options, a->code, change, n, ret, err))
        return false;
    if (!ret->refused)
        return true;
    if (n == 1) {
        say_refused(a, &change[0], ret);
        return true;
    }
    size_t nkept;
    if (!try_each(a, change, n, kept, &nkept, err))
        return false;
    *ret = (struct adopt_result){0};
    if (nkept && !adopt_plan(a->arena, &a->options, a->code, kept, nkept, ret, err))
        return false;
    if (ret->refused)
        say_refused(a, NULL, ret);
    return true;
}

static bool adopt(struct adopting *a, struct err *err)
{
    struct adopt_result result = {0};
    const struct adopt_change *change;
    size_t n = 0;
    if (a->in->value[ADOPT_ID].set) {
        if (!adopting_import(a, &result, err))
            return false;
        if (result.refused)
            say_refused(a, NULL, &result);
    } else if (!adopting_changes(a, &change, &n, err) || (n && !plan(a, change, n, &result, err)) ||
               (a->gone && !n && !adopting_removal(a, &result, err))) {
        return false;
    }
    return result.refused || adopting_give(a, &result, err);
}

static bool run_with(struct adopting *a, struct err *err)
{
    struct str finding = {0}, dir = {0};
    const struct option_value *value = a->in->value;
    a->reader = (struct reader_options){
        .allow_hash_mismatch = value[ADOPT_ALLOW_MISMATCH].set,
        .timeout_ms = (int)value[ADOPT_TIMEOUT].number,
        .cache_dir = value[ADOPT_NO_CACHE].set
                         ? STR("")
                         : setup_cache_dir(a->arena, a->app, value[ADOPT_CACHE_DIR].text),
        .cancel = a->app->cancel};
    return check_options(a->in, err) && split_args(a->in, &finding, &dir, err) &&
           adopting_find(a, finding, &dir, dir.len > 0, err) && open_code(a, err) && adopt(a, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 35};
    struct adopting adopting = {.app = app, .in = in, .arena = &arena};
    bool ok = run_with(&adopting, err);
    code_close(adopting.code);
    look_close(adopting.look);
    *ret_exit = adopting.refused ? EXIT_REFUSED : 0;
    return ok;
}

const struct command cmd_adopt = {
    .name = "adopt",
    .usage = "plumb adopt FINDING|--address ADDRESS [DIR] [options]",
    .summary = "make the code say what is live, with the smallest edit",
    .help =
        "FINDING is the fingerprint of a finding, or its beginning, out of a report or of a scan "
        "made now. DIR is the root module; without it, what is here. The edit is printed as a "
        "unified diff; nothing is written without --write or --branch.\n\n"
        "Literals are edited where they stand; comments and form are kept. Before anything is "
        "given away the edited code is evaluated: exactly what was meant may differ. Where there "
        "is no such edit, the reason is told with its place: an expression that computes, a "
        "literal that other instances share, an attribute that only the provider sets.\n\n"
        "With --id a resource that is in no code gets an import block and its configuration. The "
        "block of one that is not there any more is taken out; with --forget a removed block "
        "stands there instead.\n\n"
        "Exit codes: 0 there is an edit, or nothing to change; 3 some of it has no edit; 1 "
        "error.\n\n"
        "  plumb adopt 1f3a9c --report drift.json\n"
        "  plumb adopt --address 'aws_instance.web[\"a\"]' --path instance_type infra/prod "
        "--write\n"
        "  plumb adopt --address aws_s3_bucket.logs --id my-logs --branch adopt/logs",
    .options = options,
    .noptions = ADOPT_OPTION_COUNT,
    .args_most = 2,
    .run = run};
