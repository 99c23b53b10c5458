/* lex.c - the scanner: configuration tokens, and a stack of the templates and sequences it is in.
 */
#include "lang/hcl/lex.h"

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
    struct frame frame[HCL_DEPTH_MAX];
    unsigned depth;
    bool full; /* out of memory */
    bool deep; /* too many frames */
};

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

static bool more(const struct lexer *lx)
{
    return lx->at < lx->text.len;
}

/* A token of the next `len` bytes; counts the lines in it. */
static void emit(struct lexer *lx, enum hcl_token_kind kind, size_t len)
{
    lx->token = arena_grow(lx->arena, lx->token, lx->n, &lx->room, lx->n + 1);
    if (!lx->token) {
        lx->full = true;
        return;
    }
    size_t end = lx->at + len;
    lx->token[lx->n++] = (struct hcl_token){
        .kind = kind, .range = {(uint32_t)lx->at, (uint32_t)end}, .line = lx->line};
    for (; lx->at < end; lx->at++)
        lx->line += lx->text.ptr[lx->at] == '\n';
}

static void push(struct lexer *lx, struct frame frame)
{
    if (lx->depth == HCL_DEPTH_MAX) {
        lx->deep = true;
        return;
    }
    lx->frame[lx->depth++] = frame;
}

/* Bytes of the newline at `at`: 0, 1 or 2. */
static size_t newline_len(const struct lexer *lx, size_t ahead)
{
    if (peek(lx, ahead) == '\n' && lx->at + ahead < lx->text.len)
        return 1;
    return peek(lx, ahead) == '\r' && peek(lx, ahead + 1) == '\n' ? 2 : 0;
}

/* --- identifiers --- */

static bool starts_identifier(uint32_t c)
{
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return uc_is_property_id_start(c);
}

static bool continues_identifier(uint32_t c)
{
    if (c < 0x80)
        return starts_identifier(c) || (c >= '0' && c <= '9') || c == '-';
    return uc_is_property_id_continue(c);
}

static size_t identifier_len(struct str s)
{
    size_t at = 0;
    if (s.len == 0 || !starts_identifier(utf8_next(s, &at)))
        return 0;
    while (at < s.len) {
        size_t next = at;
        if (!continues_identifier(utf8_next(s, &next)))
            break;
        at = next;
    }
    return at;
}

bool hcl_is_identifier(struct str s)
{
    return s.len && identifier_len(s) == s.len;
}

/* --- templates --- */

/* Length of an opener `${`, `%{`, `${~`, `%{~` here, or 0. */
static size_t opener_len(const struct lexer *lx)
{
    if ((peek(lx, 0) != '$' && peek(lx, 0) != '%') || peek(lx, 1) != '{')
        return 0;
    return peek(lx, 2) == '~' ? 3 : 2;
}

static void open_sequence(struct lexer *lx, size_t len)
{
    emit(lx, peek(lx, 0) == '$' ? HCL_INTERP : HCL_CONTROL, len);
    push(lx, (struct frame){.kind = FRAME_SEQUENCE});
}

/* A run of two or more `$` (or `%`) before `{` is text: its last pair is the escape. */
static size_t marker_run(const struct lexer *lx, size_t ahead)
{
    unsigned char c = peek(lx, ahead);
    size_t run = 1;
    while (peek(lx, ahead + run) == c)
        run++;
    return run;
}

static bool is_marker(unsigned char c)
{
    return c == '$' || c == '%';
}

/* A backslash with nothing behind it on its line escapes nothing. */
static bool is_lone_backslash(const struct lexer *lx, size_t ahead)
{
    return peek(lx, ahead) == '\\' &&
           (lx->at + ahead + 1 >= lx->text.len || newline_len(lx, ahead + 1));
}

/* Literal bytes from here up to whatever `stop` ends; a `$` or `%` inside ends it too, except
 * first. */
static size_t literal_len(const struct lexer *lx, bool quoted)
{
    size_t len = 0;
    while (lx->at + len < lx->text.len) {
        unsigned char c = peek(lx, len);
        if (c == '\n' || (c == '\r' && peek(lx, len + 1) == '\n'))
            return quoted ? len : len + newline_len(lx, len);
        if (quoted && (c == '"' || is_lone_backslash(lx, len)))
            return len;
        if (is_marker(c)) {
            size_t run = marker_run(lx, len);
            if (len > 0 || (run == 1 && peek(lx, len + 1) == '{'))
                return len;
            len += run;
            continue;
        }
        bool escaped = quoted && c == '\\';
        len += escaped ? 2 : 1;
    }
    return len;
}

