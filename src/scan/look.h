/* look.h - a root module's code with all that evaluating it may ask for: schemas and functions of
 * the installed providers, what the state has, variables, the environment. For commands that look
 * at code: check, eval, explain, graph.
 *
 * Reads:   files, the state (at the first question about it), providers' schemas; changes nothing
 * Owner:   the look; code that look_code opened is closed before look_close
 */
#pragma once
#include "desired/code.h"
#include "live/reader.h"
#include "model/stack.h"

struct err;
struct look;

struct look_options {
    const struct stack *stack;
    const struct code_input_value *inputs; /* --var, --var-file */
    size_t ninputs;
    bool no_state, no_providers;
    bool in_spite_of_errors; /* see code_options */
    struct reader_options reader;
    const char *(*env)(const char *name);
    int64_t now_utc_ms;
};

/* What is pointed at by options outlives the look. Fails only where memory is out: what is not to
 * be had is a note. */
bool look_open(const struct look_options *options, struct look **ret, struct err *err);
void look_close(struct look *look); /* NULL is fine */
/* Read the code; any number of times. The caller closes it (code_close). */
bool look_code(struct look *look, enum code_phase phase, struct code **ret, struct err *err);
/* What look_code opens it with: for those who open it again with other texts. */
struct code_options look_code_options(struct look *look, enum code_phase phase);
/* Ask the tree's providers for their schemas, side by side. False only when cancelled or full. */
bool look_prefetch(struct look *look, const struct code_tree *tree, struct err *err);
/* Is every module of the tree there, and every resource's schema? */
bool look_all_known(struct look *look, const struct code_tree *tree);
/* For struct lint_options; ctx is the look. */
const struct schema *look_schema(void *ctx, struct str provider, enum code_mode mode,
                                 struct str type);
/* What could not be had, and why; each thing once. */
const struct str *look_notes(const struct look *look, size_t *ret_n);
