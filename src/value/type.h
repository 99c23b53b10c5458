/* type.h - cty type constraints: what a provider's schema says a value must be.
 *
 * Shape:   immutable nodes in an arena; the primitive types and dynamic are shared constants
 * Source:  facts/terraform.md 2.3, 2.4 (type constraint JSON)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "value/value.h"

struct buf;

enum type_kind {
    TYPE_DYNAMIC,
    TYPE_BOOL,
    TYPE_NUMBER,
    TYPE_STRING,
    TYPE_LIST,
    TYPE_SET,
    TYPE_MAP,
    TYPE_TUPLE,
    TYPE_OBJECT,
    TYPE_CAPSULE /* opaque; the language's own (a type value in HCL) */
};
enum { TYPE_DEPTH_MAX = 200 };

struct type_member;
struct type {
    enum type_kind kind;
    uint32_t n; /* TYPE_TUPLE, TYPE_OBJECT: count */
    union {
        const struct type *elem;           /* TYPE_LIST, TYPE_SET, TYPE_MAP */
        const struct type *const *items;   /* TYPE_TUPLE */
        const struct type_member *members; /* TYPE_OBJECT, sorted by key */
    };
};
struct type_member {
    const struct value_key *key;
    const struct type *type;
    bool optional;
};

extern const struct type type_dynamic, type_bool, type_number, type_string;

const struct type *type_collection(struct arena *arena, enum type_kind kind,
                                   const struct type *elem); /* NULL: arena full */
const struct type *type_tuple(struct arena *arena, const struct type *const *items, size_t n);
/* Sorts members in place; keys must be unique. */
const struct type *type_object(struct arena *arena, struct type_member *members, size_t n);
const struct type_member *type_find_member(const struct type *object, struct str name);
/* All of it in `arena`, but for the shared constants. NULL: the arena is full. */
const struct type *type_copy(struct arena *arena, const struct type *type);
bool type_equal(const struct type *a, const struct type *b);
bool type_has_dynamic(const struct type *type);

/* ["list","string"] and so on; v is that JSON as a value. Depth <= TYPE_DEPTH_MAX, else ERR_SYNTAX.
 */
bool type_from_value(struct arena *arena, const struct value *v, const struct type **ret,
                     struct err *err);
/* Compact type constraint JSON with sorted keys, as Go writes it. */
void type_print_json(struct buf *out, const struct type *type);
/* As people write it in HCL: list(string), object({a=number}). */
void type_print_hcl(struct buf *out, const struct type *type);

/*
 * Make an untyped (JSON) value a value of that type, without conversion: tuple -> list, set or
 * tuple, object -> map or object, strings to NFC, sets normalised, missing object members null,
 * dynamic unwrapped from {"value":...,"type":...} where `wrapped` (state, RawState), inferred from
 * JSON else (plan JSON). A value of another shape fails with ERR_SYNTAX naming the path.
 */
bool type_apply(struct arena *arena, const struct type *type, const struct value *v, bool wrapped,
                struct value *ret, struct err *err);
/* The type of a value, from its nodes (NULL where the arena is full). */
const struct type *type_of(struct arena *arena, const struct value *v);
