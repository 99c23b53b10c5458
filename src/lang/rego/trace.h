/* trace.h - telling what an evaluation does (inside lang/rego; the events are in rego.h).
 *
 * The places are those of coverage: an expression that is looked at, a head that gives a value. An
 * expression fails where neither the next place of its chain nor the chain's end is reached.
 */
#pragma once
#include "lang/rego/machine.h"

struct rego_open {                /* an expression that is being looked at */
    const struct rego_step *next; /* the place behind it; NULL: the end of its chain */
    const struct rego_found *found;
    bool reached;
    unsigned depth;
    struct rego_open *up;
};

/* The rest of a chain from a place on. */
enum rego_flow rego_trace_place(struct rego_machine *m, const struct rego_step *step,
                                struct rego_found *found);
/* The end of a chain is reached. */
void rego_trace_found(struct rego_machine *m, const struct rego_found *found);
void rego_trace_enter(struct rego_machine *m, const struct rego_rule *rule);
void rego_trace_leave(struct rego_machine *m);
/* trace("text") was called. */
void rego_trace_note(struct rego_machine *m, const struct rego_step *step, struct str text);
