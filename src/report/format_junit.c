/* format_junit.c - JUnit XML: a suite for each stack, a case for each resource with a finding.
 *
 * Source:  the XSDs of Jenkins xunit (junit-10) and Maven Surefire 3; what both accept
 * Rules:   drift is a failure, unchecked is an error (never a pass), ignored is skipped; resources
 *          in sync are one passing case that says how many they are; no time is told (same input,
 *          same bytes)
 */
#include "base/utf8.h"
#include "report/parts.h"
#include "report/report.h"

enum { MESSAGE_BYTES = 1000, WIDTH = 120 };

/* XML 1.0 forbids most controls even as references: they are made visible before (text_safe). */
void junit_text(struct buf *out, struct str s, bool attribute)
{
    AUTO_BUF safe = {.limit = BUF_DEFAULT_LIMIT};
    if (attribute)
        text_safe(&safe, s);
    else
        text_safe_lines(&safe, s, 0);
    for (size_t at = 0; at < safe.len;) {
        size_t from = at;
        uint32_t c = utf8_next(buf_view(&safe), &at);
        if (c == '&' || c == '<' || c == '>' || c == '"')
            buf_printf(out, "&#%u;", (unsigned)c);
        else if (c == 0xfffe || c == 0xffff)
            buf_str(out, STR("?"));
        else
            buf_add(out, safe.ptr + from, at - from);
    }
}

void junit_attribute(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, " %s=\"", name);
    junit_text(out, value, true);
    buf_char(out, '"');
}

/* What becomes of the findings of one address. */
enum outcome { OUTCOME_PASS, OUTCOME_SKIPPED, OUTCOME_ERROR, OUTCOME_FAILURE };
static const char *const outcome_element[] = {
    [OUTCOME_PASS] = "system-out",
    [OUTCOME_SKIPPED] = "skipped",
    [OUTCOME_ERROR] = "error",
    [OUTCOME_FAILURE] = "failure",
};

static enum outcome outcome_of(const struct finding *finding)
{
    if (finding->ignored)
        return OUTCOME_SKIPPED;
    if (finding_violates(finding))
        return OUTCOME_FAILURE;
    if (finding->class_ == CLASS_STATE_ONLY)
        return OUTCOME_PASS;
    return finding->class_ == CLASS_UNCHECKED ? OUTCOME_ERROR : OUTCOME_FAILURE;
}

/* A run of shown findings with one address (they are sorted by it). */
struct group {
    const struct finding *first, *worst;
    size_t n;
};

static bool next_group(const struct stack_result *stack, const struct report_options *options,
                       size_t *at, struct group *ret)
{
    *ret = (struct group){0};
    for (; *at < stack->nfindings; ++*at) {
        const struct finding *finding = &stack->findings[*at];
        if (ret->n && !str_equal(finding->address, ret->first->address))
            break;
        if (ret->n) {
            ret->n++;
        } else if (finding_shown(finding, options)) {
            *ret = (struct group){finding, finding, 1};
        } else {
            continue;
        }
        if (finding_shown(finding, options) && outcome_of(finding) > outcome_of(ret->worst))
            ret->worst = finding;
    }
    return ret->n > 0;
}

static void put_message(struct buf *out, const struct finding *finding,
                        const struct report_options *options)
{
    AUTO_BUF message = {.limit = BUF_DEFAULT_LIMIT};
    if (finding->ignored) {
        buf_str(&message, finding->ignored_by);
        if (finding->ignored_expires.len) {
            buf_str(&message, STR(" until "));
            buf_str(&message, finding->ignored_expires);
        }
    } else {
        if (finding_violates(finding)) {
            judgement_inline(&message, finding);
            buf_str(&message, STR("; "));
        }
        buf_str(&message, str_from(finding_class_name(finding->class_)));
        buf_str(&message, STR(": "));
        bool said = finding_explained(finding) || !finding->nchanges;
        if (said)
            buf_str(&message, finding_sentence(finding));
        size_t shown = 0;
        for (size_t i = 0; i < finding->nchanges && message.len < MESSAGE_BYTES; i++) {
            if (!change_shown(&finding->changes[i], options) ||
                change_folded(finding, &finding->changes[i], options))
                continue;
            buf_str(&message, shown++ ? STR(", ") : said ? STR("; ") : STR(""));
            text_safe(&message, finding->changes[i].path);
        }
    }
    junit_attribute(out, "message", text_cut(buf_view(&message), MESSAGE_BYTES));
}

static void put_body(struct buf *out, const struct group *group,
                     const struct report_options *options)
{
    struct line_style style = {.width = WIDTH};
    AUTO_BUF body = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < group->n; i++) {
        const struct finding *finding = &group->first[i];
        if (!finding_shown(finding, options))
            continue;
        struct location at = finding_location(finding);
        location_text(&body, &at);
        buf_str(&body, at.file.len ? STR("\n") : STR(""));
        buf_str(&body, finding_sentence(finding));
        buf_char(&body, '\n');
        lines_of_finding(&body, finding, options, &style);
        judgement_lines(&body, finding, 0);
        buf_str(&body, finding->remedy.len ? STR("=> ") : STR(""));
        buf_str(&body, finding->remedy);
        buf_str(&body, finding->remedy.len ? STR("\n") : STR(""));
    }
    junit_text(out, buf_view(&body), false);
}

