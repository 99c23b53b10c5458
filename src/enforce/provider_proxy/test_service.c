/* test_service.c - the proxy between a gRPC client and tests/provider/fake_provider.py, which
 * answers most calls with what it was sent. Needs python3-grpcio: without it one line says that
 * this is skipped (a failure where CI=true). */
#include "base/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "enforce/provider_proxy/message.h"
#include "enforce/provider_proxy/parts.h"
#include "live/reader.h"
#include "model/stack.h"
#include "wire/grpc.h"
#include "wire/protobuf.h"

enum {
    SCHEMA,
    VALIDATE,
    CONFIGURE,
    UPGRADE,
    READ,
    APPLY,
    INVOKE,
    LATER,
    STOP,
    SHUTDOWN,
    HEALTH,
    STDIO,
    METHODS
};
#define P6 "/tfplugin6.Provider/"
static const struct grpc_method methods[METHODS] = {
    [SCHEMA] = {P6 "GetProviderSchema", false},
    [VALIDATE] = {P6 "ValidateResourceConfig", false},
    [CONFIGURE] = {P6 "ConfigureProvider", false},
    [UPGRADE] = {P6 "UpgradeResourceState", false},
    [READ] = {P6 "ReadResource", false},
    [APPLY] = {P6 "ApplyResourceChange", false},
    [INVOKE] = {P6 "InvokeAction", false},
    [LATER] = {P6 "OfALaterVersion", false},
    [STOP] = {P6 "StopProvider", false},
    [SHUTDOWN] = {"/plugin.GRPCController/Shutdown", false},
    [HEALTH] = {"/grpc.health.v1.Health/Check", false},
    [STDIO] = {"/plugin.GRPCStdio/StreamStdio", true},
};

struct answer {
    bool done;
    enum grpc_status status;
    struct buf body;
    char text[400];
};
struct world {
    char dir[64], config[128];
    struct loop loop;
    struct stack stack;
    struct reader_options reader;
    struct proxy *proxy;
    struct guard guard;
    struct guard_answer says; /* what the guard answers */
    unsigned asked;
    enum guard_kind kind;
    char type[32], notes[2000], configured[100];
};

static struct world *the_world; /* for env(), which has no context */

static const char *env(const char *name)
{
    return strcmp(name, "TF_CLI_CONFIG_FILE") == 0 ? the_world->config : NULL;
}

static void ask(void *ctx, struct arena *arena, const struct guard_change *change,
                struct guard_answer *ret)
{
    struct world *w = ctx;
    (void)arena;
    w->asked++;
    w->kind = change->kind;
    (void)snprintf(w->type, sizeof w->type, "%.*s", STR_ARG(change->type));
    *ret = w->says;
}

static void on_note(void *ctx, struct str text)
{
    struct world *w = ctx;
    size_t n = strlen(w->notes);
    (void)snprintf(w->notes + n, sizeof w->notes - n, "%.*s\n", STR_ARG(text));
}

static void on_configured(void *ctx, struct str provider, struct str config)
{
    struct world *w = ctx;
    size_t n = strlen(w->configured);
    (void)snprintf(w->configured + n, sizeof w->configured - n, "%.*s=%.*s;", STR_ARG(provider),
                   STR_ARG(config));
}

