/* mutate.h - do the tests of a rule notice when the rule is changed?
 *
 * A mutant is a rule with one thing changed: a condition negated or left out, a path, a value or a
 * type of a list left out, a bound moved by one, a key of `match` left out. It is noticed if a test
 * of the rule fails with it. What nobody notices, no test is about.
 *
 * Copies of a condition that stand for one text (path: [a, b] has a copy for each path) change
 * together.
 * Source: docs/packs.md
 */
#pragma once
#include "policy/rule_tests.h"

enum { MUTANTS_MAX = 10000000 };

struct rule_mutant {
    const struct rule *rule;
    struct location at;
    struct str text; /* "from_port at_most 22: left out" */
    bool noticed;
};
struct rule_mutants {
    struct rule_mutant *item;
    size_t n, room;
};

/*
 * All mutants of all rules, each judged by the tests of its rule, in the order of rules and places.
 * Tests that fail before anything is changed are of no use: ERR_CONFLICT names the first.
 */
bool rule_mutants_run(struct arena *arena, const struct rules *rules,
                      const struct rule_tests *tests, struct rule_mutants *ret, struct err *err);
