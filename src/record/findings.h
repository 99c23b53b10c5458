/* findings.h - what scans found, kept from one scan to the next: runs and the life of findings.
 *
 * Identity: stack and fingerprint. A fingerprint says what differs, so another value is another
 *           fingerprint: where the old one is gone and a new one of the same class is at the same
 *           address, it is the same finding with other values (`changed`), under its new name
 * Values:   `digest` stands for a finding's live values, keyed where one is secret: equal digests,
 *           equal values. The values themselves are in `detail` as the report shows them
 * Resolved: only by a run that looked: see run_end
 */
#pragma once
#include "model/event.h"
#include "model/finding.h"
#include "record/record.h"

struct buf;

/* X(constant, name in the store and in reports, lane, what it tells the reader) */
#define FINDING_STATUSES(X) \
    X(STATUS_NEW, "new", 0, "seen for the first time by the last scan") \
    X(STATUS_RECURRING, "recurring", 0, "seen before, with the same values") \
    X(STATUS_CHANGED, "changed", 0, "seen before, with other values than now") \
    X(STATUS_REOPENED, "reopened", 0, "it was resolved, and is there again") \
    X(STATUS_REVIEWED, "reviewed", 1, "a person answered, and the answer counts") \
    X(STATUS_WAIVED, "waived", 2, "accepted as it is, by a review, a waiver or a baseline") \
    X(STATUS_IGNORED, "ignored", 3, "an ignore rule or a policy takes it out") \
    X(STATUS_RESOLVED, "resolved", 4, "a scan looked and did not find it any more")

#define X(constant, name, lane, meaning) constant,
enum finding_status { FINDING_STATUSES(X) STATUS_COUNT };
#undef X

const char *finding_status_name(enum finding_status status);
const char *finding_status_meaning(enum finding_status status);
bool finding_status_from(struct str name, enum finding_status *ret);
/* Does somebody have to do something about it? */
bool finding_status_open(enum finding_status status);

/* --- runs --- */

/* X(name in the store, what it tells the reader) of run.outcome */
#define RUN_OUTCOMES(X) \
    X("running", "it began; an end was not recorded (yet)") \
    X("complete", "everything was compared") \
    X("incomplete", "something could not be compared") \
    X("partial", "only what its targets name was looked at") \
    X("failed", "the stack could not be scanned") \
    X("abandoned", "it was given up, and nothing of it counts: its service ended or lost the " \
                   "stack's lease, or an apply changed what it looked at") \
    X("retired", "no scan: no plumb.yaml has the stack any more, and its findings ended")

struct run_start {
    struct str stack, path, environment, owner;
    struct str policy, config; /* digests, "sha256:..."; or empty */
    struct event_actor actor;  /* who runs plumb */
    struct str trace;          /* traceparent of its span, or empty */
    bool keep_stack;           /* what is known of the stack stays: path, environment, owner */
    bool narrow; /* it looks at what its targets name; where it fails, all else stands as before */
};
/* One run of one stack begins: durable when this returns, or with the transaction that is open: the
 * three below join one. */
bool run_begin(struct record *record, const struct run_start *start, int64_t *ret_run,
               struct err *err);

struct run_finish {
    int64_t run;
    const struct run_start *start;
    const struct stack_result *result;
    bool partial; /* targets narrowed it */
    bool retired; /* the stack is nobody's: all that is open ends, its answers stay (retire.h) */
    /* Did it look at that address? NULL = at all of them. */
    bool (*wanted)(void *ctx, struct str address);
    /* All that are, where they were given by name; sorted. NULL = only `wanted` can tell. */
    const struct str *addresses;
    size_t naddresses;
    /* A finding as JSON without secrets, for `detail`. */
    bool (*describe)(void *ctx, struct buf *out, const struct finding *finding, struct err *err);
    void *ctx;
    int64_t live_utc_ms;        /* when the live values were read; 0 = as the run went */
    const int64_t *deadline_ms; /* by severity, as config.review has them; NULL = none */
    struct str baseline;        /* reason: accept everything it found; ptr NULL = do not */
};
/* What it changed. */
struct run_changes {
    uint64_t fresh, recurring, changed, reopened, waived, ignored, reviewed, resolved, kept;
    uint64_t baselined; /* accepted by this run */
};
/*
 * The run ended: its figures and every finding's new state, in one transaction.
 * A finding of the store that the result does not have is resolved only if the run could have
 * seen it: the stack was scanned, its address was wanted and is not unchecked, and the kind of
 * look can find its class (`unmanaged` needs a document of everything, `unapplied` the code).
 * Otherwise it is kept as it is (run_changes.kept).
 */
bool run_end(struct record *record, const struct run_finish *finish, struct run_changes *ret,
             struct err *err);
/* The run came to no result: cancelled, out of memory. One that has ended stays as it is. */
bool run_fail(struct record *record, int64_t run, const struct run_start *start, struct str reason,
              struct err *err);
/* It was given up, and does not count as the stack's last; somebody scans it anew. */
bool run_abandon(struct record *record, int64_t run, const struct run_start *start,
                 struct str reason, struct err *err);

/* The repository that the stack was of the last time before that run that one was known; else
 * empty. */
bool run_repository_before(struct record *record, struct arena *arena, struct str stack,
                           int64_t run, struct str *ret, struct err *err);

/* --- values --- */

/* "sha256:..." or "hmac-sha256:..." of all of a finding's live values, in `arena`; empty: it is a
 * resource that no code asks for, and nothing is known of its values. */
bool finding_digest(struct arena *arena, struct str key, const struct finding *finding,
                    struct str *ret, struct err *err);

/* --- the baseline: findings that were there when plumb came --- */

/*
 * Mark what the baseline of its stack accepts: such a finding is `ignored`, says so, and policy's
 * answer to it does not count. finding is in the caller's hands.
 */
struct baseline;
bool baseline_open(struct record *record, struct arena *arena, struct str stack,
                   struct baseline **ret, struct err *err);
bool baseline_apply(struct baseline *baseline, struct finding *finding, struct err *err);
/* Those of a result, in a copy that takes its findings' place; coverage.ignored follows. */
bool baseline_apply_all(struct baseline *baseline, struct stack_result *result, struct err *err);
