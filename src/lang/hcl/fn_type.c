/* fn_type.c - conversions, and the functions about marks. */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/function.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"
#include "wire/json.h"

/* --- tostring, tonumber, tobool, tolist, toset, tomap --- */

/* What a value of this type becomes as a collection of `kind` with any element; NULL: it does not.
 */
static const struct type *collection_type(struct hcl_call *call, const struct type *from,
                                          enum type_kind kind)
{
    const struct type any = {.kind = kind, .elem = &type_dynamic};
    struct arena *arena = call->ev->arena;
    if (!hcl_type_converts(arena, from, &any))
        return NULL;
    if (from->kind == TYPE_LIST || from->kind == TYPE_SET || from->kind == TYPE_MAP)
        return type_collection(arena, kind, from->elem);
    if (from->kind == TYPE_DYNAMIC)
        return type_collection(arena, kind, &type_dynamic);
    const struct type **parts = arena_new(arena, const struct type *, from->n);
    for (uint32_t i = 0; parts && i < from->n; i++)
        parts[i] = from->kind == TYPE_TUPLE ? from->items[i] : from->members[i].type;
    const struct type *elem = parts ? hcl_unify(arena, parts, from->n) : NULL;
    return elem ? type_collection(arena, kind, elem) : NULL;
}

static const struct type *target_type(struct hcl_call *call, const struct type *want)
{
    const struct type *from = hcl_type_of(call->ev->arena, &call->arg[0]);
    bool collection = want->kind == TYPE_LIST || want->kind == TYPE_SET || want->kind == TYPE_MAP;
    const struct type *to = !from        ? NULL
                            : collection ? collection_type(call, from, want->kind)
                            : hcl_type_converts(call->ev->arena, from, want) ? want
                                                                             : NULL;
    if (!to && from)
        (void)hcl_call_fail(call, 0, "cannot convert %.*s to %.*s",
                            STR_ARG(hcl_type_name(call->ev->arena, from)),
                            STR_ARG(hcl_type_name(call->ev->arena, want)));
    return to;
}

static bool convert_to(struct hcl_call *call, const struct type *want, struct value *ret)
{
    const struct type *to = target_type(call, want);
    struct str why;
    if (!to)
        return false;
    const struct type *from = hcl_type_of(call->ev->arena, &call->arg[0]);
    if (from && call->arg[0].kind == VALUE_UNKNOWN && !type_equal(from, want)) {
        *ret = hcl_with_marks(hcl_unknown(call->ev->arena, want), call->arg[0].marks);
        return true;
    }
    if (from && from->kind == TYPE_DYNAMIC && call->arg[0].kind == VALUE_NULL) {
        *ret = hcl_with_marks(hcl_null(to), call->arg[0].marks);
        return true;
    }
    if (hcl_convert(call->ev->arena, &call->arg[0], to, ret, &why))
        return true;
    struct str name = hcl_type_name(call->ev->arena, want);
    struct str own = from ? hcl_type_name(call->ev->arena, from) : STR("value");
    if (call->arg[0].kind != VALUE_STRING || hcl_deep_marks(&call->arg[0]))
        return hcl_call_fail(call, 0, "cannot convert %s%.*s to %.*s",
                             hcl_deep_marks(&call->arg[0]) ? "this sensitive " : "", STR_ARG(own),
                             STR_ARG(name));
    AUTO_BUF quoted = {.limit = HCL_TEXT_MAX};
    json_quote(&quoted, value_text(&call->arg[0]));
    return hcl_call_fail(
        call, 0, "cannot convert %.*s to %.*s; %s", STR_ARG(buf_view(&quoted)), STR_ARG(name),
        want->kind == TYPE_BOOL ? "only the strings \"true\" or \"false\" are allowed"
                                : "given string must be a decimal representation of a number");
}

#define CONVERSION(name, text) \
    static const struct type *type_of_##name(struct hcl_call *call) \
    { \
        return target_type(call, hcl_named_type(text)); \
    } \
    static bool run_##name(struct hcl_call *call, struct value *ret) \
    { \
        return convert_to(call, hcl_named_type(text), ret); \
    }
