/* text.c - text from outside made harmless for terminals, Markdown and logs; small printers. */
#include <string.h>

#include "base/utf8.h"
#include "report/parts.h"

/* Code points that move the cursor, hide, reorder or pretend: [first, last], sorted. */
static const struct {
    uint32_t first, last;
} invisible[] = {
    {0x0000, 0x001f}, {0x007f, 0x009f}, {0x00ad, 0x00ad},   {0x061c, 0x061c},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

static bool is_invisible(uint32_t c)
{
    for (size_t i = 0; i < sizeof invisible / sizeof *invisible && c >= invisible[i].first; i++)
        if (c <= invisible[i].last)
            return true;
    return false;
}

static void put_escape(struct buf *out, uint32_t c)
{
    static const char short_name[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c < sizeof short_name && short_name[c])
        buf_printf(out, "\\%c", short_name[c]);
    else if (c > 0xffff)
        buf_printf(out, "\\U%08x", (unsigned)c);
    else
        buf_printf(out, "\\u%04x", (unsigned)c);
}

enum safe_mode { SAFE_LINE, SAFE_LINES, SAFE_QUOTED };

/* Is the byte printed as it is, in any mode? */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_safe(struct buf *out, struct str s, enum safe_mode mode, unsigned indent)
{
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        while (at < s.len && is_plain((unsigned char)s.ptr[at]))
            at++;
        if (at > from)
            buf_add(out, s.ptr + from, at - from);
        if (at == s.len)
            break;
        from = at;
        uint32_t c = utf8_next(s, &at);
        if (c == 0xfffd && at == from + 1)
            buf_printf(out, "\\x%02x", (unsigned char)s.ptr[from]);
        else if (mode == SAFE_QUOTED && (c == '"' || c == '\\'))
            buf_printf(out, "\\%c", (char)c);
        else if (mode == SAFE_LINES && c == '\n') {
            buf_char(out, '\n');
            text_pad(out, 0, at < s.len ? indent : 0);
        } else if (mode == SAFE_LINES && c == '\t')
            buf_char(out, '\t');
        else if (is_invisible(c))
            put_escape(out, c);
        else
            buf_add(out, s.ptr + from, at - from);
    }
}

void text_safe(struct buf *out, struct str s)
{
    put_safe(out, s, SAFE_LINE, 0);
}

void text_safe_lines(struct buf *out, struct str s, unsigned indent)
{
    put_safe(out, s, SAFE_LINES, indent);
}

struct str text_cut(struct str s, size_t max_bytes)
{
    if (s.len <= max_bytes)
        return s;
    while (max_bytes > 0 && ((unsigned char)s.ptr[max_bytes] & 0xc0) == 0x80)
        max_bytes--;
    s.len = max_bytes;
    return s;
}

void text_quote(struct buf *out, struct str s, size_t max_bytes)
{
    struct str head = max_bytes ? text_cut(s, max_bytes) : s;
    buf_char(out, '"');
    put_safe(out, head, SAFE_QUOTED, 0);
    buf_char(out, '"');
    if (head.len < s.len) {
        buf_str(out, STR("... ("));
        text_number(out, s.len);
        buf_str(out, STR(" bytes)"));
    }
}

void text_number(struct buf *out, uint64_t n)
{
    char digits[27];
    size_t at = sizeof digits, count = 0;
    do {
        if (count && count % 3 == 0)
            digits[--at] = ',';
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
        count++;
    } while (n);
    buf_add(out, digits + at, sizeof digits - at);
}

size_t text_columns(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

void text_pad(struct buf *out, size_t have, size_t want)
{
    for (; have < want; have++)
        buf_char(out, ' ');
}
