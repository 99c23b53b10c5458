/* test_git.c - real repositories, made here: who wrote a line, other versions, and nothing is run.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/git.h"
#include "desired/git_parts.h"

/* A folder of its own: repo/ is the repository, home/ is HOME. */
struct fixture {
    char dir[64];
};

static void shell(const struct fixture *f, const char *script)
{
    char head[512];
    (void)snprintf(head, sizeof head,
                   "set -eu; unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE; export HOME='%s/home' "
                   "GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME='Ann Example' "
                   "GIT_AUTHOR_EMAIL=ann@example.org GIT_COMMITTER_NAME=Bob "
                   "GIT_COMMITTER_EMAIL=bob@example.org; cd '%s/repo'; ",
                   f->dir, f->dir);
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str all = arena_printf(&arena, "%s\n%s", head, script);
    assert_int_equal(system(all.ptr), 0);
}

/* commit FILE TEXT DATE SUBJECT */
#define COMMIT \
    "commit() { mkdir -p \"$(dirname -- \"$1\")\"; printf \"$2\" > \"$1\"; git add -A; " \
    "GIT_AUTHOR_DATE=\"$3\" GIT_COMMITTER_DATE=\"$3\" git commit -qm \"$4\"; }\n"

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char home[128];
    if (!f)
        return -1;
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/plumb-git-XXXXXX");
    *state = f;
    if (!mkdtemp(f->dir))
        return -1;
    (void)snprintf(home, sizeof home, "%s/home", f->dir);
    (void)mkdir(home, 0700);
    (void)setenv("HOME", home, 1);
    (void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    (void)snprintf(home, sizeof home, "%s/repo", f->dir);
    (void)mkdir(home, 0700);
    shell(f, "git init -q -b main .");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int failed = system(command);
    free(f);
    return failed;
}

static struct git *open_at(struct arena *arena, const struct fixture *f, const char *below,
                           struct str *ret_why)
{
    struct git *git;
    struct err err = {0};
    struct str folder = arena_printf(arena, "%s/%s", f->dir, below);
    assert_true(git_open(arena, folder, NULL, &git, ret_why, &err));
    return git;
}

static struct git *open_repo(struct arena *arena, const struct fixture *f)
{
    struct str why;
    struct git *git = open_at(arena, f, "repo", &why);
    if (!git)
        print_message("no git: %.*s\n", STR_ARG(why));
    assert_non_null(git);
    return git;
}

static void check(struct str have, const char *want)
{
    if (!str_equal(have, str_from(want)))
        print_message("have '%.*s', want '%s'\n", STR_ARG(have), want);
    assert_true(str_equal(have, str_from(want)));
}

/* --- HEAD --- */

static enum git_signature signature(struct arena *arena, struct git *git, const char *signers,
                                    const char *says)
{
    enum git_signature got = GIT_NOT_SIGNED;
    struct str said, file = arena_printf(arena, "%s", signers);
    struct err err = {0};
    bool known;
    assert_true(git_head_signature(git, file, &got, &said, &known, &err));
    assert_true(known);
    if (str_find(said, str_from(says), 0) == SIZE_MAX)
        print_message("it says '%.*s'\n", STR_ARG(said));
    assert_true(str_find(said, str_from(says), 0) != SIZE_MAX);
    return got;
}

