/* cmd_policy_eval.c - `plumb policy eval`: what a query of Rego gives, over policies, data and
 * input.
 */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/regex_re2.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/explain.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "model/finding.h"
#include "policy/load.h"
#include "policy/plain.h"
#include "policy/schemas.h"
#include "wire/json.h"

static const char *const explanations[] = {"notes", "fails", "full", NULL};
static const char *const formats[] = {"json", "text", "bindings", "values", "raw", NULL};

enum {
    DATA,
    BUNDLE,
    INPUT,
    OUTPUT,
    IGNORE,
    REGO_V0,
    SCHEMA,
    CAPABILITIES,
    STRICT,
    STRICT_BUILTIN,
    SHOW_BUILTIN,
    EXPLAIN,
    FAIL,
    FAIL_DEFINED,
    TIMEOUT,
    OPTION_COUNT
};

static const struct option options[] = {
    [DATA] = {.name = "data",
              .letter = 'd',
              .kind = OPTION_LIST,
              .arg = "[KEY:]PATH",
              .text =
                  "policies (.rego) and data (.json, .yaml, .yml) of a file or a folder; folders "
                  "below it become keys; may be repeated"},
    [BUNDLE] = {.name = "bundle",
                .letter = 'b',
                .kind = OPTION_LIST,
                .arg = "FILE",
                .text = "policies and data of a bundle (.tar.gz); may be repeated"},
    [INPUT] = {.name = "input",
               .letter = 'i',
               .kind = OPTION_STRING,
               .arg = "FILE",
               .text = "the input document, JSON or YAML; - is standard input"},
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FORMAT",
                .choices = formats,
                .text = "json (as without it), text for people, bindings or values alone, or raw: "
                        "the values of each answer in a line, strings without quotes"},
    [IGNORE] = {.name = "ignore",
                .kind = OPTION_STRING,
                .arg = "REGEX",
                .text = "pass over files and folders of --data whose paths match"},
    [SCHEMA] = ROW_SCHEMA,
    [CAPABILITIES] = ROW_CAPABILITIES,
    [REGO_V0] = ROW_REGO_V0,
    [STRICT] = {.name = "strict",
                .kind = OPTION_FLAG,
                .text = "unused variables, arguments and imports are errors"},
    [STRICT_BUILTIN] = {.name = "strict-builtin-errors",
                        .kind = OPTION_FLAG,
                        .text = "an error in a built-in function ends the evaluation; without it "
                                "the call is undefined"},
    [SHOW_BUILTIN] = {.name = "show-builtin-errors",
                      .kind = OPTION_FLAG,
                      .text = "print errors in built-in functions to standard error"},
    [EXPLAIN] = {.name = "explain",
                 .kind = OPTION_STRING,
                 .arg = "WHAT",
                 .choices = explanations,
                 .text = "tell how the answer came about, before it: notes (what trace() was "
                         "given), fails (expressions without a solution), or full; each below "
                         "the rules that led there"},
    [FAIL] = {.name = "fail", .kind = OPTION_FLAG, .text = "exit with 3 if nothing is defined"},
    [FAIL_DEFINED] = {.name = "fail-defined",
                      .kind = OPTION_FLAG,
                      .text = "exit with 3 if anything is defined"},
    [TIMEOUT] = {.name = "timeout",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1,
                 .most = 86400000,
                 .text = "the longest that the evaluation may take, such as 5s"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { MEMORY_MAX_SHIFT = 34 };

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct str query;
    struct regex *ignore;
    struct rego_diags diags;
    struct rego_policy *policy;
    struct rego_query *prepared;
    struct explain explain;
    struct capabilities capabilities;
};

static bool given(const struct job *job, size_t row)
{
    return job->in->value[row].set;
}

/* --- errors --- */

