/* test_warm.c - providers that stay between scans: whole reads by tests/provider/fake_provider.py
 * (python3-grpcio; without it one line says that this is skipped). */
#include "base/test.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "live/reader.h"
#include "live/warm.h"
#include "model/resource.h"
#include "model/stack.h"
#include "wire/json.h"
#include "wire/protobuf.h"

#define FAKE STR_INIT("example.com/acme/fake")

struct world {
    char dir[40];
    struct arena arena;
    struct stack stack;
    struct reader_options options;
    struct warm *warm;
};

static const char *path_of(struct world *w, const char *name)
{
    return arena_printf(&w->arena, "%s/%s", w->dir, name).ptr;
}

static void write_text(struct world *w, const char *name, struct str text, unsigned mode)
{
    assert_true(io_write_file_atomic(path_of(w, name), text, mode, NULL));
}

static void put_attribute(struct buf *out, const char *name)
{
    size_t at = pb_open(out, 2);
    pb_put_bytes(out, 1, str_from(name));
    pb_put_bytes(out, 2, STR("\"string\""));
    pb_put_bool(out, 5, true);
    pb_close(out, at);
}

static void put_block(struct buf *out, unsigned number, bool resource)
{
    size_t schema = pb_open(out, number);
    size_t block = pb_open(out, 2);
    put_attribute(out, resource ? "value" : "region");
    if (resource)
        put_attribute(out, "id");
    pb_close(out, block);
    pb_close(out, schema);
}

static void write_schema(struct world *w)
{
    AUTO_BUF out = {.limit = 10000};
    put_block(&out, 1, false);
    size_t entry = pb_open(&out, 2);
    pb_put_bytes(&out, 1, STR("fake_thing"));
    put_block(&out, 2, true);
    pb_close(&out, entry);
    write_text(w, "schema", buf_view(&out), 0644);
}

static void set_live(struct world *w, const char *word)
{
    if (*word)
        write_text(w, "live", str_from(word), 0644);
    else
        (void)unlink(path_of(w, "live"));
}

static void open_warm(struct world *w, const struct warm_options *options)
{
    warm_close(w->warm);
    assert_true(warm_open(options, &w->warm, NULL));
    w->options.warm = w->warm;
}

static int open_world(void **state)
{
    const char *root = getenv("PLUMB_ROOT") ? getenv("PLUMB_ROOT") : ".";
    struct world *w = calloc(1, sizeof *w);
    char cwd[1000] = "";
    assert_non_null(w);
    if (root[0] != '/')
        assert_non_null(getcwd(cwd, sizeof cwd));
    w->arena.limit = 16 << 20;
    (void)strcpy(w->dir, "/tmp/plumb-warm-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    write_text(w, "terraform-provider-fake",
               arena_printf(&w->arena, "#!/bin/sh\nexec %s%s%s/tests/provider/fake_provider.py\n",
                            cwd, cwd[0] ? "/" : "", root),
               0755);
    write_text(w, "rc",
               arena_printf(&w->arena,
                            "provider_installation {\n  dev_overrides {\n"
                            "    \"example.com/acme/fake\" = \"%s\"\n  }\n}\n",
                            w->dir),
               0644);
    write_schema(w);
    (void)setenv("TF_CLI_CONFIG_FILE", path_of(w, "rc"), 1);
    (void)setenv("FAKE_SCHEMA", path_of(w, "schema"), 1);
    (void)setenv("FAKE_LIVE", path_of(w, "live"), 1);
    (void)setenv("FAKE_PROTOCOL", "6", 1);
    (void)setenv("FAKE_START", "", 1);
    w->stack.path = str_from(w->dir);
    w->options.no_probe = true;
    w->options.cache_dir = str_from(path_of(w, "cache"));
    open_warm(w, &(struct warm_options){0});
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    warm_close(w->warm);
    char command[100];
    (void)snprintf(command, sizeof command, "rm -rf %s", w->dir);
    (void)!system(command);
    arena_free(&w->arena);
    free(w);
    return 0;
}

/* --- what is seen --- */

struct seen {
    size_t n[3];
    char reason[200];
};

static bool see(void *ctx, const struct live_result *result, struct err *err)
{
    (void)err;
    struct seen *seen = ctx;
    seen->n[result->status]++;
    if (result->status == LIVE_UNREADABLE)
        (void)snprintf(seen->reason, sizeof seen->reason, "%.*s", STR_ARG(result->reason));
    return true;
}

enum { THINGS = 3 };

