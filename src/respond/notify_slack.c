/* notify_slack.c - alerts in Slack: Block Kit, through an incoming webhook or a bot's token.
 *
 * Webhook: `url` alone; it can only add messages
 * Bot:     `key` (scope chat:write) and `channel`; one message for a thread, changed in place, with
 *          a reply for each change. `url` only where the API is not https://slack.com/api
 * Text:    what comes from outside stands in code spans and plain_text; & < > are escaped, nothing
 *          is parsed for mentions or links (verbatim)
 * Source:  api.slack.com/reference/block-kit, /methods/chat.postMessage, /methods/chat.update
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/answers.h"
#include "respond/wording.h"
#include "wire/json.h"

enum {
    HEADER_MAX = 150,
    SECTION_MAX = 2900, /* 3,000 characters */
    MESSAGE_MAX = 8000, /* past some 13,000 a message is refused for no limit that is told */
    BLOCKS_MAX = 50,
    VALUE_MAX = 300,
    WORD_MAX = 100 /* of what Slack says */
};
#define API "https://slack.com/api"

/* An id or a time: nothing that parts what is kept. */
static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ')
            return false;
    return s.len > 0 && s.len < WORD_MAX;
}

/* --- text --- */

static void put_escaped(struct buf *out, struct str s, bool code)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '&' || c == '<' || c == '>')
            buf_str(out, c == '&' ? STR("&amp;") : c == '<' ? STR("&lt;") : STR("&gt;"));
        else
            buf_char(out, code && c == '`' ? '\'' : c);
    }
}

static void put_code(struct buf *out, struct str s)
{
    buf_char(out, '`');
    put_escaped(out, s, true);
    buf_char(out, '`');
}

static void put_link(struct buf *out, struct str link, const char *text)
{
    buf_char(out, '<');
    put_escaped(out, link, false);
    buf_printf(out, "|%s>", text);
}

/* Lines of a section: whole ones alone, as many as fit. */
struct lines {
    struct arena *arena;
    struct buf text;
    size_t left_out;
};

static void add_line(struct lines *lines, const struct buf *line)
{
    if (line->failed || lines->left_out || lines->text.len + line->len + 1 > SECTION_MAX) {
        lines->left_out++;
        return;
    }
    if (lines->text.len)
        buf_char(&lines->text, '\n');
    buf_str(&lines->text, buf_view(line));
}

/* --- blocks --- */

struct writing {
    struct jsonw *w;
    struct arena *arena;
    const struct told *told;
    size_t blocks;
};

static void text_object(struct jsonw *w, const char *kind, struct str text)
{
    bool plain = kind[0] == 'p';
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), str_from(kind));
    jsonw_member_string(w, STR("text"), text);
    jsonw_member_bool(w, plain ? STR("emoji") : STR("verbatim"), !plain);
    jsonw_object_close(w);
}

static void block(struct writing *x, const char *type, const char *kind, struct str text)
{
    struct jsonw *w = x->w;
    bool context = type[0] == 'c';
    if (!text.len)
        return;
    x->blocks++;
    jsonw_object_open(w);
    jsonw_member_string(w, STR("type"), str_from(type));
    jsonw_key(w, context ? STR("elements") : STR("text"));
    if (context)
        jsonw_array_open(w);
    text_object(w, kind, text);
    if (context)
        jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_facts(struct writing *x, const struct alert_finding *f)
{
    struct fact facts[WORDING_FACTS];
    struct lines lines = {.text.limit = SECTION_MAX * 2};
    size_t most = x->told->bytes < VALUE_MAX ? x->told->bytes : VALUE_MAX;
    size_t n = wording_facts(x->arena, f, most, facts);
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF line = {.limit = SECTION_MAX};
        buf_printf(&line, "*%s* ", facts[i].name);
        put_code(&line, facts[i].text);
        if (facts[i].link.len && facts[i].link.len <= SECTION_MAX / 4) {
            buf_char(&line, ' ');
            put_link(&line, facts[i].link, "open");
        }
        add_line(&lines, &line);
    }
    block(x, "section", "mrkdwn", buf_view(&lines.text));
    buf_free(&lines.text);
}

