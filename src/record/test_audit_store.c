/* test_audit_store.c - the log in the store: tampered with, killed, full, read-only; on both
 * stores. */
#include "record/audit_store_check.h"

#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/audit_checkpoint.h"
#include "record/audit_prune.h"
#include "record/audit_witness.h"
#include "record/maintain.h"
#include "record/record.h"
#include "record/test_stores.h"

static struct event some_event(void)
{
    return (struct event){.type = EVENT_GATE_DECISION,
                          .actor = {STR("alice"), STR("os-user")},
                          .stack = STR("prod"),
                          .subject = STR("x.y"),
                          .outcome = STR("allow")};
}

static bool open_store(struct arena *arena, const struct test_store *store, bool read_only,
                       const struct audit_options *audit, struct record *ret)
{
    char text[2000];
    struct err err = {0};
    const struct record_options options = {.url = str_from(store->url),
                                           .read_only = read_only,
                                           .env = test_store_env,
                                           .timeout_ms = TEST_STORE_PATIENCE_MS,
                                           .audit = audit};
    if (!record_open(arena, &options, ret, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return true;
}

static struct audit_options key_of(struct arena *arena, const struct test_store *store)
{
    struct audit_options audit = {.origin = STR("example.org/log")};
    if (store->server[0])
        audit.key = arena_printf(arena, "file:%s/audit.%u.key", store->dir, store->n);
    return audit;
}

static void fill(struct record *record, int64_t upto)
{
    char text[2000];
    struct err err = {0};
    int64_t size = 0;
    struct event event = some_event();
    assert_true(audit_size(record, &size, &err));
    assert_true(db_begin(record->db, DB_WRITE, &err));
    for (size += size == 0; size < upto; size++)
        if (!audit_append(record, &event, NULL, &err))
            fail_msg("%s", err_text(&err, text, sizeof text));
    assert_true(db_commit(record->db, &err));
}

static struct audit_check check(struct record *record, struct arena *arena)
{
    char text[2000];
    static const struct audit_check_options none;
    struct audit_check got;
    struct err err = {0};
    if (!audit_store_check(record, arena, &none, &got, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return got;
}

static void must_be_sound(const struct audit_check *got)
{
    for (size_t i = 0; i < got->faults.n; i++)
        print_message("  event %lld: %.*s\n", (long long)got->faults.fault[i].seq,
                      STR_ARG(got->faults.fault[i].text));
    assert_int_equal(got->faults.n, 0);
}

/* What somebody with the database can do; `event` must be named (-1: something must be). */
static const struct {
    const char *sql;
    int64_t event;
} tampering[] = {
    {"UPDATE audit_event SET line = replace(line, 'allow', 'deny') WHERE seq = 5", 5},
    {"UPDATE audit_event SET line = replace(line, 'begun', 'begin') WHERE seq = 0", 0},
    {"UPDATE audit_event SET line = replace(line, 'alice', 'bobby') WHERE seq = 255", 255},
    {"UPDATE audit_event SET line = replace(line, 'alice', 'bobby') WHERE seq = 599", 599},
    {"UPDATE audit_event SET stack = 'other' WHERE seq = 7", 7},
    {"UPDATE audit_event SET type = 'lock' WHERE seq = 8", 8},
    {"UPDATE audit_event SET actor = 'bob' WHERE seq = 9", 9},
    {"UPDATE audit_event SET utc_ms = utc_ms + 1 WHERE seq = 10", 10},
    {"DELETE FROM audit_event WHERE seq = 11", 11},
    {"DELETE FROM audit_event WHERE seq >= 590", 590},
    {"DELETE FROM audit_event WHERE seq < 3", 0},
    {"UPDATE audit_event SET seq = 10000 WHERE seq = 12", 12},
    {"UPDATE audit_event SET line = (SELECT e.line FROM audit_event e WHERE e.seq = 13) WHERE seq "
     "= 14",
     14},
    {"INSERT INTO audit_event (seq, utc_ms, type, stack, actor, line) SELECT 600, utc_ms, type, "
     "stack, actor, line FROM audit_event WHERE seq = 15",
     600},
    {"UPDATE audit_head SET size = 599, kept = 0 WHERE id = 1", -1},
    {"UPDATE audit_head SET kept = 256 WHERE id = 1", -1},
    {"UPDATE audit_head SET origin = 'other' WHERE id = 1", -1},
    {"DELETE FROM audit_head", -1},
    {"UPDATE audit_tile SET root = (SELECT t.root FROM audit_tile t WHERE t.n = 0) WHERE n = 1",
     -1},
    {"UPDATE audit_tile SET hashes = (SELECT t.hashes FROM audit_tile t WHERE t.n = 0) WHERE n = 1",
     -1},
    {"DELETE FROM audit_tile WHERE n = 0", -1},
    {"UPDATE audit_checkpoint SET note = replace(note, 'example.org', 'example.com')", -1},
    {"UPDATE audit_checkpoint SET note = (SELECT c.note FROM audit_checkpoint c WHERE c.size = "
     "300) "
     "WHERE size = 600",
     0},
};

static void what_is_changed_in_the_database_is_named(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct audit_options audit = key_of(&arena, store);
    struct err err = {0};
    struct record record;
    struct audit_signed made;
    open_store(&arena, store, false, &audit, &record);
    fill(&record, 300);
    assert_true(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
    fill(&record, 600);
    assert_true(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
    struct audit_check got = check(&record, &arena);
    must_be_sound(&got);
    assert_int_equal(got.last, 599);
    assert_int_equal(got.checkpoints, 3); /* and the one beside the key */
    for (size_t i = 0; i + 1 < sizeof tampering / sizeof *tampering; i++) {
        char undo[400];
        static const char *const tables[] = {"audit_event", "audit_head", "audit_tile",
                                             "audit_checkpoint"};
        for (size_t t = 0; t < 4; t++) { /* a copy to go back to */
            (void)snprintf(undo, sizeof undo, "CREATE TABLE keep_%s AS SELECT * FROM %s", tables[t],
                           tables[t]);
            assert_true(db_script(record.db, undo, &err));
        }
        assert_true(db_run(record.db, tampering[i].sql, NULL, 0, &err));
        got = check(&record, &arena);
        bool named = tampering[i].event < 0 && got.faults.n > 0;
        for (size_t f = 0; f < got.faults.n; f++)
            named |= got.faults.fault[f].seq == tampering[i].event;
        if (!named)
            fail_msg("not named: %s", tampering[i].sql);
        for (size_t t = 0; t < 4; t++) {
            (void)snprintf(undo, sizeof undo,
                           "DELETE FROM %s; INSERT INTO %s SELECT * FROM keep_%s; DROP TABLE "
                           "keep_%s",
                           tables[t], tables[t], tables[t], tables[t]);
            assert_true(db_script(record.db, undo, &err));
        }
    }
    got = check(&record, &arena);
    must_be_sound(&got);
    record_close(&record);
}

static void an_older_copy_gets_no_signature(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    const struct audit_options audit = key_of(&arena, store);
    struct err err = {0};
    struct record record;
    struct audit_signed made;
    open_store(&arena, store, false, &audit, &record);
    fill(&record, 20);
    assert_true(db_script(record.db, "CREATE TABLE old AS SELECT * FROM audit_head", &err));
    fill(&record, 30);
    assert_true(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
    assert_true(db_script(record.db,
                          "DELETE FROM audit_event WHERE seq >= 20; DELETE FROM audit_checkpoint; "
                          "DELETE FROM audit_head; INSERT INTO audit_head SELECT * FROM old",
                          &err));
    assert_false(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    fill(&record, 40); /* other events than those that were signed */
    err = (struct err){0};
    assert_false(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_true(check(&record, &arena).faults.n > 0);
    record_close(&record);
}

static bool gather(void *ctx, struct str bytes, struct err *err)
{
    buf_str(ctx, bytes);
    return buf_ok(ctx, err);
}

static bool no_problem(void *ctx, struct str sentence, struct err *err)
{
    (void)ctx;
    (void)err;
    fail_msg("%.*s", STR_ARG(sentence));
    return false;
}

static void what_was_taken_out_is_still_proven(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    const struct audit_options audit = key_of(&arena, store);
    const struct event_actor actor = {STR("alice"), STR("os-user")};
    char text[2000];
    struct err err = {0};
    struct record record;
    struct audit_signed made, old;
    int64_t kept = 0, left = 0;
    AUTO_BUF out = {.limit = 1 << 26}, bad = {.limit = 1 << 26};
    open_store(&arena, store, false, &audit, &record);
    fill(&record, 200);
    assert_true(audit_checkpoint_make(&record, &arena, &old, NULL, &err));
    fill(&record, 700);
    struct audit_export what = {.since_utc_ms = INT64_MIN, .until_utc_ms = INT64_MAX, .last = 600};
    assert_true(audit_export_write(&record, &what, gather, &out, &err));
    /* one that was changed, or that begins too late, takes nothing */
    buf_str(&bad, buf_view(&out));
    bad.ptr[bad.len / 2] ^= 1;
    assert_false(audit_prune(&record, &arena, buf_view(&bad), &actor, &kept, &err));
    bad.len = 0;
    what.first = 10;
    assert_true(audit_export_write(&record, &what, gather, &bad, &err));
    assert_false(audit_prune(&record, &arena, buf_view(&bad), &actor, &kept, &err));
    err = (struct err){0};
    if (!audit_prune(&record, &arena, buf_view(&out), &actor, &kept, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    assert_int_equal(kept, 512);
    assert_true(db_one_int(record.db, "SELECT count(*) FROM audit_event", NULL, 0, &left, &err));
    assert_int_equal(left, 700 - 512 + 1 + 1); /* log.start, log.retention */
    assert_true(store_check(&record, no_problem, NULL, &left, &err));
    struct audit_check got = check(&record, &arena);
    must_be_sound(&got);
    assert_int_equal(got.first, 512);
    assert_int_equal(got.checkpoints, 3); /* 200, 700, and 700 beside the key */
    fill(&record, 1100);
    assert_true(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
    got = check(&record, &arena);
    must_be_sound(&got);
    out.len = 0;
    what = (struct audit_export){.since_utc_ms = INT64_MIN,
                                 .until_utc_ms = INT64_MAX,
                                 .last = -1,
                                 .former = &old.note,
                                 .nformer = 1};
    assert_true(audit_export_write(&record, &what, gather, &out, &err));
    const struct audit_check_options kept_one = {.former = &old.note, .nformer = 1};
    assert_true(audit_export_check(&arena, buf_view(&out), &kept_one, &got, &err));
    must_be_sound(&got);
    assert_int_equal(got.first, 512);
    record_close(&record);
}

/* --- several at once --- */

static int write_and_sign(const struct test_store *store, const struct audit_options *audit)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    char text[2000];
    struct record record;
    struct err err = {0};
    const struct event event = some_event();
    bool ok = open_store(&arena, store, false, audit, &record);
    for (int i = 0; i < 60 && ok; i++)
        ok = audit_write(&record, &event, NULL, &err) && audit_settle(&record, &err);
    if (!ok)
        print_message("  %s\n", err_text(&err, text, sizeof text));
    record_close(&record);
    return ok ? 0 : 1;
}

/* Neither takes what the other has signed for a log that was cut off. */
static void who_signs_at_once_stands_in_line(void **state)
{
    enum { WRITERS = 3 };
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct audit_options audit = key_of(&arena, store);
    struct record record;
    pid_t pid[WRITERS];
    audit.every = 1;
    open_store(&arena, store, false, &audit, &record);
    fill(&record, 2);
    assert_true(audit_settle(&record, NULL));
    record_close(&record);
    for (size_t i = 0; i < WRITERS; i++) {
        pid[i] = fork();
        if (pid[i] == 0)
            _exit(write_and_sign(store, &audit));
    }
    open_store(&arena, store, false, &audit, &record);
    for (size_t i = 0; i < WRITERS; i++) {
        int status = -1;
        while (waitpid(pid[i], &status, WNOHANG) == 0) { /* sound at every moment */
            AUTO_ARENA once = {.limit = 64 << 20};
            struct audit_check now = check(&record, &once);
            must_be_sound(&now);
        }
        assert_int_equal(status, 0);
    }
    struct audit_check got = check(&record, &arena);
    must_be_sound(&got);
    assert_int_equal(got.last, 1 + 60 * WRITERS);
    record_close(&record);
}

/* --- killed --- */

/* Says each number that was acknowledged, until it is killed. */
static void write_for_ever(const struct test_store *store, const struct audit_options *audit,
                           int out)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct record record;
    struct err err = {0};
    struct event event = some_event();
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .audit = audit};
    if (!record_open(&arena, &options, &record, &err))
        _exit(1);
    for (int64_t seq;;) {
        if (!audit_write(&record, &event, &seq, &err) ||
            write(out, &seq, sizeof seq) != (ssize_t)sizeof seq)
            _exit(2);
    }
}

/* least: so many it has acknowledged by then, however slow the machine is. */
static int64_t kill_one(const struct test_store *store, const struct audit_options *audit,
                        unsigned after_us, int least)
{
    int ends[2], bytes = 0;
    int64_t seq, last = -1;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        write_for_ever(store, audit, ends[1]);
    }
    close(ends[1]);
    const struct timespec wait = {.tv_sec = after_us / 1000000,
                                  .tv_nsec = (long)(after_us % 1000000) * 1000};
    for (int i = 0; i < TEST_STORE_PATIENCE_MS / 5; i++) {
        assert_int_equal(ioctl(ends[0], FIONREAD, &bytes), 0);
        if (bytes >= least * (int)sizeof seq)
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    (void)nanosleep(&wait, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (read(ends[0], &seq, sizeof seq) == (ssize_t)sizeof seq)
        last = seq;
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return last;
}

static void killed_at_any_moment_nothing_acknowledged_is_lost(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA names = {.limit = 1 << 16};
    const struct audit_options audit = key_of(&names, store);
    const char *ci = getenv("CI");
    bool whole = getenv("PLUMB_TEST_WHOLE") || (ci && strcmp(ci, "true") == 0);
    unsigned points = whole ? 200 : 12, random = 12345;
    int64_t size = 0;
    for (unsigned i = 0; i < points; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        struct record record;
        struct err err = {0};
        random = random * 1103515245u + 12345u;
        int64_t last = kill_one(store, &audit, 5000 + (random >> 8) % 90000, i % 2 ? 3 : 0);
        open_store(&arena, store, false, &audit, &record);
        int64_t now = 0;
        assert_true(audit_size(&record, &now, &err));
        assert_true(now > last && now >= size);
        size = now;
        if (i % 4 == 3 || i + 1 == points) {
            struct audit_check got = check(&record, &arena);
            must_be_sound(&got);
            assert_int_equal(got.last, now - 1);
        }
        record_close(&record);
    }
    assert_true(size > points);
}

/* --- no room, no right --- */

/* A limit on the size of files stands for a disk that is full. */
static void a_full_disk_means_deny(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct record record;
    struct err err = {0};
    struct event event = some_event();
    struct rlimit small = {.rlim_max = RLIM_INFINITY};
    struct stat log;
    char path[500];
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    int64_t seq = -1, acked = -1, size = 0;
    if (store->server[0])
        return; /* the server's disk: its refusal is any other error's way */
    open_store(&arena, store, false, NULL, &record);
    (void)signal(SIGXFSZ, SIG_IGN);
    /* The log has the making of the tables, and from here on room for so much more. */
    (void)snprintf(path, sizeof path, "%s-wal", store->url + sizeof "sqlite:" - 1);
    assert_int_equal(stat(path, &log), 0);
    small.rlim_cur = (rlim_t)log.st_size + (400 << 10);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool ok = true;
    for (int i = 0; i < 5000 && ok; i++) {
        ok = audit_write(&record, &event, &seq, &err);
        acked = ok ? seq : acked;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_false(ok);
    assert_true(err.kind == ERR_LIMIT || err.kind == ERR_IO);
    assert_true(acked > 10);
    assert_true(audit_size(&record, &size, &err));
    assert_int_equal(size, acked + 1); /* nothing more than what was said */
    assert_true(audit_write(&record, &event, &seq, &err));
    assert_int_equal(seq, acked + 1);
    struct audit_check got = check(&record, &arena);
    must_be_sound(&got);
    record_close(&record);
}

static void read_only_means_deny(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct record record;
    struct err err = {0};
    struct event event = some_event();
    int64_t seq = -1;
    open_store(&arena, store, false, NULL, &record);
    assert_true(audit_write(&record, &event, &seq, &err));
    record_close(&record);
    open_store(&arena, store, true, NULL, &record);
    assert_false(audit_write(&record, &event, &seq, &err));
    assert_int_equal(seq, 1);
    struct audit_check got = check(&record, &arena);
    must_be_sound(&got);
    record_close(&record);
}

/* --- witnesses --- */

/* How many messages have come; what is sent on this machine is there when it was sent. */
static size_t messages(int fd)
{
    char text[4096];
    size_t n = 0;
    while (recv(fd, text, sizeof text, MSG_DONTWAIT) > 0)
        n++;
    return n;
}

static void a_witness_is_told_each_checkpoint_once(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct audit_options audit = key_of(&arena, store);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof at;
    struct audit_signed made;
    struct record record;
    struct err err = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, length) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    const char *missing = arena_printf(&arena, "%s/witness%u", store->dir, store->n).ptr;
    const struct audit_witness witnesses[] = {
        {.to = STR("syslog"), .at = arena_printf(&arena, "127.0.0.1:%u", ntohs(at.sin_port))},
        {.to = STR("file"), .at = arena_printf(&arena, "%s/checkpoint", missing)}};
    audit.witnesses = witnesses;
    audit.nwitnesses = 2;
    for (int turn = 1; turn <= 2; turn++) {
        open_store(&arena, store, false, &audit, &record);
        fill(&record, 10 * turn);
        assert_true(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
        assert_false(audit_witness_all(&record, &arena, &made, &err)); /* there is no such folder */
        err_clear(&err);
        assert_int_equal(messages(fd), 1);
        assert_false(audit_witness_all(&record, &arena, &made, &err)); /* there still is none */
        err_clear(&err);
        assert_int_equal(messages(fd), 0);
        record_close(&record);
    }
    assert_int_equal(mkdir(missing, 0700), 0);
    open_store(&arena, store, false, &audit, &record);
    for (int i = 0; i < 2; i++) { /* what was taken away is put there again */
        assert_true(audit_checkpoint_make(&record, &arena, &made, NULL, &err));
        assert_true(audit_witness_all(&record, &arena, &made, &err));
        assert_int_equal(unlink(witnesses[1].at.ptr), 0);
    }
    assert_int_equal(messages(fd), 0);
    record_close(&record);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_witness_is_told_each_checkpoint_once),
        cmocka_unit_test(what_is_changed_in_the_database_is_named),
        cmocka_unit_test(an_older_copy_gets_no_signature),
        cmocka_unit_test(what_was_taken_out_is_still_proven),
        cmocka_unit_test(who_signs_at_once_stands_in_line),
        cmocka_unit_test(killed_at_any_moment_nothing_acknowledged_is_lost),
        cmocka_unit_test(a_full_disk_means_deny),
        cmocka_unit_test(read_only_means_deny),
    };
    return test_stores_run("record/audit_store", tests, sizeof tests / sizeof *tests);
}
