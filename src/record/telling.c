/* telling.c - what a scan did, as events of the audit log: digests, names and counts only. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/decision.h"
#include "model/event.h"
#include "record/audit.h"
#include "record/findings_parts.h"

enum { ARENA_BYTES = 1 << 20, REASON_BYTES_MAX = 2000, TOLD_MOST = 16 };

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

struct config_before {
    struct arena *arena;
    struct str policy, config; /* ptr NULL: there is no scan before */
};

static bool take_config(void *ctx, const struct db_row *row, struct err *err)
{
    struct config_before *before = ctx;
    before->policy = arena_dup(before->arena, db_text(row, 0));
    before->config = arena_dup(before->arena, db_text(row, 1));
    return (before->policy.ptr && before->config.ptr) || arena_full(before->arena, err);
}

/* Other rules or another configuration than the scan before had. */
static bool tell_config(struct record *record, struct arena *arena, const struct run_start *start,
                        int64_t run, struct err *err)
{
    struct config_before before = {.arena = arena};
    const struct db_value param[] = {record_text(arena, start->stack, SIZE_MAX), DB_PARAM_INT(run)};
    if (!db_query(record->db,
                  "SELECT policy, config FROM run WHERE stack = $1 AND id < $2 ORDER BY id DESC"
                  " LIMIT 1",
                  param, 2, take_config, &before, err))
        return false;
    if (!before.policy.ptr ||
        (str_equal(before.policy, start->policy) && str_equal(before.config, start->config)))
        return true;
    struct event event = base_event(start, EVENT_CONFIG);
    struct detail d = {.arena = arena};
    add_text(&d, "policy_before", before.policy);
    add_text(&d, "policy", start->policy);
    add_text(&d, "config_before", before.config);
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

/* What a run's end tells, in this order: appended together, for each time the log's head is read
 * and written again. */
struct told {
    struct lives *lives;
    struct event event[TOLD_MOST];
    struct detail detail[TOLD_MOST];
    size_t n;
};

static bool append_told(struct told *told, struct err *err)
{
    size_t n = told->n;
    told->n = 0;
    return !n || audit_append_many(told->lives->record, told->event, n, NULL, err);
}

/* The next one, and its detail; NULL: those before it could not be appended. */
static struct event *next_event(struct told *told, enum event_type type, struct detail **ret_detail,
                                struct err *err)
{
    if (told->n == TOLD_MOST && !append_told(told, err))
        return NULL;
    *ret_detail = &told->detail[told->n];
    **ret_detail = (struct detail){.arena = told->lives->arena};
    told->event[told->n] = base_event(told->lives->finish->start, type);
    detail_int(*ret_detail, "run", told->lives->finish->run);
    return &told->event[told->n++];
}

static bool tell_change(struct told *told, const struct sight *s, struct err *err)
{
    const struct finding *f = s->finding;
    bool fresh = strcmp(s->what, "new") == 0 || strcmp(s->what, "reopened") == 0;
    struct detail *d;
    struct event *event =
        next_event(told, fresh ? EVENT_FINDING_NEW : EVENT_FINDING_CHANGED, &d, err);
    if (!event)
        return false;
    event->subject = str_from(f->fingerprint);
    event->outcome = str_from(finding_status_name(s->status));
    event->reason = record_text(d->arena, s->why, REASON_BYTES_MAX).text;
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

static bool tell_decision(struct told *told, const struct sight *s, struct err *err)
{
    const struct judgement *j = s->finding->judgement;
    struct detail *d;
    if (!j || (!s->what && s->before &&
               str_equal(s->before->decision, str_from(decision_name(j->decision)))))
        return true;
    struct event *event = next_event(told, EVENT_POLICY_DECISION, &d, err);
    if (!event)
        return false;
    event->subject = str_from(s->finding->fingerprint);
    event->outcome = str_from(decision_name(j->decision));
    add_text(d, "address", s->finding->address);
    add_text(d, "rule", j->rule);
    add_text(d, "file", j->at.file);
    if (j->at.line)
        detail_int(d, "line", j->at.line);
    add_text(d, "waived", j->waived ? STR("true") : STR(""));
    return detail_object(d, &event->detail, err);
}

static bool tell_resolved(struct told *told, const struct life *life, struct err *err)
{
    struct detail *d;
    struct event *event = next_event(told, EVENT_FINDING_RESOLVED, &d, err);
    if (!event)
        return false;
    event->subject = life->fingerprint;
    add_text(d, "address", life->address);
    add_text(d, "class", life->class_);
    return detail_object(d, &event->detail, err);
}

/* --- the end --- */

static bool tell_baseline(struct told *told, struct err *err)
{
    const struct lives *lives = told->lives;
    struct detail *d;
    if (!lives->finish->baseline.ptr)
        return true;
    struct event *event = next_event(told, EVENT_BASELINE, &d, err);
    if (!event)
        return false;
    event->reason = record_text(d->arena, lives->finish->baseline, REASON_BYTES_MAX).text;
    detail_int(d, "findings", (int64_t)lives->changes.baselined);
    return detail_object(d, &event->detail, err);
}

/* input  outlives what was told */
static bool tell_end(struct told *told, const struct event_input *input, struct err *err)
{
    const struct lives *lives = told->lives;
    const struct stack_result *r = lives->finish->result;
    struct detail *d;
    struct event *event = next_event(told, EVENT_SCAN_END, &d, err);
    if (!event)
        return false;
    event->outcome = run_outcome(lives->finish);
    event->reason = record_text(d->arena, r->failed, REASON_BYTES_MAX).text;
    event->input = input;
    event->ninputs = 1;
    detail_int(d, "resources", (int64_t)r->coverage.resources);
    detail_int(d, "compared", (int64_t)r->coverage.compared);
    detail_int(d, "unchecked", (int64_t)r->coverage.unchecked);
    detail_int(d, "findings", (int64_t)lives->nseen);
    add_text(d, "desired", r->desired);
    add_text(d, "live", r->live);
    if (r->revision)
        add_text(d, "commit", r->revision->commit);
    return detail_object(d, &event->detail, err);
}

static bool tell_all(struct told *told, const struct event_input *input, struct err *err)
{
    const struct lives *lives = told->lives;
    for (size_t i = 0; i < lives->nseen; i++)
        if ((lives->seen[i].what && !tell_change(told, &lives->seen[i], err)) ||
            !tell_decision(told, &lives->seen[i], err))
            return false;
    for (size_t i = 0; i < lives->nresolved; i++)
        if (!tell_resolved(told, lives->resolved[i], err))
            return false;
    return tell_baseline(told, err) && tell_end(told, input, err) && append_told(told, err);
}

bool tell_run_end(struct lives *lives, struct str digest, struct err *err)
{
    const struct event_input input = {STR("result"), digest};
    struct told *told = arena_new(lives->arena, struct told, 1);
    if (!told)
        return arena_full(lives->arena, err);
    told->lives = lives;
    return tell_all(told, &input, err) || err_wrap(err, "the audit log");
}
