/* mime.c - encoded words, quoted-printable, dates. */
#include "wire/mime.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LINE_MAX_BYTES = 76, WORD_MAX = 75, DAY_MS = 86400000 };

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 2047, 5 (3): what may stand in a phrase too. */
static size_t word_cost(struct str piece)
{
    size_t n = 0;
    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.ptr[i];
        n += is_alnum(c) || c == ' ' || c == '-' ? 1 : 3;
    }
    return n;
}

void mime_words(struct buf *out, struct str text, size_t column)
{
    bool open = false;
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        uint32_t c = utf8_next(text, &at); /* a bad byte becomes U+FFFD */
        struct str piece = {bytes, utf8_put(c, bytes)};
        if (open && column + word_cost(piece) + 2 > WORD_MAX) {
            buf_str(out, STR("?=\r\n "));
            open = false;
            column = 1;
        }
        if (!open) {
            buf_str(out, STR("=?UTF-8?Q?"));
            column += 10;
            open = true;
        }
        for (size_t i = 0; i < piece.len; i++) {
            unsigned char b = (unsigned char)piece.ptr[i];
            if (is_alnum(b) || b == '-')
                buf_char(out, (char)b);
            else if (b == ' ')
                buf_char(out, '_');
            else
                buf_printf(out, "=%02X", b);
        }
        column += word_cost(piece);
    }
    if (open)
        buf_str(out, STR("?="));
}

void mime_phrase(struct buf *out, struct str text, size_t column)
{
    if (word_cost(text) == text.len && column + text.len < LINE_MAX_BYTES)
        buf_str(out, text);
    else
        mime_words(out, text, column);
}

void mime_header(struct buf *out, const char *name, struct str text)
{
    size_t column = strlen(name) + 2;
    bool plain = column + text.len <= LINE_MAX_BYTES && str_find(text, STR("=?"), 0) == SIZE_MAX;
    for (size_t i = 0; i < text.len && plain; i++)
        plain = text.ptr[i] >= ' ' && text.ptr[i] <= '~';
    buf_printf(out, "%s: ", name);
    if (plain)
        buf_str(out, text);
    else
        mime_words(out, text, column);
    buf_str(out, STR("\r\n"));
}

void mime_quoted(struct buf *out, struct str text)
{
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool last = i + 1 == text.len || text.ptr[i + 1] == '\n';
        if (c == '\n') {
            buf_str(out, STR("\r\n"));
            column = 0;
            continue;
        }
        /* a blank at the end would be lost; "From " and "." at the start mean more to some */
        bool plain = c >= ' ' && c <= '~' && c != '=' && !(c == ' ' && last) &&
                     !(column == 0 && (c == 'F' || c == '.'));
        if (column + (plain ? 1 : 3) > LINE_MAX_BYTES - 1) {
            buf_str(out, STR("=\r\n"));
            column = 0;
            plain = plain && c != 'F' && c != '.';
        }
        if (plain)
            buf_char(out, (char)c);
        else
            buf_printf(out, "=%02X", c);
        column += plain ? 1 : 3;
    }
    if (column)
        buf_str(out, STR("\r\n"));
}

const char *mime_date(int64_t utc_ms, char out[MIME_DATE])
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[CLOCK_TEXT];
    int64_t month = 1, day = utc_ms / DAY_MS - (utc_ms % DAY_MS < 0);
    struct str time = str_from(clock_format(utc_ms, text)); /* 2026-11-22T15:55:57Z */
    (void)str_to_int64(str_sub(time, 5, 7), &month);
    (void)snprintf(out, MIME_DATE, "%.3s, %.2s %.3s %.4s %.8s +0000", days + (day % 7 + 7) % 7 * 3,
                   text + 8, months + (month - 1) * 3, text, text + 11);
    return out;
}
