/* format.h - a Rego module in the form that `opa fmt` gives it.
 *
 * Comments are kept. The result is read again: where it would not be the same module, or lack a
 * comment, the text is left as it was and an error says so.
 * Source: OPA 1.19 as it runs; docs/policy-fmt.md names where this differs
 */
#pragma once
#include "lang/rego/ast.h"

struct err;
struct rego_format_options {
    bool v0;        /* text and result are Rego v0 */
    bool to_v1;     /* with v0: the result is read by v0 and by v1 (import rego.v1) */
    unsigned words; /* as of the parser */
    struct rego_parse_clock clock; /* .until_ms 0: no end */
};
/*
 * ret    in the arena; `text` itself where it has the form already
 * False: the text cannot be read (diags), or err.
 */
bool rego_format(struct arena *arena, struct str text, struct str file,
                 const struct rego_format_options *options, struct rego_diags *diags,
                 struct str *ret, struct err *err);

/* Do both say the same, places and comments aside? */
bool rego_modules_equal(const struct rego_module *a, const struct rego_module *b);
