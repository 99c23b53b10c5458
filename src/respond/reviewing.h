/* reviewing.h - a step of a review, decided and written in one transaction with its event.
 *
 * Refused: true, with outcome.allowed false and a sentence; an approval or a withdrawal that is
 *          refused is an event, too
 * False:   it could not be decided or not be written: nothing has changed
 */
#pragma once
#include "record/reviews.h"
#include "respond/workflow.h"

struct reviewing {
    struct record *record;
    struct arena *arena;         /* what is returned lives there */
    const struct config *config; /* or NULL */
    const struct actor *by;
};

/*
 * review  answer, reason, ticket and until are given; of the finding everything is taken from
 *         `of`. Filled in: id, state, needed, rule
 */
bool reviewing_request(const struct reviewing *r, const struct reviewed *of, struct review *review,
                       struct workflow_outcome *ret, struct err *err);
/* ret_review: as it is then, with its approvals. */
bool reviewing_approve(const struct reviewing *r, int64_t id, struct review *ret_review,
                       struct workflow_outcome *ret, struct err *err);
bool reviewing_withdraw(const struct reviewing *r, int64_t id, struct str why,
                        struct review *ret_review, struct workflow_outcome *ret, struct err *err);
