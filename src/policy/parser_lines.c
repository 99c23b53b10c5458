/* parser_lines.c - formats of lines: INI, properties, dotenv, ignore files; and JSON with comments.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "policy/parsers.h"
#include "policy/tree.h"
#include "wire/json.h"

bool parsers_fail(struct str text, const char *name, size_t at, const char *why, struct err *err)
{
    size_t line, column;
    json_place(text, at, &line, &column);
    return err_set(err, ERR_SYNTAX, "%s:%zu:%zu: %s", name, line, column, why);
}

static size_t offset(struct str text, struct str part)
{
    return (size_t)(part.ptr - text.ptr);
}

static struct str without_return(struct str line)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The later value of a key counts. */
static bool set(struct arena *arena, struct tree *object, struct str key, struct value v)
{
    struct tree *there = tree_find(object, key);
    if (there) {
        there->value = v;
        return true;
    }
    return tree_put(arena, object, key, tree_leaf(arena, v));
}

/* --- INI --- */

static bool is_one_of(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_equal(s, str_from(*words)))
            return true;
    return false;
}

/* Numbers and truths are such, as far as they look so. */
static struct value ini_value(struct arena *arena, struct str s)
{
    static const char *const yes[] = {"t", "T", "true", "True", "TRUE", NULL};
    static const char *const no[] = {"f", "F", "false", "False", "FALSE", NULL};
    struct value v;
    struct str digits = s.len && s.ptr[0] == '+' ? str_sub(s, 1, s.len) : s;
    bool like = digits.len && (digits.ptr[0] == '-' || digits.ptr[0] == '.' ||
                               (digits.ptr[0] >= '0' && digits.ptr[0] <= '9'));
    struct str text = like ? arena_dup(arena, digits) : (struct str){0};
    /* 007 and 1. are numbers here, and none in JSON */
    while (text.len > 1 && text.ptr[0] == '0' && text.ptr[1] >= '0' && text.ptr[1] <= '9')
        text = str_sub(text, 1, text.len);
    if (text.len > 1 && text.ptr[text.len - 1] == '.')
        text.len--;
    if (text.len && text.ptr[0] == '.')
        text = arena_printf(arena, "0%.*s", STR_ARG(text));
    if (text.len && json_parse(arena, text, "ini", JSON_COPY, &v, NULL) && v.kind == VALUE_NUMBER)
        return v;
    return is_one_of(s, yes)  ? value_bool(true)
           : is_one_of(s, no) ? value_bool(false)
                              : value_string(s);
}

/* Comments stand behind values, too, and quotes do not hide their signs. */
static struct str ini_uncommented(struct str v)
{
    for (size_t i = 0; i < v.len; i++)
        if (v.ptr[i] == '#' || v.ptr[i] == ';')
            return str_trim(str_sub(v, 0, i));
    return v;
}

static struct str ini_unquote(struct str v)
{
    char quote = v.len >= 2 ? v.ptr[0] : 0;
    if ((quote == '"' || quote == '\'' || quote == '`') && v.ptr[v.len - 1] == quote)
        return str_sub(v, 1, v.len - 1);
    return v;
}

/* A value goes on where its line ends in a backslash. */
static struct str ini_continued(struct arena *arena, struct str value, struct str *rest)
{
    struct str line;
    while (value.len && value.ptr[value.len - 1] == '\\' && rest->len) {
        (void)str_cut(rest, '\n', &line);
        value = arena_printf(arena, "%.*s%.*s", (int)value.len - 1, value.ptr,
                             STR_ARG(str_trim(without_return(line))));
    }
    return value;
}

static bool ini_section(struct arena *arena, struct tree *root, struct str line, struct tree **ret)
{
    struct str name = str_trim(str_sub(line, 1, line.len - 1));
    struct tree *section = tree_find(root, name);
    if (!section) {
        section = tree_make(arena, TREE_OBJECT);
        if (!tree_put(arena, root, name, section))
            return false;
    }
    *ret = section;
    return true;
}

