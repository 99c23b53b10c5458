/* type.c - what Rego's types have in common: their order, unions, parts, and whether two of them
 * fit.
 *
 * The rules are those of OPA's checker, looser ones where it depends on the order of a map.
 */
#include "lang/rego/type.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"

const struct rego_type rego_any = {.kind = REGO_ANY};

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
    struct rego_type type;
    struct str name;
} kind_names[] = {
    {{.kind = REGO_NULL}, STR_INIT("null")},     {{.kind = REGO_BOOLEAN}, STR_INIT("boolean")},
    {{.kind = REGO_NUMBER}, STR_INIT("number")}, {{.kind = REGO_STRING}, STR_INIT("string")},
    {{.kind = REGO_ARRAY}, STR_INIT("array")},   {{.kind = REGO_OBJECT}, STR_INIT("object")},
    {{.kind = REGO_SET}, STR_INIT("set")},       {{.kind = REGO_ANY}, STR_INIT("any")},
};
enum { KIND_NAMES = sizeof kind_names / sizeof *kind_names };

static struct str kind_name(unsigned kind)
{
    for (size_t i = 0; i < KIND_NAMES; i++)
        if (kind_names[i].type.kind == kind)
            return kind_names[i].name;
    return STR("function");
}

const struct rego_type *rego_type_scalar(unsigned kind)
{
    for (size_t i = 0; i < KIND_NAMES; i++)
        if (kind_names[i].type.kind == kind && kind < REGO_ARRAY)
            return &kind_names[i].type;
    return &rego_any;
}

const struct rego_type *rego_type_itself(const struct rego_type *type)
{
    return type && type->kind == REGO_AGAIN ? type->rest : type;
}

static bool is_any(const struct rego_type *type)
{
    return type->kind == REGO_ANY && type->n == 0;
}

unsigned rego_type_kinds(const struct rego_type *type)
{
    unsigned kinds = 0;
    type = rego_type_itself(type);
    if (!type || is_any(type))
        return REGO_ANY;
    if (type->kind != REGO_ANY)
        return type->kind;
    for (size_t i = 0; i < type->n; i++)
        kinds |= rego_type_itself(type->of[i])->kind;
    return kinds;
}

