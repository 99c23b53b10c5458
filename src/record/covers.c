/* covers.c - breakglasses and freezes in the store: what holds for many findings for a time. */
#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "record/audit.h"
#include "record/covers_parts.h"
#include "record/reviews_parts.h"

enum { TELL_BYTES = 1 << 20 };

#define COVER_COLUMNS \
    "kind, id, scope, address, reason, ticket, actor, actor_how, actor_via, start_utc_ms," \
    " until_utc_ms, within_ms, ended_utc_ms, ended_by, ended_how, due_utc_ms, findings"

static struct str kind_name(enum cover_kind kind)
{
    return kind == COVER_FREEZE ? STR("freeze") : STR("breakglass");
}

static struct str shown_id(struct arena *arena, const struct cover *cover)
{
    return arena_printf(arena, "%c%lld", cover->kind == COVER_FREEZE ? 'F' : 'B',
                        (long long)cover->id);
}

bool cover_counts(const struct cover *cover, int64_t now_utc_ms)
{
    return cover->start_utc_ms <= now_utc_ms && now_utc_ms < cover->until_utc_ms &&
           (!cover->ended_utc_ms || now_utc_ms < cover->ended_utc_ms);
}

bool cover_fits(const struct cover *cover, struct str stack, struct str address)
{
    return (!cover->scope.len || glob_match(cover->scope, stack, '\0')) &&
           (!cover->address.len || glob_match(cover->address, address, '\0'));
}

/* --- rows --- */

bool cover_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct cover_rows *rows = ctx;
    rows->item = arena_grow(rows->arena, rows->item, rows->n, &rows->room, rows->n + 1);
    if (!rows->item)
        return arena_full(rows->arena, err);
    struct cover *c = &rows->item[rows->n];
    *c = (struct cover){.kind = str_equal(db_text(row, 0), STR("freeze")) ? COVER_FREEZE
                                                                          : COVER_BREAKGLASS,
                        .id = db_int(row, 1),
                        .start_utc_ms = db_int(row, 9),
                        .until_utc_ms = db_int(row, 10),
                        .within_ms = db_int(row, 11),
                        .ended_utc_ms = db_int(row, 12),
                        .due_utc_ms = db_int(row, 15),
                        .nfindings = db_int(row, 16)};
    const struct {
        struct str *to;
        size_t column;
    } texts[] = {{&c->scope, 2},  {&c->address, 3},        {&c->reason, 4},
                 {&c->ticket, 5}, {&c->by.name, 6},        {&c->by.how, 7},
                 {&c->by.via, 8}, {&c->ended_by.name, 13}, {&c->ended_by.how, 14}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i].to = reviews_keep(rows->arena, row, texts[i].column);
        if (!texts[i].to->ptr)
            return arena_full(rows->arena, err);
    }
    rows->n++;
    return true;
}

bool covers_open(struct record *record, struct cover_rows *rows, struct err *err)
{
    return db_query(record->db,
                    "SELECT " COVER_COLUMNS " FROM cover WHERE ended_utc_ms = 0 ORDER BY kind, id",
                    NULL, 0, cover_row, rows, err);
}

bool covers_list(struct record *record, struct arena *arena, enum cover_kind kind, bool all,
                 struct cover **ret, size_t *ret_n, struct err *err)
{
    struct cover_rows rows = {.arena = arena};
    const struct db_value param[] = {DB_PARAM_TEXT(kind_name(kind)), DB_PARAM_INT(all),
                                     DB_PARAM_INT(record_now(record)), DB_PARAM_INT(REVIEWS_MOST)};
    if (!db_query(record->db,
                  "SELECT " COVER_COLUMNS " FROM cover WHERE kind = $1 AND ($2 = 1 OR"
                  " (ended_utc_ms = 0 AND until_utc_ms > $3)) ORDER BY id DESC LIMIT $4",
                  param, 4, cover_row, &rows, err))
        return false;
    *ret = rows.item;
    *ret_n = rows.n;
    return true;
}

/* --- events --- */

static bool tell(struct record *record, const struct cover *cover, enum event_type type,
                 const struct actor *by, struct str outcome, struct str reason, struct err *err)
{
    AUTO_ARENA arena = {.limit = TELL_BYTES};
    struct detail detail = {.arena = &arena};
    struct event event = {.type = type,
                          .time_utc_ms = record_now(record),
                          .actor = by->name.len ? actor_of_event(by)
                                                : (struct event_actor){STR("plumb"), STR("clock")},
                          .subject = shown_id(&arena, cover),
                          .outcome = outcome,
                          .reason = reason};
    if (!event.subject.ptr)
        return arena_full(&arena, err);
    detail_text(&detail, "scope", cover->scope);
    detail_text(&detail, "address", cover->address);
    detail_text(&detail, "ticket", cover->ticket);
    detail_text(&detail, "via", by->via);
    detail_time(&detail, "until", cover->until_utc_ms);
    detail_time(&detail, "due", cover->due_utc_ms);
    if (type == EVENT_BREAKGLASS_END)
        detail_int(&detail, "findings", cover->nfindings);
    return detail_object(&detail, &event.detail, err) && audit_append(record, &event, NULL, err);
}

