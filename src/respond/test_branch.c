/* test_branch.c - commits on new branches of a real repository, which itself stays as it is. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/err.h"
#include "respond/branch.h"

struct fixture {
    char dir[64];
};

static int shell(const struct fixture *f, const char *script)
{
    char all[2048];
    (void)snprintf(all, sizeof all, "set -eu; cd '%s'; %s", f->dir, script);
    return system(all);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    *state = f;
    (void)snprintf(f->dir, sizeof f->dir, "/tmp/plumb-branch-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    (void)setenv("HOME", f->dir, 1);
    (void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    (void)setenv("GIT_AUTHOR_NAME", "Ann Example", 1);
    (void)setenv("GIT_AUTHOR_EMAIL", "ann@example.org", 1);
    (void)setenv("GIT_COMMITTER_NAME", "Ann Example", 1);
    (void)setenv("GIT_COMMITTER_EMAIL", "ann@example.org", 1);
    return shell(f,
                 "git init -q -b main . && mkdir -p infra && printf 'a = 1\\n' > infra/main.tf && "
                 "chmod 755 infra/main.tf && git add -A && git commit -qm first && "
                 "printf '#!/bin/sh\\ntouch ran\\n' > .git/hooks/reference-transaction && "
                 "chmod 755 .git/hooks/reference-transaction");
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

static bool commit(struct arena *arena, const struct fixture *f, const char *name,
                   const char *before, struct err *err)
{
    struct str hash;
    struct branch_file file[] = {
        {.path = arena_printf(arena, "%s/infra/main.tf", f->dir),
         .before = str_from(before),
         .after = STR("a = 2\n")},
        {.path = arena_printf(arena, "%s/infra/new file.tf", f->dir), .after = STR("b = 1\n")},
    };
    return branch_commit(arena, arena_printf(arena, "%s/infra", f->dir), str_from(name),
                         STR("infra: a is 2\n\nAs it is live.\n"), file, 2, &hash, err);
}

static void a_branch_holds_the_edit_alone(void **state)
{
    const struct fixture *f = *state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct err err = {0};
    assert_int_equal(shell(f, "echo other > other && git add other && echo x > untracked"), 0);
    assert_true(commit(&arena, f, "adopt/a", "a = 1\n", &err));
    assert_int_equal(
        shell(f, "test \"$(git diff --name-status main adopt/a)\" = \"$(printf "
                 "'M\\tinfra/main.tf\\nA\\tinfra/new file.tf')\" && "
                 "test \"$(git show adopt/a:infra/main.tf)\" = 'a = 2' && "
                 "git ls-tree adopt/a infra/main.tf | grep -q ^100755 && "
                 "test \"$(git log -1 --format=%s%an adopt/a)\" = 'infra: a is 2Ann Example' && "
                 "test \"$(cat infra/main.tf)\" = 'a = 1' && "
                 "test \"$(git rev-parse --abbrev-ref HEAD)\" = main && "
                 "test \"$(git status --porcelain)\" = \"$(printf 'A  other\\n?? untracked')\" && "
                 "test ! -e ran"),
        0);
}

static const struct {
    const char *says, *name, *before;
    enum err_kind kind;
} refused[] = {
    {"a branch that exists", "main", "a = 1\n", ERR_CONFLICT},
    {"no name of a branch", "a..b", "a = 1\n", ERR_USAGE},
    {"an option", "-d", "a = 1\n", ERR_USAGE},
    {"a file with other changes", "fresh", "a = 7\n", ERR_CONFLICT},
};

static void what_would_mix_is_refused(void **state)
{
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA arena = {.limit = 1 << 24};
        struct err err = {0};
        print_message("  %s\n", refused[i].says);
        assert_false(commit(&arena, f, refused[i].name, refused[i].before, &err));
        assert_int_equal(err.kind, refused[i].kind);
    }
    assert_int_not_equal(shell(f, "git rev-parse -q --verify refs/heads/fresh"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_holds_the_edit_alone),
        cmocka_unit_test(what_would_mix_is_refused),
    };
    return cmocka_run_group_tests_name("respond/branch", tests, setup, teardown);
}