void rego_kinds_text(struct buf *out, const struct rego_type *type)
{
    if (!type->norder) {
        buf_str(out, kind_name(type->kind));
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

/* --- making --- */

static bool spend(struct rego_typing *t)
{
    if (t->steps_left == 0)
        return false;
    t->steps_left--;
    return true;
}

static void deepen(struct rego_type *type, const struct rego_type *part)
{
    if (part && part->kind != REGO_AGAIN && part->depth >= type->depth)
        type->depth = part->depth + 1;
}

const struct rego_type *rego_type_make(struct rego_typing *t, struct rego_type from)
{
    from.depth = 0;
    for (size_t i = 0; i < from.n; i++)
        deepen(&from, from.of[i]);
    for (size_t i = 0; i < from.nproperties; i++)
        deepen(&from, from.property[i].type);
    deepen(&from, from.key);
    deepen(&from, from.rest);
    if (!spend(t) || from.depth > REGO_TYPE_DEPTH)
        return &rego_any;
    struct rego_type *made = arena_new(t->arena, struct rego_type, 1);
    if (!made) {
        t->out_of_memory = true;
        return &rego_any;
    }
    *made = from;
    return made;
}

const struct rego_type *rego_type_set(struct rego_typing *t, const struct rego_type *member)
{
    return rego_type_make(t, (struct rego_type){.kind = REGO_SET, .rest = member});
}

const struct rego_type *rego_type_map(struct rego_typing *t, const struct rego_type *key,
                                      const struct rego_type *value)
{
    return rego_type_make(
        t, (struct rego_type){.kind = REGO_OBJECT, .open = true, .key = key, .rest = value});
}

static const struct rego_type *of_value(struct rego_typing *t, const struct value *v,
                                        unsigned depth)
{
    struct rego_type type = {.kind = rego_kind_of(v)};
    struct value key, item;
    size_t n = 0;
    if (type.kind < REGO_ARRAY)
        return rego_type_scalar(type.kind);
    if (depth > REGO_TYPE_DEPTH || t->steps_left < v->len)
        return &rego_any;
    if (type.kind == REGO_SET) {
        for (size_t at = 0; rego_next(v, &at, &key, &item);)
            type.rest = rego_type_or(t, type.rest, of_value(t, &item, depth + 1));
        return rego_type_set(t, type.rest ? type.rest : &rego_any);
    }
    const struct rego_type **of = arena_new(t->arena, const struct rego_type *, v->len);
    struct rego_property *property = arena_new(t->arena, struct rego_property, v->len);
    if (!of || !property) {
        t->out_of_memory = true;
        return &rego_any;
    }
    for (size_t at = 0; rego_next(v, &at, &key, &item); n++) {
        of[n] = of_value(t, &item, depth + 1);
        property[n] = (struct rego_property){key, of[n]};
    }
    type.open = n == 0;
    type.rest = n == 0 ? &rego_any : NULL;
    if (type.kind == REGO_ARRAY) {
        type.of = of;
        type.n = n;
    } else {
        type.property = property;
        type.nproperties = n;
        type.key = type.rest;
    }
    return rego_type_make(t, type);
}

const struct rego_type *rego_type_of_value(struct rego_typing *t, const struct value *v)
{
    return of_value(t, v, 0);
}

/* --- order --- */

static int compare(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b);

static int compare_lists(struct rego_typing *t, const struct rego_type *a,
                         const struct rego_type *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        int c = compare(t, a->of[i], b->of[i]);
        if (c)
            return c;
    }
    return (a->n > b->n) - (a->n < b->n);
}

static int compare_properties(struct rego_typing *t, const struct rego_type *a,
                              const struct rego_type *b)
{
    for (size_t i = 0; i < a->nproperties && i < b->nproperties; i++) {
        int c = rego_compare(&a->property[i].key, &b->property[i].key);
        c = c ? c : compare(t, a->property[i].type, b->property[i].type);
        if (c)
            return c;
    }
    return (a->nproperties > b->nproperties) - (a->nproperties < b->nproperties);
}

static int compare(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b)
{
    if (a == b)
        return 0;
    if (a && b && a->kind == REGO_AGAIN && b->kind == REGO_AGAIN) /* either may have no end */
        return (uintptr_t)a > (uintptr_t)b ? 1 : -1;
    a = rego_type_itself(a);
    b = rego_type_itself(b);
    if (a == b)
        return 0;
    if (!a || !b || !spend(t))
        return a ? 1 : -1;
    if (a->kind != b->kind)
        return a->kind > b->kind ? 1 : -1;
    if (a->open != b->open)
        return a->open ? 1 : -1;
    int c = a->kind < REGO_ARRAY ? 0 : compare(t, a->key, b->key);
    c = c ? c : compare(t, a->rest, b->rest);
    c = c ? c : compare_lists(t, a, b);
    return c ? c : compare_properties(t, a, b);
}

/* --- unions --- */

struct in_union {
    struct rego_typing *t;
    const struct rego_type *any, *type;
};

static int order_in_union(const void *ctx, size_t at)
{
    const struct in_union *in = ctx;
    return compare(in->t, in->any->of[at], in->type);
}

/* Where it stands in a sorted union, or should. */
static size_t place_in(struct rego_typing *t, const struct rego_type *any,
                       const struct rego_type *type, bool *ret_there)
{
    struct in_union at = {t, any, type};
    return rego_place(any->n, order_in_union, &at, ret_there);
}

static const struct rego_type *with_one(struct rego_typing *t, const struct rego_type *any,
                                        const struct rego_type *type)
{
    bool there;
    size_t at = place_in(t, any, type, &there);
    if (there || is_any(any))
        return any;
    if (t->steps_left < any->n)
        return &rego_any;
    t->steps_left -= any->n;
    const struct rego_type **of = arena_new(t->arena, const struct rego_type *, any->n + 1);
    if (!of) {
        t->out_of_memory = true;
        return &rego_any;
    }
    memcpy(of, any->of, at * sizeof *of);
    memcpy(of + at + 1, any->of + at, (any->n - at) * sizeof *of);
    of[at] = type;
    return rego_type_make(t, (struct rego_type){.kind = REGO_ANY, .of = of, .n = any->n + 1});
}

static const struct rego_type *either_function(struct rego_typing *t, const struct rego_type *a,
                                               const struct rego_type *b)
{
    if (a->kind != b->kind || a->n != b->n)
        return NULL;
    const struct rego_type **arg = arena_new(t->arena, const struct rego_type *, a->n);
    if (!arg) {
        t->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < a->n; i++)
        arg[i] = rego_type_or(t, a->of[i], b->of[i]);
    return rego_type_make(t, (struct rego_type){.kind = REGO_FUNCTION,
                                                .of = arg,
                                                .n = a->n,
                                                .rest = rego_type_or(t, a->rest, b->rest)});
}

const struct rego_type *rego_type_or(struct rego_typing *t, const struct rego_type *a,
                                     const struct rego_type *b)
{
    if (!a || !b || a == b)
        return a ? a : b;
    if (a->kind == REGO_FUNCTION || b->kind == REGO_FUNCTION)
        return either_function(t, a, b);
    if (is_any(a) || is_any(b))
        return &rego_any;
    if (b->kind == REGO_ANY && a->kind != REGO_ANY)
        return with_one(t, b, a);
    if (a->kind == REGO_ANY) {
        size_t n = b->kind == REGO_ANY ? b->n : 1;
        for (size_t i = 0; i < n; i++)
            a = with_one(t, a, b->kind == REGO_ANY ? b->of[i] : b);
        return a;
    }
    if (compare(t, a, b) == 0)
        return a;
    return with_one(t, &(struct rego_type){.kind = REGO_ANY, .of = &a, .n = 1}, b);
}

/* --- parts --- */

typedef const struct rego_type *part_fn(struct rego_typing *t, const struct rego_type *of);

static const struct rego_type *of_each(struct rego_typing *t, const struct rego_type *any,
                                       part_fn *part)
{
    const struct rego_type *all = NULL;
    if (is_any(any))
        return any;
    for (size_t i = 0; i < any->n; i++)
        all = rego_type_or(t, part(t, any->of[i]), all);
    return all;
}

const struct rego_type *rego_type_keys(struct rego_typing *t, const struct rego_type *of)
{
    const struct rego_type *all = NULL;
    of = rego_type_itself(of);
    switch (of ? of->kind : 0) {
    case REGO_ARRAY:
        return rego_type_scalar(REGO_NUMBER);
    case REGO_SET:
        return of->rest;
    case REGO_ANY:
        return of_each(t, of, rego_type_keys);
    case REGO_OBJECT:
        for (size_t i = 0; i < of->nproperties; i++)
            all = rego_type_or(t, all, rego_type_of_value(t, &of->property[i].key));
        return of->open ? rego_type_or(t, all, of->key) : all;
    default:
        return NULL;
    }
}

const struct rego_type *rego_type_values(struct rego_typing *t, const struct rego_type *of)
{
    const struct rego_type *all = NULL;
    of = rego_type_itself(of);
    switch (of ? of->kind : 0) {
    case REGO_ARRAY:
        for (size_t i = 0; i < of->n; i++)
            all = rego_type_or(t, all, of->of[i]);
        return of->open ? rego_type_or(t, all, of->rest) : all;
    case REGO_SET:
        return of->rest;
    case REGO_ANY:
        return of_each(t, of, rego_type_values);
    case REGO_OBJECT:
        for (size_t i = 0; i < of->nproperties; i++)
            all = rego_type_or(t, all, of->property[i].type);
        return of->open ? rego_type_or(t, all, of->rest) : all;
    default:
        return NULL;
    }
}

static bool contains(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b)
{
    bool there;
    if (a && a->kind == REGO_ANY)
        return is_any(a) || (place_in(t, a, b, &there), there) || t->steps_left == 0;
    return compare(t, a, b) == 0;
}

struct in_object {
    const struct rego_type *of;
    const struct value *key;
};

static int order_in_object(const void *ctx, size_t at)
{
    const struct in_object *in = ctx;
    return rego_compare(&in->of->property[at].key, in->key);
}

static const struct rego_type *select_property(struct rego_typing *t, const struct rego_type *of,
                                               const struct value *key)
{
    struct in_object in = {of, key};
    bool there;
    size_t at = rego_place(of->nproperties, order_in_object, &in, &there);
    if (there)
        return of->property[at].type;
    return of->open && contains(t, of->key, rego_type_of_value(t, key)) ? of->rest : NULL;
}

const struct rego_type *rego_type_select(struct rego_typing *t, const struct rego_type *of,
                                         const struct value *key)
{
    const struct rego_type *all = NULL, *own;
    int64_t i;
    of = rego_type_itself(of);
    switch (of ? of->kind : 0) {
    case REGO_ARRAY:
        if (key->kind != VALUE_NUMBER || !rego_to_int64(key, &i) || i < 0)
            return NULL;
        return (uint64_t)i < of->n ? of->of[i] : of->open ? of->rest : NULL;
    case REGO_OBJECT:
        return select_property(t, of, key);
    case REGO_SET:
        own = rego_type_of_value(t, key);
        return of->rest && contains(t, of->rest, own) ? own : NULL;
    case REGO_ANY:
        if (is_any(of))
            return of;
        for (size_t k = 0; k < of->n; k++)
            all = rego_type_or(t, rego_type_select(t, of->of[k], key), all);
        return all;
    default:
        return NULL;
    }
}

bool rego_type_unknown(struct rego_typing *t, const struct rego_type *type)
{
    if (!type)
        return true;
    if (type->kind == REGO_AGAIN || type->kind == REGO_ANY || type->kind < REGO_ARRAY || !spend(t))
        return false;
    for (size_t i = 0; i < type->n; i++)
        if (rego_type_unknown(t, type->of[i]))
            return true;
    for (size_t i = 0; i < type->nproperties; i++)
        if (rego_type_unknown(t, type->property[i].type))
            return true;
    if (type->kind == REGO_OBJECT && type->open && rego_type_unknown(t, type->key))
        return true;
    bool rest = type->open || type->kind == REGO_SET || type->kind == REGO_FUNCTION;
    return rest && rego_type_unknown(t, type->rest);
}

/* --- fit --- */

static bool array_fits(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct rego_type *other = i < b->n ? b->of[i] : b->open ? b->rest : NULL;
        if (!rego_type_unifies(t, a->of[i], other))
            return false;
    }
    return true;
}

