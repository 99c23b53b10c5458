/* test_listener.c - the listener over real sockets: framing, credentials, limits, draining. */
#include "base/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "serve/listener.h"
#include "serve/log.h"

#define READER "plumb_reader"
#define APPLIER "plumb_applier"
#define EXPIRED "plumb_expired"

enum { PATIENCE_MS = 300000 }; /* for what must come: only a fault makes it end */

struct service {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct request *held;
    pthread_t late;
    unsigned begun; /* how often `late` was started */
    bool keep;      /* what is held is not answered yet */
    struct stream *stream;
    bool was_gone;
};

static void start_late(struct service *service, void *(*run)(void *))
{
    (void)pthread_mutex_lock(&service->lock);
    assert_int_equal(pthread_create(&service->late, NULL, run, service), 0);
    service->begun++;
    (void)pthread_cond_broadcast(&service->changed);
    (void)pthread_mutex_unlock(&service->lock);
}

/* Until `late` was started for the nth time. */
static void await_late(struct service *service, unsigned n)
{
    (void)pthread_mutex_lock(&service->lock);
    while (service->begun < n)
        (void)pthread_cond_wait(&service->changed, &service->lock);
    (void)pthread_mutex_unlock(&service->lock);
}

static void set_keep(struct service *service, bool keep)
{
    (void)pthread_mutex_lock(&service->lock);
    service->keep = keep;
    (void)pthread_cond_broadcast(&service->changed);
    (void)pthread_mutex_unlock(&service->lock);
}

static void echo(void *ctx, struct request *request)
{
    struct answer answer = {.status = 200, .type = "text/plain", .body = request->body};
    (void)ctx;
    request_answer(request, &answer);
}

static void rest(void *ctx, struct request *request)
{
    AUTO_BUF text = {.limit = 4096};
    struct str id = {0};
    (void)ctx;
    (void)request_param(request, "ID", &id);
    buf_printf(&text, "%.*s id=%.*s who=%.*s", STR_ARG(request->rest), STR_ARG(id),
               STR_ARG(request->who.name));
    struct answer answer = {.status = 200, .type = "text/plain", .body = buf_view(&text)};
    request_answer(request, &answer);
}

static void *answer_later(void *ctx)
{
    struct service *service = ctx;
    struct answer answer = {.status = 200, .type = "text/plain", .body = STR("late")};
    (void)pthread_mutex_lock(&service->lock);
    while (service->keep)
        (void)pthread_cond_wait(&service->changed, &service->lock);
    (void)pthread_mutex_unlock(&service->lock);
    (void)usleep(100000); /* so that whoever waits for it does wait */
    (void)pthread_mutex_lock(&service->lock);
    struct request *request = service->held;
    service->held = NULL;
    (void)pthread_mutex_unlock(&service->lock);
    request_answer(request, &answer);
    return NULL;
}

static void hold(void *ctx, struct request *request)
{
    struct service *service = ctx;
    (void)pthread_mutex_lock(&service->lock);
    service->held = request;
    (void)pthread_mutex_unlock(&service->lock);
    start_late(service, answer_later);
}

static void refuse(void *ctx, struct request *request)
{
    struct err err = {0};
    (void)ctx;
    (void)err_set(&err, ERR_UNAVAILABLE, "no \"store\"");
    request_failed(request, &err);
}

/* Writes as fast as it may, until the other side is gone or it has written enough. */
static void *write_on(void *ctx)
{
    struct service *service = ctx;
    static char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    for (int i = 0; i < 400 && !stream_is_gone(service->stream);) {
        if (stream_write(service->stream, (struct str){bytes, sizeof bytes}))
            i++;
        else
            (void)usleep(5000);
    }
    while (!stream_write(service->stream, STR("the end\n")) && !stream_is_gone(service->stream))
        (void)usleep(5000);
    service->was_gone = stream_is_gone(service->stream);
    stream_close(service->stream);
    return NULL;
}

static void stream(void *ctx, struct request *request)
{
    struct service *service = ctx;
    service->stream = stream_open(request);
    assert_non_null(service->stream);
    assert_true(stream_write(service->stream, STR("the beginning\n")));
    start_late(service, write_on);
    const struct answer answer = {
        .status = 200, .type = "text/event-stream", .stream = service->stream};
    request_answer(request, &answer);
}

