/* edit_path.c - the way down a path through objects, tuples, jsonencode() and merge(). */
#include "lang/hcl/edit_path.h"

#include "base/arena.h"
#include "lang/hcl/edit_assign.h"
#include "lang/hcl/eval.h"

const char *hcl_obstacle_name(enum hcl_obstacle_kind kind)
{
#define X(constant, name) name,
    static const char *const names[] = { HCL_OBSTACLES(X) };
#undef X
    return kind < HCL_OBSTACLE_COUNT ? names[kind] : names[0];
}

/* --- looking at expressions --- */

static bool is_literal(const struct hcl_expr *expr, unsigned depth_left);

static bool are_literal(const struct hcl_expr *const *part, size_t n, unsigned depth_left)
{
    for (size_t i = 0; i < n; i++)
        if (!is_literal(part[i], depth_left))
            return false;
    return true;
}

static bool is_literal(const struct hcl_expr *expr, unsigned depth_left)
{
    if (depth_left-- == 0)
        return false;
    switch (expr->kind) {
    case HCL_EXPR_LITERAL:
    case HCL_EXPR_STRING:
        return true;
    case HCL_EXPR_PAREN:
    case HCL_EXPR_WRAP:
        return is_literal(expr->operand, depth_left);
    case HCL_EXPR_UNARY:
        return expr->binary.op == HCL_MINUS && expr->binary.left->kind == HCL_EXPR_LITERAL;
    case HCL_EXPR_TUPLE:
    case HCL_EXPR_TEMPLATE:
        return are_literal(expr->parts.part, expr->parts.n, depth_left);
    case HCL_EXPR_OBJECT:
        for (size_t i = 0; i < expr->items.n; i++)
            if (!is_literal(expr->items.item[i].key, depth_left) ||
                !is_literal(expr->items.item[i].value, depth_left))
                return false;
        return true;
    default:
        return false;
    }
}

bool hcl_is_literal(const struct hcl_expr *expr)
{
    return is_literal(expr, HCL_DEPTH_MAX);
}

const struct hcl_expr *edit_inner(const struct hcl_expr *expr)
{
    while (expr->kind == HCL_EXPR_PAREN ||
           (expr->kind == HCL_EXPR_WRAP && !(expr->raw && hcl_is_literal(expr))))
        expr = expr->operand;
    return expr;
}

static const struct {
    enum hcl_expr_kind of;
    enum hcl_obstacle_kind kind;
} obstacles[] = {
    {HCL_EXPR_TEMPLATE, HCL_OBSTACLE_TEMPLATE},
    {HCL_EXPR_IF, HCL_OBSTACLE_TEMPLATE},
    {HCL_EXPR_FOR, HCL_OBSTACLE_FOR},
    {HCL_EXPR_VARIABLE, HCL_OBSTACLE_REFERENCE},
    {HCL_EXPR_ATTRIBUTE, HCL_OBSTACLE_REFERENCE},
    {HCL_EXPR_INDEX, HCL_OBSTACLE_REFERENCE},
    {HCL_EXPR_SPLAT, HCL_OBSTACLE_SPLAT},
    {HCL_EXPR_SPLAT_ITEM, HCL_OBSTACLE_SPLAT},
    {HCL_EXPR_CALL, HCL_OBSTACLE_CALL},
    {HCL_EXPR_UNARY, HCL_OBSTACLE_OPERATOR},
    {HCL_EXPR_BINARY, HCL_OBSTACLE_OPERATOR},
    {HCL_EXPR_CONDITIONAL, HCL_OBSTACLE_CONDITIONAL},
};

bool edit_blocked(const struct hcl_expr *expr, struct path rest, struct hcl_obstacle *ret)
{
    *ret = (struct hcl_obstacle){HCL_OBSTACLE_SCALAR, expr, rest};
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++)
        if (obstacles[i].of == expr->kind)
            ret->kind = obstacles[i].kind;
    return false;
}

bool edit_obstacle(enum hcl_obstacle_kind kind, const struct hcl_expr *expr, struct path rest,
                   struct hcl_obstacle *ret)
{
    *ret = (struct hcl_obstacle){kind, expr, rest};
    return false;
}

const struct type *hcl_type_below(const struct type *type, const struct path_step *step)
{
    if (!type)
        return NULL;
    switch (type->kind) {
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP:
        return type->elem;
    case TYPE_TUPLE:
        return step->kind == PATH_INDEX && step->index >= 0 && step->index < type->n
                   ? type->items[step->index]
                   : NULL;
    case TYPE_OBJECT: {
        const struct type_member *member =
            step->kind == PATH_KEY ? type_find_member(type, step->key) : NULL;
        return member ? member->type : NULL;
    }
    default:
        return NULL;
    }
}

