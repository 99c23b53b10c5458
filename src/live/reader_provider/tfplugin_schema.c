/* tfplugin_schema.c - GetProviderSchema and GetResourceIdentitySchemas into model/schema.h. */
#include "live/reader_provider/tfplugin.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "live/reader_provider/tfplugin_wire.h"
#include "wire/json.h"
#include "wire/protobuf.h"

enum {
    BLOCK_DEPTH_MAX = 32,
    TYPE_CACHE = 256 /* a power of two */,
    TYPE_TEXT_MAX = 1 << 20,
    SCRATCH_LIMIT = 1 << 29
};

/* --- the messages --- */

struct schema_message {
    int64_t version;
    struct str block;
};
static const struct pb_rule schema_rules[] = {
    PB_RULE(1, PB_INT64, struct schema_message, version),
    PB_RULE(2, PB_MESSAGE, struct schema_message, block),
};
static const struct pb_message schema_message = PB_MESSAGE_OF("Schema", schema_rules);

struct block_message {
    struct pb_list attributes, blocks;
};
static const struct pb_rule block_rules[] = {
    PB_RULE(2, PB_MANY, struct block_message, attributes),
    PB_RULE(3, PB_MANY, struct block_message, blocks),
};
static const struct pb_message block_message = PB_MESSAGE_OF("Schema.Block", block_rules);

struct attribute_message {
    struct str name, type, nested;
    bool required, optional, computed, sensitive, deprecated, write_only;
};
#define ATTRIBUTE_RULES \
    PB_RULE(1, PB_STRING, struct attribute_message, name), \
        PB_RULE(2, PB_BYTES, struct attribute_message, type), \
        PB_RULE(4, PB_BOOL, struct attribute_message, required), \
        PB_RULE(5, PB_BOOL, struct attribute_message, optional), \
        PB_RULE(6, PB_BOOL, struct attribute_message, computed), \
        PB_RULE(7, PB_BOOL, struct attribute_message, sensitive), \
        PB_RULE(9, PB_BOOL, struct attribute_message, deprecated)
static const struct pb_rule attribute5_rules[] = {
    ATTRIBUTE_RULES,
    PB_RULE(10, PB_BOOL, struct attribute_message, write_only),
};
static const struct pb_rule attribute6_rules[] = {
    ATTRIBUTE_RULES,
    PB_RULE(10, PB_MESSAGE, struct attribute_message, nested),
    PB_RULE(11, PB_BOOL, struct attribute_message, write_only),
};
static const struct pb_message attribute5_message =
    PB_MESSAGE_OF("Schema.Attribute", attribute5_rules);
static const struct pb_message attribute6_message =
    PB_MESSAGE_OF("Schema.Attribute", attribute6_rules);

struct nested_message {
    struct str name, block;
    int64_t nesting, min_items, max_items;
};
static const struct pb_rule nested_rules[] = {
    PB_RULE(1, PB_STRING, struct nested_message, name),
    PB_RULE(2, PB_MESSAGE, struct nested_message, block),
    PB_RULE(3, PB_INT64, struct nested_message, nesting),
    PB_RULE(4, PB_INT64, struct nested_message, min_items),
    PB_RULE(5, PB_INT64, struct nested_message, max_items),
};
static const struct pb_message nested_message = PB_MESSAGE_OF("Schema.NestedBlock", nested_rules);

struct object_message {
    struct pb_list attributes;
    int64_t nesting;
};
static const struct pb_rule object_rules[] = {
    PB_RULE(1, PB_MANY, struct object_message, attributes),
    PB_RULE(3, PB_INT64, struct object_message, nesting),
};
static const struct pb_message object_message = PB_MESSAGE_OF("Schema.Object", object_rules);

struct entry_message {
    struct str key, value;
};
static const struct pb_rule entry_rules[] = {
    PB_RULE(1, PB_STRING, struct entry_message, key),
    PB_RULE(2, PB_MESSAGE, struct entry_message, value),
};
static const struct pb_message entry_message = PB_MESSAGE_OF("map entry", entry_rules);

