/* call.c - function calls: the table of all families, and what go-cty does around an
 * implementation. */
#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/types.h"

#define X(name) extern const struct hcl_function_family name;
#include "gen/hcl_fn.inc"
#undef X

static const struct hcl_function_family *const families[] = {
#define X(name) &name,
#include "gen/hcl_fn.inc"
#undef X
};
enum {
    FAMILIES = sizeof families / sizeof *families,
    CANDIDATES_MAX = 256,
    ELEMENTS_MAX = 10000000
};

const struct hcl_function *hcl_function_find(struct str name, bool opentofu)
{
    for (size_t f = 0; f < FAMILIES; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            const struct hcl_function *function = &families[f]->function[i];
            if (str_equal(name, str_from(function->name)) && (opentofu || !function->opentofu))
                return function;
        }
    return NULL;
}

static struct str nearest_function(struct str name)
{
    struct str candidates[CANDIDATES_MAX];
    size_t n = 0;
    for (size_t f = 0; f < FAMILIES; f++)
        for (size_t i = 0; i < families[f]->n && n < CANDIDATES_MAX; i++)
            candidates[n++] = str_from(families[f]->function[i].name);
    return str_nearest(name, candidates, n);
}

bool hcl_call_fail(struct hcl_call *call, int bad_arg, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    call->why = arena_vprintf(call->ev->arena, fmt, args);
    va_end(args);
    call->bad_arg = bad_arg;
    return false;
}

bool hcl_call_whole(struct hcl_call *call, size_t i, int bad_arg, const char *prefix, int64_t *ret)
{
    if (value_to_int64(&call->arg[i], ret))
        return true;
    return hcl_call_fail(call, bad_arg,
                         "%svalue must be a whole number, between -9223372036854775808 and "
                         "9223372036854775807",
                         prefix);
}

bool hcl_call_bound(struct hcl_call *call, uint64_t n)
{
    uint64_t most = call->ev->limits.elements ? call->ev->limits.elements : ELEMENTS_MAX;
    return n <= most || hcl_call_fail(call, -1, "the result would have more than %llu elements",
                                      (unsigned long long)most);
}

bool hcl_call_spend(struct hcl_call *call, uint64_t n)
{
    uint64_t most = call->ev->limits.steps ? call->ev->limits.steps : 50000000;
    if (n > most || call->ev->steps + n > most)
        return hcl_call_fail(call, -1, "it needs more than the %llu steps that are allowed",
                             (unsigned long long)most);
    call->ev->steps += n;
    return true;
}

bool hcl_call_text(struct hcl_call *call, struct str text, struct value *ret)
{
    if (text.len > HCL_TEXT_MAX)
        return hcl_call_fail(call, -1, "the text would have more than %d bytes", HCL_TEXT_MAX);
    if (text.len == 0)
        text = STR("");
    text = utf8_nfc(call->ev->arena, text);
    *ret = value_string(text);
    return text.ptr;
}

bool hcl_call_buf(struct hcl_call *call, struct buf *buf, struct value *ret)
{
    if (buf->failed)
        return hcl_call_fail(call, -1, "the text would have more than %zu bytes", buf->limit);
    struct str text = arena_dup(call->ev->arena, buf_view(buf));
    return text.ptr && hcl_call_text(call, text, ret);
}

/* --- types as text --- */

static const struct type list_any = {.kind = TYPE_LIST, .elem = &type_dynamic};
static const struct type list_string = {.kind = TYPE_LIST, .elem = &type_string};
static const struct type list_number = {.kind = TYPE_LIST, .elem = &type_number};
static const struct type list_bool = {.kind = TYPE_LIST, .elem = &type_bool};
static const struct type list_list_any = {.kind = TYPE_LIST, .elem = &list_any};
static const struct type list_list_string = {.kind = TYPE_LIST, .elem = &list_string};
static const struct type set_any = {.kind = TYPE_SET, .elem = &type_dynamic};
static const struct type set_string = {.kind = TYPE_SET, .elem = &type_string};
static const struct type map_any = {.kind = TYPE_MAP, .elem = &type_dynamic};
static const struct type map_string = {.kind = TYPE_MAP, .elem = &type_string};
static const struct type map_list_string = {.kind = TYPE_MAP, .elem = &list_string};

