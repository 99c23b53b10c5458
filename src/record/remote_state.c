/* remote_state.c - versions of remote states in the store. */
#include "record/remote_state.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/identity.h"
#include "record/record.h"
#include "record/touch.h"

struct getting {
    struct arena *arena;
    struct str *ret;
};

static bool take(void *ctx, const struct db_row *row, struct err *err)
{
    struct getting *g = ctx;
    *g->ret = arena_dup(g->arena, db_text(row, 0));
    return g->ret->ptr || arena_full(g->arena, err);
}

bool remote_state_get(struct record *record, struct arena *arena, struct str stack, struct str *ret,
                      struct err *err)
{
    const struct db_value param = DB_PARAM_TEXT(stack);
    struct getting getting = {arena, ret};
    *ret = STR("");
    return db_query(record->db, "SELECT mark FROM remote_state WHERE stack = $1", &param, 1, take,
                    &getting, err) ||
           err_wrap(err, "version of a state");
}

struct last_run {
    bool going_on, there;
    struct str label;
    bool same;
};

static bool take_run(void *ctx, const struct db_row *row, struct err *err)
{
    struct last_run *last = ctx;
    bool going_on = str_equal(db_text(row, 0), STR("running"));
    (void)err;
    last->going_on |= going_on;
    last->same |= !going_on && str_equal(db_text(row, 1), last->label);
    last->there |= !going_on;
    return true;
}

bool remote_state_is_other(struct record *record, struct str stack, struct str text,
                           struct str label, bool *ret, struct err *err)
{
    const struct db_value param = DB_PARAM_TEXT(stack);
    struct last_run last = {.label = label};
    bool known = false;
    /* The index of names is of the state that any scan read last, the label of a whole one's. */
    if (!identities_are_of(record, stack, text, &known, err) ||
        !db_query(record->db,
                  "SELECT outcome, source FROM run WHERE stack = $1 AND (outcome = 'running' OR id"
                  " = (SELECT max(id) FROM run WHERE stack = $1 AND outcome IN ('complete',"
                  " 'incomplete')))",
                  &param, 1, take_run, &last, err))
        return err_wrap(err, "the state that was compared last");
    *ret = last.there ? !known || !last.same : last.going_on;
    return true;
}

static bool seen_in(struct record *record, struct str stack, struct str mark, bool other,
                    bool *ret_touched, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    const struct db_value row[] = {DB_PARAM_TEXT(stack), DB_PARAM_TEXT(mark),
                                   DB_PARAM_INT(record_now(record))};
    const struct touch touch = {.stack = stack, .why = STR("state")};
    struct str before;
    if (!remote_state_get(record, &arena, stack, &before, err))
        return false;
    if (str_equal(before, mark))
        return true;
    *ret_touched = before.len != 0 || other;
    return db_run(record->db,
                  "INSERT INTO remote_state (stack, mark, seen_utc_ms) VALUES ($1, $2, $3)"
                  " ON CONFLICT (stack) DO UPDATE SET mark = $2, seen_utc_ms = $3",
                  row, 3, err) &&
           (!*ret_touched || touch_add(record, &touch, 1, err));
}

bool remote_state_seen(struct record *record, struct str stack, struct str mark, bool other,
                       bool *ret_touched, struct err *err)
{
    bool touched = false;
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "version of a state");
    if (!seen_in(record, stack, mark, other, &touched, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return err_wrap(err, "version of a state");
    }
    *ret_touched = touched;
    return true;
}
