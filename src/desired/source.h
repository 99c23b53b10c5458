/* source.h - what every source of desired resources is made of (inside desired/ only).
 *
 * A source fills `info`, keeps what it gives in `arena`, and hides its own shape behind next().
 */
#pragma once
#include "base/arena.h"
#include "desired/backend.h"
#include "desired/desired.h"

/* Where in the text what was given last stands. */
struct desired_spot {
    const char *resource_at, *at, *end; /* its resource, itself, behind itself */
    uint64_t nresources;                /* another number: another resource */
    bool odd;                           /* what stands behind the instances says something, too */
};

struct desired {
    struct desired_info info;
    struct arena arena; /* all that was given, until the source is closed */
    uint64_t count;     /* instances in all, or 0 */
    bool (*next)(struct desired *desired, struct resource *ret, struct err *err);
    bool (*find)(struct desired *desired, struct str type, struct str name, struct resource *ret,
                 struct err *err); /* NULL: all are given in turn */
    void *own;                     /* in the arena */
    bool is_walk;                  /* of a state's text: next() tells the spot */
    struct desired_spot spot;
    struct backend_state state; /* desired_open_stack_state: the text itself */
};

/* An empty source whose arena may grow to a few times the text it reads. NULL: out of memory. */
struct desired *desired_make(size_t text_bytes, struct err *err);

/* Whatever the text is; what is no state at all says so. */
bool desired_open_text(struct desired *desired, struct str text, const char *name, struct err *err);
/* Each opens one kind of text; text and name outlive the source. */
bool source_tfstate_open(struct desired *desired, struct str text, const char *name,
                         struct err *err);
bool source_show_open(struct desired *desired, struct str text, const char *name, struct err *err);
