/* json_content.c - bodies by table: JSON syntax.
 *
 * A property is an attribute or blocks because the table says so; the labels of blocks are the
 * names of objects inside of objects; an array stands for several, on every level.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/content_table.h"
#include "lang/hcl/json_syntax.h"
#include "wire/json.h"

struct item_list {
    const struct hcl_item **ptr;
    size_t n, room;
};
struct block_list {
    struct hcl_block *ptr;
    size_t n, room;
};

static bool is_null(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_LITERAL && expr->value.kind == VALUE_NULL;
}

/* The opening bracket, or all of what has none. */
static struct hcl_range start_of(const struct hcl_expr *expr)
{
    bool bracket = expr->kind == HCL_EXPR_OBJECT || expr->kind == HCL_EXPR_TUPLE;
    if (!bracket || expr->range.end == expr->range.start)
        return expr->range;
    return (struct hcl_range){expr->range.start, expr->range.start + 1};
}

struct hcl_body hcl_json_body(const struct hcl_expr *expr)
{
    struct hcl_body body = {.json = expr, .range = expr->range, .missing = start_of(expr)};
    if (expr->kind == HCL_EXPR_OBJECT && expr->range.end > expr->range.start)
        body.missing = (struct hcl_range){expr->range.end - 1, expr->range.end};
    return body;
}

static struct hcl_attribute attribute_of(const struct hcl_item *item)
{
    return (struct hcl_attribute){.name = *item->key->raw,
                                  .value = item->value,
                                  .name_range = item->key->range,
                                  .range = {item->key->range.start, item->value->range.end}};
}

static bool is_comment(const struct hcl_item *item)
{
    return str_equal(*item->key->raw, STR("//"));
}

static struct str range_text(const struct hcl_asking *in, struct hcl_range range)
{
    return hcl_range_text(in->arena, in->file->name, in->file->text, range);
}

/* A name in quotes, with what it may hold escaped. */
static struct str quoted(struct arena *arena, struct str name)
{
    AUTO_BUF out = {.limit = 1 << 20};
    json_quote(&out, name);
    return arena_dup(arena, buf_view(&out));
}

/* --- properties --- */

static void mistyped(const struct hcl_asking *in, const struct hcl_expr *expr, const char *label,
                     bool element)
{
    const char *what =
        element ? "A JSON object is" : "Either a JSON object or JSON array of objects is";
    hcl_content_fault(
        in, start_of(expr), STR("Incorrect JSON value type"),
        label ? arena_printf(in->arena, "%s required here, to specify %s labels for this block.",
                             what, label)
              : arena_printf(in->arena, "%s required here, to define arguments and child blocks.",
                             what));
}

static bool add_items(const struct hcl_asking *in, const struct hcl_expr *object,
                      struct item_list *list)
{
    if (object->items.n == 0)
        return true;
    list->ptr = arena_grow(in->arena, list->ptr, list->n, &list->room, list->n + object->items.n);
    if (!list->ptr)
        return false;
    for (size_t i = 0; i < object->items.n; i++)
        list->ptr[list->n++] = &object->items.item[i];
    return true;
}

static bool is_object(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_OBJECT;
}

/* The properties of an object, or of all objects of an array. label: what their names are, or NULL.
 */
static bool collect_items(const struct hcl_asking *in, const struct hcl_expr *expr,
                          const char *label, struct item_list *list)
{
    if (is_null(expr))
        return true;
    if (is_object(expr))
        return add_items(in, expr, list);
    if (expr->kind != HCL_EXPR_TUPLE) {
        mistyped(in, expr, label, false);
        return true;
    }
    for (size_t i = 0; i < expr->parts.n; i++) {
        if (!is_object(expr->parts.part[i]))
            mistyped(in, expr->parts.part[i], label, true);
        else if (!add_items(in, expr->parts.part[i], list))
            return false;
    }
    return true;
}

/* --- blocks --- */

struct unpacking {
    const struct hcl_asking *in;
    const struct hcl_block_spec *want;
    struct hcl_range type_range;
    struct hcl_label label[HCL_LABELS_MAX];
    size_t nlabels;
    struct block_list *blocks;
};

