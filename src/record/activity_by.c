/* activity_by.c - who made a difference: the last write on the resource since it was in sync, and
 * all who had a hand in it. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/activity_parts.h"
#include "record/findings_parts.h"
#include "record/identity_parts.h"

enum {
    EVENTS_MAX = 200,
    HASHES = 16,
    SECOND_MS = 1000,
    VISIBLE_MS = 60000 /* what was done may be seen so much later */
};

struct attributions {
    struct record *record;
    struct arena *arena;
    struct str stack;
    bool any_source;           /* an event ever came, from anywhere */
    bool any_name;             /* one that no resource was known for */
    struct str cloud, account; /* of the resource in hand */
};

/* NULL, and no row, leave *ret as it is. */
static bool one(struct attributions *a, const char *sql, const struct db_value *param, size_t n,
                int64_t *ret, struct err *err)
{
    struct err none = {0};
    if (db_one_int(a->record->db, sql, param, n, ret, &none) || none.kind == ERR_NONE)
        return true;
    if (err)
        *err = none;
    return false;
}

bool attributions_open(struct record *record, struct arena *arena, struct str stack,
                       struct attributions **ret, struct err *err)
{
    struct attributions *a = arena_new(arena, struct attributions, 1);
    if (!a)
        return arena_full(arena, err);
    *a = (struct attributions){.record = record, .arena = arena, .stack = arena_dup(arena, stack)};
    if (!a->stack.ptr)
        return arena_full(arena, err);
    int64_t any = 0;
    if (!one(a,
             "SELECT coalesce((SELECT 1 FROM activity_source LIMIT 1), 0) +"
             " coalesce((SELECT 2 FROM activity_name LIMIT 1), 0)",
             NULL, 0, &any, err))
        return err_wrap(err, "who changed the resources of %.*s", STR_ARG(stack));
    a->any_source = any & 1;
    a->any_name = any & 2;
    *ret = a;
    return true;
}

/* --- since when --- */

/* What the last complete scan that ended before then saw is of this time; as it was where there is
 * none. */
static bool last_complete(struct attributions *a, int64_t before_utc_ms, int64_t *ret,
                          struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(a->stack), DB_PARAM_INT(before_utc_ms)};
    return one(a,
               "SELECT coalesce(live_utc_ms, started_utc_ms) FROM run WHERE stack = $1 AND"
               " outcome = 'complete' AND ended_utc_ms < $2 ORDER BY id DESC LIMIT 1",
               param, 2, ret, err);
}

/* Findings of one address: `lane + 0` and `class || ''` keep SQLite from the indices of all that is
 * open in the stack. */

/* A complete scan that ended before the finding appeared had seen the resource in sync, and so had
 * the one that resolved the last finding there. When it appeared its history tells: it opens anew
 * when a review ends, too. */
static bool in_sync_since(struct attributions *a, struct str address, int64_t *ret, struct err *err)
{
    int64_t open = INT64_MAX, resolved = 0, run = 0;
    struct db_value param[] = {DB_PARAM_TEXT(a->stack), record_text(a->arena, address, SIZE_MAX),
                               DB_PARAM_INT(0)};
    if (!one(
            a,
            "SELECT min(coalesce((SELECT min(h.utc_ms) FROM finding_history h WHERE h.finding ="
            " f.id AND h.id > coalesce((SELECT max(r.id) FROM finding_history r WHERE r.finding ="
            " f.id AND r.what = 'resolved'), 0)), f.open_utc_ms)) FROM finding f WHERE f.stack = $1"
            " AND f.address = $2 AND f.lane + 0 < 4",
            param, 2, &open, err))
        return false;
    param[2] = DB_PARAM_INT(open);
    if (!one(a,
             "SELECT max(h.utc_ms) FROM finding f JOIN finding_history h ON h.finding = f.id WHERE"
             " f.stack = $1 AND f.address = $2 AND h.what = 'resolved' AND h.utc_ms < $3",
             param, 3, &resolved, err))
        return false;
    if (!last_complete(a, open, &run, err))
        return false;
    *ret = run > resolved ? run : resolved;
    *ret -= *ret % SECOND_MS; /* logs tell whole seconds, cut off */
    return true;
}

