/* yaml_scalar.c - null, booleans and numbers among plain scalars. */
#include "wire/yaml_scalar.h"

#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/number.h"
#include "wire/yaml.h"

enum word { WORD_NULL, WORD_FALSE, WORD_TRUE, WORD_NO_NUMBER };

static const struct {
    struct str text;
    enum word word;
    bool v1_1; /* only there */
} words[] = {
    {STR_INIT(""), WORD_NULL, false},           {STR_INIT("~"), WORD_NULL, false},
    {STR_INIT("null"), WORD_NULL, false},       {STR_INIT("Null"), WORD_NULL, false},
    {STR_INIT("NULL"), WORD_NULL, false},       {STR_INIT("true"), WORD_TRUE, false},
    {STR_INIT("True"), WORD_TRUE, false},       {STR_INIT("TRUE"), WORD_TRUE, false},
    {STR_INIT("false"), WORD_FALSE, false},     {STR_INIT("False"), WORD_FALSE, false},
    {STR_INIT("FALSE"), WORD_FALSE, false},     {STR_INIT("y"), WORD_TRUE, true},
    {STR_INIT("Y"), WORD_TRUE, true},           {STR_INIT("yes"), WORD_TRUE, true},
    {STR_INIT("Yes"), WORD_TRUE, true},         {STR_INIT("YES"), WORD_TRUE, true},
    {STR_INIT("on"), WORD_TRUE, true},          {STR_INIT("On"), WORD_TRUE, true},
    {STR_INIT("ON"), WORD_TRUE, true},          {STR_INIT("n"), WORD_FALSE, true},
    {STR_INIT("N"), WORD_FALSE, true},          {STR_INIT("no"), WORD_FALSE, true},
    {STR_INIT("No"), WORD_FALSE, true},         {STR_INIT("NO"), WORD_FALSE, true},
    {STR_INIT("off"), WORD_FALSE, true},        {STR_INIT("Off"), WORD_FALSE, true},
    {STR_INIT("OFF"), WORD_FALSE, true},        {STR_INIT(".inf"), WORD_NO_NUMBER, false},
    {STR_INIT(".Inf"), WORD_NO_NUMBER, false},  {STR_INIT(".INF"), WORD_NO_NUMBER, false},
    {STR_INIT("+.inf"), WORD_NO_NUMBER, false}, {STR_INIT("+.Inf"), WORD_NO_NUMBER, false},
    {STR_INIT("+.INF"), WORD_NO_NUMBER, false}, {STR_INIT("-.inf"), WORD_NO_NUMBER, false},
    {STR_INIT("-.Inf"), WORD_NO_NUMBER, false}, {STR_INIT("-.INF"), WORD_NO_NUMBER, false},
    {STR_INIT(".nan"), WORD_NO_NUMBER, false},  {STR_INIT(".NaN"), WORD_NO_NUMBER, false},
    {STR_INIT(".NAN"), WORD_NO_NUMBER, false},
};

static bool find_word(struct str text, unsigned flags, enum word *ret)
{
    for (size_t i = 0; text.len <= 5 && i < sizeof words / sizeof *words; i++)
        if (str_equal(text, words[i].text)) {
            *ret = words[i].word;
            return !words[i].v1_1 || (flags & YAML_V1_1_BOOLS);
        }
    return false;
}

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at;
}

/*
 * [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?  made a JSON number: no "+",
 * no zeros in front, a digit on both sides of the point.
 */
static bool read_decimal(struct arena *arena, struct str s, struct str *ret, struct err *err)
{
    size_t sign = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'), whole = skip_digits(s, sign);
    bool point = whole < s.len && s.ptr[whole] == '.';
    size_t fraction = point ? skip_digits(s, whole + 1) : whole, end = fraction, first = sign;
    if (whole == sign && fraction <= whole + 1)
        return false;
    if (end < s.len && (s.ptr[end] == 'e' || s.ptr[end] == 'E')) {
        size_t digits = end + 1;
        digits += digits < s.len && (s.ptr[digits] == '-' || s.ptr[digits] == '+');
        end = skip_digits(s, digits);
        if (end == digits)
            return false;
    }
    if (end != s.len)
        return false;
    if (number_is_valid(s)) {
        *ret = s;
        return true;
    }
    while (first + 1 < whole && s.ptr[first] == '0')
        first++;
    *ret = arena_printf(
        arena, "%s%.*s%s%.*s%s%.*s", s.ptr[0] == '-' ? "-" : "", STR_ARG(str_sub(s, first, whole)),
        whole == sign ? "0" : "", STR_ARG(str_sub(s, whole, fraction)),
        point && fraction == whole + 1 ? "0" : "", STR_ARG(str_sub(s, fraction, s.len)));
    if (!ret->ptr)
        (void)arena_full(arena, err);
    return true;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 16;
}

