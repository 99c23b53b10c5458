/* builtin.c - encode_tfvars, decode_tfvars and encode_expr of Terraform's built-in provider. */
#include "lang/hcl/builtin.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/lex.h"
#include "lang/hcl/ops.h"

struct work {
    struct hcl_eval *ev;
    struct str name;
};

static bool failed(const struct work *w, struct str why)
{
    return hcl_fail(w->ev, (struct hcl_range){0, 0}, "Error in function call",
                    "Call to function \"%.*s\" failed: %.*s.", STR_ARG(w->name), STR_ARG(why));
}

static bool encode_expr(const struct work *w, const struct value *v, struct value *ret)
{
    struct str text, why = {0};
    if (!hcl_expr_encode(w->ev->arena, v, &text, &why))
        return failed(w, why);
    *ret = value_string(text);
    return true;
}

static bool encode_tfvars(const struct work *w, const struct value *v, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    struct str text, why = {0};
    if (v->kind != VALUE_OBJECT)
        return failed(w, STR("invalid value to encode: must be an object whose attribute names "
                             "will become the encoded variable names"));
    for (uint32_t i = 0; i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        if (!hcl_is_identifier(key))
            return failed(w, arena_printf(w->ev->arena,
                                          "invalid variable name \"%.*s\": must be a valid "
                                          "identifier, per Terraform's rules for input variable "
                                          "declarations",
                                          STR_ARG(key)));
        if (!hcl_expr_encode(w->ev->arena, &v->members[i].value, &text, &why))
            return failed(w, why);
        buf_str(&out, key);
        buf_str(&out, STR(" = "));
        buf_str(&out, text);
        buf_char(&out, '\n');
    }
    text = buf_ok(&out, NULL) ? arena_dup(w->ev->arena, buf_view(&out)) : (struct str){0};
    if (!text.ptr)
        return failed(w, STR("the text is too large"));
    *ret = value_string(text);
    return true;
}

static bool decode_body(struct hcl_eval *ev, const struct hcl_body *body, struct value *ret)
{
    size_t n = body->nattributes;
    struct value_member *members = arena_new(ev->arena, struct value_member, n);
    for (size_t i = 0; members && i < n; i++) {
        members[i].key = key_make(ev->arena, body->attribute[i].name);
        if (!members[i].key ||
            !hcl_eval_expr(ev, body->attribute[i].value, NULL, &members[i].value))
            return false;
    }
    return members && value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

static bool decode_tfvars(const struct work *w, const struct value *v, struct value *ret)
{
    struct hcl_diags diags = {.arena = w->ev->arena};
    struct hcl_file file;
    struct err err = {0};
    if (v->kind != VALUE_STRING)
        return failed(w, STR("invalid tfvars content: a string is required"));
    struct hcl_eval inner = *w->ev;
    inner.file = STR("<decode_tfvars argument>");
    inner.text = value_text(v);
    inner.diags = &diags;
    bool ok = hcl_parse_file(inner.arena, inner.text, inner.file, &diags, &file, &err) &&
              !hcl_has_errors(&diags) && file.body.nblocks == 0 &&
              decode_body(&inner, &file.body, ret);
    w->ev->steps = inner.steps;
    w->ev->exhausted = w->ev->exhausted || inner.exhausted;
    if (ok)
        return true;
    return failed(w, diags.n ? arena_printf(inner.arena, "invalid tfvars content: %.*s; %.*s",
                                            STR_ARG(diags.diag[0].summary),
                                            STR_ARG(diags.diag[0].detail))
                             : STR("invalid tfvars content: blocks are not allowed here"));
}

static const struct {
    struct str name;
    bool (*run)(const struct work *w, const struct value *v, struct value *ret);
    bool gives_text;
} functions[] = {
    {STR_INIT("encode_expr"), encode_expr, true},
    {STR_INIT("encode_tfvars"), encode_tfvars, true},
    {STR_INIT("decode_tfvars"), decode_tfvars, false},
};

bool hcl_call_builtin_provider(struct hcl_eval *ev, struct str name, const struct value *args,
                               size_t nargs, struct value *ret)
{
    struct work w = {ev, name};
    struct value v;
    uint8_t marks = 0;
    size_t i = 0, last = 0;
    for (size_t at = 0; (at = str_find(name, STR("::"), at)) != SIZE_MAX;)
        last = at += 2;
    while (i < sizeof functions / sizeof *functions &&
           !str_equal(functions[i].name, str_sub(name, last, name.len)))
        i++;
    if (i == sizeof functions / sizeof *functions)
        return hcl_fail(ev, (struct hcl_range){0, 0}, "Unknown provider function",
                        "There is no function named \"%.*s\".", STR_ARG(name));
    if (nargs != 1)
        return hcl_fail(ev, (struct hcl_range){0, 0},
                        nargs ? "Too many function arguments" : "Not enough function arguments",
                        "Function \"%.*s\" expects 1 argument.", STR_ARG(name));
    if (args[0].kind == VALUE_NULL)
        return hcl_fail(ev, (struct hcl_range){0, 0}, "Invalid function argument",
                        "Invalid value for \"value\" parameter: argument must not be null.");
    if (!hcl_unmark_deep(ev->arena, &args[0], &v, &marks))
        return false;
    if (!hcl_wholly_known(&v))
        *ret = functions[i].gives_text ? hcl_unknown_not_null(ev->arena, &type_string) : hcl_any();
    else if (!functions[i].run(&w, &v, ret))
        return false;
    ret->marks |= marks;
    return true;
}
