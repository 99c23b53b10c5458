/* schemas.h - what the providers of a stack say of their types, and their functions, for those who
 * evaluate its code: the door to reader_provider/library.h.
 *
 * Reads:   GetProviderSchema and CallFunction of the binaries that `init` installed, checked as for
 *          a scan; what they say is remembered by the digest of the binary (options->cache_dir)
 * Owner:   schemas live until live_schemas_close
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "desired/module.h"
#include "lang/hcl/eval.h"
#include "model/schema.h"

struct err;
struct library;
struct reader_options;
struct stack;

/* Fails for a CLI configuration that cannot be read. `stack` outlives it, options are copied. */
bool live_schemas_open(const struct stack *stack, const struct reader_options *options,
                       struct library **ret, struct err *err);
void live_schemas_close(struct library *library); /* NULL is fine */
/* Those of several providers, asked side by side. False only when cancelled. */
bool live_schemas_prefetch(struct library *library, const struct str *sources, size_t n,
                           struct err *err);
/* Why a provider's schema could not be had; empty: it could. */
struct str live_schemas_trouble(struct library *library, struct str source);
/* Of a type, of a configuration; NULL: not known. */
const struct schema *live_schemas_type(struct library *library, struct str source,
                                       enum code_mode mode, struct str type);
const struct schema *live_schemas_config(struct library *library, struct str source);
/* provider::NAME::FUNCTION(); False adds a diagnostic. */
bool live_schemas_call(struct library *library, struct hcl_eval *ev, struct str source,
                       struct str name, const struct value *args, size_t nargs, struct value *ret);
