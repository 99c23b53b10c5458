/* outbox_collect.c - what happened to findings, and in the audit log, to what receivers are told.
 */
#include "model/event.h"
#include "record/findings.h"
#include "respond/outbox_parts.h"
#include "wire/json.h"

/* --- items --- */

enum alert_status outbox_status(struct str name)
{
    for (unsigned i = 0; i < ALERT_STATUS_COUNT; i++)
        if (str_equal(name, str_from(alert_status_name((enum alert_status)i))))
            return (enum alert_status)i;
    return ALERT_NOTICE;
}

enum severity outbox_severity(int64_t n)
{
    return n >= 0 && n < SEVERITY_COUNT ? (enum severity)n : SEVERITY_CRITICAL;
}

bool outbox_keep(struct arena *arena, struct str text, struct str *ret, struct err *err)
{
    *ret = arena_dup(arena, text);
    return ret->ptr || arena_full(arena, err);
}

/* False with ERR_NONE where there is none. */
static bool one_int(struct stepping *s, const char *sql, const struct db_value *param, size_t n,
                    int64_t *ret, struct err *err)
{
    struct err why = {0};
    *ret = 0;
    if (db_one_int(s->record->db, sql, param, n, ret, &why) || why.kind == ERR_NONE)
        return true;
    if (err)
        *err = why;
    return false;
}

/* More alerts of one finding than anybody reads: the rest of the hour becomes one. */
static bool flap_end(struct stepping *s, const struct route *route, const struct outbox_item *item,
                     int64_t *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(item->finding),
                                     DB_PARAM_INT(OUTBOX_FLAPS_MOST),
                                     DB_PARAM_INT(s->now - OUTBOX_FLAP_MS), DB_PARAM_INT(s->now)};
    int64_t began = 0;
    if (item->status > ALERT_CHANGED && item->status != ALERT_RESOLVED)
        return true;
    if (!one_int(s,
                 "SELECT turns_utc_ms FROM alert_told WHERE receiver = $1 AND finding = $2 AND"
                 " turns >= $3 AND turns_utc_ms > $4 AND turns_utc_ms <= $5",
                 param, 5, &began, err))
        return false;
    *ret = began ? began + OUTBOX_FLAP_MS : 0;
    return true;
}

/* When a group's message goes: with what waits already, else after its wait and interval. */
static bool group_time(struct stepping *s, const struct route *route, struct str thread,
                       int64_t *ret, struct err *err)
{
    const struct config_notify *c = route->config;
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_TEXT(thread),
                                     DB_PARAM_INT(s->now - c->group_interval_ms),
                                     DB_PARAM_INT(s->now)};
    int64_t waits = 0, last = 0;
    *ret = s->now + c->group_wait_ms;
    if (c->group_wait_ms &&
        !one_int(s, "SELECT min(ready_utc_ms) FROM alert_item WHERE receiver = $1 AND thread = $2",
                 param, 2, &waits, err))
        return false;
    if (waits && waits < *ret)
        *ret = waits;
    if (c->group_interval_ms &&
        !one_int(s,
                 "SELECT max(made_utc_ms) FROM alert WHERE receiver = $1 AND thread = $2 AND"
                 " made_utc_ms > $3 AND made_utc_ms <= $4",
                 param, 4, &last, err))
        return false;
    if (last && last + c->group_interval_ms > *ret)
        *ret = last + c->group_interval_ms;
    return true;
}

bool outbox_add_item(struct stepping *s, const struct route *route, const struct outbox_item *item,
                     struct err *err)
{
    int64_t ready = s->now, flap = 0, id = 0;
    int64_t quiet = route_quiet_until(route, item->severity, s->now);
    if (!flap_end(s, route, item, &flap, err) || !group_time(s, route, item->thread, &ready, err) ||
        !one_int(s, "SELECT coalesce(max(id), 0) + 1 FROM alert_item", NULL, 0, &id, err))
        return false;
    ready = quiet > ready ? quiet : ready;
    ready = flap > ready ? flap : ready;
    bool held = ready > s->now || s->only;
    ready = item->not_before_utc_ms > ready ? item->not_before_utc_ms : ready;
    return OUTBOX_RUN(s->record,
                      "INSERT INTO alert_item (id, receiver, what, finding, status, severity,"
                      " thread, title, detail, held, made_utc_ms, ready_utc_ms) VALUES ($1, $2,"
                      " $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
                      err, DB_PARAM_INT(id), DB_PARAM_TEXT(route->name), DB_PARAM_TEXT(item->what),
                      DB_PARAM_INT(item->finding),
                      DB_PARAM_TEXT(str_from(alert_status_name(item->status))),
                      DB_PARAM_INT((int64_t)item->severity), DB_PARAM_TEXT(item->thread),
                      DB_PARAM_TEXT(item->title.ptr ? item->title : STR("")),
                      DB_PARAM_TEXT(item->detail.ptr ? item->detail : STR("")), DB_PARAM_INT(held),
                      DB_PARAM_INT(s->now), DB_PARAM_INT(ready));
}

