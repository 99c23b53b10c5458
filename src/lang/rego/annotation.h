/* annotation.h - METADATA comments: read as YAML, attached to what follows them.
 *
 * Owner:  the arena of the parse
 * Source: facts/rego.md 13.1; OPA's documentation, "Annotations"
 */
#pragma once
#include "lang/rego/ast.h"

struct rego_parser;
struct rego_compiler;

enum rego_scope {
    REGO_SCOPE_RULE,
    REGO_SCOPE_DOCUMENT,
    REGO_SCOPE_PACKAGE,
    REGO_SCOPE_SUBPACKAGES
};
struct rego_schema_use { /* schemas: - input.x: schema.y */
    struct value path;   /* ["input", "x"] */
    struct value schema; /* ["schema", "y"], or where there is a */
    const struct value *definition;
};
struct rego_annotation {
    enum rego_scope scope;
    bool entrypoint;
    const struct rego_rule *rule; /* NULL: of the package */
    struct rego_place place;
    struct value value; /* an object: what rego.metadata.rule() gives */
    const struct rego_schema_use *schema;
    size_t nschemas;
};

/* Of the comments read; what is wrong with them is a diagnostic each. */
void rego_read_annotations(struct arena *arena, struct rego_module *module,
                           const struct rego_parse_options *options, struct rego_diags *diags);
/* The annotations that hold for a rule, widest first: of packages above its own (subpackages), of
 * its package, its document, itself. Each is given to `give`, until that is false. */
bool rego_annotations_of(struct rego_compiler *c, const struct rego_rule *rule,
                         bool (*give)(void *ctx, const struct rego_annotation *a), void *ctx);
/* Calls of rego.metadata.rule() and .chain() become what they give. False: memory, depth. */
bool rego_put_metadata(struct rego_compiler *c);
