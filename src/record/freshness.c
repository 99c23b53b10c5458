/* freshness.c - schedules against what scans did. */
#include "record/freshness.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "model/schedule.h"
#include "model/stack.h"
#include "record/audit.h"
#include "record/planned.h"

enum { GRACE_LEAST_MS = 5 * 60000, GRACE_MOST_MS = 6 * 3600000, RUNNING_MOST_MS = 6 * 3600000 };

bool freshness_is_old(int64_t scanned_utc_ms, int64_t max_age_ms, int64_t now_utc_ms)
{
    return max_age_ms && (!scanned_utc_ms || now_utc_ms - scanned_utc_ms > max_age_ms);
}

/* --- which stack has which schedule --- */

struct plan {
    struct str stack;
    struct schedule_tier tier;
    int64_t next_utc_ms; /* 0 = not planned yet */
    struct str twice;    /* of struct stack */
};
struct plans {
    struct arena *arena;
    struct plan *plan;
    size_t n;
};

static bool plans_of_store(struct record *record, struct plans *plans, struct err *err)
{
    struct planned *row;
    size_t n = 0;
    if (!planned_load(record, plans->arena, STR(""), &row, &n, err))
        return false;
    plans->plan = arena_new(plans->arena, struct plan, n);
    if (!plans->plan)
        return arena_full(plans->arena, err);
    for (size_t i = 0; i < n; i++) {
        struct plan plan = {.stack = row[i].stack, .next_utc_ms = row[i].next_utc_ms};
        if (row[i].tier.len)
            continue;
        /* Of another version, or a time zone that is not here: as without a schedule. */
        (void)schedule_tier_from_spec(plans->arena, row[i].spec, &plan.tier, NULL);
        if (plan.next_utc_ms == SCHEDULE_NEVER)
            plan.next_utc_ms = 0;
        plans->plan[plans->n++] = plan;
    }
    return true;
}

static bool plans_of_config(const struct freshness_ask *ask, struct plans *plans, struct err *err)
{
    plans->plan = arena_new(plans->arena, struct plan, ask->nstacks);
    if (!plans->plan)
        return arena_full(plans->arena, err);
    for (size_t i = 0; i < ask->nstacks; i++) {
        struct schedule_set set;
        if (!schedule_of_stack(plans->arena, ask->config, &ask->stack[i], &set, err))
            return false;
        plans->plan[plans->n++] = (struct plan){
            .stack = ask->stack[i].name, .tier = set.tiers[0], .twice = ask->stack[i].twice};
    }
    return true;
}

static int by_stack(const void *a, const void *b)
{
    const struct plan *x = a, *y = b;
    return str_compare(x->stack, y->stack);
}

/* --- one stack --- */

static int64_t grace_of(const struct schedule_tier *tier, struct str stack, int64_t due)
{
    if (tier->grace_ms)
        return tier->grace_ms;
    int64_t after = schedule_next(&tier->schedule, stack, due);
    int64_t grace = after == SCHEDULE_NEVER ? GRACE_MOST_MS : (after - due) / 4;
    return grace < GRACE_LEAST_MS ? GRACE_LEAST_MS : grace > GRACE_MOST_MS ? GRACE_MOST_MS : grace;
}

/* A scan of some targets only says nothing about the rest, and takes nothing away; what could not
 * be looked at before still is what it was. */
static bool takes_away(const struct stack_row *s, struct str outcome)
{
    return str_equal(outcome, STR("partial")) ? s->unchecked > 0
                                              : !str_equal(outcome, STR("complete"));
}

/* While a scan is under way the stack stands as it did before, unless it has been for so long that
 * whoever began it is gone. */
static bool is_incomplete(const struct stack_row *s, int64_t now_utc_ms)
{
    if (!s->complete_run || s->failed_run || s->complete_run == s->last_run)
        return !s->complete_run || s->failed_run;
    if (str_equal(s->last_outcome, STR("running")) && now_utc_ms - s->last_utc_ms < RUNNING_MOST_MS)
        return s->before.len && !str_equal(s->before, STR("running")) && takes_away(s, s->before);
    return takes_away(s, s->last_outcome);
}

