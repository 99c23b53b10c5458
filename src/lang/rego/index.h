/* index.h - which definitions of a rule can have a solution for this input, or these arguments.
 *
 * Owner: the policy's arena; read-only after compiling
 */
#pragma once
#include "lang/rego/machine.h"

/* For the node and all below it, once their plans are made. False: memory is out. */
bool rego_index_rules(struct rego_compiler *c, struct rego_node *node, unsigned depth_left);

struct rego_candidates { /* definitions by number, in their order */
    bool listed;         /* else all n */
    const uint32_t *some, *others;
    size_t at, n, other_at, nothers;
};
struct rego_candidates rego_candidates(struct rego_machine *m, const struct rego_node *node,
                                       const struct value *arg);
/* False at the end. */
bool rego_candidate(struct rego_candidates *c, size_t *ret);