struct provider_message {
    struct str provider, meta, capabilities;
    struct pb_list resources, data_sources, diagnostics, functions, ephemerals;
};
static const struct pb_rule provider_rules[] = {
    PB_RULE(1, PB_MESSAGE, struct provider_message, provider),
    PB_RULE(2, PB_MANY, struct provider_message, resources),
    PB_RULE(3, PB_MANY, struct provider_message, data_sources),
    PB_RULE(4, PB_MANY, struct provider_message, diagnostics),
    PB_RULE(5, PB_MESSAGE, struct provider_message, meta),
    PB_RULE(6, PB_MESSAGE, struct provider_message, capabilities),
    PB_RULE(7, PB_MANY, struct provider_message, functions),
    PB_RULE(8, PB_MANY, struct provider_message, ephemerals),
};
static const struct pb_message provider_message =
    PB_MESSAGE_OF("GetProviderSchema.Response", provider_rules);

struct capabilities_message {
    bool schema_optional, generates_config;
};
static const struct pb_rule capabilities_rules[] = {
    PB_RULE(2, PB_BOOL, struct capabilities_message, schema_optional),
    PB_RULE(4, PB_BOOL, struct capabilities_message, generates_config),
};
static const struct pb_message capabilities_message =
    PB_MESSAGE_OF("ServerCapabilities", capabilities_rules);

struct parameter_message {
    struct str name, type;
    bool allow_null, allow_unknown;
};
static const struct pb_rule parameter_rules[] = {
    PB_RULE(1, PB_STRING, struct parameter_message, name),
    PB_RULE(2, PB_BYTES, struct parameter_message, type),
    PB_RULE(3, PB_BOOL, struct parameter_message, allow_null),
    PB_RULE(4, PB_BOOL, struct parameter_message, allow_unknown),
};
static const struct pb_message parameter_message =
    PB_MESSAGE_OF("Function.Parameter", parameter_rules);

struct result_message {
    struct str type;
};
static const struct pb_rule result_rules[] = {PB_RULE(1, PB_BYTES, struct result_message, type)};
static const struct pb_message result_message = PB_MESSAGE_OF("Function.Return", result_rules);

struct function_message {
    struct pb_list parameters;
    struct str variadic, result;
};
static const struct pb_rule function_rules[] = {
    PB_RULE(1, PB_MANY, struct function_message, parameters),
    PB_RULE(2, PB_MESSAGE, struct function_message, variadic),
    PB_RULE(3, PB_MESSAGE, struct function_message, result),
};
static const struct pb_message function_message = PB_MESSAGE_OF("Function", function_rules);

struct identities_message {
    struct pb_list schemas, diagnostics;
};
static const struct pb_rule identities_rules[] = {
    PB_RULE(1, PB_MANY, struct identities_message, schemas),
    PB_RULE(2, PB_MANY, struct identities_message, diagnostics),
};
static const struct pb_message identities_message =
    PB_MESSAGE_OF("GetResourceIdentitySchemas.Response", identities_rules);

struct identity_message {
    int64_t version;
    struct pb_list attributes;
};
static const struct pb_rule identity_rules[] = {
    PB_RULE(1, PB_INT64, struct identity_message, version),
    PB_RULE(2, PB_MANY, struct identity_message, attributes),
};
static const struct pb_message identity_message =
    PB_MESSAGE_OF("ResourceIdentitySchema", identity_rules);

struct identity_attribute_message {
    struct str name, type;
    bool required, optional;
};
static const struct pb_rule identity_attribute_rules[] = {
    PB_RULE(1, PB_STRING, struct identity_attribute_message, name),
    PB_RULE(2, PB_BYTES, struct identity_attribute_message, type),
    PB_RULE(3, PB_BOOL, struct identity_attribute_message, required),
    PB_RULE(4, PB_BOOL, struct identity_attribute_message, optional),
};
static const struct pb_message identity_attribute_message =
    PB_MESSAGE_OF("ResourceIdentitySchema.IdentityAttribute", identity_attribute_rules);

/* --- one decoding --- */

/* Few texts of types, many attributes: remember what each text became. */
struct type_cached {
    struct str text;
    const struct type *type;
};
struct decoder {
    struct arena *arena;  /* what stays */
    struct arena scratch; /* what goes at the end: lists of views */
    const struct pb_message *attribute;
    struct key_table names;
    size_t budget; /* attributes and blocks still allowed */
    struct type_cached cache[TYPE_CACHE];
};

static void decoder_open(struct decoder *d, struct arena *arena, int protocol)
{
    d->arena = arena;
    d->scratch = (struct arena){.limit = SCRATCH_LIMIT};
    d->attribute = protocol == 5 ? &attribute5_message : &attribute6_message;
    d->budget = TF_ATTRIBUTES_MAX;
    key_table_init(&d->names, arena, 0);
    memset(d->cache, 0, sizeof d->cache);
}

