/* input.h - the document that Rego policies see of one finding, planned change or resource.
 *
 * Shape:   docs/policy-input.md, docs/schema/policy-input.schema.json; every key is always there,
 *          what is not known is null
 * Secrets: what is sensitive is the text "(sensitive)" in it, so that no policy can print one
 * Unknown: what is known only after apply is null, and its path is in resource.unknown
 */
#pragma once
#include "policy/rule.h"

enum { INPUT_VERSION = 1 };

/* The result lives in `arena` and in the subject's values. */
bool input_make(struct arena *arena, const struct rule_subject *subject, struct value *ret,
                struct err *err);
/* The other way: for tests of rules. What is missing or of another kind is not known. False only
 * where the arena is full. */
bool input_to_subject(struct arena *arena, const struct value *doc, struct rule_subject *ret);
