/* number.c - exact decimals: a sign, digits cut of zeros at both ends, the place of the point. */
#include "value/number.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "value/value.h"

enum {
    INT64_TEXT = 21,         /* "-9223372036854775808" and a NUL */
    EXPONENT_DIGITS_MAX = 18 /* so many digits of exponent are counted with, more only compared */
};

/*
 * 0.d1d2d3... * 10^scale. The digits are those of `digits` without the point, cut at both ends so
 * that the first and the last are not 0; zero has none.
 */
struct decimal {
    bool negative;
    struct str digits;     /* may have one '.' inside */
    size_t n;              /* digits without the '.' */
    int64_t scale;         /* where !far */
    bool far, far_up;      /* the exponent has more than EXPONENT_DIGITS_MAX digits */
    struct str far_digits; /* the exponent, without leading zeros */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.len && is_digit(s.ptr[at]))
        at++;
    return at;
}

bool number_is_valid(struct str s)
{
    size_t at = s.len && s.ptr[0] == '-' ? 1 : 0, from = at;
    at = skip_digits(s, at);
    if (at == from || (s.ptr[from] == '0' && at > from + 1))
        return false;
    if (at < s.len && s.ptr[at] == '.') {
        from = ++at;
        at = skip_digits(s, at);
        if (at == from)
            return false;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-'))
            at++;
        from = at;
        at = skip_digits(s, at);
        if (at == from)
            return false;
    }
    return at == s.len;
}

/* What follows the 'e': into scale, or kept as text where it is absurdly long. */
static void read_exponent(struct str s, struct decimal *d)
{
    bool down = s.len && s.ptr[0] == '-';
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = str_sub(s, 1, s.len);
    while (s.len && s.ptr[0] == '0')
        s = str_sub(s, 1, s.len);
    if (s.len > EXPONENT_DIGITS_MAX) {
        d->far = true;
        d->far_up = !down;
        d->far_digits = s;
        return;
    }
    int64_t exponent = 0;
    for (size_t i = 0; i < s.len; i++)
        exponent = exponent * 10 + (s.ptr[i] - '0');
    d->scale += down ? -exponent : exponent;
}

/* s is a JSON number. */
static struct decimal decimal_of(struct str s)
{
    struct decimal d = {0};
    size_t at = s.len && s.ptr[0] == '-' ? 1 : 0, end = at, point = SIZE_MAX;
    d.negative = at == 1;
    for (; end < s.len && (is_digit(s.ptr[end]) || s.ptr[end] == '.'); end++)
        if (s.ptr[end] == '.')
            point = end;
    d.digits = str_sub(s, at, end);
    d.scale = (int64_t)((point == SIZE_MAX ? end : point) - at);
    while (d.digits.len && (d.digits.ptr[0] == '0' || d.digits.ptr[0] == '.')) {
        d.scale -= d.digits.ptr[0] == '0';
        d.digits = str_sub(d.digits, 1, d.digits.len);
    }
    while (d.digits.len &&
           (d.digits.ptr[d.digits.len - 1] == '0' || d.digits.ptr[d.digits.len - 1] == '.'))
        d.digits.len--;
    if (d.digits.len == 0)
        return (struct decimal){0};
    const char *first = d.digits.ptr, *last = first + d.digits.len;
    d.n = d.digits.len - (point != SIZE_MAX && s.ptr + point > first && s.ptr + point < last);
    if (end < s.len)
        read_exponent(str_sub(s, end + 1, s.len), &d);
    return d;
}

static struct str int_text(int64_t n, char text[INT64_TEXT])
{
    char digits[INT64_TEXT];
    size_t at = sizeof digits, len;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0)
        digits[--at] = '-';
    len = sizeof digits - at;
    memcpy(text, digits + at, len);
    return (struct str){text, len};
}

static struct str text_of(const struct value *v, char text[INT64_TEXT])
{
    return v->form == NUMBER_INT ? int_text(v->integer, text) : value_text(v);
}

/* The digits from *at on, the point skipped; '\0' past the end. */
static char next_digit(struct str digits, size_t *at)
{
    if (*at < digits.len && digits.ptr[*at] == '.')
        ++*at;
    return *at < digits.len ? digits.ptr[(*at)++] : '\0';
}

static int compare_digits(struct str a, struct str b)
{
    for (size_t i = 0, j = 0;;) {
        char x = next_digit(a, &i), y = next_digit(b, &j);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == '\0')
            return 0;
    }
}