static struct seen scan_with(const struct world *w, struct str attributes)
{
    struct resource thing[THINGS];
    const struct resource *list[THINGS];
    struct seen seen = {0};
    struct err err = {0};
    for (size_t i = 0; i < THINGS; i++) {
        thing[i] =
            (struct resource){.address = STR_INIT("fake_thing.a"),
                              .mode = RESOURCE_MANAGED,
                              .type = STR_INIT("fake_thing"),
                              .provider = FAKE,
                              .provider_config = STR_INIT("provider[\"example.com/acme/fake\"]"),
                              .attributes_json = attributes};
        list[i] = &thing[i];
    }
    const struct reader *reader = reader_find(STR("provider"));
    if (!reader->read(&w->stack, list, THINGS, &w->options, see, &seen, &err))
        fail_msg("%s", err.frame[0]);
    return seen;
}

static struct seen scan(const struct world *w)
{
    return scan_with(w, STR("{\"id\":\"a\",\"value\":\"v\"}"));
}

static void assert_all(const struct world *w, enum live_status status)
{
    struct seen seen = scan(w);
    if (seen.n[status] != THINGS)
        fail_msg("%zu unreadable %zu gone %zu read: %s", seen.n[0], seen.n[1], seen.n[2],
                 seen.reason);
}

static struct warm_tally tally(const struct world *w)
{
    struct warm_tally got;
    warm_tally(w->warm, &got);
    assert_int_equal(got.busy, 0);
    return got;
}

/* Our children that are providers: python3 with the fake. */
static size_t children(pid_t *ret_one)
{
    size_t n = 0;
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[300], stat[300] = "";
        int parent = 0;
        char is = 0;
        (void)snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        FILE *file = entry->d_name[0] > '0' && entry->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        if (!file)
            continue;
        size_t len = fread(stat, 1, sizeof stat - 1, file);
        (void)fclose(file);
        stat[len] = '\0';
        const char *behind = strrchr(stat, ')');
        if (!behind || sscanf(behind, ") %c %d", &is, &parent) != 2 || parent != getpid() ||
            is == 'Z')
            continue;
        n++;
        if (ret_one)
            *ret_one = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    (void)closedir(proc);
    return n;
}

/* A child that answers nothing any more: until its last thread stands the others may answer. */
static void halt(pid_t pid)
{
    siginfo_t stopped = {0};
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &stopped, WSTOPPED), 0);
    assert_int_equal(stopped.si_code, CLD_STOPPED);
}

/* --- */

static void used_again(struct world *w)
{
    assert_all(w, LIVE_READ);
    assert_int_equal(tally(w).waiting, 1);
    assert_int_equal(tally(w).schemas, 1);
    assert_true(tally(w).memory > 1 << 20);
    pid_t before = 0, after = 0;
    assert_int_equal(children(&before), 1);
    int64_t start = clock_monotonic_ms();
    for (int i = 0; i < 20; i++)
        assert_all(w, LIVE_READ);
    print_message("   20 warm reads of %d instances: %d ms\n", THINGS,
                  (int)(clock_monotonic_ms() - start));
    assert_int_equal(children(&after), 1);
    assert_int_equal(before, after);
    assert_int_equal(tally(w).started, 1);
    assert_int_equal(tally(w).reused, 20);
    warm_drop(w->warm);
    assert_int_equal(tally(w).schemas, 0);
    warm_close(w->warm);
    w->warm = NULL;
    assert_int_equal(children(NULL), 0);
}

static void test_used_again(void **state)
{
    used_again(*state);
}

static void test_protocol_5(void **state)
{
    (void)setenv("FAKE_PROTOCOL", "5", 1);
    used_again(*state);
}

