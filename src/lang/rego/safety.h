/* safety.h - what safety.c and safety_needs.c share: which variables the literals of a body wait
 * for.
 *
 * Bodies nest: what is known of the inner one lies above what is known of the outer one, on stacks
 * that are cut back at its end.
 * Owner:  .scratch, freed once the rule or the query is in order
 */
#pragma once
#include "lang/rego/policy.h"

/* --- walks over variables --- */

enum { REGO_VARS_OWN = 1, REGO_VARS_CLOSURES = 2 };
struct rego_walk_vars {
    bool (*visit)(void *ctx, const struct rego_term *var);
    void *ctx;
    unsigned what; /* variables of the literal itself, of the bodies within it */
    unsigned depth;
    bool closures; /* there are bodies within it */
    size_t steps;
};
bool rego_walk_term_vars(struct rego_walk_vars *w, const struct rego_term *t);
bool rego_walk_expr_vars(struct rego_walk_vars *w, const struct rego_expr *e);

/* --- the state --- */

struct rego_safety_slot { /* a variable of the rule */
    uint32_t var;         /* 1 + the last one of it in .var; 0: none */
    uint32_t stamp, own;  /* where stamp is that of the literal that is read: its one in .var */
    uint32_t out;         /* equal to .out of the state: what is looked at now binds it */
    bool bound;           /* so far */
    bool outer;           /* of this body or of those around it */
};
struct rego_var { /* in one literal */
    uint32_t slot, literal;
    uint32_t next;    /* 1 + the one before it of the same slot; below the body's first: the end */
    uint32_t waiting; /* 1 + the first edge: of clauses that wait for it */
    bool own, closure, known, made_outer;
    bool repeated; /* stands in the literal more than once */
};
struct rego_edge {
    uint32_t clause, next;
};
struct rego_clause { /* once all that it waits for is known, so is what it gives */
    uint32_t unmet, first, n;
};
struct rego_literal {
    uint32_t own, closure;     /* variables that it still waits for */
    uint32_t first_var, nvars; /* those of its own */
    bool every, queued, taken;
};
struct rego_ready {
    uint32_t pass, literal;
};
enum rego_undo { REGO_UNDO_BOUND, REGO_UNDO_OUTER, REGO_UNDO_OUT };
struct rego_undo_entry {
    uint32_t slot, was;
    enum rego_undo what;
};
struct rego_safety {
    struct rego_compiler *c;
    struct arena scratch;
    struct rego_safety_slot *slot; /* of c->variables */
    size_t nslots, slot_room;
    uint32_t stamps, outs; /* given so far */
    uint32_t out;          /* 0: nothing is bound by what is looked at */
    unsigned depth;
    const struct rego_expr *under; /* the literal whose clauses are made, if it has `with` */
    struct rego_literal *literal;
    size_t nliterals, literal_room;
    struct rego_var *var;
    size_t nvars, var_room;
    struct rego_edge *edge;
    size_t nedges, edge_room;
    struct rego_clause *clause;
    size_t nclauses, clause_room;
    uint32_t *given; /* by clauses: vars */
    size_t ngiven, given_room;
    uint32_t *todo; /* vars that became known */
    size_t ntodo, todo_room;
    struct rego_ready *ready; /* a heap for each body */
    size_t nready, ready_room;
    struct rego_undo_entry *undo;
    size_t nundo, undo_room;
};

/* --- what is bound, with the way back --- */

struct rego_undone {
    size_t n;
};
struct rego_undone rego_safety_mark(const struct rego_safety *s);
void rego_safety_undo(struct rego_safety *s, struct rego_undone to);
bool rego_safety_set(struct rego_safety *s, uint32_t slot, enum rego_undo what);
/* What a pattern binds: not variables in keys of objects, in sets, refs or calls. */
bool rego_bind_pattern(struct rego_safety *s, const struct rego_term *pattern);
bool rego_is_known_var(void *ctx, const struct rego_term *var);

/* --- safety_needs.c --- */

struct rego_needs { /* of one body */
    uint32_t first_literal, nliterals;
    uint32_t first_var, first_edge, first_clause, first_given, first_ready;
    uint32_t nready;
    uint32_t pass, after; /* after: 1 + the literal that was taken last */
};
/* All functions that give false ran out of memory, or of what compiling may cost. */
bool rego_needs_read(struct rego_safety *s, const struct rego_body *body, struct rego_needs *ret);
/* One part of the literal binds what another part of it needs, perhaps. */
bool rego_needs_itself(const struct rego_safety *s, const struct rego_needs *needs, size_t literal);
/* The next literal that waits for nothing: false if there is none. */
bool rego_needs_next(struct rego_safety *s, struct rego_needs *needs, size_t *ret);
/* It is evaluated: what it binds is bound. */
bool rego_needs_take(struct rego_safety *s, struct rego_needs *needs, size_t literal);
/* What a literal would bind is known: .out, until it is set to 0. */
bool rego_needs_mark(struct rego_safety *s, size_t literal);
void rego_needs_forget(struct rego_safety *s, const struct rego_needs *needs);

/* --- expand.c --- */

/* The literals from there on, calls within them pulled out, where there are any: *ret_any. */
bool rego_expand_rest(struct rego_compiler *c, struct rego_body *body, size_t from, bool *ret_any);
/* Parts of a head that must be evaluated, as literals at the end of the body; places may be NULL.
 */
bool rego_expand_heads(struct rego_compiler *c, struct rego_body *body,
                       struct rego_term **const *place, size_t n, bool *ret_any);