/*
 * Exponents of 19 digits and more: by the exponent as it is written, then by the digits. Two
 * spellings of one such number may differ here; two different numbers never become equal.
 */
static int compare_far(const struct decimal *a, const struct decimal *b)
{
    int rank_a = !a->far ? 0 : a->far_up ? 1 : -1, rank_b = !b->far ? 0 : b->far_up ? 1 : -1;
    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    if (rank_a == 0)
        return 0;
    int order = a->far_digits.len != b->far_digits.len
                    ? (a->far_digits.len < b->far_digits.len ? -1 : 1)
                    : str_compare(a->far_digits, b->far_digits);
    return rank_a * order;
}

static int compare_magnitude(const struct decimal *a, const struct decimal *b)
{
    int order = compare_far(a, b);
    if (order)
        return order;
    if (a->scale != b->scale)
        return a->scale < b->scale ? -1 : 1;
    return compare_digits(a->digits, b->digits);
}

int number_compare(const struct value *a, const struct value *b)
{
    if (a->form == NUMBER_INT && b->form == NUMBER_INT)
        return (a->integer > b->integer) - (a->integer < b->integer);
    if (a->form == b->form && str_equal(value_text(a), value_text(b)))
        return 0;
    char room_a[INT64_TEXT], room_b[INT64_TEXT];
    struct decimal x = decimal_of(text_of(a, room_a)), y = decimal_of(text_of(b, room_b));
    int sign_x = x.n == 0 ? 0 : x.negative ? -1 : 1, sign_y = y.n == 0 ? 0 : y.negative ? -1 : 1;
    if (sign_x != sign_y)
        return sign_x < sign_y ? -1 : 1;
    return sign_x == 0 ? 0 : sign_x * compare_magnitude(&x, &y);
}

static bool decimal_to_int64(const struct decimal *d, int64_t *ret)
{
    int64_t n = 0;
    if (d->n == 0) {
        *ret = 0;
        return true;
    }
    if (d->far || d->scale > 19 || d->scale < (int64_t)d->n)
        return false;
    for (size_t i = 0, at = 0; i < (size_t)d->scale; i++) {
        char c = i < d->n ? next_digit(d->digits, &at) : '0';
        if (__builtin_mul_overflow(n, (int64_t)10, &n) ||
            __builtin_sub_overflow(n, (int64_t)(c - '0'), &n))
            return false;
    }
    if (!d->negative && __builtin_sub_overflow((int64_t)0, n, &n))
        return false;
    *ret = n;
    return true;
}

bool number_to_int64(struct str text, int64_t *ret)
{
    struct decimal d = decimal_of(text);
    return decimal_to_int64(&d, ret);
}

uint64_t number_hash(const struct value *v, uint64_t seed)
{
    int64_t integer = v->form == NUMBER_INT ? v->integer : 0;
    struct decimal d = {0};
    if (v->form == NUMBER_TEXT)
        d = decimal_of(value_text(v));
    if (v->form == NUMBER_INT || decimal_to_int64(&d, &integer))
        return hash_bytes((struct str){(const char *)&integer, sizeof integer}, seed);
    uint64_t h = seed ^ (uint64_t)d.scale ^ (d.negative ? 0x5bd1e9955bd1e995u : 0);
    for (size_t at = 0, i = 0; i < d.n; i++)
        h = (h ^ (unsigned char)next_digit(d.digits, &at)) * 0x100000001b3u;
    return hash_bytes(d.far_digits, h + d.far_up);
}

/* --- doubles --- */

enum {
    DOUBLE_DIGITS_MAX =
        767,               /* no double has more significant digits, nor half a step between two */
    DOUBLE_SCALE_MAX = 400 /* beyond 10^+-400 every number is infinite or zero */
};

/* strtod on digits and exponent alone: no point, so that no locale matters. */
static double decimal_to_double(const struct decimal *d)
{
    char text[DOUBLE_DIGITS_MAX + 40];
    size_t len = 0, at = 0, n = d->n < DOUBLE_DIGITS_MAX + 2 ? d->n : DOUBLE_DIGITS_MAX + 2;
    if (n == 0)
        return d->negative ? -0.0 : 0.0;
    if (d->far || d->scale > DOUBLE_SCALE_MAX || d->scale < -DOUBLE_SCALE_MAX) {
        bool up = d->far ? d->far_up : d->scale > 0;
        return (d->negative ? -1.0 : 1.0) * (up ? (double)INFINITY : 0.0);
    }
    if (d->negative)
        text[len++] = '-';
    for (size_t i = 0; i < n; i++)
        text[len++] = next_digit(d->digits, &at);
    if (d->n > n) /* a digit that is not 0 stands for all that follow */
        text[len - 1] = '1';
    (void)snprintf(text + len, sizeof text - len, "e%lld", (long long)d->scale - (long long)n);
    return strtod(text, NULL);
}