static bool spend(struct decoder *d, size_t n, struct err *err)
{
    if (n > d->budget)
        return err_set(err, ERR_LIMIT, "the schema has more than %d attributes and blocks",
                       TF_ATTRIBUTES_MAX);
    d->budget -= n;
    return true;
}

static bool keep_name(struct decoder *d, struct str name, struct str *ret, struct err *err)
{
    const struct value_key *key = key_intern(&d->names, name);
    if (!key)
        return arena_full(d->arena, err);
    *ret = key_str(key);
    return true;
}

static bool take_type(struct decoder *d, struct str text, const struct type **ret, struct err *err)
{
    struct type_cached *cached = &d->cache[hash_bytes(text, 0) & (TYPE_CACHE - 1)];
    struct value value;
    if (cached->type && str_equal(cached->text, text)) {
        *ret = cached->type;
        return true;
    }
    if (text.len > TYPE_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "a type of %zu bytes", text.len);
    if (!json_parse(d->arena, text, "type", JSON_DEFAULT, &value, err) ||
        !type_from_value(d->arena, &value, ret, err))
        return false;
    *cached = (struct type_cached){text, *ret};
    return true;
}

static enum schema_nesting nesting_of(int64_t number, enum schema_nesting most)
{
    return number > 0 && number <= (int64_t)most ? (enum schema_nesting)number : NESTING_INVALID;
}

/* --- attributes and blocks --- */

static int compare_attributes(const void *a, const void *b)
{
    return str_compare(((const struct schema_attribute *)a)->name,
                       ((const struct schema_attribute *)b)->name);
}

static int compare_blocks(const void *a, const void *b)
{
    return str_compare(((const struct schema_nested_block *)a)->name,
                       ((const struct schema_nested_block *)b)->name);
}

/* Sorted; a name may be there once, be it an attribute or a block. */
static bool order_block(struct schema_block *block, struct schema_attribute *attributes,
                        struct schema_nested_block *blocks, struct err *err)
{
    size_t a = 0, b = 0;
    if (block->nattributes)
        qsort(attributes, block->nattributes, sizeof *attributes, compare_attributes);
    if (block->nblocks)
        qsort(blocks, block->nblocks, sizeof *blocks, compare_blocks);
    const struct str *last = NULL;
    while (a < block->nattributes || b < block->nblocks) {
        bool attribute =
            b >= block->nblocks ||
            (a < block->nattributes && str_compare(attributes[a].name, blocks[b].name) <= 0);
        const struct str *name = attribute ? &attributes[a++].name : &blocks[b++].name;
        if (last && str_equal(*last, *name))
            return err_set(err, ERR_SYNTAX, "the schema has \"%.*s\" twice", STR_ARG(*name));
        last = name;
    }
    return true;
}

static bool take_nested_object(struct decoder *d, struct str bytes, unsigned depth_left,
                               struct schema_attribute *ret, struct err *err);

static bool take_attribute(struct decoder *d, struct str bytes, unsigned depth_left,
                           struct schema_attribute *ret, struct err *err)
{
    struct attribute_message m = {0};
    if (!pb_decode(&d->scratch, d->attribute, bytes, &m, err) ||
        !keep_name(d, m.name, &ret->name, err))
        return false;
    ret->required = m.required;
    ret->optional = m.optional;
    ret->computed = m.computed;
    ret->sensitive = m.sensitive;
    ret->deprecated = m.deprecated;
    ret->write_only = m.write_only;
    bool ok = m.nested.ptr ? take_nested_object(d, m.nested, depth_left, ret, err)
                           : take_type(d, m.type, &ret->type, err);
    return ok || err_wrap(err, "attribute \"%.*s\"", STR_ARG(ret->name));
}

static bool take_attributes(struct decoder *d, struct pb_list list, unsigned depth_left,
                            struct schema_attribute **ret, struct err *err)
{
    if (!spend(d, list.n, err))
        return false;
    struct schema_attribute *attributes = arena_new(d->arena, struct schema_attribute, list.n);
    if (!attributes)
        return arena_full(d->arena, err);
    for (size_t i = 0; i < list.n; i++)
        if (!take_attribute(d, list.items[i], depth_left, &attributes[i], err))
            return false;
    *ret = attributes;
    return true;
}

