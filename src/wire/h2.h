/* h2.h - an HTTP/2 connection of either side, whose streams are passed on as they come: heads,
 * bytes with back pressure, trailers. What a relay of gRPC stands on; wire/grpc.h is the client.
 *
 * Shape:   one nghttp2 session on a descriptor of ours, driven by a loop; no thread, nothing whole
 *          is kept. Bytes that were received count against the sender's window until h2_consume()
 * Owner:   the connection owns its descriptor and its streams. A stream ends with exactly one
 *          on_close, also when the connection breaks or is closed; it is gone after that
 * Limits:  H2_STREAM_WINDOW bytes unread a stream, H2_CONNECTION_WINDOW a connection,
 *          H2_STREAMS_MAX streams, H2_HEADERS_MAX headers and H2_HEAD_BYTES_MAX bytes a head
 * Source:  RFC 9113; grpc PROTOCOL-HTTP2.md
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct loop;
struct ssl_ctx_st; /* SSL_CTX */

enum {
    H2_STREAM_WINDOW = 2 << 20,
    H2_CONNECTION_WINDOW = 64 << 20,
    H2_STREAMS_MAX = 1000,
    H2_HEADERS_MAX = 200,
    H2_HEAD_BYTES_MAX = 256 << 10,
};

/* Why a stream is reset: error codes of RFC 9113, section 7. */
enum h2_code { H2_NO_ERROR = 0, H2_INTERNAL = 2, H2_REFUSED = 7, H2_CANCEL = 8 };

struct h2_conn;
struct h2_stream;
struct h2_header {
    struct str name, value;
};

/*
 * `stream_ctx` is what h2_request() or on_stream gave. These run inside the session: they may call
 * everything here on any connection but h2_close(), which is for on_down and for tasks of the loop.
 */
struct h2_events {
    /* Server: a request's head, its pseudo-headers first. The result is the stream's ctx; NULL =
     * it was answered or reset here, and nothing more is told of it. */
    void *(*on_stream)(void *ctx, struct h2_stream *stream, const struct h2_header *headers,
                       size_t n);
    /* Client: the answer's head. end = there is nothing behind it. */
    void (*on_head)(void *stream_ctx, const struct h2_header *headers, size_t n, bool end);
    void (*on_data)(void *stream_ctx, struct str bytes);
    void (*on_trailers)(void *stream_ctx, const struct h2_header *headers, size_t n);
    /* The other side has said all; after on_trailers too, and after a head with `end`. */
    void (*on_end)(void *stream_ctx);
    /* So many of the bytes given to h2_send() have left the stream's queue. */
    void (*on_sent)(void *stream_ctx, size_t n);
    /* code: what it was reset with; whole = both sides said all */
    void (*on_close)(void *stream_ctx, uint32_t code, bool whole);
    /* The other side's SETTINGS came: streams may begin. */
    void (*on_up)(void *ctx);
    /* Once, when the connection is lost, after on_close of all its streams; not after h2_close().
     */
    void (*on_down)(void *ctx, const struct err *why);
};

struct h2_options {
    struct loop *loop;
    int fd; /* connected or connecting, non-blocking, CLOEXEC; the connection's from now on */
    bool server;
    bool connecting;        /* connect() gave EINPROGRESS */
    struct ssl_ctx_st *tls; /* client: NULL = plaintext; the server's name is "localhost" */
    const struct h2_events *events;
    void *ctx;
};
/* On failure the descriptor is closed. */
bool h2_open(const struct h2_options *options, struct h2_conn **ret, struct err *err);
/* Streams get their on_close; NULL is fine. */
void h2_close(struct h2_conn *conn);
bool h2_is_up(const struct h2_conn *conn); /* SETTINGS came, and nobody says goodbye */
bool h2_is_down(const struct h2_conn *conn);
bool h2_is_tls(const struct h2_conn *conn);
size_t h2_streams(const struct h2_conn *conn);
/* What is queued goes out; tell the other side that no more streams are taken (server). */
void h2_goaway(struct h2_conn *conn);

/* Client: a new request, its pseudo-headers first; NULL where the connection takes none. */
struct h2_stream *h2_request(struct h2_conn *conn, const struct h2_header *headers, size_t n,
                             void *stream_ctx);
/* Server: the answer's head; end = there is nothing behind it. False: reset instead. */
bool h2_respond(struct h2_stream *stream, const struct h2_header *headers, size_t n, bool end);
void h2_send(struct h2_stream *stream, struct str bytes);
/* The same for bytes that may be taken: *bytes is emptied. */
void h2_send_buf(struct h2_stream *stream, struct buf *bytes);
/* No more bytes; n = 0: no trailers. */
void h2_finish(struct h2_stream *stream, const struct h2_header *trailers, size_t n);
void h2_reset(struct h2_stream *stream, uint32_t code);
/* Reset, and nothing more is told of it. */
void h2_forget(struct h2_stream *stream);
/* So many of the bytes of on_data are done with: the other side may send as many again. */
void h2_consume(struct h2_stream *stream, size_t n);
