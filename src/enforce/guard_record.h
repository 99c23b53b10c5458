/* guard_record.h - the guard of a stack: what stands in the store, and policy, asked about each
 * change as it is about to be made.
 *
 * Denies:  what sets back drift that nobody has decided on (gate.undo of plumb.yaml), and what
 *          leaves alone drift that policy wants decided first (gate.undecided), path by path
 *          (undo.h); any change within a freeze (gate.freeze), what policy blocks or wants reviewed
 *          (gate.policy); each where its level is "block", and no breakglass is in effect
 * Which:   all addresses that the change may be of (concern.h), and the strictest answer
 * Writes:  an event for each answer before it is given; where that fails, the answer is no
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/guard.h"
#include "model/event.h"

struct concern;
struct config_gate;
struct err;
struct policy;
struct record;
struct stack;

struct guard_record_options {
    const struct stack *stack;
    struct concern *concern;
    struct record *record;          /* NULL: there is no store; then policy alone judges */
    struct policy *policy;          /* or NULL */
    const struct config_gate *gate; /* NULL: everything blocks */
    struct event_actor actor;       /* who runs the command */
    int64_t (*now_ms)(void *clock);
    void *clock;
    /* What is allowed all the same (level warn, breakglass): one line. */
    void (*on_warning)(void *ctx, struct str text);
    void *ctx;
};
struct guard_record;
/* What is pointed at outlives it. */
bool guard_record_open(const struct guard_record_options *options, struct guard_record **ret,
                       struct err *err);
void guard_record_close(struct guard_record *guard); /* NULL is fine */
struct guard guard_record_guard(struct guard_record *guard);
/* The next change asks the store again, however fresh what it said last is. NULL is fine. */
void guard_record_forget(struct guard_record *guard);
