/* encode.c - JSON, expressions and base64 behind encode.h. */
#include "lang/hcl/encode.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "lang/hcl/lex.h"
#include "lang/hcl/ops.h"

/* --- giving results --- */

bool hcl_give_text(struct hcl_call *call, struct str text, struct value *ret)
{
    if (text.ptr && text.len <= VALUE_LEN_MAX)
        text = utf8_nfc(call->ev->arena, text);
    if (!text.ptr || text.len > VALUE_LEN_MAX)
        return hcl_call_fail(call, -1, "the text is too large");
    *ret = value_string(text);
    return true;
}

bool hcl_give_buf(struct hcl_call *call, struct buf *buf, struct value *ret)
{
    struct str text = {0};
    if (buf_ok(buf, NULL))
        text = arena_dup(call->ev->arena, buf_view(buf));
    return hcl_give_text(call, text, ret);
}

/* --- JSON --- */

struct json_out {
    struct arena *arena;
    struct buf buf;
    struct str why;
};

/* The escapes that encoding/json adds to those that JSON asks for; 0 = none. */
static size_t special(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&')
        return 1;
    bool separator = c == 0xe2 && at + 2 < s.len && (unsigned char)s.ptr[at + 1] == 0x80 &&
                     ((unsigned char)s.ptr[at + 2] & 0xfe) == 0xa8;
    return separator ? 3 : 0;
}

static void json_string(struct buf *out, struct str s)
{
    static const char letters[] = "bfnrt\"\\", bytes[] = "\b\f\n\r\t\"\\";
    size_t from = 0;
    buf_char(out, '"');
    for (size_t at = 0, len; at < s.len; at += len ? len : 1) {
        if (!(len = special(s, at)))
            continue;
        const char *letter = s.ptr[at] ? strchr(bytes, s.ptr[at]) : NULL;
        buf_str(out, str_sub(s, from, at));
        if (len == 3)
            buf_printf(out, "\\u20%02x", ((unsigned char)s.ptr[at + 2] & 1) | 0x28);
        else if (letter)
            buf_printf(out, "\\%c", letters[letter - bytes]);
        else
            buf_printf(out, "\\u%04x", (unsigned char)s.ptr[at]);
        from = at + len;
    }
    buf_str(out, str_sub(s, from, s.len));
    buf_char(out, '"');
}

static bool json_value(struct json_out *out, const struct value *v, unsigned depth_left);

static bool json_elements(struct json_out *out, const struct value *v, unsigned depth_left)
{
    const struct value *items = hcl_elements(out->arena, v);
    if (!items && v->len)
        return false;
    buf_char(&out->buf, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i)
            buf_char(&out->buf, ',');
        if (!json_value(out, &items[i], depth_left))
            return false;
    }
    buf_char(&out->buf, ']');
    return true;
}

static bool json_members(struct json_out *out, const struct value *v, unsigned depth_left)
{
    buf_char(&out->buf, '{');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i)
            buf_char(&out->buf, ',');
        json_string(&out->buf, key_str(v->members[i].key));
        buf_char(&out->buf, ':');
        if (!json_value(out, &v->members[i].value, depth_left))
            return false;
    }
    buf_char(&out->buf, '}');
    return true;
}

static bool json_value(struct json_out *out, const struct value *v, unsigned depth_left)
{
    if (depth_left == 0) {
        out->why = STR("the value is nested too deeply");
        return false;
    }
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        buf_str(&out->buf, v->truth ? STR("true") : STR("false"));
        return true;
    case VALUE_NUMBER:
        if (hcl_is_infinite(v)) {
            out->why = STR("cannot serialize infinity as JSON");
            return false;
        }
        buf_str(&out->buf, hcl_number_text(out->arena, v));
        return true;
    case VALUE_STRING:
        json_string(&out->buf, value_text(v));
        return true;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        return json_elements(out, v, depth_left - 1);
    case VALUE_MAP:
    case VALUE_OBJECT:
        return json_members(out, v, depth_left - 1);
    default:
        buf_str(&out->buf, STR("null"));
        return true;
    }
}

