/* listener.h - HTTP/1.1 over TCP or TLS: routes as a table, requests answered now or later.
 *
 * Shape:   one thread moves bytes (epoll in libmicrohttpd), a few answer; a request that is being
 *          answered keeps nobody waiting
 * Order:   head -> framing, route, credential and role are checked -> body, up to the route's limit
 *          -> route->answer() -> request_answer(), then or later, from any thread, exactly once
 * Limits:  connections (in all, per address), bytes of head and body, bytes of all bodies together,
 *          time for a head, for a body and between bytes; what is over is refused with its status
 * Auth:    bearer token, or basic with the token as password. An address other than loopback needs
 *          TLS and tokens
 * Errors:  application/problem+json (RFC 9457)
 * Secrets: tokens, queries and bodies are in no log and no answer
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/token.h"
#include "serve/telemetry.h"

struct err;
struct listener;
struct log;
struct metrics;
struct request;

struct route_parameter {
    const char *name;
    bool required;
    bool many; /* it may be there more than once */
    const char *text;
};
struct listener_route {
    const char *method; /* "GET" answers HEAD, too */
    const char *path;   /* "/v1/status"; "/v1/states/" + "*": the rest is request->rest */
    bool open;          /* needs no credential: health, the description of the interface */
    enum role role;     /* the least that may; ROLE_NONE without `open` is ROLE_ADMIN */
    bool quick; /* answer() never blocks: it may run on the thread that moves bytes, if the body is
                   small */
    size_t body_max; /* 0 = none */
    void (*answer)(void *service, struct request *request);
    /* for the description of the interface */
    const char *text;  /* one sentence */
    unsigned kept;     /* status of an answer that something was kept and is worked on; 0 = none */
    const char *gives; /* media type of the answer; NULL = application/json */
    const char *takes; /* of the body, with commas; NULL = application/json */
    const char *body;  /* what that is, in one sentence; or NULL */
    const char *signs; /* though `open`: security schemes of openapi.c, one of which it asks for */
    const struct route_parameter *parameter; /* of the query; ends with one without a name */
    const char *schema; /* a name of $defs in docs/schema/record.schema.json; or NULL */
    const char *rest;   /* what `*` of the path is: "fingerprint"; NULL = a stack's name */
};

/* Who asks. */
struct principal {
    enum role role;
    int64_t token;     /* id, 0 = none */
    struct str name;   /* the token's; "anonymous" where none is asked for */
    struct str stacks; /* glob; empty = any */
};

/* The live tokens, sorted by digest; made anew by whoever refreshes them, never changed. */
struct token_set {
    struct arena arena;
    struct token *token;
    size_t n;
};
/* A copy on the heap; NULL: no memory. */
struct token_set *token_set_make(const struct token *token, size_t n, int64_t now_utc_ms);
void token_set_free(struct token_set *set);

struct listener_options {
    struct str address;           /* "127.0.0.1:7430", "[::1]:0", "localhost:7430" */
    struct str tls_cert, tls_key; /* PEM text; both or none */
    bool anonymous;               /* nobody is asked who he is: loopback only */
    struct token_set *tokens;     /* taken, also on failure; NULL = none yet */
    const struct listener_route *route;
    size_t nroutes;
    void *service; /* for route->answer */
    const struct log *log;
    struct metrics *metrics; /* or NULL */
    /* A request's head is here: what it begins, request->span, is logged. Its end, with its status
     * (0: broken off before). Any of both NULL. */
    void (*began)(void *service, struct request *request);
    void (*done)(void *service, const struct request *request, unsigned status);
    unsigned connections_max, per_address_max, threads; /* 0 = 1000, as connections_max, 2 */
    int head_ms, idle_ms, body_ms;                      /* 0 = 10 s, 60 s, 10 min */
    int slow_ms;                    /* for what was written to a stream to be taken; 0 = 30 s */
    size_t bodies_max;              /* of all requests; 0 = 1 GiB */
    int64_t (*now_ms)(void *clock); /* wall, for tokens */
    void *clock;
};

