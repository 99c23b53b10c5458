/* code_body.c - an expanded body to the object that its schema describes.
 *
 * Source:  hcl hcldec; Terraform configs/configschema decoder_spec
 */
#include <stdarg.h>
#include <string.h>

#include "desired/code_parts.h"
#include "lang/hcl/types.h"

struct decoder {
    const struct code_scope *scope;
    struct code *code;
    struct arena *arena;
    bool fine, full;
};

static void fault(struct decoder *d, const struct hcl_file *file, struct hcl_range subject,
                  struct str summary, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void fault(struct decoder *d, const struct hcl_file *file, struct hcl_range subject,
                  struct str summary, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str detail = arena_vprintf(d->arena, fmt, args);
    va_end(args);
    d->fine = false;
    code_say(d->scope->walk, file, subject, false, summary.ptr ? summary.ptr : "", "%.*s",
             STR_ARG(detail));
}

static struct value decode_tree(struct decoder *d, const struct code_body_tree *tree,
                                unsigned depth_left);

/* --- attributes --- */

static struct value eval_item(struct decoder *d, const struct code_body_tree *tree,
                              const struct code_item *item)
{
    struct code_scope scope = *d->scope;
    struct value v;
    if (tree->unknown)
        return hcl_with_marks(hcl_any(), tree->marks);
    scope.names = tree->names;
    if (!code_eval_unchecked(&scope, item->file, item->written->value, &v))
        d->fine = false;
    return hcl_with_marks(v, tree->marks);
}

static struct value convert_item(struct decoder *d, const struct code_item *item,
                                 const struct type *type, const struct value *v)
{
    struct value converted;
    struct str why;
    if (hcl_convert(d->arena, v, type, &converted, &why))
        return converted;
    fault(d, item->file, item->written->value->range, STR("Incorrect attribute value type"),
          "Inappropriate value for attribute \"%.*s\": %.*s.", STR_ARG(item->name), STR_ARG(why));
    return hcl_unknown(d->arena, type);
}

static const struct code_item *find_item(const struct code_body_tree *tree, struct str name)
{
    for (size_t i = 0; i < tree->nitems; i++)
        if (str_equal(tree->item[i].name, name))
            return &tree->item[i];
    return NULL;
}

/* An attribute that is written as blocks: a list of their objects. */
static bool blocks_as_attribute(struct decoder *d, const struct code_body_tree *tree,
                                const struct schema_attribute *a, unsigned depth_left,
                                struct value *ret)
{
    size_t n = 0;
    bool unknown = false;
    struct str why;
    for (size_t i = 0; i < tree->nchildren; i++)
        n += str_equal(tree->child[i].type, a->name);
    struct value *items = arena_new(d->arena, struct value, n);
    if (!n || !items)
        return false;
    n = 0;
    for (size_t i = 0; i < tree->nchildren; i++)
        if (str_equal(tree->child[i].type, a->name)) {
            unknown = unknown || tree->child[i].unknown;
            items[n++] = decode_tree(d, &tree->child[i], depth_left);
        }
    struct value list = value_items(VALUE_LIST, items, n);
    if (unknown || !hcl_convert(d->arena, &list, a->type, ret, &why))
        *ret = hcl_unknown(d->arena, a->type);
    return true;
}

static struct value decode_attribute(struct decoder *d, const struct code_body_tree *tree,
                                     const struct schema_attribute *a, unsigned depth_left)
{
    const struct code_item *item = find_item(tree, a->name);
    const struct type *type = code_attribute_type(d->code, a);
    struct value v;
    if (item) {
        v = eval_item(d, tree, item);
        return convert_item(d, item, type, &v);
    }
    if (code_can_be_blocks(a) && blocks_as_attribute(d, tree, a, depth_left, &v))
        return v;
    return hcl_null(a->type ? a->type : &type_dynamic);
}

/* --- blocks --- */

struct blocks { /* of one type */
    const struct code_body_tree **tree;
    size_t n;
    bool unknown; /* one of them comes from a dynamic block that cannot be known */
};

static struct blocks find_blocks(struct decoder *d, const struct code_body_tree *tree,
                                 struct str type)
{
    struct blocks b = {0};
    for (size_t i = 0; i < tree->nchildren; i++)
        b.n += str_equal(tree->child[i].type, type);
    b.tree = arena_new(d->arena, const struct code_body_tree *, b.n);
    b.n = 0;
    for (size_t i = 0; b.tree && i < tree->nchildren; i++)
        if (str_equal(tree->child[i].type, type)) {
            b.tree[b.n++] = &tree->child[i];
            b.unknown = b.unknown || tree->child[i].unknown;
        }
    d->full = d->full || !b.tree;
    return b;
}

static struct value decode_single(struct decoder *d, const struct code_body_tree *tree,
                                  const struct schema_nested_block *nested, struct blocks b,
                                  unsigned depth_left)
{
    struct code_body_tree empty = {.block = nested->block, .file = tree->file};
    if (b.n > 1)
        fault(d, b.tree[1]->file, b.tree[1]->header,
              arena_printf(d->arena, "Duplicate %.*s block", STR_ARG(nested->name)),
              "Only one block of type \"%.*s\" is allowed.", STR_ARG(nested->name));
    if (b.n)
        return decode_tree(d, b.tree[0], depth_left);
    if (nested->min_items == 1)
        fault(d, tree->file, tree->missing,
              arena_printf(d->arena, "Missing %.*s block", STR_ARG(nested->name)),
              "A block of type \"%.*s\" is required here.", STR_ARG(nested->name));
    if (nested->nesting == NESTING_GROUP)
        return decode_tree(d, &empty, depth_left);
    return hcl_null(nested->block->type);
}

static void check_number(struct decoder *d, const struct code_body_tree *tree,
                         const struct schema_nested_block *nested, struct blocks b)
{
    struct str name = nested->name;
    if ((int64_t)b.n < nested->min_items)
        fault(d, tree->file, tree->missing,
              arena_printf(d->arena, "Insufficient %.*s blocks", STR_ARG(name)),
              "At least %lld \"%.*s\" blocks are required.", (long long)nested->min_items,
              STR_ARG(name));
    else if (nested->max_items > 0 && (int64_t)b.n > nested->max_items)
        fault(d, b.tree[nested->max_items]->file, b.tree[nested->max_items]->missing,
              arena_printf(d->arena, "Too many %.*s blocks", STR_ARG(name)),
              "No more than %lld \"%.*s\" blocks are allowed", (long long)nested->max_items,
              STR_ARG(name));
}

static struct value empty_of(enum value_kind kind, const struct type *elem)
{
    return (struct value){.kind = (uint8_t)kind, .type = elem};
}

static struct value decode_list(struct decoder *d, const struct code_body_tree *tree,
                                const struct schema_nested_block *nested, const struct type *type,
                                struct blocks b, unsigned depth_left)
{
    enum value_kind kind = type->kind == TYPE_SET    ? VALUE_SET
                           : type->kind == TYPE_LIST ? VALUE_LIST
                                                     : VALUE_TUPLE;
    struct value *items = arena_new(d->arena, struct value, b.n), set;
    for (size_t i = 0; items && i < b.n; i++) {
        items[i] = decode_tree(d, b.tree[i], depth_left);
        if (b.tree[i]->unknown)
            return hcl_unknown(d->arena, type);
    }
    check_number(d, tree, nested, b);
    if (b.n == 0)
        return empty_of(kind, nested->block->type);
    if (!items)
        return hcl_unknown(d->arena, type);
    if (kind != VALUE_SET)
        return value_items(kind, items, b.n);
    if (hcl_make_set(d->arena, nested->block->type, items, b.n, &set))
        return set;
    d->full = true;
    return hcl_unknown(d->arena, type);
}

static struct value decode_map(struct decoder *d, const struct schema_nested_block *nested,
                               const struct type *type, struct blocks b, unsigned depth_left)
{
    enum value_kind kind = type->kind == TYPE_MAP ? VALUE_MAP : VALUE_OBJECT;
    struct value_member *m = arena_new(d->arena, struct value_member, b.n);
    struct value v;
    size_t n = 0;
    for (size_t i = 0; m && i < b.n; i++) {
        const struct value_key *key = key_intern(&d->code->keys, b.tree[i]->label);
        size_t at = 0;
        if (b.tree[i]->unknown)
            return hcl_unknown(d->arena, type);
        v = decode_tree(d, b.tree[i], depth_left);
        while (at < n && m[at].key != key)
            at++;
        if (at < n)
            fault(d, b.tree[i]->file, b.tree[i]->header,
                  arena_printf(d->arena, "Duplicate %.*s block", STR_ARG(nested->name)),
                  "A block for %.*s \"%.*s\" was already defined. The %.*s labels must be unique.",
                  STR_ARG(nested->name), STR_ARG(b.tree[i]->label), STR_ARG(nested->name));
        else
            m[n++] = (struct value_member){key, v};
    }
    if (n == 0)
        return empty_of(kind, nested->block->type);
    if (m && value_members(kind, m, n, &v, NULL, NULL))
        return v;
    d->full = true;
    return hcl_unknown(d->arena, type);
}

static struct value decode_nested(struct decoder *d, const struct code_body_tree *tree,
                                  const struct schema_nested_block *nested, const struct type *type,
                                  unsigned depth_left)
{
    struct blocks b = find_blocks(d, tree, nested->name);
    switch (nested->nesting) {
    case NESTING_SINGLE:
    case NESTING_GROUP:
        return decode_single(d, tree, nested, b, depth_left);
    case NESTING_LIST:
    case NESTING_SET:
        return decode_list(d, tree, nested, type, b, depth_left);
    case NESTING_MAP:
        return decode_map(d, nested, type, b, depth_left);
    default:
        return hcl_any();
    }
}

/* --- objects --- */

static struct value decode_known(struct decoder *d, const struct code_body_tree *tree,
                                 unsigned depth_left)
{
    const struct type *type = tree->block->type;
    struct value_member *m = arena_new(d->arena, struct value_member, type->n);
    for (uint32_t i = 0; m && i < type->n; i++) {
        struct str name = key_str(type->members[i].key);
        const struct schema_attribute *a = schema_find_attribute(tree->block, name);
        const struct schema_nested_block *b = schema_find_block(tree->block, name);
        m[i].key = type->members[i].key;
        m[i].value = a ? decode_attribute(d, tree, a, depth_left - 1)
                       : decode_nested(d, tree, b, type->members[i].type, depth_left - 1);
    }
    d->full = d->full || !m;
    if (!m)
        return hcl_any();
    return (struct value){.kind = VALUE_OBJECT, .len = type->n, .members = type->n ? m : NULL};
}

/* Without a schema: blocks of one type together, where the first of them is. */
static struct value decode_unknown(struct decoder *d, const struct code_body_tree *tree,
                                   unsigned depth_left)
{
    struct value_member *m =
        arena_new(d->arena, struct value_member, tree->nitems + tree->nchildren);
    size_t n = 0;
    struct value ret = hcl_any();
    for (size_t i = 0; m && i < tree->nitems; i++)
        m[n++] = (struct value_member){key_intern(&d->code->keys, tree->item[i].name),
                                       eval_item(d, tree, &tree->item[i])};
    for (size_t i = 0; m && i < tree->nchildren; i++) {
        struct str type = tree->child[i].type;
        size_t before = 0;
        while (before < i && !str_equal(tree->child[before].type, type))
            before++;
        if (before < i || find_item(tree, type))
            continue;
        struct blocks b = find_blocks(d, tree, type);
        struct value *items = arena_new(d->arena, struct value, b.n);
        for (size_t k = 0; items && k < b.n; k++)
            items[k] = decode_tree(d, b.tree[k], depth_left - 1);
        if (!items)
            return ret;
        m[n++] =
            (struct value_member){key_intern(&d->code->keys, type),
                                  b.unknown ? hcl_any() : value_items(VALUE_TUPLE, items, b.n)};
    }
    if (!m || !value_members(VALUE_OBJECT, m, n, &ret, NULL, NULL))
        d->full = true;
    return ret;
}

static struct value decode_tree(struct decoder *d, const struct code_body_tree *tree,
                                unsigned depth_left)
{
    if (depth_left == 0 || d->full)
        return hcl_any();
    return tree->block ? decode_known(d, tree, depth_left) : decode_unknown(d, tree, depth_left);
}

bool code_tree_value(const struct code_scope *scope, const struct code_body_tree *tree,
                     struct value *ret)
{
    struct code *code = scope->walk->code;
    struct decoder d = {.scope = scope, .code = code, .arena = &code->arena, .fine = true};
    *ret = decode_tree(&d, tree, CODE_BODY_DEPTH_MAX + 1);
    return d.fine && !d.full;
}

/* --- references --- */

struct gathered {
    struct code_ref *ref;
    size_t n, room;
};

static bool gather(struct decoder *d, const struct code_body_tree *tree, unsigned depth_left,
                   struct gathered *all)
{
    struct code_scope scope = *d->scope;
    scope.names = tree->names;
    if (depth_left == 0)
        return false;
    for (size_t i = 0; i < tree->nitems && !tree->unknown; i++) {
        struct code_refs refs =
            code_free_refs(&scope, tree->item[i].file, tree->item[i].written->value);
        if (refs.n == 0)
            continue;
        struct code_ref *grown =
            arena_grow(d->arena, all->ref, all->n, &all->room, all->n + refs.n);
        if (!grown)
            return false;
        all->ref = grown;
        memcpy(&all->ref[all->n], refs.ref, refs.n * sizeof *refs.ref);
        all->n += refs.n;
    }
    for (size_t i = 0; i < tree->nchildren; i++)
        if (!gather(d, &tree->child[i], depth_left - 1, all))
            return false;
    return true;
}

bool code_body_value(const struct code_scope *scope, const struct code_body *bodies, size_t nbodies,
                     const struct schema_block *block, const struct hcl_body_spec *meta,
                     struct value *ret)
{
    struct code *code = scope->walk->code;
    struct decoder d = {.scope = scope, .code = code, .arena = &code->arena, .fine = true};
    struct code_body_tree tree;
    struct gathered refs = {0};
    *ret = block ? hcl_unknown(&code->arena, block->type) : hcl_any();
    struct hcl_diags content = {.arena = &code->arena};
    bool fine = code_expand_body(scope, bodies, nbodies, block, meta, &content, &tree);
    /* Terraform says nothing of the content while references are wrong. */
    if (!gather(&d, &tree, CODE_BODY_DEPTH_MAX + 1, &refs) ||
        !code_check_refs(scope, (struct code_refs){refs.ref, refs.n}))
        return false;
    code_say_again(scope->walk, &content);
    *ret = decode_tree(&d, &tree, CODE_BODY_DEPTH_MAX + 1);
    return fine && d.fine && !d.full;
}
