/* msgpack_write.c - encoding, byte for byte as go-cty does but for the order of sets. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "value/number.h"
#include "value/path.h"
#include "wire/msgpack.h"
#include "wire/msgpack_code.h"

enum {
    NUMBER_DIGITS_MAX = 20000, /* of a number that only a decimal string holds */
    TYPE_BYTES_MAX = 64 << 20  /* of the types worked out for one dynamic value */
};

static bool encode_at(struct buf *out, const struct type *type, const struct value *v,
                      const struct path_link *link, unsigned depth_left, struct err *err);

static void put_big_endian(struct buf *out, uint64_t n, unsigned width)
{
    char bytes[8];
    for (unsigned i = 0; i < width; i++)
        bytes[i] = (char)(n >> (8 * (width - 1 - i)));
    buf_add(out, bytes, width);
}

static void put_code(struct buf *out, unsigned code, uint64_t n, unsigned width)
{
    buf_char(out, (char)code);
    put_big_endian(out, n, width);
}

/* The shortest of the codes for 1, 2 and 4 bytes of length; code8 0 = there is none. */
static void put_length(struct buf *out, unsigned code8, unsigned code16, size_t n)
{
    if (code8 && n <= UINT8_MAX)
        put_code(out, code8, n, 1);
    else if (n <= UINT16_MAX)
        put_code(out, code16, n, 2);
    else
        put_code(out, code16 + 1, n, 4);
}

static void put_string(struct buf *out, struct str s)
{
    if (s.len < 32)
        buf_char(out, (char)(0xa0 | s.len));
    else
        put_length(out, CODE_STR8, CODE_STR16, s.len);
    buf_str(out, s);
}

static void put_array(struct buf *out, size_t n)
{
    if (n < 16)
        buf_char(out, (char)(0x90 | n));
    else
        put_length(out, 0, CODE_ARRAY16, n);
}

static void put_map(struct buf *out, size_t n)
{
    if (n < 16)
        buf_char(out, (char)(0x80 | n));
    else
        put_length(out, 0, CODE_MAP16, n);
}

static void put_bool(struct buf *out, bool truth)
{
    buf_char(out, (char)(truth ? CODE_TRUE : CODE_FALSE));
}

/* Go's way: what is not negative in the unsigned forms. */
static void put_int(struct buf *out, int64_t n)
{
    uint64_t magnitude = n < 0 ? ~(uint64_t)n : (uint64_t)n;
    unsigned sign = n < 0 ? 1 : 0, log2_width = 0;
    if (n >= -32 && n <= 127) {
        buf_char(out, (char)n);
        return;
    }
    while (log2_width < 3 && magnitude >> ((8u << log2_width) - sign))
        log2_width++;
    put_code(out, (n < 0 ? CODE_INT8 : CODE_UINT8) + log2_width, (uint64_t)n, 1u << log2_width);
}

static void put_double(struct buf *out, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_code(out, CODE_FLOAT64, bits, 8);
}

static bool encode_number(struct buf *out, const struct value *v, struct err *err)
{
    int64_t integer;
    bool exact;
    if (value_to_int64(v, &integer)) {
        put_int(out, integer);
        return true;
    }
    static const struct value infinite[] = {
        {.kind = VALUE_NUMBER, .len = sizeof MSGPACK_INFINITY - 1, .text = MSGPACK_INFINITY},
        {.kind = VALUE_NUMBER, .len = sizeof MSGPACK_INFINITY, .text = "-" MSGPACK_INFINITY}};
    double x = number_to_double(v, &exact);
    for (unsigned i = 0; i < 2; i++)
        if (number_compare(v, &infinite[i]) == 0) {
            put_double(out, x);
            return true;
        }
    if (exact && x != __builtin_trunc(x)) {
        put_double(out, x);
        return true;
    }
    AUTO_ARENA scratch = {.limit = NUMBER_DIGITS_MAX + 16};
    struct str plain;
    if (!number_print_plain(&scratch, v, NUMBER_DIGITS_MAX, &plain, err))
        return false;
    put_string(out, plain);
    return true;
}

static bool fail(const struct path_link *link, const struct type *type, const struct value *v,
                 struct err *err)
{
    AUTO_BUF text = {.limit = 1 << 20};
    path_print_link(&text, link);
    buf_str(&text, text.len ? STR(": want ") : STR("want "));
    type_print_hcl(&text, type);
    return err_set(err, ERR_SYNTAX, "%.*s, got %s", STR_ARG(buf_view(&text)),
                   v ? value_kind_name((enum value_kind)v->kind) : "nothing");
}

static bool encode_items(struct buf *out, const struct type *type, const struct value *v,
                         const struct path_link *link, unsigned depth_left, struct err *err)
{
    bool tuple = type->kind == TYPE_TUPLE;
    if (!value_is_list_like(v) || (tuple && v->len != type->n))
        return fail(link, type, v, err);
    put_array(out, v->len);
    for (uint32_t i = 0; i < v->len; i++) {
        struct path_link here = path_link_index(link, i);
        if (!encode_at(out, tuple ? type->items[i] : type->elem, &v->items[i], &here, depth_left,
                       err))
            return false;
    }
    return true;
}