bool hcl_edit_nest(struct arena *arena, struct path path, const struct value *v, struct value *ret)
{
    *ret = *v;
    while (path.n-- > 0) {
        const struct path_step *step = &path.step[path.n];
        if (step->kind == PATH_KEY) {
            struct value_member *member = arena_new(arena, struct value_member, 1);
            if (!member || !(member->key = key_make(arena, step->key)))
                return false;
            member->value = *ret;
            *ret = (struct value){.kind = VALUE_OBJECT, .len = 1, .members = member};
            continue;
        }
        struct value *item = arena_new(arena, struct value, 1);
        if (!item || (step->kind == PATH_INDEX && step->index != 0))
            return false;
        *item = *ret;
        *ret = value_items(VALUE_TUPLE, item, 1);
    }
    return true;
}

struct path edit_below(struct path path)
{
    return (struct path){path.step + 1, path.n - 1};
}

/* --- keys --- */

bool edit_key(struct arena *arena, const struct hcl_item *item, struct str *ret)
{
    struct value key, text;
    struct str why;
    if (!hcl_static_value(arena, edit_inner(item->key), &key) ||
        !hcl_convert(arena, &key, &type_string, &text, &why) || text.kind != VALUE_STRING)
        return false;
    *ret = value_text(&text);
    return true;
}

/* The item that decides a key: the last one. *ret_computed: there are keys that nobody knows. */
size_t edit_find_item(struct arena *arena, const struct hcl_expr *object, struct str key,
                      bool *ret_computed)
{
    size_t found = SIZE_MAX;
    struct str text;
    *ret_computed = false;
    for (size_t i = 0; i < object->items.n; i++) {
        if (!edit_key(arena, &object->items.item[i], &text))
            *ret_computed = true;
        else if (str_equal(text, key))
            found = i;
    }
    return found;
}

struct str edit_step_key(struct arena *arena, const struct path_step *step)
{
    return step->kind == PATH_KEY ? step->key : arena_printf(arena, "%lld", (long long)step->index);
}

bool edit_is_call(const struct hcl_expr *expr, struct str name)
{
    struct str core = STR("core::");
    if (expr->kind != HCL_EXPR_CALL || expr->call.expand)
        return false;
    struct str called = expr->call.name;
    if (str_starts(called, core))
        called = str_sub(called, core.len, called.len);
    return str_equal(called, name);
}

/* --- setting --- */

static bool set_new(struct hcl_edit *edit, const struct hcl_expr *expr, struct path rest,
                    const struct value *v, struct hcl_obstacle *ret, struct value **ret_new)
{
    *ret_new = arena_new(edit->arena, struct value, 1);
    if (*ret_new && hcl_edit_nest(edit->arena, edit_below(rest), v, *ret_new))
        return true;
    return edit_obstacle(HCL_OBSTACLE_ELEMENT, expr, rest, ret);
}

static bool set_in_object(struct hcl_edit *edit, const struct hcl_expr *object, struct path rest,
                          const struct value *v, struct hcl_known known, struct hcl_obstacle *ret)
{
    bool computed;
    struct str key = edit_step_key(edit->arena, &rest.step[0]);
    size_t at = edit_find_item(edit->arena, object, key, &computed);
    struct value *made;
    if (at != SIZE_MAX)
        return hcl_edit_set(edit, object->items.item[at].value, edit_below(rest), v, known, ret);
    if (computed && known.old)
        return edit_obstacle(HCL_OBSTACLE_KEY, object, rest, ret);
    if (!set_new(edit, object, rest, v, ret, &made))
        return false;
    hcl_edit_object(edit, object, NULL, &(struct hcl_new_item){.key = key, .value = made}, 1);
    return true;
}

static bool set_in_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple, struct path rest,
                         const struct value *v, struct hcl_known known, struct hcl_obstacle *ret)
{
    const struct path_step *step = &rest.step[0];
    size_t n = tuple->parts.n, at = (size_t)step->index;
    struct value *made;
    if (step->kind != PATH_INDEX || step->index < 0 || at > n)
        return edit_obstacle(HCL_OBSTACLE_ELEMENT, tuple, rest, ret);
    if (at < n)
        return hcl_edit_set(edit, tuple->parts.part[at], edit_below(rest), v, known, ret);
    if (!set_new(edit, tuple, rest, v, ret, &made))
        return false;
    struct hcl_new_element *element = arena_new(edit->arena, struct hcl_new_element, n + 1);
    if (!element)
        return edit_obstacle(HCL_OBSTACLE_MEMORY, tuple, rest, ret);
    for (size_t i = 0; i < n; i++)
        element[i].old = i;
    element[n].value = made;
    hcl_edit_tuple(edit, tuple, element, n + 1);
    return true;
}

