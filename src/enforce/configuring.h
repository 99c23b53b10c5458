/* configuring.h - what Terraform configured the providers of a stack with, kept for scans that
 * cannot evaluate it themselves.
 *
 * Seen:    configurations as they pass by (proxy.h: on_configured), in memory only
 * Kept:    when the command has ended, by record/configured.h. Which block each is of is told
 *          by the code, evaluated anew with the state that the command left: the one that can
 *          have been it. What may be of several blocks, or has unknowns in it, is not kept
 * Secret:  everything that was not shown to be none: the code gives the setting the very same
 *          value, without a mark (sensitive, ephemeral) from any variable, output, attribute or
 *          function on its way; the provider's schema does not call it sensitive; and neither
 *          name nor value look like a credential. Of the rest there is a keyed digest alone
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "model/event.h"

struct concern;
struct err;
struct record;
struct stack;

enum { CONFIGURING_MAX = 64 }; /* different ones of a command; more are passed over */

struct configuring_options {
    const struct stack *stack;
    struct concern *concern;
    struct record *record;
    bool other_inputs; /* as in concern.h: then nothing is kept where the root has variables */
    struct event_actor actor;
    void (*on_note)(void *ctx, struct str text);
    void *ctx;
};
struct configuring;
/* What is pointed at outlives it. */
bool configuring_open(const struct configuring_options *options, struct configuring **ret,
                      struct err *err);
/* Forgets what was seen, overwriting it. NULL is fine. */
void configuring_close(struct configuring *configuring);
/* config: msgpack, copied. */
void configuring_saw(struct configuring *configuring, struct str provider, struct str config);
/* The command is over: what it showed is kept, and forgotten here. Trouble is a note: the command
 * did what it did. */
void configuring_keep(struct configuring *configuring);
