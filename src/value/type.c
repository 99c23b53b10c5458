/* type.c - type constraints: making, reading, printing, and putting a value into its type. */
#include "value/type.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "value/path.h"

const struct type type_dynamic = {.kind = TYPE_DYNAMIC};
const struct type type_bool = {.kind = TYPE_BOOL};
const struct type type_number = {.kind = TYPE_NUMBER};
const struct type type_string = {.kind = TYPE_STRING};

/* What each kind of type is called, and which kind of value it makes. */
static const struct kind_row {
    const char *name;        /* in type constraint JSON */
    const struct type *self; /* the shared constant, for kinds without parameters */
    enum value_kind value;
} kinds[] = {
    [TYPE_DYNAMIC] = {"dynamic", &type_dynamic, VALUE_NULL},
    [TYPE_BOOL] = {"bool", &type_bool, VALUE_BOOL},
    [TYPE_NUMBER] = {"number", &type_number, VALUE_NUMBER},
    [TYPE_STRING] = {"string", &type_string, VALUE_STRING},
    [TYPE_LIST] = {"list", NULL, VALUE_LIST},
    [TYPE_SET] = {"set", NULL, VALUE_SET},
    [TYPE_MAP] = {"map", NULL, VALUE_MAP},
    [TYPE_TUPLE] = {"tuple", NULL, VALUE_TUPLE},
    [TYPE_OBJECT] = {"object", NULL, VALUE_OBJECT},
    [TYPE_CAPSULE] = {"capsule", NULL, VALUE_NULL},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool is_collection(enum type_kind kind)
{
    return kind == TYPE_LIST || kind == TYPE_SET || kind == TYPE_MAP;
}

/* --- making --- */

const struct type *type_collection(struct arena *arena, enum type_kind kind,
                                   const struct type *elem)
{
    struct type *type = arena_new(arena, struct type, 1);
    if (type)
        *type = (struct type){.kind = kind, .elem = elem};
    return type;
}

const struct type *type_tuple(struct arena *arena, const struct type *const *items, size_t n)
{
    struct type *type = arena_new(arena, struct type, 1);
    if (type)
        *type = (struct type){.kind = TYPE_TUPLE, .n = (uint32_t)n, .items = items};
    return type;
}

static int member_order(const void *a, const void *b)
{
    const struct type_member *x = a, *y = b;
    return str_compare(key_str(x->key), key_str(y->key));
}

const struct type *type_object(struct arena *arena, struct type_member *members, size_t n)
{
    struct type *type = arena_new(arena, struct type, 1);
    if (!type)
        return NULL;
    if (n > 1)
        qsort(members, n, sizeof *members, member_order);
    *type = (struct type){.kind = TYPE_OBJECT, .n = (uint32_t)n, .members = members};
    return type;
}

const struct type_member *type_find_member(const struct type *object, struct str name)
{
    size_t low = 0, high = object && object->kind == TYPE_OBJECT ? object->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(key_str(object->members[middle].key), name);
        if (order == 0)
            return &object->members[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- looking; every walk counts down, types past TYPE_DEPTH_MAX count as different --- */

static bool equal_at(const struct type *a, const struct type *b, unsigned depth_left)
{
    if (a == b)
        return true;
    if (depth_left == 0 || a->kind != b->kind || a->n != b->n)
        return false;
    if (is_collection(a->kind))
        return equal_at(a->elem, b->elem, depth_left - 1);
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->kind == TYPE_TUPLE) {
            if (!equal_at(a->items[i], b->items[i], depth_left - 1))
                return false;
            continue;
        }
        const struct type_member *x = &a->members[i], *y = &b->members[i];
        if (x->optional != y->optional || !key_equal(x->key, y->key) ||
            !equal_at(x->type, y->type, depth_left - 1))
            return false;
    }
    return a->kind != TYPE_CAPSULE;
}

static const struct type *copy_items(struct arena *arena, const struct type *type)
{
    const struct type **items = arena_new(arena, const struct type *, type->n);
    for (uint32_t i = 0; items && i < type->n; i++) {
        items[i] = type_copy(arena, type->items[i]);
        if (!items[i])
            return NULL;
    }
    return items ? type_tuple(arena, items, type->n) : NULL;
}

static const struct type *copy_members(struct arena *arena, const struct type *type)
{
    struct type_member *members = arena_new(arena, struct type_member, type->n);
    for (uint32_t i = 0; members && i < type->n; i++) {
        members[i] = type->members[i];
        members[i].key = key_make(arena, key_str(type->members[i].key));
        members[i].type = type_copy(arena, type->members[i].type);
        if (!members[i].key || !members[i].type)
            return NULL;
    }
    return members ? type_object(arena, members, type->n) : NULL;
}

const struct type *type_copy(struct arena *arena, const struct type *type)
{
    const struct type *elem;
    switch (type->kind) {
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_MAP:
        elem = type_copy(arena, type->elem);
        return elem ? type_collection(arena, type->kind, elem) : NULL;
    case TYPE_TUPLE:
        return copy_items(arena, type);
    case TYPE_OBJECT:
        return copy_members(arena, type);
    case TYPE_BOOL:
        return &type_bool;
    case TYPE_NUMBER:
        return &type_number;
    case TYPE_STRING:
        return &type_string;
    case TYPE_DYNAMIC:
    case TYPE_CAPSULE:
        break;
    }
    return type->kind == TYPE_DYNAMIC ? &type_dynamic : type;
}

bool type_equal(const struct type *a, const struct type *b)
{
    return equal_at(a, b, TYPE_DEPTH_MAX);
}

static bool has_dynamic_at(const struct type *type, unsigned depth_left)
{
    if (type->kind == TYPE_DYNAMIC || depth_left == 0)
        return true;
    if (is_collection(type->kind))
        return has_dynamic_at(type->elem, depth_left - 1);
    for (uint32_t i = 0; i < type->n; i++)
        if (has_dynamic_at(type->kind == TYPE_TUPLE ? type->items[i] : type->members[i].type,
                           depth_left - 1))
            return true;
    return false;
}

bool type_has_dynamic(const struct type *type)
{
    return has_dynamic_at(type, TYPE_DEPTH_MAX);
}

/* --- type constraint JSON, in --- */

static const struct kind_row *find_kind(struct str name)
{
    for (size_t i = 0; i < TYPE_CAPSULE; i++)
        if (str_equal(name, str_from(kinds[i].name)))
            return &kinds[i];
    return NULL;
}

static bool read_at(struct arena *arena, const struct value *v, unsigned depth_left,
                    const struct type **ret, struct err *err);

static bool is_array(const struct value *v)
{
    return v->kind == VALUE_TUPLE || v->kind == VALUE_LIST;
}

static bool read_tuple(struct arena *arena, const struct value *v, unsigned depth_left,
                       const struct type **ret, struct err *err)
{
    const struct type **items = arena_new(arena, const struct type *, v->len);
    if (!items)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++)
        if (!read_at(arena, &v->items[i], depth_left, &items[i], err))
            return false;
    *ret = type_tuple(arena, items, v->len);
    return *ret || arena_full(arena, err);
}

