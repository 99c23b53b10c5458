/* code_scope.c - expressions evaluated in a place: what names stand for there. */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "desired/code_parts.h"

/* --- saying --- */

void code_say(struct code_walk *walk, const struct hcl_file *file, struct hcl_range subject,
              bool warning, const char *summary, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str detail = arena_vprintf(&walk->code->arena, fmt, args);
    va_end(args);
    hcl_diag_add(walk->diags, file->name, file->text, warning, subject, str_from(summary), "%.*s",
                 STR_ARG(detail));
}

void code_say_at_all(struct code_walk *walk, bool warning, const char *summary, const char *fmt,
                     ...)
{
    va_list args;
    va_start(args, fmt);
    struct str detail = arena_vprintf(&walk->code->arena, fmt, args);
    va_end(args);
    hcl_diag_add(walk->diags, STR(""), STR(""), warning, (struct hcl_range){0, 0},
                 str_from(summary), "%.*s", STR_ARG(detail));
    if (walk->diags->n) /* no file, no line */
        walk->diags->diag[walk->diags->n - 1].line = 0;
}

void code_say_again(struct code_walk *walk, const struct hcl_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct hcl_diag *d = &diags->diag[i];
        size_t before = walk->diags->n;
        hcl_diag_add(walk->diags, d->file, STR(""), d->warning, d->subject, d->summary, "%.*s",
                     STR_ARG(d->detail));
        if (walk->diags->n > before)
            walk->diags->diag[before] = *d;
    }
}

/* --- values of names --- */

static const struct type *variable_type(const struct code_variable *v)
{
    return v->type ? v->type : &type_dynamic;
}

static uint8_t variable_marks(const struct code_variable *v)
{
    return (uint8_t)((v->sensitive ? VALUE_SENSITIVE : 0) | (v->ephemeral ? VALUE_EPHEMERAL : 0));
}

static struct value value_at(struct code_walk *walk, const struct code_node *node, uint32_t module)
{
    const struct code_result *r = code_result(walk, node);
    return r->state == CODE_DONE && !r->failed && r->value ? r->value[module] : hcl_any();
}

static struct value variable_value(const struct code_scope *scope, const struct code_node *node)
{
    const struct code_variable *v = &node->in->module->variables[node->at];
    struct value value;
    if (scope->variable == v)
        return scope->variable_value; /* as it was given: no marks yet */
    if (scope->walk->validate)
        value = hcl_unknown(&scope->walk->code->arena, variable_type(v));
    else
        value = value_at(scope->walk, node, scope->module->index);
    return hcl_with_marks(value, variable_marks(v));
}

static struct value path_value(const struct code_scope *scope, struct str name)
{
    if (str_equal(name, STR("module")))
        return value_string(scope->module->config->module->dir);
    if (str_equal(name, STR("root")))
        return value_string(scope->walk->code->root->module->dir);
    return value_string(scope->walk->code->cwd);
}

static struct value terraform_value(const struct code_scope *scope, struct str name)
{
    if (str_equal(name, STR("workspace")))
        return value_string(scope->walk->code->options.workspace);
    return hcl_with_marks(value_bool(false), VALUE_EPHEMERAL); /* applying */
}

static struct value each_value(const struct code_scope *scope, const struct code_ref *ref)
{
    struct arena *arena = &scope->walk->code->arena;
    bool count = ref->kind == CODE_REF_COUNT, key = str_equal(ref->name, STR("key"));
    if (scope->each.any)
        return count ? hcl_unknown(arena, &type_number)
               : key ? hcl_unknown(arena, &type_string)
                     : hcl_any();
    return count || key ? scope->each.key : scope->each.value;
}

bool code_resolve(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *traversal,
                  struct value *ret, size_t *ret_steps)
{
    const struct code_scope *scope = ctx;
    struct code_ref ref;
    code_ref_parse(scope->walk->code, NULL, traversal, &ref);
    *ret_steps = 1;
    const struct code_node *node;
    switch (ref.kind) {
    case CODE_REF_VARIABLE:
        node = code_ref_node(scope->module->config, &ref);
        *ret = node ? variable_value(scope, node) : hcl_any();
        return true;
    case CODE_REF_LOCAL:
        node = code_ref_node(scope->module->config, &ref);
        *ret = node ? value_at(scope->walk, node, scope->module->index) : hcl_any();
        return true;
    case CODE_REF_PATH:
        *ret = path_value(scope, ref.name);
        return true;
    case CODE_REF_TERRAFORM:
        *ret = terraform_value(scope, ref.name);
        return true;
    case CODE_REF_COUNT:
    case CODE_REF_EACH:
        *ret = each_value(scope, &ref);
        return true;
    case CODE_REF_SELF:
        *ret = scope->self_value ? *scope->self_value : hcl_any();
        *ret_steps = 0;
        return true;
    case CODE_REF_RESOURCE:
    case CODE_REF_INSTANCE:
        *ret = code_resource_value(scope, &ref, ret_steps);
        return true;
    case CODE_REF_MODULE:
    case CODE_REF_MODULE_AT:
    case CODE_REF_OUTPUT:
        *ret = code_module_value(scope, &ref, ret_steps);
        return true;
    default:
        return hcl_fail(ev, ref.range, ref.summary.ptr, "%.*s", STR_ARG(ref.detail));
    }
}

/* --- evaluating --- */

bool code_eval_unchecked(const struct code_scope *scope, const struct hcl_file *file,
                         const struct hcl_expr *expr, struct value *ret)
{
    struct code *code = scope->walk->code;
    struct hcl_eval *ev = &code->ev;
    struct hcl_eval before = *ev;
    const struct code_scope *outer = code->scope;
    struct hcl_scope base = {.resolve = code_resolve, .ctx = (void *)(uintptr_t)scope};
    ev->file = file->name;
    ev->text = file->text;
    ev->diags = scope->walk->diags;
    code->scope = scope;
    bool ok = hcl_eval_expr(ev, expr, scope->names ? scope->names : &base, ret);
    code->scope = outer;
    ev->file = before.file;
    ev->text = before.text;
    ev->diags = before.diags;
    return ok;
}

bool code_eval(const struct code_scope *scope, const struct hcl_file *file,
               const struct hcl_expr *expr, const struct type *want, struct value *ret)
{
    struct arena *arena = &scope->walk->code->arena;
    struct value v;
    struct str why;
    *ret = hcl_unknown(arena, want);
    if (!code_check_refs(scope, code_refs_of(scope->walk->code, file, expr)))
        return false;
    bool ok = code_eval_unchecked(scope, file, expr, &v);
    if (hcl_convert(arena, &v, want, ret, &why))
        return ok;
    *ret = hcl_unknown(arena, want);
    code_say(scope->walk, file, expr->range, false, "Incorrect value type",
             "Invalid expression value: %.*s.", STR_ARG(why));
    return false;
}
