/* rego_number.c - arithmetic as OPA does it: integers exactly, anything else with a mantissa of 64
 * bits.
 *
 * Source: facts/rego.md 8.1 (Go's big.Int and big.Float)
 */
#include <gmp.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lang/rego/number.h"
#include "value/number.h"

bool rego_is_integer(const struct value *v)
{
    return v->form == NUMBER_INT || number_is_integer(v);
}

bool rego_to_int64(const struct value *v, int64_t *ret)
{
    if (v->form == NUMBER_INT) {
        *ret = v->integer;
        return true;
    }
    return number_to_int64(value_text(v), ret);
}

bool rego_index_int64(const struct value *v, int64_t *ret)
{
    return (v->form == NUMBER_INT || str_to_int64(value_text(v), ret)) && rego_to_int64(v, ret);
}

/* --- big numbers --- */

bool rego_number_mpz(mpz_t ret, const struct value *v)
{
    mpz_init(ret);
    if (v->form == NUMBER_INT) {
        mpz_set_si(ret, v->integer);
        return true;
    }
    struct arena arena = {.limit = 4 << 20};
    struct str digits;
    bool ok = number_is_integer(v) &&
              number_print_plain(&arena, v, REGO_DIGITS_MAX, &digits, NULL) &&
              mpz_set_str(ret, arena_dup(&arena, digits).ptr, 10) == 0;
    arena_free(&arena);
    return ok;
}

bool rego_number_mpfr(mpfr_t ret, const struct value *v)
{
    mpfr_init2(ret, 64);
    if (v->form == NUMBER_INT) {
        mpfr_set_sj(ret, v->integer, MPFR_RNDN);
        return true;
    }
    char room[96], *text = v->len < sizeof room ? room : malloc((size_t)v->len + 1);
    if (!text)
        return false;
    memcpy(text, v->text, v->len);
    text[v->len] = '\0';
    bool ok = mpfr_set_str(ret, text, 10, MPFR_RNDN) == 0 && mpfr_number_p(ret);
    if (text != room)
        free(text);
    return ok;
}

bool rego_number_from_mpz(struct arena *arena, mpz_srcptr z, struct value *ret)
{
    if (mpz_fits_slong_p(z)) {
        *ret = value_int(mpz_get_si(z));
        return true;
    }
    char *text = mpz_get_str(NULL, 10, z);
    struct str kept = text ? arena_dup(arena, str_from(text)) : (struct str){0};
    free(text);
    if (!kept.ptr)
        return false;
    *ret = value_number(kept);
    return true;
}

/* The fewest digits that read back as x. Free with mpfr_free_str. */
static char *shortest(mpfr_srcptr x, mpfr_exp_t *ret_exp)
{
    mpfr_t back;
    mpfr_init2(back, mpfr_get_prec(x));
    for (size_t n = 1;; n++) {
        char text[64], *digits = mpfr_get_str(NULL, ret_exp, 10, n, x, MPFR_RNDN);
        const char *d = digits + (digits[0] == '-');
        (void)snprintf(text, sizeof text, "%s0.%se%ld", d == digits ? "" : "-", d, (long)*ret_exp);
        if (n >= 22 || (mpfr_set_str(back, text, 10, MPFR_RNDN) == 0 && mpfr_equal_p(back, x))) {
            mpfr_clear(back);
            return digits;
        }
        mpfr_free_str(digits);
    }
}

enum { GO_EXPONENT_FROM = 6 };

/* %g of Go's big.Float: an exponent below -4 and from 6 on. */
static struct str go_text(struct arena *arena, mpfr_srcptr x)
{
    mpfr_exp_t point;
    char *digits = shortest(x, &point), text[80];
    const char *sign = digits[0] == '-' ? "-" : "", *d = digits + (digits[0] == '-');
    int n = (int)strlen(d);
    while (n > 1 && d[n - 1] == '0')
        n--;
    long exp = (long)point - 1;
    if (exp < -4 || exp >= GO_EXPONENT_FROM)
        (void)snprintf(text, sizeof text, "%s%.1s%s%.*se%c%02ld", sign, d, n > 1 ? "." : "", n - 1,
                       d + 1, exp < 0 ? '-' : '+', labs(exp));
    else if (point <= 0)
        (void)snprintf(text, sizeof text, "%s0.%.*s%.*s", sign, (int)-point, "0000", n, d);
    else
        (void)snprintf(text, sizeof text, "%s%.*s.%.*s", sign, (int)point, d, n - (int)point,
                       d + point);
    mpfr_free_str(digits);
    return arena_dup(arena, str_from(text));
}

