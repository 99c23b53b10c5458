/* retire.c - stacks that a plumb.yaml has no longer. */
#include "record/retire.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/stack.h"
#include "record/audit.h"
#include "record/findings.h"
#include "record/identity.h"
#include "record/record.h"
#include "record/touch.h"

#define WHY "no plumb.yaml has the stack any more"

/* --- what differs --- */

struct looking {
    struct arena *arena;
    const struct retire_ask *ask;
    struct retire_todo *todo;
    size_t at; /* of ask->stack */
};

static bool add(struct looking *l, enum retire_what what, struct str stack, struct err *err)
{
    struct retire_todo *todo = l->todo;
    struct retire_step *grown = arena_grow(l->arena, todo->step, todo->n, &todo->room, todo->n + 1);
    struct str kept = arena_dup(l->arena, stack);
    if (!grown || !kept.ptr)
        return arena_full(l->arena, err);
    todo->step = grown;
    grown[todo->n].what = what;
    grown[todo->n++].stack = kept;
    return true;
}

/* Rows come by name, as the home's stacks are. */
static bool on_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct looking *l = ctx;
    const struct retire_ask *ask = l->ask;
    struct str stack = db_text(row, 0);
    int64_t away = db_int(row, 2);
    bool same = str_equal(db_text(row, 1), ask->config);
    while (l->at < ask->n && str_compare(ask->stack[l->at].name, stack) < 0)
        if (!add(l, RETIRE_HAS, ask->stack[l->at++].name, err))
            return false;
    if (l->at < ask->n && str_equal(ask->stack[l->at].name, stack)) {
        l->at++;
        return (same && !away) || add(l, RETIRE_HAS, stack, err);
    }
    bool long_away = away && (ask->now_utc_ms - away >= RETIRE_AWAY_MS || away > ask->now_utc_ms);
    if (!same || ask->whole || long_away)
        return add(l, RETIRE_GONE, stack, err);
    return away || add(l, RETIRE_AWAY, stack, err);
}

bool retire_look(struct record *record, struct arena *arena, const struct retire_ask *ask,
                 struct retire_todo *ret, struct err *err)
{
    const struct db_value home = DB_PARAM_TEXT(ask->home);
    struct looking l = {.arena = arena, .ask = ask, .todo = ret};
    *ret = (struct retire_todo){0};
    if (!db_query(record->db,
                  "SELECT stack, config, away_utc_ms FROM stack_home WHERE home = $1 ORDER BY"
                  " stack",
                  &home, 1, on_row, &l, err))
        return err_wrap(err, "which stacks a plumb.yaml has");
    while (l.at < ask->n)
        if (!add(&l, RETIRE_HAS, ask->stack[l.at++].name, err))
            return false;
    return true;
}

/* --- doing it --- */

static bool tell(struct record *record, struct str stack, enum event_type type, const char *reason,
                 struct err *err)
{
    const struct event event = {.type = type,
                                .actor = {STR("plumb"), STR("service")},
                                .stack = stack,
                                .reason = str_from(reason)};
    return audit_append(record, &event, NULL, err);
}

/* It ends all findings, whatever their class. */
static bool close_findings(struct record *record, struct str stack, struct err *err)
{
    const struct run_start start = {
        .stack = stack, .actor = {STR("plumb"), STR("service")}, .keep_stack = true};
    const struct stack_result result = {.name = stack, .note = STR(WHY)};
    struct run_finish finish = {.start = &start, .result = &result, .retired = true};
    struct run_changes changes;
    return run_begin(record, &start, &finish.run, err) && run_end(record, &finish, &changes, err);
}

bool retire_stack(struct record *record, struct str stack, struct err *err)
{
    static const char *const forget[] = {
        "DELETE FROM schedule WHERE stack = $1",       "DELETE FROM lease WHERE stack = $1",
        "DELETE FROM touch WHERE stack = $1",          "DELETE FROM remote_state WHERE stack = $1",
        "DELETE FROM stale WHERE stack = $1",          "DELETE FROM stack_home WHERE stack = $1",
        "DELETE FROM provider_config WHERE stack = $1"};
    const struct db_value row[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(record_now(record))};
    for (size_t i = 0; i < sizeof forget / sizeof *forget; i++)
        if (!db_run(record->db, forget[i], row, 1, err))
            return false;
    if (!identities_drop(record, stack, err) ||
        !db_run(record->db,
                "UPDATE stack SET retired_utc_ms = $2 WHERE name = $1 AND retired_utc_ms IS NULL",
                row, 2, err))
        return false;
    return db_changed(record->db) == 0 || /* no scan of it ever began */
           (close_findings(record, stack, err) &&
            tell(record, stack, EVENT_STACK_RETIRED, WHY, err));
}

static bool is_elsewhere(struct record *record, struct str stack, bool *ret, struct err *err)
{
    const struct db_value param = DB_PARAM_TEXT(stack);
    int64_t n = 0;
    *ret = false;
    if (!db_one_int(record->db, "SELECT count(*) FROM stack_home WHERE stack = $1", &param, 1, &n,
                    err))
        return false;
    *ret = n > 0;
    return true;
}

static bool gone(struct record *record, const struct retire_ask *ask, struct str stack,
                 struct err *err)
{
    const struct db_value row[] = {DB_PARAM_TEXT(stack), DB_PARAM_TEXT(ask->home)};
    bool elsewhere = false;
    return db_run(record->db, "DELETE FROM stack_home WHERE stack = $1 AND home = $2", row, 2,
                  err) &&
           is_elsewhere(record, stack, &elsewhere, err) &&
           (elsewhere || retire_stack(record, stack, err));
}

static bool put(struct record *record, const struct retire_ask *ask, struct str stack,
                int64_t away_utc_ms, struct err *err)
{
    const struct db_value row[] = {DB_PARAM_TEXT(stack), DB_PARAM_TEXT(ask->home),
                                   DB_PARAM_TEXT(ask->config), DB_PARAM_INT(away_utc_ms)};
    return db_run(record->db,
                  "INSERT INTO stack_home (stack, home, config, away_utc_ms) VALUES ($1, $2, $3,"
                  " $4) ON CONFLICT (stack, home) DO UPDATE SET config = excluded.config,"
                  " away_utc_ms = excluded.away_utc_ms",
                  row, 4, err);
}

static bool has(struct record *record, const struct retire_ask *ask, struct str stack,
                struct err *err)
{
    const struct db_value name = DB_PARAM_TEXT(stack);
    const struct touch touch = {.stack = stack, .why = STR("request")};
    if (!put(record, ask, stack, 0, err) ||
        !db_run(record->db,
                "UPDATE stack SET retired_utc_ms = NULL WHERE name = $1 AND retired_utc_ms IS NOT"
                " NULL",
                &name, 1, err))
        return false;
    return db_changed(record->db) == 0 ||
           (touch_add(record, &touch, 1, err) &&
            tell(record, stack, EVENT_STACK_RETURNED, "a plumb.yaml has the stack again", err));
}

bool retire_do(struct record *record, const struct retire_ask *ask, const struct retire_todo *todo,
               struct err *err)
{
    for (size_t i = 0; i < todo->n; i++) {
        const struct retire_step *step = &todo->step[i];
        bool ok = step->what == RETIRE_GONE   ? gone(record, ask, step->stack, err)
                  : step->what == RETIRE_AWAY ? put(record, ask, step->stack, ask->now_utc_ms, err)
                                              : has(record, ask, step->stack, err);
        if (!ok)
            return err_wrap(err, "stack %.*s", STR_ARG(step->stack));
    }
    return true;
}