/* Sort what was read, then the object type of it. */
static bool finish_block(struct decoder *d, struct schema_block *block,
                         struct schema_attribute *attributes, struct schema_nested_block *blocks,
                         struct err *err)
{
    if (!order_block(block, attributes, blocks, err))
        return false;
    block->attributes = attributes;
    block->blocks = blocks;
    return schema_imply_type(d->arena, block) || arena_full(d->arena, err);
}

/* Protocol 6: an attribute whose type is given by attributes of its own. */
static bool take_nested_object(struct decoder *d, struct str bytes, unsigned depth_left,
                               struct schema_attribute *ret, struct err *err)
{
    struct object_message m = {0};
    struct schema_attribute *attributes;
    struct schema_block *block = arena_new(d->arena, struct schema_block, 1);
    if (!block)
        return arena_full(d->arena, err);
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", BLOCK_DEPTH_MAX);
    if (!pb_decode(&d->scratch, &object_message, bytes, &m, err) ||
        !take_attributes(d, m.attributes, depth_left - 1, &attributes, err))
        return false;
    block->nattributes = m.attributes.n;
    if (!finish_block(d, block, attributes, NULL, err))
        return false;
    ret->nested = block;
    ret->nesting = nesting_of(m.nesting, NESTING_MAP);
    ret->type = ret->nesting == NESTING_SINGLE ? block->type
                : ret->nesting == NESTING_LIST ? type_collection(d->arena, TYPE_LIST, block->type)
                : ret->nesting == NESTING_SET  ? type_collection(d->arena, TYPE_SET, block->type)
                : ret->nesting == NESTING_MAP  ? type_collection(d->arena, TYPE_MAP, block->type)
                                               : NULL;
    if (ret->nesting == NESTING_INVALID)
        return err_set(err, ERR_SYNTAX, "nesting mode %lld", (long long)m.nesting);
    return ret->type || arena_full(d->arena, err);
}

static bool take_block(struct decoder *d, struct str bytes, unsigned depth_left,
                       struct schema_block *ret, struct err *err);

static bool take_nested_block(struct decoder *d, struct str bytes, unsigned depth_left,
                              struct schema_nested_block *ret, struct err *err)
{
    struct nested_message m = {0};
    struct schema_block *block = arena_new(d->arena, struct schema_block, 1);
    if (!block)
        return arena_full(d->arena, err);
    if (!pb_decode(&d->scratch, &nested_message, bytes, &m, err) ||
        !keep_name(d, m.name, &ret->name, err))
        return false;
    ret->nesting = nesting_of(m.nesting, NESTING_GROUP);
    ret->min_items = m.min_items;
    ret->max_items = m.max_items;
    ret->block = block;
    if (ret->nesting == NESTING_INVALID)
        return err_set(err, ERR_SYNTAX, "block \"%.*s\": nesting mode %lld", STR_ARG(ret->name),
                       (long long)m.nesting);
    return take_block(d, m.block, depth_left, block, err) ||
           err_wrap(err, "block \"%.*s\"", STR_ARG(ret->name));
}

static bool take_block(struct decoder *d, struct str bytes, unsigned depth_left,
                       struct schema_block *ret, struct err *err)
{
    struct block_message m = {0};
    struct schema_attribute *attributes;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", BLOCK_DEPTH_MAX);
    if (!pb_decode(&d->scratch, &block_message, bytes, &m, err) || !spend(d, m.blocks.n, err) ||
        !take_attributes(d, m.attributes, depth_left - 1, &attributes, err))
        return false;
    struct schema_nested_block *blocks =
        arena_new(d->arena, struct schema_nested_block, m.blocks.n);
    if (!blocks)
        return arena_full(d->arena, err);
    for (size_t i = 0; i < m.blocks.n; i++)
        if (!take_nested_block(d, m.blocks.items[i], depth_left - 1, &blocks[i], err))
            return false;
    struct schema_block got = {.nattributes = m.attributes.n, .nblocks = m.blocks.n};
    if (!finish_block(d, &got, attributes, blocks, err))
        return false;
    *ret = got;
    return true;
}

/* NULL in *ret where there is no message and `needed` is false. */
static bool take_schema(struct decoder *d, struct str bytes, bool needed, const struct schema **ret,
                        struct err *err)
{
    struct schema_message m = {0};
    if (!bytes.ptr && !needed) {
        *ret = NULL;
        return true;
    }
    struct schema *schema = arena_new(d->arena, struct schema, 1);
    if (!schema)
        return arena_full(d->arena, err);
    if (!pb_decode(&d->scratch, &schema_message, bytes, &m, err) ||
        !take_block(d, m.block, BLOCK_DEPTH_MAX, &schema->block, err))
        return false;
    schema->version = m.version;
    *ret = schema;
    return true;
}

