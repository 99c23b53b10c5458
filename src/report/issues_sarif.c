/* issues_sarif.c - a check as SARIF 2.1.0: a rule for each that objects, a result for each issue.
 *
 * Source:  OASIS SARIF 2.1.0 errata 01 (3.27 result, 3.49 reportingDescriptor)
 */
#include <stdlib.h>

#include "base/arena.h"
#include "model/decision.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

/* SARIF 3.27.10 level and GitHub's security-severity, by severity (violations only). */
static const struct {
    struct str level;
    const char *security;
} by_severity[] = {
    [SEVERITY_INFO] = {STR_INIT("note"), NULL},       [SEVERITY_LOW] = {STR_INIT("note"), "2.0"},
    [SEVERITY_MEDIUM] = {STR_INIT("warning"), "5.5"}, [SEVERITY_HIGH] = {STR_INIT("error"), "8.0"},
    [SEVERITY_CRITICAL] = {STR_INIT("error"), "9.5"},
};

static struct str level_of(const struct issue *issue)
{
    return issue->kind == ISSUE_ERROR     ? STR("error")
           : issue->kind == ISSUE_WARNING ? STR("warning")
                                          : by_severity[issue->severity].level;
}

/* The first issue of each rule, sorted by rule. */
struct rules {
    const struct issue **of;
    size_t n;
};

static int compare_rules(const void *a, const void *b)
{
    const struct issue *x = *(const struct issue *const *)a, *y = *(const struct issue *const *)b;
    int order = str_compare(x->rule, y->rule);
    return order ? order : (x > y) - (x < y);
}

static bool gather_rules(struct arena *arena, const struct check_result *result, struct rules *ret)
{
    size_t all = 0, n = 0;
    for (size_t i = 0; i < result->n; i++)
        all += result->subject[i].nissues;
    ret->of = arena_new(arena, const struct issue *, all);
    if (!ret->of)
        return false;
    all = 0;
    for (size_t i = 0; i < result->n; i++)
        for (size_t k = 0; k < result->subject[i].nissues; k++)
            ret->of[all++] = &result->subject[i].issues[k];
    if (all)
        qsort(ret->of, all, sizeof *ret->of, compare_rules);
    for (size_t i = 0; i < all; i++)
        if (!n || !str_equal(ret->of[n - 1]->rule, ret->of[i]->rule))
            ret->of[n++] = ret->of[i];
    ret->n = n;
    return true;
}

