/* maintain.c - checking, forgetting, vacuuming. */
#include "record/maintain.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/counts.h"
#include "record/reviews_parts.h"

enum { ARENA_BYTES = 1 << 20 };

/* --- forgetting --- */

static bool run_all(struct db *db, const char *const *sql, size_t n, const struct db_value *param,
                    int64_t *ret_last, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (!db_run(db, sql[i], param, 1, err))
            return false;
    *ret_last = db_changed(db);
    return true;
}

#define GONE "(SELECT id FROM finding WHERE lane = 4 AND resolved_utc_ms < $1)"
static const char *const forget_findings[] = {
    "DELETE FROM finding_history WHERE finding IN " GONE,
    "DELETE FROM finding_asked WHERE finding IN " GONE,
    "DELETE FROM cover_finding WHERE finding IN " GONE,
    "DELETE FROM overdue WHERE finding IN " GONE,
    "DELETE FROM alert_item WHERE finding IN " GONE,
    "DELETE FROM alert_told WHERE finding IN " GONE,
    "DELETE FROM review_approval WHERE review IN (SELECT id FROM review WHERE finding IN " GONE ")",
    "DELETE FROM review WHERE finding IN " GONE,
    "DELETE FROM finding WHERE lane = 4 AND resolved_utc_ms < $1",
};
/* No run has used it for as long: what is there now may be something else. */
static const char *const forget_configured[] = {
    "DELETE FROM provider_config WHERE seen_utc_ms < $1",
};
static const char *const forget_runs[] = {
    "DELETE FROM run WHERE started_utc_ms < $1 AND id NOT IN (SELECT last_run FROM stack) AND"
    " id NOT IN (SELECT complete_run FROM stack WHERE complete_run IS NOT NULL) AND"
    " id NOT IN (SELECT failed_run FROM stack WHERE failed_run IS NOT NULL)",
};

static bool tell(struct record *record, const struct event_actor *actor, int64_t before,
                 const struct pruned *pruned, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_BYTES};
    struct event event = {.type = EVENT_STORE, .actor = *actor, .outcome = STR("pruned")};
    struct detail detail = {.arena = &arena};
    detail_time(&detail, "before", before);
    detail_int(&detail, "findings", pruned->findings);
    detail_int(&detail, "runs", pruned->runs);
    return detail_object(&detail, &event.detail, err) && audit_append(record, &event, NULL, err);
}

static bool prune_in(struct record *record, int64_t keep_ms, const struct event_actor *actor,
                     struct pruned *ret, struct err *err)
{
    int64_t before = record_now(record) - keep_ms;
    const struct db_value param = DB_PARAM_INT(before);
    int64_t configured;
    if (!run_all(record->db, forget_configured, 1, &param, &configured, err) ||
        !counts_forget(record->db, before, err) ||
        !run_all(record->db, forget_findings, sizeof forget_findings / sizeof *forget_findings,
                 &param, &ret->findings, err) ||
        !run_all(record->db, forget_runs, 1, &param, &ret->runs, err))
        return false;
    return (!ret->findings && !ret->runs) || tell(record, actor, before, ret, err);
}

bool store_prune(struct record *record, int64_t keep_ms, const struct event_actor *actor,
                 struct pruned *ret, struct err *err)
{
    struct pruned pruned = {0};
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "forget what is old");
    if (!prune_in(record, keep_ms, actor, &pruned, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return err_wrap(err, "forget what is old");
    }
    *ret = pruned;
    return true;
}

bool store_vacuum(struct record *record, struct err *err)
{
    if (db_kind(record->db) == DB_POSTGRES) /* alone: several in one go are one transaction */
        return db_script(record->db, "VACUUM ANALYZE", err);
    return db_script(record->db, "VACUUM", err) && db_script(record->db, "ANALYZE", err) &&
           db_script(record->db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}

/* --- checking --- */

struct checking {
    bool (*problem)(void *ctx, struct str sentence, struct err *err);
    void *ctx;
    int64_t n;
    const char *says;
};

static bool report(struct checking *c, struct str sentence, struct err *err)
{
    c->n++;
    return c->problem(c->ctx, sentence, err);
}

static bool integrity_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct str text = db_text(row, 0);
    return str_equal(text, STR("ok")) || report(ctx, text, err);
}

