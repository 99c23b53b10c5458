/* cursor.c - from a schema's root to the attribute that a path names. */
#include "drift/cursor.h"

enum { BLOCK_DEPTH_MAX = 100 }; /* deeper schemas count as sensitive: the safe side */

struct cursor cursor_root(const struct schema *schema)
{
    if (!schema)
        return (struct cursor){.kind = CURSOR_NONE};
    return (struct cursor){
        .kind = CURSOR_BLOCK, .block = &schema->block, .legacy = schema_is_legacy(schema)};
}

static void enter_attribute(struct cursor *at, const struct schema_attribute *attribute)
{
    /* SDKv2 declares `id` optional, and refuses code that sets it. */
    bool id = at->legacy && at->depth == 1 && str_equal(attribute->name, STR("id"));
    at->attribute = attribute;
    at->sensitive |= attribute->sensitive;
    at->write_only |= attribute->write_only;
    at->computed_only |=
        attribute->computed && ((!attribute->optional && !attribute->required) || id);
    at->kind = CURSOR_VALUE;
    at->block = attribute->nested;
    if (attribute->nested)
        at->kind = attribute->nesting == NESTING_SINGLE ? CURSOR_BLOCK : CURSOR_BLOCKS;
}

static void enter_block(struct cursor *at, const struct schema_nested_block *nested)
{
    bool one = nested->nesting == NESTING_SINGLE || nested->nesting == NESTING_GROUP;
    at->block = nested->block;
    at->kind = one ? CURSOR_BLOCK : CURSOR_BLOCKS;
}

struct cursor cursor_member(const struct cursor *at, struct str key, bool in_map)
{
    struct cursor to = *at;
    to.depth++;
    if (at->kind == CURSOR_BLOCKS) { /* a map of blocks: the key is data */
        to.kind = CURSOR_BLOCK;
        to.own = to.field = false;
        return to;
    }
    to.own = at->kind != CURSOR_VALUE;
    to.field = !in_map;
    if (!in_map)
        to.name = key;
    if (at->kind != CURSOR_BLOCK)
        return to;

    const struct schema_attribute *attribute = schema_find_attribute(at->block, key);
    const struct schema_nested_block *nested = schema_find_block(at->block, key);
    if (attribute)
        enter_attribute(&to, attribute);
    else if (nested)
        enter_block(&to, nested);
    else
        to.kind = CURSOR_NONE;
    return to;
}

struct cursor cursor_element(const struct cursor *at)
{
    struct cursor to = *at;
    to.depth++;
    to.own = to.field = false;
    if (at->kind == CURSOR_BLOCKS)
        to.kind = CURSOR_BLOCK;
    return to;
}

struct cursor cursor_follow(struct cursor root, struct path path)
{
    struct cursor at = root;
    for (size_t i = 0; i < path.n; i++)
        at = path.step[i].kind == PATH_KEY ? cursor_member(&at, path.step[i].key, false)
                                           : cursor_element(&at);
    return at;
}

static bool any_sensitive(const struct schema_block *block, unsigned depth_left)
{
    if (depth_left == 0)
        return true;
    for (size_t i = 0; i < block->nattributes; i++) {
        const struct schema_attribute *attribute = &block->attributes[i];
        if (attribute->sensitive ||
            (attribute->nested && any_sensitive(attribute->nested, depth_left - 1)))
            return true;
    }
    for (size_t i = 0; i < block->nblocks; i++)
        if (any_sensitive(block->blocks[i].block, depth_left - 1))
            return true;
    return false;
}

bool schema_any_sensitive(const struct schema_block *block)
{
    return any_sensitive(block, BLOCK_DEPTH_MAX);
}
