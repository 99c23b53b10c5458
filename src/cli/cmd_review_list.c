/* cmd_review_list.c - `plumb review list`: what waits, what counts, what is overdue. */
#include <assert.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/answering.h"
#include "cli/app.h"
#include "cli/rows.h"
#include "record/listing.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/store_json.h"

enum { SHORT_FINGERPRINT = 12 };
enum { ALL, MINE, STACK, OUTPUT, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [ALL] = {.name = "all", .letter = 'a', .kind = OPTION_FLAG, .text = "those that ended, too"},
    [MINE] = {.name = "waiting-for-me",
              .kind = OPTION_FLAG,
              .text = "only those that wait for an approval that I may give"},
    [STACK] = {.name = "stack",
               .kind = OPTION_STRING,
               .arg = "NAME",
               .text = "only reviews and findings of this stack"},
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct listing {
    struct answering *a;
    const struct invocation *in;
    struct buf out;
    struct jsonw w;
    bool json;
    uint64_t overdue;
};

/* --- reviews --- */

static bool may_approve(struct listing *l, const struct review *review, bool *ret, struct err *err)
{
    struct workflow_outcome out;
    *ret = false;
    if (review->state != REVIEW_REQUESTED)
        return true;
    if (!workflow_decide(l->a->arena, &l->a->config, review, WORKFLOW_APPROVE, &l->a->actor,
                         l->a->now, &out, err))
        return false;
    *ret = out.allowed;
    return true;
}

static void print_review(struct buf *out, const struct review *review, bool mine)
{
    char text[CLOCK_TEXT];
    buf_printf(out, "  R%lld  %s  ", (long long)review->id, review_answer_name(review->answer));
    text_safe(out, review->stack);
    buf_str(out, STR("  "));
    text_safe(out, review->address);
    buf_printf(out, "  %s  by ", severity_name(review->severity));
    text_safe(out, review->by.name);
    if (review->state == REVIEW_ENDED)
        buf_printf(out, "  %s %s", review_end_name(review->end),
                   clock_format(review->ended_utc_ms, text));
    else
        buf_printf(out, "  until %s", clock_format(review->until_utc_ms, text));
    if (review->state == REVIEW_REQUESTED)
        buf_printf(out, "  %zu of %lld approvals%s", review->napprovals, (long long)review->needed,
                   mine ? ", yours counts" : "");
    buf_str(out, STR("\n      "));
    text_safe(out, review->reason);
    if (review->ticket.len) {
        buf_str(out, STR(" ["));
        text_safe(out, review->ticket);
        buf_char(out, ']');
    }
    buf_char(out, '\n');
}

static bool put_state(struct listing *l, const struct review *review, size_t n,
                      enum review_state state, const char *title, struct err *err)
{
    bool titled = l->json;
    for (size_t i = 0; i < n; i++) {
        bool mine = false;
        if (review[i].state != state)
            continue;
        if (!may_approve(l, &review[i], &mine, err))
            return false;
        if (l->in->value[MINE].set && !mine)
            continue;
        if (l->json) {
            review_json(&l->w, &review[i]);
            continue;
        }
        if (!titled)
            buf_printf(&l->out, "%s\n", title);
        titled = true;
        print_review(&l->out, &review[i], mine);
    }
    return true;
}

/* What time has ended is told as ended, whether or not that was written down. */
static size_t drop_over(const struct listing *l, struct review *review, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct review one = review[i];
        enum review_end end = review_look(&one, SIGHT_NONE, STR(""), l->a->now);
        if (end != REVIEW_NOT_ENDED && one.state != REVIEW_ENDED) {
            one.state = REVIEW_ENDED;
            one.end = end;
            one.ended_utc_ms = one.until_utc_ms;
        }
        if (one.state != REVIEW_ENDED || l->in->value[ALL].set)
            review[kept++] = one;
    }
    return kept;
}

