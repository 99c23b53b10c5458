/* plan.h - planning: what its files share. plan_value.c has steps and patterns, plan_term.c terms,
 * plan_unify.c unification, plan.c literals, rules and queries.
 *
 * Owner: the arena of the compiler; false = a complaint was made, or memory is out
 */
#pragma once
#include "lang/rego/policy.h"

enum { LAST_STEPS = 4 };
struct chain {
    const struct rego_step **tail; /* where the next step goes */
    const struct rego_step *first;
    struct rego_step *last[LAST_STEPS]; /* newest first; NULL where there are fewer */
};
struct planning {
    struct rego_compiler *c;
    struct rego_slots bound;
    uint32_t *log; /* what was bound, in turn */
    size_t nlog, log_room;
    struct chain *chain;
    struct rego_place place;
};

/* --- steps and patterns: plan_value.c --- */

static inline struct rego_operand rego_plan_constant(struct value v)
{
    return (struct rego_operand){REGO_NO_SLOT, v};
}
static inline struct rego_operand rego_plan_slot(uint32_t i)
{
    return (struct rego_operand){.slot = i};
}
static inline struct rego_pattern rego_plan_any(void)
{
    return (struct rego_pattern){.kind = REGO_MATCH_ANY};
}
static inline struct rego_pattern rego_plan_equal(struct rego_operand o)
{
    return (struct rego_pattern){.kind = REGO_MATCH_EQUAL, .operand = o};
}
void rego_plan_start(struct chain *chain);
/* A step behind those of the chain; NULL where memory is out. */
struct rego_step *rego_plan_emit(struct planning *p, enum rego_step_kind kind);
/* A fresh register that a step fills. */
bool rego_plan_fresh(struct planning *p, struct rego_operand *ret, struct rego_pattern *ret_match);
/* Is it a value already: scalars and collections of them? rego_plan_fold gives it. */
bool rego_plan_is_constant(const struct rego_term *t, unsigned depth_left);
bool rego_plan_fold(struct planning *p, const struct rego_term *t, struct value *ret,
                    unsigned depth_left);
/* It is bound from here on, up to the end of its body. */
bool rego_plan_bind(struct planning *p, uint32_t slot);
/* Free again: what was bound since the log had that many. */
void rego_plan_unbind(struct planning *p, size_t nlog);
/* A variable that nothing has bound yet. */
bool rego_plan_is_free(const struct planning *p, const struct rego_term *t);
/* Does the term hold a free variable outside the keys of refs and inner bodies? */
bool rego_plan_waits(const struct planning *p, const struct rego_term *t, unsigned depth_left);
/* The same, apart from what its own refs bind once they are gone through: x * xs[x]; in
 * collections, too: [x, xs[x]]. */
bool rego_plan_is_stuck(struct planning *p, const struct rego_term *t, bool collections);
/* Is a variable that is free bound by the refs of t: xs[x]? */
bool rego_plan_binds(struct planning *p, const struct rego_term *t, const struct rego_term *var);
/* Does another term wait for nothing any more once t's refs are gone through? w[0] = xs[w] */
bool rego_plan_frees(struct planning *p, const struct rego_term *t, const struct rego_term *other);
/* What a value must be to match t; free variables become bound by it, in the order of reading. */
bool rego_plan_pattern(struct planning *p, const struct rego_term *t, struct rego_pattern *ret);

/* --- terms: plan_term.c --- */

/* Is t that very name, such as input? */
bool rego_plan_is_name(const struct rego_term *t, const char *name);
/* A term as a constant or a register, with the steps that fill it. */
bool rego_plan_operand(struct planning *p, const struct rego_term *t, struct rego_operand *ret);
/* The steps whose value goes to match. */
bool rego_plan_into(struct planning *p, const struct rego_term *t, struct rego_pattern match);
/* A call whose result goes to match; one argument more than it takes is what it must be. */
bool rego_plan_call(struct planning *p, const struct rego_term *t, struct rego_pattern match);
size_t rego_plan_arity(const struct rego_node *node, const struct rego_builtin *builtin,
                       struct rego_compiler *c);
/* Terms of a template or of print: each a body of its own, undefined or not. */
bool rego_plan_each(struct planning *p, struct rego_term *const *t, size_t n,
                    const struct rego_part **ret);

struct inside { /* a body within: its chain, and what was before */
    struct chain chain, *before;
    size_t nlog;
};
void rego_plan_enter(struct planning *p, struct inside *in);
/* What was bound inside is free again outside. */
void rego_plan_leave(struct planning *p, struct inside *in);

/* After a step has been filled in: does it tell which elements an iteration before it needs?
 * plan_select.c */
void rego_plan_select(struct planning *p);

/* --- unification and bodies: plan_unify.c, plan.c --- */

bool rego_plan_unify(struct planning *p, const struct rego_term *a, const struct rego_term *b);
bool rego_plan_body(struct planning *p, const struct rego_body *body);
