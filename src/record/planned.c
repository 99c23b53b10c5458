/* planned.c - schedules of stacks in the store. */
#include "record/planned.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/record.h"

struct loading {
    struct arena *arena;
    struct planned *list;
    size_t n, room;
};

static bool take(void *ctx, const struct db_row *row, struct err *err)
{
    struct loading *l = ctx;
    struct planned *grown = arena_grow(l->arena, l->list, l->n, &l->room, l->n + 1);
    if (!grown)
        return arena_full(l->arena, err);
    l->list = grown;
    struct planned *p = &l->list[l->n++];
    *p = (struct planned){.stack = arena_dup(l->arena, db_text(row, 0)),
                          .tier = arena_dup(l->arena, db_text(row, 1)),
                          .spec = arena_dup(l->arena, db_text(row, 2)),
                          .next_utc_ms = db_int(row, 3),
                          .began_utc_ms = db_int(row, 4),
                          .ended_utc_ms = db_int(row, 5),
                          .progress = arena_dup(l->arena, db_text(row, 6))};
    return (p->stack.ptr && p->tier.ptr && p->spec.ptr && p->progress.ptr) ||
           arena_full(l->arena, err);
}

#define COLUMNS \
    "SELECT stack, tier, spec, next_utc_ms, began_utc_ms, ended_utc_ms, progress FROM schedule"

bool planned_load(struct record *record, struct arena *arena, struct str stack,
                  struct planned **ret, size_t *ret_n, struct err *err)
{
    const struct db_value param = DB_PARAM_TEXT(stack);
    struct loading l = {.arena = arena};
    if (!db_query(record->db,
                  stack.len ? COLUMNS " WHERE stack = $1 ORDER BY tier"
                            : COLUMNS " ORDER BY stack, tier",
                  &param, stack.len > 0, take, &l, err))
        return err_wrap(err, "schedules");
    *ret = l.list;
    *ret_n = l.n;
    return true;
}

struct storing {
    const struct planned *list;
    size_t n, at;
};

static bool next(void *ctx, struct db_value *param)
{
    struct storing *s = ctx;
    if (s->at == s->n)
        return false;
    const struct planned *p = &s->list[s->at++];
    param[0] = DB_PARAM_TEXT(p->stack);
    param[1] = DB_PARAM_TEXT(p->tier.ptr ? p->tier : STR(""));
    param[2] = DB_PARAM_TEXT(p->spec.ptr ? p->spec : STR(""));
    param[3] = DB_PARAM_INT(p->next_utc_ms);
    param[4] = DB_PARAM_INT(p->began_utc_ms);
    param[5] = DB_PARAM_INT(p->ended_utc_ms);
    param[6] = DB_PARAM_TEXT(p->progress.ptr ? p->progress : STR(""));
    return true;
}

bool planned_store(struct record *record, const struct planned *planned, size_t n, struct err *err)
{
    struct storing storing = {.list = planned, .n = n};
    return db_run_many(record->db,
                       "INSERT INTO schedule (stack, tier, spec, next_utc_ms, began_utc_ms,"
                       " ended_utc_ms, progress) VALUES ($1, $2, $3, $4, $5, $6, $7)"
                       " ON CONFLICT (stack, tier) DO UPDATE SET spec = excluded.spec,"
                       " next_utc_ms = excluded.next_utc_ms, began_utc_ms = excluded.began_utc_ms,"
                       " ended_utc_ms = excluded.ended_utc_ms, progress = excluded.progress",
                       7, next, &storing, err);
}

bool planned_drop(struct record *record, const struct planned *planned, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(planned->stack), DB_PARAM_TEXT(planned->tier)};
    return db_run(record->db, "DELETE FROM schedule WHERE stack = $1 AND tier = $2", param, 2, err);
}