/* --- the provider's --- */

static int compare_named(const void *a, const void *b)
{
    return str_compare(((const struct schema_named *)a)->name,
                       ((const struct schema_named *)b)->name);
}

/* A map of types to their schemas, sorted; of a key that comes twice one is kept. */
static bool take_named(struct decoder *d, struct pb_list list, const char *what,
                       const struct schema_named **ret, size_t *ret_n, struct err *err)
{
    struct schema_named *named = arena_new(d->arena, struct schema_named, list.n);
    size_t n = 0;
    if (!named)
        return arena_full(d->arena, err);
    for (size_t i = 0; i < list.n; i++) {
        struct entry_message m = {0};
        if (!pb_decode(&d->scratch, &entry_message, list.items[i], &m, err) ||
            !keep_name(d, m.key, &named[i].name, err))
            return false;
        if (!take_schema(d, m.value, true, &named[i].schema, err))
            return err_wrap(err, "%s %.*s", what, STR_ARG(m.key));
    }
    if (list.n)
        qsort(named, list.n, sizeof *named, compare_named);
    for (size_t i = 0; i < list.n; i++)
        if (n == 0 || !str_equal(named[n - 1].name, named[i].name))
            named[n++] = named[i];
    *ret = named;
    *ret_n = n;
    return true;
}

/* --- functions --- */

static bool take_parameter(struct decoder *d, struct str bytes, struct schema_parameter *ret,
                           struct err *err)
{
    struct parameter_message m = {0};
    if (!spend(d, 1, err) || !pb_decode(&d->scratch, &parameter_message, bytes, &m, err) ||
        !keep_name(d, m.name, &ret->name, err) || !take_type(d, m.type, &ret->type, err))
        return false;
    ret->allow_null = m.allow_null;
    ret->allow_unknown = m.allow_unknown;
    return true;
}

static bool take_function(struct decoder *d, struct str bytes, struct schema_function *ret,
                          struct err *err)
{
    struct function_message m = {0};
    struct result_message result = {0};
    if (!pb_decode(&d->scratch, &function_message, bytes, &m, err) ||
        !pb_decode(&d->scratch, &result_message, m.result, &result, err) ||
        !take_type(d, result.type, &ret->result, err))
        return false;
    size_t n = m.parameters.n;
    struct schema_parameter *parameters = arena_new(d->arena, struct schema_parameter, n + 1);
    if (!parameters)
        return arena_full(d->arena, err);
    for (size_t i = 0; i < n; i++)
        if (!take_parameter(d, m.parameters.items[i], &parameters[i], err))
            return false;
    ret->parameters = parameters;
    ret->nparameters = n;
    if (m.variadic.ptr)
        ret->variadic = &parameters[n];
    return !m.variadic.ptr || take_parameter(d, m.variadic, &parameters[n], err);
}

static int compare_functions(const void *a, const void *b)
{
    return str_compare(((const struct schema_function *)a)->name,
                       ((const struct schema_function *)b)->name);
}

static bool take_functions(struct decoder *d, struct pb_list list, struct provider_schema *ret,
                           struct err *err)
{
    struct schema_function *functions = arena_new(d->arena, struct schema_function, list.n);
    if (!functions)
        return arena_full(d->arena, err);
    for (size_t i = 0; i < list.n; i++) {
        struct entry_message m = {0};
        if (!pb_decode(&d->scratch, &entry_message, list.items[i], &m, err) ||
            !keep_name(d, m.key, &functions[i].name, err))
            return false;
        if (!take_function(d, m.value, &functions[i], err))
            return err_wrap(err, "function %.*s", STR_ARG(m.key));
    }
    if (list.n)
        qsort(functions, list.n, sizeof *functions, compare_functions);
    ret->functions = functions;
    ret->nfunctions = list.n;
    return true;
}

/* --- all of it --- */

