/* json_write.c - JSON out: commas, colons, indentation and escapes in one place. */
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void add(struct buf *out, struct str s)
{
    buf_add(out, s.ptr, s.len);
}

static void put_escape(struct buf *out, unsigned char c)
{
    static const char letters[] = "bfnrt\"\\", bytes[] = "\b\f\n\r\t\"\\";
    const char *letter = c ? strchr(bytes, c) : NULL;
    if (letter) {
        char two[2] = {'\\', letters[letter - bytes]};
        buf_add(out, two, 2);
    } else {
        buf_printf(out, "\\u%04x", c);
    }
}

/* Bytes from `at` on that go out as they are; *at moves behind them. */
static size_t plain_run(struct str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    while (at < s.len && p[at] != '"' && p[at] != '\\' && p[at] >= 0x20) {
        size_t len = p[at] < 0x80 ? 1 : utf8_sequence(p + at, s.len - at);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

void json_quote(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t at = 0; at < s.len;) {
        size_t to = plain_run(s, at);
        add(out, str_sub(s, at, to));
        if (to < s.len) {
            unsigned char c = (unsigned char)s.ptr[to++];
            if (c >= 0x80)
                add(out, STR("\xef\xbf\xbd"));
            else
                put_escape(out, c);
        }
        at = to;
    }
    buf_char(out, '"');
}

static void new_line(struct jsonw *w)
{
    if (!w->indent)
        return;
    buf_char(w->out, '\n');
    for (size_t i = 0; i < (size_t)w->indent * w->depth; i++)
        buf_char(w->out, ' ');
}

/* What has to stand before a key, or before a value that has none. */
static void before(struct jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->need_comma)
        buf_char(w->out, ',');
    if (w->depth)
        new_line(w);
}

static void open_with(struct jsonw *w, char bracket)
{
    before(w);
    buf_char(w->out, bracket);
    w->depth++;
    w->need_comma = false;
}

/* An empty container stays on its line. */
static void close_with(struct jsonw *w, char bracket)
{
    w->depth--;
    if (w->need_comma)
        new_line(w);
    buf_char(w->out, bracket);
    w->need_comma = true;
}

void jsonw_object_open(struct jsonw *w)
{
    open_with(w, '{');
}

void jsonw_object_close(struct jsonw *w)
{
    close_with(w, '}');
}

void jsonw_array_open(struct jsonw *w)
{
    open_with(w, '[');
}

void jsonw_array_close(struct jsonw *w)
{
    close_with(w, ']');
}

void jsonw_key(struct jsonw *w, struct str key)
{
    before(w);
    json_quote(w->out, key);
    add(w->out, w->indent ? STR(": ") : STR(":"));
    w->after_key = true;
}

static void raw(struct jsonw *w, struct str text)
{
    before(w);
    add(w->out, text);
    w->need_comma = true;
}

void jsonw_string(struct jsonw *w, struct str s)
{
    before(w);
    json_quote(w->out, s);
    w->need_comma = true;
}

void jsonw_int(struct jsonw *w, int64_t n)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%" PRId64, n);
    raw(w, (struct str){text, (size_t)len});
}

void jsonw_bool(struct jsonw *w, bool truth)
{
    raw(w, truth ? STR("true") : STR("false"));
}

void jsonw_null(struct jsonw *w)
{
    raw(w, STR("null"));
}

static void write_at(struct jsonw *w, const struct value *v, unsigned depth_left);

static void write_items(struct jsonw *w, const struct value *v, unsigned depth_left)
{
    jsonw_array_open(w);
    for (uint32_t i = 0; i < v->len; i++)
        write_at(w, &v->items[i], depth_left);
    jsonw_array_close(w);
}

static void write_members(struct jsonw *w, const struct value *v, unsigned depth_left)
{
    jsonw_object_open(w);
    for (uint32_t i = 0; i < v->len; i++) {
        jsonw_key(w, key_str(v->members[i].key));
        write_at(w, &v->members[i].value, depth_left);
    }
    jsonw_object_close(w);
}

static void write_at(struct jsonw *w, const struct value *v, unsigned depth_left)
{
    if (depth_left == 0) { /* no parser makes such a value */
        w->out->failed = true;
        return;
    }
    if (v->marks & VALUE_SENSITIVE) {
        jsonw_null(w);
        return;
    }
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        jsonw_bool(w, v->truth);
        break;
    case VALUE_NUMBER:
        if (v->form == NUMBER_INT)
            jsonw_int(w, v->integer);
        else
            raw(w, value_text(v));
        break;
    case VALUE_STRING:
        jsonw_string(w, value_text(v));
        break;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        write_items(w, v, depth_left - 1);
        break;
    case VALUE_MAP:
    case VALUE_OBJECT:
        write_members(w, v, depth_left - 1);
        break;
    default:
        jsonw_null(w);
        break;
    }
}

void jsonw_value(struct jsonw *w, const struct value *v)
{
    write_at(w, v, VALUE_DEPTH_MAX + 1);
}

void jsonw_member_string(struct jsonw *w, struct str key, struct str s)
{
    jsonw_key(w, key);
    jsonw_string(w, s);
}

void jsonw_member_int(struct jsonw *w, struct str key, int64_t n)
{
    jsonw_key(w, key);
    jsonw_int(w, n);
}

void jsonw_member_bool(struct jsonw *w, struct str key, bool truth)
{
    jsonw_key(w, key);
    jsonw_bool(w, truth);
}
