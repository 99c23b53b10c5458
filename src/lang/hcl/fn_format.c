/* fn_format.c - format and formatlist: Go's verbs as go-cty understands them.
 *
 * Source:  go-cty function/stdlib/format_fsm.rl, math/big's Format of Int and Float
 */
#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/decimal.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/function.h"
#include "lang/hcl/hcl_number.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"

enum { WIDTH_MAX = 1000000, PRECISION_MAX = 1000000 };

struct verb {
    struct str raw; /* "%-5.2f" */
    size_t offset;
    size_t arg; /* from 1 */
    char mode;
    bool zero, sharp, plus, minus, space;
    int64_t width, precision; /* -1 = not given */
};

struct formatter {
    struct hcl_call *call;
    const struct value *arg;
    size_t n;
    struct buf *out;
};

static bool bad_value(struct formatter *f, const struct verb *verb, struct str why)
{
    return hcl_call_fail(f->call, -1, "unsupported value for \"%.*s\" at %zu: %.*s",
                         STR_ARG(verb->raw), verb->offset, STR_ARG(why));
}

/* Text in its field: width counts grapheme clusters, zeros pad text too. */
static bool put_padded(struct formatter *f, const struct verb *verb, struct str text)
{
    int64_t have = 0;
    for (size_t at = 0; verb->width >= 0 && at < text.len; have++)
        at = utf8_cluster(text, at);
    size_t pad = have < verb->width ? (size_t)(verb->width - have) : 0;
    if (!verb->minus)
        buf_repeat(f->out, verb->zero ? '0' : ' ', pad);
    buf_str(f->out, text);
    if (verb->minus)
        buf_repeat(f->out, verb->zero ? '0' : ' ', pad);
    return true;
}

/* --- floats, as math/big prints them --- */

/* The digits of |x| as the verb asks for them. */
static bool put_magnitude(struct formatter *f, const struct value *v, const struct verb *verb,
                          struct buf *out)
{
    struct arena *arena = f->call->ev->arena;
    char mode = (char)tolower((unsigned char)verb->mode);
    int64_t precision = verb->precision < 0 && mode != 'g' ? 6 : verb->precision;
    struct hcl_decimal d = {0};
    mpfr_t x = {{0}};
    if (precision < 0) {
        struct str text = hcl_number_text(arena, v);
        if (!text.ptr || !hcl_decimal_from_text(arena, text, &d))
            return false;
        hcl_decimal_put_general(out, &d, -1, verb->mode == 'G' ? 'E' : 'e');
        return true;
    }
    bool ok = hcl_number_read(x, v);
    if (ok && mode == 'f') {
        ok = hcl_decimal_places(arena, x, (size_t)precision, &d);
        if (ok)
            hcl_decimal_put_plain(out, &d, (size_t)precision);
    } else if (ok) {
        size_t digits = mode == 'e' ? (size_t)precision + 1 : precision ? (size_t)precision : 1;
        ok = hcl_decimal_round(arena, x, digits, &d);
        if (ok && mode == 'e')
            hcl_decimal_put_exponent(out, &d, (size_t)precision, verb->mode);
        else if (ok)
            hcl_decimal_put_general(out, &d, precision ? precision : 1,
                                    verb->mode == 'G' ? 'E' : 'e');
    }
    mpfr_clear(x);
    return ok;
}

static bool is_negative(const struct value *v)
{
    mpfr_t x = {{0}};
    bool negative = hcl_number_read(x, v) && mpfr_signbit(x);
    mpfr_clear(x);
    return negative;
}

static bool put_float(struct formatter *f, const struct value *v, const struct verb *verb)
{
    AUTO_BUF digits = {.limit = HCL_TEXT_MAX};
    bool infinite = hcl_is_infinite(v), negative = is_negative(v);
    if (infinite)
        buf_str(&digits, STR("Inf"));
    else if (!put_magnitude(f, v, verb, &digits))
        return false;
    const char *sign = negative                  ? "-"
                       : infinite && verb->space ? " "
                       : infinite || verb->plus  ? "+"
                       : verb->space             ? " "
                                                 : "";
    size_t length = strlen(sign) + digits.len;
    size_t pad = verb->width > (int64_t)length ? (size_t)verb->width - length : 0;
    bool zeros = verb->zero && !infinite; /* though the field be filled on the right */
    if (!zeros && !verb->minus)
        buf_repeat(f->out, ' ', pad);
    buf_str(f->out, str_from(sign));
    if (zeros)
        buf_repeat(f->out, '0', pad);
    buf_str(f->out, buf_view(&digits));
    if (verb->minus && !zeros)
        buf_repeat(f->out, ' ', pad);
    return buf_ok(&digits, NULL);
}

/* --- integers --- */

