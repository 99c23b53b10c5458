/* rule_testing.h - YAML tests of rules beside Rego's: found, run, told in the same list. */
#pragma once
#include "policy/rule_tests.h"
#include "policy/testing.h"

struct policy_files;

/*
 * Read the rule files and their tests; the tests go behind those that *tests has, in order of files
 * and lines.
 * rules  close them when the tests are done with, also after a failure
 * run    only tests whose "rule: name" matches; or NULL
 */
bool rule_testing_find(struct arena *arena, const struct policy_files *files,
                       const struct regex *run, struct rules *rules, struct rule_problems *problems,
                       struct policy_tests *tests, struct err *err);
/* Run one of them (test->rule) and fill its outcome. */
bool rule_testing_run(struct arena *arena, struct policy_test *test, struct err *err);
