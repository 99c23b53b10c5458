/* gate_report.c - what the reports of a decision share, and those that a check has, too. */
#include "enforce/gate_report.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/issue.h"
#include "report/parts.h"
#include "wire/json.h"

enum { CHANGES_SHOWN = 50, VALUE_SHOWN = 120 };

/* --- words --- */

struct change gate_shown_change(const struct gate_objection *objection, const struct change *change)
{
    struct change shown = *change;
    if (objection->kind != GATE_UNDO)
        return shown;
    shown.before = change->after;
    shown.after = objection->action == PLAN_DELETE ? NULL : change->before;
    return shown;
}

struct change gate_live_change(const struct gate_objection *objection, const struct change *change)
{
    struct change shown = *change;
    if (objection->kind == GATE_UNDO && objection->action == PLAN_DELETE)
        shown.before = NULL;
    return shown;
}

void gate_print_rule(struct buf *out, const struct gate_objection *objection)
{
    buf_str(out, objection->rule);
    if (!objection->rule.len || !objection->rule_at.file.len)
        return;
    buf_str(out, STR(", "));
    location_text(out, &objection->rule_at);
}

void gate_print_actions(struct buf *out, const struct plan_doc *doc)
{
    static const struct {
        enum plan_action action;
        const char *text;
    } words[] = {{PLAN_CREATE, "to create"},   {PLAN_UPDATE, "to change"},
                 {PLAN_REPLACE, "to replace"}, {PLAN_DELETE, "to destroy"},
                 {PLAN_FORGET, "to forget"},   {PLAN_UNKNOWN_ACTION, "to do something unknown to"}};
    const char *between = "";
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = doc->by_action[words[i].action];
        if (!n)
            continue;
        buf_printf(out, "%s%zu %s", between, n, words[i].text);
        between = ", ";
    }
    if (!*between)
        buf_str(out, STR("nothing to do"));
}

static void print_reasons(struct buf *out, const struct gate_decision *decision)
{
    const char *between = ": ";
    size_t told[GATE_KIND_COUNT] = {0};
    if (decision->undone) {
        buf_printf(out, ": it would silently undo %zu change%s that nobody reviewed",
                   decision->undone, decision->undone == 1 ? "" : "s");
        told[GATE_UNDO] = 1;
        between = "; ";
    }
    for (size_t i = 0; i < decision->nblocking; i++) {
        enum gate_kind kind = decision->objection[i].kind;
        if (told[kind]++)
            continue;
        buf_printf(out, "%s%s", between, gate_kind_meaning(kind));
        between = "; ";
    }
}

void gate_print_headline(struct buf *out, const struct gate_report *report)
{
    const struct gate_decision *decision = report->decision;
    size_t warnings = decision->n - decision->nblocking;
    if (!gate_allows(decision->answer)) {
        buf_str(out, STR("Denied"));
        print_reasons(out, decision);
        return;
    }
    buf_str(out, decision->broken_glass ? STR("Allowed by breakglass") : STR("Allowed"));
    if (warnings)
        buf_printf(out, ", with %zu warning%s", warnings, warnings == 1 ? "" : "s");
}

/* --- as issues --- */

static bool put_detail(struct arena *arena, const struct gate_objection *o, struct issue *issue,
                       struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    text_safe(&text, o->message);
    for (size_t i = 0; i < o->nchanges && i < CHANGES_SHOWN; i++) {
        struct change shown = gate_shown_change(o, &o->changes[i]);
        buf_char(&text, '\n');
        if (o->kind == GATE_STALE_LIVE)
            text_safe(&text, shown.path);
        else
            change_inline(&text, &shown, VALUE_SHOWN);
    }
    if (o->nchanges > CHANGES_SHOWN)
        buf_printf(&text, "\n... and %zu more", o->nchanges - CHANGES_SHOWN);
    if (o->rule.len && !str_equal(o->rule, issue->rule)) {
        buf_str(&text, STR("\nrule: "));
        text_safe(&text, o->rule);
    }
    if (o->actor.len) {
        buf_str(&text, STR("\nchanged by "));
        text_safe(&text, o->actor);
    }
    issue->detail = arena_dup(arena, buf_view(&text));
    return (buf_ok(&text, err) && issue->detail.ptr) || arena_full(arena, err);
}

/* All of them, for machines. */
static bool put_all_changes(struct arena *arena, const struct gate_objection *o,
                            struct issue *issue, struct err *err)
{
    struct change *list = arena_new(arena, struct change, o->nchanges);
    if (!list)
        return arena_full(arena, err);
    for (size_t i = 0; i < o->nchanges; i++)
        list[i] = gate_live_change(o, &o->changes[i]);
    issue->changes = list;
    issue->nchanges = o->nchanges;
    return true;
}

static bool make_issues(struct arena *arena, const struct gate_report *report,
                        struct check_subject *ret, struct err *err)
{
    const struct gate_decision *decision = report->decision;
    struct issue *issues = arena_new(arena, struct issue, decision->n);
    size_t n = decision->n;
    if (!issues)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        const struct gate_objection *o = &decision->objection[i];
        bool unknown = gate_kind_exit(o->kind) == GATE_EXIT_UNKNOWN;
        issues[i] =
            (struct issue){.kind = o->level == GATE_WARN ? ISSUE_WARNING
                                   : unknown             ? ISSUE_ERROR
                                                         : ISSUE_VIOLATION,
                           .severity = o->severity,
                           .rule = o->kind == GATE_POLICY && o->rule.len
                                       ? o->rule
                                       : arena_printf(arena, "gate/%s", gate_kind_name(o->kind)),
                           .summary = str_from(gate_kind_meaning(o->kind)),
                           .remedy = o->todo,
                           .subject = report->seen->facts.stack,
                           .address = o->address,
                           .at = o->at};
        if (!issues[i].rule.ptr)
            return arena_full(arena, err);
        if (!put_detail(arena, o, &issues[i], err) || !put_all_changes(arena, o, &issues[i], err))
            return false;
    }
    if (!issues_settle(arena, issues, &n, err))
        return false;
    *ret = (struct check_subject){.name = report->plan,
                                  .kind = STR("plan"),
                                  .files = 1,
                                  .documents = 1,
                                  .resources = report->seen->doc.ntouches,
                                  .issues = issues,
                                  .nissues = n,
                                  .notes = report->seen->note,
                                  .nnotes = report->seen->nnotes};
    return true;
}

bool gate_report_write(struct buf *out, const struct gate_report *report, struct str format,
                       const struct report_options *options, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct check_subject subject;
    const struct format *known = report_find(format);
    if (str_equal(format, STR("text")))
        gate_write_text(out, report, options);
    else if (str_equal(format, STR("json")))
        gate_write_json(out, report);
    else if (str_equal(format, STR("markdown")))
        gate_write_markdown(out, report, options);
    else if (str_equal(format, STR("github")))
        gate_write_github(out, report);
    else if (known && known->write_issues) {
        const struct check_result result = {
            &subject, 1,
            arena_printf(&arena, "plumb-gate/%.*s", STR_ARG(report->seen->facts.stack))};
        return make_issues(&arena, report, &subject, err) &&
               known->write_issues(out, &result, options, err);
    } else
        return err_set(err, ERR_USAGE, "the gate does not write %.*s", STR_ARG(format));
    return buf_ok(out, err);
}
