/* cmd_freeze_end.c - `plumb freeze end`: end a freeze before its time. */
#include <assert.h>

#include "base/arena.h"
#include "cli/covering.h"
#include "cli/rows.h"

static const struct option options[] = {COVERING_END_OPTIONS};
static_assert(sizeof options / sizeof *options == COVERING_END_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return covering_end(app, in, COVER_FREEZE, err);
}

const struct command cmd_freeze_end = {.name = "freeze end",
                                       .usage = "plumb freeze end ID [options]",
                                       .summary = "end a freeze before its time",
                                       .options = options,
                                       .noptions = COVERING_END_COUNT,
                                       .args_least = 1,
                                       .args_most = 1,
                                       .run = run};
