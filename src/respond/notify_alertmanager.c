/* notify_alertmanager.c - findings as alerts of a Prometheus Alertmanager, which forgets what is
 * not told again.
 *
 * url:     of each replica, not of what balances between them; all are posted to, and one that took
 *          it is enough, for the next time is a minute away
 * Same:    an alert there is its labels: what finding it is, and no value, time or count. What is
 *          open ends by itself four times the interval after it was told last
 * labels:  name=value, on each alert
 * key:     a bearer's token; or user and password
 * Source:  Alertmanager API v2 (its OpenAPI document)
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/receiver.h"
#include "respond/wording.h"
#include "wire/json.h"

enum {
    RESEND_MS = 60000,
    LASTS = 4, /* intervals */
    FINDINGS_MOST = 500,
    BODY_MAX = 4 << 20,
    LABEL_MAX = 1000,
    SUMMARY_MAX = 300,
    REPLICAS_MAX = 16
};
#define PATH "/api/v2/alerts"

static const char *const severities[SEVERITY_COUNT] = {[SEVERITY_INFO] = "info",
                                                       [SEVERITY_LOW] = "warning",
                                                       [SEVERITY_MEDIUM] = "warning",
                                                       [SEVERITY_HIGH] = "critical",
                                                       [SEVERITY_CRITICAL] = "critical"};

struct posting {
    struct arena *arena;
    const struct notify_target *target;
};

/* --- one alert --- */

static void member(struct jsonw *w, struct arena *arena, const char *key, struct str text)
{
    if (text.len)
        jsonw_member_string(w, str_from(key), wording_line(arena, text, LABEL_MAX));
}

static void own_labels(struct jsonw *w, const struct config_notify *config)
{
    for (size_t i = 0; i < config->nlabels; i++) {
        struct str value = config->labels[i], name;
        if (str_cut(&value, '=', &name) && value.len)
            jsonw_member_string(w, name, value);
    }
}

static void put_labels(struct jsonw *w, const struct posting *x, const struct alert *alert,
                       const struct alert_finding *f)
{
    const char *name = alert->status == ALERT_TEST ? "PlumbTest" : f ? "PlumbDrift" : "PlumbNotice";
    enum severity severity = f ? f->severity : alert->severity;
    jsonw_key(w, STR("labels"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("alertname"), str_from(name));
    jsonw_member_string(w, STR("severity"), str_from(severities[severity]));
    if (f) {
        member(w, x->arena, "stack", f->stack);
        member(w, x->arena, "environment", f->environment);
        member(w, x->arena, "address", f->address);
        member(w, x->arena, "type", f->type);
        member(w, x->arena, "class", str_from(finding_class_name(f->class_)));
        member(w, x->arena, "rule", f->rule);
        member(w, x->arena, "owner", f->owner);
    } else {
        member(w, x->arena, "thread", alert->thread);
    }
    own_labels(w, x->target->config);
    jsonw_object_close(w);
}

/* "changed_by" of "Changed by" */
static struct str annotation_name(struct arena *arena, const char *name)
{
    struct str s = arena_dup(arena, str_from(name));
    char *c = arena_new(arena, char, s.len + 1);
    for (size_t i = 0; c && i < s.len; i++)
        c[i] = s.ptr[i] == ' '                      ? '_'
               : s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + 'a' - 'A')
                                                    : s.ptr[i];
    return (struct str){c, c ? s.len : 0};
}

static struct str joined_changes(struct arena *arena, const struct alert_finding *f,
                                 const struct told *told)
{
    AUTO_BUF out = {.limit = BODY_MAX};
    size_t shown = f->nchanges < told->changes ? f->nchanges : told->changes;
    for (size_t i = 0; i < shown; i++) {
        buf_str(&out, i ? STR("\n") : STR(""));
        buf_str(&out, wording_change(arena, &f->change[i], told->bytes));
    }
    struct str more = wording_more(arena, f->nchanges - shown + f->more_changes, "change");
    if (more.len)
        buf_printf(&out, "%s%.*s", out.len ? "\n" : "", STR_ARG(more));
    return arena_dup(arena, buf_view(&out));
}

static void put_todo(struct jsonw *w, struct arena *arena, const struct alert_finding *f,
                     const struct told *told)
{
    AUTO_BUF out = {.limit = BODY_MAX};
    for (size_t i = 0; i < f->ntodo && i < told->todo; i++) {
        buf_str(&out, i ? STR("\n") : STR(""));
        buf_str(&out, wording_line(arena, f->todo[i], told->bytes));
    }
    if (out.len)
        jsonw_member_string(w, STR("todo"), arena_dup(arena, buf_view(&out)));
}

