/* builtin_string.c - Rego's functions of strings; positions count code points. */
#include <stdlib.h>
#include <string.h>
#include <unicase.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"

static struct str text(const struct rego_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

static enum rego_outcome give_bool(bool truth, struct value *ret)
{
    *ret = value_bool(truth);
    return REGO_DEFINED;
}

/* Items of a list that are all to be strings; else the failure. */
static bool strings_of(struct rego_call *call, size_t i)
{
    const struct value *v = &call->arg[i];
    for (uint32_t k = 0; k < v->len; k++)
        if (v->items[k].kind != VALUE_STRING) {
            call->why = arena_printf(
                call->arena, "operand %zu must be %s of strings but got %s containing %s", i + 1,
                rego_type_name(v), rego_type_name(v), rego_type_name(&v->items[k]));
            call->type_error = true;
            return false;
        }
    return true;
}

/* --- prefixes, suffixes, parts --- */

static enum rego_outcome startswith(struct rego_call *call, struct value *ret)
{
    return give_bool(str_starts(text(call, 0), text(call, 1)), ret);
}
static enum rego_outcome endswith(struct rego_call *call, struct value *ret)
{
    return give_bool(str_ends(text(call, 0), text(call, 1)), ret);
}
static enum rego_outcome contains(struct rego_call *call, struct value *ret)
{
    return give_bool(str_find(text(call, 0), text(call, 1), 0) != SIZE_MAX, ret);
}

static enum rego_outcome any_match(struct rego_call *call, bool suffix, struct value *ret)
{
    const struct value *search = &call->arg[0], *base = &call->arg[1];
    bool many_s = search->kind != VALUE_STRING, many_b = base->kind != VALUE_STRING;
    for (uint32_t i = 0; i < (many_s ? search->len : 1); i++)
        for (uint32_t j = 0; j < (many_b ? base->len : 1); j++) {
            struct str s = value_text(many_s ? &search->items[i] : search);
            struct str b = value_text(many_b ? &base->items[j] : base);
            if (!rego_spend_bytes(call, b.len < s.len ? b.len : 0))
                return REGO_HALT;
            if (suffix ? str_ends(s, b) : str_starts(s, b))
                return give_bool(true, ret);
        }
    return give_bool(false, ret);
}

static enum rego_outcome any_affix(struct rego_call *call, bool suffix, struct value *ret)
{
    for (size_t i = 0; i < 2; i++)
        if (call->arg[i].kind != VALUE_STRING && !strings_of(call, i))
            return REGO_FAILED;
    return any_match(call, suffix, ret);
}
static enum rego_outcome any_prefix(struct rego_call *call, struct value *ret)
{
    return any_affix(call, false, ret);
}
static enum rego_outcome any_suffix(struct rego_call *call, struct value *ret)
{
    return any_affix(call, true, ret);
}

static enum rego_outcome concat(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    const struct value *list = &call->arg[1];
    if (!strings_of(call, 1))
        return REGO_FAILED;
    for (uint32_t i = 0; i < list->len; i++) {
        if (i)
            buf_str(&out, text(call, 0));
        buf_str(&out, value_text(&list->items[i]));
    }
    return rego_give_buf(call, &out, ret);
}

/* --- positions --- */

static size_t code_points(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* The byte at which code point n starts; s.len past the end. */
static size_t byte_of(struct str s, uint64_t n)
{
    size_t at = 0;
    while (n > 0 && at < s.len) {
        (void)utf8_next(s, &at);
        n--;
    }
    return at;
}

static enum rego_outcome indexof(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0), needle = text(call, 1);
    if (!needle.len)
        return rego_fail(call, "empty search character");
    size_t at = str_find(s, needle, 0);
    *ret = value_int(at == SIZE_MAX ? -1 : (int64_t)code_points(str_sub(s, 0, at)));
    return REGO_DEFINED;
}

static enum rego_outcome indexof_n(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0), needle = text(call, 1);
    struct value *items = NULL;
    size_t n = 0, room = 0, counted = 0, from = 0;
    if (!needle.len)
        return rego_fail(call, "empty search character");
    for (size_t at = 0; (at = str_find(s, needle, at)) != SIZE_MAX; at++) {
        items = arena_grow(call->arena, items, n, &room, n + 1);
        if (!items || !call->spend(call->spend_ctx, 1))
            return REGO_HALT;
        counted += code_points(str_sub(s, from, at));
        from = at;
        items[n++] = value_int((int64_t)counted);
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return REGO_DEFINED;
}

static enum rego_outcome substring(struct rego_call *call, struct value *ret)
{
    int64_t offset, length;
    struct str s = text(call, 0);
    if (!rego_index_int64(&call->arg[1], &offset) || !rego_index_int64(&call->arg[2], &length)) {
        size_t bad = rego_index_int64(&call->arg[1], &offset) ? 2 : 1;
        call->why = arena_printf(call->arena,
                                 "operand %zu must be integer number but got floating-point number",
                                 bad + 1);
        call->type_error = true;
        return REGO_FAILED;
    }
    if (offset < 0)
        return rego_fail(call, "negative offset");
    size_t start = byte_of(s, (uint64_t)offset);
    struct str rest = str_sub(s, start, s.len);
    size_t end = length < 0 ? rest.len : byte_of(rest, (uint64_t)length);
    return rego_give_text(call, str_sub(rest, 0, end), ret);
}

static enum rego_outcome reverse(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0);
    char *out = arena_alloc_raw(call->arena, s.len + 1, 1, 1);
    if (!out)
        return REGO_HALT;
    for (size_t at = 0, to = s.len; at < s.len;) {
        size_t from = at;
        (void)utf8_next(s, &at);
        to -= at - from;
        memcpy(out + to, s.ptr + from, at - from);
    }
    return rego_give_text(call, (struct str){out, s.len}, ret);
}

