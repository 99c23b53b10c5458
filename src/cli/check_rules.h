/* check_rules.h - what `plumb check --policy` judges by: packages of Rego, rules in YAML, and
 * templates of Gatekeeper with their constraints.
 */
#pragma once
#include <stdio.h>

#include "policy/gatekeeper.h"

struct check_rules_options {
    const struct str *paths, *data;
    size_t npaths, ndata;
    const struct str *spaces;
    size_t nspaces;
    bool all_spaces, v0;
    struct str schema;       /* policy_load_schemas; or empty */
    const struct str *files; /* that are checked: the inventory of templates */
    size_t nfiles;
    int64_t now_utc_ms;
    const struct str *waivers; /* files */
    size_t nwaivers;
    struct str waiver_key; /* for digests of secrets; empty = none */
    struct rego_capabilities capabilities;
    int64_t timeout_ms; /* of one `decision` over one resource; 0 = as policy.h */
    const volatile int *cancel;
    bool explain; /* also which paths each rule looks for in vain: takes longer */
};
struct policy;
struct policy_report;
struct check_rules {
    struct rego_policy *policy;
    struct entries *entries; /* NULL: no .rego */
    struct gatekeeper gatekeeper;
    struct policy *policies; /* YAML rules, and `decision` of Rego; NULL: none */
    struct policy *waiving;  /* the waivers alone, for what is said of whole documents; or NULL */
    struct value data, inventory;
    bool chosen; /* which packages are asked was said */
};

/* ERR_USAGE where the paths have nothing to judge by. Diagnostics go to `out`. */
bool check_rules_open(struct arena *arena, const struct check_rules_options *options, FILE *out,
                      struct check_rules *ret, struct err *err);
/*
 * What each rule did, these and those of `policy` (or NULL), and what of them nobody asks. NULL:
 * there are none.
 */
bool check_rules_report(const struct check_rules *rules, struct arena *arena, struct policy *policy,
                        const struct policy_report **ret, struct err *err);
void check_rules_close(struct check_rules *rules);