static bool is_null_literal(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_LITERAL && expr->value.kind == VALUE_NULL;
}

bool hcl_edit_set(struct hcl_edit *edit, const struct hcl_expr *expr, struct path rest,
                  const struct value *v, struct hcl_known known, struct hcl_obstacle *ret)
{
    struct value made;
    expr = edit_inner(expr);
    if (rest.n == 0)
        return edit_assign(edit, expr, v, known, HCL_DEPTH_MAX, ret);
    if (expr->kind == HCL_EXPR_OBJECT)
        return set_in_object(edit, expr, rest, v, known, ret);
    if (expr->kind == HCL_EXPR_TUPLE)
        return set_in_tuple(edit, expr, rest, v, known, ret);
    if (edit_is_call(expr, STR("jsonencode")) && expr->call.nargs == 1)
        return hcl_edit_set(edit, expr->call.arg[0], rest, v, known, ret);
    if (edit_is_call(expr, STR("merge")))
        return edit_set_merged(edit, expr, rest, v, known, ret);
    if (!is_null_literal(expr))
        return edit_blocked(expr, rest, ret);
    if (!hcl_edit_nest(edit->arena, rest, v, &made))
        return edit_obstacle(HCL_OBSTACLE_ELEMENT, expr, rest, ret);
    hcl_edit_expr(edit, expr, &made);
    return true;
}

/* --- unsetting --- */

static bool unset_in_object(struct hcl_edit *edit, const struct hcl_expr *object, struct path rest,
                            struct hcl_known known, struct hcl_obstacle *ret)
{
    bool computed, any = false, *gone = arena_new(edit->arena, bool, object->items.n);
    struct str key = edit_step_key(edit->arena, &rest.step[0]), text;
    size_t at = edit_find_item(edit->arena, object, key, &computed);
    if (at == SIZE_MAX)
        return !(computed && known.old) || edit_obstacle(HCL_OBSTACLE_KEY, object, rest, ret);
    if (rest.n > 1)
        return hcl_edit_unset(edit, object->items.item[at].value, edit_below(rest), known, ret);
    edit->full |= !gone;
    for (size_t i = 0; gone && i < object->items.n; i++)
        any |= gone[i] =
            edit_key(edit->arena, &object->items.item[i], &text) && str_equal(text, key);
    if (any)
        hcl_edit_object(edit, object, gone, NULL, 0);
    return true;
}

static bool unset_in_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple, struct path rest,
                           struct hcl_known known, struct hcl_obstacle *ret)
{
    const struct path_step *step = &rest.step[0];
    size_t n = tuple->parts.n, at = (size_t)step->index, kept = 0;
    if (step->kind != PATH_INDEX || step->index < 0 || at >= n)
        return edit_obstacle(HCL_OBSTACLE_ELEMENT, tuple, rest, ret);
    if (rest.n > 1)
        return hcl_edit_unset(edit, tuple->parts.part[at], edit_below(rest), known, ret);
    struct hcl_new_element *element = arena_new(edit->arena, struct hcl_new_element, n);
    if (!element)
        return edit_obstacle(HCL_OBSTACLE_MEMORY, tuple, rest, ret);
    for (size_t i = 0; i < n; i++)
        if (i != at)
            element[kept++].old = i;
    hcl_edit_tuple(edit, tuple, element, kept);
    return true;
}

bool hcl_edit_unset(struct hcl_edit *edit, const struct hcl_expr *expr, struct path rest,
                    struct hcl_known known, struct hcl_obstacle *ret)
{
    expr = edit_inner(expr);
    if (expr->kind == HCL_EXPR_OBJECT)
        return unset_in_object(edit, expr, rest, known, ret);
    if (expr->kind == HCL_EXPR_TUPLE)
        return unset_in_tuple(edit, expr, rest, known, ret);
    if (edit_is_call(expr, STR("jsonencode")) && expr->call.nargs == 1)
        return hcl_edit_unset(edit, expr->call.arg[0], rest, known, ret);
    if (edit_is_call(expr, STR("merge")))
        return edit_unset_merged(edit, expr, rest, known, ret);
    return is_null_literal(expr) || edit_blocked(expr, rest, ret);
}
