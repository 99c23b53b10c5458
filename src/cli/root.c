/* root.c - finding one root module, opening its code, telling what is wrong with it. */
#include "cli/root.h"

#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/setup.h"
#include "desired/lint.h"
#include "desired/stacks.h"
#include "report/parts.h"

/* --- options --- */

bool root_inputs(struct arena *arena, const struct invocation *in,
                 const struct code_input_value **ret, size_t *ret_n, struct err *err)
{
    return setup_inputs(arena, &in->value[ROOT_VAR_FILE], &in->value[ROOT_VAR], ret, ret_n, err);
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
        const struct hcl_file *file = code_tree_file(tree, d->file);
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
    if (!root_inputs(arena, in, &options.inputs, &options.ninputs, err) ||
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
