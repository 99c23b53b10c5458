/* io.c - open, read, write, list; every failure names the path and the reason. */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum { SETTLED_MS = 2000 };

void io_close_auto(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void io_fclose_auto(FILE **file)
{
    if (*file)
        (void)fclose(*file);
    *file = NULL;
}

static bool too_large(const char *name, size_t max_bytes, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", name, max_bytes);
}

/* A regular file of known size: one allocation, read in place. */
static bool read_sized(struct arena *arena, int fd, const char *name, size_t size, struct str *ret,
                       struct err *err)
{
    char *bytes = arena_alloc_raw(arena, size + 1, 1, 1);
    size_t got = 0;
    if (!bytes)
        return arena_full(arena, err);
    while (got < size) {
        ssize_t n = read(fd, bytes + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "read %s: %s", name, strerror(errno));
        if (n == 0)
            break;
        got += (size_t)n;
    }
    bytes[got] = '\0';
    *ret = (struct str){bytes, got};
    return true;
}

static bool read_stream(struct arena *arena, int fd, const char *name, size_t max_bytes,
                        struct str *ret, struct err *err)
{
    enum { PIECE = 1 << 16 };
    AUTO_BUF buf = {.limit = max_bytes < SIZE_MAX - PIECE ? max_bytes + PIECE : SIZE_MAX};
    for (;;) {
        char *room = buf_room(&buf, PIECE);
        if (!room)
            return too_large(name, max_bytes, err);
        ssize_t n = read(fd, room, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "read %s: %s", name, strerror(errno));
        if (n == 0)
            break;
        buf.len += (size_t)n;
        if (buf.len > max_bytes)
            return too_large(name, max_bytes, err);
    }
    struct str bytes = arena_dup(arena, buf_view(&buf));
    if (!bytes.ptr)
        return arena_full(arena, err);
    *ret = bytes;
    return true;
}

static bool read_it(struct arena *arena, int fd, const struct stat *st, const char *name,
                    size_t max_bytes, struct str *ret, struct err *err)
{
    if (S_ISDIR(st->st_mode))
        return err_set(err, ERR_IO, "%s is a directory", name);
    if (!S_ISREG(st->st_mode) || st->st_size == 0)
        return read_stream(arena, fd, name, max_bytes, ret, err);
    if ((uint64_t)st->st_size > max_bytes)
        return too_large(name, max_bytes, err);
    return read_sized(arena, fd, name, (size_t)st->st_size, ret, err);
}

bool io_read_fd(struct arena *arena, int fd, const char *name, size_t max_bytes, struct str *ret,
                struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set(err, ERR_IO, "stat %s: %s", name, strerror(errno));
    return read_it(arena, fd, &st, name, max_bytes, ret, err);
}

/* /dev/fd/63 of a shell, /dev/stdin: who names these means to wait. */
static bool is_stream(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

static int open_file(const char *path, struct stat *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        (void)err_set(err, ERR_IO, "open %s: %s", path, strerror(errno));
        return -1;
    }
    bool known = fstat(fd, ret) == 0;
    if (known && (S_ISREG(ret->st_mode) || S_ISDIR(ret->st_mode)))
        return fd;
    if (known && is_stream(path) && fcntl(fd, F_SETFL, 0) == 0)
        return fd;
    (void)close(fd);
    (void)err_set(err, ERR_IO, "%s is a pipe or a device, which may never end: name a regular file",
                  path);
    return -1;
}

int io_open_file(const char *path, struct err *err)
{
    struct stat st;
    return open_file(path, &st, err);
}

bool io_read_file(struct arena *arena, const char *path, size_t max_bytes, struct str *ret,
                  struct err *err)
{
    struct stat st;
    AUTO_FD fd = open_file(path, &st, err);
    return fd >= 0 && read_it(arena, fd, &st, path, max_bytes, ret, err);
}

bool io_write_all(int fd, struct str bytes, struct err *err)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "write: %s", strerror(errno));
        bytes = str_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static bool write_and_rename(int fd, const char *temp, const char *path, struct str bytes,
                             unsigned mode, struct err *err)
{
    if (!io_write_all(fd, bytes, err))
        return err_wrap(err, "%s", path);
    if (fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0)
        return err_set(err, ERR_IO, "write %s: %s", path, strerror(errno));
    if (rename(temp, path) < 0)
        return err_set(err, ERR_IO, "rename %s to %s: %s", temp, path, strerror(errno));
    return true;
}

bool io_write_file_atomic(const char *path, struct str bytes, unsigned mode, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str temp = arena_printf(&arena, "%s.XXXXXX", path);
    if (!temp.ptr)
        return arena_full(&arena, err);
    char *name = arena_alloc(&arena, temp.len + 1, 1, 1);
    if (!name)
        return arena_full(&arena, err);
    memcpy(name, temp.ptr, temp.len + 1);
    AUTO_FD fd = mkostemp(name, O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "create %s: %s", name, strerror(errno));
    if (write_and_rename(fd, name, path, bytes, mode, err))
        return true;
    (void)unlink(name);
    return false;
}

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void id_of(const struct stat *st, int64_t now_ms, struct io_id *ret)
{
    *ret = (struct io_id){.dev = st->st_dev,
                          .ino = st->st_ino,
                          .size = (uint64_t)st->st_size,
                          .mtime_ns = ns_of(st->st_mtim),
                          .ctime_ns = ns_of(st->st_ctim),
                          .mode = st->st_mode};
    ret->settled = ret->ctime_ns / 1000000 + SETTLED_MS <= now_ms;
}

