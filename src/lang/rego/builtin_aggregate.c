/* builtin_aggregate.c - Rego's count, sum, product, max, min, sort, any, all. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"
#include "lang/rego/number.h"

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

/* One number that is no integer makes all of them floats. */
static enum rego_outcome fold_fractions(struct rego_call *call, enum rego_op op, int64_t start,
                                        struct value *ret)
{
    mpfr_t sum;
    struct value from = value_int(start);
    bool ok = rego_number_mpfr(sum, &from);
    for (uint32_t i = 0; ok && i < call->arg->len; i++) {
        mpfr_t x;
        ok = rego_number_mpfr(x, &call->arg->items[i]);
        if (op == REGO_ADD)
            (void)mpfr_add(sum, sum, x, MPFR_RNDN);
        else
            (void)mpfr_mul(sum, sum, x, MPFR_RNDN);
        mpfr_clear(x);
    }
    ok = ok && mpfr_number_p(sum) && rego_number_from_mpfr(call->arena, sum, ret);
    mpfr_clear(sum);
    return ok ? REGO_DEFINED : REGO_HALT;
}

/* Of whole numbers, without their digits in between. */
static enum rego_outcome fold_long(struct rego_call *call, enum rego_op op, int64_t start,
                                   struct value *ret)
{
    bool ok = true, short_enough = true;
    mpz_t all;
    mpz_init_set_si(all, (long)start);
    for (uint32_t i = 0; ok && short_enough && i < call->arg->len; i++) {
        mpz_t item;
        short_enough = rego_number_mpz(item, &call->arg->items[i]);
        if (short_enough)
            (op == REGO_ADD ? mpz_add : mpz_mul)(all, all, item);
        mpz_clear(item);
        short_enough = short_enough && mpz_sizeinbase(all, 2) <= REGO_BITS_MAX;
        ok = call->spend(call->spend_ctx, mpz_size(all) / 32 + 1);
    }
    ok = ok && (!short_enough || rego_number_from_mpz(call->arena, all, ret));
    mpz_clear(all);
    return !ok ? REGO_HALT : short_enough ? REGO_DEFINED : rego_fail(call, "number too big");
}

/* Fold the numbers of an array or a set. */
static enum rego_outcome fold(struct rego_call *call, enum rego_op op, int64_t start,
                              struct value *ret)
{
    const struct value *v = call->arg;
    const char *why = NULL;
    bool whole = true;
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
        whole &= rego_is_integer(item);
    }
    if (!whole)
        return fold_fractions(call, op, start, ret);
    for (uint32_t i = 0; i < v->len; i++) {
        if (!rego_arith(call->arena, op, ret, &v->items[i], ret, &why))
            return why ? rego_fail(call, "%s", why) : REGO_HALT;
        if (ret->form != NUMBER_INT)
            return fold_long(call, op, start, ret);
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
    uint32_t first = 0;
    /* Least of a set is never null, unless nothing else is there: so OPA has it. */
    if (sign < 0 && v->kind == VALUE_SET && v->items[0].kind == VALUE_NULL && v->len > 1)
        first = 1;
    *ret = v->items[first];
    for (uint32_t i = first + 1; i < v->len; i++)
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
