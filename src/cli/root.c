/* root.c - finding one root module, opening its code, telling what is wrong with it. */
#include "cli/root.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/setup.h"
#include "desired/lint.h"
#include "desired/stacks.h"
#include "report/parts.h"

/* --- options --- */

/* Relative to where we are, whatever root it is for. */
static bool add_file(struct arena *arena, struct str path, struct code_input_value *ret,
                     struct err *err)
{
    char resolved[4096];
    struct str ended = arena_dup(arena, path);
    if (!ended.ptr)
        return arena_full(arena, err);
    if (!realpath(ended.ptr, resolved))
        return err_set(err, ERR_IO, "--var-file: no file %s", ended.ptr);
    *ret = (struct code_input_value){.is_file = true, .text = arena_dup(arena, str_from(resolved))};
    return ret->text.ptr || arena_full(arena, err);
}

bool root_inputs(const struct app *app, struct arena *arena, const struct invocation *in,
                 const struct code_input_value **ret, size_t *ret_n, struct err *err)
{
    const struct option_value *files = &in->value[ROOT_VAR_FILE], *vars = &in->value[ROOT_VAR];
    struct code_input_value *inputs =
        arena_new(arena, struct code_input_value, files->nlist + vars->nlist);
    size_t n = 0;
    (void)app;
    if (!inputs)
        return arena_full(arena, err);
    for (size_t i = 0; i < files->nlist; i++)
        if (!add_file(arena, files->list[i], &inputs[n++], err))
            return false;
    for (size_t i = 0; i < vars->nlist; i++) {
        struct str rest = vars->list[i], name;
        if (!str_cut(&rest, '=', &name))
            return err_set(err, ERR_USAGE, "--var: NAME=VALUE is wanted, not '%.*s'",
                           STR_ARG(vars->list[i]));
        inputs[n++] = (struct code_input_value){.name = name, .text = rest};
    }
    *ret = inputs;
    *ret_n = n;
    return true;
}

struct reader_options root_reader(const struct app *app, struct arena *arena,
                                  const struct invocation *in)
{
    const struct option_value *value = in->value;
    return (struct reader_options){
        .allow_hash_mismatch = value[ROOT_ALLOW_MISMATCH].set,
        .timeout_ms = (int)value[ROOT_TIMEOUT].number,
        .cache_dir = value[ROOT_NO_CACHE].set
                         ? STR("")
                         : setup_cache_dir(arena, app, value[ROOT_CACHE_DIR].text),
        .cancel = app->cancel};
}

/* --- diagnostics --- */

