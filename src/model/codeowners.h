/* codeowners.h - who owns a path: the last matching line of a CODEOWNERS file.
 *
 * Patterns: as in GitHub's documentation "About code owners" (gitignore's rules without `!`,
 *           character ranges and `\#`); GitLab's sections `[Name] @default` give lines without
 *           owners their default; `\ ` is a blank in a path
 * Owner:    views into the text, which outlives the result
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

enum { CODEOWNERS_LINES_MAX = 1 << 20, CODEOWNERS_SEGMENTS_MAX = 256 };

struct codeowners_rule {
    struct str pattern, owners; /* owners: "@a @b", may be empty = nobody */
};
struct codeowners {
    const struct codeowners_rule *rule;
    size_t n;
};

bool codeowners_parse(struct arena *arena, struct str text, struct codeowners *ret,
                      struct err *err);
/* Owners of a file, its path relative to the repository, without a leading slash; empty = none. */
struct str codeowners_match(const struct codeowners *codeowners, struct str path);
