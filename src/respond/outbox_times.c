/* outbox_times.c - what is told because of the time: the first digest of a receiver, those that
 * come daily or weekly, and what is told again.
 */
#include "respond/outbox_parts.h"

bool outbox_take_id(void *ctx, const struct db_row *row, struct err *err)
{
    struct outbox_ids *ids = ctx;
    int64_t *grown = arena_grow(ids->arena, ids->id, ids->n, &ids->room, ids->n + 1);
    if (!grown)
        return arena_full(ids->arena, err);
    ids->id = grown;
    ids->id[ids->n++] = db_int(row, 0);
    return true;
}

/* --- a digest --- */

#define TOLD_OPEN \
    " FROM alert_told t JOIN finding f ON f.id = t.finding WHERE t.receiver = $1 AND t.open = 1" \
    " AND f.lane = 0"

static bool make_digest(struct stepping *s, const struct route *route, struct err *err)
{
    struct outbox_ids ids = {.arena = s->arena};
    int64_t total = 0;
    size_t most = outbox_most(route->kind), n = 0;
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT((int64_t)most)};
    struct alert_finding *finding = arena_new(s->arena, struct alert_finding, most);
    if (!finding)
        return arena_full(s->arena, err);
    if (!db_one_int(s->record->db, "SELECT count(*)" TOLD_OPEN, param, 1, &total, err))
        return false;
    if (!total)
        return true;
    if (!db_query(s->record->db, "SELECT f.id" TOLD_OPEN " ORDER BY f.severity DESC, f.id LIMIT $2",
                  param, 2, outbox_take_id, &ids, err))
        return false;
    for (size_t i = 0; i < ids.n; i++) {
        struct alert_source source;
        bool found = false;
        if (!alert_load_shown(s->record, s->arena, ids.id[i], s->routes->url, &source, &found, err))
            return false;
        if (found)
            finding[n++] = source.finding;
    }
    struct str name = arena_printf(s->arena, "%.*s %lld", STR_ARG(route->name), (long long)s->now);
    struct alert alert = {.status = ALERT_RECURRING, .finding = finding, .nfindings = n};
    alert.thread = route_digest(s->arena, "d", route->name);
    alert.id = name.ptr ? route_digest(s->arena, "al", name) : name;
    alert.title = arena_printf(s->arena, "%lld finding%s %s open", (long long)total,
                               total == 1 ? "" : "s", total == 1 ? "is" : "are");
    if (!alert.thread.ptr || !alert.id.ptr || !alert.title.ptr)
        return arena_full(s->arena, err);
    return outbox_put(s, route, &alert, (size_t)total, STR(""), err);
}

/* --- a receiver that is new --- */

static struct str first_cursor(struct stepping *s, const struct route *route)
{
    return arena_printf(s->arena, OUTBOX_FIRST "%.*s", STR_ARG(route->name));
}

static bool begin_receiver(struct stepping *s, const struct route *route, struct err *err)
{
    struct str name = first_cursor(s, route);
    int64_t digest =
        route->has_digest ? timespan_digest_next(&route->digest, route->zone, s->now) : 0;
    return (name.ptr || arena_full(s->arena, err)) &&
           OUTBOX_RUN(s->record,
                      "INSERT INTO alert_receiver (name, since_utc_ms, gone, said, tried_utc_ms,"
                      " taken_utc_ms, failures, digest_utc_ms, resent_utc_ms) VALUES ($1, $2, '',"
                      " '', 0, 0, 0, $3, 0)",
                      err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(s->now),
                      DB_PARAM_INT(digest)) &&
           OUTBOX_RUN(s->record,
                      "INSERT INTO alert_cursor (name, position, utc_ms) VALUES ($1, 0, $2)"
                      " ON CONFLICT (name) DO UPDATE SET position = 0",
                      err, DB_PARAM_TEXT(name), DB_PARAM_INT(s->now));
}

/* Would it have been told, had it been there? */
static bool would_take(struct stepping *s, const struct route *route,
                       const struct alert_source *source)
{
    if (!route_takes(route, &source->subject, ROUTE_ANY_TIME))
        return false;
    for (size_t i = 0; i < s->routes->n && route->config->fallback; i++)
        if (!s->routes->item[i].config->fallback &&
            route_takes(&s->routes->item[i], &source->subject, ROUTE_ANY_TIME))
            return false;
    return true;
}

static bool take_as_told(struct stepping *s, const struct route *route, int64_t id, struct err *err)
{
    struct alert_source source;
    bool found = false;
    if (!alert_load(s->record, s->arena, id, s->routes->url, &source, &found, err))
        return false;
    source.subject.text[WHEN_STATUS] = str_from(alert_status_name(ALERT_RECURRING));
    return !found || !would_take(s, route, &source) ||
           OUTBOX_RUN(s->record,
                      "INSERT INTO alert_told (receiver, finding, status, digest, open,"
                      " told_utc_ms, turns, turns_utc_ms) VALUES ($1, $2, 'recurring', $3, 1, $4,"
                      " 0, 0) ON CONFLICT DO NOTHING",
                      err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(id),
                      DB_PARAM_TEXT(source.digest), DB_PARAM_INT(s->now));
}

