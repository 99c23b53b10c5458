/* builtin_regex.c - Rego's functions of regular expressions: RE2's meaning, Go's rules of use. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/regex_re2.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"
#include "lang/rego/caches.h"

static struct str text(const struct rego_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

static void close_regex(void *object)
{
    regex_close(object);
}

/* The compiled pattern; NULL with the failure. Kept for the evaluation. */
static struct regex *pattern(struct rego_call *call, struct str p)
{
    char why[200];
    struct regex *regex = rego_cache_find(call->caches, "regex", p);
    if (regex)
        return regex;
    regex = regex_open(p, why, sizeof why);
    if (!regex) {
        (void)rego_fail(call, "error parsing regexp: %s: `%.*s`", why, STR_ARG(p));
        return NULL;
    }
    if (!rego_cache_keep(call->caches, "regex", p, regex, close_regex)) {
        regex_close(regex);
        (void)rego_fail(call, "too many patterns in one evaluation");
        return NULL;
    }
    return regex;
}

static enum rego_outcome is_valid(struct rego_call *call, struct value *ret)
{
    *ret = value_bool(call->arg->kind == VALUE_STRING && pattern(call, text(call, 0)) != NULL);
    return REGO_DEFINED;
}

static enum rego_outcome match(struct rego_call *call, struct value *ret)
{
    const struct regex *regex = pattern(call, text(call, 0));
    if (!regex)
        return REGO_FAILED;
    if (!rego_spend_bytes(call, text(call, 1).len))
        return REGO_HALT;
    *ret = value_bool(regex_match(regex, text(call, 1), 0, NULL, 0));
    return REGO_DEFINED;
}

/* --- all matches, as Go walks them --- */

/* A match may have looked at all of the text, however short it is. */
enum { MATCH_STEPS = 16 };

struct matches {
    const struct regex *regex;
    struct str text, group[REGEX_GROUPS_MAX + 1];
    size_t ngroups, at, last_end;
    bool any;
};

/* The next one: after an empty match a code point is passed; none right behind the last one. */
static bool next_match(struct matches *m)
{
    while (m->at <= m->text.len) {
        if (!regex_match(m->regex, m->text, m->at, m->group, m->ngroups + 1))
            return false;
        size_t start = (size_t)(m->group[0].ptr - m->text.ptr), end = start + m->group[0].len;
        bool empty = !m->group[0].len, stuck = empty && m->any && start == m->last_end;
        if (empty) {
            m->at = end;
            if (m->at < m->text.len)
                (void)utf8_next(m->text, &m->at);
            else
                m->at++;
        } else {
            m->at = end;
        }
        m->last_end = end;
        if (stuck)
            continue;
        m->any = true;
        return true;
    }
    return false;
}

static bool open_matches(struct rego_call *call, struct str p, struct str s, struct matches *m)
{
    m->regex = pattern(call, p);
    m->text = s;
    m->at = m->last_end = 0;
    m->any = false;
    m->ngroups = m->regex ? regex_groups(m->regex) : 0;
    if (m->regex && m->ngroups > REGEX_GROUPS_MAX)
        return rego_fail(call, "too many groups"), false;
    return m->regex != NULL;
}

static enum rego_outcome limit_of(struct rego_call *call, int64_t *ret)
{
    if (rego_index_int64(&call->arg[2], ret))
        return REGO_DEFINED;
    call->why = STR("operand 3 must be integer number but got floating-point number");
    call->type_error = true;
    return REGO_FAILED;
}

static struct value group_value(const struct matches *m, size_t i)
{
    struct str s = m->group[i];
    return value_string(s.ptr ? s : STR(""));
}

