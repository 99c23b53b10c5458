/* metrics_store.c - figures that the store knows: a query a row; and how fresh stacks are. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/finding.h"
#include "record/freshness.h"
#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/metrics_parts.h"
#include "serve/server.h"

enum { LABELS_MAX = 4, STORE_TIMEOUT_MS = 5000, ARENA_BYTES = 512 << 20 };

/* Columns: as many labels as the family has, then the figure. %: of the open ones */
#define TIME 0.001 /* columns are milliseconds */
#define DRIFT "('contradicts-code', 'missing', 'unmanaged', 'unapplied')"
static const struct figure {
    enum metric metric;
    unsigned nlabels;
    double unit;
    const char *sql; /* $1: now */
} figures[] = {
    {METRIC_FINDINGS, 4, 1,
     "SELECT stack, class, severity, CASE lane WHEN 0 THEN 'open' WHEN 1 THEN 'reviewed'"
     " WHEN 2 THEN 'waived' ELSE 'ignored' END, count(*) FROM finding"
     " WHERE lane < 4 AND $1 > 0 GROUP BY stack, class, lane, severity LIMIT 10000"},
    {METRIC_FINDINGS_OVERDUE, 1, 1,
     "SELECT stack, count(*) FROM finding WHERE lane = 0 AND due_utc_ms < $1 GROUP BY stack"},
    {METRIC_DRIFT_SINCE, 1, TIME,
     "SELECT stack, min(open_utc_ms) FROM finding WHERE lane = 0 AND $1 > 0 AND class IN " DRIFT
     " GROUP BY stack"},
    {METRIC_SCAN_LAST_SECONDS, 1, TIME,
     "SELECT s.name, r.ended_utc_ms - r.started_utc_ms FROM stack s JOIN run r ON r.id ="
     " s.complete_run WHERE $1 > 0 AND r.ended_utc_ms IS NOT NULL AND s.retired_utc_ms IS NULL"},
    {METRIC_SCANS_RUNNING, 0, 1,
     "SELECT count(*) FROM lease WHERE owner <> '' AND until_utc_ms > $1"},
    {METRIC_SCAN_QUEUE, 0, 1,
     "SELECT count(*) FROM lease WHERE until_utc_ms <= $1 AND"
     " (due_utc_ms <= $1 OR urgent_utc_ms <= $1)"},
    {METRIC_TOUCHES, 0, 1, "SELECT count(*) FROM touch WHERE $1 > 0"},
    {METRIC_TOUCHES_SINCE, 0, TIME, "SELECT min(due_utc_ms) FROM touch WHERE due_utc_ms < $1"},
    {METRIC_REVIEWS, 0, 1,
     "SELECT count(*) FROM review WHERE state = 'requested' AND until_utc_ms > $1"},
    {METRIC_LOCKS, 0, 1, "SELECT count(*) FROM state WHERE lock_id <> '' AND $1 > 0"},
    {METRIC_AUDIT_EVENTS, 0, 1, "SELECT size FROM audit_head WHERE $1 > 0"},
    {METRIC_AUDIT_CHECKPOINT_AT, 0, TIME, "SELECT max(utc_ms) FROM audit_checkpoint WHERE $1 > 0"},
    {METRIC_OUTBOX, 2, 1,
     "SELECT receiver, state, count(*) FROM alert WHERE $1 > 0 GROUP BY receiver, state"},
    {METRIC_OUTBOX_SINCE, 1, TIME,
     "SELECT receiver, min(made_utc_ms) FROM alert WHERE state = 'waiting' AND made_utc_ms < $1"
     " GROUP BY receiver"},
    {METRIC_RECEIVER_FAILURES, 1, 1, "SELECT name, failures FROM alert_receiver WHERE $1 > 0"},
    {METRIC_RECEIVER_TAKEN_AT, 1, TIME,
     "SELECT name, taken_utc_ms FROM alert_receiver WHERE taken_utc_ms > 0 AND $1 > 0"},
    {METRIC_RECEIVER_GONE, 1, 1,
     "SELECT name, CASE gone WHEN '' THEN 0 ELSE 1 END FROM alert_receiver WHERE $1 > 0"},
};
/* Of freshness and coverage, below. */
static const enum metric others[] = {
    METRIC_STACKS,       METRIC_SCAN_COMPLETE_AT, METRIC_SCAN_LAST_AT, METRIC_SCAN_DUE_AT,
    METRIC_SCAN_OVERDUE, METRIC_SCAN_INCOMPLETE,  METRIC_RESOURCES,    METRIC_COVERAGE};
#define COUNT(table) (sizeof(table) / sizeof *(table))

struct collecting {
    struct metrics *metrics;
    const struct figure *figure;
};

static bool take_row(void *ctx, const struct db_row *row, struct err *err)
{
    const struct collecting *c = ctx;
    struct str label[LABELS_MAX] = {{0}};
    (void)err;
    for (unsigned i = 0; i < c->figure->nlabels; i++)
        label[i] = db_text(row, i);
    if (c->figure->metric == METRIC_FINDINGS) /* kept as a number */
        label[2] = str_from(severity_name((enum severity)db_int(row, 2)));
    if (!db_is_null(row, c->figure->nlabels))
        metrics_set(c->metrics, c->figure->metric, label,
                    (double)db_int(row, c->figure->nlabels) * c->figure->unit);
    return true;
}

