/* gate_text.c - a decision for a person at a terminal: what is wrong, and what to do next. */
#include "base/clock.h"
#include "enforce/gate_report.h"
#include "report/parts.h"

enum { CHANGES_SHOWN = 20, VALUE_SHOWN = 100, OBJECTIONS_SHOWN = 200 };

static void paint(struct buf *out, const struct report_options *options, const char *code)
{
    if (options->colour)
        buf_printf(out, "\x1b[%sm", code);
}

static void put_changes(struct buf *out, const struct gate_objection *o)
{
    for (size_t i = 0; i < o->nchanges && i < CHANGES_SHOWN; i++) {
        struct change shown = gate_shown_change(o, &o->changes[i]);
        buf_str(out, STR("    "));
        if (o->kind == GATE_STALE_LIVE)
            text_safe(out, shown.path);
        else
            change_inline(out, &shown, VALUE_SHOWN);
        buf_char(out, '\n');
    }
    if (o->nchanges > CHANGES_SHOWN)
        buf_printf(out, "    ... and %zu more\n", o->nchanges - CHANGES_SHOWN);
}

static void put_line(struct buf *out, const char *label, struct str text)
{
    if (!text.len)
        return;
    buf_printf(out, "    %s", label);
    text_safe(out, text);
    buf_char(out, '\n');
}

static void put_objection(struct buf *out, const struct gate_objection *o,
                          const struct report_options *options)
{
    AUTO_BUF place = {.limit = BUF_DEFAULT_LIMIT}, rule = {.limit = BUF_DEFAULT_LIMIT};
    gate_print_rule(&rule, o);
    paint(out, options, o->level == GATE_BLOCK ? "31" : "33");
    buf_printf(out, "%s %s", o->level == GATE_BLOCK ? "denied" : "warning",
               gate_kind_name(o->kind));
    paint(out, options, "0");
    if (o->address.len) {
        buf_str(out, STR("  "));
        text_safe(out, o->address);
        if (o->action != PLAN_NO_OP && o->action != PLAN_UNKNOWN_ACTION)
            buf_printf(out, " (%s)", plan_action_name(o->action));
    }
    location_text(&place, &o->at);
    if (place.len) {
        buf_str(out, STR("  "));
        buf_str(out, buf_view(&place));
    }
    buf_char(out, '\n');
    put_line(out, "", o->message);
    put_changes(out, o);
    put_line(out, "rule: ", buf_view(&rule));
    put_line(out, o->kind == GATE_FREEZE ? "declared by: " : "changed by: ", o->actor);
    put_line(out, "owner: ", o->owner);
    put_line(out, "=> ", o->todo);
}

static void put_head(struct buf *out, const struct gate_report *report,
                     const struct report_options *options)
{
    const struct gate_facts *f = &report->seen->facts;
    paint(out, options, gate_allows(report->decision->answer) ? "1;32" : "1;31");
    gate_print_headline(out, report);
    paint(out, options, "0");
    buf_str(out, STR("\n"));
    text_safe(out, f->stack);
    buf_str(out, STR(", "));
    text_safe(out, report->plan);
    buf_str(out, STR(": "));
    gate_print_actions(out, &report->seen->doc);
    buf_char(out, '\n');
}

static void put_end(struct buf *out, const struct gate_report *report)
{
    char time[CLOCK_TEXT];
    const struct gate_token *token = &report->token;
    for (size_t i = 0; i < report->seen->nnotes; i++) {
        buf_str(out, i ? STR("note: ") : STR("\nnote: "));
        text_safe(out, report->seen->note[i]);
        buf_char(out, '\n');
    }
    if (token->text.len)
        buf_printf(out, "\napproval: for one apply of exactly this plan, until %s\n",
                   clock_format(token->expires_utc_ms, time));
}

void gate_write_text(struct buf *out, const struct gate_report *report,
                     const struct report_options *options)
{
    const struct gate_decision *decision = report->decision;
    put_head(out, report, options);
    for (size_t i = 0; i < decision->n && i < OBJECTIONS_SHOWN; i++) {
        buf_char(out, '\n');
        put_objection(out, &decision->objection[i], options);
    }
    if (decision->n > OBJECTIONS_SHOWN)
        buf_printf(out, "\n... and %zu more: --output json lists them all\n",
                   decision->n - OBJECTIONS_SHOWN);
    put_end(out, report);
}
