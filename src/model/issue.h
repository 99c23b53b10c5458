/* issue.h - what a check says before anything is applied: a fault of the code, or a rule that
 * objects, with its place and what to do about it.
 *
 * Errors are the code's own (it cannot be read, evaluated, or would be refused by the provider);
 * warnings are what works and should be otherwise; violations come from policy rules.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/finding.h"

struct arena;
struct err;
struct policy_report;

/* X(constant, name in reports, default severity) */
#define ISSUE_KINDS(X) \
    X(ISSUE_WARNING, "warning", SEVERITY_LOW) \
    X(ISSUE_VIOLATION, "violation", SEVERITY_MEDIUM) \
    X(ISSUE_ERROR, "error", SEVERITY_HIGH)

#define X(constant, name, severity) constant,
enum issue_kind { ISSUE_KINDS(X) ISSUE_KIND_COUNT };
#undef X

const char *issue_kind_name(enum issue_kind kind);
enum severity issue_kind_severity(enum issue_kind kind);

struct issue {
    char fingerprint[33]; /* of what it says and the text it points at: moves with its line */
    enum issue_kind kind;
    enum severity severity;
    struct str rule;    /* "unsupported-argument", "unused-variable", a policy rule's name */
    struct str summary; /* one line: the same for all of a rule's issues, or nearly so */
    struct str detail;  /* this one: sentences, lines; or empty */
    struct str remedy;  /* what to do, one sentence; or empty */
    struct str subject; /* what was checked: "infra/prod", "plan.json" */
    struct str address; /* of the resource, module or variable; or empty */
    struct location at; /* file empty: no place */
    struct str excerpt; /* the whole lines from at.line to at.end_line; empty: not to be shown */
    struct str link;    /* where the rule is explained; or empty */
    const struct change *changes; /* what differs: before is wanted, after is live; or none */
    size_t nchanges;
    struct location rule_at; /* where the policy has the rule; file empty: it is plumb's own */
    /* What a waiver of it is bound to, one for each change that the rule objects to; ptr NULL: a
     * secret, and there is no key. None: nothing can be waived. */
    const struct str *digest;
    size_t ndigests;
};

/* One thing that was checked. */
struct check_subject {
    struct str name;   /* as reports name it */
    struct str kind;   /* "module", "plan", "state", "manifest" ... */
    struct str failed; /* why it could not be checked at all, or empty */
    uint64_t files, modules, resources, documents;
    const struct issue *issues; /* sorted by file, line, column, rule */
    size_t nissues;
    const struct str *notes; /* what could not be looked at, and why */
    size_t nnotes;
};
struct check_result {
    const struct check_subject *subject;
    size_t n;
    struct str category; /* reports of one commit with another one stand beside; empty: a check */
    const struct policy_report *policy; /* NULL: no policy was asked */
};

/* Sort by place, drop what is said twice of one place, fill the fingerprints (equal ones are
 * numbered in the order of their places). */
bool issues_settle(struct arena *arena, struct issue *issues, size_t *n, struct err *err);
/*
 * EXIT_ERROR where something could not be checked or has errors, else EXIT_VIOLATION, else 0;
 * strict: warnings count as errors.
 */
int check_exit_code(const struct check_result *result, bool strict);
/* "unsupported-argument" of "Unsupported argument": lower case, what is quoted left out. */
struct str issue_rule_of(struct arena *arena, struct str summary);
