/* tree.c - growing objects with a table of keys, and what becomes of them. */
#include "policy/tree.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"

enum { FEW = 16 };

struct tree *tree_make(struct arena *arena, enum tree_kind kind)
{
    struct tree *tree = arena_new(arena, struct tree, 1);
    if (tree)
        tree->kind = kind;
    return tree;
}

struct tree *tree_leaf(struct arena *arena, struct value value)
{
    struct tree *tree = tree_make(arena, TREE_VALUE);
    if (tree)
        tree->value = value;
    return tree;
}

static uint32_t *slot_of(const struct tree *object, struct str key)
{
    size_t at = (size_t)hash_bytes(key, 0) & (object->nslots - 1);
    while (object->slot[at] && !str_equal(object->member[object->slot[at] - 1].key, key))
        at = (at + 1) & (object->nslots - 1);
    return &object->slot[at];
}

struct tree *tree_find(const struct tree *object, struct str key)
{
    if (object->slot) {
        uint32_t at = *slot_of(object, key);
        return at ? object->member[at - 1].node : NULL;
    }
    for (size_t i = 0; i < object->n; i++)
        if (str_equal(object->member[i].key, key))
            return object->member[i].node;
    return NULL;
}

static bool index_keys(struct arena *arena, struct tree *object)
{
    object->nslots = FEW * 4;
    while (object->nslots < object->room * 2)
        object->nslots *= 2;
    object->slot = arena_new(arena, uint32_t, object->nslots);
    for (size_t i = 0; object->slot && i < object->n; i++)
        *slot_of(object, object->member[i].key) = (uint32_t)i + 1;
    return object->slot != NULL;
}

static bool add(struct arena *arena, struct tree *tree, struct str key, struct tree *node)
{
    size_t room = tree->room;
    struct tree_member *grown =
        node && tree->n < UINT32_MAX - 1
            ? arena_grow(arena, tree->member, tree->n, &tree->room, tree->n + 1)
            : NULL;
    if (!grown)
        return false;
    tree->member = grown;
    grown[tree->n++] = (struct tree_member){key, node};
    if (tree->kind != TREE_OBJECT || tree->n <= FEW)
        return true;
    if (!tree->slot || room != tree->room)
        return index_keys(arena, tree);
    *slot_of(tree, key) = (uint32_t)tree->n;
    return true;
}

bool tree_put(struct arena *arena, struct tree *object, struct str key, struct tree *node)
{
    return add(arena, object, key, node);
}

bool tree_push(struct arena *arena, struct tree *list, struct tree *node)
{
    return add(arena, list, (struct str){0}, node);
}

static bool value_of(struct arena *arena, const struct tree *tree, unsigned depth_left,
                     struct value *ret, struct err *err)
{
    if (tree->kind == TREE_VALUE) {
        *ret = tree->value;
        return true;
    }
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", TREE_DEPTH_MAX);
    struct value *items = arena_new(arena, struct value, tree->n);
    struct value_member *members = arena_new(arena, struct value_member, tree->n);
    if (!items || !members)
        return arena_full(arena, err);
    for (size_t i = 0; i < tree->n; i++) {
        if (!value_of(arena, tree->member[i].node, depth_left - 1, &items[i], err))
            return false;
        if (tree->kind == TREE_LIST)
            continue;
        members[i] = (struct value_member){key_make(arena, tree->member[i].key), items[i]};
        if (!members[i].key)
            return arena_full(arena, err);
    }
    if (tree->kind == TREE_OBJECT)
        return value_members(VALUE_OBJECT, members, tree->n, ret, NULL, err);
    *ret = value_items(VALUE_TUPLE, items, tree->n);
    return true;
}

bool tree_value(struct arena *arena, const struct tree *tree, struct value *ret, struct err *err)
{
    return value_of(arena, tree, TREE_DEPTH_MAX, ret, err);
}
