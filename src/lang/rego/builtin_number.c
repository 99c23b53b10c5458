/* builtin_number.c - Rego's functions of numbers, bits, ranges, units. */
#include "lang/rego/builtin.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/number.h"
#include "value/number.h"

static enum rego_outcome not_integer(struct rego_call *call, size_t i)
{
    call->why = arena_printf(
        call->arena, "operand %zu must be integer number but got floating-point number", i + 1);
    call->type_error = true;
    return REGO_FAILED;
}

/* --- rounding --- */

enum rounding { CEIL, FLOOR, ROUND };

/* As in OPA at 64 bits of mantissa, so integers beyond them are rounded too. */
static enum rego_outcome rounded(struct rego_call *call, enum rounding how, struct value *ret)
{
    mpfr_t x;
    mpz_t z;
    if (call->arg->form == NUMBER_INT) {
        *ret = *call->arg;
        return REGO_DEFINED;
    }
    bool ok = rego_number_mpfr(x, call->arg) && mpfr_get_exp(x) <= REGO_BITS_MAX;
    mpz_init(z);
    if (ok) {
        if (how == ROUND)
            (void)mpfr_round(x, x); /* half away from zero */
        (void)mpfr_get_z(z, x, how == CEIL ? MPFR_RNDU : how == FLOOR ? MPFR_RNDD : MPFR_RNDN);
        ok = rego_number_from_mpz(call->arena, z, ret);
    }
    mpz_clear(z);
    mpfr_clear(x);
    return ok ? REGO_DEFINED : REGO_HALT;
}
static enum rego_outcome ceil_(struct rego_call *call, struct value *ret)
{
    return rounded(call, CEIL, ret);
}
static enum rego_outcome floor_(struct rego_call *call, struct value *ret)
{
    return rounded(call, FLOOR, ret);
}
static enum rego_outcome round_(struct rego_call *call, struct value *ret)
{
    return rounded(call, ROUND, ret);
}

static enum rego_outcome abs_(struct rego_call *call, struct value *ret)
{
    mpfr_t x;
    if (call->arg->form == NUMBER_INT && call->arg->integer >= 0) {
        *ret = *call->arg;
        return REGO_DEFINED;
    }
    bool ok = rego_number_mpfr(x, call->arg);
    (void)mpfr_abs(x, x, MPFR_RNDN);
    ok = ok && rego_number_from_mpfr(call->arena, x, ret);
    mpfr_clear(x);
    return ok ? REGO_DEFINED : REGO_HALT;
}

/* --- bits: two's complement of any width --- */

enum bit_op { BITS_OR, BITS_AND, BITS_XOR, BITS_NEGATE, BITS_LEFT, BITS_RIGHT };

static enum rego_outcome shift(struct rego_call *call, mpz_t x, bool left)
{
    int64_t by;
    struct value zero = value_int(0);
    if (rego_compare(&call->arg[1], &zero) < 0) {
        call->why = STR("operand 2 must be an unsigned integer number but got a negative integer");
        call->type_error = true;
        return REGO_FAILED;
    }
    bool small = rego_to_int64(&call->arg[1], &by) && by <= REGO_BITS_MAX;
    if (!small && left)
        return REGO_HALT;
    if (left)
        mpz_mul_2exp(x, x, (mp_bitcnt_t)by);
    else
        mpz_fdiv_q_2exp(x, x, small ? (mp_bitcnt_t)by : REGO_BITS_MAX);
    return REGO_DEFINED;
}

