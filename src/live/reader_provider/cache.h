/* cache.h - what is remembered of a provider binary between runs: its schema reply, its probes.
 *
 * Shape:   one file per binary digest and kind below options->cache_dir, written atomically, with a
 *          checksum in front. A file that is missing, cut, foreign or of another version of plumb
 *          is as good as none: nothing here ever fails a scan
 * Kinds:   "schema-5", "schema-6" (the reply's bytes), "identity-5", "identity-6", "probes" (JSON)
 */
#pragma once
#include <stdbool.h>

#include "base/digest.h"
#include "base/str.h"

struct arena;

enum { CACHE_BYTES_MAX = 256 << 20 };

/* dir empty: nothing is found and nothing is written. */
bool cache_load(struct arena *arena, struct str dir, const struct digest *binary, const char *kind,
                struct str *ret_bytes);
void cache_save(struct str dir, const struct digest *binary, const char *kind, struct str bytes);
