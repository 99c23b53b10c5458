/* io_big.c - anonymous memory, filled by read. */
#include "base/io_big.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"

enum { PAGE = 4096, BEHIND = 64, PIECE = 1 << 20, STREAM_FIRST = 1 << 20, MUCH = 4 << 20 };

static size_t round_up(size_t n)
{
    return (n + PAGE - 1) / PAGE * PAGE;
}

/* Room for n bytes and those behind; what was there is kept. */
static bool resize(struct io_big *big, size_t n, struct err *err)
{
    size_t want = round_up(n + BEHIND);
    void *map = big->map
                    ? mremap(big->map, big->mapped, want, MREMAP_MAYMOVE)
                    : mmap(NULL, want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return err_set(err, ERR_LIMIT, "no memory for %zu bytes: %s", n, strerror(errno));
    if (want >= MUCH) /* by the 2 MiB: its page faults took as long as to read it */
        (void)madvise(map, want, MADV_HUGEPAGE);
    big->map = map;
    big->mapped = want;
    return true;
}

/* `size` is what stat said; more may come (a stream, a file that grows), less may too. */
static bool fill(struct io_big *big, int fd, const char *path, size_t size, size_t max_bytes,
                 struct err *err)
{
    size_t got = 0;
    for (;;) {
        size_t room = big->mapped - BEHIND - got;
        if (room == 0) {
            if (!resize(big, got + (got > STREAM_FIRST ? got : STREAM_FIRST), err))
                return false;
            continue;
        }
        size_t want = got < size && size - got < room ? size - got + 1 : room;
        if (want > PIECE)
            want = PIECE;
        if (want > room)
            want = room;
        ssize_t n = read(fd, (char *)big->map + got, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        got += (size_t)n;
        if (got > max_bytes)
            return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
    }
    big->text = (struct str){big->map, got};
    return true;
}

static bool open_file(const char *path, size_t max_bytes, struct io_big *ret, int *ret_fd,
                      struct err *err)
{
    AUTO_FD fd = io_open_file(path, err);
    struct io_big big = {0};
    if (fd < 0)
        return false;
    if (!io_id_of(fd, &big.id))
        return err_set(err, ERR_IO, "stat %s: %s", path, strerror(errno));
    if (S_ISDIR(big.id.mode))
        return err_set(err, ERR_IO, "%s is a directory", path);
    big.size = S_ISREG(big.id.mode) ? (size_t)big.id.size : 0;
    if (big.size > max_bytes)
        return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
    if (!resize(&big, big.size ? big.size : STREAM_FIRST, err))
        return err_wrap(err, "read %s", path);
    big.text.ptr = big.map;
    *ret = big;
    *ret_fd = fd;
    fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
    return true;
}

bool io_big_read(const char *path, size_t max_bytes, struct io_big *ret, struct err *err)
{
    AUTO_FD fd = -1;
    struct io_big big;
    if (!open_file(path, max_bytes, &big, &fd, err))
        return false;
    if (!fill(&big, fd, path, big.size, max_bytes, err)) {
        io_big_free(&big);
        return false;
    }
    *ret = big;
    return true;
}

bool io_big_open(const char *path, size_t max_bytes, struct io_big *ret, struct err *err)
{
    AUTO_FD fd = -1;
    struct io_big big;
    if (!open_file(path, max_bytes, &big, &fd, err))
        return false;
    if (!big.size && !fill(&big, fd, path, 0, max_bytes, err)) {
        io_big_free(&big);
        return false;
    }
    if (big.size) {
        big.rest = fd + 1;
        fd = -1;
    }
    *ret = big;
    return true;
}

static void end(struct io_big *big)
{
    if (big->rest)
        (void)close(big->rest - 1);
    big->rest = 0;
}

/* All is read: is it what was there at opening? */
static bool end_unchanged(struct io_big *big, struct err *err)
{
    struct io_id now;
    bool same = io_id_of(big->rest - 1, &now) && now.size == big->text.len &&
                now.mtime_ns == big->id.mtime_ns;
    end(big);
    return same || err_set(err, ERR_CONFLICT, "it was written to while it was read; try again");
}

bool io_big_more(struct io_big *big, size_t n, struct err *err)
{
    while (n && big->rest) {
        size_t want = big->size - big->text.len, most = n < PIECE ? n : PIECE;
        if (want > most)
            want = most;
        ssize_t got = read(big->rest - 1, (char *)big->map + big->text.len, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_IO, "read: %s", strerror(errno));
        big->text.len += (size_t)got;
        n -= (size_t)got;
        if ((got == 0 || big->text.len == big->size) && !end_unchanged(big, err))
            return false;
    }
    return true;
}

void io_big_free(struct io_big *big)
{
    end(big);
    if (big->map)
        (void)munmap(big->map, big->mapped);
    *big = (struct io_big){0};
}
