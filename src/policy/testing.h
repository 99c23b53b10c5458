/* testing.h - tests written in Rego: the rules test_*, found, run and judged one by one.
 *
 * A test is a rule whose name starts with test_ and passes if it is true; todo_test_ ones are
 * skipped. Several definitions of one name are several tests (test_x, test_x#01). In a test with
 * cases, test_x[name] if { ... }, each name that the body comes to is a case, which passes if the
 * body is true for it.
 * Source: facts/rego.md 13.3
 */
#pragma once
#include "lang/rego/rego.h"

struct regex;

enum policy_test_outcome {
    POLICY_TEST_FAILED,
    POLICY_TEST_PASSED,
    POLICY_TEST_ERROR,
    POLICY_TEST_SKIPPED
};

struct policy_case {
    struct str name; /* "one", with more keys "one/two" */
    bool passed;
};
struct rule_test;
struct policy_test {
    struct str package;     /* "data.a.b"; of a YAML test the rule's name */
    struct str name;        /* "test_x", "test_x#01"; of a YAML test its text */
    struct rule_test *rule; /* a YAML test (rule_tests.h); NULL = Rego's */
    struct str file;
    uint32_t row, col;
    struct str query; /* data["a"]["test_x"] */
    size_t nkeys;     /* of a test with cases */
    enum policy_test_outcome outcome;
    struct rego_error error; /* POLICY_TEST_ERROR */
    struct str output;       /* what print() wrote, lines */
    const struct policy_case *item;
    size_t ncases;
    int64_t duration_ms;
};
struct policy_tests {
    struct policy_test *test;
    size_t n;
};

/*
 * The tests of the sources, in order of files and lines. Texts are changed where a name is used
 * again and where a test has cases: compile the sources that this leaves, with keep_print.
 */
struct policy_tests_options {
    const struct regex *run; /* only tests whose data.package.name matches; or NULL */
    unsigned words;          /* as of the parser */
    int64_t timeout_ms;      /* for reading them; 0 = a minute */
    const volatile int *cancel;
};
bool policy_tests_find(struct arena *arena, struct rego_source *sources, size_t n,
                       const struct policy_tests_options *options, struct policy_tests *ret,
                       struct err *err);
/* Run one and fill its outcome. False only for err. */
bool policy_test_run(struct arena *arena, const struct rego_policy *policy,
                     const struct rego_eval_options *options, struct policy_test *test,
                     struct err *err);
