/* fn_list.c - lists and sets made of lists and sets: distinct chunklist sort setproduct and so on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lang/hcl/function.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"

static const struct type *type_of_arg(struct hcl_call *call, size_t i)
{
    return hcl_type_of(call->ev->arena, &call->arg[i]);
}

static const struct type *first_type(struct hcl_call *call)
{
    return type_of_arg(call, 0);
}

/* A list of these elements; of no element it carries elem. */
static struct value list_of(const struct type *elem, const struct value *items, size_t n)
{
    struct value v = value_items(VALUE_LIST, items, n);
    if (n == 0)
        v.type = elem;
    return v;
}

/* --- a table of values, for finding equal ones --- */

struct value_table {
    const struct value **slot;
    size_t mask;
};

static bool table_open(struct arena *arena, size_t n, struct value_table *ret)
{
    size_t size = 16;
    while (size < n * 2)
        size *= 2;
    ret->slot = arena_new(arena, const struct value *, size);
    ret->mask = size - 1;
    return ret->slot;
}

/* The equal value that is already there; else NULL, and v is kept if `add`. */
static const struct value *table_find(struct value_table *table, const struct value *v, bool add)
{
    size_t at = (size_t)value_hash(v, 0) & table->mask;
    while (table->slot[at]) {
        if (value_equal(table->slot[at], v))
            return table->slot[at];
        at = (at + 1) & table->mask;
    }
    if (add)
        table->slot[at] = v;
    return NULL;
}

/* --- distinct, compact, chunklist, sort --- */

static bool run_distinct(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct value *list = &call->arg[0];
    const struct type *type = first_type(call);
    struct value *items = arena_new(arena, struct value, list->len);
    struct value_table seen;
    size_t n = 0;
    if (!type || !items || !table_open(arena, list->len, &seen))
        return false;
    if (!hcl_wholly_known(list)) {
        *ret = hcl_unknown_not_null(arena, type);
        return true;
    }
    for (uint32_t i = 0; i < list->len; i++)
        if (!table_find(&seen, &list->items[i], true))
            items[n++] = list->items[i];
    *ret = list_of(type->elem, items, n);
    return true;
}

static bool run_compact(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct value *list = &call->arg[0];
    struct value *items = arena_new(arena, struct value, list->len);
    size_t n = 0;
    if (!items)
        return false;
    if (!hcl_wholly_known(list)) {
        *ret = hcl_unknown_not_null(arena, hcl_named_type("list(string)"));
        return true;
    }
    for (uint32_t i = 0; i < list->len; i++)
        if (list->items[i].kind == VALUE_STRING && list->items[i].len > 0)
            items[n++] = list->items[i];
    *ret = list_of(&type_string, items, n);
    return true;
}

static const struct type *chunklist_type(struct hcl_call *call)
{
    const struct type *t = first_type(call);
    return t ? type_collection(call->ev->arena, TYPE_LIST, t) : NULL;
}

static bool run_chunklist(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    const struct type *type = first_type(call);
    int64_t size;
    if (!type || !hcl_call_whole(call, 1, -1, "invalid size: ", &size))
        return false;
    if (size < 0)
        return hcl_call_fail(call, -1, "the size argument must be positive");
    uint8_t marks = list->marks | call->arg[1].marks;
    size_t step = size == 0 || size > list->len ? list->len : (size_t)size;
    size_t n = list->len == 0 ? 0 : (list->len + step - 1) / step;
    struct value *chunks = arena_new(call->ev->arena, struct value, n);
    for (size_t i = 0; chunks && i < n; i++) {
        size_t left = list->len - i * step;
        chunks[i] = list_of(type->elem, list->items + i * step, left < step ? left : step);
    }
    *ret = list_of(type, chunks, n);
    ret->marks = marks;
    return chunks;
}

static int compare_text(const void *a, const void *b)
{
    return str_compare(value_text(a), value_text(b));
}

static bool run_sort(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct value *list = &call->arg[0];
    const struct type *type = hcl_named_type("list(string)");
    if (list->kind == VALUE_UNKNOWN) {
        const struct value_unknown *known = list->unknown;
        *ret = hcl_unknown_length(arena, type, known ? known->len_least : -1,
                                  known ? known->len_most : -1);
        return true;
    }
    if (!hcl_wholly_known(list)) {
        *ret = hcl_unknown_length(arena, type, list->len, list->len);
        return true;
    }
    struct value *items = arena_new(arena, struct value, list->len);
    for (uint32_t i = 0; items && i < list->len; i++) {
        if (list->items[i].kind != VALUE_STRING)
            return hcl_call_fail(
                call, -1, "given list element %u is null; a null string cannot be sorted", i);
        items[i] = list->items[i];
    }
    if (items && list->len)
        qsort(items, list->len, sizeof *items, compare_text);
    *ret = list_of(&type_string, items, list->len);
    return items;
}

