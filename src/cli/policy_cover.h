/* policy_cover.h - the coverage of policies by their tests, for people and as OPA writes it. */
#pragma once
#include <stdint.h>
#include <stdio.h>

#include "lang/rego/rego.h"

struct err;
struct buf;

struct policy_cover {
    struct rego_cover_report *report;
    size_t n;
    uint32_t covered, missed;
};
bool policy_cover_make(struct arena *arena, const struct rego_policy *policy,
                       const uint64_t *counters, struct policy_cover *ret, struct err *err);
/* Percent of the lines; 0 where there is none. */
double policy_cover_percent(uint32_t covered, uint32_t missed);
/* FILE: 75.0 % of 8 lines, not covered: 3, 7-9 */
void policy_cover_print(FILE *out, const struct policy_cover *cover);
/* What `opa test --coverage` prints, rows without columns. */
void policy_cover_json(struct buf *out, const struct policy_cover *cover);
