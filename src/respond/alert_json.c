/* alert_json.c - an alert as JSON. */
#include "respond/alert_json.h"

#include "base/buf.h"
#include "report/json_out.h"
#include "wire/json.h"

static void where(struct jsonw *w, const struct alert_finding *f)
{
    jsonw_key(w, STR("code"));
    if (!f->file.len) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_string(w, STR("file"), f->file);
    jsonw_member_int(w, STR("line"), f->line);
    text_json(w, STR("url"), f->file_url);
    jsonw_object_close(w);
}

static void changes(struct jsonw *w, const struct alert_finding *f)
{
    jsonw_key(w, STR("changes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < f->nchanges; i++) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("path"), f->change[i].path);
        text_json(w, STR("before"), f->change[i].before);
        text_json(w, STR("after"), f->change[i].after);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
    jsonw_member_int(w, STR("more_changes"), (int64_t)f->more_changes);
}

static void actor(struct jsonw *w, const struct alert_finding *f)
{
    jsonw_key(w, STR("actor"));
    jsonw_object_open(w);
    text_json(w, STR("name"), f->actor);
    text_json(w, STR("how"), f->actor_how);
    text_json(w, STR("session"), f->session);
    text_json(w, STR("client"), f->client);
    text_json(w, STR("source_ip"), f->source_ip);
    text_json(w, STR("event"), f->event);
    time_json(w, STR("at"), f->actor_utc_ms);
    if (f->actor.len)
        jsonw_member_bool(w, STR("surely"), !f->perhaps);
    jsonw_object_close(w);
}

static void finding(struct jsonw *w, const struct alert_finding *f)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("fingerprint"), f->fingerprint);
    jsonw_member_string(w, STR("stack"), f->stack);
    text_json(w, STR("environment"), f->environment);
    text_json(w, STR("owner"), f->owner);
    jsonw_member_string(w, STR("address"), f->address);
    text_json(w, STR("type"), f->type);
    text_json(w, STR("provider"), f->provider);
    jsonw_member_string(w, STR("class"), str_from(finding_class_name(f->class_)));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(f->severity)));
    where(w, f);
    changes(w, f);
    text_json(w, STR("reason"), f->reason);
    actor(w, f);
    text_json(w, STR("decision"), f->decision);
    text_json(w, STR("rule"), f->rule);
    text_json(w, STR("rule_place"), f->rule_place);
    time_json(w, STR("first"), f->first_utc_ms);
    time_json(w, STR("since"), f->since_utc_ms);
    time_json(w, STR("due"), f->due_utc_ms);
    text_json(w, STR("link"), f->link);
    jsonw_key(w, STR("todo"));
    jsonw_array_open(w);
    for (size_t i = 0; i < f->ntodo; i++)
        jsonw_string(w, f->todo[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

void alert_json(struct buf *out, const struct alert *alert)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("schema_version"), STR("1.0"));
    jsonw_member_string(&w, STR("id"), alert->id);
    jsonw_member_string(&w, STR("thread"), alert->thread);
    jsonw_member_string(&w, STR("status"), str_from(alert_status_name(alert->status)));
    jsonw_member_string(&w, STR("severity"), str_from(severity_name(alert->severity)));
    jsonw_member_string(&w, STR("title"), alert->title);
    text_json(&w, STR("text"), alert->text);
    time_json(&w, STR("made"), alert->made_utc_ms);
    text_json(&w, STR("link"), alert->link);
    jsonw_key(&w, STR("findings"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < alert->nfindings; i++)
        finding(&w, &alert->finding[i]);
    jsonw_array_close(&w);
    jsonw_member_int(&w, STR("more"), (int64_t)alert->more);
    if (alert->others_open)
        jsonw_member_bool(&w, STR("others_open"), true);
    jsonw_object_close(&w);
}
