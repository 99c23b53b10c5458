/* builtin_aggregate.c - Rego's count, sum, product, max, min, sort, any, all. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"

/* A byte that is no UTF-8 (of base64.decode, say) counts as one. */
static size_t code_points(struct str s)
{
    size_t n = 0, at = 0;
    for (; at < s.len; n++)
        (void)utf8_next(s, &at);
    return n;
}

static enum rego_outcome count(struct rego_call *call, struct value *ret)
{
    const struct value *v = call->arg;
    *ret = value_int(v->kind == VALUE_STRING ? (int64_t)code_points(value_text(v)) : v->len);
    return REGO_DEFINED;
}

/* Fold the numbers of an array or a set. */
static enum rego_outcome fold(struct rego_call *call, enum rego_op op, int64_t start,
                              struct value *ret)
{
    const struct value *v = call->arg;
    const char *why = NULL;
    *ret = value_int(start);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value *item = &v->items[i];
        if (item->kind != VALUE_NUMBER) {
            call->why = arena_printf(call->arena,
                                     "operand 1 must be %s of numbers but got %s containing %s",
                                     rego_type_name(v), rego_type_name(v), rego_type_name(item));
            call->type_error = true;
            return REGO_FAILED;
        }
        if (!rego_arith(call->arena, op, ret, item, ret, &why))
            return why ? rego_fail(call, "%s", why) : REGO_HALT;
    }
    return REGO_DEFINED;
}

static enum rego_outcome sum(struct rego_call *call, struct value *ret)
{
    return fold(call, REGO_ADD, 0, ret);
}

static enum rego_outcome product(struct rego_call *call, struct value *ret)
{
    return fold(call, REGO_MUL, 1, ret);
}

static enum rego_outcome extreme(struct rego_call *call, int sign, struct value *ret)
{
    const struct value *v = call->arg;
    if (v->len == 0)
        return REGO_UNDEFINED;
    *ret = v->items[0];
    for (uint32_t i = 1; i < v->len; i++)
        if (rego_compare(&v->items[i], ret) * sign > 0)
            *ret = v->items[i];
    return REGO_DEFINED;
}

static enum rego_outcome max(struct rego_call *call, struct value *ret)
{
    return extreme(call, 1, ret);
}

static enum rego_outcome min(struct rego_call *call, struct value *ret)
{
    return extreme(call, -1, ret);
}

static int compare_qsort(const void *a, const void *b)
{
    return rego_compare(a, b);
}

static enum rego_outcome sort(struct rego_call *call, struct value *ret)
{
    const struct value *v = call->arg;
    struct value *items = arena_new_raw(call->arena, struct value, v->len);
    if (!items)
        return REGO_HALT;
    if (v->len)
        memcpy(items, v->items, v->len * sizeof *items);
    if (v->kind != VALUE_SET && v->len)
        qsort(items, v->len, sizeof *items, compare_qsort);
    *ret = value_items(VALUE_TUPLE, items, v->len);
    return REGO_DEFINED;
}

static bool is_true(const struct value *v)
{
    return v->kind == VALUE_BOOL && v->truth;
}

static enum rego_outcome any(struct rego_call *call, struct value *ret)
{
    bool found = false;
    for (uint32_t i = 0; i < call->arg->len; i++)
        found |= is_true(&call->arg->items[i]);
    *ret = value_bool(found);
    return REGO_DEFINED;
}

static enum rego_outcome all(struct rego_call *call, struct value *ret)
{
    bool every = true;
    for (uint32_t i = 0; i < call->arg->len; i++)
        every &= is_true(&call->arg->items[i]);
    *ret = value_bool(every);
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"count", NULL, "(array[any] | object[any: any] | set[any] | string) => number", count, 0},
    {"sum", NULL, "(array[number] | set[number]) => number", sum, 0},
    {"product", NULL, "(array[number] | set[number]) => number", product, 0},
    {"max", NULL, "(array[any] | set[any]) => any", max, 0},
    {"min", NULL, "(array[any] | set[any]) => any", min, 0},
    {"sort", NULL, "(array[any] | set[any]) => array[any]", sort, 0},
    {"any", NULL, "(array[any] | set[any]) => boolean", any, REGO_DEPRECATED},
    {"all", NULL, "(array[any] | set[any]) => boolean", all, REGO_DEPRECATED},
};
const struct rego_family builtin_aggregate = {table, sizeof table / sizeof *table};
