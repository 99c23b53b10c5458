/* fn_encoding.c - base64, gzip, URLs, and text in other character sets. */
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "lang/hcl/charset.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"

static struct str text_of(struct hcl_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

static bool give_base64(struct hcl_call *call, struct str bytes, struct value *ret)
{
    return hcl_give_text(call, base64_encode(call->ev->arena, bytes), ret);
}

/* --- base64 --- */

static bool run_base64encode(struct hcl_call *call, struct value *ret)
{
    return give_base64(call, text_of(call, 0), ret);
}

/* The bytes of an argument whose marks are still on it; its text is not for messages if secret. */
static bool marked_bytes(struct hcl_call *call, struct str *ret)
{
    const struct value *v = &call->arg[0];
    size_t bad_at;
    if (hcl_base64_decode(call->ev->arena, value_text(v), ret, &bad_at))
        return true;
    if (v->marks & VALUE_SENSITIVE)
        return hcl_call_fail(call, -1, "failed to decode base64 data (sensitive value)");
    return hcl_call_fail(call, -1, "failed to decode base64 data \"%.*s\"", STR_ARG(value_text(v)));
}

static bool unknown_marked(struct hcl_call *call, struct value *ret)
{
    *ret = hcl_with_marks(hcl_unknown_not_null(call->ev->arena, &type_string), call->arg[0].marks);
    return true;
}

static bool run_base64decode(struct hcl_call *call, struct value *ret)
{
    struct str bytes;
    if (call->arg[0].kind == VALUE_UNKNOWN)
        return unknown_marked(call, ret);
    if (!marked_bytes(call, &bytes))
        return false;
    if (utf8_bad_at(bytes) != SIZE_MAX)
        return hcl_call_fail(call, -1,
                             "the result of decoding the provided string is not valid UTF-8");
    if (!hcl_give_text(call, bytes, ret))
        return false;
    ret->marks = call->arg[0].marks;
    return true;
}

/* --- gzip --- */

/* One deflate block that ends at a byte, as Go's Flush leaves it. */
static bool deflate_flushed(struct str text, struct buf *out)
{
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    z.next_in = (Bytef *)(uintptr_t)text.ptr; /* zlib does not write to it */
    z.avail_in = (uInt)text.len;
    int status = Z_OK;
    do {
        enum { PIECE = 1 << 14 };
        char *room = buf_room(out, PIECE);
        if (!room)
            break;
        z.next_out = (Bytef *)room;
        z.avail_out = PIECE;
        status = deflate(&z, Z_SYNC_FLUSH);
        out->len += PIECE - z.avail_out;
    } while (status == Z_OK && z.avail_out == 0);
    (void)deflateEnd(&z);
    return status != Z_STREAM_ERROR && !out->failed;
}

static void put_u32(struct buf *out, uint32_t n)
{
    for (unsigned shift = 0; shift < 32; shift += 8)
        buf_char(out, (char)(n >> shift));
}

static bool run_base64gzip(struct hcl_call *call, struct value *ret)
{
    struct str text = text_of(call, 0);
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    buf_add(&out, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
    if (!deflate_flushed(text, &out))
        return hcl_call_fail(call, -1, "failed to write gzip raw data");
    buf_add(&out, "\x01\0\0\xff\xff", 5); /* Go ends with an empty stored block */
    put_u32(&out, (uint32_t)crc32(0, (const Bytef *)text.ptr, (uInt)text.len));
    put_u32(&out, (uint32_t)text.len);
    if (!buf_ok(&out, NULL))
        return hcl_call_fail(call, -1, "the text is too large");
    return give_base64(call, buf_view(&out), ret);
}

/* All members of a gzip stream, one behind the other. */
static bool inflate_all(struct str bytes, struct buf *out)
{
    z_stream z = {0};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return false;
    z.next_in = (Bytef *)(uintptr_t)bytes.ptr; /* zlib does not write to it */
    z.avail_in = (uInt)bytes.len;
    int status = Z_OK;
    while (status == Z_OK) {
        enum { PIECE = 1 << 14 };
        char *room = buf_room(out, PIECE);
        if (!room)
            break;
        z.next_out = (Bytef *)room;
        z.avail_out = PIECE;
        status = inflate(&z, Z_NO_FLUSH);
        out->len += PIECE - z.avail_out;
        if (status == Z_STREAM_END && z.avail_in)
            status = inflateReset(&z);
    }
    (void)inflateEnd(&z);
    return status == Z_STREAM_END && !out->failed;
}

static bool run_base64gunzip(struct hcl_call *call, struct value *ret)
{
    struct str bytes;
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    if (call->arg[0].kind == VALUE_UNKNOWN)
        return unknown_marked(call, ret);
    if (!marked_bytes(call, &bytes))
        return false;
    if (!inflate_all(bytes, &out))
        return hcl_call_fail(call, -1, "failed to gunzip bytestream");
    if (utf8_bad_at(buf_view(&out)) != SIZE_MAX)
        return hcl_call_fail(call, -1, "the gunzipped data is not valid UTF-8");
    if (!hcl_give_buf(call, &out, ret))
        return false;
    ret->marks = call->arg[0].marks;
    return true;
}

/* --- character sets --- */

static const struct charset *charset_of(struct hcl_call *call)
{
    const struct charset *set = charset_find(text_of(call, 1));
    if (!set)
        (void)hcl_call_fail(call, 1,
                            "\"%.*s\" is not a supported IANA encoding name or alias in this "
                            "Terraform version",
                            STR_ARG(text_of(call, 1)));
    return set;
}

static bool run_textencodebase64(struct hcl_call *call, struct value *ret)
{
    const struct charset *set = charset_of(call);
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    if (!set)
        return false;
    if (!charset_encode(set, text_of(call, 0), &out))
        return hcl_call_fail(call, 0,
                             "the given string contains characters that cannot be represented in "
                             "%s",
                             set->name);
    return give_base64(call, buf_view(&out), ret);
}

static bool run_textdecodebase64(struct hcl_call *call, struct value *ret)
{
    const struct charset *set = charset_of(call);
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    struct str bytes;
    size_t bad_at;
    if (!set)
        return false;
    if (!hcl_base64_decode(call->ev->arena, text_of(call, 0), &bytes, &bad_at))
        return hcl_call_fail(
            call, 0, "the given value is has an invalid base64 symbol at offset %zu", bad_at);
    if (!charset_decode(set, bytes, &out))
        return hcl_call_fail(
            call, 0, "the given string contains symbols that are not defined for %s", set->name);
    return hcl_give_buf(call, &out, ret);
}

/* --- URLs --- */

static bool run_urlencode(struct hcl_call *call, struct value *ret)
{
    struct str text = text_of(call, 0);
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     (c && strchr("-_.~", c));
        if (c == ' ')
            buf_char(&out, '+');
        else if (plain)
            buf_char(&out, (char)c);
        else
            buf_printf(&out, "%%%02X", c);
    }
    return hcl_give_buf(call, &out, ret);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                 ? c - '0'
           : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                : -1;
}

static bool run_urldecode(struct hcl_call *call, struct value *ret)
{
    struct str text = text_of(call, 0);
    char *out = arena_alloc_raw(call->ev->arena, text.len + 1, 1, 1);
    size_t n = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
            if (low < 0)
                return hcl_call_fail(call, -1,
                                     "failed to decode URL '': invalid URL escape \"%.*s\"",
                                     STR_ARG(str_sub(text, i, i + 3)));
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        out[n++] = c;
    }
    struct str decoded = {out, n};
    if (out && utf8_bad_at(decoded) != SIZE_MAX)
        return hcl_call_fail(call, -1, "the decoded URL is not valid UTF-8");
    return hcl_give_text(call, decoded, ret);
}

#define TEXT_TO_TEXT(fn, flags) \
    .name = #fn, .param = {{"str", "string", flags}}, .result = "string", .run = run_##fn, \
    .result_not_null = 1

static const struct hcl_function functions[] = {
    {TEXT_TO_TEXT(base64encode, 0)},
    {TEXT_TO_TEXT(base64decode, PARAM_MARKED | PARAM_UNKNOWN)},
    {TEXT_TO_TEXT(base64gzip, 0)},
    {TEXT_TO_TEXT(base64gunzip, PARAM_MARKED | PARAM_UNKNOWN), .opentofu = 1},
    {TEXT_TO_TEXT(urlencode, 0)},
    {TEXT_TO_TEXT(urldecode, 0), .opentofu = 1},
    {.name = "textencodebase64",
     .param = {{"string", "string", 0}, {"encoding", "string", 0}},
     .result = "string",
     .run = run_textencodebase64,
     .result_not_null = 1},
    {.name = "textdecodebase64",
     .param = {{"source", "string", 0}, {"encoding", "string", 0}},
     .result = "string",
     .run = run_textdecodebase64,
     .result_not_null = 1},
};

const struct hcl_function_family fn_encoding = {functions, sizeof functions / sizeof *functions};
