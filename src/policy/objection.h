/* objection.h - what rules written in Rego say of one document, in conftest's convention, with the
 * place of the value that each objects to.
 *
 * Rules:   deny, violation (and deny_NAME ...) object, warn (warn_NAME) warns; a text is a message,
 *          an object has a text `msg`; exceptions are honoured
 * Place:   of the values that the way to the result has read, the deepest one; what is read only
 *          for the message does not count. A `_loc` of the result comes before that. Documents are
 *          evaluated once, those with results a second time, watched
 * Errors:  a rule that fails, or gives what is no result, is an objection with `error`: nobody
 *          passes because a policy is broken
 * Source:  facts/rego.md 12
 */
#pragma once
#include "lang/rego/rego.h"
#include "policy/spot.h"

struct document;
struct documents;
struct entries;
struct policy_row;

struct objection {
    struct str rule; /* "main.deny_public" */
    struct str message;
    bool warning, error;
    struct value details;   /* an object: the result without msg and _loc; VALUE_NULL = none */
    struct location policy; /* the definition that gave it, or the rule's first one */
    struct spot spot;       /* file empty: of the document as a whole */
};
struct objections {
    struct objection *item;
    size_t n, room;
    size_t exceptions; /* rules that an exception took out */
};

struct entries_options {
    const struct str *space; /* packages, with wildcards; none = main */
    size_t nspaces;
    bool all_spaces;
    struct str only; /* the one name to ask; empty = those of conftest */
    bool lookups;    /* note which paths of input each looks for and never finds: they are
                        asked one by one */
};
/*
 * The rules that are asked. ERR_USAGE where there are none, naming the packages that have some: a
 * policy that asks nothing shall not pass for one that found nothing. Close after the policy's last
 * use.
 */
bool entries_open(struct arena *arena, const struct rego_policy *policy,
                  const struct entries_options *options, struct entries **ret, struct err *err);
void entries_close(struct entries *entries);
size_t entries_count(const struct entries *entries);
/* Is that name in that package asked? */
bool entries_has(const struct entries *entries, const struct rego_module *module, struct str name);
/* What each did since it was opened: entries_count rows. False: the arena is full. */
bool entries_report(const struct entries *entries, struct arena *arena, struct policy_row *ret);

struct objections_input {
    const struct documents *documents;
    const struct document *document;
    const struct value *input; /* what rules see, if not the document: with values of it inside */
};
/* All of them over one document, in the order of the rules, then of the results. */
bool objections_find(struct arena *arena, struct entries *entries,
                     const struct objections_input *of, const struct rego_eval_options *options,
                     struct objections *ret, struct err *err);
