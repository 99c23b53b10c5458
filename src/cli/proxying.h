/* proxying.h - what `plumb run` and `plumb proxy start` share: the stack, its providers, sockets
 * for them.
 */
#pragma once
#include "base/arena.h"
#include "base/loop.h"
#include "cli/rows.h"
#include "enforce/guard.h"
#include "enforce/proxy.h"
#include "live/reader.h"
#include "model/config.h"
#include "model/stack.h"
#include "record/record.h"

struct app;
struct code_input_value;
struct concern;
struct configuring;
struct guard_record;
struct policy;

/* The first rows of such a command's table. */
enum {
    PROXYING_DIR,
    PROXYING_CONFIG,
    PROXYING_WORKSPACE,
    PROXYING_ALLOW_MISMATCH,
    PROXYING_NO_CACHE,
    PROXYING_CACHE_DIR,
    PROXYING_VERBOSE,
    PROXYING_STORE,
    PROXYING_POLICY,
    PROXYING_WAIVERS,
    PROXYING_OPTION_COUNT
};
/* clang-format off */
#define PROXYING_OPTIONS \
    [PROXYING_DIR] = {.name = "dir", .letter = 'C', .kind = OPTION_STRING, .arg = "DIR", \
                      .text = "the root module, or the name of a stack; without it what -chdir " \
                              "of the command says, else what is here"}, \
    [PROXYING_CONFIG] = ROW_CONFIG, [PROXYING_WORKSPACE] = ROW_WORKSPACE, \
    [PROXYING_ALLOW_MISMATCH] = ROW_ALLOW_MISMATCH, [PROXYING_NO_CACHE] = ROW_NO_CACHE, \
    [PROXYING_CACHE_DIR] = ROW_CACHE_DIR, \
    [PROXYING_VERBOSE] = {.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, \
                          .text = "say at the end what was passed on and what was refused"}, \
    [PROXYING_STORE] = ROW_STORE, \
    [PROXYING_POLICY] = ROW_POLICIES, [PROXYING_WAIVERS] = ROW_WAIVERS
/* clang-format on */

struct proxying {
    /* Before proxying_open(); zeroed is fine. */
    const struct code_input_value *inputs; /* -var, -var-file of the command */
    size_t ninputs;
    bool other_inputs; /* there may be others */
    bool many;         /* one command after another */

    const struct app *app;
    struct stack stack;
    struct reader_options reader;
    struct loop loop;
    struct config config;
    struct record record; /* db NULL: there is no store */
    struct policy *policy;
    struct concern *concern;
    struct configuring *configuring; /* NULL: there is no store */
    struct guard_record *guarding;
    struct guard guard; /* ask NULL: nobody has a say: neither store nor policy */
    struct proxy *proxy;
    struct str reattach; /* "TF_REATTACH_PROVIDERS={...}"; empty = there are no providers */
};
/* Finds the stack, starts its providers, and waits until they are there. `dir` where --dir is not
 * given. On failure nothing is left behind. */
bool proxying_open(const struct app *app, struct arena *arena, const struct invocation *in,
                   struct str dir, struct proxying *ret, struct err *err);
/* The command is over: what providers were configured with is kept for scans. */
void proxying_keep(struct proxying *proxying);
/* Orderly: providers are stopped, sockets removed. */
void proxying_stop(struct proxying *proxying);
/* What is left, the loop with it. */
void proxying_close(struct proxying *proxying);
/* One line about what was done, to app->err. */
void proxying_tell(const struct proxying *proxying);
