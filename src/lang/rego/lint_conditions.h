/* lint_conditions.h - what the expressions of a body ask, and which of them cannot hold together.
 *
 * In:    a body as it was parsed
 * Uses:  time in proportion to its length: of one thing, a condition is compared with a bounded
 *        number before it
 */
#pragma once
#include "lang/rego/ast.h"

struct arena;

enum rego_lint_test {
    REGO_LINT_TEST_NONE,
    REGO_LINT_TEST_EQUAL,
    REGO_LINT_TEST_UNEQUAL,
    REGO_LINT_TEST_LESS,
    REGO_LINT_TEST_MOST,
    REGO_LINT_TEST_MORE,
    REGO_LINT_TEST_LEAST,
    REGO_LINT_TEST_IN
};

/* What an expression asks of one thing: of `of` that it is equal to, less than, one of ... `to`. */
struct rego_lint_condition {
    enum rego_lint_test test;
    const struct rego_term *of,
        *to; /* `to` is a constant, or a list of them for REGO_LINT_TEST_IN */
};
struct rego_lint_condition rego_lint_condition_of(const struct rego_expr *expr);
/* Does a value pass it? */
bool rego_lint_condition_passes(const struct value *v, const struct rego_lint_condition *c);

enum { REGO_LINT_BOTH_HOLD = -1 };
struct rego_lint_clash { /* of an expression: which one before it cannot hold beside it */
    int64_t against;     /* by what they ask of one thing; REGO_LINT_BOTH_HOLD: none */
    int64_t denied;      /* by being its negation */
};
/* ret[i] of expression i. False: the arena is full. */
bool rego_lint_clashes(struct arena *arena, const struct rego_body *body,
                       struct rego_lint_clash *ret);
