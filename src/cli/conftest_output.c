/* conftest_output.c - what conftest writes: lines, JSON, TAP, JUnit, commands of GitHub and Azure.
 */
#include "cli/conftest_output.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "policy/plain.h"
#include "report/parts.h"
#include "wire/json.h"

size_t conftest_total(const struct conftest_check *c)
{
    return c->successes + c->skipped.n + c->failures.n + c->warnings.n + c->exceptions.n;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

void conftest_write_counts(struct buf *out, const struct conftest_results *results)
{
    size_t successes = 0, failures = 0, warnings = 0, exceptions = 0, skipped = 0;
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        successes += c->successes;
        skipped += c->skipped.n;
        failures += c->failures.n;
        warnings += c->warnings.n;
        exceptions += c->exceptions.n;
    }
    size_t all = successes + failures + warnings + exceptions + skipped;
    buf_printf(out, "%zu test%s, %zu passed, %zu warning%s, %zu failure%s, %zu exception%s", all,
               plural(all), successes, warnings, plural(warnings), failures, plural(failures),
               exceptions, plural(exceptions));
    if (results->verify)
        buf_printf(out, ", %zu skipped", skipped);
    buf_char(out, '\n');
}

/* --- stdout --- */

/* " - FILE - NAMESPACE - " */
static void write_head(struct buf *out, const struct conftest_check *c)
{
    buf_str(out, STR(" -"));
    if (!str_equal(c->file, STR("-")))
        buf_printf(out, " %.*s", STR_ARG(c->file));
    buf_printf(out, " - %.*s - ", STR_ARG(c->space));
}

static void write_lines(struct buf *out, const char *word, const struct conftest_check *c,
                        const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        buf_str(out, str_from(word));
        write_head(out, c);
        buf_printf(out, "%.*s\n", STR_ARG(items->item[i].message));
    }
}

static void write_printed(struct buf *out, struct str lines)
{
    struct str line;
    while (lines.len) {
        (void)str_cut(&lines, '\n', &line);
        buf_printf(out, "PRNT   %.*s\n\n", STR_ARG(line));
    }
}

/* What was printed comes first, all of it, a blank line behind each. */
static void write_stdout(struct buf *out, const struct conftest_results *results)
{
    for (size_t i = 0; i < results->n; i++)
        write_printed(out, results->check[i].output);
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        write_lines(out, "WARN", c, &c->warnings);
        write_lines(out, "FAIL", c, &c->failures);
        if (!results->suppress_exceptions)
            write_lines(out, "EXCP", c, &c->exceptions);
    }
    buf_char(out, '\n');
    conftest_write_counts(out, results);
}

/* --- json --- */

void conftest_write_metadata(struct jsonw *w, const struct conftest_item *item)
{
    struct value query = value_string(item->query);
    jsonw_object_open(w);
    bool done = !item->query.len;
    for (uint32_t i = 0; i < (item->metadata.kind == VALUE_OBJECT ? item->metadata.len : 0); i++) {
        struct str key = key_str(item->metadata.members[i].key);
        int c = str_compare(key, STR("query"));
        if (!done && c >= 0) {
            jsonw_key(w, STR("query"));
            policy_json_value(w, &query);
            done = true;
        }
        if (c == 0)
            continue;
        jsonw_key(w, key);
        policy_json_value(w, &item->metadata.members[i].value);
    }
    if (!done) {
        jsonw_key(w, STR("query"));
        policy_json_value(w, &query);
    }
    jsonw_object_close(w);
}

static void write_items(struct jsonw *w, const char *name, const struct conftest_items *items)
{
    if (!items->n)
        return;
    jsonw_key(w, str_from(name));
    jsonw_array_open(w);
    for (size_t i = 0; i < items->n; i++) {
        const struct conftest_item *item = &items->item[i];
        struct value msg = value_string(item->message);
        jsonw_object_open(w);
        jsonw_key(w, STR("msg"));
        policy_json_value(w, &msg);
        if (item->file.len) {
            jsonw_key(w, STR("loc"));
            jsonw_object_open(w);
            jsonw_member_string(w, STR("file"), item->file);
            jsonw_member_int(w, STR("line"), item->line);
            jsonw_object_close(w);
        }
        if (item->query.len) {
            jsonw_key(w, STR("metadata"));
            conftest_write_metadata(w, item);
        }
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

static void write_json(struct buf *out, const struct conftest_results *results)
{
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &compact};
    jsonw_array_open(&w);
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("filename"), str_equal(c->file, STR("-")) ? STR("") : c->file);
        jsonw_member_string(&w, STR("namespace"), c->space);
        jsonw_member_int(&w, STR("successes"), (int64_t)c->successes);
        write_items(&w, "skipped", &c->skipped);
        write_items(&w, "warnings", &c->warnings);
        write_items(&w, "failures", &c->failures);
        write_items(&w, "exceptions", &c->exceptions);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    if (!results->n) {
        buf_str(out, STR("null\n"));
        return;
    }
    policy_json_indent(out, buf_view(&compact), STR("\t"));
    buf_char(out, '\n');
    out->failed = out->failed || compact.failed;
}

