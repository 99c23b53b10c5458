/* one.h - what one instance is now, in full: of a document, of its provider, of the file itself.
 *
 * Reads:  the state for how to ask, then the one reader that knows it; nothing else of the stack
 */
#pragma once
#include "live/reader.h"
#include "model/resource.h"

struct arena;
struct err;
struct stack;

struct scan_one {
    enum live_status status;
    struct str reason;            /* LIVE_UNREADABLE */
    struct value live;            /* LIVE_READ: attributes; typed where the reader has a schema */
    struct value generated;       /* what the provider would write for it (options->generate);
                                     null: it does not say */
    const struct path *sensitive; /* what the state marks as secret */
    size_t nsensitive;
    bool recorded; /* the state has it */
};
/*
 * unrecorded  how to ask for an instance that the state does not have: type, name, provider,
 *             provider_config, import_id; NULL: then it is unreadable
 * ret         lives in `arena`. Trouble with the resource is LIVE_UNREADABLE with its reason; false
 *             for a state that cannot be read, ERR_CANCELLED and ERR_LIMIT
 */
bool scan_one(struct arena *arena, const struct stack *stack, const struct reader_options *options,
              struct str address, const struct resource *unrecorded, struct scan_one *ret,
              struct err *err);
