/* check_subject.h - the resources of plans, states and manifests as subjects of rules: what each
 * has, marked where it is secret, unknown where it is known after apply only.
 *
 * Owner:  the arena, and the document
 */
#pragma once
#include "policy/rule.h"

struct document;

struct check_resource {
    struct rule_subject subject;
    struct path path; /* to its values, in the document */
};
struct check_resources {
    const struct check_resource *item;
    size_t n;
};

/* None for documents without resources. */
bool check_resources_find(struct arena *arena, const struct document *document,
                          struct check_resources *ret, struct err *err);
