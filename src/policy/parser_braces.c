/* parser_braces.c - formats of statements and braces: nginx's and Varnish's configuration; and EDN.
 * Source: nginx.org/en/docs/beginners_guide.html; varnish-cache.org/docs (VCL);
 *         github.com/edn-format/edn
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/parsers.h"
#include "policy/tree.h"
#include "wire/json.h"

struct scanner {
    struct arena *arena;
    struct str text;
    const char *name;
    size_t at;
    struct err *err;
};

static bool fail(struct scanner *s, const char *why)
{
    return parsers_fail(s->text, s->name, s->at, why, s->err);
}

static bool full(struct scanner *s)
{
    return arena_full(s->arena, s->err);
}

static char peek(const struct scanner *s)
{
    return s->at < s->text.len ? s->text.ptr[s->at] : 0;
}

static bool looks_at(const struct scanner *s, struct str what)
{
    return str_starts(str_sub(s->text, s->at, s->text.len), what);
}

static void skip_to_line_end(struct scanner *s)
{
    size_t end = str_find_char(s->text, '\n', s->at);
    s->at = end == SIZE_MAX ? s->text.len : end;
}

/* Blanks and comments: "#", and where `slashes` "//" and what stands between slash and star. */
static void skip(struct scanner *s, char comment, bool slashes, const char *blanks)
{
    for (;;) {
        size_t before = s->at;
        while (peek(s) && strchr(blanks, peek(s)))
            s->at++;
        if (peek(s) == comment || (slashes && looks_at(s, STR("//")))) {
            skip_to_line_end(s);
        } else if (slashes && looks_at(s, STR("/*"))) {
            size_t end = str_find(s->text, STR("*/"), s->at + 2);
            s->at = end == SIZE_MAX ? s->text.len : end + 2;
        }
        if (s->at == before)
            return;
    }
}

/* --- nginx --- */

/* A word, or what stands between quotes; with them, as it is written. */
static bool nginx_word(struct scanner *s, struct str *ret)
{
    size_t from = s->at;
    char quote = peek(s);
    if (quote == '"' || quote == '\'') {
        for (s->at++; s->at < s->text.len && peek(s) != quote; s->at++)
            s->at += peek(s) == '\\';
        if (s->at >= s->text.len) {
            s->at = from;
            return fail(s, "the string does not end");
        }
        s->at++;
    } else {
        while (peek(s) && !strchr(" \t\r\n;{}", peek(s))) {
            size_t end = looks_at(s, STR("${")) ? str_find_char(s->text, '}', s->at) : SIZE_MAX;
            s->at = end != SIZE_MAX ? end : s->at + (peek(s) == '\\' && s->at + 1 < s->text.len);
            s->at++;
        }
    }
    *ret = str_sub(s->text, from, s->at);
    return ret->len || fail(s, "a directive is wanted");
}

static bool nginx_block(struct scanner *s, unsigned depth_left, struct tree *list);

static bool nginx_directive(struct scanner *s, unsigned depth_left, struct tree *list)
{
    struct tree *made = tree_make(s->arena, TREE_OBJECT), *words = tree_make(s->arena, TREE_LIST);
    struct str word;
    if (!made || !words || !nginx_word(s, &word))
        return made && words ? false : full(s);
    if (!tree_put(s->arena, made, STR("name"), tree_leaf(s->arena, value_string(word))))
        return full(s);
    for (skip(s, '#', false, " \t\r\n"); peek(s) && peek(s) != ';' && peek(s) != '{';
         skip(s, '#', false, " \t\r\n")) {
        if (!nginx_word(s, &word))
            return false;
        if (!tree_push(s->arena, words, tree_leaf(s->arena, value_string(word))))
            return full(s);
    }
    if (words->n && !tree_put(s->arena, made, STR("parameters"), words))
        return full(s);
    if (peek(s) == '{') {
        struct tree *block = tree_make(s->arena, TREE_OBJECT);
        struct tree *inner = tree_make(s->arena, TREE_LIST);
        s->at++;
        if (!block || !tree_put(s->arena, block, STR("directives"), inner) ||
            !tree_put(s->arena, made, STR("block"), block))
            return full(s);
        if (!nginx_block(s, depth_left, inner))
            return false;
        if (peek(s) != '}')
            return fail(s, "} is wanted");
    } else if (peek(s) != ';') {
        return fail(s, "; is wanted");
    }
    s->at++;
    return tree_push(s->arena, list, made) || full(s);
}

