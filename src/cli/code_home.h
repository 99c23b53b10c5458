/* code_home.h - where a service has its code from: beside its plumb.yaml, or a clone of a branch.
 */
#pragma once
#include <stdbool.h>

struct app;
struct arena;
struct config;
struct err;
struct feed_code;

/*
 * Without serve.git.fetch it is `given` itself. With it, the clone is made where there is none yet,
 * and its plumb.yaml counts: but for `serve`, `store` and `audit`, which stay what they are here.
 * ret_code  zeroed without serve.git.fetch
 */
bool code_home(struct arena *arena, const struct app *app, const struct config *given,
               const struct config **ret, struct feed_code *ret_code, struct err *err);
