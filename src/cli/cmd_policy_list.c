/* cmd_policy_list.c - `plumb policy list`: the YAML rules that judge, and what each cites. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/policy_text.h"
#include "cli/rows.h"
#include "model/config.h"
#include "policy/load.h"
#include "policy/policy.h"
#include "wire/json.h"

static const char *const formats[] = {"text", "json", "markdown", NULL};

enum { OUTPUT, CONFIG, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FORMAT",
                .choices = formats,
                .text = "text (as without it), json, or markdown"},
    [CONFIG] = ROW_CONFIG,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    struct arena *arena;
    struct rules rules;
    struct rule_problems problems;
    size_t nrego; /* files of Rego, which this list does not look into */
};

/* --- reading --- */

static bool add_source(struct job *job, const struct policy_source *source, struct err *err)
{
    const struct policy_load_options how = {.rules = true};
    struct policy_files files;
    if (!policy_load(job->arena, &source->path, 1, &how, &files, err))
        return false;
    job->nrego += files.nsources;
    for (size_t i = 0; i < files.nrule_files; i++)
        if (!rules_read_file(&job->rules, job->arena, files.rule_file[i], source->pack,
                             &job->problems, err))
            return false;
    return true;
}

static bool read_rules(struct job *job, const struct invocation *in, struct err *err)
{
    struct config config = {0};
    const struct judges judges = {.config = &config, .policies = in->args, .npolicies = in->nargs};
    struct policy_source *source;
    size_t n;
    if (!in->nargs && !policy_find_config(job->arena, job->app, &in->value[CONFIG], &config, err))
        return false;
    if (!judges_list(job->arena, &judges, &source, &n, err))
        return false;
    if (n == 0)
        return err_set(err, ERR_USAGE,
                       "no policy: name packs here (builtin:baseline), or in "
                       "plumb.yaml as policy: {packs: [...]}");
    for (size_t i = 0; i < n; i++)
        if (!add_source(job, &source[i], err)) {
            policy_print_problems(job->app->err, &job->problems);
            return false;
        }
    return true;
}

/* --- references: each kind with its words --- */

enum { REFERENCE_KINDS = 3 };
static void references_of(const struct rule *rule, const char *names[REFERENCE_KINDS],
                          const struct rule_strs *lists[REFERENCE_KINDS])
{
    names[0] = "csf", lists[0] = &rule->csf;
    names[1] = "800-53", lists[1] = &rule->sp800_53;
    names[2] = "cis", lists[2] = &rule->cis;
}

static void write_references(struct buf *out, const struct rule *rule)
{
    const char *names[REFERENCE_KINDS];
    const struct rule_strs *lists[REFERENCE_KINDS];
    size_t n = 0;
    references_of(rule, names, lists);
    for (size_t i = 0; i < REFERENCE_KINDS; i++)
        for (size_t k = 0; k < lists[i]->n; k++)
            buf_printf(out, "%s%s%.*s", n++ ? ", " : "", i == 2 ? "CIS " : "",
                       STR_ARG(lists[i]->item[k]));
}

static const char *severity_of(const struct rule *rule)
{
    return rule->has_severity ? severity_name(rule->severity) : "-";
}

/* --- formats --- */

static void give_text(const struct job *job, struct buf *out)
{
    int width = 0;
    for (size_t i = 0; i < job->rules.n; i++)
        if ((int)job->rules.rule[i].name.len > width)
            width = (int)job->rules.rule[i].name.len;
    for (size_t i = 0; i < job->rules.n; i++) {
        const struct rule *rule = &job->rules.rule[i];
        buf_printf(out, "%-*.*s  %-8s  %-6s  %.*s (", width, STR_ARG(rule->name), severity_of(rule),
                   decision_name(rule->decision), STR_ARG(rule->title));
        write_references(out, rule);
        buf_str(out, STR(")\n"));
    }
    buf_printf(out, "%zu rule%s", job->rules.n, job->rules.n == 1 ? "" : "s");
    if (job->nrego)
        buf_printf(out, ", and %zu file%s of Rego", job->nrego, job->nrego == 1 ? "" : "s");
    buf_char(out, '\n');
}

