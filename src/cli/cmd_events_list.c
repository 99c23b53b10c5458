/* cmd_events_list.c - `plumb events list`: who did what, newest first. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "record/activity.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "wire/json.h"

static const char *const result_words[] = {"matched", "unmanaged", "unmatched", NULL};

enum { STACK, ADDRESS, ACTOR, SOURCE, RESULT, SINCE, LIMIT, OUTPUT, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [STACK] = {.name = "stack", .kind = OPTION_STRING, .arg = "NAME", .text = "only of this stack"},
    [ADDRESS] = {.name = "address",
                 .kind = OPTION_STRING,
                 .arg = "ADDRESS",
                 .text = "only about this resource; needs --stack"},
    [ACTOR] = {.name = "actor",
               .kind = OPTION_STRING,
               .arg = "NAME",
               .text = "only what this one did, by name or in full"},
    [SOURCE] = {.name = "source",
                .kind = OPTION_STRING,
                .arg = "SOURCE",
                .text = "only from this one: cloudtrail, gcp-audit, azure-activity, event"},
    [RESULT] = {.name = "result",
                .kind = OPTION_STRING,
                .arg = "RESULT",
                .choices = result_words,
                .text = "only what is about a resource (matched), made what no state knows "
                        "(unmanaged), or neither (unmatched)"},
    [SINCE] = {.name = "since",
               .kind = OPTION_STRING,
               .arg = "TIME",
               .text = "from then on: 24h, 7d, 2026-11-22"},
    [LIMIT] = {.name = "limit",
               .letter = 'n',
               .kind = OPTION_INT,
               .arg = "N",
               .least = 1,
               .most = 10000,
               .text = "at most so many; 100 without it"},
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static const char *note_of(const struct activity_row *r)
{
    return r->attack     ? "AGAINST THE AUDIT LOG"
           : r->failed   ? "failed"
           : r->expected ? "expected"
                         : activity_way_name(r->way);
}

static void write_text(struct buf *out, const struct activity_row *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct activity_row *r = &row[i];
        char when[CLOCK_TEXT];
        buf_printf(out, "%.19sZ  ", clock_format(r->time_utc_ms, when));
        text_safe(out, r->actor.len ? r->actor : STR("unknown"));
        buf_str(out, STR("  "));
        text_safe(out, r->service);
        buf_str(out, r->service.len ? STR(" ") : STR(""));
        text_safe(out, r->action);
        buf_printf(out, "  %s", note_of(r));
        if (r->source_ip.len) {
            buf_str(out, STR("  from "));
            text_safe(out, r->source_ip);
        }
        buf_str(out, STR("\n    "));
        if (r->address.len) {
            text_safe(out, r->stack);
            buf_str(out, STR("  "));
            text_safe(out, r->address);
            if (r->targets > 1)
                buf_printf(out, "  and %lld more", (long long)r->targets - 1);
        } else {
            buf_str(out, str_equal(r->result, STR("unmanaged"))
                             ? STR("made something that no state knows")
                             : STR("about nothing that a state knows"));
        }
        buf_char(out, '\n');
    }
    if (!n)
        buf_str(out, STR("no events\n"));
}

static void write_json(struct buf *out, const struct activity_row *row, size_t n)
{
    struct jsonw w;
    json_open(&w, out);
    jsonw_key(&w, STR("events"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++) {
        const struct activity_row *r = &row[i];
        const struct {
            struct str key, text;
        } texts[] = {{STR("source"), r->source},       {STR("event"), r->event},
                     {STR("cloud"), r->cloud},         {STR("account"), r->account},
                     {STR("region"), r->region},       {STR("service"), r->service},
                     {STR("action"), r->action},       {STR("actor"), r->actor},
                     {STR("principal"), r->principal}, {STR("session"), r->session},
                     {STR("client"), r->client},       {STR("source_ip"), r->source_ip},
                     {STR("result"), r->result},       {STR("stack"), r->stack},
                     {STR("address"), r->address}};
        jsonw_object_open(&w);
        time_json(&w, STR("time"), r->time_utc_ms);
        time_json(&w, STR("received"), r->received_utc_ms);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            text_json(&w, texts[k].key, texts[k].text);
        jsonw_member_int(&w, STR("resources"), r->targets);
        jsonw_member_string(&w, STR("way"), str_from(activity_way_name(r->way)));
        jsonw_member_bool(&w, STR("expected"), r->expected);
        jsonw_member_bool(&w, STR("failed"), r->failed);
        jsonw_member_bool(&w, STR("attack"), r->attack);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    json_close(&w);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    const struct option_value *v = in->value;
    struct activity_query query = {.stack = v[STACK].text,
                                   .address = v[ADDRESS].text,
                                   .actor = v[ACTOR].text,
                                   .source = v[SOURCE].text,
                                   .result = v[RESULT].text,
                                   .most = (size_t)v[LIMIT].number};
    struct record record = {0};
    struct activity_row *row = NULL;
    size_t n = 0;
    if (query.address.len && !query.stack.len)
        return err_set(err, ERR_USAGE, "--address: of which stack? --stack NAME");
    if (!audit_take_time(app, "since", &v[SINCE], &query.since_utc_ms, err) ||
        !audit_open(&arena, app, &v[CONFIG], &v[STORE], AUDIT_READ, &record, err))
        return false;
    bool ok = activity_list(&record, &arena, &query, &row, &n, err);
    record_close(&record);
    if (!ok)
        return false;
    if (str_equal(v[OUTPUT].text, STR("json")))
        write_json(&out, row, n);
    else
        write_text(&out, row, n);
    *ret_exit = 0;
    return print_buf(app->out, &out, err);
}

const struct command cmd_events_list = {
    .name = "events list",
    .usage = "plumb events list [options]",
    .summary = "who did what, by clouds' logs",
    .help = "Writes that were recorded, newest first: who, what, how, from where, and which "
            "resource of which stack it was about. What made something that no state knows is a "
            "candidate of an unmanaged resource.\n\n"
            "  plumb events list --since 24h\n"
            "  plumb events list --stack infra/prod --address aws_s3_bucket.logs\n"
            "  plumb events list --result unmanaged --output json",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
