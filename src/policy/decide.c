/* decide.c - policy_judge(): verdicts of rules and packages, waivers, and what follows. */
#include <stdlib.h>

#include "base/err.h"
#include "base/glob.h"
#include "policy/policy_parts.h"

struct policy_draft *policy_drafts_add(struct policy_drafts *drafts, const struct verdict *verdict)
{
    struct policy_draft *grown =
        arena_grow(drafts->arena, drafts->item, drafts->n, &drafts->room, drafts->n + 1);
    if (!grown)
        return NULL;
    drafts->item = grown;
    grown[drafts->n] = (struct policy_draft){.verdict = *verdict};
    return &grown[drafts->n++];
}

/* --- verdicts of YAML rules --- */

/* What cannot be told objects to nothing, and is told to somebody. */
static enum decision decision_of(const struct rule_result *result)
{
    if (result->outcome == RULE_ERROR)
        return DECISION_BLOCK;
    if (result->outcome == RULE_UNKNOWN &&
        decision_stricter(result->rule->decision, DECISION_NOTIFY))
        return DECISION_NOTIFY;
    return result->rule->decision;
}

static bool add_rule(struct policy_drafts *drafts, const struct rule_subject *s,
                     const struct rule_result *result)
{
    const struct rule *rule = result->rule;
    const struct verdict verdict = {
        .rule = rule->name,
        .at = rule->at,
        .decision = decision_of(result),
        .severity = rule->severity,
        .has_severity = rule->has_severity,
        .message = result->outcome == RULE_ERROR ? result->text : rule->title,
        .why = result->text,
        .remedy = rule->fix,
        .owner = rule->owner,
        .deadline = rule->deadline,
        .deadline_ms = rule->deadline_ms,
        .csf = rule->csf.item,
        .ncsf = rule->csf.n,
        .sp800_53 = rule->sp800_53.item,
        .nsp800_53 = rule->sp800_53.n,
        .cis = rule->cis.item,
        .ncis = rule->cis.n,
        .links = rule->links.item,
        .nlinks = rule->links.n,
        .unknown = result->outcome == RULE_UNKNOWN,
        .error = result->outcome == RULE_ERROR,
        .where = result->nwhy ? result->why[0].path : (struct path){0},
    };
    struct policy_draft *draft = policy_drafts_add(drafts, &verdict);
    if (!draft || result->nchanges == s->nchanges || !result->nchanges) /* the whole resource */
        return draft != NULL;
    draft->covers = arena_new(drafts->arena, bool, s->nchanges);
    for (size_t i = 0; draft->covers && i < result->nchanges; i++)
        draft->covers[result->change[i] - s->change] = true;
    return draft->covers != NULL;
}

/* --- from verdicts to a decision --- */

struct judging {
    struct policy *policy;
    struct arena *arena;
    const struct rule_subject *subject;
    struct policy_drafts drafts;
    size_t n;                 /* changes; 1 for a subject without */
    const struct str *digest; /* of each; NULL where there are no waivers */
    size_t *counted, *waived; /* of each draft: in how many places */
    bool full;                /* the arena: there is no judgement */
};

static struct str waiver_words(struct arena *arena, const struct waiver *waiver)
{
    return arena_printf(arena, "%.*s:%u (%.*s; owner %.*s; until %.*s)", STR_ARG(waiver->at.file),
                        waiver->at.line, STR_ARG(waiver->reason), STR_ARG(waiver->owner),
                        STR_ARG(waiver->expires));
}

static struct str waiver_text(struct judging *j, const struct waiver *waiver)
{
    struct str text = waiver_words(j->arena, waiver);
    j->full |= !text.ptr;
    return text;
}

static struct waiver *find_waiver(struct judging *j, size_t change, struct str rule)
{
    const struct rule_subject *s = j->subject;
    if (!j->digest)
        return NULL;
    return waivers_find(&j->policy->waivers, s, s->nchanges ? &s->change[change] : NULL, rule,
                        j->digest[change], j->policy->options.now_utc_ms);
}

/* Only what differs from the code is anybody's business without a rule. */
static enum decision default_of(const struct judging *j)
{
    const struct rule_subject *s = j->subject;
    const struct policy_options *o = &j->policy->options;
    if (s->kind != SUBJECT_FINDING)
        return DECISION_IGNORE;
    if (s->class_ != CLASS_CONTRADICTS_CODE && s->class_ != CLASS_MISSING &&
        s->class_ != CLASS_UNMANAGED)
        return DECISION_NOTIFY;
    for (size_t i = 0; i < o->ndefaults; i++)
        if (!o->defaults[i].env.len || glob_match(o->defaults[i].env, s->env, '\0'))
            return o->defaults[i].decision;
    return DECISION_NOTIFY;
}

/* A computed attribute follows from what the code sets: beside a change of that, it is nobody's
 * business of its own. */
static bool only_follows(const struct rule_subject *s, size_t change)
{
    if (!s->nchanges || !s->change[change].computed)
        return false;
    for (size_t i = 0; i < s->nchanges; i++)
        if (!s->change[i].computed)
            return true;
    return false;
}