static void put_annotations(struct jsonw *w, struct arena *arena, const struct alert *alert,
                            const struct alert_finding *f, const struct told *told)
{
    struct fact facts[WORDING_FACTS];
    size_t n = f ? wording_facts(arena, f, told->bytes, facts) : 0;
    jsonw_key(w, STR("annotations"));
    jsonw_object_open(w);
    struct str summary =
        f ? arena_printf(arena, "%.*s: %s", STR_ARG(f->address), finding_class_meaning(f->class_))
          : alert->title;
    member(w, arena, "summary", wording_line(arena, summary, SUMMARY_MAX));
    member(w, arena, "status", str_from(alert_status_name(alert->status)));
    if (!f || alert->status == ALERT_TEST)
        member(w, arena, "description", wording_line(arena, alert->text, told->bytes * 2));
    for (size_t i = 0; i < n; i++)
        jsonw_member_string(w, annotation_name(arena, facts[i].name), facts[i].text);
    if (f) {
        struct str changes = joined_changes(arena, f, told);
        if (changes.len)
            jsonw_member_string(w, STR("changes"), changes);
        member(w, arena, "fingerprint", f->fingerprint); /* other values, another one */
        put_todo(w, arena, f, told);
        member(w, arena, "code_url", wording_link(f->file_url));
    }
    jsonw_object_close(w);
}

static void moment(struct jsonw *w, const char *key, int64_t utc_ms)
{
    char text[CLOCK_TEXT];
    jsonw_member_string(w, str_from(key), str_from(clock_format(utc_ms, text)));
}

static void put_one(struct jsonw *w, const struct posting *x, const struct alert *alert,
                    const struct alert_finding *f, const struct told *told)
{
    bool resolved = alert->status == ALERT_RESOLVED;
    int64_t made = alert->made_utc_ms, first = f && f->first_utc_ms ? f->first_utc_ms : made;
    int64_t since = f && f->since_utc_ms ? f->since_utc_ms : resolved ? made : first;
    int64_t ends = resolved ? since : x->target->now_utc_ms + LASTS * RESEND_MS;
    int64_t starts = resolved ? first : since;
    struct str link = wording_link(f && f->link.len ? f->link : alert->link);
    jsonw_object_open(w);
    put_labels(w, x, alert, f);
    put_annotations(w, x->arena, alert, f, told);
    moment(w, "startsAt", starts < ends ? starts : ends);
    moment(w, "endsAt", ends);
    if (link.len)
        jsonw_member_string(w, STR("generatorURL"), link);
    jsonw_object_close(w);
}

static void write_alerts(struct buf *out, const struct alert *alert, const struct told *told,
                         void *ctx)
{
    struct jsonw w = {.out = out};
    jsonw_array_open(&w);
    for (size_t i = 0; i < told->findings; i++)
        put_one(&w, ctx, alert, &alert->finding[i], told);
    if (!told->findings)
        put_one(&w, ctx, alert, NULL, told);
    jsonw_array_close(&w);
}

/* --- the notifier --- */

static bool label_ok(struct str label)
{
    struct str value = label, name;
    if (!str_cut(&value, '=', &name) || !name.len || !value.len)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

/* A name that is there twice would make JSON with two members of one name. */
static bool label_taken(const struct config_notify *config, size_t at)
{
    static const char *const own[] = {"alertname", "severity", "stack", "environment", "address",
                                      "type",      "class",    "rule",  "owner",       "thread"};
    struct str value = config->labels[at], name, other;
    (void)str_cut(&value, '=', &name);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (str_equal(name, str_from(own[i])))
            return true;
    for (size_t i = 0; i < at; i++) {
        value = config->labels[i];
        (void)str_cut(&value, '=', &other);
        if (str_equal(name, other))
            return true;
    }
    return false;
}

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    if (!config->url.len)
        return receiver_wrong(config, err,
                              "`url` is missing: of each replica, such as "
                              "http://alertmanager:9093, as env:NAME or file:PATH");
    if (config->user.len && !config->password.len)
        return receiver_wrong(config, err, "`user` needs `password`, as env:NAME or file:PATH");
    for (size_t i = 0; i < config->nlabels; i++) {
        if (!label_ok(config->labels[i]))
            return receiver_wrong(config, err,
                                  "`labels`: '%.*s' is no label: team=infra is; letters, digits "
                                  "and _ in its name",
                                  STR_ARG(config->labels[i]));
        if (label_taken(config, i))
            return receiver_wrong(config, err,
                                  "`labels`: '%.*s' is one that each alert has already",
                                  STR_ARG(config->labels[i]));
    }
    if (target && !str_trim(target->url).len)
        return receiver_wrong(config, err, "what `url` refers to is empty");
    return !target || receiver_check_urls(config, target->url, err);
}

