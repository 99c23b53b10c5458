/* format_sarif.c - SARIF 2.1.0: a rule for each class, a result for each finding.
 *
 * Source:  OASIS SARIF 2.1.0 errata 01 (3.27 result, 3.33 logicalLocation, 3.58 notification)
 * Limits:  a physical location only where the place in the code is known; what code scanning of
 *          GitHub keeps of it is told in docs/reports.md
 */
#include <string.h>

#include "model/decision.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

enum { VALUE_BYTES = 200, MESSAGE_CHANGES = 20, RELATED_MAX = 40, EXPLAINED_MAX = 10 };

/* SARIF 3.27.10 level and GitHub's security-severity, by severity. */
static const struct {
    struct str level;
    const char *security;
} by_severity[] = {
    [SEVERITY_INFO] = {STR_INIT("note"), NULL},       [SEVERITY_LOW] = {STR_INIT("note"), "2.0"},
    [SEVERITY_MEDIUM] = {STR_INIT("warning"), "5.5"}, [SEVERITY_HIGH] = {STR_INIT("error"), "8.0"},
    [SEVERITY_CRITICAL] = {STR_INIT("error"), "9.5"},
};

/* What could not be checked is never less than a warning. */
static struct str level_of(const struct finding *finding)
{
    bool mild = finding->class_ == CLASS_UNCHECKED && finding->severity < SEVERITY_MEDIUM;
    return by_severity[mild ? SEVERITY_MEDIUM : finding->severity].level;
}

void sarif_message(struct jsonw *w, struct str key, struct str text)
{
    AUTO_BUF safe = {.limit = BUF_DEFAULT_LIMIT};
    text_safe_lines(&safe, text, 0);
    jsonw_key(w, key);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("text"), safe.len ? buf_view(&safe) : STR("-"));
    jsonw_object_close(w);
}

static void put_rule(struct jsonw *w, enum finding_class class_)
{
    enum severity severity = finding_class_severity(class_);
    struct str meaning = str_from(finding_class_meaning(class_));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), str_from(finding_class_name(class_)));
    jsonw_member_string(w, STR("name"), str_from(class_title(class_)));
    sarif_message(w, STR("shortDescription"), meaning);
    sarif_message(w, STR("fullDescription"), meaning);
    sarif_message(w, STR("help"), str_from(class_remedy(class_)));
    jsonw_key(w, STR("defaultConfiguration"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("level"), by_severity[severity].level);
    jsonw_object_close(w);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    jsonw_key(w, STR("tags"));
    jsonw_array_open(w);
    jsonw_string(w, STR("drift"));
    jsonw_string(w, STR("infrastructure-as-code"));
    jsonw_array_close(w);
    jsonw_member_string(w, STR("precision"), STR("very-high"));
    if (by_severity[severity].security)
        jsonw_member_string(w, STR("security-severity"), str_from(by_severity[severity].security));
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void put_tool(struct jsonw *w, const struct report_options *options)
{
    jsonw_key(w, STR("tool"));
    jsonw_object_open(w);
    jsonw_key(w, STR("driver"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), STR("plumb"));
    if (options->tool_version.len)
        jsonw_member_string(w, STR("semanticVersion"), options->tool_version);
    jsonw_key(w, STR("rules"));
    jsonw_array_open(w);
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        put_rule(w, (enum finding_class)i);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

/* --- where --- */

/* A path as a URI reference (RFC 3986): what is neither unreserved nor "/" becomes %XX. */
static void put_uri(struct buf *out, struct str path)
{
    static const char safe[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    if (str_starts(path, STR("/")))
        buf_str(out, STR("file://"));
    while (str_starts(path, STR("./")))
        path = str_sub(path, 2, path.len);
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] && strchr(safe, path.ptr[i]))
            buf_char(out, path.ptr[i]);
        else
            buf_printf(out, "%%%02X", (unsigned char)path.ptr[i]);
    }
}

