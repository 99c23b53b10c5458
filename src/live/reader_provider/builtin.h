/* builtin.h - terraform_data, which no plugin serves: read, and planned.
 *
 * Read:    there is nothing outside of the state: live is what was recorded
 * Plan:    the output follows the input; another triggers_replace makes a new one
 * Source:  Terraform builtin/providers/terraform, resource_data.go
 */
#pragma once
#include <stdbool.h>

#include "live/reader.h"

/* Each of `resources` is of terraform.io/builtin/terraform. False only where the sink failed. */
bool builtin_read(const struct resource *resource, const struct reader_options *options,
                  live_sink on_result, void *sink_ctx, struct err *err);
