/* filedigest.c - what stat() says beside the digest, in the cache. */
#include "live/reader_provider/filedigest.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "live/reader_provider/cache.h"

enum { SETTLED_S = 3, ROOM = 1 << 16 };
static const char kind[] = "file";

static bool is_ours_alone(struct arena *arena, struct str dir)
{
    struct stat st;
    struct str path = arena_dup(arena, dir);
    return dir.len && path.ptr && io_make_dirs(path.ptr, 0700, NULL) && stat(path.ptr, &st) == 0 &&
           st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* One line; what it is compared with is made in the same way. */
static struct str describe(struct arena *arena, const struct stat *st)
{
    return arena_printf(arena,
                        "%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 ".%09ld %" PRId64 ".%09ld ",
                        (uint64_t)st->st_dev, (uint64_t)st->st_ino, (int64_t)st->st_size,
                        (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
                        (int64_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static bool from_hex(struct str text, struct digest *ret)
{
    static const char digits[] = "0123456789abcdef";
    if (text.len != DIGEST_HEX)
        return false;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        const char *high = memchr(digits, text.ptr[2 * i], 16);
        const char *low = memchr(digits, text.ptr[2 * i + 1], 16);
        if (!high || !low)
            return false;
        ret->byte[i] = (unsigned char)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static bool recall(struct arena *arena, struct str dir, const struct digest *key, struct str about,
                   struct digest *ret)
{
    struct str kept;
    return cache_load(arena, dir, key, kind, &kept) && str_starts(kept, about) &&
           from_hex(str_sub(kept, about.len, kept.len), ret);
}

bool filedigest_get(struct str cache_dir, const char *path, int64_t now_s, struct digest *ret,
                    struct err *err)
{
    AUTO_ARENA arena = {.limit = ROOM};
    struct stat before, after;
    struct digest key;
    char hex[DIGEST_HEX + 1];
    if (stat(path, &before) < 0 || before.st_size < FILEDIGEST_LEAST ||
        before.st_ctim.tv_sec + SETTLED_S >= now_s || !is_ours_alone(&arena, cache_dir) ||
        !digest_sha256(str_from(path), &key, NULL))
        return digest_file(path, ret, err);
    struct str about = describe(&arena, &before);
    if (about.ptr && recall(&arena, cache_dir, &key, about, ret))
        return true;
    if (!digest_file(path, ret, err))
        return false;
    digest_hex(ret, hex);
    struct str line = arena_printf(&arena, "%.*s%s", STR_ARG(about), hex);
    struct str now = stat(path, &after) == 0 ? describe(&arena, &after) : (struct str){0};
    if (about.ptr && line.ptr && str_equal(about, now))
        cache_save(cache_dir, &key, kind, line);
    return true;
}
