/* test_h2.c - two ends of a socket pair: heads, bytes, back pressure, trailers, resets, the end. */
#include "base/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "wire/h2.h"

struct end {
    struct h2_conn *conn;
    struct h2_stream *stream;
    struct buf got, head, trailers;
    size_t sent, chunks;
    bool up, ended, closed, whole, down, hold, answer, refuse;
    uint32_t code;
};

static void add(struct buf *out, const struct h2_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%.*s=%.*s;", STR_ARG(headers[i].name), STR_ARG(headers[i].value));
}

static const struct h2_header answer_head[] = {{STR_INIT(":status"), STR_INIT("200")},
                                               {STR_INIT("content-type"), STR_INIT("test")}};
static const struct h2_header answer_trailers[] = {{STR_INIT("grpc-status"), STR_INIT("0")},
                                                   {STR_INIT("empty"), STR_INIT("")}};

static void *on_stream(void *ctx, struct h2_stream *stream, const struct h2_header *headers,
                       size_t n)
{
    struct end *e = ctx;
    e->closed = e->ended = false;
    if (e->refuse) {
        h2_reset(stream, H2_REFUSED);
        return NULL;
    }
    e->stream = stream;
    add(&e->head, headers, n);
    return e;
}

static void on_head(void *ctx, const struct h2_header *headers, size_t n, bool end)
{
    struct end *e = ctx;
    add(&e->head, headers, n);
    (void)end;
}

static void on_data(void *ctx, struct str bytes)
{
    struct end *e = ctx;
    buf_str(&e->got, bytes);
    e->chunks++;
    if (!e->hold)
        h2_consume(e->stream, bytes.len);
}

static void on_trailers(void *ctx, const struct h2_header *headers, size_t n)
{
    struct end *e = ctx;
    add(&e->trailers, headers, n);
}

static void on_end(void *ctx)
{
    struct end *e = ctx;
    e->ended = true;
    if (!e->answer)
        return;
    assert_true(h2_respond(e->stream, answer_head, 2, false));
    h2_send(e->stream, buf_view(&e->got));
    h2_finish(e->stream, answer_trailers, 2);
}

static void on_sent(void *ctx, size_t n)
{
    ((struct end *)ctx)->sent += n;
}

static void on_close(void *ctx, uint32_t code, bool whole)
{
    struct end *e = ctx;
    e->closed = true;
    e->code = code;
    e->whole = whole;
    e->stream = NULL;
}

static void on_up(void *ctx)
{
    ((struct end *)ctx)->up = true;
}

static void on_down(void *ctx, const struct err *why)
{
    assert_int_not_equal(why->kind, ERR_NONE);
    ((struct end *)ctx)->down = true;
}

static const struct h2_events events = {.on_stream = on_stream,
                                        .on_head = on_head,
                                        .on_data = on_data,
                                        .on_trailers = on_trailers,
                                        .on_end = on_end,
                                        .on_sent = on_sent,
                                        .on_close = on_close,
                                        .on_up = on_up,
                                        .on_down = on_down};

struct pair {
    struct loop loop;
    struct end client, server;
};

static void prepare(struct end *e)
{
    *e = (struct end){
        .got = {.limit = 256 << 20}, .head = {.limit = 1 << 20}, .trailers = {.limit = 1 << 20}};
}

static void turn(struct pair *p, int times)
{
    for (int i = 0; i < times; i++)
        assert_true(loop_turn(&p->loop, 5, NULL));
}

static void open_pair(struct pair *p)
{
    int fds[2];
    prepare(&p->client);
    prepare(&p->server);
    p->loop = (struct loop){0};
    assert_true(loop_open(&p->loop, NULL));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    struct h2_options options = {
        .loop = &p->loop, .fd = fds[0], .events = &events, .ctx = &p->client};
    assert_true(h2_open(&options, &p->client.conn, NULL));
    options = (struct h2_options){
        .loop = &p->loop, .fd = fds[1], .server = true, .events = &events, .ctx = &p->server};
    assert_true(h2_open(&options, &p->server.conn, NULL));
    for (int i = 0; i < 100 && !(p->client.up && p->server.up); i++)
        turn(p, 1);
    assert_true(h2_is_up(p->client.conn) && h2_is_up(p->server.conn));
}

static void close_pair(struct pair *p)
{
    h2_close(p->client.conn);
    h2_close(p->server.conn);
    loop_close(&p->loop);
    struct end *ends[] = {&p->client, &p->server};
    for (int i = 0; i < 2; i++) {
        buf_free(&ends[i]->got);
        buf_free(&ends[i]->head);
        buf_free(&ends[i]->trailers);
    }
}

static void ask(struct pair *p)
{
    static const struct h2_header headers[] = {{STR_INIT(":method"), STR_INIT("POST")},
                                               {STR_INIT(":scheme"), STR_INIT("http")},
                                               {STR_INIT(":path"), STR_INIT("/a.B/C")},
                                               {STR_INIT(":authority"), STR_INIT("localhost")},
                                               {STR_INIT("x-what"), STR_INIT("v")}};
    p->client.closed = p->client.ended = false;
    p->client.stream = h2_request(p->client.conn, headers, 5, &p->client);
    assert_non_null(p->client.stream);
}

