/* finding.h - what a scan says: observations counted, findings listed, per stack.
 *
 * In every report the words are these (design.md section 1).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "value/value.h"

/* X(constant, name in reports, counts as, what it tells the reader, default severity) */
#define FINDING_CLASSES(X) \
    X(CLASS_CONTRADICTS_CODE, "contradicts-code", DRIFT, \
      "live differs in an attribute that the code can set", SEVERITY_MEDIUM) \
    X(CLASS_MISSING, "missing", DRIFT, "the code's resource does not exist any more", \
      SEVERITY_HIGH) \
    X(CLASS_UNMANAGED, "unmanaged", DRIFT, "a live resource that no code asks for", \
      SEVERITY_MEDIUM) \
    X(CLASS_UNAPPLIED, "unapplied", DRIFT, "the code is ahead of what was applied", SEVERITY_LOW) \
    X(CLASS_STATE_ONLY, "state-only", QUIET, \
      "differs from the last state only where code has no say", SEVERITY_INFO) \
    X(CLASS_UNCHECKED, "unchecked", INCOMPLETE, "could not be compared; never called in sync", \
      SEVERITY_LOW)

#define X(constant, name, counts, meaning, severity) constant,
enum finding_class { FINDING_CLASSES(X) CLASS_COUNT };
#undef X

/* X(constant, name in reports), mildest first */
#define SEVERITIES(X) \
    X(SEVERITY_INFO, "info") \
    X(SEVERITY_LOW, "low") \
    X(SEVERITY_MEDIUM, "medium") \
    X(SEVERITY_HIGH, "high") \
    X(SEVERITY_CRITICAL, "critical")

#define X(constant, name) constant,
enum severity { SEVERITIES(X) SEVERITY_COUNT };
#undef X

const char *finding_class_name(enum finding_class class_);
bool finding_class_from(struct str name, enum finding_class *ret);
const char *finding_class_meaning(enum finding_class class_);
/* What a finding of the class is until a rule says otherwise. */
enum severity finding_class_severity(enum finding_class class_);
const char *severity_name(enum severity severity);
bool severity_from(struct str name, enum severity *ret);

/* A stretch of a file: 1-based lines and columns (characters), 0 = not known. */
struct location {
    struct str file; /* relative to the repository or the working directory; empty = not known */
    uint32_t line, column;
    uint32_t end_line, end_column; /* behind its last character; 0 = not known */
};

/* --- where the code's value comes from --- */

/* A step of the way from the attribute to what decides its value. */
struct origin_step {
    struct str what;    /* "attribute", "local", "variable", "tfvars", "default" ... */
    struct str name;    /* size, var.size, local.sizes["a"]; or empty */
    struct location at; /* file empty: there is none (environment, command line) */
};

struct commit {
    struct str hash; /* all of its hex digits; empty: the line is not committed yet */
    struct str author, mail, summary;
    int64_t time_utc_ms; /* of the author; 0 with an empty hash */
    bool boundary;       /* the history ends here (a shallow clone): the line is as old, or older */
};

/* X(constant, name in reports, what it tells the reader) */
#define EXPLANATION_KINDS(X) \
    X(EXPLAINED_BY_BRANCH, "branch", "a branch that is not merged has the live value") \
    X(EXPLAINED_BY_EARLIER, "earlier", "the code had the live value before this commit") \
    X(EXPLAINED_BY_COMMITTED, "committed", \
      "the last commit has the live value; the files that were scanned have been edited since")

#define X(constant, name, meaning) constant,
enum explanation_kind { EXPLANATION_KINDS(X) EXPLANATION_KIND_COUNT };
#undef X

const char *explanation_kind_name(enum explanation_kind kind);
const char *explanation_kind_meaning(enum explanation_kind kind);

/* Who knows of a difference: where git has the code with live's value. */
struct explanation {
    enum explanation_kind kind;
    struct str branch;    /* of EXPLAINED_BY_BRANCH: "resize", "origin/resize" */
    struct commit commit; /* that branch's last one for the file; the one that took the value away;
                             HEAD */
};

