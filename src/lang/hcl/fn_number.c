/* fn_number.c - arithmetic functions: abs ceil floor log max min parseint pow signum sum range. */
#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <string.h>

#include "base/arena.h"
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

/* --- log, pow: to the last digit as Go computes them ---
 *
 * Source: the method of fdlibm's e_log (series in f / (2 + f), minimax coefficients) and the one of
 *         Shibata's SLEEF for exp (Taylor series of a sixteenth, squared four times), which are
 *         what Go uses on amd64
 */

static double natural_log(double x)
{
    static const double odd[] = {6.666666666666735130e-01, 2.857142874366239149e-01,
                                 1.818357216161805012e-01, 1.479819860511658591e-01};
    static const double even[] = {3.999999999940941908e-01, 2.222219843214978396e-01,
                                  1.531383769920937332e-01};
    static const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    int exponent;
    if (isnan(x) || x < 0)
        return NAN;
    if (x == 0 || isinf(x))
        return x == 0 ? -INFINITY : x;
    double f = frexp(x, &exponent);
    if (f < 7.07106781186547524401e-01) {
        f *= 2;
        exponent--;
    }
    f -= 1;
    double k = exponent, s = f / (2 + f), s2 = s * s, s4 = s2 * s2;
    double t1 = s2 * (odd[0] + s4 * (odd[1] + s4 * (odd[2] + s4 * odd[3])));
    double t2 = s4 * (even[0] + s4 * (even[1] + s4 * even[2]));
    double half = 0.5 * f * f;
    return k * ln2_high - ((half - (s * (half + (t1 + t2)) + k * ln2_low)) - f);
}

/* a * b + c, rounded once. */
static double fused(double a, double b, double c)
{
    mpfr_t x, y, z;
    mpfr_inits2(53, x, y, z, (mpfr_ptr)NULL);
    mpfr_set_d(x, a, MPFR_RNDN);
    mpfr_set_d(y, b, MPFR_RNDN);
    mpfr_set_d(z, c, MPFR_RNDN);
    mpfr_fma(x, x, y, z, MPFR_RNDN);
    double result = mpfr_get_d(x, MPFR_RNDN);
    mpfr_clears(x, y, z, (mpfr_ptr)NULL);
    return result;
}

static double natural_exp(double x)
{
    static const double taylor[] = {2.4801587301587301587e-5,
                                    1.9841269841269841270e-4,
                                    1.3888888888888888889e-3,
                                    8.3333333333333333333e-3,
                                    4.1666666666666666667e-2,
                                    1.6666666666666666667e-1,
                                    0.5,
                                    1.0};
    static const double ln2_high = 0.69314718055966295651160180568695068359375,
                        ln2_low = 0.28235290563031577122588448175013436025525412068e-12;
    if (x > 7.09782712893384e+02)
        return INFINITY;
    static const double whole = 0x1.8p52; /* added and taken away: rounds to even */
    double k = 1.4426950408889634073599246810018920 * x + whole - whole;
    if (k < -1100)
        return 0;
    x = fused(-ln2_high, k, x);
    x = fused(-ln2_low, k, x);
    x *= 0.0625;
    double sum = taylor[0];
    for (size_t i = 1; i < sizeof taylor / sizeof *taylor; i++)
        sum = fused(sum, x, taylor[i]);
    x *= sum;
    for (int i = 0; i < 3; i++)
        x *= x + 2;
    return ldexp(fused(x, x + 2, 1), (int)k);
}

/* False (call->why) where the argument is finite and no double is as large. */
static bool double_of(struct hcl_call *call, size_t i, double *ret)
{
    bool exact;
    *ret = number_to_double(&call->arg[i], &exact);
    if (!isinf(*ret) || hcl_is_infinite(&call->arg[i]))
        return true;
    return hcl_call_fail(call, -1, "value must be between %f and %f inclusive", -DBL_MAX, DBL_MAX);
}

static bool run_log(struct hcl_call *call, struct value *ret)
{
    double x, base;
    mpfr_t r;
    if (!double_of(call, 0, &x) || !double_of(call, 1, &base))
        return false;
    mpfr_init2(r, 53);
    mpfr_set_d(r, natural_log(x) / natural_log(base), MPFR_RNDN);
    return make(call, r, HCL_PREC_53, ret);
}

static double root_of(double x)
{
    mpfr_t r;
    mpfr_init2(r, 53);
    mpfr_set_d(r, x, MPFR_RNDN);
    mpfr_sqrt(r, r, MPFR_RNDN);
    double result = mpfr_get_d(r, MPFR_RNDN);
    mpfr_clear(r);
    return result;
}

/* Where Go's math.Pow multiplies nothing. */
static double special_power(double x, double power)
{
    bool odd = fabs(power) < 0x1p53 && (double)(int64_t)power == power && (int64_t)power % 2 != 0;
    if (power == 0 || x == 1 || power == 1)
        return power == 1 ? x : 1;
    if (isnan(x) || isnan(power))
        return NAN;
    if (x == 0 || isinf(x)) {
        double size = (x == 0) == (power > 0) ? 0 : INFINITY;
        return odd ? copysign(size, x) : size;
    }
    if (isinf(power) || fabs(power) >= 0x1p63)
        return x == -1 ? 1 : (fabs(x) < 1) == (power > 0) ? 0 : INFINITY;
    if (fabs(power) == 0.5 && x > 0)
        return power > 0 ? root_of(x) : 1 / root_of(x);
    return NAN; /* a part of a negative one */
}

/* x to a whole power as Go's math.Pow multiplies it: other last digits than C's pow. */
static double power_of(double x, double power)
{
    double whole, part = modf(fabs(power), &whole), result = 1;
    int exponent = 0, ae = 0;
    bool plain = isfinite(x) && isfinite(power) && x != 0 && x != 1 && power != 0 &&
                 !(fabs(power) == 0.5 && x > 0) && power != 1 && whole < 0x1p63 &&
                 (part == 0 || x > 0);
    if (!plain)
        return special_power(x, power);
    if (part > 0.5) {
        part--;
        whole++;
    }
    if (part != 0)
        result = natural_exp(part * natural_log(x));
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
    double x, power;
    mpfr_t r;
    if (!double_of(call, 0, &x) || !double_of(call, 1, &power))
        return false;
    mpfr_init2(r, 53);
    mpfr_set_d(r, power_of(x, power), MPFR_RNDN);
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
        return hcl_call_fail(call, 1,
                             "value must be a whole number, between -9223372036854775808 and "
                             "9223372036854775807");
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
    int direction = number_compare(&step, &zero) < 0 ? -1 : 1;
    if (direction > 0 && down)
        return hcl_call_fail(call, 1, "end must be greater than start when step is positive");
    if (direction < 0 && number_compare(&end, &start) > 0)
        return hcl_call_fail(call, 1, "end must be less than start when step is negative");
    struct value *items = arena_new(arena, struct value, RANGE_MAX);
    size_t n = 0;
    if (!items)
        return false;
    for (next = start;
         number_compare(&next, &end) != 0 && number_compare(&next, &end) * direction < 0;) {
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
