/* judgement.c - what policy says of a finding, for every format: who decides, why, what to do. */
#include "model/decision.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

bool finding_violates(const struct finding *finding)
{
    return !finding->ignored && !finding->reviewed.len && finding->judgement &&
           decision_is_violation(finding->judgement->decision);
}

static void put_place(struct buf *out, struct str rule, const struct location *at)
{
    buf_str(out, STR(" ["));
    text_safe(out, rule);
    if (at->file.len) {
        buf_str(out, STR(", "));
        text_safe(out, at->file);
        if (at->line)
            buf_printf(out, ":%u", at->line);
    }
    buf_char(out, ']');
}

static void put_references(struct buf *out, const char *name, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_str(out, i ? STR(", ") : STR("; "));
        if (!i)
            buf_printf(out, "%s ", name);
        text_safe(out, list[i]);
    }
}

/* "owner @net; within 3d; CSF PR.AA-05; 800-53 AC-3", or nothing */
static void put_duties(struct buf *out, const struct verdict *v)
{
    AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
    if (v->owner.len) {
        buf_str(&line, STR("; owner "));
        text_safe(&line, v->owner);
    }
    if (v->deadline.len) {
        buf_str(&line, STR("; within "));
        text_safe(&line, v->deadline);
    }
    put_references(&line, "CSF", v->csf, v->ncsf);
    put_references(&line, "800-53", v->sp800_53, v->nsp800_53);
    put_references(&line, "CIS", v->cis, v->ncis);
    if (line.len)
        buf_str(out, str_sub(buf_view(&line), 2, line.len));
}

static void put_line(struct buf *out, unsigned indent, const char *lead, struct str text)
{
    if (!text.len)
        return;
    buf_printf(out, "%*s%s", (int)indent, "", lead);
    text_safe_lines(out, text, indent + 2);
    buf_char(out, '\n');
}

static const char *decision_word(const struct verdict *v)
{
    return v->error ? "block (error)" : decision_name(v->decision);
}

static void put_verdict(struct buf *out, const struct verdict *v, unsigned indent)
{
    AUTO_BUF duties = {.limit = BUF_DEFAULT_LIMIT};
    buf_printf(out, "%*s%s: ", (int)indent, "", decision_word(v));
    text_safe_lines(out, v->message, indent + 2);
    put_place(out, v->rule, &v->at);
    buf_char(out, '\n');
    put_line(out, indent + 2, v->unknown ? "cannot be told: " : "because ", v->why);
    put_line(out, indent + 2, "fix: ", v->remedy);
    put_duties(&duties, v);
    put_line(out, indent + 2, "", buf_view(&duties));
    for (size_t i = 0; i < v->nlinks; i++)
        put_line(out, indent + 2, "see ", v->links[i]);
    put_line(out, indent + 2, "waived by ", v->waived_by);
}

void judgement_lines(struct buf *out, const struct finding *finding, unsigned indent)
{
    const struct judgement *j = finding->judgement;
    if (!j)
        return;
    if (!j->rule.len && !(finding->ignored && j->waived)) {
        buf_printf(out, "%*s%s: ", (int)indent, "", decision_name(j->decision));
        text_safe_lines(out, j->message, indent + 2);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < j->nverdicts; i++)
        put_verdict(out, &j->verdict[i], indent);
}

void judgement_inline(struct buf *out, const struct finding *finding)
{
    const struct judgement *j = finding->judgement;
    if (!j)
        return;
    buf_str(out, str_from(decision_name(j->decision)));
    buf_str(out, STR(": "));
    text_safe(out, j->message);
    if (j->rule.len)
        put_place(out, j->rule, &j->at);
}

/* --- JSON --- */

static void texts(struct jsonw *w, struct str key, const struct str *list, size_t n)
{
    jsonw_key(w, key);
    jsonw_array_open(w);
    for (size_t i = 0; i < n; i++)
        jsonw_string(w, list[i]);
    jsonw_array_close(w);
}

static void place_json(struct jsonw *w, const struct location *at)
{
    text_json(w, STR("file"), at->file);
    jsonw_key(w, STR("line"));
    if (at->line)
        jsonw_int(w, at->line);
    else
        jsonw_null(w);
}

static void verdict_json(struct jsonw *w, const struct verdict *v)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("rule"), v->rule);
    place_json(w, &v->at);
    jsonw_member_string(w, STR("decision"), str_from(decision_name(v->decision)));
    text_json(w, STR("severity"), v->has_severity ? str_from(severity_name(v->severity)) : STR(""));
    jsonw_member_string(w, STR("message"), v->message);
    text_json(w, STR("why"), v->why);
    text_json(w, STR("fix"), v->remedy);
    text_json(w, STR("owner"), v->owner);
    text_json(w, STR("deadline"), v->deadline);
    texts(w, STR("paths"), v->path, v->npaths);
    jsonw_key(w, STR("references"));
    jsonw_object_open(w);
    texts(w, STR("csf"), v->csf, v->ncsf);
    texts(w, STR("800-53"), v->sp800_53, v->nsp800_53);
    texts(w, STR("cis"), v->cis, v->ncis);
    texts(w, STR("links"), v->links, v->nlinks);
    jsonw_object_close(w);
    jsonw_member_bool(w, STR("unknown"), v->unknown);
    jsonw_member_bool(w, STR("error"), v->error);
    text_json(w, STR("waived_by"), v->waived_by);
    jsonw_object_close(w);
}