static const struct {
    const char *text;
    const struct type *type;
} named_types[] = {
    {"any", &type_dynamic},
    {"string", &type_string},
    {"number", &type_number},
    {"bool", &type_bool},
    {"list(any)", &list_any},
    {"list(string)", &list_string},
    {"list(number)", &list_number},
    {"list(bool)", &list_bool},
    {"list(list(any))", &list_list_any},
    {"list(list(string))", &list_list_string},
    {"set(any)", &set_any},
    {"set(string)", &set_string},
    {"map(any)", &map_any},
    {"map(string)", &map_string},
    {"map(list(string))", &map_list_string},
};

/* A table that names another type is a mistake of ours: dynamic keeps it harmless, a test finds it.
 */
const struct type *hcl_named_type(const char *text)
{
    for (size_t i = 0; text && i < sizeof named_types / sizeof *named_types; i++)
        if (str_equal(str_from(text), str_from(named_types[i].text)))
            return named_types[i].type;
    return text ? NULL : &type_dynamic;
}

/* --- arguments --- */

struct arguments {
    struct value *ptr;
    size_t n, written; /* those from `written` on come from an expanded one */
    bool unknown_expansion;
};

static struct hcl_range arg_range(const struct hcl_expr *call, size_t i)
{
    if (call->call.nargs == 0)
        return call->range;
    return call->call.arg[i < call->call.nargs ? i : call->call.nargs - 1]->range;
}

/* The elements of the last argument are arguments; its marks are on each of them. */
static bool expand_last(struct hcl_eval *ev, const struct hcl_expr *call,
                        const struct hcl_scope *scope, struct arguments *args)
{
    static const char summary[] = "Invalid expanding argument value";
    const struct hcl_expr *expr = call->call.arg[call->call.nargs - 1];
    struct value last;
    if (!hcl_eval_expr(ev, expr, scope, &last))
        return false;
    const struct type *type = hcl_type_of(ev->arena, &last);
    bool dynamic = type && type->kind == TYPE_DYNAMIC;
    bool sequence =
        type && (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_TUPLE);
    if (last.kind == VALUE_NULL && (sequence || dynamic))
        return hcl_fail(ev, expr->range, summary,
                        "The expanding argument (indicated by ...) must not be null.");
    if (!sequence && !dynamic)
        return hcl_fail(ev, expr->range, summary,
                        "The expanding argument (indicated by ...) must be of a tuple, list, or "
                        "set type.");
    args->unknown_expansion = last.kind == VALUE_UNKNOWN;
    if (args->unknown_expansion)
        return true;
    const struct value *items = hcl_elements(ev->arena, &last);
    args->n = args->written + last.len;
    args->ptr = arena_new(ev->arena, struct value, args->n);
    if (!args->ptr || (!items && last.len))
        return false;
    for (uint32_t i = 0; i < last.len; i++)
        args->ptr[args->written + i] = hcl_with_marks(items[i], items[i].marks | last.marks);
    return true;
}

/* How many there are: those written out are evaluated once that is known to be right. */
static bool count_arguments(struct hcl_eval *ev, const struct hcl_expr *call,
                            const struct hcl_scope *scope, struct arguments *args)
{
    args->written = args->n = call->call.nargs;
    if (call->call.expand && args->n) {
        args->written--;
        return expand_last(ev, call, scope, args);
    }
    args->ptr = arena_new(ev->arena, struct value, args->n);
    return args->ptr;
}

static bool eval_arguments(struct hcl_eval *ev, const struct hcl_expr *call,
                           const struct hcl_scope *scope, struct arguments *args)
{
    bool ok = true;
    for (size_t i = 0; i < args->written; i++)
        ok = hcl_eval_expr(ev, call->call.arg[i], scope, &args->ptr[i]) && ok;
    return ok;
}

static size_t fixed_params(const struct hcl_function *f)
{
    size_t n = 0;
    while (n < HCL_PARAMS_MAX && f->param[n].name)
        n++;
    return n;
}

static const struct hcl_param *param_of(const struct hcl_function *f, size_t i)
{
    return i < fixed_params(f) ? &f->param[i] : &f->rest;
}

