/* parser_hcl.c - HCL as JSON: blocks below their type and labels, expressions as their source.
 * Source: facts/rego.md 12 ("blocks become arrays, expressions `${...}` strings")
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/hcl.h"
#include "policy/parsers.h"
#include "policy/tree.h"

struct hcl {
    struct arena *arena;
    const struct hcl_file *file;
    struct err *err;
    bool old; /* HCL 1: objects are lists of objects */
};

static bool full(struct hcl *h)
{
    return arena_full(h->arena, h->err);
}

static struct str source(const struct hcl *h, const struct hcl_expr *expr)
{
    return str_sub(h->file->text, expr->range.start, expr->range.end);
}

static struct tree *text_leaf(struct hcl *h, struct str text)
{
    return text.ptr ? tree_leaf(h->arena, value_string(text)) : NULL;
}

/* --- templates --- */

static void put_part(struct hcl *h, const struct hcl_expr *part, struct buf *out,
                     unsigned depth_left);

/* What would begin an expression is escaped again. */
static void put_literal(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        bool begins = (text.ptr[i] == '$' || text.ptr[i] == '%') && i + 1 < text.len &&
                      text.ptr[i + 1] == '{';
        if (begins)
            buf_char(out, text.ptr[i]);
        buf_char(out, text.ptr[i]);
    }
}

static void put_template(struct hcl *h, const struct hcl_expr *e, struct buf *out,
                         unsigned depth_left)
{
    if (depth_left == 0)
        out->failed = true;
    for (size_t i = 0; !out->failed && i < e->parts.n; i++)
        put_part(h, e->parts.part[i], out, depth_left - 1);
}

static void put_if(struct hcl *h, const struct hcl_expr *e, struct buf *out, unsigned depth_left)
{
    buf_str(out, STR("%{if "));
    buf_str(out, source(h, e->cond.condition));
    buf_char(out, '}');
    put_part(h, e->cond.yes, out, depth_left);
    if (e->cond.no) {
        buf_str(out, STR("%{else}"));
        put_part(h, e->cond.no, out, depth_left);
    }
    buf_str(out, STR("%{endif}"));
}

static void put_for(struct hcl *h, const struct hcl_expr *e, struct buf *out, unsigned depth_left)
{
    buf_str(out, STR("%{for "));
    if (e->for_->key_name.len) {
        buf_str(out, e->for_->key_name);
        buf_str(out, STR(", "));
    }
    buf_str(out, e->for_->value_name);
    buf_str(out, STR(" in "));
    buf_str(out, source(h, e->for_->source));
    buf_char(out, '}');
    put_part(h, e->for_->value, out, depth_left);
    buf_str(out, STR("%{endfor}"));
}

static void put_part(struct hcl *h, const struct hcl_expr *part, struct buf *out,
                     unsigned depth_left)
{
    if (depth_left == 0 || out->failed) {
        out->failed = true;
        return;
    }
    if (part->kind == HCL_EXPR_STRING) {
        put_literal(value_text(&part->value), out);
    } else if (part->kind == HCL_EXPR_TEMPLATE) {
        put_template(h, part, out, depth_left - 1);
    } else if (part->kind == HCL_EXPR_IF) {
        put_if(h, part, out, depth_left - 1);
    } else if (part->kind == HCL_EXPR_FOR && part->for_->in_template) {
        put_for(h, part, out, depth_left - 1);
    } else {
        buf_str(out, STR("${"));
        buf_str(out, source(h, part->kind == HCL_EXPR_WRAP ? part->operand : part));
        buf_char(out, '}');
    }
}

static struct tree *expression_text(struct hcl *h, const struct hcl_expr *e)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    put_part(h, e, &out, TREE_DEPTH_MAX);
    return out.failed ? NULL : text_leaf(h, arena_dup(h->arena, buf_view(&out)));
}

/* --- values --- */

static struct tree *convert(struct hcl *h, const struct hcl_expr *e, unsigned depth_left);

static struct str key_text(struct hcl *h, const struct hcl_expr *key)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    if (key->kind == HCL_EXPR_LITERAL)
        return source(h, key);
    put_part(h, key, &out, TREE_DEPTH_MAX);
    return out.failed ? (struct str){0} : arena_dup(h->arena, buf_view(&out));
}

/* -1 and !true are values. */
static struct tree *unary(struct hcl *h, const struct hcl_expr *e)
{
    const struct hcl_expr *of = e->binary.left;
    bool literal = of->kind == HCL_EXPR_LITERAL;
    if (literal && of->value.kind == VALUE_BOOL && e->binary.op == HCL_BANG)
        return tree_leaf(h->arena, value_bool(!of->value.truth));
    if (!literal || of->value.kind != VALUE_NUMBER || e->binary.op != HCL_MINUS)
        return expression_text(h, e);
    AUTO_BUF out = {.limit = 1 << 20};
    struct str text = source(h, of);
    buf_char(&out, '-');
    buf_str(&out, text);
    text = out.failed ? (struct str){0} : arena_dup(h->arena, buf_view(&out));
    return text.ptr ? tree_leaf(h->arena, value_number(text)) : NULL;
}

