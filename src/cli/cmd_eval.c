/* cmd_eval.c - `plumb eval`: expressions of the language, evaluated in a root module. */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/root.h"
#include "lang/hcl/console.h"
#include "lang/hcl/lex.h"
#include "model/finding.h"
#include "report/parts.h"
#include "wire/json.h"

enum { INPUT_BYTES_MAX = 64 << 20, LINES_MAX = 10000 };

static const char *const formats[] = {"text", "json", NULL};

enum { DIR = ROOT_OPTION_COUNT, OUTPUT, OPTION_COUNT };

static const struct option options[] = {
    ROOT_OPTIONS,
    [DIR] = ROOT_DIR_OPTION,
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FORMAT",
                .choices = formats,
                .text = "text, as terraform console prints values, or json: one line for each "
                        "expression"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    const struct invocation *in;
    struct root root;
    bool json;
    bool lacking; /* something is unknown, or failed */
};

/* --- printing --- */

static void put_json(struct arena *arena, struct buf *out, struct str text, const struct value *v)
{
    struct jsonw w = {.out = out};
    AUTO_BUF type = {.limit = 16 << 20};
    struct value parsed;
    const struct type *own = hcl_type_of(arena, v);
    type_print_json(&type, own ? own : &type_dynamic);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("expression"), text);
    jsonw_key(&w, STR("type"));
    if (json_parse(arena, buf_view(&type), "type", JSON_COPY, &parsed, NULL))
        jsonw_value(&w, &parsed);
    else
        jsonw_null(&w);
    jsonw_key(&w, STR("value"));
    value_json(&w, v, false);
    jsonw_member_bool(&w, STR("unknown"), value_any_unknown(v));
    jsonw_member_bool(&w, STR("sensitive"), value_any_sensitive(v));
    jsonw_object_close(&w);
    buf_char(out, '\n');
}

/* type(x) as the whole of an expression: the console's own function. Its argument, or empty. */
static struct str type_argument(struct arena *arena, struct str text)
{
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    const struct hcl_expr *expr;
    if (!hcl_parse_expression(arena, text, STR("<expression>"), &unheard, &expr, NULL) ||
        hcl_has_errors(&unheard) || expr->kind != HCL_EXPR_CALL ||
        !str_equal(expr->call.name, STR("type")) || expr->call.nargs != 1)
        return (struct str){0};
    return str_sub(text, expr->call.arg[0]->range.start, expr->call.arg[0]->range.end);
}

/* To app->err: what a value lacks. */
static bool tell_why(struct job *job, struct str text, struct err *err)
{
    const struct hcl_diags *diags;
    struct code_chain chain;
    struct value v;
    AUTO_BUF why = {.limit = 1 << 20};
    if (!code_explain_text(job->root.code, text, &v, &chain, &diags, err))
        return false;
    text_safe_lines(&why, chain.unknown_because, 2);
    if (why.len)
        (void)fprintf(job->app->err, "note: unknown because %.*s\n", (int)why.len, why.ptr);
    return true;
}

/* *ret_good: it has a value, which was printed. */
static bool evaluate(struct job *job, struct str text, bool *ret_good, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 32};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    const struct hcl_diags *diags;
    struct str inner = job->json ? (struct str){0} : type_argument(&arena, text);
    struct str asked = inner.len ? inner : text;
    struct value v;
    if (!code_eval_text(job->root.code, asked, &v, &diags, err))
        return false;
    root_tell(job->app, code_module_tree(job->root.code), diags, asked, false);
    *ret_good = !hcl_has_errors(diags);
    job->lacking |= !*ret_good;
    if (!*ret_good)
        return true;
    const struct type *type = inner.len ? hcl_type_of(&arena, &v) : NULL;
    if (job->json)
        put_json(&arena, &out, text, &v);
    else if (type)
        hcl_console_type(&out, type);
    else
        hcl_console_value(&arena, &out, &v);
    if (!job->json)
        buf_char(&out, '\n');
    if (!buf_ok(&out, err))
        return false;
    if (fwrite(out.ptr, 1, out.len, job->app->out) != out.len || fflush(job->app->out) != 0)
        return err_set(err, ERR_IO, "write a value to standard output");
    job->lacking |= value_any_unknown(&v);
    return !value_any_unknown(&v) || tell_why(job, asked, err);
}

