/* code_input.c - values of the root's variables from outside: environment, tfvars files, command
 * line; the last one wins.
 *
 * Source:  Terraform command/meta_vars.go, backendrun/unparsed_value.go; facts/hcl.md 8 "Variables"
 */
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/pathname.h"
#include "desired/code_parts.h"

enum { NAMES_MAX = 100000, VALUES_MAX = 1000000 };

struct raw {
    struct code_input in;
    size_t order;
};
struct reading {
    struct code *code;
    struct arena *arena;
    struct hcl_diags *diags;
    struct raw *raw;
    size_t n, room;
    bool full;
};

static void say(struct reading *r, bool warning, const char *summary, struct str detail)
{
    struct code_walk walk = {.code = r->code, .diags = r->diags};
    code_say_at_all(&walk, warning, summary, "%.*s", STR_ARG(detail));
}

static void add(struct reading *r, struct code_input in)
{
    struct raw *grown = arena_grow(r->arena, r->raw, r->n, &r->room, r->n + 1);
    if (!grown || r->n >= VALUES_MAX) {
        r->full = true;
        return;
    }
    r->raw = grown;
    r->raw[r->n] = (struct raw){in, r->n};
    r->n++;
}

/* --- files --- */

static bool read_text(struct reading *r, struct str name, struct str *ret)
{
    const struct code_options *o = &r->code->options;
    struct str path = io_join(r->arena, o->root_dir, name);
    struct err err = {0};
    char why[ERR_TEXT_MAX];
    if (!path.ptr)
        return false;
    if (o->read && o->read(o->ctx, path, ret))
        return true;
    if (!io_exists(path.ptr)) {
        say(r, false, "Failed to read variables file",
            arena_printf(r->arena, "Given variables file %.*s does not exist.", STR_ARG(name)));
        return false;
    }
    if (io_read_file(r->arena, path.ptr, CODE_FILE_MAX, ret, &err))
        return true;
    say(r, false, "Failed to read variables file",
        arena_printf(r->arena, "Error while reading %.*s: %s.", STR_ARG(name),
                     err_text(&err, why, sizeof why)));
    return false;
}

static const struct hcl_file *parse_file(struct reading *r, struct str name)
{
    struct hcl_file *file = arena_new(r->arena, struct hcl_file, 1);
    struct str text;
    struct err err = {0};
    char why[ERR_TEXT_MAX];
    if (!file || !read_text(r, name, &text))
        return NULL;
    bool json = str_ends(name, STR(".json"));
    bool ok = json ? hcl_parse_json_file(r->arena, text, name, r->diags, file, &err)
                   : hcl_parse_file(r->arena, text, name, r->diags, file, &err);
    if (!ok)
        say(r, false, "Failed to read variables file",
            arena_printf(r->arena, "Error while reading %.*s: %s.", STR_ARG(name),
                         err_text(&err, why, sizeof why)));
    return ok ? file : NULL;
}

/* A declaration is no value: a common mistake that deserves its own words. */
static bool check_declarations(struct reading *r, const struct hcl_file *file)
{
    static const struct hcl_block_spec variable = {.type = STR_INIT("variable"), .label = {"name"}};
    struct hcl_body_spec spec = {.block = &variable, .nblocks = 1};
    struct hcl_diags quiet = {.arena = r->arena};
    struct hcl_content content;
    if (!hcl_body_content(r->arena, file, &file->body, &spec, true, &quiet, &content))
        return false;
    for (size_t i = 0; i < content.nblocks; i++) {
        struct str name = content.block[i].label[0].text;
        hcl_diag_add(
            r->diags, file->name, file->text, false, content.block[i].type_range,
            STR("Variable declaration in .tfvars file"),
            "A .tfvars file is used to assign values to variables that have already been "
            "declared in .tf files, not to declare new variables. To declare variable "
            "\"%.*s\", place this block in one of your .tf files, such as "
            "variables.tf.\n\nTo set a value for this variable in %.*s, use the definition "
            "syntax instead:\n    %.*s = <value>",
            STR_ARG(name), STR_ARG(file->name), STR_ARG(name));
    }
    return content.nblocks == 0;
}

