/* listing.c - the store's answers. */
#include "record/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/glob.h"
#include "record/lease.h"
#include "record/listing_parts.h"

enum {
    PREFIX_LEAST = 4,
    CANDIDATES = 5,
    HISTORY_MAX = 100000,
    STACKS_LISTED_MAX = 1000000,
    RUNS_LOOKED_MAX = 100000
};

/* --- findings --- */

#define COLUMNS \
    "id, stack, fingerprint, status, class, severity, address, type, provider, digest, decision," \
    " rule, owner, actor, actor_how, first_utc_ms, open_utc_ms, changed_utc_ms, seen_utc_ms," \
    " due_utc_ms, resolved_utc_ms, first_run, seen_run, resolved_run, times, why"
enum { COLUMN_DETAIL = 26 };

static bool read_row(const struct db_row *row, int64_t now_utc_ms, struct finding_row *ret,
                     struct err *err)
{
    *ret = (struct finding_row){.id = db_int(row, 0),
                                .stack = db_text(row, 1),
                                .fingerprint = db_text(row, 2),
                                .class_ = db_text(row, 4),
                                .severity = db_int(row, 5),
                                .address = db_text(row, 6),
                                .type = db_text(row, 7),
                                .provider = db_text(row, 8),
                                .digest = db_text(row, 9),
                                .decision = db_text(row, 10),
                                .rule = db_text(row, 11),
                                .owner = db_text(row, 12),
                                .actor = db_text(row, 13),
                                .actor_how = db_text(row, 14),
                                .first_utc_ms = db_int(row, 15),
                                .open_utc_ms = db_int(row, 16),
                                .changed_utc_ms = db_int(row, 17),
                                .seen_utc_ms = db_int(row, 18),
                                .due_utc_ms = db_int(row, 19),
                                .resolved_utc_ms = db_int(row, 20),
                                .first_run = db_int(row, 21),
                                .seen_run = db_int(row, 22),
                                .resolved_run = db_int(row, 23),
                                .times = db_int(row, 24),
                                .why = db_text(row, 25)};
    if (!finding_status_from(db_text(row, 3), &ret->status) || ret->severity < 0 ||
        ret->severity >= SEVERITY_COUNT)
        return err_set(err, ERR_SYNTAX, "finding %lld: its status or severity is none",
                       (long long)ret->id);
    ret->overdue =
        ret->due_utc_ms && ret->due_utc_ms < now_utc_ms && finding_status_open(ret->status);
    return true;
}

struct listing {
    const struct finding_query *query;
    bool (*row)(void *ctx, const struct finding_row *row, struct err *err);
    void *ctx;
};

static bool give_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct listing *list = ctx;
    struct finding_row finding;
    return read_row(row, list->query->now_utc_ms, &finding, err) &&
           list->row(list->ctx, &finding, err);
}

bool finding_list(struct record *record, const struct finding_query *query,
                  bool (*row)(void *ctx, const struct finding_row *row, struct err *err), void *ctx,
                  struct err *err)
{
    struct listing list = {query, row, ctx};
    struct listing_sql sql = {0};
    bool ok =
        listing_write(record, query, COLUMNS, &sql, err) &&
        (sql.nothing || db_query(record->db, sql.text.ptr, sql.param, sql.n, give_row, &list, err));
    listing_release(&sql);
    return ok;
}

/* --- one finding --- */

struct candidates {
    struct arena *arena;
    int64_t id[CANDIDATES];
    struct str text[CANDIDATES];
    size_t n;
};

static bool take_candidate(void *ctx, const struct db_row *row, struct err *err)
{
    struct candidates *found = ctx;
    if (found->n == CANDIDATES)
        return true;
    found->id[found->n] = db_int(row, 0);
    found->text[found->n] = arena_printf(found->arena, "%.*s (%.*s)", STR_ARG(db_text(row, 1)),
                                         STR_ARG(db_text(row, 2)));
    return found->text[found->n++].ptr || arena_full(found->arena, err);
}

