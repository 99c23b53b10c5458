/* fn_template.c - templatefile and templatestring: a template with nothing in scope but its
 * variables. */
#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/files.h"
#include "lang/hcl/lex.h"

/* --- rendering --- */

struct rendering {
    struct hcl_call *call;
    const struct hcl_scope *scope;
    struct str name, text; /* of the template */
    bool ok;
};

static bool check_reference(void *ctx, const struct hcl_traversal *traversal)
{
    struct rendering *r = ctx;
    uint32_t line, column;
    for (size_t i = 0; i < r->scope->n; i++)
        if (str_equal(r->scope->name[i], traversal->root))
            return true;
    hcl_place(r->text, traversal->root_range.start, &line, &column);
    r->ok = false;
    return hcl_call_fail(r->call, 1,
                         "vars map does not contain key \"%.*s\", referenced at %.*s:%u,%u",
                         STR_ARG(traversal->root), STR_ARG(r->name), line, column);
}

/* "name:1,10: Summary; detail" of the first error. */
static bool fail_with(struct hcl_call *call, int bad_arg, const char *before,
                      const struct hcl_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct hcl_diag *d = &diags->diag[i];
        if (!d->warning)
            return hcl_call_fail(call, bad_arg, "%s%.*s:%u,%u: %.*s; %.*s", before,
                                 STR_ARG(d->file), d->line, d->column, STR_ARG(d->summary),
                                 STR_ARG(d->detail));
    }
    return hcl_call_fail(call, bad_arg, "%sthe template is too large", before);
}

/* The members of vars as names in scope. */
static bool make_scope(struct hcl_call *call, const struct value *vars, struct hcl_scope *ret)
{
    struct str *names = arena_new(call->ev->arena, struct str, vars->len);
    struct value *values = arena_new(call->ev->arena, struct value, vars->len);
    if (!value_is_object_like(vars))
        return hcl_call_fail(call, 1, "invalid vars value: must be a map");
    for (uint32_t i = 0; names && values && i < vars->len; i++) {
        names[i] = key_str(vars->members[i].key);
        values[i] = vars->members[i].value;
        if (!hcl_is_identifier(names[i]))
            return hcl_call_fail(call, 1,
                                 "invalid template variable name \"%.*s\": must start with a "
                                 "letter, followed by zero or more letters, digits, and "
                                 "underscores",
                                 STR_ARG(names[i]));
    }
    *ret = (struct hcl_scope){.name = names, .value = values, .n = vars->len};
    return names && values;
}

/* syntax_arg: the argument to blame for a template that cannot be read. */
static bool render(struct hcl_call *call, struct str name, struct str text, int syntax_arg,
                   const struct value *vars, struct value *ret)
{
    struct hcl_eval *ev = call->ev;
    struct hcl_diags diags = {.arena = ev->arena};
    struct hcl_scope scope;
    const struct hcl_expr *expr;
    struct err err = {0};
    if (!hcl_parse_template(ev->arena, text, name, &diags, &expr, &err) || hcl_has_errors(&diags))
        return fail_with(call, syntax_arg, syntax_arg >= 0 ? "invalid template: " : "", &diags);
    if (!make_scope(call, vars, &scope))
        return false;
    struct rendering r = {call, &scope, name, text, true};
    if (!hcl_each_reference(ev->arena, expr, check_reference, &r) || !r.ok)
        return false;
    struct hcl_eval inner = *ev;
    inner.file = name;
    inner.text = text;
    inner.diags = &diags;
    inner.in_template_file = true;
    inner.in_template_string = syntax_arg >= 0;
    bool ok = hcl_eval_expr(&inner, expr, &scope, ret) && !hcl_has_errors(&diags);
    ev->steps = inner.steps;
    ev->exhausted = inner.exhausted;
    if (!ok)
        return fail_with(call, -1, "", &diags);
    if (ret->kind == VALUE_NULL)
        return hcl_call_fail(call, -1,
                             "Template result is null; The result of the template is null, which "
                             "is not a valid result for a %s call.",
                             call->function->name);
    return true;
}

/* --- templatefile --- */

static bool not_nested(struct hcl_call *call)
{
    return !call->ev->in_template_file ||
           hcl_call_fail(call, -1,
                         "cannot recursively call %s from inside another template function",
                         call->function->name);
}

static bool run_templatefile(struct hcl_call *call, struct value *ret)
{
    struct str text, path;
    if (!not_nested(call))
        return false;
    if (call->arg[0].kind == VALUE_UNKNOWN || call->arg[1].kind == VALUE_UNKNOWN) {
        *ret = hcl_any();
        return true;
    }
    path = value_text(&call->arg[0]);
    return hcl_file_text(call, path, &text) && render(call, path, text, -1, &call->arg[1], ret);
}

