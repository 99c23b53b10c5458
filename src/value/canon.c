/* canon.c - the walk behind canon_print(): keys by UTF-16, numbers by double, nothing between. */
#include "value/canon.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "value/number.h"

enum { NUMBER_ROOM = 1 << 13 }; /* bytes for the spellings of one number of bounded digits */

static bool print_at(struct buf *out, const struct value *v, unsigned depth_left, struct err *err);

static void print_string(struct buf *out, struct str s)
{
    static const char letters[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";
    size_t from = 0;
    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        const char *hit = c ? strchr(bytes, c) : NULL;
        buf_str(out, str_sub(s, from, i));
        if (hit)
            buf_printf(out, "\\%c", letters[hit - bytes]);
        else
            buf_printf(out, "\\u%04x", c);
        from = i + 1;
    }
    buf_str(out, str_sub(s, from, s.len));
    buf_char(out, '"');
}

/* Does the double say it all? ret: its spelling. */
static bool print_double(struct arena *arena, const struct value *v, struct str *ret)
{
    size_t digits = number_digits(v);
    *ret = number_print_ecmascript(arena, v);
    if (!ret->ptr || (digits && str_equal(*ret, STR("0"))))
        return false;
    struct value spelled = value_number(*ret);
    return number_compare(&spelled, v) == 0 || (digits <= 17 && !number_is_integer(v));
}

static bool print_number(struct buf *out, const struct value *v, struct err *err)
{
    AUTO_ARENA arena = {.limit = NUMBER_ROOM};
    struct str text;
    if (v->form == NUMBER_INT) {
        buf_printf(out, "%lld", (long long)v->integer);
        return true;
    }
    if (!print_double(&arena, v, &text) &&
        !number_print_plain(&arena, v, CANON_DIGITS_MAX, &text, NULL)) {
        arena.limit += v->len + 64u;
        text = number_print_scientific(&arena, v);
        if (!text.ptr)
            return arena_full(&arena, err);
    }
    buf_str(out, text);
    return true;
}

/*
 * RFC 8785 sorts by UTF-16: as bytes sort, but that U+E000..U+FFFF (0xee, 0xef) come behind
 * everything past U+FFFF (0xf0 and up, surrogate pairs there).
 */
static int utf16_compare(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len, i = 0;
    while (i < least && a.ptr[i] == b.ptr[i])
        i++;
    if (i == least)
        return (a.len > b.len) - (a.len < b.len);
    unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}

static int member_order(const void *a, const void *b)
{
    const struct value_member *const *x = a, *const *y = b;
    return utf16_compare(key_str((*x)->key), key_str((*y)->key));
}

static bool print_member(struct buf *out, const struct value_member *m, bool first,
                         unsigned depth_left, struct err *err)
{
    if (!first)
        buf_char(out, ',');
    print_string(out, key_str(m->key));
    buf_char(out, ':');
    return print_at(out, &m->value, depth_left, err);
}

/* The rare object whose order by bytes is not that by UTF-16. */
static bool print_resorted(struct buf *out, const struct value *v, unsigned depth_left,
                           struct err *err)
{
    AUTO_ARENA arena = {.limit = SIZE_MAX};
    const struct value_member **member = arena_new(&arena, const struct value_member *, v->len);
    if (!member)
        return arena_full(&arena, err);
    for (uint32_t i = 0; i < v->len; i++)
        member[i] = &v->members[i];
    qsort(member, v->len, sizeof *member, member_order);
    for (uint32_t i = 0; i < v->len; i++)
        if (!print_member(out, member[i], i == 0, depth_left, err))
            return false;
    return true;
}

static bool print_members(struct buf *out, const struct value *v, unsigned depth_left,
                          struct err *err)
{
    bool sorted = true, ok = true;
    for (uint32_t i = 1; i < v->len && sorted; i++)
        sorted = utf16_compare(key_str(v->members[i - 1].key), key_str(v->members[i].key)) < 0;
    buf_char(out, '{');
    if (!sorted)
        ok = print_resorted(out, v, depth_left, err);
    for (uint32_t i = 0; i < v->len && sorted && ok; i++)
        ok = print_member(out, &v->members[i], i == 0, depth_left, err);
    buf_char(out, '}');
    return ok;
}

static bool print_items(struct buf *out, const struct value *v, unsigned depth_left,
                        struct err *err)
{
    buf_char(out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i)
            buf_char(out, ',');
        if (!print_at(out, &v->items[i], depth_left, err))
            return false;
    }
    buf_char(out, ']');
    return true;
}

static bool print_at(struct buf *out, const struct value *v, unsigned depth_left, struct err *err)
{
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", VALUE_DEPTH_MAX);
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        buf_str(out, v->truth ? STR("true") : STR("false"));
        return true;
    case VALUE_NUMBER:
        return print_number(out, v, err);
    case VALUE_STRING:
        print_string(out, value_text(v));
        return true;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        return print_items(out, v, depth_left - 1, err);
    case VALUE_MAP:
    case VALUE_OBJECT:
        return print_members(out, v, depth_left - 1, err);
    default:
        buf_str(out, STR("null"));
        return true;
    }
}

bool canon_print(struct buf *out, const struct value *v, struct err *err)
{
    return print_at(out, v, VALUE_DEPTH_MAX + 1, err) && buf_ok(out, err);
}

bool canon_digest(const struct value *v, struct digest *ret, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    return canon_print(&out, v, err) && digest_sha256(buf_view(&out), ret, err);
}

bool canon_digest_keyed(struct str key, const struct value *v, struct digest *ret, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    return canon_print(&out, v, err) && digest_hmac_sha256(key, buf_view(&out), ret, err);
}