static void a_signature_is_checked(void **state)
{
    const struct fixture *f = *state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    char signers[128];
    if (access("/usr/bin/ssh-keygen", X_OK) != 0)
        skip();
    (void)snprintf(signers, sizeof signers, "%s/home/signers", f->dir);
    shell(f, COMMIT "ssh-keygen -q -t ed25519 -N '' -f \"$HOME/key\"\n"
                    "git config gpg.format ssh; git config user.signingkey \"$HOME/key.pub\"\n"
                    "echo \"ann@example.org $(cat \"$HOME/key.pub\")\" > \"$HOME/signers\"\n"
                    "echo \"eve@example.org ssh-ed25519 "
                    "AAAAC3NzaC1lZDI1NTE5AAAAIGuKTZmnUjpPYSRyPz5IHS5WmWRsTvnbbAGmDcDeuU8J\" "
                    "> \"$HOME/others\"\n"
                    "commit a x 2026-01-02T03:04:05Z one\n");
    struct git *git = open_repo(&arena, f);
    assert_int_equal(signature(&arena, git, signers, ""), GIT_NOT_SIGNED);
    /* a repository that names its own program does not get it asked */
    shell(f, "git commit -q --amend -S -m signed; git config gpg.ssh.program /bin/true\n");
    git = open_repo(&arena, f);
    assert_int_equal(signature(&arena, git, signers, "ann@example.org"), GIT_GOOD_SIGNATURE);
    (void)snprintf(signers, sizeof signers, "%s/home/others", f->dir);
    assert_int_equal(signature(&arena, git, signers, "No principal"), GIT_BAD_SIGNATURE);
}

static void merged(struct git *git, const char *branch, bool want, bool want_exists)
{
    bool got, exists, known;
    struct err err = {0};
    assert_true(git_head_merged(git, str_from(branch), &got, &exists, &known, &err));
    assert_true(known);
    assert_int_equal(got, want);
    assert_int_equal(exists, want_exists);
}

static void a_merge_is_known(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    shell(*state, COMMIT "commit a x 2026-01-02T03:04:05Z one\n"
                         "git checkout -q -b change; commit a y 2026-01-02T03:04:06Z two\n");
    struct git *git = open_repo(&arena, *state);
    merged(git, "main", false, true);
    merged(git, "change", true, true);
    merged(git, "other", false, false);
    /* where there are remotes, what only the local branch has does not count */
    shell(*state, "git update-ref refs/remotes/origin/main HEAD~1; git branch -f main HEAD");
    merged(git, "main", false, true);
    shell(*state, "git update-ref refs/remotes/origin/main HEAD");
    merged(git, "main", true, true);
}

static void a_revision_is_told(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct revision got;
    struct err err = {0};
    bool known;
    shell(*state, COMMIT
          "commit a/main.tf 'x\\n' 2026-01-02T03:04:05Z one\n"
          "commit b/main.tf 'x\\n' 2026-01-02T03:04:06Z two\n"
          "git remote add other https://other.example/x.git\n"
          "git remote add origin https://ann:s3cret@git.example:8443/infra.git\n"
          "git update-ref refs/remotes/origin/main HEAD~1; echo y >> b/main.tf; echo > b/new.tf\n");
    struct git *git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("a"), &got, &known, &err));
    assert_true(known);
    check(got.repository, "https://git.example:8443/infra.git");
    assert_true(got.has_remote);
    check(got.branch, "main");
    assert_int_equal(got.commit.len, 40);
    assert_false(got.dirty || got.pushed || got.shallow);
    assert_true(git_revision(git, STR("b"), &got, &known, &err));
    assert_true(known && got.dirty);
    shell(*state, "git update-ref refs/remotes/origin/main HEAD; git checkout -q --detach");
    git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    check(got.branch, "");
    assert_true(known && got.pushed);
    check(git_trouble(git), "");
    /* a merge that GitLab made for a pipeline */
    shell(*state, "git update-ref --no-deref HEAD "
                  "$(git commit-tree -p HEAD~1 -p HEAD -m merged 'HEAD^{tree}')\n");
    git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    assert_true(known && !got.pushed);
    shell(*state, "git update-ref refs/pipelines/7 HEAD");
    git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    assert_true(known && got.pushed);
    /* remotes whose addresses are nothing to show */
    shell(*state,
          "git remote remove other; git remote set-url origin codecommit::eu-west-1://infra\n");
    git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    assert_true(known && got.has_remote && got.repository.len == 0);
    shell(*state, "git remote remove origin\n");
    git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    assert_true(known && !got.has_remote);
}