bool hcl_json_encode(struct arena *arena, const struct value *v, struct str *ret,
                     struct str *ret_why)
{
    struct json_out out = {.arena = arena, .buf = {.limit = HCL_TEXT_MAX}};
    bool ok = json_value(&out, v, VALUE_DEPTH_MAX) && buf_ok(&out.buf, NULL);
    struct str text = ok ? arena_dup(arena, buf_view(&out.buf)) : (struct str){0};
    buf_free(&out.buf);
    if (text.ptr)
        *ret = text;
    else
        *ret_why = out.why.ptr ? out.why : STR("the text is too large");
    return text.ptr;
}

/* --- expressions --- */

void hcl_quote(struct buf *out, struct str s)
{
    static const char letters[] = "nrt\"\\", bytes[] = "\n\r\t\"\\";
    buf_char(out, '"');
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        const char *letter = c && c < 0x80 ? strchr(bytes, (int)c) : NULL;
        bool opener = (c == '$' || c == '%') && at < s.len && s.ptr[at] == '{';
        if (letter)
            buf_printf(out, "\\%c", letters[letter - bytes]);
        else if (opener)
            buf_printf(out, "%c%c", (int)c, (int)c);
        else if (!unicode_prints(c))
            buf_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
        else
            buf_str(out, str_sub(s, from, at));
    }
    buf_char(out, '"');
}

/* First everything on its lines, without a thought for columns; layout() then places them. */
static bool expr_value(struct json_out *out, const struct value *v, unsigned depth_left);

static bool expr_members(struct json_out *out, const struct value *v, unsigned depth_left)
{
    buf_str(&out->buf, v->len ? STR("{\n") : STR("{"));
    for (uint32_t i = 0; i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        if (hcl_is_identifier(key))
            buf_str(&out->buf, key);
        else
            hcl_quote(&out->buf, key);
        buf_str(&out->buf, STR(" = "));
        if (!expr_value(out, &v->members[i].value, depth_left))
            return false;
        buf_char(&out->buf, '\n');
    }
    buf_char(&out->buf, '}');
    return true;
}

static bool expr_elements(struct json_out *out, const struct value *v, unsigned depth_left)
{
    const struct value *items = hcl_elements(out->arena, v);
    if (!items && v->len)
        return false;
    buf_char(&out->buf, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i)
            buf_str(&out->buf, STR(", "));
        if (!expr_value(out, &items[i], depth_left))
            return false;
    }
    buf_char(&out->buf, ']');
    return true;
}

static bool expr_value(struct json_out *out, const struct value *v, unsigned depth_left)
{
    bool leaf = v->kind == VALUE_BOOL || v->kind == VALUE_NULL;
    if (depth_left == 0 || v->kind == VALUE_UNKNOWN) {
        out->why = depth_left ? STR("the value is not wholly known")
                              : STR("the value is nested too deeply");
        return false;
    }
    if (value_is_list_like(v))
        return expr_elements(out, v, depth_left - 1);
    if (value_is_object_like(v))
        return expr_members(out, v, depth_left - 1);
    if (v->kind == VALUE_STRING)
        hcl_quote(&out->buf, value_text(v));
    else if (v->kind == VALUE_NUMBER)
        buf_str(&out->buf, hcl_number_text(out->arena, v));
    else if (leaf)
        buf_str(&out->buf, v->kind == VALUE_NULL ? STR("null")
                           : v->truth            ? STR("true")
                                                 : STR("false"));
    return true;
}

/* Brackets of a line outside its strings. */
static int net_brackets(struct str line)
{
    int net = 0;
    bool quoted = false;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted)
            net += (c == '[' || c == '{') - (c == ']' || c == '}');
    }
    return net;
}

/* Bytes before " = " of a line that may stand in a chain of aligned ones; 0 = it may not. */
static size_t lead_of(struct str line)
{
    size_t at = 0;
    if (line.len == 0 || net_brackets(line) != 0)
        return 0;
    if (line.ptr[0] == '"')
        for (at = 1; at < line.len && line.ptr[at] != '"'; at++)
            at += line.ptr[at] == '\\';
    at = str_find(line, STR(" = "), at);
    return at == SIZE_MAX ? 0 : at;
}

static size_t columns_of(struct str text)
{
    uint32_t line, column;
    hcl_place(text, (uint32_t)text.len, &line, &column);
    return column - 1;
}

/* Open brackets of the lines above, one entry a line, as `terraform fmt` counts them. */
struct indents {
    int open[HCL_DEPTH_MAX];
    size_t n;
};

