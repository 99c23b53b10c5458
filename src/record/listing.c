/* listing.c - the store's answers. A list is a walk along one of finding's indexes. */
#include "record/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/glob.h"
#include "model/decision.h"
#include "record/lease.h"

enum {
    SQL_BYTES_MAX = 16 << 10,
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
    struct buf sql, pattern;
    struct db_value param[FINDING_QUERY_NAMES + CLASS_COUNT + STATUS_COUNT + 10];
    size_t n, words; /* parameters; conditions */
};

static bool give_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct listing *list = ctx;
    struct finding_row finding;
    return read_row(row, list->query->now_utc_ms, &finding, err) &&
           list->row(list->ctx, &finding, err);
}

static void add_param(struct listing *list, struct db_value value)
{
    list->param[list->n++] = value;
    buf_printf(&list->sql, "$%zu", list->n);
}

static void add_word(struct listing *list)
{
    buf_str(&list->sql, list->words++ ? STR(" AND ") : STR(" WHERE "));
}

/* column = $1, or column IN ($1, $2) */
static void add_names(struct listing *list, const char *column, const struct str *name, size_t n)
{
    if (!n)
        return;
    add_word(list);
    buf_printf(&list->sql, n == 1 ? "%s = " : "%s IN (", column);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_str(&list->sql, STR(", "));
        add_param(list, DB_PARAM_TEXT(name[i]));
    }
    if (n > 1)
        buf_char(&list->sql, ')');
}

static void add_classes(struct listing *list)
{
    struct str name[CLASS_COUNT];
    size_t n = 0;
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (list->query->classes & 1u << i)
            name[n++] = str_from(finding_class_name((enum finding_class)i));
    add_names(list, "class", name, n);
}

/* The lane that all of the statuses are in, or -1. */
static int lane_of(unsigned chosen)
{
    static const int lanes[] = {
#define X(constant, name, lane, meaning) lane,
        FINDING_STATUSES(X)
#undef X
    };
    int lane = -1;
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        if (!(chosen & 1u << i))
            continue;
        if (lane >= 0 && lane != lanes[i])
            return -1;
        lane = lanes[i];
    }
    return lane;
}

/* All open ones are one lane, which the indexes begin with. Of a stack, some of a lane are found
 * through the lane too, and the newest through each of them. */
static void add_statuses(struct listing *list)
{
    const struct finding_query *q = list->query;
    struct str name[STATUS_COUNT];
    size_t n = 0;
    int lane = q->overdue ? 0 : lane_of(q->statuses);
    if (q->overdue || q->statuses == FINDING_STATUSES_OPEN || (lane >= 0 && q->nstacks)) {
        add_word(list);
        buf_str(&list->sql, STR("lane = "));
        add_param(list, DB_PARAM_INT(lane));
    } else if (q->since_utc_ms && q->nstacks) {
        add_word(list);
        buf_str(&list->sql, STR("lane IN (0, 1, 2, 3, 4)"));
    }
    if (q->statuses == FINDING_STATUSES_OPEN)
        return;
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (q->statuses & 1u << i)
            name[n++] = str_from(finding_status_name((enum finding_status)i));
    add_names(list, "status", name, n);
}

static void add_from(struct listing *list, const char *column, const char *operator, int64_t n)
{
    add_word(list);
    buf_printf(&list->sql, "%s %s ", column, operator);
    add_param(list, DB_PARAM_INT(n));
}

/* The same of both: the operator of a database takes what glob_match takes, in its own signs. */
static void add_glob(struct listing *list, struct str glob, bool sqlite)
{
    struct buf *out = &list->pattern;
    if (!glob.len)
        return;
    for (size_t i = 0; i < glob.len; i++) {
        bool literal = glob.ptr[i] == '\\' && i + 1 < glob.len;
        char c = glob.ptr[literal ? ++i : i];
        if (!literal && (c == '*' || c == '?'))
            buf_char(out, sqlite ? c : c == '*' ? '%' : '_');
        else if (sqlite)
            buf_printf(out, strchr("*?[", c) ? "[%c]" : "%c", c);
        else
            buf_printf(out, strchr("%_\\", c) ? "\\%c" : "%c", c);
    }
    add_word(list);
    buf_str(&list->sql, sqlite ? STR("stack GLOB ") : STR("stack LIKE "));
    add_param(list, DB_PARAM_TEXT(buf_view(out)));
}

/* Several statuses that are no whole lane: the first so many of each, along its own index, hold the
 * first of all. What was written so far goes for each. */
