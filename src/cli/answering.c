/* answering.c - the store, the rules and the person of a command about reviews. */
#include "cli/answering.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/json_out.h"
#include "cli/policy_setup.h"
#include "cli/who.h"
#include "report/parts.h"

bool answering_open(struct answering *a, const struct app *app, struct arena *arena,
                    const struct option_value *config, const struct option_value *store,
                    enum store_use use, struct err *err)
{
    struct store_choice choice;
    struct settled settled;
    *a = (struct answering){.app = app, .arena = arena, .now = app->now_ms(app->clock)};
    if (!who_am_i(app, arena, &a->actor, err) ||
        !policy_find_config(arena, app, config, &a->config, err) ||
        !store_choose(arena, app, &a->config, store, &choice, err) ||
        !(use == STORE_READ ? store_open_settled(arena, app, &choice, &a->record, err)
                            : store_open(arena, app, &choice, use, &a->record, err)))
        return false;
    return use == STORE_READ || record_settle(&a->record, &settled, err);
}

void answering_close(struct answering *a)
{
    store_close(a->app, &a->record);
}

bool answering_do(const struct app *app, const struct invocation *in,
                  const struct option_value *config, const struct option_value *store,
                  bool (*act)(struct answering *a, const struct invocation *in, struct err *err),
                  struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << ANSWERING_MEMORY_SHIFT};
    struct answering a;
    bool ok = answering_open(&a, app, &arena, config, store, STORE_WRITE, err) && act(&a, in, err);
    answering_close(&a);
    return ok;
}

struct reviewing answering_review(struct answering *a)
{
    return (struct reviewing){&a->record, a->arena, &a->config, &a->actor};
}

bool answering_review_id(struct str text, int64_t *ret, struct err *err)
{
    return review_id_from(text, 'R', ret) ||
           err_set(err, ERR_USAGE, "want the number of a review such as R1, got '%.*s'",
                   STR_ARG(text));
}

bool answering_tell(const struct answering *a, int64_t id, const struct workflow_outcome *out,
                    struct str next, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    if (!out->allowed)
        return err_set(err, ERR_CONFLICT, "refused: %.*s", STR_ARG(out->why));
    buf_printf(&text, "R%lld: ", (long long)id);
    text_safe(&text, out->why);
    buf_str(&text, next);
    buf_char(&text, '\n');
    return print_buf(a->app->out, &text, err);
}

bool answering_need(const struct option_value *value, const char *name, const char *why,
                    struct err *err)
{
    return str_trim(value->text).len > 0 ||
           err_set(err, ERR_USAGE, "--%s is missing: %s", name, why);
}

bool answering_until(const struct answering *a, const struct option_value *value, const char *name,
                     int64_t *ret, struct err *err)
{
    if (!workflow_until(value->text, a->now, ret))
        return err_set(err, ERR_USAGE,
                       "--%s: want a date such as 2026-12-31, or a time from now such as 4h or "
                       "30d, got '%.*s'",
                       name, STR_ARG(value->text));
    return *ret > a->now ||
           err_set(err, ERR_USAGE, "--%s: %.*s has passed", name, STR_ARG(value->text));
}

/* --- JSON --- */

void answering_json_actor(struct jsonw *w, struct str key, const struct actor *actor)
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
        answering_json_actor(w, STR("by"), &review->approval[i].by);
        text_json(w, STR("role"), review->approval[i].role);
        time_json(w, STR("at"), review->approval[i].at_utc_ms);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

void answering_json_review(struct jsonw *w, const struct review *review)
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
    answering_json_actor(w, STR("by"), &review->by);
    answering_json_actor(w, STR("author"), &review->author);
    jsonw_member_int(w, STR("needed"), review->needed);
    jsonw_member_string(w, STR("rule"), review->rule);
    approvals(w, review);
    time_json(w, STR("requested"), review->requested_utc_ms);
    time_json(w, STR("until"), review->until_utc_ms);
    time_json(w, STR("effect"), review->effect_utc_ms);
    time_json(w, STR("ended"), review->ended_utc_ms);
    answering_json_actor(w, STR("ended_by"), &review->ended_by);
    text_json(w, STR("ended_why"), review->ended_why);
    jsonw_object_close(w);
}

void answering_json_cover(struct jsonw *w, const struct cover *cover, int64_t now_utc_ms)
{
    bool glass = cover->kind == COVER_BREAKGLASS;
    jsonw_object_open(w);
    id_member(w, glass ? 'B' : 'F', cover->id);
    jsonw_member_bool(w, STR("open"), cover_counts(cover, now_utc_ms));
    jsonw_member_string(w, STR("scope"), cover->scope.len ? cover->scope : STR("*"));
    text_json(w, STR("address"), cover->address);
    jsonw_member_string(w, STR("reason"), cover->reason);
    text_json(w, STR("ticket"), cover->ticket);
    answering_json_actor(w, STR("by"), &cover->by);
    time_json(w, STR("start"), cover->start_utc_ms);
    time_json(w, STR("until"), cover->until_utc_ms);
    time_json(w, STR("ended"), cover->ended_utc_ms);
    answering_json_actor(w, STR("ended_by"), &cover->ended_by);
    if (glass) {
        time_json(w, STR("due"), cover->due_utc_ms);
        jsonw_member_int(w, STR("findings"), cover->nfindings);
    }
    jsonw_object_close(w);
}