/* The strictest of what is said of one change. *ret_by: the draft, NULL = a default or a waiver. */
static enum decision decide_change(struct judging *j, size_t change, struct policy_draft **ret_by,
                                   struct str *ret_waiver)
{
    enum decision strictest = DECISION_IGNORE;
    bool said = false, waived = false;
    *ret_by = NULL;
    for (size_t i = 0; i < j->drafts.n; i++) {
        struct policy_draft *draft = &j->drafts.item[i];
        if (draft->covers && !draft->covers[change])
            continue;
        struct waiver *waiver =
            draft->verdict.error ? NULL : find_waiver(j, change, draft->verdict.rule);
        j->counted[i]++;
        if (waiver) {
            j->waived[i]++;
            draft->verdict.waived_by = *ret_waiver = waiver_text(j, waiver);
            waived = true;
            continue;
        }
        if (!said || decision_stricter(draft->verdict.decision, strictest)) {
            strictest = draft->verdict.decision;
            *ret_by = draft;
        }
        said = true;
    }
    if (said || waived || only_follows(j->subject, change))
        return strictest;
    struct waiver *waiver = find_waiver(j, change, STR(""));
    if (waiver)
        *ret_waiver = waiver_text(j, waiver);
    return waiver ? DECISION_IGNORE : default_of(j);
}

/* --- the judgement --- */

static int by_strictness(const void *a, const void *b)
{
    const struct verdict *x = a, *y = b;
    if (x->decision != y->decision)
        return decision_stricter(x->decision, y->decision) ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    int order = str_compare(x->rule, y->rule);
    return order ? order : str_compare(x->message, y->message);
}

/* One more word of "@a @b", unless it is among them. */
static bool add_owner(struct arena *arena, struct str *owners, struct str owner)
{
    struct str rest = owner, word;
    for (bool more = true; more;) {
        more = str_cut(&rest, ' ', &word);
        struct str have = *owners, one;
        bool known = word.len == 0;
        for (bool again = true; again && !known;) {
            again = str_cut(&have, ' ', &one);
            known = str_equal(one, word);
        }
        if (!known)
            *owners = arena_printf(arena, "%.*s%s%.*s", STR_ARG(*owners), owners->len ? " " : "",
                                   STR_ARG(word));
        if (!owners->ptr)
            return false;
    }
    return true;
}

static enum severity severity_without_rule(const struct rule_subject *s, enum decision decision)
{
    if (s->kind == SUBJECT_FINDING)
        return finding_class_severity(s->class_);
    return decision == DECISION_BLOCK    ? SEVERITY_HIGH
           : decision == DECISION_NOTIFY ? SEVERITY_LOW
           : decision == DECISION_IGNORE ? SEVERITY_INFO
                                         : SEVERITY_MEDIUM;
}

/* Verdicts that count: severity, deadline and owners of all of them. */
static bool sum_up(struct judging *j, struct judgement *ret)
{
    bool has_severity = false;
    ret->owner = STR("");
    for (size_t i = 0; i < ret->nverdicts; i++) {
        const struct verdict *v = &ret->verdict[i];
        if (v->waived_by.len)
            continue;
        if (v->has_severity && (!has_severity || v->severity > ret->severity))
            ret->severity = v->severity;
        has_severity |= v->has_severity;
        if (v->deadline_ms && (!ret->deadline_ms || v->deadline_ms < ret->deadline_ms)) {
            ret->deadline_ms = v->deadline_ms;
            ret->deadline = v->deadline;
        }
        if (v->owner.len && !add_owner(j->arena, &ret->owner, v->owner))
            return false;
    }
    if (!has_severity)
        ret->severity = severity_without_rule(j->subject, ret->decision);
    return true;
}

static bool list_verdicts(struct judging *j, struct judgement *ret)
{
    struct verdict *list = arena_new(j->arena, struct verdict, j->drafts.n);
    if (!list)
        return false;
    for (size_t i = 0; i < j->drafts.n; i++) {
        const struct policy_draft *draft = &j->drafts.item[i];
        struct verdict v = draft->verdict;
        struct str *path = arena_new(j->arena, struct str, j->n);
        if (!path)
            return false;
        for (size_t k = 0; draft->covers && k < j->n; k++)
            if (draft->covers[k])
                path[v.npaths++] = j->subject->change[k].path_text;
        v.path = path;
        if (j->waived[i] < j->counted[i]) /* not everywhere: it still counts */
            v.waived_by = STR("");
        list[i] = v;
    }
    if (j->drafts.n > 1)
        qsort(list, j->drafts.n, sizeof *list, by_strictness);
    ret->verdict = list;
    ret->nverdicts = j->drafts.n;
    return true;
}

