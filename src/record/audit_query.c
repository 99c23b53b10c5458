/* audit_query.c - the columns narrow what is read, the line decides. */
#include "record/audit_query.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "record/record.h"

struct query {
    const struct audit_query *ask;
    bool (*event)(void *ctx, const struct audit_line *line, struct err *err);
    void *ctx;
    int64_t *ring; /* numbers of the newest */
    int64_t n;
};

static bool any_type(const struct audit_query *ask, struct str type)
{
    for (size_t i = 0; i < ask->ntypes; i++)
        if (glob_match(ask->type[i], type, '\0'))
            return true;
    return ask->ntypes == 0;
}

static bool fits(const struct audit_query *ask, const struct db_row *row)
{
    return any_type(ask, db_text(row, 2)) &&
           (!ask->stack.len || glob_match(ask->stack, db_text(row, 3), '\0')) &&
           (!ask->actor.len || glob_match(ask->actor, db_text(row, 4), '\0'));
}

static bool give(void *ctx, const struct db_row *row, struct err *err)
{
    struct query *q = ctx;
    struct audit_line line;
    if (!fits(q->ask, row))
        return true;
    return (audit_line_read(db_text(row, 1), &line, err) ||
            err_wrap(err, "event %lld was changed (`plumb audit verify`)",
                     (long long)db_int(row, 0))) &&
           q->event(q->ctx, &line, err);
}

static bool note_number(void *ctx, const struct db_row *row, struct err *err)
{
    struct query *q = ctx;
    (void)err;
    if (fits(q->ask, row))
        q->ring[q->n++ % q->ask->newest] = db_int(row, 0);
    return true;
}

/* One stack or one type by its index; a glob by looking at each. */
static struct str exact(struct str text)
{
    return text.len && !glob_is_pattern(text) && !memchr(text.ptr, '\\', text.len) ? text : STR("");
}

#define WHERE " FROM audit_event WHERE seq >= $1 AND utc_ms >= $2 AND utc_ms < $3"
static const char *const select_lines[] = {
    "SELECT seq, line, type, stack, actor" WHERE " ORDER BY seq LIMIT $4",
    "SELECT seq, line, type, stack, actor" WHERE " AND stack = $5 ORDER BY seq LIMIT $4",
    "SELECT seq, line, type, stack, actor" WHERE " AND type = $5 ORDER BY seq LIMIT $4",
};

bool audit_query(struct record *record, const struct audit_query *ask,
                 bool (*event)(void *ctx, const struct audit_line *line, struct err *err),
                 void *ctx, struct err *err)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct query q = {.ask = ask, .event = event, .ctx = ctx};
    struct str stack = exact(ask->stack), type = ask->ntypes == 1 ? exact(ask->type[0]) : STR("");
    unsigned how = stack.len ? 1 : type.len ? 2 : 0;
    struct db_value at[] = {DB_PARAM_INT(ask->from), DB_PARAM_INT(ask->since_utc_ms),
                            DB_PARAM_INT(ask->until_utc_ms),
                            DB_PARAM_INT(ask->look_most ? ask->look_most : INT64_MAX),
                            DB_PARAM_TEXT(how == 1 ? stack : type)};
    if (ask->newest > 0) {
        q.ring = arena_new(&arena, int64_t, (size_t)ask->newest);
        if (!q.ring)
            return arena_full(&arena, err);
        if (!db_query(record->db, select_lines[how], at, how ? 5 : 4, note_number, &q, err))
            return false;
        if (q.n == 0)
            return true;
        at[0].integer = q.n > ask->newest ? q.ring[q.n % ask->newest] : q.ring[0];
    }
    return db_query(record->db, select_lines[how], at, how ? 5 : 4, give, &q, err);
}
