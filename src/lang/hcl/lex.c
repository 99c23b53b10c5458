/* lex.c - the scanner: configuration tokens, and a stack of the templates and sequences it is in.
 */
#include "lang/hcl/lex.h"

#include <string.h>
#include <unictype.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"

enum frame_kind { FRAME_QUOTED, FRAME_HEREDOC, FRAME_BARE, FRAME_SEQUENCE };

struct frame {
    enum frame_kind kind;
    unsigned braces;   /* FRAME_SEQUENCE: open braces inside it */
    struct str marker; /* FRAME_HEREDOC */
    bool line_start;   /* FRAME_HEREDOC: the next byte begins a line */
};

struct lexer {
    struct arena *arena;
    struct str text;
    size_t at;
    uint32_t line;
    struct hcl_token *token;
    size_t n, room;
    struct frame *frame;
    size_t depth, frame_room;
    bool full;         /* out of memory */
    bool deep;         /* too many frames */
    bool no_block_end; /* no more comment ends with a star and a slash: do not look again */
};

enum { TOKENS_FIRST = 16, FRAMES_FIRST = 8, BYTES_PER_TOKEN = 2 }; /* seldom fewer bytes */

const char *hcl_token_name(enum hcl_token_kind kind)
{
    static const char *const names[] = {
#define X(constant, name) name,
        HCL_TOKENS(X)
#undef X
    };
    return kind < HCL_TOKEN_KIND_COUNT ? names[kind] : "token";
}

static unsigned char peek(const struct lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->text.len ? (unsigned char)lx->text.ptr[lx->at + ahead] : 0;
}

static bool more(const struct lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->text.len;
}

/* A token of the next `len` bytes. */
static void emit(struct lexer *lx, enum hcl_token_kind kind, size_t len)
{
    if (lx->n == lx->room) {
        struct hcl_token *grown =
            arena_grow(lx->arena, lx->token, lx->n, &lx->room, lx->n + TOKENS_FIRST);
        if (!grown) {
            lx->full = true;
            return;
        }
        lx->token = grown;
    }
    lx->token[lx->n++] = (struct hcl_token){
        .kind = kind, .range = {(uint32_t)lx->at, (uint32_t)(lx->at + len)}, .line = lx->line};
    lx->at += len;
}

/* The same for one that may hold newlines. */
static void emit_lines(struct lexer *lx, enum hcl_token_kind kind, size_t len)
{
    const char *from = lx->text.ptr + lx->at, *end = from + len;
    emit(lx, kind, len);
    while ((from = memchr(from, '\n', (size_t)(end - from)))) {
        lx->line++;
        from++;
    }
}

static void push(struct lexer *lx, struct frame frame)
{
    if (lx->depth == HCL_DEPTH_MAX) {
        lx->deep = true;
        return;
    }
    struct frame *grown =
        arena_grow(lx->arena, lx->frame, lx->depth, &lx->frame_room, lx->depth + 1);
    if (!grown) {
        lx->full = true;
        return;
    }
    lx->frame = grown;
    lx->frame[lx->depth++] = frame;
}

/* Bytes of the newline at `ahead`: 0, 1 or 2. */
static size_t newline_len(const struct lexer *lx, size_t ahead)
{
    unsigned char c = peek(lx, ahead);
    if (c == '\n')
        return 1;
    return c == '\r' && peek(lx, ahead + 1) == '\n' ? 2 : 0;
}

/* Bytes of the character there as the scanner of HCL sees it: surrogates and overlong forms pass, a
 * byte that begins no character is 0. */
static size_t character_len(const struct lexer *lx, size_t ahead)
{
    unsigned char c = peek(lx, ahead);
    size_t len = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
    for (size_t i = 1; i < len; i++)
        if ((peek(lx, ahead + i) & 0xc0) != 0x80)
            return 0;
    return len;
}

/* --- identifiers --- */

/* The ASCII characters of a set, one bit each. */
struct ascii_set {
    uint64_t low, high;
};
static const struct ascii_set words = {0x03ff200000000000,
                                       0x07fffffe87fffffe}; /* - 0-9 A-Z _ a-z */

