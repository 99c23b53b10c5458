/* parts.h - what the report formats share: safe text, redaction, counts, diffs as lines.
 *
 * Rules:  a sensitive value never reaches a buffer; a control character never reaches a terminal
 * Owner:  everything is written into the caller's buf; nothing is kept
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/finding.h"
#include "model/issue.h"

struct jsonw;
struct policy_report;
struct report_options;

/* --- text.c: text from outside, made harmless --- */

/* Controls, bidi marks, invisible and bad bytes become visible escapes (\u001b, \x..): one line. */
void text_safe(struct buf *out, struct str s);
/* The same, but tabs stay and a newline is followed by `indent` spaces. */
void text_safe_lines(struct buf *out, struct str s, unsigned indent);
/* "like this": quoted, `"` and `\` escaped too; past max_bytes (0 = no limit) cut with its size. */
void text_quote(struct buf *out, struct str s, size_t max_bytes);
/* s up to max_bytes, never inside a character. */
struct str text_cut(struct str s, size_t max_bytes);
void text_number(struct buf *out, uint64_t n); /* 1,204 */
size_t text_columns(struct str s);             /* characters; what alignment counts */
void text_pad(struct buf *out, size_t have, size_t want);

/* --- value.c: values as text and as JSON, secrets replaced --- */

/* Is nothing of this change's values to be shown? */
bool change_hidden(const struct change *change);
/* [80, "a", {x = null}] on one line, at most about max_bytes (0 = no limit). */
void value_inline(struct buf *out, const struct value *v, bool hidden, size_t max_bytes);
/* The same tree as JSON; hidden nodes are "(sensitive)", unknown ones "(unknown)"; NULL is null. */
void value_json(struct jsonw *w, const struct value *v, bool hidden);
/* {"path", "live", "wanted", "sensitive"}: after and before of the change. */
void change_live_json(struct jsonw *w, const struct change *change);
/* "path: before -> after" on one line, at most about max_bytes for each value; for texts of several
 * lines how many of them differ. */
void change_inline(struct buf *out, const struct change *change, size_t max_bytes);

/* --- tally.c: one walk over the findings for every format's figures --- */

struct tally {
    uint64_t by_class[CLASS_COUNT]; /* findings not ignored */
    uint64_t by_severity[SEVERITY_CRITICAL + 1];
    uint64_t ignored; /* findings that ignore rules cover */
    uint64_t resources, same, attributes_compared, attributes_not_observed;
    uint64_t stacks, failed;
};
void tally_stack(struct tally *tally, const struct stack_result *stack); /* adds */
void tally_all(struct tally *tally, const struct scan_result *result);
/* "3 drifted, 1 missing, 2 unchecked (not in sync), 94 in sync" */
void tally_print(struct buf *out, const struct tally *tally);
/* "1,204 attributes compared, 12 not observed" */
void tally_print_attributes(struct buf *out, const struct tally *tally);
bool tally_in_sync(const struct tally *tally); /* nothing drifted, unchecked or failed */

/* Is this finding part of a report with these options? */
bool finding_shown(const struct finding *finding, const struct report_options *options);
bool change_shown(const struct change *change, const struct report_options *options);
/* Does its reason say more than its changes do? */
bool finding_explained(const struct finding *finding);
/* One line: what is wrong with the resource: that reason, or the class's meaning. */
struct str finding_sentence(const struct finding *finding);
/* What a person can do about resources that could not be checked for that reason. */
const char *unchecked_advice(struct str reason);
/* "contradicts-code" -> "ContradictsTheCode" and what to do about a finding of that class. */
const char *class_title(enum finding_class class_);
const char *class_remedy(enum finding_class class_);

/* --- origin.c: where the code's value comes from --- */

/* Text that is safe on a terminal and in Markdown fences, on one line. */
void location_text(struct buf *out, const struct location *at); /* main.tf:12; or nothing */
/* main.tf:12 size -> variables.tf:3 var.size -> prod.tfvars:7 size */
void chain_text(struct buf *out, const struct origin *origin);
void commit_text(struct buf *out,
                 const struct commit *commit); /* 1a2b3c4d5e by Ann, 2026-11-20: s */
/* branch resize: 1a2b3c4d5e by Ann, 2026-11-20: larger web servers */
void explanation_text(struct buf *out, const struct explanation *explanation);
/* "last changed in ... by ...; owner @a": what is known of it; or nothing */
void history_text(struct buf *out, const struct origin *origin);
/* The source lines that may be shown: empty where there are none, or where they tell a secret. */
struct str origin_excerpt(const struct origin *origin, bool hidden);
/* Is the finding's own origin that of a change whose values are not to be shown? */
bool finding_hidden(const struct finding *finding);
/* The origin of one of its shown changes tells it already. */
bool origin_told(const struct finding *finding, const struct report_options *options);
/* What to do about it: its own words, or its class's. */
struct str finding_remedy(const struct finding *finding);
/* "location": {...} and "origin": {...}, or null. */
void location_json(struct jsonw *w, const struct location *at);
void location_json_as(struct jsonw *w, struct str key, const struct location *at);
void origin_json(struct jsonw *w, const struct origin *origin, bool hidden);
void revision_json(struct jsonw *w, const struct revision *revision);
void commit_json(struct jsonw *w, const struct commit *commit);

/* --- by.c: who made it --- */

/* Is there somebody to name, or was somebody expected to be? */
bool by_told(const struct finding *finding);
/* "alice@example.org, 2026-11-22 09:58:12 UTC, s3 PutBucketAcl, console, from 203.0.113.64", or why
 * nobody is known; one line */