static void everything_comes_as_it_was_sent(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    p.server.answer = true;
    ask(&p);
    h2_send(p.client.stream, STR("hello"));
    turn(&p, 3);
    assert_true(
        str_equal(buf_view(&p.server.head),
                  STR(":method=POST;:scheme=http;:path=/a.B/C;:authority=localhost;x-what=v;")));
    assert_false(p.server.ended);
    h2_send(p.client.stream, STR(" world"));
    h2_finish(p.client.stream, NULL, 0);
    for (int i = 0; i < 20 && !p.client.closed; i++)
        turn(&p, 1);
    assert_true(str_equal(buf_view(&p.client.got), STR("hello world")));
    assert_true(str_equal(buf_view(&p.client.head), STR(":status=200;content-type=test;")));
    assert_true(str_equal(buf_view(&p.client.trailers), STR("grpc-status=0;empty=;")));
    assert_true(p.client.closed && p.client.whole && p.client.ended);
    assert_true(p.server.closed && p.server.whole);
    assert_int_equal(p.client.sent, 11);
    close_pair(&p);
}

/* What is not consumed holds the sender back, and nothing more than the window is in memory. */
static void a_slow_reader_holds_the_writer_back(void **state)
{
    (void)state;
    enum { SIZE = 40 << 20 };
    struct pair p;
    struct buf big = {.limit = SIZE};
    open_pair(&p);
    p.server.hold = true;
    char *bytes = buf_room(&big, SIZE);
    assert_non_null(bytes);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)(i * 7 + (i >> 13));
    big.len = SIZE;
    char *copy = malloc(SIZE);
    assert_non_null(copy);
    memcpy(copy, bytes, SIZE);
    ask(&p);
    h2_send_buf(p.client.stream, &big);
    assert_int_equal(big.len, 0);
    h2_finish(p.client.stream, NULL, 0);
    turn(&p, 200);
    assert_int_equal(p.server.got.len, H2_STREAM_WINDOW);
    assert_int_equal(p.client.sent, H2_STREAM_WINDOW);
    p.server.hold = false;
    h2_consume(p.server.stream, H2_STREAM_WINDOW);
    for (int i = 0; i < 5000 && !p.server.ended; i++)
        turn(&p, 1);
    assert_int_equal(p.server.got.len, SIZE);
    assert_memory_equal(p.server.got.ptr, copy, SIZE);
    assert_int_equal(p.client.sent, SIZE);
    free(copy);
    close_pair(&p);
}

static void a_reset_reaches_the_other_side(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    ask(&p);
    turn(&p, 3);
    h2_reset(p.server.stream, H2_CANCEL);
    turn(&p, 3);
    assert_true(p.client.closed && !p.client.whole);
    assert_int_equal(p.client.code, H2_CANCEL);
    p.server.refuse = true;
    ask(&p);
    turn(&p, 3);
    assert_true(p.client.closed);
    assert_int_equal(p.client.code, H2_REFUSED);
    p.server.refuse = false;
    ask(&p);
    turn(&p, 3);
    h2_forget(p.client.stream);
    p.client.closed = false;
    turn(&p, 3);
    assert_true(p.server.closed);
    assert_false(p.client.closed);
    close_pair(&p);
}

static void the_end_of_a_connection_ends_its_streams(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    ask(&p);
    turn(&p, 3);
    h2_close(p.server.conn);
    p.server.conn = NULL;
    assert_true(p.server.closed && !p.server.whole && !p.server.down);
    turn(&p, 3);
    assert_true(p.client.closed && !p.client.whole && p.client.down);
    assert_true(h2_is_down(p.client.conn));
    assert_null(h2_request(p.client.conn, answer_head, 0, &p.client));
    close_pair(&p);
}

static void an_answer_may_be_a_head_alone(void **state)
{
    (void)state;
    struct pair p;
    open_pair(&p);
    ask(&p);
    h2_finish(p.client.stream, NULL, 0);
    turn(&p, 3);
    assert_true(h2_respond(p.server.stream, answer_head, 2, true));
    turn(&p, 3);
    assert_true(p.client.closed && p.client.ended && p.client.whole);
    assert_int_equal(p.client.got.len, 0);
    close_pair(&p);
}

static void what_is_no_http2_ends_the_connection(void **state)
{
    (void)state;
    static const char junk[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    struct loop loop = {0};
    struct end server;
    int fds[2];
    prepare(&server);
    assert_true(loop_open(&loop, NULL));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    struct h2_options options = {
        .loop = &loop, .fd = fds[1], .server = true, .events = &events, .ctx = &server};
    assert_true(h2_open(&options, &server.conn, NULL));
    assert_int_equal(send(fds[0], junk, sizeof junk - 1, 0), sizeof junk - 1);
    for (int i = 0; i < 20 && !server.down; i++)
        assert_true(loop_turn(&loop, 5, NULL));
    assert_true(server.down);
    h2_close(server.conn);
    loop_close(&loop);
    close(fds[0]);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_as_it_was_sent),
        cmocka_unit_test(a_slow_reader_holds_the_writer_back),
        cmocka_unit_test(a_reset_reaches_the_other_side),
        cmocka_unit_test(the_end_of_a_connection_ends_its_streams),
        cmocka_unit_test(an_answer_may_be_a_head_alone),
        cmocka_unit_test(what_is_no_http2_ends_the_connection),
    };
    return cmocka_run_group_tests_name("wire/h2", tests, NULL, NULL);
}