static bool object_fits(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b)
{
    for (size_t i = 0; i < a->nproperties; i++) {
        const struct rego_type *other = select_property(t, b, &a->property[i].key);
        if (!other ? !a->rest && !b->rest : !rego_type_unifies(t, a->property[i].type, other))
            return false;
    }
    return true;
}

static bool any_fits(struct rego_typing *t, const struct rego_type *any, const struct rego_type *b)
{
    if (b->kind == REGO_FUNCTION)
        return false;
    for (size_t i = 0; i < any->n; i++)
        if (rego_type_unifies(t, any->of[i], b))
            return true;
    return is_any(any);
}

bool rego_type_unifies(struct rego_typing *t, const struct rego_type *a, const struct rego_type *b)
{
    if (a && b && a->kind == REGO_AGAIN && b->kind == REGO_AGAIN) /* either may have no end */
        return true;
    a = rego_type_itself(a);
    b = rego_type_itself(b);
    if (!a || !b)
        return false;
    if (!spend(t))
        return true;
    if (a->kind == REGO_ANY && any_fits(t, a, b))
        return true;
    if (b->kind == REGO_ANY)
        return any_fits(t, b, a);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case REGO_ARRAY:
        return array_fits(t, a, b) && array_fits(t, b, a) &&
               (!a->rest || !b->rest || rego_type_unifies(t, a->rest, b->rest));
    case REGO_OBJECT:
        return object_fits(t, a, b) && object_fits(t, b, a) &&
               (!a->rest || !b->rest || rego_type_unifies(t, a->rest, b->rest));
    case REGO_SET:
        return rego_type_unifies(t, a->rest, b->rest);
    default:
        return true;
    }
}

