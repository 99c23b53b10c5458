/* roots.h - the root modules below a folder.
 *
 * A root has a backend, a state, a lock file or .terraform; else it is code that no other code
 * calls and that does not stand below a folder named "modules". Hidden folders, node_modules and
 * links to folders are not entered.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

enum { ROOTS_DIRS_MAX = 500000, ROOTS_DEPTH_MAX = 64 };

struct root {
    struct str path;       /* cleaned: top/below */
    struct str first_file; /* a file of its code, for CODEOWNERS; may be empty */
};
struct roots {
    const struct root *root; /* sorted by path */
    size_t n;
};

/* Every root in or below top, which must be a folder. */
bool roots_find(struct arena *arena, struct str top, struct roots *ret, struct err *err);
/* Is there any code, state or .terraform right in this folder? */
bool roots_is_module(const char *dir, struct str *ret_first_file, struct arena *arena);
