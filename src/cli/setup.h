/* setup.h - what several subcommands decide alike from options and environment. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct app;
struct arena;
struct code_input_value;
struct err;
struct option_value;

/* Where schemas and probes are kept: as given, else below XDG_CACHE_HOME or ~/.cache; empty where
 * neither is known. */
struct str setup_cache_dir(struct arena *arena, const struct app *app, struct str given);
/* Colours on standard output: a terminal that can, and nobody said no. */
bool setup_colour(const struct app *app, bool no_color);
/* --var-file and --var as the evaluator takes them, files first. Files are relative to where we
 * are, whatever root module they are for. */
bool setup_inputs(struct arena *arena, const struct option_value *files,
                  const struct option_value *vars, const struct code_input_value **ret,
                  size_t *ret_n, struct err *err);
