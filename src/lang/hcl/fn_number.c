/* fn_number.c - arithmetic functions: abs ceil floor log max min parseint pow signum sum range. */
#include <math.h>
#include <mpfr.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/library.h"
#include "lang/hcl/function.h"
#include "lang/hcl/hcl_number.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"
#include "value/number.h"

static bool make(struct hcl_call *call, mpfr_ptr x, enum hcl_precision precision, struct value *ret)
{
    bool ok = hcl_number_make(call->ev->arena, x, precision, ret);
    mpfr_clear(x);
    return ok || hcl_call_fail(call, -1, "the result is not a number");
}

static bool read(struct hcl_call *call, size_t i, mpfr_t x)
{
    if (hcl_number_read(x, &call->arg[i]))
        return true;
    mpfr_clear(x);
    return hcl_call_fail(call, (int)i, "not a number that can be computed with");
}

static bool run_abs(struct hcl_call *call, struct value *ret)
{
    mpfr_t x = {{0}};
    if (!read(call, 0, x))
        return false;
    mpfr_abs(x, x, MPFR_RNDN);
    return make(call, x, call->arg[0].precision, ret);
}

static bool run_ceil(struct hcl_call *call, struct value *ret)
{
    mpfr_t x = {{0}};
    if (!read(call, 0, x))
        return false;
    mpfr_ceil(x, x);
    if (mpfr_zero_p(x))
        mpfr_set_zero(x, 1);
    return make(call, x, call->arg[0].precision, ret);
}

static bool run_floor(struct hcl_call *call, struct value *ret)
{
    mpfr_t x = {{0}};
    if (!read(call, 0, x))
        return false;
    mpfr_floor(x, x);
    return make(call, x, call->arg[0].precision, ret);
}

static bool run_signum(struct hcl_call *call, struct value *ret)
{
    int64_t whole;
    if (!hcl_call_whole(call, 0, -1, "", &whole))
        return false;
    *ret = value_int((whole > 0) - (whole < 0));
    ret->precision = HCL_PREC_64;
    return true;
}

/* What C's library of mathematics has and C's library has not: loaded for log and pow alone, for
 * loading costs a tenth of a start. It stays: loading again costs nothing. */
struct mathematics {
    double (*exp)(double x);
    double (*log)(double x);
    double (*pow)(double x, double power);
    double (*sqrt)(double x);
};

static bool load(struct hcl_call *call, struct mathematics *ret)
{
    static const struct library library = {.files = "libm.so.6\0",
                                           .names = "exp\0log\0pow\0sqrt\0",
                                           .missing = "this needs libm.so.6, which is not there"};
    struct err err = {0};
    return library_load(&library, ret, sizeof *ret, &err) ||
           hcl_call_fail(call, -1, "%s", err.frame[0]);
}

static bool run_log(struct hcl_call *call, struct value *ret)
{
    bool exact;
    struct mathematics m = {0};
    double x = number_to_double(&call->arg[0], &exact);
    double base = number_to_double(&call->arg[1], &exact);
    mpfr_t r;
    if (!load(call, &m))
        return false;
    mpfr_init2(r, 53);
    mpfr_set_d(r, m.log(x) / m.log(base), MPFR_RNDN);
    return make(call, r, HCL_PREC_53, ret);
}

/* x to a whole power as Go's math.Pow multiplies it: other last digits than C's pow. */
static double power_of(const struct mathematics *m, double x, double power)
{
    double whole, part = modf(fabs(power), &whole), result = 1;
    int exponent = 0, ae = 0;
    bool plain = isfinite(x) && isfinite(power) && x != 0 && power != 0 && fabs(power) != 0.5 &&
                 power != 1 && whole < 0x1p63 && (part == 0 || x > 0);
    if (!plain)
        return fabs(power) == 0.5 && x >= 0 ? (power > 0 ? m->sqrt(x) : 1 / m->sqrt(x))
                                            : m->pow(x, power);
    if (part > 0.5) {
        part--;
        whole++;
    }
    if (part != 0)
        result = m->exp(part * m->log(x));
    double factor = frexp(x, &exponent);
    for (int64_t i = (int64_t)whole; i != 0; i >>= 1) {
        if (exponent < -(1 << 12) || exponent > 1 << 12) {
            ae += exponent;
            break;
        }
        if (i & 1) {
            result *= factor;
            ae += exponent;
        }
        factor *= factor;
        exponent *= 2;
        if (factor < 0.5) {
            factor += factor;
            exponent--;
        }
    }
    return power < 0 ? ldexp(1 / result, -ae) : ldexp(result, ae);
}

