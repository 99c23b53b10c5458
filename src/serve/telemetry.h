/* telemetry.h - traces and logs to an OpenTelemetry collector, over OTLP/HTTP with JSON. Off until
 * an address is set.
 *
 * Shape:   what ended is written as JSON into a queue; one thread sends it in batches to
 *          URL/v1/traces and URL/v1/logs
 * Bounds:  TELEMETRY_QUEUE_MAX records wait; what comes then is dropped and counted, as is what the
 *          collector refuses or what it did not take within a minute. Nobody waits for a collector
 * Thread:  any, all calls; a struct telemetry that is NULL or off costs nothing
 * Secrets: what is in no log is in no span; the headers are in no error
 * Source:  opentelemetry-proto, docs/specification.md (OTLP/HTTP, JSON encoding, retries);
 *          W3C Trace Context (traceparent); semantic conventions of HTTP spans
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "serve/log.h"

struct err;
struct telemetry;

enum {
    TELEMETRY_QUEUE_MAX = 2048,
    TELEMETRY_HEADERS_MAX = 6,
    TELEMETRY_HEX = 33,
    TELEMETRY_LINKS_MAX = 8,
    TELEMETRY_PARENT = 56 /* of a traceparent */
};

struct telemetry_settings {
    struct str url;     /* "http://127.0.0.1:4318"; empty = off */
    struct str headers; /* "Authorization=Bearer%20x,other=y", as OTEL_EXPORTER_OTLP_HEADERS */
};
/* ERR_USAGE for what cannot be. */
bool telemetry_check(const struct telemetry_settings *settings, struct err *err);

bool telemetry_open(struct telemetry **ret, struct err *err);
void telemetry_close(struct telemetry *telemetry); /* sends what it can within 3 s; NULL is fine */
/* From the next batch on; checked before. */
bool telemetry_set(struct telemetry *telemetry, const struct telemetry_settings *settings,
                   struct err *err);
bool telemetry_is_on(const struct telemetry *telemetry);

/* --- spans --- */

/* One that began; zeroed = none. */
struct telemetry_span {
    char trace[TELEMETRY_HEX], id[TELEMETRY_HEX], parent[TELEMETRY_HEX]; /* hex; parent or empty */
    int64_t start_ns;                                                    /* since 1970 */
    struct telemetry_link {
        char trace[TELEMETRY_HEX], id[TELEMETRY_HEX];
    } link[TELEMETRY_LINKS_MAX]; /* what else it comes from */
    size_t nlinks;
};
/* The child of `parent` (or NULL), of a traceparent header (or empty), or a trace of its own. */
void telemetry_begin(struct telemetry *telemetry, const struct telemetry_span *parent,
                     struct str traceparent, struct telemetry_span *ret);
/* It comes from others: traceparents with blanks between, which may be far in the past. It becomes
 * the child of the first, and is linked to the others, each once; words that are none are left out.
 */
void telemetry_caused(struct telemetry_span *span, struct str causes);
/* The span as others take it; empty where it is none. */
struct str telemetry_traceparent(const struct telemetry_span *span, char out[TELEMETRY_PARENT]);
enum telemetry_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };
/* error: one sentence, or NULL. The name is one of few; what differs is in attributes. */
void telemetry_end(struct telemetry *telemetry, const struct telemetry_span *span, const char *name,
                   enum telemetry_kind kind, const struct log_field *attribute, size_t n,
                   const char *error);

/* --- logs --- */

/* struct log's `also`: fields "trace" and "span" become the record's own. */
void telemetry_log(void *telemetry, enum log_level level, const char *subsystem,
                   const char *message, const struct log_field *field, size_t n);

/* --- figures --- */

enum telemetry_signal { SIGNAL_SPANS, SIGNAL_LOGS, SIGNAL_COUNT };
enum telemetry_fate { FATE_SENT, FATE_FULL, FATE_REFUSED, FATE_UNREACHABLE, FATE_COUNT };
void telemetry_counts(struct telemetry *telemetry, uint64_t ret[SIGNAL_COUNT][FATE_COUNT]);
