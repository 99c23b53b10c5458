/* type.h - Rego's static types: of literals, rules, built-ins; read from signatures.
 *
 * Shape:  a set of kinds (bits), with at most one detail for each composite kind: the union of
 *         array[string] and array[number] is array[number | string]. NULL stands for any.
 * Owner:  the arena that was given
 * Source: facts/rego.md 6 (type inference), 11 (signatures)
 */
#pragma once
#include "lang/rego/term.h"

enum rego_kinds {
    REGO_NULL = 1,
    REGO_BOOLEAN = 2,
    REGO_NUMBER = 4,
    REGO_STRING = 8,
    REGO_ARRAY = 16,
    REGO_OBJECT = 32,
    REGO_SET = 64,
    REGO_ANY = 127
};
struct rego_type;
struct rego_property {
    struct value key; /* scalar */
    const struct rego_type *type;
};
struct rego_type {
    unsigned kinds;
    uint8_t order[8], norder;            /* the kinds' bits as a signature lists them */
    const struct rego_type *const *item; /* ARRAY: types of the first items */
    size_t nitems;
    const struct rego_type *rest;         /* ARRAY: of the items behind those */
    bool closed_array;                    /* there are none behind those */
    const struct rego_property *property; /* OBJECT: known keys, sorted by rego_compare */
    size_t nproperties;
    const struct rego_type *key, *value; /* OBJECT: of other keys */
    bool closed_object;                  /* there are no others */
    const struct rego_type *member;      /* SET */
};
static inline unsigned rego_type_kinds(const struct rego_type *type)
{
    return type ? type->kinds : (unsigned)REGO_ANY;
}
static inline bool rego_type_is_any(const struct rego_type *type)
{
    return !type;
}
/* The bit of a value's kind. */
unsigned rego_kind_of(const struct value *v);
/* "one of {array, object, set, string}" or "string", in the order of the signature. */
void rego_kinds_text(struct buf *out, const struct rego_type *type);

enum { REGO_ARGS_MAX = 8 };
struct rego_signature {
    const struct rego_type *arg[REGO_ARGS_MAX];
    size_t nargs;
    bool variadic;                  /* `(any...)`: any number of the last */
    const struct rego_type *result; /* NULL = any */
    bool has_result;
};
/*
 * "(array[any], string | set[string]) => object[string: any]". Grammar: any null boolean number
 * string, array[T], array<T, T>, set[T], object[K: V], object<a: T, b: T>, T | T, `T...` as the
 * last argument; nothing behind `=>` for a void one. False only for a table that is wrong, or
 * memory.
 */
bool rego_signature_parse(struct arena *arena, const char *text, struct rego_signature *ret);
