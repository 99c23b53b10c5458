/* run_task.c - reading run tasks, and what is answered to them. */
#include "serve/run_task.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "serve/gate_call.h"
#include "wire/json.h"

/* Of the other side's own schema. */
enum { MESSAGE_MAX = 1000, DESCRIPTION_MAX = 1000, BODY_MAX = 10000, OUTCOMES_MAX = 250 };
enum { URL_MAX_BYTES = 2000 };

/* On that host, with nothing that could make it another. */
static bool is_below(struct str url, struct str base)
{
    if (url.len > URL_MAX_BYTES || !str_starts(url, base) || url.len <= base.len ||
        url.ptr[base.len] != '/')
        return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] >= 0x7f || url.ptr[i] == '\\')
            return false;
    return true;
}

bool run_task_parse(struct arena *arena, struct str body, struct str base, struct run_task *ret,
                    struct err *err)
{
    struct value v = {0};
    if (!json_parse(arena, body, "run task", JSON_DUPLICATES_LAST, &v, err))
        return false;
    struct run_task task = {
        .stage = value_get_string(&v, STR("stage")),
        .access_token = value_get_string(&v, STR("access_token")),
        .plan_url = value_get_string(&v, STR("plan_json_api_url")),
        .callback_url = value_get_string(&v, STR("task_result_callback_url")),
        .run_id = value_get_string(&v, STR("run_id")),
        .workspace = value_get_string(&v, STR("workspace_name")),
        .created_by = value_get_string(&v, STR("run_created_by")),
    };
    task.is_test =
        str_equal(task.stage, STR("test")) || str_equal(task.access_token, STR("test-token"));
    if (!task.is_test && (task.access_token.len == 0 || task.stage.len == 0))
        return err_set(err, ERR_SYNTAX, "run task: stage and access_token are needed");
    for (size_t i = 0; i < task.access_token.len; i++)
        if (task.access_token.ptr[i] <= ' ' || task.access_token.ptr[i] >= 0x7f)
            return err_set(err, ERR_SYNTAX, "run task: access_token is no token");
    if (!task.is_test && (!is_below(task.callback_url, base) ||
                          (task.plan_url.len && !is_below(task.plan_url, base))))
        return err_set(err, ERR_USAGE,
                       "run task: a URL that is not below %.*s "
                       "(serve.run_tasks.url)",
                       STR_ARG(base));
    *ret = task;
    return true;
}

/* At most so many bytes, cut at a character. */
static struct str cut(struct str text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most && ((unsigned char)text.ptr[most] & 0xc0) == 0x80)
        most--;
    return str_sub(text, 0, most);
}

static void write_tag(struct jsonw *w, const char *name, const char *label, const char *level)
{
    jsonw_key(w, str_from(name));
    jsonw_array_open(w);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("label"), cut(str_from(label), 32));
    jsonw_member_string(w, STR("level"), str_from(level));
    jsonw_object_close(w);
    jsonw_array_close(w);
}

static void write_outcome(struct jsonw *w, const struct gate_objection *o, size_t number)
{
    char id[64];
    AUTO_BUF text = {.limit = BODY_MAX * 4};
    bool blocks = o->level == GATE_BLOCK;
    bool bad = o->severity >= SEVERITY_HIGH;
    (void)snprintf(id, sizeof id, "%s-%zu", gate_kind_name(o->kind), number);
    buf_str(&text, o->message);
    for (size_t i = 0; i < o->nchanges; i++)
        buf_printf(&text, "\n- `%.*s`", STR_ARG(o->changes[i].path));
    if (o->todo.len)
        buf_printf(&text, "\n\n%.*s", STR_ARG(o->todo));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("task-result-outcomes"));
    jsonw_key(w, STR("attributes"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("outcome-id"), str_from(id));
    jsonw_member_string(w, STR("description"),
                        cut(o->address.len ? o->address : o->message, DESCRIPTION_MAX));
    jsonw_member_string(w, STR("body"), cut(buf_view(&text), BODY_MAX));
    jsonw_key(w, STR("tags"));
    jsonw_object_open(w);
    write_tag(w, "Status", blocks ? "Blocked" : "Warning", blocks ? "error" : "warning");
    write_tag(w, "Severity", severity_name(o->severity), bad ? "error" : "warning");
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void write_outcomes(struct jsonw *w, const struct gate_decision *decision)
{
    jsonw_key(w, STR("relationships"));
    jsonw_object_open(w);
    jsonw_key(w, STR("outcomes"));
    jsonw_object_open(w);
    jsonw_key(w, STR("data"));
    jsonw_array_open(w);
    for (size_t i = 0; i < decision->n && i < OUTCOMES_MAX; i++)
        write_outcome(w, &decision->objection[i], i + 1);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

void run_task_print(struct buf *out, const struct gate_called *called, const char *why,
                    struct str url, bool final)
{
    AUTO_BUF message = {.limit = MESSAGE_MAX * 4};
    struct jsonw w = {.out = out};
    bool allowed = called && gate_allows(called->decision.answer);
    if (called)
        gate_print_headline(&message, &called->report);
    else
        buf_printf(&message, "%s", why);
    jsonw_object_open(&w);
    jsonw_key(&w, STR("data"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("type"), STR("task-results"));
    jsonw_key(&w, STR("attributes"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("status"),
                        !final    ? STR("running")
                        : allowed ? STR("passed")
                                  : STR("failed"));
    jsonw_member_string(&w, STR("message"), cut(buf_view(&message), MESSAGE_MAX));
    if (url.len && url.len < 400)
        jsonw_member_string(&w, STR("url"), url);
    jsonw_object_close(&w);
    if (called && !final && called->decision.n)
        write_outcomes(&w, &called->decision);
    jsonw_object_close(&w);
    jsonw_object_close(&w);
}
