/* test_watch.c - what people and programs do with files, and what is told of it: real inotify. */
#include "base/test.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/watch.h"

enum { TARGETS = 6 };
enum { CODE, STATE, LINKED, MANAGED, PACK, CONFIG_MAP };
struct world {
    char dir[40], path[TARGETS][100];
    struct watch *watch;
    unsigned seen[TARGETS];
};

static bool is_code(struct str name)
{
    return str_ends(name, STR(".tf")) || str_ends(name, STR(".tfvars"));
}

static void sh(const struct world *w, const char *script)
{
    char command[4000];
    (void)snprintf(command, sizeof command, "cd %s && { %s; } > /dev/null 2>&1", w->dir, script);
    assert_int_equal(system(command), 0);
}

static void open_watch(struct world *w, const struct watch_options *options)
{
    static const char *const names[] = {
        "code", "terraform.tfstate", "linked/x.tf", "etc/motd", "pack", "map"};
    static const enum watch_kind kinds[] = {WATCH_FOLDER, WATCH_FILE, WATCH_FILE,
                                            WATCH_FILE,   WATCH_TREE, WATCH_FOLDER};
    struct watch_target target[TARGETS];
    for (size_t i = 0; i < TARGETS; i++) {
        (void)snprintf(w->path[i], sizeof w->path[i], "%s/%s", w->dir, names[i]);
        target[i] = (struct watch_target){.kind = kinds[i],
                                          .path = str_from(w->path[i]),
                                          .wanted = kinds[i] == WATCH_FOLDER ? is_code : NULL};
    }
    watch_close(w->watch);
    assert_true(watch_open(options, &w->watch, NULL));
    assert_true(watch_set(w->watch, target, TARGETS, NULL));
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    (void)strcpy(w->dir, "/tmp/plumb-watch-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    sh(w, "mkdir -p code real pack/lib etc map/..1; echo a > code/main.tf; echo a > real/x.tf; "
          "ln -s real linked; echo a > etc/motd; echo a > pack/lib/p.rego; echo {} > "
          "terraform.tfstate; echo a > map/..1/m.tf; ln -s ..1 map/..data; ln -s ..data/m.tf "
          "map/m.tf");
    open_watch(w, &(struct watch_options){.quiet_ms = 30, .longest_ms = 300});
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    watch_close(w->watch);
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
    (void)!system(command);
    free(w);
    return 0;
}

static void changed(void *ctx, size_t target)
{
    struct world *w = ctx;
    w->seen[target]++;
}

enum { PATIENCE_MS = 120000 }; /* for what must be told */

/* Bits of the targets that changed within that time; returns as soon as there is one. */
static unsigned wait_ms(struct world *w, int ms)
{
    unsigned bits = 0;
    int64_t end = clock_monotonic_ms() + ms;
    memset(w->seen, 0, sizeof w->seen);
    while (!bits && clock_monotonic_ms() < end) {
        assert_true(watch_wait(w->watch, -1, (int)(end - clock_monotonic_ms()), changed, w, NULL));
        for (size_t i = 0; i < TARGETS; i++)
            bits |= w->seen[i] ? 1u << i : 0;
    }
    return bits;
}

