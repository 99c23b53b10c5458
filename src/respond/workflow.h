/* workflow.h - who may do what to a review, and what comes of it: decided in one place.
 *
 *   requested --approvals--> in effect --time, another value, a person, a scan--> ended
 *        \____________________ the same, before it came into effect ______________/
 *
 * Pure:    no clock, no store, no environment: the same input, the same answer
 * Answers: each with a sentence that names the rule and its place ("plumb.yaml:12")
 * Zero:    of struct workflow_outcome: refused
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/review.h"

struct arena;
struct config;
struct err;

enum {
    WORKFLOW_REASON_MAX = 4000, /* bytes of a reason */
    WORKFLOW_TICKET_MAX = 200
};
/* Where plumb.yaml does not say: milliseconds. */
#define WORKFLOW_LONGEST_MS (INT64_C(90) * 24 * 3600 * 1000)          /* any answer */
#define WORKFLOW_PENDING_MS (INT64_C(7) * 24 * 3600 * 1000)           /* revert, adopt */
#define WORKFLOW_BREAKGLASS_LONGEST_MS (INT64_C(24) * 3600 * 1000)    /* of a breakglass */
#define WORKFLOW_BREAKGLASS_REVIEW_MS (INT64_C(3) * 24 * 3600 * 1000) /* after it */

/* The rule that a review stands under. */
struct workflow_rule {
    int64_t approvals, longest_ms;
    const struct str *by; /* roles; none = anybody */
    size_t nby;
    bool author_may, requester_may;
    struct str name; /* "plumb.yaml:12", "the default" */
};
/* By severity, decision, environment, stack and answer of the review. config: or NULL */
bool workflow_rule_of(struct arena *arena, const struct config *config, const struct review *review,
                      struct workflow_rule *ret, struct err *err);

enum workflow_step { WORKFLOW_REQUEST, WORKFLOW_APPROVE, WORKFLOW_WITHDRAW };

struct workflow_outcome {
    bool allowed;
    struct str why;          /* one sentence, of a refusal and of an allowance */
    enum review_state state; /* what the review is then */
    enum review_end end;     /* with REVIEW_ENDED */
    struct str role;         /* as whom the approval counts; or empty */
    int64_t approvals;       /* that count, this one included */
    struct workflow_rule rule;
};
/*
 * May `by` do this to the review now, and what does it become?
 * review  as it stands; for WORKFLOW_REQUEST as it is asked for (by, reason, until ...)
 * False only for memory. A review whose time has passed is refused with state REVIEW_ENDED.
 */
bool workflow_decide(struct arena *arena, const struct config *config, const struct review *review,
                     enum workflow_step step, const struct actor *by, int64_t now_utc_ms,
                     struct workflow_outcome *ret, struct err *err);

/* May the actor break the glass, freeze? ret_why: a refusal's sentence. */
enum workflow_power { WORKFLOW_BREAKGLASS, WORKFLOW_FREEZE };
bool workflow_may(struct arena *arena, const struct config *config, enum workflow_power power,
                  const struct actor *by, bool *ret_may, struct str *ret_why, struct err *err);

/* One person under two names: actor_same, or the same entry of review.people. */
bool workflow_same_person(const struct config *config, const struct actor *a,
                          const struct actor *b);

/* "2026-12-31", "2026-12-31T12:00:00Z", "30d", "4h": a moment behind now. */
bool workflow_until(struct str text, int64_t now_utc_ms, int64_t *ret_utc_ms);
