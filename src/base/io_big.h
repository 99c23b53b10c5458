/* io_big.h - a file of up to gigabytes in memory of its own.
 *
 * Read, not mapped: a file that is cut short meanwhile must not end the process. No huge pages are
 * asked for: in virtual machines whose memory is not backed yet they cost four times what they
 * save.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct err;
struct io_big {
    struct str text; /* behind it, 64 bytes of zero */
    void *map;
    size_t mapped;
};

/* ERR_IO, or ERR_LIMIT past max_bytes. Pipes and other streams are read to their end. */
bool io_big_read(const char *path, size_t max_bytes, struct io_big *ret, struct err *err);
void io_big_free(struct io_big *big);
