/* conftest_output.c - stdout, json, tap, junit and github as conftest writes them. */
#include "cli/conftest_output.h"

#include "base/buf.h"
#include "base/err.h"
#include "policy/plain.h"
#include "report/parts.h"
#include "wire/json.h"

static size_t total(const struct conftest_check *c)
{
    return c->successes + c->skipped + c->failures.n + c->warnings.n + c->exceptions.n;
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void write_counts(struct buf *out, const struct conftest_results *results)
{
    size_t successes = 0, failures = 0, warnings = 0, exceptions = 0, skipped = 0;
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        successes += c->successes;
        skipped += c->skipped;
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

static void write_lines(struct buf *out, const char *word, const struct conftest_check *c,
                        const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        buf_printf(out, "%s -", word);
        if (!str_equal(c->file, STR("-")))
            buf_printf(out, " %.*s", STR_ARG(c->file));
        buf_printf(out, " - %.*s - %.*s\n", STR_ARG(c->space), STR_ARG(items->item[i].message));
    }
}

static void write_printed(struct buf *out, struct str lines)
{
    struct str line;
    while (lines.len) {
        (void)str_cut(&lines, '\n', &line);
        buf_printf(out, "PRNT   %.*s\n", STR_ARG(line));
    }
}

static void write_stdout(struct buf *out, const struct conftest_results *results)
{
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        write_printed(out, c->output);
        if (!total(c))
            buf_printf(out, "? - %.*s - %.*s - no policies found\n", STR_ARG(c->file),
                       STR_ARG(c->space));
        write_lines(out, "WARN", c, &c->warnings);
        write_lines(out, "FAIL", c, &c->failures);
        if (!results->suppress_exceptions)
            write_lines(out, "EXCP", c, &c->exceptions);
    }
    buf_char(out, '\n');
    write_counts(out, results);
}

/* --- json --- */

static void write_metadata(struct jsonw *w, const struct conftest_item *item)
{
    struct value query = value_string(item->query);
    jsonw_key(w, STR("metadata"));
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
        if (item->query.len)
            write_metadata(w, item);
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
        if (c->skipped)
            jsonw_member_int(&w, STR("skipped"), (int64_t)c->skipped);
        write_items(&w, "warnings", &c->warnings);
        write_items(&w, "failures", &c->failures);
        write_items(&w, "exceptions", &c->exceptions);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
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
    for (size_t i = 0; i < items->n; i++)
        buf_printf(out, "%s %zu - %.*s - %.*s - %.*s\n", word, (*number)++, STR_ARG(c->file),
                   STR_ARG(c->space), STR_ARG(items->item[i].message));
}

static void write_tap(struct buf *out, const struct conftest_results *results)
{
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        size_t number = 1;
        if (!total(c))
            continue;
        buf_printf(out, "1..%zu\n", total(c));
        write_tap_items(out, "", "not ok", c, &c->failures, &number);
        write_tap_items(out, "warnings", "not ok", c, &c->warnings, &number);
        if (!results->suppress_exceptions)
            write_tap_items(out, "exceptions", "ok", c, &c->exceptions, &number);
        if (c->successes)
            buf_str(out, STR("# successes\n"));
        for (size_t k = 0; k < c->successes; k++)
            buf_printf(out, "ok %zu - %.*s - %.*s - SUCCESS\n", number++, STR_ARG(c->file),
                       STR_ARG(c->space));
    }
}

/* --- junit --- */

static void write_junit_items(struct buf *out, const struct conftest_results *results,
                              const struct conftest_check *c, const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        AUTO_BUF name = {.limit = 1 << 20};
        buf_printf(&name, "%.*s - %.*s", STR_ARG(c->file), STR_ARG(c->space));
        if (!results->hide_message)
            buf_printf(&name, " - %.*s", STR_ARG(items->item[i].message));
        buf_str(out, STR("\t\t<testcase classname=\"conftest\""));
        junit_attribute(out, "name", buf_view(&name));
        buf_str(out, STR(" time=\"0.000\">\n\t\t\t<failure message=\"Failed\" type=\"\">"));
        junit_text(out, items->item[i].message, false);
        buf_str(out, STR("</failure>\n\t\t</testcase>\n"));
    }
}

static void write_junit(struct buf *out, const struct conftest_results *results)
{
    buf_str(out, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"));
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        size_t bad = c->failures.n + c->warnings.n;
        buf_printf(out, "\t<testsuite tests=\"%zu\" failures=\"%zu\" time=\"0.000\"",
                   c->successes + c->skipped + bad, bad);
        buf_str(out, STR(" name=\"conftest."));
        junit_text(out, c->space, true);
        buf_str(out, STR("\">\n"));
        write_junit_items(out, results, c, &c->warnings);
        write_junit_items(out, results, c, &c->failures);
        for (size_t k = 0; k < c->successes; k++) {
            buf_str(out, STR("\t\t<testcase classname=\"conftest\""));
            AUTO_BUF name = {.limit = 1 << 20};
            buf_printf(&name, "%.*s - %.*s", STR_ARG(c->file), STR_ARG(c->space));
            junit_attribute(out, "name", buf_view(&name));
            buf_str(out, STR(" time=\"0.000\"></testcase>\n"));
        }
        buf_str(out, STR("\t</testsuite>\n"));
    }
    buf_str(out, STR("</testsuites>\n"));
}

/* --- github --- */

/* Data of a workflow command: per cent signs and line ends are escaped. */
static void write_command_text(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '%' || s.ptr[i] == '\n' || s.ptr[i] == '\r')
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)s.ptr[i]);
        else
            buf_char(out, s.ptr[i]);
}

static void write_github_items(struct buf *out, const char *word, const struct conftest_check *c,
                               const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        const struct conftest_item *item = &items->item[i];
        buf_printf(out, "::%s file=%.*s", word, STR_ARG(item->file.len ? item->file : c->file));
        buf_printf(out, ",line=%lld", item->line ? (long long)item->line : 1LL);
        buf_str(out, STR("::"));
        write_command_text(out, item->message);
        buf_char(out, '\n');
    }
}

static void write_github(struct buf *out, const struct conftest_results *results)
{
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        bool passed = !c->failures.n && !c->warnings.n && !c->exceptions.n;
        if (results->hide_passed && passed)
            continue;
        buf_printf(out, "::group::Testing \"%.*s\" against %zu policies in namespace \"%.*s\"\n",
                   STR_ARG(c->file), total(c), STR_ARG(c->space));
        write_github_items(out, "error", c, &c->failures);
        write_github_items(out, "warning", c, &c->warnings);
        if (!results->suppress_exceptions)
            write_github_items(out, "notice", c, &c->exceptions);
        if (c->successes && !results->hide_passed)
            buf_printf(out, "::notice file=%.*s,line=1::Number of successful checks: %zu\n",
                       STR_ARG(c->file), c->successes);
        buf_str(out, STR("::endgroup::\n"));
    }
    write_counts(out, results);
}

/* --- the table --- */

static const struct {
    struct str name;
    void (*write)(struct buf *out, const struct conftest_results *results);
} formats[] = {
    {STR_INIT("stdout"), write_stdout}, {STR_INIT("json"), write_json},
    {STR_INIT("tap"), write_tap},       {STR_INIT("junit"), write_junit},
    {STR_INIT("github"), write_github},
};
const char *const conftest_formats[] = {"stdout", "json", "tap", "junit", "github", NULL};

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