static bool mark_optional(struct type_member *members, const struct value *object,
                          const struct value *names, struct err *err)
{
    for (uint32_t i = 0; i < names->len; i++) {
        const struct value *hit = value_is_string(&names->items[i])
                                      ? value_get(object, value_text(&names->items[i]))
                                      : NULL;
        if (!hit)
            return err_set(err, ERR_SYNTAX, "type: optional names an attribute that is not there");
        const struct value_member *member =
            (const struct value_member *)(const void *)((const char *)hit -
                                                        offsetof(struct value_member, value));
        members[member - object->members].optional = true;
    }
    return true;
}

/* The members of a value object are sorted and unique already. */
static bool read_object(struct arena *arena, const struct value *v, const struct value *optional,
                        unsigned depth_left, const struct type **ret, struct err *err)
{
    struct type_member *members = arena_new(arena, struct type_member, v->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++) {
        members[i].key = v->members[i].key;
        if (!read_at(arena, &v->members[i].value, depth_left, &members[i].type, err))
            return false;
    }
    if (optional && !mark_optional(members, v, optional, err))
        return false;
    *ret = type_object(arena, members, v->len);
    return *ret || arena_full(arena, err);
}

static bool read_array(struct arena *arena, const struct value *v, unsigned depth_left,
                       const struct type **ret, struct err *err)
{
    const struct kind_row *row =
        v->len && value_is_string(&v->items[0]) ? find_kind(value_text(&v->items[0])) : NULL;
    const struct value *arg = v->len > 1 ? &v->items[1] : NULL;
    if (!row || row->self || !arg)
        return err_set(err, ERR_SYNTAX, "type: not a type constraint");
    enum type_kind kind = (enum type_kind)(row - kinds);
    if (kind == TYPE_OBJECT && value_is_object_like(arg) && v->len <= 3) {
        const struct value *optional = v->len == 3 ? &v->items[2] : NULL;
        if (!optional || is_array(optional))
            return read_object(arena, arg, optional, depth_left, ret, err);
    }
    if (kind == TYPE_TUPLE && is_array(arg) && v->len == 2)
        return read_tuple(arena, arg, depth_left, ret, err);
    const struct type *elem = NULL;
    if (!is_collection(kind) || v->len != 2)
        return err_set(err, ERR_SYNTAX, "type: %s with the wrong parameters", row->name);
    if (!read_at(arena, arg, depth_left, &elem, err))
        return false;
    *ret = type_collection(arena, kind, elem);
    return *ret || arena_full(arena, err);
}