static size_t indent_of(struct indents *indents, int net)
{
    size_t level = indents->n;
    if (net > 0 && indents->n < HCL_DEPTH_MAX)
        indents->open[indents->n++] = net;
    if (net >= 0)
        return level;
    for (int closed = -net; closed > 0 && indents->n > 0;) {
        int *top = &indents->open[indents->n - 1];
        int taken = closed < *top ? closed : *top;
        closed -= taken;
        *top -= taken;
        indents->n -= *top == 0;
    }
    return indents->n;
}

static size_t chain_columns(struct str rest, struct str line)
{
    size_t widest = 0, own;
    do {
        own = columns_of(str_sub(line, 0, lead_of(line)));
        widest = own > widest ? own : widest;
    } while (own && str_cut(&rest, '\n', &line));
    return widest;
}

static void layout(struct buf *out, struct str text)
{
    struct indents indents = {.n = 0};
    struct str line;
    size_t chain = 0;
    for (bool more = true, first = true; more; first = false) {
        more = str_cut(&text, '\n', &line);
        size_t lead = lead_of(line), level = indent_of(&indents, net_brackets(line));
        if (!first)
            buf_char(out, '\n');
        for (size_t i = 0; i < 2 * level; i++)
            buf_char(out, ' ');
        if (lead && !chain)
            chain = chain_columns(text, line);
        if (!lead)
            chain = 0;
        buf_str(out, str_sub(line, 0, lead));
        for (size_t i = columns_of(str_sub(line, 0, lead)); lead && i < chain; i++)
            buf_char(out, ' ');
        buf_str(out, str_sub(line, lead, line.len));
    }
}

bool hcl_expr_encode(struct arena *arena, const struct value *v, struct str *ret,
                     struct str *ret_why)
{
    struct json_out raw = {.arena = arena, .buf = {.limit = HCL_TEXT_MAX}};
    struct buf laid_out = {.limit = HCL_TEXT_MAX};
    bool ok = expr_value(&raw, v, HCL_DEPTH_MAX) && buf_ok(&raw.buf, NULL);
    if (ok)
        layout(&laid_out, buf_view(&raw.buf));
    ok = ok && buf_ok(&laid_out, NULL);
    struct str text = ok ? arena_dup(arena, buf_view(&laid_out)) : (struct str){0};
    buf_free(&raw.buf);
    buf_free(&laid_out);
    if (text.ptr)
        *ret = text;
    else
        *ret_why = raw.why.ptr ? raw.why : STR("the text is too large");
    return text.ptr;
}

/* --- base64 --- */

static size_t skip_breaks(struct str text, size_t at)
{
    while (at < text.len && (text.ptr[at] == '\r' || text.ptr[at] == '\n'))
        at++;
    return at;
}

/* What follows the first `=` of a quantum of `have` digits; *at stands behind it. */
static bool padding(struct str text, size_t *at, unsigned have)
{
    size_t first = *at - 1;
    if (have < 2) {
        *at = first;
        return false;
    }
    *at = skip_breaks(text, *at);
    if (have == 2) {
        if (*at == text.len || text.ptr[*at] != '=') {
            *at = *at == text.len ? text.len : *at - 1;
            return false;
        }
        *at = skip_breaks(text, *at + 1);
    }
    return *at == text.len;
}

bool hcl_base64_decode(struct arena *arena, struct str text, struct str *ret, size_t *ret_bad_at)
{
    char *out = arena_alloc_raw(arena, text.len / 4 * 3 + 4, 1, 1);
    size_t len = 0, at = 0;
    unsigned have = 0;
    uint32_t bits = 0;
    bool ok = out;
    while (ok && (at = skip_breaks(text, at)) < text.len) {
        char c = text.ptr[at++];
        int six = base64_digit(c);
        if (c == '=') {
            ok = padding(text, &at, have);
            if (ok && have == 3)
                out[len++] = (char)(bits >> 10);
            if (ok)
                out[len++] = (char)(bits >> (have == 3 ? 2 : 4));
            have = 0;
            break;
        }
        if (six < 0) {
            at--;
            ok = false;
            break;
        }
        bits = bits << 6 | (uint32_t)six;
        if (++have == 4) {
            out[len++] = (char)(bits >> 16);
            out[len++] = (char)(bits >> 8);
            out[len++] = (char)bits;
            have = 0;
        }
    }
    if (ok && have) {
        at -= have;
        ok = false;
    }
    if (ok)
        *ret = (struct str){out, len};
    else
        *ret_bad_at = at;
    return ok;
}
