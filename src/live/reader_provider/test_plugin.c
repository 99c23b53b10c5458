/* test_plugin.c - a provider process against tests/provider/fake_provider.py, which needs
 * python3-grpcio: without it one line says that this is skipped (a failure where CI=true). */
#include "base/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/proc.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/tfplugin.h"

extern char **environ;

enum { ENV_MAX = 500 };
static const char fake_path[] = "tests/provider/fake_provider.py";

struct world {
    struct loop loop;
    struct arena arena;
    struct plugin *plugin;
    int ready, down;
    struct err ready_why, down_why;
};

static void on_ready(void *ctx, const struct err *why)
{
    struct world *w = ctx;
    w->ready++;
    w->ready_why = why ? *why : (struct err){0};
}

static void on_down(void *ctx, const struct err *why)
{
    struct world *w = ctx;
    w->down++;
    w->down_why = why ? *why : (struct err){0};
}

/* Our environment with the fake's switches. */
static const char *const *environment(struct arena *arena, const char *start, int protocol)
{
    const char **env = arena_new(arena, const char *, ENV_MAX + 8);
    size_t n = 0;
    assert_non_null(env);
    for (size_t i = 0; environ[i] && n < ENV_MAX; i++)
        env[n++] = environ[i];
    env[n++] = arena_printf(arena, "FAKE_START=%s", start).ptr;
    env[n++] = arena_printf(arena, "FAKE_PROTOCOL=%d", protocol).ptr;
    env[n++] = "TF_LOG=TRACE";
    env[n++] = "TF_LOG_PATH=/nowhere";
    env[n++] = "PLUGIN_MULTIPLEX_GRPC=true";
    return env;
}

static bool world_open(struct world *w, const char *start, int protocol, bool plaintext,
                       int start_ms)
{
    char path[1024];
    const char *root = getenv("PLUMB_ROOT");
    (void)snprintf(path, sizeof path, "%s/%s", root ? root : ".", fake_path);
    *w = (struct world){.arena = {.limit = 16 << 20}};
    assert_true(loop_open(&w->loop, NULL));
    struct plugin_spec spec = {.loop = &w->loop,
                               .name = STR("example.com/acme/fake"),
                               .path = str_from(path),
                               .env = environment(&w->arena, start, protocol),
                               .plaintext = plaintext,
                               .start_ms = start_ms,
                               .on_ready = on_ready,
                               .on_down = on_down,
                               .ctx = w};
    struct err err = {0};
    assert_true(plugin_start(&spec, &w->plugin, &err));
    return plugin_wait_ready(w->plugin, &err);
}

static void world_close(struct world *w)
{
    pid_t pid = plugin_pid(w->plugin);
    plugin_close(w->plugin);
    assert_true(pid == 0 || kill(pid, 0) < 0); /* reaped: nothing is left of it */
    arena_free(&w->arena);
    loop_close(&w->loop);
}

/* Turn until it happened, or five minutes. */
static bool turn_until(struct world *w, const int *happened)
{
    int64_t end = clock_monotonic_ms() + 300000;
    while (!*happened && clock_monotonic_ms() < end)
        assert_true(loop_turn(&w->loop, 100, NULL));
    return *happened;
}

static bool has(const struct err *err, const char *words)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    err_text(err, text, sizeof text);
    if (strstr(text, words))
        return true;
    print_message("   got: %s\n", text);
    return false;
}

/* --- starts --- */

static const struct {
    const char *start, *says; /* NULL = it starts */
    int protocol;
    bool plaintext;
    enum err_kind kind;
} starts[] = {
    {"", NULL, 6, true, ERR_NONE},
    {"", NULL, 5, true, ERR_NONE},
    {"", NULL, 6, false, ERR_NONE},
    {"", NULL, 5, false, ERR_NONE},
    {"junk", NULL, 6, true, ERR_NONE},
    {"tcp", NULL, 6, true, ERR_NONE},
    {"no-health", NULL, 6, true, ERR_NONE},
    {"exit", "it ended with exit code 3: error: cannot load the settings", 6, true,
     ERR_UNAVAILABLE},
    {"panic", "exit code 2: panic: assignment to entry in nil map", 6, true, ERR_UNAVAILABLE},
    {"silent", "no handshake within 1 s", 6, true, ERR_TIMEOUT},
    {"closed-stdout", "no handshake within 1 s", 6, true, ERR_TIMEOUT},
    {"endless-line", "a line of more than 16384 bytes", 6, true, ERR_LIMIT},
    {"endless-lines", "no handshake, but other output: not a handshake", 6, true, ERR_SYNTAX},
    {"core", "core protocol 2", 6, true, ERR_UNSUPPORTED},
    {"app", "provider protocol 4, want 5 or 6", 6, true, ERR_UNSUPPORTED},
    {"netrpc", "does not speak gRPC", 6, true, ERR_UNSUPPORTED},
    {"short", "2 fields", 6, true, ERR_SYNTAX},
    {"nowhere", "No such file or directory", 6, true, ERR_UNAVAILABLE},
    {"far", "not an address that can be used", 6, true, ERR_SYNTAX},
    {"garbage", "unexpected data while we expected SETTINGS", 6, true, ERR_UNAVAILABLE},
    {"hang-up", "the connection was closed", 6, true, ERR_UNAVAILABLE},
    {"mute", "no answer to the health check within", 6, true, ERR_TIMEOUT},
    {"not-serving", "it is not serving", 6, true, ERR_UNAVAILABLE},
    {"no-mtls", "it does not know AutoMTLS", 6, false, ERR_UNSUPPORTED},
    {"other-certificate", "certificate", 6, false, ERR_UNAVAILABLE},
    {"wrong-name", "hostname mismatch", 6, false, ERR_UNAVAILABLE},
};

