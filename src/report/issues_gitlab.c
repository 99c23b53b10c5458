/* issues_gitlab.c - a check as a GitLab code quality report: one entry for each issue. */
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

/* The file's path, else what was checked. */
static struct str place_of(const struct check_subject *subject, const struct issue *issue)
{
    const struct str tries[] = {issue ? issue->at.file : (struct str){0}, subject->name};
    return gitlab_path(tries, sizeof tries / sizeof *tries);
}

static void put_issue(struct jsonw *w, const struct check_subject *subject,
                      const struct issue *issue)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&text, issue->summary);
    buf_str(&text, issue->detail.len ? STR(": ") : STR(""));
    for (struct str rest = issue->detail, line; rest.len;) { /* a description is one line */
        bool more = str_cut(&rest, '\n', &line);
        buf_str(&text, line);
        buf_str(&text, more && rest.len ? STR("; ") : STR(""));
        if (!more)
            break;
    }
    if (issue->remedy.len) {
        buf_str(&text, STR(" => "));
        buf_str(&text, issue->remedy);
    }
    gitlab_entry(w, issue->rule, buf_view(&text), str_from(issue->fingerprint), issue->severity,
                 place_of(subject, issue), &issue->at);
}

bool issues_write_gitlab(struct buf *out, const struct check_result *result,
                         const struct report_options *options, struct err *err)
{
    struct jsonw w = {.out = out, .indent = 1};
    (void)options;
    jsonw_array_open(&w);
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        if (subject->failed.len && !gitlab_failed(&w, "checked", subject->name, subject->failed,
                                                  place_of(subject, NULL), err))
            return false;
        for (size_t k = 0; k < subject->nissues; k++)
            put_issue(&w, subject, &subject->issues[k]);
    }
    jsonw_array_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}
