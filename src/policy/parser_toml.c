/* parser_toml.c - TOML 1.0. Source: toml.io/en/v1.0.0 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "policy/parsers.h"
#include "policy/tree.h"
#include "wire/json.h"

enum {
    OPEN = 0,    /* made on the way to something: a header may define it */
    DEFINED = 1, /* by a header */
    CLOSED = 2,  /* inline, or a list that is written out: nothing can be added */
    DOTTED = 4   /* by dotted keys: no header may name it */
};

struct toml {
    struct arena *arena;
    struct str text;
    const char *name;
    size_t at;
    struct err *err;
    struct tree *root, *table;
};

static bool fail(struct toml *t, const char *why)
{
    return parsers_fail(t->text, t->name, t->at, why, t->err);
}

static bool full(struct toml *t)
{
    return arena_full(t->arena, t->err);
}

static char peek(const struct toml *t)
{
    return t->at < t->text.len ? t->text.ptr[t->at] : 0;
}

static bool looks_at(const struct toml *t, struct str what)
{
    return str_starts(str_sub(t->text, t->at, t->text.len), what);
}

static void skip_blanks(struct toml *t)
{
    while (peek(t) == ' ' || peek(t) == '\t')
        t->at++;
}

static void skip_comment(struct toml *t)
{
    if (peek(t) == '#')
        while (t->at < t->text.len && t->text.ptr[t->at] != '\n')
            t->at++;
}

/* Blanks, comments and line ends: between lines, and in lists. */
static void skip_lines(struct toml *t)
{
    for (;;) {
        skip_blanks(t);
        skip_comment(t);
        if (looks_at(t, STR("\r\n")))
            t->at += 2;
        else if (peek(t) == '\n')
            t->at++;
        else
            return;
    }
}

/* --- strings --- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool unicode_escape(struct toml *t, unsigned digits, struct buf *out)
{
    uint32_t code = 0;
    char bytes[4];
    for (unsigned i = 0; i < digits; i++, t->at++) {
        int digit = hex(peek(t));
        if (digit < 0)
            return fail(t, "four or eight hexadecimal digits are wanted");
        code = code << 4 | (unsigned)digit;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return fail(t, "no Unicode character has that number");
    buf_add(out, bytes, utf8_put(code, bytes));
    return true;
}

static bool escape(struct toml *t, bool lines, struct buf *out)
{
    static const char names[] = "btnfre\"\\", values[] = "\b\t\n\f\r\033\"\\";
    char c = peek(t);
    const char *found = c ? strchr(names, c) : NULL;
    if (found) {
        buf_char(out, values[found - names]);
        t->at++;
        return true;
    }
    if (c == 'u' || c == 'U') {
        t->at++;
        return unicode_escape(t, c == 'u' ? 4 : 8, out);
    }
    size_t from = t->at;
    skip_blanks(t);
    if (!lines || (peek(t) != '\n' && peek(t) != '\r')) {
        t->at = from;
        return fail(t, "no such escape");
    }
    while (peek(t) == ' ' || peek(t) == '\t' || peek(t) == '\n' || peek(t) == '\r')
        t->at++;
    return true;
}

/* quote: one character, or three of them. */
static bool quoted(struct toml *t, struct str quote, bool escapes, struct str *ret)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    bool lines = quote.len == 3;
    size_t start = t->at;
    t->at += quote.len;
    if (lines && looks_at(t, STR("\r\n")))
        t->at += 2;
    else if (lines && peek(t) == '\n')
        t->at++;
    for (;;) {
        if (t->at >= t->text.len || (!lines && peek(t) == '\n')) {
            t->at = start;
            return fail(t, "the string does not end");
        }
        if (looks_at(t, quote)) {
            /* up to two quotes may stand before the three that end it */
            while (lines && t->at + 3 < t->text.len && t->text.ptr[t->at + 3] == quote.ptr[0])
                buf_char(&out, t->text.ptr[t->at++]);
            break;
        }
        char c = t->text.ptr[t->at++];
        if (c == '\\' && escapes) {
            if (!escape(t, lines, &out))
                return false;
            continue;
        }
        buf_char(&out, c);
    }
    t->at += quote.len;
    *ret = arena_dup(t->arena, buf_view(&out));
    return (buf_ok(&out, t->err) && ret->ptr) || full(t);
}

static bool string(struct toml *t, bool may_have_lines, struct str *ret)
{
    if (may_have_lines && looks_at(t, STR("\"\"\"")))
        return quoted(t, STR("\"\"\""), true, ret);
    if (may_have_lines && looks_at(t, STR("'''")))
        return quoted(t, STR("'''"), false, ret);
    return peek(t) == '"' ? quoted(t, STR("\""), true, ret) : quoted(t, STR("'"), false, ret);
}

