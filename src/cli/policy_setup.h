/* policy_setup.h - the policy of plumb.yaml and of --policy, --waivers, opened for a command. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "scan/judges.h"

struct app;
struct arena;
struct config;
struct err;
struct option_value;
struct policy;
struct rego_capabilities;

/* --policy-timeout, or what holds without it. */
int64_t policy_timeout(const struct option_value *given);
/* Of plumb.yaml (or NULL) and of --policy, --waivers. */
struct judges policy_judges(const struct config *config, const struct option_value *policies,
                            const struct option_value *waivers);
/* The configuration of --config, of PLUMB_CONFIG, or of here and above; none is a zeroed one. */
bool policy_find_config(struct arena *arena, const struct app *app,
                        const struct option_value *given, struct config *ret, struct err *err);

/*
 * PLUMB_WAIVER_KEY is what digests of secrets are keyed with.
 * config  or NULL
 * partial not all that the policy is for is looked at
 * capabilities  what Rego may use; NULL: all
 * ret     NULL where nothing is configured; what is wrong is printed to app->err, and summed up in
 *         err. Close it with policy_close
 */
bool policy_setup(struct arena *arena, const struct app *app, const struct config *config,
                  const struct option_value *policies, const struct option_value *waivers,
                  bool partial, const struct rego_capabilities *capabilities, struct policy **ret,
                  struct err *err);