static const struct listener_route routes[] = {
    {.method = "GET", .path = "/health", .open = true, .quick = true, .answer = echo},
    {.method = "POST", .path = "/echo", .role = ROLE_READ, .body_max = 100000, .answer = echo},
    {.method = "LOCK", .path = "/states/*", .role = ROLE_APPLY, .body_max = 1000, .answer = rest},
    {.method = "GET", .path = "/states/*", .role = ROLE_READ, .quick = true, .answer = rest},
    {.method = "GET", .path = "/hold", .role = ROLE_READ, .quick = true, .answer = hold},
    {.method = "GET", .path = "/stream", .role = ROLE_READ, .answer = stream},
    {.method = "GET", .path = "/fail", .role = ROLE_READ, .answer = refuse},
    {.method = "GET", .path = "/unsaid", .answer = echo},
};

struct world {
    struct listener *listener;
    struct service service;
    struct log log;
    int port;
};

static int64_t wall(void *clock)
{
    (void)clock;
    return 1000000;
}

static void set_tokens(struct listener *listener)
{
    struct token tokens[] = {
        {.id = 1, .name = STR("reader"), .role = ROLE_READ},
        {.id = 2, .name = STR("applier"), .role = ROLE_APPLY, .stacks = STR("prod/*")},
        {.id = 3, .name = STR("old"), .role = ROLE_ADMIN, .expires_utc_ms = 1000000},
    };
    static const char *const texts[] = {READER, APPLIER, EXPIRED};
    for (size_t i = 0; i < 3; i++)
        assert_true(token_hash(str_from(texts[i]), &tokens[i].hash, NULL));
    struct token_set *set = token_set_make(tokens, 3, 0);
    assert_non_null(set);
    listener_set_tokens(listener, set);
}

static void begin(struct world *world, struct listener_options options)
{
    struct err err = {0};
    (void)pthread_mutex_init(&world->service.lock, NULL);
    (void)pthread_cond_init(&world->service.changed, NULL);
    options.head_ms = options.head_ms ? options.head_ms : PATIENCE_MS;
    options.body_ms = options.body_ms ? options.body_ms : PATIENCE_MS;
    options.idle_ms = options.idle_ms ? options.idle_ms : PATIENCE_MS;
    options.slow_ms = options.slow_ms ? options.slow_ms : PATIENCE_MS;
    options.address = options.address.len ? options.address : STR("127.0.0.1:0");
    options.route = routes;
    options.nroutes = sizeof routes / sizeof *routes;
    options.service = &world->service;
    options.log = &world->log;
    options.now_ms = wall;
    assert_true(listener_start(&world->listener, &options, &err));
    set_tokens(world->listener);
    struct str address = listener_address(world->listener);
    world->port = atoi(address.ptr + str_find_char(address, ':', 0) + 1);
}

static int dial(const struct world *world)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)world->port)};
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* Everything that comes until the other side closes. */
static void read_all(int fd, char *to, size_t room)
{
    size_t n = 0;
    for (ssize_t got; n + 1 < room && (got = recv(fd, to + n, room - 1 - n, 0)) > 0;)
        n += (size_t)got;
    to[n] = '\0';
    (void)close(fd);
}

static void ask(const struct world *world, const char *text, char *to, size_t room)
{
    int fd = dial(world);
    size_t len = strlen(text);
    (void)!send(fd, text, len, MSG_NOSIGNAL);
    read_all(fd, to, room);
}

#define H "Host: x\r\nConnection: close\r\n"
#define AS_READER "Authorization: Bearer " READER "\r\n"
#define AS_APPLIER "Authorization: Bearer " APPLIER "\r\n"

