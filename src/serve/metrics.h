/* metrics.h - figures of the service for Prometheus: one table of what there is, one call to count.
 *
 * Shape:   METRICS(X): a family a row. A series is a family with label values, made on first use;
 *          gauges that the store knows are asked from it when somebody scrapes (metrics_store.c)
 * Out:     Prometheus text 0.0.4, or OpenMetrics 1.0, as the reader accepts
 * Bounds:  METRICS_SERIES_MAX series a family: past it nothing is made, and what was not counted is
 *          counted (plumb_metrics_dropped). So a label is a word of a short list or a stack's name;
 *          never a resource, an id, or what somebody sent
 * Thread:  any; all calls take a struct metrics that may be NULL
 * Source:  prometheus/docs exposition_formats.md (0.0.4), OpenMetrics 1.0; metric names: base units
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct buf;
struct err;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRICS_SERIES_MAX = 10000 };

/* X(constant, name without _total, kind, unit: the end of the name or "", labels with commas, help)
 */
#define METRICS(X) \
    /* this process */ \
    X(METRIC_BUILD, "plumb_build_info", METRIC_GAUGE, "", "version", \
      "Which plumb this is; always 1") \
    X(METRIC_START, "process_start_time_seconds", METRIC_GAUGE, "seconds", "", \
      "When the process began, in seconds since 1970") \
    X(METRIC_CPU, "process_cpu_seconds", METRIC_COUNTER, "seconds", "", \
      "Time on processors, of the system and its own") \
    X(METRIC_RESIDENT, "process_resident_memory_bytes", METRIC_GAUGE, "bytes", "", \
      "Memory that is really there") \
    X(METRIC_VIRTUAL, "process_virtual_memory_bytes", METRIC_GAUGE, "bytes", "", \
      "Addresses that are taken") \
    X(METRIC_FDS, "process_open_fds", METRIC_GAUGE, "", "", "Open descriptors") \
    X(METRIC_FDS_MAX, "process_max_fds", METRIC_GAUGE, "", "", "How many descriptors may be open") \
    X(METRIC_THREADS, "process_threads", METRIC_GAUGE, "", "", "Threads") \
    X(METRIC_PROVIDERS, "plumb_provider_processes", METRIC_GAUGE, "", "provider", \
      "Provider processes that run") \
    X(METRIC_PROVIDER_MEMORY, "plumb_provider_resident_memory_bytes", METRIC_GAUGE, "bytes", \
      "provider", "Memory of provider processes") \
    X(METRIC_PART_UP, "plumb_part_up", METRIC_GAUGE, "", "part", \
      "Whether a part of the service lives and has no trouble") \
    X(METRIC_CONFIG_AT, "plumb_config_loaded_timestamp_seconds", METRIC_GAUGE, "seconds", "", \
      "When the configuration in use was taken") \
    X(METRIC_RELOADS, "plumb_config_reloads", METRIC_COUNTER, "", "outcome", \
      "Reloads of the configuration") \
    X(METRIC_FEED_TOUCHES, "plumb_feed_touches", METRIC_COUNTER, "", "why", \
      "Stacks and addresses that are looked at again because a file or a state changed") \
    X(METRIC_FETCHES, "plumb_git_fetches", METRIC_COUNTER, "", "result", \
      "Fetches of the branch that the code comes from") \
    X(METRIC_PUSHES, "plumb_git_pushes", METRIC_COUNTER, "", "result", \
      "Webhooks that told of a push") \
    X(METRIC_WATCHED_FOLDERS, "plumb_watched_folders", METRIC_GAUGE, "", "", \
      "Folders that inotify watches") \
    X(METRIC_WATCHED_STATES, "plumb_watched_states", METRIC_GAUGE, "", "", \
      "States that are kept elsewhere than in a file, and looked at now and then") \
    X(METRIC_STATE_LOOKS, "plumb_state_looks", METRIC_COUNTER, "", "result", \
      "Looks whether such a state is another one") \
    X(METRIC_WATCH_SLOW, "plumb_watch_slow", METRIC_GAUGE, "", "", \
      "1: files are looked at now and then, for there are too few watches") \
    X(METRIC_BUDGET_CALLS, "plumb_budget_calls", METRIC_COUNTER, "", "provider,settings", \
      "Calls of providers that scans made, by the row of budgets that they count against") \
    X(METRIC_BUDGET_WAITS, "plumb_budget_waits", METRIC_COUNTER, "", "provider,settings", \
      "How often a read was not begun at once, for there was no budget left") \
    X(METRIC_BUDGET_RATE, "plumb_budget_calls_per_second", METRIC_GAUGE, "", "provider,settings", \
      "What scans may make a second: the row's requests without the share of applies") \
    X(METRIC_WARM_PROCESSES, "plumb_warm_providers", METRIC_GAUGE, "", "state", \
      "Providers that wait for the next scan, or that a scan has") \
    X(METRIC_WARM_MEMORY, "plumb_warm_memory_bytes", METRIC_GAUGE, "bytes", "of", \
      "Memory of providers that wait, and of schemas that are kept") \
    X(METRIC_EVENTS, "plumb_events", METRIC_COUNTER, "", "source,result", \
      "Events of clouds' logs that were received, by what became of them") \
    X(METRIC_EVENT_LAG, "plumb_event_lag_seconds", METRIC_HISTOGRAM, "seconds", "source", \
      "From what was done to its event's arrival") \
    X(METRIC_HEARTBEATS, "plumb_heartbeats", METRIC_COUNTER, "", "result", \
      "Heartbeats to serve.heartbeat.url") \
    X(METRIC_STREAMS, "plumb_event_streams", METRIC_GAUGE, "", "", \
      "Clients that listen to GET /v1/events") \
    X(METRIC_DROPPED, "plumb_metrics_dropped", METRIC_COUNTER, "", "", \
      "Changes of figures that were not counted, for there are too many series") \
    X(METRIC_HTTP_REQUESTS, "plumb_http_requests", METRIC_COUNTER, "", "method,route,code", \
      "Requests that were answered") \
    X(METRIC_HTTP_SECONDS, "plumb_http_request_duration_seconds", METRIC_HISTOGRAM, "seconds", \
      "route", "From the first line of a request to the last byte of its answer") \
    X(METRIC_HTTP_ACTIVE, "plumb_http_requests_in_flight", METRIC_GAUGE, "", "", \
      "Requests that are being received or answered") \
    X(METRIC_SCANS, "plumb_scans", METRIC_COUNTER, "", "outcome", "Scans that this process ended") \
    X(METRIC_SCAN_SECONDS, "plumb_scan_duration_seconds", METRIC_HISTOGRAM, "seconds", "outcome", \
      "How long scans took that this process ended") \
    X(METRIC_SCAN_LAG, "plumb_scan_lag_seconds", METRIC_HISTOGRAM, "seconds", "kind", \
      "From a scan's due time to its beginning") \
    X(METRIC_SCAN_LEASES_LOST, "plumb_scan_leases_lost", METRIC_COUNTER, "", "", \
      "Scans of this process that were dropped, for their stack's lease was lost") \
    X(METRIC_TELEMETRY_SENT, "plumb_telemetry_sent", METRIC_COUNTER, "", "signal", \
      "Spans and log records that the collector took") \
    X(METRIC_TELEMETRY_DROPPED, "plumb_telemetry_dropped", METRIC_COUNTER, "", "signal,reason", \
      "Spans and log records that were given up") \
    /* the store: all processes on it say the same */ \
    X(METRIC_STORE_UP, "plumb_store_up", METRIC_GAUGE, "", "", \
      "Whether the store answered when these figures were made") \
    X(METRIC_STORE_SECONDS, "plumb_store_figures_duration_seconds", METRIC_GAUGE, "seconds", "", \
      "How long the store took for them") \
    X(METRIC_STACKS, "plumb_stacks", METRIC_GAUGE, "", "", \
      "Stacks that were scanned or are scheduled") \
    X(METRIC_FINDINGS, "plumb_findings", METRIC_GAUGE, "", "stack,class,severity,status", \
      "Findings that are not resolved, by what was answered: open, reviewed, waived or ignored") \
    X(METRIC_FINDINGS_OVERDUE, "plumb_findings_overdue", METRIC_GAUGE, "", "stack", \
      "Open findings whose deadline for a review has passed") \
    X(METRIC_DRIFT_SINCE, "plumb_oldest_drift_timestamp_seconds", METRIC_GAUGE, "seconds", \
      "stack", "Since when the oldest open finding of drift is open") \
    X(METRIC_SCAN_COMPLETE_AT, "plumb_scan_complete_timestamp_seconds", METRIC_GAUGE, "seconds", \
      "stack", "When the last complete scan ended") \
    X(METRIC_SCAN_LAST_AT, "plumb_scan_last_timestamp_seconds", METRIC_GAUGE, "seconds", \
      "stack,outcome", "When the last scan, complete or not, ended") \
    X(METRIC_SCAN_LAST_SECONDS, "plumb_scan_last_duration_seconds", METRIC_GAUGE, "seconds", \
      "stack", "How long the last scan of the whole stack took") \
    X(METRIC_SCAN_DUE_AT, "plumb_scan_due_timestamp_seconds", METRIC_GAUGE, "seconds", "stack", \
      "When the next complete scan should have ended; past its grace it is overdue") \
    X(METRIC_SCAN_OVERDUE, "plumb_scan_overdue", METRIC_GAUGE, "", "stack", \
      "Whether the last complete scan is older than the schedule allows") \
    X(METRIC_SCAN_INCOMPLETE, "plumb_scan_incomplete", METRIC_GAUGE, "", "stack", \
      "Whether the last scan did not see everything, or there was none") \
    X(METRIC_RESOURCES, "plumb_resources", METRIC_GAUGE, "", "stack", \
      "Resources of the stack at its last whole scan") \
    X(METRIC_COVERAGE, "plumb_coverage_ratio", METRIC_GAUGE, "ratio", "stack", \
      "Share of the resources that the last whole scan compared") \
    X(METRIC_SCANS_RUNNING, "plumb_scans_running", METRIC_GAUGE, "", "", \
      "Stacks that some process has the lease of") \
    X(METRIC_SCAN_QUEUE, "plumb_scan_queue", METRIC_GAUGE, "", "", \
      "Stacks that are due, and that nobody scans") \
    X(METRIC_TOUCHES, "plumb_touches_waiting", METRIC_GAUGE, "", "", \
      "Stacks and resources that wait for another look") \
    X(METRIC_TOUCHES_SINCE, "plumb_oldest_touch_timestamp_seconds", METRIC_GAUGE, "seconds", "", \
      "Since when the oldest of them is due") \
    X(METRIC_REVIEWS, "plumb_reviews_waiting", METRIC_GAUGE, "", "", \
      "Reviews that wait for approvals") \
    X(METRIC_LOCKS, "plumb_state_locks", METRIC_GAUGE, "", "", "States that are locked") \
    X(METRIC_AUDIT_EVENTS, "plumb_audit_events", METRIC_GAUGE, "", "", "Events of the audit log") \
    X(METRIC_AUDIT_CHECKPOINT_AT, "plumb_audit_checkpoint_timestamp_seconds", METRIC_GAUGE, \
      "seconds", "", "When the audit log was signed last") \
    X(METRIC_NOTIFICATIONS, "plumb_notifications", METRIC_COUNTER, "", "kind,result", \
      "Tries to send an alert, by kind of receiver: taken, later, refused or gone") \
    X(METRIC_OUTBOX, "plumb_outbox_alerts", METRIC_GAUGE, "", "receiver,state", \
      "Alerts kept in the outbox: waiting, taken, dead (given up) or dropped") \
    X(METRIC_OUTBOX_SINCE, "plumb_outbox_oldest_timestamp_seconds", METRIC_GAUGE, "seconds", \
      "receiver", "Since when the oldest alert waits that should have been sent") \
    X(METRIC_RECEIVER_FAILURES, "plumb_receiver_failures", METRIC_GAUGE, "", "receiver", \
      "Tries in a row that a receiver did not take") \
    X(METRIC_RECEIVER_TAKEN_AT, "plumb_receiver_taken_timestamp_seconds", METRIC_GAUGE, "seconds", \
      "receiver", "When a receiver took an alert last") \
    X(METRIC_RECEIVER_GONE, "plumb_receiver_gone", METRIC_GAUGE, "", "receiver", \
      "Whether a receiver takes nothing any more")

