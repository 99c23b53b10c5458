/* grpc.h - a gRPC client on HTTP/2 (nghttp2), on a descriptor of ours, driven by a loop.
 *
 * Shape:   one connection, any number of calls in flight, no thread. A connection is opened with a
 *          table of methods and a call names a row of it: what is not in the table cannot be called
 * Owner:   the connection owns its descriptor. A call belongs to the connection and ends with
 *          exactly one on_done, also when the connection breaks or is closed
 * Limits:  message size, bytes waiting in all calls together, and a deadline for every call
 * Errors:  a reply is good only with grpc-status 0, END_STREAM and exactly one whole message (none
 *          or more for a stream). Compressed frames, a missing status and other oddities are errors
 * Source:  grpc PROTOCOL-HTTP2.md; facts/terraform.md 1.6, facts/dependencies.md "gRPC over
 * nghttp2"
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

enum { GRPC_MESSAGE_MAX = 256 << 20, GRPC_BUFFERED_MAX = 512 << 20 };

#define GRPC_STATUSES(X) \
    X(OK, 0) \
    X(CANCELLED, 1) \
    X(UNKNOWN, 2) \
    X(INVALID_ARGUMENT, 3) \
    X(DEADLINE_EXCEEDED, 4) \
    X(NOT_FOUND, 5) \
    X(ALREADY_EXISTS, 6) \
    X(PERMISSION_DENIED, 7) \
    X(RESOURCE_EXHAUSTED, 8) \
    X(FAILED_PRECONDITION, 9) \
    X(ABORTED, 10) \
    X(OUT_OF_RANGE, 11) \
    X(UNIMPLEMENTED, 12) \
    X(INTERNAL, 13) \
    X(UNAVAILABLE, 14) \
    X(DATA_LOSS, 15) \
    X(UNAUTHENTICATED, 16)
#define X(name, number) GRPC_##name = number,
enum grpc_status { GRPC_STATUSES(X) };
#undef X
const char *grpc_status_name(enum grpc_status status); /* "UNAVAILABLE" */

struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    bool stream;      /* the server answers with a stream */
};

struct grpc_conn;
struct grpc_call;

struct grpc_reply {
    enum grpc_status status;
    struct str text;      /* grpc-message decoded, or our own words; status not 0 */
    struct str message;   /* status 0, not a stream: the reply's bytes */
    bool not_processed;   /* the server never saw it (REFUSED_STREAM, GOAWAY): may be sent again */
    bool connection_down; /* the connection broke under it */
    struct buf *body;     /* holds `message`: may be taken (copied and zeroed) by the callback */
};
/* Everything in reply is valid during the call only. It may start calls and close the connection.
 */
typedef void (*grpc_done)(void *ctx, const struct grpc_reply *reply);
/* A message of a stream; it must not touch the connection. */
typedef void (*grpc_item)(void *ctx, struct str message);

struct grpc_options {
    struct loop *loop;
    int fd; /* connected or connecting, non-blocking, CLOEXEC; the connection's from now on */
    bool connecting;        /* connect() gave EINPROGRESS */
    struct ssl_ctx_st *tls; /* NULL = plaintext; the server's name is "localhost" */
    const struct grpc_method *methods;
    size_t nmethods;
    size_t max_message, max_buffered; /* 0 = GRPC_MESSAGE_MAX, GRPC_BUFFERED_MAX */
    /* Once, when the connection is lost or broken, after all its calls were answered; not after
     * grpc_close(). It may close the connection. */
    void (*on_down)(void *ctx, const struct err *why);
    void *ctx;
};
/* On failure the descriptor is closed. */
bool grpc_open(const struct grpc_options *options, struct grpc_conn **ret, struct err *err);
/* Answers calls in flight with CANCELLED, then closes. NULL is fine. */
void grpc_close(struct grpc_conn *conn);

/*
 * Start a call of methods[method]. The message is copied. Sent at the end of this loop turn
 * together with all others, and not before the server's SETTINGS came.
 * timeout_ms  from now until the answer is complete, > 0; 0 = none, for streams only
 * on_item     for streams, else NULL
 * ret         the call, valid until on_done; may be NULL
 * Fails with ERR_UNAVAILABLE on a connection that is down; on_done is then not called.
 */
bool grpc_call_start(struct grpc_conn *conn, size_t method, struct str message, int timeout_ms,
                     grpc_item on_item, grpc_done on_done, void *ctx, struct grpc_call **ret,
                     struct err *err);
/* RST_STREAM CANCEL and on_done with CANCELLED before this returns. */
void grpc_call_cancel(struct grpc_call *call);

/* On to another loop, perhaps of another thread: first off the one that it is on, with no call in
 * flight but those without a deadline; then onto the other. In between nothing may be called but
 * grpc_close() and grpc_join(). */
void grpc_leave(struct grpc_conn *conn);
bool grpc_join(struct grpc_conn *conn, struct loop *loop, struct err *err);

bool grpc_is_up(const struct grpc_conn *conn);
size_t grpc_in_flight(const struct grpc_conn *conn);

/* Percent-decoding of grpc-message: what is not %XX stays; in place; the new length. */
size_t grpc_decode_text(char *text, size_t len);
