/* pool_parts.h - what pool.c, worker.c, reading.c and probing.c know of one another. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "live/reader_provider/folder.h"
#include "live/reader_provider/pace.h"
#include "live/reader_provider/pool.h"
#include "live/reader_provider/provider.h"
#include "live/reader_provider/settings.h"
#include "live/reader_provider/warm_parts.h"

struct worker;

struct job {
    const struct resource *resource;
    uint8_t tries;   /* answered with "slow down" */
    uint8_t crashes; /* the process died while it was being read */
};

/*
 * One instance on its way: upgrade (or import), perhaps its identity, read; perhaps planned, from
 * what is live and from what was recorded; then perhaps held for a verdict.
 * Straight: where the provider was seen to give back states of this type as they are, the recorded
 * values are encoded here and read at once; what does not come back the same is then confirmed with
 * the provider's own upgrade, so that no difference rests on our encoding. (Null against empty from
 * a provider that can not tell the two is none.)
 */
enum reading_step {
    READING_UPGRADE,
    READING_IDENTITY,
    READING_READ,
    READING_CONFIRM,
    READING_IMPORT,
    READING_GENERATE,
    READING_PLAN,
    READING_HELD
};
struct reading {
    struct worker *worker;
    struct job *job;
    const struct schema_named *type;
    struct provider_type *shared;
    enum reading_step step;
    struct arena arena;          /* of this instance; reset for the next */
    struct buf upgrade, read;    /* bodies of the replies; straight: `upgrade` is our encoding */
    bool straight, not_straight; /* not_straight: it was tried, the full order is needed */
    bool imported;               /* nothing is recorded: `desired` is the stub of an import */
    struct value recorded;       /* straight: what `desired` says; in the arena */
    bool live_known;             /* `live` was decoded already: live_value */
    bool gone;                   /* there is nothing: live_value is null */
    struct value desired_value, live_value; /* decoded, once it was read */
    struct value generated;                 /* of an import, where it was asked for; or null */
    struct buf generate;                    /* body of that reply */
    enum live_side planning;                /* which of the two is asked for */
    bool settles; /* the plan of what was recorded tells provider_type.settled */
    struct live_plan plans[LIVE_SIDES];
    struct buf plan_bodies[LIVE_SIDES];
    struct str desired, live;    /* msgpack in them */
    struct str identity;         /* msgpack or ptr NULL; in the arena */
    struct str private_bytes;    /* to send; in the arena */
    struct str private_answered; /* of the reply, for the probe */
    struct str identity_answered;
    const struct str *warnings;
    size_t nwarnings;
    int64_t started_us; /* the call that is out */
    int64_t read_us;    /* what ReadResource took; 0 = there was none yet */
    struct loop_timer timer;
    struct reading *next; /* in one of the lists of worker, provider_type or pool */
};

/* An extra read. */
struct probing {
    struct worker *worker;
    const struct schema_named *type;
    struct provider_type *shared;
    struct arena arena;
    struct str private_bytes, identity;
    struct value live, sent;
    struct str sent_bytes;
    unsigned round;
    int timeout_ms;
    struct probing *next; /* in worker->probings */
};

enum worker_stage {
    WORKER_WAITING, /* for a free place among max_providers */
    WORKER_STARTING,
    WORKER_SCHEMA,
    WORKER_IDENTITY,
    WORKER_VALIDATE,
    WORKER_CONFIGURE,
    WORKER_READING,
    WORKER_STOPPING,
    WORKER_DONE
};
enum {
    WORKER_RESTARTS_MAX = 8,
    WORKER_TIMEOUTS_MAX = 10, /* in a row, then the process counts as hanging */
    HELD_MAX = 512            /* readings of a type that wait for one probe */
};

