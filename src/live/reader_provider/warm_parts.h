/* warm_parts.h - what worker.c and library.c take out of live/warm.h's set, and give back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct err;
struct loop;
struct plugin;
struct plugin_spec;
struct provider;
struct warm;

struct warm_key {
    struct digest process; /* everything that it was started and configured with */
    struct digest place;   /* whose it is: working directory, provider, configuration's name */
    bool shared;           /* it runs nowhere (plugin_spec.nowhere), and is anybody's */
};
/* What warm_options.share says of a provider: it looks for no file of its own accord. */
bool warm_shares(const struct warm *warm, struct str source);
/* warm_options.apart: no two stacks have one process. */
bool warm_is_apart(const struct warm *warm);
/*
 * provider_config  its name in the state
 * config           what it is configured with, as the provider gets it
 */
bool warm_key_make(const struct provider *provider, const struct plugin_spec *spec,
                   struct str provider_config, struct str config, struct warm_key *ret);

/* The set's own thread is to start it, and it counts as busy until warm_give() or warm_lost(). */
void warm_start(struct warm *warm, struct plugin_spec *spec);
void warm_lost(struct warm *warm);
/*
 * One that waits, or NULL; busy from now on. It is on no loop (plugin_join). Others of that place
 * end, where it is one of that place.
 * ret_since_ms  when it was configured (monotonic)
 * ret_fresh     another scan has just given it back: it need not be asked whether it is well
 */
struct plugin *warm_take(struct warm *warm, const struct warm_key *key, int64_t *ret_since_ms,
                         bool *ret_fresh);
/* Off its loop, and nothing of it in flight: plugin_leave(). The set's from now on. */
void warm_give(struct warm *warm, const struct warm_key *key, struct plugin *plugin,
               int64_t since_ms);

/* What was parsed of that binary before, into a provider that was just opened; nothing where there
 * is none. And back, when it is closed. */
void warm_take_schema(struct warm *warm, struct provider *provider);
void warm_give_schema(struct warm *warm, struct provider *provider);