CONVERSION(tostring, "string")
CONVERSION(tonumber, "number")
CONVERSION(tobool, "bool")
CONVERSION(tolist, "list(any)")
CONVERSION(toset, "set(any)")
CONVERSION(tomap, "map(any)")
#undef CONVERSION

/* --- marks --- */

static const struct type *type_of_argument(struct hcl_call *call)
{
    return hcl_type_of(call->ev->arena, &call->arg[0]);
}

static bool run_sensitive(struct hcl_call *call, struct value *ret)
{
    *ret = hcl_with_marks(call->arg[0], VALUE_SENSITIVE);
    return true;
}

static bool run_nonsensitive(struct hcl_call *call, struct value *ret)
{
    *ret = call->arg[0];
    ret->marks = (uint8_t)(ret->marks & ~VALUE_SENSITIVE);
    return true;
}

static bool run_issensitive(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0];
    bool sensitive = v->marks & VALUE_SENSITIVE;
    *ret = value_bool(sensitive);
    if (v->kind == VALUE_UNKNOWN && !sensitive)
        *ret = hcl_unknown_not_null(call->ev->arena, &type_bool);
    ret->marks = (uint8_t)(v->marks & ~VALUE_SENSITIVE);
    return true;
}

static bool without_ephemeral(struct arena *arena, const struct value *v, unsigned depth_left,
                              struct value *ret)
{
    *ret = *v;
    if (v->marks & VALUE_EPHEMERAL) {
        *ret = hcl_null(hcl_type_of(arena, v));
        ret->marks = (uint8_t)(v->marks & ~VALUE_EPHEMERAL);
        return ret->type;
    }
    if (depth_left == 0 || !(hcl_deep_marks(v) & VALUE_EPHEMERAL))
        return depth_left != 0;
    if (value_is_list_like(v)) {
        struct value *items = arena_new(arena, struct value, v->len);
        for (uint32_t i = 0; items && i < v->len; i++)
            if (!without_ephemeral(arena, &v->items[i], depth_left - 1, &items[i]))
                return false;
        ret->items = items;
        return items;
    }
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    for (uint32_t i = 0; members && i < v->len; i++) {
        members[i].key = v->members[i].key;
        if (!without_ephemeral(arena, &v->members[i].value, depth_left - 1, &members[i].value))
            return false;
    }
    ret->members = members;
    return members;
}

static bool run_ephemeralasnull(struct hcl_call *call, struct value *ret)
{
    return without_ephemeral(call->ev->arena, &call->arg[0], VALUE_DEPTH_MAX, ret);
}

enum { ALL = PARAM_NULL | PARAM_UNKNOWN | PARAM_DYNAMIC | PARAM_MARKED };

static const struct hcl_function functions[] = {
    {.name = "tostring",
     .param = {{"v", "any", ALL}},
     .type = type_of_tostring,
     .run = run_tostring},
    {.name = "tonumber",
     .param = {{"v", "any", ALL}},
     .type = type_of_tonumber,
     .run = run_tonumber},
    {.name = "tobool", .param = {{"v", "any", ALL}}, .type = type_of_tobool, .run = run_tobool},
    {.name = "tolist", .param = {{"v", "any", ALL}}, .type = type_of_tolist, .run = run_tolist},
    {.name = "toset", .param = {{"v", "any", ALL}}, .type = type_of_toset, .run = run_toset},
    {.name = "tomap", .param = {{"v", "any", ALL}}, .type = type_of_tomap, .run = run_tomap},
    {.name = "sensitive",
     .param = {{"value", "any", ALL}},
     .type = type_of_argument,
     .run = run_sensitive},
    {.name = "nonsensitive",
     .param = {{"value", "any", ALL}},
     .type = type_of_argument,
     .run = run_nonsensitive},
    {.name = "issensitive",
     .param = {{"value", "any", ALL}},
     .result = "bool",
     .run = run_issensitive},
    {.name = "ephemeralasnull",
     .param = {{"value", "any", ALL}},
     .type = type_of_argument,
     .run = run_ephemeralasnull},
};

const struct hcl_function_family fn_type = {functions, sizeof functions / sizeof *functions};
