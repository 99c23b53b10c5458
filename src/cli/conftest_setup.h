/* conftest_setup.h - what the conftest commands share: conftest.toml, configuration files that
 * policies ask for.
 */
#pragma once
#include "cli/command.h"
#include "lang/rego/rego.h"

struct app;
struct arena;

/*
 * Options that were not given: from CONFTEST_NAME of the environment, else from the file named by
 * the option in config_row, else from conftest.json, .toml, .yaml or .yml that is here, the first
 * of these. ERR_SYNTAX for values of the wrong kind. What is no option of the command is another
 * command's.
 */
bool conftest_setup(struct arena *arena, const struct app *app, const struct option *options,
                    size_t n, const struct invocation *in, size_t config_row,
                    struct invocation *ret, struct err *err);
/* parse_config() and its kin: struct rego_host.configuration. */
bool conftest_configuration(void *ctx, struct arena *arena, const struct rego_configuration *what,
                            struct value *ret, struct err *err);
