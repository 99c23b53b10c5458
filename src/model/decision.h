/* decision.h - what a policy says of one finding, planned change or resource, and who says so.
 *
 * Shape:   a judgement is all results together: the strictest decision, the highest severity, all
 *          owners, the earliest deadline
 * Owner:   views into the arena it was made in
 * Zero:    DECISION_BLOCK, the strictest; "no policy was asked" is a NULL judgement, never a zero
 *          one
 */
#pragma once
#include "model/finding.h"
#include "value/path.h"

struct arena;
struct err;

/* X(constant, name in rules and reports, what it means) strictest first */
#define DECISIONS(X) \
    X(DECISION_BLOCK, "block", "never acceptable; only a changed policy or a waiver lifts it") \
    X(DECISION_REVERT, "revert", "to be put back to what the code says") \
    X(DECISION_REVIEW, "review", "a person must accept it or put it back") \
    X(DECISION_NOTIFY, "notify", "somebody is told; nothing is stopped") \
    X(DECISION_IGNORE, "ignore", "known and harmless; does not count")

#define X(constant, name, meaning) constant,
enum decision { DECISIONS(X) DECISION_COUNT };
#undef X

const char *decision_name(enum decision decision);
const char *decision_meaning(enum decision decision);
bool decision_from(struct str name, enum decision *ret);
/* Is a stricter than b? */
static inline bool decision_stricter(enum decision a, enum decision b)
{
    return a < b;
}
/* Does it make the exit code EXIT_VIOLATION? */
static inline bool decision_is_violation(enum decision decision)
{
    return decision <= DECISION_REVIEW;
}

/* What one rule said. */
struct verdict {
    struct str rule; /* pack/id, or data.package.rule of Rego */
    struct location at;
    enum decision decision;
    enum severity severity;
    bool has_severity;
    struct str message;     /* one sentence */
    struct str why;         /* the conditions that held, with the values; or empty */
    struct str remedy;      /* or empty */
    struct str owner;       /* or empty */
    struct str deadline;    /* "3d", as the rule has it; or empty */
    int64_t deadline_ms;    /* from when the finding is seen; 0 = none */
    const struct str *path; /* the changes it is about; none = all of them */
    size_t npaths;
    const struct str *csf, *sp800_53, *cis, *links; /* references */
    size_t ncsf, nsp800_53, ncis, nlinks;
    struct path where;    /* to the first value that the rule's conditions named; or empty */
    bool unknown;         /* could not be told: a value is known only after apply */
    bool error;           /* the rule failed: decides block, message says how */
    struct str waived_by; /* the waiver that takes it out of the decision, or empty */
};

/* All of them together. */
struct judgement {
    enum decision decision;
    enum severity severity;
    struct str message; /* of the verdict that decides */
    struct str rule;    /* of the verdict that decides; empty = the environment's default */
    struct location at;
    struct str owner;              /* "@a @b" */
    struct str deadline;           /* the earliest, "3d"; or empty */
    int64_t deadline_ms;           /* 0 = none */
    const struct verdict *verdict; /* strictest first */
    size_t nverdicts;
    bool waived; /* a waiver decides: message says which */
};

/* All of it in `arena`, without what it was made of. False where that is full. */
bool judgement_copy(struct arena *arena, const struct judgement *from, struct judgement *ret);

/* What a rule did in a run. */
struct policy_row {
    struct str rule;
    struct location at;
    uint64_t asked, applicable, matched, unknown, errors;
    const struct str *never_had; /* paths it looked for, which nothing it was asked about had */
    size_t nnever_had;
};
struct policy_report {
    const struct policy_row *row; /* in the order of the files */
    size_t n;
    const struct str *note; /* waivers that expired, are void or not needed; what nobody asks */
    size_t nnotes;
    uint64_t judged, by_decision[DECISION_COUNT];
    bool of_check; /* no findings were judged: these two say nothing */
};
