/* git.c - the program, its environment and its bounds; a repository and the revision of its code.
 */
#include "desired/git.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/git_parts.h"
#include "desired/owners.h"

extern char **environ;

enum { BUDGET_MS = 20000, SETTINGS_MAX = 400, SHALLOW_MAX = 4 << 20 };

/* --- the program and its environment --- */

const char *git_find_program(struct arena *arena)
{
    struct str rest = str_from(getenv("PATH")), dir;
    for (bool more = rest.len > 0; more;) {
        more = str_cut(&rest, ':', &dir);
        if (!str_starts(dir, STR("/")))
            continue;
        struct str file = io_join(arena, dir, STR("git"));
        if (file.ptr && access(file.ptr, X_OK) == 0 && !io_is_dir(file.ptr))
            return file.ptr;
    }
    return NULL;
}

/* What git needs to find its configuration and to know who runs it; nothing else of ours. */
static const char *const passed[] = {"PATH",
                                     "HOME",
                                     "XDG_CONFIG_HOME",
                                     "USER",
                                     "LOGNAME",
                                     "TMPDIR",
                                     "LD_LIBRARY_PATH",
                                     "SUDO_UID",
                                     "GNUPGHOME",
                                     "GIT_CONFIG_GLOBAL",
                                     "GIT_CONFIG_SYSTEM",
                                     "GIT_CONFIG_NOSYSTEM",
                                     "GIT_EXEC_PATH",
                                     "GIT_CEILING_DIRECTORIES",
                                     "GIT_DISCOVERY_ACROSS_FILESYSTEM"};

static const char *const fixed[] = {"LC_ALL=C",
                                    "GIT_OPTIONAL_LOCKS=0",
                                    "GIT_TERMINAL_PROMPT=0",
                                    "GIT_LITERAL_PATHSPECS=1",
                                    "GIT_NO_LAZY_FETCH=1",
                                    "GIT_ALLOW_PROTOCOL=none",
                                    "GIT_PAGER=cat",
                                    "GIT_FLUSH=0"};

/* Settings that would run a program, ask the network or change what is printed. */
static const struct {
    const char *name, *value;
} settings[] = {
    {"core.fsmonitor", "false"},
    {"core.hooksPath", "/dev/null"},
    {"core.askPass", ""},
    {"core.sshCommand", "false"},
    {"core.gitProxy", ""},
    {"core.quotePath", "false"},
    {"core.pager", "cat"},
    {"credential.helper", ""},
    {"protocol.allow", "never"},
    {"safe.bareRepository", "explicit"},
    {"color.ui", "false"},
    {"column.ui", "never"},
    {"diff.external", ""},
    {"gc.auto", "0"},
    {"maintenance.auto", "false"},
    {"log.showSignature", "false"},
    {"log.showRoot", "true"},
    {"log.mailmap", "true"},
    {"i18n.logOutputEncoding", "UTF-8"},
    {"status.showUntrackedFiles", "no"},
    {"status.renames", "false"},
    {"submodule.recurse", "false"},
    {"advice.detachedHead", "false"},
};
enum { NSETTINGS = sizeof settings / sizeof *settings };

/* The environment's own settings (GIT_CONFIG_COUNT), as a CI gives safe.directory. */
static size_t own_settings(void)
{
    int64_t n = 0;
    const char *count = getenv("GIT_CONFIG_COUNT");
    bool usable = count && str_to_int64(str_from(count), &n) && n > 0 && n <= SETTINGS_MAX;
    return usable ? (size_t)n : 0;
}

struct env {
    struct arena *arena;
    const char **list;
    size_t n, nsettings;
    bool full;
};

static void env_add(struct env *env, struct str variable)
{
    env->full |= !variable.ptr;
    if (!env->full)
        env->list[env->n++] = variable.ptr;
}

static void env_pass(struct env *env, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (getenv(names[i]))
            env_add(env, arena_printf(env->arena, "%s=%s", names[i], getenv(names[i])));
}

