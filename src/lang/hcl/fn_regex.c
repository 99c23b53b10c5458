/* fn_regex.c - regex and regexall, and replace with /pattern/: the walk over matches is Go's. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/regex_re2.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "lang/hcl/function.h"
#include "lang/hcl/ops.h"

static void close_regex(struct regex **regex)
{
    if (*regex)
        regex_close(*regex);
}
#define AUTO_REGEX __attribute__((cleanup(close_regex))) struct regex

/* Count what one search may cost; long texts with many matches are refused that way. */
static bool spend_search(struct hcl_call *call, struct str s, size_t from)
{
    return hcl_call_spend(call, 1 + (s.len - from) / 1024);
}

/* Where the next search begins behind a match that ends where it began. */
static size_t step_over(struct str s, size_t at)
{
    if (at >= s.len)
        return s.len + 1;
    (void)utf8_next(s, &at);
    return at;
}

/* --- regex, regexall --- */

enum shape { SHAPE_MIXED, SHAPE_WHOLE, SHAPE_TUPLE, SHAPE_OBJECT };

static enum shape shape_of(const struct regex *regex)
{
    size_t groups = regex_groups(regex), named = 0;
    for (size_t i = 1; i <= groups; i++)
        named += regex_group_name(regex, i).ptr != NULL;
    return groups == 0      ? SHAPE_WHOLE
           : named == 0     ? SHAPE_TUPLE
           : named < groups ? SHAPE_MIXED
                            : SHAPE_OBJECT;
}

static const struct type *type_of_match(struct arena *arena, const struct regex *regex,
                                        enum shape shape)
{
    size_t n = regex_groups(regex);
    if (shape == SHAPE_WHOLE)
        return &type_string;
    struct value *items = arena_new(arena, struct value, n), match;
    struct value_member *members = arena_new(arena, struct value_member, n);
    for (size_t i = 0; items && members && i < n; i++) {
        items[i] = members[i].value = hcl_null(&type_string);
        if (shape == SHAPE_OBJECT)
            members[i].key = key_make(arena, regex_group_name(regex, i + 1));
    }
    if (!items || !members)
        return NULL;
    match = value_items(VALUE_TUPLE, items, n);
    if (shape == SHAPE_OBJECT && !hcl_last_wins(arena, members, n, &match))
        return NULL;
    return hcl_type_of(arena, &match);
}

/* A match as the value that the pattern's groups ask for. */
static bool value_of_match(struct arena *arena, const struct regex *regex, enum shape shape,
                           const struct str *group, struct value *ret)
{
    size_t n = regex_groups(regex);
    struct value *items = arena_new(arena, struct value, n + 1);
    for (size_t i = 0; items && i <= n; i++) {
        struct str text = group[i].ptr ? utf8_nfc(arena, group[i]) : group[i];
        items[i] = group[i].ptr ? value_string(text) : hcl_null(&type_string);
        if (group[i].ptr && !text.ptr)
            return false;
    }
    if (!items)
        return false;
    if (shape == SHAPE_WHOLE)
        *ret = items[0];
    else if (shape == SHAPE_TUPLE)
        *ret = value_items(VALUE_TUPLE, items + 1, n);
    if (shape != SHAPE_OBJECT)
        return true;
    struct value_member *members = arena_new(arena, struct value_member, n);
    for (size_t i = 0; members && i < n; i++)
        members[i] = (struct value_member){.key = key_make(arena, regex_group_name(regex, i + 1)),
                                           .value = items[i + 1]};
    return members && hcl_last_wins(arena, members, n, ret); /* a name may stand twice */
}

static struct regex *open_pattern(struct hcl_call *call, enum shape *ret_shape)
{
    char why[200] = "";
    struct regex *regex = regex_open(value_text(&call->arg[0]), why, sizeof why);
    if (!regex) {
        (void)hcl_call_fail(call, 0, "invalid regexp pattern: %s", why);
        return NULL;
    }
    *ret_shape = shape_of(regex);
    if (*ret_shape != SHAPE_MIXED)
        return regex;
    (void)hcl_call_fail(call, 0,
                        "invalid regexp pattern: cannot mix both named and unnamed capture groups");
    regex_close(regex);
    return NULL;
}

static bool run_regex(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    enum shape shape = SHAPE_MIXED;
    AUTO_REGEX *regex = open_pattern(call, &shape);
    if (!regex)
        return false;
    if (call->arg[1].kind == VALUE_UNKNOWN) {
        *ret = hcl_unknown_not_null(arena, type_of_match(arena, regex, shape));
        return true;
    }
    size_t n = regex_groups(regex) + 1;
    struct str *group = arena_new(arena, struct str, n), s = value_text(&call->arg[1]);
    if (!group || !spend_search(call, s, 0))
        return false;
    if (!regex_match(regex, s, 0, group, n))
        return hcl_call_fail(call, -1, "pattern did not match any part of the given string");
    return value_of_match(arena, regex, shape, group, ret);
}