/* --- matchkeys, transpose --- */

static const struct type *matchkeys_common(struct hcl_call *call)
{
    const struct type *types[2] = {type_of_arg(call, 1), type_of_arg(call, 2)};
    return types[0] && types[1] ? hcl_unify(call->ev->arena, types, 2) : NULL;
}

static const struct type *matchkeys_type(struct hcl_call *call)
{
    if (!matchkeys_common(call)) {
        (void)hcl_call_fail(call, -1, "keys and searchset must be of the same type");
        return NULL;
    }
    return first_type(call);
}

static bool run_matchkeys(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct type *type = first_type(call), *common = matchkeys_common(call);
    const struct value *values = &call->arg[0];
    struct value keys, search;
    struct value_table table;
    size_t n = 0;
    if (!type || !common || !hcl_convert(arena, &call->arg[1], common, &keys, NULL) ||
        !hcl_convert(arena, &call->arg[2], common, &search, NULL))
        return false;
    if (values->len != keys.len)
        return hcl_call_fail(call, -1, "length of keys and values should be equal");
    struct value *items = arena_new(arena, struct value, values->len);
    if (!items || !table_open(arena, search.len, &table))
        return false;
    *ret = list_of(type->elem, NULL, 0);
    if (search.len == 0)
        return true;
    if (!hcl_wholly_known(values) || !hcl_wholly_known(&keys)) {
        *ret = hcl_unknown_not_null(arena, type);
        return true;
    }
    /* Terraform gives an empty list once a key is compared with something unknown. */
    uint32_t known = 0;
    while (known < search.len && hcl_wholly_known(&search.items[known]))
        (void)table_find(&table, &search.items[known++], true);
    for (uint32_t i = 0; i < keys.len; i++) {
        if (table_find(&table, &keys.items[i], false))
            items[n++] = values->items[i];
        else if (known < search.len)
            return true;
    }
    *ret = list_of(type->elem, items, n);
    return true;
}

struct pair {
    struct str out, in;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = str_compare(x->out, y->out);
    return c ? c : str_compare(x->in, y->in);
}

/* One pair for each string of each list; NULL where something is null or memory is out. */
static struct pair *transpose_pairs(struct hcl_call *call, size_t *ret_n)
{
    const struct value *map = &call->arg[0];
    struct pair *pairs = NULL;
    size_t n = 0, room = 0;
    for (uint32_t i = 0; i < map->len; i++) {
        const struct value *list = &map->members[i].value;
        if (list->kind == VALUE_NULL) {
            (void)hcl_call_fail(call, -1, "input must not contain null list");
            return NULL;
        }
        pairs = arena_grow(call->ev->arena, pairs, n, &room, n + list->len);
        for (uint32_t k = 0; k < list->len; k++) {
            if (list->items[k].kind != VALUE_STRING) {
                (void)hcl_call_fail(call, -1, "input list must not contain null string");
                return NULL;
            }
            if (!pairs)
                return NULL;
            pairs[n++] = (struct pair){value_text(&list->items[k]), key_str(map->members[i].key)};
        }
    }
    *ret_n = n;
    return n ? pairs : arena_new(call->ev->arena, struct pair, 1);
}

static bool run_transpose(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    size_t n = 0, keys = 0;
    if (!hcl_wholly_known(&call->arg[0])) {
        *ret = hcl_unknown_not_null(arena, hcl_named_type("map(list(string))"));
        return true;
    }
    struct pair *pairs = transpose_pairs(call, &n);
    struct value *items = arena_new(arena, struct value, n);
    struct value_member *members = arena_new(arena, struct value_member, n);
    if (!pairs || !items || !members)
        return false;
    if (n)
        qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0, from = 0; i < n; i++) {
        items[i] = value_string(pairs[i].in);
        if (i + 1 < n && str_equal(pairs[i].out, pairs[i + 1].out))
            continue;
        if (!(members[keys].key = key_make(arena, pairs[i].out)))
            return false;
        members[keys++].value = list_of(&type_string, items + from, i + 1 - from);
        from = i + 1;
    }
    *ret = (struct value){.kind = VALUE_MAP, .len = (uint32_t)keys};
    if (keys)
        ret->members = members;
    else
        ret->type = hcl_named_type("list(string)");
    return true;
}

/* --- alltrue, anytrue --- */

