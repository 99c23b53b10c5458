/* value.c - keys, lookups, equality, order and copies of the value tree. */
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "value/number.h"

enum { KEY_TABLE_FIRST = 32 };

void key_table_init(struct key_table *table, struct arena *arena, uint64_t seed)
{
    *table = (struct key_table){.arena = arena, .seed = seed};
}

static const struct value_key *key_new(struct arena *arena, struct str text, uint32_t hash)
{
    if (text.len > VALUE_LEN_MAX)
        return NULL;
    struct value_key *key =
        arena_alloc_raw(arena, sizeof *key + text.len + 1, 1, _Alignof(struct value_key));
    if (!key)
        return NULL;
    key->len = (uint32_t)text.len;
    key->hash = hash;
    if (text.len)
        memcpy(key->text, text.ptr, text.len);
    key->text[text.len] = '\0';
    return key;
}

static bool key_table_grow(struct key_table *table)
{
    size_t nslots = table->nslots ? table->nslots * 2 : KEY_TABLE_FIRST;
    struct key_slot *slot = arena_new(table->arena, struct key_slot, nslots);
    if (!slot)
        return false;
    for (size_t i = 0; i < table->nslots; i++) {
        if (!table->slot[i].key)
            continue;
        size_t at = table->slot[i].hash & (nslots - 1);
        while (slot[at].key)
            at = (at + 1) & (nslots - 1);
        slot[at] = table->slot[i];
    }
    table->slot = slot;
    table->nslots = nslots;
    return true;
}

static bool slot_has(const struct key_slot *slot, struct str text, uint32_t hash)
{
    return slot->hash == hash && str_equal(key_str(slot->key), text);
}

const struct value_key *key_intern(struct key_table *table, struct str text)
{
    if (table->n * 2 >= table->nslots && !key_table_grow(table))
        return NULL;
    uint32_t hash = (uint32_t)hash_bytes(text, table->seed);
    size_t at = hash & (table->nslots - 1);
    for (; table->slot[at].key; at = (at + 1) & (table->nslots - 1))
        if (slot_has(&table->slot[at], text, hash))
            return table->slot[at].key;
    const struct value_key *key = key_new(table->arena, text, hash);
    if (key) {
        table->slot[at] = (struct key_slot){key, hash};
        table->n++;
    }
    return key;
}

/* Of a full table the key at home gives way: what is met often is soon back. */
const struct value_key *key_remember(struct key_table *table, struct str text)
{
    enum { NEAR = 4 };
    if (table->nslots < KEYS_REMEMBERED)
        return key_intern(table, text);
    uint32_t hash = (uint32_t)hash_bytes(text, table->seed);
    size_t home = hash & (table->nslots - 1), free_at = home;
    for (size_t i = 0; i < NEAR; i++) {
        size_t at = (home + i) & (table->nslots - 1);
        if (!table->slot[at].key) {
            free_at = at;
            break;
        }
        if (slot_has(&table->slot[at], text, hash))
            return table->slot[at].key;
    }
    const struct value_key *key = key_new(table->arena, text, hash);
    if (key) {
        table->n += !table->slot[free_at].key;
        table->slot[free_at] = (struct key_slot){key, hash};
    }
    return key;
}

const struct value_key *key_make(struct arena *arena, struct str text)
{
    return key_new(arena, text, (uint32_t)hash_bytes(text, 0));
}

struct value value_number(struct str text)
{
    int64_t integer;
    bool canonical =
        text.len && text.len <= 20 && !(text.ptr[0] == '-' && text.len == 2 && text.ptr[1] == '0');
    if (canonical && str_to_int64(text, &integer))
        return value_int(integer);
    return (struct value){.kind = VALUE_NUMBER, .len = (uint32_t)text.len, .text = text.ptr};
}

static int member_order(const void *a, const void *b)
{
    const struct value_member *x = a, *y = b;
    return str_compare(key_str(x->key), key_str(y->key));
}

bool value_members(enum value_kind kind, struct value_member *members, size_t n, struct value *ret,
                   const struct value_key **ret_duplicate, struct err *err)
{
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = member_order(&members[i - 1], &members[i]) < 0;
    if (!sorted)
        qsort(members, n, sizeof *members, member_order);
    for (size_t i = 1; i < n && !sorted; i++) {
        if (!key_equal(members[i - 1].key, members[i].key))
            continue;
        if (ret_duplicate)
            *ret_duplicate = members[i].key;
        return err_set(err, ERR_SYNTAX, "duplicate key \"%s\"", members[i].key->text);
    }
    *ret = (struct value){.kind = (uint8_t)kind, .len = (uint32_t)n, .members = n ? members : NULL};
    return true;
}