/* --- text --- */

enum { TEXT_DEPTH = 4, TEXT_PARTS = 8 }; /* for people */

static void type_text(struct buf *out, const struct rego_type *type, unsigned depth_left);

static void list_text(struct buf *out, const struct rego_type *type, unsigned depth_left)
{
    size_t n = type->n ? type->n : type->nproperties;
    for (size_t i = 0; i < n && i < TEXT_PARTS; i++) {
        buf_str(out, i ? STR(", ") : STR("<"));
        if (type->n) {
            type_text(out, type->of[i], depth_left);
            continue;
        }
        const struct value *key = &type->property[i].key;
        if (key->kind == VALUE_STRING)
            buf_str(out, value_text(key));
        else
            rego_text(out, key);
        buf_str(out, STR(": "));
        type_text(out, type->property[i].type, depth_left);
    }
    if (n > TEXT_PARTS)
        buf_printf(out, ", and %zu more", n - TEXT_PARTS);
    if (n)
        buf_char(out, '>');
}

static void type_text(struct buf *out, const struct rego_type *type, unsigned depth_left)
{
    if (!type) {
        buf_str(out, STR("???"));
        return;
    }
    type = rego_type_itself(type);
    buf_str(out, kind_name(type->kind));
    if (type->kind == REGO_FUNCTION || depth_left == 0)
        return;
    list_text(out, type, depth_left - 1);
    if (!type->open && type->kind != REGO_SET)
        return;
    buf_char(out, '[');
    if (type->kind == REGO_OBJECT) {
        type_text(out, type->key, depth_left - 1);
        buf_str(out, STR(": "));
    }
    type_text(out, type->rest, depth_left - 1);
    buf_char(out, ']');
}

void rego_type_text(struct buf *out, const struct rego_type *type)
{
    type_text(out, type, TEXT_DEPTH);
}
