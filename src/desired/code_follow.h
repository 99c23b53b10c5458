/* code_follow.h - from an expression to those that decide a part of its value (inside desired/
 * only).
 *
 * Shape:   a source is an expression with the place that it is evaluated in and what names stand
 *          for there; following adds a link for each named thing on the way
 * Bounds:  CODE_FOLLOW_DEPTH links and constructors
 */
#pragma once
#include "desired/code_parts.h"

enum { CODE_FOLLOW_DEPTH = 100, CODE_LINKS_MAX = 200 };

struct code_aiming;
struct code_bind;
struct code_source {
    const struct hcl_file *file;
    const struct code_scope *scope;
    const struct hcl_scope *names; /* NULL = the scope's own */
    const struct code_bind *bind;
    /* Of each and count here: the block's expression, and where that is evaluated. */
    const struct code_expr *repeat;
    const struct code_scope *repeat_scope;
};
/* A name of an iterator or of a for expression, and which element of what it stands for. */
struct code_bind {
    const struct code_bind *outer;
    struct str name;
    bool iterator;    /* NAME.key and NAME.value */
    const char *what; /* of the link; NULL = none */
    struct code_source source;
    const struct hcl_expr *expr;
    struct hcl_range range;
    struct path_step step; /* into expr */
    bool key_only;         /* it is a key: no expression gives it alone */
    bool any;              /* an element of a set: which one cannot be said by a path */
    struct value element;  /* then: its value */
};

struct code_follow {
    struct code *code;
    struct arena *arena;
    struct code_walk walk; /* says nothing */
    struct hcl_diags quiet;
    struct code_link *link;
    size_t n, room;
    struct str why; /* why it cannot be known */
    bool full;
    /* The expression that was reached last, and what is evaluated there; NULL: none was. */
    const struct hcl_expr *reached;
    struct code_source reached_at;
    struct code_aiming *aim; /* code_aim.h; NULL: nothing is wished for */
    struct path left;        /* of the path, below it */
    bool whole; /* where no path is left, only names are followed: no branch is taken */
    /* The last variable on the way, and the path below it; NULL: none. */
    const struct code_variable *variable;
    struct path variable_rest;
    struct code_module_instance *unset; /* its default is taken: the module's call gives nothing */
    /* lookup(), try() and their like gave what they give else: what they would have given. */
    const struct hcl_expr *absent;
    struct code_source absent_at;
    struct path absent_rest;
};

/* A link for something that is given by expr (or by nothing). */
void code_add_link(struct code_follow *f, const char *what, struct str name,
                   const struct hcl_file *file, struct hcl_range range, const struct hcl_expr *expr,
                   struct path rest);
/* On from expr: what decides the rest of the path below it. */
void code_follow_expr(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, struct path rest, unsigned depth_left);
/* On from a name: rest is what its steps and those behind it select. */
void code_follow_name(struct code_follow *f, const struct code_source *source,
                      const struct hcl_traversal *t, struct path rest, unsigned depth_left);
/* A path in the body of an instance. False if the code does not set it. */
bool code_follow_instance(struct code_follow *f, const struct code_made *made, struct path path,
                          unsigned depth_left);
/* The names of a for expression for one element of what it goes through. */
struct code_element {
    struct value key, value;
    struct path_step step;
    bool set;
};
struct code_source code_follow_bind(struct code_follow *f, const struct code_source *source,
                                    const struct hcl_expr *expr, const struct code_element *at);
/* Does the element pass, and under which key does it stand in the result? n: passed so far. */
bool code_follow_passes(struct code_follow *f, const struct code_source *inner,
                        const struct hcl_expr *expr, int64_t n, struct value *ret_key);
/* The key of an item of an object constructor, evaluated. */
bool code_follow_key(struct code_follow *f, const struct code_source *source,
                     const struct hcl_item *item, struct value *ret);
/* A key or index of the language as a step; false for what is none. */
bool code_follow_step(const struct value *key, struct path_step *ret);
/* The steps of x.a["b"][i] in front of `rest`; NULL: not known. Else what it begins with. */
const struct hcl_expr *code_follow_root(struct code_follow *f, const struct code_source *source,
                                        const struct hcl_expr *expr, struct path rest,
                                        struct path *ret);
/* What the iterators of the dynamic blocks around something stand for. */
const struct code_bind *code_bind_generated(struct code_follow *f, const struct code_source *outer,
                                            const struct code_generated *from, unsigned depth_left);
/* On from a call, to the argument that it passes on; code_follow_call.c. */
void code_follow_call(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, struct path rest, unsigned depth_left);
/* A path without its first step; with one more in front of it. */
struct path code_follow_tail(struct path path);
bool code_follow_prepend(struct code_follow *f, struct path_step step, struct path path,
                         struct path *ret);
bool code_follow_eval(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, struct value *ret);
/* Of a value that is not known: f->why, from the names in the expression where the way ended. */
void code_explain_unknown(struct code_follow *f, unsigned depth_left);
