/* audit_setup.h - what the `plumb audit` commands share: the store, times, printing events. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"
#include "record/audit_line.h"
#include "record/audit_ocsf.h"
#include "record/record.h"

struct app;
struct arena;
struct err;
struct option_value;

/* AUDIT_SIGN: a checkpoint is made where one is due; a store that cannot be written is opened to be
 * read then (record->read_only). */
enum audit_use { AUDIT_READ, AUDIT_SIGN, AUDIT_CHANGE };
/* The store of --store, PLUMB_STORE or plumb.yaml. */
bool audit_open(struct arena *arena, const struct app *app, const struct option_value *config,
                const struct option_value *store, enum audit_use use, struct record *ret,
                struct err *err);

/* "7d" ago or a date; *ret stays where the option was not given. */
bool audit_take_time(const struct app *app, const char *name, const struct option_value *value,
                     int64_t *ret, struct err *err);
/* The number of an event. */
bool audit_take_seq(struct str text, int64_t *ret, struct err *err);
bool audit_log_origin(struct record *record, struct arena *arena, struct str *ret, struct err *err);
/* clang-format off */
#define ROW_AUDIT_FILE \
    {.name = "file", .letter = 'o', .kind = OPTION_STRING, .arg = "FILE", \
     .text = "write it there instead of to standard output"}
/* clang-format on */
/* To the file of ROW_AUDIT_FILE, else to standard output. */
bool audit_give(struct arena *arena, const struct app *app, const struct option_value *file,
                struct str text, struct err *err);
/* A file of every --checkpoint. */
bool audit_read_files(struct arena *arena, const struct option_value *files, struct str **ret,
                      size_t *ret_n, struct err *err);

enum audit_format { AUDIT_TEXT, AUDIT_JSONL, AUDIT_SYSLOG, AUDIT_OCSF };
struct audit_printer {
    FILE *out;
    enum audit_format format;
    struct str origin;
    enum ocsf_version ocsf;
};
/* One event with its LF. */
bool audit_print(const struct audit_printer *printer, const struct audit_line *line,
                 struct err *err);
