/* gate.h - may this plan be applied? Facts in, a decision with its reasons out.
 *
 * Pure:    no I/O, no clock, no globals: same facts, same decision. gate_facts.h gathers them
 * Strict:  every objection whose level is block denies; a zeroed decision is a denial; what could
 *          not be found out is an objection of its own (GATE_CANNOT_TELL, exit code 1)
 * Owner:   everything in the decision lives in the arena or is a view into the facts
 * Secrets: changes come from findings, whose secrets were left behind (scan/tally.h); reports print
 *          them through report/parts.h
 * Source:  docs/gate.md
 */
#pragma once
#include "desired/plan_doc.h"
#include "model/config.h"
#include "model/finding.h"
#include "model/review.h"

struct arena;
struct err;

/* Whose level of `gate` in plumb.yaml counts. */
enum gate_level { GATE_BLOCK = 0, GATE_WARN, GATE_OFF };

/* Exit codes of plumb gate; the worst of all objections that block: 1, then 3, then 2. */
enum { GATE_EXIT_ALLOW = 0, GATE_EXIT_UNKNOWN = 1, GATE_EXIT_DRIFT = 2, GATE_EXIT_POLICY = 3 };

/* X(constant, name in reports, key of `gate` in plumb.yaml, exit code, what it tells the reader) */
#define GATE_KINDS(X) \
    X(GATE_CANNOT_TELL, "cannot-tell", NULL, GATE_EXIT_UNKNOWN, \
      "something could not be found out") \
    X(GATE_UNDO, "undo", "undo", GATE_EXIT_DRIFT, \
      "the plan would undo drift that nobody reviewed") \
    X(GATE_UNDECIDED, "undecided", "undecided", GATE_EXIT_DRIFT, \
      "the plan passes over drift that policy wants decided first") \
    X(GATE_POLICY, "policy", "policy", GATE_EXIT_POLICY, \
      "what the plan leaves behind violates policy") \
    X(GATE_STALE_STATE, "stale-state", "stale", GATE_EXIT_DRIFT, \
      "the plan was made from another state") \
    X(GATE_STALE_LIVE, "stale-live", "stale", GATE_EXIT_DRIFT, \
      "live changed after the plan was made") \
    X(GATE_STALE_CODE, "stale-code", "stale", GATE_EXIT_POLICY, \
      "the plan was made from other code than is checked out") \
    X(GATE_DIRTY, "dirty", "code", GATE_EXIT_POLICY, "the working tree has edits") \
    X(GATE_UNPUSHED, "unpushed", "code", GATE_EXIT_POLICY, "no remote has the commit") \
    X(GATE_UNSIGNED, "unsigned", "code", GATE_EXIT_POLICY, "the commit has no good signature") \
    X(GATE_UNMERGED, "unmerged", "code", GATE_EXIT_POLICY, "the commit is not part of the branch") \
    X(GATE_UNREAD, "unread", "coverage", GATE_EXIT_UNKNOWN, \
      "what the plan touches could not be read") \
    X(GATE_COVERAGE, "coverage", "coverage", GATE_EXIT_POLICY, \
      "too little of the stack could be compared") \
    X(GATE_FRESHNESS, "freshness", "coverage", GATE_EXIT_POLICY, \
      "no complete scan is fresh enough") \
    X(GATE_FREEZE, "freeze", "freeze", GATE_EXIT_POLICY, "a freeze is in effect")

#define X(constant, name, key, exit, meaning) constant,
enum gate_kind { GATE_KINDS(X) GATE_KIND_COUNT };
#undef X
const char *gate_kind_name(enum gate_kind kind);
const char *gate_kind_meaning(enum gate_kind kind);
const char *gate_kind_key(enum gate_kind kind); /* NULL: it cannot be configured */
int gate_kind_exit(enum gate_kind kind);

/* --- facts --- */

/* One resource that the plan touches, or that drifted before it was made. */
struct gate_touch {
    struct str address, type;
    struct str previous;     /* its address before a move, or empty: the state has it there */
    enum plan_action action; /* PLAN_NO_OP: the plan leaves it as it is */
    /* What is live now, what the plan takes for it and what it makes of it, of the attributes that
     * drifted. NULL: not known; live has those that are not as recorded */
    const struct value *live, *before, *after;
    const struct value *unknown; /* the plan's after_unknown; NULL: nothing is */
    bool answered;               /* a reader said what is there now */
    bool gone;                   /* ... namely nothing */
    struct str unread;           /* why it could not be read, or empty */
    /* What is live now but was not when the plan was made. */
    const struct change *since;
    size_t nsince;
    bool appeared, vanished; /* since the plan was made: all of it */
};

