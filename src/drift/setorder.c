/* setorder.c - cty's text of a value, and the elements of a set sorted by it. */
#include "drift/setorder.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "value/number.h"

enum { TEXT_MAX = 16 << 20 };

/* As Go's %q, for text that can be printed. */
static void put_quoted(struct buf *out, struct str s)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"", letter[] = "abfnrtv\\\"";
    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t at = 0;
        while (plain[at] && plain[at] != (char)c)
            at++;
        if (plain[at])
            buf_printf(out, "\\%c", letter[at]);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void put_value(struct buf *out, const struct value *v, unsigned depth_left);

static void put_members(struct buf *out, const struct value *v, unsigned depth_left)
{
    bool map = v->kind == VALUE_MAP;
    buf_char(out, map ? '{' : '<');
    for (uint32_t i = 0; i < v->len; i++) {
        if (map) {
            put_quoted(out, key_str(v->members[i].key));
            buf_char(out, ':');
        }
        put_value(out, &v->members[i].value, depth_left);
        buf_char(out, ';');
    }
    buf_char(out, map ? '}' : '>');
}

/* A set inside of an element: in the order that our own sets have. */
static void put_items(struct buf *out, const struct value *v, unsigned depth_left)
{
    buf_char(out, v->kind == VALUE_TUPLE ? '<' : '[');
    for (uint32_t i = 0; i < v->len; i++) {
        put_value(out, &v->items[i], depth_left);
        buf_char(out, ';');
    }
    buf_char(out, v->kind == VALUE_TUPLE ? '>' : ']');
}

static void put_value(struct buf *out, const struct value *v, unsigned depth_left)
{
    bool exact;
    if (depth_left == 0)
        return;
    if (v->kind == VALUE_UNKNOWN)
        buf_char(out, '?');
    else if (v->kind == VALUE_NULL)
        buf_char(out, '~');
    else if (v->kind == VALUE_NUMBER)
        buf_printf(out, "%.10g", number_to_double(v, &exact));
    else if (v->kind == VALUE_BOOL)
        buf_char(out, v->truth ? 'T' : 'F');
    else if (v->kind == VALUE_STRING)
        put_quoted(out, value_text(v));
    else if (value_is_object_like(v))
        put_members(out, v, depth_left - 1);
    else
        put_items(out, v, depth_left - 1);
}

struct element {
    struct str text;
    int rank; /* known, unknown, null */
    uint32_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct element *x = a, *y = b;
    int order = (x->rank > y->rank) - (x->rank < y->rank);
    if (order == 0)
        order = str_compare(x->text, y->text);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

const uint32_t *set_order(struct arena *arena, const struct value *set)
{
    uint32_t *ret = arena_new(arena, uint32_t, set->len);
    struct element *elements = arena_new(arena, struct element, set->len);
    if (!ret || !elements)
        return NULL;
    for (uint32_t i = 0; i < set->len; i++) {
        const struct value *v = &set->items[i];
        AUTO_BUF text = {.limit = TEXT_MAX};
        if (set->len > 1)
            put_value(&text, v, VALUE_DEPTH_MAX);
        elements[i] = (struct element){arena_dup(arena, buf_view(&text)),
                                       v->kind == VALUE_NULL ? 2 : v->kind == VALUE_UNKNOWN, i};
        if (!elements[i].text.ptr)
            return NULL;
    }
    if (set->len > 1)
        qsort(elements, set->len, sizeof *elements, by_text);
    for (uint32_t i = 0; i < set->len; i++)
        ret[i] = elements[i].index;
    return ret;
}
