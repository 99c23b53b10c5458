/* notify_pagerduty.c - alerts as events of PagerDuty, which opens and resolves what pages people.
 *
 * key:     the integration's routing key; `url` only where the service region is another one
 *          (https://events.eu.pagerduty.com)
 * Same:    dedup_key is the alert's thread: what changes goes to the open one, a review that was
 *          asked for acknowledges it, resolved ends it
 * Source:  PagerDuty Events API v2 (its OpenAPI document); 512,000 bytes an event
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/receiver.h"
#include "respond/wording.h"
#include "wire/json.h"

enum { SUMMARY_MAX = 1024, KEY_MAX = 255, ROUTING_KEY = 32, EVENT_MAX = 512000, SOURCE_MAX = 255 };
#define HOST "https://events.pagerduty.com"
#define PATH "/v2/enqueue"

static const char *const severities[SEVERITY_COUNT] = {[SEVERITY_INFO] = "info",
                                                       [SEVERITY_LOW] = "warning",
                                                       [SEVERITY_MEDIUM] = "warning",
                                                       [SEVERITY_HIGH] = "error",
                                                       [SEVERITY_CRITICAL] = "critical"};

struct event {
    struct arena *arena;
    struct str routing_key;
};

static void put_finding(struct jsonw *w, struct arena *arena, const struct alert_finding *f,
                        const struct told *told)
{
    struct fact facts[WORDING_FACTS];
    size_t n = wording_facts(arena, f, told->bytes, facts);
    jsonw_object_open(w);
    for (size_t i = 0; i < n; i++)
        jsonw_member_string(w, str_from(facts[i].name), facts[i].text);
    if (told->changes && f->nchanges) {
        jsonw_key(w, STR("Changes"));
        jsonw_array_open(w);
        size_t shown = f->nchanges < told->changes ? f->nchanges : told->changes;
        for (size_t i = 0; i < shown; i++)
            jsonw_string(w, wording_change(arena, &f->change[i], told->bytes));
        if (f->nchanges - shown + f->more_changes)
            jsonw_string(w, wording_more(arena, f->nchanges - shown + f->more_changes, "change"));
        jsonw_array_close(w);
    }
    if (f->ntodo && told->todo) {
        jsonw_key(w, STR("What to do"));
        jsonw_array_open(w);
        for (size_t i = 0; i < f->ntodo && i < told->todo; i++)
            jsonw_string(w, wording_line(arena, f->todo[i], told->bytes));
        jsonw_array_close(w);
    }
    jsonw_object_close(w);
}

static void put_details(struct jsonw *w, struct arena *arena, const struct alert *alert,
                        const struct told *told)
{
    size_t more = alert->nfindings - told->findings + alert->more;
    jsonw_key(w, STR("custom_details"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("Status"), str_from(alert_status_name(alert->status)));
    if (alert->text.len)
        jsonw_member_string(w, STR("Text"), wording_line(arena, alert->text, told->bytes * 4));
    if (told->findings) {
        jsonw_key(w, STR("Findings"));
        jsonw_array_open(w);
        for (size_t i = 0; i < told->findings; i++)
            put_finding(w, arena, &alert->finding[i], told);
        jsonw_array_close(w);
    }
    if (more)
        jsonw_member_string(w, STR("More"), wording_more(arena, more, "finding"));
    jsonw_object_close(w);
}

static void member(struct jsonw *w, struct arena *arena, const char *key, struct str text)
{
    if (text.len)
        jsonw_member_string(w, str_from(key), wording_line(arena, text, SOURCE_MAX));
}

static void put_payload(struct jsonw *w, struct arena *arena, const struct alert *alert,
                        const struct told *told)
{
    static const struct alert_finding none;
    char at[CLOCK_TEXT];
    const struct alert_finding *f = alert->nfindings ? alert->finding : &none;
    bool one = alert->nfindings == 1 && !alert->more;
    jsonw_key(w, STR("payload"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("summary"), wording_headline(arena, alert, SUMMARY_MAX));
    member(w, arena, "source", f->stack.len ? f->stack : STR("plumb"));
    jsonw_member_string(w, STR("severity"), str_from(severities[alert->severity]));
    jsonw_member_string(w, STR("timestamp"), str_from(clock_format(alert->made_utc_ms, at)));
    member(w, arena, "component", one ? f->address : STR(""));
    member(w, arena, "group", f->stack);
    member(w, arena, "class", one ? str_from(finding_class_name(f->class_)) : STR(""));
    if (told->bytes > 60) /* the last resort of wording_fit goes without */
        put_details(w, arena, alert, told);
    jsonw_object_close(w);
}

