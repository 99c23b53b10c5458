/* hcl_number.c - numbers as big.Float has them: a precision per value, MPFR for the arithmetic.
 *
 * Text of a value: an integer in full, anything else the shortest decimal that reads back at the
 * value's precision. Its meaning is that text read at that precision; wider operands then extend it
 * exactly.
 */
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lang/hcl/hcl_number.h"
#include "lang/hcl/parser.h"
#include "value/number.h"

static const char infinite[] = "1e999999999999999999999999";
static const char minus_infinite[] = "-1e999999999999999999999999";

const struct value hcl_infinity = {
    .kind = VALUE_NUMBER, .len = sizeof infinite - 1, .text = infinite};
const struct value hcl_minus_infinity = {
    .kind = VALUE_NUMBER, .len = sizeof minus_infinite - 1, .text = minus_infinite};

bool hcl_is_infinite(const struct value *number)
{
    struct str text = value_text(number);
    return number->kind == VALUE_NUMBER && number->form == NUMBER_TEXT &&
           (str_equal(text, value_text(&hcl_infinity)) ||
            str_equal(text, value_text(&hcl_minus_infinity)));
}

/* Digits of the mantissa from its first that is not 0, and how many stand behind the point. */
static void count_digits(struct str mantissa, size_t *ret_digits, size_t *ret_fraction)
{
    size_t digits = 0, fraction = 0;
    bool point = false;
    for (size_t i = 0; i < mantissa.len; i++) {
        char c = mantissa.ptr[i];
        if (c == '.')
            point = true;
        if (c < '0' || c > '9')
            continue;
        digits += digits || c != '0';
        fraction += point;
    }
    *ret_digits = digits;
    *ret_fraction = fraction;
}

static const double bits_a_digit = 3.321928094887362; /* log2(10) */

struct decimal { /* a number in JSON's form: digits from the first that is not 0 */
    size_t digits, fraction;
    int64_t exponent;
};

/* False where the exponent does not even fit there. */
static bool take_apart(struct str text, struct decimal *ret)
{
    struct str mantissa = text;
    size_t e = 0;
    ret->exponent = 0;
    while (e < text.len && text.ptr[e] != 'e' && text.ptr[e] != 'E')
        e++;
    if (e < text.len) {
        struct str digits_of_exponent = str_sub(text, e + 1, text.len);
        if (digits_of_exponent.ptr[0] == '+')
            digits_of_exponent = str_sub(digits_of_exponent, 1, digits_of_exponent.len);
        if (!str_to_int64(digits_of_exponent, &ret->exponent))
            return false;
        mantissa = str_sub(text, 0, e);
    }
    count_digits(mantissa, &ret->digits, &ret->fraction);
    return true;
}

bool hcl_number_is_readable(struct str text)
{
    struct decimal d;
    if (!number_is_valid(text) || !take_apart(text, &d))
        return false;
    if (d.digits == 0)
        return true;
    double two = (double)d.exponent - (double)d.fraction + (double)d.digits * bits_a_digit;
    return two >= (double)INT32_MIN && two <= (double)INT32_MAX;
}

struct value hcl_number_literal(struct str text)
{
    struct decimal d;
    if (!take_apart(text, &d) || d.digits == 0)
        return value_number(text);
    double bits = ((double)d.exponent - (double)d.fraction + (double)d.digits) * bits_a_digit;
    if (bits > (double)mpfr_get_emax())
        return text.ptr[0] == '-' ? hcl_minus_infinity : hcl_infinity;
    return bits < (double)mpfr_get_emin() ? value_int(0) : value_number(text);
}

static long bits_of(uint8_t precision)
{
    return precision == HCL_PREC_53 ? 53 : precision == HCL_PREC_64 ? 64 : 512;
}

