/* zip.c - the central directory of a ZIP archive, and its members unpacked. */
#include "wire/zip.h"

#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    END_BYTES = 22,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    COMMENT_MAX = 65535,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1
};
static const uint32_t end_mark = 0x06054b50, entry_mark = 0x02014b50, local_mark = 0x04034b50;

static uint32_t number(struct str s, size_t at, unsigned bytes)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < bytes; i++)
        n |= (uint32_t)(unsigned char)s.ptr[at + i] << (8 * i);
    return n;
}

static bool broken(const char *name, const char *what, struct err *err)
{
    (void)err_set(err, ERR_SYNTAX, "%s: %s: no whole ZIP archive", name, what);
    return false;
}

bool zip_is(struct str bytes)
{
    return str_starts(bytes, STR("PK\x03\x04")) || str_starts(bytes, STR("PK\x05\x06"));
}

bool zip_open(struct str bytes, const char *name, struct zip *ret, struct err *err)
{
    if (bytes.len < END_BYTES)
        return broken(name, "too short", err);
    size_t last = bytes.len - END_BYTES;
    size_t least = last > COMMENT_MAX ? last - COMMENT_MAX : 0, at = last;
    while (number(bytes, at, 4) != end_mark) {
        if (at == least)
            return broken(name, "its directory is missing", err);
        at--;
    }
    size_t members = number(bytes, at + 10, 2), size = number(bytes, at + 12, 4);
    size_t from = number(bytes, at + 16, 4);
    if (members == 0xffff || size == UINT32_MAX || from == UINT32_MAX)
        return err_set(err, ERR_UNSUPPORTED, "%s: a ZIP64 archive", name);
    if (from > at || size > at - from)
        return broken(name, "its directory is elsewhere", err);
    *ret = (struct zip){.bytes = bytes, .name = name, .at = from, .left = members};
    ret->end = from + size;
    return true;
}

bool zip_next(struct zip *zip, struct zip_member *ret, struct err *err)
{
    if (zip->left == 0)
        return false;
    if (zip->end - zip->at < ENTRY_BYTES || number(zip->bytes, zip->at, 4) != entry_mark)
        return broken(zip->name, "its directory is damaged", err);
    size_t at = zip->at, name = number(zip->bytes, at + 28, 2);
    size_t more = number(zip->bytes, at + 30, 2) + (size_t)number(zip->bytes, at + 32, 2);
    if (zip->end - at - ENTRY_BYTES < name + more)
        return broken(zip->name, "its directory is cut short", err);
    if (number(zip->bytes, at + 8, 2) & FLAG_ENCRYPTED)
        return err_set(err, ERR_UNSUPPORTED, "%s: an encrypted ZIP archive", zip->name);
    *ret =
        (struct zip_member){.name = str_sub(zip->bytes, at + ENTRY_BYTES, at + ENTRY_BYTES + name),
                            .method = number(zip->bytes, at + 10, 2),
                            .crc = number(zip->bytes, at + 16, 4),
                            .packed = number(zip->bytes, at + 20, 4),
                            .size = number(zip->bytes, at + 24, 4),
                            .header = number(zip->bytes, at + 42, 4)};
    zip->at = at + ENTRY_BYTES + name + more;
    zip->left--;
    return true;
}

/* The packed bytes of a member, behind its local header. */
static bool find_packed(const struct zip *zip, const struct zip_member *m, struct str *ret,
                        struct err *err)
{
    size_t size = zip->bytes.len;
    if (m->header > size || size - m->header < LOCAL_BYTES ||
        number(zip->bytes, m->header, 4) != local_mark)
        return broken(zip->name, "a member is missing", err);
    size_t from = m->header + LOCAL_BYTES + number(zip->bytes, m->header + 26, 2) +
                  number(zip->bytes, m->header + 28, 2);
    if (from > size || size - from < m->packed)
        return broken(zip->name, "a member is cut short", err);
    *ret = str_sub(zip->bytes, from, from + m->packed);
    return true;
}

static bool inflate_all(const struct zip *zip, struct str packed, char *out, size_t size,
                        struct err *err)
{
    z_stream stream = {.avail_in = (uInt)packed.len, .avail_out = (uInt)size};
    stream.next_in = (Bytef *)(uintptr_t)packed.ptr; /* zlib reads only, and is not const */
    stream.next_out = (Bytef *)out;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return err_set(err, ERR_LIMIT, "%s: no memory to unpack", zip->name);
    int code = inflate(&stream, Z_FINISH);
    bool whole = code == Z_STREAM_END && stream.total_out == size;
    (void)inflateEnd(&stream);
    return whole || broken(zip->name, "a member does not unpack", err);
}

bool zip_read(struct arena *arena, const struct zip *zip, const struct zip_member *member,
              size_t max_bytes, struct str *ret, struct err *err)
{
    struct str packed = {0};
    if (member->size > max_bytes)
        return err_set(err, ERR_LIMIT, "%s: %.*s has %zu bytes, at most %zu are read", zip->name,
                       STR_ARG(member->name), member->size, max_bytes);
    if (member->method != METHOD_STORED && member->method != METHOD_DEFLATED)
        return err_set(err, ERR_UNSUPPORTED, "%s: %.*s is packed by method %u", zip->name,
                       STR_ARG(member->name), member->method);
    if (!find_packed(zip, member, &packed, err))
        return false;
    char *out = arena_new_raw(arena, char, member->size + 1);
    if (!out)
        return arena_full(arena, err);
    if (member->method == METHOD_STORED && packed.len != member->size)
        return broken(zip->name, "a member has another size", err);
    if (member->method == METHOD_STORED && packed.len)
        memcpy(out, packed.ptr, packed.len);
    if (member->method == METHOD_DEFLATED && !inflate_all(zip, packed, out, member->size, err))
        return false;
    if (crc32(crc32(0, NULL, 0), (const Bytef *)out, (uInt)member->size) != member->crc)
        return broken(zip->name, "a member is damaged", err);
    out[member->size] = '\0';
    *ret = (struct str){out, member->size};
    return true;
}
