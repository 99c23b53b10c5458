/* code_aim_file.c - file() and templatefile(): what the file has to say, or what its template is
 * given. */
#include <string.h>

#include "base/io.h"
#include "base/pathname.h"
#include "desired/code_aim.h"
#include "lang/hcl/edit_path.h"
#include "lang/hcl/files.h"

/* The file that the first argument names, from the root module; ptr NULL where it is not below it
 * by name. */
static struct str name_of(struct code_follow *f, const struct code_source *source,
                          const struct hcl_expr *call)
{
    struct value v;
    struct str none = {0}, path;
    if (call->call.nargs == 0 || call->call.expand ||
        !code_follow_eval(f, source, call->call.arg[0], &v) || v.kind != VALUE_STRING ||
        v.len == 0 || v.text[0] == '~')
        return none;
    path = pathname_clean(f->arena, value_text(&v));
    if (!path.ptr || path.ptr[0] != '/')
        return path;
    return pathname_below(f->code->cwd, path);
}

static bool text_of(struct code_follow *f, struct str name, struct str *ret)
{
    const struct code_options *o = &f->code->options;
    struct str path = io_join(f->arena, f->code->cwd, name);
    return path.ptr && ((o->read && o->read(o->ctx, path, ret)) ||
                        io_read_file(f->arena, path.ptr, HCL_FILE_MAX, ret, NULL));
}

bool code_aim_file(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *call, struct path rest)
{
    struct str name = name_of(f, source, call), text, want;
    struct hcl_file *file = arena_new(f->arena, struct hcl_file, 1);
    if (rest.n || f->aim->unset || !file || !name.ptr || !text_of(f, name, &text) ||
        !code_aim_text(f, &f->aim->value, &want))
        return true;
    *file = (struct hcl_file){.name = name, .text = text};
    (void)code_aim_whole_file(f, file, want);
    return true;
}

/* The variables of a template as names; each stands for a member of the second argument. */
static bool bind_variables(struct code_follow *f, const struct code_source *source,
                           const struct hcl_expr *vars, struct code_source *ret)
{
    struct value v;
    if (!code_follow_eval(f, source, vars, &v) || !value_is_object_like(&v))
        return false;
    struct hcl_scope *scope = arena_new(f->arena, struct hcl_scope, 1);
    struct str *name = arena_new(f->arena, struct str, v.len);
    struct value *value = arena_new(f->arena, struct value, v.len);
    struct code_bind *bind = arena_new(f->arena, struct code_bind, v.len);
    if (!scope || !name || !value || !bind) {
        f->full = true;
        return false;
    }
    ret->bind = NULL;
    for (uint32_t i = 0; i < v.len; i++) {
        name[i] = key_str(v.members[i].key);
        value[i] = v.members[i].value;
        bind[i] = (struct code_bind){.outer = ret->bind,
                                     .name = name[i],
                                     .source = *source,
                                     .expr = vars,
                                     .step = {.kind = PATH_KEY, .key = name[i]}};
        ret->bind = &bind[i];
    }
    *scope = (struct hcl_scope){.name = name, .value = value, .n = v.len};
    ret->names = scope;
    return true;
}

bool code_aim_template_file(struct code_follow *f, const struct code_source *source,
                            const struct hcl_expr *call, struct path rest, unsigned depth_left)
{
    struct str name = name_of(f, source, call), text;
    struct hcl_file *file = arena_new(f->arena, struct hcl_file, 1);
    struct hcl_diags quiet = {.arena = f->arena};
    struct code_source inner = *source;
    const struct hcl_expr *expr;
    if (rest.n || f->aim->unset || call->call.nargs != 2 || !file || !name.ptr ||
        !text_of(f, name, &text) ||
        !hcl_parse_template(f->arena, text, name, &quiet, &expr, NULL) || hcl_has_errors(&quiet) ||
        !bind_variables(f, source, call->call.arg[1], &inner))
        return true;
    *file = (struct hcl_file){.name = name, .text = text};
    inner.file = file;
    const struct hcl_file *outer = f->aim->template;
    f->aim->template = file;
    if (depth_left)
        code_follow_expr(f, &inner, expr, (struct path){0}, depth_left - 1);
    f->aim->template = outer;
    return true;
}

bool code_aim_file_text(struct code_follow *f, const struct code_source *source,
                        const struct hcl_expr *text, struct str now)
{
    struct str all;
    return hcl_template_text(f->arena, source->file->text, text, now, &all)
               ? code_aim_whole_file(f, source->file, all)
               : code_aim_fail(f, source, text, "the text cannot be edited as it is written");
}
