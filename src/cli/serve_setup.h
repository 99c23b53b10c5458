/* serve_setup.h - what plumb.yaml says of the service, with all that it names: read, for a start,
 * or looked at, for `plumb config check`.
 */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

struct app;
struct arena;
struct config;
struct err;
struct option_value;
struct server_options;

/* What a command line says stands above plumb.yaml. */
struct serve_given {
    struct str listen; /* empty: plumb.yaml counts */
    bool anonymous;
    const struct option_value *store;
};
/*
 * ret  its log, telemetry and owner are set already; the rest is filled, `policy` to be closed
 * Errors have file:line:col where they are about plumb.yaml or a policy.
 */
bool serve_setup(struct arena *arena, const struct app *app, const struct serve_given *given,
                 const struct config *config, struct server_options *ret, struct err *err);
/*
 * Whether it would be filled: nothing is fetched, made or kept.
 * absent  told of each secret and key that is not on this machine, a line each; NULL: the first
 *         of them is the error
 */
bool serve_setup_check(struct arena *arena, const struct app *app, const struct config *config,
                       FILE *absent, struct err *err);
