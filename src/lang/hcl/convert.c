/* convert.c - values to types, as cty's convert package does it. */
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/hcl_number.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"
#include "value/number.h"

const struct type *hcl_type_of(struct arena *arena, const struct value *v)
{
    return type_of(arena, v);
}

struct value hcl_null(const struct type *type)
{
    return (struct value){.kind = VALUE_NULL, .type = type};
}

struct value hcl_unknown(struct arena *arena, const struct type *type)
{
    /* what a large root has most of */
    static const struct value_unknown text = {
        .type = &type_string, .len_least = -1, .len_most = -1};
    if (!type || type->kind == TYPE_DYNAMIC)
        return value_unknown(NULL);
    if (type == &type_string)
        return value_unknown(&text);
    struct value_unknown *known = arena_new(arena, struct value_unknown, 1);
    if (!known)
        return value_unknown(NULL);
    *known = (struct value_unknown){.type = type, .len_least = -1, .len_most = -1};
    return value_unknown(known);
}

struct str hcl_type_name(struct arena *arena, const struct type *type)
{
    static const char *const names[] = {"dynamic", "bool",    "number", "string", "list of ",
                                        "set of ", "map of ", "tuple",  "object", "capsule"};
    struct str text = str_from(names[type->kind]);
    for (unsigned depth = 0; depth < TYPE_DEPTH_MAX && str_ends(text, STR(" ")); depth++) {
        type = type->elem;
        text = arena_printf(arena, "%.*s%s", STR_ARG(text),
                            type->kind == TYPE_DYNAMIC ? "any single type" : names[type->kind]);
    }
    return text;
}

/* --- primitives --- */

static bool is_sign(char c)
{
    return c == '+' || c == '-';
}

static size_t digit_run(struct str s, size_t at)
{
    size_t from = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at - from;
}

/* [sign] digits [. digits] [(e|E|p) [sign] digits]; the parts by place. */
static bool float_grammar(struct str s, size_t *ret_mantissa_end, char *ret_marker)
{
    size_t at = s.len && is_sign(s.ptr[0]) ? 1 : 0, whole, fraction = 0;
    whole = digit_run(s, at);
    at += whole;
    if (at < s.len && s.ptr[at] == '.') {
        fraction = digit_run(s, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    *ret_mantissa_end = at;
    *ret_marker = 0;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E' || s.ptr[at] == 'p')) {
        *ret_marker = s.ptr[at++];
        if (at < s.len && is_sign(s.ptr[at]))
            at++;
        size_t digits = digit_run(s, at);
        if (digits == 0 || digits > 9)
            return false;
        at += digits;
    }
    return at == s.len;
}

static bool is_word(struct str s, const char *word)
{
    struct str w = str_from(word);
    if (s.len != w.len)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] | 32) != w.ptr[i])
            return false;
    return true;
}

bool hcl_parse_number(struct arena *arena, struct str text, struct value *ret)
{
    size_t mantissa_end;
    char marker;
    bool negative = text.len && text.ptr[0] == '-';
    struct str bare = text.len && is_sign(text.ptr[0]) ? str_sub(text, 1, text.len) : text;
    if (str_equal(bare, STR("inf")) || str_equal(bare, STR("Inf"))) {
        *ret = negative ? hcl_minus_infinity : hcl_infinity;
        return true;
    }
    if (!float_grammar(text, &mantissa_end, &marker))
        return false;
    struct str mantissa = arena_dup(arena, str_sub(text, 0, mantissa_end));
    struct str all = arena_dup(arena, text);
    mpfr_t x;
    mpfr_init2(x, 512);
    bool ok = mantissa.ptr && all.ptr;
    if (ok && marker == 'p') {
        long exponent = strtol(all.ptr + mantissa_end + 1, NULL, 10);
        ok = mpfr_set_str(x, mantissa.ptr, 10, MPFR_RNDN) == 0;
        mpfr_mul_2si(x, x, exponent, MPFR_RNDN);
    } else if (ok) {
        ok = mpfr_set_str(x, all.ptr, 10, MPFR_RNDN) == 0;
    }
    ok = ok && hcl_number_make(arena, x, HCL_PREC_512, ret);
    mpfr_clear(x);
    return ok;
}

static bool to_string(struct arena *arena, const struct value *v, struct value *ret)
{
    if (v->kind == VALUE_NUMBER)
        *ret = value_string(hcl_number_text(arena, v));
    else if (v->kind == VALUE_BOOL)
        *ret = value_string(v->truth ? STR("true") : STR("false"));
    else
        return false;
    return ret->text;
}