static void put_region(struct jsonw *w, const struct location *code, struct str excerpt)
{
    int64_t line = code->line ? code->line : 1, column = code->column ? code->column : 1;
    int64_t end_line = code->end_line > line ? code->end_line : line;
    int64_t end_column = code->end_column ? code->end_column : column + 1;
    jsonw_key(w, STR("region"));
    jsonw_object_open(w);
    jsonw_member_int(w, STR("startLine"), line);
    jsonw_member_int(w, STR("startColumn"), column);
    jsonw_member_int(w, STR("endLine"), end_line);
    jsonw_member_int(w, STR("endColumn"),
                     end_line == line && end_column <= column ? column + 1 : end_column);
    if (excerpt.len)
        sarif_message(w, STR("snippet"), excerpt);
    jsonw_object_close(w);
}

void sarif_physical(struct jsonw *w, const struct location *code, struct str excerpt)
{
    AUTO_BUF uri = {.limit = BUF_DEFAULT_LIMIT};
    put_uri(&uri, code->file);
    jsonw_key(w, STR("physicalLocation"));
    jsonw_object_open(w);
    jsonw_key(w, STR("artifactLocation"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("uri"), buf_view(&uri));
    if (!str_starts(code->file, STR("/")))
        jsonw_member_string(w, STR("uriBaseId"), STR("SRCROOT"));
    jsonw_object_close(w);
    put_region(w, code, excerpt);
    jsonw_object_close(w);
}

/* GitHub refuses a whole report of which one result has no place in a file. */
void sarif_stand_in(struct jsonw *w, struct str path, bool folder)
{
    AUTO_BUF file = {.limit = BUF_DEFAULT_LIMIT};
    while (str_starts(path, STR("./")))
        path = str_sub(path, 2, path.len);
    while (str_ends(path, STR("/")))
        path.len--;
    bool usable = path.len && path.ptr[0] != '/' && !str_equal(path, STR(".")) &&
                  !str_equal(path, STR("-")) && !str_starts(path, STR(".."));
    if (usable)
        buf_str(&file, path);
    if (folder || !usable)
        buf_str(&file, usable ? STR("/main.tf") : STR("main.tf"));
    sarif_physical(w, &(struct location){.file = buf_view(&file), .line = 1}, (struct str){0});
}

static void put_locations(struct jsonw *w, const struct stack_result *stack,
                          const struct finding *finding)
{
    jsonw_key(w, STR("locations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    if (finding_location(finding).file.len)
        sarif_physical(w, &finding->origin->at,
                       origin_excerpt(finding->origin, finding_hidden(finding)));
    else
        sarif_stand_in(w, stack->path, true);
    jsonw_key(w, STR("logicalLocations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), finding->address);
    jsonw_key(w, STR("fullyQualifiedName"));
    AUTO_BUF name = {.limit = BUF_DEFAULT_LIMIT};
    if (finding->stack.len) {
        buf_str(&name, finding->stack);
        buf_char(&name, '/');
    }
    buf_str(&name, finding->address);
    jsonw_string(w, buf_view(&name));
    jsonw_member_string(w, STR("kind"), STR("resource"));
    jsonw_object_close(w);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
}

/* Places told so far in a result's relatedLocations. */
struct related {
    struct location at[RELATED_MAX];
    size_t n;
};

/* A place that is neither the result's own nor there already. */
static void put_related(struct jsonw *w, struct related *related, const struct location *at,
                        struct str excerpt, struct str words)
{
    if (!at->file.len || related->n == RELATED_MAX)
        return;
    for (size_t i = 0; i < related->n; i++)
        if (related->at[i].line == at->line && related->at[i].column == at->column &&
            str_equal(related->at[i].file, at->file))
            return;
    related->at[related->n++] = *at;
    jsonw_object_open(w);
    jsonw_member_int(w, STR("id"), (int64_t)related->n - 1);
    sarif_physical(w, at, excerpt);
    sarif_message(w, STR("message"), words);
    jsonw_object_close(w);
}

static void put_related_chain(struct jsonw *w, struct related *related, const struct origin *origin,
                              const struct change *change)
{
    AUTO_BUF words = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < origin->nchain; i++) {
        const struct origin_step *place = &origin->chain[i];
        words.len = 0;
        buf_str(&words, place->what);
        buf_str(&words, place->name.len ? STR(" ") : STR(""));
        buf_str(&words, place->name);
        put_related(w, related, &place->at, (struct str){0}, buf_view(&words));
    }
    words.len = 0;
    buf_str(&words, STR("decides "));
    buf_str(&words, change ? change->path : STR("the resource"));
    put_related(w, related, &origin->at, origin_excerpt(origin, change && change_hidden(change)),
                buf_view(&words));
}

/* The chain of the result's place, then those of the other changes. */
static void put_related_all(struct jsonw *w, const struct finding *finding,
                            const struct report_options *options)
{
    struct related related = {.n = 1};
    if (!finding_location(finding).file.len)
        return;
    related.at[0] = finding->origin->at;
    jsonw_key(w, STR("relatedLocations"));
    jsonw_array_open(w);
    put_related_chain(w, &related, finding->origin, NULL);
    for (size_t i = 0; i < finding->nchanges; i++)
        if (finding->changes[i].origin && change_shown(&finding->changes[i], options))
            put_related_chain(w, &related, finding->changes[i].origin, &finding->changes[i]);
    jsonw_array_close(w);
}

/* --- what --- */

static void put_origin(struct buf *text, const struct origin *origin)
{
    AUTO_BUF history = {.limit = BUF_DEFAULT_LIMIT};
    history_text(&history, origin);
    if (origin->nchain > 1) {
        buf_str(text, STR("\ndecided through "));
        chain_text(text, origin);
    }
    buf_str(text, history.len ? STR("\n") : STR(""));
    buf_str(text, buf_view(&history));
    for (size_t i = 0; i < origin->nexplained && i < EXPLAINED_MAX; i++) {
        buf_str(text, STR("\nexplained: "));
        explanation_text(text, &origin->explained[i]);
    }
}

static void put_result_message(struct jsonw *w, const struct finding *finding,
                               const struct report_options *options)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&text, finding->address);
    buf_str(&text, STR(": "));
    buf_str(&text, finding_sentence(finding));
    if (finding->nchanges)
        buf_char(&text, '\n');
    changes_inline(&text, finding, options, "\n", MESSAGE_CHANGES, VALUE_BYTES);
    if (finding->judgement) {
        buf_char(&text, '\n');
        judgement_lines(&text, finding, 0);
        text.len -= text.ptr[text.len - 1] == '\n';
    }
    if (finding->origin)
        put_origin(&text, finding->origin);
    if (finding->remedy.len) {
        buf_str(&text, STR("\n"));
        buf_str(&text, finding->remedy);
    }
    sarif_message(w, STR("message"), buf_view(&text));
}

static void put_suppressions(struct jsonw *w, const struct finding *finding)
{
    jsonw_key(w, STR("suppressions"));
    jsonw_array_open(w);
    if (finding->ignored) {
        AUTO_BUF why = {.limit = BUF_DEFAULT_LIMIT};
        text_safe(&why, finding->ignored_by);
        if (finding->ignored_expires.len) {
            buf_str(&why, STR(" (until "));
            text_safe(&why, finding->ignored_expires);
            buf_char(&why, ')');
        }
        jsonw_object_open(w);
        jsonw_member_string(w, STR("kind"), STR("external"));
        jsonw_member_string(w, STR("status"), STR("accepted"));
        jsonw_member_string(w, STR("justification"), buf_view(&why));
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

static void put_fingerprints(struct jsonw *w, const struct finding *finding)
{
    AUTO_BUF line = {.limit = 64};
    buf_str(&line, str_sub(str_from(finding->fingerprint), 0, 16));
    buf_str(&line, STR(":1"));
    jsonw_key(w, STR("partialFingerprints"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("plumbFinding/v1"), str_from(finding->fingerprint));
    jsonw_member_string(w, STR("primaryLocationLineHash"), buf_view(&line));
    jsonw_object_close(w);
}

static void put_origin_properties(struct jsonw *w, const struct origin *origin)
{
    if (origin->owner.len)
        jsonw_member_string(w, STR("owner"), origin->owner);
    if (origin->commit) {
        jsonw_key(w, STR("lastCommit"));
        commit_json(w, origin->commit);
    }
    if (!origin->nexplained)
        return;
    jsonw_key(w, STR("explainedBy"));
    jsonw_array_open(w);
    for (size_t i = 0; i < origin->nexplained && i < EXPLAINED_MAX; i++) {
        AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
        explanation_text(&text, &origin->explained[i]);
        jsonw_string(w, buf_view(&text));
    }
    jsonw_array_close(w);
}

static void put_result(struct jsonw *w, const struct stack_result *stack,
                       const struct finding *finding, const struct report_options *options)
{
    bool quiet = finding->class_ == CLASS_STATE_ONLY &&
                 !finding_violates(finding); /* 3.27.9: not a failure, hence no level */
    jsonw_object_open(w);
    jsonw_member_string(w, STR("ruleId"), str_from(finding_class_name(finding->class_)));
    jsonw_member_int(w, STR("ruleIndex"), finding->class_);
    jsonw_member_string(w, STR("kind"), quiet ? STR("informational") : STR("fail"));
    jsonw_member_string(w, STR("level"), quiet ? STR("none") : level_of(finding));
    put_result_message(w, finding, options);
    put_locations(w, stack, finding);
    put_related_all(w, finding, options);
    put_fingerprints(w, finding);
    if (options->show_ignored)
        put_suppressions(w, finding);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("stack"), finding->stack);
    jsonw_member_string(w, STR("address"), finding->address);
    jsonw_member_string(w, STR("type"), finding->type);
    jsonw_member_string(w, STR("severity"), str_from(severity_name(finding->severity)));
    jsonw_member_bool(w, STR("requiresReplace"), finding->requires_replace);
    if (finding->origin)
        put_origin_properties(w, finding->origin);
    judgement_json(w, finding);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

/* --- the run --- */

void sarif_invocation_open(struct jsonw *w, bool successful)
{
    jsonw_key(w, STR("invocations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    jsonw_member_bool(w, STR("executionSuccessful"), successful);
    jsonw_key(w, STR("toolExecutionNotifications"));
    jsonw_array_open(w);
}

static void put_notification(struct jsonw *w, struct str name, struct str level, struct str text)
{
    AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&line, name);
    buf_str(&line, STR(": "));
    buf_str(&line, text);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("level"), level);
    sarif_message(w, STR("message"), buf_view(&line));
    jsonw_object_close(w);
}

void sarif_notifications(struct jsonw *w, struct str name, struct str failed,
                         const struct str *notes, size_t n)
{
    if (failed.len)
        put_notification(w, name, STR("error"), failed);
    for (size_t i = 0; i < n; i++)
        put_notification(w, name, STR("note"), notes[i]);
}

void sarif_invocation_close(struct jsonw *w, const struct policy_report *policy)
{
    if (policy)
        sarif_notifications(w, STR("policy"), (struct str){0}, policy->note, policy->nnotes);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
}

static void put_invocation(struct jsonw *w, const struct scan_result *result,
                           const struct tally *tally)
{
    sarif_invocation_open(w, tally->failed == 0);
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct stack_result *stack = &result->stacks[i];
        sarif_notifications(w, stack->name, stack->failed, stack->notes, stack->nnotes);
    }
    sarif_invocation_close(w, result->policy);
}

static void put_run_head(struct jsonw *w, const struct scan_result *result)
{
    AUTO_BUF id = {.limit = BUF_DEFAULT_LIMIT};
    struct str name = result->nstacks == 1 ? result->stacks[0].name : (struct str){0};
    buf_str(&id, STR("plumb/"));
    text_safe(&id, name);
    if (name.len)
        buf_char(&id, '/');
    jsonw_key(w, STR("automationDetails"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), buf_view(&id));
    jsonw_object_close(w);
    jsonw_key(w, STR("originalUriBaseIds"));
    jsonw_object_open(w);
    jsonw_key(w, STR("SRCROOT"));
    jsonw_object_open(w);
    sarif_message(w, STR("description"), STR("The root of the scanned checkout."));
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_member_string(w, STR("columnKind"), STR("unicodeCodePoints"));
}

/* Of each repository that the stacks' code is in, at most one of a commit (3.14.11). */
static bool told_before(const struct scan_result *result, size_t at)
{
    const struct revision *revision = result->stacks[at].revision;
    for (size_t i = 0; i < at; i++) {
        const struct revision *other = result->stacks[i].revision;
        if (other && str_equal(other->repository, revision->repository) &&
            str_equal(other->commit, revision->commit))
            return true;
    }
    return false;
}

static void put_provenance(struct jsonw *w, const struct scan_result *result)
{
    size_t n = 0;
    for (size_t i = 0; i < result->nstacks; i++) {
        const struct revision *revision = result->stacks[i].revision;
        if (!revision || !revision->repository.len || told_before(result, i))
            continue;
        if (n++ == 0) {
            jsonw_key(w, STR("versionControlProvenance"));
            jsonw_array_open(w);
        }
        jsonw_object_open(w);
        jsonw_member_string(w, STR("repositoryUri"), revision->repository);
        if (revision->commit.len)
            jsonw_member_string(w, STR("revisionId"), revision->commit);
        if (revision->branch.len)
            jsonw_member_string(w, STR("branch"), revision->branch);
        jsonw_key(w, STR("mappedTo"));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("uriBaseId"), STR("SRCROOT"));
        jsonw_object_close(w);
        jsonw_object_close(w);
    }
    if (n)
        jsonw_array_close(w);
}

static void put_properties(struct jsonw *w, const struct tally *tally)
{
    AUTO_BUF summary = {.limit = BUF_DEFAULT_LIMIT};
    tally_print(&summary, tally);
    buf_str(&summary, STR("; "));
    tally_print_attributes(&summary, tally);
    jsonw_key(w, STR("properties"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("summary"), buf_view(&summary));
    jsonw_member_int(w, STR("resources"), (int64_t)tally->resources);
    jsonw_member_int(w, STR("unchecked"), (int64_t)tally->by_class[CLASS_UNCHECKED]);
    jsonw_member_int(w, STR("inSync"), (int64_t)tally->same);
    jsonw_object_close(w);
}

static void put_results(struct jsonw *w, const struct scan_result *result,
                        const struct report_options *options)
{
    jsonw_key(w, STR("results"));
    jsonw_array_open(w);
    for (size_t i = 0; i < result->nstacks; i++)
        for (size_t k = 0; k < result->stacks[i].nfindings; k++)
            if (finding_shown(&result->stacks[i].findings[k], options))
                put_result(w, &result->stacks[i], &result->stacks[i].findings[k], options);
    jsonw_array_close(w);
}

static bool write_sarif(struct buf *out, const struct scan_result *result,
                        const struct report_options *options, struct err *err)
{
    struct jsonw w = {.out = out, .indent = 1};
    struct tally tally = {0};
    tally_all(&tally, result);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("$schema"),
                        STR("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                            "sarif-schema-2.1.0.json"));
    jsonw_member_string(&w, STR("version"), STR("2.1.0"));
    jsonw_key(&w, STR("runs"));
    jsonw_array_open(&w);
    jsonw_object_open(&w);
    put_tool(&w, options);
    put_run_head(&w, result);
    put_provenance(&w, result);
    put_invocation(&w, result, &tally);
    put_results(&w, result, options);
    put_properties(&w, &tally);
    jsonw_object_close(&w);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}

const struct format format_sarif = {
    .name = "sarif",
    .summary = "SARIF 2.1.0 for code scanning",
    .extension = ".sarif",
    .write = write_sarif,
    .write_issues = issues_write_sarif,
};