static bool judge(struct arena *arena, const struct freshness_ask *ask, const struct plan *plan,
                  struct freshness *f)
{
    int64_t now = ask->now_utc_ms, complete = f->row.complete_utc_ms;
    int64_t known = complete ? complete : f->row.first_utc_ms;
    f->incomplete = is_incomplete(&f->row, now);
    if (plan && plan->twice.len) { /* whichever of them the store's row is of */
        f->incomplete = true;
        f->row.last_failed = plan->twice;
    }
    if (plan && plan->tier.schedule.kind != SCHEDULE_NONE) {
        const struct schedule *s = &plan->tier.schedule;
        f->schedule = s->text;
        if (s->zone && str_find(s->text, STR("TZ="), 0) == SIZE_MAX)
            f->schedule =
                arena_printf(arena, "CRON_TZ=%.*s %.*s", STR_ARG(s->zone->name), STR_ARG(s->text));
        f->next_utc_ms = plan->next_utc_ms ? plan->next_utc_ms : schedule_next(s, f->row.name, now);
        f->due_utc_ms = known ? schedule_next(s, f->row.name, known) : f->next_utc_ms;
        if (!plan->next_utc_ms && f->due_utc_ms < f->next_utc_ms)
            f->next_utc_ms = f->due_utc_ms; /* it was due before: it is what comes next */
        if (f->due_utc_ms != SCHEDULE_NEVER)
            f->late_utc_ms = f->due_utc_ms + grace_of(&plan->tier, f->row.name, f->due_utc_ms);
        f->due_utc_ms = f->due_utc_ms == SCHEDULE_NEVER ? 0 : f->due_utc_ms;
        f->next_utc_ms = f->next_utc_ms == SCHEDULE_NEVER ? 0 : f->next_utc_ms;
    }
    if (complete && ask->max_age_ms &&
        (!f->late_utc_ms || complete + ask->max_age_ms < f->late_utc_ms))
        f->late_utc_ms = complete + ask->max_age_ms;
    f->overdue = f->late_utc_ms && now > f->late_utc_ms;
    return f->schedule.ptr || !f->due_utc_ms;
}

/* --- all of them --- */

static int by_name(const void *a, const void *b)
{
    const struct freshness *x = a, *y = b;
    return str_compare(x->row.name, y->row.name);
}

/* Those of the store, then those that no scan was begun of. */
static size_t merge(const struct stack_row *row, size_t nrows, const struct plans *plans,
                    struct freshness *all)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < plans->n; i++) {
        while (k < nrows && str_compare(row[k].name, plans->plan[i].stack) < 0)
            all[n++].row = row[k++];
        if (k < nrows && str_equal(row[k].name, plans->plan[i].stack))
            continue;
        if (i == 0 || !str_equal(plans->plan[i].stack, plans->plan[i - 1].stack))
            all[n++].row = (struct stack_row){.name = plans->plan[i].stack};
    }
    while (k < nrows)
        all[n++].row = row[k++];
    return n;
}

bool freshness_list(struct record *record, struct arena *arena, const struct freshness_ask *ask,
                    struct freshness **ret, size_t *ret_n, struct err *err)
{
    struct plans plans = {.arena = arena};
    struct stack_row *row = NULL;
    size_t nrows = 0;
    if (!stack_list(record, arena, ask->now_utc_ms, &row, &nrows, err) ||
        (ask->judged && !stack_list_judged(record, row, nrows, err)) ||
        !(ask->config ? plans_of_config(ask, &plans, err) : plans_of_store(record, &plans, err)))
        return false;
    struct freshness *all = arena_new(arena, struct freshness, nrows + plans.n);
    if (!all)
        return arena_full(arena, err);
    if (plans.n > 1)
        qsort(plans.plan, plans.n, sizeof *plans.plan, by_stack);
    size_t n = merge(row, nrows, &plans, all);
    if (n > 1)
        qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0; i < n; i++) {
        const struct plan key = {.stack = all[i].row.name};
        const struct plan *plan =
            plans.n ? bsearch(&key, plans.plan, plans.n, sizeof key, by_stack) : NULL;
        if (!judge(arena, ask, plan, &all[i]))
            return arena_full(arena, err);
    }
    *ret = all;
    *ret_n = n;
    return true;
}

/* --- telling --- */

struct told {
    struct arena *arena;
    struct stale {
        struct str stack;
        int64_t late_utc_ms;
        bool still;
    } * row;
    size_t n, room;
};