static void env_setting(struct env *env, struct str name, struct str value)
{
    env_add(env,
            arena_printf(env->arena, "GIT_CONFIG_KEY_%zu=%.*s", env->nsettings, STR_ARG(name)));
    env_add(env,
            arena_printf(env->arena, "GIT_CONFIG_VALUE_%zu=%.*s", env->nsettings, STR_ARG(value)));
    env->nsettings++;
}

/* filters: names of drivers "x" of filter.x.clean and the like, which are not to be run. */
static const char **make_env(struct arena *arena, const char *const *more, size_t nmore,
                             const struct str *filters, size_t nfilters)
{
    static const char *const off[] = {"clean", "smudge", "process"};
    size_t own = own_settings(), most = sizeof passed / sizeof *passed + nmore +
                                        sizeof fixed / sizeof *fixed +
                                        2 * (own + NSETTINGS + 4 * nfilters) + 2;
    struct env env = {.arena = arena, .list = arena_new(arena, const char *, most)};
    if (!env.list)
        return NULL;
    env_pass(&env, passed, sizeof passed / sizeof *passed);
    env_pass(&env, more, nmore);
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        env_add(&env, str_from(fixed[i]));
    for (size_t i = 0; i < own; i++) {
        char key[40], value[40];
        (void)snprintf(key, sizeof key, "GIT_CONFIG_KEY_%zu", i);
        (void)snprintf(value, sizeof value, "GIT_CONFIG_VALUE_%zu", i);
        env_setting(&env, str_from(getenv(key)), str_from(getenv(value)));
    }
    for (size_t i = 0; i < NSETTINGS; i++)
        env_setting(&env, str_from(settings[i].name), str_from(settings[i].value));
    for (size_t i = 0; i < nfilters; i++) {
        for (size_t k = 0; k < sizeof off / sizeof *off; k++)
            env_setting(&env, arena_printf(arena, "filter.%.*s.%s", STR_ARG(filters[i]), off[k]),
                        STR(""));
        env_setting(&env, arena_printf(arena, "filter.%.*s.required", STR_ARG(filters[i])),
                    STR("false"));
    }
    env_add(&env, arena_printf(arena, "GIT_CONFIG_COUNT=%zu", env.nsettings));
    return env.full ? NULL : env.list;
}

const char **git_environment(struct arena *arena, const char *const *more, size_t nmore)
{
    return make_env(arena, more, nmore, NULL, 0);
}

/* --- running it --- */

void git_set_trouble(struct git *git, struct str what)
{
    if (git->trouble.len)
        return;
    while (str_ends(what, STR("\n")))
        what.len--;
    git->trouble = git_keep_text(git, what);
}

bool git_tell(struct git *git, const char *const *words, const struct proc_result *result)
{
    AUTO_BUF text = {.limit = 1 << 16};
    struct str rest = result->err_text, line;
    (void)str_cut(&rest, '\n', &line);
    buf_printf(&text, "git %s: ", words[0]);
    buf_str(&text, line.len ? str_sub(line, 0, 300) : STR("failed without a word"));
    git_set_trouble(git, buf_view(&text));
    return true;
}

static bool run(struct git *git, const char *const *words, struct str input,
                struct proc_result *ret, bool *ret_ok, struct err *err)
{
    static const char *const first[] = {"--no-pager", "--no-optional-locks"};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    int64_t left = git->deadline_ms - clock_monotonic_ms();
    struct err why = {0};
    size_t n = 0, nwords = 0;
    while (words[nwords])
        nwords++;
    const char **argv = arena_new(git->arena, const char *, nwords + 4);
    if (!argv)
        return arena_full(git->arena, err);
    argv[n++] = git->program;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        argv[n++] = first[i];
    memcpy(argv + n, words, nwords * sizeof *argv);
    struct proc_spec spec = {.argv = argv,
                             .env = git->env,
                             .dir = git->root.ptr,
                             .input = input,
                             .timeout_ms = left < GIT_COMMAND_MS ? (int)left : GIT_COMMAND_MS,
                             .max_output = GIT_OUTPUT_MAX,
                             .cancel = git->options.cancel};
    *ret_ok = false;
    if (left <= 0) {
        git_set_trouble(git, STR("git has used up its time for this stack"));
        return true;
    }
    if (proc_run(git->arena, &spec, ret, &why)) {
        *ret_ok = true;
        return true;
    }
    if (why.kind == ERR_CANCELLED) {
        if (err)
            *err = why;
        return false;
    }
    git_set_trouble(git, str_from(err_text(&why, text, sizeof text)));
    return true;
}

