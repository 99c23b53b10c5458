/* ops.c - equality, order, sets, attributes and indexes, with unknowns and marks as cty has them.
 */
#include "lang/hcl/ops.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "lang/hcl/decimal.h"
#include "lang/hcl/hcl_number.h"
#include "lang/hcl/types.h"
#include "value/number.h"

bool hcl_fail(struct hcl_eval *ev, struct hcl_range subject, const char *summary, const char *fmt,
              ...)
{
    va_list args;
    va_start(args, fmt);
    struct str detail = arena_vprintf(ev->arena, fmt, args);
    va_end(args);
    hcl_diag_add(ev->diags, ev->file, ev->text, false, subject, str_from(summary), "%.*s",
                 STR_ARG(detail));
    return false;
}

struct value hcl_unknown_not_null(struct arena *arena, const struct type *type)
{
    static const struct value_unknown text = {
        .type = &type_string, .not_null = true, .len_least = -1, .len_most = -1};
    if (type == &type_string)
        return value_unknown(&text);
    struct value_unknown *known = arena_new(arena, struct value_unknown, 1);
    if (!known)
        return value_unknown(NULL);
    *known =
        (struct value_unknown){.type = type, .not_null = true, .len_least = -1, .len_most = -1};
    return value_unknown(known);
}

struct value hcl_unknown_length(struct arena *arena, const struct type *type, int64_t least,
                                int64_t most)
{
    static const enum value_kind kinds[] = {
        [TYPE_LIST] = VALUE_LIST, [TYPE_SET] = VALUE_SET, [TYPE_MAP] = VALUE_MAP};
    struct value_unknown *known = arena_new(arena, struct value_unknown, 1);
    bool counted =
        most >= 0 && (most == 0 || (least == most && (type->kind == TYPE_LIST ||
                                                      (type->kind == TYPE_SET && most == 1))));
    if (!known)
        return value_unknown(NULL);
    if (counted) {
        struct value *items = arena_new(arena, struct value, (size_t)most);
        for (int64_t i = 0; items && i < most; i++)
            items[i] = hcl_unknown(arena, type->elem);
        struct value v = value_items(kinds[type->kind], items, items ? (size_t)most : 0);
        if (v.len == 0)
            v.type = type->elem;
        return v;
    }
    *known = (struct value_unknown){
        .type = type, .not_null = true, .len_least = least > 0 ? least : 0, .len_most = most};
    return value_unknown(known);
}

bool hcl_is_null(const struct value *v)
{
    return v->kind == VALUE_NULL;
}

bool hcl_never_null(const struct value *v)
{
    return v->kind == VALUE_UNKNOWN ? v->unknown && v->unknown->not_null : v->kind != VALUE_NULL;
}

