/* test_stores.h - every test of a program on both stores: SQLite, then a PostgreSQL server that
 * lives as long as the program, in a private folder, reachable through a unix socket only.
 *
 *   static void something_holds(void **state)
 *   {
 *       struct test_store *store = *state;   // store->url is empty and of this test alone
 *       ...
 *   }
 *   int main(void)
 *   {
 *       const struct CMUnitTest tests[] = {cmocka_unit_test(something_holds)};
 *       return test_stores_run("record/db", tests, sizeof tests / sizeof *tests);
 *   }
 *
 * Without a PostgreSQL server one line says so; with CI=true that is a failure.
 */
#pragma once
#include "base/test.h"

#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "record/counts.h"
#include "record/db.h"

/* For what must come, and whoever stands in line for a lock: only a fault makes it end. */
enum { TEST_STORE_PATIENCE_MS = 300000 };

struct test_store {
    char dir[64];      /* of SQLite's file or of the server */
    char url[400];     /* of the test that runs */
    char server[200];  /* URL of the server; "" = SQLite */
    char bin[200];     /* folder of its programs */
    pid_t pid;         /* of the server */
    unsigned n;        /* tests so far */
    unsigned tmpfs_mb; /* of a server: its folder is a file system of its own; 0 = it is not */
};

static inline const char *test_store_env(const char *name)
{
    return strcmp(name, "PLUMB_KEY") == 0 ? "a key of thirty-two bytes for tests" : NULL;
}

/* The counts that are kept are those of the findings: none is another, none is missing. */
static inline void test_counts_hold(struct db *db)
{
#define KEPT "SELECT stack, class, lane, violation, findings FROM finding_count WHERE findings <> 0"
#define APART(a, b) \
    "SELECT count(*) FROM (SELECT * FROM (" a ") x EXCEPT SELECT * FROM (" b ") y) z"
    int64_t more = -1, less = -1;
    assert_true(db_one_int(db, APART(KEPT, COUNTS_ALL), NULL, 0, &more, NULL));
    assert_true(db_one_int(db, APART(COUNTS_ALL, KEPT), NULL, 0, &less, NULL));
#undef APART
#undef KEPT
    assert_int_equal(more, 0);
    assert_int_equal(less, 0);
}

static inline int test_store_system(const char *command, const char *path, const char *file)
{
    char line[300];
    (void)snprintf(line, sizeof line, "%s '%s%s'", command, path, file);
    return system(line); /* NOLINT(cert-env33-c): our own words */
}

/* The server runs as `postgres` where we are root, which it refuses to be. */
static inline void test_store_drop_root(void)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (user && (initgroups("postgres", user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
                 setuid(user->pw_uid) != 0))
        _exit(120);
    if (chdir("/") != 0)
        _exit(121);
}

