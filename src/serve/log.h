/* log.h - what a service tells whoever runs it: one line an event, words and fields, to a stream.
 *
 * Shape:   2026-11-22T12:00:00.000Z info http answered method=LOCK path=/v1/states/prod status=423
 *          (logfmt behind time, level and subsystem), or the same as a JSON object a line
 * Thread:  any; a line is written whole
 * Secrets: nobody logs a header, a body or a query
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

#define LOG_LEVELS(X) \
    X(LOG_ERROR, "error") \
    X(LOG_WARN, "warn") \
    X(LOG_INFO, "info") \
    X(LOG_DEBUG, "debug")

#define X(constant, name) constant,
enum log_level { LOG_LEVELS(X) LOG_LEVEL_COUNT };
#undef X

struct log {
    FILE *out;            /* NULL: nothing is written */
    enum log_level level; /* up to this one; zero = errors only */
    bool json;
    int64_t (*now_ms)(void *clock);
    void *clock;
};

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
