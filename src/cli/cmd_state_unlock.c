/* cmd_state_unlock.c - `plumb state unlock`: take a lock away, whoever has it. */
#include <assert.h>

#include "base/err.h"
#include "cli/app.h"
#include "cli/state_command.h"

enum { ID = STATE_OPTION_COUNT, OPTION_COUNT };
static const struct option options[] = {
    STATE_OPTIONS,
    [ID] = {.name = "id",
            .kind = OPTION_STRING,
            .arg = "ID",
            .text = "only if this is the lock; without it whatever lock there is"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool give_back(const struct lock_deed *deed, const struct lockinfo *info,
                      struct lock_result *ret, struct err *err)
{
    return lock_give_back(deed, info, true, ret, err);
}

static bool unlock(const struct app *app, const struct invocation *in, struct state_command *c,
                   int *ret_exit, struct err *err)
{
    struct lock_result result = {0};
    struct lockinfo info = {.id = in->value[ID].text};
    if (!state_command_open(c, app, in, STORE_WRITE, err) ||
        !state_command_do(c, &info, give_back, &result, err))
        return false;
    if (!lock_is_given(result.answer))
        return err_set(err, ERR_CONFLICT, "%.*s: %.*s", STR_ARG(in->args[0]), STR_ARG(result.why));
    if (result.answer == LOCK_AGAIN)
        (void)fprintf(app->err, "plumb: %.*s was not locked\n", STR_ARG(in->args[0]));
    *ret_exit = 0;
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    struct state_command command = {0};
    bool ok = unlock(app, in, &command, ret_exit, err);
    state_command_close(&command);
    return ok;
}

const struct command cmd_state_unlock = {
    .name = "state unlock",
    .usage = "plumb state unlock STACK [options]",
    .summary = "take the lock of a state away",
    .help = "For a lock whose owner is gone: make sure that it is, for what it writes from then on "
            "is refused. Whose lock it was stands in the audit log.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
