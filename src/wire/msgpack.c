/* msgpack.c - decoding: one pass, guided by the type, straight into the arena. */
#include "wire/msgpack.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "value/number.h"
#include "value/path.h"
#include "wire/json.h"
#include "wire/msgpack_code.h"

/*
 * owed: entries that the open containers have announced and that are still to come. Each takes a
 * byte at least, so that owed never passes the bytes left, and what is allocated for announced
 * entries never passes a fixed multiple of the input.
 */
struct reader {
    struct arena *arena;
    struct err *err;
    const unsigned char *begin, *at, *end;
    size_t owed;
};

enum token_kind {
    TOKEN_NULL,
    TOKEN_BOOL,
    TOKEN_INT,
    TOKEN_UINT, /* past INT64_MAX */
    TOKEN_FLOAT,
    TOKEN_STRING,
    TOKEN_BIN,
    TOKEN_ARRAY,
    TOKEN_MAP,
    TOKEN_EXT
};
static const char *const token_names[] = {"null",   "bool",   "number", "number", "number",
                                          "string", "binary", "array",  "map",    "unknown"};

struct token {
    enum token_kind kind;
    int ext;           /* TOKEN_EXT: its type */
    size_t n;          /* entries, or bytes */
    const char *bytes; /* TOKEN_STRING, TOKEN_BIN, TOKEN_EXT */
    union {
        bool truth;
        int64_t integer;
        uint64_t natural;
        double real;
    };
};

/* What each of 0xc0 .. 0xdf announces: a length or number of `width` bytes. */
static const struct lead {
    unsigned char kind, width;
    bool is_signed;
} leads[32] = {
    [0xc0 - 0xc0] = {TOKEN_NULL, 0, false},
    [0xc2 - 0xc0] = {TOKEN_BOOL, 0, false},
    [0xc3 - 0xc0] = {TOKEN_BOOL, 0, false},
    [CODE_BIN8 - 0xc0] = {TOKEN_BIN, 1, false},
    [CODE_BIN16 - 0xc0] = {TOKEN_BIN, 2, false},
    [CODE_BIN32 - 0xc0] = {TOKEN_BIN, 4, false},
    [CODE_EXT8 - 0xc0] = {TOKEN_EXT, 1, false},
    [CODE_EXT16 - 0xc0] = {TOKEN_EXT, 2, false},
    [CODE_EXT32 - 0xc0] = {TOKEN_EXT, 4, false},
    [CODE_FLOAT32 - 0xc0] = {TOKEN_FLOAT, 4, false},
    [CODE_FLOAT64 - 0xc0] = {TOKEN_FLOAT, 8, false},
    [CODE_UINT8 - 0xc0] = {TOKEN_INT, 1, false},
    [CODE_UINT16 - 0xc0] = {TOKEN_INT, 2, false},
    [CODE_UINT32 - 0xc0] = {TOKEN_INT, 4, false},
    [CODE_UINT64 - 0xc0] = {TOKEN_INT, 8, false},
    [CODE_INT8 - 0xc0] = {TOKEN_INT, 1, true},
    [CODE_INT16 - 0xc0] = {TOKEN_INT, 2, true},
    [CODE_INT32 - 0xc0] = {TOKEN_INT, 4, true},
    [CODE_INT64 - 0xc0] = {TOKEN_INT, 8, true},
    [CODE_FIXEXT1 - 0xc0] = {TOKEN_EXT, 0, false},
    [CODE_FIXEXT1 + 1 - 0xc0] = {TOKEN_EXT, 0, false},
    [CODE_FIXEXT1 + 2 - 0xc0] = {TOKEN_EXT, 0, false},
    [CODE_FIXEXT1 + 3 - 0xc0] = {TOKEN_EXT, 0, false},
    [CODE_FIXEXT1 + 4 - 0xc0] = {TOKEN_EXT, 0, false},
    [CODE_STR8 - 0xc0] = {TOKEN_STRING, 1, false},
    [CODE_STR16 - 0xc0] = {TOKEN_STRING, 2, false},
    [CODE_STR32 - 0xc0] = {TOKEN_STRING, 4, false},
    [CODE_ARRAY16 - 0xc0] = {TOKEN_ARRAY, 2, false},
    [CODE_ARRAY32 - 0xc0] = {TOKEN_ARRAY, 4, false},
    [CODE_MAP16 - 0xc0] = {TOKEN_MAP, 2, false},
    [CODE_MAP32 - 0xc0] = {TOKEN_MAP, 4, false},
};