static bool all_matches(struct hcl_call *call, const struct regex *regex, enum shape shape,
                        struct value *ret)
{
    struct arena *arena = call->ev->arena;
    struct str s = value_text(&call->arg[1]);
    size_t width = regex_groups(regex) + 1, n = 0, room = 0, last_end = SIZE_MAX;
    struct str *group = arena_new(arena, struct str, width);
    struct value *items = NULL;
    for (size_t at = 0; group && at <= s.len;) {
        if (!spend_search(call, s, at))
            return false;
        if (!regex_match(regex, s, at, group, width))
            break;
        size_t start = (size_t)(group[0].ptr - s.ptr), end = start + group[0].len;
        bool again = end == at && start == last_end; /* nothing right behind a match: no match */
        at = end == at ? step_over(s, at) : end;
        last_end = end;
        if (again)
            continue;
        items = arena_grow(arena, items, n, &room, n + 1);
        if (!items || !hcl_call_bound(call, n + 1) ||
            !value_of_match(arena, regex, shape, group, &items[n++]))
            return false;
    }
    *ret = value_items(VALUE_LIST, items, n);
    if (n == 0)
        ret->type = type_of_match(arena, regex, shape);
    return group;
}

static bool run_regexall(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    enum shape shape = SHAPE_MIXED;
    AUTO_REGEX *regex = open_pattern(call, &shape);
    if (!regex)
        return false;
    if (call->arg[1].kind != VALUE_UNKNOWN)
        return all_matches(call, regex, shape, ret);
    const struct type *type = type_of_match(arena, regex, shape);
    *ret = hcl_unknown_not_null(arena, type ? type_collection(arena, TYPE_LIST, type) : NULL);
    return true;
}

/* --- replace --- */

struct reference {
    struct str name;
    size_t number; /* SIZE_MAX = it is a name */
};

/* The group that `$` is followed by at template[*at]; false: the `$` stands for itself. */
static bool read_reference(struct str template, size_t *at, struct reference *ret)
{
    size_t from = *at, to;
    bool brace = from < template.len && template.ptr[from] == '{';
    from += brace;
    for (to = from; to < template.len;) {
        size_t next = to;
        uint32_t c = utf8_next(template, &next);
        if (c != '_' && !unicode_is_letter(c) && !unicode_is_digit(c))
            break;
        to = next;
    }
    if (to == from || (brace && (to == template.len || template.ptr[to] != '}')))
        return false;
    *ret = (struct reference){.name = str_sub(template, from, to)};
    for (size_t i = 0; i < ret->name.len && ret->number != SIZE_MAX; i++) {
        char c = ret->name.ptr[i];
        bool digit = c >= '0' && c <= '9' && ret->number < 100000000;
        ret->number = digit ? ret->number * 10 + (size_t)(c - '0') : SIZE_MAX;
    }
    if (ret->name.ptr[0] == '0' && ret->name.len > 1)
        ret->number = SIZE_MAX;
    *at = to + brace;
    return true;
}

static void put_group(const struct regex *regex, const struct str *group, size_t n,
                      const struct reference *reference, struct buf *out)
{
    size_t i = reference->number;
    if (i == SIZE_MAX)
        for (i = 1; i < n; i++)
            if (group[i].ptr && str_equal(regex_group_name(regex, i), reference->name))
                break;
    if (i < n && group[i].ptr)
        buf_str(out, group[i]);
}

static void expand(const struct regex *regex, const struct str *group, size_t n,
                   struct str template, struct buf *out)
{
    for (size_t at = 0; at < template.len && !out->failed;) {
        size_t dollar = str_find_char(template, '$', at);
        struct reference reference;
        buf_str(out, str_sub(template, at, dollar));
        if (dollar == SIZE_MAX)
            return;
        at = dollar + 1;
        if (at < template.len && template.ptr[at] == '$') {
            buf_char(out, '$');
            at++;
        } else if (read_reference(template, &at, &reference)) {
            put_group(regex, group, n, &reference, out);
        } else {
            buf_char(out, '$');
        }
    }
}

bool hcl_regex_replace(struct hcl_call *call, struct str s, struct str pattern, struct str by,
                       struct buf *out)
{
    char why[200] = "";
    AUTO_REGEX *regex = regex_open(pattern, why, sizeof why);
    if (!regex)
        return hcl_call_fail(call, -1, "error parsing regexp: %s", why);
    size_t n = regex_groups(regex) + 1, last_end = 0;
    struct str *group = arena_new(call->ev->arena, struct str, n);
    if (!group)
        return false;
    for (size_t at = 0; at <= s.len && !out->failed;) {
        if (!spend_search(call, s, at))
            return false;
        if (!regex_match(regex, s, at, group, n))
            break;
        size_t start = (size_t)(group[0].ptr - s.ptr), end = start + group[0].len;
        buf_str(out, str_sub(s, last_end, start));
        if (end > last_end || start == 0)
            expand(regex, group, n, by, out);
        last_end = end;
        size_t next = step_over(s, at);
        at = next > end ? next : end;
    }
    buf_str(out, str_sub(s, last_end, s.len));
    return true;
}

static const struct hcl_function functions[] = {
    {.name = "regex",
     .param = {{"pattern", "string", 0}, {"string", "string", PARAM_UNKNOWN}},
     .run = run_regex},
    {.name = "regexall",
     .param = {{"pattern", "string", 0}, {"string", "string", PARAM_UNKNOWN}},
     .result = "list(any)",
     .run = run_regexall,
     .result_not_null = 1},
};

const struct hcl_function_family fn_regex = {functions, sizeof functions / sizeof *functions};
