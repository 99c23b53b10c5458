/* lint.h - what a tree of modules says that works and should be otherwise: names that nobody uses,
 * syntax of older days, arguments that the provider calls deprecated; and, an error, arguments that
 * no provider takes since it alone sets them.
 *
 * In:      a tree without syntax errors (module_tree.h); each directory is looked at once
 * Out:     issues (model/issue.h), warnings but for read-only-argument, in no order; places
 * relative to the root module's folder Rules:   lint_rules: the table of what is looked for;
 * docs/check.md says the same
 */
#pragma once
#include "desired/module_tree.h"
#include "model/issue.h"
#include "model/schema.h"

/* X(constant, rule, summary, remedy) */
#define LINT_RULES(X) \
    X(LINT_UNUSED_VARIABLE, "unused-variable", "Variable is never used", \
      "Remove it, and where it is given a value.") \
    X(LINT_UNUSED_LOCAL, "unused-local", "Local value is never used", "Remove it.") \
    X(LINT_UNUSED_DATA, "unused-data-source", "Data source is never used", \
      "Remove it: it is read in every plan.") \
    X(LINT_UNUSED_PROVIDER, "unused-provider", "Provider configuration is never used", \
      "Remove it, or name it in a resource or module.") \
    X(LINT_UNUSED_REQUIREMENT, "unused-required-provider", "Required provider is never used", \
      "Remove it from required_providers.") \
    X(LINT_INTERPOLATION_ONLY, "interpolation-only", \
      "Interpolation around a single expression is deprecated", \
      "Write the expression without the quotes and ${ }.") \
    X(LINT_LEGACY_INDEX, "legacy-index", "Index after a dot is deprecated", \
      "Write it in brackets: x[0].") \
    X(LINT_LEGACY_SPLAT, "legacy-splat", "Splat after a dot is deprecated", \
      "Write it in brackets: x[*].") \
    X(LINT_LOOKUP, "lookup-without-default", "lookup with two arguments is deprecated", \
      "Write it as an index: map[key].") \
    X(LINT_EMPTY_LIST, "compared-with-empty-list", "Comparing with [] is never true for a list", \
      "Compare its length: length(x) == 0.") \
    X(LINT_DEPRECATED_ARGUMENT, "deprecated-argument", "Argument is deprecated by its provider", \
      "See the provider's documentation for what stands in its place.") \
    X(LINT_READ_ONLY_ARGUMENT, "read-only-argument", "Only the provider sets this argument", \
      "Remove it: a plan would be refused.")

#define X(constant, rule, summary, remedy) constant,
enum lint_rule { LINT_RULES(X) LINT_RULE_COUNT };
#undef X

struct lint_options {
    /* The schema of a type of a provider (source in full); NULL = not known. */
    const struct schema *(*schema)(void *ctx, struct str provider, enum code_mode mode,
                                   struct str type);
    void *ctx;
};
struct lint_issues {
    struct issue *issue;
    size_t n, room;
};

bool lint_tree(struct arena *arena, const struct code_tree *root,
               const struct lint_options *options, struct lint_issues *ret, struct err *err);
/* The lines that a range of the file stands in, and its place; for diagnostics too. */
void lint_locate(const struct hcl_file *file, struct hcl_range range, struct location *ret,
                 struct str *ret_excerpt);