static const struct {
    char mode;
    int base;
    const char *prefix;
} bases[] = {
    {'b', 2, "0b"}, {'o', 8, "0"}, {'d', 10, ""}, {'x', 16, "0x"}, {'X', -16, "0X"},
};

static void put_integer_text(struct formatter *f, const struct verb *verb, bool negative,
                             const char *prefix, struct str digits)
{
    const char *sign = negative ? "-" : verb->plus ? "+" : verb->space ? " " : "";
    size_t left = 0, zeros = 0, right = 0;
    if (!verb->sharp)
        prefix = "";
    if (verb->precision >= 0 && (int64_t)digits.len < verb->precision)
        zeros = (size_t)verb->precision - digits.len;
    else if (verb->precision == 0 && str_equal(digits, STR("0")))
        return;
    size_t length = strlen(sign) + strlen(prefix) + zeros + digits.len;
    if (verb->width > (int64_t)length) {
        size_t pad = (size_t)verb->width - length;
        if (verb->minus)
            right = pad;
        else if (verb->zero && verb->precision < 0)
            zeros = pad;
        else
            left = pad;
    }
    buf_repeat(f->out, ' ', left);
    buf_str(f->out, str_from(sign));
    buf_str(f->out, str_from(prefix));
    buf_repeat(f->out, '0', zeros);
    buf_str(f->out, digits);
    buf_repeat(f->out, ' ', right);
}

static bool put_integer(struct formatter *f, const struct value *v, const struct verb *verb)
{
    size_t row = 0;
    while (bases[row].mode != verb->mode)
        row++;
    mpfr_t x = {{0}};
    if (!hcl_number_read(x, v) || !mpfr_integer_p(x)) {
        mpfr_clear(x);
        return bad_value(f, verb, STR("an integer is required"));
    }
    mpz_t whole;
    mpz_init(whole);
    bool small = mpfr_zero_p(x) || mpfr_get_exp(x) < (1 << 24);
    if (small)
        mpfr_get_z(whole, x, MPFR_RNDN);
    char *text = small ? mpz_get_str(NULL, bases[row].base, whole) : NULL;
    if (text)
        put_integer_text(f, verb, text[0] == '-', bases[row].prefix,
                         str_from(text + (text[0] == '-')));
    if (text) {
        void (*give_back)(void *, size_t);
        mp_get_memory_functions(NULL, NULL, &give_back);
        give_back(text, strlen(text) + 1);
    }
    mpz_clear(whole);
    mpfr_clear(x);
    return text || bad_value(f, verb, STR("the number is too large to be written out"));
}

/* --- one verb --- */

static bool put_json(struct formatter *f, const struct value *v, const struct verb *verb)
{
    struct str text, why = {0};
    if (!hcl_json_encode(f->call->ev->arena, v, &text, &why))
        return why.ptr && bad_value(f, verb, why);
    return put_padded(f, verb, text);
}

static bool put_as_is(struct formatter *f, const struct value *v, const struct verb *verb)
{
    if (!verb->sharp && v->kind == VALUE_STRING)
        return put_padded(f, verb, value_text(v));
    if (verb->sharp || v->kind != VALUE_NUMBER)
        return put_json(f, v, verb);
    AUTO_BUF text = {.limit = HCL_TEXT_MAX};
    struct verb shortest = {.mode = 'g', .width = -1, .precision = -1};
    if (hcl_is_infinite(v))
        buf_str(&text, is_negative(v) ? STR("-Inf") : STR("+Inf"));
    else if (is_negative(v))
        buf_char(&text, '-');
    if (!hcl_is_infinite(v) && !put_magnitude(f, v, &shortest, &text))
        return false;
    return put_padded(f, verb, buf_view(&text));
}

static bool put_string(struct formatter *f, const struct value *v, const struct verb *verb)
{
    struct str text = value_text(v);
    size_t end = 0;
    if (verb->precision > 0) {
        for (int64_t i = 0; i < verb->precision && end < text.len; i++)
            end = utf8_cluster(text, end);
        text = str_sub(text, 0, end);
    }
    struct value cut = value_string(text);
    return verb->mode == 's' ? put_padded(f, verb, text) : put_json(f, &cut, verb);
}

