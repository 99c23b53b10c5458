/* test_grpc.c - the gRPC client against a server made of nghttp2 on the other end of a socket pair:
 * what a reply must be, and that everything else is an error. */
#include "base/test.h"

#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "wire/grpc.h"

enum { METHOD_UNARY, METHOD_STREAM, METHODS };
static const struct grpc_method methods[METHODS] = {
    [METHOD_UNARY] = {"/test.Test/Unary", false},
    [METHOD_STREAM] = {"/test.Test/Stream", true},
};

/* What the server answers to every request. */
struct script {
    const char *says;
    const char *http_status; /* NULL = "200" */
    struct str data;         /* DATA bytes, sent `piece` at a time */
    size_t piece;            /* 0 = at once */
    const char *grpc_status; /* of the trailers; NULL = none */
    const char *grpc_message;
    bool trailers_only;
    uint32_t reset; /* RST_STREAM with that code in place of an answer */
    bool silent, goaway, no_settings, close_after_request;
    size_t method, max_message;
    /* what the client must make of it */
    enum grpc_status want;
    const char *want_text;
    struct str want_message;
    size_t want_items;
    bool want_not_processed, want_down;
};

struct server {
    int fd;
    struct loop_watch watch;
    struct loop *loop;
    nghttp2_session *session;
    const struct script *script;
    size_t sent; /* of script->data */
    bool close;
    int requests;
};

static nghttp2_nv nv(const char *name, const char *value)
{
    union {
        const char *in;
        uint8_t *out;
    } n = {name}, v = {value};
    return (nghttp2_nv){n.out, v.out, strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE};
}

static ssize_t send_data(nghttp2_session *session, int32_t stream_id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)source;
    struct server *s = user;
    const struct script *script = s->script;
    size_t sent = script->piece ? s->sent : 0; /* in pieces: one request at a time */
    size_t left = script->data.len - sent, n = left < room ? left : room;
    if (script->piece && n > script->piece)
        n = script->piece;
    if (n)
        memcpy(to, script->data.ptr + sent, n);
    s->sent = sent + n;
    if (n < left)
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (script->grpc_status) {
        nghttp2_nv trailers[] = {
            nv("grpc-status", script->grpc_status),
            nv("grpc-message", script->grpc_message ? script->grpc_message : "")};
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        assert_int_equal(nghttp2_submit_trailer(session, stream_id, trailers, 2), 0);
    }
    return (ssize_t)n;
}

static void respond(struct server *s, int32_t stream_id)
{
    const struct script *script = s->script;
    const char *status = script->http_status ? script->http_status : "200";
    nghttp2_nv headers[] = {nv(":status", status), nv("content-type", "application/grpc"),
                            nv("grpc-status", script->grpc_status ? script->grpc_status : "0"),
                            nv("grpc-message", script->grpc_message ? script->grpc_message : "")};
    nghttp2_data_provider provider = {.read_callback = send_data};
    s->sent = 0;
    if (script->reset)
        (void)nghttp2_submit_rst_stream(s->session, NGHTTP2_FLAG_NONE, stream_id, script->reset);
    else if (script->goaway)
        (void)nghttp2_submit_goaway(s->session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
    else if (script->trailers_only)
        (void)nghttp2_submit_response(s->session, stream_id, headers, 4, NULL);
    else if (!script->silent)
        (void)nghttp2_submit_response(s->session, stream_id, headers, 2, &provider);
}

static int on_request(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct server *s = user;
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
        (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS))
        return 0;
    s->requests++;
    s->close = s->script->close_after_request;
    respond(s, frame->hd.stream_id);
    return 0;
}

/* One send for all: a socket pair holds few small ones, and the other end is in this thread. */
static void server_flush(struct server *s)
{
    AUTO_BUF out = {.limit = 1 << 20};
    const uint8_t *bytes;
    ssize_t n;
    while ((n = nghttp2_session_mem_send(s->session, &bytes)) > 0)
        buf_add(&out, bytes, (size_t)n);
    if (out.len)
        assert_int_equal(send(s->fd, out.ptr, out.len, MSG_NOSIGNAL), out.len);
}

static void on_server_ready(void *ctx, uint32_t events)
{
    (void)events;
    struct server *s = ctx;
    uint8_t bytes[65536];
    ssize_t n = recv(s->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0)
        (void)nghttp2_session_mem_recv(s->session, bytes, (size_t)n);
    if (!s->close && !s->script->no_settings) /* or it stays mute */
        server_flush(s);
    if (n == 0 || s->close) {
        loop_watch_remove(s->loop, &s->watch);
        close(s->fd);
        s->fd = -1;
    }
}