static void a_start_is_good_or_says_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct world w;
        bool quick = starts[i].kind == ERR_TIMEOUT;
        print_message("  %s (protocol %d, %s)\n", starts[i].start[0] ? starts[i].start : "good",
                      starts[i].protocol, starts[i].plaintext ? "plaintext" : "mTLS");
        bool ok = world_open(&w, starts[i].start, starts[i].protocol, starts[i].plaintext,
                             quick ? 1000 : 0);
        /* a machine on which Python takes longer to come to its fault */
        for (int ms = 2000; quick && ms < 200000 && !has(&w.ready_why, starts[i].says); ms *= 2) {
            world_close(&w);
            ok = world_open(&w, starts[i].start, starts[i].protocol, starts[i].plaintext, ms);
        }
        assert_true(ok == !starts[i].says);
        assert_int_equal(w.ready, 1);
        if (ok) {
            assert_int_equal(plugin_protocol(w.plugin), starts[i].protocol);
            assert_true(plugin_memory(w.plugin) > 0);
        } else {
            assert_true(has(&w.ready_why, starts[i].says));
            assert_true(has(&w.ready_why, "provider example.com/acme/fake"));
            assert_int_equal(w.ready_why.kind, starts[i].kind);
            assert_int_equal(plugin_pid(w.plugin), 0);
        }
        world_close(&w);
        assert_int_equal(w.down, 0);
    }
}

/* --- calls --- */

struct answer {
    int done;
    struct plugin_reply reply;
    struct str text, bytes;
    struct arena arena;
};

static void on_answer(void *ctx, const struct plugin_reply *reply)
{
    struct answer *a = ctx;
    a->done++;
    a->reply = *reply;
    a->arena.limit = 64 << 20;
    a->text = arena_dup(&a->arena, reply->text);
    a->bytes = arena_dup(&a->arena, reply->bytes);
}

static void call(struct world *w, const char *type_name, int timeout_ms, struct answer *a)
{
    AUTO_BUF request = {.limit = 1 << 20};
    struct tf_read_request read = {.type_name = str_from(type_name), .state = STR("\x80")};
    tf_encode_read(&request, &read);
    *a = (struct answer){0};
    assert_true(
        plugin_call(w->plugin, PLUGIN_READ, buf_view(&request), timeout_ms, on_answer, a, NULL));
}

static const struct {
    const char *type_name, *says; /* NULL = an answer */
    enum grpc_status status;
    bool down;
    size_t least; /* bytes of the answer */
} calls[] = {
    {"thing", NULL, GRPC_OK, false, 5},
    {"large", NULL, GRPC_OK, false, 20000000},
    {"flood", NULL, GRPC_OK, false, 5},
    {"denied", "PERMISSION_DENIED: lock \xc3\xa9 refused: 100% drift", GRPC_PERMISSION_DENIED,
     false, 0},
    {"plain", "an exception of Python's", GRPC_UNKNOWN, false, 0},
    {"huge", "a reply of 300000006 bytes, more than 268435456", GRPC_RESOURCE_EXHAUSTED, false, 0},
    {"hang", "no answer within 300 ms", GRPC_DEADLINE_EXCEEDED, false, 0},
    {"crash",
     "it ended with exit code 2: panic: runtime error: index out of range [5] with length 3",
     GRPC_UNAVAILABLE, true, 0},
    {"killed", "it was ended by signal 9", GRPC_UNAVAILABLE, true, 0},
    {"grandchild", "it ended with exit code 1", GRPC_UNAVAILABLE, true, 0},
};

