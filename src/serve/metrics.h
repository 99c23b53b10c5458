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
enum { METRICS_SERIES_MAX = 10000, METRIC_LABELS_MAX = 4 };

/* X(constant, name without _total, kind, unit: the end of the name or "", labels with commas, help)
 */
#define METRICS(X) \
    X(METRIC_BUILD, "plumb_build_info", METRIC_GAUGE, "", "version", \
      "Which plumb this is; always 1") \
    X(METRIC_HTTP_REQUESTS, "plumb_http_requests", METRIC_COUNTER, "", "method,route,code", \
      "Requests that were answered") \
    X(METRIC_HTTP_SECONDS, "plumb_http_request_duration_seconds", METRIC_HISTOGRAM, "seconds", \
      "route", "From the first line of a request to the last byte of its answer") \
    X(METRIC_HTTP_ACTIVE, "plumb_http_requests_in_flight", METRIC_GAUGE, "", "", \
      "Requests that are being received or answered") \
    X(METRIC_DROPPED, "plumb_metrics_dropped", METRIC_COUNTER, "", "", \
      "Changes of figures that were not counted, for there are too many series")

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

/* A counter or gauge goes up by n (a gauge down by -n). */
void metrics_add(struct metrics *metrics, enum metric metric, const struct str *label, double n);
void metrics_set(struct metrics *metrics, enum metric metric, const struct str *label, double n);
/* One more value of a histogram. */
void metrics_observe(struct metrics *metrics, enum metric metric, const struct str *label,
                     double n);
/* Forgets the series of a gauge, before all of them are set anew. */
void metrics_clear(struct metrics *metrics, enum metric metric);

/* Everything that there is, by family, series by label values. */
void metrics_write(struct metrics *metrics, bool openmetrics, struct buf *out);
/* Does this Accept header want OpenMetrics rather than the older text? */
bool metrics_wants_openmetrics(struct str accept);
const char *metrics_media_type(bool openmetrics);
