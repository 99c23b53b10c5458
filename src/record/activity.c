/* activity.c - events of clouds in the store: each once, with what it touches and whom it names. */
#include "record/activity.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/glob.h"
#include "model/actor.h"
#include "model/config.h"
#include "record/activity_parts.h"
#include "record/audit.h"
#include "record/findings_parts.h"
#include "record/identity_parts.h"
#include "record/reviews_parts.h"
#include "record/touch.h"

enum {
    TEXT_MAX = 1000, /* bytes of a user agent, an ARN ... */
    MISSED_MAX = 16, /* names of an event that are kept for a resource that comes later */
    ARENA_BYTES = 64 << 20,
    PRUNE_EVERY_MS = 3600000,
    CLOCKS_APART_MS = 60000, /* of services that share a store */
    RUN_SLACK_MS = 60000     /* a log's clock and ours; what an apply began goes on behind it */
};

#define KEEP_MS (INT64_C(90) * 24 * 3600 * 1000)

static const char *const results[] = {
#define X(constant, name) name,
    ACTIVITY_RESULTS(X)
#undef X
};

const char *activity_result_name(enum activity_result result)
{
    return results[result];
}

struct adding {
    struct record *record;
    const struct activity_rules *rules;
    const struct activity *event;
    size_t n;
    struct activity_done done;
    struct arena arena; /* of one event */
    int64_t now, next_id;
};

static struct db_value text(struct adding *a, struct str s)
{
    return record_text(&a->arena, s.ptr ? s : STR(""), TEXT_MAX);
}

/* --- from where events come --- */

static bool note_source(struct adding *a, const struct activity *e, struct err *err)
{
    const struct db_value row[] = {text(a, e->source), text(a, e->cloud), text(a, e->account),
                                   DB_PARAM_INT(e->time_utc_ms), DB_PARAM_INT(a->now)};
    return db_run(a->record->db,
                  "INSERT INTO activity_source (source, cloud, account, first_utc_ms, last_utc_ms,"
                  " received_utc_ms, events) VALUES ($1, $2, $3, $4, $4, $5, 1)"
                  " ON CONFLICT (source, cloud, account) DO UPDATE SET"
                  " events = activity_source.events + 1,"
                  " received_utc_ms = excluded.received_utc_ms,"
                  " last_utc_ms = CASE WHEN excluded.last_utc_ms > activity_source.last_utc_ms"
                  " THEN excluded.last_utc_ms ELSE activity_source.last_utc_ms END",
                  row, sizeof row / sizeof *row, err);
}

/* --- is it expected? --- */

static bool is_pipeline(const struct adding *a, const struct activity *e)
{
    const struct str names[] = {e->actor, e->principal, e->session};
    for (size_t i = 0; i < a->rules->npipelines; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            const struct actor actor = {.name = names[k], .how = e->source};
            if (names[k].len && actor_is(a->rules->pipelines[i], &actor))
                return true;
        }
    return false;
}

struct lock_line {
    bool there, locked;
    int64_t utc_ms;
};

static bool take_lock(void *ctx, const struct db_row *row, struct err *err)
{
    struct lock_line *line = ctx;
    (void)err;
    *line = (struct lock_line){true, str_equal(db_text(row, 0), STR("lock")), db_int(row, 1)};
    return true;
}

/* A run was open then, or nobody can know: the stack's state was never locked through plumb. */
static bool run_was_open(struct adding *a, struct str stack, int64_t utc_ms, bool *ret,
                         struct err *err)
{
    struct lock_line line = {0};
    const struct db_value param[] = {text(a, stack), DB_PARAM_INT(utc_ms + RUN_SLACK_MS)};
    if (!db_query(a->record->db,
                  "SELECT type, utc_ms FROM audit_event WHERE stack = $1 AND"
                  " type IN ('lock', 'unlock') AND utc_ms <= $2 ORDER BY seq DESC LIMIT 1",
                  param, 2, take_lock, &line, err))
        return false;
    *ret = line.there ? line.locked || line.utc_ms + RUN_SLACK_MS >= utc_ms : true;
    if (line.there)
        return true;
    return db_query(a->record->db,
                    "SELECT type, utc_ms FROM audit_event WHERE stack = $1 AND"
                    " type IN ('lock', 'unlock') LIMIT 1",
                    param, 1, take_lock, &line, err) &&
           (*ret = !line.there, true);
}