static void add_change(struct lines *lines, const char *sign, struct str path, struct str value,
                       size_t most)
{
    AUTO_BUF line = {.limit = SECTION_MAX};
    if (!value.len)
        return;
    buf_str(&line, str_from(sign));
    put_escaped(&line, wording_line(lines->arena, path, most), true);
    buf_str(&line, STR(": "));
    put_escaped(&line, wording_line(lines->arena, value, most), true);
    add_line(lines, &line);
}

static void put_changes(struct writing *x, const struct alert_finding *f)
{
    struct lines lines = {.arena = x->arena, .text.limit = SECTION_MAX * 2};
    size_t most = x->told->bytes < VALUE_MAX ? x->told->bytes : VALUE_MAX, n = 0;
    for (; n < f->nchanges && n < x->told->changes; n++) {
        add_change(&lines, "- ", f->change[n].path, f->change[n].before, most);
        add_change(&lines, "+ ", f->change[n].path, f->change[n].after, most);
    }
    if (lines.text.len) {
        AUTO_BUF fenced = {.limit = SECTION_MAX * 2};
        buf_str(&fenced, STR("```\n"));
        buf_str(&fenced, buf_view(&lines.text));
        buf_str(&fenced, STR("\n```"));
        block(x, "section", "mrkdwn", buf_view(&fenced));
    }
    size_t more = f->nchanges - n + f->more_changes;
    struct str words = lines.left_out ? STR("and more, which does not fit here")
                                      : wording_more(x->arena, more, "change");
    block(x, "context", "mrkdwn", words);
    buf_free(&lines.text);
}

static void put_todo(struct writing *x, const struct alert_finding *f)
{
    struct lines lines = {.text.limit = SECTION_MAX * 2};
    for (size_t i = 0; i < f->ntodo && i < x->told->todo; i++) {
        AUTO_BUF line = {.limit = SECTION_MAX};
        put_code(&line, wording_line(x->arena, f->todo[i], VALUE_MAX));
        add_line(&lines, &line);
    }
    if (lines.text.len) {
        AUTO_BUF all = {.limit = SECTION_MAX * 2};
        buf_str(&all, STR("*What to do*\n"));
        buf_str(&all, buf_view(&lines.text));
        block(x, "section", "mrkdwn", buf_view(&all));
    }
    buf_free(&lines.text);
}

static void put_end(struct writing *x, const struct alert *alert)
{
    AUTO_BUF line = {.limit = SECTION_MAX};
    struct str link = wording_link(alert->link);
    size_t more = alert->nfindings - x->told->findings + alert->more;
    buf_str(&line, wording_more(x->arena, more, "finding"));
    if (link.len && link.len <= SECTION_MAX / 4) {
        buf_str(&line, line.len ? STR(" \xC2\xB7 ") : STR(""));
        put_link(&line, link, "Open in plumb");
    }
    block(x, "context", "mrkdwn", buf_view(&line));
}

/* "text" and "blocks", members of an object that is open. */
static void put_message(struct writing *x, const struct alert *alert)
{
    AUTO_BUF escaped = {.limit = SECTION_MAX};
    put_escaped(&escaped, wording_headline(x->arena, alert, VALUE_MAX), false);
    jsonw_member_string(x->w, STR("text"), buf_view(&escaped));
    jsonw_key(x->w, STR("blocks"));
    jsonw_array_open(x->w);
    block(x, "header", "plain_text", wording_headline(x->arena, alert, HEADER_MAX));
    block(x, "section", "plain_text", wording_line(x->arena, alert->text, x->told->bytes));
    for (size_t i = 0; i < x->told->findings; i++) {
        if (i) {
            jsonw_object_open(x->w);
            jsonw_member_string(x->w, STR("type"), STR("divider"));
            jsonw_object_close(x->w);
            x->blocks++;
        }
        put_facts(x, &alert->finding[i]);
        put_changes(x, &alert->finding[i]);
        put_todo(x, &alert->finding[i]);
    }
    put_end(x, alert);
    jsonw_array_close(x->w);
    x->w->out->failed |= x->blocks > BLOCKS_MAX; /* fewer findings, then */
    jsonw_member_bool(x->w, STR("unfurl_links"), false);
    jsonw_member_bool(x->w, STR("unfurl_media"), false);
}