/* What is sent, and what the answer has. */
static const struct {
    const char *says, *sent, *status, *has;
} cases[] = {
    {"open path", "GET /health HTTP/1.1\r\n" H "\r\n", "200", ""},
    {"no credential", "GET /hold HTTP/1.1\r\n" H "\r\n", "401", "WWW-Authenticate: Bearer"},
    {"no credential, no such path", "GET /none HTTP/1.1\r\n" H "\r\n", "401", "credential"},
    {"wrong token", "GET /hold HTTP/1.1\r\n" H "Authorization: Bearer plumb_x\r\n\r\n", "401",
     "error=\"invalid_token\""},
    {"wrong token, in words", "GET /hold HTTP/1.1\r\n" H "Authorization: Bearer plumb_x\r\n\r\n",
     "401", "not known here, or has ended"},
    {"empty token", "GET /hold HTTP/1.1\r\n" H "Authorization: Bearer \r\n\r\n", "401", ""},
    {"expired token", "GET /states/a HTTP/1.1\r\n" H "Authorization: Bearer " EXPIRED "\r\n\r\n",
     "401", ""},
    {"no such path", "GET /none HTTP/1.1\r\n" H AS_READER "\r\n", "404", "urn:plumb:problem:"},
    {"another method", "DELETE /states/x HTTP/1.1\r\n" H AS_READER "\r\n", "405",
     "Allow: LOCK, GET, HEAD\r\n"},
    {"role too low", "LOCK /states/prod HTTP/1.1\r\n" H AS_READER "\r\n", "403", "role"},
    {"a route that says nothing needs an admin", "GET /unsaid HTTP/1.1\r\n" H AS_APPLIER "\r\n",
     "403", "role"},
    {"custom method", "LOCK /states/prod/net?ID=a%20b HTTP/1.1\r\n" H AS_APPLIER "\r\n", "200",
     "prod/net id=a b who=applier"},
    {"basic", /* any:plumb_reader */
     "GET /states/x HTTP/1.1\r\n" H "Authorization: Basic YW55OnBsdW1iX3JlYWRlcg==\r\n\r\n", "200",
     "who=reader"},
    {"HEAD has no body", "HEAD /states/x HTTP/1.1\r\n" H AS_READER "\r\n", "200",
     "Content-Length: 16"},
    {"body", "POST /echo HTTP/1.1\r\n" H AS_READER "Content-Length: 5\r\n\r\nhello", "200",
     "\r\n\r\nhello"},
    {"chunked body",
     "POST /echo HTTP/1.1\r\n" H AS_READER
     "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
     "200", "\r\n\r\nhello"},
    {"empty chunked body",
     "POST /echo HTTP/1.1\r\n" H AS_READER "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200",
     "Content-Length: 0"},
    {"two lengths",
     "POST /echo HTTP/1.1\r\n" H AS_READER "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
     "400", "framing"},
    {"length and coding",
     "POST /echo HTTP/1.1\r\n" H AS_READER
     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "400", "framing"},
    {"another coding",
     "POST /echo HTTP/1.1\r\n" H AS_READER "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n", "400",
     "framing"},
    {"two codings",
     "POST /echo HTTP/1.1\r\n" H AS_READER
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
     "400", "framing"},
    {"length with a sign", "POST /echo HTTP/1.1\r\n" H AS_READER "Content-Length: +5\r\n\r\nhello",
     "400", ""},
    {"NUL in the path", "GET /health%00x HTTP/1.1\r\n" H "\r\n", "400", "target"},
    {"bad escape", "GET /health%2 HTTP/1.1\r\n" H "\r\n", "400", "target"},
    {"bad UTF-8", "GET /%ff HTTP/1.1\r\n" H "\r\n", "400", "target"},
    {"no path", "GET * HTTP/1.1\r\n" H "\r\n", "400", "target"},
    {"an error of the service", "GET /fail HTTP/1.1\r\n" H AS_READER "\r\n", "503",
     "no \\\"store\\\""},
    {"an answer later", "GET /hold HTTP/1.1\r\n" H AS_READER "\r\n", "200", "late"},
};

static void requests_get_the_answers_of_each_case(void **state)
{
    struct world world = {0};
    char got[8192];
    (void)state;
    begin(&world, (struct listener_options){0});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].says);
        ask(&world, cases[i].sent, got, sizeof got);
        assert_memory_equal(got, "HTTP/1.1 ", 9);
        assert_memory_equal(got + 9, cases[i].status, 3);
        if (!strstr(got, cases[i].has))
            fail_msg("'%s' is not in: %s", cases[i].has, got);
        assert_null(strstr(got, "plumb_"));
    }
    assert_int_equal(pthread_join(world.service.late, NULL), 0);
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_stop(world.listener);
}