/* --- splitting --- */

struct parts {
    struct rego_call *call;
    struct value *item;
    size_t n, room;
};

static bool part(struct parts *p, struct str s)
{
    struct value *grown = arena_grow(p->call->arena, p->item, p->n, &p->room, p->n + 1);
    if (!grown)
        return false;
    p->item = grown;
    grown[p->n++] = value_string(s);
    return true;
}

/* Go's strings.SplitN without a limit. */
static bool split_into(struct parts *p, struct str s, struct str by)
{
    if (!by.len) {
        for (size_t at = 0; at < s.len;) {
            size_t from = at;
            (void)utf8_next(s, &at);
            if (!part(p, str_sub(s, from, at)))
                return false;
        }
        return true;
    }
    for (size_t from = 0;;) {
        size_t at = str_find(s, by, from);
        if (!part(p, str_sub(s, from, at == SIZE_MAX ? s.len : at)))
            return false;
        if (at == SIZE_MAX)
            return true;
        from = at + by.len;
    }
}

static enum rego_outcome split(struct rego_call *call, struct value *ret)
{
    struct parts p = {.call = call};
    if (!split_into(&p, text(call, 0), text(call, 1)))
        return REGO_HALT;
    *ret = value_items(VALUE_TUPLE, p.item, p.n);
    return REGO_DEFINED;
}

/* |n| parts from the front (n > 0) or from the back. */
static enum rego_outcome split_n(struct rego_call *call, struct value *ret)
{
    struct parts p = {.call = call};
    int64_t n;
    if (!rego_index_int64(&call->arg[2], &n)) {
        call->why = STR("operand 3 must be integer number but got floating-point number");
        call->type_error = true;
        return REGO_FAILED;
    }
    if (!split_into(&p, text(call, 0), text(call, 1)))
        return REGO_HALT;
    uint64_t most = n < 0 ? (uint64_t) - (n + 1) + 1 : (uint64_t)n;
    size_t kept = p.n < most ? p.n : (size_t)most;
    struct value *from = p.item ? (n < 0 ? p.item + (p.n - kept) : p.item) : NULL;
    *ret = value_items(VALUE_TUPLE, from, kept);
    return REGO_DEFINED;
}

static enum rego_outcome count(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0), needle = text(call, 1);
    int64_t n = 0;
    if (!needle.len) {
        n = (int64_t)code_points(s) + 1;
    } else {
        for (size_t at = 0; (at = str_find(s, needle, at)) != SIZE_MAX; at += needle.len)
            n++;
    }
    *ret = value_int(n);
    return REGO_DEFINED;
}

