/* rule.h - rules written in YAML: read once, judge many resources, plans' changes and findings.
 *
 *   struct rules rules = {0};
 *   struct rule_problems problems = {.arena = &arena};
 *   if (rules_read_file(&rules, &arena, STR("net.yaml"), STR("net"), &problems, err)) {
 *       struct rule_subject subject = {.kind = SUBJECT_RESOURCE, .type = STR("aws_s3_bucket"),
 *                                      .values = &values};
 *       struct rule_results results;
 *       rules_judge(&rules, &arena, &subject, NULL, &results, err);
 *       ...
 *   }
 *   rules_close(&rules);
 *
 * Outcome: match, no match, or unknown: a value that is known only after apply makes a condition
 *          unknown, and what hangs on it; never silently false
 * Owner:   the arena of reading holds the rules, that of judging the results; rules_close gives
 *          back the regular expressions. Read-only once made: many threads may judge
 * Source:  docs/rules.md
 */
#pragma once
#include "base/arena.h"
#include "model/decision.h"
#include "value/path.h"
#include "value/value.h"
#include "wire/yaml.h"

struct regex;

enum {
    RULE_FILE_MAX = 16 << 20,
    RULES_MAX = 100000,
    RULE_PROBLEMS_MAX = 100,
    RULE_PATHS_MAX = 1000,         /* in the conditions of one rule */
    CONDITION_DEPTH_MAX = 32,      /* nested conditions */
    CONDITION_STEPS_MAX = 100,     /* of one path */
    CONDITION_NODES_MAX = 1000000, /* values that one rule looks at in one subject */
    RULE_WHY_MAX = 8               /* conditions named in a result */
};

struct rule_strs {
    const struct str *item;
    size_t n; /* 0 = not given */
};

/* --- conditions --- */

/* X(constant, key, what it wants) */
#define CONDITION_OPERATORS(X) \
    X(OPERATOR_EQUALS, "equals", "any value") \
    X(OPERATOR_NOT_EQUALS, "not_equals", "any value") \
    X(OPERATOR_IN, "in", "a list of values") \
    X(OPERATOR_NOT_IN, "not_in", "a list of values") \
    X(OPERATOR_MATCHES, "matches", "a regular expression") \
    X(OPERATOR_NOT_MATCHES, "not_matches", "a regular expression") \
    X(OPERATOR_CONTAINS, "contains", "a value: an element, a key or a part of a text") \
    X(OPERATOR_NOT_CONTAINS, "not_contains", "a value: an element, a key or a part of a text") \
    X(OPERATOR_EXISTS, "exists", "true or false") \
    X(OPERATOR_EMPTY, "empty", "true or false") \
    X(OPERATOR_AT_MOST, "at_most", "a number") \
    X(OPERATOR_AT_LEAST, "at_least", "a number") \
    X(OPERATOR_LESS, "less", "a number") \
    X(OPERATOR_MORE, "more", "a number") \
    X(OPERATOR_SPANS, "spans", "a number: of a range in a text (20-30, 22, *)") \
    X(OPERATOR_WITHIN, "within", "a network such as 10.0.0.0/8, or a list of them") \
    X(OPERATOR_OVERLAPS, "overlaps", "a network such as 10.0.0.0/8, or a list of them")

#define X(constant, key, want) constant,
enum condition_operator { CONDITION_OPERATORS(X) OPERATOR_COUNT };
#undef X

enum condition_kind {
    CONDITION_ALL,
    CONDITION_ANY,
    CONDITION_NONE,
    CONDITION_EVERY, /* all elements of what is at the path meet all of `part` */
    CONDITION_JSON,  /* the text at the path, decoded, meets all of `part` */
    CONDITION_TEST
};
struct condition {
    enum condition_kind kind;
    enum condition_operator op; /* CONDITION_TEST */
    bool has_path;              /* without one: of the value itself */
    struct path path;           /* relative to what the condition above it looks at */
    struct str path_text;
    size_t id; /* counts the conditions with a path of the rule; index into rule_count.path */
    struct value operand;      /* CONDITION_TEST */
    const struct regex *regex; /* OPERATOR_MATCHES, OPERATOR_NOT_MATCHES */
    const struct condition *part;
    size_t nparts;
    struct location at;
};

