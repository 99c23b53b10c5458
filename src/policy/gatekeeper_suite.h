/* gatekeeper_suite.h - suites of Gatekeeper (test.gatekeeper.sh): templates and constraints tried
 * on examples, as `gator verify` does.
 *
 * Source: open-policy-agent.github.io/gatekeeper/website/docs/gator (Suites)
 */
#pragma once
#include "base/arena.h"
#include "base/str.h"

struct err;
struct rego_capabilities;
struct rego_eval_options;
struct value;

enum suite_outcome { SUITE_FAILED, SUITE_PASSED, SUITE_SKIPPED };

struct suite_case {
    struct str suite; /* the file */
    uint32_t line;
    struct str test, name;
    enum suite_outcome outcome;
    struct str why; /* of SUITE_FAILED */
};
struct suite_cases {
    struct suite_case *item;
    size_t n, room;
};

/* Is it a suite? */
bool gatekeeper_is_suite(const struct value *doc);
/* All cases of a file; false for what is no suite, and where memory is out. */
bool gatekeeper_suite(struct arena *arena, struct str path, const struct rego_eval_options *options,
                      const struct rego_capabilities *capabilities, struct suite_cases *ret,
                      struct err *err);
