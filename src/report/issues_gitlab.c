/* issues_gitlab.c - a check as a GitLab code quality report: one entry for each issue. */
#include "base/digest.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

/* GitLab wants a relative path: the file's, else what was checked. */
static struct str place_of(const struct check_subject *subject, const struct issue *issue)
{
    const struct str tries[] = {issue ? issue->at.file : (struct str){0}, subject->name};
    for (size_t i = 0; i < 2; i++) {
        struct str path = tries[i];
        while (str_starts(path, STR("./")))
            path = str_sub(path, 2, path.len);
        if (path.len && path.ptr[0] != '/')
            return path;
    }
    return STR(".");
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

static bool put_failed(struct jsonw *w, const struct check_subject *subject, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&text, STR("not checked: "));
    buf_str(&text, subject->name);
    if (!digest_sha256(buf_view(&text), &digest, err))
        return false;
    digest_hex(&digest, hex);
    buf_str(&text, STR(": "));
    buf_str(&text, subject->failed);
    gitlab_entry(w, STR("not-checked"), buf_view(&text), (struct str){hex, 32}, SEVERITY_HIGH,
                 place_of(subject, NULL), NULL);
    return true;
}

bool issues_write_gitlab(struct buf *out, const struct check_result *result,
                         const struct report_options *options, struct err *err)
{
    struct jsonw w = {.out = out, .indent = 1};
    (void)options;
    jsonw_array_open(&w);
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        if (subject->failed.len && !put_failed(&w, subject, err))
            return false;
        for (size_t k = 0; k < subject->nissues; k++)
            put_issue(&w, subject, &subject->issues[k]);
    }
    jsonw_array_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}