static void a_call_is_answered_or_says_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * sizeof calls / sizeof *calls; i++) {
        struct world w;
        struct answer a, beside;
        size_t c = i / 2;
        print_message("  %s (%s)\n", calls[c].type_name, i % 2 ? "plaintext" : "mTLS");
        assert_true(world_open(&w, "", 6, i % 2, 0));
        if (calls[c].down)
            call(&w, "slow", 0, &beside);
        call(&w, calls[c].type_name, strcmp(calls[c].type_name, "hang") ? 0 : 300, &a);
        assert_true(turn_until(&w, &a.done));
        assert_int_equal(a.reply.ok, !calls[c].says);
        assert_int_equal(a.reply.status, calls[c].status);
        assert_int_equal(a.reply.down, calls[c].down);
        assert_true(a.bytes.len >= calls[c].least);
        if (calls[c].says && str_find(a.text, str_from(calls[c].says), 0) == SIZE_MAX)
            fail_msg("got: %.*s", STR_ARG(a.text));
        if (calls[c].down) {
            assert_true(turn_until(&w, &beside.done)); /* with the same reason */
            assert_true(beside.reply.ok || str_equal(beside.text, a.text));
            assert_true(turn_until(&w, &w.down));
            assert_true(has(&w.down_why, calls[c].says));
            assert_int_equal(w.down_why.kind, ERR_UNAVAILABLE);
            assert_int_equal(plugin_pid(w.plugin), 0);
            arena_free(&beside.arena);
        } else { /* and it serves on */
            struct answer again;
            call(&w, "again", 0, &again);
            assert_true(turn_until(&w, &again.done));
            assert_true(again.reply.ok);
            arena_free(&again.arena);
        }
        arena_free(&a.arena);
        world_close(&w);
        assert_int_equal(a.done, 1);
    }
}

static void many_calls_are_in_flight_and_each_is_answered_once(void **state)
{
    (void)state;
    enum { N = 300 };
    struct world w;
    static struct answer answers[N];
    assert_true(world_open(&w, "", 6, false, 0));
    for (int i = 0; i < N; i++)
        call(&w, i % 10 ? "thing" : "hang", i % 10 ? 0 : 2000, &answers[i]);
    assert_int_equal(plugin_in_flight(w.plugin), N);
    for (int i = 0; i < N; i++)
        assert_true(turn_until(&w, &answers[i].done));
    for (int i = 0; i < N; i++) {
        assert_int_equal(answers[i].done, 1);
        assert_int_equal(answers[i].reply.status, i % 10 ? GRPC_OK : GRPC_DEADLINE_EXCEEDED);
        arena_free(&answers[i].arena);
    }
    assert_int_equal(plugin_in_flight(w.plugin), 0);
    world_close(&w);
}

static void every_method_reaches_its_name_and_no_other_is_to_be_had(void **state)
{
    (void)state;
    for (int protocol = 5; protocol <= 6; protocol++) {
        struct world w;
        assert_true(world_open(&w, "", protocol, true, 0));
        for (int m = 0; m < PLUGIN_METHOD_COUNT; m++) {
            struct err err = {0};
            struct buf body = {0};
            struct str bytes = {0};
            bool ok = plugin_call_wait(w.plugin, (enum plugin_method)m, STR("\n\001x"), 0, &body,
                                       &bytes, &err);
            bool refused = m == PLUGIN_STDIO || m == PLUGIN_SHUTDOWN;
            bool unknown = m == PLUGIN_GET_IDENTITY_SCHEMAS; /* the fake is an older provider */
            assert_int_equal(ok, !refused && !unknown);
            assert_int_equal(err.kind, refused ? ERR_USAGE : unknown ? ERR_UNSUPPORTED : ERR_NONE);
            buf_free(&body);
        }
        assert_false(plugin_call(w.plugin, PLUGIN_METHOD_COUNT, STR(""), 0, on_answer, NULL, NULL));
        world_close(&w);
    }
}

