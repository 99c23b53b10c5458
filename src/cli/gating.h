/* gating.h - a plan as it was given to `plumb gate`: its bytes, its digest, its JSON. */
#pragma once
#include "base/io_big.h"
#include "base/str.h"

struct app;
struct arena;
struct config;
struct err;
struct stack;

enum { GATING_PLAN_MAX = 2000 << 20 };

struct gating_plan {
    struct str name;   /* for messages, NUL-ended */
    struct str json;   /* what it would do */
    struct str saved;  /* the saved plan's bytes; empty: it was given as JSON */
    struct str digest; /* "sha256:..." of the file as it was given: what is approved */
    struct io_big big;
};
/*
 * path  "-" reads JSON from standard input
 * Of a saved plan the stack's own tofu or terraform prints the JSON.
 */
bool gating_open_plan(struct arena *arena, const struct app *app, const struct stack *stack,
                      struct str path, struct gating_plan *ret, struct err *err);
/* The file and its digest only: `json` and `saved` stay empty. */
bool gating_read_plan(struct arena *arena, struct str path, struct gating_plan *ret,
                      struct err *err);
void gating_close_plan(struct gating_plan *plan);
struct gating_stack {
    struct str named; /* --stack: a folder, or a stack's name; empty = what is here */
    struct str config_file, workspace, state;
};
/* The one stack that is meant, as stacks_find() has it. *ret_config may be NULL. */
bool gating_find_stack(struct arena *arena, const struct app *app, const struct gating_stack *ask,
                       struct stack *ret, const struct config **ret_config, struct err *err);