/* --- replacing --- */

static enum rego_outcome replace(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str s = text(call, 0), old = text(call, 1), by = text(call, 2);
    size_t from = 0;
    if (!old.len) { /* before each code point and at the end */
        for (size_t at = 0; at < s.len && !out.failed; from = at) {
            (void)utf8_next(s, &at);
            buf_str(&out, by);
            buf_str(&out, str_sub(s, from, at));
        }
        buf_str(&out, by);
        return rego_give_buf(call, &out, ret);
    }
    for (size_t at; !out.failed && (at = str_find(s, old, from)) != SIZE_MAX; from = at + old.len) {
        buf_str(&out, str_sub(s, from, at));
        buf_str(&out, by);
    }
    buf_str(&out, str_sub(s, from, s.len));
    return rego_give_buf(call, &out, ret);
}

/* Go's strings.NewReplacer: at each position the first pair that fits. */
static enum rego_outcome replace_n(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str s = text(call, 1);
    struct value key, by;
    for (size_t at = 0; rego_next(&call->arg[0], &at, &key, &by);)
        if (key.kind != VALUE_STRING || by.kind != VALUE_STRING) {
            call->why = arena_printf(call->arena, "operand 1 non-string %s found in pattern object",
                                     key.kind != VALUE_STRING ? "key" : "value");
            call->type_error = true;
            return REGO_FAILED;
        }
    bool empty_done = false; /* an empty key fits once at each position */
    for (size_t i = 0; i <= s.len;) {
        bool fits = false;
        if (out.failed || !call->spend(call->spend_ctx, call->arg[0].len / 4 + 1))
            return REGO_HALT;
        for (size_t at = 0; !fits && rego_next(&call->arg[0], &at, &key, &by);) {
            struct str old = value_text(&key);
            if (!str_starts(str_sub(s, i, s.len), old) || (!old.len && empty_done))
                continue;
            fits = true;
            buf_str(&out, value_text(&by));
            i += old.len;
            empty_done = !old.len;
        }
        if (fits)
            continue;
        if (i < s.len)
            buf_char(&out, s.ptr[i]);
        i++;
        empty_done = false;
    }
    return rego_give_buf(call, &out, ret);
}

/* --- trimming --- */

struct codes { /* sorted */
    const uint32_t *code;
    size_t n;
};

static int compare_codes(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool codes_of(struct rego_call *call, struct str set, struct codes *ret)
{
    uint32_t *code = arena_new_raw(call->arena, uint32_t, set.len + 1);
    *ret = (struct codes){code, 0};
    for (size_t at = 0; code && at < set.len;)
        code[ret->n++] = utf8_next(set, &at);
    if (code)
        qsort(code, ret->n, sizeof *code, compare_codes);
    return code && rego_spend_bytes(call, set.len);
}

static bool in_set(const struct codes *set, uint32_t code)
{
    return bsearch(&code, set->code, set->n, sizeof code, compare_codes) != NULL;
}

static struct str trim_front(struct str s, const struct codes *set)
{
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        if (!in_set(set, utf8_next(s, &at)))
            return str_sub(s, from, s.len);
    }
    return str_sub(s, s.len, s.len);
}

static struct str trim_back(struct str s, const struct codes *set)
{
    while (s.len) {
        size_t from = s.len - 1, at;
        while (from > 0 && ((unsigned char)s.ptr[from] & 0xc0) == 0x80)
            from--;
        at = from;
        if (!in_set(set, utf8_next(s, &at)))
            break;
        s.len = from;
    }
    return s;
}

static enum rego_outcome trim_ends(struct rego_call *call, struct str set, bool front, bool back,
                                   struct value *ret)
{
    struct str s = text(call, 0);
    struct codes codes;
    if (!rego_spend_bytes(call, s.len) || !codes_of(call, set, &codes))
        return REGO_HALT;
    if (front)
        s = trim_front(s, &codes);
    return rego_give_text(call, back ? trim_back(s, &codes) : s, ret);
}

