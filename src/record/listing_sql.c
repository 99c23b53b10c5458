/* listing_sql.c - a question to the findings as a statement that reads no more than a page of them.
 *
 * The ids of a page come from indexes alone, the page's rows by their ids. An index has an order of
 * its own behind what it begins with (a stack, a class, a lane), and holds what else lists filter
 * by: schema.c, "lists out of indexes". What is asked of several stacks, classes or lanes is as
 * many walks, `legs`, each of which ends after the page; the first so many of each hold the first
 * of all.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "record/listing_parts.h"

enum { SQL_BYTES_MAX = 256 << 10, ARENA_BYTES = 1 << 20, LANES = 5, LEGS_MAX = 48, ANY = -1 };

enum order { BY_SEVERITY, BY_CHANGE, BY_DUE };
static const struct {
    const char *keys, *by; /* columns of a leg besides its id; the order */
} orders[] = {
    [BY_SEVERITY] = {"lane, severity", "lane, severity DESC, id"},
    [BY_CHANGE] = {"changed_utc_ms", "changed_utc_ms DESC, id"},
    [BY_DUE] = {"due_utc_ms", "due_utc_ms, id"},
};

struct writing {
    struct record *record;
    const struct finding_query *q;
    struct listing_sql *sql;
    bool sqlite;
    enum order order;
    unsigned lanes; /* bits */
    /* By number of the parameter. */
    struct str stack[FINDING_QUERY_NAMES];
    size_t nstacks, first_stack;
    size_t first_class, nclasses;
    size_t first_status, nstatuses;
    size_t pattern, severity, since, now, limit, offset, most;
    bool by_class, by_lane; /* legs of their own */
    size_t words;           /* conditions of a leg */
};

/* --- what is asked for --- */

static unsigned lanes_of(const struct finding_query *q)
{
    static const unsigned lanes[] = {
#define X(constant, name, lane, meaning) lane,
        FINDING_STATUSES(X)
#undef X
    };
    unsigned ret = 0;
    if (q->overdue)
        return 1;
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (!q->statuses || q->statuses & 1u << i)
            ret |= 1u << lanes[i];
    return ret;
}

/* Do the lanes say it all? */
static bool whole_lanes(const struct finding_query *q)
{
    unsigned open = q->statuses & FINDING_STATUSES_OPEN;
    if (q->overdue)
        return !q->statuses || q->statuses == FINDING_STATUSES_OPEN;
    return !open || open == FINDING_STATUSES_OPEN;
}

static unsigned bits(unsigned mask)
{
    unsigned n = 0;
    for (; mask; mask &= mask - 1)
        n++;
    return n;
}

static size_t param(struct writing *w, struct db_value value)
{
    w->sql->param[w->sql->n++] = value;
    return w->sql->n;
}

static void add_names(struct writing *w)
{
    const struct finding_query *q = w->q;
    w->first_stack = w->sql->n + 1;
    for (size_t i = 0; i < w->nstacks; i++)
        (void)param(w, DB_PARAM_TEXT(w->stack[i]));
    w->first_class = w->sql->n + 1;
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (q->classes & 1u << i) {
            struct str name = str_from(finding_class_name((enum finding_class)i));
            (void)param(w, DB_PARAM_TEXT(name));
            w->nclasses++;
        }
    w->first_status = w->sql->n + 1;
    for (unsigned i = 0; i < STATUS_COUNT && !whole_lanes(q); i++)
        if (q->statuses & 1u << i) {
            struct str name = str_from(finding_status_name((enum finding_status)i));
            (void)param(w, DB_PARAM_TEXT(name));
            w->nstatuses++;
        }
}

static void add_bounds(struct writing *w)
{
    const struct finding_query *q = w->q;
    if (q->severity > 0)
        w->severity = param(w, DB_PARAM_INT(q->severity));
    if (q->since_utc_ms)
        w->since = param(w, DB_PARAM_INT(q->since_utc_ms));
    if (q->overdue)
        w->now = param(w, DB_PARAM_INT(q->now_utc_ms));
    if (q->limit)
        w->limit = param(w, DB_PARAM_INT(q->limit));
    if (q->offset)
        w->offset = param(w, DB_PARAM_INT(q->offset));
}

/* The same of both: the operator of a database takes what glob_match takes, in its own signs. */
static void print_glob(struct buf *out, struct str glob, bool sqlite)
{
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
}

static bool take_stack(void *ctx, const struct db_row *row, struct err *err)
{
    struct writing *w = ctx;
    if (w->nstacks < FINDING_QUERY_NAMES)
        w->stack[w->nstacks] = arena_dup(&w->sql->arena, db_text(row, 0));
    return (w->nstacks >= FINDING_QUERY_NAMES || w->stack[w->nstacks].ptr)
               ? (w->nstacks++, true)
               : arena_full(&w->sql->arena, err);
}

