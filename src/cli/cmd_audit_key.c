/* cmd_audit_key.c - `plumb audit key`: the key that checkpoints are signed with, and another one.
 */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/who.h"
#include "record/audit_checkpoint.h"

enum { ROTATE, LOST, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [ROTATE] = {.name = "rotate",
                .kind = OPTION_FLAG,
                .text = "another key signs from here on; the old one signs that it is so"},
    [LOST] = {.name = "lost",
              .kind = OPTION_FLAG,
              .text = "with --rotate: the old key is gone; who verifies is warned of that"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool rotate(const struct app *app, struct arena *arena, struct record *record, bool lost,
                   struct str *ret, struct err *err)
{
    struct actor actor;
    if (!who_am_i(app, arena, &actor, err))
        return false;
    struct event_actor by = actor_of_event(&actor);
    return audit_key_rotate(record, arena, &by, lost, ret, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record;
    struct str vkey;
    bool turn = in->value[ROTATE].set, lost = in->value[LOST].set;
    if (lost && !turn)
        return err_set(err, ERR_USAGE, "--lost goes with --rotate");
    if (!audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE],
                    turn ? AUDIT_CHANGE : AUDIT_READ, &record, err))
        return false;
    bool ok = turn ? rotate(app, &arena, &record, lost, &vkey, err)
                   : audit_key_current(&record, &arena, &vkey, err);
    record_close(&record);
    if (!ok)
        return false;
    if (!vkey.len)
        return err_set(err, ERR_USAGE,
                       "the audit log names no key yet: `plumb audit checkpoint` makes one");
    (void)fprintf(app->out, "%.*s\n", STR_ARG(vkey));
    *ret_exit = 0;
    return true;
}

const struct command cmd_audit_key = {
    .name = "audit key",
    .usage = "plumb audit key [--rotate [--lost]] [options]",
    .summary = "the public key of the audit log; or put another in its place",
    .help = "Keep what it prints where the store's administrators cannot change it: it is what "
            "`plumb audit verify --key` takes.\n\n"
            "  plumb audit key\n"
            "  plumb audit key --rotate",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