static void a_repository_without_a_commit_has_none(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct revision got;
    struct err err = {0};
    const struct commit *commit;
    bool known;
    shell(*state, "echo x > main.tf");
    struct git *git = open_repo(&arena, *state);
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    assert_true(known);
    check(got.commit, "");
    check(got.branch, "main");
    assert_true(git_blame(git, STR("main.tf"), &(struct git_range){1, 1}, 1, &commit, &err));
    assert_non_null(commit);
    check(commit->hash, "");
}

static void where_git_cannot_tell_it_says_why(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct str why;
    shell(*state, "mkdir -p ../plain ../bogus/.git ../bare inner/.git; git init -q --bare ../bare");
    assert_null(open_at(&arena, *state, "plain", &why));
    check(why, "");
    assert_null(open_at(&arena, *state, "bogus", &why));
    assert_true(str_starts(why, STR("git rev-parse: fatal: not a git repository")));
    assert_null(open_at(&arena, *state, "bare", &why));
    struct git *git = open_at(&arena, *state, "repo/inner", &why);
    assert_non_null(git); /* its .git is none: the repository around it is */
    assert_true(str_ends(git_root(git), STR("/repo")));
    if (geteuid() == 0) {
        shell(*state, "chown 12345:12345 . .git");
        assert_null(open_at(&arena, *state, "repo", &why));
        assert_true(str_find(why, STR("dubious ownership"), 0) != SIZE_MAX);
        (void)setenv("GIT_CONFIG_COUNT", "1", 1); /* as a CI allows it */
        (void)setenv("GIT_CONFIG_KEY_0", "safe.directory", 1);
        (void)setenv("GIT_CONFIG_VALUE_0", "*", 1);
        assert_non_null(open_at(&arena, *state, "repo", &why));
        (void)unsetenv("GIT_CONFIG_COUNT");
    }
    struct str path = arena_dup(&arena, str_from(getenv("PATH")));
    (void)setenv("PATH", ".:relative:/nowhere", 1);
    assert_null(open_at(&arena, *state, "repo", &why));
    check(why, "git is not in PATH");
    (void)setenv("PATH", path.ptr, 1);
}