static void lex_quoted(struct lexer *lx)
{
    size_t opener = opener_len(lx), newline = newline_len(lx, 0);
    if (opener) {
        open_sequence(lx, opener);
    } else if (peek(lx, 0) == '"') {
        emit(lx, HCL_CQUOTE, 1);
        lx->depth--;
    } else if (newline) {
        /* The string is not closed: give up on it here, so that the next line is read as itself. */
        emit(lx, HCL_BAD_NEWLINE, newline);
        lx->depth--;
    } else {
        size_t len = literal_len(lx, true);
        emit(lx, len ? HCL_QUOTED_TEXT : HCL_BAD_CHARACTER, len ? len : 1);
    }
}

/* Length of the closing line (blanks, marker, blanks) at a line's start, or 0. */
static size_t heredoc_end_len(const struct lexer *lx, struct str marker)
{
    size_t len = 0;
    while (peek(lx, len) == ' ' || peek(lx, len) == '\t')
        len++;
    if (!str_equal(str_sub(lx->text, lx->at + len, lx->at + len + marker.len), marker))
        return 0;
    len += marker.len;
    while (peek(lx, len) == ' ' || peek(lx, len) == '\t')
        len++;
    return newline_len(lx, len) ? len : 0;
}

static void lex_heredoc(struct lexer *lx, struct frame *frame)
{
    size_t end = frame->line_start ? heredoc_end_len(lx, frame->marker) : 0;
    if (end) {
        emit(lx, HCL_CHEREDOC, end);
        lx->depth--;
        return;
    }
    size_t opener = opener_len(lx);
    frame->line_start = false;
    if (opener) {
        open_sequence(lx, opener);
        return;
    }
    size_t len = literal_len(lx, false);
    frame->line_start = len && lx->text.ptr[lx->at + len - 1] == '\n';
    emit(lx, HCL_RAW_TEXT, len ? len : 1);
}

static void lex_bare(struct lexer *lx)
{
    size_t opener = opener_len(lx);
    if (opener) {
        open_sequence(lx, opener);
        return;
    }
    size_t len = literal_len(lx, false);
    emit(lx, HCL_RAW_TEXT, len ? len : 1);
}

/* --- configuration --- */

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static size_t number_len(const struct lexer *lx)
{
    size_t len = 1;
    for (;;) {
        unsigned char c = peek(lx, len), next = peek(lx, len + 1);
        if (is_digit(c))
            len += 1;
        else if (c == '.' && is_digit(next))
            len += 2;
        else if ((c == 'e' || c == 'E') && is_digit(next))
            len += 2;
        else if ((c == 'e' || c == 'E') && (next == '+' || next == '-') &&
                 is_digit(peek(lx, len + 2)))
            len += 3;
        else
            return len;
    }
}

/* A comment that ends with its line takes the newline with it. */
static size_t comment_len(const struct lexer *lx)
{
    if (peek(lx, 0) == '/' && peek(lx, 1) == '*') {
        size_t end = str_find(lx->text, STR("*/"), lx->at + 2);
        return end == SIZE_MAX ? 0 : end + 2 - lx->at;
    }
    if (peek(lx, 0) != '#' && !(peek(lx, 0) == '/' && peek(lx, 1) == '/'))
        return 0;
    size_t end = str_find_char(lx->text, '\n', lx->at);
    return (end == SIZE_MAX ? lx->text.len : end + 1) - lx->at;
}

/* `<<EOT` or `<<-EOT` and a newline: the length up to and with the newline, or 0. */
static size_t heredoc_start_len(const struct lexer *lx, struct str *ret_marker)
{
    size_t len = peek(lx, 2) == '-' ? 3 : 2;
    struct str rest = str_sub(lx->text, lx->at + len, lx->text.len);
    size_t name = identifier_len(rest);
    size_t newline = name ? newline_len(lx, len + name) : 0;
    *ret_marker = str_sub(rest, 0, name);
    return newline ? len + name + newline : 0;
}

static const struct {
    const char *text;
    enum hcl_token_kind kind;
} operators[] = {
    /* longest first */
    {"...", HCL_ELLIPSIS},   {"==", HCL_EQ},          {"!=", HCL_NE},
    {"<=", HCL_LE},          {">=", HCL_GE},          {"&&", HCL_AND},
    {"||", HCL_OR},          {"=>", HCL_ARROW},       {"::", HCL_DOUBLE_COLON},
    {"+", HCL_PLUS},         {"-", HCL_MINUS},        {"*", HCL_STAR},
    {"/", HCL_SLASH},        {"%", HCL_PERCENT},      {"<", HCL_LT},
    {">", HCL_GT},           {"!", HCL_BANG},         {"?", HCL_QUESTION},
    {":", HCL_COLON},        {"=", HCL_ASSIGN},       {",", HCL_COMMA},
    {".", HCL_DOT},          {"(", HCL_OPAREN},       {")", HCL_CPAREN},
    {"[", HCL_OBRACK},       {"]", HCL_CBRACK},       {"&", HCL_BAD_OPERATOR},
    {"|", HCL_BAD_OPERATOR}, {"~", HCL_BAD_OPERATOR}, {"^", HCL_BAD_OPERATOR},
};

