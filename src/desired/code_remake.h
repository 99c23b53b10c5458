/* code_remake.h - other elements for a collection: which constructor in the code is to be edited
 * (inside desired/ only). */
#pragma once
#include "desired/code_blocks.h"
#include "desired/code_invert.h"

enum remake_kind { REMAKE_REMOVE, REMAKE_ADD, REMAKE_CHANGE };
struct remake_op {
    enum remake_kind kind;
    struct value key;            /* of the element that goes or changes; in a set: the element */
    struct value old;            /* that one */
    size_t before;               /* REMAKE_ADD: the position among the elements */
    bool has_key, ordered;       /* ordered: of the new element; its place matters */
    struct value new_key, value; /* of the new element */
    /* The variable whose value is edited, and the path in it. */
    const struct code_variable *variable;
    struct path variable_rest;
    struct value given; /* what the constructor is made: with the defaults of optional() */
};
struct remake {
    struct code *code;
    struct arena *arena;
    struct str type; /* of the blocks: a new key is made of it */
    struct code_edit *edit;
    size_t n, room;
    struct str why;
    bool full;
};

/* Edits for one element of what expr gives. */
bool code_remake(struct remake *r, const struct code_source *source, const struct hcl_expr *expr,
                 struct remake_op op, unsigned depth_left);
void code_remake_follow(struct remake *r, struct code_follow *f);
bool code_remake_edit(struct remake *r, struct code_edit edit);
/* r->why unless there is one; false. */
bool code_remake_cannot(struct remake *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Make a path in what expr gives give v; and a condition be true or false. */
bool code_remake_set(struct remake *r, const struct code_source *source,
                     const struct hcl_expr *expr, struct path path, const struct value *v);
bool code_remake_truth(struct remake *r, const struct code_source *source,
                       const struct hcl_expr *expr, bool truth, unsigned depth_left);

/* --- code_element.c --- */

/* A new element of a constructor, shaped as its neighbours and its type are; and a key for it. */
struct value code_shape_element(struct remake *r, const struct code_source *source,
                                const struct hcl_expr *constructor, const struct remake_op *op);
bool code_element_key(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *object, const struct remake_op *op, struct str *ret);
