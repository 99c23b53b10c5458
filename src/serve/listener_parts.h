/* listener_parts.h - what the files of the listener share. */
#pragma once
#include <pthread.h>

#include "serve/gnutls.h"
#include "serve/listener.h"
#include "serve/log.h"
#include "serve/mhd.h"

enum {
    URI_BYTES_MAX = 16 << 10,
    HEAD_BYTES = 32 << 10, /* what a connection may need for a head: 431 past it */
    ARENA_BYTES = 8 << 20,
    QUICK_BYTES = 64 << 10, /* a larger body goes to a thread whatever the route says */
    PROBLEM_BYTES = 4 << 10,
};

enum request_step { STEP_HEAD, STEP_BODY, STEP_BUSY, STEP_ANSWERED, STEP_SENT };

/* One for each socket. */
struct connection {
    struct connection *next, *back;
    struct door *door;
    int fd;
    int64_t deadline_ms; /* monotonic: past it the socket is shut */
};

/* What answers: requests that began with it keep it. */
struct served {
    struct served *next;
    const struct listener_route *route;
    size_t nroutes;
    void *service;
    bool anonymous;
    size_t users; /* requests that have it */
};

/* A daemon of the library, which has one certificate for life: with another one a new daemon takes
 * over the socket, and the old one ends with its last connection. */
struct door {
    struct door *next;
    struct listener *listener;
    struct MHD_Daemon *daemon;
    char *cert, *key;   /* PEM, NUL-ended; the library keeps views */
    size_t connections; /* under the listener's lock, as the next two */
    bool left;
    int64_t left_ms; /* monotonic */
};

struct request_state {
    struct listener *listener;
    struct served *served;
    struct MHD_Connection *connection;
    struct connection *socket;
    enum request_step step;
    struct MHD_Response *response;
    unsigned status;
    struct stream *stream; /* or NULL */
    size_t counted;        /* bytes of the budget for bodies */
    bool close;            /* nothing more on this connection */
};

struct listener {
    struct listener_options options;
    struct mhd mhd;
    struct gnutls gnutls; /* from the first door with TLS on */
    bool has_gnutls;
    int fd;
    char address[80];

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t work, idle, tick;
    struct request *first, *last; /* for the threads */
    size_t active;                /* requests that began and are not done with */
    size_t working;               /* those that the service has and has not answered */
    size_t bodies;                /* bytes of theirs */
    struct connection *sockets;
    struct door *door;     /* the newest first, which takes connections */
    struct served *served; /* the newest first, which takes requests */
    struct token_set *tokens;
    bool stopping, draining;

    pthread_t *thread;
    size_t nthreads;
    pthread_t sweeper;
    bool swept;
};

/* --- address.c --- */

/* A listening socket and its address as text. */
bool address_listen(struct str address, int *ret_fd, char *ret_text, size_t room, struct err *err);
/* The other side's address without port, in the arena. */
struct str address_peer(struct arena *arena, const struct sockaddr *peer);

/* Are all addresses that this stands for loopback? ERR_USAGE where not, or where it is none. */
bool address_check(struct str address, struct err *err);

/* --- door.c --- */

/* A daemon without a socket: does the library take the certificate? */
bool door_try(struct listener *listener, const struct listener_options *options, struct err *err);
/* On the listener's socket, with the certificate of these options; the door before it takes no more
 * connections. */
bool door_open(struct listener *l, const struct listener_options *options, struct err *err);
/* No door takes connections any more. */
void door_shut(struct listener *l);
/* Ends the doors that were left and have no connection; `all`: all of them, whatever they have. */
void door_tidy(struct listener *l, bool all);
/* Takes a request / gives it back; under the lock. */
struct served *served_take(struct listener *l);
void served_give(struct listener *l, struct served *served);
bool served_set(struct listener *l, const struct listener_options *options, struct err *err);

/* The callbacks of the library, in listener.c: ctx is the listener, of the second the door. */
enum MHD_Result listener_on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *bytes,
                                    size_t *nbytes, void **request_ctx);
void listener_on_connection(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
                            enum MHD_ConnectionNotificationCode what);
void listener_on_completed(void *ctx, struct MHD_Connection *connection, void **request_ctx,
                           enum MHD_RequestTerminationCode how);
void *listener_on_target(void *ctx, const char *target, struct MHD_Connection *connection);

/* The socket is shut in_ms from now; negative: it is not. */
void listener_set_deadline(struct listener *l, struct connection *c, int64_t in_ms);

/* --- stream.c --- */

/* NULL: no memory. The response has the stream, too. */
struct MHD_Response *stream_response(struct stream *stream);
/* The request is done with: nothing is asked of its connection any more. */
void stream_left(struct stream *stream);

/* --- tls.c --- */

/* Do they parse, fit together, and is the certificate valid at that time? */
bool tls_check(struct str cert, struct str key, int64_t now_utc_ms, struct err *err);
/* A client may show a certificate on this connection: it is not asked again. */
void tls_ask_client(const struct listener *l, struct MHD_Connection *connection);
/* SHA-256 of the certificate that the client showed, and has the key of; false: none. */
bool tls_client_digest(const struct listener *l, struct MHD_Connection *connection,
                       struct digest *ret);

/* --- routing.c --- */

/* Splits and decodes the raw target; false: malformed. */
bool routing_target(struct request *request, struct str raw);
/* NULL: none; *ret_methods then names what the path has ("GET, POST"), or is empty. */
const struct listener_route *routing_find(const struct served *served, struct request *request,
                                          struct str *ret_methods);
/* %XX to bytes, strictly UTF-8 without NUL and control characters; ptr NULL: malformed. */
struct str routing_decode(struct arena *arena, struct str raw, bool plus);

/* --- credential.c --- */

/* Fills request->who; false: there is no credential, or none that counts. */
bool credential_check(struct listener *listener, struct request *request);

/* --- answer.c --- */

/* The response of a problem, without answering. */
void answer_prepare(struct request *request, const struct answer *answer);
void answer_prepare_problem(struct request *request, unsigned status, const char *problem,
                            const char *detail);