static void time_and_cancelling_end_it(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct err err = {0};
    struct revision got;
    struct str why;
    struct git *git;
    volatile int cancel = 1;
    bool known = true;
    shell(*state, COMMIT "commit main.tf 'x\\n' 2026-01-02T03:04:05Z one\n");
    struct str folder = arena_printf(&arena, "%s/repo", ((struct fixture *)*state)->dir);
    struct git_options options = {.cancel = &cancel};
    assert_false(git_open(&arena, folder, &options, &git, &why, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    git = open_repo(&arena, *state);
    git->deadline_ms = 0;
    assert_true(git_revision(git, STR("."), &got, &known, &err));
    assert_false(known);
    check(git_trouble(git), "git has used up its time for this stack");
}

/* --- lines --- */

static void each_line_has_its_commit(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct commit *got[6];
    struct err err = {0};
    shell(*state, COMMIT
          "commit main.tf 'a\\nb\\nc\\nd\\n' 2026-01-02T03:04:05Z one\n"
          "commit main.tf 'a\\nB\\nc\\nd\\n' 2026-02-02T03:04:05Z 'two \"quoted\" \xc3\xa9'\n"
          "commit main.tf 'a\\nB\\nC\\nd\\n' 2026-03-02T03:04:05Z three\n"
          "printf 'a\\nB\\nC\\nD\\n' > main.tf; echo z > new.tf\n");
    struct git *git = open_repo(&arena, *state);
    const struct git_range ranges[] = {{1, 1}, {2, 2}, {1, 3}, {4, 4}, {3, 4}, {2, 0}};
    assert_true(git_blame(git, STR("main.tf"), ranges, 6, got, &err));
    static const char *const want[] = {"one", "two \"quoted\" \xc3\xa9", "three", "",
                                       "",    "two \"quoted\" \xc3\xa9"};
    for (size_t i = 0; i < 6; i++) {
        assert_non_null(got[i]);
        check(got[i]->summary, want[i]);
        assert_int_equal(got[i]->hash.len, *want[i] ? 40 : 0);
        assert_false(got[i]->boundary);
    }
    check(got[1]->author, "Ann Example");
    check(got[1]->mail, "ann@example.org");
    assert_int_equal(got[1]->time_utc_ms, INT64_C(1770001445000));
    assert_true(git_blame(git, STR("new.tf"), ranges, 1, got, &err));
    check(got[0]->hash, "");
    assert_true(git_blame(git, STR("main.tf"), &(struct git_range){99, 99}, 1, got, &err));
    assert_null(got[0]); /* the file has no such line */
    assert_true(git_blame(git, STR("nothing.tf"), ranges, 1, got, &err));
    check(got[0]->hash, "");
}

static void a_shallow_clone_says_where_it_ends(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct commit *got[2];
    const struct git_version *versions;
    struct err err = {0};
    struct str why;
    size_t n;
    shell(*state, COMMIT "commit main.tf 'a\\nb\\n' 2026-01-02T03:04:05Z one\n"
                         "commit main.tf 'a\\nB\\n' 2026-02-02T03:04:05Z two\n"
                         "commit main.tf 'a\\nC\\n' 2026-03-02T03:04:05Z three\n"
                         "git clone -q --depth 2 \"file://$PWD\" ../cut\n");
    struct git *git = open_at(&arena, *state, "cut", &why);
    assert_non_null(git);
    assert_true(git_blame(git, STR("main.tf"), (struct git_range[]){{1, 1}, {2, 2}}, 2, got, &err));
    check(got[0]->summary, "two");
    assert_true(got[0]->boundary);
    check(got[1]->summary, "three");
    assert_false(got[1]->boundary);
    assert_true(git_commits(git, (struct str[]){STR("main.tf")}, 1, 10, 0, &versions, &n, &err));
    assert_int_equal(n, 1); /* what was before the cut is not known */
    check(versions[0].commit.summary, "three");
}

/* File names that are options, patterns, magic or not one line. */
static const char *const hostile[] = {
    "-L1.tf",     "--output=x.tf", "--",          ":(top)x.tf",   ":!x.tf",
    "*.tf",       "a b.tf",        "q\"u.tf",     "new\nline.tf", "$(touch PWNED).tf",
    "[x].tf",     "\xc3\xa9.tf",   "\xff\xfe.tf", "x;y|z&.tf",    "back\\slash.tf",
    "-c/core.tf", "HEAD",          "main",
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

static void hostile_names_are_only_names(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct fixture *f = *state;
    const struct commit *got;
    const struct git_version *versions;
    struct err err = {0};
    struct str text;
    size_t n;
    for (size_t i = 0; i < HOSTILE; i++) {
        struct str path = arena_printf(&arena, "%s/repo/%s", f->dir, hostile[i]);
        assert_true(io_make_dirs(arena_dup(&arena, io_dirname(path)).ptr, 0700, &err));
        assert_true(io_write_file_atomic(path.ptr, arena_printf(&arena, "first\nline %zu\n", i),
                                         0600, &err));
    }
    shell(f,
          "git add -A; git commit -qm one; git branch other; git checkout -q other; echo more >> "
          "./--; git commit -qam branch; git checkout -q main --");
    struct git *git = open_repo(&arena, f);
    const struct git_version *branches;
    struct git_tree *tree;
    bool more;
    assert_true(git_branches(git, 10, 0, &branches, &n, &more, &err));
    assert_int_equal(n, 1);
    assert_true(git_trees(git, &branches[0].hash, 1, &tree, &err));
    assert_non_null(tree);
    for (size_t i = 0; i < HOSTILE; i++) {
        struct str name = str_from(hostile[i]);
        struct str path = arena_printf(&arena, "%s/repo/%s", f->dir, hostile[i]);
        assert_true(git_blame(git, name, &(struct git_range){2, 2}, 1, &got, &err));
        assert_non_null(got);
        check(got->summary, "one");
        assert_true(git_commits(git, &name, 1, 10, 0, &versions, &n, &err));
        assert_true(git_tree_read(tree, path, &text));
        check(text, arena_printf(&arena, "first\nline %zu\n%s", i,
                                 strcmp(hostile[i], "--") ? "" : "more\n")
                        .ptr);
    }
    check(git_trouble(git), "");
}

/* Whatever a configuration could make git run leaves a file. */
static void nothing_is_run(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct fixture *f = *state;
    const struct commit *got;
    const struct git_version *versions;
    struct revision revision;
    struct err err = {0};
    bool known, more;
    size_t n;
    shell(f, COMMIT
          "commit main.tf 'a\\nb\\n' 2026-01-02T03:04:05Z one\n"
          "git checkout -q -b other; commit main.tf 'a\\nc\\n' 2026-01-03T03:04:05Z two\n"
          "git checkout -q main; commit main.tf 'a\\nd\\n' 2026-01-04T03:04:05Z three\n"
          "cat > ../evil <<X\n#!/bin/sh\ntouch '$PWD/../PWNED'\ncat\nX\n"
          "chmod +x ../evil; evil=$PWD/../evil; mkdir ../hooks\n"
          "for h in post-index-change reference-transaction fsmonitor-watchman; do "
          "cp ../evil ../hooks/$h; done\n"
          "for k in core.fsmonitor core.pager core.askPass core.sshCommand core.gitProxy "
          "diff.external diff.e.command diff.e.textconv filter.e.clean filter.e.smudge "
          "filter.p.process filter.x=y.clean gpg.program credential.helper core.editor "
          "core.alternateRefsCommand pager.blame pager.log; do git config \"$k\" \"$evil\"; done\n"
          "git config log.showSignature true; git config core.hooksPath \"$PWD/../hooks\"\n"
          "git config filter.e.required true; :\n"
          "echo '*.tf diff=e filter=e' > .gitattributes; echo '*.other filter=x=y' >> "
          ".gitattributes; echo z >> main.tf\n");
    static const char *const poison[] = {
        "GIT_DIR",        "GIT_WORK_TREE",        "GIT_EXTERNAL_DIFF",
        "GIT_PAGER",      "GIT_SSH_COMMAND",      "GIT_ASKPASS",
        "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_PARAMETERS",
        "GIT_TRACE"};
    struct str evil = arena_printf(&arena, "%s/evil", f->dir);
    for (size_t i = 0; i < sizeof poison / sizeof *poison; i++)
        (void)setenv(poison[i], evil.ptr, 1);
    struct git *git = open_repo(&arena, f);
    assert_true(git_revision(git, STR("."), &revision, &known, &err));
    assert_true(known && revision.dirty);
    assert_true(git_blame(git, STR("main.tf"), &(struct git_range){2, 3}, 1, &got, &err));
    assert_non_null(got);
    assert_true(git_branches(git, 10, 0, &versions, &n, &more, &err));
    assert_int_equal(n, 1);
    struct git_tree *tree;
    struct str base, text, names;
    const struct str *list;
    struct commit commit;
    assert_true(git_trees(git, &versions[0].hash, 1, &tree, &err) && tree);
    assert_true(git_tree_list(tree, git_root(git), &list, &n));
    names = arena_printf(&arena, "%.*s/main.tf", STR_ARG(git_root(git)));
    assert_true(git_tree_read(tree, names, &text));
    check(text, "a\nc\n");
    assert_true(git_merge_base(git, versions[0].hash, &base, &err));
    assert_true(git_last_commit(git, base, versions[0].hash, (struct str[]){STR("main.tf")}, 1,
                                &commit, &known, &err));
    assert_true(known);
    check(commit.summary, "two");
    assert_true(git_commits(git, (struct str[]){STR("main.tf")}, 1, 9, 0, &versions, &n, &err));
    assert_int_equal(n, 1);
    check(git_trouble(git), "");
    for (size_t i = 0; i < sizeof poison / sizeof *poison; i++)
        (void)unsetenv(poison[i]);
    assert_false(io_exists(arena_printf(&arena, "%s/PWNED", f->dir).ptr));
    /* and the trap works */
    shell(f, "git blame main.tf > /dev/null 2>&1 || :; git status > /dev/null 2>&1 || :; "
             "test -e ../PWNED");
}

/* --- other versions --- */

static void branches_are_bounded_and_told_once(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct git_version *got;
    struct err err = {0};
    bool more;
    size_t n;
    shell(*state, COMMIT
          "commit main.tf 'a\\n' 2026-01-02T03:04:05Z one\n"
          "git branch merged\n"
          "git checkout -q -b old; commit main.tf 'b\\n' 2020-01-02T03:04:05Z ancient\n"
          "git checkout -q -b new main; commit main.tf 'c\\n' 2026-03-02T03:04:05Z newer\n"
          "git checkout -q -b mid/dle main; commit main.tf 'd\\n' 2026-02-02T03:04:05Z older\n"
          "git update-ref refs/remotes/origin/new new; git update-ref refs/remotes/origin/far old\n"
          "git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/far\n"
          "git checkout -q main; commit main.tf 'e\\n' 2026-02-03T03:04:05Z main\n");
    struct git *git = open_repo(&arena, *state);
    int64_t year = INT64_C(1767225600000); /* 2026 */
    assert_true(git_branches(git, 10, year, &got, &n, &more, &err));
    assert_int_equal(n, 2);
    assert_true(more);
    check(got[0].branch, "new");
    check(got[0].commit.summary, "newer");
    check(got[0].commit.mail, "ann@example.org");
    check(got[1].branch, "mid/dle");
    assert_true(git_branches(git, 1, year, &got, &n, &more, &err));
    assert_int_equal(n, 1);
    assert_true(more);
    assert_true(git_branches(git, 10, 0, &got, &n, &more, &err));
    assert_int_equal(n, 3);
    assert_false(more);
    check(got[2].branch, "old");
    struct str base;
    assert_true(git_merge_base(git, got[0].hash, &base, &err));
    assert_int_equal(base.len, 40);
    assert_false(str_equal(base, got[0].hash));
    assert_true(git_merge_base(git, STR("--all"), &base, &err));
    check(base, "");
}

static void commits_say_what_was_before(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct git_version *got;
    struct git_tree *trees[3];
    struct err err = {0};
    struct str text;
    size_t n;
    shell(*state, COMMIT "commit main.tf 'one\\n' 2026-01-02T03:04:05Z one\n"
                         "commit other.tf 'x\\n' 2026-01-03T03:04:05Z other\n"
                         "commit main.tf 'two\\n' 2026-01-04T03:04:05Z two\n"
                         "commit main.tf 'three\\n' 2026-01-05T03:04:05Z three\n");
    struct git *git = open_repo(&arena, *state);
    const struct str file = STR("main.tf");
    assert_true(git_commits(git, &file, 1, 10, 0, &got, &n, &err));
    assert_int_equal(n, 2); /* before the first there was nothing */
    check(got[0].commit.summary, "three");
    check(got[1].commit.summary, "two");
    const struct str hashes[] = {got[0].hash, got[1].hash, STR("HEAD")};
    static const char *const want[] = {"two\n", "one\n", "three\n"};
    assert_true(git_trees(git, hashes, 3, trees, &err));
    struct str path = arena_printf(&arena, "%.*s/main.tf", STR_ARG(git_root(git)));
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(trees[i]);
        assert_true(git_tree_read(trees[i], path, &text));
        check(text, want[i]);
    }
    assert_true(git_commits(git, &file, 1, 10, INT64_C(1767571200000), &got, &n, &err));
    assert_int_equal(n, 1);
    assert_true(git_commits(git, &file, 1, 1, 0, &got, &n, &err));
    assert_int_equal(n, 1);
}

static struct str joined(struct arena *arena, const struct str *names, size_t n)
{
    struct str all = STR("");
    for (size_t i = 0; i < n; i++)
        all = arena_printf(arena, "%.*s %.*s", STR_ARG(all), STR_ARG(names[i]));
    return all;
}

static void a_tree_is_as_if_checked_out(void **state)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct git_tree *trees[3];
    const struct str *names;
    struct err err = {0};
    size_t n;
    shell(*state, COMMIT
          "commit m/main.tf 'one\\n' 2026-01-02T03:04:05Z one\n"
          "commit m/gone.tf 'x\\n' 2026-01-03T03:04:05Z two\n"
          "commit common.tfvars 'a = 1\\n' 2026-01-03T03:04:05Z common\n"
          "git checkout -q -b other; git rm -q m/gone.tf; mkdir -p m/sub; ln -s ../common.tfvars "
          "m/x.auto.tfvars; ln -s /etc/hostname m/out.tf; echo s > m/sub/s.tf\n"
          "commit m/main.tf 'branch\\n' 2026-01-04T03:04:05Z branch\n"
          "git checkout -q main; echo untracked > m/un.tf; echo edited > m/main.tf\n"
          "git branch -q copy other; git rev-parse other > ../hash\n");
    struct git *git = open_repo(&arena, *state);
    struct fixture *f = *state;
    struct str hash, file = arena_printf(&arena, "%s/hash", f->dir);
    assert_true(io_read_file(&arena, file.ptr, 100, &hash, &err));
    const struct str hashes[] = {str_trim(hash), STR("HEAD"),
                                 STR("0123456789012345678901234567890123456789")};
    assert_true(git_trees(git, hashes, 3, trees, &err));
    assert_non_null(trees[0]);
    assert_non_null(trees[1]);
    assert_null(trees[2]);
    const struct git_change *changes = git_tree_changes(trees[0], &n);
    static const char *const changed[] = {"m/gone.tf", "m/main.tf", "m/out.tf", "m/sub/s.tf",
                                          "m/x.auto.tfvars"};
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++) {
        check(changes[i].path, changed[i]);
        assert_int_equal(changes[i].hash.len, i ? 40 : 0);
        assert_int_equal(changes[i].is_link, i == 2 || i == 4);
    }
    (void)git_tree_changes(trees[1], &n);
    assert_int_equal(n, 0);
    struct str m = arena_printf(&arena, "%.*s/m/", STR_ARG(git_root(git)));
    assert_true(git_tree_list(trees[0], m, &names, &n));
    check(joined(&arena, names, n), " main.tf out.tf sub un.tf x.auto.tfvars");
    assert_true(git_tree_list(trees[1], m, &names, &n));
    check(joined(&arena, names, n), " gone.tf main.tf un.tf");
    static const struct {
        const char *name, *text[2]; /* of the branch, of HEAD; NULL: not there */
    } files[] = {
        {"main.tf", {"branch\n", "one\n"}},
        {"gone.tf", {NULL, "x\n"}},
        {"un.tf", {"untracked\n", "untracked\n"}},
        {"x.auto.tfvars", {"a = 1\n", NULL}},
        {"sub/s.tf", {"s\n", NULL}},
        {"../m/./main.tf", {"branch\n", "one\n"}},
        {"sub", {NULL, NULL}},
        {"none.tf", {NULL, NULL}},
    };
    for (size_t i = 0; i < 2 * sizeof files / sizeof *files; i++) {
        struct str text, path = io_join(&arena, m, str_from(files[i / 2].name));
        bool there = git_tree_read(trees[i % 2], path, &text);
        assert_int_equal(there, files[i / 2].text[i % 2] != NULL);
        if (there)
            check(text, files[i / 2].text[i % 2]);
    }
    check(git_trouble(git), "");
}