static bool ask_figures(struct metrics *metrics, struct record *record, int64_t now_utc_ms,
                        struct err *err)
{
    const struct db_value now = DB_PARAM_INT(now_utc_ms);
    for (size_t i = 0; i < COUNT(figures); i++) {
        struct collecting c = {metrics, &figures[i]};
        if (!db_query(record->db, figures[i].sql, &now, 1, take_row, &c, err))
            return false;
    }
    return true;
}

/* --- coverage --- */

/* The first "key": of the object that run.c writes. */
static double count_of(struct str coverage, struct str key)
{
    size_t at = str_find(coverage, key, 0);
    int64_t n = 0;
    if (at == SIZE_MAX)
        return 0;
    at += key.len;
    size_t end = at;
    for (; end < coverage.len && coverage.ptr[end] >= '0' && coverage.ptr[end] <= '9';)
        end++;
    return str_to_int64(str_sub(coverage, at, end), &n) ? (double)n : 0;
}

static bool take_coverage(void *ctx, const struct db_row *row, struct err *err)
{
    struct metrics *metrics = ctx;
    struct str stack = db_text(row, 0), coverage = db_text(row, 1);
    double all = count_of(coverage, STR("\"resources\":"));
    double seen = count_of(coverage, STR("\"compared\":"));
    (void)err;
    metrics_set(metrics, METRIC_RESOURCES, &stack, all);
    metrics_set(metrics, METRIC_COVERAGE, &stack, all > 0 ? seen / all : 1);
    return true;
}

/* Of the last scan of the whole stack: looks at a few scans of single resources behind it, then
 * takes the last complete one. */
static bool ask_coverage(struct metrics *metrics, struct record *record, struct err *err)
{
    return db_query(record->db,
                    "SELECT s.name, r.coverage FROM stack s JOIN run r ON r.id = coalesce((SELECT"
                    " max(w.id) FROM (SELECT id, outcome FROM run WHERE stack = s.name ORDER BY id"
                    " DESC LIMIT 50) w WHERE w.outcome IN ('complete', 'incomplete')),"
                    " s.complete_run) WHERE s.retired_utc_ms IS NULL",
                    NULL, 0, take_coverage, metrics, err);
}

/* --- freshness --- */

static void set_time(struct metrics *metrics, enum metric metric, const struct str *label,
                     int64_t utc_ms)
{
    if (utc_ms > 0)
        metrics_set(metrics, metric, label, (double)utc_ms * TIME);
}

static bool ask_freshness(struct metrics *metrics, struct record *record, struct arena *arena,
                          int64_t now_utc_ms, struct err *err)
{
    const struct freshness_ask ask = {.now_utc_ms = now_utc_ms};
    struct freshness *all = NULL;
    size_t n = 0;
    if (!freshness_list(record, arena, &ask, &all, &n, err))
        return false;
    metrics_set(metrics, METRIC_STACKS, NULL, (double)n);
    for (size_t i = 0; i < n; i++) {
        const struct stack_row *row = &all[i].row;
        const struct str last[] = {row->name, row->last_outcome};
        set_time(metrics, METRIC_SCAN_COMPLETE_AT, &row->name, row->complete_utc_ms);
        set_time(metrics, METRIC_SCAN_LAST_AT, last, row->last_utc_ms);
        set_time(metrics, METRIC_SCAN_DUE_AT, &row->name, all[i].due_utc_ms);
        metrics_set(metrics, METRIC_SCAN_OVERDUE, &row->name, all[i].overdue);
        metrics_set(metrics, METRIC_SCAN_INCOMPLETE, &row->name, all[i].incomplete);
    }
    return true;
}

static bool ask_all(struct server *server, struct arena *arena, struct err *err)
{
    struct metrics *metrics = server_metrics(server);
    struct record_options options = server->options.record;
    struct record record = {0};
    options.read_only = true;
    options.timeout_ms = STORE_TIMEOUT_MS;
    if (!record_open(arena, &options, &record, err))
        return false;
    int64_t now = record_now(&record);
    bool ok = db_begin(record.db, DB_READ, err) && ask_figures(metrics, &record, now, err) &&
              ask_coverage(metrics, &record, err) &&
              ask_freshness(metrics, &record, arena, now, err);
    db_rollback(record.db);
    record_close(&record);
    return ok;
}

static void forget(struct metrics *metrics)
{
    for (size_t i = 0; i < COUNT(figures); i++)
        metrics_clear(metrics, figures[i].metric);
    for (size_t i = 0; i < COUNT(others); i++)
        metrics_clear(metrics, others[i]);
}

void metrics_of_store(struct server *server)
{
    AUTO_ARENA arena = {.limit = ARENA_BYTES};
    struct metrics *metrics = server_metrics(server);
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    int64_t began = clock_monotonic_ms();
    forget(metrics); /* figures that cannot be had are not there, rather than old */
    bool ok = ask_all(server, &arena, &err);
    if (!ok)
        forget(metrics);
    if (!ok)
        LOG(server->options.log, LOG_WARN, "serve", "the store has no figures for /metrics",
            LOG_TEXT("error", str_from(err_text(&err, text, sizeof text))));
    metrics_set(metrics, METRIC_STORE_UP, NULL, ok);
    metrics_set(metrics, METRIC_STORE_SECONDS, NULL, (double)(clock_monotonic_ms() - began) / 1000);
}