static bool take_told(void *ctx, const struct db_row *row, struct err *err)
{
    struct told *told = ctx;
    struct stale *grown = arena_grow(told->arena, told->row, told->n, &told->room, told->n + 1);
    struct str stack = arena_dup(told->arena, db_text(row, 0));
    if (!grown || !stack.ptr)
        return arena_full(told->arena, err);
    told->row = grown;
    told->row[told->n++] = (struct stale){stack, db_int(row, 1), false};
    return true;
}

static int by_told(const void *a, const void *b)
{
    const struct stale *x = a, *y = b;
    return str_compare(x->stack, y->stack);
}

static bool read_told(struct record *record, struct told *told, struct err *err)
{
    told->n = 0;
    if (!db_query(record->db, "SELECT stack, late_utc_ms FROM stale", NULL, 0, take_told, told,
                  err))
        return false;
    if (told->n > 1)
        qsort(told->row, told->n, sizeof *told->row, by_told);
    return true;
}

/* Was this incident told? An earlier one of the stack that goes on is the same. */
static bool was_told(const struct told *told, const struct freshness *f)
{
    const struct stale key = {.stack = f->row.name};
    struct stale *row = told->n ? bsearch(&key, told->row, told->n, sizeof key, by_told) : NULL;
    if (row)
        row->still = true;
    return row && row->late_utc_ms >= f->row.complete_utc_ms;
}

static bool tell_one(struct record *record, const struct freshness *f, struct err *err)
{
    char since[CLOCK_TEXT], due[CLOCK_TEXT], reason[200];
    const struct db_value row[] = {DB_PARAM_TEXT(f->row.name), DB_PARAM_INT(f->late_utc_ms),
                                   DB_PARAM_INT(record_now(record))};
    (void)clock_format(f->row.complete_utc_ms, since);
    (void)clock_format(f->due_utc_ms ? f->due_utc_ms : f->late_utc_ms, due);
    (void)snprintf(reason, sizeof reason, "a complete scan was due at %s; the last %s%s", due,
                   f->row.complete_utc_ms ? "ended at " : "never was",
                   f->row.complete_utc_ms ? since : "");
    struct event event = {.type = EVENT_SCAN_OVERDUE,
                          .actor = {STR("plumb"), STR("none")},
                          .stack = f->row.name,
                          .outcome = STR("overdue"),
                          .reason = str_from(reason)};
    return db_run(record->db,
                  "INSERT INTO stale (stack, late_utc_ms, told_utc_ms) VALUES ($1, $2, $3)"
                  " ON CONFLICT (stack) DO UPDATE SET late_utc_ms = excluded.late_utc_ms,"
                  " told_utc_ms = excluded.told_utc_ms",
                  row, 3, err) &&
           audit_append(record, &event, NULL, err);
}

static bool tell_in(struct record *record, struct told *told, const struct freshness *all, size_t n,
                    size_t *ret_told, struct err *err)
{
    if (!read_told(record, told, err)) /* anew: another process may have been faster */
        return false;
    for (size_t i = 0; i < n; i++)
        if (all[i].overdue && !was_told(told, &all[i])) {
            if (!tell_one(record, &all[i], err))
                return false;
            ++*ret_told;
        }
    for (size_t i = 0; i < told->n; i++) {
        const struct db_value gone[] = {DB_PARAM_TEXT(told->row[i].stack),
                                        DB_PARAM_INT(told->row[i].late_utc_ms)};
        if (!told->row[i].still &&
            !db_run(record->db, "DELETE FROM stale WHERE stack = $1 AND late_utc_ms = $2", gone, 2,
                    err))
            return false;
    }
    return true;
}

bool freshness_tell(struct record *record, const struct freshness *all, size_t n, size_t *ret_told,
                    struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct told told = {.arena = &arena};
    bool anything = false;
    *ret_told = 0;
    if (!read_told(record, &told, err))
        return false;
    for (size_t i = 0; i < n; i++)
        anything |= all[i].overdue && !was_told(&told, &all[i]);
    for (size_t i = 0; i < told.n; i++)
        anything |= !told.row[i].still;
    if (!anything)
        return true;
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (tell_in(record, &told, all, n, ret_told, err) && db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return err_wrap(err, "record which scans are overdue");
}
