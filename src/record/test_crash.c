/* test_crash.c - what was acknowledged is there, whatever happens: kill -9 at random points under
 * load, a full disk, a store that cannot be written, a server that restarts.
 *
 * PLUMB_KILLS=200 kills so often on each store; 20 without it.
 */
#include "base/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "record/audit.h"
#include "record/audit_line.h"
#include "record/findings.h"
#include "record/test_stores.h"

enum { FINDINGS = 5, KILLS = 20, DOUBT_MS = 40 };

/* What the child says it has done, in a pipe that outlives it: a run began, a run ended. */
struct ack {
    int64_t run;
    int32_t ended, kind; /* kind: enum err_kind of a failure, which ends the load */
};

/* --- the load --- */

static const struct run_start start = {.stack = STR_INIT("prod"),
                                       .actor = {STR_INIT("uid 1 (load)"), STR_INIT("os-user")}};

/* Every run sees other findings than the one before: some new, some changed, some resolved. */
static void make_result(int64_t round, struct finding *finding, struct change *change,
                        struct value *value, struct stack_result *ret)
{
    static const struct value before = {.kind = VALUE_STRING, .len = 4, .text = "code"};
    static const char address[] = "abcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < FINDINGS; i++) {
        value[i] = value_int(round / 3);
        change[i] = (struct change){
            .path = STR("size"), .before = &before, .after = &value[i], .configurable = true};
        finding[i] = (struct finding){.class_ = CLASS_CONTRADICTS_CODE,
                                      .severity = SEVERITY_HIGH,
                                      .stack = STR("prod"),
                                      .address = {address + (size_t)(round + (int64_t)i) % 26, 1},
                                      .changes = &change[i],
                                      .nchanges = 1};
        assert_true(finding_fingerprint(&finding[i], &change[i], 1, NULL));
    }
    *ret = (struct stack_result){
        .name = STR("prod"), .live = STR("providers"), .findings = finding, .nfindings = FINDINGS};
}

static bool one_run(struct record *record, int64_t round, int out, struct err *err)
{
    struct finding finding[FINDINGS];
    struct change change[FINDINGS];
    struct value value[FINDINGS];
    struct stack_result result;
    struct run_changes changes;
    struct ack ack = {0};
    make_result(round, finding, change, value, &result);
    struct run_finish finish = {.start = &start, .result = &result};
    if (!run_begin(record, &start, &finish.run, err))
        return false;
    ack.run = finish.run;
    if (write(out, &ack, sizeof ack) != (ssize_t)sizeof ack)
        _exit(1);
    if (!run_end(record, &finish, &changes, err))
        return false;
    ack.ended = 1;
    if (write(out, &ack, sizeof ack) != (ssize_t)sizeof ack)
        _exit(1);
    return true;
}

/* Runs until it is killed, or until something fails; `patient` goes on where a server is away. */
static void load(const struct test_store *store, int out, bool patient)
{
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record = {0};
    struct err err = {0};
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    bool ok = record_open(&arena, &options, &record, &err);
    for (int64_t round = 0; ok && round < 1000000; round++) {
        ok = one_run(&record, round, out, &err);
        if (!ok && patient && err.kind == ERR_UNAVAILABLE) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
            err_clear(&err);
            ok = true;
        }
    }
    const struct ack end = {.kind = (int32_t)err.kind};
    (void)write(out, &end, sizeof end);
    record_close(&record);
    arena_free(&arena);
    _exit(0);
}

static pid_t begin_load(const struct test_store *store, int pipe_ends[2], bool patient)
{
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(pipe_ends[0]);
        load(store, pipe_ends[1], patient);
    }
    (void)close(pipe_ends[1]);
    return pid;
}

/* --- what must hold afterwards --- */

struct acked {
    struct ack *ack;
    size_t n, room;
    enum err_kind kind;
};