static bool to_bool(const struct value *v, struct value *ret, struct str *ret_why)
{
    static const struct {
        const char *text;
        bool truth;
    } words[] = {{"true", true}, {"1", true}, {"false", false}, {"0", false}};
    for (size_t i = 0; v->kind == VALUE_STRING && i < sizeof words / sizeof *words; i++)
        if (str_equal(value_text(v), str_from(words[i].text))) {
            *ret = value_bool(words[i].truth);
            return true;
        }
    if (v->kind == VALUE_STRING && is_word(value_text(v), "true"))
        *ret_why = STR("a bool is required; to convert from string, use lowercase \"true\"");
    else if (v->kind == VALUE_STRING && is_word(value_text(v), "false"))
        *ret_why = STR("a bool is required; to convert from string, use lowercase \"false\"");
    return false;
}

static bool convert_primitive(struct arena *arena, const struct value *v, const struct type *to,
                              struct value *ret, struct str *ret_why)
{
    bool ok = to->kind == TYPE_STRING ? to_string(arena, v, ret)
              : to->kind == TYPE_NUMBER
                  ? v->kind == VALUE_STRING && hcl_parse_number(arena, value_text(v), ret)
                  : to_bool(v, ret, ret_why);
    if (!ok && !ret_why->ptr)
        *ret_why =
            arena_printf(arena, "%s %.*s is required", "a", STR_ARG(hcl_type_name(arena, to)));
    return ok;
}

/* --- structure --- */

struct conversion {
    struct arena *arena;
    struct str *why, *path;
};

static bool convert_at(const struct conversion *c, const struct value *v, const struct type *to,
                       unsigned depth_left, struct value *ret);

static bool refuse(const struct conversion *c, const struct type *to)
{
    if (!c->why->ptr)
        *c->why = arena_printf(c->arena, "%.*s required", STR_ARG(hcl_type_name(c->arena, to)));
    return false;
}

/* Elements of a sequence, each to `elem`. */
static bool convert_items(const struct conversion *c, const struct value *v,
                          const struct type *elem, unsigned depth_left, struct value **ret)
{
    struct value *items = arena_new(c->arena, struct value, v->len);
    const struct value *from = hcl_elements(c->arena, v);
    if (!items || (!from && v->len))
        return false;
    for (uint32_t i = 0; i < v->len; i++)
        if (!convert_at(c, &from[i], elem, depth_left, &items[i])) {
            *c->path = arena_printf(c->arena, "[%u]%.*s", i, STR_ARG(*c->path));
            return false;
        }
    *ret = items;
    return true;
}

/* Of elements whose type the target leaves open, all must have come to be of one. */
static bool is_alike(const struct conversion *c, const struct value *v, const struct type **seen,
                     const char *kind)
{
    const struct type *type = hcl_type_of(c->arena, v);
    if (!type)
        return false;
    if (type->kind == TYPE_DYNAMIC || (*seen && type_equal(*seen, type)))
        return true;
    if (*seen) {
        *c->why =
            arena_printf(c->arena, "%s types must all match for conversion to %s",
                         str_equal(str_from(kind), STR("map")) ? "attribute" : "element", kind);
        return false;
    }
    *seen = type;
    return true;
}

/* The element type to convert to: `elem`, or the common type of the parts where that is dynamic. */
static const struct type *element_type(const struct conversion *c, const struct value *v,
                                       const struct type *elem)
{
    if (!type_has_dynamic(elem))
        return elem;
    const struct type *own = hcl_type_of(c->arena, v);
    if (!own)
        return NULL;
    if (own->kind != TYPE_TUPLE && own->kind != TYPE_OBJECT)
        return elem->kind == TYPE_DYNAMIC ? own->elem : elem;
    const struct type **parts = arena_new(c->arena, const struct type *, own->n);
    for (uint32_t i = 0; parts && i < own->n; i++)
        parts[i] = own->kind == TYPE_TUPLE ? own->items[i] : own->members[i].type;
    const struct type *common = parts ? hcl_unify(c->arena, parts, own->n) : NULL;
    for (uint32_t i = 0; common && common->kind == TYPE_DYNAMIC && own->kind == TYPE_TUPLE &&
                         elem->kind == TYPE_DYNAMIC && i < own->n;
         i++)
        if (parts[i]->kind != TYPE_DYNAMIC)
            common = NULL; /* it could turn out to be of another type */
    if (!common && !c->why->ptr)
        *c->why = STR("all elements must have the same type");
    return elem->kind == TYPE_DYNAMIC || !common ? common : elem;
}

