/* store_json.c - stacks, runs, findings, reviews and covers as objects of JSON. */
#include "report/store_json.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "report/finding_rows.h"
#include "report/json_out.h"
#include "wire/json.h"

/* --- stacks --- */

enum standing_kind standing_of(const struct freshness *s)
{
    if (s->incomplete)
        return STANDING_INCOMPLETE;
    if (s->overdue || s->row.overdue)
        return STANDING_OVERDUE;
    return s->row.open ? STANDING_OPEN : STANDING_GOOD;
}

const char *standing_name(enum standing_kind standing)
{
    static const char *const names[] = {
#define X(constant, name, meaning) name,
        STANDINGS(X)
#undef X
    };
    return names[standing];
}

static void last_scan_json(struct jsonw *w, const struct stack_row *s)
{
    jsonw_key(w, STR("last_scan"));
    if (!s->last_run) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_int(w, STR("run"), s->last_run);
    jsonw_member_string(w, STR("outcome"), s->last_outcome);
    time_json(w, STR("time"), s->last_utc_ms);
    text_json(w, STR("failed"), s->last_failed);
    text_json(w, STR("note"), s->last_note);
    jsonw_object_close(w);
}

static void schedule_json(struct jsonw *w, const struct freshness *f)
{
    text_json(w, STR("schedule"), f->schedule);
    time_json(w, STR("next_scan"), f->next_utc_ms);
    time_json(w, STR("scan_due"), f->due_utc_ms);
    time_json(w, STR("scan_late"), f->late_utc_ms);
    jsonw_member_bool(w, STR("scan_overdue"), f->overdue);
}

void stack_json(struct jsonw *w, const struct freshness *f, int64_t now_utc_ms)
{
    const struct stack_row *s = &f->row;
    const struct {
        struct str key;
        int64_t n;
    } counts[] = {{STR("open"), s->open},
                  {STR("overdue"), s->overdue},
                  {STR("reviewed"), s->reviewed},
                  {STR("waived"), s->waived},
                  {STR("ignored"), s->ignored},
                  {STR("resolved"), s->resolved},
                  {STR("violations"), s->violations}};
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), s->name);
    jsonw_member_string(w, STR("standing"), str_from(standing_name(standing_of(f))));
    text_json(w, STR("path"), s->path);
    text_json(w, STR("environment"), s->environment);
    text_json(w, STR("owner"), s->owner);
    time_json(w, STR("last_complete"), s->complete_utc_ms);
    jsonw_key(w, STR("age_seconds"));
    if (s->complete_utc_ms)
        jsonw_int(w, (now_utc_ms - s->complete_utc_ms) / 1000);
    else
        jsonw_null(w);
    last_scan_json(w, s);
    schedule_json(w, f);
    jsonw_key(w, STR("findings"));
    jsonw_object_open(w);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        jsonw_member_int(w, counts[i].key, counts[i].n);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

void covers_json(struct jsonw *w, struct cover *const cover[2], const size_t n[2],
                 int64_t now_utc_ms)
{
    for (enum cover_kind kind = COVER_BREAKGLASS; kind <= COVER_FREEZE; kind++) {
        jsonw_key(w, kind == COVER_FREEZE ? STR("freezes") : STR("breakglasses"));
        jsonw_array_open(w);
        for (size_t i = 0; i < n[kind]; i++)
            cover_json(w, &cover[kind][i], now_utc_ms);
        jsonw_array_close(w);
    }
}

void service_json(struct jsonw *w, const struct service_row *s)
{
    const struct {
        struct str key;
        int64_t n;
    } counts[] = {{STR("scans_running"), s->running},
                  {STR("scans_due"), s->due},
                  {STR("alerts_waiting"), s->alerts_waiting},
                  {STR("alerts_given_up"), s->alerts_dead}};
    jsonw_key(w, STR("service"));
    if (!s->there) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        jsonw_member_int(w, counts[i].key, counts[i].n);
    jsonw_object_close(w);
}

