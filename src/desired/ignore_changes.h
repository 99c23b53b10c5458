/* ignore_changes.h - lifecycle.ignore_changes: at these places the configuration is what the prior
 * state says.
 *
 * Steps:   as the code writes them: `tags["a"]` and `disk[0].size`; an index and an attribute are
 *          not the same (`tags.a` names no map key, and does nothing, as in Terraform)
 * Clause:  only what is in the prior state and in the configuration is looked at; a last step that
 *          is a map's key drops the key where the prior state has none
 * Source:  Terraform 1.11, processIgnoreChanges; facts/terraform.md 3.4
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "model/schema.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct code_resource;
struct err;

struct ignored_path {
    struct path path;
    const bool *is_index; /* of each step: written in brackets */
};
struct ignore_changes {
    bool all;
    const struct ignored_path *paths;
    size_t n;
    struct str reason; /* "ignore_changes at main.tf:7" */
};
static inline bool ignore_changes_any(const struct ignore_changes *ignored)
{
    return ignored && (ignored->all || ignored->n);
}

/* What the block says. typed: values will be of the schema's types; without it a map is an object
 * like any other. */
bool ignore_changes_of(struct arena *arena, const struct code_resource *resource, bool typed,
                       struct ignore_changes *ret, struct err *err);
/*
 * block  the schema; NULL: `config` is a legacy provider's plan, of which everything that is
 *        ignored is taken back
 * prior  null = the object does not exist: nothing is ignored
 */
bool ignore_changes_apply(struct arena *arena, const struct ignore_changes *ignored,
                          const struct schema_block *block, const struct value *prior,
                          const struct value *config, struct value *ret, struct err *err);
/* Is a difference at that place one that the authors accepted? */
bool ignore_changes_cover(const struct ignore_changes *ignored, struct path path);