static void test_died_while_it_waited(void **state)
{
    struct world *w = *state;
    pid_t pid = 0;
    assert_all(w, LIVE_READ);
    assert_int_equal(children(&pid), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_all(w, LIVE_READ); /* perhaps before anybody heard of it */
    assert_int_equal(tally(w).waiting, 1);
    assert_int_equal(children(&pid), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 15000 && tally(w).waiting; i++)
        (void)usleep(20000);
    assert_int_equal(tally(w).waiting, 0);
    assert_all(w, LIVE_READ);
    assert_int_equal(tally(w).started, 3);
}

/* It answers nothing any more: the health check says so, and a new one is asked. */
static void test_stands_still(void **state)
{
    struct world *w = *state;
    pid_t pid = 0;
    assert_all(w, LIVE_READ);
    assert_int_equal(children(&pid), 1);
    halt(pid);
    assert_all(w, LIVE_READ);
    assert_int_equal(tally(w).started, 2);
    assert_int_equal(children(NULL), 1);
}

/* What an old process says of failures and of what is gone is asked of a new one. */
static void test_old_is_not_believed(void **state)
{
    struct world *w = *state;
    static const char *const words[] = {"old deny", "old gone", "old crash"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        set_live(w, "");
        assert_all(w, LIVE_READ);
        uint64_t started = tally(w).started;
        (void)usleep(20000);
        set_live(w, words[i]);
        assert_all(w, LIVE_READ);
        assert_int_equal(tally(w).started, started + 1);
        assert_int_equal(tally(w).waiting, 1);
    }
    set_live(w, "gone");
    assert_all(w, LIVE_GONE);
    set_live(w, "deny");
    assert_all(w, LIVE_UNREADABLE);
    set_live(w, "");
    assert_all(w, LIVE_READ);
}

static void test_outdated(void **state)
{
    struct world *w = *state;
    assert_all(w, LIVE_READ);
    (void)setenv("OTHER_ENVIRONMENT", "1", 1);
    assert_all(w, LIVE_READ);
    assert_int_equal(tally(w).started, 2);
    for (int i = 0; i < 15000 && children(NULL) > 1; i++)
        (void)usleep(20000);
    assert_int_equal(children(NULL), 1); /* the one before ended */
    (void)unsetenv("OTHER_ENVIRONMENT");
    struct str text;
    assert_true(io_read_file(&w->arena, path_of(w, "terraform-provider-fake"), 10000, &text, NULL));
    write_text(w, "terraform-provider-fake",
               arena_printf(&w->arena, "%.*s# another binary\n", STR_ARG(text)), 0755);
    assert_all(w, LIVE_READ);
    assert_int_equal(tally(w).started, 3);
    assert_int_equal(tally(w).reused, 0);
}

static void test_bounds(void **state)
{
    struct world *w = *state;
    open_warm(w, &(struct warm_options){.most_memory = 1 << 20, .most_schemas = 1});
    assert_all(w, LIVE_READ);
    assert_int_equal(tally(w).waiting, 0); /* it is larger */
    assert_int_equal(tally(w).schemas, 0);
    open_warm(w, &(struct warm_options){.idle_ms = 1});
    assert_all(w, LIVE_READ);
    for (int i = 0; i < 15000 && (tally(w).waiting || tally(w).schemas); i++)
        (void)usleep(20000);
    assert_int_equal(tally(w).waiting, 0);
    assert_int_equal(tally(w).schemas, 0);
}

static void test_worn(void **state)
{
    struct world *w = *state;
    open_warm(w, &(struct warm_options){.most_calls = 2 * THINGS + 1}); /* of some scans */
    for (int i = 0; i < 6; i++)
        assert_all(w, LIVE_READ);
    assert_in_range(tally(w).started, 2, 5);
    assert_int_equal(tally(w).started + tally(w).reused, 6);
    assert_true(tally(w).ended >= tally(w).started - 1);
}

/* --- stacks that have a provider in common --- */

/* The next scans are of the stack in that folder, which has code in it. */
static void enter(struct world *w, const char *name)
{
    assert_true(io_make_dirs(path_of(w, name), 0755, NULL));
    write_text(w, arena_printf(&w->arena, "%s/main.tf", name).ptr, STR(""), 0644);
    w->stack.path = str_from(path_of(w, name));
}

static void assert_in(struct world *w, const char *name, enum live_status status)
{
    enter(w, name);
    assert_all(w, status);
}

/* The schema is known from here on; nothing waits. */
static void open_common(struct world *w, struct warm_options options)
{
    assert_all(w, LIVE_READ);
    options.most = options.most ? options.most : 50;
    open_warm(w, &options);
}

static void assert_counts(const struct world *w, uint64_t started, uint64_t reused)
{
    struct warm_tally got = tally(w);
    if (got.started != started || got.reused != reused)
        fail_msg("%d started %d reused", (int)got.started, (int)got.reused);
}

/* Where the only child runs. */
static struct str where(struct world *w)
{
    char link[PATH_MAX];
    pid_t pid = 0;
    assert_int_equal(children(&pid), 1);
    ssize_t n = readlink(arena_printf(&w->arena, "/proc/%d/cwd", (int)pid).ptr, link, sizeof link);
    assert_true(n > 0 && n < PATH_MAX);
    return arena_dup(&w->arena, (struct str){link, (size_t)n});
}

static void test_shared(void **state)
{
    struct world *w = *state;
    struct str *names;
    size_t n = 1;
    open_common(w, (struct warm_options){0});
    for (int i = 0; i < 4; i++) {
        assert_in(w, "a", LIVE_READ);
        assert_in(w, "b", LIVE_READ);
    }
    assert_counts(w, 1, 7);
    struct str there = where(w);
    assert_true(str_ends(there, STR("/nowhere")));
    assert_true(io_list_dir(&w->arena, there.ptr, 10, &names, &n, NULL));
    assert_int_equal(n, 0);
    (void)setenv("OTHER_ENVIRONMENT", "1", 1);
    assert_in(w, "b", LIVE_READ);
    assert_counts(w, 2, 7);
    (void)unsetenv("OTHER_ENVIRONMENT");
    assert_in(w, "a", LIVE_READ); /* what is anybody's did not end */
    assert_counts(w, 2, 8);
    write_text(w, "a/.terraform.lock.hcl", STR("provider \"example.com/acme/other\" {}\n"), 0644);
    assert_in(w, "a", LIVE_READ);
    assert_counts(w, 2, 9);
}

/* What was given back a moment ago is well, as long as it answers. */
static void test_fresh(void **state)
{
    struct world *w = *state;
    pid_t pid = 0;
    open_common(w, (struct warm_options){.fresh_ms = 600000});
    for (int i = 0; i < 4; i++) {
        assert_in(w, "a", LIVE_READ);
        assert_in(w, "b", LIVE_READ);
    }
    assert_counts(w, 1, 7);
    assert_int_equal(tally(w).fresh, 7);
    for (size_t i = 0; i < 2; i++) {
        assert_in(w, "a", LIVE_READ);
        assert_int_equal(children(&pid), 1);
        if (i)
            assert_int_equal(kill(pid, SIGKILL), 0);
        else
            halt(pid);
        assert_in(w, "b", LIVE_READ);
        assert_int_equal(tally(w).started, 2 + i);
        assert_int_equal(children(NULL), 1);
    }
    assert_int_equal(tally(w).waiting, 1);
    warm_drop(w->warm);
    assert_int_equal(tally(w).waiting, 0);
    open_warm(w, &(struct warm_options){.fresh_ms = -1});
    assert_in(w, "a", LIVE_READ);
    assert_in(w, "b", LIVE_READ);
    assert_counts(w, 1, 1);
    assert_int_equal(tally(w).fresh, 0);
    for (int i = 0; i < 15000 && !tally(w).memory; i++)
        (void)usleep(20000);
    assert_true(tally(w).memory > 1 << 20); /* what nobody wants at once is the thread's */
}

static void test_apart(void **state)
{
    struct world *w = *state;
    open_common(w, (struct warm_options){.apart = true});
    for (int i = 0; i < 2; i++) {
        assert_in(w, "a", LIVE_READ);
        assert_in(w, "b", LIVE_READ);
    }
    assert_counts(w, 2, 2);
}

/* A folder in which a provider might find something by itself; unless it is known not to look. */
static void test_other_files(void **state)
{
    struct world *w = *state;
    static const struct str all[] = {STR_INIT("example.com/*/fake")};
    static const struct str others[] = {STR_INIT("example.com/acme/fak"), STR_INIT("*")};
    open_common(w, (struct warm_options){.share = others, .nshare = 2});
    enter(w, "a");
    write_text(w, "a/credentials", STR(""), 0644);
    assert_in(w, "a", LIVE_READ);
    assert_true(str_equal(where(w), str_from(path_of(w, "a"))));
    assert_in(w, "b", LIVE_READ);
    assert_in(w, "a", LIVE_READ);
    assert_counts(w, 2, 1);
    open_warm(w, &(struct warm_options){.share = all, .nshare = 1});
    assert_in(w, "b", LIVE_READ);
    assert_in(w, "a", LIVE_READ);
    assert_counts(w, 1, 1);
}

/* $FAKE_LIVE is a path from the folder: each stack has its own answer, always. */
static void test_each_has_its_answer(void **state)
{
    struct world *w = *state;
    static const struct str all[] = {STR_INIT("example.com/acme/fake")};
    static const struct {
        const char *live, *share;
    } tries[] = {
        {"live", ""}, {"live", "all"}, {"live.md", ""}, {"./live.md", ""}, {"live.md", "all"}};
    (void)setenv("FAKE_LIVE", "none", 1);
    assert_all(w, LIVE_READ);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        bool share = tries[i].share[0] != '\0';
        (void)setenv("FAKE_LIVE", tries[i].live, 1);
        open_warm(w, &(struct warm_options){.share = all, .nshare = share ? 1 : 0});
        for (int j = 0; j < 3; j++) {
            const char *file = arena_printf(&w->arena, "a/%s", tries[i].live).ptr;
            assert_in(w, "b", LIVE_READ);
            enter(w, "a");
            write_text(w, file, STR("gone"), 0644);
            assert_in(w, "a", LIVE_GONE);
            assert_in(w, "b", LIVE_READ);
            assert_in(w, "a", LIVE_GONE);
            assert_int_equal(unlink(path_of(w, file)), 0);
            assert_in(w, "a", LIVE_READ);
        }
    }
}

