/* json_lex.c - JSON text to tokens, and the inside of its strings.
 *
 * Lax on purpose, as Terraform's scanner: "01e", "Treu" and "\q" are tokens that the parser refuses
 * with a reason.
 */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/json_syntax.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static size_t string_end(struct str s, size_t at)
{
    for (at++; at < s.len && (unsigned char)s.ptr[at] >= 0x20; at++) {
        if (s.ptr[at] == '"')
            return at + 1;
        if (s.ptr[at] == '\\' && at + 1 < s.len && (unsigned char)s.ptr[at + 1] >= 0x20)
            at++;
    }
    return at;
}

static size_t number_end(struct str s, size_t at)
{
    while (at < s.len && is_number_char(s.ptr[at]))
        at++;
    return at;
}

static size_t word_end(struct str s, size_t at)
{
    while (at < s.len && (is_letter(s.ptr[at]) || s.ptr[at] == '_'))
        at++;
    return at;
}

static const struct {
    char c;
    enum hcl_token_kind kind;
} marks[] = {
    {'{', HCL_OBRACE}, {'}', HCL_CBRACE}, {'[', HCL_OBRACK}, {']', HCL_CBRACK},
    {',', HCL_COMMA},  {':', HCL_COLON},  {'=', HCL_ASSIGN},
};

/* The kind of the token at s[at] and where it ends. */
static enum hcl_token_kind token_at(struct str s, size_t at, size_t *ret_end)
{
    char c = s.ptr[at];
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (marks[i].c == c) {
            *ret_end = at + 1;
            return marks[i].kind;
        }
    if (c == '"') {
        *ret_end = string_end(s, at);
        return HCL_QUOTED_TEXT;
    }
    if (is_number_char(c) && !is_letter(c)) {
        *ret_end = number_end(s, at);
        return HCL_NUMBER;
    }
    if (is_letter(c)) {
        *ret_end = word_end(s, at);
        return HCL_IDENT;
    }
    *ret_end = at + 1;
    return HCL_BAD_CHARACTER;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool hcl_json_lex(struct arena *arena, struct str text, const struct hcl_token **ret_tokens,
                  size_t *ret_n, struct err *err)
{
    struct hcl_token *tokens = NULL;
    size_t n = 0, room = 0, at = 0;
    uint32_t line = 1;
    bool more = true;
    if (text.len > HCL_SIZE_MAX)
        return err_set(err, ERR_LIMIT, "larger than %d bytes", HCL_SIZE_MAX);
    while (more) {
        while (at < text.len && is_blank(text.ptr[at]))
            line += text.ptr[at++] == '\n';
        tokens = arena_grow(arena, tokens, n, &room, n + 2);
        if (!tokens)
            return arena_full(arena, err);
        size_t end = at;
        enum hcl_token_kind kind = at < text.len ? token_at(text, at, &end) : HCL_EOF;
        tokens[n++] = (struct hcl_token){kind, {(uint32_t)at, (uint32_t)end}, line};
        more = kind != HCL_EOF && kind != HCL_BAD_CHARACTER;
        at = end;
    }
    if (tokens[n - 1].kind != HCL_EOF) /* nothing is read behind a byte that cannot be there */
        tokens[n++] = (struct hcl_token){HCL_EOF, {(uint32_t)at, (uint32_t)at}, line};
    *ret_tokens = tokens;
    *ret_n = n;
    return true;
}

/* --- strings --- */

struct decoder {
    struct str text; /* of the file */
    size_t at, end;
    char *out;
    size_t len;
};

/* Four hexadecimal digits at `at`: the byte at fault is in *ret_bad if there are none. */
static bool four_digits(const struct decoder *d, size_t at, uint32_t *ret, size_t *ret_bad)
{
    uint32_t c = 0;
    for (size_t i = at; i < at + 4; i++) {
        char x = i < d->end ? d->text.ptr[i] : '"';
        bool digit = x >= '0' && x <= '9', lower = x >= 'a' && x <= 'f',
             upper = x >= 'A' && x <= 'F';
        if (!digit && !lower && !upper) {
            *ret_bad = i;
            return false;
        }
        c = c << 4 | (uint32_t)(digit ? x - '0' : lower ? x - 'a' + 10 : x - 'A' + 10);
    }
    *ret = c;
    return true;
}

/* \uXXXX, two of them for a surrogate pair; a surrogate alone becomes U+FFFD. */
static bool decode_unicode(struct decoder *d, size_t *ret_bad)
{
    uint32_t c, low;
    size_t ignored;
    if (!four_digits(d, d->at + 2, &c, ret_bad))
        return false;
    d->at += 6;
    bool pair = c >= 0xd800 && c < 0xdc00 && d->at + 1 < d->end && d->text.ptr[d->at] == '\\' &&
                d->text.ptr[d->at + 1] == 'u' && four_digits(d, d->at + 2, &low, &ignored) &&
                low >= 0xdc00 && low < 0xe000;
    if (pair) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        d->at += 6;
    }
    d->len += utf8_put(c, d->out + d->len);
    return true;
}