static void the_environment_is_the_users_with_ours(void **state)
{
    (void)state;
    struct world w;
    struct answer a;
    assert_true(world_open(&w, "", 6, false, 0));
    call(&w, "environment", 0, &a);
    assert_true(turn_until(&w, &a.done));
    assert_true(str_find(a.bytes, STR("PLUGIN_PROTOCOL_VERSIONS=5,6"), 0) != SIZE_MAX);
    assert_true(str_find(a.bytes, STR("TF_LOG_PROVIDER=OFF"), 0) != SIZE_MAX);
    assert_true(str_find(a.bytes, STR("TF_LOG_SDK_FRAMEWORK=OFF"), 0) != SIZE_MAX);
    assert_true(str_find(a.bytes, STR("FAKE_PROTOCOL=6"), 0) != SIZE_MAX);
    assert_true(str_find(a.bytes, STR("BEGIN CERTIFICATE"), 0) != SIZE_MAX);
    assert_true(str_find(a.bytes, STR("TF_LOG=TRACE"), 0) == SIZE_MAX);
    assert_true(str_find(a.bytes, STR("TF_LOG_PATH"), 0) == SIZE_MAX);
    assert_true(str_find(a.bytes, STR("PLUGIN_MULTIPLEX_GRPC"), 0) == SIZE_MAX);
    size_t at = str_find(a.bytes, STR("PLUGIN_UNIX_SOCKET_DIR="), 0);
    struct str dir, rest = str_sub(a.bytes, at + 23, a.bytes.len);
    (void)str_cut(&rest, '\0', &dir);
    struct str copy = arena_dup(&w.arena, dir);
    assert_true(io_is_dir(copy.ptr));
    char *lines_want = strstr(plugin_last_lines(w.plugin, &w.arena).ptr, "printed by the provider");
    assert_true(lines_want == NULL); /* no newline yet: not a line */
    arena_free(&a.arena);
    plugin_close(w.plugin);
    w.plugin = NULL;
    assert_false(io_exists(copy.ptr)); /* sockets and directory went with it */
    arena_free(&w.arena);
    loop_close(&w.loop);
}

/* --- the end --- */

/* How long the end took, in milliseconds. */
static int64_t stop_in_a_call(const char *how)
{
    struct world w;
    struct answer a;
    assert_true(world_open(&w, how, 6, true, 0));
    call(&w, "hang", 0, &a);
    int64_t began = clock_monotonic_ms();
    plugin_stop(w.plugin);
    assert_true(turn_until(&w, &w.down));
    int64_t took = clock_monotonic_ms() - began;
    assert_int_equal(w.down_why.kind, ERR_NONE);
    assert_int_equal(a.done, 1);
    assert_false(a.reply.ok);
    assert_int_equal(plugin_pid(w.plugin), 0);
    arena_free(&a.arena);
    world_close(&w);
    return took;
}

static void a_stop_is_orderly_or_forced(void **state)
{
    (void)state;
    int64_t took = stop_in_a_call("");
    for (int i = 0; took >= PLUGIN_GRACE_MS && i < 30; i++) /* a machine that is busy just then */
        took = stop_in_a_call("");
    assert_true(took < PLUGIN_GRACE_MS);
    assert_true(stop_in_a_call("ignores-shutdown") >= PLUGIN_GRACE_MS - 1);
}

static void on_answer_close(void *ctx, const struct plugin_reply *reply)
{
    struct world *w = ctx;
    (void)reply;
    w->down++;
    plugin_close(w->plugin);
    w->plugin = NULL;
}

static void a_close_may_come_from_a_callback_and_answers_the_rest(void **state)
{
    (void)state;
    struct world w;
    struct answer a;
    assert_true(world_open(&w, "", 6, false, 0));
    call(&w, "hang", 0, &a);
    assert_true(
        plugin_call(w.plugin, PLUGIN_HEALTH, STR("\n\006plugin"), 0, on_answer_close, &w, NULL));
    assert_true(turn_until(&w, &w.down));
    assert_null(w.plugin);
    assert_int_equal(a.done, 1);
    assert_int_equal(a.reply.status, GRPC_CANCELLED);
    arena_free(&a.arena);
    arena_free(&w.arena);
    loop_close(&w.loop);
}

static void what_cannot_be_run_is_an_error_at_once(void **state)
{
    (void)state;
    struct loop loop = {0};
    struct plugin *plugin;
    struct err err = {0};
    assert_true(loop_open(&loop, NULL));
    struct plugin_spec spec = {.loop = &loop, .name = STR("x"), .path = STR("/nowhere/provider")};
    assert_false(plugin_start(&spec, &plugin, &err));
    assert_true(has(&err, "run /nowhere/provider: No such file or directory"));
    loop_close(&loop);
}

