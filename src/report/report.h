/* report.h - the one interface of report formats: the result of a scan or a check in, bytes out.
 *
 * One format = one file format_NAME.c with `const struct format format_NAME`; the build lists them.
 * Same result, same bytes: no clock, no host name; everything sorted already in scan_result.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "model/finding.h"
#include "model/issue.h"

struct err;

struct report_options {
    bool colour; /* text only; a terminal without NO_COLOR */
    bool show_ignored;
    bool explain;
    bool stream;      /* json: NDJSON, one event per line */
    size_t max_bytes; /* markdown: 0 = the format's own limit */
    unsigned width;   /* text: columns; 0 = 100 */
    struct str tool_version;
};

struct format {
    const char *name; /* --output NAME */
    const char *summary;
    const char *extension; /* ".json": `--output FILE.json` chooses it */
    bool (*write)(struct buf *out, const struct scan_result *result,
                  const struct report_options *options, struct err *err);
    /* The result of a check (plumb check) in the same format, from issues_NAME.c. */
    bool (*write_issues)(struct buf *out, const struct check_result *result,
                         const struct report_options *options, struct err *err);
    /* Optional, for --stream: called as findings come, before the whole result exists; then
     * `write` with options->stream adds what the findings do not say (stacks, summary). */
    bool (*stream_finding)(struct buf *out, const struct finding *finding,
                           const struct report_options *options, struct err *err);
};

/* Every format of the build, and the one of a name ("json") or a file name ("drift.sarif"); NULL if
 * none. */
const struct format *const *report_formats(size_t *ret_n);
const struct format *report_find(struct str name);
/* A finding as the JSON report has it, with all its changes: one object, on one line. */
bool report_finding_json(struct buf *out, const struct finding *finding, struct err *err);
/* A value for people or machines, with secrets replaced: "(sensitive)". compact JSON-like text. */
void report_value(struct buf *out, const struct value *v, bool sensitive);

/* issues_NAME.c */
#define X(name) \
    bool issues_write_##name(struct buf *out, const struct check_result *result, \
                             const struct report_options *options, struct err *err);
X(text)
X(json)
X(sarif)
X(junit)
X(gitlab)
X(github)
X(markdown)
#undef X