/* What follows may combine with the last grapheme cluster, unless that is one of these. */
struct str hcl_safe_prefix(struct str text)
{
    enum { PREFIX_MAX = 128 };
    static const char ends[] = "-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'";
    size_t last = 0, at = 0;
    if (text.len > PREFIX_MAX) {
        text.len = PREFIX_MAX;
        while (text.len && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
            text.len--;
    }
    while (at < text.len) {
        last = at;
        at = utf8_cluster(text, at);
    }
    bool ended = at == last + 1 && strchr(ends, text.ptr[last]);
    return str_sub(text, 0, ended ? at : last);
}

/* --- marks --- */

static uint8_t marks_at(const struct value *v, unsigned depth_left)
{
    uint8_t marks = v->marks;
    if (depth_left == 0)
        return marks;
    for (uint32_t i = 0; i < v->len; i++) {
        if (value_is_list_like(v))
            marks |= marks_at(&v->items[i], depth_left - 1);
        else if (value_is_object_like(v))
            marks |= marks_at(&v->members[i].value, depth_left - 1);
        else
            break;
    }
    return marks;
}

uint8_t hcl_deep_marks(const struct value *v)
{
    return marks_at(v, VALUE_DEPTH_MAX);
}

static bool unmark_at(struct arena *arena, const struct value *v, unsigned depth_left,
                      struct value *ret)
{
    *ret = *v;
    ret->marks = 0;
    if (depth_left == 0)
        return false;
    if (value_is_list_like(v) && v->len) {
        struct value *items = arena_new(arena, struct value, v->len);
        for (uint32_t i = 0; items && i < v->len; i++)
            if (!unmark_at(arena, &v->items[i], depth_left - 1, &items[i]))
                return false;
        ret->items = items;
        return items;
    }
    if (value_is_object_like(v) && v->len) {
        struct value_member *members = arena_new(arena, struct value_member, v->len);
        for (uint32_t i = 0; members && i < v->len; i++) {
            members[i].key = v->members[i].key;
            if (!unmark_at(arena, &v->members[i].value, depth_left - 1, &members[i].value))
                return false;
        }
        ret->members = members;
        return members;
    }
    return true;
}

bool hcl_unmark_deep(struct arena *arena, const struct value *v, struct value *ret,
                     uint8_t *ret_marks)
{
    *ret_marks |= hcl_deep_marks(v);
    if (*ret_marks == 0) {
        *ret = *v;
        return true;
    }
    return unmark_at(arena, v, VALUE_DEPTH_MAX, ret);
}

/* --- equality --- */

enum truth { FALSE_, TRUE_, MAYBE };

static enum truth equals_at(struct arena *arena, const struct value *a, const struct value *b,
                            unsigned depth_left);

static enum type_kind kind_of(const struct value *v)
{
    static const enum type_kind kinds[] = {
        [VALUE_BOOL] = TYPE_BOOL,   [VALUE_NUMBER] = TYPE_NUMBER, [VALUE_STRING] = TYPE_STRING,
        [VALUE_LIST] = TYPE_LIST,   [VALUE_SET] = TYPE_SET,       [VALUE_MAP] = TYPE_MAP,
        [VALUE_TUPLE] = TYPE_TUPLE, [VALUE_OBJECT] = TYPE_OBJECT};
    return kinds[v->kind];
}

/* a is unknown: may it turn out to be b? */
static enum truth unknown_equals(const struct value *a, const struct value *b)
{
    const struct value_unknown *known = a->unknown;
    if (!known)
        return MAYBE;
    if (b->kind == VALUE_NULL)
        return known->not_null ? FALSE_ : MAYBE;
    if (known->type && known->type->kind != TYPE_DYNAMIC && known->type->kind != kind_of(b))
        return FALSE_;
    if (b->kind == VALUE_STRING && !str_starts(value_text(b), known->prefix))
        return FALSE_;
    if (b->kind == VALUE_NUMBER && ((known->least && number_compare(b, known->least) < 0) ||
                                    (known->most && number_compare(b, known->most) > 0)))
        return FALSE_;
    bool collection = b->kind == VALUE_LIST || b->kind == VALUE_MAP;
    if (collection && ((known->len_least >= 0 && b->len < known->len_least) ||
                       (known->len_most >= 0 && b->len > known->len_most)))
        return FALSE_;
    return MAYBE;
}

static enum truth both(enum truth so_far, enum truth next)
{
    return so_far == FALSE_ || next == FALSE_ ? FALSE_ : so_far == MAYBE ? MAYBE : next;
}

static enum truth parts_equal(struct arena *arena, const struct value *a, const struct value *b,
                              unsigned depth_left)
{
    enum truth all = TRUE_;
    if (a->len != b->len)
        return FALSE_;
    for (uint32_t i = 0; i < a->len && all != FALSE_; i++) {
        if (value_is_list_like(a)) {
            all = both(all, equals_at(arena, &a->items[i], &b->items[i], depth_left));
            continue;
        }
        if (!key_equal(a->members[i].key, b->members[i].key))
            return FALSE_;
        all = both(all, equals_at(arena, &a->members[i].value, &b->members[i].value, depth_left));
    }
    return all;
}

static enum truth equals_at(struct arena *arena, const struct value *a, const struct value *b,
                            unsigned depth_left)
{
    if (depth_left == 0)
        return MAYBE;
    if (a->kind == VALUE_UNKNOWN)
        return b->kind == VALUE_UNKNOWN ? MAYBE : unknown_equals(a, b);
    if (b->kind == VALUE_UNKNOWN)
        return unknown_equals(b, a);
    if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
        return a->kind == b->kind ? TRUE_ : FALSE_;
    if (a->kind != b->kind)
        return FALSE_;
    if (a->kind == VALUE_SET && (value_any_unknown(a) || value_any_unknown(b)))
        return MAYBE;
    if (value_is_list_like(a) || value_is_object_like(a))
        return parts_equal(arena, a, b, depth_left - 1);
    return value_equal(a, b) ? TRUE_ : FALSE_;
}

struct value hcl_equals(struct arena *arena, const struct value *a, const struct value *b)
{
    uint8_t marks = hcl_deep_marks(a) | hcl_deep_marks(b);
    const struct type *type_a = hcl_type_of(arena, a), *type_b = hcl_type_of(arena, b);
    bool nulls = a->kind == VALUE_NULL || b->kind == VALUE_NULL;
    enum truth truth = MAYBE;
    bool same = type_a && type_b && type_equal(type_a, type_b);
    bool open = type_a && type_b && (type_has_dynamic(type_a) || type_has_dynamic(type_b));
    if (nulls || same || (open && a->kind == b->kind) ||
        (open && (a->kind == VALUE_UNKNOWN || b->kind == VALUE_UNKNOWN)))
        truth = equals_at(arena, a, b, VALUE_DEPTH_MAX);
    else
        truth = FALSE_;
    struct value result =
        truth == MAYBE ? hcl_unknown_not_null(arena, &type_bool) : value_bool(truth == TRUE_);
    return hcl_with_marks(result, marks);
}

/* --- order --- */

static const struct value *bound(const struct value *v, bool least)
{
    if (v->kind != VALUE_UNKNOWN)
        return v;
    return !v->unknown ? NULL : least ? v->unknown->least : v->unknown->most;
}

struct value hcl_compare(struct arena *arena, enum hcl_token_kind op, const struct value *a,
                         const struct value *b)
{
    bool or_equal = op == HCL_LE || op == HCL_GE;
    const struct value *low = op == HCL_LT || op == HCL_LE ? a : b, *high = low == a ? b : a;
    const struct value *low_most = bound(low, false), *low_least = bound(low, true);
    const struct value *high_most = bound(high, false), *high_least = bound(high, true);
    /* the answer is low < high (or <=) */
    if (low_most && high_least) {
        int order = number_compare(low_most, high_least);
        if (order < 0 || (or_equal && order == 0))
            return value_bool(true);
    }
    if (low_least && high_most) {
        int order = number_compare(low_least, high_most);
        if (order > 0 || (!or_equal && order == 0))
            return value_bool(false);
    }
    return hcl_unknown_not_null(arena, &type_bool);
}

/* --- sets --- */

bool hcl_make_set(struct arena *arena, const struct type *elem, struct value *items, size_t n,
                  struct value *ret)
{
    uint8_t marks = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t own = 0;
        if (!hcl_unmark_deep(arena, &items[i], &items[i], &own))
            return false;
        marks |= own;
    }
    size_t known = 0;
    for (size_t i = 0; i < n; i++) /* what is not known is equal to nothing */
        if (hcl_wholly_known(&items[i])) {
            struct value first = items[known];
            items[known++] = items[i];
            items[i] = first;
        }
    size_t kept = value_set_normalise(items, known);
    if (known < n)
        memmove(items + kept, items + known, (n - known) * sizeof *items);
    kept += n - known;
    *ret = value_items(VALUE_SET, items, kept);
    if (kept == 0)
        ret->type = elem;
    ret->marks = marks;
    return true;
}

