/* provider_schema_json.c - provider_schemas_read(): JSON objects to blocks, from the leaves up. */
#include "desired/provider_schema_json.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

enum { NESTED_DEPTH_MAX = 32, NODES_MAX = 4000000 /* attributes and blocks of all providers */ };

struct reading {
    struct arena *arena;
    size_t budget;
};

static bool spend(struct reading *r, size_t n, struct err *err)
{
    if (n > r->budget)
        return err_set(err, ERR_LIMIT, "the schemas have more than %d attributes and blocks",
                       NODES_MAX);
    r->budget -= n;
    return true;
}

static enum schema_nesting nesting_of(const struct value *v)
{
    static const struct {
        const char *name;
        enum schema_nesting nesting;
    } rows[] = {{"single", NESTING_SINGLE},
                {"list", NESTING_LIST},
                {"set", NESTING_SET},
                {"map", NESTING_MAP},
                {"group", NESTING_GROUP}};
    struct str name = value_get_string(v, STR("nesting_mode"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_equal(name, str_from(rows[i].name)))
            return rows[i].nesting;
    return NESTING_INVALID;
}

static int64_t count_of(const struct value *v, struct str key)
{
    int64_t n = 0;
    return value_to_int64(value_get(v, key), &n) ? n : 0;
}

static bool read_block(struct reading *r, const struct value *v, unsigned depth_left,
                       struct schema_block *ret, struct err *err);

/* The type of an attribute that is written as attributes of its own. */
static bool read_nested_type(struct reading *r, const struct value *v, unsigned depth_left,
                             struct schema_attribute *ret, struct err *err)
{
    static const enum type_kind kinds[] = {
        [NESTING_LIST] = TYPE_LIST, [NESTING_SET] = TYPE_SET, [NESTING_MAP] = TYPE_MAP};
    struct schema_block *block = arena_new(r->arena, struct schema_block, 1);
    ret->nesting = nesting_of(v);
    if (!block)
        return arena_full(r->arena, err);
    if (!read_block(r, v, depth_left, block, err))
        return false;
    ret->nested = block;
    if (ret->nesting == NESTING_INVALID)
        return err_set(err, ERR_SYNTAX, "unknown nesting_mode");
    ret->type = ret->nesting == NESTING_SINGLE || ret->nesting == NESTING_GROUP
                    ? block->type
                    : type_collection(r->arena, kinds[ret->nesting], block->type);
    return ret->type || arena_full(r->arena, err);
}

static bool read_attribute(struct reading *r, struct str name, const struct value *v,
                           unsigned depth_left, struct schema_attribute *ret, struct err *err)
{
    *ret = (struct schema_attribute){
        .name = name,
        .required = value_get_bool(v, STR("required"), false),
        .optional = value_get_bool(v, STR("optional"), false),
        .computed = value_get_bool(v, STR("computed"), false),
        .sensitive = value_get_bool(v, STR("sensitive"), false),
        .write_only = value_get_bool(v, STR("write_only"), false),
        .deprecated = value_get_bool(v, STR("deprecated"), false),
    };
    const struct value *nested = value_get(v, STR("nested_type"));
    const struct value *type = value_get(v, STR("type"));
    bool ok = nested ? read_nested_type(r, nested, depth_left, ret, err)
              : type ? type_from_value(r->arena, type, &ret->type, err)
                     : err_set(err, ERR_SYNTAX, "neither type nor nested_type");
    return ok || err_wrap(err, "attribute \"%.*s\"", STR_ARG(name));
}

static bool read_nested_block(struct reading *r, struct str name, const struct value *v,
                              unsigned depth_left, struct schema_nested_block *ret, struct err *err)
{
    struct schema_block *block = arena_new(r->arena, struct schema_block, 1);
    if (!block)
        return arena_full(r->arena, err);
    *ret = (struct schema_nested_block){.name = name,
                                        .nesting = nesting_of(v),
                                        .block = block,
                                        .min_items = count_of(v, STR("min_items")),
                                        .max_items = count_of(v, STR("max_items"))};
    bool ok = ret->nesting != NESTING_INVALID || err_set(err, ERR_SYNTAX, "unknown nesting_mode");
    return (ok && read_block(r, value_get(v, STR("block")), depth_left, block, err)) ||
           err_wrap(err, "block \"%.*s\"", STR_ARG(name));
}

/* v: {attributes, block_types}, or NULL for a block without content. Members are sorted. */
static bool read_block(struct reading *r, const struct value *v, unsigned depth_left,
                       struct schema_block *ret, struct err *err)
{
    const struct value *attributes = value_get(v, STR("attributes"));
    const struct value *blocks = value_get(v, STR("block_types"));
    size_t na = value_is_object_like(attributes) ? attributes->len : 0;
    size_t nb = value_is_object_like(blocks) ? blocks->len : 0;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", NESTED_DEPTH_MAX);
    if (!spend(r, na + nb, err))
        return false;
    struct schema_attribute *a = arena_new(r->arena, struct schema_attribute, na);
    struct schema_nested_block *b = arena_new(r->arena, struct schema_nested_block, nb);
    if (!a || !b)
        return arena_full(r->arena, err);
    for (size_t i = 0; i < na; i++)
        if (!read_attribute(r, key_str(attributes->members[i].key), &attributes->members[i].value,
                            depth_left - 1, &a[i], err))
            return false;
    for (size_t i = 0; i < nb; i++)
        if (!read_nested_block(r, key_str(blocks->members[i].key), &blocks->members[i].value,
                               depth_left - 1, &b[i], err))
            return false;
    *ret = (struct schema_block){.attributes = a, .nattributes = na, .blocks = b, .nblocks = nb};
    return schema_imply_type(r->arena, ret) || arena_full(r->arena, err);
}

static bool read_schema(struct reading *r, const struct value *v, const struct schema **ret,
                        struct err *err)
{
    struct schema *schema = arena_new(r->arena, struct schema, 1);
    if (!schema)
        return arena_full(r->arena, err);
    schema->version = count_of(v, STR("version"));
    *ret = schema;
    return read_block(r, value_get(v, STR("block")), NESTED_DEPTH_MAX, &schema->block, err);
}

static bool read_types(struct reading *r, const struct value *v, const struct schema_named **ret,
                       size_t *ret_n, struct err *err)
{
    size_t n = value_is_object_like(v) ? v->len : 0;
    struct schema_named *named = arena_new(r->arena, struct schema_named, n);
    if (!named)
        return arena_full(r->arena, err);
    for (size_t i = 0; i < n; i++) {
        named[i].name = key_str(v->members[i].key);
        if (!read_schema(r, &v->members[i].value, &named[i].schema, err))
            return err_wrap(err, "type %.*s", STR_ARG(named[i].name));
    }
    *ret = named;
    *ret_n = n;
    return true;
}

static bool read_provider(struct reading *r, struct str source, const struct value *v,
                          struct provider_schema_json *ret, struct err *err)
{
    const struct value *meta = value_get(v, STR("provider_meta"));
    ret->source = source;
    bool ok =
        read_schema(r, value_get(v, STR("provider")), &ret->schema.provider, err) &&
        (!meta || read_schema(r, meta, &ret->schema.provider_meta, err)) &&
        read_types(r, value_get(v, STR("resource_schemas")), &ret->schema.resources,
                   &ret->schema.nresources, err) &&
        read_types(r, value_get(v, STR("data_source_schemas")), &ret->data, &ret->ndata, err) &&
        read_types(r, value_get(v, STR("ephemeral_resource_schemas")), &ret->ephemeral,
                   &ret->nephemeral, err);
    return ok || err_wrap(err, "provider %.*s", STR_ARG(source));
}

bool provider_schemas_read(struct arena *arena, struct str text, const char *name,
                           struct provider_schemas *ret, struct err *err)
{
    struct reading r = {.arena = arena, .budget = NODES_MAX};
    struct value whole;
    if (!json_parse(arena, text, name, JSON_DUPLICATES_LAST, &whole, err))
        return false;
    const struct value *providers = value_get(&whole, STR("provider_schemas"));
    if (!value_get(&whole, STR("format_version")))
        return err_set(err, ERR_SYNTAX,
                       "%s: no format_version; write it with `terraform providers schema -json`",
                       name);
    size_t n = value_is_object_like(providers) ? providers->len : 0;
    struct provider_schema_json *provider = arena_new(arena, struct provider_schema_json, n);
    if (!provider)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        if (!read_provider(&r, key_str(providers->members[i].key), &providers->members[i].value,
                           &provider[i], err))
            return err_wrap(err, "%s", name);
    *ret = (struct provider_schemas){provider, n};
    return true;
}

const struct provider_schema_json *provider_schemas_find(const struct provider_schemas *schemas,
                                                         struct str source)
{
    for (size_t i = 0; i < schemas->n; i++)
        if (str_equal(schemas->provider[i].source, source))
            return &schemas->provider[i];
    return NULL;
}

static int compare_named(const void *key, const void *row)
{
    return str_compare(*(const struct str *)key, ((const struct schema_named *)row)->name);
}

const struct schema *provider_schemas_type(const struct provider_schemas *schemas,
                                           struct str source, enum code_mode mode, struct str type)
{
    const struct provider_schema_json *p = provider_schemas_find(schemas, source);
    const struct schema_named *rows, *found;
    if (!p)
        return NULL;
    rows = mode == CODE_MANAGED ? p->schema.resources : mode == CODE_DATA ? p->data : p->ephemeral;
    size_t n = mode == CODE_MANAGED ? p->schema.nresources
               : mode == CODE_DATA  ? p->ndata
                                    : p->nephemeral;
    found = n ? bsearch(&type, rows, n, sizeof *rows, compare_named) : NULL;
    return found ? found->schema : NULL;
}