bool hcl_number_read(mpfr_t ret, const struct value *v)
{
    char room[96], *text = room;
    mpfr_init2(ret, bits_of(v->precision));
    if (v->form == NUMBER_INT) {
        mpfr_set_sj(ret, v->integer, MPFR_RNDN);
        return true;
    }
    if (hcl_is_infinite(v)) {
        mpfr_set_inf(ret, v->text[0] == '-' ? -1 : 1);
        return true;
    }
    if (v->len >= sizeof room && !(text = malloc((size_t)v->len + 1)))
        return false;
    memcpy(text, v->text, v->len);
    text[v->len] = '\0';
    bool ok = mpfr_set_str(ret, text, 10, MPFR_RNDN) == 0;
    if (text != room)
        free(text);
    return ok;
}

/*
 * Does the text stand for x at x's precision? Go takes half a unit of the last place on both sides,
 * also where x is a power of two and its lower neighbour is nearer than that.
 */
static bool stands_for(const char *text, mpfr_srcptr x)
{
    mpfr_t back, away;
    bool power = mpfr_min_prec(x) == 1;
    mpfr_init2(back, mpfr_get_prec(x) + (power ? 64 : 0));
    mpfr_init2(away, 64);
    bool same = mpfr_set_str(back, text, 10, MPFR_RNDN) == 0;
    if (same && power) {
        mpfr_sub(away, back, x, MPFR_RNDA);
        mpfr_abs(away, away, MPFR_RNDA);
        mpfr_mul_2si(away, away, (long)mpfr_get_prec(x) + 1 - mpfr_get_exp(x), MPFR_RNDA);
        same = mpfr_cmp_ui(away, 1) <= 0;
    } else if (same) {
        same = mpfr_equal_p(back, x);
    }
    mpfr_clears(back, away, (mpfr_ptr)0);
    return same;
}

/* The fewest decimal digits of x; *ret_exp as mpfr_get_str gives it. Free with mpfr_free_str. */
static char *shortest(mpfr_srcptr x, mpfr_exp_t *ret_exp)
{
    size_t low = 1, high = mpfr_get_str_ndigits(10, mpfr_get_prec(x));
    while (low < high) {
        size_t middle = (low + high) / 2;
        char *digits = mpfr_get_str(NULL, ret_exp, 10, middle, x, MPFR_RNDN);
        size_t len = strlen(digits);
        char *text = malloc(len + 32);
        bool same = false;
        if (text) {
            const char *d = digits + (digits[0] == '-');
            (void)snprintf(text, len + 32, "%s0.%se%ld", digits[0] == '-' ? "-" : "", d,
                           (long)*ret_exp);
            same = stands_for(text, x);
        }
        free(text);
        mpfr_free_str(digits);
        if (same)
            high = middle;
        else
            low = middle + 1;
    }
    return mpfr_get_str(NULL, ret_exp, 10, low, x, MPFR_RNDN);
}

enum { PLAIN_DIGITS_MAX = 5000 };

/* 0.digits * 10^exp without an exponent, unless that would be absurdly long. */
static struct str plain_text(struct arena *arena, const char *digits, mpfr_exp_t exp)
{
    const char *sign = digits[0] == '-' ? "-" : "", *d = digits + (digits[0] == '-');
    size_t n = strlen(d);
    while (n > 1 && d[n - 1] == '0')
        n--;
    if (exp > PLAIN_DIGITS_MAX || exp < -PLAIN_DIGITS_MAX)
        return arena_printf(arena, "%s%.1s.%.*se%ld", sign, d, n > 1 ? (int)n - 1 : 1,
                            n > 1 ? d + 1 : "0", (long)exp - 1);
    size_t whole = exp > 0 ? (size_t)exp : 0, zeros = exp < 0 ? (size_t)-exp : 0;
    char *text = arena_alloc_raw(arena, n + whole + zeros + 4, 1, 1), *to = text;
    if (!text)
        return (struct str){0};
    if (*sign)
        *to++ = '-';
    for (size_t i = 0; i < whole; i++)
        *to++ = i < n ? d[i] : '0';
    if (whole == 0)
        *to++ = '0';
    if (whole < n) {
        *to++ = '.';
        for (size_t i = 0; i < zeros; i++)
            *to++ = '0';
        memcpy(to, d + whole, n - whole);
        to += n - whole;
    }
    return (struct str){text, (size_t)(to - text)};
}