bool git_ask(struct git *git, const char *const *words, struct proc_result *ret, bool *ret_ok,
             struct err *err)
{
    *ret = (struct proc_result){0};
    return run(git, words, (struct str){0}, ret, ret_ok, err);
}

bool git_run(struct git *git, const char *const *words, struct str input, struct str *ret_out,
             bool *ret_ok, struct err *err)
{
    struct proc_result result = {0};
    if (!run(git, words, input, &result, ret_ok, err))
        return false;
    *ret_out = result.out;
    if (!*ret_ok || result.exit_code == 0)
        return true;
    *ret_ok = false;
    return git_tell(git, words, &result);
}

/* --- small texts --- */

bool git_is_hash(struct str s)
{
    if (s.len != GIT_HASH_MIN && s.len != GIT_HASH_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

bool git_is_boundary(const struct git *git, struct str hash)
{
    return hash.len && str_find(git->shallow, hash, 0) != SIZE_MAX;
}

struct str git_keep_text(struct git *git, struct str s)
{
    struct str head = str_sub(s, 0, GIT_TEXT_MAX);
    while (head.len < s.len && head.len && ((unsigned char)s.ptr[head.len] & 0xc0) == 0x80)
        head.len--;
    struct str kept = arena_dup(git->arena, head);
    return kept.ptr ? kept : STR("");
}

/* A name or an address, with or without a port. */
static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%",
                    s.ptr[i]))
            return false;
    return s.len > 0;
}

struct str git_public_uri(struct arena *arena, struct str url)
{
    static const struct str schemes[] = {STR_INIT("https"), STR_INIT("http"), STR_INIT("ssh"),
                                         STR_INIT("git"), STR_INIT("git+ssh")};
    size_t colon = str_find(url, STR("://"), 0), at;
    struct str scheme = STR("ssh"), rest = url, host;
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || (unsigned char)url.ptr[i] >= 0x7f ||
            strchr("\"<>\\^`{|}", url.ptr[i]))
            return (struct str){0};
    if (colon != SIZE_MAX) {
        bool known = false;
        scheme = str_sub(url, 0, colon);
        rest = str_sub(url, colon + 3, url.len);
        for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
            known |= str_equal(scheme, schemes[i]);
        if (!known)
            return (struct str){0};
        struct str path = rest;
        (void)str_cut(&path, '/', &host);
    } else {
        /* host:path, where no slash comes before the colon */
        struct str path = rest;
        if (!str_cut(&path, ':', &host) || str_find_char(host, '/', 0) != SIZE_MAX)
            return (struct str){0};
    }
    /* Whatever a name before the host is, the repository is the same without it. */
    while ((at = str_find_char(host, '@', 0)) != SIZE_MAX) {
        host = str_sub(host, at + 1, host.len);
        rest = str_sub(rest, at + 1, rest.len);
    }
    struct str path = str_sub(rest, host.len, rest.len);
    at = str_find_char(path, '?', 0);
    path = str_sub(path, 0, at);
    path = str_sub(path, 0, str_find_char(path, '#', 0));
    if (!is_host(host))
        return (struct str){0};
    bool scp = colon == SIZE_MAX; /* host:path */
    while (scp && (str_starts(path, STR(":/")) || str_starts(path, STR("//"))))
        path = str_sub(path, 1, path.len);
    return arena_printf(arena, "%.*s://%.*s%s%.*s", STR_ARG(scheme), STR_ARG(host), scp ? "/" : "",
                        STR_ARG(str_sub(path, scp && path.len ? 1 : 0, path.len)));
}

/* --- a repository --- */

