/* server.h - plumb as a service: the listener, the store behind it, and what is served.
 *
 * Start:   server_start; ends with server_stop, which lets what is being answered be answered
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "enforce/statelock_store.h"
#include "record/record.h"
#include "serve/listener.h"

struct committer;
struct err;
struct log;

struct server_options {
    struct listener_options listener; /* address, TLS, limits; routes and service are ours */
    struct record_options record;
    struct lock_rules rules;
    bool guard_reads; /* a token that may apply reads a state only under its lock while something
                         stands against an apply */
    const struct log *log;
};
struct server {
    struct server_options options;
    struct listener *_Atomic listener; /* NULL until it listens */
    struct committer *committer;
    size_t ntokens; /* live ones, at the start */
};

bool server_start(struct server *ret, const struct server_options *options, struct err *err);
/* True: everything that was begun was answered within wait_ms. */
bool server_stop(struct server *server, int wait_ms);
const struct listener_route *server_routes(size_t *ret_n);

/* A connection to the store of this request alone, only for reading. False: it was answered. */
bool server_read(struct server *server, struct request *request, struct record *ret);

/* --- states.c --- */
void states_get_state(void *service, struct request *request);
void states_get_list(void *service, struct request *request);
void states_get_versions(void *service, struct request *request);
void states_lock(void *service, struct request *request);
void states_unlock(void *service, struct request *request);
void states_post(void *service, struct request *request);
void states_remove(void *service, struct request *request);
