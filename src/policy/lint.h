/* lint.h - rule and waiver files before they are used: what would be refused, what covers nothing.
 *
 * Beside:  lang/rego/lint.h, which does the same for Rego, here also that of templates
 */
#pragma once
#include "lang/rego/lint.h"
#include "policy/load.h"
#include "policy/rule.h"

struct gatekeeper;

/* X(constant, name in reports, is it an error, what it is) */
#define POLICY_LINTS(X) \
    X(POLICY_LINT_RULES, "broken-rule", true, "a rule file that is refused when it is used") \
    X(POLICY_LINT_WAIVERS, "broken-waiver", true, \
      "a waiver file that is refused when it is used: no reason, no expiry, no value") \
    X(POLICY_LINT_EXPIRED, "expired-waiver", false, "a waiver that covers nothing any more") \
    X(POLICY_LINT_NO_RULE, "waiver-of-no-rule", false, \
      "a waiver for a rule that none of these files has") \
    X(POLICY_LINT_NO_TEMPLATE, "constraint-without-template", false, \
      "a constraint of a kind that none of these files has a template for") \
    X(POLICY_LINT_UNREAD, "unread-data", false, \
      "a file beside the policies that is no data: other commands refuse the folder")

#define X(constant, name, error, meaning) constant,
enum policy_lint_kind { POLICY_LINTS(X) POLICY_LINT_KINDS };
#undef X
const char *policy_lint_name(enum policy_lint_kind kind);
const char *policy_lint_meaning(enum policy_lint_kind kind);
bool policy_lint_is_error(enum policy_lint_kind kind);

struct policy_lint {
    enum policy_lint_kind kind;
    struct location at;
    struct str message;
};
/* Of files that were loaded with `rules`, and of constraints; by file and line within each kind of
 * file. */
bool policy_lint(struct arena *arena, const struct policy_files *files,
                 const struct gatekeeper *gatekeeper, int64_t now_utc_ms, struct policy_lint **ret,
                 size_t *ret_n, struct err *err);

/* --- ConstraintTemplates --- */

/*
 * What the Rego of each says in vain, at its places in the file; `parameters` are held against the
 * template's own schema. False: diags of what does not compile, or err. Close gatekeeper after it.
 */
bool policy_lint_templates(struct arena *arena, struct gatekeeper *gatekeeper,
                           struct rego_diags *diags, struct rego_lint **ret, size_t *ret_n,
                           struct err *err);

/* --- Rego --- */

#define POLICY_INPUT_SCHEMA "builtin:schema/policy-input.json"
/* The schema of what plumb asks policies about (docs/policy-input.md). */
bool policy_input_schema(struct arena *arena, struct value *ret, struct err *err);
/*
 * Which of the sources have that document for their input: those whose package has `decision`; has
 * deny, violation or warn, and reads more of it than of anything else; and libraries that only
 * these use.
 * ret  one for each source
 */
bool policy_lint_scope(struct arena *arena, const struct rego_policy *policy,
                       const struct rego_source *sources, size_t n, const struct value *schema,
                       bool *ret, struct err *err);
