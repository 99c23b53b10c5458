/* rule_tests.h - tests of YAML rules, written in YAML: a resource, and what a rule says of it.
 *
 *   tests:
 *     - rule: s3-public                  # an id, or pack/id
 *       name: one argument off
 *       resource: {type: aws_s3_bucket, values: {acl: private}}     # or input: the whole document
 *       changes: [{path: acl, before: private, after: public-read}] # optional: then a finding
 *       unknown: [acl]                   # optional: known only after apply
 *       expect: match                    # no-match, unknown, {decision: block, severity: high}
 *
 * Beside `resource`: class, env, stack, actor, action.
 * Source: docs/rules.md
 */
#pragma once
#include "policy/rule.h"

struct regex;

/* Is the document meant as tests (a list `tests`)? Its file ends in _test.yaml or _test.yml. */
bool rule_tests_is_name(struct str path);

struct rule_test {
    struct str rule, name; /* rule: as the test names it */
    struct location at;
    const struct rule *of;
    struct rule_subject subject;
    enum rule_outcome expect;
    bool has_decision, has_severity;
    enum decision decision;
    enum severity severity;
    /* filled by rule_test_run */
    bool passed;
    struct str failure; /* "want match, got no match" and why */
};
struct rule_tests {
    struct rule_test *test;
    size_t n, room;
};

/* Add the tests of a file. Problems as in rules_read; a rule that is not there is one. */
bool rule_tests_read(struct rule_tests *tests, struct arena *arena, const struct rules *rules,
                     struct str text, struct str file, struct rule_problems *problems,
                     struct err *err);
bool rule_test_run(struct rule_test *test, struct arena *arena, struct err *err);
