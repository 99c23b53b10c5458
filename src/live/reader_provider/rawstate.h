/* rawstate.h - a recorded instance as the provider's UpgradeResourceState wants it. */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "live/reader_provider/tfplugin.h"

struct arena;
struct err;
struct resource;
struct schema;
struct value;

/*
 * Attributes verbatim; where the recorded version is the schema's own, members that the schema does
 * not know are left out first, as Terraform does; flatmap states become pairs.
 * ERR_CONFLICT: written by a newer provider than this one. ERR_SYNTAX: the recorded text is bad.
 */
bool rawstate_make(struct arena *arena, const struct resource *resource,
                   const struct schema *schema, struct tf_raw_state *ret, struct err *err);

/* The recorded attributes as a value of the schema's type, without asking the provider: only for a
 * state of the schema's own version. False where they are not of that type. */
bool rawstate_value(struct arena *arena, const struct resource *resource,
                    const struct schema *schema, struct value *ret, struct err *err);
