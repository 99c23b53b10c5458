/* against.c - three trees, planned, live and the last state, to findings of up to four groups. */
#include "drift/against.h"

#include "base/arena.h"
#include "base/err.h"
#include "desired/ignore_changes.h"
#include "drift/classify.h"
#include "drift/collect.h"
#include "drift/settle.h"
#include "value/diff.h"

struct against {
    struct arena *arena;
    const struct drift_input *in;
    const struct drift_code *code;
    struct value planned, live;   /* what an apply makes of live; live in its spelling */
    struct value_diff from_live;  /* planned -> live */
    struct value_diff from_state; /* planned from the last state -> that state */
    bool same_plan;               /* the two plans are one: live is the last state */
    struct value recorded_live;   /* live in the spelling of the last state */
    struct collector group[CLASSIFY_GROUPS];
    struct ignore_rule accepted; /* what ignore_changes amounts to */
};

static bool is_recorded(const struct against *a)
{
    return a->in->desired->kind != VALUE_NULL;
}

/* --- what an apply would change --- */

/* A plan with what is not known taken from `now`, and without what a legacy provider should not
 * have changed; then `now` in the spelling of the plan. */
static bool prepare(struct against *a, const struct value *plan, const struct value *now,
                    struct value *ret_plan, struct value *ret_now, struct err *err)
{
    struct normalised normal;
    struct value kept = *plan;
    if (a->code->legacy &&
        !ignore_changes_apply(a->arena, a->code->ignored, NULL, now, plan, &kept, err))
        return false;
    if (!settle_unknown(a->arena, &kept, now, ret_plan, err))
        return false;
    *ret_now = *now;
    if (value_equal(ret_plan, now))
        return true;
    if (!normalise_live(a->arena, a->in->schema, ret_plan, now, false, &normal, err))
        return false;
    if (!normal.equal) /* else the provider insists on the spelling: that is the change */
        *ret_now = normal.live;
    return true;
}

static bool plan_changes(struct against *a, struct err *err)
{
    struct value plan, now;
    if (!prepare(a, a->code->from_live, a->in->live, &a->planned, &a->live, err) ||
        !collect_diff(a->arena, &a->planned, &a->live, &a->from_live, err))
        return false;
    a->same_plan = !a->code->from_state || !is_recorded(a) ||
                   (!a->code->apart && value_equal(a->in->desired, a->in->live));
    if (a->same_plan)
        return true;
    return prepare(a, a->code->from_state, a->in->desired, &plan, &now, err) &&
           collect_diff(a->arena, &plan, &now, &a->from_state, err);
}

/* Do two differences concern one place? Inside a list or a set the whole of it is the place. */
static bool same_place(struct path x, struct path y)
{
    struct path a = collect_root(x), b = collect_root(y);
    return path_starts(a, b) || path_starts(b, a);
}

static bool any_at(const struct value_diff *diff, struct path path)
{
    for (size_t i = 0; i < diff->n; i++)
        if (same_place(diff->change[i].path, path))
            return true;
    return false;
}

/* --- did live change there since the last apply? --- */

static bool holds(const struct value *collection, const struct value *element)
{
    for (uint32_t i = 0; value_is_list_like(collection) && i < collection->len; i++)
        if (value_equal(&collection->items[i], element))
            return true;
    return false;
}

/*
 * A whole element: one that live has, and that was there at the last apply, was not put there
 * since; one that live lacks, and that was not there either, was not taken away.
 */
static bool element_is_as_applied(const struct value *recorded, const struct value_change *change)
{
    return change->after ? holds(recorded, change->after) : !holds(recorded, change->before);
}

static const struct value *step_into(const struct value *v, const struct path_step *step)
{
    if (step->kind == PATH_KEY)
        return value_get(v, step->key);
    return value_is_list_like(v) && step->index >= 0 && step->index < v->len
               ? &v->items[step->index]
               : NULL;
}

static bool same_or_absent(const struct value *a, const struct value *b)
{
    bool no_a = !a || a->kind == VALUE_NULL, no_b = !b || b->kind == VALUE_NULL;
    return no_a || no_b ? no_a && no_b : value_equal(a, b);
}

static bool is_as_applied(const struct against *a, const struct value_change *change)
{
    const struct value *recorded = a->in->desired, *live = &a->recorded_live;
    for (size_t i = 0; i < change->path.n && recorded && live; i++) {
        const struct path_step *step = &change->path.step[i];
        bool by_position = step->kind != PATH_KEY;
        if (by_position && value_equal(recorded, live))
            return true;
        if (by_position && i + 1 == change->path.n)
            return element_is_as_applied(recorded, change);
        if (by_position && (step->kind == PATH_ELEMENT || recorded->len != live->len))
            return false;
        recorded = step_into(recorded, step);
        live = step_into(live, step);
    }
    return same_or_absent(recorded, live);
}

static enum classify_group group_of(const struct against *a, const struct value_change *change)
{
    if (a->code->importing)
        return CLASSIFY_UNAPPLIED;
    if (!is_recorded(a) || !is_as_applied(a, change))
        return CLASSIFY_CONTRADICTS;
    /* What would not change without drift is its consequence. */
    return a->same_plan || any_at(&a->from_state, change->path) ? CLASSIFY_UNAPPLIED
                                                                : CLASSIFY_CONTRADICTS;
}