static size_t rule_index(const struct rules *rules, struct str rule)
{
    size_t low = 0, high = rules->n;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(rules->of[middle]->rule, rule) <= 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void put_rule(struct jsonw *w, const struct issue *issue)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), issue->rule);
    sarif_message(w, STR("shortDescription"), issue->summary);
    sarif_message(w, STR("fullDescription"), issue->summary);
    sarif_message(w, STR("help"), issue->summary);
    if (issue->link.len)
        jsonw_member_string(w, STR("helpUri"), issue->link);
    jsonw_key(w, STR("defaultConfiguration"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("level"), level_of(issue));
    jsonw_object_close(w);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    jsonw_key(w, STR("tags"));
    jsonw_array_open(w);
    jsonw_string(w, issue->kind == ISSUE_VIOLATION ? STR("policy") : STR("correctness"));
    jsonw_string(w, STR("infrastructure-as-code"));
    jsonw_array_close(w);
    if (issue->kind == ISSUE_VIOLATION && by_severity[issue->severity].security)
        jsonw_member_string(w, STR("security-severity"),
                            str_from(by_severity[issue->severity].security));
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void put_tool(struct jsonw *w, const struct rules *rules,
                     const struct report_options *options)
{
    jsonw_key(w, STR("tool"));
    jsonw_object_open(w);
    jsonw_key(w, STR("driver"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), STR("plumb"));
    if (options->tool_version.len)
        jsonw_member_string(w, STR("semanticVersion"), options->tool_version);
    jsonw_key(w, STR("rules"));
    jsonw_array_open(w);
    for (size_t i = 0; i < rules->n; i++)
        put_rule(w, rules->of[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void put_locations(struct jsonw *w, const struct check_subject *subject,
                          const struct issue *issue)
{
    jsonw_key(w, STR("locations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    if (issue->at.file.len)
        sarif_physical(w, &issue->at, issue->excerpt);
    else
        sarif_stand_in(w, subject->name, str_equal(subject->kind, STR("module")));
    AUTO_BUF name = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&name, issue->subject.len ? issue->subject : STR("."));
    buf_str(&name, issue->address.len ? STR("/") : STR(""));
    buf_str(&name, issue->address);
    jsonw_key(w, STR("logicalLocations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("fullyQualifiedName"), buf_view(&name));
    jsonw_member_string(w, STR("kind"), issue->address.len ? STR("resource") : STR("module"));
    jsonw_object_close(w);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
}

/* The message has as many as are read, and long values cut; here is all of it. */
static void put_changes(struct jsonw *w, const struct issue *issue)
{
    if (!issue->nchanges)
        return;
    jsonw_key(w, STR("changes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < issue->nchanges; i++)
        change_live_json(w, &issue->changes[i]);
    jsonw_array_close(w);
}

static void put_result(struct jsonw *w, const struct rules *rules,
                       const struct check_subject *subject, const struct issue *issue)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT}, line = {.limit = 64};
    issue_lines(&text, issue);
    buf_str(&line, str_sub(str_from(issue->fingerprint), 0, 16));
    buf_str(&line, STR(":1"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("ruleId"), issue->rule);
    jsonw_member_int(w, STR("ruleIndex"), (int64_t)rule_index(rules, issue->rule));
    jsonw_member_string(w, STR("kind"), STR("fail"));
    jsonw_member_string(w, STR("level"), level_of(issue));
    sarif_message(w, STR("message"), buf_view(&text));
    put_locations(w, subject, issue);
    jsonw_key(w, STR("partialFingerprints"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("plumbIssue/v1"), str_from(issue->fingerprint));
    jsonw_member_string(w, STR("primaryLocationLineHash"), buf_view(&line));
    jsonw_object_close(w);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("subject"), issue->subject);
    jsonw_member_string(w, STR("kind"), str_from(issue_kind_name(issue->kind)));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(issue->severity)));
    put_changes(w, issue);
    if (issue->ndigests)
        digests_json(w, issue);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void put_invocation(struct jsonw *w, const struct check_result *result,
                           const struct check_tally *tally)
{
    sarif_invocation_open(w, tally->failed == 0);
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        sarif_notifications(w, subject->name, subject->failed, subject->notes, subject->nnotes);
    }
    sarif_invocation_close(w, result->policy);
}

static void put_run(struct jsonw *w, const struct check_result *result, const struct rules *rules,
                    const struct report_options *options)
{
    struct check_tally tally = {0};
    AUTO_BUF summary = {.limit = BUF_DEFAULT_LIMIT};
    check_tally_all(&tally, result);
    check_tally_print(&summary, &tally);
    put_tool(w, rules, options);
    jsonw_key(w, STR("automationDetails"));
    jsonw_object_open(w);
    AUTO_BUF id = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&id, result->category.len ? result->category : STR("plumb-check"));
    buf_char(&id, '/');
    jsonw_member_string(w, STR("id"), buf_view(&id));
    jsonw_object_close(w);
    jsonw_key(w, STR("originalUriBaseIds"));
    jsonw_object_open(w);
    jsonw_key(w, STR("SRCROOT"));
    jsonw_object_open(w);
    sarif_message(w, STR("description"), STR("The root of the checked checkout."));
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_member_string(w, STR("columnKind"), STR("unicodeCodePoints"));
    put_invocation(w, result, &tally);
    jsonw_key(w, STR("results"));
    jsonw_array_open(w);
    for (size_t i = 0; i < result->n; i++)
        for (size_t k = 0; k < result->subject[i].nissues; k++)
            put_result(w, rules, &result->subject[i], &result->subject[i].issues[k]);
    jsonw_array_close(w);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("summary"), buf_view(&summary));
    jsonw_object_close(w);
}

bool issues_write_sarif(struct buf *out, const struct check_result *result,
                        const struct report_options *options, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 32};
    struct jsonw w = {.out = out, .indent = 1};
    struct rules rules;
    if (!gather_rules(&arena, result, &rules))
        return arena_full(&arena, err);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("$schema"),
                        STR("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                            "sarif-schema-2.1.0.json"));
    jsonw_member_string(&w, STR("version"), STR("2.1.0"));
    jsonw_key(&w, STR("runs"));
    jsonw_array_open(&w);
    jsonw_object_open(&w);
    put_run(&w, result, &rules, options);
    jsonw_object_close(&w);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}
