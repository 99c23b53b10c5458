/* signature.c - the types of built-in functions, as their tables write them. */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/type.h"

enum { PARTS_MAX = 16, NESTING_MAX = 8 };
struct reading {
    struct rego_typing types;
    struct str rest;
};

/* Asked for each thing that may stand at a place: a character at a time, for nearly none does. */
static bool take(struct reading *in, const char *token)
{
    const char *at = in->rest.ptr, *end = at + in->rest.len;
    while (at < end && *at == ' ')
        at++;
    in->rest = (struct str){at, (size_t)(end - at)};
    for (; *token && at < end && *at == *token; token++)
        at++;
    if (*token)
        return false;
    in->rest = (struct str){at, (size_t)(end - at)};
    return true;
}

static const struct rego_type *union_type(struct reading *in, unsigned depth);

/* T, T, ... up to `>` */
static const struct rego_type *array_items(struct reading *in, unsigned depth)
{
    const struct rego_type *item[PARTS_MAX];
    size_t n = 0;
    while (!take(in, ">")) {
        if (n == PARTS_MAX || (n > 0 && !take(in, ",")) || !(item[n] = union_type(in, depth)))
            return NULL;
        n++;
    }
    const struct rego_type **kept = arena_new(in->types.arena, const struct rego_type *, n);
    if (!kept)
        return NULL;
    memcpy(kept, item, n * sizeof *kept);
    return rego_type_make(&in->types, (struct rego_type){.kind = REGO_ARRAY, .of = kept, .n = n});
}

static struct str word(struct reading *in)
{
    size_t n = 0;
    in->rest = str_trim(in->rest);
    while (n < in->rest.len && !strchr(":,>] ", in->rest.ptr[n]))
        n++;
    struct str name = str_sub(in->rest, 0, n);
    in->rest = str_sub(in->rest, n, in->rest.len);
    return name;
}

/* <name: T, ...>, and [K: V] behind it for other keys */
static const struct rego_type *object_properties(struct reading *in, unsigned depth)
{
    struct rego_property property[PARTS_MAX];
    struct rego_type type = {.kind = REGO_OBJECT};
    size_t n = 0;
    while (!take(in, ">")) {
        if (n == PARTS_MAX || (n > 0 && !take(in, ",")))
            return NULL;
        property[n].key = value_string(word(in));
        if (!take(in, ":") || !(property[n].type = union_type(in, depth)))
            return NULL;
        n++;
    }
    struct rego_property *kept = arena_new(in->types.arena, struct rego_property, n);
    if (!kept)
        return NULL;
    for (size_t i = 0; i < n; i++) { /* sorted: tables write a handful */
        size_t at = i;
        for (; at > 0 && rego_compare(&kept[at - 1].key, &property[i].key) > 0; at--)
            kept[at] = kept[at - 1];
        kept[at] = property[i];
    }
    type.property = kept;
    type.nproperties = n;
    type.open = take(in, "[");
    if (type.open && (!(type.key = union_type(in, depth)) || !take(in, ":") ||
                      !(type.rest = union_type(in, depth)) || !take(in, "]")))
        return NULL;
    return rego_type_make(&in->types, type);
}

static const struct rego_type *composite(struct reading *in, unsigned depth, unsigned kind)
{
    const struct rego_type *key = NULL, *rest = &rego_any;
    if (kind != REGO_SET && take(in, "<"))
        return kind == REGO_ARRAY ? array_items(in, depth) : object_properties(in, depth);
    if (take(in, "[")) {
        if (kind == REGO_OBJECT && (!(key = union_type(in, depth)) || !take(in, ":")))
            return NULL;
        rest = union_type(in, depth);
        if (!rest || !take(in, "]"))
            return NULL;
    } else if (kind == REGO_OBJECT) {
        key = &rego_any;
    }
    return rego_type_make(&in->types, (struct rego_type){
                                          .kind = kind,
                                          .open = kind != REGO_SET,
                                          .key = key,
                                          .rest = rest,
                                      });
}

static const struct rego_type *one_type(struct reading *in, unsigned depth)
{
    static const struct {
        const char *name;
        unsigned kind;
    } kinds[] = {{"any", REGO_ANY},   {"array", REGO_ARRAY},   {"boolean", REGO_BOOLEAN},
                 {"null", REGO_NULL}, {"number", REGO_NUMBER}, {"object", REGO_OBJECT},
                 {"set", REGO_SET},   {"string", REGO_STRING}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (take(in, kinds[i].name))
            return kinds[i].kind < REGO_ARRAY || kinds[i].kind == REGO_ANY
                       ? rego_type_scalar(kinds[i].kind)
                       : composite(in, depth, kinds[i].kind);
    return NULL;
}

static const struct rego_type *union_type(struct reading *in, unsigned depth)
{
    const struct rego_type *all = NULL;
    uint8_t order[sizeof all->order], norder = 0;
    if (depth == 0)
        return NULL;
    do {
        const struct rego_type *one = one_type(in, depth - 1);
        if (!one)
            return NULL;
        if (norder < sizeof order && !memchr(order, (int)one->kind, norder))
            order[norder++] = (uint8_t)one->kind;
        all = rego_type_or(&in->types, all, one);
    } while (take(in, "|"));
    if (norder < 2)
        return all;
    struct rego_type *kept = arena_new(in->types.arena, struct rego_type, 1);
    if (!kept)
        return NULL;
    *kept = *all; /* as listed, for messages */
    memcpy(kept->order, order, norder);
    kept->norder = norder;
    return kept;
}

bool rego_signature_parse(struct arena *arena, const char *text, struct rego_signature *ret)
{
    struct reading in = {{.arena = arena, .steps_left = 1000}, str_from(text)};
    *ret = (struct rego_signature){0};
    if (!take(&in, "("))
        return false;
    while (!take(&in, ")")) {
        if (ret->nargs == REGO_ARGS_MAX || (ret->nargs > 0 && !take(&in, ",")) ||
            !(ret->arg[ret->nargs++] = union_type(&in, NESTING_MAX)))
            return false;
        ret->variadic = take(&in, "...");
    }
    if (!take(&in, "=>"))
        return false;
    ret->has_result = str_trim(in.rest).len > 0;
    if (ret->has_result)
        ret->result = union_type(&in, NESTING_MAX);
    return (!ret->has_result || (ret->result && str_trim(in.rest).len == 0)) &&
           !in.types.out_of_memory;
}
