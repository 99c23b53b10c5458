/* infer.h - the types of a policy's documents, and what checks against them need.
 *
 * Owner:  the policy's arena; read-only once the policy is compiled, for its queries
 * Source: facts/rego.md 6 (type inference); OPA's documentation, "Type Checking"
 */
#pragma once
#include "lang/rego/policy.h"

struct rego_typed { /* a document: below data, or input */
    struct value key;
    const struct rego_type *type; /* of its rules; or NULL */
    struct rego_typed **child;    /* sorted by rego_compare of keys */
    size_t nchild, room;
};
/* Of one rule, or of all: the roots are "data" and "input". */
struct rego_types {
    const struct rego_types *outer; /* asked for what this has not */
    struct rego_typed root;
};
/* What a path of constants has; made where it is not there. NULL: memory. */
struct rego_typed *rego_typed_at(struct rego_typing *t, struct rego_typed *root,
                                 const struct value *path, size_t n);
/* The path of a node of the policy, "data" first; ret_path lives in the arena. */
bool rego_typed_path(struct rego_typing *t, const struct rego_node *node, struct value **ret_path,
                     size_t *ret_n);
struct rego_typed *rego_typed_child(const struct rego_typed *node, const struct value *key);
/* The type of a document with all that is below it: other texts may be keys too. */
const struct rego_type *rego_typed_extent(struct rego_typing *t, const struct rego_typed *node);
/* A rule's type becomes part of what is known of its path. */
bool rego_typed_insert(struct rego_typing *t, struct rego_typed *root, const struct value *path,
                       size_t n, const struct rego_type *type);
/* Of a ref whose operands are constants where .constant says so. */
struct rego_key {
    bool constant;
    struct value value;
};
const struct rego_type *rego_types_of(struct rego_typing *t, const struct rego_types *types,
                                      const struct rego_key *path, size_t n);
/* The same, of a part of a type. NULL: there is no such. */
const struct rego_type *rego_type_at(struct rego_typing *t, const struct rego_type *type,
                                     const struct rego_key *path, size_t n);

/* schema_type.c: what a value that a JSON Schema describes is. */
const struct rego_type *rego_type_of_schema(struct rego_typing *t, const struct value *schema);

/* --- of one rule, or a query --- */

struct rego_learnt { /* a variable's type before */
    uint32_t slot;
    const struct rego_type *was;
};
struct rego_inference {
    struct rego_compiler *c;
    struct rego_typing types;
    struct rego_types own;         /* what annotations say, for this rule */
    const struct rego_type **slot; /* of variables, generated ones too */
    size_t nslots, room;
    struct rego_learnt *learnt;
    size_t nlearnt, learnt_room;
    bool refs_only; /* bodies of every, not, and, or: no more is looked at there */
    bool closures;  /* and of those, first the comprehensions alone */
    bool failed;    /* something of this rule does not fit */
    unsigned depth;
};
/* fit.c: of terms that are taken apart: without calls, refs and comprehensions. */
bool rego_infer_no_memory(struct rego_inference *in); /* false */
const struct rego_type *rego_slot_type(const struct rego_inference *in, uint32_t slot);
void rego_learn(struct rego_inference *in, uint32_t slot, const struct rego_type *type);
/* What a closure has learnt since there were `to` such notes is not known outside of it. */
void rego_forget(struct rego_inference *in, size_t to);
/* A new variable of that type in a term's place. */
const struct rego_term *rego_stand_in(struct rego_inference *in, const struct rego_term *t,
                                      const struct rego_type *type);
bool rego_is_document(const struct rego_term *t); /* input, data */
bool rego_is_constant(const struct rego_term *t); /* a scalar */
/* Into its place among n that are sorted; there is room. The later one of a key holds. */
void rego_put_property(struct rego_property *property, size_t *n, struct rego_property one);
const struct rego_type *rego_term_type(struct rego_inference *in, const struct rego_term *t);
/* Whether a term may have that type; its variables learn theirs. either: of several that it may
 * have. */
bool rego_unify(struct rego_inference *in, const struct rego_term *t, const struct rego_type *type,
                bool either);
/* Whether two terms may be equal. */
bool rego_unify_both(struct rego_inference *in, const struct rego_term *a,
                     const struct rego_term *b);
