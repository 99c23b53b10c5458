/* gate.c - facts to objections, objections to a decision. */
#include "enforce/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "enforce/gate_parts.h"
#include "model/decision.h"
#include "record/freshness.h"

static const struct {
    const char *name, *key, *meaning;
    int exit;
} kinds[] = {
#define X(constant, name_, key_, exit_, meaning_) \
    [constant] = {.name = (name_), .key = (key_), .meaning = (meaning_), .exit = (exit_)},
    GATE_KINDS(X)
#undef X
};

const char *gate_kind_name(enum gate_kind kind)
{
    return kind < GATE_KIND_COUNT ? kinds[kind].name : "cannot-tell";
}

const char *gate_kind_meaning(enum gate_kind kind)
{
    return kind < GATE_KIND_COUNT ? kinds[kind].meaning : "";
}

const char *gate_kind_key(enum gate_kind kind)
{
    return kind < GATE_KIND_COUNT ? kinds[kind].key : NULL;
}

int gate_kind_exit(enum gate_kind kind)
{
    return kind < GATE_KIND_COUNT ? kinds[kind].exit : GATE_EXIT_UNKNOWN;
}

/* --- levels --- */

static enum gate_level level_named(struct str text)
{
    return str_equal(text, STR("off"))    ? GATE_OFF
           : str_equal(text, STR("warn")) ? GATE_WARN
                                          : GATE_BLOCK;
}

static enum gate_level level_of(const struct config_gate *rules, enum gate_kind kind)
{
    const struct {
        const char *key;
        struct str level;
    } all[] = {{"undo", rules->undo},     {"undecided", rules->undecided},
               {"policy", rules->policy}, {"stale", rules->stale},
               {"code", rules->code},     {"coverage", rules->coverage},
               {"freeze", rules->freeze}};
    for (size_t i = 0; kinds[kind].key && i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].key, kinds[kind].key) == 0)
            return level_named(all[i].level);
    return GATE_BLOCK;
}

/* --- collecting --- */

struct gate_objection *gate_add(struct deciding *d, enum gate_kind kind)
{
    enum gate_level level = level_of(d->rules, kind);
    if (level == GATE_OFF || d->full)
        return NULL;
    struct gate_objection *grown = arena_grow(d->arena, d->item, d->n, &d->room, d->n + 1);
    if (!grown) {
        d->full = true;
        return NULL;
    }
    d->item = grown;
    grown[d->n] = (struct gate_objection){.kind = kind, .level = level, .severity = SEVERITY_HIGH};
    return &grown[d->n++];
}

void gate_say(struct deciding *d, struct str *to, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    *to = arena_vprintf(d->arena, fmt, args);
    va_end(args);
    d->full |= !to->ptr;
}

/* --- (d) stale: the state --- */

static void judge_state(struct deciding *d)
{
    const struct gate_state *made = &d->facts->plan_state, *now = &d->facts->state;
    if (!made->known || !now->known)
        return;
    bool other = made->lineage.len && now->lineage.len && !str_equal(made->lineage, now->lineage);
    if (!other && made->serial == now->serial)
        return;
    struct gate_objection *o = gate_add(d, GATE_STALE_STATE);
    if (!o)
        return;
    if (other)
        gate_say(d, &o->message,
                 "the plan was made from a state of another lineage (%.*s, the stack's is %.*s)",
                 STR_ARG(made->lineage), STR_ARG(now->lineage));
    else
        gate_say(d, &o->message, "the plan was made from serial %llu, the state is at serial %llu",
                 (unsigned long long)made->serial, (unsigned long long)now->serial);
    o->todo = other ? STR("look which state the stack uses, then plan again")
                    : STR("somebody applied meanwhile: plan again");
}

/* --- (d) the code --- */