static bool read_at(struct arena *arena, const struct value *v, unsigned depth_left,
                    const struct type **ret, struct err *err)
{
    if (depth_left == 0)
        return err_set(err, ERR_SYNTAX, "type nested deeper than %d", TYPE_DEPTH_MAX);
    if (is_array(v))
        return read_array(arena, v, depth_left - 1, ret, err);
    const struct kind_row *row = value_is_string(v) ? find_kind(value_text(v)) : NULL;
    if (!row || !row->self)
        return err_set(err, ERR_SYNTAX, "type: not a type constraint");
    *ret = row->self;
    return true;
}

bool type_from_value(struct arena *arena, const struct value *v, const struct type **ret,
                     struct err *err)
{
    const struct type *type;
    if (!read_at(arena, v, TYPE_DEPTH_MAX, &type, err))
        return false;
    *ret = type;
    return true;
}

/* --- printing --- */

/* Go escapes what HTML could misread, and control characters but three by number. */
static void print_json_string(struct buf *out, struct str s)
{
    static const char letters[] = "\"\\nrt", bytes[] = "\"\\\n\r\t";
    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        const char *hit = c ? strchr(bytes, c) : NULL;
        if (hit)
            buf_printf(out, "\\%c", letters[hit - bytes]);
        else if ((unsigned char)c < 0x20 || c == '<' || c == '>' || c == '&')
            buf_printf(out, "\\u%04x", (unsigned char)c);
        else
            buf_char(out, c);
    }
    buf_char(out, '"');
}

static void print_json_at(struct buf *out, const struct type *type, unsigned depth_left);

static void print_json_object(struct buf *out, const struct type *type, unsigned depth_left)
{
    bool first = true;
    buf_char(out, '{');
    for (uint32_t i = 0; i < type->n; i++) {
        if (i)
            buf_char(out, ',');
        print_json_string(out, key_str(type->members[i].key));
        buf_char(out, ':');
        print_json_at(out, type->members[i].type, depth_left);
    }
    buf_char(out, '}');
    for (uint32_t i = 0; i < type->n; i++) {
        if (!type->members[i].optional)
            continue;
        buf_str(out, first ? STR(",[") : STR(","));
        print_json_string(out, key_str(type->members[i].key));
        first = false;
    }
    if (!first)
        buf_char(out, ']');
}

static void print_json_at(struct buf *out, const struct type *type, unsigned depth_left)
{
    const struct kind_row *row = &kinds[type->kind];
    if (row->self || type->kind == TYPE_CAPSULE || depth_left == 0) {
        buf_printf(out, "\"%s\"", depth_left ? row->name : "dynamic");
        return;
    }
    buf_printf(out, "[\"%s\",", row->name);
    if (is_collection(type->kind)) {
        print_json_at(out, type->elem, depth_left - 1);
    } else if (type->kind == TYPE_OBJECT) {
        print_json_object(out, type, depth_left - 1);
    } else {
        buf_char(out, '[');
        for (uint32_t i = 0; i < type->n; i++) {
            if (i)
                buf_char(out, ',');
            print_json_at(out, type->items[i], depth_left - 1);
        }
        buf_char(out, ']');
    }
    buf_char(out, ']');
}