static void write_error(struct jsonw *w, const char *code, struct str message, struct str file,
                        uint32_t row, uint32_t col)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("message"), message);
    jsonw_member_string(w, STR("code"), str_from(code));
    jsonw_key(w, STR("location"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("file"), str_equal(file, STR("query")) ? STR("") : file);
    jsonw_member_int(w, STR("row"), row);
    jsonw_member_int(w, STR("col"), col);
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static bool print_json(const struct job *job, const struct buf *compact, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    policy_json_indent(&out, buf_view(compact), STR("  "));
    buf_char(&out, '\n');
    if (!buf_ok(compact, err) || !buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

static bool is_json(const struct job *job)
{
    struct str output = job->in->value[OUTPUT].text;
    return !output.len || str_equal(output, STR("json"));
}

/* {"errors": [...]} where JSON is wanted, lines else. */
static bool tell_errors(const struct job *job, const struct rego_error *error, struct err *err)
{
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &compact};
    if (!is_json(job)) {
        policy_print_diags(job->app->err, &job->diags);
        if (error)
            policy_print_error(job->app->err, error);
        return true;
    }
    jsonw_object_open(&w);
    jsonw_key(&w, STR("errors"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < job->diags.n; i++) {
        const struct rego_diag *d = &job->diags.diag[i];
        write_error(&w, d->code, d->message, d->file, d->row, d->col);
    }
    if (error)
        write_error(&w, error->code, error->message, error->file, error->row, error->col);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    return print_json(job, &compact, err);
}

/* --- results --- */

/* Where each expression of the query stands in its text. */
struct spans {
    struct rego_body *body;
    struct str query;
};

static void write_expression(struct jsonw *w, const struct spans *spans, size_t i,
                             const struct value *v)
{
    jsonw_object_open(w);
    jsonw_key(w, STR("value"));
    policy_json_value(w, v);
    if (i < spans->body->n) {
        struct rego_place place = spans->body->expr[i]->place;
        struct value text = value_string(str_trim(str_sub(spans->query, place.start, place.end)));
        jsonw_key(w, STR("text"));
        policy_json_value(w, &text);
        jsonw_key(w, STR("location"));
        jsonw_object_open(w);
        jsonw_member_int(w, STR("row"), place.row);
        jsonw_member_int(w, STR("col"), place.col);
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
}

static bool give_json(const struct job *job, const struct rego_result *result, struct err *err)
{
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &compact};
    struct spans spans = {.query = job->query};
    struct rego_diags ignored = {.arena = job->arena};
    if (!rego_parse_query(job->arena, job->query, STR("query"), &(struct rego_parse_options){0},
                          &ignored, &spans.body))
        return err_set(err, ERR_SYNTAX, "the query is read in two ways");
    jsonw_object_open(&w);
    if (result->values.len)
        jsonw_key(&w, STR("result"));
    if (result->values.len)
        jsonw_array_open(&w);
    for (uint32_t i = 0; i < result->values.len; i++) {
        const struct value *values = &result->values.items[i];
        jsonw_object_open(&w);
        jsonw_key(&w, STR("expressions"));
        jsonw_array_open(&w);
        for (uint32_t k = 0; k < values->len; k++)
            write_expression(&w, &spans, k, &values->items[k]);
        jsonw_array_close(&w);
        if (result->bindings.items[i].len) {
            jsonw_key(&w, STR("bindings"));
            policy_json_value(&w, &result->bindings.items[i]);
        }
        jsonw_object_close(&w);
    }
    if (result->values.len)
        jsonw_array_close(&w);
    if (given(job, EXPLAIN))
        explain_json(&job->explain, &w);
    jsonw_object_close(&w);
    return print_json(job, &compact, err);
}

/* One document a line group: the bindings, or the values, of each answer. */
static bool give_each(const struct job *job, const struct value *answers, struct err *err)
{
    for (uint32_t i = 0; i < answers->len; i++) {
        AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT};
        rego_json(&compact, &answers->items[i]);
        if (!print_json(job, &compact, err))
            return false;
    }
    return true;
}

static bool give_bindings(const struct job *job, const struct rego_result *result, struct err *err)
{
    return give_each(job, &result->bindings, err);
}

static bool give_values(const struct job *job, const struct rego_result *result, struct err *err)
{
    return give_each(job, &result->values, err);
}

static bool give_raw(const struct job *job, const struct rego_result *result, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    for (uint32_t i = 0; i < result->values.len; i++) {
        const struct value *values = &result->values.items[i];
        for (uint32_t k = 0; k < values->len; k++) {
            if (k)
                buf_char(&out, ' ');
            if (values->items[k].kind == VALUE_STRING)
                buf_str(&out, value_text(&values->items[k]));
            else
                rego_json(&out, &values->items[k]);
        }
        buf_char(&out, '\n');
    }
    if (!buf_ok(&out, err))
        return false;
    if (out.len)
        (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

/* name = value of each variable, or the values; a blank line between answers. */
static bool give_text(const struct job *job, const struct rego_result *result, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    if (!result->values.len)
        buf_str(&out, STR("undefined\n"));
    for (uint32_t i = 0; i < result->values.len; i++) {
        const struct value *bindings = &result->bindings.items[i], *values;
        struct value key, v;
        if (i && bindings->len)
            buf_char(&out, '\n');
        for (size_t at = 0; rego_next(bindings, &at, &key, &v);) {
            buf_printf(&out, "%.*s = ", STR_ARG(value_text(&key)));
            rego_text(&out, &v);
            buf_char(&out, '\n');
        }
        values = &result->values.items[i];
        for (uint32_t k = 0; k < values->len && !bindings->len; k++) {
            rego_text(&out, &values->items[k]);
            buf_char(&out, '\n');
        }
    }
    if (!buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, job->app->out);
    return true;
}

static const struct {
    struct str name;
    bool (*give)(const struct job *job, const struct rego_result *result, struct err *err);
} giving[] = {
    {STR_INIT("json"), give_json},     {STR_INIT("text"), give_text},
    {STR_INIT("values"), give_values}, {STR_INIT("bindings"), give_bindings},
    {STR_INIT("raw"), give_raw},
};

static bool give(const struct job *job, const struct rego_result *result, struct err *err)
{
    if (given(job, EXPLAIN) && !is_json(job))
        explain_print(&job->explain, job->app->out);
    struct str output = is_json(job) ? STR("json") : job->in->value[OUTPUT].text;
    for (size_t i = 0; i < sizeof giving / sizeof *giving; i++)
        if (str_equal(giving[i].name, output))
            return giving[i].give(job, result, err);
    return err_set(err, ERR_USAGE, "--output: no format '%.*s'", STR_ARG(output));
}

/* --- evaluation --- */

static void print_line(void *ctx, struct str text, struct str file, uint32_t row)
{
    (void)fprintf((FILE *)ctx, "%.*s:%u: %.*s\n", STR_ARG(file), row, STR_ARG(text));
}

/* False with nothing in err: what is wrong stands in job->diags. */
static bool compile(struct job *job, struct value *ret_data, struct err *err)
{
    const struct option_value *data = &job->in->value[DATA], *bundles = &job->in->value[BUNDLE];
    struct str *paths = arena_new(job->arena, struct str, data->nlist + bundles->nlist);
    const struct policy_load_options load = {.v0 = given(job, REGO_V0), .ignore = job->ignore};
    struct rego_compile_options how = {.keep_print = true,
                                       .strict = given(job, STRICT),
                                       .coverage = given(job, EXPLAIN),
                                       .deadline_ms = job->in->value[TIMEOUT].number,
                                       .cancel = job->app->cancel};
    struct policy_files files;
    if (!paths)
        return arena_full(job->arena, err);
    if (!capabilities_read(job->arena, job->in->value[CAPABILITIES].text, &job->capabilities, err))
        return false;
    capabilities_apply(&job->capabilities, &how);
    for (size_t i = 0; i < data->nlist; i++)
        paths[i] = data->list[i];
    for (size_t i = 0; i < bundles->nlist; i++)
        paths[data->nlist + i] = bundles->list[i];
    if (!policy_load_schemas(job->arena, job->in->value[SCHEMA].text, &how, err) ||
        !policy_load(job->arena, paths, data->nlist + bundles->nlist, &load, &files, err))
        return false;
    *ret_data = files.data;
    return rego_compile(files.source, files.nsources, ret_data, &how, &job->diags, &job->policy,
                        err) &&
           rego_prepare(job->policy, job->query, &job->diags, &job->prepared, err);
}

static bool evaluate(struct job *job, int *ret_exit, struct err *err)
{
    const struct option_value *value = job->in->value;
    struct value input, data;
    struct rego_result result;
    const struct rego_trace trace = {explain_event, &job->explain};
    const struct rego_eval_options how = {
        .trace = given(job, EXPLAIN) ? &trace : NULL,
        .plain_input = true,
        .host = {.now_utc_ns = INT64_MIN, .print = print_line, .ctx = job->app->err},
        .strict_builtin_errors = given(job, STRICT_BUILTIN),
        .memory = (size_t)1 << MEMORY_MAX_SHIFT,
        .deadline_ms = value[TIMEOUT].number,
        .cancel = job->app->cancel};
    *ret_exit = EXIT_ERROR;
    if (given(job, INPUT) && !policy_load_document(job->arena, value[INPUT].text, &input, err))
        return err_wrap(err, "--input");
    if (!compile(job, &data, err))
        return job->diags.n && tell_errors(job, NULL, err);
    if (!rego_eval(job->prepared, given(job, INPUT) ? &input : NULL, &how, job->arena, &result,
                   err))
        return false;
    for (size_t i = 0; i < result.nbuiltin_errors && given(job, SHOW_BUILTIN); i++)
        policy_print_error(job->app->err, &result.builtin_errors[i]);
    if (result.error.code)
        return tell_errors(job, &result.error, err);
    bool defined = result.values.len > 0;
    *ret_exit = (given(job, FAIL) && !defined) || (given(job, FAIL_DEFINED) && defined)
                    ? EXIT_VIOLATION
                    : EXIT_IN_SYNC;
    return give(job, &result, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT, .small_pages = true};
    struct job job = {.app = app, .in = in, .arena = &arena, .query = in->args[0]};
    job.diags.arena = &arena;
    job.explain = (struct explain){.arena = &arena, .what = in->value[EXPLAIN].text};
    bool ok = policy_regex("ignore", in->value[IGNORE].text, &job.ignore, err) &&
              evaluate(&job, ret_exit, err);
    rego_query_close(job.prepared);
    rego_close(job.policy);
    regex_close(job.ignore);
    return ok;
}

const struct command cmd_policy_eval = {
    .name = "policy eval",
    .usage = "plumb policy eval QUERY [options]",
    .summary = "evaluate a query of Rego over policies, data and an input",
    .help = "QUERY is what `opa eval` takes: a reference such as data.main.deny, or expressions "
            "separated by semicolons. The JSON has the same shape. print() goes to standard "
            "error. No network is used: http.send fails.\n\n"
            "Exit codes: 0 evaluated, 1 errors, 3 what --fail or --fail-defined say.\n\n"
            "  plumb policy eval 'data.main.deny' -d policy -i plan.json\n"
            "  plumb policy eval '1 + 1' --output raw",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
