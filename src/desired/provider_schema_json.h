/* provider_schema_json.h - what `terraform providers schema -json` prints, as model schemas.
 *
 * In:      the JSON text; bounded: attributes and blocks in all, nesting, bytes of the arena
 * Owner:   the arena; the text must outlive it
 * Errors:  ERR_SYNTAX naming provider, type and attribute; ERR_LIMIT
 * Source:  Terraform 1.11 internal/command/jsonprovider, format_version 1.0
 */
#pragma once
#include "desired/module.h"
#include "model/schema.h"

struct arena;
struct err;

struct provider_schema_json {
    struct str source;                           /* in full: registry.terraform.io/hashicorp/aws */
    struct provider_schema schema;               /* configuration and managed resources */
    const struct schema_named *data, *ephemeral; /* sorted by name */
    size_t ndata, nephemeral;
};
struct provider_schemas {
    const struct provider_schema_json *provider; /* sorted by source */
    size_t n;
};

bool provider_schemas_read(struct arena *arena, struct str text, const char *name,
                           struct provider_schemas *ret, struct err *err);
const struct provider_schema_json *provider_schemas_find(const struct provider_schemas *schemas,
                                                         struct str source);
/* The schema of one type; NULL if it is not there. */
const struct schema *provider_schemas_type(const struct provider_schemas *schemas,
                                           struct str source, enum code_mode mode, struct str type);