static inline bool test_store_child(struct test_store *store, bool wait, char *const *argv)
{
    char log[100];
    (void)snprintf(log, sizeof log, "%s/log", store->dir);
    pid_t pid = fork();
    if (pid == 0) {
        test_store_drop_root();
        (void)prctl(PR_SET_PDEATHSIG, SIGQUIT); /* dies with the tests, however they end */
        if (!freopen(log, "a", stdout) || dup2(1, 2) < 0)
            _exit(122);
        execv(argv[0], argv);
        _exit(123);
    }
    if (!wait) {
        store->pid = pid;
        return pid > 0;
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static inline bool test_store_answers(const struct test_store *store)
{
    for (int i = 0; i < TEST_STORE_PATIENCE_MS / 50; i++) {
        struct db *db = NULL;
        struct err err = {0};
        siginfo_t ended = {0};
        if (db_open(&db, str_from(store->server), NULL, &err)) {
            db_close(db);
            return true;
        }
        if (waitid(P_PID, (id_t)store->pid, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            ended.si_pid == store->pid)
            return false;
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

/* Also after test_store_kill. */
static inline bool test_store_start(struct test_store *store)
{
    char program[260], data[100], sockets[120];
    (void)snprintf(program, sizeof program, "%s/postgres", store->bin);
    (void)snprintf(data, sizeof data, "%s/data", store->dir);
    (void)snprintf(sockets, sizeof sockets, "unix_socket_directories=%s", store->dir);
    char *argv[] = {program,
                    "-D",
                    data,
                    "-c",
                    "listen_addresses=",
                    "-c",
                    sockets,
                    "-c",
                    "fsync=off",
                    "-c",
                    "max_connections=40",
                    "-c",
                    "min_wal_size=2MB",
                    "-c",
                    "max_wal_size=32MB",
                    NULL};
    return test_store_child(store, false, argv) && test_store_answers(store);
}

/* As a crash of the machine's: no clean end. */
static inline void test_store_kill(struct test_store *store, int signal_number)
{
    if (store->pid > 0) {
        (void)kill(store->pid, signal_number);
        (void)waitpid(store->pid, NULL, 0);
    }
    store->pid = 0;
}

static inline bool test_store_find_server(struct test_store *store)
{
    glob_t found = {0};
    bool there = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0 ||
                 glob("/usr/pgsql-*/bin/initdb", 0, NULL, &found) == 0;
    if (there) {
        (void)snprintf(store->bin, sizeof store->bin, "%s", found.gl_pathv[found.gl_pathc - 1]);
        *strrchr(store->bin, '/') = '\0';
    }
    globfree(&found);
    return there && (geteuid() != 0 || getpwnam("postgres"));
}

/* A small file system at the folder; false where we may not mount. */
static inline bool test_store_mount(const char *dir, unsigned mb)
{
    char options[40];
    (void)snprintf(options, sizeof options, "size=%um,mode=0755", mb);
    return !mb || mount("tmpfs", dir, "tmpfs", 0, options) == 0;
}

static inline bool test_store_make_server(struct test_store *store)
{
    char program[260], data[100];
    const struct passwd *user = geteuid() == 0 ? getpwnam("postgres") : NULL;
    (void)snprintf(store->dir, sizeof store->dir, "/tmp/plumb-pg-XXXXXX");
    if (!mkdtemp(store->dir) || !test_store_mount(store->dir, store->tmpfs_mb) ||
        (user && chown(store->dir, user->pw_uid, user->pw_gid) != 0))
        return false;
    (void)snprintf(program, sizeof program, "%s/initdb", store->bin);
    (void)snprintf(data, sizeof data, "%s/data", store->dir);
    (void)snprintf(store->server, sizeof store->server,
                   "postgres:///postgres?host=%s&user=postgres&sslmode=disable", store->dir);
    /* A language that sorts otherwise than by bytes, where the server can (15 and newer). */
    char *argv[] = {program,
                    "-D",
                    data,
                    "-A",
                    "trust",
                    "-U",
                    "postgres",
                    "--no-sync",
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--wal-segsize=1",
                    "--locale-provider=icu",
                    "--icu-locale=en-US",
                    NULL};
    enum { WITHOUT_LANGUAGE = sizeof argv / sizeof *argv - 3 };
    bool made = test_store_child(store, true, argv);
    argv[WITHOUT_LANGUAGE] = NULL;
    return (made || test_store_child(store, true, argv)) && test_store_start(store);
}

static inline int test_store_setup(void **state)
{
    struct test_store *store = *state;
    char sql[64];
    store->n++;
    if (!store->server[0]) {
        (void)snprintf(store->url, sizeof store->url, "sqlite:%s/%u/plumb.db", store->dir,
                       store->n);
        return 0;
    }
    struct db *db = NULL;
    (void)snprintf(sql, sizeof sql, "CREATE SCHEMA t%u", store->n);
    (void)snprintf(store->url, sizeof store->url, "%s&options=-csearch_path%%3Dt%u", store->server,
                   store->n);
    bool ok = db_open(&db, str_from(store->server), NULL, NULL) && db_script(db, sql, NULL);
    db_close(db);
    return ok ? 0 : -1;
}

static inline int test_stores_group(struct test_store *store, const char *name,
                                    const struct CMUnitTest *tests, size_t n)
{
    struct CMUnitTest *copy = calloc(n, sizeof *copy);
    char full[120];
    if (!copy)
        return 1;
    (void)snprintf(full, sizeof full, "%s/%s", name, store->server[0] ? "postgres" : "sqlite");
    for (size_t i = 0; i < n; i++) {
        copy[i] = tests[i];
        copy[i].setup_func = test_store_setup;
        copy[i].initial_state = store;
    }
    int failed = _cmocka_run_group_tests(full, copy, n, NULL, NULL);
    free(copy);
    return failed;
}

static inline int test_stores_run(const char *name, const struct CMUnitTest *tests, size_t n)
{
    struct test_store sqlite = {.dir = "/tmp/plumb-sqlite-XXXXXX"}, postgres = {0};
    const char *ci = getenv("CI");
    if (!mkdtemp(sqlite.dir))
        return 1;
    int failed = test_stores_group(&sqlite, name, tests, n);
    (void)test_store_system("rm -rf", sqlite.dir, "");
    if (!test_store_find_server(&postgres)) {
        (void)printf("skipped: no PostgreSQL server here (apt install postgresql)\n");
        return failed + (ci && strcmp(ci, "true") == 0);
    }
    if (test_store_make_server(&postgres))
        failed += test_stores_group(&postgres, name, tests, n);
    else
        failed += 1 + test_store_system("cat", postgres.dir, "/log");
    test_store_kill(&postgres, SIGQUIT);
    (void)test_store_system("rm -rf", postgres.dir, "");
    return failed;
}