/* --- findings --- */

static const struct {
    const char *what;
    enum alert_status status;
} whats[] = {{"new", ALERT_NEW},
             {"reopened", ALERT_NEW},
             {"open", ALERT_NEW},
             {"changed", ALERT_CHANGED},
             {"overdue", ALERT_OVERDUE},
             {"resolved", ALERT_RESOLVED},
             {"requested", ALERT_ACKNOWLEDGED},
             {"reviewed", ALERT_RESOLVED},
             {"waived", ALERT_RESOLVED},
             {"ignored", ALERT_RESOLVED}};

static bool status_of(struct str what, enum alert_status *ret)
{
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
        if (str_equal(what, str_from(whats[i].what))) {
            *ret = whats[i].status;
            return true;
        }
    return false;
}

struct line {
    int64_t id, finding;
    struct str what;
};
struct lines {
    struct arena *arena;
    struct line *line;
    size_t n, room;
};

static bool take_line(void *ctx, const struct db_row *row, struct err *err)
{
    struct lines *lines = ctx;
    struct line *grown =
        arena_grow(lines->arena, lines->line, lines->n, &lines->room, lines->n + 1);
    if (!grown)
        return arena_full(lines->arena, err);
    lines->line = grown;
    struct line *line = &lines->line[lines->n++];
    *line = (struct line){.id = db_int(row, 0), .finding = db_int(row, 1)};
    return outbox_keep(lines->arena, db_text(row, 2), &line->what, err);
}

/* Was it told of this finding, or will it be? Then it hears of the end, whatever it takes. */
static bool counts_on(struct stepping *s, const struct route *route, int64_t finding, bool *ret,
                      struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(finding)};
    int64_t n = 0;
    if (!one_int(s,
                 "SELECT (SELECT count(*) FROM alert_told WHERE receiver = $1 AND finding = $2 AND"
                 " open = 1) + (SELECT count(*) FROM alert_item WHERE receiver = $1 AND"
                 " finding = $2 AND status <> 'overdue')",
                 param, 2, &n, err))
        return false;
    *ret = n > 0;
    return true;
}

static bool end_untold(struct stepping *s, const struct route *route, int64_t finding,
                       struct err *err)
{
    return OUTBOX_RUN(s->record,
                      "UPDATE alert_told SET open = 0 WHERE receiver = $1 AND finding = $2", err,
                      DB_PARAM_TEXT(route->name), DB_PARAM_INT(finding));
}

static bool add_finding(struct stepping *s, const struct route *route,
                        const struct alert_source *source, const struct outbox_item *like,
                        struct err *err)
{
    struct outbox_item item = *like;
    if (s->only && s->only != route)
        return true; /* it heard of that in time */
    item.thread = route_thread(s->arena, route, &source->finding, source->id);
    if (!item.thread.ptr)
        return arena_full(s->arena, err);
    return outbox_add_item(s, route, &item, err);
}

static bool tell_end(struct stepping *s, const struct alert_source *source,
                     const struct outbox_item *item, struct err *err)
{
    for (size_t i = 0; i < s->routes->n; i++) {
        const struct route *route = &s->routes->item[i];
        bool told = false;
        if (s->gone[i] || (s->only && s->only != route))
            continue;
        if (!counts_on(s, route, source->id, &told, err))
            return false;
        if (told && !(route->config->no_resolved ? end_untold(s, route, source->id, err)
                                                 : add_finding(s, route, source, item, err)))
            return false;
    }
    return true;
}

