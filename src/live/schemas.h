/* schemas.h - what the providers of a stack say of their types, for those who evaluate its code.
 *
 * Reads:   GetProviderSchema of the binaries that `init` installed, checked as for a scan; each is
 *          started once, asked, and stopped. What it said is remembered by the digest of its binary
 *          (options->cache_dir), so that the next run starts none
 * Owner:   schemas live until live_schemas_close
 * Errors:  a provider that is not there, may not be run, or does not answer has a reason instead
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "model/schema.h"

struct err;
struct reader_options;
struct stack;
struct live_schemas;

/* env: getenv, or a test's own. options outlive it. Fails for a CLI configuration that cannot be
 * read. */
bool live_schemas_open(const struct stack *stack, const char *(*env)(const char *name),
                       const struct reader_options *options, struct live_schemas **ret,
                       struct err *err);
/* source in full (registry.terraform.io/hashicorp/aws). NULL: *ret_why, if not NULL, says why. */
const struct provider_schema *live_schemas_find(struct live_schemas *schemas, struct str source,
                                                struct str *ret_why);
/* NULL is fine. */
void live_schemas_close(struct live_schemas *schemas);