static bool fail_at(const struct reader *r, const unsigned char *at, const struct path_link *link,
                    const char *why, const char *detail)
{
    AUTO_BUF path = {.limit = 1 << 20};
    path_print_link(&path, link);
    return err_set(r->err, ERR_SYNTAX, "msgpack byte %zu: %.*s%s%s%s", (size_t)(at - r->begin),
                   STR_ARG(buf_view(&path)), path.len ? ": " : "", why, detail);
}

static bool fail(const struct reader *r, const struct path_link *link, const char *why)
{
    return fail_at(r, r->at, link, why, "");
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* --- tokens --- */

static bool read_big_endian(struct reader *r, const struct path_link *link, unsigned width,
                            uint64_t *ret)
{
    uint64_t n = 0;
    if (left(r) < width)
        return fail(r, link, "cut off");
    for (unsigned i = 0; i < width; i++)
        n = n << 8 | *r->at++;
    *ret = n;
    return true;
}

static double to_float(uint64_t bits, unsigned width)
{
    double real;
    if (width == 4) {
        uint32_t small = (uint32_t)bits;
        float single;
        memcpy(&single, &small, sizeof single);
        return (double)single;
    }
    memcpy(&real, &bits, sizeof real);
    return real;
}

static int64_t to_int(uint64_t bits, const struct lead *lead)
{
    unsigned unused = 64 - 8u * lead->width;
    return lead->is_signed ? (int64_t)(bits << unused) >> unused : (int64_t)bits;
}

/* Bytes of a string, binary or extension; entries of a container (a map has two a member). */
static bool claim(struct reader *r, const struct path_link *link, struct token *t)
{
    if (t->kind == TOKEN_EXT) {
        if (left(r) < 1)
            return fail(r, link, "cut off");
        t->ext = (signed char)*r->at++;
    }
    if (t->kind == TOKEN_ARRAY || t->kind == TOKEN_MAP) {
        size_t entries = t->kind == TOKEN_MAP ? t->n * 2 : t->n;
        if (entries > left(r) || r->owed > left(r) - entries)
            return fail(r, link, "announces more entries than there are bytes left");
        return true;
    }
    if (t->n > left(r))
        return fail(r, link, "cut off");
    t->bytes = (const char *)r->at;
    r->at += t->n;
    return true;
}

static bool read_long(struct reader *r, const struct path_link *link, unsigned char c,
                      struct token *ret)
{
    const struct lead *lead = &leads[c - 0xc0];
    uint64_t bits = 0;
    if (c == 0xc1)
        return fail_at(r, r->at - 1, link, "0xc1 is no msgpack", "");
    if (!read_big_endian(r, link, lead->width, &bits))
        return false;
    *ret = (struct token){.kind = (enum token_kind)lead->kind};
    switch (ret->kind) {
    case TOKEN_NULL:
        return true;
    case TOKEN_BOOL:
        ret->truth = c == 0xc3;
        return true;
    case TOKEN_FLOAT:
        ret->real = to_float(bits, lead->width);
        return true;
    case TOKEN_INT:
        ret->integer = to_int(bits, lead);
        if (c == CODE_UINT64 && bits > INT64_MAX) {
            ret->kind = TOKEN_UINT;
            ret->natural = bits;
        }
        return true;
    default:
        ret->n = lead->kind == TOKEN_EXT && lead->width == 0 ? (size_t)1 << (c - CODE_FIXEXT1)
                                                             : (size_t)bits;
        return claim(r, link, ret);
    }
}

static bool read_token(struct reader *r, const struct path_link *link, struct token *ret)
{
    if (r->at == r->end)
        return fail(r, link, "cut off");
    unsigned char c = *r->at++;
    if (c >= 0xc0 && c < 0xe0)
        return read_long(r, link, c, ret);
    if (c < 0x80 || c >= 0xe0) {
        *ret = (struct token){.kind = TOKEN_INT, .integer = (signed char)c};
        return true;
    }
    *ret = c < 0x90   ? (struct token){.kind = TOKEN_MAP, .n = c & 15u}
           : c < 0xa0 ? (struct token){.kind = TOKEN_ARRAY, .n = c & 15u}
                      : (struct token){.kind = TOKEN_STRING, .n = c & 31u};
    return claim(r, link, ret);
}

/* --- values by type --- */

static bool decode_at(struct reader *r, const struct type *type, const struct path_link *link,
                      unsigned depth_left, struct value *ret);

static bool mismatch(const struct reader *r, const unsigned char *at, const struct path_link *link,
                     const struct type *type, const struct token *t)
{
    char why[80];
    AUTO_BUF name = {.limit = 1 << 16};
    type_print_hcl(&name, type);
    struct str want = str_sub(buf_view(&name), 0, 40);
    (void)snprintf(why, sizeof why, "want %.*s, got ", STR_ARG(want));
    return fail_at(r, at, link, why, token_names[t->kind]);
}

static bool decode_text(struct reader *r, const struct path_link *link, const struct token *t,
                        struct str *ret)
{
    struct str s = {t->bytes, t->n};
    size_t bad = utf8_bad_at(s);
    if (bad != SIZE_MAX)
        return fail_at(r, (const unsigned char *)t->bytes + bad, link, "not UTF-8", "");
    *ret = utf8_nfc(r->arena, s);
    return ret->ptr || arena_full(r->arena, r->err);
}

static bool decode_string(struct reader *r, const struct path_link *link, const struct token *t,
                          struct value *ret)
{
    struct str s;
    if (!decode_text(r, link, t, &s))
        return false;
    *ret = value_string(s);
    return true;
}

/* A double that is whole is that integer, to its last digit; else its shortest spelling. */
static bool decode_float(struct reader *r, const struct path_link *link, double real,
                         struct value *ret)
{
    struct str text;
    if (isnan(real))
        return fail(r, link, "not a number (NaN)");
    if (real >= -0x1p63 && real < 0x1p63 && real == (double)(int64_t)real) {
        *ret = value_int((int64_t)real);
        return true;
    }
    if (isinf(real))
        text = real > 0 ? STR(MSGPACK_INFINITY) : STR("-" MSGPACK_INFINITY);
    else if (real >= 0x1p63 || real < -0x1p63) /* so large a one is whole */
        text = arena_printf(r->arena, "%.0f", real);
    else
        text = number_from_double(r->arena, real);
    if (!text.ptr)
        return arena_full(r->arena, r->err);
    *ret = value_number(text);
    return true;
}

static bool decode_number(struct reader *r, const struct path_link *link, const struct token *t,
                          const unsigned char *from, struct value *ret)
{
    struct str text = {t->bytes, t->n};
    switch (t->kind) {
    case TOKEN_INT:
        *ret = value_int(t->integer);
        return true;
    case TOKEN_UINT:
        text = arena_printf(r->arena, "%llu", (unsigned long long)t->natural);
        break;
    case TOKEN_FLOAT:
        return decode_float(r, link, t->real, ret);
    case TOKEN_STRING:
    case TOKEN_BIN:
        if (!number_is_valid(text))
            return fail_at(r, from, link, "a string that is no number", "");
        break;
    default:
        return mismatch(r, from, link, &type_number, t);
    }
    if (!text.ptr)
        return arena_full(r->arena, r->err);
    *ret = value_number(text);
    return true;
}

static bool decode_items(struct reader *r, const struct type *type, const struct path_link *link,
                         size_t n, unsigned depth_left, struct value *ret)
{
    struct value *items = n ? arena_new_raw(r->arena, struct value, n) : NULL;
    bool tuple = type->kind == TYPE_TUPLE;
    if (!items && n)
        return arena_full(r->arena, r->err);
    r->owed += n;
    for (size_t i = 0; i < n; i++) {
        struct path_link here = path_link_index(link, (int64_t)i);
        r->owed--;
        if (!decode_at(r, tuple ? type->items[i] : type->elem, &here, depth_left, &items[i]))
            return false;
    }
    if (type->kind == TYPE_SET)
        n = value_set_normalise(items, n);
    *ret = value_items(type->kind == TYPE_LIST  ? VALUE_LIST
                       : type->kind == TYPE_SET ? VALUE_SET
                                                : VALUE_TUPLE,
                       items, n);
    if (n == 0 && !tuple)
        ret->type = type->elem;
    return true;
}

static bool read_key(struct reader *r, const struct path_link *link, struct str *ret)
{
    struct token t;
    const unsigned char *from = r->at;
    r->owed--;
    if (!read_token(r, link, &t))
        return false;
    if (t.kind != TOKEN_STRING && t.kind != TOKEN_BIN)
        return fail_at(r, from, link, "want a string as key, got ", token_names[t.kind]);
    return decode_text(r, link, &t, ret);
}

static bool decode_map(struct reader *r, const struct type *type, const struct path_link *link,
                       size_t n, unsigned depth_left, struct value *ret)
{
    struct value_member *members = n ? arena_new_raw(r->arena, struct value_member, n) : NULL;
    const unsigned char *from = r->at;
    struct str key;
    if (!members && n)
        return arena_full(r->arena, r->err);
    r->owed += 2 * n;
    for (size_t i = 0; i < n; i++) {
        if (!read_key(r, link, &key))
            return false;
        members[i].key = key_make(r->arena, key);
        if (!members[i].key)
            return arena_full(r->arena, r->err);
        struct path_link here = path_link_key(link, key);
        r->owed--;
        if (!decode_at(r, type->elem, &here, depth_left, &members[i].value))
            return false;
    }
    if (!value_members(VALUE_MAP, members, n, ret, NULL, r->err)) {
        err_clear(r->err);
        return fail_at(r, from, link, "the same key twice", "");
    }
    if (n == 0)
        ret->type = type->elem;
    return true;
}

/* The index of the attribute; `guess` is right where the sender sorts. SIZE_MAX: none. */
static size_t find_attribute(const struct type *type, struct str key, size_t guess)
{
    if (str_equal(key_str(type->members[guess].key), key))
        return guess;
    const struct type_member *member = type_find_member(type, key);
    return member ? (size_t)(member - type->members) : SIZE_MAX;
}

static bool decode_object(struct reader *r, const struct type *type, const struct path_link *link,
                          size_t n, unsigned depth_left, struct value *ret)
{
    char why[80];
    struct str key;
    if (n != type->n) {
        (void)snprintf(why, sizeof why, "want an object of %u attributes, got %zu",
                       (unsigned)type->n, n);
        return fail(r, link, why);
    }
    struct value_member *members = n ? arena_new(r->arena, struct value_member, n) : NULL;
    if (!members && n)
        return arena_full(r->arena, r->err);
    r->owed += 2 * n;
    for (size_t i = 0; i < n; i++) {
        const unsigned char *from = r->at;
        if (!read_key(r, link, &key))
            return false;
        struct path_link here = path_link_key(link, key);
        size_t at = find_attribute(type, key, i);
        if (at == SIZE_MAX || members[at].key)
            return fail_at(r, from, &here,
                           at == SIZE_MAX ? "no attribute of that name" : "the same key twice", "");
        members[at].key = type->members[at].key;
        r->owed--;
        if (!decode_at(r, type->members[at].type, &here, depth_left, &members[at].value))
            return false;
    }
    *ret = (struct value){.kind = VALUE_OBJECT, .len = (uint32_t)n, .members = members};
    return true;
}

/* Type constraint JSON; the primitive types, which are nearly all, without a parser. */
static bool decode_type(struct reader *r, const struct path_link *link, const struct type **ret)
{
    static const struct {
        struct str json;
        const struct type *type;
    } plain[] = {{STR_INIT("\"string\""), &type_string},
                 {STR_INIT("\"number\""), &type_number},
                 {STR_INIT("\"bool\""), &type_bool},
                 {STR_INIT("\"dynamic\""), &type_dynamic}};
    struct token t;
    struct value json;
    const unsigned char *from = r->at;
    r->owed--;
    if (!read_token(r, link, &t))
        return false;
    if (t.kind != TOKEN_BIN && t.kind != TOKEN_STRING)
        return fail_at(r, from, link, "want a type as JSON, got ", token_names[t.kind]);
    struct str text = {t.bytes, t.n};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (str_equal(text, plain[i].json)) {
            *ret = plain[i].type;
            return true;
        }
    if (json_parse(r->arena, text, "type", JSON_NFC, &json, r->err) &&
        type_from_value(r->arena, &json, ret, r->err))
        return true;
    return err_wrap(r->err, "msgpack byte %zu", (size_t)(from - r->begin));
}

static bool decode_dynamic(struct reader *r, const struct path_link *link, const struct token *t,
                           const unsigned char *from, unsigned depth_left, struct value *ret)
{
    const struct type *type;
    if (t->kind != TOKEN_ARRAY || t->n != 2)
        return fail_at(r, from, link, "want a dynamic value [type, value], got ",
                       token_names[t->kind]);
    r->owed += 2;
    if (!decode_type(r, link, &type))
        return false;
    r->owed--;
    return decode_at(r, type, link, depth_left, ret);
}

/* --- unknown values and what is known of them --- */

/* Any value, passed over: counted, not recursed into. */
static bool skip(struct reader *r, const struct path_link *link)
{
    for (size_t n = 1; n; n--) {
        struct token t;
        if (!read_token(r, link, &t))
            return false;
        if (t.kind == TOKEN_ARRAY || t.kind == TOKEN_MAP) {
            size_t entries = t.kind == TOKEN_MAP ? 2 * t.n : t.n;
            if (n - 1 + entries > left(r))
                return fail(r, link, "announces more entries than there are bytes left");
            n += entries;
        }
    }
    return true;
}

static bool decode_bound(struct reader *r, const struct path_link *link, const struct value **ret,
                         bool *ret_inclusive)
{
    struct token t;
    struct value *number = arena_new(r->arena, struct value, 1);
    const unsigned char *from = r->at;
    if (!number)
        return arena_full(r->arena, r->err);
    if (!read_token(r, link, &t))
        return false;
    if (t.kind != TOKEN_ARRAY || t.n != 2)
        return fail_at(r, from, link, "want [bound, inclusive], got ", token_names[t.kind]);
    from = r->at;
    if (!read_token(r, link, &t) || !decode_number(r, link, &t, from, number))
        return false;
    from = r->at;
    if (!read_token(r, link, &t))
        return false;
    if (t.kind != TOKEN_BOOL)
        return fail_at(r, from, link, "want bool, got ", token_names[t.kind]);
    *ret = number;
    *ret_inclusive = t.truth;
    return true;
}

static bool decode_simple(struct reader *r, const struct path_link *link, enum token_kind kind,
                          struct token *ret)
{
    const unsigned char *from = r->at;
    if (!read_token(r, link, ret))
        return false;
    return ret->kind == kind || fail_at(r, from, link, "refinement: got ", token_names[ret->kind]);
}

/* One entry of the map; an unknown key is passed over. *ret_null: it is known to be null. */
static bool decode_refinement(struct reader *r, const struct path_link *link, int64_t key,
                              struct value_unknown *known, bool *ret_null)
{
    struct token t;
    switch (key) {
    case REFINE_NULL:
        if (!decode_simple(r, link, TOKEN_BOOL, &t))
            return false;
        known->not_null = !t.truth;
        *ret_null = t.truth;
        return true;
    case REFINE_PREFIX:
        return decode_simple(r, link, TOKEN_STRING, &t) && decode_text(r, link, &t, &known->prefix);
    case REFINE_LEAST:
        return decode_bound(r, link, &known->least, &known->least_inclusive);
    case REFINE_MOST:
        return decode_bound(r, link, &known->most, &known->most_inclusive);
    case REFINE_LEN_LEAST:
    case REFINE_LEN_MOST:
        if (!decode_simple(r, link, TOKEN_INT, &t))
            return false;
        *(key == REFINE_LEN_LEAST ? &known->len_least : &known->len_most) = t.integer;
        return true;
    default:
        return skip(r, link);
    }
}

/* The payload is msgpack of its own: read by a reader of its own, with the byte counts kept. */
static bool decode_unknown(struct reader *outer, const struct type *type,
                           const struct path_link *link, const struct token *ext, struct value *ret)
{
    struct value_unknown *known = arena_new(outer->arena, struct value_unknown, 1);
    struct token t;
    bool null = false;
    if (!known)
        return arena_full(outer->arena, outer->err);
    known->type = type->kind == TYPE_DYNAMIC ? NULL : type;
    known->len_least = known->len_most = -1;
    *ret = value_unknown(known);
    if (ext->ext != EXT_REFINED || ext->n <= 1)
        return true;
    struct reader r = *outer;
    r.at = (const unsigned char *)ext->bytes;
    r.end = r.at + ext->n;
    r.owed = 0;
    if (!decode_simple(&r, link, TOKEN_MAP, &t))
        return false;
    for (size_t n = t.n; n; n--)
        if (!decode_simple(&r, link, TOKEN_INT, &t) ||
            !decode_refinement(&r, link, t.integer, known, &null))
            return false;
    if (r.at != r.end)
        return fail(&r, link, "bytes behind a refinement");
    if (null)
        *ret = (struct value){.kind = VALUE_NULL, .type = known->type};
    return true;
}

/* --- all together --- */

static bool decode_shape(struct reader *r, const struct type *type, const struct path_link *link,
                         const struct token *t, const unsigned char *from, unsigned depth_left,
                         struct value *ret)
{
    switch (type->kind) {
    case TYPE_STRING:
        if (t->kind == TOKEN_STRING || t->kind == TOKEN_BIN)
            return decode_string(r, link, t, ret);
        break;
    case TYPE_NUMBER:
        return decode_number(r, link, t, from, ret);
    case TYPE_BOOL:
        if (t->kind != TOKEN_BOOL)
            break;
        *ret = value_bool(t->truth);
        return true;
    case TYPE_DYNAMIC:
        return decode_dynamic(r, link, t, from, depth_left, ret);
    case TYPE_TUPLE:
        if (t->n != type->n)
            break;
        __attribute__((fallthrough));
    case TYPE_LIST:
    case TYPE_SET:
        if (t->kind == TOKEN_ARRAY)
            return decode_items(r, type, link, t->n, depth_left, ret);
        break;
    case TYPE_MAP:
        if (t->kind == TOKEN_MAP)
            return decode_map(r, type, link, t->n, depth_left, ret);
        break;
    case TYPE_OBJECT:
        if (t->kind == TOKEN_MAP)
            return decode_object(r, type, link, t->n, depth_left, ret);
        break;
    case TYPE_CAPSULE:
        break;
    }
    return mismatch(r, from, link, type, t);
}

static bool decode_at(struct reader *r, const struct type *type, const struct path_link *link,
                      unsigned depth_left, struct value *ret)
{
    const unsigned char *from = r->at;
    struct token t;
    if (depth_left == 0)
        return err_set(r->err, ERR_LIMIT, "msgpack nested deeper than %d, byte %zu",
                       VALUE_DEPTH_MAX, (size_t)(r->at - r->begin));
    if (!read_token(r, link, &t))
        return false;
    if (t.kind == TOKEN_NULL) {
        *ret = (struct value){.kind = VALUE_NULL, .type = type->kind == TYPE_DYNAMIC ? NULL : type};
        return true;
    }
    if (t.kind == TOKEN_EXT)
        return decode_unknown(r, type, link, &t, ret);
    return decode_shape(r, type, link, &t, from, depth_left - 1, ret);
}

bool msgpack_decode(struct arena *arena, const struct type *type, struct str bytes,
                    struct value *ret, struct err *err)
{
    const unsigned char *begin = (const unsigned char *)(bytes.ptr ? bytes.ptr : "");
    struct reader r = {
        .arena = arena, .err = err, .begin = begin, .at = begin, .end = begin + bytes.len};
    struct value made;
    if (bytes.len > VALUE_LEN_MAX)
        return err_set(err, ERR_LIMIT, "msgpack of more than %u bytes", (unsigned)VALUE_LEN_MAX);
    if (!decode_at(&r, type, NULL, VALUE_DEPTH_MAX + 1, &made))
        return false;
    if (r.at != r.end)
        return fail(&r, NULL, "bytes behind the value");
    *ret = made;
    return true;
}