/* Listens when it returns. ERR_USAGE: an address or certificate that cannot be; ERR_IO: taken. */
bool listener_start(struct listener **ret, const struct listener_options *options, struct err *err);
/* What listener_start checks before it does anything: the certificate, and who may listen where. */
bool listener_check(const struct listener_options *options, struct err *err);
/* Could it serve with that certificate? Nothing changes. */
bool listener_try(struct listener *listener, const struct listener_options *options,
                  struct err *err);
/* From the next request on: these routes, this service, `anonymous`, and for new connections this
 * certificate. Everything else stays as it was started with. False: nothing changed. */
bool listener_change(struct listener *listener, const struct listener_options *options,
                     struct err *err);
/* Is there a request of that service, or may there be one? */
bool listener_uses(struct listener *listener, const void *service);
/* The address it really has ("127.0.0.1:40123"), and whether it speaks TLS. */
struct str listener_address(const struct listener *listener);
bool listener_has_tls(const struct listener *listener);
/* Takes the set; requests from now on are judged by it. */
void listener_set_tokens(struct listener *listener, struct token_set *set);
/* No new connections, and no new requests on those that are open (503); waits until what is being
 * answered is answered, at most so long. True if nothing was left. */
bool listener_drain(struct listener *listener, int wait_ms);
/* From here on the service gets no request (503); returns when it has answered all that it got. */
void listener_halt(struct listener *listener);
/* Ends everything, after draining; halts first. NULL is fine. */
void listener_stop(struct listener *listener);

enum { REQUEST_HEADERS_MAX = 64 };
struct request_header {
    struct str name, value;
};

struct request {
    /* what was asked; views into `arena` */
    struct str method, path, rest, query;
    struct str body; /* into `bytes` */
    struct principal who;
    struct str peer; /* address of the other side, without port */
    const struct listener_route *route;
    struct request_header header[REQUEST_HEADERS_MAX];
    size_t nheaders;
    struct arena arena; /* lives until it is answered */
    struct buf bytes;
    int64_t started_ms; /* monotonic */
    struct telemetry_span span;

    /* the service's: chains of requests, and what it keeps with one */
    struct request *next;
    void *ctx;

    struct request_state *state; /* the listener's */
};

/* The first header of that name, whatever its case; empty where there is none. */
struct str request_header(const struct request *request, const char *name);
/* The first parameter of that name in the query, decoded; false where there is none. */
bool request_param(struct request *request, const char *name, struct str *ret);
/* The nth of that name, from 0. */
bool request_param_at(struct request *request, const char *name, size_t nth, struct str *ret);
/* Are all parameters of the query those of the route, readable, and there once where that is all
 * that they may be? False: that is answered. */
bool request_params_fit(struct request *request);
/* May this principal touch that stack? */
bool request_may_touch(const struct request *request, struct str stack);

struct answer_header {
    const char *name, *value;
};
struct answer {
    unsigned status;
    const char *type; /* "application/json"; NULL = no body */
    struct str body;  /* copied, unless take_body */
    char *take_body;  /* malloc'd, len in body.len: the listener frees it */
    struct answer_header header[4];
    struct stream *stream; /* the body, in place of the two above: it goes on after the answer */
};

/* --- answers that go on ---
 *
 * stream_open, request_answer with it, then stream_write from any thread, stream_close once. The
 * bytes wait in a buffer of STREAM_BYTES_MAX; who does not take them for slow_ms is cut off.
 */
enum { STREAM_BYTES_MAX = 384 << 10 };
struct stream;
struct stream *stream_open(struct request *request); /* NULL: no memory */
/* How much may be written now; 0 also where the other side is gone. */
size_t stream_room(struct stream *stream);
bool stream_is_gone(struct stream *stream);
/* All of it or nothing; false: there is no room, or the other side is gone. */
bool stream_write(struct stream *stream, struct str bytes);
/* What was written still goes out, then the answer ends; the stream is not ours any more. */
void stream_close(struct stream *stream);
/* Exactly once for each request; it must not be touched afterwards. */
void request_answer(struct request *request, const struct answer *answer);
/* problem: "lock-refused", which becomes its type; the title is the status' own. */
void request_problem(struct request *request, unsigned status, const char *problem, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));
/* By the kind of the error: 400, 409, 413, 500, 503 ... with its text as detail. */
void request_failed(struct request *request, const struct err *err);