static bool check_count(struct hcl_eval *ev, const struct hcl_expr *call,
                        const struct hcl_function *f, size_t n)
{
    size_t want = fixed_params(f);
    struct str name = call->call.name;
    if (n < want)
        return hcl_fail(ev, (struct hcl_range){call->range.end - 1, call->range.end},
                        "Not enough function arguments",
                        "Function \"%.*s\" expects%s %zu argument(s). Missing value for \"%s\".",
                        STR_ARG(name), f->rest.name ? " at least" : "", want, f->param[n].name);
    if (n > want && !f->rest.name)
        return hcl_fail(ev, arg_range(call, want), "Too many function arguments",
                        "Function \"%.*s\" expects only %zu argument(s).", STR_ARG(name), want);
    return true;
}

static bool bad_argument(struct hcl_eval *ev, const struct hcl_call *call, size_t i, struct str why)
{
    return hcl_fail(ev, arg_range(call->expr, i), "Invalid function argument",
                    "Invalid value for \"%s\" parameter: %.*s.", param_of(call->function, i)->name,
                    STR_ARG(why));
}

/* Each to its parameter's type: all faults are told. */
static bool convert_arguments(const struct hcl_call *call, struct value *args)
{
    bool ok = true;
    for (size_t i = 0; i < call->n; i++) {
        const struct type *type = hcl_named_type(param_of(call->function, i)->type);
        struct str why = {0};
        if (type && !hcl_convert(call->ev->arena, &args[i], type, &args[i], &why))
            ok = bad_argument(call->ev, call, i, why);
    }
    return ok;
}

/* What cty checks of each argument. *ret_unknown: the implementation is not called. */
static bool prepare(struct hcl_call *call, struct value *args, uint8_t *marks, bool *ret_unknown,
                    bool *ret_dynamic)
{
    struct hcl_eval *ev = call->ev;
    for (size_t i = 0; i < call->n; i++)
        if (!(param_of(call->function, i)->flags & PARAM_MARKED) &&
            !hcl_unmark_deep(ev->arena, &args[i], &args[i], marks))
            return false;
    for (size_t i = 0; i < call->n; i++) {
        const struct hcl_param *param = param_of(call->function, i);
        const struct type *own = hcl_type_of(ev->arena, &args[i]);
        bool dynamic = own && own->kind == TYPE_DYNAMIC;
        if (args[i].kind == VALUE_NULL && !(param->flags & PARAM_NULL))
            return bad_argument(ev, call, i, STR("argument must not be null"));
        if (dynamic && !(param->flags & PARAM_DYNAMIC)) { /* an untyped null too */
            *ret_dynamic = true;                          /* cty looks no further */
            return true;
        }
        if (args[i].kind == VALUE_UNKNOWN && !(param->flags & PARAM_UNKNOWN))
            *ret_unknown = true;
    }
    return true;
}

static struct value unknown_result(struct hcl_call *call, const struct type *type)
{
    if (call->function->result_not_null && type && type->kind != TYPE_DYNAMIC)
        return hcl_unknown_not_null(call->ev->arena, type);
    return hcl_unknown(call->ev->arena, type);
}

/* The reason of an implementation may quote its arguments: not where one of them is a secret. */
static bool report_failure(struct hcl_eval *ev, const struct hcl_call *call, uint8_t marks)
{
    struct str why = call->why;
    if (why.ptr && (marks & VALUE_SENSITIVE))
        why = STR("the reason could show a sensitive value");
    if (!why.ptr)
        why = arena_printf(ev->arena, "it needs more than the %zu bytes that are allowed",
                           ev->arena->limit);
    if (!why.ptr)
        why = STR("out of memory");
    if (call->bad_arg >= 0)
        return bad_argument(ev, call, (size_t)call->bad_arg, why);
    return hcl_fail(ev, call->expr->range, "Error in function call",
                    "Call to function \"%.*s\" failed: %.*s.", STR_ARG(call->expr->call.name),
                    STR_ARG(why));
}

bool hcl_call_report(const struct hcl_call *call)
{
    return report_failure(call->ev, call, 0);
}

