/* fn_collection.c - looking into and joining lists, tuples, maps and objects. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "lang/hcl/function.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"

static const struct type *type_of_arg(struct hcl_call *call, size_t i)
{
    return hcl_type_of(call->ev->arena, &call->arg[i]);
}

static bool is_sequence(const struct type *t)
{
    return t->kind == TYPE_LIST || t->kind == TYPE_TUPLE || t->kind == TYPE_SET;
}

static struct str name_of(struct hcl_call *call, const struct type *t)
{
    return hcl_type_name(call->ev->arena, t);
}

/* --- length --- */

static int64_t graphemes(struct str s)
{
    int64_t n = 0;
    for (size_t at = 0; at < s.len; n++)
        at = utf8_cluster(s, at);
    return n;
}

static bool run_length(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0];
    const struct type *t = type_of_arg(call, 0);
    struct arena *arena = call->ev->arena;
    uint8_t marks = v->marks;
    int64_t n = -1;
    bool known = v->kind != VALUE_UNKNOWN;
    if (!t)
        return false;
    if (t->kind == TYPE_TUPLE || t->kind == TYPE_OBJECT)
        n = t->n;
    else if (known && v->kind == VALUE_STRING)
        n = graphemes(value_text(v));
    else if (known && (v->kind == VALUE_LIST || v->kind == VALUE_MAP ||
                       (v->kind == VALUE_SET && (hcl_wholly_known(v) || v->len == 1))))
        n = v->len;
    else if (!known && v->unknown && v->unknown->len_least >= 0 &&
             v->unknown->len_least == v->unknown->len_most)
        n = v->unknown->len_least;
    else if (t->kind == TYPE_NUMBER || t->kind == TYPE_BOOL)
        return hcl_call_fail(call, -1,
                             "argument must be a string, a collection type, or a structural type");
    *ret = n >= 0 ? value_int(n) : hcl_unknown_not_null(arena, &type_number);
    ret->precision = n >= 0 ? HCL_PREC_64 : 0;
    if (n < 0 && ret->unknown) {
        /* never negative, and what is known of the length */
        struct value_unknown *range = arena_new(arena, struct value_unknown, 1);
        struct value *bounds = arena_new(arena, struct value, 2);
        if (!range || !bounds)
            return false;
        *range = *ret->unknown;
        bool refined = !known && v->unknown;
        bounds[0] = value_int(refined && v->unknown->len_least > 0 ? v->unknown->len_least : 0);
        range->least = &bounds[0];
        range->least_inclusive = true;
        if (refined && v->unknown->len_most >= 0) {
            bounds[1] = value_int(v->unknown->len_most);
            range->most = &bounds[1];
            range->most_inclusive = true;
        }
        ret->unknown = range;
    }
    ret->marks = marks;
    return true;
}

/* --- element, index, contains --- */

static bool whole_number(struct hcl_call *call, size_t i, const char *what, int bad_arg,
                         int64_t *ret)
{
    if (value_to_int64(&call->arg[i], ret))
        return true;
    return hcl_call_fail(call, bad_arg,
                         "invalid %s: value must be a whole number, between "
                         "-9223372036854775808 and 9223372036854775807",
                         what);
}

static const struct type *element_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    int64_t i;
    if (!t || (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE)) {
        if (t)
            (void)hcl_call_fail(call, -1, "cannot read elements from %.*s",
                                STR_ARG(name_of(call, t)));
        return NULL;
    }
    if (t->kind == TYPE_LIST)
        return t->elem;
    if (call->arg[1].kind != VALUE_NUMBER)
        return &type_dynamic;
    if (t->n == 0) {
        (void)hcl_call_fail(call, -1, "cannot use element function with an empty list");
        return NULL;
    }
    if (!whole_number(call, 1, "index", -1, &i))
        return NULL;
    return t->items[((i % t->n) + t->n) % t->n];
}

