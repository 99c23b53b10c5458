/* server.h - what is served, with one configuration: its parts and its routes.
 *
 * Life:    service.h opens one, and another one for another configuration; a request belongs to
 *          the one that it began with, and to the end of it nothing of `options` changes
 */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/str.h"
#include "enforce/statelock_store.h"
#include "record/record.h"
#include "serve/hub.h"
#include "serve/listener.h"
#include "serve/metrics.h"
#include "serve/oidc.h"
#include "serve/upstream.h"

struct config;
struct err;
struct log;
struct policy;
#define X(constant, type, member, open, close, until) struct type;
PARTS(X)
#undef X

enum { SERVER_ROUTES_MAX = 64 };
/* A branch, and plumb's own clone of it. */
struct feed_code {
    struct str url, branch;
    struct str folder; /* absolute; empty: nothing is fetched */
    struct str root;   /* the working tree that plumb was started in, or empty */
    int64_t fetch_ms;
};

struct server_options {
    struct listener_options listener; /* address, TLS, limits; routes and service are ours */
    struct record_options record;
    struct lock_rules rules;
    bool guard_reads;  /* a token that may apply reads a state only under its lock while something
                          stands against an apply */
    bool metrics_open; /* /metrics needs no token */
    const struct log *log;
    struct telemetry *telemetry;                  /* of the process; or NULL */
    struct telemetry_settings telemetry_settings; /* taken with this configuration */
    const struct config *config;                  /* of plumb.yaml, or NULL */
    struct policy *policy;                        /* judges plans, one at a time; or NULL */
    struct str events_key;                        /* of signed events; empty = none */
    struct oidc_settings events_oidc;             /* of senders with such tokens */
    struct str heartbeat_url;                     /* of the dead man's switch; empty = none */
    struct str gate_key;                          /* of signed requests to the gate; empty = none */
    struct upstream upstream;              /* where states are kept instead of here; or empty */
    struct str run_task_key, run_task_url; /* of run tasks, and the host they come from */
    struct str push_key;                   /* of webhooks that tell of pushes; empty = none */
    struct feed_code code;                 /* where the code comes from, if it is fetched */
    const struct feed_code *codes;         /* that one and those of single stacks */
    size_t ncodes;
    struct str config_digest, policy_digest; /* "sha256:..."; or empty */
    struct str cache_dir;                    /* of schemas and probes; empty = none */
    void (*release)(void *owner);            /* of all that this points at; or NULL */
    void *owner;
};
struct server {
    struct server_options options;
    struct listener *_Atomic listener; /* NULL until it listens */
    struct hub *hub;
    struct server *next; /* the service's */
    atomic_bool leaving; /* another configuration takes over, or the service ends: what goes on for
                            long (a stream) ends now; the wake tells of it */
    bool resting;        /* PART_WORKS are closed */
    unsigned rests;      /* how often they were */
    size_t nroutes;
    size_t ntokens; /* live ones, at the start */
#define X(constant, type, member, open, close, until) struct type *member;
    PARTS(X)
#undef X
    struct alerter *sending; /* one at rest, until it has sent what it had begun */
    struct listener_route route[SERVER_ROUTES_MAX]; /* the table, as the options change it */
    pthread_mutex_t gate_lock;
    pthread_mutex_t write_turn; /* of all of its connections to the store */
    struct oidc *oidc;          /* NULL: no such tokens are taken */
    atomic_uint events_waiting; /* requests with events that are not written yet */
    atomic_size_t events_bytes; /* of memory that they take */
};

/* For parts and requests. There is something to do: whoever waits (hub_wait, hub_wake_fd) looks. */
static inline void server_wake(struct server *server)
{
    hub_wake(server->hub);
}
static inline struct telemetry *server_telemetry(struct server *server)
{
    return server->options.telemetry;
}
/* Is it time for what goes on for long to end? */
static inline bool server_leaving(const struct server *server)
{
    return server->leaving;
}
static inline struct metrics *server_metrics(struct server *server)
{
    return hub_metrics(server->hub);
}

/* --- for service.h --- */

/* Takes what the options own, on failure too. listener: NULL where it does not listen yet. */
bool server_open(struct server **ret, struct hub *hub, struct listener *listener,
                 const struct server_options *options, struct err *err);
/* Everything that the configuration may be wrong in and that opening a part would find, before
 * anything of another server is closed. */
bool server_check(const struct server_options *options, struct err *err);
bool server_check_oidc(const struct server_options *options, struct err *err); /* that part */
void server_close_parts(struct server *server);
void server_close(struct server *server); /* NULL is fine */
/* Ends what works on its own / begins it again; what cannot be opened may be tried again. */
void server_rest(struct server *server);
/* At rest, and nothing of it goes on by itself. */
bool server_is_done(const struct server *server);
bool server_resume(struct server *server, struct err *err);
void server_release(const struct server_options *options);
/* Of listener_options. */
void server_began(void *service, struct request *request);
void server_done(void *service, const struct request *request, unsigned status);
/* The tokens that count now, from the store. */
struct token_set *server_tokens(struct server *server, struct err *err);

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
/* serve.states.guard_reads, for a state that is kept elsewhere. False: it was answered. */
bool states_may_read(struct server *server, struct request *request);
/* Content-MD5, where the sender computed one. False: it was answered. */
bool states_digest_ok(struct request *request);

/* --- events_call.c --- */
void events_post(void *service, struct request *request);
void events_options(void *service, struct request *request);

/* --- gate_call.c, openapi.c --- */
void gate_post(void *service, struct request *request);
void openapi_get(void *service, struct request *request);

/* --- api.c: what commands show, as JSON --- */
void api_get_stacks(void *service, struct request *request);
void api_get_stack(void *service, struct request *request);
void api_get_findings(void *service, struct request *request);
void api_get_finding(void *service, struct request *request);
void api_get_runs(void *service, struct request *request);

/* --- metrics_get.c --- */
void metrics_get(void *service, struct request *request);