/* The range of all that begin with the prefix: an index finds it, where LIKE may not. */
static bool find_candidates(struct record *record, struct str prefix, struct str stack,
                            struct candidates *ret, struct err *err)
{
    struct str end = arena_printf(ret->arena, "%.*sg", STR_ARG(prefix)); /* behind the last digit */
    const struct db_value param[] = {DB_PARAM_TEXT(prefix), DB_PARAM_TEXT(end),
                                     DB_PARAM_TEXT(stack.ptr ? stack : STR(""))};
    if (!end.ptr)
        return arena_full(ret->arena, err);
    return db_query(record->db,
                    "SELECT f.id, f.fingerprint, f.stack FROM (SELECT id FROM finding"
                    " WHERE fingerprint >= $1 AND fingerprint < $2 UNION SELECT finding"
                    " FROM finding_history WHERE fingerprint >= $1 AND fingerprint < $2) c"
                    " JOIN finding f ON f.id = c.id WHERE $3 = '' OR f.stack = $3"
                    " ORDER BY f.id LIMIT 5",
                    param, 3, take_candidate, ret, err);
}

struct taking {
    struct arena *arena;
    struct finding_row *row;
    int64_t now_utc_ms;
    bool found;
};

static bool keep(struct arena *arena, struct str *text, struct err *err)
{
    *text = arena_dup(arena, *text);
    return text->ptr || arena_full(arena, err);
}

static bool take_finding(void *ctx, const struct db_row *row, struct err *err)
{
    struct taking *taking = ctx;
    struct finding_row *f = taking->row;
    if (!read_row(row, taking->now_utc_ms, f, err))
        return false;
    f->detail = db_text(row, COLUMN_DETAIL);
    struct str *texts[] = {&f->stack,    &f->fingerprint, &f->class_,   &f->address, &f->type,
                           &f->provider, &f->digest,      &f->decision, &f->rule,    &f->owner,
                           &f->actor,    &f->actor_how,   &f->why,      &f->detail};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!keep(taking->arena, texts[i], err))
            return false;
    taking->found = true;
    return true;
}

static bool is_hex(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
              (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
            return false;
    return true;
}

static bool several(const struct candidates *found, struct str prefix, struct err *err)
{
    AUTO_BUF names = {.limit = 4096};
    for (size_t i = 0; i < found->n; i++)
        buf_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(found->text[i]));
    return err_set(err, ERR_USAGE, "several findings begin with '%.*s': %.*s%s", STR_ARG(prefix),
                   STR_ARG(buf_view(&names)), found->n == CANDIDATES ? " ..." : "");
}

bool finding_get_id(struct record *record, struct arena *arena, int64_t id, int64_t now_utc_ms,
                    struct finding_row *ret, bool *ret_found, struct err *err)
{
    struct taking taking = {arena, ret, now_utc_ms, false};
    const struct db_value param = DB_PARAM_INT(id);
    if (!db_query(record->db, "SELECT " COLUMNS ", detail FROM finding WHERE id = $1", &param, 1,
                  take_finding, &taking, err))
        return false;
    *ret_found = taking.found;
    return true;
}

bool finding_get(struct record *record, struct arena *arena, struct str prefix, struct str stack,
                 int64_t now_utc_ms, struct finding_row *ret, struct err *err)
{
    struct candidates found = {.arena = arena};
    bool there = false;
    if (prefix.len < PREFIX_LEAST || !is_hex(prefix))
        return err_set(err, ERR_USAGE,
                       "a finding is named by the first digits (4 or more) of its fingerprint, as "
                       "`plumb findings` lists them; not by '%.*s'",
                       STR_ARG(prefix));
    if (!find_candidates(record, prefix, stack, &found, err))
        return false;
    if (!found.n)
        return err_set(err, ERR_USAGE,
                       "no finding begins with '%.*s' (`plumb findings --status "
                       "all` lists them)",
                       STR_ARG(prefix));
    if (found.n > 1)
        return several(&found, prefix, err);
    return finding_get_id(record, arena, found.id[0], now_utc_ms, ret, &there, err) &&
           (there || err_set(err, ERR_CONFLICT, "the finding was taken out just now"));
}