bool activity_in_sync_since(struct record *record, struct arena *arena, struct str stack,
                            struct str address, int64_t *ret_utc_ms, struct err *err)
{
    struct attributions a = {.record = record, .arena = arena, .stack = stack};
    return in_sync_since(&a, address, ret_utc_ms, err);
}

/* --- events of a resource --- */

struct deed {
    struct attribution by;
    bool sure;
};
struct deeds {
    struct arena *arena;
    struct str stack;
    struct deed *deed; /* newest first */
    size_t n, room;
};

#define DEED_COLUMNS \
    "a.utc_ms, a.expected, a.actor, a.source, a.principal, a.session, a.client, a.source_ip," \
    " a.service, a.action, a.way, a.event"

static bool take_deed(void *ctx, const struct db_row *row, struct err *err)
{
    struct deeds *d = ctx;
    enum activity_way way = ACTIVITY_UNKNOWN_WAY;
    struct deed *grown = arena_grow(d->arena, d->deed, d->n, &d->room, d->n + 1);
    if (!grown)
        return arena_full(d->arena, err);
    d->deed = grown;
    struct attribution *by = &d->deed[d->n].by;
    *by = (struct attribution){.time_utc_ms = db_int(row, 0), .expected = db_int(row, 1) != 0};
    struct str *texts[] = {&by->actor,  &by->how,       &by->principal, &by->session,
                           &by->client, &by->source_ip, &by->event_id};
    static const unsigned char column[] = {2, 3, 4, 5, 6, 7, 11};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = arena_dup(d->arena, db_text(row, column[i]));
        if (!texts[i]->ptr)
            return arena_full(d->arena, err);
    }
    struct str service = db_text(row, 8);
    by->action = arena_printf(d->arena, "%.*s%s%.*s", STR_ARG(service), service.len ? " " : "",
                              STR_ARG(db_text(row, 9)));
    (void)activity_way_from(db_text(row, 10), &way);
    by->way = str_from(activity_way_name(way));
    by->kind = str_from(activity_way_kind(way));
    if (str_starts(by->actor, STR("autoscaling")))
        by->kind = STR("autoscaler");
    d->deed[d->n++].sure = db_int(row, 12) != 0;
    return by->action.ptr || arena_full(d->arena, err);
}

/* By a name that nobody knew then: it may be of a stack that the sender has no business with. */
static bool take_named(void *ctx, const struct db_row *row, struct err *err)
{
    const struct deeds *d = ctx;
    return !activity_may_touch(db_text(row, 13), d->stack) || take_deed(ctx, row, err);
}

static bool find_by_address(struct attributions *a, struct str address, int64_t since,
                            struct deeds *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(a->stack),
                                     record_text(a->arena, address, SIZE_MAX), DB_PARAM_INT(since),
                                     DB_PARAM_INT(EVENTS_MAX)};
    return db_query(a->record->db,
                    "SELECT " DEED_COLUMNS ", t.sure FROM activity_target t JOIN activity a ON"
                    " a.id = t.activity WHERE t.stack = $1 AND t.address = $2 AND t.utc_ms >= $3"
                    " AND a.failed = 0 AND a.actor <> '' ORDER BY a.utc_ms DESC, a.id DESC"
                    " LIMIT $4",
                    param, 4, take_deed, ret, err);
}

