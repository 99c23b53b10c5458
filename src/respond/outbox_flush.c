/* outbox_flush.c - things that are ready become messages: by thread, in order, each once. */
#include "base/buf.h"
#include "record/findings.h"
#include "respond/alert_json.h"
#include "respond/outbox_parts.h"

enum { FLUSH_MOST = 1000, MESSAGES_MOST = 1000 };

struct ready {
    int64_t id, finding;
    struct str what, thread, title, detail;
    enum alert_status status;
    enum severity severity;
    bool held, found, dropped;
    struct alert_source source;
};
struct readies {
    struct arena *arena;
    struct ready *item;
    size_t n, room;
};

static bool take_ready(void *ctx, const struct db_row *row, struct err *err)
{
    struct readies *list = ctx;
    struct ready *grown = arena_grow(list->arena, list->item, list->n, &list->room, list->n + 1);
    if (!grown)
        return arena_full(list->arena, err);
    list->item = grown;
    struct ready *r = &list->item[list->n++];
    *r = (struct ready){.id = db_int(row, 0),
                        .finding = db_int(row, 1),
                        .severity = outbox_severity(db_int(row, 2)),
                        .held = db_int(row, 3) != 0,
                        .status = outbox_status(db_text(row, 4))};
    return outbox_keep(list->arena, db_text(row, 5), &r->what, err) &&
           outbox_keep(list->arena, db_text(row, 6), &r->thread, err) &&
           outbox_keep(list->arena, db_text(row, 7), &r->title, err) &&
           outbox_keep(list->arena, db_text(row, 8), &r->detail, err);
}

/* --- what a receiver knows --- */

struct told_row {
    bool there, open;
    struct str digest;
    int64_t turns, turns_utc_ms;
    struct arena *arena;
};

static bool take_told(void *ctx, const struct db_row *row, struct err *err)
{
    struct told_row *t = ctx;
    t->there = true;
    t->open = db_int(row, 0) != 0;
    t->turns = db_int(row, 2);
    t->turns_utc_ms = db_int(row, 3);
    return outbox_keep(t->arena, db_text(row, 1), &t->digest, err);
}

static bool find_told(struct stepping *s, const struct route *route, int64_t finding,
                      struct told_row *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(finding)};
    *ret = (struct told_row){.arena = s->arena};
    return db_query(s->record->db,
                    "SELECT open, digest, turns, turns_utc_ms FROM alert_told WHERE receiver = $1"
                    " AND finding = $2",
                    param, 2, take_told, ret, err);
}

static bool set_told(struct stepping *s, const struct route *route, const struct ready *r,
                     struct err *err)
{
    struct told_row t;
    if (!find_told(s, route, r->finding, &t, err))
        return false;
    bool same_hour =
        t.turns && t.turns_utc_ms <= s->now && s->now - t.turns_utc_ms < OUTBOX_FLAP_MS;
    return OUTBOX_RUN(
        s->record,
        "INSERT INTO alert_told (receiver, finding, status, digest, open, told_utc_ms, turns,"
        " turns_utc_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (receiver, finding)"
        " DO UPDATE SET status = excluded.status, digest = excluded.digest, open = excluded.open,"
        " told_utc_ms = excluded.told_utc_ms, turns = excluded.turns,"
        " turns_utc_ms = excluded.turns_utc_ms",
        err, DB_PARAM_TEXT(route->name), DB_PARAM_INT(r->finding),
        DB_PARAM_TEXT(str_from(alert_status_name(r->status))), DB_PARAM_TEXT(r->source.digest),
        DB_PARAM_INT(r->status != ALERT_RESOLVED), DB_PARAM_INT(s->now),
        DB_PARAM_INT(same_hour ? t.turns + 1 : 1),
        DB_PARAM_INT(same_hour ? t.turns_utc_ms : s->now));
}

/* --- what is left of things that were held back --- */

