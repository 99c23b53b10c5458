/* gzip.h - what is in a gzip file, whole, with a bound.
 *
 * Source:  RFC 1952 through zlib
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct buf;
struct err;

/* Does it begin as one does? */
bool gzip_is(struct str bytes);
/* All members, behind what `out` has, up to its limit (ERR_LIMIT). ERR_SYNTAX: damaged, cut short,
 * or with something else behind. */
bool gzip_inflate(struct str bytes, struct str name, struct buf *out, struct err *err);
