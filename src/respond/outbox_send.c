/* outbox_send.c - one message to its receiver: claimed, sent, and what came of it. */
#include "base/digest.h"
#include "respond/alert_json.h"
#include "respond/outbox_parts.h"

#define MINUTES_MS INT64_C(60000)
#define HOURS_MS INT64_C(3600000)

/* After each failure the next try; then it is given up. As Standard Webhooks has it, with two more
 * in the first minute: an alert is for somebody who waits. */
static const int64_t schedule[] = {
    5000,         15000,         MINUTES_MS,    5 * MINUTES_MS, 30 * MINUTES_MS, 2 * HOURS_MS,
    5 * HOURS_MS, 10 * HOURS_MS, 14 * HOURS_MS, 20 * HOURS_MS,  24 * HOURS_MS};
enum {
    TRIES = sizeof schedule / sizeof *schedule,
    PATIENCE_DAYS = 7,
    SAID_MAX = 300,
    RELEASE_MOST = 64 /* threads that died at once */
};

/* --- the breaker --- */

bool outbox_breaker_open(struct outbox_breaker *b, int64_t now)
{
    if (b->until_utc_ms && (now >= b->until_utc_ms || now + OUTBOX_SKEW_MS < b->set_utc_ms))
        b->until_utc_ms = 0;
    return b->until_utc_ms == 0;
}

static void breaker_took(struct outbox_breaker *b)
{
    *b = (struct outbox_breaker){0};
}

static void breaker_failed(struct outbox_breaker *b, int64_t retry_ms, int64_t now)
{
    enum { FIRST_MS = 15000, DOUBLED_MOST = 5 };
    b->failures += b->failures < UINT32_MAX;
    if (!retry_ms && b->failures < OUTBOX_BREAK_AFTER)
        return;
    unsigned over = b->failures < OUTBOX_BREAK_AFTER ? 0 : b->failures - OUTBOX_BREAK_AFTER;
    int64_t wait = (int64_t)FIRST_MS << (over < DOUBLED_MOST ? over : DOUBLED_MOST);
    b->set_utc_ms = now;
    b->until_utc_ms = now + (retry_ms ? retry_ms : wait);
}

/* --- claiming --- */

struct claimed {
    struct arena *arena;
    int64_t seq, attempts, made_utc_ms;
    struct str id, title, payload, thread, kept, trace;
    enum alert_status status;
    bool found;
};

static bool take_claimed(void *ctx, const struct db_row *row, struct err *err)
{
    struct claimed *c = ctx;
    c->found = true;
    c->seq = db_int(row, 0);
    c->attempts = db_int(row, 1);
    c->status = outbox_status(db_text(row, 2));
    c->made_utc_ms = db_int(row, 8);
    return outbox_keep(c->arena, db_text(row, 3), &c->id, err) &&
           outbox_keep(c->arena, db_text(row, 4), &c->title, err) &&
           outbox_keep(c->arena, db_text(row, 5), &c->payload, err) &&
           outbox_keep(c->arena, db_text(row, 6), &c->thread, err) &&
           outbox_keep(c->arena, db_text(row, 7), &c->kept, err) &&
           outbox_keep(c->arena, db_text(row, 9), &c->trace, err);
}

/* $2 now, $3 the latest time that may have been set, $4 the latest end of a lease */
#define IS_DUE \
    "a.state = 'waiting' AND (a.next_utc_ms <= $2 OR a.set_utc_ms > $3) AND" \
    " (a.lease_utc_ms <= $2 OR a.lease_utc_ms > $4)"

static bool claim_in(struct record *record, const struct route *route, struct str owner,
                     struct claimed *ret, struct err *err)
{
    int64_t now = record_now(record);
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(now),
                                     DB_PARAM_INT(now + OUTBOX_SKEW_MS),
                                     DB_PARAM_INT(now + OUTBOX_LEASE_MS + OUTBOX_SKEW_MS)};
    return db_query(record->db,
                    "SELECT a.seq, a.attempts, a.status, a.id, a.title, a.payload, a.thread,"
                    " coalesce(t.kept, ''), a.made_utc_ms, a.trace FROM alert a LEFT JOIN "
                    "alert_thread t ON "
                    "t.receiver ="
                    " a.receiver AND t.thread = a.thread WHERE a.receiver = $1 AND " IS_DUE
                    " AND NOT EXISTS (SELECT 1 FROM alert b WHERE b.receiver = a.receiver AND"
                    " b.thread = a.thread AND b.state = 'waiting' AND b.seq < a.seq)"
                    " ORDER BY a.seq LIMIT 1",
                    param, 4, take_claimed, ret, err) &&
           (!ret->found ||
            OUTBOX_RUN(record, "UPDATE alert SET lease = $2, lease_utc_ms = $3 WHERE seq = $1", err,
                       DB_PARAM_INT(ret->seq), DB_PARAM_TEXT(owner),
                       DB_PARAM_INT(now + OUTBOX_LEASE_MS)));
}