static void add_file(struct reading *r, struct str name)
{
    const struct hcl_file *file = parse_file(r, name);
    struct hcl_content content;
    if (!file || !check_declarations(r, file) || hcl_has_errors(r->diags) ||
        !hcl_body_attributes(r->arena, file, &file->body, r->diags, &content))
        return;
    for (size_t i = 0; i < content.nattributes; i++) {
        const struct hcl_attribute *a = &content.attribute[i];
        add(r, (struct code_input){.kind = CODE_INPUT_FILE,
                                   .name = a->name,
                                   .file = file,
                                   .expr = a->value,
                                   .range = a->value->range,
                                   .whole = a->range});
    }
}

static bool is_automatic(struct str name)
{
    return str_ends(name, STR(".auto.tfvars")) || str_ends(name, STR(".auto.tfvars.json"));
}

static void add_automatic_files(struct reading *r)
{
    static const struct str first[] = {STR_INIT("terraform.tfvars"),
                                       STR_INIT("terraform.tfvars.json")};
    const struct code_options *o = &r->code->options;
    const struct str *names = NULL;
    struct str *listed = NULL;
    size_t n = 0;
    struct err err = {0};
    struct str dir = arena_dup(r->arena, o->root_dir);
    bool ok = o->list ? o->list(o->ctx, dir, &names, &n)
                      : io_list_dir(r->arena, dir.ptr, NAMES_MAX, &listed, &n, &err);
    names = o->list ? names : listed;
    for (size_t k = 0; ok && k < 2; k++)
        for (size_t i = 0; i < n; i++)
            if (str_equal(names[i], first[k]))
                add_file(r, names[i]);
    for (size_t i = 0; ok && i < n; i++)
        if (is_automatic(names[i]))
            add_file(r, names[i]);
}

/* --- environment and command line --- */

static void add_environment(struct reading *r)
{
    const struct code_options *o = &r->code->options;
    const struct code_module *m = r->code->root->module;
    for (size_t i = 0; o->env && i < m->nvariables; i++) {
        struct str name = arena_printf(r->arena, "TF_VAR_%.*s", STR_ARG(m->variables[i].name));
        const char *text = name.ptr ? o->env(o->ctx, name.ptr) : NULL;
        if (text)
            add(r, (struct code_input){.kind = CODE_INPUT_ENV,
                                       .name = m->variables[i].name,
                                       .text = arena_dup(r->arena, str_from(text))});
    }
}

/* A file of the repository as all others are named: from the root module. */
static struct str name_from_root(struct reading *r, struct str path)
{
    struct str dir = r->code->cwd, ups = STR("");
    while (dir.len > 1 && pathname_below(r->code->world.root_dir, dir).ptr) {
        struct str below = pathname_below(dir, path), name;
        if (below.ptr) {
            name = arena_printf(r->arena, "%.*s%.*s", STR_ARG(ups), STR_ARG(below));
            return name.ptr ? name : path;
        }
        ups = arena_printf(r->arena, "../%.*s", STR_ARG(ups));
        dir = io_dirname(dir);
    }
    return path;
}

static void add_given(struct reading *r)
{
    for (size_t i = 0; i < r->code->options.ninputs; i++) {
        const struct code_input_value *in = &r->code->options.inputs[i];
        if (in->is_file)
            add_file(r, name_from_root(r, in->text));
        else
            add(r, (struct code_input){.kind = CODE_INPUT_CLI, .name = in->name, .text = in->text});
    }
}

/* --- which one wins, and what it says --- */

