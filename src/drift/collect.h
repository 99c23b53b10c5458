/* collect.h - the differences of two trees as changes of a finding (inside drift/ only).
 *
 * Order:   collect_mark, collect_ignores, then collect_changes (or collect_room and collect_change
 *          one by one), classify, collect_fingerprint
 * Owner:   everything lives in the collector's arena or in the inputs
 */
#pragma once
#include "drift/drift.h"
#include "drift/ignore.h"
#include "drift/normalise.h"

struct value_change;
struct value_diff;

struct collector {
    struct arena *arena;
    const struct drift_input *in;
    struct ignore_set ignores;
    struct value desired, live; /* with the marks of secrets; live in the desired spelling */
    struct change *changes;
    const struct ignore_rule **rule_of; /* which rule ignores changes[i], or NULL */
    struct path *paths;
    size_t n;
    struct considered_equal *equal;
    size_t nequal, equal_room;
};

/* The two trees with their secrets marked, into the collector. */
bool collect_mark(struct collector *c, const struct value *before, const struct value *after,
                  struct err *err);
/* Room for that many changes. */
bool collect_room(struct collector *c, size_t n, struct err *err);
/* One difference of the collector's trees: a change, or (by --explain's list) none. */
bool collect_change(struct collector *c, const struct value_change *found, struct err *err);
/* All of them. */
bool collect_changes(struct collector *c, uint64_t *ret_leaves, struct err *err);
/* What rules called equal, into the list of --explain; that list with the resource's address. */
bool collect_equal_by_rule(struct collector *c, const struct normalised *normal, struct err *err);
const struct considered_equal *collect_named_equal(struct collector *c);
/* The difference of two trees; past DIFF_CHANGES_MAX its changes are whole attributes. */
bool collect_diff(struct arena *arena, const struct value *before, const struct value *after,
                  struct value_diff *ret, struct err *err);
/* Up to the first list or set of which an element is named by position. */
struct path collect_root(struct path path);
bool collect_note_equal(struct collector *c, struct str path, const struct normalise_rule *rule,
                        struct err *err);
bool collect_fingerprint(struct collector *c, struct finding *finding, struct err *err);

/* A finding of the resource with nothing said yet. */
struct finding collect_finding(const struct resource *resource, struct str stack);
/* What the resource is known by, unless that is a secret. */
bool collect_public_id(struct arena *arena, const struct drift_input *in, struct str *ret,
                       struct err *err);
/* The ignore rules that may cover something of it. */
bool collect_ignores(struct arena *arena, const struct drift_input *in, struct ignore_set *ret,
                     struct err *err);

/* Leaves: a scalar, a null, an empty collection. Are they equal? Counts them on the way. */
uint64_t collect_leaves(const struct value *v, unsigned depth_left);
bool collect_equal(const struct value *a, const struct value *b, unsigned depth_left,
                   uint64_t *count);
void collect_count(const struct drift_input *in, uint64_t total, struct observation *ret);