static bool run_element(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    const struct type *type = element_type(call);
    int64_t i;
    if (!type)
        return false;
    if (list->kind == VALUE_UNKNOWN || call->arg[1].kind == VALUE_UNKNOWN) {
        *ret = hcl_with_marks(hcl_unknown(call->ev->arena, type), list->marks);
        return true;
    }
    if (list->len == 0)
        return hcl_call_fail(call, -1, "cannot use element function with an empty list");
    if (!whole_number(call, 1, "index", -1, &i))
        return false;
    i %= list->len;
    if (i < 0 && list->kind == VALUE_TUPLE)
        return hcl_call_fail(call, -1, "the index is negative");
    *ret = hcl_with_marks(list->items[i < 0 ? i + list->len : i], list->marks);
    return true;
}

static bool run_index(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    const struct type *t = type_of_arg(call, 0);
    if (!t || (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE))
        return hcl_call_fail(call, -1, "argument must be a list or tuple");
    if (list->len == 0)
        return hcl_call_fail(call, -1, "cannot search an empty list");
    for (uint32_t i = 0; i < list->len; i++) {
        struct value same = hcl_equals(call->ev->arena, &list->items[i], &call->arg[1]);
        if (same.kind == VALUE_UNKNOWN) {
            *ret = hcl_unknown_not_null(call->ev->arena, &type_number);
            return true;
        }
        if (same.truth) {
            *ret = value_int(i);
            ret->precision = HCL_PREC_64;
            return true;
        }
    }
    return hcl_call_fail(call, -1, "item not found");
}

static bool run_contains(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    const struct type *t = type_of_arg(call, 0);
    bool unknown = false;
    if (!t || !is_sequence(t))
        return hcl_call_fail(call, -1, "argument must be list, tuple, or set");
    *ret = value_bool(false);
    for (uint32_t i = 0; i < list->len; i++) {
        struct value same = hcl_equals(call->ev->arena, &list->items[i], &call->arg[1]);
        unknown = unknown || same.kind == VALUE_UNKNOWN;
        if (same.kind == VALUE_BOOL && same.truth) {
            *ret = value_bool(true);
            return true;
        }
    }
    if (unknown)
        *ret = hcl_unknown_not_null(call->ev->arena, &type_bool);
    return true;
}

/* --- lookup, keys, values --- */

static const struct type *lookup_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    struct value converted;
    if (call->n < 2 || call->n > 3) {
        (void)hcl_call_fail(call, -1, "lookup() takes two or three arguments, got %zu", call->n);
        return NULL;
    }
    if (!t)
        return NULL;
    if (t->kind == TYPE_OBJECT) {
        const struct type_member *m = call->arg[1].kind == VALUE_STRING
                                          ? type_find_member(t, value_text(&call->arg[1]))
                                          : NULL;
        if (call->arg[1].kind != VALUE_STRING)
            return &type_dynamic;
        if (m)
            return m->type;
        if (call->n == 3)
            return type_of_arg(call, 2);
        (void)hcl_call_fail(call, 0, "the given object has no attribute \"%.*s\"",
                            STR_ARG(value_text(&call->arg[1])));
        return NULL;
    }
    if (t->kind != TYPE_MAP) {
        (void)hcl_call_fail(call, 0, "lookup() requires a map as the first argument");
        return NULL;
    }
    if (call->n == 3 && !hcl_convert(call->ev->arena, &call->arg[2], t->elem, &converted, NULL)) {
        (void)hcl_call_fail(call, 2,
                            "the default value must have the same type as the map elements");
        return NULL;
    }
    return t->elem;
}

static bool run_lookup(struct hcl_call *call, struct value *ret)
{
    const struct value *map = &call->arg[0];
    const struct type *type = lookup_type(call);
    uint8_t marks = map->marks | call->arg[1].marks;
    if (!type)
        return false;
    if (map->kind == VALUE_UNKNOWN || call->arg[1].kind == VALUE_UNKNOWN) {
        *ret = hcl_with_marks(hcl_unknown(call->ev->arena, type), marks);
        return true;
    }
    const struct value *found = value_get(map, value_text(&call->arg[1]));
    if (found) {
        *ret = hcl_with_marks(*found, marks);
        return true;
    }
    if (call->n < 3)
        return hcl_call_fail(call, -1, "lookup failed to find key \"%.*s\"",
                             STR_ARG(value_text(&call->arg[1])));
    if (!hcl_convert(call->ev->arena, &call->arg[2], type, ret, NULL))
        return hcl_call_fail(call, 2, "the default value has another type");
    ret->marks |= marks;
    return true;
}

