/* lease.c - leases in the store. */
#include "record/lease.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/record.h"
#include "record/touch.h"

enum { CANDIDATES = 32 };

bool lease_now(struct record *record, int64_t *ret_utc_ms, struct err *err)
{
    if (db_kind(record->db) == DB_SQLITE) {
        *ret_utc_ms = record_now(record);
        return true;
    }
    return db_one_int(record->db,
                      "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", NULL,
                      0, ret_utc_ms, err);
}

bool lease_tell(struct record *record, bool to_scan, struct err *err)
{
    return db_kind(record->db) == DB_SQLITE ||
           db_run(record->db, to_scan ? "NOTIFY plumb_work, 'scan'" : "NOTIFY plumb_work", NULL, 0,
                  err);
}

/* --- taking --- */

/* One page of stacks that could be taken, in the order of their work. */
struct page {
    struct arena *arena;
    struct str stack[CANDIDATES];
    int64_t due[CANDIDATES];
    size_t n;
};

static bool add_candidate(void *ctx, const struct db_row *row, struct err *err)
{
    struct page *page = ctx;
    if (page->n == CANDIDATES)
        return true;
    page->stack[page->n] = arena_dup(page->arena, db_text(row, 0));
    page->due[page->n] = db_int(row, 1);
    return page->stack[page->n++].ptr || arena_full(page->arena, err);
}

/* Twice: whoever took it has read the clock a moment later than we did. */
#define FREE "(until_utc_ms <= $1 OR until_utc_ms > $1 + 2 * lease_ms)"
#define CANDIDATE(column) \
    "SELECT stack, " column " FROM lease WHERE " column " <= $1 AND " FREE " AND (" column \
    " > $2 OR (" column " = $2 AND stack > $3)) ORDER BY " column ", stack LIMIT 32"

static bool next_page(struct record *record, bool urgent, int64_t now, struct page *page,
                      struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(now),
                                     DB_PARAM_INT(page->n ? page->due[page->n - 1] : INT64_MIN),
                                     DB_PARAM_TEXT(page->n ? page->stack[page->n - 1] : STR(""))};
    page->n = 0;
    return db_query(record->db, urgent ? CANDIDATE("urgent_utc_ms") : CANDIDATE("due_utc_ms"),
                    param, 3, add_candidate, page, err);
}

static bool take_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct lease *lease = ctx;
    (void)err;
    lease->fence = db_int(row, 0);
    lease->run = db_int(row, 1);
    lease->attempts = db_int(row, 2);
    lease->waits_utc_ms = db_int(row, 3);
    return true;
}

/* Whoever is about to take it, or to write under it, is not waited for. */
#define TAKE(skip) \
    "UPDATE lease SET owner = $3, until_utc_ms = $5, lease_ms = $4, fence = fence + 1" \
    " WHERE stack IN (SELECT stack FROM lease WHERE stack = $2 AND" \
    " (due_utc_ms <= $1 OR urgent_utc_ms <= $1) AND " FREE skip ")"

static bool try_take(struct record *record, const struct lease_ask *ask, int64_t now,
                     struct lease *lease, bool *ret_taken, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(now), DB_PARAM_TEXT(lease->stack),
                                     DB_PARAM_TEXT(ask->owner), DB_PARAM_INT(ask->lease_ms),
                                     DB_PARAM_INT(now + ask->lease_ms)};
    const struct db_value mine[] = {DB_PARAM_TEXT(lease->stack), DB_PARAM_TEXT(ask->owner)};
    bool sqlite = db_kind(record->db) == DB_SQLITE;
    if (!db_run(record->db, sqlite ? TAKE("") : TAKE(" FOR UPDATE SKIP LOCKED"), param, 5, err))
        return false;
    if (db_changed(record->db) != 1)
        return true;
    lease->fence = 0;
    if (!db_query(record->db,
                  "SELECT fence, run, attempts, waits_utc_ms FROM lease WHERE stack = $1"
                  " AND owner = $2",
                  mine, 2, take_row, lease, err))
        return false;
    *ret_taken = lease->fence != 0;
    return true;
}

