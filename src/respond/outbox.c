/* outbox.c - a step: what is due becomes messages, in one transaction. */
#include "respond/outbox.h"

#include "record/reviews.h"
#include "respond/outbox_parts.h"

#define DAY_MS INT64_C(86400000)
enum { KEEP_DAYS = 7, KEEP_DEAD_DAYS = 30, KEEP_THREAD_DAYS = 400, STEP_SHIFT = 30 };

/* --- is there anything? Questions that an index answers, without a lock --- */

struct looking {
    const struct routes *routes;
    int64_t now;
    size_t known;
    bool due;
};

static bool look_receiver(void *ctx, const struct db_row *row, struct err *err)
{
    struct looking *look = ctx;
    const struct route *route = routes_find(look->routes, db_text(row, 0));
    int64_t digest = db_int(row, 1);
    (void)err;
    if (!route)
        return true;
    look->known++;
    if (route->has_digest && !db_text(row, 2).len)
        look->due |= digest <= look->now ||
                     digest > timespan_digest_next(&route->digest, route->zone, look->now);
    return true;
}

static bool any(struct record *record, const char *sql, const struct db_value *param, size_t n,
                bool *ret, struct err *err)
{
    int64_t found = 0;
    if (*ret)
        return true;
    if (!db_one_int(record->db, sql, param, n, &found, err))
        return false;
    *ret = found > 0;
    return true;
}

static bool any_repeat(struct record *record, const struct routes *routes, int64_t now, bool *ret,
                       struct err *err)
{
    for (size_t i = 0; i < routes->n; i++) {
        int64_t every = routes->item[i].config->repeat_ms;
        const struct db_value param[] = {DB_PARAM_TEXT(routes->item[i].name),
                                         DB_PARAM_INT(now - every),
                                         DB_PARAM_INT(now + OUTBOX_SKEW_MS)};
        if (every && !any(record,
                          "SELECT count(*) FROM (SELECT 1 FROM alert_told t JOIN finding f ON"
                          " f.id = t.finding WHERE t.receiver = $1 AND t.open = 1 AND f.lane = 0"
                          " AND (t.told_utc_ms <= $2 OR t.told_utc_ms > $3) LIMIT 1) x",
                          param, 3, ret, err))
            return false;
    }
    return true;
}

/* Is somebody at his first digest, or back? */
static bool any_cursor(struct record *record, const struct routes *routes, bool *ret,
                       struct err *err)
{
    for (size_t i = 0; i < routes->n; i++) {
        const struct db_value param[] = {DB_PARAM_TEXT(routes->item[i].name)};
        if (!any(record,
                 "SELECT count(*) FROM alert_cursor WHERE name IN ('" OUTBOX_FIRST
                 "' || CAST($1 AS TEXT), '" OUTBOX_LEFT "' || CAST($1 AS TEXT))",
                 param, 1, ret, err))
            return false;
    }
    return true;
}

static bool any_notice(struct record *record, bool *ret, struct err *err)
{
    AUTO_BUF sql = {.limit = 1 << 12};
    buf_str(&sql, STR("SELECT count(*) FROM (SELECT 1 FROM audit_event WHERE type IN ("));
    outbox_notice_types(&sql);
    buf_str(&sql, STR(") AND seq > (SELECT coalesce(max(position), -1) FROM alert_cursor WHERE"
                      " name = 'audit') LIMIT 1) t"));
    buf_char(&sql, '\0');
    return buf_ok(&sql, err) && any(record, sql.ptr, NULL, 0, ret, err);
}

static bool anything(struct record *record, const struct routes *routes, bool *ret, struct err *err)
{
    struct looking look = {.routes = routes, .now = record_now(record)};
    const struct db_value param[] = {DB_PARAM_INT(look.now),
                                     DB_PARAM_INT(look.now + OUTBOX_SKEW_MS)};
    if (!db_query(record->db, "SELECT name, digest_utc_ms, gone FROM alert_receiver", NULL, 0,
                  look_receiver, &look, err))
        return false;
    *ret = look.due || look.known < routes->n;
    return any(record,
               "SELECT count(*) FROM (SELECT 1 FROM finding_history WHERE id > (SELECT"
               " coalesce(max(position), -1) FROM alert_cursor WHERE name = 'findings') LIMIT 1) t",
               NULL, 0, ret, err) &&
           any_notice(record, ret, err) &&
           any(record,
               "SELECT count(*) FROM (SELECT 1 FROM alert_item WHERE ready_utc_ms <= $1 OR"
               " made_utc_ms > $2 LIMIT 1) t",
               param, 2, ret, err) &&
           any_cursor(record, routes, ret, err) && any_repeat(record, routes, look.now, ret, err);
}

/* --- the step --- */

static bool forget(struct stepping *s, struct err *err)
{
    return OUTBOX_RUN(s->record,
                      "DELETE FROM alert WHERE state <> 'waiting' AND ended_utc_ms < $1 AND"
                      " (state <> 'dead' OR ended_utc_ms < $2)",
                      err, DB_PARAM_INT(s->now - KEEP_DAYS * DAY_MS),
                      DB_PARAM_INT(s->now - KEEP_DEAD_DAYS * DAY_MS)) &&
           OUTBOX_RUN(s->record, "DELETE FROM alert_thread WHERE utc_ms < $1", err,
                      DB_PARAM_INT(s->now - KEEP_THREAD_DAYS * DAY_MS));
}

static bool step_in(struct stepping *s, struct err *err)
{
    s->gone = arena_new(s->arena, bool, s->routes->n);
    if (!s->gone)
        return arena_full(s->arena, err);
    /* times first: it finds out which receivers are gone */
    return outbox_collect_times(s, err) && outbox_collect(s, err) && outbox_flush(s, err) &&
           forget(s, err);
}

bool outbox_step(struct record *record, const struct routes *routes, struct outbox_done *ret,
                 struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << STEP_SHIFT};
    struct outbox_done done = {.seen = ret->seen, .made = ret->made};
    struct stepping s = {.record = record, .arena = &arena, .routes = routes, .done = &done};
    struct settled settled;
    bool some = false;
    ret->more = false;
    if (!routes->n)
        return true;
    if (!record_settle(record, &settled, err) || !anything(record, routes, &some, err))
        return err_wrap(err, "alerts");
    if (!some)
        return true;
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "alerts");
    s.now = record_now(record);
    if (!step_in(&s, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return err_wrap(err, "alerts");
    }
    *ret = done;
    return true;
}
