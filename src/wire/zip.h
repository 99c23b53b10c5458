/* zip.h - files out of a ZIP archive that is held in memory: what saved plans are.
 *
 * In:      stored and deflated members, without encryption, below 4 GiB (no ZIP64)
 * Bounds:  members, the bytes of one member; what a member unpacks to is what its directory says,
 *          and its CRC-32 must agree
 * Owner:   names are views into the archive's bytes, which outlive the struct
 * Source:  APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12, 4.3.16; RFC 1951 through zlib
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

enum { ZIP_MEMBERS_MAX = 65535 };

struct zip {
    struct str bytes;
    const char *name;     /* for messages */
    size_t at, left, end; /* of the central directory: next entry, entries left, its end */
};
struct zip_member {
    struct str name; /* "tfconfig/m-/main.tf" */
    size_t size;     /* unpacked */
    size_t packed, header;
    uint32_t crc;
    unsigned method;
};

/* Does it begin as an archive does? */
bool zip_is(struct str bytes);
/* ERR_SYNTAX where it is none, or cut short; ERR_UNSUPPORTED for ZIP64. */
bool zip_open(struct str bytes, const char *name, struct zip *ret, struct err *err);
/* The next member; false at the end, and with err->kind set on damage. */
bool zip_next(struct zip *zip, struct zip_member *ret, struct err *err);
/* Its bytes, with a NUL behind them that is not counted. ERR_LIMIT past max_bytes. */
bool zip_read(struct arena *arena, const struct zip *zip, const struct zip_member *member,
              size_t max_bytes, struct str *ret, struct err *err);