/* The last of a finding counts; what the receiver knows already is nothing. */
static bool settle_held(struct stepping *s, const struct route *route, struct ready *last,
                        struct err *err)
{
    struct told_row t;
    bool open = last->source.open;
    if (!find_told(s, route, last->finding, &t, err))
        return false;
    if (last->status == ALERT_RESOLVED)
        last->dropped =
            t.there ? !t.open
                    : route->kind->one_by_one || route->kind->tracks || route->kind->resends;
    else if (!open)
        last->dropped = true; /* it ended, and that is not told here */
    else if (t.open && str_equal(t.digest, last->source.digest))
        last->dropped = last->status == ALERT_NEW || last->status == ALERT_CHANGED;
    else if (t.open && last->status == ALERT_NEW)
        last->status = ALERT_CHANGED;
    else if (!t.open && last->status == ALERT_CHANGED)
        last->status = ALERT_NEW; /* what it was before was not told here */
    return true;
}

static bool collapse(struct stepping *s, const struct route *route, struct ready *r, size_t n,
                     struct err *err)
{
    bool held = false;
    for (size_t i = 0; i < n; i++)
        held |= r[i].held;
    for (size_t i = 0; i < n; i++) {
        bool later = false;
        if (!r[i].finding)
            continue;
        bool reminds = r[i].status == ALERT_OVERDUE || r[i].status == ALERT_RECURRING;
        r[i].dropped = !r[i].found || (reminds && !r[i].source.open);
        for (size_t k = i + 1; k < n && held && !later; k++)
            later = r[k].finding == r[i].finding;
        r[i].dropped |= later;
        if (held && !r[i].dropped && !settle_held(s, route, &r[i], err))
            return false;
    }
    return true;
}

/* --- messages --- */

size_t outbox_most(const struct notifier *kind)
{
    enum { USUAL = 10 };
    size_t most = kind->one_by_one ? 1 : kind->findings_most ? kind->findings_most : USUAL;
    return most < OUTBOX_CHUNK ? most : OUTBOX_CHUNK;
}

/* All that fits into a message of the store's: where it is too long, with fewer findings. */
static bool write_payload(struct buf *out, struct alert *alert, struct err *err)
{
    for (;;) {
        out->len = 0;
        out->failed = false;
        alert_json(out, alert);
        if (!out->failed || alert->nfindings <= 1)
            return buf_ok(out, err);
        size_t left = alert->nfindings / 2;
        alert->more += alert->nfindings - left;
        alert->nfindings = left;
    }
}

bool outbox_put(struct stepping *s, const struct route *route, struct alert *alert, size_t findings,
                struct str trace, struct err *err)
{
    AUTO_BUF payload = {.limit = ALERT_JSON_MAX};
    int64_t seq = 0;
    alert->made_utc_ms = s->now;
    alert->more = findings - alert->nfindings;
    for (size_t i = 0; i < alert->nfindings; i++)
        if (alert->finding[i].severity > alert->severity)
            alert->severity = alert->finding[i].severity;
    if (alert->nfindings == 1 && !alert->more)
        alert->link = alert->finding[0].link;
    else if (s->routes->url.len)
        alert->link = arena_printf(s->arena, "%.*s/v1/findings", STR_ARG(s->routes->url));
    if (!write_payload(&payload, alert, err) ||
        !db_one_int(s->record->db, "SELECT coalesce(max(seq), 0) + 1 FROM alert", NULL, 0, &seq,
                    err))
        return false;
    s->done->made++;
    return OUTBOX_RUN(
        s->record,
        "INSERT INTO alert (id, seq, receiver, thread, status, severity, title,"
        " findings, payload, made_utc_ms, state, attempts, set_utc_ms, next_utc_ms,"
        " lease, lease_utc_ms, said, ended_utc_ms, trace) VALUES ($1, $2, $3, $4, $5, $6,"
        " $7, $8, $9, $10, 'waiting', 0, $10, $10, '', 0, '', 0, $11)"
        " ON CONFLICT (id) DO NOTHING",
        err, DB_PARAM_TEXT(alert->id), DB_PARAM_INT(seq), DB_PARAM_TEXT(route->name),
        DB_PARAM_TEXT(alert->thread), DB_PARAM_TEXT(str_from(alert_status_name(alert->status))),
        DB_PARAM_INT((int64_t)alert->severity), DB_PARAM_TEXT(alert->title),
        DB_PARAM_INT((int64_t)findings), DB_PARAM_TEXT(buf_view(&payload)), DB_PARAM_INT(s->now),
        DB_PARAM_TEXT(trace));
}

