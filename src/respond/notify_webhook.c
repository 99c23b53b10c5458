/* notify_webhook.c - alerts as signed JSON to any address.
 *
 * format:  standard (default): {"type":"drift.detected","timestamp","data": the alert};
 *          cloudevents: CloudEvents 1.0 in structured mode; plumb: the alert alone
 * key:     signs, webhook_sign.h; several while keys are changed. webhook-id is the alert's: the
 *          same for each try
 * user, password: basic authentication; `password` without `user` is a bearer's token
 * Source:  Standard Webhooks; CloudEvents 1.0.2, HTTP protocol binding and webhooks
 */
#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/alert_json.h"
#include "respond/receiver.h"
#include "respond/webhook_sign.h"
#include "respond/wording.h"
#include "wire/json.h"
#include "wire/sigv4.h"

enum { STANDARD_MAX = 20000, EVENT_MAX = 60000, NAME_MAX_BYTES = 500, CHECK_MEMORY = 1 << 16 };

static const struct {
    const char *name;
    size_t most; /* bytes of a body: as its specification advises */
} formats[] = {{"standard", STANDARD_MAX}, {"cloudevents", EVENT_MAX}, {"plumb", EVENT_MAX}};
enum { FORMAT_STANDARD, FORMAT_CLOUDEVENTS, FORMAT_PLUMB, FORMAT_COUNT };

static const char *const types[ALERT_STATUS_COUNT] = {[ALERT_NEW] = "drift.detected",
                                                      [ALERT_CHANGED] = "drift.changed",
                                                      [ALERT_RECURRING] = "drift.recurring",
                                                      [ALERT_OVERDUE] = "drift.overdue",
                                                      [ALERT_ACKNOWLEDGED] = "drift.acknowledged",
                                                      [ALERT_RESOLVED] = "drift.resolved",
                                                      [ALERT_NOTICE] = "notice",
                                                      [ALERT_TEST] = "test"};

static unsigned format_of(const struct config_notify *config)
{
    for (unsigned i = 0; i < FORMAT_COUNT; i++)
        if (str_equal(config->format, str_from(formats[i].name)))
            return i;
    return config->format.len ? FORMAT_COUNT : FORMAT_STANDARD;
}

/* --- body --- */

struct writing {
    struct arena *arena;
    unsigned format;
};

/* Names are as long as somebody makes them: the key of a resource, the name of a rule. */
static bool cut_names(struct arena *arena, struct alert_finding *f)
{
    struct str *const names[] = {&f->stack,    &f->environment, &f->owner,      &f->address,
                                 &f->type,     &f->provider,    &f->file,       &f->client,
                                 &f->decision, &f->rule,        &f->rule_place, &f->source_ip,
                                 &f->session,  &f->event};
    struct str *const links[] = {&f->file_url, &f->link};
    struct str *todo = arena_new(arena, struct str, f->ntodo + 1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i]->len > NAME_MAX_BYTES)
            *names[i] = wording_line(arena, *names[i], NAME_MAX_BYTES);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (links[i]->len > NAME_MAX_BYTES)
            *links[i] = STR(""); /* half of one leads nowhere */
    for (size_t i = 0; todo && i < f->ntodo; i++)
        todo[i] = f->todo[i].len > NAME_MAX_BYTES ? STR("see the finding in plumb") : f->todo[i];
    f->todo = todo;
    return todo;
}

/* The alert with no more than what is told of it. */
static void put_alert(struct buf *out, struct arena *arena, const struct alert *alert,
                      const struct told *told)
{
    struct alert less = *alert;
    struct alert_finding *f = arena_new(arena, struct alert_finding, told->findings + 1);
    if (!f) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < told->findings; i++) {
        f[i] = alert->finding[i];
        f[i].nchanges = f[i].nchanges < told->changes ? f[i].nchanges : told->changes;
        f[i].reason = wording_line(arena, f[i].reason, told->bytes);
        f[i].actor = wording_line(arena, f[i].actor, told->bytes);
        f[i].actor_how = wording_line(arena, f[i].actor_how, told->bytes);
        f[i].ntodo = f[i].ntodo < told->todo ? f[i].ntodo : told->todo;
        f[i].more_changes += alert->finding[i].nchanges - f[i].nchanges;
        struct alert_change *change = arena_new(arena, struct alert_change, f[i].nchanges + 1);
        for (size_t k = 0; change && k < f[i].nchanges; k++) {
            const struct alert_change *from = &alert->finding[i].change[k];
            change[k].path = wording_line(arena, from->path, told->bytes);
            change[k].before = wording_line(arena, from->before, told->bytes);
            change[k].after = wording_line(arena, from->after, told->bytes);
        }
        f[i].change = change;
        out->failed |= !change || !cut_names(arena, &f[i]);
    }
    less.title = wording_line(arena, alert->title, told->bytes);
    less.text = wording_line(arena, alert->text, told->bytes * 2);
    less.finding = f;
    less.nfindings = told->findings;
    less.more += alert->nfindings - told->findings;
    if (!out->failed)
        alert_json(out, &less);
}

static void put_raw(struct jsonw *w, struct str key, struct str json)
{
    jsonw_key(w, key);
    buf_str(w->out, json);
    w->after_key = false;
    w->need_comma = true;
}

