/* policy_setup.c - the policy of plumb.yaml and options, for commands. */
#include "cli/policy_setup.h"

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_text.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "policy/policy.h"
#include "scan/judges.h"

enum { TIMEOUT_DEFAULT_MS = 60000 };

int64_t policy_timeout(const struct option_value *given)
{
    return given->set ? given->number : TIMEOUT_DEFAULT_MS;
}

bool policy_find_config(struct arena *arena, const struct app *app,
                        const struct option_value *given, struct config *ret, struct err *err)
{
    struct str path = given->set ? given->text : str_from(app->env("PLUMB_CONFIG"));
    path = path.len ? arena_dup(arena, path) : config_find(arena, STR("."));
    *ret = (struct config){0};
    if (str_equal(path, STR("-")))
        return true;
    return !path.len || config_load(arena, path.ptr, ret, err);
}

struct judges policy_judges(const struct config *config, const struct option_value *policies,
                            const struct option_value *waivers)
{
    return (struct judges){.config = config,
                           .policies = policies->list,
                           .npolicies = policies->nlist,
                           .waivers = waivers->list,
                           .nwaivers = waivers->nlist};
}

bool policy_setup(struct arena *arena, const struct app *app, const struct config *config,
                  const struct option_value *policies, const struct option_value *waivers,
                  bool partial, const struct rego_capabilities *capabilities, struct policy **ret,
                  struct err *err)
{
    const struct judges judges = policy_judges(config, policies, waivers);
    const struct judges_opening how = {.now_utc_ms = app->now_ms(app->clock),
                                       .env = app->env,
                                       .cancel = app->cancel,
                                       .partial = partial,
                                       .capabilities = capabilities};
    struct policy_problems problems = {.rules = {.arena = arena}, .rego = {.arena = arena}};
    if (judges_open(arena, &judges, &how, &problems, ret, err))
        return true;
    policy_print_problems(app->err, &problems.rules);
    policy_print_diags(app->err, &problems.rego);
    return false;
}