static int compare_raw(const void *a, const void *b)
{
    const struct raw *x = a, *y = b;
    int order = str_compare(x->in.name, y->in.name);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* Sorted by name, of each name the last one. */
static void keep_last(struct reading *r)
{
    size_t kept = 0;
    if (r->n)
        qsort(r->raw, r->n, sizeof *r->raw, compare_raw);
    for (size_t i = 0; i < r->n; i++)
        if (i + 1 == r->n || !str_equal(r->raw[i].in.name, r->raw[i + 1].in.name))
            r->raw[kept++] = r->raw[i];
    r->n = kept;
}

static void evaluate(struct reading *r, struct code_input *in, const struct hcl_file *file)
{
    struct hcl_eval ev = {.arena = r->arena,
                          .file = file->name,
                          .text = file->text,
                          .diags = r->diags,
                          .constant = true};
    in->bad = !hcl_eval_expr(&ev, in->expr, NULL, &in->value);
}

/* -var and TF_VAR_ text: as it is, or an expression where the variable's type asks for one. */
static void parse_text(struct reading *r, const struct code_variable *v, struct code_input *in)
{
    struct hcl_file *file = arena_new(r->arena, struct hcl_file, 1);
    struct err err = {0};
    in->value = value_string(in->text);
    if (v->type_string_like)
        return;
    in->bad = true;
    in->value = hcl_any();
    if (!file)
        return;
    file->name = arena_printf(r->arena, "<value for var.%.*s>", STR_ARG(in->name));
    file->text = in->text;
    size_t before = r->diags->n;
    if (hcl_parse_expression(r->arena, in->text, file->name, r->diags, &in->expr, &err) &&
        r->diags->n == before)
        evaluate(r, in, file);
}

static void say_undeclared(struct reading *r, const struct code_input *in, size_t *in_files)
{
    if (in->kind == CODE_INPUT_CLI)
        say(r, false, "Value for undeclared variable",
            arena_printf(
                r->arena,
                "A variable named \"%.*s\" was assigned on the command line, but the root "
                "module does not declare a variable of that name. To use this value, add a "
                "\"variable\" block to the configuration.",
                STR_ARG(in->name)));
    if (in->kind != CODE_INPUT_FILE)
        return;
    struct hcl_diags quiet = {.arena = r->arena};
    struct hcl_eval ev = {.arena = r->arena, .diags = &quiet, .constant = true};
    struct value unused;
    if (!hcl_eval_expr(&ev, in->expr, NULL, &unused) || ++*in_files > 2)
        return;
    say(r, true, "Value for undeclared variable",
        arena_printf(r->arena,
                     "The root module does not declare a variable named \"%.*s\" but a value was "
                     "found in file \"%.*s\". If you meant to use this value, add a \"variable\" "
                     "block to the configuration.\n\nTo silence these warnings, use TF_VAR_... "
                     "environment variables to provide certain \"global\" settings to all "
                     "configurations in your organization. To reduce the verbosity of these "
                     "warnings, use the -compact-warnings option.",
                     STR_ARG(in->name), STR_ARG(in->file->name)));
}

static void say_undeclared_all(struct reading *r)
{
    size_t in_files = 0;
    for (size_t i = 0; i < r->n; i++)
        if (!code_find_variable(r->code->root->module, r->raw[i].in.name))
            say_undeclared(r, &r->raw[i].in, &in_files);
    if (in_files > 2)
        say(r, true, "Values for undeclared variables",
            arena_printf(r->arena,
                         "In addition to the other similar warnings shown, %zu other variable(s) "
                         "defined without being declared.",
                         in_files - 2));
}

static const struct raw *find_raw(const struct reading *r, struct str name)
{
    size_t low = 0, high = r->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(r->raw[middle].in.name, name);
        if (order == 0)
            return &r->raw[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void take(struct reading *r, const struct code_variable *v, struct code_input *in)
{
    const struct raw *raw = find_raw(r, v->name);
    if (raw)
        *in = raw->in;
    if (in->kind == CODE_INPUT_FILE)
        evaluate(r, in, in->file);
    else if (in->kind != CODE_INPUT_NONE)
        parse_text(r, v, in);
    bool given = in->kind != CODE_INPUT_NONE && !in->bad;
    if (given || v->has_default || r->code->options.phase != CODE_PLAN)
        return;
    hcl_diag_add(
        r->diags, v->place.file->name, v->place.file->text, false, v->place.range,
        STR("No value for required variable"),
        "The root module input variable \"%.*s\" is not set, and has no default value. Use "
        "a -var or -var-file command line argument to provide a value for this variable.",
        STR_ARG(v->name));
}

bool code_read_inputs(struct code *code, struct hcl_diags *diags)
{
    const struct code_module *m = code->root->module;
    struct reading r = {.code = code, .arena = &code->arena, .diags = diags};
    struct code_input *inputs = arena_new(&code->arena, struct code_input, m->nvariables);
    code->inputs = inputs;
    if (!inputs)
        return false;
    add_environment(&r);
    add_automatic_files(&r);
    add_given(&r);
    if (r.full || hcl_has_errors(diags))
        return false;
    keep_last(&r);
    for (size_t i = 0; i < m->nvariables; i++)
        take(&r, &m->variables[i], &inputs[i]);
    say_undeclared_all(&r);
    return !hcl_has_errors(diags);
}
