/* git_clone.c - clone, fetch and reset --hard of a folder that is plumb's alone. */
#include "desired/git_clone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "desired/git.h"

extern char **environ;

enum {
    COMMAND_MS = 300000,
    ASK_MS = 10000,
    WORDS_MAX = 40,
    OUTPUT_MAX = 16 << 20,
    LINKS_MAX = 20000
};

struct str git_shown_url(struct arena *arena, struct str url)
{
    size_t slashes = str_find(url, STR("://"), 0);
    size_t from = slashes == SIZE_MAX ? 0 : slashes + 3;
    size_t at = str_find_char(url, '@', from), end = str_find_char(url, '/', from);
    if (at == SIZE_MAX || (end != SIZE_MAX && at > end))
        return url;
    return arena_printf(arena, "%.*s%.*s", (int)from, url.ptr, (int)(url.len - at - 1),
                        url.ptr + at + 1);
}

/* --- which repository a URL names --- */

/* HOST/PATH of a URL or of scp's short form; the host in small letters is the caller's. */
static struct str name_of(struct str url, bool *ret_scp)
{
    size_t scheme = str_find(url, STR("://"), 0);
    *ret_scp = scheme == SIZE_MAX;
    if (scheme != SIZE_MAX)
        url = str_sub(url, scheme + 3, url.len);
    size_t slash = str_find_char(url, '/', 0), at = str_find_char(url, '@', 0);
    if (at != SIZE_MAX && (slash == SIZE_MAX || at < slash))
        url = str_sub(url, at + 1, url.len);
    while (str_ends(url, STR("/")))
        url = str_sub(url, 0, url.len - 1);
    if (str_ends(url, STR(".git")))
        url = str_sub(url, 0, url.len - 4);
    while (str_ends(url, STR("/")))
        url = str_sub(url, 0, url.len - 1);
    return url;
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

/* Its host, without a port, and what stands behind it. */
static void split(struct str url, struct str *ret_host, struct str *ret_path)
{
    bool scp;
    struct str place = name_of(url, &scp);
    size_t slash = str_find_char(place, '/', 0), colon = str_find_char(place, ':', 0);
    size_t end = slash == SIZE_MAX ? place.len : slash;
    if (scp && colon != SIZE_MAX && colon < end) {
        *ret_host = str_sub(place, 0, colon);
        *ret_path = str_sub(place, colon + 1, place.len);
        while (str_starts(*ret_path, STR("/")))
            *ret_path = str_sub(*ret_path, 1, ret_path->len);
        return;
    }
    *ret_host = str_sub(place, 0, end);
    *ret_path = str_sub(place, end + (end < place.len), place.len);
    colon = str_find_char(*ret_host, ':', 0);
    if (colon != SIZE_MAX && is_number(str_sub(*ret_host, colon + 1, ret_host->len)))
        *ret_host = str_sub(*ret_host, 0, colon);
}

bool git_same_repository(struct str a, struct str b)
{
    struct str host_a, path_a, host_b, path_b;
    split(a, &host_a, &path_a);
    split(b, &host_b, &path_b);
    return host_a.len == host_b.len && strncasecmp(host_a.ptr, host_b.ptr, host_a.len) == 0 &&
           str_equal(path_a, path_b) && (path_a.len || host_a.len);
}

/* --- commands --- */

static bool is_ours_to_set(const char *entry)
{
    static const char *const names[] = {"GIT_DIR=",
                                        "GIT_WORK_TREE=",
                                        "GIT_INDEX_FILE=",
                                        "GIT_OBJECT_DIRECTORY=",
                                        "GIT_NAMESPACE=",
                                        "GIT_COMMON_DIR=",
                                        "GIT_PREFIX=",
                                        "GIT_TERMINAL_PROMPT=",
                                        "LC_ALL=",
                                        "LANGUAGE=",
                                        "GIT_TRACE",
                                        "GIT_CURL_VERBOSE",
                                        "GIT_CEILING_DIRECTORIES="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static const char **environment(struct arena *arena)
{
    size_t n = 0, kept = 0;
    while (environ[n])
        n++;
    const char **env = arena_new(arena, const char *, n + 4);
    for (size_t i = 0; env && i < n; i++)
        if (!is_ours_to_set(environ[i]))
            env[kept++] = environ[i];
    if (env) {
        env[kept++] = "LC_ALL=C";
        env[kept++] = "GIT_TERMINAL_PROMPT=0";
    }
    return env;
}

/* The last line that says something; a URL's user and password are not in it. */
static struct str words_of(struct arena *arena, struct str text)
{
    struct str line, best = {0};
    for (bool more = true; more;) {
        more = str_cut(&text, '\n', &line);
        if (str_trim(line).len &&
            (best.len == 0 || str_starts(line, STR("fatal:")) || str_starts(line, STR("error:"))))
            best = str_trim(line);
    }
    size_t slashes = str_find(best, STR("://"), 0);
    if (slashes == SIZE_MAX)
        return best;
    return arena_printf(arena, "%.*s%.*s", (int)slashes + 3, best.ptr,
                        STR_ARG(git_shown_url(arena, str_sub(best, slashes + 3, best.len))));
}

/* dir NULL: outside of any repository. words end with NULL. */
static bool run(struct arena *arena, const struct git_clone *clone, const char *dir,
                const char *const *words, int timeout_ms, struct str *ret_out, struct err *err)
{
    static const char *const settings[] = {
        "core.hooksPath=/dev/null",      "core.fsmonitor=false",      "submodule.recurse=false",
        "fetch.recurseSubmodules=false", "advice.detachedHead=false", "gc.autoDetach=false",
        "maintenance.autoDetach=false",  "core.quotePath=false"};
    const char *argv[WORDS_MAX];
    size_t n = 0;
    argv[n++] = git_find_program(arena);
    if (!argv[0])
        return err_set(err, ERR_UNAVAILABLE, "there is no git on the PATH");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        argv[n++] = "-c";
        argv[n++] = settings[i];
    }
    for (size_t i = 0; words[i] && n < WORDS_MAX - 1; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    const struct proc_spec spec = {.argv = argv,
                                   .env = environment(arena),
                                   .dir = dir,
                                   .timeout_ms = timeout_ms,
                                   .max_output = OUTPUT_MAX,
                                   .cancel = clone ? clone->cancel : NULL};
    struct proc_result got = {0};
    if (!spec.env)
        return arena_full(arena, err);
    if (!proc_run(arena, &spec, &got, err))
        return err_wrap(err, "git %s", words[0]);
    if (got.exit_code != 0)
        return err_set(err, ERR_REMOTE, "git %s: %.*s", words[0],
                       STR_ARG(words_of(arena, got.err_text)));
    if (ret_out)
        *ret_out = str_trim(got.out);
    return true;
}

static int patience(const struct git_clone *clone)
{
    return clone->timeout_ms > 0 ? clone->timeout_ms : COMMAND_MS;
}

/* --- the clone --- */

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ')
            return false;
    return text.len > 0 && text.ptr[0] != '-' && memchr(text.ptr, 0, text.len) == NULL;
}

static bool check(const struct git_clone *clone, struct err *err)
{
    if (!is_plain(clone->url) || str_find(clone->url, STR("::"), 0) != SIZE_MAX)
        return err_set(err, ERR_USAGE, "serve.git.url: not a repository that is fetched from");
    if (!is_plain(clone->branch) || str_find(clone->branch, STR(":"), 0) != SIZE_MAX)
        return err_set(err, ERR_USAGE, "serve.git.branch: not the name of a branch");
    return true;
}

static bool take_lock(struct arena *arena, const struct git_clone *clone, int *ret_fd,
                      struct err *err)
{
    struct str parent = arena_dup(arena, io_dirname(clone->folder));
    struct str path = arena_printf(arena, "%.*s.lock", STR_ARG(clone->folder));
    if (!parent.ptr || !path.ptr)
        return arena_full(arena, err);
    if (!io_make_dirs(parent.ptr, 0700, err))
        return false;
    int fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) < 0) {
        int why = errno;
        io_close_auto(&fd);
        return err_set(err, ERR_IO, "lock %s: %s", path.ptr, strerror(why));
    }
    *ret_fd = fd;
    return true;
}