/* A few stacks that a glob means are better asked for by name; many are what is found on the way.
 */
static bool take_glob(struct writing *w, struct err *err)
{
    AUTO_BUF out = {.limit = SQL_BYTES_MAX};
    size_t kept = 0;
    for (size_t i = 0; i < w->nstacks; i++)
        if (glob_match(w->q->stacks, w->stack[i], '\0'))
            w->stack[kept++] = w->stack[i];
    if (w->nstacks) {
        w->nstacks = kept;
        w->sql->nothing = kept == 0;
        return true;
    }
    print_glob(&out, w->q->stacks, w->sqlite);
    struct str pattern = arena_dup(&w->sql->arena, buf_view(&out));
    if (!buf_ok(&out, err) || !pattern.ptr)
        return pattern.ptr ? false : arena_full(&w->sql->arena, err);
    const struct db_value row[] = {DB_PARAM_TEXT(pattern), DB_PARAM_INT(FINDING_QUERY_NAMES + 1)};
    if (!db_query(w->record->db,
                  w->sqlite
                      ? "SELECT DISTINCT stack FROM finding_count WHERE stack GLOB $1 LIMIT $2"
                      : "SELECT DISTINCT stack FROM finding_count WHERE stack LIKE $1 LIMIT $2",
                  row, 2, take_stack, w, err))
        return false;
    w->sql->nothing = w->nstacks == 0;
    if (w->nstacks > FINDING_QUERY_NAMES) {
        w->nstacks = 0;
        w->pattern = param(w, DB_PARAM_TEXT(pattern));
    }
    return true;
}

/* --- conditions --- */

static void word(struct writing *w)
{
    buf_str(&w->sql->text, w->words++ ? STR(" AND ") : STR(" WHERE "));
}

/* column = $1, or column IN ($1, $2) */
static void among(struct writing *w, const char *column, size_t first, size_t n)
{
    if (!n)
        return;
    word(w);
    buf_printf(&w->sql->text, n == 1 ? "%s = " : "%s IN (", column);
    for (size_t i = 0; i < n; i++)
        buf_printf(&w->sql->text, i ? ", $%zu" : "$%zu", first + i);
    if (n > 1)
        buf_char(&w->sql->text, ')');
}

static void bound(struct writing *w, const char *says, size_t number)
{
    if (!number)
        return;
    word(w);
    buf_printf(&w->sql->text, "%s $%zu", says, number);
}

static void lanes(struct writing *w)
{
    unsigned low = 0, high = LANES - 1;
    while (!(w->lanes & 1u << low))
        low++;
    while (!(w->lanes & 1u << high))
        high--;
    if (low == high || bits(w->lanes) < LANES) {
        word(w);
        buf_printf(&w->sql->text, low == high ? "lane = %u" : "lane >= %u AND lane <= %u", low,
                   high);
    }
    if (bits(w->lanes) == high - low + 1)
        return;
    for (unsigned i = low; i <= high; i++)
        if (!(w->lanes & 1u << i)) {
            word(w);
            buf_printf(&w->sql->text, "lane <> %u", i);
        }
}

/* lane, class: ANY, or the leg's own */
static void conditions(struct writing *w, int stack, int class_, int lane)
{
    w->words = 0;
    if (stack == ANY)
        among(w, "stack", w->first_stack, w->nstacks);
    else
        among(w, "stack", w->first_stack + (size_t)stack, 1);
    if (class_ == ANY)
        among(w, "class", w->first_class, w->nclasses);
    else
        among(w, "class", w->first_class + (size_t)class_, 1);
    if (lane == ANY) {
        lanes(w);
    } else {
        word(w);
        buf_printf(&w->sql->text, "lane = %d", lane);
    }
    among(w, "status", w->first_status, w->nstatuses);
    bound(w, w->sqlite ? "stack GLOB" : "stack LIKE", w->pattern);
    bound(w, "severity >=", w->severity);
    bound(w, "changed_utc_ms >=", w->since);
    bound(w, "due_utc_ms <", w->now);
}

/* --- legs --- */

/* SQLite has no statistics before a vacuum, and guesses. */
static const char *index_of(const struct writing *w)
{
    if (w->order == BY_DUE)
        return "finding_due";
    if (w->order == BY_CHANGE)
        return w->nstacks    ? "finding_stack_changed"
               : w->by_class ? "finding_class_changed"
                             : "finding_lane_changed";
    return w->nstacks    ? (w->by_class ? "finding_stack_class" : "finding_stack")
           : w->by_class ? "finding_class"
                         : "finding_lane";
}

static size_t axis(bool there, size_t n)
{
    return there && n > 1 ? n : 1;
}

