/* static.c - looking into a tree: attributes, blocks, and values that need no evaluation. */
#include "base/arena.h"
#include "base/utf8.h"
#include "lang/hcl/json_syntax.h"
#include "value/number.h"

const struct hcl_attribute *hcl_find_attribute(const struct hcl_body *body, struct str name)
{
    for (size_t i = 0; i < body->nattributes; i++)
        if (str_equal(body->attribute[i].name, name))
            return &body->attribute[i];
    return NULL;
}

const struct hcl_block *hcl_find_block(const struct hcl_body *body, struct str type, size_t *at)
{
    while (*at < body->nblocks) {
        const struct hcl_block *block = &body->block[(*at)++];
        if (str_equal(block->type, type))
            return block;
    }
    return NULL;
}

bool hcl_raw_string(struct arena *arena, const struct hcl_expr *expr, struct value *ret)
{
    struct str text = utf8_nfc(arena, *expr->raw);
    *ret = value_string(text);
    return text.ptr || expr->raw->len == 0;
}

static bool static_at(struct arena *arena, const struct hcl_expr *expr, unsigned depth_left,
                      struct value *ret);

static bool static_tuple(struct arena *arena, const struct hcl_expr *expr, unsigned depth_left,
                         struct value *ret)
{
    struct value *items = arena_new(arena, struct value, expr->parts.n);
    if (!items)
        return false;
    for (size_t i = 0; i < expr->parts.n; i++)
        if (!static_at(arena, expr->parts.part[i], depth_left, &items[i]))
            return false;
    *ret = value_items(VALUE_TUPLE, items, expr->parts.n);
    return true;
}

static bool static_object(struct arena *arena, const struct hcl_expr *expr, unsigned depth_left,
                          struct value *ret)
{
    struct value_member *members = arena_new(arena, struct value_member, expr->items.n);
    if (!members)
        return false;
    for (size_t i = 0; i < expr->items.n; i++) {
        const struct hcl_item *item = &expr->items.item[i];
        struct value key;
        if (item->key->kind != HCL_EXPR_STRING && !item->key->raw)
            return false;
        if (!static_at(arena, item->key, depth_left, &key))
            return false;
        members[i].key = key_make(arena, value_text(&key));
        if (!members[i].key || !static_at(arena, item->value, depth_left, &members[i].value))
            return false;
    }
    return value_members(VALUE_OBJECT, members, expr->items.n, ret, NULL, NULL);
}

static bool negated(struct arena *arena, const struct hcl_expr *expr, struct value *ret)
{
    const struct hcl_expr *operand = expr->binary.left;
    if (expr->binary.op != HCL_MINUS || operand->kind != HCL_EXPR_LITERAL ||
        operand->value.kind != VALUE_NUMBER)
        return false;
    struct str text = number_text(arena, &operand->value);
    text = arena_printf(arena, "-%.*s", STR_ARG(text));
    *ret = value_number(text);
    return text.ptr;
}

static bool static_at(struct arena *arena, const struct hcl_expr *expr, unsigned depth_left,
                      struct value *ret)
{
    if (depth_left == 0)
        return false;
    if (expr->raw)
        return hcl_raw_string(arena, expr, ret);
    switch (expr->kind) {
    case HCL_EXPR_LITERAL:
    case HCL_EXPR_STRING:
        *ret = expr->value;
        return true;
    case HCL_EXPR_PAREN:
        return static_at(arena, expr->operand, depth_left - 1, ret);
    case HCL_EXPR_UNARY:
        return negated(arena, expr, ret);
    case HCL_EXPR_TUPLE:
        return static_tuple(arena, expr, depth_left - 1, ret);
    case HCL_EXPR_OBJECT:
        return static_object(arena, expr, depth_left - 1, ret);
    default:
        return false;
    }
}

bool hcl_static_value(struct arena *arena, const struct hcl_expr *expr, struct value *ret)
{
    return static_at(arena, expr, HCL_DEPTH_MAX, ret);
}
