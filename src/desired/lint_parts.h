/* lint_parts.h - what the files of the linter share; not for users of lint.h. */
#pragma once
#include "base/arena.h"
#include "desired/lint.h"

struct linting {
    struct arena *arena;
    const struct lint_options *options;
    struct lint_issues *issues;
    bool full; /* memory is out */
};

/* detail_fmt says which one it is. address: of what it is in, or empty. */
void lint_say(struct linting *in, enum lint_rule rule, const struct hcl_file *file,
              struct hcl_range range, struct str address, const char *detail_fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Every expression of a file, nested ones too, from the outside in. False stops. */
bool lint_each_expr(const struct hcl_expr *expr, bool (*visit)(void *ctx, const struct hcl_expr *),
                    void *ctx);
/* Every expression that a body holds directly, and those of its blocks. */
bool lint_each_attribute(const struct hcl_body *body,
                         bool (*visit)(void *ctx, const struct hcl_expr *expr), void *ctx);

void lint_unused(struct linting *in, const struct code_tree *tree);
void lint_syntax(struct linting *in, const struct code_module *module);
void lint_deprecated(struct linting *in, const struct code_module *module);
