/* telling.c - what a scan did, as events of the audit log: digests, names and counts only. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/decision.h"
#include "model/event.h"
#include "record/audit.h"
#include "record/findings_parts.h"

enum { ARENA_BYTES = 1 << 20, REASON_BYTES_MAX = 2000 };

/* A text that an event may hold. */
static void add_text(struct detail *d, const char *key, struct str text)
{
    detail_text(d, key, record_text(d->arena, text, REASON_BYTES_MAX).text);
}

static struct event base_event(const struct run_start *start, enum event_type type)
{
    return (struct event){
        .type = type, .actor = start->actor, .stack = start->stack, .policy = start->policy};
}

/* --- the beginning --- */

/* Other rules or another configuration than the scan before had. */
static bool tell_config(struct record *record, struct arena *arena, const struct run_start *start,
                        int64_t run, struct err *err)
{
    struct str policy = {0}, config = {0};
    struct err none = {0};
    const struct db_value param[] = {record_text(arena, start->stack, SIZE_MAX), DB_PARAM_INT(run)};
    static const char *const sql[] = {
        "SELECT policy FROM run WHERE stack = $1 AND id < $2 ORDER BY id DESC LIMIT 1",
        "SELECT config FROM run WHERE stack = $1 AND id < $2 ORDER BY id DESC LIMIT 1"};
    bool before = db_one_text(record->db, arena, sql[0], param, 2, &policy, &none) &&
                  db_one_text(record->db, arena, sql[1], param, 2, &config, &none);
    if (!before && none.kind) {
        if (err)
            *err = none;
        return false;
    }
    if (!before || (str_equal(policy, start->policy) && str_equal(config, start->config)))
        return true;
    struct event event = base_event(start, EVENT_CONFIG);
    struct detail d = {.arena = arena};
    add_text(&d, "policy_before", policy);
    add_text(&d, "policy", start->policy);
    add_text(&d, "config_before", config);
    add_text(&d, "config", start->config);
    return detail_object(&d, &event.detail, err) && audit_append(record, &event, NULL, err);
}

bool tell_run_start(struct record *record, const struct run_start *start, int64_t run,
                    struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_BYTES};
    struct event event = base_event(start, EVENT_SCAN_START);
    const struct event_input config = {STR("config"), start->config};
    struct detail d = {.arena = &arena};
    event.input = &config;
    event.ninputs = config.digest.len > 0;
    detail_int(&d, "run", run);
    add_text(&d, "environment", start->environment);
    return tell_config(record, &arena, start, run, err) && detail_object(&d, &event.detail, err) &&
           audit_append(record, &event, NULL, err);
}

bool tell_run_failed(struct record *record, const struct run_start *start, int64_t run,
                     struct str outcome, struct str reason, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_BYTES};
    struct event event = base_event(start, EVENT_SCAN_END);
    struct detail d = {.arena = &arena};
    event.outcome = outcome;
    event.reason = record_text(&arena, reason, REASON_BYTES_MAX).text;
    detail_int(&d, "run", run);
    return detail_object(&d, &event.detail, err) && audit_append(record, &event, NULL, err);
}

/* --- findings --- */

/* detail  outlives the event */
static bool describe(struct lives *lives, const struct sight *s, struct detail *d,
                     struct event *event, struct err *err)
{
    const struct finding *f = s->finding;
    event->subject = str_from(f->fingerprint);
    event->outcome = str_from(finding_status_name(s->status));
    event->reason = record_text(lives->arena, s->why, REASON_BYTES_MAX).text;
    detail_int(d, "run", lives->finish->run);
    add_text(d, "address", f->address);
    add_text(d, "class", str_from(finding_class_name(f->class_)));
    add_text(d, "severity", str_from(severity_name(f->severity)));
    add_text(d, "value", s->digest);
    add_text(d, "what", str_from(s->what));
    add_text(d, "author", f->by ? f->by->actor : STR(""));
    if (s->before && !str_equal(s->before->fingerprint, event->subject))
        add_text(d, "before", s->before->fingerprint);
    return detail_object(d, &event->detail, err);
}

