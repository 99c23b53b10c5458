/* branch.c - blobs, a tree beside the index, a commit, a reference: git's own plumbing. */
#include "respond/branch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "base/proc.h"
#include "desired/git.h"

enum { GIT_MS = 30000, OUTPUT_MAX = 256 << 20, WORDS_MAX = 16 };

struct repository {
    struct arena *arena;
    const char *program;
    const char **env;
    struct str root;  /* real, absolute */
    struct str index; /* a file of our own beside git's */
};

/* What tells git who commits, besides its settings. */
static const char *const who[] = {
    "EMAIL",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_COMMITTER_DATE",
};

static bool make_env(struct repository *r)
{
    size_t n = 0;
    const char **given = git_environment(r->arena, who, sizeof who / sizeof *who);
    while (given && given[n])
        n++;
    const char **env = given ? arena_new(r->arena, const char *, n + 2) : NULL;
    if (!env)
        return false;
    memcpy(env, given, n * sizeof *env);
    if (r->index.ptr)
        env[n++] = arena_printf(r->arena, "GIT_INDEX_FILE=%.*s", STR_ARG(r->index)).ptr;
    r->env = env;
    return n == 0 || env[n - 1];
}

/* git with these words in the root; the exit code is an answer. */
static bool run(struct repository *r, const char *const *words, struct str input,
                struct proc_result *ret, struct err *err)
{
    const char *argv[WORDS_MAX + 4] = {r->program, "-c", "commit.gpgSign=false"};
    size_t n = 3;
    for (size_t i = 0; i < WORDS_MAX && words[i]; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    struct proc_spec spec = {.argv = argv,
                             .env = r->env,
                             .dir = r->root.ptr,
                             .input = input,
                             .timeout_ms = GIT_MS,
                             .max_output = OUTPUT_MAX};
    return proc_run(r->arena, &spec, ret, err);
}

/* The same; it must succeed. ret: what it printed, without the last newline. */
static bool must(struct repository *r, const char *const *words, struct str input, struct str *ret,
                 struct err *err)
{
    struct proc_result result;
    if (!run(r, words, input, &result, err))
        return err_wrap(err, "git %s", words[0]);
    if (result.exit_code != 0) {
        struct str why = str_trim(result.err_text);
        return err_set(err, ERR_REMOTE, "git %s: %.*s", words[0], STR_ARG(why));
    }
    *ret = str_trim(result.out);
    return true;
}

/* --- the repository --- */

static bool open_repository(struct repository *r, struct str folder, struct err *err)
{
    static const char *const top[] = {"rev-parse", "--show-toplevel", NULL};
    static const char *const head[] = {"rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL};
    struct proc_result result;
    struct str root;
    r->program = git_find_program(r->arena);
    r->root = arena_dup(r->arena, folder.len ? folder : STR("."));
    if (!r->program)
        return err_set(err, ERR_UNAVAILABLE, "there is no git in PATH to make a branch with");
    if (!r->root.ptr || !make_env(r))
        return arena_full(r->arena, err);
    if (!run(r, top, (struct str){0}, &result, err))
        return err_wrap(err, "git rev-parse");
    if (result.exit_code != 0) {
        struct str why = str_trim(result.err_text);
        return err_set(err, ERR_UNAVAILABLE, "%.*s: no branch can be made: %.*s", STR_ARG(folder),
                       STR_ARG(why));
    }
    root = str_trim(result.out);
    r->root = io_real_path(r->arena, root);
    if (!r->root.ptr)
        return err_set(err, ERR_IO, "%.*s: cannot be opened", STR_ARG(root));
    if (!run(r, head, (struct str){0}, &result, err))
        return err_wrap(err, "git rev-parse");
    if (result.exit_code != 0)
        return err_set(err, ERR_CONFLICT, "%.*s has no commit yet that a branch could begin at",
                       STR_ARG(r->root));
    return true;
}

static bool check_branch(struct repository *r, struct str branch, struct err *err)
{
    struct str name = arena_printf(r->arena, "refs/heads/%.*s", STR_ARG(branch));
    struct proc_result result;
    if (!name.ptr)
        return arena_full(r->arena, err);
    const char *check[] = {"check-ref-format", name.ptr, NULL};
    const char *exists[] = {"rev-parse", "--verify", "--quiet", name.ptr, NULL};
    if (!run(r, check, (struct str){0}, &result, err))
        return err_wrap(err, "git check-ref-format");
    if (branch.len == 0 || branch.ptr[0] == '-' || result.exit_code != 0)
        return err_set(err, ERR_USAGE, "'%.*s' is no name of a branch", STR_ARG(branch));
    if (!run(r, exists, (struct str){0}, &result, err))
        return err_wrap(err, "git rev-parse");
    if (result.exit_code == 0)
        return err_set(err, ERR_CONFLICT, "branch '%.*s' exists already; name another one",
                       STR_ARG(branch));
    return true;
}

/* --- files --- */

/* The path below the root, links of its folder followed. */
static bool path_below(struct repository *r, struct str path, struct str *ret, struct err *err)
{
    struct str folder = io_real_path(r->arena, io_dirname(path));
    struct str whole = folder.ptr ? io_join(r->arena, folder, io_basename(path)) : (struct str){0};
    *ret = whole.ptr ? pathname_below(r->root, whole) : (struct str){0};
    if (!ret->ptr)
        return err_set(err, ERR_CONFLICT, "%.*s is not in the repository %.*s", STR_ARG(path),
                       STR_ARG(r->root));
    *ret = arena_dup(r->arena, *ret);
    return ret->ptr || arena_full(r->arena, err);
}

/* "100644" as HEAD has it; of a new file that. Refuses a file that HEAD has otherwise. */
static bool check_before(struct repository *r, const struct branch_file *file, struct str path,
                         struct str *ret_mode, struct err *err)
{
    const char *list[] = {"ls-tree", "-z", "--full-tree", "HEAD", "--", path.ptr, NULL};
    static const char *const hash[] = {"hash-object", "--no-filters", "-t",
                                       "blob",        "--stdin",      NULL};
    struct str entry, mode, kind, of_head, own;
    *ret_mode = STR("100644");
    if (!must(r, list, (struct str){0}, &entry, err))
        return false;
    if (entry.len == 0 && !file->before.ptr)
        return true;
    (void)str_cut(&entry, ' ', &mode);
    (void)str_cut(&entry, ' ', &kind);
    (void)str_cut(&entry, '\t', &of_head);
    if (!file->before.ptr || !str_equal(kind, STR("blob")) || str_equal(mode, STR("120000")))
        return err_set(err, ERR_CONFLICT, "%.*s: %s", STR_ARG(path),
                       file->before.ptr ? "git does not track it as a file; commit it first"
                                        : "HEAD has a file of that name already");
    if (!must(r, hash, file->before, &own, err))
        return false;
    if (!str_equal(own, of_head))
        return err_set(err, ERR_CONFLICT,
                       "%.*s is not what HEAD has: commit or stash the other changes first",
                       STR_ARG(path));
    *ret_mode = arena_dup(r->arena, mode);
    return ret_mode->ptr || arena_full(r->arena, err);
}

/* Into our index. */
static bool add_file(struct repository *r, const struct branch_file *file, struct err *err)
{
    static const char *const write[] = {"hash-object", "-w", "--no-filters", "-t", "blob",
                                        "--stdin",     NULL};
    struct str path, mode, hash;
    if (!path_below(r, file->path, &path, err) || !check_before(r, file, path, &mode, err) ||
        !must(r, write, file->after, &hash, err))
        return false;
    struct str info =
        arena_printf(r->arena, "%.*s,%.*s,%.*s", STR_ARG(mode), STR_ARG(hash), STR_ARG(path));
    if (!info.ptr)
        return arena_full(r->arena, err);
    const char *update[] = {"update-index", "--add", "--cacheinfo", info.ptr, NULL};
    return must(r, update, (struct str){0}, &hash, err);
}

/* --- the commit --- */

static bool make_commit(struct repository *r, struct str branch, struct str message,
                        const struct branch_file *file, size_t n, struct str *ret, struct err *err)
{
    static const char *const read[] = {"read-tree", "HEAD", NULL};
    static const char *const write[] = {"write-tree", NULL};
    struct str text, tree;
    if (!must(r, read, (struct str){0}, &text, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_file(r, &file[i], err))
            return false;
    if (!must(r, write, (struct str){0}, &tree, err))
        return false;
    tree = arena_dup(r->arena, tree);
    const char *commit[] = {"commit-tree", tree.ptr, "-p", "HEAD", "-F", "-", NULL};
    if (!tree.ptr)
        return arena_full(r->arena, err);
    if (!must(r, commit, message, &text, err))
        return false;
    *ret = arena_dup(r->arena, text);
    struct str name = arena_printf(r->arena, "refs/heads/%.*s", STR_ARG(branch));
    if (!ret->ptr || !name.ptr)
        return arena_full(r->arena, err);
    /* the empty old value: it must not be there */
    const char *update[] = {"update-ref", "-m", "plumb adopt", name.ptr, ret->ptr, "", NULL};
    return must(r, update, (struct str){0}, &text, err);
}

/* With an index of our own in a folder that goes again. */
static bool commit_beside(struct repository *r, char *dir, struct str branch, struct str message,
                          const struct branch_file *file, size_t n, struct str *ret,
                          struct err *err)
{
    if (!mkdtemp(dir))
        return err_set(err, ERR_IO, "%s: a temporary folder cannot be made", dir);
    r->index = arena_printf(r->arena, "%s/index", dir);
    bool ok = (r->index.ptr && make_env(r)) || arena_full(r->arena, err);
    ok = ok && make_commit(r, branch, message, file, n, ret, err);
    if (r->index.ptr)
        (void)unlink(r->index.ptr);
    (void)rmdir(dir);
    return ok;
}

bool branch_commit(struct arena *arena, struct str folder, struct str branch, struct str message,
                   const struct branch_file *file, size_t n, struct str *ret, struct err *err)
{
    struct repository r = {.arena = arena};
    const char *tmp = getenv("TMPDIR");
    struct str made = arena_printf(arena, "%s/plumb-index-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    char *dir = made.ptr ? strdup(made.ptr) : NULL;
    if (!dir)
        return arena_full(arena, err);
    bool ok = open_repository(&r, folder, err) && check_branch(&r, branch, err) &&
              commit_beside(&r, dir, branch, message, file, n, ret, err);
    free(dir);
    return ok;
}
