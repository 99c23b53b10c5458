/* log.h - what a service tells whoever runs it: one line an event, words and fields, to a stream.
 *
 * Shape:   2026-11-22T12:00:00.000Z info http answered method=LOCK path=/v1/states/prod status=423
 *          (logfmt behind time, level and subsystem), or the same as a JSON object a line
 * Thread:  any; a line is written whole
 * Secrets: nobody logs a header, a body or a query
 */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

struct err;

#define LOG_LEVELS(X) \
    X(LOG_ERROR, "error") \
    X(LOG_WARN, "warn") \
    X(LOG_INFO, "info") \
    X(LOG_DEBUG, "debug")

#define X(constant, name) constant,
enum log_level { LOG_LEVELS(X) LOG_LEVEL_COUNT };
#undef X

/* What tells something: X(name, what of it). A line's subsystem is one of these. */
#define LOG_SUBSYSTEMS(X) \
    X("serve", "start, reload and stop") \
    X("config", "what is wrong with a configuration") \
    X("http", "requests") \
    X("auth", "tokens") \
    X("audit", "checkpoints of the audit log") \
    X("run-task", "run tasks of HCP Terraform") \
    X("upstream", "the backend behind this one") \
    X("scheduler", "which scan is due, and who does it") \
    X("scan", "scans, begun and ended") \
    X("feeds", "files and git") \
    X("events", "audit events that came in") \
    X("alerts", "alerts, and their way to receivers") \
    X("heartbeat", "the sign of life to others") \
    X("telemetry", "traces and logs to a collector")
#define X(name, what) +1
enum { LOG_SUBSYSTEM_COUNT = 0 LOG_SUBSYSTEMS(X) };
#undef X

struct log_field;
struct log {
    FILE *out;                            /* NULL: nothing is written */
    _Atomic(enum log_level) level;        /* up to this one; zero = errors only */
    atomic_uchar of[LOG_SUBSYSTEM_COUNT]; /* 0 = as `level`; else one more than its own */
    bool json;
    int64_t (*now_ms)(void *clock);
    void *clock;
    /* Gets each line that is written, or NULL; on the thread that writes it. */
    void (*also)(void *ctx, enum log_level level, const char *subsystem, const char *message,
                 const struct log_field *field, size_t n);
    void *also_ctx;
};
/* "info", "info,http=warn,scheduler=debug": from the next line on. ERR_USAGE, then nothing changed.
 * log NULL: only looks. */
bool log_set_levels(struct log *log, struct str text, struct err *err);
bool log_wants(const struct log *log, enum log_level level, const char *subsystem);

struct log_field {
    const char *name;
    struct str text;
    int64_t number;
    bool is_number;
};
#define LOG_TEXT(n, s) ((struct log_field){.name = (n), .text = (s)})
#define LOG_NUMBER(n, i) ((struct log_field){.name = (n), .number = (i), .is_number = true})

const char *log_level_name(enum log_level level);
bool log_level_from(struct str name, enum log_level *ret);
void log_line(const struct log *log, enum log_level level, const char *subsystem,
              const char *message, const struct log_field *field, size_t n);
/* log_line with an array written out in the call. */
#define LOG(log, level, subsystem, message, ...) \
    log_line((log), (level), (subsystem), (message), (const struct log_field[]){__VA_ARGS__}, \
             sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