static void put_head(struct jsonw *w, struct arena *arena, const struct alert *alert,
                     unsigned format)
{
    char at[CLOCK_TEXT];
    const char *type = types[alert->status];
    struct str time = str_from(clock_format(alert->made_utc_ms, at));
    if (format == FORMAT_STANDARD) {
        jsonw_member_string(w, STR("type"), str_from(type));
        jsonw_member_string(w, STR("timestamp"), time);
        return;
    }
    const struct alert_finding *one = alert->nfindings == 1 ? alert->finding : NULL;
    struct str stack = one ? sigv4_encode_path(arena, one->stack) : STR("");
    jsonw_member_string(w, STR("specversion"), STR("1.0"));
    jsonw_member_string(w, STR("id"), alert->id);
    jsonw_member_string(
        w, STR("source"),
        arena_printf(arena, "urn:plumb:%.*s", STR_ARG(stack.len ? stack : STR("alerts"))));
    jsonw_member_string(w, STR("type"), arena_printf(arena, "org.plumb.%s.v1", type));
    struct str subject = one && one->address.len ? one->address : alert->thread;
    jsonw_member_string(w, STR("subject"), wording_line(arena, subject, NAME_MAX_BYTES));
    jsonw_member_string(w, STR("time"), time);
    jsonw_member_string(w, STR("datacontenttype"), STR("application/json"));
}

static void write_body(struct buf *out, const struct alert *alert, const struct told *told,
                       void *ctx)
{
    const struct writing *x = ctx;
    AUTO_BUF data = {.limit = ALERT_JSON_MAX};
    struct jsonw w = {.out = out};
    put_alert(&data, x->arena, alert, told);
    out->failed |= data.failed;
    if (x->format == FORMAT_PLUMB) {
        buf_str(out, buf_view(&data));
        return;
    }
    jsonw_object_open(&w);
    put_head(&w, x->arena, alert, x->format);
    put_raw(&w, STR("data"), buf_view(&data));
    jsonw_object_close(&w);
}

/* --- headers --- */

enum { HEADERS = 7 };

static bool make_headers(struct arena *arena, const struct notify_target *target,
                         const struct alert *alert, struct str body, const char *ret[HEADERS + 1],
                         struct err *err)
{
    struct str signature, hub, password = str_trim(target->password);
    int64_t utc_s = target->now_utc_ms / 1000;
    bool events = format_of(target->config) == FORMAT_CLOUDEVENTS;
    size_t n = 0;
    if (!webhook_sign(arena, target->key, alert->id, utc_s, body, &signature, err) ||
        !webhook_sign_hub(arena, target->key, body, &hub, err))
        return false;
    ret[n++] = events ? "Content-Type: application/cloudevents+json; charset=utf-8"
                      : "Content-Type: application/json";
    ret[n++] = arena_printf(arena, "webhook-id: %.*s", STR_ARG(alert->id)).ptr;
    ret[n++] = arena_printf(arena, "webhook-timestamp: %" PRId64, utc_s).ptr;
    if (signature.len)
        ret[n++] = arena_printf(arena, "webhook-signature: %.*s", STR_ARG(signature)).ptr;
    if (hub.len)
        ret[n++] = arena_printf(arena, "X-Hub-Signature-256: %.*s", STR_ARG(hub)).ptr;
    if (password.len && !target->config->user.len)
        ret[n++] = arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(password)).ptr;
    ret[n] = NULL;
    for (size_t i = 0; i < n; i++)
        if (!ret[i])
            return arena_full(arena, err);
    return true;
}

/* --- the notifier --- */

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    AUTO_ARENA arena = {.limit = CHECK_MEMORY};
    struct err why = {0};
    if (!config->url.len)
        return receiver_wrong(config, err,
                              "`url` is missing: where alerts are posted to, as env:NAME or "
                              "file:PATH");
    if (format_of(config) == FORMAT_COUNT)
        return receiver_wrong(config, err, "`format` is standard, cloudevents or plumb, not '%.*s'",
                              STR_ARG(config->format));
    if (config->user.len && !config->password.len)
        return receiver_wrong(config, err, "`user` needs `password`, as env:NAME or file:PATH");
    if (!target)
        return true;
    struct str password = str_trim(target->password);
    for (size_t i = 0; i < password.len; i++)
        if ((unsigned char)password.ptr[i] < ' ')
            return receiver_wrong(config, err, "what `password` refers to has line ends within");
    if (!str_trim(target->url).len)
        return receiver_wrong(config, err, "what `url` refers to is empty");
    if (!webhook_check_keys(&arena, target->key, &why))
        return receiver_wrong(config, err, "of what `key` refers to, %s", why.frame[0]);
    return receiver_check_url(config, target->url, err);
}

static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    struct writing x = {arena, format_of(target->config) % FORMAT_COUNT};
    const char *header[HEADERS + 1];
    struct receiver_request request = {
        .url = arena_dup(arena, str_trim(target->url)), .header = header, .basic = true};
    struct http_answer http;
    struct err why = {0};
    if (!wording_fit(arena, alert, 0, formats[x.format].most, write_body, &x, &request.body, err))
        return false;
    if (make_headers(arena, target, alert, request.body, header, &why))
        return receiver_ask(arena, target, &request, &http, ret, err);
    *ret = (struct notify_answer){.result = NOTIFY_REFUSED};
    ret->said =
        receiver_said(arena, target, request.url, "of what `key` refers to, %s", why.frame[0]);
    return ret->said.ptr || arena_full(arena, err);
}

const struct notifier notify_webhook = {
    .name = "webhook",
    .summary = "signed JSON to any address: Standard Webhooks or CloudEvents",
    .check = check,
    .send = send_alert};