static void open_world(struct world *w)
{
    char path[200], target[1024], text[300];
    const char *root = getenv("PLUMB_ROOT");
    struct err err = {0};
    *w = (struct world){.says = {.allow = true}};
    the_world = w;
    w->guard = (struct guard){.ask = ask, .ctx = w};
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/plumb-proxy-test-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    (void)snprintf(w->config, sizeof w->config, "%s/rc", w->dir);
    (void)snprintf(path, sizeof path, "%s/terraform-provider-fake", w->dir);
    (void)snprintf(text, sizeof text, "%s/tests/provider/fake_provider.py", root ? root : ".");
    assert_non_null(realpath(text, target));
    assert_int_equal(symlink(target, path), 0);
    (void)snprintf(text, sizeof text,
                   "provider_installation {\n  dev_overrides {\n"
                   "    \"example.com/acme/fake\" = \"%s\"\n  }\n}\n",
                   w->dir);
    assert_true(io_write_file_atomic(w->config, str_from(text), 0600, &err));
    w->stack = (struct stack){.name = STR("s"), .path = str_from(w->dir)};
    assert_true(loop_open(&w->loop, &err));
    const struct proxy_options options = {.loop = &w->loop,
                                          .stack = &w->stack,
                                          .reader = &w->reader,
                                          .env = env,
                                          .guard = &w->guard,
                                          .on_note = on_note,
                                          .on_configured = on_configured,
                                          .ctx = w};
    if (!proxy_open(&options, &w->proxy, &err) || !proxy_wait_ready(w->proxy, &err))
        fail_msg("%s / %s", err.frame[0], err.frame[1]);
    assert_int_equal(proxy_providers(w->proxy), 1);
}

static void close_world(struct world *w)
{
    char line[128];
    proxy_shutdown(w->proxy);
    assert_null(w->proxy->services[0].upstreams);
    proxy_close(w->proxy);
    loop_close(&w->loop);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    (void)snprintf(line, sizeof line, "rm -rf '%s'", w->dir);
    assert_int_equal(system(line), 0); /* NOLINT(cert-env33-c): our own words */
}

static struct grpc_conn *dial(struct world *w)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct grpc_conn *conn = NULL;
    (void)snprintf(to.sun_path, sizeof to.sun_path, "%s/0", w->proxy->dir);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    const struct grpc_options options = {
        .loop = &w->loop, .fd = fd, .methods = methods, .nmethods = METHODS};
    assert_true(grpc_open(&options, &conn, NULL));
    return conn;
}

static void on_done(void *ctx, const struct grpc_reply *reply)
{
    struct answer *a = ctx;
    a->done = true;
    a->status = reply->status;
    a->body.len = 0;
    a->body.limit = 64 << 20;
    buf_str(&a->body, reply->message);
    (void)snprintf(a->text, sizeof a->text, "%.*s", STR_ARG(reply->text));
}

static void turn_until(struct world *w, const bool *done)
{
    int64_t end = clock_monotonic_ms() + 300000;
    while (!*done && clock_monotonic_ms() < end)
        assert_true(loop_turn(&w->loop, 100, NULL));
    assert_true(*done);
}

static struct grpc_call *start(struct grpc_conn *conn, size_t method, struct str request,
                               struct answer *a)
{
    struct grpc_call *call = NULL;
    a->done = false;
    assert_true(grpc_call_start(conn, method, request, 60000, NULL, on_done, a, &call, NULL));
    return call;
}

static void call(struct world *w, struct grpc_conn *conn, size_t method, struct str request,
                 struct answer *a)
{
    (void)start(conn, method, request, a);
    turn_until(w, &a->done);
}

static uint64_t processes(const struct world *w)
{
    return proxy_counts(w->proxy).processes;
}

static void hang_up(struct world *w, struct grpc_conn *conn)
{
    grpc_close(conn);
    for (int i = 0; i < 5; i++)
        assert_true(loop_turn(&w->loop, 20, NULL));
}

/* --- what is passed on --- */