/* --- groups --- */

static bool open_group(struct against *a, enum classify_group group, const struct value *before,
                       const struct value *after, size_t room, struct err *err)
{
    struct collector *c = &a->group[group];
    c->arena = a->arena;
    c->in = a->in;
    return collect_mark(c, before, after, err) &&
           collect_ignores(a->arena, a->in, &c->ignores, err) && collect_room(c, room, err);
}

static bool requires_replace(const struct drift_code *code, struct path path)
{
    for (size_t i = 0; i < code->nrequires_replace; i++)
        if (same_place(code->requires_replace[i], path))
            return true;
    return false;
}

/* The change as it lies in the group's own trees, which have the marks of secrets. */
static bool add_change(struct against *a, enum classify_group group,
                       const struct value_change *change, struct err *err)
{
    struct collector *c = &a->group[group];
    size_t n = c->n;
    if (!collect_change(c, change, err))
        return false;
    if (c->n > n && (group == CLASSIFY_CONTRADICTS || group == CLASSIFY_UNAPPLIED))
        c->changes[n].requires_replace = requires_replace(a->code, change->path);
    return true;
}

/* The diff of the marked trees walks as that of the plain ones: marks play no part. */
static bool collect_planned(struct against *a, struct err *err)
{
    struct value_diff diff;
    if (a->from_live.n == 0)
        return true;
    for (int g = CLASSIFY_CONTRADICTS; g <= CLASSIFY_UNAPPLIED; g++)
        if (!open_group(a, (enum classify_group)g, &a->planned, &a->live, a->from_live.n, err))
            return false;
    const struct collector *c = &a->group[CLASSIFY_CONTRADICTS];
    if (!collect_diff(a->arena, &c->desired, &c->live, &diff, err))
        return false;
    for (size_t i = 0; i < diff.n; i++)
        if (!add_change(a, group_of(a, &diff.change[i]), &diff.change[i], err))
            return false;
    return true;
}

/* What live and the last state differ in, and an apply leaves. */
static bool collect_left(struct against *a, struct err *err)
{
    struct value_diff diff;
    if (!is_recorded(a) || value_equal(a->in->desired, &a->recorded_live))
        return true;
    if (!open_group(a, CLASSIFY_LEFT, a->in->desired, &a->recorded_live, 0, err))
        return false;
    struct collector *c = &a->group[CLASSIFY_LEFT];
    if (!collect_diff(a->arena, &c->desired, &c->live, &diff, err) || !collect_room(c, diff.n, err))
        return false;
    for (size_t i = 0; i < diff.n; i++) {
        struct path path = diff.change[i].path;
        if (!any_at(&a->from_live, path) && !ignore_changes_cover(a->code->ignored, path) &&
            !add_change(a, CLASSIFY_LEFT, &diff.change[i], err))
            return false;
    }
    return true;
}

/*
 * An accepted difference: what the code says instead. Where it says nothing, only what changed
 * since the last apply is worth telling, and from what.
 */
static bool add_accepted(struct against *a, const struct value_change *found, struct err *err)
{
    struct collector *c = &a->group[CLASSIFY_ACCEPTED];
    struct value_change change = *found;
    bool unsaid = !change.before || change.before->kind == VALUE_NULL;
    if (unsaid && (!is_recorded(a) || is_as_applied(a, &change)))
        return true;
    if (unsaid)
        change.before = path_find(a->in->desired, change.path);
    size_t n = c->n;
    if (!collect_change(c, &change, err))
        return false;
    if (c->n > n && !c->rule_of[n]) {
        c->rule_of[n] = &a->accepted;
        c->changes[n].ignored_by = a->accepted.reason;
    }
    return true;
}

static bool collect_accepted(struct against *a, struct err *err)
{
    const struct drift_code *code = a->code;
    struct normalised normal;
    struct value_diff diff;
    if (!ignore_changes_any(code->ignored) || !code->config || !code->asked)
        return true;
    a->accepted = (struct ignore_rule){.reason = code->ignored->reason};
    if (!normalise_live(a->arena, a->in->schema, code->config, code->asked, false, &normal, err))
        return false;
    if (normal.equal)
        return true;
    if (!open_group(a, CLASSIFY_ACCEPTED, code->config, &normal.live, 0, err))
        return false;
    struct collector *c = &a->group[CLASSIFY_ACCEPTED];
    if (!collect_diff(a->arena, &c->desired, &c->live, &diff, err) || !collect_room(c, diff.n, err))
        return false;
    for (size_t i = 0; i < diff.n; i++)
        if (!add_accepted(a, &diff.change[i], err))
            return false;
    return true;
}

/* --- findings --- */

/*
 * Computed attributes that changed along with what contradicts the code are told there: an apply
 * makes them anew. They have no part in the sentence or the fingerprint.
 */
