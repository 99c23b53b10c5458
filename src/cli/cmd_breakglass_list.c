/* cmd_breakglass_list.c - `plumb breakglass list`: list where the glass is broken, and what is left
 * to answer. */
#include <assert.h>

#include "base/arena.h"
#include "cli/covering.h"
#include "cli/rows.h"

static const struct option options[] = {COVERING_LIST_OPTIONS};
static_assert(sizeof options / sizeof *options == COVERING_LIST_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return covering_list(app, in, COVER_BREAKGLASS, err);
}

const struct command cmd_breakglass_list = {
    .name = "breakglass list",
    .usage = "plumb breakglass list [options]",
    .summary = "list where the glass is broken, and what is left to answer",
    .options = options,
    .noptions = COVERING_LIST_COUNT,
    .run = run};