/* All of one value's (or of a whole resource's) history in the code. Lives as long as the result.
 */
struct origin {
    struct location at; /* of the deciding expression: the last place of the chain with a file */
    struct str excerpt; /* its source, a view of few lines; "(sensitive)" stands for a secret */
    const struct origin_step *chain; /* from the attribute (first) to what decides (last) */
    size_t nchain;
    struct str unknown_because;          /* why the code's value cannot be known, or empty */
    const struct commit *commit;         /* the last one of the line; NULL = not known */
    struct str owner;                    /* of the file, by CODEOWNERS: "@a @b"; or empty */
    const struct explanation *explained; /* branches, then commits; newest first */
    size_t nexplained;
};

struct change {
    struct str path; /* value/path.h text */
    const struct value *before,
        *after; /* NULL on the side that lacks it; sensitive: do not print. A secret deeper inside
                   (a password within a block that appeared) is marked VALUE_SENSITIVE there */
    bool sensitive;
    bool configurable;           /* the code can set it */
    bool requires_replace;       /* to put it back, the resource would be made anew */
    struct str ignored_by;       /* the reason of the ignore rule that covers it, or empty */
    const struct origin *origin; /* of the code's value; NULL = not known */
    struct str digest; /* what a waiver of it is bound to; empty: no policy was asked, or a secret
                          without a key */
    struct str kept_digest; /* what the store knows the live value by, keyed where it is secret;
                               empty: the result goes to no store */
};

/* Who made a difference: the last one who changed the resource since it was in sync. */
struct attribution {
    struct str actor; /* empty: not known, then unknown_because says why */
    struct str how;   /* how we know: "cloudtrail", "gcp-audit", "azure-activity", "event" */
    struct str principal, session, client, source_ip; /* or empty */
    struct str action;                                /* "s3 PutBucketPolicy" */
    struct str way, kind; /* "console"; "human", "ci", "cloud", as policy knows them */
    struct str event_id;
    int64_t time_utc_ms;
    bool expected;   /* by a pipeline, within a run of its own */
    bool surely;     /* false: the event names something that it is a part of */
    uint64_t others; /* further actors since then */
    struct str unknown_because;
    bool no_source; /* nobody tells of anything: there is nothing to say about it */
};

struct judgement;
struct policy_report;

struct finding {
    char fingerprint[33]; /* 32 hex digits and a NUL: stable across runs, machines, list orders */
    enum finding_class class_;
    enum severity severity;
    struct str stack; /* name */
    struct str address, type, provider;
    const struct change *changes;
    size_t nchanges;
    struct str reason;           /* why unchecked, or one sentence of what is wrong */
    const struct origin *origin; /* of the first change that has one, else of the resource's block;
                                    NULL = not known */
    struct str remedy;     /* what to do about it, one sentence; empty = what its class says */
    bool requires_replace; /* applying the code again would make the resource anew */
    bool ignored; /* every change is covered by an ignore rule (shown with --show-ignored) */
    struct str ignored_by, ignored_owner, ignored_expires;
    struct str reviewed; /* the review that counts for it, in words; or empty. An accepted one is
                            `ignored`, too */
    bool tainted, deposed;
    const struct attribution *by; /* NULL: nobody was asked */
    const struct value *tags;     /* of the resource, texts without secrets; NULL: nobody asked */
    const struct judgement *judgement; /* model/decision.h; NULL: no policy was asked */
    struct str digest, kept_digest;    /* as those of changes, where there are none */
    struct str asked; /* what policy was asked, for the store (policy/asked.h); or empty */
};

/* A difference that was considered equal, and why (--explain). */
struct considered_equal {
    struct str address, path, rule, why;
};

struct unchecked_reason {
    struct str reason;
    uint64_t resources;
};

