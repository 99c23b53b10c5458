/* notify_teams.c - alerts in Microsoft Teams: an Adaptive Card, by a workflow's webhook.
 *
 * url:     of the workflow "When a Teams webhook request is received"; its query is its secret.
 *          Connectors of Office 365 are retired and not spoken to
 * Text:    what comes from outside stands in TextRuns, which take no Markdown; nobody can be
 *          mentioned, for there are no entities
 * Source:  Adaptive Cards 1.4; a message holds 28 KB; an error may come as 200 with "HTTP error
 * 429"
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/answers.h"
#include "respond/wording.h"
#include "wire/json.h"

enum { MESSAGE_MAX = 27000, TITLE_MAX = 200 };

static const char *const colours[SEVERITY_COUNT] = {[SEVERITY_INFO] = "Default",
                                                    [SEVERITY_LOW] = "Default",
                                                    [SEVERITY_MEDIUM] = "Warning",
                                                    [SEVERITY_HIGH] = "Attention",
                                                    [SEVERITY_CRITICAL] = "Attention"};

struct run {
    struct str text, link;
    bool bold, mono, large;
    const char *colour;
};

static void open_url(struct jsonw *w, struct str key, struct str title, struct str url)
{
    if (key.len)
        jsonw_key(w, key);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("Action.OpenUrl"));
    if (title.len)
        jsonw_member_string(w, STR("title"), title);
    jsonw_member_string(w, STR("url"), url);
    jsonw_object_close(w);
}

static void put_run(struct jsonw *w, const struct run *run)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("TextRun"));
    jsonw_member_string(w, STR("text"), run->text);
    if (run->large)
        jsonw_member_string(w, STR("size"), STR("Large"));
    if (run->bold)
        jsonw_member_string(w, STR("weight"), STR("Bolder"));
    if (run->mono)
        jsonw_member_string(w, STR("fontType"), STR("Monospace"));
    if (run->colour)
        jsonw_member_string(w, STR("color"), str_from(run->colour));
    if (run->link.len)
        open_url(w, STR("selectAction"), STR(""), run->link);
    jsonw_object_close(w);
}

/* A paragraph of one or two runs; nothing where the last one is empty. */
static void paragraph(struct jsonw *w, const char *spacing, const struct run *run, size_t n)
{
    if (!run[n - 1].text.len)
        return;
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("RichTextBlock"));
    jsonw_member_string(w, STR("spacing"), str_from(spacing));
    jsonw_key(w, STR("inlines"));
    jsonw_array_open(w);
    for (size_t i = 0; i < n; i++)
        put_run(w, &run[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_change(struct jsonw *w, struct arena *arena, const char *sign,
                       const struct alert_change *change, struct str value, size_t most)
{
    bool minus = sign[0] == '-';
    if (!value.len)
        return;
    struct str path = wording_line(arena, change->path, most);
    value = wording_line(arena, value, most);
    const struct run run = {
        .text = arena_printf(arena, "%s %.*s: %.*s", sign, STR_ARG(path), STR_ARG(value)),
        .mono = true,
        .colour = minus ? "Attention" : "Good"};
    paragraph(w, "None", &run, 1);
}

static void put_finding(struct jsonw *w, struct arena *arena, const struct alert_finding *f,
                        const struct told *told)
{
    struct fact facts[WORDING_FACTS];
    size_t n = wording_facts(arena, f, told->bytes, facts), shown = 0;
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), STR("Container"));
    jsonw_member_bool(w, STR("separator"), true);
    jsonw_key(w, STR("items"));
    jsonw_array_open(w);
    for (size_t i = 0; i < n; i++) {
        const struct run runs[] = {
            {.text = arena_printf(arena, "%s: ", facts[i].name), .bold = true},
            {.text = facts[i].text, .link = facts[i].link, .mono = facts[i].code}};
        paragraph(w, i ? "None" : "Small", runs, 2);
    }
    for (; shown < f->nchanges && shown < told->changes; shown++) {
        put_change(w, arena, "-", &f->change[shown], f->change[shown].before, told->bytes);
        put_change(w, arena, "+", &f->change[shown], f->change[shown].after, told->bytes);
    }
    const struct run more = {
        .text = wording_more(arena, f->nchanges - shown + f->more_changes, "change")};
    paragraph(w, "None", &more, 1);
    const struct run head = {.text = f->ntodo && told->todo ? STR("What to do") : STR(""),
                             .bold = true};
    paragraph(w, "Small", &head, 1);
    for (size_t i = 0; i < f->ntodo && i < told->todo; i++) {
        const struct run run = {.text = wording_line(arena, f->todo[i], told->bytes), .mono = true};
        paragraph(w, "None", &run, 1);
    }
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_actions(struct jsonw *w, const struct alert *alert)
{
    struct str link = wording_link(alert->link);
    struct str code =
        alert->nfindings == 1 ? wording_link(alert->finding[0].file_url) : (struct str){0};
    if (!link.len && !code.len)
        return;
    jsonw_key(w, STR("actions"));
    jsonw_array_open(w);
    if (link.len)
        open_url(w, STR(""), STR("Open in plumb"), link);
    if (code.len)
        open_url(w, STR(""), STR("The code"), code);
    jsonw_array_close(w);
}

static void put_card(struct jsonw *w, struct arena *arena, const struct alert *alert,
                     const struct told *told)
{
    struct str title = wording_headline(arena, alert, TITLE_MAX);
    const char *colour = alert->status == ALERT_RESOLVED ? "Good" : colours[alert->severity];
    const struct run head = {.text = title, .bold = true, .large = true, .colour = colour};
    const struct run text = {.text = wording_line(arena, alert->text, told->bytes * 2)};
    const struct run more = {
        .text = wording_more(arena, alert->nfindings - told->findings + alert->more, "finding")};
    jsonw_object_open(w);
    jsonw_member_string(w, STR("$schema"),
                        STR("http://adaptivecards.io/schemas/adaptive-card.json"));
    jsonw_member_string(w, STR("type"), STR("AdaptiveCard"));
    jsonw_member_string(w, STR("version"), STR("1.4"));
    jsonw_member_string(w, STR("fallbackText"), title);
    jsonw_key(w, STR("msteams"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("width"), STR("Full"));
    jsonw_object_close(w);
    jsonw_key(w, STR("body"));
    jsonw_array_open(w);
    paragraph(w, "Small", &head, 1);
    paragraph(w, "Small", &text, 1);
    for (size_t i = 0; i < told->findings; i++)
        put_finding(w, arena, &alert->finding[i], told);
    paragraph(w, "Medium", &more, 1);
    jsonw_array_close(w);
    put_actions(w, alert);
    jsonw_object_close(w);
}

static void write_message(struct buf *out, const struct alert *alert, const struct told *told,
                          void *ctx)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("type"), STR("message"));
    jsonw_key(&w, STR("attachments"));
    jsonw_array_open(&w);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("contentType"), STR("application/vnd.microsoft.card.adaptive"));
    jsonw_key(&w, STR("contentUrl"));
    jsonw_null(&w);
    jsonw_key(&w, STR("content"));
    put_card(&w, ctx, alert, told);
    jsonw_object_close(&w);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
}

