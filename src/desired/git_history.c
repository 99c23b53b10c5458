/* git_history.c - branches that are not merged, and the commits that touched a file. */
#include <string.h>

#include "base/err.h"
#include "desired/git_parts.h"

/* --- what it prints --- */

static int64_t to_ms(struct str seconds)
{
    int64_t s;
    if (!str_to_int64(seconds, &s) || s > INT64_MAX / 1000 || s < INT64_MIN / 1000)
        return 0;
    return s * 1000;
}

bool git_parse_commit(struct str *rest, struct commit *ret, struct str *ret_parent)
{
    struct str field[6];
    for (size_t i = 0; i < 6; i++) {
        /* the last one of the text may lack its NUL */
        bool ended = str_cut(rest, '\0', &field[i]);
        if (!ended && i < 5)
            return false;
    }
    if (!git_is_hash(field[0]))
        return false;
    (void)str_cut(&field[1], ' ', ret_parent);
    if (ret_parent->len && !git_is_hash(*ret_parent))
        return false;
    *ret = (struct commit){.hash = field[0],
                           .author = field[2],
                           .mail = field[3],
                           .summary = field[5],
                           .time_utc_ms = to_ms(field[4])};
    return true;
}

static struct commit keep_commit(struct git *git, struct commit commit)
{
    commit.author = git_keep_text(git, commit.author);
    commit.mail = git_keep_text(git, commit.mail);
    commit.summary = git_keep_text(git, commit.summary);
    commit.boundary = git_is_boundary(git, commit.hash);
    return commit;
}

/* --- branches --- */

static const char branch_format[] =
    "--format=%(refname)%00%(objectname)%00%(committerdate:unix)%00%(symref)%00%(authorname)"
    "%00%(authoremail)%00%(authordate:unix)%00%(contents:subject)";

/* refname, hash, time of the commit, what a symbolic one points to, author, mail, time, subject */
static bool parse_branch(struct str line, struct git_version *ret, int64_t *ret_committed)
{
    struct str field[8];
    for (size_t i = 0; i < 8; i++)
        if (!str_cut(&line, '\0', &field[i]) && i < 7)
            return false;
    static const struct str prefixes[] = {STR_INIT("refs/heads/"), STR_INIT("refs/remotes/")};
    struct str name = field[0];
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(name, prefixes[i]))
            name = str_sub(name, prefixes[i].len, name.len);
    if (!git_is_hash(field[1]) || field[3].len) /* origin/HEAD is another's name */
        return false;
    *ret_committed = to_ms(field[2]);
    struct str mail = field[5];
    if (str_starts(mail, STR("<")) && str_ends(mail, STR(">")))
        mail = str_sub(mail, 1, mail.len - 1);
    *ret = (struct git_version){.branch = name,
                                .commit = {.hash = field[1],
                                           .author = field[4],
                                           .mail = mail,
                                           .summary = field[7],
                                           .time_utc_ms = to_ms(field[6])},
                                .hash = field[1]};
    return true;
}

/* A local branch and the remote's of one commit are one; the local name is printed first. */
static bool is_known(const struct git_version *list, size_t n, struct str hash)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(list[i].hash, hash))
            return true;
    return false;
}

bool git_branches(struct git *git, size_t most, int64_t oldest_utc_ms,
                  const struct git_version **ret, size_t *ret_n, bool *ret_more, struct err *err)
{
    static const char *const words[] = {
        "for-each-ref",     "--sort=refname", "--sort=-committerdate",
        "--no-merged=HEAD", branch_format,    "--count=2000",
        "refs/heads",       "refs/remotes",   NULL};
    struct git_version *list = arena_new(git->arena, struct git_version, most + 1), one;
    struct str out, line;
    size_t n = 0;
    int64_t committed;
    bool ok;
    *ret = list;
    *ret_n = 0;
    *ret_more = false;
    if (!list)
        return arena_full(git->arena, err);
    if (!git_run(git, words, (struct str){0}, &out, &ok, err))
        return false;
    while (ok && out.len) {
        (void)str_cut(&out, '\n', &line);
        if (!parse_branch(line, &one, &committed) || is_known(list, n, one.hash))
            continue;
        *ret_more = n == most || committed < oldest_utc_ms;
        if (*ret_more)
            break;
        one.commit = keep_commit(git, one.commit);
        list[n++] = one;
    }
    *ret_n = n;
    return true;
}