/* Until so many have come, or five minutes have passed; they stay in the pipe. */
static void wait_for_acks(int in, size_t n)
{
    int bytes = 0;
    for (int i = 0; i < TEST_STORE_PATIENCE_MS / 50; i++) {
        assert_int_equal(ioctl(in, FIONREAD, &bytes), 0);
        if ((size_t)bytes >= n * sizeof(struct ack))
            return;
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
}

static void take_acks(int in, struct acked *acked)
{
    struct ack ack;
    while (read(in, &ack, sizeof ack) == (ssize_t)sizeof ack) {
        if (!ack.run) {
            acked->kind = (enum err_kind)ack.kind;
            continue;
        }
        if (acked->n == acked->room) {
            acked->room = acked->room ? 2 * acked->room : 1024;
            acked->ack = realloc(acked->ack, acked->room * sizeof ack);
            assert_non_null(acked->ack);
        }
        acked->ack[acked->n++] = ack;
    }
    (void)close(in);
}

struct chain {
    int64_t n;
    struct digest last;
};

static bool check_line(void *ctx, const struct db_row *row, struct err *err)
{
    struct chain *chain = ctx;
    struct audit_line line;
    if (!audit_line_read(db_text(row, 1), &line, err))
        return false;
    if (db_int(row, 0) != chain->n || line.seq != chain->n || line.has_prev != (chain->n > 0) ||
        (chain->n && !digest_equal(&line.prev, &chain->last)))
        return err_set(err, ERR_CONFLICT, "the chain breaks at event %lld", (long long)chain->n);
    chain->n++;
    return digest_sha256(db_text(row, 1), &chain->last, err);
}

static int64_t number(struct db *db, const char *sql, const struct db_value *param, size_t n)
{
    struct err err = {0};
    int64_t got = -1;
    if (!db_one_int(db, sql, param, n, &got, &err) && err.kind)
        fail_msg("%s: %s", sql, err.frame[0]);
    return got;
}

/* Every acknowledged run is there; whatever ended did so whole, with its findings and events. */
static void check_store(const struct test_store *store, const struct acked *acked)
{
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record = {0};
    struct err err = {0};
    struct chain chain = {0};
    int64_t size = -1;
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    if (!record_open(&arena, &options, &record, &err))
        fail_msg("%s", err.frame[0]);
    struct db *db = record.db;
    for (size_t i = 0; i < acked->n; i++) {
        const struct db_value run = DB_PARAM_INT(acked->ack[i].run);
        if (number(db,
                   acked->ack[i].ended
                       ? "SELECT count(*) FROM run WHERE id = $1 AND ended_utc_ms IS NOT NULL"
                       : "SELECT count(*) FROM run WHERE id = $1",
                   &run, 1) != 1)
            fail_msg("run %lld was acknowledged and is not there", (long long)acked->ack[i].run);
    }
    assert_int_equal(
        number(db, "SELECT count(*) FROM run WHERE ended_utc_ms IS NOT NULL AND digest = ''", NULL,
               0),
        0);
    int64_t last =
        number(db, "SELECT coalesce(max(id), 0) FROM run WHERE ended_utc_ms IS NOT NULL", NULL, 0);
    const struct db_value of_last = DB_PARAM_INT(last);
    assert_int_equal(number(db, "SELECT count(*) FROM finding WHERE seen_run = $1", &of_last, 1),
                     last ? FINDINGS : 0);
    assert_int_equal(
        number(db, "SELECT count(*) FROM audit_event WHERE type = 'scan.end'", NULL, 0),
        number(db, "SELECT count(*) FROM run WHERE ended_utc_ms IS NOT NULL", NULL, 0));
    assert_int_equal(
        number(db, "SELECT count(*) FROM audit_event WHERE type = 'scan.start'", NULL, 0),
        number(db, "SELECT count(*) FROM run", NULL, 0));
    if (!db_query(db, "SELECT seq, line FROM audit_event ORDER BY seq", NULL, 0, check_line, &chain,
                  &err) ||
        !audit_size(&record, &size, &err))
        fail_msg("%s", err.frame[0]);
    assert_int_equal(chain.n, size);
    test_counts_hold(db);
    record_close(&record);
}

/* A store with one run in it, so that no kill hits the migration before anything is known. */
static void make_store(const struct test_store *store)
{
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record = {0};
    struct err err = {0};
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    int null = open("/dev/null", O_WRONLY);
    if (!record_open(&arena, &options, &record, &err) || !one_run(&record, 1, null, &err))
        fail_msg("%s", err.frame[0]);
    (void)close(null);
    record_close(&record);
}

/* --- the tests --- */

static unsigned kills(void)
{
    const char *text = getenv("PLUMB_KILLS");
    int64_t n = 0;
    return text && str_to_int64(str_from(text), &n) && n > 0 && n < 100000 ? (unsigned)n : KILLS;
}

/* The first ones hit the making of the store too. */
static void what_was_acknowledged_survives_a_kill(void **state)
{
    struct test_store *store = *state;
    struct acked acked = {0};
    unsigned seed = (unsigned)getpid();
    for (unsigned i = 0, n = kills(); i < n; i++) {
        int ends[2];
        pid_t pid = begin_load(store, ends, false);
        long ns = (long)(rand_r(&seed) % (DOUBT_MS * 1000)) * 1000L;
        struct pollfd first = {.fd = ends[0], .events = POLLIN};
        if (i % 4) /* one in four dies at the beginning, the others under load */
            (void)poll(&first, 1, TEST_STORE_PATIENCE_MS);
        (void)nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        take_acks(ends[0], &acked);
        assert_int_equal(acked.kind, ERR_NONE);
        if (i % 10 == 9 || i + 1 == n)
            check_store(store, &acked);
    }
    print_message("  %u kills, %zu acknowledgements\n", kills(), acked.n);
    assert_true(acked.n > kills() / 4);
    free(acked.ack);
}

static void a_server_that_restarts_loses_nothing_acknowledged(void **state)
{
    struct test_store *store = *state;
    static const int signals[] = {SIGINT, SIGQUIT, SIGKILL, SIGINT, SIGQUIT};
    struct acked acked = {0};
    int ends[2];
    if (!store->server[0])
        return; /* a file has no server */
    make_store(store);
    pid_t pid = begin_load(store, ends, true);
    wait_for_acks(ends[0], 1); /* the store is open by now */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        test_store_kill(store, signals[i]);
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        assert_true(test_store_start(store));
    }
    wait_for_acks(ends[0], 12); /* however slow the machine is */
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    take_acks(ends[0], &acked);
    check_store(store, &acked);
    print_message("  5 restarts, %zu acknowledgements\n", acked.n);
    assert_true(acked.n > 10);
    free(acked.ack);
}