struct message {
    enum alert_status status;
    struct ready **part;
    size_t n, room;
};

static bool take_trace(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *out = ctx;
    (void)err;
    if (out->len)
        buf_char(out, ' ');
    buf_str(out, db_text(row, 0));
    return true;
}

/* Of the scans whose findings it tells, as far as a span can name them. */
static bool traces_of(struct stepping *s, const struct message *m, struct buf *out, struct err *err)
{
    enum { RUNS_MOST = 9 };
    for (size_t i = 0; i < m->n && i < RUNS_MOST; i++) {
        struct str what = m->part[i]->what;
        int64_t line;
        if (!str_starts(what, STR("h")) || !str_to_int64(str_sub(what, 1, what.len), &line))
            continue;
        const struct db_value param[] = {DB_PARAM_INT(line)};
        if (!db_query(s->record->db,
                      "SELECT r.trace FROM finding_history h JOIN run r ON r.id = h.run WHERE"
                      " h.id = $1 AND r.trace <> ''",
                      param, 1, take_trace, out, err))
            return false;
    }
    return true;
}

/* --- is it the last one of its thread? --- */

static bool is_of_thread(struct stepping *s, const struct route *route, struct str thread,
                         int64_t finding, bool *ret, struct err *err)
{
    struct alert_source source;
    struct arena_mark mark = arena_mark(s->arena);
    bool found = false;
    if (!alert_load(s->record, s->arena, finding, s->routes->url, &source, &found, err))
        return false;
    struct str its = found ? route_thread(s->arena, route, &source.finding, finding) : STR("");
    *ret = str_equal(its, thread);
    arena_rewind(s->arena, mark);
    return its.ptr || arena_full(s->arena, err);
}

static bool is_among(const struct ready *r, size_t n, int64_t finding)
{
    for (size_t i = 0; i < n; i++)
        if (r[i].finding == finding)
            return true;
    return false;
}

/* r: what becomes messages now; the last of a finding counts. */
static bool others_open(struct stepping *s, const struct route *route, const struct ready *r,
                        size_t n, bool *ret, struct err *err)
{
    struct outbox_ids ids = {.arena = s->arena};
    *ret = false;
    if (!route->kind->tracks || route->group == ROUTE_BY_NONE || !r[0].finding)
        return true;
    for (size_t i = 0; i < n; i++)
        *ret |= r[i].found && r[i].source.open && !is_among(&r[i + 1], n - i - 1, r[i].finding);
    const struct db_value param[] = {
        DB_PARAM_TEXT(route->name), DB_PARAM_INT(route->group == ROUTE_BY_STACK),
        DB_PARAM_TEXT(r[0].found ? r[0].source.finding.stack : STR(""))};
    if (*ret)
        return true;
    if (!db_query(s->record->db,
                  "SELECT t.finding FROM alert_told t JOIN finding f ON f.id = t.finding"
                  " WHERE t.receiver = $1 AND t.open = 1 AND ($2 = 0 OR f.stack = $3)"
                  " ORDER BY t.finding",
                  param, 3, outbox_take_id, &ids, err))
        return false;
    for (size_t i = 0; i < ids.n && !*ret; i++)
        if (!is_among(r, n, ids.id[i]) && !is_of_thread(s, route, r[0].thread, ids.id[i], ret, err))
            return false;
    return true;
}

