/* conftest.h - conftest's conventions over Rego: deny, violation and warn of a namespace,
 * exceptions.
 *
 * Results: a text is a message; an object needs a text `msg`, its other keys are metadata,
 *          `_loc` is the place; anything else is passed over
 * Count:   each definition of a rule is a test; what gave no result passed
 * Source:  facts/rego.md 12
 */
#pragma once
#include "lang/rego/rego.h"

struct buf;
struct policy_input;

struct conftest_item {
    struct str message;
    struct str query;      /* "data.main.deny" */
    struct value metadata; /* an object, without msg and _loc; VALUE_NULL = none */
    struct str file;       /* of _loc; empty if it has none */
    int64_t line;
};
struct conftest_items {
    struct conftest_item *item;
    size_t n, room;
};
struct conftest_check {
    struct str file, space;
    size_t successes;
    struct conftest_items failures, warnings, exceptions, skipped;
    struct str output; /* lines "file:row: text" of print() */
};

/* Namespaces of the policies, in order of files: "main", "a.b". */
bool conftest_namespaces(struct arena *arena, const struct rego_policy *policy, struct str **ret,
                         size_t *ret_n, struct err *err);
/* Refuses rules that conftest refuses: `deny if ...` without `contains`. */
bool conftest_check_rules(const struct rego_policy *policy, struct err *err);
/*
 * The rules of a namespace over the documents of one file.
 * file  what it is called in results; data.conftest.file is made of input->path
 * ERR_SYNTAX for an error of the evaluation, and for objects without msg.
 */
bool conftest_run(struct arena *arena, const struct rego_policy *policy, struct str space,
                  const struct policy_input *input, const struct rego_eval_options *options,
                  struct conftest_check *ret, struct err *err);

/* --- names --- */

/* The name of a rule that may be asked for: its head's, if that is one name; else empty. */
struct str conftest_rule_name(const struct rego_rule *rule);
/* deny, violation, deny_NAME ...; warn, warn_NAME */
bool conftest_is_failure(struct str name);
bool conftest_is_warning(struct str name);
/* What exceptions call it: behind the first _; empty for deny, violation and warn. */
struct str conftest_without_stem(struct str rule);
/* "a.b" of package a.b; data["a"]["b"] of "a.b": packages may have names that are no identifiers */
bool conftest_space_text(const struct rego_module *module, struct buf *out);
void conftest_write_space(struct buf *out, struct str space);
