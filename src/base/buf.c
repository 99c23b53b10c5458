/* buf.c - a doubling heap buffer. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Room for n more bytes, and one that does not count: the NUL of vsnprintf. */
static char *reserve(struct buf *buf, size_t n)
{
    if (buf->failed || buf->len > buf->limit || n > buf->limit - buf->len ||
        n > PTRDIFF_MAX - buf->len) {
        buf->failed = true;
        return NULL;
    }
    if (n >= buf->room - buf->len) {
        size_t room = buf->room ? buf->room : 256;
        while (room - buf->len <= n)
            room = room <= PTRDIFF_MAX / 2 ? room * 2 : PTRDIFF_MAX;
        if (room > buf->limit)
            room = buf->limit + 1;
        char *grown = realloc(buf->ptr, room);
        if (!grown) {
            buf->failed = true;
            return NULL;
        }
        buf->ptr = grown;
        buf->room = room;
    }
    return buf->ptr + buf->len;
}

char *buf_room(struct buf *buf, size_t n)
{
    return reserve(buf, n);
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
    char *to = n ? buf_room(buf, n) : NULL;
    if (to) {
        memcpy(to, bytes, n);
        buf->len += n;
    }
}

void buf_str(struct buf *buf, struct str s)
{
    buf_add(buf, s.ptr, s.len);
}

void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_repeat(struct buf *buf, char c, size_t n)
{
    char *to = n ? buf_room(buf, n) : NULL;
    if (to) {
        memset(to, c, n);
        buf->len += n;
    }
}

void buf_int(struct buf *buf, int64_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        digits[--at] = '-';
    buf_add(buf, digits + at, sizeof digits - at);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    char small[256]; /* most are: formatted once, not once more to know how long they are */
    va_start(args, fmt);
    int len = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof small) {
        buf_add(buf, small, (size_t)len);
        return;
    }
    char *to = len < 0 ? NULL : reserve(buf, (size_t)len);
    if (!to)
        return;
    va_start(args, fmt);
    (void)vsnprintf(to, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

void buf_consume(struct buf *buf, size_t n)
{
    if (n >= buf->len) {
        buf->len = 0;
        return;
    }
    memmove(buf->ptr, buf->ptr + n, buf->len - n);
    buf->len -= n;
}

struct str buf_view(const struct buf *buf)
{
    return (struct str){buf->ptr, buf->len};
}

bool buf_ok(const struct buf *buf, struct err *err)
{
    if (buf->failed)
        return err_set(err, ERR_LIMIT, "output needs more than %zu bytes", buf->limit);
    return true;
}

void buf_wipe(struct buf *buf)
{
    if (buf->ptr)
        explicit_bzero(buf->ptr, buf->len);
    buf_free(buf);
}

void buf_free(struct buf *buf)
{
    free(buf->ptr);
    *buf = (struct buf){.limit = buf->limit};
}