static void server_open(struct server *s, struct loop *loop, int fd, const struct script *script)
{
    nghttp2_session_callbacks *callbacks;
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    *s = (struct server){.fd = fd, .loop = loop, .script = script};
    s->watch = (struct loop_watch){.fd = fd, .on_ready = on_server_ready, .ctx = s};
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_request);
    assert_int_equal(nghttp2_session_server_new(&s->session, callbacks, s), 0);
    nghttp2_session_callbacks_del(callbacks);
    if (!script->no_settings)
        (void)nghttp2_submit_settings(s->session, NGHTTP2_FLAG_NONE, settings, 1);
    assert_true(loop_watch_set(loop, &s->watch, EPOLLIN, NULL));
}

static void server_close(struct server *s)
{
    loop_watch_remove(s->loop, &s->watch);
    nghttp2_session_del(s->session);
    if (s->fd >= 0)
        close(s->fd);
}

struct outcome {
    int done, down;
    size_t items;
    struct grpc_reply reply;
    char text[256], message[256];
    struct grpc_conn *conn;
    int more; /* calls to start from on_done */
};

static void on_item(void *ctx, struct str message)
{
    struct outcome *o = ctx;
    (void)message;
    o->items++;
}

static void on_done(void *ctx, const struct grpc_reply *reply)
{
    struct outcome *o = ctx;
    o->done++;
    o->reply = *reply;
    (void)snprintf(o->text, sizeof o->text, "%.*s", STR_ARG(reply->text));
    (void)snprintf(o->message, sizeof o->message, "%.*s", STR_ARG(reply->message));
    if (o->more > 0) {
        o->more--;
        assert_true(grpc_call_start(o->conn, METHOD_UNARY, STR("next"), 5000, NULL, on_done, o,
                                    NULL, NULL));
    }
}

static void on_down(void *ctx, const struct err *why)
{
    struct outcome *o = ctx;
    assert_int_equal(why->kind, ERR_UNAVAILABLE);
    o->down++;
}

struct pair {
    struct loop loop;
    struct server server;
    struct grpc_conn *conn;
};

static void pair_open(struct pair *p, const struct script *script, struct outcome *o)
{
    int fds[2];
    *p = (struct pair){0};
    assert_true(loop_open(&p->loop, NULL));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    server_open(&p->server, &p->loop, fds[1], script);
    struct grpc_options options = {.loop = &p->loop,
                                   .fd = fds[0],
                                   .methods = methods,
                                   .nmethods = METHODS,
                                   .max_message = script->max_message,
                                   .on_down = on_down,
                                   .ctx = o};
    int flags = fcntl(fds[0], F_GETFL);
    (void)fcntl(fds[0], F_SETFL, flags | O_NONBLOCK);
    assert_true(grpc_open(&options, &p->conn, NULL));
    o->conn = p->conn;
}

static void pair_close(struct pair *p)
{
    grpc_close(p->conn);
    server_close(&p->server);
    assert_null(p->loop.timers);
    loop_close(&p->loop);
}

static void turn_until(struct pair *p, const int *happened, int times)
{
    int64_t end = clock_monotonic_ms() + 300000;
    while (*happened < times && clock_monotonic_ms() < end)
        assert_true(loop_turn(&p->loop, 100, NULL));
    assert_int_equal(*happened, times);
}

