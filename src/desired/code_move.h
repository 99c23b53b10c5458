/* code_move.h - moved and removed blocks as statements about addresses (inside desired/ only).
 *
 * Source:  Terraform internal/refactoring and addrs (MoveDestination); facts/hcl.md 8
 * Bounds:  CODE_MOVES_MAX statements, more are ignored with a diagnostic
 */
#pragma once
#include "desired/code_parts.h"

enum { CODE_MOVES_MAX = 4000 };

enum code_move_kind {
    CODE_MOVE_CALL,     /* module.a to module.b, all instances */
    CODE_MOVE_MODULE,   /* module.a["k"] */
    CODE_MOVE_RESOURCE, /* all instances */
    CODE_MOVE_INSTANCE
};
struct code_move {
    enum code_move_kind kind;
    const struct code_config *in; /* where it is written; addresses are relative to it */
    struct code_address from, to;
    const struct code_moved *written;
    size_t index; /* as they are written */
};
struct code_moves {
    struct code_move *item; /* in the order in which they take effect */
    size_t n;
    bool cyclic; /* none takes effect */
};

/* All of the tree, once. */
const struct code_moves *code_moves_of(struct code *code);
/* Where the statement takes that address; false: it does not concern it. backwards: from `to`. */
bool code_move_apply(struct arena *arena, const struct code_move *move, bool backwards,
                     const struct code_address *address, struct code_address *ret);
/*
 * What the state may call the instance at `address`: itself, or where moved blocks and changes of
 * count take it from. False: the state has none of these.
 */
bool code_prior_state(struct code_walk *walk, const struct code_made *made, struct value *ret);
