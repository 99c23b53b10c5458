/* code_home.h - where a service has its code from: beside its plumb.yaml, or a clone of a branch.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct app;
struct arena;
struct config;
struct err;
struct feed_code;

enum { CODES_MAX = 64 };
/*
 * Without serve.git.fetch it is `given` itself. With it, the clone is made where there is none yet,
 * and its plumb.yaml counts: but for `serve`, `store` and `audit`, which stay what they are here.
 * A stack with a `branch` or `repository`, or with a folder in another repository's working tree,
 * has a clone of its own (config_stack.root). One that cannot be made now is told, and made by the
 * service when it can.
 * ret_codes  the branches that are cloned, plumb.yaml's first; none without serve.git.fetch
 */
bool code_home(struct arena *arena, const struct app *app, const struct config *given,
               const struct config **ret, const struct feed_code **ret_codes, size_t *ret_n,
               struct err *err);
/* Is it said, or known of the working tree, what would be cloned? Nothing is. */
bool code_home_check(struct arena *arena, const struct config *given, struct err *err);