/* What `git config -z` prints: "key\nvalue" and a NUL. */
static bool next_setting(struct str *rest, struct str *ret_key, struct str *ret_value)
{
    struct str pair;
    if (!rest->len)
        return false;
    (void)str_cut(rest, '\0', &pair);
    *ret_value = pair;
    (void)str_cut(ret_value, '\n', ret_key);
    return true;
}

/* filter.NAME.clean and remote.NAME.url; both are case-sensitive in the middle only. */
static bool middle_of(struct str key, struct str first, struct str last, struct str *ret)
{
    if (!str_starts(key, first) || !str_ends(key, last) || key.len <= first.len + last.len)
        return false;
    *ret = str_sub(key, first.len, key.len - last.len);
    return true;
}

static bool add_filter(struct git *git, struct str *filters, size_t *n, struct str key)
{
    static const struct str ends[] = {STR_INIT(".clean"), STR_INIT(".smudge"), STR_INIT(".process"),
                                      STR_INIT(".required")};
    struct str name = {0};
    for (size_t i = 0; i < sizeof ends / sizeof *ends && !name.len; i++)
        (void)middle_of(key, STR("filter."), ends[i], &name);
    if (!name.len)
        return true;
    for (size_t i = 0; i < *n; i++)
        if (str_equal(filters[i], name))
            return true;
    if (*n == SETTINGS_MAX) {
        git_set_trouble(git, STR("git has more filters configured than can be kept from running"));
        return false;
    }
    filters[(*n)++] = name;
    return true;
}

/* Filters that must not run, and where the code is pushed to. False in *ret_ok: do not go on. */
static bool read_settings(struct git *git, bool *ret_ok, struct err *err)
{
    static const char *const words[] = {"config", "-z", "--get-regexp",
                                        "^(filter\\..*|remote\\..*\\.url)$", NULL};
    struct str filters[SETTINGS_MAX], key, value, name, url = {0};
    size_t nfilters = 0;
    struct proc_result result;
    if (!git_ask(git, words, &result, ret_ok, err))
        return false;
    if (*ret_ok && result.exit_code > 1) { /* 1: there are none */
        *ret_ok = false;
        return git_tell(git, words, &result);
    }
    for (struct str rest = result.out; *ret_ok && next_setting(&rest, &key, &value);) {
        *ret_ok = add_filter(git, filters, &nfilters, key);
        if (middle_of(key, STR("remote."), STR(".url"), &name) &&
            (!url.len || str_equal(name, STR("origin"))))
            url = value;
    }
    if (!*ret_ok)
        return true;
    git->repository = git_public_uri(git->arena, url);
    git->has_remote = url.len > 0;
    git->env = make_env(git->arena, NULL, 0, filters, nfilters);
    return git->env || arena_full(git->arena, err);
}

/* The folder with .git may be a bogus one inside of another repository: git says how far down. */
static bool take_root(struct git *git, struct str prefix)
{
    while (str_ends(prefix, STR("/")))
        prefix.len--;
    if (!prefix.len)
        return true;
    if (!str_ends(git->root, prefix) || git->root.len < prefix.len + 2)
        return false;
    git->root = arena_dup(git->arena, str_sub(git->root, 0, git->root.len - prefix.len - 1));
    return git->root.ptr != NULL;
}

static bool read_shallow(struct git *git, struct str path)
{
    struct str full = io_join(git->arena, git->root, path);
    if (!git->is_shallow)
        return true;
    return full.ptr && io_read_file(git->arena, full.ptr, SHALLOW_MAX, &git->shallow, NULL);
}

static bool find_root(struct git *git, bool *ret_ok, struct err *err)
{
    static const char *const words[] = {"rev-parse",
                                        "--is-inside-work-tree",
                                        "--is-shallow-repository",
                                        "--git-path",
                                        "shallow",
                                        "--show-prefix",
                                        NULL};
    struct str out, inside, shallow, path;
    if (!git_run(git, words, (struct str){0}, &out, ret_ok, err))
        return false;
    if (!*ret_ok)
        return true;
    bool lines = str_cut(&out, '\n', &inside) && str_cut(&out, '\n', &shallow) &&
                 str_cut(&out, '\n', &path) && str_ends(out, STR("\n"));
    git->is_shallow = lines && str_equal(shallow, STR("true"));
    *ret_ok = lines && str_equal(inside, STR("true")) && read_shallow(git, path) &&
              take_root(git, str_sub(out, 0, out.len - 1));
    if (!*ret_ok)
        git_set_trouble(git, STR("git rev-parse: this is no working tree"));
    return true;
}