static bool put_message(struct stepping *s, const struct route *route, const struct message *m,
                        bool others, struct err *err)
{
    AUTO_BUF name = {.limit = 1 << 20}, trace = {.limit = 4096};
    const struct ready *head = m->part[0];
    size_t most = outbox_most(route->kind), n = 0;
    struct alert alert = {.status = m->status,
                          .thread = head->thread,
                          .severity = head->severity,
                          .others_open = others && m->status == ALERT_RESOLVED};
    struct alert_finding *finding = arena_new(s->arena, struct alert_finding, m->n);
    if (!finding)
        return arena_full(s->arena, err);
    buf_printf(&name, "%.*s %.*s", STR_ARG(route->name), STR_ARG(head->thread));
    for (size_t i = 0; i < m->n; i++) {
        buf_printf(&name, " %.*s %lld", STR_ARG(m->part[i]->what), (long long)m->part[i]->finding);
        if (head->finding && n < most)
            finding[n++] = m->part[i]->source.finding;
    }
    alert.finding = finding;
    alert.nfindings = n;
    alert.text = head->detail;
    alert.id = buf_ok(&name, err) ? route_digest(s->arena, "al", buf_view(&name)) : STR("");
    alert.title = head->finding ? alert_title(s->arena, finding, n, m->n - n) : head->title;
    if (!alert.id.len || !alert.title.ptr)
        return arena_full(s->arena, err);
    return traces_of(s, m, &trace, err) && outbox_put(s, route, &alert, head->finding ? m->n : 0,
                                                      trace.len ? buf_view(&trace) : STR(""), err);
}

/* The message that a thing belongs to: the last of its status, unless the finding is in a later
 * one; `max` findings fit. */
static struct message *message_for(struct message *list, size_t *n, const struct ready *r,
                                   bool alone, size_t max)
{
    size_t at = *n;
    for (size_t i = *n; i-- > 0 && !alone;) {
        bool in = false;
        for (size_t k = 0; k < list[i].n; k++)
            in |= list[i].part[k]->finding == r->finding;
        if (in)
            break;
        if (list[i].status == r->status && list[i].n < max && list[i].part[0]->finding) {
            at = i;
            break;
        }
    }
    if (at == *n) {
        if (*n == MESSAGES_MOST)
            return NULL;
        list[(*n)++] = (struct message){.status = r->status};
    }
    return &list[at];
}

static bool into_messages(struct stepping *s, const struct route *route, struct ready *r, size_t n,
                          struct err *err)
{
    struct message *list = arena_new(s->arena, struct message, MESSAGES_MOST);
    const struct notifier *kind = route->kind;
    size_t nlist = 0;
    size_t max = kind->findings_most > OUTBOX_CHUNK ? OUTBOX_CHUNK : SIZE_MAX;
    if (!list)
        return arena_full(s->arena, err);
    for (size_t i = 0; i < n; i++) {
        if (r[i].dropped)
            continue;
        bool alone = !r[i].finding || kind->one_by_one || route->group == ROUTE_BY_NONE;
        struct message *m = message_for(list, &nlist, &r[i], alone, max);
        struct ready **grown = m ? arena_grow(s->arena, m->part, m->n, &m->room, m->n + 1) : NULL;
        if (!grown)
            return arena_full(s->arena, err);
        m->part = grown;
        m->part[m->n++] = &r[i];
    }
    bool others = false;
    if (nlist && !others_open(s, route, r, n, &others, err))
        return false;
    for (size_t i = 0; i < nlist; i++)
        if (!put_message(s, route, &list[i], others, err))
            return false;
    for (size_t i = 0; i < n; i++)
        if (!r[i].dropped && r[i].finding && !set_told(s, route, &r[i], err))
            return false;
    return true;
}

static bool forget_items(struct stepping *s, const struct ready *r, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!OUTBOX_RUN(s->record, "DELETE FROM alert_item WHERE id = $1", err,
                        DB_PARAM_INT(r[i].id)))
            return false;
    return true;
}

/* --- not too many --- */

/* When the next message may be made: now, or when the oldest of the last minute is a minute old.
 * One that is sent again to those who did not take it, a thread of its own, is no other message. */
