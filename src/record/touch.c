/* touch.c - touches in the store. */
#include "record/touch.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/lease.h"
#include "record/record.h"

enum { ADDRESS_MAX = 1500 /* what an index of PostgreSQL's can hold beside a stack's name */ };

struct adding {
    const struct touch *touch;
    size_t n, at;
    int64_t now;
};

static struct str plain(struct str s)
{
    return s.ptr ? s : STR("");
}

static bool next_touch(void *ctx, struct db_value *param)
{
    struct adding *a = ctx;
    if (a->at == a->n)
        return false;
    const struct touch *t = &a->touch[a->at++];
    param[0] = DB_PARAM_TEXT(plain(t->stack));
    param[1] = DB_PARAM_TEXT(t->address.len > ADDRESS_MAX ? STR("") : plain(t->address));
    param[2] = DB_PARAM_TEXT(plain(t->why));
    param[3] = DB_PARAM_INT(t->due_utc_ms ? t->due_utc_ms : a->now);
    param[4] = DB_PARAM_TEXT(plain(t->trace));
    return true;
}

static bool next_stack(void *ctx, struct db_value *param)
{
    struct adding *a = ctx;
    struct str before = a->at ? a->touch[a->at - 1].stack : STR("");
    int64_t due_before = a->at ? a->touch[a->at - 1].due_utc_ms : -1;
    while (a->at < a->n && str_equal(a->touch[a->at].stack, before) &&
           a->touch[a->at].due_utc_ms == due_before)
        a->at++;
    if (a->at == a->n)
        return false;
    const struct touch *t = &a->touch[a->at++];
    param[0] = DB_PARAM_TEXT(plain(t->stack));
    param[1] = DB_PARAM_INT(t->due_utc_ms ? t->due_utc_ms : a->now);
    return true;
}

/* Newer code, files and requests may concern more than those that scan. */
static bool are_events(const struct touch *touch, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!str_equal(touch[i].why, STR("event")))
            return false;
    return true;
}

static bool add_in(struct record *record, const struct touch *touch, size_t n, struct err *err)
{
    struct adding rows = {.touch = touch, .n = n}, stacks = {.touch = touch, .n = n};
    if (!lease_now(record, &rows.now, err))
        return false;
    stacks.now = rows.now;
    return db_run_many(record->db,
                       "INSERT INTO touch (stack, address, why, due_utc_ms, serial, trace)"
                       " VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (stack, address) DO UPDATE SET"
                       " why = excluded.why, serial = touch.serial + 1, due_utc_ms = CASE WHEN"
                       " touch.due_utc_ms < excluded.due_utc_ms THEN touch.due_utc_ms"
                       " ELSE excluded.due_utc_ms END, trace = CASE WHEN excluded.trace = ''"
                       " THEN touch.trace ELSE excluded.trace END",
                       5, next_touch, &rows, err) &&
           db_run_many(record->db,
                       "UPDATE lease SET urgent_utc_ms = $2 WHERE stack = $1"
                       " AND urgent_utc_ms > $2",
                       2, next_stack, &stacks, err) &&
           lease_tell(record, are_events(touch, n), err);
}

bool touch_add(struct record *record, const struct touch *touch, size_t n, struct err *err)
{
    bool own = !db_in_transaction(record->db);
    if (n == 0)
        return true;
    if (own && !db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "touch");
    if (add_in(record, touch, n, err) && (!own || db_commit(record->db, err)))
        return true;
    if (own)
        db_rollback(record->db);
    return err_wrap(err, "touch");
}

/* --- taking --- */

struct taking {
    struct arena *arena;
    struct touched *list;
    size_t n, room, most;
};

static bool take(void *ctx, const struct db_row *row, struct err *err)
{
    struct taking *t = ctx;
    if (t->n == t->most)
        return true;
    struct touched *grown = arena_grow(t->arena, t->list, t->n, &t->room, t->n + 1);
    if (!grown)
        return arena_full(t->arena, err);
    t->list = grown;
    struct touched *one = &t->list[t->n++];
    *one = (struct touched){.touch = {.address = arena_dup(t->arena, db_text(row, 0)),
                                      .why = arena_dup(t->arena, db_text(row, 1)),
                                      .due_utc_ms = db_int(row, 2),
                                      .trace = arena_dup(t->arena, db_text(row, 4))},
                            .serial = db_int(row, 3)};
    return (one->touch.address.ptr && one->touch.why.ptr && one->touch.trace.ptr) ||
           arena_full(t->arena, err);
}

bool touch_due(struct record *record, struct arena *arena, struct str stack, int64_t now_utc_ms,
               size_t most, struct touched **ret, size_t *ret_n, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(now_utc_ms),
                                     DB_PARAM_INT((int64_t)most)};
    struct taking taking = {.arena = arena, .most = most}; /* few are the rule */
    if (!db_query(record->db,
                  "SELECT address, why, due_utc_ms, serial, trace FROM touch WHERE stack = $1"
                  " AND due_utc_ms <= $2 ORDER BY address LIMIT $3",
                  param, 3, take, &taking, err))
        return err_wrap(err, "touches");
    for (size_t i = 0; i < taking.n; i++)
        taking.list[i].touch.stack = stack;
    *ret = taking.list;
    *ret_n = taking.n;
    return true;
}

struct ending {
    const struct touched *touched;
    size_t n, at;
};

static bool next_done(void *ctx, struct db_value *param)
{
    struct ending *e = ctx;
    if (e->at == e->n)
        return false;
    const struct touched *t = &e->touched[e->at++];
    param[0] = DB_PARAM_TEXT(t->touch.stack);
    param[1] = DB_PARAM_TEXT(t->touch.address);
    param[2] = DB_PARAM_INT(t->serial);
    return true;
}

bool touch_done(struct record *record, const struct touched *touched, size_t n, struct err *err)
{
    struct ending ending = {.touched = touched, .n = n};
    return n == 0 ||
           db_run_many(record->db,
                       "DELETE FROM touch WHERE stack = $1 AND address = $2 AND serial = $3", 3,
                       next_done, &ending, err);
}

bool touch_next(struct record *record, struct str stack, int64_t *ret_utc_ms, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(INT64_MAX)};
    return db_one_int(record->db,
                      "SELECT coalesce(min(due_utc_ms), $2) FROM touch WHERE stack = $1", param, 2,
                      ret_utc_ms, err);
}