/* Is the double that very number? Its whole expansion is printed and compared. */
static bool double_is(double x, const struct value *v)
{
    char text[DOUBLE_DIGITS_MAX + 16];
    if (!isfinite(x))
        return false;
    int len = snprintf(text, sizeof text, "%.*e", DOUBLE_DIGITS_MAX - 1, x);
    struct value whole = {.kind = VALUE_NUMBER, .len = (uint32_t)len, .text = text};
    return number_compare(&whole, v) == 0;
}

/*
 * The cheap answers, which are nearly all: 1 exact, 0 not, -1 ask double_is(). A fraction is a
 * double only if its power of five goes into its digits, so that the last of them is a 5.
 */
static int double_fits(const struct decimal *d)
{
    enum { FEW = 15, FIVES_MAX = 21 };
    int64_t power = d->scale - (int64_t)d->n; /* digits * 10^power */
    uint64_t whole = 0;
    if (d->n == 0)
        return 1;
    if (d->far || d->n > DOUBLE_DIGITS_MAX ||
        (power < 0 && d->digits.ptr[d->digits.len - 1] != '5'))
        return 0;
    if (power >= 0)
        return d->scale <= FEW ? 1 : -1;
    if (d->n > FEW || power < -FIVES_MAX)
        return -1;
    for (size_t i = 0, at = 0; i < d->n; i++)
        whole = whole * 10 + (uint64_t)(next_digit(d->digits, &at) - '0');
    for (int64_t i = power; i < 0; i++, whole /= 5)
        if (whole % 5 != 0)
            return 0;
    return 1;
}

double number_to_double(const struct value *v, bool *ret_exact)
{
    static const int64_t all_exact = (int64_t)1 << DBL_MANT_DIG;
    if (v->form == NUMBER_INT) {
        double x = (double)v->integer;
        *ret_exact = (v->integer <= all_exact && v->integer >= -all_exact) || double_is(x, v);
        return x;
    }
    struct decimal d = decimal_of(value_text(v));
    double x = decimal_to_double(&d);
    int fits = double_fits(&d);
    *ret_exact = fits < 0 ? double_is(x, v) : fits;
    return x;
}

/* The fewest digits that read back as x > 0; the count. *ret_scale: 0.DIGITS * 10^scale. */
static size_t shortest_digits(double x, char digits[18], int *ret_scale)
{
    int mantissa_bits;
    bool power_of_two = frexp(x, &mantissa_bits) == 0.5;
    for (int n = x < DBL_MIN ? 1 : 15;; n++) {
        char text[40];
        (void)snprintf(text, sizeof text, "%.*e", n - 1, x);
        char *e = strchr(text, 'e');
        /* Below a power of two doubles lie closer: the next decimal up may fit where this fails. */
        if (strtod(text, NULL) != x && n < 17 && power_of_two && e[-1] < '9')
            e[-1]++;
        if (n < 17 && strtod(text, NULL) != x)
            continue;
        size_t len = 0;
        for (const char *c = text; c < e; c++)
            if (is_digit(*c))
                digits[len++] = *c;
        while (len > 1 && digits[len - 1] == '0')
            len--;
        *ret_scale = atoi(e + 1) + 1;
        return len;
    }
}

/* Digits as ECMAScript's Number::toString lays them out; into text, the length. */
static size_t print_layout(const char *digits, size_t n, int scale, char text[32])
{
    size_t len = 0;
    if (scale > 0 && scale <= 21) {
        for (int i = 0; i < scale || (size_t)i < n; i++) {
            if (i == scale)
                text[len++] = '.';
            text[len++] = (size_t)i < n ? digits[i] : '0';
        }
        return len;
    }
    if (scale > -6 && scale <= 0) {
        memcpy(text, "0.000000", 8);
        len = (size_t)(2 - scale);
        memcpy(text + len, digits, n);
        return len + n;
    }
    text[len++] = digits[0];
    if (n > 1) {
        text[len++] = '.';
        memcpy(text + len, digits + 1, n - 1);
        len += n - 1;
    }
    return len + (size_t)snprintf(text + len, 32 - len, "e%+d", scale - 1);
}

