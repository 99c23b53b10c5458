/* builtin_sprintf.c - Rego's sprintf: the verbs of Go's fmt for what OPA hands to it: int64, big
 * integers, float64 and strings.
 *
 * Source: facts/rego.md 8.3; Go's fmt documentation
 */
#include <ctype.h>
#include <gmp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"
#include "lang/rego/number.h"
#include "value/number.h"

enum { WIDTH_MAX = 1000000 };
enum kind { ARG_INT, ARG_FLOAT, ARG_STRING };
struct arg {
    enum kind kind;
    bool big;        /* an integer beyond int64 */
    struct str text; /* STRING; INT: decimal digits with a sign */
    double number;   /* FLOAT */
};
struct verb {
    bool minus, plus, sharp, space, zero;
    bool has_width, has_precision;
    int width, precision;
    char letter;
    struct str rune; /* the letter as written, which may be more than a byte */
};
struct printing {
    struct rego_call *call;
    const struct value *args;
    struct buf *out;
    size_t next;    /* argument */
    bool reordered; /* %[n] was used: too many arguments are no mistake */
};

/* --- arguments as OPA converts them --- */

static struct arg convert(struct rego_call *call, const struct value *v)
{
    struct arg a = {.kind = ARG_STRING};
    if (v->kind == VALUE_STRING) {
        a.text = value_text(v);
        return a;
    }
    if (v->kind == VALUE_NUMBER) {
        struct str text = number_text(call->arena, v);
        bool plain = true, exact;
        for (size_t i = text.len && text.ptr[0] == '-'; i < text.len; i++)
            plain &= isdigit((unsigned char)text.ptr[i]) != 0;
        a.text = text;
        a.big = v->form != NUMBER_INT;
        if (plain)
            a.kind = ARG_INT;
        else if (str_find_char(text, '.', 0) != SIZE_MAX)
            a.kind = ARG_FLOAT; /* "1e20" stays a text */
        if (a.kind == ARG_FLOAT)
            a.number = copysign(number_to_double(v, &exact), text.ptr[0] == '-' ? -1 : 1);
        return a;
    }
    AUTO_BUF out = {.limit = rego_room(call)};
    rego_text(&out, v);
    a.text = arena_dup(call->arena, buf_view(&out));
    return a;
}

static const char *type_of(const struct arg *a)
{
    return a->kind == ARG_INT     ? (a->big ? "*big.Int" : "int64")
           : a->kind == ARG_FLOAT ? "float64"
                                  : "string";
}

/* --- padding --- */

static size_t runes(struct str s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len; n++)
        (void)utf8_next(s, &at);
    return n;
}

static void pad(struct buf *out, const struct verb *v, struct str s)
{
    size_t n = runes(s), width = v->has_width ? (size_t)v->width : 0;
    size_t blanks = width > n ? width - n : 0;
    bool zero = v->zero && !v->minus;
    for (size_t i = 0; i < blanks && !v->minus; i++)
        buf_char(out, zero ? '0' : ' ');
    buf_str(out, s);
    for (size_t i = 0; i < blanks && v->minus; i++)
        buf_char(out, ' ');
}

/* A number: zeros go between the sign and the digits. */
static void pad_number(struct buf *out, const struct verb *v, struct str s)
{
    bool sign = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+' || s.ptr[0] == ' ');
    bool zero = v->zero && !v->minus && v->has_width && (size_t)v->width > s.len;
    if (!zero) {
        struct verb plain = *v;
        plain.zero = false;
        pad(out, &plain, s);
        return;
    }
    if (sign)
        buf_char(out, s.ptr[0]);
    for (size_t i = s.len; i < (size_t)v->width; i++)
        buf_char(out, '0');
    buf_str(out, str_sub(s, sign, s.len));
}

/* --- verbs --- */

static void format_arg(struct printing *p, const struct verb *v, const struct arg *a);

/* %!d(string=x): the argument as %v has it, with the flags, width and precision of the verb. */
static void bad_verb(struct printing *p, const struct verb *v, const struct arg *a)
{
    struct verb plain = *v;
    plain.letter = 'v';
    buf_printf(p->out, "%%!%.*s(%s=", STR_ARG(v->rune), type_of(a));
    format_arg(p, &plain, a);
    buf_char(p->out, ')');
}