static bool lex_operator(struct lexer *lx)
{
    struct str rest = str_sub(lx->text, lx->at, lx->text.len);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        struct str op = str_from(operators[i].text);
        if (!str_starts(rest, op))
            continue;
        emit(lx, operators[i].kind, op.len);
        return true;
    }
    return false;
}

static bool lex_brace(struct lexer *lx, struct frame *frame)
{
    unsigned char c = peek(lx, 0);
    if (c == '{') {
        if (frame)
            frame->braces++;
        emit(lx, HCL_OBRACE, 1);
        return true;
    }
    size_t len = c == '}' ? 1 : c == '~' && peek(lx, 1) == '}' ? 2 : 0;
    bool closes = frame && frame->braces == 0;
    if (len == 0 || (len == 2 && !closes))
        return false;
    if (frame && !closes)
        frame->braces--;
    emit(lx, closes ? HCL_SEQ_END : HCL_CBRACE, len);
    if (closes)
        lx->depth--;
    return true;
}

static void lex_other(struct lexer *lx)
{
    size_t next = lx->at;
    uint32_t c = utf8_next(lx->text, &next);
    bool bad = c == 0xfffd && next == lx->at + 1;
    emit(lx, bad ? HCL_BAD_UTF8 : HCL_BAD_CHARACTER, next - lx->at);
}

/* frame: the sequence this is inside of, or NULL at the top. */
static void lex_config(struct lexer *lx, struct frame *frame)
{
    unsigned char c = peek(lx, 0);
    struct str marker;
    size_t len;
    if (c == ' ' || c == '\t')
        lx->at++;
    else if ((len = newline_len(lx, 0)))
        emit(lx, HCL_NEWLINE, len);
    else if ((len = comment_len(lx)))
        emit(lx, HCL_COMMENT, len);
    else if (is_digit(c))
        emit(lx, HCL_NUMBER, number_len(lx));
    else if ((len = identifier_len(str_sub(lx->text, lx->at, lx->text.len))))
        emit(lx, HCL_IDENT, len);
    else if (c == '"') {
        emit(lx, HCL_OQUOTE, 1);
        push(lx, (struct frame){.kind = FRAME_QUOTED});
    } else if (c == '<' && peek(lx, 1) == '<' && (len = heredoc_start_len(lx, &marker))) {
        emit(lx, HCL_OHEREDOC, len);
        push(lx, (struct frame){.kind = FRAME_HEREDOC, .marker = marker, .line_start = true});
    } else if (!lex_brace(lx, frame) && !lex_operator(lx)) {
        lex_other(lx);
    }
}

static void step(struct lexer *lx)
{
    struct frame *frame = lx->depth ? &lx->frame[lx->depth - 1] : NULL;
    if (!frame || frame->kind == FRAME_SEQUENCE)
        lex_config(lx, frame);
    else if (frame->kind == FRAME_QUOTED)
        lex_quoted(lx);
    else if (frame->kind == FRAME_HEREDOC)
        lex_heredoc(lx, frame);
    else
        lex_bare(lx);
}

bool hcl_lex(struct arena *arena, struct str text, enum hcl_lex_mode mode,
             const struct hcl_token **ret_tokens, size_t *ret_n, struct err *err)
{
    if (text.len > HCL_SIZE_MAX)
        return err_set(err, ERR_LIMIT, "%zu bytes of configuration, more than %d", text.len,
                       (int)HCL_SIZE_MAX);
    struct lexer *lx = arena_new(arena, struct lexer, 1);
    if (!lx)
        return arena_full(arena, err);
    lx->arena = arena;
    lx->text = text;
    lx->line = 1;
    if (mode == HCL_LEX_TEMPLATE)
        push(lx, (struct frame){.kind = FRAME_BARE});
    else if (str_starts(text, STR("\xef\xbb\xbf")))
        lx->at = 3;
    while (more(lx) && !lx->full && !lx->deep)
        step(lx);
    if (lx->deep)
        return err_set(err, ERR_LIMIT, "line %u: templates nested deeper than %d", lx->line,
                       HCL_DEPTH_MAX);
    emit(lx, HCL_EOF, 0);
    if (lx->full)
        return arena_full(arena, err);
    *ret_tokens = lx->token;
    *ret_n = lx->n;
    return true;
}
