/* cmd_review_approve.c - `plumb review approve`: another person agrees. */
#include <assert.h>

#include "base/err.h"
#include "cli/answering.h"
#include "cli/rows.h"

enum { CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {[CONFIG] = ROW_CONFIG, [STORE] = ROW_STORE};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool approve(struct answering *a, const struct invocation *in, struct err *err)
{
    const struct reviewing r = answering_review(a);
    struct workflow_outcome out;
    struct review review;
    int64_t id;
    return answering_review_id(in->args[0], &id, err) &&
           reviewing_approve(&r, id, &review, &out, err) &&
           answering_tell(a, id, &out, STR(""), err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return answering_do(app, in, &in->value[CONFIG], &in->value[STORE], STORE_CHANGE, approve, err);
}

const struct command cmd_review_approve = {
    .name = "review approve",
    .usage = "plumb review approve ID [options]",
    .summary = "approve a review that somebody else asked for",
    .help = "Who may is said by review: in plumb.yaml; never the one who asked, nor the one who "
            "made the change (where that is known), unless a rule allows it. A refusal is "
            "recorded.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