static bool add_block(struct unpacking *u, const struct hcl_expr *expr, struct hcl_range header)
{
    struct arena *arena = u->in->arena;
    struct hcl_label *labels = arena_new(arena, struct hcl_label, u->nlabels);
    struct block_list *list = u->blocks;
    list->ptr = arena_grow(arena, list->ptr, list->n, &list->room, list->n + 1);
    if (!labels || !list->ptr)
        return false;
    for (size_t i = 0; i < u->nlabels; i++)
        labels[i] = u->label[i];
    list->ptr[list->n++] = (struct hcl_block){.type = u->want->type,
                                              .label = labels,
                                              .nlabels = u->nlabels,
                                              .body = hcl_json_body(expr),
                                              .type_range = u->type_range,
                                              .header = header,
                                              .open = start_of(expr),
                                              .range = expr->range};
    return true;
}

static bool add_blocks(struct unpacking *u, const struct hcl_expr *expr)
{
    if (is_null(expr))
        return true;
    if (is_object(expr))
        return add_block(u, expr, start_of(expr));
    if (expr->kind != HCL_EXPR_TUPLE) {
        hcl_content_fault(u->in, start_of(expr), STR("Incorrect JSON value type"),
                          arena_printf(u->in->arena,
                                       "Either a JSON object or a JSON array is required, "
                                       "representing the contents of one or more \"%.*s\" blocks.",
                                       STR_ARG(u->want->type)));
        return true;
    }
    for (size_t i = 0; i < expr->parts.n; i++) /* mistyped ones are told when they are asked */
        if (!add_block(u, expr->parts.part[i], start_of(expr)))
            return false;
    return true;
}

/* Level by level: at most HCL_LABELS_MAX. */
static bool unpack(struct unpacking *u, const struct hcl_expr *expr)
{
    const char *label = u->nlabels < HCL_LABELS_MAX ? u->want->label[u->nlabels] : NULL;
    struct item_list items = {0};
    if (!label)
        return add_blocks(u, expr);
    if (!collect_items(u->in, expr, label, &items))
        return false;
    if (items.n == 0)
        hcl_content_fault(u->in, start_of(expr), STR("Missing block label"),
                          arena_printf(u->in->arena,
                                       "At least one object property is required, whose name "
                                       "represents the %.*s block's %s.",
                                       STR_ARG(u->want->type), label));
    bool ok = true;
    for (size_t i = 0; ok && i < items.n; i++) {
        u->label[u->nlabels++] = (struct hcl_label){
            .text = *items.ptr[i]->key->raw, .range = items.ptr[i]->key->range, .quoted = true};
        ok = unpack(u, items.ptr[i]->value);
        u->nlabels--;
    }
    return ok;
}

/* --- the whole --- */

static const struct hcl_attribute *find_found(const struct hcl_content *found, struct str name)
{
    for (size_t i = 0; i < found->nattributes; i++)
        if (str_equal(found->attribute[i].name, name))
            return &found->attribute[i];
    return NULL;
}

static void report_twice(const struct hcl_asking *in, const struct hcl_attribute *first,
                         const struct hcl_item *again, struct str summary)
{
    hcl_content_fault(in, again->key->range, summary,
                      arena_printf(in->arena, "The argument %.*s was already set at %.*s.",
                                   STR_ARG(quoted(in->arena, first->name)),
                                   STR_ARG(range_text(in, first->range))));
}

static void report_extraneous(const struct hcl_asking *in, const struct hcl_item *item,
                              const struct hcl_content *found)
{
    struct str name = *item->key->raw, hint = {0};
    struct str near = hcl_near_attribute(in->spec, found, name);
    if (!near.ptr)
        near = hcl_near_block(in->spec, name);
    if (near.ptr)
        hint = arena_printf(in->arena, " Did you mean \"%.*s\"?", STR_ARG(near));
    hcl_content_fault(in, item->key->range, STR("Extraneous JSON object property"),
                      arena_printf(in->arena, "No argument or block type is named %.*s.%.*s",
                                   STR_ARG(quoted(in->arena, name)), STR_ARG(hint)));
}