static bool run_alltrue(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    *ret = value_bool(true);
    for (uint32_t i = 0; i < list->len; i++) {
        if (list->items[i].kind == VALUE_BOOL && list->items[i].truth)
            continue;
        *ret = list->items[i].kind == VALUE_UNKNOWN
                   ? hcl_unknown_not_null(call->ev->arena, &type_bool)
                   : value_bool(false);
        break;
    }
    return true;
}

static bool run_anytrue(struct hcl_call *call, struct value *ret)
{
    const struct value *list = &call->arg[0];
    bool unknown = false;
    *ret = value_bool(false);
    for (uint32_t i = 0; i < list->len && !ret->truth; i++) {
        unknown = unknown || list->items[i].kind == VALUE_UNKNOWN;
        ret->truth = list->items[i].kind == VALUE_BOOL && list->items[i].truth;
    }
    if (unknown && !ret->truth)
        *ret = hcl_unknown_not_null(call->ev->arena, &type_bool);
    return true;
}

/* --- setunion, setintersection, setsubtract --- */

static const struct type *set_operation_type(struct hcl_call *call)
{
    struct arena *arena = call->ev->arena;
    const struct type **types = arena_new(arena, const struct type *, call->n);
    size_t n = 0;
    for (size_t i = 0; types && i < call->n; i++) {
        const struct type *t = type_of_arg(call, i);
        if (!t)
            return NULL;
        if (t->kind != TYPE_SET)
            return &type_dynamic;
        /* an empty set of nothing in particular becomes anything */
        bool open = t->elem->kind == TYPE_DYNAMIC && call->arg[i].kind == VALUE_SET &&
                    call->arg[i].len == 0;
        if (!open)
            types[n++] = t->elem;
    }
    const struct type *elem = !types ? NULL : n == 0 ? &type_dynamic : hcl_unify(arena, types, n);
    if (!elem && types)
        (void)hcl_call_fail(call, -1, "given sets must all have compatible element types");
    return elem ? type_collection(arena, TYPE_SET, elem) : NULL;
}

/* All arguments as sets of the common type; NULL where one does not convert. */
static struct value *converted_sets(struct hcl_call *call, const struct type *type)
{
    struct value *sets = arena_new(call->ev->arena, struct value, call->n);
    struct str why = {0};
    for (size_t i = 0; sets && i < call->n; i++)
        if (!hcl_convert(call->ev->arena, &call->arg[i], type, &sets[i], &why)) {
            (void)hcl_call_fail(call, (int)i, "%.*s", STR_ARG(why));
            return NULL;
        }
    return sets;
}

static bool run_setunion(struct hcl_call *call, struct value *ret)
{
    const struct type *type = set_operation_type(call);
    struct value *sets = type ? converted_sets(call, type) : NULL;
    uint64_t total = 0;
    for (size_t i = 0; sets && i < call->n; i++)
        total += sets[i].len;
    if (!sets || !hcl_call_bound(call, total))
        return false;
    struct value *items = arena_new(call->ev->arena, struct value, total);
    size_t n = 0;
    for (size_t i = 0; items && i < call->n; n += sets[i++].len)
        if (sets[i].len)
            memcpy(items + n, sets[i].items, sets[i].len * sizeof *items);
    return items && hcl_make_set(call->ev->arena, type->elem, items, n, ret);
}

/* Keep of the first set what is (or is not) in each other one. */
static bool filter_sets(struct hcl_call *call, bool keep_common, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct type *type = set_operation_type(call);
    struct value *sets = type ? converted_sets(call, type) : NULL;
    if (!sets)
        return false;
    for (size_t i = 0; i < call->n; i++)
        if (!hcl_wholly_known(&sets[i])) {
            *ret = hcl_unknown_not_null(arena, type);
            return true;
        }
    struct value *items = arena_new(arena, struct value, sets[0].len);
    size_t n = sets[0].len;
    if (items && n)
        memcpy(items, sets[0].items, n * sizeof *items);
    for (size_t i = 1; items && i < call->n; i++) {
        struct value_table table;
        size_t kept = 0;
        if (!table_open(arena, sets[i].len, &table))
            return false;
        for (uint32_t k = 0; k < sets[i].len; k++)
            (void)table_find(&table, &sets[i].items[k], true);
        for (size_t k = 0; k < n; k++)
            if (!table_find(&table, &items[k], false) != keep_common)
                items[kept++] = items[k];
        n = kept;
    }
    return items && hcl_make_set(arena, type->elem, items, n, ret);
}

