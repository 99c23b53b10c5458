/* value.h - the immutable value tree that everything in plumb is made of.
 *
 * Shape:   16-byte nodes in an arena; containers point at arrays of nodes; object and map members
 *          are sorted bytewise by key and unique; sets hold no two equal elements
 * Owner:   the arena (or the input bytes, for strings and numbers taken without a copy)
 * Numbers: exact. An integer whose canonical decimal fits int64 is held as int64 (NUMBER_INT);
 *          anything else keeps its source text ("1.0", "1e400", 30 digits): NUMBER_TEXT
 * Types:   list, tuple, set, map and object are what cty calls so. JSON without a type gives tuple
 *          and object. A null, unknown or empty list/set/map may carry its type (`type`, else NULL)
 * Source:  RFC 8259; cty (facts/terraform.md 2.5-2.7)
 */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct type;

enum { VALUE_DEPTH_MAX = 1000 };
#define VALUE_LEN_MAX UINT32_MAX /* an enumerator is an int */

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_TUPLE,
    VALUE_SET,
    VALUE_MAP,
    VALUE_OBJECT,
    VALUE_UNKNOWN,
    VALUE_KIND_COUNT
};

/* Marks: on the node itself; what contains a marked node is not marked by that. */
enum {
    VALUE_SENSITIVE = 1,
    VALUE_EPHEMERAL = 2,
    VALUE_DEPRECATED = 4,
    VALUE_PENDING = 8 /* comes from what an apply will decide */
};

enum number_form { NUMBER_TEXT = 0, NUMBER_INT = 1 };
/* Of an object that nobody knows the type of: it may have members that it does not list. */
enum { OBJECT_OPEN = 1 };

struct value_member;
struct value_unknown;

struct value {
    uint8_t kind;      /* enum value_kind */
    uint8_t marks;     /* VALUE_SENSITIVE | ... */
    uint8_t form;      /* VALUE_NUMBER: enum number_form; VALUE_OBJECT: 0 or OBJECT_OPEN */
    uint8_t precision; /* VALUE_NUMBER: of the language that made it (lang/hcl); else 0 */
    uint32_t len;      /* bytes of text, or count of items or members */
    union {
        bool truth;
        int64_t integer;           /* NUMBER_INT */
        const char *text;          /* VALUE_STRING, NUMBER_TEXT; len bytes, no NUL promised */
        const struct value *items; /* VALUE_LIST, VALUE_TUPLE, VALUE_SET; len > 0 */
        const struct value_member *members;  /* VALUE_MAP, VALUE_OBJECT; len > 0 */
        const struct value_unknown *unknown; /* VALUE_UNKNOWN: may be NULL = nothing known */
        const struct type
            *type; /* VALUE_NULL: its type; empty list/set/map: the element's; may be NULL */
    };
};
static_assert(sizeof(struct value) == 16, "a value is 16 bytes");

/* An interned key: within one key table equal keys are the same pointer. */
struct value_key {
    uint32_t len;
    uint32_t hash;
    char text[]; /* len bytes and a NUL */
};

struct value_member {
    const struct value_key *key;
    struct value value;
};

/* What is known of an unknown value (cty refinements). */
struct value_unknown {
    const struct type *type; /* NULL = any */
    bool not_null;
    struct str prefix;                /* strings: known first bytes */
    const struct value *least, *most; /* numbers: bounds, or NULL */
    bool least_inclusive, most_inclusive;
    int64_t len_least, len_most; /* collections: -1 = not known */
};

/* --- keys --- */

/* A table of interned keys; one per parse or per document, not thread-safe. */
struct key_slot {
    const struct value_key *key; /* NULL: free */
    uint32_t hash;               /* of the key, which is not looked at where this differs */
};
struct key_table {
    struct arena *arena;
    uint64_t seed;
    struct key_slot *slot;
    size_t nslots, n;
};
void key_table_init(struct key_table *table, struct arena *arena, uint64_t seed);
/* The one key of that text; NULL where the arena is full. */
const struct value_key *key_intern(struct key_table *table, struct str text);
/*
 * The same where a text may have very many different keys, most of them once: the table stays
 * within KEYS_REMEMBERED slots, so that a lookup stays in the processor's cache. A key that was not
 * met for long may come as another pointer; never two texts as one.
 */
