/* codeblock.h - what the code's own `provider` blocks say, as far as they are constants.
 *
 * Reads:   *.tf and *.tofu of the module that the configuration belongs to (.terraform/modules for
 *          child modules), required_providers for local names; override files come last
 * Honest:  an argument that is not a constant (a variable, a function, a dynamic block) is left out
 *          and named in `incomplete`: the pool then takes no "does not exist" from that provider
 * After:   plumb.yaml and the evaluated code, where there is one (scan without --desired state)
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "live/reader_provider/settings.h"

struct reader_options;
struct stack;

enum { CODE_FILE_MAX = 16 << 20, CODE_FILES_MAX = 2000 };

/* ctx of settings_from_code: plumb.yaml is asked first, then who has evaluated the code. */
struct code_context {
    const struct stack *stack;
    const struct reader_options *options; /* provider_config; or NULL */
    struct str root, data_dir;            /* of the stack, as the locator has them */
};
bool settings_from_code(void *ctx, struct arena *arena, const struct settings_key *key,
                        const struct schema *schema, struct settings *ret, struct err *err);

/* The same for one directory's files, without plumb.yaml. */
bool codeblock_read(struct arena *arena, struct str dir, const struct settings_key *key,
                    struct settings *ret, struct err *err);