static bool orphan_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct checking *c = ctx;
    char text[200];
    int len = snprintf(text, sizeof text, "%s: %lld", c->says, (long long)db_int(row, 0));
    return report(c, (struct str){text, (size_t)len}, err);
}

/* What must hold between tables: a row of an answer is a problem. */
static const struct {
    const char *says, *sql;
} rules[] = {
    {"a finding has a status that is none",
     "SELECT id FROM finding WHERE status NOT IN ('new', 'recurring', 'changed', 'reopened',"
     " 'reviewed', 'waived', 'ignored', 'resolved') ORDER BY id LIMIT 100"},
    {"a finding is resolved by no run",
     "SELECT id FROM finding WHERE (lane = 4) <> (resolved_run IS NOT NULL) ORDER BY id LIMIT 100"},
    {"the counts of findings are not those of the findings", /* counts.h */
     "SELECT CAST(n AS BIGINT) FROM (SELECT stack, class, lane, violation, sum(n) AS n FROM"
     " (SELECT stack, class, lane, violation, findings AS n FROM finding_count UNION ALL"
     " SELECT stack, class, lane, " COUNTS_VIOLATION ", -count(*) FROM finding"
     " GROUP BY stack, class, lane, " COUNTS_VIOLATION ") both_sides"
     " GROUP BY stack, class, lane, violation) apart WHERE n <> 0 LIMIT 100"},
    {"a line of a history belongs to no finding",
     "SELECT h.id FROM finding_history h LEFT JOIN finding f ON f.id = h.finding"
     " WHERE f.id IS NULL ORDER BY h.id LIMIT 100"},
    {"what policy was asked belongs to no finding",
     "SELECT a.finding FROM finding_asked a LEFT JOIN finding f ON f.id = a.finding"
     " WHERE f.id IS NULL ORDER BY a.finding LIMIT 100"},
    {"a stack's last run is not there",
     "SELECT s.last_run FROM stack s LEFT JOIN run r ON r.id = s.last_run WHERE r.id IS NULL"
     " ORDER BY s.last_run LIMIT 100"},
    {"a run ended without a digest of what it saw",
     "SELECT id FROM run WHERE ended_utc_ms IS NOT NULL AND outcome NOT IN ('failed', 'abandoned') "
     "AND digest = ''"
     " ORDER BY id LIMIT 100"},
    {"an accepted finding belongs to no baseline",
     "SELECT i.baseline FROM baseline_item i LEFT JOIN baseline b ON b.id = i.baseline"
     " WHERE b.id IS NULL ORDER BY i.baseline LIMIT 100"},
    {"an event of the audit log is missing",
     /* those that announce keys stay when what is around them is taken out (audit_prune.h) */
     "SELECT h.size FROM audit_head h WHERE h.size <> h.kept +"
     " (SELECT count(*) FROM audit_event WHERE seq >= h.kept)"},
};

bool store_check(struct record *record,
                 bool (*problem)(void *ctx, struct str sentence, struct err *err), void *ctx,
                 int64_t *ret_n, struct err *err)
{
    struct checking c = {problem, ctx, 0, NULL};
    if (db_kind(record->db) == DB_SQLITE &&
        (!db_query(record->db, "PRAGMA integrity_check", NULL, 0, integrity_row, &c, err) ||
         !db_query(record->db, "PRAGMA foreign_key_check", NULL, 0, integrity_row, &c, err)))
        return false;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        c.says = rules[i].says;
        if (!db_query(record->db, rules[i].sql, NULL, 0, orphan_row, &c, err))
            return err_wrap(err, "check whether %s", rules[i].says);
    }
    *ret_n = c.n;
    return true;
}
