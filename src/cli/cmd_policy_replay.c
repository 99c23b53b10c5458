/* cmd_policy_replay.c - `plumb policy replay`: what today's policy says of the findings on record.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "model/config.h"
#include "model/decision.h"
#include "policy/asked.h"
#include "policy/policy.h"
#include "record/listing.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "wire/json.h"

enum { MEMORY_MAX_SHIFT = 34 };
enum { STACK, POLICY, WAIVERS, OUTPUT, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [STACK] = {.name = "stack",
               .kind = OPTION_LIST,
               .arg = "NAME",
               .text = "only findings of this stack; may be repeated"},
    [POLICY] = ROW_POLICIES,
    [WAIVERS] = ROW_WAIVERS,
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* --- what is on record --- */

struct replay {
    struct arena *arena;
    struct finding_row *row;
    size_t n, room;
    struct policy *policy;
    int64_t now_utc_ms;
    bool json;
    struct buf out;
    struct jsonw w;
    int64_t asked, other, stricter, milder, silent, failed;
    struct str failure; /* the first one */
};

static bool keep_row(void *ctx, const struct finding_row *row, struct err *err)
{
    struct replay *r = ctx;
    struct finding_row *grown = arena_grow(r->arena, r->row, r->n, &r->room, r->n + 1);
    if (!grown)
        return arena_full(r->arena, err);
    r->row = grown;
    struct finding_row *kept = &grown[r->n++];
    *kept = (struct finding_row){.id = row->id, .severity = row->severity};
    const struct {
        struct str from, *to;
    } texts[] = {{row->stack, &kept->stack},       {row->fingerprint, &kept->fingerprint},
                 {row->address, &kept->address},   {row->class_, &kept->class_},
                 {row->decision, &kept->decision}, {row->rule, &kept->rule}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!(*texts[i].to = arena_dup(r->arena, texts[i].from)).ptr)
            return arena_full(r->arena, err);
    return true;
}

static bool list(struct replay *r, const struct option_value *stacks, struct record *record,
                 struct err *err)
{
    struct finding_query query = {.statuses = ((1u << STATUS_COUNT) - 1) & ~(1u << STATUS_RESOLVED),
                                  .now_utc_ms = r->now_utc_ms};
    if (stacks->nlist > FINDING_QUERY_NAMES)
        return err_set(err, ERR_USAGE, "--stack: at most %d", FINDING_QUERY_NAMES);
    for (; query.nstacks < stacks->nlist; query.nstacks++)
        query.stack[query.nstacks] = stacks->list[query.nstacks];
    return finding_list(record, &query, keep_row, r, err);
}

/* --- one finding --- */

static void put_pair(struct buf *out, struct str before, struct str now, size_t width)
{
    size_t at = out->len;
    buf_str(out, before.len ? before : STR("none"));
    if (!str_equal(before, now)) {
        buf_str(out, STR(" -> "));
        buf_str(out, now);
    }
    text_pad(out, out->len - at, width);
    buf_str(out, STR("  "));
}

static void tell_text(struct replay *r, const struct finding_row *row, const struct judgement *said)
{
    if (r->other == 1)
        buf_str(&r->out, STR("DECISION            SEVERITY            FINDING\n"));
    put_pair(&r->out, row->decision, str_from(decision_name(said->decision)), 18);
    put_pair(&r->out, str_from(severity_name((enum severity)row->severity)),
             str_from(severity_name(said->severity)), 18);
    text_safe(&r->out, row->stack);
    buf_char(&r->out, ' ');
    text_safe(&r->out, row->address);
    buf_str(&r->out, STR(": "));
    if (said->rule.len && said->at.file.len)
        buf_printf(&r->out, "%.*s (%.*s:%u)", STR_ARG(said->rule), STR_ARG(said->at.file),
                   said->at.line);
    else
        text_safe(&r->out, said->rule.len ? said->rule : STR("by default"));
    buf_char(&r->out, '\n');
}

static void put_side(struct jsonw *w, const char *key, struct str decision, struct str severity,
                     struct str rule)
{
    jsonw_key(w, str_from(key));
    jsonw_object_open(w);
    text_json(w, STR("decision"), decision);
    jsonw_member_string(w, STR("severity"), severity);
    text_json(w, STR("rule"), rule);
    jsonw_object_close(w);
}

static void tell_json(struct replay *r, const struct finding_row *row, const struct judgement *said)
{
    struct jsonw *w = &r->w;
    jsonw_object_open(w);
    jsonw_member_string(w, STR("fingerprint"), row->fingerprint);
    jsonw_member_string(w, STR("stack"), row->stack);
    jsonw_member_string(w, STR("address"), row->address);
    jsonw_member_string(w, STR("class"), row->class_);
    put_side(w, "before", row->decision, str_from(severity_name((enum severity)row->severity)),
             row->rule);
    put_side(w, "now", str_from(decision_name(said->decision)),
             str_from(severity_name(said->severity)), said->rule);
    jsonw_object_close(w);
}

/* What a rule that fails decides is no answer to how it would decide. */
static const struct verdict *failed(const struct judgement *said)
{
    for (size_t i = 0; i < said->nverdicts; i++)
        if (said->verdict[i].error)
            return &said->verdict[i];
    return NULL;
}

