/* io_big.h - a file of up to gigabytes in memory of its own.
 *
 * Read, not mapped: a file that is cut short meanwhile must not end the process. No huge pages are
 * asked for: in virtual machines whose memory is not backed yet they cost four times what they
 * save.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "base/str.h"

struct err;
struct io_big {
    struct str text; /* behind it, 64 bytes of zero */
    void *map;
    size_t mapped;
    size_t size;     /* of the file when it was opened; 0 = a stream */
    struct io_id id; /* at opening */
    int rest;        /* of io_big_open: descriptor + 1 while there is more to read, else 0 */
};

/* ERR_IO, or ERR_LIMIT past max_bytes. Pipes and other streams are read to their end. */
bool io_big_read(const char *path, size_t max_bytes, struct io_big *ret, struct err *err);
/* The same in pieces, for who may not need all of it: text grows in place with each io_big_more,
 * which reads n bytes or what is left. A stream is read to its end at once. ERR_CONFLICT where
 * somebody wrote the file meanwhile: what was read may be half of either. */
bool io_big_open(const char *path, size_t max_bytes, struct io_big *ret, struct err *err);
bool io_big_more(struct io_big *big, size_t n, struct err *err);
void io_big_free(struct io_big *big);