static const struct {
    const char *what, *script;
    unsigned told; /* bits of targets; 0 = nothing */
} habits[] = {
#define CODE_BIT (1u << CODE)
    {"shell: truncate and write", "echo bb > code/main.tf", CODE_BIT},
    {"the same size", "echo cc > code/main.tf", CODE_BIT},
    {"append", "echo more >> code/main.tf", CODE_BIT},
    {"vim: probe 4913, backup by rename, new file, backup gone",
     "cd code; touch .main.tf.swp; touch 4913; rm 4913; mv main.tf main.tf~; echo v > main.tf; rm "
     "main.tf~; rm .main.tf.swp",
     CODE_BIT},
    {"vim with backupcopy=yes: copy, then write in place",
     "cd code; cp main.tf main.tf~; echo w > main.tf; rm main.tf~", CODE_BIT},
    {"only a swap file", "touch code/.main.tf.swp; echo x >> code/.main.tf.swp", 0},
    {"only a backup", "cp code/main.tf code/main.tf~", 0},
    {"emacs: lock link, auto save, backup by rename, new file",
     "cd code; ln -s me@host.1 .#main.tf; echo a > '#main.tf#'; mv main.tf main.tf~; echo e > "
     "main.tf; rm -f '#main.tf#' .#main.tf",
     CODE_BIT},
    {"an editor's temporary file, then rename over",
     "cd code; echo vs > main.tf.tmp123; mv main.tf.tmp123 main.tf", CODE_BIT},
    {"sed -i", "sed -i s/v/w/ code/main.tf", CODE_BIT},
    {"a new file", "echo n > code/new.tf", CODE_BIT},
    {"a file that nobody asks for", "echo n > code/README.md", 0},
    {"a file goes", "rm code/new.tf", CODE_BIT},
    {"renamed away and back again", "mv code/main.tf code/x; mv code/x code/main.tf", CODE_BIT},
    {"read", "cat code/main.tf", 0},
    {"the folder is replaced", "mkdir c2; echo z > c2/main.tf; mv code c3; mv c2 code", CODE_BIT},
    {"and is still heard of", "echo y > code/main.tf", CODE_BIT},
    {"the folder goes", "rm -r code", CODE_BIT},
    {"and comes", "mkdir code", CODE_BIT},
    {"with a file", "echo 1 > code/main.tf", CODE_BIT},
    {"chmod", "chmod 600 etc/motd", 1u << MANAGED},
    {"a managed file goes", "rm etc/motd", 1u << MANAGED},
    {"and comes by way of a new folder", "rm -r etc; mkdir etc; echo a > etc/motd", 1u << MANAGED},
    {"a state, atomically", "echo '{}2' > s.tmp; mv s.tmp terraform.tfstate", 1u << STATE},
    {"a neighbour of the state", "echo lock > .terraform.tfstate.lock.info", 0},
    {"behind a link", "echo b > real/x.tf", 1u << LINKED},
    {"the link is swapped", "mkdir real2; echo b > real2/x.tf; ln -sfn real2 linked", 1u << LINKED},
    {"behind the new link", "echo c > real2/x.tf", 1u << LINKED},
    {"behind the old one", "echo c > real/x.tf", 0},
    {"deep in a pack", "echo b > pack/lib/p.rego", 1u << PACK},
    {"a new folder of a pack", "mkdir -p pack/more/deep; echo b > pack/more/deep/q.rego",
     1u << PACK},
    {"in the new folder", "echo c > pack/more/deep/q.rego", 1u << PACK},
    {"a ConfigMap is swapped",
     "cd map; mkdir ..2; echo b > ..2/m.tf; ln -s ..2 ..data_tmp; mv -T ..data_tmp ..data; rm -r "
     "..1",
     1u << CONFIG_MAP},
    {"and again",
     "cd map; mkdir ..3; echo b > ..3/m.tf; ln -s ..3 ..data_tmp; mv -T ..data_tmp ..data; rm -r "
     "..2",
     1u << CONFIG_MAP},
};

static void each_habit(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < sizeof habits / sizeof *habits; i++) {
        sh(w, habits[i].script);
        unsigned told = wait_ms(w, habits[i].told ? PATIENCE_MS : 200);
        if (told != habits[i].told)
            fail_msg("%s: told %x, not %x", habits[i].what, told, habits[i].told);
        told = wait_ms(w, 80); /* once, and no more */
        if (told)
            fail_msg("%s: told again: %x", habits[i].what, told);
    }
}

/* Many at once are one. */
static void a_burst_is_told_once(void **state)
{
    struct world *w = *state;
    sh(w, "for i in $(seq 200); do echo $i > code/f$i.tf; done");
    assert_int_equal(wait_ms(w, PATIENCE_MS), CODE_BIT);
    assert_int_equal(w->seen[CODE], 1);
    assert_int_equal(wait_ms(w, 100), 0);
}

/* Who never stops writing is heard of all the same. */
static void steady_writing(void **state)
{
    struct world *w = *state;
    sh(w, "(until [ -e stop ]; do echo x > code/main.tf; sleep 0.01; done; touch stopped) & true");
    assert_int_equal(wait_ms(w, PATIENCE_MS), CODE_BIT);
    sh(w, "touch stop; until [ -e stopped ]; do sleep 0.01; done");
}

