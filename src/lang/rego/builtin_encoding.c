/* builtin_encoding.c - Rego's encodings: base64, hex, URL queries, hashes, JSON texts. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/openssl.h"
#include "lang/rego/builtin.h"
#include "wire/base64.h"
#include "wire/json.h"

static struct str text(const struct rego_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

/* --- base64 --- */

static enum rego_outcome encode64(struct rego_call *call, enum base64_form form, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    base64_write(&out, text(call, 0), form);
    return rego_give_buf(call, &out, ret);
}
static enum rego_outcome base64_encode(struct rego_call *call, struct value *ret)
{
    return encode64(call, BASE64_STANDARD, ret);
}
static enum rego_outcome base64url_encode(struct rego_call *call, struct value *ret)
{
    return encode64(call, BASE64_URL, ret);
}
static enum rego_outcome base64url_encode_no_pad(struct rego_call *call, struct value *ret)
{
    return encode64(call, BASE64_URL_BARE, ret);
}

static enum rego_outcome decode64(struct rego_call *call, enum base64_form form, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    size_t bad = 0;
    /* Of an URL's form OPA makes the padding, by a length that counts line ends too. */
    if ((form == BASE64_URL && text(call, 0).len % 4 == 1) ||
        !base64_read(&out, text(call, 0), form, &bad))
        return rego_fail(call, "illegal base64 data at input byte %zu", bad);
    return rego_give_buf(call, &out, ret);
}
static enum rego_outcome base64_decode(struct rego_call *call, struct value *ret)
{
    return decode64(call, BASE64_STANDARD, ret);
}
static enum rego_outcome base64url_decode(struct rego_call *call, struct value *ret)
{
    return decode64(call, BASE64_URL, ret);
}
static enum rego_outcome base64_is_valid(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    size_t bad;
    *ret = value_bool(call->arg->kind == VALUE_STRING &&
                      base64_read(&out, text(call, 0), BASE64_STANDARD, &bad));
    return REGO_DEFINED;
}

/* --- hex --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum rego_outcome hex_encode(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str s = text(call, 0);
    for (size_t i = 0; i < s.len; i++)
        buf_printf(&out, "%02x", (unsigned char)s.ptr[i]);
    return rego_give_buf(call, &out, ret);
}

static enum rego_outcome hex_decode(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str s = text(call, 0);
    for (size_t i = 0; i < s.len; i++)
        if (hex_digit(s.ptr[i]) < 0)
            return rego_fail(call, "encoding/hex: invalid byte: U+%04X '%c'",
                             (unsigned char)s.ptr[i], s.ptr[i]);
    if (s.len % 2)
        return rego_fail(call, "encoding/hex: odd length hex string");
    for (size_t i = 0; i < s.len; i += 2)
        buf_char(&out, (char)(hex_digit(s.ptr[i]) << 4 | hex_digit(s.ptr[i + 1])));
    return rego_give_buf(call, &out, ret);
}

/* --- URL queries --- */

static void query_escape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (isalnum(c) || (c && strchr("-_.~", c)))
            buf_char(out, (char)c);
        else if (c == ' ')
            buf_char(out, '+');
        else
            buf_printf(out, "%%%02X", c);
    }
}

static bool query_unescape(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '+') {
            buf_char(out, ' ');
        } else if (s.ptr[i] == '%') {
            if (i + 2 >= s.len || hex_digit(s.ptr[i + 1]) < 0 || hex_digit(s.ptr[i + 2]) < 0)
                return false;
            buf_char(out, (char)(hex_digit(s.ptr[i + 1]) << 4 | hex_digit(s.ptr[i + 2])));
            i += 2;
        } else {
            buf_char(out, s.ptr[i]);
        }
    }
    return true;
}

static enum rego_outcome urlquery_encode(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    query_escape(&out, text(call, 0));
    return rego_give_buf(call, &out, ret);
}

