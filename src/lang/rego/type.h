/* type.h - Rego's static types: of literals, rules, built-ins; read from signatures; compared.
 *
 * Shape:  a tree; NULL stands for a type that is not known (yet), REGO_ANY without alternatives
 *         for one that fits everything
 * Owner:  the arena that was given; never changed once made, and shared
 * Bounds: trees deeper than REGO_TYPE_DEPTH and whatever comes once `steps_left` is spent are any:
 *         a check that costs too much refuses nothing
 * Source: facts/rego.md 6 (type inference), 11 (signatures)
 */
#pragma once
#include "lang/rego/term.h"

enum rego_kinds { /* bits; in the order of types */
                  REGO_NULL = 1,
                  REGO_BOOLEAN = 2,
                  REGO_NUMBER = 4,
                  REGO_STRING = 8,
                  REGO_ARRAY = 16,
                  REGO_OBJECT = 32,
                  REGO_SET = 64,
                  REGO_ANY = 127,      /* one of several, or of all there are */
                  REGO_FUNCTION = 128, /* no value */
                  REGO_AGAIN = 256     /* of a schema: the type of .rest, which this is a part of */
};
struct rego_type;
struct rego_property {
    struct value key;
    const struct rego_type *type;
};
enum { REGO_TYPE_DEPTH = 64 };
struct rego_type {
    unsigned kind;
    unsigned depth;
    const struct rego_type *const *of; /* ARRAY: of the first items; ANY: alternatives, in order;
                                          FUNCTION: of the arguments */
    size_t n;
    const struct rego_property *property; /* OBJECT: known keys, sorted by rego_compare */
    size_t nproperties;
    bool open;                    /* ARRAY, OBJECT: there may be others */
    const struct rego_type *key;  /* OBJECT: of other keys */
    const struct rego_type *rest; /* of other items or values, of a set's members, of what a
                                     function gives */
    uint8_t order[8], norder;     /* kinds of a union as a signature lists them */
};
struct rego_typing { /* makes types */
    struct arena *arena;
    size_t steps_left;
    bool out_of_memory;
};
extern const struct rego_type rego_any;

/* The bits of the kinds that a value of that type may have. */
unsigned rego_type_kinds(const struct rego_type *type);
/* The bit of a value's kind. */
unsigned rego_kind_of(const struct value *v);
/* "one of {array, object, set, string}" or "string", in the order of the signature. */
void rego_kinds_text(struct buf *out, const struct rego_type *type);
/* As OPA prints it: any<number, array[string]>, ???; parts of what is large are left out. */
void rego_type_text(struct buf *out, const struct rego_type *type);

/* A scalar's, or any. */
const struct rego_type *rego_type_scalar(unsigned kind);
const struct rego_type *rego_type_of_value(struct rego_typing *t, const struct value *v);
/* `from` with its depth set: an array, object, set or function. */
const struct rego_type *rego_type_make(struct rego_typing *t, struct rego_type from);
const struct rego_type *rego_type_set(struct rego_typing *t, const struct rego_type *member);
/* Other keys of that type only. */
const struct rego_type *rego_type_map(struct rego_typing *t, const struct rego_type *key,
                                      const struct rego_type *value);
/* The union. NULL is the other one's; a function fits no value: NULL. */
const struct rego_type *rego_type_or(struct rego_typing *t, const struct rego_type *a,
                                     const struct rego_type *b);
/* Of all keys (indexes, members) that it has, of all values, of the value at a constant key; NULL:
 * it has none. */
const struct rego_type *rego_type_keys(struct rego_typing *t, const struct rego_type *of);
const struct rego_type *rego_type_values(struct rego_typing *t, const struct rego_type *of);
const struct rego_type *rego_type_select(struct rego_typing *t, const struct rego_type *of,
                                         const struct value *key);
/* It or a part of it is not known. */
bool rego_type_unknown(struct rego_typing *t, const struct rego_type *type);
/* There may be a value that both fit. */
bool rego_type_unifies(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b);
/* What stands behind REGO_AGAIN. */
const struct rego_type *rego_type_itself(const struct rego_type *type);

enum { REGO_ARGS_MAX = 8 };
struct rego_signature {
    const struct rego_type *arg[REGO_ARGS_MAX];
    size_t nargs;
    bool variadic;                  /* `(any...)`: any number of the last */
    const struct rego_type *result; /* NULL where has_result is false */
    bool has_result;
};
/*
 * "(array[any], string | set[string]) => object[string: any]". Grammar: any null boolean number
 * string, array[T], array<T, T>, set[T], object[K: V], object<a: T, b: T>, T | T, `T...` as the
 * last argument; nothing behind `=>` for a void one. False only for a table that is wrong, or
 * memory.
 */
bool rego_signature_parse(struct arena *arena, const char *text, struct rego_signature *ret);