static bool claim(struct record *record, const struct route *route, struct str owner,
                  struct claimed *ret, struct err *err)
{
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (claim_in(record, route, owner, ret, err) && db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return false;
}

struct releasing {
    struct arena *arena;
    struct str owner[RELEASE_MOST];
    size_t n;
};

static bool take_owner(void *ctx, const struct db_row *row, struct err *err)
{
    struct releasing *r = ctx;
    return r->n == RELEASE_MOST || outbox_keep(r->arena, db_text(row, 0), &r->owner[r->n++], err);
}

bool outbox_release(struct record *record, bool (*gone)(struct str owner, const void *ctx),
                    const void *ctx, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct releasing r = {.arena = &arena};
    if (!db_query(record->db,
                  "SELECT DISTINCT lease FROM alert WHERE state = 'waiting' AND lease <> ''", NULL,
                  0, take_owner, &r, err))
        return false;
    for (size_t i = 0; i < r.n; i++)
        if (gone(r.owner[i], ctx) &&
            !OUTBOX_RUN(record,
                        "UPDATE alert SET lease = '', lease_utc_ms = 0 WHERE lease = $1 AND"
                        " state = 'waiting'",
                        err, DB_PARAM_TEXT(r.owner[i])))
            return false;
    return true;
}

/* --- what came of it --- */

static int64_t retry_at(const struct claimed *c, int64_t retry_ms, int64_t now)
{
    int64_t wait = retry_ms;
    if (!wait)
        wait = schedule[c->attempts < TRIES ? c->attempts : TRIES - 1];
    /* up to a tenth more, another for each message, so that not all come at once */
    uint64_t share = hash_bytes(c->id, (uint64_t)c->attempts) % 1000;
    return now + wait + wait * (int64_t)share / 10000;
}

static bool tell_receiver(struct record *record, const struct route *route, bool taken,
                          struct str said, struct err *err)
{
    int64_t now = record_now(record);
    const struct db_value param[] = {DB_PARAM_TEXT(route->name)};
    int64_t failures = 0;
    struct err none = {0};
    (void)db_one_int(record->db, "SELECT failures FROM alert_receiver WHERE name = $1", param, 1,
                     &failures, &none);
    if (!taken)
        return OUTBOX_RUN(record,
                          "UPDATE alert_receiver SET said = $2, tried_utc_ms = $3,"
                          " failures = failures + 1 WHERE name = $1",
                          err, DB_PARAM_TEXT(route->name), DB_PARAM_TEXT(said), DB_PARAM_INT(now));
    /* It is back: what waits for it waits no longer. */
    return (failures < 3 || OUTBOX_RUN(record,
                                       "UPDATE alert SET next_utc_ms = $2, set_utc_ms = $2 WHERE"
                                       " receiver = $1 AND state = 'waiting' AND attempts > 0",
                                       err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(now))) &&
           OUTBOX_RUN(record,
                      "UPDATE alert_receiver SET said = $3, tried_utc_ms = $2, taken_utc_ms = $2,"
                      " failures = 0 WHERE name = $1",
                      err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(now), DB_PARAM_TEXT(said));
}

/* Somebody else is told, once an hour. */
static bool tell_others(struct record *record, struct arena *arena, const struct routes *routes,
                        const struct route *route, bool gone, struct str said, struct err *err)
{
    struct outbox_done done = {0};
    struct stepping s = {.record = record,
                         .arena = arena,
                         .routes = routes,
                         .now = record_now(record),
                         .gone = arena_new(arena, bool, routes->n),
                         .done = &done};
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(s.now - HOURS_MS),
                                     DB_PARAM_INT(s.now)};
    const struct when_subject subject = {0};
    int64_t n = 0;
    if (!s.gone)
        return arena_full(arena, err);
    if (!gone && !db_one_int(record->db,
                             "SELECT count(*) FROM (SELECT 1 FROM alert WHERE receiver = $1 AND"
                             " state = 'dead' AND ended_utc_ms > $2 AND ended_utc_ms <= $3"
                             " LIMIT 2) t",
                             param, 3, &n, err))
        return false;
    if (n > 1)
        return true;
    struct outbox_item item = {.status = ALERT_NOTICE, .severity = SEVERITY_HIGH};
    item.what = arena_printf(arena, "%s %.*s %lld", gone ? "gone" : "dead", STR_ARG(route->name),
                             (long long)s.now);
    item.thread = route_digest(arena, "n", route->name);
    item.title = arena_printf(arena,
                              gone ? "the receiver %.*s takes no alerts any more"
                                   : "an alert to the receiver %.*s was given up",
                              STR_ARG(route->name));
    item.detail = arena_printf(arena, "%.*s%s`plumb notify list` tells more", STR_ARG(said),
                               said.len ? "; " : "");
    if (!item.what.ptr || !item.thread.ptr || !item.title.ptr || !item.detail.ptr)
        return arena_full(arena, err);
    return outbox_add_notice(&s, &item, &subject, route, err);
}