/* --- commits --- */

/* The words, then the files behind `--`; NULL where the arena is full. */
static const char **with_files(struct git *git, const char *const *words, const struct str *files,
                               size_t nfiles)
{
    size_t n = 0;
    while (words[n])
        n++;
    const char **list = arena_new(git->arena, const char *, n + nfiles + 2);
    if (!list)
        return NULL;
    memcpy(list, words, n * sizeof *list);
    list[n++] = "--";
    for (size_t i = 0; i < nfiles; i++) {
        list[n] = arena_dup(git->arena, files[i]).ptr;
        if (!list[n++])
            return NULL;
    }
    return list;
}

bool git_commits(struct git *git, const struct str *files, size_t nfiles, size_t most,
                 int64_t oldest_utc_ms, const struct git_version **ret, size_t *ret_n,
                 struct err *err)
{
    struct git_version *list = arena_new(git->arena, struct git_version, most);
    struct str count = arena_printf(git->arena, "--max-count=%zu", most), out, parent;
    const char *const words[] = {"log",
                                 "-z",
                                 GIT_COMMIT_FORMAT,
                                 count.ptr,
                                 "--first-parent",
                                 "--no-textconv",
                                 "--no-ext-diff",
                                 "HEAD",
                                 NULL};
    const char **all = with_files(git, words, files, nfiles);
    struct commit commit;
    bool ok;
    *ret = list;
    *ret_n = 0;
    if (!list || !count.ptr || !all)
        return arena_full(git->arena, err);
    if (!nfiles || !most)
        return true;
    if (!git_run(git, all, (struct str){0}, &out, &ok, err))
        return false;
    while (ok && out.len && *ret_n < most && git_parse_commit(&out, &commit, &parent) &&
           commit.time_utc_ms >= oldest_utc_ms) {
        /* before the first commit there was nothing; before a cut nobody knows */
        if (!parent.len || git_is_boundary(git, commit.hash))
            break;
        list[(*ret_n)++] = (struct git_version){.commit = keep_commit(git, commit), .hash = parent};
    }
    return true;
}

bool git_last_commit(struct git *git, struct str base, struct str head, const struct str *files,
                     size_t nfiles, struct commit *ret, bool *ret_found, struct err *err)
{
    struct str range = base.len
                           ? arena_printf(git->arena, "%.*s..%.*s", STR_ARG(base), STR_ARG(head))
                           : arena_dup(git->arena, head);
    const char *const words[] = {
        "log",     "-z", GIT_COMMIT_FORMAT, "--max-count=1", "--no-textconv", "--no-ext-diff",
        range.ptr, NULL};
    const char **all = with_files(git, words, files, nfiles);
    struct str out, parent;
    bool ok;
    *ret_found = false;
    if (!range.ptr || !all)
        return arena_full(git->arena, err);
    if (!git_is_hash(head) || (base.len && !git_is_hash(base)))
        return true;
    if (!git_run(git, all, (struct str){0}, &out, &ok, err))
        return false;
    *ret_found = ok && git_parse_commit(&out, ret, &parent);
    if (*ret_found)
        *ret = keep_commit(git, *ret);
    return true;
}

bool git_merge_base(struct git *git, struct str hash, struct str *ret, struct err *err)
{
    struct str other = arena_dup(git->arena, hash), line;
    const char *const words[] = {"merge-base", "HEAD", other.ptr, NULL};
    struct proc_result result;
    bool ok;
    *ret = STR("");
    if (!other.ptr)
        return arena_full(git->arena, err);
    if (!git_is_hash(hash))
        return true;
    if (!git_ask(git, words, &result, &ok, err)) /* exit code 1: there is none */
        return false;
    struct str out = result.out;
    (void)str_cut(&out, '\n', &line);
    if (ok && result.exit_code == 0 && git_is_hash(line))
        *ret = line;
    return true;
}
