/* io.h - files and descriptors, whole reads with a limit, atomic writes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

struct arena;
struct err;

/* To read a regular file (or a folder, which the read refuses), without waiting for who writes into
 * a pipe; of others only what is in /dev and /proc. -1 with err. */
int io_open_file(const char *path, struct err *err);
/* The whole file into the arena (a NUL behind it, not counted); ERR_LIMIT past max_bytes. */
bool io_read_file(struct arena *arena, const char *path, size_t max_bytes, struct str *ret,
                  struct err *err);
/* All of a descriptor (pipe, file, terminal) until its end. `name` is for messages. */
bool io_read_fd(struct arena *arena, int fd, const char *name, size_t max_bytes, struct str *ret,
                struct err *err);
/* Write everything, through interrupted and short writes. */
bool io_write_all(int fd, struct str bytes, struct err *err);
/* A temporary file beside `path`, synced, then renamed over it: readers see the old or the new. */
bool io_write_file_atomic(const char *path, struct str bytes, unsigned mode, struct err *err);
bool io_exists(const char *path);
bool io_is_dir(const char *path);
/* Is it a link to a folder that the path itself comes through, so that a walk would not end? */
bool io_is_loop(const char *path);
/* mkdir -p with the given mode for what is made. */
bool io_make_dirs(const char *path, unsigned mode, struct err *err);
/* "dir/name" with exactly one slash; `name` alone where it is absolute or dir is empty. NUL-ended.
 */
struct str io_join(struct arena *arena, struct str dir, struct str name);
/* With links followed, NUL-ended; ptr NULL where there is nothing (errno says why), or no room. */
struct str io_real_path(struct arena *arena, struct str path);
struct str io_dirname(struct str path);  /* "." where there is no slash */
struct str io_basename(struct str path); /* what follows the last slash */
/* The names in a directory, sorted bytewise, without "." and ".."; at most max_names. */
bool io_list_dir(struct arena *arena, const char *path, size_t max_names, struct str **ret_names,
                 size_t *ret_n, struct err *err);

/* Which file it is, and which version of it: whoever keeps what he read of a file keeps this beside
 * it, taken before he read. settled: nothing was written for two seconds, so that what is written
 * from now on has another time, however coarse the clock of the file system is. */
struct io_id {
    uint64_t dev, ino, size;
    int64_t mtime_ns, ctime_ns;
    unsigned mode;
    bool settled;
};
bool io_id_of(int fd, struct io_id *ret); /* false: errno says why, ret is zeroed */
bool io_id_at(const char *path, struct io_id *ret);
/* The very same version? mode and settled are not compared. */
bool io_id_same(const struct io_id *a, const struct io_id *b);

void io_close_auto(int *fd);
#define AUTO_FD __attribute__((cleanup(io_close_auto))) int
void io_fclose_auto(FILE **file);
#define AUTO_FILE __attribute__((cleanup(io_fclose_auto))) FILE *
