/* schema.h - what a provider says of its types: attributes, nested blocks, flags.
 *
 * Source:  tfplugin5 and tfplugin6 Schema (facts/terraform.md 2.2, 2.3)
 * Owner:   an arena that outlives all values of the schema; sorted by name
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "value/type.h"

enum schema_nesting {
    NESTING_INVALID,
    NESTING_SINGLE,
    NESTING_LIST,
    NESTING_SET,
    NESTING_MAP,
    NESTING_GROUP
};

struct schema_block;
struct schema_attribute {
    struct str name;
    const struct type *type; /* the implied type, also where `nested` is set */
    bool required, optional, computed, sensitive, write_only, deprecated;
    enum schema_nesting nesting;       /* of `nested` */
    const struct schema_block *nested; /* protocol 6 nested attributes, as a block; or NULL */
};
struct schema_nested_block {
    struct str name;
    enum schema_nesting nesting;
    const struct schema_block *block;
    int64_t min_items, max_items;
};
struct schema_block {
    const struct schema_attribute *attributes;
    size_t nattributes;
    const struct schema_nested_block *blocks;
    size_t nblocks;
    const struct type *type; /* the implied object type */
};
struct schema {
    int64_t version;
    struct schema_block block;
};
struct schema_named {
    struct str name;
    const struct schema *schema;
    const struct schema *identity; /* of a resource: identity attributes as a block, or NULL */
};
/* A function of the provider: provider::NAME::FUNCTION in the code. */
struct schema_parameter {
    struct str name;
    const struct type *type;
    bool allow_null, allow_unknown;
};
struct schema_function {
    struct str name;
    const struct schema_parameter *parameters;
    size_t nparameters;
    const struct schema_parameter *variadic; /* or NULL */
    const struct type *result;
};
/* Everything a provider says of itself; each list sorted by name. */
struct provider_schema {
    const struct schema *provider;      /* configuration */
    const struct schema *provider_meta; /* or NULL */
    const struct schema_named *resources;
    size_t nresources;
    const struct schema_named *data_sources, *ephemerals; /* empty where only resources were read */
    size_t ndata_sources, nephemerals;
    const struct schema_function *functions;
    size_t nfunctions;
    bool schema_optional;  /* capability get_provider_schema_optional */
    bool generates_config; /* capability generate_resource_config */
};

const struct schema_attribute *schema_find_attribute(const struct schema_block *block,
                                                     struct str name);
const struct schema_nested_block *schema_find_block(const struct schema_block *block,
                                                    struct str name);
const struct schema_named *schema_find_resource(const struct provider_schema *schema,
                                                struct str type_name);
const struct schema_named *schema_find_data(const struct provider_schema *schema,
                                            struct str type_name);
const struct schema_named *schema_find_ephemeral(const struct provider_schema *schema,
                                                 struct str type_name);
const struct schema_function *schema_find_function(const struct provider_schema *schema,
                                                   struct str name);
/*
 * Of a provider on SDKv2, which can not tell null from empty? It has what SDKv2 gives to every
 * resource: `id` as an optional and computed string, and no nested attributes, which SDKv2 can not
 * express.
 */
bool schema_is_legacy(const struct schema *schema);
/* All of it in `arena`. NULL: the arena is full. */
const struct schema *schema_copy(struct arena *arena, const struct schema *schema);
/*
 * Fill block->type from attributes and blocks (facts 2.3), from the leaves up: the types of nested
 * blocks, and of attributes with `nested`, must be there. False where the arena is full.
 */
bool schema_imply_type(struct arena *arena, struct schema_block *block);
