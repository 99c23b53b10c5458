/* listener_parts.h - what the files of the listener share. */
#pragma once
#include <pthread.h>

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

struct connection; /* one for each socket: its deadline */

struct request_state {
    struct listener *listener;
    struct MHD_Connection *connection;
    struct connection *socket;
    enum request_step step;
    struct MHD_Response *response;
    unsigned status;
    size_t counted; /* bytes of the budget for bodies */
    bool close;     /* nothing more on this connection */
};

struct listener {
    struct listener_options options;
    struct mhd mhd;
    struct MHD_Daemon *daemon;
    int fd;
    char address[80];
    char *cert, *key; /* PEM, NUL-ended; the library keeps views */

    pthread_mutex_t lock; /* what follows */
    pthread_cond_t work, idle, tick;
    struct request *first, *last; /* for the threads */
    size_t active;                /* requests that began and are not done with */
    size_t working;               /* those that the service has and has not answered */
    size_t bodies;                /* bytes of theirs */
    struct connection *sockets;
    struct token_set *tokens;
    bool stopping, draining;

    pthread_t *thread;
    size_t nthreads;
    pthread_t sweeper;
    bool swept;
};

/* --- address.c --- */

/* A listening socket and its address as text; refuses what is not loopback unless `anywhere`. */
bool address_listen(struct str address, bool anywhere, int *ret_fd, char *ret_text, size_t room,
                    struct err *err);
/* The other side's address without port, in the arena. */
struct str address_peer(struct arena *arena, const struct sockaddr *peer);

/* --- tls.c --- */

/* Do they parse, fit together, and is the certificate valid at that time? */
bool tls_check(struct str cert, struct str key, int64_t now_utc_ms, struct err *err);

/* --- routing.c --- */

/* Splits and decodes the raw target; false: malformed. */
bool routing_target(struct request *request, struct str raw);
/* NULL: none; *ret_methods then names what the path has ("GET, POST"), or is empty. */
const struct listener_route *routing_find(const struct listener *listener, struct request *request,
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