/* Quoted as Go does: what does not print is escaped, and so comes with the backslash. */
static void order_quote(struct buf *out, struct str s)
{
    static const char names[] = "abtnvfr"; /* 7 to 13 */
    buf_char(out, '"');
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", (int)c);
        else if (c >= 7 && c <= 13)
            buf_printf(out, "\\%c", names[c - 7]);
        else if (c < ' ' || c == 127)
            buf_printf(out, "\\x%02x", c);
        else if (!unicode_prints(c))
            buf_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        else
            buf_str(out, str_sub(s, from, at));
    }
    buf_char(out, '"');
}

/* Ten digits, as String of math/big's Float has them. */
static void order_number(struct buf *out, struct arena *arena, const struct value *v)
{
    if (hcl_is_infinite(v)) {
        buf_str(out, v->text[0] == '-' ? STR("-Inf") : STR("+Inf"));
        return;
    }
    struct hcl_decimal d;
    mpfr_t x;
    if (hcl_number_read(x, v) && hcl_decimal_round(arena, x, 10, &d)) {
        if (d.negative)
            buf_char(out, '-');
        hcl_decimal_put_general(out, &d, 10, 'e');
    }
    mpfr_clear(x);
}

/* The bytes that cty orders compound elements by (facts/hcl.md section 5 "Set order"). */
static void order_text(struct buf *out, struct arena *arena, const struct value *v,
                       unsigned depth_left)
{
    static const char *const open[] = {[VALUE_LIST] = "[",
                                       [VALUE_TUPLE] = "<",
                                       [VALUE_SET] = "[",
                                       [VALUE_MAP] = "{",
                                       [VALUE_OBJECT] = "<"};
    static const char *const close[] = {[VALUE_LIST] = "]",
                                        [VALUE_TUPLE] = ">",
                                        [VALUE_SET] = "]",
                                        [VALUE_MAP] = "}",
                                        [VALUE_OBJECT] = ">"};
    if (v->kind == VALUE_NULL || v->kind == VALUE_UNKNOWN || depth_left == 0) {
        buf_char(out, v->kind == VALUE_NULL ? '~' : '?');
    } else if (v->kind == VALUE_BOOL) {
        buf_char(out, v->truth ? 'T' : 'F');
    } else if (v->kind == VALUE_NUMBER) {
        order_number(out, arena, v);
    } else if (v->kind == VALUE_STRING) {
        order_quote(out, value_text(v));
    } else {
        const struct value *items = value_is_list_like(v) ? hcl_elements(arena, v) : NULL;
        buf_str(out, str_from(open[v->kind]));
        for (uint32_t i = 0; i < v->len; i++) {
            if (v->kind == VALUE_MAP) {
                order_quote(out, key_str(v->members[i].key));
                buf_char(out, ':');
            }
            const struct value *part = value_is_object_like(v) ? &v->members[i].value
                                       : items                 ? &items[i]
                                                               : &v->items[i];
            order_text(out, arena, part, depth_left - 1);
            buf_char(out, ';');
        }
        buf_str(out, str_from(close[v->kind]));
    }
}