static const struct type *keys_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    if (t && t->kind == TYPE_MAP)
        return hcl_named_type("list(string)");
    if (!t || t->kind != TYPE_OBJECT) {
        if (t)
            (void)hcl_call_fail(call, 0, "must have map or object type");
        return NULL;
    }
    const struct type **items = arena_new(call->ev->arena, const struct type *, t->n);
    for (uint32_t i = 0; items && i < t->n; i++)
        items[i] = &type_string;
    return items ? type_tuple(call->ev->arena, items, t->n) : NULL;
}

static bool run_keys(struct hcl_call *call, struct value *ret)
{
    const struct value *map = &call->arg[0];
    const struct type *t = type_of_arg(call, 0);
    if (!t)
        return false;
    bool object = t->kind == TYPE_OBJECT;
    if (map->kind == VALUE_UNKNOWN && !object) {
        *ret = hcl_with_marks(hcl_unknown_not_null(call->ev->arena, hcl_named_type("list(string)")),
                              map->marks);
        return true;
    }
    uint32_t n = object ? t->n : map->len;
    struct value *items = arena_new(call->ev->arena, struct value, n);
    for (uint32_t i = 0; items && i < n; i++)
        items[i] = value_string(key_str(object ? t->members[i].key : map->members[i].key));
    *ret = value_items(object ? VALUE_TUPLE : VALUE_LIST, items, n);
    if (!object && n == 0)
        ret->type = &type_string;
    ret->marks = map->marks;
    return items;
}

static const struct type *values_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    if (t && t->kind == TYPE_MAP)
        return type_collection(call->ev->arena, TYPE_LIST, t->elem);
    if (!t || t->kind != TYPE_OBJECT) {
        if (t)
            (void)hcl_call_fail(call, -1, "values() requires a map as the first argument");
        return NULL;
    }
    const struct type **items = arena_new(call->ev->arena, const struct type *, t->n);
    for (uint32_t i = 0; items && i < t->n; i++)
        items[i] = t->members[i].type;
    return items ? type_tuple(call->ev->arena, items, t->n) : NULL;
}

static bool run_values(struct hcl_call *call, struct value *ret)
{
    const struct value *map = &call->arg[0];
    struct value *items = arena_new(call->ev->arena, struct value, map->len);
    for (uint32_t i = 0; items && i < map->len; i++)
        items[i] = map->members[i].value;
    *ret = value_items(map->kind == VALUE_OBJECT ? VALUE_TUPLE : VALUE_LIST, items, map->len);
    if (map->len == 0 && map->kind == VALUE_MAP)
        ret->type = map->type;
    ret->marks = map->marks;
    return items;
}

/* --- merge, zipmap --- */

struct numbered_member {
    struct type_member member;
    size_t at;
};

static int by_key_then_place(const void *a, const void *b)
{
    const struct numbered_member *x = a, *y = b;
    int order = str_compare(key_str(x->member.key), key_str(y->member.key));
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Of members with the same key the last one counts. */
static const struct type *object_of_last(struct arena *arena, struct type_member *members, size_t n)
{
    struct numbered_member *sorted = arena_new_raw(arena, struct numbered_member, n);
    size_t kept = 0;
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct numbered_member){members[i], i};
    if (n)
        qsort(sorted, n, sizeof *sorted, by_key_then_place);
    for (size_t i = 0; i < n; i++) {
        kept -= kept && key_equal(members[kept - 1].key, sorted[i].member.key);
        members[kept++] = sorted[i].member;
    }
    return type_object(arena, members, kept);
}

/* All maps of one type: that type. Else an object of all attributes; dynamic where a map's keys are
 * unknown. */
