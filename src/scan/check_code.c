/* check_code.c - a root module evaluated as far as it can be known, and looked over. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/lint.h"
#include "policy/policy.h"
#include "scan/check.h"
#include "scan/look.h"
#include "scan/plan_code.h"

struct checking {
    struct arena *arena;
    const struct stack *stack;
    const struct check_options *options;
    struct look *look;
    struct lint_issues issues;
    size_t kept; /* of the issues: their texts are ours */
    const struct code_tree *tree;
    struct check_subject *subject;
    bool cut; /* there were more diagnostics than can be kept */
    bool full;
    bool unsound;       /* rules were asked of no more than could be read */
    struct str *waived; /* notes */
    size_t nwaived, waived_room;
};

/* --- diagnostics as issues --- */

static bool overlaps(struct hcl_range a, struct hcl_range b)
{
    return a.start < b.end && b.start < a.end;
}

/* The text of a secret's default is no excerpt. */
static bool tells_secret(const struct code_module *m, const struct hcl_file *file,
                         struct hcl_range range)
{
    for (size_t i = 0; i < m->nvariables; i++) {
        const struct code_variable *v = &m->variables[i];
        if (v->sensitive && v->default_expr.file == file && overlaps(v->default_expr.range, range))
            return true;
    }
    return false;
}

