/* lex.c - Rego text to tokens: words, numbers, strings, templates, operators, comments. */
#include "lang/rego/lex.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"

const char *rego_token_name(enum rego_token_kind kind)
{
#define X(constant, name) name,
    static const char *const names[] = { REGO_TOKENS(X) };
#undef X
    return names[kind];
}

bool rego_token_is_keyword(enum rego_token_kind kind)
{
    return kind >= REGO_TOK_AS;
}

static const struct {
    char word[9];
    uint8_t len;
    uint8_t kind;  /* enum rego_token_kind */
    uint8_t needs; /* bit of the lexer's keywords; 0 = always one */
} keywords[] = {
    /* by first letter */
    {"and", 3, REGO_TOK_LOGIC_AND, REGO_KW_AND},
    {"as", 2, REGO_TOK_AS, 0},
    {"contains", 8, REGO_TOK_CONTAINS, REGO_KW_CONTAINS},
    {"default", 7, REGO_TOK_DEFAULT, 0},
    {"else", 4, REGO_TOK_ELSE, 0},
    {"every", 5, REGO_TOK_EVERY, REGO_KW_EVERY},
    {"false", 5, REGO_TOK_FALSE, 0},
    {"if", 2, REGO_TOK_IF, REGO_KW_IF},
    {"import", 6, REGO_TOK_IMPORT, 0},
    {"in", 2, REGO_TOK_IN, REGO_KW_IN},
    {"not", 3, REGO_TOK_NOT, 0},
    {"null", 4, REGO_TOK_NULL, 0},
    {"or", 2, REGO_TOK_LOGIC_OR, REGO_KW_OR},
    {"package", 7, REGO_TOK_PACKAGE, 0},
    {"some", 4, REGO_TOK_SOME, 0},
    {"true", 4, REGO_TOK_TRUE, 0},
    {"with", 4, REGO_TOK_WITH, 0},
};
enum { KEYWORDS = sizeof keywords / sizeof *keywords };

/* Its place among the keywords; KEYWORDS: it is none. */
static size_t keyword(struct str word)
{
    size_t i = 0;
    if (!word.len)
        return KEYWORDS;
    while (i < KEYWORDS && keywords[i].word[0] < word.ptr[0])
        i++;
    for (; i < KEYWORDS && keywords[i].word[0] == word.ptr[0]; i++)
        if (keywords[i].len == word.len && memcmp(keywords[i].word, word.ptr, word.len) == 0)
            return i;
    return KEYWORDS;
}

bool rego_word_is_keyword(struct str word)
{
    size_t i = keyword(word);
    return i < KEYWORDS && !(keywords[i].needs & (REGO_KW_AND | REGO_KW_OR));
}

static int peek(const struct rego_lexer *l, uint32_t ahead)
{
    return l->at + ahead < l->text.len ? (unsigned char)l->text.ptr[l->at + ahead] : -1;
}

/* Past one character. */
static void step(struct rego_lexer *l)
{
    unsigned char c = (unsigned char)l->text.ptr[l->at++];
    if (c == '\n') {
        l->row++;
        l->col = 1;
        return;
    }
    while (l->at < l->text.len && ((unsigned char)l->text.ptr[l->at] & 0xc0) == 0x80 && c >= 0x80)
        l->at++;
    l->col++;
}

static void fail(struct rego_token *t, const char *message)
{
    t->kind = REGO_TOK_ERROR;
    t->string = str_from(message);
}

static void comment(struct rego_lexer *l)
{
    struct rego_place place = {.row = l->row, .col = l->col, .start = l->at};
    while (l->at < l->text.len && l->text.ptr[l->at] != '\n')
        step(l);
    place.end = l->at;
    struct str text = str_sub(l->text, place.start + 1, place.end);
    if (str_ends(text, STR("\r")))
        text.len--;
    if (l->ncomments && l->comment[l->ncomments - 1].place.start >= place.start)
        return; /* read again after a retreat */
    struct rego_comment *grown =
        arena_grow(l->arena, l->comment, l->ncomments, &l->room, l->ncomments + 1);
    if (!grown)
        return;
    l->comment = grown;
    grown[l->ncomments++] = (struct rego_comment){text, place};
}