static const struct type *merge_type(struct hcl_call *call)
{
    struct arena *arena = call->ev->arena;
    const struct type *first = NULL;
    bool same = true, unknown_map = false;
    struct type_member *members = NULL;
    size_t n = 0, room = 0;
    for (size_t i = 0; i < call->n; i++) {
        const struct value *v = &call->arg[i];
        const struct type *t = type_of_arg(call, i);
        if (!t)
            return NULL;
        if (t->kind == TYPE_DYNAMIC) /* nothing more is looked at */
            return t;
        if (t->kind != TYPE_MAP && t->kind != TYPE_OBJECT) {
            (void)hcl_call_fail(call, -1, "arguments must be maps or objects, got \"%.*s\"",
                                STR_ARG(name_of(call, t)));
            return NULL;
        }
        same = same && (!first || type_equal(first, t));
        first = first ? first : t;
        unknown_map = unknown_map || (t->kind == TYPE_MAP && v->kind == VALUE_UNKNOWN);
        if (v->kind == VALUE_NULL)
            continue;
        uint32_t count = t->kind == TYPE_OBJECT ? t->n : v->kind == VALUE_MAP ? v->len : 0;
        for (uint32_t k = 0; k < count; k++) {
            const struct value_key *key =
                t->kind == TYPE_OBJECT ? t->members[k].key : v->members[k].key;
            members = arena_grow(arena, members, n, &room, n + 1);
            if (!members)
                return NULL;
            members[n++] = (struct type_member){
                .key = key, .type = t->kind == TYPE_OBJECT ? t->members[k].type : t->elem};
        }
    }
    if (same && first)
        return first;
    return unknown_map ? &type_dynamic : object_of_last(arena, members, n);
}

static bool run_merge(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct type *type = merge_type(call);
    struct value_member *members = NULL;
    size_t n = 0, room = 0;
    uint8_t marks = 0;
    bool unknown = false, all_null = true, other = false;
    if (!type)
        return false;
    for (size_t i = 0; i < call->n; i++) {
        const struct value *v = &call->arg[i];
        marks |= v->marks;
        all_null = all_null && v->kind == VALUE_NULL;
        unknown = unknown || v->kind == VALUE_UNKNOWN;
        other = other ||
                (v->kind != VALUE_NULL && v->kind != VALUE_UNKNOWN && !value_is_object_like(v));
        for (uint32_t k = 0; value_is_object_like(v) && k < v->len; k++) {
            members = arena_grow(arena, members, n, &room, n + 1);
            if (!members)
                return false;
            members[n++] = v->members[k];
        }
    }
    if (unknown) {
        *ret = type->kind == TYPE_DYNAMIC ? hcl_any() : hcl_unknown_not_null(arena, type);
        return true; /* cty forgets the marks then */
    }
    if (other)
        return hcl_call_fail(call, -1, "arguments must be maps or objects");
    if (all_null && type->kind != TYPE_DYNAMIC && type->n == 0 && type->kind == TYPE_OBJECT)
        n = 0;
    if (!hcl_last_wins(arena, members, n, ret))
        return false;
    if (type->kind == TYPE_MAP) {
        ret->kind = VALUE_MAP;
        if (ret->len == 0)
            ret->type = type->elem;
    }
    ret->marks |= marks;
    return true;
}

static bool run_zipmap(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct value *keys = &call->arg[0], *values = &call->arg[1];
    const struct type *t = type_of_arg(call, 1);
    if (!t || (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE))
        return hcl_call_fail(call, -1, "values argument must be a list or tuple value");
    for (uint32_t i = 0; i < keys->len; i++)
        if (keys->items[i].kind == VALUE_UNKNOWN) {
            *ret = t->kind == TYPE_TUPLE
                       ? hcl_any()
                       : hcl_unknown_not_null(arena, type_collection(arena, TYPE_MAP, t->elem));
            ret->marks = hcl_deep_marks(keys) | values->marks;
            return true;
        }
    if (keys->len != values->len)
        return hcl_call_fail(call, -1, "number of keys (%u) does not match number of values (%u)",
                             keys->len, values->len);
    uint8_t marks = keys->marks | values->marks;
    bool tuple = t->kind == TYPE_TUPLE;
    struct value_member *members = arena_new(arena, struct value_member, keys->len);
    for (uint32_t i = 0; members && i < keys->len; i++) {
        const struct value *key = &keys->items[i];
        if (key->kind == VALUE_NULL)
            return hcl_call_fail(call, -1, "keys list has null value at index %u", i);
        marks |= key->marks;
        members[i].key = key_make(arena, value_text(key));
        members[i].value = values->items[i];
    }
    if (!members || !hcl_last_wins(arena, members, keys->len, ret))
        return false;
    if (!tuple) {
        ret->kind = VALUE_MAP;
        if (ret->len == 0)
            ret->type = t->elem;
    }
    ret->marks |= marks;
    return true;
}