static bool in_set(struct ascii_set set, unsigned char c)
{
    return c < 0x80 && ((c < 64 ? set.low >> c : set.high >> (c - 64)) & 1);
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_character(uint32_t c, bool first)
{
    return first ? uc_is_property_id_start(c) : uc_is_property_id_continue(c);
}

/*
 * Bytes that are no character but that the scanner of HCL takes for one: its ranges of characters
 * are ranges of byte strings, so that what lies between two neighbours of a range belongs to it.
 * hcl_check_tokens() refuses them.
 * p  a byte that leads `len` of them; 0 where it is none of those
 */
static size_t broken_word_len(const unsigned char *p, size_t len, bool first)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t above = p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        bool tail = (p[i] & 0xc0) == 0x80;
        above = above << 6 | (tail ? p[i] & 0x3fu : 0);
        if (tail)
            continue;
        /* The next character above: p[i] is below all tails, or above them. */
        above = (above + (p[i] > 0xbf ? 64u : 0)) << 6 * (len - 1 - i);
        bool between = above > least[len] && (len == 4 || above < least[len + 1]);
        return between && is_word_character(above - 1, first) && is_word_character(above, first)
                   ? len
                   : 0;
    }
    return 0;
}

/* Bytes of a character that is not ASCII and may stand in an identifier, or 0. */
static size_t wide_word_len(struct str s, bool first)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t at = 0, len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > s.len)
        return 0;
    if (!utf8_sequence(p, s.len))
        return broken_word_len(p, len, first);
    return is_word_character(utf8_next(s, &at), first) ? at : 0;
}

