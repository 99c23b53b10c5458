/* gate_drift.c - a plan against what drifted: what it would undo, what it passes over, what it does
 * not know.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "enforce/gate_parts.h"
#include "enforce/undo.h"
#include "model/decision.h"

/* The changes of the finding that the plan would set back. */
static size_t find_undone(struct deciding *d, const struct gate_touch *touch,
                          const struct finding *finding, const struct change **ret)
{
    size_t n = 0;
    const struct undo_deed deed = {.action = touch->action,
                                   .live = touch->live,
                                   .before = touch->before,
                                   .after = touch->after,
                                   .unknown = touch->unknown};
    struct change *kept = arena_new(d->arena, struct change, finding->nchanges);
    *ret = kept;
    d->full |= !kept;
    for (size_t i = 0; kept && i < finding->nchanges; i++)
        if (undo_sets_back(d->arena, &deed, finding->class_, &finding->changes[i]))
            kept[n++] = finding->changes[i];
    return n;
}

/* --- reviews --- */

static int standing_order(const void *a, const void *b)
{
    const struct gate_standing *x = *(const struct gate_standing *const *)a;
    const struct gate_standing *y = *(const struct gate_standing *const *)b;
    int order = str_compare(x->address, y->address);
    order = order ? order : (x->class_ > y->class_) - (x->class_ < y->class_);
    return order ? order : (x > y) - (x < y);
}

struct index {
    const struct gate_standing **item; /* sorted by address */
    size_t n;
};

static bool index_make(struct deciding *d, struct index *ret)
{
    const struct gate_facts *f = d->facts;
    ret->item = arena_new(d->arena, const struct gate_standing *, f->nstanding);
    if (!ret->item)
        return false;
    for (size_t i = 0; i < f->nstanding; i++)
        ret->item[i] = &f->standing[i];
    ret->n = f->nstanding;
    if (ret->n > 1)
        qsort(ret->item, ret->n, sizeof *ret->item, standing_order);
    return true;
}

