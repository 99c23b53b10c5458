/* dirhash.h - the `h1:` hash of an unpacked provider, as .terraform.lock.hcl records it.
 *
 * Shape:   base64(sha256(one line per file, sorted by name: hex(sha256(content)), two spaces,
 *          relative path with "/", newline)); the directory itself may be a symbolic link
 * Limits:  DIRHASH_FILES_MAX files, DIRHASH_DEPTH_MAX levels; a name with a newline is an error
 * Source:  golang.org/x/mod/sumdb/dirhash Hash1; facts/terraform.md 4.4
 */
#pragma once
#include <stdbool.h>

#include "base/digest.h"
#include "base/str.h"

struct arena;
struct err;

enum { DIRHASH_FILES_MAX = 20000, DIRHASH_DEPTH_MAX = 32 };

/*
 * cache_dir   where digests of large files are remembered (filedigest.h), or empty
 * ret_hash    "h1:..." in the arena
 * ret_binary  the plain SHA-256 of the file `binary` (a name directly in dir), which the walk
 *             computes anyway; zeroed where there is no such file
 */
bool dirhash_h1(struct arena *arena, const char *dir, struct str binary, struct str cache_dir,
                struct str *ret_hash, struct digest *ret_binary, struct err *err);