static enum rego_outcome bits(struct rego_call *call, enum bit_op op, struct value *ret)
{
    mpz_t x, y;
    enum rego_outcome outcome = REGO_DEFINED;
    for (size_t i = 0; i < call->n; i++)
        if (!rego_is_integer(&call->arg[i]))
            return not_integer(call, i);
    bool ok = rego_number_mpz(x, &call->arg[0]);
    ok = rego_number_mpz(y, &call->arg[call->n - 1]) && ok;
    switch (ok ? op : BITS_NEGATE) {
    case BITS_OR:
        mpz_ior(x, x, y);
        break;
    case BITS_AND:
        mpz_and(x, x, y);
        break;
    case BITS_XOR:
        mpz_xor(x, x, y);
        break;
    case BITS_NEGATE:
        mpz_com(x, x);
        break;
    case BITS_LEFT:
        outcome = shift(call, x, true);
        break;
    case BITS_RIGHT:
        outcome = shift(call, x, false);
        break;
    }
    if (!ok || (outcome == REGO_DEFINED && !rego_number_from_mpz(call->arena, x, ret)))
        outcome = REGO_HALT;
    mpz_clears(x, y, (mpz_ptr)0);
    return outcome;
}
static enum rego_outcome bits_or(struct rego_call *call, struct value *ret)
{
    return bits(call, BITS_OR, ret);
}
static enum rego_outcome bits_and(struct rego_call *call, struct value *ret)
{
    return bits(call, BITS_AND, ret);
}
static enum rego_outcome bits_xor(struct rego_call *call, struct value *ret)
{
    return bits(call, BITS_XOR, ret);
}
static enum rego_outcome bits_negate(struct rego_call *call, struct value *ret)
{
    return bits(call, BITS_NEGATE, ret);
}
static enum rego_outcome bits_lsh(struct rego_call *call, struct value *ret)
{
    return bits(call, BITS_LEFT, ret);
}
static enum rego_outcome bits_rsh(struct rego_call *call, struct value *ret)
{
    return bits(call, BITS_RIGHT, ret);
}

/* --- text --- */

static enum rego_outcome format_int(struct rego_call *call, struct value *ret)
{
    int64_t base;
    mpfr_t x;
    mpz_t z;
    if (!rego_index_int64(&call->arg[1], &base) ||
        (base != 2 && base != 8 && base != 10 && base != 16)) {
        call->why = STR("operand 2 must be one of {2, 8, 10, 16}");
        call->type_error = true;
        return REGO_FAILED;
    }
    mpz_init(z);
    if (rego_is_integer(call->arg)) {
        mpz_t exact;
        bool ok = rego_number_mpz(exact, call->arg);
        mpz_swap(z, exact);
        mpz_clear(exact);
        if (!ok) {
            mpz_clear(z);
            return REGO_HALT;
        }
    } else {
        bool ok = rego_number_mpfr(x, call->arg) && mpfr_get_exp(x) <= REGO_BITS_MAX;
        if (ok)
            (void)mpfr_get_z(z, x, MPFR_RNDZ);
        mpfr_clear(x);
    }
    char *text = mpz_get_str(NULL, (int)base, z);
    struct str kept = text ? arena_dup(call->arena, str_from(text)) : (struct str){0};
    free(text);
    mpz_clear(z);
    return kept.ptr ? rego_give_text(call, kept, ret) : REGO_HALT;
}

/* --- ranges --- */

enum { RANGE_MAX = 10000000 };

/*
 * How many numbers it has, as far as 64 bits tell; 0: they do not. More than a range may have end
 * the evaluation as a budget does: what would merely be undefined looks like a rule that has no
 * objection.
 */
static uint64_t length_of(const struct value *from, const struct value *to,
                          const struct value *step)
{
    int64_t a, b, by;
    uint64_t apart;
    if (!rego_to_int64(from, &a) || !rego_to_int64(to, &b) || !rego_to_int64(step, &by))
        return 0;
    apart = a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
    return apart / (uint64_t)by < UINT64_MAX ? apart / (uint64_t)by + 1 : UINT64_MAX;
}

