/* gatekeeper.h - Gatekeeper's ConstraintTemplates with their constraints over manifests and
 * AdmissionReviews.
 *
 * Input:   input.review (kind, object, oldObject, name, namespace, operation, userInfo ...) and
 *          input.parameters; data.inventory of the other objects that are known
 * Rules:   `violation` of the template's package, in Rego v0 unless the template says v1; each
 *          template is compiled by itself, with its libs
 * Actions: deny objects, warn and dryrun warn; scoped ones count as their strictest
 * Refused: what only CEL decides (K8sNativeValidation), and constraints without a template, are
 *          errors for each object that they are for: nobody passes because nothing was asked
 * Owner:   the arena holds what is read; gatekeeper_close gives back the compiled policies
 * Source:  open-policy-agent.github.io/gatekeeper (ConstraintTemplates, Constraints, gator)
 */
#pragma once
#include "base/arena.h"
#include "policy/objection.h"

struct document;
struct documents;
struct regex;
struct rego_diags;
struct rego_lookups;

enum { GATEKEEPER_PARTS_MAX = 10000 };

struct gatekeeper_template {
    struct str kind; /* of its constraints */
    struct location at;
    const struct value *doc;
    struct str cel;             /* why it cannot be asked; empty = it can */
    struct rego_source *source; /* its Rego, then its libs, each by a name of its own */
    struct location *source_at; /* where the file has the text of each */
    size_t nsources;
    const struct documents *documents; /* of the file */
    struct rego_policy *policy;
    struct entries *entries;
};
struct gatekeeper_constraint {
    struct str kind, name;
    struct location at;
    struct str action;                      /* deny, warn, dryrun */
    const struct value *match, *parameters; /* NULL = none */
    struct gatekeeper_template *template;   /* NULL: nobody knows it */
    uint64_t asked, applicable, matched, errors;
    struct rego_lookups *lookups; /* NULL: not wanted */
};
struct gatekeeper {
    struct arena *arena;
    struct gatekeeper_template **template;
    size_t ntemplates, template_room;
    struct gatekeeper_constraint *constraint;
    size_t nconstraints, constraint_room;
    const struct value *inventory; /* of gatekeeper_compile; or NULL */
    bool apart; /* each template by itself: others of its kind, and other targets, are no matter */
    int64_t timeout_ms; /* of compiling a template; 0 = as rego_compile */
    struct rego_capabilities capabilities;
    const volatile int *cancel;
    bool lookups; /* note which paths of input each constraint looks for and never finds */
};

/* Is it a template or a constraint? */
bool gatekeeper_is_part(const struct value *doc);
/* Add one. ERR_SYNTAX with its place for a template that has no package, no kind, no target, for a
 * second one of a kind, and for a constraint whose match or action cannot be meant. The documents
 * outlive it. */
bool gatekeeper_add(struct gatekeeper *gatekeeper, const struct documents *documents,
                    const struct document *document, struct err *err);
struct gatekeeper_load_options {
    const struct regex *ignore; /* paths below a folder that are passed over; or NULL */
    bool lenient;               /* files that cannot be read are passed over */
};
/* All templates and constraints of a file, or of a folder's YAML and JSON. */
bool gatekeeper_load(struct gatekeeper *gatekeeper, struct str path,
                     const struct gatekeeper_load_options *options, struct err *err);
/* Is one of them of that file? */
bool gatekeeper_has_file(const struct gatekeeper *gatekeeper, struct str file);
/* {namespace: {NAMESPACE: {VERSION: {KIND: {NAME: object}}}}, cluster: {VERSION: ...}} */
bool gatekeeper_inventory(struct arena *arena, const struct value *const *objects, size_t n,
                          struct value *ret, struct err *err);
/*
 * Compile the templates and find each constraint its own. inventory: outlives the use, or NULL.
 * Once; gatekeeper_close before compiling again. False: diags (which may be NULL) or err.
 */
bool gatekeeper_compile(struct gatekeeper *gatekeeper, const struct value *inventory,
                        struct rego_diags *diags, struct err *err);
void gatekeeper_close(struct gatekeeper *gatekeeper);
/* Where the file has what its Rego calls a place; a place of something else as it is. */
struct location gatekeeper_place(const struct gatekeeper_template *t, struct location of);

/* All constraints that are for this manifest or review; nothing for other documents. */
bool gatekeeper_judge(struct gatekeeper *gatekeeper, struct arena *arena,
                      const struct documents *documents, const struct document *document,
                      const struct rego_eval_options *options, struct objections *ret,
                      struct err *err);
/* What each constraint did: nconstraints rows. False: the arena is full. */
bool gatekeeper_report(const struct gatekeeper *gatekeeper, struct arena *arena,
                       struct policy_row *ret);

/* --- gatekeeper_match.c --- */

enum gatekeeper_matching {
    GATEKEEPER_NO,
    GATEKEEPER_YES,
    GATEKEEPER_UNKNOWN /* the namespace is not known, and its labels decide */
};
/* review: a request; what is for its object or its old one is for it. */
enum gatekeeper_matching gatekeeper_matches(const struct value *match, const struct value *review,
                                            const struct value *inventory);
/* What is wrong with it, and with which key of it; NULL: nothing. */
const char *gatekeeper_match_wrong(const struct value *match, const char **ret_key);