struct ordered {
    struct str text;
    int rank; /* known 0, unknown 1, null 2 */
    const struct value *item;
};

static int by_order(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank - y->rank;
    bool compound = value_is_list_like(x->item) || value_is_object_like(x->item);
    return compound ? str_compare(x->text, y->text) : value_compare(x->item, y->item);
}

const struct value *hcl_elements(struct arena *arena, const struct value *v)
{
    if (v->kind != VALUE_SET || v->len < 2)
        return v->items;
    struct ordered *sorted = arena_new(arena, struct ordered, v->len);
    struct value *items = arena_new(arena, struct value, v->len);
    if (!sorted || !items)
        return NULL;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value *item = &v->items[i];
        AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
        if (value_is_list_like(item) || value_is_object_like(item))
            order_text(&text, arena, item, VALUE_DEPTH_MAX);
        sorted[i] = (struct ordered){.text = arena_dup(arena, buf_view(&text)),
                                     .rank = item->kind == VALUE_NULL      ? 2
                                             : item->kind == VALUE_UNKNOWN ? 1
                                                                           : 0,
                                     .item = item};
    }
    qsort(sorted, v->len, sizeof *sorted, by_order);
    for (uint32_t i = 0; i < v->len; i++)
        items[i] = *sorted[i].item;
    return items;
}

/* --- attributes and indexes --- */

static struct value element_unknown(struct hcl_eval *ev, const struct type *type)
{
    return hcl_unknown(ev->arena, type);
}

