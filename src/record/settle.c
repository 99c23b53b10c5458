/* settle.c - what time and scans have done to reviews, covers and deadlines, written down. */
#include "base/arena.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/counts.h"
#include "record/covers_parts.h"
#include "record/findings_parts.h"
#include "record/reviews_parts.h"

/* More in one transaction would keep others waiting; the next call goes on. */
enum { SETTLE_MOST = 10000 };

struct settling {
    struct record *record;
    struct arena *arena;
    int64_t now;
    struct settled done;
};

/* --- is there anything? ---
 *
 * Each question is answered by an index, without a walk. What scans have seen otherwise was written
 * down with the scan (reviews_end_over); it is looked at again where there is something anyway.
 */

#define REVIEW_OVER \
    "r.state <> 'ended' AND (r.until_utc_ms <= $1 OR f.status = 'resolved' OR f.digest <> " \
    "r.digest)"
#define REVIEW_FORGOTTEN \
    "r.state = 'effect' AND f.status NOT IN ('resolved', 'ignored', 'reviewed', 'waived')"
#define OVERDUE "f.due_utc_ms <= $1 AND f.lane = 0 AND f.due_utc_ms <> f.told_due_utc_ms"
/* Of a breakglass's list, what is due before its own deadline. What came back after the list was
 * due is no matter of it any more. CROSS: SQLite begins with the lists, not with all open findings.
 */
#define LISTED \
    "cover_finding c CROSS JOIN finding f WHERE f.id = c.finding AND f.lane = 0 AND " \
    "f.open_utc_ms < c.due_utc_ms AND (f.due_utc_ms IS NULL OR" \
    " f.due_utc_ms > c.due_utc_ms)"

static bool anything(struct record *record, int64_t now, bool *ret, struct err *err)
{
    static const char *const sql[] = {
        "SELECT count(*) FROM (SELECT 1 FROM review r WHERE r.state <> 'ended' AND"
        " r.until_utc_ms <= $1 LIMIT 1) t",
        "SELECT count(*) FROM (SELECT 1 FROM cover WHERE ended_utc_ms = 0 AND until_utc_ms <= $1"
        " LIMIT 1) t",
        "SELECT count(*) FROM (SELECT 1 FROM " LISTED " AND f.open_utc_ms <= $1 LIMIT 1) t",
        "SELECT count(*) FROM cover WHERE kind = 'breakglass' AND due_utc_ms > $1",
        "SELECT count(*) FROM (SELECT 1 FROM finding f WHERE " OVERDUE " LIMIT 1) t",
    };
    const struct db_value param[] = {DB_PARAM_INT(now)};
    *ret = false;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && !*ret; i++) {
        int64_t n = 0;
        if (!db_one_int(record->db, sql[i], param, 1, &n, err))
            return false;
        *ret = n > 0;
    }
    return true;
}

/* --- reviews --- */

struct over {
    struct review_rows rows;
    struct str *status, *digest;
    size_t status_room, digest_room;
};

static bool over_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct over *over = ctx;
    struct arena *arena = over->rows.arena;
    size_t n = over->rows.n;
    over->status = arena_grow(arena, over->status, n, &over->status_room, n + 1);
    over->digest = arena_grow(arena, over->digest, n, &over->digest_room, n + 1);
    if (!over->status || !over->digest)
        return arena_full(arena, err);
    over->status[n] = reviews_keep(arena, row, REVIEW_NCOLUMNS);
    over->digest[n] = reviews_keep(arena, row, REVIEW_NCOLUMNS + 1);
    if (!over->status[n].ptr || !over->digest[n].ptr)
        return arena_full(arena, err);
    return review_rows_add(&over->rows, row, err);
}

