/* normalise.h - two spellings of one thing: named rules that make them equal, each with its reason.
 *
 * Shape:   a rule looks at one place of both trees. What it calls equal takes the desired spelling,
 *          so that the difference that is left is the real one
 * Limits:  JSON texts up to NORMALISE_JSON_MAX, IAM policies up to NORMALISE_IAM_MAX, and
 *          NORMALISE_WORK_MAX nodes for trying list and set elements with each other. Past a
 *          limit nothing is called equal: a rule never hides for lack of room
 * Source:  facts/terraform.md 3.3; docs/drift.md says which rules were refused and why
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "drift/cursor.h"
#include "model/finding.h"
#include "model/schema.h"
#include "value/value.h"

struct arena;
struct err;

enum {
    NORMALISE_JSON_MAX = 8 << 20,
    NORMALISE_IAM_MAX = 64 << 10, /* AWS allows 20 KiB; unordered comparison is quadratic */
    NORMALISE_WORK_MAX = 2000000
};

struct normalise_rule {
    const char *name, *why;
    /* Not yet known to be equal; at: the place. Pure. NULL: not asked of a place (mirrored-tags).
     */
    bool (*equal)(const struct cursor *at, const struct value *desired, const struct value *live);
};
/* All of them, in the order in which they are asked. */
const struct normalise_rule *normalise_rules(size_t *ret_n);
/* The rule that calls these two equal at that place, or NULL. */
const struct normalise_rule *normalise_place(const struct cursor *at, const struct value *desired,
                                             const struct value *live);

/*
 * Is a change of a top-level attribute only the echo of the same change in the attribute that it
 * mirrors (tags_all of tags)? entry: the map's key, or empty for the whole attribute. before and
 * after may be NULL (not there). Gives the rule, or NULL.
 */
const struct normalise_rule *normalise_mirrored(const struct value *desired,
                                                const struct value *live, struct str attribute,
                                                struct str entry, const struct value *before,
                                                const struct value *after);

/* Two IAM policies (parsed JSON) that allow and deny the same, whatever the order and whether a
 * single action, resource, principal or condition value stands in a list. */
bool iam_policy_equal(const struct value *a, const struct value *b);

struct normalised {
    struct value live;                   /* with the desired spelling where a rule made it equal */
    bool equal;                          /* nothing else is left */
    const struct considered_equal *list; /* where `explain`; address empty; sorted as walked */
    size_t n;
};
/* Fails only with ERR_LIMIT (arena full). */
bool normalise_live(struct arena *arena, const struct schema *schema, const struct value *desired,
                    const struct value *live, bool explain, struct normalised *ret,
                    struct err *err);