/* What is recorded of one stack could be a path from its folder. */
static void test_recorded_path(void **state)
{
    struct world *w = *state;
    open_common(w, (struct warm_options){0});
    static const struct str paths[] = {
        STR_INIT("{\"id\":\"a\",\"value\":\"../x\"}"),
        STR_INIT("{\"id\":\"a\",\"value\":\"main.tf\"}"),
    };
    assert_in(w, "b", LIVE_READ);
    enter(w, "a");
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(scan_with(w, paths[i]).n[LIVE_READ], THINGS);
    assert_counts(w, 2, 1);
    assert_int_equal(scan_with(w, STR("{\"id\":\"a\",\"value\":\"x\"}")).n[LIVE_READ], THINGS);
    assert_counts(w, 2, 2);
    assert_int_equal(children(NULL), 2); /* its own stays for the next that needs it */
}

/* The code asks for a path: it is planned where the path is one. */
static bool ask_path(void *ctx, struct arena *arena, const struct resource *resource,
                     const struct schema *schema, enum live_side side, const struct value *prior,
                     const struct value *recorded, struct live_question *ret, struct err *err)
{
    (void)resource, (void)schema, (void)side, (void)recorded, (void)err;
    struct value v;
    assert_true(json_parse(arena, str_from(ctx), "question", JSON_DEFAULT, &v, NULL));
    *ret = (struct live_question){.prior = *prior, .config = v, .proposed = v};
    return true;
}

