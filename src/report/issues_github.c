/* issues_github.c - a check as annotations of a GitHub step: errors first, at most 9 of a level. */
#include "report/parts.h"
#include "report/report.h"

enum { SHOWN_MAX = 9 };

static const struct {
    enum issue_kind kind;
    const char *level;
} order[] = {{ISSUE_ERROR, "error"}, {ISSUE_VIOLATION, "error"}, {ISSUE_WARNING, "warning"}};

/* A violation of low severity is no error of the step. */
static const char *level_of(const struct issue *issue)
{
    bool mild = issue->kind == ISSUE_VIOLATION && issue->severity < SEVERITY_HIGH;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (order[i].kind == issue->kind)
            return mild ? "warning" : order[i].level;
    return "error";
}

static void put_issue(struct buf *out, const struct issue *issue)
{
    AUTO_BUF message = {.limit = BUF_DEFAULT_LIMIT};
    AUTO_BUF title = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&title, issue->rule);
    if (issue->address.len) {
        buf_str(&title, STR(": "));
        buf_str(&title, issue->address);
    }
    issue_lines(&message, issue);
    github_command(out, level_of(issue), &issue->at, buf_view(&title), buf_view(&message));
}

bool issues_write_github(struct buf *out, const struct check_result *result,
                         const struct report_options *options, struct err *err)
{
    struct check_tally tally = {0};
    AUTO_BUF summary = {.limit = BUF_DEFAULT_LIMIT};
    (void)options;
    check_tally_all(&tally, result);
    for (size_t i = 0; i < result->n; i++)
        if (result->subject[i].failed.len)
            github_command(out, "error", NULL, result->subject[i].name, result->subject[i].failed);
    for (size_t row = 0; row < sizeof order / sizeof *order; row++) {
        size_t shown = 0;
        for (size_t i = 0; i < result->n; i++)
            for (size_t k = 0; k < result->subject[i].nissues && shown < SHOWN_MAX; k++)
                if (result->subject[i].issues[k].kind == order[row].kind) {
                    put_issue(out, &result->subject[i].issues[k]);
                    shown++;
                }
    }
    check_tally_print(&summary, &tally);
    github_command(out, "notice", NULL, STR("plumb check"), buf_view(&summary));
    return buf_ok(out, err);
}