static void judge_plan_code(struct deciding *d)
{
    const struct gate_code *c = &d->facts->code;
    bool commit = c->plan_commit.len && c->known && c->revision.commit.len &&
                  !str_starts(c->revision.commit, c->plan_commit);
    struct gate_objection *o = commit || c->ndifferent ? gate_add(d, GATE_STALE_CODE) : NULL;
    if (!o)
        return;
    if (commit)
        gate_say(d, &o->message, "the plan was made from commit %.*s, checked out is %.*s",
                 STR_ARG(str_sub(c->plan_commit, 0, 12)),
                 STR_ARG(str_sub(c->revision.commit, 0, 12)));
    else
        gate_say(d, &o->message, "the plan was made from other code: %.*s %s",
                 STR_ARG(c->different[0]), c->ndifferent > 1 ? "and others differ" : "differs");
    if (c->ndifferent)
        o->at = (struct location){.file = c->different[0], .line = 1};
    o->todo = STR("check out what the plan was made from, or plan again");
}

static void judge_signature(struct deciding *d)
{
    const struct gate_code *c = &d->facts->code;
    if (!d->rules->require_signed || !c->asked_signature || c->good_signature)
        return;
    struct gate_objection *o = gate_add(d, GATE_UNSIGNED);
    if (!o)
        return;
    gate_say(d, &o->message, "commit %.*s %s%.*s", STR_ARG(str_sub(c->revision.commit, 0, 12)),
             c->signature.len ? "has no good signature: " : "is not signed", STR_ARG(c->signature));
    o->todo = STR("sign it (git commit -S) with a key that is known here, and push it again");
}

static void judge_merge(struct deciding *d)
{
    const struct gate_code *c = &d->facts->code;
    struct str branch = d->rules->require_merged_into;
    if (!branch.len || !c->asked_merged || c->merged)
        return;
    struct gate_objection *o = gate_add(d, GATE_UNMERGED);
    if (!o)
        return;
    if (c->branch_exists)
        gate_say(d, &o->message, "commit %.*s is not part of %.*s",
                 STR_ARG(str_sub(c->revision.commit, 0, 12)), STR_ARG(branch));
    else
        gate_say(d, &o->message, "there is no branch %.*s here", STR_ARG(branch));
    if (c->branch_exists)
        gate_say(d, &o->todo, "merge it into %.*s, then plan and apply from there",
                 STR_ARG(branch));
    else
        gate_say(d, &o->todo, "fetch it (git fetch origin %.*s); in CI fetch the whole history",
                 STR_ARG(branch));
}

static void cannot_tell(struct deciding *d, struct str what, struct str todo)
{
    struct gate_objection *o = gate_add(d, GATE_CANNOT_TELL);
    if (!o)
        return;
    o->message = what;
    o->todo = todo;
}

static void judge_clean(struct deciding *d)
{
    const struct gate_code *c = &d->facts->code;
    if (d->rules->no_require_clean || !c->revision.dirty)
        return;
    struct gate_objection *o = gate_add(d, GATE_DIRTY);
    if (!o)
        return;
    if (c->nuntracked) { /* git status does not show what is ignored */
        gate_say(d, &o->message, "git does not have %.*s", STR_ARG(c->untracked[0]));
        if (c->nuntracked > 1)
            gate_say(d, &o->message, "%.*s and %zu more files of code", STR_ARG(o->message),
                     c->nuntracked - 1);
        o->todo = STR("commit and push it (git add -f, if it is ignored) or take it away, then "
                      "plan again");
    } else {
        o->message = STR("the working tree has edits that are not committed");
        o->todo = STR("commit and push them (git status lists them), then plan again");
    }
}

static void judge_code(struct deciding *d)
{
    const struct gate_code *c = &d->facts->code;
    const struct config_gate *rules = d->rules;
    bool asked = rules->require_signed || rules->require_merged_into.len;
    judge_plan_code(d);
    if (!c->known) {
        struct str said = {0};
        gate_say(d, &said, "git cannot tell which commit this is%s%.*s", c->why.len ? ": " : "",
                 STR_ARG(c->why));
        if ((asked || c->why.len) && level_of(rules, GATE_UNSIGNED) == GATE_BLOCK)
            cannot_tell(d, said, STR("run it in a clone of the repository, with git in PATH"));
        return;
    }
    judge_clean(d);
    if (!rules->no_require_pushed && c->revision.has_remote && !c->revision.pushed) {
        struct gate_objection *o = gate_add(d, GATE_UNPUSHED);
        if (o) {
            gate_say(d, &o->message, "no remote has commit %.*s",
                     STR_ARG(str_sub(c->revision.commit, 0, 12)));
            o->todo = STR("push it (git push), so that others can see what is applied");
        }
    }
    judge_signature(d);
    judge_merge(d);
}

