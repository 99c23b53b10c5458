/* graphql_lex.c - GraphQL text as tokens. Source: GraphQL, October 2021, 2.1 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/rego/graphql.h"

const char *graphql_token_name(enum graphql_token_kind kind)
{
    static const char *const names[GRAPHQL_TOKENS] = {
        "<Invalid>", "<EOF>", "!",     "$",      "&",           "(",      ")", "...",
        ":",         "=",     "@",     "[",      "]",           "{",      "}", "|",
        "Name",      "Int",   "Float", "String", "BlockString", "Comment"};
    return names[kind];
}

static bool more(const struct graphql_lexer *l)
{
    return l->at < l->text.len;
}
static unsigned char byte_at(const struct graphql_lexer *l, size_t i)
{
    return i < l->text.len ? (unsigned char)l->text.ptr[i] : 0;
}
static bool looking_at(const struct graphql_lexer *l, struct str what)
{
    return str_starts(str_sub(l->text, l->at, l->text.len), what);
}
static void step(struct graphql_lexer *l, size_t n) /* over ASCII */
{
    l->at += n;
    l->runes += n;
}
static void step_rune(struct graphql_lexer *l)
{
    size_t n = utf8_sequence((const unsigned char *)l->text.ptr + l->at, l->text.len - l->at);
    l->at += n ? n : 1;
    l->runes++;
}
static void new_line(struct graphql_lexer *l)
{
    l->row++;
    l->line = l->runes;
}

static int32_t column(const struct graphql_lexer *l, size_t runes)
{
    int64_t col = (int64_t)runes - (int64_t)l->line + 1;
    return col > INT32_MAX ? INT32_MAX : (int32_t)col;
}
static struct graphql_token invalid(const struct graphql_lexer *l, const char *why)
{
    return (struct graphql_token){GRAPHQL_INVALID, l->row, column(l, l->runes), str_from(why)};
}

static void skip_space(struct graphql_lexer *l)
{
    while (more(l)) {
        char c = l->text.ptr[l->at];
        if (c == ' ' || c == '\t' || c == ',') {
            step(l, 1);
        } else if (c == '\n' || c == '\r') {
            step(l, 1);
            new_line(l);
            if (c == '\r' && byte_at(l, l->at) == '\n')
                step(l, 1);
        } else if (looking_at(l, STR("\xef\xbb\xbf"))) {
            step_rune(l);
        } else {
            return;
        }
    }
}

static bool is_name(unsigned char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static size_t digits(struct graphql_lexer *l)
{
    size_t start = l->at;
    while (byte_at(l, l->at) >= '0' && byte_at(l, l->at) <= '9')
        step(l, 1);
    return l->at - start;
}

static const char *number(struct graphql_lexer *l, enum graphql_token_kind *ret)
{
    *ret = GRAPHQL_INT;
    if (byte_at(l, l->at) == '-')
        step(l, 1);
    bool zero = byte_at(l, l->at) == '0';
    size_t n = digits(l);
    if (n == 0)
        return "Invalid number, expected digit.";
    if (zero && n > 1) {
        l->at -= n - 1;
        l->runes -= n - 1;
        return "Invalid number, unexpected digit after 0.";
    }
    if (byte_at(l, l->at) == '.') {
        *ret = GRAPHQL_FLOAT;
        step(l, 1);
        if (digits(l) == 0)
            return "Invalid number, expected digit.";
    }
    if (byte_at(l, l->at) == 'e' || byte_at(l, l->at) == 'E') {
        *ret = GRAPHQL_FLOAT;
        step(l, 1);
        if (byte_at(l, l->at) == '-' || byte_at(l, l->at) == '+')
            step(l, 1);
        if (digits(l) == 0)
            return "Invalid number, expected digit.";
    }
    return NULL;
}

static bool hex4(const struct graphql_lexer *l, size_t at, uint32_t *ret)
{
    uint32_t v = 0;
    if (at + 4 >= l->text.len) /* the closing quote is yet to come */
        return false;
    for (size_t i = at; i < at + 4; i++) {
        unsigned char c = byte_at(l, i);
        uint32_t digit = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10u
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10u
                                                : 16;
        if (digit == 16)
            return false;
        v = v << 4 | digit;
    }
    *ret = v;
    return true;
}

/* A backslash in a string: what it stands for into out. */
static bool escape(struct graphql_lexer *l, struct buf *out)
{
    static const char from[] = "\"/\\bfnrt", to[] = "\"/\\\b\f\n\r\t";
    char c = (char)byte_at(l, l->at + 1), bytes[4];
    const char *found = c ? strchr(from, c) : NULL;
    uint32_t code;
    if (c == 'u' && hex4(l, l->at + 2, &code)) {
        buf_add(out, bytes, utf8_put(code, bytes));
        step(l, 6);
        return true;
    }
    step(l, found ? 2 : 1);
    if (found)
        buf_char(out, to[found - from]);
    return found != NULL;
}

/* Behind the opening quote. */
static struct graphql_token string(struct graphql_lexer *l)
{
    size_t start = l->at, start_runes = l->runes;
    AUTO_BUF out = {.limit = l->text.len};
    bool escapes = false;
    while (more(l)) {
        unsigned char c = byte_at(l, l->at);
        if (c == '\n' || c == '\r')
            break;
        if (c < 0x20 && c != '\t')
            return invalid(l, "Invalid character within String.");
        if (c == '"') {
            struct graphql_token token = {GRAPHQL_STRING, l->row, column(l, start_runes),
                                          str_sub(l->text, start, l->at)};
            if (escapes)
                token.value = arena_dup(l->arena, buf_view(&out));
            step(l, 1);
            return token.value.ptr && !out.failed ? token : invalid(l, "String is too long.");
        }
        if (c == '\\' && !escapes)
            buf_str(&out, str_sub(l->text, start, l->at));
        if (c == '\\') {
            escapes = true;
            if (!escape(l, &out))
                return invalid(l, "Invalid character escape sequence.");
            continue;
        }
        size_t from = l->at;
        step_rune(l);
        if (escapes)
            buf_str(&out, str_sub(l->text, from, l->at));
    }
    return invalid(l, "Unterminated string.");
}

/* --- block strings --- */

/* Blanks in front of a line; SIZE_MAX where it has nothing else. */
static size_t indent_of(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != ' ' && line.ptr[i] != '\t')
            return i;
    return SIZE_MAX;
}