/* Who calls people until somebody is at it. */
static bool tell_request(struct stepping *s, const struct alert_source *source,
                         const struct outbox_item *item, struct err *err)
{
    for (size_t i = 0; i < s->routes->n && source->open; i++) {
        const struct route *route = &s->routes->item[i];
        bool told = false;
        if (s->gone[i] || !route->kind->acknowledges)
            continue;
        if (!counts_on(s, route, source->id, &told, err) ||
            (told && !add_finding(s, route, source, item, err)))
            return false;
    }
    return true;
}

/* Was it told last that the deadline passed, by whoever it was? */
static bool knows_overdue(struct stepping *s, const struct route *route, int64_t finding, bool *ret,
                          struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(finding)};
    int64_t n = 0;
    bool ok = one_int(s,
                      "SELECT count(*) FROM alert_told WHERE receiver = $1 AND finding = $2 AND"
                      " status = 'overdue'",
                      param, 2, &n, err);
    *ret = n > 0;
    return ok;
}

/* A deadline that passed: those that the receivers it was told to say. One that is back from
 * nowhere has told nobody meanwhile. */
static bool escalate(struct stepping *s, const struct route *route,
                     const struct alert_source *source, const struct outbox_item *like,
                     struct err *err)
{
    struct outbox_item item = *like;
    item.not_before_utc_ms =
        route->config->escalate_after_ms ? s->now + route->config->escalate_after_ms : 0;
    for (size_t i = 0; i < route->config->nescalate; i++) {
        const struct route *to = routes_find(s->routes, route->config->escalate[i]);
        const struct route *only = s->only;
        bool knows = true;
        if (!to || s->gone[to - s->routes->item])
            continue;
        if (only == route && !knows_overdue(s, to, source->id, &knows, err))
            return false;
        s->only = knows ? only : to;
        bool ok = add_finding(s, to, source, &item, err);
        s->only = only;
        if (!ok)
            return false;
    }
    return true;
}

static bool tell_open(struct stepping *s, struct alert_source *source,
                      const struct outbox_item *item, struct err *err)
{
    bool taken = false;
    source->subject.text[WHEN_STATUS] = str_from(alert_status_name(item->status));
    for (unsigned round = 0; round < 2 && !taken; round++) /* then those for the rest */
        for (size_t i = 0; i < s->routes->n; i++) {
            const struct route *route = &s->routes->item[i];
            bool told = false;
            if (s->gone[i] || route->config->fallback != (round == 1))
                continue;
            bool takes = route_takes(route, &source->subject, s->now);
            if (item->status == ALERT_OVERDUE && route->config->nescalate &&
                !counts_on(s, route, source->id, &told, err))
                return false;
            taken |= takes;
            if ((takes && !add_finding(s, route, source, item, err)) ||
                ((takes || told) && item->status == ALERT_OVERDUE &&
                 !escalate(s, route, source, item, err)))
                return false;
        }
    return true;
}

static bool tell_line(struct stepping *s, const struct line *line, struct err *err)
{
    struct alert_source source;
    struct outbox_item item = {.finding = line->finding};
    bool found = false;
    if (!status_of(line->what, &item.status))
        return true;
    if (!alert_load(s->record, s->arena, line->finding, s->routes->url, &source, &found, err))
        return false;
    if (!found)
        return true; /* forgotten since */
    item.what = arena_printf(s->arena, "h%lld", (long long)line->id);
    item.severity = source.finding.severity;
    if (!item.what.ptr)
        return arena_full(s->arena, err);
    return item.status == ALERT_RESOLVED       ? tell_end(s, &source, &item, err)
           : item.status == ALERT_ACKNOWLEDGED ? tell_request(s, &source, &item, err)
                                               : tell_open(s, &source, &item, err);
}

static bool move_cursor(struct stepping *s, const char *name, int64_t to, struct err *err)
{
    return OUTBOX_RUN(s->record,
                      "INSERT INTO alert_cursor (name, position, utc_ms) VALUES ($1, $2, $3)"
                      " ON CONFLICT (name) DO UPDATE SET position = excluded.position,"
                      " utc_ms = excluded.utc_ms",
                      err, DB_PARAM_TEXT(str_from(name)), DB_PARAM_INT(to), DB_PARAM_INT(s->now));
}