/* --- (e) the last scan --- */

static void judge_scan(struct deciding *d)
{
    const struct gate_facts *f = d->facts;
    const struct config_gate *rules = d->rules;
    if (!rules->min_coverage && !rules->max_age_ms)
        return;
    if (!f->has_store) {
        cannot_tell(d,
                    STR("min_coverage and max_age ask for the last scan, and there is no store "
                        "that has it"),
                    STR("set `store` in plumb.yaml, and scan with it"));
        return;
    }
    bool none = f->scanned_utc_ms == 0;
    bool old = freshness_is_old(f->scanned_utc_ms, rules->max_age_ms, f->now_utc_ms);
    struct gate_objection *o = none || old ? gate_add(d, GATE_FRESHNESS) : NULL;
    if (o && none)
        o->message = STR("no complete scan of the stack is on record");
    else if (o)
        gate_say(d, &o->message, "the last complete scan is %lld minutes old, at most %lld are set",
                 (long long)((f->now_utc_ms - f->scanned_utc_ms) / 60000),
                 (long long)(rules->max_age_ms / 60000));
    if (o)
        o->todo = STR("scan the stack (plumb scan), and look at what it finds");
    if (!rules->min_coverage || none ||
        f->scanned_compared * 100 >= f->scanned_resources * (uint64_t)rules->min_coverage)
        return;
    o = gate_add(d, GATE_COVERAGE);
    if (!o)
        return;
    gate_say(d, &o->message,
             "the last scan compared %llu of %llu resources, at least %lld %% are asked for",
             (unsigned long long)f->scanned_compared, (unsigned long long)f->scanned_resources,
             (long long)rules->min_coverage);
    o->todo = STR("`plumb scan` says why the others could not be compared");
}

/* --- (c), (f), and what is not known --- */

static void judge_violation(struct deciding *d, const struct gate_violation *v)
{
    struct gate_objection *o = gate_add(d, v->error ? GATE_CANNOT_TELL : GATE_POLICY);
    if (!o)
        return;
    if (v->warning && !v->error)
        o->level = GATE_WARN;
    o->severity = v->severity;
    o->address = v->address;
    o->rule = v->rule;
    o->rule_at = v->rule_at;
    o->at = v->at;
    gate_say(d, &o->message, "%.*s%s%.*s%s", STR_ARG(v->message), v->why.len ? " (" : "",
             STR_ARG(v->why), v->why.len ? ")" : "");
    o->todo = v->remedy.len ? v->remedy
              : v->error    ? STR("repair the rule: plumb policy test")
                            : STR("change the code, or ask the rule's owner for a waiver");
}

/* Does the plan act on something that the glob names? Empty: on anything at all. */
static bool touches_any(const struct gate_facts *f, struct str glob, struct str *ret)
{
    *ret = STR("");
    for (size_t i = 0; i < f->ntouches; i++) {
        if (f->touch[i].action == PLAN_NO_OP)
            continue;
        if (!glob.len)
            return true;
        if (glob_match(glob, f->touch[i].address, '\0')) {
            *ret = f->touch[i].address;
            return true;
        }
    }
    return false;
}

