/* maintain.h - what keeps a store in order: checking, forgetting, making it small again. */
#pragma once
#include "model/event.h"
#include "record/record.h"

struct pruned {
    int64_t findings, runs;
};
/*
 * Take out what is older than keep_ms: resolved findings with their history, and runs that nobody
 * stands on (a stack's last one and its last complete one stay), and configurations of providers
 * (configured.h) that no run was given since. With an event of who did it,
 * where there was anything. The audit log has a retention of its own.
 */
bool store_prune(struct record *record, int64_t keep_ms, const struct event_actor *actor,
                 struct pruned *ret, struct err *err);
/* Room that is free goes back, statistics are made anew. Outside a transaction. */
bool store_vacuum(struct record *record, struct err *err);

/* Each thing that is wrong, as a sentence; *ret_n of them in all. */
bool store_check(struct record *record,
                 bool (*problem)(void *ctx, struct str sentence, struct err *err), void *ctx,
                 int64_t *ret_n, struct err *err);
