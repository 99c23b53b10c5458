/* term_text.c - Rego's values as text and as JSON (facts/rego.md 8.3, 8.4). */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/quote.h"
#include "lang/rego/term.h"
#include "value/number.h"
#include "wire/json.h"

static void number(struct buf *out, const struct value *v)
{
    if (v->form == NUMBER_INT)
        buf_printf(out, "%lld", (long long)v->integer);
    else
        buf_str(out, value_text(v));
}

static void scalar(struct buf *out, const struct value *v)
{
    switch (v->kind) {
    case VALUE_BOOL:
        buf_str(out, v->truth ? STR("true") : STR("false"));
        break;
    case VALUE_NUMBER:
        number(out, v);
        break;
    default:
        buf_str(out, STR("null"));
        break;
    }
}

/* Go's strconv.Quote, which OPA prints strings with. */
static void text_at(struct buf *out, const struct value *v, unsigned depth_left)
{
    static const struct str open[] = {STR_INIT("["), STR_INIT("{")};
    if (v->kind == VALUE_STRING) {
        quote_go(out, value_text(v));
        return;
    }
    bool object = rego_is_object(v), array = rego_is_array(v);
    if (!object && !array && v->kind != VALUE_SET) {
        scalar(out, v);
        return;
    }
    if (v->kind == VALUE_SET && v->len == 0) {
        buf_str(out, STR("set()"));
        return;
    }
    struct value key, item;
    buf_str(out, open[!array]);
    for (size_t at = 0, first = 1; depth_left && rego_next(v, &at, &key, &item); first = 0) {
        if (!first)
            buf_str(out, STR(", "));
        if (object) {
            text_at(out, &key, depth_left - 1);
            buf_str(out, STR(": "));
        }
        text_at(out, &item, depth_left - 1);
    }
    buf_char(out, array ? ']' : '}');
}

void rego_text(struct buf *out, const struct value *v)
{
    text_at(out, v, REGO_NESTING_MAX);
}

/* Has it nothing that Go's encoding/json writes in a way of its own? */
static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '<' || c == '>' || c == '&' || c == 0xe2)
            return false;
    }
    return true;
}

/* A string as Go's encoding/json writes it: < > & and the line separators as \u.... */
static void json_string(struct buf *out, struct str s)
{
    if (is_plain(s)) {
        json_quote(out, s);
        return;
    }
    AUTO_BUF quoted = {.limit = out->limit};
    json_quote(&quoted, s);
    out->failed |= quoted.failed;
    struct str text = buf_view(&quoted);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool separator = c == 0xe2 && i + 2 < text.len && (unsigned char)text.ptr[i + 1] == 0x80 &&
                         ((unsigned char)text.ptr[i + 2] & 0xfe) == 0xa8;
        if (separator) {
            buf_printf(out, "\\u20%02x", 0x28 + (text.ptr[i + 2] & 1));
            i += 2;
        } else if (c == '<' || c == '>' || c == '&') {
            buf_printf(out, "\\u%04x", c);
        } else {
            buf_char(out, (char)c);
        }
    }
}

static void json_at(struct buf *out, const struct value *v, unsigned depth_left);

struct json_member {
    struct str name;
    struct value item;
};

static int compare_names(const void *a, const void *b)
{
    const struct json_member *x = a, *y = b;
    return str_compare(x->name, y->name);
}

/* Keys that are no strings are their JSON text, and all keys come in the order of their texts. */
static void json_mixed(struct buf *out, const struct value *v, unsigned depth_left)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct json_member *members = arena_new(&arena, struct json_member, v->len);
    struct value key;
    size_t n = 0;
    bool ok = members != NULL;
    for (size_t at = 0; ok && rego_next(v, &at, &key, &members[n].item); n++) {
        AUTO_BUF text = {.limit = out->limit};
        if (key.kind != VALUE_STRING)
            json_at(&text, &key, depth_left - 1);
        members[n].name =
            key.kind == VALUE_STRING ? value_text(&key) : arena_dup(&arena, buf_view(&text));
        ok = members[n].name.ptr && !text.failed;
    }
    if (ok)
        qsort(members, n, sizeof *members, compare_names);
    out->failed |= !ok;
    buf_char(out, '{');
    for (size_t i = 0; ok && i < n; i++) {
        if (i)
            buf_char(out, ',');
        json_string(out, members[i].name);
        buf_char(out, ':');
        json_at(out, &members[i].item, depth_left - 1);
    }
    buf_char(out, '}');
}

/* Keys are sorted by kind, so those that are no strings stand first or last. */
static bool has_other_keys(const struct value *v)
{
    struct value first, last, item;
    size_t start = 0, end = v->len ? v->len - 1 : 0;
    return rego_next(v, &start, &first, &item) && rego_next(v, &end, &last, &item) &&
           (first.kind != VALUE_STRING || last.kind != VALUE_STRING);
}

static void json_at(struct buf *out, const struct value *v, unsigned depth_left)
{
    if (v->kind == VALUE_STRING) {
        json_string(out, value_text(v));
        return;
    }
    bool object = rego_is_object(v);
    if (!object && !rego_is_array(v) && v->kind != VALUE_SET) {
        scalar(out, v);
        return;
    }
    if (object && depth_left && has_other_keys(v)) {
        json_mixed(out, v, depth_left);
        return;
    }
    struct value key, item;
    buf_char(out, object ? '{' : '[');
    for (size_t at = 0, first = 1; depth_left && rego_next(v, &at, &key, &item); first = 0) {
        if (!first)
            buf_char(out, ',');
        if (object) {
            json_string(out, value_text(&key));
            buf_char(out, ':');
        }
        json_at(out, &item, depth_left - 1);
    }
    buf_char(out, object ? '}' : ']');
}

void rego_json(struct buf *out, const struct value *v)
{
    json_at(out, v, REGO_NESTING_MAX);
}
