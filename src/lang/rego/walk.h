/* walk.h - every term and expression of a piece of Rego, in the order of the text.
 *
 * Bounds: REGO_WALK_DEPTH levels; deeper is `false`, as is REGO_WALK_END
 */
#pragma once
#include "lang/rego/ast.h"

enum { REGO_WALK_DEPTH = 4 * REGO_DEPTH_MAX };
enum rego_walk_next {
    REGO_WALK_IN,   /* into its parts */
    REGO_WALK_PAST, /* not into them */
    REGO_WALK_END   /* no further at all */
};
struct rego_walker { /* either may be NULL; called before the parts are walked */
    enum rego_walk_next (*term)(struct rego_walker *walker, struct rego_term *term);
    enum rego_walk_next (*expr)(struct rego_walker *walker, struct rego_expr *expr);
    unsigned depth;
};
bool rego_walk_term(struct rego_walker *walker, struct rego_term *term);
bool rego_walk_expr(struct rego_walker *walker, struct rego_expr *expr);
bool rego_walk_body(struct rego_walker *walker, const struct rego_body *body);
/* Head and body; not its else chain. The first part of the head's ref is its name: passed over. */
bool rego_walk_rule(struct rego_walker *walker, const struct rego_rule *rule);
