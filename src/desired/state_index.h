/* state_index.h - where the managed instances of a state stand in its text: 24 bytes for each.
 *
 * For states of a million instances, compared in parallel: no tree and no struct resource is kept,
 * what is needed of an instance is read again from its place. Reading is pure, so that threads may
 * share an index.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "desired/tfstate.h"

struct buf;

struct state_entry {
    uint64_t at;         /* the instance's '{' */
    uint32_t attributes; /* from `at` to the text of the attributes; 0 = none */
    uint32_t index_key;  /* from `at` to the index key's text; 0 = none */
    uint32_t head;       /* which of heads[] */
    bool deposed, tainted;
};

/* Members of a resource, but for its instances, as offsets from its beginning; 0 = none. */
struct state_head {
    uint64_t at;
    uint32_t offset[RES_COUNT], len[RES_COUNT];
};

struct state_index {
    struct str text;
    const char *name;
    uint64_t serial;
    struct state_entry *entry; /* in the order of the state */
    size_t n, room;
    struct state_head *head;
    size_t nheads, heads_room;
};

/* The whole text is checked. ERR_SYNTAX with its place, ERR_UNSUPPORTED, ERR_LIMIT. */
bool state_index_build(struct str text, const char *name, const volatile int *cancel,
                       struct state_index *ret, struct err *err);
void state_index_free(struct state_index *index);

/* [module.]type.name of an entry's resource, as the address begins. False: odd, use _resource. */
bool state_index_prefix(const struct state_index *index, const struct state_entry *entry,
                        struct buf *out);
/* The key of the instance in brackets. False: odd, use _resource. */
bool state_index_key(const struct state_index *index, const struct state_entry *entry,
                     struct buf *out);
/* All of an entry, as desired_next() would give it. */
bool state_index_resource(const struct state_index *index, const struct state_entry *entry,
                          struct arena *arena, struct resource *ret, struct err *err);