static void everything_comes_back_as_it_was(void **state)
{
    (void)state;
    enum { LARGE = 20 << 20 };
    struct world w;
    struct answer a = {0};
    AUTO_BUF large = {.limit = LARGE + 16};
    open_world(&w);
    struct grpc_conn *conn = dial(&w);
    call(&w, conn, HEALTH, STR("\n\006plugin"), &a);
    assert_int_equal(a.status, GRPC_OK);
    assert_true(str_equal(buf_view(&a.body), STR("\x08\x01")));
    call(&w, conn, UPGRADE, STR("some bytes\0\xff"), &a);
    assert_int_equal(a.status, GRPC_OK);
    assert_true(str_equal(buf_view(&a.body), STR("some bytes\0\xff")));
    call(&w, conn, SCHEMA, STR(""), &a);
    assert_int_equal(a.status, GRPC_OK);
    assert_int_equal(a.body.len, 0);
    char *bytes = buf_room(&large, LARGE);
    assert_non_null(bytes);
    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = (char)(i * 31 + (i >> 11));
    large.len = LARGE;
    call(&w, conn, VALIDATE, buf_view(&large), &a);
    assert_int_equal(a.status, GRPC_OK);
    assert_int_equal(a.body.len, LARGE);
    assert_memory_equal(a.body.ptr, large.ptr, LARGE);
    call(&w, conn, READ, STR("\n\005large"), &a);
    assert_int_equal(a.body.len, 20000000 + 5);
    buf_free(&a.body);
    hang_up(&w, conn);
    close_world(&w);
}

static void errors_keep_their_status_and_words(void **state)
{
    (void)state;
    struct world w;
    struct answer a = {0};
    open_world(&w);
    struct grpc_conn *conn = dial(&w);
    call(&w, conn, READ, STR("\n\006denied"), &a);
    assert_int_equal(a.status, GRPC_PERMISSION_DENIED);
    assert_string_equal(a.text, "lock \xc3\xa9 refused: 100% \n drift");
    call(&w, conn, READ, STR("\n\005plain"), &a);
    assert_int_equal(a.status, GRPC_UNKNOWN);
    assert_non_null(strstr(a.text, "an exception of Python's"));
    call(&w, conn, LATER, STR("x"), &a);
    assert_int_equal(a.status, GRPC_OK);
    buf_free(&a.body);
    hang_up(&w, conn);
    close_world(&w);
}

static void many_calls_at_once(void **state)
{
    (void)state;
    enum { CALLS = 200 };
    struct world w;
    struct answer *a = calloc(CALLS, sizeof *a);
    assert_non_null(a);
    open_world(&w);
    struct grpc_conn *conn = dial(&w);
    for (size_t i = 0; i < CALLS; i++)
        (void)start(conn, UPGRADE, (struct str){"abcdefgh", i % 8 + 1}, &a[i]);
    for (size_t i = 0; i < CALLS; i++) {
        turn_until(&w, &a[i].done);
        assert_int_equal(a[i].status, GRPC_OK);
        assert_int_equal(a[i].body.len, i % 8 + 1);
        buf_free(&a[i].body);
    }
    assert_int_equal(processes(&w), 1);
    free(a);
    hang_up(&w, conn);
    close_world(&w);
}

static void what_is_cancelled_is_cancelled(void **state)
{
    (void)state;
    struct world w;
    struct answer a = {0}, b = {0};
    open_world(&w);
    struct grpc_conn *conn = dial(&w);
    struct grpc_call *hanging = start(conn, READ, STR("\n\004hang"), &a);
    call(&w, conn, UPGRADE, STR("x"), &b);
    grpc_call_cancel(hanging);
    assert_int_equal(a.status, GRPC_CANCELLED);
    call(&w, conn, UPGRADE, STR("y"), &b);
    assert_int_equal(b.status, GRPC_OK);
    for (int i = 0; i < 5; i++)
        assert_true(loop_turn(&w.loop, 20, NULL));
    assert_true(relay_is_idle(w.proxy->services[0].relays));
    buf_free(&a.body);
    buf_free(&b.body);
    hang_up(&w, conn);
    close_world(&w);
}

/* --- which process --- */

