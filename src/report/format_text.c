/* format_text.c - for people: what differs, what was not checked and why, and one honest summary.
 *
 * Read:  `-` is what the code asks for, `+` is what is live; `~ path  code -> live`
 * Limits: a multi-line difference shows 60 lines; everything else is shown
 */
#include <string.h>

#include "model/decision.h"
#include "report/parts.h"
#include "report/report.h"

enum { WIDTH_DEFAULT = 100, EXAMPLES_MAX = 3, REASONS_MAX = 20, REASONS_EXPLAINED = 200 };

struct page {
    struct buf *out;
    const struct report_options *options;
    unsigned width;
};

/* Escape codes by what they say. */
enum tone { TONE_BOLD, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_QUIET };
static const char *const tone_code[] = {
    [TONE_BOLD] = "\033[1m",  [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
    [TONE_WARN] = "\033[33m", [TONE_QUIET] = "\033[2m",
};

static void put_toned(const struct page *page, enum tone tone, struct str s)
{
    if (page->options->colour)
        buf_str(page->out, str_from(tone_code[tone]));
    text_safe(page->out, s);
    if (page->options->colour)
        buf_str(page->out, STR("\033[0m"));
}

/* X(class, sign, tone) */
static const struct {
    char sign;
    enum tone tone;
} class_look[CLASS_COUNT] = {
    [CLASS_CONTRADICTS_CODE] = {'~', TONE_WARN}, [CLASS_MISSING] = {'-', TONE_BAD},
    [CLASS_UNMANAGED] = {'+', TONE_GOOD},        [CLASS_UNAPPLIED] = {'>', TONE_WARN},
    [CLASS_STATE_ONLY] = {'.', TONE_QUIET},      [CLASS_UNCHECKED] = {'?', TONE_WARN},
};

static void put_ignored(struct buf *out, const struct finding *finding)
{
    buf_str(out, STR("      ignored: "));
    text_safe(out, finding->ignored_by);
    if (finding->ignored_owner.len) {
        buf_str(out, STR(" (owner "));
        text_safe(out, finding->ignored_owner);
        buf_char(out, ')');
    }
    if (finding->ignored_expires.len) {
        buf_str(out, STR(", until "));
        text_safe(out, finding->ignored_expires);
    }
    buf_char(out, '\n');
}

static void put_finding(const struct page *page, const struct finding *finding)
{
    struct buf *out = page->out;
    struct line_style style = {.indent = 6, .width = page->width, .colour = page->options->colour};
    char sign[2] = {class_look[finding->class_].sign, '\0'};
    struct location at = finding_location(finding);
    buf_str(out, STR("  "));
    put_toned(page, class_look[finding->class_].tone, str_from(sign));
    buf_char(out, ' ');
    put_toned(page, TONE_BOLD, finding->address);
    buf_str(out, STR("  "));
    buf_str(out, str_from(finding_class_name(finding->class_)));
    if (finding->severity >= SEVERITY_HIGH)
        buf_printf(out, " (%s)", severity_name(finding->severity));
    if (finding_violates(finding))
        buf_printf(out, " [%s]", decision_name(finding->judgement->decision));
    if (finding->tainted)
        buf_str(out, STR(" (tainted)"));
    if (finding->requires_replace)
        buf_str(out, STR(" (to be replaced)"));
    if (at.file.len) {
        buf_str(out, STR("  "));
        location_text(out, &at);
    }
    buf_char(out, '\n');
    if (finding_explained(finding) || !finding->nchanges) {
        buf_str(out, STR("      "));
        text_safe_lines(out, finding_sentence(finding), 6);
        buf_char(out, '\n');
    }
    if (finding->ignored)
        put_ignored(out, finding);
    else if (finding->reviewed.len) {
        buf_str(out, STR("      reviewed: "));
        text_safe(out, finding->reviewed);
        buf_char(out, '\n');
    }
    lines_of_finding(out, finding, page->options, &style);
    if (by_told(finding)) {
        buf_str(out, STR("      by "));
        by_text(out, finding->by);
        buf_char(out, '\n');
    }
    judgement_lines(out, finding, 6);
    if (finding->remedy.len) {
        buf_str(out, STR("      => "));
        text_safe_lines(out, finding->remedy, 9);
        buf_char(out, '\n');
    }
}

static bool listed(const struct page *page, const struct finding *finding)
{
    if (finding_violates(finding))
        return true;
    if (finding->class_ == CLASS_UNCHECKED)
        return false;
    if (finding->class_ == CLASS_STATE_ONLY && !page->options->explain)
        return false;
    return finding_shown(finding, page->options);
}

static bool put_findings(const struct page *page, const struct stack_result *stack)
{
    bool any = false;
    for (size_t i = 0; i < stack->nfindings; i++) {
        if (!listed(page, &stack->findings[i]))
            continue;
        if (any)
            buf_char(page->out, '\n');
        put_finding(page, &stack->findings[i]);
        any = true;
    }
    return any;
}

static void put_examples(const struct page *page, const struct stack_result *stack,
                         struct str reason)
{
    size_t named = 0, all = 0;
    for (size_t i = 0; i < stack->nfindings; i++) {
        const struct finding *finding = &stack->findings[i];
        if (finding->class_ != CLASS_UNCHECKED || !str_equal(finding->reason, reason))
            continue;
        if (all++ >= EXAMPLES_MAX && !page->options->explain)
            continue;
        buf_str(page->out, named++ ? STR(", ") : STR("        "));
        text_safe(page->out, finding->address);
    }
    if (!named)
        return;
    if (all > named) {
        buf_str(page->out, STR(" and "));
        text_number(page->out, all - named);
        buf_str(page->out, STR(" more"));
    }
    buf_char(page->out, '\n');
}

static void put_unchecked(const struct page *page, const struct stack_result *stack)
{
    struct buf *out = page->out;
    buf_str(out, STR("  "));
    put_toned(page, TONE_WARN, STR("?"));
    buf_str(out, STR(" unchecked: "));
    text_number(out, stack->coverage.unchecked);
    buf_str(out, stack->coverage.unchecked == 1
                     ? STR(" resource, about which nothing is known\n")
                     : STR(" resources, about which nothing is known\n"));
    size_t most = page->options->explain ? REASONS_EXPLAINED : REASONS_MAX;
    size_t shown = stack->coverage.nreasons < most ? stack->coverage.nreasons : most;
    uint64_t left = 0;
    for (size_t i = 0; i < shown; i++) {
        const struct unchecked_reason *reason = &stack->coverage.reasons[i];
        buf_str(out, STR("      "));
        text_number(out, reason->resources);
        buf_str(out, STR(": "));
        text_safe_lines(out, reason->reason, 8);
        buf_char(out, '\n');
        put_examples(page, stack, reason->reason);
        buf_str(out, STR("        -> "));
        buf_str(out, str_from(unchecked_advice(reason->reason)));
        buf_char(out, '\n');
    }
    for (size_t i = shown; i < stack->coverage.nreasons; i++)
        left += stack->coverage.reasons[i].resources;
    if (left) {
        buf_str(out, STR("      "));
        text_number(out, left);
        buf_str(out, STR(" for "));
        text_number(out, stack->coverage.nreasons - shown);
        buf_str(out, STR(" more reasons; --output json lists them\n"));
    }
}

static void put_equal(const struct page *page, const struct stack_result *stack)
{
    for (size_t i = 0; i < stack->nequal; i++) {
        const struct considered_equal *equal = &stack->equal[i];
        buf_str(page->out, i ? STR("") : STR("  considered equal:\n"));
        buf_str(page->out, STR("    = "));
        text_safe(page->out, equal->address);
        buf_char(page->out, ' ');
        text_safe(page->out, equal->path);
        buf_str(page->out, STR(": "));
        text_safe(page->out, equal->why);
        buf_str(page->out, STR(" ["));
        text_safe(page->out, equal->rule);
        buf_str(page->out, STR("]\n"));
    }
}

static void put_notes(const struct page *page, const struct stack_result *stack)
{
    for (size_t i = 0; i < stack->nnotes; i++) {
        buf_str(page->out, STR("  note: "));
        text_safe_lines(page->out, stack->notes[i], 8);
        buf_char(page->out, '\n');
    }
}

static void put_heading(const struct page *page, const struct stack_result *stack)
{
    struct buf *out = page->out;
    put_toned(page, TONE_BOLD, stack->name.len ? stack->name : stack->path);
    const struct str parts[] = {stack->environment, stack->owner, stack->source, stack->live};
    const char *const before[] = {"", "owner ", "", "live from "};
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].len)
            continue;
        buf_str(out, any ? STR(", ") : STR("  ("));
        buf_str(out, str_from(before[i]));
        text_safe(out, parts[i]);
        any = true;
    }
    buf_str(out, any ? STR(")\n") : STR("\n"));
}

