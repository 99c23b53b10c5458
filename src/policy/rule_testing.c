/* rule_testing.c - from files of rules and tests to a list of tests. */
#include "policy/rule_testing.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/regex_re2.h"
#include "policy/load.h"
#include "policy/pack.h"

/* All files are read, so that all of their problems are told; the error is that of the first. */
static bool read_rules(struct arena *arena, const struct policy_files *files, struct rules *rules,
                       struct rule_problems *problems, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; i < files->nrule_files; i++) {
        struct err why = {0};
        size_t before = problems->n;
        if (rules_read_file(rules, arena, files->rule_file[i], STR(""), problems, &why))
            continue;
        if (ok && err)
            *err = why;
        ok = false;
        if (problems->n == before) /* not what the text says: memory, a file that went away */
            return false;
    }
    return ok;
}

static bool read_tests(struct arena *arena, const struct policy_files *files,
                       const struct rules *rules, struct rule_problems *problems,
                       struct rule_tests *tests, struct err *err)
{
    for (size_t i = 0; i < files->nrule_test_files; i++) {
        struct str text, path = arena_dup(arena, files->rule_test_file[i]);
        if (!path.ptr)
            return arena_full(arena, err);
        if (!pack_read_text(arena, path, RULE_FILE_MAX, &text, err) ||
            !rule_tests_read(tests, arena, rules, text, path, problems, err))
            return false;
    }
    return true;
}

static bool is_wanted(struct arena *arena, const struct regex *run, const struct rule_test *test)
{
    struct str name =
        arena_printf(arena, "%.*s: %.*s", STR_ARG(test->of->name), STR_ARG(test->name));
    return !run || !name.ptr || regex_match(run, name, 0, NULL, 0);
}

bool rule_testing_find(struct arena *arena, const struct policy_files *files,
                       const struct regex *run, struct rules *rules, struct rule_problems *problems,
                       struct policy_tests *tests, struct err *err)
{
    struct rule_tests found = {0};
    if (!read_rules(arena, files, rules, problems, err) ||
        !read_tests(arena, files, rules, problems, &found, err))
        return false;
    struct policy_test *all = arena_new(arena, struct policy_test, tests->n + found.n);
    if (!all)
        return arena_full(arena, err);
    if (tests->n)
        memcpy(all, tests->test, tests->n * sizeof *all);
    for (size_t i = 0; i < found.n; i++) {
        struct rule_test *test = &found.test[i];
        if (is_wanted(arena, run, test))
            all[tests->n++] = (struct policy_test){.package = test->of->name,
                                                   .name = test->name,
                                                   .rule = test,
                                                   .file = test->at.file,
                                                   .row = test->at.line,
                                                   .col = test->at.column};
    }
    tests->test = all;
    return true;
}

bool rule_testing_run(struct arena *arena, struct policy_test *test, struct err *err)
{
    int64_t start = clock_monotonic_ms();
    if (!rule_test_run(test->rule, arena, err))
        return false;
    test->outcome = test->rule->passed ? POLICY_TEST_PASSED : POLICY_TEST_FAILED;
    test->duration_ms = clock_monotonic_ms() - start;
    return true;
}