static void blanks(struct rego_lexer *l, struct rego_token *t)
{
    const char *text = l->text.ptr;
    uint32_t at = l->at, end = (uint32_t)l->text.len, from = at;
    for (;;) {
        while (at < end && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r'))
            at++;
        l->col += at - l->at;
        l->at = at;
        if (at < end && text[at] == '#')
            comment(l);
        else if (at < end && text[at] == '\n')
            step(l);
        else
            break;
        t->newline |= text[at] == '\n';
        at = l->at;
    }
    t->blank = at > from;
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static void word(struct rego_lexer *l, struct rego_token *t)
{
    const char *text = l->text.ptr;
    uint32_t at = l->at, end = (uint32_t)l->text.len;
    while (at < end && (is_letter(text[at]) || is_digit(text[at])))
        at++;
    l->col += at - l->at;
    l->at = at;
    size_t i = keyword(str_sub(l->text, t->place.start, at));
    bool is_one = i < KEYWORDS && (!keywords[i].needs || l->keywords & keywords[i].needs);
    t->kind = is_one ? (enum rego_token_kind)keywords[i].kind : REGO_TOK_IDENT;
}

static void digits(struct rego_lexer *l)
{
    while (is_digit(peek(l, 0)))
        step(l);
}

enum { BINARY_EXPONENT_MAX = 100000 };

/* Go's big.Float refuses what needs a binary exponent past 1e5: about 30103 decimal digits. */
static bool too_big(struct str text)
{
    size_t e = str_find_char(text, 'e', 0);
    if (e == SIZE_MAX)
        e = str_find_char(text, 'E', 0);
    if (e == SIZE_MAX)
        return text.len > BINARY_EXPONENT_MAX;
    int64_t exponent = 0;
    struct str tail = str_sub(text, e + 1, text.len);
    if (str_starts(tail, STR("+")))
        tail = str_sub(tail, 1, tail.len);
    if (!str_to_int64(tail, &exponent))
        return true;
    double bits = (double)exponent * 3.3219280948873626;
    return bits > BINARY_EXPONENT_MAX || bits < -BINARY_EXPONENT_MAX;
}

static void number(struct rego_lexer *l, struct rego_token *t)
{
    t->kind = REGO_TOK_NUMBER;
    if (peek(l, 0) == '0') {
        step(l);
        if (is_digit(peek(l, 0))) {
            fail(t, "expected number without leading zero");
            return;
        }
    } else {
        digits(l);
    }
    if (peek(l, 0) == '.') {
        step(l);
        if (!is_digit(peek(l, 0))) {
            fail(t, "expected fraction");
            return;
        }
        digits(l);
    }
    if (peek(l, 0) == 'e' || peek(l, 0) == 'E') {
        step(l);
        if (peek(l, 0) == '+' || peek(l, 0) == '-')
            step(l);
        if (!is_digit(peek(l, 0))) {
            fail(t, "expected exponent");
            return;
        }
        digits(l);
    }
    struct str text = str_sub(l->text, t->place.start, l->at);
    if (is_letter(peek(l, 0)))
        fail(t, "illegal number format");
    else if (too_big(text))
        fail(t, "number too big");
}

/* --- strings --- */

static int hex4(const struct rego_lexer *l, uint32_t ahead)
{
    int code = 0;
    for (uint32_t i = 0; i < 4; i++) {
        int c = peek(l, ahead + i);
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

static void steps(struct rego_lexer *l, unsigned n)
{
    while (n--)
        step(l);
}

/* \uXXXX at the lexer, a surrogate pair together; a lone half is U+FFFD. */
static bool unicode_escape(struct rego_lexer *l, struct buf *out)
{
    char bytes[4];
    int code = hex4(l, 2);
    if (code < 0)
        return false;
    steps(l, 6);
    if (code >= 0xd800 && code < 0xdc00 && peek(l, 0) == '\\' && peek(l, 1) == 'u') {
        int low = hex4(l, 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            steps(l, 6);
        }
    }
    buf_add(out, bytes, utf8_put((uint32_t)code, bytes));
    return true;
}

/* The escape at the lexer; false for one that there is not. */
static bool escape(struct rego_lexer *l, struct buf *out, bool in_template)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(l, 1);
    if (c == 'u')
        return unicode_escape(l, out);
    const char *at = c > 0 ? strchr(from, c) : NULL;
    if (in_template && c == '{')
        buf_char(out, '{');
    else if (at && *at)
        buf_char(out, to[at - from]);
    else
        return false;
    steps(l, 2);
    return true;
}

/* A control character within a string: true where it is one that must not be there. */
static const char *bad_in_string(const struct rego_lexer *l, bool raw)
{
    int c = peek(l, 0);
    if (c < 0)
        return "non-terminated string";
    if (c == 0)
        return "illegal null character";
    if (c == '\n' && !raw)
        return "non-terminated string";
    if (c >= 0x80 &&
        utf8_sequence((const unsigned char *)l->text.ptr + l->at, l->text.len - l->at) == 0)
        return "illegal utf-8 character";
    return NULL;
}

/* A string as it is written, as most are: behind the quote, without escapes. */
static bool plain_string(struct rego_lexer *l, struct rego_token *t)
{
    const char *text = l->text.ptr;
    uint32_t at = l->at, end = (uint32_t)l->text.len;
    while (at < end && (signed char)text[at] >= ' ' && text[at] != '"' && text[at] != '\\')
        at++; /* ASCII: a character is a column */
    if (at == end || text[at] != '"')
        return false;
    t->kind = REGO_TOK_STRING;
    t->string = str_sub(l->text, l->at, at);
    l->col += at + 1 - l->at;
    l->at = at + 1;
    return true;
}

static void string(struct rego_lexer *l, struct rego_token *t)
{
    AUTO_BUF out = {.limit = REGO_TEXT_MAX};
    const char *bad = NULL;
    step(l);
    if (plain_string(l, t))
        return;
    while (peek(l, 0) != '"') {
        uint32_t from = l->at;
        if ((bad = bad_in_string(l, false)))
            break;
        if (peek(l, 0) == '\\') {
            if (!escape(l, &out, false)) {
                bad = "illegal escape sequence";
                break;
            }
            continue;
        }
        step(l);
        buf_add(&out, l->text.ptr + from, l->at - from);
    }
    if (bad) {
        fail(t, bad);
        return;
    }
    step(l);
    t->kind = REGO_TOK_STRING;
    t->string = arena_dup(l->arena, buf_view(&out));
}

static void raw_string(struct rego_lexer *l, struct rego_token *t)
{
    const char *bad = NULL;
    step(l);
    uint32_t from = l->at;
    while (peek(l, 0) != '`') {
        if ((bad = bad_in_string(l, true))) {
            fail(t, bad);
            return;
        }
        step(l);
    }
    t->kind = REGO_TOK_RAW_STRING;
    t->string = str_sub(l->text, from, l->at);
    step(l);
}

bool rego_lex_template(struct rego_lexer *l, bool raw, struct str *ret, bool *ret_end,
                       struct rego_token *ret_error)
{
    AUTO_BUF out = {.limit = REGO_TEXT_MAX};
    int quote = raw ? '`' : '"';
    *ret_error = (struct rego_token){.place = {l->row, l->col, l->at, l->at}};
    while (peek(l, 0) != quote && peek(l, 0) != '{') {
        uint32_t from = l->at;
        const char *bad = bad_in_string(l, raw);
        bool slash = peek(l, 0) == '\\';
        if (!bad && slash && raw && peek(l, 1) == '{') {
            steps(l, 2);
            buf_char(&out, '{');
            continue;
        }
        if (!bad && slash && !raw) {
            if (escape(l, &out, true))
                continue;
            bad = "illegal escape sequence";
        }
        if (bad) {
            fail(ret_error, bad);
            return false;
        }
        step(l);
        buf_add(&out, l->text.ptr + from, l->at - from);
    }
    *ret_end = peek(l, 0) == quote;
    step(l);
    *ret = arena_dup(l->arena, buf_view(&out));
    return true;
}

/* --- operators --- */

static void illegal(struct rego_lexer *l, struct rego_token *t)
{
    int c = peek(l, 0);
    size_t n = utf8_sequence((const unsigned char *)l->text.ptr + l->at, l->text.len - l->at);
    if (c == 0) {
        fail(t, "illegal null character");
    } else if (n == 0) {
        fail(t, "illegal utf-8 character");
    } else if (n == 3 && memcmp(l->text.ptr + l->at, "\xef\xbb\xbf", 3) == 0) {
        fail(t, "illegal byte-order mark");
    } else {
        t->kind = REGO_TOK_ERROR;
        t->string = arena_printf(l->arena, "illegal %.*s character", (int)n, l->text.ptr + l->at);
    }
}

/* One, or with a `=` behind it the other. */
static enum rego_token_kind operator_kind(int c, bool equals)
{
    switch (c) {
    case '[':
        return REGO_TOK_LBRACK;
    case ']':
        return REGO_TOK_RBRACK;
    case '{':
        return REGO_TOK_LBRACE;
    case '}':
        return REGO_TOK_RBRACE;
    case '(':
        return REGO_TOK_LPAREN;
    case ')':
        return REGO_TOK_RPAREN;
    case ',':
        return REGO_TOK_COMMA;
    case ';':
        return REGO_TOK_SEMICOLON;
    case '.':
        return REGO_TOK_DOT;
    case '+':
        return REGO_TOK_ADD;
    case '-':
        return REGO_TOK_SUB;
    case '*':
        return REGO_TOK_MUL;
    case '/':
        return REGO_TOK_QUO;
    case '%':
        return REGO_TOK_REM;
    case '|':
        return REGO_TOK_OR;
    case '&':
        return REGO_TOK_AND;
    case ':':
        return equals ? REGO_TOK_ASSIGN : REGO_TOK_COLON;
    case '=':
        return equals ? REGO_TOK_EQUAL : REGO_TOK_UNIFY;
    case '<':
        return equals ? REGO_TOK_LTE : REGO_TOK_LT;
    case '>':
        return equals ? REGO_TOK_GTE : REGO_TOK_GT;
    case '!':
        return equals ? REGO_TOK_NEQ : REGO_TOK_ERROR;
    default:
        return REGO_TOK_ERROR;
    }
}

static void operator_(struct rego_lexer *l, struct rego_token *t)
{
    int c = peek(l, 0);
    bool equals = peek(l, 1) == '=';
    t->kind = operator_kind(c, equals);
    if (t->kind == REGO_TOK_ERROR) {
        illegal(l, t);
        return;
    }
    uint32_t n = equals && (c == ':' || c == '=' || c == '<' || c == '>' || c == '!') ? 2 : 1;
    l->at += n;
    l->col += n;
}

void rego_lex(struct rego_lexer *l, struct rego_token *ret)
{
    *ret = (struct rego_token){0};
    if (l->at == 0 && str_starts(l->text, STR("\xef\xbb\xbf")))
        l->at = 3;
    blanks(l, ret);
    ret->place = (struct rego_place){.row = l->row, .col = l->col, .start = l->at};
    int c = peek(l, 0);
    if (c < 0) {
        ret->kind = REGO_TOK_EOF;
        ret->place.col = 0;
    } else if (is_letter(c)) {
        word(l, ret);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        number(l, ret);
    } else if (c == '"') {
        string(l, ret);
    } else if (c == '`') {
        raw_string(l, ret);
    } else if (c == '$' && (peek(l, 1) == '"' || peek(l, 1) == '`')) {
        steps(l, 2);
        ret->kind = REGO_TOK_TEMPLATE;
    } else {
        operator_(l, ret);
    }
    ret->place.end = l->at;
    ret->text = str_sub(l->text, ret->place.start, l->at);
}
