/* event.h - one line of the audit log: what happened, to what, by whom, decided by what.
 *
 * Shape:   canonical JSON (RFC 8785) of exactly the members below; numbers are integers below 2^53.
 *          The log adds `seq`, `prev` (digest of the line before) and `time` where it is 0
 * Secrets: nobody puts a value of a resource in an event: digests and counts only (docs/audit.md)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "value/value.h"

/* X(constant, "type" in the log, what it tells the reader) */
#define EVENT_TYPES(X) \
    X(EVENT_LOG_START, "log.start", "the log begins; its first key") \
    X(EVENT_LOG_KEY, "log.key", "another key signs checkpoints from here on") \
    X(EVENT_LOG_RETENTION, "log.retention", \
      "what was older than the retention was taken out of the store") \
    X(EVENT_SCAN_START, "scan.start", "a scan of a stack began") \
    X(EVENT_SCAN_END, "scan.end", "it ended: coverage, result, or why it failed") \
    X(EVENT_SCAN_OVERDUE, "scan.overdue", "no complete scan of a stack came in its time") \
    X(EVENT_STACK_RETIRED, "stack.retired", \
      "no plumb.yaml has a stack any more: it is not watched, its findings are closed") \
    X(EVENT_STACK_RETURNED, "stack.returned", "a plumb.yaml has it again") \
    X(EVENT_FINDING_NEW, "finding.new", \
      "a finding was seen for the first time, or again after it was resolved") \
    X(EVENT_FINDING_CHANGED, "finding.changed", "an open finding has other values than before") \
    X(EVENT_FINDING_RESOLVED, "finding.resolved", "a complete scan did not find it any more") \
    X(EVENT_FINDING_OVERDUE, "finding.overdue", "its deadline passed without a review") \
    X(EVENT_FINDING_ACTOR, "finding.actor", "who made an open finding's change became known") \
    X(EVENT_POLICY_DECISION, "policy.decision", "what policy says of a finding") \
    X(EVENT_REVIEW_REQUEST, "review.request", "a person proposed an answer to a finding") \
    X(EVENT_REVIEW_APPROVE, "review.approve", "a person approved it") \
    X(EVENT_REVIEW_REFUSED, "review.refused", "an approval that the rules do not allow") \
    X(EVENT_REVIEW_EFFECT, "review.effect", "it has all its approvals and counts from here on") \
    X(EVENT_REVIEW_WITHDRAW, "review.withdraw", "it was taken back") \
    X(EVENT_REVIEW_END, "review.end", "it ended: expired, voided by another value, resolved") \
    X(EVENT_BASELINE, "baseline", "everything found by a scan was accepted by address and value") \
    X(EVENT_BREAKGLASS_START, "breakglass.start", \
      "gates warn instead of block, within a scope and a time") \
    X(EVENT_BREAKGLASS_END, "breakglass.end", \
      "it ended; what changed meanwhile is to be reviewed") \
    X(EVENT_FREEZE_START, "freeze.start", "applies within a scope are refused") \
    X(EVENT_FREEZE_END, "freeze.end", "the freeze ended") \
    X(EVENT_GATE_DECISION, "gate.decision", "a change was allowed or denied before it happened") \
    X(EVENT_APPROVAL_ISSUED, "approval.issued", "a one-time token for an apply") \
    X(EVENT_APPROVAL_USED, "approval.used", "it was used up") \
    X(EVENT_LOCK, "lock", "a state lock was given or refused") \
    X(EVENT_UNLOCK, "unlock", "a state lock was given back") \
    X(EVENT_STATE_WRITE, "state.write", "a state was written or refused") \
    X(EVENT_CONFIG, "config", "configuration or policy is another than before") \
    X(EVENT_PROVIDER_CONFIG, "provider.config", \
      "what a run configured a provider with was kept, secrets as digests") \
    X(EVENT_ADOPT, "adopt", "drift was written into the code") \
    X(EVENT_ACTIVITY_ALARM, "activity.alarm", "somebody ended or changed an audit source") \
    X(EVENT_ALERT_DROP, "alert.drop", "somebody took out messages that receivers had not taken") \
    X(EVENT_STORE, "store", "the store was migrated, or what was old taken out of it")

#define X(constant, name, meaning) constant,
enum event_type { EVENT_TYPES(X) EVENT_TYPE_COUNT };
#undef X

const char *event_type_name(enum event_type type);
const char *event_type_meaning(enum event_type type);
bool event_type_from(struct str name, enum event_type *ret);

/* Who did it, and how we know. */
struct event_actor {
    struct str name; /* "alice@example.org", "uid 1000 (alice)", "plumb" */
    struct str how;  /* "os-user", "token", "oidc", "ci:github", "cloudtrail"; "none" = said only */
};

struct event_input {
    struct str name;   /* "state", "plan", "code", "policy", "config" */
    struct str digest; /* "sha256:..." */
};

struct event {
    enum event_type type;
    int64_t time_utc_ms; /* 0 = now, by the clock of the log */
    struct event_actor actor;
    struct str stack; /* name; or empty */
    struct str
        subject; /* what it is about: an address, a fingerprint, a review's id ...; or empty */
    struct str outcome; /* "allow", "deny", "complete", "failed" ...; or empty */
    struct str reason;  /* one sentence; or empty */
    struct str policy;  /* digest of the policy that decided; or empty */
    const struct event_input *input;
    size_t ninputs;
    struct value detail; /* an object of strings, booleans, integers and lists of them; or null */
};