static enum rego_outcome urlquery_decode(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    if (!query_unescape(&out, text(call, 0)))
        return rego_fail(call, "invalid URL escape");
    return rego_give_buf(call, &out, ret);
}

static bool add_query(struct buf *out, struct str key, const struct value *v)
{
    if (v->kind != VALUE_STRING)
        return false;
    if (out->len)
        buf_char(out, '&');
    query_escape(out, key);
    buf_char(out, '=');
    query_escape(out, value_text(v));
    return true;
}

static enum rego_outcome urlquery_encode_object(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct value key, v;
    for (size_t at = 0; rego_next(call->arg, &at, &key, &v);) {
        bool list = rego_is_array(&v) || v.kind == VALUE_SET;
        bool ok = key.kind == VALUE_STRING;
        for (uint32_t i = 0; ok && list && i < v.len; i++)
            ok = add_query(&out, value_text(&key), &v.items[i]);
        if (!ok || (!list && !add_query(&out, value_text(&key), &v))) {
            call->why = STR("operand 1 values must be string, array[string], or set[string]");
            call->type_error = true;
            return REGO_FAILED;
        }
    }
    return rego_give_buf(call, &out, ret);
}

/* The values under one key, in order of the text. */
static bool query_value(struct rego_call *call, struct rego_pair *pair, struct str s)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    uint32_t n = pair->value.len;
    struct value *items = arena_new_raw(call->arena, struct value, n + 1);
    if (!items || !query_unescape(&out, s))
        return false;
    if (n)
        memcpy(items, pair->value.items, n * sizeof *items);
    struct str kept = arena_dup(call->arena, buf_view(&out));
    items[n] = value_string(kept);
    pair->value = value_items(VALUE_TUPLE, items, n + 1);
    return kept.ptr != NULL;
}

static enum rego_outcome urlquery_decode_object(struct rego_call *call, struct value *ret)
{
    struct str s = text(call, 0), head;
    struct rego_pair *pairs = NULL;
    size_t n = 0, room = 0, clash;
    while (s.len) {
        AUTO_BUF key = {.limit = rego_room(call)};
        (void)str_cut(&s, '&', &head);
        if (!head.len)
            continue;
        struct str name = head, rest = STR("");
        size_t equals = str_find_char(head, '=', 0);
        if (equals != SIZE_MAX) {
            name = str_sub(head, 0, equals);
            rest = str_sub(head, equals + 1, head.len);
        }
        if (!query_unescape(&key, name))
            return rego_fail(call, "invalid URL escape");
        size_t i = 0;
        while (i < n && !str_equal(value_text(&pairs[i].key), buf_view(&key)))
            i++;
        if (i == n) {
            pairs = arena_grow(call->arena, pairs, n, &room, n + 1);
            struct str kept = arena_dup(call->arena, buf_view(&key));
            if (!pairs || !kept.ptr)
                return REGO_HALT;
            pairs[n++] = (struct rego_pair){value_string(kept), value_items(VALUE_TUPLE, NULL, 0)};
        }
        if (!query_value(call, &pairs[i], rest))
            return rego_fail(call, "invalid URL escape");
    }
    return rego_make_object(pairs, n, ret, &clash) ? REGO_DEFINED : REGO_HALT;
}

/* --- hashes --- */

static enum rego_outcome give_hex(struct rego_call *call, const unsigned char *bytes, size_t n,
                                  struct value *ret)
{
    AUTO_BUF out = {.limit = 1 << 10};
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%02x", bytes[i]);
    return rego_give_buf(call, &out, ret);
}