static enum rego_outcome find(struct rego_call *call, bool groups, struct value *ret)
{
    struct matches m;
    struct value *items = NULL;
    size_t n = 0, room = 0;
    int64_t limit;
    if (!open_matches(call, text(call, 0), text(call, 1), &m) ||
        limit_of(call, &limit) == REGO_FAILED)
        return REGO_FAILED;
    while ((limit < 0 || (int64_t)n < limit) && next_match(&m)) {
        items = arena_grow(call->arena, items, n, &room, n + 1);
        struct value *list = arena_new_raw(call->arena, struct value, m.ngroups + 1);
        if (!items || !list || !call->spend(call->spend_ctx, MATCH_STEPS))
            return REGO_HALT;
        for (size_t i = 0; groups && i <= m.ngroups; i++)
            list[i] = group_value(&m, i);
        items[n++] = groups ? value_items(VALUE_TUPLE, list, m.ngroups + 1) : group_value(&m, 0);
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return REGO_DEFINED;
}
static enum rego_outcome find_n(struct rego_call *call, struct value *ret)
{
    return find(call, false, ret);
}
static enum rego_outcome find_submatch(struct rego_call *call, struct value *ret)
{
    return find(call, true, ret);
}

static enum rego_outcome split(struct rego_call *call, struct value *ret)
{
    struct matches m;
    struct value *items = NULL;
    struct str s = text(call, 1);
    size_t n = 0, room = 0, from = 0;
    if (!open_matches(call, text(call, 0), s, &m))
        return REGO_FAILED;
    if (!s.len) { /* Go: an empty text is one empty part */
        items = arena_new(call->arena, struct value, 1);
        if (!items)
            return REGO_HALT;
        items[0] = value_string(STR(""));
        *ret = value_items(VALUE_TUPLE, items, 1);
        return REGO_DEFINED;
    }
    bool more = true;
    while (more) {
        more = next_match(&m);
        size_t start = more ? (size_t)(m.group[0].ptr - s.ptr) : s.len;
        size_t end = more ? start + m.group[0].len : s.len;
        if (more && !m.group[0].len && (start == 0 || start == s.len))
            continue; /* an empty match at the ends cuts nothing */
        if (more && end == 0)
            continue;
        items = arena_grow(call->arena, items, n, &room, n + 1);
        if (!items || !call->spend(call->spend_ctx, MATCH_STEPS))
            return REGO_HALT;
        items[n++] = value_string(str_sub(s, from, start));
        from = end;
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return REGO_DEFINED;
}

/* --- replacing --- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static struct str named_group(const struct matches *m, struct str name)
{
    int64_t number;
    if (str_to_int64(name, &number) && name.ptr[0] != '-' && name.ptr[0] != '+')
        return number <= (int64_t)m->ngroups ? m->group[number] : (struct str){0};
    for (size_t i = 1; i <= m->ngroups; i++)
        if (str_equal(regex_group_name(m->regex, i), name) && m->group[i].ptr)
            return m->group[i];
    return (struct str){0};
}

/* Go's Regexp.Expand: $1, ${name}, $$. */
static void expand(const struct matches *m, struct str by, struct buf *out)
{
    for (size_t i = 0; i < by.len; i++) {
        size_t dollar = str_find_char(by, '$', i);
        buf_str(out, str_sub(by, i, dollar == SIZE_MAX ? by.len : dollar));
        if (dollar == SIZE_MAX)
            return;
        i = dollar;
        if (i + 1 == by.len) {
            buf_char(out, '$');
            return;
        }
        if (by.ptr[i + 1] == '$') {
            buf_char(out, '$');
            i++;
            continue;
        }
        bool brace = by.ptr[i + 1] == '{';
        size_t from = i + 1 + brace, to = from;
        while (to < by.len && is_word(by.ptr[to]))
            to++;
        if (to == from || (brace && (to == by.len || by.ptr[to] != '}'))) {
            buf_char(out, '$');
            continue;
        }
        struct str group = named_group(m, str_sub(by, from, to));
        if (group.ptr)
            buf_str(out, group);
        i = brace ? to : to - 1;
    }
}

static enum rego_outcome replace(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct matches m;
    struct str s = text(call, 0);
    size_t from = 0;
    if (!open_matches(call, text(call, 1), s, &m))
        return REGO_FAILED;
    while (next_match(&m)) {
        size_t start = (size_t)(m.group[0].ptr - s.ptr);
        buf_str(&out, str_sub(s, from, start));
        if (out.failed || !rego_spend_bytes(call, text(call, 2).len) ||
            !call->spend(call->spend_ctx, MATCH_STEPS))
            return REGO_HALT;
        expand(&m, text(call, 2), &out);
        from = start + m.group[0].len;
    }
    buf_str(&out, str_sub(s, from, s.len));
    return rego_give_buf(call, &out, ret);
}

/* --- templates: literal text with expressions between two delimiters --- */

static void quote(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (strchr("\\.+*?()|[]{}^$", s.ptr[i]) && s.ptr[i])
            buf_char(out, '\\');
        buf_char(out, s.ptr[i]);
    }
}

static enum rego_outcome template_match(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = REGEX_PATTERN_MAX};
    struct str t = text(call, 0), open = text(call, 2), end = text(call, 3), group;
    int depth = 0;
    size_t from = 0;
    if (open.len != 1)
        return rego_fail(
            call, "start delimiter has to be exactly one character long but is %zu long", open.len);
    if (end.len != 1)
        return rego_fail(call, "end delimiter has to be exactly one character long but is %zu long",
                         end.len);
    buf_char(&out, '^');
    for (size_t i = 0; i < t.len; i++) {
        if (t.ptr[i] == open.ptr[0] && depth++ == 0) {
            quote(&out, str_sub(t, from, i));
            from = i + 1;
        } else if (t.ptr[i] == end.ptr[0] && --depth == 0) {
            buf_str(&out, STR("("));
            buf_str(&out, str_sub(t, from, i));
            buf_str(&out, STR(")"));
            from = i + 1;
        } else if (depth < 0) {
            break;
        }
    }
    if (depth != 0)
        return rego_fail(call, "unbalanced braces in \"%.*s\"", STR_ARG(t));
    quote(&out, str_sub(t, from, t.len));
    buf_char(&out, '$');
    const struct regex *regex = out.failed ? NULL : pattern(call, buf_view(&out));
    if (!regex)
        return out.failed ? REGO_HALT : REGO_FAILED;
    *ret = value_bool(regex_match(regex, text(call, 1), 0, &group, 1));
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"regex.is_valid", NULL, "(any) => boolean", is_valid, 0},
    {"regex.match", NULL, "(string, string) => boolean", match, 0},
    {"re_match", NULL, "(string, string) => boolean", match, REGO_DEPRECATED},
    {"regex.split", NULL, "(string, string) => array[string]", split, 0},
    {"regex.find_n", NULL, "(string, string, number) => array[string]", find_n, 0},
    {"regex.find_all_string_submatch_n", NULL, "(string, string, number) => array[array[string]]",
     find_submatch, 0},
    {"regex.replace", NULL, "(string, string, string) => string", replace, 0},
    {"regex.template_match", NULL, "(string, string, string, string) => boolean", template_match,
     0},
};
const struct rego_family builtin_regex = {table, sizeof table / sizeof *table};