void type_print_json(struct buf *out, const struct type *type)
{
    print_json_at(out, type, TYPE_DEPTH_MAX);
}

static void print_hcl_at(struct buf *out, const struct type *type, unsigned depth_left);

static void print_hcl_member(struct buf *out, const struct type_member *m, unsigned depth_left)
{
    if (path_is_name(key_str(m->key)))
        buf_str(out, key_str(m->key));
    else
        print_json_string(out, key_str(m->key));
    buf_str(out, m->optional ? STR("=optional(") : STR("="));
    print_hcl_at(out, m->type, depth_left);
    if (m->optional)
        buf_char(out, ')');
}

static void print_hcl_at(struct buf *out, const struct type *type, unsigned depth_left)
{
    bool object = type->kind == TYPE_OBJECT, tuple = type->kind == TYPE_TUPLE;
    if (type->kind == TYPE_DYNAMIC || depth_left == 0) {
        buf_str(out, STR("any"));
        return;
    }
    buf_str(out, str_from(kinds[type->kind].name));
    if (!object && !tuple && !is_collection(type->kind))
        return;
    buf_str(out, object ? STR("({") : tuple ? STR("([") : STR("("));
    if (is_collection(type->kind))
        print_hcl_at(out, type->elem, depth_left - 1);
    for (uint32_t i = 0; (object || tuple) && i < type->n; i++) {
        if (i)
            buf_str(out, STR(", "));
        if (object)
            print_hcl_member(out, &type->members[i], depth_left - 1);
        else
            print_hcl_at(out, type->items[i], depth_left - 1);
    }
    buf_str(out, object ? STR("})") : tuple ? STR("])") : STR(")"));
}

void type_print_hcl(struct buf *out, const struct type *type)
{
    print_hcl_at(out, type, TYPE_DEPTH_MAX);
}

/* --- a value into its type --- */

struct apply {
    struct arena *arena;
    bool wrapped;
};

static bool apply_at(const struct apply *a, const struct type *type, const struct value *v,
                     const struct path_link *at, unsigned depth_left, struct value *ret,
                     struct err *err);

static bool fail(const struct path_link *at, struct err *err, const char *want,
                 const struct value *v)
{
    AUTO_BUF path = {.limit = 1 << 20};
    path_print_link(&path, at);
    return err_set(err, ERR_SYNTAX, "%.*s%swant %s, got %s", STR_ARG(buf_view(&path)),
                   path.len ? ": " : "", want, v ? value_kind_name(v->kind) : "nothing");
}

static bool to_nfc(const struct apply *a, const struct value *v, struct value *ret, struct err *err)
{
    struct str s = utf8_nfc(a->arena, value_text(v));
    if (!s.ptr && v->len)
        return arena_full(a->arena, err);
    *ret = *v;
    ret->text = s.ptr;
    ret->len = (uint32_t)s.len;
    return true;
}

/* Keys are NFC too; what was sorted may no longer be, and two keys may have become one. */
static bool nfc_key(const struct apply *a, const struct value_key *key,
                    const struct value_key **ret, bool *changed, struct err *err)
{
    struct str s = utf8_nfc(a->arena, key_str(key));
    *ret = key;
    if (s.ptr == key->text)
        return true;
    *changed = true;
    *ret = s.ptr ? key_make(a->arena, s) : NULL;
    return *ret || arena_full(a->arena, err);
}

static bool apply_items(const struct apply *a, const struct type *type, const struct value *v,
                        const struct path_link *at, unsigned depth_left, struct value *ret,
                        struct err *err)
{
    bool tuple = type->kind == TYPE_TUPLE;
    if (tuple && v->len != type->n)
        return fail(at, err, "as many elements as its tuple type has", v);
    struct value *items = v->len ? arena_new_raw(a->arena, struct value, v->len) : NULL;
    if (!items && v->len)
        return arena_full(a->arena, err);
    for (uint32_t i = 0; i < v->len; i++) {
        struct path_link here = path_link_index(at, i);
        if (!apply_at(a, tuple ? type->items[i] : type->elem, &v->items[i], &here, depth_left,
                      &items[i], err))
            return false;
    }
    size_t n = type->kind == TYPE_SET ? value_set_normalise(items, v->len) : v->len;
    *ret = value_items(kinds[type->kind].value, items, n);
    if (n == 0 && !tuple)
        ret->type = type->elem;
    return true;
}

