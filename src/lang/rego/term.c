/* term.c - Rego's values: order, equality, hash, lookup, making of sets and objects. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "lang/rego/term.h"
#include "value/number.h"

const char *rego_type_name(const struct value *v)
{
    static const char *const name[] = {
        [VALUE_NULL] = "null",     [VALUE_BOOL] = "boolean", [VALUE_NUMBER] = "number",
        [VALUE_STRING] = "string", [VALUE_LIST] = "array",   [VALUE_TUPLE] = "array",
        [VALUE_SET] = "set",       [VALUE_MAP] = "object",   [VALUE_OBJECT] = "object",
        [VALUE_UNKNOWN] = "null",  [REGO_PAIRS] = "object",
    };
    return name[v->kind];
}

/* Rank in the order of types (facts 7). */
static int rank(const struct value *v)
{
    static const uint8_t of[] = {
        [VALUE_NULL] = 0, [VALUE_BOOL] = 1,  [VALUE_NUMBER] = 2,  [VALUE_STRING] = 3,
        [VALUE_LIST] = 4, [VALUE_TUPLE] = 4, [VALUE_MAP] = 5,     [VALUE_OBJECT] = 5,
        [REGO_PAIRS] = 5, [VALUE_SET] = 6,   [VALUE_UNKNOWN] = 0,
    };
    return of[v->kind];
}

/* Key i of an object of either form. */
static struct value key_at(const struct value *v, uint32_t i)
{
    return v->kind == REGO_PAIRS ? rego_pairs(v)[i].key : value_string(key_str(v->members[i].key));
}
static const struct value *value_at(const struct value *v, uint32_t i)
{
    return v->kind == REGO_PAIRS ? &rego_pairs(v)[i].value : &v->members[i].value;
}

static int compare_at(const struct value *a, const struct value *b, unsigned depth_left);

static int compare_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    uint32_t n = a->len < b->len ? a->len : b->len;
    for (uint32_t i = 0; i < n; i++) {
        int c = compare_at(&a->items[i], &b->items[i], depth_left);
        if (c)
            return c;
    }
    return (a->len > b->len) - (a->len < b->len);
}

static int compare_objects(const struct value *a, const struct value *b, unsigned depth_left)
{
    uint32_t n = a->len < b->len ? a->len : b->len;
    for (uint32_t i = 0; i < n; i++) {
        struct value left = key_at(a, i), right = key_at(b, i);
        int c = compare_at(&left, &right, depth_left);
        if (!c)
            c = compare_at(value_at(a, i), value_at(b, i), depth_left);
        if (c)
            return c;
    }
    return (a->len > b->len) - (a->len < b->len);
}

static int compare_numbers(const struct value *a, const struct value *b)
{
    if (a->form == NUMBER_INT && b->form == NUMBER_INT)
        return (a->integer > b->integer) - (a->integer < b->integer);
    return number_compare(a, b);
}

/* The evaluator keeps values shallower than REGO_NESTING_MAX, so that the bound is never reached.
 */
static int compare_at(const struct value *a, const struct value *b, unsigned depth_left)
{
    int by_type = rank(a) - rank(b);
    if (by_type || depth_left == 0)
        return by_type;
    switch (rank(a)) {
    case 1:
        return (int)a->truth - (int)b->truth;
    case 2:
        return compare_numbers(a, b);
    case 3:
        return str_compare(value_text(a), value_text(b));
    case 4:
    case 6:
        return a->items == b->items && a->len == b->len ? 0 : compare_items(a, b, depth_left - 1);
    case 5:
        return compare_objects(a, b, depth_left - 1);
    default:
        return 0;
    }
}

int rego_compare(const struct value *a, const struct value *b)
{
    return compare_at(a, b, REGO_NESTING_MAX);
}

bool rego_equal(const struct value *a, const struct value *b)
{
    int type = rank(a);
    if (type != rank(b))
        return false;
    if (type == 3)
        return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
    if (type >= 4 && a->len != b->len)
        return false;
    return rego_compare(a, b) == 0;
}