static struct tree *object(struct hcl *h, const struct hcl_expr *e, unsigned depth_left)
{
    struct tree *made = tree_make(h->arena, TREE_OBJECT), *list;
    for (size_t i = 0; made && i < e->items.n; i++) {
        struct str key = key_text(h, e->items.item[i].key);
        struct tree *v = key.ptr ? convert(h, e->items.item[i].value, depth_left) : NULL;
        struct tree *there = v ? tree_find(made, key) : NULL;
        if (there)
            *there = *v;
        if (!v || (!there && !tree_put(h->arena, made, key, v)))
            return NULL;
    }
    if (!h->old || !made)
        return made;
    list = tree_make(h->arena, TREE_LIST);
    return list && tree_push(h->arena, list, made) ? list : NULL;
}

static struct tree *convert(struct hcl *h, const struct hcl_expr *e, unsigned depth_left)
{
    struct tree *made;
    if (depth_left == 0)
        return NULL;
    switch (e->kind) {
    case HCL_EXPR_LITERAL:
        return tree_leaf(h->arena, e->value);
    case HCL_EXPR_WRAP:
        return convert(h, e->operand, depth_left - 1);
    case HCL_EXPR_UNARY:
        return unary(h, e);
    case HCL_EXPR_OBJECT:
        return object(h, e, depth_left - 1);
    case HCL_EXPR_TUPLE:
        made = tree_make(h->arena, TREE_LIST);
        for (size_t i = 0; made && i < e->parts.n; i++)
            if (!tree_push(h->arena, made, convert(h, e->parts.part[i], depth_left - 1)))
                return NULL;
        return made;
    default:
        return expression_text(h, e);
    }
}

/* --- bodies --- */

static bool body(struct hcl *h, const struct hcl_body *from, struct tree *to, unsigned depth_left);

static bool two_things(struct hcl *h, struct str key)
{
    return err_set(h->err, ERR_SYNTAX, "%.*s: %.*s is an attribute and a block",
                   STR_ARG(h->file->name), STR_ARG(key));
}

/* HCL 2: the object that a type or a label leads to. */
static bool step_into(struct hcl *h, struct tree **at, struct str key)
{
    struct tree *next = tree_find(*at, key);
    if (next && next->kind != TREE_OBJECT)
        return two_things(h, key);
    if (!next) {
        next = tree_make(h->arena, TREE_OBJECT);
        if (!tree_put(h->arena, *at, key, next))
            return full(h);
    }
    *at = next;
    return true;
}

/* Another object in the list of that key; *at becomes it. */
static bool step_beside(struct hcl *h, struct tree **at, struct str key)
{
    struct tree *list = tree_find(*at, key), *made = tree_make(h->arena, TREE_OBJECT);
    if (list && list->kind != TREE_LIST)
        return two_things(h, key);
    if (!list) {
        list = tree_make(h->arena, TREE_LIST);
        if (!tree_put(h->arena, *at, key, list))
            return full(h);
    }
    *at = made;
    return tree_push(h->arena, list, made) || full(h);
}

static bool block(struct hcl *h, const struct hcl_block *b, struct tree *to, unsigned depth_left)
{
    struct str key = b->type;
    for (size_t i = 0; i < b->nlabels; i++) {
        if (!(h->old ? step_beside(h, &to, key) : step_into(h, &to, key)))
            return false;
        key = b->label[i].text;
    }
    return step_beside(h, &to, key) && body(h, &b->body, to, depth_left);
}

static bool body(struct hcl *h, const struct hcl_body *from, struct tree *to, unsigned depth_left)
{
    if (depth_left == 0)
        return err_set(h->err, ERR_LIMIT, "%.*s: blocks are nested too deep",
                       STR_ARG(h->file->name));
    for (size_t i = 0; i < from->nblocks; i++)
        if (!block(h, &from->block[i], to, depth_left - 1))
            return false;
    for (size_t i = 0; i < from->nattributes; i++) {
        const struct hcl_attribute *a = &from->attribute[i];
        struct tree *v = convert(h, a->value, TREE_DEPTH_MAX);
        struct tree *there = tree_find(to, a->name);
        if (v && there)
            *there = *v;
        if (!v || (!there && !tree_put(h->arena, to, a->name, v)))
            return full(h);
    }
    return true;
}

static bool parse(struct arena *arena, struct str text, const char *name, bool old,
                  struct value *ret, struct err *err)
{
    struct hcl_diags diags = {.arena = arena};
    struct hcl_file file;
    struct hcl h = {arena, &file, err, old};
    struct tree *root = tree_make(arena, TREE_OBJECT);
    if (!root)
        return arena_full(arena, err);
    if (!hcl_parse_file(arena, text, str_from(name), &diags, &file, err))
        return false;
    if (hcl_has_errors(&diags))
        return hcl_diags_to_err(&diags, err);
    return body(&h, &file.body, root, TREE_DEPTH_MAX) && tree_value(arena, root, ret, err);
}

bool parser_hcl2(PARSER_ARGS)
{
    return parse(arena, text, name, false, ret, err);
}

bool parser_hcl1(PARSER_ARGS)
{
    return parse(arena, text, name, true, ret, err);
}