/* The base that a prefix says, 0 if there is none; *ret_at: the first digit. */
static int find_base(struct str s, unsigned flags, size_t *ret_at)
{
    bool old = flags & YAML_V1_1_BOOLS;
    size_t at = old && s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (s.len < at + 2 || s.ptr[at] != '0')
        return 0;
    char c = s.ptr[at + 1];
    *ret_at = at + 2;
    if (c == 'x' || (c == 'X' && old))
        return 16;
    if (c == 'o')
        return 8;
    if (c == 'b' && old)
        return 2;
    *ret_at = at + 1;
    return old && digit_of(c) < 8 ? 8 : 0;
}

static bool read_based(struct arena *arena, struct str s, unsigned flags, struct str *ret,
                       struct err *err)
{
    size_t at = 0;
    int base = find_base(s, flags, &at);
    struct str digits = str_sub(s, at, s.len);
    if (base == 0 || digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (digit_of(digits.ptr[i]) >= base)
            return false;
    *ret = (struct str){0};
    if (digits.len > YAML_NUMBER_MAX) {
        err_set(err, ERR_LIMIT, "number of more than %d digits", YAML_NUMBER_MAX);
        return true;
    }
    AUTO_ARENA scratch = {.limit = 2 * YAML_NUMBER_MAX};
    struct str text = arena_dup(&scratch, digits); /* ends in NUL */
    char *out = arena_alloc_raw(arena, digits.len * 2 + 3, 1, 1);
    if (!out || !text.ptr) {
        (void)arena_full(arena, err);
        return true;
    }
    mpz_t n;
    (void)mpz_init_set_str(n, text.ptr, base);
    if (s.ptr[0] == '-')
        mpz_neg(n, n);
    (void)mpz_get_str(out, 10, n);
    mpz_clear(n);
    *ret = str_from(out);
    return true;
}

/* YAML 1.1 writes 1_000. */
static struct str without_underscores(struct arena *arena, struct str s)
{
    size_t first = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'), n = 0;
    if (str_find_char(s, '_', 0) == SIZE_MAX || first == s.len || digit_of(s.ptr[first]) > 9)
        return s;
    char *out = arena_alloc_raw(arena, s.len, 1, 1);
    for (size_t i = 0; out && i < s.len; i++)
        if (s.ptr[i] != '_')
            out[n++] = s.ptr[i];
    return out ? (struct str){out, n} : s;
}

/* True if text is a number (then ret, or ret->ptr NULL with err set). */
static bool read_number(struct arena *arena, struct str text, unsigned flags, struct str *ret,
                        struct err *err)
{
    if (text.len == 0 || !(digit_of(text.ptr[0]) <= 9 || strchr("+-.", text.ptr[0])))
        return false;
    if (flags & YAML_V1_1_BOOLS)
        text = without_underscores(arena, text);
    return read_based(arena, text, flags, ret, err) || read_decimal(arena, text, ret, err);
}

static bool is_kind(enum yaml_tag tag, const struct value *v)
{
    static const enum value_kind kinds[] = {[YAML_TAG_STR] = VALUE_STRING,
                                            [YAML_TAG_INT] = VALUE_NUMBER,
                                            [YAML_TAG_FLOAT] = VALUE_NUMBER,
                                            [YAML_TAG_BOOL] = VALUE_BOOL,
                                            [YAML_TAG_NULL] = VALUE_NULL};
    return tag == YAML_TAG_PLAIN ||
           (v->kind == kinds[tag] && (tag != YAML_TAG_INT || number_is_integer(v)));
}

bool yaml_resolve(struct arena *arena, struct str text, enum yaml_tag tag, unsigned flags,
                  struct value *ret, struct err *err)
{
    struct str number;
    enum word word;
    struct value v = value_string(text);
    if (tag != YAML_TAG_STR) {
        if (find_word(text, flags, &word)) {
            if (word == WORD_NO_NUMBER)
                return err_set(err, ERR_SYNTAX, "%.*s is no number that JSON knows", STR_ARG(text));
            v = word == WORD_NULL ? value_null() : value_bool(word == WORD_TRUE);
        } else if (read_number(arena, text, flags, &number, err)) {
            if (!number.ptr)
                return false;
            v = value_number(number);
        }
    }
    if (!is_kind(tag, &v))
        return err_set(err, ERR_SYNTAX, "the value does not fit its tag");
    *ret = v;
    return true;
}