static bool attribute_of_type(struct hcl_eval *ev, const struct type *type, struct str name,
                              struct hcl_range subject, struct value *ret)
{
    static const char unsupported[] = "Unsupported attribute";
    if (type->kind == TYPE_DYNAMIC) {
        *ret = hcl_any();
        return true;
    }
    if (type->kind == TYPE_OBJECT) {
        const struct type_member *member = type_find_member(type, name);
        if (!member)
            return hcl_fail(ev, subject, unsupported,
                            "This object does not have an attribute named \"%.*s\".",
                            STR_ARG(name));
        *ret = element_unknown(ev, member->type);
        return true;
    }
    if (type->kind == TYPE_MAP) {
        *ret = element_unknown(ev, type->elem);
        return true;
    }
    bool sequence = type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_TUPLE;
    if (sequence && type->kind != TYPE_TUPLE && type->elem->kind == TYPE_OBJECT)
        return hcl_fail(ev, subject, unsupported,
                        "Can't access attributes on a %s of objects. Did you mean to access "
                        "attribute \"%.*s\" for a specific element of the %s, or across all "
                        "elements of the %s?",
                        type->kind == TYPE_SET ? "set" : "list", STR_ARG(name),
                        type->kind == TYPE_SET ? "set" : "list",
                        type->kind == TYPE_SET ? "set" : "list");
    if (sequence)
        return hcl_fail(ev, subject, unsupported, "This value does not have any attributes.");
    return hcl_fail(ev, subject, unsupported,
                    "Can't access attributes on a primitive-typed value (%.*s).",
                    STR_ARG(hcl_type_name(ev->arena, type)));
}

bool hcl_get_attribute(struct hcl_eval *ev, const struct value *v, struct str name,
                       struct hcl_range subject, struct value *ret)
{
    uint8_t marks = v->marks;
    *ret = hcl_any();
    if (v->kind == VALUE_NULL) {
        /* what the type alone forbids is said first, as validation would */
        const struct type *type = v->type ? v->type : &type_dynamic;
        return attribute_of_type(ev, type, name, subject, ret) &&
               hcl_fail(ev, subject, "Attempt to get attribute from null value",
                        "This value is null, so it does not have any attributes.");
    }
    const struct value *member = value_get(v, name);
    if (member) {
        *ret = *member;
    } else if (v->kind == VALUE_OBJECT && v->form == OBJECT_OPEN) {
        *ret = hcl_any();
    } else if (v->kind == VALUE_MAP) {
        return hcl_fail(ev, subject, "Missing map element",
                        "This map does not have an element with the key \"%.*s\".", STR_ARG(name));
    } else {
        const struct type *type = hcl_type_of(ev->arena, v);
        if (!type || !attribute_of_type(ev, type, name, subject, ret))
            return false;
    }
    ret->marks |= marks;
    return true;
}

static bool no_such_index(struct hcl_eval *ev, struct hcl_range subject, const char *why)
{
    return hcl_fail(ev, subject, "Invalid index",
                    "The given key does not identify an element in this collection value%s%s.",
                    *why ? ": " : "", why);
}

/* v is a known list, tuple, map or object; key known, not null, of the right type. */
static bool index_known(struct hcl_eval *ev, const struct value *v, const struct value *key,
                        bool by_number, struct hcl_range subject, struct value *ret)
{
    if (value_is_object_like(v)) {
        const struct value *member = value_get(v, value_text(key));
        bool open = v->kind == VALUE_OBJECT && v->form == OBJECT_OPEN;
        if (!member && !open)
            return hcl_fail(ev, subject, "Invalid index",
                            "The given key does not identify an element in this collection "
                            "value.%s",
                            v->kind == VALUE_OBJECT && by_number
                                ? " An object only supports looking up attributes by name, not by "
                                  "numeric index."
                                : "");
        *ret = member ? *member : hcl_any();
        return true;
    }
    int64_t i;
    if (!value_to_int64(key, &i))
        return no_such_index(ev, subject, "indexing a sequence requires a whole number");
    if (i < 0)
        return no_such_index(ev, subject, "a negative number is not a valid index for a sequence");
    if (i >= v->len)
        return no_such_index(
            ev, subject,
            v->len ? "the given index is greater than or equal to the length of the collection"
                   : "the collection has no elements");
    *ret = v->items[i];
    return true;
}