static void judge_rest(struct deciding *d)
{
    const struct gate_facts *f = d->facts;
    for (size_t i = 0; i < f->nviolations; i++)
        judge_violation(d, &f->violation[i]);
    for (size_t i = 0; i < f->nfreezes; i++) {
        const struct gate_cover *freeze = &f->freeze[i];
        struct str touched;
        if (!touches_any(f, freeze->address, &touched))
            continue;
        struct gate_objection *o = gate_add(d, GATE_FREEZE);
        if (!o)
            continue;
        o->address = touched;
        char until[CLOCK_TEXT] = "it is ended";
        if (freeze->until_utc_ms)
            (void)clock_format(freeze->until_utc_ms, until);
        gate_say(d, &o->message, "freeze %.*s is in effect until %s: %.*s", STR_ARG(freeze->id),
                 until, STR_ARG(freeze->reason));
        o->actor = freeze->by;
        o->todo = STR("wait until it ends, or ask who declared it");
    }
    for (size_t i = 0; i < f->ncannot_tell; i++)
        cannot_tell(d, f->cannot_tell[i], STR("repair that, then ask again"));
    if (f->plan_errored)
        cannot_tell(d, STR("the plan ended with an error: it does not say all that it would do"),
                    STR("repair what the plan complains about, then plan again"));
}

/* --- deciding --- */

static int objection_order(const void *a, const void *b)
{
    const struct gate_objection *x = a, *y = b;
    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = str_compare(x->address, y->address);
    order = order ? order : str_compare(x->rule, y->rule);
    return order ? order : str_compare(x->message, y->message);
}

static bool is_covered(const struct gate_facts *f, struct str address)
{
    for (size_t i = 0; i < f->nbreakglasses; i++) {
        struct str glob = f->breakglass[i].address;
        if (!glob.len || (address.len && glob_match(glob, address, '\0')))
            return true;
    }
    return false;
}

/* Breakglass: what would block is told only. That something cannot be told stays what it is. */
static void break_glass(struct deciding *d, bool *ret_broken)
{
    for (size_t i = 0; i < d->n; i++)
        if (d->item[i].level == GATE_BLOCK && d->item[i].kind != GATE_CANNOT_TELL &&
            is_covered(d->facts, d->item[i].address)) {
            d->item[i].level = GATE_WARN;
            *ret_broken = true;
        }
}

static int worse(int a, int b)
{
    static const int rank[] = {[GATE_EXIT_ALLOW] = 0,
                               [GATE_EXIT_DRIFT] = 1,
                               [GATE_EXIT_POLICY] = 2,
                               [GATE_EXIT_UNKNOWN] = 3};
    return rank[a] >= rank[b] ? a : b;
}

bool gate_decide(struct arena *arena, const struct gate_facts *facts,
                 const struct config_gate *rules, struct gate_decision *ret, struct err *err)
{
    static const struct config_gate strict;
    struct deciding d = {.arena = arena, .facts = facts, .rules = rules ? rules : &strict};
    struct gate_decision decision = {.answer = GATE_DENY, .exit_code = GATE_EXIT_ALLOW};
    gate_judge_drift(&d);
    judge_state(&d);
    judge_code(&d);
    judge_scan(&d);
    judge_rest(&d);
    if (d.full)
        return arena_full(arena, err);
    break_glass(&d, &decision.broken_glass);
    if (d.n > 1)
        qsort(d.item, d.n, sizeof *d.item, objection_order);
    for (size_t i = 0; i < d.n; i++) {
        const struct gate_objection *o = &d.item[i];
        decision.by_kind[o->kind]++;
        if (o->kind == GATE_UNDO && o->level == GATE_BLOCK)
            decision.undone += o->nchanges ? o->nchanges : 1;
        if (o->level != GATE_BLOCK)
            continue;
        decision.nblocking++;
        decision.exit_code = worse(decision.exit_code, gate_kind_exit(o->kind));
    }
    decision.objection = d.item;
    decision.n = d.n;
    if (decision.nblocking == 0)
        decision.answer = GATE_ALLOW;
    *ret = decision;
    return true;
}

const struct gate_objection *gate_blocks_address(const struct gate_decision *decision,
                                                 struct str address)
{
    for (size_t i = 0; i < decision->nblocking; i++) {
        const struct gate_objection *o = &decision->objection[i];
        if (!o->address.len || str_equal(o->address, address))
            return o;
    }
    return NULL;
}
