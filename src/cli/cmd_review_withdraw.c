/* cmd_review_withdraw.c - `plumb review withdraw`: an answer is taken back, or refused. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/answering.h"
#include "cli/rows.h"
#include "report/parts.h"

enum { REASON, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [REASON] =
        {.name = "reason", .letter = 'r', .kind = OPTION_STRING, .arg = "TEXT", .text = "why"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool withdraw(struct answering *a, const struct invocation *in, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    const struct reviewing r = answering_review(a);
    struct workflow_outcome out;
    struct review review;
    int64_t id;
    if (!review_id_from(in->args[0], 'R', &id))
        return err_set(err, ERR_USAGE, "want the number of a review such as R1, got '%.*s'",
                       STR_ARG(in->args[0]));
    if (!reviewing_withdraw(&r, id, str_trim(in->value[REASON].text), &review, &out, err))
        return false;
    if (!out.allowed)
        return err_set(err, ERR_CONFLICT, "refused: %.*s", STR_ARG(out.why));
    buf_printf(&text, "R%lld: ", (long long)id);
    text_safe(&text, out.why);
    buf_str(&text, STR("; the finding is open\n"));
    return answering_print(a, &text, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << ANSWERING_MEMORY_SHIFT};
    struct answering a;
    bool ok =
        answering_open(&a, app, &arena, &in->value[CONFIG], &in->value[STORE], STORE_WRITE, err) &&
        withdraw(&a, in, err);
    answering_close(&a);
    *ret_exit = EXIT_IN_SYNC;
    return ok;
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
