/* notify_syslog.c - alerts as messages of RFC 5424, one for each finding. */
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "report/parts.h"
#include "respond/notify.h"
#include "wire/syslog.h"

enum { TEXT_MAX = 1024, VALUE_MAX = 400, MESSAGE_MAX = 8 << 10 };

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    (void)config;
    return !target || syslog_place_ok(target->url, err) || err_wrap(err, "syslog: url");
}

static enum syslog_severity severity_of(const struct alert *alert, enum severity severity)
{
    static const enum syslog_severity of[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = SYSLOG_INFO,      [SEVERITY_LOW] = SYSLOG_NOTICE,
        [SEVERITY_MEDIUM] = SYSLOG_WARNING, [SEVERITY_HIGH] = SYSLOG_ERR,
        [SEVERITY_CRITICAL] = SYSLOG_CRIT,
    };
    return alert->status == ALERT_RESOLVED || alert->status == ALERT_TEST ? SYSLOG_INFO
                                                                          : of[severity];
}

/* One line, harmless where it is shown. ptr NULL where the arena is full. */
static struct str safe(struct arena *arena, struct str text)
{
    AUTO_BUF out = {.limit = 8 * VALUE_MAX};
    text_safe(&out, text_cut(text, VALUE_MAX));
    return arena_dup(arena, buf_view(&out));
}

/* What machines look for, beside the sentence for people. */
static bool write_message(struct arena *arena, const struct alert *alert,
                          const struct alert_finding *f, struct buf *out, struct err *err)
{
    enum severity severity = f ? f->severity : alert->severity;
    char at[CLOCK_TEXT], line[16];
    (void)snprintf(line, sizeof line, "%u", f ? f->line : 0);
    struct syslog_datum data[] = {
        {STR("alert"), alert->id},
        {STR("status"), str_from(alert_status_name(alert->status))},
        {STR("severity"), str_from(severity_name(severity))},
        {STR("fingerprint"), f ? f->fingerprint : STR("")},
        {STR("class"), f ? str_from(finding_class_name(f->class_)) : STR("")},
        {STR("stack"), f ? f->stack : STR("")},
        {STR("environment"), f ? f->environment : STR("")},
        {STR("owner"), f ? f->owner : STR("")},
        {STR("address"), f ? f->address : STR("")},
        {STR("file"), f ? f->file : STR("")},
        {STR("line"), f && f->file.len && f->line ? str_from(line) : STR("")},
        {STR("actor"), f ? f->actor : STR("")},
        {STR("actor_at"),
         f && f->actor_utc_ms ? str_from(clock_format(f->actor_utc_ms, at)) : STR("")},
        {STR("session"), f ? f->session : STR("")},
        {STR("client"), f ? f->client : STR("")},
        {STR("source_ip"), f ? f->source_ip : STR("")},
        {STR("event"), f ? f->event : STR("")},
        {STR("rule"), f ? f->rule : STR("")},
        {STR("rule_place"), f ? f->rule_place : STR("")},
        {STR("decision"), f ? f->decision : STR("")},
        {STR("link"), f && f->link.len ? f->link : alert->link},
        {STR("todo"), f && f->ntodo ? f->todo[0] : STR("")},
    };
    enum { NDATA = sizeof data / sizeof *data };
    for (size_t i = 0; i < NDATA; i++) {
        data[i].value = safe(arena, data[i].value);
        if (!data[i].value.ptr)
            return arena_full(arena, err);
    }
    const struct syslog_header header = {.facility = SYSLOG_DAEMON,
                                         .severity = severity_of(alert, severity),
                                         .utc_ms = alert->made_utc_ms,
                                         .type = data[1].value,
                                         .data = data,
                                         .ndata = NDATA};
    syslog_begin(out, &header);
    buf_str(out, STR("\xef\xbb\xbf")); /* RFC 5424, 6.4: UTF-8 follows */
    text_safe(out, text_cut(alert->title, TEXT_MAX));
    for (size_t i = 0; f && i < f->nchanges && out->len < MESSAGE_MAX / 4; i++) {
        buf_str(out, i ? STR(", ") : STR(": "));
        text_safe(out, text_cut(f->change[i].path, VALUE_MAX));
        buf_str(out, STR(" "));
        text_safe(out, text_cut(f->change[i].before, VALUE_MAX));
        buf_str(out, STR(" -> "));
        text_safe(out, text_cut(f->change[i].after, VALUE_MAX));
    }
    buf_str(out, alert->text.len ? STR(": ") : STR(""));
    text_safe(out, text_cut(alert->text, TEXT_MAX));
    return buf_ok(out, err);
}

static bool send_one(struct arena *arena, const struct notify_target *target,
                     const struct alert *alert, const struct alert_finding *f,
                     struct notify_answer *ret, struct err *err)
{
    char text[ERR_TEXT_MAX];
    struct err why = {0};
    AUTO_BUF message = {.limit = 16 * MESSAGE_MAX};
    const struct syslog_place place = {
        .at = target->url, .ca_pem = target->ca, .timeout_ms = target->timeout_ms};
    if (!write_message(arena, alert, f, &message, err))
        return false;
    if (syslog_send(arena, &place, buf_view(&message), &why))
        return true;
    ret->result = why.kind == ERR_USAGE ? NOTIFY_REFUSED : NOTIFY_LATER;
    ret->said = arena_dup(arena, str_from(err_text(&why, text, sizeof text)));
    return ret->said.ptr || arena_full(arena, err);
}

static bool send_all(struct arena *arena, const struct notify_target *target,
                     const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    *ret = (struct notify_answer){.result = NOTIFY_TAKEN};
    for (size_t i = 0; i < (alert->nfindings ? alert->nfindings : 1); i++) {
        const struct alert_finding *f = alert->nfindings ? &alert->finding[i] : NULL;
        if (!send_one(arena, target, alert, f, ret, err))
            return false;
        if (ret->result != NOTIFY_TAKEN)
            break;
    }
    return true;
}

const struct notifier notify_syslog = {.name = "syslog",
                                       .summary =
                                           "RFC 5424 messages to /dev/log, by UDP, TCP or TLS",
                                       .one_by_one = true,
                                       .check = check,
                                       .send = send_all};