void git_renew(struct git *git)
{
    int budget = git->options.budget_ms > 0 ? git->options.budget_ms : BUDGET_MS;
    git->deadline_ms = clock_monotonic_ms() + budget;
    git->trouble = STR("");
}

bool git_open(struct arena *arena, struct str folder, const struct git_options *options,
              struct git **ret, struct str *ret_why, struct err *err)
{
    static const struct git_options none;
    struct str root = owners_repository(arena, folder);
    *ret = NULL;
    *ret_why = STR("");
    if (!root.len)
        return true;
    struct git *git = arena_new(arena, struct git, 1);
    if (!git)
        return arena_full(arena, err);
    git->arena = arena;
    git->options = options ? *options : none;
    git->root = root;
    git_renew(git);
    git->program = git_find_program(arena);
    git->env = make_env(arena, NULL, 0, NULL, 0);
    if (!git->env)
        return arena_full(arena, err);
    bool ok = git->program != NULL;
    if (!ok)
        git->trouble = STR("git is not in PATH");
    if (ok && !find_root(git, &ok, err))
        return false;
    if (ok && !read_settings(git, &ok, err))
        return false;
    *ret_why = git->trouble;
    if (ok)
        *ret = git;
    return true;
}

struct str git_root(const struct git *git)
{
    return git->root;
}

struct str git_trouble(const struct git *git)
{
    return git->trouble;
}

/* --- HEAD --- */

void git_parse_status(struct git *git, struct str out, struct revision *ret)
{
    struct str record;
    while (out.len) {
        (void)str_cut(&out, '\0', &record);
        if (str_starts(record, STR("# branch.oid ")))
            git->head = str_sub(record, 13, record.len);
        else if (str_starts(record, STR("# branch.head ")))
            git->branch = str_sub(record, 14, record.len);
        else if (!str_starts(record, STR("#")) && record.len)
            ret->dirty = true;
    }
    if (!git_is_hash(git->head))
        git->head = STR("");
    if (str_equal(git->branch, STR("(detached)")))
        git->branch = STR("");
}

/* A remote's branch; or what GitLab gives its runners of a commit that it made itself (the result
 * of a merge), which is on no branch. */
static bool ask_pushed(struct git *git, struct err *err)
{
    static const char *const words[] = {
        "for-each-ref", "--count=1",      "--format=%(refname)", "--contains=HEAD",
        "refs/remotes", "refs/pipelines", "refs/merge-requests", NULL};
    struct str out;
    bool ok;
    if (git->has_head_facts || !git->head.len)
        return true;
    if (!git_run(git, words, (struct str){0}, &out, &ok, err))
        return false;
    git->pushed = ok && out.len > 0;
    git->has_head_facts = true;
    return true;
}

bool git_revision(struct git *git, struct str folder, struct revision *ret, bool *ret_known,
                  struct err *err)
{
    struct revision found = {0};
    struct str path = arena_dup(git->arena, folder), out;
    const char *const words[] = {"status",
                                 "--porcelain=v2",
                                 "--branch",
                                 "-z",
                                 "--no-ahead-behind",
                                 "--untracked-files=no",
                                 "--ignore-submodules=all",
                                 "--no-renames",
                                 "--",
                                 path.ptr,
                                 NULL};
    if (!path.ptr)
        return arena_full(git->arena, err);
    if (!git_run(git, words, (struct str){0}, &out, ret_known, err))
        return false;
    if (!*ret_known)
        return true;
    git_parse_status(git, out, &found);
    if (!ask_pushed(git, err))
        return false;
    found.repository = git->repository;
    found.has_remote = git->has_remote;
    found.commit = git->head;
    found.branch = git->branch;
    found.pushed = git->pushed;
    found.shallow = git->is_shallow;
    *ret = found;
    return true;
}
