/* words.c - foreign text for one line of ours. */
#include "live/reader_provider/words.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/utf8.h"

void words_put(struct buf *out, struct str text, size_t most)
{
    size_t start = out->len;
    bool blank = false;
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        uint32_t c = utf8_next(text, &at);
        if (c <= ' ' || c == 0x7f || (c >= 0x80 && c <= 0xa0)) {
            blank = true;
            continue;
        }
        size_t n = utf8_put(c, bytes);
        if (out->len - start + n + 1 > most) {
            buf_str(out, STR("\xe2\x80\xa6"));
            return;
        }
        if (blank && out->len > start)
            buf_char(out, ' ');
        blank = false;
        buf_add(out, bytes, n);
    }
}