struct str number_from_double(struct arena *arena, double x)
{
    char text[33] = "-", digits[18];
    size_t sign = signbit(x) ? 1 : 0;
    int scale = 1;
    if (!isfinite(x))
        return (struct str){0};
    if (x == 0)
        return arena_dup(arena, sign ? STR("-0") : STR("0"));
    size_t n = shortest_digits(fabs(x), digits, &scale);
    return arena_dup(arena, (struct str){text, sign + print_layout(digits, n, scale, text + sign)});
}

struct str number_print_ecmascript(struct arena *arena, const struct value *v)
{
    enum { SURE = 15, SCALE = 290 }; /* so few digits come back from any double of that size */
    char room[INT64_TEXT], text[33] = "-", digits[SURE];
    struct decimal d = decimal_of(text_of(v, room));
    if (d.n == 0)
        return arena_dup(arena, STR("0"));
    if (d.far || d.n > SURE || d.scale > SCALE || d.scale < -SCALE) {
        double x = decimal_to_double(&d);
        return x == 0 ? arena_dup(arena, STR("0")) : number_from_double(arena, x);
    }
    for (size_t i = 0, at = 0; i < d.n; i++)
        digits[i] = next_digit(d.digits, &at);
    size_t len = print_layout(digits, d.n, (int)d.scale, text + d.negative);
    return arena_dup(arena, (struct str){text, d.negative + len});
}

/* --- printing --- */

static char *fill(char *to, char c, size_t n)
{
    memset(to, c, n);
    return to + n;
}

static char *copy_digits(char *to, struct str digits, size_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *to++ = next_digit(digits, at);
    return to;
}

bool number_print_plain(struct arena *arena, const struct value *v, size_t max_digits,
                        struct str *ret, struct err *err)
{
    char room[INT64_TEXT];
    struct decimal d = decimal_of(text_of(v, room));
    uint64_t before = d.scale > 0 ? (uint64_t)d.scale : 1; /* digits before the point */
    uint64_t after = (int64_t)d.n > d.scale ? (uint64_t)((int64_t)d.n - d.scale) : 0;
    if (d.n == 0) {
        before = 1;
        after = 0;
    }
    if (d.far || before > max_digits || after > max_digits || before + after > max_digits)
        return err_set(err, ERR_LIMIT, "number of more than %zu digits", max_digits);
    char *text = arena_alloc_raw(arena, before + after + 3, 1, 1), *to = text;
    if (!text)
        return arena_full(arena, err);
    size_t at = 0, whole = d.scale <= 0 ? 0 : d.n < before ? d.n : before;
    if (d.negative && d.n)
        *to++ = '-';
    to = copy_digits(to, d.digits, &at, whole);
    to = fill(to, '0', before - whole);
    if (after) {
        *to++ = '.';
        to = fill(to, '0', after - (d.n - whole));
        to = copy_digits(to, d.digits, &at, d.n - whole);
    }
    *to = '\0';
    *ret = (struct str){text, (size_t)(to - text)};
    return true;
}

struct str number_print_scientific(struct arena *arena, const struct value *v)
{
    char room[INT64_TEXT];
    struct decimal d = decimal_of(text_of(v, room));
    if (d.n == 0)
        return arena_dup(arena, STR("0"));
    if (d.far) /* no arithmetic on such an exponent: as it was written */
        return arena_dup(arena, value_text(v));
    char *text = arena_alloc_raw(arena, d.n + 40, 1, 1), *to = text;
    size_t at = 0;
    if (!text)
        return (struct str){0};
    if (d.negative)
        *to++ = '-';
    *to++ = next_digit(d.digits, &at);
    if (d.n > 1)
        *to++ = '.';
    to = copy_digits(to, d.digits, &at, d.n - 1);
    to += snprintf(to, 30, "e%+lld", (long long)d.scale - 1);
    return (struct str){text, (size_t)(to - text)};
}

bool number_is_integer(const struct value *v)
{
    if (v->form == NUMBER_INT)
        return true;
    struct decimal d = decimal_of(value_text(v));
    return d.n == 0 || (d.far ? d.far_up : d.scale >= 0 && (uint64_t)d.scale >= d.n);
}

size_t number_digits(const struct value *v)
{
    char room[INT64_TEXT];
    return decimal_of(text_of(v, room)).n;
}

struct str number_text(struct arena *arena, const struct value *v)
{
    char room[INT64_TEXT];
    if (v->form == NUMBER_TEXT)
        return value_text(v);
    return arena_dup(arena, int_text(v->integer, room));
}
