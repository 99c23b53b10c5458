/* cache.c - checksummed files named by kind and digest. */
#include "live/reader_provider/cache.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"

/* "plumb-cache 1 <16 hex of XXH3>\n", then the bytes. */
enum { HEAD_LEN = 31, HASH_SEED = 1 };

static struct str file_name(struct arena *arena, struct str dir, const struct digest *binary,
                            const char *kind)
{
    char hex[DIGEST_HEX + 1];
    static const struct digest none;
    if (!dir.len || digest_equal(binary, &none))
        return (struct str){0};
    digest_hex(binary, hex);
    return arena_printf(arena, "%.*s/provider-%s-%s.cache", STR_ARG(dir), kind, hex);
}

static void make_head(struct str bytes, char head[HEAD_LEN + 1])
{
    (void)snprintf(head, HEAD_LEN + 1, "plumb-cache 1 %016llx\n",
                   (unsigned long long)hash_bytes(bytes, HASH_SEED));
}

bool cache_load(struct arena *arena, struct str dir, const struct digest *binary, const char *kind,
                struct str *ret_bytes)
{
    char head[HEAD_LEN + 1];
    struct str text, path = file_name(arena, dir, binary, kind);
    if (!path.ptr || !io_exists(path.ptr) ||
        !io_read_file(arena, path.ptr, CACHE_BYTES_MAX, &text, NULL) || text.len < HEAD_LEN)
        return false;
    struct str bytes = str_sub(text, HEAD_LEN, text.len);
    make_head(bytes, head);
    if (memcmp(text.ptr, head, HEAD_LEN) != 0)
        return false;
    *ret_bytes = bytes;
    return true;
}

void cache_save(struct str dir, const struct digest *binary, const char *kind, struct str bytes)
{
    char head[HEAD_LEN + 1];
    AUTO_ARENA arena = {.limit = 1 << 16};
    AUTO_BUF out = {.limit = (size_t)CACHE_BYTES_MAX + HEAD_LEN};
    struct str path = file_name(&arena, dir, binary, kind), dir_text = arena_dup(&arena, dir);
    if (!path.ptr || !dir_text.ptr || !io_make_dirs(dir_text.ptr, 0700, NULL))
        return;
    make_head(bytes, head);
    buf_add(&out, head, HEAD_LEN);
    buf_str(&out, bytes);
    if (buf_ok(&out, NULL))
        (void)io_write_file_atomic(path.ptr, buf_view(&out), 0600, NULL);
}
