/* review.h - a person's recorded answer to a finding, and when it counts.
 *
 * Life:    requested -> in effect -> ended; or ended before it came into effect
 * Bound:   to the digest of what is live (finding_digest in record/findings.h): another value, and
 * it counts no more Zero:    REVIEW_REQUESTED, which counts for nothing No I/O:  record/reviews.h
 * keeps them, respond/workflow.h says who may do what to them
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/actor.h"
#include "model/finding.h"

struct arena;
struct err;

/* X(constant, name, what it tells the reader) */
#define REVIEW_ANSWERS(X) \
    X(ANSWER_REVERT, "revert", "live is put back to what the code says") \
    X(ANSWER_ADOPT, "adopt", "the code takes over what is live") \
    X(ANSWER_ACCEPT, "accept", "it stays as it is, for a time")

#define X(constant, name, meaning) constant,
enum review_answer { REVIEW_ANSWERS(X) ANSWER_COUNT };
#undef X

#define REVIEW_STATES(X) \
    X(REVIEW_REQUESTED, "requested", "waits for approvals") \
    X(REVIEW_EFFECT, "effect", "has its approvals and counts") \
    X(REVIEW_ENDED, "ended", "counts no more")

#define X(constant, name, meaning) constant,
enum review_state { REVIEW_STATES(X) REVIEW_STATE_COUNT };
#undef X

#define REVIEW_ENDS(X) \
    X(REVIEW_NOT_ENDED, "", "has not ended") \
    X(REVIEW_EXPIRED, "expired", "its time has passed") \
    X(REVIEW_VOIDED, "voided", "another value is live than the one it was about") \
    X(REVIEW_WITHDRAWN, "withdrawn", "a person took it back") \
    X(REVIEW_RESOLVED, "resolved", "a scan did not find it any more") \
    X(REVIEW_REPLACED, "replaced", "another review of the same finding came into effect")

#define X(constant, name, meaning) constant,
enum review_end { REVIEW_ENDS(X) REVIEW_END_COUNT };
#undef X

const char *review_answer_name(enum review_answer answer);
bool review_answer_from(struct str name, enum review_answer *ret);
const char *review_state_name(enum review_state state);
bool review_state_from(struct str name, enum review_state *ret);
const char *review_end_name(enum review_end end);
const char *review_end_meaning(enum review_end end);
bool review_end_from(struct str name, enum review_end *ret);

struct approval {
    struct actor by;
    int64_t at_utc_ms;
    struct str role; /* as whom: "security", "codeowners"; empty where anybody may */
};

/* Somebody else with a hand in what is reviewed: of an earlier event, of a breakglass. */
struct review_hand {
    struct actor by; /* via: his principal in full */
    int64_t glass;   /* the breakglass that it changed within; 0 = an event names him */
};

struct review {
    int64_t id; /* 1 and up, per store; people write R1 */
    /* of which finding: one of this class at this address */
    struct str stack, address;
    enum finding_class class_;
    struct str fingerprint; /* when it was requested */
    struct str value;       /* digest of what was live when it was requested */
    struct str environment, owners;
    enum severity severity;
    struct str decision; /* what policy said, or empty */
    struct actor author; /* of the change that is reviewed; name empty = not known; via: his
                            principal in full */
    const struct review_hand *hand; /* all of them, while it waits for approvals */
    size_t nhands;

    enum review_answer answer;
    struct str reason, ticket;
    struct actor by;
    int64_t requested_utc_ms, until_utc_ms;
    enum review_state state;
    int64_t needed;  /* approvals, by the rule of then */
    struct str rule; /* that rule, with its place: "plumb.yaml:12", "the default" */
    const struct approval *approval;
    size_t napprovals;
    int64_t effect_utc_ms, ended_utc_ms; /* 0 = not yet */
    enum review_end end;
    struct actor ended_by; /* name empty = time, or a scan */
    struct str ended_why;
};

/* Does it count for a finding with this value, now? */
bool review_counts(const struct review *review, struct str value, int64_t now_utc_ms);

/* What somebody who looks at the finding now sees. */
enum review_sight { SIGHT_NONE, SIGHT_FOUND, SIGHT_GONE }; /* nobody looked; value; resolved */
/* How time and what was seen end it; REVIEW_NOT_ENDED: not. An ended one stays as it ended. */
enum review_end review_look(const struct review *review, enum review_sight sight, struct str value,
                            int64_t now_utc_ms);

/* "review R3 (accept) by uid 1000 (alice) until 2026-12-31T00:00:00Z": how reports and lists name
 * one in effect. ptr NULL where the arena is full. */
struct str review_says(struct arena *arena, const struct review *review);
#define REVIEW_SAYS_PREFIX "review R"

/*
 * How long a finding may stay without an answer, in milliseconds from when it is seen: the earlier
 * one of its rule's deadline and that of plumb.yaml for its severity; 0 = for ever.
 * by_severity  SEVERITY_COUNT of them (config.review.deadline_ms), or NULL
 */
int64_t review_deadline(const int64_t *by_severity, enum severity severity, int64_t rule_ms);

/* "R12", "r12" and "12"; false on anything else. letter: 'R', 'B', 'F' */
bool review_id_from(struct str text, char letter, int64_t *ret);