/* Where the cursor is; a new one is behind everything there is. */
static bool cursor(struct stepping *s, const char *name, const char *newest, int64_t *ret,
                   struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(str_from(name))};
    struct err why = {0};
    if (db_one_int(s->record->db, "SELECT position FROM alert_cursor WHERE name = $1", param, 1,
                   ret, &why))
        return true;
    if (why.kind) {
        *err = why;
        return false;
    }
    return one_int(s, newest, NULL, 0, ret, err) && move_cursor(s, name, *ret, err);
}

/* Lines behind `at`, up to `last` where it is not 0; OUTBOX_STEP_MOST at most. */
static bool find_lines(struct stepping *s, int64_t at, int64_t last, struct lines *ret,
                       struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(at), DB_PARAM_INT(last ? last : INT64_MAX),
                                     DB_PARAM_INT(OUTBOX_STEP_MOST)};
    *ret = (struct lines){.arena = s->arena};
    return db_query(s->record->db,
                    "SELECT id, finding, what FROM finding_history WHERE id > $1 AND id <= $2"
                    " ORDER BY id LIMIT $3",
                    param, 3, take_line, ret, err);
}

static bool tell_lines(struct stepping *s, const struct lines *lines, struct err *err)
{
    struct arena_mark mark = arena_mark(s->arena);
    for (size_t i = 0; i < lines->n; i++) {
        if (!tell_line(s, &lines->line[i], err))
            return false;
        arena_rewind(s->arena, mark);
    }
    s->done->seen += lines->n;
    s->done->more |= lines->n == OUTBOX_STEP_MOST;
    return true;
}

/* --- receivers that plumb.yaml does not name for a while --- */

struct absent {
    struct stepping *s;
    const char *what; /* OUTBOX_LEFT, OUTBOX_MISSED */
    struct str *name;
    size_t n, room;
};

static bool take_absent(void *ctx, const struct db_row *row, struct err *err)
{
    struct absent *list = ctx;
    if (routes_find(list->s->routes, db_text(row, 0)))
        return true;
    struct str *grown = arena_grow(list->s->arena, list->name, list->n, &list->room, list->n + 1);
    if (!grown)
        return arena_full(list->s->arena, err);
    list->name = grown;
    list->name[list->n] =
        arena_printf(list->s->arena, "%s%.*s", list->what, STR_ARG(db_text(row, 0)));
    return list->name[list->n++].ptr || arena_full(list->s->arena, err);
}

/* They miss what is behind `at`, unless they missed something before. */
static bool leave(struct stepping *s, const char *what, int64_t at, struct err *err)
{
    struct absent absent = {.s = s, .what = what};
    if (!db_query(s->record->db, "SELECT name FROM alert_receiver WHERE gone = ''", NULL, 0,
                  take_absent, &absent, err))
        return false;
    for (size_t i = 0; i < absent.n; i++)
        if (!OUTBOX_RUN(s->record,
                        "INSERT INTO alert_cursor (name, position, utc_ms) VALUES ($1, $2, $3)"
                        " ON CONFLICT (name) DO NOTHING",
                        err, DB_PARAM_TEXT(absent.name[i]), DB_PARAM_INT(at), DB_PARAM_INT(s->now)))
            return false;
    return true;
}

/* Behind what it has missed something; *ret stays where it has not. */
static bool missed_from(struct stepping *s, const char *what, const struct route *route,
                        struct str *ret_name, int64_t *ret, struct err *err)
{
    *ret_name = arena_printf(s->arena, "%s%.*s", what, STR_ARG(route->name));
    const struct db_value param[] = {DB_PARAM_TEXT(*ret_name), DB_PARAM_INT(*ret)};
    return ret_name->ptr
               ? one_int(s, "SELECT coalesce(max(position), $2) FROM alert_cursor WHERE name = $1",
                         param, 2, ret, err)
               : arena_full(s->arena, err);
}

static bool has_caught_up(struct stepping *s, struct str name, struct err *err)
{
    return OUTBOX_RUN(s->record, "DELETE FROM alert_cursor WHERE name = $1", err,
                      DB_PARAM_TEXT(name));
}

