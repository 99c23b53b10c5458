/* code_element.c - a new element as its neighbours would be written, and a key for it. */
#include <stdlib.h>

#include "desired/code_remake.h"
#include "lang/hcl/types.h"

enum { TRIES_MAX = 100 }; /* of numbers behind a new key */

/* --- neighbours --- */

static size_t count(const struct hcl_expr *constructor)
{
    return constructor->kind == HCL_EXPR_TUPLE ? constructor->parts.n : constructor->items.n;
}

static const struct hcl_expr *neighbour(const struct hcl_expr *constructor, size_t i)
{
    const struct hcl_expr *expr = constructor->kind == HCL_EXPR_TUPLE
                                      ? constructor->parts.part[i]
                                      : constructor->items.item[i].value;
    while (expr->kind == HCL_EXPR_PAREN || expr->kind == HCL_EXPR_WRAP)
        expr = expr->operand;
    return expr;
}

static const struct hcl_expr *item_of(const struct hcl_expr *object, struct str name)
{
    for (size_t i = 0; object->kind == HCL_EXPR_OBJECT && i < object->items.n; i++) {
        const struct hcl_expr *key = object->items.item[i].key;
        if (key->kind == HCL_EXPR_STRING && str_equal(value_text(&key->value), name))
            return object->items.item[i].value;
    }
    return NULL;
}

/* How many of the neighbours are objects as written, and how many of those have the name. */
static size_t that_have(const struct hcl_expr *constructor, struct str name, size_t *ret_objects)
{
    size_t n = 0;
    *ret_objects = 0;
    for (size_t i = 0; i < count(constructor); i++) {
        const struct hcl_expr *other = neighbour(constructor, i);
        *ret_objects += other->kind == HCL_EXPR_OBJECT;
        n += item_of(other, name) != NULL;
    }
    return n;
}

/* --- as the type has it --- */

static const struct type *step_below(const struct type *type, const struct path_step *step)
{
    if (!type)
        return NULL;
    if (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP)
        return type->elem;
    const struct type_member *member = type->kind == TYPE_OBJECT && step->kind == PATH_KEY
                                           ? type_find_member(type, step->key)
                                           : NULL;
    return member ? member->type : NULL;
}

/* Of an element of the collection that is edited; NULL: nobody says. */
static const struct type *element_type(const struct remake_op *op)
{
    const struct type *type = op->variable ? op->variable->type : NULL;
    for (size_t i = 0; i < op->variable_rest.n; i++)
        type = step_below(type, &op->variable_rest.step[i]);
    struct path_step any = {.kind = PATH_INDEX};
    return type && type->kind != TYPE_OBJECT ? step_below(type, &any) : NULL;
}

/* What others that leave the member out are given for it. */
static bool is_given(struct remake *r, const struct hcl_expr *constructor,
                     const struct remake_op *op, struct str name, const struct value *v)
{
    for (size_t i = 0; i < count(constructor); i++) {
        const struct hcl_expr *other = neighbour(constructor, i);
        struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)i};
        if (other->kind != HCL_EXPR_OBJECT || item_of(other, name))
            continue;
        if (constructor->kind == HCL_EXPR_OBJECT) {
            const struct hcl_expr *key = constructor->items.item[i].key;
            if (key->kind != HCL_EXPR_STRING)
                continue;
            step = (struct path_step){.kind = PATH_KEY, .key = value_text(&key->value)};
        }
        const struct value *own = path_find(&op->given, (struct path){&step, 1});
        const struct value *given = value_get(own, name);
        if (given && code_loosely_equal(r->arena, given, v))
            return true;
    }
    return false;
}

/* What the variable makes of a list of that one element. */
static bool as_given(struct remake *r, const struct remake_op *op, const struct value *v,
                     struct value *ret)
{
    struct value list = value_items(VALUE_TUPLE, v, 1), filled;
    struct str why;
    return op->variable && op->variable_rest.n == 0 && op->variable->type->kind != TYPE_MAP &&
           hcl_apply_defaults(r->arena, op->variable->defaults, &list, &filled) &&
           hcl_convert(r->arena, &filled, op->variable->type, ret, &why);
}

/* Without what optional() lets be left out and says nothing. */
static struct value without_optional(struct remake *r, const struct type *type,
                                     const struct value *v, unsigned depth_left)
{
    struct value ret = *v;
    size_t n = 0;
    struct path_step any = {.kind = PATH_INDEX};
    if (!type || v->len == 0 || depth_left-- == 0)
        return ret;
    if (value_is_list_like(v)) {
        struct value *items = arena_new(r->arena, struct value, v->len);
        for (; items && n < v->len; n++)
            items[n] = without_optional(r, step_below(type, &any), &v->items[n], depth_left);
        ret = value_items(v->kind, items, n);
    } else if (value_is_object_like(v)) {
        struct value_member *members = arena_new(r->arena, struct value_member, v->len);
        for (uint32_t i = 0; members && i < v->len; i++) {
            struct path_step step = {.kind = PATH_KEY, .key = key_str(v->members[i].key)};
            const struct type_member *member =
                type->kind == TYPE_OBJECT ? type_find_member(type, step.key) : NULL;
            if (member && member->optional && v->members[i].value.kind == VALUE_NULL)
                continue;
            members[n].key = v->members[i].key;
            members[n++].value =
                without_optional(r, step_below(type, &step), &v->members[i].value, depth_left);
        }
        r->full |= !members || !value_members(v->kind, members, n, &ret, NULL, NULL);
    }
    return ret;
}