#define MESSAGE "\0\0\0\0\5hello"
static const struct script scripts[] = {
    {"one message and status 0", .data = STR_INIT(MESSAGE), .grpc_status = "0",
     .want_message = STR_INIT("hello")},
    {"the same, a byte at a time", .data = STR_INIT(MESSAGE), .piece = 1, .grpc_status = "0",
     .want_message = STR_INIT("hello")},
    {"an empty message", .data = STR_INIT("\0\0\0\0\0"), .grpc_status = "0"},
    {"no message", .grpc_status = "0", .want = GRPC_INTERNAL,
     .want_text = "the reply has no message"},
    {"two messages", .data = STR_INIT(MESSAGE MESSAGE), .grpc_status = "0", .want = GRPC_INTERNAL,
     .want_text = "more than one message in the reply"},
    {"a message cut short", .data = STR_INIT("\0\0\0\0\6hello"), .grpc_status = "0",
     .want = GRPC_INTERNAL, .want_text = "the reply's message is cut short"},
    {"a prefix cut short", .data = STR_INIT("\0\0\0"), .grpc_status = "0", .want = GRPC_INTERNAL,
     .want_text = "the reply's message is cut short"},
    {"no status", .data = STR_INIT(MESSAGE), .want = GRPC_INTERNAL,
     .want_text = "the reply ended without a grpc-status"},
    {"an error after the data", .data = STR_INIT(MESSAGE), .grpc_status = "2",
     .grpc_message = "a Go error", .want = GRPC_UNKNOWN, .want_text = "a Go error"},
    {"trailers only", .trailers_only = true, .grpc_status = "12",
     .grpc_message = "unknown method %C3%A9 100%25%zz%", .want = GRPC_UNIMPLEMENTED,
     .want_text = "unknown method \xc3\xa9 100%%zz%"},
    {"a status that is no number", .data = STR_INIT(MESSAGE), .grpc_status = "fine",
     .want = GRPC_UNKNOWN, .want_text = ""},
    {"HTTP 502", .http_status = "502", .data = STR_INIT("<html>"), .want = GRPC_UNKNOWN,
     .want_text = "HTTP status 502 in place of a gRPC reply"},
    {"compressed", .data = STR_INIT("\1\0\0\0\5hello"), .grpc_status = "0", .want = GRPC_INTERNAL,
     .want_text = "the reply is compressed, which was not asked for"},
    {"too large", .data = STR_INIT("\0\0\0\1\1"), .max_message = 256, .grpc_status = "0",
     .want = GRPC_RESOURCE_EXHAUSTED, .want_text = "a reply of 257 bytes, more than 256"},
    {"reset", .reset = NGHTTP2_INTERNAL_ERROR, .want = GRPC_INTERNAL,
     .want_text = "the stream was reset: HTTP/2 INTERNAL_ERROR"},
    {"refused", .reset = NGHTTP2_REFUSED_STREAM, .want = GRPC_UNAVAILABLE,
     .want_text = "the stream was reset: HTTP/2 REFUSED_STREAM", .want_not_processed = true},
    {"GOAWAY that leaves the request out", .goaway = true, .want = GRPC_UNAVAILABLE,
     .want_text = "the stream was reset: HTTP/2 REFUSED_STREAM", .want_not_processed = true,
     .want_down = true},
    {"the connection is closed", .close_after_request = true, .want = GRPC_UNAVAILABLE,
     .want_text = "the connection was closed", .want_down = true},
    {"no answer", .silent = true, .want = GRPC_DEADLINE_EXCEEDED,
     .want_text = "no answer within 300 ms"},
    {"no SETTINGS", .no_settings = true, .want = GRPC_DEADLINE_EXCEEDED,
     .want_text = "no answer within 300 ms"},
    {"a stream of three", .method = METHOD_STREAM, .data = STR_INIT(MESSAGE MESSAGE MESSAGE),
     .piece = 4, .grpc_status = "0", .want_items = 3},
    {"a stream of none", .method = METHOD_STREAM, .grpc_status = "0"},
    {"a stream cut short", .method = METHOD_STREAM, .data = STR_INIT(MESSAGE "\0\0"),
     .grpc_status = "0", .want = GRPC_INTERNAL, .want_items = 1,
     .want_text = "the reply's message is cut short"},
};

static void a_reply_is_good_or_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const struct script *script = &scripts[i];
        struct pair p;
        struct outcome o = {0};
        bool slow = script->silent || script->no_settings;
        print_message("  %s\n", script->says);
        pair_open(&p, script, &o);
        assert_true(grpc_call_start(p.conn, script->method, STR("request"), slow ? 300 : 5000,
                                    script->method == METHOD_STREAM ? on_item : NULL, on_done, &o,
                                    NULL, NULL));
        assert_int_equal(grpc_in_flight(p.conn), 1);
        turn_until(&p, &o.done, 1);
        assert_int_equal(o.reply.status, script->want);
        assert_string_equal(o.text, script->want_text ? script->want_text : "");
        assert_int_equal(strlen(o.message), script->want_message.len);
        assert_memory_equal(o.message, script->want_message.ptr, script->want_message.len);
        assert_int_equal(o.items, script->want_items);
        assert_int_equal(o.reply.not_processed, script->want_not_processed);
        assert_int_equal(grpc_in_flight(p.conn), 0);
        if (script->want_down) {
            turn_until(&p, &o.down, 1);
            assert_false(grpc_is_up(p.conn));
            assert_false(
                grpc_call_start(p.conn, METHOD_UNARY, STR(""), 1, NULL, on_done, &o, NULL, NULL));
        }
        pair_close(&p);
        assert_int_equal(o.done, 1);
        assert_int_equal(o.down, script->want_down);
    }
}