enum { KEYS_REMEMBERED = 1 << 14 };
const struct value_key *key_remember(struct key_table *table, struct str text);
/* A key outside any table. */
const struct value_key *key_make(struct arena *arena, struct str text);
static inline struct str key_str(const struct value_key *key)
{
    return (struct str){key->text, key->len};
}
static inline bool key_equal(const struct value_key *a, const struct value_key *b)
{
    return a == b || str_equal(key_str(a), key_str(b));
}

/* --- making --- */

static inline struct value value_null(void)
{
    return (struct value){.kind = VALUE_NULL};
}
static inline struct value value_bool(bool truth)
{
    return (struct value){.kind = VALUE_BOOL, .truth = truth};
}
static inline struct value value_int(int64_t integer)
{
    return (struct value){.kind = VALUE_NUMBER, .form = NUMBER_INT, .integer = integer};
}
static inline struct value value_string(struct str s) /* not copied; s.len <= VALUE_LEN_MAX */
{
    return (struct value){.kind = VALUE_STRING, .len = (uint32_t)s.len, .text = s.ptr};
}
static inline struct value value_unknown(const struct value_unknown *known)
{
    return (struct value){.kind = VALUE_UNKNOWN, .unknown = known};
}
static inline struct value value_items(enum value_kind kind, const struct value *items, size_t n)
{
    return (struct value){.kind = (uint8_t)kind, .len = (uint32_t)n, .items = n ? items : NULL};
}
/* text must be a JSON number; becomes NUMBER_INT where that loses nothing, else keeps the text. */
struct value value_number(struct str text);
/*
 * Sort members in place and make a map or an object of them. A duplicate key fails with ERR_SYNTAX
 * naming it (*ret_duplicate, if not NULL, points at the later one).
 */
bool value_members(enum value_kind kind, struct value_member *members, size_t n, struct value *ret,
                   const struct value_key **ret_duplicate, struct err *err);

/* --- looking --- */

static inline struct str value_text(const struct value *v) /* VALUE_STRING or NUMBER_TEXT */
{
    return (struct str){v->text, v->len};
}
static inline bool value_is_string(const struct value *v)
{
    return v && v->kind == VALUE_STRING;
}
static inline bool value_is_list_like(const struct value *v)
{
    return v && (v->kind == VALUE_LIST || v->kind == VALUE_TUPLE || v->kind == VALUE_SET);
}
static inline bool value_is_object_like(const struct value *v)
{
    return v && (v->kind == VALUE_MAP || v->kind == VALUE_OBJECT);
}
/* The member of that key, or NULL: no such key, v NULL, or v not an object or map. */
const struct value *value_get(const struct value *v, struct str key);
/* The same, then what it must be; a default where it is absent or of another kind. */
struct str value_get_string(const struct value *v, struct str key); /* {0} if not a string */
bool value_get_bool(const struct value *v, struct str key, bool otherwise);
/* v is a number with an exact int64 value. */
bool value_to_int64(const struct value *v, int64_t *ret);
const char *value_kind_name(enum value_kind kind); /* "null", "bool", ... */
/* In the words of JSON and YAML, where a tuple is a list and an object a mapping. */
const char *value_plain_kind_name(enum value_kind kind);

/* --- comparing --- */

/*
 * Terraform's RawEquals (facts 2.7): numbers by value, strings by bytes (NFC is done on the way
 * in), sets as sets, kinds must match exactly (a tuple is not a list), marks are ignored.
 */
bool value_equal(const struct value *a, const struct value *b);
/* A total order that agrees with value_equal: kind, then value, then length. For sorting sets. */
int value_compare(const struct value *a, const struct value *b);
/* A hash that agrees with value_equal; for tables only. */
uint64_t value_hash(const struct value *v, uint64_t seed);

/* Is this node or anything below it marked sensitive? */
bool value_any_sensitive(const struct value *v);
/* Does it contain an unknown anywhere? */
bool value_any_unknown(const struct value *v);
/* A copy whose every byte lives in `arena`, but for types and refinements: these belong to a
 * schema, which must outlive it. */
bool value_copy(struct arena *arena, const struct value *v, struct value *ret, struct err *err);
/* The same without them, for who outlives the schema. */
bool value_copy_untyped(struct arena *arena, const struct value *v, struct value *ret,
                        struct err *err);
/* Sort by value_compare and drop equal elements, in place; the new count. */
size_t value_set_normalise(struct value *items, size_t n);
