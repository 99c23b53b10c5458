/* outbox_list.c - what waits, what was given up, how receivers are; and mending that by hand. */
#include "respond/outbox_parts.h"

#include "model/actor.h"
#include "record/audit.h"
#include "record/reviews_parts.h"

enum { LIST_MOST = 1000 };

struct rows {
    struct arena *arena;
    struct outbox_row *row;
    size_t n, room;
};

static bool take_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct rows *rows = ctx;
    struct outbox_row *grown =
        arena_grow(rows->arena, rows->row, rows->n, &rows->room, rows->n + 1);
    if (!grown)
        return arena_full(rows->arena, err);
    rows->row = grown;
    struct outbox_row *r = &rows->row[rows->n++];
    *r = (struct outbox_row){.seq = db_int(row, 0),
                             .severity = db_int(row, 1),
                             .findings = db_int(row, 2),
                             .attempts = db_int(row, 3),
                             .made_utc_ms = db_int(row, 4),
                             .next_utc_ms = db_int(row, 5),
                             .ended_utc_ms = db_int(row, 6)};
    struct str *texts[] = {&r->id,    &r->receiver, &r->thread, &r->status,
                           &r->title, &r->state,    &r->said};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!outbox_keep(rows->arena, db_text(row, 7 + i), texts[i], err))
            return false;
    return true;
}

/* $1 receiver, $2 state, $3 and $4 the range of ids */
#define CHOSEN \
    "($1 = '' OR receiver = $1) AND ($2 = '' OR state = $2 OR ($2 = 'open' AND state IN" \
    " ('waiting', 'dead'))) AND ($3 = '' OR (id >= $3 AND id < " \
    "$4))"

static bool parameters(struct arena *arena, const struct outbox_query *query, struct db_value *ret,
                       struct err *err)
{
    struct str end = arena_printf(arena, "%.*s~", STR_ARG(query->id));
    const struct str texts[] = {query->receiver, query->state, query->id, end};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ret[i] = DB_PARAM_TEXT(texts[i].ptr ? texts[i] : STR(""));
    return end.ptr || arena_full(arena, err);
}

bool outbox_list(struct record *record, struct arena *arena, const struct outbox_query *query,
                 struct outbox_row **ret, size_t *ret_n, struct err *err)
{
    struct rows rows = {.arena = arena};
    struct db_value param[5];
    if (!parameters(arena, query, param, err))
        return false;
    param[4] = DB_PARAM_INT(query->limit ? query->limit : LIST_MOST);
    if (!db_query(record->db,
                  "SELECT seq, severity, findings, attempts, made_utc_ms, next_utc_ms,"
                  " ended_utc_ms, id, receiver, thread, status, title, state, said FROM alert"
                  " WHERE " CHOSEN " ORDER BY seq LIMIT $5",
                  param, 5, take_row, &rows, err))
        return err_wrap(err, "list alerts");
    *ret = rows.row;
    *ret_n = rows.n;
    return true;
}

struct healths {
    struct arena *arena;
    struct outbox_health *item;
    size_t n, room;
};

static bool take_health(void *ctx, const struct db_row *row, struct err *err)
{
    struct healths *list = ctx;
    struct outbox_health *grown =
        arena_grow(list->arena, list->item, list->n, &list->room, list->n + 1);
    if (!grown)
        return arena_full(list->arena, err);
    list->item = grown;
    struct outbox_health *h = &list->item[list->n++];
    *h = (struct outbox_health){.since_utc_ms = db_int(row, 3),
                                .tried_utc_ms = db_int(row, 4),
                                .taken_utc_ms = db_int(row, 5),
                                .failures = db_int(row, 6),
                                .waiting = db_int(row, 7),
                                .dead = db_int(row, 8),
                                .held = db_int(row, 9),
                                .oldest_utc_ms = db_int(row, 10)};
    return outbox_keep(list->arena, db_text(row, 0), &h->name, err) &&
           outbox_keep(list->arena, db_text(row, 1), &h->gone, err) &&
           outbox_keep(list->arena, db_text(row, 2), &h->said, err);
}

bool outbox_receivers(struct record *record, struct arena *arena, struct outbox_health **ret,
                      size_t *ret_n, struct err *err)
{
    struct healths list = {.arena = arena};
    if (!db_query(record->db,
                  "SELECT r.name, r.gone, r.said, r.since_utc_ms, r.tried_utc_ms, r.taken_utc_ms,"
                  " r.failures, (SELECT count(*) FROM alert a WHERE a.receiver = r.name AND"
                  " a.state = 'waiting'), (SELECT count(*) FROM alert a WHERE a.receiver = r.name"
                  " AND a.state = 'dead'), (SELECT count(*) FROM alert_item i WHERE i.receiver ="
                  " r.name), (SELECT coalesce(min(made_utc_ms), 0) FROM alert a WHERE a.receiver ="
                  " r.name AND a.state = 'waiting') FROM alert_receiver r ORDER BY r.name",
                  NULL, 0, take_health, &list, err))
        return err_wrap(err, "list receivers");
    *ret = list.item;
    *ret_n = list.n;
    return true;
}