/* What was open before it: some in each step. At its end one digest tells of all. */
static bool go_on_first(struct stepping *s, const struct route *route, int64_t at, struct err *err)
{
    struct outbox_ids ids = {.arena = s->arena};
    struct str name = first_cursor(s, route);
    const struct db_value param[] = {DB_PARAM_INT(at), DB_PARAM_INT(OUTBOX_STEP_MOST)};
    bool one = route->kind->one_by_one || route->kind->tracks;
    if (!name.ptr)
        return arena_full(s->arena, err);
    if (!one && !db_query(s->record->db,
                          "SELECT id FROM finding WHERE lane = 0 AND id > $1 ORDER BY id LIMIT $2",
                          param, 2, outbox_take_id, &ids, err))
        return false;
    struct arena_mark mark = arena_mark(s->arena);
    for (size_t i = 0; i < ids.n; i++) {
        if (!take_as_told(s, route, ids.id[i], err))
            return false;
        arena_rewind(s->arena, mark);
    }
    if (ids.n == OUTBOX_STEP_MOST) {
        s->done->more = true;
        return OUTBOX_RUN(s->record, "UPDATE alert_cursor SET position = $2 WHERE name = $1", err,
                          DB_PARAM_TEXT(name), DB_PARAM_INT(ids.id[ids.n - 1]));
    }
    return OUTBOX_RUN(s->record, "DELETE FROM alert_cursor WHERE name = $1", err,
                      DB_PARAM_TEXT(name)) &&
           (one || route->kind->resends || make_digest(s, route, err));
}

static bool first(struct stepping *s, const struct route *route, struct err *err)
{
    struct str name = first_cursor(s, route);
    const struct db_value param[] = {DB_PARAM_TEXT(name)};
    struct err why = {0};
    int64_t at = 0;
    if (!name.ptr)
        return arena_full(s->arena, err);
    if (db_one_int(s->record->db, "SELECT position FROM alert_cursor WHERE name = $1", param, 1,
                   &at, &why))
        return go_on_first(s, route, at, err);
    if (why.kind && err)
        *err = why;
    return why.kind == ERR_NONE;
}

/* --- again --- */

static bool repeat(struct stepping *s, const struct route *route, struct err *err)
{
    struct outbox_ids ids = {.arena = s->arena};
    const struct db_value param[] = {
        DB_PARAM_TEXT(route->name), DB_PARAM_INT(s->now - route->config->repeat_ms),
        DB_PARAM_INT(s->now + OUTBOX_SKEW_MS), DB_PARAM_INT(OUTBOX_STEP_MOST)};
    if (!route->config->repeat_ms || route->kind->resends)
        return true;
    if (!db_query(s->record->db,
                  "SELECT t.finding" TOLD_OPEN " AND (t.told_utc_ms <= $2 OR t.told_utc_ms > $3)"
                  " AND NOT EXISTS (SELECT 1 FROM alert_item i WHERE i.receiver = $1 AND"
                  " i.finding = t.finding) ORDER BY t.finding LIMIT $4",
                  param, 4, outbox_take_id, &ids, err))
        return false;
    struct arena_mark mark = arena_mark(s->arena);
    for (size_t i = 0; i < ids.n; i++, arena_rewind(s->arena, mark)) {
        struct alert_source source;
        struct outbox_item item = {.finding = ids.id[i], .status = ALERT_RECURRING};
        bool found = false;
        if (!alert_load(s->record, s->arena, ids.id[i], s->routes->url, &source, &found, err))
            return false;
        if (!found)
            continue;
        item.what = arena_printf(s->arena, "r%lld %lld", (long long)ids.id[i], (long long)s->now);
        item.severity = source.finding.severity;
        item.thread = route_thread(s->arena, route, &source.finding, ids.id[i]);
        if (!item.what.ptr || !item.thread.ptr)
            return arena_full(s->arena, err);
        if (!outbox_add_item(s, route, &item, err))
            return false;
    }
    s->done->more |= ids.n == OUTBOX_STEP_MOST;
    return true;
}

static bool digest(struct stepping *s, const struct route *route, int64_t due, struct err *err)
{
    int64_t next = timespan_digest_next(&route->digest, route->zone, s->now);
    if (!route->has_digest || (due && due > s->now && due <= next))
        return true;
    return (!due || due > s->now || make_digest(s, route, err)) &&
           OUTBOX_RUN(s->record, "UPDATE alert_receiver SET digest_utc_ms = $2 WHERE name = $1",
                      err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(next));
}

struct receiver_row {
    bool there, gone;
    int64_t digest;
};

static bool take_receiver(void *ctx, const struct db_row *row, struct err *err)
{
    struct receiver_row *r = ctx;
    (void)err;
    *r = (struct receiver_row){true, db_text(row, 0).len > 0, db_int(row, 1)};
    return true;
}

bool outbox_collect_times(struct stepping *s, struct err *err)
{
    for (size_t i = 0; i < s->routes->n; i++) {
        const struct route *route = &s->routes->item[i];
        const struct db_value param[] = {DB_PARAM_TEXT(route->name)};
        struct receiver_row r = {0};
        if (!db_query(s->record->db,
                      "SELECT gone, digest_utc_ms FROM alert_receiver WHERE name = $1", param, 1,
                      take_receiver, &r, err) ||
            (!r.there && !begin_receiver(s, route, err)))
            return false;
        s->gone[i] = r.gone;
        if (!r.gone && (!first(s, route, err) || (r.there && !digest(s, route, r.digest, err)) ||
                        !repeat(s, route, err)))
            return false;
    }
    return true;
}
