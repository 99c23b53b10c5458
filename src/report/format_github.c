/* format_github.c - GitHub workflow commands: the most severe findings as annotations of a step.
 *
 * Source:  actions/toolkit packages/core/src/command.ts (escapes); 10 annotations of a level for a
 *          step, the rest is dropped without a word
 * Rules:   at most 9 findings of a level, the tenth line says how many more there are
 */
#include "report/parts.h"
#include "report/report.h"

enum {
    SHOWN_MAX = 9,
    MESSAGE_BYTES = 4000,
    TITLE_BYTES = 200,
    WIDTH = 100,
    LINES = 20, /* of one attribute */
    CHANGES = 20
};

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_COUNT };
static const char *const level_name[] = {"error", "warning", "notice"};
static const enum level by_severity[] = {
    [SEVERITY_INFO] = LEVEL_NOTICE,    [SEVERITY_LOW] = LEVEL_NOTICE,
    [SEVERITY_MEDIUM] = LEVEL_WARNING, [SEVERITY_HIGH] = LEVEL_ERROR,
    [SEVERITY_CRITICAL] = LEVEL_ERROR,
};

/* escapeData, and escapeProperty where `property`. */
static void put_escaped(struct buf *out, struct str s, bool property)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
            buf_printf(out, "%%%02X", c);
        else
            buf_char(out, (char)c);
    }
}

static void put_property(struct buf *out, const char *name, struct str value, bool first)
{
    AUTO_BUF safe = {.limit = BUF_DEFAULT_LIMIT};
    text_safe(&safe, value);
    buf_printf(out, "%c%s=", first ? ' ' : ',', name);
    put_escaped(out, text_cut(buf_view(&safe), TITLE_BYTES), true);
}

void github_command(struct buf *out, const char *level, const struct location *code,
                    struct str title, struct str message)
{
    bool place = code && code->file.len;
    AUTO_BUF safe = {.limit = BUF_DEFAULT_LIMIT};
    text_safe_lines(&safe, message, 0);
    buf_printf(out, "::%s", level);
    if (place) {
        put_property(out, "file", code->file, true);
        bool one_line = code->end_line <= code->line; /* columns are only for one line */
        if (code->line)
            buf_printf(out, ",line=%u", code->line);
        if (code->line && !one_line)
            buf_printf(out, ",endLine=%u", code->end_line);
        if (code->line && code->column && one_line)
            buf_printf(out, ",col=%u", code->column);
        if (code->line && code->column && one_line && code->end_column > code->column)
            buf_printf(out, ",endColumn=%u", code->end_column);
    }
    put_property(out, "title", title, !place);
    buf_str(out, STR("::"));
    struct str text = buf_view(&safe);
    while (str_ends(text, STR("\n")))
        text.len--;
    put_escaped(out, text_cut(text, MESSAGE_BYTES), false);
    buf_char(out, '\n');
}

static void put_finding(struct buf *out, enum level level, const struct finding *finding,
                        const struct report_options *options)
{
    AUTO_BUF title = {.limit = BUF_DEFAULT_LIMIT}, message = {.limit = BUF_DEFAULT_LIMIT};
    struct line_style style = {.width = WIDTH, .max_lines = LINES, .max_changes = CHANGES};
    struct location at = finding_location(finding);
    buf_str(&title, str_from(finding_class_name(finding->class_)));
    buf_str(&title, STR(": "));
    buf_str(&title, finding->address);
    buf_str(&message, finding->stack);
    buf_str(&message, finding->stack.len ? STR(": ") : STR(""));
    buf_str(&message, finding_sentence(finding));
    buf_char(&message, '\n');
    lines_of_finding(&message, finding, options, &style);
    judgement_lines(&message, finding, 0);
    if (finding->remedy.len) {
        buf_str(&message, STR("=> "));
        buf_str(&message, finding->remedy);
    }
    github_command(out, level_name[level], &at, buf_view(&title), buf_view(&message));
}

/* The failed stacks first, then findings from critical down, each level up to SHOWN_MAX. */
struct spent {
    size_t shown[LEVEL_COUNT], more[LEVEL_COUNT];
};