static bool is_expected(struct adding *a, const struct activity *e,
                        const struct activity_match *match, bool pipeline, bool *ret,
                        struct err *err)
{
    *ret = pipeline;
    for (size_t i = 0; i < match->n && *ret; i++)
        if ((!i || !str_equal(match->target[i].stack, match->target[i - 1].stack)) &&
            !run_was_open(a, match->target[i].stack, e->time_utc_ms, ret, err))
            return false;
    return true;
}

/* --- rows --- */

static bool insert(struct adding *a, const struct activity *e, enum activity_way way,
                   struct err *err)
{
    const struct db_value row[] = {
        DB_PARAM_INT(a->next_id), text(a, e->source),
        text(a, e->id),           DB_PARAM_INT(e->time_utc_ms),
        DB_PARAM_INT(a->now),     text(a, e->cloud),
        text(a, e->account),      text(a, e->region),
        text(a, e->service),      text(a, e->action),
        text(a, e->actor),        text(a, e->principal),
        text(a, e->session),      text(a, e->client),
        text(a, e->source_ip),    DB_PARAM_TEXT(str_from(activity_way_name(way))),
        DB_PARAM_INT(e->failed),  DB_PARAM_INT(e->attack),
        text(a, a->rules->stacks)};
    return db_run(a->record->db,
                  "INSERT INTO activity (id, source, event, utc_ms, received_utc_ms, cloud,"
                  " account, region, service, action, actor, principal, session, client,"
                  " source_ip, way, failed, attack, expected, result, stacks) VALUES ($1, $2, $3,"
                  " $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, '',"
                  " $19)"
                  " ON CONFLICT (source, event) DO NOTHING",
                  row, sizeof row / sizeof *row, err);
}

static bool update(struct adding *a, int64_t id, bool expected, enum activity_result result,
                   struct err *err)
{
    const struct db_value row[] = {DB_PARAM_INT(id), DB_PARAM_INT(expected),
                                   DB_PARAM_TEXT(str_from(results[result]))};
    return db_run(a->record->db, "UPDATE activity SET expected = $2, result = $3 WHERE id = $1",
                  row, 3, err);
}

static bool add_targets(struct adding *a, int64_t id, const struct activity *e,
                        const struct activity_match *match, struct err *err)
{
    for (size_t i = 0; i < match->n; i++) {
        const struct db_value row[] = {
            text(a, match->target[i].stack), text(a, match->target[i].address), DB_PARAM_INT(id),
            DB_PARAM_INT(e->time_utc_ms), DB_PARAM_INT(match->target[i].sure)};
        if (!db_run(a->record->db,
                    "INSERT INTO activity_target (stack, address, activity, utc_ms, sure) VALUES"
                    " ($1, $2, $3, $4, $5) ON CONFLICT (stack, address, activity) DO UPDATE SET"
                    " sure = CASE WHEN excluded.sure > activity_target.sure THEN excluded.sure"
                    " ELSE activity_target.sure END",
                    row, 5, err))
            return false;
    }
    for (size_t i = 0; !match->n && i < match->nmissed && i < MISSED_MAX; i++) {
        const struct db_value row[] = {DB_PARAM_INT(match->missed[i]), DB_PARAM_INT(id)};
        if (!db_run(a->record->db,
                    "INSERT INTO activity_name (hash, activity) VALUES ($1, $2)"
                    " ON CONFLICT (hash, activity) DO NOTHING",
                    row, 2, err))
            return false;
    }
    return true;
}

/* --- what follows --- */

/* In the log, for a review asks whether it is the author who approves. */
static bool tell_named(struct adding *a, const struct activity *e,
                       const struct activity_target *target, int64_t named, struct err *err)
{
    struct detail d = {.arena = &a->arena};
    struct event event = {.type = EVENT_FINDING_ACTOR,
                          .time_utc_ms = record_now(a->record),
                          .actor = {e->actor, e->source},
                          .stack = target->stack,
                          .subject = target->address};
    detail_int(&d, "findings", named);
    detail_text(&d, "principal", e->principal);
    detail_text(&d, "event", e->id);
    detail_text(&d, "action", e->action);
    detail_time(&d, "at", e->time_utc_ms);
    return detail_object(&d, &event.detail, err) && audit_append(a->record, &event, NULL, err);
}