static struct str zero_text(mpfr_srcptr x)
{
    return mpfr_signbit(x) ? STR("-0") : STR("0");
}

/* An integer in full, exactly. */
static struct str integer_text(struct arena *arena, mpfr_srcptr x)
{
    mpz_t z;
    mpz_init(z);
    (void)mpfr_get_z(z, x, MPFR_RNDN);
    char *digits = mpz_get_str(NULL, 10, z);
    struct str text = digits ? arena_dup(arena, str_from(digits)) : (struct str){0};
    free(digits);
    mpz_clear(z);
    return text;
}

bool hcl_number_make(struct arena *arena, mpfr_srcptr x, enum hcl_precision precision,
                     struct value *ret)
{
    struct str text;
    if (mpfr_nan_p(x))
        return false;
    if (mpfr_inf_p(x)) {
        *ret = mpfr_signbit(x) ? hcl_minus_infinity : hcl_infinity;
        return true;
    }
    if (mpfr_zero_p(x)) {
        text = zero_text(x);
    } else if (mpfr_integer_p(x) && mpfr_get_exp(x) < 4 * PLAIN_DIGITS_MAX) {
        text = integer_text(arena, x);
    } else {
        mpfr_exp_t exp;
        char *digits = shortest(x, &exp);
        text = plain_text(arena, digits, exp);
        mpfr_free_str(digits);
    }
    if (!text.ptr)
        return false;
    *ret = value_number(text);
    ret->precision = (uint8_t)precision;
    return true;
}

struct str hcl_number_text(struct arena *arena, const struct value *number)
{
    mpfr_t x = {{0}};
    if (hcl_is_infinite(number))
        return number->text[0] == '-' ? STR("-Inf") : STR("+Inf");
    bool wide = number->form == NUMBER_TEXT || number->precision == HCL_PREC_53;
    if (!wide)
        return number_text(arena, number);
    if (!hcl_number_read(x, number)) {
        mpfr_clear(x);
        return (struct str){0};
    }
    struct str text;
    if (mpfr_zero_p(x)) {
        text = zero_text(x);
    } else {
        mpfr_exp_t exp;
        char *digits = shortest(x, &exp);
        text = plain_text(arena, digits, exp);
        mpfr_free_str(digits);
    }
    mpfr_clear(x);
    return text;
}

enum hcl_precision hcl_wider(const struct value *a, const struct value *b)
{
    /* the enum falls from the widest */
    return a->precision < b->precision ? a->precision : b->precision;
}

/* Small whole numbers need no big ones: the answer is exact in int64. */
static bool arith_int(enum hcl_token_kind op, int64_t a, int64_t b, int64_t *ret)
{
    switch (op) {
    case HCL_PLUS:
        return !__builtin_add_overflow(a, b, ret);
    case HCL_MINUS:
        return !__builtin_sub_overflow(a, b, ret);
    case HCL_STAR:
        return !__builtin_mul_overflow(a, b, ret) && *ret != 0; /* -0 is another number */
    case HCL_SLASH:
        if (b == 0 || b == -1 || a % b != 0 || a == 0)
            return false;
        *ret = a / b;
        return true;
    default:
        return false;
    }
}

/* a - b * trunc(a / b), each step rounded as big.Float does: from the whole quotient on to what a
 * has. */