static void test_path_to_be_planned(void **state)
{
    struct world *w = *state;
    open_common(w, (struct warm_options){0});
    w->options.ask = ask_path;
    w->options.ctx = "{\"id\":\"a\",\"value\":\"x\"}";
    assert_in(w, "a", LIVE_READ);
    assert_in(w, "b", LIVE_READ);
    assert_counts(w, 1, 1);
    w->options.ctx = "{\"id\":\"a\",\"value\":\"./x\"}";
    for (int i = 0; i < 3; i++)
        assert_in(w, "a", LIVE_READ); /* begun by the shared one, planned by its own */
    assert_counts(w, 2, 6);
    assert_int_equal(children(NULL), 2);
    w->options.ask = NULL;
    w->options.ctx = NULL;
}

/* Scans side by side: nobody shares a process, and all that is given back is used. */
static void *scan_some(void *ctx)
{
    for (int i = 0; i < 4; i++)
        assert_all(ctx, LIVE_READ);
    return NULL;
}

static void test_side_by_side(void **state)
{
    struct world *w = *state;
    pthread_t thread[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, scan_some, w), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    /* the threads that asked for them are gone, and the processes live on */
    assert_int_equal(tally(w).waiting, children(NULL));
    assert_int_equal(tally(w).started + tally(w).reused, 12);
    assert_true(tally(w).started <= 3);
    assert_all(w, LIVE_READ);
}

static bool have_grpcio(void)
{
    AUTO_ARENA arena = {.limit = 4 << 20};
    const char *const argv[] = {"/usr/bin/python3", "-c", "import grpc", NULL};
    struct proc_spec spec = {.argv = argv};
    struct proc_result result;
    return proc_run(&arena, &spec, &result, NULL) && result.exit_code == 0;
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        EACH(test_used_again),    EACH(test_protocol_5),          EACH(test_died_while_it_waited),
        EACH(test_stands_still),  EACH(test_old_is_not_believed), EACH(test_outdated),
        EACH(test_bounds),        EACH(test_side_by_side),        EACH(test_shared),
        EACH(test_apart),         EACH(test_other_files),         EACH(test_each_has_its_answer),
        EACH(test_recorded_path), EACH(test_path_to_be_planned),  EACH(test_worn),
        EACH(test_fresh),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as main() */
    if (!have_grpcio()) {
        const char *ci = getenv("CI");
        (void)fprintf(stderr, "live/warm: skipped: python3-grpcio is not installed\n");
        return ci && strcmp(ci, "true") == 0 ? 1 : 0;
    }
    return cmocka_run_group_tests_name("live/reader_provider/warm", tests, NULL, NULL);
}