/* --- one request --- */

struct call {
    struct arena *arena;
    const struct notify_target *target;
    struct str channel, ts; /* of the thread's message; ts empty: there is none */
    struct str update;      /* ts of the message that is changed; empty: a new one */
    bool reply, broadcast;
};

static void write_message(struct buf *out, const struct alert *alert, const struct told *told,
                          void *ctx)
{
    const struct call *call = ctx;
    struct jsonw w = {.out = out};
    struct writing x = {.w = &w, .arena = call->arena, .told = told};
    jsonw_object_open(&w);
    if (call->channel.len)
        jsonw_member_string(&w, STR("channel"), call->channel);
    if (call->update.len)
        jsonw_member_string(&w, STR("ts"), call->update);
    if (call->reply) {
        jsonw_member_string(&w, STR("thread_ts"), call->ts);
        jsonw_member_bool(&w, STR("reply_broadcast"), call->broadcast);
    }
    put_message(&x, alert);
    jsonw_object_close(&w);
}

/* What errors of Slack mean besides "refused", and what helps; the words of both of its APIs. */
static const struct trouble {
    const char *error;
    enum notify_result result;
    const char *help;
} troubles[] = {
    {"ratelimited", NOTIFY_LATER, ""},
    {"rate_limited", NOTIFY_LATER, ""},
    {"internal_error", NOTIFY_LATER, ""},
    {"fatal_error", NOTIFY_LATER, ""},
    {"service_unavailable", NOTIFY_LATER, ""},
    {"request_timeout", NOTIFY_LATER, ""},
    {"team_added_to_org", NOTIFY_LATER, ""},
    {"rollup_error", NOTIFY_LATER, ""},
    {"account_inactive", NOTIFY_GONE, "the bot or its workspace is gone: give another token"},
    {"token_revoked", NOTIFY_GONE, "give another token"},
    {"token_expired", NOTIFY_GONE, "give another token"},
    {"is_archived", NOTIFY_GONE, "the channel is archived: give another one"},
    {"channel_is_archived", NOTIFY_GONE, "the channel is archived: make another webhook"},
    {"no_service", NOTIFY_GONE, "the webhook was removed: make another one"},
    {"no_team", NOTIFY_GONE, "the workspace is gone"},
    {"team_disabled", NOTIFY_GONE, "the workspace is gone"},
    {"invalid_token", NOTIFY_REFUSED, "the webhook's address is not whole"},
    {"invalid_auth", NOTIFY_REFUSED, "the token is not one of this workspace"},
    {"not_authed", NOTIFY_REFUSED, "`key` refers to no token"},
    {"missing_scope", NOTIFY_REFUSED, "the bot needs the scope chat:write"},
    {"not_in_channel", NOTIFY_REFUSED, "invite the bot into the channel"},
    {"channel_not_found", NOTIFY_REFUSED, "`channel` is an id such as C0123456789; invite the bot"},
};