/* --- the notifier --- */

/* "... endpoint returned HTTP error 429 with ContextId ..." -> 429; 0 = no such words. */
static long error_within(struct str body)
{
    static const struct str words = STR_INIT("HTTP error ");
    size_t at = str_find(body, words, 0), from = at + words.len;
    int64_t status = 0;
    if (at == SIZE_MAX || !str_to_int64(str_sub(body, from, from + 3), &status))
        return 0;
    return status >= 100 && status <= 599 ? (long)status : 0;
}

/* The workflow is off or away: it takes none. */
static bool is_gone(struct str body)
{
    static const char *const words[] = {"WorkflowNotFound", "WorkflowTriggerIsNotEnabled",
                                        "WorkflowIsDisabled"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_find(body, str_from(words[i]), 0) != SIZE_MAX)
            return true;
    return false;
}

bool teams_judge(const struct answered *a, struct notify_answer *ret, struct err *err)
{
    long within = ret->result == NOTIFY_TAKEN ? error_within(a->http->body) : 0;
    if (within) {
        ret->result = receiver_result(within);
        ret->said = receiver_said(a->arena, a->target, a->url,
                                  "status %ld, but within it: error %ld", a->http->status, within);
    } else if (ret->result == NOTIFY_REFUSED && is_gone(a->http->body)) {
        ret->result = NOTIFY_GONE;
        ret->said = receiver_said(a->arena, a->target, a->url,
                                  "status %ld: the workflow is off or was removed: turn it on, or "
                                  "make another and give its address",
                                  a->http->status);
    }
    return ret->said.ptr || arena_full(a->arena, err);
}

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    if (!config->url.len)
        return receiver_wrong(config, err,
                              "`url` is missing: of the workflow \"When a Teams webhook request "
                              "is received\", as env:NAME or file:PATH");
    if (target && !str_trim(target->url).len)
        return receiver_wrong(config, err, "what `url` refers to is empty");
    if (target && str_find(target->url, STR(".webhook.office.com/"), 0) != SIZE_MAX)
        return receiver_wrong(
            config, err,
            "what `url` refers to is a connector of Office 365, which is "
            "retired: make a workflow \"When a Teams webhook request is received\"");
    return !target || receiver_check_url(config, target->url, err);
}

static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    static const char *const header[] = {"Content-Type: application/json; charset=utf-8", NULL};
    struct receiver_request request = {.url = arena_dup(arena, str_trim(target->url)),
                                       .header = header};
    struct http_answer http;
    if (!request.url.ptr)
        return arena_full(arena, err);
    if (!wording_fit(arena, alert, 0, MESSAGE_MAX, write_message, arena, &request.body, err) ||
        !receiver_ask(arena, target, &request, &http, ret, err))
        return false;
    const struct answered answered = {arena, target, request.url, &http};
    return teams_judge(&answered, ret, err);
}

const struct notifier notify_teams = {.name = "teams",
                                      .summary = "Adaptive Cards in Microsoft Teams, by a workflow",
                                      .check = check,
                                      .send = send_alert};