/* A value object of that type has the same sorted keys, one for one. */
static bool encode_members(struct buf *out, const struct type *type, const struct value *v,
                           const struct path_link *link, unsigned depth_left, struct err *err)
{
    bool object = type->kind == TYPE_OBJECT;
    if (!value_is_object_like(v) || (object && v->len != type->n))
        return fail(link, type, v, err);
    put_map(out, v->len);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value_member *m = &v->members[i];
        const struct value_key *key = object ? type->members[i].key : m->key;
        struct path_link here = path_link_key(link, key_str(key));
        if (!key_equal(m->key, key))
            return fail(&here, type->members[i].type, NULL, err);
        put_string(out, key_str(key));
        if (!encode_at(out, object ? type->members[i].type : type->elem, &m->value, &here,
                       depth_left, err))
            return false;
    }
    return true;
}

static bool encode_dynamic(struct buf *out, const struct value *v, const struct path_link *link,
                           unsigned depth_left, struct err *err)
{
    AUTO_ARENA scratch = {.limit = TYPE_BYTES_MAX};
    AUTO_BUF json = {.limit = TYPE_BYTES_MAX};
    const struct type *type = type_of(&scratch, v);
    if (!type)
        return arena_full(&scratch, err);
    if (type->kind == TYPE_DYNAMIC) { /* null or unknown, and nothing more is known */
        if (v->kind == VALUE_NULL)
            buf_char(out, (char)CODE_NULL);
        else
            put_code(out, CODE_FIXEXT1, 0, 2);
        return true;
    }
    type_print_json(&json, type);
    if (!buf_ok(&json, err))
        return false;
    put_array(out, 2);
    put_length(out, CODE_BIN8, CODE_BIN16, json.len);
    buf_str(out, buf_view(&json));
    /* No deeper than the type was printed. */
    return encode_at(out, type, v, link, depth_left < TYPE_DEPTH_MAX ? depth_left : TYPE_DEPTH_MAX,
                     err);
}

static bool put_bound(struct buf *out, int key, const struct value *bound, bool inclusive,
                      struct err *err)
{
    if (!bound)
        return true;
    put_int(out, key);
    put_array(out, 2);
    if (!encode_number(out, bound, err))
        return false;
    put_bool(out, inclusive);
    return true;
}

static bool put_refinements(struct buf *out, const struct value_unknown *known, struct err *err)
{
    put_map(out, (size_t)known->not_null + (known->prefix.len > 0) + (known->least != NULL) +
                     (known->most != NULL) + (known->len_least >= 0) + (known->len_most >= 0));
    if (known->not_null) {
        put_int(out, REFINE_NULL);
        put_bool(out, false);
    }
    if (known->prefix.len) {
        put_int(out, REFINE_PREFIX);
        put_string(out, known->prefix);
    }
    if (!put_bound(out, REFINE_LEAST, known->least, known->least_inclusive, err) ||
        !put_bound(out, REFINE_MOST, known->most, known->most_inclusive, err))
        return false;
    if (known->len_least >= 0) {
        put_int(out, REFINE_LEN_LEAST);
        put_int(out, known->len_least);
    }
    if (known->len_most >= 0) {
        put_int(out, REFINE_LEN_MOST);
        put_int(out, known->len_most);
    }
    return true;
}

static bool encode_unknown(struct buf *out, const struct value_unknown *known, struct err *err)
{
    AUTO_BUF payload = {.limit = 1 << 20};
    if (!known || !(known->not_null || known->prefix.len || known->least || known->most ||
                    known->len_least >= 0 || known->len_most >= 0)) {
        put_code(out, CODE_FIXEXT1, EXT_UNKNOWN, 2);
        return true;
    }
    if (!put_refinements(&payload, known, err) || !buf_ok(&payload, err))
        return false;
    size_t n = payload.len;
    bool fixed = n <= 16 && (n & (n - 1)) == 0;
    if (fixed)
        buf_char(out, (char)(CODE_FIXEXT1 + __builtin_ctz((unsigned)n)));
    else
        put_length(out, CODE_EXT8, CODE_EXT16, n);
    buf_char(out, (char)EXT_REFINED);
    buf_str(out, buf_view(&payload));
    return true;
}

static bool encode_at(struct buf *out, const struct type *type, const struct value *v,
                      const struct path_link *link, unsigned depth_left, struct err *err)
{
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "value nested too deep for msgpack");
    if (type->kind == TYPE_DYNAMIC)
        return encode_dynamic(out, v, link, depth_left - 1, err);
    if (v->kind == VALUE_NULL) {
        buf_char(out, (char)CODE_NULL);
        return true;
    }
    if (v->kind == VALUE_UNKNOWN)
        return encode_unknown(out, v->unknown, err);
    switch (type->kind) {
    case TYPE_BOOL:
        if (v->kind != VALUE_BOOL)
            break;
        put_bool(out, v->truth);
        return true;
    case TYPE_NUMBER:
        if (v->kind != VALUE_NUMBER)
            break;
        return encode_number(out, v, err) || err_wrap(err, "msgpack");
    case TYPE_STRING:
        if (v->kind != VALUE_STRING)
            break;
        put_string(out, value_text(v));
        return true;
    case TYPE_LIST:
    case TYPE_SET:
    case TYPE_TUPLE:
        return encode_items(out, type, v, link, depth_left - 1, err);
    case TYPE_MAP:
    case TYPE_OBJECT:
        return encode_members(out, type, v, link, depth_left - 1, err);
    case TYPE_DYNAMIC:
    case TYPE_CAPSULE:
        break;
    }
    return fail(link, type, v, err);
}

bool msgpack_encode(struct buf *out, const struct type *type, const struct value *v,
                    struct err *err)
{
    return encode_at(out, type, v, NULL, 2 * (VALUE_DEPTH_MAX + 1), err) && buf_ok(out, err);
}
