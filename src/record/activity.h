/* activity.h - who did what to which resource: events of clouds, kept, matched, and told as a
 * finding's actor.
 *
 * Once:    (source, id) is recorded once for as long as it is kept; what another sender may touch
 *          of it is added. Of plumb's own events two that say different things are two
 * Match:   every text of an event is looked up in the index of identities (identity.h); there is no
 *          table of event names. What fits best is surely meant, the rest may be: it is looked at
 *          again, but nobody is named for it while somebody else surely is
 * Late:    an event may come before or after the scan that finds the difference: either fills in
 *          the actor
 * Thread:  a record's (record.h)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/activity.h"
#include "model/finding.h"
#include "record/record.h"

struct config_events;

enum {
    ACTIVITY_FUTURE_MS = 5 * 60 * 1000,       /* a clock may be so far ahead */
    ACTIVITY_KEEP_MS_LEAST = 24 * 3600 * 1000 /* duplicates come for so long */
};

/* --- recording --- */

struct activity_rules {
    const struct str *pipelines; /* patterns (model/actor.h) of identities that are expected */
    size_t npipelines;
    struct str stacks; /* glob: what the sender may touch; empty = all */
    int64_t keep_ms;   /* what is older goes, about once an hour; 0 = 90 days */
    struct str trace;  /* of touches (touch.h) */
};
/* Those of plumb.yaml. */
struct activity_rules activity_rules_of(const struct config_events *events);
/* X(constant, name) what became of an event */
#define ACTIVITY_RESULTS(X) \
    X(ACTIVITY_MATCHED, "matched") \
    X(ACTIVITY_UNMANAGED, "unmanaged") \
    X(ACTIVITY_UNMATCHED, "unmatched") \
    X(ACTIVITY_IGNORED, "ignored") \
    X(ACTIVITY_DUPLICATE, "duplicate") \
    X(ACTIVITY_REFUSED, "refused")
#define X(constant, name) constant,
enum activity_result { ACTIVITY_RESULTS(X) ACTIVITY_RESULT_COUNT };
#undef X
const char *activity_result_name(enum activity_result result);

struct activity_done {
    uint64_t count[ACTIVITY_RESULT_COUNT];
    uint64_t touched; /* resources that will be looked at again */
    uint64_t whole;   /* stacks, where more of theirs than ACTIVITY_TARGETS_MAX are meant */
    uint64_t cut;     /* events with more names than ACTIVITY_NAMES_MAX: not all were looked up */
    uint64_t named;   /* open findings that got an actor */
    int64_t newest_utc_ms;
};
/* Adds to ret. Joins an open DB_WRITE transaction, else makes its own. Events dated further ahead
 * than ACTIVITY_FUTURE_MS are refused. */
bool activity_add(struct record *record, const struct activity_rules *rules,
                  const struct activity *event, size_t n, struct activity_done *ret,
                  struct err *err);
/* Events since the run began whose names no resource went by then, and that one of its stack has
 * by now: it is touched. In the transaction that ends the run, which may have read it before. */
bool activity_touch_late(struct record *record, struct str stack, int64_t run, struct err *err);
/* What is older goes; what an open finding's actor is from stays in the finding. */
bool activity_prune(struct record *record, int64_t before_utc_ms, uint64_t *ret_gone,
                    struct err *err);

/* --- looking --- */

struct activity_query {
    struct str stack, address, actor, source, result; /* empty = any */
    int64_t since_utc_ms, until_utc_ms;               /* 0 = open */
    size_t most;                                      /* 0 = 100 */
};
struct activity_row {
    int64_t id, time_utc_ms, received_utc_ms;
    struct str source, event, cloud, account, region, service, action, actor, principal, session,
        client, source_ip;
    enum activity_way way;
    bool expected, failed, attack;
    struct str result;         /* activity_result_name */
    struct str stack, address; /* the first that it is about; or empty */
    int64_t targets;
};
/* Newest first. */
bool activity_list(struct record *record, struct arena *arena, const struct activity_query *query,
                   struct activity_row **ret, size_t *ret_n, struct err *err);

/* --- who changed it --- */

/* What is known of one stack's resources; opened when a run begins. */
struct attributions;
bool attributions_open(struct record *record, struct arena *arena, struct str stack,
                       struct attributions **ret, struct err *err);
/*
 * For scan_options.attribute: the latest write on the finding's resource since it was last in sync,
 * or why nobody is known. ctx is the struct attributions; what it gives lives in the arena that it
 * was opened with.
 */
bool attributions_find(void *ctx, const struct finding *finding, const struct value *live,
                       const struct attribution **ret, struct err *err);

/* review->hand: everybody who has a part in the finding's difference, as events since it was last
 * in sync tell it, and whose breakglass it changed within. */
struct review;
bool activity_hands(struct record *record, struct arena *arena, int64_t finding,
                    struct review *review, struct err *err);
