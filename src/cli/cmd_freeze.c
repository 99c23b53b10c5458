/* cmd_freeze.c - `plumb freeze`: for a time, nothing is applied. */
#include <assert.h>

#include "base/err.h"
#include "cli/covering.h"
#include "cli/rows.h"

enum { ADDRESS, REASON, UNTIL, TICKET, OUTPUT, CONFIG, STORE, OPTION_COUNT };

static const struct option options[] = {
    [ADDRESS] = ROW_ADDRESSES,
    [REASON] = ROW_REASON("why"),
    [UNTIL] = ROW_UNTIL("a date, or a time from now such as 3d; it ends by itself"),
    [TICKET] = ROW_TICKET("where it is discussed"),
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool start(struct answering *a, const struct invocation *in, struct err *err)
{
    struct cover cover = {.kind = COVER_FREEZE,
                          .scope = str_trim(in->args[0]),
                          .address = str_trim(in->value[ADDRESS].text),
                          .reason = str_trim(in->value[REASON].text),
                          .ticket = str_trim(in->value[TICKET].text)};
    if (!cover.scope.len)
        return err_set(err, ERR_USAGE, "SCOPE is empty: '*' is every stack");
    return answering_need(&in->value[REASON], "reason", "a freeze says why", err) &&
           answering_need(&in->value[UNTIL], "until", "when it ends", err) &&
           answering_until(a, &in->value[UNTIL], "until", &cover.until_utc_ms, err) &&
           covering_start(a, &cover, str_equal(in->value[OUTPUT].text, STR("json")), err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return answering_do(app, in, &in->value[CONFIG], &in->value[STORE], STORE_WRITE, start, err);
}

const struct command cmd_freeze = {
    .name = "freeze",
    .usage = "plumb freeze SCOPE --reason TEXT --until WHEN [options]",
    .summary = "for a time, nothing is applied to some stacks",
    .help =
        "SCOPE is a glob over the names of stacks; '*' is every one. Gates refuse applies within "
        "it; plans and scans go on.\n\n"
        "  plumb freeze 'prod*' --reason 'end of the year' --until 2027-01-07",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
