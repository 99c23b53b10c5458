/* when.h - `when` of a receiver in plumb.yaml: which alerts it gets, as one line of text.
 *
 * Text:   severity >= high and (environment = prod or tag.team = "net *") and not class in
 *         [unchecked, state-only]; `always`, `never`. docs/alerts.md has the whole of it
 * Words:  *, ? are globs; what has a blank, a bracket, a comma or a quote in it stands in quotes
 * Bounds: WHEN_BYTES_MAX, WHEN_DEPTH_MAX; pure
 */
#pragma once
#include "model/finding.h"
#include "value/value.h"

struct arena;
struct err;

enum { WHEN_BYTES_MAX = 4096, WHEN_DEPTH_MAX = 32 };

/* X(constant, name, what it is) */
#define WHEN_FIELDS(X) \
    X(WHEN_SEVERITY, "severity", "info, low, medium, high or critical; < <= > >= too") \
    X(WHEN_CLASS, "class", "of the finding, such as missing") \
    X(WHEN_STACK, "stack", "its name") \
    X(WHEN_ENVIRONMENT, "environment", "of the stack") \
    X(WHEN_OWNER, "owner", "one of its owners: by rule, CODEOWNERS, tag or plumb.yaml") \
    X(WHEN_TYPE, "type", "of the resource") \
    X(WHEN_ADDRESS, "address", "of the resource") \
    X(WHEN_PROVIDER, "provider", "of the resource") \
    X(WHEN_DECISION, "decision", "what policy says: notify, review, revert or block") \
    X(WHEN_RULE, "rule", "the policy rule that decides") \
    X(WHEN_ACTOR, "actor", "who changed it; by whole name or login") \
    X(WHEN_STATUS, "status", "new, changed, recurring, overdue, resolved or notice") \
    X(WHEN_TAG, "tag", "tag.NAME: a tag or label of the resource")

#define X(constant, name, meaning) constant,
enum when_field { WHEN_FIELDS(X) WHEN_FIELD_COUNT };
#undef X

struct when; /* zeroed and NULL: always */

/* What is asked about; empty = not known, which equals nothing. */
struct when_subject {
    enum severity severity;
    struct str text[WHEN_FIELD_COUNT]; /* by field; of WHEN_SEVERITY and WHEN_TAG unused */
    const struct value *tags;          /* an object, or NULL */
};

/* Lives in arena, with views into text. ERR_SYNTAX; *ret_at is then the byte that is wrong. */
bool when_parse(struct arena *arena, struct str text, const struct when **ret, size_t *ret_at,
                struct err *err);
bool when_holds(const struct when *when, const struct when_subject *subject);
