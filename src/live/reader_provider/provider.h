/* provider.h - one provider binary of a stack: where it lies, whether it may be run, what it says
 * of its types, and which attributes it only echoes. Shared by all its configurations.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/str.h"
#include "live/reader_provider/locate.h"
#include "model/schema.h"
#include "value/path.h"

struct err;
struct loop;
struct plugin_spec;
struct reader_options;
struct reading;

/* What the echo probe knows of a type. */
enum probe_state { PROBE_NEEDED, PROBE_RUNNING, PROBE_DONE };
/* Does UpgradeResourceState give back, for states of the schema's own version, what they say? */
enum upgrade_state { UPGRADE_UNKNOWN, UPGRADE_PLAIN, UPGRADE_CHANGES };
/* Is what was recorded planned as it is, where a plan of what is live only makes computed
 * attributes anew? */
enum settled_state { SETTLED_UNKNOWN, SETTLED_SURE, SETTLED_NOT };
struct provider_type {
    enum upgrade_state upgrade;
    bool confirmed;  /* of an answer that differed, too */
    bool not_legacy; /* a plan of it was not one of SDKv2's */
    enum settled_state settled;
    enum probe_state state;
    bool fresh; /* found in this run: to be saved */
    const struct path *not_observed;
    size_t n;
    const struct reading *target; /* the instance that is probed when it was read */
    struct reading *held;         /* read, and waiting for the verdict */
    size_t nheld;
    unsigned plan_timeouts;
    struct str no_plan; /* why it is not asked to plan any more, or empty */
};

struct provider {
    struct str source; /* as the state names it */
    bool whole;        /* data sources and functions of the schema are kept, too */
    struct located found;
    struct digest digest; /* of the binary; zero for reattached ones */
    struct str refused;   /* why it is not run, or empty */
    struct arena arena;   /* the schema's and the verdicts' */
    struct provider_schema schema;
    struct provider_type *types; /* beside schema.resources */
    int protocol;                /* of the schema; 0 = no schema yet */
    bool has_identity;           /* identity schemas are filled */
    bool announced;              /* its note was given */
};

/* Find and check it. Never fails: provider->refused says why it may not be run. */
void provider_open(struct provider *provider, const struct locator *locator, struct str source,
                   const struct reader_options *options);
void provider_close(struct provider *provider);

/* How its process is started; on_ready, on_down and ctx are the caller's. `arena` keeps the
 * environment until then. */
struct plugin_spec provider_spec(const struct provider *provider, const struct locator *locator,
                                 struct arena *arena, struct loop *loop);

/*
 * Take the schema out of a reply (and remember the reply), or out of the cache. A process must be
 * asked all the same, before it is asked anything else, unless the provider said that it need not
 * be (schema.schema_optional).
 */
bool provider_take_schema(struct provider *provider, const struct reader_options *options,
                          int protocol, struct str reply, struct str *ret_refused, struct err *err);
/* protocol 0: whichever there is. */
bool provider_cached_schema(struct provider *provider, const struct reader_options *options,
                            int protocol);
/* Identity schemas likewise; where they cannot be read there are none. */
void provider_take_identity(struct provider *provider, const struct reader_options *options,
                            struct str reply);
bool provider_cached_identity(struct provider *provider, const struct reader_options *options);

/* Verdicts of earlier runs into provider->types; and those of this run to the cache. */
void provider_load_probes(struct provider *provider, const struct reader_options *options);
void provider_save_probes(const struct provider *provider, const struct reader_options *options);