/* --- keys --- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool one_key(struct toml *t, struct str *ret)
{
    if (peek(t) == '"' || peek(t) == '\'')
        return string(t, false, ret);
    size_t from = t->at;
    while (is_bare(peek(t)))
        t->at++;
    *ret = str_sub(t->text, from, t->at);
    return t->at > from || fail(t, "a key is wanted");
}

/* All parts but the last lead to the table; the last one is *ret. mark: of tables made on the way.
 */
static bool path_to(struct toml *t, struct tree **table, unsigned mark, bool header,
                    struct str *ret)
{
    for (unsigned depth = 0;; depth++) {
        if (depth == TREE_DEPTH_MAX)
            return fail(t, "a key of too many parts");
        if (!one_key(t, ret))
            return false;
        skip_blanks(t);
        if (peek(t) != '.')
            return true;
        t->at++;
        skip_blanks(t);
        struct tree *next = tree_find(*table, *ret);
        if (!next) {
            next = tree_make(t->arena, TREE_OBJECT);
            if (!tree_put(t->arena, *table, *ret, next))
                return full(t);
            next->mark = mark;
        }
        /* a header goes on in the last table of a list */
        if (next->kind == TREE_LIST && header && !(next->mark & CLOSED) && next->n)
            next = next->member[next->n - 1].node;
        if (next->kind != TREE_OBJECT || next->mark & CLOSED || (!header && next->mark & DEFINED))
            return fail(t, "the key is set already, and is no table");
        *table = next;
    }
}

/* --- values --- */

static bool value(struct toml *t, unsigned depth_left, struct tree **ret);

static bool is_date(struct str word)
{
    return (word.len >= 10 && word.ptr[4] == '-' && word.ptr[7] == '-') ||
           (word.len >= 8 && word.ptr[2] == ':' && word.ptr[5] == ':');
}

/* 1_000, 0xff, 0o7, 0b1, 1e6, inf, nan */
static bool number(struct toml *t, struct str word, struct value *ret)
{
    AUTO_BUF plain = {.limit = 1 << 16};
    bool minus = word.ptr[0] == '-';
    struct str digits = str_sub(word, word.ptr[0] == '-' || word.ptr[0] == '+', word.len);
    unsigned base = str_starts(digits, STR("0x"))   ? 16
                    : str_starts(digits, STR("0o")) ? 8
                    : str_starts(digits, STR("0b")) ? 2
                                                    : 10;
    int64_t n = 0;
    struct value v;
    for (size_t i = base == 10 ? 0 : 2; i < digits.len; i++) {
        char c = digits.ptr[i];
        if (c == '_')
            continue;
        if (base == 10) {
            buf_char(&plain, c);
            continue;
        }
        int digit = hex(c);
        if (digit < 0 || (unsigned)digit >= base || n > (INT64_MAX - digit) / base)
            return fail(t, "no number");
        n = n * base + digit;
    }
    if (base != 10) {
        *ret = value_int(n);
        return digits.len > 2 && digits.len == word.len ? true : fail(t, "no number");
    }
    struct str text = arena_printf(t->arena, "%s%.*s", minus ? "-" : "", STR_ARG(buf_view(&plain)));
    if (!text.ptr || plain.failed)
        return full(t);
    if (!json_parse(t->arena, text, "number", JSON_COPY, &v, NULL) || v.kind != VALUE_NUMBER)
        return fail(t, "a value is wanted: a string, number, date, true, false, list or table");
    *ret = v;
    return true;
}

static bool word(struct toml *t, struct value *ret)
{
    size_t from = t->at;
    while (t->at < t->text.len &&
           (is_bare(peek(t)) || strchr("+.:", peek(t)) ||
            (peek(t) == ' ' && t->at - from == 10 && is_date(str_sub(t->text, from, t->at)) &&
             t->at + 1 < t->text.len && hex(t->text.ptr[t->at + 1]) >= 0)))
        t->at++;
    struct str w = str_sub(t->text, from, t->at);
    size_t after = t->at;
    t->at = from;
    if (!w.len)
        return fail(t, "a value is wanted: a string, number, date, true, false, list or table");
    struct str bare = str_sub(w, w.ptr[0] == '-' || w.ptr[0] == '+', w.len);
    if (str_equal(w, STR("true")) || str_equal(w, STR("false")))
        *ret = value_bool(w.len == 4);
    else if (is_date(w) || str_equal(bare, STR("inf")) || str_equal(bare, STR("nan")))
        *ret = value_string(w);
    else if (!number(t, w, ret))
        return false;
    t->at = after;
    return true;
}

static bool list(struct toml *t, unsigned depth_left, struct tree **ret)
{
    struct tree *made = tree_make(t->arena, TREE_LIST), *item;
    if (!made)
        return full(t);
    made->mark = CLOSED;
    t->at++;
    for (;;) {
        skip_lines(t);
        if (peek(t) == ']')
            break;
        if (!value(t, depth_left, &item))
            return false;
        if (!tree_push(t->arena, made, item))
            return full(t);
        skip_lines(t);
        if (peek(t) == ',')
            t->at++;
        else if (peek(t) != ']')
            return fail(t, "a comma or ] is wanted");
    }
    t->at++;
    *ret = made;
    return true;
}

