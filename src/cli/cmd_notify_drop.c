/* cmd_notify_drop.c - `plumb notify drop`: alerts that nobody needs any more. */
#include "cli/notifying.h"

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = 0;
    return notifying_change(app, in, outbox_drop, "dropped", true, err);
}

const struct command cmd_notify_drop = {
    .name = "notify drop",
    .usage = "plumb notify drop ID|--dead|--receiver NAME [options]",
    .summary = "take alerts out that wait or were given up",
    .help = "ID is the beginning of an alert's, as `plumb notify list` has it. What was dropped is "
            "kept in the list for a week, and not sent. With --receiver one that plumb.yaml does "
            "not name any more is forgotten, with what is held for it.",
    .options = notifying_options,
    .noptions = NOTIFYING_COUNT,
    .args_most = 1,
    .run = run};