/* --- rules --- */

enum rule_source { RULE_SOURCE_TERRAFORM = 1, RULE_SOURCE_KUBERNETES = 2, RULE_SOURCE_FILE = 4 };

struct rule_tag {
    struct str key;
    struct rule_strs value; /* globs */
    bool absent;            /* null is among them: the tag may be absent */
};
struct rule_match {
    struct rule_strs type, address, env, stack; /* globs */
    unsigned classes;                           /* 1 << enum finding_class; 0 = not given */
    struct rule_strs path_text;
    const struct path *path; /* as many as path_text */
    const struct rule_tag *tag;
    size_t ntags;
    unsigned sources;                             /* of enum rule_source; 0 = not given */
    struct rule_strs actor_kind, actor_principal; /* globs */
    struct rule_strs action;
};
struct rule {
    struct str pack, id, name; /* name: "pack/id", or id alone */
    struct str title, why, fix;
    struct location at;
    struct rule_match match;
    const struct condition *when; /* NULL = always */
    size_t npaths;                /* conditions with a path */
    enum decision decision;
    enum severity severity;
    bool has_severity;
    struct str owner, deadline;
    int64_t deadline_ms;
    struct rule_strs csf, sp800_53, cis, links;
};
struct rules {
    struct rule *rule;
    size_t n, room;
    struct regex **regex;
    size_t nregexes, regex_room;
};

const char *rule_source_name(enum rule_source source); /* "terraform" */
bool rule_source_from(struct str name, enum rule_source *ret);

/* What is wrong with rule files: all of it, in the order of files and places. */
struct rule_problem {
    struct location at;
    struct str text;
};
struct rule_problems {
    struct arena *arena;
    struct rule_problem *item;
    size_t n, room;
    size_t left_out; /* behind RULE_PROBLEMS_MAX */
};
/* "FILE:LINE:COLUMN: text" */
struct str rule_problem_text(struct arena *arena, const struct rule_problem *problem);

/* Is the document meant as rules (`version` with `rules`, or with a misspelling of that)? */
bool rules_is_file(const struct value *doc);
/*
 * Add the rules of a file. False: problems has what is wrong, all of it, and err sums it up; or
 * err alone (no such file, memory). `rules` is then good for rules_close only.
 * pack  stands before the ids in names; empty = none
 */
bool rules_read(struct rules *rules, struct arena *arena, struct str text, struct str file,
                struct str pack, struct rule_problems *problems, struct err *err);
bool rules_read_file(struct rules *rules, struct arena *arena, struct str path, struct str pack,
                     struct rule_problems *problems, struct err *err);
void rules_close(struct rules *rules);
/* "12h", "3d", "2w" in milliseconds. */
bool rule_deadline_parse(struct str text, int64_t *ret_ms);

/* --- judging --- */

enum subject_kind { SUBJECT_RESOURCE, SUBJECT_CHANGE, SUBJECT_FINDING };

struct rule_change {
    struct path path;
    struct str path_text;
    const struct value *before, *after; /* NULL on the side that lacks it */
    bool sensitive;
    bool computed; /* the code cannot set it */
};
struct rule_actor {
    bool known;
    struct str kind, principal, via; /* human|ci|autoscaler|cloud; arn:...; console|cli|api */
};