static bool pair(struct toml *t, struct tree *table, unsigned depth_left)
{
    struct str key;
    struct tree *v;
    size_t from = t->at;
    if (!path_to(t, &table, DOTTED, false, &key))
        return false;
    if (peek(t) != '=')
        return fail(t, "= is wanted behind the key");
    if (tree_find(table, key)) {
        t->at = from;
        return fail(t, "the key is set already");
    }
    t->at++;
    skip_blanks(t);
    return value(t, depth_left, &v) && (tree_put(t->arena, table, key, v) || full(t));
}

/* Nothing may be added to what stands between braces. */
static void close_tables(struct tree *table, unsigned depth_left)
{
    table->mark |= CLOSED;
    for (size_t i = 0; depth_left && i < table->n; i++)
        if (table->member[i].node->kind == TREE_OBJECT)
            close_tables(table->member[i].node, depth_left - 1);
}

static bool inline_table(struct toml *t, unsigned depth_left, struct tree **ret)
{
    struct tree *made = tree_make(t->arena, TREE_OBJECT);
    if (!made)
        return full(t);
    t->at++;
    skip_blanks(t);
    while (peek(t) != '}') {
        if (!pair(t, made, depth_left))
            return false;
        skip_blanks(t);
        if (peek(t) == ',') {
            t->at++;
            skip_blanks(t);
            if (peek(t) == '}')
                return fail(t, "a key is wanted behind the comma");
        } else if (peek(t) != '}') {
            return fail(t, "a comma or } is wanted");
        }
    }
    t->at++;
    close_tables(made, TREE_DEPTH_MAX);
    *ret = made;
    return true;
}

static bool value(struct toml *t, unsigned depth_left, struct tree **ret)
{
    struct value v;
    struct str text;
    if (depth_left == 0)
        return fail(t, "nested too deep");
    if (peek(t) == '[')
        return list(t, depth_left - 1, ret);
    if (peek(t) == '{')
        return inline_table(t, depth_left - 1, ret);
    if (peek(t) == '"' || peek(t) == '\'') {
        if (!string(t, true, &text))
            return false;
        v = value_string(text);
    } else if (!word(t, &v)) {
        return false;
    }
    *ret = tree_leaf(t->arena, v);
    return *ret || full(t);
}

/* --- headers --- */

static bool header_list(struct toml *t, struct tree *parent, struct str key)
{
    struct tree *all = tree_find(parent, key), *made = tree_make(t->arena, TREE_OBJECT);
    if (!all) {
        all = tree_make(t->arena, TREE_LIST);
        if (!tree_put(t->arena, parent, key, all))
            return full(t);
    }
    if (all->kind != TREE_LIST || all->mark & CLOSED)
        return fail(t, "the key is set already, and is no list of tables");
    if (!tree_push(t->arena, all, made))
        return full(t);
    t->table = made;
    return true;
}

static bool header_table(struct toml *t, struct tree *parent, struct str key)
{
    struct tree *table = tree_find(parent, key);
    if (!table) {
        table = tree_make(t->arena, TREE_OBJECT);
        if (!tree_put(t->arena, parent, key, table))
            return full(t);
    } else if (table->kind != TREE_OBJECT || table->mark) {
        return fail(t, "the table is there already");
    }
    table->mark |= DEFINED;
    t->table = table;
    return true;
}

static bool header(struct toml *t)
{
    bool list = looks_at(t, STR("[["));
    struct tree *parent = t->root;
    struct str key;
    t->at += list ? 2 : 1;
    skip_blanks(t);
    if (!path_to(t, &parent, OPEN, true, &key))
        return false;
    if (!looks_at(t, list ? STR("]]") : STR("]")))
        return fail(t, "] is wanted");
    if (!(list ? header_list(t, parent, key) : header_table(t, parent, key)))
        return false;
    t->at += list ? 2 : 1;
    return true;
}

bool parser_toml(PARSER_ARGS)
{
    struct toml t = {.arena = arena, .text = text, .name = name, .err = err};
    t.root = t.table = tree_make(arena, TREE_OBJECT);
    if (!t.root)
        return arena_full(arena, err);
    if (str_starts(text, STR("\xef\xbb\xbf")))
        t.at = 3;
    for (;;) {
        skip_lines(&t);
        if (t.at >= text.len)
            break;
        bool ok = peek(&t) == '[' ? header(&t) : pair(&t, t.table, TREE_DEPTH_MAX);
        if (!ok)
            return false;
        skip_blanks(&t);
        skip_comment(&t);
        if (t.at < text.len && peek(&t) != '\n' && !looks_at(&t, STR("\r\n")))
            return fail(&t, "the end of the line is wanted");
    }
    return tree_value(arena, t.root, ret, err);
}
