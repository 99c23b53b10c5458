/* cmd_policy_lint.c - `plumb policy lint`: what policies say in vain. */
#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "cli/app.h"
#include "cli/capabilities.h"
#include "cli/command.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "lang/rego/lint.h"
#include "model/finding.h"
#include "policy/gatekeeper.h"
#include "policy/lint.h"
#include "policy/load.h"
#include "policy/plain.h"
#include "wire/json.h"

static const char *const formats[] = {"text", "json", "sarif", NULL};

enum { OUTPUT, SCHEMA, CAPABILITIES, IGNORE, REGO_V0, TIMEOUT, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FORMAT",
                .choices = formats,
                .text = "text (as without it), json or sarif"},
    [SCHEMA] = {.name = "schema",
                .letter = 's',
                .kind = OPTION_STRING,
                .arg = "FILE",
                .text = "the JSON Schema of every package's input; without it packages that plumb "
                        "asks about findings are held against its own"},
    [CAPABILITIES] = ROW_CAPABILITIES,
    [IGNORE] = {.name = "ignore",
                .kind = OPTION_STRING,
                .arg = "REGEX",
                .text = "pass over files and folders whose paths match"},
    [REGO_V0] = {.name = "rego-v0",
                 .kind = OPTION_FLAG,
                 .text = "read policies as Rego v0, the language before OPA 1.0"},
    [TIMEOUT] = {.name = "timeout",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1,
                 .most = 86400000,
                 .text = "the longest that compiling the policies may take, such as 5s; 60s "
                         "without it"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { MEMORY_MAX_SHIFT = 32 };

/* Of Rego and of rule and waiver files alike. */
struct said {
    const char *kind;
    bool error;
    struct str file, message;
    uint32_t row, col;
};
struct found {
    const struct said *item;
    size_t n, errors;
};

static const char *level(const struct said *said)
{
    return said->error ? "error" : "warning";
}

static bool give_text(const struct app *app, const struct found *found, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < found->n; i++) {
        const struct said *said = &found->item[i];
        (void)fprintf(app->out, "%.*s:%u:%u: %s: %s: %.*s\n", STR_ARG(said->file), said->row,
                      said->col, level(said), said->kind, STR_ARG(said->message));
    }
    (void)fprintf(app->out, "%zu error%s, %zu warning%s\n", found->errors,
                  found->errors == 1 ? "" : "s", found->n - found->errors,
                  found->n - found->errors == 1 ? "" : "s");
    return true;
}

static bool print(const struct app *app, const struct buf *compact, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    policy_json_indent(&out, buf_view(compact), STR("  "));
    buf_char(&out, '\n');
    if (!buf_ok(compact, err) || !buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, app->out);
    return true;
}

static bool give_json(const struct app *app, const struct found *found, struct err *err)
{
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &compact};
    jsonw_array_open(&w);
    for (size_t i = 0; i < found->n; i++) {
        const struct said *said = &found->item[i];
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("rule"), str_from(said->kind));
        jsonw_member_string(&w, STR("level"), str_from(level(said)));
        jsonw_member_string(&w, STR("message"), said->message);
        jsonw_member_string(&w, STR("file"), said->file);
        jsonw_member_int(&w, STR("row"), said->row);
        jsonw_member_int(&w, STR("col"), said->col);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    return print(app, &compact, err);
}

static void open_key(struct jsonw *w, const char *key)
{
    jsonw_key(w, str_from(key));
    jsonw_object_open(w);
}

static void sarif_message(struct jsonw *w, const char *key, struct str text)
{
    open_key(w, key);
    jsonw_member_string(w, STR("text"), text);
    jsonw_object_close(w);
}

static void sarif_rule(struct jsonw *w, const char *name, const char *meaning)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), str_from(name));
    sarif_message(w, "shortDescription", str_from(meaning));
    jsonw_object_close(w);
}

static void sarif_rules(struct jsonw *w)
{
    jsonw_key(w, STR("rules"));
    jsonw_array_open(w);
    for (int i = 0; i < REGO_LINT_KINDS; i++)
        sarif_rule(w, rego_lint_name((enum rego_lint_kind)i),
                   rego_lint_meaning((enum rego_lint_kind)i));
    for (int i = 0; i < POLICY_LINT_KINDS; i++)
        sarif_rule(w, policy_lint_name((enum policy_lint_kind)i),
                   policy_lint_meaning((enum policy_lint_kind)i));
    jsonw_array_close(w);
}

