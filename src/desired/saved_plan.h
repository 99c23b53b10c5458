/* saved_plan.h - a saved plan (`terraform plan -out FILE`): what stands beside the plan in its ZIP.
 *
 * Out:     lineage and serial of the state that it was made from, and the files of code
 * Absent:  a plan that OpenTofu encrypted is no ZIP: saved_plan_is says no
 * Owner:   views into the bytes and texts in the arena; both outlive it
 * Source:  facts/terraform.md 4.3
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;

enum { SAVED_PLAN_FILES_MAX = 20000, SAVED_PLAN_CODE_MAX = 256 << 20 };

struct saved_file {
    struct str path; /* relative to the root module: "main.tf", "modules/net/main.tf" */
    struct str text;
};
struct saved_plan {
    bool has_state;     /* false: there was no state when it was made */
    struct str lineage; /* empty: the state was a new one */
    uint64_t serial;
    const struct saved_file *file; /* sorted by path */
    size_t nfiles;
};

bool saved_plan_is(struct str bytes);
/* ERR_SYNTAX, ERR_UNSUPPORTED or ERR_LIMIT for what is no saved plan, or too large. */
bool saved_plan_read(struct arena *arena, struct str bytes, const char *name,
                     struct saved_plan *ret, struct err *err);
