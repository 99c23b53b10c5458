/* filedigest.h - SHA-256 of a large file, remembered for as long as the file is untouched.
 *
 * Same file: device, inode, size, time of change (to the nanosecond; mtime and ctime, of which no
 *            program can set the latter) under the same path. What was changed in the last seconds
 *            is hashed each time, since a second change could carry the same time
 * Kept in:   the cache directory, one small file per path; only where that directory belongs to
 *            the user and nobody else may write there. Whoever can write there runs as the user
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct err;

enum { FILEDIGEST_LEAST = 1 << 20 /* bytes; smaller ones are hashed sooner than looked up */ };

/*
 * cache_dir  empty: nothing is remembered
 * now_s      seconds since 1970
 * Fails as digest_file().
 */
bool filedigest_get(struct str cache_dir, const char *path, int64_t now_s, struct digest *ret,
                    struct err *err);
