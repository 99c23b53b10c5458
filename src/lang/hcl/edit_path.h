/* edit_path.h - a place inside an expression set or unset, by path; or what stands in the way.
 *
 * Ways:    into object constructors, tuples, parentheses, jsonencode(...) of such, and those
 *          arguments of merge() that are objects. Only literals are written over; references,
 *          conditionals, for expressions, other calls and templates with sequences are obstacles,
 *          which name the expression and what is left of the path below it
 * Whole:   a list or object that is set as a whole keeps what stays as it is (comments,
 * references): elements are matched by longest common subsequence, sets as sets Source:
 * facts/hcl.md section 11
 */
#pragma once
#include "lang/hcl/edit.h"
#include "value/path.h"
#include "value/type.h"

/* X(constant, what it is, for messages) */
#define HCL_OBSTACLES(X) \
    X(HCL_OBSTACLE_NONE, "nothing") \
    X(HCL_OBSTACLE_REFERENCE, "a reference") \
    X(HCL_OBSTACLE_TEMPLATE, "a template with expressions in it") \
    X(HCL_OBSTACLE_CONDITIONAL, "a conditional expression") \
    X(HCL_OBSTACLE_FOR, "a for expression") \
    X(HCL_OBSTACLE_CALL, "a function call") \
    X(HCL_OBSTACLE_OPERATOR, "an operation") \
    X(HCL_OBSTACLE_SPLAT, "a splat expression") \
    X(HCL_OBSTACLE_MERGED, "an argument of merge() that is no literal") \
    X(HCL_OBSTACLE_KEY, "an object with computed keys") \
    X(HCL_OBSTACLE_ELEMENT, "a list that has no such element") \
    X(HCL_OBSTACLE_SCALAR, "a value that has no parts") \
    X(HCL_OBSTACLE_MEMORY, "an expression that is too large")

#define X(constant, name) constant,
enum hcl_obstacle_kind { HCL_OBSTACLES(X) HCL_OBSTACLE_COUNT };
#undef X
struct hcl_obstacle {
    enum hcl_obstacle_kind kind;
    const struct hcl_expr *expr; /* the smallest one that is in the way */
    struct path rest;            /* of the path, below it */
};
const char *hcl_obstacle_name(enum hcl_obstacle_kind kind);

/* What is known of a value that an expression gives. */
struct hcl_known {
    const struct value *old; /* what it gives now; NULL = nothing, or not known */
    const struct type *type; /* what it is converted to; NULL = not known */
};

/*
 * Make the part of expr at `rest` give v (wholly known). Missing objects and lists on the way are
 * made; a list grows by one at its end.
 * known  of the part, not of expr
 * False: *ret says what stands in the way, and the edit is of no use any more.
 */
bool hcl_edit_set(struct hcl_edit *edit, const struct hcl_expr *expr, struct path rest,
                  const struct value *v, struct hcl_known known, struct hcl_obstacle *ret);
/* Take the part away: an item of an object, an element of a list. What is not there is no obstacle.
 * rest.n > 0 */
bool hcl_edit_unset(struct hcl_edit *edit, const struct hcl_expr *expr, struct path rest,
                    struct hcl_known known, struct hcl_obstacle *ret);
/* Make a text inside of a template (a string among its parts) say something else. False where it
 * cannot be told how it is written: in JSON syntax, with \u escapes in it. */
bool hcl_edit_text(struct hcl_edit *edit, const struct hcl_expr *text, struct str now);
/* The same in the template of a file (hcl_parse_template): the file's text then. */
bool hcl_template_text(struct arena *arena, struct str file, const struct hcl_expr *text,
                       struct str now, struct str *ret);
/* A text at the beginning of a quoted template, or at its end. False where it is not quoted. */
bool hcl_edit_text_end(struct hcl_edit *edit, const struct hcl_expr *template, bool at_end,
                       struct str text);
/* v below new objects and lists, as the path says; false if it asks for other than first elements.
 */
bool hcl_edit_nest(struct arena *arena, struct path path, const struct value *v, struct value *ret);
/* Is it made of literals alone? */
bool hcl_is_literal(const struct hcl_expr *expr);
/* The type of a member or element of a value of that type, NULL where it has none. */
const struct type *hcl_type_below(const struct type *type, const struct path_step *step);