static enum rego_outcome hash(struct rego_call *call, const EVP_MD *md, struct value *ret)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!EVP_Digest(text(call, 0).ptr, text(call, 0).len, out, &n, md, NULL))
        return rego_fail(call, "the hash is not available");
    return give_hex(call, out, n, ret);
}
static enum rego_outcome md5(struct rego_call *call, struct value *ret)
{
    return hash(call, EVP_md5(), ret);
}
static enum rego_outcome sha1(struct rego_call *call, struct value *ret)
{
    return hash(call, EVP_sha1(), ret);
}
static enum rego_outcome sha256(struct rego_call *call, struct value *ret)
{
    return hash(call, EVP_sha256(), ret);
}

/* (message, key) */
static enum rego_outcome hmac(struct rego_call *call, const EVP_MD *md, struct value *ret)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct str message = text(call, 0), key = text(call, 1);
    if (!HMAC(md, key.len ? key.ptr : "", (int)key.len, (const unsigned char *)message.ptr,
              message.len, out, &n))
        return rego_fail(call, "the hash is not available");
    return give_hex(call, out, n, ret);
}
static enum rego_outcome hmac_md5(struct rego_call *call, struct value *ret)
{
    return hmac(call, EVP_md5(), ret);
}
static enum rego_outcome hmac_sha1(struct rego_call *call, struct value *ret)
{
    return hmac(call, EVP_sha1(), ret);
}
static enum rego_outcome hmac_sha256(struct rego_call *call, struct value *ret)
{
    return hmac(call, EVP_sha256(), ret);
}
static enum rego_outcome hmac_sha512(struct rego_call *call, struct value *ret)
{
    return hmac(call, EVP_sha512(), ret);
}

static enum rego_outcome hmac_equal(struct rego_call *call, struct value *ret)
{
    struct str a = text(call, 0), b = text(call, 1);
    *ret = value_bool(a.len == b.len && CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
    return REGO_DEFINED;
}

/* --- JSON texts --- */

static enum rego_outcome json_marshal(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    rego_json(&out, call->arg);
    return rego_give_buf(call, &out, ret);
}

/* Spread compact JSON over lines as Go's Indent does. */
static void indent(struct buf *out, struct str s, struct str prefix, struct str by)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (quoted) {
            buf_char(out, c);
            if (c == '\\')
                buf_char(out, s.ptr[++i]);
            quoted = c != '"';
            continue;
        }
        bool open = c == '{' || c == '[', end = c == '}' || c == ']';
        bool empty = open && i + 1 < s.len && (s.ptr[i + 1] == '}' || s.ptr[i + 1] == ']');
        quoted = c == '"';
        if (empty) {
            buf_char(out, c);
            buf_char(out, s.ptr[++i]);
            continue;
        }
        depth += open;
        depth -= end;
        if (!end)
            buf_char(out, c);
        if (c == ':')
            buf_char(out, ' ');
        if (open || end || c == ',') {
            buf_char(out, '\n');
            buf_str(out, prefix);
            for (size_t k = 0; k < depth; k++)
                buf_str(out, by);
        }
        if (end)
            buf_char(out, c);
    }
}

__attribute__((format(printf, 2, 3))) static enum rego_outcome option_error(struct rego_call *call,
                                                                            const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str what = arena_vprintf(call->arena, fmt, args);
    va_end(args);
    call->why = arena_printf(call->arena, "operand 2 %.*s", STR_ARG(what));
    call->type_error = true;
    return REGO_FAILED;
}

