/* covering.c - breakglasses and freezes: started, listed, ended, told. */
#include "cli/covering.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/rows.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/store_json.h"

static char letter_of(enum cover_kind kind)
{
    return kind == COVER_FREEZE ? 'F' : 'B';
}

static void put_scope(struct buf *out, const struct cover *cover)
{
    text_safe(out, cover->scope.len ? cover->scope : STR("*"));
    if (cover->address.len) {
        buf_str(out, STR(" at "));
        text_safe(out, cover->address);
    }
}

/* --- starting --- */

static bool may(struct answering *a, const struct cover *cover, struct err *err)
{
    struct str why;
    bool may_do = false;
    if (!workflow_may(a->arena, &a->config,
                      cover->kind == COVER_FREEZE ? WORKFLOW_FREEZE : WORKFLOW_BREAKGLASS,
                      &a->actor, &may_do, &why, err))
        return false;
    return may_do || err_set(err, ERR_CONFLICT, "refused: %.*s", STR_ARG(why));
}

static bool tell_json(const struct answering *a, enum cover_kind kind, const struct cover *cover,
                      size_t n, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w;
    json_open(&w, &text);
    jsonw_key(&w, kind == COVER_FREEZE ? STR("freezes") : STR("breakglasses"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++)
        cover_json(&w, &cover[i], a->now);
    jsonw_array_close(&w);
    json_close(&w);
    return print_buf(a->app->out, &text, err);
}

bool covering_start(struct answering *a, struct cover *cover, bool json, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    char until[CLOCK_TEXT];
    bool freeze = cover->kind == COVER_FREEZE;
    if (cover->reason.len > WORKFLOW_REASON_MAX || cover->ticket.len > WORKFLOW_TICKET_MAX ||
        cover->scope.len > WORKFLOW_REASON_MAX || cover->address.len > WORKFLOW_REASON_MAX)
        return err_set(err, ERR_LIMIT, "reason and globs have at most %d bytes, a ticket %d",
                       WORKFLOW_REASON_MAX, WORKFLOW_TICKET_MAX);
    cover->by = a->actor;
    cover->start_utc_ms = a->now = record_now(&a->record);
    if (!may(a, cover, err) || !covers_start(&a->record, cover, err))
        return false;
    if (json)
        return tell_json(a, cover->kind, cover, 1, err);
    buf_printf(&text, "%c%lld: %s ", letter_of(cover->kind), (long long)cover->id,
               freeze ? "applies are refused in" : "gates warn instead of block in");
    put_scope(&text, cover);
    buf_printf(&text, " until %s\n", clock_format(cover->until_utc_ms, until));
    return print_buf(a->app->out, &text, err);
}

/* --- listing --- */

static bool put_list(struct answering *a, struct buf *out, const struct cover *cover,
                     struct err *err)
{
    char until[CLOCK_TEXT], due[CLOCK_TEXT];
    bool open = cover_counts(cover, a->now);
    struct str *list;
    size_t n = 0;
    buf_printf(out, "%c%lld  ", letter_of(cover->kind), (long long)cover->id);
    put_scope(out, cover);
    buf_printf(
        out, "  %s %s  by ", open ? "until" : "ended",
        clock_format(open || !cover->ended_utc_ms ? cover->until_utc_ms : cover->ended_utc_ms,
                     until));
    text_safe(out, cover->by.name);
    buf_str(out, STR("\n    "));
    text_safe(out, cover->reason);
    if (cover->ticket.len) {
        buf_str(out, STR(" ["));
        text_safe(out, cover->ticket);
        buf_char(out, ']');
    }
    buf_char(out, '\n');
    if (cover->kind == COVER_FREEZE || !cover->due_utc_ms)
        return true;
    if (!covers_findings(&a->record, a->arena, cover->id, &list, &n, err))
        return false;
    buf_printf(out, "    %lld finding%s within, %zu without an answer, due %s\n",
               (long long)cover->nfindings, cover->nfindings == 1 ? "" : "s", n,
               clock_format(cover->due_utc_ms, due));
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "      %.*s\n", STR_ARG(list[i]));
    return true;
}

static bool list(struct answering *a, const struct invocation *in, enum cover_kind kind,
                 struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    bool all = in->value[COVERING_LIST_ALL].set;
    struct cover *cover;
    size_t n = 0;
    if (!covers_list(&a->record, a->arena, kind, all, &cover, &n, err))
        return false;
    if (str_equal(in->value[COVERING_LIST_OUTPUT].text, STR("json")))
        return tell_json(a, kind, cover, n, err);
    for (size_t i = 0; i < n; i++)
        if (!put_list(a, &text, &cover[i], err))
            return false;
    if (!n)
        buf_printf(&text, "no %s%s\n", kind == COVER_FREEZE ? "freeze" : "breakglass",
                   all ? "" : " holds now");
    return print_buf(a->app->out, &text, err);
}

bool covering_list(const struct app *app, const struct invocation *in, enum cover_kind kind,
                   struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << ANSWERING_MEMORY_SHIFT};
    struct answering a;
    bool ok = answering_open(&a, app, &arena, &in->value[COVERING_LIST_CONFIG],
                             &in->value[COVERING_LIST_STORE], STORE_READ, err) &&
              list(&a, in, kind, err);
    answering_close(&a);
    return ok;
}

/* --- ending --- */

static bool end(struct answering *a, const struct invocation *in, enum cover_kind kind,
                struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct cover cover = {.kind = kind};
    char due[CLOCK_TEXT];
    int64_t id;
    if (!review_id_from(in->args[0], letter_of(kind), &id))
        return err_set(err, ERR_USAGE, "want a number such as %c1, got '%.*s'", letter_of(kind),
                       STR_ARG(in->args[0]));
    /* Ending a breakglass makes things stricter: anybody may. */
    if (kind == COVER_FREEZE && !may(a, &cover, err))
        return false;
    if (!covers_end(&a->record, kind, id, &a->actor, str_trim(in->value[COVERING_END_REASON].text),
                    &cover, a->arena, err))
        return false;
    buf_printf(&text, "%c%lld: ended", letter_of(kind), (long long)id);
    if (kind == COVER_BREAKGLASS)
        buf_printf(&text, "; %lld finding%s appeared or changed within, to be answered until %s",
                   (long long)cover.nfindings, cover.nfindings == 1 ? "" : "s",
                   clock_format(cover.due_utc_ms, due));
    buf_char(&text, '\n');
    return print_buf(a->app->out, &text, err);
}

bool covering_end(const struct app *app, const struct invocation *in, enum cover_kind kind,
                  struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << ANSWERING_MEMORY_SHIFT};
    struct answering a;
    struct settled settled;
    bool ok = answering_open(&a, app, &arena, &in->value[COVERING_END_CONFIG],
                             &in->value[COVERING_END_STORE], STORE_CHANGE, err) &&
              end(&a, in, kind, err) && record_settle(&a.record, &settled, err);
    answering_close(&a);
    return ok;
}