static struct str make_url(struct arena *arena, struct str url)
{
    while (str_ends(url, STR("/")))
        url.len--;
    return str_ends(url, STR(PATH)) ? arena_dup(arena, url)
                                    : arena_printf(arena, "%.*s%s", STR_ARG(url), PATH);
}

/* How good it is that one replica said so: one that took it is enough. */
static int rank(enum notify_result result)
{
    static const int ranks[] = {
        [NOTIFY_TAKEN] = 3, [NOTIFY_LATER] = 2, [NOTIFY_REFUSED] = 1, [NOTIFY_GONE] = 0};
    return ranks[result];
}

/* One body to each replica. */
static bool post(const struct posting *x, const char *const *header, struct str body,
                 struct notify_answer *ret, struct err *err)
{
    struct receiver_request request = {.header = header, .body = body, .basic = true};
    struct notify_answer best = {.result = NOTIFY_GONE, .said = STR("no replica to tell")};
    struct str rest = x->target->url, word;
    AUTO_BUF said = {.limit = 1 << 16};
    unsigned tried = 0;
    for (; tried < REPLICAS_MAX && receiver_next(&rest, &word); tried++) {
        struct http_answer http;
        struct notify_answer one;
        request.url = make_url(x->arena, word);
        if (!request.url.ptr || !receiver_ask(x->arena, x->target, &request, &http, &one, err))
            return request.url.ptr ? false : arena_full(x->arena, err);
        if (!tried || rank(one.result) > rank(best.result))
            best = one;
        if (one.said.len)
            buf_printf(&said, "%s%.*s", said.len ? "; " : "", STR_ARG(one.said));
    }
    *ret = best;
    ret->said = tried ? wording_line(x->arena, buf_view(&said), RECEIVER_SAID_MAX) : best.said;
    return ret->said.ptr || arena_full(x->arena, err);
}

/* As many of the findings as fit with all that is told of them; of one alone less is told. */
static bool write_part(struct posting *x, const struct alert *all, size_t from, size_t *ret_n,
                       struct str *ret, struct err *err)
{
    AUTO_BUF out = {.limit = BODY_MAX};
    struct alert part = *all;
    part.finding = from < all->nfindings ? &all->finding[from] : NULL;
    part.nfindings = *ret_n < all->nfindings - from ? *ret_n : all->nfindings - from;
    for (; part.nfindings > 1; part.nfindings = (part.nfindings + 1) / 2) {
        const struct told told = {part.nfindings, 20, 5, 500};
        out.len = 0;
        out.failed = false;
        write_alerts(&out, &part, &told, x);
        if (out.failed)
            continue;
        *ret_n = part.nfindings;
        *ret = arena_dup(x->arena, buf_view(&out));
        return ret->ptr || arena_full(x->arena, err);
    }
    *ret_n = 1;
    return wording_fit(x->arena, &part, 1, BODY_MAX, write_alerts, x, ret, err);
}

/* In several requests where one would be too long: what was told before the one that fails is told
 * again, which is nothing new to it. */
static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    struct str token = str_trim(target->key), body;
    const char *header[] = {"Content-Type: application/json", NULL, NULL};
    struct posting posting = {arena, target};
    size_t from = 0, n = FINDINGS_MOST;
    if (token.len)
        header[1] = arena_printf(arena, "Authorization: Bearer %.*s", STR_ARG(token)).ptr;
    if (token.len && !header[1])
        return arena_full(arena, err);
    do {
        if (!write_part(&posting, alert, from, &n, &body, err) ||
            !post(&posting, header, body, ret, err))
            return false;
        from += n;
    } while (from < alert->nfindings && ret->result == NOTIFY_TAKEN);
    return true;
}

const struct notifier notify_alertmanager = {
    .name = "alertmanager",
    .summary = "alerts of a Prometheus Alertmanager, told again while they are open",
    .resends = true,
    .findings_most = FINDINGS_MOST,
    .check = check,
    .send = send_alert};
