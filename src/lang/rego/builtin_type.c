/* builtin_type.c - Rego's questions for types and conversions. */
#include "base/arena.h"
#include "lang/rego/builtin.h"
#include "lang/rego/type.h"
#include "value/number.h"

#include <string.h>

static enum rego_outcome is_kind(const struct rego_call *call, unsigned kind, struct value *ret)
{
    *ret = value_bool(rego_kind_of(call->arg) & kind);
    return REGO_DEFINED;
}
static enum rego_outcome is_number(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_NUMBER, ret);
}
static enum rego_outcome is_string(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_STRING, ret);
}
static enum rego_outcome is_boolean(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_BOOLEAN, ret);
}
static enum rego_outcome is_array(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_ARRAY, ret);
}
static enum rego_outcome is_set(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_SET, ret);
}
static enum rego_outcome is_object(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_OBJECT, ret);
}
static enum rego_outcome is_null(struct rego_call *call, struct value *ret)
{
    return is_kind(call, REGO_NULL, ret);
}

static enum rego_outcome type_name(struct rego_call *call, struct value *ret)
{
    *ret = value_string(str_from(rego_type_name(call->arg)));
    return REGO_DEFINED;
}

static enum rego_outcome to_number(struct rego_call *call, struct value *ret)
{
    const struct value *v = call->arg;
    struct str s;
    switch (v->kind) {
    case VALUE_NULL:
        *ret = value_int(0);
        return REGO_DEFINED;
    case VALUE_BOOL:
        *ret = value_int(v->truth);
        return REGO_DEFINED;
    case VALUE_NUMBER:
        *ret = *v;
        return REGO_DEFINED;
    default:
        break;
    }
    s = value_text(v);
    if (!number_is_valid(s))
        return rego_fail(call, "strconv.ParseFloat: parsing \"%.*s\": invalid syntax", STR_ARG(s));
    *ret = value_number(s);
    return REGO_DEFINED;
}

/* --- casts: the value itself if it is of the kind; deprecated --- */

static enum rego_outcome cast(struct rego_call *call, unsigned kind, struct value *ret)
{
    *ret = *call->arg;
    return rego_kind_of(call->arg) & kind ? REGO_DEFINED : REGO_UNDEFINED;
}
static enum rego_outcome cast_string(struct rego_call *call, struct value *ret)
{
    return cast(call, REGO_STRING, ret);
}
static enum rego_outcome cast_boolean(struct rego_call *call, struct value *ret)
{
    return cast(call, REGO_BOOLEAN, ret);
}
static enum rego_outcome cast_null(struct rego_call *call, struct value *ret)
{
    return cast(call, REGO_NULL, ret);
}
static enum rego_outcome cast_object(struct rego_call *call, struct value *ret)
{
    return cast(call, REGO_OBJECT, ret);
}
static enum rego_outcome cast_array(struct rego_call *call, struct value *ret)
{
    const struct value *v = call->arg;
    *ret = value_items(VALUE_TUPLE, v->items, v->len);
    return REGO_DEFINED;
}
static enum rego_outcome cast_set(struct rego_call *call, struct value *ret)
{
    const struct value *v = call->arg;
    struct value *items = arena_new_raw(call->arena, struct value, v->len);
    if (!items)
        return REGO_HALT;
    if (v->len)
        memcpy(items, v->items, v->len * sizeof *items);
    *ret = rego_make_set(items, v->len);
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"is_number", NULL, "(any) => boolean", is_number, 0},
    {"is_string", NULL, "(any) => boolean", is_string, 0},
    {"is_boolean", NULL, "(any) => boolean", is_boolean, 0},
    {"is_array", NULL, "(any) => boolean", is_array, 0},
    {"is_set", NULL, "(any) => boolean", is_set, 0},
    {"is_object", NULL, "(any) => boolean", is_object, 0},
    {"is_null", NULL, "(any) => boolean", is_null, 0},
    {"type_name", NULL, "(any) => string", type_name, 0},
    {"to_number", NULL, "(null | boolean | number | string) => number", to_number, 0},
    {"cast_string", NULL, "(any) => string", cast_string, REGO_DEPRECATED},
    {"cast_boolean", NULL, "(any) => boolean", cast_boolean, REGO_DEPRECATED},
    {"cast_null", NULL, "(any) => null", cast_null, REGO_DEPRECATED},
    {"cast_object", NULL, "(any) => object[any: any]", cast_object, REGO_DEPRECATED},
    {"cast_array", NULL, "(array[any] | set[any]) => array[any]", cast_array, REGO_DEPRECATED},
    {"cast_set", NULL, "(array[any] | set[any]) => set[any]", cast_set, REGO_DEPRECATED},
};
const struct rego_family builtin_type = {table, sizeof table / sizeof *table};
