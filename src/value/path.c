/* path.c - parsing, printing, ordering and following paths. */
#include "value/path.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/utf8.h"
#include "value/value.h"

struct parser {
    struct arena *arena;
    struct str text;
    size_t at;
};

static bool fail(const struct parser *p, const char *why, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "path: %s at byte %zu", why, p->at + 1);
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-';
}

/* `tags.*` and `tags.kube?` are names of patterns; no key is printed that way. */
static bool is_wild(char c)
{
    return c == '*' || c == '?';
}

static bool parse_name(struct parser *p, struct path_step *ret, struct err *err)
{
    size_t from = p->at;
    if (p->at == p->text.len || !(is_name_start(p->text.ptr[p->at]) || is_wild(p->text.ptr[p->at])))
        return fail(p, "a name is missing", err);
    while (p->at < p->text.len && (is_name_char(p->text.ptr[p->at]) || is_wild(p->text.ptr[p->at])))
        p->at++;
    *ret = (struct path_step){.kind = PATH_KEY, .key = str_sub(p->text, from, p->at)};
    return true;
}

static bool parse_hex4(struct parser *p, uint32_t *ret)
{
    uint32_t code = 0;
    if (p->text.len - p->at < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char c = p->text.ptr[p->at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        code = code << 4 | (uint32_t)digit;
    }
    p->at += 4;
    *ret = code;
    return true;
}

/* What follows "\u"; a high surrogate must be followed by its low one. */
static bool parse_code_point(struct parser *p, uint32_t *ret)
{
    uint32_t high, low;
    if (!parse_hex4(p, &high))
        return false;
    *ret = high;
    if (high < 0xd800 || high > 0xdfff)
        return true;
    if (high > 0xdbff || !str_starts(str_sub(p->text, p->at, p->text.len), STR("\\u")))
        return false;
    p->at += 2;
    if (!parse_hex4(p, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool parse_escape(struct parser *p, char **to, struct err *err)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    char c = p->at < p->text.len ? p->text.ptr[p->at] : '\0';
    const char *hit = c ? strchr(letters, c) : NULL;
    uint32_t code;
    if (hit) {
        *(*to)++ = bytes[hit - letters];
        p->at++;
        return true;
    }
    if (c != 'u')
        return fail(p, "an unknown escape", err);
    p->at++;
    if (!parse_code_point(p, &code))
        return fail(p, "a broken \\u escape", err);
    *to += utf8_put(code, *to);
    return true;
}

/* From behind the opening quote to behind the closing one. */
static bool parse_quoted(struct parser *p, struct str *ret, struct err *err)
{
    size_t from = p->at, end = from;
    bool escaped = false;
    for (; end < p->text.len && p->text.ptr[end] != '"'; end++) {
        if (p->text.ptr[end] != '\\')
            continue;
        escaped = true;
        end++;
    }
    if (end >= p->text.len)
        return fail(p, "a quote is not closed", err);
    struct str raw = str_sub(p->text, from, end);
    for (size_t i = 0; i < raw.len; i++)
        if ((unsigned char)raw.ptr[i] < 0x20) {
            p->at += i;
            return fail(p, "a control character", err);
        }
    if (!escaped) {
        *ret = raw;
        p->at = end + 1;
        return true;
    }
    char *bytes = arena_alloc_raw(p->arena, raw.len + 1, 1, 1), *to = bytes;
    if (!bytes)
        return arena_full(p->arena, err);
    while (p->at < end) {
        char c = p->text.ptr[p->at++];
        if (c != '\\')
            *to++ = c;
        else if (!parse_escape(p, &to, err))
            return false;
    }
    p->at = end + 1;
    *ret = (struct str){bytes, (size_t)(to - bytes)};
    return true;
}

static bool parse_index(struct parser *p, struct path_step *ret, struct err *err)
{
    size_t from = p->at;
    while (p->at < p->text.len && p->text.ptr[p->at] >= '0' && p->text.ptr[p->at] <= '9')
        p->at++;
    struct str digits = str_sub(p->text, from, p->at);
    *ret = (struct path_step){.kind = PATH_INDEX};
    if ((digits.len > 1 && digits.ptr[0] == '0') || !str_to_int64(digits, &ret->index)) {
        p->at = from;
        return fail(p, "an index, a quoted key or * is missing", err);
    }
    return true;
}

/* From behind the opening bracket. */
static bool parse_bracket(struct parser *p, struct path_step *ret, struct err *err)
{
    char c = p->at < p->text.len ? p->text.ptr[p->at] : '\0';
    if (c == '*') {
        p->at++;
        *ret = (struct path_step){.kind = PATH_ELEMENT};
    } else if (c == '"') {
        p->at++;
        *ret = (struct path_step){.kind = PATH_KEY};
        if (!parse_quoted(p, &ret->key, err))
            return false;
    } else if (!parse_index(p, ret, err)) {
        return false;
    }
    if (p->at == p->text.len || p->text.ptr[p->at] != ']')
        return fail(p, "] is missing", err);
    p->at++;
    return true;
}

static bool parse_step(struct parser *p, bool first, struct path_step *ret, struct err *err)
{
    char c = p->text.ptr[p->at];
    if (c == '[') {
        p->at++;
        return parse_bracket(p, ret, err);
    }
    if (!first && c != '.')
        return fail(p, ". or [ is missing", err);
    p->at += !first;
    return parse_name(p, ret, err);
}

bool path_parse(struct arena *arena, struct str text, struct path *ret, struct err *err)
{
    struct parser p = {.arena = arena, .text = text};
    struct path_step *steps = NULL;
    size_t n = 0, room = 0, bad = utf8_bad_at(text);
    if (bad != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "path: not UTF-8 at byte %zu", bad + 1);
    while (p.at < text.len) {
        if (n == PATH_STEPS_MAX)
            return err_set(err, ERR_LIMIT, "path of more than %d steps", PATH_STEPS_MAX);
        steps = arena_grow(arena, steps, n, &room, n + 1);
        if (!steps)
            return arena_full(arena, err);
        if (!parse_step(&p, n == 0, &steps[n], err))
            return false;
        n++;
    }
    *ret = (struct path){steps, n};
    return true;
}

bool path_is_name(struct str key)
{
    if (key.len == 0 || !is_name_start(key.ptr[0]))
        return false;
    for (size_t i = 1; i < key.len; i++)
        if (!is_name_char(key.ptr[i]))
            return false;
    return true;
}

/* JSON escapes for what needs one; the rest as it is. */
static void print_quoted(struct buf *out, struct str key)
{
    static const char letters[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";
    size_t from = 0;
    buf_str(out, STR("[\""));
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        const char *hit = c ? strchr(bytes, c) : NULL;
        if (!hit && (unsigned char)c >= 0x20)
            continue;
        buf_str(out, str_sub(key, from, i));
        if (hit)
            buf_printf(out, "\\%c", letters[hit - bytes]);
        else
            buf_printf(out, "\\u%04x", (unsigned char)c);
        from = i + 1;
    }
    buf_str(out, str_sub(key, from, key.len));
    buf_str(out, STR("\"]"));
}

static void print_step(struct buf *out, const struct path_step *step, bool first)
{
    if (step->kind == PATH_INDEX) {
        buf_printf(out, "[%lld]", (long long)step->index);
    } else if (step->kind == PATH_ELEMENT) {
        buf_str(out, STR("[*]"));
    } else if (path_is_name(step->key)) {
        if (!first)
            buf_char(out, '.');
        buf_str(out, step->key);
    } else {
        print_quoted(out, step->key);
    }
}

void path_print(struct buf *out, struct path path)
{
    for (size_t i = 0; i < path.n; i++)
        print_step(out, &path.step[i], i == 0);
}

struct str path_text(struct arena *arena, struct path path)
{
    AUTO_BUF buf = {.limit = arena->limit};
    path_print(&buf, path);
    return buf.failed ? (struct str){0} : arena_dup(arena, buf_view(&buf));
}

static int compare_step(const struct path_step *a, const struct path_step *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == PATH_INDEX)
        return (a->index > b->index) - (a->index < b->index);
    return a->kind == PATH_KEY ? str_compare(a->key, b->key) : 0;
}

int path_compare(struct path a, struct path b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int order = compare_step(&a.step[i], &b.step[i]);
        if (order)
            return order;
    }
    return (a.n > b.n) - (a.n < b.n);
}

bool path_equal(struct path a, struct path b)
{
    return a.n == b.n && path_compare(a, b) == 0;
}

bool path_starts(struct path path, struct path prefix)
{
    return path.n >= prefix.n && path_equal((struct path){path.step, prefix.n}, prefix);
}

static bool covers_step(const struct path_step *pattern, const struct path_step *step)
{
    if (pattern->kind == PATH_ELEMENT)
        return true;
    if (pattern->kind == PATH_KEY && step->kind == PATH_KEY)
        return glob_match(pattern->key, step->key, '\0');
    return compare_step(pattern, step) == 0;
}

bool path_covered(struct path pattern, struct path path)
{
    if (pattern.n > path.n)
        return false;
    for (size_t i = 0; i < pattern.n; i++)
        if (!covers_step(&pattern.step[i], &path.step[i]))
            return false;
    return true;
}

const struct value *path_find(const struct value *root, struct path path)
{
    for (size_t i = 0; root && i < path.n; i++) {
        const struct path_step *step = &path.step[i];
        bool listed = root->kind == VALUE_LIST || root->kind == VALUE_TUPLE;
        if (step->kind == PATH_KEY)
            root = value_get(root, step->key);
        else if (step->kind == PATH_INDEX && listed && step->index >= 0 && step->index < root->len)
            root = &root->items[step->index];
        else
            root = NULL;
    }
    return root;
}

bool path_from_link(struct arena *arena, const struct path_link *link, struct path *ret)
{
    size_t n = link ? link->depth : 0;
    struct path_step *step = arena_new_raw(arena, struct path_step, n);
    if (!step)
        return false;
    for (size_t i = n; i-- > 0; link = link->up)
        step[i] = link->step;
    *ret = (struct path){step, n};
    return true;
}

void path_print_link(struct buf *out, const struct path_link *link)
{
    struct path_step step[PATH_STEPS_MAX];
    size_t n = 0;
    for (; link && n < PATH_STEPS_MAX; link = link->up)
        step[PATH_STEPS_MAX - ++n] = link->step;
    path_print(out, (struct path){step + PATH_STEPS_MAX - n, n});
}
