/* parts.h - what the files of the proxy share: a socket per provider (service), a connection of
 * Terraform's (relay), a call of it (call), a process behind (upstream).
 *
 * Life:    a call ends when both its streams have; a relay when its connection and its calls have;
 *          an upstream when its process has
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "enforce/guard.h"
#include "enforce/provider_proxy/method.h"
#include "enforce/proxy.h"
#include "live/provider_process.h"
#include "wire/h2.h"

struct call;
struct relay;
struct service;

struct upstream {
    struct service *service;
    struct provider_process *process;
    struct h2_conn *conn;
    struct relay *owner; /* NULL = waiting for one */
    bool ready;
    bool pristine;     /* it was asked nothing that stays with it */
    bool schema_asked; /* it knows its types */
    bool priming;      /* it is being asked for them, for nobody */
    bool lost, stopping;
    size_t busy; /* calls under way, but those of logs */
    struct upstream *next, *back;
};

struct call {
    struct relay *relay;
    struct upstream *upstream;   /* of `up` */
    struct h2_stream *down, *up; /* Terraform's, the provider's; NULL = ended (or not begun) */
    struct method method;        /* its name is in `head`: call_name() */
    struct buf head;             /* the request's, until it is sent: name NUL value NUL ... */
    struct buf held;             /* of the request: waits for the process or for the guard */
    size_t owed;                 /* of the request: received, and not yet consumed */
    size_t owed_up;              /* of the answer */
    size_t whole;                /* counted in proxy->held */
    bool waiting;                /* for a process */
    bool request_ended, judged, counted_busy;
    bool answered_head, answered; /* Terraform has it */
    struct buf config;            /* METHOD_CONFIGURE: a copy of the request, where it is wanted */
    bool priming;                 /* a schema asked for by the proxy: nobody's answer */
    bool lost;                    /* the process went under it: answered when it is known why */
    struct call *next, *back;
};

struct relay {
    struct service *service;
    struct h2_conn *conn;
    struct upstream *upstream;
    bool schema_seen; /* Terraform asked for the schema here */
    bool gone, doomed;
    struct err why;    /* doomed: its process crashed; nothing is started in its place */
    struct buf config; /* what Terraform configured it with, until it is told */
    struct call *calls;
    struct loop_task sweep; /* free what ended */
    struct relay *next, *back;
};

struct service {
    struct proxy *proxy;
    size_t row;
    const struct provider_row *provider;
    int protocol; /* 0 = not known yet */
    int fd;
    struct loop_watch watch;
    struct str path;
    bool failed;
    struct err why;
    struct relay *relays;
    struct upstream *upstreams;
    struct loop_task sweep;
};

struct proxy {
    struct arena arena;
    struct proxy_options options;
    struct loop *loop;
    struct provider_set *set;
    struct service *services;
    size_t nservices;
    char dir[PROVIDER_DIR];
    int lock_fd;
    size_t held; /* bytes of whole requests */
    struct proxy_counts counts;
    bool closing;
};

/* --- upstream.c --- */
bool upstream_start(struct service *service, struct relay *owner, struct err *err);
/* A process for the relay: a new one, a waiting one, or one of an idle relay that was asked nothing
 * that stays. */
void upstream_take(struct relay *relay);
/* The relay needs it no more. */
void upstream_give_back(struct upstream *upstream);
void upstream_stop(struct upstream *upstream);
void upstream_free(struct upstream *upstream);
void upstream_on_up(void *ctx); /* for call_up_events */
void upstream_on_down(void *ctx, const struct err *why);
void upstream_send_shutdown(struct upstream *upstream);

/* --- relay.c --- */
bool relay_open(struct service *service, int fd, struct err *err);
void relay_free(struct relay *relay);
/* Its process is there: what waits goes to it. Or is not, or ended. */
void relay_ready(struct relay *relay);
void relay_failed(struct relay *relay, const struct err *why);
/* Calls (of any relay) that the process left unanswered. */
void relay_answer_lost(struct service *service, struct upstream *upstream, const struct err *why);
/* What it is configured with; and that it is used with it. */
void relay_configure(struct relay *relay, struct buf *request);
void relay_used(struct relay *relay);
bool relay_is_idle(const struct relay *relay); /* nothing under way but logs */

/* --- call.c --- */
extern const struct h2_events call_down_events, call_up_events;
struct call *call_open(struct relay *relay, struct h2_stream *down, const struct h2_header *headers,
                       size_t n);
void call_free(struct call *call);
/* "ApplyResourceChange"; the whole path of what is no provider's. */
struct str call_name(const struct call *call);
/* Ask the relay's process for its schema, for nobody. */
bool call_prime(struct relay *relay);
bool call_has_ended(const struct call *call);
/* To a process: at once, or as soon as there is one. */
void call_begin(struct call *call);
/* To the process, which is ready. */
void call_pass_on(struct call *call);
/* A gRPC status that is ours. */
void call_fail(struct call *call, int status, struct str text);
/* The whole of an answer that is ours, status 0. message: without its prefix. */
void call_answer(struct call *call, struct str message);

/* --- apply.c --- */
/* The request of a change is here, whole: ask, then pass on or refuse. */
void apply_judge(struct call *call);

/* --- service.c --- */
void proxy_note(struct proxy *proxy, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