static uint64_t hash_at(const struct value *v, uint64_t seed, unsigned depth_left)
{
    uint64_t h = seed * 0x9e3779b97f4a7c15U + (uint64_t)rank(v);
    if (rank(v) < 4)
        return value_hash(v, v->kind == VALUE_UNKNOWN ? 0 : h);
    if (depth_left == 0)
        return h;
    if (!rego_is_object(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            h = hash_at(&v->items[i], h, depth_left - 1);
        return h + v->len;
    }
    for (uint32_t i = 0; i < v->len; i++) {
        struct value key = key_at(v, i);
        h = hash_at(value_at(v, i), hash_at(&key, h, depth_left - 1), depth_left - 1);
    }
    return h + v->len;
}

uint64_t rego_hash(const struct value *v)
{
    return hash_at(v, 1, REGO_NESTING_MAX);
}

/* --- looking --- */

static const struct value *object_get(const struct value *v, const struct value *key)
{
    uint32_t low = 0, high = v->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        struct value at = key_at(v, middle);
        int c = rego_compare(&at, key);
        if (c == 0)
            return value_at(v, middle);
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct value *set_get(const struct value *v, const struct value *key)
{
    uint32_t low = 0, high = v->len;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int c = rego_compare(&v->items[middle], key);
        if (c == 0)
            return &v->items[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct value *rego_get(const struct value *v, const struct value *key)
{
    int64_t index;
    if (rego_is_array(v))
        return key->kind == VALUE_NUMBER && rego_to_int64(key, &index) && index >= 0 &&
                       index < (int64_t)v->len
                   ? &v->items[index]
                   : NULL;
    if (v->kind == VALUE_SET)
        return set_get(v, key);
    if ((v->kind == VALUE_OBJECT || v->kind == VALUE_MAP) && key->kind == VALUE_STRING)
        return value_get(v, value_text(key));
    return rego_is_object(v) ? object_get(v, key) : NULL;
}

bool rego_next(const struct value *v, size_t *at, struct value *ret_key, struct value *ret_value)
{
    size_t i = *at;
    if (rank(v) < 4 || i >= v->len)
        return false;
    if (rego_is_array(v)) {
        *ret_key = value_int((int64_t)i);
        *ret_value = v->items[i];
    } else if (v->kind == VALUE_SET) {
        *ret_key = *ret_value = v->items[i];
    } else {
        *ret_key = key_at(v, (uint32_t)i);
        *ret_value = *value_at(v, (uint32_t)i);
    }
    *at = i + 1;
    return true;
}

const struct value *rego_item(const struct value *v, size_t i)
{
    return rego_is_array(v) || v->kind == VALUE_SET ? &v->items[i] : value_at(v, (uint32_t)i);
}

/* --- making --- */

static int compare_qsort(const void *a, const void *b)
{
    return rego_compare(a, b);
}

struct value *rego_join_items(struct arena *arena, const struct value *a, const struct value *b)
{
    size_t n = (size_t)a->len + b->len;
    struct value *items = n > VALUE_LEN_MAX ? NULL : arena_new_raw(arena, struct value, n);
    if (!items)
        return NULL;
    if (a->len)
        memcpy(items, a->items, a->len * sizeof *items);
    if (b->len)
        memcpy(items + a->len, b->items, b->len * sizeof *items);
    return items;
}

struct value rego_make_set(struct value *items, size_t n)
{
    size_t kept = 0;
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = rego_compare(&items[i - 1], &items[i]) < 0;
    if (sorted)
        return value_items(VALUE_SET, items, n);
    qsort(items, n, sizeof *items, compare_qsort);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || rego_compare(&items[kept - 1], &items[i]) != 0)
            items[kept++] = items[i];
    return value_items(VALUE_SET, items, kept);
}

/* Pairs sorted by key, those of equal keys in the order in which they came. */
static int compare_pairs(const void *a, const void *b)
{
    const struct rego_pair *left = a, *right = b;
    return rego_compare(&left->key, &right->key);
}

/* *ret_clash: n, or the first pair that has another value than one before it with the same key. */
static struct value make_object(struct rego_pair *pairs, size_t n, bool last, size_t *ret_clash)
{
    size_t kept = 0;
    bool sorted = true;
    *ret_clash = n;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = rego_compare(&pairs[i - 1].key, &pairs[i].key) < 0;
    if (!sorted)
        qsort(pairs, n, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < n; i++) {
        if (sorted || kept == 0 || rego_compare(&pairs[kept - 1].key, &pairs[i].key) != 0) {
            pairs[kept++] = pairs[i];
        } else if (last) {
            pairs[kept - 1] = pairs[i];
        } else if (!rego_equal(&pairs[kept - 1].value, &pairs[i].value)) {
            *ret_clash = i;
            break;
        }
    }
    return (struct value){.kind = REGO_PAIRS,
                          .len = (uint32_t)kept,
                          .items = (const struct value *)(const void *)pairs};
}

bool rego_make_object(struct rego_pair *pairs, size_t n, struct value *ret, size_t *ret_clash)
{
    size_t clash;
    struct value made = make_object(pairs, n, false, &clash);
    if (clash < n) {
        *ret_clash = clash;
        return false;
    }
    *ret = made;
    return true;
}

struct value rego_make_written(struct rego_pair *pairs, size_t n)
{
    size_t clash;
    return make_object(pairs, n, true, &clash);
}

/* --- copies --- */

static bool copy_at(struct arena *arena, const struct value *v, struct value *ret, bool texts,
                    unsigned depth_left);

static bool copy_items(struct arena *arena, const struct value *v, size_t n, bool texts,
                       unsigned depth_left, struct value *ret)
{
    struct value *items = arena_new_raw(arena, struct value, n);
    if (!items)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!copy_at(arena, &v->items[i], &items[i], texts, depth_left))
            return false;
    *ret = *v;
    ret->items = items;
    return true;
}

/* An object of members becomes one of pairs: its keys may come from a table that is gone by then.
 */
static bool copy_members(struct arena *arena, const struct value *v, bool texts,
                         unsigned depth_left, struct value *ret)
{
    struct rego_pair *pairs = arena_new_raw(arena, struct rego_pair, v->len);
    if (!pairs)
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        struct value key = key_at(v, i);
        if (!copy_at(arena, &key, &pairs[i].key, texts, depth_left) ||
            !copy_at(arena, value_at(v, i), &pairs[i].value, texts, depth_left))
            return false;
    }
    *ret = (struct value){
        .kind = REGO_PAIRS, .len = v->len, .items = (const struct value *)(const void *)pairs};
    return true;
}

static bool copy_at(struct arena *arena, const struct value *v, struct value *ret, bool texts,
                    unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    *ret = *v;
    ret->marks = 0;
    if (v->kind == VALUE_UNKNOWN || v->kind == VALUE_NULL) {
        *ret = value_null();
        return true;
    }
    if (v->kind == VALUE_STRING || (v->kind == VALUE_NUMBER && v->form == NUMBER_TEXT)) {
        struct str text = texts ? arena_dup(arena, value_text(v)) : value_text(v);
        ret->text = text.ptr;
        return text.ptr || v->len == 0;
    }
    if (rank(v) < 4 || v->len == 0)
        return true;
    if (v->kind == REGO_PAIRS)
        return copy_items(arena, v, (size_t)v->len * 2, texts, depth_left - 1, ret);
    if (rego_is_object(v))
        return copy_members(arena, v, texts, depth_left - 1, ret);
    if (!copy_items(arena, v, v->len, texts, depth_left - 1, ret))
        return false;
    if (v->kind == VALUE_SET) {
        struct value *items = (struct value *)(uintptr_t)ret->items;
        *ret = rego_make_set(items, v->len);
    }
    return true;
}

bool rego_copy(struct arena *arena, const struct value *v, struct value *ret)
{
    return copy_at(arena, v, ret, true, REGO_NESTING_MAX);
}

/* Is it as Rego wants it already: sets in Rego's order, nothing unknown? */
static bool fits(const struct value *v, unsigned depth_left)
{
    if (depth_left == 0 || v->kind == VALUE_UNKNOWN)
        return depth_left == 0;
    if (rank(v) < 4)
        return true;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value *item = rego_is_object(v) ? value_at(v, i) : &v->items[i];
        if (!fits(item, depth_left - 1) ||
            (v->kind == VALUE_SET && i > 0 && rego_compare(&v->items[i - 1], item) >= 0))
            return false;
    }
    return true;
}

bool rego_adopt(struct arena *arena, const struct value *v, struct value *ret)
{
    *ret = *v;
    return fits(v, REGO_NESTING_MAX) || copy_at(arena, v, ret, false, REGO_NESTING_MAX);
}

size_t rego_place(size_t n, int (*order)(const void *ctx, size_t at), const void *ctx,
                  bool *ret_there)
{
    size_t low = 0, high = n;
    *ret_there = false;
    while (low < high && !*ret_there) {
        size_t middle = low + (high - low) / 2;
        int c = order(ctx, middle);
        *ret_there = c == 0;
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return *ret_there ? high : low;
}