static bool give_up(struct record *record, struct arena *arena, const struct routes *routes,
                    const struct route *route, const struct claimed *c,
                    const struct notify_answer *answer, struct err *err)
{
    int64_t now = record_now(record);
    bool gone = answer->result == NOTIFY_GONE;
    return OUTBOX_RUN(record,
                      "UPDATE alert SET state = 'dead', said = $2, attempts = attempts + 1,"
                      " ended_utc_ms = $3, lease = '', lease_utc_ms = 0 WHERE seq = $1 AND"
                      " state = 'waiting'",
                      err, DB_PARAM_INT(c->seq), DB_PARAM_TEXT(answer->said), DB_PARAM_INT(now)) &&
           (!gone ||
            (OUTBOX_RUN(record, "UPDATE alert_receiver SET gone = $2 WHERE name = $1", err,
                        DB_PARAM_TEXT(route->name),
                        DB_PARAM_TEXT(answer->said.len ? answer->said : STR("it said so"))) &&
             OUTBOX_RUN(record,
                        "UPDATE alert SET state = 'dead', said = $2, ended_utc_ms = $3, lease = '',"
                        " lease_utc_ms = 0 WHERE receiver = $1 AND state = 'waiting'",
                        err, DB_PARAM_TEXT(route->name), DB_PARAM_TEXT(answer->said),
                        DB_PARAM_INT(now)))) &&
           tell_others(record, arena, routes, route, gone, answer->said, err);
}

static bool keep_thread(struct record *record, const struct route *route, struct str thread,
                        struct str kept, struct err *err)
{
    return !kept.ptr ||
           OUTBOX_RUN(record,
                      "INSERT INTO alert_thread (receiver, thread, kept, utc_ms) VALUES ($1, $2,"
                      " $3, $4) ON CONFLICT (receiver, thread) DO UPDATE SET kept = excluded.kept,"
                      " utc_ms = excluded.utc_ms",
                      err, DB_PARAM_TEXT(route->name), DB_PARAM_TEXT(thread), DB_PARAM_TEXT(kept),
                      DB_PARAM_INT(record_now(record)));
}

/* Tried often enough; one that asks for a later time is asked for days. */
static bool is_over(const struct claimed *c, const struct notify_answer *answer, int64_t now)
{
    return answer->retry_ms ? now - c->made_utc_ms > PATIENCE_DAYS * 24 * HOURS_MS
                            : c->attempts >= TRIES;
}

/* Those for whom it was not taken have a message of their own, in a thread of their own: nobody
 * waits for them, the receiver has not failed, and a dead letter is theirs alone. */
static bool put_rest(struct record *record, struct arena *arena, const struct routes *routes,
                     const struct route *route, const struct claimed *c,
                     const struct notify_answer *answer, struct err *err)
{
    int64_t now = record_now(record);
    bool dead = answer->rest != NOTIFY_LATER || is_over(c, answer, now);
    struct str id = arena_printf(arena, "%.*s-%lld", STR_ARG(c->id), (long long)c->seq);
    if (!id.ptr)
        return arena_full(arena, err);
    return OUTBOX_RUN(record,
                      "INSERT INTO alert (id, seq, receiver, thread, status, severity, title,"
                      " findings, payload, made_utc_ms, state, attempts, set_utc_ms, next_utc_ms,"
                      " lease, lease_utc_ms, said, ended_utc_ms, trace) SELECT $2, (SELECT"
                      " max(seq) + 1 FROM alert), receiver, $2, status, severity, title, findings,"
                      " payload, made_utc_ms, $3, attempts + 1, $4, $5, '', 0, $6, $7, trace FROM"
                      " alert WHERE seq = $1 AND state = 'waiting' ON CONFLICT (id) DO NOTHING",
                      err, DB_PARAM_INT(c->seq), DB_PARAM_TEXT(id),
                      DB_PARAM_TEXT(dead ? STR("dead") : STR("waiting")), DB_PARAM_INT(now),
                      DB_PARAM_INT(retry_at(c, answer->retry_ms, now)), DB_PARAM_TEXT(answer->said),
                      DB_PARAM_INT(dead ? now : 0)) &&
           keep_thread(record, route, id, answer->kept, err) &&
           (!dead || tell_others(record, arena, routes, route, false, answer->said, err));
}

