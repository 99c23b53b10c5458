/* plan_doc.h - a plan as JSON, read as a stream: what it would change, without a tree of all of it.
 *
 * In:      format_version 1.x (`terraform show -json PLANFILE`); unknown keys are passed over
 * Out:     each resource that it touches, and each that drifted, as its own JSON text; what is left
 *          as it is is only counted. So a plan of 100 MB needs little more than its text
 * Owner:   views into the text and texts in the arena; both outlive it
 * Source:  facts/terraform.md 4.3
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct err;

/* X(constant, name in reports, what it does) */
#define PLAN_ACTIONS(X) \
    X(PLAN_UNKNOWN_ACTION, "unknown", "does something that this plumb does not know") \
    X(PLAN_CREATE, "create", "creates it") \
    X(PLAN_UPDATE, "update", "changes it in place") \
    X(PLAN_REPLACE, "replace", "destroys it and creates it anew") \
    X(PLAN_DELETE, "delete", "destroys it") \
    X(PLAN_FORGET, "forget", "takes it out of the state and leaves it alone") \
    X(PLAN_NO_OP, "no-op", "leaves it as it is") \
    X(PLAN_READ, "read", "reads it")

#define X(constant, name, meaning) constant,
enum plan_action { PLAN_ACTIONS(X) PLAN_ACTION_COUNT };
#undef X
const char *plan_action_name(enum plan_action action);

struct plan_entry {
    struct str address; /* with " (deposed 1234abcd)" for such */
    struct str previous_address;
    struct str type, provider;
    enum plan_action action;
    bool importing;
    struct str text; /* the entry of resource_changes or resource_drift */
};
struct plan_doc {
    struct str terraform_version, timestamp;
    bool errored;
    bool incomplete;          /* -target, -exclude, or something was put off */
    struct plan_entry *touch; /* managed, not no-op and not read; sorted by address */
    size_t ntouches;
    struct plan_entry *drift; /* managed, that differ from the last state; sorted by address */
    size_t ndrifts;
    size_t ninvocations; /* actions of providers that are invoked beside the changes */
    size_t no_op;        /* managed resources that stay as they are */
    size_t by_action[PLAN_ACTION_COUNT];
    struct str variables, configuration; /* JSON texts, or empty */
};

/* ERR_SYNTAX with a place, ERR_UNSUPPORTED for another format version. */
bool plan_doc_read(struct arena *arena, struct str text, const char *name, struct plan_doc *ret,
                   struct err *err);
/* The entry of that address; NULL: there is none. */
const struct plan_entry *plan_doc_find(const struct plan_entry *entry, size_t n,
                                       struct str address);
/*
 * What an entry says, as a tree: its `change`, with VALUE_SENSITIVE on what is secret in before and
 * after.
 */
struct plan_change {
    struct value entry;         /* all of it */
    struct value before, after; /* null where there is none */
    struct value unknown;       /* after_unknown */
    struct value replace_paths; /* or null */
};
bool plan_change_read(struct arena *arena, const struct plan_entry *entry, const char *name,
                      struct plan_change *ret, struct err *err);
/* Is that place, or what it is inside of, known only after the apply? */
bool plan_change_unknown(const struct plan_change *change, struct path path);
