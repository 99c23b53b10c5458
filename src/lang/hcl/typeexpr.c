/* typeexpr.c - type constraints: string, list(any), object({a = optional(string, "x")}), and what
 * the defaults of optional() do to a value.
 *
 * Source:  hcl's ext/typeexpr; Terraform's legacy type hints ("string", list)
 */
#include <stdlib.h>

#include "base/arena.h"
#include "lang/hcl/eval_parts.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"

/* Defaults of an object's attributes, and of what is below: by attribute name, by index of a tuple,
 * or the one under "" for the elements of a collection. */
struct default_entry {
    struct str key;
    bool has_value;
    struct value value;
    const struct hcl_type_default *below;
};
struct hcl_type_default {
    const struct type *type;
    const struct default_entry *entry;
    size_t n;
};

static const char summary[] = "Invalid type specification";

struct constraint {
    const struct type *type;
    const struct hcl_type_default *defaults;
};

static bool read_type(struct hcl_eval *ev, const struct hcl_expr *expr, unsigned depth_left,
                      struct constraint *ret);

/* --- keywords --- */

static const struct {
    struct str name;
    const struct type *type; /* NULL: a constructor */
    const char *wants;       /* its argument */
} keywords[] = {
    {STR_INIT("bool"), &type_bool, NULL},
    {STR_INIT("string"), &type_string, NULL},
    {STR_INIT("number"), &type_number, NULL},
    {STR_INIT("any"), &type_dynamic, NULL},
    {STR_INIT("list"), NULL, "one argument specifying the element type"},
    {STR_INIT("set"), NULL, "one argument specifying the element type"},
    {STR_INIT("map"), NULL, "one argument specifying the element type"},
    {STR_INIT("object"), NULL, "one argument specifying the attribute types and values as a map"},
    {STR_INIT("tuple"), NULL, "one argument specifying the element types as a list"},
};

static size_t keyword_of(struct str name)
{
    size_t i = 0;
    while (i < sizeof keywords / sizeof *keywords && !str_equal(name, keywords[i].name))
        i++;
    return i;
}

static bool read_keyword(struct hcl_eval *ev, const struct hcl_expr *expr, struct constraint *ret)
{
    size_t i = keyword_of(expr->name);
    if (i == sizeof keywords / sizeof *keywords)
        return hcl_fail(ev, expr->range, summary,
                        "The keyword \"%.*s\" is not a valid type specification.",
                        STR_ARG(expr->name));
    if (!keywords[i].type)
        return hcl_fail(ev, expr->range, summary, "The %.*s type constructor requires %s.",
                        STR_ARG(expr->name), keywords[i].wants);
    ret->type = keywords[i].type;
    return true;
}

/* --- constructors --- */

static const struct hcl_type_default *make_defaults(struct arena *arena, const struct type *type,
                                                    struct default_entry *entries, size_t n)
{
    struct hcl_type_default *d = n ? arena_new(arena, struct hcl_type_default, 1) : NULL;
    if (d)
        *d = (struct hcl_type_default){type, entries, n};
    return d;
}

static bool read_collection(struct hcl_eval *ev, const struct hcl_expr *element,
                            enum type_kind kind, unsigned depth_left, struct constraint *ret)
{
    struct constraint inner = {0};
    struct default_entry *entry = arena_new(ev->arena, struct default_entry, 1);
    if (!entry || !read_type(ev, element, depth_left, &inner))
        return false;
    ret->type = type_collection(ev->arena, kind, inner.type);
    entry->below = inner.defaults;
    ret->defaults = make_defaults(ev->arena, ret->type, entry, inner.defaults != NULL);
    return ret->type;
}

static bool read_tuple(struct hcl_eval *ev, const struct hcl_expr *list, unsigned depth_left,
                       struct constraint *ret)
{
    size_t count = 0;
    if (list->kind != HCL_EXPR_TUPLE)
        return hcl_fail(ev, list->range, summary,
                        "Tuple type constructor requires a list of element types.");
    const struct type **items = arena_new(ev->arena, const struct type *, list->parts.n);
    struct default_entry *entries = arena_new(ev->arena, struct default_entry, list->parts.n);
    for (size_t i = 0; items && entries && i < list->parts.n; i++) {
        struct constraint inner = {0};
        if (!read_type(ev, list->parts.part[i], depth_left, &inner))
            return false;
        items[i] = inner.type;
        if (inner.defaults)
            entries[count++] = (struct default_entry){.key = arena_printf(ev->arena, "%zu", i),
                                                      .below = inner.defaults};
    }
    ret->type = items && entries ? type_tuple(ev->arena, items, list->parts.n) : NULL;
    ret->defaults = make_defaults(ev->arena, ret->type, entries, count);
    return ret->type;
}