struct coverage {
    uint64_t resources; /* managed instances the stack has */
    uint64_t compared;  /* same + different + missing */
    uint64_t same, different, missing, unmanaged, unchecked;
    uint64_t ignored;                       /* findings covered by ignore rules */
    uint64_t attributes_compared;           /* leaves compared */
    uint64_t attributes_not_observed;       /* leaves the provider only echoes (echo probe) */
    const struct unchecked_reason *reasons; /* sorted by count descending, then text */
    size_t nreasons;
};

/* Which version of the code was scanned. */
struct revision {
    struct str repository; /* URI of where it is pushed to, without credentials; or empty */
    bool has_remote;       /* also one whose address is not to be shown, or is none that is known */
    struct str commit;     /* HEAD; empty before the first commit */
    struct str branch;     /* checked out; empty = detached */
    bool dirty;            /* tracked files were edited since, in the scanned directory */
    bool pushed;           /* a remote-tracking branch has this commit */
    bool shallow;          /* the history was cut when it was fetched */
};

struct stack_result {
    struct str name, path, environment, owner, workspace;
    struct str source;  /* what desired was taken from: "state terraform.tfstate serial 3" */
    struct str desired; /* "state", "plan" or "code": which desired this is */
    struct str live;    /* which reader: "providers", "snapshot live.json", "plan" */
    const struct finding *findings; /* sorted by address, class, path */
    size_t nfindings;
    const struct considered_equal *equal; /* filled only with --explain */
    size_t nequal;
    const struct str *notes; /* expired ignore rules, warnings of providers, drift probes */
    size_t nnotes;
    struct str note;     /* one of them that stays with the run in the store, or empty */
    uint64_t state_hash; /* of the text of the state that was compared; 0 = of none */
    struct coverage coverage;
    struct str failed;               /* why the stack could not be scanned at all, or empty */
    const struct revision *revision; /* NULL: the code is in no git repository */
};

struct scan_result {
    const struct stack_result *stacks; /* sorted by name */
    size_t nstacks;
    const struct policy_report *policy; /* NULL: no policy was asked */
};

/* Exit codes, documented in docs/exit-codes.md. */
enum { EXIT_IN_SYNC = 0, EXIT_ERROR = 1, EXIT_DRIFT = 2, EXIT_VIOLATION = 3, EXIT_INCOMPLETE = 4 };

/* Where a finding points to in the code; file empty = not known. */
struct location finding_location(const struct finding *finding);

/* Which classes make the exit code (--fail-on); bit 1 << class. */
enum {
    FAIL_ON_DEFAULT = 1u << CLASS_CONTRADICTS_CODE | 1u << CLASS_MISSING | 1u << CLASS_UNMANAGED |
                      1u << CLASS_UNCHECKED
};
/* What is true of anything that was looked at; the worst of it is the exit code, in this order. */
struct exit_facts {
    bool failed;     /* EXIT_ERROR */
    bool violation;  /* policy wants one reviewed, reverted or blocked, and no review answers it */
    bool drift;      /* one that is not ignored, whose class is in fail_on */
    bool incomplete; /* something was not checked, or is known too late */
};
/* A finding of that class which is not ignored. */
void exit_facts_add(struct exit_facts *facts, enum finding_class class_, unsigned fail_on);
int exit_facts_worst(const struct exit_facts *facts);
/*
 * The worst over all stacks, as exit_facts has it; a violation counts whatever fail_on says. A scan
 * with both drift and unchecked resources gives EXIT_DRIFT (the report still says what was not
 * checked).
 */
int scan_exit_code(const struct scan_result *result, unsigned fail_on);

/*
 * Fill finding->fingerprint from its stack, address, class and what differs.
 * roots  what differs, by the path up to the first list or set: {"ingress", all of it before, all
 *        of it after}; so that neither the order of a list nor which index moved matters. Values
 *        with `sensitive` or VALUE_SENSITIVE count only as "a secret differs here": nothing of a
 *        secret can be recovered from a fingerprint
 * The same on every machine and in every version of plumb with FINGERPRINT_VERSION.
 */
enum { FINGERPRINT_VERSION = 1 };
bool finding_fingerprint(struct finding *finding, const struct change *roots, size_t nroots,
                         struct err *err);