static bool run_setintersection(struct hcl_call *call, struct value *ret)
{
    return filter_sets(call, true, ret);
}

static bool run_setsubtract(struct hcl_call *call, struct value *ret)
{
    return filter_sets(call, false, ret);
}

/* --- setproduct --- */

static const struct type *product_element(struct hcl_call *call, size_t i, bool *ret_list)
{
    const struct type *t = type_of_arg(call, i);
    *ret_list = t && (t->kind == TYPE_LIST || t->kind == TYPE_TUPLE);
    if (t && (t->kind == TYPE_LIST || t->kind == TYPE_SET))
        return t->elem;
    if (!t || t->kind != TYPE_TUPLE) {
        if (t)
            (void)hcl_call_fail(call, (int)i, "a set or a list is required");
        return NULL;
    }
    const struct type *elem =
        t->n == 0 ? &type_dynamic : hcl_unify(call->ev->arena, t->items, t->n);
    if (!elem)
        (void)hcl_call_fail(call, (int)i, "all elements must be of the same type");
    return elem;
}

static const struct type *setproduct_type(struct hcl_call *call)
{
    struct arena *arena = call->ev->arena;
    const struct type **elems = arena_new(arena, const struct type *, call->n);
    bool lists = true;
    if (call->n < 2) {
        (void)hcl_call_fail(call, -1, "at least two arguments are required");
        return NULL;
    }
    for (size_t i = 0; elems && i < call->n; i++) {
        bool list;
        if (!(elems[i] = product_element(call, i, &list)))
            return NULL;
        lists = lists && list;
    }
    const struct type *tuple = elems ? type_tuple(arena, elems, call->n) : NULL;
    return tuple ? type_collection(arena, lists ? TYPE_LIST : TYPE_SET, tuple) : NULL;
}

/* Is the number of elements certain? Then it is v->len. */
static bool length_known(const struct value *v)
{
    return v->kind != VALUE_UNKNOWN && (v->kind != VALUE_SET || v->len <= 1 || hcl_wholly_known(v));
}

/* The most elements that v can have; -1 = no idea. */
static int64_t most_elements(const struct value *v, const struct type *t)
{
    if (t->kind == TYPE_TUPLE)
        return t->n;
    if (v->kind != VALUE_UNKNOWN)
        return v->len;
    return v->unknown ? v->unknown->len_most : -1;
}

static bool unknown_product(struct hcl_call *call, const struct type *type, struct value *ret)
{
    enum { FACTOR_MAX = 1024, PRODUCT_MAX = 2048 }; /* past them Terraform says nothing */
    int64_t most = 1;
    for (size_t i = 0; i < call->n && most >= 0; i++) {
        const struct type *t = type_of_arg(call, i);
        int64_t own = t ? most_elements(&call->arg[i], t) : -1;
        most = own < 0 || own > FACTOR_MAX || most * own > PRODUCT_MAX ? -1 : most * own;
    }
    *ret = hcl_unknown_length(call->ev->arena, type, most > 0 ? 1 : most, most);
    return true;
}

/* The next combination of indexes: the last argument runs fastest. */
static void advance(const struct value *args, size_t n, uint32_t *at)
{
    for (size_t j = n; j-- > 0;) {
        if (++at[j] < args[j].len)
            return;
        at[j] = 0;
    }
}

static bool make_product(struct hcl_call *call, const struct type *type, uint64_t total,
                         struct value *ret)
{
    struct arena *arena = call->ev->arena;
    const struct type *tuple = type->elem;
    size_t width = call->n;
    const struct value **from = arena_new(arena, const struct value *, width);
    uint32_t *at = arena_new(arena, uint32_t, width);
    struct value *cells = arena_new(arena, struct value, total * width);
    struct value *rows = arena_new(arena, struct value, total);
    for (size_t j = 0; from && j < width; j++)
        if (!(from[j] = hcl_elements(arena, &call->arg[j])))
            return false;
    if (!from || !at || !cells || !rows)
        return false;
    for (uint64_t i = 0; i < total; i++, advance(call->arg, width, at)) {
        struct value *row = cells + i * width;
        for (size_t j = 0; j < width; j++)
            if (!hcl_convert(arena, &from[j][at[j]], tuple->items[j], &row[j], NULL))
                return hcl_call_fail(call, (int)j, "an element has another type");
        rows[i] = value_items(VALUE_TUPLE, row, width);
    }
    if (type->kind == TYPE_SET)
        return hcl_make_set(arena, tuple, rows, total, ret);
    *ret = list_of(tuple, rows, total);
    return true;
}