/* --- templatestring: its first argument is looked at as it is written --- */

static bool is_direct_reference(const struct hcl_expr *expr, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (expr->kind) {
    case HCL_EXPR_VARIABLE:
        return true;
    case HCL_EXPR_ATTRIBUTE:
        return is_direct_reference(expr->get.source, depth_left - 1);
    case HCL_EXPR_INDEX:
        return is_direct_reference(expr->index.source, depth_left - 1);
    default:
        return false;
    }
}

static bool check_template_argument(struct hcl_call *call, const struct hcl_expr *expr)
{
    static const char about[] = "invalid template expression: templatestring is only for rendering "
                                "templates retrieved dynamically from elsewhere";
    if (expr->kind == HCL_EXPR_WRAP)
        return hcl_call_fail(call, 0,
                             "%s; to treat the inner expression as template syntax, write the "
                             "reference expression directly without any template interpolation "
                             "syntax",
                             about);
    if (expr->kind == HCL_EXPR_STRING)
        return hcl_call_fail(call, 0,
                             "%s, and so does not support providing a literal template; consider "
                             "using a template string expression instead",
                             about);
    if (expr->kind == HCL_EXPR_TEMPLATE)
        return hcl_call_fail(call, 0,
                             "%s; to render an inline template, consider using a plain template "
                             "string expression",
                             about);
    return is_direct_reference(expr, HCL_STEPS_MAX) ||
           hcl_call_fail(call, 0,
                         "invalid template expression: must be a direct reference to a single "
                         "string from elsewhere, containing valid Terraform template syntax");
}

/* The text of the template; *ret_unknown where only apply will tell it. */
static bool template_text(struct hcl_call *call, struct value *ret, bool *ret_unknown)
{
    struct hcl_eval *ev = call->ev;
    struct hcl_diags *outer = ev->diags, diags = {.arena = ev->arena};
    ev->diags = &diags;
    bool ok = hcl_eval_expr(ev, call->expr->call.arg[0], call->scope, ret);
    ev->diags = outer;
    if (!ok)
        return fail_with(call, 0, "invalid template expression: ", &diags);
    *ret_unknown = ret->kind == VALUE_UNKNOWN;
    return *ret_unknown || ret->kind == VALUE_STRING ||
           hcl_call_fail(call, 0, "invalid template value: a string is required");
}

static bool render_string(struct hcl_call *call, struct value *ret)
{
    struct value template, vars, text;
    struct str why;
    uint8_t marks = 0;
    bool unknown = false;
    const struct type *type = hcl_type_of(call->ev->arena, &call->arg[1]);
    if (!type || !hcl_unmark_deep(call->ev->arena, &call->arg[1], &vars, &marks))
        return false;
    if (vars.kind == VALUE_NULL)
        return hcl_call_fail(call, 1, "argument must not be null");
    if (type->kind == TYPE_DYNAMIC || vars.kind == VALUE_UNKNOWN) {
        *ret = type->kind == TYPE_DYNAMIC ? hcl_any()
                                          : hcl_unknown_not_null(call->ev->arena, &type_string);
        ret->marks = marks;
        return true;
    }
    if (!not_nested(call) || !check_template_argument(call, call->expr->call.arg[0]) ||
        !template_text(call, &template, &unknown))
        return false;
    *ret = hcl_unknown_not_null(call->ev->arena, &type_string);
    if (!unknown) {
        if (!render(call, STR("<templatestring argument>"), value_text(&template), 0, &vars, &text))
            return false;
        if (!hcl_convert(call->ev->arena, &text, &type_string, ret, &why))
            return hcl_call_fail(call, -1, "invalid template result: %.*s", STR_ARG(why));
    }
    ret->marks |= marks | template.marks;
    return true;
}

static bool special_templatestring(struct hcl_eval *ev, const struct hcl_expr *expr,
                                   const struct hcl_scope *scope, struct value *ret)
{
    struct hcl_call call = {.ev = ev, .expr = expr, .scope = scope, .bad_arg = -1, .n = 2};
    struct value args[2] = {hcl_any(), hcl_any()};
    call.function = hcl_function_find(STR("templatestring"), false);
    call.arg = args;
    if (!hcl_eval_expr(ev, expr->call.arg[1], scope, &args[1]))
        return false;
    return render_string(&call, ret) || hcl_call_report(&call);
}

static const struct hcl_function functions[] = {
    {.name = "templatefile",
     .param = {{"path", "string", PARAM_UNKNOWN}, {"vars", "any", PARAM_UNKNOWN}},
     .run = run_templatefile},
    {.name = "templatestring",
     .param = {{"template", "string", 0}, {"vars", "any", 0}},
     .special = special_templatestring},
};

const struct hcl_function_family fn_template = {functions, sizeof functions / sizeof *functions};
