/* schema.c - lookups in a schema, and the cty type that it implies (facts/terraform.md 2.3). */
#include "model/schema.h"

#include <stdlib.h>

#include "base/arena.h"

/* Attributes, blocks and resources all begin with their name and are sorted by it. */
static const void *find_named(const void *rows, size_t n, size_t size, struct str name)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *row = (const char *)rows + middle * size;
        int order = str_compare(*(const struct str *)(const void *)row, name);
        if (order == 0)
            return row;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static_assert(offsetof(struct schema_attribute, name) == 0, "find_named reads it there");
static_assert(offsetof(struct schema_nested_block, name) == 0, "find_named reads it there");
static_assert(offsetof(struct schema_named, name) == 0, "find_named reads it there");
static_assert(offsetof(struct schema_function, name) == 0, "find_named reads it there");

const struct schema_attribute *schema_find_attribute(const struct schema_block *block,
                                                     struct str name)
{
    return find_named(block->attributes, block->nattributes, sizeof *block->attributes, name);
}

const struct schema_nested_block *schema_find_block(const struct schema_block *block,
                                                    struct str name)
{
    return find_named(block->blocks, block->nblocks, sizeof *block->blocks, name);
}

const struct schema_named *schema_find_resource(const struct provider_schema *schema,
                                                struct str type_name)
{
    return find_named(schema->resources, schema->nresources, sizeof *schema->resources, type_name);
}

const struct schema_named *schema_find_data(const struct provider_schema *schema,
                                            struct str type_name)
{
    return find_named(schema->data_sources, schema->ndata_sources, sizeof *schema->data_sources,
                      type_name);
}

const struct schema_named *schema_find_ephemeral(const struct provider_schema *schema,
                                                 struct str type_name)
{
    return find_named(schema->ephemerals, schema->nephemerals, sizeof *schema->ephemerals,
                      type_name);
}

const struct schema_function *schema_find_function(const struct provider_schema *schema,
                                                   struct str name)
{
    return find_named(schema->functions, schema->nfunctions, sizeof *schema->functions, name);
}

bool schema_is_legacy(const struct schema *schema)
{
    const struct schema_attribute *id = schema_find_attribute(&schema->block, STR("id"));
    if (!id || !id->optional || !id->computed || !id->type || id->type->kind != TYPE_STRING)
        return false;
    for (size_t i = 0; i < schema->block.nattributes; i++)
        if (schema->block.attributes[i].nested)
            return false;
    return true;
}

static bool copy_block(struct arena *arena, const struct schema_block *from,
                       struct schema_block *ret);

static const struct schema_block *copied_block(struct arena *arena, const struct schema_block *from)
{
    struct schema_block *block = arena_new(arena, struct schema_block, 1);
    return block && copy_block(arena, from, block) ? block : NULL;
}

static bool copy_attribute(struct arena *arena, const struct schema_attribute *from,
                           struct schema_attribute *ret)
{
    *ret = *from;
    ret->name = arena_dup(arena, from->name);
    if (from->type)
        ret->type = type_copy(arena, from->type);
    if (from->nested)
        ret->nested = copied_block(arena, from->nested);
    return ret->name.ptr && !from->type == !ret->type && !from->nested == !ret->nested;
}

/* As deep as the provider's own decoding let it be (TYPE_DEPTH_MAX). */
static bool copy_block(struct arena *arena, const struct schema_block *from,
                       struct schema_block *ret)
{
    struct schema_attribute *attributes =
        arena_new(arena, struct schema_attribute, from->nattributes);
    struct schema_nested_block *blocks =
        arena_new(arena, struct schema_nested_block, from->nblocks);
    if (!attributes || !blocks)
        return false;
    for (size_t i = 0; i < from->nattributes; i++)
        if (!copy_attribute(arena, &from->attributes[i], &attributes[i]))
            return false;
    for (size_t i = 0; i < from->nblocks; i++) {
        blocks[i] = from->blocks[i];
        blocks[i].name = arena_dup(arena, from->blocks[i].name);
        blocks[i].block = copied_block(arena, from->blocks[i].block);
        if (!blocks[i].name.ptr || !blocks[i].block)
            return false;
    }
    *ret = (struct schema_block){.attributes = attributes,
                                 .nattributes = from->nattributes,
                                 .blocks = blocks,
                                 .nblocks = from->nblocks,
                                 .type = from->type ? type_copy(arena, from->type) : NULL};
    return !from->type == !ret->type;
}

const struct schema *schema_copy(struct arena *arena, const struct schema *schema)
{
    struct schema *copy = arena_new(arena, struct schema, 1);
    if (!copy || !copy_block(arena, &schema->block, &copy->block))
        return NULL;
    copy->version = schema->version;
    return copy;
}

/* A list or a map of something dynamic is dynamic itself: its elements need not be of one type. */
static const struct type *nested_type(struct arena *arena, const struct schema_nested_block *nested)
{
    const struct type *inner = nested->block->type;
    switch (nested->nesting) {
    case NESTING_SINGLE:
    case NESTING_GROUP:
        return inner;
    case NESTING_LIST:
        return type_has_dynamic(inner) ? &type_dynamic : type_collection(arena, TYPE_LIST, inner);
    case NESTING_MAP:
        return type_has_dynamic(inner) ? &type_dynamic : type_collection(arena, TYPE_MAP, inner);
    case NESTING_SET:
        return type_collection(arena, TYPE_SET, inner);
    default:
        return &type_dynamic;
    }
}

/* The blocks and nested attributes inside must have their types already: built from the leaves up.
 */
bool schema_imply_type(struct arena *arena, struct schema_block *block)
{
    size_t n = block->nattributes + block->nblocks, at = 0;
    struct type_member *members = arena_new(arena, struct type_member, n);
    if (!members)
        return false;
    for (size_t i = 0; i < block->nattributes; i++, at++) {
        const struct schema_attribute *attribute = &block->attributes[i];
        members[at].key = key_make(arena, attribute->name);
        members[at].type = attribute->type ? attribute->type : &type_dynamic;
    }
    for (size_t i = 0; i < block->nblocks; i++, at++) {
        members[at].key = key_make(arena, block->blocks[i].name);
        members[at].type = nested_type(arena, &block->blocks[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (!members[i].key || !members[i].type)
            return false;
    block->type = type_object(arena, members, n);
    return block->type != NULL;
}
