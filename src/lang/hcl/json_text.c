/* json_text.c - what is written inside of JSON strings: templates, references, types.
 *
 * The text is read by the native parser as it stands without its escapes; a copy of the tree then
 * has the ranges of the file, so that a message and an edit find the characters as they are
 * written.
 */
#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/json_syntax.h"
#include "lang/hcl/parser.h"

/* --- from the text of the string to the bytes of the file --- */

static uint32_t written_at(const struct hcl_json_string *string, uint32_t decoded)
{
    size_t low = 0, high = string->njumps;
    while (low < high) { /* the last jump at or before it */
        size_t middle = low + (high - low) / 2;
        if (string->jump[middle].decoded <= decoded)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return string->start + decoded;
    const struct hcl_json_jump *jump = &string->jump[low - 1];
    return jump->written + (decoded - jump->decoded);
}

static struct hcl_range written(const struct hcl_json_string *string, struct hcl_range range)
{
    struct hcl_range r = {written_at(string, range.start), written_at(string, range.end)};
    return r.end < r.start ? (struct hcl_range){r.start, r.start} : r;
}

/* --- the tree with other ranges --- */

struct copier {
    struct arena *arena;
    const struct hcl_json_string *string;
    bool full; /* out of memory, or nested deeper than the parser allows */
    unsigned depth_left;
};

static const struct hcl_expr *copy_expr(struct copier *c, const struct hcl_expr *expr);

static const struct hcl_expr *const *copy_list(struct copier *c, const struct hcl_expr *const *list,
                                               size_t n)
{
    const struct hcl_expr **copy = arena_new(c->arena, const struct hcl_expr *, n);
    for (size_t i = 0; copy && i < n; i++)
        copy[i] = copy_expr(c, list[i]);
    c->full = c->full || !copy;
    return copy;
}

static const struct hcl_item *copy_items(struct copier *c, const struct hcl_item *list, size_t n)
{
    struct hcl_item *copy = arena_new(c->arena, struct hcl_item, n);
    for (size_t i = 0; copy && i < n; i++)
        copy[i] = (struct hcl_item){copy_expr(c, list[i].key), copy_expr(c, list[i].value)};
    c->full = c->full || !copy;
    return copy;
}

static void copy_for(struct copier *c, struct hcl_expr *node)
{
    struct hcl_for *for_ = arena_new(c->arena, struct hcl_for, 1);
    if (!for_) {
        c->full = true;
        return;
    }
    *for_ = *node->for_;
    for_->source = copy_expr(c, node->for_->source);
    for_->key = copy_expr(c, node->for_->key);
    for_->value = copy_expr(c, node->for_->value);
    for_->condition = copy_expr(c, node->for_->condition);
    for_->names = written(c->string, node->for_->names);
    for_->ellipsis = written(c->string, node->for_->ellipsis);
    node->for_ = for_;
}

/* node is a plain copy: what it points at, copied too. */
static void copy_children(struct copier *c, struct hcl_expr *node)
{
    switch (node->kind) {
    case HCL_EXPR_WRAP:
    case HCL_EXPR_PAREN:
        node->operand = copy_expr(c, node->operand);
        break;
    case HCL_EXPR_TEMPLATE:
    case HCL_EXPR_TUPLE:
        node->parts.part = copy_list(c, node->parts.part, node->parts.n);
        break;
    case HCL_EXPR_OBJECT:
        node->items.item = copy_items(c, node->items.item, node->items.n);
        break;
    case HCL_EXPR_FOR:
        copy_for(c, node);
        break;
    case HCL_EXPR_ATTRIBUTE:
        node->get.source = copy_expr(c, node->get.source);
        node->get.name_range = written(c->string, node->get.name_range);
        break;
    case HCL_EXPR_INDEX:
        node->index.source = copy_expr(c, node->index.source);
        node->index.key = copy_expr(c, node->index.key);
        break;
    case HCL_EXPR_SPLAT:
        node->splat.source = copy_expr(c, node->splat.source);
        node->splat.each = copy_expr(c, node->splat.each);
        break;
    case HCL_EXPR_CALL:
        node->call.name_range = written(c->string, node->call.name_range);
        node->call.arg = copy_list(c, node->call.arg, node->call.nargs);
        break;
    case HCL_EXPR_UNARY:
    case HCL_EXPR_BINARY:
        node->binary.left = copy_expr(c, node->binary.left);
        node->binary.right = copy_expr(c, node->binary.right);
        break;
    case HCL_EXPR_CONDITIONAL:
    case HCL_EXPR_IF:
        node->cond.condition = copy_expr(c, node->cond.condition);
        node->cond.yes = copy_expr(c, node->cond.yes);
        node->cond.no = copy_expr(c, node->cond.no);
        break;
    default:
        break;
    }
}

static const struct hcl_expr *copy_expr(struct copier *c, const struct hcl_expr *expr)
{
    if (!expr)
        return NULL;
    struct hcl_expr *node = arena_new(c->arena, struct hcl_expr, 1);
    if (!node || c->depth_left == 0) {
        c->full = true;
        return expr;
    }
    *node = *expr;
    node->range = written(c->string, expr->range);
    c->depth_left--;
    copy_children(c, node);
    c->depth_left++;
    return node;
}

/* --- reading --- */

static void report(const struct hcl_diags *found, const struct hcl_json_string *string,
                   struct str name, struct str text, struct hcl_diags *diags)
{
    for (size_t i = 0; i < found->n; i++)
        hcl_diag_add(diags, name, text, found->diag[i].warning,
                     written(string, found->diag[i].subject), found->diag[i].summary, "%.*s",
                     STR_ARG(found->diag[i].detail));
}

const struct hcl_expr *hcl_json_embedded(struct arena *arena, struct str name, struct str text,
                                         struct hcl_range token, bool template_,
                                         struct hcl_diags *diags)
{
    struct hcl_json_string string;
    struct hcl_diags found = {.arena = arena};
    const struct hcl_expr *expr = NULL;
    size_t bad;
    if (!hcl_json_decode(arena, text, token, &string, &bad))
        return NULL;
    struct err err = {0};
    char why[512];
    bool read = template_ ? hcl_parse_template(arena, string.text, name, &found, &expr, &err)
                          : hcl_parse_expression(arena, string.text, name, &found, &expr, &err);
    if (read && hcl_has_errors(&found)) {
        if (diags)
            report(&found, &string, name, text, diags);
        return NULL;
    }
    struct copier copier = {.arena = arena, .string = &string, .depth_left = HCL_DEPTH_MAX * 8};
    if (read)
        expr = copy_expr(&copier, expr);
    if (read && !copier.full)
        return expr;
    if (diags)
        hcl_diag_add(diags, name, text, false, token, STR("Expression too large"), "%s.",
                     read ? "The expression is nested deeper than plumb reads, or memory is out"
                          : err_text(&err, why, sizeof why));
    return NULL;
}

/* --- keywords --- */

/* References and calls (of types); quotes within the quotes make none. */
static bool is_keyword(enum hcl_expr_kind kind)
{
    return kind == HCL_EXPR_VARIABLE || kind == HCL_EXPR_ATTRIBUTE || kind == HCL_EXPR_INDEX ||
           kind == HCL_EXPR_CALL;
}

static const struct hcl_expr *keyword_at(struct arena *arena, const struct hcl_file *file,
                                         const struct hcl_expr *expr, struct hcl_diags *diags,
                                         unsigned depth_left);

static const struct hcl_expr *keyword_list(struct arena *arena, const struct hcl_file *file,
                                           const struct hcl_expr *expr, struct hcl_diags *diags,
                                           unsigned depth_left)
{
    struct hcl_expr *node = arena_new(arena, struct hcl_expr, 1);
    const struct hcl_expr **parts = arena_new(arena, const struct hcl_expr *, expr->parts.n);
    if (!node || !parts)
        return expr;
    for (size_t i = 0; i < expr->parts.n; i++)
        parts[i] = keyword_at(arena, file, expr->parts.part[i], diags, depth_left);
    *node = *expr;
    node->parts.part = parts;
    return node;
}

static const struct hcl_expr *keyword_items(struct arena *arena, const struct hcl_file *file,
                                            const struct hcl_expr *expr, struct hcl_diags *diags,
                                            unsigned depth_left)
{
    struct hcl_expr *node = arena_new(arena, struct hcl_expr, 1);
    struct hcl_item *items = arena_new(arena, struct hcl_item, expr->items.n);
    if (!node || !items)
        return expr;
    for (size_t i = 0; i < expr->items.n; i++)
        items[i] = (struct hcl_item){
            keyword_at(arena, file, expr->items.item[i].key, diags, depth_left),
            keyword_at(arena, file, expr->items.item[i].value, diags, depth_left)};
    *node = *expr;
    node->items.item = items;
    return node;
}

static const struct hcl_expr *keyword_at(struct arena *arena, const struct hcl_file *file,
                                         const struct hcl_expr *expr, struct hcl_diags *diags,
                                         unsigned depth_left)
{
    if (!expr->json)
        return expr;
    if (expr->raw) {
        const struct hcl_expr *inside =
            hcl_json_embedded(arena, file->name, file->text, expr->range, false, NULL);
        return inside && is_keyword(inside->kind) ? inside : expr;
    }
    if (depth_left == 0) {
        hcl_diag_add(diags, file->name, file->text, false, expr->range,
                     STR("Configuration nested too deeply"),
                     "Values are nested deeper than plumb reads.");
        return expr;
    }
    if (expr->kind == HCL_EXPR_TUPLE)
        return keyword_list(arena, file, expr, diags, depth_left - 1);
    if (expr->kind == HCL_EXPR_OBJECT)
        return keyword_items(arena, file, expr, diags, depth_left - 1);
    return expr;
}

const struct hcl_expr *hcl_keyword_expr(struct arena *arena, const struct hcl_file *file,
                                        const struct hcl_expr *expr, struct hcl_diags *diags)
{
    return keyword_at(arena, file, expr, diags, HCL_DEPTH_MAX);
}
