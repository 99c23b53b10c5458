/* format_markdown.c - a pull request comment: summary, table of stacks, diffs; never too long.
 *
 * Source:  GitHub Flavored Markdown; a comment holds 65,536 characters (GitHub), other services
 *          have other limits (report_options.max_bytes)
 * Rules:   text from outside stands only in code spans and fences; what does not fit is counted in
 *          the last line; the first line is a marker to find the comment again
 */
#include <string.h>

#include "model/decision.h"
#include "report/parts.h"
#include "report/report.h"

enum {
    LIMIT_DEFAULT = 65000,
    LIMIT_LEAST = 2000,
    LAST_LINE = 400,  /* room kept for "not shown here" */
    ROWS_MAX = 50,    /* stacks in the table */
    CODE_BYTES = 300, /* of one code span */
    WIDTH = 100,
    FINDING_LINES = 30,
    FINDING_CHANGES = 30
};

struct page {
    struct buf *out;
    const struct report_options *options;
    size_t limit, left_out;
};

static size_t longest_ticks(struct str s)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < s.len; i++) {
        run = s.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void put_ticks(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_char(out, '`');
}

/* A code span on one line; in a table `|` needs a backslash. */
void markdown_code(struct buf *out, struct str s, bool in_table)
{
    AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
    struct str cut = text_cut(s, CODE_BYTES);
    while (cut.len) {
        struct str part;
        bool more = str_cut(&cut, '\n', &part);
        text_safe(&line, part);
        if (!more)
            break;
        buf_char(&line, ' ');
    }
    if (s.len > CODE_BYTES)
        buf_str(&line, STR("..."));
    struct str text = str_trim(buf_view(&line));
    size_t ticks = longest_ticks(text) + 1;
    bool spaced = ticks > 1;
    put_ticks(out, ticks);
    if (spaced || !text.len)
        buf_char(out, ' ');
    for (size_t i = 0; i < text.len; i++) {
        if (in_table && text.ptr[i] == '|')
            buf_char(out, '\\');
        buf_char(out, text.ptr[i]);
    }
    if (spaced)
        buf_char(out, ' ');
    put_ticks(out, ticks);
}

void markdown_fence(struct buf *out, struct str language, struct str lines)
{
    size_t ticks = longest_ticks(lines);
    ticks = ticks < 3 ? 3 : ticks + 1;
    put_ticks(out, ticks);
    buf_str(out, language);
    buf_char(out, '\n');
    buf_str(out, lines);
    put_ticks(out, ticks);
    buf_str(out, STR("\n"));
}

/* Only what cannot end an HTML comment. */
static void put_marker(struct buf *out, const struct scan_result *result)
{
    struct str name = result->nstacks == 1 ? result->stacks[0].name : STR("all");
    name = text_cut(name, 100);
    buf_str(out, STR("<!-- plumb:"));
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool plain = (c >= '0' && c <= ':') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '/' || c == '.' || c == '_';
        buf_char(out, plain ? (char)c : '_');
    }
    buf_str(out, STR(" -->\n"));
}

/* Add the piece if it leaves room for the last line and for `reserved` bytes. */
static bool fits(const struct page *page, struct str piece, size_t reserved)
{
    return page->out->len + piece.len + reserved + LAST_LINE <= page->limit;
}

static void put_table(struct page *page, const struct scan_result *result)
{
    struct buf *out = page->out;
    size_t left_out = 0;
    if (!result->nstacks)
        return;
    buf_str(out, STR("\n| stack | result |\n| --- | --- |\n"));
    for (size_t i = 0; i < result->nstacks; i++) {
        AUTO_BUF row = {.limit = BUF_DEFAULT_LIMIT};
        const struct stack_result *stack = &result->stacks[i];
        struct tally tally = {0};
        tally_stack(&tally, stack);
        buf_str(&row, STR("| "));
        markdown_code(&row, stack->name, true);
        buf_str(&row, STR(" | "));
        tally_print(&row, &tally);
        buf_str(&row, STR(" |\n"));
        if (i >= ROWS_MAX || !fits(page, buf_view(&row), page->limit / 2))
            left_out++;
        else
            buf_str(out, buf_view(&row));
    }
    if (left_out) {
        buf_str(out, STR("| ... | "));
        text_number(out, left_out);
        buf_str(out, STR(" more stacks |\n"));
    }
}

static void put_head(struct buf *out, const struct finding *finding)
{
    buf_str(out, STR("\n**"));
    markdown_code(out, finding->address, false);
    buf_str(out, STR("** "));
    buf_str(out, str_from(finding_class_name(finding->class_)));
    buf_printf(out, ", %s", severity_name(finding->severity));
    if (finding_violates(finding))
        buf_printf(out, ", **%s**", decision_name(finding->judgement->decision));
    struct location at = finding_location(finding);
    if (finding->requires_replace)
        buf_str(out, STR(", to be replaced"));
    if (at.file.len) {
        AUTO_BUF place = {.limit = BUF_DEFAULT_LIMIT};
        location_text(&place, &at);
        buf_str(out, STR(", "));
        markdown_code(out, buf_view(&place), false);
    }
    if (by_told(finding)) {
        AUTO_BUF by = {.limit = BUF_DEFAULT_LIMIT};
        by_text(&by, finding->by);
        buf_str(out, STR(", by "));
        markdown_code(out, buf_view(&by), false);
    }
    if (finding->reviewed.len && !finding->ignored) {
        buf_str(out, STR(", reviewed: "));
        markdown_code(out, finding->reviewed, false);
    }
    if (finding->ignored) {
        buf_str(out, STR(", ignored: "));
        markdown_code(out, finding->ignored_by, false);
    }
    buf_char(out, '\n');
}