static bool put_verb(struct formatter *f, const struct verb *verb)
{
    static const struct {
        const char *modes;
        const struct type *type;
        bool (*put)(struct formatter *, const struct value *, const struct verb *);
    } kinds[] = {
        {"bdoxX", &type_number, put_integer},
        {"eEfgG", &type_number, put_float},
        {"sq", &type_string, put_string},
        {"t", &type_bool, NULL},
    };
    struct value v;
    struct str why;
    if (verb->arg == 0 || verb->arg > f->n)
        return hcl_call_fail(f->call, -1,
                             "not enough arguments for \"%.*s\" at %zu: need index %zu but have "
                             "%zu total",
                             STR_ARG(verb->raw), verb->offset, verb->arg, f->n);
    const struct value *arg = &f->arg[verb->arg - 1];
    if (verb->mode == 'v')
        return put_as_is(f, arg, verb);
    if (arg->kind == VALUE_NULL)
        return bad_value(f, verb, STR("null value cannot be formatted"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!strchr(kinds[i].modes, verb->mode))
            continue;
        if (!hcl_convert(f->call->ev->arena, arg, kinds[i].type, &v, &why))
            return bad_value(f, verb, why);
        if (kinds[i].put)
            return kinds[i].put(f, &v, verb);
        buf_str(f->out, v.truth ? STR("true") : STR("false"));
        return true;
    }
    return hcl_call_fail(f->call, -1, "unsupported format verb '%c' in \"%.*s\" at offset %zu",
                         verb->mode, STR_ARG(verb->raw), verb->offset);
}

/* --- the format string --- */

/* Digits at format[*at]; false past the limit. */
static bool read_digits(struct str format, size_t *at, int64_t *ret)
{
    for (*ret = 0; *at < format.len && isdigit((unsigned char)format.ptr[*at]); ++*at) {
        *ret = *ret * 10 + (format.ptr[*at] - '0');
        if (*ret > WIDTH_MAX)
            return false;
    }
    return true;
}

static bool bad_format(struct formatter *f, struct str format, size_t at)
{
    if (at >= format.len)
        return hcl_call_fail(f->call, -1, "invalid format string starting at offset %zu",
                             format.len);
    size_t next = at;
    (void)utf8_next(format, &next);
    return hcl_call_fail(f->call, -1, "unrecognized format character '%.*s' at offset %zu",
                         STR_ARG(str_sub(format, at, next)), at);
}

/* What stands behind "%" at format[*at]; *at moves behind the letter. */
static bool read_verb(struct formatter *f, struct str format, size_t *at, struct verb *verb)
{
    bool ok = true;
    int64_t index = 0;
    size_t i = *at;
    for (; i < format.len && strchr("0#-+ ", format.ptr[i]) && format.ptr[i]; i++) {
        verb->zero = verb->zero || format.ptr[i] == '0';
        verb->sharp = verb->sharp || format.ptr[i] == '#';
        verb->minus = verb->minus || format.ptr[i] == '-';
        verb->plus = verb->plus || format.ptr[i] == '+';
        verb->space = verb->space || format.ptr[i] == ' ';
    }
    if (i < format.len && isdigit((unsigned char)format.ptr[i]))
        ok = read_digits(format, &i, &verb->width);
    if (ok && i < format.len && format.ptr[i] == '.') {
        i++;
        ok = read_digits(format, &i, &verb->precision);
    }
    if (ok && i < format.len && format.ptr[i] == '[') {
        i++;
        if (i >= format.len || format.ptr[i] < '1' || format.ptr[i] > '9')
            return bad_format(f, format, i);
        ok = read_digits(format, &i, &index);
        if (ok && (i >= format.len || format.ptr[i] != ']'))
            return bad_format(f, format, i);
        i++;
        verb->arg = (size_t)index;
    }
    if (!ok)
        return hcl_call_fail(f->call, -1, "a number in the format is larger than %d", WIDTH_MAX);
    if (i >= format.len || !isalpha((unsigned char)format.ptr[i]))
        return bad_format(f, format, i);
    verb->mode = format.ptr[i];
    verb->raw = str_sub(format, verb->offset, i + 1);
    *at = i + 1;
    return true;
}

static bool format_all(struct formatter *f, struct str format)
{
    size_t next = 1, highest = 0;
    for (size_t at = 0; at < format.len && !f->out->failed;) {
        size_t percent = str_find_char(format, '%', at);
        buf_str(f->out, str_sub(format, at, percent));
        if (percent == SIZE_MAX)
            break;
        at = percent + 1;
        if (at < format.len && format.ptr[at] == '%') {
            buf_char(f->out, '%');
            at++;
            continue;
        }
        struct verb verb = {.offset = percent, .arg = next, .width = -1, .precision = -1};
        if (!read_verb(f, format, &at, &verb) || !hcl_call_spend(f->call, 1))
            return false;
        highest = verb.arg > highest ? verb.arg : highest;
        if (!put_verb(f, &verb))
            return false;
        next = verb.arg + 1;
    }
    if (highest >= f->n)
        return true;
    if (highest == 0)
        return hcl_call_fail(f->call, 1, "too many arguments; no verbs in format string");
    return hcl_call_fail(f->call, (int)highest + 1,
                         "too many arguments; only %zu used by format string", highest);
}

/* --- format, formatlist --- */

