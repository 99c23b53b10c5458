/* type.c - kinds of values, and types as signatures write them. */
#include "lang/rego/type.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

unsigned rego_kind_of(const struct value *v)
{
    static const uint8_t of[] = {
        [VALUE_NULL] = REGO_NULL,     [VALUE_BOOL] = REGO_BOOLEAN, [VALUE_NUMBER] = REGO_NUMBER,
        [VALUE_STRING] = REGO_STRING, [VALUE_LIST] = REGO_ARRAY,   [VALUE_TUPLE] = REGO_ARRAY,
        [VALUE_SET] = REGO_SET,       [VALUE_MAP] = REGO_OBJECT,   [VALUE_OBJECT] = REGO_OBJECT,
        [VALUE_UNKNOWN] = REGO_NULL,  [REGO_PAIRS] = REGO_OBJECT,
    };
    return of[v->kind];
}

static const struct {
    struct str name;
    unsigned kind;
} kind_names[] = {
    {STR_INIT("array"), REGO_ARRAY},   {STR_INIT("boolean"), REGO_BOOLEAN},
    {STR_INIT("null"), REGO_NULL},     {STR_INIT("number"), REGO_NUMBER},
    {STR_INIT("object"), REGO_OBJECT}, {STR_INIT("set"), REGO_SET},
    {STR_INIT("string"), REGO_STRING},
};
enum { KIND_NAMES = sizeof kind_names / sizeof *kind_names };

static struct str kind_name(unsigned kind)
{
    for (size_t i = 0; i < KIND_NAMES; i++)
        if (kind_names[i].kind == kind)
            return kind_names[i].name;
    return STR("any");
}

void rego_kinds_text(struct buf *out, const struct rego_type *type)
{
    if (!type) {
        buf_str(out, STR("any"));
        return;
    }
    if (type->norder > 1)
        buf_str(out, STR("one of {"));
    for (uint8_t i = 0; i < type->norder; i++) {
        if (i)
            buf_str(out, STR(", "));
        buf_str(out, kind_name(type->order[i]));
    }
    if (type->norder > 1)
        buf_char(out, '}');
}

/* --- signatures --- */

enum { PARTS_MAX = 16, NESTING_MAX = 8 };
struct reading {
    struct arena *arena;
    struct str rest;
};

static bool take(struct reading *in, const char *token)
{
    in->rest = str_trim(in->rest);
    if (!str_starts(in->rest, str_from(token)))
        return false;
    in->rest = str_sub(in->rest, strlen(token), in->rest.len);
    return true;
}

static bool union_type(struct reading *in, unsigned depth, const struct rego_type **ret);

/* T, T, ... up to `end` */
static bool array_items(struct reading *in, unsigned depth, struct rego_type *type)
{
    const struct rego_type *item[PARTS_MAX];
    size_t n = 0;
    while (!take(in, ">")) {
        if (n == PARTS_MAX || (n > 0 && !take(in, ",")) || !union_type(in, depth, &item[n]))
            return false;
        n++;
    }
    const struct rego_type **kept = arena_new(in->arena, const struct rego_type *, n);
    if (!kept)
        return false;
    memcpy(kept, item, n * sizeof *kept);
    type->item = kept;
    type->nitems = n;
    type->closed_array = true;
    return true;
}

static bool word(struct reading *in, struct str *ret)
{
    size_t n = 0;
    in->rest = str_trim(in->rest);
    while (n < in->rest.len && !strchr(":,>] ", in->rest.ptr[n]))
        n++;
    *ret = str_sub(in->rest, 0, n);
    in->rest = str_sub(in->rest, n, in->rest.len);
    return n > 0;
}

static bool object_properties(struct reading *in, unsigned depth, struct rego_type *type)
{
    struct rego_property property[PARTS_MAX];
    size_t n = 0;
    while (!take(in, ">")) {
        struct str name;
        if (n == PARTS_MAX || (n > 0 && !take(in, ",")) || !word(in, &name) || !take(in, ":") ||
            !union_type(in, depth, &property[n].type))
            return false;
        property[n++].key = value_string(name);
    }
    struct rego_property *kept = arena_new(in->arena, struct rego_property, n);
    if (!kept)
        return false;
    for (size_t i = 0; i < n; i++) { /* sorted: tables write a handful */
        size_t at = i;
        for (; at > 0 && rego_compare(&kept[at - 1].key, &property[i].key) > 0; at--)
            kept[at] = kept[at - 1];
        kept[at] = property[i];
    }
    type->property = kept;
    type->nproperties = n;
    type->closed_object = true;
    return true;
}

/* One alternative, added to type; `any` sets *ret_any. */
static bool one_type(struct reading *in, unsigned depth, struct rego_type *type, bool *ret_any)
{
    if (take(in, "any")) {
        *ret_any = true;
        return true;
    }
    for (size_t i = 0; i < KIND_NAMES; i++) {
        if (!str_starts(in->rest, kind_names[i].name))
            continue;
        in->rest = str_sub(in->rest, kind_names[i].name.len, in->rest.len);
        if (!(type->kinds & kind_names[i].kind))
            type->order[type->norder++] = (uint8_t)kind_names[i].kind;
        type->kinds |= kind_names[i].kind;
        switch (kind_names[i].kind) {
        case REGO_ARRAY:
            return take(in, "<")   ? array_items(in, depth, type)
                   : take(in, "[") ? union_type(in, depth, &type->rest) && take(in, "]")
                                   : true;
        case REGO_SET:
            return !take(in, "[") || (union_type(in, depth, &type->member) && take(in, "]"));
        case REGO_OBJECT:
            if (take(in, "<"))
                return object_properties(in, depth, type);
            return !take(in, "[") || (union_type(in, depth, &type->key) && take(in, ":") &&
                                      union_type(in, depth, &type->value) && take(in, "]"));
        default:
            return true;
        }
    }
    return false;
}

static bool union_type(struct reading *in, unsigned depth, const struct rego_type **ret)
{
    struct rego_type *type = arena_new(in->arena, struct rego_type, 1);
    bool any = false;
    if (!type || depth == 0)
        return false;
    do {
        in->rest = str_trim(in->rest);
        if (!one_type(in, depth - 1, type, &any))
            return false;
    } while (take(in, "|"));
    *ret = any ? NULL : type;
    return true;
}

bool rego_signature_parse(struct arena *arena, const char *text, struct rego_signature *ret)
{
    struct reading in = {arena, str_from(text)};
    *ret = (struct rego_signature){0};
    if (!take(&in, "("))
        return false;
    while (!take(&in, ")")) {
        if (ret->nargs == REGO_ARGS_MAX || (ret->nargs > 0 && !take(&in, ",")) ||
            !union_type(&in, NESTING_MAX, &ret->arg[ret->nargs++]))
            return false;
        ret->variadic = take(&in, "...");
    }
    if (!take(&in, "=>"))
        return false;
    ret->has_result = str_trim(in.rest).len > 0;
    return !ret->has_result ||
           (union_type(&in, NESTING_MAX, &ret->result) && str_trim(in.rest).len == 0);
}