static bool tell_decision(struct lives *lives, const struct sight *s, struct err *err)
{
    const struct judgement *j = s->finding->judgement;
    struct event event = base_event(lives->finish->start, EVENT_POLICY_DECISION);
    struct detail d = {.arena = lives->arena};
    if (!j || (!s->what && s->before &&
               str_equal(s->before->decision, str_from(decision_name(j->decision)))))
        return true;
    event.subject = str_from(s->finding->fingerprint);
    event.outcome = str_from(decision_name(j->decision));
    detail_int(&d, "run", lives->finish->run);
    add_text(&d, "address", s->finding->address);
    add_text(&d, "rule", j->rule);
    add_text(&d, "file", j->at.file);
    if (j->at.line)
        detail_int(&d, "line", j->at.line);
    add_text(&d, "waived", j->waived ? STR("true") : STR(""));
    return detail_object(&d, &event.detail, err) && audit_append(lives->record, &event, NULL, err);
}

static bool tell_sight(struct lives *lives, const struct sight *s, struct err *err)
{
    if (s->what) {
        bool fresh = strcmp(s->what, "new") == 0 || strcmp(s->what, "reopened") == 0;
        struct event event =
            base_event(lives->finish->start, fresh ? EVENT_FINDING_NEW : EVENT_FINDING_CHANGED);
        struct detail d = {.arena = lives->arena};
        if (!describe(lives, s, &d, &event, err) || !audit_append(lives->record, &event, NULL, err))
            return false;
    }
    return tell_decision(lives, s, err);
}

static bool tell_resolved(struct lives *lives, const struct life *life, struct err *err)
{
    struct event event = base_event(lives->finish->start, EVENT_FINDING_RESOLVED);
    struct detail d = {.arena = lives->arena};
    event.subject = life->fingerprint;
    detail_int(&d, "run", lives->finish->run);
    add_text(&d, "address", life->address);
    add_text(&d, "class", life->class_);
    return detail_object(&d, &event.detail, err) && audit_append(lives->record, &event, NULL, err);
}

/* --- the end --- */

static bool tell_baseline(struct lives *lives, struct err *err)
{
    struct event event = base_event(lives->finish->start, EVENT_BASELINE);
    struct detail d = {.arena = lives->arena};
    if (!lives->finish->baseline.ptr)
        return true;
    event.reason = record_text(lives->arena, lives->finish->baseline, REASON_BYTES_MAX).text;
    detail_int(&d, "run", lives->finish->run);
    detail_int(&d, "findings", (int64_t)lives->changes.baselined);
    return detail_object(&d, &event.detail, err) && audit_append(lives->record, &event, NULL, err);
}

static bool tell_end(struct lives *lives, struct str digest, struct err *err)
{
    const struct stack_result *r = lives->finish->result;
    const struct event_input input = {STR("result"), digest};
    struct event event = base_event(lives->finish->start, EVENT_SCAN_END);
    struct detail d = {.arena = lives->arena};
    event.outcome = run_outcome(lives->finish);
    event.reason = record_text(lives->arena, r->failed, REASON_BYTES_MAX).text;
    event.input = &input;
    event.ninputs = 1;
    detail_int(&d, "run", lives->finish->run);
    detail_int(&d, "resources", (int64_t)r->coverage.resources);
    detail_int(&d, "compared", (int64_t)r->coverage.compared);
    detail_int(&d, "unchecked", (int64_t)r->coverage.unchecked);
    detail_int(&d, "findings", (int64_t)lives->nseen);
    add_text(&d, "desired", r->desired);
    add_text(&d, "live", r->live);
    if (r->revision)
        add_text(&d, "commit", r->revision->commit);
    return detail_object(&d, &event.detail, err) && audit_append(lives->record, &event, NULL, err);
}

bool tell_run_end(struct lives *lives, struct str digest, struct err *err)
{
    for (size_t i = 0; i < lives->nseen; i++)
        if (!tell_sight(lives, &lives->seen[i], err))
            return err_wrap(err, "the audit log");
    for (size_t i = 0; i < lives->nresolved; i++)
        if (!tell_resolved(lives, lives->resolved[i], err))
            return err_wrap(err, "the audit log");
    return (tell_baseline(lives, err) && tell_end(lives, digest, err)) ||
           err_wrap(err, "the audit log");
}
