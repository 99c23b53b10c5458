/* lockfile.h - .terraform.lock.hcl: which version of each provider, and which bytes.
 *
 * Owner:   views into the text or the arena
 * Source:  facts/terraform.md 4.4
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

struct lock_entry {
    struct str source; /* HOST/NAMESPACE/TYPE */
    struct str version;
    const struct str *hashes; /* "h1:...", "zh:..." and schemes of the future, which are ignored */
    size_t nhashes;
};
struct lockfile {
    const struct lock_entry *entry;
    size_t n;
};

/* ERR_SYNTAX "name:line:column: why" on anything that Terraform would not read either. */
bool lockfile_parse(struct arena *arena, struct str text, const char *name, struct lockfile *ret,
                    struct err *err);
const struct lock_entry *lockfile_find(const struct lockfile *lock, struct str source);
/* Is `hash` one of the listed ones? */
bool lock_entry_has(const struct lock_entry *entry, struct str hash);
/* How many of the listed hashes begin with that scheme ("h1:", "zh:")? */
size_t lock_entry_count(const struct lock_entry *entry, struct str scheme);
