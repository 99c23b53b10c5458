/* parser_xml.c - XML as conftest gives it: elements of one name become a list, attributes are
 * "-name", text beside elements or attributes is "#content"; prefixes of names are left out.
 * Source: www.w3.org/TR/xml; entities are the five of XML and character references, no others:
 * what a DOCTYPE declares is not expanded
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "policy/parsers.h"
#include "policy/tree.h"

enum { XML_DEPTH_MAX = TREE_DEPTH_MAX / 2 - 10 };

struct xml {
    struct arena *arena;
    struct str text;
    const char *name;
    size_t at;
    struct err *err;
};

static bool fail(struct xml *x, const char *why)
{
    return parsers_fail(x->text, x->name, x->at, why, x->err);
}

static bool full(struct xml *x)
{
    return arena_full(x->arena, x->err);
}

static bool looks_at(const struct xml *x, struct str what)
{
    return str_starts(str_sub(x->text, x->at, x->text.len), what);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct xml *x)
{
    while (x->at < x->text.len && is_space(x->text.ptr[x->at]))
        x->at++;
}

static bool skip_past(struct xml *x, struct str end)
{
    size_t found = str_find(x->text, end, x->at);
    if (found == SIZE_MAX)
        return fail(x, "the text ends too early");
    x->at = found + end.len;
    return true;
}

/* <?...?>, <!--...-->, <!DOCTYPE ... [ ... ]> */
static bool skip_markup(struct xml *x, bool *ret_any)
{
    *ret_any = true;
    if (looks_at(x, STR("<?")))
        return skip_past(x, STR("?>"));
    if (looks_at(x, STR("<!--"))) {
        x->at += 4;
        return skip_past(x, STR("-->"));
    }
    if (looks_at(x, STR("<!DOCTYPE"))) {
        size_t bracket = str_find_char(x->text, '[', x->at),
               end = str_find_char(x->text, '>', x->at);
        return bracket < end ? skip_past(x, STR("]")) && skip_past(x, STR(">"))
                             : skip_past(x, STR(">"));
    }
    *ret_any = false;
    return true;
}

static bool name_of(struct xml *x, struct str *ret)
{
    size_t from = x->at;
    while (x->at < x->text.len && !is_space(x->text.ptr[x->at]) &&
           !strchr("/>=<\"'", x->text.ptr[x->at]))
        x->at++;
    *ret = str_sub(x->text, from, x->at);
    return ret->len || fail(x, "a name is wanted");
}

static struct str local(struct str name)
{
    size_t colon = str_find_char(name, ':', 0);
    return colon == SIZE_MAX ? name : str_sub(name, colon + 1, name.len);
}

/* --- text --- */

static bool reference(struct str name, struct buf *out)
{
    static const struct {
        struct str name;
        char c;
    } known[] = {{STR_INIT("lt"), '<'},
                 {STR_INIT("gt"), '>'},
                 {STR_INIT("amp"), '&'},
                 {STR_INIT("quot"), '"'},
                 {STR_INIT("apos"), '\''}};
    uint32_t code = 0;
    char bytes[4];
    bool hex = str_starts(name, STR("#x"));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_equal(known[i].name, name)) {
            buf_char(out, known[i].c);
            return true;
        }
    if (name.len < 2 + (size_t)hex || name.ptr[0] != '#')
        return false;
    for (size_t i = hex ? 2 : 1; i < name.len; i++) {
        char c = name.ptr[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
                         : hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
                             ? (unsigned)((c | 0x20) - 'a' + 10)
                             : 99;
        code = code * (hex ? 16 : 10) + digit;
        if (digit == 99 || code > 0x10ffff)
            return false;
    }
    if (code >= 0xd800 && code <= 0xdfff)
        return false;
    buf_add(out, bytes, utf8_put(code, bytes));
    return true;
}

static bool put_text(struct xml *x, struct str raw, struct buf *out)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] != '&') {
            buf_char(out, raw.ptr[i]);
            continue;
        }
        size_t end = str_find_char(raw, ';', i);
        if (end == SIZE_MAX || !reference(str_sub(raw, i + 1, end), out))
            return fail(x, "an entity that is not known (only those of XML itself are)");
        i = end;
    }
    return true;
}

static struct tree *leaf(struct xml *x, const struct buf *text, bool trim)
{
    struct str s = trim ? str_trim(buf_view(text)) : buf_view(text);
    struct str kept = text->failed ? (struct str){0} : arena_dup(x->arena, s);
    return kept.ptr ? tree_leaf(x->arena, value_string(kept)) : NULL;
}

/* --- elements --- */