struct details {
    bool (*row)(void *ctx, int64_t finding, struct str detail, struct err *err);
    void *ctx;
};

static bool give_detail(void *ctx, const struct db_row *row, struct err *err)
{
    struct details *details = ctx;
    return details->row(details->ctx, db_int(row, 0), db_text(row, 1), err);
}

bool finding_details(struct record *record, struct str stack,
                     bool (*row)(void *ctx, int64_t finding, struct str detail, struct err *err),
                     void *ctx, struct err *err)
{
    struct details details = {row, ctx};
    const struct db_value param = DB_PARAM_TEXT(stack);
    return db_query(record->db,
                    "SELECT id, detail FROM finding WHERE stack = $1 AND lane < 4"
                    " AND decision <> '' ORDER BY id",
                    &param, 1, give_detail, &details, err);
}

struct pasts {
    struct arena *arena;
    struct finding_past *past;
    size_t n, room;
};

static bool take_past(void *ctx, const struct db_row *row, struct err *err)
{
    struct pasts *pasts = ctx;
    struct finding_past *grown =
        arena_grow(pasts->arena, pasts->past, pasts->n, &pasts->room, pasts->n + 1);
    if (!grown)
        return arena_full(pasts->arena, err);
    pasts->past = grown;
    struct finding_past *p = &pasts->past[pasts->n++];
    *p = (struct finding_past){db_int(row, 0),  db_int(row, 1),  db_text(row, 2), db_text(row, 3),
                               db_text(row, 4), db_text(row, 5), db_text(row, 6)};
    return keep(pasts->arena, &p->what, err) && keep(pasts->arena, &p->fingerprint, err) &&
           keep(pasts->arena, &p->digest, err) && keep(pasts->arena, &p->actor, err) &&
           keep(pasts->arena, &p->why, err);
}

bool finding_history(struct record *record, struct arena *arena, int64_t id,
                     struct finding_past **ret, size_t *ret_n, struct err *err)
{
    struct pasts pasts = {.arena = arena};
    const struct db_value param[] = {DB_PARAM_INT(id), DB_PARAM_INT(HISTORY_MAX)};
    if (!db_query(record->db,
                  "SELECT utc_ms, run, what, fingerprint, digest, actor, why FROM finding_history"
                  " WHERE finding = $1 ORDER BY id LIMIT $2",
                  param, 2, take_past, &pasts, err))
        return false;
    *ret = pasts.past;
    *ret_n = pasts.n;
    return true;
}

/* --- runs --- */

struct one_run {
    struct arena *arena;
    struct run_row *run;
    bool found;
};

#define RUN_COLUMNS \
    "id, started_utc_ms, ended_utc_ms, live_utc_ms, dirty, stack, outcome, actor, actor_how," \
    " source, desired, live, revision, branch, policy, config, digest, failed, coverage, plumb," \
    " note"

static bool read_run(struct arena *arena, const struct db_row *row, struct run_row *r,
                     struct err *err)
{
    *r = (struct run_row){.id = db_int(row, 0),
                          .started_utc_ms = db_int(row, 1),
                          .ended_utc_ms = db_int(row, 2),
                          .live_utc_ms = db_int(row, 3),
                          .dirty = db_int(row, 4) != 0};
    struct str *texts[] = {&r->stack,  &r->outcome,  &r->actor,  &r->actor_how,
                           &r->source, &r->desired,  &r->live,   &r->revision,
                           &r->branch, &r->policy,   &r->config, &r->digest,
                           &r->failed, &r->coverage, &r->plumb,  &r->note};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = db_text(row, 5 + i);
        if (!keep(arena, texts[i], err))
            return false;
    }
    return true;
}

static bool take_run(void *ctx, const struct db_row *row, struct err *err)
{
    struct one_run *one = ctx;
    one->found = true;
    return read_run(one->arena, row, one->run, err);
}

bool run_get(struct record *record, struct arena *arena, int64_t id, struct run_row *ret,
             struct err *err)
{
    struct one_run one = {arena, ret, false};
    const struct db_value param = DB_PARAM_INT(id);
    return db_query(record->db, "SELECT " RUN_COLUMNS " FROM run WHERE id = $1", &param, 1,
                    take_run, &one, err) &&
           one.found;
}