#define UNNAMED \
    " stack = $1 AND lane + 0 < 4 AND address = $2 AND actor = ''" \
    " AND class NOT IN ('unapplied', 'unchecked')"

/* Is there a finding that nobody is named for, of what was still in sync before the event? */
static bool is_unnamed(struct adding *a, const struct activity *e,
                       const struct activity_target *target, bool *ret, struct err *err)
{
    const struct db_value at[] = {text(a, target->stack), text(a, target->address)};
    int64_t n = 0, since = 0;
    if (!db_one_int(a->record->db, "SELECT count(*) FROM finding WHERE" UNNAMED, at, 2, &n, err) ||
        (n && !activity_in_sync_since(a->record, &a->arena, target->stack, target->address, &since,
                                      err)))
        return false;
    *ret = n && e->time_utc_ms >= since;
    return true;
}

/* An open finding that nobody is named for gets its actor at once; the rest comes when it is looked
 * at again. */
static bool name_findings(struct adding *a, const struct activity *e,
                          const struct activity_match *match, struct err *err)
{
    for (size_t i = 0; e->actor.len && i < match->n; i++) {
        const struct db_value row[] = {text(a, match->target[i].stack),
                                       text(a, match->target[i].address), text(a, e->actor),
                                       text(a, e->source), text(a, e->principal)};
        bool unnamed = false;
        if (!match->target[i].sure)
            continue;
        if (!is_unnamed(a, e, &match->target[i], &unnamed, err))
            return false;
        if (!unnamed)
            continue;
        if (!db_run(a->record->db,
                    "UPDATE finding SET actor = $3, actor_how = $4, actor_principal = $5"
                    " WHERE" UNNAMED,
                    row, 5, err))
            return false;
        int64_t named = db_changed(a->record->db);
        a->done.named += (uint64_t)named;
        if (named && !tell_named(a, e, &match->target[i], named, err))
            return false;
    }
    return true;
}

static bool touch(struct adding *a, const struct activity_match *match, struct err *err)
{
    size_t n = match->n + match->nstacks;
    struct touch *touch = arena_new(&a->arena, struct touch, n);
    if (!touch)
        return arena_full(&a->arena, err);
    for (size_t i = 0; i < n; i++) {
        touch[i] = (struct touch){.why = STR("event"), .trace = a->rules->trace};
        if (i < match->n) {
            touch[i].stack = match->target[i].stack;
            touch[i].address = match->target[i].address;
        } else {
            touch[i].stack = match->stack[i - match->n];
        }
    }
    a->done.touched += match->n;
    a->done.whole += match->nstacks;
    return !n || touch_add(a->record, touch, n, err);
}

/* The evidence itself is attacked: this stands in the log whatever becomes of the event. */
static bool raise(struct adding *a, const struct activity *e, struct err *err)
{
    char when[CLOCK_TEXT];
    struct event event = {
        .type = EVENT_ACTIVITY_ALARM,
        .actor = {e->actor.len ? e->actor : STR("unknown"), e->source},
        .subject = arena_printf(&a->arena, "%.*s%s%.*s", STR_ARG(e->service),
                                e->service.len ? " " : "", STR_ARG(e->action)),
        .outcome = e->failed ? STR("failed") : STR("done"),
        .reason =
            arena_printf(&a->arena, "%s: %.*s%s%.*s, account %.*s, at %s, event %.*s",
                         e->failed ? "somebody tried to change or end an audit source, in vain"
                                   : "an audit source was changed or ended",
                         STR_ARG(e->service), e->service.len ? " " : "", STR_ARG(e->action),
                         STR_ARG(e->account), clock_format(e->time_utc_ms, when), STR_ARG(e->id))};
    return ((event.subject.ptr && event.reason.ptr) || arena_full(&a->arena, err)) &&
           audit_append(a->record, &event, NULL, err);
}