static bool add_computed(struct against *a, struct finding *finding, struct err *err)
{
    struct collector *left = &a->group[CLASSIFY_LEFT];
    struct change *changes = arena_new(a->arena, struct change, finding->nchanges + left->n);
    size_t n = finding->nchanges, kept = 0;
    if (!changes)
        return arena_full(a->arena, err);
    for (size_t i = 0; i < n; i++)
        changes[i] = finding->changes[i];
    for (size_t i = 0; i < left->n; i++) {
        if (!left->changes[i].configurable && !left->rule_of[i]) {
            changes[n++] = left->changes[i];
            continue;
        }
        left->changes[kept] = left->changes[i];
        left->paths[kept] = left->paths[i];
        left->rule_of[kept++] = left->rule_of[i];
    }
    left->n = kept;
    finding->changes = changes;
    finding->nchanges = n;
    return true;
}

static bool close_group(struct against *a, enum classify_group group, struct finding *findings,
                        size_t *n, struct err *err)
{
    struct collector *c = &a->group[group];
    if (c->n == 0)
        return true;
    struct finding *finding = &findings[*n];
    *finding = collect_finding(a->in->resource, a->in->stack);
    finding->changes = c->changes;
    finding->nchanges = c->n;
    ++*n;
    return classify_changes_of(a->arena, group, c->rule_of, finding, err) &&
           collect_fingerprint(c, finding, err) &&
           (group != CLASSIFY_CONTRADICTS || finding->ignored || add_computed(a, finding, err));
}

/* An apply would do something to the whole of it. */
static bool add_whole(struct arena *arena, const struct drift_input *in, struct finding *finding,
                      struct err *err)
{
    struct ignore_set ignores;
    *finding = collect_finding(in->resource, in->stack);
    return collect_ignores(arena, in, &ignores, err) &&
           classify_whole(arena, &ignores, in->code->because, in->code->by_drift, finding, err) &&
           finding_fingerprint(finding, NULL, 0, err);
}

static bool close_groups(struct against *a, struct observation *ret, struct err *err)
{
    struct finding *findings = arena_new(a->arena, struct finding, CLASSIFY_GROUPS + 1);
    size_t n = 0;
    if (!findings)
        return arena_full(a->arena, err);
    for (int g = 0; g < CLASSIFY_GROUPS; g++)
        if (!close_group(a, (enum classify_group)g, findings, &n, err))
            return false;
    enum classify_group same = a->code->by_drift ? CLASSIFY_CONTRADICTS : CLASSIFY_UNAPPLIED;
    bool whole = a->code->absent || (a->code->pending && !a->group[same].n);
    if (whole && !add_whole(a->arena, a->in, &findings[n++], err))
        return false;
    ret->findings = findings;
    ret->nfindings = n;
    return true;
}

/* The state's spelling of live, with what made it so in --explain's list. */
static bool spell_as_recorded(struct against *a, struct collector *equal, struct err *err)
{
    struct normalised normal;
    a->recorded_live = *a->in->live;
    if (!is_recorded(a) || value_equal(a->in->desired, a->in->live))
        return true;
    if (!normalise_live(a->arena, a->in->schema, a->in->desired, a->in->live, a->in->explain,
                        &normal, err) ||
        !collect_equal_by_rule(equal, &normal, err))
        return false;
    a->recorded_live = normal.equal ? *a->in->desired : normal.live;
    return true;
}

/* Nothing differs from anything: the usual case. */
static bool is_in_order(const struct drift_input *in)
{
    const struct drift_code *code = in->code;
    return !code->absent && !code->pending && !ignore_changes_any(code->ignored) &&
           value_equal(in->desired, in->live) && value_equal(code->from_live, in->live);
}

bool against_observe(struct arena *arena, const struct drift_input *in, struct observation *ret,
                     struct err *err)
{
    struct against a = {.arena = arena, .in = in, .code = in->code};
    struct collector equal = {.arena = arena, .in = in};
    struct observation found = {.outcome = OBSERVED_SAME};
    if (is_in_order(in)) {
        collect_count(in, collect_leaves(in->live, VALUE_DEPTH_MAX), &found);
        *ret = found;
        return true;
    }
    if (!spell_as_recorded(&a, &equal, err) || (!a.code->absent && !plan_changes(&a, err)) ||
        !collect_planned(&a, err) || !collect_left(&a, err) || !collect_accepted(&a, err) ||
        !close_groups(&a, &found, err))
        return false;
    collect_count(in, collect_leaves(in->live, VALUE_DEPTH_MAX), &found);
    found.outcome = found.nfindings ? OBSERVED_DIFFERENT : OBSERVED_SAME;
    found.equal = collect_named_equal(&equal);
    found.nequal = equal.nequal;
    *ret = found;
    return true;
}

bool drift_uncreated(struct arena *arena, const struct drift_input *in, struct observation *ret,
                     struct err *err)
{
    struct finding *finding = arena_new(arena, struct finding, 1);
    if (!finding)
        return arena_full(arena, err);
    if (!add_whole(arena, in, finding, err))
        return false;
    *ret = (struct observation){.outcome = OBSERVED_DIFFERENT, .findings = finding, .nfindings = 1};
    return true;
}