static enum rego_outcome json_marshal_with_options(struct rego_call *call, struct value *ret)
{
    AUTO_BUF compact = {.limit = rego_room(call)};
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str prefix = STR(""), by = STR("\t");
    bool pretty = false, told = false;
    struct value key, v;
    for (size_t at = 0; rego_next(&call->arg[1], &at, &key, &v);) {
        struct str name = key.kind == VALUE_STRING ? value_text(&key) : STR("");
        bool is_pretty = str_equal(name, STR("pretty"));
        if (is_pretty && v.kind == VALUE_BOOL) {
            pretty = v.truth;
            told = true;
        } else if (str_equal(name, STR("prefix")) && v.kind == VALUE_STRING) {
            prefix = value_text(&v);
            pretty = told ? pretty : true;
        } else if (str_equal(name, STR("indent")) && v.kind == VALUE_STRING) {
            by = value_text(&v);
            pretty = told ? pretty : true;
        } else if (is_pretty || str_equal(name, STR("prefix")) || str_equal(name, STR("indent"))) {
            return option_error(call, "key \"%.*s\" has a value of type %s", STR_ARG(name),
                                rego_type_name(&v));
        } else {
            AUTO_BUF name_text = {.limit = 1 << 16};
            rego_text(&name_text, &key);
            return option_error(call, "object contained unknown key %.*s",
                                STR_ARG(buf_view(&name_text)));
        }
    }
    rego_json(&compact, &call->arg[0]);
    if (!pretty)
        return rego_give_buf(call, &compact, ret);
    buf_str(&out, prefix);
    out.failed |= compact.failed;
    indent(&out, buf_view(&compact), prefix, by);
    return rego_give_buf(call, &out, ret);
}

static enum rego_outcome json_unmarshal(struct rego_call *call, struct value *ret)
{
    struct err err = {0};
    if (!json_parse(call->arena, text(call, 0), "text", JSON_DUPLICATES_LAST, ret, &err))
        return rego_fail(call, "%s", err.frame[0]);
    return REGO_DEFINED;
}

static enum rego_outcome json_is_valid(struct rego_call *call, struct value *ret)
{
    struct value parsed;
    *ret = value_bool(
        call->arg->kind == VALUE_STRING &&
        json_parse(call->arena, text(call, 0), "text", JSON_DUPLICATES_LAST, &parsed, NULL));
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"base64.encode", NULL, "(string) => string", base64_encode, 0},
    {"base64.decode", NULL, "(string) => string", base64_decode, 0},
    {"base64.is_valid", NULL, "(any) => boolean", base64_is_valid, 0},
    {"base64url.encode", NULL, "(string) => string", base64url_encode, 0},
    {"base64url.encode_no_pad", NULL, "(string) => string", base64url_encode_no_pad, 0},
    {"base64url.decode", NULL, "(string) => string", base64url_decode, 0},
    {"hex.encode", NULL, "(string) => string", hex_encode, 0},
    {"hex.decode", NULL, "(string) => string", hex_decode, 0},
    {"urlquery.encode", NULL, "(string) => string", urlquery_encode, 0},
    {"urlquery.decode", NULL, "(string) => string", urlquery_decode, 0},
    {"urlquery.encode_object", NULL,
     "(object[string: string | array[string] | set[string]]) => string", urlquery_encode_object, 0},
    {"urlquery.decode_object", NULL, "(string) => object[string: array[string]]",
     urlquery_decode_object, 0},
    {"crypto.md5", NULL, "(string) => string", md5, 0},
    {"crypto.sha1", NULL, "(string) => string", sha1, 0},
    {"crypto.sha256", NULL, "(string) => string", sha256, 0},
    {"crypto.hmac.md5", NULL, "(string, string) => string", hmac_md5, 0},
    {"crypto.hmac.sha1", NULL, "(string, string) => string", hmac_sha1, 0},
    {"crypto.hmac.sha256", NULL, "(string, string) => string", hmac_sha256, 0},
    {"crypto.hmac.sha512", NULL, "(string, string) => string", hmac_sha512, 0},
    {"crypto.hmac.equal", NULL, "(string, string) => boolean", hmac_equal, 0},
    {"json.marshal", NULL, "(any) => string", json_marshal, 0},
    {"json.marshal_with_options", NULL, "(any, object[any: any]) => string",
     json_marshal_with_options, 0},
    {"json.unmarshal", NULL, "(string) => any", json_unmarshal, 0},
    {"json.is_valid", NULL, "(any) => boolean", json_is_valid, 0},
};
const struct rego_family builtin_encoding = {table, sizeof table / sizeof *table};
