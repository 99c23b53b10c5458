/* issues_json.c - a check for machines: everything there is.
 *
 * Schema: docs/schema/check.schema.json
 * Rules:  as format_json.c: every member is always present, null where it has nothing to say
 */
#include "report/json_out.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

static void put_issue(struct jsonw *w, const struct issue *issue)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("fingerprint"), str_from(issue->fingerprint));
    jsonw_member_string(w, STR("kind"), str_from(issue_kind_name(issue->kind)));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(issue->severity)));
    jsonw_member_string(w, STR("rule"), issue->rule);
    jsonw_member_string(w, STR("summary"), issue->summary);
    text_json(w, STR("detail"), issue->detail);
    text_json(w, STR("remedy"), issue->remedy);
    jsonw_member_string(w, STR("subject"), issue->subject);
    text_json(w, STR("address"), issue->address);
    location_json(w, &issue->at);
    text_json(w, STR("excerpt"), issue->excerpt);
    text_json(w, STR("link"), issue->link);
    location_json_as(w, STR("rule_location"), &issue->rule_at);
    digests_json(w, issue);
    jsonw_object_close(w);
}

static void put_subject(struct jsonw *w, const struct check_subject *subject)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), subject->name);
    jsonw_member_string(w, STR("kind"), subject->kind);
    text_json(w, STR("failed"), subject->failed);
    jsonw_member_int(w, STR("files"), (int64_t)subject->files);
    jsonw_member_int(w, STR("modules"), (int64_t)subject->modules);
    jsonw_member_int(w, STR("resources"), (int64_t)subject->resources);
    jsonw_member_int(w, STR("documents"), (int64_t)subject->documents);
    jsonw_key(w, STR("notes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < subject->nnotes; i++)
        jsonw_string(w, subject->notes[i]);
    jsonw_array_close(w);
    jsonw_key(w, STR("issues"));
    jsonw_array_open(w);
    for (size_t i = 0; i < subject->nissues; i++)
        put_issue(w, &subject->issues[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

bool issues_write_json(struct buf *out, const struct check_result *result,
                       const struct report_options *options, struct err *err)
{
    struct jsonw w = {.out = out, .indent = 2};
    struct check_tally tally = {0};
    check_tally_all(&tally, result);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("schema_version"), STR("1.0"));
    jsonw_key(&w, STR("tool"));
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("name"), STR("plumb"));
    jsonw_member_string(&w, STR("version"), options->tool_version);
    jsonw_object_close(&w);
    jsonw_key(&w, STR("summary"));
    jsonw_object_open(&w);
    jsonw_member_int(&w, STR("errors"), (int64_t)tally.by_kind[ISSUE_ERROR]);
    jsonw_member_int(&w, STR("violations"), (int64_t)tally.by_kind[ISSUE_VIOLATION]);
    jsonw_member_int(&w, STR("warnings"), (int64_t)tally.by_kind[ISSUE_WARNING]);
    jsonw_member_int(&w, STR("failed"), (int64_t)tally.failed);
    jsonw_member_int(&w, STR("files"), (int64_t)tally.files);
    jsonw_member_int(&w, STR("modules"), (int64_t)tally.modules);
    jsonw_member_int(&w, STR("resources"), (int64_t)tally.resources);
    jsonw_member_int(&w, STR("documents"), (int64_t)tally.documents);
    jsonw_object_close(&w);
    jsonw_key(&w, STR("subjects"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < result->n; i++)
        put_subject(&w, &result->subject[i]);
    jsonw_array_close(&w);
    policy_report_json(&w, result->policy);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}