/* Parentheses and all that is in them. */
static struct hcl_range arguments_of(const struct hcl_expr *call)
{
    return (struct hcl_range){call->call.name_range.end, call->range.end};
}

/* optional(TYPE), optional(TYPE, default): *expr becomes TYPE's. */
static bool read_optional(struct hcl_eval *ev, const struct hcl_expr **expr,
                          const struct hcl_expr **ret_default)
{
    const struct hcl_expr *call = *expr;
    *ret_default = NULL;
    if (call->call.nargs == 0)
        return hcl_fail(ev, arguments_of(call), summary,
                        "Optional attribute modifier requires the attribute type as its argument.");
    if (call->call.nargs > 2)
        return hcl_fail(ev, arguments_of(call), summary,
                        "Optional attribute modifier expects at most two arguments: the attribute "
                        "type, and a default value.");
    *expr = call->call.arg[0];
    if (call->call.nargs == 2)
        *ret_default = call->call.arg[1];
    return true;
}

static bool read_default(struct hcl_eval *ev, const struct hcl_expr *expr, const struct type *type,
                         struct default_entry *entry)
{
    struct str why;
    if (!hcl_eval_expr(ev, expr, NULL, &entry->value))
        return false;
    if (!hcl_convert(ev->arena, &entry->value, type, &entry->value, &why))
        return hcl_fail(ev, expr->range, "Invalid default value for optional attribute",
                        "This default value is not compatible with the attribute's type "
                        "constraint: %.*s.",
                        STR_ARG(why));
    entry->has_value = true;
    return true;
}

static bool read_attribute(struct hcl_eval *ev, const struct hcl_item *item, unsigned depth_left,
                           struct type_member *member, struct default_entry *entry)
{
    const struct hcl_expr *type = item->value, *given = NULL;
    struct constraint inner = {0};
    bool named = item->key->kind == HCL_EXPR_STRING && item->key->bare_key;
    *entry = (struct default_entry){0};
    if (!named)
        return hcl_fail(ev, item->key->range, summary,
                        "Object constructor map keys must be attribute names.");
    entry->key = value_text(&item->key->value);
    member->key = key_make(ev->arena, entry->key);
    if (type->kind == HCL_EXPR_CALL && str_equal(type->call.name, STR("optional"))) {
        member->optional = true;
        if (!read_optional(ev, &type, &given))
            return false;
    }
    if (!read_type(ev, type, depth_left, &inner))
        return false;
    member->type = inner.type;
    entry->below = inner.defaults;
    return member->key && (!given || read_default(ev, given, inner.type, entry));
}

static bool read_object(struct hcl_eval *ev, const struct hcl_expr *map, unsigned depth_left,
                        struct constraint *ret)
{
    bool ok = true;
    size_t count = 0;
    if (map->kind != HCL_EXPR_OBJECT)
        return hcl_fail(ev, map->range, summary,
                        "Object type constructor requires a map whose keys are attribute names and "
                        "whose values are the corresponding attribute types.");
    size_t n = map->items.n;
    struct type_member *members = arena_new(ev->arena, struct type_member, n);
    struct default_entry *entries = arena_new(ev->arena, struct default_entry, n);
    for (size_t i = 0; members && entries && i < n; i++) {
        const struct hcl_item *item = &map->items.item[i];
        if (!read_attribute(ev, item, depth_left, &members[i], &entries[count])) {
            ok = false;
            continue;
        }
        for (size_t j = 0; j < i; j++)
            if (members[j].key && key_equal(members[j].key, members[i].key))
                ok = hcl_fail(ev, item->key->range, summary,
                              "Object constructor map keys must be unique.");
        count += entries[count].has_value || entries[count].below;
    }
    if (!ok || !members || !entries)
        return false;
    ret->type = type_object(ev->arena, members, n);
    ret->defaults = make_defaults(ev->arena, ret->type, entries, count);
    return ret->type;
}

