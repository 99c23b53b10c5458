/* cmd_freeze_list.c - `plumb freeze list`: list what is frozen. */
#include <assert.h>

#include "base/arena.h"
#include "cli/covering.h"
#include "cli/rows.h"

static const struct option options[] = {COVERING_LIST_OPTIONS};
static_assert(sizeof options / sizeof *options == COVERING_LIST_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return covering_list(app, in, COVER_FREEZE, err);
}

const struct command cmd_freeze_list = {.name = "freeze list",
                                        .usage = "plumb freeze list [options]",
                                        .summary = "list what is frozen",
                                        .options = options,
                                        .noptions = COVERING_LIST_COUNT,
                                        .run = run};