static void put_finding(struct buf *out, const struct finding *finding,
                        const struct report_options *options)
{
    AUTO_BUF lines = {.limit = BUF_DEFAULT_LIMIT};
    struct line_style style = {.width = WIDTH,
                               .sign_first = true,
                               .max_lines = FINDING_LINES,
                               .max_changes = FINDING_CHANGES};
    put_head(out, finding);
    if (finding_explained(finding)) {
        buf_char(out, '\n');
        markdown_code(out, finding->reason, false);
        buf_char(out, '\n');
    } else if (!finding->nchanges) {
        buf_printf(out, "\n%s\n", finding_class_meaning(finding->class_));
    }
    lines_of_finding(&lines, finding, options, &style);
    if (lines.len) {
        buf_char(out, '\n');
        markdown_fence(out, STR("diff"), buf_view(&lines));
    }
    if (finding->judgement) {
        AUTO_BUF said = {.limit = BUF_DEFAULT_LIMIT};
        judgement_lines(&said, finding, 0);
        buf_char(out, '\n');
        markdown_fence(out, STR("text"), buf_view(&said));
    }
    if (finding->remedy.len) {
        buf_str(out, STR("\n=> "));
        markdown_code(out, finding->remedy, false);
        buf_char(out, '\n');
    }
}

static bool listed(const struct finding *finding, const struct report_options *options)
{
    bool told = finding->class_ != CLASS_UNCHECKED && finding->class_ != CLASS_STATE_ONLY;
    return finding_violates(finding) || (told && finding_shown(finding, options));
}

static void put_stack(struct page *page, const struct stack_result *stack, size_t reserved)
{
    bool headed = false;
    for (size_t i = 0; i < stack->nfindings; i++) {
        const struct finding *finding = &stack->findings[i];
        AUTO_BUF piece = {.limit = BUF_DEFAULT_LIMIT};
        if (!listed(finding, page->options))
            continue;
        if (!headed) {
            buf_str(&piece, STR("\n#### "));
            markdown_code(&piece, stack->name, false);
            buf_char(&piece, '\n');
        }
        size_t heading = piece.len;
        put_finding(&piece, finding, page->options);
        if (!fits(page, buf_view(&piece), reserved)) {
            piece.len = heading;
            put_head(&piece, finding);
        }
        if (!fits(page, buf_view(&piece), reserved)) {
            page->left_out++;
            continue;
        }
        headed = true;
        buf_str(page->out, buf_view(&piece));
    }
}

/* What is not known: failed stacks and unchecked resources by reason, up to `most` bytes. */
static void put_unknown(struct buf *out, const struct scan_result *result, size_t most)
{
    size_t left_out = 0;
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        size_t n = stack->coverage.nreasons + (stack->failed.len > 0);
        for (size_t k = 0; k < n; k++) {
            AUTO_BUF row = {.limit = BUF_DEFAULT_LIMIT};
            bool failed = k == stack->coverage.nreasons;
            struct str why = failed ? stack->failed : stack->coverage.reasons[k].reason;
            buf_str(&row, STR("- "));
            markdown_code(&row, stack->name, false);
            buf_str(&row, STR(": "));
            if (failed) {
                buf_str(&row, STR("not scanned: "));
            } else {
                text_number(&row, stack->coverage.reasons[k].resources);
                buf_str(&row, STR(" unchecked: "));
            }
            markdown_code(&row, why, false);
            if (!failed) {
                buf_str(&row, STR(" ("));
                buf_str(&row, str_from(unchecked_advice(why)));
                buf_char(&row, ')');
            }
            buf_char(&row, '\n');
            if (out->len + row.len > most) {
                left_out++;
                continue;
            }
            if (!out->len)
                buf_str(out, STR("\n#### Not checked\n\n"));
            buf_str(out, buf_view(&row));
        }
    }
    if (left_out && out->len) {
        buf_str(out, STR("- and "));
        text_number(out, left_out);
        buf_str(out, STR(" more reasons\n"));
    }
}

static bool write_markdown(struct buf *out, const struct scan_result *result,
                           const struct report_options *options, struct err *err)
{
    size_t start = out->len;
    size_t limit = options->max_bytes ? options->max_bytes : LIMIT_DEFAULT;
    struct page page = {out, options, start + (limit < LIMIT_LEAST ? LIMIT_LEAST : limit), 0};
    struct tally tally = {0};
    AUTO_BUF unknown = {.limit = BUF_DEFAULT_LIMIT};
    tally_all(&tally, result);
    put_marker(out, result);
    buf_str(out, STR("### plumb: "));
    tally_print(out, &tally);
    buf_str(out, STR("\n\n"));
    tally_print_attributes(out, &tally);
    buf_char(out, '\n');
    if (result->policy) {
        buf_str(out, STR("\npolicy: "));
        policy_report_print(out, result->policy);
        buf_char(out, '\n');
    }
    put_table(&page, result);
    put_unknown(&unknown, result, limit / 4);
    for (size_t i = 0; i < result->nstacks; i++)
        put_stack(&page, &result->stacks[i], unknown.len);
    buf_str(out, buf_view(&unknown));
    if (page.left_out) {
        buf_str(out, STR("\n**"));
        text_number(out, page.left_out);
        buf_str(out, page.left_out == 1 ? STR(" more finding is") : STR(" more findings are"));
        buf_str(out, STR(" not shown here** (a comment has a size limit); the other reports of "
                         "this scan list them all.\n"));
    }
    return buf_ok(out, err);
}

const struct format format_markdown = {
    .name = "markdown",
    .summary = "a comment for a pull or merge request, within its size limit",
    .extension = ".md",
    .write = write_markdown,
    .write_issues = issues_write_markdown,
};
