/* activity_parts.h - what activity_*.c share. */
#pragma once
#include "record/activity.h"

enum { ACTIVITY_TARGETS_MAX = 1024 /* named one by one */ };

/* A resource that an event is about. */
struct activity_target {
    struct str stack, address;
    bool sure; /* it is surely meant */
};
struct activity_match {
    struct activity_target *target; /* those that are surely meant first */
    size_t n, targets_room;
    struct str *stack; /* where more of them are than can be told one by one */
    size_t nstacks;
    int64_t *missed; /* hashes of names that no resource goes by */
    size_t nmissed;
};
/* Which resources an event is about, by the index of identities. In `arena`. */
bool activity_find_targets(struct record *record, struct arena *arena,
                           const struct activity_rules *rules, const struct activity *event,
                           struct activity_match *ret, struct err *err);
/* Since when an open difference of the resource is there at most; 0 = nobody saw it in sync. */
bool activity_in_sync_since(struct record *record, struct arena *arena, struct str stack,
                            struct str address, int64_t *ret_utc_ms, struct err *err);
/* May who sent an event name something of that stack? stacks: his glob; empty = all. */
bool activity_may_touch(struct str stacks, struct str stack);
