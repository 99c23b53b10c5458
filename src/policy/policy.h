/* policy.h - everything that judges, opened once: YAML rules, Rego packages, waivers, defaults.
 *
 *   struct policy *policy;
 *   struct policy_problems problems = {.rules = {.arena = &arena}, .rego = {.arena = &arena}};
 *   if (policy_open(&arena, &options, &problems, &policy, err)) {
 *       struct judgement judgement;
 *       policy_judge(policy, &arena, &subject, &judgement, err);
 *       ...
 *   }
 *   policy_close(policy);
 *
 * Rego:    a package's `decision contains {...}` (decision, severity, reason, owner, paths,
 *          deadline), or conftest's names: deny, violation = block, warn = notify; input is the
 *          document of input.h
 * Decides: for each changed path the strictest of the verdicts that are about it, the
 *          environment's default where there is none (and the path does not only follow from
 *          another); the finding takes the strictest of its paths. Severity is the highest, the
 *          deadline the earliest, owners are all of them
 * Fails:   closed. A rule that errors decides block, with the error
 * Threads: one at a time (it counts what its rules do)
 */
#pragma once
#include "lang/rego/rego.h"
#include "policy/rule.h"
#include "policy/waiver.h"

struct policy_source {
    struct str path; /* a file or a folder: rules, Rego, data; tests are passed over */
    struct str pack; /* stands before the ids of its YAML rules; empty = none */
};
struct policy_default {
    struct str env; /* glob; empty = any */
    enum decision decision;
};
struct policy_options {
    const struct policy_source *source;
    size_t nsources;
    const struct str *waivers; /* files */
    size_t nwaivers;
    const struct policy_default *defaults; /* the first that fits; none: notify */
    size_t ndefaults;
    struct str waiver_key; /* for digests of secrets; empty = none */
    int64_t now_utc_ms;
    bool rego_v0;
    bool partial;        /* not all is looked at: which waivers are not needed cannot be told */
    bool decisions_only; /* of Rego only `decision` is asked: conftest's names are elsewhere */
    int64_t timeout_ms;  /* of one Rego rule over one subject; 0 = 5 s */
    struct rego_capabilities capabilities;
    const volatile int *cancel;
};
struct policy_problems {
    struct rule_problems rules; /* of rule and waiver files */
    struct rego_diags rego;
};
struct policy;

/* False: problems has what is wrong (err sums it up), or err alone. *ret is then NULL. */
bool policy_open(struct arena *arena, const struct policy_options *options,
                 struct policy_problems *problems, struct policy **ret, struct err *err);
void policy_close(struct policy *policy);

/*
 * What all of it says of one subject. A finding that no rule is about gets its environment's
 * default; a resource or a change gets `ignore`, without a verdict.
 * ret  lives in `arena` and in the subject
 */
bool policy_judge(struct policy *policy, struct arena *arena, const struct rule_subject *subject,
                  struct judgement *ret, struct err *err);
/* What each rule did since the policy was opened, and what is to be said of it. */
bool policy_report(struct policy *policy, struct arena *arena, struct policy_report *ret,
                   struct err *err);
/* Of those changes that a verdict of policy_judge is about; *ret_n of them. */
bool policy_verdict_digests(const struct policy *policy, struct arena *arena,
                            const struct rule_subject *subject, const struct verdict *verdict,
                            struct str **ret, size_t *ret_n, struct err *err);
/*
 * For who judges otherwise: is what `rule` says of one change (of the subject's address) waived?
 * ret_digest  what a waiver is bound to, as policy_digests
 * ret_waiver  which one it is, in words; empty: none
 */
bool policy_waives(struct policy *policy, struct arena *arena, const struct rule_subject *subject,
                   const struct rule_change *change, struct str rule, struct str *ret_digest,
                   struct str *ret_waiver, struct err *err);
/* What a waiver is bound to: ret[i] of change i, of a subject without changes one of all of it.
 * ptr NULL: a secret, and there is no key. */
bool policy_digests(const struct policy *policy, struct arena *arena,
                    const struct rule_subject *subject, struct str *ret, struct err *err);