static bool take_provider(struct decoder *d, enum tf_schema_part part, struct str bytes,
                          struct provider_schema *ret, struct tf_diagnostics *ret_diagnostics,
                          struct err *err)
{
    struct provider_message m = {0};
    struct capabilities_message capabilities = {0};
    if (!pb_decode(&d->scratch, &provider_message, bytes, &m, err) ||
        !tf_take_diagnostics(d->arena, m.diagnostics, ret_diagnostics, err) ||
        !pb_decode(&d->scratch, &capabilities_message, m.capabilities, &capabilities, err))
        return false;
    if (!take_schema(d, m.provider, true, &ret->provider, err) ||
        !take_schema(d, m.meta, false, &ret->provider_meta, err))
        return err_wrap(err, "provider configuration");
    ret->schema_optional = capabilities.schema_optional;
    ret->generates_config = capabilities.generates_config;
    if (!take_named(d, m.resources, "resource type", &ret->resources, &ret->nresources, err))
        return false;
    return part == TF_SCHEMA_RESOURCES ||
           (take_named(d, m.data_sources, "data source", &ret->data_sources, &ret->ndata_sources,
                       err) &&
            take_named(d, m.ephemerals, "ephemeral resource", &ret->ephemerals, &ret->nephemerals,
                       err) &&
            take_functions(d, m.functions, ret, err));
}

bool tf_decode_schema(struct arena *arena, int protocol, enum tf_schema_part part, struct str bytes,
                      struct provider_schema *ret, struct tf_diagnostics *ret_diagnostics,
                      struct err *err)
{
    struct decoder d;
    struct provider_schema got = {0};
    struct tf_diagnostics diagnostics = {0};
    decoder_open(&d, arena, protocol);
    bool ok = take_provider(&d, part, bytes, &got, &diagnostics, err);
    arena_free(&d.scratch);
    if (!ok)
        return err_wrap(err, "provider schema");
    *ret = got;
    *ret_diagnostics = diagnostics;
    return true;
}

/* --- identities --- */

static bool take_identity(struct decoder *d, struct str bytes, const struct schema **ret,
                          struct err *err)
{
    struct identity_message m = {0};
    if (!pb_decode(&d->scratch, &identity_message, bytes, &m, err) ||
        !spend(d, m.attributes.n, err))
        return false;
    struct schema *schema = arena_new(d->arena, struct schema, 1);
    struct schema_attribute *attributes =
        arena_new(d->arena, struct schema_attribute, m.attributes.n);
    if (!schema || !attributes)
        return arena_full(d->arena, err);
    for (size_t i = 0; i < m.attributes.n; i++) {
        struct identity_attribute_message a = {0};
        if (!pb_decode(&d->scratch, &identity_attribute_message, m.attributes.items[i], &a, err) ||
            !keep_name(d, a.name, &attributes[i].name, err) ||
            !take_type(d, a.type, &attributes[i].type, err))
            return false;
        attributes[i].required = a.required;
        attributes[i].optional = a.optional;
    }
    schema->version = m.version;
    schema->block.nattributes = m.attributes.n;
    *ret = schema;
    return finish_block(d, &schema->block, attributes, NULL, err);
}

static bool take_identities(struct decoder *d, struct str bytes, struct schema_named *resources,
                            size_t n, struct tf_diagnostics *ret_diagnostics, struct err *err)
{
    struct identities_message m = {0};
    if (!pb_decode(&d->scratch, &identities_message, bytes, &m, err) ||
        !tf_take_diagnostics(d->arena, m.diagnostics, ret_diagnostics, err))
        return false;
    for (size_t i = 0; i < m.schemas.n; i++) {
        struct entry_message entry = {0};
        if (!pb_decode(&d->scratch, &entry_message, m.schemas.items[i], &entry, err))
            return false;
        struct schema_named key = {.name = entry.key};
        struct schema_named *resource =
            n ? bsearch(&key, resources, n, sizeof key, compare_named) : NULL;
        if (resource && !take_identity(d, entry.value, &resource->identity, err))
            return err_wrap(err, "identity of %.*s", STR_ARG(entry.key));
    }
    return true;
}

bool tf_decode_identity_schemas(struct arena *arena, struct str bytes,
                                struct provider_schema *schema,
                                struct tf_diagnostics *ret_diagnostics, struct err *err)
{
    struct decoder d;
    struct tf_diagnostics diagnostics = {0};
    size_t n = schema->nresources;
    struct schema_named *resources = arena_new(arena, struct schema_named, n);
    if (!resources)
        return arena_full(arena, err);
    if (n)
        memcpy(resources, schema->resources, n * sizeof *resources);
    decoder_open(&d, arena, 6);
    bool ok = take_identities(&d, bytes, resources, n, &diagnostics, err);
    arena_free(&d.scratch);
    if (!ok)
        return err_wrap(err, "identity schemas");
    schema->resources = resources;
    *ret_diagnostics = diagnostics;
    return true;
}
