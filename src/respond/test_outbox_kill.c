/* test_outbox_kill.c - killed at any moment, on both stores, no alert is lost and none is told
 * under two ids.
 *
 * PLUMB_KILLS=200 kills so often on each store; 10 without it.
 */
#include "respond/test_outbox.h"

#include <fcntl.h>

#include "base/io.h"

enum { KILLS = 10 };

static void two_routes(struct world *w, const char *dir)
{
    static const char *const name[] = {"one", "alone"};
    char path[2][120];
    (void)add_route(w, name[0], &groups, ROUTE_BY_NONE);
    (void)add_route(w, name[1], &alone, ROUTE_BY_NONE);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/told-%s", dir, name[i]);
        w->inbox[i].fd = open(path[i], O_WRONLY | O_CREAT | O_APPEND, 0600);
        assert_true(w->inbox[i].fd >= 0);
    }
}

/* A day: scans that see other values each time, alerts made and sent; killed at any moment. */
static void live(const struct test_store *store, unsigned seed)
{
    static struct world w;
    struct err err = {0};
    world_open(&w, store);
    two_routes(&w, store->dir);
    w.now = T0 + (int64_t)seed * 1000 * HOUR;
    for (;; seed = seed * 1103515245u + 12345u) {
        w.now += 2 * HOUR; /* so that nothing flaps */
        for (size_t i = 0; i < 3; i++)
            w.values[i] = (seed >> (8 + 3 * i)) % 3;
        if ((seed >> 20) % 3 && !scan(&w, &err))
            _exit(1);
        struct outbox_done done = {0};
        if ((seed >> 24) % 4 && !outbox_step(&w.record, &w.routes, &done, &err))
            _exit(2);
        if ((seed >> 26) % 4)
            (void)send_all(&w);
    }
}

static bool tell_story(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *out = ctx;
    (void)err;
    buf_printf(out, "%.*s ", STR_ARG(db_text(row, 0)));
    return true;
}

struct told_ids {
    struct str id[100000];
    size_t n;
};

/* "ID THREAD STATUS" lines of one thread, each id once. */
static void tell_file(struct str text, struct str thread, struct told_ids *ids, struct buf *out)
{
    struct str line, id, its;
    ids->n = 0;
    while (text.len) {
        (void)str_cut(&text, '\n', &line);
        (void)str_cut(&line, ' ', &id);
        (void)str_cut(&line, ' ', &its);
        bool again = false;
        if (!str_equal(its, thread))
            continue;
        for (size_t i = 0; i < ids->n; i++)
            again |= str_equal(ids->id[i], id);
        if (again)
            continue;
        ids->id[ids->n++] = id;
        buf_printf(out, "%.*s ", STR_ARG(line));
    }
}

/* Each line of the histories came to each receiver under one id, in order. */
static void check_told(struct world *w, struct str text, int64_t finding, size_t *ret_told)
{
    static struct told_ids ids;
    AUTO_BUF happened = {.limit = 1 << 22}, told = {.limit = 1 << 22};
    struct err err = {0};
    int64_t first = 0;
    const struct db_value id[] = {DB_PARAM_INT(finding)};
    assert_true(db_one_int(w->record.db, "SELECT first_utc_ms FROM finding WHERE id = $1", id, 1,
                           &first, &err));
    const struct alert_finding f = {.stack = STR("prod"), .first_utc_ms = first};
    const struct route route = {.group = ROUTE_BY_NONE};
    struct str thread = route_thread(&w->scratch, &route, &f, finding);
    assert_true(db_query(w->record.db,
                         "SELECT CASE what WHEN 'reopened' THEN 'new' ELSE what END FROM"
                         " finding_history WHERE finding = $1 ORDER BY id",
                         id, 1, tell_story, &happened, &err));
    tell_file(text, thread, &ids, &told);
    buf_char(&happened, '\0');
    buf_char(&told, '\0');
    assert_string_equal(told.ptr, happened.ptr);
    *ret_told += ids.n;
}

static long told_bytes(const struct world *w, const struct test_store *store)
{
    long sum = 0;
    for (size_t k = 0; k < 2; k++) {
        struct stat st;
        char path[120];
        (void)snprintf(path, sizeof path, "%s/told-%s", store->dir, w->route[k].name.ptr);
        sum += stat(path, &st) == 0 ? (long)st.st_size : 0;
    }
    return sum;
}

/* Half of them are killed at any moment, the other half once they told something more, however
 * slow the machine is. */
static void let_work(const struct world *w, const struct test_store *store, long i)
{
    enum { WAIT_MS = TEST_STORE_PATIENCE_MS, LOOK_MS = 5 };
    long before = told_bytes(w, store);
    for (int waited = 0; i % 2 && waited < WAIT_MS && told_bytes(w, store) == before;
         waited += LOOK_MS)
        (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    (void)nanosleep(&(struct timespec){.tv_nsec = (i * 7919 % 100) * 1000000}, NULL);
}

static void kills_lose_and_double_nothing(void **state)
{
    struct test_store *store = *state;
    static struct world w;
    struct err err = {0};
    const char *want = getenv("PLUMB_KILLS");
    long kills = want ? strtol(want, NULL, 10) : KILLS;
    size_t told = 0;
    world_open(&w, store); /* made before, so that a child is at work at once */
    two_routes(&w, store->dir);
    step(&w);
    world_close(&w);
    for (long i = 0; i < kills; i++) {
        pid_t pid = fork();
        if (pid == 0)
            live(store, (unsigned)i + 1);
        let_work(&w, store, i);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it did not end by itself */
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    world_open(&w, store);
    two_routes(&w, store->dir);
    w.now = T0 + (kills + 2) * 1000 * (int64_t)HOUR;
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state <> 'taken'"), 0);
    int64_t findings = number(&w, "SELECT max(id) FROM finding");
    for (size_t k = 0; k < 2; k++) {
        struct str text;
        char path[120];
        (void)snprintf(path, sizeof path, "%s/told-%s", store->dir, w.route[k].name.ptr);
        if (!io_read_file(&w.scratch, path, 1 << 26, &text, &err))
            fail_msg("%s", err.frame[0]);
        for (int64_t f = 1; f <= findings; f++)
            check_told(&w, text, f, &told);
    }
    print_message("  %ld kills, %lld lines of histories, %zu alerts\n", kills,
                  (long long)number(&w, "SELECT count(*) FROM finding_history"), told);
    assert_true(told > (size_t)kills / 2); /* each receiver of each that told something */
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_lose_and_double_nothing),
    };
    return test_stores_run("respond/outbox_kill", tests, sizeof tests / sizeof *tests);
}
