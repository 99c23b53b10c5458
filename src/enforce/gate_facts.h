/* gate_facts.h - everything that gate_decide asks: the plan, the state, what is live, code, policy.
 *
 * Reads:   the stack's state, exactly the addresses that the plan touches or saw drifted, git;
 *          nothing is changed. What stands in the store is added by the caller (gate_record.h)
 * Fails:   what cannot be found out is a fact (cannot_tell, unread) and denies; false only where
 *          nothing can be said at all: no plan, cancelled, memory
 * Owner:   the arena, and the texts in `asking`, which outlive it
 */
#pragma once
#include "desired/saved_plan.h"
#include "enforce/gate.h"
#include "scan/scan.h"

struct plan_code;

struct gate_asking {
    const struct stack *stack;
    struct scan_options
        scan;               /* config, reader, snapshot, inputs, env, repos, no_git, policy, now */
    struct str plan;        /* its JSON */
    const char *plan_name;  /* for messages */
    struct str saved;       /* bytes of the saved plan, or empty */
    bool from_plan;         /* read nothing: what the plan saw counts as live */
    struct str plan_commit; /* that the plan was made from, or empty */
    struct plan_code *code; /* for places in the code; or NULL */
};
struct gate_seen {
    struct gate_facts facts;
    struct plan_doc doc;
    struct stack_result scan;
    const struct str *note; /* for people: what the decision does not rest on */
    size_t nnotes;
};
bool gate_gather(struct arena *arena, const struct gate_asking *asking, struct gate_seen *ret,
                 struct err *err);