static void add_merge(struct listing *list, size_t from)
{
    const struct finding_query *q = list->query;
    int64_t most = q->offset < INT64_MAX - q->limit ? q->limit + q->offset : INT64_MAX;
    AUTO_BUF rest = {.limit = SQL_BYTES_MAX};
    buf_str(&rest, str_sub(buf_view(&list->sql), from, list->sql.len));
    list->sql.len = from;
    buf_str(&list->sql, STR(" WHERE id IN ("));
    for (unsigned i = 0, n = 0; i < STATUS_COUNT; i++) {
        if (!(q->statuses & 1u << i))
            continue;
        buf_printf(&list->sql, "%sSELECT id FROM (SELECT id FROM finding%.*s%s status = ",
                   n ? " UNION ALL " : "", STR_ARG(buf_view(&rest)),
                   list->words ? " AND" : " WHERE");
        add_param(list, DB_PARAM_TEXT(str_from(finding_status_name((enum finding_status)i))));
        buf_str(&list->sql, STR(" ORDER BY severity DESC, id LIMIT "));
        add_param(list, DB_PARAM_INT(most));
        buf_printf(&list->sql, ") s%u", n++);
    }
    buf_char(&list->sql, ')');
    if (rest.failed)
        list->sql.failed = true;
}

static void write_sql(struct listing *list, bool sqlite)
{
    const struct finding_query *q = list->query;
    unsigned one = q->statuses & (q->statuses - 1); /* 0: a single status, in its own index */
    bool merge = one && q->statuses != FINDING_STATUSES_OPEN && q->limit && !q->nstacks &&
                 !q->since_utc_ms && !q->overdue;
    buf_str(&list->sql, STR("SELECT " COLUMNS " FROM finding"));
    size_t from = list->sql.len;
    add_names(list, "stack", q->stack, q->nstacks);
    add_glob(list, q->stacks, sqlite);
    add_classes(list);
    if (!merge)
        add_statuses(list);
    if (q->severity > 0)
        add_from(list, "severity", ">=", q->severity);
    if (q->since_utc_ms)
        add_from(list, "changed_utc_ms", ">=", q->since_utc_ms);
    if (q->overdue)
        add_from(list, "due_utc_ms", "<", q->now_utc_ms);
    if (merge)
        add_merge(list, from);
    buf_str(&list->sql, q->since_utc_ms           ? STR(" ORDER BY changed_utc_ms DESC, id")
                        : q->overdue              ? STR(" ORDER BY due_utc_ms, id")
                        : q->statuses && one == 0 ? STR(" ORDER BY severity DESC, id")
                                                  : STR(" ORDER BY lane, severity DESC, id"));
    if (q->limit) {
        buf_str(&list->sql, STR(" LIMIT "));
        add_param(list, DB_PARAM_INT(q->limit));
    } else if (q->offset) {
        buf_str(&list->sql, STR(" LIMIT 9223372036854775807"));
    }
    if (q->offset) {
        buf_str(&list->sql, STR(" OFFSET "));
        add_param(list, DB_PARAM_INT(q->offset));
    }
    buf_char(&list->sql, '\0');
}

bool finding_list(struct record *record, const struct finding_query *query,
                  bool (*row)(void *ctx, const struct finding_row *row, struct err *err), void *ctx,
                  struct err *err)
{
    struct listing list = {.query = query,
                           .row = row,
                           .ctx = ctx,
                           .sql = {.limit = SQL_BYTES_MAX},
                           .pattern = {.limit = SQL_BYTES_MAX}};
    write_sql(&list, db_kind(record->db) == DB_SQLITE);
    bool ok = buf_ok(&list.sql, err) && buf_ok(&list.pattern, err) &&
              db_query(record->db, list.sql.ptr, list.param, list.n, give_row, &list, err);
    buf_free(&list.pattern);
    buf_free(&list.sql);
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
                            .first_utc_ms = db_int(row, 12),
                            .last_utc_ms = ended ? ended : db_int(row, 3)};
    struct str *texts[] = {&s->name,         &s->path,        &s->environment, &s->owner,
                           &s->last_outcome, &s->last_failed, &s->last_note};
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
                  " r.ended_utc_ms, s.name, s.path, s.environment, s.owner, r.outcome, r.failed,"
                  " r.note, s.first_utc_ms"
                  " FROM stack s JOIN run r ON r.id = s.last_run WHERE s.retired_utc_ms IS NULL"
                  " LIMIT $1",
                  &most, 1, take_stack, &rows, err))
        return false;
    if (rows.n > 1)
        qsort(rows.row, rows.n, sizeof *rows.row, by_name);
    if (!db_query(record->db, "SELECT stack, lane, count(*) FROM finding GROUP BY stack, lane",
                  NULL, 0, count_lane, &rows, err) ||
        !db_query(record->db,
                  "SELECT stack, count(*) FROM finding WHERE due_utc_ms < $1 AND lane = 0"
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
    enum decision decision;
    if (!finding_class_from(db_text(row, 1), &class_))
        return err_set(err, ERR_SYNTAX,
                       "a finding of the store has the class '%.*s', which is none",
                       STR_ARG(db_text(row, 1)));
    if (!s)
        return true;
    s->classes |= 1u << class_;
    if (db_int(row, 2) == 0 && decision_from(db_text(row, 3), &decision) &&
        decision_is_violation(decision))
        s->violations += db_int(row, 4);
    return true;
}

bool stack_list_judged(struct record *record, struct stack_row *row, size_t n, struct err *err)
{
    struct stack_rows rows = {.row = row, .n = n};
    return db_query(record->db,
                    "SELECT stack, class, lane, decision, count(*) FROM finding WHERE lane < 2"
                    " GROUP BY stack, class, lane, decision",
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
