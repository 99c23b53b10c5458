/* issues_markdown.c - a check as a comment of a pull request: errors first, never too long. */
#include "report/parts.h"
#include "report/report.h"

enum { COMMENT_BYTES = 60000, LAST_LINE = 200 };

static void put_issue(struct buf *out, const struct issue *issue)
{
    AUTO_BUF place = {.limit = BUF_DEFAULT_LIMIT}, lines = {.limit = BUF_DEFAULT_LIMIT};
    location_text(&place, &issue->at);
    buf_printf(out, "\n**%s** ", issue_kind_name(issue->kind));
    if (place.len) {
        markdown_code(out, buf_view(&place), false);
        buf_char(out, ' ');
    }
    markdown_code(out, issue->summary, false);
    buf_str(out, STR(" ("));
    markdown_code(out, issue->rule, false);
    buf_str(out, STR(")\n\n"));
    issue_excerpt(&lines, issue, 0);
    if (issue->detail.len) {
        text_safe_lines(&lines, issue->detail, 0);
        buf_char(&lines, '\n');
    }
    if (issue->remedy.len) {
        buf_str(&lines, STR("=> "));
        text_safe_lines(&lines, issue->remedy, 3);
        buf_char(&lines, '\n');
    }
    if (lines.len)
        markdown_fence(out, STR("text"), buf_view(&lines));
}

bool issues_write_markdown(struct buf *out, const struct check_result *result,
                           const struct report_options *options, struct err *err)
{
    static const enum issue_kind order[] = {ISSUE_ERROR, ISSUE_VIOLATION, ISSUE_WARNING};
    struct check_tally tally = {0};
    size_t limit = options->max_bytes ? options->max_bytes : COMMENT_BYTES, left = 0;
    check_tally_all(&tally, result);
    buf_str(out, STR("<!-- plumb:check -->\n**plumb check**: "));
    check_tally_print(out, &tally);
    buf_char(out, '\n');
    for (size_t i = 0; i < result->n; i++)
        if (result->subject[i].failed.len) {
            buf_str(out, STR("\n"));
            markdown_code(out, result->subject[i].name, false);
            buf_str(out, STR(" was not checked: "));
            markdown_code(out, result->subject[i].failed, false);
            buf_char(out, '\n');
        }
    for (size_t row = 0; row < sizeof order / sizeof *order; row++)
        for (size_t i = 0; i < result->n; i++)
            for (size_t k = 0; k < result->subject[i].nissues; k++) {
                AUTO_BUF piece = {.limit = BUF_DEFAULT_LIMIT};
                if (result->subject[i].issues[k].kind != order[row])
                    continue;
                put_issue(&piece, &result->subject[i].issues[k]);
                if (out->len + piece.len + LAST_LINE > limit)
                    left++;
                else
                    buf_str(out, buf_view(&piece));
            }
    if (left) {
        buf_str(out, STR("\n"));
        text_number(out, left);
        buf_str(out, STR(" more do not fit here; the other reports list them all.\n"));
    }
    return buf_ok(out, err);
}