static void put_link(struct jsonw *w, struct str href, const char *text)
{
    if (!wording_link(href).len)
        return;
    jsonw_object_open(w);
    jsonw_member_string(w, STR("href"), href);
    jsonw_member_string(w, STR("text"), str_from(text));
    jsonw_object_close(w);
}

static void write_event(struct buf *out, const struct alert *alert, const struct told *told,
                        void *ctx)
{
    const struct event *event = ctx;
    struct jsonw w = {.out = out};
    struct str action = alert->status == ALERT_RESOLVED       ? STR("resolve")
                        : alert->status == ALERT_ACKNOWLEDGED ? STR("acknowledge")
                                                              : STR("trigger");
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("routing_key"), event->routing_key);
    jsonw_member_string(&w, STR("event_action"), action);
    jsonw_member_string(&w, STR("dedup_key"), str_sub(alert->thread, 0, KEY_MAX));
    if (str_equal(action, STR("trigger"))) {
        jsonw_member_string(&w, STR("client"), STR("plumb"));
        if (wording_link(alert->link).len)
            jsonw_member_string(&w, STR("client_url"), alert->link);
        put_payload(&w, event->arena, alert, told);
        jsonw_key(&w, STR("links"));
        jsonw_array_open(&w);
        put_link(&w, alert->link, "Open in plumb");
        for (size_t i = 0; i < told->findings; i++)
            put_link(&w, alert->finding[i].file_url, "The code");
        jsonw_array_close(&w);
    }
    jsonw_object_close(&w);
}

/* --- the notifier --- */

static bool is_routing_key(struct str key)
{
    bool ok = key.len == ROUTING_KEY;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        ok &= (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    return ok;
}

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    if (!config->key.len)
        return receiver_wrong(config, err,
                              "`key` is missing: the routing key of an integration (Events API "
                              "v2), as env:NAME or file:PATH");
    if (target && !is_routing_key(str_trim(target->key)))
        return receiver_wrong(config, err,
                              "what `key` refers to is no routing key, which has %d letters and "
                              "digits",
                              ROUTING_KEY);
    return !target || receiver_check_url(config, target->url, err);
}

/* The host alone is enough. */
static struct str make_url(struct arena *arena, struct str url)
{
    url = str_trim(url);
    while (str_ends(url, STR("/")))
        url.len--;
    if (str_ends(url, STR(PATH)))
        return arena_dup(arena, url);
    return arena_printf(arena, "%.*s%s", STR_ARG(url.len ? url : STR(HOST)), PATH);
}

static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    static const char *const header[] = {"Content-Type: application/json", NULL};
    struct event event = {arena, str_trim(target->key)};
    struct receiver_request request = {.url = make_url(arena, target->url), .header = header};
    struct http_answer http;
    if (!request.url.ptr)
        return arena_full(arena, err);
    if (alert->status == ALERT_RESOLVED && alert->others_open) {
        *ret = (struct notify_answer){
            .result = NOTIFY_TAKEN, .said = STR("not ended: others of its group are still there")};
        return true;
    }
    if (!wording_fit(arena, alert, 0, EVENT_MAX, write_event, &event, &request.body, err) ||
        !receiver_ask(arena, target, &request, &http, ret, err))
        return false;
    if (ret->result == NOTIFY_TAKEN && http.status != 202) {
        ret->result = NOTIFY_LATER;
        ret->said =
            receiver_said(arena, target, request.url,
                          "status %ld, but PagerDuty says 202 of what it took", http.status);
    }
    return ret->said.ptr || arena_full(arena, err);
}

const struct notifier notify_pagerduty = {
    .name = "pagerduty",
    .summary = "events of PagerDuty: one incident for a thread, resolved with it",
    .acknowledges = true,
    .tracks = true,
    .check = check,
    .send = send_alert};
