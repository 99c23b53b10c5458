/* content.h - what a body holds, asked by schema: the one way to look into native and JSON bodies
 * alike.
 *
 * JSON syntax cannot tell an attribute from a block by itself (facts/hcl.md 9), so that whoever
 * knows the names asks with a table.
 * Errors: Terraform's summaries ("Unsupported argument", "Missing required argument",
 *         "Unsupported block type", "Extraneous label for ...").
 */
#pragma once
#include "lang/hcl/hcl.h"

enum { HCL_LABELS_MAX = 3 };
struct hcl_attribute_spec {
    struct str name;
    bool required;
};
struct hcl_block_spec {
    struct str type;
    const char *label[HCL_LABELS_MAX]; /* what a message calls each; NULL ends them */
};
struct hcl_body_spec {
    const struct hcl_attribute_spec *attribute;
    size_t nattributes;
    const struct hcl_block_spec *block;
    size_t nblocks;
    const struct hcl_body_spec *taken; /* what earlier calls asked for: passed over; NULL = none */
};
/* What the spec itself has of that name, or NULL. */
const struct hcl_attribute_spec *hcl_find_attribute_spec(const struct hcl_body_spec *spec,
                                                         struct str name);
const struct hcl_block_spec *hcl_find_block_spec(const struct hcl_body_spec *spec, struct str type);
/* In source order; only what the spec names. Blocks are struct hcl_block for both syntaxes: in JSON
 * one for each object, its header the place of the opening brace or bracket. */
struct hcl_content {
    const struct hcl_attribute *attribute;
    size_t nattributes;
    const struct hcl_block *block;
    size_t nblocks;
};

/*
 * What `body` of `file` holds. partial = names that the spec lacks are no errors (they are for a
 * second call). False only when memory is out; faults are diagnostics and what could be read is in
 * *ret.
 */
bool hcl_body_content(struct arena *arena, const struct hcl_file *file, const struct hcl_body *body,
                      const struct hcl_body_spec *spec, bool partial, struct hcl_diags *diags,
                      struct hcl_content *ret);
/* All attributes of a body that may have no blocks (locals, tfvars, required_providers). JSON:
 * every property but "//". */
bool hcl_body_attributes(struct arena *arena, const struct hcl_file *file,
                         const struct hcl_body *body, struct hcl_diags *diags,
                         struct hcl_content *ret);
/*
 * An expression as a place wants it that takes references or keywords (depends_on, provider, type,
 * ignore_changes, moved): native ones as they are; the text of a JSON string read as an expression,
 * and so for what a JSON array or object holds. A JSON string that is no expression is given back
 * as it is: no reference either, so that the caller's own message fits; only limits are reported.
 */
const struct hcl_expr *hcl_keyword_expr(struct arena *arena, const struct hcl_file *file,
                                        const struct hcl_expr *expr, struct hcl_diags *diags);
/*
 * Read a file in JSON syntax, as hcl_parse_file does native syntax: file->json is set, ranges are
 * bytes of the text (of the characters as they are written where they stand inside of a string).
 * Source: RFC 8259; facts/hcl.md 9.
 */
bool hcl_parse_json_file(struct arena *arena, struct str text, struct str name,
                         struct hcl_diags *diags, struct hcl_file *ret, struct err *err);