static bool nginx_block(struct scanner *s, unsigned depth_left, struct tree *list)
{
    if (depth_left == 0)
        return fail(s, "blocks are nested too deep");
    for (skip(s, '#', false, " \t\r\n"); peek(s) && peek(s) != '}'; skip(s, '#', false, " \t\r\n"))
        if (!nginx_directive(s, depth_left - 1, list))
            return false;
    return true;
}

bool parser_nginx(PARSER_ARGS)
{
    struct scanner s = {arena, text, name, 0, err};
    struct tree *root = tree_make(arena, TREE_OBJECT), *list = tree_make(arena, TREE_LIST);
    if (!root || !tree_put(arena, root, STR("directives"), list))
        return arena_full(arena, err);
    if (!nginx_block(&s, TREE_DEPTH_MAX / 4, list))
        return false;
    return s.at == text.len ? tree_value(arena, root, ret, err) : fail(&s, "a } too many");
}

/* --- VCL --- */

static const char vcl_blanks[] = " \t\r\n";

static bool vcl_string(struct scanner *s, struct str *ret)
{
    bool long_ = looks_at(s, STR("{\""));
    size_t from = s->at + (long_ ? 2 : 1);
    size_t end = str_find(s->text, long_ ? STR("\"}") : STR("\""), from);
    if (end == SIZE_MAX)
        return fail(s, "the string does not end");
    *ret = str_sub(s->text, from, end);
    s->at = end + (long_ ? 2 : 1);
    return true;
}

static struct str vcl_word(struct scanner *s)
{
    size_t from = s->at;
    while (peek(s) && !strchr(" \t\r\n;{}=\"", peek(s)))
        s->at++;
    return str_sub(s->text, from, s->at);
}

/* 60s and 800 are numbers, others words. */
static bool vcl_value(struct scanner *s, struct tree **ret)
{
    struct str text;
    int64_t n;
    if (peek(s) == '"' || looks_at(s, STR("{\""))) {
        if (!vcl_string(s, &text))
            return false;
        *ret = tree_leaf(s->arena, value_string(text));
        return *ret || full(s);
    }
    text = vcl_word(s);
    struct str digits = text;
    while (digits.len && digits.ptr[digits.len - 1] >= 'a' && digits.ptr[digits.len - 1] <= 'z')
        digits.len--;
    bool number = digits.len && str_to_int64(digits, &n);
    *ret = tree_leaf(s->arena, number                          ? value_int(n)
                               : str_equal(text, STR("true"))  ? value_bool(true)
                               : str_equal(text, STR("false")) ? value_bool(false)
                                                               : value_string(text));
    return *ret || full(s);
}

/* { .name = value; } or { "entry"; } */
static bool vcl_fields(struct scanner *s, unsigned depth_left, struct tree **ret)
{
    struct tree *object = tree_make(s->arena, TREE_OBJECT), *list = tree_make(s->arena, TREE_LIST),
                *v;
    if (!object || !list)
        return full(s);
    if (depth_left == 0)
        return fail(s, "blocks are nested too deep");
    s->at++;
    for (skip(s, '#', true, vcl_blanks); peek(s) != '}'; skip(s, '#', true, vcl_blanks)) {
        if (peek(s) == '.') {
            s->at++;
            struct str key = vcl_word(s);
            skip(s, '#', true, vcl_blanks);
            if (peek(s) != '=')
                return fail(s, "= is wanted");
            s->at++;
            skip(s, '#', true, vcl_blanks);
            bool block = peek(s) == '{' && !looks_at(s, STR("{\""));
            if (!(block ? vcl_fields(s, depth_left - 1, &v) : vcl_value(s, &v)))
                return false;
            if (!tree_find(object, key) && !tree_put(s->arena, object, key, v))
                return full(s);
            skip(s, '#', true, vcl_blanks);
            if (block && peek(s) != ';')
                continue;
        } else {
            size_t from = s->at;
            if (peek(s) == '!')
                s->at++;
            if (!vcl_value(s, &v) || !tree_push(s->arena, list, v))
                return s->err->kind ? false : full(s);
            while (peek(s) && peek(s) != ';' && peek(s) != '}')
                s->at++;
            if (s->at == from)
                return fail(s, "an entry is wanted");
        }
        skip(s, '#', true, vcl_blanks);
        if (peek(s) != ';')
            return fail(s, "; is wanted");
        s->at++;
    }
    s->at++;
    *ret = list->n ? list : object;
    return true;
}

