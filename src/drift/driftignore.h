/* driftignore.h - a .driftignore of driftctl as ignore rules.
 *
 * In:      gitignore-like lines `TYPE`, `TYPE.ID`, `TYPE.ID.ATTRIBUTE...`; `*` and `?` are globs
 * that cross dots, `\x` is the character x itself, `#` begins a comment, `!` takes back what an
 *          earlier line ignores
 * Out:     rules by type, id and path, in the order of the lines; and the lines that no rule can
 *          say, each with why. A rule never covers more than its line did: what a `!` line may take
 *          a part of is not turned into a rule at all
 * Limits:  DRIFTIGNORE_LINES_MAX lines
 * Source:  driftctl documentation, "Ignore resources"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "model/config.h"

struct arena;
struct err;

enum { DRIFTIGNORE_LINES_MAX = 10000 };

struct driftignore_left {
    size_t line;     /* 1-based */
    struct str text; /* the line */
    const char *why; /* it is not expressed */
};
struct driftignore {
    const struct ignore_rule *rules; /* reason "imported from NAME:LINE", never expiring */
    size_t n;
    const struct driftignore_left *left;
    size_t nleft;
};

/* Everything in ret lives in `arena`. Fails with ERR_LIMIT, and ERR_SYNTAX where it is not UTF-8.
 */
bool driftignore_parse(struct arena *arena, struct str text, const char *name,
                       struct driftignore *ret, struct err *err);
