/* gate_json.c - a decision for machines: everything there is.
 *
 * Schema: docs/schema/gate.schema.json
 * Rules:  every member is always present, null where it has nothing to say
 */
#include "enforce/gate_report.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "wire/json.h"

static void put_change(struct jsonw *w, const struct gate_objection *o, const struct change *change)
{
    struct change shown = gate_live_change(o, change);
    change_live_json(w, &shown);
}

static void put_objection(struct jsonw *w, const struct gate_objection *o)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("kind"), str_from(gate_kind_name(o->kind)));
    jsonw_member_string(w, STR("level"), o->level == GATE_BLOCK ? STR("block") : STR("warn"));
    jsonw_member_int(w, STR("exit_code"), gate_kind_exit(o->kind));
    jsonw_member_string(w, STR("severity"), str_from(severity_name(o->severity)));
    text_json(w, STR("address"), o->address);
    text_json(w, STR("type"), o->type);
    text_json(w, STR("action"),
              o->address.len ? str_from(plan_action_name(o->action)) : (struct str){0});
    text_json(w, STR("fingerprint"), o->fingerprint);
    text_json(w, STR("rule"), o->rule);
    AUTO_BUF place = {.limit = BUF_DEFAULT_LIMIT};
    location_text(&place, &o->rule_at);
    text_json(w, STR("rule_place"), buf_view(&place));
    text_json(w, STR("actor"), o->actor);
    text_json(w, STR("owner"), o->owner);
    location_json(w, &o->at);
    jsonw_member_string(w, STR("message"), o->message);
    text_json(w, STR("todo"), o->todo);
    jsonw_key(w, STR("changes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < o->nchanges; i++)
        put_change(w, o, &o->changes[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_state(struct jsonw *w, struct str key, const struct gate_state *state)
{
    jsonw_key(w, key);
    if (!state->known) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    text_json(w, STR("lineage"), state->lineage);
    jsonw_member_int(w, STR("serial"), (int64_t)state->serial);
    jsonw_object_close(w);
}

static void put_plan(struct jsonw *w, const struct gate_report *report)
{
    const struct plan_doc *doc = &report->seen->doc;
    jsonw_key(w, STR("plan"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("file"), report->plan);
    jsonw_member_string(w, STR("digest"), report->digest);
    text_json(w, STR("made_by"), doc->terraform_version);
    text_json(w, STR("made_at"), doc->timestamp);
    put_state(w, STR("state"), &report->seen->facts.plan_state);
    jsonw_key(w, STR("actions"));
    jsonw_object_open(w);
    for (size_t i = 0; i < PLAN_ACTION_COUNT; i++)
        if (doc->by_action[i])
            jsonw_member_int(w, str_from(plan_action_name((enum plan_action)i)),
                             (int64_t)doc->by_action[i]);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void put_approval(struct jsonw *w, const struct gate_token *token)
{
    jsonw_key(w, STR("approval"));
    if (!token->text.len) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    text_json(w, STR("token"), token->in_file ? (struct str){0} : token->text);
    time_json(w, STR("expires"), token->expires_utc_ms);
    jsonw_object_close(w);
}

static void put_lists(struct jsonw *w, const struct gate_report *report)
{
    jsonw_key(w, STR("objections"));
    jsonw_array_open(w);
    for (size_t i = 0; i < report->decision->n; i++)
        put_objection(w, &report->decision->objection[i]);
    jsonw_array_close(w);
    jsonw_key(w, STR("notes"));
    jsonw_array_open(w);
    for (size_t i = 0; i < report->seen->nnotes; i++)
        jsonw_string(w, report->seen->note[i]);
    jsonw_array_close(w);
}

void gate_write_json(struct buf *out, const struct gate_report *report)
{
    struct jsonw w = {.out = out, .indent = 2};
    const struct gate_decision *decision = report->decision;
    const struct gate_facts *f = &report->seen->facts;
    AUTO_BUF headline = {.limit = 1 << 16};
    gate_print_headline(&headline, report);
    jsonw_object_open(&w);
    jsonw_member_int(&w, STR("version"), 1);
    jsonw_member_string(&w, STR("decision"),
                        gate_allows(decision->answer) ? STR("allow") : STR("deny"));
    jsonw_member_int(&w, STR("exit_code"), decision->exit_code);
    jsonw_member_string(&w, STR("headline"), buf_view(&headline));
    jsonw_member_int(&w, STR("undone"), (int64_t)decision->undone);
    jsonw_member_bool(&w, STR("breakglass"), decision->broken_glass);
    jsonw_member_string(&w, STR("stack"), f->stack);
    text_json(&w, STR("environment"), f->environment);
    put_plan(&w, report);
    put_state(&w, STR("state"), &f->state);
    revision_json(&w, f->code.known ? &f->code.revision : NULL);
    text_json(&w, STR("store"), report->store);
    jsonw_key(&w, STR("event"));
    if (report->event >= 0)
        jsonw_int(&w, report->event);
    else
        jsonw_null(&w);
    put_approval(&w, &report->token);
    put_lists(&w, report);
    jsonw_object_close(&w);
    buf_char(out, '\n');
}
