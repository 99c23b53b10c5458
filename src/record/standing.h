/* standing.h - what stands at a moment: findings that nobody has decided, answers that count,
 * freezes and breakglasses. What gates and scans ask.
 *
 * Clock:   a review, a freeze or a breakglass counts by the time that is given, whether or not its
 *          end was written down yet (record_settle)
 * Zero:    of standing_finding.decided: not decided
 * Cost:    one query of an index for each of the three; findings of one stack, sorted by address
 */
#pragma once
#include "model/decision.h"
#include "record/reviews.h"

struct standing_finding {
    int64_t finding; /* its number in the store */
    struct str fingerprint, address, type;
    enum finding_class class_;
    enum severity severity;
    bool judged; /* policy was asked */
    enum decision decision;
    struct str rule, owner, digest, status;
    struct event_actor author; /* of the change; name empty = not known */
    int64_t first_utc_ms, changed_utc_ms, seen_utc_ms;
    int64_t due_utc_ms;             /* INT64_MAX = never */
    const struct review *review;    /* the one that counts for it now, or NULL */
    const struct review *requested; /* the one that waits for approvals, or NULL */
    /* A review counts, or a waiver, a baseline or an ignore rule takes it out. */
    bool decided;
};
struct standing {
    struct str stack;
    int64_t at_utc_ms;
    const struct standing_finding *finding; /* not resolved; by address, then class */
    size_t n, nundecided, noverdue;
    const struct cover *freeze, *breakglass; /* that count now and may cover some of the stack */
    size_t nfreezes, nbreakglasses;
    int64_t scanned_utc_ms; /* last complete scan of the stack; 0 = never */
};

/* now_utc_ms  0 = the record's clock */
bool standing_ask(struct record *record, struct arena *arena, struct str stack, int64_t now_utc_ms,
                  struct standing *ret, struct err *err);

/* The findings at exactly this address; *ret_n of them. */
const struct standing_finding *standing_at(const struct standing *standing, struct str address,
                                           size_t *ret_n);
/* What covers the address of the stack, or NULL. */
const struct cover *standing_freeze(const struct standing *standing, struct str address);
const struct cover *standing_breakglass(const struct standing *standing, struct str address);

/*
 * Mark what reviews that count say of a scan's findings: an accepted one is `ignored` by its
 * review, as by a waiver; one that is to be reverted or adopted is `reviewed`. Only where the
 * values are those that were reviewed. finding is in the caller's hands.
 */
struct answers;
bool answers_open(struct record *record, struct arena *arena, struct str stack,
                  struct answers **ret, struct err *err);
bool answers_apply(struct answers *answers, struct finding *finding, struct err *err);
/* Those of a result, in a copy that takes its findings' place; coverage.ignored follows. */
bool answers_apply_all(struct answers *answers, struct stack_result *result, struct err *err);
