/* issues_text.c - a check for people: each issue with its place, the source line and what to do. */
#include "report/parts.h"
#include "report/report.h"

enum tone { TONE_BOLD, TONE_GOOD, TONE_BAD, TONE_WARN };
static const char *const tone_code[] = {[TONE_BOLD] = "\033[1m",
                                        [TONE_GOOD] = "\033[32m",
                                        [TONE_BAD] = "\033[31m",
                                        [TONE_WARN] = "\033[33m"};
static const enum tone by_kind[] = {
    [ISSUE_ERROR] = TONE_BAD, [ISSUE_VIOLATION] = TONE_BAD, [ISSUE_WARNING] = TONE_WARN};

static void put_toned(struct buf *out, bool colour, enum tone tone, struct str s)
{
    if (colour)
        buf_str(out, str_from(tone_code[tone]));
    text_safe(out, s);
    if (colour)
        buf_str(out, STR("\033[0m"));
}

static void put_place(struct buf *out, const struct location *at)
{
    if (!at->file.len)
        return;
    text_safe(out, at->file);
    if (at->line)
        buf_printf(out, ":%u", at->line);
    if (at->line && at->column)
        buf_printf(out, ":%u", at->column);
    buf_str(out, STR(": "));
}

static void put_digests(struct buf *out, const struct issue *issue)
{
    if (!issue->ndigests)
        return;
    buf_str(out, STR("    a waiver is bound to "));
    for (size_t i = 0; i < issue->ndigests; i++) {
        buf_str(out, i ? STR(", ") : STR(""));
        buf_str(out, issue->digest[i].ptr ? issue->digest[i]
                                          : STR("a secret, which needs PLUMB_WAIVER_KEY"));
    }
    buf_char(out, '\n');
}

static void put_issue(struct buf *out, const struct issue *issue, bool colour, bool explain)
{
    AUTO_BUF place = {.limit = BUF_DEFAULT_LIMIT};
    put_place(&place, &issue->at);
    buf_str(out, STR("  "));
    put_toned(out, colour, TONE_BOLD, buf_view(&place));
    put_toned(out, colour, by_kind[issue->kind], str_from(issue_kind_name(issue->kind)));
    if (issue->kind == ISSUE_VIOLATION)
        buf_printf(out, " (%s)", severity_name(issue->severity));
    buf_str(out, STR(": "));
    put_toned(out, colour, TONE_BOLD, issue->summary);
    buf_str(out, STR("  ["));
    text_safe(out, issue->rule);
    buf_str(out, STR("]\n"));
    issue_excerpt(out, issue, 2);
    if (issue->address.len) {
        buf_str(out, STR("    in "));
        text_safe(out, issue->address);
        buf_char(out, '\n');
    }
    if (issue->detail.len) {
        buf_str(out, STR("    "));
        text_safe_lines(out, issue->detail, 4);
        buf_char(out, '\n');
    }
    if (issue->remedy.len) {
        buf_str(out, STR("    => "));
        text_safe_lines(out, issue->remedy, 7);
        buf_char(out, '\n');
    }
    if (issue->rule_at.file.len) {
        AUTO_BUF rule = {.limit = BUF_DEFAULT_LIMIT};
        location_text(&rule, &issue->rule_at);
        buf_str(out, STR("    by "));
        text_safe(out, buf_view(&rule));
        buf_char(out, '\n');
    }
    if (explain)
        put_digests(out, issue);
    if (issue->link.len) {
        buf_str(out, STR("    see "));
        text_safe(out, issue->link);
        buf_char(out, '\n');
    }
}

static void put_subject(struct buf *out, const struct check_subject *subject,
                        const struct report_options *options)
{
    put_toned(out, options->colour, TONE_BOLD, subject->name);
    buf_str(out, STR("  ("));
    check_subject_print(out, subject);
    buf_str(out, STR(")\n"));
    if (subject->failed.len) {
        buf_str(out, STR("  "));
        put_toned(out, options->colour, TONE_BAD, STR("not checked"));
        buf_str(out, STR(": "));
        text_safe_lines(out, subject->failed, 4);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < subject->nissues; i++) {
        buf_str(out, i ? STR("\n") : STR(""));
        put_issue(out, &subject->issues[i], options->colour, options->explain);
    }
    for (size_t i = 0; i < subject->nnotes; i++) {
        buf_str(out, STR("  note: "));
        text_safe_lines(out, subject->notes[i], 8);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
}

bool issues_write_text(struct buf *out, const struct check_result *result,
                       const struct report_options *options, struct err *err)
{
    struct check_tally tally = {0};
    AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
    check_tally_all(&tally, result);
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        if (subject->nissues || subject->failed.len || subject->nnotes)
            put_subject(out, subject, options);
    }
    check_tally_print(&line, &tally);
    bool good = !tally.failed && !tally.by_kind[ISSUE_ERROR] && !tally.by_kind[ISSUE_VIOLATION];
    put_toned(out, options->colour,
              !good                          ? TONE_BAD
              : tally.by_kind[ISSUE_WARNING] ? TONE_WARN
                                             : TONE_GOOD,
              buf_view(&line));
    buf_char(out, '\n');
    if (result->policy)
        policy_report_lines(out, result->policy, options->explain);
    return buf_ok(out, err);
}
