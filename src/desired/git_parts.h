/* git_parts.h - one repository and its commands (inside desired/git*.c only). */
#pragma once
#include "base/arena.h"
#include "base/proc.h"
#include "desired/git.h"

enum {
    GIT_OUTPUT_MAX = 64 << 20,
    GIT_COMMAND_MS = 10000, /* of one command; all together: git_options.budget_ms */
    GIT_HASH_MIN = 40,
    GIT_HASH_MAX = 64,
    GIT_TEXT_MAX = 1000 /* bytes kept of an author or a subject */
};

struct git_blob { /* struct git_blobs holds them by hash */
    struct str hash, text;
    bool missing;
};
struct git_blobs {
    struct git_blob *slot;
    size_t nslots, n;
};
struct git_entry { /* of a folder of HEAD */
    struct str name, hash;
    bool is_folder, is_link;
};
struct git_folder {
    struct git_folder *next;
    struct str path;
    const struct git_entry *entry; /* sorted by name */
    size_t n;
};

struct git {
    struct arena *arena;
    struct git_options options;
    const char *program;
    const char **env;
    struct str root, trouble;
    int64_t deadline_ms; /* monotonic */
    struct str shallow;  /* the hashes where the history was cut, a line each */
    bool is_shallow;
    bool has_remote;
    struct str repository, head, branch; /* head empty: no commit yet; filled by git_revision */
    bool pushed, has_head_facts;
    struct git_blobs blobs;
    struct git_folder *folders; /* of HEAD */
};

/*
 * Run it in the root. False with err only for ERR_CANCELLED and ERR_LIMIT of the arena. What went
 * wrong otherwise (also an exit code of 1 or more) is in git->trouble, and *ret_ok false.
 */
bool git_run(struct git *git, const char *const *words, struct str input, struct str *ret_out,
             bool *ret_ok, struct err *err);
/* The same; a failure is an answer, too, and no trouble. */
bool git_ask(struct git *git, const char *const *words, struct proc_result *ret, bool *ret_ok,
             struct err *err);
/* Keep the first trouble; of a command that exited with 1 or more. The latter gives true. */
void git_set_trouble(struct git *git, struct str what);
bool git_tell(struct git *git, const char *const *words, const struct proc_result *result);
bool git_is_hash(struct str s);
/* Is it where the history of a shallow clone ends? */
bool git_is_boundary(const struct git *git, struct str hash);
/* Text of a commit, cut and kept in the arena. */
struct str git_keep_text(struct git *git, struct str s);

/* --- what git prints (pure; also for the fuzzer) --- */

/* A group of `git blame --incremental`: lines first..first+n-1 are of commit[index]. */
struct git_blamed {
    uint32_t first, n;
    size_t commit;
};
struct git_blame_text {
    const struct git_blamed *line;
    size_t nlines;
    const struct commit *commit; /* hash empty: not committed */
    size_t ncommits;
};
bool git_parse_blame(struct arena *arena, struct str text, struct git_blame_text *ret,
                     struct err *err);
/* Fields that end in NUL: hash, parents, author, mail, time, subject. False at the end or where it
 * is none. */
bool git_parse_commit(struct str *rest, struct commit *ret, struct str *ret_parent);
#define GIT_COMMIT_FORMAT "--format=%H%x00%P%x00%aN%x00%aE%x00%at%x00%s"
/* "# branch.oid HASH" and "# branch.head NAME", each ended by NUL, then a record for each edited
 * file: git->head, git->branch, ret->dirty. */
void git_parse_status(struct git *git, struct str out, struct revision *ret);
/* `git cat-file --batch`: "HASH blob SIZE\n", the bytes and a newline; or "HASH missing\n". */
bool git_parse_blobs(struct git *git, struct str out);
/* `git ls-tree -z`: "MODE TYPE HASH\tPATH" and a NUL, for each entry. */
bool git_parse_folder(struct git *git, struct str out, struct git_folder *ret);
/* `git diff-tree -z --raw`: ":MODE MODE HASH HASH LETTER" NUL "PATH" NUL, up to the "TREE TREE\n"
 * that begins the next pair. NULL: it is something else, or the arena is full. */
struct git_tree *git_parse_changes(struct git *git, struct str *out);
/* "https://user:token@host/x" and "git@host:x" without what could be a credential; empty if it is a
 * local path. */
struct str git_public_uri(struct arena *arena, struct str url);