static bool apply_map(const struct apply *a, const struct type *type, const struct value *v,
                      const struct path_link *at, unsigned depth_left, struct value *ret,
                      struct err *err)
{
    struct value_member *members = NULL;
    bool changed = false;
    if (v->len) {
        members = arena_new_raw(a->arena, struct value_member, v->len);
        if (!members)
            return arena_full(a->arena, err);
    }
    for (uint32_t i = 0; i < v->len; i++) {
        struct path_link here = path_link_key(at, key_str(v->members[i].key));
        if (!nfc_key(a, v->members[i].key, &members[i].key, &changed, err) ||
            !apply_at(a, type->elem, &v->members[i].value, &here, depth_left, &members[i].value,
                      err))
            return false;
    }
    if (changed)
        return value_members(VALUE_MAP, members, v->len, ret, NULL, err);
    *ret = (struct value){.kind = VALUE_MAP, .len = v->len, .members = members};
    if (v->len == 0)
        ret->type = type->elem;
    return true;
}

/* A merge walk over both sorted lists: every member of the type, no other. */
static bool apply_object(const struct apply *a, const struct type *type, const struct value *v,
                         const struct path_link *at, unsigned depth_left, struct value *ret,
                         struct err *err)
{
    struct value_member *members = NULL;
    uint32_t taken = 0;
    if (type->n) {
        members = arena_new_raw(a->arena, struct value_member, type->n);
        if (!members)
            return arena_full(a->arena, err);
    }
    for (uint32_t i = 0; i < type->n; i++) {
        const struct type_member *want = &type->members[i];
        members[i].key = want->key;
        if (taken < v->len && key_equal(v->members[taken].key, want->key)) {
            struct path_link here = path_link_key(at, key_str(want->key));
            if (!apply_at(a, want->type, &v->members[taken++].value, &here, depth_left,
                          &members[i].value, err))
                return false;
        } else {
            members[i].value = (struct value){.kind = VALUE_NULL, .type = want->type};
        }
    }
    *ret = (struct value){.kind = VALUE_OBJECT, .len = type->n, .members = members};
    if (taken == v->len)
        return true;
    struct path_link here = path_link_key(at, key_str(v->members[taken].key));
    return fail(&here, err, "no attribute of that name", &v->members[taken].value);
}

/* JSON without a type: as it is, but for strings and keys in NFC. */
static bool infer_at(const struct apply *a, const struct value *v, const struct path_link *at,
                     unsigned depth_left, struct value *ret, struct err *err)
{
    bool changed = false;
    *ret = *v;
    if (v->kind == VALUE_STRING)
        return to_nfc(a, v, ret, err);
    if (!v->len || !(value_is_list_like(v) || value_is_object_like(v)))
        return true;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", VALUE_DEPTH_MAX);
    if (value_is_list_like(v)) {
        struct value *items = arena_new_raw(a->arena, struct value, v->len);
        if (!items)
            return arena_full(a->arena, err);
        for (uint32_t i = 0; i < v->len; i++) {
            struct path_link here = path_link_index(at, i);
            if (!infer_at(a, &v->items[i], &here, depth_left - 1, &items[i], err))
                return false;
        }
        ret->items = items;
        if (v->kind == VALUE_SET)
            ret->len = (uint32_t)value_set_normalise(items, v->len);
        return true;
    }
    struct value_member *members = arena_new_raw(a->arena, struct value_member, v->len);
    if (!members)
        return arena_full(a->arena, err);
    for (uint32_t i = 0; i < v->len; i++) {
        struct path_link here = path_link_key(at, key_str(v->members[i].key));
        if (!nfc_key(a, v->members[i].key, &members[i].key, &changed, err) ||
            !infer_at(a, &v->members[i].value, &here, depth_left - 1, &members[i].value, err))
            return false;
    }
    ret->members = members;
    return !changed || value_members(v->kind, members, v->len, ret, NULL, err);
}

