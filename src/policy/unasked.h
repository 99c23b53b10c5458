/* unasked.h - packages and rules of Rego that nobody asks, though they look as if they were asked:
 * a policy that never speaks looks like one that never objects.
 *
 * In:      the compiled packages, and which of them are asked
 * Passes:  tests, and packages that others name: these are libraries
 */
#pragma once
#include "lang/rego/rego.h"

struct arena;
struct rego_module;

enum unasked {
    UNASKED_NO,     /* rules of its package are asked */
    UNASKED_OTHERS, /* it has rules that could be asked, and other packages were chosen */
    UNASKED_NONE    /* it has none */
};
struct unasked_options {
    enum unasked (*of)(void *ctx, const struct rego_module *module);
    void *ctx;
    const char *others; /* what is to be done about UNASKED_OTHERS; NULL: that was meant */
};
/* "net.rego:4: nobody asks data.net.denny; did you mean 'deny'?" False: the arena is full. */
bool unasked_find(struct arena *arena, const struct rego_policy *policy,
                  const struct unasked_options *options, struct str **ret, size_t *ret_n);