static bool decode_escape(struct decoder *d, size_t *ret_bad)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = d->at + 1 < d->end ? d->text.ptr[d->at + 1] : '\0';
    const char *simple = c ? strchr(from, c) : NULL;
    if (c == 'u')
        return decode_unicode(d, ret_bad);
    if (!simple) {
        *ret_bad = d->at + 1;
        return false;
    }
    d->out[d->len++] = to[simple - from];
    d->at += 2;
    return true;
}

/* Everything up to the end; a jump behind each escape and each byte that is not UTF-8. */
static bool decode_all(struct decoder *d, struct hcl_json_jump *jump, size_t *ret_n,
                       size_t *ret_bad)
{
    while (d->at < d->end) {
        const unsigned char *p = (const unsigned char *)d->text.ptr + d->at;
        size_t good = *p == '\\' ? 0 : utf8_sequence(p, d->end - d->at);
        if (good) {
            memcpy(d->out + d->len, p, good);
            d->at += good;
            d->len += good;
            continue;
        }
        if (*p != '\\') {
            d->len += utf8_put(0xfffd, d->out + d->len);
            d->at++;
        } else if (!decode_escape(d, ret_bad)) {
            return false;
        }
        jump[(*ret_n)++] = (struct hcl_json_jump){(uint32_t)d->len, (uint32_t)d->at};
    }
    return true;
}

bool hcl_json_decode(struct arena *arena, struct str text, struct hcl_range token,
                     struct hcl_json_string *ret, size_t *ret_bad)
{
    size_t from = token.start + 1u, end = token.end;
    *ret_bad = SIZE_MAX;
    if (end > text.len || from > end)
        return false;
    bool closed = end > from && text.ptr[end - 1] == '"';
    struct str inside = str_sub(text, from, closed ? end - 1 : end);
    size_t odd = 0;
    for (size_t i = 0; i < inside.len; i++)
        odd += inside.ptr[i] == '\\' || (inside.ptr[i] & 0x80);
    struct hcl_json_string string = {.text = inside, .start = (uint32_t)from};
    if (odd && (utf8_bad_at(inside) != SIZE_MAX || str_find_char(inside, '\\', 0) != SIZE_MAX)) {
        struct hcl_json_jump *jump = arena_new_raw(arena, struct hcl_json_jump, odd);
        struct decoder d = {.text = text, .at = from, .end = from + inside.len};
        d.out = arena_alloc_raw(arena, inside.len * 3 + 4, 1, 1); /* U+FFFD is three bytes */
        if (!jump || !d.out || !decode_all(&d, jump, &string.njumps, ret_bad))
            return false;
        string.text = (struct str){d.out, d.len};
        string.jump = jump;
    }
    if (!closed) {
        *ret_bad = end - 1;
        return false;
    }
    *ret = string;
    return true;
}