/* What stands before the first section is in none, and left out, as conftest has it. */
bool parser_ini(PARSER_ARGS)
{
    struct tree *root = tree_make(arena, TREE_OBJECT), *section = tree_make(arena, TREE_OBJECT);
    struct str rest = text, line;
    if (str_starts(rest, STR("\xef\xbb\xbf")))
        rest = str_sub(rest, 3, rest.len);
    for (bool more = root && section; more;) {
        more = str_cut(&rest, '\n', &line);
        line = str_trim(without_return(line));
        if (!line.len || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        if (line.ptr[0] == '[') {
            size_t end = str_find_char(line, ']', 0);
            if (end == SIZE_MAX)
                return parsers_fail(text, name, offset(text, line), "] is wanted", err);
            if (!ini_section(arena, root, str_sub(line, 0, end + 1), &section))
                return arena_full(arena, err);
            continue;
        }
        size_t at = 0;
        while (at < line.len && line.ptr[at] != '=' && line.ptr[at] != ':')
            at++;
        if (at == line.len)
            return parsers_fail(text, name, offset(text, line), "KEY = VALUE is wanted", err);
        struct str v = ini_continued(arena, str_trim(str_sub(line, at + 1, line.len)), &rest);
        if (!v.ptr || !set(arena, section, ini_unquote(str_trim(str_sub(line, 0, at))),
                           ini_value(arena, ini_unquote(ini_uncommented(v)))))
            return arena_full(arena, err);
    }
    return root && section ? tree_value(arena, root, ret, err) : arena_full(arena, err);
}

/* --- properties --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

struct property {
    struct arena *arena;
    struct str text;
    size_t at;
    struct buf key, value;
};

static void property_escape(struct property *p, struct buf *out)
{
    static const char names[] = "tnrf", values[] = "\t\n\r\f";
    char c = p->at < p->text.len ? p->text.ptr[p->at++] : '\\';
    const char *found = c ? strchr(names, c) : NULL;
    uint32_t code = 0;
    char bytes[4];
    size_t digits = 0;
    if (c == '\r' || c == '\n') { /* the line goes on; what it is indented by does not count */
        p->at += c == '\r' && p->at < p->text.len && p->text.ptr[p->at] == '\n';
        while (p->at < p->text.len && is_blank(p->text.ptr[p->at]))
            p->at++;
        return;
    }
    for (; c == 'u' && digits < 4 && p->at + digits < p->text.len; digits++) {
        char h = p->text.ptr[p->at + digits];
        int digit = h >= '0' && h <= '9'                     ? h - '0'
                    : (h | 0x20) >= 'a' && (h | 0x20) <= 'f' ? (h | 0x20) - 'a' + 10
                                                             : -1;
        if (digit < 0)
            break;
        code = code << 4 | (unsigned)digit;
    }
    if (digits == 4 && (code < 0xd800 || code > 0xdfff)) {
        p->at += 4;
        buf_add(out, bytes, utf8_put(code, bytes));
        return;
    }
    buf_char(out, found ? values[found - names] : c);
}

/* A key up to a blank, = or :, or a value up to the end of the line. */
static void property_part(struct property *p, bool key, struct buf *out)
{
    while (p->at < p->text.len) {
        char c = p->text.ptr[p->at];
        if (c == '\n' || c == '\r' || (key && (c == '=' || c == ':' || is_blank(c))))
            return;
        p->at++;
        if (c == '\\')
            property_escape(p, out);
        else
            buf_char(out, c);
    }
}

static void property_blanks(struct property *p)
{
    while (p->at < p->text.len && is_blank(p->text.ptr[p->at]))
        p->at++;
}

static bool property(struct property *p, struct tree *root)
{
    p->key.len = p->value.len = 0;
    property_part(p, true, &p->key);
    property_blanks(p);
    if (p->at < p->text.len && (p->text.ptr[p->at] == '=' || p->text.ptr[p->at] == ':'))
        p->at++;
    property_blanks(p);
    property_part(p, false, &p->value);
    struct str key = arena_dup(p->arena, buf_view(&p->key));
    struct str v = arena_dup(p->arena, buf_view(&p->value));
    return !p->key.failed && !p->value.failed && key.ptr && v.ptr &&
           set(p->arena, root, key, value_string(v));
}