/* --- tap --- */

static void write_tap_items(struct buf *out, const char *head, const char *word,
                            const struct conftest_check *c, const struct conftest_items *items,
                            size_t *number)
{
    if (items->n && *head)
        buf_printf(out, "# %s\n", head);
    for (size_t i = 0; i < items->n; i++) {
        buf_printf(out, "%s %zu", word, (*number)++);
        write_head(out, c);
        buf_printf(out, "%.*s\n", STR_ARG(items->item[i].message));
    }
}

/* One plan for all; the numbers go on. */
static void write_tap(struct buf *out, const struct conftest_results *results)
{
    size_t all = 0, number = 1;
    for (size_t i = 0; i < results->n; i++)
        all += conftest_total(&results->check[i]);
    if (all)
        buf_printf(out, "1..%zu\n", all);
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        write_tap_items(out, "", "not ok", c, &c->failures, &number);
        write_tap_items(out, "warnings", "not ok", c, &c->warnings, &number);
        write_tap_items(out, "exceptions", "ok", c, &c->exceptions, &number);
        write_tap_items(out, "skip", "ok", c, &c->skipped, &number);
        if (c->successes)
            buf_str(out, STR("# successes\n"));
        for (size_t k = 0; k < c->successes; k++) {
            buf_printf(out, "ok %zu", number++);
            write_head(out, c);
            buf_str(out, STR("SUCCESS\n"));
        }
    }
}

/* --- junit --- */

/* Escaped as Go's encoder does it. */
static void junit_escape(struct buf *out, struct str s)
{
    static const struct {
        char c;
        const char *text;
    } escapes[] = {{'"', "&#34;"}, {'\'', "&#39;"}, {'&', "&amp;"},  {'<', "&lt;"},
                   {'>', "&gt;"},  {'\t', "&#x9;"}, {'\n', "&#xA;"}, {'\r', "&#xD;"}};
    for (size_t i = 0; i < s.len; i++) {
        const char *text = NULL;
        for (size_t k = 0; k < sizeof escapes / sizeof *escapes; k++)
            text = s.ptr[i] == escapes[k].c ? escapes[k].text : text;
        if ((unsigned char)s.ptr[i] < ' ' && !text)
            text = "\xef\xbf\xbd"; /* XML has no such character */
        if (text)
            buf_str(out, str_from(text));
        else
            buf_char(out, s.ptr[i]);
    }
}

/* Opened, not ended. The name has the first line of the message. */
static void junit_case(struct buf *out, const struct conftest_check *c, struct str message)
{
    struct str line;
    (void)str_cut(&message, '\n', &line);
    buf_str(out, STR("\t\t<testcase classname=\"conftest."));
    junit_escape(out, c->space);
    buf_str(out, STR("\" name=\""));
    junit_escape(out, c->file);
    buf_str(out, line.len ? STR(" - ") : STR(""));
    junit_escape(out, line);
    buf_str(out, STR("\" time=\"0.000\">"));
}

static void junit_items(struct buf *out, const struct conftest_results *results,
                        const struct conftest_check *c, const struct conftest_items *items,
                        bool skipped)
{
    for (size_t i = 0; i < items->n; i++) {
        struct str message = items->item[i].message;
        junit_case(out, c, results->hide_message ? STR("") : message);
        buf_str(out, skipped ? STR("\n\t\t\t<skipped message=\"")
                             : STR("\n\t\t\t<failure message=\"Failed\" type=\"\">"));
        junit_escape(out, message);
        buf_str(out, skipped ? STR("\"></skipped>") : STR("</failure>"));
        buf_str(out, STR("\n\t\t</testcase>\n"));
    }
}

static void junit_check(struct buf *out, const struct conftest_results *results,
                        const struct conftest_check *c)
{
    junit_items(out, results, c, &c->warnings, false);
    junit_items(out, results, c, &c->failures, false);
    junit_items(out, results, c, &c->skipped, true);
    for (size_t k = 0; k < c->successes; k++) {
        junit_case(out, c, STR(""));
        buf_str(out, STR("</testcase>\n"));
    }
}

