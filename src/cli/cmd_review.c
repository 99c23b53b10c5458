/* cmd_review.c - `plumb review`: a person's answer to a finding is asked for. */
#include <assert.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/answering.h"
#include "cli/app.h"
#include "cli/rows.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/store_json.h"

enum { REVERT, ADOPT, ACCEPT, REASON, UNTIL, TICKET, STACK, OUTPUT, CONFIG, STORE, OPTION_COUNT };

static const struct option options[] = {
    [REVERT] = {.name = "revert",
                .kind = OPTION_FLAG,
                .text = "live is to be put back to what the code says"},
    [ADOPT] = {.name = "adopt",
               .kind = OPTION_FLAG,
               .text = "the code is to take over what is live (plumb adopt)"},
    [ACCEPT] = {.name = "accept",
                .kind = OPTION_FLAG,
                .text = "it stays as it is, until --until, or until it changes again"},
    [REASON] = ROW_REASON("why"),
    [UNTIL] = ROW_UNTIL("a date, or a time from now such as 30d; from then on the finding is open "
                        "again; --accept needs it, the others have 7d without it"),
    [TICKET] = ROW_TICKET("where it is discussed"),
    [STACK] = {.name = "stack",
               .kind = OPTION_STRING,
               .arg = "NAME",
               .text = "the finding of this stack"},
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool take_answer(const struct answering *a, const struct invocation *in,
                        struct review *review, struct err *err)
{
    static const size_t rows[] = {REVERT, ADOPT, ACCEPT};
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!in->value[rows[i]].set)
            continue;
        review->answer = (enum review_answer)i;
        n++;
    }
    if (n != 1)
        return err_set(err, ERR_USAGE, "one of --revert, --adopt and --accept");
    if (!answering_need(&in->value[REASON], "reason", "a review says why", err))
        return false;
    review->reason = str_trim(in->value[REASON].text);
    review->ticket = str_trim(in->value[TICKET].text);
    if (in->value[UNTIL].set)
        return answering_until(a, &in->value[UNTIL], "until", &review->until_utc_ms, err);
    review->until_utc_ms = a->now + WORKFLOW_PENDING_MS;
    return review->answer != ANSWER_ACCEPT ||
           answering_need(&in->value[UNTIL], "until", "what is accepted is so for a time", err);
}

static bool tell(const struct answering *a, const struct review *review,
                 const struct workflow_outcome *out, bool json, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w;
    char until[CLOCK_TEXT];
    if (json) {
        json_open(&w, &text);
        jsonw_key(&w, STR("reviews"));
        jsonw_array_open(&w);
        review_json(&w, review);
        jsonw_array_close(&w);
        json_close(&w);
        return print_buf(a->app->out, &text, err);
    }
    buf_printf(&text, "R%lld: %s ", (long long)review->id, review_answer_name(review->answer));
    text_safe(&text, review->address);
    buf_str(&text, STR(" of "));
    text_safe(&text, review->stack);
    buf_printf(&text, " until %s: ", clock_format(review->until_utc_ms, until));
    text_safe(&text, out->why);
    buf_char(&text, '\n');
    if (out->state == REVIEW_REQUESTED)
        buf_printf(&text, "to approve it: plumb review approve R%lld\n", (long long)review->id);
    else if (review->answer == ANSWER_ADOPT)
        buf_printf(&text, "next: plumb adopt, then a scan\n");
    return print_buf(a->app->out, &text, err);
}

static bool ask(struct answering *a, const struct invocation *in, struct err *err)
{
    struct review review = {0};
    struct reviewed of;
    struct workflow_outcome out;
    const struct reviewing r = answering_review(a);
    if (!take_answer(a, in, &review, err) ||
        !reviews_find(&a->record, a->arena, in->args[0], in->value[STACK].text, &of, err) ||
        !reviewing_request(&r, &of, &review, &out, err))
        return false;
    if (!out.allowed)
        return err_set(err, ERR_CONFLICT, "refused: %.*s", STR_ARG(out.why));
    return tell(a, &review, &out, str_equal(in->value[OUTPUT].text, STR("json")), err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    *ret_exit = EXIT_IN_SYNC;
    return answering_do(app, in, &in->value[CONFIG], &in->value[STORE], STORE_CHANGE, ask, err);
}

const struct command cmd_review = {
    .name = "review",
    .usage = "plumb review FINDING --revert|--adopt|--accept --reason TEXT [options]",
    .summary = "answer a finding: put it back, take it over, or accept it for a time",
    .help =
        "FINDING is the start of its fingerprint, as `plumb findings` lists it. The answer is "
        "bound "
        "to what is live: when it changes again, the answer is void. It counts when it has the "
        "approvals that review: in plumb.yaml wants; without that, one by somebody else.\n\n"
        "  plumb review 3f2a51e0 --accept --until 30d --reason 'until the move' --ticket NET-12\n"
        "  plumb review approve R1",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