static bool head_of(struct arena *arena, const struct git_clone *clone, struct str *ret)
{
    const char *const words[] = {"rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL};
    struct str folder = arena_dup(arena, clone->folder);
    *ret = (struct str){0};
    struct str git = folder.ptr ? io_join(arena, folder, STR(".git")) : folder;
    return git.ptr && io_is_dir(git.ptr) &&
           run(arena, clone, folder.ptr, words, ASK_MS, ret, NULL) && ret->len >= 40;
}

bool git_clone_head(struct arena *arena, const struct git_clone *clone, struct str *ret,
                    struct err *err)
{
    if (!check(clone, err))
        return false;
    if (!head_of(arena, clone, ret))
        *ret = (struct str){0};
    return true;
}

static bool remove_folder(struct arena *arena, const char *path, struct err *err)
{
    const char *const argv[] = {"rm", "-rf", "--", path, NULL};
    const struct proc_spec spec = {.argv = argv, .timeout_ms = COMMAND_MS};
    struct proc_result got;
    return proc_run(arena, &spec, &got, err) &&
           (got.exit_code == 0 || err_set(err, ERR_IO, "%s cannot be removed", path));
}

/* Beside its place, then renamed: a clone is whole, or not there. */
static bool make(struct arena *arena, const struct git_clone *clone, struct err *err)
{
    struct str url = arena_dup(arena, clone->url), branch = arena_dup(arena, clone->branch);
    struct str folder = arena_dup(arena, clone->folder);
    struct str draft = arena_printf(arena, "%.*s.new", STR_ARG(clone->folder));
    if (!url.ptr || !branch.ptr || !folder.ptr || !draft.ptr)
        return arena_full(arena, err);
    const char *const words[] = {
        "clone",    "--quiet",  "--no-tags", "--single-branch", "--no-recurse-submodules",
        "--branch", branch.ptr, "--",        url.ptr,           draft.ptr,
        NULL};
    if (!remove_folder(arena, draft.ptr, err) || !remove_folder(arena, folder.ptr, err) ||
        !run(arena, clone, "/", words, patience(clone), NULL, err))
        return false;
    struct git_clone made = *clone;
    struct str head = {0};
    made.folder = draft;
    if (clone->fetched && head_of(arena, &made, &head) && !clone->fetched(clone->ctx, head, err))
        return false;
    return rename(draft.ptr, folder.ptr) == 0 ||
           err_set(err, ERR_IO, "rename %s: %s", draft.ptr, strerror(errno));
}

static bool move_on(struct arena *arena, const struct git_clone *clone, struct err *err)
{
    struct str folder = arena_dup(arena, clone->folder);
    struct str refspec =
        arena_printf(arena, "+refs/heads/%.*s:refs/plumb/fetched", STR_ARG(clone->branch));
    struct str url = arena_dup(arena, clone->url);
    if (!folder.ptr || !refspec.ptr || !url.ptr)
        return arena_full(arena, err);
    const char *const fetch[] = {
        "fetch", "--quiet", "--no-tags", "--force", "--no-write-fetch-head",
        "--",    url.ptr,   refspec.ptr, NULL};
    const char *const same[] = {"diff-index", "--quiet", "refs/plumb/fetched", "--", NULL};
    const char *const reset[] = {"reset", "--quiet", "--hard", "refs/plumb/fetched", "--", NULL};
    struct str stale = io_join(arena, folder, STR(".git/index.lock"));
    if (stale.ptr)
        (void)unlink(stale.ptr); /* of one that was killed: the lock is ours */
    if (!run(arena, clone, folder.ptr, fetch, patience(clone), NULL, err))
        return false;
    struct str head = {0}, fetched = {0};
    const char *const ask[] = {"rev-parse", "--verify", "refs/plumb/fetched^{commit}", NULL};
    if (!run(arena, clone, folder.ptr, ask, ASK_MS, &fetched, err) ||
        (clone->fetched && !clone->fetched(clone->ctx, fetched, err)))
        return false;
    if (head_of(arena, clone, &head) && str_equal(head, fetched) &&
        run(arena, clone, folder.ptr, same, patience(clone), NULL, NULL))
        return true; /* no file is written where nothing changed */
    return run(arena, clone, folder.ptr, reset, patience(clone), NULL, err);
}

bool git_clone_sync(struct arena *arena, const struct git_clone *clone, struct str *ret_head,
                    bool *ret_moved, struct err *err)
{
    AUTO_FD lock = -1;
    struct str before = {0}, after = {0};
    if (!check(clone, err) || !take_lock(arena, clone, &lock, err))
        return false;
    bool there = head_of(arena, clone, &before);
    if (!(there ? move_on(arena, clone, err) : make(arena, clone, err)))
        return err_wrap(err, "%.*s of %.*s", STR_ARG(clone->branch),
                        STR_ARG(git_shown_url(arena, clone->url)));
    if (!head_of(arena, clone, &after))
        return err_set(err, ERR_REMOTE, "%.*s: there is no commit in it", STR_ARG(clone->folder));
    *ret_head = after;
    *ret_moved = !there || !str_equal(before, after);
    return true;
}

/* --- where it comes from --- */

static bool ask(struct arena *arena, const char *dir, const char *a, const char *b, const char *c,
                struct str *ret)
{
    const char *const words[] = {a, b, c, NULL};
    *ret = (struct str){0};
    return run(arena, NULL, dir, words, ASK_MS, ret, NULL);
}

bool git_origin_of(struct arena *arena, struct str folder, struct git_origin *ret, struct err *err)
{
    struct str dir = arena_dup(arena, folder.len ? folder : STR(".")), remote = {0}, branch = {0};
    struct git_origin at = {0};
    if (!dir.ptr)
        return arena_full(arena, err);
    if (!ask(arena, dir.ptr, "rev-parse", "--show-toplevel", NULL, &at.root) || !at.root.len)
        return err_set(err, ERR_USAGE,
                       "%s is in no git repository: name the one to fetch with serve.git.url",
                       dir.ptr);
    (void)ask(arena, dir.ptr, "rev-parse", "--show-prefix", NULL, &at.below);
    while (str_ends(at.below, STR("/")))
        at.below = str_sub(at.below, 0, at.below.len - 1);
    (void)ask(arena, dir.ptr, "symbolic-ref", "--short", "HEAD", &branch);
    struct str key = arena_printf(arena, "branch.%.*s.remote", STR_ARG(branch));
    if (!key.ptr)
        return arena_full(arena, err);
    if (!branch.len || !ask(arena, dir.ptr, "config", "--get", key.ptr, &remote) || !remote.len)
        remote = STR("origin");
    key = arena_printf(arena, "branch.%.*s.merge", STR_ARG(branch));
    if (key.ptr && branch.len && ask(arena, dir.ptr, "config", "--get", key.ptr, &at.branch) &&
        str_starts(at.branch, STR("refs/heads/")))
        at.branch = str_sub(at.branch, 11, at.branch.len);
    else
        at.branch = branch;
    key = arena_printf(arena, "remote.%.*s.url", STR_ARG(remote));
    if (key.ptr)
        (void)ask(arena, dir.ptr, "config", "--get", key.ptr, &at.url);
    size_t slash = str_find_char(at.url, '/', 0), colon = str_find_char(at.url, ':', 0);
    if (at.url.len && (colon == SIZE_MAX || slash < colon)) /* a path, from there */
        at.url = io_join(arena, at.root, at.url);
    *ret = at;
    return true;
}

/* --- links --- */

static bool is_needed(struct str name)
{
    return str_equal(name, STR(".terraform")) || str_equal(name, STR(".terraform.lock.hcl")) ||
           str_starts(name, STR("terraform.tfstate")) || str_ends(name, STR(".tfstate")) ||
           str_ends(name, STR(".tfvars")) || str_ends(name, STR(".tfvars.json"));
}

bool git_clone_link(struct arena *arena, const struct git_clone *clone, struct str root,
                    struct err *err)
{
    const char *const words[] = {"ls-files", "--others", "--directory", "-z", NULL};
    struct str dir = arena_dup(arena, root), list = {0}, entry;
    size_t n = 0;
    if (!dir.ptr)
        return arena_full(arena, err);
    if (!run(arena, clone, dir.ptr, words, ASK_MS, &list, err))
        return false;
    for (bool more = list.len > 0; more && n < LINKS_MAX;) {
        more = str_cut(&list, '\0', &entry);
        while (str_ends(entry, STR("/")))
            entry = str_sub(entry, 0, entry.len - 1);
        if (!is_needed(io_basename(entry)))
            continue;
        struct str to = io_join(arena, dir, entry), at = io_join(arena, clone->folder, entry);
        if (!to.ptr || !at.ptr)
            return arena_full(arena, err);
        n++;
        if (symlink(to.ptr, at.ptr) < 0 && errno != EEXIST && errno != ENOENT && errno != ENOTDIR)
            return err_set(err, ERR_IO, "link %s: %s", at.ptr, strerror(errno));
    }
    return true;
}
