/* ast_equal.c - do two Rego modules say the same? Places, comments and the spelling aside. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/format.h"

enum { NAME_MAX_BYTES = 1 << 16 };

static bool term_equal(const struct rego_term *a, const struct rego_term *b, unsigned depth_left);
static bool body_equal(const struct rego_body *a, const struct rego_body *b, unsigned depth_left);

static bool parts_equal(struct rego_term *const *a, size_t na, struct rego_term *const *b,
                        size_t nb, unsigned depth_left)
{
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++)
        if (!term_equal(a[i], b[i], depth_left))
            return false;
    return true;
}

static bool is_wildcard(const struct rego_term *term)
{
    return term->name.len && term->name.ptr[0] == '$';
}

static bool pairs_equal(const struct rego_term *a, const struct rego_term *b, unsigned depth_left)
{
    if (a->pairs.n != b->pairs.n)
        return false;
    for (size_t i = 0; i < a->pairs.n; i++)
        if (!term_equal(a->pairs.item[i].key, b->pairs.item[i].key, depth_left) ||
            !term_equal(a->pairs.item[i].value, b->pairs.item[i].value, depth_left))
            return false;
    return true;
}

/* A number is what it is written as: 1.0 prints as such. */
static bool scalar_equal(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER && a->form != b->form)
        return false;
    if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER && a->form == NUMBER_TEXT)
        return str_equal(value_text(a), value_text(b));
    return rego_equal(a, b);
}

static bool maybe_equal(const struct rego_term *a, const struct rego_term *b, unsigned depth_left)
{
    return a && b ? term_equal(a, b, depth_left) : a == b;
}

/* internal.member_2(x, xs) is x in xs. */
static bool calls_equal(const struct rego_term *a, const struct rego_term *b, unsigned depth_left)
{
    AUTO_BUF x = {.limit = NAME_MAX_BYTES}, y = {.limit = NAME_MAX_BYTES};
    if (a->parts.n != b->parts.n)
        return false;
    rego_term_text(&x, a->parts.item[0]);
    rego_term_text(&y, b->parts.item[0]);
    bool named = !x.failed && str_equal(buf_view(&x), buf_view(&y));
    return (named || term_equal(a->parts.item[0], b->parts.item[0], depth_left)) &&
           parts_equal(a->parts.item + 1, a->parts.n - 1, b->parts.item + 1, b->parts.n - 1,
                       depth_left);
}

static bool term_equal(const struct rego_term *a, const struct rego_term *b, unsigned depth_left)
{
    if (depth_left == 0 || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case REGO_TERM_VALUE:
        return scalar_equal(&a->value, &b->value);
    case REGO_TERM_VAR:
        return is_wildcard(a) ? is_wildcard(b) : str_equal(a->name, b->name);
    case REGO_TERM_CALL:
        return calls_equal(a, b, depth_left - 1);
    case REGO_TERM_OBJECT:
        return pairs_equal(a, b, depth_left - 1);
    case REGO_TERM_ARRAY_COMPREHENSION:
    case REGO_TERM_SET_COMPREHENSION:
    case REGO_TERM_OBJECT_COMPREHENSION:
        return maybe_equal(a->compr.key, b->compr.key, depth_left - 1) &&
               term_equal(a->compr.value, b->compr.value, depth_left - 1) &&
               body_equal(a->compr.body, b->compr.body, depth_left - 1);
    default:
        return parts_equal(a->parts.item, a->parts.n, b->parts.item, b->parts.n, depth_left - 1);
    }
}

static bool withs_equal(const struct rego_expr *a, const struct rego_expr *b, unsigned depth_left)
{
    if (a->nwith != b->nwith)
        return false;
    for (size_t i = 0; i < a->nwith; i++)
        if (!term_equal(a->with[i].target, b->with[i].target, depth_left) ||
            !term_equal(a->with[i].value, b->with[i].value, depth_left))
            return false;
    return true;
}

/* plus(x, 1, z) is z = x + 1. */
static bool result_equal(const struct rego_term *call, const struct rego_term *eq,
                         unsigned depth_left)
{
    if (eq->parts.n != 3 || eq->parts.item[0]->kind != REGO_TERM_VAR ||
        !str_equal(eq->parts.item[0]->name, STR("eq")) ||
        eq->parts.item[2]->kind != REGO_TERM_CALL ||
        call->parts.n != eq->parts.item[2]->parts.n + 1)
        return false;
    struct rego_term shorter = *call;
    shorter.parts.n--;
    return term_equal(call->parts.item[call->parts.n - 1], eq->parts.item[1], depth_left) &&
           term_equal(&shorter, eq->parts.item[2], depth_left);
}

