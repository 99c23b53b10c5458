/* decimal.c - rounding by MPFR, layout by hand: mpfr_printf would bring in powers and roots. */
#include "lang/hcl/decimal.h"

#include "base/arena.h"
#include "base/buf.h"

bool hcl_decimal_from_text(struct arena *arena, struct str text, struct hcl_decimal *ret)
{
    char *digits = arena_new(arena, char, text.len + 1);
    size_t n = 0, point = SIZE_MAX, from = text.len && text.ptr[0] == '-';
    *ret = (struct hcl_decimal){.negative = from};
    for (size_t i = from; digits && i < text.len; i++) {
        if (text.ptr[i] == '.')
            point = n;
        else
            digits[n++] = text.ptr[i];
    }
    if (!digits)
        return false;
    ret->exponent = (int64_t)(point == SIZE_MAX ? n : point);
    ret->digits = (struct str){digits, n};
    while (ret->digits.len && ret->digits.ptr[0] == '0') {
        ret->digits = str_sub(ret->digits, 1, ret->digits.len);
        ret->exponent--;
    }
    while (ret->digits.len && ret->digits.ptr[ret->digits.len - 1] == '0')
        ret->digits.len--;
    if (!ret->digits.len)
        ret->exponent = 0;
    return true;
}

bool hcl_decimal_round(struct arena *arena, mpfr_srcptr x, size_t count, struct hcl_decimal *ret)
{
    mpfr_exp_t exponent = 0;
    *ret = (struct hcl_decimal){.negative = mpfr_signbit(x)};
    if (mpfr_zero_p(x))
        return true;
    char *text = mpfr_get_str(NULL, &exponent, 10, count, x, MPFR_RNDN);
    if (!text)
        return false;
    struct str digits = arena_dup(arena, str_from(text + (text[0] == '-')));
    mpfr_free_str(text);
    ret->digits = digits;
    ret->exponent = exponent;
    while (ret->digits.len && ret->digits.ptr[ret->digits.len - 1] == '0')
        ret->digits.len--;
    return digits.ptr;
}

/* The decimal exponent of the digit that one digit of x has when it is rounded so; and that digit.
 */
static char leading_digit(mpfr_srcptr x, mpfr_rnd_t rounding, mpfr_exp_t *ret_exponent)
{
    char *text = mpfr_get_str(NULL, ret_exponent, 10, 1, x, rounding);
    char digit = text ? text[text[0] == '-'] : '\0';
    mpfr_free_str(text);
    return digit;
}

bool hcl_decimal_places(struct arena *arena, mpfr_srcptr x, size_t places, struct hcl_decimal *ret)
{
    *ret = (struct hcl_decimal){.negative = mpfr_signbit(x)};
    if (mpfr_zero_p(x))
        return true;
    /* A decimal place for each binary one says all of x: zeros follow. */
    mpfr_exp_t binary = mpfr_get_prec(x) - mpfr_get_exp(x), exponent, up;
    if (binary < (mpfr_exp_t)places)
        places = binary > 0 ? (size_t)binary : 0;
    if (!leading_digit(x, MPFR_RNDZ, &exponent))
        return false;
    int64_t count = (int64_t)exponent + (int64_t)places;
    if (count > 0)
        return hcl_decimal_round(arena, x, (size_t)count, ret);
    /* Less than one of the last place: that if it is more than half of it, else nothing. */
    if (count == 0 && (leading_digit(x, MPFR_RNDA, &up) > '5' || up > exponent)) {
        ret->digits = STR("1");
        ret->exponent = exponent + 1;
    }
    return true;
}

void hcl_decimal_put_exponent(struct buf *out, const struct hcl_decimal *d, size_t places,
                              char letter)
{
    struct str rest = str_sub(d->digits, 1, d->digits.len);
    int64_t exponent = d->digits.len ? d->exponent - 1 : 0;
    buf_char(out, d->digits.len ? d->digits.ptr[0] : '0');
    if (places) {
        buf_char(out, '.');
        buf_str(out, str_sub(rest, 0, places));
        buf_repeat(out, '0', rest.len < places ? places - rest.len : 0);
    }
    buf_printf(out, "%c%c%02lld", letter, exponent < 0 ? '-' : '+',
               (long long)(exponent < 0 ? -exponent : exponent));
}

void hcl_decimal_put_plain(struct buf *out, const struct hcl_decimal *d, size_t places)
{
    size_t whole = d->exponent > 0 ? (size_t)d->exponent : 0;
    if (whole == 0)
        buf_char(out, '0');
    buf_str(out, str_sub(d->digits, 0, whole));
    buf_repeat(out, '0', whole > d->digits.len ? whole - d->digits.len : 0);
    if (places == 0)
        return;
    buf_char(out, '.');
    size_t zeros = d->exponent < 0 ? (size_t)-d->exponent : 0;
    zeros = zeros < places ? zeros : places;
    buf_repeat(out, '0', zeros);
    struct str rest = str_sub(str_sub(d->digits, whole, d->digits.len), 0, places - zeros);
    buf_str(out, rest);
    buf_repeat(out, '0', places - zeros - rest.len);
}

void hcl_decimal_put_general(struct buf *out, const struct hcl_decimal *d, int64_t precision,
                             char letter)
{
    int64_t n = (int64_t)d->digits.len, limit = precision < 0 ? 6 : precision;
    if (precision >= 0 && limit > n && n >= d->exponent)
        limit = n;
    int64_t exponent = d->exponent - 1;
    if (n == 0)
        buf_char(out, '0');
    else if (exponent < -4 || exponent >= limit)
        hcl_decimal_put_exponent(out, d, d->digits.len - 1, letter);
    else
        hcl_decimal_put_plain(out, d, n > d->exponent ? (size_t)(n - d->exponent) : 0);
}