struct known_event {
    struct arena *arena;
    int64_t id;
    bool matched;
    struct str actor, principal, service, action;
};

static bool take_known(void *ctx, const struct db_row *row, struct err *err)
{
    struct known_event *k = ctx;
    k->id = db_int(row, 0);
    k->matched = str_equal(db_text(row, 1), str_from(results[ACTIVITY_MATCHED]));
    k->actor = arena_dup(k->arena, db_text(row, 2));
    k->principal = arena_dup(k->arena, db_text(row, 3));
    k->service = arena_dup(k->arena, db_text(row, 4));
    k->action = arena_dup(k->arena, db_text(row, 5));
    return (k->actor.ptr && k->principal.ptr && k->service.ptr && k->action.ptr) ||
           arena_full(k->arena, err);
}

static bool find_known(struct adding *a, const struct activity *e, struct known_event *ret,
                       struct err *err)
{
    const struct db_value param[] = {text(a, e->source), text(a, e->id)};
    *ret = (struct known_event){.arena = &a->arena};
    return db_query(a->record->db,
                    "SELECT id, result, actor, principal, service, action FROM activity"
                    " WHERE source = $1 AND event = $2",
                    param, 2, take_known, ret, err);
}

/* A cloud's ids are its own; those of other senders are another thing with each of them. */
static bool says_other(struct adding *a, const struct activity *e, const struct known_event *known)
{
    return str_equal(e->source, STR("event")) &&
           (!str_equal(text(a, e->actor).text, known->actor) ||
            !str_equal(text(a, e->principal).text, known->principal) ||
            !str_equal(text(a, e->service).text, known->service) ||
            !str_equal(text(a, e->action).text, known->action));
}

static bool keep_targets(struct adding *a, int64_t id, const struct activity *e,
                         const struct activity_match *match, struct err *err)
{
    return add_targets(a, id, e, match, err) &&
           (e->failed || (name_findings(a, e, match, err) && touch(a, match, err)));
}

/* Who may touch all stacks says it, too. */
static bool widen(struct adding *a, int64_t id, struct err *err)
{
    const struct db_value row = DB_PARAM_INT(id);
    return a->rules->stacks.len ||
           db_run(a->record->db, "UPDATE activity SET stacks = '' WHERE id = $1 AND stacks <> ''",
                  &row, 1, err);
}

/* It came before, perhaps from somebody who may touch other stacks, or before anybody knew what it
 * is about: what it is about besides counts. */
static bool keep_again(struct adding *a, const struct activity *e, const struct known_event *known,
                       bool pipeline, struct err *err)
{
    struct activity_match match;
    bool expected = false;
    size_t n = 0;
    if (!activity_find_targets(a->record, &a->arena, a->rules, e, &match, err) ||
        !widen(a, known->id, err))
        return false;
    for (size_t i = 0; i < match.n; i++) {
        const struct db_value param[] = {text(a, match.target[i].stack),
                                         text(a, match.target[i].address), DB_PARAM_INT(known->id)};
        int64_t there = 0;
        if (!db_one_int(a->record->db,
                        "SELECT count(*) FROM activity_target WHERE stack = $1 AND address = $2"
                        " AND activity = $3",
                        param, 3, &there, err))
            return false;
        if (!there)
            match.target[n++] = match.target[i];
    }
    match.n = n;
    const struct db_value row[] = {DB_PARAM_INT(known->id),
                                   DB_PARAM_TEXT(str_from(results[ACTIVITY_MATCHED]))};
    return (!n && !match.nstacks) ||
           (is_expected(a, e, &match, pipeline, &expected, err) &&
            keep_targets(a, known->id, e, &match, err) &&
            (known->matched && expected
                 ? true
                 : db_run(a->record->db,
                          expected ? "UPDATE activity SET result = $2, expected = 1"
                                     " WHERE id = $1"
                                   : "UPDATE activity SET result = $2, expected = 0"
                                     " WHERE id = $1",
                          row, 2, err)));
}

