/* utf8.c - validation by the byte ranges of RFC 3629; NFC through libunistring. */
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <unigbrk.h>
#include <uninorm.h>

#include "base/arena.h"

size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    size_t len = c >= 0xc2 && c <= 0xdf   ? 2
                 : (c & 0xf0) == 0xe0     ? 3
                 : c >= 0xf0 && c <= 0xf4 ? 4
                                          : 0;
    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) ||
        (c == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

static size_t ascii_run(const unsigned char *p, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t eight;
        memcpy(&eight, p + i, 8);
        if (eight & 0x8080808080808080u)
            break;
    }
    while (i < n && p[i] < 0x80)
        i++;
    return i;
}

size_t utf8_bad_at(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t i = 0; i < s.len;) {
        i += ascii_run(p + i, s.len - i);
        if (i == s.len)
            break;
        size_t len = utf8_sequence(p + i, s.len - i);
        if (len == 0)
            return i;
        i += len;
    }
    return SIZE_MAX;
}

uint32_t utf8_next(struct str s, size_t *at)
{
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *p = (const unsigned char *)s.ptr + *at;
    size_t len = utf8_sequence(p, s.len - *at);
    if (len == 0) {
        *at += 1;
        return 0xfffd;
    }
    uint32_t c = p[0] & mask[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3fu);
    *at += len;
    return c;
}

size_t utf8_put(uint32_t c, char out[4])
{
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        c = 0xfffd;
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Everything below U+0300 is in NFC whatever stands beside it. */
static bool surely_nfc(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t i = 0; i < s.len; i++)
        if (p[i] >= 0xcc)
            return false;
    return true;
}

struct str utf8_nfc(struct arena *arena, struct str s)
{
    if (surely_nfc(s) || utf8_bad_at(s) != SIZE_MAX)
        return s;
    size_t len = 0;
    uint8_t *nfc = u8_normalize(UNINORM_NFC, (const uint8_t *)s.ptr, s.len, NULL, &len);
    if (!nfc)
        return (struct str){0};
    struct str out = s;
    if (len != s.len || memcmp(nfc, s.ptr, len) != 0)
        out = arena_dup(arena, (struct str){(const char *)nfc, len});
    free(nfc);
    return out;
}

/* uc_is_grapheme_break looks at two code points; flags (GB12) and joined emoji (GB11) need more. */
size_t utf8_cluster(struct str s, size_t at)
{
    /* Between two ASCII characters there is a break, unless they are CR LF. */
    if (at < s.len && (unsigned char)s.ptr[at] < 0x80 && s.ptr[at] != '\r' &&
        (at + 1 == s.len || (unsigned char)s.ptr[at + 1] < 0x80))
        return at + 1;
    uint32_t before = utf8_next(s, &at);
    bool flag_half = uc_graphemeclusterbreak_property(before) == GBP_RI;
    bool picture = uc_is_property_extended_pictographic(before);
    while (at < s.len) {
        size_t next = at;
        uint32_t c = utf8_next(s, &next);
        bool is_flag = uc_graphemeclusterbreak_property(c) == GBP_RI;
        bool is_picture = uc_is_property_extended_pictographic(c);
        bool flag = flag_half && is_flag;
        bool joined = picture && is_picture && uc_graphemeclusterbreak_property(before) == GBP_ZWJ;
        bool two_flags = is_flag && uc_graphemeclusterbreak_property(before) == GBP_RI;
        if (!flag && !joined && (two_flags || uc_is_grapheme_break(before, c)))
            break;
        int property = uc_graphemeclusterbreak_property(c);
        picture = is_picture || (picture && (property == GBP_EXTEND || property == GBP_ZWJ));
        flag_half = is_flag && !flag;
        before = c;
        at = next;
    }
    return at;
}