/* Who is back hears of it as of what was held back: of each finding how it is now. */
static bool catch_up(struct stepping *s, const struct route *route, int64_t last, struct err *err)
{
    struct str name;
    struct lines lines;
    int64_t at = -1;
    if (!missed_from(s, OUTBOX_LEFT, route, &name, &at, err))
        return false;
    if (at < 0)
        return true;
    s->only = route;
    bool ok = find_lines(s, at, last, &lines, err) && tell_lines(s, &lines, err);
    s->only = NULL;
    if (!ok || lines.n == OUTBOX_STEP_MOST)
        return ok && OUTBOX_RUN(s->record, "UPDATE alert_cursor SET position = $2 WHERE name = $1",
                                err, DB_PARAM_TEXT(name), DB_PARAM_INT(lines.line[lines.n - 1].id));
    return has_caught_up(s, name, err);
}

static bool collect_findings(struct stepping *s, struct err *err)
{
    struct lines lines;
    int64_t at = 0;
    if (!cursor(s, "findings", "SELECT coalesce(max(id), 0) FROM finding_history", &at, err))
        return false;
    for (size_t i = 0; i < s->routes->n; i++)
        if (!s->gone[i] && !catch_up(s, &s->routes->item[i], at, err))
            return false;
    if (!find_lines(s, at, 0, &lines, err))
        return false;
    return !lines.n || (leave(s, OUTBOX_LEFT, at, err) && tell_lines(s, &lines, err) &&
                        move_cursor(s, "findings", lines.line[lines.n - 1].id, err));
}

/* --- what else somebody should know --- */

static const struct {
    enum event_type type;
    enum severity severity;
    const char *title;
    const char *failed; /* where it did not succeed; NULL: as the title */
} notices[] = {
    {EVENT_BREAKGLASS_START, SEVERITY_HIGH, "a breakglass began: gates warn instead of block",
     NULL},
    {EVENT_BREAKGLASS_END, SEVERITY_MEDIUM, "a breakglass ended", NULL},
    {EVENT_FREEZE_START, SEVERITY_LOW, "a freeze began: applies are refused", NULL},
    {EVENT_FREEZE_END, SEVERITY_LOW, "a freeze ended", NULL},
    {EVENT_REVIEW_REFUSED, SEVERITY_MEDIUM, "an approval that the rules do not allow", NULL},
    {EVENT_LOG_KEY, SEVERITY_HIGH, "another key signs the audit log from here on", NULL},
    {EVENT_SCAN_OVERDUE, SEVERITY_HIGH, "a scan is overdue", NULL},
    {EVENT_STACK_RETIRED, SEVERITY_LOW, "a stack is watched no longer", NULL},
    {EVENT_ACTIVITY_ALARM, SEVERITY_CRITICAL, "somebody ended or changed an audit source",
     "somebody tried to end or change an audit source"},
};

void outbox_notice_types(struct buf *out)
{
    for (size_t i = 0; i < sizeof notices / sizeof *notices; i++)
        buf_printf(out, "%s'%s'", i ? ", " : "", event_type_name(notices[i].type));
}

struct told_event {
    int64_t seq;
    struct str type, stack, actor, line;
};
struct told_events {
    struct arena *arena;
    struct told_event *item;
    size_t n, room;
};

static bool take_event(void *ctx, const struct db_row *row, struct err *err)
{
    struct told_events *events = ctx;
    struct told_event *grown =
        arena_grow(events->arena, events->item, events->n, &events->room, events->n + 1);
    if (!grown)
        return arena_full(events->arena, err);
    events->item = grown;
    struct told_event *e = &events->item[events->n++];
    *e = (struct told_event){.seq = db_int(row, 0)};
    return outbox_keep(events->arena, db_text(row, 1), &e->type, err) &&
           outbox_keep(events->arena, db_text(row, 2), &e->stack, err) &&
           outbox_keep(events->arena, db_text(row, 3), &e->actor, err) &&
           outbox_keep(events->arena, db_text(row, 4), &e->line, err);
}

bool outbox_add_notice(struct stepping *s, const struct outbox_item *item,
                       const struct when_subject *like, const struct route *but, struct err *err)
{
    struct when_subject subject = *like;
    bool taken = false;
    subject.severity = item->severity;
    subject.text[WHEN_STATUS] = str_from(alert_status_name(item->status));
    for (unsigned round = 0; round < 2 && !taken; round++)
        for (size_t i = 0; i < s->routes->n; i++) {
            const struct route *route = &s->routes->item[i];
            if (s->gone[i] || route == but || route->config->fallback != (round == 1) ||
                !route_takes(route, &subject, s->now))
                continue;
            taken = true;
            if ((!s->only || s->only == route) && !outbox_add_item(s, route, item, err))
                return false;
        }
    return true;
}