/* --- reviews, breakglasses, freezes --- */

void actor_json(struct jsonw *w, struct str key, const struct actor *actor)
{
    jsonw_key(w, key);
    if (!actor->name.len) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), actor->name);
    jsonw_member_string(w, STR("how"), actor->how);
    text_json(w, STR("via"), actor->via);
    jsonw_object_close(w);
}

static void id_member(struct jsonw *w, char letter, int64_t id)
{
    AUTO_BUF text = {.limit = 64};
    buf_printf(&text, "%c%lld", letter, (long long)id);
    jsonw_member_string(w, STR("id"), buf_view(&text));
}

static void approvals(struct jsonw *w, const struct review *review)
{
    jsonw_key(w, STR("approvals"));
    jsonw_array_open(w);
    for (size_t i = 0; i < review->napprovals; i++) {
        jsonw_object_open(w);
        actor_json(w, STR("by"), &review->approval[i].by);
        text_json(w, STR("role"), review->approval[i].role);
        time_json(w, STR("at"), review->approval[i].at_utc_ms);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

void review_json(struct jsonw *w, const struct review *review)
{
    jsonw_object_open(w);
    id_member(w, 'R', review->id);
    jsonw_member_string(w, STR("state"), str_from(review_state_name(review->state)));
    text_json(w, STR("end"), str_from(review_end_name(review->end)));
    jsonw_member_string(w, STR("answer"), str_from(review_answer_name(review->answer)));
    jsonw_member_string(w, STR("fingerprint"), review->fingerprint);
    jsonw_member_string(w, STR("stack"), review->stack);
    jsonw_member_string(w, STR("address"), review->address);
    jsonw_member_string(w, STR("class"), str_from(finding_class_name(review->class_)));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(review->severity)));
    text_json(w, STR("decision"), review->decision);
    text_json(w, STR("environment"), review->environment);
    text_json(w, STR("owners"), review->owners);
    jsonw_member_string(w, STR("value"), review->value);
    jsonw_member_string(w, STR("reason"), review->reason);
    text_json(w, STR("ticket"), review->ticket);
    actor_json(w, STR("by"), &review->by);
    actor_json(w, STR("author"), &review->author);
    jsonw_member_int(w, STR("needed"), review->needed);
    jsonw_member_string(w, STR("rule"), review->rule);
    approvals(w, review);
    time_json(w, STR("requested"), review->requested_utc_ms);
    time_json(w, STR("until"), review->until_utc_ms);
    time_json(w, STR("effect"), review->effect_utc_ms);
    time_json(w, STR("ended"), review->ended_utc_ms);
    actor_json(w, STR("ended_by"), &review->ended_by);
    text_json(w, STR("ended_why"), review->ended_why);
    jsonw_object_close(w);
}

void cover_json(struct jsonw *w, const struct cover *cover, int64_t now_utc_ms)
{
    bool glass = cover->kind == COVER_BREAKGLASS;
    jsonw_object_open(w);
    id_member(w, glass ? 'B' : 'F', cover->id);
    jsonw_member_bool(w, STR("open"), cover_counts(cover, now_utc_ms));
    jsonw_member_string(w, STR("scope"), cover->scope.len ? cover->scope : STR("*"));
    text_json(w, STR("address"), cover->address);
    jsonw_member_string(w, STR("reason"), cover->reason);
    text_json(w, STR("ticket"), cover->ticket);
    actor_json(w, STR("by"), &cover->by);
    time_json(w, STR("start"), cover->start_utc_ms);
    time_json(w, STR("until"), cover->until_utc_ms);
    time_json(w, STR("ended"), cover->ended_utc_ms);
    actor_json(w, STR("ended_by"), &cover->ended_by);
    if (glass) {
        time_json(w, STR("due"), cover->due_utc_ms);
        jsonw_member_int(w, STR("findings"), cover->nfindings);
    }
    jsonw_object_close(w);
}

/* --- a finding --- */