static bool run_setproduct(struct hcl_call *call, struct value *ret)
{
    const struct type *type = setproduct_type(call);
    uint64_t total = 1;
    uint8_t marks = 0;
    bool known = true, ok;
    if (!type)
        return false;
    for (size_t i = 0; i < call->n; i++) {
        marks |= call->arg[i].marks;
        known = known && length_known(&call->arg[i]);
    }
    for (size_t i = 0; known && i < call->n; i++)
        if (call->arg[i].len == 0)
            total = 0;
    for (size_t i = 0; known && total && i < call->n; i++) {
        total *= call->arg[i].len;
        if (!hcl_call_bound(call, total * call->n))
            return false;
    }
    if (!known) {
        ok = unknown_product(call, type, ret);
    } else if (total == 0) {
        *ret = list_of(type->elem, NULL, 0);
        ret->kind = type->kind == TYPE_SET ? VALUE_SET : VALUE_LIST;
        ok = true;
    } else {
        ok = make_product(call, type, total, ret);
    }
    ret->marks |= marks;
    return ok;
}

/* --- what Terraform 0.12 took away --- */

static bool run_list(struct hcl_call *call, struct value *ret)
{
    (void)ret;
    return hcl_call_fail(call, -1,
                         "the \"list\" function was deprecated in Terraform v0.12 and is no longer "
                         "available; use tolist([ ... ]) syntax to write a literal list");
}

static bool run_map(struct hcl_call *call, struct value *ret)
{
    (void)ret;
    return hcl_call_fail(call, -1,
                         "the \"map\" function was deprecated in Terraform v0.12 and is no longer "
                         "available; use tomap({ ... }) syntax to write a literal map");
}

enum { GIVEN = PARAM_NULL | PARAM_UNKNOWN | PARAM_DYNAMIC | PARAM_MARKED };

static const struct hcl_function functions[] = {
    {.name = "distinct",
     .param = {{"list", "list(any)", 0}},
     .type = first_type,
     .run = run_distinct,
     .result_not_null = 1},
    {.name = "compact",
     .param = {{"list", "list(string)", 0}},
     .result = "list(string)",
     .run = run_compact,
     .result_not_null = 1},
    {.name = "chunklist",
     .param = {{"list", "list(any)", PARAM_MARKED}, {"size", "number", PARAM_MARKED}},
     .type = chunklist_type,
     .run = run_chunklist,
     .result_not_null = 1},
    {.name = "sort",
     .param = {{"list", "list(string)", PARAM_UNKNOWN}},
     .result = "list(string)",
     .run = run_sort,
     .result_not_null = 1},
    {.name = "matchkeys",
     .param = {{"values", "list(any)", 0}, {"keys", "list(any)", 0}, {"searchset", "list(any)", 0}},
     .type = matchkeys_type,
     .run = run_matchkeys,
     .result_not_null = 1},
    {.name = "transpose",
     .param = {{"values", "map(list(string))", 0}},
     .result = "map(list(string))",
     .run = run_transpose,
     .result_not_null = 1},
    {.name = "alltrue",
     .param = {{"list", "list(bool)", 0}},
     .result = "bool",
     .run = run_alltrue,
     .result_not_null = 1},
    {.name = "anytrue",
     .param = {{"list", "list(bool)", 0}},
     .result = "bool",
     .run = run_anytrue,
     .result_not_null = 1},
    {.name = "setunion",
     .param = {{"first_set", "set(any)", PARAM_DYNAMIC}},
     .rest = {"other_sets", "set(any)", PARAM_DYNAMIC},
     .type = set_operation_type,
     .run = run_setunion,
     .result_not_null = 1},
    {.name = "setintersection",
     .param = {{"first_set", "set(any)", PARAM_DYNAMIC}},
     .rest = {"other_sets", "set(any)", PARAM_DYNAMIC},
     .type = set_operation_type,
     .run = run_setintersection,
     .result_not_null = 1},
    {.name = "setsubtract",
     .param = {{"a", "set(any)", PARAM_DYNAMIC}, {"b", "set(any)", PARAM_DYNAMIC}},
     .type = set_operation_type,
     .run = run_setsubtract,
     .result_not_null = 1},
    {.name = "setproduct",
     .rest = {"sets", "any", PARAM_MARKED | PARAM_UNKNOWN},
     .type = setproduct_type,
     .run = run_setproduct,
     .result_not_null = 1},
    {.name = "list", .rest = {"vals", "any", GIVEN}, .run = run_list},
    {.name = "map", .rest = {"vals", "any", GIVEN}, .run = run_map},
};

const struct hcl_function_family fn_list = {functions, sizeof functions / sizeof *functions};