static bool tell_event(struct stepping *s, const struct told_event *e, struct err *err)
{
    struct when_subject subject = {0};
    struct outbox_item item = {.status = ALERT_NOTICE};
    struct value line = {0};
    size_t i = 0;
    while (i < sizeof notices / sizeof *notices &&
           !str_equal(e->type, str_from(event_type_name(notices[i].type))))
        i++;
    if (i == sizeof notices / sizeof *notices)
        return true;
    if (!json_parse(s->arena, e->line, "the audit log", JSON_DEFAULT, &line, err))
        return false;
    struct str reason = value_get_string(&line, STR("reason"));
    item.severity = notices[i].severity;
    item.what = arena_printf(s->arena, "a%lld", (long long)e->seq);
    item.thread = item.what.ptr ? route_digest(s->arena, "n", item.what) : item.what;
    bool failed = str_equal(value_get_string(&line, STR("outcome")), STR("failed"));
    item.title = arena_printf(s->arena, "%s%s%.*s",
                              failed && notices[i].failed ? notices[i].failed : notices[i].title,
                              e->stack.len ? " in " : "", STR_ARG(e->stack));
    item.detail = arena_printf(s->arena, "%.*s%sby %.*s", STR_ARG(reason), reason.len ? "; " : "",
                               STR_ARG(e->actor));
    if (!item.thread.ptr || !item.title.ptr || !item.detail.ptr)
        return arena_full(s->arena, err);
    subject.text[WHEN_STACK] = e->stack;
    subject.text[WHEN_ACTOR] = e->actor;
    return outbox_add_notice(s, &item, &subject, NULL, err);
}

static bool find_events(struct stepping *s, int64_t at, int64_t last, struct told_events *ret,
                        struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(at), DB_PARAM_INT(last)};
    AUTO_BUF sql = {.limit = 1 << 14};
    *ret = (struct told_events){.arena = s->arena};
    buf_str(&sql, STR("SELECT seq, type, stack, actor, line FROM audit_event WHERE type IN ("));
    outbox_notice_types(&sql);
    buf_str(&sql, STR(") AND seq > $1 AND seq <= $2 ORDER BY seq"));
    buf_char(&sql, '\0');
    return buf_ok(&sql, err) && db_query(s->record->db, sql.ptr, param, 2, take_event, ret, err);
}

static bool tell_events(struct stepping *s, const struct told_events *events, struct err *err)
{
    for (size_t i = 0; i < events->n; i++)
        if (!tell_event(s, &events->item[i], err))
            return false;
    return true;
}

static bool catch_up_events(struct stepping *s, const struct route *route, int64_t last,
                            struct err *err)
{
    struct told_events events;
    struct str name;
    int64_t at = INT64_MAX;
    if (!missed_from(s, OUTBOX_MISSED, route, &name, &at, err))
        return false;
    if (at == INT64_MAX)
        return true;
    s->only = route;
    bool ok = find_events(s, at, last, &events, err) && tell_events(s, &events, err);
    s->only = NULL;
    return ok && has_caught_up(s, name, err);
}

static bool collect_events(struct stepping *s, struct err *err)
{
    struct told_events events;
    int64_t at = 0, newest = 0;
    if (!cursor(s, "audit", "SELECT coalesce(max(seq), -1) FROM audit_event", &at, err) ||
        !one_int(s, "SELECT coalesce(max(seq), -1) FROM audit_event", NULL, 0, &newest, err))
        return false;
    for (size_t i = 0; i < s->routes->n; i++)
        if (!s->gone[i] && !catch_up_events(s, &s->routes->item[i], at, err))
            return false;
    return newest <= at || (find_events(s, at, newest, &events, err) &&
                            (!events.n || leave(s, OUTBOX_MISSED, at, err)) &&
                            tell_events(s, &events, err) && move_cursor(s, "audit", newest, err));
}

bool outbox_collect(struct stepping *s, struct err *err)
{
    return collect_findings(s, err) && collect_events(s, err);
}
