/* fn_string.c - text: case, trimming, cutting, joining, searching. Characters are grapheme clusters
 * where Terraform counts them so, code points else. */
#include <string.h>
#include <unicase.h>
#include <unictype.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "lang/hcl/function.h"
#include "lang/hcl/ops.h"

static struct str text_arg(const struct hcl_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

/* --- case --- */

static bool map_letters(struct hcl_call *call, ucs4_t (*map)(ucs4_t), struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    struct str s = text_arg(call, 0);
    char bytes[4];
    for (size_t at = 0; at < s.len;)
        buf_add(&out, bytes, utf8_put(map(utf8_next(s, &at)), bytes));
    return hcl_call_buf(call, &out, ret);
}

static bool run_lower(struct hcl_call *call, struct value *ret)
{
    return map_letters(call, uc_tolower, ret);
}

static bool run_upper(struct hcl_call *call, struct value *ret)
{
    return map_letters(call, uc_toupper, ret);
}

/* What Go's strings.Title takes for the end of a word. */
static bool separates(uint32_t c)
{
    if (c < 0x80)
        return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 c == '_');
    return !unicode_is_letter(c) && !unicode_is_digit(c) && uc_is_property_white_space(c);
}

static bool run_title(struct hcl_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    struct str s = text_arg(call, 0);
    uint32_t before = ' ';
    char bytes[4];
    for (size_t at = 0; at < s.len;) {
        uint32_t c = utf8_next(s, &at);
        buf_add(&out, bytes, utf8_put(separates(before) ? unicode_title(c) : c, bytes));
        before = c;
    }
    return hcl_call_buf(call, &out, ret);
}

/* --- trimming --- */

/* Where the code point that ends at `at` begins. */
static size_t step_back(struct str s, size_t at)
{
    do
        at--;
    while (at > 0 && ((unsigned char)s.ptr[at] & 0xc0) == 0x80);
    return at;
}

/* s without the code points at its ends that `drop` names. */
static struct str trim_ends(struct str s, bool (*drop)(uint32_t, struct str), struct str set)
{
    size_t from = 0, to = s.len;
    for (size_t next = from; from < to; from = next)
        if (!drop(utf8_next(s, &next), set))
            break;
    while (to > from) {
        size_t before = step_back(s, to), at = before;
        if (!drop(utf8_next(s, &at), set))
            break;
        to = before;
    }
    return str_sub(s, from, to);
}

static bool in_set(uint32_t c, struct str set)
{
    for (size_t at = 0; at < set.len;)
        if (utf8_next(set, &at) == c)
            return true;
    return false;
}

static bool is_space(uint32_t c, struct str set)
{
    (void)set;
    return uc_is_property_white_space(c);
}

static bool run_trim(struct hcl_call *call, struct value *ret)
{
    struct str set = text_arg(call, 1), s = text_arg(call, 0);
    if (!hcl_call_spend(call, (uint64_t)set.len * s.len / 64))
        return false;
    return hcl_call_text(call, trim_ends(s, in_set, set), ret);
}

static bool run_trimspace(struct hcl_call *call, struct value *ret)
{
    return hcl_call_text(call, trim_ends(text_arg(call, 0), is_space, STR("")), ret);
}

static bool run_trimprefix(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0), prefix = text_arg(call, 1);
    return hcl_call_text(call, str_starts(s, prefix) ? str_sub(s, prefix.len, s.len) : s, ret);
}

static bool run_trimsuffix(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0), suffix = text_arg(call, 1);
    return hcl_call_text(call, str_ends(s, suffix) ? str_sub(s, 0, s.len - suffix.len) : s, ret);
}

static bool run_chomp(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0);
    while (s.len && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return hcl_call_text(call, s, ret);
}

/* --- grapheme clusters: substr, strrev --- */

/* Length in bytes of the first cluster of s; s is not empty. */
static size_t cluster(struct str s)
{
    return utf8_cluster(s, 0);
}

/* What follows the first n clusters. */
static struct str skip_clusters(struct str s, int64_t n)
{
    while (n-- > 0 && s.len)
        s = str_sub(s, cluster(s), s.len);
    return s;
}

static int64_t count_clusters(struct str s)
{
    int64_t n = 0;
    for (; s.len; n++)
        s = str_sub(s, cluster(s), s.len);
    return n;
}