static const struct code_module *module_of(const struct code_tree *tree,
                                           const struct hcl_file *file, unsigned depth_left)
{
    for (size_t i = 0; i < tree->module.nfiles; i++)
        if (tree->module.files[i] == file)
            return &tree->module;
    for (size_t i = 0; depth_left && i < tree->module.ncalls; i++) {
        const struct code_module *found =
            tree->child[i] ? module_of(tree->child[i], file, depth_left - 1) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* The resource or module call whose block a place is in. */
static struct str address_at(struct arena *arena, const struct code_module *m,
                             const struct hcl_file *file, uint32_t line)
{
    static const char *const prefixes[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    for (size_t i = 0; i < m->nresources; i++) {
        const struct code_resource *r = &m->resources[i];
        if (r->place.file == file && r->place.line <= line && line <= r->place.end_line)
            return arena_printf(arena, "%s%.*s.%.*s", prefixes[r->mode], STR_ARG(r->type),
                                STR_ARG(r->name));
    }
    for (size_t i = 0; i < m->ncalls; i++) {
        const struct code_module_call *c = &m->calls[i];
        if (c->place.file == file && c->place.line <= line && line <= c->place.end_line)
            return arena_printf(arena, "module.%.*s", STR_ARG(c->name));
    }
    return STR("");
}

static struct str remedy_of(struct str summary)
{
    static const struct {
        struct str summary, remedy;
    } known[] = {
        {STR_INIT("Module not installed"),
         STR_INIT("Run `terraform init` (or `tofu init`); what is in it was not checked.")},
        {STR_INIT("Module source has changed"), STR_INIT("Run `terraform init`.")},
        {STR_INIT("Module version requirements have changed"), STR_INIT("Run `terraform init`.")},
        {STR_INIT("No value for required variable"),
         STR_INIT("Give it a default, or a value in terraform.tfvars.")},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_equal(known[i].summary, summary))
            return known[i].remedy;
    return (struct str){0};
}

static struct issue *add_issue(struct checking *in)
{
    struct lint_issues *list = &in->issues;
    struct issue *grown = arena_grow(in->arena, list->issue, list->n, &list->room, list->n + 1);
    if (!grown) {
        in->full = true;
        return NULL;
    }
    list->issue = grown;
    grown[list->n] = (struct issue){0};
    return &grown[list->n++];
}

static void take_diag(struct checking *in, const struct hcl_diag *d)
{
    struct issue *issue = add_issue(in);
    if (!issue)
        return;
    enum issue_kind kind = d->warning ? ISSUE_WARNING : ISSUE_ERROR;
    *issue = (struct issue){.kind = kind,
                            .severity = issue_kind_severity(kind),
                            .rule = issue_rule_of(in->arena, d->summary),
                            .summary = arena_dup(in->arena, d->summary),
                            .detail = arena_dup(in->arena, d->detail),
                            .remedy = remedy_of(d->summary),
                            .at = {.line = d->line, .column = d->column}};
    issue->at.file = arena_dup(in->arena, d->file);
    const struct hcl_file *file =
        in->tree && d->file.len ? code_tree_file(in->tree, d->file) : NULL;
    if (!file)
        return;
    lint_locate(file, d->subject, &issue->at, &issue->excerpt);
    const struct code_module *m = module_of(in->tree, file, CODE_TREE_DEPTH_MAX);
    if (!m)
        return;
    issue->address = address_at(in->arena, m, file, issue->at.line);
    if (tells_secret(m, file, d->subject))
        issue->excerpt = (struct str){0};
}

/* --- places as the caller sees them --- */

/* What an issue points into goes with the code. */
static bool keep_texts(struct checking *in, struct err *err)
{
    for (; in->kept < in->issues.n; in->kept++) {
        struct issue *issue = &in->issues.issue[in->kept];
        struct str *const texts[] = {&issue->at.file, &issue->excerpt};
        for (size_t i = 0; i < 2; i++) {
            *texts[i] = arena_dup(in->arena, *texts[i]);
            if (!texts[i]->ptr)
                return arena_full(in->arena, err);
        }
    }
    return !in->full || arena_full(in->arena, err);
}

/* Files of the root module are below its path; others as we would name them from here. */
static struct str seen_from_here(struct checking *in, struct str file)
{
    char here[4096];
    if (file.ptr[0] != '/')
        return pathname_clean(in->arena, io_join(in->arena, in->stack->path, file));
    struct str below = realpath(".", here) ? pathname_below(str_from(here), file) : file;
    return below.ptr ? arena_dup(in->arena, below) : file;
}

static bool settle(struct checking *in, struct err *err)
{
    for (size_t i = 0; i < in->issues.n; i++) {
        struct issue *issue = &in->issues.issue[i];
        issue->subject = in->subject->name;
        if (!issue->at.file.len || issue->at.file.ptr[0] == '<')
            continue;
        issue->at.file = seen_from_here(in, issue->at.file);
        if (!issue->at.file.ptr)
            return arena_full(in->arena, err);
    }
    return issues_settle(in->arena, in->issues.issue, &in->issues.n, err);
}

static void count(struct check_subject *subject, const struct code_tree *tree, unsigned depth_left)
{
    subject->modules++;
    subject->files += tree->module.nfiles;
    subject->resources += tree->module.nresources;
    for (size_t i = 0; depth_left && i < tree->module.ncalls; i++)
        if (tree->child[i])
            count(subject, tree->child[i], depth_left - 1);
}

/* --- the way --- */

/* Without a state nothing is known of what an apply makes: that is no fault of the code. */
static bool wants_state(const struct hcl_diag *d)
{
    static const struct str summaries[] = {STR_INIT("Invalid count argument"),
                                           STR_INIT("Invalid for_each argument")};
    for (size_t i = 0; i < 2; i++)
        if (str_equal(d->summary, summaries[i]))
            return str_find(d->detail, STR("until apply"), 0) != SIZE_MAX;
    return false;
}

/* Where declarations have errors, only what does not follow from them. */
static bool is_reference(const struct hcl_diag *d)
{
    return str_starts(d->summary, STR("Reference to undeclared")) ||
           str_starts(d->summary, STR("Invalid reference"));
}

static bool is_cut(const struct code_tree *tree, unsigned depth_left)
{
    bool cut = tree->module.cut;
    for (size_t i = 0; !cut && depth_left && i < tree->module.ncalls; i++)
        cut = tree->child[i] && is_cut(tree->child[i], depth_left - 1);
    return cut;
}

/* nloaded: how many there were before anything was evaluated. */
static void take_diags(struct checking *in, const struct code *code, size_t nloaded)
{
    const struct hcl_diags *diags = code_diags(code);
    bool sound = code_is_sound(code), cut = is_cut(in->tree, CODE_TREE_DEPTH_MAX);
    for (size_t i = 0; i < diags->n; i++) {
        const struct hcl_diag *d = &diags->diag[i];
        if (wants_state(d) || (!sound && i >= nloaded && (cut || !is_reference(d))))
            continue;
        take_diag(in, d);
    }
    in->cut |= diags->cut;
}

/* What holds whatever the variables are, and what works and should be otherwise. */
static bool validate(struct checking *in, bool *ret_go_on, struct err *err)
{
    struct code *code = NULL;
    const struct lint_options options = {.schema = look_schema, .ctx = in->look};
    if (!look_code(in->look, CODE_VALIDATE, &code, err))
        return false;
    in->tree = code_module_tree(code);
    size_t nloaded = code_diags(code)->n;
    bool ok = look_prefetch(in->look, in->tree, err) && code_evaluate(code, err);
    take_diags(in, code, nloaded);
    count(in->subject, in->tree, CODE_TREE_DEPTH_MAX);
    *ret_go_on = ok && !hcl_has_errors(code_diags(code));
    /* a file that cannot be read may hold what seems not to be used */
    if (ok && code_is_sound(code))
        ok = lint_tree(in->arena, in->tree, &options, &in->issues, err);
    *ret_go_on = ok && *ret_go_on && look_all_known(in->look, in->tree);
    ok = ok && keep_texts(in, err);
    code_close(code);
    in->tree = NULL;
    return ok;
}

/* With the values that variables have; those that have none are unknown. */
static bool explore(struct checking *in, struct err *err)
{
    struct code *code = NULL;
    struct code_options options = look_code_options(in->look, CODE_EXPLORE);
    options.validated = true;
    if (!code_open(&options, &code, err))
        return false;
    in->tree = code_module_tree(code);
    bool ok = code_evaluate(code, err);
    take_diags(in, code, 0);
    ok = ok && keep_texts(in, err);
    code_close(code);
    in->tree = NULL;
    return ok;
}

/* --- rules --- */

static bool note_waiver(struct checking *in, struct str address, const struct verdict *v)
{
    struct str *grown =
        arena_grow(in->arena, in->waived, in->nwaived, &in->waived_room, in->nwaived + 1);
    struct str note = arena_printf(in->arena, "%.*s: %.*s: waived by %.*s", STR_ARG(address),
                                   STR_ARG(v->rule), STR_ARG(v->waived_by));
    if (!grown || !note.ptr)
        return false;
    in->waived = grown;
    grown[in->nwaived++] = note;
    return true;
}

static bool add_verdict(struct checking *in, struct code *code,
                        const struct code_instance *instance, const struct verdict *v,
                        struct err *err)
{
    enum issue_kind kind = v->error                             ? ISSUE_ERROR
                           : decision_is_violation(v->decision) ? ISSUE_VIOLATION
                                                                : ISSUE_WARNING;
    const struct value *at = path_find(&instance->desired, v->where);
    if (v->waived_by.len)
        return note_waiver(in, instance->address, v) || arena_full(in->arena, err);
    if (v->decision == DECISION_IGNORE)
        return true;
    struct issue *issue = add_issue(in);
    if (!issue)
        return arena_full(in->arena, err);
    *issue = (struct issue){
        .kind = kind,
        .severity = v->has_severity ? v->severity : issue_kind_severity(kind),
        .rule = v->rule,
        .rule_at = v->at,
        .summary = v->message.len ? v->message : v->rule,
        .detail =
            v->unknown ? arena_printf(in->arena, "cannot be told: %.*s", STR_ARG(v->why)) : v->why,
        .remedy = v->remedy,
        .address = arena_dup(in->arena, instance->address),
        .link = v->nlinks ? v->links[0] : (struct str){0}};
    if (!issue->address.ptr || (v->unknown && !issue->detail.ptr))
        return arena_full(in->arena, err);
    if (!code_value_place(in->arena, STR(""), code, instance, v->where, &issue->at, &issue->excerpt,
                          err))
        return false;
    if (at && value_any_sensitive(at))
        issue->excerpt = (struct str){0};
    return true;
}

/* To the issue that was added last, for this verdict. */
static bool add_digests(struct checking *in, const struct policy *policy,
                        const struct rule_subject *subject, const struct verdict *v,
                        struct err *err)
{
    struct str *digest = NULL;
    size_t n = 0;
    if (v->waived_by.len || v->error || v->decision == DECISION_IGNORE)
        return true;
    if (!policy_verdict_digests(policy, in->arena, subject, v, &digest, &n, err))
        return false;
    struct issue *issue = &in->issues.issue[in->issues.n - 1];
    issue->digest = digest;
    issue->ndigests = n;
    return true;
}

static bool judge_instance(struct checking *in, struct code *code,
                           const struct code_instance *instance, struct err *err)
{
    static const char *const modes[] = {
        [CODE_MANAGED] = "managed", [CODE_DATA] = "data", [CODE_EPHEMERAL] = "ephemeral"};
    const struct rule_subject subject = {.kind = SUBJECT_RESOURCE,
                                         .source = RULE_SOURCE_TERRAFORM,
                                         .address = instance->address,
                                         .module = instance->module,
                                         .mode = str_from(modes[instance->mode]),
                                         .type = instance->type,
                                         .name = instance->name,
                                         .index = instance->index_key,
                                         .provider = instance->provider,
                                         .values = &instance->desired,
                                         .stack = in->stack->name,
                                         .stack_path = in->stack->path,
                                         .env = in->stack->environment,
                                         .owner = in->stack->owner,
                                         .now_utc_ms = in->options->now_utc_ms};
    for (size_t k = 0; k < CHECK_POLICIES; k++) {
        struct judgement judgement = {0};
        if (in->options->policy[k] &&
            !policy_judge(in->options->policy[k], in->arena, &subject, &judgement, err))
            return false;
        for (size_t i = 0; i < judgement.nverdicts; i++)
            if (!add_verdict(in, code, instance, &judgement.verdict[i], err) ||
                !add_digests(in, in->options->policy[k], &subject, &judgement.verdict[i], err))
                return false;
    }
    return true;
}

/* Each resource as far as it can be known without a state. */
static bool judge(struct checking *in, struct err *err)
{
    struct code *code = NULL;
    size_t n = 0;
    if (!look_code(in->look, CODE_EXPLORE, &code, err))
        return false;
    bool ok = code_evaluate(code, err);
    const struct code_instance *instances = ok ? code_instances(code, &n) : NULL;
    in->unsound = !code_is_sound(code);
    for (size_t i = 0; ok && i < n; i++)
        ok = judge_instance(in, code, &instances[i], err);
    ok = ok && keep_texts(in, err);
    code_close(code);
    return ok;
}

static bool is_judged(const struct check_options *options)
{
    return options->policy[0] || options->policy[1];
}

static bool evaluate(struct checking *in, struct err *err)
{
    bool go_on = false;
    return validate(in, &go_on, err) && (!go_on || explore(in, err)) &&
           (!is_judged(in->options) || judge(in, err)) && settle(in, err);
}

static bool take_notes(struct checking *in, struct err *err)
{
    size_t n;
    const struct str *notes = look_notes(in->look, &n);
    struct str *kept = arena_new(in->arena, struct str, n + in->nwaived + 2);
    if (!kept)
        return arena_full(in->arena, err);
    for (size_t i = 0; i < n; i++) {
        kept[i] = arena_dup(in->arena, notes[i]);
        if (!kept[i].ptr)
            return arena_full(in->arena, err);
    }
    for (size_t i = 0; i < in->nwaived; i++)
        kept[n++] = in->waived[i];
    if (in->cut)
        kept[n++] = STR("there are more diagnostics than can be kept");
    if (in->unsound)
        kept[n++] = STR("rules were not asked of all: files of the code have errors");
    in->subject->notes = kept;
    in->subject->nnotes = n;
    return true;
}

bool check_code(struct arena *arena, const struct stack *stack, const struct check_options *options,
                struct check_subject *ret, struct err *err)
{
    struct checking in = {.arena = arena, .stack = stack, .options = options, .subject = ret};
    const struct look_options look = {.stack = stack,
                                      .inputs = options->inputs,
                                      .ninputs = options->ninputs,
                                      .no_state = true,
                                      .no_providers = options->no_providers,
                                      .in_spite_of_errors = true,
                                      .reader = options->reader,
                                      .env = options->env,
                                      .now_utc_ms = options->now_utc_ms};
    struct err why = {0};
    char text[2048];
    *ret = (struct check_subject){.name = stack->name, .kind = STR("module")};
    if (!look_open(&look, &in.look, err))
        return false;
    bool ok = evaluate(&in, &why), noted = take_notes(&in, err);
    look_close(in.look);
    if (!noted)
        return false;
    if (!ok && (why.kind == ERR_CANCELLED || in.full)) {
        *err = why;
        return false;
    }
    if (!ok)
        ret->failed = arena_dup(arena, str_from(err_text(&why, text, sizeof text)));
    ret->issues = in.issues.issue;
    ret->nissues = ok ? in.issues.n : 0;
    return true;
}