static void a_process_that_is_as_new_serves_the_next(void **state)
{
    (void)state;
    struct world w;
    struct answer a = {0};
    open_world(&w);
    struct grpc_conn *one = dial(&w), *two = dial(&w), *three = dial(&w);
    call(&w, one, SCHEMA, STR(""), &a);
    call(&w, two, SCHEMA, STR(""), &a);
    assert_int_equal(processes(&w), 1);
    call(&w, two, CONFIGURE, STR("\x12\003\n\001c"), &a);
    assert_int_equal(a.status, GRPC_OK);
    call(&w, one, VALIDATE, STR("again"), &a); /* in a new one, which is asked for its schema */
    assert_int_equal(a.status, GRPC_OK);
    assert_true(str_equal(buf_view(&a.body), STR("again")));
    assert_int_equal(processes(&w), 2);
    call(&w, three, SCHEMA, STR(""), &a);
    call(&w, three, CONFIGURE, STR("\n\001x"), &a);
    assert_int_equal(processes(&w), 2);
    assert_string_equal(w.configured, ""); /* not used yet: it may have been refused */
    call(&w, two, READ, STR("\n\001x"), &a);
    call(&w, two, READ, STR("\n\001x"), &a);
    assert_string_equal(w.configured, "example.com/acme/fake=c;");
    call(&w, one, STOP, STR(""), &a); /* nothing to be stopped: no process is started for it */
    assert_int_equal(a.status, GRPC_OK);
    assert_int_equal(processes(&w), 2);
    call(&w, one, SCHEMA, STR(""), &a);
    assert_int_equal(processes(&w), 3);
    hang_up(&w, one);
    call(&w, two, SHUTDOWN, STR(""), &a);
    assert_int_equal(a.status, GRPC_OK);
    hang_up(&w, two);
    hang_up(&w, three);
    buf_free(&a.body);
    close_world(&w);
}

static void a_crash_is_told_and_stays_where_it_was(void **state)
{
    (void)state;
    struct world w;
    struct answer a = {0}, b = {0};
    open_world(&w);
    struct grpc_conn *one = dial(&w), *two = dial(&w);
    call(&w, one, CONFIGURE, STR("\n\001x"), &a);
    call(&w, two, CONFIGURE, STR("\n\001x"), &a);
    (void)start(one, READ, STR("\n\004hang"), &b);
    call(&w, one, READ, STR("\n\005crash"), &a);
    assert_int_equal(a.status, GRPC_UNAVAILABLE);
    assert_non_null(strstr(a.text, "exit code 2: panic: runtime error: index out of range"));
    turn_until(&w, &b.done);
    assert_int_equal(b.status, GRPC_UNAVAILABLE);
    assert_non_null(strstr(w.notes, "panic: runtime error"));
    call(&w, one, UPGRADE, STR("x"), &a); /* no other process is put in its place unseen */
    assert_int_equal(a.status, GRPC_UNAVAILABLE);
    call(&w, two, READ, STR("\n\001x"), &a);
    assert_int_equal(a.status, GRPC_OK);
    assert_int_equal(proxy_counts(w.proxy).crashes, 1);
    buf_free(&a.body);
    buf_free(&b.body);
    hang_up(&w, one);
    hang_up(&w, two);
    close_world(&w);
}

/* --- the guard --- */

static void put_value(struct buf *out, uint32_t number, struct str msgpack)
{
    size_t mark = pb_open(out, number);
    pb_put_bytes(out, 1, msgpack);
    pb_close(out, mark);
}

static void make_apply(struct buf *out, struct str prior, struct str planned)
{
    out->len = 0;
    pb_put_bytes(out, 1, STR("lab_thing"));
    put_value(out, 2, prior);
    put_value(out, 3, planned);
    pb_put_bytes(out, 5, STR("private"));
}

