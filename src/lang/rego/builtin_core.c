/* builtin_core.c - Rego's operators: comparison, arithmetic, sets, membership. */
#include "base/arena.h"
#include "lang/rego/builtin.h"

#include <string.h>

enum comparison { EQ = 1, LT = 2, GT = 4 };

static enum rego_outcome compare(struct rego_call *call, unsigned holds, struct value *ret)
{
    int c = rego_compare(&call->arg[0], &call->arg[1]);
    *ret = value_bool(holds & (c == 0 ? EQ : c < 0 ? LT : GT));
    return REGO_DEFINED;
}

static enum rego_outcome equal(struct rego_call *call, struct value *ret)
{
    *ret = value_bool(rego_equal(&call->arg[0], &call->arg[1]));
    return REGO_DEFINED;
}
static enum rego_outcome neq(struct rego_call *call, struct value *ret)
{
    *ret = value_bool(!rego_equal(&call->arg[0], &call->arg[1]));
    return REGO_DEFINED;
}
static enum rego_outcome lt(struct rego_call *call, struct value *ret)
{
    return compare(call, LT, ret);
}
static enum rego_outcome lte(struct rego_call *call, struct value *ret)
{
    return compare(call, LT | EQ, ret);
}
static enum rego_outcome gt(struct rego_call *call, struct value *ret)
{
    return compare(call, GT, ret);
}
static enum rego_outcome gte(struct rego_call *call, struct value *ret)
{
    return compare(call, GT | EQ, ret);
}

static enum rego_outcome arith(struct rego_call *call, enum rego_op op, struct value *ret)
{
    const char *why = NULL;
    if (rego_arith(call->arena, op, &call->arg[0], &call->arg[1], ret, &why))
        return REGO_DEFINED;
    return why ? rego_fail(call, "%s", why) : REGO_HALT;
}

static enum rego_outcome plus(struct rego_call *call, struct value *ret)
{
    return arith(call, REGO_ADD, ret);
}
static enum rego_outcome mul(struct rego_call *call, struct value *ret)
{
    return arith(call, REGO_MUL, ret);
}
static enum rego_outcome div_(struct rego_call *call, struct value *ret)
{
    return arith(call, REGO_DIV, ret);
}
static enum rego_outcome rem(struct rego_call *call, struct value *ret)
{
    return arith(call, REGO_REM, ret);
}

/* Members of a that are (keep) or are not in b; both sorted. */
static enum rego_outcome filter(struct rego_call *call, const struct value *a,
                                const struct value *b, bool keep, struct value *ret)
{
    struct value *items = arena_new_raw(call->arena, struct value, a->len);
    size_t n = 0;
    if (!items)
        return REGO_HALT;
    for (uint32_t i = 0; i < a->len; i++)
        if ((rego_get(b, &a->items[i]) != NULL) == keep)
            items[n++] = a->items[i];
    *ret = value_items(VALUE_SET, items, n);
    return REGO_DEFINED;
}

static enum rego_outcome minus(struct rego_call *call, struct value *ret)
{
    const struct value *a = &call->arg[0], *b = &call->arg[1];
    if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER)
        return arith(call, REGO_SUB, ret);
    if (a->kind == VALUE_SET && b->kind == VALUE_SET)
        return filter(call, a, b, false, ret);
    return rego_fail_operand(call, 1, a->kind == VALUE_SET ? "set" : "number", b);
}

static enum rego_outcome and_(struct rego_call *call, struct value *ret)
{
    const struct value *a = &call->arg[0], *b = &call->arg[1];
    return a->len <= b->len ? filter(call, a, b, true, ret) : filter(call, b, a, true, ret);
}

static enum rego_outcome or_(struct rego_call *call, struct value *ret)
{
    const struct value *a = &call->arg[0], *b = &call->arg[1];
    struct value *items = rego_join_items(call->arena, a, b);
    if (!items)
        return REGO_HALT;
    *ret = rego_make_set(items, (size_t)a->len + b->len);
    return REGO_DEFINED;
}

/* x in xs: a value of the collection. */
static enum rego_outcome member_2(struct rego_call *call, struct value *ret)
{
    const struct value *xs = &call->arg[1];
    struct value key, item;
    bool found = false;
    if (xs->kind == VALUE_SET)
        found = rego_get(xs, &call->arg[0]) != NULL;
    else
        for (size_t at = 0; !found && rego_next(xs, &at, &key, &item);)
            found = rego_equal(&item, &call->arg[0]);
    *ret = value_bool(found);
    return REGO_DEFINED;
}

/* k, v in xs */
static enum rego_outcome member_3(struct rego_call *call, struct value *ret)
{
    const struct value *item = rego_get(&call->arg[2], &call->arg[0]);
    *ret = value_bool(item && rego_equal(item, &call->arg[1]));
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"eq", "=", "(any, any) => boolean", equal, 0},
    {"assign", ":=", "(any, any) => boolean", equal, 0},
    {"equal", "==", "(any, any) => boolean", equal, 0},
    {"neq", "!=", "(any, any) => boolean", neq, 0},
    {"lt", "<", "(any, any) => boolean", lt, 0},
    {"lte", "<=", "(any, any) => boolean", lte, 0},
    {"gt", ">", "(any, any) => boolean", gt, 0},
    {"gte", ">=", "(any, any) => boolean", gte, 0},
    {"plus", "+", "(number, number) => number", plus, 0},
    {"minus", "-", "(number | set[any], number | set[any]) => number | set[any]", minus, 0},
    {"mul", "*", "(number, number) => number", mul, 0},
    {"div", "/", "(number, number) => number", div_, 0},
    {"rem", "%", "(number, number) => number", rem, 0},
    {"and", "&", "(set[any], set[any]) => set[any]", and_, 0},
    {"or", "|", "(set[any], set[any]) => set[any]", or_, 0},
    {"internal.member_2", "in", "(any, any) => boolean", member_2, REGO_INTERNAL},
    {"internal.member_3", NULL, "(any, any, any) => boolean", member_3, REGO_INTERNAL},
    {"print", NULL, "(any...) => ", NULL, REGO_VOID},
};
const struct rego_family builtin_core = {table, sizeof table / sizeof *table};