static bool run_pow(struct hcl_call *call, struct value *ret)
{
    bool exact;
    double x = number_to_double(&call->arg[0], &exact);
    double power = number_to_double(&call->arg[1], &exact);
    struct mathematics m = {0};
    mpfr_t r;
    if (!load(call, &m))
        return false;
    mpfr_init2(r, 53);
    mpfr_set_d(r, power_of(&m, x, power), MPFR_RNDN);
    return make(call, r, HCL_PREC_53, ret);
}

/* --- max, min --- */

static bool extreme(struct hcl_call *call, int sign, struct value *ret)
{
    if (call->n == 0)
        return hcl_call_fail(call, -1, "must pass at least one number");
    bool unknown = false;
    *ret = call->arg[0];
    for (size_t i = 0; i < call->n; i++) {
        unknown = unknown || call->arg[i].kind == VALUE_UNKNOWN;
        if (!unknown && sign * number_compare(&call->arg[i], ret) > 0)
            *ret = call->arg[i];
    }
    if (unknown)
        *ret = hcl_unknown_not_null(call->ev->arena, &type_number);
    return true;
}

static bool run_max(struct hcl_call *call, struct value *ret)
{
    return extreme(call, 1, ret);
}

static bool run_min(struct hcl_call *call, struct value *ret)
{
    return extreme(call, -1, ret);
}

/* --- parseint --- */

static int digit_value(char c, int64_t base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return base > 36 ? c - 'A' + 36 : c - 'A' + 10;
    return 99;
}

static bool run_parseint(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0];
    int64_t base;
    if (v->kind != VALUE_STRING)
        return hcl_call_fail(call, 0, "first argument must be a string, not %s",
                             value_kind_name((enum value_kind)v->kind));
    if (!value_to_int64(&call->arg[1], &base))
        return hcl_call_fail(call, 1, "value must be a whole number, between -2^63 and 2^63");
    if (base < 2 || base > 62)
        return hcl_call_fail(call, 1, "base must be a whole number between 2 and 62 inclusive");
    struct str s = value_text(v);
    size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    mpz_t z;
    mpz_init(z);
    bool ok = at < s.len && s.len < 4096;
    for (size_t i = at; ok && i < s.len; i++) {
        int digit = digit_value(s.ptr[i], base);
        ok = digit < base;
        mpz_mul_ui(z, z, (unsigned long)base);
        mpz_add_ui(z, z, ok ? (unsigned long)digit : 0);
    }
    if (ok && s.ptr[0] == '-')
        mpz_neg(z, z);
    mpfr_t x = {{0}};
    mpfr_init2(x, 512);
    mpfr_set_z(x, z, MPFR_RNDN);
    bool wide = mpz_sizeinbase(z, 2) > 64;
    mpz_clear(z);
    if (ok)
        return make(call, x, wide ? HCL_PREC_512 : HCL_PREC_64, ret);
    mpfr_clear(x);
    return hcl_call_fail(call, 0, "cannot parse \"%.*s\" as a base %lld integer", STR_ARG(s),
                         (long long)base);
}

/* --- sum, range --- */

static bool run_sum(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    struct arena *arena = call->ev->arena;
    if (!value_is_list_like(list))
        return hcl_call_fail(call, 0, "argument must be list, set, or tuple. Received %.*s",
                             STR_ARG(hcl_type_name(arena, hcl_type_of(arena, list))));
    if (list->len == 0)
        return hcl_call_fail(call, 0, "cannot sum an empty list");
    if (!hcl_wholly_known(list)) {
        *ret = hcl_unknown_not_null(arena, &type_number);
        return true;
    }
    struct value total = value_int(0), number;
    const struct value *items = hcl_elements(arena, list);
    struct str why;
    for (uint32_t i = 0; items && i < list->len; i++) {
        if (items[i].kind == VALUE_NULL ||
            !hcl_convert(arena, &items[i], &type_number, &number, &why))
            return hcl_call_fail(call, 0, "argument must be list, set, or tuple of number values");
        if (i == 0)
            total = number;
        else if (!hcl_arith(arena, HCL_PLUS, &total, &number, &total, &why))
            return hcl_call_fail(call, -1, "%.*s", STR_ARG(why));
    }
    *ret = total;
    return items;
}

