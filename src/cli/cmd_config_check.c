/* cmd_config_check.c - `plumb config check`: is plumb.yaml right, and what does it come to? */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/serve_setup.h"
#include "desired/stacks.h"
#include "model/config.h"

enum { START, OPTION_COUNT };

static const struct option options[] = {
    [START] = {.name = "start",
               .kind = OPTION_FLAG,
               .text = "as a start of plumb serve here: secrets that are not here are errors"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* A date that has passed: the rule no longer counts, and somebody should know. */
static size_t tell_expired(FILE *out, const struct config *config, int64_t now_ms)
{
    size_t n = 0;
    for (size_t i = 0; i < config->nignores; i++) {
        const struct ignore_rule *rule = &config->ignores[i];
        if (rule->expires_utc_ms > now_ms)
            continue;
        n++;
        (void)fprintf(out, "%.*s:%u:%u: this ignore rule expired on %.*s (%.*s)\n",
                      STR_ARG(config->path), rule->place.line, rule->place.column,
                      STR_ARG(rule->expires), STR_ARG(rule->reason));
    }
    return n;
}

static bool find_file(struct arena *arena, const struct invocation *in, const struct app *app,
                      struct str *ret, struct err *err)
{
    struct str given = in->nargs ? in->args[0] : str_from(app->env("PLUMB_CONFIG"));
    *ret = given.len ? arena_dup(arena, given) : config_find(arena, STR("."));
    if (!ret->len)
        return err_set(err, ERR_IO, "no plumb.yaml here or above; `plumb init` writes one");
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct config config = {0};
    struct stacks stacks = {0};
    struct str path;
    if (!find_file(&arena, in, app, &path, err) || !config_load(&arena, path.ptr, &config, err))
        return false;
    const struct stacks_query query = {.config_file = path, .env = app->env};
    FILE *absent = in->value[START].set ? NULL : app->out;
    if (!stacks_find(&arena, &query, &stacks, err) ||
        !serve_setup_check(&arena, app, &config, absent, err))
        return false;
    for (size_t i = 0; i < config.nnotes; i++)
        (void)fprintf(app->out, "note: %.*s\n", STR_ARG(config.notes[i]));
    (void)tell_expired(app->out, &config, app->now_ms(app->clock));
    (void)fprintf(app->out, "%.*s is valid: %zu stack%s, %zu ignore rule%s\n", STR_ARG(path),
                  stacks.n, stacks.n == 1 ? "" : "s", config.nignores,
                  config.nignores == 1 ? "" : "s");
    *ret_exit = 0;
    return true;
}

const struct command cmd_config_check = {
    .name = "config check",
    .usage = "plumb config check [options] [FILE]",
    .summary = "check plumb.yaml and tell what it comes to",
    .help = "It looks at everything that a scan and a start of plumb serve would: policies, packs "
            "and their pins, waivers, keys, certificates, receivers. Errors name the file, line "
            "and column and the nearest valid key. Keys that are accepted without effect, secrets "
            "in plain text, expired ignore rules and secrets that are not on this machine are "
            "noted.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};