/* Without the indent that all lines share and without blank lines at both ends. The first line
 * counts for that indent and keeps its own, as OPA has it. */
static struct str unindent(struct arena *arena, struct str raw)
{
    AUTO_BUF out = {.limit = raw.len + 1};
    struct str rest = raw, line;
    size_t shared = SIZE_MAX, keep = 0;
    bool any = false;
    for (bool go = true; go;) {
        go = str_cut(&rest, '\n', &line);
        size_t indent = indent_of(line);
        shared = indent < shared ? indent : shared;
    }
    rest = raw;
    for (bool go = true, first = true; go; first = false) {
        go = str_cut(&rest, '\n', &line);
        if (!first && shared != SIZE_MAX)
            line = str_sub(line, shared, line.len);
        bool blank = indent_of(line) == SIZE_MAX;
        if (blank && !any)
            continue;
        if (any)
            buf_char(&out, '\n');
        buf_str(&out, line);
        any = true;
        if (!blank)
            keep = out.len;
    }
    return out.failed ? (struct str){0} : arena_dup(arena, str_sub(buf_view(&out), 0, keep));
}

/* Behind the opening quotes. */
static struct graphql_token block_string(struct graphql_lexer *l)
{
    size_t start_runes = l->runes;
    AUTO_BUF out = {.limit = l->text.len};
    while (more(l)) {
        unsigned char c = byte_at(l, l->at);
        if (looking_at(l, STR("\"\"\""))) {
            size_t n = 3;
            for (; byte_at(l, l->at + n) == '"'; n++) /* the last three close it */
                buf_char(&out, '"');
            struct graphql_token token = {GRAPHQL_BLOCK_STRING, l->row, column(l, start_runes),
                                          unindent(l->arena, buf_view(&out))};
            step(l, n);
            return token.value.ptr && !out.failed ? token : invalid(l, "String is too long.");
        }
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return invalid(l, "Invalid character within String.");
        if (looking_at(l, STR("\\\"\"\""))) {
            buf_str(&out, STR("\"\"\""));
            step(l, 4);
        } else if (c == '\n' || c == '\r') {
            step(l, looking_at(l, STR("\r\n")) ? 2 : 1);
            buf_char(&out, '\n');
            new_line(l);
        } else {
            size_t from = l->at;
            step_rune(l);
            buf_str(&out, str_sub(l->text, from, l->at));
        }
    }
    return invalid(l, "Unterminated string.");
}

/* --- tokens --- */

static enum graphql_token_kind punctuator(char c)
{
    static const char all[] = "!$&():=@[]{}|";
    static const enum graphql_token_kind kinds[] = {
        GRAPHQL_BANG,    GRAPHQL_DOLLAR,  GRAPHQL_AMP, GRAPHQL_PAREN_L,   GRAPHQL_PAREN_R,
        GRAPHQL_COLON,   GRAPHQL_EQUALS,  GRAPHQL_AT,  GRAPHQL_BRACKET_L, GRAPHQL_BRACKET_R,
        GRAPHQL_BRACE_L, GRAPHQL_BRACE_R, GRAPHQL_PIPE};
    const char *found = c ? strchr(all, c) : NULL;
    return found ? kinds[found - all] : GRAPHQL_INVALID;
}

/* A name, a number or a comment, from *start on. */
static const char *word(struct graphql_lexer *l, enum graphql_token_kind *ret)
{
    unsigned char c = byte_at(l, l->at);
    if (c == '-' || (c >= '0' && c <= '9'))
        return number(l, ret);
    *ret = c == '#' ? GRAPHQL_COMMENT : GRAPHQL_NAME;
    while (more(l) && c == '#' && (byte_at(l, l->at) > 0x1f || byte_at(l, l->at) == '\t'))
        step_rune(l);
    while (c != '#' && is_name(byte_at(l, l->at)))
        step(l, 1);
    return NULL;
}

struct graphql_token graphql_lex(struct graphql_lexer *l)
{
    skip_space(l);
    struct graphql_token token = {GRAPHQL_EOF, l->row, column(l, l->runes), STR("")};
    size_t start = l->at;
    unsigned char c = byte_at(l, l->at);
    if (!more(l))
        return token;
    token.kind = looking_at(l, STR("...")) ? GRAPHQL_DOTS : punctuator((char)c);
    if (token.kind != GRAPHQL_INVALID) {
        step(l, token.kind == GRAPHQL_DOTS ? 3 : 1);
        return token;
    }
    if (c == '"') {
        bool block = looking_at(l, STR("\"\"\""));
        step(l, block ? 3 : 1);
        return block ? block_string(l) : string(l);
    }
    if (c == '#' || c == '-' || is_name(c)) {
        const char *why = word(l, &token.kind);
        token.value = str_sub(l->text, start, l->at);
        return why ? invalid(l, why) : token;
    }
    return invalid(l, c < 0x20 ? "Cannot contain the invalid character."
                               : "Cannot parse the unexpected character.");
}
