/* dirhash.c - walk, sort, hash: the `h1:` of a directory. */
#include "live/reader_provider/dirhash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader_provider/filedigest.h"

struct walk {
    struct arena *arena;
    struct str *names; /* relative paths of files */
    size_t n, room;
};

static bool add_file(struct walk *walk, struct str name, struct err *err)
{
    if (walk->n >= DIRHASH_FILES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d files in the package", DIRHASH_FILES_MAX);
    if (str_find_char(name, '\n', 0) != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "a file name with a newline in the package");
    walk->names = arena_grow(walk->arena, walk->names, walk->n, &walk->room, walk->n + 1);
    if (!walk->names)
        return arena_full(walk->arena, err);
    walk->names[walk->n++] = name;
    return true;
}

/* Bounded by depth also where a link inside leads upwards. */
static bool walk_dir(struct walk *walk, struct str root, struct str below, unsigned depth_left,
                     struct err *err)
{
    struct str dir = io_join(walk->arena, root, below), *names = NULL;
    size_t n = 0;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "directories nested deeper than %d", DIRHASH_DEPTH_MAX);
    if (!dir.ptr)
        return arena_full(walk->arena, err);
    if (!io_list_dir(walk->arena, dir.ptr, DIRHASH_FILES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        struct str path = io_join(walk->arena, dir, names[i]);
        struct str name = io_join(walk->arena, below, names[i]);
        if (!path.ptr || !name.ptr)
            return arena_full(walk->arena, err);
        if (lstat(path.ptr, &st) < 0 || (S_ISLNK(st.st_mode) && stat(path.ptr, &st) < 0))
            return err_set(err, ERR_IO, "stat %s: %s", path.ptr, strerror(errno));
        if (S_ISDIR(st.st_mode) && !walk_dir(walk, root, name, depth_left - 1, err))
            return false;
        if (S_ISREG(st.st_mode) && !add_file(walk, name, err))
            return false;
        if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
            return err_set(err, ERR_SYNTAX, "%s is neither a file nor a directory", path.ptr);
    }
    return true;
}

static bool hash_files(struct walk *walk, struct str root, struct str binary, struct str cache_dir,
                       struct sha256 *sum, struct digest *ret_binary, struct err *err)
{
    for (size_t i = 0; i < walk->n; i++) {
        struct digest digest;
        char hex[DIGEST_HEX + 1];
        struct str path = io_join(walk->arena, root, walk->names[i]);
        if (!path.ptr)
            return arena_full(walk->arena, err);
        if (!filedigest_get(cache_dir, path.ptr, time(NULL), &digest, err))
            return false;
        digest_hex(&digest, hex);
        sha256_add(sum, (struct str){hex, DIGEST_HEX});
        sha256_add(sum, STR("  "));
        sha256_add(sum, walk->names[i]);
        sha256_add(sum, STR("\n"));
        if (str_equal(walk->names[i], binary))
            *ret_binary = digest;
    }
    return true;
}

bool dirhash_h1(struct arena *arena, const char *dir, struct str binary, struct str cache_dir,
                struct str *ret_hash, struct digest *ret_binary, struct err *err)
{
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct walk walk = {.arena = &scratch};
    struct digest total, of_binary = {{0}};
    struct str root = arena_printf(&scratch, "%s/", dir); /* the slash follows a link */
    if (!root.ptr)
        return arena_full(&scratch, err);
    if (!walk_dir(&walk, root, (struct str){0}, DIRHASH_DEPTH_MAX, err))
        return err_wrap(err, "hash of %s", dir);
    if (walk.n)
        qsort(walk.names, walk.n, sizeof *walk.names, str_compare_qsort);

    struct sha256 *sum = sha256_open(err);
    if (!sum)
        return false;
    bool ok = hash_files(&walk, root, binary, cache_dir, sum, &of_binary, err);
    if (!sha256_close(sum, &total, ok ? err : NULL) || !ok)
        return err_wrap(err, "hash of %s", dir);

    struct str text = base64_encode(&scratch, (struct str){(const char *)total.byte, DIGEST_SIZE});
    struct str hash = text.ptr ? arena_printf(arena, "h1:%.*s", STR_ARG(text)) : text;
    if (!hash.ptr)
        return arena_full(arena, err);
    *ret_hash = hash;
    *ret_binary = of_binary;
    return true;
}