static bool apply_dynamic(const struct apply *a, const struct value *v, const struct path_link *at,
                          unsigned depth_left, struct value *ret, struct err *err)
{
    if (!a->wrapped || v->kind == VALUE_UNKNOWN)
        return infer_at(a, v, at, depth_left, ret, err);
    const struct value *type_json = value_get(v, STR("type")), *inner = value_get(v, STR("value"));
    const struct type *type;
    if (!type_json || !inner || v->len != 2)
        return fail(at, err, "{\"value\":...,\"type\":...}", v);
    if (!type_from_value(a->arena, type_json, &type, err))
        return err_wrap(err, "type of a dynamic value");
    return apply_at(a, type, inner, at, depth_left, ret, err);
}

static bool apply_unknown(const struct apply *a, const struct type *type, const struct value *v,
                          struct value *ret, struct err *err)
{
    *ret = *v;
    if (type->kind == TYPE_DYNAMIC || (v->unknown && v->unknown->type))
        return true;
    struct value_unknown *known = arena_new(a->arena, struct value_unknown, 1);
    if (!known)
        return arena_full(a->arena, err);
    *known = v->unknown ? *v->unknown : (struct value_unknown){.len_least = -1, .len_most = -1};
    known->type = type;
    ret->unknown = known;
    return true;
}

static bool apply_shape(const struct apply *a, const struct type *type, const struct value *v,
                        const struct path_link *at, unsigned depth_left, struct value *ret,
                        struct err *err)
{
    switch (type->kind) {
    case TYPE_DYNAMIC:
        return apply_dynamic(a, v, at, depth_left, ret, err);
    case TYPE_STRING:
        return v->kind == VALUE_STRING ? to_nfc(a, v, ret, err) : fail(at, err, "string", v);
    case TYPE_BOOL:
    case TYPE_NUMBER:
        *ret = *v;
        return v->kind == kinds[type->kind].value || fail(at, err, kinds[type->kind].name, v);
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_TUPLE:
        return value_is_list_like(v) ? apply_items(a, type, v, at, depth_left, ret, err)
                                     : fail(at, err, kinds[type->kind].name, v);
    case TYPE_MAP:
        return value_is_object_like(v) ? apply_map(a, type, v, at, depth_left, ret, err)
                                       : fail(at, err, "map", v);
    case TYPE_OBJECT:
        return value_is_object_like(v) ? apply_object(a, type, v, at, depth_left, ret, err)
                                       : fail(at, err, "object", v);
    default:
        return fail(at, err, kinds[type->kind].name, v);
    }
}

static bool apply_at(const struct apply *a, const struct type *type, const struct value *v,
                     const struct path_link *at, unsigned depth_left, struct value *ret,
                     struct err *err)
{
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", VALUE_DEPTH_MAX);
    if (v->kind == VALUE_NULL)
        *ret =
            (struct value){.kind = VALUE_NULL, .type = type->kind == TYPE_DYNAMIC ? v->type : type};
    else if (v->kind == VALUE_UNKNOWN) {
        if (!apply_unknown(a, type, v, ret, err))
            return false;
    } else if (!apply_shape(a, type, v, at, depth_left - 1, ret, err))
        return false;
    ret->marks = v->marks;
    return true;
}

bool type_apply(struct arena *arena, const struct type *type, const struct value *v, bool wrapped,
                struct value *ret, struct err *err)
{
    struct apply a = {.arena = arena, .wrapped = wrapped};
    struct value made;
    if (!apply_at(&a, type, v, NULL, VALUE_DEPTH_MAX + 1, &made, err))
        return false;
    *ret = made;
    return true;
}

/* --- the type of a value --- */

static const struct type *of_at(struct arena *arena, const struct value *v, unsigned depth_left);
static const struct type *join_at(struct arena *arena, const struct type *a, const struct type *b,
                                  unsigned depth_left);