/* Code is passed over: only what is declared is told. */
static bool vcl_skip_code(struct scanner *s)
{
    size_t depth = 0;
    do {
        skip(s, '#', true, vcl_blanks);
        char c = peek(s);
        struct str ignored;
        if (!c)
            return fail(s, "} is wanted");
        if (c == '"' || looks_at(s, STR("{\""))) {
            if (!vcl_string(s, &ignored))
                return false;
            continue;
        }
        depth += c == '{';
        depth -= c == '}';
        s->at++;
    } while (depth);
    return true;
}

static bool vcl_declaration(struct scanner *s, struct tree *root)
{
    struct str type = vcl_word(s), name;
    struct tree *v, *of;
    if (!type.len)
        return fail(s, "a declaration is wanted");
    skip(s, '#', true, vcl_blanks);
    bool plain = str_equal(type, STR("vcl")) || str_equal(type, STR("import")) ||
                 str_equal(type, STR("include"));
    if (plain) {
        size_t end = str_find_char(s->text, ';', s->at);
        s->at = end == SIZE_MAX ? s->text.len : end + 1;
        return true;
    }
    name = vcl_word(s);
    skip(s, '#', true, vcl_blanks);
    if (peek(s) != '{')
        return fail(s, "{ is wanted");
    if (str_equal(type, STR("sub")))
        return vcl_skip_code(s);
    if (!vcl_fields(s, 20, &v))
        return false;
    of = tree_find(root, type);
    if (!of) {
        of = tree_make(s->arena, TREE_OBJECT);
        if (!tree_put(s->arena, root, type, of))
            return full(s);
    }
    return tree_find(of, name) || tree_put(s->arena, of, name, v) || full(s);
}

bool parser_vcl(PARSER_ARGS)
{
    struct scanner s = {arena, text, name, 0, err};
    struct tree *root = tree_make(arena, TREE_OBJECT);
    if (!root)
        return arena_full(arena, err);
    for (skip(&s, '#', true, vcl_blanks); s.at < text.len; skip(&s, '#', true, vcl_blanks))
        if (!vcl_declaration(&s, root))
            return false;
    return tree_value(arena, root, ret, err);
}

/* --- EDN --- */

static const char edn_blanks[] = " \t\r\n,";

static bool edn(struct scanner *s, unsigned depth_left, struct tree **ret);

static bool edn_string(struct scanner *s, struct tree **ret)
{
    static const char names[] = "tnrbf", values[] = "\t\n\r\b\f";
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    size_t start = s->at++;
    for (; peek(s) != '"'; s->at++) {
        if (s->at >= s->text.len) {
            s->at = start;
            return fail(s, "the string does not end");
        }
        char c = peek(s);
        if (c == '\\' && s->at + 1 < s->text.len) {
            c = s->text.ptr[++s->at];
            const char *found = strchr(names, c);
            c = found && c ? values[found - names] : c;
        }
        buf_char(&out, c);
    }
    s->at++;
    struct str text = out.failed ? (struct str){0} : arena_dup(s->arena, buf_view(&out));
    *ret = text.ptr ? tree_leaf(s->arena, value_string(text)) : NULL;
    return *ret || full(s);
}

