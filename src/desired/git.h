/* git.h - what git knows of the code: which commit, who wrote a line, other versions of its files.
 *
 * Runs:    the user's own `git`, reading commands only: no hooks, monitors, pagers, filters,
 *          external diffs or network, and nothing of our own environment but what git needs to
 *          find its configuration. Signatures are checked only by git_head_signature. What comes
 *          from outside is never an option: names follow `--` or go through standard input, and
 *          object names are hexadecimal
 * Absent:  no git, no repository, somebody else's repository (git's safe.directory): git_open
 *          gives NULL and says why. A command that fails or takes too long leaves its facts out
 *          and is told by git_trouble. Only cancelling and a full arena are errors
 * Owner:   everything lives in the arena of git_open
 * Paths:   relative to the repository, '/' between parts, any bytes but NUL; those of git_tree
 *          are absolute
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/finding.h"

struct arena;
struct err;
struct git;

struct git_options {
    const volatile int *cancel; /* nonzero ends it (ERR_CANCELLED); may be NULL */
    int budget_ms;              /* of all commands together; 0 = 20 s */
};

/* The repository that the absolute folder stands in. NULL: there is none to be read, *ret_why says
 * why, or is empty where the folder is simply in no repository. */
bool git_open(struct arena *arena, struct str folder, const struct git_options *options,
              struct git **ret, struct str *ret_why, struct err *err);
/* For the next stack: its budget begins anew, and trouble is forgotten. */
void git_renew(struct git *git);
/* The git of PATH, or NULL. Only absolute folders count: with "." among them a repository could
 * bring its own git. */
const char *git_find_program(struct arena *arena);
/* The environment that git is given here, ended by NULL: no hooks, no network, nothing run; more:
 * names of further variables that it may have. NULL where the arena is full. */
const char **git_environment(struct arena *arena, const char *const *more, size_t nmore);
struct str git_root(const struct git *git); /* absolute */
/* The first thing that went wrong, in one sentence; empty = nothing did. */
struct str git_trouble(const struct git *git);

/* HEAD, and whether the folder (relative, "." = all) was edited since. False in *ret_known where
 * git does not say. */
bool git_revision(struct git *git, struct str folder, struct revision *ret, bool *ret_known,
                  struct err *err);

/* --- may HEAD be applied? --- */

enum git_signature { GIT_NOT_SIGNED = 0, GIT_BAD_SIGNATURE, GIT_GOOD_SIGNATURE };
/*
 * `git verify-commit HEAD` by gpg and by ssh-keygen of PATH, whatever programs the repository
 * names.
 * signers    a file of allowed signers (ssh) instead of git's own setting; or empty
 * ret_says   what the check said, one line; or empty
 * ret_known  false where git does not say
 */
bool git_head_signature(struct git *git, struct str signers, enum git_signature *ret,
                        struct str *ret_says, bool *ret_known, struct err *err);
/*
 * Files of code (*.tf, *.tofu and their JSON) below the folder that git does not have, ignored ones
 * too; those that init brought (.terraform) do not count.
 */
bool git_untracked_code(struct git *git, struct str folder, struct str **ret, size_t *ret_n,
                        bool *ret_known, struct err *err);
/*
 * Is HEAD part of the branch? Of a remote's branch where there are remotes, whatever the local
 * branch of that name has. *ret_exists: there is such a branch at all.
 */
bool git_head_merged(struct git *git, struct str branch, bool *ret_merged, bool *ret_exists,
                     bool *ret_known, struct err *err);

/* --- who wrote a line --- */

enum { GIT_RANGES_MAX = 500 }; /* of one call */
struct git_range {
    uint32_t first, last; /* lines of the file as it is on disk, 1-based, both included */
};
/*
 * The newest commit (by the author's time) of each range's lines; NULL where git does not know. The
 * hash is empty for lines that are not committed, and for files that git does not track.
 */
bool git_blame(struct git *git, struct str file, const struct git_range *ranges, size_t n,
               const struct commit **ret, struct err *err);

/* --- other versions --- */

struct git_version {
    struct str branch; /* short name, or empty */
    struct commit
        commit;      /* the one that it is named after; of git_commits: the one that ended it */
    struct str hash; /* of the version itself: the branch's head, the commit's first parent */
};
/*
 * Branches, local and remote-tracking, that HEAD does not contain, newest first, no two of one
 * commit. At most `most`, with a commit after oldest_utc_ms. *ret_more: there are others.
 */
bool git_branches(struct git *git, size_t most, int64_t oldest_utc_ms,
                  const struct git_version **ret, size_t *ret_n, bool *ret_more, struct err *err);
/* What the code was before each of the last commits (first parents) that touched one of the files,
 * newest first. */
bool git_commits(struct git *git, const struct str *files, size_t nfiles, size_t most,
                 int64_t oldest_utc_ms, const struct git_version **ret, size_t *ret_n,
                 struct err *err);
/* The newest commit of base..head that touched one of the files; *ret_found. */
bool git_last_commit(struct git *git, struct str base, struct str head, const struct str *files,
                     size_t nfiles, struct commit *ret, bool *ret_found, struct err *err);
/* The best common ancestor of HEAD and a commit; empty if there is none. */
bool git_merge_base(struct git *git, struct str hash, struct str *ret, struct err *err);

/* --- the files of another version --- */

/*
 * The working tree as if another commit were checked out: that commit's files, and beside them what
 * git does not track. Made of the difference to HEAD; texts are read when they are asked for, once.
 */
struct git_tree;
/* One tree for each commit (or "HEAD"), in one run of git; NULL where git cannot tell. */
bool git_trees(struct git *git, const struct str *hashes, size_t n, struct git_tree **ret,
               struct err *err);
/* What differs from HEAD. */
struct git_change {
    struct str path, hash; /* hash of its text there; empty: it is not there */
    bool is_link;
};
/* Sorted by path. */
const struct git_change *git_tree_changes(const struct git_tree *tree, size_t *ret_n);
/* The file's text, symbolic links followed within the repository. False: there is none. */
bool git_tree_read(struct git_tree *tree, struct str path, struct str *ret);
/* The names in a folder, files and folders, sorted. False: it has none. */
bool git_tree_list(struct git_tree *tree, struct str folder, const struct str **ret_names,
                   size_t *ret_n);
