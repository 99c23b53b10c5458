/* gate_call.h - the gate, asked over the wire: a plan as JSON in, a decision out.
 *
 * Facts:   what the plan says of before and after, and what is on record of the stack; the service
 *          has no code and no providers of it, so what is live now is what the plan saw
 * Deny:    a decision whose event could not be written is none
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "enforce/gate.h"
#include "enforce/gate_report.h"
#include "model/event.h"

struct arena;
struct err;
struct server;

struct gate_call {
    struct str stack;
    struct str plan; /* JSON */
    struct event_actor actor;
};
struct gate_called {
    struct gate_seen seen;
    struct gate_decision decision;
    struct gate_report report;
};
/* Any thread; one call at a time works. ret is filled in place: it points into itself. */
bool gate_call(struct server *server, struct arena *arena, const struct gate_call *call,
               struct gate_called *ret, struct err *err);
