/* test_actor.c - who a pattern of configuration means, and which two names are one person. */
#include "base/test.h"

#include "model/actor.h"

#define OS(n) \
    { \
        .name = STR_INIT(n), .how = STR_INIT("os-user") \
    }
#define CI(n, v) \
    { \
        .name = STR_INIT(n), .how = STR_INIT("ci:github"), .via = STR_INIT(v) \
    }

static void patterns_mean_actors(void **state)
{
    static const struct {
        const char *pattern;
        struct actor actor;
        bool is;
    } cases[] = {
        {"alice", OS("uid 1000 (alice)"), true},
        {"uid 1000 (alice)", OS("uid 1000 (alice)"), true},
        {"1000", OS("uid 1000"), true},
        {"Alice", OS("uid 1000 (alice)"), false},
        {"os-user:alice", OS("uid 1000 (alice)"), true},
        {"ci:github:alice", OS("uid 1000 (alice)"), false},
        {"@alice", OS("uid 1000 (alice)"), false},
        {"al*", OS("uid 1000 (alice)"), true},
        {"@octocat", CI("Octocat", ""), true},
        {"octocat", CI("Octocat", ""), true},
        {"ci:github:OctoCat", CI("Octocat", ""), true},
        {"ci:gitlab:octocat", CI("octocat", ""), false},
        {"os-user:octocat", CI("octocat", ""), false},
        {"runner", CI("octocat", "uid 1001 (runner)"), false},
        {"*", {.how = STR_INIT("none")}, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].pattern);
        assert_int_equal(actor_is(str_from(cases[i].pattern), &cases[i].actor), cases[i].is);
    }
}

static void two_names_of_one_person(void **state)
{
    static const struct {
        struct actor a, b;
        bool same;
    } cases[] = {
        {OS("uid 1000 (alice)"), OS("uid 1000 (alice)"), true},
        {OS("uid 1000 (alice)"), OS("uid 1001 (bob)"), false},
        {OS("uid 1000 (alice)"), CI("Alice", "uid 1001 (runner)"), true},
        {OS("uid 1000 (alice)"), CI("bob", "uid 1000 (alice)"), true},
        {CI("bob", "uid 1000 (alice)"), OS("uid 1000 (alice)"), true},
        {CI("bob", "uid 1001 (runner)"), CI("carol", "uid 1001 (runner)"), false},
        {OS(""), OS(""), false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(actor_same(&cases[i].a, &cases[i].b), cases[i].same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(patterns_mean_actors),
                                       cmocka_unit_test(two_names_of_one_person)};
    return cmocka_run_group_tests_name("model/actor", tests, NULL, NULL);
}