static void name_decider(struct judgement *ret, const struct policy_draft *by, struct str waiver)
{
    if (by) {
        ret->message = by->verdict.message;
        ret->rule = by->verdict.rule;
        ret->at = by->verdict.at;
    } else if (waiver.len) {
        ret->message = waiver;
        ret->waived = true;
    } else {
        ret->message = STR("no rule is about it; this is the default");
    }
}

static bool decide(struct judging *j, struct judgement *ret)
{
    struct policy_draft *decider = NULL;
    struct str waiver = STR("");
    bool first = true;
    for (size_t i = 0; i < j->n; i++) {
        struct policy_draft *by;
        enum decision one = decide_change(j, i, &by, &waiver);
        if (first || decision_stricter(one, ret->decision) ||
            (one == ret->decision && by && !decider)) {
            ret->decision = one;
            decider = by;
        }
        first = false;
    }
    if (j->full)
        return false;
    name_decider(ret, decider, waiver);
    return list_verdicts(j, ret) && sum_up(j, ret);
}

static bool add_verdicts(struct judging *j, struct err *err)
{
    struct policy *policy = j->policy;
    struct rule_results results;
    if (!rules_judge(&policy->rules, j->arena, j->subject, &policy->counts, &results, err))
        return false;
    for (size_t i = 0; i < results.n; i++)
        if (!add_rule(&j->drafts, j->subject, &results.item[i]))
            return arena_full(j->arena, err);
    return policy_ask_entries(policy, &j->drafts, j->subject, err);
}

bool policy_digests(const struct policy *policy, struct arena *arena,
                    const struct rule_subject *subject, struct str *ret, struct err *err)
{
    struct str key = policy->options.waiver_key;
    if (subject->digest) {
        for (size_t i = 0; i < (subject->nchanges ? subject->nchanges : 1); i++)
            ret[i] = subject->digest[i];
        return true;
    }
    for (size_t i = 0; i < subject->nchanges; i++) {
        const struct rule_change *c = &subject->change[i];
        if (!waiver_digest(arena, key, c->path_text, c->after, c->sensitive, &ret[i], err))
            return false;
    }
    if (subject->nchanges)
        return true;
    return subject->kind == SUBJECT_FINDING
               ? waiver_digest_whole(arena, key, subject->class_, subject->address, subject->type,
                                     subject->live, ret, err)
               : waiver_digest(arena, key, subject->address, subject->values, false, ret, err);
}

bool policy_judge(struct policy *policy, struct arena *arena, const struct rule_subject *subject,
                  struct judgement *ret, struct err *err)
{
    struct judging j = {.policy = policy,
                        .arena = arena,
                        .subject = subject,
                        .drafts = {.arena = arena},
                        .n = subject->nchanges ? subject->nchanges : 1};
    struct judgement judgement = {0};
    if (!add_verdicts(&j, err))
        return false;
    j.counted = arena_new(arena, size_t, j.drafts.n);
    j.waived = arena_new(arena, size_t, j.drafts.n);
    if (!j.counted || !j.waived)
        return arena_full(arena, err);
    if (policy->waivers.n) {
        struct str *digest = arena_new(arena, struct str, j.n);
        if (!digest)
            return arena_full(arena, err);
        if (!policy_digests(policy, arena, subject, digest, err))
            return false;
        j.digest = digest;
    }
    if (!decide(&j, &judgement))
        return arena_full(arena, err);
    policy->judged++;
    policy->by_decision[judgement.decision]++;
    *ret = judgement;
    return true;
}

/* --- for reports --- */

static bool is_about(const struct verdict *v, struct str path)
{
    bool about = v->npaths == 0;
    for (size_t i = 0; i < v->npaths && !about; i++)
        about = str_equal(v->path[i], path);
    return about;
}

bool policy_verdict_digests(const struct policy *policy, struct arena *arena,
                            const struct rule_subject *subject, const struct verdict *verdict,
                            struct str **ret, size_t *ret_n, struct err *err)
{
    size_t n = subject->nchanges ? subject->nchanges : 1, kept = 0;
    struct str *digest = arena_new(arena, struct str, n);
    *ret = digest;
    *ret_n = 0;
    if (!digest)
        return arena_full(arena, err);
    if (!policy_digests(policy, arena, subject, digest, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!subject->nchanges || is_about(verdict, subject->change[i].path_text))
            digest[kept++] = digest[i];
    *ret_n = kept;
    return true;
}

bool policy_waives(struct policy *policy, struct arena *arena, const struct rule_subject *subject,
                   const struct rule_change *change, struct str rule, struct str *ret_digest,
                   struct str *ret_waiver, struct err *err)
{
    const struct policy_options *options = &policy->options;
    *ret_waiver = STR("");
    if (!waiver_digest(arena, options->waiver_key, change->path_text, change->after,
                       change->sensitive, ret_digest, err))
        return false;
    const struct waiver *waiver =
        waivers_find(&policy->waivers, subject, change, rule, *ret_digest, options->now_utc_ms);
    if (waiver)
        *ret_waiver = waiver_words(arena, waiver);
    return ret_waiver->ptr || arena_full(arena, err);
}
