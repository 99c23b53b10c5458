/* cmd_review_withdraw.c - `plumb review withdraw`: an answer is taken back, or refused. */
#include <assert.h>

#include "base/err.h"
#include "cli/answering.h"
#include "cli/rows.h"

enum { REASON, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [REASON] = ROW_REASON("why"),
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool withdraw(struct answering *a, const struct invocation *in, struct err *err)
{
    const struct reviewing r = answering_review(a);
    struct workflow_outcome out;
    struct review review;
    int64_t id;
    return answering_review_id(in->args[0], &id, err) &&
           reviewing_withdraw(&r, id, str_trim(in->value[REASON].text), &review, &out, err) &&
           answering_tell(a, id, &out, STR("; the finding is open"), err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return answering_do(app, in, &in->value[CONFIG], &in->value[STORE], STORE_CHANGE, withdraw,
                        err);
}

const struct command cmd_review_withdraw = {
    .name = "review withdraw",
    .usage = "plumb review withdraw ID [--reason TEXT] [options]",
    .summary = "take a review back, or refuse it",
    .help = "Who asked for it may take it back at any time, in effect or not; who could approve it "
            "may refuse it. The finding is open again, its deadline as it was.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
