/* drift.h - from desired and live to an observation: what differs, what only looks so, what class
 * it is.
 *
 * In:      one struct live_result; ignore rules; what the state marks sensitive
 * Out:     struct observation: outcome, changes (sorted by path), differences considered equal with
 * their rule Uses:    value/, model/; no I/O, no clock, no globals: same input, same observation
 * Source:  facts/terraform.md 2.7 (equality), 3.3 (normalisation)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/finding.h"
#include "model/resource.h"
#include "model/schema.h"
#include "value/value.h"

enum observation_outcome {
    OBSERVED_UNCHECKED = 0,
    OBSERVED_SAME,
    OBSERVED_DIFFERENT,
    OBSERVED_MISSING
};

struct drift_input {
    const struct resource *resource;
    const struct value *desired, *live; /* typed alike; live NULL = gone */
    const struct schema *schema;        /* NULL = none: every attribute counts as configurable */
    const struct path *not_observed;
    size_t nnot_observed;
    struct str stack;
    const struct ignore_rule *ignores;
    size_t nignores;
    int64_t now_utc_ms; /* for expiry of ignore rules */
    bool explain;       /* fill `equal` */
};

struct observation {
    enum observation_outcome outcome;
    bool has_finding;
    struct finding finding; /* class contradicts-code, state-only or missing; fingerprint filled */
    const struct considered_equal *equal;
    size_t nequal;
    uint64_t attributes_compared, attributes_not_observed;
};

/* Everything in ret lives in `arena` or in the inputs. Fails only with ERR_LIMIT. */
bool drift_observe(struct arena *arena, const struct drift_input *in, struct observation *ret,
                   struct err *err);
/* The observation of a resource that could not be read. */
bool drift_unchecked(struct arena *arena, const struct resource *resource, struct str stack,
                     struct str reason, struct observation *ret, struct err *err);