/* stack  NULL: of all */
static bool end_reviews(struct settling *s, const struct str *stack, struct err *err)
{
    struct over over = {.rows = {.arena = s->arena}};
    const struct db_value param[] = {DB_PARAM_INT(s->now), DB_PARAM_INT(SETTLE_MOST),
                                     stack ? record_text(s->arena, *stack, SIZE_MAX)
                                           : DB_PARAM_TEXT(STR(""))};
    static const char all[] =
        "SELECT " REVIEW_COLUMNS ", f.status, f.digest FROM review r JOIN finding f"
        " ON f.id = r.finding WHERE " REVIEW_OVER " ORDER BY r.id LIMIT $2";
    static const char of_stack[] =
        "SELECT " REVIEW_COLUMNS ", f.status, f.digest FROM review r JOIN finding f"
        " ON f.id = r.finding WHERE r.stack = $3 AND " REVIEW_OVER " ORDER BY r.id LIMIT $2";
    if (!db_query(s->record->db, stack ? of_stack : all, param, stack ? 3 : 2, over_row, &over,
                  err))
        return false;
    for (size_t i = 0; i < over.rows.n; i++) {
        const struct review *review = &over.rows.review[i];
        bool gone = str_equal(over.status[i], STR("resolved"));
        enum review_end end =
            review_look(review, gone ? SIGHT_GONE : SIGHT_FOUND, over.digest[i], s->now);
        if (end == REVIEW_NOT_ENDED)
            continue;
        if (!reviews_end(s->record, review, end, NULL, str_from(review_end_meaning(end)), err))
            return false;
        s->done.expired += end == REVIEW_EXPIRED;
        s->done.voided += end == REVIEW_VOIDED;
        s->done.resolved += end == REVIEW_RESOLVED;
    }
    return true;
}

bool reviews_end_over(struct record *record, struct str stack, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct settling s = {.record = record, .arena = &arena, .now = record_now(record)};
    return end_reviews(&s, &stack, err);
}