const struct value *value_get(const struct value *v, struct str key)
{
    if (!value_is_object_like(v))
        return NULL;
    size_t low = 0, high = v->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(key_str(v->members[middle].key), key);
        if (order == 0)
            return &v->members[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct str value_get_string(const struct value *v, struct str key)
{
    const struct value *member = value_get(v, key);
    return value_is_string(member) ? value_text(member) : (struct str){0};
}

bool value_get_bool(const struct value *v, struct str key, bool otherwise)
{
    const struct value *member = value_get(v, key);
    return member && member->kind == VALUE_BOOL ? member->truth : otherwise;
}

bool value_to_int64(const struct value *v, int64_t *ret)
{
    if (!v || v->kind != VALUE_NUMBER)
        return false;
    if (v->form == NUMBER_TEXT)
        return number_to_int64(value_text(v), ret);
    *ret = v->integer;
    return true;
}

const char *value_kind_name(enum value_kind kind)
{
    static const char *const names[] = {"null",  "bool", "number", "string", "list",
                                        "tuple", "set",  "map",    "object", "unknown"};
    static_assert(sizeof names / sizeof *names == VALUE_KIND_COUNT, "a name for each kind");
    return kind < VALUE_KIND_COUNT ? names[kind] : "invalid";
}

const char *value_plain_kind_name(enum value_kind kind)
{
    bool list = kind == VALUE_LIST || kind == VALUE_TUPLE || kind == VALUE_SET;
    bool mapping = kind == VALUE_MAP || kind == VALUE_OBJECT;
    return list ? "list" : mapping ? "mapping" : value_kind_name(kind);
}

static int compare_at(const struct value *a, const struct value *b, unsigned depth_left);

static int compare_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len && i < b->len; i++) {
        int order = compare_at(&a->items[i], &b->items[i], depth_left);
        if (order)
            return order;
    }
    return (a->len > b->len) - (a->len < b->len);
}

static int compare_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len && i < b->len; i++) {
        const struct value_member *x = &a->members[i], *y = &b->members[i];
        int order = x->key == y->key ? 0 : str_compare(key_str(x->key), key_str(y->key));
        if (order == 0)
            order = compare_at(&x->value, &y->value, depth_left);
        if (order)
            return order;
    }
    return (a->len > b->len) - (a->len < b->len);
}

/* Past the depth limit, where no parser goes, nothing is equal. */
static int compare_at(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    switch ((enum value_kind)a->kind) {
    case VALUE_BOOL:
        return (a->truth > b->truth) - (a->truth < b->truth);
    case VALUE_NUMBER:
        return number_compare(a, b);
    case VALUE_STRING:
        return str_compare(value_text(a), value_text(b));
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET: /* kept normalised (sorted, unique), so that position decides there too */
        return depth_left ? compare_items(a, b, depth_left - 1) : 1;
    case VALUE_MAP:
    case VALUE_OBJECT:
        return depth_left ? compare_members(a, b, depth_left - 1) : 1;
    default:
        return 0;
    }
}

int value_compare(const struct value *a, const struct value *b)
{
    return compare_at(a, b, VALUE_DEPTH_MAX);
}

static bool equal_at(const struct value *a, const struct value *b, unsigned depth_left);

static bool equal_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->len != b->len || depth_left == 0)
        return false;
    if (a->items == b->items)
        return true;
    for (uint32_t i = 0; i < a->len; i++)
        if (!equal_at(&a->items[i], &b->items[i], depth_left - 1))
            return false;
    return true;
}

static bool equal_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->len != b->len || depth_left == 0)
        return false;
    if (a->members == b->members)
        return true;
    for (uint32_t i = 0; i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !equal_at(&a->members[i].value, &b->members[i].value, depth_left - 1))
            return false;
    return true;
}

/* compare_at() == 0, but lengths decide first. */
static bool equal_at(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->kind != b->kind)
        return false;
    switch ((enum value_kind)a->kind) {
    case VALUE_BOOL:
        return a->truth == b->truth;
    case VALUE_NUMBER:
        return a->form == NUMBER_INT && b->form == NUMBER_INT ? a->integer == b->integer
                                                              : number_compare(a, b) == 0;
    case VALUE_STRING:
        return str_equal(value_text(a), value_text(b));
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        return equal_items(a, b, depth_left);
    case VALUE_MAP:
    case VALUE_OBJECT:
        return equal_members(a, b, depth_left);
    default:
        return true;
    }
}

bool value_equal(const struct value *a, const struct value *b)
{
    return equal_at(a, b, VALUE_DEPTH_MAX);
}

