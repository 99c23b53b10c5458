/* term.h - Rego's values: struct value with Rego's meaning of order, equality, keys and text.
 *
 * Shape:   null, bool, number and string as they are; arrays are VALUE_TUPLE or VALUE_LIST; sets
 *          VALUE_SET with items sorted by rego_compare, unique; objects either VALUE_OBJECT or
 *          VALUE_MAP (string keys, as input documents have them, used without a copy) or REGO_PAIRS
 *          (any keys, sorted by rego_compare, unique). An object of string keys equals one of
 * pairs. Numbers: keep their literal text; equality and order are exact by value (1 == 1.0) Source:
 * facts/rego.md 5.1, 7, 8
 */
#pragma once
#include "value/value.h"

struct arena;
struct buf;

/* Beyond enum value_kind: only inside lang/rego. `len` pairs behind `pairs`. */
enum { REGO_PAIRS = VALUE_KIND_COUNT };
/* Deepest value; input documents are shallower (JSON_DEPTH_MAX), and the evaluator refuses to build
 * deeper ones. */
enum { REGO_NESTING_MAX = 4000 };

struct rego_pair {
    struct value key, value;
};
/* A REGO_PAIRS node keeps its pairs in value.items: len pairs are 2 * len values, key then value.
 */
static inline const struct rego_pair *rego_pairs(const struct value *v)
{
    return (const struct rego_pair *)(const void *)v->items;
}
static inline bool rego_is_array(const struct value *v)
{
    return v->kind == VALUE_TUPLE || v->kind == VALUE_LIST;
}
static inline bool rego_is_object(const struct value *v)
{
    return v->kind == REGO_PAIRS || v->kind == VALUE_OBJECT || v->kind == VALUE_MAP;
}
/* "null" "boolean" "number" "string" "array" "object" "set" */
const char *rego_type_name(const struct value *v);

/* The total order of facts 7. */
int rego_compare(const struct value *a, const struct value *b);
/* Where something stands among n that are sorted, or should; order: that of the one at that place
 * to it. */
size_t rego_place(size_t n, int (*order)(const void *ctx, size_t at), const void *ctx,
                  bool *ret_there);
bool rego_equal(const struct value *a, const struct value *b);
uint64_t rego_hash(const struct value *v); /* agrees with rego_equal */

/* v[key]: array index, object key, set member (itself); NULL = undefined. Strings, numbers: NULL.
 */
const struct value *rego_get(const struct value *v, const struct value *key);
/* Walk a collection: *at starts at 0; key of an array is its index, of a set the member. False at
 * the end, or at once for a scalar. */
bool rego_next(const struct value *v, size_t *at, struct value *ret_key, struct value *ret_value);

/* The i-th of them where it stands: what rego_next gave a copy of when *at became i + 1. */
const struct value *rego_item(const struct value *v, size_t i);

/* The items of a, then those of b; NULL where memory is out or they are too many. */
struct value *rego_join_items(struct arena *arena, const struct value *a, const struct value *b);
/* Sort and drop equal ones in place. */
struct value rego_make_set(struct value *items, size_t n);
/* Sort in place. False with *ret_clash (index of a pair) if one key has two different values. */
bool rego_make_object(struct rego_pair *pairs, size_t n, struct value *ret, size_t *ret_clash);
/* The same of an object as a policy writes it: of equal keys the last one counts, as in OPA. */
struct value rego_make_written(struct rego_pair *pairs, size_t n);
/* A deep copy without anything left in the old arena. */
bool rego_copy(struct arena *arena, const struct value *v, struct value *ret);
/* An input document whose sets or maps are not in Rego's order or form made fit; usually v itself.
 */
bool rego_adopt(struct arena *arena, const struct value *v, struct value *ret);

/* Rego text of a value (8.3): {"a": [1, "x"]}, set(); top-level strings quoted too. */
void rego_text(struct buf *out, const struct value *v);
/* JSON of a value (8.4), HTML escapes as Go's encoder. */
void rego_json(struct buf *out, const struct value *v);

/* --- numbers (facts 8.1) --- */

enum rego_op { REGO_ADD, REGO_SUB, REGO_MUL, REGO_DIV, REGO_REM };
/* False with *ret_why ("divide by zero") */
bool rego_arith(struct arena *arena, enum rego_op op, const struct value *a, const struct value *b,
                struct value *ret, const char **ret_why);
bool rego_is_integer(const struct value *number); /* by value: 1e3 and 2.0 are */
/* The exact int64, if it is one. */
bool rego_to_int64(const struct value *number, int64_t *ret);
/* The same, of a number that is written as an integer: 3.0 and 1e3 are none to built-ins that count
 * or index, as in OPA. */
bool rego_index_int64(const struct value *number, int64_t *ret);
