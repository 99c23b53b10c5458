/* compare.c - drift_observe(): equal at once, equal by rule, or a finding with its changes. */
#include "base/arena.h"
#include "base/err.h"
#include "drift/against.h"
#include "drift/classify.h"
#include "drift/collect.h"
#include "drift/drift.h"
#include "drift/normalise.h"

static bool observe_missing(struct arena *arena, const struct drift_input *in,
                            struct observation *ret, struct err *err)
{
    struct ignore_set ignores;
    struct str id;
    struct finding *finding = arena_new(arena, struct finding, 1);
    if (!finding)
        return arena_full(arena, err);
    *finding = collect_finding(in->resource, in->stack);
    if (!collect_ignores(arena, in, &ignores, err) || !collect_public_id(arena, in, &id, err) ||
        !classify_missing(arena, &ignores, id, in->code && in->code->absent, finding, err) ||
        !finding_fingerprint(finding, NULL, 0, err))
        return false;
    *ret = (struct observation){.outcome = OBSERVED_MISSING, .findings = finding, .nfindings = 1};
    return true;
}

/* They differ, and not only by what rules call equal. */
static bool observe_different(struct collector *c, struct observation *ret, struct err *err)
{
    uint64_t leaves = 0;
    if (!collect_ignores(c->arena, c->in, &c->ignores, err) || !collect_changes(c, &leaves, err))
        return false;
    struct observation found = {.outcome = c->n ? OBSERVED_DIFFERENT : OBSERVED_SAME};
    collect_count(c->in, leaves, &found);
    if (c->n) {
        struct finding *finding = arena_new(c->arena, struct finding, 1);
        if (!finding)
            return arena_full(c->arena, err);
        *finding = collect_finding(c->in->resource, c->in->stack);
        finding->changes = c->changes;
        finding->nchanges = c->n;
        if (!classify_changes(c->arena, c->rule_of, finding, err) ||
            !collect_fingerprint(c, finding, err))
            return false;
        found.findings = finding;
        found.nfindings = 1;
    }
    *ret = found;
    return true;
}

bool drift_observe(struct arena *arena, const struct drift_input *in, struct observation *ret,
                   struct err *err)
{
    uint64_t leaves = 0;
    if (!in->live && in->resource->deposed.len) {
        *ret = (struct observation){.outcome = OBSERVED_SAME};
        return true;
    }
    if (!in->live)
        return observe_missing(arena, in, ret, err);
    if (in->code && !in->resource->deposed.len)
        return against_observe(arena, in, ret, err);
    if (collect_equal(in->desired, in->live, VALUE_DEPTH_MAX, &leaves)) {
        *ret = (struct observation){.outcome = OBSERVED_SAME};
        collect_count(in, leaves, ret);
        return true;
    }

    struct normalised normal;
    struct collector c = {.arena = arena, .in = in};
    if (!normalise_live(arena, in->schema, in->desired, in->live, in->explain, &normal, err) ||
        !collect_equal_by_rule(&c, &normal, err))
        return false;

    struct observation found = {.outcome = OBSERVED_SAME};
    if (normal.equal)
        collect_count(in, collect_leaves(in->desired, VALUE_DEPTH_MAX), &found);
    else if (!collect_mark(&c, in->desired, &normal.live, err) ||
             !observe_different(&c, &found, err))
        return false;
    found.equal = collect_named_equal(&c);
    found.nequal = c.nequal;
    *ret = found;
    return true;
}

bool drift_unchecked(struct arena *arena, const struct resource *resource, struct str stack,
                     struct str reason, struct observation *ret, struct err *err)
{
    struct finding *finding = arena_new(arena, struct finding, 1);
    if (!finding)
        return arena_full(arena, err);
    *finding = collect_finding(resource, stack);
    finding->class_ = CLASS_UNCHECKED;
    finding->severity = finding_class_severity(CLASS_UNCHECKED);
    finding->reason = arena_dup(arena, reason);
    if (!finding->reason.ptr)
        return arena_full(arena, err);
    if (!finding_fingerprint(finding, NULL, 0, err))
        return false;
    *ret = (struct observation){.outcome = OBSERVED_UNCHECKED, .findings = finding, .nfindings = 1};
    return true;
}
