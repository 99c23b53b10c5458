/* tree.h - a value that is still being made: objects and lists that grow in the order of a text.
 *
 * For readers of formats in which a later line adds to what an earlier one began (TOML, INI, HCL)
 * Owner: the arena
 */
#pragma once
#include "value/value.h"

struct arena;
struct err;

enum tree_kind { TREE_VALUE, TREE_OBJECT, TREE_LIST };
struct tree_member {
    struct str key; /* of an object */
    struct tree *node;
};
struct tree {
    enum tree_kind kind;
    unsigned mark; /* the reader's own */
    struct value value;
    struct tree_member *member;
    size_t n, room;
    uint32_t *slot; /* by key: index + 1; NULL while there are few */
    size_t nslots;
};

enum { TREE_DEPTH_MAX = 200 };

/* NULL where the arena is full; so are those below. */
struct tree *tree_make(struct arena *arena, enum tree_kind kind);
struct tree *tree_leaf(struct arena *arena, struct value value);
struct tree *tree_find(const struct tree *object, struct str key);
/* The key must not be there yet. */
bool tree_put(struct arena *arena, struct tree *object, struct str key, struct tree *node);
bool tree_push(struct arena *arena, struct tree *list, struct tree *node);
/* The finished value. ERR_LIMIT where it is nested too deep. */
bool tree_value(struct arena *arena, const struct tree *tree, struct value *ret, struct err *err);
