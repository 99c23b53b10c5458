/* cursor.h - where a node of a value stands in its schema, followed step by step from the root.
 *
 * Without a schema every cursor is CURSOR_NONE and knows only the name it was reached by.
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "model/schema.h"
#include "value/path.h"

enum cursor_kind {
    CURSOR_NONE,
    CURSOR_BLOCK,  /* an object whose members are attributes and blocks */
    CURSOR_BLOCKS, /* a collection of such objects */
    CURSOR_VALUE   /* an attribute's value, or a part of one */
};
struct cursor {
    enum cursor_kind kind;
    const struct schema_block *block;         /* CURSOR_BLOCK, CURSOR_BLOCKS */
    const struct schema_attribute *attribute; /* the attribute it belongs to; NULL: none yet */
    struct str name;    /* of the innermost named thing: "ingress", "policy" */
    unsigned depth;     /* steps from the root */
    bool own;           /* the very value of a named attribute or block, not a part of it */
    bool field;         /* a member of an object (a schema's field), never a map's entry */
    bool legacy;        /* SDKv2: it can not tell null from empty (schema_is_legacy) */
    bool sensitive;     /* it or what it is inside of */
    bool computed_only; /* it or what it is inside of: the code can not set it */
    bool write_only;
};

/*
 * The whole resource.
 */
struct cursor cursor_root(const struct schema *schema);
/* `in_map`: the value stepped into is a map, so that the key is data and no field. */
struct cursor cursor_member(const struct cursor *at, struct str key, bool in_map);
struct cursor cursor_element(const struct cursor *at);
/* Along a path as value_diff gives it. */
struct cursor cursor_follow(struct cursor root, struct path path);
/* Can any attribute of the block, at any depth, be sensitive? */
bool schema_any_sensitive(const struct schema_block *block);