/* What the walks are apart by. */
static void choose_legs(struct writing *w)
{
    size_t nlanes = bits(w->lanes), stacks = axis(true, w->nstacks);
    if (w->order == BY_DUE)
        return;
    /* an order that is not by lane first, or a condition on what stands behind it */
    bool gap = (w->lanes & (w->lanes + (w->lanes & -w->lanes))) != 0;
    w->by_lane = w->order == BY_CHANGE || (nlanes > 1 && (gap || w->severity));
    w->by_class = w->nclasses && !(w->order == BY_CHANGE && w->nstacks);
    if (w->order == BY_SEVERITY &&
        stacks * axis(w->by_class, w->nclasses) * axis(w->by_lane, nlanes) > LEGS_MAX)
        w->by_lane = false;
    if (stacks * axis(w->by_class, w->nclasses) * axis(w->by_lane, nlanes) > LEGS_MAX)
        w->by_class = false;
}

static void leg(struct writing *w, int stack, int class_, int lane)
{
    struct buf *out = &w->sql->text;
    buf_printf(out, "SELECT id AS chosen, %s FROM finding", orders[w->order].keys);
    if (w->sqlite)
        buf_printf(out, " INDEXED BY %s", index_of(w));
    conditions(w, stack, class_, lane);
    buf_printf(out, " ORDER BY %s LIMIT $%zu", orders[w->order].by, w->most);
}

static size_t write_legs(struct writing *w)
{
    struct buf *out = &w->sql->text;
    size_t nstacks = axis(true, w->nstacks), nclasses = axis(w->by_class, w->nclasses), n = 0;
    for (size_t s = 0; s < nstacks; s++)
        for (size_t c = 0; c < nclasses; c++)
            for (int lane = 0; lane < (w->by_lane ? LANES : 1); lane++) {
                if (w->by_lane && !(w->lanes & 1u << lane))
                    continue;
                buf_str(out, n ? STR(" UNION ALL SELECT * FROM (") : STR("SELECT * FROM ("));
                leg(w, w->nstacks ? (int)s : ANY, w->by_class ? (int)c : ANY,
                    w->by_lane ? lane : ANY);
                buf_printf(out, ") l%zu", n++);
            }
    return n;
}

/* The ids of the page, then their rows. */
static void write_page(struct writing *w, const char *columns)
{
    struct buf *out = &w->sql->text;
    const char *by = orders[w->order].by;
    int64_t limit = w->q->limit, offset = w->q->offset;
    w->most = param(w, DB_PARAM_INT(offset < INT64_MAX - limit ? limit + offset : INT64_MAX));
    choose_legs(w);
    buf_printf(out, "SELECT %s FROM (SELECT chosen FROM (", columns);
    (void)write_legs(w);
    /* the keys end in id, which the legs call `chosen` */
    buf_printf(out, ") legs ORDER BY %.*s chosen LIMIT $%zu", (int)(strlen(by) - 2), by, w->limit);
    if (w->offset)
        buf_printf(out, " OFFSET $%zu", w->offset);
    /* SQLite takes the tables of a CROSS JOIN in the order in which they are written */
    buf_printf(out, ") page CROSS JOIN finding WHERE id = chosen ORDER BY %s", by);
}

static void write_all(struct writing *w, const char *columns)
{
    struct buf *out = &w->sql->text;
    buf_printf(out, "SELECT %s FROM finding", columns);
    conditions(w, ANY, ANY, ANY);
    buf_printf(out, " ORDER BY %s", orders[w->order].by);
    if (w->offset)
        buf_printf(out, " LIMIT 9223372036854775807 OFFSET $%zu", w->offset);
}

bool listing_write(struct record *record, const struct finding_query *query, const char *columns,
                   struct listing_sql *ret, struct err *err)
{
    struct writing w = {.record = record,
                        .q = query,
                        .sql = ret,
                        .sqlite = db_kind(record->db) == DB_SQLITE,
                        .order = query->since_utc_ms ? BY_CHANGE
                                 : query->overdue    ? BY_DUE
                                                     : BY_SEVERITY,
                        .lanes = lanes_of(query),
                        .nstacks = query->nstacks};
    *ret = (struct listing_sql){.text = {.limit = SQL_BYTES_MAX}, .arena = {.limit = ARENA_BYTES}};
    memcpy(w.stack, query->stack, sizeof w.stack);
    if (query->stacks.len && !take_glob(&w, err))
        return false;
    if (ret->nothing)
        return true;
    add_names(&w);
    add_bounds(&w);
    if (query->limit)
        write_page(&w, columns);
    else
        write_all(&w, columns);
    buf_char(&ret->text, '\0');
    return buf_ok(&ret->text, err);
}

void listing_release(struct listing_sql *sql)
{
    buf_free(&sql->text);
    arena_free(&sql->arena);
}
