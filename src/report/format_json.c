/* format_json.c - everything plumb found, for machines; with `stream` as NDJSON, an event a line.
 *
 * Schema: docs/schema/scan.schema.json, docs/schema/scan-event.schema.json
 * Rules:  a member is added in a minor version, removed or changed in a major one; every member is
 *         always present, null where it has nothing to say
 */
#include <string.h>

#include "report/json_out.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

#define SCHEMA_VERSION STR("1.0")

static void put_change(struct jsonw *w, const struct change *change)
{
    bool hidden = change_hidden(change);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("path"), change->path);
    jsonw_member_string(w, STR("action"),
                        !change->before  ? STR("added")
                        : !change->after ? STR("removed")
                                         : STR("changed"));
    jsonw_key(w, STR("before"));
    value_json(w, change->before, hidden);
    jsonw_key(w, STR("after"));
    value_json(w, change->after, hidden);
    jsonw_member_bool(w, STR("sensitive"), hidden);
    jsonw_member_bool(w, STR("configurable"), change->configurable);
    jsonw_member_bool(w, STR("requires_replace"), change->requires_replace);
    text_json(w, STR("ignored_by"), change->ignored_by);
    if (change->digest.ptr) /* policy was asked */
        text_json(w, STR("digest"), change->digest);
    origin_json(w, change->origin, hidden);
    jsonw_object_close(w);
}

static void put_ignored(struct jsonw *w, const struct finding *finding)
{
    jsonw_key(w, STR("ignored"));
    if (!finding->ignored) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    text_json(w, STR("reason"), finding->ignored_by);
    text_json(w, STR("owner"), finding->ignored_owner);
    text_json(w, STR("expires"), finding->ignored_expires);
    jsonw_object_close(w);
}

/* stored: for the store, which keeps the tags, too. */
static void put_finding(struct jsonw *w, const struct finding *finding,
                        const struct report_options *options, bool stored)
{
    size_t ignored = 0;
    struct location at = finding_location(finding);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("fingerprint"), str_from(finding->fingerprint));
    jsonw_member_string(w, STR("class"), str_from(finding_class_name(finding->class_)));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(finding->severity)));
    jsonw_member_string(w, STR("stack"), finding->stack);
    jsonw_member_string(w, STR("address"), finding->address);
    jsonw_member_string(w, STR("type"), finding->type);
    text_json(w, STR("provider"), finding->provider);
    text_json(w, STR("reason"), finding->reason);
    text_json(w, STR("remedy"), finding_remedy(finding));
    location_json(w, &at);
    origin_json(w, finding->origin, finding_hidden(finding));
    jsonw_member_bool(w, STR("requires_replace"), finding->requires_replace);
    jsonw_member_bool(w, STR("tainted"), finding->tainted);
    jsonw_member_bool(w, STR("deposed"), finding->deposed);
    put_ignored(w, finding);
    if (finding->reviewed.len)
        text_json(w, STR("reviewed"), finding->reviewed);
    by_json(w, finding->by);
    if (stored && finding->tags) {
        jsonw_key(w, STR("tags"));
        jsonw_value(w, finding->tags);
    }
    judgement_json(w, finding);
    jsonw_key(w, STR("changes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < finding->nchanges; i++) {
        ignored += finding->changes[i].ignored_by.len > 0;
        if (change_shown(&finding->changes[i], options))
            put_change(w, &finding->changes[i]);
    }
    jsonw_array_close(w);
    jsonw_member_int(w, STR("changes_ignored"), (int64_t)ignored);
    jsonw_object_close(w);
}

bool report_finding_json(struct buf *out, const struct finding *finding, struct err *err)
{
    static const struct report_options all = {.show_ignored = true};
    struct jsonw w = {.out = out};
    put_finding(&w, finding, &all, true);
    return buf_ok(out, err);
}

static void put_coverage(struct jsonw *w, const struct coverage *coverage)
{
    const struct {
        struct str key;
        uint64_t n;
    } counts[] = {
        {STR("resources"), coverage->resources},
        {STR("compared"), coverage->compared},
        {STR("same"), coverage->same},
        {STR("different"), coverage->different},
        {STR("missing"), coverage->missing},
        {STR("unmanaged"), coverage->unmanaged},
        {STR("unchecked"), coverage->unchecked},
        {STR("ignored"), coverage->ignored},
        {STR("attributes_compared"), coverage->attributes_compared},
        {STR("attributes_not_observed"), coverage->attributes_not_observed},
    };
    jsonw_key(w, STR("coverage"));
    jsonw_object_open(w);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        jsonw_member_int(w, counts[i].key, (int64_t)counts[i].n);
    jsonw_key(w, STR("unchecked_reasons"));
    jsonw_array_open(w);
    for (size_t i = 0; i < coverage->nreasons; i++) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("reason"), coverage->reasons[i].reason);
        jsonw_member_int(w, STR("resources"), (int64_t)coverage->reasons[i].resources);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_equal(struct jsonw *w, const struct stack_result *stack)
{
    jsonw_key(w, STR("considered_equal"));
    jsonw_array_open(w);
    for (size_t i = 0; i < stack->nequal; i++) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("address"), stack->equal[i].address);
        jsonw_member_string(w, STR("path"), stack->equal[i].path);
        jsonw_member_string(w, STR("rule"), stack->equal[i].rule);
        jsonw_member_string(w, STR("why"), stack->equal[i].why);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

