/* code_invert.h - what an element must be for an expression to give a value (inside desired/ only).
 *
 * Ways:    through references to the element, constructors, lookup(), try(), coalesce(),
 *          conversions, join() and split(), templates with one sequence, conditionals, `for` and
 *          nested dynamic blocks. What is found is a guess that holds where each of them can be
 *          undone: whoever uses it evaluates afterwards
 */
#pragma once
#include "desired/code_follow.h"

/* An element that is looked for: of a dynamic block's for_each, or of a `for` expression. */
struct code_wanted {
    const struct code_wanted *outer;
    struct str name, key_name; /* key_name: of `for`, may be empty */
    bool iterator;             /* NAME.key and NAME.value */
    bool has_key, has_value;
    struct value key, value;
};

/* Make expr give v. False: f->why says which expression cannot. */
bool code_invert(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct code_wanted *in, const struct value *v,
                 unsigned depth_left);
/* Make the content of a dynamic block give v, an object. block NULL: no schema is known. */
bool code_invert_block(struct code_follow *f, const struct code_source *source,
                       const struct hcl_body *body, const struct schema_block *block,
                       struct code_wanted *in, const struct value *v, unsigned depth_left);
/* Equal, or the same after a conversion; null is absent. wish: an unknown in it is anything. */
bool code_loosely_equal(struct arena *arena, const struct value *now, const struct value *wish);
/* Does a condition ask whether something is null? */
bool code_mentions_null(const struct hcl_expr *expr, unsigned depth_left);
/* f->why, unless there is one; false. */
bool code_cannot(struct code_follow *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "main.tf:3: text" of an expression, cut where it is long. */
struct str code_expr_text(struct code_follow *f, const struct hcl_file *file,
                          const struct hcl_expr *expr);