struct runs {
    const struct run_query *query;
    struct arena *arena;
    struct run_row *run;
    size_t n, room;
    int64_t passed;
};

static bool take_runs(void *ctx, const struct db_row *row, struct err *err)
{
    struct runs *runs = ctx;
    const struct run_query *q = runs->query;
    if (q->stacks.len && (!glob_match(q->stacks, db_text(row, 5), '\0') ||
                          runs->passed++ < q->offset || (q->limit && runs->n == (size_t)q->limit)))
        return true;
    runs->run = arena_grow(runs->arena, runs->run, runs->n, &runs->room, runs->n + 1);
    return runs->run ? read_run(runs->arena, row, &runs->run[runs->n++], err)
                     : arena_full(runs->arena, err);
}

bool run_list(struct record *record, struct arena *arena, const struct run_query *query,
              struct run_row **ret, size_t *ret_n, struct err *err)
{
    struct runs runs = {.query = query, .arena = arena};
    bool one = query->stack.len > 0, all = query->stacks.len > 0; /* a glob is looked at here */
    const struct db_value param[] = {
        DB_PARAM_INT(all || !query->limit ? RUNS_LOOKED_MAX : query->limit),
        DB_PARAM_INT(all ? 0 : query->offset), DB_PARAM_TEXT(query->stack)};
    if (!db_query(record->db,
                  one ? "SELECT " RUN_COLUMNS " FROM run WHERE stack = $3 ORDER BY id DESC"
                        " LIMIT $1 OFFSET $2"
                      : "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT $1 OFFSET $2",
                  param, one ? 3 : 2, take_runs, &runs, err))
        return false;
    *ret = runs.run;
    *ret_n = runs.n;
    return true;
}

/* --- stacks --- */

struct stack_rows {
    struct arena *arena;
    struct stack_row *row;
    size_t n, room;
};

static bool take_stack(void *ctx, const struct db_row *row, struct err *err)
{
    struct stack_rows *rows = ctx;
    struct stack_row *grown = arena_grow(rows->arena, rows->row, rows->n, &rows->room, rows->n + 1);
    if (!grown)
        return arena_full(rows->arena, err);
    rows->row = grown;
    struct stack_row *s = &rows->row[rows->n++];
    int64_t ended = db_int(row, 4);
    *s = (struct stack_row){.last_run = db_int(row, 0),
                            .complete_run = db_int(row, 1),
                            .complete_utc_ms = db_int(row, 2),
                            .first_utc_ms = db_int(row, 13),
                            .failed_run = db_int(row, 14),
                            .last_utc_ms = ended ? ended : db_int(row, 3)};
    struct str *texts[] = {&s->name,         &s->path,        &s->environment, &s->owner,
                           &s->last_outcome, &s->last_failed, &s->last_note,   &s->before};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = db_text(row, 5 + i);
        if (!keep(rows->arena, texts[i], err))
            return false;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct stack_row *x = a, *y = b;
    return str_compare(x->name, y->name);
}

static struct stack_row *stack_named(const struct stack_rows *rows, struct str name)
{
    const struct stack_row key = {.name = name};
    return rows->n ? bsearch(&key, rows->row, rows->n, sizeof key, by_name) : NULL;
}

static bool count_lane(void *ctx, const struct db_row *row, struct err *err)
{
    struct stack_row *s = stack_named(ctx, db_text(row, 0));
    int64_t lane = db_int(row, 1);
    (void)err;
    if (!s)
        return true;
    int64_t *counter[] = {&s->open, &s->reviewed, &s->waived, &s->ignored, &s->resolved};
    if (lane >= 0 && lane < (int64_t)(sizeof counter / sizeof *counter))
        *counter[lane] = db_int(row, 2);
    if (lane < 4)
        s->unchecked += db_int(row, 3);
    return true;
}