/* Events that came before anybody knew of the resource. */
static bool find_by_name(struct attributions *a, const int64_t *hash, size_t n, int64_t since,
                         struct deeds *ret, struct err *err)
{
    struct db_value param[HASHES + 1];
    if (!n)
        return true;
    ret->stack = a->stack;
    for (size_t i = 0; i < HASHES; i++)
        param[i] = DB_PARAM_INT(hash[i < n ? i : n - 1]);
    param[HASHES] = DB_PARAM_INT(since);
    return db_query(a->record->db,
                    "SELECT " DEED_COLUMNS
                    ", 1, a.stacks FROM activity a WHERE a.id IN (SELECT activity"
                    " FROM activity_name WHERE hash IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
                    " $11, $12, $13, $14, $15, $16)) AND a.utc_ms >= $17 AND a.failed = 0 AND"
                    " a.actor <> '' ORDER BY a.utc_ms DESC, a.id DESC LIMIT 200",
                    param, HASHES + 1, take_named, ret, err);
}

static bool find_unnamed(struct attributions *a, const struct finding *finding,
                         const struct value *live, int64_t since, struct deeds *ret,
                         struct err *err)
{
    int64_t *hash = NULL;
    size_t n = 0;
    if (!a->any_name)
        return true;
    if (!identities_of(a->record, a->arena, a->stack, finding->address, &hash, &n, err))
        return false;
    if (!n && live && !identities_of_value(a->arena, finding->type, live, &hash, &n, err))
        return false;
    return find_by_name(a, hash, n, since, ret, err);
}

/* --- nobody --- */

static bool take_where(void *ctx, const struct db_row *row, struct err *err)
{
    struct attributions *a = ctx;
    a->cloud = arena_dup(a->arena, db_text(row, 0));
    a->account = arena_dup(a->arena, db_text(row, 1));
    return (a->cloud.ptr && a->account.ptr) || arena_full(a->arena, err);
}

/* Does anybody tell of that account? Of a type that is of no cloud, plumb's own events may. */
static bool has_source(struct attributions *a, struct str address, struct str type, bool *ret,
                       struct err *err)
{
    const struct db_value at[] = {DB_PARAM_TEXT(a->stack),
                                  record_text(a->arena, address, SIZE_MAX)};
    int64_t found = 0;
    a->cloud = identity_cloud(type);
    a->account = STR("");
    if (!db_query(a->record->db,
                  "SELECT cloud, lower(account) FROM identity_resource WHERE stack = $1 AND"
                  " address = $2",
                  at, 2, take_where, a, err))
        return false;
    const struct db_value from[] = {DB_PARAM_TEXT(a->cloud), DB_PARAM_TEXT(a->account)};
    if (!one(a,
             "SELECT 1 FROM activity_source WHERE source = 'event' OR (cloud = $1 AND"
             " (CAST($2 AS TEXT) = '' OR lower(account) = $2)) LIMIT 1",
             from, 2, &found, err))
        return false;
    *ret = found != 0;
    return true;
}

static bool nobody(struct attributions *a, const struct finding *finding,
                   const struct attribution **ret, struct err *err)
{
    bool heard = false;
    struct attribution *by = arena_new(a->arena, struct attribution, 1);
    if (!by)
        return arena_full(a->arena, err);
    if (a->any_source && !has_source(a, finding->address, finding->type, &heard, err))
        return false;
    by->no_source = !a->any_source;
    by->unknown_because = heard ? STR("unknown, no event names it since it was last in sync")
                                : STR("unknown, no audit source for this account");
    *ret = by;
    return true;
}

/* --- the answer --- */

static uint64_t count_others(const struct deeds *d, bool sure)
{
    uint64_t n = 0;
    for (size_t i = 1; i < d->n; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = str_equal(d->deed[k].by.actor, d->deed[i].by.actor) && d->deed[k].sure >= sure;
        n += !seen && d->deed[i].sure >= sure;
    }
    return n;
}

/* What is open there already: of no value (nothing is), of others only, of this one. */
enum open_value { OPEN_NONE, OPEN_OTHER, OPEN_SAME };