static void modulo(mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b)
{
    mpfr_t q;
    mpfr_init2(q, mpfr_get_prec(r));
    mpfr_set_prec(r, mpfr_get_prec(a));
    if (mpfr_zero_p(b)) {
        mpfr_set(r, a, MPFR_RNDN);
    } else {
        mpfr_div(q, a, b, MPFR_RNDN);
        mpfr_trunc(q, q);
        mpfr_set(r, q, MPFR_RNDN);
        mpfr_setsign(r, r, !mpfr_zero_p(r) && mpfr_signbit(q), MPFR_RNDN);
        mpfr_mul(r, r, b, MPFR_RNDN);
        mpfr_sub(r, a, r, MPFR_RNDN);
    }
    mpfr_clear(q);
}

static bool indefinite(enum hcl_token_kind op, mpfr_srcptr a, mpfr_srcptr b, struct str *ret_why)
{
    bool inf_a = mpfr_inf_p(a), inf_b = mpfr_inf_p(b);
    bool same = (mpfr_signbit(a) != 0) == (mpfr_signbit(b) != 0);
    if (op == HCL_SLASH && ((mpfr_zero_p(a) && mpfr_zero_p(b)) || (inf_a && inf_b)))
        *ret_why = STR("can't divide zero by zero or infinity by infinity");
    else if (op == HCL_STAR && ((mpfr_zero_p(a) && inf_b) || (inf_a && mpfr_zero_p(b))))
        *ret_why = STR("can't multiply zero by infinity");
    else if (op == HCL_PLUS && inf_a && inf_b && !same)
        *ret_why = STR("can't compute sum of opposing infinities");
    else if (op == HCL_MINUS && inf_a && inf_b && same)
        *ret_why = STR("can't subtract infinity from itself");
    else if (op == HCL_PERCENT && (inf_a || inf_b))
        *ret_why = STR("can't use modulo with zero and infinity");
    else
        return false;
    return true;
}

static void apply(enum hcl_token_kind op, mpfr_ptr r, mpfr_srcptr a, mpfr_srcptr b)
{
    if (op == HCL_PLUS)
        mpfr_add(r, a, b, MPFR_RNDN);
    else if (op == HCL_MINUS)
        mpfr_sub(r, a, b, MPFR_RNDN);
    else if (op == HCL_STAR)
        mpfr_mul(r, a, b, MPFR_RNDN);
    else if (op == HCL_SLASH)
        mpfr_div(r, a, b, MPFR_RNDN);
    else
        modulo(r, a, b);
}

bool hcl_arith(struct arena *arena, enum hcl_token_kind op, const struct value *a,
               const struct value *b, struct value *ret, struct str *ret_why)
{
    enum hcl_precision precision = hcl_wider(a, b);
    int64_t whole;
    if (a->form == NUMBER_INT && b->form == NUMBER_INT && precision != HCL_PREC_53 &&
        arith_int(op, a->integer, b->integer, &whole)) {
        *ret = value_int(whole);
        ret->precision = (uint8_t)precision;
        return true;
    }
    mpfr_t x = {{0}}, y = {{0}}, r;
    *ret_why = STR("the number is too large");
    bool ok = hcl_number_read(x, a);
    ok = hcl_number_read(y, b) && ok;
    /* a product is as wide as it must be (facts/dependencies.md "Numbers") */
    mpfr_init2(r, op == HCL_STAR ? 512 : bits_of((uint8_t)precision));
    if (ok && !indefinite(op, x, y, ret_why)) {
        apply(op, r, x, y);
        if (op == HCL_STAR && (long)mpfr_min_prec(r) <= bits_of((uint8_t)precision))
            (void)mpfr_prec_round(r, bits_of((uint8_t)precision), MPFR_RNDN);
        else if (op == HCL_STAR)
            precision = HCL_PREC_512;
        else if (op == HCL_PERCENT)
            precision = a->precision;
        ok = hcl_number_make(arena, r, precision, ret);
    } else {
        ok = false;
    }
    mpfr_clears(x, y, r, (mpfr_ptr)0);
    return ok;
}