/* --- concat, flatten, slice, reverse, one --- */

static const struct type *concat_type(struct hcl_call *call)
{
    struct arena *arena = call->ev->arena;
    const struct type **types = arena_new(arena, const struct type *, call->n + 1);
    const struct type **items = NULL;
    bool lists = true, open = false;
    size_t n = 0, room = 0;
    if (call->n == 0) {
        (void)hcl_call_fail(call, -1, "at least one argument is required");
        return NULL;
    }
    for (size_t i = 0; types && i < call->n; i++) {
        const struct type *t = types[i] = type_of_arg(call, i);
        if (!t)
            return NULL;
        if (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE) {
            (void)hcl_call_fail(call, (int)i, "all arguments must be lists or tuples; got %.*s",
                                STR_ARG(name_of(call, t)));
            return NULL;
        }
        lists = lists && t->kind == TYPE_LIST;
        open = open || (t->kind == TYPE_LIST && call->arg[i].kind == VALUE_UNKNOWN);
        uint32_t count = t->kind == TYPE_TUPLE ? t->n : call->arg[i].len;
        items = arena_grow(arena, items, n, &room, n + count + 1);
        for (uint32_t k = 0; items && k < count; k++)
            items[n++] = t->kind == TYPE_TUPLE ? t->items[k] : t->elem;
    }
    const struct type *common = lists && types ? hcl_unify(arena, types, call->n) : NULL;
    if (common && common->kind == TYPE_LIST)
        return common;
    return open ? &type_dynamic : items ? type_tuple(arena, items, n) : NULL;
}

static bool run_concat(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct type *type = concat_type(call);
    struct value *items = NULL;
    size_t n = 0, room = 0;
    uint8_t marks = 0;
    bool unknown = false;
    if (!type)
        return false;
    bool list = type->kind == TYPE_LIST;
    for (size_t i = 0; i < call->n; i++) {
        const struct value *v = &call->arg[i];
        const struct type *t = type_of_arg(call, i);
        marks |= v->marks;
        bool tuple = t && t->kind == TYPE_TUPLE;
        if (v->kind == VALUE_UNKNOWN && !tuple)
            unknown = true;
        uint32_t count = tuple ? t->n : v->kind == VALUE_UNKNOWN ? 0 : v->len;
        items = arena_grow(arena, items, n, &room, n + count + 1);
        for (uint32_t k = 0; items && k < count; k++, n++) {
            items[n] = v->kind == VALUE_UNKNOWN ? hcl_unknown(arena, t->items[k]) : v->items[k];
            if (list && !hcl_convert(arena, &items[n], type->elem, &items[n], NULL))
                return hcl_call_fail(call, (int)i, "an element has another type");
        }
    }
    if (unknown)
        *ret = list ? hcl_unknown_not_null(arena, type) : hcl_any();
    else
        *ret = value_items(list ? VALUE_LIST : VALUE_TUPLE, items, n);
    if (!unknown && list && n == 0)
        ret->type = type->elem;
    ret->marks |= marks;
    return items;
}

struct flat {
    struct value *ptr;
    size_t n, room;
    uint8_t marks;
    bool unknown;
};