static struct value without(struct remake *r, const struct value *v, uint32_t at)
{
    struct value_member *members = arena_new(r->arena, struct value_member, v->len);
    struct value ret = *v;
    size_t n = 0;
    for (uint32_t i = 0; members && i < v->len; i++)
        if (i != at)
            members[n++] = v->members[i];
    r->full |= !members || !value_members(VALUE_OBJECT, members, n, &ret, NULL, NULL);
    return ret;
}

/* May the member be left out: others do, or the type lets it, and it says nothing? */
static bool is_redundant(struct remake *r, const struct hcl_expr *constructor,
                         const struct remake_op *op, const struct value *v, uint32_t at)
{
    struct str name = key_str(v->members[at].key);
    const struct type *type = element_type(op);
    const struct type_member *member =
        type && type->kind == TYPE_OBJECT ? type_find_member(type, name) : NULL;
    size_t objects, n = that_have(constructor, name, &objects);
    struct value with, less, bare = without(r, v, at);
    if (objects && n == objects)
        return false;
    if (v->members[at].value.kind == VALUE_NULL)
        return n < objects || (member && member->optional);
    if (is_given(r, constructor, op, name, &v->members[at].value))
        return true;
    return member && member->optional && as_given(r, op, v, &with) &&
           as_given(r, op, &bare, &less) && value_equal(&with, &less);
}

/* Numbers, texts and bools as the same part of a neighbour is. */
static struct value as_like(struct remake *r, const struct value *v, const struct value *like)
{
    struct value ret = *v;
    struct str why;
    bool scalar = v->kind == VALUE_STRING || v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL;
    bool other = like && (like->kind == VALUE_STRING || like->kind == VALUE_NUMBER ||
                          like->kind == VALUE_BOOL);
    if (!scalar || !other || like->kind == v->kind ||
        !hcl_convert(r->arena, v, hcl_type_of(r->arena, like), &ret, &why))
        return *v;
    return ret;
}

static bool value_of(struct remake *r, const struct code_source *source,
                     const struct hcl_expr *expr, struct value *ret)
{
    struct code_follow f;
    code_remake_follow(r, &f);
    return code_follow_eval(&f, source, expr, ret);
}

