/* telemetry_parts.h - the texts of OTLP, apart from when they are sent. */
#pragma once
#include "serve/telemetry.h"

struct arena;
struct buf;

/* One span, one log record, as JSON. */
void otlp_span(struct buf *out, const struct telemetry_span *span, const char *name,
               enum telemetry_kind kind, const struct log_field *attribute, size_t n,
               const char *error, int64_t end_ns);
void otlp_log(struct buf *out, enum log_level level, const char *subsystem, const char *message,
              const struct log_field *field, size_t n, int64_t now_ns);
/* The body of a request. instance: of this process */
void otlp_batch(struct buf *out, enum telemetry_signal signal, struct str instance,
                const struct str *record, size_t n);
/* partialSuccess of an answer: how many records were not taken. */
int64_t otlp_rejected(struct arena *arena, struct str answer, enum telemetry_signal signal);
/* "00-TRACE-PARENT-FLAGS" of lower-case hex; false: it is none. */
bool otlp_traceparent(struct str header, struct telemetry_span *ret);
