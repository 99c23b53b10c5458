/* places.h - from findings to the code: where a value is decided, who wrote it, who explains it.
 *
 * In:      findings of one stack; its evaluated code (desired/code.h); git, where there is a
 *          repository
 * Out:     finding.origin, change.origin, finding.remedy (model/finding.h), all in the arena of
 *          places_open: neither `code` nor this is needed by the result afterwards
 * Order:   places_fill for all findings (or for each as it comes), then places_explain once
 * Bounds:  commands and evaluations of other versions have a time; what is left out is told by
 *          places_note
 * Errors:  only cancelling and a full arena; what git or the code cannot tell stays empty
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/finding.h"

struct arena;
struct err;
struct code;
struct code_options;
struct stack;
struct places;
struct place_repo;

/* The repositories that were opened: many stacks of one repository open it once. Zeroed = none. */
struct places_repos {
    struct place_repo *first;
};

struct places_options {
    const struct stack *stack;
    struct code *code;                       /* evaluated; may be NULL: then only the revision */
    const struct code_options *code_options; /* as it was opened; other versions are opened alike */
    int64_t now_utc_ms; /* ages of branches and commits are counted from here */
    const volatile int *cancel;
    bool no_git;
    struct places_repos *repos; /* of the arena's lifetime; NULL: each stack opens its own */
    int explain_ms;             /* of places_explain; 0 = 10 s */
    unsigned most_branches, most_commits; /* 0 = 30 and 20 */
    unsigned most_days;                   /* older ones explain nothing; 0 = 180 */
};

bool places_open(struct arena *arena, const struct places_options *options, struct places **ret,
                 struct err *err);
/* Of the stack's folder; NULL: it is in no repository that git reads. */
const struct revision *places_revision(const struct places *places);
/* What git could not tell, or what there was no time for; empty = nothing. */
struct str places_note(const struct places *places);

/* Origins and remedies of n findings: place, excerpt, chain, commit, owner. */
bool places_fill(struct places *places, struct finding *findings, size_t n, struct err *err);
/*
 * Which branches and commits have the live value: for the findings that places_fill has seen. A
 * secret is never compared with anything. Findings of different classes are asked differently:
 * of a whole resource, whether the other version has it.
 */
bool places_explain(struct places *places, struct finding *findings, size_t n, struct err *err);