/* The load runs until the disk is full; what failed says so, and what did not is there. */
static void load_until_full(const struct test_store *store, struct acked *acked)
{
    int ends[2];
    pid_t pid = begin_load(store, ends, false);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    take_acks(ends[0], acked);
}

static void a_full_disk_is_told_and_loses_nothing(void **state)
{
    struct test_store *store = *state;
    struct acked acked = {0};
    char dir[100];
    if (store->server[0])
        return; /* below */
    (void)snprintf(dir, sizeof dir, "%s/full", store->dir);
    assert_int_equal(mkdir(dir, 0700), 0);
    if (!test_store_mount(dir, 2)) {
        print_message("skipped: may not mount a small file system here\n");
        return;
    }
    (void)snprintf(store->url, sizeof store->url, "sqlite:%s/plumb.db", dir);
    load_until_full(store, &acked);
    assert_int_equal(acked.kind, ERR_LIMIT);
    assert_true(acked.n > 10);
    /* Room again, as an administrator makes it. */
    assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=64m"), 0);
    check_store(store, &acked);
    /* And a store that may only be read is read, and refuses. */
    assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=64m"), 0);
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record = {0};
    struct err err = {0};
    struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    assert_false(record_open(&arena, &options, &record, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_non_null(strstr(err.frame[0], "cannot be written"));
    options.read_only = true;
    if (!record_open(&arena, &options, &record, &err))
        fail_msg("%s", err.frame[0]);
    assert_true(number(record.db, "SELECT count(*) FROM run", NULL, 0) > 5);
    record_close(&record);
    assert_int_equal(umount(dir), 0);
    free(acked.ack);
}

/* Without a file system of its own: the largest file that the process may write. */
static void a_file_that_may_not_grow_is_told(void **state)
{
    struct test_store *store = *state;
    struct acked acked = {0};
    int ends[2];
    if (store->server[0])
        return;
    make_store(store);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit limit = {400 << 10, 400 << 10};
        (void)close(ends[0]);
        (void)signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(1);
        load(store, ends[1], false);
    }
    (void)close(ends[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    take_acks(ends[0], &acked);
    assert_true(acked.kind == ERR_LIMIT || acked.kind == ERR_IO);
    check_store(store, &acked);
    free(acked.ack);
}

static void a_server_whose_disk_is_full_loses_nothing(void **state)
{
    const struct test_store *like = *state;
    struct test_store full = {.tmpfs_mb = 72};
    struct acked acked = {0};
    char ballast[100];
    if (!like->server[0])
        return;
    (void)snprintf(full.bin, sizeof full.bin, "%s", like->bin);
    if (!test_store_make_server(&full)) {
        print_message("skipped: may not mount a small file system here\n");
        (void)rmdir(full.dir);
        return;
    }
    (void)snprintf(full.url, sizeof full.url, "%s", full.server);
    make_store(&full);
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", full.dir);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    static const char block[1 << 16];
    for (int left = 2000; left && write(fd, block, sizeof block) > 0; left--)
        ; /* until nothing fits */
    (void)close(fd);
    load_until_full(&full, &acked);
    assert_true(acked.kind == ERR_LIMIT || acked.kind == ERR_UNAVAILABLE);
    assert_int_equal(unlink(ballast), 0);
    test_store_kill(&full, SIGQUIT);
    assert_true(test_store_start(&full));
    check_store(&full, &acked);
    print_message("  full after %zu acknowledgements\n", acked.n);
    test_store_kill(&full, SIGQUIT);
    assert_int_equal(umount(full.dir), 0);
    (void)rmdir(full.dir);
    free(acked.ack);
}

static void a_database_that_may_only_be_read_refuses(void **state)
{
    struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record = {0};
    struct err err = {0};
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    if (!store->server[0])
        return; /* with the full disk */
    make_store(store);
    assert_true(record_open(&arena, &options, &record, &err));
    assert_true(db_script(record.db,
                          "ALTER DATABASE postgres SET default_transaction_read_only = on", &err));
    record_close(&record);
    assert_true(record_open(&arena, &options, &record, &err)); /* nothing to write yet */
    int64_t run = 0;
    assert_false(run_begin(&record, &start, &run, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_int_equal(number(record.db, "SELECT count(*) FROM run", NULL, 0), 1);
    assert_true(db_script(record.db, "SET default_transaction_read_only = off", &err));
    assert_true(
        db_script(record.db, "ALTER DATABASE postgres RESET default_transaction_read_only", &err));
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_kill),
        cmocka_unit_test(a_server_that_restarts_loses_nothing_acknowledged),
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
        cmocka_unit_test(a_file_that_may_not_grow_is_told),
        cmocka_unit_test(a_server_whose_disk_is_full_loses_nothing),
        cmocka_unit_test(a_database_that_may_only_be_read_refuses),
    };
    return test_stores_run("record/crash", tests, sizeof tests / sizeof *tests);
}
