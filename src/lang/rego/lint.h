/* lint.h - silent failures of policies: what compiles and never says anything, or always does.
 *
 * Source: what OPA's checks pass over; facts/rego.md 5.5 to 5.8
 */
#pragma once
#include "lang/rego/rego.h"

/* X(constant, name in reports, is it an error, what it is) */
#define REGO_LINTS(X) \
    X(REGO_LINT_UNDEFINED_REF, "undefined-reference", true, \
      "a rule that no package has: the expression is never true") \
    X(REGO_LINT_NOT_UNDEFINED, "negated-undefined", true, \
      "not before a rule that no package has: it is always true") \
    X(REGO_LINT_NEVER_TRUE, "never-true", true, "conditions that cannot hold together") \
    X(REGO_LINT_UNREACHABLE_ELSE, "unreachable-else", true, \
      "an else behind a branch without conditions") \
    X(REGO_LINT_SHADOWED_DEFAULT, "shadowed-default", false, \
      "a default beside a definition without conditions") \
    X(REGO_LINT_ENTRY_NAME, "entry-point-name", true, \
      "a name that is nearly one of those that are asked for") \
    X(REGO_LINT_ENTRY_HINT, "entry-point-hint", false, \
      "the same in a package of which nothing else says that it is asked") \
    X(REGO_LINT_UNUSED, "unused", false, "a variable, an argument or an import that nothing uses") \
    X(REGO_LINT_UNKNOWN_INPUT, "unknown-input", true, "a path that the schema of input lacks")

#define X(constant, name, error, meaning) constant,
enum rego_lint_kind { REGO_LINTS(X) REGO_LINT_KINDS };
#undef X
const char *rego_lint_name(enum rego_lint_kind kind);
const char *rego_lint_meaning(enum rego_lint_kind kind);
bool rego_lint_is_error(enum rego_lint_kind kind);

struct rego_lint {
    enum rego_lint_kind kind;
    struct str file, message;
    uint32_t row, col;
};
struct rego_lint_options {
    const struct value *data;   /* base documents, or NULL */
    const struct value *schema; /* JSON Schema of input, or NULL */
    const bool *sees_schema;    /* for each source: is its input of the schema? NULL: of all */
    unsigned words;             /* as of the parser */
    const uint32_t *before;     /* for each source: lines of its file before it; NULL: none. Only
                                   what messages say of other lines counts them */
};
/* Of sources that compile; sorted by file and place. False: err. */
bool rego_lint(struct arena *arena, const struct rego_source *sources, size_t n,
               const struct rego_lint_options *options, struct rego_lint **ret, size_t *ret_n,
               struct err *err);