static bool run_substr(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0);
    int64_t offset, length;
    if (!hcl_call_whole(call, 1, -1, "", &offset) || !hcl_call_whole(call, 2, -1, "", &length))
        return false;
    /* Length 0 behind a negative offset is the rest of the text in Terraform. */
    bool rest = length < 0 || (length == 0 && offset < 0);
    if (offset < 0)
        offset += count_clusters(s);
    s = skip_clusters(s, offset);
    if (!rest)
        s.len -= skip_clusters(s, length).len;
    return hcl_call_text(call, s, ret);
}

static bool run_strrev(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0);
    char *out = arena_new_raw(call->ev->arena, char, s.len + 1);
    for (size_t end = s.len; out && s.len;) {
        size_t n = cluster(s);
        memcpy(out + (end -= n), s.ptr, n);
        s = str_sub(s, n, s.len);
    }
    return hcl_call_text(call, (struct str){out, text_arg(call, 0).len}, ret);
}

/* --- split, join, replace, indent --- */

/* How far the next piece of s goes; *ret_next: where the one behind it begins. */
static size_t piece_end(struct str s, struct str separator, size_t from, size_t *ret_next)
{
    size_t end = from;
    if (separator.len == 0) {
        (void)utf8_next(s, &end);
        *ret_next = end;
        return end;
    }
    end = str_find(s, separator, from);
    *ret_next = end == SIZE_MAX ? SIZE_MAX : end + separator.len;
    return end == SIZE_MAX ? s.len : end;
}

static bool run_split(struct hcl_call *call, struct value *ret)
{
    struct str separator = text_arg(call, 0), s = text_arg(call, 1);
    struct value *items = NULL;
    size_t n = 0, room = 0, next = 0;
    bool more = separator.len > 0 || s.len > 0;
    for (size_t from = 0; more; from = next) {
        size_t end = piece_end(s, separator, from, &next);
        items = arena_grow(call->ev->arena, items, n, &room, n + 1);
        if (!items || !hcl_call_bound(call, n + 1))
            return false;
        struct str piece = utf8_nfc(call->ev->arena, str_sub(s, from, end));
        if (!piece.ptr && piece.len)
            return false;
        items[n++] = value_string(piece);
        more = separator.len ? next != SIZE_MAX : next < s.len;
    }
    *ret = value_items(VALUE_LIST, items, n);
    if (n == 0)
        ret->type = &type_string;
    return true;
}

/* Appends the strings of argument i; *first: whether a separator goes before the next one. */
static bool join_list(struct hcl_call *call, size_t i, bool *first, struct buf *out)
{
    const struct value *list = &call->arg[i];
    for (uint32_t k = 0; k < list->len; k++) {
        if (list->items[k].kind != VALUE_STRING && call->n > 2)
            return hcl_call_fail(call, (int)i,
                                 "element %u of list %zu is null; cannot concatenate null values",
                                 k, i);
        if (list->items[k].kind != VALUE_STRING)
            return hcl_call_fail(call, (int)i, "element %u is null; cannot concatenate null values",
                                 k);
        if (!*first)
            buf_str(out, text_arg(call, 0));
        buf_str(out, value_text(&list->items[k]));
        *first = false;
    }
    return true;
}

static bool run_join(struct hcl_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    bool first = true;
    if (call->n < 2)
        return hcl_call_fail(call, -1, "at least one list is required");
    for (size_t i = 1; i < call->n; i++)
        if (!hcl_wholly_known(&call->arg[i])) {
            *ret = hcl_unknown_not_null(call->ev->arena, &type_string);
            return true;
        }
    for (size_t i = 1; i < call->n; i++)
        if (!join_list(call, i, &first, &out))
            return false;
    return hcl_call_buf(call, &out, ret);
}

/* Every `old` of s by `new`; an empty `old` stands before each code point and at the end. */
static void replace_plain(struct str s, struct str old, struct str new, struct buf *out)
{
    if (old.len == 0) {
        for (size_t at = 0, from = 0; at < s.len; from = at) {
            (void)utf8_next(s, &at);
            buf_str(out, new);
            buf_str(out, str_sub(s, from, at));
        }
        buf_str(out, new);
        return;
    }
    for (size_t from = 0, at; from <= s.len && !out->failed; from = at + old.len) {
        at = str_find(s, old, from);
        if (at == SIZE_MAX) {
            buf_str(out, str_sub(s, from, s.len));
            return;
        }
        buf_str(out, str_sub(s, from, at));
        buf_str(out, new);
    }
}