/* One thing to judge. Empty and NULL = not known. */
struct rule_subject {
    enum subject_kind kind;
    enum rule_source source;
    enum finding_class class_; /* SUBJECT_FINDING */
    struct str address, module, mode, type, name, provider, id;
    struct value index; /* null, number or text */
    /*
     * What conditions look at: live of a finding, after of a change, values of a resource. Of a
     * finding that is missing and of a deletion: what is no more; a rule with conditions is asked
     * only if its `class` or its `action` names that, and so it is where nothing is known of the
     * values (VALUE_UNKNOWN: what could not be checked). Marks VALUE_SENSITIVE hide what is below.
     */
    const struct value *values;
    const struct value *desired, *live; /* both sides, for the input document; or NULL */
    const struct value *tags;           /* effective tags or labels; NULL: of `values` */
    const struct rule_change *change;   /* none: the resource as a whole */
    size_t nchanges;
    struct str action; /* of a plan: create, update, delete, replace, read, no-op, forget */
    struct str stack, stack_path, workspace, env, owner;
    struct location code;
    struct str code_owners, code_commit, code_author;
    struct rule_actor actor;
    int64_t now_utc_ms; /* 0 = not known */
    /* for the input document of Rego only */
    struct str fingerprint, reason; /* of a finding */
    bool ignored;
    struct rule_strs replace_paths; /* of a plan */
    struct str enforcement_point;   /* "scan", "check" */
    /* What a waiver of each change is bound to (of a subject without changes one), where the values
     * that tell are not here any more; NULL: they are. */
    const struct str *digest;
};

/* RULE_ERROR: the budget ran out; text says so. */
enum rule_outcome { RULE_NO_MATCH, RULE_UNKNOWN, RULE_MATCH, RULE_ERROR };

/* A condition that held, or that could not be told. */
struct rule_why {
    const struct condition *condition; /* NULL: what `match` says */
    struct path path;                  /* to the value, indices filled in */
    struct str text;                   /* "ingress[0].from_port is 22 (at_most 22)" */
};
struct rule_result {
    const struct rule *rule;
    enum rule_outcome outcome; /* not RULE_NO_MATCH among results */
    const struct rule_why *why;
    size_t nwhy;
    struct str text;                   /* the whys, joined */
    const struct rule_change **change; /* those it is about; none = the whole resource */
    size_t nchanges;
};
struct rule_results {
    const struct rule_result *item; /* in the order of the rules */
    size_t n;
};

/* What a rule did in a run. */
struct rule_path_count {
    uint64_t read, had; /* looked for; found (null counts as found) */
};
struct rule_count {
    uint64_t applicable, matched, unknown;
    struct rule_path_count *path; /* as many as rule.npaths */
};
struct rule_counts {
    struct rule_count *rule; /* as many as rules.n */
    uint64_t subjects;
};
bool rule_counts_init(struct rule_counts *counts, struct arena *arena, const struct rules *rules,
                      struct err *err);

/* All rules over one subject. counts: added to; or NULL. False only for memory. */
bool rules_judge(const struct rules *rules, struct arena *arena, const struct rule_subject *subject,
                 struct rule_counts *counts, struct rule_results *ret, struct err *err);
/* One rule. ret->outcome RULE_NO_MATCH where its `match` does not hold, too. */
bool rule_judge(const struct rule *rule, struct arena *arena, const struct rule_subject *subject,
                struct rule_count *count, struct rule_result *ret, struct err *err);

/* tags_all, tags, effective_labels, labels ... of a resource's values, or metadata.labels of a
 * manifest: merged. An unknown value may be among them. */
bool rule_tags(struct arena *arena, const struct rule_subject *subject, struct value *ret,
               struct err *err);

/* --- a condition by itself (condition.c) --- */

struct condition_run {
    struct arena *arena;
    struct rule_path_count *path; /* or NULL */
    struct rule_why *why;         /* room for RULE_WHY_MAX */
    size_t nwhy;
    struct rule_why unknown; /* the first thing that could not be told; text empty = none */
    bool full;               /* the arena: the outcome is not one */
    uint64_t nodes_left;     /* 0 at the end: the outcome is not one */
};
enum rule_outcome condition_judge(struct condition_run *run, const struct condition *condition,
                                  const struct value *values);