/* --- where they come from --- */

/* One a line; brackets and heredocs that are open go on in the next. */
static bool is_whole(struct str text)
{
    AUTO_ARENA scratch = {.limit = (size_t)1 << 32};
    const struct hcl_token *token;
    size_t n;
    long open = 0;
    if (!hcl_lex(&scratch, text, HCL_LEX_CONFIG, &token, &n, NULL))
        return true;
    for (size_t i = 0; i < n; i++) {
        enum hcl_token_kind kind = token[i].kind;
        open += kind == HCL_OBRACE || kind == HCL_OBRACK || kind == HCL_OPAREN ||
                kind == HCL_OHEREDOC || kind == HCL_INTERP || kind == HCL_CONTROL;
        open -= kind == HCL_CBRACE || kind == HCL_CBRACK || kind == HCL_CPAREN ||
                kind == HCL_CHEREDOC || kind == HCL_SEQ_END;
    }
    return open <= 0;
}

/* The next expression of the lines, with its line ends inside; false at the end. */
static bool next_expression(struct str *rest, struct str *ret)
{
    struct str line;
    bool more = true;
    while (more && rest->len) {
        const char *start = rest->ptr;
        more = str_cut(rest, '\n', &line);
        if (!str_trim(line).len)
            continue;
        *ret = (struct str){start, line.len + more};
        for (int i = 0; i < LINES_MAX && more && !is_whole(*ret); i++) {
            more = str_cut(rest, '\n', &line);
            ret->len = (size_t)(line.ptr - start) + line.len + more;
        }
        while (str_ends(*ret, STR("\n")) && is_whole(str_sub(*ret, 0, ret->len - 1)))
            ret->len--;
        return true;
    }
    return false;
}

static bool evaluate_lines(struct job *job, bool *ret_good, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 34};
    struct str rest, text;
    if (!io_read_fd(&arena, STDIN_FILENO, "standard input", INPUT_BYTES_MAX, &rest, err))
        return false;
    while (*ret_good && next_expression(&rest, &text)) {
        if (str_equal(str_trim(text), STR("exit")))
            return true;
        if (!evaluate(job, text, ret_good, err))
            return false;
    }
    return true;
}

static bool run_all(struct job *job, bool *ret_good, struct err *err)
{
    *ret_good = true;
    if (!job->in->nargs)
        return evaluate_lines(job, ret_good, err);
    for (size_t i = 0; i < job->in->nargs; i++) {
        bool good = true;
        if (!evaluate(job, job->in->args[i], &good, err))
            return false;
        *ret_good &= good;
    }
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 34};
    struct job job = {.app = app, .in = in, .json = str_equal(in->value[OUTPUT].text, STR("json"))};
    bool sound, good = false;
    if (!root_open(app, &arena, in, in->value[DIR].text, &job.root, &sound, err))
        return false;
    bool ok = !sound || run_all(&job, &good, err);
    if (ok && job.lacking)
        root_tell_notes(app, job.root.look);
    root_close(&job.root);
    *ret_exit = good ? EXIT_IN_SYNC : EXIT_ERROR;
    return ok;
}

const struct command cmd_eval = {
    .name = "eval",
    .usage = "plumb eval [EXPRESSION...] [options]",
    .summary = "evaluate expressions in a root module, as terraform console",
    .help =
        "Variables, locals, module outputs and resources of the root module may be used; what a "
        "resource computes is taken from the state. Without an EXPRESSION they are read from "
        "standard input, one a line (open brackets go on in the next); the first that fails "
        "ends it. type(EXPRESSION) prints a type.\n\n"
        "Nothing is changed and nothing live is read. What is sensitive is not printed.\n\n"
        "Exit codes: 0 all have values, 1 one of them has none.\n\n"
        "  plumb eval 'length(var.names)' -C infra/prod\n"
        "  plumb eval 'cidrsubnet(\"10.0.0.0/8\", 8, 3)'\n"
        "  echo 'local.tags' | plumb eval --output json",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