bool lease_take(struct record *record, struct arena *arena, const struct lease_ask *ask,
                struct lease *ret, bool *ret_taken, struct err *err)
{
    struct page page = {.arena = arena};
    int64_t now = 0;
    *ret_taken = false;
    if (!lease_now(record, &now, err))
        return err_wrap(err, "look for work");
    do {
        if (!next_page(record, ask->urgent, now, &page, err))
            return err_wrap(err, "look for work");
        for (size_t i = 0; i < page.n; i++) {
            struct lease lease = {.stack = page.stack[i],
                                  .owner = ask->owner,
                                  .lease_ms = ask->lease_ms,
                                  .due_utc_ms = page.due[i]};
            if (ask->known && !ask->known(ask->ctx, lease.stack))
                continue;
            if (!try_take(record, ask, now, &lease, ret_taken, err))
                return err_wrap(err, "take the lease of %.*s", STR_ARG(lease.stack));
            if (!*ret_taken)
                continue;
            *ret = lease;
            return true;
        }
    } while (page.n == CANDIDATES);
    return true;
}

/* --- having --- */

static bool update(struct record *record, const char *sql, const struct lease *lease,
                   const struct db_value *more, size_t nmore, bool *ret_held, struct err *err)
{
    struct db_value param[8] = {DB_PARAM_TEXT(lease->stack), DB_PARAM_TEXT(lease->owner),
                                DB_PARAM_INT(lease->fence)};
    for (size_t i = 0; i < nmore; i++)
        param[3 + i] = more[i];
    if (!db_run(record->db, sql, param, 3 + nmore, err))
        return false;
    *ret_held = db_changed(record->db) == 1;
    return true;
}

bool lease_renew(struct record *record, const struct lease *lease, bool *ret_held, struct err *err)
{
    int64_t now = 0;
    if (!lease_now(record, &now, err))
        return false;
    const struct db_value until = DB_PARAM_INT(now + lease->lease_ms);
    return update(record,
                  "UPDATE lease SET until_utc_ms = $4 WHERE stack = $1 AND owner = $2"
                  " AND fence = $3",
                  lease, &until, 1, ret_held, err);
}

static bool must_hold(const struct lease *lease, bool held, struct err *err)
{
    return held || err_set(err, ERR_CONFLICT,
                           "the lease of %.*s was taken by another: what was found is not recorded",
                           STR_ARG(lease->stack));
}

bool lease_begin(struct record *record, const struct lease *lease, int64_t run,
                 int64_t again_utc_ms, struct err *err)
{
    const struct db_value more[] = {DB_PARAM_INT(run), DB_PARAM_INT(lease->attempts + 1),
                                    DB_PARAM_INT(again_utc_ms)};
    bool held = false;
    return update(record,
                  "UPDATE lease SET run = $4, attempts = $5, due_utc_ms = $6, urgent_utc_ms = $6"
                  " WHERE stack = $1 AND owner = $2 AND fence = $3",
                  lease, more, 3, &held, err) &&
           must_hold(lease, held, err);
}

/* When the stack's schedules, and its touches, want somebody. */
static bool find_work(struct record *record, struct str stack, int64_t *ret_due,
                      int64_t *ret_urgent, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(INT64_MAX)};
    return db_one_int(record->db,
                      "SELECT coalesce(min(next_utc_ms), $2) FROM schedule WHERE stack = $1", param,
                      2, ret_due, err) &&
           touch_next(record, stack, ret_urgent, err);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool lease_end(struct record *record, const struct lease *lease, const struct lease_end *end,
               struct err *err)
{
    int64_t due = 0, urgent = 0;
    bool held = false;
    if (!find_work(record, lease->stack, &due, &urgent, err))
        return false;
    const struct db_value more[] = {DB_PARAM_INT(later(due, end->not_before_utc_ms)),
                                    DB_PARAM_INT(later(urgent, end->not_before_utc_ms)),
                                    DB_PARAM_INT(end->attempts), DB_PARAM_INT(end->waits_utc_ms)};
    return update(record,
                  "UPDATE lease SET owner = '', until_utc_ms = 0, run = 0, due_utc_ms = $4,"
                  " urgent_utc_ms = $5, attempts = $6, waits_utc_ms = $7"
                  " WHERE stack = $1 AND owner = $2 AND fence = $3",
                  lease, more, 4, &held, err) &&
           must_hold(lease, held, err);
}