static void integer_text(struct printing *p, const struct verb *v, const struct arg *a, int base,
                         const char *prefix)
{
    AUTO_BUF text = {.limit = rego_room(p->call)};
    mpz_t z;
    mpz_init(z);
    struct str copy = arena_dup(p->call->arena, a->text);
    bool ok = copy.ptr && mpz_set_str(z, copy.ptr, 10) == 0;
    bool negative = ok && mpz_sgn(z) < 0;
    mpz_abs(z, z);
    char *kept = ok ? mpz_get_str(NULL, v->letter == 'X' ? -base : base, z) : NULL;
    if (negative)
        buf_char(&text, '-');
    else if (v->plus)
        buf_char(&text, '+');
    else if (v->space)
        buf_char(&text, ' ');
    buf_str(&text, str_from(prefix));
    size_t digits = kept ? strlen(kept) : 0;
    if (v->has_precision)
        for (size_t i = digits; i < (size_t)v->precision; i++)
            buf_char(&text, '0');
    if (!(v->has_precision && v->precision == 0 && mpz_sgn(z) == 0))
        buf_str(&text, str_from(kept));
    struct verb padded = *v;
    padded.zero &= !v->has_precision;
    pad_number(p->out, &padded, buf_view(&text));
    free(kept);
    mpz_clear(z);
}

static void rune_text(struct printing *p, const struct verb *v, const struct arg *a)
{
    int64_t n = 0xfffd;
    char bytes[4];
    (void)str_to_int64(a->text, &n);
    uint32_t code = n < 0 || n > 0x10ffff ? 0xfffd : (uint32_t)n;
    size_t len = utf8_put(code, bytes);
    struct str s = {bytes, len};
    char quoted[16];
    if (v->letter == 'U') {
        int m = snprintf(quoted, sizeof quoted, "U+%04X", code);
        s = (struct str){quoted, (size_t)m};
    } else if (v->letter == 'q') {
        int m = snprintf(quoted, sizeof quoted, "'%.*s'", (int)len, bytes);
        s = (struct str){quoted, (size_t)m};
    }
    pad(p->out, v, s);
}

static void format_int(struct printing *p, const struct verb *v, const struct arg *a)
{
    switch (v->letter) {
    case 'v':
    case 'd':
        integer_text(p, v, a, 10, "");
        break;
    case 'b':
        integer_text(p, v, a, 2, v->sharp ? "0b" : "");
        break;
    case 'o':
        integer_text(p, v, a, 8, v->sharp ? "0" : "");
        break;
    case 'O':
        integer_text(p, v, a, 8, "0o");
        break;
    case 'x':
        integer_text(p, v, a, 16, v->sharp ? "0x" : "");
        break;
    case 'X':
        integer_text(p, v, a, 16, v->sharp ? "0X" : "");
        break;
    case 's': /* *big.Int prints itself with %s */
        if (a->big) {
            integer_text(p, v, a, 10, "");
            break;
        }
        bad_verb(p, v, a);
        break;
    case 'c':
    case 'q':
    case 'U':
        rune_text(p, v, a);
        break;
    default:
        bad_verb(p, v, a);
        break;
    }
}

/* The shortest digits that read back; an exponent from the sixth place on. */
static void shortest(struct buf *out, double d)
{
    int digits = 1;
    char text[64];
    do
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, d);
    while (strtod(text, NULL) != d && digits++ < 17);
    int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent >= -4 && exponent < 6)
        (void)snprintf(text, sizeof text, "%.*f", digits - 1 > exponent ? digits - 1 - exponent : 0,
                       d);
    buf_str(out, str_from(text));
}

/* 0x1.8p+01: C's %a has no zero in front of a short exponent. */
static void hex_float(struct buf *out, const struct verb *v, double d)
{
    AUTO_BUF text = {.limit = VALUE_LEN_MAX};
    bool upper = v->letter == 'X';
    if (v->has_precision)
        buf_printf(&text, upper ? "%.*A" : "%.*a", v->precision, d);
    else
        buf_printf(&text, upper ? "%A" : "%a", d);
    struct str s = buf_view(&text);
    size_t sign = str_find_char(s, upper ? 'P' : 'p', 0) + 2;
    buf_str(out, str_sub(s, 0, sign));
    if (s.len - sign < 2)
        buf_char(out, '0');
    buf_str(out, str_sub(s, sign, s.len));
    out->failed |= text.failed;
}