bool code_lay_over(struct arena *arena, const struct value *old, const struct value *v,
                   struct value *ret)
{
    *ret = *v;
    if (!value_is_object_like(old) || !value_is_object_like(v))
        return true;
    struct value_member *members = arena_new(arena, struct value_member, (size_t)old->len + v->len);
    size_t n = 0;
    for (uint32_t i = 0; members && i < old->len; i++) {
        const struct value *own = value_get(v, key_str(old->members[i].key));
        members[n++] =
            (struct value_member){old->members[i].key, own ? *own : old->members[i].value};
    }
    for (uint32_t i = 0; members && i < v->len; i++)
        if (!value_get(old, key_str(v->members[i].key)))
            members[n++] = v->members[i];
    return members && value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

struct value code_strip(struct remake *r, const struct value *v, unsigned depth_left)
{
    struct value ret = *v;
    size_t n = 0;
    if (depth_left-- == 0 || v->len == 0)
        return ret;
    if (value_is_object_like(v)) {
        struct value_member *members = arena_new(r->arena, struct value_member, v->len);
        for (uint32_t i = 0; members && i < v->len; i++)
            if (v->members[i].value.kind != VALUE_UNKNOWN)
                members[n++] = (struct value_member){
                    v->members[i].key, code_strip(r, &v->members[i].value, depth_left)};
        r->full |= !members || !value_members(v->kind, members, n, &ret, NULL, NULL);
    } else if (value_is_list_like(v)) {
        struct value *items = arena_new(r->arena, struct value, v->len);
        for (uint32_t i = 0; items && i < v->len; i++)
            items[n++] = code_strip(r, &v->items[i], depth_left);
        r->full |= !items;
        ret = value_items(v->kind, items, n);
    }
    return ret;
}

struct value code_shape_element(struct remake *r, const struct code_source *source,
                                const struct hcl_expr *constructor, const struct remake_op *op)
{
    struct value v = code_strip(r, &op->value, VALUE_DEPTH_MAX), like;
    bool any = count(constructor) > 0 && value_of(r, source, neighbour(constructor, 0), &like);
    v = without_optional(r, element_type(op), &v, VALUE_DEPTH_MAX);
    if (!value_is_object_like(&v))
        return as_like(r, &v, any ? &like : NULL);
    struct value_member *members = arena_new(r->arena, struct value_member, v.len);
    for (uint32_t i = 0; members && i < v.len; i++) {
        members[i] = v.members[i];
        members[i].value = as_like(r, &v.members[i].value,
                                   any ? value_get(&like, key_str(v.members[i].key)) : NULL);
    }
    if (!members || !value_members(VALUE_OBJECT, members, v.len, &v, NULL, NULL)) {
        r->full = true;
        return v;
    }
    for (uint32_t i = v.len; i-- > 0;)
        if (is_redundant(r, constructor, op, &v, i))
            v = without(r, &v, i);
    return v;
}

/* --- keys --- */

struct keys {
    struct str *text;
    size_t n;
    struct str before, behind; /* a new key stands between them; ptr NULL: anywhere */
};

static bool fits(const struct keys *keys, struct str key)
{
    for (size_t i = 0; i < keys->n; i++)
        if (str_equal(keys->text[i], key))
            return false;
    return key.len && (!keys->before.ptr || str_compare(keys->before, key) < 0) &&
           (!keys->behind.ptr || str_compare(key, keys->behind) < 0);
}

/* The name whose value every neighbour has as its key, too. */
static bool key_by_name(struct remake *r, const struct code_source *source,
                        const struct hcl_expr *object, const struct keys *keys,
                        const struct value *v, struct str *ret)
{
    struct value other, text;
    struct str why;
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        size_t same = 0;
        for (size_t k = 0; k < object->items.n; k++) {
            const struct hcl_expr *item = item_of(neighbour(object, k), key_str(v->members[i].key));
            same += item && value_of(r, source, item, &other) &&
                    hcl_convert(r->arena, &other, &type_string, &text, &why) &&
                    text.kind == VALUE_STRING && str_equal(value_text(&text), keys->text[k]);
        }
        if (same && same == object->items.n &&
            hcl_convert(r->arena, &v->members[i].value, &type_string, &text, &why) &&
            text.kind == VALUE_STRING && fits(keys, value_text(&text))) {
            *ret = value_text(&text);
            return true;
        }
    }
    return false;
}

/* The type of the block, or the key in front of it, with a number where that is taken. */
static bool key_by_number(struct remake *r, const struct keys *keys, struct str *ret)
{
    struct str stem[2] = {r->type, keys->before};
    int64_t most = -1, number;
    for (size_t i = 0; i < keys->n; i++) {
        if (!str_to_int64(keys->text[i], &number)) {
            most = -1;
            break;
        }
        most = number > most ? number : most;
    }
    if (most >= 0 && most < INT64_MAX) {
        *ret = arena_printf(r->arena, "%lld", (long long)most + 1);
        if (fits(keys, *ret))
            return true;
    }
    for (size_t s = 0; s < 2; s++) {
        for (int i = 1; stem[s].len && i < TRIES_MAX; i++) {
            *ret = i == 1 ? stem[s] : arena_printf(r->arena, "%.*s_%d", STR_ARG(stem[s]), i);
            if (fits(keys, *ret))
                return true;
        }
    }
    return false;
}

bool code_element_key(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *object, const struct remake_op *op, struct str *ret)
{
    struct keys keys = {.text = arena_new(r->arena, struct str, object->items.n)};
    struct str *sorted = arena_new(r->arena, struct str, object->items.n), why;
    struct value key;
    if (op->has_key) {
        if (!hcl_convert(r->arena, &op->new_key, &type_string, &key, &why) ||
            key.kind != VALUE_STRING)
            return code_remake_cannot(r, "its key would be no text");
        *ret = value_text(&key);
        return true;
    }
    for (; keys.text && sorted && keys.n < object->items.n; keys.n++) {
        const struct hcl_expr *written = object->items.item[keys.n].key;
        if (written->kind == HCL_EXPR_STRING)
            key = written->value;
        else if (!value_of(r, source, written, &key) || key.kind != VALUE_STRING)
            return code_remake_cannot(r, "the keys beside it are computed");
        sorted[keys.n] = keys.text[keys.n] = value_text(&key);
    }
    if (op->ordered && keys.n) {
        qsort(sorted, keys.n, sizeof *sorted, str_compare_qsort);
        if (op->before && op->before <= keys.n)
            keys.before = sorted[op->before - 1];
        if (op->before < keys.n)
            keys.behind = sorted[op->before];
    }
    if (key_by_name(r, source, object, &keys, &op->value, ret) || key_by_number(r, &keys, ret))
        return true;
    struct code_follow f;
    code_remake_follow(r, &f);
    struct str text = code_expr_text(&f, source->file, object);
    return code_remake_cannot(r, "nobody says under which key a new element stands at %.*s",
                              STR_ARG(text));
}