/* Room is made once where the length is known: growing would leave as much again behind. */
static enum rego_outcome range_by(struct rego_call *call, const struct value *step,
                                  struct value *ret)
{
    struct value *items = NULL, at, zero = value_int(0);
    const struct value *end = &call->arg[1];
    size_t n = 0, room = 0;
    const char *why;
    if (!rego_arith(call->arena, REGO_ADD, &zero, &call->arg[0], &at, &why)) /* 1.0 is 1 */
        return REGO_HALT;
    bool down = rego_compare(&at, end) > 0;
    uint64_t length = length_of(&at, end, step);
    if (length && length <= RANGE_MAX) {
        items = arena_new_raw(call->arena, struct value, length);
        room = length;
        if (!items)
            return REGO_HALT;
    }
    for (; down ? rego_compare(&at, end) >= 0 : rego_compare(&at, end) <= 0;) {
        if (length > RANGE_MAX || n >= RANGE_MAX) {
            (void)call->spend(call->spend_ctx, UINT64_MAX / 2);
            return REGO_HALT;
        }
        items = arena_grow(call->arena, items, n, &room, n + 1);
        if (!items || !call->spend(call->spend_ctx, 1))
            return REGO_HALT;
        items[n++] = at;
        struct value next;
        if (!rego_arith(call->arena, down ? REGO_SUB : REGO_ADD, &at, step, &next, &why))
            return REGO_HALT;
        at = next;
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return REGO_DEFINED;
}

static enum rego_outcome range(struct rego_call *call, struct value *ret)
{
    struct value one = value_int(1);
    for (size_t i = 0; i < 2; i++)
        if (!rego_is_integer(&call->arg[i]))
            return not_integer(call, i);
    return range_by(call, &one, ret);
}

static enum rego_outcome range_step(struct rego_call *call, struct value *ret)
{
    struct value zero = value_int(0);
    for (size_t i = 0; i < 3; i++)
        if (!rego_is_integer(&call->arg[i]))
            return not_integer(call, i);
    if (rego_compare(&call->arg[2], &zero) <= 0)
        return rego_fail(call, "step must be a positive integer");
    return range_by(call, &call->arg[2], ret);
}

/* The same for the same key and limit, within one query: the machine keeps it. */
static enum rego_outcome rand_intn(struct rego_call *call, struct value *ret)
{
    int64_t n;
    uint64_t seed = rego_hash(&call->arg[0]) ^ (uint64_t)call->host->now_utc_ns;
    if (!rego_index_int64(&call->arg[1], &n))
        return not_integer(call, 1);
    uint64_t limit = n < 0 ? (uint64_t) - (n + 1) + 1 : (uint64_t)n;
    seed = (seed ^ seed >> 31) * 0x9e3779b97f4a7c15U;
    *ret = value_int(limit ? (int64_t)((seed >> 1) % limit) : 0);
    return REGO_DEFINED;
}

/* --- units: exact fractions --- */

struct unit {
    const char *name;
    int two, ten; /* 2^two * 10^ten */
};
static const struct unit byte_units[] = {
    {"", 0, 0},     {"kb", 0, 3},   {"k", 0, 3},    {"kib", 10, 0}, {"ki", 10, 0},
    {"mb", 0, 6},   {"m", 0, 6},    {"mib", 20, 0}, {"mi", 20, 0},  {"gb", 0, 9},
    {"g", 0, 9},    {"gib", 30, 0}, {"gi", 30, 0},  {"tb", 0, 12},  {"t", 0, 12},
    {"tib", 40, 0}, {"ti", 40, 0},  {"pb", 0, 15},  {"p", 0, 15},   {"pib", 50, 0},
    {"pi", 50, 0},  {"eb", 0, 18},  {"e", 0, 18},   {"eib", 60, 0}, {"ei", 60, 0},
};
static const struct unit plain_units[] = {
    {"", 0, 0},    {"m", 0, -3},  {"k", 0, 3},   {"ki", 10, 0}, {"M", 0, 6},
    {"mi", 20, 0}, {"g", 0, 9},   {"gi", 30, 0}, {"t", 0, 12},  {"ti", 40, 0},
    {"p", 0, 15},  {"pi", 50, 0}, {"e", 0, 18},  {"ei", 60, 0},
};

/* The amount in front: digits, points, an exponent. */
static size_t amount_length(struct str s)
{
    size_t i = 0;
    while (i < s.len && (isdigit((unsigned char)s.ptr[i]) || s.ptr[i] == '.' ||
                         (i == 0 && (s.ptr[i] == '-' || s.ptr[i] == '+'))))
        i++;
    size_t e = i;
    if (e < s.len && (s.ptr[e] == 'e' || s.ptr[e] == 'E')) {
        e++;
        if (e < s.len && (s.ptr[e] == '-' || s.ptr[e] == '+'))
            e++;
        size_t first = e;
        while (e < s.len && isdigit((unsigned char)s.ptr[e]))
            e++;
        if (e > first)
            return e;
    }
    return i;
}

enum { UNIT_DIGITS_MAX = 1000, EXPONENT_DIGITS_MAX = 6 };

/* An exact fraction of "12.5e3", not in lowest terms; false if it is no number. */
static bool fraction(struct str s, mpq_t ret)
{
    char digits[UNIT_DIGITS_MAX + 2];
    size_t n = 0;
    long scale = 0;
    bool point = false, any = false;
    size_t i = 0;
    if (i < s.len && (s.ptr[i] == '-' || s.ptr[i] == '+')) {
        if (s.ptr[i] == '-')
            digits[n++] = '-';
        i++;
    }
    for (; i < s.len && s.ptr[i] != 'e' && s.ptr[i] != 'E'; i++) {
        if (s.ptr[i] == '.') {
            if (point)
                return false;
            point = true;
        } else if (n <= UNIT_DIGITS_MAX) {
            digits[n++] = s.ptr[i];
            any = true;
            scale -= point;
        } else {
            return false;
        }
    }
    if (!any)
        return false;
    digits[n] = '\0';
    int64_t exponent = 0;
    struct str tail = str_sub(s, i + 1, s.len);
    if (str_starts(tail, STR("+")))
        tail = str_sub(tail, 1, tail.len);
    if (i < s.len && !str_to_int64(tail, &exponent))
        return false;
    scale += (long)exponent;
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)labs(scale));
    bool ok = mpz_set_str(mpq_numref(ret), digits, 10) == 0;
    mpz_set_ui(mpq_denref(ret), 1);
    if (scale >= 0)
        mpz_mul(mpq_numref(ret), mpq_numref(ret), power);
    else
        mpz_set(mpq_denref(ret), power);
    mpz_clear(power);
    return ok;
}