static bool flatten_into(struct arena *arena, const struct value *v, unsigned depth_left,
                         struct flat *out)
{
    const struct value *items = hcl_elements(arena, v);
    out->marks |= v->marks;
    out->unknown = out->unknown || (v->kind == VALUE_SET && v->len > 1 && !hcl_wholly_known(v));
    if (depth_left == 0 || (!items && v->len))
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct type *t = hcl_type_of(arena, &items[i]);
        bool nested = t && is_sequence(t) && items[i].kind != VALUE_NULL;
        if (items[i].kind == VALUE_UNKNOWN && (nested || !t || t->kind == TYPE_DYNAMIC)) {
            out->unknown = true;
            out->marks |= items[i].marks;
        } else if (nested) {
            if (!flatten_into(arena, &items[i], depth_left - 1, out))
                return false;
        } else {
            out->ptr = arena_grow(arena, out->ptr, out->n, &out->room, out->n + 1);
            if (!out->ptr)
                return false;
            out->ptr[out->n++] = items[i];
        }
    }
    return true;
}

static bool run_flatten(struct hcl_call *call, struct value *ret)
{
    const struct type *t = type_of_arg(call, 0);
    struct flat out = {0};
    if (t && !is_sequence(t) && !hcl_wholly_known(&call->arg[0])) {
        *ret = hcl_any();
        return true;
    }
    if (!t || !is_sequence(t))
        return hcl_call_fail(call, -1, "can only flatten lists, sets and tuples");
    if (!flatten_into(call->ev->arena, &call->arg[0], VALUE_DEPTH_MAX, &out))
        return false;
    *ret = out.unknown ? hcl_any() : value_items(VALUE_TUPLE, out.ptr, out.n);
    ret->marks |= out.marks;
    return true;
}

static bool slice_bound(struct hcl_call *call, int i, const char *which, int64_t at, int64_t len)
{
    if (at < 0)
        return hcl_call_fail(call, i, "%s index must not be less than zero", which);
    return len < 0 || at <= len ||
           hcl_call_fail(call, i, "%s index must not be greater than the length of the list",
                         which);
}

/* Of a bound that is not known yet nothing is said, and *from or *to stays as it is. */
static bool slice_bounds(struct hcl_call *call, const struct type *t, int64_t len, int64_t *from,
                         int64_t *to)
{
    if (t->kind == TYPE_SET)
        return hcl_call_fail(call, 0,
                             "cannot slice a set, because its elements do not have indices; "
                             "explicitly convert to a list if the ordering of the result is not "
                             "important");
    if (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE)
        return hcl_call_fail(call, 0, "must be a list or tuple value");
    bool from_known = call->arg[1].kind == VALUE_NUMBER;
    bool to_known = call->arg[2].kind == VALUE_NUMBER;
    if (from_known && (!whole_number(call, 1, "start index", 1, from) ||
                       !slice_bound(call, 1, "start", *from, len)))
        return false;
    if (to_known &&
        (!whole_number(call, 2, "end index", 2, to) || !slice_bound(call, 2, "end", *to, len)))
        return false;
    if (from_known && to_known && *from > *to)
        return hcl_call_fail(call, 1, "start index must not be greater than end index");
    return true;
}

static bool run_slice(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    const struct type *t = type_of_arg(call, 0);
    int64_t from, to;
    if (!t || !slice_bounds(call, t, list->len, &from, &to))
        return false;
    *ret = value_items(list->kind == VALUE_LIST ? VALUE_LIST : VALUE_TUPLE, list->items + from,
                       (size_t)(to - from));
    if (list->kind == VALUE_LIST && to == from)
        ret->type = t->elem;
    ret->marks = list->marks;
    return true;
}

static const struct type *slice_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    int64_t from, to;
    bool known = call->arg[1].kind == VALUE_NUMBER && call->arg[2].kind == VALUE_NUMBER;
    if (!t)
        return NULL;
    if (!slice_bounds(call, t, t->kind == TYPE_TUPLE ? (int64_t)t->n : -1, &from, &to))
        return NULL;
    if (!known)
        return t->kind == TYPE_LIST ? t : &type_dynamic;
    return t->kind == TYPE_LIST ? t
                                : type_tuple(call->ev->arena, t->items + from, (size_t)(to - from));
}

