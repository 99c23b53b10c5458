/* cmd_breakglass_end.c - `plumb breakglass end`: end a breakglass before its time; what changed
 * within is to be answered. */
#include <assert.h>

#include "base/arena.h"
#include "cli/covering.h"
#include "cli/rows.h"

static const struct option options[] = {COVERING_END_OPTIONS};
static_assert(sizeof options / sizeof *options == COVERING_END_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return covering_end(app, in, COVER_BREAKGLASS, err);
}

const struct command cmd_breakglass_end = {
    .name = "breakglass end",
    .usage = "plumb breakglass end ID [options]",
    .summary = "end a breakglass before its time; what changed within is to be answered",
    .options = options,
    .noptions = COVERING_END_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