static void put_summary(const struct page *page, const struct tally *tally)
{
    AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
    tally_print(&line, tally);
    put_toned(page, tally_in_sync(tally) ? TONE_GOOD : TONE_WARN, buf_view(&line));
    buf_str(page->out, STR("; "));
    tally_print_attributes(page->out, tally);
    buf_char(page->out, '\n');
}

static void put_stack(const struct page *page, const struct stack_result *stack)
{
    struct buf *out = page->out;
    struct tally tally = {0};
    tally_stack(&tally, stack);
    put_heading(page, stack);
    if (stack->failed.len) {
        buf_str(out, STR("  "));
        put_toned(page, TONE_BAD, STR("not scanned"));
        buf_str(out, STR(": "));
        text_safe_lines(out, stack->failed, 4);
        buf_char(out, '\n');
        put_notes(page, stack);
        return;
    }
    size_t start = out->len;
    bool any = put_findings(page, stack);
    if (stack->coverage.unchecked) {
        if (any)
            buf_char(out, '\n');
        put_unchecked(page, stack);
    }
    put_equal(page, stack);
    put_notes(page, stack);
    if (out->len > start)
        buf_char(out, '\n');
    buf_str(out, STR("  "));
    put_summary(page, &tally);
}

static bool write_text(struct buf *out, const struct scan_result *result,
                       const struct report_options *options, struct err *err)
{
    struct page page = {out, options, options->width ? options->width : WIDTH_DEFAULT};
    struct tally tally = {0};
    tally_all(&tally, result);
    for (size_t i = 0; i < result->nstacks; i++) {
        if (i)
            buf_char(out, '\n');
        put_stack(&page, &result->stacks[i]);
    }
    if (result->nstacks != 1) {
        buf_str(out, result->nstacks ? STR("\n") : STR(""));
        text_number(out, result->nstacks);
        buf_str(out, STR(" stacks: "));
        put_summary(&page, &tally);
    }
    if (result->policy)
        policy_report_lines(out, result->policy, options->explain);
    return buf_ok(out, err);
}

const struct format format_text = {
    .name = "text",
    .summary = "for people: differences, what was not checked, a summary",
    .extension = ".txt",
    .write = write_text,
    .write_issues = issues_write_text,
};
