/* issues_junit.c - a check as JUnit XML: a suite for each thing checked, a case for each issue.
 *
 * Rules:  errors and violations are failures, warnings are skipped cases with their text, what
 *         could not be checked is an error; a thing without issues is one passing case
 */
#include "report/parts.h"
#include "report/report.h"

enum { MESSAGE_BYTES = 1000 };

struct counts {
    uint64_t tests, failures, errors, skipped;
};

static void count_subject(const struct check_subject *subject, struct counts *counts)
{
    for (size_t i = 0; i < subject->nissues; i++) {
        counts->skipped += subject->issues[i].kind == ISSUE_WARNING;
        counts->failures += subject->issues[i].kind != ISSUE_WARNING;
    }
    counts->errors += subject->failed.len > 0;
    counts->tests += subject->nissues + (subject->failed.len || !subject->nissues);
}

/* main.tf:12:3 aws_instance.web unsupported-argument (2): no two of a suite are the same. */
static void put_name(struct buf *out, const struct check_subject *subject, size_t at)
{
    const struct issue *issue = &subject->issues[at];
    unsigned copy = 1;
    location_text(out, &issue->at);
    if (issue->at.column)
        buf_printf(out, ":%u", issue->at.column);
    buf_str(out, out->len ? STR(" ") : STR(""));
    buf_str(out, issue->address);
    buf_str(out, issue->address.len ? STR(" ") : STR(""));
    buf_str(out, issue->rule);
    for (size_t i = at; i-- > 0; copy++) {
        const struct issue *before = &subject->issues[i];
        if (!str_equal(before->rule, issue->rule) || before->at.line != issue->at.line ||
            before->at.column != issue->at.column || !str_equal(before->address, issue->address) ||
            !str_equal(before->at.file, issue->at.file))
            break;
    }
    if (copy > 1)
        buf_printf(out, " (%u)", copy);
}

static void put_issue(struct buf *out, const struct check_subject *subject, size_t at)
{
    const struct issue *issue = &subject->issues[at];
    AUTO_BUF name = {.limit = BUF_DEFAULT_LIMIT}, body = {.limit = BUF_DEFAULT_LIMIT};
    const char *element = issue->kind == ISSUE_WARNING ? "skipped" : "failure";
    put_name(&name, subject, at);
    issue_excerpt(&body, issue, 0);
    issue_lines(&body, issue);
    buf_str(out, STR("    <testcase"));
    junit_attribute(out, "classname", subject->name);
    junit_attribute(out, "name", buf_view(&name));
    buf_printf(out, " time=\"0\">\n      <%s", element);
    if (issue->kind != ISSUE_WARNING)
        junit_attribute(out, "type", issue->rule);
    junit_attribute(out, "message", text_cut(issue->summary, MESSAGE_BYTES));
    buf_char(out, '>');
    junit_text(out, buf_view(&body), false);
    buf_printf(out, "</%s>\n    </testcase>\n", element);
}

static void put_summary_case(struct buf *out, const struct check_subject *subject)
{
    if (subject->nissues && !subject->failed.len)
        return;
    buf_str(out, STR("    <testcase"));
    junit_attribute(out, "classname", subject->name);
    buf_str(out, STR(" name=\"is checked\" time=\"0\">"));
    if (subject->failed.len) {
        buf_str(out, STR("\n      <error type=\"failed\""));
        junit_attribute(out, "message", text_cut(subject->failed, MESSAGE_BYTES));
        buf_str(out, STR("></error>\n    "));
    }
    buf_str(out, STR("</testcase>\n"));
}

bool issues_write_junit(struct buf *out, const struct check_result *result,
                        const struct report_options *options, struct err *err)
{
    struct counts all = {0};
    (void)options;
    for (size_t i = 0; i < result->n; i++)
        count_subject(&result->subject[i], &all);
    buf_str(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    buf_printf(out,
               "<testsuites name=\"plumb check\" tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" "
               "time=\"0\">\n",
               (unsigned long long)all.tests, (unsigned long long)all.failures,
               (unsigned long long)all.errors);
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        struct counts counts = {0};
        count_subject(subject, &counts);
        buf_str(out, STR("  <testsuite"));
        junit_attribute(out, "name", subject->name);
        buf_printf(
            out, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" skipped=\"%llu\" time=\"0\">\n",
            (unsigned long long)counts.tests, (unsigned long long)counts.failures,
            (unsigned long long)counts.errors, (unsigned long long)counts.skipped);
        for (size_t k = 0; k < subject->nissues; k++)
            put_issue(out, subject, k);
        put_summary_case(out, subject);
        buf_str(out, STR("  </testsuite>\n"));
    }
    buf_str(out, STR("</testsuites>\n"));
    return buf_ok(out, err);
}
