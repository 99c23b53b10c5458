/* configured.h - what a provider was configured with when Terraform used it last behind plumb: for
 * scans that cannot evaluate it themselves.
 *
 * Row:     one for each stack and configuration of a provider (its name as states write it)
 * Secrets: a setting is kept with its value only where it was shown to be none; of others there is
 *          a digest that is keyed with the store's key (record.h), so that another value can be
 *          told from the same one, and nothing more
 * Event:   provider.config, where what is kept is another than before, in the same transaction
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/event.h"
#include "value/value.h"

struct arena;
struct err;
struct record;

enum { CONFIGURED_MAX = 1 << 20 }; /* bytes of one row's settings */

struct configured {
    struct str stack, name;
    struct str block; /* "sha256:..." of the provider block's own text */
    /* {NAME: {"value": ...} or {"digest": "hmac-sha256:..."}}; what is not in it was not set */
    struct value settings;
    /* Filled where it is found: */
    struct str by;
    int64_t seen_utc_ms; /* by the last run that was given the same */
    int64_t event;       /* the event's number */
};

/* One setting, as it is kept. Both in `arena`. */
bool configured_value(struct arena *arena, const struct value *v, struct value *ret,
                      struct err *err);
bool configured_secret(struct arena *arena, struct str key, const struct value *v,
                       struct value *ret, struct err *err);
/* Of a kept setting: is it the digest of v? */
bool configured_is(struct str key, const struct value *kept, const struct value *v);

bool configured_keep(struct record *record, const struct configured *configured,
                     const struct event_actor *actor, struct err *err);
bool configured_find(struct record *record, struct arena *arena, struct str stack, struct str name,
                     struct configured *ret, bool *ret_found, struct err *err);