static const struct type *join_parts(struct arena *arena, const struct type *a,
                                     const struct type *b, unsigned depth_left)
{
    const struct type **items = NULL;
    struct type_member *members = NULL;
    if (a->kind == TYPE_TUPLE)
        items = arena_new(arena, const struct type *, a->n);
    else
        members = arena_new(arena, struct type_member, a->n);
    for (uint32_t i = 0; i < a->n; i++) {
        if (items) {
            items[i] = join_at(arena, a->items[i], b->items[i], depth_left);
        } else if (members) {
            if (!key_equal(a->members[i].key, b->members[i].key))
                return &type_dynamic;
            members[i] = a->members[i];
            members[i].type = join_at(arena, a->members[i].type, b->members[i].type, depth_left);
        }
        if (!(items ? items[i] : members ? members[i].type : NULL))
            return NULL;
    }
    return items     ? type_tuple(arena, items, a->n)
           : members ? type_object(arena, members, a->n)
                     : NULL;
}

/* What two elements of one collection have in common; an untyped null says nothing. */
static const struct type *join_at(struct arena *arena, const struct type *a, const struct type *b,
                                  unsigned depth_left)
{
    if (a->kind == TYPE_DYNAMIC || a == b)
        return b;
    if (b->kind == TYPE_DYNAMIC || type_equal(a, b))
        return a;
    if (depth_left == 0 || a->kind != b->kind || a->n != b->n)
        return &type_dynamic;
    if (!is_collection(a->kind))
        return join_parts(arena, a, b, depth_left - 1);
    const struct type *elem = join_at(arena, a->elem, b->elem, depth_left - 1);
    return elem ? type_collection(arena, a->kind, elem) : NULL;
}

static const struct type *of_collection(struct arena *arena, const struct value *v,
                                        enum type_kind kind, unsigned depth_left)
{
    const struct type *elem = v->len || !v->type ? &type_dynamic : v->type;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value *item = kind == TYPE_MAP ? &v->members[i].value : &v->items[i];
        const struct type *next = of_at(arena, item, depth_left);
        elem = next ? join_at(arena, elem, next, depth_left) : NULL;
        if (!elem)
            return NULL;
    }
    return type_collection(arena, kind, elem);
}

static const struct type *of_tuple(struct arena *arena, const struct value *v, unsigned depth_left)
{
    const struct type **items = arena_new(arena, const struct type *, v->len);
    for (uint32_t i = 0; items && i < v->len; i++)
        if (!(items[i] = of_at(arena, &v->items[i], depth_left)))
            return NULL;
    return items ? type_tuple(arena, items, v->len) : NULL;
}

static const struct type *of_object(struct arena *arena, const struct value *v, unsigned depth_left)
{
    struct type_member *members = arena_new(arena, struct type_member, v->len);
    for (uint32_t i = 0; members && i < v->len; i++) {
        members[i].key = v->members[i].key;
        if (!(members[i].type = of_at(arena, &v->members[i].value, depth_left)))
            return NULL;
    }
    return members ? type_object(arena, members, v->len) : NULL;
}

static const struct type *of_at(struct arena *arena, const struct value *v, unsigned depth_left)
{
    if (depth_left == 0)
        return &type_dynamic;
    switch ((enum value_kind)v->kind) {
    case VALUE_NULL:
        return v->type ? v->type : &type_dynamic;
    case VALUE_UNKNOWN:
        return v->unknown && v->unknown->type ? v->unknown->type : &type_dynamic;
    case VALUE_BOOL:
        return &type_bool;
    case VALUE_NUMBER:
        return &type_number;
    case VALUE_STRING:
        return &type_string;
    case VALUE_LIST:
        return of_collection(arena, v, TYPE_LIST, depth_left - 1);
    case VALUE_SET:
        return of_collection(arena, v, TYPE_SET, depth_left - 1);
    case VALUE_MAP:
        return of_collection(arena, v, TYPE_MAP, depth_left - 1);
    case VALUE_TUPLE:
        return of_tuple(arena, v, depth_left - 1);
    case VALUE_OBJECT:
        return of_object(arena, v, depth_left - 1);
    default:
        return &type_dynamic;
    }
}

const struct type *type_of(struct arena *arena, const struct value *v)
{
    return of_at(arena, v, VALUE_DEPTH_MAX);
}