static enum rego_outcome trim(struct rego_call *call, struct value *ret)
{
    return trim_ends(call, text(call, 1), true, true, ret);
}
static enum rego_outcome trim_left(struct rego_call *call, struct value *ret)
{
    return trim_ends(call, text(call, 1), true, false, ret);
}
static enum rego_outcome trim_right(struct rego_call *call, struct value *ret)
{
    return trim_ends(call, text(call, 1), false, true, ret);
}
static enum rego_outcome trim_prefix(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0), prefix = text(call, 1);
    return rego_give_text(call, str_starts(s, prefix) ? str_sub(s, prefix.len, s.len) : s, ret);
}
static enum rego_outcome trim_suffix(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0), suffix = text(call, 1);
    return rego_give_text(call, str_ends(s, suffix) ? str_sub(s, 0, s.len - suffix.len) : s, ret);
}

/* Unicode's White_Space, as Go trims. */
static const char spaces[] =
    "\t\n\v\f\r \xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x81\xe2\x80\x82\xe2\x80\x83"
    "\xe2\x80\x84\xe2\x80\x85\xe2\x80\x86\xe2\x80\x87\xe2\x80\x88\xe2\x80\x89\xe2\x80\x8a"
    "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80";

static enum rego_outcome trim_space(struct rego_call *call, struct value *ret)
{
    return trim_ends(call, (struct str){spaces, sizeof spaces - 1}, true, true, ret);
}

/* --- case: one code point to one, as Go has it --- */

static enum rego_outcome change_case(struct rego_call *call, ucs4_t (*change)(ucs4_t),
                                     struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str s = text(call, 0);
    char bytes[4];
    for (size_t at = 0; at < s.len;)
        buf_add(&out, bytes, utf8_put(change(utf8_next(s, &at)), bytes));
    return rego_give_buf(call, &out, ret);
}
static enum rego_outcome lower(struct rego_call *call, struct value *ret)
{
    return change_case(call, uc_tolower, ret);
}
static enum rego_outcome upper(struct rego_call *call, struct value *ret)
{
    return change_case(call, uc_toupper, ret);
}

#define STRINGS "string | set[string] | array[string]"
static const struct rego_builtin table[] = {
    {"startswith", NULL, "(string, string) => boolean", startswith, 0},
    {"endswith", NULL, "(string, string) => boolean", endswith, 0},
    {"contains", NULL, "(string, string) => boolean", contains, 0},
    {"strings.any_prefix_match", NULL, "(" STRINGS ", " STRINGS ") => boolean", any_prefix, 0},
    {"strings.any_suffix_match", NULL, "(" STRINGS ", " STRINGS ") => boolean", any_suffix, 0},
    {"concat", NULL, "(string, array[string] | set[string]) => string", concat, 0},
    {"indexof", NULL, "(string, string) => number", indexof, 0},
    {"indexof_n", NULL, "(string, string) => array[number]", indexof_n, 0},
    {"substring", NULL, "(string, number, number) => string", substring, 0},
    {"strings.reverse", NULL, "(string) => string", reverse, 0},
    {"split", NULL, "(string, string) => array[string]", split, 0},
    {"strings.split_n", NULL, "(string, string, number) => array[string]", split_n, 0},
    {"strings.count", NULL, "(string, string) => number", count, 0},
    {"replace", NULL, "(string, string, string) => string", replace, 0},
    {"strings.replace_n", NULL, "(object[string: string], string) => string", replace_n, 0},
    {"trim", NULL, "(string, string) => string", trim, 0},
    {"trim_left", NULL, "(string, string) => string", trim_left, 0},
    {"trim_right", NULL, "(string, string) => string", trim_right, 0},
    {"trim_prefix", NULL, "(string, string) => string", trim_prefix, 0},
    {"trim_suffix", NULL, "(string, string) => string", trim_suffix, 0},
    {"trim_space", NULL, "(string) => string", trim_space, 0},
    {"lower", NULL, "(string) => string", lower, 0},
    {"upper", NULL, "(string) => string", upper, 0},
};
const struct rego_family builtin_string = {table, sizeof table / sizeof *table};
