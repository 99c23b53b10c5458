/* who.h - who runs this process, and how far that can be believed (docs/reviews.md).
 *
 * Locally the account of the operating system (how "os-user"). In a CI job the person that its
 * environment names (how "ci:github" ...): anybody who may set variables can say so; the account
 * that the job runs as stands in `via`.
 */
#pragma once
#include <stdbool.h>

#include "model/actor.h"

struct app;
struct arena;
struct err;

bool who_am_i(const struct app *app, struct arena *arena, struct actor *ret, struct err *err);
