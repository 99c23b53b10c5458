/* cover.h - which places of a policy were evaluated: from counters to lines.
 *
 * Places are the heads of rules, which count when they give a value, and expressions, which count
 * when they are evaluated. Compile with .coverage; give rego_eval_options.coverage
 * rego_cover_count() counters.
 * Source: `opa test --coverage` 1.19
 */
#pragma once
#include "lang/rego/rego.h"

enum rego_line { REGO_LINE_PLAIN, REGO_LINE_COVERED, REGO_LINE_MISSED, REGO_LINE_PARTLY };

size_t rego_cover_count(const struct rego_policy *policy);
struct rego_cover_report {
    const struct rego_module *module;
    uint8_t *line; /* enum rego_line, from row 1 on; [0] is not used */
    uint32_t nlines;
    uint32_t covered, missed; /* lines; one that is both counts in both, as OPA counts */
};
/* One for each module that has a place, in the order of compiling. False: the arena is full. */
bool rego_cover_reports(struct arena *arena, const struct rego_policy *policy,
                        const uint64_t *counters, struct rego_cover_report **ret, size_t *ret_n);
