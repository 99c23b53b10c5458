/* schemas.h - JSON Schemas that the types of policies are checked by, as `opa -s` finds them.
 *
 * Shape:  a file is the schema of input ("schema"); of a folder each file is schema.FOLDER.FILE,
 *         without its ending, for METADATA to name
 * Owner:  the arena
 * Source: OPA's documentation, "Using schemas to enhance the Rego type checker"
 */
#pragma once
#include "lang/rego/rego.h"

enum { POLICY_SCHEMAS_MAX = 10000 };

/* Into options->schema; none where path is empty. ERR_IO, ERR_SYNTAX, ERR_LIMIT. */
bool policy_load_schemas(struct arena *arena, struct str path, struct rego_compile_options *options,
                         struct err *err);