static const struct type *reverse_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    struct arena *arena = call->ev->arena;
    if (t && (t->kind == TYPE_LIST || t->kind == TYPE_SET))
        return type_collection(arena, TYPE_LIST, t->elem);
    if (!t || t->kind != TYPE_TUPLE) {
        if (t)
            (void)hcl_call_fail(call, 0, "can only reverse list or tuple values, not %.*s",
                                STR_ARG(name_of(call, t)));
        return NULL;
    }
    const struct type **items = arena_new(arena, const struct type *, t->n);
    for (uint32_t i = 0; items && i < t->n; i++)
        items[i] = t->items[t->n - 1 - i];
    return items ? type_tuple(arena, items, t->n) : NULL;
}

static bool run_reverse(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0], *from = hcl_elements(call->ev->arena, v);
    struct value *items = arena_new(call->ev->arena, struct value, v->len);
    for (uint32_t i = 0; items && from && i < v->len; i++)
        items[i] = from[v->len - 1 - i];
    *ret = value_items(v->kind == VALUE_TUPLE ? VALUE_TUPLE : VALUE_LIST, items, v->len);
    if (v->len == 0 && v->kind != VALUE_TUPLE)
        ret->type = v->type;
    ret->marks = v->marks;
    return items;
}

static const struct type *one_type(struct hcl_call *call)
{
    const struct type *t = type_of_arg(call, 0);
    if (t && (t->kind == TYPE_LIST || t->kind == TYPE_SET))
        return t->elem;
    if (t && t->kind == TYPE_TUPLE && t->n == 0)
        return &type_dynamic;
    if (t && t->kind == TYPE_TUPLE && t->n == 1)
        return t->items[0];
    if (t)
        (void)hcl_call_fail(call, 0,
                            "must be a list, set, or tuple value with either zero or one elements");
    return NULL;
}

static bool run_one(struct hcl_call *call, struct value *ret)
{
    const struct value *v = &call->arg[0];
    const struct type *type = one_type(call);
    if (!type)
        return false;
    if (v->kind == VALUE_SET && !hcl_wholly_known(v) && v->len > 1) {
        *ret = hcl_with_marks(hcl_unknown(call->ev->arena, type), v->marks);
        return true;
    }
    if (v->len > 1)
        return hcl_call_fail(
            call, 0, "must be a list, set, or tuple value with either zero or one elements");
    *ret = v->len ? v->items[0] : hcl_null(type->kind == TYPE_DYNAMIC ? NULL : type);
    ret->marks |= v->marks;
    return true;
}

/* --- coalesce, coalescelist --- */

static const struct type *coalesce_type(struct hcl_call *call)
{
    const struct type **types = arena_new(call->ev->arena, const struct type *, call->n + 1);
    if (call->n == 0)
        (void)hcl_call_fail(call, -1, "at least one argument is required");
    for (size_t i = 0; types && i < call->n; i++)
        if (!(types[i] = type_of_arg(call, i)))
            return NULL;
    const struct type *common =
        types && call->n ? hcl_unify(call->ev->arena, types, call->n) : NULL;
    if (!common && call->n)
        (void)hcl_call_fail(call, -1, "all arguments must have the same type");
    return common;
}

static bool run_coalesce(struct hcl_call *call, struct value *ret)
{
    const struct type *type = coalesce_type(call);
    if (!type)
        return false;
    for (size_t i = 0; i < call->n; i++) {
        struct value v;
        if (!hcl_convert(call->ev->arena, &call->arg[i], type, &v, NULL))
            return hcl_call_fail(call, (int)i, "the value has another type");
        if (v.kind == VALUE_UNKNOWN) {
            *ret = type->kind == TYPE_DYNAMIC ? hcl_any()
                                              : hcl_unknown_not_null(call->ev->arena, type);
            return true;
        }
        if (v.kind == VALUE_NULL ||
            (type->kind == TYPE_STRING && v.kind == VALUE_STRING && v.len == 0))
            continue;
        *ret = v;
        return true;
    }
    return hcl_call_fail(call, -1, "no non-null, non-empty-string arguments");
}