static bool read_call(struct hcl_eval *ev, const struct hcl_expr *expr, unsigned depth_left,
                      struct constraint *ret)
{
    static const enum type_kind collections[] = {TYPE_LIST, TYPE_SET, TYPE_MAP};
    struct str name = expr->call.name;
    size_t i = keyword_of(name);
    if (str_equal(name, STR("optional")))
        return hcl_fail(ev, expr->call.name_range, summary,
                        "Keyword \"optional\" is valid only as a modifier for object type "
                        "attributes.");
    if (i == sizeof keywords / sizeof *keywords)
        return hcl_fail(ev, expr->range, summary,
                        "Keyword \"%.*s\" is not a valid type constructor.", STR_ARG(name));
    if (keywords[i].type)
        return hcl_fail(ev, arguments_of(expr), summary,
                        "%s keyword \"%.*s\" does not expect arguments.",
                        keywords[i].type == &type_dynamic ? "Type constraint" : "Primitive type",
                        STR_ARG(name));
    if (expr->call.nargs > 1)
        return hcl_fail(ev,
                        (struct hcl_range){expr->call.arg[1]->range.start,
                                           expr->call.arg[expr->call.nargs - 1]->range.end},
                        summary, "The %.*s type constructor requires %s.", STR_ARG(name),
                        keywords[i].wants);
    if (expr->call.nargs == 0)
        return hcl_fail(ev, arguments_of(expr), summary, "The %.*s type constructor requires %s.",
                        STR_ARG(name), keywords[i].wants);
    const struct hcl_expr *argument = expr->call.arg[0];
    if (i < 7)
        return read_collection(ev, argument, collections[i - 4], depth_left, ret);
    return i == 7 ? read_object(ev, argument, depth_left, ret)
                  : read_tuple(ev, argument, depth_left, ret);
}

static bool read_type(struct hcl_eval *ev, const struct hcl_expr *expr, unsigned depth_left,
                      struct constraint *ret)
{
    if (depth_left == 0)
        return hcl_fail(ev, expr->range, summary, "Types are nested deeper than %d.",
                        TYPE_DEPTH_MAX);
    if (expr->kind == HCL_EXPR_VARIABLE)
        return read_keyword(ev, expr, ret);
    if (expr->kind == HCL_EXPR_CALL)
        return read_call(ev, expr, depth_left - 1, ret);
    return hcl_fail(ev, expr->range, summary,
                    "A type specification is either a primitive type keyword (bool, number, "
                    "string) or a complex type constructor call, like list(string).");
}

/* Of Terraform 0.11: "string", "list", "map", and the last two without quotes. */
static bool legacy_hint(struct arena *arena, const struct hcl_expr *expr, const struct type **ret)
{
    bool quoted = expr->kind == HCL_EXPR_STRING;
    struct str name = quoted                            ? value_text(&expr->value)
                      : expr->kind == HCL_EXPR_VARIABLE ? expr->name
                                                        : STR("");
    if (quoted && str_equal(name, STR("string")))
        *ret = &type_string;
    else if (str_equal(name, STR("list")))
        *ret = type_collection(arena, TYPE_LIST, &type_dynamic);
    else if (str_equal(name, STR("map")))
        *ret = type_collection(arena, TYPE_MAP, &type_dynamic);
    else
        return false;
    return *ret;
}

bool hcl_type_constraint(struct hcl_eval *ev, const struct hcl_expr *expr, const struct type **ret,
                         const struct hcl_type_default **ret_defaults)
{
    struct constraint c = {0};
    if (!legacy_hint(ev->arena, expr, &c.type)) {
        if (expr->kind == HCL_EXPR_STRING && !expr->json)
            return hcl_fail(ev, expr->range, "Invalid legacy variable type hint",
                            "To provide a full type expression, remove the surrounding quotes and "
                            "give the type expression directly.");
        if (!read_type(ev, expr, TYPE_DEPTH_MAX, &c))
            return false;
    }
    *ret = c.type;
    *ret_defaults = c.defaults;
    return c.type;
}

/* --- applying defaults --- */

static bool apply(struct arena *arena, const struct hcl_type_default *d, const struct value *v,
                  unsigned depth_left, struct value *ret);

