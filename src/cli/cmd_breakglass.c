/* cmd_breakglass.c - `plumb breakglass`: for a time, gates warn instead of block. */
#include <assert.h>
#include <inttypes.h>

#include "base/err.h"
#include "cli/covering.h"
#include "cli/rows.h"

enum { SCOPE, ADDRESS, FOR, TICKET, REASON, OUTPUT, CONFIG, STORE, OPTION_COUNT };
enum { MINUTE_MS = 60000 };

static const struct option options[] = {
    [SCOPE] = {.name = "scope",
               .kind = OPTION_STRING,
               .arg = "GLOB",
               .text = "over the names of stacks; * is every one"},
    [ADDRESS] = ROW_ADDRESSES,
    [FOR] = {.name = "for",
             .kind = OPTION_STRING,
             .arg = "TIME",
             .text = "how long, such as 2h; it ends by itself"},
    [TICKET] = ROW_TICKET("where the emergency is handled"),
    [REASON] = ROW_REASON("what the emergency is"),
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool start(struct answering *a, const struct invocation *in, struct err *err)
{
    const struct config_review *rules = &a->config.review;
    struct cover cover = {.kind = COVER_BREAKGLASS,
                          .scope = str_trim(in->value[SCOPE].text),
                          .address = str_trim(in->value[ADDRESS].text),
                          .reason = str_trim(in->value[REASON].text),
                          .ticket = str_trim(in->value[TICKET].text),
                          .within_ms = rules->breakglass_review_ms ? rules->breakglass_review_ms
                                                                   : WORKFLOW_BREAKGLASS_REVIEW_MS};
    int64_t longest = rules->breakglass_longest_ms ? rules->breakglass_longest_ms
                                                   : WORKFLOW_BREAKGLASS_LONGEST_MS;
    if (!answering_need(&in->value[SCOPE], "scope", "which stacks; '*' is every one", err) ||
        !answering_need(&in->value[FOR], "for", "how long, such as 2h", err) ||
        !answering_need(&in->value[TICKET], "ticket", "where the emergency is handled", err) ||
        !answering_need(&in->value[REASON], "reason", "what the emergency is", err) ||
        !answering_until(a, &in->value[FOR], "for", &cover.until_utc_ms, err))
        return false;
    if (cover.until_utc_ms - a->now > longest)
        return err_set(err, ERR_CONFLICT,
                       "refused: at most %" PRId64 " minutes (review.breakglass.longest)",
                       longest / MINUTE_MS);
    return covering_start(a, &cover, str_equal(in->value[OUTPUT].text, STR("json")), err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return answering_do(app, in, &in->value[CONFIG], &in->value[STORE], STORE_WRITE, start, err);
}

const struct command cmd_breakglass = {
    .name = "breakglass",
    .usage = "plumb breakglass --scope GLOB --for TIME --ticket TEXT --reason TEXT [options]",
    .summary = "in an emergency: gates warn instead of block, for a time",
    .help = "Everything done meanwhile is recorded as ever. When it ends, what appeared or changed "
            "within is a list of findings to be answered, with a date (review.breakglass in "
            "plumb.yaml; 3 days without it).\n\n"
            "  plumb breakglass --scope 'prod*' --for 2h --ticket INC-7 --reason 'database down'",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
