/* lint.c - the walk over a tree of modules, and over what its files hold. */
#include "desired/lint.h"

#include "base/digest.h"
#include "base/err.h"
#include "desired/lint_parts.h"

enum { SEEN_BUCKETS = 1024 };

static const struct {
    struct str rule, summary, remedy;
} rules[] = {
#define X(constant, id, says, todo) [constant] = {STR_INIT(id), STR_INIT(says), STR_INIT(todo)},
    LINT_RULES(X)
#undef X
};

void lint_locate(const struct hcl_file *file, struct hcl_range range, struct location *ret,
                 struct str *ret_excerpt)
{
    struct str text = file->text;
    uint32_t start = range.start < text.len ? range.start : (uint32_t)text.len;
    uint32_t end = range.end < text.len ? range.end : (uint32_t)text.len;
    *ret = (struct location){.file = file->name};
    hcl_place(text, start, &ret->line, &ret->column);
    hcl_place(text, end > start ? end : start, &ret->end_line, &ret->end_column);
    while (start && text.ptr[start - 1] != '\n')
        start--;
    while (end < text.len && text.ptr[end] != '\n')
        end++;
    *ret_excerpt = str_sub(text, start, end);
}

void lint_say(struct linting *in, enum lint_rule rule, const struct hcl_file *file,
              struct hcl_range range, struct str address, const char *detail_fmt, ...)
{
    struct lint_issues *list = in->issues;
    struct issue *grown = arena_grow(in->arena, list->issue, list->n, &list->room, list->n + 1);
    va_list args;
    if (!grown) {
        in->full = true;
        return;
    }
    va_start(args, detail_fmt);
    struct str detail = arena_vprintf(in->arena, detail_fmt, args);
    va_end(args);
    struct issue *issue = &grown[list->n++];
    list->issue = grown;
    enum issue_kind kind = rule == LINT_READ_ONLY_ARGUMENT ? ISSUE_ERROR : ISSUE_WARNING;
    *issue = (struct issue){.kind = kind,
                            .severity = issue_kind_severity(kind),
                            .rule = rules[rule].rule,
                            .summary = rules[rule].summary,
                            .detail = detail,
                            .remedy = rules[rule].remedy,
                            .address = address};
    lint_locate(file, range, &issue->at, &issue->excerpt);
}

/* --- expressions --- */

struct visiting {
    bool (*visit)(void *ctx, const struct hcl_expr *expr);
    void *ctx;
};

static bool walk(const struct visiting *v, const struct hcl_expr *expr, unsigned depth_left);

static bool walk_parts(const struct visiting *v, const struct hcl_expr *const *part, size_t n,
                       unsigned depth_left)
{
    for (size_t i = 0; i < n; i++)
        if (!walk(v, part[i], depth_left))
            return false;
    return true;
}

static bool walk_items(const struct visiting *v, const struct hcl_expr *expr, unsigned depth_left)
{
    for (size_t i = 0; i < expr->items.n; i++)
        if (!walk(v, expr->items.item[i].key, depth_left) ||
            !walk(v, expr->items.item[i].value, depth_left))
            return false;
    return true;
}

static bool walk_inner(const struct visiting *v, const struct hcl_expr *expr, unsigned depth_left)
{
    switch (expr->kind) {
    case HCL_EXPR_WRAP:
    case HCL_EXPR_PAREN:
        return walk(v, expr->operand, depth_left);
    case HCL_EXPR_TEMPLATE:
    case HCL_EXPR_TUPLE:
        return walk_parts(v, expr->parts.part, expr->parts.n, depth_left);
    case HCL_EXPR_OBJECT:
        return walk_items(v, expr, depth_left);
    case HCL_EXPR_FOR:
        return walk(v, expr->for_->source, depth_left) && walk(v, expr->for_->key, depth_left) &&
               walk(v, expr->for_->value, depth_left) && walk(v, expr->for_->condition, depth_left);
    case HCL_EXPR_ATTRIBUTE:
        return walk(v, expr->get.source, depth_left);
    case HCL_EXPR_INDEX:
        return walk(v, expr->index.source, depth_left) && walk(v, expr->index.key, depth_left);
    case HCL_EXPR_SPLAT:
        return walk(v, expr->splat.source, depth_left) && walk(v, expr->splat.each, depth_left);
    case HCL_EXPR_CALL:
        return walk_parts(v, expr->call.arg, expr->call.nargs, depth_left);
    case HCL_EXPR_UNARY:
    case HCL_EXPR_BINARY:
        return walk(v, expr->binary.left, depth_left) && walk(v, expr->binary.right, depth_left);
    case HCL_EXPR_CONDITIONAL:
    case HCL_EXPR_IF:
        return walk(v, expr->cond.condition, depth_left) && walk(v, expr->cond.yes, depth_left) &&
               walk(v, expr->cond.no, depth_left);
    default:
        return true;
    }
}