/* A provider that somebody else started: used, and left alone. */
static void a_reattached_provider_is_never_stopped(void **state)
{
    (void)state;
    struct world w, other = {.arena = {.limit = 1 << 20}};
    struct answer a;
    struct err err = {0};
    assert_true(world_open(&w, "", 6, true, 0));
    call(&w, "environment", 0, &a);
    assert_true(turn_until(&w, &a.done));
    size_t at = str_find(a.bytes, STR("PLUGIN_UNIX_SOCKET_DIR="), 0);
    struct str dir, rest = str_sub(a.bytes, at + 23, a.bytes.len);
    (void)str_cut(&rest, '\0', &dir);
    struct str path =
        arena_printf(&w.arena, "%.*s/plugin%d", STR_ARG(dir), (int)plugin_pid(w.plugin));

    assert_true(loop_open(&other.loop, NULL));
    struct plugin_spec spec = {.loop = &other.loop,
                               .name = STR("reattached"),
                               .reattach = {.address = path, .protocol = 6},
                               .on_ready = on_ready,
                               .on_down = on_down,
                               .ctx = &other};
    assert_true(plugin_start(&spec, &other.plugin, &err));
    assert_true(plugin_wait_ready(other.plugin, &err));
    assert_int_equal(plugin_pid(other.plugin), 0);
    arena_free(&a.arena);
    call(&other, "thing", 0, &a);
    assert_true(turn_until(&other, &a.done));
    assert_true(a.reply.ok);
    plugin_stop(other.plugin);
    assert_int_equal(other.down, 1);
    world_close(&other);
    assert_int_equal(kill(plugin_pid(w.plugin), 0), 0);
    arena_free(&a.arena);
    call(&w, "thing", 0, &a);
    assert_true(turn_until(&w, &a.done));
    assert_true(a.reply.ok);
    arena_free(&a.arena);
    world_close(&w);
}

struct left {
    pid_t provider;
    char dir[64];
};

/* In a process of its own: start a provider, tell of it, and be killed. */
static void start_and_die(int to_fd)
{
    struct world w;
    struct answer a;
    struct left left = {0};
    if (!world_open(&w, "", 6, true, 0))
        _exit(1);
    call(&w, "environment", 0, &a);
    if (!turn_until(&w, &a.done))
        _exit(1);
    size_t at = str_find(a.bytes, STR("PLUGIN_UNIX_SOCKET_DIR="), 0);
    struct str dir, rest = str_sub(a.bytes, at + 23, a.bytes.len);
    (void)str_cut(&rest, '\0', &dir);
    (void)snprintf(left.dir, sizeof left.dir, "%.*s", STR_ARG(dir));
    left.provider = plugin_pid(w.plugin);
    if (write(to_fd, &left, sizeof left) == sizeof left)
        (void)raise(SIGKILL);
    _exit(1);
}

/* A zombie is gone, too: whoever has to reap it may be slow. */
static bool is_gone(pid_t pid)
{
    char path[64], line[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    AUTO_FILE file = fopen(path, "re");
    return !file || !fgets(line, sizeof line, file) || strstr(line, ") Z ");
}

/* It goes with us, and the next start clears away what was left. */
static void a_provider_does_not_outlive_us(void **state)
{
    (void)state;
    int ends[2];
    struct left left;
    struct world w;
    assert_int_equal(pipe(ends), 0);
    pid_t us = fork();
    assert_true(us >= 0);
    if (us == 0)
        start_and_die(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &left, sizeof left), sizeof left);
    close(ends[0]);
    assert_int_equal(waitpid(us, NULL, 0), us);
    int64_t end = clock_monotonic_ms() + 300000;
    while (!is_gone(left.provider) && clock_monotonic_ms() < end)
        usleep(20000);
    assert_true(is_gone(left.provider));
    assert_true(io_is_dir(left.dir));
    assert_true(world_open(&w, "", 6, true, 0));
    assert_false(io_is_dir(left.dir));
    world_close(&w);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_run_is_an_error_at_once),
        cmocka_unit_test(a_start_is_good_or_says_why_not),
        cmocka_unit_test(a_call_is_answered_or_says_why_not),
        cmocka_unit_test(many_calls_are_in_flight_and_each_is_answered_once),
        cmocka_unit_test(every_method_reaches_its_name_and_no_other_is_to_be_had),
        cmocka_unit_test(the_environment_is_the_users_with_ours),
        cmocka_unit_test(a_stop_is_orderly_or_forced),
        cmocka_unit_test(a_close_may_come_from_a_callback_and_answers_the_rest),
        cmocka_unit_test(a_reattached_provider_is_never_stopped),
        cmocka_unit_test(a_provider_does_not_outlive_us),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    if (!have_grpcio()) {
        const char *ci = getenv("CI");
        (void)fprintf(stderr, "live/plugin: skipped: python3-grpcio is not installed\n");
        return ci && strcmp(ci, "true") == 0 ? 1 : 0;
    }
    return cmocka_run_group_tests_name("live/plugin", tests, NULL, NULL);
}