bool io_id_of(int fd, struct io_id *ret)
{
    struct stat st;
    int64_t now_ms = clock_wall_ms(); /* before: what is written after it is newer */
    *ret = (struct io_id){0};
    if (fstat(fd, &st) < 0)
        return false;
    id_of(&st, now_ms, ret);
    return true;
}

bool io_id_at(const char *path, struct io_id *ret)
{
    struct stat st;
    int64_t now_ms = clock_wall_ms();
    *ret = (struct io_id){0};
    if (stat(path, &st) < 0)
        return false;
    id_of(&st, now_ms, ret);
    return true;
}

bool io_id_same(const struct io_id *a, const struct io_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

bool io_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool io_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool io_is_loop(const char *path)
{
    struct stat st, above;
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str copy = arena_dup(&arena, str_from(path));
    if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode) || stat(path, &st) < 0 || !copy.ptr)
        return false;
    char *c = (char *)(uintptr_t)copy.ptr;
    if (path[0] != '/' && stat(".", &above) == 0 && above.st_dev == st.st_dev &&
        above.st_ino == st.st_ino)
        return true;
    for (size_t i = 1; i < copy.len; i++) {
        if (c[i] != '/')
            continue;
        c[i] = '\0';
        if (stat(c, &above) == 0 && above.st_dev == st.st_dev && above.st_ino == st.st_ino)
            return true;
        c[i] = '/';
    }
    return false;
}

bool io_make_dirs(const char *path, unsigned mode, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    size_t len = strlen(path);
    if (io_is_dir(path)) /* as it mostly is */
        return true;
    char *copy = arena_alloc(&arena, len + 1, 1, 1);
    if (!copy)
        return arena_full(&arena, err);
    memcpy(copy, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (copy[i] != '/' && copy[i] != '\0')
            continue;
        char kept = copy[i];
        copy[i] = '\0';
        if (mkdir(copy, (mode_t)mode) < 0) {
            int why = errno;
            if (!io_is_dir(copy))
                return err_set(err, ERR_IO, "mkdir %s: %s", copy, strerror(why));
        }
        copy[i] = kept;
    }
    return true;
}

struct str io_join(struct arena *arena, struct str dir, struct str name)
{
    if (dir.len == 0 || (name.len && name.ptr[0] == '/'))
        return arena_dup(arena, name);
    const char *slash = dir.ptr[dir.len - 1] == '/' ? "" : "/";
    return arena_printf(arena, "%.*s%s%.*s", STR_ARG(dir), slash, STR_ARG(name));
}

static size_t last_slash(struct str path)
{
    for (size_t i = path.len; i-- > 0;)
        if (path.ptr[i] == '/')
            return i;
    return SIZE_MAX;
}

struct str io_real_path(struct arena *arena, struct str path)
{
    char real[PATH_MAX];
    struct str ended = arena_dup(arena, path);
    return ended.ptr && realpath(ended.ptr, real) ? arena_dup(arena, str_from(real))
                                                  : (struct str){0};
}

struct str io_dirname(struct str path)
{
    size_t at = last_slash(path);
    return at == SIZE_MAX ? STR(".") : at == 0 ? STR("/") : str_sub(path, 0, at);
}

struct str io_basename(struct str path)
{
    size_t at = last_slash(path);
    return at == SIZE_MAX ? path : str_sub(path, at + 1, path.len);
}

static bool list_names(struct arena *arena, DIR *dir, const char *path, size_t max_names,
                       struct str **ret_names, size_t *ret_n, struct err *err)
{
    struct str *names = NULL;
    size_t n = 0, room = 0;
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(dir))) {
        struct str name = str_from(entry->d_name);
        if (str_equal(name, STR(".")) || str_equal(name, STR("..")))
            continue;
        if (n == max_names)
            return err_set(err, ERR_LIMIT, "%s has more than %zu entries", path, max_names);
        names = arena_grow(arena, names, n, &room, n + 1);
        if (!names || !(names[n] = arena_dup(arena, name)).ptr)
            return arena_full(arena, err);
        n++;
    }
    if (errno)
        return err_set(err, ERR_IO, "read directory %s: %s", path, strerror(errno));
    if (n)
        qsort(names, n, sizeof *names, str_compare_qsort);
    *ret_names = names;
    *ret_n = n;
    return true;
}

bool io_list_dir(struct arena *arena, const char *path, size_t max_names, struct str **ret_names,
                 size_t *ret_n, struct err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return err_set(err, ERR_IO, "open directory %s: %s", path, strerror(errno));
    bool ok = list_names(arena, dir, path, max_names, ret_names, ret_n, err);
    closedir(dir);
    return ok;
}