static bool find_open(struct attributions *a, const struct finding *finding, int64_t *ret,
                      struct err *err)
{
    struct str key, digest;
    *ret = OPEN_SAME; /* of one without values nobody can tell */
    if (!finding->nchanges)
        return true;
    if (!record_key(a->record, &key, err) || !finding_digest(a->arena, key, finding, &digest, err))
        return false;
    const struct db_value param[] = {
        DB_PARAM_TEXT(a->stack), record_text(a->arena, finding->address, SIZE_MAX),
        DB_PARAM_TEXT(str_from(finding_class_name(finding->class_))), DB_PARAM_TEXT(digest)};
    return one(a,
               "SELECT coalesce(max(CASE WHEN digest = $4 THEN 2 ELSE 1 END), 0) FROM finding"
               " WHERE stack = $1 AND address = $2 AND class || '' = $3 AND lane + 0 < 4",
               param, 4, ret, err);
}

/* Since when the value that is there now can be there: the last complete scan before it was seen
 * first saw another one. 0: since the finding is open. */
static bool another_since(struct attributions *a, const struct finding *finding, int64_t *ret,
                          struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(a->stack),
                                     record_text(a->arena, finding->address, SIZE_MAX),
                                     DB_PARAM_TEXT(str_from(finding_class_name(finding->class_)))};
    int64_t open = OPEN_NONE, seen = 0, run = 0;
    *ret = 0;
    if (!find_open(a, finding, &open, err) ||
        (open == OPEN_SAME &&
         !one(a,
              "SELECT max(h.utc_ms) FROM finding f JOIN finding_history h ON h.finding = f.id AND"
              " h.what = 'changed' WHERE f.stack = $1 AND f.address = $2 AND f.class || '' = $3"
              " AND f.lane + 0 < 4",
              param, 3, &seen, err)))
        return false;
    if (open != OPEN_OTHER && !seen)
        return true;
    if (!last_complete(a, open == OPEN_OTHER ? INT64_MAX : seen, &run, err))
        return false;
    *ret = run - VISIBLE_MS;
    return true;
}

bool attributions_find(void *ctx, const struct finding *finding, const struct value *live,
                       const struct attribution **ret, struct err *err)
{
    struct attributions *a = ctx;
    struct deeds deeds = {.arena = a->arena};
    int64_t since = 0;
    size_t at = 0;
    if (finding->class_ == CLASS_UNCHECKED || finding->class_ == CLASS_UNAPPLIED)
        return true; /* nobody did anything to it */
    if (a->any_source && (!in_sync_since(a, finding->address, &since, err) ||
                          !find_by_address(a, finding->address, since, &deeds, err) ||
                          (!deeds.n && !find_unnamed(a, finding, live, since, &deeds, err))))
        return err_wrap(err, "who changed %.*s", STR_ARG(finding->address));
    if (!deeds.n)
        return nobody(a, finding, ret, err);
    while (at < deeds.n && !deeds.deed[at].sure)
        at++;
    bool sure = at < deeds.n;
    struct deed *last = &deeds.deed[sure ? at : 0];
    if (sure && at) { /* what is only perhaps about it counts for nothing */
        memmove(deeds.deed, last, (deeds.n - at) * sizeof *last);
        deeds.n -= at;
        last = deeds.deed;
    }
    int64_t another = 0;
    if (!another_since(a, finding, &another, err))
        return err_wrap(err, "who changed %.*s", STR_ARG(finding->address));
    last->by.surely = sure && last->by.time_utc_ms >= another;
    last->by.others = count_others(&deeds, sure);
    *ret = &last->by;
    return true;
}

/* --- all who had a hand in it --- */

struct hands {
    struct arena *arena;
    struct review_hand *item;
    size_t n, room;
};

static bool add_hand(struct hands *hands, const struct actor *by, int64_t glass, struct err *err)
{
    for (size_t i = 0; i < hands->n; i++) /* events that one person made */
        if (actor_same(&hands->item[i].by, by) && str_equal(hands->item[i].by.via, by->via))
            return true;
    hands->item = arena_grow(hands->arena, hands->item, hands->n, &hands->room, hands->n + 1);
    if (!hands->item)
        return arena_full(hands->arena, err);
    hands->item[hands->n++] = (struct review_hand){*by, glass};
    return true;
}