/* More events than the queue holds: everything is looked at. */
static void an_overflow_is_mended(void **state)
{
    struct world *w = *state;
    struct watch_tally tally;
    char name[2][100];
    (void)snprintf(name[0], sizeof name[0], "%s/code/a", w->dir);
    (void)snprintf(name[1], sizeof name[1], "%s/code/b", w->dir);
    int fd = open(name[0], O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < 40000; i++)
        assert_int_equal(rename(name[i % 2], name[1 - i % 2]), 0);
    sh(w, "echo behind the overflow > etc/motd");
    unsigned told = wait_ms(w, PATIENCE_MS);
    watch_tally(w->watch, &tally);
    if (tally.overflows == 0) /* a system with a longer queue */
        print_message("   no overflow of 80000 events\n");
    assert_int_equal(told, 1u << MANAGED);
    sh(w, "echo later > etc/motd");
    assert_int_equal(wait_ms(w, PATIENCE_MS), 1u << MANAGED);
}

static void too_few_watches(void **state)
{
    struct world *w = *state;
    open_watch(w, &(struct watch_options){.most = 3, .slow_ms = 100});
    assert_true(watch_trouble(w->watch).len > 0);
    sh(w, "echo seen all the same > pack/lib/p.rego");
    assert_int_equal(wait_ms(w, PATIENCE_MS), 1u << PACK);
    assert_true(watch_trouble(w->watch).len > 0);
}

/* What changed while the list was made anew is told; what is new is what it is. */
static void another_list(void **state)
{
    struct world *w = *state;
    struct watch_target target[2] = {
        {.kind = WATCH_FILE, .path = str_from(w->path[STATE])},
        {.kind = WATCH_FILE, .path = str_from(w->path[MANAGED])},
    };
    sh(w, "echo 3 > etc/motd");
    assert_true(watch_set(w->watch, target, 2, NULL));
    assert_int_equal(wait_ms(w, PATIENCE_MS), 2);
    sh(w, "echo 4 > code/main.tf");
    assert_int_equal(wait_ms(w, 200), 0);
    sh(w, "echo 4 > terraform.tfstate");
    assert_int_equal(wait_ms(w, PATIENCE_MS), 1);
}

enum { NO_MOUNTS = 77, ANOTHER_ANSWER = 1 };

static bool say(const char *path, unsigned id)
{
    FILE *file = fopen(path, "we");
    bool ok = file && (id == UINT_MAX ? fputs("deny", file) : fprintf(file, "0 %u 1", id)) > 0;
    return file && fclose(file) == 0 && ok;
}

static bool may_mount(void)
{
    unsigned user = getuid(), group = getgid();
    bool ok = unshare(CLONE_NEWNS) == 0 ||
              (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && say("/proc/self/uid_map", user) &&
               say("/proc/self/setgroups", UINT_MAX) && say("/proc/self/gid_map", group));
    return ok && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* In a process of its own, which may mount. Nothing looks at everything within the time. */
static int mounts_in_child(struct world *w)
{
    char file[200];
    if (!may_mount())
        return NO_MOUNTS;
    open_watch(w, &(struct watch_options){
                      .quiet_ms = 30, .longest_ms = 300, .seldom_ms = 2 * PATIENCE_MS});
    if (wait_ms(w, 200) != 0)
        return ANOTHER_ANSWER;
    if (mount("none", w->path[CODE], "tmpfs", 0, NULL) != 0)
        return NO_MOUNTS;
    if (wait_ms(w, PATIENCE_MS) != CODE_BIT)
        return ANOTHER_ANSWER;
    (void)snprintf(file, sizeof file, "%s/mounted.tf", w->path[CODE]);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    if (fd < 0 || wait_ms(w, PATIENCE_MS) != CODE_BIT)
        return ANOTHER_ANSWER;
    if (umount(w->path[CODE]) != 0 || wait_ms(w, PATIENCE_MS) != CODE_BIT)
        return ANOTHER_ANSWER;
    return 0;
}

static void a_mount_over_a_folder(void **state)
{
    struct world *w = *state;
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(mounts_in_child(w));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_MOUNTS)
        skip(); /* nobody may mount here */
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        EACH(each_habit),
        EACH(a_burst_is_told_once),
        EACH(steady_writing),
        EACH(an_overflow_is_mended),
        EACH(too_few_watches),
        EACH(another_list),
        EACH(a_mount_over_a_folder),
    };
    return cmocka_run_group_tests_name("base/watch", tests, NULL, NULL);
}