void by_text(struct buf *out, const struct attribution *by);
/* "actor": {...}; nothing for NULL */
void by_json(struct jsonw *w, const struct attribution *by);

/* --- judgement.c: what policy says; nothing where none was asked --- */

/* Does policy want it reviewed, reverted or blocked? Then it is told whatever its class is. */
bool finding_violates(const struct finding *finding);
/* A line for each verdict, with why, fix, owner, deadline and references below it. */
void judgement_lines(struct buf *out, const struct finding *finding, unsigned indent);
/* "block: It is public [net/public, rules.yaml:3]" */
void judgement_inline(struct buf *out, const struct finding *finding);
/* "policy": {...} of a finding, and of the run (NULL: nothing) */
void judgement_json(struct jsonw *w, const struct finding *finding);
void policy_report_json(struct jsonw *w, const struct policy_report *report);
/* "3 findings judged: 1 block, 2 notify; 4 of 12 rules were asked about something"; of a check the
 * rules alone */
void policy_report_print(struct buf *out, const struct policy_report *report);
/* That line, then rules that failed or looked for what is never there (all: every rule), notes. */
void policy_report_lines(struct buf *out, const struct policy_report *report, bool all);

/* --- lines.c: changes as lines with + and - --- */

struct line_style {
    unsigned indent;    /* of the first level */
    unsigned width;     /* columns a line should not pass; values are cut near it */
    size_t max_lines;   /* of one multi-line difference; 0 = 60 */
    size_t max_changes; /* of one finding; 0 = all */
    bool colour;
    bool sign_first; /* the sign stands in the first column (Markdown diff blocks) */
};
/* Beside what the code sets, what only follows from it is worth one line: it is folded. */
bool change_folded(const struct finding *finding, const struct change *change,
                   const struct report_options *options);
/* change_inline of each change that is shown and not folded, at most max_changes, and how many more
 * there are. */
void changes_inline(struct buf *out, const struct finding *finding,
                    const struct report_options *options, const char *separator, size_t max_changes,
                    size_t max_bytes);
/* All changes of a finding that the options show, each with its origin; folded ones named in one
 * line. Where no change has one, the origin of the finding itself. */
void lines_of_finding(struct buf *out, const struct finding *finding,
                      const struct report_options *options, const struct line_style *style);

/* --- linediff.c: which lines of two texts differ --- */

enum { LINEDIFF_CELLS_MAX = 4000000, LINEDIFF_CONTEXT = 2 };
/* sign ' ', '-', '+'; or '@' with the number of unchanged lines left out. False stops. */
typedef bool (*linediff_sink)(void *ctx, char sign, struct str line, size_t skipped);
/* Common head and tail first, then a longest common subsequence where that is affordable. */
void linediff(struct str before, struct str after, linediff_sink sink, void *ctx);
bool text_is_multi_line(struct str s); /* a newline that is not its last character */

/* --- what the two kinds of report of one format share: format_NAME.c, issues_NAME.c --- */

/* "message": {"text": ...} */
void sarif_message(struct jsonw *w, struct str key, struct str text);
void sarif_physical(struct jsonw *w, const struct location *code, struct str excerpt);
/* Where the place is not known: the first line of that file, or of main.tf in that folder. */
void sarif_stand_in(struct jsonw *w, struct str path, bool folder);
/* "invocations": between open and close come the notifications of each stack or subject. */
void sarif_invocation_open(struct jsonw *w, bool successful);
void sarif_notifications(struct jsonw *w, struct str name, struct str failed,
                         const struct str *notes, size_t n);
/* policy may be NULL; its notes come last. */
void sarif_invocation_close(struct jsonw *w, const struct policy_report *policy);
void junit_text(struct buf *out, struct str s, bool attribute);
void junit_attribute(struct buf *out, const char *name, struct str value);
void gitlab_entry(struct jsonw *w, struct str check, struct str description, struct str fingerprint,
                  enum severity severity, struct str path, const struct location *at);
/* The first of the paths that is relative, as GitLab wants it; else ".". */
struct str gitlab_path(const struct str *tries, size_t n);
/* What could not be looked at is an entry, too. looked: "scanned", "checked" */
bool gitlab_failed(struct jsonw *w, const char *looked, struct str name, struct str why,
                   struct str path, struct err *err);
/* level: "error", "warning", "notice" */
void github_command(struct buf *out, const char *level, const struct location *code,
                    struct str title, struct str message);
void markdown_code(struct buf *out, struct str s, bool in_table); /* a code span */
void markdown_fence(struct buf *out, struct str language, struct str lines);

/* --- issues.c: figures and words of a check --- */

struct check_tally {
    uint64_t by_kind[ISSUE_KIND_COUNT], failed, files, modules, resources, documents;
};
void check_tally_all(struct check_tally *tally, const struct check_result *result);
/* "2 errors, 1 warning; 3 files, 1 module, 12 resources checked" */
void check_tally_print(struct buf *out, const struct check_tally *tally);
/* "digests": [...]: what a waiver is bound to; null for a secret without a key. */
void digests_json(struct jsonw *w, const struct issue *issue);
/* "module", or what the subject is, with its figures: "module, 3 files". */
void check_subject_print(struct buf *out, const struct check_subject *subject);
/* Summary, detail and remedy as lines. */
void issue_lines(struct buf *out, const struct issue *issue);
/* The lines of the excerpt with numbers and, below a single one, marks under the place. */
void issue_excerpt(struct buf *out, const struct issue *issue, unsigned indent);
