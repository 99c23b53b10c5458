/* outbox.h - alerts between what happened and the receiver that took them, kept in the store.
 *
 * Once:    outbox_step reads finding_history and the audit log behind a cursor, decides routes,
 *          makes messages and moves the cursor in one DB_WRITE transaction: one alert for a change
 *          of status and receiver, whatever is killed when, however many services share the store
 * Sending: outbox_send claims one message with a lease, sends it, writes down what came of it: at
 *          least once, always with the same id; in order within a thread. A lease ends by itself
 * First:   where nothing was told yet, what is open is told as one digest, and never again as new.
 *          The same for a receiver that is new, or that was gone and is back
 * Clock:   whatever waits has the time at which it was set to wait. A clock that went back by more
 *          than OUTBOX_SKEW_MS behind that makes it due; one that went forward makes it due, too
 * Thread:  a record's
 * Source:  docs/alerts.md; Standard Webhooks (schedule of retries)
 */
#pragma once
#include "record/record.h"
#include "respond/routes.h"

struct actor;

enum {
    OUTBOX_SKEW_MS = 60000,   /* of clocks that share a store */
    OUTBOX_LEASE_MS = 120000, /* longer than any sending */
    OUTBOX_STEP_MOST = 500,   /* lines of a history in one transaction */
    OUTBOX_RESEND_MS = 60000, /* receivers that forget */
    OUTBOX_RESOLVED_MS = 300000,
    OUTBOX_FLAPS_MOST = 6, /* alerts of one finding within OUTBOX_FLAP_MS; then it is held back */
    OUTBOX_FLAP_MS = 3600000,
    OUTBOX_BREAK_AFTER = 5 /* failures one behind the other */
};

/* X(name in the store, what it tells the reader) of alert.state */
#define OUTBOX_STATES(X) \
    X("waiting", "it is to be sent, or sent again") \
    X("taken", "the receiver took it") \
    X("dead", "it was refused, or given up: plumb notify retry") \
    X("dropped", "somebody took it out: plumb notify drop")

/* --- making messages --- */

struct outbox_done {
    uint64_t seen; /* lines of histories */
    uint64_t made; /* messages */
    bool more;     /* there is more to do now: call again */
};
/* Everything that is due now. Cheap where nothing is. Adds to ret; `more` is set. */
bool outbox_step(struct record *record, const struct routes *routes, struct outbox_done *ret,
                 struct err *err);

/* --- sending --- */

/* What a process remembers of a receiver: zeroed at the start. */
struct outbox_breaker {
    unsigned failures;    /* one behind the other */
    int64_t until_utc_ms; /* nothing is sent before; 0 = open */
    int64_t set_utc_ms;
};
bool outbox_breaker_open(struct outbox_breaker *breaker, int64_t now_utc_ms);

struct outbox_sent {
    bool some; /* one was due, and was tried */
    enum notify_result result;
    enum alert_status status;
    int64_t attempts;
    bool dead;   /* given up now */
    bool partly; /* taken, but not for all: `said` tells */
    struct str id, title, said;
    struct str trace; /* traceparents of the scans that it is about, with blanks between */
};
/* One message of the receiver that is due. owner: this sender's own word, never used twice by
 * others at once. target->out must be set for receivers that print. ret lives in arena. */
bool outbox_send(struct record *record, struct arena *arena, const struct routes *routes,
                 const struct route *route, struct notify_target *target, struct str owner,
                 struct outbox_breaker *breaker, struct outbox_sent *ret, struct err *err);
/* What senders that are gone were sending is free at once, not when their lease ends. */
bool outbox_release(struct record *record, bool (*gone)(struct str owner, const void *ctx),
                    const void *ctx, struct err *err);
/* For receivers that forget (notifier.resends), where it is time: what is open, and what was
 * resolved within OUTBOX_RESOLVED_MS. ret->some: it was sent. */
bool outbox_resend(struct record *record, struct arena *arena, const struct routes *routes,
                   const struct route *route, struct notify_target *target,
                   struct outbox_breaker *breaker, struct outbox_sent *ret, struct err *err);
/* Which of the routes have something due? due[i]: of routes->item[i]. */
bool outbox_due(struct record *record, const struct routes *routes, bool *due, struct err *err);

/* --- looking and mending --- */

struct outbox_row {
    int64_t seq, severity, findings, attempts;
    int64_t made_utc_ms, next_utc_ms, ended_utc_ms; /* 0 = none */
    struct str id, receiver, thread, status, title, state, said;
};
struct outbox_query {
    struct str receiver, state, id; /* state "open": waiting and dead; id: its beginning; empty =
                                       any */
    int64_t limit;                  /* 0 = 1000 */
};
/* Oldest first. */
bool outbox_list(struct record *record, struct arena *arena, const struct outbox_query *query,
                 struct outbox_row **ret, size_t *ret_n, struct err *err);

struct outbox_health {
    struct str name;
    struct str gone, said; /* why it takes nothing any more; what it said last, if not taken */
    int64_t since_utc_ms, tried_utc_ms, taken_utc_ms, failures; /* 0 = never */
    int64_t waiting, dead, held, oldest_utc_ms; /* held: things that wait to become a message */
};
/* All that the store knows, by name. */
bool outbox_receivers(struct record *record, struct arena *arena, struct outbox_health **ret,
                      size_t *ret_n, struct err *err);
/* Waiting messages and the age of the oldest, 0 where there is none; dead ones. */
bool outbox_length(struct record *record, int64_t *ret_waiting, int64_t *ret_oldest_ms,
                   int64_t *ret_dead, struct err *err);

/* Dead and waiting ones are due now, with all their attempts again; *ret_n of them. */
bool outbox_retry(struct record *record, const struct outbox_query *query, int64_t *ret_n,
                  struct err *err);
/* Dead and waiting ones are not sent any more; an event of the log says who said so. */
bool outbox_drop(struct record *record, const struct outbox_query *query, const struct actor *by,
                 int64_t *ret_n, struct err *err);
/* One that plumb.yaml does not name any more: nothing is kept for it, and it is a new one if it
 * comes back. Its messages stay. *ret: it was known. */
bool outbox_forget(struct record *record, struct str receiver, bool *ret, struct err *err);
/* A receiver that was gone is asked again, beginning with a digest. *ret: it was gone. */
bool outbox_revive(struct record *record, struct str receiver, bool *ret, struct err *err);
