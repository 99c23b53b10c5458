/* schema_type.c - the type of what a JSON Schema describes.
 *
 * As OPA reads it: `type` (of several the first of boolean, string, number, object, array),
 * properties without any others, items, anyOf, allOf, $ref within the document. What says nothing
 * of these, or contradicts itself, is any.
 */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/infer.h"

enum { SCHEMA_DEPTH = 200, HOPS_MAX = 32, DEFINITIONS_MAX = 1 << 12 };

struct definition { /* what a $ref leads to */
    const struct value *schema;
    struct rego_type *again; /* stands for it while it is read */
    const struct rego_type *type;
};
struct schema_reading {
    struct rego_typing *types;
    const struct value *root;
    struct definition *definition;
    size_t n, room;
};

static const struct rego_type *read_schema(struct schema_reading *r, const struct value *schema,
                                           unsigned depth);

/* Where "#/definitions/a~1b" leads to; NULL: elsewhere, or nowhere. */
static const struct value *pointed(const struct value *root, struct str ref)
{
    if (!str_starts(ref, STR("#")))
        return NULL;
    ref = str_sub(ref, 1, ref.len);
    while (ref.len && root) {
        char name[256];
        size_t n = 0, at = 1;
        if (ref.ptr[0] != '/')
            return NULL;
        for (; at < ref.len && ref.ptr[at] != '/' && n < sizeof name; at++) {
            char c = ref.ptr[at];
            if (c == '~' && at + 1 < ref.len)
                c = ref.ptr[++at] == '1' ? '/' : '~';
            name[n++] = c;
        }
        if (n == sizeof name)
            return NULL;
        root = rego_is_object(root) ? value_get(root, (struct str){name, n}) : NULL;
        ref = str_sub(ref, at, ref.len);
    }
    return root;
}

static const struct value *member(const struct value *schema, struct str name)
{
    return rego_is_object(schema) ? value_get(schema, name) : NULL;
}

static const struct value *reference(const struct value *schema)
{
    const struct value *ref = member(schema, STR("$ref"));
    return ref && value_is_string(ref) ? ref : NULL;
}

/* Not a reference any more. NULL: it cannot be followed. */
static const struct value *itself(const struct schema_reading *r, const struct value *schema)
{
    for (unsigned hops = 0; schema && hops < HOPS_MAX; hops++) {
        const struct value *ref = reference(schema);
        if (!ref)
            return schema;
        schema = pointed(r->root, value_text(ref));
    }
    return NULL;
}

/* `type` has that name. */
static bool is_of_type(const struct value *schema, const char *name)
{
    const struct value *type = member(schema, STR("type"));
    if (type && value_is_string(type))
        return str_equal(value_text(type), str_from(name));
    for (uint32_t i = 0; type && rego_is_array(type) && i < type->len; i++)
        if (value_is_string(&type->items[i]) &&
            str_equal(value_text(&type->items[i]), str_from(name)))
            return true;
    return false;
}

static bool has_members(const struct value *v)
{
    return v && (rego_is_object(v) || rego_is_array(v)) && v->len > 0;
}

/* REGO_OBJECT or REGO_ARRAY by `type`, else by what it has; 0: neither. */
static unsigned shape_of(const struct value *schema)
{
    if (is_of_type(schema, "object"))
        return REGO_OBJECT;
    if (is_of_type(schema, "array"))
        return REGO_ARRAY;
    if (member(schema, STR("type")))
        return 0;
    return has_members(member(schema, STR("properties"))) ? REGO_OBJECT
           : has_members(member(schema, STR("items")))    ? REGO_ARRAY
                                                          : 0;
}

/* --- objects --- */

/* The properties of all of these, each of which describes an object. */
static const struct rego_type *
read_objects(struct schema_reading *r, const struct value *const *schema, size_t n, unsigned depth)
{
    size_t room = 0, used = 0;
    for (size_t i = 0; i < n; i++) {
        const struct value *properties = member(schema[i], STR("properties"));
        room += has_members(properties) ? properties->len : 0;
    }
    struct rego_property *property = arena_new(r->types->arena, struct rego_property, room);
    if (!property) {
        r->types->out_of_memory = true;
        return &rego_any;
    }
    if (room == 0)
        return rego_type_map(r->types, &rego_any, &rego_any);
    for (size_t i = 0; i < n; i++) {
        const struct value *properties = member(schema[i], STR("properties"));
        struct value key, v;
        for (size_t at = 0; has_members(properties) && rego_next(properties, &at, &key, &v);)
            rego_put_property(
                property, &used,
                (struct rego_property){key, read_schema(r, rego_item(properties, at - 1), depth)});
    }
    return rego_type_make(
        r->types,
        (struct rego_type){.kind = REGO_OBJECT, .property = property, .nproperties = used});
}

