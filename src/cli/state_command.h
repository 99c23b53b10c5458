/* state_command.h - what the commands `plumb state ...` share: options, the store, who does it. */
#pragma once
#include "base/arena.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "enforce/statelock_store.h"
#include "model/actor.h"

struct app;

/* The first rows of each table. */
enum { STATE_CONFIG, STATE_STORE, STATE_OPTION_COUNT };
/* clang-format off */
#define STATE_OPTIONS [STATE_CONFIG] = ROW_CONFIG, [STATE_STORE] = ROW_STORE
/* clang-format on */

struct state_command {
    const struct app *app;
    struct arena arena;
    struct record record;
    struct actor by;
    struct lock_rules rules;
    struct lock_deed deed; /* as an admin, of the stack that the first word names */
};
/* The command's first word, if it has one, is the stack. Close it also after a failure. */
bool state_command_open(struct state_command *ret, const struct app *app,
                        const struct invocation *in, enum store_use use, struct err *err);
void state_command_close(struct state_command *command);

/* Within a transaction of its own, with its event. */
bool state_command_do(struct state_command *command, const struct lockinfo *info,
                      bool (*act)(const struct lock_deed *deed, const struct lockinfo *info,
                                  struct lock_result *ret, struct err *err),
                      struct lock_result *ret, struct err *err);