static size_t index_first(const struct index *index, struct str address)
{
    size_t low = 0, high = index->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(index->item[middle]->address, address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool any_sensitive(const struct finding *finding)
{
    for (size_t i = 0; i < finding->nchanges; i++)
        if (finding->changes[i].sensitive)
            return true;
    return false;
}

/* Does the review answer the finding as it is now? */
static bool answers(struct deciding *d, const struct review *review, const struct finding *finding)
{
    const struct gate_facts *f = d->facts;
    struct str value = f->value ? f->value[finding - f->finding] : STR("");
    if (!review || review->state != REVIEW_EFFECT ||
        (review->until_utc_ms && review->until_utc_ms <= d->facts->now_utc_ms))
        return false;
    if (value.len && review->value.len)
        return str_equal(value, review->value);
    return !any_sensitive(finding) &&
           str_equal(review->fingerprint, str_from(finding->fingerprint));
}

/* What is on record of the finding; *ret_review: the answer that counts, or NULL. */
static const struct gate_standing *find_standing(struct deciding *d, const struct index *index,
                                                 const struct finding *finding,
                                                 const struct review **ret_review)
{
    const struct gate_standing *best = NULL;
    *ret_review = NULL;
    for (size_t i = index_first(index, finding->address);
         i < index->n && str_equal(index->item[i]->address, finding->address); i++) {
        const struct gate_standing *s = index->item[i];
        if (s->class_ != finding->class_)
            continue;
        if (!best || str_equal(s->fingerprint, str_from(finding->fingerprint)))
            best = s;
        if (answers(d, s->review, finding))
            *ret_review = s->review;
    }
    return best;
}

/* --- objections --- */

static void describe(struct gate_objection *o, const struct gate_touch *touch,
                     const struct finding *finding, const struct gate_standing *standing)
{
    const struct judgement *judgement = finding->judgement;
    o->address = finding->address;
    o->type = finding->type;
    o->action = touch ? touch->action : PLAN_NO_OP;
    o->finding = finding;
    o->fingerprint = str_from(finding->fingerprint);
    o->severity = finding->severity;
    o->at = finding_location(finding);
    o->rule = judgement ? judgement->rule : STR("");
    if (judgement)
        o->rule_at = judgement->at;
    o->owner = judgement && judgement->owner.len ? judgement->owner
               : finding->origin                 ? finding->origin->owner
                                                 : STR("");
    o->actor = standing ? standing->actor : STR("");
}

static const char *verb(enum plan_action action)
{
    return action == PLAN_DELETE    ? "will destroy it with"
           : action == PLAN_REPLACE ? "will replace it and silently undo"
                                    : "will silently undo";
}

/* A review is of a finding that is on record: what is read now may be another one of the same
 * resource, because live or the code has changed since the last scan. */
static const char *first_step(const struct deciding *d, const struct gate_standing *standing,
                              const struct finding *finding)
{
    bool recorded = standing && str_equal(standing->fingerprint, str_from(finding->fingerprint));
    return recorded              ? ""
           : d->facts->has_store ? "scan the stack (plumb scan), then "
                                 : "with a store: ";
}

static void say_undone(struct deciding *d, struct gate_objection *o, enum plan_action action,
                       const struct gate_standing *standing, const struct change *undone, size_t n)
{
    o->changes = undone;
    o->nchanges = n;
    gate_say(d, &o->message, "the plan %s %zu change%s that nobody reviewed", verb(action), n,
             n == 1 ? "" : "s");
    gate_say(
        d, &o->todo,
        "%sreview it (plumb review %.8s --revert or --accept), or take it into the code (plumb "
        "adopt %.8s) and plan again",
        first_step(d, standing, o->finding), o->finding->fingerprint, o->finding->fingerprint);
}

static void say_recreated(struct deciding *d, struct gate_objection *o,
                          const struct gate_standing *standing)
{
    o->message = STR("the plan will create anew what somebody deleted, and nobody reviewed that");
    gate_say(d, &o->todo,
             "%sreview it (plumb review %.8s --revert), or take it out of the code and plan again",
             first_step(d, standing, o->finding), o->finding->fingerprint);
}

/* Somebody answered: that is what happens, or the plan does something else than was agreed. */
static bool agreed(struct deciding *d, const struct gate_touch *touch,
                   const struct finding *finding, const struct gate_standing *standing,
                   const struct review *review)
{
    const struct judgement *judgement = finding->judgement;
    if (!review)
        return judgement && (judgement->waived || judgement->decision == DECISION_IGNORE ||
                             (judgement->decision == DECISION_REVERT && judgement->rule.len));
    if (review->answer == ANSWER_REVERT)
        return true;
    struct gate_objection *o = gate_add(d, GATE_UNDO);
    if (!o)
        return true;
    describe(o, touch, finding, standing);
    bool accept = review->answer == ANSWER_ACCEPT;
    if (accept)
        o->level = GATE_WARN;
    gate_say(d, &o->message, "the plan sets back what review R%lld %s (%.*s)",
             (long long)review->id, accept ? "accepts as it is" : "wants in the code",
             STR_ARG(review->reason));
    o->todo = accept ? STR("apply it if that is meant: the review has been asked")
                     : STR("take it into the code first (plumb adopt), then plan again");
    return true;
}

static bool wants_decision(const struct finding *finding)
{
    return finding->judgement && !finding->judgement->waived && !finding->ignored &&
           decision_is_violation(finding->judgement->decision);
}

static void say_undecided(struct deciding *d, const struct gate_touch *touch,
                          const struct finding *finding, const struct gate_standing *standing)
{
    struct gate_objection *o = gate_add(d, GATE_UNDECIDED);
    if (!o)
        return;
    describe(o, touch, finding, standing);
    o->changes = finding->changes;
    o->nchanges = finding->nchanges;
    gate_say(d, &o->message, "policy wants this drift decided first (%s)%s%.*s",
             decision_name(finding->judgement->decision),
             finding->judgement->message.len ? ": " : "", STR_ARG(finding->judgement->message));
    gate_say(d, &o->todo, "%sreview it: plumb review %.8s --revert, --adopt or --accept",
             first_step(d, standing, finding), finding->fingerprint);
}

static void judge_finding(struct deciding *d, const struct index *index,
                          const struct gate_touch *touch, const struct finding *finding)
{
    const struct review *review;
    const struct change *undone = NULL;
    size_t n = 0;
    bool quiet = finding->class_ == CLASS_STATE_ONLY;
    bool drift = finding->class_ == CLASS_CONTRADICTS_CODE || finding->class_ == CLASS_MISSING;
    if (!(drift || quiet) || finding->ignored)
        return;
    const struct gate_standing *standing = find_standing(d, index, finding, &review);
    bool missing = finding->class_ == CLASS_MISSING, acts = undo_acts(touch->action);
    if (acts && !missing)
        n = find_undone(d, touch, finding, &undone);
    bool undoes = missing ? acts && touch->action != PLAN_DELETE : n > 0;
    if (undoes) {
        struct gate_objection *o =
            agreed(d, touch, finding, standing, review) ? NULL : gate_add(d, GATE_UNDO);
        if (!o)
            return;
        describe(o, touch, finding, standing);
        if (missing)
            say_recreated(d, o, standing);
        else
            say_undone(d, o, touch->action, standing, undone, n);
        return;
    }
    if (!review && wants_decision(finding))
        say_undecided(d, touch, finding, standing);
}

/* --- (d) live changed since, (e) not read --- */

static void judge_since(struct deciding *d, const struct gate_touch *touch)
{
    bool all = touch->appeared || touch->vanished;
    if (!undo_acts(touch->action) || (!touch->nsince && !all) ||
        (touch->vanished && touch->action == PLAN_DELETE))
        return;
    struct gate_objection *o = gate_add(d, GATE_STALE_LIVE);
    if (!o)
        return;
    o->address = touch->address;
    o->type = touch->type;
    o->action = touch->action;
    o->changes = touch->since;
    o->nchanges = touch->nsince;
    if (all)
        o->message = touch->appeared ? STR("the plan creates it, and it exists already")
                                     : STR("it was deleted after the plan was made");
    else
        gate_say(d, &o->message, "%zu attribute%s changed after the plan was made", touch->nsince,
                 touch->nsince == 1 ? "" : "s");
    o->todo = STR("plan again, and look at what changed");
}

static void judge_unread(struct deciding *d, const struct gate_touch *touch)
{
    struct gate_objection *o = gate_add(d, GATE_UNREAD);
    if (!o)
        return;
    o->address = touch->address;
    o->type = touch->type;
    o->action = touch->action;
    gate_say(d, &o->message, "it could not be read: %.*s",
             STR_ARG(touch->unread.len ? touch->unread : STR("the state does not have it")));
    o->todo = STR("make it readable here (providers, credentials), or plan without it");
}

static void judge_touch(struct deciding *d, const struct index *index,
                        const struct gate_touch *touch, size_t *at)
{
    const struct gate_facts *f = d->facts;
    bool needs = touch->action == PLAN_UPDATE || touch->action == PLAN_REPLACE ||
                 touch->action == PLAN_DELETE || touch->action == PLAN_UNKNOWN_ACTION;
    while (*at < f->nfindings && str_compare(f->finding[*at].address, touch->address) < 0)
        (*at)++;
    for (size_t i = *at; i < f->nfindings; i++) {
        if (!str_equal(f->finding[i].address, touch->address))
            break;
        judge_finding(d, index, touch, &f->finding[i]);
    }
    if (touch->unread.len ? undo_acts(touch->action) : needs && !touch->answered)
        judge_unread(d, touch);
    judge_since(d, touch);
}

/* --- (b) what is on record and was not read now --- */

static bool was_read(const struct gate_facts *f, struct str address)
{
    size_t low = 0, high = f->ntouches;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(f->touch[middle].address, address);
        if (order == 0)
            return f->touch[middle].answered;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool gate_is_undecided(const struct gate_facts *facts, const struct gate_standing *s)
{
    return s->has_decision && decision_is_violation(s->decision) && !s->review &&
           !was_read(facts, s->address);
}

static void judge_standing(struct deciding *d, const struct gate_standing *s)
{
    if (!gate_is_undecided(d->facts, s))
        return;
    struct gate_objection *o = gate_add(d, GATE_UNDECIDED);
    if (!o)
        return;
    o->address = s->address;
    o->type = s->type;
    o->rule = s->rule;
    o->action = PLAN_NO_OP;
    o->severity = s->severity;
    o->fingerprint = s->fingerprint;
    o->actor = s->actor;
    o->owner = s->owner;
    o->at = s->at;
    o->changes = s->changes;
    o->nchanges = s->nchanges;
    gate_say(d, &o->message, "policy wants this %s drift decided first (%s)%s",
             finding_class_name(s->class_), decision_name(s->decision),
             s->overdue ? ", and it is overdue" : "");
    gate_say(d, &o->todo, "review it: plumb review %.8s --revert, --adopt or --accept",
             s->fingerprint.len >= 8 ? s->fingerprint.ptr : "FINDING");
}

void gate_judge_drift(struct deciding *d)
{
    struct index index;
    size_t at = 0;
    if (!index_make(d, &index)) {
        d->full = true;
        return;
    }
    for (size_t i = 0; i < d->facts->ntouches && !d->full; i++)
        judge_touch(d, &index, &d->facts->touch[i], &at);
    for (size_t i = 0; i < d->facts->nstanding && !d->full; i++)
        judge_standing(d, &d->facts->standing[i]);
}