static bool answer_in(struct record *record, struct arena *arena, const struct routes *routes,
                      const struct route *route, const struct claimed *c, struct str owner,
                      const struct notify_answer *answer, bool dead, struct err *err)
{
    int64_t now = record_now(record);
    bool taken = answer->result == NOTIFY_TAKEN;
    bool kept = answer->partly ? put_rest(record, arena, routes, route, c, answer, err)
                               : keep_thread(record, route, c->thread, answer->kept, err);
    if (!kept || !tell_receiver(record, route, taken,
                                taken && !answer->partly ? STR("") : answer->said, err))
        return false;
    if (taken) /* whoever has the lease now: it was taken */
        return OUTBOX_RUN(record,
                          "UPDATE alert SET state = 'taken', said = $2, attempts = attempts + 1,"
                          " ended_utc_ms = $3, lease = '', lease_utc_ms = 0 WHERE seq = $1 AND"
                          " state = 'waiting'",
                          err, DB_PARAM_INT(c->seq), DB_PARAM_TEXT(answer->said),
                          DB_PARAM_INT(now));
    if (dead)
        return give_up(record, arena, routes, route, c, answer, err);
    return OUTBOX_RUN(record,
                      "UPDATE alert SET said = $2, attempts = attempts + $3, set_utc_ms = $4,"
                      " next_utc_ms = $5, lease = '', lease_utc_ms = 0 WHERE seq = $1 AND"
                      " lease = $6",
                      err, DB_PARAM_INT(c->seq), DB_PARAM_TEXT(answer->said), DB_PARAM_INT(1),
                      DB_PARAM_INT(now), DB_PARAM_INT(retry_at(c, answer->retry_ms, now)),
                      DB_PARAM_TEXT(owner));
}

/* --- the whole --- */

static int64_t bounded_retry(int64_t retry_ms)
{
    return retry_ms < 0 ? 0 : retry_ms > 24 * HOURS_MS ? 24 * HOURS_MS : retry_ms;
}

/* A receiver that forgets is not told late what is otherwise now. */
static bool drop_superseded(struct record *record, struct arena *arena, const struct route *route,
                            struct alert *alert, struct err *err)
{
    struct alert_finding *left = arena_new(arena, struct alert_finding, alert->nfindings);
    size_t n = 0;
    if (!left)
        return arena_full(arena, err);
    for (size_t i = 0; i < alert->nfindings; i++) {
        const struct alert_finding *f = &alert->finding[i];
        const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_TEXT(f->stack),
                                         DB_PARAM_TEXT(f->fingerprint),
                                         DB_PARAM_INT(alert->status == ALERT_RESOLVED)};
        int64_t other = 0;
        if (!db_one_int(record->db,
                        "SELECT count(*) FROM alert_told t JOIN finding f ON f.id = t.finding"
                        " WHERE t.receiver = $1 AND f.stack = $2 AND f.fingerprint = $3 AND"
                        " t.open = $4",
                        param, 4, &other, err))
            return false;
        if (!other)
            left[n++] = *f;
    }
    alert->finding = left;
    alert->nfindings = n;
    return true;
}

