/* reviews.h - reviews, breakglasses and freezes in the store.
 *
 * Order:   a change is read, decided (respond/workflow.h) and written within one DB_WRITE
 *          transaction, with its event: writers stand in line, so two approvals at once see each
 *          other, and a review comes into effect once
 * Time:    nobody has to be awake when something ends: what asks (standing.h) goes by the clock,
 *          record_settle writes down what has ended since
 */
#pragma once
#include "model/review.h"
#include "record/record.h"

/* The finding that a review is about, as the store has it. */
struct reviewed {
    int64_t finding;      /* its number in the store */
    struct review review; /* stack, address, class, value ...: everything that the finding says */
    struct str status, type;
};
/*
 * By the start of its fingerprint (4 digits or more). ERR_USAGE where none or several are open
 * and fit.
 * stack  empty = any
 */
bool reviews_find(struct record *record, struct arena *arena, struct str start, struct str stack,
                  struct reviewed *ret, struct err *err);

/* --- within an open DB_WRITE transaction --- */

/* review->id is given here. ERR_CONFLICT where the finding waits for another one. */
bool reviews_insert(struct record *record, int64_t finding, struct review *review, struct err *err);
bool reviews_add_approval(struct record *record, int64_t id, const struct approval *approval,
                          struct err *err);
/*
 * It came into effect: whatever was in effect for the finding before is replaced, and the finding
 * is `reviewed` or `waived`. ERR_CONFLICT where it is not the requested one any more.
 */
bool reviews_take_effect(struct record *record, struct review *review, struct err *err);
/* It ended: the finding is open again, unless it was resolved. With its event. */
bool reviews_end(struct record *record, const struct review *review, enum review_end end,
                 const struct actor *by, struct str why, struct err *err);
/* Events of reviews are told here, so that all have the same shape. */
bool reviews_tell(struct record *record, enum event_type type, const struct review *review,
                  const struct actor *by, struct str outcome, struct str reason, struct err *err);

/* --- reading --- */

/* With its approvals. ERR_USAGE: there is none of that number. */
bool reviews_load(struct record *record, struct arena *arena, int64_t id, struct review *ret,
                  int64_t *ret_finding, struct err *err);

enum { REVIEWS_ALL = 0, REVIEWS_OPEN = 1, REVIEWS_EFFECT = 2, REVIEWS_ENDED = 4 };
struct reviews_query {
    unsigned states;  /* of the above; REVIEWS_ALL: any */
    struct str stack; /* empty = any */
    int64_t finding;  /* 0 = any */
    size_t most;      /* 0 = 10,000 */
};
/* Newest first, with their approvals. */
bool reviews_list(struct record *record, struct arena *arena, const struct reviews_query *query,
                  struct review **ret, size_t *ret_n, struct err *err);

/* --- what covers many findings for a time --- */

enum cover_kind { COVER_BREAKGLASS, COVER_FREEZE };
struct cover {
    enum cover_kind kind;
    int64_t id;                /* B1, F1 */
    struct str scope, address; /* globs over the stack's name and the address; empty = any */
    struct str reason, ticket;
    struct actor by;
    int64_t start_utc_ms, until_utc_ms;
    int64_t ended_utc_ms; /* 0 = nobody ended it, nor was its end written down */
    struct actor ended_by;
    int64_t due_utc_ms; /* of a breakglass: when what changed is to be answered */
    int64_t within_ms;  /* the same from its end */
    int64_t nfindings;  /* of a breakglass that ended: what appeared or changed within */
};
/* At that time, whether or not its end was written down. */
bool cover_counts(const struct cover *cover, int64_t now_utc_ms);
bool cover_fits(const struct cover *cover, struct str stack, struct str address);

/* In a transaction of their own, with their events. cover->id is given. */
bool covers_start(struct record *record, struct cover *cover, struct err *err);
/* ERR_USAGE: there is none; it has ended. */
bool covers_end(struct record *record, enum cover_kind kind, int64_t id, const struct actor *by,
                struct str why, struct cover *ret, struct arena *arena, struct err *err);
/* Newest first. all: those that ended, too */
bool covers_list(struct record *record, struct arena *arena, enum cover_kind kind, bool all,
                 struct cover **ret, size_t *ret_n, struct err *err);
/* Fingerprints of what appeared or changed within a breakglass that ended, and is still there. */
bool covers_findings(struct record *record, struct arena *arena, int64_t breakglass,
                     struct str **ret, size_t *ret_n, struct err *err);

/* --- what time and scans have done --- */

struct settled {
    uint64_t expired, voided, resolved; /* reviews that ended */
    uint64_t breakglasses, freezes;     /* that ended */
    uint64_t overdue;                   /* findings whose deadline passed since */
};
/*
 * Write down what has ended since anybody looked, and which deadlines have passed, each with its
 * event, once. In one transaction; nothing to do takes no lock. After each scan, and before what
 * lists.
 */
bool record_settle(struct record *record, struct settled *ret, struct err *err);
/* Is there something to write down? Reads only. */
bool record_unsettled(struct record *record, bool *ret, struct err *err);