static void scale_by(mpq_t x, const struct unit *unit)
{
    mpz_t power;
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)abs(unit->ten));
    if (unit->ten >= 0)
        mpz_mul(mpq_numref(x), mpq_numref(x), power);
    else
        mpz_mul(mpq_denref(x), mpq_denref(x), power);
    mpz_mul_2exp(mpq_numref(x), mpq_numref(x), (mp_bitcnt_t)unit->two);
    mpz_clear(power);
}

static const struct unit *find_unit(const struct unit *units, size_t n, struct str s, bool bytes)
{
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(units[i].name);
        /* Of m and M the case tells milli from mega. */
        bool exact = !bytes && s.len == 1 && (s.ptr[0] == 'm' || s.ptr[0] == 'M');
        if (s.len == len && (exact ? memcmp(s.ptr, units[i].name, len) == 0
                                   : strncasecmp(s.ptr, units[i].name, len) == 0))
            return &units[i];
    }
    return NULL;
}

/* Ten decimals at most, none that are zero. */
static struct str decimals(struct arena *arena, mpq_t x)
{
    mpz_t scaled;
    mpz_init_set(scaled, mpq_numref(x));
    mpz_t ten;
    mpz_init(ten);
    mpz_ui_pow_ui(ten, 10, 10);
    mpz_mul(scaled, scaled, ten);
    /* to nearest, half away from zero */
    mpz_mul_ui(scaled, scaled, 2);
    if (mpz_sgn(scaled) >= 0)
        mpz_add(scaled, scaled, mpq_denref(x));
    else
        mpz_sub(scaled, scaled, mpq_denref(x));
    mpz_mul_ui(ten, mpq_denref(x), 2);
    mpz_tdiv_q(scaled, scaled, ten);
    char *text = mpz_get_str(NULL, 10, scaled);
    bool minus = text && text[0] == '-';
    const char *d = text ? text + minus : "";
    size_t n = strlen(d);
    struct str made =
        n > 10 ? arena_printf(arena, "%s%.*s.%s", minus ? "-" : "", (int)(n - 10), d, d + n - 10)
               : arena_printf(arena, "%s0.%0*d%s", minus ? "-" : "", (int)(10 - n), 0, d);
    if (n == 10)
        made = arena_printf(arena, "%s0.%s", minus ? "-" : "", d);
    free(text);
    mpz_clears(scaled, ten, (mpz_ptr)0);
    return made;
}

