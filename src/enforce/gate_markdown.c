/* gate_markdown.c - a decision as a comment of a pull request, and as annotations of a GitHub step.
 *
 * Limits: a comment has 65,536 characters, a step ten annotations of a level
 * (facts/integrations.md)
 */
#include "enforce/gate_report.h"
#include "report/parts.h"

enum { COMMENT_BYTES = 60000, LAST_LINE = 300, CHANGES_SHOWN = 30, VALUE_SHOWN = 100 };
enum { ANNOTATIONS_MAX = 9, MESSAGE_SHOWN = 1500 }; /* so that what to do has room behind it */

/* --- the comment --- */

static void put_changes(struct buf *out, const struct gate_objection *o)
{
    AUTO_BUF lines = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < o->nchanges && i < CHANGES_SHOWN; i++) {
        struct change shown = gate_shown_change(o, &o->changes[i]);
        if (o->kind == GATE_STALE_LIVE)
            text_safe(&lines, shown.path);
        else
            change_inline(&lines, &shown, VALUE_SHOWN);
        buf_char(&lines, '\n');
    }
    if (o->nchanges > CHANGES_SHOWN)
        buf_printf(&lines, "... and %zu more\n", o->nchanges - CHANGES_SHOWN);
    if (lines.len)
        markdown_fence(out, STR("text"), buf_view(&lines));
}

static void put_line(struct buf *out, const char *label, struct str text)
{
    if (!text.len)
        return;
    buf_str(out, str_from(label));
    markdown_code(out, text, false);
    buf_str(out, STR("  \n"));
}

static void put_objection(struct buf *out, const struct gate_objection *o)
{
    AUTO_BUF place = {.limit = BUF_DEFAULT_LIMIT}, rule = {.limit = BUF_DEFAULT_LIMIT};
    gate_print_rule(&rule, o);
    location_text(&place, &o->at);
    buf_printf(out, "\n%s **%s** ",
               o->level == GATE_BLOCK ? ":no_entry:" : ":warning:", gate_kind_name(o->kind));
    if (o->address.len)
        markdown_code(out, o->address, false);
    if (place.len) {
        buf_str(out, STR(" at "));
        markdown_code(out, buf_view(&place), false);
    }
    buf_str(out, STR("\n\n"));
    markdown_code(out, o->message, false);
    buf_str(out, STR("  \n"));
    put_line(out, "rule: ", buf_view(&rule));
    put_line(out, o->kind == GATE_FREEZE ? "declared by: " : "changed by: ", o->actor);
    put_line(out, "owner: ", o->owner);
    put_line(out, "**next:** ", o->todo);
    put_changes(out, o);
}

void gate_write_markdown(struct buf *out, const struct gate_report *report,
                         const struct report_options *options)
{
    const struct gate_decision *decision = report->decision;
    size_t limit = options->max_bytes ? options->max_bytes : COMMENT_BYTES, left = 0;
    AUTO_BUF line = {.limit = 1 << 16};
    buf_str(out, STR("<!-- plumb:gate:"));
    for (size_t i = 0; i < report->seen->facts.stack.len; i++) {
        char c = report->seen->facts.stack.ptr[i]; /* nothing that could end the comment */
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        buf_char(out, word || c == '/' || c == '_' || c == '.' || c == ':' ? c : '_');
    }
    buf_str(out, STR(" -->\n### plumb gate: "));
    gate_print_headline(&line, report);
    text_safe(out, buf_view(&line));
    buf_str(out, STR("\n\nStack "));
    markdown_code(out, report->seen->facts.stack, false);
    buf_str(out, STR(", plan "));
    markdown_code(out, report->plan, false);
    buf_str(out, STR(": "));
    gate_print_actions(out, &report->seen->doc);
    buf_str(out, STR(".\n"));
    for (size_t i = 0; i < decision->n; i++) {
        AUTO_BUF piece = {.limit = BUF_DEFAULT_LIMIT};
        put_objection(&piece, &decision->objection[i]);
        if (left || out->len + piece.len + LAST_LINE > limit)
            left++;
        else
            buf_str(out, buf_view(&piece));
    }
    if (left) {
        buf_str(out, STR("\n"));
        text_number(out, left);
        buf_str(out, STR(" more do not fit here; `plumb gate --output json` lists them all.\n"));
    }
    for (size_t i = 0; i < report->seen->nnotes && out->len + LAST_LINE < limit; i++) {
        buf_str(out, i ? STR("- ") : STR("\nNotes:\n\n- "));
        markdown_code(out, text_cut(report->seen->note[i], LAST_LINE / 2), false);
        buf_char(out, '\n');
    }
    buf_str(out, STR("\nPlan "));
    markdown_code(out, report->digest, false);
    buf_char(out, '\n');
}

/* --- annotations --- */

static void annotate(struct buf *out, const struct gate_objection *o)
{
    AUTO_BUF title = {.limit = BUF_DEFAULT_LIMIT}, message = {.limit = BUF_DEFAULT_LIMIT};
    buf_printf(&title, "plumb gate: %s", gate_kind_name(o->kind));
    if (o->address.len) {
        buf_str(&title, STR(": "));
        text_safe(&title, o->address);
    }
    text_safe(&message, text_cut(o->message, MESSAGE_SHOWN));
    for (size_t i = 0; i < o->nchanges && i < CHANGES_SHOWN; i++) {
        struct change shown = gate_shown_change(o, &o->changes[i]);
        buf_char(&message, '\n');
        if (o->kind == GATE_STALE_LIVE)
            text_safe(&message, shown.path);
        else
            change_inline(&message, &shown, VALUE_SHOWN);
    }
    if (o->todo.len) {
        buf_str(&message, STR("\n=> "));
        text_safe(&message, o->todo);
    }
    github_command(out, o->level == GATE_BLOCK ? "error" : "warning", &o->at, buf_view(&title),
                   buf_view(&message));
}

void gate_write_github(struct buf *out, const struct gate_report *report)
{
    const struct gate_decision *decision = report->decision;
    AUTO_BUF headline = {.limit = 1 << 16};
    size_t shown[2] = {0}, left = 0;
    for (size_t i = 0; i < decision->n; i++) {
        size_t *n = &shown[decision->objection[i].level == GATE_BLOCK];
        if (*n < ANNOTATIONS_MAX)
            annotate(out, &decision->objection[i]);
        else
            left++;
        (*n)++;
    }
    gate_print_headline(&headline, report);
    if (left)
        buf_printf(&headline, "; %zu more are not shown here", left);
    github_command(out, gate_allows(decision->answer) ? "notice" : "error", NULL, STR("plumb gate"),
                   buf_view(&headline));
}