static bool spend(struct spent *spent, enum level level)
{
    if (spent->shown[level] == SHOWN_MAX) {
        spent->more[level]++;
        return false;
    }
    spent->shown[level]++;
    return true;
}

static void put_failed(struct buf *out, const struct scan_result *result, struct spent *spent)
{
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        AUTO_BUF title = {.limit = BUF_DEFAULT_LIMIT};
        if (!stack->failed.len || !spend(spent, LEVEL_ERROR))
            continue;
        buf_str(&title, STR("not scanned: "));
        buf_str(&title, stack->name);
        github_command(out, level_name[LEVEL_ERROR], NULL, buf_view(&title), stack->failed);
    }
}

static void put_severity(struct buf *out, const struct scan_result *result,
                         const struct report_options *options, enum severity severity,
                         struct spent *spent)
{
    enum level level = by_severity[severity];
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        for (size_t k = 0; k < stack->nfindings; k++) {
            const struct finding *finding = &stack->findings[k];
            bool told = finding_violates(finding) ||
                        (!finding->ignored && finding->class_ != CLASS_STATE_ONLY &&
                         finding->class_ != CLASS_UNCHECKED);
            if (told && finding->severity == severity && spend(spent, level))
                put_finding(out, level, finding, options);
        }
    }
}

/* One warning for each reason: what is not known must not drown in a list of addresses. */
static void put_unchecked(struct buf *out, const struct scan_result *result, struct spent *spent)
{
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        for (size_t k = 0; k < stack->coverage.nreasons; k++) {
            const struct unchecked_reason *reason = &stack->coverage.reasons[k];
            AUTO_BUF title = {.limit = BUF_DEFAULT_LIMIT}, message = {.limit = BUF_DEFAULT_LIMIT};
            if (!spend(spent, LEVEL_WARNING))
                continue;
            text_number(&title, reason->resources);
            buf_str(&title, STR(" unchecked (not in sync): "));
            buf_str(&title, stack->name);
            buf_str(&message, reason->reason);
            buf_str(&message, STR("\n-> "));
            buf_str(&message, str_from(unchecked_advice(reason->reason)));
            github_command(out, level_name[LEVEL_WARNING], NULL, buf_view(&title),
                           buf_view(&message));
        }
    }
}

static bool write_github(struct buf *out, const struct scan_result *result,
                         const struct report_options *options, struct err *err)
{
    struct spent spent = {0};
    struct tally tally = {0};
    AUTO_BUF summary = {.limit = BUF_DEFAULT_LIMIT};
    tally_all(&tally, result);
    tally_print(&summary, &tally);
    buf_str(&summary, STR("; "));
    tally_print_attributes(&summary, &tally);
    if (result->policy) {
        buf_str(&summary, STR("; policy: "));
        policy_report_print(&summary, result->policy);
    }
    put_failed(out, result, &spent);
    put_unchecked(out, result, &spent);
    for (unsigned severity = SEVERITY_CRITICAL + 1; severity-- > 0;)
        put_severity(out, result, options, (enum severity)severity, &spent);
    for (unsigned level = 0; level < LEVEL_NOTICE; level++) {
        AUTO_BUF more = {.limit = BUF_DEFAULT_LIMIT};
        if (!spent.more[level])
            continue;
        text_number(&more, spent.more[level]);
        buf_str(&more, STR(" more are not shown here; the other reports list them all. "));
        buf_str(&more, buf_view(&summary));
        github_command(out, level_name[level], NULL, STR("plumb: and more"), buf_view(&more));
    }
    if (spent.more[LEVEL_NOTICE]) {
        buf_str(&summary, STR("; "));
        text_number(&summary, spent.more[LEVEL_NOTICE]);
        buf_str(&summary, STR(" more notices are not shown here"));
    }
    github_command(out, level_name[LEVEL_NOTICE], NULL, STR("plumb"), buf_view(&summary));
    return buf_ok(out, err);
}

const struct format format_github = {
    .name = "github",
    .summary = "GitHub workflow commands: annotations of the most severe findings",
    .extension = ".github",
    .write = write_github,
    .write_issues = issues_write_github,
};