static void calls_follow_calls_on_one_connection(void **state)
{
    (void)state;
    struct pair p;
    struct outcome o = {.more = 5000};
    pair_open(&p, &scripts[0], &o);
    for (int i = 0; i < 300; i++) /* more than the server takes at once */
        assert_true(grpc_call_start(p.conn, METHOD_UNARY, STR("first"), 5000, NULL, on_done, &o,
                                    NULL, NULL));
    turn_until(&p, &o.done, 5300);
    assert_int_equal(p.server.requests, 5300);
    assert_int_equal(o.reply.status, GRPC_OK);
    pair_close(&p);
}

static void cancel_and_close_answer_at_once(void **state)
{
    (void)state;
    static const struct script silent = {.silent = true};
    struct pair p;
    struct outcome o = {0};
    struct grpc_call *call;
    pair_open(&p, &silent, &o);
    assert_true(
        grpc_call_start(p.conn, METHOD_UNARY, STR("a"), 5000, NULL, on_done, &o, &call, NULL));
    grpc_call_cancel(call); /* still waiting for SETTINGS */
    assert_int_equal(o.done, 1);
    assert_int_equal(o.reply.status, GRPC_CANCELLED);
    assert_true(
        grpc_call_start(p.conn, METHOD_UNARY, STR("b"), 5000, NULL, on_done, &o, &call, NULL));
    turn_until(&p, &p.server.requests, 1);
    grpc_call_cancel(call); /* under way */
    assert_int_equal(o.done, 2);
    assert_true(
        grpc_call_start(p.conn, METHOD_UNARY, STR("c"), 5000, NULL, on_done, &o, NULL, NULL));
    assert_false(grpc_call_start(p.conn, METHODS, STR("d"), 5000, NULL, on_done, &o, NULL, NULL));
    pair_close(&p);
    assert_int_equal(o.done, 3);
    assert_int_equal(o.reply.status, GRPC_CANCELLED);
}

static void a_body_may_be_taken(void *ctx, const struct grpc_reply *reply)
{
    struct buf *kept = ctx;
    *kept = *reply->body;
    *reply->body = (struct buf){0};
}

static void a_taken_body_outlives_the_connection(void **state)
{
    (void)state;
    struct pair p;
    struct outcome o = {0};
    struct buf kept = {0};
    pair_open(&p, &scripts[0], &o);
    assert_true(grpc_call_start(p.conn, METHOD_UNARY, STR("a"), 5000, NULL, a_body_may_be_taken,
                                &kept, NULL, NULL));
    while (!kept.ptr)
        assert_true(loop_turn(&p.loop, 100, NULL));
    assert_true(
        grpc_call_start(p.conn, METHOD_UNARY, STR("a"), 5000, NULL, on_done, &o, NULL, NULL));
    turn_until(&p, &o.done, 1);
    pair_close(&p);
    assert_int_equal(kept.len, 5);
    assert_memory_equal(kept.ptr, "hello", 5);
    buf_free(&kept);
}

/* Whatever bytes the other side sends: no crash, and the calls are answered. */
static void rubbish_ends_the_connection(void **state)
{
    (void)state;
    static const struct script silent = {.silent = true, .no_settings = true};
    unsigned seed = 7;
    for (int round = 0; round < 200; round++) {
        struct pair p;
        struct outcome o = {0};
        unsigned char bytes[512] = {0, 0, 0, 4}; /* an empty SETTINGS frame: it begins well */
        for (size_t i = 9; i < sizeof bytes; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[i] = (unsigned char)(i % 9 < 2 ? 0 : seed >> 16);
        }
        pair_open(&p, &silent, &o);
        assert_true(
            grpc_call_start(p.conn, METHOD_UNARY, STR("a"), 200, NULL, on_done, &o, NULL, NULL));
        assert_int_equal(send(p.server.fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
        if (round % 2) {
            loop_watch_remove(&p.loop, &p.server.watch);
            shutdown(p.server.fd, SHUT_RDWR);
        }
        turn_until(&p, &o.done, 1);
        assert_int_not_equal(o.reply.status, GRPC_OK);
        pair_close(&p);
    }
}

static void names_of_statuses(void **state)
{
    (void)state;
    assert_string_equal(grpc_status_name(GRPC_OK), "OK");
    assert_string_equal(grpc_status_name(GRPC_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(grpc_status_name((enum grpc_status)99), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_is_good_or_an_error),
        cmocka_unit_test(calls_follow_calls_on_one_connection),
        cmocka_unit_test(cancel_and_close_answer_at_once),
        cmocka_unit_test(a_taken_body_outlives_the_connection),
        cmocka_unit_test(rubbish_ends_the_connection),
        cmocka_unit_test(names_of_statuses),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("wire/grpc", tests, NULL, NULL);
}