static const struct hcl_type_default *below(const struct hcl_type_default *d, struct str key)
{
    bool by_key = d->type->kind == TYPE_OBJECT || d->type->kind == TYPE_TUPLE;
    for (size_t i = 0; i < d->n; i++)
        if (str_equal(d->entry[i].key, by_key ? key : STR("")))
            return d->entry[i].below;
    return NULL;
}

/* Elements of one kind again, where they have a common type. */
static bool collect(struct arena *arena, enum value_kind kind, struct value *items, size_t n,
                    struct value *ret)
{
    const struct type **types = arena_new(arena, const struct type *, n);
    struct str why;
    for (size_t i = 0; types && i < n; i++)
        types[i] = hcl_type_of(arena, &items[i]);
    const struct type *elem = types ? hcl_unify(arena, types, n) : NULL;
    *ret = value_items(VALUE_TUPLE, items, n);
    if (!types || !elem)
        return types;
    const struct type *whole =
        type_collection(arena, kind == VALUE_SET ? TYPE_SET : TYPE_LIST, elem);
    struct value converted;
    if (whole && hcl_convert(arena, ret, whole, &converted, &why))
        *ret = converted;
    return whole;
}

static bool apply_items(struct arena *arena, const struct hcl_type_default *d,
                        const struct value *v, unsigned depth_left, struct value *ret)
{
    struct value *items = arena_new(arena, struct value, v->len);
    const struct value *from = hcl_elements(arena, v);
    if (!items || (!from && v->len))
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct hcl_type_default *inner =
            below(d, d->type->kind == TYPE_TUPLE ? arena_printf(arena, "%u", i) : STR(""));
        items[i] = from[i];
        if (inner && !apply(arena, inner, &from[i], depth_left, &items[i]))
            return false;
    }
    if (v->kind == VALUE_TUPLE)
        *ret = value_items(VALUE_TUPLE, items, v->len);
    else if (v->len && !collect(arena, (enum value_kind)v->kind, items, v->len, ret))
        return false;
    ret->marks = v->marks;
    return true;
}

static bool apply_members(struct arena *arena, const struct hcl_type_default *d,
                          const struct value *v, unsigned depth_left, struct value *ret)
{
    bool object = d->type->kind == TYPE_OBJECT;
    size_t n = v->len;
    struct value_member *members = arena_new(arena, struct value_member, n + d->n);
    for (uint32_t i = 0; members && i < v->len; i++) {
        const struct hcl_type_default *inner = below(d, key_str(v->members[i].key));
        members[i] = v->members[i];
        if (inner && !apply(arena, inner, &v->members[i].value, depth_left, &members[i].value))
            return false;
    }
    for (size_t i = 0; members && object && i < d->n; i++) {
        const struct default_entry *e = &d->entry[i];
        size_t at = 0;
        while (at < v->len && !str_equal(key_str(v->members[at].key), e->key))
            at++;
        if (!e->has_value || (at < v->len && v->members[at].value.kind != VALUE_NULL))
            continue;
        if (at == v->len) {
            at = n++;
            members[at].key = key_make(arena, e->key);
        }
        members[at].value = e->value;
        if (!members[at].key ||
            (e->below && !apply(arena, e->below, &e->value, depth_left, &members[at].value)))
            return false;
    }
    if (!members)
        return false;
    /* a map whose elements were given defaults may hold several types from here on */
    return value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

static bool apply(struct arena *arena, const struct hcl_type_default *d, const struct value *v,
                  unsigned depth_left, struct value *ret)
{
    *ret = *v;
    if (depth_left == 0)
        return false;
    if (value_is_list_like(v))
        return apply_items(arena, d, v, depth_left - 1, ret);
    if (!value_is_object_like(v) ||
        (v->kind == VALUE_MAP && v->len == 0 && d->type->kind != TYPE_OBJECT))
        return true;
    if (!apply_members(arena, d, v, depth_left - 1, ret))
        return false;
    ret->marks = v->marks;
    return true;
}

bool hcl_apply_defaults(struct arena *arena, const struct hcl_type_default *defaults,
                        const struct value *v, struct value *ret)
{
    *ret = *v;
    return !defaults || apply(arena, defaults, v, VALUE_DEPTH_MAX, ret);
}
