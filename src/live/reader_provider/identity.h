/* identity.h - what an import block names an object by, as the provider's identity schema has it.
 *
 * Source:  Terraform plugin protocol 5.9, 6.9 (ResourceIdentityData); Terraform 1.12 import blocks
 */
#pragma once
#include "base/str.h"

struct arena;
struct err;
struct schema;

/*
 * Its JSON as MessagePack of the schema's type: converted as the language does it, what is not
 * given null. Fails with ERR_SYNTAX for what is required and not there, what the schema does not
 * have, and what is of another type.
 */
bool identity_encode(struct arena *arena, const struct schema *schema, struct str json,
                     struct str *ret, struct err *err);