static bool run(struct hcl_call *call, struct value *args, struct value *ret)
{
    struct hcl_eval *ev = call->ev;
    bool unknown = false, dynamic = false;
    uint8_t marks = 0;
    call->bad_arg = -1;
    if (!prepare(call, args, &marks, &unknown, &dynamic))
        return false;
    unknown =
        unknown || (call->function->unknown_when_planning && (!ev->world || ev->world->planning));
    const struct type *type = hcl_named_type(call->function->result);
    if (!dynamic && call->function->type && !(type = call->function->type(call)))
        return report_failure(ev, call, marks);
    if (dynamic)
        *ret = hcl_any();
    else if (unknown)
        *ret = unknown_result(call, type);
    else if (!call->function->run(call, ret))
        return report_failure(ev, call, marks);
    ret->marks |= marks;
    return true;
}

static bool call_provider(struct hcl_eval *ev, const struct hcl_expr *call,
                          const struct arguments *args, struct value *ret)
{
    struct str name = call->call.name;
    if (!ev->world || !ev->world->call_provider)
        return hcl_fail(ev, call->call.name_range, "Unknown provider function",
                        "The function \"%.*s\" cannot be called here: no provider is at hand.",
                        STR_ARG(name));
    ev->calling = call->call.name_range;
    return ev->world->call_provider(ev->world->ctx, ev, name, args->ptr, args->n, ret);
}

/* try, can and the like look at expressions: elements of an expanded argument are literals to
 * them. */
static bool call_special(struct hcl_eval *ev, const struct hcl_expr *expr,
                         const struct hcl_function *function, const struct hcl_scope *scope,
                         const struct arguments *args, struct value *ret)
{
    struct hcl_expr call = *expr;
    struct hcl_expr *literals = arena_new(ev->arena, struct hcl_expr, args->n);
    const struct hcl_expr **list = arena_new(ev->arena, const struct hcl_expr *, args->n);
    if (!literals || !list)
        return false;
    for (size_t i = 0; i < args->n; i++) {
        bool written = i < args->written;
        literals[i] = (struct hcl_expr){
            .kind = HCL_EXPR_LITERAL, .range = arg_range(expr, i), .value = args->ptr[i]};
        list[i] = written ? expr->call.arg[i] : &literals[i];
    }
    call.call.arg = list;
    call.call.nargs = (uint32_t)args->n;
    call.call.expand = false;
    return function->special(ev, &call, scope, ret);
}

static bool unknown_function(struct hcl_eval *ev, const struct hcl_expr *call)
{
    size_t colons = str_find(call->call.name, STR("::"), 0);
    if (colons != SIZE_MAX)
        return hcl_fail(
            ev, call->call.name_range, "Unknown provider function",
            "The function namespace \"%.*s\" is not valid. Provider function calls must "
            "use the \"provider::\" namespace prefix.",
            (int)colons, call->call.name.ptr);
    struct str name = call->call.name, near = nearest_function(name);
    return hcl_fail(ev, call->call.name_range, "Call to unknown function",
                    "There is no function named \"%.*s\".%s%.*s%s", STR_ARG(name),
                    near.ptr ? " Did you mean \"" : "", STR_ARG(near), near.ptr ? "\"?" : "");
}

bool hcl_eval_call(struct hcl_eval *ev, const struct hcl_expr *expr, const struct hcl_scope *scope,
                   struct value *ret)
{
    struct str name = expr->call.name;
    bool provider = str_starts(name, STR("provider::"));
    if (ev->constant)
        return hcl_fail(ev, expr->range, "Function calls not allowed",
                        "Functions may not be called here.");
    if (str_starts(name, STR("core::")))
        name = str_sub(name, 6, name.len);
    const struct hcl_function *function =
        provider ? NULL : hcl_function_find(name, ev->world && ev->world->opentofu);
    if (!function && !provider)
        return unknown_function(ev, expr);
    struct arguments args = {0};
    if (!count_arguments(ev, expr, scope, &args))
        return false;
    *ret = hcl_any();
    if (args.unknown_expansion)
        return true;
    if (function && !check_count(ev, expr, function, args.n))
        return false;
    if (function && function->special)
        return expr->call.expand ? call_special(ev, expr, function, scope, &args, ret)
                                 : function->special(ev, expr, scope, ret);
    bool ok = eval_arguments(ev, expr, scope, &args);
    if (provider)
        return ok && call_provider(ev, expr, &args, ret);
    struct hcl_call call = {
        .ev = ev, .function = function, .expr = expr, .scope = scope, .arg = args.ptr, .n = args.n};
    return convert_arguments(&call, args.ptr) && ok && run(&call, args.ptr, ret);
}
