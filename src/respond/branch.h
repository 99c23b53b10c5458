/* branch.h - edited files as one commit on a new branch; the working tree and its index stay as
 * they are.
 *
 * Runs:   the user's own `git`: objects are written, then one reference that must not exist yet. No
 *         hooks, no filters, no network; author and committer are the user's
 * Needs:  each file as it was before the edit is what HEAD has, so that the commit holds the edit
 *         and nothing else
 * Errors: ERR_UNAVAILABLE without git or a repository, ERR_CONFLICT for a branch that exists and
 * for files with other changes, ERR_REMOTE with git's own words
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

struct branch_file {
    struct str path;          /* on disk; absolute, or from the working directory */
    struct str before, after; /* before.ptr NULL: a new file */
};
/*
 * folder   the repository is the one that it stands in
 * message  of the commit: subject, blank line, body
 * ret      the commit's hash, in `arena`
 */
bool branch_commit(struct arena *arena, struct str folder, struct str branch, struct str message,
                   const struct branch_file *file, size_t n, struct str *ret, struct err *err);
