/* store_setup.h - which store a command means, and opening it.
 *
 * Order:   --store, PLUMB_STORE, `store:` of plumb.yaml; else .plumb/plumb.db beside plumb.yaml, or
 *          here without one. That last one is made only by a command whose sense it is (a
 *          baseline, a freeze, `db migrate`): a plain scan leaves no file behind, and writes to it
 *          only once it is there
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "record/record.h"

struct app;
struct arena;
struct config;
struct err;
struct option_value;

struct store_choice {
    struct str url;
    bool chosen; /* somebody named it; else it is the default */
    bool there;  /* the default's file exists */
    int64_t keep_ms;
    const struct audit_options *audit; /* of plumb.yaml, which outlives the record; or NULL */
};
/* store may be NULL, config too. */
bool store_choose(struct arena *arena, const struct app *app, const struct config *config,
                  const struct option_value *store, struct store_choice *ret, struct err *err);
/* The same for a command that needs nothing else of plumb.yaml: its --config and --store. */
bool store_find(struct arena *arena, const struct app *app, const struct option_value *config,
                const struct option_value *store, struct store_choice *ret, struct err *err);

/* CHANGE: writes to what is there already, and so never makes a store. */
enum store_use { STORE_READ, STORE_WRITE, STORE_CHANGE };
/* For reading and changing, a store that is not there is an error; where none was named it says how
 * one comes to be. */
bool store_open(struct arena *arena, const struct app *app, const struct store_choice *choice,
                enum store_use use, struct record *ret, struct err *err);
/* Behind the last commit: the audit log's checkpoint that is due is made and given to the witnesses
 * (what fails of that is told to app->err and changes nothing), then the store is closed. */
void store_close(const struct app *app, struct record *record);
/* For reading, with what time has ended written down before, so that lists tell it; where that
 * cannot be, a line on standard error says so, and what is there is read. */
bool store_open_settled(struct arena *arena, const struct app *app,
                        const struct store_choice *choice, struct record *ret, struct err *err);
