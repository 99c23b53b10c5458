/* gate_report.h - a decision of the gate for people and machines, in the formats of --output.
 *
 * Same decision, same bytes; no secret of a resource is in any of them (report/parts.h)
 */
#pragma once
#include "enforce/gate_facts.h"
#include "report/report.h"

struct gate_token {
    struct str text; /* handed out once; empty: none was issued */
    int64_t expires_utc_ms;
    bool in_file; /* it was written to a file: no report has it */
};
struct gate_report {
    const struct gate_seen *seen;
    const struct gate_decision *decision;
    struct str plan;   /* file, as it was named */
    struct str digest; /* "sha256:..." of the file */
    struct str store;  /* as people may see it; empty: there is none */
    int64_t event;     /* number of the gate.decision event; -1: none was written */
    struct gate_token token;
};

/* format: a name of report_formats. ERR_USAGE for one that the gate does not write. */
bool gate_report_write(struct buf *out, const struct gate_report *report, struct str format,
                       const struct report_options *options, struct err *err);

/* --- one file each --- */

void gate_write_text(struct buf *out, const struct gate_report *report,
                     const struct report_options *options);
void gate_write_json(struct buf *out, const struct gate_report *report);
void gate_write_markdown(struct buf *out, const struct gate_report *report,
                         const struct report_options *options);
void gate_write_github(struct buf *out, const struct gate_report *report);

/* "Denied: the plan would undo 3 changes that nobody reviewed" */
void gate_print_headline(struct buf *out, const struct gate_report *report);
/* "2 to create, 1 to destroy" */
void gate_print_actions(struct buf *out, const struct plan_doc *doc);
/* "open, policy/rules.yaml:12", or nothing. */
void gate_print_rule(struct buf *out, const struct gate_objection *objection);
/* What is live, and what the plan would leave there (before). */
struct change gate_live_change(const struct gate_objection *objection, const struct change *change);
/* A change as the plan would make it: live first. */
struct change gate_shown_change(const struct gate_objection *objection,
                                const struct change *change);