static bool float_text(struct buf *out, const struct verb *v, double d)
{
    int precision = v->has_precision ? v->precision : 6;
    if (isinf(d)) {
        buf_str(out, d > 0 ? STR("+Inf") : STR("-Inf"));
        return true;
    }
    switch (v->letter) {
    case 'v':
    case 'g':
    case 'G':
        if (v->has_precision)
            buf_printf(out, "%.*g", v->precision, d);
        else
            shortest(out, d);
        for (size_t i = 0; v->letter == 'G' && i < out->len; i++)
            out->ptr[i] = (char)toupper((unsigned char)out->ptr[i]);
        return true;
    case 'e':
        buf_printf(out, "%.*e", precision, d);
        return true;
    case 'E':
        buf_printf(out, "%.*E", precision, d);
        return true;
    case 'f':
    case 'F':
        buf_printf(out, "%.*f", precision, d);
        return true;
    case 'x':
    case 'X':
        hex_float(out, v, d);
        return true;
    case 'b': {
        int exponent;
        double mantissa = frexp(d, &exponent);
        buf_printf(out, "%.0fp%+d", ldexp(mantissa, 53), d != 0 ? exponent - 53 : -1074);
        return true;
    }
    default:
        return false;
    }
}

static void format_float(struct printing *p, const struct verb *v, const struct arg *a)
{
    AUTO_BUF text = {.limit = rego_room(p->call)};
    AUTO_BUF signed_text = {.limit = rego_room(p->call)};
    if (!float_text(&text, v, a->number)) {
        bad_verb(p, v, a);
        return;
    }
    struct str s = buf_view(&text);
    bool sign = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (!sign && v->plus)
        buf_char(&signed_text, '+');
    else if (!sign && v->space)
        buf_char(&signed_text, ' ');
    buf_str(&signed_text, s);
    p->out->failed |= text.failed || signed_text.failed;
    pad_number(p->out, v, buf_view(&signed_text));
}

static void hex_text(struct buf *out, const struct verb *v, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (v->space && i)
            buf_char(out, ' ');
        if (v->sharp && (v->space || i == 0))
            buf_str(out, v->letter == 'x' ? STR("0x") : STR("0X"));
        buf_printf(out, v->letter == 'x' ? "%02x" : "%02X", (unsigned char)s.ptr[i]);
    }
}

static void format_string(struct printing *p, const struct verb *v, const struct arg *a)
{
    AUTO_BUF text = {.limit = rego_room(p->call)};
    struct str s = a->text;
    if (v->has_precision && v->letter != 'x' && v->letter != 'X') {
        size_t at = 0;
        for (int i = 0; i < v->precision && at < s.len; i++)
            (void)utf8_next(s, &at);
        s = str_sub(s, 0, at);
    }
    switch (v->letter) {
    case 'v':
        if (v->sharp)
            quote_go(&text, s);
        else
            buf_str(&text, s);
        break;
    case 's':
        buf_str(&text, s);
        break;
    case 'q':
        quote_go(&text, s);
        break;
    case 'x':
    case 'X':
        hex_text(&text, v, s);
        break;
    default:
        bad_verb(p, v, a);
        return;
    }
    p->out->failed |= text.failed;
    pad(p->out, v, buf_view(&text));
}

static void format_arg(struct printing *p, const struct verb *given, const struct arg *a)
{
    struct verb plain = *given, *v = &plain;
    plain.plus &= v->letter != 'v'; /* %+v asks for names of fields */
    if (v->letter == 'T')
        pad(p->out, v, str_from(type_of(a)));
    else if (a->kind == ARG_INT)
        format_int(p, v, a);
    else if (a->kind == ARG_FLOAT)
        format_float(p, v, a);
    else
        format_string(p, v, a);
}

static void format(struct printing *p, const struct verb *v, const struct value *value)
{
    struct arg a = convert(p->call, value);
    format_arg(p, v, &a);
}

/* --- the format --- */

/* Go's: one that is too long takes all that is left of the format with it. */
static bool number(struct str f, size_t *at, int *ret)
{
    int n = 0;
    size_t from = *at;
    *ret = 0;
    for (; *at < f.len && isdigit((unsigned char)f.ptr[*at]); (*at)++) {
        if (n > WIDTH_MAX) {
            *at = f.len;
            return false;
        }
        n = n * 10 + (f.ptr[*at] - '0');
    }
    *ret = n;
    return *at > from;
}