static void judge(const struct answered *a, struct str error, struct notify_answer *ret)
{
    const struct trouble *t = NULL;
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles && !t; i++)
        if (str_equal(error, str_from(troubles[i].error)))
            t = &troubles[i];
    if (ret->result != NOTIFY_LATER)
        ret->result = t ? t->result : NOTIFY_REFUSED;
    error = wording_line(a->arena, error, RECEIVER_SAID_MAX / 2);
    ret->said = receiver_said(a->arena, a->target, a->url, "%.*s%s%s", STR_ARG(error),
                              t && *t->help ? ": " : "", t ? t->help : "");
}

bool slack_webhook_judge(const struct answered *a, struct notify_answer *ret, struct err *err)
{
    long status = a->http->status;
    struct str body = str_trim(a->http->body);
    if (ret->result == NOTIFY_TAKEN && !str_equal(body, STR("ok"))) {
        ret->result = NOTIFY_LATER;
        ret->said = receiver_said(a->arena, a->target, a->url,
                                  "status %ld, but not the \"ok\" of Slack", status);
    } else if (status >= 400 && status != 429 && body.len && body.len < WORD_MAX) {
        if (ret->result == NOTIFY_GONE)
            ret->result = NOTIFY_REFUSED;
        judge(a, body, ret);
    }
    return ret->said.ptr || arena_full(a->arena, err);
}

static bool send_webhook(struct arena *arena, const struct notify_target *target,
                         const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    static const char *const header[] = {"Content-Type: application/json; charset=utf-8", NULL};
    struct call call = {.arena = arena, .target = target};
    struct receiver_request request = {.url = arena_dup(arena, str_trim(target->url)),
                                       .header = header};
    struct http_answer http;
    if (!request.url.ptr)
        return arena_full(arena, err);
    if (!wording_fit(arena, alert, 0, MESSAGE_MAX, write_message, &call, &request.body, err) ||
        !receiver_ask(arena, target, &request, &http, ret, err))
        return false;
    const struct answered answered = {arena, target, request.url, &http};
    return slack_webhook_judge(&answered, ret, err);
}

/* --- a bot --- */

bool slack_api_judge(const struct answered *a, struct slack_said *ret_said,
                     struct notify_answer *ret, struct err *err)
{
    struct value v;
    struct err ignored = {0};
    *ret_said = (struct slack_said){STR(""), STR(""), STR("")};
    if (a->http->status < 200 || a->http->status > 299)
        return true;
    bool json = json_parse(a->arena, a->http->body, "answer", JSON_DUPLICATES_LAST, &v, &ignored);
    if (json)
        *ret_said = (struct slack_said){value_get_string(&v, STR("channel")),
                                        value_get_string(&v, STR("ts")),
                                        value_get_string(&v, STR("error"))};
    if (json && value_get_bool(&v, STR("ok"), false) && is_word(ret_said->channel) &&
        is_word(ret_said->ts)) {
        ret_said->error = STR("");
        return true;
    }
    ret->result = NOTIFY_LATER;
    if (ret_said->error.len) {
        ret->result = NOTIFY_REFUSED;
        judge(a, ret_said->error, ret);
    } else {
        ret->said = receiver_said(a->arena, a->target, a->url,
                                  "status %ld, but not an answer of Slack", a->http->status);
    }
    return ret->said.ptr || arena_full(a->arena, err);
}

static bool call_api(struct call *call, const struct alert *alert, const char *method,
                     struct slack_said *ret_said, struct notify_answer *ret, struct err *err)
{
    struct arena *arena = call->arena;
    const struct notify_target *target = call->target;
    struct str base = str_trim(target->url), key = str_trim(target->key);
    while (str_ends(base, STR("/")))
        base.len--;
    base = base.len ? base : STR(API);
    struct str bearer = arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(key));
    const char *const header[] = {"Content-Type: application/json; charset=utf-8", bearer.ptr,
                                  NULL};
    struct receiver_request request = {.url = arena_printf(arena, "%.*s/%s", STR_ARG(base), method),
                                       .header = header};
    struct http_answer http;
    if (!request.url.ptr || !bearer.ptr)
        return arena_full(arena, err);
    if (!wording_fit(arena, alert, 0, MESSAGE_MAX, write_message, call, &request.body, err) ||
        !receiver_ask(arena, target, &request, &http, ret, err))
        return false;
    const struct answered answered = {arena, target, request.url, &http};
    return slack_api_judge(&answered, ret_said, ret, err);
}