#define X(constant, name, kind, unit, labels, help) constant,
enum metric { METRICS(X) METRIC_COUNT };
#undef X

struct metrics;
/* NULL: no memory. */
struct metrics *metrics_open(void);
void metrics_close(struct metrics *metrics); /* NULL is fine */

/* The label values of a call, as many as the family has and in its order: LABELS(STR("GET"), name),
 * or NULL where it has none. */
#define LABELS(...) ((const struct str[]){__VA_ARGS__})

/* A counter or gauge goes up by n (a gauge down by -n); or is n: of a counter, what somebody else
 * counted. */
void metrics_add(struct metrics *metrics, enum metric metric, const struct str *label, double n);
void metrics_set(struct metrics *metrics, enum metric metric, const struct str *label, double n);
/* One more value of a histogram. */
void metrics_observe(struct metrics *metrics, enum metric metric, const struct str *label,
                     double n);
/* Forgets the series of a family, before all of them are set anew. */
void metrics_clear(struct metrics *metrics, enum metric metric);

/* Everything that there is, by family, series by label values. */
void metrics_write(struct metrics *metrics, bool openmetrics, struct buf *out);
/* The same, behind `collect`, which sets what is not counted as it happens: not called again within
 * fresh_ms of the last time, and by one thread at a time. */
void metrics_scrape(struct metrics *metrics, bool openmetrics, int fresh_ms,
                    void (*collect)(void *ctx), void *ctx, struct buf *out);
/* Does this Accept header want OpenMetrics rather than the older text? */
bool metrics_wants_openmetrics(struct str accept);
const char *metrics_media_type(bool openmetrics);