/* A width or precision of * is the next argument. */
static bool star(struct printing *p, struct str f, size_t *at, const char *bad, int *ret,
                 bool *ret_has)
{
    int64_t n;
    if (*at >= f.len || f.ptr[*at] != '*')
        return false;
    (*at)++;
    *ret_has = p->next < p->args->len && p->args->items[p->next].kind == VALUE_NUMBER &&
               rego_to_int64(&p->args->items[p->next], &n) && n >= -WIDTH_MAX && n <= WIDTH_MAX;
    *ret = *ret_has ? (int)n : 0;
    if (!*ret_has)
        buf_str(p->out, str_from(bad));
    p->next++;
    return true;
}

/* [n] */
static bool argument_index(struct printing *p, struct str f, size_t *at)
{
    int n;
    size_t to = *at + 1;
    if (*at >= f.len || f.ptr[*at] != '[')
        return true;
    p->reordered = true;
    if (!number(f, &to, &n) || to >= f.len || f.ptr[to] != ']' || n < 1 ||
        (size_t)n > p->args->len) {
        size_t end = str_find_char(f, ']', *at);
        *at = end == SIZE_MAX ? *at + 1 : end + 1;
        return false;
    }
    p->next = (size_t)n - 1;
    *at = to + 1;
    return true;
}

static void flags(struct str f, size_t *at, struct verb *v)
{
    for (;; (*at)++) {
        char c = *at < f.len ? f.ptr[*at] : '\0';
        switch (c) {
        case '-':
            v->minus = true;
            break;
        case '+':
            v->plus = true;
            break;
        case '#':
            v->sharp = true;
            break;
        case ' ':
            v->space = true;
            break;
        case '0':
            v->zero = true;
            break;
        default:
            return;
        }
    }
}

static void one_verb(struct printing *p, struct str f, size_t *at)
{
    struct verb v = {0};
    flags(f, at, &v);
    bool good = argument_index(p, f, at);
    if (!star(p, f, at, "%!(BADWIDTH)", &v.width, &v.has_width))
        v.has_width = number(f, at, &v.width);
    if (v.width < 0) {
        v.minus = true;
        v.width = -v.width;
    }
    if (*at < f.len && f.ptr[*at] == '.') {
        (*at)++;
        good &= argument_index(p, f, at);
        if (!star(p, f, at, "%!(BADPREC)", &v.precision, &v.has_precision)) {
            (void)number(f, at, &v.precision);
            v.has_precision = true;
        }
        v.has_precision &= v.precision >= 0;
    }
    good &= argument_index(p, f, at);
    if (*at >= f.len) {
        buf_str(p->out, STR("%!(NOVERB)"));
        return;
    }
    size_t from = *at;
    (void)utf8_next(f, at);
    v.rune = str_sub(f, from, *at);
    v.letter = v.rune.len == 1 ? v.rune.ptr[0] : '\0';
    if (v.letter == '%') {
        buf_char(p->out, '%');
    } else if (!good) {
        buf_printf(p->out, "%%!%.*s(BADINDEX)", STR_ARG(v.rune));
    } else if (p->next >= p->args->len) {
        buf_printf(p->out, "%%!%.*s(MISSING)", STR_ARG(v.rune));
    } else {
        format(p, &v, &p->args->items[p->next++]);
    }
}

static void extra(struct printing *p)
{
    struct verb plain = {.letter = 'v', .rune = STR("v")};
    buf_str(p->out, STR("%!(EXTRA "));
    for (size_t i = p->next; i < p->args->len; i++) {
        struct arg a = convert(p->call, &p->args->items[i]);
        if (i > p->next)
            buf_str(p->out, STR(", "));
        buf_printf(p->out, "%s=", type_of(&a));
        format(p, &plain, &p->args->items[i]);
    }
    buf_char(p->out, ')');
}

static enum rego_outcome sprintf_(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct printing p = {.call = call, .args = &call->arg[1], .out = &out};
    struct str f = value_text(&call->arg[0]);
    for (size_t at = 0; at < f.len;) {
        size_t percent = str_find_char(f, '%', at);
        buf_str(&out, str_sub(f, at, percent == SIZE_MAX ? f.len : percent));
        if (percent == SIZE_MAX)
            break;
        at = percent + 1;
        one_verb(&p, f, &at);
        if (!call->spend(call->spend_ctx, 1))
            return REGO_HALT;
    }
    if (!p.reordered && p.next < p.args->len)
        extra(&p);
    return rego_give_buf(call, &out, ret);
}

static const struct rego_builtin table[] = {
    {"sprintf", NULL, "(string, array[any]) => string", sprintf_, 0},
};
const struct rego_family builtin_sprintf = {table, sizeof table / sizeof *table};