static void report_others(const struct hcl_asking *in, const struct item_list *items,
                          const struct hcl_content *found)
{
    for (size_t i = 0; i < items->n; i++) {
        struct str name = *items->ptr[i]->key->raw;
        bool known = hcl_find_attribute_spec(in->spec, name) ||
                     hcl_find_block_spec(in->spec, name) ||
                     hcl_is_taken_attribute(in->spec, name) || hcl_is_taken_block(in->spec, name);
        if (!known && !is_comment(items->ptr[i]))
            report_extraneous(in, items->ptr[i], found);
    }
}

bool hcl_json_content(const struct hcl_asking *in, struct hcl_content *ret)
{
    struct hcl_attribute *attributes =
        arena_new(in->arena, struct hcl_attribute, in->spec->nattributes);
    struct item_list items = {0};
    struct block_list blocks = {0};
    struct hcl_content found = {.attribute = attributes};
    if (!attributes || !collect_items(in, in->body->json, NULL, &items))
        return false;
    for (size_t i = 0; i < items.n; i++) {
        const struct hcl_item *item = items.ptr[i];
        const struct hcl_block_spec *want = hcl_find_block_spec(in->spec, *item->key->raw);
        if (hcl_find_attribute_spec(in->spec, *item->key->raw)) {
            const struct hcl_attribute *first = find_found(&found, *item->key->raw);
            if (first)
                report_twice(in, first, item, STR("Duplicate argument"));
            else
                attributes[found.nattributes++] = attribute_of(item);
        } else if (want) {
            struct unpacking u = {
                .in = in, .want = want, .type_range = item->key->range, .blocks = &blocks};
            if (!unpack(&u, item->value))
                return false;
        }
    }
    found.block = blocks.ptr;
    found.nblocks = blocks.n;
    hcl_report_missing(in, &found);
    if (!in->partial)
        report_others(in, &items, &found);
    *ret = found;
    return true;
}

static int by_name_then_place(const void *a, const void *b)
{
    const struct hcl_item *x = *(const struct hcl_item *const *)a;
    const struct hcl_item *y = *(const struct hcl_item *const *)b;
    int order = str_compare(*x->key->raw, *y->key->raw);
    return order ? order : (x > y) - (x < y);
}

/* Reports what is set twice and marks it; sorted pointers, so that a huge object is no trap. */
static bool *find_twice(const struct hcl_asking *in, const struct hcl_expr *object)
{
    size_t n = object->items.n;
    const struct hcl_item **sorted = arena_new(in->arena, const struct hcl_item *, n);
    bool *again = arena_new(in->arena, bool, n);
    if (!sorted || !again)
        return NULL;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &object->items.item[i];
    if (n)
        qsort(sorted, n, sizeof(const struct hcl_item *), by_name_then_place);
    const struct hcl_item *first = n ? sorted[0] : NULL;
    for (size_t i = 1; i < n; i++) {
        if (!str_equal(*first->key->raw, *sorted[i]->key->raw)) {
            first = sorted[i];
        } else if (!is_comment(first)) {
            struct hcl_attribute attribute = attribute_of(first);
            report_twice(in, &attribute, sorted[i], STR("Duplicate attribute definition"));
            again[sorted[i] - object->items.item] = true;
        }
    }
    return again;
}

bool hcl_json_attributes(const struct hcl_asking *in, struct hcl_content *ret)
{
    const struct hcl_expr *object = in->body->json;
    *ret = (struct hcl_content){0};
    if (!is_object(object)) {
        hcl_content_fault(
            in, start_of(object), STR("Incorrect JSON value type"),
            STR("A JSON object is required here, setting the arguments for this block."));
        return true;
    }
    const bool *again = find_twice(in, object);
    struct hcl_attribute *attributes = arena_new(in->arena, struct hcl_attribute, object->items.n);
    struct hcl_content found = {.attribute = attributes};
    if (!attributes || !again)
        return false;
    for (size_t i = 0; i < object->items.n; i++)
        if (!again[i] && !is_comment(&object->items.item[i]))
            attributes[found.nattributes++] = attribute_of(&object->items.item[i]);
    *ret = found;
    return true;
}
