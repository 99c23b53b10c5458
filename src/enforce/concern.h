/* concern.h - of which address may a change be? What a provider is told has a type and values, and
 * never an address.
 *
 * What is there before (update, delete): the instances of the state with that type and the same id.
 * What is made (create): the instances of the code whose configuration can be the one that is sent,
 * with what the state has of other resources, or without. Where it is not known which variables
 * Terraform was given (a saved plan has its own), it may be any. What cannot be told apart is all
 * of it: the strictest answer counts then
 *
 * Reads:   the stack's state and its code, both once, at the first question that needs them, until
 *          concern_forget(); providers are asked for schemas only
 * Owner:   the handle; answers live in the caller's arena
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct code;
struct code_input_value;
struct err;
struct guard_change;
struct reader_options;
struct schema;
struct stack;
struct value;

struct concern_options {
    const struct stack *stack;
    const struct reader_options *reader;
    const char *(*env)(const char *name);
    const struct code_input_value *inputs; /* -var, -var-file of the command */
    size_t ninputs;
    bool other_inputs; /* there may be others: a saved plan, commands that are not known */
    int64_t now_utc_ms;
};
struct concern;
/* What is pointed at outlives it. Reads nothing yet. */
bool concern_open(const struct concern_options *options, struct concern **ret, struct err *err);
void concern_close(struct concern *concern); /* NULL is fine */
/* What was read is read again when it is needed: another command may have changed it. */
void concern_forget(struct concern *concern);

struct concern_answer {
    const struct str *address; /* sorted, each once */
    size_t n;
    bool known;     /* false: it may be any of that type, listed or not */
    struct str why; /* not known: why not */
};
bool concern_of(struct concern *concern, struct arena *arena, const struct guard_change *change,
                struct concern_answer *ret, struct err *err);
/* May the change be of that address, which has something on record? */
bool concern_may_be(struct concern *concern, const struct guard_change *change,
                    const struct concern_answer *answer, struct str address);
/* The code, evaluated with what the state has; NULL: it cannot be, for the reason in err. Until
 * concern_forget(). */
const struct code *concern_code(struct concern *concern, struct err *err);
/* Of a provider's configuration; or NULL. */
const struct schema *concern_config_schema(struct concern *concern, struct str provider);
/* May both be one configuration? False only where they certainly differ. */
bool concern_may_equal(const struct value *a, const struct value *b);
/* The type's schema, or NULL. */
const struct schema *concern_schema(struct concern *concern, const struct guard_change *change);