enum { RANGE_MAX = 1024 };

static bool run_range(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    struct value start = value_int(0), end, step, next;
    struct str why;
    if (call->n == 0 || call->n > 3)
        return hcl_call_fail(call, -1, "must have one, two, or three arguments");
    if (call->n > 1)
        start = call->arg[0];
    end = call->arg[call->n == 1 ? 0 : 1];
    bool down = number_compare(&end, &start) < 0;
    step = call->n == 3 ? call->arg[2] : value_int(down ? -1 : 1);
    if (call->n == 1)
        start.precision = HCL_PREC_64;
    if (call->n < 3)
        step.precision = HCL_PREC_64;
    struct value zero = value_int(0);
    int direction = number_compare(&step, &zero);
    if (direction > 0 && down)
        return hcl_call_fail(call, 1, "end must be greater than start when step is positive");
    if (direction < 0 && number_compare(&end, &start) > 0)
        return hcl_call_fail(call, 1, "end must be less than start when step is negative");
    struct value *items = arena_new(arena, struct value, RANGE_MAX);
    size_t n = 0;
    if (!items)
        return false;
    for (next = start; number_compare(&next, &end) != 0 &&
                       (direction == 0 || number_compare(&next, &end) * direction < 0);) {
        if (n == RANGE_MAX)
            return hcl_call_fail(call, -1,
                                 "more than %d values were generated; either decrease the "
                                 "difference between start and end or use a smaller step",
                                 RANGE_MAX);
        items[n++] = next;
        if (!hcl_arith(arena, HCL_PLUS, &next, &step, &next, &why))
            return hcl_call_fail(call, -1, "%.*s", STR_ARG(why));
    }
    *ret = value_items(VALUE_LIST, items, n);
    if (n == 0)
        ret->type = &type_number;
    return true;
}

#define NUMERIC(fn, parameter) \
    { \
        .name = #fn, .param = {{parameter, "number", 0}}, .result = "number", .run = run_##fn, \
        .result_not_null = 1 \
    }

static const struct type *range_type(struct hcl_call *call)
{
    (void)call;
    return hcl_named_type("list(number)");
}

static const struct hcl_function functions[] = {
    NUMERIC(abs, "num"),
    NUMERIC(ceil, "num"),
    NUMERIC(floor, "num"),
    NUMERIC(signum, "num"),
    {.name = "log",
     .param = {{"num", "number", 0}, {"base", "number", 0}},
     .result = "number",
     .run = run_log,
     .result_not_null = 1},
    {.name = "pow",
     .param = {{"num", "number", 0}, {"power", "number", 0}},
     .result = "number",
     .run = run_pow,
     .result_not_null = 1},
    {.name = "max",
     .rest = {"numbers", "number", PARAM_UNKNOWN | PARAM_DYNAMIC},
     .result = "number",
     .run = run_max,
     .result_not_null = 1},
    {.name = "min",
     .rest = {"numbers", "number", PARAM_UNKNOWN | PARAM_DYNAMIC},
     .result = "number",
     .run = run_min,
     .result_not_null = 1},
    {.name = "parseint",
     .param = {{"number", "any", 0}, {"base", "number", 0}},
     .result = "number",
     .run = run_parseint,
     .result_not_null = 1},
    {.name = "sum",
     .param = {{"list", "any", 0}},
     .result = "number",
     .run = run_sum,
     .result_not_null = 1},
    {.name = "range",
     .rest = {"params", "number", 0},
     .type = range_type,
     .run = run_range,
     .result_not_null = 1},
};

const struct hcl_function_family fn_number = {functions, sizeof functions / sizeof *functions};
