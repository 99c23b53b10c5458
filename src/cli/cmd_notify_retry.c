/* cmd_notify_retry.c - `plumb notify retry`: alerts that were given up are sent again. */
#include "cli/notifying.h"

static bool revive(struct record *record, const struct outbox_query *query, const struct actor *by,
                   int64_t *ret_n, struct err *err)
{
    bool was = false;
    (void)by; /* what is sent after all takes nothing from anybody */
    return (!query->receiver.len || outbox_revive(record, query->receiver, &was, err)) &&
           outbox_retry(record, query, ret_n, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = 0;
    return notifying_change(app, in, revive, "to be sent again", false, err);
}

const struct command cmd_notify_retry = {
    .name = "notify retry",
    .usage = "plumb notify retry ID|--dead|--receiver NAME [options]",
    .summary = "send alerts again that were refused or given up",
    .help = "ID is the beginning of an alert's, as `plumb notify list` has it. They are due at "
            "once, with all their tries; the service sends them, or `plumb notify send`. With "
            "--receiver one that was given up (it answered 410) is asked again, too.",
    .options = notifying_options,
    .noptions = NOTIFYING_COUNT,
    .args_most = 1,
    .run = run};
