/* cmd_notify_send.c - `plumb notify send`: make and send the alerts that are due, without a
 * service.
 */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/notifying.h"
#include "cli/rows.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {[CONFIG] = ROW_CONFIG, [STORE] = ROW_STORE};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const enum store_use use = STORE_WRITE;
    struct notifying n;
    int64_t left = 0;
    bool ok = notifying_open(&n, app, &arena, &in->value[CONFIG], &in->value[STORE], &use, err) &&
              notifying_send(&n, &n.record, &left, err);
    notifying_close(&n);
    *ret_exit = left ? 1 : 0;
    return ok;
}

const struct command cmd_notify_send = {
    .name = "notify send",
    .usage = "plumb notify send [options]",
    .summary = "make and send the alerts that are due, once",
    .help = "For cron, where no `plumb serve` runs: what happened to findings since the last time "
            "becomes alerts as `notify:` has it, and what is due is sent. What is not taken is "
            "told on standard error, exits with 1, and is tried again by the next call when its "
            "time has come. `plumb scan --notify` does the same behind a scan. Beside a service "
            "it does no harm.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