/* Everything of a stack but its findings; the object stays open. */
static void put_stack(struct jsonw *w, const struct stack_result *stack)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), stack->name);
    text_json(w, STR("path"), stack->path);
    text_json(w, STR("workspace"), stack->workspace);
    text_json(w, STR("environment"), stack->environment);
    text_json(w, STR("owner"), stack->owner);
    text_json(w, STR("desired"), stack->desired);
    text_json(w, STR("source"), stack->source);
    text_json(w, STR("live"), stack->live);
    text_json(w, STR("failed"), stack->failed);
    revision_json(w, stack->revision);
    put_coverage(w, &stack->coverage);
    jsonw_key(w, STR("notes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < stack->nnotes; i++)
        jsonw_string(w, stack->notes[i]);
    jsonw_array_close(w);
    put_equal(w, stack);
}

static void put_summary(struct jsonw *w, const struct scan_result *result)
{
    struct tally tally = {0};
    tally_all(&tally, result);
    jsonw_key(w, STR("summary"));
    jsonw_object_open(w);
    jsonw_member_bool(w, STR("in_sync"), tally_in_sync(&tally));
    jsonw_member_int(w, STR("stacks"), (int64_t)tally.stacks);
    jsonw_member_int(w, STR("stacks_failed"), (int64_t)tally.failed);
    jsonw_member_int(w, STR("resources"), (int64_t)tally.resources);
    jsonw_member_int(w, STR("same"), (int64_t)tally.same);
    jsonw_key(w, STR("findings"));
    jsonw_object_open(w);
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        jsonw_member_int(w, str_from(finding_class_name((enum finding_class)i)),
                         (int64_t)tally.by_class[i]);
    jsonw_object_close(w);
    jsonw_member_int(w, STR("ignored"), (int64_t)tally.ignored);
    jsonw_member_int(w, STR("attributes_compared"), (int64_t)tally.attributes_compared);
    jsonw_member_int(w, STR("attributes_not_observed"), (int64_t)tally.attributes_not_observed);
    jsonw_object_close(w);
}

static void put_tool(struct jsonw *w, const struct report_options *options)
{
    jsonw_key(w, STR("tool"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), STR("plumb"));
    jsonw_member_string(w, STR("version"), options->tool_version);
    jsonw_object_close(w);
}

static void event_open(struct jsonw *w, struct str event)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("schema_version"), SCHEMA_VERSION);
    jsonw_member_string(w, STR("event"), event);
}

static void event_close(struct jsonw *w)
{
    jsonw_object_close(w);
    buf_char(w->out, '\n');
}

static bool stream_finding(struct buf *out, const struct finding *finding,
                           const struct report_options *options, struct err *err)
{
    struct jsonw w = {.out = out};
    if (!finding_shown(finding, options))
        return true;
    event_open(&w, STR("finding"));
    jsonw_key(&w, STR("finding"));
    put_finding(&w, finding, options, false);
    event_close(&w);
    return buf_ok(out, err);
}

static void write_events(struct buf *out, const struct scan_result *result,
                         const struct report_options *options)
{
    for (size_t i = 0; i < result->nstacks; i++) {
        struct jsonw w = {.out = out};
        event_open(&w, STR("stack"));
        jsonw_key(&w, STR("stack"));
        put_stack(&w, &result->stacks[i]);
        jsonw_object_close(&w);
        event_close(&w);
    }
    struct jsonw w = {.out = out};
    event_open(&w, STR("summary"));
    put_tool(&w, options);
    put_summary(&w, result);
    policy_report_json(&w, result->policy);
    event_close(&w);
}

static bool write_json(struct buf *out, const struct scan_result *result,
                       const struct report_options *options, struct err *err)
{
    if (options->stream) {
        write_events(out, result, options);
        return buf_ok(out, err);
    }
    struct jsonw w = {.out = out, .indent = 2};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("schema_version"), SCHEMA_VERSION);
    put_tool(&w, options);
    put_summary(&w, result);
    policy_report_json(&w, result->policy);
    jsonw_key(&w, STR("stacks"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        put_stack(&w, stack);
        jsonw_key(&w, STR("findings"));
        jsonw_array_open(&w);
        for (size_t k = 0; k < stack->nfindings; k++)
            if (finding_shown(&stack->findings[k], options))
                put_finding(&w, &stack->findings[k], options, false);
        jsonw_array_close(&w);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}

const struct format format_json = {
    .name = "json",
    .summary = "everything, for machines; one event a line with --stream",
    .extension = ".json",
    .write = write_json,
    .write_issues = issues_write_json,
    .stream_finding = stream_finding,
};