static bool unknown_text(struct hcl_call *call, struct value *ret)
{
    struct str format = value_text(&call->arg[0]);
    size_t percent = str_find_char(format, '%', 0);
    *ret = hcl_unknown_not_null(call->ev->arena, &type_string);
    struct value_unknown *known = arena_new(call->ev->arena, struct value_unknown, 1);
    if (known && ret->unknown && percent != SIZE_MAX) {
        *known = *ret->unknown;
        known->prefix = hcl_safe_prefix(str_sub(format, 0, percent));
        ret->unknown = known;
    }
    return known;
}

static bool run_format(struct hcl_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 1; i < call->n; i++)
        if (!hcl_wholly_known(&call->arg[i]))
            return unknown_text(call, ret);
    struct formatter f = {.call = call, .arg = call->arg + 1, .n = call->n - 1, .out = &out};
    return format_all(&f, value_text(&call->arg[0])) && hcl_call_buf(call, &out, ret);
}

/* The arguments of formatlist: sequences are walked together, the rest stands still. */
struct sequences {
    const struct value **items; /* NULL where the argument is no sequence */
    int64_t length;             /* -1 = no sequence at all */
    bool unknown;
};

static bool gather(struct hcl_call *call, struct sequences *s)
{
    struct arena *arena = call->ev->arena;
    size_t chooser = 0;
    for (size_t i = 1; i < call->n; i++) {
        const struct value *v = &call->arg[i];
        const struct type *t = hcl_type_of(arena, v);
        if (!t)
            return false;
        if ((t->kind != TYPE_LIST && t->kind != TYPE_SET && t->kind != TYPE_TUPLE) ||
            v->kind == VALUE_NULL) {
            s->unknown = s->unknown || (v->kind == VALUE_UNKNOWN && t->kind == TYPE_DYNAMIC);
            continue;
        }
        bool countable = v->kind != VALUE_UNKNOWN &&
                         (v->kind != VALUE_SET || v->len <= 1 || hcl_wholly_known(v));
        s->unknown = s->unknown || v->kind == VALUE_UNKNOWN || !countable;
        if (t->kind != TYPE_TUPLE && !countable)
            continue;
        int64_t length = t->kind == TYPE_TUPLE ? t->n : v->len;
        if (s->length >= 0 && length != s->length)
            return hcl_call_fail(call, (int)i,
                                 "argument %zu has length %lld, which is inconsistent with "
                                 "argument %zu of length %lld",
                                 i, (long long)length, chooser, (long long)s->length);
        if (s->length < 0)
            chooser = i;
        s->length = length;
        if (v->kind != VALUE_UNKNOWN && !(s->items[i] = hcl_elements(arena, v)) && length)
            return false;
    }
    return true;
}

static bool format_row(struct hcl_call *call, const struct sequences *s, size_t row,
                       struct value *args, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 1; i < call->n; i++) {
        args[i - 1] = s->items[i] ? s->items[i][row] : call->arg[i];
        if (!hcl_wholly_known(&args[i - 1])) {
            *ret = hcl_unknown_not_null(call->ev->arena, &type_string);
            return true;
        }
    }
    struct formatter f = {.call = call, .arg = args, .n = call->n - 1, .out = &out};
    if (format_all(&f, value_text(&call->arg[0])))
        return hcl_call_buf(call, &out, ret);
    /* a mistake within an iteration blames the call, not an argument of it */
    return hcl_call_fail(call, -1, "error on format iteration %zu: %.*s", row, STR_ARG(call->why));
}

static bool run_formatlist(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    struct sequences s = {.items = arena_new(arena, const struct value *, call->n), .length = -1};
    struct value *args = arena_new(arena, struct value, call->n);
    if (!s.items || !args || !gather(call, &s))
        return false;
    if (s.unknown) {
        *ret = hcl_unknown_not_null(arena, hcl_named_type("list(string)"));
        return true;
    }
    size_t n = s.length < 0 ? 1 : (size_t)s.length;
    struct value *items = arena_new(arena, struct value, n);
    for (size_t i = 0; items && i < n; i++)
        if (!format_row(call, &s, i, args, &items[i]))
            return false;
    *ret = value_items(VALUE_LIST, items, n);
    if (n == 0)
        ret->type = &type_string;
    return items;
}

static const struct hcl_function functions[] = {
    {.name = "format",
     .param = {{"format", "string", 0}},
     .rest = {"args", "any", PARAM_NULL | PARAM_UNKNOWN},
     .result = "string",
     .run = run_format,
     .result_not_null = 1},
    {.name = "formatlist",
     .param = {{"format", "string", 0}},
     .rest = {"args", "any", PARAM_NULL | PARAM_UNKNOWN},
     .result = "list(string)",
     .run = run_formatlist,
     .result_not_null = 1},
};

const struct hcl_function_family fn_format = {functions, sizeof functions / sizeof *functions};
