/* test_git_clone.c - clones of real repositories, made here: what is pushed arrives, and nothing
 * else is touched. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/git_clone.h"

struct world {
    char dir[64];
    struct arena arena;
    struct git_clone clone;
    struct str head;
    bool moved;
};

static void shell(const struct world *w, const char *script)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str all = arena_printf(
        &arena,
        "set -eu; unset GIT_DIR; export HOME='%s' GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A "
        "GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=B GIT_COMMITTER_EMAIL=b@c; cd '%s/seed';\n%s",
        w->dir, w->dir, script);
    assert_int_equal(system(all.ptr), 0);
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)strcpy(w->dir, "/tmp/plumb-clone-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->arena.limit = 64 << 20;
    (void)setenv("HOME", w->dir, 1);
    (void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    AUTO_ARENA arena = {.limit = 1 << 16};
    assert_true(io_make_dirs(arena_printf(&arena, "%s/seed", w->dir).ptr, 0700, NULL));
    shell(w, "git init -q -b main --bare ../origin.git; git init -q -b main .; mkdir -p infra/a; "
             "echo 1 > infra/a/main.tf; git add -A; git commit -qm one; git remote add origin "
             "../origin.git; git push -qu origin main");
    w->clone = (struct git_clone){
        .url = arena_printf(&w->arena, "file://%s/origin.git", w->dir),
        .branch = STR_INIT("main"),
        .folder = arena_printf(&w->arena, "%s/data/clone", w->dir),
    };
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
    (void)!system(command);
    arena_free(&w->arena);
    free(w);
    return 0;
}

static void sync_it(struct world *w)
{
    struct err err = {0};
    char text[2000];
    if (!git_clone_sync(&w->arena, &w->clone, &w->head, &w->moved, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    assert_int_equal(w->head.len, 40);
}

static struct str content(struct world *w, const char *name)
{
    struct str text = {0};
    struct str path = arena_printf(&w->arena, "%.*s/%s", STR_ARG(w->clone.folder), name);
    (void)io_read_file(&w->arena, path.ptr, 1000, &text, NULL);
    return str_trim(text);
}

static void what_is_pushed_arrives(void **state)
{
    struct world *w = *state;
    struct str head = {0};
    assert_true(git_clone_head(&w->arena, &w->clone, &head, NULL));
    assert_int_equal(head.len, 0);
    sync_it(w);
    assert_true(w->moved);
    assert_true(git_clone_head(&w->arena, &w->clone, &head, NULL));
    assert_true(str_equal(head, w->head));
    sync_it(w);
    assert_false(w->moved);
    shell(w, "echo 2 > infra/a/main.tf; git commit -qam two; git push -q");
    sync_it(w);
    assert_true(w->moved);
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("2")));
    shell(w, "git rm -q infra/a/main.tf; echo 3 > b.tf; git add b.tf; git commit -qm three; git "
             "push -q");
    sync_it(w);
    assert_int_equal(content(w, "infra/a/main.tf").len, 0);
    assert_true(str_equal(content(w, "b.tf"), STR("3")));
}

struct watching {
    struct world *w;
    char files[2][100]; /* of the clone, when it was told */
    struct str head[2];
    size_t n;
    bool refuse;
};

static bool on_fetched(void *ctx, struct str head, struct err *err)
{
    struct watching *in = ctx;
    struct str now = content(in->w, "infra/a/main.tf");
    (void)snprintf(in->files[in->n], sizeof in->files[0], "%.*s", STR_ARG(now));
    in->head[in->n++] = arena_dup(&in->w->arena, head);
    return !in->refuse || err_set(err, ERR_CONFLICT, "not now");
}

/* Whoever reads the files is told of the commit before the first of them is another. */
static void what_was_fetched_is_told_before_files_change(void **state)
{
    struct world *w = *state;
    struct watching in = {.w = w};
    struct err err = {0};
    w->clone.fetched = on_fetched;
    w->clone.ctx = &in;
    sync_it(w);
    assert_int_equal(in.n, 1);
    assert_string_equal(in.files[0], "");
    assert_true(str_equal(in.head[0], w->head));
    shell(w, "echo 2 > infra/a/main.tf; git commit -qam two; git push -q");
    in.refuse = true;
    assert_false(git_clone_sync(&w->arena, &w->clone, &w->head, &w->moved, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_string_equal(in.files[1], "1");
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("1")));
    in.refuse = false;
    in.n = 1;
    sync_it(w);
    assert_true(w->moved && str_equal(in.head[1], w->head));
    assert_string_equal(in.files[1], "1");
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("2")));
}

static void history_may_be_written_anew(void **state)
{
    struct world *w = *state;
    sync_it(w);
    shell(w, "echo x > infra/a/main.tf; git commit -qa --amend -m other; git push -qf");
    sync_it(w);
    assert_true(w->moved);
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("x")));
}

/* A kill in the middle of a reset, a hand in the clone, a clone that is none. */
static void what_is_broken_is_mended(void **state)
{
    struct world *w = *state;
    sync_it(w);
    shell(w, "touch ../data/clone/.git/index.lock; echo hand > ../data/clone/infra/a/main.tf");
    sync_it(w);
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("1")));
    shell(w, "rm ../data/clone/.git/HEAD");
    sync_it(w);
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("1")));
}