static void put_case(struct buf *out, const struct stack_result *stack, const struct group *group,
                     const struct report_options *options)
{
    enum outcome outcome = outcome_of(group->worst);
    const char *element = outcome_element[outcome];
    AUTO_BUF class_name = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&class_name, stack->name);
    buf_char(&class_name, '.');
    buf_str(&class_name, group->first->type);
    buf_str(out, STR("    <testcase"));
    junit_attribute(out, "classname", buf_view(&class_name));
    junit_attribute(out, "name", group->first->address);
    buf_printf(out, " time=\"0\">\n      <%s", element);
    if (outcome == OUTCOME_ERROR || outcome == OUTCOME_FAILURE)
        junit_attribute(out, "type", str_from(finding_class_name(group->worst->class_)));
    if (outcome != OUTCOME_PASS)
        put_message(out, group->worst, options);
    buf_char(out, '>');
    put_body(out, group, options);
    buf_printf(out, "</%s>\n    </testcase>\n", element);
}

struct counts {
    uint64_t tests, failures, errors, skipped;
};

static void count_stack(const struct stack_result *stack, const struct report_options *options,
                        struct counts *counts)
{
    struct group group;
    for (size_t at = 0; next_group(stack, options, &at, &group);) {
        enum outcome outcome = outcome_of(group.worst);
        counts->tests++;
        counts->failures += outcome == OUTCOME_FAILURE;
        counts->errors += outcome == OUTCOME_ERROR;
        counts->skipped += outcome == OUTCOME_SKIPPED;
    }
    counts->tests += stack->coverage.same > 0;
    counts->tests += stack->failed.len > 0;
    counts->errors += stack->failed.len > 0;
}

static void put_property(struct buf *out, const char *name, uint64_t n)
{
    buf_printf(out, "      <property name=\"plumb.%s\" value=\"%llu\"/>\n", name,
               (unsigned long long)n);
}

static void put_summary_cases(struct buf *out, const struct stack_result *stack)
{
    if (stack->failed.len) {
        buf_str(out, STR("    <testcase"));
        junit_attribute(out, "classname", stack->name);
        buf_str(out,
                STR(" name=\"the stack is scanned\" time=\"0\">\n      <error type=\"failed\""));
        junit_attribute(out, "message", text_cut(stack->failed, MESSAGE_BYTES));
        buf_str(out, STR("></error>\n    </testcase>\n"));
    }
    if (stack->coverage.same) {
        buf_str(out, STR("    <testcase"));
        junit_attribute(out, "classname", stack->name);
        buf_str(out, STR(" name=\"resources in sync\" time=\"0\">\n      <system-out>"));
        text_number(out, stack->coverage.same);
        buf_str(out, STR(" in sync</system-out>\n    </testcase>\n"));
    }
}

static void put_suite(struct buf *out, const struct stack_result *stack,
                      const struct report_options *options)
{
    struct counts counts = {0};
    struct group group;
    count_stack(stack, options, &counts);
    buf_str(out, STR("  <testsuite"));
    junit_attribute(out, "name", stack->name);
    buf_printf(out,
               " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" skipped=\"%llu\" time=\"0\">\n",
               (unsigned long long)counts.tests, (unsigned long long)counts.failures,
               (unsigned long long)counts.errors, (unsigned long long)counts.skipped);
    buf_str(out, STR("    <properties>\n"));
    put_property(out, "resources", stack->coverage.resources);
    put_property(out, "in_sync", stack->coverage.same);
    put_property(out, "unchecked", stack->coverage.unchecked);
    put_property(out, "attributes_compared", stack->coverage.attributes_compared);
    put_property(out, "attributes_not_observed", stack->coverage.attributes_not_observed);
    buf_str(out, STR("    </properties>\n"));
    for (size_t at = 0; next_group(stack, options, &at, &group);)
        put_case(out, stack, &group, options);
    put_summary_cases(out, stack);
    buf_str(out, STR("  </testsuite>\n"));
}

static bool write_junit(struct buf *out, const struct scan_result *result,
                        const struct report_options *options, struct err *err)
{
    struct counts counts = {0};
    for (size_t i = 0; i < result->nstacks; i++)
        count_stack(&result->stacks[i], options, &counts);
    buf_str(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
    buf_printf(out,
               "<testsuites name=\"plumb\" tests=\"%llu\" failures=\"%llu\" errors=\"%llu\" "
               "time=\"0\">\n",
               (unsigned long long)counts.tests, (unsigned long long)counts.failures,
               (unsigned long long)counts.errors);
    for (size_t i = 0; i < result->nstacks; i++)
        put_suite(out, &result->stacks[i], options);
    buf_str(out, STR("</testsuites>\n"));
    return buf_ok(out, err);
}

const struct format format_junit = {
    .name = "junit",
    .summary = "JUnit XML for CI test reports",
    .extension = ".xml",
    .write = write_junit,
    .write_issues = issues_write_junit,
};