static const struct hcl_file *find_file(const struct code_tree *tree, struct str name,
                                        unsigned depth_left)
{
    for (size_t i = 0; tree && i < tree->module.nfiles; i++)
        if (str_equal(tree->module.files[i]->name, name))
            return tree->module.files[i];
    for (size_t i = 0; tree && depth_left && i < tree->module.ncalls; i++) {
        const struct hcl_file *found =
            tree->child[i] ? find_file(tree->child[i], name, depth_left - 1) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

static void tell_one(struct buf *out, const struct hcl_diag *d, const struct hcl_file *file)
{
    struct issue issue = {.at = {.file = d->file, .line = d->line, .column = d->column}};
    if (file)
        lint_locate(file, d->subject, &issue.at, &issue.excerpt);
    if (d->file.len && d->line) {
        text_safe(out, d->file);
        buf_printf(out, ":%u:%u: ", d->line, d->column);
    }
    buf_str(out, d->warning ? STR("warning: ") : STR("error: "));
    text_safe(out, d->summary);
    buf_char(out, '\n');
    issue_excerpt(out, &issue, 0);
    if (d->detail.len) {
        buf_str(out, STR("  "));
        text_safe_lines(out, d->detail, 2);
        buf_char(out, '\n');
    }
}

void root_tell(const struct app *app, const struct code_tree *tree, const struct hcl_diags *diags,
               struct str text, bool warnings)
{
    AUTO_BUF out = {.limit = 16 << 20};
    for (size_t i = 0; i < diags->n; i++) {
        const struct hcl_diag *d = &diags->diag[i];
        const struct hcl_file typed = {.name = d->file, .text = text};
        const struct hcl_file *file = find_file(tree, d->file, CODE_TREE_DEPTH_MAX);
        if (d->warning && !warnings)
            continue;
        tell_one(&out, d, file ? file : text.len ? &typed : NULL);
    }
    if (out.len)
        (void)fwrite(out.ptr, 1, out.len, app->err);
}

void root_tell_notes(const struct app *app, const struct look *look)
{
    size_t n;
    const struct str *notes = look_notes(look, &n);
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF out = {.limit = 1 << 20};
        buf_str(&out, STR("note: "));
        text_safe_lines(&out, notes[i], 6);
        (void)fprintf(app->err, "%.*s\n", (int)out.len, out.ptr);
    }
}

/* --- the root --- */

/* Of a folder that is no root module yet: as `terraform console` takes it. */
static bool plain_folder(struct arena *arena, struct str dir, struct str workspace,
                         struct stack *ret, struct err *err)
{
    struct str path = arena_dup(arena, dir.len ? dir : STR("."));
    *ret = (struct stack){.name = path,
                          .path = path,
                          .workspace = workspace.len ? workspace : STR("default"),
                          .data_dir = STR(".terraform")};
    if (!path.ptr)
        return arena_full(arena, err);
    return io_is_dir(path.ptr) ||
           err_set(err, ERR_USAGE, "%s is no folder, and no stack is called so", path.ptr);
}

static bool find_root(const struct app *app, struct arena *arena, const struct invocation *in,
                      struct str dir, struct stack *ret, struct err *err)
{
    struct stacks found = {0};
    struct err ignored = {0};
    struct str here = dir.len ? dir : STR(".");
    const struct stacks_query query = {.dirs = &here,
                                       .ndirs = 1,
                                       .config_file = in->value[ROOT_CONFIG].text,
                                       .workspaces = &in->value[ROOT_WORKSPACE].text,
                                       .nworkspaces = in->value[ROOT_WORKSPACE].set,
                                       .env = app->env};
    if (!stacks_find(arena, &query, &found, &ignored) || !found.n)
        return plain_folder(arena, dir, in->value[ROOT_WORKSPACE].text, ret, err);
    for (size_t i = 1; i < found.n; i++)
        if (!str_equal(found.stack[i].path, found.stack[0].path))
            return err_set(
                err, ERR_USAGE, "%.*s has several root modules (%.*s, %.*s ...): name one of them",
                STR_ARG(here), STR_ARG(found.stack[0].path), STR_ARG(found.stack[i].path));
    *ret = found.stack[0];
    return true;
}

bool root_open(const struct app *app, struct arena *arena, const struct invocation *in,
               struct str dir, struct root *ret, bool *ret_sound, struct err *err)
{
    struct root root = {.look = NULL};
    struct stack *stack = arena_new(arena, struct stack, 1);
    if (!stack)
        return arena_full(arena, err);
    if (!find_root(app, arena, in, dir, stack, err))
        return false;
    struct look_options options = {.stack = stack,
                                   .no_providers = in->value[ROOT_NO_PROVIDERS].set,
                                   .reader = root_reader(app, arena, in),
                                   .env = app->env,
                                   .now_utc_ms = app->now_ms(app->clock)};
    if (!root_inputs(app, arena, in, &options.inputs, &options.ninputs, err) ||
        !look_open(&options, &root.look, err))
        return false;
    if (!look_code(root.look, CODE_EXPLORE, &root.code, err)) {
        look_close(root.look);
        return false;
    }
    root.stack = *stack;
    *ret_sound = code_is_sound(root.code);
    if (!*ret_sound)
        root_tell(app, code_module_tree(root.code), code_diags(root.code), (struct str){0}, false);
    *ret = root;
    return true;
}

void root_close(struct root *root)
{
    code_close(root->code);
    look_close(root->look);
    *root = (struct root){0};
}
