/* recording.h - a scan of stacks as it goes into the store: begun, ended, accepted; for a command
 * and for the service alike.
 *
 *   recording_prepare(&r, &options, err) && recording_use(&r, &record, err)
 *   for each stack: recording_begin, scan_stack, recording_end (or recording_fail)
 *   recording_settle
 *
 * Rule:    where a store cannot be written, nothing is scanned: begin comes before the scan. Where
 *          it fails later, the result is still there, and `failed` says why: what was not recorded
 *          is never told as recorded
 * Joined:  `within` is called in the transactions of begin and end, so that what it writes is
 *          written with them or not at all
 */
#pragma once
#include "base/err.h"
#include "record/findings.h"
#include "record/identity.h"
#include "record/standing.h"
#include "scan/judges.h"
#include "scan/scan.h"

enum recording_step { RECORDING_BEGIN, RECORDING_END };
struct recording_options {
    struct arena *arena;       /* of one scan: outlives its result */
    struct scan_options *scan; /* gets the store's key */
    const struct judges *judges;
    struct event_actor actor;
    struct str config;   /* digest of plumb.yaml as it was read; ptr NULL: as the file is now */
    int64_t keep_ms;     /* what is resolved and older goes; 0 = nothing */
    struct str baseline; /* reason of accepting all that is found; ptr NULL = none */
    bool unmarked;       /* nobody reads the result: it needs no marks of baseline and reviews */
    /* False: nothing of the step is recorded. */
    bool (*within)(void *ctx, enum recording_step step, int64_t run, struct err *err);
    void *ctx;
};
struct recording {
    struct recording_options options;
    struct record *record; /* NULL: nothing is recorded */
    struct run_start start;
    struct run_finish finish;
    struct baseline *baseline;     /* of the stack that is scanned */
    struct answers *answers;       /* the same: reviews */
    struct identities *identities; /* of its state; NULL: the same as before */
    struct run_changes total;
    uint64_t stacks;
    struct err failed; /* the first trouble after the scan had begun */
};

/* The digests of what decides. */
bool recording_prepare(struct recording *ret, const struct recording_options *options,
                       struct err *err);
/* record is open for writing, and outlives the recording. */
bool recording_use(struct recording *r, struct record *record, struct err *err);
/* Within a transaction that is open: with it, or not at all. */
bool recording_begin(struct recording *r, const struct stack *stack, struct err *err);
/* Records the result, then marks in it what the baseline and reviews say. Trouble goes to
 * r->failed. */
bool recording_end(struct recording *r, const struct stack *stack, struct stack_result *result,
                   struct err *err);
/* There is no result. */
void recording_fail(struct recording *r, const struct err *why);
/* After all stacks: reviews, breakglasses, freezes and deadlines that have ended are written down,
 * and what is old enough goes. */
void recording_settle(struct recording *r);
/* A finding on its way to --stream, as the baseline and reviews have it. */
bool recording_mark(struct recording *r, struct finding *finding, struct err *err);