/* An integer beyond 64 bits: the shortest digits, then zeros, as Go's 'f' format has it. */
static struct str wide_text(struct arena *arena, mpfr_srcptr x)
{
    mpfr_exp_t point;
    char *digits = shortest(x, &point), *text;
    size_t sign = digits[0] == '-', n = strlen(digits), len = sign + (size_t)point;
    text = arena_alloc_raw(arena, len, 1, 1);
    if (text) {
        memcpy(text, digits, n < len ? n : len);
        if (n < len)
            memset(text + n, '0', len - n);
    }
    mpfr_free_str(digits);
    return (struct str){text, text ? len : 0};
}

bool rego_number_from_mpfr(struct arena *arena, mpfr_srcptr x, struct value *ret)
{
    struct str text;
    if (mpfr_integer_p(x) && mpfr_fits_slong_p(x, MPFR_RNDN)) {
        *ret = value_int(mpfr_get_si(x, MPFR_RNDN));
        return true;
    }
    if (!mpfr_integer_p(x))
        text = go_text(arena, x);
    else if (mpfr_get_exp(x) <= REGO_BITS_MAX)
        text = wide_text(arena, x);
    else
        return false;
    if (!text.ptr)
        return false;
    *ret = value_number(text);
    return true;
}

/* --- arithmetic --- */

static bool small(enum rego_op op, int64_t a, int64_t b, struct value *ret)
{
    int64_t n = 0;
    switch (op) {
    case REGO_ADD:
        if (__builtin_add_overflow(a, b, &n))
            return false;
        break;
    case REGO_SUB:
        if (__builtin_sub_overflow(a, b, &n))
            return false;
        break;
    case REGO_MUL:
        if (__builtin_mul_overflow(a, b, &n))
            return false;
        break;
    case REGO_DIV:
        if (b == 0 || b == -1 || a % b != 0)
            return false;
        n = a / b;
        break;
    case REGO_REM:
        if (b == 0 || b == -1)
            return false;
        n = a % b;
        break;
    }
    *ret = value_int(n);
    return true;
}

static bool whole(struct arena *arena, enum rego_op op, const struct value *a,
                  const struct value *b, struct value *ret, const char **ret_why)
{
    mpz_t x, y;
    bool ok = rego_number_mpz(x, a);
    ok = rego_number_mpz(y, b) && ok;
    *ret_why = ok ? NULL : "number too big";
    if (ok && op == REGO_MUL && mpz_sizeinbase(x, 2) + mpz_sizeinbase(y, 2) > REGO_BITS_MAX)
        ok = false, *ret_why = "number too big";
    if (ok && op == REGO_REM && mpz_sgn(y) == 0)
        ok = false, *ret_why = "modulo by zero";
    if (ok) {
        switch (op) {
        case REGO_ADD:
            mpz_add(x, x, y);
            break;
        case REGO_SUB:
            mpz_sub(x, x, y);
            break;
        case REGO_MUL:
            mpz_mul(x, x, y);
            break;
        default:
            mpz_tdiv_r(x, x, y);
            break;
        }
        ok = rego_number_from_mpz(arena, x, ret);
    }
    mpz_clears(x, y, (mpz_ptr)0);
    return ok;
}

static bool fractional(struct arena *arena, enum rego_op op, const struct value *a,
                       const struct value *b, struct value *ret, const char **ret_why)
{
    mpfr_t x, y;
    bool ok = rego_number_mpfr(x, a);
    ok = rego_number_mpfr(y, b) && ok;
    *ret_why = ok ? NULL : "number too big";
    if (ok && op == REGO_DIV && mpfr_zero_p(y))
        ok = false, *ret_why = "divide by zero";
    if (ok) {
        switch (op) {
        case REGO_ADD:
            mpfr_add(x, x, y, MPFR_RNDN);
            break;
        case REGO_SUB:
            mpfr_sub(x, x, y, MPFR_RNDN);
            break;
        case REGO_MUL:
            mpfr_mul(x, x, y, MPFR_RNDN);
            break;
        default:
            mpfr_div(x, x, y, MPFR_RNDN);
            break;
        }
        ok = mpfr_number_p(x) && rego_number_from_mpfr(arena, x, ret);
        *ret_why = ok ? NULL : "number too big";
    }
    mpfr_clears(x, y, (mpfr_ptr)0);
    return ok;
}

bool rego_arith(struct arena *arena, enum rego_op op, const struct value *a, const struct value *b,
                struct value *ret, const char **ret_why)
{
    if (a->form == NUMBER_INT && b->form == NUMBER_INT && small(op, a->integer, b->integer, ret))
        return true;
    bool integers = rego_is_integer(a) && rego_is_integer(b);
    if (op == REGO_REM && !integers) {
        *ret_why = "modulo on floating-point number";
        return false;
    }
    if (integers && op != REGO_DIV)
        return whole(arena, op, a, b, ret, ret_why);
    return fractional(arena, op, a, b, ret, ret_why);
}
