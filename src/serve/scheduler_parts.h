/* scheduler_parts.h - what the files of the scheduler know of one another. */
#pragma once
#include <pthread.h>

#include "base/arena.h"
#include "desired/stacks.h"
#include "model/schedule.h"
#include "record/lease.h"
#include "record/record.h"
#include "serve/server.h"

struct budgets;
struct known_states;

enum { STORE_ARENA = 64 << 20, OWNER_MAX = 160 };

/* The stacks of plumb.yaml as they were found last, each with its schedules. */
struct plan {
    struct arena arena;
    struct stacks stacks;
    struct schedule_set *set; /* of stacks.stack[i] */
    unsigned uses;            /* under scheduler->lock */
};
bool plan_make(const struct server *server, struct plan **ret, struct err *err);
void plan_free(struct plan *plan); /* NULL is fine */
/* Named in plumb.yaml, not there, and never planned before. */
bool plan_drop_strangers(struct plan *plan, struct record *record, struct err *err);
/* SIZE_MAX: no stack of ours. */
size_t plan_find(const struct plan *plan, struct str stack);
/* The store has a row for each schedule, and says when it is due. */
bool plan_write(const struct plan *plan, const struct server *server, struct record *record,
                struct err *err);

/* Why a scan is to end before it has. */
enum slot_why { SLOT_GOES_ON, SLOT_LOST, SLOT_CLOSING };
/* A thread that scans. */
struct slot {
    struct scheduler *scheduler;
    pthread_t thread;
    bool started, urgent;
    unsigned n;
    volatile int cancel; /* readers look at it */

    /* under scheduler->lock */
    struct lease lease; /* stack.ptr NULL: none */
    int64_t renewed_ms; /* monotonic */
    enum slot_why why;
};

struct scheduler {
    struct server *server;
    struct config_scheduler settings; /* with defaults */
    char name[OWNER_MAX];             /* of the process, for owners of leases */
    struct budgets *budgets;
    struct known_states *known;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct plan *plan;
    uint64_t taken;
    size_t busy;
    bool closing;
    struct slot *slot;
    size_t nslots;
    pthread_t heart, planner;
    bool has_heart, has_planner;
};

/* A connection to the store of one thread, opened anew after trouble and now and then. */
struct store {
    struct arena arena;
    struct record record;
    unsigned uses;
};
bool store_ready(struct store *store, const struct server *server, struct err *err);
void store_drop(struct store *store);

/* What a worker has from one scan to the next. */
struct hands {
    struct store store;
    struct arena arena; /* of the policy */
    struct policy *policy;
    struct str digest; /* of the files that it was made of */
    int64_t opened_ms;
};
void hands_drop(struct hands *hands);

/* Of stacks that the plan has: what was touched, the longest ago; or what is due. */
bool scheduler_take(struct slot *slot, struct record *record, struct arena *arena,
                    const struct plan *plan, bool urgent, struct lease *ret, bool *ret_taken,
                    struct err *err);
/* The slot has this lease from now on; NULL: none. */
void scheduler_hold(struct slot *slot, const struct lease *lease);
/* May what was begun with this plan and connection go on with another stack? */
bool scheduler_goes_on(struct scheduler *scheduler, struct store *store, const struct plan *plan);

/* One stack whose lease was taken, to its end, and those that are begun as others end: the leases
 * are given back, and the slot has none. False: as the last one ended nothing else was touched, and
 * whoever touches something after that wakes those that wait. */
bool scheduler_scan(struct scheduler *scheduler, struct slot *slot, struct hands *hands,
                    const struct plan *plan, const struct lease *lease);

/* The lease is another's by now: its scan ends, where the slot still has that very lease. */
void scheduler_lose(struct scheduler *scheduler, struct slot *slot, const struct lease *lease);

/* A line for people: the error, once for the same. */
void scheduler_tell(struct scheduler *scheduler, const char *what, struct str stack,
                    const struct err *err);
