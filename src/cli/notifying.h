/* notifying.h - what the commands about alerts share: the receivers, the store, sending by hand. */
#pragma once
#include "cli/command.h"
#include "cli/store_setup.h"
#include "model/config.h"
#include "respond/outbox.h"

struct notifying {
    const struct app *app;
    struct arena *arena;
    struct config config;
    struct routes routes;
    struct record record; /* db NULL: it was not asked for */
};
/* plumb.yaml and its receivers; with a store where `use` says so, else `use` is NULL. */
bool notifying_open(struct notifying *n, const struct app *app, struct arena *arena,
                    const struct option_value *config, const struct option_value *store,
                    const enum store_use *use, struct err *err);
void notifying_close(struct notifying *n);
/* With what it needs from the environment and from files; its output is the program's. */
bool notifying_target(const struct notifying *n, const struct route *route,
                      struct notify_target *ret, struct err *err);
/* Makes what is due and sends it, once each. *ret_left: what was not taken, told on app->err. */
bool notifying_send(struct notifying *n, struct record *record, int64_t *ret_left, struct err *err);
/* The one with that name, or ERR_USAGE with the names that there are. */
bool notifying_find(const struct notifying *n, struct str name, const struct route **ret,
                    struct err *err);
/* `plumb notify retry`, `plumb notify drop`: ID, --dead, --receiver. forgets: of a receiver that
 * plumb.yaml does not name nothing is kept. */
enum { NOTIFYING_DEAD, NOTIFYING_RECEIVER, NOTIFYING_CONFIG, NOTIFYING_STORE, NOTIFYING_COUNT };
extern const struct option notifying_options[NOTIFYING_COUNT];
bool notifying_change(const struct app *app, const struct invocation *in,
                      bool (*act)(struct record *record, const struct outbox_query *query,
                                  const struct actor *by, int64_t *ret_n, struct err *err),
                      const char *done, bool forgets, struct err *err);
