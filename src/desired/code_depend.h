/* code_depend.h - which resources of a tree need which others, whatever stands between them.
 *
 * Shape:   a vertex for each resource block (not instance) of each module of the tree; what it
 * needs through locals, variables, outputs, module calls and provider configurations counts as
 *          needed directly. Edges that follow from others are left out (transitive reduction)
 * Order:   by module, data sources first, then type and name, as `terraform graph` lists them
 * Owner:   the code
 * Source:  Terraform 1.11 ResourceGraph
 */
#pragma once
#include "desired/code.h"

/* Past that many steps no edge is left out any more: the graph is right, only larger. */
enum { CODE_REDUCTION_STEPS_MAX = 400000000 };

struct code_vertex {
    const struct code_resource *resource;
    const struct code_module *in;
    struct str module;    /* module.a.module.b, without keys; "" = the root */
    struct str address;   /* with its module */
    const uint32_t *need; /* indices, ascending */
    size_t nneeds;
};
struct code_dependencies {
    const struct code_vertex *vertex;
    size_t n;
};
/* Nothing is evaluated. Cycles are as they are written. */
bool code_dependencies(struct code *code, struct code_dependencies *ret, struct err *err);