static bool attribute(struct xml *x, struct tree *element)
{
    struct str name;
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    if (!name_of(x, &name))
        return false;
    skip_space(x);
    if (!looks_at(x, STR("=")))
        return fail(x, "= is wanted behind the attribute's name");
    x->at++;
    skip_space(x);
    char quote = x->at < x->text.len ? x->text.ptr[x->at] : 0;
    size_t end =
        quote == '"' || quote == '\'' ? str_find_char(x->text, quote, x->at + 1) : SIZE_MAX;
    if (end == SIZE_MAX)
        return fail(x, "a value in quotes is wanted");
    if (!put_text(x, str_sub(x->text, x->at + 1, end), &text))
        return false;
    x->at = end + 1;
    struct str key = arena_printf(x->arena, "-%.*s", STR_ARG(local(name)));
    struct tree *v = leaf(x, &text, false);
    if (!key.ptr || !v)
        return full(x);
    struct tree *there = tree_find(element, key);
    if (there)
        *there = *v;
    return there || tree_put(x->arena, element, key, v) || full(x);
}

/* One child: a second one of its name makes a list. */
static bool add_child(struct xml *x, struct tree *element, struct str name, struct tree *child)
{
    struct tree *there = tree_find(element, name), *list;
    if (!there)
        return tree_put(x->arena, element, name, child) || full(x);
    if (there->kind == TREE_LIST)
        return tree_push(x->arena, there, child) || full(x);
    struct tree *first = tree_make(x->arena, TREE_LIST);
    if (!first)
        return full(x);
    *first = *there;
    list = tree_make(x->arena, TREE_LIST);
    if (!list || !tree_push(x->arena, list, first) || !tree_push(x->arena, list, child))
        return full(x);
    *there = *list;
    return true;
}

static bool element(struct xml *x, unsigned depth_left, struct str *ret_name, struct tree **ret);

static bool content(struct xml *x, unsigned depth_left, struct tree *made, struct buf *text)
{
    bool any;
    while (!looks_at(x, STR("</"))) {
        struct str name;
        struct tree *child;
        if (x->at >= x->text.len)
            return fail(x, "an element does not end");
        if (looks_at(x, STR("<![CDATA["))) {
            size_t from = x->at + 9;
            if (!skip_past(x, STR("]]>")))
                return false;
            text->len = 0;
            buf_str(text, str_sub(x->text, from, x->at - 3));
            continue;
        }
        if (!skip_markup(x, &any))
            return false;
        if (any)
            continue;
        if (looks_at(x, STR("<"))) {
            if (!element(x, depth_left - 1, &name, &child) || !add_child(x, made, name, child))
                return false;
            continue;
        }
        size_t end = str_find_char(x->text, '<', x->at);
        end = end == SIZE_MAX ? x->text.len : end;
        text->len = 0; /* of several stretches the last one counts, as conftest has it */
        if (!put_text(x, str_sub(x->text, x->at, end), text))
            return false;
        x->at = end;
    }
    return true;
}

static bool finish(struct xml *x, struct tree *made, const struct buf *text, struct tree **ret)
{
    struct tree *v = leaf(x, text, true);
    if (!v)
        return full(x);
    *ret = made->n ? made : v;
    return !made->n || !v->value.len || tree_put(x->arena, made, STR("#content"), v) || full(x);
}

static bool element(struct xml *x, unsigned depth_left, struct str *ret_name, struct tree **ret)
{
    struct tree *made = tree_make(x->arena, TREE_OBJECT);
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct str name, closing;
    if (!made)
        return full(x);
    if (depth_left == 0)
        return fail(x, "elements are nested too deep");
    x->at++;
    if (!name_of(x, &name))
        return false;
    *ret_name = local(name);
    for (skip_space(x); !looks_at(x, STR(">")) && !looks_at(x, STR("/>")); skip_space(x))
        if (!attribute(x, made))
            return false;
    bool empty = looks_at(x, STR("/>"));
    x->at += empty ? 2 : 1;
    if (!empty) {
        if (!content(x, depth_left, made, &text))
            return false;
        x->at += 2;
        if (!name_of(x, &closing))
            return false;
        skip_space(x);
        if (!str_equal(closing, name) || !looks_at(x, STR(">")))
            return fail(x, "another element ends here than has begun");
        x->at++;
    }
    return finish(x, made, &text, ret);
}

bool parser_xml(PARSER_ARGS)
{
    struct xml x = {arena, text, name, 0, err};
    struct tree *root = tree_make(arena, TREE_OBJECT), *top;
    struct str top_name;
    bool any = true;
    if (!root)
        return arena_full(arena, err);
    if (str_starts(text, STR("\xef\xbb\xbf")))
        x.at = 3;
    while (any) {
        skip_space(&x);
        if (!skip_markup(&x, &any))
            return false;
    }
    if (!looks_at(&x, STR("<")))
        return fail(&x, "an element is wanted");
    if (!element(&x, XML_DEPTH_MAX, &top_name, &top))
        return false;
    for (any = true; any;) {
        skip_space(&x);
        if (!skip_markup(&x, &any))
            return false;
    }
    if (x.at < text.len)
        return fail(&x, "behind its element a document has nothing but comments");
    return (tree_put(arena, root, top_name, top) || full(&x)) && tree_value(arena, root, ret, err);
}
