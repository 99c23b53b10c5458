/* test_who.c - who_am_i(): the account here, the person of a CI job, what is no name. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/who.h"

static const char *nothing(const char *name)
{
    (void)name;
    return NULL;
}

static const char *github(const char *name)
{
    return !strcmp(name, "GITHUB_ACTIONS") ? "true"
           : !strcmp(name, "GITHUB_ACTOR") ? "octocat"
                                           : NULL;
}

static const char *gitlab_with_a_line_break(const char *name)
{
    return !strcmp(name, "GITLAB_CI") ? "true" : !strcmp(name, "GITLAB_USER_LOGIN") ? "a\nb" : NULL;
}

static const char *only_the_name(const char *name)
{
    return !strcmp(name, "GITHUB_ACTOR") ? "octocat" : NULL;
}

static void the_environment_names_who(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct app app = {.env = nothing};
    struct actor actor;
    struct err err = {0};
    (void)state;
    assert_true(who_am_i(&app, &arena, &actor, &err));
    assert_true(str_equal(actor.how, STR("os-user")));
    assert_true(str_starts(actor.name, STR("uid ")));
    struct str here = actor.name;

    app.env = github;
    assert_true(who_am_i(&app, &arena, &actor, &err));
    assert_true(str_equal(actor.how, STR("ci:github")));
    assert_true(str_equal(actor.name, STR("octocat")));
    assert_true(str_equal(actor.via, here));

    app.env = only_the_name;
    assert_true(who_am_i(&app, &arena, &actor, &err));
    assert_true(str_equal(actor.how, STR("os-user")));

    app.env = gitlab_with_a_line_break;
    assert_false(who_am_i(&app, &arena, &actor, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_environment_names_who)};
    return cmocka_run_group_tests_name("cli/who", tests, NULL, NULL);
}