static void give_rule(struct jsonw *w, const struct rule *rule)
{
    const char *names[REFERENCE_KINDS];
    const struct rule_strs *lists[REFERENCE_KINDS];
    references_of(rule, names, lists);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("rule"), rule->name);
    jsonw_member_string(w, STR("id"), rule->id);
    jsonw_member_string(w, STR("pack"), rule->pack);
    jsonw_key(w, STR("severity"));
    rule->has_severity ? jsonw_string(w, str_from(severity_name(rule->severity))) : jsonw_null(w);
    jsonw_member_string(w, STR("decision"), str_from(decision_name(rule->decision)));
    jsonw_member_string(w, STR("title"), rule->title);
    jsonw_member_string(w, STR("why"), rule->why);
    jsonw_member_string(w, STR("fix"), rule->fix);
    jsonw_member_string(w, STR("file"), rule->at.file);
    jsonw_member_int(w, STR("line"), rule->at.line);
    jsonw_key(w, STR("references"));
    jsonw_object_open(w);
    for (size_t i = 0; i < REFERENCE_KINDS; i++) {
        jsonw_key(w, str_from(names[i]));
        jsonw_array_open(w);
        for (size_t k = 0; k < lists[i]->n; k++)
            jsonw_string(w, lists[i]->item[k]);
        jsonw_array_close(w);
    }
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void give_json(const struct job *job, struct buf *out)
{
    struct jsonw w = {.out = out, .indent = 2};
    jsonw_object_open(&w);
    jsonw_member_int(&w, STR("schema_version"), 1);
    jsonw_key(&w, STR("rules"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < job->rules.n; i++)
        give_rule(&w, &job->rules.rule[i]);
    jsonw_array_close(&w);
    jsonw_member_int(&w, STR("rego_files"), (int64_t)job->nrego);
    jsonw_object_close(&w);
    buf_char(out, '\n');
}

/* A cell of a table: a bar would end it. */
static void write_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '|')
            buf_char(out, '\\');
        buf_char(out, text.ptr[i]);
    }
}

/* A table for each file. */
static void give_markdown(const struct job *job, struct buf *out)
{
    buf_printf(out, "%zu rules. Written by `plumb policy list --output markdown`.\n", job->rules.n);
    for (size_t i = 0; i < job->rules.n; i++) {
        const struct rule *rule = &job->rules.rule[i];
        if (i == 0 || !str_equal(rule->at.file, job->rules.rule[i - 1].at.file))
            buf_printf(out,
                       "\n## %.*s\n\n| rule | severity | decision | what it finds, and why that "
                       "matters | references |\n| --- | --- | --- | --- | --- |\n",
                       STR_ARG(rule->at.file));
        buf_printf(out, "| `%.*s` | %s | %s | ", STR_ARG(rule->id), severity_of(rule),
                   decision_name(rule->decision));
        write_cell(out, rule->title);
        buf_str(out, STR(". "));
        write_cell(out, rule->why);
        buf_str(out, STR(" | "));
        write_references(out, rule);
        buf_str(out, STR(" |\n"));
    }
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct job job = {.app = app, .arena = &arena, .problems = {.arena = &arena}};
    struct str format = in->value[OUTPUT].text;
    bool ok = read_rules(&job, in, err);
    if (ok)
        (str_equal(format, STR("json"))       ? give_json
         : str_equal(format, STR("markdown")) ? give_markdown
                                              : give_text)(&job, &out);
    rules_close(&job.rules);
    if (!ok || !buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, app->out);
    *ret_exit = 0;
    return true;
}

const struct command cmd_policy_list = {
    .name = "policy list",
    .usage = "plumb policy list [PACK...] [options]",
    .summary = "the rules that judge: severity, decision, title, references",
    .help = "PACK is a folder or file with rules, a bundle, or builtin:NAME; without one, the "
            "policies of plumb.yaml. Rego is counted, not listed.\n\n"
            "  plumb policy list builtin:baseline\n"
            "  plumb policy list --output json",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = SIZE_MAX,
    .run = run};