static bool run_coalescelist(struct hcl_call *call, struct value *ret)
{
    if (call->n == 0)
        return hcl_call_fail(call, -1, "at least one argument is required");
    for (size_t i = 0; i < call->n; i++) {
        const struct type *t = type_of_arg(call, i);
        if (call->arg[i].kind == VALUE_UNKNOWN) /* what follows is not looked at */
            break;
        if (!t || (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE))
            return hcl_call_fail(call, -1, "coalescelist arguments must be lists or tuples");
    }
    for (size_t i = 0; i < call->n; i++) {
        const struct value *v = &call->arg[i];
        if (v->kind == VALUE_UNKNOWN) {
            *ret = hcl_any();
            return true;
        }
        if (v->kind == VALUE_NULL || v->len == 0)
            continue;
        *ret = *v;
        return true;
    }
    return hcl_call_fail(call, -1, "no non-null arguments");
}

enum {
    OPEN = PARAM_UNKNOWN | PARAM_DYNAMIC | PARAM_MARKED,
    KEEP = PARAM_MARKED,
    LOOSE = PARAM_NULL | PARAM_UNKNOWN | PARAM_DYNAMIC
};

static const struct hcl_function functions[] = {
    {.name = "length", .param = {{"value", "any", OPEN}}, .result = "number", .run = run_length},
    {.name = "element",
     .param = {{"list", "any", PARAM_MARKED | PARAM_UNKNOWN}, {"index", "number", PARAM_UNKNOWN}},
     .type = element_type,
     .run = run_element},
    {.name = "index",
     .param = {{"list", "any", 0}, {"value", "any", 0}},
     .result = "number",
     .run = run_index},
    {.name = "contains",
     .param = {{"list", "any", 0}, {"value", "any", 0}},
     .result = "bool",
     .run = run_contains,
     .result_not_null = 1},
    {.name = "lookup",
     .param = {{"inputMap", "any", PARAM_MARKED | PARAM_UNKNOWN},
               {"key", "string", PARAM_MARKED | PARAM_UNKNOWN}},
     .rest = {"default", "any", LOOSE | PARAM_MARKED},
     .type = lookup_type,
     .run = run_lookup},
    {.name = "keys",
     .param = {{"inputMap", "any", PARAM_MARKED | PARAM_UNKNOWN}},
     .type = keys_type,
     .run = run_keys},
    {.name = "values",
     .param = {{"mapping", "any", KEEP}},
     .type = values_type,
     .run = run_values,
     .result_not_null = 1},
    {.name = "merge",
     .rest = {"maps", "any", LOOSE | PARAM_MARKED},
     .type = merge_type,
     .run = run_merge},
    {.name = "zipmap",
     .param = {{"keys", "list(string)", KEEP}, {"values", "any", KEEP}},
     .run = run_zipmap},
    {.name = "concat",
     .rest = {"seqs", "any", PARAM_MARKED | PARAM_UNKNOWN},
     .type = concat_type,
     .run = run_concat},
    {.name = "flatten", .param = {{"list", "any", KEEP}}, .run = run_flatten},
    {.name = "slice",
     .param = {{"list", "any", KEEP}, {"start_index", "number", 0}, {"end_index", "number", 0}},
     .type = slice_type,
     .run = run_slice,
     .result_not_null = 1},
    {.name = "reverse",
     .param = {{"list", "any", KEEP}},
     .type = reverse_type,
     .run = run_reverse,
     .result_not_null = 1},
    {.name = "one", .param = {{"list", "any", KEEP}}, .type = one_type, .run = run_one},
    {.name = "coalesce",
     .rest = {"vals", "any", LOOSE},
     .type = coalesce_type,
     .run = run_coalesce},
    {.name = "coalescelist", .rest = {"vals", "any", LOOSE}, .run = run_coalescelist},
};

const struct hcl_function_family fn_collection = {functions, sizeof functions / sizeof *functions};