static void sarif_result(struct jsonw *w, const struct said *said)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("ruleId"), str_from(said->kind));
    jsonw_member_string(w, STR("level"), str_from(level(said)));
    sarif_message(w, "message", said->message);
    jsonw_key(w, STR("locations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    open_key(w, "physicalLocation");
    open_key(w, "artifactLocation");
    jsonw_member_string(w, STR("uri"), said->file);
    jsonw_object_close(w);
    open_key(w, "region");
    jsonw_member_int(w, STR("startLine"), said->row);
    jsonw_member_int(w, STR("startColumn"), said->col ? said->col : 1);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static bool give_sarif(const struct app *app, const struct found *found, struct err *err)
{
    AUTO_BUF compact = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &compact};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("$schema"), STR("https://json.schemastore.org/sarif-2.1.0.json"));
    jsonw_member_string(&w, STR("version"), STR("2.1.0"));
    jsonw_key(&w, STR("runs"));
    jsonw_array_open(&w);
    jsonw_object_open(&w);
    open_key(&w, "tool");
    open_key(&w, "driver");
    jsonw_member_string(&w, STR("name"), STR("plumb policy lint"));
    sarif_rules(&w);
    jsonw_object_close(&w);
    jsonw_object_close(&w);
    jsonw_key(&w, STR("results"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < found->n; i++)
        sarif_result(&w, &found->item[i]);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    return print(app, &compact, err);
}

static bool give(const struct app *app, struct str format, const struct found *found,
                 struct err *err)
{
    if (str_equal(format, STR("json")))
        return give_json(app, found, err);
    return str_equal(format, STR("sarif")) ? give_sarif(app, found, err)
                                           : give_text(app, found, err);
}

/* What does not compile is told, and nothing else: half a policy has no silent failures. */
static bool compile(const struct app *app, const struct invocation *in, struct arena *arena,
                    const struct policy_files *files, const struct capabilities *capabilities,
                    struct rego_policy **ret, struct err *err)
{
    struct rego_compile_options how = {
        .keep_print = true, .deadline_ms = in->value[TIMEOUT].number, .cancel = app->cancel};
    struct rego_diags diags = {.arena = arena};
    capabilities_apply(capabilities, &how);
    if (rego_compile(files->source, files->nsources, &files->data, &how, &diags, ret, err))
        return true;
    policy_print_diags(app->err, &diags);
    return policy_refuse(&diags, err);
}

static bool lint_rego(const struct app *app, const struct invocation *in, struct arena *arena,
                      const struct policy_files *files, struct rego_lint **ret, size_t *ret_n,
                      struct err *err)
{
    struct rego_policy *policy = NULL;
    struct value schema;
    bool *scope = NULL;
    struct capabilities capabilities;
    if (in->value[SCHEMA].set && !policy_load_document(arena, in->value[SCHEMA].text, &schema, err))
        return err_wrap(err, "--schema");
    if (!capabilities_read(arena, in->value[CAPABILITIES].text, &capabilities, err) ||
        !compile(app, in, arena, files, &capabilities, &policy, err))
        return false;
    bool ok = true;
    if (!in->value[SCHEMA].set) {
        scope = arena_new(arena, bool, files->nsources + 1);
        ok = scope ? policy_input_schema(arena, &schema, err) &&
                         policy_lint_scope(arena, policy, files->source, files->nsources, &schema,
                                           scope, err)
                   : arena_full(arena, err);
    }
    rego_close(policy);
    struct rego_lint_options how = {
        .data = &files->data, .schema = &schema, .sees_schema = scope, .words = capabilities.words};
    return ok && rego_lint(arena, files->source, files->nsources, &how, ret, ret_n, err);
}

/* Templates and constraints; what is neither a file nor a folder has none. */
static bool load_parts(const struct str *paths, size_t n, const struct regex *ignore,
                       struct gatekeeper *gatekeeper, struct err *err)
{
    const struct gatekeeper_load_options how = {.ignore = ignore, .lenient = true};
    for (size_t i = 0; i < n; i++)
        if (io_exists(paths[i].ptr) && !gatekeeper_load(gatekeeper, paths[i], &how, err))
            return false;
    return true;
}

/* A file that was named and is of templates or constraints is nothing else. */
static bool other_paths(struct arena *arena, const struct gatekeeper *gatekeeper,
                        const struct str *paths, size_t n, struct str **ret, size_t *ret_n,
                        struct err *err)
{
    *ret = arena_new(arena, struct str, n);
    *ret_n = 0;
    for (size_t i = 0; *ret && i < n; i++)
        if (!gatekeeper_has_file(gatekeeper, paths[i]))
            (*ret)[(*ret_n)++] = paths[i];
    return *ret || arena_full(arena, err);
}

static bool lint_templates(const struct app *app, struct arena *arena,
                           struct gatekeeper *gatekeeper, struct rego_lint **ret, size_t *ret_n,
                           struct err *err)
{
    struct rego_diags diags = {.arena = arena};
    bool ok = policy_lint_templates(arena, gatekeeper, &diags, ret, ret_n, err);
    gatekeeper_close(gatekeeper);
    if (ok || !diags.n)
        return ok;
    policy_print_diags(app->err, &diags);
    err_clear(err);
    return policy_refuse(&diags, err);
}

struct lists {
    struct rego_lint *rego, *templates;
    size_t nrego, ntemplates;
    struct policy_lint *yaml;
    size_t nyaml;
};

static void put_rego(const struct rego_lint *rego, size_t n, struct said *to)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (struct said){rego_lint_name(rego[i].kind),
                              rego_lint_is_error(rego[i].kind),
                              rego[i].file,
                              rego[i].message,
                              rego[i].row,
                              rego[i].col};
}