/* What is on record of a finding. */
struct gate_standing {
    struct str address, type, fingerprint;
    enum finding_class class_;
    enum severity severity;
    enum decision decision;
    bool has_decision;
    struct str actor; /* who changed it, as far as is known; or empty */
    struct str rule, owner;
    bool overdue;
    const struct review *review; /* in effect; NULL: none */
    /* As it was found, where somebody has to decide first; none of what reports do not show. */
    struct location at;
    const struct change *changes;
    size_t nchanges;
};

struct gate_violation {
    struct str address, path, rule, message, remedy, why;
    struct location at; /* in the code; file empty: not known */
    struct location rule_at;
    enum severity severity;
    bool warning; /* notify: told, stops nothing */
    bool error;   /* the rule failed: nothing can be told */
};

/* A freeze or a breakglass that is in effect for the stack. */
struct gate_cover {
    struct str id, reason, by; /* "F1", "B2" */
    struct str address;        /* glob; empty = all of the stack */
    int64_t until_utc_ms;      /* 0 = open end */
};

struct gate_code {
    bool known; /* git says; else `why` may say why not, empty: the code is in no repository */
    struct str why;
    struct revision revision;
    const struct str *untracked; /* files of code that git does not have; these are `dirty`, too */
    size_t nuntracked;
    bool asked_signature, good_signature;
    struct str signature; /* what the check said */
    bool asked_merged, merged, branch_exists;
    struct str plan_commit;      /* the commit the plan was made from, or empty */
    const struct str *different; /* files whose text is another in the saved plan */
    size_t ndifferent;
};

struct gate_state {
    bool known;
    struct str lineage;
    uint64_t serial;
};

struct gate_facts {
    struct str stack, environment;
    const struct gate_touch *touch; /* sorted by address */
    size_t ntouches;
    const struct finding *finding; /* of those addresses, read just now; sorted by address */
    size_t nfindings;
    const struct str *value;              /* finding_digest of each; NULL: there is no store */
    const struct gate_standing *standing; /* open findings of the stack, from the store */
    size_t nstanding;
    const struct gate_violation *violation;
    size_t nviolations;
    struct gate_state plan_state, state; /* which the plan was made from; which there is */
    struct gate_code code;
    bool plan_errored;
    bool has_store;
    int64_t scanned_utc_ms; /* of the last complete scan; 0 = none is on record */
    uint64_t scanned_resources, scanned_compared;
    const struct gate_cover *freeze, *breakglass;
    size_t nfreezes, nbreakglasses;
    const struct str *cannot_tell; /* what could not be found out, a sentence each */
    size_t ncannot_tell;
    int64_t now_utc_ms;
};

/* --- the decision --- */

struct gate_objection {
    enum gate_kind kind;
    enum gate_level level; /* GATE_BLOCK or GATE_WARN */
    enum severity severity;
    struct str address, type; /* or empty: of the stack as a whole */
    struct location rule_at;  /* where the rule is written; file empty: it is in no file */
    enum plan_action action;
    const struct change *changes; /* path by path; values are without secrets */
    size_t nchanges;
    const struct finding *finding; /* or NULL */
    struct str fingerprint, rule;
    struct str actor; /* who did it, as far as is known; or empty */
    struct str owner;
    struct location at;
    struct str message; /* one sentence */
    struct str todo;    /* what to do about it, one sentence */
};

enum gate_answer { GATE_NO_ANSWER = 0, GATE_DENY = 0x2b5a3c69, GATE_ALLOW = 0x54a5c396 };
static inline bool gate_allows(enum gate_answer answer)
{
    return answer == GATE_ALLOW;
}

struct gate_decision {
    enum gate_answer answer;
    int exit_code;
    const struct gate_objection *objection; /* those that block first, then by kind and address */
    size_t n;
    size_t nblocking;
    size_t undone; /* paths that the plan would set back without a review */
    size_t by_kind[GATE_KIND_COUNT];
    bool broken_glass; /* breakglass turned blocks into warnings */
};

/* Does policy want it decided first, and is it not among what was read just now? */
bool gate_is_undecided(const struct gate_facts *facts, const struct gate_standing *standing);

/* False only where the arena is full; the caller denies then. rules NULL: all of them block. */
bool gate_decide(struct arena *arena, const struct gate_facts *facts,
                 const struct config_gate *rules, struct gate_decision *ret, struct err *err);
/* For one address of a decision: the first objection that blocks it, or all of the stack; NULL:
 * nothing does. What a provider proxy asks. */
const struct gate_objection *gate_blocks_address(const struct gate_decision *decision,
                                                 struct str address);