static bool take_hand(void *ctx, const struct db_row *row, struct err *err)
{
    struct hands *hands = ctx;
    const struct actor by = {.name = reviews_keep(hands->arena, row, 0),
                             .how = reviews_keep(hands->arena, row, 1),
                             .via = reviews_keep(hands->arena, row, 2)};
    return by.name.ptr && by.how.ptr && by.via.ptr ? add_hand(hands, &by, db_int(row, 3), err)
                                                   : arena_full(hands->arena, err);
}

/* By people, not by events: so many of a machine hide nobody. */
static bool find_hands(struct attributions *a, struct str address, int64_t since, bool sure,
                       struct hands *hands, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(a->stack),
                                     record_text(a->arena, address, SIZE_MAX), DB_PARAM_INT(since),
                                     DB_PARAM_INT(sure)};
    return db_query(a->record->db,
                    "SELECT DISTINCT a.actor, a.source, a.principal, 0 FROM activity_target t JOIN"
                    " activity a ON a.id = t.activity WHERE t.stack = $1 AND t.address = $2 AND"
                    " t.utc_ms >= $3 AND t.sure = $4 AND a.failed = 0 AND a.actor <> ''"
                    " ORDER BY 1, 2, 3",
                    param, 4, take_hand, hands, err);
}

/* Within the time of a breakglass: what it lists; while it lasts, what changed since it began. */
static bool find_glasses(struct attributions *a, const struct review *review, int64_t finding,
                         int64_t since, struct hands *hands, struct err *err)
{
    struct cover *glass = NULL;
    size_t n = 0;
    const struct db_value param[] = {DB_PARAM_INT(finding), DB_PARAM_INT(since)};
    int64_t changed = 0;
    if (!db_query(a->record->db,
                  "SELECT c.actor, c.actor_how, c.actor_via, c.id FROM cover_finding l JOIN cover c"
                  " ON c.kind = 'breakglass' AND c.id = l.breakglass WHERE l.finding = $1 AND"
                  " c.ended_utc_ms >= $2 ORDER BY c.id",
                  param, 2, take_hand, hands, err) ||
        !one(a, "SELECT changed_utc_ms FROM finding WHERE id = $1", param, 1, &changed, err) ||
        !covers_list(a->record, a->arena, COVER_BREAKGLASS, false, &glass, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (glass[i].start_utc_ms <= changed &&
            cover_fits(&glass[i], review->stack, review->address) &&
            !add_hand(hands, &glass[i].by, glass[i].id, err))
            return false;
    return true;
}

bool activity_hands(struct record *record, struct arena *arena, int64_t finding,
                    struct review *review, struct err *err)
{
    struct attributions *a = NULL;
    struct deeds deeds = {.arena = arena};
    struct hands hands = {.arena = arena};
    const struct finding of = {.address = review->address};
    int64_t since = 0;
    if (!attributions_open(record, arena, review->stack, &a, err) ||
        !in_sync_since(a, review->address, &since, err) ||
        !find_hands(a, review->address, since, true, &hands, err) ||
        (!hands.n && !find_hands(a, review->address, since, false, &hands, err)) ||
        (!hands.n && !find_unnamed(a, &of, NULL, since, &deeds, err)))
        return err_wrap(err, "who changed %.*s", STR_ARG(review->address));
    for (size_t i = 0; i < deeds.n; i++) {
        const struct attribution *by = &deeds.deed[i].by;
        const struct actor actor = {.name = by->actor, .how = by->how, .via = by->principal};
        if (!add_hand(&hands, &actor, 0, err))
            return false;
    }
    if (!find_glasses(a, review, finding, since, &hands, err))
        return err_wrap(err, "who broke the glass for %.*s", STR_ARG(review->address));
    review->hand = hands.item;
    review->nhands = hands.n;
    return true;
}