/* A suite for each namespace, over all files: where it stands first. */
static void junit_suite(struct buf *out, const struct conftest_results *results, size_t first)
{
    struct str space = results->check[first].space;
    size_t tests = 0, bad = 0;
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        if (!str_equal(c->space, space))
            continue;
        if (i < first)
            return;
        bad += c->failures.n + c->warnings.n;
        tests += c->successes + c->skipped.n + c->failures.n + c->warnings.n;
    }
    if (!tests)
        return;
    if (!str_ends(buf_view(out), STR("\n")))
        buf_char(out, '\n');
    buf_printf(out, "\t<testsuite tests=\"%zu\" failures=\"%zu\" time=\"0.000\" name=\"conftest.",
               tests, bad);
    junit_escape(out, space);
    buf_str(out, STR("\">\n"));
    for (size_t i = first; i < results->n; i++)
        if (str_equal(results->check[i].space, space))
            junit_check(out, results, &results->check[i]);
    buf_str(out, STR("\t</testsuite>\n"));
}

static void write_junit(struct buf *out, const struct conftest_results *results)
{
    buf_str(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>"));
    for (size_t i = 0; i < results->n; i++)
        junit_suite(out, results, i);
    buf_str(out, STR("</testsuites>\n"));
}

/* --- github --- */

/* Text of a workflow command; in a property, colons and commas are escaped, too. */
static void put_command_text(struct buf *out, struct str s, const char *escaped)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] && strchr(escaped, s.ptr[i]))
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)s.ptr[i]);
        else
            buf_char(out, s.ptr[i]);
}

static void github_line(struct buf *out, const char *word, struct str file, int64_t line)
{
    buf_printf(out, "::%s file=", word);
    put_command_text(out, file, "%\r\n:,");
    buf_printf(out, ",line=%lld::", line ? (long long)line : 1LL);
}

/* A place in another file is told there, and in the file that was tested. */
static void github_items(struct buf *out, const char *word, const char *prefix,
                         const struct conftest_check *c, const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct conftest_item *item = &items->item[i];
        bool placed = item->file.len > 0, same = str_equal(item->file, c->file);
        github_line(out, word, placed ? item->file : c->file, placed ? item->line : 1);
        buf_str(out, str_from(prefix));
        put_command_text(out, item->message, "%\r\n");
        buf_char(out, '\n');
        if (!placed || same)
            continue;
        github_line(out, word, c->file, 1);
        buf_printf(out, "(ORIGINATING FROM %.*s L%lld) ", STR_ARG(item->file),
                   (long long)item->line);
        put_command_text(out, item->message, "%\r\n");
        buf_char(out, '\n');
    }
}

static void write_github(struct buf *out, const struct conftest_results *results)
{
    struct conftest_results counted = *results;
    counted.verify = false; /* skipped ones are not counted here */
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        if (results->hide_passed && c->successes == conftest_total(c))
            continue;
        buf_str(out, STR("::group::Testing \""));
        put_command_text(out, c->file, "%\r\n");
        buf_printf(out, "\" against %zu policies in namespace \"%.*s\"\n", conftest_total(c),
                   STR_ARG(c->space));
        github_items(out, "error", "", c, &c->failures);
        github_items(out, "warning", "", c, &c->warnings);
        github_items(out, "notice", "", c, &c->exceptions);
        github_items(out, "notice", "Test was skipped: ", c, &c->skipped);
        github_line(out, "notice", c->file, 1);
        buf_printf(out, "Number of successful checks: %zu\n::endgroup::\n", c->successes);
    }
    conftest_write_counts(out, &counted);
}

/* --- the table --- */

static const struct {
    struct str name;
    void (*write)(struct buf *out, const struct conftest_results *results);
} formats[] = {
    {STR_INIT("stdout"), write_stdout},
    {STR_INIT("json"), write_json},
    {STR_INIT("tap"), write_tap},
    {STR_INIT("junit"), write_junit},
    {STR_INIT("github"), write_github},
    {STR_INIT("table"), conftest_write_table},
    {STR_INIT("azuredevops"), conftest_write_azure},
    {STR_INIT("sarif"), conftest_write_sarif},
};
const char *const conftest_formats[] = {"stdout", "json",        "tap",   "table", "junit",
                                        "github", "azuredevops", "sarif", NULL};

bool conftest_output(FILE *out, struct str format, const struct conftest_results *results,
                     struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    size_t chosen = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (str_equal(formats[i].name, format))
            chosen = i;
    formats[chosen].write(&text, results);
    if (!buf_ok(&text, err))
        return false;
    if (text.len)
        (void)fwrite(text.ptr, 1, text.len, out);
    return true;
}
