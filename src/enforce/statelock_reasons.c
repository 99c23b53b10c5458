/* statelock_reasons.c - what stands against an apply: drift without an answer, freezes, age. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "enforce/statelock_store.h"
#include "model/config.h"
#include "record/permit.h"
#include "record/record.h"
#include "record/standing.h"

static bool is_block(struct str level)
{
    return level.len == 0 || str_equal(level, STR("block"));
}

struct lock_rules lock_rules_of(const struct config *config)
{
    const struct config_gate *gate = &config->gate;
    return (struct lock_rules){.unjudged_free = !is_block(config->serve.unjudged),
                               .undecided_free = !is_block(gate->undecided),
                               .freeze_free = !is_block(gate->freeze),
                               .approval = config->serve.require_approval,
                               .fresh_ms = is_block(gate->coverage) ? gate->max_age_ms : 0,
                               .keep = config->serve.keep_versions,
                               .url = config->serve.url};
}

struct reasons {
    struct arena *arena;
    struct lock_reason *item;
    size_t n, room;
};

static struct lock_reason *add(struct reasons *r, enum lock_because because)
{
    struct lock_reason *grown = r->item;
    if (r->n == r->room && !(grown = arena_grow(r->arena, r->item, r->n, &r->room, r->n + 1)))
        return NULL;
    r->item = grown;
    r->item[r->n] = (struct lock_reason){.because = because};
    return &r->item[r->n++];
}

/* Is it for somebody to decide before anything is applied? */
static bool needs_decision(const struct standing_finding *f, const struct lock_rules *rules)
{
    if (f->decided)
        return false;
    if (f->judged)
        return !rules->undecided_free && decision_is_violation(f->decision);
    return !rules->unjudged_free &&
           (f->class_ == CLASS_CONTRADICTS_CODE || f->class_ == CLASS_MISSING);
}

static bool add_finding(struct reasons *r, const struct standing_finding *f)
{
    char since[CLOCK_TEXT];
    struct lock_reason *reason = add(r, LOCK_BECAUSE_FINDING);
    if (!reason)
        return false;
    clock_format(f->changed_utc_ms ? f->changed_utc_ms : f->first_utc_ms, since);
    reason->address = f->address;
    reason->fingerprint = f->fingerprint;
    reason->who = f->author.name;
    reason->what = arena_printf(r->arena, "%s, %s, since %s%s%.*s", finding_class_name(f->class_),
                                severity_name(f->severity), since, f->rule.len ? ", rule " : "",
                                STR_ARG(f->rule));
    if (f->requested)
        reason->todo = arena_printf(r->arena,
                                    "review R%lld waits for approval: plumb review "
                                    "approve R%lld",
                                    (long long)f->requested->id, (long long)f->requested->id);
    else
        reason->todo =
            arena_printf(r->arena, "plumb review %.*s --revert|--adopt|--accept --reason WHY",
                         STR_ARG(str_sub(f->fingerprint, 0, 12)));
    return reason->what.ptr && reason->todo.ptr;
}

static bool add_freeze(struct reasons *r, const struct cover *freeze)
{
    char until[CLOCK_TEXT];
    struct lock_reason *reason = add(r, LOCK_BECAUSE_FREEZE);
    if (!reason)
        return false;
    clock_format(freeze->until_utc_ms, until);
    reason->who = freeze->by.name;
    reason->what = arena_printf(r->arena, "freeze F%lld until %s: %.*s", (long long)freeze->id,
                                until, STR_ARG(freeze->reason));
    return reason->what.ptr != NULL;
}

static bool add_age(struct reasons *r, const struct lock_deed *deed, const struct standing *s)
{
    if (deed->rules->fresh_ms == 0 || s->at_utc_ms - s->scanned_utc_ms <= deed->rules->fresh_ms)
        return true;
    struct lock_reason *reason = add(r, LOCK_BECAUSE_STALE);
    if (!reason)
        return false;
    reason->what = s->scanned_utc_ms ? STR("the last complete scan is too old")
                                     : STR("there is no complete scan on record");
    reason->todo = STR("plumb scan");
    return true;
}

struct permit_terms lock_permit_terms(const struct lock_deed *deed, const struct state_row *row)
{
    return (struct permit_terms){.stack = deed->stack,
                                 .lineage = row->lineage,
                                 .serial = (uint64_t)row->serial,
                                 .any_state = row->version == 0};
}

/* It is only looked at here, and used up when nothing else stands against the lock. */
static bool add_approval(struct reasons *r, const struct lock_deed *deed,
                         const struct state_row *row, struct str approval, struct err *err)
{
    struct permit_terms terms = lock_permit_terms(deed, row);
    enum permit_answer answer = PERMIT_NONE;
    if (!deed->rules->approval)
        return true;
    if (approval.len && !permit_check(deed->record, approval, &terms, &answer, err))
        return false;
    if (answer == PERMIT_GOOD)
        return true;
    struct lock_reason *reason = add(r, LOCK_BECAUSE_APPROVAL);
    if (!reason)
        return arena_full(deed->arena, err);
    reason->what = approval.len ? arena_printf(deed->arena, "the approval is refused: %s",
                                               permit_answer_meaning(answer))
                                : STR("an approval of the gate is needed, and none came along");
    reason->todo = STR("plumb gate --plan FILE --approve-token TOKENFILE, then "
                       "?approval=TOKEN behind lock_address");
    return reason->what.ptr || arena_full(deed->arena, err);
}

bool lock_gather_reasons(const struct lock_deed *deed, const struct state_row *row,
                         struct str approval, struct lock_reason **ret, size_t *ret_n,
                         struct str *ret_breakglass, struct err *err)
{
    struct standing standing = {0};
    struct reasons r = {.arena = deed->arena};
    bool ok = true;
    if (!standing_ask(deed->record, deed->arena, deed->stack, 0, &standing, err))
        return false;
    for (size_t i = 0; ok && !deed->rules->freeze_free && i < standing.nfreezes; i++)
        ok = add_freeze(&r, &standing.freeze[i]);
    for (size_t i = 0; ok && i < standing.n; i++)
        if (needs_decision(&standing.finding[i], deed->rules))
            ok = add_finding(&r, &standing.finding[i]);
    if (!ok || !add_age(&r, deed, &standing))
        return arena_full(deed->arena, err);
    if (!add_approval(&r, deed, row, approval, err))
        return false;
    for (size_t i = 0; i < standing.nbreakglasses && ret_breakglass->len == 0; i++)
        if (standing.breakglass[i].address.len == 0)
            *ret_breakglass =
                arena_printf(deed->arena, "B%lld", (long long)standing.breakglass[i].id);
    *ret = r.item;
    *ret_n = r.n;
    return true;
}
