/* format_gitlab.c - GitLab code quality report: one entry for each finding.
 *
 * Source:  GitLab doc/ci/testing/code_quality.md, "Code Quality report format"
 * Rules:   paths relative without "./"; no byte order mark; equal fingerprints are one entry
 */
#include "base/digest.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

enum { VALUE_BYTES = 120, CHANGES = 10, EXPLAINED = 2, DESCRIPTION_BYTES = 2000 };

static const struct str by_severity[] = {
    [SEVERITY_INFO] = STR_INIT("info"),        [SEVERITY_LOW] = STR_INIT("minor"),
    [SEVERITY_MEDIUM] = STR_INIT("major"),     [SEVERITY_HIGH] = STR_INIT("critical"),
    [SEVERITY_CRITICAL] = STR_INIT("blocker"),
};

struct str gitlab_path(const struct str *tries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str path = tries[i];
        while (str_starts(path, STR("./")))
            path = str_sub(path, 2, path.len);
        if (path.len && path.ptr[0] != '/')
            return path;
    }
    return STR(".");
}

/* GitLab wants a place: the code's, else the stack's directory as far as it is relative. */
static struct str place_of(const struct stack_result *stack, const struct location *code)
{
    const struct str tries[] = {code ? code->file : (struct str){0}, stack->path, stack->name};
    return gitlab_path(tries, sizeof tries / sizeof *tries);
}

void gitlab_entry(struct jsonw *w, struct str check, struct str description, struct str fingerprint,
                  enum severity severity, struct str path, const struct location *at)
{
    bool known = at && at->file.len && at->line;
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    text_safe(&text, description);
    struct str cut = text_cut(buf_view(&text), DESCRIPTION_BYTES);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("description"), cut);
    jsonw_member_string(w, STR("check_name"), check);
    jsonw_member_string(w, STR("fingerprint"), fingerprint);
    jsonw_member_string(w, STR("severity"), by_severity[severity]);
    jsonw_key(w, STR("location"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("path"), path);
    jsonw_key(w, STR("lines"));
    jsonw_object_open(w);
    jsonw_member_int(w, STR("begin"), known ? at->line : 1);
    if (known && at->end_line > at->line)
        jsonw_member_int(w, STR("end"), at->end_line);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

/* "; main.tf:12 -> prod.tfvars:7; last changed in ...; branch resize has ..." */
static void put_origin(struct buf *text, const struct origin *origin)
{
    if (!origin)
        return;
    AUTO_BUF history = {.limit = BUF_DEFAULT_LIMIT};
    history_text(&history, origin);
    if (origin->nchain > 1) {
        buf_str(text, STR("; "));
        chain_text(text, origin);
    }
    buf_str(text, history.len ? STR("; ") : STR(""));
    buf_str(text, buf_view(&history));
    for (size_t i = 0; i < origin->nexplained && i < EXPLAINED; i++) {
        buf_str(text, STR("; "));
        explanation_text(text, &origin->explained[i]);
    }
}

static void put_finding(struct jsonw *w, const struct stack_result *stack,
                        const struct finding *finding, const struct report_options *options)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct location at = finding_location(finding);
    buf_str(&text, finding->address);
    if (finding_explained(finding) || !finding->nchanges) {
        buf_str(&text, STR(": "));
        buf_str(&text, finding_sentence(finding));
    }
    if (finding->nchanges)
        buf_str(&text, STR(": "));
    changes_inline(&text, finding, options, ", ", CHANGES, VALUE_BYTES);
    buf_str(&text, finding->judgement ? STR("; ") : STR(""));
    judgement_inline(&text, finding);
    put_origin(&text, finding->origin);
    gitlab_entry(w, str_from(finding_class_name(finding->class_)), buf_view(&text),
                 str_from(finding->fingerprint), finding->severity, place_of(stack, &at), &at);
}

bool gitlab_failed(struct jsonw *w, const char *looked, struct str name, struct str why,
                   struct str path, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    AUTO_BUF check = {.limit = BUF_DEFAULT_LIMIT}, text = {.limit = BUF_DEFAULT_LIMIT};
    buf_printf(&check, "not-%s", looked);
    buf_printf(&text, "not %s: ", looked);
    buf_str(&text, name);
    if (!digest_sha256(buf_view(&text), &digest, err))
        return false;
    digest_hex(&digest, hex);
    buf_str(&text, STR(": "));
    buf_str(&text, why);
    gitlab_entry(w, buf_view(&check), buf_view(&text), (struct str){hex, 32}, SEVERITY_HIGH, path,
                 NULL);
    return true;
}

static bool write_gitlab(struct buf *out, const struct scan_result *result,
                         const struct report_options *options, struct err *err)
{
    struct jsonw w = {.out = out, .indent = 1};
    jsonw_array_open(&w);
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        if (stack->failed.len &&
            !gitlab_failed(&w, "scanned", stack->name, stack->failed, place_of(stack, NULL), err))
            return false;
        for (size_t k = 0; k < stack->nfindings; k++) {
            const struct finding *finding = &stack->findings[k];
            if (finding_violates(finding) ||
                (!finding->ignored && finding->class_ != CLASS_STATE_ONLY))
                put_finding(&w, stack, finding, options);
        }
    }
    jsonw_array_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}

const struct format format_gitlab = {
    .name = "gitlab",
    .summary = "GitLab code quality report",
    .extension = "gl-code-quality-report.json",
    .write = write_gitlab,
    .write_issues = issues_write_gitlab,
};