static void changes_are_asked_about(void **state)
{
    (void)state;
    static const struct {
        struct str prior, planned;
        enum guard_kind kind;
    } cases[] = {
        {STR_INIT("\xc0"), STR_INIT("\x80"), GUARD_CREATE},
        {STR_INIT("\x80"), STR_INIT("\x80"), GUARD_UPDATE},
        {STR_INIT("\x80"), STR_INIT("\xc0"), GUARD_DELETE},
    };
    struct world w;
    struct answer a = {0};
    AUTO_BUF request = {.limit = 1 << 20};
    open_world(&w);
    struct grpc_conn *conn = dial(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_apply(&request, cases[i].prior, cases[i].planned);
        w.says = (struct guard_answer){.allow = true};
        call(&w, conn, APPLY, buf_view(&request), &a);
        assert_int_equal(a.status, GRPC_OK);
        assert_true(str_equal(buf_view(&a.body), buf_view(&request))); /* the provider had it */
        assert_int_equal(w.kind, cases[i].kind);
        assert_string_equal(w.type, "lab_thing");
        w.says = (struct guard_answer){.summary = STR("no"), .detail = STR("not today")};
        call(&w, conn, APPLY, buf_view(&request), &a);
        assert_int_equal(a.status, GRPC_OK);
        assert_true(str_find(buf_view(&a.body), STR("\x08\x01\x12\x02no\x1a\x09not today"), 0) !=
                    SIZE_MAX);
        assert_true(str_find(buf_view(&a.body), STR("lab_thing"), 0) == SIZE_MAX);
    }
    struct proxy_counts n = proxy_counts(w.proxy);
    assert_true(w.asked == 6 && n.changes == 6 && n.allowed == 3 && n.refused == 3);
    w.says = (struct guard_answer){0};
    call(&w, conn, INVOKE, STR("x"), &a);
    assert_int_equal(a.status, GRPC_PERMISSION_DENIED);
    assert_int_equal(w.kind, GUARD_UNKNOWN);
    call(&w, conn, LATER, STR("x"), &a);
    assert_int_equal(a.status, GRPC_PERMISSION_DENIED);
    w.says = (struct guard_answer){.allow = true};
    call(&w, conn, APPLY, STR("\x0a\x7f"), &a); /* what cannot be read is not passed on */
    assert_int_equal(a.status, GRPC_INVALID_ARGUMENT);
    call(&w, conn, CONFIGURE, STR("x"), &a);
    call(&w, conn, READ, STR("\n\001x"), &a);
    assert_int_equal(w.asked, 8); /* nobody is asked about what changes nothing */
    buf_free(&a.body);
    hang_up(&w, conn);
    close_world(&w);
}

/* Ends in the middle of everything: nothing is left, nothing is used after its end. */
static void it_may_end_at_any_time(void **state)
{
    (void)state;
    for (int turns = 0; turns < 12; turns++) {
        struct world w;
        struct answer a = {0}, b = {0}, c = {0};
        open_world(&w);
        struct grpc_conn *one = dial(&w), *two = dial(&w);
        (void)start(one, READ, STR("\n\004hang"), &a);
        (void)start(one, SCHEMA, STR(""), &b);
        (void)start(two, CONFIGURE, STR("x"), &c);
        for (int i = 0; i < turns * turns / 2; i++)
            assert_true(loop_turn(&w.loop, 10, NULL));
        if (turns % 3 == 0)
            grpc_close(one);
        if (turns % 3 == 1)
            (void)loop_turn(&w.loop, 10, NULL);
        proxy_shutdown(w.proxy);
        if (turns % 3 != 0)
            grpc_close(one);
        grpc_close(two);
        buf_free(&a.body);
        buf_free(&b.body);
        buf_free(&c.body);
        close_world(&w);
    }
}

static bool has_grpcio(void)
{
    return system("/usr/bin/python3 -c 'import grpc' 2>/dev/null") == 0; /* NOLINT(cert-env33-c) */
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const char *ci = getenv("CI");
    if (!has_grpcio()) {
        print_message("enforce/provider_proxy/service: skipped: no python3-grpcio\n");
        return ci && strcmp(ci, "true") == 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_back_as_it_was),
        cmocka_unit_test(errors_keep_their_status_and_words),
        cmocka_unit_test(many_calls_at_once),
        cmocka_unit_test(what_is_cancelled_is_cancelled),
        cmocka_unit_test(a_process_that_is_as_new_serves_the_next),
        cmocka_unit_test(a_crash_is_told_and_stays_where_it_was),
        cmocka_unit_test(changes_are_asked_about),
        cmocka_unit_test(it_may_end_at_any_time),
    };
    return cmocka_run_group_tests_name("enforce/provider_proxy/service", tests, NULL, NULL);
}