static void hooks_do_not_run(void **state)
{
    struct world *w = *state;
    sync_it(w);
    shell(w,
          "mkdir -p ../data/clone/.git/hooks; for h in post-checkout post-merge "
          "reference-transaction post-rewrite; do printf '#!/bin/sh\\ntouch %s\\n' \"$HOME/ran\" > "
          "../data/clone/.git/hooks/$h; chmod +x ../data/clone/.git/hooks/$h; done; echo 4 > "
          "infra/a/main.tf; git commit -qam four; git push -q");
    sync_it(w);
    assert_true(str_equal(content(w, "infra/a/main.tf"), STR("4")));
    assert_false(io_exists(arena_printf(&w->arena, "%s/ran", w->dir).ptr));
}

static void trouble_is_told(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"-u/x", "ext::sh -c touch% /tmp/x", "", "a\nb"};
    struct err err = {0};
    char text[2000];
    struct git_clone clone = w->clone;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clone.url = str_from(bad[i]);
        assert_false(git_clone_sync(&w->arena, &clone, &w->head, &w->moved, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        clone.url = w->clone.url;
        clone.branch = str_from(i == 1 ? "a:b" : bad[i]);
        assert_false(git_clone_sync(&w->arena, &clone, &w->head, &w->moved, &err));
        clone.branch = w->clone.branch;
    }
    clone.branch = STR("gone");
    assert_false(git_clone_sync(&w->arena, &clone, &w->head, &w->moved, &err));
    assert_non_null(strstr(err_text(&err, text, sizeof text), "gone"));
    clone.branch = w->clone.branch;
    clone.url = STR("https://user:geheim@127.0.0.1:1/x.git");
    assert_false(git_clone_sync(&w->arena, &clone, &w->head, &w->moved, &err));
    assert_null(strstr(err_text(&err, text, sizeof text), "geheim"));
    assert_int_equal(err.kind, ERR_REMOTE);
}

/* The remote and the branch of where plumb.yaml is; and what git does not have there. */
static void a_clone_of_here(void **state)
{
    struct world *w = *state;
    struct git_origin origin;
    struct err err = {0};
    shell(w, "mkdir -p infra/a/.terraform; echo s > infra/a/terraform.tfstate; echo n > "
             "infra/a/new.tf; echo v > infra/a/x.tfvars; echo v > infra/a/terraform.tfvars");
    struct str here = arena_printf(&w->arena, "%s/seed/infra", w->dir);
    assert_true(git_origin_of(&w->arena, here, &origin, &err));
    assert_true(str_equal(origin.below, STR("infra")));
    assert_true(str_equal(origin.branch, STR("main")));
    assert_true(str_ends(origin.url, STR("/seed/../origin.git")));
    sync_it(w);
    assert_true(git_clone_link(&w->arena, &w->clone, origin.root, &err));
    assert_true(git_clone_link(&w->arena, &w->clone, origin.root, &err)); /* again: no harm */
    assert_true(str_equal(content(w, "infra/a/terraform.tfstate"), STR("s")));
    assert_true(str_equal(content(w, "infra/a/terraform.tfvars"), STR("v")));
    assert_int_equal(content(w, "infra/a/new.tf").len, 0); /* code that is not in the branch */
    shell(w, "echo 5 > infra/a/main.tf; git commit -qam five; git push -q");
    sync_it(w);
    assert_true(str_equal(content(w, "infra/a/terraform.tfstate"), STR("s")));
    assert_false(git_origin_of(&w->arena, str_from("/"), &origin, &err));
    assert_true(str_equal(git_shown_url(&w->arena, STR("https://u:p@h/x")), STR("https://h/x")));
    assert_true(str_equal(git_shown_url(&w->arena, STR("https://h/x@y")), STR("https://h/x@y")));
}

static void one_repository_has_many_names(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {
        {"https://github.com/acme/infra.git", "git@github.com:acme/infra.git", true},
        {"https://token@GitHub.com/acme/infra", "ssh://git@github.com:22/acme/infra/", true},
        {"https://git.example.com:8443/g/p", "git@git.example.com:g/p.git", true},
        {"file:///srv/git/a.git", "file:///srv/git/a", true},
        {"https://github.com/acme/infra", "https://github.com/acme/infra2", false},
        {"https://github.com/acme/infra", "https://example.com/acme/infra", false},
        {"https://github.com/acme/infra", "https://github.com/ACME/infra", false},
        {"", "", false},
        {"https://", "x", false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (git_same_repository(str_from(pairs[i].a), str_from(pairs[i].b)) != pairs[i].same)
            fail_msg("%s and %s", pairs[i].a, pairs[i].b);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_repository_has_many_names),
        EACH(what_is_pushed_arrives),
        EACH(history_may_be_written_anew),
        EACH(what_is_broken_is_mended),
        EACH(hooks_do_not_run),
        EACH(trouble_is_told),
        EACH(a_clone_of_here),
        EACH(what_was_fetched_is_told_before_files_change),
    };
    if (system("git --version > /dev/null 2>&1") != 0) {
        print_message("skipped: there is no git\n");
        return getenv("CI") && strcmp(getenv("CI"), "true") == 0;
    }
    return cmocka_run_group_tests_name("desired/git_clone", tests, NULL, NULL);
}