/* --- start --- */

static bool insert(struct record *record, struct cover *cover, struct err *err)
{
    const struct db_value kind[] = {DB_PARAM_TEXT(kind_name(cover->kind))};
    if (!db_one_int(record->db, "SELECT coalesce(max(id), 0) + 1 FROM cover WHERE kind = $1", kind,
                    1, &cover->id, err))
        return false;
    const struct db_value row[] = {kind[0],
                                   DB_PARAM_INT(cover->id),
                                   reviews_text(cover->scope),
                                   reviews_text(cover->address),
                                   reviews_text(cover->reason),
                                   reviews_text(cover->ticket),
                                   reviews_text(cover->by.name),
                                   reviews_text(cover->by.how),
                                   reviews_text(cover->by.via),
                                   DB_PARAM_INT(cover->start_utc_ms),
                                   DB_PARAM_INT(cover->until_utc_ms),
                                   DB_PARAM_INT(cover->within_ms)};
    return db_run(record->db,
                  "INSERT INTO cover (" COVER_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
                  " $9, $10, $11, $12, 0, '', '', 0, 0)",
                  row, sizeof row / sizeof *row, err);
}

bool covers_start(struct record *record, struct cover *cover, struct err *err)
{
    enum event_type type =
        cover->kind == COVER_FREEZE ? EVENT_FREEZE_START : EVENT_BREAKGLASS_START;
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (insert(record, cover, err) &&
        tell(record, cover, type, &cover->by, STR("start"), cover->reason, err) &&
        db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return false;
}

/* --- end --- */

struct touched {
    const struct cover *cover;
    struct arena *arena;
    int64_t *finding;
    size_t n, room;
};

static bool touched_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct touched *touched = ctx;
    if (!cover_fits(touched->cover, db_text(row, 1), db_text(row, 2)))
        return true;
    touched->finding =
        arena_grow(touched->arena, touched->finding, touched->n, &touched->room, touched->n + 1);
    if (!touched->finding)
        return arena_full(touched->arena, err);
    touched->finding[touched->n++] = db_int(row, 0);
    return true;
}

static bool query_touched(struct record *record, struct arena *arena, const struct cover *cover,
                          const char *sql, struct touched *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(cover->start_utc_ms),
                                     DB_PARAM_INT(cover->ended_utc_ms)};
    *ret = (struct touched){.cover = cover, .arena = arena};
    return db_query(record->db, sql, param, 2, touched_row, ret, err);
}

/* What appeared or changed within it and is still there. */
static const char within[] =
    "SELECT id, stack, address FROM finding WHERE changed_utc_ms >= $1 AND changed_utc_ms <= $2"
    " AND status NOT IN ('resolved', 'ignored') ORDER BY id";
/* Seen behind it, by the first run of the stack that began there. */
static const char behind[] =
    "SELECT f.id, f.stack, f.address FROM finding f WHERE f.changed_utc_ms > $2 AND f.seen_utc_ms "
    ">= $1 AND"
    " f.status NOT IN ('resolved', 'ignored') AND NOT EXISTS (SELECT 1 FROM run r WHERE"
    " r.stack = f.stack AND r.outcome IN ('complete', 'incomplete') AND r.started_utc_ms > $2"
    " AND r.ended_utc_ms < f.changed_utc_ms) ORDER BY f.id";

static bool put_due(struct record *record, const struct cover *cover, int64_t finding,
                    struct err *err)
{
    const struct db_value row[] = {DB_PARAM_INT(cover->id), DB_PARAM_INT(finding),
                                   DB_PARAM_INT(cover->due_utc_ms)};
    return db_run(record->db,
                  "INSERT INTO cover_finding (breakglass, finding, due_utc_ms) VALUES ($1, $2, $3)"
                  " ON CONFLICT DO NOTHING",
                  row, 3, err);
}

static bool make_list(struct record *record, struct cover *cover, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct touched touched;
    cover->due_utc_ms = cover->ended_utc_ms + cover->within_ms;
    if (!query_touched(record, &arena, cover, within, &touched, err))
        return false;
    for (size_t i = 0; i < touched.n; i++)
        if (!put_due(record, cover, touched.finding[i], err))
            return false;
    cover->nfindings = (int64_t)touched.n;
    return true;
}

bool covers_due(struct record *record, struct cover_rows *rows, int64_t now_utc_ms, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(now_utc_ms)};
    return db_query(record->db,
                    "SELECT " COVER_COLUMNS " FROM cover WHERE kind = 'breakglass' AND"
                    " due_utc_ms > $1 ORDER BY id",
                    param, 1, cover_row, rows, err);
}

