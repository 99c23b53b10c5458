/* process_set.h - what process.c and process_set.c share. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;
struct loop;
struct plugin_spec;
struct provider_set;

/* How a process of that row is started; false where it may not be run. */
bool provider_set_spec(const struct provider_set *set, size_t row, struct arena *arena,
                       struct loop *loop, struct plugin_spec *ret, struct err *err);
