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
/* "What it goes through is computed at ..."; where a name leads out of the code, that. */
bool code_remake_blocked(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr);
bool code_remake_outside(struct remake *r, const struct code_follow *f);
bool code_remake_eval(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, struct value *ret);
/* Without parentheses and "${ }" around it. */
const struct hcl_expr *code_remake_inner(const struct hcl_expr *expr);
/* The name of the function, empty where it is no call. */
struct str code_remake_call(const struct hcl_expr *expr);
bool code_remake_one_of(struct str name, const char *const *names);

/* --- code_remake_set.c --- */

/* Make a path in what expr gives give v; and a condition be true or false. */
bool code_remake_set(struct remake *r, const struct code_source *source,
                     const struct hcl_expr *expr, struct path path, const struct value *v);
bool code_remake_truth(struct remake *r, const struct code_source *source,
                       const struct hcl_expr *expr, bool truth, unsigned depth_left);

/* An argument that the call of a module lacks. */
bool code_remake_argument(struct remake *r, struct code_module_instance *module, struct str name,
                          const struct value *v);
/* A member of the object that expr gives goes, if it may; asked: nobody minds. */
bool code_remake_unset(struct remake *r, const struct code_source *source,
                       const struct hcl_expr *expr, const struct path_step *step, bool asked);
/* Make expr give nothing: the member that it names goes, where it may; else it is v. */
bool code_remake_nothing(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr, bool asked, const struct value *v);
/* Where try(), lookup() and their like looked for what is not there. True: it can be set there. */
bool code_remake_absent(struct remake *r, const struct code_follow *f, struct code_follow *ret,
                        bool *ret_one);
bool code_remake_is_true(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr, bool *ret);

/* --- code_element.c --- */

/* A new element of a constructor, shaped as its neighbours and its type are; and a key for it. */
struct value code_shape_element(struct remake *r, const struct code_source *source,
                                const struct hcl_expr *constructor, const struct remake_op *op);
/* New parts laid over an old element, which keeps what no block shows. */
bool code_lay_over(struct arena *arena, const struct value *old, const struct value *v,
                   struct value *ret);
/* Without the members that are not to be there: unknown ones. */
struct value code_strip(struct remake *r, const struct value *v, unsigned depth_left);
bool code_element_key(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *object, const struct remake_op *op, struct str *ret);
