/* git_clone.h - plumb's own clone of one branch: made, fetched, moved on to what was pushed.
 *
 * Ours:    the folder and all in it; nobody's working tree but this one is ever touched. A lock
 *          beside it lets one process at a time work on it
 * Runs:    the user's own `git` with the user's settings: how it gets in (ssh, credential helpers)
 *          is git's business, and no secret passes through here. No hooks, no prompts, no
 *          submodules; a branch and a URL are never options
 * Errors:  ERR_REMOTE in git's words, without what stands before an @ in a URL; ERR_TIMEOUT
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;
struct err;

struct git_clone {
    struct str url, branch;
    struct str folder;          /* absolute */
    const volatile int *cancel; /* may be NULL */
    int timeout_ms;             /* of each command; 0 = 5 minutes */
    /* Told what was fetched before a file is changed for it; false: no file is. May be NULL. */
    bool (*fetched)(void *ctx, struct str head, struct err *err);
    void *ctx;
};
/*
 * ret_head   the commit that it stands at now
 * ret_moved  it stood at another before, or was not there
 */
bool git_clone_sync(struct arena *arena, const struct git_clone *clone, struct str *ret_head,
                    bool *ret_moved, struct err *err);
/* Where it stands, without asking anybody; empty: there is none. */
bool git_clone_head(struct arena *arena, const struct git_clone *clone, struct str *ret,
                    struct err *err);

/* What an own clone is made from: the repository that the folder is in. */
struct git_origin {
    struct str root;        /* its working tree, absolute */
    struct str below;       /* the folder in it; empty = the root */
    struct str url, branch; /* empty: it has no remote, or no branch is checked out */
};
/* ERR_USAGE: it is in no repository. */
bool git_origin_of(struct arena *arena, struct str folder, struct git_origin *ret, struct err *err);
/*
 * Links in the clone to what git does not have and a scan needs: .terraform, local states, values
 * of variables. What git has is left alone.
 */
bool git_clone_link(struct arena *arena, const struct git_clone *clone, struct str root,
                    struct err *err);
/* A URL as it may be shown: nothing before an @. */
struct str git_shown_url(struct arena *arena, struct str url);
/* Do both name the same repository? Scheme, user, port, ".git" and case of the host do not matter.
 */
bool git_same_repository(struct str a, struct str b);