bool lease_make(struct record *record, struct str stack, struct err *err)
{
    int64_t due = 0, urgent = 0;
    if (!find_work(record, stack, &due, &urgent, err))
        return false;
    const struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(due), DB_PARAM_INT(urgent)};
    /* Who scans it, or waits to, says himself when it is due again. */
    return db_run(record->db,
                  "INSERT INTO lease (stack, owner, until_utc_ms, lease_ms, fence, run, attempts,"
                  " due_utc_ms, urgent_utc_ms, waits_utc_ms)"
                  " VALUES ($1, '', 0, 0, 0, 0, 0, $2, $3, 0) ON CONFLICT (stack) DO UPDATE SET"
                  " due_utc_ms = CASE WHEN lease.owner = '' AND lease.attempts = 0"
                  " AND lease.waits_utc_ms = 0 THEN excluded.due_utc_ms"
                  " ELSE lease.due_utc_ms END",
                  param, 3, err);
}

/* One service's own clock: all of it moves with that. */
static const char *const own_shift[] = {
    "UPDATE lease SET due_utc_ms = due_utc_ms - $2 WHERE due_utc_ms > $1 AND due_utc_ms < $3",
    ("UPDATE lease SET urgent_utc_ms = urgent_utc_ms - $2 WHERE urgent_utc_ms > $1 AND"
     " urgent_utc_ms < $3"),
    "UPDATE touch SET due_utc_ms = due_utc_ms - $2 WHERE due_utc_ms > $1 AND due_utc_ms < $3"};
/* The server's, which every service sees go back: the same whoever does it, and how often. What was
 * tried in vain, waits or was touched comes at once; the rest comes as it is planned anew. */
static const char *const shared_shift[] = {
    ("UPDATE lease SET due_utc_ms = $1 WHERE due_utc_ms > $1 AND due_utc_ms < $2 AND owner = ''"
     " AND (attempts > 0 OR waits_utc_ms > 0)"),
    ("UPDATE lease SET urgent_utc_ms = $1 WHERE urgent_utc_ms > $1 AND urgent_utc_ms < $2 AND"
     " owner = ''"),
    "UPDATE touch SET due_utc_ms = $1 WHERE due_utc_ms > $1 AND due_utc_ms < $2"};

static bool shift_all(struct record *record, int64_t by_ms, struct err *err)
{
    bool own = db_kind(record->db) == DB_SQLITE;
    const char *const *sql = own ? own_shift : shared_shift;
    int64_t now = 0;
    if (!lease_now(record, &now, err))
        return false;
    const struct db_value never = DB_PARAM_INT(INT64_MAX / 2);
    const struct db_value param[] = {DB_PARAM_INT(now), own ? DB_PARAM_INT(by_ms) : never, never};
    for (size_t i = 0; i < sizeof own_shift / sizeof *own_shift; i++)
        if (!db_run(record->db, sql[i], param, own ? 3 : 2, err))
            return false;
    return true;
}

bool lease_shift(struct record *record, int64_t by_ms, struct err *err)
{
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (shift_all(record, by_ms, err) && db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return false;
}

bool lease_count(struct record *record, int64_t *ret_due, int64_t *ret_held, struct err *err)
{
    int64_t now = 0;
    if (!lease_now(record, &now, err))
        return false;
    const struct db_value param = DB_PARAM_INT(now);
    return db_one_int(record->db,
                      "SELECT count(*) FROM lease WHERE until_utc_ms <= $1 AND"
                      " (due_utc_ms <= $1 OR urgent_utc_ms <= $1)",
                      &param, 1, ret_due, err) &&
           db_one_int(record->db, "SELECT count(*) FROM lease WHERE until_utc_ms > $1", &param, 1,
                      ret_held, err);
}