static void what_is_too_large_is_refused(void **state)
{
    struct world world = {0};
    char got[8192];
    (void)state;
    begin(&world, (struct listener_options){.bodies_max = 60000});
    size_t room = 300000;
    char *sent = calloc(1, room);
    assert_non_null(sent);
    static const struct {
        size_t body;
        const char *status;
    } bodies[] = {{59000, "200"}, {70000, "503"}, {100001, "413"}, {1, "200"}};
    for (size_t i = 0; i < 4; i++) {
        int n = snprintf(sent, room,
                         "POST /echo HTTP/1.1\r\n" H AS_READER "Content-Length: %zu\r\n\r\n",
                         bodies[i].body);
        memset(sent + n, 'x', bodies[i].body);
        sent[(size_t)n + bodies[i].body] = '\0';
        ask(&world, sent, got, sizeof got);
        assert_memory_equal(got + 9, bodies[i].status, 3);
    }
    int n = snprintf(sent, room,
                     "LOCK /states/prod HTTP/1.1\r\n" H AS_APPLIER "Content-Length: 1001\r\n\r\n");
    memset(sent + n, 'x', 1001);
    sent[n + 1001] = '\0';
    ask(&world, sent, got, sizeof got);
    assert_memory_equal(got + 9, "413", 3);
    n = snprintf(sent, room, "GET /health HTTP/1.1\r\n" H "X: ");
    memset(sent + n, 'x', 40000);
    (void)snprintf(sent + n + 40000, 5, "\r\n\r\n");
    ask(&world, sent, got, sizeof got);
    assert_memory_equal(got + 9, "431", 3);
    free(sent);
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_stop(world.listener);
}

