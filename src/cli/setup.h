/* setup.h - what several subcommands decide alike from options and environment. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct app;
struct arena;

/* Where schemas and probes are kept: as given, else below XDG_CACHE_HOME or ~/.cache; empty where
 * neither is known. */
struct str setup_cache_dir(struct arena *arena, const struct app *app, struct str given);
/* Colours on standard output: a terminal that can, and nobody said no. */
bool setup_colour(const struct app *app, bool no_color);