/* A scan that did not know of a review has called its finding open. */
static bool remind(struct settling *s, struct err *err)
{
    struct review_rows rows = {.arena = s->arena};
    const struct db_value param[] = {DB_PARAM_INT(SETTLE_MOST)};
    if (!db_query(s->record->db,
                  "SELECT " REVIEW_COLUMNS " FROM review r JOIN finding f ON f.id = r.finding"
                  " WHERE " REVIEW_FORGOTTEN " ORDER BY r.id LIMIT $1",
                  param, 1, review_rows_add, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n; i++) {
        bool accept = rows.review[i].answer == ANSWER_ACCEPT;
        struct str why = review_says(s->arena, &rows.review[i]);
        if (!why.ptr)
            return arena_full(s->arena, err);
        const struct db_value row[] = {DB_PARAM_INT(rows.finding[i]),
                                       DB_PARAM_TEXT(accept ? STR("waived") : STR("reviewed")),
                                       DB_PARAM_TEXT(why)};
        if (!counts_one(s->record->db, rows.finding[i], -1, err) ||
            !db_run(s->record->db, "UPDATE finding SET status = $2, why = $3 WHERE id = $1", row, 3,
                    err) ||
            !counts_one(s->record->db, rows.finding[i], 1, err) ||
            !reviews_note(s->record, rows.finding[i], accept ? "waived" : "reviewed", NULL, why,
                          err))
            return false;
    }
    return true;
}

/* --- breakglasses and freezes --- */

static bool end_covers(struct settling *s, struct err *err)
{
    const struct actor nobody = {0};
    struct cover_rows rows = {.arena = s->arena};
    if (!covers_open(s->record, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n; i++) {
        struct cover *cover = &rows.item[i];
        if (cover->until_utc_ms > s->now)
            continue;
        if (!cover_finish(s->record, cover, cover->until_utc_ms, &nobody, STR("expired"),
                          STR("its time has passed"), err))
            return false;
        s->done.breakglasses += cover->kind == COVER_BREAKGLASS;
        s->done.freezes += cover->kind == COVER_FREEZE;
    }
    return true;
}

/* What was done within a breakglass and seen by the first scan behind it. */
static bool extend_lists(struct settling *s, struct err *err)
{
    struct cover_rows rows = {.arena = s->arena};
    if (!covers_due(s->record, &rows, s->now, err))
        return false;
    for (size_t i = 0; i < rows.n; i++)
        if (!cover_extend(s->record, &rows.item[i], err))
            return false;
    return true;
}

static bool bring_forward(struct settling *s, struct err *err)
{
    return db_run(s->record->db,
                  "UPDATE finding SET due_utc_ms = (SELECT min(c.due_utc_ms) FROM cover_finding c"
                  " WHERE c.finding = finding.id AND finding.open_utc_ms < c.due_utc_ms)"
                  " WHERE lane = 0 AND id IN (SELECT f.id FROM " LISTED ")",
                  NULL, 0, err);
}

/* --- deadlines ---
 *
 * Ten thousand may pass at once: few statements, whatever their number. All of them mean the same
 * findings, as nobody else writes meanwhile.
 */

/* Those that have to be told; one that is due once more was told then. */
#define LATE \
    "(SELECT f.id, f.due_utc_ms, f.stack, f.fingerprint, f.digest, f.address, f.class, f.owner" \
    " FROM finding f WHERE " OVERDUE " ORDER BY f.id LIMIT $2) l WHERE NOT EXISTS" \
    " (SELECT 1 FROM overdue o WHERE o.finding = l.id AND o.due_utc_ms = l.due_utc_ms)"
#define LATE_WHY "its deadline passed without a review"

struct late {
    struct settling *s;
    struct event *event;
    size_t n, room;
};

static bool late_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct late *late = ctx;
    struct arena *arena = late->s->arena;
    struct detail *detail = arena_new(arena, struct detail, 1);
    late->event = arena_grow(arena, late->event, late->n, &late->room, late->n + 1);
    if (!late->event || !detail)
        return arena_full(arena, err);
    struct event *event = &late->event[late->n++];
    *event = (struct event){.type = EVENT_FINDING_OVERDUE,
                            .time_utc_ms = late->s->now,
                            .actor = {STR("plumb"), STR("clock")},
                            .stack = reviews_keep(arena, row, 1),
                            .subject = reviews_keep(arena, row, 2),
                            .reason = STR(LATE_WHY)};
    detail->arena = arena;
    detail->full = !event->stack.ptr || !event->subject.ptr;
    detail_text(detail, "address", db_text(row, 3));
    detail_text(detail, "class", db_text(row, 4));
    detail_text(detail, "owner", db_text(row, 5));
    detail_time(detail, "due", db_int(row, 0));
    return detail_object(detail, &event->detail, err);
}

static bool tell_overdue(struct settling *s, struct err *err)
{
    struct late late = {.s = s};
    struct db *db = s->record->db;
    const struct db_value param[] = {DB_PARAM_INT(s->now), DB_PARAM_INT(SETTLE_MOST)};
    bool ok =
        db_query(db,
                 "SELECT l.due_utc_ms, l.stack, l.fingerprint, l.address, l.class, l.owner FROM"
                 " " LATE " ORDER BY l.id",
                 param, 2, late_row, &late, err) &&
        (!late.n ||
         (db_run(db,
                 "INSERT INTO finding_history (id, finding, utc_ms, run, what, fingerprint, digest,"
                 " actor, why) SELECT (SELECT " FINDING_HISTORY_NEXT ") - 1 + row_number() OVER"
                 " (ORDER BY l.id), l.id, CAST($1 AS BIGINT), NULL, 'overdue', l.fingerprint,"
                 " l.digest, '', '" LATE_WHY "' FROM " LATE,
                 param, 2, err) &&
          db_run(db,
                 "INSERT INTO overdue (finding, due_utc_ms, told_utc_ms) SELECT l.id, l.due_utc_ms,"
                 " CAST($1 AS BIGINT) FROM " LATE,
                 param, 2, err))) &&
        db_run(db,
               "UPDATE finding SET told_due_utc_ms = due_utc_ms WHERE id IN (SELECT f.id FROM"
               " finding f WHERE " OVERDUE " ORDER BY f.id LIMIT $2)",
               param, 2, err);
    s->done.overdue = late.n;
    return ok && (!late.n || audit_append_many(s->record, late.event, late.n, NULL, err));
}

/* --- all of it --- */

bool record_unsettled(struct record *record, bool *ret, struct err *err)
{
    return anything(record, record_now(record), ret, err);
}

bool record_settle(struct record *record, struct settled *ret, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct settling s = {.record = record, .arena = &arena, .now = record_now(record)};
    bool some = false;
    *ret = (struct settled){0};
    if (!anything(record, s.now, &some, err))
        return err_wrap(err, "what has ended since");
    if (!some)
        return true;
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "write down what has ended");
    if (end_reviews(&s, NULL, err) && remind(&s, err) && end_covers(&s, err) &&
        extend_lists(&s, err) && bring_forward(&s, err) && tell_overdue(&s, err) &&
        db_commit(record->db, err)) {
        *ret = s.done;
        return true;
    }
    db_rollback(record->db);
    return err_wrap(err, "write down what has ended");
}
