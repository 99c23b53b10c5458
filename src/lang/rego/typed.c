/* typed.c - what is known of the types of documents: a tree of those that rules define. */
#include <string.h>

#include "lang/rego/infer.h"

struct below {
    const struct rego_typed *node;
    const struct value *key;
};

static int order_below(const void *ctx, size_t at)
{
    const struct below *in = ctx;
    return rego_compare(&in->node->child[at]->key, in->key);
}

/* Where the child of that key is, or should be. */
static size_t place_of(const struct rego_typed *node, const struct value *key, bool *ret_there)
{
    struct below at = {node, key};
    return rego_place(node->nchild, order_below, &at, ret_there);
}

struct rego_typed *rego_typed_child(const struct rego_typed *node, const struct value *key)
{
    bool there;
    size_t at = place_of(node, key, &there);
    return there ? node->child[at] : NULL;
}

static struct rego_typed *grow(struct rego_typing *t, struct rego_typed *node,
                               const struct value *key)
{
    bool there;
    size_t at = place_of(node, key, &there);
    if (there)
        return node->child[at];
    struct rego_typed **grown =
        arena_grow(t->arena, node->child, node->nchild, &node->room, node->nchild + 1);
    struct rego_typed *child = arena_new(t->arena, struct rego_typed, 1);
    if (!grown || !child) {
        t->out_of_memory = true;
        return NULL;
    }
    node->child = grown;
    memmove(grown + at + 1, grown + at, (node->nchild - at) * sizeof *grown);
    node->nchild++;
    grown[at] = child;
    child->key = *key;
    return child;
}

struct rego_typed *rego_typed_at(struct rego_typing *t, struct rego_typed *root,
                                 const struct value *path, size_t n)
{
    for (size_t i = 0; i < n && root; i++)
        root = grow(t, root, &path[i]);
    return root;
}

bool rego_typed_path(struct rego_typing *t, const struct rego_node *node, struct value **ret_path,
                     size_t *ret_n)
{
    size_t n = 1;
    for (const struct rego_node *up = node; up->parent; up = up->parent)
        n++;
    struct value *path = arena_new(t->arena, struct value, n);
    if (!path)
        return false;
    *ret_n = n;
    *ret_path = path;
    for (; node->parent; node = node->parent)
        path[--n] = node->key;
    path[0] = value_string(STR("data"));
    return true;
}

static bool is_plain_key(const struct value *key)
{
    return key->kind == VALUE_STRING || key->kind == VALUE_NUMBER || key->kind == VALUE_BOOL;
}

const struct rego_type *rego_typed_extent(struct rego_typing *t, const struct rego_typed *node)
{
    enum { STEPS_A_CHILD = 8 }; /* for its memory */
    if (node->type)
        return node->type;
    if (t->steps_left / STEPS_A_CHILD < node->nchild) {
        t->steps_left = 0;
        return &rego_any;
    }
    t->steps_left -= STEPS_A_CHILD * node->nchild;
    struct rego_property *property = arena_new(t->arena, struct rego_property, node->nchild);
    size_t n = 0;
    if (!property) {
        t->out_of_memory = true;
        return &rego_any;
    }
    for (size_t i = 0; i < node->nchild; i++)
        if (is_plain_key(&node->child[i]->key))
            property[n++] =
                (struct rego_property){node->child[i]->key, rego_typed_extent(t, node->child[i])};
    return rego_type_make(t, (struct rego_type){.kind = REGO_OBJECT,
                                                .property = property,
                                                .nproperties = n,
                                                .open = true,
                                                .key = rego_type_scalar(REGO_STRING),
                                                .rest = &rego_any});
}

/* --- asking --- */

const struct rego_type *rego_type_at(struct rego_typing *t, const struct rego_type *type,
                                     const struct rego_key *path, size_t n)
{
    for (size_t i = 0; i < n && type; i++)
        type = path[i].constant ? rego_type_select(t, type, &path[i].value)
                                : rego_type_values(t, type);
    return type;
}

const struct rego_type *rego_types_of(struct rego_typing *t, const struct rego_types *types,
                                      const struct rego_key *path, size_t n)
{
    for (; types; types = types->outer) {
        const struct rego_typed *node = rego_typed_child(&types->root, &path[0].value), *child;
        for (size_t i = 1; node; node = child, i++) {
            child = NULL;
            if (i == n)
                return rego_typed_extent(t, node);
            if (path[i].constant)
                child = rego_typed_child(node, &path[i].value);
            if (!child && (node->type || !path[i].constant))
                return rego_type_at(t, rego_typed_extent(t, node), path + i, n - i);
        }
    }
    return &rego_any;
}

/* --- putting --- */

/* Both as one: sets by their members, objects without known keys by their keys and values. */
static const struct rego_type *merge(struct rego_typing *t, const struct rego_type *a,
                                     const struct rego_type *b)
{
    a = rego_type_itself(a);
    b = rego_type_itself(b);
    if (!a || !b)
        return a ? a : b;
    if (a->kind == REGO_SET && b->kind == REGO_SET)
        return rego_type_set(t, rego_type_or(t, a->rest, b->rest));
    bool maps = a->kind == REGO_OBJECT && b->kind == REGO_OBJECT && !a->nproperties &&
                !b->nproperties && a->open && b->open;
    if (maps && a->depth < REGO_TYPE_DEPTH && t->steps_left)
        return rego_type_map(t, rego_type_or(t, a->key, b->key), merge(t, a->rest, b->rest));
    return rego_type_or(t, a, b);
}

/* An object that has a value of that type at that path, too. */
static const struct rego_type *with_path(struct rego_typing *t, const struct rego_type *object,
                                         const struct value *path, size_t n,
                                         const struct rego_type *type)
{
    struct rego_type made = {.kind = REGO_OBJECT};
    if (n == 0)
        return object;
    if (object)
        made = *object;
    const struct rego_type *key = rego_type_of_value(t, path);
    if (n > 1)
        type = with_path(t, NULL, path + 1, n - 1, type);
    made.key = made.open ? rego_type_or(t, made.key, key) : key;
    made.rest = made.open ? rego_type_or(t, made.rest, type) : type;
    made.open = true;
    return rego_type_make(t, made);
}

enum { BELOW_MAX = 64 };

/* All that is below a document becomes part of its own type. */
static const struct rego_type *with_leaves(struct rego_typing *t, const struct rego_type *object,
                                           const struct rego_typed *node, struct value *path,
                                           size_t n)
{
    for (size_t i = 0; i < node->nchild && n < BELOW_MAX; i++) {
        path[n] = node->child[i]->key;
        object = node->child[i]->type ? with_path(t, object, path, n + 1, node->child[i]->type)
                                      : with_leaves(t, object, node->child[i], path, n + 1);
    }
    return object;
}

static bool is_object(const struct rego_type *type)
{
    type = rego_type_itself(type);
    return type && type->kind == REGO_OBJECT;
}

bool rego_typed_insert(struct rego_typing *t, struct rego_typed *root, const struct value *path,
                       size_t n, const struct rego_type *type)
{
    struct rego_typed *node = root;
    for (size_t i = 0; i < n && node; i++) {
        node = grow(t, node, &path[i]);
        if (node && i + 1 < n && is_object(node->type))
            node->type = with_path(t, rego_type_itself(node->type), path + i + 1, n - i - 1, type);
    }
    if (!node)
        return false;
    node->type = merge(t, node->type, type);
    struct value below[BELOW_MAX];
    if (is_object(type) && is_object(node->type))
        node->type = with_leaves(t, rego_type_itself(node->type), node, below, 0);
    return true;
}