static bool walk(const struct visiting *v, const struct hcl_expr *expr, unsigned depth_left)
{
    if (!expr || depth_left == 0)
        return true;
    return v->visit(v->ctx, expr) && walk_inner(v, expr, depth_left - 1);
}

bool lint_each_expr(const struct hcl_expr *expr, bool (*visit)(void *ctx, const struct hcl_expr *),
                    void *ctx)
{
    struct visiting v = {visit, ctx};
    return walk(&v, expr, HCL_DEPTH_MAX);
}

static bool each_attribute(const struct hcl_body *body, const struct visiting *v,
                           unsigned depth_left)
{
    if (depth_left == 0)
        return true;
    if (body->json && !v->visit(v->ctx, body->json))
        return false;
    for (size_t i = 0; i < body->nattributes; i++)
        if (!v->visit(v->ctx, body->attribute[i].value))
            return false;
    for (size_t i = 0; i < body->nblocks; i++)
        if (!each_attribute(&body->block[i].body, v, depth_left - 1))
            return false;
    return true;
}

bool lint_each_attribute(const struct hcl_body *body,
                         bool (*visit)(void *ctx, const struct hcl_expr *expr), void *ctx)
{
    struct visiting v = {visit, ctx};
    return each_attribute(body, &v, HCL_DEPTH_MAX);
}

/* --- the tree --- */

struct seen {
    struct str path;
    struct seen *next;
};

/* A directory that several calls use is one module. False: it was there already. */
static bool is_new(struct linting *in, struct seen **buckets, struct str path)
{
    struct seen **bucket = &buckets[hash_bytes(path, 0) % SEEN_BUCKETS];
    for (struct seen *at = *bucket; at; at = at->next)
        if (str_equal(at->path, path))
            return false;
    struct seen *seen = arena_new(in->arena, struct seen, 1);
    in->full |= !seen;
    if (!seen)
        return false;
    *seen = (struct seen){path, *bucket};
    *bucket = seen;
    return true;
}

/* Modules that `init` brought are somebody else's. */
static bool is_ours(const struct code_tree *tree)
{
    return !tree->call || !tree->call->source.ptr ||
           (str_starts(tree->call->source, STR(".")) && is_ours(tree->parent));
}

static void visit(struct linting *in, const struct code_tree *tree, struct seen **buckets,
                  unsigned depth_left)
{
    if (depth_left == 0 || in->full || !is_ours(tree))
        return;
    if (is_new(in, buckets, tree->module.path)) {
        lint_unused(in, tree);
        lint_syntax(in, &tree->module);
        lint_deprecated(in, &tree->module);
    }
    for (size_t i = 0; i < tree->module.ncalls; i++)
        if (tree->child[i])
            visit(in, tree->child[i], buckets, depth_left - 1);
}

bool lint_tree(struct arena *arena, const struct code_tree *root,
               const struct lint_options *options, struct lint_issues *ret, struct err *err)
{
    struct linting in = {.arena = arena, .options = options, .issues = ret};
    struct seen **buckets = arena_new(arena, struct seen *, SEEN_BUCKETS);
    if (!buckets)
        return arena_full(arena, err);
    visit(&in, root, buckets, CODE_TREE_DEPTH_MAX + 1);
    return !in.full || arena_full(arena, err);
}