static bool deliver(struct record *record, struct arena *arena, const struct route *route,
                    struct notify_target *target, const struct claimed *c,
                    struct notify_answer *ret, struct err *err)
{
    struct alert alert = {0};
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    if (!alert_json_read(arena, c->payload, &alert, &why)) {
        *ret = (struct notify_answer){.result = NOTIFY_REFUSED};
        return outbox_keep(arena, str_from(err_text(&why, text, sizeof text)), &ret->said, err);
    }
    if (route->kind->resends && c->attempts && alert.nfindings) {
        if (!drop_superseded(record, arena, route, &alert, err))
            return false;
        if (!alert.nfindings) {
            *ret = (struct notify_answer){.result = NOTIFY_TAKEN,
                                          .said = STR("it is otherwise by "
                                                      "now")};
            return true;
        }
    }
    target->kept = c->kept;
    target->now_utc_ms = record_now(record);
    if (route->kind->send(arena, target, &alert, ret, &why))
        return true;
    if (why.kind != ERR_LIMIT) {
        *err = why;
        return false;
    }
    /* However often it is tried, it is as long: a dead letter, and the next one goes. */
    *ret = (struct notify_answer){.result = NOTIFY_REFUSED};
    return outbox_keep(arena, str_from(err_text(&why, text, sizeof text)), &ret->said, err);
}