static bool get_run(struct record *record, struct arena *arena, int64_t id, struct run_row *ret,
                    struct err *err)
{
    struct err why = {0};
    if (!id || run_get(record, arena, id, ret, &why) || !why.kind)
        return true;
    if (err)
        *err = why;
    return false;
}

bool finding_whole_get(struct record *record, struct arena *arena, struct str prefix,
                       struct str stack, int64_t now_utc_ms, struct finding_whole *ret,
                       struct err *err)
{
    struct reviews_query reviews = {0};
    if (!finding_get(record, arena, prefix, stack, now_utc_ms, &ret->row, err))
        return false;
    reviews.finding = ret->row.id;
    return reviews_list(record, arena, &reviews, &ret->review, &ret->nreviews, err) &&
           finding_history(record, arena, ret->row.id, &ret->past, &ret->npast, err) &&
           get_run(record, arena, ret->row.seen_run, &ret->seen, err) &&
           get_run(record, arena, ret->row.resolved_run, &ret->resolved, err) &&
           json_parse(arena, ret->row.detail, "the store's detail", JSON_DEFAULT, &ret->detail,
                      err);
}

void run_json(struct jsonw *w, const struct run_row *run)
{
    if (!run->id) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_int(w, STR("run"), run->id);
    jsonw_member_string(w, STR("stack"), run->stack);
    jsonw_member_string(w, STR("outcome"), run->outcome);
    text_json(w, STR("failed"), run->failed);
    text_json(w, STR("note"), run->note);
    time_json(w, STR("started"), run->started_utc_ms);
    time_json(w, STR("ended"), run->ended_utc_ms);
    time_json(w, STR("live_read"), run->live_utc_ms);
    text_json(w, STR("by"), run->actor);
    text_json(w, STR("by_how"), run->actor_how);
    text_json(w, STR("desired"), run->desired);
    text_json(w, STR("source"), run->source);
    text_json(w, STR("live"), run->live);
    text_json(w, STR("commit"), run->revision);
    text_json(w, STR("branch"), run->branch);
    jsonw_member_bool(w, STR("dirty"), run->dirty);
    text_json(w, STR("policy"), run->policy);
    text_json(w, STR("config"), run->config);
    text_json(w, STR("digest"), run->digest);
    jsonw_object_close(w);
}

static void history_json(struct jsonw *w, const struct finding_whole *s)
{
    jsonw_key(w, STR("history"));
    jsonw_array_open(w);
    for (size_t i = 0; i < s->npast; i++) {
        const struct finding_past *p = &s->past[i];
        jsonw_object_open(w);
        time_json(w, STR("time"), p->utc_ms);
        jsonw_member_string(w, STR("what"), p->what);
        jsonw_member_string(w, STR("fingerprint"), p->fingerprint);
        jsonw_member_string(w, STR("digest"), p->digest);
        text_json(w, STR("actor"), p->actor);
        text_json(w, STR("why"), p->why);
        jsonw_key(w, STR("run"));
        if (p->run)
            jsonw_int(w, p->run);
        else
            jsonw_null(w);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

void finding_whole_json(struct jsonw *w, const struct finding_whole *s, int64_t now_utc_ms)
{
    jsonw_key(w, STR("finding"));
    jsonw_object_open(w);
    finding_row_json(w, &s->row, now_utc_ms);
    jsonw_object_close(w);
    jsonw_key(w, STR("reviews"));
    jsonw_array_open(w);
    for (size_t i = 0; i < s->nreviews; i++)
        review_json(w, &s->review[i]);
    jsonw_array_close(w);
    history_json(w, s);
    jsonw_key(w, STR("seen_by"));
    run_json(w, &s->seen);
    jsonw_key(w, STR("resolved_by"));
    run_json(w, &s->resolved);
    jsonw_key(w, STR("report"));
    if (s->detail.kind == VALUE_OBJECT && s->detail.len)
        jsonw_value(w, &s->detail);
    else
        jsonw_null(w);
}
