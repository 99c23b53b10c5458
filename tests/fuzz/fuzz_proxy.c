/* fuzz_proxy.c - any bytes as what a client of the proxy sends: HTTP/2 frames, heads, and the
 * request of a change; first byte: how large the pieces are. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/loop.h"
#include "enforce/provider_proxy/message.h"
#include "enforce/provider_proxy/method.h"
#include "wire/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAMS = 8, TURNS = 6 };

struct stream {
    struct h2_stream *h2;
    struct method method;
    struct buf body;
    struct side *side;
};
struct side {
    struct stream stream[STREAMS];
    size_t n;
    bool down;
};

static const struct h2_header head[] = {{STR_INIT(":status"), STR_INIT("200")},
                                        {STR_INIT("content-type"), STR_INIT("application/grpc")}};
static const struct h2_header trailers[] = {{STR_INIT("grpc-status"), STR_INIT("0")}};

static void *on_stream(void *ctx, struct h2_stream *h2, const struct h2_header *headers, size_t n)
{
    struct side *side = ctx;
    if (side->n == STREAMS) {
        h2_reset(h2, H2_REFUSED);
        return NULL;
    }
    struct stream *s = &side->stream[side->n++];
    *s = (struct stream){.h2 = h2, .body = {.limit = 1 << 20}, .side = side};
    for (size_t i = 0; i < n; i++)
        if (str_equal(headers[i].name, STR(":path")))
            s->method = method_of(headers[i].value);
    if (s->method.protocol && s->method.kind > METHOD_CHANGE)
        abort();
    return s;
}

static void on_data(void *ctx, struct str bytes)
{
    struct stream *s = ctx;
    buf_str(&s->body, bytes);
    h2_consume(s->h2, bytes.len);
}

static void refuse(struct buf *out, struct str message)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct apply_request request;
    if (!apply_parse(&arena, message, &request, NULL))
        return;
    apply_refuse(out, &request, request.type, message);
}

static void on_end(void *ctx)
{
    struct stream *s = ctx;
    struct str message = {0};
    AUTO_BUF out = {.limit = 8 << 20};
    if (!h2_respond(s->h2, head, 2, false))
        return;
    size_t mark = message_open(&out);
    if (message_of_body(buf_view(&s->body), &message, NULL)) {
        if (message.len + GRPC_PREFIX != s->body.len)
            abort();
        refuse(&out, message);
    }
    message_close(&out, mark);
    struct str again;
    if (!out.failed && !message_of_body(buf_view(&out), &again, NULL))
        abort();
    h2_send_buf(s->h2, &out);
    h2_finish(s->h2, trailers, 1);
}

static void on_trailers(void *ctx, const struct h2_header *headers, size_t n)
{
    struct stream *s = ctx;
    for (size_t i = 0; i < n; i++)
        message_text(&s->body, headers[i].value);
}

static void on_sent(void *ctx, size_t n)
{
    (void)ctx, (void)n;
}

static void on_close(void *ctx, uint32_t code, bool whole)
{
    (void)code, (void)whole;
    ((struct stream *)ctx)->h2 = NULL;
}

static void on_down(void *ctx, const struct err *why)
{
    (void)why;
    ((struct side *)ctx)->down = true;
}

static const struct h2_events events = {.on_stream = on_stream,
                                        .on_data = on_data,
                                        .on_end = on_end,
                                        .on_trailers = on_trailers,
                                        .on_sent = on_sent,
                                        .on_close = on_close,
                                        .on_down = on_down};

static void turn(struct loop *loop, int fd)
{
    char bytes[65536];
    for (int i = 0; i < TURNS; i++) {
        (void)loop_turn(loop, 0, NULL);
        while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loop loop = {0};
    struct side side = {.n = 0};
    struct h2_conn *conn;
    int fds[2];
    if (size < 1 || size > 100000 || !loop_open(&loop, NULL))
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
        abort();
    const struct h2_options options = {
        .loop = &loop, .fd = fds[0], .server = true, .events = &events, .ctx = &side};
    if (!h2_open(&options, &conn, NULL))
        abort();
    size_t piece = data[0] ? (size_t)data[0] * 16 : size;
    for (size_t at = 1; at < size && !side.down; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        if (send(fds[1], data + at, n, MSG_NOSIGNAL) < 0)
            break;
        turn(&loop, fds[1]);
    }
    h2_close(conn);
    loop_close(&loop);
    close(fds[1]);
    for (size_t i = 0; i < side.n; i++)
        buf_free(&side.stream[i].body);
    return 0;
}