/* Rego first, then that of templates, then rules, waivers and constraints: each sorted by itself.
 */
static bool join(struct arena *arena, const struct lists *lists, struct found *ret, struct err *err)
{
    size_t nrego = lists->nrego + lists->ntemplates, n = nrego + lists->nyaml;
    struct said *said = arena_new(arena, struct said, n);
    if (!said)
        return arena_full(arena, err);
    put_rego(lists->rego, lists->nrego, said);
    put_rego(lists->templates, lists->ntemplates, said + lists->nrego);
    for (size_t i = 0; i < lists->nyaml; i++) {
        const struct policy_lint *yaml = &lists->yaml[i];
        said[nrego + i] = (struct said){policy_lint_name(yaml->kind),
                                        policy_lint_is_error(yaml->kind),
                                        yaml->at.file,
                                        yaml->message,
                                        yaml->at.line,
                                        yaml->at.column};
    }
    *ret = (struct found){.item = said, .n = n};
    for (size_t i = 0; i < ret->n; i++)
        ret->errors += said[i].error;
    return true;
}

static bool lint(const struct app *app, const struct invocation *in, struct arena *arena,
                 const struct regex *ignore, int *ret_exit, struct err *err)
{
    static const struct str here = STR_INIT(".");
    const struct str *all = in->nargs ? in->args : &here;
    const size_t nall = in->nargs ? in->nargs : 1;
    const struct policy_load_options load = {
        .v0 = in->value[REGO_V0].set, .rules = true, .lenient = true, .ignore = ignore};
    struct policy_files files;
    struct gatekeeper gatekeeper = {.arena = arena,
                                    .apart = true,
                                    .timeout_ms = in->value[TIMEOUT].number,
                                    .cancel = app->cancel};
    struct lists lists = {0};
    struct found found = {0};
    struct str *paths;
    size_t npaths;
    if (!load_parts(all, nall, ignore, &gatekeeper, err) ||
        !other_paths(arena, &gatekeeper, all, nall, &paths, &npaths, err) ||
        !policy_load(arena, paths, npaths, &load, &files, err))
        return false;
    if (!files.nsources && !files.nrule_files && !files.nwaiver_files && !gatekeeper.ntemplates &&
        !gatekeeper.nconstraints)
        return err_set(err, ERR_USAGE,
                       "no policy: no file ends in .rego or holds rules, waivers or a "
                       "ConstraintTemplate");
    if (!lint_rego(app, in, arena, &files, &lists.rego, &lists.nrego, err) ||
        !lint_templates(app, arena, &gatekeeper, &lists.templates, &lists.ntemplates, err) ||
        !policy_lint(arena, &files, &gatekeeper, app->now_ms(app->clock), &lists.yaml, &lists.nyaml,
                     err) ||
        !join(arena, &lists, &found, err))
        return false;
    *ret_exit = found.errors ? EXIT_ERROR : EXIT_IN_SYNC;
    return give(app, in->value[OUTPUT].text, &found, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    struct regex *ignore = NULL;
    bool ok = policy_regex("ignore", in->value[IGNORE].text, &ignore, err) &&
              lint(app, in, &arena, ignore, ret_exit, err);
    regex_close(ignore);
    return ok;
}

const struct command cmd_policy_lint = {
    .name = "policy lint",
    .usage = "plumb policy lint [PATH...] [options]",
    .summary = "find what policies say in vain",
    .help = "Policies and data of files and folders, or of the folder here: references to rules "
            "that no package has, alone and behind not; conditions that cannot hold together; "
            "branches that are never reached; names that are nearly deny, warn, violation or "
            "decision; what nothing uses; and paths that the input does not have: by plumb's own "
            "schema where "
            "a package is asked about findings, else by --schema. The Rego of Gatekeeper's "
            "ConstraintTemplates is looked into in the same way, its parameters by the template's "
            "own schema. Of rule and waiver files: what is refused when they are used, waivers "
            "that have expired, and those for a rule that is not there.\n\n"
            "Exit codes: 0 nothing, or warnings alone; 1 errors, also where policies do not "
            "compile.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 10000,
    .run = run};