bool cover_extend(struct record *record, struct cover *cover, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const struct actor nobody = {0};
    struct touched touched;
    int64_t before = cover->nfindings;
    if (!query_touched(record, &arena, cover, behind, &touched, err))
        return false;
    for (size_t i = 0; i < touched.n; i++) {
        if (!put_due(record, cover, touched.finding[i], err))
            return false;
        cover->nfindings += db_changed(record->db);
    }
    if (cover->nfindings == before)
        return true;
    const struct db_value row[] = {DB_PARAM_INT(cover->id), DB_PARAM_INT(cover->nfindings)};
    return db_run(record->db,
                  "UPDATE cover SET findings = $2 WHERE kind = 'breakglass' AND id = $1", row, 2,
                  err) &&
           tell(record, cover, EVENT_BREAKGLASS_END, &nobody, STR("more"),
                STR("the first scan behind it found what nobody had seen within"), err);
}

bool cover_finish(struct record *record, struct cover *cover, int64_t at_utc_ms,
                  const struct actor *by, struct str outcome, struct str why, struct err *err)
{
    bool glass = cover->kind == COVER_BREAKGLASS;
    cover->ended_utc_ms = at_utc_ms;
    cover->ended_by = *by;
    if (glass && !make_list(record, cover, err))
        return false;
    const struct db_value row[] = {DB_PARAM_TEXT(kind_name(cover->kind)),
                                   DB_PARAM_INT(cover->id),
                                   DB_PARAM_INT(at_utc_ms),
                                   reviews_text(by->name),
                                   reviews_text(by->how),
                                   DB_PARAM_INT(cover->due_utc_ms),
                                   DB_PARAM_INT(cover->nfindings)};
    return db_run(record->db,
                  "UPDATE cover SET ended_utc_ms = $3, ended_by = $4, ended_how = $5,"
                  " due_utc_ms = $6, findings = $7 WHERE kind = $1 AND id = $2",
                  row, sizeof row / sizeof *row, err) &&
           tell(record, cover, glass ? EVENT_BREAKGLASS_END : EVENT_FREEZE_END, by, outcome, why,
                err);
}

static bool end_in(struct record *record, enum cover_kind kind, int64_t id, const struct actor *by,
                   struct str why, struct cover_rows *rows, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(kind_name(kind)), DB_PARAM_INT(id)};
    int64_t now = record_now(record);
    if (!db_query(record->db, "SELECT " COVER_COLUMNS " FROM cover WHERE kind = $1 AND id = $2",
                  param, 2, cover_row, rows, err))
        return false;
    if (!rows->n)
        return err_set(err, ERR_USAGE, "there is no %.*s %c%lld", STR_ARG(kind_name(kind)),
                       kind == COVER_FREEZE ? 'F' : 'B', (long long)id);
    if (!cover_counts(&rows->item[0], now))
        return err_set(err, ERR_USAGE, "%c%lld has ended already", kind == COVER_FREEZE ? 'F' : 'B',
                       (long long)id);
    return cover_finish(record, &rows->item[0], now, by, STR("ended"), why, err);
}

bool covers_end(struct record *record, enum cover_kind kind, int64_t id, const struct actor *by,
                struct str why, struct cover *ret, struct arena *arena, struct err *err)
{
    struct cover_rows rows = {.arena = arena};
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (!end_in(record, kind, id, by, why, &rows, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return false;
    }
    *ret = rows.item[0];
    return true;
}

/* --- the review list --- */

struct fingerprints {
    struct arena *arena;
    struct str *item;
    size_t n, room;
};

static bool fingerprint_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct fingerprints *list = ctx;
    list->item = arena_grow(list->arena, list->item, list->n, &list->room, list->n + 1);
    if (!list->item)
        return arena_full(list->arena, err);
    list->item[list->n] = reviews_keep(list->arena, row, 0);
    return list->item[list->n++].ptr || arena_full(list->arena, err);
}

bool covers_findings(struct record *record, struct arena *arena, int64_t breakglass,
                     struct str **ret, size_t *ret_n, struct err *err)
{
    struct fingerprints list = {.arena = arena};
    const struct db_value param[] = {DB_PARAM_INT(breakglass)};
    if (!db_query(record->db,
                  "SELECT f.fingerprint FROM cover_finding c JOIN finding f ON f.id = c.finding"
                  " WHERE c.breakglass = $1 AND f.status NOT IN ('resolved', 'reviewed', 'waived',"
                  " 'ignored') ORDER BY f.severity DESC, f.id",
                  param, 1, fingerprint_row, &list, err))
        return false;
    *ret = list.item;
    *ret_n = list.n;
    return true;
}
