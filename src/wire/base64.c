/* base64.c - base64 as Go reads and writes it. */
#include "wire/base64.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void base64(struct buf *out, struct str s, const char *alphabet, bool padded)
{
    for (size_t i = 0; i < s.len; i += 3) {
        uint32_t group = 0;
        size_t n = s.len - i < 3 ? s.len - i : 3;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < n ? (unsigned char)s.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++) {
            if (k <= n)
                buf_char(out, alphabet[group >> (18 - 6 * k) & 63]);
            else if (padded)
                buf_char(out, '=');
        }
    }
}

enum padding { PADDED = 1, UNPADDED = 2 };

/* False with the byte that is wrong; line breaks are skipped, as Go does. */
static bool from_base64(struct str s, const char *alphabet, unsigned padding, struct buf *out,
                        size_t *ret_bad)
{
    uint32_t group = 0;
    unsigned n = 0, equals = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        const char *at = c ? strchr(alphabet, c) : NULL;
        *ret_bad = i;
        if (c == '\n' || c == '\r')
            continue;
        if (c == '=' && (padding & PADDED) && n >= 2) {
            if (++equals + n > 4)
                return false;
            continue;
        }
        if (!at || equals)
            return false;
        group = group << 6 | (uint32_t)(at - alphabet);
        if (++n == 4) {
            for (int k = 16; k >= 0; k -= 8)
                buf_char(out, (char)(group >> k & 255));
            n = group = 0;
        }
    }
    *ret_bad = s.len;
    if (n == 0)
        return equals == 0;
    if (n == 1 || (equals ? n + equals != 4 : !(padding & UNPADDED)))
        return false;
    group <<= 6 * (4 - n);
    for (unsigned k = 0; k + 1 < n; k++)
        buf_char(out, (char)(group >> (16 - 8 * k) & 255));
    return true;
}

bool base64_read(struct buf *out, struct str text64, enum base64_form form, size_t *ret_bad)
{
    bool as_url = form != BASE64_STANDARD;
    return from_base64(text64, as_url ? url : standard, as_url ? PADDED | UNPADDED : PADDED, out,
                       ret_bad) &&
           !out->failed;
}

void base64_write(struct buf *out, struct str bytes, enum base64_form form)
{
    base64(out, bytes, form == BASE64_STANDARD ? standard : url, form != BASE64_URL_BARE);
}