struct worker {
    struct pool *pool;
    struct provider *provider;
    struct str provider_config;
    struct settings_key key;
    enum worker_stage stage;
    struct plugin *plugin;
    struct job *jobs;
    size_t njobs, next_job;
    size_t left; /* jobs without a result */
    struct pace pace;
    size_t in_flight;      /* readings with a call out */
    struct budget *budget; /* of all scans of the process; NULL = no bound */
    struct loop_timer budget_timer;
    bool budget_waits;
    struct reading *again;    /* to be taken up once more */
    struct reading *suspects; /* were in flight when the process died: at the end, each alone */
    struct reading *lost;     /* were in flight right now when it died: on_down sorts them */
    struct reading *doubted;  /* failed or gone by a kept process: once more by a new one */
    struct reading *waiting;  /* backing off; their timers are set */
    size_t nwaiting;
    bool falling;       /* a call said that the process is gone: on_down comes */
    unsigned timeouts;  /* calls in a row that were never answered */
    struct str gave_up; /* why everything that is left is unreadable, or empty */
    bool wants_identity;
    struct probing *probings;
    size_t nprobings;
    bool probe_suspected; /* the process died while probing: no more probes here */
    bool probe_was_suspected, probe_blamed;
    unsigned restarts;
    struct str config;      /* msgpack; in the pool's arena */
    struct str config_from; /* for messages: "plumb.yaml" */
    struct str incomplete;  /* settings that could not be had: "gone" is not believed */
    struct loop_task task;  /* start what may be started */
    /* live/warm.h */
    bool asked_for_kept, kept; /* the process was kept from an earlier scan */
    bool counted;              /* as busy */
    bool heard;                /* the process has answered since */
    struct loop_timer late;    /* until it must have */
    struct warm_key key_kept;
    bool keyed; /* key_kept is of the process of now */
    /* reader_provider/folder.h */
    bool looked, may_share; /* is the folder of no matter to it? As far as is known */
    bool shared;            /* the process of now runs nowhere */
    struct folder folder;
    int64_t since_ms; /* when the process was configured */
};

struct pool {
    const struct pool_input *in;
    struct loop loop;
    struct arena arena;
    struct provider **providers; /* those in `own` are ours to close */
    struct provider *own;
    size_t nproviders, nown;
    struct worker *workers;
    size_t nworkers;
    struct reading *spare;
    uint64_t done;
    int64_t progress_at_ms, memory_at_ms;
    bool memory_noted;
    uint64_t random;
    bool failed;
    struct err failure;
};

/* pool.c */
int64_t pool_now_us(void);
uint64_t pool_random(struct pool *pool);
void pool_fail(struct pool *pool, const struct err *err);
void pool_note(struct pool *pool, struct str text);
/* Give a result to the sink; one job of the worker less. */
void pool_emit(struct worker *worker, const struct live_result *result);
static inline const struct reader_options *pool_options(const struct worker *worker)
{
    return worker->pool->in->options;
}

/* worker.c */
void worker_start(struct worker *worker);
/* Start what may be started, or stop, before the loop waits again. */
void worker_wake(struct worker *worker);
/* A call of its provider, which counts against its budget. As backend->call. */
bool worker_call(struct worker *worker, enum plugin_method method, struct str request,
                 int timeout_ms, plugin_done on_done, void *ctx, struct err *err);
/* Everything that is left is unreadable for this reason; the process is closed. */
void worker_give_up(struct worker *worker, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int worker_timeout_ms(const struct worker *worker);
/* Did a kept process say so? Then it is not believed: the reading is taken up again by a new one.
 */
bool worker_doubts(struct worker *worker, struct reading *reading);
/* Is the provider to be told a path, while it runs nowhere? Then the reading is taken up again by
 * one that runs in the stack's folder. */
bool worker_moves(struct worker *worker, struct reading *reading, const struct value *const *told,
                  size_t n);
void worker_run(void *ctx); /* worker->task */

/* reading.c */
void reading_begin(struct worker *worker, struct job *job);
/* Again from the step where it stood. */
void reading_resume(struct reading *reading);
/* The result is "unreadable" and the reading is over. */
void reading_unreadable(struct reading *reading, struct str reason);
/* Decode a held one, give it out, over. */
void reading_release(struct reading *reading);
void reading_free(struct reading *reading); /* its memory only */
struct str reading_error(struct reading *reading, const struct err *err);
bool reading_decode_live(struct reading *reading, struct value *ret, struct err *err);

bool reading_answered(struct reading *reading, const struct plugin_reply *reply);
bool reading_back_off(struct reading *reading);
/* No call of it is out any more. */
void reading_landed(struct reading *reading);
/* Whatever was planned of it is there: on to its result. */
void reading_planned(struct reading *reading);

/* planning.c */
enum { PLAN_TIMEOUTS_MAX = 3 };
/* Ask for plans, if somebody wants them; reading_planned() follows, perhaps at once. */
void planning_begin(struct reading *reading);
/* The process died while it was planned: its type is not planned any more. */
void planning_crashed(struct reading *reading, struct str why);

/* probing.c */
/* A good read: true = it is held until the probe of its type has a verdict. */
bool probing_hold(struct reading *reading, const struct value *live);
/* The reading is over without a value: if it was to be probed, another one takes its place. */
void probing_target_lost(struct reading *reading);