static bool run_replace(struct hcl_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    struct str s = text_arg(call, 0), old = text_arg(call, 1), new = text_arg(call, 2);
    if (old.len > 1 && old.ptr[0] == '/' && old.ptr[old.len - 1] == '/') {
        if (!hcl_regex_replace(call, s, str_sub(old, 1, old.len - 1), new, &out))
            return false;
    } else {
        replace_plain(s, old, new, &out);
    }
    return hcl_call_buf(call, &out, ret);
}

static bool run_indent(struct hcl_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    struct str s = text_arg(call, 1);
    int64_t spaces;
    if (!hcl_call_whole(call, 0, -1, "", &spaces))
        return false;
    if (spaces < 0)
        return hcl_call_fail(call, -1, "the number of spaces must not be negative");
    if (spaces > HCL_TEXT_MAX && str_find(s, STR("\n"), 0) != SIZE_MAX)
        return hcl_call_fail(call, -1, "more than %d spaces", HCL_TEXT_MAX);
    for (size_t at = 0; at < s.len && !out.failed; at++) {
        buf_char(&out, s.ptr[at]);
        char *pad = s.ptr[at] == '\n' ? buf_room(&out, (size_t)spaces) : NULL;
        if (pad) {
            memset(pad, ' ', (size_t)spaces);
            out.len += (size_t)spaces;
        }
    }
    return hcl_call_buf(call, &out, ret);
}

/* --- startswith, endswith, strcontains --- */

static bool run_startswith(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0];
    struct str prefix = text_arg(call, 1);
    if (v->kind != VALUE_UNKNOWN) {
        *ret = value_bool(str_starts(value_text(v), prefix));
        return true;
    }
    struct str known = v->unknown ? v->unknown->prefix : STR("");
    if (prefix.len == 0 || str_starts(known, prefix))
        *ret = value_bool(true);
    else if (known.len >= prefix.len)
        *ret = value_bool(false);
    else
        *ret = hcl_unknown_not_null(call->ev->arena, &type_bool);
    return true;
}

static bool run_endswith(struct hcl_call *call, struct value *ret)
{
    *ret = value_bool(str_ends(text_arg(call, 0), text_arg(call, 1)));
    return true;
}

static bool run_strcontains(struct hcl_call *call, struct value *ret)
{
    *ret = value_bool(str_find(text_arg(call, 0), text_arg(call, 1), 0) != SIZE_MAX);
    return true;
}

#define ONE \
    { \
        "str", "string", 0 \
    }
#define TWO(second) \
    {"str", "string", 0}, \
    { \
        second, "string", 0 \
    }
#define TEXT(fn, ...) \
    { \
        .name = #fn, .param = {__VA_ARGS__}, .result = "string", .run = run_##fn, \
        .result_not_null = 1 \
    }

static const struct hcl_function functions[] = {
    TEXT(lower, ONE),
    TEXT(upper, ONE),
    TEXT(title, ONE),
    TEXT(trim, TWO("cutset")),
    TEXT(trimspace, ONE),
    TEXT(trimprefix, TWO("prefix")),
    TEXT(trimsuffix, TWO("suffix")),
    TEXT(chomp, ONE),
    TEXT(substr, {"str", "string", 0}, {"offset", "number", 0}, {"length", "number", 0}),
    TEXT(strrev, ONE),
    TEXT(replace, {"str", "string", 0}, {"substr", "string", 0}, {"replace", "string", 0}),
    TEXT(indent, {"spaces", "number", 0}, {"str", "string", 0}),
    {.name = "split",
     .param = {{"separator", "string", 0}, {"str", "string", 0}},
     .result = "list(string)",
     .run = run_split,
     .result_not_null = 1},
    {.name = "join",
     .param = {{"separator", "string", 0}},
     .rest = {"lists", "list(string)", 0},
     .result = "string",
     .run = run_join,
     .result_not_null = 1},
    {.name = "startswith",
     .param = {{"str", "string", PARAM_UNKNOWN}, {"prefix", "string", 0}},
     .result = "bool",
     .run = run_startswith,
     .result_not_null = 1},
    {.name = "endswith",
     .param = {TWO("suffix")},
     .result = "bool",
     .run = run_endswith,
     .result_not_null = 1},
    {.name = "strcontains", .param = {TWO("substr")}, .result = "bool", .run = run_strcontains},
};

const struct hcl_function_family fn_string = {functions, sizeof functions / sizeof *functions};