static bool index_unknown(struct hcl_eval *ev, const struct type *type, struct value *ret)
{
    bool collection = type->kind == TYPE_LIST || type->kind == TYPE_MAP;
    *ret = collection ? element_unknown(ev, type->elem) : hcl_any();
    return true;
}

/* A tuple that is unknown still has members of known types; of an object nothing is said. */
static bool index_type(struct hcl_eval *ev, const struct type *type, const struct value *key,
                       struct hcl_range subject, struct value *ret)
{
    int64_t i;
    if (type->kind == TYPE_OBJECT)
        return index_unknown(ev, type, ret);
    if (type->kind == TYPE_TUPLE) {
        if (!value_to_int64(key, &i) || i < 0 || i >= type->n)
            return no_such_index(ev, subject, "");
        *ret = element_unknown(ev, type->items[i]);
        return true;
    }
    return index_unknown(ev, type, ret);
}

/* Its type; of what is known only the kind of it, since that of ten thousand elements is as long as
 * they are. */
static const struct type *outer_type(struct arena *arena, const struct value *v)
{
    static const struct type kinds[] = {[VALUE_LIST] = {.kind = TYPE_LIST},
                                        [VALUE_SET] = {.kind = TYPE_SET},
                                        [VALUE_MAP] = {.kind = TYPE_MAP},
                                        [VALUE_OBJECT] = {.kind = TYPE_OBJECT},
                                        [VALUE_TUPLE] = {.kind = TYPE_TUPLE}};
    return value_is_list_like(v) || value_is_object_like(v) ? &kinds[v->kind]
                                                            : hcl_type_of(arena, v);
}

bool hcl_index(struct hcl_eval *ev, const struct value *v, const struct value *key,
               struct hcl_range subject, struct value *ret)
{
    uint8_t marks = v->marks | key->marks;
    struct str why = {0};
    *ret = hcl_with_marks(hcl_any(), marks);
    const struct type *type = outer_type(ev->arena, v);
    if (!type)
        return false;
    if (v->kind == VALUE_NULL && type->kind == TYPE_DYNAMIC)
        return hcl_fail(ev, subject, "Attempt to index null value",
                        "This value is null, so it does not have any indices.");
    if (key->kind == VALUE_NULL)
        return hcl_fail(ev, subject, "Invalid index", "Can't use a null value as an indexing key.");
    if (type->kind == TYPE_DYNAMIC && v->kind != VALUE_NULL)
        return true;
    if (type->kind == TYPE_OBJECT) /* the key picks an attribute, and leaves no mark on it */
        marks = v->marks;
    if (type->kind == TYPE_SET)
        return hcl_fail(ev, subject, "Invalid index",
                        "Elements of a set are identified only by their value and don't have any "
                        "separate index or key to select with, so it's only possible to perform "
                        "operations across all elements of the set.");
    bool sequence = type->kind == TYPE_LIST || type->kind == TYPE_TUPLE;
    if (!sequence && type->kind != TYPE_MAP && type->kind != TYPE_OBJECT &&
        type->kind != TYPE_DYNAMIC)
        return hcl_fail(ev, subject, "Invalid index", "This value does not have any indices.");
    struct value want;
    if (!hcl_convert(ev->arena, key, sequence ? &type_number : &type_string, &want, &why))
        return hcl_fail(
            ev, subject, "Invalid index",
            "The given key does not identify an element in this collection value: %.*s.",
            STR_ARG(why));
    if (v->kind == VALUE_NULL)
        return hcl_fail(ev, subject, "Attempt to index null value",
                        "This value is null, so it does not have any indices.");
    if (key->kind == VALUE_UNKNOWN && !(key->unknown && key->unknown->type))
        return true; /* a key of any type: so is what it picks */
    if (want.kind == VALUE_UNKNOWN && !(type = hcl_type_of(ev->arena, v)))
        return false;
    bool ok = want.kind == VALUE_UNKNOWN ? index_unknown(ev, type, ret)
              : v->kind == VALUE_UNKNOWN
                  ? index_type(ev, type, &want, subject, ret)
                  : index_known(ev, v, &want, key->kind == VALUE_NUMBER, subject, ret);
    if (!ok)
        *ret = hcl_any();
    ret->marks |= marks;
    return ok;
}