static bool to_sequence(const struct conversion *c, const struct value *v, const struct type *to,
                        unsigned depth_left, struct value *ret)
{
    struct value *items = NULL;
    const struct type *elem = element_type(c, v, to->elem);
    const struct type *seen = NULL;
    if (!elem || !convert_items(c, v, elem, depth_left, &items))
        return false;
    for (uint32_t i = 0; type_has_dynamic(elem) && i < v->len; i++)
        if (!is_alike(c, &items[i], &seen, to->kind == TYPE_SET ? "set" : "list"))
            return false;
    if (to->kind == TYPE_SET)
        return hcl_make_set(c->arena, hcl_type_of_values(c->arena, elem), items, v->len, ret);
    if (v->kind == VALUE_SET && v->len > 1 && !hcl_wholly_known(v)) { /* some may be the same */
        *ret = hcl_unknown_length(c->arena, type_collection(c->arena, TYPE_LIST, elem), 1, v->len);
        return true;
    }
    *ret = value_items(VALUE_LIST, items, v->len);
    if (v->len == 0)
        ret->type = hcl_type_of_values(c->arena, elem);
    return true;
}

static bool to_map(const struct conversion *c, const struct value *v, const struct type *to,
                   unsigned depth_left, struct value *ret)
{
    const struct type *elem = element_type(c, v, to->elem);
    struct value_member *members = arena_new(c->arena, struct value_member, v->len);
    if (!elem || !members)
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        members[i].key = v->members[i].key;
        if (!convert_at(c, &v->members[i].value, elem, depth_left, &members[i].value)) {
            *c->path =
                arena_printf(c->arena, "[\"%s\"]%.*s", members[i].key->text, STR_ARG(*c->path));
            return false;
        }
    }
    const struct type *seen = NULL;
    for (uint32_t i = 0; type_has_dynamic(elem) && i < v->len; i++)
        if (!is_alike(c, &members[i].value, &seen, "map"))
            return false;
    *ret = (struct value){.kind = VALUE_MAP, .len = v->len, .members = members};
    if (v->len == 0)
        ret->type = hcl_type_of_values(c->arena, elem);
    return true;
}

/* A map converts where it lacks what its elements could not become: that shows only here. */
static bool element_fits(const struct conversion *c, const struct value *have,
                         const struct type_member *want)
{
    const struct type *own = hcl_type_of(c->arena, have);
    if (!own || hcl_type_converts(c->arena, own, want->type))
        return true;
    struct str why = hcl_type_mismatch(c->arena, own, want->type);
    *c->why = arena_printf(c->arena, "map element type is incompatible with attribute \"%s\": %.*s",
                           want->key->text, STR_ARG(why));
    return false;
}

static bool to_object(const struct conversion *c, const struct value *v, const struct type *to,
                      unsigned depth_left, struct value *ret)
{
    struct value_member *members = arena_new(c->arena, struct value_member, to->n);
    if (!members)
        return false;
    for (uint32_t i = 0; i < to->n; i++) {
        const struct type_member *want = &to->members[i];
        const struct value *have = value_get(v, key_str(want->key));
        members[i].key = want->key;
        if (!have && !want->optional) {
            *c->why = arena_printf(c->arena, "map has no element for required attribute \"%s\"",
                                   want->key->text);
            return false;
        }
        if (!have) {
            members[i].value = hcl_null(hcl_type_of_values(c->arena, want->type));
        } else if (v->kind == VALUE_MAP && !element_fits(c, have, want)) {
            return false;
        } else if (!convert_at(c, have, want->type, depth_left, &members[i].value)) {
            *c->path = arena_printf(c->arena, ".%s%.*s", want->key->text, STR_ARG(*c->path));
            return false;
        }
    }
    *ret = (struct value){.kind = VALUE_OBJECT, .len = to->n, .members = members};
    return true;
}

static bool to_tuple(const struct conversion *c, const struct value *v, const struct type *to,
                     unsigned depth_left, struct value *ret)
{
    struct value *items = arena_new(c->arena, struct value, to->n);
    if (!items || v->len != to->n)
        return refuse(c, to);
    for (uint32_t i = 0; i < to->n; i++)
        if (!convert_at(c, &v->items[i], to->items[i], depth_left, &items[i])) {
            *c->path = arena_printf(c->arena, "[%u]%.*s", i, STR_ARG(*c->path));
            return false;
        }
    *ret = value_items(VALUE_TUPLE, items, to->n);
    return true;
}