static size_t identifier_len(struct str s)
{
    size_t at = 0;
    if (s.len == 0 || is_digit((unsigned char)s.ptr[0]) || s.ptr[0] == '-')
        return 0;
    while (at < s.len) {
        unsigned char c = (unsigned char)s.ptr[at];
        size_t len = in_set(words, c) ? 1
                     : c < 0x80       ? 0
                                      : wide_word_len(str_sub(s, at, s.len), at == 0);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

bool hcl_is_identifier(struct str s)
{
    return s.len && identifier_len(s) == s.len && utf8_bad_at(s) == SIZE_MAX;
}

/* --- templates --- */

/* Length of an opener `${`, `%{`, `${~`, `%{~` at `ahead`, or 0. */
static size_t opener_len(const struct lexer *lx, size_t ahead)
{
    unsigned char c = peek(lx, ahead);
    if ((c != '$' && c != '%') || peek(lx, ahead + 1) != '{')
        return 0;
    return peek(lx, ahead + 2) == '~' ? 3 : 2;
}

static bool lex_opener(struct lexer *lx)
{
    size_t len = opener_len(lx, 0);
    if (!len)
        return false;
    emit(lx, peek(lx, 0) == '$' ? HCL_INTERP : HCL_CONTROL, len);
    push(lx, (struct frame){.kind = FRAME_SEQUENCE});
    return true;
}

static bool is_marker(unsigned char c)
{
    return c == '$' || c == '%';
}

/* A marker that opens nothing: `$${` with what an opener takes, else the `$` alone. 0: the text
 * ends behind it, and the scanner of HCL waits for more. */
static size_t marker_len(const struct lexer *lx)
{
    size_t escaped = peek(lx, 1) == peek(lx, 0) ? opener_len(lx, 1) : 0;
    if (escaped)
        return 1 + escaped;
    return more(lx, 1) ? 1 : 0;
}

/* Bytes that mean nothing in a quoted string. */
static size_t quoted_len(const struct lexer *lx)
{
    size_t len = 0;
    while (more(lx, len)) {
        unsigned char c = peek(lx, len);
        size_t escape = c == '\\', next = peek(lx, len + escape);
        if (c == '"' || is_marker(c) || next == '\n' || next == '\r' || !more(lx, len + escape))
            break;
        size_t character = character_len(lx, len + escape);
        if (!character)
            break;
        len += escape + character;
    }
    return len;
}

static size_t newlines_len(const struct lexer *lx)
{
    size_t len = 0;
    while (peek(lx, len) == '\n' || peek(lx, len) == '\r')
        len++;
    return len;
}

/* A newline does not end the string: as in HCL, it goes on to the next quote. */
static void lex_quoted(struct lexer *lx)
{
    size_t len = quoted_len(lx);
    unsigned char c = peek(lx, 0);
    if (len) {
        emit(lx, HCL_QUOTED_TEXT, len);
    } else if (c == '"') {
        emit(lx, HCL_CQUOTE, 1);
        lx->depth--;
    } else if (is_marker(c)) {
        len = opener_len(lx, 0) ? 0 : marker_len(lx);
        if (len)
            emit(lx, HCL_QUOTED_TEXT, len);
        else if (!lex_opener(lx))
            emit(lx, HCL_BAD_CHARACTER, 1);
    } else if ((len = newlines_len(lx))) {
        emit_lines(lx, HCL_BAD_NEWLINE, len);
    } else {
        emit(lx, c == '\\' ? HCL_BAD_CHARACTER : HCL_BAD_UTF8, 1);
    }
}

/* Blanks, the marker, blanks: is that all of the line? */
static bool is_heredoc_end(struct str line, struct str marker)
{
    size_t at = 0, next = 0;
    while (next < line.len && uc_is_property_white_space(utf8_next(line, &next)))
        at = next;
    if (!str_starts(str_sub(line, at, line.len), marker))
        return false;
    for (at += marker.len; at < line.len;)
        if (!uc_is_property_white_space(utf8_next(line, &at)))
            return false;
    return true;
}

/* Bytes of text that is not quoted, without a newline: up to a marker or a line's end. */
static size_t raw_len(const struct lexer *lx)
{
    size_t len = 0;
    while (more(lx, len)) {
        unsigned char c = peek(lx, len);
        size_t character = c == '\n' || c == '\r' || is_marker(c) ? 0 : character_len(lx, len);
        if (!character)
            break;
        len += character;
    }
    return len;
}

/* A marker that opens nothing. The scanner of HCL takes the byte behind it, too, at a line's end.
 */
static size_t raw_marker_len(const struct lexer *lx)
{
    size_t len = marker_len(lx);
    if (len > 1)
        return len + newline_len(lx, len);
    bool line_end = peek(lx, 2) == '\n' || peek(lx, 2) == '\r';
    return len && line_end ? 2 : len;
}

/* Text in a heredoc or a bare template. False where the scanner of HCL comes to a stop, which makes
 * one token of all the rest. */
static bool lex_raw(struct lexer *lx, struct frame *frame)
{
    size_t len = raw_len(lx), newline = newline_len(lx, len);
    if (frame->kind == FRAME_HEREDOC && frame->line_start && newline &&
        is_heredoc_end(str_sub(lx->text, lx->at, lx->at + len), frame->marker)) {
        emit(lx, HCL_CHEREDOC, len);
        emit_lines(lx, HCL_NEWLINE, newline);
        lx->depth--;
        return true;
    }
    if (len + newline == 0 && is_marker(peek(lx, 0)))
        len = raw_marker_len(lx);
    if (len + newline) {
        emit_lines(lx, HCL_RAW_TEXT, len + newline);
        frame->line_start = lx->text.ptr[lx->at - 1] == '\n';
        return true;
    }
    if (is_marker(peek(lx, 0)) || peek(lx, 0) == '\r')
        return false;
    emit(lx, HCL_BAD_UTF8, 1);
    return true;
}

static void lex_text(struct lexer *lx, struct frame *frame)
{
    if (is_marker(peek(lx, 0)) && opener_len(lx, 0)) {
        frame->line_start = false;
        (void)lex_opener(lx);
    } else if (!lex_raw(lx, frame)) {
        bool whole = frame->kind == FRAME_BARE;
        emit_lines(lx, whole ? HCL_RAW_TEXT : HCL_BAD_CHARACTER, lx->text.len - lx->at);
    }
}

/* --- configuration --- */

/* Digits, points and exponents in any order, but no point at the end. */
static size_t number_len(const struct lexer *lx)
{
    size_t len = 1, end = 1;
    for (;;) {
        unsigned char c = peek(lx, len), next = peek(lx, len + 1);
        bool exponent = c == 'e' || c == 'E', sign = next == '+' || next == '-';
        if (is_digit(c) || c == '.')
            len += 1;
        else if (exponent && is_digit(sign ? peek(lx, len + 2) : next))
            len += sign ? 3 : 2;
        else
            return end;
        if (c != '.')
            end = len;
    }
}

/* A comment that ends with its line takes the newline with it. */
static size_t comment_len(struct lexer *lx)
{
    bool slash = peek(lx, 0) == '/';
    if (slash && peek(lx, 1) == '*' && !lx->no_block_end) {
        size_t end = str_find(lx->text, STR("*/"), lx->at + 2);
        lx->no_block_end = end == SIZE_MAX;
        return lx->no_block_end ? 0 : end + 2 - lx->at;
    }
    if (slash && peek(lx, 1) != '/')
        return 0;
    size_t end = str_find_char(lx->text, '\n', lx->at);
    return (end == SIZE_MAX ? lx->text.len : end + 1) - lx->at;
}

/* `<<EOT` or `<<-EOT` and a newline: the length up to and with the newline, or 0. */
static size_t heredoc_start_len(const struct lexer *lx, struct str *ret_marker)
{
    if (peek(lx, 1) != '<')
        return 0;
    size_t len = peek(lx, 2) == '-' ? 3 : 2;
    struct str rest = str_sub(lx->text, lx->at + len, lx->text.len);
    size_t name = identifier_len(rest);
    size_t newline = name ? newline_len(lx, len + name) : 0;
    *ret_marker = str_sub(rest, 0, name);
    return newline ? len + name + newline : 0;
}

/* By the first character: what it is alone, and with one more. */
static const struct {
    unsigned char alone, second, both, third, with_third; /* kinds; second, third: characters */
} operators[128] = {
    ['+'] = {HCL_PLUS},
    ['-'] = {HCL_MINUS},
    ['*'] = {HCL_STAR},
    ['/'] = {HCL_SLASH},
    ['%'] = {HCL_PERCENT},
    ['<'] = {HCL_LT, '=', HCL_LE},
    ['>'] = {HCL_GT, '=', HCL_GE},
    ['!'] = {HCL_BANG, '=', HCL_NE},
    ['='] = {HCL_ASSIGN, '=', HCL_EQ, '>', HCL_ARROW},
    ['&'] = {HCL_BAD_OPERATOR, '&', HCL_AND},
    ['|'] = {HCL_BAD_OPERATOR, '|', HCL_OR},
    ['~'] = {HCL_BAD_OPERATOR, '}', HCL_SEQ_END},
    ['^'] = {HCL_BAD_OPERATOR},
    ['?'] = {HCL_QUESTION},
    [':'] = {HCL_COLON, ':', HCL_DOUBLE_COLON},
    [','] = {HCL_COMMA},
    ['.'] = {HCL_DOT},
    ['('] = {HCL_OPAREN},
    [')'] = {HCL_CPAREN},
    ['['] = {HCL_OBRACK},
    [']'] = {HCL_CBRACK},
};

/* "..." is the only one of three characters. */
static bool lex_operator(struct lexer *lx)
{
    unsigned char c = peek(lx, 0), next = peek(lx, 1);
    if (c >= 128 || !operators[c].alone)
        return false;
    if (c == '.' && next == '.' && peek(lx, 2) == '.')
        emit(lx, HCL_ELLIPSIS, 3);
    else if (operators[c].second && next == operators[c].second)
        emit(lx, operators[c].both, 2);
    else if (operators[c].third && next == operators[c].third)
        emit(lx, operators[c].with_third, 2);
    else
        emit(lx, operators[c].alone, 1);
    return true;
}

/* `}` or `~}`. The latter is the end of a sequence even where none is open; the parser says so. */
static void lex_closer(struct lexer *lx, struct frame *frame, size_t len)
{
    bool closes = frame && frame->braces == 0;
    if (frame && !closes)
        frame->braces--;
    emit(lx, closes || len == 2 ? HCL_SEQ_END : HCL_CBRACE, len);
    if (closes)
        lx->depth--;
}

static void lex_other(struct lexer *lx)
{
    size_t len = character_len(lx, 0);
    emit(lx, len ? HCL_BAD_CHARACTER : HCL_BAD_UTF8, len ? len : 1);
}

/* What neither a blank, a word, a number nor a newline begins. frame: as for lex_config(). */
static void lex_punctuation(struct lexer *lx, struct frame *frame, unsigned char c)
{
    struct str marker;
    size_t len = 0;
    if (c == '"') {
        emit(lx, HCL_OQUOTE, 1);
        push(lx, (struct frame){.kind = FRAME_QUOTED});
    } else if (c == '{') {
        if (frame)
            frame->braces++;
        emit(lx, HCL_OBRACE, 1);
    } else if (c == '}') {
        lex_closer(lx, frame, 1);
    } else if (c == '~' && peek(lx, 1) == '}') {
        lex_closer(lx, frame, 2);
    } else if ((c == '#' || c == '/') && (len = comment_len(lx))) {
        emit_lines(lx, HCL_COMMENT, len);
    } else if (c == '<' && (len = heredoc_start_len(lx, &marker))) {
        emit_lines(lx, HCL_OHEREDOC, len);
        push(lx, (struct frame){.kind = FRAME_HEREDOC, .marker = marker, .line_start = true});
    } else if (!lex_operator(lx)) {
        lex_other(lx);
    }
}

/* frame: the sequence this is inside of, or NULL at the top. */
static void lex_config(struct lexer *lx, struct frame *frame)
{
    unsigned char c = peek(lx, 0);
    size_t len;
    if (c == ' ' || c == '\t')
        lx->at++;
    else if (is_digit(c))
        emit(lx, HCL_NUMBER, number_len(lx));
    else if ((in_set(words, c) && c != '-') || c >= 0x80)
        (len = identifier_len(str_sub(lx->text, lx->at, lx->text.len))) ? emit(lx, HCL_IDENT, len)
                                                                        : lex_other(lx);
    else if ((len = newline_len(lx, 0)))
        emit_lines(lx, HCL_NEWLINE, len);
    else
        lex_punctuation(lx, frame, c);
}

static void step(struct lexer *lx)
{
    struct frame *frame = lx->depth ? &lx->frame[lx->depth - 1] : NULL;
    if (!frame || frame->kind == FRAME_SEQUENCE)
        lex_config(lx, frame);
    else if (frame->kind == FRAME_QUOTED)
        lex_quoted(lx);
    else
        lex_text(lx, frame);
}

static bool lexer_open(struct lexer *lx, struct arena *arena, struct str text,
                       enum hcl_lex_mode mode)
{
    size_t room = text.len / BYTES_PER_TOKEN + TOKENS_FIRST;
    *lx = (struct lexer){.arena = arena, .text = text, .line = 1};
    /* the tokens last: what they do not need is given back */
    lx->frame = arena_grow(arena, lx->frame, 0, &lx->frame_room, FRAMES_FIRST);
    lx->token = lx->frame ? arena_new_raw(arena, struct hcl_token, room) : NULL;
    lx->room = room;
    if (mode == HCL_LEX_TEMPLATE)
        push(lx, (struct frame){.kind = FRAME_BARE});
    else if (str_starts(text, STR("\xef\xbb\xbf")))
        lx->at = 3;
    return lx->token;
}

bool hcl_lex(struct arena *arena, struct str text, enum hcl_lex_mode mode,
             const struct hcl_token **ret_tokens, size_t *ret_n, struct err *err)
{
    if (text.len > HCL_SIZE_MAX)
        return err_set(err, ERR_LIMIT, "%zu bytes of configuration, more than %d", text.len,
                       (int)HCL_SIZE_MAX);
    struct lexer lx;
    if (!lexer_open(&lx, arena, text, mode))
        return arena_full(arena, err);
    while (more(&lx, 0) && !lx.full && !lx.deep)
        step(&lx);
    if (lx.deep)
        return err_set(err, ERR_LIMIT, "line %u: templates nested deeper than %d", lx.line,
                       HCL_DEPTH_MAX);
    emit(&lx, HCL_EOF, 0);
    if (lx.full)
        return arena_full(arena, err);
    arena_trim(arena, lx.token, lx.n * sizeof *lx.token);
    *ret_tokens = lx.token;
    *ret_n = lx.n;
    return true;
}