bool parser_properties(PARSER_ARGS)
{
    struct property p = {.arena = arena,
                         .text = text,
                         .key = {.limit = BUF_DEFAULT_LIMIT},
                         .value = {.limit = BUF_DEFAULT_LIMIT}};
    struct tree *root = tree_make(arena, TREE_OBJECT);
    bool ok = root != NULL;
    (void)name;
    while (ok && p.at < text.len) {
        char c = text.ptr[p.at];
        if (is_blank(c) || c == '\n' || c == '\r') {
            p.at++;
        } else if (c == '#' || c == '!') {
            size_t end = str_find_char(text, '\n', p.at);
            p.at = end == SIZE_MAX ? text.len : end;
        } else {
            ok = property(&p, root);
        }
    }
    buf_free(&p.key);
    buf_free(&p.value);
    return ok ? tree_value(arena, root, ret, err) : arena_full(arena, err);
}

/* --- dotenv --- */

/* Within double quotes, and without any: $NAME and ${NAME} of the lines before. */
static struct str dotenv_expand(struct arena *arena, const struct tree *root, struct str v)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < v.len; i++) {
        char c = v.ptr[i];
        size_t from = i + 1, to;
        bool brace = from < v.len && v.ptr[from] == '{';
        if (c == '\\' && from < v.len) {
            char e = v.ptr[++i];
            buf_char(&out, e == 'n' ? '\n' : e == 'r' ? '\r' : e);
            continue;
        }
        from += brace;
        for (to = from; c == '$' && to < v.len; to++)
            if (!(v.ptr[to] == '_' || (v.ptr[to] >= 'A' && v.ptr[to] <= 'Z') ||
                  (v.ptr[to] >= 'a' && v.ptr[to] <= 'z') ||
                  (to > from && v.ptr[to] >= '0' && v.ptr[to] <= '9')))
                break;
        if (c != '$' || to == from || (brace && (to == v.len || v.ptr[to] != '}'))) {
            buf_char(&out, c);
            continue;
        }
        const struct tree *named = tree_find(root, str_sub(v, from, to));
        if (named)
            buf_str(&out, value_text(&named->value));
        i = brace ? to : to - 1;
    }
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

/* The end of a quoted value, which may go on over lines. */
static size_t dotenv_quoted_end(struct str text, size_t from)
{
    for (size_t i = from + 1; i < text.len; i++) {
        if (text.ptr[i] == '\\' && text.ptr[from] == '"')
            i++;
        else if (text.ptr[i] == text.ptr[from])
            return i;
    }
    return SIZE_MAX;
}

static bool dotenv_name(struct str *name)
{
    *name = str_trim(*name);
    if (str_starts(*name, STR("export ")))
        *name = str_trim(str_sub(*name, 7, name->len));
    for (size_t i = 0; i < name->len; i++) {
        char c = name->ptr[i];
        if (!(c == '_' || c == '.' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c >= '0' && c <= '9')))
            return false;
    }
    return name->len > 0;
}

bool parser_dotenv(PARSER_ARGS)
{
    struct tree *root = tree_make(arena, TREE_OBJECT);
    size_t at = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0;
    while (root && at < text.len) {
        size_t end = str_find_char(text, '\n', at), quote_end = SIZE_MAX;
        end = end == SIZE_MAX ? text.len : end;
        struct str line = str_trim(str_sub(text, at, end)), key = line, v;
        size_t from = at;
        at = end + 1;
        if (!line.len || line.ptr[0] == '#')
            continue;
        size_t sign = 0;
        while (sign < line.len && line.ptr[sign] != '=' && line.ptr[sign] != ':')
            sign++;
        key = str_sub(line, 0, sign);
        if (sign == line.len || !dotenv_name(&key))
            return parsers_fail(text, name, from, "NAME=VALUE is wanted", err);
        v = str_trim(str_sub(line, sign + 1, line.len));
        char quote = v.len ? v.ptr[0] : 0;
        if (quote == '"' || quote == '\'')
            quote_end = dotenv_quoted_end(text, offset(text, v));
        if (quote_end != SIZE_MAX) {
            v = str_sub(text, offset(text, v) + 1, quote_end);
            end = str_find_char(text, '\n', quote_end);
            at = end == SIZE_MAX ? text.len : end + 1;
        } else {
            size_t comment = v.len && v.ptr[0] == '#' ? 0 : str_find(v, STR(" #"), 0);
            v = str_trim(str_sub(v, 0, comment == SIZE_MAX ? v.len : comment));
        }
        if (quote != '\'')
            v = dotenv_expand(arena, root, v);
        if (!v.ptr || !set(arena, root, key, value_string(v)))
            return arena_full(arena, err);
    }
    return root ? tree_value(arena, root, ret, err) : arena_full(arena, err);
}