static bool rate_free(struct stepping *s, const struct route *route, int64_t *ret, struct err *err)
{
    enum { MINUTE_MS = 60000 };
    int64_t n = 0, oldest = 0;
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(s->now - MINUTE_MS),
                                     DB_PARAM_INT(s->now)};
    *ret = s->now;
    if (!route->config->rate)
        return true;
    if (!db_one_int(s->record->db,
                    "SELECT count(*) FROM alert WHERE receiver = $1 AND made_utc_ms > $2 AND"
                    " made_utc_ms <= $3 AND thread <> id",
                    param, 3, &n, err))
        return false;
    if (n < route->config->rate)
        return true;
    if (!db_one_int(s->record->db,
                    "SELECT min(made_utc_ms) FROM alert WHERE receiver = $1 AND made_utc_ms > $2"
                    " AND made_utc_ms <= $3 AND thread <> id",
                    param, 3, &oldest, err))
        return false;
    *ret = oldest + MINUTE_MS;
    return true;
}

/* Over the limit: all of it becomes one message, when one may be made again. */
static bool hold_rest(struct stepping *s, const struct route *route, int64_t until, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(s->now),
                                     DB_PARAM_INT(until), DB_PARAM_TEXT(STR("all"))};
    bool apart = route->kind->one_by_one || route->kind->tracks || route->group == ROUTE_BY_NONE;
    return db_run(s->record->db,
                  apart
                      ? "UPDATE alert_item SET held = 1, ready_utc_ms = $3 WHERE receiver = $1 AND"
                        " ready_utc_ms <= $2"
                      : "UPDATE alert_item SET held = 1, ready_utc_ms = $3, thread = $4 WHERE"
                        " receiver = $1 AND ready_utc_ms <= $2 AND finding <> 0",
                  param, apart ? 3 : 4, err);
}

static bool flush_thread(struct stepping *s, const struct route *route, struct ready *r, size_t n,
                         bool *ret_full, struct err *err)
{
    int64_t free_at = s->now;
    if (!rate_free(s, route, &free_at, err))
        return false;
    *ret_full = free_at > s->now;
    if (*ret_full)
        return hold_rest(s, route, free_at, err);
    for (size_t i = 0; i < n; i++)
        if (r[i].finding && !alert_load_shown(s->record, s->arena, r[i].finding, s->routes->url,
                                              &r[i].source, &r[i].found, err))
            return false;
    return collapse(s, route, r, n, err) && into_messages(s, route, r, n, err) &&
           forget_items(s, r, n, err);
}

/* The thread that waits longest comes first: a rate leaves none of them behind for ever. */
static bool flush_route(struct stepping *s, const struct route *route, struct err *err)
{
    struct readies list = {.arena = s->arena};
    const struct db_value param[] = {DB_PARAM_TEXT(route->name), DB_PARAM_INT(s->now),
                                     DB_PARAM_INT(s->now + OUTBOX_SKEW_MS),
                                     DB_PARAM_INT(FLUSH_MOST)};
    bool full = false;
    if (!db_query(s->record->db,
                  "SELECT id, finding, severity, held, status, what, thread, title, detail FROM"
                  " alert_item WHERE receiver = $1 AND (ready_utc_ms <= $2 OR made_utc_ms > $3)"
                  " ORDER BY min(id) OVER (PARTITION BY thread), id LIMIT $4",
                  param, 4, take_ready, &list, err))
        return false;
    for (size_t from = 0, to = 0; from < list.n && !full; from = to) {
        while (to < list.n && str_equal(list.item[to].thread, list.item[from].thread))
            to++;
        if (!flush_thread(s, route, &list.item[from], to - from, &full, err))
            return false;
    }
    s->done->more |= list.n == FLUSH_MOST && !full;
    return true;
}

bool outbox_flush(struct stepping *s, struct err *err)
{
    struct arena_mark mark = arena_mark(s->arena);
    for (size_t i = 0; i < s->routes->n; i++) {
        if (!s->gone[i] && !flush_route(s, &s->routes->item[i], err))
            return false;
        arena_rewind(s->arena, mark);
    }
    return true;
}