bool outbox_send(struct record *record, struct arena *arena, const struct routes *routes,
                 const struct route *route, struct notify_target *target, struct str owner,
                 struct outbox_breaker *breaker, struct outbox_sent *ret, struct err *err)
{
    struct claimed c = {.arena = arena};
    struct notify_answer answer = {0};
    *ret = (struct outbox_sent){0};
    if (!outbox_breaker_open(breaker, record_now(record)))
        return true;
    if (!claim(record, route, owner, &c, err))
        return err_wrap(err, "receiver %.*s", STR_ARG(route->name));
    if (!c.found)
        return true;
    if (!deliver(record, arena, route, target, &c, &answer, err))
        return err_wrap(err, "receiver %.*s", STR_ARG(route->name));
    answer.retry_ms = bounded_retry(answer.retry_ms);
    answer.said = str_sub(answer.said, 0, SAID_MAX);
    answer.said = answer.said.ptr ? answer.said : STR("");
    bool taken = answer.result == NOTIFY_TAKEN;
    bool dead =
        !taken && (answer.result != NOTIFY_LATER || is_over(&c, &answer, record_now(record)));
    *ret = (struct outbox_sent){.some = true,
                                .result = answer.result,
                                .status = c.status,
                                .attempts = c.attempts + 1,
                                .dead = dead,
                                .partly = taken && answer.partly,
                                .id = c.id,
                                .title = c.title,
                                .said = answer.said,
                                .trace = c.trace};
    if (taken || answer.result == NOTIFY_REFUSED)
        breaker_took(breaker);
    else
        breaker_failed(breaker, answer.retry_ms, record_now(record));
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (answer_in(record, arena, routes, route, &c, owner, &answer, dead, err) &&
        db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return err_wrap(err, "receiver %.*s", STR_ARG(route->name));
}

/* --- receivers that forget --- */

struct resend {
    struct arena *arena;
    struct resend_row {
        int64_t finding;
        bool open;
    } * row;
    size_t n, room;
};

static bool take_resend(void *ctx, const struct db_row *row, struct err *err)
{
    struct resend *r = ctx;
    struct resend_row *grown = arena_grow(r->arena, r->row, r->n, &r->room, r->n + 1);
    if (!grown)
        return arena_full(r->arena, err);
    r->row = grown;
    r->row[r->n++] = (struct resend_row){db_int(row, 0), db_int(row, 1) != 0};
    return true;
}

/* True in *ret: it is this process that does it this time. */
static bool claim_resend(struct record *record, const struct route *route, bool *ret,
                         struct err *err)
{
    int64_t now = record_now(record);
    if (!OUTBOX_RUN(record,
                    "UPDATE alert_receiver SET resent_utc_ms = $2 WHERE name = $1 AND gone = ''"
                    " AND (resent_utc_ms <= $3 OR resent_utc_ms > $4)",
                    err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(now),
                    DB_PARAM_INT(now - OUTBOX_RESEND_MS), DB_PARAM_INT(now + OUTBOX_SKEW_MS)))
        return false;
    *ret = db_changed(record->db) == 1;
    return true;
}

static bool resend_some(struct record *record, struct arena *arena, const struct routes *routes,
                        const struct route *route, struct notify_target *target,
                        const struct resend *r, bool open, struct outbox_breaker *breaker,
                        struct outbox_sent *ret, struct err *err)
{
    size_t most = outbox_most(route->kind);
    struct alert_finding *finding = arena_new(arena, struct alert_finding, most);
    struct arena_mark mark = arena_mark(arena);
    if (!finding)
        return arena_full(arena, err);
    for (size_t i = 0; i < r->n;) {
        struct notify_answer answer = {0};
        size_t n = 0;
        arena_rewind(arena, mark);
        for (; i < r->n && n < most; i++) {
            struct alert_source source;
            bool found = false;
            if (r->row[i].open != open)
                continue;
            if (!alert_load_shown(record, arena, r->row[i].finding, routes->url, &source, &found,
                                  err))
                return false;
            if (found)
                finding[n++] = source.finding;
        }
        if (!n)
            return true;
        struct alert alert = {.id = route_digest(arena, "rs", route->name),
                              .thread = STR("resend"),
                              .status = open ? ALERT_RECURRING : ALERT_RESOLVED,
                              .title = alert_title(arena, finding, n, 0),
                              .finding = finding,
                              .nfindings = n,
                              .made_utc_ms = record_now(record)};
        for (size_t k = 0; k < n; k++)
            alert.severity =
                finding[k].severity > alert.severity ? finding[k].severity : alert.severity;
        target->kept = STR("");
        target->now_utc_ms = alert.made_utc_ms;
        if (!route->kind->send(arena, target, &alert, &answer, err))
            return false;
        ret->some = true;
        ret->result = answer.result;
        ret->status = alert.status;
        if (answer.result != NOTIFY_TAKEN) {
            breaker_failed(breaker, bounded_retry(answer.retry_ms), target->now_utc_ms);
            return true;
        }
        breaker_took(breaker);
    }
    return true;
}

bool outbox_resend(struct record *record, struct arena *arena, const struct routes *routes,
                   const struct route *route, struct notify_target *target,
                   struct outbox_breaker *breaker, struct outbox_sent *ret, struct err *err)
{
    struct resend list = {.arena = arena};
    int64_t now = record_now(record);
    const struct db_value param[] = {DB_PARAM_TEXT(route->name),
                                     DB_PARAM_INT(now - OUTBOX_RESOLVED_MS), DB_PARAM_INT(now)};
    bool mine = false;
    *ret = (struct outbox_sent){0};
    if (!route->kind->resends || !outbox_breaker_open(breaker, now))
        return true;
    if (!claim_resend(record, route, &mine, err))
        return false;
    if (!mine)
        return true;
    return db_query(record->db,
                    "SELECT finding, open FROM alert_told WHERE receiver = $1 AND (open = 1 OR"
                    " (status = 'resolved' AND told_utc_ms > $2 AND told_utc_ms <= $3))"
                    " ORDER BY finding",
                    param, 3, take_resend, &list, err) &&
           resend_some(record, arena, routes, route, target, &list, true, breaker, ret, err) &&
           (!outbox_breaker_open(breaker, now) ||
            resend_some(record, arena, routes, route, target, &list, false, breaker, ret, err));
}

/* --- is anything due? --- */

struct dues {
    const struct routes *routes;
    bool *due;
};

static bool take_due(void *ctx, const struct db_row *row, struct err *err)
{
    struct dues *dues = ctx;
    const struct route *route = routes_find(dues->routes, db_text(row, 0));
    (void)err;
    if (route)
        dues->due[route - dues->routes->item] = true;
    return true;
}

static bool take_resend_due(void *ctx, const struct db_row *row, struct err *err)
{
    const struct dues *dues = ctx;
    const struct route *route = routes_find(dues->routes, db_text(row, 0));
    return !route || !route->kind->resends || take_due(ctx, row, err);
}

bool outbox_due(struct record *record, const struct routes *routes, bool *due, struct err *err)
{
    int64_t now = record_now(record);
    struct dues dues = {routes, due};
    const struct db_value param[] = {DB_PARAM_TEXT(STR("")), DB_PARAM_INT(now),
                                     DB_PARAM_INT(now + OUTBOX_SKEW_MS),
                                     DB_PARAM_INT(now + OUTBOX_LEASE_MS + OUTBOX_SKEW_MS)};
    const struct db_value again[] = {DB_PARAM_INT(now - OUTBOX_RESEND_MS),
                                     DB_PARAM_INT(now + OUTBOX_SKEW_MS)};
    for (size_t i = 0; i < routes->n; i++)
        due[i] = false;
    return db_query(record->db,
                    "SELECT DISTINCT a.receiver FROM alert a WHERE a.receiver <> $1 AND " IS_DUE,
                    param, 4, take_due, &dues, err) &&
           db_query(record->db,
                    "SELECT name FROM alert_receiver WHERE gone = '' AND (resent_utc_ms <= $1 OR"
                    " resent_utc_ms > $2)",
                    again, 2, take_resend_due, &dues, err);
}