static bool keep_new(struct adding *a, const struct activity *e, bool pipeline,
                     enum activity_result *ret, struct err *err)
{
    struct activity_match match;
    bool expected = false;
    int64_t id = a->next_id++;
    if (!activity_find_targets(a->record, &a->arena, a->rules, e, &match, err) ||
        !is_expected(a, e, &match, pipeline, &expected, err))
        return false;
    *ret = match.n                    ? ACTIVITY_MATCHED
           : e->creates && !e->failed ? ACTIVITY_UNMANAGED
                                      : ACTIVITY_UNMATCHED;
    a->done.cut += e->more_names;
    return update(a, id, expected, *ret, err) && (!e->attack || raise(a, e, err)) &&
           keep_targets(a, id, e, &match, err);
}

static bool keep_event(struct adding *a, struct activity *e, enum activity_result *ret,
                       struct err *err)
{
    bool pipeline = is_pipeline(a, e);
    enum activity_way way = pipeline ? ACTIVITY_PIPELINE : e->way;
    struct known_event known;
    *ret = ACTIVITY_DUPLICATE;
    if (!insert(a, e, way, err))
        return false;
    if (db_changed(a->record->db) != 0)
        return keep_new(a, e, pipeline, ret, err);
    if (!find_known(a, e, &known, err))
        return false;
    if (!says_other(a, e, &known))
        return keep_again(a, e, &known, pipeline, err);
    uint64_t other = hash_bytes(e->actor, 0);
    other = hash_bytes(e->action, hash_bytes(e->service, hash_bytes(e->principal, other)));
    e->id = arena_printf(&a->arena, "%.*s #%016" PRIx64, STR_ARG(e->id), other);
    if (!e->id.ptr)
        return arena_full(&a->arena, err);
    if (!insert(a, e, way, err))
        return false;
    if (db_changed(a->record->db) != 0)
        return keep_new(a, e, pipeline, ret, err);
    return find_known(a, e, &known, err) && keep_again(a, e, &known, pipeline, err);
}

static bool add_one(struct adding *a, const struct activity *given, struct err *err)
{
    struct activity e = *given;
    enum activity_result result = ACTIVITY_IGNORED;
    arena_reset(&a->arena);
    if (!e.id.len || !e.source.len || e.time_utc_ms <= 0) {
        a->done.count[ACTIVITY_REFUSED]++;
        return true;
    }
    if (e.time_utc_ms > a->now + ACTIVITY_FUTURE_MS)
        e.time_utc_ms = a->now;
    if (!note_source(a, &e, err))
        return false;
    if (!e.read_only && !e.not_final && !keep_event(a, &e, &result, err))
        return false;
    a->done.count[result]++;
    if (e.time_utc_ms > a->done.newest_utc_ms)
        a->done.newest_utc_ms = e.time_utc_ms;
    return true;
}

/* --- retention --- */

struct pruning {
    struct record *record;
    int64_t before;
    uint64_t gone;
};

static bool prune(void *ctx, struct err *err)
{
    struct pruning *p = ctx;
    static const char *const parts[] = {"DELETE FROM activity_target WHERE activity IN"
                                        " (SELECT id FROM activity WHERE received_utc_ms < $1)",
                                        "DELETE FROM activity_name WHERE activity IN"
                                        " (SELECT id FROM activity WHERE received_utc_ms < $1)",
                                        "DELETE FROM activity WHERE received_utc_ms < $1"};
    const struct db_value before = DB_PARAM_INT(p->before);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!db_run(p->record->db, parts[i], &before, 1, err))
            return false;
    p->gone = (uint64_t)db_changed(p->record->db);
    return true;
}

bool activity_prune(struct record *record, int64_t before_utc_ms, uint64_t *ret_gone,
                    struct err *err)
{
    struct pruning p = {record, before_utc_ms, 0};
    int64_t latest = record_now(record) - ACTIVITY_KEEP_MS_LEAST;
    if (p.before > latest)
        p.before = latest;
    if (!record_within(record, prune, &p, err))
        return err_wrap(err, "forget events");
    *ret_gone = p.gone;
    return true;
}

/* --- adding --- */

struct activity_rules activity_rules_of(const struct config_events *events)
{
    return (struct activity_rules){.pipelines = events->pipelines,
                                   .npipelines = events->npipelines,
                                   .keep_ms = events->keep_ms};
}