/* Keys of maps are texts; keys that are collections have no such. */
static bool edn_map(struct scanner *s, unsigned depth_left, struct tree **ret)
{
    struct tree *made = tree_make(s->arena, TREE_OBJECT), *key, *v;
    s->at++;
    for (skip(s, ';', false, edn_blanks); made && peek(s) != '}'; skip(s, ';', false, edn_blanks)) {
        size_t at = s->at;
        if (!edn(s, depth_left, &key))
            return false;
        if (key->kind != TREE_VALUE || !value_is_string(&key->value)) {
            s->at = at;
            return fail(s, "a key of a map must be a keyword, a text or a number");
        }
        skip(s, ';', false, edn_blanks);
        if (!edn(s, depth_left, &v))
            return false;
        struct tree *there = tree_find(made, value_text(&key->value));
        if (there)
            *there = *v;
        else if (!tree_put(s->arena, made, value_text(&key->value), v))
            return full(s);
    }
    s->at++;
    *ret = made;
    return made || full(s);
}

static bool edn_list(struct scanner *s, char end, unsigned depth_left, struct tree **ret)
{
    struct tree *made = tree_make(s->arena, TREE_LIST), *v;
    s->at++;
    for (skip(s, ';', false, edn_blanks); made && peek(s) != end; skip(s, ';', false, edn_blanks)) {
        if (!edn(s, depth_left, &v))
            return false;
        if (!tree_push(s->arena, made, v))
            return full(s);
    }
    s->at++;
    *ret = made;
    return made || full(s);
}

/* Everything else as text: keywords, symbols, numbers, true, nil. */
static bool edn_atom(struct scanner *s, struct tree **ret)
{
    size_t from = s->at;
    while (peek(s) && !strchr(" \t\r\n,;()[]{}\"", peek(s)))
        s->at++;
    struct str text = str_sub(s->text, from, s->at);
    if (!text.len)
        return fail(s, "a value is wanted");
    if (str_equal(text, STR("nil")))
        text = STR("<nil>");
    if (text.len == 2 && text.ptr[0] == '\\') /* a character: its number, as conftest has it */
        text = arena_printf(s->arena, "%d", text.ptr[1]);
    *ret = tree_leaf(s->arena, value_string(text));
    return *ret || full(s);
}

/* #tag value: instants as their text, others with their tag; #_ leaves out what follows. */
static bool edn_tagged(struct scanner *s, unsigned depth_left, struct tree **ret)
{
    struct tree *tag, *v;
    s->at++;
    if (!edn_atom(s, &tag))
        return false;
    skip(s, ';', false, edn_blanks);
    if (!edn(s, depth_left, &v))
        return false;
    *ret = v;
    if (v->kind != TREE_VALUE || str_equal(value_text(&tag->value), STR("inst")))
        return true;
    struct str text = arena_printf(s->arena, "#%.*s %.*s", STR_ARG(value_text(&tag->value)),
                                   STR_ARG(value_text(&v->value)));
    *ret = text.ptr ? tree_leaf(s->arena, value_string(text)) : NULL;
    return *ret || full(s);
}

static bool edn(struct scanner *s, unsigned depth_left, struct tree **ret)
{
    struct tree *ignored;
    if (depth_left == 0)
        return fail(s, "nested too deep");
    skip(s, ';', false, edn_blanks);
    while (looks_at(s, STR("#_"))) {
        s->at += 2;
        if (!edn(s, depth_left - 1, &ignored))
            return false;
        skip(s, ';', false, edn_blanks);
    }
    switch (peek(s)) {
    case '"':
        return edn_string(s, ret);
    case '{':
        return edn_map(s, depth_left - 1, ret);
    case '[':
        return edn_list(s, ']', depth_left - 1, ret);
    case '(':
        return edn_list(s, ')', depth_left - 1, ret);
    case '#':
        if (!looks_at(s, STR("#{")))
            return edn_tagged(s, depth_left - 1, ret);
        s->at++;
        return edn_list(s, '}', depth_left - 1, ret);
    default:
        return edn_atom(s, ret);
    }
}

bool parser_edn(PARSER_ARGS)
{
    struct scanner s = {arena, text, name, 0, err};
    struct tree *root;
    if (!edn(&s, TREE_DEPTH_MAX, &root))
        return false;
    skip(&s, ';', false, edn_blanks);
    return s.at == text.len ? tree_value(arena, root, ret, err)
                            : fail(&s, "something stands behind the value");
}
