/* machine.h - the evaluation of plans: state, documents, the steps.
 *
 * A step that has several solutions runs the rest of its chain once for each; at the end of the
 * chain stands a `found`. All values of an evaluation live in its arena.
 */
#pragma once
#include "lang/rego/caches.h"
#include "lang/rego/policy.h"

enum rego_flow {
    REGO_GO,   /* look for more solutions */
    REGO_STOP, /* enough: back to whoever said so */
    REGO_BAD   /* machine->error is set */
};

struct rego_machine;
struct rego_found { /* called for each solution */
    enum rego_flow (*call)(struct rego_found *found, struct rego_machine *m);
};

enum rego_memo_state { REGO_MEMO_NONE, REGO_MEMO_RUNNING, REGO_MEMO_UNDEFINED, REGO_MEMO_VALUE };
struct rego_node_memo {
    enum rego_memo_state state;
    struct value value;
};
struct rego_call_memo { /* of functions: scalars by value, collections by identity */
    const struct rego_node *node;
    const struct value *arg;
    bool defined;
    struct value value;
};
struct rego_mock {
    const struct rego_node *node;
    const struct rego_builtin *builtin;
    const struct rego_node *by_node;
    const struct rego_builtin *by_builtin;
    const struct rego_signature *by_signature;
    struct value value;
};
/* The documents that expressions see; `with` makes another. */
struct rego_world {
    const struct value *input;   /* NULL = undefined */
    const struct value *data;    /* base documents; NULL = none */
    struct rego_node_memo *memo; /* by node id */
    const bool *masked;          /* by node id: replaced by base data; NULL = none */
    const struct rego_mock *mock;
    size_t nmock;
    struct rego_call_memo *call; /* open addressing */
    size_t ncalls, nslots;
    const struct value **base; /* by node id: what base data has at its path; see rego_base_of */
};
struct rego_frames;
struct rego_reads;
struct rego_machine {
    const struct rego_policy *policy;
    const struct rego_eval_options *options;
    struct arena *arena;
    struct rego_caches *caches;
    struct rego_world *world;
    struct value *frame;
    struct rego_frames *frames;
    struct rego_selections *selections; /* select.c */
    uint32_t *hint; /* by rego_pattern.hint: which member had the key the last time */
    uint64_t steps, steps_limit;
    uint64_t steps_check; /* from here on limits and the clock are looked at again */
    unsigned depth, depth_limit, nested;
    uintptr_t stack_mark; /* what lies below it is not for rules: rego_stack_low() */
    int64_t deadline_ms;
    struct rego_error error;
    struct rego_error *builtin_error;
    size_t nbuiltin_errors, builtin_error_room;
    struct rego_call_memo *once; /* nondeterministic built-ins: builtin in `node` */
    size_t nonce, once_room;
    struct rego_reads *reads; /* NULL: nobody watches (watch.h) */
    struct rego_open *open;   /* trace.h */
    unsigned trace_depth;
};

/* Steps that go through something, documents below documents: one in the other. */
enum { REGO_RUNNING_MAX = 1000000 };
enum rego_flow rego_run(struct rego_machine *m, const struct rego_step *step,
                        struct rego_found *found);
bool rego_match(struct rego_machine *m, const struct rego_pattern *pattern, const struct value *v);
static inline const struct value *rego_operand(const struct rego_machine *m,
                                               const struct rego_operand *o)
{
    return o->slot == REGO_NO_SLOT ? &o->constant : &m->frame[o->slot];
}

/* Set the error of the evaluation; always REGO_BAD. */
enum rego_flow rego_error(struct rego_machine *m, const char *code,
                          const struct rego_module *module, struct rego_place place,
                          const char *fmt, ...) __attribute__((format(printf, 5, 6)));
enum rego_flow rego_no_memory(struct rego_machine *m);
/* Count a step; false with the error set past a limit. */
bool rego_spend_checked(struct rego_machine *m);
static inline bool rego_spend(struct rego_machine *m, uint64_t n)
{
    m->steps += n;
    return m->steps < m->steps_check || rego_spend_checked(m);
}
/* v at a key of a ref: rego_get(), which first looks where the key was the last time. */
const struct value *rego_get_hinted(struct rego_machine *m, const struct value *v,
                                    const struct rego_pattern *key);

/* Which elements of a collection can go on, by position; *ret NULL: go through all of them. */
enum rego_flow rego_select(struct rego_machine *m, const struct rego_select *by,
                           const struct value *collection, const uint32_t **ret, size_t *ret_n);

/* --- stack.c --- */

typedef enum rego_flow rego_run_fn(struct rego_machine *m, void *ctx);
void rego_stack_start(struct rego_machine *m);
static inline bool rego_stack_low(const struct rego_machine *m)
{
    return (uintptr_t)__builtin_frame_address(0) < m->stack_mark;
}
/* run(m, ctx) on a stack of its own. */
enum rego_flow rego_on_new_stack(struct rego_machine *m, rego_run_fn *run, void *ctx);

/* --- documents --- */

/* A document that may be made of rules: node NULL = the plain value. */
struct rego_document {
    const struct rego_node *node;
    const struct value *base; /* may be NULL with a node */
    bool stored;              /* base is of the base documents: data[2] finds the key "2" */
};
/* The value of a node's rules, or of all below it. *ret_defined. */
enum rego_flow rego_node_value(struct rego_machine *m, const struct rego_node *node,
                               struct value *ret, bool *ret_defined);
struct rego_document rego_node_document(struct rego_machine *m, const struct rego_node *node);
enum rego_flow rego_document_value(struct rego_machine *m, struct rego_document document,
                                   struct value *ret, bool *ret_defined);
enum rego_flow rego_function(struct rego_machine *m, const struct rego_node *node,
                             const struct value *arg, size_t n, struct value *ret,
                             bool *ret_defined);
/* Run one definition in a frame of its own. */
bool rego_frame_push(struct rego_machine *m, uint32_t n, struct value **ret_before);
void rego_frame_pop(struct rego_machine *m, struct value *before, uint32_t n);
bool rego_world_make(struct rego_machine *m, const struct rego_world *from, struct rego_world *ret);
/* The world that `with` makes. */
enum rego_flow rego_change_world(struct rego_machine *m, const struct rego_step *step,
                                 struct rego_world *ret);