static bool count_overdue(void *ctx, const struct db_row *row, struct err *err)
{
    struct stack_row *stack = stack_named(ctx, db_text(row, 0));
    (void)err;
    if (stack)
        stack->overdue = db_int(row, 1);
    return true;
}

bool stack_list(struct record *record, struct arena *arena, int64_t now_utc_ms,
                struct stack_row **ret, size_t *ret_n, struct err *err)
{
    struct stack_rows rows = {.arena = arena};
    const struct db_value now = DB_PARAM_INT(now_utc_ms), most = DB_PARAM_INT(STACKS_LISTED_MAX);
    if (!db_query(record->db,
                  "SELECT s.last_run, s.complete_run, s.complete_utc_ms, r.started_utc_ms,"
                  " r.ended_utc_ms, s.name, s.path, s.environment, s.owner, r.outcome,"
                  " coalesce(w.failed, r.failed),"
                  " r.note, CASE WHEN r.outcome = 'running' THEN coalesce((SELECT b.outcome FROM"
                  " run b WHERE b.stack = s.name AND b.id < s.last_run AND b.outcome <> 'abandoned'"
                  " ORDER BY b.id DESC LIMIT 1), '') ELSE '' END, s.first_utc_ms,"
                  " s.failed_run FROM stack s JOIN run r ON r.id = s.last_run LEFT JOIN run w ON"
                  " w.id = s.failed_run WHERE s.retired_utc_ms IS NULL"
                  " LIMIT $1",
                  &most, 1, take_stack, &rows, err))
        return false;
    if (rows.n > 1)
        qsort(rows.row, rows.n, sizeof *rows.row, by_name);
    if (!db_query(record->db,
                  "SELECT stack, lane, CAST(sum(findings) AS BIGINT), CAST(sum(CASE WHEN class ="
                  " 'unchecked' THEN findings ELSE 0 END) AS BIGINT) FROM finding_count"
                  " GROUP BY stack, lane",
                  NULL, 0, count_lane, &rows, err) ||
        !db_query(record->db,
                  db_kind(record->db) == DB_SQLITE
                      ? "SELECT stack, count(*) FROM finding INDEXED BY finding_due WHERE"
                        " due_utc_ms < $1 AND lane = 0 GROUP BY stack"
                      : "SELECT stack, count(*) FROM finding WHERE due_utc_ms < $1 AND lane = 0"
                        " GROUP BY stack",
                  &now, 1, count_overdue, &rows, err))
        return false;
    *ret = rows.row;
    *ret_n = rows.n;
    return true;
}

static bool count_judged(void *ctx, const struct db_row *row, struct err *err)
{
    struct stack_row *s = stack_named(ctx, db_text(row, 0));
    enum finding_class class_;
    if (!finding_class_from(db_text(row, 1), &class_))
        return err_set(err, ERR_SYNTAX,
                       "a finding of the store has the class '%.*s', which is none",
                       STR_ARG(db_text(row, 1)));
    if (!s)
        return true;
    s->classes |= 1u << class_;
    if (db_int(row, 2) == 0 && db_int(row, 3))
        s->violations += db_int(row, 4);
    return true;
}

bool stack_list_judged(struct record *record, struct stack_row *row, size_t n, struct err *err)
{
    struct stack_rows rows = {.row = row, .n = n};
    return db_query(record->db,
                    "SELECT stack, class, lane, violation, findings FROM finding_count"
                    " WHERE lane < 2 AND findings > 0",
                    NULL, 0, count_judged, &rows, err);
}

bool service_get(struct record *record, struct service_row *ret, struct err *err)
{
    static const char *const counts[] = {"SELECT count(*) FROM alert WHERE state = 'waiting'",
                                         "SELECT count(*) FROM alert WHERE state = 'dead'",
                                         "SELECT count(*) FROM schedule"};
    int64_t planned = 0, *to[] = {&ret->alerts_waiting, &ret->alerts_dead, &planned};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (!db_one_int(record->db, counts[i], NULL, 0, to[i], err))
            return false;
    ret->there = planned || ret->alerts_waiting || ret->alerts_dead;
    return lease_count(record, &ret->due, &ret->running, err);
}
