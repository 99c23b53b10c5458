/* ignore.h - accepted differences: which ignore rule covers a change or a whole finding.
 *
 * Scope:   stack (glob, `*` stays within a path segment), address, type and recorded id (globs, `*`
 *          crosses everything); empty = any. A rule past its `expires` covers nothing
 * Changes: a rule without a path covers every change of the resource and that it is missing; with
 *          a path, the changes at and below it; with a value, those whose live value as text
 *          matches the glob. The value of a secret matches nothing: a rule must not be a way to
 *          guess it
 * First rule of the file wins. What was not checked is never ignored.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/config.h"
#include "model/finding.h"
#include "model/resource.h"
#include "value/path.h"

struct arena;
struct err;

/*
 * The rules that may cover something of this resource, in the order of the file.
 * id  what the resource is known by; ptr NULL = not known, or a secret: no glob matches it
 */
struct ignore_set {
    const struct ignore_rule **rule;
    size_t n;
};
bool ignore_select(struct arena *arena, const struct ignore_rule *rules, size_t nrules,
                   struct str stack, const struct resource *resource, struct str id,
                   int64_t now_utc_ms, struct ignore_set *ret, struct err *err);
/* The rule that covers this change, or NULL. */
const struct ignore_rule *ignore_find(const struct ignore_set *set, struct path path,
                                      const struct value *live, bool sensitive);
/* The rule that covers the resource as a whole (missing), or NULL. */
const struct ignore_rule *ignore_find_whole(const struct ignore_set *set);

/* A note for each rule that has expired and could have covered something of this stack. */
bool ignore_note_expired(struct arena *arena, const struct ignore_rule *rules, size_t nrules,
                         struct str config_path, struct str stack, int64_t now_utc_ms,
                         struct str **ret_notes, size_t *ret_n, struct err *err);