bool outbox_length(struct record *record, int64_t *ret_waiting, int64_t *ret_oldest_ms,
                   int64_t *ret_dead, struct err *err)
{
    int64_t oldest = 0, now = record_now(record);
    if (!db_one_int(record->db, "SELECT count(*) FROM alert WHERE state = 'waiting'", NULL, 0,
                    ret_waiting, err) ||
        !db_one_int(record->db, "SELECT count(*) FROM alert WHERE state = 'dead'", NULL, 0,
                    ret_dead, err) ||
        !db_one_int(record->db,
                    "SELECT coalesce(min(made_utc_ms), 0) FROM alert WHERE state = 'waiting'", NULL,
                    0, &oldest, err))
        return false;
    *ret_oldest_ms = oldest && now > oldest ? now - oldest : 0;
    return true;
}

/* --- by hand --- */

static bool tell_dropped(struct record *record, struct arena *arena,
                         const struct outbox_query *query, const struct actor *by, int64_t n,
                         struct err *err)
{
    struct detail d = {.arena = arena};
    struct event event = {.type = EVENT_ALERT_DROP,
                          .time_utc_ms = record_now(record),
                          .actor = actor_of_event(by),
                          .subject = query->id.len ? query->id : query->receiver,
                          .outcome = STR("dropped")};
    detail_int(&d, "alerts", n);
    detail_text(&d, "receiver", query->receiver);
    detail_text(&d, "state", query->state);
    return detail_object(&d, &event.detail, err) && audit_append(record, &event, NULL, err);
}

/* by  NULL: the log need not know */
static bool change(struct record *record, const struct outbox_query *query, const char *sql,
                   const struct actor *by, int64_t *ret_n, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct db_value param[5];
    if (!parameters(&arena, query, param, err))
        return false;
    param[4] = DB_PARAM_INT(record_now(record));
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    bool ok = db_run(record->db, sql, param, 5, err);
    *ret_n = ok ? db_changed(record->db) : 0;
    ok = ok && (!by || !*ret_n || tell_dropped(record, &arena, query, by, *ret_n, err));
    if (ok && db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return false;
}

bool outbox_retry(struct record *record, const struct outbox_query *query, int64_t *ret_n,
                  struct err *err)
{
    return change(record, query,
                  "UPDATE alert SET state = 'waiting', attempts = 0, set_utc_ms = $5,"
                  " next_utc_ms = $5, lease = '', lease_utc_ms = 0, ended_utc_ms = 0 WHERE " CHOSEN
                  " AND state IN ('dead', 'waiting')",
                  NULL, ret_n, err);
}

bool outbox_drop(struct record *record, const struct outbox_query *query, const struct actor *by,
                 int64_t *ret_n, struct err *err)
{
    return change(record, query,
                  "UPDATE alert SET state = 'dropped', ended_utc_ms = $5, lease = '',"
                  " lease_utc_ms = 0 WHERE " CHOSEN " AND state IN ('dead', 'waiting')",
                  by, ret_n, err);
}

bool outbox_forget(struct record *record, struct str receiver, bool *ret, struct err *err)
{
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (OUTBOX_RUN(record, "DELETE FROM alert_receiver WHERE name = $1", err,
                   DB_PARAM_TEXT(receiver))) {
        *ret = db_changed(record->db) > 0;
        if (OUTBOX_RUN(record, "DELETE FROM alert_item WHERE receiver = $1", err,
                       DB_PARAM_TEXT(receiver)) &&
            OUTBOX_RUN(record, "DELETE FROM alert_told WHERE receiver = $1", err,
                       DB_PARAM_TEXT(receiver)) &&
            OUTBOX_RUN(record,
                       "DELETE FROM alert_cursor WHERE name IN ('" OUTBOX_FIRST
                       "' || CAST($1 AS TEXT), '" OUTBOX_LEFT
                       "' || CAST($1 AS TEXT), '" OUTBOX_MISSED "' || CAST($1 AS TEXT))",
                       err, DB_PARAM_TEXT(receiver)) &&
            db_commit(record->db, err))
            return true;
    }
    db_rollback(record->db);
    return false;
}

bool outbox_revive(struct record *record, struct str receiver, bool *ret, struct err *err)
{
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (OUTBOX_RUN(record, "DELETE FROM alert_receiver WHERE name = $1 AND gone <> ''", err,
                   DB_PARAM_TEXT(receiver))) {
        *ret = db_changed(record->db) > 0;
        if (db_commit(record->db, err))
            return true;
    }
    db_rollback(record->db);
    return false;
}