/* A byte now and then: the library's own limit would never end. */
static void a_slow_client_is_cut_off(void **state)
{
    static const char *const starts[] = {"GET /hea", "POST /echo HTTP/1.1\r\n" H AS_READER
                                                     "Content-Length: 90000\r\n\r\n"};
    struct world world = {0};
    (void)state;
    begin(&world, (struct listener_options){.head_ms = 700, .body_ms = 700});
    for (size_t i = 0; i < 2; i++) {
        int64_t began = clock_monotonic_ms();
        int fd = dial(&world);
        bool cut = false;
        (void)!send(fd, starts[i], strlen(starts[i]), MSG_NOSIGNAL);
        for (int k = 0; !cut && k < PATIENCE_MS / 100; k++) {
            char byte;
            (void)usleep(100000);
            cut = send(fd, "x", 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
        }
        (void)close(fd);
        assert_true(cut);
        assert_true(clock_monotonic_ms() - began >= 699); /* not before its time */
    }
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_stop(world.listener);
}

static const char stream_request[] =
    "GET /stream HTTP/1.1\r\n" H AS_READER "Connection: close\r\n\r\n";

/* Who reads gets all of it, from the beginning to the end. */
static void streams_go_on(void **state)
{
    struct world world = {0};
    size_t room = 400 * 65536 + (4 << 20);
    char *got = malloc(room);
    (void)state;
    assert_non_null(got);
    begin(&world, (struct listener_options){0});
    ask(&world, stream_request, got, room);
    assert_int_equal(pthread_join(world.service.late, NULL), 0);
    assert_false(world.service.was_gone);
    assert_non_null(strstr(got, "the beginning\n"));
    assert_non_null(strstr(got, "the end\n"));
    assert_true(strlen(got) > 400 * 65536);
    free(got);
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_stop(world.listener);
}

/* Its writer would go on for ever: more than the sockets take, to somebody who takes nothing. */
static void who_does_not_read_a_stream_is_cut_off(void **state)
{
    struct world world = {0};
    (void)state;
    begin(&world, (struct listener_options){.slow_ms = 700});
    int fd = dial(&world);
    assert_int_equal(send(fd, stream_request, sizeof stream_request - 1, 0),
                     (ssize_t)sizeof stream_request - 1);
    await_late(&world.service, 1);
    assert_int_equal(pthread_join(world.service.late, NULL), 0);
    assert_true(world.service.was_gone);
    (void)close(fd);
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_stop(world.listener);
}

static void what_is_being_answered_is_answered_before_the_end(void **state)
{
    struct world world = {0};
    char got[4096];
    (void)state;
    begin(&world, (struct listener_options){0});
    int fd = dial(&world);
    const char *text = "GET /hold HTTP/1.1\r\n" H AS_READER "\r\n";
    assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
    await_late(&world.service, 1);
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_stop(world.listener);
    read_all(fd, got, sizeof got);
    assert_non_null(strstr(got, "late"));
    assert_int_equal(pthread_join(world.service.late, NULL), 0);
}

/* Whoever kept a connection open is told, and the service gets nothing after it has ended. */
static void a_request_that_comes_too_late_is_refused(void **state)
{
    static const char text[] = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    struct world world = {0};
    char got[4096] = "";
    (void)state;
    begin(&world, (struct listener_options){0});
    int fd = dial(&world);
    assert_int_equal(send(fd, text, sizeof text - 1, 0), (ssize_t)(sizeof text - 1));
    assert_true(recv(fd, got, sizeof got - 1, 0) > 0);
    assert_memory_equal(got + 9, "200", 3);
    assert_true(listener_drain(world.listener, PATIENCE_MS));
    listener_halt(world.listener);
    assert_int_equal(send(fd, text, sizeof text - 1, 0), (ssize_t)(sizeof text - 1));
    read_all(fd, got, sizeof got);
    assert_memory_equal(got + 9, "503", 3);
    listener_stop(world.listener);
}

static void what_outlasts_the_draining_is_answered_all_the_same(void **state)
{
    static const char text[] = "GET /hold HTTP/1.1\r\n" H AS_READER "\r\n";
    struct world world = {0};
    char got[4096];
    (void)state;
    begin(&world, (struct listener_options){0});
    set_keep(&world.service, true);
    int fd = dial(&world);
    assert_int_equal(send(fd, text, sizeof text - 1, 0), (ssize_t)(sizeof text - 1));
    await_late(&world.service, 1);
    assert_false(listener_drain(world.listener, 10));
    set_keep(&world.service, false);
    listener_halt(world.listener);
    assert_null(world.service.held);
    listener_stop(world.listener);
    (void)read_all(fd, got, sizeof got); /* the answer may have been cut off on its way */
    assert_int_equal(pthread_join(world.service.late, NULL), 0);
}

static void addresses_that_others_reach_are_refused(void **state)
{
    static const struct {
        const char *address;
        enum err_kind kind;
    } rows[] = {{"0.0.0.0:0", ERR_USAGE},       {"[::]:0", ERR_USAGE}, {"127.0.0.1", ERR_USAGE},
                {"127.0.0.1:x", ERR_USAGE},     {"::1:80", ERR_USAGE}, {":80", ERR_USAGE},
                {"127.0.0.1:70000", ERR_USAGE}, {"", ERR_USAGE}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct listener *listener = NULL;
        struct err err = {0};
        struct log log = {0};
        struct listener_options options = {
            .address = str_from(rows[i].address), .now_ms = wall, .log = &log};
        print_message("  %s\n", rows[i].address);
        assert_false(listener_start(&listener, &options, &err));
        assert_int_equal(err.kind, rows[i].kind);
        options.anonymous = true;
        err_clear(&err);
        assert_false(listener_start(&listener, &options, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_get_the_answers_of_each_case),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(a_slow_client_is_cut_off),
        cmocka_unit_test(streams_go_on),
        cmocka_unit_test(who_does_not_read_a_stream_is_cut_off),
        cmocka_unit_test(what_is_being_answered_is_answered_before_the_end),
        cmocka_unit_test(a_request_that_comes_too_late_is_refused),
        cmocka_unit_test(what_outlasts_the_draining_is_answered_all_the_same),
        cmocka_unit_test(addresses_that_others_reach_are_refused),
    };
    return cmocka_run_group_tests_name("serve/listener", tests, NULL, NULL);
}
