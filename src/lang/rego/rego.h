/* rego.h - Rego policies: compile once, evaluate many times, from many threads.
 *
 *   AUTO_ARENA arena = {.limit = 256 << 20};
 *   struct rego_source source = {.file = STR("p.rego"), .text = text};
 *   struct rego_policy *policy;
 *   struct rego_diags diags = {.arena = &arena};
 *   if (rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags, &policy, err)) {
 *       struct rego_query *query;
 *       if (rego_prepare(policy, STR("data.main.deny"), &diags, &query, err)) {
 *           struct rego_result result;
 *           rego_eval(query, &input, &(struct rego_eval_options){0}, &arena, &result, err);
 *           ...
 *       }
 *       rego_query_close(query);
 *   }
 *   rego_close(policy);
 *
 * Threads: a policy and its queries are read-only once made; each evaluation has its own state
 * Bounds:  instructions, memory, depth, deadline; each ends with its own eval_cancel_error
 * Source:  facts/rego.md
 */
#pragma once
#include "lang/rego/ast.h"
#include "lang/rego/builtin.h"

struct err;
struct rego_policy;
struct rego_query;

struct rego_source {
    struct str file, text;
    bool v0; /* read as Rego v0 */
};
/* A JSON Schema; names as in `schemas: [{input: schema.a.b}]`, and "schema" alone is of input. */
struct rego_schema {
    struct value path; /* ["schema", "a", "b"] */
    struct value schema;
};
/* What policies may use, where it is handed on; zeroed: all that there is without being asked. */
struct rego_capabilities {
    unsigned words; /* of enum rego_words */
    bool (*allowed)(void *ctx, struct str builtin);
    void *ctx;
};
struct rego_compile_options {
    bool strict;     /* unused variables and imports are errors */
    unsigned words;  /* of enum rego_words: experimental and, or */
    bool keep_print; /* print statements stay */
    bool unindexed;  /* all rules and elements are gone through: what indexing is compared with */
    bool coverage;   /* count what each line was evaluated to */
    const struct rego_schema *schema; /* of input, and what METADATA may name; while compiling */
    size_t nschemas;
    size_t memory;       /* bytes for the policy, and for a query; 0 = 1 GiB, and 256 MiB */
    uint64_t steps;      /* that compiling may take, and preparing a query; 0 = 1e9 */
    int64_t deadline_ms; /* from the start of either; 0 = a minute */
    const volatile int *cancel;
    /* Which built-in functions there are; NULL = all. */
    bool (*allowed)(void *ctx, struct str builtin);
    void *allowed_ctx;
    /* Built-ins of the host's own (lang/rego/builtin.h), or NULL; they must outlive the policy. */
    const struct rego_family *host;
};
static inline void rego_compile_within(struct rego_compile_options *options,
                                       const struct rego_capabilities *capabilities)
{
    options->words = capabilities->words;
    options->allowed = capabilities->allowed;
    options->allowed_ctx = capabilities->ctx;
}
/* data: the base documents (an object), or NULL. It must outlive the policy. False: diags or err.
 */
bool rego_compile(const struct rego_source *sources, size_t n, const struct value *data,
                  const struct rego_compile_options *options, struct rego_diags *diags,
                  struct rego_policy **ret, struct err *err);
/* What is prepared from now on is the host's, not a policy's: all built-ins may be called. */
void rego_allow_all(struct rego_policy *policy);
void rego_close(struct rego_policy *policy);
bool rego_prepare(const struct rego_policy *policy, struct str query, struct rego_diags *diags,
                  struct rego_query **ret, struct err *err);
void rego_query_close(struct rego_query *query);

/* A node that the way to a solution has looked at. */
struct rego_read {
    const struct value *node; /* where it stands: in the input, where it is of that */
    struct value value;       /* what it is; its items, members or text are those of the input */
    bool is_missing;          /* it has no such key: */
    const struct value *missing;
    size_t nmissing;
    struct str file; /* of the policy */
    struct rego_place place;
};
/*
 * Called for each member of a partial set or object as a rule finds it, with the reads of its
 * body, those of functions and rules that it asked, and of what it negates. All of it lives no
 * longer than the call. An evaluation that is watched is slower and needs more memory.
 */
struct rego_watch {
    void (*found)(void *ctx, const struct rego_rule *rule, const struct value *member,
                  const struct rego_read *read, size_t n);
    void *ctx;
};
/*
 * What an evaluation does, one by one, of a policy that was compiled with .coverage. Rules and
 * elements that an index rules out are not gone through, and not told.
 */
enum rego_event_kind {
    REGO_EVENT_ENTER, /* a rule or function; the text is its head */
    REGO_EVENT_EVAL,  /* an expression is looked at; once for each way that comes to it */
    REGO_EVENT_FAIL,  /* and has no solution */
    REGO_EVENT_EXIT,  /* a rule gives a value; the text is its head */
    REGO_EVENT_NOTE   /* trace(); the text is its argument */
};
struct rego_event {
    enum rego_event_kind kind;
    unsigned depth; /* of rules within rules */
    struct str file;
    struct rego_place place;
    struct str text; /* a view into the policy, or of a note: no longer than the call */
};
struct rego_trace {
    void (*event)(void *ctx, const struct rego_event *event);
    void *ctx;
};
struct rego_lookups;
struct rego_eval_options {
    struct rego_host host;
    bool strict_builtin_errors;
    bool
        plain_input; /* JSON or YAML as it was read: no sets, nothing unknown; not looked through */
    uint64_t steps;  /* instruction budget; 0 = 1e9 */
    size_t memory;   /* bytes for the evaluation; 0 = 1 GiB */
    unsigned depth;  /* nested rule calls; 0 = 100,000 */
    int64_t deadline_ms; /* from the start; 0 = none */
    int64_t until_ms;    /* with deadline_ms: nor beyond this, by the monotonic clock; 0 = none */
    const volatile int *cancel;
    uint64_t *coverage;             /* counters per covered place (rego_coverage); or NULL */
    struct rego_lookups *lookups;   /* which refs to input find anything: lookups.h; or NULL */
    const struct rego_watch *watch; /* or NULL */
    const struct rego_trace *trace; /* or NULL */
};
struct rego_error {
    const char *code; /* "eval_conflict_error" ...; NULL = none */
    struct str file, message;
    uint32_t row, col;
};
struct rego_result {
    struct value bindings; /* an array of objects: one for each answer; {} keys are variables */
    struct value values; /* an array of arrays: the values of the query's expressions, by answer */
    struct rego_error error;                 /* code NULL if there was none */
    const struct rego_error *builtin_errors; /* those that made something undefined */
    size_t nbuiltin_errors;
};
/* input NULL = undefined. The result lives in `arena` and points into input, policy and data; names
 * of its bindings, and constants that the query itself writes, are the query's: use them before
 * rego_query_close. False only for err (memory, cancelled). */
bool rego_eval(const struct rego_query *query, const struct value *input,
               const struct rego_eval_options *options, struct arena *arena,
               struct rego_result *ret, struct err *err);

/* --- looking at a policy --- */

size_t rego_module_count(const struct rego_policy *policy);
const struct rego_module *rego_module_at(const struct rego_policy *policy, size_t i);