/* About once an hour, by whoever comes first. */
static bool forget(struct adding *a, struct err *err)
{
    char digits[24];
    uint64_t gone = 0;
    int64_t last = 0, keep = a->rules->keep_ms ? a->rules->keep_ms : KEEP_MS;
    struct err none = {0};
    if (!db_one_int(a->record->db,
                    "SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'events_pruned'", NULL,
                    0, &last, &none) &&
        none.kind != ERR_NONE) {
        *err = none;
        return false;
    }
    if (last <= a->now && a->now < last + PRUNE_EVERY_MS)
        return true;
    int len = snprintf(digits, sizeof digits, "%" PRId64, a->now);
    const struct db_value now = DB_PARAM_TEXT(((struct str){digits, (size_t)len}));
    return activity_prune(a->record, a->now - keep, &gone, err) &&
           db_run(a->record->db,
                  "INSERT INTO setting (name, value) VALUES ('events_pruned', $1)"
                  " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                  &now, 1, err);
}

static bool add_all(void *ctx, struct err *err)
{
    struct adding *a = ctx;
    if (!record_next_id(a->record, "SELECT coalesce(max(id), 0) + 1 FROM activity", &a->next_id,
                        err))
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!add_one(a, &a->event[i], err))
            return false;
    return forget(a, err);
}

/* --- what was not known yet --- */

bool activity_may_touch(struct str stacks, struct str stack)
{
    return !stacks.len || glob_match(stacks, stack, '\0');
}

struct late {
    struct arena arena;
    struct str stack;
    struct touch *touch;
    size_t n, room;
};

static bool take_late(void *ctx, const struct db_row *row, struct err *err)
{
    struct late *late = ctx;
    if (!activity_may_touch(db_text(row, 1), late->stack))
        return true;
    struct touch *grown = arena_grow(&late->arena, late->touch, late->n, &late->room, late->n + 1);
    struct str address = arena_dup(&late->arena, db_text(row, 0));
    if (!grown || !address.ptr)
        return arena_full(&late->arena, err);
    late->touch = grown;
    grown[late->n++] =
        (struct touch){.stack = late->stack, .address = address, .why = STR("event")};
    return true;
}

bool activity_touch_late(struct record *record, struct str stack, int64_t run, struct err *err)
{
    struct late late = {.arena = {.limit = ARENA_BYTES}, .stack = stack};
    const struct db_value param[] = {DB_PARAM_INT(run), DB_PARAM_INT(CLOCKS_APART_MS),
                                     DB_PARAM_INT(IDENTITY_REFERENCE)};
    bool ok =
        db_query(
            record->db,
            "SELECT DISTINCT r.address, a.stacks FROM run u JOIN activity a ON a.received_utc_ms"
            " >= u.started_utc_ms - $2 AND a.failed = 0 JOIN activity_name n ON"
            " n.activity = a.id JOIN identity i ON i.hash = n.hash AND i.rank < $3 JOIN"
            " identity_resource r ON r.id = i.resource AND r.stack = u.stack"
            " WHERE u.id = $1 ORDER BY r.address",
            param, 3, take_late, &late, err) &&
        touch_add(record, late.touch, late.n, err);
    arena_free(&late.arena);
    return ok || err_wrap(err, "events of resources that are new");
}

bool activity_add(struct record *record, const struct activity_rules *rules,
                  const struct activity *event, size_t n, struct activity_done *ret,
                  struct err *err)
{
    struct adding a = {.record = record,
                       .rules = rules,
                       .event = event,
                       .n = n,
                       .now = record_now(record),
                       .arena = {.limit = ARENA_BYTES}};
    bool ok = record_within(record, add_all, &a, err);
    arena_free(&a.arena);
    if (!ok)
        return err_wrap(err, "record events");
    for (int i = 0; i < ACTIVITY_RESULT_COUNT; i++)
        ret->count[i] += a.done.count[i];
    ret->touched += a.done.touched;
    ret->whole += a.done.whole;
    ret->cut += a.done.cut;
    ret->named += a.done.named;
    if (a.done.newest_utc_ms > ret->newest_utc_ms)
        ret->newest_utc_ms = a.done.newest_utc_ms;
    return true;
}