static bool note_failure(struct replay *r, const struct finding_row *row,
                         const struct judgement *said, struct err *err)
{
    const struct verdict *v = failed(said);
    if (!v)
        return true;
    if (!r->failed++)
        r->failure = arena_printf(r->arena, "%.*s %.*s: %.*s: %.*s", STR_ARG(row->stack),
                                  STR_ARG(row->address), STR_ARG(v->rule), STR_ARG(v->message));
    return r->failure.ptr || arena_full(r->arena, err);
}

static void compare(struct replay *r, const struct finding_row *row, const struct judgement *said)
{
    enum decision before = DECISION_IGNORE;
    bool was = decision_from(row->decision, &before);
    bool same = was && before == said->decision && row->severity == (int64_t)said->severity;
    r->asked++;
    if (same)
        return;
    r->other++;
    if (was)
        r->stricter += decision_stricter(said->decision, before);
    if (was)
        r->milder += decision_stricter(before, said->decision);
    if (r->json)
        tell_json(r, row, said);
    else
        tell_text(r, row, said);
}

static bool ask(struct replay *r, struct record *record, const struct finding_row *row,
                struct err *err)
{
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF text = {.limit = ASKED_BYTES_MAX + 1};
    struct rule_subject subject;
    struct judgement said;
    if (!finding_asked(record, row->id, &text, err))
        return false;
    if (!text.len) {
        r->silent++;
        return true;
    }
    if (!asked_read(&scratch, buf_view(&text), &subject, err))
        return false;
    subject.now_utc_ms = r->now_utc_ms;
    if (!policy_judge(r->policy, &scratch, &subject, &said, err))
        return false;
    compare(r, row, &said);
    return note_failure(r, row, &said, err) && buf_ok(&r->out, err);
}

/* --- all of them --- */

static void put_sums(struct replay *r)
{
    if (r->json) {
        jsonw_array_close(&r->w);
        jsonw_member_int(&r->w, STR("asked"), r->asked);
        jsonw_member_int(&r->w, STR("stricter"), r->stricter);
        jsonw_member_int(&r->w, STR("milder"), r->milder);
        jsonw_member_int(&r->w, STR("not_asked"), r->silent);
        jsonw_member_int(&r->w, STR("failed"), r->failed);
        if (r->failed)
            text_json(&r->w, STR("failure"), r->failure);
        json_close(&r->w);
        return;
    }
    buf_printf(&r->out, "%" PRId64 " asked again, %" PRId64 " would be judged otherwise", r->asked,
               r->other);
    if (r->other)
        buf_printf(&r->out, " (%" PRId64 " stricter, %" PRId64 " milder)", r->stricter, r->milder);
    buf_char(&r->out, '\n');
    if (r->failed) {
        buf_printf(&r->out, "%" PRId64 " blocked because a rule failed; the first: ", r->failed);
        text_safe(&r->out, r->failure);
        buf_char(&r->out, '\n');
    }
    if (r->silent)
        buf_printf(&r->out,
                   "%" PRId64
                   " cannot be asked again: their last scan asked no policy about them\n",
                   r->silent);
}

static bool replay(struct replay *r, const struct app *app, const struct option_value *stacks,
                   struct record *record, struct err *err)
{
    if (!list(r, stacks, record, err))
        return false;
    if (r->json) {
        json_open(&r->w, &r->out);
        jsonw_key(&r->w, STR("findings"));
        jsonw_array_open(&r->w);
    }
    for (size_t i = 0; i < r->n; i++)
        if (!ask(r, record, &r->row[i], err))
            return err_wrap(err, "finding %.*s", STR_ARG(r->row[i].fingerprint));
    put_sums(r);
    return print_buf(app->out, &r->out, err);
}

static bool open_policy(struct replay *r, const struct app *app, const struct invocation *in,
                        const struct config *config, struct err *err)
{
    if (!policy_setup(r->arena, app, config, &in->value[POLICY], &in->value[WAIVERS], true, NULL,
                      &r->policy, err))
        return false;
    return r->policy || err_set(err, ERR_USAGE,
                                "no policy: name one with --policy, or in plumb.yaml (policies)");
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    struct replay r = {.arena = &arena,
                       .now_utc_ms = app->now_ms(app->clock),
                       .json = str_equal(in->value[OUTPUT].text, STR("json")),
                       .out = {.limit = BUF_DEFAULT_LIMIT}};
    struct config config = {0};
    struct store_choice choice;
    struct record record = {0};
    bool ok = policy_find_config(&arena, app, &in->value[CONFIG], &config, err) &&
              open_policy(&r, app, in, &config, err) &&
              store_choose(&arena, app, &config, &in->value[STORE], &choice, err) &&
              store_open(&arena, app, &choice, STORE_READ, &record, err) &&
              replay(&r, app, &in->value[STACK], &record, err);
    record_close(&record);
    policy_close(r.policy);
    buf_free(&r.out);
    *ret_exit = r.failed ? EXIT_ERROR : r.other ? EXIT_DRIFT : EXIT_IN_SYNC;
    return ok;
}

const struct command cmd_policy_replay = {
    .name = "policy replay",
    .usage = "plumb policy replay [options]",
    .summary = "ask today's policy about the findings on record",
    .help = "Which decisions a changed policy would alter, before it is merged: each finding that "
            "is not resolved is judged again, by the policy of plumb.yaml or of --policy, from "
            "what policy was shown when it was scanned. Nothing is read live and nothing is "
            "written.\n\n"
            "Exit codes: 0 everything is judged as before, 2 something is judged otherwise, 1 "
            "error, also where a rule failed.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
