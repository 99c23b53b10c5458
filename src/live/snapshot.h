/* snapshot.h - live values from a document instead of providers; docs/snapshot.md is the format.
 *
 * Two ways in: reader_snapshot answers for given resources like any reader; snapshot_match() walks
 * a whole stack (desired state against live document) in parallel and hands over only what is not
 * the same. Scan uses it whenever a stack has a snapshot: a million instances cost about as much as
 * reading the two files.
 *
 * In:      NDJSON lines, {"complete":true,"resources":[...]}, a list, a state v4, or `show -json`
 * Memory:  the two texts, and at most some 60 bytes for each instance; no tree of either
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "live/reader.h"

struct arena;
struct err;
struct stack;

/* --- the whole stack at once --- */

struct snapshot_match_options {
    bool (*wanted)(const void *ctx, struct str address); /* NULL = all; called from two threads */
    const void *wanted_ctx;
    bool show_same;   /* give also what is the same to the sink (--explain) */
    unsigned threads; /* 0 = 2 */
    const volatile int *cancel;
};

/* What the sink was not given, and where it all came from; texts live in the caller's arena. */
struct snapshot_match {
    uint64_t resources;   /* managed instances that are wanted */
    uint64_t same;        /* of these: equal leaf by leaf; the sink saw none of them (tainted and
                             deposed instances always go to the sink, which has to name them) */
    uint64_t same_leaves; /* leaves compared in `same` (a scalar or an empty container is one) */
    struct str desired_label; /* "state terraform.tfstate, serial 3" */
    struct str live_label;    /* "snapshot live.json" */
    bool no_state;            /* desired_label says why */
};

/*
 * The stack's state (desired_open_stack_state's rules) against the document at `path`.
 * Every wanted managed instance is either counted in ret->same or given to the sink exactly once,
 * in the order of the state: LIVE_READ with both values (untyped: tuples and objects), LIVE_GONE,
 * or LIVE_UNREADABLE with its reason. result->resource is filled; all of it is valid only in the
 * call. Equal means value_equal, key order and spelling of white space, escapes and numbers apart.
 * Fails where one of the two cannot be read (ERR_SYNTAX with its place ...), and with the sink's
 * err.
 */
bool snapshot_match(struct arena *arena, const struct stack *stack, struct str path,
                    const struct snapshot_match_options *options, live_sink sink, void *sink_ctx,
                    struct snapshot_match *ret, struct err *err);

/* --- one resource after the other --- */

struct snapshot; /* a document that was read and indexed by address */

bool snapshot_open(const char *path, struct snapshot **ret, struct err *err);
/* text must outlive it; name is for messages and the label. */
bool snapshot_open_text(struct str text, const char *name, struct snapshot **ret, struct err *err);
void snapshot_close(struct snapshot *snapshot);
uint64_t snapshot_count(const struct snapshot *snapshot);
bool snapshot_complete(const struct snapshot *snapshot); /* what it does not list is gone */

struct snapshot_answer {
    enum live_status status;
    struct str reason;          /* LIVE_UNREADABLE */
    struct str attributes_json; /* LIVE_READ: begins with an object, already checked; more text may
                                   stand behind it */
    bool plain;                 /* from show -json: dynamic values are not wrapped */
};
/* reason lives in `arena`. False only where that is full. */
bool snapshot_find(const struct snapshot *snapshot, struct arena *arena, struct str address,
                   struct snapshot_answer *ret, struct err *err);
