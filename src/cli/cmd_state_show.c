/* cmd_state_show.c - `plumb state show`: a version of a state, as it was written. */
#include <assert.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/state_command.h"

enum { VERSION = STATE_OPTION_COUNT, OPTION_COUNT };
static const struct option options[] = {
    STATE_OPTIONS,
    [VERSION] = {.name = "version",
                 .kind = OPTION_INT,
                 .arg = "N",
                 .least = 1,
                 .text = "this version, as `plumb state versions` lists them; without it the "
                         "current one"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool show(const struct app *app, const struct invocation *in, struct state_command *c,
                 struct err *err)
{
    AUTO_BUF body = {.limit = STATE_BYTES_MAX + (2 << 20)};
    struct state_row row = {0};
    struct state_version version;
    if (!state_command_open(c, app, in, STORE_READ, err) ||
        !states_get(&c->arena, c->record.db, in->args[0], &row, err))
        return false;
    int64_t number = in->value[VERSION].set ? in->value[VERSION].number : row.version;
    if (number == 0)
        return err_set(err, ERR_USAGE, "there is no state of %.*s here", STR_ARG(in->args[0]));
    if (!states_read(&c->arena, c->record.db, in->args[0], number, &body, &version, err))
        return false;
    (void)fwrite(body.ptr, 1, body.len, app->out);
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    struct state_command command = {0};
    bool ok = show(app, in, &command, err);
    state_command_close(&command);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_state_show = {
    .name = "state show",
    .usage = "plumb state show STACK [options]",
    .summary = "print a state of plumb serve, or an earlier version of it",
    .help = "The very bytes that were written, which may hold secrets. They are checked against "
            "the digest that was stored with them.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