/* --- texts --- */

static void addresses_lose_their_credentials(void **state)
{
    (void)state;
    static const struct {
        const char *url, *want;
    } cases[] = {
        {"https://git.example/a/b.git", "https://git.example/a/b.git"},
        {"https://user:token@git.example/a/b.git", "https://git.example/a/b.git"},
        {"https://token@git.example/a@b.git", "https://git.example/a@b.git"},
        {"https://us:to@ken@git.example/a", "https://git.example/a"},
        {"https://git.example/a?token=x#y", "https://git.example/a"},
        {"git@git.example:org/repo.git", "ssh://git.example/org/repo.git"},
        {"git.example:/abs/repo", "ssh://git.example/abs/repo"},
        {"ssh://git@git.example:22/org/repo", "ssh://git.example:22/org/repo"},
        {"https://git.example", "https://git.example"},
        {"/local/path", ""},
        {"./rel:ative", ""},
        {"file:///x", ""},
        {"ext::sh -c 'x'", ""},
        {"https://@/x", ""},
        {"https://git.example/\xc3\xa9", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        check(git_public_uri(&arena, str_from(cases[i].url)), cases[i].want);
    }
}

#define H "0123456789012345678901234567890123456789"

static void broken_output_is_no_fact(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "x",
        H,
        H " 1 2",
        H " 1 0 1\nfilename x\n",
        H " 1 2 -3\n",
        H " 1 2 3x\n",
        "\n" H " 1 1 1\n",
        "0123 1 1 1\nfilename x\n",
        H " 1 1 99999999999\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct git_blame_text got;
        struct err err = {0};
        assert_false(git_parse_blame(&arena, str_from(bad[i]), &got, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct git_blame_text got;
    struct commit commit;
    struct str parent, rest = STR(H "\0\0a\0m\0"
                                    "99999999999999999999\0s");
    assert_true(
        git_parse_blame(&arena, STR(H " 1 1 1\nauthor-time 9223372036854775807\n"), &got, NULL));
    assert_int_equal(got.commit[0].time_utc_ms, 0);
    assert_true(git_parse_commit(&rest, &commit, &parent));
    check(commit.summary, "s");
    assert_int_equal(commit.time_utc_ms, 0);
    rest = STR(H "\0\0a");
    assert_false(git_parse_commit(&rest, &commit, &parent));
    rest = STR("--help\0\0a\0m\0"
               "1\0s");
    assert_false(git_parse_commit(&rest, &commit, &parent));
}

#define REPO_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPO_TEST(a_revision_is_told),
        REPO_TEST(a_signature_is_checked),
        REPO_TEST(a_merge_is_known),
        REPO_TEST(a_repository_without_a_commit_has_none),
        REPO_TEST(where_git_cannot_tell_it_says_why),
        REPO_TEST(time_and_cancelling_end_it),
        REPO_TEST(each_line_has_its_commit),
        REPO_TEST(a_shallow_clone_says_where_it_ends),
        REPO_TEST(hostile_names_are_only_names),
        REPO_TEST(nothing_is_run),
        REPO_TEST(branches_are_bounded_and_told_once),
        REPO_TEST(commits_say_what_was_before),
        REPO_TEST(a_tree_is_as_if_checked_out),
        cmocka_unit_test(addresses_lose_their_credentials),
        cmocka_unit_test(broken_output_is_no_fact),
    };
    return cmocka_run_group_tests_name("desired/git", tests, NULL, NULL);
}
