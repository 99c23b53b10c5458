/* check.h - the check way through the house: code (later plans, states and documents) -> issues,
 * before anything is applied. Nothing live is read; providers are asked for their schemas only.
 */
#pragma once
#include "desired/code.h"
#include "lang/rego/rego.h"
#include "live/reader.h"
#include "model/issue.h"
#include "model/stack.h"

struct arena;
struct entries;
struct err;
struct gatekeeper;
struct plan_code;
struct policy;

/* Rules of resources: those of plumb.yaml, and those that were named; NULL where there are none. */
enum { CHECK_POLICIES = 2 };

struct check_options {
    const struct code_input_value *inputs; /* --var, --var-file */
    size_t ninputs;
    bool no_providers; /* no schemas: arguments are not checked */
    struct policy *policy[CHECK_POLICIES];
    struct reader_options reader;
    const char *(*env)(const char *name);
    int64_t now_utc_ms;
};

/*
 * The code of a root module: what cannot be read or evaluated, what its providers' schemas refuse,
 * what works and should be otherwise. What is wrong with it is in *ret, also when it cannot be
 * checked at all (ret->failed). ret lives in `arena`. False only for ERR_LIMIT and ERR_CANCELLED.
 */
bool check_code(struct arena *arena, const struct stack *stack, const struct check_options *options,
                struct check_subject *ret, struct err *err);

struct check_document_options {
    struct entries *entries;       /* rules of Rego (policy/objection.h); NULL: none are asked */
    struct gatekeeper *gatekeeper; /* its constraints; or NULL */
    struct policy *policy[CHECK_POLICIES];
    struct policy *waiving; /* has the waivers of what entries and constraints say; or NULL */
    struct rego_eval_options eval;
    struct plan_code *code; /* where plans come from, or NULL */
};

/*
 * A file of JSON or YAML, "-" for standard input: plans, states, manifests, other documents, each
 * against the rules. As check_code: what is wrong is in *ret.
 */
bool check_documents(struct arena *arena, struct str path,
                     const struct check_document_options *options, struct check_subject *ret,
                     struct err *err);
