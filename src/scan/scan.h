/* scan.h - the scan way through the house: stack -> desired -> live -> drift -> classes -> result.
 *
 * Read-only by construction: nothing below this call can reach a mutating provider method.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "live/reader.h"
#include "model/config.h"
#include "model/finding.h"
#include "model/stack.h"

struct arena;
struct err;

/* What is wanted: auto = the code where there is some, with the last state beside it. */
enum scan_desired { SCAN_DESIRED_AUTO, SCAN_DESIRED_CODE, SCAN_DESIRED_STATE };

struct code_input_value;
struct known_states;
struct places_repos;
struct policy;
struct record;

struct scan_options {
    const struct config *config; /* ignore rules, provider settings; may be NULL */
    struct reader_options reader;
    struct str snapshot;       /* --live FILE for all stacks, or empty */
    const struct str *targets; /* address globs; empty = all */
    size_t ntargets;
    /* Exactly these besides, where `exact`; sorted. */
    const struct str *addresses;
    size_t naddresses;
    bool exact;
    unsigned slice, nslices; /* one part of as many, by a hash of the address; nslices 0 = all */
    bool explain;
    enum scan_desired desired;
    const struct code_input_value *inputs; /* --var, --var-file */
    size_t ninputs;
    const char *(*env)(const char *name); /* TF_VAR_name; NULL = none */
    bool no_git;                          /* no commits, no authors, no branches */
    struct places_repos *repos;           /* shared by the stacks of one run; NULL = none */
    int64_t now_utc_ms;
    struct policy *policy; /* judges each finding; NULL = none */
    bool keep_asked;       /* fills finding.asked where policy is asked: for a store */
    struct str record_key; /* of the store that the result goes to: fills change.kept_digest */
    /* Where it stands what providers were configured with (record/configured.h), for what the code
     * does not tell; or NULL. */
    struct record *configured;
    /* Called for each finding as it comes (--stream); optional. */
    bool (*on_finding)(void *ctx, const struct finding *finding, struct err *err);
    /* Called with what each reader says of each instance, secrets and all; optional. An instance
     * that is read again is told again. */
    bool (*on_answer)(void *ctx, const struct live_result *result, struct err *err);
    void *ctx;
    /* Who made the difference, asked for each finding before policy judges it; optional. live: its
     * values as they are now, or NULL. ret NULL: nothing is to be said. */
    bool (*attribute)(void *ctx, const struct finding *finding, const struct value *live,
                      const struct attribution **ret, struct err *err);
    void *attribute_ctx;
    /* Called with the text of the stack's state (desired_open_state_text), once; optional. name is
     * for messages. */
    bool (*on_state)(void *ctx, struct str text, const char *name, struct err *err);
    /* *ret: on_state would tell nothing new of a state of that hash (stack_result.state_hash), and
     * is not called; optional. */
    bool (*knows_state)(void *ctx, uint64_t hash, bool *ret, struct err *err);
    void *on_state_ctx;
    /* States that need not be walked again for a few addresses (desired/known.h); NULL = none. */
    struct known_states *known;
};

/* Is less than the whole stack looked at? */
bool scan_is_partial(const struct scan_options *options);

/*
 * Scan one stack. Trouble with a resource is an `unchecked` finding; a stack that cannot be scanned
 * at all (no state, bad state) has `failed` filled. False only for ERR_CANCELLED, ERR_LIMIT and a
 * failed on_finding. ret lives in `arena`.
 */
bool scan_stack(struct arena *arena, const struct stack *stack, const struct scan_options *options,
                struct stack_result *ret, struct err *err);
/*
 * Put into the result that it was scanned while an apply went on: what it found may be half of
 * that. holder  of the state's lock; not held: somebody wrote the state meanwhile
 */
struct lock_holder;
bool scan_note_apply(struct arena *arena, const struct lock_holder *holder,
                     struct stack_result *result, struct err *err);
/* stack_result.state_hash of the state as it is now; 0 = there is none. known: NULL is fine. */
bool scan_state_hash(const struct stack *stack, struct known_states *known, uint64_t *ret,
                     struct err *err);
/* A plan JSON (terraform show -json) offline: Terraform's own drift through plumb's classes. */
bool scan_plan(struct arena *arena, struct str plan_json, const char *name,
               const struct scan_options *options, struct stack_result *ret, struct err *err);
