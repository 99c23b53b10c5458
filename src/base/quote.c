/* quote.c - short names, then \x, \u and \U for what is not shown. */
#include "base/quote.h"

#include "base/buf.h"
#include "base/unicode.h"
#include "base/utf8.h"

void quote_go(struct buf *out, struct str s)
{
    static const char short_name[] = {
        ['\a'] = 'a', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
        ['\t'] = 't', ['\v'] = 'v', ['"'] = '"',  ['\\'] = '\\'};
    buf_char(out, '"');
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        bool bad = c == 0xfffd && at - from == 1;
        if (c < sizeof short_name && short_name[c])
            buf_printf(out, "\\%c", short_name[c]);
        else if (bad || c < ' ' || c == 0x7f)
            buf_printf(out, "\\x%02x", (unsigned char)s.ptr[from]);
        else if (unicode_prints(c))
            buf_add(out, s.ptr + from, at - from);
        else
            buf_printf(out, c > 0xffff ? "\\U%08x" : "\\u%04x", (unsigned)c);
    }
    buf_char(out, '"');
}
