/* reader.h - the one interface to what is live: give resources, get what is there now.
 *
 * A reader streams results as they finish, in any order, each resource exactly once. What a reader
 * cannot read is LIVE_UNREADABLE with a reason; never LIVE_GONE, which means that the other side
 * said so.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/resource.h"
#include "model/schema.h"
#include "value/value.h"

struct arena;
struct budgets;
struct err;
struct library;
struct stack;
struct warm;

enum live_status { LIVE_UNREADABLE = 0, LIVE_GONE, LIVE_READ };

/* Whose values are planned from: what is there now, or what was recorded. */
enum live_side { LIVE_SIDE_LIVE, LIVE_SIDE_STATE, LIVE_SIDES };

/* What a provider is asked to plan of one instance, typed by the schema. */
struct live_question {
    struct value prior;    /* live, or the last state; null: it is to be made */
    struct value config;   /* what the code says, with accepted differences as in prior */
    struct value proposed; /* the proposed new state (PlanResourceChange) */
};
enum live_plan_status { LIVE_NOT_PLANNED = 0, LIVE_PLANNED, LIVE_PLAN_FAILED };
struct live_plan {
    enum live_plan_status status;
    struct value planned;                /* LIVE_PLANNED: after an apply; may have unknowns in it */
    bool legacy;                         /* SDKv2: it may depart from the configuration */
    const struct path *requires_replace; /* what cannot be changed in place */
    size_t nrequires_replace;
    struct str reason; /* LIVE_PLAN_FAILED: why, in the provider's own words where it has some */
};

/* Valid only during the callback. */
struct live_result {
    const struct resource *resource;
    enum live_status status;
    struct str reason; /* LIVE_UNREADABLE: why, in the other side's own words where it has some */
    struct value desired; /* the recorded attributes, typed by the schema (upgraded) */
    struct value live;    /* LIVE_READ: attributes now, same type */
    /* Where reader_options.ask gave a question: what an apply would make of what is live
     * (LIVE_GONE: what it would create), and of what was recorded (the same where nothing differs;
     * not planned where nothing was recorded, and, unless ask_apart, where the first changes
     * nothing: then nobody asks which of both asked). */
    struct live_plan from_live, from_state;
    /* Where reader_options.generate asked for it and the provider offers it: `live` of an import as
     * the code would say it; else null. */
    struct value generated;
    const struct schema *schema;     /* NULL: the reader has none (file, snapshot) */
    const struct path *not_observed; /* patterns (path_covered) of attributes it only echoes */
    size_t nnot_observed;
    const struct str *warnings; /* of this read */
    size_t nwarnings;
};

struct reader_progress {
    uint64_t done, total;
    struct str what; /* a provider's name */
};

struct reader_options {
    unsigned concurrency;     /* most reads in flight per process; 0 = adaptive from 10 */
    unsigned max_providers;   /* processes at once; 0 = 8 */
    uint64_t max_memory;      /* bytes: warn past it; 0 = none */
    int timeout_ms;           /* per call; 0 = 120 s */
    bool no_probe;            /* skip the echo probe */
    bool allow_hash_mismatch; /* --allow-provider-mismatch */
    struct str cache_dir;     /* schema and probe cache; empty = none */
    struct str cache_key;
    const volatile int *cancel; /* nonzero = stop within a second */
    void (*progress)(void *ctx, const struct reader_progress *progress);
    void (*note)(void *ctx,
                 struct str text); /* provider warnings, mismatches: for the report's notes */
    /*
     * Optional: what to plan for an instance from that side; recorded is what the state has
     * (kind VALUE_NULL: nothing). ret lives in `arena`. False: nothing, because the code does not
     * have it (err untouched), or for the reason in err.
     */
    bool (*ask)(void *ctx, struct arena *arena, const struct resource *resource,
                const struct schema *schema, enum live_side side, const struct value *prior,
                const struct value *recorded, struct live_question *ret, struct err *err);
    bool generate; /* of what is imported: its configuration, in the provider's own words */
    /* The two sides are asked different things: also where both have the same values. */
    bool ask_apart;
    /* Optional: providers that are open already, by whoever evaluated the code. */
    struct library *library;
    struct budgets *budgets; /* optional: how fast all scans of the process may ask */
    struct warm *warm;       /* optional: processes stay there after the scan (live/warm.h) */
    /*
     * Optional: what the code says of a provider configuration that plumb.yaml says nothing of; an
     * object of the provider's schema, with unknowns; null: the code has no block for it, which is
     * all that there is to know. False: nothing is known of it.
     * ret_from     "main.tf:3", for messages
     * ret_unknown  what of it cannot be known, or empty
     */
    bool (*provider_config)(void *ctx, struct str provider_config, struct value *ret,
                            struct str *ret_from, struct str *ret_unknown);
    void *ctx;
};

/* false from on_result stops the reading (its err is passed on). */
typedef bool (*live_sink)(void *ctx, const struct live_result *result, struct err *err);

/* A result for a resource of which nothing can be read, and why. */
bool live_tell_unreadable(const struct resource *resource, struct str reason, live_sink on_result,
                          void *sink_ctx, struct err *err);

struct reader {
    const char *name; /* "provider", "file", "snapshot" */
    const char *summary;
    /* Can it read this resource of this stack? Cheap; no process is started. library: where the
     * stack's providers are open already, else NULL. */
    bool (*claims)(const struct stack *stack, const struct resource *resource,
                   struct library *library);
    /* Read them all. False only when nothing more can be done (cancelled, sink failed, out of
     * memory): trouble with a resource or a provider is a result. */
    bool (*read)(const struct stack *stack, const struct resource *const *resources, size_t n,
                 const struct reader_options *options, live_sink on_result, void *sink_ctx,
                 struct err *err);
};

/* By name; NULL if there is none. All of them. */
const struct reader *reader_find(struct str name);
const struct reader *const *reader_list(size_t *ret_n);

/* The choice for the resource before: neighbours of one provider and type share it. Start: {0}, or
 * the library of this stack, where there is one. */
struct reader_choice {
    struct library *providers;
    bool made;
    int mode;
    struct str provider, type;
    const struct reader *reader;
};
/*
 * Who reads it: a snapshot where the stack names one, the provider where it is installed, a native
 * reader that knows the type; where nobody claims it the provider reader, which says what to do.
 * NULL for data sources. last->provider and type are views into `resource`'s texts.
 */
const struct reader *reader_choose(struct reader_choice *last, const struct stack *stack,
                                   const struct resource *resource);