static const struct rego_type *read_array(struct schema_reading *r, const struct value *schema,
                                          unsigned depth)
{
    const struct value *items = member(schema, STR("items"));
    struct rego_type type = {.kind = REGO_ARRAY, .open = true, .rest = &rego_any};
    if (items && rego_is_object(items)) {
        type.rest = read_schema(r, items, depth);
    } else if (has_members(items)) {
        const struct rego_type **of =
            arena_new(r->types->arena, const struct rego_type *, items->len);
        if (!of) {
            r->types->out_of_memory = true;
            return &rego_any;
        }
        for (uint32_t i = 0; i < items->len; i++)
            of[i] = read_schema(r, &items->items[i], depth);
        type = (struct rego_type){.kind = REGO_ARRAY, .of = of, .n = items->len};
    }
    return rego_type_make(r->types, type);
}

/* --- several at once --- */

static const struct rego_type *read_any_of(struct schema_reading *r, const struct value *schema,
                                           unsigned depth)
{
    const struct value *of = member(schema, STR("anyOf"));
    const struct rego_type *all = NULL;
    if (shape_of(schema) == REGO_OBJECT && member(schema, STR("type")) &&
        has_members(member(schema, STR("properties"))))
        all = read_objects(r, &schema, 1, depth);
    for (uint32_t i = 0; i < of->len; i++)
        all = rego_type_or(r->types, read_schema(r, &of->items[i], depth), all);
    return all;
}

/* Objects are one with all their properties; of others that agree in type the first holds. */
static const struct rego_type *read_all_of(struct schema_reading *r, const struct value *schema,
                                           unsigned depth)
{
    const struct value *of = member(schema, STR("allOf"));
    const struct value **part = arena_new(r->types->arena, const struct value *, of->len + 1);
    size_t n = 0;
    if (!part) {
        r->types->out_of_memory = true;
        return &rego_any;
    }
    if (member(schema, STR("type")))
        part[n++] = schema;
    for (uint32_t i = 0; i < of->len; i++) {
        const struct value *one = itself(r, &of->items[i]);
        bool choice = one && !member(one, STR("type")) && member(one, STR("anyOf")) &&
                      !has_members(member(one, STR("properties"))) &&
                      !has_members(member(one, STR("items")));
        if (!one)
            return &rego_any;
        if (!choice)
            part[n++] = one;
    }
    for (size_t i = 0; i < n; i++)
        if (shape_of(part[i]) != REGO_OBJECT || member(part[i], STR("anyOf")) ||
            (part[i] != schema && member(part[i], STR("allOf"))))
            return &rego_any;
    return n ? read_objects(r, part, n, depth) : &rego_any;
}

/* --- one --- */

static const struct rego_type *read_plain(struct schema_reading *r, const struct value *schema,
                                          unsigned depth)
{
    const struct value *of = member(schema, STR("anyOf"));
    if (has_members(of) && rego_is_array(of))
        return read_any_of(r, schema, depth);
    of = member(schema, STR("allOf"));
    if (has_members(of) && rego_is_array(of))
        return read_all_of(r, schema, depth);
    if (is_of_type(schema, "boolean"))
        return rego_type_scalar(REGO_BOOLEAN);
    if (is_of_type(schema, "string"))
        return rego_type_scalar(REGO_STRING);
    if (is_of_type(schema, "integer") || is_of_type(schema, "number"))
        return rego_type_scalar(REGO_NUMBER);
    switch (shape_of(schema)) {
    case REGO_OBJECT:
        return read_objects(r, &schema, 1, depth);
    case REGO_ARRAY:
        return read_array(r, schema, depth);
    default:
        return &rego_any;
    }
}

/* Each definition is read once; one that contains itself, by a type that leads back to it. */
static const struct rego_type *read_reference(struct schema_reading *r, const struct value *schema,
                                              unsigned depth)
{
    size_t at = 0;
    schema = itself(r, schema);
    if (!schema)
        return &rego_any;
    for (; at < r->n; at++)
        if (r->definition[at].schema == schema)
            return r->definition[at].type ? r->definition[at].type : r->definition[at].again;
    struct definition *grown =
        at < DEFINITIONS_MAX ? arena_grow(r->types->arena, r->definition, r->n, &r->room, r->n + 1)
                             : NULL;
    struct rego_type *again = arena_new(r->types->arena, struct rego_type, 1);
    if (!grown || !again) {
        r->types->out_of_memory = true;
        return &rego_any;
    }
    *again = (struct rego_type){.kind = REGO_AGAIN, .rest = &rego_any};
    r->definition = grown;
    grown[r->n++] = (struct definition){schema, again, NULL};
    const struct rego_type *type = read_plain(r, schema, depth);
    if (type->kind != REGO_AGAIN)
        again->rest = type;
    r->definition[at].type = type;
    return type;
}

static const struct rego_type *read_schema(struct schema_reading *r, const struct value *schema,
                                           unsigned depth)
{
    if (depth == 0 || !rego_is_object(schema))
        return &rego_any;
    return reference(schema) ? read_reference(r, schema, depth - 1)
                             : read_plain(r, schema, depth - 1);
}

const struct rego_type *rego_type_of_schema(struct rego_typing *t, const struct value *schema)
{
    struct schema_reading r = {.types = t, .root = schema};
    const struct rego_type *type = read_schema(&r, schema, SCHEMA_DEPTH);
    return type ? type : &rego_any;
}
