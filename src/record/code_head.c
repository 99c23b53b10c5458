/* code_head.c - heads of branches in the store. */
#include "record/code_head.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/record.h"

struct getting {
    struct arena *arena;
    struct code_head *ret;
};

static bool take(void *ctx, const struct db_row *row, struct err *err)
{
    struct getting *g = ctx;
    *g->ret = (struct code_head){.hash = arena_dup(g->arena, db_text(row, 0)),
                                 .asked_utc_ms = db_int(row, 1),
                                 .fetched_utc_ms = db_int(row, 2)};
    return g->ret->hash.ptr || arena_full(g->arena, err);
}

bool code_head_get(struct record *record, struct arena *arena, struct str place,
                   struct code_head *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(place)};
    struct getting getting = {arena, ret};
    *ret = (struct code_head){0};
    return db_query(record->db,
                    "SELECT hash, asked_utc_ms, fetched_utc_ms FROM code_head WHERE place = $1",
                    param, 1, take, &getting, err) ||
           err_wrap(err, "head of a branch");
}

static bool put(struct record *record, const char *sql, const struct db_value *param, size_t n,
                struct err *err)
{
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "head of a branch");
    if (db_run(record->db, sql, param, n, err) &&
        (db_changed(record->db) ||
         err_set(err, ERR_CONFLICT, "another service fetched it meanwhile")) &&
        db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return err_wrap(err, "head of a branch");
}

bool code_head_asked(struct record *record, struct str place, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(place), DB_PARAM_INT(record_now(record))};
    /* Two pushes in one millisecond are two. */
    return put(record,
               "INSERT INTO code_head (place, hash, asked_utc_ms, fetched_utc_ms)"
               " VALUES ($1, '', $2, 0) ON CONFLICT (place) DO UPDATE SET asked_utc_ms = CASE"
               " WHEN code_head.asked_utc_ms >= $2 THEN code_head.asked_utc_ms + 1 ELSE $2 END",
               param, 2, err);
}

bool code_head_fetched(struct record *record, struct str place, struct str before, struct str hash,
                       struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(place), DB_PARAM_TEXT(hash),
                                     DB_PARAM_INT(record_now(record)), DB_PARAM_TEXT(before)};
    return put(record,
               "INSERT INTO code_head (place, hash, asked_utc_ms, fetched_utc_ms)"
               " VALUES ($1, $2, 0, $3) ON CONFLICT (place) DO UPDATE SET hash = $2,"
               " fetched_utc_ms = $3 WHERE code_head.hash = $4",
               param, 4, err);
}