/* "C0123456789 1700000000.000100" */
static bool read_kept(struct str kept, struct call *call)
{
    struct str rest = str_trim(kept), channel;
    bool two = str_cut(&rest, ' ', &channel) && rest.len && channel.len;
    if (two) {
        call->channel = channel;
        call->ts = rest;
    }
    return two;
}

/* Has the message that is to be changed gone? Then there is a new one. */
static bool is_lost(struct str error)
{
    static const char *const lost[] = {"message_not_found", "cant_update_message",
                                       "edit_window_closed", "channel_not_found"};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        if (str_equal(error, str_from(lost[i])))
            return true;
    return false;
}

static bool post_new(struct call *call, const struct alert *alert, struct notify_answer *ret,
                     struct err *err)
{
    struct slack_said said;
    *call = (struct call){
        .arena = call->arena, .target = call->target, .channel = call->target->config->channel};
    if (!call_api(call, alert, "chat.postMessage", &said, ret, err))
        return false;
    if (ret->result == NOTIFY_TAKEN)
        ret->kept = arena_printf(call->arena, "%.*s %.*s", STR_ARG(said.channel), STR_ARG(said.ts));
    return ret->result != NOTIFY_TAKEN || ret->kept.ptr || arena_full(call->arena, err);
}

static bool send_bot(struct arena *arena, const struct notify_target *target,
                     const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    struct call call = {.arena = arena, .target = target};
    struct slack_said said;
    if (alert->status == ALERT_NEW || !read_kept(target->kept, &call))
        return post_new(&call, alert, ret, err);
    call.update = call.ts;
    if (!call_api(&call, alert, "chat.update", &said, ret, err))
        return false;
    if (is_lost(said.error))
        return post_new(&call, alert, ret, err);
    if (ret->result != NOTIFY_TAKEN)
        return true;
    call.update = (struct str){0};
    call.reply = true;
    call.broadcast = alert->status == ALERT_OVERDUE || alert->status == ALERT_RECURRING;
    return call_api(&call, alert, "chat.postMessage", &said, ret, err);
}

/* --- the notifier --- */

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    if (!config->key.len && !config->url.len)
        return receiver_wrong(config, err,
                              "`url` is missing: the address of an incoming webhook, as env:NAME "
                              "or file:PATH; or `key` (a bot's token) and `channel`");
    if (config->key.len && !config->channel.len)
        return receiver_wrong(config, err,
                              "`channel` is missing: the id of a channel that the bot is in, such "
                              "as C0123456789");
    if (config->channel.len && !config->key.len)
        return receiver_wrong(
            config, err, "`channel` needs `key`, a bot's token: a webhook has its own channel");
    if (!target)
        return true;
    struct str key = str_trim(target->key);
    if (config->key.len && !str_starts(key, STR("xox")))
        return receiver_wrong(config, err,
                              "what `key` refers to is no token of Slack, which begins with xoxb-");
    for (size_t i = 0; i < key.len; i++)
        if ((unsigned char)key.ptr[i] <= ' ')
            return receiver_wrong(config, err, "what `key` refers to has blanks or line ends");
    if (config->url.len && !str_trim(target->url).len)
        return receiver_wrong(config, err, "what `url` refers to is empty");
    return receiver_check_url(config, target->url, err);
}

static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    return (target->config->key.len ? send_bot : send_webhook)(arena, target, alert, ret, err);
}

const struct notifier notify_slack = {
    .name = "slack",
    .summary = "messages in Slack, by an incoming webhook or by a bot that keeps one up to date",
    .check = check,
    .send = send_alert};