void judgement_json(struct jsonw *w, const struct finding *finding)
{
    const struct judgement *j = finding->judgement;
    if (!j)
        return;
    jsonw_key(w, STR("policy"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("decision"), str_from(decision_name(j->decision)));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(j->severity)));
    jsonw_member_string(w, STR("message"), j->message);
    text_json(w, STR("rule"), j->rule);
    place_json(w, &j->at);
    text_json(w, STR("owner"), j->owner);
    text_json(w, STR("deadline"), j->deadline);
    jsonw_member_bool(w, STR("waived"), j->waived);
    text_json(w, STR("digest"), finding->digest);
    jsonw_key(w, STR("verdicts"));
    jsonw_array_open(w);
    for (size_t i = 0; i < j->nverdicts; i++)
        verdict_json(w, &j->verdict[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

/* --- of the whole run --- */

static void row_json(struct jsonw *w, const struct policy_row *row)
{
    const struct {
        struct str key;
        uint64_t n;
    } counts[] = {{STR("asked"), row->asked},
                  {STR("applicable"), row->applicable},
                  {STR("matched"), row->matched},
                  {STR("unknown"), row->unknown},
                  {STR("errors"), row->errors}};
    jsonw_object_open(w);
    jsonw_member_string(w, STR("rule"), row->rule);
    place_json(w, &row->at);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        jsonw_member_int(w, counts[i].key, (int64_t)counts[i].n);
    texts(w, STR("paths_never_found"), row->never_had, row->nnever_had);
    jsonw_object_close(w);
}

static void judged_json(struct jsonw *w, const struct policy_report *report)
{
    jsonw_member_int(w, STR("judged"), (int64_t)report->judged);
    jsonw_key(w, STR("decisions"));
    jsonw_object_open(w);
    for (unsigned i = 0; i < DECISION_COUNT; i++)
        jsonw_member_int(w, str_from(decision_name((enum decision)i)),
                         (int64_t)report->by_decision[i]);
    jsonw_object_close(w);
}

void policy_report_json(struct jsonw *w, const struct policy_report *report)
{
    if (!report)
        return;
    jsonw_key(w, STR("policy"));
    jsonw_object_open(w);
    if (!report->of_check)
        judged_json(w, report);
    jsonw_key(w, STR("rules"));
    jsonw_array_open(w);
    for (size_t i = 0; i < report->n; i++)
        row_json(w, &report->row[i]);
    jsonw_array_close(w);
    texts(w, STR("notes"), report->note, report->nnotes);
    jsonw_object_close(w);
}

static void put_judged(struct buf *out, const struct policy_report *report)
{
    bool any = false;
    text_number(out, report->judged);
    buf_str(out, report->judged == 1 ? STR(" finding judged: ") : STR(" findings judged: "));
    for (unsigned i = 0; i < DECISION_COUNT; i++) {
        if (!report->by_decision[i])
            continue;
        buf_str(out, any ? STR(", ") : STR(""));
        text_number(out, report->by_decision[i]);
        buf_printf(out, " %s", decision_name((enum decision)i));
        any = true;
    }
    buf_str(out, any ? STR("; ") : STR("none; "));
}

/* "policy: 3 judged: 1 block, 2 notify; 4 of 12 rules were about something" */
void policy_report_print(struct buf *out, const struct policy_report *report)
{
    size_t about = 0;
    if (!report->of_check)
        put_judged(out, report);
    for (size_t i = 0; i < report->n; i++)
        about += report->row[i].applicable > 0;
    text_number(out, about);
    buf_str(out, STR(" of "));
    text_number(out, report->n);
    buf_str(out, report->n == 1 ? STR(" rule was asked about something")
                                : STR(" rules were asked about something"));
}

static void put_row(struct buf *out, const struct policy_row *row)
{
    buf_str(out, STR("  "));
    text_safe(out, row->rule);
    buf_str(out, STR(": "));
    if (!row->applicable) {
        buf_str(out, STR("about none of "));
        text_number(out, row->asked);
    } else {
        text_number(out, row->matched);
        buf_str(out, STR(" of "));
        text_number(out, row->applicable);
        buf_str(out, STR(" matched"));
    }
    if (row->unknown)
        buf_printf(out, ", %llu unknown", (unsigned long long)row->unknown);
    if (row->errors)
        buf_printf(out, ", %llu failed", (unsigned long long)row->errors);
    for (size_t i = 0; i < row->nnever_had; i++) {
        buf_str(out, i ? STR(", ") : STR("; never found: "));
        text_safe(out, row->never_had[i]);
    }
    buf_char(out, '\n');
}

/* A rule that was asked, looks where nothing is, and objects to nothing. Of one that was not asked,
 * and of one that objects to what is not there, only who asks is told: most findings have nothing
 * to do with most rules. Documents lack most of what rules look for. */
static bool is_odd(const struct policy_report *report, const struct policy_row *row)
{
    return row->errors ||
           (!report->of_check && row->applicable && row->nnever_had && !row->matched);
}

void policy_report_lines(struct buf *out, const struct policy_report *report, bool all)
{
    buf_str(out, STR("policy: "));
    policy_report_print(out, report);
    buf_char(out, '\n');
    for (size_t i = 0; i < report->n; i++)
        if (all || is_odd(report, &report->row[i]))
            put_row(out, &report->row[i]);
    for (size_t i = 0; i < report->nnotes; i++)
        put_line(out, 2, "note: ", report->note[i]);
}