/* --- ignore files --- */

/* Blanks at the end do not count unless the last one is escaped. */
static struct str ignore_path(struct arena *arena, struct str line)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    while (line.len && line.ptr[line.len - 1] == ' ' &&
           !(line.len > 1 && line.ptr[line.len - 2] == '\\'))
        line.len--;
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != '\\' || i + 1 == line.len)
            buf_char(&out, line.ptr[i]);
        else
            buf_char(&out, line.ptr[++i]);
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

static struct tree *ignore_entry(struct arena *arena, struct str line)
{
    struct tree *entry = tree_make(arena, TREE_OBJECT);
    bool empty = !str_trim(line).len, comment = line.len && line.ptr[0] == '#';
    bool negated = line.len && line.ptr[0] == '!';
    struct str kind = empty     ? STR("Empty")
                      : comment ? STR("Comment")
                      : negated ? STR("NegatedPath")
                                : STR("Path");
    struct str v = empty     ? STR("")
                   : comment ? str_trim(str_sub(line, 1, line.len))
                             : ignore_path(arena, str_sub(line, negated, line.len));
    bool ok = entry && v.ptr &&
              tree_put(arena, entry, STR("Kind"), tree_leaf(arena, value_string(kind))) &&
              tree_put(arena, entry, STR("Value"), tree_leaf(arena, value_string(v))) &&
              tree_put(arena, entry, STR("Original"), tree_leaf(arena, value_string(line)));
    return ok ? entry : NULL;
}

bool parser_ignore(PARSER_ARGS)
{
    struct tree *root = tree_make(arena, TREE_LIST), *lines = tree_make(arena, TREE_LIST);
    struct str rest = text, line;
    bool ok = root && lines && tree_push(arena, root, lines);
    (void)name;
    for (bool more = ok; ok && more;) {
        more = str_cut(&rest, '\n', &line);
        ok = tree_push(arena, lines, ignore_entry(arena, without_return(line)));
    }
    return ok ? tree_value(arena, root, ret, err) : arena_full(arena, err);
}

/* --- JSON with comments --- */

/* Comments and trailing commas become blanks, so that places stay. */
bool parser_jsonc(PARSER_ARGS)
{
    char *plain = arena_new_raw(arena, char, text.len + 1);
    bool string = false;
    size_t comma = SIZE_MAX;
    if (!plain)
        return arena_full(arena, err);
    if (text.len)
        memcpy(plain, text.ptr, text.len);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        struct str here = str_sub(text, i, text.len);
        if (string) {
            i += c == '\\';
            string = c != '"';
            continue;
        }
        bool line = str_starts(here, STR("//")), block = str_starts(here, STR("/*"));
        if (line || block) {
            size_t end = line ? str_find_char(text, '\n', i) : str_find(text, STR("*/"), i + 2);
            end = end == SIZE_MAX ? text.len : line ? end : end + 2;
            for (; i < end; i++)
                plain[i] = text.ptr[i] == '\n' ? '\n' : ' ';
            i--;
            continue;
        }
        if ((c == '}' || c == ']') && comma != SIZE_MAX)
            plain[comma] = ' ';
        string = c == '"';
        if (c == ',')
            comma = i;
        else if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            comma = SIZE_MAX;
    }
    return json_parse(arena, (struct str){plain, text.len}, name, JSON_DUPLICATES_LAST, ret, err);
}
