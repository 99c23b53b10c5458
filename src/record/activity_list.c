/* activity_list.c - events that were recorded, newest first. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/activity.h"
#include "record/findings_parts.h"

enum { MOST_DEFAULT = 100, MOST = 10000 };

struct listing {
    struct arena *arena;
    struct activity_row *row;
    size_t n, room;
};

static bool take(void *ctx, const struct db_row *row, struct err *err)
{
    struct listing *l = ctx;
    struct activity_row *r, *grown = arena_grow(l->arena, l->row, l->n, &l->room, l->n + 1);
    if (!grown)
        return arena_full(l->arena, err);
    l->row = grown;
    r = &l->row[l->n++];
    *r = (struct activity_row){.id = db_int(row, 0),
                               .time_utc_ms = db_int(row, 1),
                               .received_utc_ms = db_int(row, 2),
                               .expected = db_int(row, 3) != 0,
                               .failed = db_int(row, 4) != 0,
                               .attack = db_int(row, 5) != 0,
                               .targets = db_int(row, 6)};
    struct str *texts[] = {&r->source,  &r->event,     &r->cloud,  &r->account,   &r->region,
                           &r->service, &r->action,    &r->actor,  &r->principal, &r->session,
                           &r->client,  &r->source_ip, &r->result, &r->stack,     &r->address};
    (void)activity_way_from(db_text(row, 7), &r->way);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = arena_dup(l->arena, db_text(row, 8 + i));
        if (!texts[i]->ptr)
            return arena_full(l->arena, err);
    }
    return true;
}

bool activity_list(struct record *record, struct arena *arena, const struct activity_query *query,
                   struct activity_row **ret, size_t *ret_n, struct err *err)
{
    struct listing l = {.arena = arena};
    size_t most = query->most ? query->most : MOST_DEFAULT;
    const struct db_value param[] = {
        record_text(arena, query->stack, SIZE_MAX),
        record_text(arena, query->address, SIZE_MAX),
        record_text(arena, query->actor, SIZE_MAX),
        record_text(arena, query->source, SIZE_MAX),
        record_text(arena, query->result, SIZE_MAX),
        DB_PARAM_INT(query->since_utc_ms),
        DB_PARAM_INT(query->until_utc_ms ? query->until_utc_ms : INT64_MAX),
        DB_PARAM_INT((int64_t)(most < MOST ? most : MOST))};
    if (!db_query(
            record->db,
            "SELECT a.id, a.utc_ms, a.received_utc_ms, a.expected, a.failed, a.attack,"
            " (SELECT count(*) FROM activity_target n WHERE n.activity = a.id), a.way, a.source,"
            " a.event, a.cloud, a.account, a.region, a.service, a.action, a.actor, a.principal,"
            " a.session, a.client, a.source_ip, a.result,"
            " coalesce((SELECT t.stack FROM activity_target t WHERE t.activity = a.id"
            " ORDER BY t.sure DESC, t.stack, t.address LIMIT 1), ''),"
            " coalesce((SELECT t.address FROM activity_target t WHERE t.activity = a.id"
            " ORDER BY t.sure DESC, t.stack, t.address LIMIT 1), '')"
            " FROM activity a WHERE a.utc_ms >= $6 AND a.utc_ms < $7"
            " AND (CAST($3 AS TEXT) = '' OR a.actor = $3 OR a.principal = $3)"
            " AND (CAST($4 AS TEXT) = '' OR a.source = $4)"
            " AND (CAST($5 AS TEXT) = '' OR a.result = $5)"
            " AND (CAST($1 AS TEXT) = '' OR EXISTS (SELECT 1 FROM activity_target t"
            " WHERE t.activity = a.id AND t.stack = $1"
            " AND (CAST($2 AS TEXT) = '' OR t.address = $2)))"
            " ORDER BY a.utc_ms DESC, a.id DESC LIMIT $8",
            param, sizeof param / sizeof *param, take, &l, err))
        return err_wrap(err, "list events");
    *ret = l.row;
    *ret_n = l.n;
    return true;
}