/* Refinements that hold after the conversion too. */
static struct value convert_unknown(const struct conversion *c, const struct value *v,
                                    const struct type *to)
{
    struct value out = hcl_unknown(c->arena, to);
    const struct type *own = hcl_type_of(c->arena, v);
    if (out.unknown && v->unknown && own) {
        struct value_unknown known = *v->unknown;
        known.type = to;
        if (to->kind != own->kind) {
            known.prefix = (struct str){0};
            known.least = known.most = NULL;
        }
        if (to->kind == TYPE_SET && known.len_least > 1)
            known.len_least = 1;
        struct value_unknown *copy = arena_new(c->arena, struct value_unknown, 1);
        if (copy) {
            *copy = known;
            out.unknown = copy;
        }
    }
    return out;
}

static bool convert_known(const struct conversion *c, const struct value *v, const struct type *to,
                          unsigned depth_left, struct value *ret)
{
    bool sequence = v->kind == VALUE_LIST || v->kind == VALUE_SET || v->kind == VALUE_TUPLE;
    switch (to->kind) {
    case TYPE_STRING:
    case TYPE_NUMBER:
    case TYPE_BOOL:
        return convert_primitive(c->arena, v, to, ret, c->why);
    case TYPE_LIST:
    case TYPE_SET:
        return sequence ? to_sequence(c, v, to, depth_left, ret) : refuse(c, to);
    case TYPE_MAP:
        return value_is_object_like(v) ? to_map(c, v, to, depth_left, ret) : refuse(c, to);
    case TYPE_OBJECT:
        return value_is_object_like(v) ? to_object(c, v, to, depth_left, ret) : refuse(c, to);
    case TYPE_TUPLE:
        return v->kind == VALUE_TUPLE ? to_tuple(c, v, to, depth_left, ret) : refuse(c, to);
    default:
        return refuse(c, to);
    }
}

static bool convert_at(const struct conversion *c, const struct value *v, const struct type *to,
                       unsigned depth_left, struct value *ret)
{
    uint8_t marks = v->marks;
    if (to->kind == TYPE_DYNAMIC) {
        *ret = *v;
        return true;
    }
    if (depth_left == 0)
        return refuse(c, to);
    if (v->kind == VALUE_NULL || v->kind == VALUE_UNKNOWN) {
        const struct type *own = hcl_type_of(c->arena, v);
        if (!own || !hcl_type_converts(c->arena, own, to))
            return refuse(c, to);
        to = hcl_type_fill(c->arena, own, to);
        if (!to || !(to = hcl_type_of_values(c->arena, to)))
            return false;
        *ret = v->kind == VALUE_NULL ? hcl_null(to) : convert_unknown(c, v, to);
        ret->marks = marks;
        return true;
    }
    const struct type *own = hcl_type_of(c->arena, v);
    if (own && type_equal(own, to)) {
        *ret = *v;
        return true;
    }
    bool typed = v->kind == VALUE_LIST || v->kind == VALUE_SET || v->kind == VALUE_MAP;
    if ((typed && own && !hcl_is_open(v) && !hcl_type_converts(c->arena, own, to)) ||
        !convert_known(c, v, to, depth_left - 1, ret))
        return refuse(c, to);
    ret->marks |= marks;
    return true;
}

static bool is_open(const struct value *v, unsigned depth_left)
{
    bool open = v->kind == VALUE_OBJECT && v->form == OBJECT_OPEN;
    for (uint32_t i = 0; !open && depth_left && value_is_object_like(v) && i < v->len; i++)
        open = is_open(&v->members[i].value, depth_left - 1);
    for (uint32_t i = 0; !open && depth_left && value_is_list_like(v) && i < v->len; i++)
        open = is_open(&v->items[i], depth_left - 1);
    return open;
}

bool hcl_is_open(const struct value *v)
{
    return is_open(v, VALUE_DEPTH_MAX);
}

bool hcl_convert_path(struct arena *arena, const struct value *v, const struct type *to,
                      struct value *ret, struct str *ret_path, struct str *ret_why)
{
    struct str why = {0}, path = {0};
    struct conversion c = {.arena = arena, .why = &why, .path = &path};
    bool ok = convert_at(&c, v, to, VALUE_DEPTH_MAX, ret);
    if (!ok && hcl_is_open(v)) {
        *ret = hcl_unknown(arena, to);
        ret->marks = v->marks;
        ok = true;
    }
    const struct type *own = ok ? NULL : hcl_type_of(arena, v);
    if (own && !hcl_type_converts(arena, own, to)) { /* then no value of this type would do */
        path = (struct str){0};
        why = hcl_type_mismatch(arena, own, to);
    }
    *ret_path = path;
    *ret_why = why;
    return ok;
}

bool hcl_convert(struct arena *arena, const struct value *v, const struct type *to,
                 struct value *ret, struct str *ret_why)
{
    struct str why, path;
    bool ok = hcl_convert_path(arena, v, to, ret, &path, &why);
    if (ret_why)
        *ret_why = why;
    return ok;
}