static enum rego_outcome parse_units(struct rego_call *call, bool bytes, struct value *ret)
{
    struct str s = value_text(call->arg);
    const char *what = bytes ? "byte amount" : "amount";
    mpq_t x;
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        s = str_sub(s, 1, s.len - 1);
    if (str_find_char(s, ' ', 0) != SIZE_MAX)
        return rego_fail(call, "spaces not allowed in resource strings");
    size_t n = amount_length(s);
    struct str amount = str_sub(s, 0, n), name = str_sub(s, n, s.len);
    if (!amount.len)
        return rego_fail(call, "no %s provided", what);
    size_t e = str_find_char(amount, 'e', 0);
    if (e == SIZE_MAX)
        e = str_find_char(amount, 'E', 0);
    if (e != SIZE_MAX && amount.len - e - 1 > EXPONENT_DIGITS_MAX)
        return rego_fail(call, "exponent too large");
    const struct unit *unit =
        bytes ? find_unit(byte_units, sizeof byte_units / sizeof *byte_units, name, true)
              : find_unit(plain_units, sizeof plain_units / sizeof *plain_units, name, false);
    if (!unit)
        return rego_fail(call, "%sunit %.*s not recognized", bytes ? "byte " : "", STR_ARG(name));
    if (!call->spend(call->spend_ctx, 1000))
        return REGO_HALT;
    mpq_init(x);
    if (!fraction(amount, x)) {
        mpq_clear(x);
        return rego_fail(call, "could not parse %s to a number", what);
    }
    scale_by(x, unit);
    mpz_t rest;
    mpz_init(rest);
    mpz_tdiv_r(rest, mpq_numref(x), mpq_denref(x));
    bool integral = mpz_sgn(rest) == 0, ok;
    mpz_clear(rest);
    if (bytes || integral) {
        mpz_tdiv_q(mpq_numref(x), mpq_numref(x), mpq_denref(x));
        ok = rego_number_from_mpz(call->arena, mpq_numref(x), ret);
    } else {
        struct str text = decimals(call->arena, x);
        while (text.len > 1 && text.ptr[text.len - 1] == '0')
            text.len--;
        if (text.len > 1 && text.ptr[text.len - 1] == '.')
            text.len--;
        ok = text.ptr != NULL;
        *ret = value_number(text);
    }
    mpq_clear(x);
    return ok ? REGO_DEFINED : REGO_HALT;
}
static enum rego_outcome units_parse(struct rego_call *call, struct value *ret)
{
    return parse_units(call, false, ret);
}
static enum rego_outcome units_parse_bytes(struct rego_call *call, struct value *ret)
{
    return parse_units(call, true, ret);
}

static const struct rego_builtin table[] = {
    {"ceil", NULL, "(number) => number", ceil_, 0},
    {"floor", NULL, "(number) => number", floor_, 0},
    {"round", NULL, "(number) => number", round_, 0},
    {"abs", NULL, "(number) => number", abs_, 0},
    {"bits.or", NULL, "(number, number) => number", bits_or, 0},
    {"bits.and", NULL, "(number, number) => number", bits_and, 0},
    {"bits.xor", NULL, "(number, number) => number", bits_xor, 0},
    {"bits.negate", NULL, "(number) => number", bits_negate, 0},
    {"bits.lsh", NULL, "(number, number) => number", bits_lsh, 0},
    {"bits.rsh", NULL, "(number, number) => number", bits_rsh, 0},
    {"format_int", NULL, "(number, number) => string", format_int, 0},
    {"numbers.range", NULL, "(number, number) => array[number]", range, 0},
    {"numbers.range_step", NULL, "(number, number, number) => array[number]", range_step, 0},
    {"rand.intn", NULL, "(string, number) => number", rand_intn, REGO_NONDETERMINISTIC},
    {"units.parse", NULL, "(string) => number", units_parse, 0},
    {"units.parse_bytes", NULL, "(string) => number", units_parse_bytes, 0},
};
const struct rego_family builtin_number = {table, sizeof table / sizeof *table};
