/* hub.h - what lives as long as the process, whatever configuration its parts have: figures, the
 * wake that all parts wait for, and how each part is.
 *
 * Thread:  any, all calls
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct hub;
struct metrics;

/* What a server is made of, in the order it is opened in; closed in reverse.
 *
 * X(constant, type, member of struct server, open, close, until)
 *   open    bool X_open(struct TYPE **ret, struct server *, struct err *)
 *   close   void X_close(struct TYPE *): ends its threads; NULL is fine
 *   until   when a new configuration takes over or the service ends:
 *           PART_WORKS   at once: then nobody works twice. No request may touch such a part:
 * requests write into the store, then server_wake() PART_SERVES  when the last request that began
 * with this configuration is answered
 */
#define PARTS(X) \
    X(PART_COMMITTER, committer, committer, part_committer_open, committer_close, PART_SERVES) \
    X(PART_RUN_TASKS, run_tasks, run_tasks, run_tasks_open, run_tasks_close, PART_SERVES) \
    X(PART_STREAMS, streams, streams, streams_open, streams_close, PART_SERVES) \
    X(PART_SETTLER, audit_settler, settler, part_settler_open, audit_settler_close, PART_WORKS) \
    X(PART_HEARTBEAT, heartbeat, heartbeat, heartbeat_open, heartbeat_close, PART_WORKS) \
    X(PART_WARM, warm, warm, part_warm_open, warm_close, PART_WORKS) \
    X(PART_FEEDS, feeds, feeds, feeds_open, feeds_close, PART_WORKS) \
    X(PART_SCHEDULER, scheduler, scheduler, scheduler_open, scheduler_close, PART_WORKS) \
    X(PART_ALERTER, alerter, alerter, alerter_open, alerter_close, PART_WORKS)

enum part_until { PART_WORKS, PART_SERVES };
#define X(constant, type, member, open, close, until) constant,
enum part { PARTS(X) PART_COUNT };
#undef X
const char *part_name(enum part part); /* "committer" */

bool hub_open(struct hub **ret, struct err *err);
void hub_close(struct hub *hub); /* NULL is fine */
struct metrics *hub_metrics(struct hub *hub);

/* --- the wake --- */

/* What a thread waits for: so that hundreds of touches a second wake none that has no use for them.
 */
enum hub_waiter {
    HUB_SCANS,   /* for something to scan */
    HUB_ALERTS,  /* for something to tell of */
    HUB_STREAMS, /* for anything that is recorded */
    HUB_REST,    /* to be told to look, by hub_wake */
    HUB_WAITERS
};

/* There is something to look at, whatever it is: every part that waits looks. */
void hub_wake(struct hub *hub);
/* Something was touched: one of those that wait for scans looks; who is at work looks when that is
 * done. And streams. Cheap. */
void hub_wake_for_touch(struct hub *hub);
/* The same by others, how many is not known: all that wait for scans look. */
void hub_wake_for_touches(struct hub *hub);
/* Something else was found than before: alerts and streams look. */
void hub_wake_for_finding(struct hub *hub);
/* Until somebody woke such waiters since `seen` (what the last call gave; 0 at first), or
 * timeout_ms passed (negative: no limit). A part that closes sets its flag, then calls hub_wake. */
uint64_t hub_wait(struct hub *hub, enum hub_waiter what, uint64_t seen, int timeout_ms);
/* For a part with a loop of its own: an eventfd that is readable when somebody woke; it reads it.
 */
int hub_wake_fd(struct hub *hub, enum part part);

/* --- how the parts are --- */

/* The part lives, and says so again within that time; 0: it waits, without a promise. Past it the
 * service is not healthy, and systemd's watchdog gets no answer. */
void hub_beat(struct hub *hub, enum part part, int within_ms);
/* What is wrong with it, in one sentence without secrets; NULL: nothing (any more). */
void hub_trouble(struct hub *hub, enum part part, const char *text);
/* Neither late nor in trouble. */
bool hub_part_is_up(struct hub *hub, enum part part);
/* Does every part keep its promise? ret_why (may be NULL): a sentence for each that does not. */
bool hub_is_alive(struct hub *hub, struct buf *ret_why);
/* Has no part trouble? */
bool hub_is_well(struct hub *hub, struct buf *ret_why);
