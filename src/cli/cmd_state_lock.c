/* cmd_state_lock.c - `plumb state lock`: a person takes the lock of a state. */
#include <assert.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/openssl.h"
#include "cli/app.h"
#include "cli/state_command.h"

enum { REASON = STATE_OPTION_COUNT, OPTION_COUNT };
static const struct option options[] = {
    STATE_OPTIONS,
    [REASON] = {.name = "reason",
                .kind = OPTION_STRING,
                .arg = "TEXT",
                .text = "why; who is kept out reads it"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool make_id(struct arena *arena, struct str *ret, struct err *err)
{
    unsigned char b[8];
    if (!openssl_load_crypto(err))
        return false;
    if (RAND_bytes(b, sizeof b) != 1)
        return err_set(err, ERR_UNAVAILABLE, "there are no random bytes");
    *ret = arena_printf(arena, "hold-%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
                        b[4], b[5], b[6], b[7]);
    return ret->ptr || arena_full(arena, err);
}

static bool hold(const struct app *app, const struct invocation *in, struct state_command *c,
                 int *ret_exit, struct err *err)
{
    struct lock_result result = {0};
    struct lockinfo info = {
        .operation = STR("hold"), .info = in->value[REASON].text, .version = STR(PLUMB_VERSION)};
    char now[CLOCK_TEXT];
    if (!info.info.len)
        return err_set(err, ERR_USAGE, "--reason: why is it locked? Who is kept out reads it");
    if (!state_command_open(c, app, in, STORE_WRITE, err) || !make_id(&c->arena, &info.id, err))
        return false;
    info.who = c->by.name;
    info.created = str_from(clock_format(app->now_ms(app->clock), now));
    if (!state_command_do(c, &info, lock_hold, &result, err))
        return false;
    if (result.answer == LOCK_HELD)
        return err_set(err, ERR_CONFLICT, "%.*s is locked by %.*s; `plumb state list` shows it",
                       STR_ARG(in->args[0]), STR_ARG(result.why));
    (void)fprintf(app->out, "%.*s\n", STR_ARG(info.id));
    *ret_exit = 0;
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    struct state_command command = {0};
    bool ok = hold(app, in, &command, ret_exit, err);
    state_command_close(&command);
    return ok;
}

const struct command cmd_state_lock = {
    .name = "state lock",
    .usage = "plumb state lock STACK --reason TEXT [options]",
    .summary = "take the lock of a state, as a person",
    .help = "Nobody plans or applies until `plumb state unlock`; nothing can be written under this "
            "lock. Prints its id. To stop applies and let plans go on, use `plumb freeze`.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