static bool put_reviews(struct listing *l, struct err *err)
{
    struct reviews_query query = {.states = REVIEWS_OPEN | REVIEWS_EFFECT,
                                  .stack = l->in->value[STACK].text};
    struct review *review;
    size_t n = 0;
    if (l->in->value[ALL].set)
        query.states = REVIEWS_ALL;
    if (l->in->value[MINE].set)
        query.states = REVIEWS_OPEN;
    if (!reviews_list(&l->a->record, l->a->arena, &query, &review, &n, err))
        return false;
    n = drop_over(l, review, n);
    return put_state(l, review, n, REVIEW_REQUESTED, "waiting for approval", err) &&
           put_state(l, review, n, REVIEW_EFFECT, "in effect", err) &&
           put_state(l, review, n, REVIEW_ENDED, "ended", err);
}

/* --- overdue findings --- */

static bool put_overdue(void *ctx, const struct finding_row *row, struct err *err)
{
    struct listing *l = ctx;
    char due[CLOCK_TEXT];
    (void)err;
    if (l->json) {
        jsonw_object_open(&l->w);
        jsonw_member_string(&l->w, STR("fingerprint"), row->fingerprint);
        jsonw_member_string(&l->w, STR("stack"), row->stack);
        jsonw_member_string(&l->w, STR("address"), row->address);
        jsonw_member_string(&l->w, STR("class"), row->class_);
        jsonw_member_string(&l->w, STR("severity"),
                            str_from(severity_name((enum severity)row->severity)));
        time_json(&l->w, STR("due"), row->due_utc_ms);
        jsonw_object_close(&l->w);
        l->overdue++;
        return true;
    }
    if (!l->overdue++)
        buf_str(&l->out, STR("overdue: no answer in time\n"));
    buf_printf(&l->out, "  %.*s  ", STR_ARG(str_sub(row->fingerprint, 0, SHORT_FINGERPRINT)));
    text_safe(&l->out, row->stack);
    buf_str(&l->out, STR("  "));
    text_safe(&l->out, row->address);
    buf_printf(&l->out, "  %s  due %s\n", severity_name((enum severity)row->severity),
               clock_format(row->due_utc_ms, due));
    return true;
}

static bool list_overdue(struct listing *l, struct err *err)
{
    struct finding_query query = {
        .overdue = true, .statuses = FINDING_STATUSES_OPEN, .now_utc_ms = l->a->now};
    if (l->in->value[MINE].set)
        return true;
    if (l->in->value[STACK].set)
        query.stack[query.nstacks++] = l->in->value[STACK].text;
    return finding_list(&l->a->record, &query, put_overdue, l, err);
}

/* --- all of it --- */

static bool list_json(struct listing *l, struct err *err)
{
    json_open(&l->w, &l->out);
    jsonw_key(&l->w, STR("reviews"));
    jsonw_array_open(&l->w);
    if (!put_reviews(l, err))
        return false;
    jsonw_array_close(&l->w);
    jsonw_key(&l->w, STR("overdue"));
    jsonw_array_open(&l->w);
    if (!list_overdue(l, err))
        return false;
    jsonw_array_close(&l->w);
    json_close(&l->w);
    return buf_ok(&l->out, err);
}

static bool list(struct listing *l, struct err *err)
{
    if (l->json ? !list_json(l, err) : !put_reviews(l, err) || !list_overdue(l, err))
        return false;
    if (!l->out.len)
        buf_str(&l->out, STR("nothing waits, nothing is in effect, nothing is overdue\n"));
    return print_buf(l->a->app->out, &l->out, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << ANSWERING_MEMORY_SHIFT};
    struct answering a;
    struct listing l = {.a = &a,
                        .in = in,
                        .out = {.limit = BUF_DEFAULT_LIMIT},
                        .json = str_equal(in->value[OUTPUT].text, STR("json"))};
    bool ok =
        answering_open(&a, app, &arena, &in->value[CONFIG], &in->value[STORE], STORE_READ, err) &&
        list(&l, err);
    buf_free(&l.out);
    answering_close(&a);
    *ret_exit = l.overdue ? EXIT_INCOMPLETE : EXIT_IN_SYNC;
    return ok;
}

const struct command cmd_review_list = {
    .name = "review list",
    .usage = "plumb review list [options]",
    .summary = "list reviews that wait or count, and findings that nobody answered in time",
    .help = "Exit codes: 0, or 4 where a finding is overdue.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
