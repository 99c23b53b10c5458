/* library.h - a stack's providers apart from any resource: what their types look like, and their
 * functions. What an evaluator of code asks for (desired/code.h), and what a reader shares.
 *
 * Shape:   each provider is found, checked and asked once. A schema comes from the cache, or from a
 *          process that goes as soon as it has answered; the processes of a prefetch run side by
 *          side. The first call of a function starts a process that stays until the end
 * Errors:  what cannot be had is NULL or unknown; library_trouble() says why
 * Reads:   GetProviderSchema and CallFunction; no provider is configured here
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "desired/module.h"
#include "lang/hcl/eval.h"
#include "model/schema.h"

struct err;
struct locator;
struct provider;
struct reader_options;
struct stack;

struct library;
/* Fails where nothing can be found out about providers at all (a bad CLI configuration). Options
 * are copied; `stack` outlives it. */
bool library_open(const struct stack *stack, const struct reader_options *options,
                  struct library **ret, struct err *err);
void library_close(struct library *library);

/* Their schemas, all at once. False only when cancelled. */
bool library_prefetch(struct library *library, const struct str *sources, size_t n,
                      struct err *err);
/* Whose schema could not be had, and why; empty: none. The same text each time. */
struct str library_trouble(struct library *library, struct str source);

/* --- for struct code_options; ctx is the library --- */
const struct schema *library_schema(void *ctx, struct str source, enum code_mode mode,
                                    struct str type);
const struct schema *library_config_schema(void *ctx, struct str source);
/* False adds a diagnostic. Unknown where the provider cannot be asked. */
bool library_call_function(void *ctx, struct hcl_eval *ev, struct str source, struct str name,
                           const struct value *args, size_t nargs, struct value *ret);

/* Is it installed? The answer of locate_has(), once for each. */
bool library_has(struct library *library, struct str source);

/* --- for the reader (pool_input.borrow) --- */
/* What was read of the CLI configuration and the lock file: the providers were found by that. */
const struct locator *library_locator(const struct library *library);
struct provider *library_provider(void *ctx, struct str source);
