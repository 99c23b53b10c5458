/* output.h - `--output FORMAT[=FILE]`: which reports go where. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/str.h"
#include "report/report.h"

struct arena;
struct err;
struct option_value;

/* Of all formats, NULL-ended: offered by completion; a test keeps them equal to those of the build.
 */
extern const char *const output_names[];

struct output {
    const struct format *format;
    struct str file; /* empty = standard output */
};
struct outputs {
    const struct output *output;
    size_t n;
    const struct format *on_stdout; /* or NULL */
};

/* "json", "json=drift.json", "drift.json" (by its ending), "json=-". `fallback` when none is given.
 * Errors before anything is scanned: unknown names, two on stdout, a folder that is not there. */
bool outputs_parse(struct arena *arena, const struct option_value *value, struct str fallback,
                   struct outputs *ret, struct err *err);
/* Write every report; files atomically (devices and pipes directly). */
bool outputs_write(const struct outputs *outputs, FILE *out, const struct scan_result *result,
                   const struct report_options *options, struct err *err);
/* The same for a result of another kind: `write` gives the bytes of one format. */
bool outputs_write_with(const struct outputs *outputs, FILE *out,
                        bool (*write)(void *ctx, const struct format *format, struct buf *out,
                                      const struct report_options *options, struct err *err),
                        void *ctx, const struct report_options *options, struct err *err);
/* The same for the result of a check. */
bool outputs_write_issues(const struct outputs *outputs, FILE *out,
                          const struct check_result *result, const struct report_options *options,
                          struct err *err);
