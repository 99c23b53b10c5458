/* gzip.c - gzip_inflate(). */
#include "wire/gzip.h"

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"

enum { GZIP_WINDOW = 15 + 16 /* zlib's way to say "with a header of gzip" */, PIECE = 1 << 16 };

bool gzip_is(struct str bytes)
{
    return bytes.len > 2 && (unsigned char)bytes.ptr[0] == 0x1f &&
           (unsigned char)bytes.ptr[1] == 0x8b;
}

/* Members behind one another are one file (RFC 1952, 2.2); zeros behind them fill up a block. */
static int next_member(z_stream *z)
{
    struct str rest = {(const char *)z->next_in, z->avail_in};
    while (rest.len && rest.ptr[rest.len - 1] == '\0')
        rest.len--;
    if (rest.len == 0)
        return Z_STREAM_END;
    return gzip_is(rest) && inflateReset(z) == Z_OK ? Z_OK : Z_DATA_ERROR;
}

bool gzip_inflate(struct str bytes, struct str name, struct buf *out, struct err *err)
{
    z_stream z = {0};
    int code = Z_OK;
    if (bytes.len > UINT32_MAX || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return err_set(err, ERR_LIMIT, "%.*s: cannot be unpacked", STR_ARG(name));
    z.next_in = (Bytef *)(uintptr_t)bytes.ptr;
    z.avail_in = (uInt)bytes.len;
    while (code == Z_OK) {
        char *room = buf_room(out, PIECE);
        if (!room)
            break;
        z.next_out = (Bytef *)room;
        z.avail_out = PIECE;
        code = inflate(&z, Z_NO_FLUSH);
        out->len += PIECE - z.avail_out;
        if (code == Z_STREAM_END)
            code = next_member(&z);
    }
    (void)inflateEnd(&z);
    if (code == Z_STREAM_END)
        return true;
    if (out->failed)
        return err_set(err, ERR_LIMIT, "%.*s: more than %zu bytes when unpacked", STR_ARG(name),
                       out->limit);
    return err_set(err, ERR_SYNTAX, "%.*s: not a whole gzip file", STR_ARG(name));
}
