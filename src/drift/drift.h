/* drift.h - from desired and live to an observation: what differs, what only looks so, what class
 * it is.
 *
 * In:      one resource, desired and live; ignore rules; what the state marks sensitive
 * Out:     struct observation: outcome, changes (sorted by path), differences considered equal with
 *          their rule
 * Uses:    value/, wire/json, model/; no I/O, no clock, no globals: same input, same observation
 * Cost:    where nothing differs one walk over both trees, without an allocation
 * Source:  facts/terraform.md 2.7 (equality), 3.3 (normalisation); docs/drift.md
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

struct ignore_changes;

enum observation_outcome {
    OBSERVED_UNCHECKED = 0,
    OBSERVED_SAME,
    OBSERVED_DIFFERENT,
    OBSERVED_MISSING
};

/*
 * What the code says of one instance, and what an apply would make of it. With it differences are
 * measured against the code, and the last state tells who made them.
 */
struct drift_code {
    bool absent;        /* the code does not have it (any more): absent_because says what follows */
    struct str because; /* absent, or `pending`: the sentence of an unapplied finding */
    bool pending;       /* an apply would do something to the whole of it (replace, import) */
    bool by_drift;      /* absent, pending, uncreated: only because something drifted */
    bool importing; /* nothing is recorded yet: what differs was not applied, it did not drift */
    /* What an apply makes of live, and of the last state (NULL: the same, or there is none). */
    const struct value *from_live, *from_state;
    bool apart;  /* the code says something else where nothing drifted: no plan stands for both */
    bool legacy; /* the plans may have changed what is ignored: it is taken back */
    const struct path *requires_replace;
    size_t nrequires_replace;
    /* The configuration as the code has it, and as it was planned (with what is ignored as in the
     * prior value); NULL where nothing is ignored. */
    const struct value *config, *asked;
    const struct ignore_changes *ignored; /* NULL = nothing */
    const struct path *sensitive; /* what is secret in the code, besides what the state marks */
    size_t nsensitive;
};

struct drift_input {
    const struct resource *resource;
    /* desired: the last state (kind VALUE_NULL where nothing is recorded). Typed alike; live NULL =
     * gone */
    const struct value *desired, *live;
    const struct drift_code *code; /* NULL: the last state is what is wanted */
    const struct schema *schema;   /* NULL = none */
    /* Can the code set it? Asked only where there is no schema; NULL = everything can be set. */
    bool (*configurable)(const void *ctx, struct path path);
    const void *configurable_ctx;
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
    /* One for each class that it has differences of; fingerprints filled. provider, stack ... are
     * views into the inputs. */
    const struct finding *findings;
    size_t nfindings;
    const struct considered_equal *equal;
    size_t nequal;
    uint64_t attributes_compared, attributes_not_observed; /* leaves */
    const struct drift_input *of; /* what it was made of, for policy; NULL = not kept */
};

enum { DRIFT_NAMED_MAX = 3 }; /* paths that a finding's reason spells out */

/*
 * Everything in ret lives in `arena` or in the inputs.
 * A deposed object that is gone is what the code asks for: same. One that still exists is compared;
 * it never contradicts the code, which has no say in it any more: state-only.
 * Past DIFF_CHANGES_MAX differences the changes are whole top-level attributes.
 * Fails only with ERR_LIMIT (arena full).
 */
bool drift_observe(struct arena *arena, const struct drift_input *in, struct observation *ret,
                   struct err *err);
/* The observation of an instance of which the code knows and nobody else: an apply would make it.
 */
bool drift_uncreated(struct arena *arena, const struct drift_input *in, struct observation *ret,
                     struct err *err);
/* The observation of a resource that could not be read. */
bool drift_unchecked(struct arena *arena, const struct resource *resource, struct str stack,
                     struct str reason, struct observation *ret, struct err *err);
