/* gate_record.h - the gate and the store: what stands on record of a stack, the decision as an
 * event, the approval of what was allowed.
 *
 * Deny:    a decision that could not be written down is none: gate_write_decision turns it into a
 *          denial (exit code 1), and so is one for which the store cannot be asked
 */
#pragma once
#include "enforce/gate_report.h"
#include "model/event.h"

struct record;

/* Findings, reviews, freezes, breakglasses, the last scan, what the baseline accepts: into the
 * facts. */
bool gate_add_record(struct arena *arena, struct record *record, struct gate_seen *seen,
                     struct err *err);

struct gate_writing {
    struct event_actor actor;
    struct str policy; /* digest, or empty */
    bool approve;      /* issue a token, if it is allowed */
    int64_t token_ms;  /* how long it may be used; 0 = default */
};
/*
 * The gate.decision event, and the token with its own, in one transaction: durable when this
 * returns true. report->event and report->token are filled.
 */
bool gate_write_decision(struct arena *arena, struct record *record, const struct gate_writing *how,
                         struct gate_report *report, struct err *err);
