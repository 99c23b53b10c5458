/* policy_setup.h - the policy of plumb.yaml and of --policy, --waivers, opened for a command. */
#pragma once
#include <stdbool.h>

struct app;
struct arena;
struct config;
struct err;
struct option_value;
struct policy;

/*
 * PLUMB_WAIVER_KEY is what digests of secrets are keyed with.
 * config  or NULL
 * partial not all that the policy is for is looked at
 * ret     NULL where nothing is configured; what is wrong is printed to app->err, and summed up in
 *         err. Close it with policy_close
 */
bool policy_setup(struct arena *arena, const struct app *app, const struct config *config,
                  const struct option_value *policies, const struct option_value *waivers,
                  bool partial, struct policy **ret, struct err *err);