static bool expr_equal(const struct rego_expr *a, const struct rego_expr *b, unsigned depth_left)
{
    if (depth_left == 0 || a->kind != b->kind || a->negated != b->negated ||
        !withs_equal(a, b, depth_left - 1))
        return false;
    switch (a->kind) {
    case REGO_EXPR_SOME:
        return parts_equal(a->some.symbol, a->some.n, b->some.symbol, b->some.n, depth_left - 1);
    case REGO_EXPR_EVERY:
        return maybe_equal(a->every.key, b->every.key, depth_left - 1) &&
               term_equal(a->every.value, b->every.value, depth_left - 1) &&
               term_equal(a->every.domain, b->every.domain, depth_left - 1) &&
               body_equal(a->every.body, b->every.body, depth_left - 1);
    case REGO_EXPR_LOGIC:
        return a->logic.is_or == b->logic.is_or &&
               body_equal(a->logic.left, b->logic.left, depth_left - 1) &&
               body_equal(a->logic.right, b->logic.right, depth_left - 1);
    case REGO_EXPR_NOT_BODY:
        return body_equal(a->body, b->body, depth_left - 1);
    case REGO_EXPR_CALL:
        return term_equal(a->term, b->term, depth_left - 1) ||
               result_equal(a->term, b->term, depth_left - 1);
    default:
        return term_equal(a->term, b->term, depth_left - 1);
    }
}

static bool body_equal(const struct rego_body *a, const struct rego_body *b, unsigned depth_left)
{
    if (depth_left == 0 || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!expr_equal(a->expr[i], b->expr[i], depth_left - 1))
            return false;
    return true;
}

/* No value is true; so is no body, and a body that is `true`. */
static bool is_true(const struct rego_term *term)
{
    return !term ||
           (term->kind == REGO_TERM_VALUE && term->value.kind == VALUE_BOOL && term->value.truth);
}

static bool is_open(const struct rego_rule *rule)
{
    if (!rule->has_body || !rule->body)
        return true;
    const struct rego_expr *expr = rule->body->expr[0];
    return rule->body->n == 1 && expr->kind == REGO_EXPR_TERM && !expr->negated && !expr->nwith &&
           is_true(expr->term);
}

enum { DEPTH = 4 * REGO_DEPTH_MAX };

static bool heads_equal(const struct rego_head *a, const struct rego_head *b)
{
    return a->kind == b->kind && parts_equal(a->ref, a->nref, b->ref, b->nref, DEPTH) &&
           parts_equal(a->arg, a->narg, b->arg, b->narg, DEPTH) &&
           maybe_equal(a->key, b->key, DEPTH) &&
           ((is_true(a->value) && is_true(b->value)) || maybe_equal(a->value, b->value, DEPTH));
}

static bool rules_equal(const struct rego_rule *a, const struct rego_rule *b)
{
    for (; a && b; a = a->else_, b = b->else_) {
        if (a->is_default != b->is_default || !heads_equal(&a->head, &b->head))
            return false;
        if (is_open(a) != is_open(b) || (!is_open(a) && !body_equal(a->body, b->body, DEPTH)))
            return false;
    }
    return !a && !b;
}

static bool is_word_import(const struct rego_import *import)
{
    const struct rego_term *path = import->path;
    struct str root = path->kind == REGO_TERM_VAR ? path->name : path->parts.item[0]->name;
    return str_equal(root, STR("future")) || str_equal(root, STR("rego"));
}

/* The last part of its path. */
static struct str import_end(const struct rego_import *import)
{
    const struct rego_term *path = import->path;
    return path->kind == REGO_TERM_VAR ? path->name
                                       : value_text(&path->parts.item[path->parts.n - 1]->value);
}

static int by_end(const void *a, const void *b)
{
    return str_compare(import_end(*(const struct rego_import *const *)a),
                       import_end(*(const struct rego_import *const *)b));
}

static const struct rego_import **sorted_imports(struct arena *arena,
                                                 const struct rego_module *module)
{
    const struct rego_import **sorted =
        arena_new(arena, const struct rego_import *, module->nimports);
    for (size_t i = 0; sorted && i < module->nimports; i++)
        sorted[i] = &module->imports[i];
    if (sorted && module->nimports > 1)
        qsort(sorted, module->nimports, sizeof(const struct rego_import *), by_end);
    return sorted;
}

static bool has_import(const struct rego_import *const *sorted, size_t n,
                       const struct rego_import *import)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_end(&sorted[middle], &import) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < n && by_end(&sorted[low], &import) == 0; low++)
        if (str_equal(sorted[low]->alias, import->alias) &&
            term_equal(sorted[low]->path, import->path, DEPTH))
            return true;
    return false;
}

/* Their order says nothing, and imports of words only how the rest is read. */
static bool imports_equal(const struct rego_module *a, const struct rego_module *b)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const struct rego_import **sorted = sorted_imports(&arena, b);
    for (size_t i = 0; sorted && i < a->nimports; i++)
        if (!is_word_import(&a->imports[i]) && !has_import(sorted, b->nimports, &a->imports[i]))
            return false;
    return sorted != NULL;
}

bool rego_modules_equal(const struct rego_module *a, const struct rego_module *b)
{
    if (!term_equal(a->package, b->package, DEPTH) || !imports_equal(a, b) ||
        !imports_equal(b, a) || a->nrules != b->nrules)
        return false;
    for (size_t i = 0; i < a->nrules; i++)
        if (!rules_equal(a->rules[i], b->rules[i]))
            return false;
    return true;
}