static uint64_t hash_at(const struct value *v, uint64_t seed, unsigned depth_left)
{
    uint64_t h = seed ^ (0x9e3779b97f4a7c15u * (v->kind + 1u));
    if (depth_left == 0)
        return h;
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        return h + v->truth;
    case VALUE_NUMBER:
        return number_hash(v, h);
    case VALUE_STRING:
        return hash_bytes(value_text(v), h);
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        for (uint32_t i = 0; i < v->len; i++)
            h = hash_at(&v->items[i], h * 31 + 1, depth_left - 1);
        return h;
    case VALUE_MAP:
    case VALUE_OBJECT:
        for (uint32_t i = 0; i < v->len; i++) {
            h = hash_bytes(key_str(v->members[i].key), h);
            h = hash_at(&v->members[i].value, h, depth_left - 1);
        }
        return h;
    default:
        return h;
    }
}

uint64_t value_hash(const struct value *v, uint64_t seed)
{
    return hash_at(v, seed, VALUE_DEPTH_MAX + 1);
}

/* Does `test` hold for this node or any below it? */
static bool any(const struct value *v, bool (*test)(const struct value *), unsigned depth_left)
{
    if (test(v))
        return true;
    if (depth_left == 0)
        return false;
    if (value_is_list_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            if (any(&v->items[i], test, depth_left - 1))
                return true;
    } else if (value_is_object_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            if (any(&v->members[i].value, test, depth_left - 1))
                return true;
    }
    return false;
}

static bool is_sensitive(const struct value *v)
{
    return v->marks & VALUE_SENSITIVE;
}

static bool is_unknown(const struct value *v)
{
    return v->kind == VALUE_UNKNOWN;
}

bool value_any_sensitive(const struct value *v)
{
    return any(v, is_sensitive, VALUE_DEPTH_MAX + 1);
}

bool value_any_unknown(const struct value *v)
{
    return any(v, is_unknown, VALUE_DEPTH_MAX + 1);
}

struct copying {
    struct arena *arena;
    bool typed; /* types and refinements are shared with the original, not left behind */
    struct err *err;
};

static bool copy_at(const struct copying *c, const struct value *v, struct value *ret,
                    unsigned depth_left);

static bool copy_items(const struct copying *c, const struct value *v, struct value *ret,
                       unsigned depth_left)
{
    struct value *items = arena_new(c->arena, struct value, v->len);
    if (!items)
        return arena_full(c->arena, c->err);
    for (uint32_t i = 0; i < v->len; i++)
        if (!copy_at(c, &v->items[i], &items[i], depth_left))
            return false;
    ret->items = items;
    return true;
}

static bool copy_members(const struct copying *c, const struct value *v, struct value *ret,
                         unsigned depth_left)
{
    struct value_member *members = arena_new(c->arena, struct value_member, v->len);
    if (!members)
        return arena_full(c->arena, c->err);
    for (uint32_t i = 0; i < v->len; i++) {
        members[i].key = key_make(c->arena, key_str(v->members[i].key));
        if (!members[i].key)
            return arena_full(c->arena, c->err);
        if (!copy_at(c, &v->members[i].value, &members[i].value, depth_left))
            return false;
    }
    ret->members = members;
    return true;
}

static bool copy_at(const struct copying *c, const struct value *v, struct value *ret,
                    unsigned depth_left)
{
    *ret = *v;
    if (v->kind == VALUE_STRING || (v->kind == VALUE_NUMBER && v->form == NUMBER_TEXT)) {
        ret->text = arena_dup(c->arena, value_text(v)).ptr;
        return ret->text || arena_full(c->arena, c->err);
    }
    if (depth_left == 0 && (value_is_list_like(v) || value_is_object_like(v)))
        return err_set(c->err, ERR_LIMIT, "value nested deeper than %d", VALUE_DEPTH_MAX);
    if (v->len && value_is_list_like(v))
        return copy_items(c, v, ret, depth_left - 1);
    if (v->len && value_is_object_like(v))
        return copy_members(c, v, ret, depth_left - 1);
    if (!c->typed && v->kind != VALUE_BOOL && v->kind != VALUE_NUMBER)
        *ret = (struct value){.kind = v->kind, .marks = v->marks};
    return true;
}

bool value_copy(struct arena *arena, const struct value *v, struct value *ret, struct err *err)
{
    return copy_at(&(struct copying){arena, true, err}, v, ret, VALUE_DEPTH_MAX);
}

bool value_copy_untyped(struct arena *arena, const struct value *v, struct value *ret,
                        struct err *err)
{
    return copy_at(&(struct copying){arena, false, err}, v, ret, VALUE_DEPTH_MAX);
}

static int value_order(const void *a, const void *b)
{
    return value_compare(a, b);
}

size_t value_set_normalise(struct value *items, size_t n)
{
    size_t kept = 0;
    if (n > 1)
        qsort(items, n, sizeof *items, value_order);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || value_compare(&items[kept - 1], &items[i]) != 0)
            items[kept++] = items[i];
    return kept;
}
